"""`analyze` and `cache` as a person calls them."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.commands.analyze import main
from engine.video import EMOTIONS, VideoFeatures

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


def test_json_holds_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", CLIP, "--json", "--reading", "quick", "--cache-dir", tmp_path) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["emotions"] == list(EMOTIONS)
    assert [row["second"] for row in shown["rows"]] == list(range(30))
    assert len(shown["cuts"]) == 11
    assert shown["film"]["frame_rate"] == "24" and shown["reading"] == "quick"


def test_the_table_says_what_was_seen_and_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    npz, png, folder = tmp_path / "f.npz", tmp_path / "f.png", tmp_path / "layout"
    words = ("--npz", npz, "--plot", png, "--export", folder, "--cache-dir", tmp_path / "cache")
    assert run("analyze", CLIP, "--reading", "quick", *words) == 0
    out = capsys.readouterr().out
    assert "11 cuts" in out and "quick was asked for" in out and "00:00:09:15" in out
    features = VideoFeatures.load(npz)
    with Image.open(png) as picture:
        assert picture.width > 800
        assert len(np.unique(np.asarray(picture.convert("L")))) > 100  # pictures are in it, not lines alone
    emotion = (folder / "vevo_emotion/6c_l14p/all/big-buck-bunny-30s.lab").read_text().splitlines()
    assert emotion[0].startswith("time exciting_prob") and len(emotion) == 31
    assert np.allclose([float(word) for word in emotion[9].split()[1:]], features.emotion_raw[8], atol=1e-4)
    scene = [int(line.split()[1]) for line in (folder / "vevo_scene/all/big-buck-bunny-30s.lab").open()]
    offset = [int(line.split()[1]) for line in (folder / "vevo_scene_offset/all/big-buck-bunny-30s.lab").open()]
    for second in range(1, 30):
        assert (offset[second] == 0) == (scene[second] != scene[second - 1])


def test_cache_lists_and_clears(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", CLIP, "--max-seconds", 2, "--reading", "quick", "--cache-dir", tmp_path) == 0
    capsys.readouterr()
    assert run("cache", "list", "--json", "--cache-dir", tmp_path) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [(entry["film"], entry["seconds"]) for entry in entries] == [(CLIP.name, 2)]
    assert run("cache", "--cache-dir", tmp_path) == 0
    listed = capsys.readouterr().out
    assert CLIP.name in listed and "\n1 film, 0.0" in listed
    assert run("cache", "clear", "--cache-dir", tmp_path) == 0
    assert "freed" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_plot_without_matplotlib_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    words = ("--plot", tmp_path / "x.png", "--max-seconds", 1, "--no-cache", "--reading", "quick")
    assert run("analyze", CLIP, *words) == 2
    assert "matplotlib" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--npz", "--plot"])
def test_the_film_is_never_overwritten(tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    film, link = tmp_path / "film.mp4", tmp_path / "other.npz"
    film.write_bytes(CLIP.read_bytes())
    link.symlink_to(film)
    for output in (film, link):
        assert run("analyze", film, option, output, "--reading", "quick", "--no-cache") == 2
        said = capsys.readouterr().err
        assert "would be overwritten" in said and said.count("\n") == 1
    assert film.read_bytes() == CLIP.read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["pipe.mp4", "/dev/zero", "x" * 300])
def test_what_never_ends_or_cannot_be_asked_is_one_sentence(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    words = (sys.executable, "-m", "engine", "analyze", tmp_path / name, "--cache-dir", tmp_path / "cache")
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=CLIP.parents[2])
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "a pipe or a device" in done.stderr or "cannot be read" in done.stderr


def test_settings_that_make_no_sense_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", CLIP, "--max-seconds", -1, "--no-cache") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run("analyze", CLIP, "--reading", "full", "--clip-weights", "nowhere.safetensors", "--no-cache") == 2
    assert "nowhere.safetensors" in capsys.readouterr().err


def test_importing_the_package_loads_no_decoder() -> None:
    code = (
        "import sys, engine.video, engine.commands.analyze\n"
        "print([m for m in ('av', 'cv2', 'torch', 'open_clip', 'scenedetect', 'matplotlib') if m in sys.modules])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"
