"""Charts and spellings of musicians of many habits: iReal, Real Book, Nashville, German, French, Brazilian."""

from __future__ import annotations

import contextlib
import time
from fractions import Fraction

import pytest

from engine.music import Chord, Key, MusicError, parse_progression

# written -> chords with bars
CHARTS = {
    "Cm7 | F7 | Bb^7 | Eb^7 | Ah7 | D7b13 | G-6 | %": "Cm7 F7 A#maj7 D#maj7 Am7b5 D7b13 Gm6 Gm6",
    "{*A D-7 |G7 |C^7 |x }": "Dm7 G7 Cmaj7 Cmaj7 Dm7 G7 Cmaj7 Cmaj7",
    "| Dm7 G7 | Cmaj7 | % | % |": "Dm7:1/2 G7:1/2 Cmaj7 Cmaj7 Cmaj7",
    "| Dm7 / G7 / | C |": "Dm7:1/2 G7:1/2 C",
    "| C . . . | F . G . |": "C F:1/2 G:1/2",
    "C . . . F . . .": "C F",
    "C... F...": "C F",
    "| C.. F.. | G |": "C:1/2 F:1/2 G",
    "𝄆 C | F 𝄇": "C F C F",
    "C-Δ Am^ C07 B0": "CmMaj7 AmMaj7 Cdim7 Bdim",
    "||: Am | F | C | G :||": "Am F C G Am F C G",
    "| C | 1. F :| 2. G |": "C F C G",
    "|: C | [1. F :| [2. G ||": "C F C G",
    "Intro: C G\nVerse 1: Am F C G\nChorus: F G C C": "C G Am F C G F G C C",
    "[Intro]\nC G Am F\n\n[Verse]\nC G Am F": "C G Am F C G Am F",
    "A: | Dm7 | G7 | C |\nB: | Am7 | D7 | G |": "Dm7 G7 C Am7 D7 G",
    "[A] | C | F |\n[B] | G | C |": "C F G C",
    "C\nAm\nF\nG": "C Am F G",
    "C, Am, F, G7": "C Am F G7",
    "C; Am; F; G": "C Am F G",
    "C . Am . F . G": "C Am F G",
    "C | Am | F | G |": "C Am F G",
    "Key: C\n| C | F |": "C F",
    "Key of G: G D Em C": "G D Em C",
    "Capo 2\nG D Em C": "G D Em C",
    "120 bpm\nC F": "C F",
    "3/4 | Am | E7 |": "Am E7",
    "4/4: | C | F |": "C F",
    "| C  G/B | Am  Am/G | F  C/E | Dm7  G7 |": "C:1/2 G/B:1/2 Am:1/2 Am/G:1/2 F:1/2 C/E:1/2 Dm7:1/2 G7:1/2",
    "| C(add9) | Am7(11) |": "Cadd9 Am7add11",
    "| C | N.C. | NC |": "C N.C. N.C.",
    "C x4 F x4": "C C C C F F F F",
    "C (x4)": "C C C C",
    "(C F)x4": "C F C F C F C F",
    "[C F] x 2": "C F C F",
    "| C | F | D.C.": "C F",
    "| C | F | G | C | Fine": "C F G C",
    "| C | F | (repeat)": "C F",
    "Am7 D7 | Gmaj7": "Am7:1/2 D7:1/2 Gmaj7",
    "| Am7 - D7 - | Gmaj7 - - - |": "Am7:1/2 D7:1/2 Gmaj7",
    "| Am7 , D7 | Gmaj7 |": "Am7:1/2 D7:1/2 Gmaj7",
    "| C ~ ~ ~ | F |": "C F",
    "| C _ | F |": "C F",
    "| C (F) | G |": "C:1/2 F:1/2 G",
    "C→F→G→C": "C F G C",
    "C › F › G": "C F G",
    "C • F • G": "C F G",
    "C·F·G": "C F G",
    "| C^7 | C6 | D-7 | G7 |": "Cmaj7 C6 Dm7 G7",
    "| Ebmaj7#11 | % | Dm11 | G13(b9) |": "D#maj7#11 D#maj7#11 Dm11 G13b9",
    "| F#ø7 | B7alt | Em(maj7) | Em6 |": "F#m7b5 B7alt EmMaj7 Em6",
    "Dm7\tG7\tCmaj7": "Dm7 G7 Cmaj7",
    "C / G / Am / F": "C G Am F",
    "C  /  /  /  | F / / / ": "C F",
    "| C | C/Bb | F/A | Fm/Ab |": "C C/A# F/A Fm/G#",
    "| C | H7 | Em | Fis7 |": "C B7 Em F#7",
    "Es B As Es": "D# A# G# D#",
    "H Fis Gism E": "B F# G#m E",
    "a E7 a d": "Am E7 Am Dm",
    "Am F C H7": "Am F C B7",
    "fis cis D E": "F#m C#m D E",
    "Es Bb F": "D# A# F",
    "B Es F7 B": "A# D# F7 A#",
    "Hm7b5 E7 Am": "Bm7b5 E7 Am",
    "| Gm | D/Fis | Es/G | B |": "Gm D/F# D#/G A#",
    "Asus4 A Dsus4 D": "Asus4 A Dsus4 D",
    "Esus4 E": "Esus4 E",
    "As Asus4": "G# Asus4",
    "Do Sol Lam Fa": "C G Am F",
    "Do La m Fa Sol7": "C Am F G7",
    "Ré m | Sol7 | Do": "Dm G7 C",
    "Sib Fa/La Solm Do7": "A# F/A Gm C7",
    "mim lam re sol": "Em Am D G",
    "Fa#m7b5 Si7 Mim": "F#m7b5 B7 Em",
    "DO FA SOL": "C F G",
    "Do mineur Fa majeur": "Cm F",
    "DOm7 FA7 SIb7M": "Cm7 F7 A#maj7",
    "C7M Am7 Dm7 G7/9": "Cmaj7 Am7 Dm7 G9",
    "C7M(9) F7/13 Bb7(#11)": "Cmaj9 F7add13 A#7#11",
    "Bm7(b5) E7(b9) Am7M": "Bm7b5 E7b9 AmMaj7",
    "C6/9 A7/b13": "C6/9 A7b13",
    "C major | A minor | F | G7": "C Am F G7",
    "C maj7 A min7": "Cmaj7 Am7",
    "F♯m7♭5 B7♯9 Em": "F#m7b5 B7#9 Em",
    "C△7 F△7 B∅7 E7": "Cmaj7 Fmaj7 Bm7b5 E7",
}
# written, key -> chords with bars
DEGREES = {
    ("I - IV - V - I", "C"): "C F G C",
    ("I-IV-V-I", "G"): "G C D G",
    ("ii-V-I", "C"): "Dm G C",
    ("ii–V–I", "C"): "Dm G C",
    ("iim7 V7 Imaj7", "F"): "Gm7 C7 Fmaj7",
    ("ii ø7 V7 i", "Am"): "Bm7b5 E7 Am",
    ("iiø7 V7b9 i", "Am"): "Bm7b5 E7b9 Am",
    ("ii6/5 V4/2 I6/4", "C"): "Dm7/F G7/F C/G",
    ("ii65 V7 I", "C"): "Dm7/F G7 C",
    ("I64 V7 I", "C"): "C/G G7 C",
    ("V65/V V I", "C"): "D7/F# G C",
    ("V7/ii ii V7 I", "C"): "A7 Dm G7 C",
    ("viio7/V V", "C"): "F#dim7 G",
    ("vii°7 i", "Am"): "G#dim7 Am",
    ("bVII bVI V", "Am"): "G F E",
    ("N6 V7 i", "Am"): "A#/D E7 Am",
    ("Ger+6 V i", "Am"): "F7 E Am",
    ("Fr6 V I", "C"): "G#7b5 G C",
    ("Imaj7 vi7 ii7 V7", "Bb"): "A#maj7 Gm7 Cm7 F7",
    ("I^7 VI7 II-7 V7", "C"): "Cmaj7 A7 Dm7 G7",
    ("| I | IV V | I |", "D"): "D G:1/2 A:1/2 D",
    ("I vi7 IVadd9 Vsus4", "C"): "C Am7 Fadd9 Gsus4",
    ("i bVI bIII bVII", "Cm"): "Cm G# D# A#",
    ("i VI III VII", "Cm"): "Cm G# D# A#",
    ("I iii IV iv I", "C"): "C Em F Fm C",
    ("I V/7 vi I/5 IV", "C"): "C G/B Am C/G F",
    ("1 4 5 1", "A"): "A D E A",
    ("1 5 6m 4", "E"): "E B C#m A",
    ("1 | 5/7 | 6- | 4", "C"): "C G/B Am F",
    ("1 - 4 - 5", "C"): "C F G",
    ("1-4-5", "C"): "C F G",
    ("1 2- 5 1", "C"): "C Dm G C",
    ("1maj7 2-7 57 1^", "C"): "Cmaj7 Dm7 G7 Cmaj7",
    ("4Δ 3-7 6-7", "C"): "Fmaj7 Em7 Am7",
    ("b7 4 1", "G"): "F C G",
    ("1/3 4 5sus 5", "C"): "C/E F Gsus4 G",
    ("#4o7 1/5", "C"): "F#dim7 C/G",
    ("6- 2-7 57 1", "C"): "Am Dm7 G7 C",
    ("I. IV. V.", "C"): "C F G",
    ("I, IV, V", "C"): "C F G",
    ("I | vi | IV | V :| x2", "C"): "C Am F G C Am F G",
    ("IIm7 V7 IM7", "C"): "Dm7 G7 Cmaj7",
    ("Im IVm V7", "Am"): "Am Dm E7",
    ("bIIIM7 bVIM7", "C"): "D#maj7 G#maj7",
}
# one chord -> its tones as semitones above the root, in one octave
SYMBOLS = {
    "C^7": "0 4 7 11",
    "C^": "0 4 7 11",
    "C^9": "0 2 4 7 11",
    "C^13": "0 2 4 7 9 11",
    "C^7#11": "0 4 6 7 11",
    "C-7": "0 3 7 10",
    "C-": "0 3 7",
    "C-^7": "0 3 7 11",
    "C-6": "0 3 7 9",
    "C-9": "0 2 3 7 10",
    "C-11": "0 2 3 5 7 10",
    "C-7b5": "0 3 6 10",
    "Ch7": "0 3 6 10",
    "Ch": "0 3 6 10",
    "Co7": "0 3 6 9",
    "Co": "0 3 6",
    "C7b9": "0 1 4 7 10",
    "C7#9": "0 3 4 7 10",
    "C7b9#11": "0 1 4 6 7 10",
    "C7#11": "0 4 6 7 10",
    "C7b13": "0 4 7 8 10",
    "C13": "0 2 4 7 9 10",
    "C13b9": "0 1 4 7 9 10",
    "C13#11": "0 2 4 6 7 9 10",
    "C7sus": "0 5 7 10",
    "C9sus": "0 2 5 7 10",
    "C13sus": "0 2 5 7 9 10",
    "C7susadd3": "0 4 5 7 10",
    "C7b9sus": "0 1 5 7 10",
    "C7alt": "0 1 3 4 8 10",
    "Csus": "0 5 7",
    "C5": "0 7",
    "C6": "0 4 7 9",
    "C69": "0 2 4 7 9",
    "C6/9": "0 2 4 7 9",
    "C+": "0 4 8",
    "C7+": "0 4 8 10",
    "C+7": "0 4 8 10",
    "Caug7": "0 4 8 10",
    "C^7#5": "0 4 8 11",
    "C7#5": "0 4 8 10",
    "C7b5": "0 4 6 10",
    "C9#5": "0 2 4 8 10",
    "C9b5": "0 2 4 6 10",
    "C7#5#9": "0 3 4 8 10",
    "C7b5b9": "0 1 4 6 10",
    "C7#9#5": "0 3 4 8 10",
    "C7(#9,b13)": "0 3 4 7 8 10",
    "C7(b9 b13)": "0 1 4 7 8 10",
    "C7(b9/13)": "0 1 4 7 9 10",
    "CΔ": "0 4 7 11",
    "CΔ7": "0 4 7 11",
    "C△7": "0 4 7 11",
    "CΔ9": "0 2 4 7 11",
    "C∆7": "0 4 7 11",
    "Cø": "0 3 6 10",
    "Cø7": "0 3 6 10",
    "CØ": "0 3 6 10",
    "C°": "0 3 6",
    "C°7": "0 3 6 9",
    "Cº7": "0 3 6 9",
    "C−7": "0 3 7 10",
    "C–7": "0 3 7 10",
    "C‑7": "0 3 7 10",
    "CM7": "0 4 7 11",
    "CMaj7": "0 4 7 11",
    "CMAJ7": "0 4 7 11",
    "Cma7": "0 4 7 11",
    "Cmaj": "0 4 7",
    "CM": "0 4 7",
    "Cj7": "0 4 7 11",
    "Cmaj7": "0 4 7 11",
    "Cmin": "0 3 7",
    "Cmi": "0 3 7",
    "Cmi7": "0 3 7 10",
    "Cmin7": "0 3 7 10",
    "CMin7": "0 3 7 10",
    "CMI7": "0 3 7 10",
    "Cmin7b5": "0 3 6 10",
    "Cmi7(b5)": "0 3 6 10",
    "Cm7-5": "0 3 6 10",
    "Cm7♭5": "0 3 6 10",
    "C7-5": "0 4 6 10",
    "C7+5": "0 4 8 10",
    "C7-9": "0 1 4 7 10",
    "C7+9": "0 3 4 7 10",
    "C7(b9)": "0 1 4 7 10",
    "C7(♭9)": "0 1 4 7 10",
    "C7(♯9)": "0 3 4 7 10",
    "Cmin(maj7)": "0 3 7 11",
    "CmM7": "0 3 7 11",
    "Cm(maj7)": "0 3 7 11",
    "CmMaj7": "0 3 7 11",
    "Cm/maj7": "0 3 7 11",
    "Cm+7": "0 3 7 11",
    "Cm(add9)": "0 2 3 7",
    "Cmadd9": "0 2 3 7",
    "Cadd9": "0 2 4 7",
    "C(add9)": "0 2 4 7",
    "Cadd2": "0 2 4 7",
    "Cadd4": "0 4 5 7",
    "Cadd11": "0 4 5 7",
    "C(add#11)": "0 4 6 7",
    "Csus2": "0 2 7",
    "Csus4": "0 5 7",
    "Csus24": "0 2 5 7",
    "Csus2sus4": "0 2 5 7",
    "C7sus4": "0 5 7 10",
    "C7sus2": "0 2 7 10",
    "Cmaj7sus4": "0 5 7 11",
    "Cm6": "0 3 7 9",
    "Cm69": "0 2 3 7 9",
    "Cm6/9": "0 2 3 7 9",
    "Cm9": "0 2 3 7 10",
    "Cm11": "0 2 3 5 7 10",
    "Cm13": "0 2 3 7 9 10",
    "Cmaj9": "0 2 4 7 11",
    "Cmaj13": "0 2 4 7 9 11",
    "Cmaj7#11": "0 4 6 7 11",
    "Cmaj7(#11)": "0 4 6 7 11",
    "Cmaj9#11": "0 2 4 6 7 11",
    "Cmaj7b5": "0 4 6 11",
    "Cmaj7#5": "0 4 8 11",
    "C11": "0 2 5 7 10",
    "C9": "0 2 4 7 10",
    "C9sus4": "0 2 5 7 10",
    "C13sus4": "0 2 5 7 9 10",
    "C7omit3": "0 7 10",
    "C(no3)": "0 7",
    "Cno3": "0 7",
    "C(no5)": "0 4",
    "C7no5": "0 4 10",
    "C5/G": "0 7",
    "Cdim": "0 3 6",
    "Cdim7": "0 3 6 9",
    "Cdim9": "0 2 3 6 9",
    "Cm7dim5": "0 3 6 10",
    "Caug": "0 4 8",
    "C/E": "0 4 7",
    "C/Bb": "0 4 7",
    "Am7/G": "0 3 7 10",
    "F#m7b5/E": "0 3 6 10",
    "Bb/C": "0 4 7",
    "C\\E": "0 4 7",
    "C/e": "0 4 7",
    "Dm7/G": "0 3 7 10",
    "D/F♯": "0 4 7",
    "B♭maj7": "0 4 7 11",
    "E♭": "0 4 7",
    "F♯m": "0 3 7",
    "A♭7": "0 4 7 10",
    "Bbb": "0 4 7",
    "F##m": "0 3 7",
    "Cb": "0 4 7",
    "E#dim": "0 3 6",
    "am": "0 3 7",
    "f#m7": "0 3 7 10",
    "H": "0 4 7",
    "Hm": "0 3 7",
    "H7": "0 4 7 10",
    "Fis": "0 4 7",
    "Fism": "0 3 7",
    "Cis7": "0 4 7 10",
    "Es": "0 4 7",
    "As": "0 4 7",
    "Asm": "0 3 7",
    "Des": "0 4 7",
    "Ges7": "0 4 7 10",
    "Gis": "0 4 7",
    "Dis": "0 4 7",
    "Esmaj7": "0 4 7 11",
    "Hm7b5": "0 3 6 10",
    "Es/G": "0 4 7",
    "A/Cis": "0 4 7",
    "Dom": "0 3 7",
    "Sol7": "0 4 7 10",
    "Lam": "0 3 7",
    "Lam7": "0 3 7 10",
    "Fa#m": "0 3 7",
    "Sib": "0 4 7",
    "Mib7": "0 4 7 10",
    "Ré": "0 4 7",
    "Rém": "0 3 7",
    "Rem": "0 3 7",
    "Si": "0 4 7",
    "Sim7b5": "0 3 6 10",
    "Re-": "0 3 7",
    "SOL": "0 4 7",
    "Sol-7": "0 3 7 10",
    "Solb": "0 4 7",
    "Fadièse": "0 4 7",
    "Do#m": "0 3 7",
    "N.C.": "",
    "NC": "",
    "n.c.": "",
    "N.C": "",
}


