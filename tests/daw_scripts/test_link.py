"""The bridge's end: who is there, dates of observations, lists in pieces, requests until answered."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time

import pytest

from bridge.daw import protocol
from bridge.daw.link import DawEvents, DawLink, MarkerWish, PrintJob, PrintPart
from bridge.daw.print import read_print
from engine.music.meter import TempoMap
from engine.music.note import Note

A, B = ("127.0.0.1", 5001), ("127.0.0.1", 5002)
ALL = " ".join(protocol.ABILITIES)


class Recorder(DawEvents):
    """Keeps every call as (name, arguments after the script)."""

    def __init__(self):
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("_") or name in ("calls", "named"):
            return object.__getattribute__(self, name)
        return lambda *args: self.calls.append((name, args[1:] if name != "note" else args))

    def named(self, name):
        return [args for called, args in self.calls if called == name]


@pytest.fixture
def events():
    return Recorder()


@pytest.fixture
def link(events, tmp_path):
    return DawLink(events, version="0.1.0", print_dir=tmp_path / "print", clock=lambda: 0.0)


def hello(link, sender=A, daw="reaper", now=0.0, **more):
    return link.handle(protocol.Hello(daw, "1", 1, abilities=ALL, **more), sender, now)


def decoded(out):
    return [protocol.decode(one.datagram) for one in out]


def transport(seq, position=0.0, flags=protocol.PLAYING, sent=0.0):
    return protocol.Transport(seq, sent, position, position * 2, 120.0, 4, 4, flags)


def test_hello_is_welcomed_where_it_came_from_or_where_it_asks(link):
    assert decoded(hello(link)) == [protocol.Welcome("0.1.0", 1)]
    out = hello(link, B, reply_port=6000)
    assert (out[0].host, out[0].port) == ("127.0.0.1", 6000)


def test_a_script_that_hears_no_answer_is_said_to_be_deaf_once(link, events):
    for now in range(0, 20, 2):
        hello(link, daw="bitwig", now=float(now), reply_port=9318)
    (note,) = [note for (note,) in events.named("note") if "again and again" in note]
    assert note.startswith("Bitwig greets") and "port for answers, 9318," in note
    hello(link, B)  # one that hears, though its first welcome is lost
    for seq in range(1, 10):
        link.handle(transport(seq), B, 20.0 + seq)
        hello(link, B, now=20.5 + seq)
    assert len([note for (note,) in events.named("note") if "again and again" in note]) == 1


def test_a_script_from_before_our_restart_is_asked_who_it_is(link, events):
    assert decoded(link.handle(transport(1), A, 0.0)) == [protocol.Who()]
    assert events.calls == []


def test_observations_are_dated_with_the_scripts_clock(link, events):
    hello(link)
    late = [0.010, 0.002, 0.050, 0.031, 0.002]
    for index, delay in enumerate(late):
        sent = 100.0 + index * 0.1
        link.handle(transport(index, index * 0.1, sent=sent), A, sent + 900.0 + delay)
    seen = [args[0] for args in events.named("transport")]
    assert seen[2].host_s == pytest.approx(100.2 + 900.002)  # 50 ms late, yet dated to the least delay
    assert seen[2].rolling and seen[2].source == "script" and seen[2].position_beats == pytest.approx(0.4)
    assert link.status()[0].jitter_ms == pytest.approx(48, abs=0.01)


def test_overtaken_and_repeated_transports_are_dropped_and_gaps_counted(link, events):
    hello(link)
    for seq in (5, 6, 6, 4, 9):
        link.handle(transport(seq), A, seq * 0.1)
    assert len(events.named("transport")) == 3
    assert link.status()[0].lost == 2


def test_lists_in_pieces_out_of_order_and_twice(link, events):
    hello(link)
    one = protocol.MarkersChunk(7, 3, 0, (protocol.MarkerItem(1, 1.0, "a"), protocol.MarkerItem(2, 2.0, "hit: b")))
    two = protocol.MarkersChunk(7, 3, 2, (protocol.MarkerItem(3, 3.0, "c"),))
    assert link.handle(two, A, 0.0) == []
    assert decoded(link.handle(one, A, 0.0)) == [protocol.Got("markers", 7)]
    assert decoded(link.handle(two, A, 0.0)) == [protocol.Got("markers", 7)]  # our answer was lost: said again
    assert [[m.name for m in args[0]] for args in events.named("markers")] == [["a", "hit: b", "c"]]
    assert [mark.value for mark in events.named("names")[0][0]] == ["b"]


def test_an_empty_list_is_complete_at_once(link, events):
    hello(link)
    assert decoded(link.handle(protocol.RegionsChunk(1, 0, 0), A, 0.0)) == [protocol.Got("regions", 1)]
    assert events.named("regions") == [((),)]


def test_requests_are_repeated_until_answered_and_given_up_aloud(link, events):
    hello(link)
    out = link.push_markers([MarkerWish(4, 1.5, "hit\n1")])
    assert decoded(out) == [protocol.DoMarker(1, 4, 1.5, "hit 1", 0xE0A030)]
    again = [message for message in decoded(link.tick(0.6)) if isinstance(message, protocol.DoMarker)]
    assert len(again) == 1
    link.handle(protocol.Ack(1, 1, ""), A, 0.7)
    link.handle(protocol.Ack(1, 1, ""), A, 0.7)
    assert events.named("acknowledged") == [(1, True, "")]
    assert not [m for m in decoded(link.tick(2.0)) if isinstance(m, protocol.DoMarker)]
    link.clear_markers()
    for step in range(1, 1300):
        link.handle(transport(step), A, 2.0 + step * 0.1)
        link.tick(2.0 + step * 0.1)
    assert events.named("acknowledged")[1][:2] == (2, False)


def test_silence_is_a_goodbye_and_only_the_first_script_leads(link, events):
    hello(link)
    hello(link, B, daw="ardour")
    assert any("stays in force" in args[0] for args in events.named("note"))
    link.handle(transport(1), B, 0.1)
    assert events.named("transport") == []
    link.handle(transport(2), B, 3.5)
    link.tick(3.6)
    assert events.named("bye") == [("silent",)]
    link.handle(transport(3), B, 3.7)
    assert len(events.named("transport")) == 1
    link.handle(protocol.Bye(), B, 4.0)
    assert events.named("bye")[-1] == ("bye",)
    assert link.status() == ()


def test_a_print_job_becomes_a_file_that_says_the_same(link, events):
    hello(link)
    note = Note(60, 90, 4.0, 1.0, 1, "pad")
    job = PrintJob("Take A", 2.0, 4.0, 4.0, 8.0, (PrintPart("pad", "Pad A", 1, (note,)),))
    request, out = link.print_job(job)
    message = decoded(out)[0]
    assert isinstance(message, protocol.DoPrint) and message.request == request > 0
    with open(message.path, encoding="utf-8") as file:
        assert read_print(file.read()).parts[0].notes == (note,)


def test_without_a_script_that_prints_it_is_said(link, events):
    assert link.print_job(PrintJob("A", 0, 1, 0, 2, ()))[0] == 0
    assert "export" in events.named("note")[0][0]


def settle(link, now=0.0, wanted=1):
    """Ticks until so many datagrams came, or a mailbox was looked at."""
    out, end = [], time.perf_counter() + 20
    while len(out) < wanted and time.perf_counter() < end:
        out += link.tick(now)
        time.sleep(0.01)
    return out


def lines_of(box, count):
    end = time.perf_counter() + 20
    while len(box.read_text().splitlines()) < count and time.perf_counter() < end:
        time.sleep(0.01)
    return box.read_text().splitlines()


def test_answers_by_mailbox_go_only_into_a_mailbox(link, events, tmp_path):
    box, other = tmp_path / "box", tmp_path / "diary"
    box.write_bytes(b"cuebridge-mailbox\t1\n")
    other.write_bytes(b"dear diary\n")
    assert hello(link, mailbox=str(box)) == [] and events.calls == []
    assert hello(link, B, daw="ardour", mailbox=str(other)) == []
    (refused,) = decoded(settle(link))
    assert isinstance(refused, protocol.DawError) and refused.code == "bad_value"
    assert len(events.named("hello")) == 1  # not the diary's
    assert lines_of(box, 2)[1] == "/daw/welcome\t0.1.0\t1"
    link.set_tempo(TempoMap.constant(96))
    assert lines_of(box, 3)[2] == "/daw/do/tempo\t1\t0.0\t96.0\t4\t4"
    assert other.read_text() == "dear diary\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_mailbox_that_is_no_regular_file_holds_nothing_up(link, events, tmp_path):
    fifo, socket_file, link_file = tmp_path / "fifo", tmp_path / "socket", tmp_path / "link"
    os.mkfifo(fifo)
    box = tmp_path / "box"
    box.write_bytes(b"cuebridge-mailbox\t1\n")
    link_file.symlink_to(box)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_file))
        paths = (fifo, socket_file, link_file, tmp_path, "/dev/zero", "/dev/tty", tmp_path / "none", "relative")
        for number, path in enumerate(paths):
            began = time.perf_counter()
            assert hello(link, ("127.0.0.1", 6000 + number), mailbox=str(path)) == []
            assert time.perf_counter() - began < 2.0
            (refused,) = decoded(settle(link))
            assert isinstance(refused, protocol.DawError) and "mailbox" in refused.text
    assert events.named("hello") == [] and box.read_bytes() == b"cuebridge-mailbox\t1\n"
    # A mailbox that is exchanged for a FIFO after the greeting: said once, and nothing waits.
    hello(link, mailbox=str(box))
    while not link.status():
        link.tick(0.0)
    assert lines_of(box, 2)
    box.unlink()
    os.mkfifo(box)
    began = time.perf_counter()
    for _ in range(5):
        link.set_tempo(TempoMap.constant(96))
    end = time.perf_counter() + 20
    while not events.named("note") and time.perf_counter() < end:
        link.tick(0.0)
    link.tick(0.0)
    assert len(events.named("note")) == 1 and time.perf_counter() - began < 20


def test_a_mailbox_on_a_file_system_that_does_not_answer_holds_no_other_up(link, events, tmp_path, monkeypatch):
    from bridge.daw import mailbox

    stuck, real = threading.Event(), mailbox._check
    monkeypatch.setattr(mailbox, "_check", lambda path: real(path) if "box" in path else stuck.wait(30))
    for number in range(8):
        link.handle(protocol.Hello("x", "1", 1, mailbox=f"/gone/{number}"), ("127.0.0.1", 7000 + number), 0.0)
    link.tick(7.0)  # those that do not answer are given up
    box = tmp_path / "box"
    box.write_bytes(b"cuebridge-mailbox\t1\n")
    hello(link, mailbox=str(box), now=7.0)
    end = time.perf_counter() + 20
    while not link.status() and time.perf_counter() < end:
        link.tick(7.1)
    assert [info.daw for info in link.status()] == ["reaper"] and lines_of(box, 2)
    stuck.set()


def test_no_control_character_from_outside_is_shown(link, events):
    """A terminal obeys them."""
    bad = "\x1b[2Jlive\x07\x9b31m\n"
    link.handle(protocol.Hello(bad, bad, 1, 0, bad, "", ALL, bad), A, 0.0)
    rows = (protocol.Capability("marker_names", bad, 0, bad), protocol.Capability(bad, bad, 0, bad))
    link.handle(protocol.CapabilitiesChunk(1, 2, 0, rows), A, 0.0)
    link.handle_osc("/daw/print", [bad, 0.0, 0.0], A, 0.0)
    link.push_markers([MarkerWish(1, 1.0, "x")])
    link.handle(protocol.Ack(1, 0, bad), A, 0.0)
    link.handle(protocol.Hello(bad, bad, 9), B, 0.0)
    shown = [*(note for (note,) in events.named("note")), *(text for _, _, text in events.named("acknowledged"))]
    info = link.status()[0]
    shown += [info.daw, info.host_version, info.script_version, info.interpreter]
    shown += [text for row in info.capabilities for text in (row.feature, row.call, row.why)]
    assert len(events.named("note")) == 3 and all(text.isprintable() for text in shown), shown


def test_refusals_are_answered_and_nothing_raises(link):
    hello(link)
    out = link.handle_osc("/daw/transport", ["x"], A, 0.0)
    assert decoded(out)[0].code == "bad_type"
    assert decoded(link.handle_osc("/daw/what", [], A, 0.0))[0].code == "unknown_address"
    assert decoded(link.handle_osc("/daw/welcome", ["1", 1], A, 0.0))[0].code == "bad_value"
    backwards = [1, 2, 0, 0.0, 5.0, 120.0, 4, 4, 0, 4.0, 5.0, 120.0, 4, 4, 0]
    assert decoded(link.handle_osc("/daw/tempomap", backwards, A, 0.0))[0].code == "bad_value"


def test_another_protocol_is_told_what_to_do(link, events):
    for _ in range(3):
        (answer,) = decoded(link.handle(protocol.Hello("live", "0", 9, abilities=ALL), A, 0.0))
        assert isinstance(answer, protocol.DawError) and answer.code == "bad_protocol"
    assert len(events.named("note")) == 1 and "install-script live" in events.named("note")[0][0]
    assert not link.status()[0].version_ok
    # It is not welcomed: what it says is not listened to, and nothing is asked of it.
    assert link.handle(transport(1), A, 0.1) == [] and link.push_markers([MarkerWish(1, 1.0, "x")]) == []
    assert events.named("hello") == [] and events.named("transport") == []
    hello(link, B)  # nor does it keep another from leading
    link.handle(transport(1), B, 0.2)
    assert len(events.named("transport")) == 1
    link.tick(10.0)
    assert [info.daw for info in link.status()] == []
    # The same one, brought up to date and greeting as it should:
    link.handle(protocol.Hello("live", "0", 9), A, 11.0)
    assert decoded(hello(link, daw="live", now=12.0)) == [protocol.Welcome("0.1.0", 1)]
    assert [info.version_ok for info in link.status()] == [True]


def test_reapers_own_osc_is_understood_without_a_script(link, events):
    for address, value in [("tempo", 100.0), ("time", 3.0), ("play", 1.0), ("time", 3.5), ("loop/end", 8.0)]:
        assert link.handle_osc("/daw/reaper/" + address, [value], A, 1.0) == []
    last = events.named("transport")[-1][0]
    assert (last.position_s, last.bpm, last.rolling) == (3.5, 100.0, True)
    link.handle_osc("/daw/reaper/play", [0.0], A, 2.0)
    link.tick(60.0)  # stopped REAPER says nothing, and is still there
    assert len(link.status()) == 1


def reaper_plays(link, bpm, numerator, seconds, start_s=0.0, told=None):
    """What REAPER's own OSC sends while it plays: time as 32 bits, beat as text; the tempo only where it is told."""
    send = lambda word, value: link.handle_osc("/daw/reaper/" + word, [value], A, 1.0 + start_s)  # noqa: E731
    if told:
        send("tempo", told)
    send("play", 1.0)
    for tick in range(int(seconds * 30)):
        second = start_s + tick / 30
        beat = second * bpm / 60
        measure, inside = divmod(beat, numerator)
        send("time", struct.unpack(">f", struct.pack(">f", second))[0])
        hundredths = int(inside % 1 * 100)
        send("beat", f"{int(measure) + 1}.{int(inside) + 1}.{hundredths:02d}")


