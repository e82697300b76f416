"""Speech laid into a clip's own sound at known places: how much of it is found, and what it changes in the music.

    python tests/bench/speech.py CLIP [--speech FILE...] [--levels 12,6,0,-6,-12]

Without --speech espeak-ng speaks four sentences.  With it recordings are laid in, as many as there is room for, then
the clip begins anew with the rest.  Where they speak says FILE.rttm beside a recording, else its own level, which
wants a recording without other sound.  A level is dB of the voice over the clip's sound (RMS, both where they sound).
Needs the extra `dialogue`.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import av
import numpy as np
from pieces import melody_share
from soundlab import film_with

from engine.arrange import ArrangeOptions, arrange
from engine.brief import Brief
from engine.composer import compose_takes
from engine.music.speech import Lines, merged, speech_text
from engine.sound.speech import PAUSE_S, SAMPLE_RATE, speech_of

SENTENCES = (
    "Where were you last night, Anna?", "I told you, I was at home the whole evening.",
    "Nobody believes that, and you know it.", "Then look at me and say it again.",
)  # fmt: skip
LONGEST_S = 20.0  # of a recording: longer ones are laid in piece by piece
FRAME_S = 0.02
SPEAKS_DB = 26.0  # below a recording's loud frames: softer is its pause
SHORTEST_S = 0.1  # of what is louder: shorter is a click


@dataclass(frozen=True)
class Voice:
    """samples: at SAMPLE_RATE.  lines: where it speaks, seconds of its own."""

    samples: np.ndarray
    lines: Lines

    @property
    def level(self) -> float:
        spoken = [self.samples[round(low * SAMPLE_RATE) : round(high * SAMPLE_RATE)] for low, high in self.lines]
        return float(np.sqrt(np.mean(np.concatenate(spoken) ** 2)))


@dataclass
class Counts:
    """Milliseconds and lines over all films of a level.  onsets: of the tune, all and inside true lines, by mode."""

    true_ms: int = 0
    found_ms: int = 0
    both_ms: int = 0
    lines: int = 0
    met: int = 0
    found: int = 0
    meant: int = 0
    onsets: dict[str, list[float]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        shares = "  ".join(
            f"{mode} {inside / max(count, 1):.3f}/{here / max(count, 1):.3f}"
            for mode, (count, inside, here) in self.onsets.items()
        )
        return (
            f"time: recall {self.both_ms / max(self.true_ms, 1):.3f} precision "
            f"{self.both_ms / max(self.found_ms, 1):.3f}; lines: {self.met} of {self.lines} met, {self.meant} of "
            f"{self.found} found are speech; tune's onsets inside true/found lines: {shares}"
        )


def sound_of(path, rate: int = SAMPLE_RATE) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        parts = [p.to_ndarray().reshape(-1) for f in container.decode(audio=0) for p in resampler.resample(f)]
    return np.concatenate(parts)


def by_level(samples: np.ndarray) -> Lines:
    """Where a recording of nothing but a voice speaks."""
    size = round(FRAME_S * SAMPLE_RATE)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-10)
    loud = np.flatnonzero(level > np.percentile(level, 95) - SPEAKS_DB)
    rows = [(index * FRAME_S, (index + 1) * FRAME_S) for index in loud]
    sounds = [row for row in merged(rows, 2.5 * FRAME_S) if row[1] - row[0] >= SHORTEST_S]
    return merged(sounds, PAUSE_S)


def written(path: Path) -> Lines:
    """The lines of an RTTM file (NIST, Rich Transcription): a word, file, channel, from, duration."""
    rows = [line.split() for line in path.read_text().splitlines()]
    return merged(((float(row[3]), float(row[3]) + float(row[4])) for row in rows if row[0] == "SPEAKER"), PAUSE_S)


def voices_of(files: list[str]) -> Iterator[Voice]:
    """Recordings, and pieces of long ones that begin and end in pauses."""
    for name in files:
        samples, beside = sound_of(name), Path(name).with_suffix(".rttm")
        lines = written(beside) if beside.exists() else by_level(samples)
        rows: list[tuple[float, float]] = []
        for line in [*lines, (float("inf"), 0.0)]:
            if (rows and line[1] - rows[0][0] > LONGEST_S) or line[0] == float("inf"):
                low = max(rows[0][0] - 0.2, 0.0)
                cut = samples[round(low * SAMPLE_RATE) : round((rows[-1][1] + 0.2) * SAMPLE_RATE)]
                yield Voice(cut, tuple((start - low, end - low) for start, end in rows))
                rows = []
            rows.append(line)


def spoken_by_espeak(folder: str) -> Iterator[Voice]:
    for number, words in enumerate(SENTENCES):
        wav = f"{folder}/{number}.wav"
        subprocess.run(["espeak-ng", "-v", ("en-us+f3", "en-gb")[number % 2], "-w", wav, words], check=True)
        samples = sound_of(wav)
        loud = np.flatnonzero(np.abs(samples) > 0.02)
        samples = samples[loud[0] : loud[-1]]
        yield Voice(samples, ((0.0, len(samples) / SAMPLE_RATE),))


def films(sound: np.ndarray, voices: list[Voice], level_db: float) -> Iterator[tuple[np.ndarray, Lines]]:
    """The clip's sound with voices in it, and where they speak, as often as all of them take."""
    draw, rest = random.Random(1), list(voices)
    sounding = sound[np.abs(sound) > 1e-4]
    aim = float(np.sqrt(np.mean(sounding**2))) * 10 ** (level_db / 20)
    while rest:
        samples, lines, at = sound.copy(), [], draw.uniform(1.0, 4.0)
        while rest and at + len(rest[0].samples) / SAMPLE_RATE < len(sound) / SAMPLE_RATE - 0.5:
            voice = rest.pop(0)
            first = round(at * SAMPLE_RATE)
            samples[first : first + len(voice.samples)] += voice.samples * (aim / voice.level)
            lines += [(at + start, at + end) for start, end in voice.lines]
            at += len(voice.samples) / SAMPLE_RATE + draw.uniform(1.0, 4.0)
        if not lines:
            rest.pop(0)  # longer than the clip
            continue
        yield samples / max(1.0, float(np.abs(samples).max())), tuple(lines)


