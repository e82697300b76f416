"""What of a running session goes to the page's server, and when.  Runs in the session's thread.

Nothing is computed while no page is connected.  Long lists (the chords and bars of two hours) are made in slices, so
that no turn of the session waits for them.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

from bridge.page import messages as p
from bridge.session.session import Session
from bridge.session.snapshot import Snapshot, cue_list, snapshot
from engine.document import ChordBlock, Document
from engine.document.printed import ranges_s
from engine.music import Chord, Cue, Slot, TempoMap, controls
from engine.music.speech import parse_speech
from engine.process.messages import FilmAnalysed, FilmHeard

PLAYHEAD_S: Final = 0.05
VALUES_S: Final = 0.1
SLICE_S: Final = 0.003  # of a turn, for long lists
_STRETCH_S: Final = 30.0
_EVER: Final = 1e9
Values = Callable[[str, Snapshot], tuple[Any, ...]]


class Link(Protocol):
    def send(self, message: p.ToServer) -> None: ...


class PageFeed:
    """values(address, snapshot) reads an address; addresses: those that can be read."""

    def __init__(self, session: Session, link: Link, addresses: tuple[str, ...], values: Values) -> None:
        self._session, self._link = session, link
        self._addresses, self._values = addresses, values
        self.pages = 0
        self._due: int | None = None  # a server waits for all that is new
        self._playhead_s = self._values_s = 0.0
        self._sent: dict[str, tuple[Any, ...]] = {}
        self._edit = session.log.last.number
        self._film: tuple[Any, ...] = ()
        self._music: p.MusicOf | None = None
        self._mood_from: tuple[tuple[Slot, ...], FilmAnalysed | None] | None = None
        self._short_from: tuple[Any, ...] = ()
        self._lists: dict[str, tuple[p.Row, ...]] = {}
        self._chords = _Sliced("chords", self._chord_rows)
        self._bars = _Sliced("bars", self._bar_rows)

    def watching(self, message: p.Watching) -> None:
        """Pages have come or gone."""
        self.pages = message.pages
        self._due = message.fresh

    def said(self, sentence: str) -> None:
        self._link.send(p.Said(self._session.clock.now(), sentence))

    def tick(self) -> None:
        """With every turn of the session."""
        due, self._due = self._due, None
        if self.pages or due is not None:
            self._feed(hurry=due is not None)
        if due is not None:
            self._link.send(p.Fresh(due))

    def _feed(self, *, hurry: bool) -> None:
        now_s = self._session.clock.now()
        self._feed_film()
        self._feed_music()
        self._feed_lists()
        hurry |= self._feed_edit(now_s)
        if not hurry and now_s - self._playhead_s < PLAYHEAD_S:
            return
        self._playhead_s = now_s
        addresses: tuple[str, ...] = (controls.PLAYHEAD,)
        if hurry or now_s - self._values_s >= VALUES_S:
            self._values_s, addresses = now_s, self._addresses
        shot = snapshot(self._session)
        news = []
        for address in addresses:
            values = self._values(address, shot)
            if self._sent.get(address) != values:
                self._sent[address] = values
                news.append((address, _plain(values)))
        if news:
            self._link.send(p.Values(now_s, tuple(news)))

    def _feed_edit(self, now_s: float) -> bool:
        """Whether somebody has edited since the last turn: what that changed is to be seen at once."""
        last = self._session.log.last
        if last.number != self._edit:
            self._edit = last.number
            if last.number:
                self._link.send(p.Edited(now_s, last.label, last.who, last.heard_s))
            return True
        return False

    # film and music ---------------------------------------------------------------------------------------------------
    def _feed_film(self) -> None:
        session = self._session
        made_from = (session.film.path, session.analysed)
        if self._film and self._film[0] == made_from[0] and self._film[1] is made_from[1]:
            return
        self._film = made_from
        path, analysed = made_from
        if analysed is None:
            self._link.send(p.FilmOf(str(Path(path).absolute()), path.name))
            return
        film = analysed.film
        rate = film.rate.fps
        most = max(analysed.motion, default=0.0) or 1.0
        self._link.send(
            p.FilmOf(
                str(Path(path).absolute()), path.name, True, film.duration_s, (rate.numerator, rate.denominator),
                film.width, film.height, tuple(value / most for value in analysed.motion),
            )
        )  # fmt: skip

    def _feed_music(self) -> None:
        session = self._session
        result = session.document.result
        music = p.MusicOf(
            starts_s=session.starts_s,
            end_s=round(session.end_s, 3),
            complete=result.complete and session.plan.complete,
            ensembles=self._ensembles(),
            daw=session.options.follows and session.rolling,
        )
        if music != self._music:
            self._music = music
            self._link.send(music)
        analysed, before = session.analysed, self._mood_from
        if before is None or result.slots is not before[0] or analysed is not before[1]:
            self._mood_from = (result.slots, analysed)
            seen = analysed.affect if analysed is not None else ()
            rows = ((slot.start_s, slot.end_s, *_seen(slot, seen), *slot.affect) for slot in result.slots)
            self._link.send(p.MoodOf(struct.pack(f"<{14 * len(result.slots)}f", *chain.from_iterable(rows))))

    def _ensembles(self) -> tuple[tuple[float, str], ...]:
        """Who plays from which picture second on, as the cues' plans say."""
        document = self._session.document
        if not document.result.plans:
            return ()
        cues = sorted(document.cues, key=lambda cue: cue.in_s) or [Cue()]
        return tuple(
            sorted((cues[plan.cue].in_s, plan.ensemble) for plan in document.result.plans if plan.cue < len(cues))
        )

    # lists ------------------------------------------------------------------------------------------------------------
    def _feed_lists(self) -> None:
        session = self._session
        document, analysed = session.document, session.analysed
        takes = session.takes.of_cue(document.cue)
        duration_s = analysed.film.duration_s if analysed is not None else 0.0
        kept = tuple((number, take.name, take.kept, number == document.take) for number, take in takes.items())
        short_from = (
            analysed, document.hits, document.sections, document.printed, document.settings, document.other_cues,
            document.cue, document.result.tempo_map, document.result.starts_s, kept, session.film.heard,
        )  # fmt: skip
        if short_from != self._short_from:
            self._short_from = short_from
            cuts = analysed.cuts if analysed is not None else ()
            self._send("cuts", tuple((cut.time_s, cut.strength, cut.kind) for cut in cuts))
            self._send("hits", tuple((hit.time_s, hit.weight, hit.name) for hit in document.hits))
            self._send(
                "sections",
                tuple(
                    (each.start_s, "; ".join(f"{name}={text}" for name, text in each.changes), each.name, each.breath)
                    for each in document.sections
                ),
            )
            rows = enumerate(cue_list(session), start=1)
            self._send("cues", tuple((number, *row) for number, row in rows))
            self._send("takes", kept)
            self._send("printed", ranges_s(document))
            spoken = parse_speech(document.text(controls.SPEECH))
            self._send("dialogue", tuple((start_s, end_s, "speech") for start_s, end_s in spoken))
            self._send("heard", heard_rows(session.film.heard))
        result = document.result
        chords_from = (result.slots, document.pins, document.printed, document.typed, result.key, result.tempo_map)
        bars_from = (result.tempo_map, result.starts_s, duration_s)
        for each, made_from in ((self._chords, chords_from), (self._bars, bars_from)):
            made = each.work(made_from, session.clock.now, SLICE_S)
            if made is not None:
                self._send(each.name, made)

    def _send(self, name: str, rows: tuple[p.Row, ...]) -> None:
        if self._lists.get(name) != rows:
            self._lists[name] = rows
            self._link.send(p.Rows(name, rows))

    def _chord_rows(self) -> Iterator[p.Row]:
        session = self._session
        document, starts_s = session.document, session.starts_s
        tempo_map, ranges = document.result.tempo_map, ranges_s(document)
        names: dict[Chord, str] = {}  # spelling a chord looks through all that was typed
        bars = list(_bars(tempo_map, starts_s, document.result.slots[-1].end_s)) if document.result.slots else []
        for block in _blocks(document):
            name = names.get(block.chord)
            if name is None:
                name = names[block.chord] = document.chord_name(block.chord)
            beats = round(tempo_map.beats_at(block.start_s + starts_s), 6)
            bar, begins, _, unit = bars[max(bisect_right(bars, beats, key=lambda each: each[1]) - 1, 0)]
            is_printed = any(low < block.end_s and block.start_s < high for _, low, high in ranges)
            place = f"{bar}|{int((beats - begins) / unit) + 1}"
            yield block.start_s, block.end_s, beats, place, name, block.set_by, is_printed

    def _bar_rows(self) -> Iterator[p.Row]:
        session = self._session
        tempo_map, starts_s = session.document.result.tempo_map, session.starts_s
        if session.analysed is not None:
            for bar, begins, length, _ in _bars(tempo_map, starts_s, session.analysed.film.duration_s):
                yield bar, tempo_map.seconds_at(begins) - starts_s, length, tempo_map.bpm_at(begins)


