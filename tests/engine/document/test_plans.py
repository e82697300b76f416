"""Plans in session files: what is written is read again."""

from __future__ import annotations

import msgspec
import pytest

from engine.document.file import plans, schema
from engine.music import Key, MusicError
from engine.music.cueplan import CuePlan, SectionPlan, Statement, Theme, ThemeNote

PLAN = CuePlan(
    1,
    "sad arc",
    "piano",
    (
        SectionPlan(3.5, 12.0, "A", "solo", "sad", 1, "S2", Key(10), 0.5, ("arp", "melody"), ostinato="1 5 b6 5"),
        SectionPlan(
            12.0, 30.25, "B", "swell", "sad", 3, "S1", Key(7, "minor"), 2.0, (), "5", 105.0, (40, 75), 58, "stop",
            asked=-2,
        ),
    ),
    Theme((ThemeNote(0.0, 1.5, 0), ThemeNote(1.5, 0.5, -1, 1)), 2, 4.0, "arch", "hero", "period"),
    (Statement(2, "hint", 2), Statement(9, "memory", 2, 2.0, 1)),
    "ring-off",
    "because",
    12345,
    (62, 91),
)  # fmt: skip


def through_a_file(plan):
    return plans.read(msgspec.json.decode(msgspec.json.encode(plans.written(plan)), type=schema.PlanObject))


def test_a_plan_comes_back_as_it_was():
    from dataclasses import replace

    assert through_a_file(PLAN) == PLAN
    assert through_a_file(replace(PLAN, theme=None, statements=())) == replace(PLAN, theme=None, statements=())


@pytest.mark.parametrize(
    "change", [{"ensemble": "kazoo"}, {"ending": "bang"}, {"sections": []}, {"statements": [[1, "shout", 2, 1.0, 0]]}]
)
def test_a_plan_that_cannot_be_is_refused(change):
    data = {**plans.written(PLAN), **change}
    with pytest.raises(MusicError):
        plans.read(msgspec.json.decode(msgspec.json.encode(data), type=schema.PlanObject))
