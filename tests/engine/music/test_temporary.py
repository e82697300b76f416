"""Folders on the way: gone with their process, however it ended; what is a person's or another's stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from engine.music.temporary import OWNER, TemporaryFolder, clear_left_behind

HOLDS = """
import sys, time
from engine.music.temporary import TemporaryFolder
folder = TemporaryFolder("kind")
(folder.path / "half.bin").write_bytes(bytes(100))
print(folder.path, flush=True)
time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def holder() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_goes_with_its_block_and_its_kind_is_in_its_name(temporary):
    with TemporaryFolder("page") as folder:
        assert folder.parent == temporary and folder.name.startswith("cuebridge-page-")
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_goes_at_the_next_start_and_what_a_living_one_has_stays(temporary):
    dead, left = holder()
    alive, kept = holder()
    try:
        assert left.is_dir()  # the second one has cleared, but not this
        dead.kill()
        dead.wait(10)
        assert (left / "half.bin").exists()
        with TemporaryFolder() as mine:
            assert not left.exists() and kept.is_dir() and mine.is_dir()
            assert clear_left_behind() == [] and mine.is_dir() and (kept / OWNER).is_file()
    finally:
        for process in (dead, alive):
            process.kill()
            process.wait(10)
            assert process.stdout is not None
            process.stdout.close()
    assert clear_left_behind() == [kept]
    assert not list(temporary.iterdir())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="of other systems' processes")
def test_folders_of_earlier_versions_go_when_they_are_old_and_a_persons_own_never_do(temporary):
    old, new, persons = temporary / "cuebridge-abc_1234", temporary / "cuebridge-new", temporary / "cuebridge-notes"
    for folder in (old, new, persons):
        folder.mkdir()
    for folder in (old, new):
        for name in ("film.npz", "seen-4.npz"):
            (folder / name).write_bytes(b"")
    (persons / "film.npz").write_bytes(b"")
    (persons / "music.mid").write_bytes(b"MThd")
    (temporary / "cuebridge-file").write_text("no folder")
    (temporary / "cuebridge-link").symlink_to(persons)
    long_ago_s = time.time() - 2 * 86_400
    for folder in (old, persons):
        os.utime(folder, (long_ago_s, long_ago_s))
    assert clear_left_behind() == [old]
    assert new.is_dir() and (persons / "music.mid").exists() and (temporary / "cuebridge-link").is_symlink()


def test_a_link_in_a_folder_that_is_cleared_is_not_followed(temporary):
    (temporary / "mine").mkdir()
    (temporary / "mine" / "film.mp4").write_text("x")
    process, left = holder()
    (left / "link").symlink_to(temporary / "mine")
    process.kill()
    process.wait(10)
    process.stdout.close()
    assert clear_left_behind() == [left]
    assert (temporary / "mine" / "film.mp4").exists()
