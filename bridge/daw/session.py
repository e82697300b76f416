"""What the script of a DAW does to the session: its transport, tempo, names of regions, and what it asks to print."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from bridge.daw.link import DawEvents, DawInfo, DawLink, MarkerWish, NamedMark, Outgoing, PrintJob, PrintPart
from bridge.osc.server import Datagram
from bridge.session.edits import chords, cues, marks, printed
from bridge.session.edits.marks import SAME_S, parse_changes
from bridge.session.edits.values import set_value
from bridge.session.options import channels
from bridge.session.pieces import in_pieces
from bridge.session.session import Session
from bridge.transport.state import TransportObservation
from engine.document import CueState, Document
from engine.music import (
    PARTS,
    Chord,
    FrameRate,
    Hit,
    MusicError,
    TempoMap,
    Timecode,
    TimeSignature,
    UserError,
    controls,
)
from engine.music.composition import HIT_WEIGHTS

TICK_S: Final = 0.1
NAMES_S: Final = 0.005  # processor time of one turn for what names say: many of them must hold nothing else up
DONE: Final = object()


class DawBridge(DawEvents):
    """Wires a `DawLink` to a session; use it from the session's thread only."""

    def __init__(self, session: Session, send: Callable[[Sequence[Outgoing]], None], version: str) -> None:
        self._session = session
        self._send = send
        self.link = DawLink(self, version=version)
        self._next_tick_s = 0.0
        self._map_known = False
        self._last_bpm: float | None = None
        self._printing: dict[int, PrintJob] = {}
        self._waiting: list[NamedMark] = []
        self._refused: set[NamedMark] = set()
        self._gone: list[NamedMark] = []
        self._coming: tuple[NamedMark, ...] = ()
        self._doing: Iterator[bool] | None = None  # what is half done of them
        self._due: deque[tuple[Callable[..., None], tuple[NamedMark, ...]]] = deque()
        self._heard: tuple[DawInfo, TransportObservation] | None = None  # the transport in force, as it was heard last

    # in -------------------------------------------------------------------------------------------------------------
    _stored: str | None = None  # the session file that the project was told

    def datagram(self, datagram: Datagram) -> None:
        for message in datagram.messages:
            self._send(self.link.handle_osc(message.address, message.arguments, datagram.sender, datagram.host_s))

    def tick(self, host_s: float) -> None:
        if host_s >= self._next_tick_s:
            self._next_tick_s = host_s + TICK_S
            self._send(self.link.tick(host_s))
        self._names_due()

    def close(self) -> None:
        self.link.close()

    # what scripts say ------------------------------------------------------------------------------------------------
    def hello(self, daw: DawInfo) -> None:
        self.note(f"{daw.daw} {daw.host_version}".strip() + " is connected.")

    def bye(self, daw: DawInfo, reason: str) -> None:
        self.note(f"{daw.daw} is gone." if reason == "bye" else f"nothing was heard of {daw.daw} for some seconds.")
        if self._heard is not None and self._heard[0].sender == daw.sender and self._session.rolling:
            # Its transport stands from now on: sounding notes end at once, not when the loss of sync is noticed.
            at_s = self._session.position_s() + self._session.starts_s
            stands = replace(self._heard[1], host_s=time.perf_counter(), rolling=False, recording=False)
            self._session.player.observe(replace(stands, position_s=at_s, position_beats=None))
            self._heard = None

    def transport(self, daw: DawInfo, observation: TransportObservation) -> None:
        self._heard = (daw, observation)
        self._session.player.observe(observation)
        bpm, beats, position_s = observation.bpm, observation.position_beats, observation.position_s
        if self._map_known or not self._session.options.follows or bpm is None or beats is None or position_s is None:
            return
        # Without its map the DAW's tempo here and now is taken for the whole of it, once it is said twice.
        if bpm == self._last_bpm and not self._agrees(bpm, beats, position_s):
            meter = TimeSignature(*observation.meter) if observation.meter is not None else TimeSignature()
            self._use(TempoMap.constant(round(bpm, 6), meter, round(position_s - beats * 60 / bpm, 9)), daw.daw)
        self._last_bpm = bpm

    def _agrees(self, bpm: float, beats: float, position_s: float) -> bool:
        tempo_map = self._session.tempo_map
        return abs(tempo_map.bpm_at(beats) - bpm) < 0.005 and abs(tempo_map.seconds_at(beats) - position_s) < 0.005

    def tempo_map(self, daw: DawInfo, tempo_map: TempoMap) -> None:
        self._map_known = True
        self._use(tempo_map, daw.daw)

    def _use(self, tempo_map: TempoMap, who: str) -> None:
        self._session.use_daw_map(tempo_map, who)

    def timecode(self, daw: DawInfo, rate: FrameRate, start: Timecode | None) -> None:
        self._session.daw_rate = rate
        self._session.daw_starts_at = start
        film = self._session.analysed.film if self._session.analysed is not None else None
        if film is not None and film.clock.rate.fps != rate.fps:
            self.note(f"{daw.daw} counts {rate} frames a second, the film has {film.rate}; seconds are kept.")

    def names(self, daw: DawInfo, marks: tuple[NamedMark, ...]) -> None:
        """Each name is done once, also over a restart, and not before there is music for it to change."""
        known = self._session.names_done | self._refused
        self._waiting.extend(mark for mark in marks if mark not in known and mark not in self._waiting)

    def names_gone(self, daw: DawInfo, marks: tuple[NamedMark, ...]) -> None:
        session = self._session
        self._waiting = [mark for mark in self._waiting if mark not in marks]
        self._gone.extend(mark for mark in marks if mark in session.names_done)
        self._refused.difference_update(marks)
        session.names_done = session.names_done.difference(marks)

    def _names_due(self) -> None:
        session = self._session
        begun_s = time.thread_time()
        while not session.held and time.thread_time() - begun_s < NAMES_S:
            if self._doing is None:
                if not self._due and session.document.result.complete and (self._waiting or self._gone):
                    self._line_up()
                if not self._due:
                    return
                self._doing = self._done(*self._due.popleft())
            if next(self._doing, DONE) is DONE:
                self._doing = None

    def _done(self, act: Callable[..., None], marks: tuple[NamedMark, ...]) -> Iterator[bool]:
        session = self._session

        def acting() -> None:
            with session.log.acting("DAW"):
                act(*marks)

        try:
            yield from in_pieces(session, acting)
        except (MusicError, UserError) as error:
            fresh = set(marks) & set(self._coming)
            session.names_done -= fresh
            self._refused |= fresh
            self.note(f"'{marks[0].name}': {error}")

    def _line_up(self) -> None:
        """What is to be done for names that came and went, in order; hits, of which a film has many, in one step."""
        session = self._session
        self._coming = tuple(self._waiting)
        gone, waiting = self._gone, self._not_undone_here()
        self._gone, self._waiting = [], []
        session.names_done |= frozenset(self._coming)
        # A progression that another takes the place of need not be taken back first.
        renewed = {self._cue_of(self._at(mark)).number for mark in waiting if mark.kind == "progression"}
        self._due += [
            (self._take_back, (mark,))
            for mark in gone
            if mark.kind != "hit" and (mark.kind != "progression" or self._cue_of(self._at(mark)).number not in renewed)
        ]
        self._due += [(self._name, (mark,)) for mark in waiting if mark.kind != "hit"]
        hits = [mark for mark in (*gone, *waiting) if mark.kind == "hit"]
        if hits:
            self._due.append((self._hits, tuple(hits)))

    def _hits(self, *given: NamedMark) -> None:
        """Hits that come or, where they are still there, go."""
        coming = set(self._coming)
        gone = [mark for mark in given if mark not in coming]
        there = {(self._at(mark), mark.value) for mark in gone if self._in_force(mark)}
        hits = [
            Hit(self._at(mark), mark.word if mark.word in HIT_WEIGHTS else "should", mark.value)
            for mark in given
            if mark in coming
        ]
        if there or hits:
            self._session.edit(marks.change_hits, there, hits)

    def _not_undone_here(self) -> list[NamedMark]:
        """The names that wait, without those that only moved after the composer had undone or changed here what they
        did: a new tempo of the DAW moves every region."""
        gone, left = list(self._gone), []
        for mark in self._waiting:
            says = (mark.kind, mark.word, mark.value)
            moved = next((each for each in gone if (each.kind, each.word, each.value) == says), None)
            if moved is not None:
                gone.remove(moved)
            if moved is None or self._in_force(moved):
                left.append(mark)
            else:
                self.note(f"'{mark.name}' moved, but what it did was changed here since: that stays.")
        return left

    def _at(self, mark: NamedMark) -> float:
        return max(mark.start_s - self._session.starts_s, 0.0)

    def _in_force(self, mark: NamedMark) -> bool:
        """Whether what a name did still is so: the composer may have changed it here since."""
        document, at_s = self._session.document, self._at(mark)
        if mark.kind == "progression":
            cue = self._cue_of(at_s)
            return cue.text(controls.PROGRESSION) == mark.value and cue.progression_from_s == at_s
        if mark.kind == "cue":
            return any(cue.name == mark.value and abs(cue.in_s - at_s) < SAME_S for cue in document.cue_states)
        if mark.kind == "pin":
            return any(pin.start_s <= at_s < pin.end_s and pin.chord == _chord(mark) for pin in document.pins)
        if mark.kind == "hit":
            return any(abs(hit.time_s - at_s) < SAME_S and hit.name == mark.value for hit in document.hits)
        return any(abs(each.start_s - at_s) < SAME_S and each.changes == _changes(mark) for each in document.sections)

    def _take_back(self, mark: NamedMark) -> None:
        """What a name did, where that is still in force."""
        session, at_s = self._session, self._at(mark)
        if not self._in_force(mark):
            return
        if mark.kind == "progression":
            with self._cue_at(at_s):
                session.edit(set_value, controls.PROGRESSION, "")
        elif mark.kind == "cue":
            if not any(other.kind == "cue" and other.value == mark.value for other in self._coming):
                session.remove_cue(mark.value)
        elif mark.kind == "pin":
            session.edit(chords.unpin, at_s)
        elif mark.kind == "section":
            session.edit(marks.remove_section, at_s)

    def _cue_of(self, at_s: float) -> CueState:
        """The cue that plays at a picture second."""
        document = self._session.document
        return max(
            (cue for cue in document.cue_states if cue.in_s <= at_s),
            key=lambda cue: cue.in_s,
            default=document.selected,
        )

    @contextmanager
    def _cue_at(self, at_s: float) -> Iterator[None]:
        """The cue that plays at a picture second is the selected one meanwhile: a progression is of one cue."""
        session, history = self._session, self._session.history
        chosen, here = session.document.selected, self._cue_of(at_s)
        if here.number == chosen.number:
            yield
            return
        session.select_cue(here.name)
        before, step = session.document, history.id
        try:
            yield
        finally:
            history.amend(_in_hand(session.document, chosen.number))
            if history.document_of(step) is before:  # so that undo gives back the selected cue, too
                history.amend(_in_hand(before, chosen.number), step)

    def _name(self, mark: NamedMark) -> None:
        session, at_s = self._session, self._at(mark)
        if mark.kind == "progression":
            with self._cue_at(at_s):
                session.edit(chords.set_progression, mark.value, mark.word or "start", at_s)
        elif mark.kind == "pin":
            session.edit(chords.pin, Chord.parse(mark.value), at_s, typed=mark.value)
        elif mark.kind == "section":
            session.edit(marks.add_section, at_s, mark.value, mark.word)
        elif mark.kind == "cue":
            out_s = None if mark.end_s is None else mark.end_s - session.starts_s
            session.edit(cues.region, session.free_cue_number, mark.value, at_s, out_s)

    def print_request(self, daw: DawInfo, scope: str, start_s: float, end_s: float) -> None:
        try:
            self.print_range(scope, start_s - self._session.starts_s, end_s - self._session.starts_s)
        except UserError as error:
            self.note(str(error))

    def thaw_request(self, daw: DawInfo, scope: str, start_s: float, end_s: float) -> None:
        session = self._session
        try:
            from_s, to_s = _scope(session, scope, start_s - session.starts_s, end_s - session.starts_s)
            with session.log.acting(daw.daw):
                session.edit(printed.unmute, printed.ALL, from_s, to_s)
            self.note("CueBridge plays there again.")
        except UserError as error:
            self.note(str(error))

    def acknowledged(self, daw: DawInfo, request: int, ok: bool, text: str) -> None:
        job = self._printing.pop(request, None)
        what = f"printing {job.name}" if job is not None else "request"
        if job is not None or not ok:
            self.note(f"{daw.daw}: {what} {'done' if ok else 'failed'}{': ' + text.rstrip('.') if text else ''}.")
        if job is not None and ok and "do_print" not in daw.abilities:  # clips of a launcher: nothing plays them yet
            place = self._session.tempo_map.bar_beat_at(job.start_beats)
            self.note(
                f"drag the clips to {place} of the arrangement, then {controls.PRINTED_MUTE} keeps them from "
                "sounding twice."
            )
        elif job is not None and ok:
            parts = [part.part for part in job.parts]
            with self._session.log.acting(daw.daw):
                self._session.edit(printed.printed, parts, job.start_beats, job.end_beats, f"print {', '.join(parts)}")
            self.note(
                f"the DAW plays {', '.join(parts)} there from now on; {controls.PRINTED_UNMUTE} lets "
                "CueBridge play them again."
            )

    def note(self, sentence: str) -> None:
        self._session.say(sentence)

    # what we ask of scripts ----------------------------------------------------------------------------------------
    def print_range(self, scope: str, from_s: float = 0.0, to_s: float = 0.0) -> int:
        """Writes the composed notes of a range (picture seconds) into the DAW's tracks; returns how many notes."""
        job = print_job(self._session, scope, from_s, to_s)
        request, out = self.link.print_job(job)
        if not request:
            raise UserError("no connected DAW script can print.")
        self._printing[request] = job
        self._send(out)
        return sum(len(part.notes) for part in job.parts)

    def push_markers(self) -> int:
        """A marker for each cut; returns how many."""
        session = self._session
        cuts = session.analysed.cuts if session.analysed is not None else ()
        wishes = [
            MarkerWish(index + 1, cut.time_s + session.starts_s, f"cut {index + 1}") for index, cut in enumerate(cuts)
        ]
        out = self.link.push_markers(wishes)
        if wishes and not out:
            raise UserError("no connected DAW script can set markers.")
        self._send(out)
        return len(wishes)

    def push_tempo(self) -> int:
        """Gives the DAW the film's tempo map; returns how many steps it has.  Raises UserError."""
        tempo_map = self._session.tempo_map
        out = self.link.set_tempo(tempo_map)
        if not out:
            raise UserError("no connected DAW script takes this tempo map; export a .mid and import its tempo.")
        self._send(out)
        return len(tempo_map.tempos)

    def store_session(self, path: str) -> None:
        """The DAW's project remembers where the session is, where its script can."""
        self._stored = path
        self._send(self.link.store_session_path(path))

    def session_path(self, daw: DawInfo, path: str) -> None:
        """What the DAW's project remembers; said where it is not the session that is open."""
        if path != self._stored:
            self.note(f"the {daw.daw} project remembers the session {path[:200]}; `cuebridge live` opens it.")

    def clear_markers(self) -> int:
        """Returns how many messages asked for it."""
        out = self.link.clear_markers()
        self._send(out)
        return len(out)


