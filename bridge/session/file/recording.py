"""The performance: what the player reports to have sent, pass by pass; `track` lays the passes out.

`Journal` keeps what was played on the disk while it is played.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import queue
import struct
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final

from bridge.player.messages import SentEvent
from bridge.session.file.track import LEAP_S, Track, is_off, is_on, name_of, off_of, open_notes
from engine.music import TempoMap, TimeSignature
from engine.music.meter import MeterChange, TempoChange

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

JUMP_S: Final = 0.02  # a position this far behind the last one begins a new pass
_CONTROL: Final = 0xB0
_CHANNEL_MODE: Final = 120  # All Sound Off and the like: commands to a synthesizer, not music
_EVENT: Final = struct.Struct("<ddBBBB")
_STOP: Final = SentEvent(0.0, 0.0, 0, 0, 0, 0)  # in a journal: play has stopped
_HEAD: Final = b"CueBridge recording 1\n"


class Recorder:
    """Feed it with what `PlayerLink.drain_events` gives, and say when play has stopped; `events` is the track as it
    stands.

    heard: how many events came in.  journal: keeps them on the disk, too.
    """

    def __init__(self) -> None:
        self._track = Track()
        self._pass: list[SentEvent] = []
        self._last: SentEvent | None = None  # as it came in
        self._sounding: set[tuple[int, int, int]] = set()  # notes that came in without their end
        self._goes_on = False  # the pass is the rest of one whose beginning is in the track already
        self._has_notes = False
        self.heard = 0
        self.journal: Journal | None = None

    def add(self, events: Sequence[SentEvent]) -> None:
        if self.journal is not None:
            self.journal.add(events)
        for event in events:
            self.heard += 1
            if event.status & 0xF0 == _CONTROL and event.data1 >= _CHANNEL_MODE:
                continue
            if self._last is not None and _jumped(self._last, event):
                if is_off(event) and name_of(event) in self._sounding:
                    # A note ends where play was when it leapt; a player that took a dead one's place says it from 0.
                    passed_s = max(event.host_s - self._last.host_s, 0.0)
                    event = event._replace(position_s=self._last.position_s + passed_s)
                else:
                    self._end_pass()  # a journal that is read again finds the same leap
            if is_on(event):
                self._sounding.add(name_of(event))
                self._has_notes = True
            elif is_off(event):
                self._sounding.discard(name_of(event))
            self._pass.append(event)
            self._last = event

    def stop(self) -> None:
        """Play has stopped or jumped: what comes next is another pass."""
        if self._last is not None and self.journal is not None:
            self.journal.add([_STOP])
        self._end_pass()

    def _end_pass(self) -> None:
        self._finish_pass()
        self._last, self._goes_on = None, False

    @property
    def events(self) -> tuple[SentEvent, ...]:
        """Waited for: after an evening of loops that takes a moment."""
        return self.events_later().result()

    def events_later(self) -> Future[tuple[SentEvent, ...]]:
        """The track as it stands now, laid out beside the session."""
        self._finish_pass()
        self._goes_on = self._last is not None
        return self._track.events_later()

    @property
    def empty(self) -> bool:
        return not self._has_notes and not self._pass

    def clear(self) -> None:
        self._track = Track()
        self._pass.clear()
        self._sounding.clear()
        self._last, self._goes_on, self._has_notes = None, False, False

    def _finish_pass(self) -> None:
        if self._pass:
            self._track.lay(self._pass, goes_on=self._goes_on)
            self._pass = []


def _jumped(last: SentEvent, event: SentEvent) -> bool:
    """Whether play has jumped between two events, one after the other while it rolled."""
    moved_s, passed_s = event.position_s - last.position_s, event.host_s - last.host_s
    return moved_s < -JUMP_S or moved_s > 2 * max(passed_s, 0.0) + LEAP_S


class Journal:
    """Keeps what is played on the disk, beside the file that it will become: at most the last second is lost, whatever
    ends the program.  Written in a thread; a full or slow disk holds nothing up and is said by the file itself.

    A journal that is there already, of another run or of one whose notes could not be saved yet, stays: this one is
    numbered then.
    """

    def __init__(
        self,
        path: Path,
        tempo_map: TempoMap,
        *,
        first: Callable[[], object] = lambda: None,
        before: Future[tuple[SentEvent, ...]] | None = None,
    ) -> None:
        """first: done in the thread before anything is written.  before: what was played until now."""
        self._recording, self._first = path, first
        self.path = journal_path(path)
        self._kept = True
        self._jobs: queue.SimpleQueue[bytes | Future[tuple[SentEvent, ...]] | None] = queue.SimpleQueue()
        self._jobs.put(_HEAD + json.dumps(_map_values(tempo_map)).encode() + b"\n")
        if before is not None:
            self._jobs.put(before)
        self._thread = threading.Thread(target=self._run, name="recording journal", daemon=True)
        self._thread.start()

    def add(self, events: Sequence[SentEvent]) -> None:
        if events:
            self._jobs.put(_packed(events))

    def close(self, *, keep: bool = False) -> None:
        """keep: what was played is not in a file of its own yet; `delete` once it is."""
        self._kept = keep
        self._jobs.put(None)
        self._thread.join(2.0)

    def delete(self) -> None:
        """Of a journal that was closed and kept."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _run(self) -> None:
        self._first()
        made = False
        try:
            with self._open() as file:
                made = True
                _lock(file.fileno())
                while (data := self._jobs.get()) is not None:
                    file.write(_packed(data.result()) if isinstance(data, Future) else data)
        except OSError:
            while self._jobs.get() is not None:  # nothing can be kept there; the .mid says why when it is written
                pass
        if made and not self._kept:  # here: whoever closes it does not wait for a disk that is slow to make the file
            self.delete()

    def _open(self) -> BinaryIO:
        number = 1
        while True:
            try:
                return self.path.open("xb", buffering=0)
            except FileExistsError:
                number += 1
                wanted = self._recording
                self.path = journal_path(wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}"))