def test_reaper_that_never_tells_its_tempo_is_followed_all_the_same(link, events):
    """Default.ReaperOSC sends a tempo only when it changes."""
    reaper_plays(link, 97.3, 4, 1.0)
    seen = [args[0] for args in events.named("transport")]
    assert len(seen) > 20 and all(one.rolling for one in seen[1:])
    assert seen[-1].position_s == pytest.approx(29 / 30, abs=1e-6)
    assert (seen[-1].bpm, seen[-1].position_beats, seen[-1].meter) == (None, None, None)
    assert [note for (note,) in events.named("note") if "41743" in note]


@pytest.mark.parametrize(("bpm", "numerator"), [(97.3, 4), (120.0, 4), (143.0, 3), (72.5, 7), (60.0, 2), (200.0, 5)])
def test_the_tempo_is_measured_from_the_beats_that_go_by(link, events, bpm, numerator):
    reaper_plays(link, bpm, numerator, 12.0)
    last = events.named("transport")[-1][0]
    assert last.bpm == pytest.approx(bpm, rel=0.004)
    assert last.position_beats == pytest.approx(last.position_s * last.bpm / 60)
    told = {args[0].bpm for args in events.named("transport")} - {None}
    assert len(told) <= 2  # it does not wander
    # A tempo that REAPER tells is the truth.
    reaper_plays(link, bpm, numerator, 1.0, 20.0, told=bpm)
    assert events.named("transport")[-1][0].bpm == bpm


