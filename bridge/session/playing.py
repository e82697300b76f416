"""From a document to the notes that the player has.

Times in `_s` are picture seconds; beats are quarter notes on the document's tempo map.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.session.arranging import EVER, SMALL_SLOTS, Load, Score, arrange_whole
from bridge.session.background import PlanDesk, PlanJob
from bridge.session.score import build_score
from engine.arrange import Arrangement, FilmLevels, film_levels
from engine.document import Document
from engine.music import Composition, Controller, Note, TempoMap
from engine.music.arguments import ControlError

if TYPE_CHECKING:
    from bridge.session.session import Session

WORK_S: Final = 0.012  # arranging in one tick: what else waits (OSC, the view) waits no longer


class SessionPlaying:
    """Of one session.  film_levels: of the whole film, once it is composed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.plan = PlanDesk()
        self.film_levels: FilmLevels | None = None
        self._provisional_levels: FilmLevels | None = None
        self._plan_revision = 0
        self._score: tuple[tuple, Score] | None = None

    def score(self) -> Score | None:
        """What is to be played, as the arranger takes it; None before there is any."""
        session = self._session
        document, analysed = session.document, session.analysed
        if analysed is None or not document.result.slots:
            return None
        levels = self._levels_for(document)
        made_from = (document, levels, session.takes.revision)
        if self._score is None or any(old is not new for old, new in zip(self._score[0], made_from, strict=True)):
            score = build_score(document, analysed, session.starts_s, levels)
            score = replace(score, kept=session.takes.kept_ranges(document))
            self._score = (made_from, score)
        return self._score[1]

    def _levels_for(self, document: Document) -> FilmLevels:
        if document.result.levels is not None:
            return document.result.levels
        if self.film_levels is None and self._provisional_levels is None:
            self._provisional_levels = film_levels(document.result.slots)
        return self.film_levels or self._provisional_levels  # type: ignore[return-value]

    def rearrange(self, takeover_s: float | None) -> None:
        session = self._session
        document, analysed = session.document, session.analysed
        if analysed is None or not document.result.slots:
            return
        looped = session.transport.looped
        if takeover_s is not None and looped is not None and takeover_s <= session.position_s() < looped[1]:
            takeover_s = max(takeover_s, looped[1])  # of the next pass: this one is played to its end as it is
        takeover = None if takeover_s is None else session.beats_at(takeover_s)
        levels = self._levels_for(document)
        job = PlanJob(document, analysed, session.starts_s, levels, takeover, session.takes.kept_ranges)
        if job.long:
            self.plan.update(job)
        else:
            score = self.score()
            assert score is not None
            self.plan.update(job, score)
        session.freezer.renew(takeover)

    def arrangement(self) -> Arrangement:
        """The whole music in force, as it is heard.  Raises ControlError while there is none, or while a long film is
        still being arranged."""
        return self.whole()[1]

    def whole(self) -> tuple[Composition, Arrangement]:
        """What is composed, pins in place, and its music, as it is heard.  Raises ControlError as `arrangement`."""
        session, document = self._session, self._session.document
        if session.analysed is None or not document.result.complete:
            raise ControlError("not_ready", "nothing is composed yet.")
        if len(document.result.slots) <= SMALL_SLOTS:
            score = self.score()
            assert score is not None
            return score.pinned, arrange_whole(score)
        made = self.plan.whole()
        if made is None:
            raise ControlError("busy", "this long film is still being arranged: try again in a moment.")
        return made

    def clear(self) -> None:
        """Another film: nothing of this one's music is left."""
        self.plan.close()
        self.plan = PlanDesk()
        self.film_levels = self._provisional_levels = self._score = None
        self._plan_revision += 1
        self._session.player.load_plan(self._plan_revision, "seconds", (), (), -EVER)

    def hand_over(self) -> None:
        session = self._session
        position = session.beats_at(session.position_s()) if session.rolling else None
        wraps_to, looped = None, session.transport.looped
        if (
            session.rolling
            and looped is not None
            and 0.0 <= looped[1] - session.position_s() < session.options.commit_s * 0.9
        ):
            wraps_to = session.beats_at(looped[0])
        for sentence in self.plan.faults():
            session.say(f"{sentence}.")
        for load, tempo_map in self.plan.work(WORK_S, position, wraps_to):
            self._load(load, tempo_map)

    def _load(self, load: Load, tempo_map: TempoMap) -> None:
        session = self._session
        self._plan_revision += 1
        load = session.knock.added(session.freezer.heard(load))
        if self._in_seconds:
            notes, controllers, start = _to_seconds(load, tempo_map)
            session.player.load_plan(self._plan_revision, "seconds", notes, controllers, start)
        else:
            session.player.load_plan(self._plan_revision, "beats", load.notes, load.controllers, load.from_beats)

    @property
    def _in_seconds(self) -> bool:
        """With our own tempo map notes go out in seconds: a new map then moves nothing until its notes are there.

        Where the DAW's clock says the tempo they go in beats, and the player follows it by itself.
        """
        session = self._session
        status = session.status
        return (
            session.document.result.grid == "seconds"
            or status is None
            or status.tempo_source in ("map", "internal", "")
        )


def _to_seconds(load: Load, tempo_map: TempoMap) -> tuple[list[Note], list[Controller], float]:
    seconds_at = tempo_map.seconds_at
    notes = []
    for note in load.notes:
        start_s = seconds_at(note.start_beats)
        notes.append(replace(note, start_beats=start_s, length_beats=seconds_at(note.end_beats) - start_s))
    controllers = [replace(each, time_beats=seconds_at(each.time_beats)) for each in load.controllers]
    return notes, controllers, seconds_at(load.from_beats)
