"""Chords written as degrees of a key: Roman numerals (`ii7 V7 I`, `V7/V`, `I64`) and Nashville numbers (`1 6- 4 5/7`).

Upper case is major, lower case minor.  In minor keys degrees are those of natural minor, a diminished seventh degree is
the raised one (`vii°` in A minor is G#dim), and accidentals are taken from the degree they stand before; only bIII, bVI
and bVII, which many write by the major scale, are those of natural minor too.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from engine.music.chord import MAX_TEXT, Chord
from engine.music.chord_type import read_chord_type
from engine.music.errors import MusicError
from engine.music.key import Key

_DEGREES: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7}
_ROMAN: Final = re.compile(r"([b#♭♯]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?![A-Za-z]*[IVX])(.*)")
_NUMBER: Final = re.compile(r"([b#♭♯]?)([1-7])(?!\d*[x×])(.*)")
# Figured bass: the type of the chord and which of its tones is lowest.
_FIGURES: Final = {
    "64": ("", 2), "65": ("7", 1), "43": ("7", 2), "42": ("7", 3), "2": ("7", 3), "63": ("", 1), "53": ("", 0),
}  # fmt: skip
_STACKED: Final = re.compile(r"(?<=[iIvV°oøØ+])(6/5|6/4|4/3|4/2|6/3|5/3)(?!\d)")
# The chromatic sixths and what they are in degrees: in letters their tones are those of the chords named here.
_SIXTHS: Final = {"N6": "bII/4", "N": "bII", "It6": "bVI7no5", "It+6": "bVI7no5", "Ger6": "bVI7", "Ger+6": "bVI7",
                  "Fr6": "bVI7b5", "Fr+6": "bVI7b5", "Cad64": "I64"}  # fmt: skip
_SUBSTITUTE: Final = re.compile(r"[sS]ub\s?V7?(?=/|$)")
_SIGN_BEHIND: Final = re.compile(r"([ivIV]+)([b#♭♯])(?!\d)")  # `VIIb`
_CIRCLED: Final = re.compile(r"([°ºoøØ]|dim)(6|64|65|43|42)")  # a diminished chord and its figures
_DIMINISHED: Final = re.compile(r"[°ºoøØ]|dim|hdim")
_MAJOR_STEPS: Final = (0, 2, 4, 5, 7, 9, 11)
_MINOR_STEPS: Final = (0, 2, 3, 5, 7, 8, 10)


def is_roman(token: str) -> bool:
    """Whether a token can be a Roman numeral."""
    return _ROMAN.fullmatch(token) is not None or _SUBSTITUTE.match(token) is not None or is_sixth(token)


def is_number(token: str) -> bool:
    """Whether a token can be a Nashville number."""
    return _NUMBER.fullmatch(token) is not None


def is_sixth(token: str) -> bool:
    """Whether a token names a chromatic sixth: `N6`, `Ger+6`, `It6`, `Fr6`."""
    return token in _SIXTHS and len(token) > 1


def is_over(token: str) -> bool:
    """Whether a numeral stands over another as its bass: `IV/V`.  Only second, fifth and seventh degrees and the
    substitute of a dominant are led to another degree: `V7/ii`."""
    head, _, under = token.partition("/")
    match = _ROMAN.fullmatch(head)
    return (
        match is not None
        and _ROMAN.fullmatch(under) is not None
        and (match[1] + match[2]).lower() in ("i", "iii", "iv", "vi", "biii", "bvi")
    )


def means_minor(tokens: list[str]) -> bool:
    """Whether numerals speak of a minor key: their first degree is written small (`i`, `1m`, `1-`)."""
    tonics = [token for token in tokens if re.match(r"(?:i|I|1)(?![iIvV\d])", token)]
    return bool(tonics) and all(re.match(r"i|1\s*(?:m(?!aj)|-)", token) for token in tonics)


def parse_numeral(token: str, key: Key) -> Chord:
    """The chord that a numeral means in a key.  Raises MusicError naming the token."""
    if len(token) > MAX_TEXT:
        raise MusicError(f"'{token[:MAX_TEXT]}…' is not a chord: it is too long.")
    written = token
    token = _STACKED.sub(lambda match: match[1].replace("/", ""), _SIXTHS.get(token, token))
    token = _SIGN_BEHIND.sub(r"\2\1", _SUBSTITUTE.sub("bII7", token))
    if written in _SIXTHS and key.is_minor:
        token = token.replace("bVI", "VI").replace("I64", "i64")
    head, slash, under = token.partition("/")
    if token.replace("6/9", "") != token:  # `I6/9`: the slash belongs to the chord's type
        head, slash, under = token.replace("6/9", "69").partition("/")
    chord = _chord(token, head, key)
    if not slash:
        return chord
    if is_over(token):
        target = _chord(token, under, key).root
        return replace(chord, bass=target)
    applied = _ROMAN.fullmatch(under)
    if applied is not None:  # `V7/ii`: the dominant of the second degree
        target = _chord(token, under, key).root
        assert target is not None
        return _chord(token, head, Key(target, "major"))
    degree = _NUMBER.fullmatch(under)
    if degree is None or degree[3]:
        raise MusicError(f"'{token}' is not a chord: '{under}' after the slash is not a degree of the key (1 to 7).")
    return replace(chord, bass=(key.tonic + _step(degree[1], int(degree[2]), key)) % 12)


def _step(accidental: str, degree: int, key: Key) -> int:
    steps = _MINOR_STEPS if key.is_minor else _MAJOR_STEPS
    if key.is_minor and accidental in ("b", "♭") and degree in (3, 6, 7):
        accidental = ""  # `bVI` is written by the major scale: in minor the degree is low already
    return steps[degree - 1] + {"b": -1, "♭": -1, "#": 1, "♯": 1}.get(accidental, 0)


def _chord(token: str, head: str, key: Key) -> Chord:
    roman, number = _ROMAN.fullmatch(head), _NUMBER.fullmatch(head)
    match = roman or number
    if match is None:
        raise MusicError(f"'{token}' is not a chord: it is neither a note name (A to G) nor a degree of the key.")
    accidental, name, suffix = match[1], match[2], match[3].strip()
    degree = _DEGREES[name.lower()] if roman else int(name)
    inversion = 0
    circled = _CIRCLED.fullmatch(suffix) if roman else None
    if roman and suffix in _FIGURES:
        suffix, inversion = _FIGURES[suffix]
    elif circled is not None:
        seventh, inversion = {"6": ("", 1), **_FIGURES}[circled[2]]
        suffix = circled[1] + seventh
    diminished = _DIMINISHED.match(suffix) is not None
    if roman and name.islower() and not diminished and not re.match(r"m(?!aj)|-", suffix):
        suffix = "m" + suffix
    kind = read_chord_type(suffix)
    if kind is None:
        raise MusicError(f"'{token}' is not a chord: '{match[3]}' after {accidental}{name} is not a known chord type.")
    step = _step(accidental, degree, key)
    if key.is_minor and degree == 7 and diminished and not accidental:
        step = 11  # the leading tone
    chord = Chord((key.tonic + step) % 12, kind.quality, None, kind.spelling)
    if inversion:
        assert chord.root is not None
        chord = replace(chord, bass=(chord.root + chord.intervals()[inversion]) % 12)
    return chord
