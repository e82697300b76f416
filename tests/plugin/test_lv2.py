"""The LV2 bundle: its description says what the binary does, and the binary plays in a host of ctypes."""

from __future__ import annotations

import ctypes
import re
import struct
from pathlib import Path

import pluginlab
import pytest
from pluginlab import PLUGIN, RATE

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.plugin.plan import ALL_PARTS, PluginPlan
from engine.music.note import Note

ATOM, TIME = "http://lv2plug.in/ns/ext/atom#", "http://lv2plug.in/ns/ext/time#"
MAP = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_char_p)
STORE = ctypes.CFUNCTYPE(
    ctypes.c_uint32,
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_uint32,
    ctypes.c_uint32,
)
RETRIEVE = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_uint32),
    ctypes.POINTER(ctypes.c_uint32),
)  # fmt: skip


class Feature(ctypes.Structure):
    _fields_ = (("uri", ctypes.c_char_p), ("data", ctypes.c_void_p))


class UridMap(ctypes.Structure):
    _fields_ = (("handle", ctypes.c_void_p), ("map", MAP))


_HANDLE = ctypes.c_void_p


class Descriptor(ctypes.Structure):
    _fields_ = (
        ("uri", ctypes.c_char_p),
        ("instantiate", ctypes.CFUNCTYPE(_HANDLE, _HANDLE, ctypes.c_double, ctypes.c_char_p, _HANDLE)),
        ("connect_port", ctypes.CFUNCTYPE(None, _HANDLE, ctypes.c_uint32, _HANDLE)),
        ("activate", ctypes.CFUNCTYPE(None, _HANDLE)),
        ("run", ctypes.CFUNCTYPE(None, _HANDLE, ctypes.c_uint32)),
        ("deactivate", ctypes.CFUNCTYPE(None, _HANDLE)),
        ("cleanup", ctypes.CFUNCTYPE(None, _HANDLE)),
        ("extension_data", ctypes.CFUNCTYPE(_HANDLE, ctypes.c_char_p)),
    )


class State(ctypes.Structure):
    _fields_ = (
        ("save", ctypes.CFUNCTYPE(ctypes.c_uint32, _HANDLE, STORE, _HANDLE, ctypes.c_uint32, _HANDLE)),
        ("restore", ctypes.CFUNCTYPE(ctypes.c_uint32, _HANDLE, RETRIEVE, _HANDLE, ctypes.c_uint32, _HANDLE)),
    )


class Lv2Host:
    """One instance, all ports connected."""

    def __init__(self, library: Path) -> None:
        self.names: dict[str, int] = {}
        self._map = UridMap(None, MAP(lambda _, uri: self.urid(uri.decode())))
        feature = Feature(b"http://lv2plug.in/ns/ext/urid#map", ctypes.cast(ctypes.pointer(self._map), ctypes.c_void_p))
        self._features = (ctypes.POINTER(Feature) * 2)(ctypes.pointer(feature), None)
        entry = ctypes.CDLL(str(library)).lv2_descriptor
        entry.restype, entry.argtypes = ctypes.POINTER(Descriptor), (ctypes.c_uint32,)
        assert not entry(1)
        self.plugin = entry(0).contents
        self.handle = self.plugin.instantiate(None, RATE, b"", ctypes.cast(self._features, ctypes.c_void_p))
        assert self.handle
        self.inbox, self.outbox = ctypes.create_string_buffer(4096), ctypes.create_string_buffer(65536)
        self.audio = [(ctypes.c_float * 8192)(*[1.0] * 8192) for _ in range(2)]
        self.controls = [ctypes.c_float(value) for value in (0.0, 1.0, 0.0)]
        for index, port in enumerate([self.inbox, self.outbox, *self.audio, *self.controls]):
            self.plugin.connect_port(self.handle, index, ctypes.addressof(port))
        self.plugin.activate(self.handle)
        self.frame = 0
        self.heard: list[tuple[int, int, int, int]] = []
        self.kept: dict[int, bytes] = {}

    def urid(self, uri: str) -> int:
        return self.names.setdefault(uri, len(self.names) + 1)

    def position(self, at: int, frame: int, speed: float) -> bytes:
        """A time:Position at a frame of the block."""
        body = struct.pack("<II", 0, self.urid(TIME + "Position"))
        for key, kind, value in (
            ("frame", "Long", struct.pack("<q", frame)),
            ("speed", "Float", struct.pack("<f", speed)),
        ):
            body += struct.pack("<IIII", self.urid(TIME + key), 0, len(value), self.urid(ATOM + kind))
            body += value + bytes(-len(value) % 8)
        return struct.pack("<qII", at, len(body), self.urid(ATOM + "Object")) + body + bytes(-len(body) % 8)

    def run(self, frames: int, *positions: bytes, room: int = 65536) -> None:
        events = b"".join(positions)
        self.inbox[: 16 + len(events)] = struct.pack("<IIII", 8 + len(events), 0, 0, 0) + events
        self.outbox[:16] = struct.pack("<IIII", room - 8, 0, 0, 0)
        self.plugin.run(self.handle, frames)
        (size,) = struct.unpack_from("<I", self.outbox.raw)
        at, out = 16, self.outbox.raw[: 8 + size]
        while at < len(out):
            frame, length, kind = struct.unpack_from("<qII", out, at)
            if kind == self.urid("http://lv2plug.in/ns/ext/midi#MidiEvent"):
                self.heard.append((self.frame + frame, *out[at + 16 : at + 19]))
            at += 16 + (length + 7) // 8 * 8
        assert not any(self.audio[0][:frames]) and not any(self.audio[1][:frames])
        self.frame += frames

    def _state(self) -> State:
        return State.from_address(self.plugin.extension_data(b"http://lv2plug.in/ns/ext/state#interface"))

    def save(self) -> None:
        def store(_, key, value, size, kind, flags):
            self.kept[key] = ctypes.string_at(value, size)
            return 0

        assert self._state().save(self.handle, STORE(store), None, 0, None) == 0

    def restore(self, state: bytes) -> int:
        held = ctypes.create_string_buffer(state, len(state))

        def retrieve(_, key, size, kind, flags):
            size[0], kind[0] = len(state), self.urid(ATOM + "Chunk")
            return ctypes.addressof(held)

        return self._state().restore(self.handle, RETRIEVE(retrieve), None, 0, None)

    def close(self) -> None:
        self.plugin.deactivate(self.handle)
        self.plugin.cleanup(self.handle)


