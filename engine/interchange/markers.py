"""A list of markers as every reader gives it, and its places as seconds of the picture, exact to the frame.

A place in a file is a label of timecode (text), frames or seconds since the list's own beginning, or seconds of the
DAW's timeline.  A label means nothing without a rate and the label of the film's first frame; where the file does not
say them, the film does or the person is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from engine.music.composition import Film
from engine.music.errors import MusicError, UserError, shown
from engine.music.timecode import DROPPING, FrameRate, TimecodeClock

MAX_MARKERS: Final = 10_000
MAX_NAME: Final = 400
_NAMED_LINES: Final = 12  # of a refused file
_SNAP_S: Final = Fraction(3, 2000)  # a MIDI tick is at most this far from the frame that was meant

Place = str | int | Fraction  # a label, frames since the beginning, or seconds since the beginning


class MarkerError(UserError):
    """A marker file that is refused; names each line that cannot be read.  lines: their numbers."""

    def __init__(self, sentence: str, lines: Sequence[int] = ()) -> None:
        super().__init__("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in sentence))
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class RawMarker:
    """One marker of a file.  line: where it stands (of a .mid or project: its number).

    end: a place; or length: frames, seconds or a label as from 00:00:00:00; neither: a moment, as is what lasts no
    longer than a frame.
    kind: the marker type that the program gave, as "Chapter" in Premiere, or "".
    """

    line: int
    name: str
    start: Place
    end: Place | None = None
    colour: str = ""
    comment: str = ""
    kind: str = ""
    length: Place | None = None


@dataclass(frozen=True, slots=True)
class MarkerFile:
    """What a marker file says.

    rate: as the file states it, None: it does not.  drop: the file says that its labels drop frames (True), that they
    do not (False), or neither.  start: label of its beginning, or seconds since 00:00:00:00 where the file counts
    frames without labels; "" where it does not say.  on_timeline: places are
    seconds of the DAW's timeline.  notes: sentences on what was left out and why.
    """

    source: str
    markers: tuple[RawMarker, ...]
    rate: FrameRate | None = None
    drop: bool | None = None
    start: str | Fraction = ""
    on_timeline: bool = False
    notes: tuple[str, ...] = ()

    @property
    def counts_frames(self) -> bool:
        """Whether its places mean something only at a frame rate."""
        return any(not isinstance(each.start, Fraction) for each in self.markers)


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker at its picture second, which is exact.  end_s None: a moment.  inside: it lies in the film."""

    line: int
    name: str
    start_s: Fraction
    end_s: Fraction | None = None
    colour: str = ""
    comment: str = ""
    kind: str = ""
    inside: bool = True


@dataclass(frozen=True, slots=True)
class MarkerList:
    """Markers of a film in order of time.  reading: how rate and beginning were understood, as a sentence."""

    source: str
    markers: tuple[Marker, ...]
    rate: FrameRate
    reading: str
    notes: tuple[str, ...] = ()


class Refusals:
    """Collects what is wrong with the lines of a file; `check` raises if anything was."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, why: str) -> None:
        self._found.append((line, why))

    def __bool__(self) -> bool:
        return bool(self._found)

    def check(self) -> None:
        """Raises MarkerError where a line was refused."""
        if not self._found:
            return
        words = "; ".join(f"line {line}: {why.rstrip('.')}" for line, why in self._found[:_NAMED_LINES])
        rest = [line for line, _ in self._found[_NAMED_LINES:]]
        more = f"; and lines {', '.join(map(str, rest))}" if rest else ""
        raise MarkerError(
            f"{shown(self._name)} is refused and nothing was taken from it: {words}{more}.",
            [line for line, _ in self._found],
        )


def once(markers: Iterable[RawMarker]) -> tuple[tuple[RawMarker, ...], tuple[str, ...]]:
    """The markers without those that linked clips repeat (picture and sound of one take), and a sentence on them."""
    kept: dict[RawMarker, RawMarker] = {}
    count = 0
    for marker in markers:
        count += 1
        kept.setdefault(replace(marker, line=0), marker)
    left_out = count - len(kept)
    notes = (f"{counted(left_out, 'marker')} that linked clips repeat: taken once.",) if left_out else ()
    return tuple(kept.values()), notes


def hidden_note(count: int) -> tuple[str, ...]:
    """The sentence on markers of clips that the timeline does not show."""
    return (f"{counted(count, 'marker')} on trimmed-off ends of clips left out.",) if count else ()


def counted(number: int, what: str) -> str:
    """`1 marker`, `3 markers`."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def check_count(count: int, name: str) -> None:
    """Raises MarkerError where a file has more markers than anything can be made of."""
    if count > MAX_MARKERS:
        raise MarkerError(f"{shown(name)} has more than {MAX_MARKERS:,} markers.")


