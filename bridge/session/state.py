"""What a running session is at a moment: the document in force, the playhead, how far the music is there.

Nothing here changes anything.  Whoever only looks (the view, OSC's answers, the file) takes a `SessionState`.

Positions in `_s` are picture seconds unless they say timeline or host (the session's clock); beats are quarter notes on
the document's tempo map.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from bridge.daw.names import NamedMark
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.session.arranging import Arranging, Music
from bridge.session.aside import TakesAside
from bridge.session.background import BackgroundPlan
from bridge.session.click import Click
from bridge.session.composing import Composing
from bridge.session.edit_log import EditLog
from bridge.session.file.recording import Recorder
from bridge.session.film import FilmWatch
from bridge.session.history import History
from bridge.session.now import Clock, Now
from bridge.session.output import Output
from bridge.session.plan import Block
from bridge.session.progress import Phase, Progress, Promises
from bridge.session.takes import Takes
from bridge.session.tempo import Refits
from bridge.session.tempo_in_force import TempoInForce
from bridge.session.transport import Ready, Transport
from engine.arrange.rhythm import ChordRun
from engine.arrange.score import Score
from engine.brief import Brief
from engine.document import Document, TempoChoice
from engine.document.takes import EVER
from engine.interchange.asked import AskedMarkers
from engine.music import FilmLevels, FrameRate, TempoMap, Timecode, controls
from engine.music.arguments import ControlError
from engine.music.controls import CLICK_CHANNEL
from engine.process.messages import FilmAnalysed

NEWS: Final = 50


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """film: path.  reading: auto, full or quick.  from_s: where play begins.  loop: picture seconds.

    follows: the position comes from a DAW, not from the internal transport.  commit_s: the player replaces nothing
    nearer than this.  click: MIDI channel of a click on every cut from the start, 0: none.  markers: of the picture's
    editor, taken once the film is known.  takes_speech: the lines that are heard in the film become those to leave room
    for, once it was listened to.
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
    markers: AskedMarkers | None = None
    takes_speech: bool = False


