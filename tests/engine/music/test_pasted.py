"""Progressions as they are pasted: iReal Pro, song sheets with words, charts, typographic signs, other languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import Chord, Key, MusicError, parse_progression
from tests.engine.music.test_lead_sheet_more import expected

# written -> chords with bars
CHARTS = {
    "|: C |1 F :|2 G |": "C F C G",
    "|: C |[1] F :|[2] G |": "C F C G",
    "|: C |1) F :|2) G |": "C F C G",
    "|: C |1st: F :|2nd: G|": "C F C G",
    "|: C |1,2. F :|3. G|": "C F C F C G",
    "|: C |1.-2. F :|3. G|": "C F C F C G",
    "|: C | F |\n|1. G | C :|\n|2. G | C ||": "C F G C C F G C",
    "T44{*A C^7 A-7 |D-7 G7 }": "Cmaj7:1/2 Am7:1/2 Dm7:1/2 G7:1/2 Cmaj7:1/2 Am7:1/2 Dm7:1/2 G7:1/2",
    "{*AT44C^7 |A-7 |N1D-7 |G7 }|N2D-7 G7 |C6 Z": "Cmaj7 Am7 Dm7 G7 Cmaj7 Am7 Dm7:1/2 G7:1/2 C6",
    "[T44C^7 |A-7 |x |x ]": "Cmaj7 Am7 Am7 Am7",
    "*i{C |F }*A{G |n }Z": "C F C F G N.C. G N.C.",
    "[*A C^7 |sA-7, lD7 |<D.C. al Coda>G p p p]": "Cmaj7 Am7:1/2 D7:1/2 G",
    "C F 4 times": "C F C F C F C F",
    "|: C | F :| play 3 times": "C F C F C F",
    "C F bis": "C F C F",
    "(C F)2": "C F C F",
    "2x(C F) G": "C F C F G",
    "C F *2": "C F C F",
    "C F G\nx2": "C F G C F G",
    "| C | sim. |": "C C",
    '| C | " | F |': "C C F",
    "| C | to Coda | F |": "C F",
    "Verse 1\nC F\nChorus\nG C": "C F G C",
    "[Chorus x2]\nC G": "C G",
    "Intro C G": "C G",
    "Turnaround: C G": "C G",
    "Estribillo: C G": "C G",
    "Teil A: C G": "C G",
    "[A]\nC F G": "C F G",
    "A: C F G\nB: G C": "C F G G C",
    "A | C | F |\nB | G | C |": "C F G C",
    "Title: Night\nTonart: C-Dur\nTakt: 4/4\n♩ = 120\nC F": "C F",
    "{title: Night}\n{key: C}\nC F": "C F",
    "# sketch\nC F # and so on": "C F",
    "| C | F |\n|---|---|\n| G | Am |": "C F G Am",
    "Outro (fade)\nC F": "C F",
    "C F etc.": "C F",
    "C F G C.": "C F G C",
    '"C", "Am", "F"': "C Am F",
    "['C', 'Am', 'F']": "C Am F",
    "C and F then G": "C F G",
    "C       G\nAmazing grace\nAm      F\nhow sweet": "C G Am F",
    "[C]Amazing [G]grace\nhow [Am]sweet the [F]sound": "C G Am F",
    "Ｃ\u3000Ａｍ｜Ｆ": "C:1/2 Am:1/2 F",
    "C m7 F 7": "Cm7 F7",
    "C minor 7, F dominant 7, B flat major 7": "Cm7 F7 A#maj7",
    "F sharp minor 7 flat 5": "F#m7b5",
    "G7 (b9) C": "G7b9 C",
    "G7 b9 C": "G7b9 C",
    "G7 (13) C": "G7add13 C",
    "E flat major | C minor": "D# Cm",
    "a-moll F-Dur C-Dur": "Am F C",
    "B-Dur Es-Dur F7": "A# D# F7",
    "fis-Moll | H-Dur": "F#m B",
    "Si bémol majeur | Fa dièse mineur": "A# F#m",
    "la minore, fa maggiore": "Am F",
    "no chord | C": "N.C. C",
}
# written, key -> chords with bars
DEGREES = {
    ("Ⅰ Ⅳ Ⅴ", "C"): "C F G",
    ("ⅰ ⅳ Ⅴ", "Am"): "Am Dm E",
    ("VIIb IIIb I", "C"): "A# D# C",
    ("subV7 I", "C"): "C#7 C",
    ("subV7/V V", "C"): "G#7 G",
    ("vii°6 I", "C"): "Bdim/D C",
    ("viiø65 I", "C"): "Bm7b5/D C",
    ("V of V V I", "C"): "D G C",
    ("V7 of ii ii", "C"): "A7 Dm",
    ("IV/V V", "C"): "F/G G",
    ("I/III IV", "C"): "C/E F",
    ("ii7/V V7/V V", "C"): "Am7 D7 G",
    ("N.C. I V", "C"): "N.C. C G",
    ("I (add9) IV", "C"): "Cadd9 F",
    ("I, vi, ii7, V7.", "C"): "C Am Dm7 G7",
    ("|1 4 |5 1 |", "C"): "C:1/2 F:1/2 G:1/2 C:1/2",
}
# one chord -> its tones as semitones above the root, in one octave
SYMBOLS = {
    "C5+": "0 4 8",
    "C5-": "0 4 6",
    "Cm9(maj7)": "0 2 3 7 11",
    "C/9": "0 2 4 7",
    "Cm/9": "0 2 3 7",
    "C9/6": "0 2 4 7 9",
    "C7/4": "0 5 7 10",
    "C4/7": "0 5 7 10",
    "C7(4)": "0 5 7 10",
    "C7/6": "0 4 7 9 10",
    "C²": "0 2 7",
    "C⁴": "0 5 7",
    "Cᵐ⁷": "0 3 7 10",
    "Cᵐᵃʲ⁷": "0 4 7 11",
    "C▵7": "0 4 7 11",
    "C▲": "0 4 7 11",
    "F∘7": "0 3 6 9",
    "C:sus4(b7)": "0 5 7 10",
    "G:sus4(b7,9)": "0 2 5 7 10",
    "Cmaj7(6)": "0 4 7 9 11",
    "CMINOR": "0 3 7",
    "Cdominant7": "0 4 7 10",
    "Cmin/maj7": "0 3 7 11",
    "Cm/M7": "0 3 7 11",
    "Cm(7M)": "0 3 7 11",
    "Cm7o5": "0 3 6 10",
    "C1/2dim": "0 3 6 10",
    "Chalfdiminished": "0 3 6 10",
    "Cm7flat5": "0 3 6 10",
    "C7sharp11": "0 4 6 7 10",
    "C7aug5": "0 4 8 10",
    "C7+(9)": "0 2 4 8 10",
    "Csus9": "0 2 5 7 10",
    "Csus13": "0 2 5 7 9 10",
    "Csus7": "0 5 7 10",
    "Csus2/4": "0 2 5 7",
    "tacet": "",
    "N/C": "",
    "NoChord": "",
    "N.c.": "",
}


@pytest.mark.parametrize("text", CHARTS)
def test_charts_as_people_paste_them(text) -> None:
    assert [(item.chord, item.bars) for item in parse_progression(text).items] == expected(CHARTS[text])


@pytest.mark.parametrize(("text", "key"), DEGREES)
def test_degrees_as_people_write_them(text, key) -> None:
    found = parse_progression(text, key=Key.parse(key))
    assert [(item.chord, item.bars) for item in found.items] == expected(DEGREES[text, key])


@pytest.mark.parametrize("text", SYMBOLS)
def test_symbols_as_people_write_them(text) -> None:
    assert sorted({tone % 12 for tone in Chord.parse(text).intervals()}) == [
        int(word) for word in SYMBOLS[text].split()
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C       G\nAmazing grace", "Amazing grace"),
        ("[Chorus x2]\nC G", "[Chorus x2]"),
        ("Title: Night\nC", "Title: Night"),
        ("Outro (fade)\nC F", "(fade)"),
        ("B-Dur F7", "B flat"),
    ],
)
def test_what_is_passed_over_or_decided_is_said(text, words) -> None:
    assert words in " ".join(parse_progression(text).readings)


def test_a_numeral_over_another_says_that_it_is_a_bass() -> None:
    assert "over the degree V" in " ".join(parse_progression("I IV/V", key=Key.parse("C")).readings)
    assert not parse_progression("I V/V", key=Key.parse("C")).readings


@pytest.mark.parametrize(
    "text", ["C Xm F", "C Fmaj77 G", "Cm H#x", "C\nXm Ym\nF G H##", "I VIII", "C grace", "Amazing grace", "C (4) F (4)"]
)
def test_what_is_misspelt_is_still_refused(text) -> None:
    with pytest.raises(MusicError):
        parse_progression(text)


@given(
    st.lists(st.sampled_from([*"CFGA|:%/x()[]{}-.,# \n\"'12345", "Verse", "N.C.", "b9", "Z", "*A", "T44", "N1", "sus"]))
)
def test_no_text_is_a_traceback(pieces) -> None:
    try:
        found = parse_progression("".join(pieces))
    except MusicError as error:
        assert "\n" not in str(error)
    else:
        assert found.items


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\u200e", "\u2068", "\ufe0f"])
def test_signs_that_nobody_sees_change_nothing(sign) -> None:
    plain = parse_progression("C | Am7 | F/A | G")
    for text in (f"{sign}C | Am7 | F/A | G", f"C{sign} | A{sign}m7 | F/{sign}A |{sign} G{sign}"):
        assert parse_progression(text) == plain


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("C//// F////", "C F"),
        ("| C//// | F//// |", "C | F"),
        ("C/// F///", "C F"),
        ("| C/// F// G// |", "| C / / F / G / |"),
        ("Am=>F => G", "Am F G"),
        ("Am->F ⇒ G ➔ C", "Am F G C"),
        ("C↓ G↑ Am ↓↑ F", "C G Am F"),
    ],
)
def test_strokes_and_arrows_as_guitarists_write_them(text, same_as) -> None:
    assert parse_progression(text).items == parse_progression(same_as).items
