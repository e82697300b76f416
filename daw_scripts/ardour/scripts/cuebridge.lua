ardour {
	["type"]    = "EditorHook",
	name        = "CueBridge",
	author      = "The CueBridge developers",
	license     = "MIT",
	description = [[Tells the CueBridge bridge where the transport is (position, tempo map, loop, markers) and does what it asks for: markers, tempo, printing takes into tracks.]]
}

function action_params ()
	return {
		["port"] = { title = "Port of the bridge", default = "9317" },
		["host"] = { title = "Computer of the bridge", default = "127.0.0.1" },
	}
end

function signals ()
	local wanted = {}
	-- Names differ between versions: what a version does not have is left out, the timer alone is enough.
	for _, name in ipairs { "LuaTimerDS", "TransportStateChange", "TransportLooped", "PositionChanged", "RecordStateChanged" } do
		if LuaSignal[name] then wanted[LuaSignal[name]] = true end
	end
	return LuaSignal.Set ():add (wanted)
end

-- Everything stands inside factory: Ardour keeps the function as bytecode, and names outside would be lost.
function factory (params)
	local VERSION, PROTOCOL = "2", 1
	local HELLO_EVERY, QUIET_AFTER, REPEAT_AFTER, SCAN_EVERY = 2.0, 5.0, 1.0, 1.0   -- seconds
	local TICKS = 1920                                                             -- of a quarter note
	local LEAST_SCAN_S = 600                        -- tempo is looked at this far at least, where the session is shorter
	local POINTS, MARKERS, REGIONS, ROWS = 9, 18, 14, 15   -- of one message: a message has at most 64 arguments
	local MAX_ITEMS, BURST = 4096, 8                -- of a list; messages of it at a tick
	local OFFERED = { "transport", "tempomap", "loop", "timecode", "markers", "regions", "session", "do_marker", "do_tempo", "do_print", "do_session" }
	local REFUSED, WORKS, NOT_TRIED = 0, 1, 2

	local host, port = (params and params["host"]) or "127.0.0.1", (params and params["port"]) or "9317"
	local osc = ARDOUR.LuaOSC.Address ("osc.udp://" .. host .. ":" .. port)
	local mailbox, mailbox_at = nil, 0
	local heard, hello_at, sent_at = nil, -100, -100        -- seconds of the monotonic clock
	local seq, last_key = 0, ""
	local scan_at = -100
	local last_sample, came_round = nil, false              -- of the transport while it rolls; whether its loop came round
	local points = {}                                       -- tempo map: { beat, s, bpm, num, den }
	local lists = {}                                        -- what -> { key, revision, items, got, sent }
	local loop_key, timecode_key, session_key
	local ours = {}   -- marker number -> { name, sample }: Ardour 7 gives every location the id 0, so a marker of ours
	                  -- is known by these, and one that the composer moves or renames is the composer's from then on
	local done = {}                                         -- request -> { ok, text }: a repeated request is answered again
	local handlers = {}

	-- What of Ardour works: "feature/call" -> { feature, call, works, why }; one line in Ardour's log for each kind of error.
	local rows, logged = {}, {}
	local function row (feature, call, works, why) rows[feature .. "/" .. call] = { feature, call, works, why or "" } end
	local function reason (problem) return (tostring (problem):gsub ("^.*[/\\]", ""):gsub ("%s+", " "):sub (1, 200)) end
	local function failed (feature, call, problem)
		row (feature, call, REFUSED, reason (problem))
		if logged[call] then return end
		logged[call] = true
		pcall (print, "CueBridge: " .. call .. ": " .. reason (problem))
	end
	-- What act answers; nil where it raised, which is noted, logged once and told to the bridge.
	local function guard (feature, call, act, ...)
		local answer = table.pack (pcall (act, ...))
		if not answer[1] then
			failed (feature, call, answer[2])
			return nil
		end
		local one = rows[feature .. "/" .. call]
		if one and one[3] == REFUSED then row (feature, call, WORKS) end   -- what failed for a while works again
		return table.unpack (answer, 2, answer.n)
	end
	local function works (feature)
		for _, one in pairs (rows) do
			if one[1] == feature and one[3] == REFUSED then return false end
		end
		return true
	end

	local function now () return ARDOUR.LuaAPI.monotonic_time () / 1e6 end
	local function rate () return Session:nominal_sample_rate () end
	local function whole (x) return math.floor (x + 0.5) end
	-- The bridge takes texts of 1,024 characters; cut between two of them.
	local function short (value)
		if type (value) ~= "string" or #value <= 1000 then return value end
		return (value:sub (1, 1000):gsub ("[\xC2-\xF4][\x80-\xBF]*$", ""))
	end
	-- Sending never raises: a bridge that is away costs nothing.
	local function send (...)
		local cells = table.pack (...)
		for index = 1, cells.n do cells[index] = short (cells[index]) end
		pcall (function () osc:send (table.unpack (cells, 1, cells.n)) end)
	end

	local function position_of_beat (beat) return Temporal.timepos_t.from_ticks (whole (beat * TICKS)) end
	local function beats_object (beat)
		local ticks = whole (beat * TICKS)
		return Temporal.Beats (ticks // TICKS, ticks % TICKS)
	end

	local function beat_at (s)
		local low, high = 1, #points
		while low < high do
			local middle = (low + high + 1) // 2
			if points[middle].s <= s then low = middle else high = middle - 1 end
		end
		local p = points[low]
		return p and p.beat + (s - p.s) * p.bpm / 60 or s * 2
	end

	---------------------------------------------------------------------------------------- what the session says
	-- Ardour gives no list of tempo changes to scripts, so the map is felt along: by stretches of 32 beats where nothing
	-- changes, by sixteenths where something does.  (Two hours cost some milliseconds; by sixteenths it were 600.)
	local function scan_tempo ()
		local tm, sr, found, key = Temporal.TempoMap.read (), rate (), {}, {}
		local last_s = math.max (LEAST_SCAN_S, Session:current_end_sample () / sr)
		local before_bpm, num, den = nil, nil, nil

		local function look (tick)
			-- One tick on: exactly at a change Ardour's rounding may still give the tempo before it.
			local at = Temporal.timepos_t.from_ticks (tick + 1)
			local bpm, point, meter = tm:quarters_per_minute_at (at), tm:tempo_at (at), tm:meter_at (at)
			local written = point:note_types_per_minute () * 4 / point:note_type ()
			if math.abs (written - bpm) < 1e-4 then bpm = written end
			-- Ardour keeps a tempo as a whole number of tiny ticks: 97.3 comes back as 97.30000026.
			local typed = whole (bpm * 1000) / 1000
			if math.abs (typed - bpm) < 5e-6 then bpm = typed end
			return bpm, whole (meter:divisions_per_bar ()), whole (meter:note_value ())
		end

		local function sample_of (tick) return tm:sample_at (Temporal.timepos_t.from_ticks (tick)) end

		local function even (from, to)   -- nothing changes in between: same tempo, length and count of bars
			local bpm, n, d = look (from)
			local bpm2, n2, d2 = look (to - 2)
			if math.abs (bpm - bpm2) > 1e-6 or n ~= n2 or d ~= d2 then return false end
			if math.abs (sample_of (to) - sample_of (from) - (to - from) / TICKS * 60 / bpm * sr) > 1.5 then return false end
			local a, b = tm:bbt_at (Temporal.timepos_t.from_ticks (from)), tm:bbt_at (Temporal.timepos_t.from_ticks (to - TICKS // 4))
			local beats = (b.bars - a.bars) * n + b.beats - a.beats + (b.ticks - a.ticks) / TICKS
			return math.abs (beats - (to - from - TICKS // 4) / TICKS * d / 4) < 1e-6
		end

		local function visit (tick)
			local bpm, n, d = look (tick)
			if n ~= num or d ~= den or before_bpm == nil or math.abs (bpm - before_bpm) > 1e-6 then
				num, den = n, d
				local s = sample_of (tick) / sr
				local p = found[#found]
				if p then   -- Ardour's sample is rounded; the exact second follows from the point before
					local exact = p.s + (tick / TICKS - p.beat) * 60 / p.bpm
					if math.abs (exact - s) < 1.5 / sr then s = exact
					else p.bpm = (tick / TICKS - p.beat) * 60 / (s - p.s) end   -- inside a glide: its mean
				end
				found[#found + 1] = { beat = tick / TICKS, s = s, bpm = bpm, num = num, den = den }
			end
			before_bpm = bpm
		end

		local stretch, tick = 32 * TICKS, 0
		while #found < MAX_ITEMS do
			if even (tick, tick + stretch) then visit (tick)
			else
				for inner = tick, tick + stretch - 1, TICKS // 4 do
					if #found < MAX_ITEMS then visit (inner) end
				end
			end
			tick = tick + stretch
			if sample_of (tick) / sr > last_s then break end
		end
		tm = nil
		for _, p in ipairs (found) do key[#key + 1] = string.format ("%.6f/%.9f/%.9f/%d/%d", p.beat, p.s, p.bpm, p.num, p.den) end
		return found, table.concat (key, " ")
	end

	local function scan_locations ()
		local marks, regions, mine, mark_key, region_key = {}, {}, {}, {}, {}
		for _, own in pairs (ours) do mine[own.sample .. "/" .. own.name] = true end
		local sr = rate ()
		for l in Session:locations ():list ():iter () do
			local name = l:name ()
			if not mine[l:start ():samples () .. "/" .. name] then
				local from, to = l:start ():samples () / sr, l:_end ():samples () / sr
				if l:is_mark () then
					marks[#marks + 1] = { #marks + 1, from, name }
					mark_key[#mark_key + 1] = from .. "/" .. name
				elseif l:is_range_marker () and not l:is_auto_loop () and not l:is_session_range () then
					regions[#regions + 1] = { #regions + 1, from, to, name }
					region_key[#region_key + 1] = from .. "/" .. to .. "/" .. name
				end
			end
		end
		return marks, table.concat (mark_key, "\n"), regions, table.concat (region_key, "\n")
	end

	local function offer (what, key, items)
		local list = lists[what]
		if not list then
			list = { revision = 0 }
			lists[what] = list
		end
		if list.key ~= key then
			list.key, list.items, list.revision, list.got, list.sent = key, items, list.revision + 1, false, -100
			list.next = 0
		end
	end

	-- Some of a long one at each tick: what comes in one go may be more than the bridge's socket holds.
	local function send_list (what, chunk, tags, flat)
		local list, at = lists[what], now ()
		if not list or list.got or (list.next == 0 and at - list.sent < REPEAT_AFTER) then return end
		list.sent = at
		local total = math.min (#list.items, MAX_ITEMS)
		for _ = 1, BURST do
			local first, args, types = list.next, nil, "iii"
			args = { list.revision, total, first }
			local last = math.min (first + chunk, total)
			for index = first + 1, last do
				for _, value in ipairs (flat (list.items[index])) do args[#args + 1] = value end
				types = types .. tags
			end
			send ("/daw/" .. what, types, table.unpack (args))
			list.next = last
			if last >= total then
				list.next = 0
				return
			end
		end
	end

	-- What is heard, as a picture is watched and as a player plays along: Ardour works ahead of it by the latency of its
	-- outputs, and its position is that of the next block, half a block ahead on the average.
	local function heard_sample (rolling)
		local sample, before = Session:transport_sample (), last_sample
		last_sample = rolling and sample or nil
		if not rolling then
			came_round = false
			return sample
		end
		local ahead = guard ("latency", "Session.worst_output_latency", function ()
			return Session:worst_output_latency () + Session:get_block_size () // 2
		end) or 0
		local heard = sample - ahead
		-- Where a loop comes round, its end is heard still while Ardour works at its beginning again.
		local loop = guard ("loop", "auto_loop_location", function ()
			return Session:get_play_loop () and Session:locations ():auto_loop_location ()
		end)
		if not loop then
			came_round = false
			return heard
		end
		local from, to = loop:start ():samples (), loop:_end ():samples ()
		if before and sample < before and from <= sample then came_round = true end
		if heard >= from then came_round = false end
		return came_round and math.max (heard + to - from, from) or heard
	end

	local function send_state (at)
		local sr = rate ()
		local rolling = Session:transport_rolling ()
		local sample = heard_sample (rolling)
		local looking = now ()
		local s = sample / sr
		local beat = beat_at (s)
		local tm = Temporal.TempoMap.read ()
		local where = Temporal.timepos_t (sample)
		local bpm, meter = tm:quarters_per_minute_at (where), tm:meter_at (where)
		local num, den = whole (meter:divisions_per_bar ()), whole (meter:note_value ())
		tm, meter = nil, nil
		local flags = 0
		if rolling then flags = flags + 1 end
		if guard ("recording", "Session.actively_recording", function () return Session:actively_recording () end) then flags = flags + 2 end
		if guard ("loop", "Session.get_play_loop", function () return Session:get_play_loop () end) then flags = flags + 8 end
		local key = string.format ("%d/%g/%d/%d/%d", sample, bpm, num, den, flags)
		if not rolling and key == last_key and at - sent_at < 1.0 then return end
		last_key, sent_at, seq = key, at, seq + 1
		send ("/daw/transport", "iddddiii", seq, looking, s, beat, bpm, num, den, flags)
	end

	local function scan_loop ()
		local sr, l = rate (), Session:locations ():auto_loop_location ()
		local from, to = 0, 0
		if l then from, to = l:start ():samples () / sr, l:_end ():samples () / sr end
		return Session:get_play_loop () and 1 or 0, from, to
	end

	local function scan_timecode ()
		local hours, minutes, seconds, frames = Session:sample_to_timecode_lua (0)
		return Session:timecode_frames_per_second (), Session:timecode_drop_frames () and 1 or 0,
			string.format ("%02d:%02d:%02d%s%02d", hours, minutes, seconds, Session:timecode_drop_frames () and ";" or ":", frames)
	end

	local function capability_list ()
		local found, keys, key = {}, {}, {}
		for name in pairs (rows) do keys[#keys + 1] = name end
		table.sort (keys)
		for _, name in ipairs (keys) do
			found[#found + 1] = rows[name]
			key[#key + 1] = table.concat (rows[name], "/")
		end
		return table.concat (key, "\n"), found
	end

	local function send_rest (at)
		if at - scan_at >= SCAN_EVERY then
			scan_at = at
			local found, key = guard ("tempomap", "TempoMap", scan_tempo)
			if found then
				points = found
				offer ("tempomap", key, found)
			end
			local marks, mark_key, regions, region_key = guard ("markers", "Locations", scan_locations)
			if marks then
				offer ("markers", mark_key, marks)
				offer ("regions", region_key, regions)
			end
			-- Small and cheap: said once a second rather than acknowledged.
			local on, from, to = guard ("loop", "auto_loop_location", scan_loop)
			if on then send ("/daw/loop", "idd", on, from, to) end
			local fps, drop, start = guard ("timecode", "Session.timecode_frames_per_second", scan_timecode)
			if fps then send ("/daw/timecode", "dis", fps, drop, start) end
		end
		offer ("capabilities", capability_list ())
		send_list ("tempomap", POINTS, "dddiii", function (p) return { p.beat, p.s, p.bpm, p.num, p.den, 0 } end)
		send_list ("markers", MARKERS, "ids", function (m) return m end)
		send_list ("regions", REGIONS, "idds", function (r) return r end)
		send_list ("capabilities", ROWS, "ssis", function (r) return r end)
	end

	---------------------------------------------------------------------------------------- what the bridge asks
	local function find_location (sample, name)
		for l in Session:locations ():list ():iter () do
			if l:name () == name and l:start ():samples () == sample then return l end
		end
	end

	local function remove_ours (number)
		local l = ours[number] and find_location (ours[number].sample, ours[number].name)
		if l then Session:locations ():remove (l) end
		ours[number] = nil
	end

	handlers["/daw/do/marker"] = function (number, s, name, rgb)
		number = whole (number)
		local sample = whole (s * rate ())
		local at = Temporal.timepos_t (sample)
		local own = ours[number]
		-- After a restart of the script: the same name at the same sample is the same marker.
		local l = find_location (sample, name) or (own and find_location (own.sample, own.name))
		if l then l:move_to (at)
		elseif Editor then
			if Editor.add_location_mark then Editor:add_location_mark (at, ARDOUR.LocationFlags.IsMark, 0)
			else Editor:mouse_add_new_marker (at, ARDOUR.LocationFlags.IsMark, 0) end
			l = Session:locations ():mark_at (at, Temporal.timecnt_t (1))
		else
			-- Without the editor window Ardour lets scripts add ranges only: one sample long.
			l = Session:locations ():add_range (at, Temporal.timepos_t (sample + 1))
		end
		if not l then return false, "the marker could not be set" end
		l:set_name (name)
		ours[number] = { name = name, sample = sample }
		local there = l:start ():samples () == sample
		return there, there and "" or "the marker could not be moved there"
	end

	handlers["/daw/do/unmark"] = function (number)
		number = whole (number)
		if number >= 0 then remove_ours (number) else
			for key in pairs (ours) do remove_ours (key) end
		end
		return true, ""
	end

	handlers["/daw/do/tempo"] = function (...)
		local values, steps = { ... }, {}
		for index = 1, #values - 3, 4 do
			steps[#steps + 1] = { beat = values[index], bpm = values[index + 1], num = whole (values[index + 2]), den = whole (values[index + 3]) }
		end
		if #steps == 0 then return false, "no tempo" end
		if Session:actively_recording () then return false, "stop recording first" end
		-- Scripts cannot remove a tempo change: those that are there later on get the new tempo of their place.
		local function step_at (beat)
			local found = steps[1]
			for _, step in ipairs (steps) do if step.beat <= beat + 1e-9 then found = step end end
			return found
		end
		local wanted = {}
		for _, step in ipairs (steps) do wanted[whole (step.beat * TICKS)] = step end
		for _, p in ipairs (points) do
			local tick = whole (p.beat * TICKS)
			if p.beat > steps[1].beat and not wanted[tick] then wanted[tick] = step_at (p.beat) end
		end
		local order = {}
		for tick in pairs (wanted) do order[#order + 1] = tick end
		table.sort (order)
		local tm = Temporal.TempoMap.write_copy and Temporal.TempoMap.write_copy () or Temporal.TempoMap.fetch_writable ()
		local fine, problem = pcall (function ()
			for _, tick in ipairs (order) do
				local step, at = wanted[tick], Temporal.timepos_t.from_ticks (tick)
				tm:set_meter (Temporal.Meter (step.num, step.den), at)
				tm:set_tempo (Temporal.Tempo (step.bpm, step.bpm, 4), at)
			end
		end)
		if fine then
			Session:begin_reversible_command ("CueBridge tempo")
			Temporal.TempoMap.update (tm)
			if not Session:abort_empty_reversible_command () then Session:commit_reversible_command (nil) end
		else
			Temporal.TempoMap.abort_update ()
		end
		tm = nil
		collectgarbage ()
		scan_at = -100
		return fine, fine and "" or tostring (problem)
	end

	local function fields (line)
		local cells = {}
		for cell in (line .. "\t"):gmatch ("(.-)\t") do cells[#cells + 1] = cell end
		return cells
	end

	local function read_job (path)
		local file = io.open (path, "rb")
		if not file then return nil, "the print file cannot be read (is the bridge on another computer?)" end
		local text = file:read ("*a")
		file:close ()
		local job, count, complete = nil, 0, false
		for line in text:gmatch ("([^\n]*)\n") do
			local cells = fields (line)
			local kind = cells[1]
			if count == 0 then
				if line ~= "cuebridge-print\t1" then return nil, "this is no print file of this version" end
			elseif kind == "job" then
				job = { name = cells[2], start_beat = tonumber (cells[5]), end_beat = tonumber (cells[6]), parts = {} }
			elseif kind == "part" then
				job.parts[#job.parts + 1] = { part = cells[2], name = cells[3], notes = {}, controls = {} }
			elseif kind == "note" then
				local notes = job.parts[#job.parts].notes
				notes[#notes + 1] = { tonumber (cells[2]), tonumber (cells[3]), tonumber (cells[4]), tonumber (cells[5]), tonumber (cells[6]) }
			elseif kind == "control" then
				local controls = job.parts[#job.parts].controls
				controls[#controls + 1] = { tonumber (cells[2]), tonumber (cells[3]), tonumber (cells[4]), tonumber (cells[5]) }
			elseif kind == "end" then
				complete = tonumber (cells[2]) == count
			end
			count = count + 1
		end
		if not job or not complete then return nil, "the print file is not whole" end
		return job
	end

	local function track_of (part)
		for route in Session:get_tracks ():iter () do
			local name = route:name ():lower ()
			if name == part or name == "cuebridge " .. part then
				local track = route:to_track ()
				local midi = track:isnil () and track or track:to_midi_track ()
				if not midi:isnil () then return midi end
			end
		end
		local made = Session:new_midi_track (ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1), ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1),
			true, ARDOUR.PluginInfo (), nil, nil, 1, part, ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false, false)
		for route in made:iter () do return route:to_track ():to_midi_track () end
	end

	handlers["/daw/do/print"] = function (path)
		local job, problem = read_job (path)
		if not job then return false, problem end
		if Session:transport_rolling () then return false, "stop the transport first: Ardour makes new MIDI items only when stopped" end
		local start, finish = position_of_beat (job.start_beat), position_of_beat (job.end_beat)
		local items, notes, kept = {}, 0, 0
		for _, part in ipairs (job.parts) do
			local track = track_of (part.part)
			if not track or track:isnil () then return false, "no track for " .. part.part end
			-- A bounce of a stretch gives an own source with a region; its notes are then ours alone.
			local region = track:bounce_range (start:samples (), finish:samples (), ARDOUR.InterThreadInfo (), track:main_outs (), false, part.name, false)
			if not region or region:isnil () then return false, "Ardour made no MIDI item on " .. part.part end
			local midi = region:to_midiregion ()
			local model = midi:midi_source (0):model ()
			local command = model:new_note_diff_command ("CueBridge print")
			for note in ARDOUR.LuaAPI.note_list (model):iter () do command:remove (note) end
			for _, n in ipairs (part.notes) do
				command:add (ARDOUR.LuaAPI.new_noteptr (n[5] - 1, beats_object (n[1] - job.start_beat), beats_object (n[2]), n[3], n[4]))
				notes = notes + 1
			end
			if model.apply_command then model:apply_command (Session, command)
			else model:apply_diff_command_as_commit (Session, command) end
			for n in ARDOUR.LuaAPI.note_list (model):iter () do kept = kept + 1 end
			for _, c in ipairs (part.controls) do
				local control = midi:control (Evoral.Parameter (ARDOUR.AutomationType.MidiCCAutomation, c[4] - 1, c[2]), true)
				control:list ():add (Temporal.timepos_t.from_ticks (whole ((c[1] - job.start_beat) * TICKS)), c[3], false, false)
				control = nil
			end
			items[#items + 1] = { playlist = track:playlist (), region = region }
		end
		Session:begin_reversible_command ("CueBridge print " .. job.name)
		for _, item in ipairs (items) do
			item.playlist:to_stateful ():clear_changes ()
			item.playlist:add_region (item.region, start, 1.0, false)
			Session:add_stateful_diff_command (item.playlist:to_statefuldestructible ())
		end
		if not Session:abort_empty_reversible_command () then Session:commit_reversible_command (nil) end
		items = nil
		collectgarbage ()
		row ("do_print", "Track.bounce_range", WORKS)
		return kept == notes, string.format ("%d notes in %d items", kept, #job.parts)
	end

	local function session_file () return Session:path () .. "/cuebridge-session.txt" end

	handlers["/daw/do/session"] = function (path)
		local file = io.open (session_file (), "wb")
		if not file then return false, "the session folder cannot be written" end
		file:write (path, "\n")
		file:close ()
		session_key = path
		return true, ""
	end

	-- What an address needs, for the list of what works.
	local wants = {
		["/daw/do/marker"] = "do_marker", ["/daw/do/unmark"] = "do_marker", ["/daw/do/tempo"] = "do_tempo",
		["/daw/do/print"] = "do_print", ["/daw/do/session"] = "do_session",
	}

	---------------------------------------------------------------------------------------- what works of Ardour
	-- Reads what can be read and makes what leaves no trace; what would change the session is looked up only.
	local function try_host ()
		local function try (feature, call, act, ...)
			row (feature, call, WORKS)
			guard (feature, call, act, ...)
		end
		local function there (feature, call, find)
			row (feature, call, WORKS)
			guard (feature, call, function ()
				if not find () then error ("this Ardour does not have it", 0) end
			end)
		end
		try ("transport", "Session.transport_sample", function () return Session:transport_sample () + 0 end)
		try ("transport", "Session.nominal_sample_rate", function () return Session:nominal_sample_rate () + 0 end)
		try ("transport", "Session.transport_rolling", function () return Session:transport_rolling () end)
		try ("transport", "TempoMap.quarters_per_minute_at", function ()
			local tm, at = Temporal.TempoMap.read (), Temporal.timepos_t (0)
			return tm:quarters_per_minute_at (at) + tm:meter_at (at):divisions_per_bar ()
		end)
		try ("recording", "Session.actively_recording", function () return Session:actively_recording () end)
		try ("latency", "Session.worst_output_latency", function () return Session:worst_output_latency () + Session:get_block_size () end)
		try ("loop", "Session.get_play_loop", function () return Session:get_play_loop () end)
		try ("loop", "auto_loop_location", scan_loop)
		try ("timecode", "Session.timecode_frames_per_second", scan_timecode)
		try ("tempomap", "TempoMap.bbt_at", function () return Temporal.TempoMap.read ():bbt_at (Temporal.timepos_t (0)).bars end)
		try ("tempomap", "TempoMap.sample_at", function () return Temporal.TempoMap.read ():sample_at (Temporal.timepos_t.from_ticks (0)) end)
		try ("markers", "Locations", scan_locations)
		try ("regions", "Location.is_range_marker", scan_locations)
		try ("do_tempo", "Temporal.Tempo", function () return Temporal.Tempo (120, 120, 4), Temporal.Meter (4, 4) end)
		there ("do_tempo", "TempoMap.write_copy or fetch_writable", function () return Temporal.TempoMap.write_copy or Temporal.TempoMap.fetch_writable end)
		there ("do_tempo", "TempoMap.update", function () return Temporal.TempoMap.update end)
		there ("do_marker", "Locations.add_range", function () return Session:locations ().add_range end)
		there ("do_marker", "Locations.remove", function () return Session:locations ().remove end)
		if Editor then
			there ("do_marker", "Editor.add_location_mark or mouse_add_new_marker", function () return Editor.add_location_mark or Editor.mouse_add_new_marker end)
		else
			row ("window", "Editor", NOT_TRIED, "Ardour runs without its window: markers are ranges of one sample")
		end
		try ("do_print", "LuaAPI.new_noteptr", function () return ARDOUR.LuaAPI.new_noteptr (0, beats_object (0), beats_object (1), 60, 64) end)
		there ("do_print", "Session.new_midi_track", function () return Session.new_midi_track end)
		there ("do_print", "Session.get_tracks", function () return Session.get_tracks and Session:get_tracks () end)
		row ("do_print", "Track.bounce_range", NOT_TRIED, "tried with the first print")
		there ("undo", "Session.begin_reversible_command", function () return Session.begin_reversible_command and Session.abort_empty_reversible_command end)
		try ("session", "Session.path", function () return Session:path () .. "" end)
		collectgarbage ()
	end

	local function host_version ()
		return (ARDOUR.user_config_directory (-1):match ("[Aa]rdour(%d+)[/\\]*$")) or ""
	end

	---------------------------------------------------------------------------------------- the conversation
	local function take (line, at)
		heard = at
		local cells = fields (line)
		local address = table.remove (cells, 1)
		if address == "/daw/welcome" then
			done = {}   -- another bridge counts its requests from the beginning
			for _, list in pairs (lists) do list.got, list.sent, list.next = false, -100, 0 end
			last_key, scan_at = "", -100
			if session_key and session_key ~= "" then send ("/daw/session", "s", session_key) end
		elseif address == "/daw/who" then
			hello_at = -100
		elseif address == "/daw/error" then
			-- An older bridge does without the list of what works.
			if cells[1] == "/daw/capabilities" and lists.capabilities then lists.capabilities.got = true end
		elseif address == "/daw/got" then
			local list = lists[cells[1]]
			if list and tonumber (cells[2]) == list.revision then list.got = true end
		elseif handlers[address] then
			local request = whole (tonumber (table.remove (cells, 1)) or 0)
			local answer = done[request]
			if not answer then
				for index, cell in ipairs (cells) do
					-- Texts are texts by their place: only these two messages have numbers throughout or at ends.
					if address == "/daw/do/marker" and index == 3 or address == "/daw/do/print" or address == "/daw/do/session" then cells[index] = cell
					else cells[index] = tonumber (cell) end
				end
				local fine, ok, text = pcall (handlers[address], table.unpack (cells))
				if not fine then row (wants[address], address, NOT_TRIED, "failed: " .. reason (ok)) end
				answer = { fine and ok, fine and text or reason (ok) }
				done[request] = answer
			end
			send ("/daw/ack", "iis", request, answer[1] and 1 or 0, tostring (answer[2] or ""))
		end
	end

	local function read_mailbox (at)
		local file = mailbox and io.open (mailbox, "rb")
		if not file then return end
		file:seek ("set", mailbox_at)
		local text = file:read ("*a")
		file:close ()
		local last = text and text:match (".*()\n")
		if not last then return end
		mailbox_at = mailbox_at + last
		for line in text:sub (1, last):gmatch ("([^\n]*)\n") do take (line, at) end
	end

	local function make_mailbox ()
		local name = ARDOUR.user_config_directory (-1) .. "/cuebridge-" .. tostring (ARDOUR.LuaAPI.monotonic_time ()) .. ".mailbox"
		local file = io.open (name, "wb")
		if not file then return end
		file:write ("cuebridge-mailbox\t1\n")
		file:close ()
		mailbox, mailbox_at = name, 20
	end

	local tried, version = false, ""

	local function abilities ()
		local found = {}
		for _, name in ipairs (OFFERED) do
			if works (name) then found[#found + 1] = name end
		end
		return table.concat (found, " ")
	end

	local function tick ()
		if not Session then return end
		local at = now ()
		if not tried then
			tried = true
			guard ("conversation", "self-test", try_host)
			version = guard ("version", "user_config_directory", host_version) or ""
		end
		if not mailbox then
			guard ("conversation", "mailbox", make_mailbox)
			guard ("session", "Session.path", function ()
				local file = io.open (session_file (), "rb")
				if file then
					session_key = file:read ("*l") or ""
					file:close ()
				end
			end)
		end
		guard ("conversation", "mailbox", read_mailbox, at)
		if heard and at - heard > QUIET_AFTER then heard = nil end
		if (not heard and at - hello_at >= HELLO_EVERY) or hello_at < -50 then
			hello_at = at
			send ("/daw/hello", "ssiissss", "ardour", VERSION, PROTOCOL, 0, version, mailbox or "", abilities (), _VERSION)
		end
		if heard then
			guard ("conversation", "lists", send_rest, at)
			guard ("transport", "Session", send_state, at)
		end
	end

	local function bye ()
		if mailbox then os.remove (mailbox) end -- first: who hears the goodbye finds nothing left behind
		if heard then send ("/daw/bye", "") end
		heard, mailbox = nil, nil
	end

	-- Ardour tells a hook neither that it is removed nor that the session closes: it drops the hook's Lua, and then this.
	local alive = setmetatable ({}, { __gc = function () pcall (bye) end })

	return function (signal)
		if signal == "bye" then return alive and bye () end
		guard ("conversation", "tick", tick)   -- an error that escapes would end the hook
	end
end
