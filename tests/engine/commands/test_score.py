from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "arrange"))
from pieces import compose

from engine.arrange import arrange, paper_options
from engine.commands.score import Picture, by_chance, chords_of, main, score_composition, score_file
from engine.commands.score_metrics import (
    Sounding,
    bootstrap,
    chord_diatonic_rate,
    coverage,
    diatonic_rate,
    each_second,
    f1,
    histogram_entropy,
    irregularity,
    match,
    mean_offset,
    onset_strength,
    rank_correlation,
    recall,
    strong_share,
    tonal_distance,
    voice_leading,
)
from engine.midifile import read_midi, write_midi
from engine.music import Chord, Cut, Key, Note, TempoMap, UserError

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"


def chords(text):
    return [Chord.parse(word) for word in text.split()]


def sounding(text, seconds=1.0):
    return [
        Sounding(chord, i * seconds, (i + 1) * seconds, 2 * i * seconds, 2 * (i + 1) * seconds)
        for i, chord in enumerate(chords(text))
    ]


def test_harmony_rows_by_hand():
    assert histogram_entropy(chords("C C C C")) == 0
    assert histogram_entropy(chords("C G")) == pytest.approx(math.log(2))
    assert coverage(chords("C G C Am")) == 3
    assert irregularity(chords("C F G C F G C F")) == pytest.approx(3 / 6)
    assert tonal_distance(chords("C C")) == 0
    assert tonal_distance(chords("C G")) < tonal_distance(chords("C F#"))
    assert tonal_distance(chords("C Am")) < tonal_distance(chords("C Cm"))
    assert chord_diatonic_rate(chords("C F G"), Key(0)) == 1
    assert chord_diatonic_rate(chords("D"), Key(0)) == pytest.approx(2 / 3)
    notes = [Note(60, 80, 0, 3, 1, "pad"), Note(61, 80, 0, 1, 1, "pad"), Note(36, 80, 0, 9, 10, "drums")]
    assert diatonic_rate(notes, Key(0)) == 0.75
    assert [str(chord) for chord in each_second(sounding("C N G"))] == ["C", "G"]


def test_share_of_changes_on_strong_beats():
    tempo_map = TempoMap.constant(120)
    assert strong_share(sounding("C F G C"), tempo_map) == (1.0, 1.0)
    assert strong_share(sounding("C F G C", 0.5), tempo_map) == (pytest.approx(1 / 3), 1.0)
    off = [Sounding(c.chord, 0, 1, c.start_beats + 0.25 * (i > 0), 9) for i, c in enumerate(sounding("C F G"))]
    assert strong_share(off, tempo_map) == (0.0, 0.0)


def test_voice_leading_finds_fifths_and_counts_motion():
    spans = sounding("C D")
    parallel = [Note(p, 80, b, 2, 1, "pad") for b, ps in ((0, (48, 52, 55)), (2, (50, 54, 57))) for p in ps]
    found = voice_leading(parallel, spans)
    assert (found.faults, found.steps, found.motion) == (1, 1, pytest.approx(5 / 3))
    contrary = [Note(p, 80, b, 2, 1, "pad") for b, ps in ((0, (48, 52, 55)), (2, (50, 57, 66))) for p in ps]
    assert voice_leading(contrary, spans).faults == 0


def test_matching_is_one_to_one():
    assert match([1.0, 2.0], [1.05, 1.06, 2.5], 0.1) == [(1.0, 1.05)]
    assert f1([1.0, 2.0], [1.05, 2.02], 0.08) == 1
    assert f1([1.0, 2.0], [1.05, 3.0, 4.0], 0.08) == pytest.approx(2 / 5)
    assert recall([1.0, 2.0], [1.05, 3.0, 4.0], 0.08) == 0.5
    assert mean_offset([1.0, 2.0], [1.1]) == pytest.approx(0.5)
    assert math.isnan(f1([], [1.0], 0.1))


def test_onsets_at_cuts():
    onsets = [(t / 4, 60) for t in range(40)]
    assert onset_strength([1.0, 2.0], onsets) == 1
    assert onset_strength([1.125, 2.125], onsets) == 0


def test_intervals_and_ranks():
    assert rank_correlation([1, 2, 3, 9], [2, 3, 4, 5]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert math.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))
    mean, low, high = bootstrap([1.0, 2.0, 3.0, math.nan])
    assert mean == 2 and 1 <= low < 2 < high <= 3


def picture(cuts=(1.75, 3.29, 4.71, 7.46)):
    return Picture(tuple(cuts), tuple(float(i % 7) for i in range(16)), 24.0, 16.0)


