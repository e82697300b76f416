"""`cuebridge doctor --osc` against a running `live`, and against a server that breaks the rules."""

import json
import socket
import subprocess
import threading
import time

import pytest
from livelab import COMMAND, Live, environment, short_film

from bridge.controls.conformance import check_every_address
from bridge.osc.codec import decode, encode
from engine.music.controls import CONTROLS

pytestmark = pytest.mark.slow


def doctor(home, port: int) -> tuple[int, list[dict]]:
    result = subprocess.run(
        [*COMMAND, "doctor", "--osc", "--osc-port", str(port), "--json"],
        capture_output=True, text=True, env=environment(home), timeout=200,
    )  # fmt: skip
    return result.returncode, json.loads(result.stdout)


def test_every_address_passes_and_everything_is_as_before(tmp_path) -> None:
    film = short_film(tmp_path / "short.mp4", 6.0)
    with Live(film, tmp_path, "--midi-api", "none", "--no-session") as live:
        live.ready()
        live.send("/cue/swing", 58.0)
        before = {each.address: live.send(each.address).params for each in CONTROLS if each.access == "value"}
        code, findings = doctor(tmp_path, live.osc_port)
        bad = [finding for finding in findings if finding["ok"] is not True]
        assert code == 0 and not bad, bad
        assert {each.address for each in CONTROLS} <= {finding["name"] for finding in findings}
        changed = [finding["name"] for finding in findings if "and back" in finding["found"]]
        assert len(changed) > 0.8 * len(before), sorted(set(before) - set(changed))
        after = {address: live.send(address).params for address in before}
        assert after == before
        assert next(iter(live.send("/cue/edits").params)) == "swing"
        # While it plays nothing is changed.
        live.send("/cue/loop", True, 0.0, 5.0)
        live.send("/cue/play")
        live.wait(lambda line: line.get("state") == "playing", "playing")
        code, findings = doctor(tmp_path, live.osc_port)
        # The loop moved on, and what was refused or set went on being so.
        assert code == 0, [finding for finding in findings if finding["ok"] is not True]
        assert not any("and back" in finding["found"] for finding in findings)
        assert live.quit() == 0


def test_nobody_there_is_said(tmp_path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as quiet:
        quiet.bind(("127.0.0.1", 0))
        code, findings = doctor(tmp_path, quiet.getsockname()[1])
    assert code == 2 and "nothing answers" in findings[0]["found"]


def test_a_server_that_takes_everything_is_found_out() -> None:
    """It answers each message on its address with what it was sent: it pushes nothing and refuses nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        done = threading.Event()

        def serve() -> None:
            server.settimeout(0.1)
            while not done.is_set():
                try:
                    data, sender = server.recvfrom(65_507)
                except TimeoutError:
                    continue
                for message in decode(data):
                    server.sendto(encode(message.address, message.arguments or (0.5, False)), sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        checks = check_every_address("127.0.0.1", server.getsockname()[1])
        began = time.monotonic()
        first = [next(checks) for _ in range(3)]
        done.set()
        thread.join()
    assert all(ok is False for _, ok, _ in first), first
    assert time.monotonic() - began < 60
