"""Conducts and performs: session, OSC, transport and MIDI ports.  Never imports torch, cv2 or open_clip."""
