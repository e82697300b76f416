"""What a session has that stands on the picture."""

from dataclasses import replace

import pytest
from pieces import compose

from engine.arrange.expression import film_levels
from engine.document import Document, Pin, Result
from engine.music import Chord, Hit, Section, TempoMap, controls
from engine.process.requests import recipe


@pytest.fixture
def document():
    """Two cues with their own bar 1, at 120 and 96 bpm; everything that stands on the picture."""
    made = Document(hits=(Hit(5.0, "must", "door"), Hit(18.0, "should", "glass"), Hit(30.0, "nice", "step")),
                    sections=(Section(8.0, (("activity", "40"),), "Chase"),),
                    pins=(Pin(10.0, 12.0, Chord.parse("F"), "F"),))  # fmt: skip
    made = made.with_value(controls.OUT, 22.0).with_value(controls.BAR_1, "in").with_value(controls.NAME, "1m1")
    second = replace(made.selected, number=1, settings={
        controls.NAME: "1m2", controls.IN: 25.0, controls.BAR_1: "in", controls.TEMPO: 96.0,
    })  # fmt: skip
    made = made.with_cues((made.selected, second), 0)
    from engine.music import marked

    tempo_map = marked(TempoMap.constant(120), made.tempo_marks(120.0), 0.0)
    slots = compose(tempo_map=tempo_map, seconds=40.0).slots
    result = Result(slots, tempo_map, "beats", complete=True, levels=film_levels(slots))
    made = replace(made, result=result)
    return replace(made, result=replace(result, recipe=recipe(made)))
