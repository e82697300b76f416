"""Which level_db in engine/sound/data/programs.toml puts the parts of every ensemble where they belong in the mix.

    python tests/bench/program_levels.py

Plays one phrase a part (chords, eighths, quarters, a beat) at ordinary velocities with every font found here, measures
its loudness, and prints the level that brings the mean of the fonts to the wanted LUFS, beside the one in the file.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np

from engine.sound.fonts import bundled_font, find_soundfont
from engine.sound.loudness import LoudnessMeter
from engine.sound.programs import program_of
from engine.sound.soundfont import SoundFont
from engine.sound.voice import SAMPLE_RATE, Voices

# part -> keys of its phrase, samples between them, velocity, LUFS that the phrase should have
PHRASES = {
    "pad": ((52, 59, 64, 67), 2 * SAMPLE_RATE, 75, -29.0),
    "arp": ((60, 64, 67, 72), SAMPLE_RATE // 4, 80, -27.0),
    "bass": ((36, 40, 43, 45), SAMPLE_RATE // 2, 80, -26.0),
    "melody": ((67, 72, 76, 79), SAMPLE_RATE // 2, 85, -23.0),
    "drums": ((36, 38, 42, 36), SAMPLE_RATE // 2, 90, -30.0),
}
LENGTH = 6 * SAMPLE_RATE


def loudness(voices: Voices, part: str, bank: int, program: int) -> float:
    """LUFS of the part's phrase."""
    keys, step, velocity, _ = PHRASES[part]
    bank, program = voices.font.preset(bank, program)
    sound = np.zeros((2, LENGTH + 2 * SAMPLE_RATE), np.float32)
    for index, at in enumerate(range(0, LENGTH, step)):
        for key in keys if part == "pad" else [keys[index % len(keys)]]:
            clip = voices.note(bank, program, key, velocity, round(0.95 * step))[:, : sound.shape[1] - at]
            sound[:, at : at + clip.shape[1]] += clip
    meter = LoudnessMeter()
    meter.add(sound)
    return meter.integrated()


def main() -> int:
    fonts = [Voices(SoundFont(path)) for path in dict.fromkeys([find_soundfont(), bundled_font()]) if path]
    print("fonts:", ", ".join(voices.font.path.name for voices in fonts))
    data = tomllib.loads((ROOT / "engine/sound/data/programs.toml").read_text("utf-8"))
    for ensemble, rows in data.items():
        for part in rows:
            program = program_of(ensemble, part)
            heard = [loudness(voices, part, program.bank, program.program) for voices in fonts]
            wanted = round(2 * (PHRASES[part][3] - float(np.mean(heard)))) / 2
            mark = "" if wanted == program.level_db else "  <- differs"
            each = ", ".join(f"{value:.1f}" for value in heard)
            name = f"{ensemble:10} {part:7} program {program.program:3}"
            print(f"{name}: {each} LUFS; level_db {wanted} ({program.level_db}){mark}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