def expected(text: str) -> list[tuple[Chord, Fraction]]:
    items = []
    for word in text.split():
        chord, colon, bars = word.rpartition(":")
        items.append((Chord.parse(chord), Fraction(bars)) if colon else (Chord.parse(word), Fraction(1)))
    return items


@pytest.mark.parametrize("text", CHARTS)
def test_charts_as_people_write_them(text) -> None:
    found = parse_progression(text)
    assert [(item.chord, item.bars) for item in found.items] == expected(CHARTS[text])


@pytest.mark.parametrize(("text", "key"), DEGREES)
def test_degrees_as_people_write_them(text, key) -> None:
    found = parse_progression(text, key=Key.parse(key))
    assert [(item.chord, item.bars) for item in found.items] == expected(DEGREES[text, key])


@pytest.mark.parametrize("text", SYMBOLS)
def test_symbols_as_people_write_them(text) -> None:
    tones = sorted({tone % 12 for tone in Chord.parse(text).intervals()})
    assert tones == [int(word) for word in SYMBOLS[text].split()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Es B As", "'B' is read as German, B flat"),
        ("C H7 Em", "H is B here"),
        ("C / G / Am / F", "as separators"),
        ("Key: C\n| C | F |", "passed over"),
        ("[A] | C | F |", "passed over"),
        ("| C | F | D.C. al Fine", "passed over"),
    ],
)
def test_what_was_decided_is_said(text, words) -> None:
    assert words in " ".join(parse_progression(text).readings)


