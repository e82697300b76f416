"""What a running session looks like from outside: one snapshot for the view, the JSON lines and OSC alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bridge.session.edits import printed
from bridge.session.output import frame_rate
from bridge.session.session import Session
from engine.document import ends
from engine.music import EMOTIONS, PARTS, FrameRate, Take, TimecodeClock, controls
from engine.music.mood import strongest


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Seconds are picture seconds.  chord, next_chord: lead-sheet names, empty where there is none.

    state: waiting, stopped, playing, lost or freewheel.  affect: six weights of the picture, in the order of EMOTIONS.
    cues: name, In, Out, whether it is selected.  parts: name and whether it plays.  clients: who is subscribed.
    notes_per_bar: of the bar that plays.  changing: a change under way and from when it is heard.
    frozen: parts and ranges that were printed, in words.
    """

    state: str
    waits_for: str
    picture_s: float
    film_timecode: str
    daw_timecode: str
    bar_beat: str
    beats: float
    bar: int
    chord: str
    chord_s: float
    next_chord: str
    next_chord_s: float
    mood: str
    affect: tuple[float, ...]
    notes_per_bar: int
    loudness: float
    key: str
    tempo_bpm: float
    position_source: str
    tempo_source: str
    sync_state: str
    take: int
    take_name: str
    take_kept: bool
    port: str
    port_api: str
    port_reason: str
    port_up: bool
    sent: int
    late: int
    dropped: int
    priority: str
    engine: str
    progress: tuple[str, float, str]
    planned_to_s: float
    composed_to_s: float
    whole: bool
    pids: dict[str, int]
    changing: str
    changing_s: float
    undo: str
    redo: str
    film: str
    frame_rate: str
    reading: str
    cues: tuple[tuple[str, float, float, bool], ...]
    parts: tuple[tuple[str, bool], ...]
    clients: int
    frozen: str
    learning: str
    control_port: str

    def as_json(self) -> dict[str, Any]:
        """For a JSON line: plain values, affect by name."""
        values = asdict(self)
        values["affect"] = dict(zip(EMOTIONS, (round(weight, 4) for weight in self.affect), strict=True))
        values["progress"] = {"what": self.progress[0], "fraction": self.progress[1], "words": self.progress[2]}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


_NEUTRAL = (0.0,) * (len(EMOTIONS) - 1) + (1.0,)


def snapshot(session: Session) -> Snapshot:
    """The session now."""
    position_s = session.position_s()
    status = session.status
    beats = session.beats_at(position_s)
    bar_beat = session.tempo_map.bar_beat_at(max(round(beats, 6), -1e6))
    now, after = session.document.chords_at(position_s)
    slot = session.document.slot_at(position_s)
    affect = slot.affect if slot is not None else _NEUTRAL
    changing, changing_s = change_under_way(session)
    document = session.document
    known = session.takes.get(document.cue, document.take)
    timeline_s = position_s + session.starts_s
    return Snapshot(
        state=_state(session),
        waits_for=waits_for(session),
        picture_s=position_s,
        film_timecode=_film_timecode(session, position_s),
        daw_timecode=_daw_timecode(session, timeline_s),
        bar_beat=str(bar_beat),
        beats=beats,
        bar=bar_beat.bar,
        chord=session.chord_name(now.chord) if now is not None else "",
        chord_s=now.start_s if now is not None else 0.0,
        next_chord=session.chord_name(after.chord) if after is not None else "",
        next_chord_s=after.start_s if after is not None else 0.0,
        mood=strongest(affect),
        affect=tuple(affect),
        notes_per_bar=notes_in_bar(session, bar_beat.bar),
        loudness=slot.loudness if slot is not None else 0.0,
        key=document.result.key.name if document.result.slots else "",
        tempo_bpm=status.tempo_bpm,
        position_source=status.position_source,
        tempo_source=status.tempo_source,
        sync_state=status.state,
        take=document.take,
        take_name=known.name if known is not None else Take(document.take).name,
        take_kept=known.kept if known is not None else False,
        port=status.port,
        port_api=status.port_api,
        port_reason=status.port_reason,
        port_up=status.port_up,
        sent=status.sent,
        late=status.late,
        dropped=status.dropped,
        priority=status.priority,
        engine=session.engine_state,
        progress=session.progress,
        planned_to_s=session.planned_to_s,
        composed_to_s=document.result.slots[-1].end_s if document.result.slots else 0.0,
        whole=session.document.result.complete and session.plan.complete,
        pids=session.pids(),
        changing=changing,
        changing_s=changing_s,
        undo=session.history.undo_label,
        redo=session.history.redo_label,
        film=session.film.name,
        frame_rate=str(_frame_rate(session) or ""),
        reading=session.analysed.reading if session.analysed is not None else "",
        cues=tuple(cue_list(session)),
        parts=tuple((part, bool(document.value(controls.of_part(part, "on")))) for part in PARTS),
        clients=session.clients,
        frozen=printed.as_words(session.document),
        learning=session.learning,
        control_port=status.hands_port,
    )


