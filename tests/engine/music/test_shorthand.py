"""Charts of songbooks and copied pages: what touches, how chords are struck, short forms of other languages."""

from __future__ import annotations

import pytest

from engine.music import Chord, Key, MusicError, parse_progression

# written -> chords with bars
CHARTS = {
    # a repeat or an ending that touches its chord
    "|:Am|F|C|G:|": "Am F C G Am F C G",
    "||:Am F|C G:||": "Am:1/2 F:1/2 C:1/2 G:1/2 Am:1/2 F:1/2 C:1/2 G:1/2",
    "|:Am|F|C|G:|x3": "Am F C G Am F C G Am F C G",
    "|:Am|F:| |:Dm|G:|": "Am F Am F Dm G Dm G",
    "|:C |F :||: G | Am:|": "C F C F G Am G Am",
    "|:Am|F|[1.C|G:|[2.F|G|": "Am F C G Am F F G",
    "G:1 C:2 | F": "G:1/3 C:2/3 F",
    # the name of a section between bar lines is no bar
    "A: | C | G | B: | F | C |": "C G F C",
    "| A: | C | | F | B: | G |": "C:2 F G",
    "| [Verse] | C | F | [Chorus] | G | C |": "C F G C",
    "[A1] Cm7 | F7\n[A2] Bb | Eb": "Cm7 F7 Bb Eb",
    "Dm7 [G7] Cmaj7": "Dm7 G7 Cmaj7",
    "[A2]\nE": "Asus2 E",
    # words that are sung on names of notes
    "{title: Test}\n{key: G}\n[G]La la [D]la": "G D",
    "{t:Song}\n{soc}\n[C]la [F]la\n{eoc}": "C F",
    "C  Am  F  G\nLa la  la la  la": "C Am F G",
    "la fa do sol": "A F C G",
    # what stands around
    "e|---0---|\nB|---1---|\nG|---0---|\nD|---2---|\nA|---3---|\nE|-------|\nC G Am F": "C G Am F",
    "A | - | - | - |\nD | G": "A:4 D G",
    "A | D | E\nD | A | E": "A D E D A E",
    "A | E |\nE | A |\nB7 | E |": "A E E A B7 E",
    "A | C |\nB | G |\nA | F |": "C G F",
    "Chords: C G Am F": "C G Am F",
    "♩=120 C F G": "C F G",
    "| C | ― | F | 〃 |": "C:2 F F",
    # how a chord is struck
    "<C> <F> <G>": "C F G",
    "◇C | F": "C F",
    # other languages
    "Dó Sol Lám Fá": "C G Am F",
    "Dó7M | Lám7 | Ré m7 | Sol 7": "Cmaj7 Am7 Dm7 G7",
    "Do maj7 | La m7 | Ré m7 | Sol 7": "Cmaj7 Am7 Dm7 G7",
    "Sib7+ Mib7+ Fa7": "Bbmaj7 Ebmaj7 F7",
    "Hm7 E7 A7maj D7maj": "Bm7 E7 Amaj7 Dmaj7",
    "C-major A-minor": "C Am",
    "FonG | Cmaj7onE | G": "F/G Cmaj7/E G",
    "C Δ | F Δ9": "Cmaj7 Fmaj9",
    "Dm⁷⁽♭⁵⁾ | G⁷": "Dm7b5 G7",
    "Ｃ　Ａｍ　Ｆ　Ｇ７": "C Am F G7",
    "｜Ｃ｜Ａｍ７（♭５）｜": "C Am7b5",
}

DEGREES = {
    ("<1> 4 5 <1>", "D"): "D G A D",
    ("◇1 4 | 5", "D"): "D:1/2 G:1/2 A",
    ("1 >4 5 1", "E"): "E A B E",
    ("<'4> 5 1 (1 5)", "C"): "F G C C G",
}

SYMBOLS = {
    "Bm7(5-)": "Bm7b5",
    "E7(9-)": "E7b9",
    "G7(9-)(13-)": "G7b9b13",
    "C7(9-/13)": "C13b9",
    "A7(5+)": "A7#5",
    "F#m7(5-)/E": "F#m7b5/E",
    "C7M(9)": "Cmaj9",
    "A7Maj": "Amaj7",
    "ConE": "C/E",
    "AmonG": "Am/G",
}


def read(text: str, key: str | None = None) -> list[tuple[Chord, object]]:
    found = parse_progression(text, key=None if key is None else Key.parse(key))
    return [(item.chord, item.bars) for item in found.items]


def expected(text: str) -> list[tuple[Chord, object]]:
    """`C:1/2` is a chord for half a bar."""
    from fractions import Fraction

    rows = [word.partition(":") for word in text.split()]
    return [(Chord.parse(name), Fraction(bars or 1)) for name, _, bars in rows]


@pytest.mark.parametrize("text", CHARTS)
def test_charts_as_they_are_copied(text) -> None:
    assert read(text) == expected(CHARTS[text])


@pytest.mark.parametrize(("text", "key"), DEGREES)
def test_numbers_with_the_way_they_are_struck(text, key) -> None:
    assert read(text, key) == expected(DEGREES[text, key])


@pytest.mark.parametrize("text", SYMBOLS)
def test_symbols_in_short_forms_of_other_countries(text) -> None:
    assert Chord.parse(text) == Chord.parse(SYMBOLS[text])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C7+ F", "'C7+' is read with a raised fifth"),
        ("Sib7+ Fa7", "'Sib7+' is read as a major seventh"),
        ("C2 F4", "'C2' is read as Csus2; write C:2 for a length"),
        ("C(2) F", "'C(2)' is read as Csus2"),
        ("<1> 4", "'< >' is passed over"),
        ("A | C |\nB | G |", "'A, B at the beginning of lines' is passed over"),
        ("e|--0--|\nC G", "'e|--0--|' is passed over"),
    ],
)
def test_of_two_readings_the_one_that_was_taken_is_said(text, words) -> None:
    assert words in " ".join(parse_progression(text).readings)


@pytest.mark.parametrize("text", ["|:Am|F|C|G:|", "Cmaj7 F", "Csus4 F", "C7#5 F", "FonG C"])
def test_where_there_is_one_reading_nothing_is_said(text) -> None:
    assert not parse_progression(text).readings


@pytest.mark.parametrize("text", ["C/D/E", "Eb/C7", "ConF7", "C on E", "<C", "C7(4-)", "C7maj9"])
def test_what_is_no_chord_is_refused(text) -> None:
    with pytest.raises(MusicError):
        parse_progression(text)
