"""The server's own process on loopback: routes, sockets, films, work, and its death."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest
from livelab import CLIP, short_film
from pagelab import SAME_ORIGIN, PageProcess, Socket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bridge.page import messages as p
from bridge.page.protocol import FILM_STREAM, unpack_sound
from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from engine.music import Note


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with PageProcess(tmp_path_factory.mktemp("page"), upload_bytes=200_000) as page:
        yield page


def note(start: float, pitch: int = 60) -> Note:
    return Note(pitch, 90, start, 0.5, 1, "pad")


def told(page: PageProcess, revision: int, *notes: Note, from_s: float = 0.0) -> None:
    """The player is told a plan."""
    for message in PlayerMemory(m.PlayerOptions()).plan(revision, "seconds", notes, (), from_s):
        page.link.take_player_message(message)


@contextmanager
def film(page: PageProcess, path=CLIP):
    """A film whose facts are known; None again at the end."""
    with page.socket() as socket:
        page.tell(p.FilmOf(str(path), path.name))
        seen = socket.until(lambda each: (each.get("film") or {}).get("id") or (each.get("film") or {}).get("fault"))
        try:
            yield seen["film"], socket
        finally:
            page.tell(p.FilmOf(""))
            socket.until(lambda each: each.get("state", {}).get("phase") == "empty")


def test_a_page_gets_the_state_then_what_changes_of_it(page) -> None:
    page.tell(p.Values(1.0, (("/cue/tempo", (96.0,)), ("/cue/key", ("Am",)))))
    with page.socket() as first, page.socket() as second:
        assert first.state["values"]["/cue/tempo"] == [96.0] and first.state["phase"] == "empty"
        assert first.name != second.name
        page.tell(p.Values(2.0, (("/cue/tempo", (98.0,)),)), p.Rows("hits", ((1.0, "must", "door"),)))
        for socket in (first, second):
            assert socket.until(lambda each: "set" in each) == {"set": "/cue/tempo", "args": [98.0], "t": 2.0}
            changed = {"list": "hits", "at": 0, "delete": 0, "rows": [[1.0, "must", "door"]]}
            assert socket.until(lambda each: "list" in each) == changed
    page.tell(p.Rows("hits", ()))
    assert page.browser.get("/state").json()["values"]["/cue/key"] == ["Am"]


def test_what_a_page_does_reaches_the_bridge_and_only_that_page_hears_the_answer(page) -> None:
    while not page.asked.empty():
        page.asked.get()
    with page.socket() as first, page.socket() as second:
        answer = first.ask("/cue/chords/pin", "E7", 19.619, g="d3")
        assert answer == {"id": 1, "ok": ["E7", 19.619], "heard": 1.5}
        asked = next(each for each in iter(page.asked.get, None) if isinstance(each, p.Do))
        assert (asked.address, asked.arguments, asked.gesture) == ("/cue/chords/pin", ("E7", 19.619), "d3")
        page.tell(p.Answer(asked.client, asked.id, (), 2.5, late=True))
        assert first.until(lambda each: "id" in each) == {"id": 1, "heard": 2.5}
        page.tell(p.Said(3.0, "end"))
        second.until(lambda each: each.get("say") == "end")
        assert not any("id" in each for each in second.seen)
        first.send({"clock": 3})
        before_s = time.perf_counter()
        clock = first.until(lambda each: "clock" in each)
        assert clock["clock"] == 3 and abs(clock["t"] - before_s) < 10.0  # of one machine, however late


@pytest.mark.parametrize(
    "message",
    [
        "{", "[1]", "5", '{"id":1}', '{"id":1,"do":7}', '{"id":1,"do":"/cue/play","args":{}}', "[" * 5000,
        '{"id":"x","do":"/cue/play"}', '{"id":1,"do":"/cue/play","try":"/cue/play"}',
        '{"id":1,"do":"/cue/locate","args":[NaN]}', '{"id":1,"do":"/cue/locate","args":[[1]]}',
        '{"id":1,"do":"/page/nothing"}', '{"id":1,"do":"/page/save","args":[7]}',
        '{"id":1,"do":"/page/save","args":["mp4",{"loudness":"x"}]}', '{"id":1,"do":"/page/film/upload","args":["u9"]}',
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_and_the_socket_stays(page, message) -> None:
    with page.socket() as socket:
        socket.send(message)
        refused = socket.until(lambda each: "error" in each)
        assert refused["error"][0] in ("bad_type", "bad_value", "unknown_address") and refused["error"][1]
        assert socket.ask("/cue/ping")["ok"] == []


def test_a_socket_without_the_secret_is_closed(page) -> None:
    for hello in ("wrong", 7, page.browser.token):
        socket = Socket(page.browser, hello=hello)
        with pytest.raises(ConnectionClosed) as closed:
            socket.next()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403
    with pytest.raises(InvalidStatus):
        Socket(page.browser, origin="http://evil.example")
    socket = Socket(page.browser, "sound", hello="wrong")
    with pytest.raises(ConnectionClosed):
        socket.next()


def test_tiles_of_notes_come_by_revision(page) -> None:
    with page.socket() as socket:
        told(page, 1, note(1.0), note(11.0))
        first = socket.until(lambda each: "plan" in each)
        assert first["tiles"] == [0, 1] and (first["from"], first["to"]) == (1.0, 11.5)
        told(page, 2, note(11.0, 64), from_s=10.0)
        second = socket.until(lambda each: "plan" in each)
        assert second["tiles"] == [1] and second["plan"] == first["plan"] + 1
    revision = second["plan"]
    tile = page.browser.get(f"/notes/{revision}/1.bin")
    assert tile.status_code == 200 and "immutable" in tile.headers["cache-control"] and tile.content[16 + 9] == 64
    assert page.browser.get(f"/notes/{first['plan']}/1.bin").status_code == 410
    assert page.browser.get(f"/notes/{first['plan']}/0.bin").status_code == 200
    assert page.browser.get(f"/notes/{revision}/counts.bin").content[12] == 2
    assert page.browser.get("/notes/x/1.bin").status_code == 404


def test_the_film_is_sent_in_ranges_and_nothing_beside_it(page) -> None:
    size = CLIP.stat().st_size
    with film(page) as (facts, _):
        video = facts["video"]
        assert facts["duration_s"] == 30.0 and facts["fps"] == [24, 1] and facts["sound"] is True
        whole = page.browser.get(video)
        assert whole.status_code == 200 and len(whole.content) == size and whole.headers["accept-ranges"] == "bytes"
        part = page.browser.get(video, Range="bytes=100-199")
        assert part.status_code == 206 and part.headers["content-range"] == f"bytes 100-199/{size}"
        assert part.content == CLIP.read_bytes()[100:200]
        assert page.browser.get(video, Range=f"bytes={size}-").status_code == 416
        for path in (
            f"/film/{facts['id']}/../../etc/passwd",
            "/static/../app.py",
            "/static/..%2fapp.py",
            "/film/x/video",
        ):
            assert asked_raw(page, path) == 404, path
    assert page.browser.get(video).status_code == 404


def test_thumbnails_and_the_overview_of_the_sound(page) -> None:
    with film(page) as (facts, socket):
        base = f"/film/{facts['id']}"
        tile = page.browser.get(f"{base}/thumbnails/0.jpg")
        assert tile.status_code == 200 and tile.headers["content-type"] == "image/jpeg"
        assert tile.content[:2] == b"\xff\xd8"
        assert page.browser.get(f"{base}/thumbnails/3.jpg").status_code == 404
        assert page.browser.get(f"{base}/thumbnails/0.jpg?level=1").status_code == 200
        if not facts["peaks"]:
            socket.until(lambda each: (each.get("film") or {}).get("peaks"))
        peaks = page.browser.get(f"{base}/peaks.bin").content
        assert int.from_bytes(peaks[:4], "little") == 20 and int.from_bytes(peaks[4:8], "little") == 600
        assert len(peaks) == 8 + 1200 and max(peaks[8::2]) > 50


def test_a_reader_of_films_that_dies_comes_back(page) -> None:
    with film(page) as (facts, _), page.socket("sound") as sound:
        base = f"/film/{facts['id']}"
        assert page.browser.get(f"{base}/thumbnails/1.jpg").status_code == 200
        killed = 0
        for child in psutil.Process(page.link.pid).children():
            if "multiprocessing.spawn" in " ".join(child.cmdline()):
                child.kill()
                killed += 1
        assert killed
        tile = page.browser.get(f"{base}/thumbnails/2.jpg")
        if tile.status_code != 200:  # asked while it was dying
            tile = page.browser.get(f"{base}/thumbnails/2.jpg")
        assert tile.status_code == 200
        sound.send({"want": [0, 2], "film": True})
        found: set[int] = set()
        while found != {0, 1}:  # among blocks of the music, whose renderer died as well
            message = sound.next()
            if isinstance(message, bytes):
                stream, _, block, _ = unpack_sound(message)
                found |= {block} if stream == FILM_STREAM else set()


def test_a_film_that_cannot_be_read_is_said(page, tmp_path) -> None:
    path = tmp_path / "h.mov"
    path.write_bytes(b"no film" * 100)
    with film(page, path) as (facts, _):
        assert facts["fault"] and "h.mov is not a film" in facts["sentence"] and not facts["video"]


def test_a_film_that_browsers_cannot_show_gets_a_copy(page, tmp_path) -> None:
    import av

    path = tmp_path / "odd.mkv"
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        picture, out = source.streams.video[0], None
        out = target.add_stream_from_template(picture)
        for packet in source.demux(picture):
            if packet.dts is not None and packet.pts * packet.time_base < 2:
                packet.stream = out
                target.mux(packet)
    with film(page, path) as (facts, socket):
        assert facts["video"] == ""
        made = facts if facts["copy"] == "made" else None
        while made is None:
            seen = socket.until(lambda each: each.get("film"))["film"]
            assert seen["copy"] in ("", "making", "made")
            made = seen if seen["copy"] == "made" else None
        data = page.browser.get(made["video"]).content
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(data)
    times = []
    for each in (copy, path):
        with av.open(str(each)) as container:
            times.append([float(frame.pts * frame.time_base) for frame in container.decode(video=0)])
    assert len(times[0]) == len(times[1]) and max(abs(a - b) for a, b in zip(*times, strict=True)) < 0.002


def asked_raw(page: PageProcess, path: str) -> int:
    """The status of a path as it is written: clients straighten `..` themselves."""
    browser = page.browser
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=10)
    connection.request("GET", path, headers={**browser.cookie, **SAME_ORIGIN})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def posted_head(page: PageProcess, size: int) -> tuple[int, bytes]:
    """The answer to an upload's headers alone."""
    browser = page.browser
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=10)
    connection.putrequest("POST", "/upload")
    ours = {"Origin": browser.base, "X-CueBridge-Secret": browser.secret, "X-File-Name": "h.mov", **SAME_ORIGIN}
    for name, value in {**ours, "Content-Length": str(size)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    try:
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_film_is_uploaded_under_a_name_that_is_no_path(page) -> None:
    with page.socket() as socket:
        answer = page.browser.post("/upload", b"x" * 1000, **{"X-File-Name": "..%2F..%2Fl%C3%A4ufer.mp4"})
        assert answer.status_code == 200 and answer.json()["name"] == "läufer.mp4"
        assert socket.ask("/page/film/upload", answer.json()["upload"])["ok"] == ["läufer.mp4"]
        chosen = next(each for each in iter(page.asked.get, None) if isinstance(each, p.ChooseFilm))
        assert os.path.realpath(chosen.path).startswith(os.path.realpath(page.films))
    for size in (200_001, 10**10):  # refused before a byte is sent
        status, body = posted_head(page, size)
        assert status == 413 and "is the most (--upload-limit)" in json.loads(body)["error"][1]
    untold = page.browser.post("/upload", iter([b"x" * 150_000, b"x" * 150_000]))
    assert untold.status_code == 413
    assert page.browser.post("/upload", b"x", Origin="http://evil.example").status_code == 403
    assert len(list(page.films.iterdir())) == 1


def test_a_film_comes_by_a_link_and_a_dead_link_is_said(page, tmp_path) -> None:
    pytest.importorskip("yt_dlp")
    short_film(tmp_path / "linked.mp4", 0.2)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *words: None  # type: ignore[attr-defined]
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with page.socket() as socket:
            job = socket.ask("/page/film/link", f"{base}/linked.mp4")["ok"][0]
            done = socket.until(lambda each: each.get("job", {}).get("job") == job and finished(each["job"]), 60)
            assert not done["job"]["error"], done
            chosen = next(each for each in iter(page.asked.get, None) if isinstance(each, p.ChooseFilm))
            assert os.path.getsize(chosen.path) == (tmp_path / "linked.mp4").stat().st_size
            job = socket.ask("/page/film/link", f"{base}/none.mp4")["ok"][0]
            done = socket.until(lambda each: each.get("job", {}).get("job") == job and finished(each["job"]), 60)
            assert done["job"]["error"] == "The link gave no film: 404."
            assert socket.ask("/page/film/link", "file:///etc/passwd")["error"][0] == "bad_value"
    finally:
        server.shutdown()
        server.server_close()


def finished(job) -> bool:
    return job["fraction"] == 1.0 or bool(job["error"])


def test_a_server_that_dies_comes_back_on_its_port_with_everything(tmp_path) -> None:
    with PageProcess(tmp_path) as page:
        page.tell(p.Values(1.0, (("/cue/key", ("Am",)),)), p.Rows("cuts", ((1.0, 0.5, "cut"),)), p.Said(1.0, "hello"))
        told(page, 1, note(1.0))
        told(page, 2, note(11.0), from_s=10.0)
        with page.socket() as socket:
            before, port = socket.state, page.link.port
            assert page.link.pid is not None
            os.kill(page.link.pid, signal.SIGKILL)
            with pytest.raises(ConnectionClosed):
                while True:
                    socket.next()
        assert any(isinstance(each, p.ServerFailed) for each in drained(page.asked, 20.0))
        end_s = time.monotonic() + 30
        while True:
            try:
                again = page.socket()
                break
            except (OSError, ConnectionClosed, TimeoutError):
                assert time.monotonic() < end_s
                time.sleep(0.05)
        with again:
            assert page.link.port == port and page.link.restarts == 1
            for name in ("values", "log"):
                assert again.state[name] == before[name]
            assert again.state["lists"]["cuts"] == [[1.0, 0.5, "cut"]]
            if not again.state["plan"]["revision"]:
                again.until(lambda each: "plan" in each)
            assert page.browser.get("/notes/1/1.bin").content[8] == 1


def drained(asked: queue.Queue, patience_s: float):
    end_s = time.monotonic() + patience_s
    while time.monotonic() < end_s:
        try:
            yield asked.get(timeout=0.1)
        except queue.Empty:
            continue


def test_a_port_that_is_taken_is_said_or_another_is_taken(tmp_path) -> None:
    with PageProcess(tmp_path) as page:
        wanted = page.link.options
        other = PageProcess(tmp_path / "other")
        other.link.options = p.PageOptions(wanted.port, "t", "s", "", other.link.options.work)
        assert not other.link.start() and other.link.fault.startswith(f"the page's port {wanted.port} is taken")
        third = PageProcess(tmp_path / "third")
        third.link.options = p.PageOptions(wanted.port, "t", "s", "", third.link.options.work, any_port=True)
        with third:
            assert third.link.port not in (None, wanted.port)


def test_the_table_of_controls_is_there_as_data(page) -> None:
    table = {row["address"]: row for row in json.loads(page.browser.get("/controls.json").content)}
    swing = table["/cue/swing"]
    assert swing["arguments"][0]["low"] == 50 and swing["arguments"][0]["high"] == 75 and swing["undo"] is True