def test_letters_win_over_syllables_and_names_where_both_can_be_read() -> None:
    assert parse_progression("Do Fadd9 Asus4 Es").chords[:3] == tuple(map(Chord.parse, ("Ddim", "Fadd9", "Asus4")))
    assert parse_progression("Do Fa Sol").chords == tuple(map(Chord.parse, ("C", "F", "G")))
    assert parse_progression("Bb Es B").chords[2] == Chord.parse("B")  # `Bb` is not German


@pytest.mark.parametrize(
    "blank",
    [" ", "\t", "\n", "\u3000", "\n ", "( ", "|", "x ", "key ", "C-", "- ", "(", "#9b9", "(b9)", "/C", "% ", "C x99 "],
)
def test_no_text_takes_long(blank) -> None:
    """The session's thread reads progressions: 20 ms of its time for the longest text that is taken."""
    text = ("C" + blank * 4096)[:4096] if blank.strip() and blank[0] != "C" else (blank * 4096)[:4096]
    took_s = []
    for _ in range(5):  # the least of them: a collection of garbage or a busy neighbour is no matter here
        begun_s = time.thread_time()
        with contextlib.suppress(MusicError):
            parse_progression(text)
        took_s.append(time.thread_time() - begun_s)
    assert min(took_s) < 0.02


@pytest.mark.parametrize("text", ["C-,-" * 1000, "Am7 " * 500, "| F#m7b5 B7 " * 250 + "|"])
def test_a_chord_that_stands_there_a_thousand_times_is_read_once(text, monkeypatch) -> None:
    read, parse = [], Chord.parse
    monkeypatch.setattr(Chord, "parse", lambda text, **more: read.append(text) or parse(text, **more))
    with contextlib.suppress(MusicError):
        parse_progression(text)
    assert len(read) <= 4


def test_signs_that_hold_a_chord_add_up() -> None:
    assert [(str(item.chord), item.bars) for item in parse_progression("C % % F / / % G").items] == [
        ("C", Fraction(9, 4)), ("F", Fraction(7, 4)), ("G", Fraction(1, 4)),
    ]  # fmt: skip
