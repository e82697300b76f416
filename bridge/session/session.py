"""The running session: keeps the plan ahead of the playhead, whatever is edited and whatever the engine does.

One thread owns a session: engine messages, controls and ticks reach it through that thread, so nothing here is locked.
An edit is a pure function of the document (`bridge.session.edits`); `apply` is the one place that puts it in force, and
finds what has to follow by comparing the document with the one before.

Positions in `_s` are picture seconds unless they say timeline or host (the session's clock); beats are quarter notes on
the document's tempo map.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Concatenate, Final, NamedTuple, ParamSpec

from bridge.daw.names import NamedMark
from bridge.engine_link import EngineGone
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.session.arranging import Arranging, Music
from bridge.session.background import BackgroundPlan
from bridge.session.click import Click
from bridge.session.clock_tempo import NO_CLOCK, ClockTempo
from bridge.session.composing import Answer, Composing, Late
from bridge.session.edits import Edit, cues, printed, takes, tempo
from bridge.session.effects import effects
from bridge.session.file.find import film_analysed
from bridge.session.file.recording import Recorder
from bridge.session.film import FilmWatch, carried
from bridge.session.history import History
from bridge.session.now import Clock, Now, SystemClock, Timing, When, boundary_s
from bridge.session.output import Output
from bridge.session.requests import recipe
from bridge.session.takes import Takes
from bridge.session.transport import Ready, Transport
from engine.arrange.rhythm import ChordRun, merge_runs
from engine.arrange.score import Score
from engine.brief import Brief
from engine.document import CueState, Document, KeptTake, Pin, SavedSession, TempoChoice, parse_key
from engine.document.takes import EVER
from engine.music import Chord, FilmLevels, FrameRate, MusicError, Slot, TempoMap, Timecode, controls
from engine.music.arguments import ControlError
from engine.music.controls import CLICK_CHANNEL
from engine.music.spelling import spell
from engine.process.messages import (
    AnalysisProgress,
    Cancel,
    Composed,
    EngineFailure,
    EngineReady,
    FilmAnalysed,
    FromEngine,
    SlotsComposed,
    ToEngine,
)

NEWS: Final = 50
MAX_DEATHS: Final = 4  # of the engine, before the film was analysed
P = ParamSpec("P")


class Phase(StrEnum):
    """What is being done; the words that `/cue/progress` has for it."""

    START = "start"
    ANALYSE = "analyse"
    COMPOSE = "compose"
    READY = "ready"
    ENGINE = "engine"  # it died and comes back
    FAILED = "failed"


class Progress(NamedTuple):
    phase: Phase
    fraction: float
    words: str


class Promise(NamedTuple):
    """Where the last edit was said to be heard.  composing: its chords have not come yet."""

    number: int
    heard_s: float
    composing: bool


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """film: path.  reading: auto, full or quick.  from_s: where play begins.  loop: picture seconds.

    follows: the position comes from a DAW, not from the internal transport.  commit_s: the player replaces nothing
    nearer than this.  click: MIDI channel of a click on every cut from the start, 0: none.
    """

    film: str
    reading: str = "auto"
    clip_weights: str | None = None
    use_cache: bool = True
    tempo: Brief = field(default_factory=Brief)
    document: Document = field(default_factory=Document)
    play: bool = False
    once: bool = False
    from_s: float = 0.0
    loop: tuple[float, float] | None = None
    follows: bool = False
    commit_s: float = 0.06
    click: int = 0


class Session:
    """See the module's text.  say: hears each sentence for the person once.  engine_pid: process id of the engine."""

    def __init__(
        self,
        options: SessionOptions,
        player: PlayerLink,
        send: Callable[[ToEngine], None],
        *,
        say: Callable[[str], None] = lambda sentence: None,
        engine_pid: Callable[[], int | None] = lambda: None,
        clock: Clock = SystemClock(),  # noqa: B008 (it has no state)
    ) -> None:
        self.options, self.player, self.send, self.clock = options, player, send, clock
        self._say, self._engine_pid = say, engine_pid
        # Puts the session away before another film comes: where it is kept, and the other film's session if it has one.
        self.leave_film: Callable[[Path], tuple[Path | None, SavedSession | None]] = lambda film: (None, None)
        self.history = History(options.document)
        self.takes = Takes()
        self.transport = Transport(
            player, clock, follows=options.follows, from_s=options.from_s, play=options.play, once=options.once
        )
        self.composing = Composing()
        self.arranging = Arranging(player, clock, Click(options.click > 0, options.click or CLICK_CHANNEL))
        self.output = Output(player)
        self.film = FilmWatch(options.film, options.reading, options.clip_weights, options.use_cache)
        self.recorder = Recorder()
        self.analysed: FilmAnalysed | None = None
        self.news: deque[str] = deque(maxlen=NEWS)
        self.corrections: deque[tuple[int, float]] = deque(maxlen=NEWS)  # promises that moved: number and new place
        self.promise = Promise(0, 0.0, False)
        self.progress = Progress(Phase.START, 0.0, "starting the engine")
        self.engine_state = "starting"
        self.failure: str | None = None
        self.daw_map: TempoMap | None = None  # what a DAW's script or clock said last
        self.daw_rate: FrameRate | None = None  # as a DAW script states it
        self.daw_starts_at: Timecode | None = None  # timecode of timeline second 0, if the DAW says
        self.names_done: frozenset[NamedMark] = frozenset()  # names in the DAW that have had their effect
        self.rewrites = 0  # ranges that were composed again
        self.learning = ""  # what the view says while a controller is being learned
        self.clients = 0  # programs that are subscribed over OSC
        self.first_slots_host_s: float | None = None
        self._clock_tempo = ClockTempo()
        self._tempo_reason = ""
        self._tempo_map: TempoMap | None = None  # that the player has
        self._tempo_revision = 0
        self._runs: tuple[tuple[Slot, ...], tuple[Pin, ...], tuple[ChordRun, ...]] = ((), (), ())
        self._keeping: list[Future[KeptTake]] = []

    # what is ----------------------------------------------------------------------------------------------------------
    @property
    def document(self) -> Document:
        return self.history.document

    @property
    def plan(self) -> BackgroundPlan:
        return self.arranging.plan

    @property
    def status(self) -> PlayerStatus:
        return self.transport.status

    @property
    def rolling(self) -> bool:
        return self.transport.status.rolling

    @property
    def finished(self) -> bool:
        return self.transport.finished

    @property
    def idle(self) -> bool:
        """Whether everything asked for is composed, arranged and with the player."""
        plan = self.plan
        return self.composing.idle and self.document.result.complete and plan.complete and not plan.busy

    @property
    def starts_s(self) -> float:
        """Timeline second of the film's first frame."""
        return self.document.result.starts_s

    @property
    def tempo_map(self) -> TempoMap:
        return self._tempo_map or self.document.result.tempo_map

    @property
    def choice(self) -> TempoChoice | None:
        """The tempo map and grid in force, and why; None before the film is known."""
        if self.analysed is None:
            return None
        result = self.document.result
        return TempoChoice(result.tempo_map, result.grid, result.starts_s, self._tempo_reason)

    @property
    def end_s(self) -> float:
        """Where the music has rung out."""
        if self.analysed is None:
            return 0.0
        last_s = self.picture_at(self.plan.end_beats) if self.plan.end_beats else 0.0
        return max(last_s, self.analysed.film.duration_s)

    def position_s(self) -> float:
        """The playhead now."""
        return self.transport.position_s(self.starts_s)

    def beats_at(self, picture_s: float) -> float:
        return self.tempo_map.beats_at(picture_s + self.starts_s)

    def picture_at(self, beats: float) -> float:
        return self.tempo_map.seconds_at(beats) - self.starts_s

    @property
    def levels(self) -> FilmLevels:
        return self.arranging.levels_of(self.document, self.composing.levels)

    def now(self) -> Now:
        """The moment, for an edit."""
        status, commit_s, position_s = self.status, self.options.commit_s, self.position_s()
        rolling = status.rolling
        return Now(
            host_s=self.clock.now(),
            position_s=position_s,
            rolling=rolling,
            loop=self.transport.looped,
            committed_s=position_s + (commit_s if rolling else 0.0),
            soon_s=position_s + (commit_s + 0.02 if rolling else 0.0),
            earliest_s=position_s + (commit_s + self.composing.lead_s if rolling else 0.0),
            end_s=self.end_s,
            film=self.analysed,
            timing=Timing(self.options.tempo, self.daw_map, status.tempo_source if self.options.follows else ""),
        )

    def ready(self) -> Ready:
        """How far the music is there."""
        plan, slots, position_s = self.plan, self.document.result.slots, self.position_s()
        enough = plan.complete or self.planned_to_s >= self.transport.enough_s(slots, position_s)
        return Ready(enough, plan.complete, plan.busy, self.end_s, self.first_slots_host_s)

    @property
    def planned_to_s(self) -> float:
        """How far the player has notes."""
        planned = self.plan.planned_to_beats
        return self.picture_at(planned) if planned > -EVER else 0.0

    def chord_name(self, chord: Chord) -> str:
        """As the composer typed it or would write it; "" for silence."""
        return "" if chord.is_silence else spell(chord, self.document.result.key, self.document.typed)

    def runs(self) -> tuple[ChordRun, ...]:
        """The chords with their times: neighbouring slots of one chord as one."""
        document = self.document
        slots, pins = document.result.slots, document.pins
        if self._runs[0] is not slots or self._runs[1] != pins:
            self._runs = (slots, pins, merge_runs(document.slots))
        return self._runs[2]

    def score(self) -> Score | None:
        """What is to be played, as the arranger takes it; None before there is any."""
        document = self.document
        if self.analysed is None or not document.result.slots:
            return None
        return self.arranging.score(document, self.analysed, self.takes.table, self.levels)

    def pids(self) -> dict[str, int]:
        """Process ids of player and engine, as far as they run."""
        found = {"player": self.player.pid, "engine": self._engine_pid()}
        return {name: pid for name, pid in found.items() if pid is not None}

    def say(self, sentence: str) -> None:
        if sentence:
            self.news.append(sentence)
            self._say(sentence)

    # edits ------------------------------------------------------------------------------------------------------------
    def edit(self, make: Callable[Concatenate[Document, Now, P], Edit], *args: P.args, **more: P.kwargs) -> float:
        """Makes an edit of the document in force and applies it: `session.edit(chords.pin, chord, 3.0)`.

        Returns the picture second from which it is heard.  Raises ControlError or MusicError, and nothing has changed.
        """
        return self.apply(make(self.document, self.now(), *args, **more))

    def apply(self, edit: Edit) -> float:
        """Puts an edit in force; returns the picture second from which it is heard."""
        before, host_s = self.document, self.clock.now()
        if edit.take is not None:
            self.rewrites += 1
            self.history.push(before, edit.label, host_s)
            return self._promised(self._ask(edit, "the rewritten range"), composing=True)
        if edit.document is before:
            return self.now().soon_s if edit.heard_s is None else edit.heard_s
        self.history.push(edit.document, edit.label, host_s, merge=edit.merge)
        self._forget_keys(before, edit.document)
        return self._follow(before, edit)

    def undo(self) -> float:
        """Raises ControlError where there is nothing to undo."""
        return self._step(self.history.undo, "there is nothing to undo.")

    def redo(self) -> float:
        """Raises ControlError where there is nothing to redo."""
        return self._step(self.history.redo, "there is nothing to redo.")

    def _step(self, step: Callable[[], Document | None], refusal: str) -> float:
        before, from_s = self.document, boundary_s(self.document, self.now(), "bar")
        if step() is None:
            raise ControlError("not_ready", refusal)
        return self._follow(before, Edit(self.document, "", from_s, at_once=False))

    def restore_history(self, steps: tuple, index: int) -> None:
        """The history as it was before some edits that are taken back together."""
        before, from_s = self.document, boundary_s(self.document, self.now(), "bar")
        self.history.restore(steps, index)
        self._follow(before, Edit(self.document, "", from_s, at_once=False))

    def amend(self, document: Document, step_id: int | None = None) -> None:
        """Replaces the document of a step by one that sounds the same: no edit."""
        self.history.amend(document, step_id)

    def _follow(self, before: Document, edit: Edit) -> float:
        """Lets the document in force be heard: composes where its result is not its own, else arranges."""
        document, status = self.document, self.status
        self.transport.keep_place(self.starts_s, self.analysed.film.duration_s if self.analysed is not None else None)
        work = effects(before, document)
        if work.output or self.output.ports_due:
            self.output.follow(document, status)
            self.output.mute(document, status)
        self._use_map(document.result.tempo_map)
        if self.analysed is None:
            return self.position_s()
        now = self.now()
        if work.compose:
            if document.result.slots and edit.at_once and work.arrange:
                self._arrange(now, now.soon_s if now.rolling else None)
            heard_s = self._ask(edit, self.history.undo_label or "the change")
            return self._promised(max(heard_s, edit.heard_s or heard_s), composing=True)
        if self.composing.cancel():
            self.send(Cancel(self.composing.revision))
        heard_s = now.soon_s if edit.at_once or edit.from_s is None else edit.from_s
        self._arrange(now, heard_s if now.rolling else None)
        return self._promised(max(heard_s, edit.heard_s or heard_s), composing=False)

    def _ask(self, edit: Edit, label: str) -> float:
        asked = self.composing.ask(self.clock.now(), edit.from_s, label, edit.until_s, edit.take)
        return self.position_s() if asked.from_s is None else asked.from_s

    def _forget_keys(self, before: Document, after: Document) -> None:
        """A cue whose key is set to `auto` gets it from its mood as it is then."""
        changed = before.cue == after.cue and before.value(controls.KEY) != after.value(controls.KEY)
        if changed and parse_key(after.text(controls.KEY)) is None:
            self.composing.auto_keys.pop(after.cue, None)

    def _arrange(self, now: Now, from_s: float | None) -> None:
        if self.analysed is not None and self.document.result.slots:
            self.arranging.arrange(self.document, self.analysed, self.takes.table, self.levels, now, from_s)

    def rearrange(self) -> None:
        """New notes as soon as may be, from the beginning where nothing plays."""
        now = self.now()
        self._arrange(now, now.soon_s if now.rolling else None)

    def _use_map(self, tempo_map: TempoMap) -> None:
        if tempo_map != self._tempo_map:
            self._tempo_map = tempo_map
            self._tempo_revision += 1
            self.player.set_tempo_map(tempo_map, self._tempo_revision)

    # promises ---------------------------------------------------------------------------------------------------------
    def _promised(self, heard_s: float, *, composing: bool) -> float:
        """Where a change is heard: never before the player can take it over, now that the work of the call is done."""
        if self.rolling and self.transport.looped is None:
            heard_s = max(heard_s, self.position_s() + self.options.commit_s)
        self.promise = Promise(self.promise.number + 1, heard_s, composing)
        return heard_s

    def _correct(self, heard_s: float) -> None:
        number, promised_s, _ = self.promise
        self.promise = Promise(number, heard_s, False)
        if heard_s > promised_s + 0.005:
            self.corrections.append((number, heard_s))

    # takes and cues ---------------------------------------------------------------------------------------------------
    def select_cue(self, which: str) -> CueState:
        """The controls set this cue from now on; no step of the history, since nothing sounds different."""
        state = cues.find(self.document, which)
        self.amend(self.document.select(state.number))
        return state

    def add_cue(self, in_s: float, out_s: float | str = "end", name: str | None = None) -> tuple[int, str, float]:
        """Adds a cue and selects it; returns its place from 1, its name and from when it is heard."""
        heard_s = self.edit(cues.add, self._free_cue_number(), in_s, out_s, name)
        row = [state.number for state in self.document.cue_states]
        return row.index(self.document.cue) + 1, self.document.selected.name, heard_s

    def remove_cue(self, which: str | None = None) -> tuple[str, float]:
        """Deletes a cue (default: the selected one); returns its name and from when that is heard."""
        name = cues.find(self.document, which).name
        return name, self.edit(cues.remove, self._free_cue_number(), which)

    def place_cue(self, name: str, in_s: float, out_s: float | None) -> float:
        """A cue as a region of the DAW gives it: one of that name moves there, else it is added."""
        return self.edit(cues.region, self._free_cue_number(), name, in_s, out_s)

    def _free_cue_number(self) -> int:
        """A number that no cue has or had: undo and takes still know those that were deleted."""
        used = {state.number for step in self.history.steps for state in step.document.cue_states}
        return max(used | {cue for cue, _, _ in self.takes} | set(self.composing.auto_keys)) + 1

    def keep_take(self, name: str | None = None) -> KeptTake:
        """Marks the take in force as kept, with its notes.  Raises ControlError while it is still being composed."""
        document, name = self.document, None if name is None else takes.checked_name(name)
        if not document.result.complete or recipe(document) != document.result.recipe or self.analysed is None:
            raise ControlError("not_ready", "this take is still being composed.")
        made = None if self.arranging.is_long(document) else self.arranging.whole()
        if made is None:  # kept at once; its notes follow from a thread of their own
            table, levels = self.takes.table, self.levels
            self._keeping.append(self.arranging.kept_later(document, self.analysed, table, levels, name))
        return self.takes.keep(document, None if made is None else made[1], name)

    def new_take(self, when: When = "bar") -> tuple[int, float]:
        """Composes another take of the selected cue; returns its number and from when it is heard."""
        heard_s = self.edit(takes.new, self.takes.table, when)
        return self.document.take, heard_s

    def select_take(self, number: int, when: When = "bar") -> float:
        """A take of the selected cue that was heard before plays again note for note; another number is composed."""
        return self.edit(takes.select, self.takes.table, number, when)

    def name_take(self, number: int, name: str) -> None:
        known = self.takes.get(self.document.cue, number)
        if known is None:
            raise ControlError("bad_value", f"there is no take {number}.")
        self.takes.put(self.document.cue, number, replace(known, name=takes.checked_name(name)))

    def _keep_notes(self, *, wait: bool = False) -> None:
        while self._keeping and (wait or self._keeping[0].done()):
            try:
                self.takes.add_notes(self._keeping.pop(0).result())
            except Exception as error:  # the performance goes on, and the take can be kept again
                self.say(f"the notes of a kept take are not there ({type(error).__name__}: {error}): keep it again.")

    def whole(self) -> Music | None:
        """The composition, pins in place, and all its music as the plan has it; None while it is being arranged.

        Raises ControlError while nothing is composed.
        """
        if self.analysed is None or not self.document.result.complete:
            raise ControlError("not_ready", "nothing is composed yet.")
        return self.arranging.whole()

    def whole_later(self) -> Future[Music]:
        """The same from a thread of its own, whatever is edited meanwhile."""
        assert self.analysed is not None
        return self.arranging.whole_later(self.document, self.analysed, self.takes.table, self.levels)

    # the film and its tempo -------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Asks for the film at once: it is analysed while the networks load."""
        request = self.film.request()
        if request is not None:
            self.send(request)

    def load_film(self, path: Path) -> float:
        """Another film in place of this one, which plays on until the other is analysed.  Raises ControlError."""
        if self.analysed is None:
            raise ControlError("busy", "the first film is still being analysed.")
        if not os.path.isfile(path):
            raise ControlError("bad_value", f"there is no file {path}.")
        self.film.load(path)
        self.progress = Progress(Phase.ANALYSE, 0.0, f"analysing {path.name}")
        self.say(f"{path.name} is being analysed; {self.film.name} plays on until then.")
        self.begin()
        return self.position_s()

    def _film_analysed(self, message: FilmAnalysed) -> None:
        if not self.film.is_expected(message):
            return
        if self.film.coming is not None:
            self._change_film(self.film.coming)
        self.film.analysed()
        if self.analysed is not None:  # a new engine had to analyse it again, or the session was restored
            self._ready_again()
            return
        if self.transport.from_s >= message.film.duration_s:
            self.failure = (
                f"--from {self.transport.from_s:g} lies after the film's end ({message.film.duration_s:g} s)."
            )
            return
        self.progress = Progress(Phase.COMPOSE, 0.0, "composing")
        self.analysed = message
        for note in message.notes:
            self.say(note)
        self.say(f"picture reading: {message.reading} ({message.reason.rstrip('.')}).")
        try:
            choice = tempo.choice_of(self.document, self.now())
        except MusicError as error:
            self.failure = str(error)
            return
        self.say(choice.reason)
        self._tempo_reason = choice.reason
        draws = self.document.draws.begun(message.film.content_key, self.document.take)
        self.amend(replace(tempo.on_map(self.document, choice, self.now()), draws=draws))
        self._use_map(choice.tempo_map)
        self._place(self.options.loop)
        if recipe(self.document) != self.document.result.recipe:
            self._ask(Edit(self.document, ""), "first composition")

    def _change_film(self, path: Path) -> None:
        """This film's session is put away, the other's begins or is taken up again."""
        before, internal = self.film.name, not self.options.follows
        kept, saved = self.leave_film(path)
        if internal:
            self.player.stop()
        self.transport.loop(False, self.starts_s, None)
        self.transport.play_wanted, self.transport.from_s = False, 0.0
        self.composing.cancel()
        self.send(Cancel(self.composing.revision))
        self.film.path, self.film.coming = path, None
        self.history, self.takes = History(carried(self.document)), Takes()
        self.composing.auto_keys, self.composing.levels, self.analysed = {}, None, None
        self.arranging.clear()
        where = f"the session of {before} is kept in {kept}" if kept else f"{before} had nothing to keep"
        self.say(f"the film is {path.name} now; {where}.")
        if saved is not None:
            self.restore(saved)
            self.say(f"the session of {path.name} was taken up again.")
        if internal:
            self.player.locate(self.starts_s)

    def _film_failed(self, message: EngineFailure) -> None:
        outcome = self.film.failed(message, self.clock.now(), analysed=self.analysed is not None)
        self.say(outcome.sentence)
        if outcome.ends:
            self.failure = message.sentence
        elif not outcome.stays:
            self.progress = Progress(Phase.FAILED, 0.0, message.sentence)
        elif outcome.sentence:
            self._ready_again()
        if outcome.ask:
            self.film.forget()
            self.begin()

    def _ready_again(self) -> None:
        if self.progress.phase in (Phase.FAILED, Phase.ANALYSE, Phase.ENGINE) and self.document.result.complete:
            self.progress = Progress(Phase.READY, 1.0, "composed")

    def _look_for_film(self, host_s: float) -> None:
        """A film that vanished is looked for while the engine could analyse it."""
        path = self.film.path
        if self.engine_state != "ready" or not self.film.found(host_s):
            return
        if self.film.path != path:
            self.say(f"the film was moved: it is {self.film.path} now.")
            if self.analysed is not None:
                film = replace(self.analysed.film, path=str(self.film.path))
                self.analysed = replace(self.analysed, film=film)
        self.begin()

    def _place(self, loop: tuple[float, float] | None) -> None:
        if self.analysed is not None:  # timecode has no word for 23.976 and 29.97: the film's rate tells
            bar, rate = float(self.tempo_map.meter_at(0).bar_beats), str(self.analysed.film.clock.rate.fps)
            self.player.set_sync(replace(self.player.sync, film_rate=rate, quantum=bar))
        self.transport.place(self.starts_s)
        if loop is not None:
            self.loop(True, *loop)

    def use_daw_map(self, tempo_map: TempoMap, who: str) -> None:
        """The DAW's own tempo: chords keep their picture time, beats and bars become the DAW's.  No edit of ours."""
        if self.document.result.grid == "seconds":
            return
        self.daw_map = tempo_map  # also where it equals the map in force, which may be only the one we began with
        if self.analysed is None or tempo_map == self.document.result.tempo_map:
            return  # taken up when the film is known
        now = self.now()
        choice = tempo.choice_of_daw(self.document, now, tempo_map)
        self._tempo_reason = choice.reason
        self.amend(tempo.on_map(self.document, choice, now))
        self._use_map(tempo_map)
        self.composing.ask_again()
        self.rearrange()
        bpm = tempo_map.bpm_at(self.beats_at(self.position_s()))
        self.say(f"tempo {bpm:g} of {who}; chords keep their place in the picture.")

    def _watch_tempo(self, host_s: float) -> None:
        status = self.status
        if self.analysed is None or not self.options.follows or status.tempo_source in NO_CLOCK:
            return
        heard = self._clock_tempo.watch(status, self.tempo_map, self._first_bar_1_s, host_s)
        if heard is not None:
            self.say(heard.warning)
            self.use_daw_map(heard.tempo_map, status.tempo_source)

    def _first_bar_1_s(self) -> float:
        """Timeline second of bar 1 before any clock has moved it."""
        return float(tempo.choice_as_asked(self.document, self.now()).tempo_map.origin_s)

    # the transport ----------------------------------------------------------------------------------------------------
    def play(self) -> float:
        """Starts the internal transport as soon as enough is arranged.  Raises ControlError under a DAW."""
        return self.transport.play(self.starts_s, self.ready())

    def stop(self) -> float:
        return self.transport.stop(self.starts_s)

    def toggle(self) -> None:
        if self.rolling or self.transport.play_wanted:
            self.stop()
        else:
            self.play()

    def locate(self, picture_s: float) -> float:
        return self.transport.locate(picture_s, self.starts_s)

    def loop(self, on: bool, from_s: float | None = None, to_s: float | None = None) -> float:
        """Loops a range; without one, the last range or the whole film.  Raises ControlError."""
        duration_s = self.analysed.film.duration_s if self.analysed is not None else None
        self.say(self.transport.loop(on, self.starts_s, duration_s, from_s, to_s))
        return self.position_s()

    def panic(self) -> float:
        self.player.panic()
        return self.position_s()

    def set_click(self, click: Click) -> float:
        """A click on every cut; returns the picture second from which it is heard."""
        now = self.now()
        if click != self.arranging.click:
            self.arranging.click = click
            self.arranging.hand_over_again(self.beats_at(now.soon_s) if now.rolling else None)
        return now.soon_s

    # the engine -------------------------------------------------------------------------------------------------------
    def on_engine(self, message: FromEngine | EngineGone) -> None:
        """One message of the engine's pipe."""
        now, commit_s = self.now(), self.options.commit_s
        match message:
            case EngineReady():
                self.engine_state = "ready"
                self.composing.weights = message.weights
                self.begin()
            case EngineGone():
                self._engine_gone(message)
            case AnalysisProgress():
                self.progress = Progress(Phase.ANALYSE, message.fraction, message.phase)
                if message.restarted:
                    self.say(f"{message.phase}.")
            case FilmAnalysed():
                self._film_analysed(message)
            case SlotsComposed() if self.analysed is not None:
                self._composed(self.composing.slots_composed(message, self.history, now, commit_s), message.fraction)
            case Composed() if self.analysed is not None:
                self._composed(self.composing.composed(message, self.history, now), 1.0)
            case EngineFailure(film=True):
                self._film_failed(message)
            case EngineFailure():
                self.composing.failed(message)
                self.progress = Progress(Phase.FAILED, 0.0, message.sentence)
                self.say(message.sentence)
                if not self.document.result.slots:
                    self.failure = message.sentence

    def _composed(self, answer: Answer | Late | None, fraction: float) -> None:
        """An answer belongs to the step that it was asked for, which need not be the one in force."""
        if answer is None:
            return
        if self.first_slots_host_s is None:
            self.first_slots_host_s = self.clock.now()
        self.amend(answer.document, answer.step_id)
        if isinstance(answer, Late):
            self.say(answer.sentence)
            if self.promise.composing:
                self._correct(answer.from_s)
                self.promise = self.promise._replace(composing=True)
            return
        for sentence in answer.sentences:
            self.say(sentence)
        self.progress = Progress(Phase.COMPOSE, fraction, "composing")
        if answer.complete:
            self.progress = Progress(Phase.READY, 1.0, "composed")
            self.takes.remember(answer.document)
        if answer.step_id == self.history.id and answer.arrange:
            self._arrange(self.now(), answer.from_s)
            self.promise = self.promise._replace(composing=False)

    def _engine_gone(self, gone: EngineGone) -> None:
        self.engine_state = "away"
        self.film.forget()
        self.say(gone.sentence)
        self.progress = Progress(Phase.ENGINE, 0.0, gone.sentence)  # so that clients hear of it, too
        given_up = self.composing.engine_gone()
        if given_up:
            self.say(given_up)
            self.progress = Progress(Phase.FAILED, 0.0, given_up)
            if not self.document.result.slots:
                self.failure = given_up
        if gone.restarts >= MAX_DEATHS and self.analysed is None:
            self.failure = "the engine died again and again while it analysed the film."

    def _send_request(self) -> None:
        if self.composing.queued is None or not self.film.known or self.engine_state != "ready":
            return
        if self.composing.due(self.now(), self.options.commit_s):
            self.send(self.composing.request(self.history, self.clock.now()))
            self.progress = Progress(Phase.COMPOSE, 0.0, "composing")

    # every turn -------------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """To be called fifty times a second or so."""
        host_s = self.clock.now()
        for sentence in self.transport.poll():
            self.say(sentence)
        self.recorder.add(self.player.drain_events())
        if not self.rolling:
            self.recorder.stop()
        self._watch_tempo(host_s)
        self._look_for_film(host_s)
        self._send_request()
        self._load_player()
        self._keep_notes()
        self.transport.tick(self.starts_s, self.ready())
        document = self.document
        repeats = document.text(controls.TAKE_REPEAT) == "new" and document.result.complete
        if repeats and self.transport.pass_ends(self.starts_s, self.composing.lead_s):
            with contextlib.suppress(ControlError):  # there are no more numbers: the last take goes on
                self.new_take("loop")

    def hurry(self, *, answered: bool) -> None:
        """Does what must not wait for the next tick: a change near its boundary is sent to the engine, and what the
        engine has answered to the player."""
        self._send_request()
        if answered:
            self._load_player()

    def _load_player(self) -> None:
        now, commit_s = self.now(), self.options.commit_s
        begun = self.arranging.tick(self.document, self.analysed, now, self.status, commit_s, self.say)
        if self.promise.composing or not self.promise.heard_s:
            return
        if begun and now.rolling and now.loop is None:
            self._correct(max(begun[0], self.position_s() + commit_s))
        if begun or not self.plan.busy:
            self.promise = self.promise._replace(heard_s=0.0)

    def restore(self, saved: SavedSession) -> None:
        """A session that was kept; plays before and without the engine."""
        self.analysed, self._tempo_reason = film_analysed(saved), saved.tempo.reason
        self.history.restore(saved.steps, saved.index)
        for each in saved.takes:
            self.takes.put(each.cue, each.number, each.take)
        self.names_done = saved.names
        document = self.document
        result = document.result
        self.composing.levels = result.levels
        self.composing.restore_keys(document)
        self._use_map(result.tempo_map)
        self.output.follow(document, self.status)
        self._arrange(self.now(), None)
        if result.complete:
            self.progress = Progress(Phase.READY, 1.0, "restored")
        if document.printed:
            self.say(f"printed into the DAW, so muted here: {printed.as_words(document)}.")
        if recipe(document) != result.recipe or not result.complete:
            self._ask(Edit(document, ""), "the session's composition")
        self._place(self.options.loop)

    def close(self) -> None:
        """Ends what runs beside the session; the notes of kept takes are waited for."""
        self._keep_notes(wait=True)
        self.arranging.close()
