"""A real Ardour, headless on a private JACK server: the player follows it by timecode, by clock and by the
JACK transport, and what Ardour records is what was planned.

Figures are tests/bench/ardour_sync.py's business; the limits here are gross ones that hold on a crowded
machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PlayerStatus, PortOptions, SyncOptions
from engine.brief import Brief, settle
from engine.music import FRAME_RATES, Film, FrameRate, TimecodeClock
from engine.music.meter import TempoMap
from engine.music.note import Note
from tests.ardourlab import Ardour, StartError, running, why_not
from tests.jacklab import Capture, Looper, open_client, still_sounding

reason = why_not()
pytestmark = [
    pytest.mark.ardour,
    pytest.mark.jack,
    pytest.mark.slow,
    pytest.mark.skipif(reason is not None, reason=str(reason)),
]
GROSS_S = 0.12
PERIOD = 1024


@contextmanager
def ardour(folder: Path, bpm: float, external_sync: bool = False, timecode: str | None = None) -> Iterator[Ardour]:
    try:
        with running(folder, lambda place: Ardour(place, bpm, external_sync, timecode), PERIOD) as (daw, _):
            yield daw
    except StartError as error:
        pytest.skip(str(error))


def sixteenths() -> list[Note]:
    """Each told apart by pitch and velocity; a pad below, so that there is something to hang."""
    arp = [Note(36 + index % 60, 1 + index % 127, index * 0.25, 0.2, 1, "arp") for index in range(400)]
    return arp + [Note(20 + bar % 8, 100, 4.0 * bar, 4.0, 2, "pad") for bar in range(25)]


@contextmanager
def player(source: str, bpm: float, frame_rate: str | None = None) -> Iterator[PlayerLink]:
    sync = SyncOptions(position=source, tempo="auto", frame_rate=frame_rate)
    options = PlayerOptions(ports=PortOptions(api="jack-client"), sync=sync)
    with PlayerLink(options) as link:
        link.set_tempo_map(TempoMap.constant(bpm), 1)
        link.load_plan(1, "beats", sixteenths(), [], 0.0)
        wires = open_client("wires")
        try:
            for name in ("MTC out", "MIDI Clock out", "MMC out"):
                wire(wires, f"ardour:{name}", "CueBridge:CueBridge Sync")
            wire(wires, "CueBridge:CueBridge", "ardour:gen/midi_in 1")
            yield link
        finally:
            wires.close()


def wire(client: Any, source: str, sink: str) -> None:
    """On a crowded machine the first try may find the server busy."""
    for attempt in range(20):
        try:
            client.connect(source, sink)
            return
        except Exception:
            if attempt == 19:
                raise
            time.sleep(0.25)


def until(link: PlayerLink, ready: Callable[[PlayerStatus], bool], what: str) -> PlayerStatus:
    status = link.wait_for(ready, 15.0)
    assert status is not None, f"{what}: never; last {link.poll()}"
    return status


@pytest.mark.parametrize(("source", "bpm"), [("mtc", 120.0), ("clock", 97.0)])
def test_ardour_records_what_was_planned(tmp_path: Path, source: str, bpm: float) -> None:
    with ardour(tmp_path, bpm) as daw, player(source, bpm) as link:
        daw.locate(0.0)
        daw.record()
        daw.play()
        status = until(link, lambda now: now.position_s > 5.0, "playing to 5 s")
        assert status.position_source == source
        assert abs(status.tempo_bpm - bpm) < 1.0  # from the clock, by its own role
        assert status.recording in (True, None)
        daw.stop()
        until(link, lambda now: not now.rolling, "the stop")
        takes = [note for note in daw.recorded() if note.channel == 0]
        planned = {(note.pitch, note.velocity): note.start_beats * 60 / bpm for note in sixteenths()}
        offsets = [note.start_s - planned[note.pitch, note.velocity] for note in takes]
        assert all(note.length_s > 0 for note in takes), "a note hangs in the take"
        assert max(abs(offset) for offset in offsets) < GROSS_S
        # From the second note on (Ardour keeps nothing that comes with the first period of a take) none is missing.
        expected = [key for key, start in planned.items() if 0.1 < start < 4.5 and key[0] >= 36]
        assert not set(expected) - {(note.pitch, note.velocity) for note in takes}


def test_timecode_through_stop_locate_and_loop_leaves_nothing_sounding(tmp_path: Path) -> None:
    with ardour(tmp_path, 120.0) as daw, player("mtc", 120.0) as link, Capture() as capture:
        capture.connect("CueBridge:CueBridge")

        def silent() -> None:
            until(link, lambda now: not now.rolling and not now.sounding, "silence")
            time.sleep(0.2)
            assert still_sounding([event.data for event in capture.events]) == []

        daw.locate(10.0)
        standing = until(link, lambda now: abs(now.position_s - 10.0) < 0.05, "the locate at standstill")
        assert not standing.rolling
        daw.play()
        until(link, lambda now: now.rolling and now.position_s > 11.0, "playing from 10 s")
        assert len(link.poll().sounding) > 0  # type: ignore[union-attr]
        daw.locate(20.0, roll=True)
        until(link, lambda now: now.rolling and now.position_s > 20.5, "the locate while rolling")
        daw.stop()
        silent()
        link.drain_events()
        daw.loop(4.0, 6.0)
        until(link, lambda now: now.rolling and 5.0 < now.position_s < 6.0, "the loop")
        until(link, lambda now: 4.0 <= now.position_s < 4.6, "the wrap")
        until(link, lambda now: now.position_s > 5.0, "the second turn")
        daw.stop()
        silent()
        positions = [event.position_s for event in link.drain_events() if event.status == 0x90]
        assert max(positions) < 6.2
        assert min(position for position in positions if position > 3.9) < 4.3


def test_the_jack_transport_is_followed_to_the_sample(tmp_path: Path) -> None:
    """Ardour is slaved to the JACK transport; both are moved by it."""
    with ardour(tmp_path, 120.0, external_sync=True), player("jack", 120.0) as link, Capture() as capture:
        capture.connect("CueBridge:CueBridge")
        transport = open_client("transport")
        try:
            transport.transport_stop()
            time.sleep(0.5)
            transport.transport_frame = 48000 * 2
            until(link, lambda now: not now.rolling and abs(now.position_s - 2.0) < 0.2, "the locate")
            transport.transport_start()
            until(link, lambda now: now.rolling and now.position_s > 4.0, "playing")
            _, place = transport.transport_query()
            zero_s = place["usecs"] / 1e6 - place["frame"] / 48000  # JACK's second of transport second 0
            transport.transport_stop()
            until(link, lambda now: not now.rolling and not now.sounding, "the stop")
            time.sleep(0.2)
            assert still_sounding([event.data for event in capture.events]) == []
            planned = {(note.pitch, note.velocity): note.start_beats / 2 for note in sixteenths()}
            offsets = [
                event.host_s - zero_s - planned[event.data[1], event.data[2]]
                for event in capture.events
                if event.data[0] == 0x90 and event.data[2]
            ]
            assert len(offsets) > 12
            assert sorted(abs(offset) for offset in offsets)[len(offsets) // 2] < 0.002
        finally:
            transport.close()


def test_a_loop_of_the_jack_transport_plays_every_note_of_each_pass_once(tmp_path: Path) -> None:
    """The transport is looped by locates and Ardour follows it: between two passes it stands for some periods, until
    Ardour is ready.  What begins the loop is struck once, what lies at its end is not."""
    start_s, end_s = 4.0, 6.0
    planned = {(note.pitch, note.velocity): note.start_beats / 2 for note in sixteenths()}
    composed = sorted(at for key, at in planned.items() if start_s <= at < end_s and key[0] >= 36)
    with (
        ardour(tmp_path, 120.0, external_sync=True) as daw,
        player("jack", 120.0) as link,
        Capture() as capture,
        Looper() as looper,
    ):
        capture.connect("CueBridge:CueBridge")
        looper.stop()
        looper.locate(start_s)
        until(link, lambda now: not now.rolling and abs(now.position_s - start_s) < 0.2, "the locate")
        looper.rolled.clear()
        capture.events.clear()
        link.loop(True, start_s, end_s)
        looper.loop = (start_s, end_s)
        looper.play()
        time.sleep(3.4 * (end_s - start_s))
        inside = daw.position_s()
        looper.loop = None
        looper.stop()
        until(link, lambda now: not now.rolling and not now.sounding, "the stop")
        time.sleep(0.2)
        assert still_sounding([event.data for event in capture.events]) == []  # also none struck while it sounds
        assert inside is not None and start_s <= inside < end_s + 0.2  # Ardour was in the loop as well
        passes = looper.stretches(capture.offset_s())
        assert len(passes) == 4
        if capture.lost_cycles:
            pytest.skip(f"JACK lost {capture.lost_cycles} periods here: notes went with them")
        heard = [event for event in capture.heard() if event.data[0] == 0x90 and event.data[2] and event.data[1] >= 36]
        # A busy looper may miss the first period of a pass: its begin is reckoned from its first position.
        # A note at its very beginning may come on that very frame.
        begins = [turn[0].host_s - (turn[0].position_s - start_s) - 0.002 for turn in passes]
        for begin_s, next_s in pairwise(begins):
            struck = [
                (planned[event.data[1], event.data[2]], event.host_s - begin_s)
                for event in heard
                if begin_s <= event.host_s < next_s
            ]
            assert sorted(at for at, _ in struck) == composed, [(at, round(after, 3)) for at, after in struck]


def test_ardour_itself_does_not_loop_while_the_jack_transport_is_its_master(tmp_path: Path) -> None:
    """Why a loop by JACK transport is never Ardour's: its loop stays off, and the transport rolls on beyond the end."""
    with ardour(tmp_path, 120.0, external_sync=True) as daw, Looper() as looper:
        looper.stop()
        looper.locate(5.0)
        looper.rolled.clear()
        daw.loop(4.0, 6.0)
        looper.play()
        time.sleep(2.5)
        looper.stop()
        positions = [now.position_s for now in looper.rolled]
        assert positions == sorted(positions) and positions[-1] > 6.5
        assert daw.loops() is False


