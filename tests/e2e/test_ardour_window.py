"""Ardour's window on a virtual screen, as docs/daw/ardour.md tells a composer to set it up: the script is installed by
our command and added by mouse and keyboard in the Script Manager, `cuebridge doctor` lists what works of this Ardour,
and a bridge is followed, marks, sets tempi and prints.

CUEBRIDGE_PICTURES=FOLDER keeps pictures of the screen there (docs/pictures has one).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.daw.link import MarkerWish, PrintJob, PrintPart
from bridge.daw.protocol import NOT_TRIED, WORKS
from engine.music.meter import TempoMap, TimeSignature
from engine.music.note import Controller, Note
from tests.ardourlab import StartError, running
from tests.ardourwindow import ArdourWindow, why_not
from tests.daw_scripts.conftest import Desk

reason = why_not()
pytestmark = [
    pytest.mark.ardour,
    pytest.mark.jack,
    pytest.mark.slow,
    pytest.mark.skipif(reason is not None, reason=str(reason)),
]
PORT = 9351  # written into the script by install-script, as a user's other port would be
ROOT = Path(__file__).resolve().parents[2]


def cuebridge(*arguments: str) -> str:
    command = [sys.executable, "-m", "bridge.cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def keep_picture(ardour: ArdourWindow, name: str) -> None:
    folder = os.environ.get("CUEBRIDGE_PICTURES")
    if folder:
        ardour.picture(Path(folder) / name)


@pytest.fixture
def ardour(tmp_path: Path) -> Iterator[ArdourWindow]:
    """The window with the hook in it, of a new user's Ardour."""

    def make(folder: Path) -> ArdourWindow:
        made = ArdourWindow(folder)
        made.settings.mkdir(parents=True)
        cuebridge("install-script", "ardour", "--to", str(made.settings), "--port", str(PORT))
        return made

    try:
        with running(tmp_path, make, 1024) as (made, _):
            yield made
    except StartError as error:
        pytest.skip(str(error))


def mailboxes(ardour: ArdourWindow) -> list[Path]:
    return list(ardour.settings.glob("cuebridge-*.mailbox"))


def test_the_script_in_ardours_window_tells_what_works_and_does_it(ardour: ArdourWindow, tmp_path: Path) -> None:
    manager = ardour.open_script_manager()
    ardour.add_hook(manager)

    # While no bridge runs, the doctor itself welcomes the script and lists what works in this Ardour.
    report = tmp_path / "report.txt"
    cuebridge("doctor", "--osc-port", str(PORT), "--report", str(report))
    text = report.read_text()
    assert "DAW script ardour: 7, script 2 in Lua 5.3, protocol 1" in text
    assert "Ardour: what works: 24 of 25 calls: Editor.add_location_mark or mouse_add_new_marker" in text
    assert "refused" not in text and "without its window" not in text
    assert str(tmp_path) not in text

    desk = Desk(tmp_path, PORT)
    try:
        info = desk.wait_event("capabilities", timeout_s=20)[0]
        assert {row.works for row in info.capabilities} == {WORKS, NOT_TRIED}
        assert {row.call for row in info.capabilities if row.works == NOT_TRIED} == {"Track.bounce_range"}
        assert desk.events.all("note") == []
        follow(desk, ardour)
        mark_and_set_a_tempo(desk)
        print_into_tracks(desk, ardour, manager)
        # Taken out by its button, it says goodbye and leaves nothing behind.
        assert len(mailboxes(ardour)) == 1
        ardour.show_hooks(manager)
        keep_picture(ardour, "ardour-window.png")
        ardour.remove_hook(manager)
        desk.wait_event("bye")
        assert mailboxes(ardour) == []
        # Ardour takes whoever sends it OSC for a control surface, and tells it when there are other strips.
        assert {message[1] for message in desk.raw if not message[1].startswith("/daw/")} <= {"/strip/list"}
    finally:
        desk.close()
    assert ardour.alive and "CueBridge:" not in ardour.log()


