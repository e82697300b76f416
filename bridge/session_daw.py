"""What the script of a DAW does to the session: its transport, tempo, names of regions, and what it asks to print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bridge.osc.daw_link import DawEvents, DawInfo, DawLink, MarkerWish, NamedMark, Outgoing, PrintJob, PrintPart
from bridge.osc.server import Datagram
from bridge.session import Session
from bridge.session_edits import SAME_S
from bridge.session_freeze import ALL
from bridge.session_options import channels
from bridge.session_plan import arrange_whole
from bridge.transport.state import TransportObservation
from engine.music import PARTS, Chord, FrameRate, MusicError, TempoMap, Timecode, TimeSignature, UserError
from engine.music.composition import HIT_WEIGHTS

TICK_S: Final = 0.1
SCOPES: Final = ("film", "cue", "selection")


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
        self._done: set[NamedMark] = set()
        self._gone: list[NamedMark] = []
        self._coming: tuple[NamedMark, ...] = ()

    # in -------------------------------------------------------------------------------------------------------------
    def datagram(self, datagram: Datagram) -> None:
        for message in datagram.messages:
            self._send(self.link.handle_osc(message.address, message.arguments, datagram.sender, datagram.host_s))

    def tick(self, host_s: float) -> None:
        if host_s >= self._next_tick_s:
            self._next_tick_s = host_s + TICK_S
            self._send(self.link.tick(host_s))
            self._names_due()

    # what scripts say ------------------------------------------------------------------------------------------------
    def hello(self, daw: DawInfo) -> None:
        self.note(f"{daw.daw} {daw.host_version}".strip() + " is connected.")

    def bye(self, daw: DawInfo, reason: str) -> None:
        self.note(f"{daw.daw} is gone." if reason == "bye" else f"nothing was heard of {daw.daw} for some seconds.")
        status = self._session.status
        if status is not None and status.position_source == "script":
            self._session.player.stop()

    def transport(self, daw: DawInfo, observation: TransportObservation) -> None:
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
        try:
            self._session.tempo.use_daw_map(tempo_map, who)
        except UserError as error:
            self.note(str(error))

    def timecode(self, daw: DawInfo, rate: FrameRate, start: Timecode | None) -> None:
        self._session.daw_rate = rate
        self._session.daw_starts_at = start
        film = self._session.analysed.film if self._session.analysed is not None else None
        if film is not None and film.rate.fps != rate.fps:
            self.note(f"{daw.daw} counts {rate} frames a second, the film has {film.rate}; seconds are kept.")

    def names(self, daw: DawInfo, marks: tuple[NamedMark, ...]) -> None:
        """Each name is done once, and not before there is music for it to change."""
        self._waiting.extend(mark for mark in marks if mark not in self._done and mark not in self._waiting)

    def names_gone(self, daw: DawInfo, marks: tuple[NamedMark, ...]) -> None:
        self._waiting = [mark for mark in self._waiting if mark not in marks]
        self._gone.extend(mark for mark in marks if mark in self._done)
        self._done.difference_update(marks)

    def _names_due(self) -> None:
        if not self._session.draft.result.complete:
            return
        # A progression that another takes the place of need not be taken back first.
        changed = any(mark.kind == "progression" for mark in self._waiting)
        gone = [mark for mark in self._gone if not (changed and mark.kind == "progression")]
        due = [*((self._take_back, mark) for mark in gone), *((self._name, mark) for mark in self._waiting)]
        self._coming = tuple(self._waiting)
        self._done.update(self._waiting)
        self._gone, self._waiting = [], []
        for act, mark in due:
            try:
                act(mark)
            except (MusicError, UserError) as error:
                self.note(f"'{mark.name}': {error}")

    def _take_back(self, mark: NamedMark) -> None:
        """What a name did, where that is still in force: the composer may have changed it here since."""
        session, draft = self._session, self._session.draft
        at_s = max(mark.start_s - session.starts_s, 0.0)
        if mark.kind == "progression":
            with self._cue_at(at_s):
                draft = session.draft
                if draft.text("/cue/progression") == mark.value and draft.progression_from_s == at_s:
                    session.edits.set_value("/cue/progression", "")
        elif mark.kind == "cue":
            there = any(cue.name == mark.value and abs(cue.in_s - at_s) < SAME_S for cue in draft.cue_states)
            if there and not any(other.kind == "cue" and other.value == mark.value for other in self._coming):
                session.cues.remove(mark.value)
        elif mark.kind == "pin":
            chord = Chord.parse(mark.value)
            if any(pin.start_s <= at_s < pin.end_s and pin.chord == chord for pin in draft.pins):
                session.edits.unpin(at_s)
        elif mark.kind == "hit":
            if any(abs(hit.time_s - at_s) < SAME_S and hit.name == mark.value for hit in draft.hits):
                session.edits.remove_hit(at_s)
        elif mark.kind == "section" and any(abs(each.start_s - at_s) < SAME_S for each in draft.sections):
            session.edits.remove_section(at_s)

    @contextmanager
    def _cue_at(self, at_s: float) -> Iterator[None]:
        """The cue that plays at a picture second is the selected one meanwhile: a progression is of one cue."""
        session = self._session
        chosen, states = session.draft.selected, session.draft.cue_states
        here = max((cue for cue in states if cue.in_s <= at_s), key=lambda cue: cue.in_s, default=chosen)
        if here.number == chosen.number:
            yield
            return
        session.cues.select(here.name)
        try:
            yield
        finally:
            if any(cue.number == chosen.number for cue in session.draft.cue_states):
                session.history.amend(session.draft.select(chosen.number))

    def _name(self, mark: NamedMark) -> None:
        session = self._session
        at_s = max(mark.start_s - session.starts_s, 0.0)
        if mark.kind == "progression":
            with self._cue_at(at_s):
                session.edits.set_progression(mark.value, mark.word or "start", at_s)
        elif mark.kind == "pin":
            session.edits.pin(Chord.parse(mark.value), at_s)
        elif mark.kind == "hit":
            session.edits.add_hit(at_s, mark.word if mark.word in HIT_WEIGHTS else "should", mark.value)
        elif mark.kind == "section":
            session.edits.add_section(at_s, mark.value, mark.word)
        elif mark.kind == "cue":
            session.cues.region(mark.value, at_s, None if mark.end_s is None else mark.end_s - session.starts_s)

    def print_request(self, daw: DawInfo, scope: str, start_s: float, end_s: float) -> None:
        try:
            self.print_range(scope, start_s - self._session.starts_s, end_s - self._session.starts_s)
        except UserError as error:
            self.note(str(error))

    def thaw_request(self, daw: DawInfo, scope: str, start_s: float, end_s: float) -> None:
        session = self._session
        try:
            from_s, to_s = _scope(session, scope, start_s - session.starts_s, end_s - session.starts_s)
            session.freezer.thaw(ALL, from_s, to_s)
            self.note("CueBridge plays there again.")
        except UserError as error:
            self.note(str(error))

    def acknowledged(self, daw: DawInfo, request: int, ok: bool, text: str) -> None:
        job = self._printing.pop(request, None)
        what = f"printing {job.name}" if job is not None else "request"
        if job is not None or not ok:
            self.note(f"{daw.daw}: {what} {'done' if ok else 'failed'}{': ' + text.rstrip('.') if text else ''}.")
        if job is not None and ok:
            parts = [part.part for part in job.parts]
            self._session.freezer.freeze_printed(parts, job.start_beats, job.end_beats, f"print {', '.join(parts)}")
            self.note(f"the DAW plays {', '.join(parts)} there from now on; /cue/thaw lets CueBridge play them again.")

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

    def clear_markers(self) -> int:
        """Returns how many messages asked for it."""
        out = self.link.clear_markers()
        self._send(out)
        return len(out)


def _scope(session: Session, scope: str, from_s: float, to_s: float) -> tuple[float, float]:
    """Picture seconds.  cue: the one at the playhead, else the nearest before it, else the first, with its tail."""
    if scope == "selection":
        return from_s, to_s
    cues = session.draft.cues
    if scope == "film" or not cues:
        return 0.0, session.end_s
    position_s = session.position_s()
    cue = max((cue for cue in cues if cue.in_s <= position_s), key=lambda cue: cue.in_s, default=cues[0])
    end_s = session.end_s if cue.out_s is None else min(cue.out_s + cue.tail_s, session.end_s)
    return cue.in_s, end_s


def print_job(session: Session, scope: str, from_s: float, to_s: float) -> PrintJob:
    """The notes that a range of the stream has, exactly.  Raises UserError while nothing is composed."""
    score = session.score()
    if score is None or not score.complete or session.analysed is None:
        raise UserError("nothing is composed yet that could be printed.")
    from_s, to_s = _scope(session, scope, from_s, to_s)
    if to_s <= from_s:
        raise UserError("there is no range to print.")
    low, high = session.beats_at(from_s), session.beats_at(to_s)
    made = arrange_whole(score)
    parts = []
    for part in PARTS:
        notes = tuple(note for note in made.notes if note.part == part and low <= note.start_beats < high)
        curves = tuple(each for each in made.controllers if each.part == part and low <= each.time_beats < high)
        if notes:
            parts.append(PrintPart(part, f"CueBridge {part.title()}", channels(session.draft)[part], notes, curves))
    starts_s = session.starts_s
    return PrintJob(session.film_name, from_s + starts_s, to_s + starts_s, low, high, tuple(parts))
