"""A keyboard on a real JACK port: a chord that is held while the bar loops is that bar's, with its voicing."""

from __future__ import annotations

import time

from jacklab import NEEDS_JACK, Capture, Controller, JackServer
from livelab import Live, port_name, short_film, until

pytestmark = NEEDS_JACK

API = ("--midi-api", "jack-client", "--no-session")


def test_a_held_chord_is_pinned_and_heard_with_its_voicing(tmp_path):
    film = short_film(tmp_path / "short.mp4", 8.0)
    held = (50, 57, 62, 69, 77)
    # Without a form: the pad plays every chord.
    options = (*API, "--control-from", "keys", "--form", "none", "--bpm", "120")
    with JackServer(period=256), Controller("keys") as hand, Live(film, tmp_path, *options) as live:
        with Capture() as capture:
            capture.connect(port_name(live.ready()))
            live.send("/cue/capture", True)
            live.send("/cue/loop", True, 2.0, 4.0)
            live.send("/cue/locate", 2.0)
            live.send("/cue/play")
            before = until(live, "/cue/edits", lambda values: True)[2]
            until(live, "/cue/playhead", lambda values: 2.6 < values[0] < 3.2)
            hand.play(*((0x90, pitch, 90) for pitch in held))
            until(live, "/cue/edits", lambda values: values[2] == before + 1)
            hand.play(*((0x80, pitch, 0) for pitch in held))
            pins = until(live, "/cue/pins", lambda values: len(values) == 2)
            assert abs(pins[0] - 2.0) < 0.07 and str(pins[1]).startswith("Dm")
            time.sleep(4.5)  # two passes
            live.send("/cue/stop")
            time.sleep(0.3)
            struck = {
                event.data[1] for event in capture.heard() if event.data[0] == 0x90 and event.data[2]
            }  # the pad is on channel 1
            assert set(held) <= struck
            live.send("/cue/undo")
            until(live, "/cue/edits", lambda values: values[2] == before)
        assert live.quit() == 0
