"""The key of every slot: what somebody asked for, else what the take's plan draws, else by the mood of the cue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.harmony.mood import choose_key
from engine.harmony.plan import PlannedSlot
from engine.music import Key
from engine.process.messages import ComposeRequest

if TYPE_CHECKING:
    from engine.planning import Planned


@dataclass(frozen=True, slots=True)
class Keys:
    """first: of the first cue, with its reason.  of_cues: key and reason of each of the request's cues."""

    of_slots: Sequence[Key]
    first: Key
    reason: str
    of_cues: tuple[tuple[Key, str], ...]


def decide_keys(
    planned: Sequence[PlannedSlot], affect: np.ndarray, request: ComposeRequest, drawn: Planned | None
) -> Keys:
    """affect: (slots, 6), what the mood of a cue is taken from."""
    if not planned:
        return Keys((), Key(0), "", ((Key(0), ""),) * len(request.cues))
    chosen: dict[int, tuple[Key, str]] = {}
    for cue in {slot.cue for slot in planned if slot.key is None}:
        plan = None if drawn is None else drawn.of(cue)
        if plan is not None:
            typed = request.progression
            if typed is None and 0 <= cue < len(request.cues):
                typed = request.cues[cue].progression
            why_this = f"drawn by the take ({plan.reason})" if typed is None else "that of your progression"
            chosen[cue] = plan.sections[0].key, f"{plan.sections[0].key.name}: {why_this}"
            continue
        members = [index for index, slot in enumerate(planned) if slot.cue == cue]
        chosen[cue] = choose_key(affect[members])
    keys = [_key_at(slot, request, drawn, chosen) for slot in planned]
    first = next((index for index, slot in enumerate(planned) if slot.cue >= 0), 0)
    begins: dict[int, int] = {}
    for index, slot in enumerate(planned):
        begins.setdefault(slot.cue, index)

    def why(index: int) -> str:
        slot = planned[index]
        return chosen[slot.cue][1] if slot.key is None else f"{slot.key.name}: as asked"

    own = tuple((keys[begins.get(cue, first)], why(begins.get(cue, first))) for cue in range(len(request.cues)))
    return Keys(keys, keys[first], why(first), own)


def _key_at(
    slot: PlannedSlot, request: ComposeRequest, drawn: Planned | None, chosen: dict[int, tuple[Key, str]]
) -> Key:
    """The key of a slot: what a section of the cue asks for, else the plan's, else the cue's."""
    plan = None if drawn is None else drawn.of(slot.cue)
    if plan is None:
        return slot.key or chosen[slot.cue][0]
    asked = (request.cues[slot.cue].key if slot.cue < len(request.cues) else None) or request.key
    if slot.key is not None and slot.key != asked:
        return slot.key
    return plan.section_at(slot.start_s).key