def clean(text: str) -> str:
    """A name as it can be shown and kept: no control characters, single spaces, at most MAX_NAME characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:MAX_NAME]


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: with a ' before it where it would be one, and before those that
    have a ' there themselves, so that `unguarded` gives back what was written."""
    return f"'{cell}" if _guards(cell) else cell


def unguarded(cell: str) -> str:
    """A cell without the ' that keeps spreadsheets from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and _guards(cell) else cell


def _guards(cell: str) -> bool:
    return cell.lstrip("'")[:1] in ("=", "+", "-", "@")


def resolve(
    file: MarkerFile,
    film: Film,
    *,
    rate: FrameRate | None = None,
    start: str | None = None,
    timeline_starts_s: float | None = 0.0,
) -> MarkerList:
    """The markers at their picture seconds.

    rate, start: frame rate of the labels and label of the film's first frame, as a person states them.
    timeline_starts_s: timeline second of the first frame, None: not known.  Raises MarkerError for labels that the rate
    does not have, and with a question where the beginning cannot be told.
    """
    clock, how = _clock(file, film, rate)
    if file.on_timeline:
        if timeline_starts_s is None:
            raise MarkerError(
                f"{shown(file.source)} counts from the DAW's bar 1: say in seconds where the picture starts there "
                "(--picture-starts-at)."
            )
        placed = [(each, *_seconds_of(each, clock, Fraction(0))) for each in file.markers]
        begin = Fraction(timeline_starts_s).limit_denominator(1_000_000)
        reading = f"places count from the timeline's beginning; the picture starts there at {timeline_starts_s:g} s."
        return _list(file, film, clock, placed, begin, reading)
    refused = Refusals(file.source)
    placed = []
    counts_labels = file.start != "" or any(isinstance(each.start, str) for each in file.markers)
    origin_s = _start_seconds(file.start, clock, file.source)
    for each in file.markers:
        try:
            placed.append((each, *_seconds_of(each, clock, origin_s)))
        except MusicError as error:
            plain = clock.rate.drop and file.drop is None and rate is None and ";" not in str(each.start)
            hint = f" (--markers-rate {float(clock.rate.fps):.2f}, if the list drops no frames)" if plain else ""
            refused.add(each.line, str(error).rstrip(".") + hint)
    refused.check()
    if not counts_labels and start is None:
        return _list(file, film, clock, placed, Fraction(0), f"places count from the list's first frame{how}.")
    begin, why = _beginning(file, film, clock, [a for _, a, _ in placed], start, origin_s)
    shown_start = clock.label_at(begin)
    return _list(file, film, clock, placed, begin, f"the first frame of the film is {shown_start} ({why}){how}.")


def _clock(file: MarkerFile, film: Film, asked: FrameRate | None) -> tuple[TimecodeClock, str]:
    """The clock of the file's labels, counting from 00:00:00:00, and how its rate is known."""
    known = film.clock.rate
    rate = asked or file.rate or known
    who = "as asked" if asked else "as the file says" if file.rate else "the film's"
    semicolons = any(isinstance(each.start, str) and ";" in each.start for each in file.markers)
    drop = semicolons or bool(file.drop) or (rate.drop and (file.drop is None or asked is not None))
    if asked is None and file.drop is None and rate.fps == known.fps:
        drop = drop or known.drop  # a list that says neither counts as its film does
    fps = rate.fps
    if drop and not asked and not file.rate and fps not in DROPPING:
        raise MarkerError(
            f"{shown(file.source)} has drop-frame labels, which a film at {known} frames a second has not: say the "
            "rate of the list (--markers-rate 29.97)."
        )
    try:
        clock = TimecodeClock(FrameRate(fps, drop))
    except MusicError as error:
        raise MarkerError(f"{shown(file.source)}: {error}") from None
    # A list that counts in another rate than the film keeps its own seconds; that is said, since it is often a mistake.
    other = abs(float(fps / known.fps) - 1) > 1e-4 and file.counts_frames
    warn = f"; the film runs at {known}" if other else ""
    return clock, f", at {clock.rate} frames a second ({who}{warn})" if file.counts_frames else ""


def _seconds_of(raw: RawMarker, clock: TimecodeClock, origin_s: Fraction) -> tuple[Fraction, Fraction | None]:
    """Seconds since label 00:00:00:00, or since the beginning where there are no labels."""

    def of(place: Place) -> Fraction:
        if isinstance(place, str):
            return clock.seconds_at(place)
        if isinstance(place, int):
            return Fraction(place) / clock.rate.fps + origin_s
        return place + origin_s

    start_s = of(raw.start)
    end_s = None if raw.end is None else of(raw.end)
    if end_s is None and raw.length:
        end_s = start_s + (of(raw.length) - (0 if isinstance(raw.length, str) else origin_s))
    if end_s is not None and end_s < start_s:
        raise MusicError("it ends before it begins.")
    return start_s, None if end_s is None or end_s - start_s <= 1 / clock.rate.fps else end_s


