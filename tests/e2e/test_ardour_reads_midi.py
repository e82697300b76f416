"""Our MIDI files read by Ardour's own reader and held in its own tempo map: markers, tempi and meters stay where they
were."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.arrange import arrange
from engine.arrange.tempofit import TempoFitOptions, fit_tempos
from engine.brief import Brief
from engine.composer import compose_takes
from engine.midifile import composition_markers, write_midi
from engine.music import Composition, Hit, TempoMap, TimeSignature
from tests import ardoursmf

pytestmark = pytest.mark.skipif(ardoursmf.why_not() is not None, reason=ardoursmf.why_not() or "")

CLIP = Path(__file__).resolve().parents[2] / "engine" / "media" / "big-buck-bunny-30s.mp4"
HITS = (Hit(3.3, "must", "door"), Hit(9.625, name="look"), Hit(16.375), Hit(22.0833, "must", "fall"), Hit(25.75))


def _maps() -> dict[str, TempoMap]:
    from engine.video import probe

    report = fit_tempos(HITS, probe(CLIP).rate, TempoFitOptions(80, 110, curve_percent=12))
    changing = TempoMap.of(
        [(0, 97.3), (8, 110.5), (15, 72)],
        [(0, TimeSignature(4, 4)), (8, TimeSignature(7, 8)), (15, TimeSignature(3, 4))],
    )
    return {"ramp": report.ramps[0].tempo_map, "bars": report.bars[0].tempo_map, "changing": changing}


@pytest.fixture(scope="module", params=["97 bpm", "7/8", "ramp", "bars", "changing"])
def piece(request, tmp_path_factory) -> tuple[Path, Composition]:
    cache = str(tmp_path_factory.mktemp("cache"))
    wish = Brief(reading="quick", hits=HITS, bpm=97.0)
    if request.param == "7/8":
        wish = Brief(reading="quick", hits=HITS, bpm=140.0, meter=TimeSignature(7, 8))
    elif request.param in ("ramp", "bars", "changing"):
        wish = Brief(reading="quick", hits=HITS, tempo_map=_maps()[request.param])
    composition = compose_takes(CLIP, wish, 1, cache_dir=cache)[0].composition
    path = tmp_path_factory.mktemp("midi") / "piece.mid"
    write_midi(path, composition, arrange(composition))
    return path, composition


def test_markers_tempi_and_meters_are_read_as_written(piece):
    path, composition = piece
    found = ardoursmf.read(path)
    assert found.ppqn == 960 and found.tracks == 6
    wanted = composition_markers(composition)
    assert [text.strip() for _, text in found.markers] == [marker.text for marker in wanted]
    for (beats, _), marker in zip(found.markers, wanted, strict=True):
        assert beats == pytest.approx(marker.beats, abs=0.5 / 960 + 1e-9)
    assert sum(text.startswith("hit") for _, text in found.markers) == len(HITS)
    tempo_map = composition.tempo_map
    changes = {float(change.beat) for change in (*tempo_map.tempos, *tempo_map.meters)}
    assert sorted({tempo.beats for tempo in found.tempos}) == pytest.approx(sorted(changes))
    for tempo in found.tempos:
        meter = tempo_map.meter_at(tempo.beats)
        assert 60_000_000 / tempo.microseconds == pytest.approx(tempo_map.bpm_at(tempo.beats), abs=0.0005)
        assert (tempo.numerator, tempo.denominator) == (meter.numerator, meter.denominator)


def test_ardours_tempo_map_has_the_hits_on_their_frames(piece):
    path, composition = piece
    found = ardoursmf.read(path)
    # Ardour before 9 moves tempo and meter changes to whole quarter notes, so ours have to stand there.
    assert all(tempo.beats == round(tempo.beats) for tempo in found.tempos)
    places = [beats for beats, _ in found.markers]
    for beats, sample in zip(places, ardoursmf.samples(found.tempos, places), strict=True):
        second = composition.tempo_map.seconds_at(beats)
        assert sample / ardoursmf.RATE == pytest.approx(second, abs=0.001)  # a twenty-fourth of a frame at 24 fps
