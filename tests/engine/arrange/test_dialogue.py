"""Room for speech: what is played inside lines, and that nothing else changes."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import compose, compositions, melody_share
from profiles import examples

from engine.arrange import ArrangeOptions, arrange
from engine.arrange.arranger import Arranger
from engine.arrange.dialogue import FIRST_WORD_S
from engine.arrange.drums import CRASH, TOMS
from engine.arrange.options import from_settings
from engine.arrange.parts import ACCENT
from engine.music import Cue, Hit, MusicError, controls
from engine.music.speech import MAX_TEXT, merged, parse_speech, speech_text

TEXT = "2.5-5 8.1-12.4 13-14"
LINES = parse_speech(TEXT)


@pytest.fixture(scope="module")
def piece():
    return compose("C C Am Am F F G7 G7 Dm7 Dm7", seconds=24.0, density=14.0)


def options(mode, text=TEXT):
    return ArrangeOptions(leave_room=mode, speech=text)


def inside(composition, beats):
    at = composition.picture_at_beats(beats) + 1e-6
    return any(start <= at < end for start, end in LINES)


@pytest.mark.parametrize("mode", ["gentle", "strict"])
def test_no_tune_begins_in_a_line(mode, piece):
    plain, made = arrange(piece), arrange(piece, options(mode))
    assert melody_share(plain.notes, piece, LINES) > 0.25
    assert melody_share(made.notes, piece, LINES) == 0.0
    assert any(note.part == "melody" for note in made.notes)


def test_short_attacks_stay_away_and_the_rest_is_softer(piece):
    plain, gentle, strict = (arrange(piece, options(mode)).notes for mode in ("off", "gentle", "strict"))

    def attacks(notes):
        return sum(n.part == "arp" and n.length_beats < 1 and inside(piece, n.start_beats) for n in notes)

    assert attacks(plain) > attacks(gentle) > attacks(strict) == 0
    loud = []
    for notes in (plain, gentle, strict):
        loud.append(max((n.velocity for n in notes if inside(piece, n.start_beats)), default=0))
    assert loud[0] > loud[1] > loud[2] > 0


@pytest.mark.parametrize("mode", ["gentle", "strict"])
def test_no_chord_changes_under_a_first_word(mode, piece):
    for note in arrange(piece, options(mode)).notes:
        if note.part in ("pad", "bass", "arp", "melody"):
            at = piece.picture_at_beats(note.start_beats) + 1e-6
            assert not any(start <= at < min(start + FIRST_WORD_S, end) for start, end in LINES)


def test_held_tones_keep_out_of_the_voice(piece):
    notes = [n for n in arrange(piece, options("strict")).notes if n.part == "pad"]
    spoken = [n for n in notes if inside(piece, n.start_beats) and inside(piece, n.start_beats + 0.9)]
    assert all(not 52 <= n.pitch <= 79 for n in spoken)
    assert [n for n in notes if 52 <= n.pitch <= 79], "outside lines the pad is as it was"


def in_force(changes, part, number, beats):
    """A controller's value at a place."""
    values = [each.value for each in changes if (each.part, each.number) == (part, number)
              and each.time_beats <= beats + 1e-6]  # fmt: skip
    return values[-1] if values else None


@pytest.mark.parametrize("mode", ["gentle", "strict"])
def test_the_wheel_is_lower_all_through_a_line_and_back_after_it(mode, piece):
    plain, made = arrange(piece).controllers, arrange(piece, options(mode)).controllers
    met = set()
    for step in range(int(piece.beats_at_picture(24.0) * 8)):
        beats = step / 8 + 0.01
        for part in ("pad", "arp", "bass", "melody"):
            before, after = in_force(plain, part, 1, beats), in_force(made, part, 1, beats)
            if before is None or before < 4:
                continue
            spoken = inside(piece, beats)
            met.add(spoken)
            assert after < before if spoken else after == before, (part, beats)
    assert met == {True, False}
    assert [each for each in plain if each.number != 1] == [each for each in made if each.number != 1]


@pytest.mark.parametrize("part", ["pad", "arp", "bass", "melody", "drums"])
def test_no_attack_shorter_than_a_beat_and_no_fill_in_a_line(part, piece):
    """Strict: of any part; gentle: no drum fill, no arpeggio off the beat."""
    plain = [n for n in arrange(piece).notes if n.part == part and inside(piece, n.start_beats)]
    notes = [n for n in arrange(piece, options("strict")).notes if n.part == part]
    assert plain and not [n for n in notes if n.length_beats < 1 and inside(piece, n.start_beats)]
    gentle = [n for n in arrange(piece, options("gentle")).notes if inside(piece, n.start_beats)]
    assert not [n for n in gentle if n.part == "drums" and n.pitch in TOMS]
    off = [n for n in gentle if n.part in ("arp", "drums") and abs(n.start_beats - round(n.start_beats)) > 0.06]
    assert not [n for n in off if n.length_beats < 1]


def test_nothing_is_held_in_the_voice_by_any_part(piece):
    for note in arrange(piece, options("strict")).notes:
        if note.part != "drums" and 52 <= note.pitch <= 79:
            low, high = piece.picture_at_beats(note.start_beats), piece.picture_at_beats(note.end_beats)
            spoken_s = sum(max(0.0, min(high, end) - max(low, start)) for start, end in LINES)
            assert spoken_s < 0.5, "a beat at 120 bpm"


def accented(piece, mode, text):
    """(beats, crash?, loudest velocity against the same without hits) of the hits of a piece."""
    notes = arrange(piece, options(mode, text)).notes
    return {round(n.start_beats, 3) for n in notes if n.part == "drums" and n.pitch == CRASH}


