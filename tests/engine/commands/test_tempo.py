from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import mido
import pytest

from engine.commands.tempo import main
from engine.commands.tempo_plan import strongest
from engine.midifile import read_midi, read_tempo_map, write_events
from engine.music import Cut, Film, FrameRate, MeterChange, TempoChange, TempoMap, TimeSignature, UserError
from engine.music.hit_text import parse_hits

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"
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


def test_the_command_on_the_bundled_clip(tmp_path, capsys, cache):
    plan = tmp_path / "plan.mid"
    common = [str(CLIP), "--cache-dir", cache]
    assert main([*common, "--json", "--strongest", "5", "--curve", "12", "--write", str(plan), "--plan", "ramp:1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rate"] == "24" and report["hits"] == 5
    assert report["fixed"] and report["ramps"]
    assert all(abs(miss["frames"]) <= 0.5 for miss in report["ramps"][0]["misses"])
    score = read_midi(plan)
    for marker, miss in zip(score.markers, report["ramps"][0]["misses"], strict=True):
        assert marker.text == f"hit {miss['name']}"
        assert score.tempo_map.seconds_at(marker.beats) == pytest.approx(miss["time_s"], abs=0.005)
    assert main([*common, "--hits", "4.71! 9.62! 16.33! 19.62!", "--bpm", "80-82", "--strict"]) == 2
    assert "is refused" in capsys.readouterr().out
    with pytest.raises(UserError, match="outside the film"):
        main([*common, "--hits", "99"])
    with pytest.raises(UserError, match="range of tempi"):
        main([*common, "--bpm", "fast"])
    with pytest.raises(UserError, match="no plan"):
        main([*common, "--write", str(tmp_path / "no.mid"), "--plan", "odd:99"])


def test_export_writes_a_conductor_track_and_nothing_else(tmp_path, capsys, cache):
    out = tmp_path / "conductor.mid"
    common = [str(CLIP), "--cache-dir", cache, "--bpm", "97", "--bar-1", "0.5"]
    assert main(["export", *common, "--hits", "0.2 4.71! door=9.62", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "97 bpm" in said and "no notes" in said and "0.5 s into the film" in said
    file = mido.MidiFile(out)
    assert len(file.tracks) == 1
    assert {message.type for message in file.tracks[0]} == {
        "track_name", "time_signature", "set_tempo", "marker", "end_of_track"
    }  # fmt: skip
    score = read_midi(out)
    assert [float(tempo.bpm) for tempo in score.tempo_map.tempos] == [97.0]
    # The hit before bar 1 would move bar 1 in the file: it is left out.
    assert [(marker.text, round(score.tempo_map.seconds_at(marker.beats) + 0.5, 2)) for marker in score.markers] == [
        ("hit 4.71", 4.71),
        ("hit door", 9.62),
    ]


def test_export_takes_the_tempo_of_another_file_note_by_no_note(tmp_path, capsys):
    tempo_map = TempoMap(
        (TempoChange(Fraction(0), Fraction(97)), TempoChange(Fraction(8), Fraction(120))),
        (MeterChange(Fraction(0), TimeSignature(3, 4)),),
    )
    music, out = tmp_path / "music.mid", tmp_path / "conductor.mid"
    write_events(music, [(0.0, 0.0, 0x90, 60, 90, 0), (1.0, 1.0, 0x80, 60, 0, 0)], tempo_map)
    assert main(["export", "--from-midi", str(music), "--out", str(out)]) == 0
    assert read_tempo_map(out) == read_tempo_map(music) == tempo_map
    assert not read_midi(out).notes
    with pytest.raises(UserError, match="would be overwritten"):
        main(["export", "--from-midi", str(music), "--out", str(music)])
    with pytest.raises(UserError, match="name a film"):
        main(["export"])
    with pytest.raises(UserError, match="name a file"):
        main(["export", "--from-midi", str(music), "--out", str(tmp_path)])
