"""What a composer decided about the music of a film, as immutable values shared by engine and bridge.

Pure: the standard library and `engine.music` only (a test checks it); `engine.document.file` also uses msgspec.
"""

from engine.document.cues import MAX_CUES, CueState, cue_settings, ends, free_name, overlapping
from engine.document.document import (
    ChordBlock,
    ChordSpan,
    Document,
    Lock,
    Pin,
    PrintedRange,
    Result,
    Step,
    TakeRating,
    check_cues,
    parse_chords,
    parse_key,
    readings,
)
from engine.document.film_reading import FilmReading
from engine.document.saved import NamedMark, SavedSession, SavedTake, SessionError, TempoChoice, TempoOrigin
from engine.document.settings import CUE_CONTROLS, OUTPUT_SETTINGS, SETTINGS, TAKE_CONTROLS, Value
from engine.document.takes import KeptRange, KeptTake

__all__ = [
    "CUE_CONTROLS",
    "MAX_CUES",
    "OUTPUT_SETTINGS",
    "SETTINGS",
    "TAKE_CONTROLS",
    "ChordBlock",
    "ChordSpan",
    "CueState",
    "Document",
    "FilmReading",
    "KeptRange",
    "KeptTake",
    "Lock",
    "NamedMark",
    "Pin",
    "PrintedRange",
    "Result",
    "SavedSession",
    "SavedTake",
    "SessionError",
    "Step",
    "TakeRating",
    "TempoChoice",
    "TempoOrigin",
    "Value",
    "check_cues",
    "cue_settings",
    "ends",
    "free_name",
    "overlapping",
    "parse_chords",
    "parse_key",
    "readings",
]
