"""A clock that gives the tempo beside timecode: whose bars are counted, and what is said that it cannot know."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from offlinelab import OfflinePlayer
from sessionlab import Engine

from bridge.player.messages import PlayerOptions, PlayerStatus, SyncOptions
from bridge.session.now import OfflineClock
from bridge.session.session import Session, SessionOptions
from engine.brief import Brief


class Heard(OfflinePlayer):
    """The player's link and its Performer; the timecode and clock that it hears are what a test says."""

    status: PlayerStatus | None = None

    def poll(self) -> PlayerStatus | None:
        return self.status


@pytest.fixture
def clocked():
    """clocked(sync): a session that follows timecode and clock; its player; what it says to the person."""

    def make(sync: SyncOptions):
        clock, engine = OfflineClock(), Engine(30.0)
        heard = Heard(PlayerOptions(sync=sync), clock)
        said: list[str] = []
        options = SessionOptions("film.mp4", tempo=Brief(bpm=120), follows=True)
        session = Session(options, heard, engine.send, say=said.append, clock=clock)
        session.begin()
        for message in list(engine.inbox):
            session.on_engine(message)
        return session, heard, said

    return make


def hear(session: Session, host_s: float) -> None:
    """One tick at a moment of the session's clock."""
    session.clock.host_s = host_s  # type: ignore[attr-defined]
    session.tick()


def _status(position_s: float, beats: float, bpm: float, phase: float | None, source: str = "mtc"):
    return PlayerStatus(
        time.perf_counter(), position_s, beats, 1.0, "locked", True, source, "clock", bpm, 1, 1, (), 0, 0, 0,
        "CueBridge", "test", "", True, "", beat_phase=phase,
    )  # fmt: skip


def test_timecode_with_clock_gives_the_daws_own_bars(clocked) -> None:
    """The usual set-up with Logic and Cubase: bar 1 at the beginning, 97 bpm, and we began with 120."""
    session, heard, said = clocked(SyncOptions("mtc", "clock"))
    for tenth in range(20):
        position_s = 5.0 + tenth / 10
        beats = position_s * 97 / 60
        heard.status = _status(position_s, session.tempo_map.beats_at(position_s), 97.0, beats % 1)
        hear(session, tenth / 10)
    assert session.tempo_map.bpm_at(0) == 97.0
    assert float(session.tempo_map.origin_s) == 0.0  # bar 1 of the DAW is bar 1 here
    assert not any("--tempo-map" in sentence for sentence in said)


def test_what_a_clock_cannot_know_is_said_and_its_beats_are_kept(clocked) -> None:
    """The tempo changes on the way: from there on beats lie on the clock's, and bars before are not known."""
    session, heard, said = clocked(SyncOptions("mtc", "clock"))
    for tenth in range(80):
        position_s = tenth / 10
        beats = position_s * 2 if position_s < 4 else 8 + (position_s - 4) * 1.5
        heard.status = _status(
            position_s, session.tempo_map.beats_at(position_s), 120 if position_s < 4 else 90, beats % 1
        )
        hear(session, position_s)
    assert session.tempo_map.bpm_at(9) == 90
    assert (session.tempo_map.beats_at(7.5) - (8 + 3.5 * 1.5) + 0.5) % 1 - 0.5 == pytest.approx(0.0, abs=0.1)
    assert sum("--tempo-map" in sentence for sentence in said) == 1


@pytest.mark.parametrize("source", ["mtc", "clock"])
def test_a_tempo_changed_while_the_daw_stands_leaves_bar_1_where_it_is(clocked, source: str) -> None:
    """The composer stops, types another tempo into the DAW and plays again: nothing has changed on the way."""
    session, heard, said = clocked(SyncOptions(source, "clock"))
    for bpm in (120, 97, 140):
        for tenth in range(40):
            beats = tenth / 10 * bpm / 60
            # A clock counts beats: it is where the map in force has that beat.
            position_s = tenth / 10 if source == "mtc" else session.tempo_map.seconds_at(beats)
            ours = session.tempo_map.beats_at(position_s)
            heard.status = _status(position_s, ours, bpm, beats % 1, source)
            hear(session, tenth / 10)
        heard.status = replace(heard.status, rolling=False, state="stopped")
        hear(session, 5.0)
        assert session.tempo_map.bpm_at(0) == bpm
        assert float(session.tempo_map.origin_s) == 0.0
    assert not any("--tempo-map" in sentence for sentence in said)


def test_after_a_change_on_the_way_play_from_the_beginning_has_its_bar_1_again(clocked) -> None:
    """By a clock alone: its first beat is the timeline's beginning, whatever was made of the pass before."""
    session, heard, _ = clocked(SyncOptions("clock", "clock"))
    for at_first, later in ((120, 90), (97, 97)):
        beats = 0.0
        for tenth in range(80):
            bpm = at_first if tenth < 40 else later
            beats += bpm / 600
            position_s = session.tempo_map.seconds_at(beats)
            heard.status = _status(position_s, beats, bpm, beats % 1, "clock")
            hear(session, tenth / 10)
        assert session.tempo_map.bpm_at(0) == later
        heard.status = replace(heard.status, rolling=False, state="stopped")
        hear(session, 9.0)
    assert float(session.tempo_map.origin_s) == 0.0
