"""The commands where our code believes that it is on Windows or macOS: what only POSIX or Linux has is not there.

`tests/media/othersystem/sitecustomize.py` hides it from our files in all processes; docs/platforms.md says what that
shows and what it cannot.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "engine" / "media" / "big-buck-bunny-30s.mp4"
SYSTEMS = ("windows", "macos")


def environment(system: str, home: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "tests" / "media" / "othersystem"), str(ROOT)])
    # Temporary files of its own: there no process of this system sees that a folder of the other one is in use.
    temporary = home / f"temporary-{system}"
    temporary.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    shown = {"PYTHONPATH": path, "CUEBRIDGE_SOURCES": str(ROOT), "CUEBRIDGE_SYSTEM": system, "HOME": str(home)}
    shown["TMPDIR"] = str(temporary)
    return kept | shown | {"CUEBRIDGE_CACHE_DIR": str(home / "cache")} | more


def run(system: str, home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "bridge.cli", *words],
        env=environment(system, home, **more),
        cwd=home,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Path:
    """A folder whose name Windows' code pages have as well, with the film in it."""
    folder = tmp_path_factory.mktemp("Spülung é")
    (folder / "Der Bär.mp4").symlink_to(CLIP)
    return folder


@pytest.fixture(scope="module")
def at_home(here) -> bytes:
    """What this system writes."""
    from engine.commands.compose import main

    main([str(here / "Der Bär.mp4"), "-o", str(here / "here.mid"), "--cache-dir", str(here / "cache")])
    return (here / "here.mid").read_bytes()


@pytest.mark.parametrize("system", SYSTEMS)
def test_our_files_see_the_other_system_and_others_do_not(system, here):
    code = (
        "import os, sys, engine.process.priorities as ours, bridge.player.process as player;"
        "print(sys.platform, os.name, hasattr(os, 'nice'), ours.THREADS_HAVE_NICENESS, player.POSIX)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(system, here), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [sys.platform, os.name, "True", "False", str(system == "macos")]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_folder_in_use_is_not_taken_for_left_behind(system, here):
    """Two processes of one system, one of which has a temporary folder and then ends by force."""
    holds = (
        "import time; from engine.music.temporary import TemporaryFolder;"
        "folder = TemporaryFolder(); print(folder.path, flush=True); time.sleep(60)"
    )
    clears = "from engine.music.temporary import clear_left_behind as c; print(len(c()))"
    where = environment(system, here)
    holder = subprocess.Popen([sys.executable, "-c", holds], env=where, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        assert folder.is_dir() and folder.parent.name == f"temporary-{system}"

        def cleared() -> str:
            return subprocess.run([sys.executable, "-c", clears], env=where, stdout=subprocess.PIPE, text=True).stdout

        assert cleared().strip() == "0" and folder.is_dir()
    finally:
        holder.kill()
        holder.communicate()
    assert cleared().strip() == "1" and not folder.exists()


@pytest.mark.parametrize("system", SYSTEMS)
def test_compose_writes_the_same_bytes(system, here, at_home):
    done = run(system, here, "compose", "Der Bär.mp4", "-o", f"{system}.mid", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr.decode("cp1252")
    assert "Written" in done.stdout.decode("cp1252")
    assert (here / f"{system}.mid").read_bytes() == at_home


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("code_page", ["cp437", "cp1252", "cp932", "ascii"])
def test_every_code_page_can_say_what_is_wrong(system, code_page, here):
    done = run(system, here, "compose", "nicht da ♭.mp4", PYTHONIOENCODING=code_page)
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert len(done.stderr.decode(code_page).strip().splitlines()) == 1


@pytest.mark.parametrize("system", SYSTEMS)
def test_live_plays_to_the_end_and_keeps_what_it_played(system, here, at_home):
    words = ["--midi-api", "none", "--play", "--once", "--from", "25", "--no-page", "--osc-port", "off"]
    done = run(system, here, "live", "Der Bär.mp4", *words, "--record", f"take-{system}.mid")
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr.decode()
    assert (here / f"take-{system}.mid").stat().st_size > 100


@pytest.mark.parametrize("system", SYSTEMS)
def test_doctor_says_what_this_system_needs(system, here):
    done = run(system, here, "doctor", "--listen", "0", "--report", f"report-{system}.txt")
    said = done.stdout.decode()
    assert b"Traceback" not in done.stderr and "Traceback" not in said
    assert ("loopMIDI" in said) == (system == "windows")
    assert ("quality of service" in said) == (system == "macos")
    assert str(here) not in (here / f"report-{system}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_page_answers(system, here):
    words = [sys.executable, "-u", "-m", "bridge.cli", "page", "Der Bär.mp4", "--midi-api", "none", "--osc-port", "off"]
    process = subprocess.Popen(
        [*words, "--page-port", "0"],
        env=environment(system, here),
        cwd=here,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert process.stdout is not None
        said = b""
        while (found := re.search(rb"http://[\w.:/?=&#%-]+", said)) is None:
            line = process.stdout.readline()
            assert line, said.decode()
            said += line
        with urllib.request.urlopen(found[0].decode(), timeout=30) as answer:
            assert answer.status == 200 and b"<html" in answer.read().lower()
    finally:
        process.kill()
        process.communicate()
