"""A two-hour film: an edit near its end acts at once, and the music is the same in the end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bridge.session.plan import Plan
from engine.arrange import film_levels
from engine.arrange.rhythm import build_grid
from engine.arrange.score import Score, arrange_whole, build_score
from engine.document import Document, Result
from engine.document.takes import KeptRange
from engine.music import PARTS, Chord, Film, FrameRate, Slot, TempoMap
from engine.process.messages import FilmAnalysed

TEMPO = TempoMap.constant(90)
SECONDS = 1800.0
NAMES = ("C", "Am", "F", "G", "Dm7", "E7")


@pytest.fixture(scope="module")
def slots():
    made = []
    for place in build_grid("beats", TEMPO, SECONDS):
        chord = Chord.parse(NAMES[place.index // 4 % len(NAMES)])
        made.append(
            Slot(
                place.index, place.start_s, place.end_s, place.start_beats, place.end_beats, chord,
                density=4 + place.index % 17, loudness=0.05 + place.index % 7 / 30,
            )
        )  # fmt: skip
    return tuple(made)


def score(slots, document: Document) -> Score:
    film = FilmAnalysed(1, Film("f.mp4", SECONDS, FrameRate.parse("24")), (), "quick", "", (0.0,) * 5 + (1.0,), ())
    document = Document(settings=document.settings, result=Result(slots=slots, tempo_map=TEMPO, complete=True))
    return build_score(document, film.film, film.cuts, film_levels(slots))


def run(plan: Plan, position, loads: list, turns: int = 100_000) -> None:
    for _ in range(turns):
        loads.extend(plan.work(0.02, position))
        if not plan.busy:
            return
    raise AssertionError("it never ends")


@pytest.mark.slow
def test_an_edit_near_the_end_comes_first_where_it_is_due(slots) -> None:
    plan, loads = Plan(), []
    plan.update(score(slots, Document()), None)
    run(plan, None, loads)
    assert all(len(load.notes) < 2500 for load in loads)  # in slices
    takeover = slots[-200].start_beats
    loads.clear()
    changed = score(slots, Document().with_value("/cue/activity", 90.0))
    plan._block_s = 0.01
    plan.update(changed, takeover)
    for _ in range(3):  # some hundredths of a second, not the seconds that all of it takes
        loads.extend(plan.work(0.05, takeover - 1))
        if loads:
            break
    assert loads and loads[0].from_beats == pytest.approx(takeover)
    due = [note for note in loads[0].notes if takeover <= note.start_beats < takeover + 16]
    whole = arrange_whole(changed).notes
    expected = [note for note in whole if takeover <= note.start_beats < takeover + 16 and note.part != "melody"]
    shape = lambda notes: sorted((n.start_beats, n.channel) for n in notes if n.part in ("arp", "bass"))  # noqa: E731
    assert shape(due) == shape(expected)
    run(plan, takeover + 4, loads)
    assert [later.from_beats for _, later in pairwise(loads)] == sorted(
        later.from_beats for _, later in pairwise(loads)
    )
    loads.clear()
    run(plan, None, loads)  # stopped: now the player gets all of it, as it is arranged from the beginning
    key = lambda notes: sorted(notes, key=lambda n: (n.start_beats, n.channel, n.pitch))  # noqa: E731
    assert key(plan.notes) == key(whole)
    held: list = []
    for load in loads:
        held = [note for note in held if note.start_beats < load.from_beats - 1e-6]
        held += [note for note in load.notes if note.start_beats >= load.from_beats - 1e-6]
    assert not loads or key(held) == key(whole)


def test_of_locked_music_a_takeover_hands_over_what_comes_there_and_not_all_before(slots) -> None:
    """All parts are locked from the beginning; what is arranged before its turn holds no more than its own stretch."""
    plan, loads, slots = Plan(), [], slots[:700]
    plan.update(score(slots, Document()), None)
    run(plan, None, loads)
    blocks, end = plan.blocks, slots[-1].end_beats
    locks = tuple(
        KeptRange(
            0.0,
            end,
            tuple(note for block in blocks for note in block.notes if note.part == part),
            tuple(each for block in blocks for each in block.controllers if each.part == part),
            part=part,
        )
        for part in PARTS
    )
    most, total = max(len(load.controllers) for load in loads), sum(len(lock.controllers) for lock in locks)
    assert total > 5 * most
    loads.clear()
    plan._block_s = 0.01
    takeover = slots[-100].start_beats
    plan.update(replace(score(slots, Document().with_value("/cue/swing", 60.0)), kept=locks), takeover)
    run(plan, takeover - 1, loads)
    assert loads and max(len(load.controllers) for load in loads) <= 2 * most
    assert min(each.time_beats for each in loads[0].controllers) > takeover - 64
