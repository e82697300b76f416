"""What names in the DAW do to a session never undoes what its composer decided since."""

from __future__ import annotations

import time

from dawlab import SCRIPT, transport

from bridge.daw.protocol import (
    Bye,
    DoPrint,
    Hello,
    MarkerItem,
    MarkersChunk,
    PrintRequest,
    RegionItem,
    RegionsChunk,
    encode,
)
from bridge.daw.session import DawBridge
from bridge.osc.codec import Message, decode
from bridge.osc.server import Datagram
from bridge.session.edits import chords, marks
from bridge.session.edits.values import set_value
from bridge.session.file.autosave import saved_state
from engine.document.file import SessionWriter, read_session, write_session


def markers(wired, revision, *items):
    made = tuple(MarkerItem(number, *item) for number, item in enumerate(items))
    wired.say(MarkersChunk(revision, len(made), 0, made))
    wired.run(0.6)


def from_other(wired, message):
    (decoded,) = decode(encode(message))
    sender = (SCRIPT[0], SCRIPT[1] + 1)
    wired.controls.datagram(Datagram((Message(decoded.address, decoded.arguments),), sender, time.perf_counter()))


def test_a_section_changed_here_since_stays_when_its_marker_goes(wired) -> None:
    markers(wired, 1, (12.0, "section: activity=80"), (4.0, "section: pattern=up"))
    wired.session.edit(marks.add_section, 12.0, "activity=30", "mine")
    wired.run(0.3)
    markers(wired, 2)
    assert [each.changes for each in wired.session.document.sections] == [(("activity", "30"),)]


def test_a_moved_name_leaves_what_was_changed_here_since(wired) -> None:
    session = wired.session
    markers(
        wired, 1, (4.0, "chords: Dm A7"), (15.0, "pin: F#m"), (9.0, "hit must: door"), (12.0, "section: activity=80")
    )
    session.edit(set_value, "/cue/progression", "G C")
    session.edit(chords.unpin, 15.0)
    session.edit(marks.remove_hit, 9.0)
    session.edit(marks.remove_section, 12.0)
    wired.run(0.4)
    markers(
        wired, 2, (4.1, "chords: Dm A7"), (15.1, "pin: F#m"), (9.1, "hit must: door"), (12.1, "section: activity=80")
    )
    document = session.document
    assert (
        document.text("/cue/progression") == "G C"
        and document.pins == ()
        and document.hits == ()
        and document.sections == ()
    )
    markers(wired, 3)
    markers(wired, 4, (4.1, "chords: Dm A7"))  # put there anew: meant
    assert session.document.text("/cue/progression") == "Dm A7"


def test_a_name_that_moves_takes_along_what_it_did(wired) -> None:
    session = wired.session
    markers(
        wired, 1, (4.0, "chords: Dm A7"), (15.0, "pin: F#m"), (9.0, "hit must: door"), (12.0, "section: activity=80")
    )
    markers(
        wired, 2, (6.0, "chords: Dm A7"), (19.0, "pin: F#m"), (9.5, "hit must: door"), (13.0, "section: activity=80")
    )
    document = session.document
    assert (document.text("/cue/progression"), document.progression_from_s) == ("Dm A7", 6.0)
    assert [hit.time_s for hit in document.hits] == [9.5] and [each.start_s for each in document.sections] == [13.0]
    assert len(document.pins) == 1 and document.pins[0].start_s <= 19.0 < document.pins[0].end_s


def test_many_hits_are_one_step(wired) -> None:
    session = wired.session
    session.edit(marks.add_hit, 22.0, "must", "mine")
    steps = session.history.undo_count
    made = tuple(MarkerItem(number, 0.5 + number * 0.05, f"hit: h{number}") for number in range(300))
    for first in range(0, 300, 20):
        wired.say(MarkersChunk(1, 300, first, made[first : first + 20]))
    wired.run(1.0)
    assert len(session.document.hits) == 301 and session.history.undo_count == steps + 1
    markers(wired, 2, (9.0, "hit must: door"))
    assert [hit.name for hit in session.document.hits] == ["door", "mine"] and session.history.undo_count == steps + 2
    session.undo()
    assert len(session.document.hits) == 301


