"""The plan arranged in pieces equals the whole, whatever changes; a pin moves nothing but itself."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from bridge.session.plan import Plan
from engine.arrange import film_levels
from engine.arrange.rhythm import build_grid
from engine.arrange.score import Score, arrange_whole, build_score
from engine.document import Document, Pin, Result
from engine.music import Chord, Film, FrameRate, Slot, TempoMap
from engine.process.messages import FilmAnalysed

TEMPO = TempoMap.constant(96)
NAMES = ("C", "Am", "F", "G", "Dm7", "E7", "Cmaj7", "Bdim7", "Gsus4")


def film(seconds: float) -> FilmAnalysed:
    made = Film("film.mp4", seconds, FrameRate.parse("24"))
    return FilmAnalysed(1, made, (), "quick", "test", (0.0,) * 5 + (1.0,), ())


def slots(count_s: float, seed: int = 1) -> tuple[Slot, ...]:
    rng = random.Random(seed)
    grid = build_grid("beats", TEMPO, count_s)
    chord = Chord.parse("C")
    made = []
    for place in grid:
        if rng.random() < 0.5:
            chord = Chord.parse(rng.choice(NAMES))
        made.append(
            Slot(
                place.index, place.start_s, place.end_s, place.start_beats, place.end_beats, chord,
                density=rng.uniform(2, 30), loudness=rng.uniform(0.02, 0.4),
            )
        )  # fmt: skip
    return tuple(made)


def score(made: tuple[Slot, ...], seconds: float, *, document: Document | None = None, complete: bool = True) -> Score:
    result = Result(slots=made, tempo_map=TEMPO, complete=complete)
    return build_score(
        replace(document or Document(), result=result),
        film(seconds).film,
        film(seconds).cuts,
        film_levels(slots(seconds)),
    )


class Played:
    """What the player would hold."""

    def __init__(self) -> None:
        self.notes: list = []

    def take(self, loads) -> None:
        for load in loads:
            self.notes = [note for note in self.notes if note.start_beats < load.from_beats - 1e-6]
            self.notes += [note for note in load.notes if note.start_beats >= load.from_beats - 1e-6]


def finish(plan: Plan, played: Played, position=None) -> None:
    for _ in range(1000):
        played.take(plan.work(0.005, position))
        if not plan.busy:
            break
    played.take(plan.work(0.005, position))


def key(notes):
    return sorted(notes, key=lambda note: (note.start_beats, note.channel, note.pitch))


def test_pieces_equal_the_whole() -> None:
    made = score(slots(90), 90)
    plan, played = Plan(), Played()
    plan.update(made, None)
    finish(plan, played)
    whole = key(arrange_whole(made).notes)
    assert key(plan.notes) == whole
    assert key(played.notes) == whole
    assert plan.complete


@pytest.mark.parametrize("chunk", [1, 5, 24])
def test_slots_that_arrive_one_after_the_other_give_the_same_music(chunk) -> None:
    all_slots = slots(60)
    plan, played = Plan(), Played()
    for end in range(chunk, len(all_slots) + chunk, chunk):
        plan.update(score(all_slots[:end], 60, complete=end >= len(all_slots)), None)
        finish(plan, played)
    assert key(played.notes) == key(arrange_whole(score(all_slots, 60)).notes)


@pytest.mark.parametrize("chunk", [1, 5, 24])
def test_a_change_that_arrives_piece_by_piece_waits_for_its_boundary(chunk) -> None:
    """As at the end of a loop's pass: composed anew from its beginning, heard from the next pass on."""
    old, new = slots(60, 1), slots(60, 2)
    plan, played = Plan(), Played()
    plan.update(score(old, 60), None)
    finish(plan, played)
    before = key(played.notes)
    boundary = old[30].start_beats
    for end in range(chunk, len(new) + chunk, chunk):
        plan.update(score(new[:end], 60, complete=end >= len(new)), boundary)
        for position in (10.0, 9.99):  # what is reckoned from the player's last word steps back a little
            finish(plan, played, position=position)
        here = [note for note in key(played.notes) if note.start_beats < boundary]
        assert here == [note for note in before if note.start_beats < boundary]
    whole = key(arrange_whole(score(new, 60)).notes)
    after = [note for note in key(played.notes) if note.start_beats >= boundary]
    assert after == [note for note in whole if note.start_beats >= boundary]
    played.take(plan.work(0.005, 10.0, wraps_to=0.0))
    finish(plan, played, position=10.0)
    assert key(played.notes) == whole


