"""For tests of the session: a film that is known, an engine that answers at once, a real player."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from offlinelab import OfflinePlayer, Patience

from bridge.player.link import PlayerLink
from bridge.session.session import Session, SessionOptions
from engine.arrange.rhythm import build_grid
from engine.music import A_MINOR, C_MAJOR, NO_CHORD, Chord, Composition, Cut, Film, FrameRate, Slot
from engine.process.messages import AnalyseRequest, Composed, ComposeRequest, EngineReady, FilmAnalysed, SlotsComposed

NAMES = ("C", "Am", "F", "G", "Dm7", "E7", "Cmaj7", "Em")


class Engine:
    """Answers as the engine does, over the same messages, without networks: chords drawn from take and position, the
    progression where one is set.  `requests` keeps what was asked; `hold` keeps answers back.  cuts: of the film, in
    picture seconds."""

    def __init__(self, seconds: float, cuts: Sequence[float] = (3.0, 7.5, 12.0)) -> None:
        self.cuts = tuple(Cut(second) for second in cuts if second < seconds)
        self.film = Film("film.mp4", seconds, FrameRate.parse("24"))
        self.requests: list[ComposeRequest] = []
        self.inbox: list = []
        self.hold = False
        self.chunk = 8

    def send(self, message) -> None:
        if isinstance(message, AnalyseRequest):
            self.inbox.append(EngineReady(1, "test"))
            self.inbox.append(
                FilmAnalysed(message.revision, self.film, self.cuts, "quick", "a test", (0.0,) * 5 + (1.0,), ())
            )
        elif isinstance(message, ComposeRequest):
            self.requests.append(message)
            self.inbox.extend(self.answer(message))

    def answer(self, request: ComposeRequest):
        slots = list(request.keep)
        starts_s = request.picture_starts_at_s
        grid = build_grid(request.grid, request.tempo_map, self.film.duration_s, starts_s)
        for place in grid[len(slots) :]:
            take, progression, from_s = request.take.number, request.progression, request.progression_from_s
            middle_s = (place.start_s + place.end_s) / 2
            cue = next((c for c in request.cues if c.in_s <= middle_s < (c.out_s or 1e9)), None)
            if cue is not None:
                take, progression = cue.take or take, cue.progression or progression
                from_s = max(cue.progression_from_s or from_s, cue.bar_1_s)
            bars = request.tempo_map.bar_position(place.start_beats) - request.tempo_map.bar_position(
                round(request.tempo_map.beats_at(from_s + starts_s), 6)
            )
            given = progression.chord_at(bars) if progression is not None and bars >= 0 else None
            if request.cues and cue is None:
                given = NO_CHORD
            rng = random.Random(f"{take}:{place.index}:{request.options.dark_light}")
            chord = given or Chord.parse(rng.choice(NAMES))
            for at_s, pinned in request.pins:
                if place.start_s <= at_s < place.end_s:
                    chord = pinned
            rng = random.Random(place.index)
            slots.append(
                Slot(
                    place.index, place.start_s, place.end_s, place.start_beats, place.end_beats, chord,
                    density=rng.uniform(4, 20), loudness=rng.uniform(0.05, 0.4),
                )
            )  # fmt: skip
        key = request.key or C_MAJOR
        keys = tuple((cue.key or A_MINOR, "a test") for cue in request.cues)
        for first in range(len(request.keep), len(slots), self.chunk):
            part = tuple(slots[first : first + self.chunk])
            yield SlotsComposed(request.revision, part, key, "a test", (first + len(part)) / len(slots), keys)
        whole = Composition(request.revision, self.film, request.tempo_map, tuple(slots), key, request.grid, starts_s)
        yield Composed(request.revision, whole, 0.0, keys)


class Stage:
    """A session with a player (no MIDI system) and the test's engine.

    With an OfflinePlayer nothing is waited for: `pause` moves its clock.
    """

    def __init__(
        self, player: PlayerLink, options: SessionOptions, seconds: float, cuts: Sequence[float] = (3.0, 7.5, 12.0)
    ) -> None:
        self.engine = Engine(seconds, cuts)
        self.said: list[str] = []
        self.session = Session(options, player, self.engine.send, say=self.said.append)
        self.session.begin()

    def run(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.step()
            self.pause(0.005)

    def pause(self, seconds: float) -> None:
        """Time goes by without a turn of the session."""
        player = self.session.player
        if isinstance(player, OfflinePlayer):
            player.advance(seconds)
            if self.session.plan.busy:
                time.sleep(0.0005)  # a long film is arranged by threads
        else:
            time.sleep(seconds)

    def step(self) -> None:
        with self.session.plan.turn():
            if not self.engine.hold:
                messages, self.engine.inbox = self.engine.inbox, []
                for message in messages:
                    self.session.on_engine(message)
            self.session.tick()

    def until(self, met, timeout_s: float = 10.0) -> None:
        end, patience = time.perf_counter() + timeout_s, Patience()
        while not met():
            self.step()
            if time.perf_counter() < end:
                self.pause(0.005)
            else:
                patience.wait("it did not come to pass")

    def ready(self) -> None:
        self.until(lambda: self.session.idle)
