"""The way of one change: `/cue/progression` from the datagram to the MIDI output.

    python tests/bench/progression_path.py [--files]

Counts, on the code of `bridge` and `engine` alone: the calls before the request to the engine leaves, and the files
that the whole way enters up to the first `Output.send` of the new chords; --files names them with how often each is
entered from another.  The performer runs in this process; the engine's answer is made up (`sessionlab`).

Of the files before the request three kinds are told apart: the vocabulary that all sides share (no file of it passes
anything on), what every turn of the session enters where nothing has changed, and the rest.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from sessionlab import Stage

from bridge.controls.dispatch import Controls
from bridge.osc.codec import decode, encode
from bridge.osc.server import Datagram
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from bridge.player.performer import Performer
from bridge.player.ports import open_output
from bridge.player.process import _Runner
from bridge.session.session import SessionOptions
from engine.brief import Brief

CO_GENERATOR = 0x20
OURS = (str(ROOT / "bridge"), str(ROOT / "engine"))


VOCABULARY = ("engine/music/", "engine/document/", "bridge/session/now.py", "bridge/player/messages.py")


class SamePlayer(PlayerLink):
    """A player in this process: what would cross the pipe is handled at once."""

    def start(self, timeout_s: float = 10.0):
        output = open_output(PortOptions("none"), self.options.parts)
        self.performer = Performer(self.options, lambda: output, time.perf_counter(), lambda events: None)
        self._handler = SimpleNamespace(performer=self.performer)
        return self.report()

    def close(self, timeout_s: float = 3.0) -> None:
        pass

    def report(self):
        self._status = self.performer.status(time.perf_counter(), "none")
        return self._status

    def _write(self, message: bytes) -> None:
        if message[:1] in b"TBECPSLO!MNAVR":
            _Runner._handle(self._handler, message[:1], message[1:], time.perf_counter())  # type: ignore[arg-type]


class Count:
    """Calls of our functions while it is on, by file; and how often each file is entered from another."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered: Counter[str] = Counter()

    def __enter__(self) -> Count:
        sys.setprofile(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _event(self, frame, event: str, argument: object) -> None:
        name = frame.f_code.co_filename
        code = frame.f_code
        if event != "call" or not name.startswith(OURS) or code.co_flags & CO_GENERATOR or code.co_name == "<listcomp>":
            return  # going on with a generator is no call
        self.calls += 1
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(OURS):
            caller = caller.f_back
        if caller is None or caller.f_code.co_filename != name:
            self.entered[str(Path(name).relative_to(ROOT))] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", action="store_true", help="name each file and how often it is entered")
    arguments = parser.parse_args()
    with SamePlayer(PlayerOptions(ports=PortOptions("none"))) as player:
        made = Stage(player, SessionOptions("film.mp4", tempo=Brief(bpm=120)), 24.0)
        session, engine = made.session, made.engine
        made.ready()
        controls = Controls(session, lambda *answer: None, lambda *refusal: print(refusal))
        made.run(0.1)
        idle = Count()
        with idle:
            session.hurry(answered=False)
            session.tick()
            controls.push(lambda target, datagram: None)
            session.now()
        asked, whole = len(engine.requests), Count()
        engine.hold = True
        sent_requests: list[object] = []  # answered after the count: the engine's work is not the session's
        send, session.send = session.send, sent_requests.append
        data = encode("/cue/progression", ("F#m B7",))
        with whole:
            controls.datagram(Datagram(decode(data), ("127.0.0.1", 9), time.perf_counter()))
            session.hurry(answered=False)
        time.sleep(0.02)  # until moves of a fader would have come to rest
        with whole:
            session.hurry(answered=False)
        for request in sent_requests:
            send(request)
        assert len(engine.requests) == asked + 1
        before = Counter(whole.entered), whole.calls
        message = engine.inbox.pop(0)
        sent: list[bytes] = []
        with whole:
            session.on_engine(message)
            session.hurry(answered=True)
            session.tick()
        player.performer.output.send = lambda *event: sent.append(event)  # type: ignore[method-assign]
        with whole:
            player.play()
            for _ in range(100):
                player.performer.step(time.perf_counter())
                if sent:
                    break
                time.sleep(0.01)
        assert sent, "no note went out"
        session.plan.close()
    print(f"before the request leaves: {before[1]} calls, {_files(before[0])}")
    words = {name for name in before[0] if name.startswith(VOCABULARY)}
    read = (before[0].keys() & idle.entered.keys()) - words
    way = sorted(before[0].keys() - words - read)
    print(f"  {len(words)} vocabulary, {len(read)} entered by every turn, {len(way)} besides: {', '.join(way)}")
    print(f"from datagram to output: {whole.calls} calls, {_files(whole.entered)}")
    for title, entered in (("before the request leaves", before[0]), ("the whole way", whole.entered)):
        if arguments.files:
            print(f"\n{title}:")
            for name, count in entered.most_common():
                print(f"{count:6}  {name}")


def _files(entered: Counter[str]) -> str:
    of_bridge = sum(name.startswith("bridge/") for name in entered)
    return f"{len(entered)} files ({of_bridge} of bridge, {len(entered) - of_bridge} of engine)"


if __name__ == "__main__":
    main()
