ardour {
	["type"]    = "EditorAction",
	name        = "CueBridge tracks",
	author      = "The CueBridge developers",
	license     = "MIT",
	description = [[Makes the tracks pad, arp, bass, melody and drums, each listening to its own channel of CueBridge, connected and armed. Also a template for new sessions. Run it again once CueBridge is running to connect what was not there before.]]
}

function session_setup () return true end   -- listed among the templates of the New Session dialog, too

function factory ()
	return function ()
		local channels = { { "pad", 1 }, { "arp", 2 }, { "bass", 3 }, { "melody", 4 }, { "drums", 10 } }
		local midi = ARDOUR.DataType ("midi")

		local function track_of (part)
			for route in Session:get_tracks ():iter () do
				local name = route:name ():lower ()
				if name == part or name == "cuebridge " .. part then return route end
			end
			local made = Session:new_midi_track (ARDOUR.ChanCount (midi, 1), ARDOUR.ChanCount (midi, 1), true, ARDOUR.PluginInfo (),
				nil, nil, 1, part, ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false, false)
			for route in made:iter () do return route end
		end

		-- Armed first: Ardour 7.3 arms no track that is connected to another program already, and carries arming out
		-- a little later.
		for _, entry in ipairs (channels) do
			track_of (entry[1]):to_track ():rec_enable_control ():set_value (1, PBD.GroupControlDisposition.NoGroup)
		end
		ARDOUR.LuaAPI.usleep (300000)

		for _, entry in ipairs (channels) do
			local part, channel = entry[1], entry[2]
			local route = track_of (part)
			local title = "CueBridge " .. part:sub (1, 1):upper () .. part:sub (2)
			local track = route:to_track ():to_midi_track ()
			if not track:isnil () then
				track:set_capture_channel_mode (ARDOUR.ChannelMode.FilterChannels, 1 << (channel - 1))
				track:set_input_active (true)
				-- One port for all, or one port for each part: whichever is there.
				for _, name in ipairs { title .. ":" .. title, "CueBridge:" .. title, "CueBridge:CueBridge" } do
					if route:input ():nth (0):connected_to (name) or route:input ():nth (0):connect (name) == 0 then break end
				end
			end
		end
		collectgarbage ()
	end
end