def test_a_print_mark_that_moves_does_not_print_again(wired) -> None:
    markers(wired, 1)
    markers(wired, 2, (4.0, "print: cue"))
    assert {each.request for each in wired.answers(DoPrint)} == {1}
    markers(wired, 3, (4.000001, "print: cue"))
    assert {each.request for each in wired.answers(DoPrint)} == {1}
    markers(wired, 4, (4.1, "print: cue"), (8.0, "print: cue"))
    assert {each.request for each in wired.answers(DoPrint)} == {1, 2}


def test_a_script_that_leaves_while_playing_ends_the_notes_and_another_does_not(wired) -> None:
    session = wired.session
    from_other(wired, Hello("ardour", "1", 1, abilities="transport"))
    began = time.perf_counter()
    rolling = []
    for seq in range(1, 60):
        wired.say(transport(seq, 5.0 + time.perf_counter() - began))
        if seq == 40:
            from_other(wired, Bye())
        wired.run(0.03)
        rolling.append(session.rolling)
    assert all(rolling[20:])
    wired.say(Bye())
    wired.run(0.2)  # losing sync would be held for half a second
    assert not session.rolling and session.position_s() > 5.5
    assert not any("start, stop and locate there" in sentence for sentence in wired.stage.said)


def test_a_progression_that_moves_into_another_cue_leaves_the_first(wired) -> None:
    session = wired.session
    made = (RegionItem(1, 2.0, 8.0, "cue: 1m1"), RegionItem(2, 12.0, 20.0, "cue: 1m2"))
    wired.say(RegionsChunk(1, 2, 0, made))
    wired.run(0.8)
    markers(wired, 1, (3.0, "chords: Gm D7"))
    markers(wired, 2, (13.0, "chords: Gm D7"))
    texts = {state.name: state.text("/cue/progression") for state in session.document.cue_states}
    assert texts == {"1m1": "", "1m2": "Gm D7"}


def test_names_are_not_done_again_after_a_restart(wired, tmp_path) -> None:
    session = wired.session
    marks = (4.0, "chords: Dm A7"), (15.0, "pin: F#m"), (18.0, "chords: H9")
    markers(wired, 1, *marks)
    session.edit(set_value, "/cue/progression", "G C")
    session.edit(chords.unpin, 15.0)
    wired.run(0.5)
    write_session(tmp_path / "kept.json", SessionWriter().encode(saved_state(session, "0")))
    session.names_done = frozenset()
    session.restore(read_session(tmp_path / "kept.json"))
    wired.daw = wired.controls.daw = DawBridge(session, wired.sent.extend, "test")
    wired.say(Hello("reaper", "1", 1, abilities="do_marker do_print do_tempo"))
    markers(wired, 1, *marks)
    assert session.document.text("/cue/progression") == "G C" and session.document.pins == ()
    markers(wired, 2, *marks, (20.0, "pin: Em"))
    assert [pin.chord.lead_sheet() for pin in session.document.pins] == ["Em"]


def test_undo_of_a_regions_progression_leaves_the_cue_in_hand(wired) -> None:
    session = wired.session
    made = (RegionItem(1, 2.0, 8.0, "cue: 1m1"), RegionItem(2, 12.0, 20.0, "cue: 1m2"))
    wired.say(RegionsChunk(1, 2, 0, made))
    wired.run(0.8)
    session.select_cue("1m1")
    markers(wired, 1, (13.0, "chords: Gm D7"))
    assert session.document.selected.name == "1m1"
    session.undo()
    wired.run(0.3)
    assert session.document.selected.name == "1m1"


def test_a_script_that_is_busy_printing_is_not_taken_for_gone(wired) -> None:
    wired.say(PrintRequest("film"))
    link = wired.daw.link
    now = time.perf_counter()
    link.tick(now + 10.0)
    assert link.status()
