"""MusicXML is read back by another library and compared with what was to be written."""

import warnings
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pieces import compose
from profiles import examples

from engine.arrange import arrange
from engine.interchange.musicxml import KINDS, _Sheet, chord_kind, musicxml, rounded, written_notes
from engine.interchange.piece import Piece
from engine.music import Chord, Cue, Hit, Key, Note, Section, TempoMap, TempoMark, TimeSignature, marked
from engine.music.chord import split_root
from engine.music.chord_type import read_chord_type

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


@examples(3)
@given(st.floats(3.0, 6.0), st.sampled_from([97.0, 88.6, 120.0]), st.booleans())
@example(5.0, 108.3, False)
@example(4.0775, 97.0, True)
def test_a_cue_whose_bars_begin_anywhere_is_written(in_s, bpm, changes_tempo):
    """Its first bar need not lie on a sixteenth of the bars before it: every bar is as long as its time signature says,
    the cue begins a bar, and its notes lie in it as they are played."""
    mark = TempoMark(in_s, 111.0 if changes_tempo else None, True)
    tempo_map = marked(TempoMap.constant(bpm), [mark], 0.0)
    composition = compose(
        "C C Am7 Am7 F/A F/A G7 G7", seconds=10.0, tempo_map=tempo_map,
        cues=(Cue("1m1", 0.0, in_s - 0.5), Cue("1m2", in_s, 9.0, in_s)),
    )  # fmt: skip
    whole = Piece(composition, arrange(composition))
    root = ElementTree.fromstring(musicxml(whole))
    begins = tempo_map.bar_start(tempo_map.bar_at(tempo_map.beats_at(in_s) + 1e-3))
    for part in root.iter("part"):
        meter, divisions, at, lines = None, 0, Fraction(0), []
        for measure in part.iter("measure"):
            divisions = int(measure.findtext("attributes/divisions") or 0) or divisions
            if measure.find("attributes/time") is not None:
                meter = TimeSignature.parse("/".join(each.text for each in measure.find("attributes/time")))
            lines.append(at)
            rows = [each for each in measure.iter("note") if each.find("chord") is None]
            length = sum((Fraction(int(each.findtext("duration")), divisions) for each in rows), Fraction(0))
            assert length == meter.bar_beats, (measure.get("number"), length)
            at += length
        assert min(abs(float(line - begins)) for line in lines) < 0.126
    low, high = float(begins), tempo_map.beats_at(9.0)
    sheet = _Sheet(whole)
    shift = sheet.place(low)
    for note in whole.notes:
        if low <= note.start_beats < high and (note.start_beats - low) % 0.25 < 1e-6:
            assert sheet.place(note.start_beats) - shift == rounded(note.start_beats - low), note


WIDE = "C6/9 Cmaj7#11 C13sus4 C7alt Cm11 C13 CmMaj7 C9 Cadd9 C5 Cm7b5 C7b9 Cdim7 C7#5 C9sus4/Bb Cm6 Cmaj13 C7#9b13"
DOMINANT = {2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 10, 9: 14, 11: 17, 13: 21}


def tones(harmony):
    """Pitch classes above the root of a <harmony>, by the specification: its kind, then degree by degree."""
    degrees = [(each.findtext("degree-type"), int(each.findtext("degree-value")), int(each.findtext("degree-alter")))
               for each in harmony.iter("degree")]  # fmt: skip
    return sounding(harmony.findtext("kind"), degrees)


def sounding(kind, degrees):
    found = [KINDS[kind].copy()]
    for what, degree, alter in degrees:
        if what == "add":
            found.append({degree: DOMINANT[degree] + alter})
        elif what == "alter":
            found[0][degree] += alter
        else:
            del found[0][degree]
    return {tone % 12 for row in found for tone in row.values()}


@pytest.mark.parametrize("key", ["C", "Gb"])
def test_wide_chords_are_written_with_all_their_tones(key):
    """Of every type that the program plays, by the specification and by the library that wrote it."""
    from music21 import converter, harmony

    shift = Key.parse(key).tonic
    chords = [Chord.parse(text).transpose(shift) for text in WIDE.split()]
    composition = compose(" ".join(map(str, chords)), key=key, seconds=float(len(chords)))
    data = musicxml(Piece(composition, arrange(composition)))
    rows = list(ElementTree.fromstring(data).iter("harmony"))
    assert len(rows) == len(chords)
    for row, chord in zip(rows, chords, strict=True):
        assert tones(row) == {tone % 12 for tone in chord.intervals()}, chord
        name = composition.spell(chord)
        assert name.startswith(row.findtext("root/root-step"))
        shown = row.find("kind").get("text") or ""
        assert shown == split_root(name.rpartition("/")[0] if chord.bass is not None else name)[1]
    read = list(converter.parseData(data).recurse().getElementsByClass(harmony.ChordSymbol))
    for symbol, chord in zip(read, chords, strict=True):
        wanted = set(chord.pitch_classes()) | ({chord.bass} if chord.bass is not None else set())
        assert {pitch.pitchClass for pitch in symbol.pitches} == wanted, chord


def test_every_chord_type_that_can_be_written_has_its_tones():
    heads = ("", *"m maj7 7 9 11 13 m7 m9 m11 dim dim7 aug sus4 sus2 6 6/9 m6 mMaj7 5 maj9 7sus4 13sus4 m7b5".split())  # noqa: SIM905
    words = ("", "b5", "#5", "b9", "#9", "#11", "b13", "add9", "add11", "add13", "no3", "no5", "add#11", "add2")
    types = {read_chord_type(head + one + two) for head in heads for one in words for two in words} - {None}
    assert len(types) > 300
    for each in types:
        assert sounding(*chord_kind(each.intervals)) == {tone % 12 for tone in each.intervals}, each


def test_kinds_are_plain_where_they_can_be():
    for text, wanted in (("C", "major"), ("Cm9", "minor-ninth"), ("C7", "dominant"), ("Cm7b5", "half-diminished")):
        assert chord_kind(Chord.parse(text).intervals()) == (wanted, ())
    assert chord_kind(Chord.parse("Cmaj7#11").intervals()) == ("major-seventh", (("add", 11, 1),))


notes = st.lists(
    st.builds(
        lambda pitch, start, length: Note(pitch, 80, start / 24, length / 24, 1, "pad"),
        st.integers(40, 50), st.integers(-200, 400), st.integers(1, 200),
    ),
    min_size=1, max_size=24,
)  # fmt: skip


@examples(150)
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
