"""Blocks of sound for the page: equal to what `render` adds up, in whatever order, across a real pipe."""

import multiprocessing
import random
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.music import Controller, Note, TempoMap
from engine.process.messages import SOUND_BLOCK, SOUND_SCALE, Quit, SoundBlock, SoundFailure, SoundPlan, SoundWanted
from engine.sound.fonts import bundled_font
from engine.sound.mixer import Mixer
from engine.sound.stream import BlockSource, StreamServer, likely_notes, packed, plan_events, run_sound, unpacked
from engine.sound.voice import Voices

STEP = SOUND_SCALE / 32767


def plan(revision: int = 1, seconds: float = 8.0, pitch: int = 60) -> SoundPlan:
    """Chords of two seconds, a broken chord and a kick at 120 bpm, the pad under a crescendo."""
    beats = int(seconds * 2)
    notes = [Note(pitch + key, 80, float(at), 4.0, 1, "pad") for at in range(0, beats, 4) for key in (0, 4, 7)]
    notes += [Note(pitch + 12 + 2 * (at % 4), 90, at / 2, 0.5, 2, "arp") for at in range(beats * 2)]
    notes += [Note(36, 110, float(at), 0.25, 10, "drums") for at in range(beats)]
    curve = [Controller(1, min(40 + 4 * at, 127), at / 2, 1, "pad") for at in range(beats * 2)]
    ordered = tuple(sorted(notes, key=lambda note: note.start_beats))
    return SoundPlan(revision, ordered, tuple(curve), TempoMap.constant(120), 0.0, seconds)


def offline(voices, made: SoundPlan) -> dict[str, np.ndarray]:
    events = plan_events(made)
    return Mixer(events, voices).read(events.length)


def test_blocks_in_any_order_are_those_of_straight_play(voices):
    made = plan()
    whole = offline(voices, made)
    source = BlockSource(voices, plan_events(made))
    order = list(range(source.count))
    random.Random(5).shuffle(order)
    for index in [*order, *range(source.count)]:
        for part, block in source.block(index).items():
            expected = whole[part][:, index * SOUND_BLOCK : (index + 1) * SOUND_BLOCK]
            assert np.abs(block - expected).max() <= 1e-6, (index, part)
    assert source.block(-1) == source.block(source.count) == {}


def test_integers_hold_twelve_decibels_more_than_full_scale():
    loud = np.array([[3.9, -3.9, 0.0], [9.0, -9.0, STEP]], np.float32)
    heard = unpacked(packed(loud))
    assert heard[0] == pytest.approx(loud[0], abs=STEP / 2)
    assert heard[1] == pytest.approx([SOUND_SCALE, -SOUND_SCALE, STEP], abs=STEP / 2)


def test_the_newest_request_and_plan_count(voices):
    server = StreamServer(voices)
    server.take(SoundWanted(1, 0, 4))  # no plan yet
    assert server.idle
    server.take(plan(1))
    server.take(SoundWanted(1, 0, 4))
    assert server.next_block().index == 0
    server.take(SoundWanted(1, 9, 2))
    assert [server.next_block().index for _ in range(2)] == [9, 10]
    server.take(SoundWanted(1, 2, 4))
    server.take(plan(2, pitch=62))
    assert server.idle
    server.take(SoundWanted(1, 2, 4))  # of the plan before
    assert server.idle
    server.take(SoundWanted(2, 14, 10))
    blocks = [server.next_block() for _ in range(2)]
    assert [(block.revision, block.index, block.last) for block in blocks] == [(2, 14, False), (2, 15, True)]
    assert server.idle


def test_what_a_change_leaves_alone_is_the_same_sound(voices):
    """A plan that differs from a bar on has the same blocks before it, and after it once the old notes have died."""
    before, after = plan(1), plan(2)
    changed = tuple(
        replace(note, pitch=note.pitch + 2) if 4.0 <= note.start_beats < 8.0 else note for note in after.notes
    )
    after = replace(after, notes=changed)
    old, new = (BlockSource(voices, plan_events(made)) for made in (before, after))

    def mix(source: BlockSource, index: int) -> np.ndarray:
        return sum(source.block(index).values())

    assert all(np.abs(mix(old, index) - mix(new, index)).max() <= 1e-6 for index in range(4))
    assert all(np.abs(mix(old, index) - mix(new, index)).max() > 0.01 for index in range(4, 8))
    assert all(np.abs(mix(old, index) - mix(new, index)).max() <= 1e-3 for index in range(14, 16))


