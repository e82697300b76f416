"""Keys: the 24 major and minor keys with enharmonic spellings.

The networks work in C major or A minor (paper section 3.1.3: songs are transposed there); `Key` says by how many
semitones their material is moved to sound in the key that was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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
    "": None, "major": "major", "maj": "major", "M": "major",
    "minor": "minor", "min": "minor", "m": "minor", "mi": "minor",
}  # fmt: skip
# Church modes and scales are taken as the key whose tonic triad they share.
_TONIC_TRIADS: Final = {
    "ionian": "major", "lydian": "major", "mixolydian": "major", "dorian": "minor", "phrygian": "minor",
    "aeolian": "minor", "locrian": "minor", "harmonic minor": "minor", "melodic minor": "minor",
    "natural minor": "minor", "harmonic major": "major", "blues": "minor", "pentatonic": "major",
    "minor pentatonic": "minor", "major pentatonic": "major", "dorisch": "minor", "phrygisch": "minor",
    "lydisch": "major", "mixolydisch": "major", "äolisch": "minor", "ionisch": "major", "lokrisch": "minor",
    "dorien": "minor", "phrygien": "minor", "lydien": "major", "mixolydien": "major", "éolien": "minor",
    "ionien": "major",
}  # fmt: skip
# German names: B is B flat, H is B; -is raises, -es (-s after a vowel) lowers.
_GERMAN: Final = re.compile(r"\s*([a-h](?:isis|is|eses|es|s)?)\s*[-\s]?\s*(dur|moll)\s*", re.IGNORECASE)
_GERMAN_NOTES: Final = {
    "c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 10, "h": 11, "cis": 1, "dis": 3, "eis": 5, "fis": 6, "gis": 8,
    "ais": 10, "his": 0, "ces": 11, "des": 1, "es": 3, "fes": 4, "ges": 6, "as": 8, "hes": 10, "ees": 3, "aes": 8,
}  # fmt: skip
# French, Italian, Spanish and Portuguese.
_ROMANCE: Final = re.compile(
    r"\s*(do|dó|ut|ré|re|mi|fa|fá|sol|la|lá|si)\s*[-\s]?\s*"
    r"(dièse|diese|diesis|sostenido|sustenido|bémol|bemolle|bemol|[#b♯♭])?\s*[-\s]?\s*"
    r"(majeur|mineur|maggiore|minore|mayor|menor|maior|maj|min|M|m)?\s*",
    re.IGNORECASE,
)
_SHARPS: Final = ("dièse", "diese", "diesis", "sostenido", "sustenido", "#", "♯")
_MINORS: Final = ("mineur", "minore", "menor", "min")
_ROMANCE_NOTES: Final = {
    "do": 0, "dó": 0, "ut": 0, "ré": 2, "re": 2, "mi": 4, "fa": 5, "fá": 5, "sol": 7, "la": 9, "lá": 9, "si": 11,
}  # fmt: skip
# What people write around a key, and accidentals in English words.
_AROUND: Final = re.compile(r"^\s*(?:(?:the\s+)?key\s+of|key\s*:|in)\s+|\s+key\s*$", re.IGNORECASE)
_IN_WORDS: Final = re.compile(r"^\s*([A-G])[\s-]*(flat|sharp)\b", re.IGNORECASE)
_DASH: Final = re.compile(r"\s*([A-Ga-g][b#♭♯]?)[-−–]\s*")
_H: Final = re.compile(r"\s*([Hh])(?![A-Za-z]{3}|[#♯b♭])")


@dataclass(frozen=True, slots=True)
class Key:
    """tonic: pitch class 0..11; mode: "major" or "minor".

    spelled: the tonic's name as somebody wrote it (`Gb`), "" for the conventional one; equal keys may be spelled apart.
    """

    tonic: int
    mode: str = "major"
    spelled: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.tonic < 12:
            raise MusicError(f"key tonic {self.tonic} is outside 0 to 11.")
        if self.mode not in ("major", "minor"):
            raise MusicError(f"'{self.mode}' is not a mode; modes are major and minor.")

    @classmethod
    def parse(cls, text: str) -> Key:
        """Reads `C`, `Am`, `F# minor`, `Bb:maj`, `c` (a lower-case letter alone is minor), the words of German
        (`B-Dur` is B flat major, `fis-Moll`, `H`) and of the Romance languages (`si bémol majeur`, `La minore`),
        `B flat major`, `key of G`, and modes (`D dorian`, taken as D minor; `key_reading` says so).  Raises MusicError.
        """
        return _read_key(text)[0]

    @property
    def is_minor(self) -> bool:
        return self.mode == "minor"

    @property
    def uses_flats(self) -> bool:
        """Whether the signature of this key is written with flats."""
        if self.spelled[1:]:
            return self.spelled[1] == "b"
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
        return f"{self.tonic_name} {self.mode}"

    @property
    def short_name(self) -> str:
        """`Bb`, `F#m`: as MIDI key signatures and lead sheets write it."""
        return self.tonic_name + ("m" if self.is_minor else "")

    @property
    def tonic_name(self) -> str:
        """`Bb`; as it was written where it was."""
        return self.spelled or (FLAT_NAMES if self.uses_flats else SHARP_NAMES)[self.tonic]

    def __str__(self) -> str:
        return self.name


def key_reading(text: str) -> str:
    """A sentence where a key's text can be read in two ways or is taken as less than it says, else ""."""
    return _read_key(text)[1]


