from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.arrange import Arrangement, arrange
from engine.arrange.rhythm import build_grid
from engine.midifile import (
    Marker,
    composition_markers,
    read_midi,
    read_tempo_map,
    write_events,
    write_midi,
    write_parts,
)
from engine.music import (
    DEFAULT_CHANNELS,
    Chord,
    Composition,
    Controller,
    Cut,
    Film,
    FrameRate,
    Hit,
    Key,
    MusicError,
    Note,
    Slot,
    TempoMap,
    TimeSignature,
    UserError,
)


def composition(tempo_map=None, seconds=24.0, key=None, **extra):
    tempo_map = tempo_map or TempoMap.constant(97)
    random_ = random.Random(7)
    chords = [Chord.parse(text) for text in ("Am", "F", "C", "G7", "Dm7", "E7", "Bm7b5", "C/E")]
    slots = tuple(
        Slot(
            slot.index, slot.start_s, slot.end_s, slot.start_beats, slot.end_beats,
            chords[slot.index // 2 % len(chords)], random_.uniform(0, 25), random_.uniform(0.02, 0.36),
        )
        for slot in build_grid("beats", tempo_map, seconds)
    )  # fmt: skip
    film = Film("clip.mp4", seconds, FrameRate(Fraction(24)))
    cuts = (Cut(3.25), Cut(9.5, 0.6, "dissolve"))
    return Composition(1, film, tempo_map, slots, key or Key.parse("A minor"), cuts=cuts, **extra)


@pytest.fixture
def written(tmp_path):
    tempo_map = TempoMap.of([(0, 97), (16, 120.5)], [(0, TimeSignature(4, 4)), (16, TimeSignature(7, 8))])
    work = composition(tempo_map, hits=(Hit(5.0, "must", "door"),))
    arrangement = arrange(work)
    path = tmp_path / "sub" / "cue.mid"
    write_midi(path, work, arrangement)
    return path, work, arrangement


def same_notes(found, expected):
    return sorted((n.pitch, n.velocity, round(n.start_beats * 960), n.channel) for n in found) == sorted(
        (n.pitch, n.velocity, round(n.start_beats * 960), n.channel) for n in expected
    )


def test_reading_gives_what_was_written(written):
    path, work, arrangement = written
    score = read_midi(path)
    assert same_notes(score.notes, arrangement.notes)
    lengths = sorted((n.pitch, n.start_beats, n.length_beats) for n in score.notes)
    for got, note in zip(
        lengths, sorted(arrangement.notes, key=lambda n: (n.pitch, n.start_beats, n.length_beats)), strict=True
    ):
        assert got[2] == pytest.approx(note.length_beats, abs=2 / 960)
    assert sorted((c.number, c.value, c.time_beats, c.part) for c in score.controllers) == sorted(
        (c.number, c.value, c.time_beats, c.part) for c in arrangement.controllers
    )
    assert score.key == work.key
    assert score.tempo_map == work.tempo_map
    assert score.tracks[0] == "clip take A"
    assert score.tracks[1:] == ("Pad", "Arp", "Bass", "Melody", "Drums")[: len(score.tracks) - 1]
    texts = [marker.text for marker in score.markers]
    assert texts.count("cut 1") == texts.count("dissolve 2") == texts.count("hit door") == 1
    changes = [marker for marker in score.markers if marker.text[0] in "ABCDEFG" and "cut" not in marker.text]
    assert [marker.text for marker in changes][:4] == ["Am", "F", "C", "G7"]
    cut = next(marker for marker in score.markers if marker.text == "cut 1")
    assert work.tempo_map.seconds_at(cut.beats) == pytest.approx(3.25, abs=0.001)


def test_other_programs_read_the_same_notes(written):
    pretty_midi = pytest.importorskip("pretty_midi")
    music21 = pytest.importorskip("music21")
    path, work, arrangement = written
    pretty = pretty_midi.PrettyMIDI(str(path))
    found = sorted((note.pitch, note.velocity, note.start) for track in pretty.instruments for note in track.notes)
    expected = sorted(
        (note.pitch, note.velocity, work.tempo_map.seconds_at(note.start_beats)) for note in arrangement.notes
    )
    assert len(found) == len(expected)
    for (pitch, velocity, start), (wanted, wanted_velocity, wanted_start) in zip(found, expected, strict=True):
        assert (pitch, velocity) == (wanted, wanted_velocity)
        assert start == pytest.approx(wanted_start, abs=0.0015)
    score = music21.converter.parse(str(path), quantizePost=False, forceSource=True)
    read, drums = Counter(), Counter()
    for part in score.parts:
        for element in part.flatten().notes:
            for note in element.notes if isinstance(element, music21.chord.ChordBase) else [element]:
                if note.tie is not None and note.tie.type != "start":
                    continue
                if isinstance(note, music21.note.Unpitched):
                    drums[round(float(element.offset), 3)] += 1
                else:
                    read[(note.pitch.midi, round(float(element.offset), 3))] += 1
    pitched = [note for note in arrangement.notes if note.part != "drums"]
    assert read == Counter((note.pitch, round(note.start_beats, 3)) for note in pitched)
    assert drums == Counter(round(note.start_beats, 3) for note in arrangement.notes if note.part == "drums")
    signatures = [(s.numerator, s.denominator) for s in score.parts[0].recurse().getElementsByClass("TimeSignature")]
    assert (4, 4) in signatures and (7, 8) in signatures


def test_a_part_alone_and_a_file_per_part(tmp_path, written):
    _, work, arrangement = written
    write_midi(tmp_path / "bass.mid", work, arrangement, parts=("bass",))
    score = read_midi(tmp_path / "bass.mid")
    assert {note.part for note in score.notes} == {"bass"}
    paths = write_parts(tmp_path, "1m1_v03", work, arrangement)
    assert [path.name for path in paths][:3] == ["1m1_v03_pad.mid", "1m1_v03_arp.mid", "1m1_v03_bass.mid"]
    assert sum(len(read_midi(path).notes) for path in paths) == len(arrangement.notes)


def test_before_bar_1(tmp_path):
    work = composition(TempoMap.constant(120, origin_s=3))  # the picture begins six beats before bar 1
    arrangement = arrange(work)
    assert arrangement.notes[0].start_beats == -6
    write_midi(tmp_path / "a.mid", work, arrangement)
    score = read_midi(tmp_path / "a.mid")
    assert score.notes[0].start_beats == 2  # the file begins with the bar at beat -8
    assert score.tempo_map.bpm_at(0) == 120


def test_nothing_is_left_aside_and_errors_are_sentences(tmp_path, written):
    path, work, arrangement = written
    assert [entry.name for entry in path.parent.iterdir()] == ["cue.mid"]
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(UserError, match="cannot be written"):
        write_midi(tmp_path / "file" / "x.mid", work, arrangement)
    with pytest.raises(MusicError, match="not a MIDI file"):
        (tmp_path / "no.mid").write_bytes(b"MThd nonsense")
        read_midi(tmp_path / "no.mid")
    with pytest.raises(MusicError, match="not a MIDI file"):
        (tmp_path / "empty.mid").write_bytes(b"")
        read_midi(tmp_path / "empty.mid")
    with pytest.raises(MusicError, match="cannot be read"):
        read_midi(tmp_path / "absent.mid")


def test_tempo_map_of_another_program(tmp_path):
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0))
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(97.3), time=0))
    track.append(mido.MetaMessage("set_tempo", tempo=500000, time=480 * 6))
    file.tracks.append(track)
    file.save(tmp_path / "map.mid")
    tempo_map = read_tempo_map(tmp_path / "map.mid")
    assert tempo_map == TempoMap.of([(0, 97.3), (6, 120)], [(0, TimeSignature(3, 4))])