@pytest.fixture
def process():
    if bundled_font() is None:
        pytest.skip("pretty_midi, which brings a SoundFont, is not installed")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=run_sound, args=(theirs, str(bundled_font())), daemon=True)
    child.start()
    theirs.close()
    yield ours, child
    ours.close()
    child.join(10)
    assert not child.is_alive()


def test_across_a_pipe(process, voices):
    """Blocks arrive in order and within half a step of the offline sum; a new plan replaces the old one at once."""
    connection, child = process
    connection.send(plan(1, 60.0))
    connection.send(SoundWanted(1, 2, 120))
    first = connection.recv()
    assert isinstance(first, SoundBlock) and (first.revision, first.index) == (1, 2)
    whole = offline(voices, plan(2, pitch=65))
    connection.send(plan(2, pitch=65))
    connection.send(SoundWanted(2, 4, 6))
    heard: list[SoundBlock] = []
    stale = 0
    while len(heard) < 6:
        assert connection.poll(30)
        block = connection.recv()
        stale += block.revision == 1
        heard += [block] if block.revision == 2 else []
    assert stale < 60  # the rest of the old plan was dropped
    assert [block.index for block in heard] == list(range(4, 10))
    for block in heard:
        sounding = dict(block.parts)
        for part, sound in whole.items():
            expected = sound[:, block.index * SOUND_BLOCK : (block.index + 1) * SOUND_BLOCK]
            found = unpacked(sounding[part]) if part in sounding else np.zeros_like(expected)
            assert np.abs(found - expected).max() <= STEP / 2 + 1e-6
    connection.send(Quit())
    child.join(10)
    assert child.exitcode == 0


def test_it_ends_when_the_bridge_has_gone(process):
    connection, child = process
    connection.send(plan(1, 600.0))
    connection.send(SoundWanted(1, 0, 1200))
    time.sleep(0.2)
    connection.close()
    child.join(20)
    assert child.exitcode == 0


def test_a_font_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "bad.sf2").write_bytes(b"no font")
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    run_sound(theirs, str(tmp_path / "bad.sf2"))
    assert ours.recv() == SoundFailure("bad.sf2 is not a SoundFont 2 file.")


def test_keys_near_those_that_sound_are_computed_while_nobody_waits(voices, monkeypatch):
    """A plan a third higher then computes no wave, and sounds as it does without."""
    server = StreamServer(Voices(voices.font))
    server.take(plan(1))
    steps = 0
    while server.prepare():
        steps += 1
    found = set(likely_notes(plan_events(plan(1))))
    assert steps >= len({(program, pitch) for program, pitch, _, _ in found if 55 <= pitch <= 72})
    computed = []
    monkeypatch.setattr("engine.sound.voice.layer_wave", lambda *of: computed.append(of))
    server.take(plan(2, pitch=64))
    server.take(SoundWanted(2, 0, 4))
    blocks = [server.next_block() for _ in range(4)]
    assert not computed
    monkeypatch.undo()
    expected = offline(Voices(voices.font), plan(2, pitch=64))
    for block in blocks:
        for part, data in block.parts:
            there = expected[part][:, block.index * SOUND_BLOCK : (block.index + 1) * SOUND_BLOCK]
            assert np.abs(unpacked(data) - there).max() <= STEP


def test_what_is_computed_ahead_has_half_the_room(voices):
    room = 6 * 2**20
    server = StreamServer(Voices(voices.font, room))
    server.take(plan(1, seconds=30.0))
    while server.prepare():
        pass
    held = sum(each.samples.nbytes for each in server._voices._held.values())
    assert held < room and not server.prepare()
