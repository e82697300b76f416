"""Tables about a piece: the spotting sheet, and the cue sheet that performing rights societies take."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from engine.interchange.markers import clean, guarded
from engine.interchange.piece import Piece
from engine.music import EMOTIONS, Cue

USES: Final = ("BI", "BV", "VI", "VV", "MT", "ET", "L")  # background or visual, instrumental or vocal; themes; logo


_CUE_SHEET: Final = (
    "Production", "Cue Number", "Cue Title", "Usage", "In", "Out", "Duration", "Writers", "Publishers", "Society",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rights:
    """What a cue sheet says besides the music.  use: one of USES.  shares are left to the society's form."""

    production: str = ""
    writers: str = ""
    publishers: str = ""
    society: str = ""
    use: str = "BI"


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[guarded(clean(each)) for each in row] for row in rows])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")


def spotting_sheet(piece: Piece) -> bytes:
    """A row for each cue and each of its sections, with mood and palette, and for each hit."""
    composition = piece.composition
    rows = [["Cue", "In", "Out", "Length", "Action", "Emotional", "Palette", "Key", "Tempo", "Meter"]]
    for index, cue in enumerate(piece.cues):
        plan = next((each for each in composition.plans if each.cue == _number(piece, cue, index)), None)
        out_s = piece.out_s(cue)
        beats = composition.beats_at_picture(cue.in_s)
        key = plan.sections[0].key if plan is not None else cue.key or composition.key
        rows.append(
            [
                cue.name, str(piece.label_at(cue.in_s)), str(piece.label_at(out_s)), _length(out_s - cue.in_s),
                f"{plan.form}: {plan.reason}" if plan is not None else "", mood_of(piece, cue.in_s, out_s),
                plan.ensemble if plan is not None else _parts(piece, cue.in_s, out_s), key.name,
                f"{float(composition.tempo_map.bpm_at(beats)):g}", str(composition.tempo_map.meter_at(beats + 1e-9)),
            ]
        )  # fmt: skip
        for section in plan.sections if plan is not None else ():
            rows.append(
                [
                    f"{cue.name} {section.letter}", str(piece.label_at(section.start_s)),
                    str(piece.label_at(section.end_s)), _length(section.end_s - section.start_s), section.role,
                    section.mood, f"{section.variant}: {', '.join(section.layers)}", section.key.name, "", "",
                ]
            )  # fmt: skip
        inside = [hit for hit in piece.hits if cue.in_s <= hit.time_s < out_s]
        rows += [["", str(piece.label_at(h.time_s)), "", "", f"{h.name or 'hit'} ({h.weight})"] for h in inside]
    return _csv(rows)


def _number(piece: Piece, cue: Cue, index: int) -> int:
    """The index of a cue among all cues of the composition."""
    names = [each.name for each in sorted(piece.composition.cues, key=lambda each: each.in_s)]
    return names.index(cue.name) if cue.name in names else index


def mood_of(piece: Piece, in_s: float, out_s: float) -> str:
    """The moods that the picture has there, strongest first; "" where nothing is known."""
    slots = [slot for slot in piece.composition.slots if slot.start_s < out_s and slot.end_s > in_s]
    if not slots:
        return ""
    shares = [sum(slot.affect[place] for slot in slots) / len(slots) for place in range(len(EMOTIONS))]
    best = sorted(range(len(EMOTIONS)), key=lambda place: -shares[place])[:2]
    return ", ".join(EMOTIONS[place] for place in best if shares[place] >= 0.2) or EMOTIONS[best[0]]


def _parts(piece: Piece, in_s: float, out_s: float) -> str:
    low, high = (piece.composition.beats_at_picture(at_s) for at_s in (in_s, out_s))
    parts = sorted({note.part for note in piece.notes if low <= note.start_beats < high})
    return ", ".join(name for name, _ in groupby(parts))


def cue_sheet(piece: Piece, rights: Rights) -> bytes:
    """A row for each cue in the order of RapidCue's columns."""
    production = rights.production or Path(piece.composition.film.path).stem
    rows = [list(_CUE_SHEET)]
    for cue in piece.cues:
        out_s = piece.out_s(cue)
        number, _, title = cue.name.partition(" ")
        rows.append(
            [
                production, number, title or cue.name, rights.use, str(piece.label_at(cue.in_s)),
                str(piece.label_at(out_s)), _length(out_s - cue.in_s), rights.writers, rights.publishers,
                rights.society,
            ]
        )  # fmt: skip
    return _csv(rows)


def _length(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
