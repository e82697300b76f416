"""Keys and progressions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import QUALITIES, Chord, Key, MusicError, Progression, ProgressionItem, parse_progression
from engine.music.key import key_reading

keys = st.builds(Key, st.integers(0, 11), st.sampled_from(["major", "minor"]))
chords = st.builds(Chord, st.integers(0, 11), st.sampled_from(QUALITIES), st.one_of(st.none(), st.integers(0, 11)))
lengths = st.one_of(
    st.integers(1, 16).map(Fraction), st.builds(Fraction, st.integers(1, 31), st.sampled_from([2, 3, 4, 8]))
)
progressions = st.lists(st.builds(ProgressionItem, chords, lengths), min_size=1, max_size=12).map(
    lambda items: Progression(tuple(items))
)


@pytest.mark.parametrize(
    ("text", "name"),
    [("C", "C major"), ("Am", "A minor"), ("a", "A minor"), ("F# minor", "F# minor"), ("Gb", "Gb major"),
     ("bb", "Bb minor"), ("Bb:maj", "Bb major"), ("Eb_min", "Eb minor"), ("D#m", "D# minor"), ("C MAJOR", "C major")],
)  # fmt: skip
def test_reads_keys_with_enharmonics(text, name):
    assert Key.parse(text).name == name


@pytest.mark.parametrize(
    "text", ["X major", "J", "", "C doric", "minor", "J major", "ti", "Hx", "key of Hx", "B flat doric"]
)
def test_key_errors_name_the_text(text):
    with pytest.raises(MusicError, match=f"'{text}' is not a key"):
        Key.parse(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [("B-Dur", "Bb major"), ("b-moll", "Bb minor"), ("H-Dur", "B major"), ("h-Moll", "B minor"), ("Es-Dur", "Eb major"),
     ("fis-Moll", "F# minor"), ("As Dur", "Ab major"), ("cis-moll", "C# minor"), ("si bémol majeur", "Bb major"),
     ("Do majeur", "C major"), ("fa dièse mineur", "F# minor"), ("la mineur", "A minor"), ("Sol♭ majeur", "Gb major"),
     ("D dorian", "D minor"), ("F# lydian", "F# major"), ("Bb Mixolydian", "Bb major"), ("e phrygian", "E minor"),
     ("A harmonic minor", "A minor"), ("A aeolian", "A minor")],
)  # fmt: skip
def test_reads_german_and_french_words_and_modes(text, name):
    assert Key.parse(text).name == name


def test_what_a_key_is_taken_as_is_said_where_it_matters():
    assert "Bb major" in key_reading("B-Dur")
    assert "D minor" in key_reading("D dorian")
    assert key_reading("Am") == key_reading("h-Moll") == key_reading("A aeolian") == ""


@given(keys)
def test_keys_round_trip_and_move_material_home(key):
    assert Key.parse(key.name) == key
    assert Key.parse(key.short_name) == key
    reference = 9 if key.is_minor else 0
    assert (reference + key.semitones_from_reference) % 12 == key.tonic
    assert -6 <= key.semitones_from_reference <= 5
    assert len(set(key.scale())) == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C Am F G", [("C", 1), ("Am", 1), ("F", 1), ("G", 1)]),
        ("Cm:2 Ab:1", [("Cm", 2), ("Ab", 1)]),
        ("Cm:1/2 Ab:0.5", [("Cm", Fraction(1, 2)), ("Ab", Fraction(1, 2))]),
        (
            "| Cm | Ab | Eb Bb/D | G7 |",
            [("Cm", 1), ("Ab", 1), ("Eb", Fraction(1, 2)), ("Bb/D", Fraction(1, 2)), ("G7", 1)],
        ),
        ("Cm | | G", [("Cm", 2), ("G", 1)]),
        ("| C % | F |", [("C", Fraction(1, 2)), ("C", Fraction(1, 2)), ("F", 1)]),
        ("A:min7 G:7 C:maj:7 D:-7", [("Am7", 1), ("G7", 1), ("C", 7), ("Dm7", 1)]),
        ("N C", [("N", 1), ("C", 1)]),
    ],
)
def test_reads_the_three_notations(text, expected):
    progression = parse_progression(text)
    assert [(item.chord, item.bars) for item in progression.items] == [(Chord.parse(c), b) for c, b in expected]


@pytest.mark.parametrize("text", ["C J7 F", "C Am:0", "", "| | C |", "% C", "C:1/0", "Q"])
def test_progression_errors_are_one_sentence(text):
    with pytest.raises(MusicError) as caught:
        parse_progression(text)
    assert "\n" not in str(caught.value)


def test_progression_error_names_the_token_not_the_whole_line():
    with pytest.raises(MusicError, match="'J7'"):
        parse_progression("C Am J7 G")


@pytest.mark.parametrize("text", ["C:1000000", "C:inf", "C:-1", "Am:0.00001", "C:1e5"])
def test_a_wrong_number_of_bars_is_called_that(text):
    with pytest.raises(MusicError, match="bars"):
        parse_progression(text)


@given(progressions)
def test_progressions_round_trip(progression):
    assert parse_progression(str(progression)) == progression


@given(progressions, st.integers(-11, 11))
def test_progressions_transpose_back(progression, semitones):
    assert progression.transpose(semitones).transpose(-semitones) == progression


def test_chord_at_follows_mode():
    start = parse_progression("C Am:2 F")
    assert [str(start.chord_at(Fraction(bar, 2))) for bar in range(8)] == ["C", "C", "Am", "Am", "Am", "Am", "F", "F"]
    assert start.chord_at(Fraction(4)) is None
    assert str(parse_progression("C Am", "loop").chord_at(Fraction(5))) == "Am"
    assert start.chord_at(Fraction(-1)) is None


@given(st.text(alphabet="ABCDEFGHabm7#/:| .%2\t", max_size=40))
def test_any_text_is_a_progression_or_one_sentence(text):
    try:
        assert parse_progression(text).items
    except MusicError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ("B flat major;B-flat major;Bb;b flat major;key of Bb;Si bémol majeur;sib majeur;Si bemolle maggiore;B-Dur;"
         "Si bemol mayor;Sib", "Bb major"),
        ("F sharp minor;F-Sharp Minor;F#m;f#;Fa dièse mineur;fa diesis minore;Fa sostenido menor;fis-Moll;F#-;F♯ minor",
         "F# minor"),
        ("G-;Gm;g;Sol mineur;sol menor;g-Moll;in G minor;Key: G minor", "G minor"),
        ("H;H-Dur;H major;B;si majeur;Si maggiore;Si", "B major"),
        ("Hm;h;h-moll;H minor;B minor;si mineur;si minore;the key of B minor", "B minor"),
        ("C;C major key;key of C;in C;Do;do majeur;Dó maior;ut majeur;C-Dur", "C major"),
        ("E flat;E♭;Mi bémol;Es-Dur;Mib majeur", "Eb major"),
    ],
)  # fmt: skip
def test_a_key_is_read_in_the_words_that_people_use(texts: str, name: str) -> None:
    assert {text: Key.parse(text).name for text in texts.split(";")} == dict.fromkeys(texts.split(";"), name)


@pytest.mark.parametrize("text", ["G-", "H", "Hm", "Mi bémol", "La"])
def test_a_key_that_can_be_read_in_two_ways_says_which_was_taken(text: str) -> None:
    assert Key.parse(text).name in key_reading(text)


@pytest.mark.parametrize("text", ["", "key of", "Hello", "flat", "in", "sharp minor", "-", "auto", "Domino"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MusicError):
        Key.parse(text)
