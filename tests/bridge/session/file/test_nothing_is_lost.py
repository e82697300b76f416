"""Random work on sessions with random faults: at the end the file holds the session, and no foreign file is lost.

The model is what was last decided, and the content of every file that another program or another run has put there.
"""

from __future__ import annotations

import errno
import random
from dataclasses import replace
from pathlib import Path

import pytest
from profiles import count

from bridge.session.edits.values import set_value
from bridge.session.file import autosave as module
from bridge.session.file.autosave import Autosave
from engine.document.file import SessionError, read_session, write_session
from engine.document.file.film_file import fingerprint

OPERATIONS = 20


class Disk:
    """The disk as the session sees it: full, read-only or gone for a while."""

    def __init__(self) -> None:
        self.fault: int | None = None

    def write(self, path: Path, data: bytes) -> None:
        if self.fault is not None:
            raise SessionError(f"the session cannot be written to {path}: fault.", never=self.fault == errno.EACCES)
        write_session(path, data)


@pytest.mark.parametrize("seed", range(count(25)))
def test_the_session_is_there_at_the_end_and_nothing_foreign_is_lost(stage, tmp_path, monkeypatch, seed) -> None:
    dice, disk, said = random.Random(seed), Disk(), []
    monkeypatch.setattr(module, "write_session", disk.write)
    monkeypatch.setattr("bridge.session.file.find.user_folder", lambda: tmp_path / "data")
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film" * 5000)
    session = stage(12.0, film=str(film)).session
    session.film.fingerprint = fingerprint(film)
    assert session.analysed is not None
    session.film.analysed = replace(session.analysed, film=replace(session.analysed.film, path=str(film)))
    autosave = Autosave(session, None, said.append)
    foreign: dict[Path, bytes] = {}
    now_s = 0.0

    def turn() -> None:
        nonlocal now_s
        now_s += 10.0
        autosave.tick(now_s)
        autosave._jobs.join()
        autosave.tick(now_s)

    for number in range(OPERATIONS):
        operation = dice.randrange(9)
        if operation <= 2:
            session.edit(set_value, "/cue/transpose", dice.randrange(-12, 12))
        elif operation == 3:
            disk.fault = dice.choice((errno.ENOSPC, errno.EIO, errno.EACCES))
        elif operation == 4:
            disk.fault = None
        elif operation == 5:  # a version that another run or a person has put there
            path = tmp_path / f"v{dice.randrange(3)}.cuebridge.json"
            if path != autosave.path:
                foreign[path] = f"mine {number}".encode()
                path.write_bytes(foreign[path])
        elif operation == 6:
            path = tmp_path / f"v{dice.randrange(3)}.cuebridge.json"
            with_replace = dice.random() < 0.5
            there = path.exists() and path != autosave.path
            try:
                autosave.save(path, replace=with_replace)
            except SessionError as error:
                assert disk.fault is not None or (there and not with_replace and "replace" in str(error))
            else:
                assert disk.fault is None and (not there or with_replace)
        elif operation == 7 and autosave.path is not None and autosave.path.exists():  # another program writes there
            turn()
            if disk.fault is None:
                foreign[autosave.path] = f"theirs {number}".encode()
                autosave.path.write_bytes(foreign[autosave.path])
        turn()
    session.edit(set_value, "/cue/transpose", 13 + seed % 5)
    if disk.fault is not None:
        autosave.close()
        assert any("not saved" in sentence for sentence in said[-2:])
        return
    turn()
    autosave.close()
    assert autosave.path is not None
    saved = read_session(autosave.path)
    assert saved.steps[saved.index].document == session.document
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for path, content in foreign.items():
        assert content in kept, f"{path.name} is lost"
