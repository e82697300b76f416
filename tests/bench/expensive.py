"""A hundred datagrams made by hand to cost as much as a datagram can: patterns, bundles, texts, paths, nesting, long
lists, searches.  `LISTED` of them change no music, so that a flood of them can be compared with what is composed.

    python tests/bench/expensive.py [--seconds 7200] [--pins 500]

Prints the most processor time of the session's thread that a turn takes after each of them, over a film of two hours
with 7,200 chords and 500 pins that plays, beside that of turns in which nothing is asked; exits with 1 where a turn
takes more than 20 ms.  No networks: chords are made up at once (`sessionlab`).
"""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from bridge.osc.codec import Argument, encode, encode_bundle

TURN_MS = 20.0
FILM_S = 7200.0


class Expensive(NamedTuple):
    """changes: whether it may change the music, a setting or where the playhead is."""

    name: str
    data: bytes
    changes: bool = False


def _many(address: str, *arguments: Argument, count: int = 256) -> bytes:
    return encode_bundle([encode(address, arguments)] * count)


def _nested(data: bytes, depth: int) -> bytes:
    for _ in range(depth):
        data = encode_bundle([data])
    return data


def _raw(address: str, tags: str, body: bytes = b"") -> bytes:
    head = b"".join(text.encode() + bytes(4 - len(text) % 4) for text in (address, tags))
    return head + body


def _patterns() -> list[Expensive]:
    stars = "*?" * 100
    rows = {
        "alternatives of stars": "/cue/" + "{a,*}" * 6 + "*?" * 100,
        "stars alone": "/" + "*" * 250,
        "stars between letters": "/cue/" + "*a" * 120,
        "stars and question marks": "/" + stars,
        "stars in every part": "/*" * 125,
        "classes": "/cue/" + "[a-z]" * 50,
        "classes turned round": "/cue/" + "[!a]" * 60,
        "class of the whole alphabet": "/cue/[" + "abcdefghijklmnopqrstuvwxyz" * 9 + "]*",
        "many alternatives": "/cue/{" + ",".join("abcdefghij" * 12) + "}*",
        "alternatives that begin alike": "/cue/{" + "a,aa,aaa,aaaa,aaaaa," * 11 + "b}*b",
        "empty alternatives": "/cue/" + "{,}" * 80,
        "nearly an address, fourteen times": "/cue/" + "{chord,chor,cho}" * 14,
        "everything": "/cue/*",
        "everything twice deep": "/cue/*/*",
        "everything thrice deep": "/cue/*/*/*",
        "unclosed": "/cue/{" + "a," * 110,
        "unopened": "/cue/" + "]}" * 110,
        "misspelt, as long as can be": "/cue/" + "chords/pin" * 24,
        "misspelt, short": "/cue/chrods/pim",
    }
    found = [Expensive(f"pattern: {name}", encode(address)) for name, address in rows.items()]
    eight = encode_bundle([encode("/cue/*")] * 8)
    return [*found, Expensive("pattern: everything, eight times in a bundle", eight)]


def _bundles() -> list[Expensive]:
    late = [encode("/cue/chords/pin", ("E7", 1000.0 + 2 * number)) for number in range(255)]
    tempi = [encode("/cue/tempo", [float(90 + number % 2)]) for number in range(256)]
    return [
        Expensive("256 × status", _many("/cue/status")),
        Expensive("256 × all chords", _many("/cue/chords")),
        Expensive("256 × list of chords", _many("/cue/chords/list", 0.0, 1e5)),
        Expensive("256 × list of notes", _many("/cue/notes", 0.0, 1e5)),
        Expensive("256 × list of the end's notes", _many("/cue/notes", 7100.0, 7200.0, "melody")),
        Expensive("256 × list of edits", _many("/cue/edits/list", 0)),
        Expensive("256 × why", _many("/cue/why", 3600.0)),
        Expensive("256 × takes compared", _many("/cue/take/compare", 1, 1)),
        Expensive("256 × a tried move", _many("/cue/try", "/cue/chords/move", 3600.0, 3601.0)),
        Expensive("256 × a tried take", _many("/cue/try", "/cue/take/new")),
        Expensive("256 × a tried tempo", _many("/cue/try", "/cue/tempo", 93.0)),
        Expensive("256 × subscribed to everything", _many("/cue/subscribe", "/cue/*")),
        Expensive("256 × playhead and 256 × beyond", encode_bundle([encode("/cue/playhead")] * 512)),
        Expensive("256 × a pinned chord", encode_bundle([*late, encode("/cue/ping")]), True),
        Expensive("255 × a pinned chord, then refused", encode_bundle([*late, encode("/cue/take/name", (9, "x"))])),
        Expensive("256 × swing", _many("/cue/swing", 60.0), True),
        Expensive("128 × two tempi in turn", encode_bundle(tempi), True),
        Expensive("256 × undo", _many("/cue/undo"), True),
        Expensive("256 × another take", _many("/cue/take/new"), True),
        Expensive("256 × locate", encode_bundle([encode("/cue/locate", [20.0 * n]) for n in range(256)]), True),
    ]  # fmt: skip


