"""Looks at a film: file -> VideoFeatures.  Importing this loads numpy only; decoders load when a film is opened."""

from __future__ import annotations

import os
from collections.abc import Callable

from engine.music.mood import EMOTIONS
from engine.video.cache import CacheEntry, FeatureCache, content_key, with_film
from engine.video.errors import VideoError
from engine.video.features import FeatureRow, VideoFeatures
from engine.video.film import probe
from engine.video.identity import BackgroundHash
from engine.video.options import AnalysisOptions
from engine.video.stream import FeatureStream, open_stream

__all__ = [
    "EMOTIONS",
    "AnalysisOptions",
    "CacheEntry",
    "FeatureCache",
    "FeatureRow",
    "FeatureStream",
    "VideoError",
    "VideoFeatures",
    "analyze",
    "open_stream",
    "probe",
]


def analyze(
    path: str | os.PathLike[str],
    options: AnalysisOptions | None = None,
    progress: Callable[[float, str], None] | None = None,
    cache: FeatureCache | None = None,
) -> VideoFeatures:
    """Looks at a whole film.

    progress: called with a fraction 0..1 and what is being done, about once per second of film.
    cache: where features are kept; None looks anew.  A cache that cannot be written is told in the notes.
    Raises VideoError with one sentence.
    """
    from dataclasses import replace

    options = options or AnalysisOptions()
    report = progress or (lambda _fraction, _text: None)
    report(0.0, "opening the film")
    key = content = other = ""
    if cache is not None:
        key = cache.key(path, options)
        content = key.split("-")[0]
        kept, other = cache.get_checked(key, path)
        if kept is not None:
            report(1.0, "taken from the cache")
            return with_film(kept, path, content, options)
    with open_stream(path, options, content or content_key(path)) as opened:
        hashing = BackgroundHash(path) if cache is not None else None
        expected = opened.expected_seconds
        for _row in opened:
            done = min(0.999, opened.position_s / expected) if expected else 0.0
            report(done, f"looking at second {opened.position_s:.0f}" + (f" of {expected}" if expected else ""))
        features = opened.features()
    if cache is not None:
        try:
            cache.put(key, features, hashing)
        except VideoError as error:
            features = replace(features, notes=(*features.notes, str(error)))
    if other:
        features = replace(features, notes=(*features.notes, other))
    report(1.0, "the film has been looked at")
    return features
