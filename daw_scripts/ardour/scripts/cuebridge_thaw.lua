ardour {
	["type"]    = "EditorAction",
	name        = "CueBridge thaw",
	author      = "The CueBridge developers",
	license     = "MIT",
	description = [[Lets CueBridge play again what was printed: over the selected range, or over the cue where nothing is selected. The printed regions stay: mute or delete them.]],
}

function factory ()
	return function ()
		local osc = ARDOUR.LuaOSC.Address ("osc.udp://127.0.0.1:9317")
		local range, rate = Editor:get_selection ().time, Session:nominal_sample_rate ()
		local from, to = range:start_sample () / rate, range:end_sample () / rate
		if to > from then osc:send ("/daw/thaw", "sdd", "selection", from, to)
		else osc:send ("/daw/thaw", "sdd", "cue", 0, 0) end
	end
end
