"""Another film while one plays, by OSC over UDP and with a real decoder: its music plays, and the first comes back."""

import pytest
from livelab import Live, composed_notes, short_film


def until_film(live, name):
    ready = ("stopped", "playing")
    return live.wait(lambda line: line.get("film") == name and line["whole"] and line["state"] in ready, name)


@pytest.mark.slow
def test_another_film_by_osc_and_back(tmp_path, monkeypatch):
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    one, two = short_film(home / "one.mp4", 8.0), short_film(other / "two.mp4", 5.0)
    monkeypatch.chdir(home)
    with Live(one, home, "--midi-api", "none", "--osc-folder", str(other)) as live:
        live.ready()
        live.send("/cue/progression", "F#m B7")
        live.wait(lambda line: line.get("chord") == "F#m" and line.get("whole"), "the new chords")
        assert live.send("/cue/take/keep", "dusk").params == ["dusk"]
        live.send("/cue/play")
        live.wait(lambda line: line.get("picture_s", 0) > 1.5, "play")
        for wrong in ("/etc/hostname", str(other / "none.mp4")):
            assert live.send("/cue/film/load", wrong).address == "/cue/error"
        assert live.send("/cue/film/load", str(two)).params[0] == str(two)
        status = until_film(live, "two.mp4")
        there = live.next_answer()
        assert there.address == "/cue/film/load" and there.params[0] == str(two) and there.params[1] >= 0.0
        assert status["composed_to_s"] <= 5.1 and status["undo"] == "" and not status["take_kept"]
        assert "F#m" not in (status["chord"], status["next_chord"])
        live.send("/cue/play")
        live.wait(lambda line: line.get("picture_s", 0) > 2.0, "play of the second")
        assert live.last("status")["film"] == "two.mp4"
        # Where the first lies is no allowed folder, but the person at the machine has named it.
        assert live.send("/cue/film/load", str(one)).params[0] == str(one)
        status = until_film(live, "one.mp4")
        assert status["picture_s"] < 1.0 and status["chord"] == "F#m", status  # it stands at its beginning
        assert status["take_kept"] and status["take_name"] == "dusk"
        live.send("/cue/play")
        live.wait(lambda line: line.get("picture_s", 0) > 1.0, "play of the first")
        assert live.quit() == 0
    assert not [line for line in live.errors if "Traceback" in line]
    played = {path.name: composed_notes(path) for path in home.glob("*-live*.mid")}
    assert set(played) == {"one-live.mid", "two-live.mid", "one-live-2.mid"}, played.keys()
    sounding = [{pitch % 12 for _, pitch, _, channel in played[name] if channel == 1} for name in ("one-live.mid",)]
    assert {6, 9, 1} <= sounding[0]  # F#m
