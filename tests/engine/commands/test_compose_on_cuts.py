from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.commands.compose import main
from engine.midifile import read_midi
from engine.music import UserError

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"
HITS = (4.71, 9.62, 16.33, 22.08)


def changes_s(path):
    score = read_midi(path)
    names = ("cut", "hit", "fade", "diss")
    chords = [m for m in score.markers if not m.text.startswith(names)]
    return [score.tempo_map.seconds_at(marker.beats) for marker in chords]


def test_chords_stand_on_the_hits_and_the_file_marks_them(tmp_path, capsys, cache):
    out = tmp_path / "hits.mid"
    words = [str(CLIP), "-o", str(out), "--cache-dir", cache, "--bpm", "97", "--json"]
    assert main([*words, "--hits", "4.71! 9.62! rabbit=16.33 22.08?"]) == 0
    report = json.loads(capsys.readouterr().out)
    found = changes_s(out)
    for hit in HITS[:3]:
        assert min(abs(change - hit) for change in found) <= 15 / 97 / 2 + 0.001
    texts = [marker.text for marker in read_midi(out).markers]
    assert "hit rabbit" in texts and sum(text.startswith("hit") for text in texts) == 4
    assert report
    first = out.read_bytes()
    assert main([*words, "--replace", "--chords-on", "all"]) == 0
    assert out.with_name("hits.mid.bak").read_bytes() == first
    capsys.readouterr()
    from engine.video import FeatureCache, analyze

    cuts = [cut.time_s for cut in analyze(CLIP, cache=FeatureCache(Path(cache))).cuts]
    met = [cut for cut in cuts if min(abs(change - cut) for change in changes_s(out)) <= 0.08]
    assert len(met) >= len(cuts) - 2


def test_a_hit_after_the_film_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="lies after the film"):
        main([str(CLIP), "-o", str(tmp_path / "x.mid"), "--hits", "31"])


def test_misses_are_told_in_signed_frames_and_a_tempo_is_chosen_for_the_hits(tmp_path, capsys, cache):
    words = [str(CLIP), "-o", str(tmp_path / "x.mid"), "--cache-dir", cache, "--json"]
    beats = (4, 9, 15, 22)
    hits = " ".join(f"{beat * 60 / 84:.4f}!" for beat in beats)
    assert main([*words, "--hits", hits]) == 0
    report = json.loads(capsys.readouterr().out)
    assert abs(report["bpm"] - 84) < 0.3 and "hits" in report["tempo_reason"]
    assert all(hit["met"] and abs(hit["frames"]) <= 0.5 for hit in report["hits"])
    assert main([*words[:-1], "--replace", "--hits", "door=4.70!", "--bpm", "97"]) == 0
    text = capsys.readouterr().out
    assert "door 00:00:04:16" in text and "refused" in text and "cuebridge tempo" in text
