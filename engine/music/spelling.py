"""How chords are written: as the composer typed them, else as the key and what they typed suggest.

The one place that decides between F# and Gb: reports, the view, OSC and the markers of MIDI files all ask here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from engine.music.chord import FLAT_NAMES, SHARP_NAMES, Chord, parse_pitch_class
from engine.music.errors import MusicError
from engine.music.key import Key

_ROOT: Final = re.compile(r"[A-G](?:bb|##|b|#|♭|♯)?")
# What C major and A minor borrow is flat: Eb, Ab, Bb.
_BORROWED: Final = frozenset({3, 8, 10})
# So is what a major key borrows on its lowered degrees: the flat second, third and sixth (Bb in D and in A major).
_LOWERED: Final = frozenset({1, 3, 8})
_SUFFIX_OF_ROOT: Final = re.compile(r"^[A-G](?:bb|##|b|#|♭|♯)?")


def spell(chord: Chord, key: Key, typed: Iterable[tuple[Chord, str]] = ()) -> str:
    """A chord's name: what was typed for this chord; else its name with the roots that were typed, else as in the key.

    typed: chords with the words that somebody wrote for them.  Words that name no note (`ii7`, `5-`) are not names.
    Silence is `N.C.`.
    """
    if chord.is_silence:
        return chord.lead_sheet()
    words = [(each, word.strip()) for each, word in typed if _names_itself(each, word.strip())]
    for each, word in words:
        if each == chord:
            return word
    roots = _typed_roots(words)
    flats = _flats(key, chord, roots)
    text = chord.lead_sheet(flats=flats)
    root = roots.get(chord.root if chord.root is not None else -1)
    if root is not None:
        text = _SUFFIX_OF_ROOT.sub(root, text, count=1)
    if chord.bass is not None and chord.bass in roots:
        text = f"{text.rpartition('/')[0]}/{roots[chord.bass]}"
    return text


@lru_cache(maxsize=1024)  # the same few words, asked at every turn
def _names_itself(chord: Chord, word: str) -> bool:
    """Whether a word is a chord's name, not a numeral that means another chord in another key."""
    if _ROOT.match(word) is None:
        return False
    try:
        return Chord.parse(word) == chord
    except MusicError:
        return False


def _typed_roots(words: Iterable[tuple[Chord, str]]) -> dict[int, str]:
    """Pitch classes with the names under which they were typed, as root or after the slash; the first counts."""
    found: dict[int, str] = {}
    for _, word in words:
        head, _, bass = word.partition("/")
        for text in (head, bass):
            match = _ROOT.match(text)
            if match is not None:
                name = match[0].replace("♭", "b").replace("♯", "#")
                found.setdefault(parse_pitch_class(name), name)
    return found


def _flats(key: Key, chord: Chord, roots: dict[int, str]) -> bool:
    """Whether black keys that nobody named are flats."""
    signs = {name[1:2] for name in roots.values()} - {""}
    if len(signs) == 1:
        return "b" in signs
    if key.uses_flats or key.tonic_name.endswith("b"):
        return True
    if key.semitones_from_reference == 0 and chord.root in _BORROWED:
        return True
    if key.is_minor or key.tonic == 0 or chord.root is None:
        return False
    return (chord.root - key.tonic) % 12 in _LOWERED


def spell_pitch(pitch: int, key: Key) -> str:
    """A MIDI pitch's name with its octave (60 is C4), black keys as the key writes them."""
    borrowed = key.semitones_from_reference == 0 and pitch % 12 in _BORROWED
    names = FLAT_NAMES if borrowed or key.uses_flats or key.tonic_name.endswith("b") else SHARP_NAMES
    return f"{names[pitch % 12]}{pitch // 12 - 1}"


def key_signature(key: Key) -> str:
    """The key's name for a MIDI key signature, which has at most seven sharps or flats."""
    name = key.short_name
    return name if name in _SIGNATURES else Key(key.tonic, key.mode).short_name


# As many as seven sharps or flats.
_SIGNATURES: Final = frozenset(
    "C G D A E B F# C# F Bb Eb Ab Db Gb Cb Am Em Bm F#m C#m G#m D#m A#m Dm Gm Cm Fm Bbm Ebm Abm".split()  # noqa: SIM905
)
