"""Print files: what a script writes into the DAW's tracks as MIDI items.  Text, one thing a line, fields by tabs.

A file and one small message rather than hundreds of datagrams: nothing can be lost on the way, the script writes all
of it as one undo step, and Lua, old Pythons and people can read it.  Beats are quarter notes of the timeline.

    cuebridge-print  1
    job      name  start_s  end_s  start_beats  end_beats
    part     part  item name  channel
    note     start_beats  length_beats  pitch  velocity  channel
    control  beats  number  value  channel
    end      lines before this one
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mido

from bridge.daw.protocol import ClipFile, DawProtocolError
from engine.music.errors import UserError
from engine.music.note import Controller, Note

HEADER: Final = "cuebridge-print\t1"
CLIP_TICKS: Final = 960  # of a quarter note


@dataclass(frozen=True, slots=True)
class PrintPart:
    """One track's item.  channel 1..16; notes and controllers in absolute beats."""

    part: str
    name: str
    channel: int
    notes: tuple[Note, ...] = ()
    controllers: tuple[Controller, ...] = ()


@dataclass(frozen=True, slots=True)
class PrintJob:
    """Timeline seconds and beats of the range; every item spans all of it, so that items line up."""

    name: str
    start_s: float
    end_s: float
    start_beats: float
    end_beats: float
    parts: tuple[PrintPart, ...]


def _clean(text: str) -> str:
    return " ".join(text.split())


def render_print(job: PrintJob) -> str:
    """The file's text.  Notes that begin outside the range are left out, those that reach over its end are cut there.

    The same note sent twice at the same moment on a channel would be one key pressed twice: it is written once.
    """
    lines = [HEADER]
    lines.append(
        f"job\t{_clean(job.name)}\t{job.start_s!r}\t{job.end_s!r}\t{float(job.start_beats)!r}\t{float(job.end_beats)!r}"
    )
    for part in job.parts:
        lines.append(f"part\t{_clean(part.part)}\t{_clean(part.name)}\t{part.channel}")
        seen: set[tuple[float, int, int]] = set()
        for note in sorted(part.notes, key=lambda note: (note.start_beats, note.pitch, note.channel)):
            start, end = float(note.start_beats), min(float(note.end_beats), float(job.end_beats))
            key = (start, note.pitch, note.channel)
            if not job.start_beats <= start < job.end_beats or key in seen:
                continue
            seen.add(key)
            lines.append(f"note\t{start!r}\t{end - start!r}\t{note.pitch}\t{note.velocity}\t{note.channel}")
        for control in sorted(part.controllers, key=lambda control: (control.time_beats, control.number)):
            if job.start_beats <= control.time_beats < job.end_beats:
                values = f"{control.number}\t{control.value}\t{control.channel}"
                lines.append(f"control\t{float(control.time_beats)!r}\t{values}")
    lines.append(f"end\t{len(lines)}")
    return "\n".join(lines) + "\n"


def write_print(path: Path, job: PrintJob) -> None:
    """Written aside, then renamed: a script never sees half of it."""
    aside = path.with_name(path.name + ".part")
    aside.write_text(render_print(job), encoding="utf-8")
    os.replace(aside, path)


def write_clips(folder: Path, stem: str, job: PrintJob) -> tuple[ClipFile, ...]:
    """A MIDI file for each part, as long as the range and beginning with it; what a host inserts as a clip.

    Raises UserError where a file cannot be written.
    """
    return tuple(
        ClipFile(part.part, _clean(part.name), str(_write_clip(folder / f"{stem}-{part.part}.mid", job, part)))
        for part in job.parts
    )


def _write_clip(path: Path, job: PrintJob, part: PrintPart) -> Path:
    whole = read_print(
        render_print(PrintJob(job.name, job.start_s, job.end_s, job.start_beats, job.end_beats, (part,)))
    )
    clip = whole.parts[0]  # cut to the range, each key once

    def tick(beats: float) -> int:
        return round((float(beats) - float(job.start_beats)) * CLIP_TICKS)

    events: list[tuple[int, int, mido.Message]] = []
    for each in clip.controllers:
        control = mido.Message("control_change", channel=each.channel - 1, control=each.number, value=each.value)
        events.append((tick(each.time_beats), 1, control))
    for note in clip.notes:
        on = mido.Message("note_on", channel=note.channel - 1, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=note.channel - 1, note=note.pitch, velocity=0)
        start = tick(note.start_beats)
        events += [(start, 2, on), (max(tick(note.end_beats), start + 1), 0, off)]
    file, track, at = mido.MidiFile(type=0, ticks_per_beat=CLIP_TICKS), mido.MidiTrack(), 0
    for when, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=when - at))
        at = when
    track.append(mido.MetaMessage("end_of_track", time=max(0, tick(job.end_beats) - at)))
    file.tracks.append(track)
    aside = path.with_name(path.name + ".part")
    try:
        file.save(aside)
        os.replace(aside, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def read_print(text: str) -> PrintJob:
    """The job of a print file.  Raises DawProtocolError for anything that is not one."""
    rows = [line.split("\t") for line in text.splitlines()]
    try:
        if text.splitlines()[0] != HEADER or rows[-1] != ["end", str(len(rows) - 1)] or rows[1][0] != "job":
            raise ValueError("not whole")
        parts: list[PrintPart] = []
        for row in rows[2:-1]:
            if row[0] == "part":
                parts.append(PrintPart(row[1], row[2], int(row[3])))
                continue
            last = parts[-1]
            if row[0] == "note":
                note = Note(int(row[3]), int(row[4]), float(row[1]), float(row[2]), int(row[5]), last.part)
                parts[-1] = PrintPart(last.part, last.name, last.channel, (*last.notes, note), last.controllers)
            elif row[0] == "control":
                control = Controller(int(row[2]), int(row[3]), float(row[1]), int(row[4]), last.part)
                parts[-1] = PrintPart(last.part, last.name, last.channel, last.notes, (*last.controllers, control))
            else:
                raise ValueError(row[0])
        head = rows[1]
        start_s, end_s, start_beats, end_beats = (float(value) for value in head[2:6])
        return PrintJob(head[1], start_s, end_s, start_beats, end_beats, tuple(parts))
    except (IndexError, ValueError) as error:  # MusicError is a ValueError
        raise DawProtocolError("bad_value", f"this is no print file: {error}.") from error
