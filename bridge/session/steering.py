"""What ratings make of the next takes.

A planned take is drawn in layers (form, players, palettes, keys, theme).  The rules, for each layer by itself:

* A take rated 4 weighs 1, one rated 5 weighs 2; the new take's own draws weigh 1.  By these weights it is drawn whose
  layer the new take has.  3 says nothing.
* Own draws avoid what takes rated 1 or 2 have and none rated 4 or 5 has.

So a cue without ratings is drawn as ever, a single take rated 4 gives half of its layers on, and several are mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engine.arrange.chance import noise
from engine.document import Document
from engine.document.compare import plan_of
from engine.document.takes import TakeTable
from engine.music import controls
from engine.music.cueplan import CuePlan
from engine.music.take_draws import LAYERS, TakeDraws, draws_text, parse_draws
from engine.process.requests import is_planned, like_of

LIKED: Final = 4
DISLIKED: Final = 2
OWN_WEIGHT: Final = 1
_VALUED: Final = tuple(layer for layer in LAYERS if layer != "theme")  # of a theme no value comes again


@dataclass(frozen=True, slots=True)
class LayerRule:
    """takes: by number, how much each liked take weighs.  avoided: what own draws avoid."""

    layer: str
    takes: Mapping[int, int]
    avoided: tuple[str, ...]

    @property
    def kept_share(self) -> float:
        """How likely the layer is another take's: 0..1."""
        liked = sum(self.takes.values())
        return liked / (liked + OWN_WEIGHT)


def layer_values(plan: CuePlan, layer: str) -> frozenset[str]:
    """What a plan has in a layer, as `TakeDraws.avoided` names it."""
    if layer == "form":
        return frozenset({plan.form})
    if layer == "players":
        return frozenset({plan.ensemble})
    if layer == "palettes":
        return frozenset(section.variant for section in plan.sections)
    longest = max(plan.sections, key=lambda section: section.end_s - section.start_s)
    return frozenset({longest.key.short_name}) if layer == "keys" else frozenset()


def rules(document: Document, takes: TakeTable) -> tuple[LayerRule, ...]:
    """One a layer; none where the cue has no form or ratings do not steer."""
    if not is_planned(document) or not document.value(controls.STEER):
        return ()
    rated = {
        each.take: (each.rating, plan)
        for each in document.ratings
        if each.cue == document.cue
        and (known := takes.get((each.cue, each.take))) is not None
        and (plan := plan_of(known.document, each.cue)) is not None
    }
    liked = {take: rating - LIKED + 1 for take, (rating, _) in rated.items() if rating >= LIKED}
    found = []
    for layer in LAYERS:
        has = [layer_values(plan, layer) for rating, plan in rated.values() if rating >= LIKED]
        lacks = [layer_values(plan, layer) for rating, plan in rated.values() if 1 <= rating <= DISLIKED]
        avoided = frozenset().union(*lacks) - frozenset().union(*has)
        found.append(LayerRule(layer, MappingProxyType(liked), tuple(sorted(avoided))))
    return tuple(found) if any(rule.takes or rule.avoided for rule in found) else ()


def steered(document: Document, takes: TakeTable, number: int) -> str:
    """`/cue/take/draws` of a new take of the selected cue."""
    kept: dict[str, int] = {}
    avoided: dict[str, tuple[str, ...]] = {}
    for rule in rules(document, takes):
        source = _chosen(rule, noise(document.draws.film_seed, document.cue, number, "steer", rule.layer))
        if source is None:
            avoided[rule.layer] = rule.avoided
            continue
        kept[rule.layer], avoided[rule.layer] = _root(takes, document.cue, source, rule.layer)
    return draws_text(TakeDraws(kept, {layer: values for layer, values in avoided.items() if values}))


def unlike(document: Document) -> str:
    """`/cue/take/draws` of a take that has nothing of the one in force."""
    plan = plan_of(document, document.cue)
    assert plan is not None
    return draws_text(TakeDraws({}, {layer: tuple(sorted(layer_values(plan, layer))) for layer in _VALUED}))


def _chosen(rule: LayerRule, chance: float) -> int | None:
    """The take whose layer is kept, None: the new take's own."""
    left = chance * (sum(rule.takes.values()) + OWN_WEIGHT)
    for take, weight in sorted(rule.takes.items()):
        if left < weight:
            return take
        left -= weight
    return None


def _root(takes: TakeTable, cue: int, take: int, layer: str) -> tuple[int, tuple[str, ...]]:
    """The take whose draws a layer of a take hangs on, and what was avoided in them."""
    document = takes[cue, take].document
    state = next(each for each in document.cue_states if each.number == cue)
    draws = parse_draws(state.text(controls.DRAWS))
    return draws.takes.get(layer, like_of(state) or take), draws.avoided.get(layer, ())
