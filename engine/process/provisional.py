"""Planning ahead of the analysis: a film seen in part, extended by what was seen last.

Only for slots marked provisional: they are planned again when the whole film was seen.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.video import VideoFeatures

_RECENT = 8  # seconds whose mean mood and motion are taken to go on


def extend(features: VideoFeatures) -> VideoFeatures:
    """Features of all the seconds that the container promises: the seen ones, then the last seconds' mean held."""
    if features.film.duration_s <= 0:  # the container does not say how long it is
        film = replace(features.film, duration_s=float(max(features.seconds, 1)))
        features = replace(features, film=film)
    wanted = max(math.ceil(features.film.duration_s - 1e-6), features.seconds, 1)
    missing = wanted - features.seconds
    if missing <= 0 or features.seconds == 0:
        return features

    def held(rows: np.ndarray) -> np.ndarray:
        mean = rows[-_RECENT:].mean(axis=0, keepdims=True)
        return np.concatenate([rows, np.repeat(mean, missing, axis=0)]).astype(rows.dtype)

    running = features.scene_offset[-1] + 1 + np.arange(missing)
    return replace(
        features,
        seconds=wanted,
        semantic=None if features.semantic is None else held(features.semantic),
        emotion_raw=held(features.emotion_raw),
        emotion=held(features.emotion),
        motion=held(features.motion),
        scene_offset=np.concatenate([features.scene_offset, running]).astype(features.scene_offset.dtype),
        valid=np.concatenate([features.valid, np.ones(missing, bool)]),
        colour=None if features.colour is None else held(features.colour),
        card=None if features.card is None else np.concatenate([features.card, np.zeros(missing, bool)]),
    )


def within(features: VideoFeatures, end_s: float) -> VideoFeatures:
    """The film as if it ended at a picture second, or as it is where it ends before: two hours take seconds to plan."""
    rows = math.ceil(end_s)
    if rows >= features.seconds:
        return features
    return replace(
        features,
        film=replace(features.film, duration_s=float(rows)),
        seconds=rows,
        semantic=None if features.semantic is None else features.semantic[:rows],
        emotion_raw=features.emotion_raw[:rows],
        emotion=features.emotion[:rows],
        motion=features.motion[:rows],
        scene_offset=features.scene_offset[:rows],
        valid=features.valid[:rows],
        colour=None if features.colour is None else features.colour[:rows],
        card=None if features.card is None else features.card[:rows],
        cuts=tuple(cut for cut in features.cuts if cut.time_s < rows),
    )
