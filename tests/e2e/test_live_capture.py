"""A keyboard on a real JACK port: a chord that is held while the bar loops is that bar's, with its voicing."""

from __future__ import annotations

import time

from jacklab import NEEDS_JACK, Capture, Controller, JackServer
from livelab import Live, port_name, short_film, until

from engine.music.note import DEFAULT_CHANNELS

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


def test_a_held_bass_note_is_a_pedal_and_a_phrase_is_the_theme(tmp_path):
    film = short_film(tmp_path / "short.mp4", 12.0)
    options = (
        *API, "--control-from", "keys", "--form", "montage", "--ensemble", "piano", "--bpm", "120", "--key", "C",
    )  # fmt: skip
    with JackServer(period=256), Controller("keys") as hand, Live(film, tmp_path, *options) as live:
        with Capture() as capture:
            capture.connect(port_name(live.ready()))
            live.send("/cue/capture", True)
            live.send("/cue/loop", True, 2.0, 6.0)
            live.send("/cue/locate", 2.0)
            live.send("/cue/play")
            before = until(live, "/cue/edits", lambda values: True)[2]
            until(live, "/cue/playhead", lambda values: 2.4 < values[0] < 5.0)
            hand.play((0x90, 38, 90))  # D, held by itself
            until(live, "/cue/edits", lambda values: values[2] == before + 1)
            hand.play((0x80, 38, 0))
            pins = until(live, "/cue/pins", lambda values: len(values) >= 2)
            assert all(1.9 < at_s < 6.0 for at_s in pins[::2])
            assert all(name.endswith("/D") or name.startswith("D") for name in pins[1::2]), pins
            live.send("/cue/undo")
            until(live, "/cue/edits", lambda values: values[2] == before)
            live.send("/cue/stop")
            live.send("/cue/loop", False)
            until(live, "/cue/playhead", lambda values: not values[5])
            for pitch in (60, 67, 65, 64, 62):  # one after the other, then a rest
                hand.play((0x90, pitch, 90))
                time.sleep(0.45)
                hand.play((0x80, pitch, 0))
                time.sleep(0.05)
            until(live, "/cue/edits", lambda values: values[2] == before + 1)
            theme = until(live, "/cue/theme", lambda values: bool(values[0]))[0]
            degrees = [word.partition(":")[0] for word in theme.replace("|", " ").split() if word[0] != "R"]
            assert degrees == ["1", "5", "4", "3", "2"], theme
            until(live, "/cue/progress", lambda values: values[1] >= 1)
            stated = until(live, "/cue/theme/statements", lambda values: len(values) >= 4)
            time.sleep(1.0)  # the notes are arranged
            already = len(capture.heard())
            live.send("/cue/locate", max(stated[0] - 0.2, 0.0))
            live.send("/cue/play")
            until(live, "/cue/playhead", lambda values: values[0] > stated[0] + 3.0)
            live.send("/cue/stop")
            time.sleep(0.3)
            melody = 0x90 | (DEFAULT_CHANNELS["melody"] - 1)
            played = [each.data[1] for each in capture.heard()[already:] if each.data[0] == melody and each.data[2]]
            assert [pitch % 12 for pitch in played[:5]] == [0, 7, 5, 4, 2], played
        assert live.quit() == 0
