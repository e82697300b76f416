"""Settling tempo, grid and picture start; one flow from a file to a composition."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from engine.brief import Brief, request_for
from engine.composer import compose_takes
from engine.music import Cut, Film, FrameRate, Key, MusicError, Take, TempoMap, TimeSignature, parse_progression
from engine.process.messages import Composed, SlotsComposed

ROOT = Path(__file__).parents[2]
FILM = Film("f.mp4", 60.0, FrameRate(Fraction(25)))
CUTS = (Cut(3.0), Cut(9.0), Cut(21.0))


def test_a_tempo_that_was_asked_for_is_taken():
    request, reason = request_for(FILM, CUTS, Brief(bpm=97.5, meter=TimeSignature(7, 8)))
    assert request.tempo_map.bpm_at(0) == 97.5 and str(request.tempo_map.meter_at(0)) == "7/8"
    assert request.grid == "beats" and "as asked" in reason


def test_without_a_tempo_the_cuts_decide_and_it_is_said():
    request, reason = request_for(FILM, CUTS, Brief())
    assert 70 <= request.tempo_map.bpm_at(0) <= 110 and reason


def test_the_seconds_grid_is_120_bpm():
    request, reason = request_for(FILM, CUTS, Brief(grid="seconds"))
    assert request.grid == "seconds" and request.tempo_map.bpm_at(0) == 120 and "seconds grid" in reason


@pytest.mark.parametrize(
    ("text", "starts_s", "beats"),
    [("0", 0.0, 0.0), ("2.5", 2.5, 5.0), ("3|1", 4.0, 8.0), ("2|3", 3.0, 6.0), ("01:00:00:00", 3600.0, 0.0)],
)
def test_where_the_picture_starts(text, starts_s, beats):
    request, _reason = request_for(FILM, CUTS, Brief(bpm=120, picture_starts_at=text))
    assert request.picture_starts_at_s == pytest.approx(starts_s)
    assert request.tempo_map.beats_at(request.picture_starts_at_s) == pytest.approx(beats)


@pytest.mark.parametrize("text", ["x", "-3", "0|1", "nan", "4|"])
def test_a_picture_start_that_cannot_be_read_is_refused(text):
    with pytest.raises(MusicError):
        Brief(picture_starts_at=text)


def test_plans_that_contradict_themselves_are_refused():
    for wrong in (
        {"grid": "bars"},
        {"grid": "seconds", "bpm": 97.0},
        {"bpm": 97.0, "tempo_map": TempoMap.constant(97)},
        {"grid": "seconds", "tempo_map": TempoMap.constant(97)},
    ):
        with pytest.raises(MusicError):
            Brief(**wrong)


def test_a_tempo_map_is_kept_and_moves_to_the_timecode():
    tempo_map = TempoMap.of([(0, 90), (16, 120)])
    request, _reason = request_for(FILM, CUTS, Brief(tempo_map=tempo_map, picture_starts_at="01:00:00:00"))
    assert request.tempo_map.tempos == tempo_map.tempos and request.tempo_map.origin_s == 3600


def test_chunks_come_in_order_and_the_first_one_soon(composer, make_features):
    features = make_features(100.0)
    request, _reason = request_for(features.film, features.cuts, Brief(bpm=120))
    messages = list(composer.stream(features, request, first_chunk=4, chunk=40))
    sizes = [len(message.slots) for message in messages if isinstance(message, SlotsComposed)]
    assert sizes == [4, 8, 16, 32, 40]
    assert [m.fraction for m in messages if isinstance(m, SlotsComposed)] == pytest.approx([0.04, 0.12, 0.28, 0.6, 1.0])
    assert isinstance(messages[-1], Composed) and messages[-1].composition.key_reason


def test_a_limit_gives_a_beginning_and_no_whole(composer, make_features):
    features = make_features(100.0)
    request, _reason = request_for(features.film, features.cuts, Brief(bpm=120))
    messages = list(composer.stream(features, request, until_s=20.0, provisional=True))
    slots = [slot for message in messages if isinstance(message, SlotsComposed) for slot in message.slots]
    assert len(slots) == 21 and all(slot.provisional for slot in slots)
    assert not any(isinstance(message, Composed) for message in messages)


@pytest.mark.parametrize("wish", [{}, {"grid": "seconds"}, {"bpm": 140.0, "meter": TimeSignature(7, 8)}])
def test_the_bundled_clip_with_the_shipped_networks(clip, tmp_path, wish):
    plan = Brief(progression=parse_progression("Dm Bb F C"), key=Key.parse("Dm"), reading="quick", **wish)
    one, two = compose_takes(clip, plan, 2, cache_dir=str(tmp_path))
    for score in (one, two):
        slots = score.composition.slots
        assert slots[0].start_s == 0.0 and slots[-1].end_s == pytest.approx(score.composition.film.duration_s)
        assert slots[0].chord.lead_sheet() == "Dm" and slots[0].given and not slots[-1].given
        assert all(0 <= slot.tension <= 1 and 0 <= slot.density <= 40 for slot in slots)
        assert len(score.composition.cuts) == 11
    assert one.composition.take == Take(1) and two.composition.take == Take(2)
    assert [slot.chord for slot in one.composition.slots] != [slot.chord for slot in two.composition.slots]


def test_the_engine_pins_blas_to_one_thread():
    """Also where the environment asks for more."""
    code = (
        "from engine.composer import Composer\nfrom threadpoolctl import threadpool_info\nComposer()\n"
        "print([pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'])"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert set(json.loads(done.stdout)) == {1}, done.stderr
