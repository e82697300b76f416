"""DAWproject 1.0 (bitwig/dawproject, Project.xsd): the five parts with their controllers, tempo map, meters, markers,
and the film on a video track.

Traps that its readers have: clips are wrapped once (Studio One refuses two), a tempo says `unit="bpm"`, sizes stand in
the local headers of the ZIP.  There are no range markers, no chord track and no MIDI channel of a track.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from engine.interchange.markers import clean
from engine.interchange.markers_out import mark_name
from engine.interchange.piece import MARK_KINDS, Piece
from engine.music import PARTS, Controller, Note, TempoMap

_COLOURS: Final = {
    "pad": "#4e79a7", "arp": "#f28e2b", "bass": "#59a14f", "melody": "#e15759", "drums": "#9c755f", "video": "#797979",
}  # fmt: skip
_MARK_COLOURS: Final = {
    "cues": "#59a14f", "sections": "#b07aa1", "hits": "#e15759", "cuts": "#76b7b2", "chords": "#edc948",
}  # fmt: skip
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the same music gives the same file


@dataclass(frozen=True, slots=True)
class FilmSound:
    """What the file says of the film's own sound: channels (0: none) and samples a second."""

    channels: int = 0
    sample_rate: int = 48_000


def dawproject(
    piece: Piece,
    *,
    kinds: Sequence[str] = MARK_KINDS,
    folder: str | os.PathLike[str] | None = None,
    sound: FilmSound = FilmSound(),
) -> bytes:
    """The file.  folder: where it is to lie, so that a film beside it is named from there.

    Bar 1 of the project is bar 1 of the timeline, or the first bar with anything in it where that lies before.
    """
    metadata = Element("MetaData")
    SubElement(metadata, "Title").text = clean(Path(piece.composition.film.path).stem) or "CueBridge"
    SubElement(metadata, "Comment").text = f"take {piece.composition.take.name}, version {piece.version}"
    data = io.BytesIO()
    files = {"project.xml": _Writer(piece, kinds, folder, sound).project(), "metadata.xml": metadata}
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, root in files.items():
            body = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
            archive.writestr(zipfile.ZipInfo(name, _DATE), body, zipfile.ZIP_DEFLATED)
    return data.getvalue()