def heard_rows(heard: FilmHeard | None) -> tuple[p.Row, ...]:
    """Where people speak and where there is music in the film's own sound."""
    if heard is None:
        return ()
    rows = [(start_s, end_s, "speech") for start_s, end_s in heard.speech or ()]
    rows += [(start_s, end_s, "music") for start_s, end_s in heard.music]
    return tuple(sorted(rows))


def _seen(slot: Slot, affect: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    """The picture's six weights in a slot, before any control; the slot's own where the film was not looked at anew."""
    rows = affect[int(slot.start_s) : max(math.ceil(slot.end_s - 1e-6), int(slot.start_s) + 1)]
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True)) if rows else slot.affect


def _bars(tempo_map: TempoMap, starts_s: float, end_s: float) -> Iterator[tuple[int, float, float, float]]:
    """Number, first beat, length in quarter notes and length of a beat, of each bar of the picture."""
    bar = tempo_map.bar_at(max(round(tempo_map.beats_at(starts_s), 6), -1e6))
    begins, last = float(tempo_map.bar_start(bar)), tempo_map.beats_at(end_s + starts_s)
    changes = [float(each.beat) for each in tempo_map.meters]
    while begins <= last:
        # Fractions only where the time signature changes: two hours have thousands of bars.
        meter = tempo_map.meter_at(begins)
        following = next((beat for beat in changes if beat > begins + 1e-9), _EVER)
        length, unit = float(meter.bar_beats), 4.0 / meter.denominator
        while begins <= last and begins < following - 1e-9:
            yield bar, begins, min(length, following - begins), unit
            bar, begins = bar + 1, min(begins + length, following)


