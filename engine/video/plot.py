"""Draws what was seen: filmstrip, cuts, motion and stacked mood over time.  Needs matplotlib (extra `plot`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.music.files import written_aside
from engine.music.mood import EMOTIONS
from engine.video.errors import VideoError
from engine.video.features import VideoFeatures
from engine.video.film import open_film

COLOURS = {
    "exciting": "#e6842a",
    "fearful": "#5b3a8c",
    "tense": "#b5322f",
    "sad": "#3a6ea5",
    "relaxing": "#5aa469",
    "neutral": "#b8b8b8",
}
_STRIP_PICTURES = 12
_STRIP_HEIGHT = 90  # pixels


def plot_features(features: VideoFeatures, path: Path) -> None:
    """Writes a PNG.  Raises VideoError without matplotlib, or where it cannot be written."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise VideoError("Plotting needs matplotlib (pip install 'cuebridge[plot]').") from None
    length = max(features.film.duration_s, 1e-3)
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    strip, motion, mood = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": [1.1, 1, 1.6]})
    pictures = filmstrip(features)
    for number, picture in enumerate(pictures):
        strip.imshow(
            picture,
            extent=(number * length / len(pictures), (number + 1) * length / len(pictures), 0, 1),
            aspect="auto",
        )
    strip.set_xlim(0, length)
    strip.set_ylim(0, 1)
    strip.set_yticks([])
    strip.set_title(
        f"{Path(features.film.path).name}: {length:.1f} s, {len(features.cuts)} cuts, {features.reading} reading"
    )
    seconds = np.arange(features.seconds)
    motion.bar(seconds, features.motion, width=1.0, align="edge", color="#444444")
    motion.set_ylabel("motion 0–255")
    for cut in features.cuts:
        for axis in (strip, motion, mood):
            axis.axvline(cut.time_s, color="white" if axis is strip else "black", alpha=0.25 + 0.6 * cut.strength, lw=1)
    edges = np.append(seconds, length)
    mood.stackplot(
        edges,
        np.vstack([features.emotion, features.emotion[-1:]]).T,
        step="post",
        labels=EMOTIONS,
        colors=[COLOURS[name] for name in EMOTIONS],
    )
    for second in seconds[~features.valid if features.card is None else ~features.valid | features.card]:
        mood.axvspan(second, min(second + 1, length), color="white", alpha=0.7, lw=0)
    mood.set_ylim(0, 1)
    mood.set_ylabel("mood (5 s mean)")
    mood.set_xlabel("picture seconds")
    mood.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    try:
        with written_aside(path) as aside:
            figure.savefig(aside, dpi=90, format="png")
    except OSError as error:
        raise VideoError(f"{path} cannot be written: {error.strerror or error}.") from error


def filmstrip(features: VideoFeatures) -> list[np.ndarray]:
    """Evenly spaced pictures of the film, (h, w, 3) uint8 RGB, found by seeking; fewer where it cannot be read."""
    import av

    opened = open_film(features.film.path)
    pictures = []
    try:
        stream = opened.stream
        for number in range(_STRIP_PICTURES):
            wanted_s = (number + 0.5) / _STRIP_PICTURES * features.film.duration_s
            try:
                opened.container.seek(int((wanted_s + opened.start_s) / stream.time_base), stream=stream)
                for frame in opened.container.decode(stream):
                    if frame.time is None or frame.time - opened.start_s >= wanted_s - 0.5 / features.film.rate.fps:
                        break
                width = max(1, round(frame.width * _STRIP_HEIGHT / frame.height))
                pictures.append(frame.to_ndarray(format="rgb24", width=width, height=_STRIP_HEIGHT))
            except (av.FFmpegError, OSError, ValueError, UnboundLocalError):
                continue
    finally:
        opened.close()
    return pictures or [np.zeros((1, 1, 3), np.uint8)]
