"""Keys: the 24 major and minor keys with enharmonic spellings.

The networks work in C major or A minor (paper section 3.1.3: songs are transposed there); `Key` says by how many
semitones their material is moved to sound in the key that was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.music.chord import FLAT_NAMES, SHARP_NAMES, parse_pitch_class
from engine.music.errors import MusicError

_MAJOR_STEPS: Final = (0, 2, 4, 5, 7, 9, 11)
_MINOR_STEPS: Final = (0, 2, 3, 5, 7, 8, 10)
# Tonics whose conventional signature has flats (F# / Gb major and D# / Eb minor are ties: sharps and flats resp.).
_FLAT_MAJORS: Final = frozenset({1, 3, 5, 8, 10})
_FLAT_MINORS: Final = frozenset({0, 2, 3, 5, 7, 10})
_NOTE: Final = re.compile(r"\s*([A-Ga-g](?:bb|##|b|#|♭|♯)?)\s*[:\-_ ]?\s*(.*?)\s*")
_MODES: Final = {
    "": None, "major": "major", "maj": "major", "M": "major", "dur": "major",
    "minor": "minor", "min": "minor", "m": "minor", "mi": "minor", "moll": "minor",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """tonic: pitch class 0..11; mode: "major" or "minor"."""

    tonic: int
    mode: str = "major"

    def __post_init__(self) -> None:
        if not 0 <= self.tonic < 12:
            raise MusicError(f"key tonic {self.tonic} is outside 0 to 11.")
        if self.mode not in ("major", "minor"):
            raise MusicError(f"'{self.mode}' is not a mode; modes are major and minor.")

    @classmethod
    def parse(cls, text: str) -> Key:
        """Reads `C`, `Am`, `F# minor`, `Bb:maj`, `c` (a lower-case letter alone is minor).  Raises MusicError."""
        match = _NOTE.fullmatch(text)
        if match is None:
            raise MusicError(f"'{text}' is not a key: it begins with no note name (A to G).")
        note, mode_text = match[1], match[2]
        mode = _MODES.get(mode_text, _MODES.get(mode_text.lower(), "?"))
        if mode == "?":
            raise MusicError(f"'{text}' is not a key: '{mode_text}' is neither major nor minor.")
        if mode is None:
            mode = "minor" if note[0].islower() else "major"
        return cls(parse_pitch_class(note[0].upper() + note[1:]), mode)

    @property
    def is_minor(self) -> bool:
        return self.mode == "minor"

    @property
    def uses_flats(self) -> bool:
        """Whether the conventional signature of this key is written with flats."""
        return self.tonic in (_FLAT_MINORS if self.is_minor else _FLAT_MAJORS)

    @property
    def semitones_from_reference(self) -> int:
        """What to add to C major / A minor material to bring it into this key, -6..+5."""
        shift = (self.tonic - (9 if self.is_minor else 0)) % 12
        return shift - 12 if shift > 5 else shift

    def scale(self) -> tuple[int, ...]:
        """The seven pitch classes from the tonic up (natural minor)."""
        steps = _MINOR_STEPS if self.is_minor else _MAJOR_STEPS
        return tuple((self.tonic + step) % 12 for step in steps)

    def transpose(self, semitones: int) -> Key:
        return Key((self.tonic + semitones) % 12, self.mode)

    @property
    def name(self) -> str:
        """`Bb major`."""
        return f"{self._tonic_name} {self.mode}"

    @property
    def short_name(self) -> str:
        """`Bb`, `F#m`: as MIDI key signatures and lead sheets write it."""
        return self._tonic_name + ("m" if self.is_minor else "")

    @property
    def _tonic_name(self) -> str:
        return (FLAT_NAMES if self.uses_flats else SHARP_NAMES)[self.tonic]

    def __str__(self) -> str:
        return self.name


C_MAJOR: Final = Key(0, "major")
A_MINOR: Final = Key(9, "minor")
