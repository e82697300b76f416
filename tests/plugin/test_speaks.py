"""The plugin and CueBridge over loopback: the plan arrives, whoever dies; no part is doubled; no stranger is heard."""

from __future__ import annotations

import os
import random
import select
import shutil
import socket
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from linklab import PATIENCE_S, Bridge, Player, played, running, tune
from pluginlab import RATE, Host, Transport, state_of

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.plugin import wire
from bridge.plugin.instances import Instance, Instances
from bridge.plugin.link import PluginLink
from bridge.plugin.plan import ALL_PARTS, Body, PluginPlan
from engine.music.note import Note


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plugin-link"


def open_host(built, path) -> Host:
    return Host(built.plugin, built.host, environment={"CUEBRIDGE_PLUGIN_LINK": str(path)})


PITCHES = [note.pitch for note in tune()]


def test_the_plan_comes_is_played_saved_and_outlives_cuebridge(either, path) -> None:
    with open_host(either, path) as host:
        with running(path, tune()) as bridge:
            host.answered()
            bridge.until(bridge.has_it(), host)
            assert oct(path.stat().st_mode & 0o777) == "0o600"
            assert played(host) == PITCHES
            assert bridge.player.held == ("pad", "arp", "bass", "melody", "drums")  # the port is silent
            bridge.until(lambda: host.dirty > 0, host)
            (summary,) = bridge.link.summaries
            assert (summary.face, summary.host, summary.parts) == (either.format, either.host.name, bridge.player.held)
            bridge.until(lambda: bridge.link.summaries[0].round_trip_ms is not None, host)
            bridge.play(tune(pitch=41))
            bridge.until(lambda: bridge.link.summaries[0].state == "revision 2", host)
            assert played(host) == [pitch + 1 for pitch in PITCHES]
        assert bridge.player.held == ()  # it ended: the port is asked for nothing any more
        assert not path.exists()
        assert played(host) == [pitch + 1 for pitch in PITCHES]
        host.save()
        host.answered()
    with open_host(either, path) as reopened:
        reopened.load(host.saved[-1])
        assert played(reopened) == [pitch + 1 for pitch in PITCHES]


def test_a_project_with_other_music_is_right_until_a_person_decides(built, path) -> None:
    plan = PluginPlan()
    for message in PlayerMemory(m.PlayerOptions()).plan(3, "seconds", tune(pitch=60), [], -1e9):
        plan.take(message)
    mine = state_of(plan.body("Last week", True).granted(ALL_PARTS))
    with open_host(built, path) as host, running(path, tune()) as bridge:
        host.load(mine)
        host.answered()
        bridge.until(lambda: bridge.link.summaries and "project's own" in bridge.link.summaries[0].state, host)
        assert any("Last week, revision 3" in sentence and "A film, revision 1" in sentence for sentence in bridge.said)
        bridge.play(tune(pitch=42))  # what an analysis brings is nobody's work
        bridge.go_on(0.4, host)
        assert played(host) == [note.pitch for note in tune(pitch=60)]
        assert "arp" in bridge.player.held  # and the port stays out of it
        assert bridge.link.take_over() == 1
        bridge.until(lambda: bridge.link.summaries[0].state == "revision 2", host)
        assert played(host) == [note.pitch for note in tune(pitch=42)]


def test_the_same_music_in_a_reopened_project_is_no_conflict(built, path) -> None:
    with open_host(built, path) as host, running(path, tune()) as bridge:
        host.answered()
        bridge.until(bridge.has_it(), host)
        host.save()
        host.answered()
    with open_host(built, path) as again, running(path, tune()) as bridge:
        again.load(host.saved[0])
        again.answered()
        bridge.until(bridge.has_it(), again)
        assert not any("holds other music" in sentence for sentence in bridge.said)
        assert played(again) == PITCHES


def test_no_part_is_doubled_by_several_instances(built, path) -> None:
    notes = sorted(tune() + tune(part="pad", channel=1), key=lambda note: note.start_beats)
    with running(path, notes) as bridge, open_host(built, path) as every, open_host(built, path) as one:
        every.answered()
        bridge.until(bridge.has_it(2), every)  # the first plays all, the second nothing
        assert sorted(len(each.parts) for each in bridge.link.summaries) == [0, 5]
        one.set(0, 2)  # the arpeggio
        one.block(64, Transport(0.0, rolling=False))
        one.answered()
        bridge.until(lambda: sorted(len(each.parts) for each in bridge.link.summaries) == [1, 4], every)
        bridge.until(bridge.has_it(2), every)
        bridge.go_on(0.6, every)
        channels = []
        for host in (every, one):
            before = len(host.heard)
            played(host)
            channels.append({h.status & 15 for h in host.heard[before:] if h.is_on})
        assert channels == [{0}, {1}]


