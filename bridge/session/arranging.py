"""From a document to the notes that the player has.

Positions in `_s` are picture seconds; beats are quarter notes on the document's tempo map.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.session.background import BackgroundPlan, PlanJob
from bridge.session.click import Click
from bridge.session.now import Clock, Now
from bridge.session.plan import SMALL_SLOTS, Block, Load
from engine.arrange import Arrangement, film_levels
from engine.arrange.rhythm import ChordRun, merge_runs
from engine.arrange.score import Score, arrange_whole, build_score
from engine.document import Document, Pin, PrintedRange
from engine.document.printed import muted
from engine.document.takes import EVER, KeptTake, TakeTable, kept_take
from engine.music import Composition, FilmLevels, Slot, TempoMap
from engine.process.messages import FilmAnalysed

WORK_S: Final = 0.012  # arranging in one tick: what else waits (OSC, the view) waits no longer
OWN_TEMPO: Final = ("map", "internal", "")

Music = tuple[Composition, Arrangement]


class Arranging:
    """The plan of the document in force, and what of it the player has; `close` at the end."""

    def __init__(self, player: PlayerLink, clock: Clock, click: Click) -> None:
        self._player = player
        self._clock = clock
        self.plan = BackgroundPlan(clock)
        self.click = click
        self.revision = 0  # of the plan that the player has
        self._provisional: FilmLevels | None = None  # until the whole film is composed
        self._printed: tuple[PrintedRange, ...] = ()  # as the player has it
        self._score: tuple[tuple, Score] | None = None
        self._runs: tuple[tuple[Slot, ...], tuple[Pin, ...], tuple[ChordRun, ...]] = ((), (), ())
        self._pool: ThreadPoolExecutor | None = None

    def levels_of(self, document: Document, known: FilmLevels | None) -> FilmLevels:
        """known: of the whole film, once it is composed."""
        if document.result.levels is not None:
            return document.result.levels
        if known is None and self._provisional is None:
            self._provisional = film_levels(document.result.slots)
        return known or self._provisional  # type: ignore[return-value]

    def runs(self, document: Document) -> tuple[ChordRun, ...]:
        """The chords with their times: neighbouring slots of one chord as one."""
        slots, pins = document.result.slots, document.pins
        if self._runs[0] is not slots or self._runs[1] != pins:
            self._runs = (slots, pins, merge_runs(document.slots))
        return self._runs[2]

    def score(self, document: Document, film: FilmAnalysed, takes: TakeTable, levels: FilmLevels) -> Score:
        """What is to be played, as the arranger takes it; any thread may ask."""
        made_from, known = (document, levels, takes), self._score
        if known is None or any(old is not new for old, new in zip(known[0], made_from, strict=True)):
            self._score = known = made_from, build_score(document, film.film, film.cuts, levels, takes)
        return known[1]

    def arrange(
        self,
        document: Document,
        film: FilmAnalysed,
        takes: TakeTable,
        levels: FilmLevels,
        now: Now,
        from_s: float | None,
    ) -> None:
        """New notes, to be heard from a picture second on; None: from the beginning."""
        if from_s is not None and now.loop is not None and from_s <= now.position_s < now.loop[1]:
            from_s = max(from_s, now.loop[1])  # in the next pass: this one is played to its end as it is
        takeover = None if from_s is None else document.result.tempo_map.beats_at(from_s + document.result.starts_s)
        job = PlanJob(document, film, levels, takeover, takes)
        self.plan.update(job, None if job.long else self.score(document, film, takes, levels))
        if document.printed != self._printed:
            self._printed = document.printed
            self.plan.hand_over_again(takeover)

    def hand_over_again(self, beats: float | None) -> None:
        """The player gets the plan once more from a beat on; None: from the beginning."""
        self.plan.hand_over_again(beats)

    # all of it --------------------------------------------------------------------------------------------------------
    def whole(self) -> Music | None:
        """The composition, pins in place, and all its music as the plan has it; None while it is being arranged."""
        return self.plan.whole()

    def blocks(self) -> tuple[Block, ...] | None:
        """All its music in pieces, in order; None while it is being arranged."""
        return self.plan.blocks()

    def whole_later(
        self, document: Document, film: FilmAnalysed, takes: TakeTable, levels: FilmLevels
    ) -> Future[Music]:
        """The same, arranged beside the session, whatever the plan turns to meanwhile."""

        made = self.whole()

        def arranged() -> Music:
            if made is not None:
                return made
            score = build_score(document, film.film, film.cuts, levels, takes)
            return score.pinned, arrange_whole(score)

        return self._threads().submit(arranged)

    def kept_later(
        self, document: Document, film: FilmAnalysed, takes: TakeTable, levels: FilmLevels, name: str | None
    ) -> Future[KeptTake]:
        """The take of the selected cue with its notes, beside the session: a long film has a hundred thousand."""
        whole = self.whole_later(document, film, takes, levels)  # one thread: it is done when the next begins

        def kept() -> KeptTake:
            made = whole.result()[1]
            return kept_take(takes, document, made.notes, made.controllers, name)

        return self._threads().submit(kept)

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "whole film")
        return self._pool

    @staticmethod
    def is_long(document: Document) -> bool:
        return len(document.result.slots) > SMALL_SLOTS

    # to the player ----------------------------------------------------------------------------------------------------
    def tick(
        self, document: Document, film: FilmAnalysed | None, now: Now, status: PlayerStatus, commit_s: float,
        say: Callable[[str], None],
    ) -> list[float]:  # fmt: skip
        """Arranges a little and loads the player; returns the picture second where each load begins."""
        tempo_map, starts_s = document.result.tempo_map, document.result.starts_s
        position = tempo_map.beats_at(now.position_s + starts_s) if now.rolling else None
        wraps_to = None
        if now.rolling and now.loop is not None and 0.0 <= now.loop[1] - now.position_s < commit_s * 0.9:
            wraps_to = tempo_map.beats_at(now.loop[0] + starts_s)
        for sentence in self.plan.faults():
            say(f"{sentence}.")
        begun = []
        for load, its_map in self.plan.work(WORK_S, position, wraps_to):
            self._load(load, its_map, document, film, status)
            from_beats = load.from_beats
            begun.append(its_map.seconds_at(from_beats) - starts_s if abs(from_beats) < EVER else from_beats)
        return begun

    def _load(
        self, load: Load, its_map: TempoMap, document: Document, film: FilmAnalysed | None, status: PlayerStatus
    ) -> None:
        self.revision += 1
        notes, controllers = muted(load.notes, load.controllers, document.printed)
        if film is not None and self.click.on:
            result = document.result
            notes = (*notes, *self.click.notes(film.cuts, result.tempo_map, result.starts_s, load.from_beats))
        # With our own tempo map notes are sent in seconds: a new map then moves nothing until its notes are there.
        # Where the DAW's clock gives the tempo they are sent in beats, and the player follows it by itself.
        if document.result.grid == "seconds" or status.tempo_source in OWN_TEMPO:
            from_s = its_map.seconds_at(load.from_beats)
            self._player.load_plan(self.revision, "seconds", notes, controllers, from_s, its_map)
        else:
            self._player.load_plan(self.revision, "beats", notes, controllers, load.from_beats)

    def clear(self) -> None:
        """Another film: nothing of this one's music is left."""
        self.plan.close()
        self.plan = BackgroundPlan(self._clock)
        self._provisional = self._score = None
        self._printed = ()
        self.revision += 1
        self._player.load_plan(self.revision, "seconds", (), (), -EVER)

    def close(self) -> None:
        self.plan.close()
        if self._pool is not None:
            self._pool.shutdown()
