"""How well a set built from sound agrees with what was played: pieces with known chords, keys, notes and loudness.

    python tests/bench/dataset.py make FOLDER [--pieces 24] [--seconds 32]    # films, FluidSynth's sound, truth.json
    python tests/bench/dataset.py judge FOLDER DATA                           # of `cuebridge dataset build FOLDER`

Each piece is a progression of its own key in block chords, bass and arpeggio by several instruments, at a tempo that is
not the second's; loudness rises and falls by sections, density by figures.  Pictures are shots of the bundled clip cut
together.  Loudness truth is the RMS of each second of the sound file before it is encoded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import pretty_midi

from engine.dataset.chords import longest_by_second
from engine.dataset.keys import FINDERS
from engine.dataset.notes import sounding_by_second
from engine.dataset.table import load_table, transposed
from engine.music.bundled import bundled_clip
from engine.music.chord import CHORD_LABELS, SHARP_NAMES, Chord, parse_pitch_class
from engine.sound.fonts import find_soundfont

MAJOR = (
    "C F G C",
    "C A:min F G",
    "A:min F C G",
    "C G A:min F",
    "D:min7 G:7 C:maj7 A:min7",
    "C E:min F G:sus4",
    "F C D:min G",
)
MINOR = (
    "A:min F C G",
    "A:min D:min E:7 A:min",
    "A:min G F E",
    "D:min A:min E:7 A:min",
    "A:min C D:min F",
    "A:min7 F:maj7 B:dim E:7",
)
PROGRAMS = ((0, 33), (4, 32), (24, 33), (48, 43), (88, 39), (11, 32))  # harmony and bass, General MIDI


def compose(
    rng: np.random.Generator, seconds: int
) -> tuple[pretty_midi.PrettyMIDI, list[tuple[float, float, int]], str]:
    """Notes, chord spans in seconds, and the key as MuVi-Sync writes it."""
    minor = bool(rng.random() < 0.5)
    shift = int(rng.integers(12))
    words = str(rng.choice(MINOR if minor else MAJOR)).split()
    key = f"{SHARP_NAMES[((9 if minor else 0) + shift) % 12]} {'minor' if minor else 'major'}"
    bar_s = 60.0 / rng.uniform(84, 132) * 4
    midi = pretty_midi.PrettyMIDI()
    harmony, bass = (pretty_midi.Instrument(int(program)) for program in PROGRAMS[int(rng.integers(len(PROGRAMS)))])
    spans, at, index = [], 0.0, 0
    figure, level = 0, 80
    while at < seconds:
        if index % 4 == 0:  # a section: another figure, another level
            figure, level = int(rng.integers(3)), int(rng.integers(45, 120))
        chord = Chord.parse(words[index % len(words)]).transpose(shift)
        end = min(at + bar_s, seconds)
        spans.append((at, end, chord.id))
        tones = [48 + (chord.root + interval) % 12 + 12 * (k % 2) for k, interval in enumerate(chord.intervals())]
        bass.notes.append(pretty_midi.Note(level, 36 + chord.root, at, end - 0.02))
        if figure == 0:
            harmony.notes += [pretty_midi.Note(level, tone, at, end - 0.02) for tone in tones]
        else:
            step = bar_s / (4 if figure == 1 else 8)
            for k in range(round(bar_s / step)):
                start = at + k * step
                sounding = tones if figure == 1 else [tones[k % len(tones)], tones[(k + 2) % len(tones)] + 12]
                harmony.notes += [
                    pretty_midi.Note(level, tone, start, min(start + step - 0.02, end))
                    for tone in sounding
                    if start < end - 0.05
                ]
        at, index = at + bar_s, index + 1
    midi.instruments += [harmony, bass]
    return midi, spans, key


def make(folder: Path, pieces: int, seconds: int) -> None:
    """Writes piece-NN.mp4 and truth.json."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = {}
    for number in range(pieces):
        rng = np.random.default_rng([7, number])
        midi, spans, key = compose(rng, seconds)
        name = f"piece-{number:02d}"
        midi.write(str(folder / "piece.mid"))
        sound = folder / "piece.wav"
        subprocess.run(
            ["fluidsynth", "-ni", "-g", "0.5", "-F", str(sound), "-r", "48000", str(find_soundfont()),
             str(folder / "piece.mid")],
            check=True, capture_output=True,
        )  # fmt: skip
        samples = _mono(sound)[: seconds * 48000]
        samples = np.pad(samples, (0, seconds * 48000 - len(samples)))
        shots = rng.permutation(12)[: seconds // 3 + 1]
        cut = "+".join(f"between(t,{shot * 2.4:.2f},{shot * 2.4 + 2.4:.2f})" for shot in sorted(shots))
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-stream_loop", "8", "-i", str(bundled_clip()), "-i", str(sound),
             "-map", "0:v", "-map", "1:a", "-vf", f"select='{cut}+gte(t,29)',setpts=N/24/TB,scale=160:90",
             "-t", str(seconds), "-c:a", "aac", "-b:a", "160k", str(folder / f"{name}.mp4")],
            check=True,
        )  # fmt: skip
        notes = [(note.start, note.end) for part in midi.instruments for note in part.notes]
        truth[f"{name}.mp4"] = {
            "key": key,
            "chord": longest_by_second(spans, 0, seconds).tolist(),
            "density": sounding_by_second(notes, 0, seconds).tolist(),
            "loudness": np.sqrt((samples.reshape(seconds, 48000).astype(float) ** 2).mean(axis=1)).tolist(),
        }
        print(name, key, flush=True)
    for left in ("piece.mid", "piece.wav"):
        (folder / left).unlink()
    (folder / "truth.json").write_text(json.dumps(truth))