def _packed(events: Sequence[SentEvent]) -> bytes:
    return b"".join(_EVENT.pack(*event) for event in events)


def _lock(number: int) -> bool:
    """Marks an open journal as in use; whether nobody else has.  Windows refuses to delete an open file anyway."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def cut_off(path: Path) -> list[Path]:
    """Journals of runs that ended before they had written their recording: of a path and of its numbered
    neighbours."""
    found = []
    for each in sorted(path.parent.glob(f"{glob.escape(path.stem)}*{path.suffix}.playing")):
        with contextlib.suppress(OSError), each.open("rb") as file:
            if _lock(file.fileno()):
                found.append(each)
    return found


def journal_path(path: Path) -> Path:
    """The journal of a recording: `take.mid.playing`."""
    return path.with_name(f"{path.name}.playing")


def read_journal(path: Path) -> tuple[tuple[SentEvent, ...], TempoMap] | None:
    """The track of a run that was cut off, and its tempo map; None where there is none, or nothing that can be
    read as one.  A torn end is left out.  Raises OSError.
    """
    data = path.read_bytes() if os.path.isfile(path) else b""
    try:
        head, _, rows = data.removeprefix(_HEAD).partition(b"\n")
        if not data.startswith(_HEAD) or not rows:
            return None
        tempo_map = _map_of(json.loads(head))
    except (ValueError, KeyError, TypeError):
        return None
    recorder = Recorder()
    whole = len(rows) // _EVENT.size * _EVENT.size
    for row in _EVENT.iter_unpack(rows[:whole]):
        if row == _STOP:
            recorder.stop()
        else:
            recorder.add([SentEvent(*row)])
    track = list(recorder.events)
    if track:
        track += [off_of(event, track[-1].position_s) for event in open_notes(track)]
    return tuple(track), tempo_map


def holds_nothing(path: Path) -> bool:
    """Whether a journal was cut off before anything was played.  Raises OSError."""
    data = path.read_bytes()
    return _HEAD.startswith(data) or (data.startswith(_HEAD) and not data.removeprefix(_HEAD).partition(b"\n")[2])


def _map_values(tempo_map: TempoMap) -> dict[str, object]:
    return {
        "origin_s": str(tempo_map.origin_s),
        "tempos": [[str(each.beat), str(each.bpm)] for each in tempo_map.tempos],
        "meters": [[str(each.beat), str(each.meter)] for each in tempo_map.meters],
    }


def _map_of(values: dict) -> TempoMap:
    return TempoMap(
        tuple(TempoChange(Fraction(beat), Fraction(bpm)) for beat, bpm in values["tempos"]),
        tuple(MeterChange(Fraction(beat), TimeSignature.parse(meter)) for beat, meter in values["meters"]),
        Fraction(values["origin_s"]),
    )