def test_another_tempo_is_measured_again(link, events):
    reaper_plays(link, 120.0, 4, 8.0)
    reaper_plays(link, 90.0, 4, 8.0, 30.0)
    assert events.named("transport")[-1][0].bpm == pytest.approx(90, rel=0.004)


def marks(link, revision, *items):
    made = tuple(protocol.MarkerItem(number, second, name) for number, (second, name) in enumerate(items))
    link.handle(protocol.MarkersChunk(revision, len(made), 0, made), A, 1.0)


def test_a_name_that_appears_prints_once_and_what_stood_there_before_does_not(link, events):
    hello(link)
    marks(link, 1, (1.0, "print: film"), (2.0, "pin: Am"))
    assert events.named("print_request") == []
    marks(link, 2, (1.0, "print: film"), (2.0, "pin: Am"), (3.0, "print: cue"))
    marks(link, 3, (1.0, "print: film"), (2.0, "pin: Am"), (3.0, "print: cue"), (4.0, "x"))
    assert events.named("print_request") == [("cue", 3.0, 3.0)]
    assert len(events.named("names")) == 1  # prints are no names that say something
    marks(link, 4, (3.0, "print: everything"), (3.5, "print: selection"))
    assert len(events.named("note")) == 2 and len(events.named("print_request")) == 1
    assert [mark.value for mark in events.named("names_gone")[0][0]] == ["Am"]
    hello(link)  # again: the lists begin anew
    marks(link, 1)
    assert len(events.named("names_gone")) == 1


def test_only_the_script_in_force_is_asked_to_print(link, events):
    hello(link)
    hello(link, B, "live")
    _, out = link.print_job(PrintJob("A", 0, 1, 0, 2, ()))
    assert [one.port for one in out] == [A[1]]
