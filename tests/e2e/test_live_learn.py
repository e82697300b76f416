"""MIDI learn with a real controller: another JACK client whose messages reach the control port of a running `live`."""

import json
import time

import pytest
from jacklab import NEEDS_JACK, Capture, Controller, JackServer, still_sounding
from livelab import Live, port_name, short_film, until

pytestmark = NEEDS_JACK

API = ("--midi-api", "jack-client", "--no-session")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def film(home):
    return short_film(home / "short.mp4", 8.0)


def test_faders_pads_and_pedals_are_learned_and_kept(home, film):
    with JackServer(period=256), Controller("nano") as hand:
        with Live(film, home, *API, "--control-from", "nano") as live, Capture() as capture:
            ready = live.ready()
            capture.connect(port_name(ready))
            assert "Control" in ready["control_port"]
            live.send("/cue/loop", True, 0.0, 6.0)
            live.send("/cue/play")
            # The foot-switch, before anything is learned: a tap is a new take, a hold keeps it.
            before = until(live, "/cue/take", lambda values: True)[0]
            hand.play((0xB0, 64, 127))
            time.sleep(0.1)
            hand.play((0xB0, 64, 0))
            until(live, "/cue/take", lambda values: values[0] == before + 1)
            live.ready()
            hand.play((0xB0, 64, 127))
            until(live, "/cue/take", lambda values: values[2])
            hand.play((0xB0, 64, 0))

            # A fader, jumping; then a pad with its chords.
            live.send("/cue/learn/pickup", False)
            answer = live.send("/cue/learn", "/cue/swing")
            assert answer.address == "/cue/learn"
            assert until(live, "/cue/learn/waiting", lambda values: True)[0] == "/cue/swing"
            hand.play((0xB3, 21, 5))
            until(live, "/cue/learn/list", lambda values: "CC 21 on channel 4" in values)
            hand.play(*((0xB3, 21, value) for value in range(128)))
            until(live, "/cue/swing", lambda values: values[0] == 75.0)
            live.send("/cue/learn", "/cue/progression", "F#:1 B:1")
            hand.play((0x99, 36, 100))
            until(live, "/cue/learn/list", lambda values: "F#:1 B:1" in values)
            hand.play((0x89, 36, 0), (0x99, 36, 100))
            until(live, "/cue/progression", lambda values: values[0] == "F#:1 B:1")
            live.send("/cue/learn", "/cue/part/bass/on")
            hand.play((0xC0, 7))
            until(live, "/cue/learn/list", lambda values: "program 7 on channel 1" in values)
            hand.play((0xC0, 7))
            until(live, "/cue/part/bass/on", lambda values: values[0] is False)

            # Thousands of messages cost the music nothing that hangs.
            hand.play(*((0xB5, 1 + number % 60, number % 128) for number in range(20_000)))
            time.sleep(1.0)
            assert live.send("/cue/ping") is not None
            assert live.send("/cue/learn/forget", "/cue/nothing").address == "/cue/error"
            assert live.send("/cue/learn/forget", "/cue/swing").address == "/cue/learn/forget"
            assert "/cue/swing" in list(live.send("/cue/learn/undo").params)
            live.send("/cue/stop")
            time.sleep(0.4)
            assert still_sounding([event.data for event in capture.heard()]) == []
            assert live.quit() == 0
        kept = json.loads(next(home.rglob("midi-learn.json")).read_text())
        assert not kept["pickup"] and len(kept["bindings"]) == 5
        # The next run knows it, without being told.
        with Live(film, home, *API, "--control-from", "nano") as live:
            live.ready()
            hand.play((0xB3, 21, 0), (0xB3, 21, 64))
            until(live, "/cue/swing", lambda values: 62.0 < values[0] < 63.5)
            assert live.quit() == 0


def test_a_controller_that_is_not_there_is_said_and_nothing_is_lost(home, film):
    with JackServer(period=1024), Live(film, home, *API, "--control-from", "no such thing") as live:
        live.ready()
        assert live.quit() == 0
        assert any("no MIDI input has 'no such thing' in its name" in line for line in live.errors)
