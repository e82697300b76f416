"""The music rows on pieces whose answers are known, and the lead sheet."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.commands.score import bars_of_file
from engine.commands.score_metrics import Sounding
from engine.commands.score_music import EXPLANATIONS, _mean_8, control_rows, music_rows
from engine.leadsheet import draw, draw_bars, text, text_of_bars
from engine.midifile import MidiScore
from engine.music import Chord, Note, TempoMap

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "arrange"))
from test_planned import planned

TEMPO = TempoMap.constant(120)


def piece(chords, melody=(), others=()):
    """chords: (name, beats); melody: (pitch, beats), others: (part, pitch, start, beats)."""
    found, beat = [], 0.0
    for name, length in chords:
        found.append(Sounding(Chord.parse(name), beat / 2, (beat + length) / 2, beat, beat + length))
        beat += length
    notes, at = [], 0.0
    for pitch, length in melody:
        notes.append(Note(pitch, 80, at, length * 0.95, 4, "melody"))
        at += length
    notes += [Note(pitch, 70, start, length, 1, part) for part, pitch, start, length in others]
    return MidiScore(tuple(sorted(notes, key=lambda note: note.start_beats)), (), TEMPO), found


def test_harmony_rows():
    score, chords = piece(
        [("C", 4), ("F/C", 4), ("G/D", 2), ("Cdim7", 4), ("Dm7", 2), ("G7", 4)],
        others=[
            ("bass", 36, 0, 4),
            ("bass", 36, 4, 4),
            ("bass", 38, 8, 2),
            ("bass", 36, 10, 4),
            ("bass", 38, 14, 2),
            ("bass", 43, 16, 4),
        ],
    )
    rows = music_rows(score, chords, duration_s=10.0)
    assert rows["chord lengths"] == 2
    assert rows["bass on the root"] == 14 / 20
    assert rows["pedal bass"] == 1 / 5
    assert rows["dim7 held over 2 beats"] == 1 and rows["m7 to IV7"] == 1
    assert rows["last chord before the end, s"] == 2.0 and rows["notes after the end"] == 0


def test_a_tune_that_comes_back_is_found_and_one_that_does_not_is_not():
    idea = [(60, 1.5), (67, 0.5), (65, 1), (64, 1), (62, 3), (64, 1)]
    moved = [(pitch + 5, length) for pitch, length in idea]
    score, chords = piece([("C", 24)], [*idea, *moved, (72, 4), (60, 4), *idea])
    assert music_rows(score, chords)["theme statements"] >= 2
    score, chords = piece(
        [("C", 24)], [(60, 1), (62, 0.5), (59, 2), (71, 1.5), (70, 3), (62, 1), (64, 2), (65, 0.5), (60, 2.5), (50, 4)]
    )
    assert music_rows(score, chords)["theme statements"] == 0


def test_leaps_thirds_and_dissonances():
    score, chords = piece([("C", 8)], [(60, 1), (67, 1), (65, 1), (64, 1), (60, 1), (65, 1), (64, 2)])
    rows = music_rows(score, chords)
    assert rows["leaps turned back"] == 1.0
    assert rows["thirds in the tune"] == 1 / 6
    assert rows["accented dissonances"] == 1.0  # F over C on a beat, resolved to E, twice in two bars


def test_texture_rows_see_doubling_and_silence():
    others = [
        ("pad", 60, 0, 8),
        ("pad", 64, 0, 8),
        ("arp", 60, 0, 1),
        ("arp", 67, 1, 1),
        ("arp", 64, 2, 1),
        ("arp", 72, 3, 1),
    ]
    rows = music_rows(*piece([("C", 8)], others=others))
    assert rows["arp doubles the pad"] == 0.5
    assert rows["melody silent"] == 1.0 and rows["parts from the first bar"] == 2


def test_parallels_and_motion_of_the_pad():
    fifths = [("pad", 48, 0, 4), ("pad", 55, 0, 4), ("pad", 50, 4, 4), ("pad", 57, 4, 4)]
    rows = music_rows(*piece([("C", 4), ("Dm", 4)], others=fifths))
    assert rows["parallels in the pad"] == 1.0 and rows["upper voices, semitones"] == 2.0


def test_every_row_has_a_line_and_a_control():
    composition = planned("orchestra")
    from engine.arrange import arrange
    from engine.arrange.rhythm import merge_runs

    arrangement = arrange(composition)
    chords = [Sounding(r.chord, r.start_s, r.end_s, r.start_beats, r.end_beats) for r in merge_runs(composition.slots)]
    score = MidiScore(arrangement.notes, arrangement.controllers, composition.tempo_map)
    whole = (score, chords, [float(second % 9) for second in range(40)], composition.film.duration_s)
    rows, control = music_rows(*whole), control_rows(*whole)
    assert set(rows) == set(control) == set(EXPLANATIONS)
    assert sum(not math.isnan(value) for value in rows.values()) >= 18
    assert rows["theme statements"] >= 1
    assert rows["notes after the end"] == 0


def test_chords_that_outlast_the_notes_have_a_control():
    """A cue may have rung out bars before its last chord is over."""
    score, chords = piece([("C", 4), ("F", 4), ("G", 40)], others=[("pad", 60, 0.0, 4.0), ("pad", 65, 4.0, 4.0)])
    assert set(control_rows(score, chords)) == set(EXPLANATIONS)


def test_lead_sheets_as_text_and_picture(tmp_path):
    composition = planned("strings")
    page = text(composition)
    assert "A theme: relaxing" in page and "(statement)" in page and "Gadd9" in page
    draw(composition, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"
    score, chords = piece([("C", 4), ("Am7", 2), ("G", 2)], [(60, 1), (64, 3), (67, 4)])
    bars = bars_of_file(score, chords)
    assert [name for bar in bars for _, name in bar.chords] == ["C", "Am7", "G"]
    assert "E4:2.85" in text_of_bars(bars)
    draw_bars(bars, "two bars", TEMPO, tmp_path / "two.png")
    assert (tmp_path / "two.png").stat().st_size > 1000


def test_a_pad_over_the_tune_is_seen():
    tune = [(67, 4), (67, 4), (72, 4)]
    score, chords = piece([("C", 12)], tune, [("pad", 60, 0, 12), ("pad", 67, 4, 4)])
    assert music_rows(score, chords)["pad under the tune"] == pytest.approx(2 / 3)
    score, chords = piece([("C", 12)], tune, [("arp", 76, 0, 12)])
    assert math.isnan(music_rows(score, chords)["pad under the tune"])


def test_two_bars_that_come_back_note_for_note_are_literal_and_over_other_chords_they_are_not():
    idea = [(67, 2), (69, 2), (71, 4)]
    harmony = [("C", 4), ("G", 4)]
    score, chords = piece([*harmony, *harmony], [*idea, *idea])
    literal = music_rows(score, chords)["literal repeats"]
    assert literal == pytest.approx(1 / 3)  # of three stretches, the last
    score, chords = piece([*harmony, ("Am", 4), ("Em", 4)], [*idea, *idea])
    assert music_rows(score, chords)["literal repeats"] == 0
    score, chords = piece([*harmony, *harmony], [*idea, (67, 2), (69, 1.5), (70, 0.5), (71, 4)])
    assert music_rows(score, chords)["literal repeats"] == 0


def test_the_picture_s_edges_count_once():
    """Eight seconds around the first second are the five that there are: what strikes in it counts as any other."""
    assert _mean_8(np.array([8.0, *[0.0] * 15]))[:2].tolist() == pytest.approx([8 / 5, 8 / 6])
    assert _mean_8(np.full(12, 3.0)).tolist() == pytest.approx([3.0] * 12)
