"""How late the DAW records what the bridge plays: eight notes, measured, and the value kept for the next `live`.

Played at a stated position, recorded by the DAW and played back by it into the bridge's own input while the DAW's
timecode or clock runs: the way back delays note and timecode alike, so what is left is the offset of the take.  Times
in `_s` are timeline seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.player.messages import PlayerStatus
from engine.music import Note, UserError
from engine.user_folders import config_folder

COUNT: Final = 8
FIRST_S: Final = 1.5  # after the moment at which the notes are placed
STEP_S: Final = 0.5
LENGTH_S: Final = 0.2
LOWEST: Final = 60
NEAR_S: Final = 0.24  # a note further from its place is another one
STEADY_MS: Final = 5.0  # notes that stray further from each other are no constant delay
LIMIT_MS: Final = 250.0  # of "MIDI earlier–later"


@dataclass(frozen=True, slots=True)
class Offset:
    """ms: how late the take is (negative: early), the median; spread_ms: from the first note to the last in order of
    lateness; notes: how many of the eight came back."""

    ms: float
    spread_ms: float
    notes: int

    @property
    def nudge_ms(self) -> float:
        """The "MIDI earlier–later" that takes it away."""
        return round(-self.ms, 1) + 0.0

    @property
    def steady(self) -> bool:
        return self.spread_ms <= STEADY_MS


def place_notes(position_s: float) -> tuple[Note, ...]:
    """Eight notes ahead of a playhead, told apart by their pitch; `*_beats` hold seconds."""
    first = position_s + FIRST_S
    return tuple(Note(LOWEST + k, 100, first + k * STEP_S, LENGTH_S, 1, "pad") for k in range(COUNT))


def measure(placed: Mapping[int, float], found: Sequence[tuple[int, float]]) -> Offset:
    """placed: pitch -> second; found: (pitch, second) as recorded.  Raises UserError where too little came back."""
    offsets: dict[int, float] = {}
    for pitch, at_s in found:
        if pitch in placed and abs(at_s - placed[pitch]) < NEAR_S:
            offsets.setdefault(pitch, (at_s - placed[pitch]) * 1000)
    if len(offsets) < COUNT // 2:
        raise UserError(
            f"{len(offsets)} of the {COUNT} notes came back: is the track recorded, its take played, and sent to the "
            "return port?"
        )
    values = sorted(offsets.values())
    return Offset(statistics.median(values), values[-1] - values[0], len(values))


class PositionLog:
    """Where the playhead was at a host time, from the player's statuses."""

    def __init__(self) -> None:
        self._statuses: list[PlayerStatus] = []

    def add(self, status: PlayerStatus | None) -> None:
        if status is not None and (not self._statuses or status.host_s > self._statuses[-1].host_s):
            self._statuses.append(status)

    def position_at(self, host_s: float) -> float | None:
        """None where it did not roll."""
        best = min(self._statuses, key=lambda status: abs(status.host_s - host_s), default=None)
        if best is None or not best.rolling or abs(best.host_s - host_s) > 0.5:
            return None
        return best.position_s + (host_s - best.host_s) * best.rate


def _file() -> Path:
    return config_folder() / "calibration.json"


def _read() -> dict[str, object]:
    try:
        values = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, UserError):  # UserError: no home folder, so nothing is kept
        return {}
    return values if isinstance(values, dict) else {}


def _write(values: dict[str, object]) -> Path:
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(prefix=".calibration", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(values, stream, indent=1)
            os.replace(aside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def keep(port: str, sync: str, nudge_ms: float) -> Path:
    """Kept for `live` with this port and position source.  Raises UserError."""
    if abs(nudge_ms) > LIMIT_MS:
        raise UserError(f"{nudge_ms:g} ms is beyond what can be shifted ({LIMIT_MS:g} ms); nothing was kept.")
    return _write(_read() | {f"{port}/{sync}": nudge_ms})


def kept(port: str, sync: str) -> float | None:
    """What was kept, in ms; None where nothing was."""
    value = _read().get(f"{port}/{sync}")
    return float(value) if isinstance(value, (int, float)) and abs(value) <= LIMIT_MS else None


def remember_take(placed: Mapping[int, float]) -> Path:
    """Where the last eight notes were, for a take that is read from a file afterwards."""
    return _write(_read() | {"placed": {str(pitch): at_s for pitch, at_s in placed.items()}})


def remembered_take() -> dict[int, float]:
    """Raises UserError where no notes were played yet."""
    value = _read().get("placed")
    if not isinstance(value, dict) or not value:
        raise UserError("no calibration notes were played yet: run `cuebridge calibrate` with the DAW first.")
    return {int(pitch): float(at_s) for pitch, at_s in value.items()}
