"""What of a document the player and the clocks follow, and no note: nudges, mutes, sync, frame rate, ports.

Applied from the document in force, so that undo, redo and a restored session work on it like on everything else.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from engine.brief import project_rate
from engine.document import Document
from engine.music import PARTS, Film, FrameRate, controls
from engine.music.note import pitch_name


class Output:
    """Tells the player what a document says about it; settings it does not hold are as the program was started."""

    def __init__(self, player: PlayerLink) -> None:
        self._player = player
        self._started = player.options
        self._nudges: dict[str, float] = dict(self._started.ports.nudge_ms)
        self.ports_due = False  # other ports are opened once nothing plays

    def follow(self, document: Document, status: PlayerStatus) -> None:
        player, started, known = self._player, self._started, document.settings
        for part in ("", *PARTS):
            address = controls.of_part(part, "nudge") if part else controls.NUDGE
            ms = document.number_of(address) if address in known else started.ports.nudge_ms.get(part, 0.0)
            if self._nudges.get(part, 0.0) != ms:
                self._nudges[part] = ms
                player.nudge(part, ms)
        hold, rate, layout = started.sync.freewheel_s, started.sync.frame_rate, started.ports.layout
        if controls.HOLD_ON_SYNC_LOSS in known:
            hold = document.number_of(controls.HOLD_ON_SYNC_LOSS)
        if controls.FRAME_RATE in known:
            asked = document.text(controls.FRAME_RATE)
            rate = None if asked == "film" else str(FrameRate.parse(asked))
        if controls.PORTS_LAYOUT in known:
            layout = document.text(controls.PORTS_LAYOUT)
        sync = replace(player.sync, freewheel_s=hold, frame_rate=rate)
        if sync != player.sync:
            player.set_sync(sync)
        ports = replace(player.options.ports, layout=layout)
        self.ports_due = ports != player.options.ports and status.rolling
        if ports != player.options.ports and not status.rolling:
            player.set_ports(ports)

    def mute(self, document: Document, status: PlayerStatus) -> None:
        """Mutes the parts that a document has switched off, at once and before any new note."""
        for part in PARTS:
            on = bool(document.value(controls.of_part(part, "on")))
            if status is PlayerStatus.NONE or (part in status.muted) == on:
                self._player.mute(part, not on)


def frame_rate(document: Document, film: Film | None) -> FrameRate | None:
    """Of the film's timecode: as set, else as the file says; None before the film is known."""
    asked = document.text(controls.FRAME_RATE)
    if asked != "film":
        return FrameRate.parse(asked)
    return None if film is None else project_rate(film, document.text(controls.PICTURE_STARTS_AT))


def named_ranges(document: Document) -> tuple[tuple[str, int, str, int, str], ...]:
    """Part, lowest pitch and its name, highest pitch and its name."""
    return tuple((part, *named_range(document, part)) for part in PARTS)


def named_range(document: Document, part: str) -> tuple[int, str, int, str]:
    """Lowest pitch and its name, highest pitch and its name."""
    octave = int(document.text(controls.MIDDLE_C)[1:])
    low, high = (
        int(document.number_of(controls.of_part(part, "low"))),
        int(document.number_of(controls.of_part(part, "high"))),
    )
    return low, pitch_name(low, octave), high, pitch_name(high, octave)
