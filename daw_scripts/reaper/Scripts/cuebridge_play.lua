-- CueBridge: hands the notes of a print file over to the effect "CueBridge" (JSFX), which keeps them in the project.
--
-- cuebridge.py runs it with the file's name in the extended state "CueBridge"/"play".  Python in REAPER has no gmem, Lua has.
-- What is written to gmem, as the effect reads it:
--   [0] a number that changes with each set of notes, written last; [1] events; [2] what the effect has taken (written by it);
--   from [16] on seven numbers an event: beat whole and fraction, length whole and fraction, status, data 1, data 2 and, + 256,
--   whether a start in the middle sounds it
local SECTION, HEAD, WIDTH = "CueBridge", 16, 7
local SUSTAINED = { pad = true }

local function fail (why)
	reaper.SetExtState (SECTION, "played", "0\t" .. why, false)
end

local function words_of (line)
	local words = {}
	for word in (line .. "\t"):gmatch ("(.-)\t") do words[#words + 1] = word end
	return words
end

-- Events in the order of their beats, controllers before notes.
local function read (path)
	local file = io.open (path, "r")
	if not file then return nil, "there is no print file of that name" end
	local events, count, part, whole = {}, 0, "", false
	for line in file:lines () do
		count = count + 1
		local row = words_of ((line:gsub ("\r$", "")))
		if count == 1 and line:gsub ("\r$", "") ~= "cuebridge-print\t1" then break end
		if row[1] == "part" then part = row[2]
		elseif row[1] == "note" then
			events[#events + 1] = { tonumber (row[2]), tonumber (row[3]), 0x90 + tonumber (row[6]) - 1, tonumber (row[4]),
				tonumber (row[5]) + (SUSTAINED[part] and 256 or 0), 1 }
		elseif row[1] == "control" then
			events[#events + 1] = { tonumber (row[2]), 0, 0xB0 + tonumber (row[5]) - 1, tonumber (row[3]), tonumber (row[4]), 0 }
		elseif row[1] == "end" then whole = tonumber (row[2]) == count - 1
		end
	end
	file:close ()
	if not whole then return nil, "this is no whole print file of this version" end
	for index, event in ipairs (events) do event[7] = index end
	table.sort (events, function (a, b)
		if a[1] ~= b[1] then return a[1] < b[1] end
		if a[6] ~= b[6] then return a[6] < b[6] end
		return a[7] < b[7]
	end)
	return events
end

local path = reaper.GetExtState (SECTION, "play")
reaper.DeleteExtState (SECTION, "play", false)
local events, why = nil, "nothing was given to play"
if path ~= "" then
	local fine, found, refused = pcall (read, path)
	if fine then events, why = found, refused else why = "this is no whole print file of this version" end
end
if not events then return fail (why) end

reaper.gmem_attach ("CueBridge")
for index, event in ipairs (events) do
	local at = HEAD + (index - 1) * WIDTH
	local beat, length = math.floor (event[1]), math.floor (event[2])
	for place, value in ipairs { beat, event[1] - beat, length, event[2] - length, event[3], event[4], event[5] } do
		reaper.gmem_write (at + place - 1, value)
	end
end
reaper.gmem_write (1, #events)
local number = reaper.gmem_read (0) % 1000000 + 1
reaper.gmem_write (0, number)

-- The effect looks at the beginning of every block; REAPER's window stands still meanwhile, for half a second at most.
local ends = reaper.time_precise () + 0.5
while reaper.gmem_read (2) ~= number do
	if reaper.time_precise () > ends then
		return fail ("no effect CueBridge took the notes: put JS: CueBridge on a track, with the audio device running")
	end
end
reaper.MarkProjectDirty (0)
reaper.SetExtState (SECTION, "played", "1\t" .. #events, false)
