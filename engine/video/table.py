"""What was seen, as a table of text: one line per shot, with its mood and motion."""

from __future__ import annotations

from typing import TextIO

import numpy as np

from engine.music.mood import EMOTIONS
from engine.video.features import VideoFeatures

_BAR: str = " ▁▂▃▄▅▆▇█"


def write_table(features: VideoFeatures, out: TextIO, took_s: float) -> None:
    """Writes film, reading, shots and notes.  took_s: seconds the analysis took."""
    film = features.film
    out.write(f"{film.path}\n")
    out.write(
        f"  {film.duration_s:.2f} s, {film.width}x{film.height}, {film.rate} frames a second"
        + (f", starts at {film.start_timecode}" if film.start_timecode else "")
        + f"; looked at in {took_s:.1f} s\n"
    )
    out.write(f"  picture reading: {features.reading} ({features.reason})\n")
    out.write(f"  {len(features.cuts)} cuts\n\n")
    out.write("  shot        from         length  kind      strength  motion  mood (mean weights)\n")
    starts = [0.0, *(cut.time_s for cut in features.cuts)]
    ends = [*starts[1:], film.duration_s]
    for number, (start_s, end_s) in enumerate(zip(starts, ends, strict=True)):
        cut = features.cuts[number - 1] if number else None
        rows = np.arange(features.seconds)
        inside = (rows >= start_s - 1e-6) & (rows < end_s)
        if not inside.any():  # shorter than a second: the second it lies in
            inside = rows == min(int(start_s), features.seconds - 1)
        mood = features.emotion_raw[inside].mean(axis=0)
        order = np.argsort(-mood)[:2]
        words = ", ".join(f"{EMOTIONS[index]} {mood[index]:.2f}" for index in order)
        out.write(
            f"  {number + 1:4d}  {film.timecode_at(start_s)}  {end_s - start_s:8.2f} s  "
            f"{cut.kind if cut else 'start':8s}  {f'{cut.strength:8.2f}' if cut else '        '}  "
            f"{features.motion[inside].mean():6.1f}  {words}\n"
        )
    out.write("\n  over time (each column " + f"{max(1, -(-features.seconds // 72))} s)\n")
    for name, values, top in [
        ("motion", features.motion, max(10.0, float(features.motion.max()))),
        *((name, features.emotion[:, index], 1.0) for index, name in enumerate(EMOTIONS)),
    ]:
        out.write(f"  {name:>9s} {_line(values, top)}\n")
    for note in features.notes:
        out.write(f"\n  note: {note}\n")


def _line(values: np.ndarray, top: float) -> str:
    """A line of at most 72 block characters.  values: (T,); top: the value of a full block."""
    step = max(1, -(-len(values) // 72))
    columns = [float(values[start : start + step].mean()) for start in range(0, len(values), step)]
    return "".join(_BAR[min(8, max(0, round(8 * value / top)))] for value in columns)
