"""What a running session looks like from outside: one snapshot for the view, the JSON lines and OSC alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bridge.session.edits import printed
from bridge.session.output import frame_rate
from bridge.session.progress import Progress
from bridge.session.state import SessionState
from engine import music
from engine.document import ends
from engine.music import EMOTIONS, PARTS, FrameRate, TimecodeClock, controls
from engine.music.mood import strongest


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the playhead is, on each clock.  picture_s: picture seconds.  beats: quarter notes of the timeline."""

    picture_s: float
    film_timecode: str
    daw_timecode: str
    bar_beat: str
    beats: float
    bar: int


@dataclass(frozen=True, slots=True)
class Sync:
    """Who says the position and the tempo; state: of the player's transport."""

    position_source: str
    tempo_source: str
    state: str
    tempo_bpm: float


@dataclass(frozen=True, slots=True)
class Port:
    """The player's output.  sent, late, dropped: notes."""

    name: str
    api: str
    reason: str
    up: bool
    sent: int
    late: int
    dropped: int
    priority: str


@dataclass(frozen=True, slots=True)
class Take:
    number: int
    name: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Music:
    """What sounds.  chord, next_chord: as written, empty where there is none; *_s: picture seconds where they begin.
    affect: six weights of the picture, in the order of EMOTIONS.  notes_per_bar: of the bar that plays."""

    chord: str
    chord_s: float
    next_chord: str
    next_chord_s: float
    mood: str
    affect: tuple[float, ...]
    notes_per_bar: int
    loudness: float
    key: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """state: waiting, stopped, playing, lost or freewheel.  waits_for: what play has to wait for.

    planned_to_s, composed_to_s: how far there are notes, and chords.  whole: to the end of the film.
    changing: a change under way, and from where it is heard.  cues: name, In, Out, whether it is selected.
    parts: name and whether it plays.  clients: how many are subscribed.  printed: parts and ranges in words.
    plugins: a line for each instance.
    """

    state: str
    waits_for: str
    clock: Clock
    music: Music
    sync: Sync
    take: Take
    port: Port
    engine: str
    progress: Progress
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
    printed: str
    learning: str
    control_port: str
    plugins: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For a JSON line: plain values under one name each, affect by name."""
        values = asdict(self)
        clock, music, sync, take, port = (values.pop(name) for name in ("clock", "music", "sync", "take", "port"))
        flat = {
            **{name: values.pop(name) for name in ("state", "waits_for")},
            **clock,
            **music,
            **{name if name != "state" else "sync_state": value for name, value in sync.items()},
            "take": take["number"],
            "take_name": take["name"],
            "take_kept": take["kept"],
            "port": port.pop("name"),
            **{name if name in _COUNTS else f"port_{name}": value for name, value in port.items()},
            **values,
        }
        flat["affect"] = dict(zip(EMOTIONS, (round(weight, 4) for weight in self.music.affect), strict=True))
        what, fraction, words = self.progress
        flat["progress"] = {"what": what, "fraction": fraction, "words": words}
        flat["frozen"] = flat.pop("printed")  # its name in the JSON lines from the beginning
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in flat.items()}


_COUNTS = ("sent", "late", "dropped", "priority")
_NEUTRAL = (0.0,) * (len(EMOTIONS) - 1) + (1.0,)


def snapshot(session: SessionState) -> Snapshot:
    """The session now."""
    position_s = session.position_s()
    status = session.status
    clock = _clock(session, position_s)
    changing, changing_s = change_under_way(session)
    document = session.document
    known = session.takes.get(document.cue, document.take)
    return Snapshot(
        state=_state(session),
        waits_for=waits_for(session),
        clock=clock,
        music=_music(session, position_s, clock.bar),
        sync=Sync(status.position_source, status.tempo_source, status.state, status.tempo_bpm),
        take=Take(
            document.take,
            known.name if known is not None else music.Take(document.take).name,
            known.kept if known is not None else False,
        ),
        port=Port(
            status.port,
            status.port_api,
            status.port_reason,
            status.port_up,
            status.sent,
            status.late,
            status.dropped,
            status.priority,
        ),
        engine=session.engine_state,
        progress=session.progress,
        planned_to_s=session.planned_to_s,
        composed_to_s=document.result.slots[-1].end_s if document.result.slots else 0.0,
        whole=document.result.complete and session.plan.complete,
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
        printed=printed.as_words(document),
        learning=session.learning,
        control_port=status.control_port,
        plugins=session.plugins,
    )


def _clock(session: SessionState, position_s: float) -> Clock:
    beats = session.beats_at(position_s)
    bar_beat = session.tempo_map.bar_beat_at(max(round(beats, 6), -1e6))
    return Clock(
        position_s,
        _film_timecode(session, position_s),
        _daw_timecode(session, position_s + session.starts_s),
        str(bar_beat),
        beats,
        bar_beat.bar,
    )


def _music(session: SessionState, position_s: float, bar: int) -> Music:
    document = session.document
    now, after = document.chords_at(position_s)
    slot = document.slot_at(position_s)
    affect = slot.affect if slot is not None else _NEUTRAL
    return Music(
        chord=document.chord_name(now.chord) if now is not None else "",
        chord_s=now.start_s if now is not None else 0.0,
        next_chord=document.chord_name(after.chord) if after is not None else "",
        next_chord_s=after.start_s if after is not None else 0.0,
        mood=strongest(affect),
        affect=tuple(affect),
        notes_per_bar=notes_in_bar(session, bar),
        loudness=slot.loudness if slot is not None else 0.0,
        key=document.result.key.name if document.result.slots else "",
    )


def cue_list(session: SessionState) -> list[tuple[str, float, float, bool]]:
    """Name, In, Out (picture seconds) and whether it is selected, of each cue in order of In."""
    document, states = session.document, session.document.cue_states
    end_s = session.analysed.film.duration_s if session.analysed is not None else 0.0
    return [
        (state.name, state.in_s, end_s if out_s is None else out_s, state.number == document.cue)
        for state, out_s in zip(states, ends(states), strict=True)
    ]


def waits_for(session: SessionState) -> str:
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


def _frame_rate(session: SessionState) -> FrameRate | None:
    return frame_rate(session.document, session.analysed.film if session.analysed is not None else None)


def _film_timecode(session: SessionState, position_s: float) -> str:
    """As burnt into the film: its own clock, with drop-frame labels where the stated rate has them."""
    rate = _frame_rate(session)
    if session.analysed is None or rate is None:
        return "--:--:--:--"
    clock = session.analysed.film.clock
    if rate.fps == clock.rate.fps and rate.drop != clock.rate.drop:
        clock = TimecodeClock(rate, TimecodeClock(rate).label_at(clock.first_frame / clock.rate.fps).frames)
    return str(clock.label_at(position_s))


def _daw_timecode(session: SessionState, timeline_s: float) -> str:
    """At the rate and from the start that the DAW states, else at the project's rate from zero."""
    rate = session.daw_rate or _frame_rate(session)
    if rate is None:
        return "--:--:--:--"
    first = session.daw_starts_at.frames if session.daw_starts_at is not None else 0
    return str(TimecodeClock(rate, first).label_at(timeline_s))


def _state(session: SessionState) -> str:
    if session.rolling:
        return "freewheel" if session.status.state == "freewheel" else "playing"
    if session.analysed is None or not session.document.result.slots:
        return "waiting"
    return "lost" if session.status.state == "lost" else "stopped"


def change_under_way(session: SessionState) -> tuple[str, float]:
    """Label and picture second of the change that is being composed or not yet heard; ("", 0)."""
    change = session.composing.change
    if change is None or session.progress.phase == "failed":
        return "", 0.0
    return change.label, change.from_s or 0.0


def notes_in_bar(session: SessionState, bar: int) -> int:
    """How many notes begin in a bar."""
    tempo_map = session.tempo_map
    return session.plan.count_notes(float(tempo_map.bar_start(bar)), float(tempo_map.bar_start(bar + 1)))
