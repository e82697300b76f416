"""What of a session the player and the clocks follow: set by OSC, undone, kept."""

from __future__ import annotations

import pytest

from bridge.session.edits.values import set_value
from bridge.session.output import named_ranges
from bridge.session.snapshot import snapshot
from engine.arrange.score import arrange_whole
from engine.music import Controller
from engine.music.arguments import ControlError


def test_shifts_sync_and_rate_reach_the_player_and_are_undone(stage) -> None:
    session = stage(12.0).session
    session.edit(set_value, "/cue/nudge", -20.0)
    session.edit(set_value, "/cue/part/bass/nudge", 15.0)
    session.edit(set_value, "/cue/hold_on_sync_loss", 3.0)
    session.edit(set_value, "/cue/frame_rate", "25")
    assert session.player._memory._nudges[""] == -0.02 and session.player._memory._nudges["bass"] == 0.015
    assert session.player.sync.freewheel_s == 3.0 and session.player.sync.frame_rate == "25"
    for _ in range(4):
        session.undo()
    assert session.player._memory._nudges[""] == 0 and session.player._memory._nudges["bass"] == 0
    assert session.player.sync.freewheel_s == 0.5 and session.player.sync.frame_rate is None


def test_the_frame_rate_set_by_hand_counts_the_project_and_not_the_film(stage) -> None:
    made = stage(12.0)
    session = made.session
    session.locate(3.5)
    made.run(0.1)
    assert snapshot(session).clock.film_timecode == snapshot(session).clock.daw_timecode == "00:00:03:12"
    session.edit(set_value, "/cue/frame_rate", "30")
    assert (
        snapshot(session).clock.film_timecode == "00:00:03:12" and snapshot(session).clock.daw_timecode == "00:00:03:15"
    )
    session.edit(set_value, "/cue/frame_rate", "film")  # back to the film's own, which the player is told as none
    assert snapshot(session).clock.daw_timecode == "00:00:03:12" and session.player.sync.frame_rate is None


def test_the_pictures_start_is_a_label_of_the_projects_clock(stage) -> None:
    made = stage(12.0)
    session = made.session
    session.edit(set_value, "/cue/picture_starts_at", "01:00:00:00")
    made.ready()
    assert session.starts_s == 3600.0

    def at_picture_0() -> str:
        session.locate(0.0)
        made.until(lambda: abs(session.position_s()) < 1e-6)
        return snapshot(session).clock.daw_timecode

    assert at_picture_0() == "01:00:00:00"
    for rate, starts_s, shown in (
        ("29.97", 3603.6, "01:00:00:00"), ("29.97df", 3599.9964, "01:00:00;00"), ("23.976", 3603.6, "01:00:00:00"),
        ("25", 3600.0, "01:00:00:00"), ("50", 3600.0, "01:00:00:00"),
    ):  # fmt: skip
        session.edit(set_value, "/cue/frame_rate", rate)
        made.ready()
        assert session.starts_s == pytest.approx(starts_s) and at_picture_0() == shown, rate
    session.edit(set_value, "/cue/picture_starts_at", "01:00:00:48")
    with pytest.raises(ControlError, match="out of range"):
        session.edit(set_value, "/cue/frame_rate", "25")


def test_ports_are_opened_anew_only_while_nothing_plays(real_stage) -> None:
    made = real_stage(12.0)
    session = made.session
    session.play()
    made.until(lambda: session.rolling)
    with pytest.raises(ControlError, match="stop first"):
        session.edit(set_value, "/cue/ports/layout", "per-part")
    session.stop()
    made.until(lambda: not session.rolling)
    before = session.player.pid
    session.edit(set_value, "/cue/ports/layout", "per-part")
    made.until(lambda: session.player.pid not in (None, before) and session.player.alive)
    made.until(lambda: any("reopened" in line for line in made.said))
    session.play()
    made.until(lambda: session.position_s() > 0.5)
    made.run(0.1)
    assert session.recorder.heard


def test_curves_growth_and_span_are_arranged(stage) -> None:
    session = stage(12.0).session

    def curves(number) -> list[Controller]:
        return [each for each in arrange_whole(session.score()).controllers if each.number == number]

    assert {each.value for each in curves(11)} == {100}
    session.edit(set_value, "/cue/cc11", "curve")
    assert len({each.value for each in curves(11)}) > 1
    session.edit(set_value, "/cue/cc11", "off")
    session.edit(set_value, "/cue/cc1", False)
    assert not curves(11) and not curves(1)
    session.edit(set_value, "/cue/pattern", "up")
    narrow = [note.pitch for note in arrange_whole(session.score()).notes if note.part == "arp"]
    session.edit(set_value, "/cue/arp_octaves", 2)
    wide = [note.pitch for note in arrange_whole(session.score()).notes if note.part == "arp"]
    assert max(wide) > max(narrow)


def test_pitches_are_named_from_the_middle_c_that_was_chosen(stage) -> None:
    session = stage(4.0).session
    assert named_ranges(session.document)[0][1:3] == (48, "C3")
    session.edit(set_value, "/cue/middle_c", "C3")
    assert named_ranges(session.document)[0][1:3] == (48, "C2")


def test_each_pass_of_a_loop_may_have_a_new_take(stage) -> None:
    made = stage(16.0)
    session = made.session
    session.edit(set_value, "/cue/take/repeat", "new")
    session.loop(True, 4.0, 6.0)
    session.locate(4.0)
    session.play()
    made.until(lambda: session.document.take == 3, 15)
    made.run(1.5)
    session.stop()
    made.run(0.1)
    assert len(session.takes.of_cue(0)) >= 3
