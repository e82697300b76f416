"""Chords on hits and cuts in a running session."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from engine.arrange import film_levels
from engine.arrange.rhythm import build_grid, merge_runs
from engine.arrange.score import build_score
from engine.document import Document, Pin, Result
from engine.music import Chord, Cut, Film, FrameRate, Hit, Slot, TempoMap
from engine.process.messages import FilmAnalysed

MAP = TempoMap.constant(97)
FILM = Film("f.mp4", 30.0, FrameRate(Fraction(24)))
CUTS = (1.75, 3.29, 4.71, 7.46, 9.62, 16.33, 19.62, 22.08, 25.75)
SEEN = FilmAnalysed(1, FILM, tuple(Cut(time) for time in CUTS), "quick", "", (0.0,) * 6, (0.0,) * 30)
WORDS = ("C", "Am", "F", "G7")


def document(**changes) -> Document:
    slots = tuple(
        Slot(p.index, p.start_s, p.end_s, p.start_beats, p.end_beats, Chord.parse(WORDS[p.index // 2 % 4]))
        for p in build_grid("beats", MAP, 30.0)
    )
    return replace(Document(result=Result(slots=slots, tempo_map=MAP, complete=True)), **changes)


def changes_s(made: Document) -> list[float]:
    score = build_score(made, SEEN.film, SEEN.cuts, film_levels(made.result.slots))
    return [run.start_s for run in merge_runs(score.pinned.slots)]


def near(times: list[float], wanted: float) -> bool:
    return min(abs(time - wanted) for time in times) <= 15 / 97 / 2 + 1e-6


def test_without_hits_nothing_moves() -> None:
    made = document()
    assert build_score(made, SEEN.film, SEEN.cuts, film_levels(made.result.slots)).composed.slots == made.result.slots


def test_hits_draw_chords_and_the_control_turns_it_off() -> None:
    hits = (Hit(4.71, "must"), Hit(9.62, "must"))
    assert all(near(changes_s(document(hits=hits)), hit.time_s) for hit in hits)
    off = document(hits=hits).with_value("/cue/chords_on", "off")
    assert changes_s(off) == changes_s(document())


def test_all_cuts() -> None:
    found = changes_s(document().with_value("/cue/chords_on", "all"))
    assert sum(near(found, cut) for cut in CUTS) >= len(CUTS) - 1


def test_while_slots_arrive_they_stay_where_they_are() -> None:
    made = document(hits=(Hit(4.71, "must"),))
    made = replace(made, result=replace(made.result, complete=False))
    assert changes_s(made) == changes_s(document())


def test_a_pin_moves_no_other_chord() -> None:
    made = document(hits=(Hit(4.71, "must"),))
    levels = film_levels(made.result.slots)
    before = build_score(made, SEEN.film, SEEN.cuts, levels).pinned.slots
    after = build_score(made.with_pin(Pin(14.0, 16.0, Chord.parse("Bb"))), SEEN.film, SEEN.cuts, levels).pinned.slots
    assert [(s.start_beats, s.end_beats) for s in before] == [(s.start_beats, s.end_beats) for s in after]
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed and all(slot.pinned and 13 < slot.start_s < 16 for slot in changed)
