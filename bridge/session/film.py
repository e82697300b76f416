"""The film as a file and as the engine knows it: asked for, analysed, changed for another, found where it was moved."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from bridge.session.file.later import Later
from engine.document import CUE_CONTROLS, Document, FilmReading
from engine.document.file.film_file import find_by_content, fingerprint
from engine.music import controls
from engine.music.arguments import ControlError
from engine.process.messages import AnalyseRequest, EngineFailure, FilmAnalysed, FilmHeard

RETRY_S: Final = 5.0  # a film that vanished is looked for again after this
KEPT: Final = 50  # outcomes that nobody has asked for yet


class FilmOutcome(NamedTuple):
    """What became of a film that was to be loaded: from which picture second it plays, or why it does not."""

    path: Path
    heard_s: float = 0.0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class FilmFailure:
    """What to do about a film that cannot be read.

    ends: nothing can be played without it.  sentence: for the person, said once.  stays: another film was refused, and
    this one stays.  ask: it has to be analysed again.
    """

    sentence: str = ""
    ends: bool = False
    stays: bool = False
    ask: bool = False


class FilmWatch:
    """Which film is played, and which the engine knows.

    analysed: what is known of the film, None before it was analysed.  known: the engine that runs now has analysed it.
    coming: another film that is analysed while this one still plays.  fingerprint: of the file's content, empty before
    the film was analysed.  outcomes: of films that were to be loaded, for whoever asked to take.
    """

    def __init__(
        self, path: str, reading: str = "auto", clip_weights: str | None = None, use_cache: bool = True
    ) -> None:
        self.path = Path(path)
        self.analysed: FilmAnalysed | None = None
        self.coming: Path | None = None
        self.known = False
        self.outcomes: deque[FilmOutcome] = deque(maxlen=KEPT)
        self.fingerprint = ""
        self._heard: dict[Path, FilmHeard] = {}
        self._seen: dict[Path, FilmAnalysed] = {}  # of films that were shown before
        self._reading, self._clip_weights, self._use_cache = reading, clip_weights, use_cache
        self._asked = False
        self._revision = 0  # below zero: not to be taken for a composition's
        self._retry_s = 0.0
        self._said = ""
        self._content: tuple[Path, Later[str]] | None = None  # that is being read
        self._looking: Later[Path | None] | None = None  # for a film that vanished
        self._there: tuple[Path, Later[bool]] | None = None  # whether there is one that is to be loaded

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def duration_s(self) -> float | None:
        """None before the film was analysed."""
        return self.analysed.film.duration_s if self.analysed is not None else None

    @property
    def heard(self) -> FilmHeard | None:
        """What is heard in the film's own sound; None before somebody listened."""
        return self._heard.get(self.path)

    def listened(self, message: FilmHeard) -> bool:
        """Whether it is what is heard in this film."""
        if message.revision == self._revision:
            self._heard[self.path] = message
        return message.revision == self._revision

    def request(self) -> AnalyseRequest | None:
        """The request to analyse the film; None where this engine was asked already."""
        if self._asked:
            return None
        self._asked = True
        self._revision -= 1
        path = str(self.coming or self.path)
        beside = self.known  # this film is composed for until the other is analysed
        return AnalyseRequest(self._revision, path, self._reading, self._clip_weights, self._use_cache, beside=beside)

    def forget(self) -> None:
        """The engine is gone, or has analysed another film: the next request is for this one again."""
        self.known = self._asked = False

    def load(self, path: Path) -> str:
        """Another film is to be analysed while this one plays on; returns a sentence.  Raises ControlError."""
        if self.analysed is None:
            raise ControlError("busy", "the first film is still being analysed.")
        if self._there is None or self._there[0] != path or self._there[1].wait(0):  # none waits for another's disk
            self._there = path, Later(lambda: os.path.isfile(path), "is there a film")
        there = self._there[1]
        if there.wait() and not there.result():  # of a disk that does not answer the engine will say it
            raise ControlError("bad_value", f"there is no file {path}.")
        if self.coming is not None and self.coming != path:
            self.outcomes.append(FilmOutcome(self.coming, fault=f"{path.name} was asked for later."))
        self.coming = path
        self._asked = False
        return f"{path.name} is being analysed; {self.name} plays on until then."

    def change(self) -> None:
        """The other film, which was analysed, takes this one's place."""
        assert self.coming is not None
        self.path, self.coming, self.analysed = self.coming, None, None
        self.fingerprint = ""

    def reading(self) -> FilmReading:
        """What a session keeps of the film, which has been analysed."""
        seen = self.analysed
        assert seen is not None
        return FilmReading(seen.film, seen.cuts, seen.reading, seen.reason, seen.affect_mean, self.fingerprint)

    def show(self, reading: FilmReading) -> bool:
        """Another cut of the film takes its place, known already; whether it was not this one."""
        if reading.fingerprint == self.fingerprint:
            return False
        assert self.analysed is not None
        self._seen[self.path] = self.analysed
        self.path, self.coming = Path(reading.film.path), None
        self.analysed = replace(self._seen.get(self.path) or analysed_of(reading), film=reading.film, cuts=reading.cuts)
        self.fingerprint = reading.fingerprint
        self.forget()
        return True

    def is_expected(self, message: FilmAnalysed) -> bool:
        return self.coming is None or message.revision == self._revision

    def arrived(self) -> None:
        """The film was analysed by the engine that runs now."""
        self.known, self._retry_s, self._said = True, 0.0, ""
        self.fingerprint, self._content = "", None
        self.read_fingerprint()

    def read_fingerprint(self, patience_s: float | None = None) -> str:
        """Of the file as it is now; empty where it cannot be read, and as long as the disk has not answered."""
        path = self.path
        if self._content is None or self._content[0] != path:
            self._content = path, Later(lambda: fingerprint(path), "film's content")
        if self._content[1].wait(patience_s):
            try:
                self.fingerprint = self._content[1].result()
            except OSError:
                self.fingerprint = ""
            self._content = None
        return self.fingerprint

    def failed(self, message: EngineFailure, host_s: float) -> FilmFailure:
        """A film that was analysed before plays on."""
        sentence = message.sentence.rstrip(".")
        if self.coming is not None:
            if message.revision != self._revision:
                return FilmFailure(stays=True)
            stays = f"{sentence}; the film stays {self.name}."
            self.outcomes.append(FilmOutcome(self.coming, fault=stays))
            self.coming = None
            return FilmFailure(stays, stays=True, ask=not self.known)
        if self.analysed is None:
            return FilmFailure(ends=True)
        said = self._said == message.sentence
        if not said:
            self._said, self.known = message.sentence, False
        self._retry_s = host_s + RETRY_S
        return FilmFailure("" if said else f"{sentence}; what is composed plays on, new chords wait for the film.")

    def found(self, host_s: float) -> str | None:
        """Looks now and then for a film that vanished; a sentence where it is there again, empty where it was, else
        where its content lies in the same folder."""
        if not self._retry_s or (self._looking is None and host_s < self._retry_s):
            return None
        path, content = self.path, self.fingerprint
        if self._looking is None:
            self._looking = Later(lambda: _found_again(path, content), "looks for the film")
        if not self._looking.wait():
            return None
        moved, self._looking = self._looking.result(), None
        self._retry_s = host_s + RETRY_S
        sentence = ""
        if moved is None:
            return None
        if moved != path:
            self._move_to(moved)
            sentence = f"the film was moved: it is {moved} now."
        self._retry_s = 0.0
        self.forget()
        return sentence

    def _move_to(self, path: Path) -> None:
        if self.path in self._heard:
            self._heard[path] = self._heard[self.path]
        self.path = path
        if self.analysed is not None:
            self.analysed = replace(self.analysed, film=replace(self.analysed.film, path=str(path)))


def _found_again(path: Path, content: str) -> Path | None:
    """Where a film is that was at a path: there, or in the same folder by its content."""
    return path if os.path.isfile(path) else find_by_content(path.parent, content)


def analysed_of(reading: FilmReading) -> FilmAnalysed:
    """What a session has kept of a film, as the engine would say it."""
    return FilmAnalysed(0, reading.film, reading.cuts, reading.reading, reading.reason, reading.affect_mean, ())


def carried(document: Document) -> Document:
    """What of one film's settings goes on with another: how the music is played, not where its cues or lines lie."""
    own = (*CUE_CONTROLS, controls.FRAME_RATE, controls.SPEECH)
    kept = {name: value for name, value in document.settings.items() if name not in own}
    return Document(settings=MappingProxyType(kept))
