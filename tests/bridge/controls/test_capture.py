"""What is played on the control port becomes chords, pedals and themes: by the shipped networks, on the clip."""

from __future__ import annotations

import pytest
from golden import stored
from livelab import CLIP

from engine.arrange.score import arrange_whole
from engine.document.compare import plan_of
from engine.music import MusicError
from engine.music.played_chord import played_chord


@pytest.fixture
def live(tmp_path):
    with stored.live(str(CLIP), "--form", "auto", "--ensemble", "piano", folder=tmp_path, network=True) as stage:
        stage.folder = tmp_path
        stage.osc("/cue/capture", True)
        yield stage


def steps(stage) -> int:
    return stage.osc("/cue/edits")[2]


def bar_of(stage, at_s):
    """First and last picture second of a bar."""
    tempo_map, starts_s = stage.session.tempo_map, stage.session.starts_s
    bar = tempo_map.bar_at(tempo_map.beats_at(at_s + starts_s) + 1e-6)
    return [tempo_map.seconds_at(float(tempo_map.bar_start(each))) - starts_s for each in (bar, bar + 1)]


def pad_in(stage, low_s, high_s):
    low, high = stage.session.beats_at(low_s), stage.session.beats_at(high_s)
    notes = arrange_whole(stage.session.score()).notes
    return sorted({note.pitch for note in notes if note.part == "pad" and low - 1e-3 <= note.start_beats < high - 1e-3})


@pytest.mark.parametrize(
    ("pitches", "name"),
    [
        ((60, 64, 67), "C"), ((52, 60, 67, 72), "C/E"), ((57, 60, 64, 67), "Am7"), ((59, 62, 65, 69), "Bm7b5"),
        ((48, 53, 55), "Csus4"), ((53, 57, 60, 64, 67), "Fmaj9"), ((43, 60, 64, 67, 69), "Am7/G"),
        ((50, 60, 64, 67), "Cadd9/D"), ((61, 65, 68, 71), "C#7"),
    ],
)  # fmt: skip
def test_a_chord_is_read_from_its_pitches(pitches, name) -> None:
    assert str(played_chord(pitches)) == name


def test_two_tones_are_no_chord() -> None:
    with pytest.raises(MusicError, match="three"):
        played_chord((48, 60, 67))


def test_a_chord_that_is_held_is_the_bars_with_its_voicing_and_one_undo(live) -> None:
    live.osc("/cue/locate", 6.3)
    low_s, high_s = bar_of(live, 6.3)
    before, pins = steps(live), live.session.document.pins
    notes = arrange_whole(live.session.score()).notes
    held = (50, 62, 69, 77)  # D F A, wide
    live.play_on_control_port([(0.0, pitch, 0.8) for pitch in held])
    live.run(0.5)
    live.ready()
    assert steps(live) == before + 1
    (pin,) = [each for each in live.session.document.pins if each not in pins]
    assert str(pin.chord) == "Dm" and pin.voicing == held
    assert (pin.start_s, pin.end_s) == (pytest.approx(low_s, abs=0.08), pytest.approx(high_s, abs=0.08))
    assert pad_in(live, pin.start_s, pin.end_s) == list(held)
    live.osc("/cue/undo")
    live.ready()
    assert live.session.document.pins == pins and arrange_whole(live.session.score()).notes == notes


def test_a_chord_is_taken_once_in_a_loop_and_the_next_hold_replaces_it(live) -> None:
    low_s, high_s = bar_of(live, 6.3)
    live.osc("/cue/loop", True, low_s, high_s)
    live.osc("/cue/locate", low_s)
    live.osc("/cue/play")
    live.run(0.6)
    before = steps(live)
    live.play_on_control_port([(0.0, pitch, high_s - low_s + 1.0) for pitch in (55, 59, 62)])
    assert steps(live) == before + 1  # however long it was held
    live.play_on_control_port([(0.0, pitch, 0.6) for pitch in (57, 60, 64, 67)])
    live.run(0.5)
    assert steps(live) == before + 2
    inside = [pin for pin in live.session.document.pins if low_s - 0.1 <= pin.start_s < high_s - 0.1]
    assert [str(pin.chord) for pin in inside] == ["Am7"] and inside[0].voicing == (57, 60, 64, 67)
    live.osc("/cue/stop")


def test_a_low_note_held_alone_is_a_pedal_under_the_section(live) -> None:
    live.osc("/cue/locate", 3.0)
    section = plan_of(live.session.document, 0).section_at(3.0)
    before = [str(block.chord).partition("/")[0] for block in live.session.document.blocks(0.0, section.end_s - 0.01)]
    count = steps(live)
    live.play_on_control_port([(0.0, 36, 1.0)])
    live.ready()
    assert steps(live) == count + 1
    chords = [block.chord for block in live.session.document.blocks(0.0, section.end_s - 0.01)]
    assert [str(chord).partition("/")[0] for chord in chords] == before  # the chords stay
    assert all((chord.root if chord.bass is None else chord.bass) == 0 for chord in chords)
    later = live.session.document.blocks(section.end_s + 0.01, 1e9)
    assert any((block.chord.root if block.chord.bass is None else block.chord.bass) != 0 for block in later)
    live.osc("/cue/undo")


def test_a_phrase_and_a_rest_are_the_theme(live) -> None:
    beat, tonic = 60 / live.session.tempo_map.bpm_at(0), 60 + live.session.document.result.key.tonic
    count = steps(live)
    live.play_on_control_port([(place * beat, tonic + step, 0.9 * beat) for place, step in enumerate((0, 7, 5, 4))])
    assert steps(live) == count
    live.run(2.0)
    live.ready()
    assert steps(live) == count + 1 and live.osc("/cue/theme")[0]
    steps_of = [note.step for note in plan_of(live.session.document, 0).theme.notes]
    assert steps_of[0] == 0 and steps_of[1] == 4
    live.osc("/cue/undo")


def test_what_is_less_than_that_is_nothing_and_off_is_off(live) -> None:
    count = steps(live)
    live.play_on_control_port([(0.0, 72, 0.3), (0.5, 74, 0.3)])  # two notes are no phrase
    live.run(2.0)
    live.play_on_control_port([(0.0, 60, 0.1), (0.0, 64, 0.1), (0.0, 67, 0.1)])  # struck, not held
    live.run(2.0)
    live.osc("/cue/capture", False)
    live.play_on_control_port([(0.0, pitch, 1.0) for pitch in (60, 64, 67)])
    live.run(1.0)
    assert steps(live) == count


def test_it_can_be_asked_for_over_osc_and_is_kept_in_the_file(live) -> None:
    from bridge.session.file.autosave import saved_state
    from engine.document.file import SessionWriter, read_session, write_session

    live.osc("/cue/chords/play", "50 62 69 77", 6.3)
    live.osc("/cue/pedal", "G", 20.0)
    live.ready()
    for words in (("/cue/chords/play", "60 64"), ("/cue/chords/play", "x"), ("/cue/pedal", "H"),
                  ("/cue/chords/play", "60 64 67", 9000.0)):  # fmt: skip
        with pytest.raises(AssertionError):
            live.osc(*words)
        assert live.refused[-1][1] == "bad_value"
    path = live.folder / "played.cuebridge.json"
    saved = saved_state(live.session, "0" * 64)
    write_session(path, SessionWriter().encode(saved, path))
    back = read_session(path)
    assert back.steps[back.index].document.pins == live.session.document.pins
    assert any(pin.voicing for pin in back.steps[back.index].document.pins)
