"""Note names of other languages at the beginning of a chord symbol: German (`Fis`, `Es`, `H`) and the syllables of
French, Italian and Spanish (`Sol7`, `Fa#m`, `Sib`).

Where letters can be read as well (`Do` is D diminished, `Fadd9` is F) letters win, unless a whole progression is
written in that language; German `B` is B flat only there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from engine.music.chord_type import read_chord_type

_SYLLABLES: Final = {
    "do": "C", "dó": "C", "ut": "C", "ré": "D", "re": "D", "mi": "E", "fa": "F", "fá": "F", "sol": "G", "la": "A",
    "lá": "A", "si": "B",
}  # fmt: skip
_SYLLABLE: Final = re.compile(
    r"(d[oó]|ut|r[ée]|mi|f[aá]|sol|l[aá]|si)(dièse|diese|bémol|bemol|sostenido|diesis|bemolle|#|♯|b|♭)?", re.I
)
_RAISED: Final = ("dièse", "diese", "sostenido", "diesis", "#", "♯")
_GERMAN: Final = {
    "cis": "C#", "dis": "D#", "eis": "E#", "fis": "F#", "gis": "G#", "ais": "A#", "his": "B#", "ces": "Cb", "des": "Db",
    "ees": "Eb", "es": "Eb", "fes": "Fb", "ges": "Gb", "aes": "Ab", "as": "Ab", "hes": "Bb", "h": "B",
}  # fmt: skip
_GERMAN_ROOT: Final = re.compile("|".join(sorted(_GERMAN, key=len, reverse=True)), re.IGNORECASE)
_GERMAN_KEY: Final = re.compile(r"(?:[Dd]ur|[Mm]oll)$")
_LETTER: Final = re.compile(r"[A-Ga-g](?:bb|##|b|#|♭|♯)?:?")


def language_of(words: Sequence[str]) -> str:
    """ "german" or "syllables" where the roots of a progression are written so, else ""."""
    if any(_GERMAN_KEY.search(word) for word in words):
        return "german"
    roots = {word.partition("/")[0] for word in words}
    if any(in_letters(root) != root and _SYLLABLE.match(root) for root in roots):
        return "syllables"
    if any(in_letters(root) != root and _GERMAN_ROOT.match(root) for root in roots):
        return "german"
    return ""


@lru_cache(2048)
def in_letters(word: str, language: str = "") -> str:
    """A chord symbol with its root, and its bass after a slash, as letters; as it is where they are letters already."""
    head, slash, bass = word.rpartition("/")
    if not slash or (bass[:1] in "m9" and not _SYLLABLE.match(bass)):  # `6/9`, `m/maj7`
        return _root_in_letters(word, language)
    return f"{_root_in_letters(head, language)}/{_root_in_letters(bass, language)}"


def _root_in_letters(word: str, language: str) -> str:
    if language == "german":
        match = re.match(r"([Bb])(?![b♭#♯]|es|is)", word)
        if match is not None:
            return f"{match[1]}b{word[1:]}"
    letter = _LETTER.match(word)
    as_letters = letter is not None and read_chord_type(word[letter.end() :]) is not None
    if as_letters and not (language == "syllables" and _SYLLABLE.match(word) and word[:2].lower() in ("do", "fa")):
        return word
    for pattern, names in ((_SYLLABLE, _SYLLABLES), (_GERMAN_ROOT, _GERMAN)):
        match = pattern.match(word)
        if match is None:
            continue
        name, sign = names[(match[1] if pattern is _SYLLABLE else match[0]).lower()], ""
        if pattern is _SYLLABLE and match[2]:
            sign = "#" if match[2].lower() in _RAISED else "b"
        rest = word[match.end() :]
        if read_chord_type(rest.removeprefix(":")) is not None:
            # A small German root (`fis`) may be minor, as a small letter may; syllables say nothing by their case.
            small = pattern is _GERMAN_ROOT and word[:1].islower()
            return (name.lower() if small else name) + sign + rest
    return word
