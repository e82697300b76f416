"""What happens without each optional package: one sentence that names the extra and exit code 2, before any work; and
what needs none of them goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest
from livelab import CLIP, COMMAND, ROOT, environment, short_film

from bridge.cli import BRIDGE
from bridge.cli import app as bridge_main
from engine.__main__ import main as engine_main
from engine.music.extras import MODULES
from models.training.cli import main as training_main

LIVE = ("live", "FILM", "--no-keys", "--no-session", "--osc-port", "0")
NEEDS = {  # extra -> command lines that cannot do without it
    "midi": [(*LIVE, "--midi-api", "alsa"), ("calibrate", "--midi-api", "alsa")],
    "jack": [
        (*LIVE, "--sync", "jack"),
        (*LIVE, "--tempo", "jack"),
        (*LIVE, "--midi-api", "jack-client"),
        ("calibrate", "--sync", "jack"),
        ("calibrate", "--midi-api", "jack-client"),
    ],
    "link": [(*LIVE, "--sync", "link"), (*LIVE, "--tempo", "link")],
    "announce": [(*LIVE, "--osc-announce")],
    "clip": [
        (*LIVE, "--midi-api", "none", "--reading", "full"),
        ("compose", "FILM", "--reading", "full", "-o", "OUT.mid"),
        ("analyze", "FILM", "--reading", "full"),
        ("plot", "FILM", "--reading", "full", "-o", "OUT.png"),
        ("tempo", "FILM", "--reading", "full"),
    ],
    "train": [("models", "train", "amt", "--data", "nowhere"), ("models", "evaluate", "--data", "nowhere")],
    "audio": [(*LIVE, "--midi-api", "none", "--sound")],
    "link-video": [("page", "http://127.0.0.1:9/film.mp4")],
    "otio": [("export", "FILM", "--format", "otio", "-o", "OUT")],
    "score": [("export", "FILM", "--format", "musicxml", "-o", "OUT")],
    "dialogue": [("speech", "FILM"), ("compose", "FILM", "--speech", "auto", "-o", "OUT.mid")],
    "temp": [
        ("temp", "FILM"),
        ("compose", "FILM", "--temp", "FILM", "-o", "OUT.mid"),
        (*LIVE, "--midi-api", "none", "--temp", "FILM"),
    ],
    "mcp": [("mcp",)],
    "dataset": [("dataset", "build", "FILM", "--out", "OUT")],
    "listening": [("listening", "analyse", "OUT")],
    "cluster": [("dataset", "build", "FILM", "--out", "OUT", "--workers", "2")],
    "plot": [("plot", "FILM", "-o", "OUT.png"), ("analyze", "FILM", "--plot", "OUT.png")],
}
FOR_DEVELOPERS = {"test", "lint", "docs", "release", "prebuilt"}


def test_each_extra_has_its_cases():
    """Whoever adds an extra says here what happens without it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(NEEDS) == set(MODULES) == set(extras) - FOR_DEVELOPERS


@pytest.mark.parametrize(
    ("extra", "words"), [(extra, words) for extra, lines in NEEDS.items() for words in lines], ids=str
)
def test_without_its_package_it_is_one_sentence(extra, words, tmp_path, monkeypatch, capsys):
    """In the process that reads the command line, as `cuebridge` runs it: nothing else is started."""
    monkeypatch.setitem(sys.modules, MODULES[extra], None)  # neither found nor imported
    monkeypatch.setattr(subprocess.Popen, "__init__", None)
    words = [str(CLIP) if word == "FILM" else word.replace("OUT", str(tmp_path / "out")) for word in words]
    if words[0] == "models":
        assert training_main(words[1:]) == 2
    else:
        assert (bridge_main if words[0] in BRIDGE else engine_main)(words) == 2
    said = capsys.readouterr()
    assert said.err.startswith("cuebridge: ") and said.err.count("\n") == 1
    assert f"pip install 'cuebridge[{extra}]'" in said.err
    assert not said.out and not list(tmp_path.iterdir())


def test_without_any_of_them_a_film_is_played_into_a_file(tmp_path):
    """JACK-Client is there, but the library that it loads is not: that is the same as if it were not."""
    film = short_film(tmp_path / "short.mp4", 2.0)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "jack.py").write_text("raise OSError('JACK library not found')\n")
    others = sorted(set(MODULES.values()) - {"jack"})
    (hidden / "sitecustomize.py").write_text(f"import sys\nfor name in {others!r}:\n    sys.modules[name] = None\n")

    def run(*words):
        without = {"PYTHONPATH": f"{hidden}{os.pathsep}{ROOT}"}
        return subprocess.run(
            [*COMMAND, *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, cwd=tmp_path,
            env={**environment(tmp_path), **without},
        )  # fmt: skip

    done = run("live", str(film), "--play", "--once", "--plain", "--no-keys", "--no-session", "--osc-port", "off")
    assert done.returncode == 0, done.stderr
    assert "no MIDI system here" in done.stdout and (tmp_path / "short-live.mid").is_file()
    ports = run("ports")
    assert ports.returncode == 0 and "pip install 'cuebridge[midi]'" in ports.stdout and "libjack" in ports.stdout
