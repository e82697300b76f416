ardour {
	["type"]    = "EditorAction",
	name        = "CueBridge pin",
	author      = "The CueBridge developers",
	license     = "MIT",
	description = [[Asks for a chord and pins it where the playhead is. The CueBridge hook has to be active.]],
}

function factory ()
	return function ()
		local answer = LuaDialog.Dialog ("CueBridge pin", {
			{ type = "entry", key = "chord", title = "Chord here", default = "" },
		}):run ()
		if not answer or answer["chord"] == "" then return end
		ARDOUR.LuaOSC.Address ("osc.udp://127.0.0.1:9317"):send ("/cue/chords/pin", "s", answer["chord"])
	end
end