HITS = (4.0, 6.0, 9.0, 12.5, 15.0, 20.0)


@pytest.fixture(scope="module")
def marked():
    """Hits on beats at 120 bpm, the one at 9 s a must."""
    return compose(
        "C C Am Am F F G7 G7", seconds=24.0, density=22.0, loudness=0.3,
        hits=tuple(Hit(at_s, "must" if at_s == 9.0 else "should") for at_s in HITS),
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["gentle", "strict"])
def test_one_accent_in_a_gap_and_none_in_a_line_or_a_short_gap(mode, marked):
    """Lines 1 to 3.5, 10 to 12, 13 to 14.5, 15.5 to 17: of the gap from 3.5 to 10 the must stays; 12 to 13 and 14.5 to
    15.5 are no gaps; what comes after the last line is none either."""
    text = "1-3.5 10-12 13-14.5 15.5-17"
    plain, made = accented(marked, "off", ""), accented(marked, mode, text)
    wanted = {round(marked.beats_at_picture(at_s), 3) for at_s in (9.0, 20.0)}
    every = {round(marked.beats_at_picture(at_s), 3) for at_s in HITS}
    assert every <= plain
    assert made & every == wanted
    loud = {n.start_beats: n.velocity for n in arrange(marked).notes if n.part == "bass"}
    soft = {n.start_beats: n.velocity for n in arrange(marked, options(mode, text)).notes if n.part == "bass"}
    quiet = marked.beats_at_picture(4.0)
    assert (
        soft[quiet] == loud[quiet] - ACCENT and soft[marked.beats_at_picture(9.0)] == loud[marked.beats_at_picture(9.0)]
    )


def test_a_long_stretch_without_speech_keeps_its_accents(marked):
    plain, made = accented(marked, "off", ""), accented(marked, "strict", "1-2 22-23")
    assert made >= {round(marked.beats_at_picture(at_s), 3) for at_s in HITS} and made <= plain


@examples(25)
@given(compositions(), st.sampled_from(["gentle", "strict"]), st.data())
def test_pieces_are_the_whole_and_no_pitch_sounds_twice(composition, mode, data):
    start = data.draw(st.floats(0, composition.film.duration_s - 1))
    chosen = options(mode, f"{start:.3f}-{start + data.draw(st.floats(0.2, 6)):.3f}")
    arranger = Arranger(composition, chosen)
    whole = arranger.arrange()
    cut = data.draw(st.floats(arranger.start_beats, max(arranger.end_beats, arranger.start_beats + 1)))
    cut = round(cut * 4) / 4
    first = arranger.arrange(None, cut)
    second = arranger.arrange(cut, None, first.state)
    assert sorted((*first.notes, *second.notes), key=repr) == sorted(whole.notes, key=repr)
    assert sorted((*first.controllers, *second.controllers), key=repr) == sorted(whole.controllers, key=repr)
    by_key: dict = {}
    for note in whole.notes:
        by_key.setdefault((note.channel, note.pitch), []).append(note)
    plain: dict = {}
    for note in arrange(composition).notes:
        plain.setdefault((note.channel, note.pitch), []).append(note)

    def twice(rows):
        return sum(a.end_beats > b.start_beats + 1e-6 for row in rows.values() for a, b in pairwise(row))

    assert twice(by_key) <= twice(plain)


@pytest.mark.parametrize("mode", ["gentle", "strict"])
@pytest.mark.parametrize("chords", ["C C C C C C C C C C", "C N N N N N N N N N", "C C C C N N N C C C"])
def test_a_cue_sends_nothing_again_of_the_cue_before(chords, mode):
    """Lines end between cues, in a cue that is silent so far, and with the film, wherever the music is cut."""
    composition = compose(chords, seconds=20.0)
    composition = replace(composition, cues=(Cue("1m1", 0.0, 4.0), Cue("1m2", 6.0, 12.0), Cue("1m3", 14.0, 20.0)))
    arranger = Arranger(composition, options(mode, "0-2 3-5 6.5-7 8-11 13-15 16-20"))
    whole = arranger.arrange()
    for cut in range(1, round(arranger.end_beats * 4)):
        first = arranger.arrange(None, cut / 4)
        second = arranger.arrange(cut / 4, None, first.state)
        assert sorted((*first.controllers, *second.controllers), key=repr) == sorted(whole.controllers, key=repr)


def test_off_and_without_lines_nothing_changes(piece):
    assert arrange(piece, options("off")) == arrange(piece)
    assert arrange(piece, options("strict", "")) == arrange(piece)


def test_lines_as_text():
    assert parse_speech("5-6, 1.5-2 1.8-3") == ((1.5, 3.0), (5.0, 6.0))
    for text in ("5", "6-5", "a-b", "1-2-3", "-1-2", "1-1", "999999-9999999"):
        with pytest.raises(MusicError):
            parse_speech(text)
    with pytest.raises(MusicError):
        ArrangeOptions(speech="x")
    made = from_settings({controls.LEAVE_ROOM: "gentle", controls.SPEECH: "1-2"})
    assert (made.leave_room, made.speech) == ("gentle", "1-2")


@given(st.lists(st.tuples(st.floats(0, 7000), st.floats(0.1, 9)), max_size=1500))
@examples(30)
def test_any_number_of_lines_fits_a_setting(rows):
    lines = merged((start, start + length) for start, length in rows)
    text = speech_text(lines)
    assert len(text) <= MAX_TEXT
    found = parse_speech(text)
    for start, end in lines:  # pauses may be closed, speech is never lost
        middle = (start + end) / 2
        assert any(low - 0.01 <= middle <= high + 0.01 for low, high in found)