def follow(desk: Desk, ardour: ArdourWindow) -> None:
    """Play, locate and stop, and the tempo map at the beginning."""
    tempo = desk.wait_event("tempo_map")[1]
    assert [(float(step.beat), float(step.bpm)) for step in tempo.tempos] == [(0.0, 120.0)]
    ardour.play()
    one = desk.wait_event("transport", lambda daw, now: now.rolling and now.position_s > 1.0)[1]
    assert one.position_beats == pytest.approx(one.position_s * 2, abs=1e-6)
    ardour.locate(30.0, roll=True)
    desk.wait_event("transport", lambda daw, now: now.rolling and 30.0 < now.position_s < 33.0)
    ardour.stop()
    last = desk.wait_event("transport", lambda daw, now: not now.rolling)[1]
    time.sleep(0.3)
    theirs = ardour.position_s()
    assert theirs is not None and last.position_s == pytest.approx(theirs, abs=0.2)
    ardour.locate(4.0)
    desk.wait_event("transport", lambda daw, now: not now.rolling and now.position_s == pytest.approx(4.0, abs=1e-4))


def mark_and_set_a_tempo(desk: Desk) -> None:
    """Markers of the window are location markers, and come to the sample; the tempo map comes back as it was set."""
    request = len(desk.events.all("acknowledged"))
    desk.ask("push_markers", [MarkerWish(1, 3.2, "cut 1"), MarkerWish(2, 7.25, "hit: door")])
    answers = desk.wait(lambda: desk.events.all("acknowledged")[request + 1 :] and desk.events.all("acknowledged"))
    assert all(answer[2] for answer in answers), answers
    wanted = TempoMap.of([(0.0, 97.5), (16.0, 132.25)], [(0.0, TimeSignature(4, 4)), (16.0, TimeSignature(7, 8))])
    desk.ask("set_tempo", wanted)
    told = desk.wait_event("tempo_map", lambda daw, one: len(one.tempos) == 2)[1]
    assert [(float(step.beat), float(step.bpm)) for step in told.tempos] == [(0.0, 97.5), (16.0, 132.25)]


def print_into_tracks(desk: Desk, ardour: ArdourWindow, manager: int) -> None:
    """The action CueBridge tracks makes the tracks; a take goes into two of them."""
    ardour.run_action(manager, "CueBridge tracks")
    saved = saved_routes(ardour, "drums")
    assert saved[2:] == ["pad", "arp", "bass", "melody", "drums"]  # behind Master and the session's own

    notes = tuple(Note(60 + index, 80, 16.0 + index, 0.5, 1, "pad") for index in range(8))
    pad = PrintPart("pad", "Pad", 1, notes, (Controller(11, 90, 16.5, 1, "pad"),))
    bass = PrintPart("bass", "Bass", 3, (Note(36, 100, 16.0, 4.0, 3, "bass"),))
    count = len(desk.events.all("acknowledged"))
    desk.ask("print_job", PrintJob("Cue 1", 8.0, 16.0, 16.0, 32.0, (pad, bass)))
    answer = desk.wait(lambda: desk.events.all("acknowledged")[count:], 20)[0]
    assert answer[2:] == (True, "9 notes in 2 items")
    assert saved_routes(ardour, "drums") == saved  # into the tracks that were there
    marks = re.findall(r'<Location [^>]*name="([^"]+)"[^>]*start="a(\d+)"[^>]*flags="IsMark[",]', session_text(ardour))
    second = 282240000  # superclocks
    assert [(name, int(at) / second) for name, at in marks if name != "session"] == [
        ("cut 1", 3.2),
        ("hit: door", 7.25),
    ]


def session_text(ardour: ArdourWindow) -> str:
    return (ardour.session / "film.ardour").read_text()


def saved_routes(ardour: ArdourWindow, last: str) -> list[str]:
    """Tracks and busses of the session file, once that one is in it."""
    for _ in range(40):
        ardour.send("/save_state")
        time.sleep(0.5)
        found = re.findall(r'<Route [^>]*?\bname="([^"]+)"', session_text(ardour))
        if last in found:
            return found
    raise AssertionError(f"no {last} among {found}")
