"""`cuebridge demo`: the page where a browser can show it, else a film."""

from __future__ import annotations

import webbrowser

import pytest

from bridge.commands import demo
from engine.music import UserError
from engine.music.bundled import bundled_clip, clip_in


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What the page and the renderer were asked for, in order."""
    calls: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("bridge.commands.page.main", lambda words: calls.append(("page", list(words))) or 0)
    monkeypatch.setattr(
        "bridge.commands.children.run_child", lambda module, words: calls.append((module, list(words))) or 0
    )
    monkeypatch.setattr("bridge.page.link.films_folder", lambda: tmp_path / "films")
    return calls


def browser(monkeypatch, found):
    def get():
        if found is None:
            raise webbrowser.Error("could not locate runnable browser")
        return found

    monkeypatch.setattr(webbrowser, "get", get)


def test_with_a_browser_it_opens_the_page_with_a_copy_of_the_clip(asked, monkeypatch, tmp_path):
    browser(monkeypatch, webbrowser.BackgroundBrowser("firefox"))
    assert demo.main(["--take", "3"]) == 0
    own = tmp_path / "films" / bundled_clip().name
    assert asked == [("page", [str(own), "--open", "--take", "3"])]
    assert own.read_bytes() == bundled_clip().read_bytes()


@pytest.mark.parametrize("found", [None, webbrowser.GenericBrowser("lynx")], ids=["none", "in the terminal"])
def test_without_one_it_writes_a_film_and_says_so(asked, monkeypatch, capsys, found):
    browser(monkeypatch, found)
    assert demo.main([]) == 0
    assert asked == [("engine", ["render", str(bundled_clip()), "-o", demo.RENDERED, "--take", "1"])]
    assert "No browser can be opened here" in capsys.readouterr().err


def test_a_film_can_be_asked_for(asked, monkeypatch, capsys):
    browser(monkeypatch, webbrowser.BackgroundBrowser("firefox"))
    assert demo.main(["--render", "-o", "mine.mp4", "--replace"]) == 0
    assert asked[0][1][2:] == ["-o", "mine.mp4", "--take", "1", "--replace"]
    assert capsys.readouterr().err == ""


def test_no_room_for_the_copy_is_one_sentence(asked, monkeypatch, tmp_path):
    browser(monkeypatch, webbrowser.BackgroundBrowser("firefox"))
    (tmp_path / "films").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="the clip cannot be copied there: File exists"):
        demo.main([])


def test_the_copy_is_made_once_and_a_damaged_one_anew(tmp_path):
    own = clip_in(tmp_path)
    before = own.stat().st_mtime_ns
    assert clip_in(tmp_path).stat().st_mtime_ns == before
    own.write_bytes(b"cut off")
    assert clip_in(tmp_path).read_bytes() == bundled_clip().read_bytes()