def _read_key(text: str, typed: str = "") -> tuple[Key, str]:
    """typed: what the text was made of; refusals name that."""
    typed = typed or text
    plain = _IN_WORDS.sub(lambda found: found[1] + ("b" if found[2].lower() == "flat" else "#"), _AROUND.sub("", text))
    if plain != text and plain.strip():
        return _read_key(plain, typed)
    german = _GERMAN.fullmatch(text)
    if german is not None and german[1].lower() in _GERMAN_NOTES:
        tonic = german[1].lower()
        sign = "#" if "is" in tonic else "b" if len(tonic) > 1 else ""
        name = {"b": "Bb", "h": "B"}.get(tonic) or tonic[0].upper() + sign
        kind = "major" if german[2].lower() == "dur" else "minor"
        key = Key(_GERMAN_NOTES[tonic], kind, name if len(tonic) < 4 else "")
        return key, f"{text.strip()} is German for {key.name}." if german[1].lower() == "b" else ""
    romance = _ROMANCE.fullmatch(text)
    if romance is not None:
        sign, mode = (romance[2] or "").lower(), romance[3] or ""
        shift = 1 if sign in _SHARPS else -1 if sign else 0
        natural = _ROMANCE_NOTES[romance[1].lower()]
        name = SHARP_NAMES[natural] + {1: "#", -1: "b", 0: ""}[shift]
        key = Key((natural + shift) % 12, "minor" if mode == "m" or mode.lower() in _MINORS else "major", name)
        return key, "" if mode else f"{text.strip()} is taken as {key.name}."
    dash = _DASH.fullmatch(text)
    if dash is not None:  # as a chord's dash
        key = _read_key(f"{dash[1]} minor", typed)[0]
        return key, f"{text.strip()} is taken as {key.name}."
    german_h = _H.match(text)
    if german_h is not None:
        key = _read_key(("B" if german_h[1] == "H" else "b") + text[german_h.end() :], typed)[0]
        return key, f"{text.strip()} is German for {key.name}."
    match = _NOTE.fullmatch(text)
    if match is None:
        raise MusicError(f"'{typed}' is not a key: it begins with no note name (A to G).")
    note, mode_text = match[1], match[2]
    root = parse_pitch_class(note[0].upper() + note[1:])
    triad = _TONIC_TRIADS.get(mode_text.lower())
    if triad is not None:
        key = Key(root, triad, _spelled(note))
        same = mode_text.lower() in ("ionian", "ionisch", "ionien", "aeolian", "äolisch", "éolien", "natural minor")
        return key, "" if same else f"{text.strip()} is taken as {key.name}; the mode itself is left to your chords."
    mode = _MODES.get(mode_text, _MODES.get(mode_text.lower(), "?"))
    if mode == "?":
        raise MusicError(f"'{typed}' is not a key: '{mode_text}' is neither major, minor nor a mode.")
    if mode is None:
        mode = "minor" if note[0].islower() else "major"
    return Key(root, mode, _spelled(note)), ""


def _spelled(note: str) -> str:
    """A note name as written, in ASCII; "" for double accidentals, which no signature has."""
    name = note[0].upper() + note[1:].replace("♭", "b").replace("♯", "#")
    return name if len(name) <= 2 else ""


C_MAJOR: Final = Key(0, "major")
A_MINOR: Final = Key(9, "minor")
