"""The film of a session: asked for, seen, placed on the timeline, changed for another, found where it was moved.

Times in `_s` are picture seconds unless they say timeline.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bridge.session.file.film_file import find_by_content, fingerprint
from bridge.session.history import History
from bridge.session.requests import recipe
from bridge.session.takes import Takes
from bridge.session.tempo import choose_tempo
from engine.document import CUE_CONTROLS, Document
from engine.music import MusicError, controls
from engine.music.arguments import ControlError
from engine.process.messages import AnalyseRequest, Cancel, EngineFailure, FilmAnalysed

if TYPE_CHECKING:
    from bridge.session.session import Session

RETRY_S: Final = 5.0  # a film that vanished is looked for again after this


class SessionFilm:
    """Of one session.

    known: the engine that runs now has seen the film.  coming: another film that is looked at while this one still
    plays.  fingerprint: of the file's content, "" before the film was seen.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.known = self._asked = False
        self.coming: Path | None = None
        self.fingerprint = ""
        self._revision = 0  # below zero: not to be taken for a composition's
        self._retry_s = 0.0
        self._told = ""

    def ask(self) -> None:
        """Has the film looked at, once by each engine."""
        if self._asked:
            return
        self._asked = True
        options = self._session.options
        path = self.coming or Path(options.film)
        self._revision -= 1
        self._session.send(
            AnalyseRequest(
                self._revision,
                str(path),
                options.reading,
                options.clip_weights,
                options.use_cache,
                beside=self.known,  # this film is composed for until the other is seen
            )
        )

    def ask_again(self) -> None:
        """What the engine has seen is not this session's film."""
        self.known = self._asked = False
        self.ask()

    def forget(self) -> None:
        """The engine is gone: the next one has to see the film again."""
        self.known = self._asked = False

    # a film that vanished -------------------------------------------------------------------------------------------
    def failed(self, message: EngineFailure) -> bool:
        """The film is at fault; True where the session goes on with what it has."""
        session = self._session
        if self.coming is not None:
            if message.revision == self._revision:
                session.say(f"{message.sentence.rstrip('.')}; the film stays {session.film_name}.")
                self.coming = None
                self._ready_again()
                if not self.known:
                    self.ask_again()
            return True
        if session.analysed is None:
            return False
        if self._told != message.sentence:
            self._told = message.sentence
            self.known = False
            session.say(f"{message.sentence.rstrip('.')}; what is composed plays on, new chords wait for the film.")
        session.progress = ("failed", 0.0, message.sentence)
        self._retry_s = time.perf_counter() + RETRY_S
        return True

    def tick(self, now_s: float) -> None:
        """A film that vanished is looked for where it was and, by its content, in its folder."""
        session = self._session
        if not self._retry_s or now_s < self._retry_s or session.engine_state != "ready":
            return
        self._retry_s = now_s + RETRY_S
        path = Path(session.options.film)
        if not os.path.isfile(path):
            found = find_by_content(path.parent, self.fingerprint)
            if found is None:
                return
            session.say(f"the film was moved: it is {found} now.")
            session.options = replace(session.options, film=str(found))
            if session.analysed is not None:
                session.analysed = replace(session.analysed, film=replace(session.analysed.film, path=str(found)))
        self._retry_s = 0.0
        self.ask_again()

    def _ready_again(self) -> None:
        session = self._session
        if session.progress[0] in ("failed", "analyse", "engine") and session.document.result.complete:
            session.progress = ("ready", 1.0, "composed")

    # another film ---------------------------------------------------------------------------------------------------
    def load(self, path: Path) -> float:
        """Another film in place of this one: looked at first, while this one plays on.  Raises ControlError."""
        session = self._session
        if session.analysed is None:
            raise ControlError("busy", "the first film is still being looked at.")
        if not os.path.isfile(path):
            raise ControlError("bad_value", f"there is no file {path}.")
        self.coming = path
        session.progress = ("analyse", 0.0, f"looking at {path.name}")
        session.say(f"{path.name} is being looked at; {session.film_name} plays on until then.")
        self._asked = False
        self.ask()
        return session.position_s()

    def _change(self, path: Path) -> None:
        """This film's session is put away, the other's begins or is taken up again."""
        session = self._session
        before = session.film_name
        kept, saved = session.leave_film(path)
        if not session.options.follows:
            session.player.stop()
        session.transport.loop(False)
        session.transport.play_wanted = False
        session.desk.cancel()
        session.send(Cancel(session.desk.revision))
        session.options = replace(session.options, film=str(path), from_s=0.0, loop=None, play=False)
        session.history = History(_carried(session.document))
        session.takes, session.auto_keys = Takes(), {}
        session.analysed = session.choice = None
        session.playing.clear()
        where = f"the session of {before} is kept in {kept}" if kept else f"{before} had nothing to keep"
        session.say(f"the film is {path.name} now; {where}.")
        if saved is not None:
            session.restore(saved)
            session.say(f"the session of {path.name} was taken up again.")
        if not session.options.follows:
            session.player.locate(session.starts_s)

    # seen -----------------------------------------------------------------------------------------------------------
    def analysed(self, message: FilmAnalysed) -> None:
        session = self._session
        if self.coming is not None:
            if message.revision != self._revision:
                return
            path, self.coming = self.coming, None
            self._change(path)
        self.known, self._retry_s, self._told = True, 0.0, ""
        try:
            self.fingerprint = fingerprint(Path(session.options.film))
        except OSError:
            self.fingerprint = ""  # it vanished again already
        if session.analysed is not None:  # a new engine had to look at it again, or the session was restored
            self._ready_again()
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
            wish = session.tempo.wish(session.document)
            session.choice = session.tempo.marked(choose_tempo(wish, message.film, message.cuts), session.document)
            if session.tempo.daw_map is not None and session.choice.grid == "beats":
                wish = replace(wish, tempo_map=session.tempo.daw_map, bpm=None)
                session.choice = replace(choose_tempo(wish, message.film, message.cuts), reason="tempo of the DAW.")
        except MusicError as error:
            session.failure = str(error)
            return
        choice, document = session.choice, session.document
        session.say(choice.reason)
        empty = replace(
            document.result, tempo_map=choice.tempo_map, grid=choice.grid, starts_s=choice.picture_starts_at_s
        )
        draws = document.draws.begun(message.film.content_key, document.take)
        session.history.amend(replace(document, result=empty, draws=draws))
        session.use_map(choice.tempo_map)
        session.place()
        if recipe(document) != document.result.recipe:
            session.wish_composition(None, "first composition")


def _carried(document: Document) -> Document:
    """What of one film's settings goes on with another: how the music is played, not where its cues lie."""
    own = (*CUE_CONTROLS, controls.FRAME_RATE)
    return Document(
        settings=MappingProxyType({name: value for name, value in document.settings.items() if name not in own})
    )
