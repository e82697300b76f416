"""The plugin, as LV2 and as VST3, on a track of a real Ardour, headless: what it prints, plays in a loop and after a
locate, plays again when the project is reopened without CueBridge, and what an export sounds like.

Ardour's own playing of the take that it recorded says where Ardour is.  Figures: tests/bench/plugin.py ardour.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests import pluginardour
from tests.ardourlab import StartError
from tests.jacklab import still_sounding
from tests.pluginardour import (
    LOCATE_S,
    LOOP_S,
    OFF_GRID,
    ON_GRID,
    PAD,
    PERIOD,
    RATE,
    Life,
    PluginArdour,
    Stage,
    Vst3Ardour,
    score,
)

reason = pluginardour.why_not()
pytestmark = [
    pytest.mark.ardour,
    pytest.mark.jack,
    pytest.mark.slow,
    pytest.mark.skipif(reason is not None, reason=str(reason)),
]
TICK = 12.5  # frames of Ardour's 1/1920 beat
EXACT = 0.5 + RATE / 2**21  # what the project keeps stands on 2^-20 s
PLANNED = {(note.channel, note.pitch): note.start_beats * RATE for note in score()}


@pytest.fixture(scope="module", params=[PluginArdour, Vst3Ardour], ids=["LV2", "VST3"])
def life(request, tmp_path_factory) -> Life:
    try:
        return pluginardour.measure(tmp_path_factory.mktemp("ardour"), request.param)
    except StartError as error:
        pytest.skip(str(error))


def check(stage: Stage) -> None:
    """No note hangs or is struck twice; JACK was in time."""
    assert still_sounding(stage.messages) == []
    if stage.lost:
        pytest.skip(f"JACK lost {stage.lost} periods here: notes went with them")


def test_a_track_prints_every_note_where_it_was_composed(life) -> None:
    assert set(life.followed) == {"plugin"}  # and CueBridge followed Ardour by the plugin
    errors = {
        (note.channel + 1, note.pitch): note.start_s * RATE - PLANNED[note.channel + 1, note.pitch]
        for note in life.take
    }
    assert set(errors) == set(PLANNED) and len(life.take) == len(PLANNED)
    for (channel, _), error in errors.items():
        assert abs(error) <= (TICK / 2 + 0.5 if channel == OFF_GRID else 0.5)
    assert all(note.length_s > 0 for note in life.take)


def test_a_loop_plays_every_note_once_a_turn(life, request) -> None:
    stage, is_vst3 = life.loop, "VST3" in request.node.name
    check(stage)
    mine, ardours = stage.on_grid()
    start, end = (edge * RATE for edge in LOOP_S)
    turns = [each.frame for each in ardours if PLANNED[ON_GRID, each.pitch] == start][:3]
    assert len(turns) == 3 and {b - a for a, b in pairwise(turns)} == {end - start}
    inside = sorted(key for key, at in PLANNED.items() if start <= at < end and key[0] != PAD)
    for begin in turns[:2]:
        heard = [each for each in stage.plugin if begin - PERIOD <= each.frame < begin + (end - start) - PERIOD]
        struck = [(each.channel, each.pitch) for each in heard if each.channel != PAD]
        assert sorted(struck) == inside
        for each in heard:
            if each.channel == PAD:
                continue
            early = begin + PLANNED[each.channel, each.pitch] - start - each.frame
            # Of an LV2, Ardour puts what lies between the turn and the end of its period at that period's beginning.
            assert abs(early) <= 0.5 or (not is_vst3 and 0 < early < PERIOD and each.frame < begin + PERIOD)
        if is_vst3:  # the pad that is held at the turn begins there, once; the next one where it was composed
            pads = [(each.pitch, each.frame - begin) for each in heard if each.channel == PAD]
            first, second = sorted(key[1] for key, at in PLANNED.items() if key[0] == PAD and at < end)[-2:]
            assert pads == [(first, 0), (second, PLANNED[PAD, second] - start)]
    assert len(mine) >= 3 * (end - start) / RATE / pluginardour.STEP_S


def test_a_locate_while_it_rolls(life) -> None:
    stage = life.locate
    check(stage)
    mine, ardours = stage.on_grid()
    theirs = {(each.pitch, each.frame) for each in ardours}
    jump = next(at for at, (a, b) in enumerate(pairwise(mine), 1) if b.pitch < a.pitch)
    before, after = mine[:jump], mine[jump:]
    first = min(pitch for (channel, pitch), at in PLANNED.items() if channel == ON_GRID and at >= LOCATE_S * RATE)
    for stretch, begin in ((before, before[0].pitch), (after, first)):
        assert [each.pitch for each in stretch] == list(range(begin, begin + len(stretch)))
    # Ardour's own track may begin a note later or earlier at the edges.
    missing = theirs - {(each.pitch, each.frame) for each in mine}
    assert len(missing) <= 2 and len(after) >= 20
    assert sum((each.pitch, each.frame) in theirs for each in mine) >= len(mine) - 3


def test_the_reopened_project_plays_without_cuebridge(life) -> None:
    stage = life.reopened
    check(stage)
    assert sorted((each.channel, each.pitch) for each in stage.plugin) == sorted(PLANNED)
    zero = stage.ardour[0].frame - PLANNED[stage.ardour[0].channel, stage.ardour[0].pitch]
    assert stage.ardour[0].channel != OFF_GRID
    for each in stage.plugin:
        assert abs(each.frame - zero - PLANNED[each.channel, each.pitch]) <= EXACT


def test_an_export_without_cuebridge_has_every_note_on_its_sample(life) -> None:
    wanted = sorted(pluginardour.expected(score()).items())
    found = pluginardour.impulses(life.exported)
    assert len(found) == len(wanted)
    for impulse, (frame, level) in zip(found, wanted, strict=True):
        assert abs(impulse.frame - frame) <= EXACT and impulse.level == pytest.approx(level, abs=0.1)