def test_what_is_still_composed_when_its_pass_begins_leaves_no_silence_in_it() -> None:
    """A long film's growth is handed over again from the next pass on, each time; this pass has its music, too."""
    old, new = slots(60, 1), slots(60, 2)
    plan, played = Plan(), Played()
    plan.update(score(old, 60), None)
    finish(plan, played)
    loop_end = old[-1].end_beats
    plan.update(score(new[:12], 60, complete=False), loop_end)
    finish(plan, played, position=loop_end - 2)
    played.take(plan.work(0.005, loop_end - 0.1, wraps_to=0.0))
    for count in range(16, len(new), 4):
        plan.update(score(new[:count], 60, complete=False), loop_end)
        plan.hand_over_again(loop_end)  # as `BackgroundPlan` does
        finish(plan, played, position=0.5)
        assert key(played.notes) == key(plan.notes)
    plan.update(score(new, 60), loop_end)
    finish(plan, played, position=0.5)
    assert key(played.notes) == key(arrange_whole(score(new, 60)).notes)


def test_a_change_is_heard_from_its_boundary_and_found_everywhere_later() -> None:
    old, new = slots(60, 1), slots(60, 2)
    plan, played = Plan(), Played()
    plan.update(score(old, 60), None)
    finish(plan, played)
    before = key(played.notes)
    boundary = old[24].start_beats
    plan.update(score(new, 60), boundary)
    finish(plan, played, position=10.0)
    whole = key(arrange_whole(score(new, 60)).notes)
    # While the playhead is before the boundary the old music stays there.
    assert [note for note in key(played.notes) if note.start_beats < boundary] == [
        note for note in before if note.start_beats < boundary
    ]
    assert [note for note in key(played.notes) if note.start_beats >= boundary] == [
        note for note in whole if note.start_beats >= boundary
    ]
    finish(plan, played, position=boundary + 1)
    assert key(played.notes) == whole


def test_only_what_a_change_touches_is_arranged_anew() -> None:
    made = slots(120)
    plan, played = Plan(), Played()
    plan.update(score(made, 120), None)
    finish(plan, played)
    kept = plan._blocks[:5]
    changed = (*made[:60], *slots(120, 5)[60:])
    plan.update(score(changed, 120), None)
    finish(plan, played)
    assert all(block is old for block, old in zip(plan._blocks[:5], kept, strict=True))
    assert key(played.notes) == key(arrange_whole(score(changed, 120)).notes)


@pytest.mark.parametrize("seed", range(4))
def test_one_pin_in_three_hundred_moves_no_other_note(seed) -> None:
    made = slots(300, seed)
    free = score(made, 300)
    runs = _runs(made)
    start, end = random.Random(seed).choice(runs[5:-5])
    old_chord = made[start].chord
    new_chord = next(Chord.parse(name) for name in NAMES if Chord.parse(name) not in
                     (old_chord, made[start - 1].chord, made[end].chord))  # fmt: skip
    document = Document().with_pin(Pin(made[start].start_s, made[end - 1].end_s, new_chord))
    pinned = score(made, 300, document=document)
    first, second = arrange_whole(free), arrange_whole(pinned)
    low = max(beats for beats, _ in ((made[a].start_beats, b) for a, b in runs) if beats < made[start].start_beats)
    high = min([made[b - 1].end_beats for a, b in runs if a >= end], default=1e9)
    outside = lambda notes: [n for n in key(notes) if not low <= n.start_beats < high]  # noqa: E731
    assert outside(first.notes) == outside(second.notes)
    inside = [note for note in second.notes if made[start].start_beats <= note.start_beats < made[end - 1].end_beats]
    pad = {note.pitch % 12 for note in inside if note.part == "pad"}
    assert pad and pad <= set(new_chord.pitch_classes())


def _runs(made):
    starts = [0, *(i for i in range(1, len(made)) if made[i].chord != made[i - 1].chord), len(made)]
    return list(pairwise(starts))


def test_a_pin_under_way_gives_the_same_as_from_the_beginning() -> None:
    made = slots(60)
    document = Document().with_pin(Pin(made[20].start_s, made[22].end_s, Chord.parse("F#7")))
    plan, played = Plan(), Played()
    plan.update(score(made, 60), None)
    finish(plan, played)
    plan.update(score(made, 60, document=document), made[10].start_beats)
    finish(plan, played, position=made[12].start_beats)
    assert key(played.notes) == key(arrange_whole(score(made, 60, document=document)).notes)
    plan.update(score(made, 60), made[14].start_beats)
    finish(plan, played, position=None)
    assert key(played.notes) == key(arrange_whole(score(made, 60)).notes)
