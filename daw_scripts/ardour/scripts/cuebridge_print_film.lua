ardour {
	["type"]    = "EditorAction",
	name        = "CueBridge print film",
	author      = "The CueBridge developers",
	license     = "MIT",
	description = [[Asks the CueBridge bridge to write its present take of the whole film into tracks. The CueBridge hook has to be active.]],
}

function factory ()
	return function ()
		ARDOUR.LuaOSC.Address ("osc.udp://127.0.0.1:9317"):send ("/daw/print", "sdd", "film", 0, 0)
	end
end
