"""A part as a stream: the sum of its notes, whatever the blocks and wherever it starts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.sound.events import SoundNote
from engine.sound.programs import Program, program_of
from engine.sound.renderer import CUT, PartStream
from engine.sound.soundfont import DRUM_BANK
from engine.sound.voice import SAMPLE_RATE

NOTES = st.lists(
    st.builds(
        SoundNote,
        start=st.integers(0, 80_000),
        pitch=st.integers(40, 80),
        velocity=st.integers(1, 127),
        length=st.integers(1, 40_000),
    ),
    min_size=1,
    max_size=8,
).map(sorted)
LENGTH = 140_000


def whole(voices, program: Program, notes) -> np.ndarray:
    return PartStream(voices, [(0, program)], notes).read(LENGTH)


@examples(20)
@given(notes=NOTES, blocks=st.lists(st.integers(500, 50_000), min_size=1, max_size=4))
def test_blocks_do_not_matter(voices, notes, blocks):
    program = program_of("pop", "arp")
    stream, pieces, number = PartStream(voices, [(0, program)], notes), [], 0
    while stream.position < LENGTH:
        pieces.append(stream.read(min(blocks[number % len(blocks)], LENGTH - stream.position)))
        number += 1
    assert np.abs(np.concatenate(pieces, axis=1) - whole(voices, program, notes)).max() <= 1e-6


@examples(20)
@given(notes=NOTES, at=st.integers(0, LENGTH - 1))
def test_a_seek_sounds_as_straight_play_does(voices, notes, at):
    program = program_of("pop", "pad")
    stream = PartStream(voices, [(0, program)], notes)
    stream.read(10_000)
    stream.seek(at)
    expected = whole(voices, program, notes)[:, at:]
    assert np.abs(stream.read(LENGTH - at) - expected).max(initial=0) <= 1e-6


@examples(20)
@given(notes=NOTES, data=st.data())
def test_notes_add_up(voices, notes, data):
    """Any division of the notes into two parts of the same program sums to the whole."""
    program = program_of("pop", "melody")
    taken = data.draw(st.lists(st.booleans(), min_size=len(notes), max_size=len(notes)))
    halves = [[note for note, first in zip(notes, taken, strict=True) if first is side] for side in (True, False)]
    both = whole(voices, program, halves[0]) + whole(voices, program, halves[1])
    assert np.abs(both - whole(voices, program, notes)).max() <= 1e-6


def test_a_closed_hi_hat_ends_an_open_one(voices):
    program = Program(0, DRUM_BANK)
    open_hat = SoundNote(0, 46, 127, 4_800)
    alone = whole(voices, program, [open_hat])
    closed = whole(voices, program, [SoundNote(12_000, 42, 1, 1_000)])
    both = whole(voices, program, [open_hat, SoundNote(12_000, 42, 1, 1_000)])
    assert np.array_equal(both[:, :12_000], alone[:, :12_000])
    after = both[:, 12_000 + CUT :] - closed[:, 12_000 + CUT :]
    assert np.abs(alone[:, 12_000 + CUT :]).max() > 1e-3 > np.abs(after).max()


def test_an_empty_part_is_silent(voices):
    assert not whole(voices, program_of("pop", "bass"), []).any()


@pytest.mark.parametrize("part", ["pad", "arp", "bass", "melody"])
def test_a_note_sounds_where_it_stands(voices, part):
    out = whole(voices, program_of("pop", part), [SoundNote(30_000, 60, 100, 20_000)])
    assert not out[:, :30_000].any()
    assert np.abs(out[:, 30_000 : 30_000 + SAMPLE_RATE // 4]).max() > 0.01


def test_programs_change_where_the_ensemble_does(voices):
    """Each note is played by the program in force where it begins, and rings on as that."""
    flute, strings = Program(73), Program(48)
    notes = [SoundNote(0, 72, 90, 40_000), SoundNote(48_000, 72, 90, 40_000)]
    both = PartStream(voices, [(0, flute), (48_000, strings)], notes).read(LENGTH)
    first = whole(voices, flute, notes[:1])
    second = whole(voices, strings, notes[1:])
    assert np.abs(both - first - second).max() <= 1e-6
