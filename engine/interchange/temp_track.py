"""What a temp track asks for: its tempo, its key, how often its chords change, and where it is loud.

Never its melody or its chords: of what sounds only twelve sums a beat are looked at, and of these only the key and how
often they change.  A MIDI file says its tempo; sound is listened to by `engine.sound.temp_track`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.midifile import read_midi
from engine.music import Key, Note, Section, UserError
from engine.music.errors import shown

if TYPE_CHECKING:  # numpy is loaded once there is a temp track
    import numpy as np

WISHES: Final = ("tempo", "key", "rhythm", "energy")
MIDI_ENDINGS: Final = (".mid", ".midi")
# Bars per chord, as `/cue/harmonic_rhythm` names them.
RHYTHMS: Final = {"half": 0.5, "1": 1.0, "2": 2.0, "4": 4.0}
CHANGED: Final = 0.3  # cosine distance of two beats' sums; above it the chord is another one
SMOOTH_S: Final = 4  # the energy course is looked at through a window of so many seconds
SHORTEST_S: Final = 6  # of a stretch of equal energy
STAYS_S: Final = 2  # that a new level lasts before it is one


@dataclass(frozen=True, slots=True)
class TempTrack:
    """bpm: of quarter notes, None where no pulse is found.  has_map: its file holds tempo changes of its own.

    bars_per_chord: a word of RHYTHMS.  energy: (from second, 0 to 100), ascending.  notes: sentences.
    """

    name: str
    bpm: float | None = None
    has_map: bool = False
    key: Key | None = None
    bars_per_chord: str = "auto"
    energy: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What is taken, in words, one line for each of WISHES."""
        levels = ", ".join(f"{start:.0f} s: {level:.0f}" for start, level in self.energy)
        tempo = "no pulse was found" if self.bpm is None else f"{self.bpm:g} bpm"
        return (
            f"tempo    {'the tempo map of ' + shown(self.name) if self.has_map else tempo}",
            f"key      {'none was found' if self.key is None else self.key.name}",
            f"rhythm   {'not found' if self.bars_per_chord == 'auto' else self.bars_per_chord + ' bars a chord'}",
            f"energy   {levels or 'even'}",
        )

    def without(self, refused: Sequence[str]) -> TempTrack:
        """The same without what is refused, words of WISHES.  Raises UserError."""
        for word in refused:
            if word not in WISHES:
                raise UserError(f"'{word[:40]}' is nothing that a temp track gives; it gives {', '.join(WISHES)}.")
        made = self
        if "tempo" in refused:
            made = replace(made, bpm=None, has_map=False)
        if "key" in refused:
            made = replace(made, key=None)
        if "rhythm" in refused:
            made = replace(made, bars_per_chord="auto")
        if "energy" in refused:
            made = replace(made, energy=())
        return made

    def sections(self, duration_s: float = math.inf) -> tuple[Section, ...]:
        """The energy course as sections; one even level is none."""
        if len(self.energy) < 2:
            return ()
        return tuple(
            Section(start, (("activity", f"{level:g}"), ("dynamics", f"{level:g}")), "temp")
            for start, level in self.energy
            if start < duration_s
        )

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name, "bpm": self.bpm, "has_map": self.has_map,
            "key": None if self.key is None else self.key.name, "bars_per_chord": self.bars_per_chord,
            "energy": [list(row) for row in self.energy], "notes": list(self.notes),
        }  # fmt: skip


def from_facts(facts: Mapping[str, Any]) -> TempTrack:
    """What `facts` has written."""
    key = facts["key"]
    return TempTrack(
        facts["name"], facts["bpm"], facts["has_map"], None if key is None else Key.parse(key),
        facts["bars_per_chord"], tuple((row[0], row[1]) for row in facts["energy"]), tuple(facts["notes"]),
    )  # fmt: skip


