"""The film as a file and as the engine knows it: asked for, analysed, changed for another, found where it was moved."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bridge.session.file.film_file import find_by_content, fingerprint
from engine.document import CUE_CONTROLS, Document
from engine.music import controls
from engine.process.messages import AnalyseRequest, EngineFailure, FilmAnalysed

RETRY_S: Final = 5.0  # a film that vanished is looked for again after this


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
    """Which film the engine knows.

    known: the engine that runs now has analysed the film.  coming: another film that is analysed while this one still
    plays.  fingerprint: of the file's content, empty before the film was analysed.
    """

    def __init__(
        self, path: str, reading: str = "auto", clip_weights: str | None = None, use_cache: bool = True
    ) -> None:
        self.path = Path(path)
        self.coming: Path | None = None
        self.known = False
        self.fingerprint = ""
        self._reading, self._clip_weights, self._use_cache = reading, clip_weights, use_cache
        self._asked = False
        self._revision = 0  # below zero: not to be taken for a composition's
        self._retry_s = 0.0
        self._said = ""

    @property
    def name(self) -> str:
        return self.path.name

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

    def load(self, path: Path) -> None:
        """Another film is to be analysed while this one plays on."""
        self.coming = path
        self._asked = False

    def is_expected(self, message: FilmAnalysed) -> bool:
        return self.coming is None or message.revision == self._revision

    def analysed(self) -> None:
        """The film was analysed by the engine that runs now."""
        self.known, self._retry_s, self._said = True, 0.0, ""
        self.read_fingerprint()

    def read_fingerprint(self) -> str:
        """Of the file as it is now; empty where it cannot be read."""
        try:
            self.fingerprint = fingerprint(self.path)
        except OSError:
            self.fingerprint = ""
        return self.fingerprint

    def failed(self, message: EngineFailure, host_s: float, *, analysed: bool) -> FilmFailure:
        """analysed: this session's film was analysed before, so that its music can play on."""
        sentence = message.sentence.rstrip(".")
        if self.coming is not None:
            if message.revision != self._revision:
                return FilmFailure(stays=True)
            self.coming = None
            return FilmFailure(f"{sentence}; the film stays {self.name}.", stays=True, ask=not self.known)
        if not analysed:
            return FilmFailure(ends=True)
        said = self._said == message.sentence
        if not said:
            self._said, self.known = message.sentence, False
        self._retry_s = host_s + RETRY_S
        return FilmFailure("" if said else f"{sentence}; what is composed plays on, new chords wait for the film.")

    def found(self, host_s: float) -> bool:
        """Whether a film that vanished is there again, where it was or, by its content, elsewhere in its folder."""
        if not self._retry_s or host_s < self._retry_s:
            return False
        self._retry_s = host_s + RETRY_S
        if not os.path.isfile(self.path):
            moved = find_by_content(self.path.parent, self.fingerprint)
            if moved is None:
                return False
            self.path = moved
        self._retry_s = 0.0
        self.forget()
        return True


def carried(document: Document) -> Document:
    """What of one film's settings goes on with another: how the music is played, not where its cues lie."""
    own = (*CUE_CONTROLS, controls.FRAME_RATE)
    kept = {name: value for name, value in document.settings.items() if name not in own}
    return Document(settings=MappingProxyType(kept))
