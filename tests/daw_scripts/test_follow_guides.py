"""Each guide followed literally, as a new user would: its commands in order, word for word, on a clean account.

`install-script` is run for the folders of all three systems below a temporary home, `compose` writes its file, and
`live` opens its ports on a real JACK server; then the ports, scripts and folders that the page names have to be there.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from livelab import CLIP, environment, free_port

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [
    page
    for page in sorted((ROOT / "docs/daw").glob("*.md"))
    if page.name not in ("README.md", "host-calls.md", "other.md")
]
SYSTEMS = ("macos", "windows", "linux")
LAYOUT = {"windows": {"%localappdata%": "AppData/Local", "%appdata%": "AppData/Roaming"}}


def steps(page: Path) -> list[list[str]]:
    """The commands of a page, in order, as a shell would split them."""
    found = [shlex.split(code.replace("\n", " ")) for code in re.findall(r"`(cuebridge [^`]+)`", page.read_text())]
    return [words for words in found if len(words) > 2]


def named_paths(page: Path) -> list[tuple[str, str]]:
    """(system, folder) of what a page says about where things go."""
    text, found = page.read_text(), []
    for path in re.findall(r"`(~/[^`]+)`", text):
        found.append(("macos" if path.startswith(("~/Library", "~/Music")) else "linux", path[2:]))
    for path in re.findall(r"`((?:%\w+%|Documents)\\[^`]+)`", text):
        for short, folder in LAYOUT["windows"].items():
            path = path.replace(short, folder)
        found.append(("windows", path.replace("\\", "/")))
    return found


@pytest.fixture
def account(tmp_path):
    """A folder with film.mp4 in it, and a home with nothing in it."""
    (tmp_path / "film.mp4").write_bytes(CLIP.read_bytes())
    (tmp_path / "home").mkdir()
    return tmp_path


@pytest.fixture
def run(account, jack_server):
    """run(words, …): a command as it stands on the page, in the account's folder."""

    def go(words: list[str], *more: str, **how):
        settings = {**environment(account / "home"), "HOME": str(account / "home")}
        settings["JACK_DEFAULT_SERVER"] = jack_server["JACK_DEFAULT_SERVER"]
        call = [sys.executable, "-m", "bridge.cli", *words[1:], *more]
        return how.pop("kind", subprocess.run)(call, cwd=account, env=settings, text=True, **how)

    return go


def install(run, account: Path, words: list[str], page: Path) -> None:
    text, installed = page.read_text(), {}
    for system in SYSTEMS:
        home = account / system
        home.mkdir()
        done = run(words, "--home", str(home), "--system", system, capture_output=True, timeout=60)
        if done.returncode:  # a DAW that does not exist there
            assert done.returncode == 2 and "not run on Linux" in done.stderr, done.stderr
            continue
        installed[system] = {path.name for path in home.rglob("*")}
        assert "Next" in done.stdout or "In " in done.stdout or "Restart" in done.stdout, done.stdout
    assert installed
    for name in re.findall(r"`(?:Scripts/CueBridge/)?(cuebridge\w*\.(?:py|lua|js))`", text):
        assert all(name in names for names in installed.values()), name
    for system, folder in named_paths(page):
        assert (account / system / folder).is_dir(), f"{folder} on {system}"
    for system in installed:  # and away again, leaving nothing
        run([*words, "--uninstall"], "--home", str(account / system), "--system", system, check=True, stdout=-3)
        assert not [path for path in (account / system).rglob("*") if path.is_file()], system


def ports(jack, server: str) -> set[str]:
    client = jack.Client("cbguides", no_start_server=True, servername=server)
    try:
        return {port.name for port in client.get_ports(is_midi=True)}
    finally:
        client.close()


def live(run, words: list[str], page: Path, jack, server: str) -> None:
    port = free_port()
    told: list[dict] = []
    more = ("--json", "--no-keys", "--osc-port", str(port))
    process = run(words, *more, kind=subprocess.Popen, stdin=-3, stdout=-1, stderr=-1)

    def read() -> None:
        for line in process.stdout:
            if line.startswith("{"):
                told.append(json.loads(line))

    threading.Thread(target=read, daemon=True).start()
    try:
        end = time.perf_counter() + 60
        while not any(line.get("type") == "ready" for line in told):
            assert process.poll() is None, process.stderr.read()
            assert time.perf_counter() < end, told[-3:]
            time.sleep(0.05)
        there = " ".join(ports(jack, server))
        wanted = set(re.findall(r"`(CueBridge(?: (?:Pad|Arp|Bass|Melody|Drums|Sync))?)`", page.read_text()))
        if "--ports" in words:
            wanted = (wanted - {"CueBridge"}) | {
                f"CueBridge {part}" for part in ("Pad", "Arp", "Bass", "Melody", "Drums")
            }
        else:
            wanted = {name for name in wanted if name == "CueBridge Sync"} | {"CueBridge"}
        assert all(name in there for name in wanted), (wanted, there)
    finally:
        process.terminate()
        assert process.wait(20) in (0, 130, 143, -15)


@pytest.mark.jack
@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_followed_word_for_word(page, account, run, jack_server):
    jack = pytest.importorskip("jack")
    done = set()
    for words in steps(page):
        command = words[1]
        if command == "install-script":
            install(run, account, words, page)
        elif command == "compose":
            run(words, "--quiet" if "--quiet" in words else "--json", check=True, capture_output=True, timeout=280)
            assert (account / words[words.index("-o") + 1]).stat().st_size > 1000
        elif command == "doctor":
            run([*words, "--listen", "0", "--osc-port", "1"], capture_output=True, timeout=120)
            if "--report" in words:
                assert (account / words[words.index("--report") + 1]).read_text().startswith("CueBridge report")
        elif command == "live":
            live(run, words, page, jack, jack_server["JACK_DEFAULT_SERVER"])
        else:
            raise AssertionError(f"nothing here follows {words}")
        done.add(command)
    assert done & {"live", "compose"}, "the page starts nothing"
    for place in re.findall(r"`--picture-starts-at (\S+)`", page.read_text()):  # said beside the command: with it, too
        words = next(words for words in steps(page) if words[1] == "live")
        if "--picture-starts-at" not in words:
            live(run, [*words, "--picture-starts-at", place.strip('"')], page, jack, jack_server["JACK_DEFAULT_SERVER"])