def test_the_transport_comes_with_the_clock_of_its_block(either, path) -> None:
    with open_host(either, path) as host, running(path, tune()) as bridge:
        host.answered()
        bridge.until(bridge.has_it(), host)
        for number in range(2000):
            host.block(480, Transport(5 + number / 100, beats=10 + number / 50, bpm=120.0, recording=True))
            host.wait(0.01)
            if number >= 40 and len(bridge.player.observed) >= 12:
                break
        host.block(480, Transport(5 + (number + 1) / 100, rolling=False))
        host.answered()
        bridge.until(lambda: bridge.player.observed and bridge.player.observed[-1].rolling is False, host)
    rolling = [said for said in bridge.player.observed if said.rolling]
    assert rolling[0].position_s == 5.0 and rolling[0].position_beats == pytest.approx(10.0)
    assert {said.source for said in rolling} == {"plugin"} and rolling[0].bpm == 120.0 and rolling[0].recording
    assert len(rolling) >= 10
    for first, second in pairwise(rolling):
        assert second.host_s > first.host_s and second.position_s > first.position_s
    assert rolling[-1].host_s <= time.perf_counter()


class Lossy(threading.Thread):
    """Loses, doubles and reorders datagrams on their way."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.to = ("127.0.0.1", port)
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for each in (self.front, self.back):
            each.bind(("127.0.0.1", 0))
        self.client, self.ending, self.kept = None, False, None
        self.draw = random.Random(2)

    def run(self) -> None:
        while not self.ending:
            for each in select.select([self.front, self.back], [], [], 0.05)[0]:
                data, address = each.recvfrom(2000)
                if each is self.front:
                    self.client = address
                self.pass_on(data, each is self.front)

    def pass_on(self, data: bytes, up: bool) -> None:
        chance = self.draw.random()
        out = [] if chance < 0.3 else [data, data] if chance < 0.4 else [data]
        if 0.4 <= chance < 0.5 and self.kept is None:
            self.kept, out = (data, up), []
        elif self.kept is not None and self.kept[1] == up:
            out.append(self.kept[0])
            self.kept = None
        for each in out:
            if up:
                self.back.sendto(each, self.to)
            elif self.client is not None:
                self.front.sendto(each, self.client)


def test_a_plan_in_many_pieces_over_a_lossy_way(built, path) -> None:
    notes = tune(3000)  # 60 pieces
    with running(path, notes) as bridge:
        _, port, token = path.read_text().splitlines()
        lossy = Lossy(int(port))
        path.write_text(f"CueBridge plugin 1\n{lossy.front.getsockname()[1]}\n{token}\n")
        lossy.start()
        with open_host(built, path) as host:
            host.answered()
            bridge.until(bridge.has_it(), host)
            assert played(host) == [note.pitch for note in notes[:50]]
        lossy.ending = True
        lossy.join()


def test_only_this_user_is_listened_to(built, path) -> None:
    with running(path, tune()) as bridge, open_host(built, path) as host:
        os.chmod(path, 0o644)  # another user could have written or read it
        host.answered()
        bridge.go_on(1.2, host)
        assert not bridge.link.summaries
        _, port, token = path.read_text().splitlines()
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        hello = b"\0" * 60
        stranger.sendto(wire.pack(bytes(16), wire.HELLO, 7, 0, 1, hello), ("127.0.0.1", int(port)))  # another token
        stranger.sendto(b"\xff" * 1500, ("127.0.0.1", int(port)))
        stranger.sendto(b"", ("127.0.0.1", int(port)))
        stranger.sendto(wire.pack(bytes.fromhex(token), wire.HELLO, 7, 0, 1, b"short"), ("127.0.0.1", int(port)))
        bridge.go_on(0.1, host)
        os.chmod(path, 0o600)
        bridge.until(bridge.has_it(), host)  # it listens on


def test_a_plugin_of_another_version_is_named_once(path) -> None:
    with running(path, tune()) as bridge:
        _, port, token = path.read_text().splitlines()
        data = bytearray(wire.pack(bytes.fromhex(token), wire.HELLO, 7, 0, 1, b"\0" * 60))
        data[4] = wire.VERSION + 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plugin:
            for _ in range(3):
                plugin.sendto(data, ("127.0.0.1", int(port)))
        bridge.until(lambda: bridge.said)
        (sentence,) = bridge.said
        assert "another CueBridge" in sentence and "cuebridge install-plugin" in sentence
        assert not bridge.link.summaries


@pytest.mark.parametrize("count", [0, 100_000])
def test_a_plan_of_no_note_and_of_very_many(built, path, count) -> None:
    notes = [
        Note(30 + i % 70, 80, i * 0.01, 0.3, i % 4 + 1, ("pad", "arp", "bass", "melody")[i % 4]) for i in range(count)
    ]
    with open_host(built, path) as host, running(path, tune()) as bridge:
        host.answered()
        bridge.until(bridge.has_it(), host)
        bridge.play(notes)
        bridge.until(lambda: bridge.link.summaries[0].state == "revision 2", host)
        should = [note.pitch for note in notes if note.start_beats < 5 - 0.005]
        assert played(host) == should
        host.save()
        host.answered()
    with open_host(built, path) as again:
        again.load(host.saved[-1])
        assert played(again) == should and again.loaded == [True]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can run a host as another user",
)
def test_the_daw_of_another_user_finds_nothing(built) -> None:
    """Whatever the file's mode: it is not that user's own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        plugin, program = (Path(shutil.copy(each, folder)) for each in (built.plugin, built.host))
        path = folder / "plugin-link"
        environment = {"CUEBRIDGE_PLUGIN_LINK": str(path)}
        other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        with running(path, tune()) as bridge:
            for mode in (0o600, 0o644):
                path.chmod(mode)
                with Host(plugin, program, environment=environment, launch=other) as stranger:
                    stranger.answered()
                    bridge.go_on(1.2, stranger)  # it looks twice a second
                    assert not bridge.link.summaries and played(stranger, 1.0) == []
            path.chmod(0o600)
            with Host(plugin, program, environment=environment) as ours:
                ours.answered()
                bridge.until(bridge.has_it(), ours)


