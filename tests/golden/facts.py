"""Numbers of a performance, a file or a report as lines of text, and their comparison with a golden file.

A golden holds numbers only: texts, names and spellings are free.  Times are seconds with four places and agree within
0.15 ms, so that the last digit of a float kernel decides nothing; everything else agrees exactly.

    note 2 64: 1.2500+0.4500/83 …       channel, pitch: start + length / velocity
    control 2,3 1: 0.0000=64 …          channels, number: time = value; of what was sent: port.channel

`CUEBRIDGE_REMAKE_GOLDENS=1 python -m pytest tests/golden` writes the goldens anew; git shows what changed.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import mido

TOLERANCE_S = 0.00015
REMAKE = os.environ.get("CUEBRIDGE_REMAKE_GOLDENS") == "1"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_PER_LINE = 12
# Facts of a run, not of the music.
_FREE = {"seconds", "peak_memory_mib", "file", "files", "path", "weights", "size", "take_name"}


def check(golden: Path, lines: Sequence[str]) -> None:
    """Compares with the golden file, or writes it where goldens are remade."""
    if REMAKE:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text("\n".join(lines) + "\n")
        return
    wanted = golden.read_text().splitlines()
    for number, (was, now) in enumerate(zip(wanted, lines, strict=False), start=1):
        assert _agree(was, now), f"{golden.name}:{number}\n  golden: {was}\n  now:    {now}"
    missing, new = wanted[len(lines) :], list(lines[len(wanted) :])
    assert not missing and not new, f"{golden.name}: only in the golden {missing[:3]}, only now {new[:3]}"


def _agree(was: str, now: str) -> bool:
    if was == now:
        return True
    if _NUMBER.sub("#", was) != _NUMBER.sub("#", now):
        return False
    pairs = zip(_NUMBER.findall(was), _NUMBER.findall(now), strict=True)
    return all(old == new or ("." in old and abs(float(old) - float(new)) <= TOLERANCE_S) for old, new in pairs)


def _rows(head: str, cells: Sequence[str]) -> list[str]:
    return [f"{head}: {' '.join(cells[at : at + _PER_LINE])}" for at in range(0, len(cells), _PER_LINE)]


class Events:
    """Timed MIDI messages -> lines; begin with `add` in order of time."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, ...], list[tuple[float, int]]] = defaultdict(list)
        self._notes: dict[tuple[int, ...], list[tuple[float, float, int]]] = defaultdict(list)
        self._controls: dict[tuple[int, ...], list[tuple[float, int]]] = defaultdict(list)
        self._orphans = 0

    def add(self, time_s: float, status: int, data1: int, data2: int, *where: int) -> None:
        channel = (status & 0x0F) + 1
        kind, key = status & 0xF0, (*where, channel, data1)
        if kind == 0x90 and data2:
            self._open[key].append((time_s, data2))
        elif kind in (0x80, 0x90):
            if self._open[key]:
                start_s, velocity = self._open[key].pop(0)
                self._notes[key].append((start_s, time_s - start_s, velocity))
            else:
                self._orphans += 1
        elif kind == 0xC0:
            self._controls[(*where, channel, 128)].append((time_s, data1))
        else:
            self._controls[key].append((time_s, data2))

    def lines(self) -> list[str]:
        found = []
        for key in sorted(self._notes):
            cells = [f"{start_s:.4f}+{length_s:.4f}/{velocity}" for start_s, length_s, velocity in self._notes[key]]
            found += _rows(f"note {' '.join(map(str, key))}", cells)
        same: dict[tuple[int, tuple[str, ...]], list[tuple[int, ...]]] = defaultdict(list)
        for key in sorted(self._controls):  # most parts share their curves
            cells = tuple(f"{time_s:.4f}={value}" for time_s, value in self._controls[key])
            same[key[-1], cells].append(key[:-1])
        for (number, cells), places in same.items():
            channels = ",".join(".".join(map(str, place)) for place in places)
            found += _rows(f"control {channels} {number}", cells)
        sounding = sum(len(waiting) for waiting in self._open.values())
        return [*found, f"sounding {sounding}, offs alone {self._orphans}"]


def midi_lines(path: Path) -> list[str]:
    """A .mid, read by mido alone."""
    midi = mido.MidiFile(path)
    events, tempos, meters, keys, markers = Events(), [], [], [], []
    now_s = ticks = 0.0
    for message in midi:
        now_s += message.time
        if message.type == "set_tempo":
            tempos.append(f"{now_s:.4f}={message.tempo}")
        elif message.type == "time_signature":
            meters.append(f"{now_s:.4f}={message.numerator}/{message.denominator}")
        elif message.type == "key_signature":
            keys.append(f"{now_s:.4f}={_tonic(message.key)}")
        elif message.type == "marker":
            markers.append(f"{now_s:.4f}")
        elif not message.is_meta and message.type != "sysex":
            data = message.bytes()
            events.add(now_s, data[0], data[1], data[2] if len(data) > 2 else 0)
        ticks += 1
    head = [f"ticks {midi.ticks_per_beat}", *_rows("tempo", tempos), *_rows("meter", meters), *_rows("key", keys)]
    return [*head, *_rows("marker", markers), *events.lines()]


def _tonic(key: str) -> str:
    """A key signature as pitch class and mode, however it is spelled."""
    names = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    pitch = names[key[0]] + key.count("#") - key[1:].count("b")
    return f"{pitch % 12}{'m' if key.endswith('m') else ''}"


def number_lines(value: Any, chord: Callable[[str], int | None], name: str = "facts") -> list[str]:
    """The numbers in a report or an answer, a line for each object; chords and meters count as numbers.

    chord: reads a chord symbol as a number, None for any other text.
    """
    lines: list[str] = []
    cells: list[str] = []
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if key in _FREE:
            continue
        if isinstance(each, dict | list | tuple):
            lines += number_lines(each, chord, f"{name}.{key}")
        elif cell := _cell(each, chord):
            cells.append(f"{key}={cell}" if isinstance(value, dict) else cell)
    return [*_rows(name, cells), *lines]


def _cell(value: Any, chord: Callable[[str], int | None]) -> str:
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, str):
        if re.fullmatch(r"[\d/|.:;+-]+", value):
            return value
        number = chord(value)
        return "" if number is None else f"chord{number}"
    return ""


def sync_lines(messages: Sequence[tuple[float, bytes]], start_s: float) -> list[str]:
    """Timecode and clock that a player sent: when the first and last of each kind went, how many, and what they say."""
    kinds: dict[int, list[tuple[float, bytes]]] = defaultdict(list)
    for host_s, data in messages:
        kinds[data[0]].append((host_s - start_s, data))
    lines = []
    for kind, sent in sorted(kinds.items()):
        said = b"".join(data[1:] for _, data in sent).hex()
        lines.append(f"sync {kind:02x}: {sent[0][0]:.4f} {sent[-1][0]:.4f} {len(sent)} {said}")
    return lines


def sent_lines(events: Iterable[Any], start_s: float) -> list[str]:
    """What a player sent; times from the beginning of the run."""
    found = Events()
    for event in events:
        found.add(event.host_s - start_s, event.status, event.data1, event.data2, event.port)
    return found.lines()
