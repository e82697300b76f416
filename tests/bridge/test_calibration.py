"""How late a take is: from notes that came back, from a file, and what is kept of it."""

from __future__ import annotations

import json
import threading
import time

import platformdirs
import pytest

from bridge import calibration
from bridge.calibration import LENGTH_S, measure, place_notes
from bridge.commands import calibrate
from bridge.commands.live_options import parse
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from engine.midifile import write_events
from engine.music import TempoMap, UserError
from tests.jacklab import Capture, JackServer, open_client, why_not
from tests.livelab import CLIP


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_a, **_k: str(tmp_path / "config"))
    return tmp_path


def test_the_median_of_what_came_back_counts_and_strangers_do_not() -> None:
    placed = {note.pitch: note.start_beats for note in place_notes(10.0)}
    found = [(pitch, at + 0.0213) for pitch, at in placed.items()] + [(60, 30.0), (99, 11.5)]
    offset = measure(placed, found)
    assert (offset.ms, offset.notes, offset.nudge_ms) == (pytest.approx(21.3), 8, -21.3)
    assert offset.steady
    uneven = measure(placed, [(pitch, at + 0.01 * (pitch % 2)) for pitch, at in placed.items()])
    assert not uneven.steady
    with pytest.raises(UserError, match="3 of the 8"):
        measure(placed, found[:3])


def test_a_take_is_read_from_a_file_and_kept_for_live(own_folder, capsys) -> None:
    placed = {note.pitch: note.start_beats for note in place_notes(4.0)}
    with pytest.raises(UserError, match="no calibration notes"):
        calibrate.main(["--take", str(_take(own_folder, placed, 0.03))])
    calibration.remember_take(placed)
    take = _take(own_folder, placed, 0.03)
    assert calibrate.main(["--take", str(take), "--sync", "clock", "--take-starts-at", "4", "--keep"]) == 0
    assert "30.0 ms late (8 of 8 notes" in capsys.readouterr().out
    assert calibration.kept("CueBridge", "clock") == -30.0
    assert calibration.kept("CueBridge", "mtc") is None
    plan = parse([str(CLIP), "--sync", "clock"])
    assert (plan.player.ports.nudge_ms, plan.calibrated_ms) == ({"": -30.0}, -30.0)
    plan = parse([str(CLIP), "--sync", "clock", "--nudge", "5,pad=-10"])
    assert (plan.player.ports.nudge_ms, plan.calibrated_ms) == ({"": 5.0, "pad": -10.0}, None)
    assert parse([str(CLIP)]).player.ports.nudge_ms == {}
    for bad in ("fast", "pad=x", "horn=3", "251"):
        with pytest.raises(UserError, match="--nudge"):
            parse([str(CLIP), "--nudge", bad])


def test_a_rate_that_no_timecode_has_is_refused_before_any_port_is_opened() -> None:
    with pytest.raises(UserError, match="--frame-rate 31: timecode runs at"):
        calibrate.main(["--frame-rate", "31"])


def test_a_daw_that_plays_ahead_of_its_timecode_is_known_by_its_port() -> None:
    assert calibrate.plays_ahead((("CueBridge", "ardour:gen/midi_in 1"),))
    assert not calibrate.plays_ahead((("CueBridge", "Tape:in"), ("CueBridge Pad", "a2j:ardour")))


def _take(folder, placed, late_s):
    """The clip as a DAW would export it: it begins at 4 s of the timeline; 125 bpm is 2000 ticks a second."""
    path = folder / "take.mid"
    events = []
    for pitch, at_s in placed.items():
        start = at_s - 4.0 + late_s
        events += [(start, start, 0x90, pitch, 100, 0), (start + LENGTH_S, start + LENGTH_S, 0x80, pitch, 0, 0)]
    write_events(path, events, TempoMap.constant(125))
    return path


def test_a_damaged_file_of_values_is_no_value(own_folder) -> None:
    (own_folder / "config").mkdir()
    for text in ("[1, 2]", "{", json.dumps({"CueBridge/mtc": "x"}), json.dumps({"CueBridge/mtc": 9999})):
        (own_folder / "config" / "calibration.json").write_text(text)
        assert calibration.kept("CueBridge", "mtc") is None
    assert calibration.keep("CueBridge", "mtc", -3.0).is_file()
    assert calibration.kept("CueBridge", "mtc") == -3.0
    with pytest.raises(UserError, match="beyond"):
        calibration.keep("CueBridge", "mtc", -300.0)


@pytest.mark.jack
@pytest.mark.slow
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_a_recorder_on_jack_that_is_30_ms_late_is_measured(capsys) -> None:
    """A tape machine made of JACK ports: it sends timecode, records what comes and plays it back, 30 ms late."""
    late_s = 0.030
    ports = PortOptions("jack-client", "Tape", sync_in=False, sync_out=True, control_in=False)
    tape = PlayerOptions(ports=ports, sync=SyncOptions(send_mtc=True, frame_rate="25"))
    answer: list[int] = []
    with JackServer(period=256), PlayerLink(tape) as daw, Capture("tape") as recorder:
        run = threading.Thread(
            target=lambda: answer.append(calibrate.main(["--midi-api", "jack-client", "--keep", "--patience", "40"]))
        )
        run.start()
        wires = open_client("wires")
        try:
            _wire(wires, "Tape:Tape Clock", "CueBridge:CueBridge Sync")
            _wire(wires, "Tape:Tape", "CueBridge:CueBridge Return")
            recorder.connect("CueBridge:CueBridge")
            daw.play()
            began = daw.wait_for(lambda status: status.rolling, 5.0)
            assert began is not None
            zero_s = began.host_s - began.position_s
            end = time.monotonic() + 40
            while "Now stop" not in _said(capsys) and time.monotonic() < end:
                time.sleep(0.1)
            heard = [event for event in recorder.heard() if event.data[0] & 0xF0 == 0x90]
            assert len(heard) == 8
            daw.stop()
            daw.wait_for(lambda status: not status.rolling, 5.0)
            from engine.music import Note

            notes = [
                Note(event.data[1], event.data[2], event.host_s - zero_s + late_s, 0.1, 1, "pad") for event in heard
            ]
            daw.load_plan(1, "seconds", notes, (), -1e9)
            daw.locate(0.0)
            time.sleep(0.3)
            daw.play()
            run.join(40)
        finally:
            wires.close()
    assert answer == [0], _said(capsys)
    said = _said(capsys)
    assert "(8 of 8 notes" in said
    assert len(calibration.remembered_take()) == 8  # the same take may be read from a file too
    kept = calibration.kept("CueBridge", "mtc")
    assert kept is not None and kept == pytest.approx(-30.0, abs=8.0)  # a period, and a shared machine


_heard: list[str] = []


def _said(capsys) -> str:
    _heard.append(capsys.readouterr().out)
    return "".join(_heard)


def _wire(client, source: str, sink: str) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            client.connect(source, sink)
            return
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
