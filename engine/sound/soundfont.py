"""Reads SoundFont 2 files: which samples a key of a program plays, and with which parameters.

Source: SoundFont Technical Specification 2.04 (Creative, 2006); section numbers in comments are its own.  Modulators
of the file are not read; the default one from velocity to attenuation (8.4.1) is applied by `voice.py`.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from engine.sound.errors import SoundError

DRUM_BANK: Final = 128

# Generators (8.1.2) by number.
START, END, LOOP_START, LOOP_END, START_COARSE = 0, 1, 2, 3, 4
MOD_LFO_PITCH, VIB_LFO_PITCH, MOD_ENV_PITCH = 5, 6, 7
FILTER_CUTOFF, FILTER_Q, MOD_LFO_FILTER, MOD_ENV_FILTER = 8, 9, 10, 11
END_COARSE, MOD_LFO_VOLUME, PAN = 12, 13, 17
MOD_LFO_DELAY, MOD_LFO_FREQUENCY, VIB_LFO_DELAY, VIB_LFO_FREQUENCY = 21, 22, 23, 24
MOD_DELAY, MOD_ATTACK, MOD_HOLD, MOD_DECAY, MOD_SUSTAIN = 25, 26, 27, 28, 29
MOD_KEY_HOLD, MOD_KEY_DECAY = 31, 32
VOL_DELAY, VOL_ATTACK, VOL_HOLD, VOL_DECAY, VOL_SUSTAIN, VOL_RELEASE = 33, 34, 35, 36, 37, 38
VOL_KEY_HOLD, VOL_KEY_DECAY = 39, 40
INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, LOOP_START_COARSE = 41, 43, 44, 45
KEY, VELOCITY, ATTENUATION, LOOP_END_COARSE = 46, 47, 48, 50
COARSE_TUNE, FINE_TUNE, SAMPLE, SAMPLE_MODES, SCALE_TUNING = 51, 52, 53, 54, 56
EXCLUSIVE_CLASS, ROOT_KEY = 57, 58
_GENERATORS: Final = 61

# What a preset may not add to (8.5): addresses and what names or replaces something.
_INSTRUMENT_ONLY: Final = (
    START, END, LOOP_START, LOOP_END, START_COARSE, END_COARSE, LOOP_START_COARSE, KEY, VELOCITY, LOOP_END_COARSE,
    SAMPLE, SAMPLE_MODES, EXCLUSIVE_CLASS, ROOT_KEY,
)  # fmt: skip
_COMPRESSED: Final = 0x10  # sample type flag of SoundFont 3
_ROM: Final = 0x8000

_PRESET = np.dtype(
    [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("x", "<u4"), ("y", "<u4"), ("z", "<u4")]
)
_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("number", "<u2"), ("amount", "<i2")])
_INSTRUMENT = np.dtype([("name", "S20"), ("bag", "<u2")])
_SAMPLE = np.dtype(
    [
        ("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"), ("loop_end", "<u4"),
        ("rate", "<u4"), ("pitch", "u1"), ("correction", "i1"), ("link", "<u2"), ("kind", "<u2"),
    ]
)  # fmt: skip


def _defaults() -> np.ndarray:
    """(61,) int32: the values of generators that a file leaves out (8.1.3)."""
    values = np.zeros(_GENERATORS, np.int32)
    values[[MOD_LFO_DELAY, VIB_LFO_DELAY]] = -12000
    values[[MOD_DELAY, MOD_ATTACK, MOD_HOLD, MOD_DECAY, 30]] = -12000
    values[[VOL_DELAY, VOL_ATTACK, VOL_HOLD, VOL_DECAY, VOL_RELEASE]] = -12000
    values[FILTER_CUTOFF] = 13500
    values[SCALE_TUNING] = 100
    values[[KEY, VELOCITY, ROOT_KEY]] = -1
    return values


_DEFAULTS: Final = _defaults()


@dataclass(frozen=True, slots=True)
class Layer:
    """One sample as one key plays it.

    start, end, loop_start, loop_end: places in `SoundFont.samples`.  rate: of the sample, Hz.  cents: of the key above
    the sample's own pitch.  key: the key that the parameters go by.  generators: (61,) int32, sums of instrument and
    preset.
    """

    start: int
    end: int
    loop_start: int
    loop_end: int
    rate: int
    cents: float
    key: int
    generators: tuple[int, ...]

    @property
    def loops(self) -> bool:
        return self.generators[SAMPLE_MODES] & 1 == 1 and self.loop_end > self.loop_start + 1

    @property
    def exclusive_class(self) -> int:
        """Notes of one class end each other (a closed hi-hat an open one); 0: none."""
        return self.generators[EXCLUSIVE_CLASS]


@dataclass(frozen=True, slots=True)
class _Zone:
    keys: tuple[int, int]
    velocities: tuple[int, int]
    generators: np.ndarray  # (61,) int32
    target: int  # instrument or sample


class SoundFont:
    """An open SoundFont 2 file.  The samples are mapped, not loaded.  Raises SoundError for what is none."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        tables, at, length = _read_chunks(self.path)
        try:
            self._samples = np.memmap(self.path, np.int16, "r", offset=at, shape=(length // 2,))
            self._headers = _table(tables[b"shdr"], _SAMPLE)
            instruments = _table(tables[b"inst"], _INSTRUMENT)
            presets = _table(tables[b"phdr"], _PRESET)
            self._instruments = _zones(instruments["bag"], tables[b"ibag"], tables[b"igen"], SAMPLE, _DEFAULTS)
            zones = _zones(presets["bag"], tables[b"pbag"], tables[b"pgen"], INSTRUMENT, np.zeros_like(_DEFAULTS))
        except (KeyError, ValueError, IndexError, OSError) as error:
            raise SoundError(f"{self.path.name} is a damaged SoundFont.") from error
        if (self._headers["kind"][:-1] & _COMPRESSED).any():
            raise SoundError(f"{self.path.name} is compressed (SoundFont 3); an uncompressed .sf2 is needed.")
        # Where two presets have one number the first counts.
        self._presets: dict[tuple[int, int], list[_Zone]] = {}
        for preset, found in zip(presets[:-1], zones, strict=True):
            self._presets.setdefault((int(preset["bank"]), int(preset["program"])), found)
        if not self._presets:
            raise SoundError(f"{self.path.name} holds no instrument.")
        self._known: dict[tuple[int, int, int, int], tuple[Layer, ...]] = {}

    @property
    def samples(self) -> np.ndarray:
        """(n,) int16, all samples one after another."""
        return self._samples

    def has(self, bank: int, program: int) -> bool:
        return (bank, program) in self._presets

    def preset(self, bank: int, program: int) -> tuple[int, int]:
        """The bank and program that play for these: themselves, or the nearest that the file has.

        A drum kit gives way to the first kit, another bank to bank 0, a missing program to the lowest.
        """
        if self.has(bank, program):
            return bank, program
        if bank == DRUM_BANK:
            kits = sorted(found for found in self._presets if found[0] == DRUM_BANK)
            return kits[0] if kits else min(self._presets)
        if self.has(0, program):
            return 0, program
        return min(self._presets)

    def layers(self, bank: int, program: int, key: int, velocity: int) -> tuple[Layer, ...]:
        """What one key plays at one velocity; empty where the file has no sample there."""
        name = (bank, program, key, velocity)
        if name not in self._known:
            self._known[name] = tuple(self._find(bank, program, key, velocity))
        return self._known[name]

    def _find(self, bank: int, program: int, key: int, velocity: int) -> list[Layer]:
        found = []
        for outer in self._presets[self.preset(bank, program)]:
            if not _covers(outer, key, velocity) or not 0 <= outer.target < len(self._instruments):
                continue
            for inner in self._instruments[outer.target]:
                if _covers(inner, key, velocity) and 0 <= inner.target < len(self._headers) - 1:
                    generators = inner.generators + outer.generators
                    layer = self._layer(self._headers[inner.target], generators, key)
                    if layer is not None:
                        found.append(layer)
        return found

    def _layer(self, header: np.void, generators: np.ndarray, key: int) -> Layer | None:
        """None for samples of a sound card's ROM and for ones that lie outside the file."""
        value = [int(number) for number in generators]
        start = int(header["start"]) + value[START] + 32768 * value[START_COARSE]
        end = int(header["end"]) + value[END] + 32768 * value[END_COARSE]
        if header["kind"] & _ROM or not 0 <= start < end <= len(self._samples):
            return None
        loop_start = int(header["loop_start"]) + value[LOOP_START] + 32768 * value[LOOP_START_COARSE]
        loop_end = int(header["loop_end"]) + value[LOOP_END] + 32768 * value[LOOP_END_COARSE]
        if not start <= loop_start < loop_end <= end:
            loop_start = loop_end = start
        played = value[KEY] if 0 <= value[KEY] <= 127 else key
        own = int(header["pitch"])
        root = value[ROOT_KEY] if 0 <= value[ROOT_KEY] <= 127 else own if own <= 127 else 60
        cents = (played - root) * value[SCALE_TUNING] + 100 * value[COARSE_TUNE] + value[FINE_TUNE]
        rate = min(max(int(header["rate"]), 400), 384_000)
        correction = int(header["correction"])
        return Layer(start, end, loop_start, loop_end, rate, float(cents + correction), played, tuple(value))


def _covers(zone: _Zone, key: int, velocity: int) -> bool:
    return zone.keys[0] <= key <= zone.keys[1] and zone.velocities[0] <= velocity <= zone.velocities[1]


def _read_chunks(path: Path) -> tuple[dict[bytes, bytes], int, int]:
    """The tables of the list `pdta`, and where the samples begin and how many bytes they are.  Raises SoundError."""
    tables: dict[bytes, bytes] = {}
    at = length = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(12)
            if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"sfbk":
                raise SoundError(f"{path.name} is not a SoundFont 2 file.")
            while len(chunk := file.read(8)) == 8:
                name, count = struct.unpack("<4sI", chunk)
                if name == b"LIST":
                    file.read(4)  # INFO, sdta or pdta; the chunks inside have names of their own
                    continue
                if name == b"smpl":
                    at, length = file.tell(), min(count, size - file.tell())
                elif name in (b"phdr", b"pbag", b"pgen", b"inst", b"ibag", b"igen", b"shdr"):
                    tables[name] = file.read(count)
                    file.seek(count % 2, os.SEEK_CUR)
                    continue
                file.seek(count + count % 2, os.SEEK_CUR)
    except FileNotFoundError:
        raise SoundError(f"There is no SoundFont {path}.") from None
    except OSError as error:
        raise SoundError(f"The SoundFont {path} cannot be read: {error.strerror or error}.") from error
    if length < 2:
        raise SoundError(f"{path.name} holds no samples.")
    return tables, at, length


def _table(data: bytes, kind: np.dtype) -> np.ndarray:
    return np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], kind)


