-- Runs cuebridge.lua without Ardour's windows:  ardour7-lua headless.lua FOLDER NAME PORT [STOPFILE]
-- Opens (or makes) the session FOLDER/NAME on the JACK server, ticks 20 times a second, ends when STOPFILE appears.
-- The window's hook ticks at transport signals, too; a loop has no signals, so it looks for their causes every 5 ms.
local folder, name, port, stopfile = arg[1], arg[2], arg[3] or "9317", arg[4]
local here = debug.getinfo (1, "S").source:match ("^@?(.*[/\\])") or "./"

local engine = AudioEngine
if os.getenv ("CUEBRIDGE_BACKEND") then
	assert (engine:set_backend (os.getenv ("CUEBRIDGE_BACKEND"), "cuebridge-ardour", ""), "no such audio backend")
end

local file = io.open (folder .. "/" .. name .. ".ardour", "r")
local made
if file then
	file:close ()
	made = load_session (folder, name)
else
	made = create_session (folder, name, 48000)
end
assert (made, "the session could not be opened")

function ardour () end          -- the description is for Ardour's script manager
local command_file = stopfile and stopfile .. ".do"
dofile (os.getenv ("CUEBRIDGE_SCRIPT") or here .. "scripts/cuebridge.lua")
local tick = factory { port = port, host = "127.0.0.1" }

local function exists (path)
	local f = path and io.open (path, "r")
	if f then f:close () end
	return f ~= nil
end

-- Play, stop, record or a jump: what the window's signals tell.
local before = {}
local function something_happened ()
	local at, sample = ARDOUR.LuaAPI.monotonic_time () / 1e6, Session:transport_sample ()
	local rolling, recording = Session:transport_rolling (), Session:actively_recording ()
	local expected = before.sample and before.sample + (before.rolling and (at - before.at) * Session:nominal_sample_rate () or 0)
	local happened = rolling ~= before.rolling or recording ~= before.recording or expected == nil
		or math.abs (sample - expected) > 0.05 * Session:nominal_sample_rate ()
	before = { at = at, sample = sample, rolling = rolling, recording = recording }
	return happened
end

io.write ("ready\n")
io.flush ()
local LOOK_US, LOOKS_A_TICK, looks = 5000, 10, 0
while not exists (stopfile) do
	looks = looks + 1
	if something_happened () or looks >= LOOKS_A_TICK then
		tick ()
		looks = 0
	end
	-- What a person does at Ardour's transport: lines of Lua, for tests.
	if exists (command_file) then
		local f = io.open (command_file, "r")
		local text = f:read ("*a")
		f:close ()
		os.remove (command_file)
		local act, problem = load (text)
		if act then
			local fine, what = pcall (act)
			if not fine then io.write ("error ", tostring (what), "\n") end
		else
			io.write ("error ", problem, "\n")
		end
		io.flush ()
	end
	ARDOUR.LuaAPI.usleep (LOOK_US)
end
tick ("bye")
Session:save_state ("")
close_session ()
quit ()
