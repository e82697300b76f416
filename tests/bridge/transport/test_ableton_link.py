"""Ableton Link: what a session's tempo, phase and starts become; against a real second peer where that can run."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.player.messages import SyncOptions
from bridge.player.sync import Synchronizer
from bridge.player.tempo import TempoLine
from bridge.transport.ableton_link import LinkMoment, LinkReader

ROOT = Path(__file__).resolve().parents[3]
ALONE = "ip link set lo up && ip route add 224.0.0.0/4 dev lo && exec {python} {script}"


def why_not() -> str | None:
    if importlib.util.find_spec("link") is None:
        return "the extra 'link' (LinkPython-extern) is not installed"
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "no unshare or ip: the peers cannot be kept to themselves"
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        return "no private network may be made here"
    return None


@pytest.mark.slow
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_with_a_second_peer_notes_fall_on_the_sessions_beats() -> None:
    command = ALONE.format(python=sys.executable, script=ROOT / "tests" / "linkpeer.py")
    run = subprocess.run(
        ["unshare", "-n", "sh", "-c", command], capture_output=True, text=True, timeout=90, env=dict(os.environ)
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout)
    assert found["peers"] == 1
    assert found["peer_plays"] and found["peer_stopped"]  # starts and stops go both ways
    for each, first_beat in zip(found["passes"], (0.0, 16.0), strict=True):
        ons = [event for event in each["events"] if event[2] & 0xF0 == 0x90]
        offs = [event for event in each["events"] if event[2] & 0xF0 == 0x80]
        assert len(ons) == len(offs) > 12 and not each["sounding"]
        assert (each["state"], each["source"], each["tempo_source"]) == ("locked", "link", "link")
        assert each["bpm"] == pytest.approx(each["grid"][-1][2], abs=0.01)
        assert each["stands_s"] == pytest.approx(first_beat / 2)  # the place, for the next play
        errors = []
        for event in ons:
            host_s, beat, bpm = next(point for point in reversed(each["grid"]) if point[0] <= event[1])
            begun = each["grid"][0]
            zero = -(-begun[1] // 4) * 4  # play begins on the session's next bar line
            composed = (event[3] - 36) % 60 * 0.25 + (15.0 if event[4] > 60 else 0.0)
            errors.append(beat + (event[1] - host_s) * bpm / 60 - zero - (composed - first_beat))
            assert composed >= first_beat
        assert max(map(abs, errors)) * 60 / 97 < 0.02  # a shared machine; beats, of one bar line
        assert sorted(map(abs, errors))[len(errors) // 2] * 60 / 97 < 0.002


def moments(reader: LinkReader, beats_at, playing, start_s: float, end_s: float, since_s: float, bpm: float = 120.0):
    """The reader's words while host time runs."""
    said = []
    steps = round((end_s - start_s) * 100)
    for step in range(steps):
        host_s = start_s + step / 100
        said += reader.feed(LinkMoment(host_s, beats_at(host_s), bpm, playing, since_s))
    return said


def test_play_begins_on_the_next_bar_and_is_told_before_it_comes() -> None:
    reader = LinkReader()
    reader.locate(9.0)  # bar 3, beat 2: play begins with that bar
    said = moments(reader, lambda host: host * 2, True, 0.5, 4.0, since_s=0.5)
    assert said[0].rolling is False and said[0].position_beats == 8.0
    begun = next(one for one in said if one.rolling)
    assert begun.host_s == pytest.approx(2.0)  # beat 4 of the session
    assert begun.position_beats == 8.0
    last = said[-1]
    assert last.position_beats == pytest.approx(8.0 + (last.host_s - 2.0) * 2)


def test_a_start_on_a_bar_line_is_that_bars_also_when_it_is_heard_a_little_late() -> None:
    reader = LinkReader()
    said = moments(reader, lambda host: host * 2, True, 2.005, 3.0, since_s=2.004)
    assert said[0].rolling and said[0].host_s == pytest.approx(2.0)


def test_play_that_is_joined_in_the_middle_is_counted_from_its_start() -> None:
    reader = LinkReader()
    said = moments(reader, lambda host: 100 + host * 2, True, 50.0, 51.0, since_s=2.0)
    assert said[0].rolling
    assert said[0].position_beats == pytest.approx(2 * 48.0)


def test_three_quarter_bars() -> None:
    reader = LinkReader(3.0)
    said = moments(reader, lambda host: host * 2, True, 0.1, 4.0, since_s=0.1)
    begun = next(one for one in said if one.rolling)
    assert begun.host_s == pytest.approx(1.5)


def test_another_session_takes_over_and_bars_stay_bars() -> None:
    """Two sessions meet: the beat jumps by 37.3; play goes on at the nearest place whose bars are the new ones."""
    reader = LinkReader()
    moments(reader, lambda host: host * 2, True, 0.0, 8.0, since_s=0.0)
    said = moments(reader, lambda host: host * 2 + 37.3, True, 8.0, 9.0, since_s=0.0)
    assert said[0].locate
    assert (said[0].position_beats - (16 + 37.3)) % 4 == pytest.approx(0.0, abs=1e-6) or (
        (said[0].position_beats - (16 + 37.3)) % 4 == pytest.approx(4.0, abs=1e-6)
    )
    assert abs(said[0].position_beats - 16.0) <= 2.0


def test_a_locate_while_it_plays_keeps_the_phase() -> None:
    reader = LinkReader()
    moments(reader, lambda host: host * 2, True, 0.0, 5.0, since_s=0.0)
    said = reader.locate(40.0)
    assert said[0].locate and said[0].rolling
    assert 40.0 <= said[0].position_beats < 44.0
    assert (said[0].position_beats - 2 * said[0].host_s) % 4 == pytest.approx(0.0, abs=1e-6)


def test_a_new_tempo_of_the_session_moves_the_playhead_at_once_and_by_no_jump() -> None:
    synchronizer = Synchronizer(SyncOptions("link", "link"), lambda: TempoLine.constant(120))
    reader = LinkReader()
    jumps, beat = 0, 0.0
    for step in range(1200):
        host_s = step / 100
        bpm = 120.0 if step < 600 else 133.0
        for said in reader.feed(LinkMoment(host_s, beat, bpm, True, 0.0)):
            change = synchronizer.observe(said, host_s)
            jumps += change is not None and change.jump
        beat += 0.01 * bpm / 60
    assert synchronizer.follower is not None
    assert jumps == 1  # the start
    assert synchronizer.follower.motion.position_at(12.0) == pytest.approx(beat / 2, abs=1e-3)
    assert synchronizer.measured_bpm() == 133.0
    assert synchronizer.tempo_source() == "link"


def test_stop_goes_back_to_the_place() -> None:
    reader = LinkReader()
    reader.locate(8.0)
    moments(reader, lambda host: host * 2, True, 0.0, 3.0, since_s=0.0)
    said = reader.feed(LinkMoment(3.0, 6.0, 120.0, False, 3.0))
    assert [(one.rolling, one.position_beats) for one in said] == [(False, 8.0)]