def cue_list(session: Session) -> list[tuple[str, float, float, bool]]:
    """Name, In, Out (picture seconds) and whether it is selected, of each cue in order of In."""
    document, states = session.document, session.document.cue_states
    end_s = session.analysed.film.duration_s if session.analysed is not None else 0.0
    return [
        (state.name, state.in_s, end_s if out_s is None else out_s, state.number == document.cue)
        for state, out_s in zip(states, ends(states), strict=True)
    ]


def waits_for(session: Session) -> str:
    """What play has to wait for; empty when it has not."""
    if session.failure is not None:
        return session.failure
    if session.analysed is None:
        return session.progress.words
    if not session.ready().enough:
        return "the first chords" if not session.document.result.slots else "the next chords"
    if not session.rolling:
        return "the DAW to play" if session.options.follows and not session.transport.shared else "play"
    return ""


def _frame_rate(session: Session) -> FrameRate | None:
    return frame_rate(session.document, session.analysed.film if session.analysed is not None else None)


def _film_timecode(session: Session, position_s: float) -> str:
    """As burnt into the film: its own clock, with drop-frame labels where the stated rate has them."""
    rate = _frame_rate(session)
    if session.analysed is None or rate is None:
        return "--:--:--:--"
    clock = session.analysed.film.clock
    if rate.fps == clock.rate.fps and rate.drop != clock.rate.drop:
        clock = TimecodeClock(rate, TimecodeClock(rate).label_at(clock.first_frame / clock.rate.fps).frames)
    return str(clock.label_at(position_s))


def _daw_timecode(session: Session, timeline_s: float) -> str:
    """At the rate and from the start that the DAW states, else at the project's rate from zero."""
    rate = session.daw_rate or _frame_rate(session)
    if rate is None:
        return "--:--:--:--"
    first = session.daw_starts_at.frames if session.daw_starts_at is not None else 0
    return str(TimecodeClock(rate, first).label_at(timeline_s))


def _state(session: Session) -> str:
    if session.rolling:
        return "freewheel" if session.status.state == "freewheel" else "playing"
    if session.analysed is None or not session.document.result.slots:
        return "waiting"
    return "lost" if session.status.state == "lost" else "stopped"


def change_under_way(session: Session) -> tuple[str, float]:
    """Label and picture second of the change that is being composed or not yet heard; ("", 0)."""
    change = session.composing.change
    if change is None or session.progress.phase == "failed":
        return "", 0.0
    return change.label, change.from_s or 0.0


def notes_in_bar(session: Session, bar: int) -> int:
    """How many notes begin in a bar."""
    tempo_map = session.tempo_map
    return session.plan.count_notes(float(tempo_map.bar_start(bar)), float(tempo_map.bar_start(bar + 1)))
