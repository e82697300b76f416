"""The palettes' data against the laws that they are to keep."""

from __future__ import annotations

import itertools

import pytest

from engine.harmony.palettes import chord, of_mood, palettes
from engine.music import EMOTIONS, Chord, MusicError

SPELLED = {
    "I": "C", "bVII/1": "Bb/C", "iv/b6": "Fm/Ab", "V/7": "G/B", "IV/6": "F/A", "vi7": "Am7", "IVadd9": "Fadd9",
    "i5": "C5", "viio/1": "Bdim/C", "#Io7": "C#dim7", "imaj7": "CmMaj7", "bVI+": "Abaug", "vim11": "Am11",
    "I6/9/3": "C6/9/E", "V7sus4": "G7sus4", "Iq": "C7sus4no5", "iadd9": "Cmadd9", "II7": "D7", "ii7/1": "Dm7/C",
}  # fmt: skip


@pytest.mark.parametrize(("numeral", "name"), SPELLED.items())
def test_numerals_are_read_as_they_are_written(numeral, name):
    assert chord(numeral) == Chord.parse(name)
    assert chord(numeral, 5) == Chord.parse(name).transpose(5)


@pytest.mark.parametrize("text", ["", "H", "VIII", "I/8", "Ixyz", "iV"])
def test_what_is_no_numeral_is_refused_in_a_sentence(text):
    with pytest.raises(MusicError):
        chord(text)


def test_every_mood_has_variants_of_its_own():
    for mood in EMOTIONS:
        assert len(of_mood(mood)) >= 2, mood
    assert len({palette.variant for palette in palettes().values()}) == len(palettes())


def test_no_two_palettes_of_a_mood_have_a_cell_in_common():
    """Whatever bass and colour: else films that have nothing but their mood in common begin with the same chords."""
    for mood in EMOTIONS:
        cells = {
            palette.variant: {tuple(tuple(chord.plain for chord in entry) for entry in cell) for cell in palette.cells}
            for palette in of_mood(mood)
        }
        for one, other in itertools.combinations(cells, 2):
            assert not cells[one] & cells[other], (one, other)


def test_fear_and_tension_have_no_funk_and_no_held_diminished_seventh():
    for palette in palettes().values():
        if palette.mood not in ("fearful", "tense"):
            continue
        for cell in (*palette.cells, *palette.closes, *palette.lift):
            for entry in cell:
                assert entry[0].quality != "dim7" or len(entry) == 2, palette.variant
            sounding = [each for entry in cell for each in entry]
            for before, after in itertools.pairwise(sounding):
                vamp = before.quality == "min7" and after.quality == "7" and (after.root - before.root) % 12 == 5
                assert not vamp, (palette.variant, str(before), str(after))


def test_mediants_and_tritones_are_plain_triads_in_root_position():
    for variant in ("E1", "F1", "R2"):
        for cell in palettes()[variant].cells:
            chords = [entry[0] for entry in cell]
            for before, after in itertools.pairwise(chords):
                step = (after.root - before.root) % 12
                if step in (3, 4, 6, 8, 9) and {before.quality, after.quality} == {"maj"}:
                    assert not before.extension and not after.extension, (variant, str(before), str(after))
                    assert after.bass is None, (variant, str(after))


def test_second_inversions_stand_on_pedals_pass_or_lead_to_a_cadence():
    for palette in palettes().values():
        for cell in palette.cells:
            chords = [entry[0] for entry in cell]
            for index, each in enumerate(chords):
                fifth = None if each.bass is None else (each.bass - each.root) % 12
                if fifth != 7:
                    continue
                around = [c.bass_pitch_class for c in (chords[index - 1], chords[(index + 1) % len(chords)])]
                pedal = each.bass in around or each.bass in (0, 7)
                assert pedal or all(abs(each.bass - low) <= 2 for low in around), (palette.variant, str(each))


def _rests(chord) -> bool:
    """A triad, a fifth or an added ninth on the tonic."""
    return chord.root == 0 and chord.quality in ("maj", "min") and chord.extension in ("", "5", "add9", "madd9")


@pytest.mark.parametrize("variant", list(palettes()))
def test_a_cue_left_open_never_ends_on_the_tonic_and_one_that_rests_always_does(variant):
    palette = palettes()[variant]
    assert not any(_rests(close[-1][-1]) for close in palette.closes_of("unresolved"))
    if variant != "F2":  # the uncanny rests on nothing but its minor triad
        assert all(_rests(close[-1][-1]) for close in palette.closes_of("button"))
