"""Which files messages may name: those in allowed folders, those that came through the page, films of this run."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from engine.music.arguments import ControlError


class AllowedFiles:
    """folders: that the user allowed.  uploads: folders of files that came through the page, only read.  film: that the
    run began with; its films may come back wherever they lie."""

    def __init__(self, folders: Sequence[Path], uploads: Sequence[Path], film: Path) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._uploads = [folder.resolve() for folder in uploads]
        self._films = {film, film.resolve()}

    def add_films(self, *films: Path) -> None:
        """This run has had these."""
        self._films.update(films)

    def film(self, text: str) -> Path:
        """A film of this run, or one in an allowed folder.  Raises ControlError."""
        return Path(text) if Path(text) in self._films else self.path(text)

    def cut(self, text: str) -> Path:
        """The same, or one that came through the page.  Raises ControlError."""
        return Path(text) if Path(text) in self._films else self.readable(text)

    def readable(self, text: str) -> Path:
        """A file that came through the page, or one in an allowed folder.  Raises ControlError."""
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # no file name: said below
            path = Path(text).resolve()
            if any(folder in path.parents for folder in self._uploads):
                return path
        return self.path(text)

    def path(self, text: str, suffix: str = "") -> Path:
        """A file in one of the folders the user allowed.  Raises ControlError."""
        if not self._folders:
            raise ControlError("bad_value", "no folder is allowed for files from OSC; see --osc-folder.")
        path = Path(text)
        path = path if path.is_absolute() else self._folders[0] / path
        try:
            path = path.parent.resolve() / path.name
            linked = path.is_symlink()
        except (OSError, RuntimeError, ValueError):  # a name too long, links in a circle
            raise ControlError("bad_value", "this is no file name here.") from None
        if linked:
            raise ControlError("bad_value", "this name is a link to another place; give the place itself.")
        if not path.name.endswith(suffix):
            raise ControlError("bad_value", f"the file name has to end in {suffix}.")
        if not any(path.parent == folder or folder in path.parent.parents for folder in self._folders):
            raise ControlError("bad_value", "this folder is not allowed for files from OSC; see --osc-folder.")
        return path