def _blocks(document: Document) -> Iterator[ChordBlock]:
    """The chords in order, a stretch of the picture at a time."""
    slots = document.result.slots
    low_s = slots[0].start_s if slots else 0.0
    while slots and low_s < slots[-1].end_s - 1e-6:
        for block in document.blocks(low_s, low_s + _STRETCH_S):
            yield block
            low_s = max(block.end_s, low_s)
        if not document.blocks(low_s, low_s + _STRETCH_S):
            low_s += _STRETCH_S


class _Sliced:
    """A long list that is made a little at a time, anew when what it is made from has changed."""

    def __init__(self, name: str, rows: Callable[[], Iterator[p.Row]]) -> None:
        self.name, self._rows = name, rows
        self._from: tuple[Any, ...] | None = None
        self._making: Iterator[p.Row] | None = None
        self._made: list[p.Row] = []

    def work(self, made_from: tuple[Any, ...], now: Callable[[], float], budget_s: float) -> tuple[p.Row, ...] | None:
        """The list once it is whole; None while nothing is new or it is not whole."""
        if self._from is None or any(
            old is not new and old != new for old, new in zip(self._from, made_from, strict=True)
        ):
            self._from, self._making, self._made = made_from, self._rows(), []
        if self._making is None:
            return None
        until_s = now() + budget_s
        for number, row in enumerate(self._making):
            self._made.append(row)
            if number % 16 == 15 and now() > until_s:
                return None
        self._making = None
        return tuple(self._made)


def _plain(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers, words and switches as they are in JSON."""
    return tuple(float(value) if isinstance(value, float) else value for value in values)