def _chord(mark: NamedMark) -> Chord | None:
    try:
        return Chord.parse(mark.value)
    except MusicError:
        return None


def _changes(mark: NamedMark) -> tuple[tuple[str, str], ...]:
    try:
        return parse_changes(mark.value)
    except UserError:
        return ()


def _in_hand(document: Document, number: int) -> Document:
    """The document with this cue under the controls, where it has it."""
    return document.select(number) if any(cue.number == number for cue in document.cue_states) else document


def _scope(session: Session, scope: str, from_s: float, to_s: float) -> tuple[float, float]:
    """Picture seconds.  cue: the one at the playhead, else the nearest before it, else the first, with its tail."""
    if scope == "selection":
        return from_s, to_s
    cues = session.document.cues
    if scope == "film" or not cues:
        return 0.0, session.end_s
    position_s = session.position_s()
    cue = max((cue for cue in cues if cue.in_s <= position_s), key=lambda cue: cue.in_s, default=cues[0])
    end_s = session.end_s if cue.out_s is None else min(cue.out_s + cue.tail_s, session.end_s)
    return cue.in_s, end_s


def print_job(session: Session, scope: str, from_s: float, to_s: float) -> PrintJob:
    """The notes that a range of the stream has, exactly.

    Raises UserError while nothing is composed, or while a long film is still being arranged.
    """
    whole = session.whole()
    if whole is None:
        raise UserError("the music is still being arranged: try again in a moment.")
    made = whole[1]
    from_s, to_s = _scope(session, scope, from_s, to_s)
    if to_s <= from_s:
        raise UserError("there is no range to print.")
    low, high = session.beats_at(from_s), session.beats_at(to_s)
    parts = []
    for part in PARTS:
        notes = tuple(note for note in made.notes if note.part == part and low <= note.start_beats < high)
        curves = tuple(each for each in made.controllers if each.part == part and low <= each.time_beats < high)
        if notes:
            parts.append(PrintPart(part, f"CueBridge {part.title()}", channels(session.document)[part], notes, curves))
    starts_s = session.starts_s
    return PrintJob(session.film.name, from_s + starts_s, to_s + starts_s, low, high, tuple(parts))
