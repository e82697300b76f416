"""Handlers: what a message to an address does to a session, and what each address answers.

Every set is answered on its own address with the value and the picture second from which it is heard; every refusal
with `/cue/error address code message`.  The messages of one bundle are checked before the first of them is done.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from operator import is_
from pathlib import Path
from typing import Any, Final

from bridge.controls.allowed_files import AllowedFiles
from bridge.controls.bundle import Before
from bridge.controls.file_jobs import FileJobs
from bridge.controls.file_reader import FileReader, FileRequest, ReadFile
from bridge.controls.midi import MidiControl
from bridge.controls.requests import OLD_READABLE, READABLE, Request, read_requests, requests_of
from bridge.daw.session import DawBridge
from bridge.osc.clients import Clients, Target
from bridge.osc.codec import Argument, Double, Message, encode, encode_bundle
from bridge.osc.server import Datagram
from bridge.session.answers import STATES
from bridge.session.click import Click
from bridge.session.edits import Edit, chords, locks, marks, plan, played, printed, tempo
from bridge.session.edits.takes import checked_name, rate
from bridge.session.edits.values import set_value
from bridge.session.file.export import Exporter
from bridge.session.file.later import Later
from bridge.session.fit import FIT, TempoSearch
from bridge.session.lists import compared_takes, listed_chords, listed_edits, listed_notes, take_plan
from bridge.session.pieces import in_pieces
from bridge.session.plan import Block
from bridge.session.session import Session
from bridge.session.snapshot import Snapshot, snapshot
from engine.document import readings
from engine.music import Chord, MusicError, UserError, controls
from engine.music.arguments import ControlError, Raw, Value
from engine.music.chord import parse_pitch_class
from engine.music.controls import BY_ADDRESS, ERROR, SETTINGS, Control, current_address
from engine.music.lead_sheet import read_ahead
from engine.music.speech import HEARD
from engine.music.theme_text import theme_from_notes, theme_text
from engine.process.why import Why, second_of

Reply = tuple[str, tuple[Argument, ...]]
Actions = dict[str, Callable[..., tuple[Argument, ...]]]
PLAYHEAD_INTERVAL_S: Final = 0.05
VALUES_INTERVAL_S: Final = 0.1
MAX_REFUSALS: Final = 64  # of one datagram
BUNDLE_S: Final = 0.25  # processor time of the requests of one datagram
MAX_BUNDLE: Final = 1300  # bytes of values in one datagram: more than a network's frame would be sent in pieces
EXPORT: Final = controls.EXPORT
EVER: Final = 1e9
GESTURE_S: Final = 10.0  # without an edit a gesture is over
LONG_TEXT: Final = 400  # characters of a progression: reading as many takes a millisecond
PIECE_S: Final = 0.005  # processor time of what is asked for in one turn
PLACES_S: Final = 1.0  # for which the end waits until the disk has found the files that were asked for last
NOBODY: Final[Target] = ("", 0)  # a MIDI controller, which gets no answer


class Controls:
    """answer(target, address, arguments) sends; refuse(target, address, code, sentence) sends an error."""

    # size: what the session cannot know, each left out where a program or a test has none of it.
    def __init__(
        self,
        session: Session,
        answer: Callable[[Target, str, Sequence[Argument]], None],
        refuse: Callable[[Target, str, str, str], None],
        *,
        folders: Sequence[Path] = (),
        save: Callable[[str | None, bool, Callable[[Path | UserError], None]], None] | None = None,
        quit_: Callable[[], None] = lambda: None,
        take_over: Callable[[], int] | None = None,
        daw: DawBridge | None = None,
        learned: Path | None = None,
        uploads: Sequence[Path] = (),
    ) -> None:
        """folders: for files that OSC reads and writes.  uploads: for files that came through the page, only read."""
        self.session = session
        self.clients = Clients(READABLE, OLD_READABLE)
        self._send = answer
        self._send_refusal = refuse
        self._said_renamed: set[str] = set()
        self._allowed = AllowedFiles(folders, uploads, Path(session.options.film))
        self._save = save
        self._quit = quit_
        self._plugins_take_over = take_over
        self._exporter = Exporter(session)
        self._search = TempoSearch()
        self._files = FileReader()
        self._jobs = FileJobs(session, self._allowed)
        self._places: list[_Place] = []  # of files that the disk has not found yet
        self._under_way: Iterator[bool | None] | None = None  # what was asked for and is half done
        self._gathered: _Gathered | None = None  # for the lock that is coming
        self._used_s = 0.0  # processor time of it in earlier turns
        self._coming: dict[Path, Target] = {}  # who asked for films that are being analysed
        self.daw = daw
        self.midi = MidiControl(session, learned, self.perform, self._performing)
        self._pushed_s = 0.0
        self._pushed_edit = 0  # number of the last edit that subscribers were told of
        self._playhead_s = 0.0
        self._gestures: dict[Target, tuple[str, float]] = {}  # of each sender, and until which host second
        self._promised: dict[int, tuple[Target, Reply]] = {}  # the last change that was answered
        # Values that are no step of the undo history; each setter returns what its answer says besides the value.
        self._outside_history: Actions = {
            controls.LOOP: self._loop,
            controls.CLICK_ON_CUTS: lambda *wanted: self._at(self._set_click(*wanted)),
            controls.LEARN_PICKUP: self._set_pickup,
            controls.LEARN_INVERTED: self._set_inverted,
        }
        self._of_sender: Actions = {
            controls.SUBSCRIBE: self._subscribe,
            controls.UNSUBSCRIBE: self._unsubscribe,
            controls.GESTURE: self._begin_gesture,
            controls.FILM_LOAD: lambda sender, text: next(
                (values for _, values in self._load_film(sender, text)), (text,)
            ),
        }
        self._actions: Actions = {
            **self._transport_actions(),
            **self._chord_actions(),
            **self._mark_actions(),
            **self._take_actions(),
            **self._plan_actions(),
            **self._edit_actions(),
            **self._daw_actions(),
            **self._other_actions(),
        }

    # the commands, by group -----------------------------------------------------------------------------------------
    def _transport_actions(self) -> Actions:
        """Playing and the film."""
        session = self.session
        return {
            controls.PING: lambda: (Double(time.perf_counter()),),
            controls.QUIT: lambda: self._quit() or (),
            controls.PLAY: lambda: self._at(session.play()),
            controls.STOP: lambda: self._at(session.stop()),
            controls.LOCATE: lambda position_s: self._at(session.locate(position_s)),
            controls.PANIC: lambda: self._at(session.panic()),
            controls.PLUGIN_TAKE_OVER: self._take_over,
        }

    def _take_over(self) -> tuple[Argument, ...]:
        if self._plugins_take_over is None:
            raise ControlError("not_ready", "this run is not connected to the plugin.")
        return (self._plugins_take_over(),)

    def _chord_actions(self) -> Actions:
        """Chords."""
        session = self.session
        return {
            controls.CHORDS_NEXT: lambda text: (text, *self._at(session.edit(chords.pin_next, _chord(text), text))),
            controls.CHORDS_PIN: lambda text, at_s=None: (
                text,
                *self._at(session.edit(chords.pin, _chord(text), at_s, typed=text)),
            ),
            controls.CHORDS_UNPIN: lambda at_s=None, to_s=None: self._at(session.edit(chords.unpin, at_s, to_s)),
            controls.CHORDS_MOVE: self._move_chord,
            controls.CHORDS_SPLIT: lambda at_s: (at_s, *self._at(session.edit(chords.split, _place(at_s)))),
            controls.CHORDS_MERGE: lambda at_s: (at_s, *self._at(session.edit(chords.merge, _place(at_s)))),
            controls.CHORDS_PLAY: lambda text, at_s=None: (
                text,
                *self._at(session.edit(played.hold_chord, _pitches(text), at_s)),
            ),
            controls.PEDAL: lambda text, at_s=None: (
                text,
                *self._at(session.edit(played.pedal, _pitch_class(text), at_s)),
            ),
            controls.CHORDS_COPY: lambda from_s, to_s: (
                Double(from_s),
                Double(to_s),
                *self._at(session.edit(chords.copy, from_s, to_s)),
            ),
            controls.CHORDS_LIST: lambda from_s, to_s=EVER: listed_chords(session, from_s, to_s),
            controls.CHORDS_REWRITE: lambda what, until=None, last=None: (
                what,
                *self._at(session.edit(chords.rewrite, session.rewrites + 1, what, until, last)),
            ),
        }

    def _mark_actions(self) -> Actions:
        """Cues, hits and sections."""
        session = self.session
        return {
            controls.CUES_ADD: self._add_cue,
            controls.CUES_REMOVE: lambda which=None: _with_time(session.remove_cue(which)),
            controls.CUES_ACCEPT: lambda which=None: _with_time(session.accept_cue(which)),
            controls.CUES_REFUSE: lambda which=None: _with_time(session.refuse_cue(which)),
            controls.CUES_SELECT: lambda which: (
                session.select_cue(which).name,
                *self._at(session.now().soon_s),
            ),
            controls.HITS_ADD: lambda at_s, weight="should", name="": (
                at_s,
                weight,
                *self._at(session.edit(marks.add_hit, at_s, weight, name)),
            ),
            controls.HITS_MOVE: lambda at_s, to_s: (
                Double(at_s),
                Double(to_s),
                *self._at(session.edit(marks.change_hit, at_s, to_s=to_s)),
            ),
            controls.HITS_WEIGHT: lambda at_s, weight: (
                Double(at_s),
                weight,
                *self._at(session.edit(marks.change_hit, at_s, weight=weight)),
            ),
            controls.HITS_NAME: lambda at_s, name: (
                Double(at_s),
                name,
                *self._at(session.edit(marks.change_hit, at_s, name=name)),
            ),
            controls.HITS_REMOVE: lambda at_s: (at_s, *self._at(session.edit(marks.remove_hit, at_s))),
            controls.HITS_ACCEPT_CUTS: self._accept_cuts,
            controls.SECTIONS_ADD: lambda from_s, changes, name="", breath=False: (
                from_s,
                changes,
                *self._at(session.edit(marks.add_section, from_s, changes, name, breath)),
            ),
            controls.SECTIONS_REMOVE: lambda at_s: (at_s, *self._at(session.edit(marks.remove_section, at_s))),
            controls.SECTIONS_MOVE: lambda from_s, to_s: (
                Double(from_s),
                Double(to_s),
                *self._at(session.edit(marks.move_section, from_s, to_s)),
            ),
            controls.SECTIONS_NAME: lambda at_s, name: (
                Double(at_s),
                name,
                *self._at(session.edit(marks.rename_section, at_s, name)),
            ),
            controls.SECTIONS_MERGE: lambda at_s: (
                Double(at_s),
                *self._at(session.edit(marks.merge_sections, at_s)),
            ),
            FIT: lambda *given: self._fit_tempo(NOBODY, *given),
        }

    def _take_actions(self) -> Actions:
        """Takes."""
        session = self.session
        return {
            controls.TAKE_NEW: self._new_take,
            controls.TAKE_SELECT: lambda number, when="bar": (
                number,
                *self._at(session.select_take(number, when)),
            ),
            controls.TAKE_KEEP: lambda name=None: (session.keep_take(name).name,),
            controls.TAKE_NAME: self._name_take,
            controls.TAKE_RATE: lambda number, rating: (
                number,
                rating,
                *self._at(session.edit(rate, session.takes.table, number, rating=rating)),
            ),
            controls.TAKE_NOTE: lambda number, note: (
                number,
                note,
                *self._at(session.edit(rate, session.takes.table, number, note=note)),
            ),
            controls.TAKE_COMPARE: lambda first, second: (first, second, *compared_takes(session, first, second)),
            controls.TAKE_MORE: lambda when="bar": _with_time(session.take_alike(when)),
            controls.TAKE_LESS: lambda when="bar": _with_time(session.take_unlike(when)),
            controls.TAKES_ADD: lambda count: (session.add_takes(count),),
            controls.TAKE_PLAN: lambda number: (number, *take_plan(session, number)),
        }

    def _plan_actions(self) -> Actions:
        """What a planned cue is asked for, and its theme."""
        session = self.session
        return {
            controls.SIMPLER: lambda from_s, to_s=None: self._change_plan("simpler", _place(from_s), to_s),
            controls.BUSIER: lambda from_s, to_s=None: self._change_plan("busier", _place(from_s), to_s),
            controls.ONLY: lambda parts, from_s=None, to_s=None: (
                parts,
                *self._change_plan("only", from_s, to_s, parts),
            ),
            controls.ANOTHER_MELODY: lambda: self._change_plan("melody"),
            controls.LOCK: self._lock,
            controls.UNLOCK: lambda part="all", *edges: (
                part,
                *self._at(session.edit(locks.unlock, part, *edges)),
            ),
            controls.REHARMONISE: self._reharmonise,
            controls.THEME_KEEP: lambda: self._theme(plan.keep_theme),
            controls.THEME_OPERATE: lambda name: self._theme(plan.operate_theme, name),
            controls.THEME_LOAD: lambda *given: self._read_unasked(controls.THEME_LOAD, given),
            controls.THEME_RECORD: self._record_theme,
            controls.CAPTURE: self._capture,
            controls.THEME_STATE: lambda at_s, kind="statement": self._change_plan("state", at_s, None, kind),
            controls.THEME_SILENT: lambda at_s: self._change_plan("silent", at_s),
            controls.THEME_MOVE: lambda from_s, to_s: self._move_to_bar(plan.move_statement, from_s, to_s),
            controls.THEME_ASSIGN: self._assign_theme,
            controls.FORM_ACCEPT: lambda at_s: (Double(at_s), *self._at(session.edit(plan.accept_section, at_s))),
            controls.FORM_REFUSE: lambda at_s: (Double(at_s), *self._at(session.edit(plan.refuse_section, at_s))),
            controls.FORM_MOVE: lambda from_s, to_s: self._move_to_bar(plan.move_border, from_s, to_s),
            controls.FORM_NAME: lambda at_s, name: (
                Double(at_s),
                name,
                *self._at(session.edit(plan.name_section, at_s, name)),
            ),
            controls.FORM_MERGE: lambda at_s: (Double(at_s), *self._at(session.edit(plan.merge_planned, at_s))),
        }

    def _edit_actions(self) -> Actions:
        """Undo, and questions about edits, chords and notes."""
        session = self.session
        return {
            controls.WHY: self._why,
            controls.NOTES: lambda from_s, to_s, part="all": listed_notes(session, from_s, to_s, part),
            controls.TRY: lambda address, *arguments: self.tried(address, arguments),
            controls.EDITS_LIST: lambda first: listed_edits(session, _place(first)),
            controls.UNDO: lambda: (session.history.undo_label, *self._at(session.undo())),
            controls.REDO: lambda: (session.history.redo_label, *self._at(session.redo())),
        }

    def _daw_actions(self) -> Actions:
        """What a DAW gets: tempo, markers, prints."""
        session = self.session
        return {
            controls.TEMPO_PUSH: lambda: (self._script().push_tempo(),),
            controls.MARKERS_LOAD: lambda *given: self._read_unasked(controls.MARKERS_LOAD, given),
            controls.CONFORM: lambda *given: self._read_unasked(controls.CONFORM, given),
            controls.MARKERS_PUSH: lambda: (self._script().push_markers(),),
            controls.MARKERS_CLEAR: lambda: (self._script().clear_markers(),),
            controls.PRINT: lambda scope, from_s=0.0, to_s=0.0: (
                scope,
                self._script().print_range(scope, from_s, to_s),
            ),
            controls.PRINTED_MUTE: lambda part="all", *edges: (
                part,
                *self._at(session.edit(printed.mute, part, *edges)),
            ),
            controls.PRINTED_UNMUTE: lambda part="all", *edges: (
                part,
                *self._at(session.edit(printed.unmute, part, *edges)),
            ),
        }

    def _other_actions(self) -> Actions:
        """MIDI learn and files."""
        return {
            controls.LEARN: self._learn,
            controls.LEARN_CANCEL: lambda: (self.midi.learn.cancel(),),
            controls.LEARN_FORGET: lambda address=None: (address or "", self.midi.learn.forget(address)),
            controls.LEARN_UNDO: self._unlearn,
            EXPORT: lambda text, replace=None: next(
                (values for _, values in self._export(NOBODY, text, replace)), (text,)
            ),
            controls.SAVE: lambda *words: next((values for _, values in self._save_session(NOBODY, *words)), words),
        }

    @property
    def handled(self) -> tuple[str, ...]:
        """The addresses that have a handler, once for each handler: a test wants each exactly once."""
        return (*STATES, *SETTINGS, *self._outside_history, *self._of_sender, *self._actions)

    # in -------------------------------------------------------------------------------------------------------------
    def datagram(self, datagram: Datagram, budget_s: float = math.inf, spent_s: float = 0.0) -> None:
        """All messages of one datagram, or none of them.

        budget_s: processor time after which the rest is left to `go_on`; until that is done, nothing else may be.
        spent_s: what the turn has had before: a step that takes long begins a turn of its own.
        """
        sender = datagram.sender
        if self.daw is not None and datagram.messages[0].address.startswith("/daw/"):
            self.daw.datagram(datagram)
            return
        self.clients.renew(sender, datagram.host_s)
        self._begin(self._doing(sender, datagram.messages), budget_s, spent_s)

    def ask(
        self,
        message: Message,
        sender: Target,
        answer: Callable[[list[Reply], float | None], None],
        refuse: Callable[[UserError], None],
        *,
        gesture: str = "",
        budget_s: float = math.inf,
    ) -> None:
        """Does what one message of a page asks, as `datagram`.

        answer(replies, from when an edit is heard); no replies: the answer comes later.  gesture: of which all edits
        are one step of undo.
        """
        self._begin(self._asked(message, sender, gesture, answer, refuse), budget_s)

    def attempt(
        self,
        address: str,
        arguments: Sequence[Raw],
        answer: Callable[[tuple[Argument, ...]], None],
        refuse: Callable[[UserError], None],
        *,
        budget_s: float = math.inf,
    ) -> None:
        """What an edit would answer, as `datagram`; nothing changes."""
        self._begin(self._attempted(address, arguments, answer, refuse), budget_s)

    def touched(self, host_s: float, budget_s: float = math.inf) -> None:
        """Does what a MIDI controller asks, as `datagram`."""
        self._begin(self.midi.steps(host_s), budget_s)

    def _begin(self, steps: Iterator[bool | None], budget_s: float, spent_s: float = 0.0) -> None:
        assert not self.busy, "what is half done comes first"
        self._under_way, self._used_s = steps, 0.0
        self.go_on(budget_s, spent_s)

    @property
    def busy(self) -> bool:
        """Whether what was asked for is half done: until it is whole, nothing else may be asked for."""
        return self._under_way is not None

    def go_on(self, budget_s: float = math.inf, spent_s: float = 0.0) -> None:
        """Goes on with what is half done.  spent_s: processor time that the turn has had for others."""
        begun_s = time.thread_time()
        for long_one_next in self._under_way or ():
            used_s = time.thread_time() - begun_s
            if used_s >= budget_s or (long_one_next and spent_s + used_s >= budget_s / 5):
                self._used_s += used_s
                self.session.held = True
                return
        self._under_way, self.session.held = None, False

    def _doing(self, sender: Target, messages: tuple[Message, ...]) -> Iterator[bool | None]:
        """Does what a datagram asks, all or none of it, and answers; a turn may end after each step.  True: the next
        step takes long in a long film."""
        requests: list[Request] = []
        refused: list[tuple[str, ControlError]] = []
        yield from read_requests(messages, requests, refused)
        for address, error in refused[:MAX_REFUSALS]:
            self._refuse(sender, address, error.code, str(error))
        if refused and len(messages) > 1:
            for message in messages[:MAX_REFUSALS]:
                self._refuse(
                    sender, message.address, "bad_value", "not done: another message of the bundle was refused."
                )
            return
        yield True
        self.session.document.slot_at(0.0)  # a long film is cut at its pins once, not beside the first request's work
        yield False
        before = Before(self.session, self.midi) if len(requests) > 1 else None
        newest_file = self._files.newest
        replies: list[Reply] = []
        for request in requests:
            try:
                if before is not None and self._used_s > BUNDLE_S:
                    raise ControlError("busy", f"a bundle may take {BUNDLE_S:g} s; send what it asks for in pieces.")
                yield from self._prepared(request.control.address, request.arguments)
                replies.extend((yield from self._replies_in_pieces(request, sender)))
            except UserError as error:
                code = error.code if isinstance(error, ControlError) else "bad_value"
                self._refuse(sender, request.asked, code, str(error))
                if before is not None:
                    before.restore()
                    self._files.drop_after(newest_file)
                    for other in [each for each in requests if each is not request][:MAX_REFUSALS]:
                        self._refuse(sender, other.asked, "bad_value", f"not done: {request.asked} was refused.")
                return
            yield False
        for reply in replies:
            self._answer(sender, *reply)
            yield False

    def _prepared(self, address: str, arguments: Sequence[Value]) -> Iterator[bool | None]:
        """Does beforehand, in pieces, what of an edit takes long; as `_doing`.  Raises ControlError."""
        if address == controls.TRY and arguments:
            address, arguments = current_address(str(arguments[0])), arguments[1:]
        self._gathered = None
        if address == controls.PROGRESSION and arguments and len(str(arguments[0])) > LONG_TEXT:
            yield True
            try:
                for _ in read_ahead(str(arguments[0]).strip()):
                    yield True
            except MusicError as error:
                raise ControlError("bad_value", str(error)) from None
        if address == controls.LOCK:
            with contextlib.suppress(ControlError):  # the edit itself will be refused
                yield from self._gather(*BY_ADDRESS[address].check(arguments))  # type: ignore[arg-type]

    def _replies_in_pieces(
        self, request: Request, sender: Target, who: str = "", gesture: str = ""
    ) -> Generator[bool, None, list[Reply]]:
        return in_pieces(self.session, lambda: self._replies(request, sender, who, gesture))

    def _performing(
        self, control: Control, arguments: tuple[Value, ...], who: str
    ) -> Generator[bool | None, None, Reply]:
        """As `perform`, in pieces."""

        def act() -> Reply:
            with self.session.log.acting(who):
                return self.perform(control, arguments)

        yield from self._prepared(control.address, arguments)
        return (yield from in_pieces(self.session, act))

    def _gather(self, part: str, *edges: float) -> Iterator[None]:
        """Gathers the music that is to be locked.  Raises ControlError."""
        session = self.session
        blocks = session.blocks()
        if blocks is None:
            raise ControlError("not_ready", "the music is still being arranged; lock it in a moment.")
        gathered = locks.gather(session.document, session.now(), part, *edges)
        for block in blocks:
            gathered.add(block.notes, block.controllers)
            yield
        self._gathered = _Gathered(blocks, (part, *edges), gathered)

    def _asked(
        self,
        message: Message,
        sender: Target,
        gesture: str,
        answer: Callable[[list[Reply], float | None], None],
        refuse: Callable[[UserError], None],
    ) -> Iterator[bool | None]:
        log, heard_s = self.session.log, None
        replies: list[Reply] = []
        try:
            requests, refused = requests_of((message,))
            if refused:
                raise refused[0][1]
            for request in requests:
                yield from self._prepared(request.control.address, request.arguments)
                numbers: list[int] = []  # of the newest edit before this one: others may come while it is prepared

                def act(request: Request = request, numbers: list[int] = numbers) -> list[Reply]:
                    numbers[:] = [log.last.number]
                    return self._replies(request, sender, sender[0], gesture)

                replies.extend((yield from in_pieces(self.session, act)))
                if log.last.number != numbers[0]:
                    heard_s = log.last.heard_s
        except UserError as error:
            refuse(error)
        else:
            answer(replies, heard_s)

    def _attempted(
        self,
        address: str,
        arguments: Sequence[Raw],
        answer: Callable[[tuple[Argument, ...]], None],
        refuse: Callable[[UserError], None],
    ) -> Iterator[bool | None]:
        try:
            control = BY_ADDRESS.get(current_address(address))
            if control is not None and control.address in (controls.LOCK, controls.PROGRESSION):
                yield from self._prepared(control.address, control.check(arguments))
            values = yield from in_pieces(self.session, lambda: self.tried(address, arguments))
        except UserError as error:
            refuse(error)
        else:
            answer(values)

    def _answer(self, target: Target, address: str, values: Sequence[Argument]) -> None:
        if not self.clients.takes_doubles(target):
            values = [float(value) if isinstance(value, Double) else value for value in values]
        self._send(target, address, values)

    def _refuse(self, sender: Target, address: str, code: str, sentence: str) -> None:
        """To the sender, and to the port that it has subscribed: many programs listen there alone."""
        for target in (sender, *self.clients.others_of(sender)):
            self._send_refusal(target, address, code, sentence)

    def too_much(self, sender: Target) -> None:
        """Refuses a sender whose messages took more time than its share."""
        self._refuse(sender, "", "busy", "your messages take too much time; some of them are dropped.")

    def _say_renamed(self, request: Request) -> None:
        """Says the new name of an old address, once."""
        if request.asked != request.control.address and request.asked not in self._said_renamed:
            self._said_renamed.add(request.asked)
            self.session.say(f"{request.asked} is now {request.control.address}; the old name still works.")

    def _replies(self, request: Request, sender: Target, who: str = "", gesture: str = "") -> list[Reply]:
        control, arguments = request.control, request.arguments
        self._say_renamed(request)
        if control.address == FIT:
            self._fit_tempo(sender, *arguments)  # type: ignore[arg-type]
            return []
        who, gesture = (who, gesture) if who else (f"osc {sender[0]}:{sender[1]}", self._gesture_of(sender))
        if self._reads_a_file(control, arguments):
            trying = control.address == controls.TRY
            address, given = (str(arguments[0]), arguments[1:]) if trying else (control.address, arguments)
            self._read(FileRequest(current_address(address), request.asked, sender, who, gesture, trying), given)
            return []
        if control.address == EXPORT:
            return self._export(sender, *arguments)  # type: ignore[arg-type]
        if control.address == controls.FILM_LOAD:
            return self._load_film(sender, *arguments)  # type: ignore[arg-type]
        if control.address == controls.WHY:
            at_s = self._second(arguments[0])
            self.session.why(at_s, lambda why: self._answer(sender, request.asked, why_values(why)))
            return []
        if control.address == controls.SAVE:
            return self._save_session(sender, *arguments)  # type: ignore[arg-type]
        before = self.session.promises.number
        with self.session.log.acting(who, gesture):
            address, values = self.perform(control, arguments, sender)
        reply = (request.asked if address == control.address else address, values)
        if self.session.promises.number != before:
            self._promised = {self.session.promises.number: (sender, reply)}
        return [reply]

    def perform(self, control: Control, arguments: tuple[Value, ...], sender: Target = NOBODY) -> Reply:
        """Handles a checked request.  Raises ControlError or another UserError."""
        address, session = control.address, self.session
        if control.access == "state":
            return address, self.values(address)
        if address in self._outside_history:
            heard = self._outside_history[address](*arguments) if arguments else ()
            return address, (*self.values(address), *heard)
        if control.access == "value":
            if not arguments:
                return address, self.values(address)
            when = arguments[1] if len(arguments) > 1 else "bar"
            if (address, arguments[0]) == (controls.SPEECH, HEARD):
                heard_s = session.take_speech()
            else:
                heard_s = session.edit(set_value, address, arguments[0], "bar" if when is None else when)
            for sentence in readings(session.document) if address in (controls.KEY, controls.PROGRESSION) else ():
                session.say(sentence)
            return address, (*self.values(address), *self._at(heard_s))
        if address in self._of_sender:
            return address, self._of_sender[address](sender, *arguments)
        return address, self._actions[address](*arguments)

    def tried(self, address: str, arguments: Sequence[Raw]) -> tuple[Argument, ...]:
        """The address of an edit and what it would answer, last from when it would be heard; nothing changes.

        Raises what the edit would raise, and ControlError for what is no edit.
        """
        control = BY_ADDRESS.get(current_address(address))
        if control is None:
            raise ControlError("unknown_address", f"{address[:80]} is not an address of CueBridge.")
        if not (control.effect != "none" or control.address in SETTINGS) or control.access == "state":
            raise ControlError("bad_value", f"{control.address} is not an edit that can be tried.")
        wanted = control.check(arguments)
        if control.access == "value" and not wanted:
            raise ControlError("bad_type", f"{control.address} takes {control.signature}.")
        with self.session.log.only_trying():
            _, values = self.perform(control, wanted)
        return control.address, *(wanted[:1] + values[-1:] if control.access == "value" else values)

    def _begin_gesture(self, sender: Target, name: str = "") -> tuple[Argument, ...]:
        now_s = self.session.clock.now()
        self._gestures = {each: kept for each, kept in self._gestures.items() if kept[1] > now_s and each != sender}
        if name:
            self._gestures[sender] = (name, now_s + GESTURE_S)
        return (name,)

    def _gesture_of(self, sender: Target) -> str:
        """The gesture that a sender's edits belong to, "" for none; each edit keeps it going."""
        name, until_s = self._gestures.get(sender, ("", 0.0))
        now_s = self.session.clock.now()
        if not name or until_s <= now_s:
            return ""
        self._gestures[sender] = (name, now_s + GESTURE_S)
        return name

    def _correct_promises(self) -> None:
        """A change that begins later than its answer said is answered once more, with the right place."""
        while self.session.promises.corrections:
            number, heard_s = self.session.promises.corrections.popleft()
            found = self._promised.get(number)
            if found is not None:
                target, (address, values) = found
                self._answer(target, address, (*values[:-1], Double(heard_s)))

    # out ------------------------------------------------------------------------------------------------------------
    def push(self, send: Callable[[Target, bytes], None], budget_s: float = math.inf) -> None:
        """Sends subscribers what changed, ten to twenty times a second; called with every tick.

        budget_s: as for `datagram`, for what files that were read bring.
        """
        self._answer_later(budget_s)
        self._correct_promises()
        self.session.clients = len(self.clients)
        if not len(self.clients):
            return
        now_s = time.perf_counter()
        self.clients.expire(now_s)
        fast = now_s - self._playhead_s >= PLAYHEAD_INTERVAL_S
        edit = self.session.log.last.number
        all_values = now_s - self._pushed_s >= VALUES_INTERVAL_S or edit != self._pushed_edit
        if not fast or self.session.plan.puts_off("push", 5):
            return
        self._playhead_s = now_s
        if all_values:
            self._pushed_s, self._pushed_edit = now_s, edit
        shot = snapshot(self.session)
        cache: dict[str, tuple[Argument, ...]] = {}
        for client in self.clients:
            batch: list[bytes] = []
            size = 0
            for address in client.wanted:
                if not all_values and address != controls.PLAYHEAD and address in client.last:
                    continue
                if address not in cache:
                    cache[address] = self.values(current_address(address), shot)
                if client.last.get(address) != cache[address]:
                    client.last[address] = cache[address]
                    datagram = encode(address, cache[address], doubles=client.doubles)
                    if size + len(datagram) > MAX_BUNDLE and batch:
                        send(client.target, encode_bundle(batch))
                        batch, size = [], 0
                    batch.append(datagram)
                    size += len(datagram) + 4
            if batch:
                send(client.target, encode_bundle(batch) if len(batch) > 1 else batch[0])

    def values(self, address: str, shot: Snapshot | None = None) -> tuple[Argument, ...]:
        """The value of an address now."""
        session = self.session
        if address == controls.LOOP:
            looped = session.transport.looped
            return (looped is not None, Double(looped[0]), Double(looped[1])) if looped is not None else (False,)
        if address == controls.CLICK_ON_CUTS:
            click = session.arranging.click
            return click.on, click.channel, click.pitch
        if address == controls.LEARN_PICKUP:
            return (self.midi.learn.pickup,)
        if address == controls.LEARN_INVERTED:
            return (self.midi.learn.inverted,)
        if address == controls.TEMPO:
            return (float(session.tempo_map.bpm_at(session.beats_at(session.position_s()))),)
        if address in session.document.settings or BY_ADDRESS[address].access == "value":
            value = session.document.value(address)
            return (value,)
        return STATES[address](session, shot or snapshot(session), self)

    # actions --------------------------------------------------------------------------------------------------------
    @staticmethod
    def _at(heard_s: float) -> tuple[Argument, ...]:
        return (Double(heard_s),)

    def _loop(self, on: bool, *edges: float) -> tuple[Argument, ...]:
        self.session.loop(on, *edges)
        return ()

    def _set_click(self, on: bool, channel: int | None = None, pitch: int | None = None) -> float:
        before = self.session.arranging.click
        channel, pitch = before.channel if channel is None else channel, before.pitch if pitch is None else pitch
        return self.session.set_click(Click(on, channel, pitch))

    def _learn(self, address: str, *texts: str) -> tuple[Argument, ...]:
        self.midi.learn.learn(address, texts, time.perf_counter())
        return address, "move, press or play the control to map."

    def _set_pickup(self, wanted: bool) -> tuple[Argument, ...]:
        self.midi.learn.set_pickup(wanted)
        return ()

    def _set_inverted(self, wanted: bool) -> tuple[Argument, ...]:
        self.midi.learn.set_inverted(wanted)
        return ()

    def _unlearn(self) -> tuple[Argument, ...]:
        self.midi.learn.undo()
        return self.midi.listed()

    def _load_film(self, sender: Target, text: str) -> list[Reply]:
        """Answered once more when the film is there, with the picture second from which it plays, or why it is not."""

        def load(path: Path) -> list[Reply]:
            self.session.load_film(path)
            self._allowed.add_films(path)
            self._coming[path] = sender
            return [(controls.FILM_LOAD, (str(path),))]

        return self._at_place(self._allowed.film(text), sender, controls.FILM_LOAD, load)

    def _at_place(
        self, place: Later[Path], sender: Target, address: str, act: Callable[[Path], list[Reply]]
    ) -> list[Reply]:
        """Does something with a file once the disk has said where it is: mostly at once, else in a later turn."""
        if place.wait(0):
            return act(place.result())
        self._places.append(_Place(place, sender, address, act))
        return []

    def _find_places(self, patience_s: float = 0.0) -> None:
        """Does what had to wait for the disk.  patience_s: for all of it, at the end."""
        end_s = time.perf_counter() + patience_s
        found = [each for each in self._places if each.place.wait(max(end_s - time.perf_counter(), 0.0))]
        self._places = [each for each in self._places if each not in found]
        for each in found:
            try:
                replies = each.act(each.place.result())
            except UserError as error:
                self._refuse_later(each.sender, each.address, error, "bad_value")
                continue
            for reply in replies if each.sender != NOBODY else ():
                self._answer(each.sender, *reply)

    def _refuse_later(self, sender: Target, address: str, error: UserError, code: str) -> None:
        """To whoever asked in an earlier turn; what nobody waits for, as of a foot-switch, is said."""
        if sender == NOBODY:
            self.session.say(str(error))
        else:
            self._refuse(sender, address, error.code if isinstance(error, ControlError) else code, str(error))

    def _add_cue(self, in_s: float, out_s: float | str = "end", name: str | None = None) -> tuple[Argument, ...]:
        place, name, heard_s = self.session.add_cue(in_s, out_s, name)
        return place, name, Double(heard_s)

    def _move_chord(self, from_s: float, to_s: float) -> tuple[Argument, ...]:
        heard_s = self.session.edit(chords.move, from_s, to_s)
        return Double(from_s), Double(self.session.document.sixteenth(to_s)[0]), Double(heard_s)

    def _accept_cuts(self, strength: float, weight: str = "should") -> tuple[Argument, ...]:
        count = len(marks.cuts_without_hit(self.session.document, self.session.now(), strength))
        return count, Double(self.session.edit(marks.accept_cuts, strength, weight))

    def _fit_tempo(
        self, sender: Target, low_bpm: float = 70.0, high_bpm: float = 140.0, kind: str = "fixed", percent: float = 4.0
    ) -> tuple[Argument, ...]:
        """Answered when the tempi are found."""
        session = self.session
        self._search.ask(sender, tempo.search(session.document, session.now(), low_bpm, high_bpm, kind, percent))
        return ()

    def _reads_a_file(self, control: Control, arguments: tuple[Value, ...]) -> bool:
        """Whether a request, or what it tries, needs a file to be read first."""
        tried = control.address == controls.TRY and arguments
        return self._jobs.read_for(current_address(str(arguments[0])) if tried else control.address)

    def _read_unasked(self, address: str, given: tuple[Value, ...]) -> tuple[Argument, ...]:
        """For what gets no answer, as a foot-switch; what comes of it is said.  Raises ControlError."""
        if self.session.log.trying:
            raise ControlError("not_ready", f"{address} reads a file first: it is only tried over OSC.")
        self._read(FileRequest(address, address, NOBODY, self.session.log.who), given)
        return (str(given[0]),)

    def _read(self, request: FileRequest, given: Sequence[Raw]) -> None:
        """Begins to read the file that a request names.  Raises ControlError."""
        checked = BY_ADDRESS[request.address].check(given)
        self._files.read(request, self._jobs.make(request.address, checked))

    def _take_files(self, found: Sequence[ReadFile]) -> Iterator[bool | None]:
        """What was read is put in force, or only tried, and answered; as `_doing`."""
        for read in found:
            request = read.request
            yield True
            try:
                replies = yield from in_pieces(self.session, lambda read=read: self._take_file(read))  # type: ignore[misc]
            except UserError as error:
                self._refuse_later(request.sender, request.asked, error, "bad_value")
                continue
            for reply in replies if request.sender != NOBODY else ():
                self._answer(request.sender, *reply)

    def _take_file(self, read: ReadFile) -> list[Reply]:
        """gesture: the one in which the file was asked for.  Raises UserError."""
        request, session = read.request, self.session
        before = session.promises.number
        with session.log.acting(request.who, request.gesture):
            if request.trying:
                with session.log.only_trying():
                    address, values = read.take()[0]
                return [(request.asked, (address, *values))]
            replies: list[Reply] = read.take()
        replies[0] = request.asked, replies[0][1]
        if session.promises.number != before and request.sender != NOBODY:
            self._promised = {session.promises.number: (request.sender, replies[0])}
        return replies

    def _new_take(self, when: str = "bar") -> tuple[Argument, ...]:
        number, heard_s = self.session.new_take(when)
        return number, Double(heard_s)

    def _name_take(self, number: int, name: str) -> tuple[Argument, ...]:
        self.session.takes.rename(self.session.document.cue, number, checked_name(name))
        return number, name

    def _change_plan(
        self, kind: str, from_s: float | None = None, to_s: float | None = None, value: str = ""
    ) -> tuple[Argument, ...]:
        return self._at(self.session.edit(plan.change, kind, from_s, to_s, value))

    def _move_to_bar(self, make: Callable[..., Edit], from_s: float, to_s: float) -> tuple[Argument, ...]:
        """Answered with the second of the bar line that it came to."""
        session = self.session
        heard_s = session.edit(make, from_s, to_s)
        lines = plan.lines_of(session.document)
        return Double(from_s), Double(lines.second_of(lines.bar_at(to_s))), Double(heard_s)

    def _assign_theme(self, name: str, kind: str = "statement") -> tuple[Argument, ...]:
        places = plan.assigned_places(self.session.document, name)
        return name, len(places), *self._at(self.session.edit(plan.assign_theme, name, kind))

    def _lock(self, part: str, *edges: float) -> tuple[Argument, ...]:
        known, self._gathered = self._gathered, None
        if known is None or not known.is_of(self.session, (part, *edges)):  # or the music has changed meanwhile
            for _ in self._gather(part, *edges):
                pass
            known, self._gathered = self._gathered, None
        assert known is not None
        return part, *self._at(self.session.edit(locks.lock, known.gathered))

    def _reharmonise(self, at_s: float | str) -> tuple[Argument, ...]:
        session = self.session
        place_s = session.position_s() if isinstance(at_s, str) else at_s
        return at_s, *self._at(session.edit(plan.reharmonise, session.rewrites + 1, place_s))

    def _theme(self, make: Callable[..., Edit], *given: str) -> tuple[Argument, ...]:
        document, heard_s = self.session.edit_document(make, *given)
        return document.text(controls.THEME), Double(heard_s)

    def _capture(self, on: bool) -> tuple[Argument, ...]:
        capture = self.midi.capture
        capture.begin() if on else capture.end()
        return (on,)

    def _record_theme(self, on: bool) -> tuple[Argument, ...]:
        session, recorder = self.session, self.midi.theme
        if on:
            recorder.begin()
            return (True,)
        if not recorder.on:
            raise ControlError("not_ready", "no theme is being recorded.")
        notes = recorder.end(session)
        document = session.document
        bar_beats = float(document.result.tempo_map.meter_at(0).bar_beats)
        theme = theme_text(theme_from_notes(notes, document.result.key, bar_beats))
        return False, theme, *self._at(session.edit(set_value, controls.THEME, theme))

    def _second(self, place: Value) -> float:
        """Picture second of a place that was given as one or as bar|beat.  Raises ControlError."""
        if not isinstance(place, str):
            return float(place or 0.0)
        document = self.session.document
        if not document.result.slots:
            raise ControlError("not_ready", "bars are known when the film's music is composed.")
        return second_of(document, place)

    def _why(self, at: float | str) -> tuple[Argument, ...]:
        """What is known at once; over OSC the engine's part is waited for."""
        at_s = self._second(at)
        found: list[tuple[Argument, ...]] = []
        self.session.why(at_s, lambda why: found.append(why_values(why)))
        return found[0] if found else (Double(at_s),)

    def _subscribe(
        self, sender: Target, pattern: str, port: int | None = None, times: str | None = None
    ) -> tuple[Argument, ...]:
        target = (sender[0], port or sender[1])
        doubles = None if times is None else times == "d"
        found = self.clients.subscribe(target, sender, pattern, time.perf_counter(), doubles=doubles)
        return pattern, len(found)

    def _unsubscribe(self, sender: Target, pattern: str | None = None, port: int | None = None) -> tuple[Argument, ...]:
        return (self.clients.unsubscribe((sender[0], port or sender[1]), pattern),)

    def _export(self, sender: Target, text: str, replace: str | None = None) -> list[Reply]:
        """Answered when the file is there; play goes on meanwhile."""

        def export(path: Path) -> list[Reply]:
            self._exporter.export(sender, path, replace=replace is not None)
            return []

        return self._at_place(self._allowed.path(text, ".mid"), sender, EXPORT, export)

    def close(self) -> None:
        """At the end: waits for files that are being written, and answers whoever asked for them."""
        self._search.close()
        self._jobs.close()
        self.finish_files()

    def finish_files(self) -> None:
        """Waits for files that are being written, and answers whoever asked for them."""
        self._answer_later(wait=True)

    def _answer_later(self, budget_s: float = math.inf, *, wait: bool = False) -> None:
        """Answers what was asked in earlier turns and has taken until now."""
        self._find_places(PLACES_S if wait else 0.0)
        if wait:
            self.go_on()
        if not self.busy and (read := self._files.finished()):
            self._begin(self._take_files(read), budget_s)
        while self.session.film.outcomes:
            path, heard_s, fault = self.session.film.outcomes.popleft()
            sender = self._coming.pop(path, NOBODY)
            if sender != NOBODY and fault:
                self._refuse(sender, controls.FILM_LOAD, "not_ready", fault)
            elif sender != NOBODY:
                self._answer(sender, controls.FILM_LOAD, (str(path), Double(heard_s)))
        for found in self._search.finished():
            if found.fault and found.who != NOBODY:
                self._refuse(found.who, FIT, "bad_value", found.fault)
            for address, values in found.messages if found.who != NOBODY else ():
                self._answer(found.who, address, values)
        for done in self._exporter.finished(wait=wait):
            if done.fault is not None:
                self._refuse_later(done.who, EXPORT, done.fault, "not_ready")
            elif done.who == NOBODY:  # a foot-switch
                self.session.say(f"{done.notes} notes written to {done.path}.")
            else:
                self._answer(done.who, EXPORT, (str(done.path), done.notes))

    def _save_session(self, sender: Target, text: str | None = None, replace: str | None = None) -> list[Reply]:
        """Answered when the file is there."""
        save = self._save
        if save is None:
            raise ControlError("not_ready", "this run keeps no session file.")

        def answer(saved: Path | UserError) -> None:
            if isinstance(saved, UserError):
                self._refuse_later(sender, controls.SAVE, saved, "not_ready")
                return
            if self.daw is not None and self.daw.link.status():
                self.daw.store_session(str(saved))
            if sender != NOBODY:
                self._answer(sender, controls.SAVE, (str(saved),))

        if text is None:
            save(None, replace is not None, answer)
            return []

        def save_there(path: Path) -> list[Reply]:
            save(str(path), replace is not None, answer)
            return []

        return self._at_place(self._allowed.path(text, ".cuebridge.json"), sender, controls.SAVE, save_there)

    def _script(self) -> DawBridge:
        if self.daw is None or not self.daw.link.status():
            raise ControlError("not_ready", "no DAW script is connected.")
        return self.daw