def _texts() -> list[Expensive]:
    rows: list[tuple[str, str, tuple[Argument, ...]]] = [
        ("2,000 chords", "/cue/progression", ("C " * 2000,)),
        ("2,000 different chords", "/cue/progression", (" ".join(f"{a}{b}7" for a in "CDEFGAB" for b in "b#" * 60),)),
        ("4,096 blanks", "/cue/progression", (" " * 4096,)),
        ("bars within bars", "/cue/progression", ("|: " * 600 + "C" + " :|" * 600,)),
        ("repeats of repeats", "/cue/progression", ("C x99 " * 500,)),
        ("a repeat without end", "/cue/progression", ("C x" + "9" * 4000,)),
        ("per cents", "/cue/progression", ("C " + "% " * 2000,)),
        ("brackets", "/cue/progression", ("(" * 2000 + "C" + ")" * 2000,)),
        ("one chord of 4,000 alterations", "/cue/progression", ("C" + "#9b9" * 1000,)),
        ("one chord of 2,000 brackets", "/cue/progression", ("C" + "(b9)" * 1000,)),
        ("sharps", "/cue/progression", ("C" + "#" * 4000,)),
        ("slashes", "/cue/progression", ("C" + "/C" * 2000,)),
        ("roman numbers", "/cue/progression", ("bVII/IV " * 500,)),
        ("dashes and commas", "/cue/progression", ("C-,-" * 1000,)),
        ("unicode", "/cue/progression", ("C♯ø△7 " * 600,)),
        ("a key of 4,096 letters", "/cue/key", ("H" * 4096,)),
        ("a key in words", "/cue/key", ("C " + "dorian " * 500,)),
        ("a theme of 2,000 notes", "/cue/theme", ("1:1 2:1 3:1 " * 340,)),
        ("a theme of one number", "/cue/theme", ("9" * 4096,)),
        ("a section's changes", "/cue/sections/add", (10.0, "activity=1;" * 370)),
        ("a picture start", "/cue/picture_starts_at", ("01:" * 1300,)),
    ]
    return [Expensive(f"text: {name}", encode("/cue/try", (address, *given))) for name, address, given in rows]


def _paths() -> list[Expensive]:
    long = "/" + "a/" * 2000
    rows: list[tuple[str, tuple[Argument, ...]]] = [
        ("/cue/export", ("../" * 1300 + "x.mid",)), ("/cue/export", (long + "x.mid",)),
        ("/cue/save", ("/proc/self/mem.cuebridge.json",)), ("/cue/save", ("\x01" * 4000 + ".cuebridge.json",)),
        ("/cue/film/load", ("/dev/zero",)), ("/cue/film/load", ("/proc/kmsg",)), ("/cue/film/load", (long,)),
        ("/cue/markers/load", ("/dev/zero",)), ("/cue/markers/load", ("pipe.edl",)),
        ("/cue/markers/load", ("large.csv",)),
        ("/cue/theme/load", ("pipe.mid",)), ("/cue/theme/load", ("large.musicxml",)),
    ]  # fmt: skip
    return [Expensive(f"path: {address} {str(given[0])[:20]!r}", encode(address, given)) for address, given in rows]