@pytest.fixture
def host(tmp_path, monkeypatch):
    if pluginlab.compiler() is None:
        pytest.skip(pluginlab.NO_COMPILER)
    monkeypatch.setenv("CUEBRIDGE_PLUGIN_LINK", "/nowhere")
    made = Lv2Host(pluginlab.make(tmp_path, "lv2") / "cuebridge.lv2" / "cuebridge.so")
    yield made
    made.close()


def state(notes: list[Note]) -> bytes:
    plan = PluginPlan()
    for message in PlayerMemory(m.PlayerOptions()).plan(1, "seconds", notes, [], -1e9):
        plan.take(message)
    return pluginlab.state_of(plan.body("A film", True).granted(ALL_PARTS))


def test_it_plays_by_the_frame_that_the_host_states(host) -> None:
    assert host.restore(state([Note(40 + i, 80, i * 0.1001, 0.05, 2, "arp") for i in range(40)])) == 0
    host.run(300, host.position(100, 0, 1.0))  # it begins inside the block
    for _ in range(100):
        host.run(1024)
    host.run(1024, host.position(500, 10_000_000, 0.0))
    ons = [each for each in host.heard if each[1] == 0x91]
    last = (101 * 1024 + 200) / RATE
    wanted = [i for i in range(40) if i * 0.1001 < last - 0.012]
    assert [each[2] - 40 for each in ons[: len(wanted)]] == wanted
    for number, each in zip(wanted, ons, strict=False):
        assert abs(each[0] - 100 - number * 0.1001 * RATE) <= 0.5
    sounding = sum(1 if each[1] & 0xF0 == 0x90 else -1 for each in host.heard)
    assert sounding == 0


def test_what_ended_right_before_a_jump_is_ended_once_more(host) -> None:
    """Ardour runs it twice in the block in which its loop turns, and forgets what the first of the two sent."""
    assert host.restore(state([Note(40, 80, 0.0, 0.01, 2, "arp"), Note(48, 80, 0.0, 9.0, 1, "pad")])) == 0
    host.run(1024, host.position(0, 0, 1.0))  # the arpeggio's note ends in it
    before = len(host.heard)
    host.run(272, host.position(0, 0, 1.0))
    again = [each[1:3] for each in host.heard[before:]]
    assert again[:2] == [(0x81, 40), (0x80, 48)] and sorted(again[2:]) == [(0x90, 48), (0x91, 40)]
    assert {each[0] for each in host.heard[before:]} == {1024}
    host.run(752)
    ended = len(host.heard)
    host.run(1024)
    host.run(1024, host.position(0, 0, 1.0))
    assert [each[1:3] for each in host.heard[ended:][:1]] == [(0x80, 48)]  # what ended longer ago is not


def test_varispeed_is_stated_and_exact(host) -> None:
    assert host.restore(state([Note(40 + i, 80, i * 0.1, 0.05, 2, "arp") for i in range(20)])) == 0
    host.run(512, host.position(0, 0, 0.5))
    for _ in range(300):
        host.run(512)
    ons = [each for each in host.heard if each[1] == 0x91]
    for number, each in enumerate(ons):
        assert abs(each[0] - number * 0.1 * RATE / 0.5) <= 0.5
    assert len(ons) == 1 + 301 * 512 // 9600


def test_its_state_is_kept_and_its_controls_are_followed(host) -> None:
    assert host.restore(state([Note(48, 70, 0.0, 9.0, 1, "pad"), Note(60, 70, 0.0, 9.0, 2, "arp")])) == 0
    host.save()
    (kept,) = host.kept.values()
    assert kept[:4] == b"CBPI"
    assert host.restore(kept[:-3]) != 0  # damaged: what was there stays
    host.run(1024, host.position(0, 0, 1.0))
    host.controls[1].value = 0.0
    host.run(1024)
    host.controls[0].value = 1.0  # the pad alone
    host.controls[1].value = 1.0
    host.run(1024)
    assert sorted(host.heard[:2]) == [(0, 0x90, 48, 70), (0, 0x91, 60, 70)]
    assert sorted(each[1:3] for each in host.heard[2:4]) == [(0x80, 48), (0x81, 60)]
    assert [each[1:3] for each in host.heard[4:]] == [(0x90, 48)]


def test_the_description_has_the_ports_of_the_binary() -> None:
    text = (PLUGIN / "lv2" / "cuebridge.ttl").read_text()
    source = (PLUGIN / "src" / "lv2.c").read_text()
    ports = re.search(r"enum \{ (CONTROL.*?), PORTS \}", source).group(1).split(", ")
    assert [int(index) for index in re.findall(r"lv2:index (\d+)", text)] == list(range(len(ports)))
    assert re.findall(r'lv2:symbol "(\w+)"', text) == [
        "control",
        "midi",
        "left",
        "right",
        "part",
        "enabled",
        "freewheel",
    ]
