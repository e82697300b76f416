"""The vocabulary that all sides share.  Pure: the standard library only (a test checks it)."""

from engine.music.chord import (
    CHORD_END,
    CHORD_LABELS,
    CHORD_PAD,
    NO_CHORD,
    QUALITIES,
    QUALITY_INTERVALS,
    Chord,
)
from engine.music.composition import Composition, Cue, Cut, Film, FilmLevels, Hit, Section, Slot, Take
from engine.music.draws import Draws, film_seed
from engine.music.errors import MusicError, UserError, shown
from engine.music.key import A_MINOR, C_MAJOR, Key
from engine.music.lead_sheet import parse_progression
from engine.music.marks import TempoMark, marked
from engine.music.meter import BarBeat, MeterChange, TempoChange, TempoMap, TimeSignature
from engine.music.mood import EMOTION_QUALITIES, EMOTIONS
from engine.music.note import DEFAULT_CHANNELS, PARTS, Controller, Note
from engine.music.progression import Progression, ProgressionItem
from engine.music.timecode import FRAME_RATES, FrameRate, Timecode, TimecodeClock

__all__ = [
    "A_MINOR",
    "CHORD_END",
    "CHORD_LABELS",
    "CHORD_PAD",
    "C_MAJOR",
    "DEFAULT_CHANNELS",
    "EMOTIONS",
    "EMOTION_QUALITIES",
    "FRAME_RATES",
    "NO_CHORD",
    "PARTS",
    "QUALITIES",
    "QUALITY_INTERVALS",
    "BarBeat",
    "Chord",
    "Composition",
    "Controller",
    "Cue",
    "Cut",
    "Draws",
    "Film",
    "FilmLevels",
    "FrameRate",
    "Hit",
    "Key",
    "MeterChange",
    "MusicError",
    "Note",
    "Progression",
    "ProgressionItem",
    "Section",
    "Slot",
    "Take",
    "TempoChange",
    "TempoMap",
    "TempoMark",
    "TimeSignature",
    "Timecode",
    "TimecodeClock",
    "UserError",
    "film_seed",
    "marked",
    "parse_progression",
    "shown",
]
