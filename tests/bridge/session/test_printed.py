"""Printed ranges: mute in the stream until thawed, part by part; undone, kept and shown."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from dawlab import transport
from hypothesis import given
from hypothesis import strategies as st
from sessionlab import Stage

from bridge.daw.protocol import Ack, DoPrint, PrintRequest
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from bridge.session.edits import printed
from bridge.session.edits.values import set_value
from bridge.session.file.autosave import Autosave
from bridge.session.session import SessionOptions
from engine.arrange.score import arrange_whole
from engine.brief import Brief
from engine.document import PrintedRange
from engine.document.file import read_session
from engine.document.printed import muted, printed_with, printed_without, ranges_s
from engine.music import PARTS, Controller, Note
from engine.music.arguments import ControlError

RANGES = st.tuples(st.sampled_from(PARTS), st.integers(0, 40), st.integers(1, 12))


@given(st.lists(st.tuples(RANGES, st.booleans()), max_size=12))
def test_ranges_are_sets_of_beats(moves) -> None:
    """Freezing and thawing are union and difference, whatever the order."""
    frozen: tuple[PrintedRange, ...] = ()
    model: set[tuple[str, int]] = set()
    for (part, start, length), freeze in moves:
        beats = {(part, beat) for beat in range(start, start + length)}
        if freeze:
            frozen = printed_with(frozen, [part], start, start + length)
            model |= beats
        else:
            frozen = printed_without(frozen, [part], start, start + length)
            model -= beats
        told = [(each.part, beat) for each in frozen for beat in range(int(each.start_beats), int(each.end_beats))]
        assert len(told) == len(set(told)) and set(told) == model


def test_a_note_belongs_where_it_begins_and_curves_catch_up() -> None:
    notes = tuple(Note(60, 80, beat, 2.0, 1, "pad") for beat in (0.0, 3.0, 4.0, 7.5, 8.0))
    bass = Note(40, 80, 5.0, 1.0, 3, "bass")
    curves = tuple(Controller(1, value, float(beat), 1, "pad") for beat, value in enumerate(range(10, 20)))
    left, moved = muted((*notes, bass), curves, [PrintedRange("pad", 4.0, 8.0)])
    assert [note.start_beats for note in left] == [0.0, 3.0, 8.0, 5.0] and left[-1] == bass
    assert [(each.time_beats, each.value) for each in moved] == [
        (0, 10), (1, 11), (2, 12), (3, 13), (8, 18), (9, 19)
    ]  # fmt: skip
    _, gap = muted((), curves[:7], [PrintedRange("pad", 4.0, 8.0)])
    assert (gap[-1].time_beats, gap[-1].value) == (8.0, 16)


def played(stage: Stage, from_s: float, seconds: float) -> set[tuple[str, int]]:
    """(part, pitch) of the note-ons heard from a place on."""
    session = stage.session
    parts = {session.document.value(f"/cue/part/{part}/channel"): part for part in PARTS}
    session.locate(from_s)
    stage.run(0.2)
    session.recorder.clear()
    session.play()
    stage.run(seconds)
    session.stop()
    stage.run(0.15)
    return {(parts[e.status % 16 + 1], e.data1) for e in session.recorder.events if e.status & 0xF0 == 0x90 and e.data2}


@pytest.fixture
def stage():
    with PlayerLink(PlayerOptions(ports=PortOptions("none"), sync=SyncOptions("internal"))) as player:
        made = Stage(player, SessionOptions("film.mp4", tempo=Brief(bpm=120)), 24.0)
        made.ready()
        yield made


def test_the_stream_of_a_frozen_part_is_mute_there_and_nowhere_else(stage) -> None:
    session = stage.session
    all_parts = {part for part, _ in played(stage, 4.0, 1.5)}
    assert {"pad", "bass"} <= all_parts
    session.edit(printed.mute, "pad", 4.0, 8.0)
    stage.run(0.3)
    assert {part for part, _ in played(stage, 4.1, 1.5)} == all_parts - {"pad"}
    assert "pad" in {part for part, _ in played(stage, 8.0, 1.0)}
    assert printed.as_words(session.document) == "pad 4.0–8.0 s"
    session.undo()
    stage.run(0.3)
    assert "pad" in {part for part, _ in played(stage, 4.0, 1.5)} and printed.as_words(session.document) == ""
    session.redo()
    session.edit(printed.unmute, "pad", 5.0, 6.0)
    assert [(part, round(low, 3), round(high, 3)) for part, low, high in ranges_s(session.document)] == [
        ("pad", 4.0, 5.0), ("pad", 6.0, 8.0)
    ]  # fmt: skip
    session.edit(printed.unmute)
    assert session.document.printed == ()
    with pytest.raises(ControlError, match="nothing"):
        session.edit(printed.unmute, "pad")


def test_freezing_while_it_plays_ends_the_stream_soon_and_leaves_no_note_sounding(stage) -> None:
    session = stage.session
    session.play()
    stage.run(1.0)
    session.edit(printed.mute, "all")
    stage.run(0.4)
    session.recorder.clear()
    stage.run(1.0)
    assert not [event for event in session.recorder.events if event.status & 0xF0 == 0x90 and event.data2]
    session.edit(printed.unmute, "bass")
    stage.run(2.5)
    channel = session.document.value("/cue/part/bass/channel")
    on = [event for event in session.recorder.events if event.status & 0xF0 == 0x90 and event.data2]
    assert on and {event.status % 16 + 1 for event in on} == {channel}


def test_other_edits_keep_it_frozen_and_takes_do_not_bring_it_back(stage) -> None:
    session = stage.session
    session.keep_take("first")
    kept = session.takes.get(0, 1).notes
    session.edit(printed.mute, "pad")
    assert session.score().kept[0].notes == kept  # a kept take plays its own notes, frozen or not
    number, _ = session.new_take()
    stage.ready()
    assert number == 2 and session.document.printed
    session.select_take(1)
    stage.run(0.3)
    assert session.document.printed and session.score().kept[0].notes == kept


def test_it_is_kept_in_the_session_file(stage, tmp_path) -> None:
    session = stage.session
    session.edit(printed.mute, "drums", 2.0, 6.0)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    session.film.path = film
    saver = Autosave(session, tmp_path / "x.cuebridge.json", lambda sentence: None)
    path = saver.save(None)
    saver.close()
    saved = read_session(path)
    assert saved.steps[saved.index].document.printed == session.document.printed


def test_what_a_daw_printed_is_frozen_once_it_says_so(wired) -> None:
    session = wired.session
    wired.say(PrintRequest("selection", 4.0, 12.0))
    (order,) = wired.answers(DoPrint)
    assert session.document.printed == ()
    wired.say(Ack(order.request, 1, "96 notes in 5 items"))
    assert {
        part for part, low, high in ranges_s(session.document) if (round(low, 3), round(high, 3)) == (4.0, 12.0)
    } == {line.split("\t")[1] for line in Path(order.path).read_text().splitlines() if line.startswith("part\t")}
    wired.run(0.3)
    began = time.perf_counter()
    session.recorder.clear()
    for seq in range(1, 60):
        wired.say(transport(seq, 5.0 + time.perf_counter() - began))
        wired.run(0.03)
    assert not [event for event in session.recorder.events if event.status & 0xF0 == 0x90 and event.data2]
    assert session.history.undo_label.startswith("print ")
    made = arrange_whole(session.score()).notes
    wired.say(PrintRequest("film"))
    again = Path(wired.answers(DoPrint)[-1].path).read_text()
    assert again.count("\nnote\t") == len(made)  # a frozen range can be printed again


def test_a_print_that_failed_freezes_nothing(wired) -> None:
    wired.say(PrintRequest("film"))
    (order,) = wired.answers(DoPrint)
    wired.say(Ack(order.request, 0, "stop the transport first"))
    assert wired.session.document.printed == ()
    assert any("stop the transport first" in sentence for sentence in wired.stage.said)


def test_the_cue_is_printed_with_its_tail_and_no_more(wired) -> None:
    session = wired.session
    session.edit(set_value, "/cue/in", 4.0)
    session.edit(set_value, "/cue/out", 10.0)
    wired.stage.ready()
    wired.say(PrintRequest("cue"))
    job = Path(wired.answers(DoPrint)[-1].path).read_text().splitlines()[1].split("\t")
    assert float(job[2]) == 4.0 and 10.0 <= float(job[3]) <= 12.0
    wired.say(PrintRequest("film"))
    job = Path(wired.answers(DoPrint)[-1].path).read_text().splitlines()[1].split("\t")
    assert float(job[2]) == 0.0 and float(job[3]) >= 23.9
