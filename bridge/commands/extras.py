"""Optional packages that sources of sync and MIDI systems need: asked for before any port is opened."""

from __future__ import annotations

from typing import Final

from engine.music.extras import need_extra

_SOURCES: Final = {"jack": "The JACK transport", "link": "Ableton Link"}  # each needs the extra of its name


def need_source(*sources: str | None) -> None:
    """sources: of position and tempo, by their names on the command line; `auto` needs nothing.  Raises UserError."""
    for source in sources:
        if source in _SOURCES:
            need_extra(source, _SOURCES[source])


def need_midi_api(api: str) -> None:
    """A MIDI system that is asked for by name; `auto` and `none` need nothing.  Raises UserError."""
    if api == "jack-client":
        need_extra("jack", "A port on JACK's process callback")
    elif api not in ("auto", "none"):
        need_extra("midi", f"A port on {api}")
