"""What the controls that name a file do with it: markers, themes and new cuts of the film.

A job is made in the session's thread, where all that it needs of the session is taken; it reads the file in a thread
of `file_reader`, and what it returns puts the content in force, in the session's thread again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from bridge.controls.allowed_files import AllowedFiles
from bridge.controls.file_reader import Replies, Take
from bridge.osc.codec import Double
from bridge.session.edits import plan
from bridge.session.file.autosave import saved_state
from bridge.session.file.later import Later
from bridge.session.markers import marker_messages
from bridge.session.recut import RecutRunner, RecutWords
from bridge.session.session import Session
from engine.interchange.theme_file import theme_of_file
from engine.music import controls
from engine.music.arguments import ControlError, Value
from engine.music.theme_text import theme_text

Job = Callable[[], Take]


class FileJobs:
    """`make` one for each request; `close` ends those that run in a process of their own."""

    def __init__(self, session: Session, allowed: AllowedFiles) -> None:
        self._session, self._allowed = session, allowed
        self._recuts = RecutRunner()
        self._makers: Final[dict[str, Callable[..., Job]]] = {
            controls.MARKERS_LOAD: self._markers,
            controls.THEME_LOAD: self._theme,
            controls.CONFORM: self._recut,
        }

    def read_for(self, address: str) -> bool:
        """Whether a file is read for this control."""
        return address in self._makers

    def make(self, address: str, arguments: tuple[Value, ...]) -> Job:
        """arguments: checked ones of the control.  Raises ControlError."""
        return self._makers[address](*arguments)

    def close(self) -> None:
        self._recuts.close()

    def _markers(
        self, text: str, what: str | None = None, rows: str | None = None, start: str | None = None,
        rate: str | None = None,
    ) -> Job:  # fmt: skip
        """Reads the markers of a file, then shows or takes them.  Raises ControlError."""
        from engine.interchange.asked import AskedMarkers

        session = self._session
        if session.analysed is None:
            raise ControlError("not_ready", "the film is not known yet.")
        film, film_path, place = session.analysed.film, session.film.path, _place(self._allowed.readable(text))
        starts_at = session.document.text(controls.PICTURE_STARTS_AT)

        def job() -> Take:
            path = place.get()
            asked = AskedMarkers.read(str(path), rate=rate or None, start=start or None)
            mapping = asked.mapping(film, starts_at).changed(rows or "")
            shown = marker_messages(mapping, film, str(path))

            def take() -> Replies:
                self._check_film(film_path, path)
                if what == "show":
                    return shown
                heard_s = session.load_markers(mapping)
                return [(shown[0][0], (*shown[0][1], Double(heard_s))), *shown[1:]]

            return take

        return job

    def _recut(
        self, text: str, what: str | None = None, policies: str | None = None, old_edl: str | None = None,
        new_edl: str | None = None,
    ) -> Job:  # fmt: skip
        """Compares a new cut with this one, then shows what changed or goes over to it.  Raises ControlError."""
        session, document, film_path = self._session, self._session.document, self._session.film.path
        edls = None
        if old_edl is not None and new_edl is not None:
            edls = _place(self._allowed.path(old_edl)), _place(self._allowed.path(new_edl))
        elif old_edl is not None or new_edl is not None:
            raise ControlError("bad_value", "give the EDLs of both cuts, the old one first.")
        place, named = _place(self._allowed.cut(text)), RecutWords(Path(text), policies or "")
        named.flags()
        saved = saved_state(session, session.film.fingerprint or session.film.read_fingerprint())
        if saved is None or not document.result.complete:
            raise ControlError("not_ready", "the music is still being composed; ask again at its end.")
        taking = what == "take"

        def job() -> Take:
            words = replace(named, new=place.get(), edls=None if edls is None else (edls[0].get(), edls[1].get()))
            recut = self._recuts.run(saved, words, take=taking)

            def take() -> Replies:
                self._check_film(film_path, words.new)
                if recut.moved is None:
                    return recut.messages(None)
                if session.document is not document:
                    raise ControlError("not_ready", "the session was changed while the cuts were compared; ask again.")
                heard_s = session.take_recut(recut.moved)
                self._allowed.add_films(film_path, session.film.path)
                return recut.messages(heard_s)

            return take

        return job

    def _theme(self, text: str) -> Job:
        """Reads a theme from a file for the cue that is selected now.  Raises ControlError."""
        session, place = self._session, _place(self._allowed.readable(text))
        document, film_path = session.document, session.film.path
        key, cue = document.result.key, document.cue
        bar_beats = float(document.result.tempo_map.meter_at(0).bar_beats)

        def job() -> Take:
            path = place.get()
            theme = theme_text(theme_of_file(path, key, bar_beats))

            def take() -> Replies:
                self._check_film(film_path, path)
                return [(controls.THEME_LOAD, (theme, Double(session.edit(plan.set_theme, theme, cue))))]

            return take

        return job

    def _check_film(self, film: Path, path: Path) -> None:
        if self._session.film.path != film:
            raise ControlError("not_ready", f"the film was changed before {path.name} was read.")


def _place(place: Later[Path]) -> Later[Path]:
    """Raises ControlError where the disk has said already that the path may not be named."""
    if place.wait(0):
        place.result()
    return place
