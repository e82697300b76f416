"""Commands that have the arguments of `compose`: each flag that they take does something, or is refused."""

from __future__ import annotations

import argparse

import pytest
from livelab import CLIP

from engine.commands import compose, export, plot, render, why
from engine.music import UserError

COMMANDS = {
    "compose": (compose.main, ("{film}", "-o", "out.mid")),
    "render": (render.main, ("{film}", "-o", "out.mp4")),
    "plot": (plot.main, ("{film}", "-o", "out.png")),
    "export": (export.main, ("{film}", "--format", "midi", "-o", "out")),
    "why": (why.main, ("2|1", "{film}")),
}
PARSERS = {"render": render.parser, "plot": plot.parser, "export": export.parser, "why": why.parser}
FILES = ("--markers", "--temp", "--tempo-map", "--theme", "--speech")
ITS_OWN = (("--takes", "3"), ("--takes", "0"), ("--vary", "key"), ("--length", "15"), ("--loopable",), ("--printed",))


def refusal(command: str, *words: str) -> str:
    main, usual = COMMANDS[command]
    with pytest.raises(UserError) as caught:
        main([word.format(film=CLIP) for word in usual] + list(words))
    return str(caught.value)


@pytest.mark.parametrize("flag", FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_named_is_read(command, flag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = {"--speech": "absent.srt", "--theme": "absent.mid"}.get(flag, "absent.csv")
    assert name in refusal(command, flag, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", ITS_OWN, ids=" ".join)
@pytest.mark.parametrize("command", PARSERS)
def test_what_only_compose_writes_is_refused_and_not_in_the_help(command, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if command == "plot" and words[0] == "--takes":
        assert words[0] in plot.parser().format_help()
        assert words == ("--takes", "3") or "a sheet shows 1 to" in refusal(command, *words)
        return
    assert words[0] in refusal(command, *words)
    assert not any(words[0] in action.option_strings and action.help != argparse.SUPPRESS for action in shown(command))


def shown(command: str) -> list[argparse.Action]:
    return PARSERS[command]()._actions


@pytest.mark.parametrize("command", PARSERS)
def test_other_commands_promise_no_batch(command):
    assert "--batch" not in PARSERS[command]().format_help()