def _shapes() -> list[Expensive]:
    double = struct.pack(">d", 1e300)
    return [
        Expensive("shape: arrays in each other", _raw("/cue/swing", "," + "[" * 5000 + "i" + "]" * 5000, bytes(4))),
        Expensive("shape: 30,000 empty arrays", _raw("/cue/swing", "," + "[]" * 30_000)),
        Expensive("shape: 60,000 arrays that stay open", _raw("/cue/swing", "," + "[" * 60_000)),
        Expensive("shape: 7,000 doubles", _raw("/cue/swing", "," + "d" * 7_000, double * 7_000)),
        Expensive("shape: 60,000 trues", _raw("/cue/swing", "," + "T" * 60_000)),
        Expensive("shape: a blob of 64 kB", _raw("/cue/swing", ",b", struct.pack(">i", 65_000) + bytes(65_000))),
        Expensive("shape: a text of 64 kB", encode("/cue/progression", ["C " * 32_000])),
        Expensive("shape: a text of 64 kB, tried", encode("/cue/try", ["/cue/key", "C" * 65_000])),
        Expensive("shape: 8 bundles in each other", _nested(_many("/cue/status"), 7)),
        Expensive("shape: 2,700 bundles in each other", _nested(encode("/cue/ping"), 2_700)),
        Expensive("shape: 3,000 empty bundles", encode_bundle([encode_bundle([])] * 3_000)),
        Expensive("shape: 4,000 messages", encode_bundle([encode("/cue")] * 4_000)),
        Expensive("shape: 2,000 unknown addresses", encode_bundle([encode(f"/cue/no{n}") for n in range(2_000)])),
        Expensive("shape: 256 unknown addresses", encode_bundle([encode(f"/cue/chrods/p{n}") for n in range(256)])),
    ]  # fmt: skip


def _searches_and_lists() -> list[Expensive]:
    return [
        Expensive("fit: all tempi", encode("/cue/tempo/fit", [20.0, 400.0])),
        Expensive("fit: ramps", encode("/cue/tempo/fit", [20.0, 400.0, "ramp", 50.0])),
        Expensive("fit: from wrong to wrong", encode("/cue/tempo/fit", [400.0, 20.0])),
        Expensive("fit: eight at once", _many("/cue/tempo/fit", 20.0, 400.0, count=9)),
        Expensive("list: all chords of the film", encode("/cue/chords/list", [0.0, 1e5])),
        Expensive("list: chords of the last minute", encode("/cue/chords/list", [7140.0, 7200.0])),
        Expensive("list: all notes of the film", encode("/cue/notes", [0.0, 1e5])),
        Expensive("list: why of the last chord", encode("/cue/why", [7199.0])),
        Expensive("list: all edits", encode("/cue/edits/list", [0])),
        Expensive("list: a chord copied over an hour, tried", encode("/cue/try", ["/cue/chords/copy", 10.0, 7000.0])),
        Expensive("list: all rewritten, tried", encode("/cue/try", ["/cue/chords/rewrite", 0.0, 7200.0])),
        Expensive("list: all locked", encode("/cue/lock", ["all"]), True),
        Expensive("list: all reached by a pattern", encode("/cue/part/*/level", [90.0]), True),
    ]


EXPENSIVE = [*_patterns(), *_bundles(), *_texts(), *_paths(), *_shapes(), *_searches_and_lists()]
LISTED = [each for each in EXPENSIVE if not each.changes]


def prepare(folder: Path) -> None:
    """The files that the datagrams name."""
    import os

    for name in ("pipe.edl", "pipe.mid"):
        os.mkfifo(folder / name)
    (folder / "large.csv").write_text("Name,Timecode In\n" + "x,01:00:00:00\n" * 200_000)
    note = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note>"
    (folder / "large.musicxml").write_text(
        f"<score-partwise><part><measure>{note * 20_000}</measure></part></score-partwise>"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=FILM_S)
    parser.add_argument("--pins", type=int, default=500)
    parser.add_argument("--only", default="", help="those whose names hold this")
    options = parser.parse_args()
    from offlinelab import offline_time

    with tempfile.TemporaryDirectory() as name, offline_time() as clock:
        folder = Path(name)
        prepare(folder)
        return measure(clock, folder, options)


