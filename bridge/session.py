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

from bridge.edits import Draft, History, Pin, Result
from bridge.engine_link import EngineGone
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.session_compose import MAX_DELAYS, ComposeDesk, Pending, Wish, parse_key, recipe
from bridge.session_edits import Edits
from bridge.session_file import Saved
from bridge.session_follow import SessionTempo
from bridge.session_plan import EVER, Load, Plan, Score
from bridge.session_record import Recorder
from bridge.session_score import KeptTake, build_score
from bridge.session_tempo import TempoChoice, TempoWish, choose_tempo
from bridge.session_transport import SessionTransport
from engine.arrange import FilmLevels, film_levels
from engine.arrange.rhythm import merge_runs
from engine.messages import (
    AnalyseRequest,
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
from engine.music import (
    PARTS,
    Chord,
    Composition,
    Controller,
    FrameRate,
    Key,
    MusicError,
    Note,
    Slot,
    Take,
    TempoMap,
    Timecode,
)

WORK_S: Final = 0.012  # arranging in one tick: what else waits (OSC, the view) waits no longer
NEWS: Final = 50
GROWTH_S: Final = 0.2  # of a long composition that arrives in pieces, not each piece is arranged on its own
MAX_DEATHS: Final = 4  # of the engine, before the film was seen


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """film: path.  reading: auto, full or quick.  from_s: where play begins.  loop: picture seconds."""

    film: str
    reading: str = "auto"
    clip_weights: str | None = None
    use_cache: bool = True
    tempo: TempoWish = field(default_factory=TempoWish)
    draft: Draft = field(default_factory=Draft)
    play: bool = False
    once: bool = False
    from_s: float = 0.0
    loop: tuple[float, float] | None = None
    follows: bool = False  # the position comes from a DAW, not from the internal transport
    commit_s: float = 0.1  # the player replaces nothing nearer than this


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
        self._send = send
        self._say = say
        self._engine_pid = engine_pid
        self.news: deque[str] = deque(maxlen=NEWS)
        self.history = History(options.draft)
        self.desk = ComposeDesk()
        self.transport = SessionTransport(self)
        self.tempo = SessionTempo(self)
        self.edits = Edits(self)
        self.plan = Plan()
        self.recorder = Recorder()
        self.analysed: FilmAnalysed | None = None
        self.choice: TempoChoice | None = None
        self.weights: tuple[str, ...] = ()
        self.takes: dict[int, KeptTake] = {}
        self.status: PlayerStatus | None = None
        self.engine_state = "starting"
        self.progress: tuple[str, float, str] = ("start", 0.0, "starting the engine")
        self.daw_rate: FrameRate | None = None  # as a DAW script states it
        self.daw_starts_at: Timecode | None = None  # timecode of timeline second 0, if the DAW says
        self.finished = False
        self.failure: str | None = None
        self._film_known = self._film_asked = False
        self._levels: FilmLevels | None = None
        self.auto_key: tuple[Key, str] | None = None
        self._tempo_map: TempoMap | None = None
        self._placed_at_s = 0.0
        self._tempo_revision = 0
        self._plan_revision = 0
        self.first_slots_host_s: float | None = None
        self._chords: tuple[tuple[tuple[Slot, ...], tuple[Pin, ...]], tuple] | None = None

    # what is ------------------------------------------------------------------------------------------------------
    @property
    def draft(self) -> Draft:
        return self.history.draft

    @property
    def starts_s(self) -> float:
        """Timeline second of the film's first frame."""
        return self.draft.result.starts_s

    @property
    def tempo_map(self) -> TempoMap:
        return self._tempo_map or self.draft.result.tempo_map

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
        slots = self.draft.result.slots
        return slots[-1].end_s if slots else 0.0

    def runs(self) -> tuple:
        """The chords with their times: neighbouring slots of one chord as one."""
        draft = self.draft
        made_from = (draft.result.slots, draft.pins)
        if self._chords is None or self._chords[0][0] is not made_from[0] or self._chords[0][1] != made_from[1]:
            self._chords = (made_from, merge_runs(draft.slots))
        return self._chords[1]

    def chord_name(self, chord: Chord) -> str:
        """As the composer would write it: flats in flat keys and where the progression has them; "" for silence."""
        if chord.is_silence:
            return ""
        typed, key = self.draft.text("/cue/progression"), self.draft.result.key
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
            return "the first chords" if not self.draft.result.slots else "the next chords"
        if not self.rolling:
            return "the DAW to play" if self.options.follows else "play"
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
                self._ask_film()
            case EngineGone():
                self._engine_gone(message)
            case AnalysisProgress():
                self.progress = ("analyse", message.fraction, message.phase)
                if message.restarted:
                    self.say(f"{message.phase}.")
            case FilmAnalysed():
                self._film_analysed(message)
            case SlotsComposed():
                self._slots_composed(message)
            case Composed():
                self._composed(message)
            case EngineFailure():
                self._engine_failed(message)

    def tick(self) -> None:
        """To be called fifty times a second or so."""
        now_s = time.perf_counter()
        self.status = self.player.poll() or self.status
        for sentence in self.status.notes if self.status is not None else ():
            self.say(sentence)  # the link hands each out once
        if self.status is not None and self.status.notes:
            self.status = replace(self.status, notes=())
        self.recorder.add(self.player.drain_events())
        self.tempo.watch(now_s)
        self._ask_composition(now_s)
        self._hand_over()
        self.transport.start_or_end(now_s)

    def begin(self) -> None:
        """Asks for the film at once: it is looked at while the networks load."""
        self._ask_film()

    def restore(self, saved: Saved) -> None:
        """A session that was kept; plays before and without the engine."""
        self.analysed = saved.analysed
        self.choice = saved.choice
        self.history.restore(saved.steps, saved.index)
        self.takes = {
            each.number: KeptTake(each.draft, each.name, each.kept, each.notes, each.controllers)
            for each in saved.takes
        }
        result = self.draft.result
        self._levels = result.levels
        if result.slots and parse_key(self.draft.text("/cue/key")) is None:
            self.auto_key = (result.key, result.key_reason)
        self.use_map(result.tempo_map)
        self.rearrange(None)
        if result.complete:
            self.progress = ("ready", 1.0, "restored")
        if recipe(self.draft) != result.recipe or not result.complete:
            self.wish_composition(None, "the session's composition")
        self._place()

    def _place(self) -> None:
        self._placed_at_s = self.starts_s
        start_s = self.options.from_s + self.starts_s
        if not self.options.follows and start_s > 0:
            self.player.locate(start_s)
        if self.options.loop is not None:
            self.transport.loop(True, *self.options.loop)

    def _ask_film(self) -> None:
        if self._film_asked:
            return
        self._film_asked = True
        options = self.options
        self._send(
            AnalyseRequest(self.desk.revision, options.film, options.reading, options.clip_weights, options.use_cache)
        )

    def _engine_gone(self, gone: EngineGone) -> None:
        self.engine_state = "away"
        self._film_known = self._film_asked = False
        self.say(gone.sentence)
        pending = self.desk.pending
        if pending is not None:
            self.desk.pending = None
            self.desk.wish = self.desk.wish or pending.wish
        if gone.restarts >= MAX_DEATHS and self.analysed is None:
            self.failure = "the engine died again and again while it looked at the film."

    def _film_analysed(self, message: FilmAnalysed) -> None:
        self._film_known = True
        if self.analysed is not None:  # a new engine had to look at it again, or the session was restored
            return
        self.progress = ("compose", 0.0, "composing")
        self.analysed = message
        if self.options.from_s >= message.film.duration_s:
            self.failure = f"--from {self.options.from_s:g} lies after the film's end ({message.film.duration_s:g} s)."
            return
        for note in message.notes:
            self.say(note)
        reading = "quick" if message.reading == "quick" else "full"
        self.say(f"picture reading: {reading} ({message.reason.rstrip('.')}).")
        try:
            wish = self.tempo.wish(self.draft)
            self.choice = choose_tempo(wish, message.film, message.cuts)
            if self.tempo.daw_map is not None and self.choice.grid == "beats":
                wish = replace(wish, tempo_map=self.tempo.daw_map, bpm=None)
                self.choice = replace(choose_tempo(wish, message.film, message.cuts), reason="tempo of the DAW.")
        except MusicError as error:
            self.failure = str(error)
            return
        self.say(self.choice.reason)
        draft = self.draft
        choice = self.choice
        empty = replace(draft.result, tempo_map=choice.tempo_map, grid=choice.grid, starts_s=choice.picture_starts_at_s)
        self.history.amend(replace(draft, result=empty))
        self.use_map(self.choice.tempo_map)
        self._place()
        if recipe(draft) != draft.result.recipe:
            self.wish_composition(None, "first composition")

    def use_map(self, tempo_map: TempoMap) -> None:
        if tempo_map != self._tempo_map:
            self._tempo_map = tempo_map
            self._tempo_revision += 1
            self.player.set_tempo_map(tempo_map, self._tempo_revision)

    # composing ------------------------------------------------------------------------------------------------------
    def wish_composition(self, boundary_s: float | None, label: str, **more: object) -> float:
        """Asks for a composition; returns the picture second from which it will be heard."""
        now_s = time.perf_counter()
        wish = self.desk.ask(Wish(boundary_s, label, now_s, now_s, **more))  # type: ignore[arg-type]
        return self.position_s() if wish.boundary_s is None else wish.boundary_s

    def _ask_composition(self, now_s: float) -> None:
        wish = self.desk.wish
        if wish is None or not self._film_known or self.choice is None or self.engine_state != "ready":
            return
        boundary_host_s = None
        if self.rolling and wish.boundary_s is not None:
            boundary_host_s = now_s + wish.boundary_s - self.position_s()
        if not self.desk.due(now_s, boundary_host_s, self.options.commit_s):
            return
        key = self.auto_key[0] if self.auto_key is not None else None
        request = self.desk.request(
            self.draft, grid=self.draft.result.grid, starts_s=self.starts_s, auto_key=key, host_s=now_s
        )
        self.progress = ("compose", 0.0, "composing")
        self._send(request)

    def _slots_composed(self, message: SlotsComposed) -> None:
        pending = self.desk.pending
        if pending is None or message.revision != pending.revision or self.analysed is None or not message.slots:
            return
        now_s = time.perf_counter()
        first = not pending.answered
        self.desk.answered(now_s)
        if self.first_slots_host_s is None:
            self.first_slots_host_s = now_s
        place = message.slots[0].index - len(pending.kept)
        del pending.slots[max(place, 0) :]
        pending.slots.extend(message.slots)
        if first and self._too_late(pending):
            self._delay(pending)
            return
        self._remember_key(message.key, message.key_reason)
        self.progress = ("compose", message.fraction, "composing")
        self._take_over(pending, complete=False, key=message.key, key_reason=message.key_reason)

    def _composed(self, message: Composed) -> None:
        pending = self.desk.pending
        if pending is None or message.revision != pending.revision:
            return
        self.desk.pending = None
        composition = message.composition
        pending.slots = list(composition.slots[len(pending.kept) :])
        self._remember_key(composition.key, composition.key_reason)
        if self._levels is None:
            self._levels = film_levels((*pending.kept, *pending.slots))
        self._take_over(pending, complete=True, key=composition.key, key_reason=composition.key_reason)
        self.progress = ("ready", 1.0, "composed")
        draft = self.draft
        known = self.takes.get(draft.take)
        if known is None or not known.kept:
            self.takes[draft.take] = KeptTake(draft, known.name if known is not None else Take(draft.take).name)

    def _remember_key(self, key: Key, reason: str) -> None:
        if parse_key(self.draft.text("/cue/key")) is None and self.auto_key is None:
            self.auto_key = (key, reason)
            why = reason.removeprefix(f"{key.name}: ").rstrip(".")
            self.say(f"key {key.name}: {why}." if why else f"key {key.name}.")

    def _too_late(self, pending: Pending) -> bool:
        boundary_s = pending.wish.boundary_s
        if (
            not self.rolling
            or boundary_s is None
            or pending.wish.delays >= MAX_DELAYS
            or self.transport.looped is not None
        ):
            return False
        ahead_s = boundary_s - self.position_s()
        return -30.0 < ahead_s < self.options.commit_s

    def _delay(self, pending: Pending) -> None:
        """The old music goes on until a later bar: a chord that begins in its middle would be heard as a fault."""
        self.desk.pending = None
        boundary_s, draft = self.transport.boundary_s("bar") or 0.0, self.draft
        wish = replace(pending.wish, boundary_s=boundary_s, delays=pending.wish.delays + 1)
        if draft.progression_from_s == pending.wish.boundary_s:  # the progression waits with it
            self.history.amend(replace(draft, progression_from_s=boundary_s))
        self.desk.wish = replace(wish, last_host_s=0.0)
        if not pending.wish.delays:
            self.say(f"composing took longer than the bar: {wish.label} is heard later, from {boundary_s:.2f} s.")

    def _take_over(self, pending: Pending, *, complete: bool, key: Key, key_reason: str) -> None:
        new = tuple(pending.slots)
        if pending.rest:
            new = tuple(slot for slot in new if slot.end_s <= pending.rest[0].start_s + 1e-6)
            reached = bool(new) and new[-1].end_s >= pending.rest[0].start_s - 1e-6
            new = (*new, *pending.rest) if reached or complete else new
        slots = tuple(
            slot if slot.index == index else replace(slot, index=index)
            for index, slot in enumerate((*pending.kept, *new))
        )
        draft = self.draft
        result = Result(
            slots=slots,
            tempo_map=draft.result.tempo_map,
            grid=draft.result.grid,
            starts_s=draft.result.starts_s,
            key=key,
            key_reason=key_reason,
            complete=complete,
            levels=self._levels,
            weights=self.weights,
            recipe=pending.recipe,
        )
        self.history.amend(replace(draft, result=result))
        takeover_s = pending.wish.boundary_s if self.rolling else None
        now_s = time.perf_counter()
        if complete or now_s - pending.arranged_host_s > GROWTH_S:
            pending.arranged_host_s = now_s
            self.rearrange(takeover_s)

    def _engine_failed(self, message: EngineFailure) -> None:
        if message.film and self.analysed is None:
            self.failure = message.sentence
            return
        if self.desk.pending is not None and message.revision == self.desk.pending.revision:
            self.desk.pending = None
        self.progress = ("failed", 0.0, message.sentence)
        self.say(message.sentence)
        if not self.draft.result.slots and not message.film:
            self.failure = message.sentence

    # arranging ------------------------------------------------------------------------------------------------------
    def score(self) -> Score | None:
        """What is to be played, as the arranger takes it; None before there is any."""
        draft, analysed = self.draft, self.analysed
        if analysed is None or not draft.result.slots:
            return None
        kept, levels = self.takes.get(draft.take), self._levels_for(draft)
        made_from = (draft, kept, levels, self.starts_s)
        if self._score is None or any(old is not new for old, new in zip(self._score[0], made_from, strict=True)):
            score = build_score(draft, analysed, self.starts_s, levels)
            if kept is not None and kept.notes is not None and kept.draft == draft:
                score = replace(score, kept_notes=kept.notes, kept_controllers=kept.controllers or ())
            self._score = (made_from, score)
        return self._score[1]

    _score: tuple[tuple, Score] | None = None

    def _levels_for(self, draft: Draft) -> FilmLevels:
        if draft.result.levels is not None:
            return draft.result.levels
        if self._levels is None and self._provisional_levels is None:
            self._provisional_levels = film_levels(draft.result.slots)
        return self._levels or self._provisional_levels  # type: ignore[return-value]

    _provisional_levels: FilmLevels | None = None

    def rearrange(self, takeover_s: float | None) -> None:
        score = self.score()
        if score is None:
            return
        self.plan.update(score, None if takeover_s is None else self.beats_at(takeover_s))

    def _hand_over(self) -> None:
        position = self.beats_at(self.position_s()) if self.rolling else None
        wraps_to, looped = None, self.transport.looped
        if self.rolling and looped is not None and 0.0 <= looped[1] - self.position_s() < self.options.commit_s * 0.9:
            wraps_to = self.beats_at(looped[0])
        for load in self.plan.work(WORK_S, position, wraps_to=wraps_to):
            self._load(load)

    def _load(self, load: Load) -> None:
        self._plan_revision += 1
        if self._in_seconds:
            notes, controllers, start = self._to_seconds(load)
            self.player.load_plan(self._plan_revision, "seconds", notes, controllers, start)
        else:
            self.player.load_plan(self._plan_revision, "beats", load.notes, load.controllers, load.from_beats)

    @property
    def _in_seconds(self) -> bool:
        """With our own tempo map notes go out in seconds: a new map then moves nothing until its notes are there.

        Where the DAW's clock says the tempo they go in beats, and the player follows it by itself.
        """
        status = self.status
        return self.draft.result.grid == "seconds" or status is None or status.tempo_source in ("map", "internal", "")

    def _to_seconds(self, load: Load) -> tuple[list[Note], list[Controller], float]:
        seconds_at = self.draft.result.tempo_map.seconds_at
        notes = []
        for note in load.notes:
            start_s = seconds_at(note.start_beats)
            notes.append(replace(note, start_beats=start_s, length_beats=seconds_at(note.end_beats) - start_s))
        controllers = [replace(each, time_beats=seconds_at(each.time_beats)) for each in load.controllers]
        return notes, controllers, seconds_at(load.from_beats)

    # edits ----------------------------------------------------------------------------------------------------------
    def follow_draft(self, boundary_s: float | None, *, whole: bool = False) -> float:
        """Lets the draft in force be heard: composes where its result is not its own, else arranges."""
        draft = self.draft
        self._keep_place()
        self.use_map(draft.result.tempo_map)
        for part in PARTS:
            if self.status is None or (part in self.status.muted) == bool(draft.value(f"/cue/part/{part}/on")):
                self.player.mute(part, not draft.value(f"/cue/part/{part}/on"))
        if recipe(draft) != draft.result.recipe or not draft.result.complete:
            if self.analysed is None:
                return self.position_s()
            if draft.result.slots:
                self.rearrange(self.transport.soon_s() if self.rolling else None)
            return self.wish_composition(boundary_s, self.history.undo_label or "the change")
        if self.desk.wish is not None or self.desk.pending is not None:
            self.desk.cancel()
            self._send(Cancel(self.desk.revision))
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
