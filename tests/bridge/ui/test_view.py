"""What is shown: the three clocks, chords, mood, port; lines, JSON lines, the terminal's view, keys."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time

import pytest

from bridge.session.edits.values import set_value
from bridge.session.snapshot import snapshot
from bridge.ui.beside import MOST_WAITING, Beside
from bridge.ui.view import HELP, HELP_PLACES, Keys, LinesView, RichView, line, panel


@pytest.fixture
def playing(stage):
    """At 5 s of a film that begins 10 s into the DAW's timeline, in 4/4 at 120 bpm, with chords that are known."""
    made = stage(24.0)
    session = made.session
    session.edit(set_value, "/cue/picture_starts_at", "10")
    session.edit(set_value, "/cue/progression", "Dm Bb F A7")
    session.edit(set_value, "/cue/progression/mode", "loop")
    made.ready()
    session.locate(5.0)
    made.run(0.2)
    return session


def test_a_line_has_three_clocks_chords_and_mood(playing) -> None:
    """The third bar of the film is the eighth of the timeline."""
    text = line(snapshot(playing))
    assert text.startswith("stopped  00:00:05:00  DAW 00:00:15:00     8|3.00  F      -> A7      neutral ")
    assert text.endswith("take A  late 0  waits for play")


def test_json_lines_are_json_and_complete(playing) -> None:
    out, err = io.StringIO(), io.StringIO()
    view = LinesView(True, out, err)
    view.ready({"osc_port": 1})
    view.say("a sentence.")
    view.draw(snapshot(playing), playing)
    view.close(snapshot(playing), playing, None)
    lines = [json.loads(text) for text in out.getvalue().splitlines()]
    assert [each["type"] for each in lines] == ["ready", "status", "end"]
    assert {"state", "picture_s", "whole", "pids", "revision", "late", "affect"} <= set(lines[1])
    assert err.getvalue() == "a sentence.\n"


def test_while_it_waits_a_line_says_only_what_is_new(playing, monkeypatch) -> None:
    from dataclasses import replace

    out, clock = io.StringIO(), [0.0]
    monkeypatch.setattr("bridge.ui.view.time.perf_counter", lambda: clock[0])
    view, shot = LinesView(False, out, io.StringIO()), replace(snapshot(playing), state="waiting", waits_for="the film")
    for tenth in range(200):  # at 0 % for ten seconds, then ten times a second one more
        clock[0] = 100.0 + tenth / 10
        view.draw(replace(shot, progress=("", max(tenth - 100, 0) / 100)), playing)
    lines = out.getvalue().splitlines()
    assert lines[0] == "waiting: the film (0%)" and len(lines) == len(set(lines)) == 11


def test_the_terminals_view_shows_it_all(playing) -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=110, force_terminal=False)
    console.print(panel(snapshot(playing), playing, ("a sentence [with] brackets.",)))
    text = console.file.getvalue()
    for part in (
        "00:00:05:00   00:00:15:00   8|3.00",
        "film.mp4, 24 fps, quick reading",
        "Bb  [F]  A7",
        "neutral 100%",
        "tempo map 120.0",
        "a sentence [with] brackets.",
        "late 0",
    ):
        assert part in text


def test_the_keys_fit_one_line_of_80_columns(playing) -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(panel(snapshot(playing), playing, ()))
    assert [text for text in console.file.getvalue().splitlines() if HELP in text]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_keys_are_read_one_by_one_and_the_terminal_is_put_back(monkeypatch) -> None:
    import pty
    import termios

    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(terminal)
        with Keys() as keys:
            os.write(master, b"n u\x1b[C\x1bOD\x1b[5~\x1b[H[")
            pressed: list[str] = []
            end_s = time.monotonic() + 5
            while len(pressed) < 7 and time.monotonic() < end_s:
                pressed += keys.pressed()
            assert pressed == ["n", " ", "u", "right", "left", "home", "["]
            assert list(keys.pressed()) == []
        assert termios.tcgetattr(terminal)[3] == before[3]
    os.close(master)


def test_a_reader_that_goes_away_does_not_end_the_performance():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    errors = io.StringIO()
    view = LinesView(as_json=False, out=Gone(), err=errors)
    view.say("one")
    view.say("two")
    assert errors.getvalue().count("playing on") == 1


@pytest.mark.parametrize("height", [12, 16, 20, 24, 40])
def test_the_keys_are_seen_however_low_the_window(playing, height) -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    words = ("a sentence that is much too long for one line of eighty columns, as those about files often are.",) * 5
    console.print(panel(snapshot(playing), playing, words, height))
    lines = console.file.getvalue().splitlines()
    assert len(lines) < height
    assert [text for text in lines if HELP in text] and [text for text in lines if HELP_PLACES in text]
    assert any("8|3.00" in text for text in lines) and any("a sentence" in text for text in lines)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_a_window_of_another_size_is_wiped(playing, monkeypatch) -> None:
    """Lines of before are broken elsewhere then, and would stay as ghosts above the view."""
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    out.isatty = lambda: True
    with RichView(out) as view:
        view._live.console.size = view._size = (100, 30)
        for columns in (100, 100, 60, 60):
            view._live.console.size = (columns, 30)
            before, other = out.tell(), view._size[0] != columns
            view.draw(snapshot(playing), playing)
            assert ("\x1b[2J" in out.getvalue()[before:]) == other


def test_output_that_nobody_takes_holds_nothing_up() -> None:
    go_on = threading.Event()

    class Stopped(io.StringIO):
        def write(self, text):
            go_on.wait(10)
            return super().write(text)

    out = Stopped()
    beside = Beside(out)
    view = LinesView(False, beside, io.StringIO())
    begun_s = time.perf_counter()
    for number in range(2 * MOST_WAITING):
        view.say(str(number))
    assert not beside.drain(0.05) and not beside.close(0.05)
    assert time.perf_counter() - begun_s < 2.0
    go_on.set()
    assert beside.drain(5.0)
    assert out.getvalue().startswith("0\n1\n2\n") and len(out.getvalue().splitlines()) == MOST_WAITING
