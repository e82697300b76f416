"""Does the music follow this film?  Rank correlations of motion with notes per second and velocity, and a control.

The control is music composed to the same film with its shots in another order, held against the film's true motion:
what correlates there as well was never about the picture.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from engine.arrange import Arrangement
from engine.commands.score_metrics import rank_correlation
from engine.music import Composition
from engine.video import VideoFeatures


@dataclass(frozen=True, slots=True)
class PictureLink:
    """Spearman correlations -1..1 over the film's seconds.

    notes: motion with notes that begin in a second.  velocity: motion with their mean velocity, over seconds with
    notes.  NaN where one side does not change.
    """

    notes: float
    velocity: float


def per_second(
    composition: Composition, arrangement: Arrangement, seconds: int, parts: Collection[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Notes that begin in each picture second (T,) and their mean velocity (T,), 0 where none begins."""
    count, total = np.zeros(seconds), np.zeros(seconds)
    for note in arrangement.notes:
        second = int(composition.picture_at_beats(note.start_beats) + 1e-6)
        if 0 <= second < seconds and (parts is None or note.part in parts):
            count[second] += 1
            total[second] += note.velocity
    return count, total / np.maximum(count, 1)


def link(
    features: VideoFeatures,
    composition: Composition,
    arrangement: Arrangement,
    parts: Collection[str] | None = None,
) -> PictureLink:
    """Correlations of a film's motion with an arrangement; parts: only these."""
    count, velocity = per_second(composition, arrangement, features.seconds, parts)
    sounding = count > 0
    return PictureLink(
        rank_correlation(features.motion, count),
        rank_correlation(features.motion[sounding], velocity[sounding]),
    )


def shuffled(features: VideoFeatures, seed: int) -> VideoFeatures:
    """The film with its shots in another order; a shot is whole seconds long and keeps its scene offsets."""
    edges = [0, *[second for second in range(1, features.seconds) if _begins_shot(features, second)], features.seconds]
    shots = [np.arange(first, stop) for first, stop in pairwise(edges)]
    order = np.random.default_rng(seed).permutation(len(shots))
    rows = np.concatenate([shots[index] for index in order])
    return replace(
        features,
        film=replace(features.film, content_key=f"{features.film.content_key} shuffled {seed}"),
        semantic=None if features.semantic is None else features.semantic[rows],
        emotion_raw=features.emotion_raw[rows],
        emotion=features.emotion[rows],
        motion=features.motion[rows],
        scene_offset=features.scene_offset[rows],
        valid=features.valid[rows],
        colour=None if features.colour is None else features.colour[rows],
        card=None if features.card is None else features.card[rows],
    )


def _begins_shot(features: VideoFeatures, second: int) -> bool:
    return bool(features.scene_offset[second] <= features.scene_offset[second - 1])