def test_the_daw_dies_and_the_port_plays_again(built, path) -> None:
    with running(path, tune()) as bridge:
        with open_host(built, path) as host:
            host.answered()
            bridge.until(bridge.has_it(), host)
            assert bridge.player.held
            host.process.kill()
        bridge.until(lambda: not bridge.link.summaries)
        bridge.until(lambda: bridge.player.held == ())
        with open_host(built, path) as again:
            again.answered()
            bridge.until(bridge.has_it(), again)
            assert played(again) == PITCHES


def test_cuebridge_dies_and_another_takes_its_place(built, path) -> None:
    first = Bridge(path, tune())
    with open_host(built, path) as host:
        host.answered()
        first.until(first.has_it(), host)
        first.link._ending = True  # no farewell reaches anybody: as if it had been killed
        first.link.instances.known.clear()
        first.link._thread.join()
        with running(path, tune()) as second:  # the same music, as a restored session has it
            second.until(second.has_it(), host)
            assert played(host) == PITCHES
            second.play(tune(pitch=45))
            second.until(lambda: second.link.summaries[0].state == "revision 2", host, person=True)
            assert played(host) == [note.pitch for note in tune(pitch=45)]
    assert host.rate == RATE


def test_a_project_that_is_loaded_while_a_plan_comes_is_not_overwritten(built, path) -> None:
    """Hosts make the instance first and load the project's state into it a moment later."""
    plan = PluginPlan()
    for message in PlayerMemory(m.PlayerOptions()).plan(3, "seconds", tune(pitch=60), [], -1e9):
        plan.take(message)
    mine = state_of(plan.body("Last week", True).granted(ALL_PARTS))
    for wait_s in (0.0, 0.5, 0.55, 0.6, 0.65, 0.7):
        with running(path, tune(2000)) as bridge, open_host(built, path) as host:
            host.wait(wait_s)
            host.load(mine)
            host.answered()
            own = lambda: [each for each in bridge.link.summaries if "project's own" in each.state and each.parts]  # noqa: E731
            bridge.until(own, host)  # and the port has left it the parts
            assert played(host) == [note.pitch for note in tune(pitch=60)]


def test_a_run_is_found_again_when_a_later_one_ends(built, path) -> None:
    with running(path, tune()) as first:
        with running(path, tune(pitch=45)):
            pass
        with open_host(built, path) as host:
            host.answered()
            first.until(first.has_it(), host)
            assert played(host) == PITCHES