def measure(clock, folder: Path, options: argparse.Namespace) -> int:
    from offlinelab import OfflineStage
    from sessionlab import Engine

    from bridge.commands.live import PIECE_S, keep_collections_short
    from bridge.osc.codec import OscError, decode
    from bridge.osc.server import Datagram
    from bridge.session.session import SessionOptions
    from engine.brief import Brief
    from engine.document import Document, Pin
    from engine.music import Chord

    keep_collections_short()  # as `live`
    pins = tuple(
        Pin(start_s, start_s + 2.0, Chord.parse("E7"), exact=number % 2 == 0)
        for number, start_s in enumerate(options.seconds * (0.5 + n) / options.pins for n in range(options.pins))
    )
    started = SessionOptions("film.mp4", tempo=Brief(bpm=120), document=Document(pins=pins))
    engine = Engine(options.seconds)
    stage = OfflineStage(clock, engine, started, folders=[folder])
    session, player = stage.session, stage.player
    asked: list = []
    written: list[bytes] = []
    answer, deliver = engine.send, player._write

    def turn(act: Callable[[], object] = lambda: None) -> float:
        """Milliseconds of this thread, without what the engine and the player do, which have processes of their own."""
        used_s = time.thread_time()
        with session.plan.turn():
            if stage.controls.busy:
                stage.controls.go_on(PIECE_S)
            act()
            session.hurry(answered=False)
            session.tick()
            stage.controls.push(lambda target, data: None)
        used_ms = (time.thread_time() - used_s) * 1e3
        waiting, written[:] = list(written), []
        for message in waiting:
            deliver(message)
        requests, asked[:] = list(asked), []
        for request in requests:
            answer(request)
        return used_ms

    def turns(count: int, act: Callable[[], object] = lambda: None) -> float:
        """The most of a turn; each answer of the engine is a turn of its own."""
        most_ms = turn(act)
        for _ in range(count):
            player.run_until(clock.now() + 0.02)
            messages, engine.inbox = engine.inbox, []
            for message in messages or [None]:
                most_ms = max(most_ms, turn((lambda m=message: session.on_engine(m)) if message else lambda: None))
            time.sleep(0.001)  # for the threads that arrange
        return most_ms

    def send(address: str, *arguments: Argument) -> None:
        stage.controls.datagram(Datagram(decode(encode(address, arguments)), ("127.0.0.1", 1), clock.now()))

    def settle(limit_s: float = 3.0) -> float:
        most_ms, end_s = 0.0, time.monotonic() + limit_s
        while (stage.controls.busy or not session.idle) and time.monotonic() < end_s:
            most_ms = max(most_ms, turns(1))
        return most_ms

    settle(120.0)
    engine.send = asked.append
    session.send, player._write = asked.append, written.append
    turns(10, lambda: send("/cue/locate", options.seconds / 2))
    turns(50, lambda: send("/cue/play"))

    quiet_ms = max(turns(30) for _ in range(3))
    print(f"{len(EXPENSIVE)} datagrams; {len(stage.session.document.slots)} chords, {len(pins)} pins; "
          f"turns without any: {quiet_ms:.1f} ms at most", flush=True)  # fmt: skip
    worst: list[tuple[float, str]] = []
    for number, each in enumerate(each for each in EXPENSIVE if options.only in each.name):
        try:
            messages = decode(each.data)
            if not messages:
                raise OscError("nothing is asked")
        except OscError:
            worst.append((0.0, f"{each.name} (no OSC)"))
            continue
        datagram = Datagram(messages, ("127.0.0.1", 2000 + number), clock.now())
        most_ms = turns(30, lambda datagram=datagram: stage.controls.datagram(datagram, PIECE_S))
        worst.append((max(most_ms, settle()), each.name))
        if worst[-1][0] > TURN_MS:
            print(f"{worst[-1][0]:8.1f} ms  {each.name}", flush=True)
    worst.sort(reverse=True)
    for most_ms, name in worst[:25]:
        print(f"{most_ms:8.1f} ms  {name}")
    above = sum(most_ms > TURN_MS for most_ms, _ in worst)
    print(f"turns of more than {TURN_MS:g} ms: after {above} of {len(worst)} datagrams")
    stage.close()
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
