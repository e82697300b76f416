"""What the chord network is asked to express: the picture's mood course and its cuts, per slot.

The network was taught with mood courses and boundaries that songs state themselves (models.training.labels); here the
film's stand in the same columns (models.conditioning).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.harmony.mood import bias_affect
from engine.harmony.plan import PlannedSlot
from engine.music import EMOTIONS, Cut
from engine.process.messages import ComposeOptions
from models.conditioning import SMOOTHING_S, condition_rows, sharpened, smoothed

SPACING_S: Final = 4.0  # boundaries in training were that far apart at least; of closer cuts the strongest counts
_REACH_S: Final = 1.0  # a cut is answered by a chord change so near to it
_SHARED: Final = 0.6  # weight of the mood as it is, beside what stands out from the film's mean
_CONTRAST: Final = 3.0  # a class that is a third above the film's mean is asked for fully
_NEUTRAL: Final = EMOTIONS.index("neutral")


@dataclass(frozen=True, slots=True)
class Events:
    """What happens in the film: its cuts, and picture seconds of hits."""

    cuts: tuple[Cut, ...] = ()
    hits_s: tuple[float, ...] = ()


def mood_course(affect: np.ndarray, slot_s: float, options: ComposeOptions) -> np.ndarray:
    """The picture's mood (S, 6) per slot of about `slot_s` seconds -> what is asked for, rows sum to 1.

    Smoothed (Gaussian, 3 s) and sharpened.  A film that is tense throughout would be asked for nothing but dominants:
    so the mood that all of it has counts .6, and what stands out from the film's mean the rest; what is missing to 1 is
    neutral, which asks for nothing.  The composer's faders move the result as far as they are turned.
    """
    picture = np.asarray(affect, dtype=np.float64)
    if len(picture) == 0:
        return picture.astype(np.float32)
    calm = smoothed(picture, SMOOTHING_S / max(slot_s, 1e-3))
    outstanding = np.clip(_CONTRAST * (calm - calm.mean(axis=0)), 0.0, 1.0)
    wanted = _SHARED * sharpened(calm, options.follow_picture / 100.0) + outstanding
    wanted[:, _NEUTRAL] = 0.0
    wanted /= np.maximum(wanted.sum(axis=1, keepdims=True), 1.0)
    wanted[:, _NEUTRAL] = 1.0 - wanted.sum(axis=1)
    return bias_affect(wanted, options)


def boundaries(slots: Sequence[PlannedSlot], events: Events) -> np.ndarray:
    """(S,) of 0 and 1: slots in which something new begins.

    Cuts, the strongest of those closer than SPACING_S, and every hit; each at the nearest slot at which the chord may
    change, where one is within a second, else at the nearest slot.
    """
    found = np.zeros(len(slots))
    if not slots:
        return found
    starts = np.array([slot.start_s for slot in slots])
    free = np.array([slot.start_s if slot.change else np.inf for slot in slots])
    chosen = list(events.hits_s)
    for cut in sorted(events.cuts, key=lambda cut: (-cut.strength, cut.time_s)):
        if all(abs(cut.time_s - other) >= SPACING_S for other in chosen):
            chosen.append(cut.time_s)
    for time_s in chosen:
        at = int(np.abs(free - time_s).argmin())
        if abs(free[at] - time_s) > _REACH_S:
            at = int(np.abs(starts - time_s).argmin())
        if abs(starts[at] - time_s) <= max(_REACH_S, slots[at].end_s - slots[at].start_s):
            found[at] = 1.0
    return found


def conditions(
    slots: Sequence[PlannedSlot],
    affect: np.ndarray,
    options: ComposeOptions,
    events: Events,
) -> np.ndarray:
    """(S, 12) rows of models.conditioning for all slots of a film.  affect: (S, 6) the picture's mood."""
    if not slots:
        return condition_rows(0)
    slot_s = (slots[-1].end_s - slots[0].start_s) / len(slots)
    return condition_rows(len(slots), mood_course(affect, slot_s, options), boundaries(slots, events))