def _zones(bags: np.ndarray, bag_data: bytes, data: bytes, target: int, base: np.ndarray) -> list[list[_Zone]]:
    """The zones of each instrument or preset; `target`: the generator that ends one; `base`: values left out."""
    bounds = _table(bag_data, _BAG)["generator"]
    rows = _table(data, _GENERATOR)
    result = []
    for first, last in pairwise(bags.tolist()):
        zones: list[_Zone] = []
        common = base
        keys, velocities = (0, 127), (0, 127)
        for index in range(first, last):
            values, key_range, velocity_range = common.copy(), keys, velocities
            for number, amount in rows[int(bounds[index]) : int(bounds[index + 1])].tolist():
                if number == KEY_RANGE:
                    key_range = (amount & 0xFF, amount >> 8 & 0xFF)
                elif number == VELOCITY_RANGE:
                    velocity_range = (amount & 0xFF, amount >> 8 & 0xFF)
                elif number < _GENERATORS:
                    values[number] = amount & 0xFFFF if number in (SAMPLE, INSTRUMENT) else amount
                    if number == target:
                        break
            else:
                # A zone without a target holds for all that follow; only the first one counts (7.3, 7.7).
                if index == first:
                    common, keys, velocities = values, key_range, velocity_range
                continue
            reached = int(values[target])
            if target == INSTRUMENT:
                values[[INSTRUMENT, *_INSTRUMENT_ONLY]] = 0
            zones.append(_Zone(key_range, velocity_range, values, reached))
        result.append(zones)
    return result
