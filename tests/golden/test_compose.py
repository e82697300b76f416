"""Command lines of `compose` and `tempo`: every number of what they write and report stays as it was."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from golden.facts import check, midi_lines, number_lines
from golden.stored import HERE, chord_number, command
from golden.tempomap import tempo_map_file
from livelab import CLIP

COMPOSE = {
    "plain": "",
    "progression": "--progression 'Cm:2 Ab:1 Bb' --key Cm --bpm 97",
    "progression-bars": "--progression '| Dm | Bb | F C/E | A7 |' --mode loop --bpm 112",
    "progression-exact": "--progression 'Am F C G' --mode exact --bpm 90 --harmonic-rhythm 2",
    "key-minor": "--key 'F# minor' --bpm 84",
    "key-major-take-4": "--key 'Db major' --take 4 --bpm 130",
    "takes": "--takes 2 --take 5 --bpm 120",
    "take-7-two-bars": "--take 7 --harmonic-rhythm 2 --bpm 140",
    "half-bars": "--harmonic-rhythm half --bpm 76",
    "seconds-grid": "--grid seconds --take 6",
    "seconds-grid-progression": "--grid seconds --progression 'Em C G D' --mode loop",
    "three-four": "--meter 3/4 --bpm 132",
    "six-eight": "--meter 6/8 --bpm 100 --take 2",
    "five-four": "--meter 5/4 --bpm 120 --take 3",
    "seven-eight": "--meter 7/8 --bpm 144",
    "tempo-map": "--tempo-map MAP",
    "tempo-map-bar-beat": "--tempo-map MAP --picture-starts-at '3|1'",
    "picture-late": "--bpm 100 --picture-starts-at 2.5",
    "picture-timecode": "--bpm 120 --picture-starts-at 01:00:00:00",
    "picture-bar-beat": "--bpm 120 --picture-starts-at '5|2'",
    "hits": "--hits '4.71! door=9.62 00:00:16:08?'",
    "hits-bpm": "--hits '4.71! 9.62 22.08?' --bpm 104 --chords-on off",
    "chords-on-all-cuts": "--chords-on all --bpm 120",
    "chords-on-strong-cuts": "--chords-on strong --bpm 96 --take 3",
    "one-cue": "--cue '1m1 4 21.5 key=Em bpm=96 progression=Em C'",
    "two-cues": "--cue '1m1 2 12 key=Am bpm=96 tail=3' "
    "--cue '1m2 15.5 end bar1=16 bpm=132 ending=open progression=F Bb'",
    "cue-cut": "--cue '1m1 5 20 ending=cut key=G' --bpm 120 --take 2",
    "mood": "--dark-light -60 --calm-tense 40 --bpm 120",
    "follow-adventurous": "--follow-picture 90 --adventurous 8 --bpm 120",
    "follow-nothing": "--follow-picture 0 --bpm 120",
    "activity-dynamics": "--activity 70 --dynamics 35 --bpm 120",
    "sparse-soft": "--activity 10 --dynamics 90 --bpm 120",
    "pattern-alberti": "--pattern alberti --bpm 120",
    "pattern-steps": "--pattern '1 * 2 * 3 2 4 *' --parts arp,bass --bpm 108",
    "parts": "--parts pad,melody --bpm 120",
    "paper-maps": "--velocity-map paper --density-map paper --bpm 120",
    "rolling-map": "--density-map rolling --bpm 120",
}
VARY = {
    "vary": "--takes 3 --vary key,tempo,pattern,mode --length 12",
    "vary-loop": "--takes 2 --vary pattern --length 8 --loopable --bpm 120",
}
TEMPO = {
    "tempo-cuts": "--strongest 6 --count 2",
    "tempo-hits": "--hits '4.71! 9.62 16.3? fall=22.08' --bpm 80-120 --curve 6 --count 3",
    "tempo-three-four": "--strongest 5 --must --meter 3/4 --on eighth --bar-1 1.5 --count 2",
}
EXPORT = {
    "conductor-fixed": "--hits '4.71! 9.62 22.08' --plan fixed:1",
    "conductor-curve": "--hits '4.71! 9.62 22.08' --plan curve:1 --bpm 90-110",
    "conductor-odd": "--strongest 4 --plan odd:1",
}

UNPLANNED = ("--form", "none")  # the way of composing before cues had plans; it must not move


@pytest.fixture
def words(tmp_path: Path):
    """words(text): as a shell reads it, MAP being a file with changes of tempo and meter."""

    def split(text: str) -> list[str]:
        return [str(tempo_map_file(tmp_path)) if word == "MAP" else word for word in shlex.split(text)]

    return split


@pytest.mark.parametrize("name", COMPOSE)
def test_compose(name, words, tmp_path, monkeypatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    printed = command(
        monkeypatch,
        "compose",
        str(CLIP),
        "-o",
        str(out / "x.mid"),
        "--no-cache",
        "--json",
        *UNPLANNED,
        *words(COMPOSE[name]),
    )
    lines = [f"compose {COMPOSE[name]}", *number_lines(json.loads(printed), chord_number)]
    for number, file in enumerate(sorted(out.iterdir())):
        lines += [f"file {number}", *midi_lines(file)]
    check(HERE / "compose" / f"{name}.txt", lines)


@pytest.mark.parametrize("name", VARY)
def test_versions(name, words, tmp_path, monkeypatch) -> None:
    out = tmp_path / "out"
    printed = command(
        monkeypatch, "compose", str(CLIP), "-o", str(out), "--no-cache", "--json", *UNPLANNED, *words(VARY[name])
    )
    lines = [f"compose {VARY[name]}", *number_lines(json.loads(printed), chord_number)]
    for number, file in enumerate(sorted(out.iterdir())):
        lines += [f"file {number}", *midi_lines(file)]
    check(HERE / "compose" / f"{name}.txt", lines)


@pytest.mark.parametrize("name", TEMPO)
def test_tempo(name, words, tmp_path, monkeypatch) -> None:
    out = tmp_path / "plan.mid"
    printed = command(monkeypatch, "tempo", str(CLIP), "--no-cache", "--json", "--write", str(out), *words(TEMPO[name]))
    lines = [f"tempo {TEMPO[name]}", *number_lines(json.loads(printed), chord_number), *midi_lines(out)]
    check(HERE / "tempo" / f"{name}.txt", lines)


@pytest.mark.parametrize("name", EXPORT)
def test_conductor_track(name, words, tmp_path, monkeypatch) -> None:
    out = tmp_path / "conductor.mid"
    command(monkeypatch, "tempo", "export", str(CLIP), "--no-cache", "--out", str(out), *words(EXPORT[name]))
    check(HERE / "tempo" / f"{name}.txt", [f"tempo export {EXPORT[name]}", *midi_lines(out)])
