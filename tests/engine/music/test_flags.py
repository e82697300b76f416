"""Flags made from the controls table: the same in every command, old names included."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bridge.commands import live_options
from engine.commands import compose, score, tempo
from engine.music import UserError
from engine.music.command import SentenceParser
from engine.music.controls import MUSIC_FLAGS, Control
from engine.music.flags import BY_FLAG, add_flags, check_cue_flags, flag_value, parts_from, renamed, settings_from

NAMES = json.loads((Path(__file__).parent / "fixtures" / "names-of-november-2026.json").read_text(encoding="utf-8"))
PARSERS = {"live": live_options.parser, "compose": compose.parser, "plot": compose.parser, "tempo": tempo.parser,
           "score": score.parser}  # fmt: skip


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {name: action for action in parser._actions for name in action.option_strings}


@pytest.mark.parametrize("command", PARSERS)
def test_every_old_flag_is_taken(command: str) -> None:
    old = {name for name in NAMES["flags"][command] if not (command == "plot" and name == "--shuffles")}
    assert old <= set(_options(PARSERS[command]()))


@pytest.mark.parametrize("command", PARSERS)
def test_help_shows_the_names_in_use_alone(command: str) -> None:
    text = PARSERS[command]().format_help()
    options = _options(PARSERS[command]())
    for name, row in BY_FLAG.items():
        if name in options:
            assert name in text
            assert not any(f"{old} " in text or f"{old}\n" in text for old in row.old_flags if old in options)


def test_compose_has_every_flag_of_live_that_decides_the_music() -> None:
    live, offline = _options(live_options.parser()), _options(compose.parser())
    music = {str(row.flag) for row in MUSIC_FLAGS}
    assert music <= set(live) and music <= set(offline)
    for name in ("--bpm", "--meter", "--grid", "--tempo-map", "--take", "--parts", "--cue", "--reading"):
        assert name in live and name in offline


def _refusal(parse, *words: str) -> str:
    with pytest.raises(UserError) as refused:
        parse(*words)
    return str(refused.value)


WRONG = [
    *(
        (str(row.flag), "nonsense" if row.arguments[0].kind != "text" else "H#")
        for row in MUSIC_FLAGS
        if row.arguments[0].kind != "text" or row.flag == "--key"
    ),
    *((str(row.flag), "1e9") for row in MUSIC_FLAGS if row.arguments[0].is_numeric),
    *((str(row.flag), "nan") for row in MUSIC_FLAGS if row.arguments[0].is_numeric),
    ("--pattern", "1 9 x"), ("--progression", "C Qx"), ("--bpm", "7"), ("--bpm", "fast"), ("--take", "0"),
    ("--take", "2.5"), ("--parts", "pad,tuba"), ("--grid", "bars"), ("--meter", "4/5"), ("--cue", "1m1 5"),
    ("--reading", "thorough"), ("--tempo-map", "missing.mid"),
]  # fmt: skip


@pytest.mark.parametrize(("flag", "text"), WRONG)
def test_live_and_compose_refuse_in_the_same_words(flag: str, text: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"not looked at")

    def offline(*words: str) -> None:
        given = compose.parser().parse_args([str(film), *words])
        compose.plan_from(given)
        compose.arrange_options(given)

    live = _refusal(lambda *words: live_options.parse([str(film), *words]), f"{flag}={text}")
    if flag == "--ending":  # compose also has the endings of forms
        assert _refusal(offline, f"{flag}={text}").startswith("--ending: ending is one of tonic, open, cut")
    else:
        assert live == _refusal(offline, f"{flag}={text}")
    assert live.endswith(".") and "\n" not in live


@pytest.mark.parametrize("flag", ["--in", "--out-at", "--bar-1", "--name", "--tail", "--ending"])
def test_what_each_cue_says_is_not_said_beside_it(flag: str, tmp_path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"not looked at")
    value = {"--name": "x", "--ending": "cut"}.get(flag, "1")
    words = [f"{flag}={value}", "--cue", "1m1 0 5"]
    live = _refusal(lambda *given: live_options.parse([str(film), *given]), *words)
    assert live == _refusal(lambda *given: compose.plan_from(compose.parser().parse_args([str(film), *given])), *words)
    assert flag in live


def _parse(*words: str) -> argparse.Namespace:
    parser = SentenceParser(allow_abbrev=False)
    add_flags(parser, [row for row in BY_FLAG.values() if isinstance(row, Control) and row.flag != "--nudge"])
    add_flags(parser, [row for row in BY_FLAG.values() if not isinstance(row, Control)])
    return parser.parse_args(list(words))


def test_an_old_flag_does_what_the_new_one_does_and_says_so_once() -> None:
    old = _parse("--arp-span", "2", "--knock", "--freewheel", "1")
    new = _parse("--arp-octaves", "2", "--click-on-cuts", "--hold-on-sync-loss", "1")
    assert settings_from(old, MUSIC_FLAGS) == settings_from(new, MUSIC_FLAGS) == {"/cue/arp_octaves": 2}
    assert flag_value(old, "--click-on-cuts") is flag_value(new, "--click-on-cuts") is True
    assert flag_value(old, "--hold-on-sync-loss") == flag_value(new, "--hold-on-sync-loss") == 1.0
    assert renamed(new) == () and len(renamed(old)) == 3
    assert "--arp-span is now --arp-octaves; the old name still works." in renamed(old)


def test_values_and_defaults() -> None:
    given = _parse("--activity", "picture", "--cc1", "off", "--swing", "60", "--cue", "a 0 1", "--cue", "b 1 2")
    assert settings_from(given, MUSIC_FLAGS) == {"/cue/cc1": False, "/cue/swing": 60.0}
    assert flag_value(given, "--take") == 1 and flag_value(given, "--grid") == "auto"
    assert given.cue == ["a 0 1", "b 1 2"]
    assert parts_from("pad, bass") == {"pad", "bass"}
    check_cue_flags({}, ["a 0 1"])
    for nonsense in ("", "pad,,tuba"):
        with pytest.raises(UserError):
            parts_from(nonsense)


@pytest.mark.parametrize(("words", "said"), [
    (["red"], "COLOUR: 'red' is none of blue, dark green; "),
    (["blue", "--size", "7"], "--size: '7' is none of s, m; "),
])  # fmt: skip
def test_a_choice_that_is_none_is_one_plain_sentence(words, said) -> None:
    parser = SentenceParser(prog="cuebridge paint")
    parser.add_argument("colour", metavar="COLOUR", choices=("blue", "dark green"))
    parser.add_argument("--size", choices=("s", "m"))
    with pytest.raises(UserError) as refused:
        parser.parse_args(words)
    assert str(refused.value) == f"{said}cuebridge paint --help says more."