def test_events_that_were_sent(tmp_path):
    tempo_map = TempoMap.of([(0, 60), (4, 120)])
    events = [
        (0.0, 100.0, 0xB0, 1, 64, 0),
        (1.0, 101.0, 0x90, 60, 80, 0),
        (2.0, 102.0, 0x80, 60, 0, 0),
        (4.0, 104.0, 0x99, 36, 100, 0),
        (4.5, 104.5, 0x99, 36, 0, 0),  # a note-on of velocity 0 ends
        (5.0, 105.0, 0x91, 72, 70, 0),  # never ended: until the last event
        (6.0, 106.0, 0xB0, 123, 0, 0),  # panic is no part of the music
    ]
    count = write_events(tmp_path / "live.mid", events, tempo_map, key=Key.parse("C"), markers=[Marker(4, "C")])
    assert count == 3
    score = read_midi(tmp_path / "live.mid")
    assert [(n.pitch, n.velocity, n.start_beats, n.length_beats, n.channel, n.part) for n in score.notes] == [
        (60, 80, 1.0, 1.0, 1, "pad"),
        (36, 100, 4.0, 1.0, 10, "drums"),
        (72, 70, 6.0, 2.0, 2, "arp"),
    ]
    assert [(c.number, c.value) for c in score.controllers] == [(1, 64)]
    assert score.markers == (Marker(4.0, "C"),)
    assert score.tempo_map == tempo_map


