"""Parts that the plugin plays: the port is silent there, and takes up again; it is followed first while it rolls."""

from __future__ import annotations

import pytest
from livelab import CLIP
from offlinelab import OfflineStage, offline_time
from sessionlab import Engine

from bridge.player.messages import SyncOptions
from bridge.player.sync import Synchronizer
from bridge.player.tempo import TempoLine
from bridge.session.session import SessionOptions
from bridge.transport.state import TransportObservation
from engine.brief import Brief

CHANNELS = {"pad": 0, "arp": 1}


@pytest.fixture
def stage():
    with offline_time() as clock:
        made = OfflineStage(clock, Engine(24.0), SessionOptions(str(CLIP), tempo=Brief(bpm=120)))
        made.ready()
        made.osc("/cue/play")
        made.run(3.0)
        yield made
        made.close()


def ons(stage, since: int) -> set[int]:
    return {event.status & 15 for event in stage.sent[since:] if event.status & 0xF0 == 0x90}


def test_a_held_part_ends_and_comes_back_whatever_is_muted_meanwhile(stage) -> None:
    assert {0, 1} <= ons(stage, 0)
    pad_sounds = {key for key in stage.session.status.sounding if key[1] == 1}
    assert pad_sounds
    since = len(stage.sent)
    stage.player.hold(["pad", "arp"])
    stage.run(2.0)
    assert not ons(stage, since) & {0, 1}
    ended = {event.data1 for event in stage.sent[since:] if event.status == 0x80}
    assert {pitch for _, _, pitch in pad_sounds} <= ended
    assert stage.session.status.held == ("arp", "pad")
    assert stage.session.status.muted == ()  # the document's own switch is another thing
    stage.osc("/cue/part/arp/on", False)
    stage.run(0.5)
    since = len(stage.sent)
    stage.player.hold([])
    stage.run(2.0)
    assert 0 in ons(stage, since) and 1 not in ons(stage, since)
    assert stage.session.status.held == ()


def said(source: str, host_s: float, position_s: float, rolling: bool = True) -> TransportObservation:
    return TransportObservation(source, host_s, position_s, rolling=rolling)


def test_auto_follows_the_plugin_first_and_only_while_it_rolls() -> None:
    synchronizer = Synchronizer(SyncOptions("auto"), lambda: TempoLine.constant(120))
    synchronizer.observe(said("plugin", 9.0, 3.0, rolling=False), 9.0)
    assert synchronizer.follower is None
    for i in range(10):
        synchronizer.observe(said("mtc", 10 + i / 100, 5 + i / 100), 10 + i / 100)
    assert synchronizer.follower is not None and synchronizer.follower.source == "mtc"
    for i in range(20):
        host_s = 10.2 + i / 100
        synchronizer.observe(said("plugin", host_s, 50 + i / 100), host_s)
        synchronizer.observe(said("mtc", host_s, 5.2 + i / 100), host_s)
    follower = synchronizer.follower
    assert follower.source == "plugin" and follower.motion.position_at(10.4) == pytest.approx(50.2, abs=0.002)
    synchronizer.observe(said("plugin", 10.5, 50.3, rolling=False), 10.5)
    while (decision := synchronizer.follower.next_decision()) is not None and decision < 12:
        synchronizer.follower.decide(decision, decision)
    synchronizer.observe(said("mtc", 12.0, 7.0), 12.0)
    assert synchronizer.follower.source == "mtc"
