"""Which files messages may name: those in allowed folders, those that came through the page, films of this run.

Where a path leads only the disk knows, and one across a network may not answer: it is asked in a thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bridge.session.file.later import Known, Later
from engine.music.arguments import ControlError

MOST: Final = 8  # paths that the disk is asked about at a time


class AllowedFiles:
    """folders: that the user allowed.  uploads: folders of files that came through the page, only read.  film: that the
    run began with; its films may come back wherever they lie.

    Each method begins to look, and gives the path later or raises ControlError there; what is wrong with the name
    alone is raised at once, as is that the disk has not answered about many others.
    """

    def __init__(self, folders: Sequence[Path], uploads: Sequence[Path], film: Path) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._uploads = [folder.resolve() for folder in uploads]
        self._films = {film, film.resolve()}
        self._asked: list[Later[Path]] = []

    def add_films(self, *films: Path) -> None:
        """This run has had these."""
        self._films.update(films)

    def film(self, text: str) -> Later[Path]:
        """A film of this run, or one in an allowed folder."""
        return self._known_film(text) or self.path(text)

    def cut(self, text: str) -> Later[Path]:
        """The same, or one that came through the page."""
        return self._known_film(text) or self.readable(text)

    def readable(self, text: str) -> Later[Path]:
        """A file that came through the page, or one in an allowed folder."""
        if not self._uploads:
            return self.path(text)
        return self._later(lambda: self._uploaded(text) or self._allowed(text))

    def path(self, text: str, suffix: str = "") -> Later[Path]:
        """A file in one of the folders the user allowed."""
        self._check_allowed()
        if not Path(text).name.endswith(suffix):
            raise ControlError("bad_value", f"the file name has to end in {suffix}.")
        return self._later(lambda: self._allowed(text))

    def _later(self, find: Callable[[], Path]) -> Later[Path]:
        self._asked = [each for each in self._asked if not each.wait(0)]
        if len(self._asked) >= MOST:
            raise ControlError("busy", f"the disk has not yet answered where {MOST} other files are.")
        found = Later(find, "where is a file")
        # Mostly it answers at once; a disk that has let one turn wait holds no other.
        if not found.wait(0 if self._asked else None):
            self._asked.append(found)
        return found

    def _known_film(self, text: str) -> Later[Path] | None:
        return Known(Path(text)) if Path(text) in self._films else None

    def _check_allowed(self) -> None:
        if not self._folders:
            raise ControlError("bad_value", "no folder is allowed for files from OSC; see --osc-folder.")

    # in a thread ----------------------------------------------------------------------------------------------------
    def _uploaded(self, text: str) -> Path | None:
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # no file name: said below
            path = Path(text).resolve()
            if any(folder in path.parents for folder in self._uploads):
                return path
        return None

    def _allowed(self, text: str) -> Path:
        """Raises ControlError."""
        self._check_allowed()
        path = Path(text)
        path = path if path.is_absolute() else self._folders[0] / path
        try:
            path = path.parent.resolve() / path.name
            linked = path.is_symlink()
        except (OSError, RuntimeError, ValueError):  # a name too long, links in a circle
            raise ControlError("bad_value", "this is not a file name here.") from None
        if linked:
            raise ControlError("bad_value", "this name is a link to another place; give the place itself.")
        if not any(path.parent == folder or folder in path.parent.parents for folder in self._folders):
            raise ControlError("bad_value", "this folder is not allowed for files from OSC; see --osc-folder.")
        return path
