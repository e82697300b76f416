"""The rules of the OSC port, one by one, with a real session behind a real socket."""

from __future__ import annotations

import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import mido
import pytest
from offlinelab import Patience

from bridge.controls.dispatch import Controls
from bridge.osc.codec import Message, decode, encode, encode_bundle
from bridge.osc.server import Datagram, OscServer
from bridge.session.edits import marks, tempo
from bridge.session.file.export import _write as write
from bridge.session.file.later import Later
from bridge.session.fit import MAX_WAITING
from engine.arrange.tempofit import fit_tempos
from engine.music.arguments import MAX_TEXT
from engine.music.controls import ERROR

NOW_AND_NEVER = [struct.pack(">Q", 1), b"\xff" * 8, b"\0" * 8, struct.pack(">Q", 2**63)]  # time tags


class Port:
    """A session with an OSC port, and clients of it."""

    def __init__(self, made, folders: Sequence = ()) -> None:
        self.made = made
        self.session = made.session
        self.inbox: queue.SimpleQueue[Datagram] = queue.SimpleQueue()
        self.server = OscServer("127.0.0.1", 0, lambda datagram: self.inbox.put(datagram) or True)
        self.controls = Controls(self.session, self.server.send, self.server.send_error, folders=folders)
        self.server.start()

    def client(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.settimeout(0.0)
        return made

    def turn(self, seconds: float = 0.15) -> None:
        """So long, and until what was sent before has been read, however late the server's thread gets to run."""
        end = time.perf_counter() + seconds
        with self.client() as last:  # datagrams to one socket arrive in their order
            last.sendto(encode("/cue/ping"), ("127.0.0.1", self.server.port))
            patience, arrived = Patience(), False
            while not arrived or time.perf_counter() < end:
                while not self.inbox.empty():
                    datagram = self.inbox.get()
                    if datagram.sender == last.getsockname():
                        arrived = True
                    else:
                        self.controls.datagram(datagram)
                self.made.step()
                self.controls.push(self.server.send_datagram)
                time.sleep(0.002)
                patience.wait("the server reads nothing")

    def send(self, client: socket.socket, data: bytes) -> list[Message]:
        client.sendto(data, ("127.0.0.1", self.server.port))
        self.turn()
        return self.heard(client)

    def all_later(self, client: socket.socket) -> list[Message]:
        """The next answers, however long they take."""
        patience = Patience()
        while not (found := self.heard(client)):
            patience.wait("no answer came")
            self.turn(0.02)
        return found + self.heard(client)

    def later(self, client: socket.socket) -> Message:
        """The next answer, however long it takes."""
        return self.all_later(client)[0]

    def answers(self, client: socket.socket, data: bytes) -> list[Message]:
        """Also those that come once a file was looked up, written or a search is done."""
        return self.send(client, data) or self.all_later(client)

    def answer(self, client: socket.socket, data: bytes) -> Message:
        """The only one."""
        (found,) = self.answers(client, data)
        return found

    @staticmethod
    def heard(client: socket.socket) -> list[Message]:
        found: list[Message] = []
        try:
            while True:
                found += decode(client.recv(65_507))
        except BlockingIOError:
            return found


@pytest.fixture
def port(real_stage, tmp_path, monkeypatch):
    monkeypatch.setattr(Later, "short_s", Patience.SECONDS)  # a busy machine is no disk that hangs
    (tmp_path / "allowed").mkdir()
    made = Port(real_stage(12.0), [tmp_path / "allowed"])
    yield made
    made.server.close()


def test_the_answer_goes_to_the_sender_and_says_from_when_it_is_heard(port) -> None:
    one, other = port.client(), port.client()
    answer = port.answer(one, encode("/cue/mood/dark_light", [30.0]))
    assert answer.address == "/cue/mood/dark_light" and answer.arguments[0] == 30.0
    assert answer.types == "fd" and answer.arguments[1] >= 0
    assert port.heard(other) == []
    read = port.answer(other, encode("/cue/mood/dark_light"))
    assert read.arguments == (30.0,)


REFUSALS = [
        (encode("/cue/nothing"), "unknown_address"), (encode("/nothing/at/all"), "unknown_address"),
        (encode("/cue/swing", ["much"]), "bad_type"), (encode("/cue/swing", [b"x"]), "bad_type"),
        (encode("/cue/swing", [90.0]), "bad_value"), (encode("/cue/swing", [float("nan")]), "bad_value"),
        (encode("/cue/swing", [60.0, 1, 2]), "bad_type"), (encode("/cue/status", [1]), "bad_type"),
        (encode("/cue/part/pad/on", [2]), "bad_value"), (encode("/cue/part/pad/channel", [1.5]), "bad_value"),
        (encode("/cue/key", ["J"]), "bad_value"), (encode("/cue/name", ["x" * (MAX_TEXT + 1)]), "bad_value"),
        (encode("/cue/unpin*", []), "unknown_address"), (encode("/cue/take/*", []), "bad_value"),
        (encode("/cue/redo"), "not_ready"),
    ]  # fmt: skip


def test_every_refusal_says_address_code_and_why(port) -> None:
    client = port.client()
    for data, code in REFUSALS:
        refusal = port.answer(client, data)
        assert refusal.address == ERROR and refusal.types == "sss"
        assert refusal.arguments[0] == decode(data)[0].address and refusal.arguments[1] == code
        assert str(refusal.arguments[2]).endswith(".")


def types(address: str, tags: str, body: bytes) -> bytes:
    padded = [text + bytes(4 - len(text) % 4) for text in (address.encode(), b"," + tags.encode())]
    return b"".join(padded) + body


TYPES = [
        ("/cue/swing", ("i", struct.pack(">i", 60)), 60.0), ("/cue/swing", ("f", struct.pack(">f", 60)), 60.0),
        ("/cue/swing", ("d", struct.pack(">d", 60)), 60.0), ("/cue/swing", ("h", struct.pack(">q", 60)), 60.0),
        ("/cue/transpose", ("f", struct.pack(">f", 3)), 3), ("/cue/transpose", ("d", struct.pack(">d", 3)), 3),
        ("/cue/part/bass/on", ("F", b""), False), ("/cue/part/bass/on", ("i", struct.pack(">i", 0)), False),
        ("/cue/part/bass/on", ("f", struct.pack(">f", 0)), False),
        ("/cue/part/bass/on", ("d", struct.pack(">d", 0)), False),
        ("/cue/activity", ("N", b""), "picture"), ("/cue/harmonic_rhythm", ("i", struct.pack(">i", 2)), "2"),
    ]  # fmt: skip


def test_types_are_taken_for_each_other_where_nothing_is_lost(port) -> None:
    for address, data, value in TYPES:
        answer = port.answer(port.client(), types(address, *data))
        assert answer.address == address and answer.arguments[0] == value


def test_a_time_tag_is_never_waited_for(port) -> None:
    for number, tag in enumerate(NOW_AND_NEVER):
        message = encode("/cue/swing", [61.0 + number])
        answers = port.send(port.client(), b"#bundle\0" + tag + struct.pack(">i", len(message)) + message)
        assert [answer.arguments[0] for answer in answers] == [61.0 + number]


@pytest.mark.parametrize(
    "refused",
    [
        encode("/cue/swing", ["x"]), encode("/cue/nothing"), encode("/cue/redo"), encode("/cue/key", ["J"]),
        encode("/cue/part/pad/low", [127]), encode("/cue/chords/pin", ["Am", 5000.0]),
        encode("/cue/export", ["../x.mid"]),
    ],
)  # fmt: skip
def test_a_bundle_is_done_whole_or_not_at_all(port, refused) -> None:
    """Also where the refusal only comes when the message is done, after others were."""
    session = port.session
    before, steps, asked = session.document, session.history.steps, len(port.made.engine.requests)
    messages = [encode("/cue/transpose", [5]), encode("/cue/mood/dark_light", [70.0]), refused]
    heard = port.answers(port.client(), encode_bundle(messages))
    assert {message.address for message in heard} == {ERROR}
    assert {"/cue/transpose", "/cue/mood/dark_light"} <= {message.arguments[0] for message in heard}
    assert session.document == before and session.history.steps == steps
    port.turn(0.4)
    assert len(port.made.engine.requests) == asked  # nor is it composed for
    good = port.send(port.client(), encode_bundle(messages[:2]))
    assert [message.address for message in good] == ["/cue/transpose", "/cue/mood/dark_light"]
    assert session.document.value("/cue/transpose") == 5


def test_a_refused_bundle_takes_back_what_is_no_edit_too(port) -> None:
    """Loop, knock, kept takes and what is learned are no steps of the history; none of them stays changed."""
    session, learn = port.session, port.controls.midi.learn
    port.send(port.client(), encode("/cue/loop", [True, 2.0, 6.0]))
    takes, bindings = session.takes.table, learn.bindings
    messages = [
        encode("/cue/loop", [True, 1.0, 3.0]), encode("/cue/knock", [True]), encode("/cue/take/keep", ["mine"]),
        encode("/cue/learn/forget"), encode("/cue/learn/pickup", [False]), encode("/cue/learn", ["/cue/swing"]),
    ]  # fmt: skip
    heard = port.send(port.client(), encode_bundle([*messages, encode("/cue/key", ["J"])]))
    assert {message.address for message in heard} == {ERROR} and len(heard) == 7
    assert session.transport.looped == (2.0, 6.0) and not session.arranging.click.on
    assert session.takes.table == takes and not session.takes.any_kept
    assert learn.bindings == bindings and learn.pickup and learn.waiting(time.perf_counter())[0] == ""
    heard = port.send(port.client(), encode_bundle(messages))
    assert ERROR not in {message.address for message in heard}
    assert session.transport.looped == (1.0, 3.0) and session.arranging.click.on and session.takes.any_kept
    assert learn.bindings == () and not learn.pickup


def test_several_clients_hear_what_each_of_them_does(port) -> None:
    clients = [port.client() for _ in range(5)]
    for client in clients:
        heard = port.send(client, encode("/cue/subscribe", ["/cue/swing"]))
        assert ("/cue/swing", (50.0,)) in [(each.address, each.arguments) for each in heard]  # the value at once
    port.send(clients[0], encode("/cue/swing", [66.0]))
    port.turn(0.3)
    for client in clients[1:]:
        assert (66.0,) in [each.arguments for each in port.heard(client)]
    port.send(clients[1], encode("/cue/unsubscribe"))
    port.send(clients[0], encode("/cue/swing", [55.0]))
    port.turn(0.3)
    assert port.heard(clients[1]) == [] and port.heard(clients[2])


def test_it_listens_on_this_machine_only(port) -> None:
    assert port.server.host == "127.0.0.1"
    outside = next((address for address in _addresses() if not address.startswith("127.")), None)
    if outside is None:
        pytest.skip("this machine has no address but its own")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(encode("/cue/swing", [70.0]), (outside, port.server.port))
    port.turn()
    assert port.session.document.value("/cue/swing") == 50.0


def _addresses() -> list[str]:
    try:
        return list(socket.gethostbyname_ex(socket.gethostname())[2])
    except OSError:
        return []


def test_files_go_into_allowed_folders_only(port, tmp_path) -> None:
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    outside.mkdir()
    (allowed / "deep").mkdir()
    os.symlink(outside, allowed / "door")
    (outside / "mine.mid").write_bytes(b"mine")
    os.symlink(outside / "mine.mid", allowed / "link.mid")
    os.symlink(allowed / "round.mid", allowed / "round.mid")
    client = port.client()
    for name in (
        "../out.mid", "deep/../../out.mid", str(outside / "out.mid"), "door/out.mid", "link.mid", "round.mid",
        "/etc/x.mid", "~/x.mid/../../../out.mid", "x.txt", "", ".", "..", "/", "x" * 4000 + ".mid",
        "x" * 300 + ".mid", str(tmp_path / "allowed2" / "x.mid"), "\\\\server\\share\\..\\x.exe",
    ):  # fmt: skip
        refusal = port.answer(client, encode("/cue/export", [name]))
        assert refusal.address == ERROR, name
    for name in ("good.mid", "deep/good.mid", "deep/../also.mid", str(allowed / "whole.mid")):
        answer = exported(port, client, name)
        assert answer.address == "/cue/export", answer
    assert (outside / "mine.mid").read_bytes() == b"mine" and os.listdir(outside) == ["mine.mid"]
    assert {"good.mid", "also.mid", "whole.mid", "deep"} <= set(os.listdir(allowed))


def exported(port, client, *words):
    """The answer, which comes once the file is there."""
    return port.answer(client, encode("/cue/export", list(words)))


def test_a_long_film_is_written_beside_play_and_answered_when_the_file_is_there(port, tmp_path, monkeypatch) -> None:
    written = threading.Event()
    monkeypatch.setattr(
        "bridge.session.file.export._write", lambda path, *made: (written.wait(10), write(path, *made))[1]
    )
    client = port.client()
    assert port.send(client, encode("/cue/export", ["long.mid"])) == []
    other = port.answer(client, encode("/cue/ping", []))
    assert other.address == "/cue/ping" and not (tmp_path / "allowed" / "long.mid").exists()
    written.set()
    answer = port.later(client)
    assert answer.address == "/cue/export" and answer.arguments[1] > 3
    assert mido.MidiFile(answer.arguments[0]).tracks
    monkeypatch.setattr("bridge.session.file.export._write", lambda path, *made: 1 / 0)
    answer = exported(port, client, "long.mid")
    assert answer.address == ERROR and "ZeroDivisionError" in str(answer.arguments[2])


def test_a_file_of_a_person_is_replaced_only_when_that_is_said_and_then_kept_beside(port, tmp_path) -> None:
    mine = tmp_path / "allowed" / "mine.mid"
    mine.write_bytes(b"mine")
    client = port.client()
    refusal = port.answer(client, encode("/cue/export", ["mine.mid"]))
    assert refusal.address == ERROR and "replace" in str(refusal.arguments[2]) and mine.read_bytes() == b"mine"
    answer = exported(port, client, "mine.mid", "replace")
    assert answer.address == "/cue/export" and mido.MidiFile(mine).tracks
    assert mine.with_name("mine.mid.bak").read_bytes() == b"mine"
    answer = exported(port, client, "mine.mid")  # our own from before
    assert answer.address == "/cue/export" and not mine.with_name("mine.mid.bak2").exists()
    mine.write_bytes(b"mine again")
    refusal = port.answer(client, encode("/cue/export", ["mine.mid"]))
    assert refusal.address == ERROR and mine.read_bytes() == b"mine again"


def test_of_two_files_with_one_name_the_later_stays_and_the_end_waits_for_both(port, tmp_path, monkeypatch) -> None:
    order: list[int] = []
    slow = threading.Event()

    def slowly(path, *made) -> int:
        number = len(order)
        order.append(number)
        if not number:
            slow.wait(10)
        path.write_text(str(number))
        return number

    monkeypatch.setattr("bridge.session.file.export._write", slowly)
    client = port.client()
    assert port.send(client, encode("/cue/export", ["one.mid"])) == []
    assert port.send(client, encode("/cue/export", ["one.mid"])) == []
    slow.set()
    port.controls.close()
    assert [each.arguments[1] for each in port.heard(client)] == [0, 1]
    assert (tmp_path / "allowed" / "one.mid").read_text() == "1"


def test_without_a_folder_nothing_is_written(real_stage) -> None:
    port = Port(real_stage(12.0))
    try:
        refusal = port.answer(port.client(), encode("/cue/export", ["x.mid"]))
        assert refusal.arguments[1] == "bad_value" and "--osc-folder" in str(refusal.arguments[2])
    finally:
        port.server.close()


def test_sizes_are_bounded(port) -> None:
    client = port.client()
    many = encode_bundle([encode("/cue/swing", [60.0])] * 300)
    refusal = port.answer(client, many)
    assert refusal.address == ERROR and port.session.document.value("/cue/swing") == 50.0
    refusal = port.answer(client, encode("/cue/swing", [1.0] * 100))
    assert refusal.address == ERROR
    refusal = port.answer(client, encode("/cue/" + "x" * 5000))
    assert refusal.address == ERROR
    refusal = port.answer(client, encode("/cue/name", ["x" * 60_000]))
    assert refusal.address == ERROR and len(encode(ERROR, refusal.arguments)) < 1000


def hits_of(plan: Message) -> list[tuple]:
    assert plan.address == "/cue/tempo/fit/plan" and plan.types == "ii" + "dsfs" * ((len(plan.arguments) - 2) // 4)
    return [tuple(plan.arguments[place : place + 4]) for place in range(2, len(plan.arguments), 4)]


def fitted(port, client, *asked) -> list[Message]:
    """The answer and a message for each plan, which come when the search is done."""
    return port.answers(client, encode("/cue/tempo/fit", list(asked)))


def test_a_long_search_for_a_tempo_holds_nothing_up_and_ends_with_the_run(port) -> None:
    client = port.client()
    for index in range(40):
        port.session.edit(marks.add_hit, 0.5 + index * 0.27)
    assert port.send(client, encode("/cue/tempo/fit", [20.0, 400.0, "bars", 30.0])) == []  # some seconds
    for _ in range(MAX_WAITING):
        client.sendto(encode("/cue/tempo/fit", [80.0, 80.0]), ("127.0.0.1", port.server.port))
    port.turn()
    (refusal,) = port.heard(client)
    assert refusal.address == ERROR and refusal.arguments[:2] == ("/cue/tempo/fit", "busy")
    other = port.answer(client, encode("/cue/ping", []))
    assert other.address == "/cue/ping"
    begun_s = time.perf_counter()
    port.controls.close()
    assert time.perf_counter() - begun_s < 1.0


def test_a_search_without_hits_or_of_no_tempo_is_refused(port) -> None:
    client = port.client()
    assert [each.address for each in port.answers(client, encode("/cue/tempo/fit", [110.0, 70.0]))] == [ERROR]
    port.session.film.analysed = replace(port.session.analysed, cuts=())
    (refusal,) = fitted(port, client, 80.0, 80.0)
    assert refusal.address == ERROR and refusal.arguments[:2] == ("/cue/tempo/fit", "bad_value")
    assert "no hit after bar 1" in refusal.arguments[2]


def test_a_fitted_tempo_tells_each_hits_signed_miss_and_why_a_must_hit_is_refused(port) -> None:
    client, fps = port.client(), float(port.session.analysed.film.rate.fps)
    for second, weight in ((3.0, "must"), (3.6, "should"), (3.2, "must")):
        port.session.edit(marks.add_hit, second, weight)
    answer, plan = fitted(port, client, 80.0, 80.0)  # a beat lasts 0.75 s
    assert answer.address == "/cue/tempo/fit" and len(answer.arguments) == 4 and answer.arguments[:2] == (80.0, 1)
    assert plan.arguments[:2] == (1, 3)
    one, other, later = hits_of(plan)
    assert one == (3.0, "must", 0.0, "") and other[:2] == (3.2, "must") and later[:2] == (3.6, "should")
    assert other[2] == pytest.approx(-0.2 * fps, abs=1e-4)  # the beat at 3.0 s comes before the picture
    assert later[2] == pytest.approx(0.15 * fps, abs=1e-4) and later[3] == ""  # only must hits are refused
    asked = tempo.search(port.session.document, port.session.now(), 80.0, 80.0)
    refusals = fit_tempos(asked.hits, asked.rate, asked.options, (asked.kind,)).refusals
    assert [other[3]] == list(refusals) and "3.200 s is refused: " in other[3] and "half a frame" in other[3]

    answers = fitted(port, client, 80.0, 100.0)
    assert len(answers) == 1 + len(answers[0].arguments) // 4 > 2
    for plan in answers[1:]:
        for _, weight, miss, reason in hits_of(plan):
            refused = weight == "must" and abs(miss) > 0.5
            assert bool(reason) == refused and (not refused or f"{miss:+.2f} frames" in reason)

    none, instead = fitted(port, client, 80.0, 100.0, "ramp")
    assert none.arguments == () and instead.arguments[0] == 0  # no ramp meets both; the best fixed tempo says so
    (reason,) = [hit[3] for hit in hits_of(instead) if hit[3]]
    assert "the best fixed tempo" in reason and reason.endswith("no tempo curve within the limit meets it either.")


def test_of_many_hits_the_refused_and_the_must_hits_are_told(port) -> None:
    client = port.client()
    for index in range(30):
        port.session.edit(marks.add_hit, 1.0 + index * 0.3, "nice")
    port.session.edit(marks.add_hit, 9.0, "must")
    port.session.edit(marks.add_hit, 10.6, "must")
    port.session.edit(marks.add_hit, 10.9, "must")
    _, plan = fitted(port, client, 80.0, 80.0)
    told = hits_of(plan)
    assert plan.arguments[:2] == (1, len(port.session.document.hits)) and len(told) == 15
    assert {10.6, 10.9, 9.0} == {hit[0] for hit in told if hit[1] == "must"}
    assert [hit[0] for hit in told] == sorted(hit[0] for hit in told)
    assert bool(told[-1][3]) and max(hit[0] for hit in told if hit[1] == "nice") < 5.0


@pytest.mark.parametrize(("down", "up"), [(1.0, 0.0), (1, 0), (True, False), (127, 0)])
def test_a_button_does_its_command_once(port, down, up) -> None:
    client = port.client()
    before = len(port.session.takes.of_cue(port.session.document.cue))
    answer = port.answer(client, encode("/cue/panic", [down]))
    assert answer.address == "/cue/panic"
    assert port.send(client, encode("/cue/panic", [up])) == []
    if down != 127:  # there a number is a picture second
        assert [each.address for each in port.send(client, encode("/cue/take/new", [down]))] == ["/cue/take/new"]
        take = port.session.document.take
        assert port.send(client, encode("/cue/take/new", [up])) == [] and port.session.document.take == take
    assert len(port.session.takes.of_cue(port.session.document.cue)) <= before + 1


def test_a_near_miss_is_answered_with_the_right_address(port) -> None:
    client = port.client()
    for wrong, right in (("/cue/pin", "/cue/chords/pin"), ("/cue/swng", "/cue/swing"), ("/cue/Key", "/cue/key")):
        error = port.answer(client, encode(wrong, ["Am"]))
        assert error.address == ERROR and error.arguments[1] == "unknown_address"
        assert str(error.arguments[2]).endswith(f"the nearest is {right}.")
    error = port.answer(client, encode("/cue/" + "zq" * 60))
    assert "nearest" not in str(error.arguments[2])


def test_times_are_sent_as_floats_to_whoever_asks_and_refusals_where_it_listens(port) -> None:
    asking, listening = port.client(), port.client()
    there = listening.getsockname()[1]
    port.send(asking, encode("/cue/subscribe", ["/cue/playhead", there, "f"]))
    (pushed,) = [each for each in port.heard(listening) if each.address == "/cue/playhead"]
    assert "d" not in pushed.types and pushed.types.startswith("ff")
    answer = port.answer(asking, encode("/cue/locate", [2.0]))
    assert answer.types == "f"
    port.heard(listening)
    error = port.answer(asking, encode("/cue/swing", [999]))
    (copy,) = [each for each in port.heard(listening) if each.address == ERROR]
    assert error == copy and error.arguments[0] == "/cue/swing"
    port.send(asking, encode("/cue/subscribe", ["/cue/playhead", there, "d"]))
    assert port.heard(listening)[-1].types.startswith("d")


def test_an_old_address_is_answered_on_itself_and_the_new_name_said_once(port) -> None:
    client = port.client()
    said: list[str] = []
    port.session.say = said.append
    answer = port.answer(client, encode("/cue/follow", [70]))
    assert answer.address == "/cue/follow" and answer.arguments[0] == 70.0
    answer = port.answer(client, encode("/cue/follow_picture"))
    assert answer.address == "/cue/follow_picture" and answer.arguments == (70.0,)
    port.send(client, encode("/cue/follow", [50]))
    assert [each for each in said if "follow_picture" in each] == [
        "/cue/follow is now /cue/follow_picture; the old name still works."
    ]
    heard = port.send(client, encode("/cue/subscribe", ["/cue/frozen"]))
    while "/cue/frozen" not in [each.address for each in heard]:
        heard.append(port.later(client))


def test_a_bundle_cannot_ask_for_work_without_end(port) -> None:
    client = port.client()
    used = time.thread_time()
    heard = port.send(client, encode_bundle([encode("/cue/" + "*a" * 100, [1.0])] * 200))
    assert time.thread_time() - used < 0.2  # the whole turn, with its pauses
    assert {each.address for each in heard} == {ERROR}
    heard = port.answers(port.client(), encode_bundle([encode("/cue/part/*/*")] * 7))  # the first had all its refusals
    assert any(each.arguments[1] == "busy" for each in heard)
