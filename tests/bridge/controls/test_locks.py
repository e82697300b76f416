"""Locked parts: not a note of them changes, whatever is composed or set, and no pitch sounds twice at once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from offlinelab import OfflineStage
from profiles import examples
from sessionlab import Engine

from bridge.session.file.autosave import saved_state
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.document.file.reading import decode_session
from engine.document.file.writing import SessionWriter
from engine.music import PARTS


def made(clock) -> OfflineStage:
    stage = OfflineStage(clock, Engine(24.0), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
    stage.ready()
    return stage


@pytest.fixture
def ready(clock):
    stage = made(clock)
    yield stage
    stage.close()


def music(stage):
    """What the player has: the plan's own notes and curves, in order."""
    stage.ready()
    whole = stage.session.whole()[1]
    notes = sorted(whole.notes, key=lambda note: (note.start_beats, note.part, note.pitch))
    return notes, sorted(whole.controllers, key=lambda each: (each.time_beats, each.part, each.number))


def held(stage, part: str, low_s: float, high_s: float) -> str:
    notes, curves = music(stage)
    low, high = 2 * low_s, 2 * high_s
    return repr(
        (
            [note for note in notes if note.part == part and low <= note.start_beats < high],
            [each for each in curves if each.part == part and low <= each.time_beats < high],
        )
    )


EDITS = st.sampled_from(
    [
        ("/cue/take/new",), ("/cue/mood/dark_light", -70.0), ("/cue/swing", 66.0), ("/cue/activity", 90.0),
        ("/cue/chords/pin", "F#maj7", 9.0), ("/cue/transpose", 3), ("/cue/part/arp/pattern", "up"),
        ("/cue/chords/rewrite", 6.0, 14.0), ("/cue/key", "B minor"), ("/cue/dynamics", 10.0),
        ("/cue/part/bass/high", 60),
        ("/cue/sections/add", 10.0, "parts=pad"), ("/cue/hits/add", 11.0, "must"), ("/cue/looseness", 20.0),
    ]
)  # fmt: skip


@examples(8, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    part=st.sampled_from(PARTS),
    span=st.tuples(st.integers(0, 80), st.integers(4, 40)),
    edits=st.lists(EDITS, min_size=1, max_size=4),
)
def test_no_note_of_a_lock_changes_and_no_pitch_sounds_twice(clock, part, span, edits) -> None:
    stage = made(clock)
    try:
        low_s = span[0] / 4
        high_s = min(low_s + span[1] / 4, 24.0)
        before = music(stage)
        kept = held(stage, part, low_s, high_s)
        stage.osc("/cue/lock", part, low_s, high_s)
        assert music(stage) == before  # locking changes nothing
        for edit in edits:
            stage.osc(*edit)
        assert held(stage, part, low_s, high_s) == kept
        rows: dict[int, list] = {}
        for note in music(stage)[0]:
            if note.part == part:
                rows.setdefault(note.pitch, []).append(note)
        near = [
            (first, second)
            for row in rows.values()
            for first, second in pairwise(row)
            if any(2 * low_s <= each.start_beats < 2 * high_s for each in (first, second))
        ]
        crossing = [pair for pair in near if not all(2 * low_s <= each.start_beats < 2 * high_s for each in pair)]
        assert all(first.end_beats <= second.start_beats + 1e-6 for first, second in crossing)
        for _ in range(stage.session.history.undo_count):
            stage.osc("/cue/undo")
        assert music(stage) == before
    finally:
        stage.close()


def test_what_is_not_locked_is_free(ready) -> None:
    before = music(ready)[0]
    ready.osc("/cue/lock", "bass", 4.0, 12.0)
    ready.osc("/cue/take/new")
    after = music(ready)[0]
    for part, low, high, same in (
        ("bass", 8.0, 24.0, True), ("bass", 24.0, 48.0, False), ("bass", 0.0, 8.0, False), ("pad", 8.0, 24.0, False),
    ):  # fmt: skip
        old, new = (
            [note for note in notes if note.part == part and low <= note.start_beats < high]
            for notes in (before, after)
        )
        assert (old == new) == same, (part, low)
    assert ready.osc("/cue/locks") == ("bass", 4.0, 12.0, True)


def test_a_piece_of_a_lock_is_let_go(ready) -> None:
    ready.osc("/cue/lock", "all", 4.0, 12.0)
    ready.osc("/cue/unlock", "pad", 6.0, 8.0)
    locks = ready.osc("/cue/locks")
    rows = [locks[at : at + 3] for at in range(0, len(locks), 4)]
    assert [row for row in rows if row[0] == "pad"] == [("pad", 4.0, 6.0), ("pad", 8.0, 12.0)]
    assert len(rows) == 6
    kept = held(ready, "pad", 8.0, 12.0)
    ready.osc("/cue/lock", "pad", 7.0, 9.0)
    ready.osc("/cue/take/new")
    assert held(ready, "pad", 8.0, 12.0) == kept
    with pytest.raises(AssertionError):
        ready.osc("/cue/unlock", "drums", 14.0, 16.0)
    assert "nothing of drums is locked there" in ready.refused[-1][2]


@pytest.mark.parametrize("edit", [("/cue/out", 20.0), ("/cue/tempo", 60.0), ("/cue/tempo", 240.0), ("/cue/bar_1", 3.3)])
@pytest.mark.parametrize("before", [(), (("/cue/cues/add", 8.68),), (("/cue/picture_starts_at", "00:00:10:00"),)])
def test_all_of_a_lock_is_let_go_wherever_the_music_ends_now(ready, before, edit) -> None:
    for each in before:
        ready.osc(*each)
    ready.ready()
    ready.osc("/cue/lock", "all")
    ready.osc(*edit)
    ready.ready()
    ready.osc("/cue/unlock", "pad")
    assert ready.session.document.locks and "pad" not in {each.part for each in ready.session.document.locks}
    ready.osc("/cue/unlock")
    assert ready.session.document.locks == ()


def test_a_lock_waits_for_its_tempo(ready) -> None:
    kept = held(ready, "bass", 4.0, 12.0)
    ready.osc("/cue/lock", "bass", 4.0, 12.0)
    ready.osc("/cue/tempo", 90.0)
    assert ready.osc("/cue/locks")[-1] is False
    ready.osc("/cue/tempo", 120.0)
    assert ready.osc("/cue/locks")[-1] is True and held(ready, "bass", 4.0, 12.0) == kept


def test_a_piece_of_a_lock_that_waits_goes_on_waiting(ready) -> None:
    ready.osc("/cue/lock", "bass", 4.0, 12.0)
    ready.osc("/cue/tempo", 90.0)
    ready.osc("/cue/unlock", "bass", 9.0, 10.0)
    locks = ready.osc("/cue/locks")
    assert [locks[at + 3] for at in range(0, len(locks), 4)] == [False, False]


def test_locks_are_kept_with_the_session_and_written_once(ready) -> None:
    ready.osc("/cue/lock", "melody", 4.0, 12.0)
    ready.osc("/cue/swing", 60.0)
    ready.osc("/cue/swing", 50.0)
    saved = saved_state(ready.session, "0" * 64)
    data = SessionWriter().encode(saved)
    again = decode_session(data)
    assert again.steps[-1].document.locks == ready.session.document.locks
    assert data.count(b'"start_beats"') == 1
    from engine.arrange.score import session_arrangement

    notes = session_arrangement(again)[1].notes
    assert sorted(notes, key=lambda n: (n.start_beats, n.part, n.pitch)) == music(ready)[0]