class _Writer:
    def __init__(
        self, piece: Piece, kinds: Sequence[str], folder: str | os.PathLike[str] | None, sound: FilmSound
    ) -> None:
        self._piece, self._kinds, self._folder, self._sound = piece, kinds, folder, sound
        self._map: TempoMap = piece.tempo_map
        composition = piece.composition
        self._notes, self._controllers = piece.notes, piece.controllers
        starts = [note.start_beats for note in self._notes] + [each.time_beats for each in self._controllers]
        first = min([*starts, composition.beats_at_picture(max(piece.start_s, 0.0)), 0.0])
        self._base = Fraction(0) if first >= 0 else self._map.bar_start(self._map.bar_at(first))
        self._end = composition.beats_at_picture(composition.film.duration_s)
        self._ids = 0

    def _id(self) -> str:
        self._ids += 1
        return f"id{self._ids}"

    def _at(self, beats: float | Fraction) -> str:
        return _number(float(beats) - float(self._base))

    def project(self) -> Element:
        root = Element("Project", version="1.0")
        SubElement(root, "Application", name="CueBridge", version=_version())
        transport = SubElement(root, "Transport")
        tempo_id = self._id()
        tempo = _number(float(self._map.bpm_at(float(self._base))))
        SubElement(transport, "Tempo", id=tempo_id, name="Tempo", unit="bpm", min="20", max="666", value=tempo)
        meter_id, meter = self._id(), self._map.meter_at(self._base)
        SubElement(
            transport, "TimeSignature", id=meter_id, numerator=str(meter.numerator), denominator=str(meter.denominator)
        )
        structure = SubElement(root, "Structure")
        master = self._id()
        sounding = {note.part for note in self._notes} | {each.part for each in self._controllers}
        tracks = {part: self._track(structure, part, "notes", master) for part in PARTS if part in sounding}
        video = self._track(structure, "video", "video", master)
        end = SubElement(structure, "Track", id=self._id(), name="Master", contentType="audio notes", loaded="true")
        SubElement(end, "Channel", id=master, role="master", audioChannels="2")
        arrangement = SubElement(root, "Arrangement", id=self._id())
        lanes = SubElement(arrangement, "Lanes", id=self._id(), timeUnit="beats")
        for part, track in tracks.items():
            self._part(SubElement(lanes, "Lanes", id=self._id(), track=track), part)
        self._video(SubElement(lanes, "Lanes", id=self._id(), track=video))
        self._markers(arrangement)
        self._tempo(arrangement, tempo_id)
        self._meters(arrangement, meter_id)
        return root

    def _track(self, structure: Element, name: str, content: str, master: str) -> str:
        found = self._id()
        title = "Film" if name == "video" else name.capitalize()
        track = SubElement(
            structure, "Track", id=found, name=title, color=_COLOURS[name], contentType=content, loaded="true"
        )
        channel = SubElement(
            track, "Channel", id=self._id(), role="regular", audioChannels="2", destination=master, solo="false"
        )
        SubElement(channel, "Mute", id=self._id(), name="Mute", value="false")
        SubElement(channel, "Pan", id=self._id(), name="Pan", unit="normalized", min="0", max="1", value="0.5")
        SubElement(channel, "Volume", id=self._id(), name="Volume", unit="linear", min="0", max="2", value="1")
        return found

    def _part(self, lanes: Element, part: str) -> None:
        notes = [note for note in self._notes if note.part == part]
        clips = SubElement(lanes, "Clips", id=self._id())
        if notes:
            start = self._map.bar_start(self._map.bar_at(min(note.start_beats for note in notes) + 1e-9))
            stop = max(note.end_beats for note in notes)
            clip = SubElement(
                clips, "Clip", name=part.capitalize(), time=self._at(start), duration=_number(stop - float(start)),
                playStart="0", contentTimeUnit="beats",
            )  # fmt: skip
            row = SubElement(clip, "Notes", id=self._id())
            for note in notes:
                _note(row, note, float(start))
        curves: dict[tuple[int, int], list[Controller]] = {}
        for each in self._controllers:
            if each.part == part:
                curves.setdefault((each.channel, each.number), []).append(each)
        for (channel, number), changes in sorted(curves.items()):
            points = SubElement(lanes, "Points", id=self._id(), unit="normalized", timeUnit="beats")
            SubElement(
                points, "Target", expression="channelController", channel=str(channel - 1), controller=str(number)
            )
            for each in changes:
                SubElement(
                    points, "RealPoint", time=self._at(each.time_beats), value=_number(each.value / 127),
                    interpolation="hold",
                )  # fmt: skip

    def _video(self, lanes: Element) -> None:
        """The film where its picture starts; what lies before the project's first bar is left out of the clip."""
        composition = self._piece.composition
        film = composition.film
        cut_s = max(0.0, composition.picture_at_beats(float(self._base)))
        start = composition.beats_at_picture(cut_s)
        clips = SubElement(lanes, "Clips", id=self._id())
        clip = SubElement(
            clips, "Clip", name=clean(Path(film.path).name) or "film", time=self._at(start),
            duration=_number(self._end - start), playStart=_number(cut_s), contentTimeUnit="seconds",
        )  # fmt: skip
        video = SubElement(
            clip, "Video", id=self._id(), duration=_number(film.duration_s), channels=str(self._sound.channels),
            sampleRate=str(self._sound.sample_rate), timeUnit="seconds",
        )  # fmt: skip
        SubElement(video, "File", path=self._path_of(film.path), external="true")

    def _path_of(self, path: str) -> str:
        """Seen from the file's own folder where the film lies in it or below, else absolute."""
        whole = Path(os.path.abspath(path))
        if self._folder is not None:
            folder = Path(os.path.abspath(self._folder))
            if whole.is_relative_to(folder):
                return whole.relative_to(folder).as_posix()
        return whole.as_posix()

    def _markers(self, arrangement: Element) -> None:
        marks = [mark for mark in self._piece.marks(self._kinds)]
        if not marks:
            return
        row = SubElement(arrangement, "Markers", id=self._id(), timeUnit="beats")
        for mark in marks:
            beats = max(self._piece.composition.beats_at_picture(mark.start_s), float(self._base))
            SubElement(
                row,
                "Marker",
                time=self._at(beats),
                name=clean(mark_name(mark, with_length=False)),
                color=_MARK_COLOURS[mark.kind],
            )

    def _tempo(self, arrangement: Element, target: str) -> None:
        points = SubElement(arrangement, "TempoAutomation", id=self._id(), unit="bpm", timeUnit="beats")
        SubElement(points, "Target", parameter=target)
        changes = [change for change in self._map.tempos if change.beat > self._base]
        SubElement(
            points, "RealPoint", time="0", value=_number(self._map.bpm_at(float(self._base))), interpolation="hold"
        )
        for change in changes:
            SubElement(
                points, "RealPoint", time=self._at(change.beat), value=_number(float(change.bpm)), interpolation="hold"
            )

    def _meters(self, arrangement: Element, target: str) -> None:
        points = SubElement(arrangement, "TimeSignatureAutomation", id=self._id(), timeUnit="beats")
        SubElement(points, "Target", parameter=target)
        signed = self._map.signed_meters
        first = next((c.meter for c in reversed(signed) if c.beat <= self._base), signed[0].meter)
        rows = [(self._base, first), *((c.beat, c.meter) for c in signed if c.beat > self._base)]
        for beat, meter in rows:
            SubElement(
                points, "TimeSignaturePoint", time=self._at(beat), numerator=str(meter.numerator),
                denominator=str(meter.denominator),
            )  # fmt: skip


def _note(row: Element, note: Note, start: float) -> None:
    SubElement(
        row, "Note", time=_number(note.start_beats - start), duration=_number(note.length_beats),
        channel=str(note.channel - 1), key=str(note.pitch), vel=_number(note.velocity / 127), rel=_number(0.5),
    )  # fmt: skip


def _number(value: float) -> str:
    """Enough digits for a sample at any tempo, and no exponent, which not every reader takes."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def _version() -> str:
    try:
        return version("cuebridge")
    except PackageNotFoundError:
        return "0"
