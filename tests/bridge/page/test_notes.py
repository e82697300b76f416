"""Tiles of notes against the player's own plan."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from bridge.page.link import PlanLog
from bridge.page.notes import PlanTiles
from bridge.page.protocol import COUNTS_HEADER, TILE_S, unpack_tile
from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.tempo import TempoLine
from engine.music import PARTS, Controller, Note

NOTES = st.lists(
    st.builds(
        lambda start, length, pitch, part: Note(pitch, 80, start / 4, length / 4, PARTS.index(part) + 1, part),
        st.integers(0, 160), st.integers(1, 60), st.integers(30, 90), st.sampled_from(PARTS),
    ),
    max_size=12,
)  # fmt: skip
LOADS = st.lists(st.tuples(st.integers(-4, 160), NOTES), min_size=1, max_size=6)


def loads(memory: PlayerMemory, revision: int, notes: list[Note], from_s: float) -> list[bytes]:
    later = [note for note in notes if note.start_beats >= from_s]
    return list(memory.plan(revision, "seconds", later, [], from_s))


def notes_of(tiles: PlanTiles, stop: int = 8) -> set[tuple]:
    """Every note once: those that began in an earlier tile are left out."""
    found = set()
    for number in range(stop):
        data = tiles.tile(tiles.revision, number)
        assert data is not None
        _, tile, notes, _ = unpack_tile(data)
        assert tile == number
        for start_s, length_s, part, pitch, velocity, channel in notes:
            if start_s >= number * TILE_S - 1e-6 or number == 0:
                found.add((round(start_s, 3), round(length_s, 3), part, pitch, velocity, channel))
    return found


def held(memory: PlayerMemory) -> set[tuple]:
    """What the player would be told if it were new: its plan."""
    found = set()
    for kind, part, channel, pitch, velocity, start_s, length_s in memory._remembered():
        if kind == m.NOTE and length_s > 0:
            found.add((round(start_s, 3), round(length_s, 3), part, pitch, velocity, channel + 1))
    return found


@examples(60)
@given(LOADS)
def test_tiles_hold_what_the_player_holds_whatever_is_loaded(plans) -> None:
    memory, tiles, log = PlayerMemory(m.PlayerOptions()), PlanTiles(), PlanLog()
    for revision, (from_quarter, notes) in enumerate(plans, start=1):
        for message in loads(memory, revision, notes, from_quarter / 4):
            tiles.take(message)
            assert log.take(message)
        tiles.publish(quiet=True)
    assert notes_of(tiles) == held(memory)
    newcomer = PlanTiles()  # a server that takes the place of a dead one
    for message in log.messages():
        newcomer.take(message)
    newcomer.publish(quiet=True)
    assert notes_of(newcomer) == held(memory)


def note(start: float, pitch: int = 60, part: str = "pad", length: float = 1.0) -> Note:
    return Note(pitch, 90, start, length, 1, part)


def plan(tiles: PlanTiles, memory: PlayerMemory, from_s: float, *notes: Note, revision: int = 1) -> None:
    for message in memory.plan(revision, "seconds", notes, [Controller(11, 80, from_s, 1, "pad")], from_s):
        tiles.take(message)


def test_only_tiles_that_differ_get_a_new_revision() -> None:
    tiles, memory = PlanTiles(), PlayerMemory(m.PlayerOptions())
    plan(tiles, memory, 0.0, note(1.0), note(12.0), note(25.0))
    first = tiles.publish(quiet=True)
    assert first is not None and first.revision == 1 and first.tiles == (0, 1, 2)
    plan(tiles, memory, 0.0, note(1.0), note(12.0, 64), note(25.0), revision=2)
    changed = tiles.publish(quiet=True)
    assert changed is not None and changed.tiles == (1,) and (changed.from_s, changed.to_s) == (12.0, 13.0)
    assert tiles.tile(1, 1) is None and tiles.tile(2, 1) is not None  # superseded, and in force
    assert tiles.tile(1, 0) is not None and tiles.tile(2, 0) is not None  # untouched since 1
    assert tiles.tile(3, 0) is None  # there is no such plan yet
    assert tiles.publish(quiet=True) is None


def test_while_slices_come_what_lies_behind_them_stays() -> None:
    tiles, memory = PlanTiles(), PlayerMemory(m.PlayerOptions())
    plan(tiles, memory, 0.0, *(note(second) for second in range(0, 60, 2)))
    tiles.publish(quiet=True)
    before = [tiles.tile(1, number) for number in range(6)]
    plan(tiles, memory, 0.0, *(note(second, 72) for second in range(0, 22, 2)), revision=2)  # a first slice
    changed = tiles.publish(quiet=False)
    assert changed is not None and changed.tiles == (0, 1)
    assert tiles.tile(1, 3) == before[3]
    plan(tiles, memory, 22.0, *(note(second) for second in range(22, 60, 2)), revision=3)
    changed = tiles.publish(quiet=True)
    assert changed is not None and changed.tiles == (2,)  # the rest is as it was


def test_a_note_that_rings_into_a_tile_is_in_it_too() -> None:
    tiles, memory = PlanTiles(), PlayerMemory(m.PlayerOptions())
    plan(tiles, memory, 0.0, note(8.0, length=5.0))
    tiles.publish(quiet=True)
    _, _, notes, changes = unpack_tile(tiles.tile(1, 1) or b"")
    assert [(round(row[0], 3), row[1]) for row in notes] == [(8.0, 5.0)]
    assert [(change[0], change[2], change[3]) for change in changes] == [(10.0, 11, 80)]  # the value in force


def test_beats_follow_the_tempo_and_the_picture_its_start() -> None:
    tiles, memory = PlanTiles(), PlayerMemory(m.PlayerOptions())
    for message in memory.tempo(1, TempoLine.constant(120)):
        tiles.take(message)
    for message in memory.plan(1, "beats", [note(40.0)], [], -1e9):
        tiles.take(message)
    tiles.publish(quiet=True)
    assert notes_of(tiles) == {(20.0, 0.5, 0, 60, 90, 1)}
    for message in memory.tempo(2, TempoLine.constant(60)):
        tiles.take(message)
    tiles.place(10.0)
    changed = tiles.publish(quiet=True)
    assert changed is not None and notes_of(tiles) == {(30.0, 1.0, 0, 60, 90, 1)}


def test_counts_say_how_many_notes_begin_in_each_second() -> None:
    tiles, memory = PlanTiles(), PlayerMemory(m.PlayerOptions())
    plan(tiles, memory, 0.0, note(0.5), note(0.7, 72), note(12.2, 40, "bass"), note(9.5, length=3.0))
    tiles.publish(quiet=True)
    data = tiles.counts()
    revision, seconds, parts, total = COUNTS_HEADER.unpack_from(data)
    assert (revision, seconds, parts, total) == (1, 20, 5, 4)
    ranges = struct.unpack_from("10B", data, COUNTS_HEADER.size)
    assert ranges[:2] == (60, 72) and ranges[4:6] == (40, 40) and ranges[2:4] == (255, 0)
    table = data[COUNTS_HEADER.size + 12 :]
    assert len(table) == seconds * parts
    assert table[0] == 2 and table[9 * 5] == 1 and table[12 * 5 + 2] == 1 and sum(table) == 4


def test_the_log_keeps_no_more_than_is_in_force() -> None:
    """A film of two hours that is changed at every bar is not kept once for each."""
    memory, log = PlayerMemory(m.PlayerOptions()), PlanLog()
    notes = [note(second) for second in range(400)]
    for revision in range(1, 60):
        for message in loads(memory, revision, notes[:200], float(revision)):
            log.take(message)
        for message in loads(memory, revision, notes, 200.0):
            log.take(message)
    whole = sum(len(message) for message in memory_messages(notes))
    assert sum(len(message) for message in log.messages()) < 60 * whole / 4


def memory_messages(notes: list[Note]) -> list[bytes]:
    return loads(PlayerMemory(m.PlayerOptions()), 1, notes, 0.0)