class SessionState:
    """Takes, history and what each collaborator knows; `engine_pid`: process id of the engine."""

    def __init__(
        self, options: SessionOptions, player: PlayerLink, clock: Clock, engine_pid: Callable[[], int | None]
    ) -> None:
        self.options, self.player, self.clock = options, player, clock
        self.history = History(options.document)
        self.log = EditLog()
        self.takes = Takes()
        self.transport = Transport(
            player, clock, follows=options.follows, from_s=options.from_s, play=options.play, once=options.once
        )
        self.composing = Composing()
        self.aside = TakesAside()
        self.arranging = Arranging(player, clock, Click(options.click > 0, options.click or CLICK_CHANNEL))
        self.output = Output(player)
        self.film = FilmWatch(options.film, options.reading, options.clip_weights, options.use_cache)
        self.tempo = TempoInForce(player, options.tempo, follows=options.follows)
        self.promises = Promises()
        self.recorder = Recorder()
        self.progress = Progress(Phase.START, 0.0, "starting the engine")
        self.news: deque[str] = deque(maxlen=NEWS)
        self.engine_state = "starting"
        self.failure: str | None = None
        self.daw_rate: FrameRate | None = None  # as a DAW script states it
        self.daw_starts_at: Timecode | None = None  # timecode of timeline second 0, if the DAW says
        self.names_done: frozenset[NamedMark] = frozenset()  # names in the DAW that have had their effect
        self.rewrites = 0  # ranges that were composed again
        self.learning = ""  # what the view says while a controller is being learned
        self.clients = 0  # programs that are subscribed over OSC
        self.plugins: tuple[str, ...] = ()  # a line for each instance of the plugin
        self.markers = options.markers  # until they are taken
        # What /cue/speech was when the lines that are heard were asked for, until they are known; None: nobody asked.
        self.speech_before: str | None = options.document.text(controls.SPEECH) if options.takes_speech else None
        self.first_slots_host_s: float | None = None
        self._engine_pid = engine_pid
        self.refits: Refits | None = None  # of the edit that is being made in pieces
        self.held = False  # several edits that stand or fall together are half done: whoever else edits waits

    # the music --------------------------------------------------------------------------------------------------------
    @property
    def document(self) -> Document:
        return self.history.document

    @property
    def analysed(self) -> FilmAnalysed | None:
        return self.film.analysed

    @property
    def plan(self) -> BackgroundPlan:
        return self.arranging.plan

    @property
    def levels(self) -> FilmLevels:
        return self.arranging.levels_of(self.document, self.composing.levels)

    @property
    def idle(self) -> bool:
        """Whether everything asked for is composed, arranged and with the player."""
        plan = self.plan
        return self.composing.idle and self.document.result.complete and plan.complete and not plan.busy

    def runs(self) -> tuple[ChordRun, ...]:
        """The chords with their times: neighbouring slots of one chord as one."""
        return self.arranging.runs(self.document)

    def score(self) -> Score | None:
        """What is to be played, as the arranger takes it; None before there is any."""
        return self.score_later()()

    def score_later(self) -> Callable[[], Score | None]:
        """The same, to be called in any thread."""
        document, film = self.document, self.analysed
        if film is None or not document.result.slots:
            return lambda: None
        takes, levels = self.takes.table, self.levels
        return lambda: self.arranging.score(document, film, takes, levels)

    def whole(self) -> Music | None:
        """The composition, pins in place, and all its music as the plan has it; None while it is being arranged.

        Raises ControlError while nothing is composed.
        """
        if self.analysed is None or not self.document.result.complete:
            raise ControlError("not_ready", "nothing is composed yet.")
        return self.arranging.whole()

    def blocks(self) -> tuple[Block, ...] | None:
        """The same music in pieces, in order.  Raises ControlError as `whole` does."""
        if self.analysed is None or not self.document.result.complete:
            raise ControlError("not_ready", "nothing is composed yet.")
        return self.arranging.blocks()

    def whole_later(self) -> Future[Music]:
        """The same from a thread of its own, whatever is edited meanwhile."""
        assert self.analysed is not None
        return self.arranging.whole_later(self.document, self.analysed, self.takes.table, self.levels)

    @property
    def free_cue_number(self) -> int:
        """A number that no cue has or had: undo and takes still know those that were deleted."""
        used = {state.number for step in self.history.steps for state in step.document.cue_states}
        return max(used | {cue for cue, _, _ in self.takes} | set(self.composing.auto_keys)) + 1

    # time -------------------------------------------------------------------------------------------------------------
    @property
    def starts_s(self) -> float:
        """Timeline second of the film's first frame."""
        return self.document.result.starts_s

    @property
    def tempo_map(self) -> TempoMap:
        return self.tempo.map or self.document.result.tempo_map

    @property
    def choice(self) -> TempoChoice | None:
        """The tempo map and grid in force, and why; None before the film is known."""
        return None if self.analysed is None else self.tempo.choice(self.document)

    @property
    def end_s(self) -> float:
        """Where the music has rung out."""
        if self.analysed is None:
            return 0.0
        end_beats = self.plan.end_beats
        last_s = self.picture_at(end_beats) if end_beats else 0.0
        return max(last_s, self.analysed.film.duration_s)

    @property
    def planned_to_s(self) -> float:
        """How far the player has notes."""
        planned = self.plan.planned_to_beats
        return self.picture_at(planned) if planned > -EVER else 0.0

    def position_s(self) -> float:
        """The playhead now."""
        return self.transport.position_s(self.starts_s)

    def beats_at(self, picture_s: float) -> float:
        return self.tempo_map.beats_at(picture_s + self.starts_s)

    def picture_at(self, beats: float) -> float:
        return self.tempo_map.seconds_at(beats) - self.starts_s

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
            timing=self.tempo.timing(status),
            refits=self.refits,
        )

    # the player and the engine ----------------------------------------------------------------------------------------
    @property
    def status(self) -> PlayerStatus:
        return self.transport.status

    @property
    def rolling(self) -> bool:
        return self.transport.status.rolling

    @property
    def finished(self) -> bool:
        return self.transport.finished

    def ready(self) -> Ready:
        """How far the music is there."""
        plan, slots, position_s = self.plan, self.document.result.slots, self.position_s()
        enough = plan.complete or self.planned_to_s >= self.transport.enough_s(slots, position_s)
        return Ready(enough, plan.complete, plan.busy, self.end_s, self.first_slots_host_s)

    def pids(self) -> dict[str, int]:
        """Process ids of player and engine, as far as they run."""
        found = {"player": self.player.pid, "engine": self._engine_pid()}
        return {name: pid for name, pid in found.items() if pid is not None}
