"""What of a document the player and the clocks follow, and no note: nudges, sync, frame rate, ports.

Applied from the document in force, so that undo, redo and a restored session work on it like on everything else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.document import Document
from engine.music import PARTS, FrameRate, controls
from engine.music.arguments import ControlError, Value
from engine.music.note import pitch_name

if TYPE_CHECKING:
    from bridge.session.session import Session


class SessionOutput:
    """Of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # What is not set has the value that the program was started with.
        self._started = session.player.options
        self._nudges: dict[str, float] = dict(self._started.ports.nudge_ms)

    @property
    def frame_rate(self) -> FrameRate | None:
        """Of the film's timecode: as set, else as the file says; None before the film is known."""
        asked = self._session.document.text(controls.FRAME_RATE)
        if asked != "film":
            return FrameRate.parse(asked)
        return self._session.analysed.film.rate if self._session.analysed is not None else None

    def check(self, address: str, value: Value) -> None:
        """Raises ControlError for what cannot be done now."""
        if (
            address == controls.PORTS_LAYOUT
            and self._session.rolling
            and value != self._session.document.value(address)
        ):
            raise ControlError("not_ready", "ports are opened anew: stop first.")

    def follow(self) -> None:
        """Tells the player what the document in force says."""
        session, document = self._session, self._session.document
        player = session.player
        started, known = self._started, document.settings
        for part in ("", *PARTS):
            address = controls.of_part(part, "nudge") if part else controls.NUDGE
            ms = document.number(address) if address in known else started.ports.nudge_ms.get(part, 0.0)
            if self._nudges.get(part, 0.0) != ms:
                self._nudges[part] = ms
                player.nudge(part, ms)
        hold, rate, per_part = started.sync.freewheel_s, started.sync.frame_rate, started.ports.per_part
        if controls.HOLD_ON_SYNC_LOSS in known:
            hold = document.number(controls.HOLD_ON_SYNC_LOSS)
        if controls.FRAME_RATE in known:
            asked = document.text(controls.FRAME_RATE)
            rate = None if asked == "film" else str(FrameRate.parse(asked))
        if controls.PORTS_LAYOUT in known:
            per_part = document.text(controls.PORTS_LAYOUT) == "per-part"
        sync = replace(player.sync, freewheel_s=hold, frame_rate=rate)
        if sync != player.sync:
            player.set_sync(sync)
        ports = replace(player.options.ports, per_part=per_part)
        if ports != player.options.ports and not session.rolling:
            player.set_ports(ports)

    def ranges(self) -> tuple[tuple[str, int, str, int, str], ...]:
        """Part, lowest pitch and its name, highest pitch and its name."""
        return tuple((part, *named_range(self._session.document, part)) for part in PARTS)


def named_range(document: Document, part: str) -> tuple[int, str, int, str]:
    """Lowest pitch and its name, highest pitch and its name."""
    octave = int(document.text(controls.MIDDLE_C)[1:])
    low, high = (
        int(document.number(controls.of_part(part, "low"))),
        int(document.number(controls.of_part(part, "high"))),
    )
    return low, pitch_name(low, octave), high, pitch_name(high, octave)
