from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from engine.midifile import read_midi
from engine.music import Cut, Film, FrameRate, UserError
from engine.tempo_cli import main, parse_hits, strongest

CLIP = Path(__file__).parents[1] / "media" / "big-buck-bunny-30s.mp4"
FILM = Film("f.mp4", 60.0, FrameRate(Fraction(24)))


def test_hits_are_read():
    hits = parse_hits("4.71! 9.62, fall=22.08? 00:00:16:12", FILM)
    assert [(hit.time_s, hit.weight, hit.name) for hit in hits] == [
        (4.71, "must", ""),
        (9.62, "should", ""),
        (22.08, "nice", "fall"),
        (16.5, "should", ""),
    ]
    for bad in ("x", "4.7!!", "1.2.3", "00:00:99:00"):
        with pytest.raises(UserError):
            parse_hits(bad, FILM)


def test_the_strongest_cuts():
    cuts = [Cut(1.0, 0.2), Cut(2.0, 0.9), Cut(3.0, 0.5)]
    assert [(hit.time_s, hit.name) for hit in strongest(cuts, 2)] == [(2.0, "cut 2"), (3.0, "cut 3")]


def test_the_command_on_the_bundled_clip(tmp_path, capsys):
    plan = tmp_path / "plan.mid"
    common = [str(CLIP), "--cache-dir", str(tmp_path / "cache")]
    assert (
        main([*common, "--json", "--strongest", "5", "--curve", "12", "--write", str(plan), "--plan", "curve:1"]) == 0
    )
    report = json.loads(capsys.readouterr().out)
    assert report["rate"] == "24" and report["hits"] == 5
    assert report["fixed"] and report["curves"]
    assert all(abs(miss["frames"]) <= 0.5 for miss in report["curves"][0]["misses"])
    score = read_midi(plan)
    for marker, miss in zip(score.markers, report["curves"][0]["misses"], strict=True):
        assert marker.text == f"hit {miss['name']}"
        assert score.tempo_map.seconds_at(marker.beats) == pytest.approx(miss["time_s"], abs=0.005)
    assert main([*common, "--hits", "4.71! 9.62! 16.33! 19.62!", "--bpm", "80-82", "--strict"]) == 2
    assert "is refused" in capsys.readouterr().out
    with pytest.raises(UserError, match="outside the film"):
        main([*common, "--hits", "99"])
    with pytest.raises(UserError, match="range of tempi"):
        main([*common, "--bpm", "fast"])
    with pytest.raises(UserError, match="no plan"):
        main([*common, "--write", str(plan), "--plan", "odd:99"])
