"""The film of a session: asked for, seen, and placed on the timeline.

Times in `_s` are picture seconds unless they say timeline.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.session_compose import recipe
from bridge.session_tempo import choose_tempo
from engine.messages import AnalyseRequest, FilmAnalysed
from engine.music import MusicError

if TYPE_CHECKING:
    from bridge.session import Session


class SessionFilm:
    """Of one session.  known: the engine that runs now has seen the film."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.known = self._asked = False

    def ask(self) -> None:
        """Has the film looked at, once by each engine."""
        session = self._session
        if self._asked:
            return
        self._asked = True
        options = session.options
        session.send(
            AnalyseRequest(
                session.desk.revision, options.film, options.reading, options.clip_weights, options.use_cache
            )
        )

    def forget(self) -> None:
        """The engine is gone: the next one has to see the film again."""
        self.known = self._asked = False

    def analysed(self, message: FilmAnalysed) -> None:
        session = self._session
        self.known = True
        if session.analysed is not None:  # a new engine had to look at it again, or the session was restored
            return
        session.progress = ("compose", 0.0, "composing")
        session.analysed = message
        if session.options.from_s >= message.film.duration_s:
            session.failure = (
                f"--from {session.options.from_s:g} lies after the film's end ({message.film.duration_s:g} s)."
            )
            return
        for note in message.notes:
            session.say(note)
        reading = "quick" if message.reading == "quick" else "full"
        session.say(f"picture reading: {reading} ({message.reason.rstrip('.')}).")
        try:
            wish = session.tempo.wish(session.draft)
            session.choice = session.tempo.marked(choose_tempo(wish, message.film, message.cuts), session.draft)
            if session.tempo.daw_map is not None and session.choice.grid == "beats":
                wish = replace(wish, tempo_map=session.tempo.daw_map, bpm=None)
                session.choice = replace(choose_tempo(wish, message.film, message.cuts), reason="tempo of the DAW.")
        except MusicError as error:
            session.failure = str(error)
            return
        choice, draft = session.choice, session.draft
        session.say(choice.reason)
        empty = replace(draft.result, tempo_map=choice.tempo_map, grid=choice.grid, starts_s=choice.picture_starts_at_s)
        session.history.amend(replace(draft, result=empty))
        session.use_map(choice.tempo_map)
        session.place()
        if recipe(draft) != draft.result.recipe:
            session.wish_composition(None, "first composition")
