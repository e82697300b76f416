"""What each address that can only be read answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from typing import Final, Protocol

from bridge.controls.midi import MidiControl
from bridge.controls.midi_learn import MidiLearn
from bridge.daw.session import DawBridge
from bridge.osc.clients import Clients
from bridge.osc.codec import Argument, Double
from bridge.session.lists import form_rows, plan_rows, proposed_cues, rated_takes, statement_rows, steering_rows
from bridge.session.output import named_ranges
from bridge.session.snapshot import Snapshot, change_under_way, cue_list
from bridge.session.state import SessionState
from engine.document.printed import ranges_s
from engine.music import controls

MAX_LIST: Final = 120  # entries of a list in one message


class Around(Protocol):
    """What the answers need besides the session: subscribers, the MIDI mapping, connected scripts."""

    @property
    def clients(self) -> Clients: ...

    @property
    def midi(self) -> MidiControl: ...

    @property
    def daw(self) -> DawBridge | None: ...


def _status(session: SessionState, shot: Snapshot, around: Around) -> tuple[Argument, ...]:
    clock, music = shot.clock, shot.music
    return (
        shot.state, Double(clock.picture_s), clock.film_timecode, clock.daw_timecode, clock.bar_beat, music.chord,
        music.next_chord, shot.port.name, shot.port.late, shot.waits_for,
    )  # fmt: skip


def _chords(session: SessionState, shot: Snapshot, around: Around) -> tuple[Argument, ...]:
    document = session.document
    runs = islice(document.each_run(), MAX_LIST // 2)
    return tuple(value for chord, start_s in runs for value in (Double(start_s), document.chord_name(chord) or "N"))


STATES: Final[dict[str, Callable[[SessionState, Snapshot, Around], tuple[Argument, ...]]]] = {
    controls.STATUS: _status,
    controls.PLAYHEAD: lambda session, shot, around: (
        Double(shot.clock.picture_s),
        Double(shot.clock.beats),
        shot.clock.bar_beat,
        shot.clock.film_timecode,
        shot.clock.daw_timecode,
        session.rolling,
    ),
    controls.CHORDS_NOW: lambda session, shot, around: (
        shot.clock.bar,
        shot.music.chord,
        Double(shot.music.chord_s),
        shot.music.next_chord,
        Double(shot.music.next_chord_s),
    ),
    controls.CHORDS: _chords,
    controls.PROGRESS: lambda session, shot, around: shot.progress,
    controls.TAKE: lambda session, shot, around: (
        shot.take.number,
        shot.take.name,
        shot.take.kept,
        len(session.takes.of_cue(session.document.cue)),
    ),
    controls.TAKES: lambda session, shot, around: tuple(
        value
        for number, take in list(session.takes.of_cue(session.document.cue).items())[: MAX_LIST // 3]
        for value in (number, take.name, take.kept)
    ),
    controls.TAKES_RATED: lambda session, shot, around: rated_takes(session),
    controls.STEERING: lambda session, shot, around: steering_rows(session),
    controls.TAKES_COMING: lambda session, shot, around: (session.aside.wanted,),
    controls.PLAN: lambda session, shot, around: plan_rows(session.document),
    controls.STATEMENTS: lambda session, shot, around: statement_rows(session.document),
    controls.FORM_SECTIONS: lambda session, shot, around: form_rows(session.document),
    controls.PINS: lambda session, shot, around: tuple(
        value
        for pin in session.document.pins[: MAX_LIST // 2]
        for value in (Double(pin.start_s), session.document.chord_name(pin.chord))
    ),
    controls.PRINTED: lambda session, shot, around: tuple(
        value
        for part, from_s, to_s in ranges_s(session.document)[: MAX_LIST // 3]
        for value in (part, Double(from_s), Double(to_s))
    ),
    controls.LOCKS: lambda session, shot, around: tuple(
        value
        for lock in session.document.locks[: MAX_LIST // 4]
        for value in (lock.part, Double(lock.start_s), Double(lock.end_s), session.document.holds(lock))
    ),
    controls.HITS: lambda session, shot, around: tuple(
        value for hit in session.document.hits[: MAX_LIST // 3] for value in (Double(hit.time_s), hit.weight, hit.name)
    ),
    controls.SECTIONS: lambda session, shot, around: tuple(
        value
        for each in session.document.sections[: MAX_LIST // 3]
        for value in (Double(each.start_s), "; ".join(f"{name}={text}" for name, text in each.changes), each.name)
    ),
    controls.RANGES: lambda session, shot, around: tuple(
        value for row in named_ranges(session.document) for value in row
    ),
    controls.CUES: lambda session, shot, around: tuple(
        value
        for number, (name, in_s, out_s, selected) in enumerate(cue_list(session)[: MAX_LIST // 5], start=1)
        for value in (number, name, Double(in_s), Double(out_s), selected)
    ),
    controls.CUES_PROPOSED: lambda session, shot, around: proposed_cues(session.document),
    controls.CUTS: lambda session, shot, around: tuple(
        Double(cut.time_s) for cut in (session.analysed.cuts if session.analysed is not None else ())[:MAX_LIST]
    ),
    controls.FILM: lambda session, shot, around: (
        (
            session.analysed.film.path,
            Double(session.analysed.film.duration_s),
            float(session.analysed.film.rate.fps),
            session.analysed.reading,
            session.analysed.reason,
        )
        if session.analysed is not None
        else (str(session.film.path), Double(0.0), 0.0, "", "")
    ),
    controls.EDITS: lambda session, shot, around: (
        shot.undo,
        shot.redo,
        session.history.undo_count,
        session.history.redo_count,
    ),
    controls.EDITS_LAST: lambda session, shot, around: (
        session.log.last.number,
        session.log.last.label,
        session.log.last.who,
        Double(session.log.last.heard_s),
    ),
    controls.LEARN_WAITING: lambda session, shot, around: _waiting(session, around.midi.learn),
    controls.LEARN_LIST: lambda session, shot, around: around.midi.listed(),
    controls.CHANGING: lambda session, shot, around: _changing(session),
    controls.CLIENTS: lambda session, shot, around: (len(around.clients),),
    controls.PLUGINS: lambda session, shot, around: (len(shot.plugins), *shot.plugins),
    controls.DAW: lambda session, shot, around: tuple(
        value
        for info in (around.daw.link.status() if around.daw is not None else ())
        for value in (info.daw, float(info.rate_hz), info.lost)
    ),
    controls.SYNC: lambda session, shot, around: (
        shot.sync.position_source,
        shot.sync.state,
        shot.sync.tempo_source,
        shot.sync.tempo_bpm,
        session.status.source_rate,
        session.status.sync_port,
    ),
    controls.PORTS: lambda session, shot, around: (
        shot.port.name,
        shot.port.api,
        shot.port.up,
        shot.port.sent,
        shot.port.late,
        shot.port.dropped,
    ),
}


def _waiting(session: SessionState, learn: MidiLearn) -> tuple[Argument, ...]:
    address, left_s = learn.waiting(session.clock.now())
    return address, math.ceil(left_s)


def _changing(session: SessionState) -> tuple[Argument, ...]:
    label, at_s = change_under_way(session)
    return label, Double(at_s)