def test_nobody_waits_while_a_plan_is_packed(path, monkeypatch) -> None:
    packing, packed = threading.Event(), threading.Event()

    def slowly(plan: PluginPlan, film: str, complete: bool):
        packing.set()
        assert packed.wait(PATIENCE_S)
        return body(plan, film, complete)

    body = PluginPlan.body
    monkeypatch.setattr(PluginPlan, "body", slowly)
    with running(path, tune()) as bridge:
        _, port, token = path.read_text().splitlines()
        instance = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        hello = wire.pack(bytes.fromhex(token), wire.HELLO, 7, 0, 1, bytes(60))
        instance.sendto(hello, ("127.0.0.1", int(port)))
        assert packing.wait(PATIENCE_S)
        began_s = time.monotonic()
        bridge.play(tune(2000))
        bridge.link.follow("Another film", True, False, bridge.player.status())
        assert time.monotonic() - began_s < PATIENCE_S / 2
        packed.set()
        instance.close()


def test_a_film_whose_name_is_no_text_is_sent(built, path) -> None:
    """As a file of another encoding is named: os.fsdecode."""
    with open_host(built, path) as host, running(path, tune(), film="caf\udce9.mp4") as bridge:
        host.answered()
        bridge.until(bridge.has_it(), host)
        assert played(host) == PITCHES
        host.save()
        host.answered()
        assert b"caf?.mp4" in host.saved[-1]


class Flooded:
    """A socket at which another datagram is always there: its sender is faster than any reader."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner, self.read = inner, 0

    def fileno(self) -> int:
        return self.inner.fileno()

    def getsockname(self) -> tuple[str, int]:
        return self.inner.getsockname()

    def recvfrom(self, size: int) -> tuple[bytes, tuple[str, int]]:
        self.read += 1
        assert self.read < 10_000, "it reads on and on"
        return bytes(size), ("127.0.0.1", 9)


def test_whoever_floods_the_port_holds_nothing_up(path) -> None:
    link = PluginLink(Player(), [].append, path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inner:
        inner.bind(("127.0.0.1", 0))
        inner.sendto(b"!", inner.getsockname())
        flooded = Flooded(inner)
        for turn in range(3):
            link._turn(flooded)
            assert flooded.read > turn


def test_without_a_home_folder_a_run_goes_on(monkeypatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.delenv("CUEBRIDGE_PLUGIN_LINK", raising=False)
    with running(None, tune()) as bridge:
        assert bridge.said == ["plugins cannot find this run: plugin-link (your home folder is not known: set HOME)."]


@pytest.mark.parametrize("spoil", ["a file for a folder", "a folder for a file", "no text"])
def test_without_a_file_for_its_key_a_run_goes_on_and_leaves_nothing(tmp_path, spoil) -> None:
    path = tmp_path / "below" / "plugin-link"
    if spoil == "a file for a folder":
        path.parent.write_text("mine")
    elif spoil == "a folder for a file":
        path.mkdir(parents=True)
    with running(path, tune()) as bridge:
        if spoil == "no text":
            path.write_bytes(b"\xff\xfe")
        else:
            assert ["cannot find this run" in sentence for sentence in bridge.said] == [True]
    if spoil == "a file for a folder":
        assert path.parent.read_text() == "mine"
    else:
        assert [each.name for each in path.parent.iterdir()] == ["plugin-link"]


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (("Reel", 3), ("Reel", 5), "other music for Reel (revision 3) than this session (revision 5)"),
        (("Reel", 3), ("Reel", 3), "other music for Reel (of another run) than this session (of this one)"),
        (("Reel", 3), ("Spot", 3), "other music (Reel, revision 3) than this session (Spot, revision 3)"),
        (("", 1), ("", 1), "other music (of another run) than this session (of this one)"),
        (("", 1), ("Spot", 1), "other music (no film, revision 1) than this session (Spot, revision 1)"),
        (("n" * 127, 1), ("n" * 200, 2), f"other music for {'n' * 127} (revision 1) than this session (revision 2)"),
    ],
)
def test_other_music_is_named_by_what_tells_it_apart(theirs, ours, said) -> None:
    hello = wire.Hello(0, "CLAP", 0, True, False, False, 77, theirs[1], 0, 0, 0, 0, 0, "", theirs[0])
    instances = Instances(bytes(16), 1)
    instances.body = Body(1, ours[1], True, ours[0], (), b"")
    sentence = instances.conflict_of(Instance(1, ("127.0.0.1", 1), 1, hello, 0.0))
    assert f"the DAW's project holds {said}: the project's plays until" in sentence
