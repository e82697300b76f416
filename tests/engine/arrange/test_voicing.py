from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import count, examples

from engine.arrange.voicing import Space, has_fault, is_consecutive, movement, voice
from engine.music import QUALITIES, Chord, Key

ROUND = [Chord(root, quality) for root in range(12) for quality in QUALITIES]
chords = st.builds(
    Chord, st.integers(0, 11), st.sampled_from(QUALITIES), st.one_of(st.none(), st.none(), st.integers(0, 11))
)
keys = st.builds(Key, st.integers(0, 11), st.sampled_from(["major", "minor"]))
spaces = st.builds(
    Space, style=st.sampled_from(["close", "open"]), key=keys, has_bass=st.booleans(), lift=st.integers(-4, 4)
)


def lead(progression, space):
    voicings = []
    for chord in progression:
        voicings.append(voice(chord, space, voicings[-1] if voicings else None))
    return voicings


def check(chord, voicing, space):
    tones, sounding = set(chord.pitch_classes()), {pitch % 12 for pitch in voicing.pad}
    assert voicing.bass % 12 == chord.bass_pitch_class
    assert list(voicing.pad) == sorted(set(voicing.pad))
    # Without a bass part the pad's lowest note is given, and four voices do not always fit above it.
    assert len(voicing.pad) == 4 or (not space.has_bass and len(voicing.pad) == 3)
    low, high = space.pad
    assert low <= voicing.pad[0] and voicing.pad[-1] <= high
    assert space.bass[0] <= voicing.bass <= space.bass[1]
    if space.has_bass:
        # Nothing foreign, and all of the chord between bass and pad.
        assert sounding <= tones
        assert sounding | {voicing.bass % 12} >= tones
    else:
        assert voicing.pad[0] % 12 == chord.bass_pitch_class
        foreign = {chord.bass_pitch_class} - tones
        assert sounding <= tones | foreign
        assert len(tones - sounding) <= (1 if foreign and len(tones) == 4 else 0)
    together = [pitch % 12 for pitch in voicing.pad] + ([voicing.bass % 12] if space.has_bass else [])
    leading_tone = (space.key.tonic - 1) % 12
    if space.style != "root" and (leading_tone != chord.root or "dim" in chord.quality):
        assert together.count(leading_tone) <= 1
    assert [pitch % 12 in tones for pitch in voicing.arp] == [True] * 4 and {p % 12 for p in voicing.arp} == tones
    assert space.arp[0] <= voicing.arp[0] < voicing.arp[1] < voicing.arp[2] < voicing.arp[3] <= space.arp[1]


@pytest.mark.parametrize("style", ["close", "open", "root"])
def test_every_chord_of_the_vocabulary_has_every_tone(style):
    for chord in ROUND:
        voicing = voice(chord, Space(style=style))
        check(chord, voicing, Space(style=style))
        assert len({pitch % 12 for pitch in voicing.arp}) == len(chord.pitch_classes())


def test_the_chords_that_the_reference_renders_wrongly():
    for text, tones in {
        "Cdim7": {0, 3, 6, 9},
        "Cm7b5": {0, 3, 6, 10},
        "Csus2": {0, 2, 7},
        "Csus4": {0, 5, 7},
        "Cmaj7": {0, 4, 7, 11},
    }.items():
        voicing = voice(Chord.parse(text), Space(key=Key(5)))
        assert {pitch % 12 for pitch in voicing.pad} == tones == {pitch % 12 for pitch in voicing.arp}


@pytest.mark.parametrize("seed", range(count(20)))
def test_random_progressions_have_no_fault(seed):
    """500 progressions of 5 chords for each seed: any chord after any other, slash chords, both styles, all keys."""
    random_ = random.Random(seed)
    for _ in range(500):
        bass = random_.choice([None, None, None, random_.randrange(12)])
        progression = [
            Chord(random_.randrange(12), random_.choice(QUALITIES), bass if random_.random() < 0.3 else None)
            for _ in range(5)
        ]
        space = Space(
            style=random_.choice(["close", "open"]),
            key=Key(random_.randrange(12), random_.choice(["major", "minor"])),
            has_bass=random_.random() < 0.8,
        )
        voicings = lead(progression, space)
        for chord, voicing in zip(progression, voicings, strict=True):
            check(chord, voicing, space)
        for a, b in pairwise(voicings):
            assert not has_fault(a, b), (progression, a, b)