def temp_of_midi(path: Path) -> TempTrack:
    """What a MIDI file asks for.  Raises UserError."""
    score = read_midi(path)
    notes = [note for note in score.notes if note.part != "drums" and note.channel != 10]
    if not notes:
        raise UserError(f"{shown(path.name)} has no notes.")
    import numpy as np

    bars = score.tempo_map
    last = max(note.end_beats for note in notes)
    sums = beat_sums(notes, math.ceil(last))
    seconds = np.zeros(max(math.ceil(bars.seconds_at(last)), 1))
    for note in score.notes:
        start, end = max(bars.seconds_at(note.start_beats), 0.0), bars.seconds_at(note.end_beats)
        for second in range(int(start), min(math.ceil(end), len(seconds))):
            seconds[second] += note.velocity**2 * max(min(end, second + 1) - max(start, second), 0.0)
    several = len({change.bpm for change in bars.tempos}) > 1
    beats_a_bar = float(bars.meter_at(0).bar_beats)
    return TempTrack(
        path.name, round(bars.bpm_at(0), 2), several, score.key or key_of_sums(sums.sum(axis=0)),
        bars_per_chord(sums, beats_a_bar), energy_course(np.sqrt(seconds)),
    )  # fmt: skip


def beat_sums(notes: Sequence[Note], beats: int) -> np.ndarray:
    """(beats, 12): how long each pitch class sounds in each beat, low tones twice."""
    import numpy as np

    sums = np.zeros((max(beats, 1), 12))
    for note in notes:
        weight = 2.0 if note.pitch < 52 else 1.0
        for beat in range(max(int(note.start_beats), 0), min(math.ceil(note.end_beats), beats)):
            inside = min(note.end_beats, beat + 1) - max(note.start_beats, beat)
            sums[beat, note.pitch % 12] += weight * max(inside, 0.0)
    return sums


def key_of_sums(sums: np.ndarray) -> Key | None:
    """The key that twelve sums fit best; None where nothing sounds."""
    import numpy as np

    from engine.harmony.form import key_correlations

    if not np.any(sums > 0):
        return None
    scores = key_correlations(sums)
    return max(scores, key=lambda key: scores[key])


def bars_per_chord(sums: np.ndarray, beats_a_bar: float = 4.0) -> str:
    """How many bars a chord lasts in the middle, as a word of RHYTHMS; "auto" where nothing changes."""
    import numpy as np

    lengths = np.linalg.norm(sums, axis=1)
    sounding = sums[lengths > 1e-9] / lengths[lengths > 1e-9, None]
    if len(sounding) < 2 * beats_a_bar:
        return "auto"
    apart = 1 - (sounding[1:] * sounding[:-1]).sum(axis=1)
    changes = np.flatnonzero(apart > CHANGED)
    if len(changes) < 2:
        return "auto"
    beats = float(np.median(np.diff(changes)))
    return min(RHYTHMS, key=lambda word: abs(math.log(RHYTHMS[word] * beats_a_bar / beats)))


def energy_course(loudness: np.ndarray) -> tuple[tuple[float, float], ...]:
    """(from second, 0 to 100) of stretches of equal energy.  loudness: (seconds,) of any unit.

    A stretch is one of five levels between the softest and the loudest tenth; what is shorter than SHORTEST_S belongs
    to what came before.
    """
    if not len(loudness):
        return ()
    import numpy as np

    window = np.ones(min(SMOOTH_S, len(loudness)))
    smooth = np.convolve(
        np.pad(loudness, (len(window) // 2, len(window) - 1 - len(window) // 2), "edge"), window, "valid"
    )
    low, high = np.percentile(smooth, [10, 90])
    if high - low < 0.15 * max(high, 1e-9):
        return ((0.0, 50.0),)
    places = np.clip((smooth - low) / (high - low), 0, 1)
    steps = np.clip(np.round(places * 4), 0, 4)
    rows: list[tuple[float, float]] = []
    for second, step in enumerate(steps):
        level = 10.0 + 20.0 * float(step)
        if rows and step != steps[min(second + STAYS_S, len(steps) - 1)]:
            continue  # on its way from one level to another
        if not rows or (level != rows[-1][1] and second - rows[-1][0] >= SHORTEST_S):
            rows.append((float(second), level))
    merged = rows[:1]
    for row in rows[1:]:
        if row[1] != merged[-1][1]:
            merged.append(row)
    return tuple(merged)
