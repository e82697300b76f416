"""Speech that espeak-ng speaks into a clip's own sound at known places: how much of it is found, and what it changes.

python tests/bench/speech.py CLIP      (needs espeak-ng and the extra `dialogue`)
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import av
import numpy as np
from soundlab import film_with

from engine.arrange import ArrangeOptions, arrange
from engine.arrange.dialogue import melody_share
from engine.brief import Brief
from engine.composer import compose_takes
from engine.music.speech import speech_text
from engine.sound.speech import SAMPLE_RATE, speech_of

SENTENCES = (
    (4.0, "Where were you last night, Anna?"), (9.5, "I told you, I was at home the whole evening."),
    (16.0, "Nobody believes that, and you know it."), (22.0, "Then look at me and say it again."),
)  # fmt: skip


def sound_of(path, rate=SAMPLE_RATE):
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        parts = [p.to_ndarray().reshape(-1) for f in container.decode(audio=0) for p in resampler.resample(f)]
    return np.concatenate(parts)


def main() -> None:
    clip = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        samples = sound_of(clip)[: 30 * SAMPLE_RATE].copy()
        level = float(np.sqrt(np.mean(samples**2)))
        truth = np.zeros(30_000, bool)  # milliseconds
        for number, (at_s, words) in enumerate(SENTENCES):
            wav = f"{folder}/{number}.wav"
            subprocess.run(["espeak-ng", "-v", ("en-us+f3", "en-gb")[number % 2], "-w", wav, words], check=True)
            voice = sound_of(wav)
            loud = np.flatnonzero(np.abs(voice) > 0.02)
            voice = voice[loud[0] : loud[-1]] * (4 * level / float(np.sqrt(np.mean(voice**2))))
            at = round(at_s * SAMPLE_RATE)
            samples[at : at + len(voice)] += voice
            truth[round(at_s * 1000) : round((at_s + len(voice) / SAMPLE_RATE) * 1000)] = True
        film = f"{folder}/spoken.mkv"
        film_with(film, samples, rate=SAMPLE_RATE)
        begun = time.perf_counter()
        lines = speech_of(film)
        took_s = time.perf_counter() - begun
        found = np.zeros(30_000, bool)
        for start, end in lines:
            found[round(start * 1000) : round(end * 1000)] = True
        both = (truth & found).sum()
        print(
            f"speech {truth.sum() / 1000:.1f} s, found {found.sum() / 1000:.1f} s in {len(lines)} lines; "
            f"recall {both / truth.sum():.3f}, precision {both / found.sum():.3f}; {took_s:.2f} s for 30 s"
        )
        (score,) = compose_takes(clip, Brief(), 1)
        for mode in ("off", "gentle", "strict"):
            made = arrange(score.composition, ArrangeOptions(leave_room=mode, speech=speech_text(lines)))
            places = [score.composition.picture_at_beats(note.start_beats) for note in made.notes]
            inside = sum(any(low <= at < high for low, high in lines) for at in places)
            share = melody_share(made.notes, score.composition, lines)
            print(f"{mode:7} tune inside lines {share:.3f}, notes inside lines {inside} of {len(made.notes)}")


if __name__ == "__main__":
    main()