def share(line: tuple[float, float], lines: Lines) -> float:
    covered = sum(max(0.0, min(line[1], high) - max(line[0], low)) for low, high in lines)
    return covered / (line[1] - line[0])


def add(counts: Counts, truth: Lines, found: Lines, duration_s: float) -> None:
    """A line is met where half of it is found; what is found is speech where half of it is spoken."""
    masks = []
    for lines in (truth, found):
        mask = np.zeros(round(duration_s * 1000) + 1000, bool)
        for start, end in lines:
            mask[round(start * 1000) : round(end * 1000)] = True
        masks.append(mask)
    counts.true_ms += int(masks[0].sum())
    counts.found_ms += int(masks[1].sum())
    counts.both_ms += int((masks[0] & masks[1]).sum())
    counts.lines, counts.found = counts.lines + len(truth), counts.found + len(found)
    counts.met += sum(share(line, found) >= 0.5 for line in truth)
    counts.meant += sum(share(line, truth) >= 0.5 for line in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--speech", nargs="+", metavar="FILE")
    parser.add_argument("--levels", default="12")
    asked = parser.parse_args()
    sound = sound_of(asked.clip)
    (score,) = compose_takes(asked.clip, Brief(), 1)
    with tempfile.TemporaryDirectory() as folder:
        voices = list(voices_of(asked.speech) if asked.speech else spoken_by_espeak(folder))
        spoken_s = sum(end - start for voice in voices for start, end in voice.lines)
        print(f"{len(voices)} voices, {sum(len(v.lines) for v in voices)} lines, {spoken_s:.1f} s", flush=True)
        heard = speech_alone(voices, folder)
        print(f"without other sound: {heard.text}", flush=True)
        for level in map(float, asked.levels.split(",")):
            counts, took_s, length_s = Counts(), 0.0, 0.0
            for samples, truth in films(sound, voices, level):
                film = f"{folder}/{len(truth)} {truth[0][0]} {level}.mkv"
                film_with(film, samples, rate=SAMPLE_RATE)
                begun = time.perf_counter()
                found = speech_of(film)
                took_s, length_s = took_s + time.perf_counter() - begun, length_s + len(samples) / SAMPLE_RATE
                add(counts, truth, found, len(samples) / SAMPLE_RATE)
                for mode in ("off", "gentle", "strict"):
                    made = arrange(score.composition, ArrangeOptions(leave_room=mode, speech=speech_text(found)))
                    tune = sum(note.part == "melody" for note in made.notes)
                    row = counts.onsets.setdefault(mode, [0, 0.0, 0.0])
                    row[0] += tune
                    row[1] += tune * melody_share(made.notes, score.composition, truth)
                    row[2] += tune * melody_share(made.notes, score.composition, found)
                Path(film).unlink()
            print(f"{level:+4.0f} dB {counts.text}; {took_s:.1f} s for {length_s:.0f} s", flush=True)


def speech_alone(voices: list[Voice], folder: str) -> Counts:
    counts = Counts()
    for number, voice in enumerate(voices):
        film, padded = f"{folder}/alone{number}.mkv", np.pad(voice.samples, SAMPLE_RATE)
        film_with(film, padded, rate=SAMPLE_RATE)
        truth = tuple((start + 1, end + 1) for start, end in voice.lines)
        add(counts, truth, speech_of(film), len(padded) / SAMPLE_RATE)
    return counts


if __name__ == "__main__":
    main()