def test_events_of_a_loop_count_once(tmp_path):
    tempo_map = TempoMap.constant(60)
    events = []
    for turn in range(3):
        host = 10.0 * turn
        events += [
            (1.0, host + 1, 0x90, 60, 80 + turn, 0),
            (1.5, host + 1.5, 0x80, 60, 0, 0),
            (3.5, host + 3.5, 0x90, 64, 80, 0),
            (0.0, host + 4.0, 0x80, 64, 0, 0),  # the wrap ends it
        ]
    assert write_events(tmp_path / "loop.mid", events, tempo_map) == 2
    notes = read_midi(tmp_path / "loop.mid").notes
    assert [(n.pitch, n.velocity, n.start_beats, n.length_beats) for n in notes] == [
        (60, 82, 1.0, 0.5),
        (64, 80, 3.5, 0.5),
    ]


def test_an_arrangement_sent_and_recorded_is_the_same_file(tmp_path):
    work = composition()
    arrangement = arrange(work)
    events = []
    for note in arrangement.notes:
        start, end = (work.tempo_map.seconds_at(beats) for beats in (note.start_beats, note.end_beats))
        events.append((start, 1, 0x90 | (note.channel - 1), note.pitch, note.velocity))
        events.append((end, 0, 0x80 | (note.channel - 1), note.pitch, 0))
    events.sort(key=lambda event: (round(event[0], 6), event[1]))
    sent = [(s, s, status, pitch, velocity, 0) for s, _, status, pitch, velocity in events]
    assert write_events(tmp_path / "sent.mid", sent, work.tempo_map) == len(arrangement.notes)
    assert same_notes(read_midi(tmp_path / "sent.mid").notes, arrangement.notes)


def test_markers_of_cues_and_keys_with_flats():
    work = composition(key=Key.parse("Bb"))
    assert any(marker.text == "Bm7b5" for marker in composition_markers(work))
    assert not any("In" in marker.text for marker in composition_markers(work))


def test_empty_arrangement(tmp_path):
    work = composition()
    write_midi(tmp_path / "e.mid", work, Arrangement())
    assert read_midi(tmp_path / "e.mid").notes == ()
    assert DEFAULT_CHANNELS["drums"] == 10
    one = Arrangement((Note(60, 1, 0.0, 0.0001, 1, "pad"),), (Controller(1, 3, 0.0, 1, "pad"),))
    write_midi(tmp_path / "one.mid", work, one)
    assert read_midi(tmp_path / "one.mid").notes[0].length_beats == 1 / 960


# files as DAWs tolerate them ----------------------------------------------------------------------------------------
HEAD = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0"
TEMPO = b"\x00\xff\x51\x03\x07\xa1\x20"  # 120 bpm
NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x00"
END = b"\x00\xff\x2f\x00"


def track(body):
    return b"MTrk" + len(body).to_bytes(4, "big") + body


