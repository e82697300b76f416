-- A stand-in for Ardour's Session and tempo map, in Ardour's own Lua (ardour7-lua) with its real OSC, without an audio
-- engine: for what needs thousands of markers, missing calls or a slow host.  The script runs in Ardour itself in
-- test_ardour.py.
-- ardour7-lua ardour_host.lua SCRIPT PORT STOPFILE "missing,names" SLOW_US MARKERS
local script, port, stop, lacking, slow, count = arg[1], arg[2], arg[3], arg[4], tonumber (arg[5]), tonumber (arg[6])
local missing, RATE, TICKS = {}, 48000, 1920
for name in lacking:gmatch ("[%w_]+") do missing[name] = true end
local began = ARDOUR.LuaAPI.monotonic_time ()

local function object (methods)
	return setmetatable ({}, { __index = function (_, name)
		if missing[name] or methods[name] == nil then return nil end
		return function (_, ...)
			if slow > 0 then ARDOUR.LuaAPI.usleep (slow) end
			return methods[name] (...)
		end
	end })
end
local function place (samples) return { samples = function () return samples end, at = samples } end
local function list_of (items)
	return object { size = function () return #items end, iter = function ()
		local index = 0
		return function ()
			index = index + 1
			return items[index]
		end
	end }
end

local marks = {}
for number = 1, count do
	local name = (number % 3 == 0 and string.rep ("ä", 900) or "mark ") .. number
	marks[number] = object {
		name = function () return name end, start = function () return place (number * 480) end,
		_end = function () return place (number * 480) end, is_mark = function () return true end,
		is_range_marker = function () return false end,
	}
end
local locations = object {
	list = function () return list_of (marks) end, auto_loop_location = function () return nil end,
	add_range = function () end, remove = function () end,
}
Session = object {
	nominal_sample_rate = function () return RATE end, transport_rolling = function () return true end,
	transport_sample = function () return (ARDOUR.LuaAPI.monotonic_time () - began) * RATE // 1000000 end,
	actively_recording = function () return false end, worst_output_latency = function () return 256 end,
	get_block_size = function () return 256 end, get_play_loop = function () return false end,
	locations = function () return locations end, current_end_sample = function () return 60 * RATE end,
	timecode_frames_per_second = function () return 24 end, timecode_drop_frames = function () return false end,
	sample_to_timecode_lua = function () return 0, 0, 0, 0 end, path = function () return os.getenv ("HOME") end,
	get_tracks = function () return list_of {} end, new_midi_track = function () end,
	begin_reversible_command = function () end, abort_empty_reversible_command = function () return true end,
}
local map = object {
	quarters_per_minute_at = function () return 120 end,
	tempo_at = function () return object { note_types_per_minute = function () return 120 end, note_type = function () return 4 end } end,
	meter_at = function () return object { divisions_per_bar = function () return 4 end, note_value = function () return 4 end } end,
	sample_at = function (at) return at.ticks / TICKS * RATE // 2 end,
	bbt_at = function (at)
		local ticks = at.ticks or 0
		return { bars = ticks // (4 * TICKS) + 1, beats = ticks // TICKS % 4 + 1, ticks = ticks % TICKS }
	end,
}
Temporal = {
	TempoMap = { read = function () return map end, fetch_writable = function () return map end, update = function () end },
	timepos_t = setmetatable ({ from_ticks = function (ticks) return { ticks = ticks } end }, { __call = function (_, s) return { ticks = s * 2 * TICKS // RATE } end }),
	Beats = function () return {} end, Tempo = function () return {} end, Meter = function () return {} end,
}
if missing.Temporal then Temporal = nil end   -- as in Ardour 6
local api = ARDOUR.LuaAPI
ARDOUR = setmetatable ({ LuaAPI = setmetatable ({ new_noteptr = function () return {} end }, { __index = api }) }, { __index = ARDOUR })

function ardour () end
dofile (script)
local tick = factory { port = port, host = "127.0.0.1" }
while true do
	local file = io.open (stop, "r")
	if file then
		file:close ()
		break
	end
	tick ()
	api.usleep (20000)
end
tick ("bye")
quit ()
