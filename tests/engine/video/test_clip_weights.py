"""Fetching weights, against a real HTTP server on loopback: whole, resumed, wrong, absent, cut off."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from engine.video.clip_weights import SOURCES, main

DATA = np.random.default_rng(0).bytes(3_000_000)
SHA = hashlib.sha256(DATA).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves DATA with ranges; /short ends early; /whole knows no ranges."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(f"{self.path} {self.headers.get('Range', '')}".strip())
        if self.path.startswith("/none"):
            self.send_error(404, "Not Found")
            return
        start = 0
        wanted = self.headers.get("Range")
        if wanted and not self.path.startswith("/whole"):
            start = int(wanted.split("=")[1].rstrip("-"))
            if start >= len(DATA):
                self.send_error(416)
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        end = start + 1_000_000 if self.path.startswith("/short") else len(DATA)
        self.wfile.write(DATA[start:end])

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_a_file_is_fetched_checked_and_not_fetched_twice(address: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "w.safetensors"
    words = ("clip", "--url", f"{address}/w.safetensors", "--sha256", SHA, "--to", target)
    assert run(*words) == 0
    assert target.read_bytes() == DATA
    assert run(*words) == 0
    assert len(Server.asked) == 1
    assert [file.name for file in target.parent.iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize("kind", ["w", "whole"])
def test_a_broken_download_goes_on(address: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "w.safetensors"
    assert run("clip", "--url", f"{address}/short.safetensors", "--sha256", SHA, "--to", target) == 2
    assert "run this again" in capsys.readouterr().err
    assert not target.exists() and (tmp_path / "w.safetensors.part").stat().st_size == 1_000_000
    assert run("clip", "--url", f"{address}/{kind}.safetensors", "--sha256", SHA, "--to", target) == 0
    assert target.read_bytes() == DATA
    assert Server.asked[1] == f"/{kind}.safetensors bytes=1000000-"


def test_another_file_than_expected_is_thrown_away(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "w.safetensors"
    assert run("clip", "--url", f"{address}/w.safetensors", "--sha256", "0" * 64, "--to", target) == 2
    assert "checksum" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_such_file_no_server_no_address_are_one_sentence(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for url in (f"{address}/none.safetensors", "http://127.0.0.1:1/w.safetensors", "nonsense"):
        assert run("clip", "--url", url, "--sha256", SHA, "--to", tmp_path / "w") == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 3 and said[-1].startswith("cuebridge: ") and said[-1].endswith(".")
    assert run("clip", "--url", f"{address}/w.safetensors", "--to", tmp_path / "w") == 2
    assert "--sha256" in capsys.readouterr().err


def test_a_torchscript_archive_becomes_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    layer = torch.nn.Linear(3, 4)
    archive = tmp_path / "m.pt"
    torch.jit.trace(layer, torch.zeros(1, 3)).save(str(archive))
    monkeypatch.setitem(globals(), "DATA", archive.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        sha = hashlib.sha256(archive.read_bytes()).hexdigest()
        url = f"http://127.0.0.1:{server.server_port}/m.pt"
        assert run("clip", "--url", url, "--sha256", sha, "--to", tmp_path / "m.safetensors") == 0
    finally:
        server.shutdown()
        server.server_close()
    loaded = load_file(tmp_path / "m.safetensors")
    assert torch.equal(loaded["weight"], layer.weight) and torch.equal(loaded["bias"], layer.bias)


def test_every_source_carries_its_checksum() -> None:
    for url in SOURCES.values():
        assert len(url.split("/")[-2]) == 64 and int(url.split("/")[-2], 16)
