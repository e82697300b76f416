"""Writing files: whole or not at all, never over something else, never as something else."""

from __future__ import annotations

import os
import stat

import pytest

from engine.music import UserError, shown
from engine.music.files import keep_beside, write_whole


def test_a_symbolic_link_is_followed_and_the_mode_is_kept(tmp_path) -> None:
    real, link = tmp_path / "real.mid", tmp_path / "link.mid"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new" and stat.S_IMODE(real.stat().st_mode) == 0o640
    dangling = tmp_path / "later.mid"
    dangling.symlink_to(tmp_path / "made.mid")
    write_whole(dangling, b"x")
    assert dangling.is_symlink() and (tmp_path / "made.mid").read_bytes() == b"x"


def test_a_new_file_has_the_mode_that_the_user_wants(tmp_path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_devices_pipes_and_folders_are_refused_and_stay(tmp_path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, "/dev/null"):
        with pytest.raises(UserError, match="name a file"):
            write_whole(path, b"x")
    assert stat.S_ISFIFO(fifo.stat().st_mode) and stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_nothing_is_left_where_writing_fails(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old" and [each.name for each in tmp_path.iterdir()] == ["a"]


def test_copies_beside_are_never_overwritten(tmp_path) -> None:
    path = tmp_path / "mine.mid"
    assert keep_beside(path) is None
    kept = []
    for content in (b"1", b"2", b"3"):
        write_whole(path, content)
        kept.append(keep_beside(path))
    assert [copy.name for copy in kept] == ["mine.mid.bak", "mine.mid.bak2", "mine.mid.bak3"]
    assert [copy.read_bytes() for copy in kept] == [b"1", b"2", b"3"]
    long = tmp_path / ("é" * 126 + ".m")
    write_whole(long, b"x")
    assert keep_beside(long).read_bytes() == b"x"


def test_names_are_shown_without_what_a_terminal_obeys() -> None:
    assert shown("a\x1b[2Jb\udcff.mp4") == "a�[2Jb�.mp4" and len(shown("x" * 5000)) <= 120