def _mono(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return data.mean(axis=1) / 32767


def judge(folder: Path, data: Path) -> None:
    """Prints agreement with the truth, over all seconds and pieces."""
    truth = json.loads((folder / "truth.json").read_text())
    table = load_table(data)
    arrays = table.arrays
    root, quality, both, triad, keys, finders = [], [], [], [], [], {name: [] for name in FINDERS}
    inner = []
    density, loudness = [], []
    for index, name in enumerate(arrays["names"].tolist()):
        if name not in truth:
            continue
        true, span = truth[name], table.rows_of(index)
        key = str(arrays["key"][index])
        up = ((9 if key.endswith("minor") else 0) - parse_pitch_class(key.split()[0])) % 12
        heard = transposed(arrays["chord"][span], -up)  # as it sounds
        wanted = np.array(true["chord"][: len(heard)])
        heard = heard[: len(wanted)]
        names = [(CHORD_LABELS[a], CHORD_LABELS[b]) for a, b in zip(heard, wanted, strict=True)]
        root += [a.partition(":")[0] == b.partition(":")[0] for a, b in names]
        quality += [a.partition(":")[2] == b.partition(":")[2] for a, b in names]
        both += [a == b for a, b in names]
        triad += [_triad(a) == _triad(b) for a, b in zip(heard.tolist(), wanted.tolist(), strict=True)]
        steady = np.r_[True, wanted[1:] == wanted[:-1]] & np.r_[wanted[1:] == wanted[:-1], True]
        inner += [same for same, still in zip([a == b for a, b in names], steady, strict=True) if still]
        keys.append(key == true["key"])
        for finder, found in zip(FINDERS, arrays["key_votes"][index], strict=True):
            finders[finder].append(str(found) == true["key"])
        count = len(wanted)
        density.append((np.array(true["density"][:count]), arrays["note_density"][span][:count]))
        loudness.append((np.array(true["loudness"][:count]), arrays["loudness"][span][:count]))
    print(f"pieces {len(keys)}, seconds {len(root)}; density counts {table.about['density']}")
    for name, found in (("root", root), ("quality", quality), ("both", both), ("root and third", triad)):
        print(f"chord {name} {np.mean(found):.3f}")
    print(f"both, in seconds without a chord change {np.mean(inner):.3f}")
    print(
        "key "
        + "  ".join(f"{name} {np.mean(found):.3f}" for name, found in finders.items())
        + f"  vote {np.mean(keys):.3f}"
    )
    for name, pairs in (("density", density), ("loudness", loudness)):
        all_true, all_found = (np.concatenate(side) for side in zip(*pairs, strict=True))
        within = [np.corrcoef(a, b)[0, 1] for a, b in pairs if np.ptp(a) > 0 and np.ptp(b) > 0]
        print(
            f"{name}: correlation over all seconds {np.corrcoef(all_true, all_found)[0, 1]:.3f}, median within a piece "
            f"{np.median(within):.3f}; mean true {all_true.mean():.4g}, found {all_found.mean():.4g}"
        )


def _triad(identity: int) -> tuple[int | None, str]:
    chord = Chord.from_id(identity)
    third = {3: "min", 4: "maj"}.get(next((i for i in chord.intervals() if i in (3, 4)), 0), "") if identity else ""
    return chord.root, third


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("make")
    first.add_argument("folder", type=Path)
    first.add_argument("--pieces", type=int, default=24)
    first.add_argument("--seconds", type=int, default=32)
    second = commands.add_parser("judge")
    second.add_argument("folder", type=Path)
    second.add_argument("data", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments.folder, arguments.pieces, arguments.seconds)
    else:
        judge(arguments.folder, arguments.data)


if __name__ == "__main__":
    main()
