"""Printed ranges: stretches of a part that the DAW plays from its own items, so that the live part is muted there.

A range is kept in beats of the timeline, as the DAW keeps its MIDI items: a new tempo there moves both alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.document.document import Document, PrintedRange
from engine.document.takes import EVER
from engine.music import PARTS, Controller, Note


def printed_without(
    printed: Sequence[PrintedRange], parts: Iterable[str], low: float, high: float
) -> tuple[PrintedRange, ...]:
    """The ranges without [low, high) beats of these parts."""
    parts, left = set(parts), []
    for each in printed:
        if each.part not in parts or each.end_beats <= low or high <= each.start_beats:
            left.append(each)
            continue
        if each.start_beats < low:
            left.append(replace(each, end_beats=low))
        if high < each.end_beats:
            left.append(replace(each, start_beats=high))
    return tuple(left)


def printed_with(
    printed: Sequence[PrintedRange], parts: Iterable[str], low: float, high: float
) -> tuple[PrintedRange, ...]:
    """The ranges and [low, high) beats of these parts; ranges that touch become one."""
    made = list(printed)
    for part in parts:
        touching = [each for each in made if each.part == part and each.start_beats <= high and low <= each.end_beats]
        start = min([low, *(each.start_beats for each in touching)])
        end = max([high, *(each.end_beats for each in touching)])
        made = [each for each in made if each not in touching] + [PrintedRange(part, start, end)]
    return tuple(sorted(made, key=lambda each: (PARTS.index(each.part), each.start_beats)))


def ranges_s(document: Document) -> tuple[tuple[str, float, float], ...]:
    """(part, from, to) of each printed range in picture seconds, by part and time."""
    seconds_at, starts_s = document.result.tempo_map.seconds_at, document.result.starts_s
    return tuple(
        (each.part, seconds_at(each.start_beats) - starts_s, seconds_at(each.end_beats) - starts_s)
        for each in document.printed
    )


def muted(
    notes: tuple[Note, ...], controllers: tuple[Controller, ...], printed: Sequence[PrintedRange]
) -> tuple[tuple[Note, ...], tuple[Controller, ...]]:
    """Notes and curves without those of printed ranges.

    A note belongs to the range it begins in, as in a print.  Where a range ends, each curve of the part is set to the
    value it has reached by then: the notes after it would otherwise sound with the value from before it.
    """
    if not printed:
        return notes, controllers
    by_part: dict[str, list[PrintedRange]] = {}
    for each in printed:
        by_part.setdefault(each.part, []).append(each)

    def end_of(part: str, beats: float) -> float | None:
        for each in by_part.get(part, ()):
            if each.start_beats <= beats < each.end_beats:
                return each.end_beats
        return None

    left = tuple(note for note in notes if end_of(note.part, note.start_beats) is None)
    curves: list[Controller] = []
    last: dict[tuple[str, int, int, float], Controller] = {}
    for control in sorted(controllers, key=lambda control: control.time_beats):
        end = end_of(control.part, control.time_beats)
        if end is None:
            curves.append(control)
        else:
            last[control.part, control.channel, control.number, end] = control
    there = {(control.part, control.channel, control.number, control.time_beats) for control in curves}
    curves += [
        replace(control, time_beats=end)
        for (part, channel, number, end), control in last.items()
        if end < EVER and (part, channel, number, end) not in there
    ]
    return left, tuple(sorted(curves, key=lambda control: control.time_beats))
