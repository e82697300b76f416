"""How well tempo, key and chords a bar of recorded music are found, of pieces that our own sound plays.

python tests/bench/temp_track.py [PIECES]      (needs the extra `temp`)
"""

import random
import sys
import tempfile
import time
import wave
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import numpy as np
from pieces import compose

from engine.arrange import arrange
from engine.music import Chord, Key, TempoMap
from engine.process.messages import SOUND_RATE, SoundPlan
from engine.sound.fonts import bundled_font
from engine.sound.soundfont import SoundFont
from engine.sound.stream import BlockSource, plan_events
from engine.sound.temp_track import temp_of_sound
from engine.sound.voice import Voices

SECONDS = 40.0
WITHIN = 0.02  # of the tempo
DEGREES = {
    "major": ((0, "maj"), (9, "min"), (5, "maj"), (7, "maj")),
    "minor": ((0, "min"), (8, "maj"), (5, "min"), (7, "7")),
}


def piece_of(number: int):
    draw = random.Random(number)
    key, bpm = Key(draw.randrange(12), draw.choice(("major", "minor"))), draw.randrange(66, 140)
    bars = draw.choice((1, 2))
    first, *rest = [Chord((key.tonic + step) % 12, quality) for step, quality in DEGREES[key.mode]]
    draw.shuffle(rest)
    text = " ".join(f"{chord} " * (2 * bars) for chord in (first, *rest))
    bars_map, density = TempoMap.constant(bpm), draw.uniform(8, 18)
    made = compose(text, tempo_map=bars_map, seconds=SECONDS, key=key.name, density=density, loudness=0.25)
    return made, key, bpm, bars


def played(made, voices, path: Path) -> None:
    notes = arrange(made)
    plan = SoundPlan(1, notes.notes, notes.controllers, made.tempo_map, 0.0, SECONDS)
    source = BlockSource(voices, plan_events(plan))
    blocks = [sum(source.block(index).values()) for index in range(int(SECONDS * 2))]
    sound = np.concatenate([np.asarray(block).reshape(-1, 2) for block in blocks if np.ndim(block)]).mean(axis=1)
    loud = (np.clip(sound / max(np.abs(sound).max(), 1e-9), -1, 1) * 32000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE)
        file.writeframes(loud.tobytes())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    voices = Voices(SoundFont(bundled_font()))
    tempo = octave = keys = relative = rhythm = 0
    took_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            made, key, bpm, bars = piece_of(number)
            path = Path(folder) / "temp.wav"
            played(made, voices, path)
            begun = time.perf_counter()
            found = temp_of_sound(path)
            took_s += time.perf_counter() - begun
            ratio = (found.bpm or 1) / bpm
            tempo += abs(ratio - 1) <= WITHIN
            octave += any(abs(ratio / each - 1) <= WITHIN for each in (1, 2, 0.5))
            keys += found.key == key
            relative += found.key is not None and (found.key == key or set(found.key.scale()) == set(key.scale()))
            rhythm += found.bars_per_chord == str(bars)
            name = None if found.key is None else found.key.name
            print(f"{bpm:4d} bpm {key.name:9} {bars} bars   found {found.bpm} {name} {found.bars_per_chord}")
    print(
        f"of {count}: tempo within 2 % {tempo}, or its double or half {octave}; key {keys}, or its relative "
        f"{relative}; bars a chord {rhythm}; {took_s / count:.1f} s for {SECONDS:g} s"
    )


if __name__ == "__main__":
    main()
