"""An account without a home folder: one sentence, and nothing lands in a folder called `~`."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from bridge.calibration import kept
from bridge.commands.doctor import check_plugins
from bridge.commands.doctor_report import Personal
from bridge.commands.install_plugin import main as install_plugin
from bridge.controls.midi_learn_file import learn_path
from bridge.daw.folders import Account
from bridge.page.link import films_folder
from bridge.session.file.find import user_folder
from engine.music import UserError
from engine.sound.fonts import _system_folders
from engine.user_folders import cache_folder, config_folder, data_folder, expanded, home, home_or_none
from engine.video.cache import FeatureCache
from engine.video.options import AnalysisOptions
from engine.video.semantics import weights_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """What Python answers for a user without HOME and without an entry among the accounts."""
    monkeypatch.setattr(os.path, "expanduser", lambda path: os.fspath(path))
    for name in list(os.environ):
        if name.startswith("XDG_") or name in ("HOME", "USERPROFILE"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "ask",
    [
        home, cache_folder, config_folder, data_folder, lambda: expanded("~/x"), learn_path, films_folder, user_folder,
        FeatureCache, lambda: weights_file(AnalysisOptions()), lambda: Account.of("linux", None),
        lambda: Account.of("linux", "/tmp", "~nobody-here/x"), lambda: install_plugin(["--dry-run"]),
    ],
)  # fmt: skip
def test_who_needs_a_folder_of_the_user_says_that_there_is_none(homeless, tmp_path, ask) -> None:
    with pytest.raises(UserError) as refused:
        ask()
    assert "home folder" in str(refused.value) and str(refused.value).count(".") == 1
    assert not list(tmp_path.iterdir())


def test_who_only_looks_there_goes_on(homeless) -> None:
    assert home_or_none() is None
    assert Personal.here().homes == ()
    assert [each.ok for each in check_plugins(1, False)] == [None]
    assert kept("CueBridge", "mtc") is None
    assert all(folder.is_absolute() for folder in _system_folders())


def test_the_user_s_folders_are_asked_for_in_one_place() -> None:
    for folder in ("bridge", "engine", "models"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name == "engine/user_folders.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                words = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
                assert words != "Path.home" and not words.endswith(".expanduser"), name
                assert not (isinstance(node, ast.Import) and any(a.name == "platformdirs" for a in node.names)), name