@given(st.lists(chords, min_size=2, max_size=6), spaces)
@examples(100)
def test_voices_lead_without_faults_in_any_space(progression, space):
    voicings = lead(progression, space)
    for chord, voicing in zip(progression, voicings, strict=True):
        check(chord, voicing, space)
    assert not any(has_fault(a, b) for a, b in pairwise(voicings))
    assert voicings == lead(progression, space)


def test_voices_move_little():
    progression = [Chord.parse(text) for text in ("C", "Am", "F", "G", "Em", "Am", "Dm7", "G7", "C")]
    led = lead(progression, Space())
    plain = lead(progression, Space(style="root"))
    moves = [movement(a.pad, b.pad) for a, b in pairwise(led)]
    assert sum(moves) / len(moves) < 8  # two semitones a voice
    assert sum(moves) < 0.5 * sum(movement(a.pad, b.pad) for a, b in pairwise(plain))
    assert all(max(abs(x - y) for x, y in zip(a.pad, b.pad, strict=True)) <= 7 for a, b in pairwise(led))


def test_open_is_wider_than_close():
    for chord in ROUND[::7]:
        close, open_ = voice(chord, Space()).pad, voice(chord, Space(style="open")).pad
        assert close[-1] - close[0] <= 16 and 14 <= open_[-1] - open_[0] <= 26


def test_a_fixed_neighbour_is_led_into():
    space = Space()
    c, f, g = (Chord.parse(text) for text in "CFG")
    first = voice(c, space)
    after = voice(g, space, voice(f, space, first))
    between = voice(Chord.parse("Dm"), space, first, after)
    assert not has_fault(first, between) and not has_fault(between, after)


def test_what_a_fault_is():
    assert is_consecutive(48, 67, 50, 69)  # fifths
    assert is_consecutive(48, 60, 50, 62)  # octaves
    assert not is_consecutive(48, 67, 48, 67)  # nothing moves
    assert not is_consecutive(48, 64, 50, 65)  # thirds
    with pytest.raises(ValueError, match="silence"):
        voice(Chord.parse("N"), Space())


@pytest.mark.parametrize("low", [0, 20, 48, 60, 100, 108])
@pytest.mark.parametrize("style", ["close", "open", "root"])
def test_any_chord_fits_into_the_narrowest_part(low, style):
    """19 semitones are what PartOptions asks for."""
    span = (low, low + 18)
    for chord in [*ROUND, Chord.parse("Fdim/B"), Chord.parse("Cmaj7/Bb"), Chord.parse("C/F#")]:
        for has_bass in (True, False):
            for tonic in (0, 5):
                space = Space(span, span, span, style, Key(tonic), has_bass)
                voicing = voice(chord, space)
                assert all(low <= pitch <= low + 18 for pitch in (voicing.bass, *voicing.pad, *voicing.arp))
                missing = set(chord.pitch_classes()) - {pitch % 12 for pitch in (voicing.bass, *voicing.pad)}
                assert len(missing) <= (1 if chord == Chord.parse("Cmaj7/Bb") else 0)


@pytest.mark.parametrize("style", ["close", "open", "root"])
@pytest.mark.parametrize("has_bass", [True, False])
def test_wider_chords_are_voiced_with_their_own_tones(style, has_bass):
    space, before = Space(style=style, has_bass=has_bass), None
    for kind in ("5", "9", "m11", "13", "7alt", "6/9", "mMaj7", "9sus4", "maj7#11", "7no3", "(b5)"):
        for bass in ("", "/E", "/Db"):
            chord = Chord.parse("Bb" + kind + bass)
            voicing = before = voice(chord, space, before)
            tones = {*chord.pitch_classes(), chord.bass_pitch_class}
            assert {pitch % 12 for pitch in voicing.pad} <= tones
            assert {pitch % 12 for pitch in voicing.arp} <= tones and len(voicing.arp) == 4
            assert voicing.bass % 12 == chord.bass_pitch_class
