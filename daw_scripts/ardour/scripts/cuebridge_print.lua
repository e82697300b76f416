ardour {
	["type"]    = "EditorAction",
	name        = "CueBridge print",
	author      = "The CueBridge developers",
	license     = "MIT",
	description = [[Asks the CueBridge bridge to write its present take into tracks: over the selected range, or over the cue where nothing is selected. The CueBridge hook has to be active.]],
}

function factory ()
	return function ()
		local osc = ARDOUR.LuaOSC.Address ("osc.udp://127.0.0.1:9317")
		local range, rate = Editor:get_selection ().time, Session:nominal_sample_rate ()
		local from, to = range:start_sample () / rate, range:end_sample () / rate
		if to > from then osc:send ("/daw/print", "sdd", "selection", from, to)
		else osc:send ("/daw/print", "sdd", "cue", 0, 0) end
	end
end