@dataclass(frozen=True, slots=True)
class _Place:
    """What is done with a file once the disk has said where it is, and who is answered."""

    place: Later[Path]
    sender: Target
    address: str
    act: Callable[[Path], list[Reply]]


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Music that was gathered for a lock, and from what."""

    blocks: tuple[Block, ...]
    arguments: tuple[str | float, ...]
    gathered: locks.Gathered

    def is_of(self, session: Session, arguments: tuple[str | float, ...]) -> bool:
        """Whether it is what a lock with these arguments would gather now."""
        blocks = session.arranging.blocks()
        same = blocks is not None and len(blocks) == len(self.blocks) and all(map(is_, blocks, self.blocks))
        return same and session.document is self.gathered.document and arguments == self.arguments


def _with_time(answer: tuple[Argument, float]) -> tuple[Argument, ...]:
    """An answer whose last value is from when it is heard."""
    return answer[0], Double(answer[1])


def why_values(why: Why) -> tuple[Argument, ...]:
    """An answer as a message: times, name, who, the network's part, the other chords, the lines."""
    others = [value for other in why.others for value in (other.name, other.chance, other.network)]
    return Double(why.start_s), Double(why.end_s), why.name, why.who, why.weight, *others, *why.lines


def _place(value: Value) -> Any:
    """None for a word that stands for the playhead or the latest."""
    return None if isinstance(value, str) else value


def _pitches(text: str) -> tuple[int, ...]:
    """Raises ControlError."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() and int(word) <= 127 for word in words):
        raise ControlError("bad_value", "pitches are numbers from 0 to 127, 60 for middle C.")
    return tuple(map(int, words))


def _pitch_class(text: str) -> int:
    """Raises ControlError."""
    try:
        return parse_pitch_class(text.strip())
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None


def _chord(text: str) -> Chord:
    try:
        return Chord.parse(text)
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None


__all__ = ["ERROR", "Controls"]
