"""A click on every cut: where the cuts are, on the stated channel, and nowhere in what is kept or exported."""

from __future__ import annotations

import pytest

from bridge.session.click import LENGTH_S, Click
from bridge.session.file.export import export_midi
from engine.music import TempoMap

CUTS_S = (3.0, 7.5, 12.0)  # of sessionlab's film


def clicks(session, channel: int = 10, pitch: int = 76):
    status = 0x90 | channel - 1
    return [event for event in session.recorder.events if (event.status, event.data1) == (status, pitch)]


def test_every_cut_clicks_on_its_frame_whatever_the_tempo(stage) -> None:
    made = stage(14.0, play=True, once=True, click=10)
    session = made.session
    made.until(lambda: session.position_s() > 0.5)
    session.use_daw_map(TempoMap.constant(97), "a test")  # cuts are picture time: a tempo moves none
    made.until(lambda: session.finished, 25)
    made.run(0.1)
    assert [event.position_s for event in clicks(session)] == pytest.approx(CUTS_S, abs=0.002)
    offs = [event for event in session.recorder.events if (event.status, event.data1) == (0x89, 76)]
    assert [event.position_s for event in offs] == pytest.approx([cut + LENGTH_S for cut in CUTS_S], abs=0.01)


def test_it_is_switched_while_the_film_plays_and_stays_out_of_files(stage, tmp_path) -> None:
    made = stage(14.0)
    session = made.session
    before = export_midi(session, tmp_path / "before.mid")
    session.play()
    made.until(lambda: session.position_s() > 1.0)
    session.set_click(Click(True, 5, 60))
    made.until(lambda: session.position_s() > 3.5)
    assert [event.position_s for event in clicks(session, 5, 60)] == pytest.approx([3.0], abs=0.002)
    session.set_click(Click(False, 5, 60))
    made.until(lambda: session.position_s() > 8.0)
    session.set_click(Click(True, 5, 60))
    made.until(lambda: session.position_s() > 8.5)
    session.locate(6.5)  # what lies behind the switch is there too
    made.run(0.3)
    made.until(lambda: session.position_s() > 8.0)
    session.stop()
    made.run(0.1)
    assert [event.position_s for event in clicks(session, 5, 60)] == pytest.approx([3.0, 7.5], abs=0.002)
    assert export_midi(session, tmp_path / "after.mid") == before
    assert session.history.undo_count == 0


def test_the_music_is_the_same_with_clicks_and_without(stage) -> None:
    heard = []
    for channel in (0, 10):
        made = stage(9.0, play=True, once=True, click=channel)
        made.until(lambda made=made: made.session.finished, 15)
        made.run(0.1)
        ons = [event for event in made.session.recorder.events if event.status & 0xF0 == 0x90]
        heard.append([(round(event.position_s, 3), event.data1, event.data2) for event in ons
                      if (event.status, event.data1) != (0x99, 76)])  # fmt: skip
    assert heard[0] == heard[1]
