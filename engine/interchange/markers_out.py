"""Marks of a piece for picture editors and DAWs: Resolve marker EDL, CSV, OTIO, and MIDI with a track for each kind."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from engine.interchange.markers import Marker, MarkerList, clean, guarded
from engine.interchange.piece import MARK_KINDS, MusicalMark, Piece
from engine.interchange.rules import map_markers
from engine.midifile import Marker as MidiMarker
from engine.midifile import write_music
from engine.music.composition import Film
from engine.music.extras import need_extra
from engine.music.timecode import FRAME_RATES

COLOURS: Final = {"cues": "Green", "sections": "Purple", "hits": "Blue", "cuts": "Cyan", "chords": "Yellow"}
_SINGULAR: Final = {"cues": "cue", "sections": "section", "hits": "hit"}  # as the rules call them
_TRACKS: Final = {"cues": "Cues", "sections": "Sections", "hits": "Hits", "cuts": "Cuts", "chords": "Chords"}
MAX_EDL_EVENTS: Final = 999  # three digits


def mark_name(mark: MusicalMark, *, with_length: bool = True) -> str:
    """As it is written, so that reading it again gives the same: a must hit ends in !, one that is nice in ?; where
    the rules would read another thing in a name, it says what it is: `hit: 1m1 stinger`, `cue: Opening`.

    with_length: the file says how long it lasts.
    """
    if mark.kind not in _SINGULAR:
        return mark.name
    kind, weight = _SINGULAR[mark.kind], {"must": "!", "nice": "?"}.get(mark.weight, "")
    if _reads_as(mark.name + weight, mark, lasts=with_length and mark.end_s is not None):
        return mark.name + weight
    return f"{kind} {mark.weight}: {mark.name}" if weight else f"{kind}: {mark.name}"


def _reads_as(name: str, mark: MusicalMark, *, lasts: bool) -> bool:
    """Whether the program's rules make of a marker of this name what it was."""
    read = Marker(1, clean(name), Fraction(0), Fraction(1) if lasts else None, colour(mark).lower())
    film = Film("", 2.0, FRAME_RATES["25"])
    (row,) = map_markers(MarkerList("", (read,), film.rate, ""), film).rows
    weight = (mark.weight or "should") if mark.kind == "hits" else ""
    return (row.kind, row.name, row.weight, row.changes) == (_SINGULAR[mark.kind], clean(mark.name), weight, ())


def colour(mark: MusicalMark) -> str:
    """In the words that Resolve and OTIO share; red is a must."""
    return "Red" if mark.weight == "must" else COLOURS[mark.kind]


def edl(piece: Piece, kinds: Sequence[str]) -> bytes:
    """A marker EDL as Resolve imports it.

    Marks that share a frame are one, since Resolve keeps only one of them: the first gives its name, the others stand
    in its note.
    """
    clock = piece.composition.film.clock
    by_frame: dict[int, list[MusicalMark]] = {}
    for mark in piece.marks(kinds):
        by_frame.setdefault(piece.label_at(mark.start_s).frames, []).append(mark)
    first = clock.label_at(0)
    lines = [f"TITLE: {clean(piece.composition.film.path.rpartition('/')[2]) or 'CueBridge'}"]
    lines += [f"FCM: {'DROP' if clock.rate.drop else 'NON-DROP'} FRAME", ""]
    for number, (frame, marks) in enumerate(sorted(by_frame.items()), start=1):
        at = first + (frame - first.frames)
        name, *others = (clean(mark_name(mark)).replace("|", "-") for mark in marks)
        end_s = marks[0].end_s
        length = 1 if end_s is None else max(piece.label_at(end_s).frames - frame, 1)
        lines.append(f"{(number - 1) % MAX_EDL_EVENTS + 1:03}  001      V     C        {at} {at + 1} {at} {at + 1}  ")
        note = "; ".join(others)
        lines += [f"{note} |C:ResolveColor{colour(marks[0])} |M:{name} |D:{length}", ""]
    return "\r\n".join(lines).encode("utf-8")


def table(piece: Piece, kinds: Sequence[str]) -> bytes:
    """CSV with a heading, as spreadsheets open it: UTF-8 with its mark."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["In", "Out", "Name", "Type", "Seconds"])
    for mark in piece.marks(kinds):
        out = "" if mark.end_s is None else str(piece.label_at(mark.end_s))
        name = guarded(clean(mark_name(mark)))
        rows.writerow([str(piece.label_at(mark.start_s)), out, name, mark.kind, f"{mark.start_s:.6f}"])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")


def otio(piece: Piece, kinds: Sequence[str]) -> bytes:
    """An OpenTimelineIO timeline as long as the film, with the marks on it.  Raises UserError without the extra."""
    need_extra("otio", "Writing OTIO")
    import opentimelineio as module

    film = piece.composition.film
    clock = film.clock
    rate = float(clock.rate.fps)

    def time(frames: int) -> object:
        return module.opentime.RationalTime(frames, rate)

    first = clock.label_at(0).frames
    timeline = module.schema.Timeline(clean(os.path.basename(film.path)) or "CueBridge")
    timeline.global_start_time = time(first)
    track = module.schema.Track("V1", kind=module.schema.TrackKind.Video)
    whole = module.opentime.TimeRange(time(0), time(round(film.duration_s * clock.rate.fps)))
    track.append(module.schema.Gap(source_range=whole))
    timeline.tracks.append(track)
    for mark in piece.marks(kinds):
        frame = piece.label_at(mark.start_s).frames - first
        length = 1 if mark.end_s is None else max(piece.label_at(mark.end_s).frames - first - frame, 1)
        made = module.schema.Marker(
            name=mark_name(mark), marked_range=module.opentime.TimeRange(time(frame), time(length)),
            color=colour(mark).upper(), metadata={"cuebridge": {"kind": mark.kind}},
        )  # fmt: skip
        timeline.tracks.markers.append(made)
    return module.adapters.write_to_string(timeline, "otio_json").encode("utf-8")


def write_midi_markers(path: str | os.PathLike[str], piece: Piece, kinds: Sequence[str]) -> None:
    """A tempo track and, for each kind of marks, a track of its own.  Raises UserError."""
    tracks = {}
    for kind in MARK_KINDS:
        if kind in kinds:
            marks = piece.marks((kind,))
            beats = piece.composition.beats_at_picture
            tracks[_TRACKS[kind]] = [
                MidiMarker(beats(mark.start_s), mark_name(mark, with_length=False)) for mark in marks
            ]
    write_music(path, (), (), piece.tempo_map, marker_tracks=tracks, key=piece.composition.key)
