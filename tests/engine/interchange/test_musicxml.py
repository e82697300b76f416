"""MusicXML is read back by another library and compared with what was to be written."""

import warnings
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pieces import compose

from engine.arrange import arrange
from engine.interchange.musicxml import musicxml, rounded, written_notes
from engine.interchange.piece import Piece
from engine.music import Cue, Hit, Note, Section, TempoMap, TimeSignature

METERS = [TimeSignature.parse(text) for text in ("4/4", "7/8", "3/4")]
NAMES = {"Lead sheet": "melody", "Pad": "pad", "Arpeggio": "arp", "Bass": "bass", "Drums": "drums"}


@pytest.fixture(scope="module")
def piece():
    composition = compose(
        "C C Am7 Am7 F/A F/A G7 G7 Dm9 Bb", seconds=20.0, key="Eb",
        tempo_map=TempoMap.of([(0, 97), (16, 120)], [(0, METERS[0]), (8, METERS[1]), (15, METERS[2])]),
        cues=(Cue("1m1", 0.0, 18.0, sections=(Section(4.0, (), "Chase"),)),), hits=(Hit(5.0, "must", "door"),),
    )  # fmt: skip
    return Piece(composition, arrange(composition))


@pytest.fixture(scope="module")
def files(piece, tmp_path_factory):
    path = tmp_path_factory.mktemp("score") / "score.musicxml"
    path.write_bytes(musicxml(piece))
    return path


def read_back(path):
    """By partitura: of each part (onset, length, pitch), ties joined; onset in quarters from the first bar."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import partitura

        score = partitura.load_musicxml(path)
    found = {}
    for part in score:
        rows = part.note_array() if list(part.notes) else []
        found[NAMES[part.part_name]] = sorted(
            (Fraction(float(r["onset_quarter"])).limit_denominator(96), int(r["pitch"]),
             Fraction(float(r["duration_quarter"])).limit_denominator(96))
            for r in rows
        )  # fmt: skip
    return score, found


def as_written(notes, part):
    """The notes that the rule of the writer gives, ties joined."""
    open_at, result = {}, []
    for each in written_notes([note for note in notes if note.part == part], sustained=part == "pad"):
        for pitch in each.pitches:
            start = open_at.pop(pitch) if pitch in each.held else each.start
            if pitch in each.holds:
                open_at[pitch] = start
            else:
                result.append((start, pitch, each.end - start))
    return sorted(result)


def test_another_library_reads_the_same_notes(piece, files):
    _, found = read_back(files)
    for part in ("pad", "arp", "bass"):
        assert found[part] == as_written(piece.notes, part), part
    assert sum(map(len, found.values())) > 40


def test_chord_symbols_meters_keys_and_words(piece, files):
    from music21 import converter, expressions, harmony, key, meter, tempo

    score = converter.parse(files)
    sheet = score.parts[0]
    symbols = [each.figure for each in sheet.recurse().getElementsByClass(harmony.ChordSymbol)]
    roots = [each.root().name for each in sheet.recurse().getElementsByClass(harmony.ChordSymbol)]
    assert roots[:5] == ["C", "A", "F", "G", "D"] and len(symbols) >= 6
    basses = [each.bass().name for each in sheet.recurse().getElementsByClass(harmony.ChordSymbol)]
    assert basses[2] == "A"
    meters = [each.ratioString for each in sheet.recurse().getElementsByClass(meter.TimeSignature)]
    assert meters == ["4/4", "7/8", "3/4"]
    assert [each.sharps for each in sheet.recurse().getElementsByClass(key.KeySignature)] == [-3]
    assert [each.number for each in sheet.recurse().getElementsByClass(tempo.MetronomeMark)] == [97, 120]
    marks = [each.content for each in sheet.recurse().getElementsByClass(expressions.RehearsalMark)]
    texts = [each.content for each in sheet.recurse().getElementsByClass(expressions.TextExpression)]
    assert marks == ["Chase"] and any("door!" in text for text in texts)
    for part in score.parts:
        for bar in part.getElementsByClass("Measure"):
            assert bar.duration.quarterLength == bar.barDuration.quarterLength, (part.partName, bar.number)


notes = st.lists(
    st.builds(
        lambda pitch, start, length: Note(pitch, 80, start / 24, length / 24, 1, "pad"),
        st.integers(40, 50), st.integers(-200, 400), st.integers(1, 200),
    ),
    min_size=1, max_size=24,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(notes, st.booleans())
def test_what_is_written_is_one_row_that_holds_every_onset(notes, sustained):
    row = written_notes(notes, sustained=sustained)
    for first, second in pairwise(row):
        assert first.end == second.start and first.start < first.end
        if sustained:
            assert first.holds == second.held, "a tie that begins ends"
    struck = {(each.start, pitch) for each in row for pitch in each.pitches if pitch not in each.held}
    assert struck == {(rounded(note.start_beats), note.pitch) for note in notes}
    assert not row[0].held and not row[-1].holds