@pytest.mark.parametrize(
    ("rate", "timecode"),
    [("23.976", "timecode_23976"), ("24", "timecode_24"), ("25", "timecode_25"), ("29.97", "timecode_2997"),
     ("29.97 DF", "timecode_2997drop"), ("30", "timecode_30")],
)  # fmt: skip
def test_one_hour_is_one_hour_of_ardours_whatever_it_counts(tmp_path: Path, rate: str, timecode: str) -> None:
    """Sample 172,800,000 of Ardour is second 3600 of ours, at rest and after rolling, and the label is Ardour's."""
    project = FrameRate.parse(rate)
    with ardour(tmp_path, 120.0, timecode=timecode) as daw, player("mtc", 120.0, rate) as link:
        daw.locate(3600.0)
        frame_s = float(project.frame_s)
        status = until(link, lambda now: abs(now.position_s - 3600.0) < 1.5 * frame_s, "one hour")
        begins = settle(Brief(frame_rate=project, picture_starts_at=HOURS[rate]), Film("a", 60.0, project), ())
        # The label that starts the picture lies where Ardour has it: 3.6 s later at 23.976 and 29.97.
        daw.locate(begins.picture_starts_at_s)
        status = until(
            link, lambda now: abs(now.position_s - begins.picture_starts_at_s) < 1.5 * frame_s, "the picture's start"
        )
        assert str(TimecodeClock(project).label_at(status.position_s + frame_s / 2))[:8] == "01:00:00"
        daw.play()
        until(link, lambda now: now.rolling and now.position_s > begins.picture_starts_at_s + 3.0, "three seconds more")
        daw.stop()
        until(link, lambda now: not now.rolling, "the stop")
        time.sleep(0.5)
        status, theirs = link.poll(), daw.position_s()
        assert status is not None and theirs is not None and abs(status.position_s - theirs) < 1.5 * frame_s


HOURS = {rate: "01:00:00;00" if rate == "29.97 DF" else "01:00:00:00" for rate in FRAME_RATES}