def test_a_file_scores_as_the_composition_it_was_written_from(tmp_path):
    work = compose("C Am F G7 Dm7 G7 Em Am", cuts=(Cut(1.75),))
    arrangement = arrange(work)
    write_midi(tmp_path / "a.mid", work, arrangement)
    rows = score_file(read_midi(tmp_path / "a.mid"), picture())
    direct = score_composition(work, arrangement, picture())
    for name in (
        "chord coverage",
        "changes on strong beats",
        "voice-leading faults",
        "cuts met, 80 ms",
        "motion to notes",
    ):
        assert rows[name] == pytest.approx(direct[name], abs=1e-6), name
    assert rows["voice-leading faults"] == 0
    assert direct["loudness to velocity"] > 0.7


def test_chords_are_estimated_where_no_marker_names_them(tmp_path):
    work = compose("C C C C Am Am Am Am F F F F G G G G", density=12.0, loudness=0.2)
    write_midi(tmp_path / "a.mid", work, arrange(work))
    score = replace(read_midi(tmp_path / "a.mid"), markers=())
    assert [str(chord.chord) for chord in chords_of(score)][:4] == ["C", "Am", "F", "G"]


def test_chance_is_lower_than_music_made_for_the_cuts():
    work = compose("C Am F G", seconds=16.0)
    starts = tuple(slot.start_s for slot in work.slots)[1::3]
    arrangement = arrange(work, paper_options())
    rows = score_composition(work, arrangement, picture(starts))
    from engine.midifile import MidiScore, composition_markers

    score = MidiScore(arrangement.notes, (), work.tempo_map, composition_markers(work), work.key)
    assert rows["cuts met, 80 ms"] == 1.0
    shuffled = by_chance(score, picture((1.31, 3.77, 9.49)))
    assert shuffled["cuts met, 80 ms"] < 0.6


def test_a_film_without_cuts_warns_nobody(recwarn):
    """Its rows about cuts are not numbers, in every order of its one shot."""
    from engine.midifile import MidiScore, composition_markers

    work = compose("C Am F G", seconds=16.0)
    arrangement = arrange(work, paper_options())
    score = MidiScore(arrangement.notes, (), work.tempo_map, composition_markers(work), work.key)
    rows = by_chance(score, picture(()))
    assert any(math.isnan(value) for value in rows.values()) and not recwarn.list


def test_the_command(tmp_path, capsys, cache):
    work = compose("C Am F G", seconds=30.0)
    write_midi(tmp_path / "a.mid", work, arrange(work))
    common = ["--video", str(CLIP), "--cache-dir", cache]
    assert main([str(tmp_path / "a.mid"), *common, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["score"]["chord coverage"] == 4 and "motion to notes" in report["other cuts"]
    assert main([str(tmp_path / "a.mid"), *common, "--cuts", "1.75 3.29"]) == 0
    said = capsys.readouterr().out
    assert "cut to chord F1, 80 ms" in said
    for column in (
        "this film: with its own picture",
        "other cuts: the same with its shots",
        "bars mixed: the same music",
    ):
        assert column in said  # each is said for what it is
    with pytest.raises(UserError, match="list of seconds"):
        main([str(tmp_path / "a.mid"), *common, "--cuts", "x"])


def test_a_session_is_scored_with_its_sections_and_its_own_film(tmp_path, capsys, monkeypatch, cache):
    """What live holds, without exporting it first: pins and all, and a sheet with sections and statements."""
    from golden import stored

    from engine.composer import Composer

    composer = Composer()
    monkeypatch.setattr(stored, "stored_composer", lambda: composer)
    file = tmp_path / "film.cuebridge.json"
    with stored.live(str(CLIP), "--form", "auto", "--session", str(file), folder=tmp_path) as stage:
        stage.osc("/cue/chords/pin", "F#m7b5", 9.0)
        stage.osc("/cue/save")
    sheet = tmp_path / "sheet.txt"
    words = [str(file), "--video", str(CLIP), "--cache-dir", cache, "--lead-sheet", str(sheet)]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["music"]["notes after the end"] == 0 and report["score"]["chord coverage"] >= 2
    text = sheet.read_text(encoding="utf-8")
    assert "F#m7b5" in text and "intensity" in text and "theme:" in text
    work = compose("C Am F G", seconds=8.0)
    write_midi(tmp_path / "a.mid", work, arrange(work))
    with pytest.raises(UserError, match="--video"):
        main([str(tmp_path / "a.mid")])
    file.write_text("{}")
    with pytest.raises(UserError, match="not a session"):
        main([str(file)])
