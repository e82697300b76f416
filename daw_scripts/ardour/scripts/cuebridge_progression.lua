ardour {
	["type"]    = "EditorAction",
	name        = "CueBridge progression",
	author      = "The CueBridge developers",
	license     = "MIT",
	description = [[Asks for a chord progression and gives it to the CueBridge bridge: C Am F G, or Cm:2 Ab:1, or | Cm | Ab | Eb Bb/D |]],
}

function factory ()
	return function ()
		local answer = LuaDialog.Dialog ("CueBridge progression", {
			{ type = "entry", key = "chords", title = "Chords", default = "C Am F G" },
			{ type = "dropdown", key = "mode", title = "Then", values = { ["go on from there"] = "start", ["repeat it"] = "loop", ["exactly this"] = "exact" }, default = "go on from there" },
		}):run ()
		if not answer then return end
		local osc = ARDOUR.LuaOSC.Address ("osc.udp://127.0.0.1:9317")
		osc:send ("/cue/progression/mode", "s", answer["mode"])
		osc:send ("/cue/progression", "s", answer["chords"])
	end
end
