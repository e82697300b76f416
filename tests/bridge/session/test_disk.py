"""A file system that does not answer holds no turn: the session asks the disk nothing that it has to wait for."""

from __future__ import annotations

import builtins
import io
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from offlinelab import hurried

from bridge.controls.dispatch import Controls
from bridge.osc.codec import decode, encode
from bridge.osc.server import Datagram
from bridge.player.messages import SentEvent
from bridge.session.edits.values import set_value
from bridge.session.file.autosave import Autosave
from bridge.session.file.export import RecordingFile

ASKER = ("127.0.0.1", 5000)
CALLS = (
    "access", "chmod", "link", "listdir", "lstat", "mkdir", "open", "readlink", "remove", "rename", "replace",
    "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime",
)  # fmt: skip


class Disk:
    """What lies in a folder.  touched: what the session's thread has asked of it; while it hangs other threads wait."""

    def __init__(self, monkeypatch, folder: Path) -> None:
        self.folder, self.touched = str(folder), []
        self.answers, self.session = threading.Event(), threading.current_thread()
        self.answers.set()
        self.watched = False
        for module, names in ((os, CALLS), (io, ("open",)), (builtins, ("open",))):
            for name in names:
                monkeypatch.setattr(module, name, self._asked(name, getattr(module, name)))

    def hangs(self) -> None:
        self.answers.clear()
        hurried()

    def _asked(self, name, real):
        def asked(*given, **more):
            place = given[0] if given else None
            if isinstance(place, (str, os.PathLike)) and os.fspath(place).startswith(self.folder):
                if threading.current_thread() is not self.session:
                    self.answers.wait(30)
                elif self.watched:
                    self.touched.append((name, os.fspath(place)))
            return real(*given, **more)

        return asked


@pytest.fixture
def disk(monkeypatch, tmp_path):
    (tmp_path / "films").mkdir()
    return Disk(monkeypatch, tmp_path / "films")


@pytest.fixture
def made(stage, disk):
    """As `live` puts it together."""
    films = Path(disk.folder)
    for name in ("one", "two"):
        (films / f"{name}.mp4").write_bytes(name.encode() * 5000)
    (films / "marks.csv").write_text("Name,Timecode In\ndoor,00:00:02:00\n")
    (films / "mine.mid").write_bytes(b"mine")
    made = stage(20.0, film=str(films / "one.mp4"))
    session = made.session
    made.autosave, made.file = Autosave(session, None, made.said.append), RecordingFile(session)
    made.recording = films / "played.mid"

    def leave(film):
        made.file.leave(made.recording)
        session.recorder.clear()
        return made.autosave.leave(film)

    session.leave_film, session.look_for_session = leave, made.autosave.look
    made.answers, made.refused = [], []
    made.controls = Controls(
        session,
        lambda target, address, values: made.answers.append((address, values)),
        lambda target, address, code, sentence: made.refused.append((address, code, sentence)),
        folders=[films],
        save=lambda path, replace, done: made.autosave.save_later(path and Path(path), done, replace=replace),
    )
    step = made.step

    def turn() -> None:
        step()
        made.autosave.tick(session.clock.now())
        made.controls.push(lambda *given: None)

    made.step = turn
    yield made
    disk.answers.set()
    made.controls.close()
    made.autosave.close()
    made.file.end()


def ask(made, address, *arguments) -> None:
    made.controls.datagram(Datagram(decode(encode(address, arguments)), ASKER, 0.0))


REQUESTS = [
    ("/cue/export", "new.mid"), ("/cue/export", "mine.mid", "replace"), ("/cue/export", "mine.mid"),
    ("/cue/save", "v2.cuebridge.json"), ("/cue/save",), ("/cue/film/load", "two.mp4"), ("/cue/film/load", "one.mp4"),
    ("/cue/markers/load", "marks.csv", "take", "", "00:00:00:00"), ("/cue/theme/load", "mine.mid"),
    ("/cue/conform", "two.mp4"),
]  # fmt: skip


@pytest.mark.parametrize("saved", [True, False], ids=["saved before", "never saved"])
@pytest.mark.parametrize("request_", REQUESTS, ids=" ".join)
def test_whoever_names_a_file_waits_alone(made, disk, request_, saved) -> None:
    session = made.session
    made.ready()
    session.edit(set_value, "/cue/transpose", 1)
    if saved:
        made.run(1.0)
    disk.hangs()
    disk.watched = True
    began_s = time.monotonic()
    for _ in range(40):  # no turn waits for each of them
        ask(made, *request_)
    for _ in range(5):
        made.step()
        ask(made, "/cue/ping")
    assert [address for address, _ in made.answers].count("/cue/ping") == 5
    assert time.monotonic() - began_s < 1.0
    disk.answers.set()
    end_s = time.monotonic() + 30.0
    while not [each for each in (*made.answers, *made.refused) if each[0] == request_[0] and "busy" not in each]:
        assert time.monotonic() < end_s, "nobody has answered"
        made.step()
        time.sleep(0.001)
    assert disk.touched == []


@pytest.mark.parametrize("hangs", [False, True])
def test_a_film_is_left_without_waiting_for_its_recording_and_its_session(made, disk, hangs) -> None:
    session, films = made.session, Path(disk.folder)
    made.ready()
    made.file.begin(made.recording)
    session.recorder.add([SentEvent(1.0, 1.0, 0x90, 60, 80, 0), SentEvent(2.0, 2.0, 0x80, 60, 0, 0)])
    session.edit(set_value, "/cue/transpose", 3)
    made.run(1.0)
    made.autosave._jobs.join()
    session.edit(set_value, "/cue/transpose", 4)
    made.engine.film = replace(made.engine.film, path=str(films / "two.mp4"))
    disk.watched = True
    ask(made, "/cue/film/load", "two.mp4")
    made.until(lambda: session.film.coming is not None)
    if hangs:
        disk.hangs()
    longest_s, end_s = 0.0, time.monotonic() + 30.0
    while session.film.name != "two.mp4":
        assert time.monotonic() < end_s
        began_s = time.monotonic()
        made.step()
        longest_s = max(longest_s, time.monotonic() - began_s)
        made.pause(0.01)
    assert longest_s < 0.5 and disk.touched == []
    assert not (films / "played.mid").exists() or not hangs
    disk.answers.set()
    disk.watched = False
    made.autosave._jobs.join()
    made.file.end()
    assert (films / "played.mid").exists() and not list(films.glob("*.playing"))
    assert "4" in (films / "one.cuebridge.json").read_text()