def _start_seconds(start: str | Fraction, clock: TimecodeClock, source: str) -> Fraction:
    if isinstance(start, Fraction):
        return start
    try:
        return clock.seconds_at(start) if start else Fraction(0)
    except MusicError as error:
        raise MarkerError(f"{shown(source)}: the start timecode cannot be read: {error}") from None


def _beginning(
    file: MarkerFile,
    film: Film,
    clock: TimecodeClock,
    starts: Sequence[Fraction],
    asked: str | None,
    list_begins_s: Fraction,
) -> tuple[Fraction, str]:
    """Seconds of the film's first frame since label 00:00:00:00, and who says so.

    The first of film, list and zero under which every marker lies in the film; but where only the list or zero does so
    and the film's own timecode fits some of the markers, nobody can know which is meant.  Where none does, the film's
    or the list's word stands if it fits at least half of them: slates lie before a film, notes after its end.
    """
    if asked is not None:
        try:
            return clock.seconds_at(asked), "as asked"
        except MusicError as error:
            raise MarkerError(f"--markers-start: {error}") from None
    own_s = _own_beginning(film, clock)
    candidates: list[tuple[Fraction, str]] = [] if own_s is None else [(own_s, "as the film says")]
    if file.start != "":
        candidates.append((list_begins_s, "as the list says"))
    stated = len(candidates)
    candidates.append((Fraction(0), "labels count from zero"))
    frame_s = 1 / clock.rate.fps
    end_s = Fraction(film.duration_s).limit_denominator(1_000_000) + frame_s
    fits = [sum(-frame_s / 2 <= at - begin <= end_s for at in starts) for begin, _ in candidates]
    whole = next((index for index, count in enumerate(fits) if count == len(starts)), None)
    first, last = clock.label_at(min(starts)), clock.label_at(max(starts))
    if whole is not None:
        if whole == 0 or own_s is None or not fits[0]:
            return candidates[whole]
        here, there = clock.label_at(own_s), clock.label_at(candidates[whole][0])
        who = "the list begins" if whole < stated else "labels count from"
        raise MarkerError(
            f"{shown(file.source)} runs from {first} to {last}; the film begins at {here} and {who} at {there}: say "
            f"the timecode of the film's first frame (--markers-start {here})."
        )
    for (begin, why), count in zip(candidates[:stated], fits, strict=False):
        if 2 * count >= len(starts):
            return begin, why
    hour = f"{str(first).partition(':')[0]}:00:00:00"  # what the label of a first frame usually is
    raise MarkerError(
        f"{shown(file.source)} runs from {first} to {last}, the film from {film.timecode_at(0.0)} for "
        f"{film.duration_s:.1f} s: say the timecode of the film's first frame (--markers-start {hour})."
    )


def _own_beginning(film: Film, clock: TimecodeClock) -> Fraction | None:
    """Where the film's own timecode begins, on the list's clock; None: it has none, or a label that clock has not."""
    own = film.start_timecode
    if own is None:
        return None
    if own.rate == clock.rate:
        return own.seconds
    try:  # another rate, or one that drops no labels: the label is what both show
        return clock.seconds_at(str(own).replace(";", ":"))
    except MusicError:
        return None


def _list(
    file: MarkerFile,
    film: Film,
    clock: TimecodeClock,
    placed: Iterable[tuple[RawMarker, Fraction, Fraction | None]],
    begin: Fraction,
    reading: str,
) -> MarkerList:
    end_s = Fraction(film.duration_s).limit_denominator(1_000_000)
    rate = film.clock.rate if file.on_timeline else clock.rate
    made = []
    for raw, start_s, until_s in placed:
        at_s, out_s = start_s - begin, None if until_s is None else until_s - begin
        if file.on_timeline:  # ticks are not frames
            at_s, out_s = _snapped(at_s, rate), None if out_s is None else _snapped(out_s, rate)
        inside = -1 / rate.fps / 2 <= at_s < end_s
        if out_s is not None and out_s > end_s:
            out_s = end_s
        made.append(
            Marker(raw.line, raw.name, max(at_s, Fraction(0)) if inside else at_s, out_s, raw.colour, raw.comment,
                   raw.kind, inside)
        )  # fmt: skip
    made.sort(key=lambda each: (each.start_s, each.line))
    return MarkerList(file.source, tuple(made), rate, reading, file.notes)


def _snapped(seconds: Fraction, rate: FrameRate) -> Fraction:
    """The beginning of a frame that is as near as a tick of MIDI can miss it, else the place itself."""
    frames = round(seconds * rate.fps)
    frame_s = Fraction(frames) / rate.fps
    return frame_s if abs(frame_s - seconds) <= _SNAP_S else seconds


def finite_fraction(text: str) -> Fraction:
    """A decimal number of seconds, exact.  Raises ValueError."""
    value = float(text)
    if not math.isfinite(value) or not 0 <= value <= 360_000:
        raise ValueError(text)
    return Fraction(text.strip())
