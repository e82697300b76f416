"""The running cue: keeps the plan ahead of the playhead, whatever the composer turns and whatever the engine does.

One thread owns a session: engine messages, controls and ticks reach it through that thread, so nothing here is locked.
Times in `_s` are picture seconds unless they say timeline or host (`time.perf_counter`); beats are quarter notes on the
tempo map in force.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bridge.daw.names import NamedMark
from bridge.engine_link import EngineGone
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.session.arranging import EVER, Score
from bridge.session.background import PlanDesk
from bridge.session.click import SessionKnock
from bridge.session.composing import SessionComposing
from bridge.session.cue_edits import CueEdits
from bridge.session.editing import Edits
from bridge.session.file.find import film_analysed
from bridge.session.file.recording import Recorder
from bridge.session.film import SessionFilm
from bridge.session.follow import SessionTempo
from bridge.session.history import History
from bridge.session.output import SessionOutput
from bridge.session.playing import SessionPlaying
from bridge.session.printed import Freezer
from bridge.session.requests import ComposeDesk, recipe
from bridge.session.takes import Takes
from bridge.session.tempo import TempoChoice, TempoWish
from bridge.session.transport import SessionTransport
from engine.arrange.rhythm import merge_runs
from engine.document import Document, Pin, SavedSession, parse_key
from engine.music import (
    PARTS,
    Chord,
    Composition,
    FrameRate,
    Key,
    Slot,
    TempoMap,
    Timecode,
    controls,
)
from engine.music.controls import CLICK_CHANNEL
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
MAX_WISH_DEATHS: Final = 3  # of the engine, over one composition
MAX_DEATHS: Final = 4  # of the engine, before the film was seen


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """film: path.  reading: auto, full or quick.  from_s: where play begins.  loop: picture seconds."""

    film: str
    reading: str = "auto"
    clip_weights: str | None = None
    use_cache: bool = True
    tempo: TempoWish = field(default_factory=TempoWish)
    document: Document = field(default_factory=Document)
    play: bool = False
    once: bool = False
    from_s: float = 0.0
    loop: tuple[float, float] | None = None
    follows: bool = False  # the position comes from a DAW, not from the internal transport
    commit_s: float = 0.06  # the player replaces nothing nearer than this
    knock: int = 0  # MIDI channel on which cuts knock from the start; 0: none


class Session:
    """See the module's text.  `say` hears each sentence for the person once."""

    def __init__(
        self,
        options: SessionOptions,
        player: PlayerLink,
        send: Callable[[ToEngine], None],
        *,
        say: Callable[[str], None] = lambda sentence: None,
        engine_pid: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.options = options
        self.player = player
        self.send = send
        self._say = say
        self._engine_pid = engine_pid
        # Puts the session away before another film comes: where it is kept, and the other film's session if it has one.
        self.leave_film: Callable[[Path], tuple[Path | None, SavedSession | None]] = lambda film: (None, None)
        self.news: deque[str] = deque(maxlen=NEWS)
        self.history = History(options.document)
        self.desk = ComposeDesk()
        self.transport = SessionTransport(self)
        self.tempo = SessionTempo(self)
        self.edits = Edits(self)
        self.freezer = Freezer(self)
        self.knock = SessionKnock(self, options.knock > 0, options.knock or CLICK_CHANNEL)
        self.cues = CueEdits(self)
        self.output = SessionOutput(self)
        self.composing = SessionComposing(self)
        self.playing = SessionPlaying(self)
        self.film = SessionFilm(self)
        self.recorder = Recorder()
        self.analysed: FilmAnalysed | None = None
        self.choice: TempoChoice | None = None
        self.weights: tuple[str, ...] = ()
        self.takes = Takes()
        self.status: PlayerStatus | None = None
        self.engine_state = "starting"
        self.progress: tuple[str, float, str] = ("start", 0.0, "starting the engine")
        self.daw_rate: FrameRate | None = None  # as a DAW script states it
        self.daw_starts_at: Timecode | None = None  # timecode of timeline second 0, if the DAW says
        self.learning = ""  # what the view says while a hand is being learned
        self.clients = 0  # programs that are subscribed over OSC
        self.finished = False
        self.failure: str | None = None
        self.names_done: frozenset[NamedMark] = frozenset()  # names in the DAW that have had their effect
        self.auto_keys: dict[int, tuple[Key, str]] = {}  # by cue, where the mood chose
        self._tempo_map: TempoMap | None = None
        self._placed_at_s = 0.0
        self._tempo_revision = 0
        self.first_slots_host_s: float | None = None
        self._chords: tuple[tuple[tuple[Slot, ...], tuple[Pin, ...]], tuple] | None = None

    # what is ------------------------------------------------------------------------------------------------------
    @property
    def document(self) -> Document:
        return self.history.document

    @property
    def starts_s(self) -> float:
        """Timeline second of the film's first frame."""
        return self.document.result.starts_s

    @property
    def tempo_map(self) -> TempoMap:
        return self._tempo_map or self.document.result.tempo_map

    @property
    def film_name(self) -> str:
        return Path(self.options.film).name

    @property
    def rolling(self) -> bool:
        return self.status is not None and self.status.rolling

    @property
    def end_s(self) -> float:
        """Where the cue has rung out."""
        if self.analysed is None:
            return 0.0
        last_s = self.tempo_map.seconds_at(self.plan.end_beats) - self.starts_s if self.plan.end_beats else 0.0
        return max(last_s, self.analysed.film.duration_s)

    def position_s(self) -> float:
        """The playhead now."""
        if self.status is None:
            return self.options.from_s
        return self.status.position_at(time.perf_counter()) - self.starts_s

    def beats_at(self, picture_s: float) -> float:
        return self.tempo_map.beats_at(picture_s + self.starts_s)

    def picture_at(self, beats: float) -> float:
        return self.tempo_map.seconds_at(beats) - self.starts_s

    @property
    def planned_to_s(self) -> float:
        """How far the player has notes."""
        planned = self.plan.planned_to_beats
        return self.picture_at(planned) if planned > -EVER else 0.0

    @property
    def composed_to_s(self) -> float:
        slots = self.document.result.slots
        return slots[-1].end_s if slots else 0.0

    def runs(self) -> tuple:
        """The chords with their times: neighbouring slots of one chord as one."""
        document = self.document
        made_from = (document.result.slots, document.pins)
        if self._chords is None or self._chords[0][0] is not made_from[0] or self._chords[0][1] != made_from[1]:
            self._chords = (made_from, merge_runs(document.slots))
        return self._chords[1]

    def chord_name(self, chord: Chord) -> str:
        """As the composer would write it: flats in flat keys and where the progression has them; "" for silence."""
        if chord.is_silence:
            return ""
        typed, key = self.document.text(controls.PROGRESSION), self.document.result.key
        flats = key.uses_flats or (key.semitones_from_reference == 0 and chord.root in (3, 8, 10))
        if re.search(r"[A-G][b#]", typed):
            flats = re.search(r"[A-G]b", typed) is not None
        return chord.lead_sheet(flats=flats)

    def run_index_at(self, picture_s: float) -> int:
        """Index of the chord at a position; -1 before the first."""
        return bisect_right(self.runs(), picture_s + 1e-9, key=lambda run: run.start_s) - 1

    def waits_for(self) -> str:
        """What play has to wait for; empty when it has not."""
        if self.failure is not None:
            return self.failure
        if self.analysed is None:
            return self.progress[2]
        if not self.transport.enough_ahead(self.position_s()):
            return "the first chords" if not self.document.result.slots else "the next chords"
        if not self.rolling:
            return "the DAW to play" if self.options.follows and not self.transport.shared else "play"
        return ""

    def pids(self) -> dict[str, int]:
        """Process ids of player and engine, as far as they run."""
        found = {"player": self.player.pid, "engine": self._engine_pid()}
        return {name: pid for name, pid in found.items() if pid is not None}

    def say(self, sentence: str) -> None:
        self.news.append(sentence)
        self._say(sentence)

    # life ---------------------------------------------------------------------------------------------------------
    def engine_message(self, message: FromEngine | EngineGone) -> None:
        """One message of the engine's pipe."""
        match message:
            case EngineReady():
                self.engine_state = "ready"
                self.weights = message.weights
                self.film.ask()
            case EngineGone():
                self._engine_gone(message)
            case AnalysisProgress():
                self.progress = ("analyse", message.fraction, message.phase)
                if message.restarted:
                    self.say(f"{message.phase}.")
            case FilmAnalysed():
                self.film.analysed(message)
            case SlotsComposed():
                self.composing.slots_composed(message)
            case Composed():
                self.composing.composed(message)
            case EngineFailure():
                self.composing.failed(message)

    def tick(self) -> None:
        """To be called fifty times a second or so."""
        now_s = time.perf_counter()
        if (status := self.player.poll()) is not None:
            self.status = self.transport.placed(status)
        for sentence in self.status.notes if self.status is not None else ():
            self.say(sentence)  # the link hands each out once
        if self.status is not None and self.status.notes:
            self.status = replace(self.status, notes=())
        self.recorder.add(self.player.drain_events())
        self.tempo.watch(now_s)
        self.film.tick(now_s)
        self.composing.ask(now_s)
        self.playing.hand_over()
        self.transport.start_or_end(now_s)

    def hurry(self, *, answered: bool) -> None:
        """What must not wait for the next tick: a change near its boundary goes to the engine, and what the engine has
        answered to the player."""
        self.composing.ask(time.perf_counter())
        if answered:
            self.playing.hand_over()

    def begin(self) -> None:
        """Asks for the film at once: it is looked at while the networks load."""
        self.film.ask()

    def restore(self, saved: SavedSession) -> None:
        """A session that was kept; plays before and without the engine."""
        self.analysed = film_analysed(saved)
        self.choice = saved.tempo
        self.history.restore(saved.steps, saved.index)
        for each in saved.takes:
            self.takes.put(each.cue, each.number, each.take)
        self.names_done = saved.names
        result = self.document.result
        self.playing.film_levels = result.levels
        if result.slots and parse_key(self.document.text(controls.KEY)) is None:
            self.auto_keys[self.document.cue] = (result.key, result.key_reason)
        chosen = {state.number for state in self.document.cue_states if parse_key(state.text(controls.KEY)) is None}
        for number, key, reason in result.cue_keys:
            if number in chosen:
                self.auto_keys[number] = (key, reason)
        self.use_map(result.tempo_map)
        self.output.follow()
        self.rearrange(None)
        if result.complete:
            self.progress = ("ready", 1.0, "restored")
        if self.freezer.words:
            self.say(f"printed into the DAW, so mute here until thawed: {self.freezer.words}.")
        if recipe(self.document) != result.recipe or not result.complete:
            self.wish_composition(None, "the session's composition")
        self.place()

    def place(self) -> None:
        self._placed_at_s = self.starts_s
        if self.analysed is not None:  # timecode has no word for 23.976 and 29.97: the film's rate tells
            bar = float(self.tempo_map.meter_at(0).bar_beats)
            rate = str(self.analysed.film.rate.fps)
            self.player.set_sync(replace(self.player.sync, film_rate=rate, quantum=bar))
        start_s = self.options.from_s + self.starts_s
        if (self.transport.shared or not self.options.follows) and start_s > 0:
            self.player.locate(start_s)
        if self.options.loop is not None:
            self.transport.loop(True, *self.options.loop)

    def _engine_gone(self, gone: EngineGone) -> None:
        self.engine_state = "away"
        self.film.forget()
        self.say(gone.sentence)
        self.progress = ("engine", 0.0, gone.sentence)  # so that clients hear of it, too
        pending = self.desk.pending
        if pending is not None:
            self.desk.pending = None
            deaths = pending.wish.deaths + 1
            if self.desk.wish is None and deaths < MAX_WISH_DEATHS:
                self.desk.wish = replace(pending.wish, deaths=deaths)
            elif self.desk.wish is None:
                given_up = f"{pending.wish.label} is given up: the engine died {deaths} times while it composed it."
                self.say(given_up)
                self.progress = ("failed", 0.0, given_up)
                if not self.document.result.slots:
                    self.failure = given_up
        if gone.restarts >= MAX_DEATHS and self.analysed is None:
            self.failure = "the engine died again and again while it looked at the film."

    def use_map(self, tempo_map: TempoMap) -> None:
        if tempo_map != self._tempo_map:
            self._tempo_map = tempo_map
            self._tempo_revision += 1
            self.player.set_tempo_map(tempo_map, self._tempo_revision)

    # composing and playing -----------------------------------------------------------------------------------------
    @property
    def plan(self) -> PlanDesk:
        return self.playing.plan

    def wish_composition(self, boundary_s: float | None, label: str, **more: object) -> float:
        """Asks for a composition; returns the picture second from which it will be heard."""
        return self.composing.wish(boundary_s, label, **more)

    def score(self) -> Score | None:
        """What is to be played, as the arranger takes it; None before there is any."""
        return self.playing.score()

    def rearrange(self, takeover_s: float | None) -> None:
        """New notes, to be heard from a picture second on; None: from the beginning."""
        self.playing.rearrange(takeover_s)

    # edits ----------------------------------------------------------------------------------------------------------
    def follow_document(
        self, boundary_s: float | None, *, whole: bool = False, until_s: float | None = None, as_is: bool = False
    ) -> float:
        """Lets the document in force be heard: composes where its result is not its own, else arranges.

        until_s: what was composed goes on there.  as_is: until the new chords are there, what plays stays as it is
        (otherwise what needs no chords of its own is heard at once).
        """
        document = self.document
        self._keep_place()
        self.output.follow()
        self.use_map(document.result.tempo_map)
        for part in PARTS:
            if self.status is None or (part in self.status.muted) == bool(document.value(controls.of_part(part, "on"))):
                self.player.mute(part, not document.value(controls.of_part(part, "on")))
        if recipe(document) != document.result.recipe or not document.result.complete:
            if self.analysed is None:
                return self.position_s()
            if document.result.slots and not as_is:
                self.rearrange(self.transport.soon_s() if self.rolling else None)
            return self.wish_composition(boundary_s, self.history.undo_label or "the change", until_s=until_s)
        if self.desk.wish is not None or self.desk.pending is not None:
            self.desk.cancel()
            self.send(Cancel(self.desk.revision))
        heard_s = boundary_s if whole and boundary_s is not None else self.transport.soon_s()
        self.rearrange(heard_s if self.rolling else None)
        return heard_s

    def _keep_place(self) -> None:
        """The film has moved on the timeline: the internal playhead goes with it."""
        if self._placed_at_s != self.starts_s and not self.options.follows and self.status is not None:
            picture_s = self.status.position_at(time.perf_counter()) - self._placed_at_s
            self.player.locate(picture_s + self.starts_s)
            if self.transport.looped is not None:
                self.transport.loop(True, *self.transport.looped)
            moved = self.starts_s - self._placed_at_s
            self.status = replace(self.status, position_s=self.status.position_s + moved)
        self._placed_at_s = self.starts_s

    def composition(self) -> Composition | None:
        """What plays, with the pins in it; None before there is any."""
        score = self.score()
        return score.pinned if score is not None else None