ODD_FILES = {
    "odd key signature": HEAD + track(b"\x00\xff\x59\x02\xfe\xff" + TEMPO + NOTE + END),
    "key signature of one byte": HEAD + track(b"\x00\xff\x59\x01\x00" + TEMPO + NOTE + END),
    "SysEx of 8-bit data": HEAD + track(b"\x00\xf0\x05\x41\xff\x90\x99\xf7" + TEMPO + NOTE + END),
    "SysEx in pieces": HEAD + track(b"\x00\xf0\x02\x41\x10\x00\xf7\x03\x01\x02\xf7" + TEMPO + NOTE + END),
    "unknown chunk": HEAD + b"XFIH\x00\x00\x00\x03abc" + track(TEMPO + NOTE + END),
    "unknown meta": HEAD + track(b"\x00\xff\x60\x02ab\x00\xff\x7f\x03\x00\x41\x01" + TEMPO + NOTE + END),
    "meter of two bytes": HEAD + track(b"\x00\xff\x58\x02\x04\x02" + TEMPO + NOTE + END),
    "tempo of zero": HEAD + track(b"\x00\xff\x51\x03\x00\x00\x00" + TEMPO + NOTE + END),
    "no end of track": HEAD + track(TEMPO + NOTE),
    "length of the track too long": HEAD + b"MTrk\x00\x00\xff\xff" + TEMPO + NOTE + END,
    "bytes after the last track": HEAD + track(TEMPO + NOTE + END) + b"\x00\x00",
    "velocity over 127": HEAD + track(TEMPO + b"\x00\x90\x3c\xc0\x83\x60\x80\x3c\x00" + END),
    "header of eight bytes": b"MThd\x00\x00\x00\x08" + HEAD[8:] + b"\x00\x00" + track(TEMPO + NOTE + END),
    "RMID": b"RIFF\x00\x00\x00\x00RMIDdata"
    + (len(HEAD) + len(track(TEMPO + NOTE + END))).to_bytes(4, "little")
    + HEAD
    + track(TEMPO + NOTE + END),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_what_is_not_needed_refuses_no_file(name, tmp_path):
    path = tmp_path / "odd.mid"
    path.write_bytes(ODD_FILES[name])
    score = read_midi(path)
    assert [(note.pitch, note.start_beats, note.length_beats) for note in score.notes] == [(60, 0.0, 1.0)]
    assert read_tempo_map(path).bpm_at(0.0) == 120


def test_a_long_time_before_what_is_left_out_is_kept(tmp_path):
    path = tmp_path / "late.mid"
    path.write_bytes(HEAD + track(TEMPO + b"\x83\x60\xff\x59\x02\xfe\xff" + NOTE + END))
    assert read_midi(path).notes[0].start_beats == 1.0


@examples(300)
@given(st.binary(max_size=200), st.integers(0, 120))
def test_any_bytes_are_a_file_or_one_sentence(rubbish, at):
    whole = ODD_FILES["SysEx of 8-bit data"]
    for data in (rubbish, whole[:at] + rubbish + whole[at:], whole[:at]):
        with tempfile.NamedTemporaryFile(suffix=".mid") as file:
            file.write(data)
            file.flush()
            try:
                read_midi(file.name)
                read_tempo_map(file.name)
            except MusicError as error:
                assert "\n" not in str(error)


def test_names_keep_their_letters(tmp_path):
    path = tmp_path / "tür.mid"
    events = [(0.0, 0.0, 0x90, 60, 80, 0), (0.5, 0.5, 0x80, 60, 0, 0)]
    write_events(path, events, TempoMap.constant(120), markers=[Marker(0.0, "Tür 門\n")], title="Überfall")
    assert read_midi(path).markers[0].text == "Tür 門"
    assert "Tür".encode() in path.read_bytes()


def test_a_pipe_is_refused_at_once_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.mid"
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="regular file"):
        read_tempo_map(pipe)


def test_parts_on_one_channel_never_sound_a_pitch_twice() -> None:
    """Many instruments end both notes at the first note-off."""
    from engine.midifile import one_at_a_time

    def note(start: float, length: float, velocity: int, part: str, pitch: int = 60, channel: int = 1) -> Note:
        return Note(pitch, velocity, start, length, channel, part)

    pad, arp = note(0.0, 4.0, 50, "pad"), note(1.0, 0.5, 90, "arp")
    other = note(0.5, 4.0, 50, "bass", channel=2)
    assert one_at_a_time([pad, arp, other]) == [replace(pad, length_beats=959 / 960), arp, other]
    together = note(0.0, 1.0, 90, "arp")
    assert one_at_a_time([pad, together]) == [replace(together, length_beats=4.0)]
    assert one_at_a_time([pad, note(4.0, 1.0, 1, "pad")]) == [pad, note(4.0, 1.0, 1, "pad")]
