"""Performances of `live` by an offline clock: a command line, OSC messages, and what the player then sends.

Each script of `scripts/` runs the real session, plan and Performer.  A golden holds every message that went out and the
numbers of what addresses answer at the end.  A script's lines:

    live FLAGS                what `cuebridge live CLIP` is started with; MAP: a file with changes of tempo and meter
    wait SECONDS
    /cue/address ARGUMENTS    T and F are on and off, s:2 a text; the answer must be no refusal
    export                    what is composed then is written as MIDI and has a golden of its own
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from golden.facts import check, midi_lines, number_lines, sent_lines, sync_lines
from golden.stored import HERE, chord_number, live
from golden.tempomap import tempo_map_file
from livelab import CLIP
from offlinelab import START_HOST_S, OfflineStage

SCRIPTS = sorted((HERE / "scripts").glob("*.osc"))
ASKED = (
    "/cue/cues", "/cue/pins", "/cue/takes", "/cue/hits", "/cue/sections", "/cue/frozen", "/cue/tempo", "/cue/loop",
    "/cue/edits", "/cue/chords", "/cue/ranges",
)  # fmt: skip

WITH_CHORDS = ("/cue/pins", "/cue/chords")


def argument(word: str) -> str | float | int | bool:
    if word in ("T", "F"):
        return word == "T"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            pass
    return word.removeprefix("s:")


UNPLANNED = ("--form", "none")  # the way of composing before cues had plans; it must not move


def perform(stage: OfflineStage, lines: Sequence[str], folder: Path) -> None:
    for line in lines:
        first, *rest = shlex.split(line)
        if first == "wait":
            stage.run(float(rest[0]))
        elif first == "export":
            stage.osc("/cue/export", str(folder / "export.mid"))
            stage.controls.finish_files()
        else:
            stage.osc(first, *(argument(word) for word in rest))
            if not stage.session.rolling:
                stage.ready()


def state_lines(stage: OfflineStage) -> list[str]:
    lines: list[str] = []
    for address in ASKED:
        chord = chord_number if address in WITH_CHORDS else lambda text: None
        lines += number_lines(stage.osc(address), chord, address) or [f"{address}: -"]
    return lines


def words_of(line: str, folder: Path) -> list[str]:
    return [str(tempo_map_file(folder)) if word == "MAP" else word for word in shlex.split(line)[1:]]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_performance(script, tmp_path) -> None:
    first, *steps = script.read_text().splitlines()
    with live(str(CLIP), *words_of(first, tmp_path), *UNPLANNED, folder=tmp_path) as stage:
        perform(stage, steps, tmp_path)
        lines = [first, *sent_lines(stage.sent, START_HOST_S)]
        lines += [*sync_lines(stage.player.output.sync, START_HOST_S), *state_lines(stage)]
    check(HERE / "live" / f"{script.stem}.txt", lines)
    if "export" in steps:
        check(HERE / "export" / f"{script.stem}.txt", midi_lines(tmp_path / "export.mid"))


def test_a_session_that_was_saved_goes_on_with_the_same_music(tmp_path) -> None:
    """Cues, takes and a kept take, over a file; then played without another change."""
    first, *steps = (HERE / "scripts" / "cue-takes.osc").read_text().splitlines()
    until = steps.index("/cue/play")
    file = tmp_path / "film.cuebridge.json"
    with live(str(CLIP), *words_of(first, tmp_path), *UNPLANNED, "--session", str(file), folder=tmp_path) as stage:
        perform(stage, [*steps[:until], "/cue/save", "export"], tmp_path)
    before = midi_lines(tmp_path / "export.mid")
    after = tmp_path / "after"
    after.mkdir()
    with live(str(file), "--session", str(file), folder=after) as stage:
        perform(stage, steps[until:], after)
        lines = [*sent_lines(stage.sent, START_HOST_S), *state_lines(stage)]
    assert midi_lines(after / "export.mid") == before
    check(HERE / "live" / "session-restored.txt", lines)
