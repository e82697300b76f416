"""Chords: the 157 labels of MuVi-Sync, and how people write them.

A chord is a root (pitch class 0..11, C = 0), one of thirteen qualities, where it is wider than these an extension
(`9`, `m11`, `7b9`, `6/9`: engine.music.chord_type), and, after a slash, a bass pitch class.  `N` is silence ("no
chord").  The vocabulary and its order are those of the MuVi-Sync data set (Kang, Poria & Herremans 2024): id 0 is N,
then 12 roots x 13 qualities.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from engine.music.chord_type import read_chord_type
from engine.music.errors import MusicError
from engine.music.note_names import in_letters

# Semitones above the root, in the vocabulary's order.  The reference implementation renders dim7 and hdim7
# wrongly and doubles a note of the suspensions; these are the textbook ones.
QUALITY_INTERVALS: Final[dict[str, tuple[int, ...]]] = {
    "maj": (0, 4, 7),
    "dim": (0, 3, 6),
    "sus4": (0, 5, 7),
    "min7": (0, 3, 7, 10),
    "min": (0, 3, 7),
    "sus2": (0, 2, 7),
    "aug": (0, 4, 8),
    "dim7": (0, 3, 6, 9),
    "maj6": (0, 4, 7, 9),
    "hdim7": (0, 3, 6, 10),
    "7": (0, 4, 7, 10),
    "min6": (0, 3, 7, 9),
    "maj7": (0, 4, 7, 11),
}
QUALITIES: Final[tuple[str, ...]] = tuple(QUALITY_INTERVALS)

SHARP_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLAT_NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
MAX_TEXT: Final = 60  # characters of a chord symbol
_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

VOCABULARY_SIZE: Final = 1 + 12 * len(QUALITIES)  # 157
CHORD_END: Final = VOCABULARY_SIZE  # 157: the piece is over
CHORD_PAD: Final = VOCABULARY_SIZE + 1  # 158: past the end of a padded sequence

_LEAD_SHEET: Final = {
    "maj": "",
    "dim": "dim",
    "sus4": "sus4",
    "min7": "m7",
    "min": "m",
    "sus2": "sus2",
    "aug": "aug",
    "dim7": "dim7",
    "maj6": "6",
    "hdim7": "m7b5",
    "7": "7",
    "min6": "m6",
    "maj7": "maj7",
}

_SILENCE: Final = frozenset({"N.C.", "N.C", "NC.", "NC", "N/C", "NOCHORD", "TACET"})  # in any case; and `N`
_ROOT: Final = re.compile(r"([A-G])(bb|##|b|#|♭♭|♯♯|♭|♯|𝄫|𝄪)?")
_SPACE_OUTSIDE_BRACKETS: Final = re.compile(r"\s(?![^(\[]*[)\]])")
_SLASH: Final = re.compile(r"(.*)/([^/]*)")
# `C7/9`, `C7(b9/13)`: what cannot be a degree in the bass (1 to 7) is added.
_ADDED_BY_SLASH: Final = re.compile(r"(?:(?<=[\d(M])|(?<=\d[-+]))/([b#+-]?(?:9|11|13)(?!\d)|[b#+-](?:5|6)(?!\d))")
# Without a number before the slash, and what Brazil and France write with a slash; after a colon 4 and 6 are Harte's.
_ADDED_TO_TRIAD: Final = re.compile(r"(?<=[^\d])(?<!\d[-+])/(9|11|13)(?!\d)")
_BY_SLASH: Final = (
    (re.compile(r"(?<=m7)/4$"), "add11"), (re.compile(r"(?<=7)/4$"), "sus4"), (re.compile(r"(?<!sus)4/7$"), "7sus4"),
    (re.compile(r"(?<=[^1]7)/6$"), "add13"), (re.compile(r"9/6$"), "6/9"),
    (re.compile(r"sus(?:2/4|4/2)$"), "sus2sus4"), (re.compile(r"(?<=[A-Gb#])1/2dim"), "m7b5"),
)  # fmt: skip
_OVER: Final = re.compile(r"(?<=[A-Ga-z0-9#b)♭♯])on(?=[A-G][b#♭♯]?$)")  # `FonG`, as in Japan
_MINOR_MAJOR: Final = re.compile(r"(?:min|mi|m|-)/(?=(?:maj|Maj|ma|Ma|MA|M|Δ|△)\d)")
_ACCIDENTALS: Final = str.maketrans({"♭": "b", "♯": "#", "𝄫": "bb", "𝄪": "##"})
# Harte's bass is a scale degree of the chord ("C:maj/3"), not a note.
_HARTE_DEGREES: Final = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11}


def parse_pitch_class(text: str) -> int:
    """Reads a note name (`F#`, `Bb`, `C♭`) as a pitch class 0..11.  Raises MusicError."""
    match = _ROOT.fullmatch(text)
    if match is None:
        raise MusicError(f"'{text}' is not a note name; notes are A to G with # or b.")
    return _pitch_class(match)


def _pitch_class(match: re.Match[str]) -> int:
    accidental = (match[2] or "").translate(_ACCIDENTALS)
    return (_LETTERS[match[1]] + accidental.count("#") - accidental.count("b")) % 12


def is_silence(text: str) -> bool:
    """Whether a word says that no chord sounds: `N`, `N.C.`, `tacet`."""
    return text in ("N", "n") or text.upper() in _SILENCE


def split_root(symbol: str) -> tuple[str, str]:
    """The note name that a chord symbol begins with, in `b` and `#`, and what follows it.  Raises MusicError."""
    match = _ROOT.match(symbol)
    if match is None:
        raise MusicError(f"'{symbol}' does not begin with a note name.")
    return match[1] + (match[2] or "").translate(_ACCIDENTALS), symbol[match.end() :]


@dataclass(frozen=True, slots=True)
class Chord:
    """One chord.

    root: pitch class 0..11, None for silence.  quality: one of QUALITIES ("" for silence).
    bass: pitch class of the lowest note where it is not the root.  extension: canonical type of a chord that is wider
    than its quality (`9`, `mMaj7`, `7#11`, `5`), whose quality is then the nearest of the thirteen; "" where the
    quality says all.  The networks' vocabulary has neither bass nor extension, so `id` ignores both.
    """

    root: int | None
    quality: str
    bass: int | None = None
    extension: str = ""

    def __post_init__(self) -> None:
        if self.root is None:
            if self.quality or self.bass is not None or self.extension:
                raise MusicError("silence (N) has neither quality nor bass.")
            return
        if not 0 <= self.root < 12:
            raise MusicError(f"chord root {self.root} is outside 0 to 11.")
        if self.quality not in QUALITY_INTERVALS:
            raise MusicError(f"'{self.quality}' is not a chord quality; known are {', '.join(QUALITIES)}.")
        if self.bass is not None and not 0 <= self.bass < 12:
            raise MusicError(f"chord bass {self.bass} is outside 0 to 11.")
        if self.bass == self.root:
            object.__setattr__(self, "bass", None)
        if self.extension:
            kind = read_chord_type(self.extension)
            if kind is None or (kind.spelling, kind.quality) != (self.extension, self.quality):
                raise MusicError(f"'{self.extension}' is not a wider kind of '{self.quality}'.")
            if kind.intervals == QUALITY_INTERVALS[self.quality]:
                object.__setattr__(self, "extension", "")

    @classmethod
    def parse(cls, text: str, *, lower_case: str | None = None) -> Chord:
        """Reads lead-sheet (`Am7`, `F#m7b5`, `C/E`, `G7(b9)`, `C6/9`, `CΔ`) or Harte (`A:min7`, `C:maj/3`) notation.

        A lower-case root is read where a type follows that says which chord it is (`am`, `f#m7b5`); alone it may be
        minor or major, which `lower_case` ("minor" or "major") decides.  Raises MusicError with a sentence that names
        the offending token.
        """
        token = text.strip()
        if len(token) > MAX_TEXT:
            raise MusicError(f"'{token[:MAX_TEXT]}…' is not a chord: it is too long.")
        if is_silence(token):
            return NO_CHORD
        if _SPACE_OUTSIDE_BRACKETS.search(token):
            raise MusicError(f"'{text}' is not a chord: there is a space in it.")
        whole = _OVER.sub("/", _MINOR_MAJOR.sub("m", token).replace("\\", "/"))
        if ":" not in whole:
            for pattern, plain in _BY_SLASH:
                whole = pattern.sub(plain, whole)
        whole = re.sub(r"6\s*/\s*9", "69", whole)
        whole = _ADDED_TO_TRIAD.sub(r"add\1", whole) if ":" not in whole else whole
        whole = _ADDED_BY_SLASH.sub(r" \1", whole)
        whole = in_letters(whole)
        slash = _SLASH.fullmatch(whole)
        head, bass_text = (slash[1], slash[2]) if slash is not None else (whole, None)
        match = _ROOT.match(head[:1].upper() + head[1:])
        if match is None:
            raise MusicError(f"'{text}' is not a chord: '{token[:1]}' is not a note name (A to G).")
        root = _pitch_class(match)
        suffix = head[match.end() :].removeprefix(":")
        kind = read_chord_type(suffix)
        if kind is not None and head[:1].islower() and not re.match(r"m(?!aj)|-|dim|[°ºoøØ+]|aug|maj|sus|M", suffix):
            if lower_case is None:
                name = head[:1].upper() + head[1:]
                raise MusicError(f"'{text}' may be minor or major: write {match[0]}m{suffix} or {name}.")
            if lower_case == "minor":
                kind = read_chord_type("m" + suffix)
        if kind is None:
            raise MusicError(f"'{text}' is not a chord: '{suffix}' after {match[0]} is not a known chord type.")
        chord = cls(root, kind.quality, None, kind.spelling)
        if bass_text is None:
            return chord
        return replace(chord, bass=cls._parse_bass(text, bass_text, chord))

    @staticmethod
    def _parse_bass(text: str, bass_text: str, chord: Chord) -> int:
        degree = re.fullmatch(r"(b|#)?([1-7])", bass_text)
        if degree is not None:
            shift = {"b": -1, "#": 1, None: 0}[degree[1]]
            interval = _HARTE_DEGREES[degree[2]] + shift
            # Harte writes the minor third of a minor chord as "b3"; people also write plain "3" and mean the chord's.
            if degree[1] is None and degree[2] in "357":
                wanted = _HARTE_DEGREES[degree[2]]
                near = [step for step in chord.intervals() if step and abs(step - wanted) <= 2]
                interval = min(near, key=lambda step: abs(step - wanted)) if near else interval
            assert chord.root is not None
            return (chord.root + interval) % 12
        match = _ROOT.fullmatch(bass_text[:1].upper() + bass_text[1:])
        if match is None:
            raise MusicError(f"'{text}' is not a chord: '{bass_text}' after the slash is not a note name.")
        return _pitch_class(match)

    @classmethod
    def from_id(cls, chord_id: int) -> Chord:
        """The chord of a vocabulary id 0..156.  Raises MusicError outside (END and PAD are not chords)."""
        if not 0 <= chord_id < VOCABULARY_SIZE:
            raise MusicError(f"chord id {chord_id} is outside 0 to {VOCABULARY_SIZE - 1}.")
        if chord_id == 0:
            return NO_CHORD
        root, quality = divmod(chord_id - 1, len(QUALITIES))
        return cls(root, QUALITIES[quality])

    @property
    def id(self) -> int:
        """Vocabulary id 0..156 (0 = N); the bass is not part of it."""
        if self.root is None:
            return 0
        return 1 + self.root * len(QUALITIES) + QUALITIES.index(self.quality)

    @property
    def is_silence(self) -> bool:
        return self.root is None

    @property
    def label(self) -> str:
        """MuVi-Sync's label: `N`, `C`, `C#:min7`; the bass is left out."""
        if self.root is None:
            return "N"
        name = SHARP_NAMES[self.root]
        return name if self.quality == "maj" else f"{name}:{self.quality}"

    def lead_sheet(self, *, flats: bool = False) -> str:
        """As on a lead sheet: `Am7`, `F#m7b5`, `C/E`, `N.C.`; `flats` spells black keys as flats."""
        if self.root is None:
            return "N.C."
        names = FLAT_NAMES if flats else SHARP_NAMES
        text = names[self.root] + (self.extension or _LEAD_SHEET[self.quality])
        return text if self.bass is None else f"{text}/{names[self.bass]}"

    def harte(self) -> str:
        """Harte notation (`A:min7`), a wider type as on a lead sheet (`A:m11`), the bass as a note after the slash.

        `parse` reads it as the same chord.
        """
        if self.root is None:
            return "N"
        text = f"{SHARP_NAMES[self.root]}:{self.extension or self.quality}"
        return text if self.bass is None else f"{text}/{SHARP_NAMES[self.bass]}"

    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root, ascending, extensions in their octave (9 is 14); empty for silence."""
        if self.root is None:
            return ()
        if self.extension:
            kind = read_chord_type(self.extension)
            assert kind is not None
            return kind.intervals
        return QUALITY_INTERVALS[self.quality]

    @property
    def plain(self) -> Chord:
        """The chord as the networks know it: without extension and bass."""
        return Chord(self.root, self.quality) if self.extension or self.bass is not None else self

    def sounding_intervals(self, voices: int) -> tuple[int, ...]:
        """The intervals that matter most where only `voices` (>= 3) can sound, ascending.

        A full chord gives up its fifth first, then plain extensions from below (the ninth before the thirteenth); root,
        third or suspension, seventh and alterations stay longest.
        """
        tones = list(self.intervals())
        spare = [tone for tone in (7, 14, 17, 9, 21, 6, 8) if tone in tones]
        while len(tones) > voices:
            tones.remove(spare.pop(0) if spare else tones[-1])
        return tuple(tones)

    def pitch_classes(self) -> tuple[int, ...]:
        """Chord tones as pitch classes, root first, without a foreign bass; empty for silence."""
        return tuple((self.root + step) % 12 for step in self.intervals()) if self.root is not None else ()

    @property
    def bass_pitch_class(self) -> int | None:
        """Pitch class of the lowest note; None for silence."""
        return self.root if self.bass is None else self.bass

    def transpose(self, semitones: int) -> Chord:
        """The same chord `semitones` higher (any sign)."""
        if self.root is None:
            return self
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return Chord((self.root + semitones) % 12, self.quality, bass, self.extension)

    def __str__(self) -> str:
        return self.lead_sheet()


NO_CHORD: Final = Chord(None, "")
CHORD_LABELS: Final[tuple[str, ...]] = tuple(Chord.from_id(i).label for i in range(VOCABULARY_SIZE))
