"""From each older version of the session file to the next, as plain JSON values.

One function a version; a change of `schema.py` adds one and leaves the others as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.music import Chord

_Values = dict[str, Any]


def _from_1(old: _Values) -> _Values:
    """2: documents stand inside steps and takes; a chord's label and bass are one word; pins say what was typed."""
    film, time = old["film"], old["time"]
    return {
        "format": old["format"],
        "version": 2,
        "film": {
            **film,
            "path_bytes": "",
            "path_from_here": film.get("path_from_here", ""),
            "fps": _exact(film["fps"]),
        },
        "time": {**time, "tempo_map": _tempo_map(time["tempo_map"])},
        "index": old["index"],
        "steps": [{"label": step["label"], "document": _document(step)} for step in old["steps"]],
        "names": old.get("names", []),
        "takes": [_take(take) for take in old["takes"]],
        "results": [_result(result) for result in old["results"]],
    }


def _exact(text: object) -> object:
    """Version 1 was read leniently: `24.0` and ` 24 ` too."""
    return text.strip() if isinstance(text, str) else text


def _tempo_map(old: Mapping[str, Any]) -> _Values:
    return {
        "origin_s": _exact(old["origin_s"]),
        "tempos": [[_exact(beat), _exact(bpm)] for beat, bpm in old["tempos"]],
        "meters": [[_exact(beat), meter] for beat, meter in old["meters"]],
    }


def _document(old: Mapping[str, Any]) -> _Values:
    return {
        "settings": old["settings"],
        "take": old["take"],
        "pins": [[start, end, Chord.parse(chord).harte(), ""] for start, end, chord in old["pins"]],
        "hits": old["hits"],
        "sections": old["sections"],
        "progression_from_s": old["progression_from_s"],
        "printed": old.get("frozen", []),
        "cue": old.get("cue", 0),
        "other_cues": old.get("other_cues", []),
        "adopted": old.get("adopted", []),
        "result": old["result"],
    }


def _take(old: Mapping[str, Any]) -> _Values:
    return {
        "cue": old.get("of_cue", 0),
        "number": old["number"],
        "name": old["name"],
        "kept": old["kept"],
        "document": _document(old),
        "notes": old.get("notes"),
        "controllers": old.get("controllers"),
    }


def _result(old: Mapping[str, Any]) -> _Values:
    levels = old["levels"]
    if levels is not None:
        motion = levels[2] if len(levels) > 2 else None
        levels = {"density": levels[0], "loudness": levels[1], "motion": motion}
    return {
        **{name: value for name, value in old.items() if name not in ("slots", "levels", "tempo_map", "cue_keys")},
        "tempo_map": _tempo_map(old["tempo_map"]),
        "levels": levels,
        "cue_keys": old.get("cue_keys", []),
        "slots": [_slot(row) for row in old["slots"]],
    }


def _slot(row: list[Any]) -> list[Any]:
    start_s, end_s, start_beats, end_beats, label, bass, *rest = row
    chord = Chord.parse(label)
    if bass is not None:
        chord = Chord(chord.root, chord.quality, bass)
    return [start_s, end_s, start_beats, end_beats, chord.harte(), *rest]


def _from_2(old: _Values) -> _Values:
    """3: takes have ratings, pins may lie off the grid, parts may be locked, steps say who made them, plans may be
    edited; an older file says nothing of these."""
    return {**old, "version": 3}


def _from_3(old: _Values) -> _Values:
    """4: documents and plans say by which rules they are drawn and played, returns of the theme how they are varied; an
    older file says nothing of these, which are the first rules."""
    return {**old, "version": 4}


def _from_4(old: _Values) -> _Values:
    """5: who chose the tempi has a place of its own; in an older file only the reason says it, in words."""
    reason = str(old["time"]["reason"])
    said = set(re.findall(r"\d+(?:\.\d+)?", reason))
    proposed = []
    for step in old["steps"][old["index"] :][:1]:
        document = step["document"]
        for number, settings, *_ in [(document["cue"], document["settings"]), *document["other_cues"]]:
            bpm = settings.get("/cue/tempo") or 0
            if bpm and (f"{bpm:g}" in said or settings.get("/cue/proposed")):
                proposed.append([number, bpm])
    return {**old, "version": 5, "time": {**old["time"], "asked": "as asked" in reason, "proposed": proposed}}


MIGRATIONS: Final[Mapping[int, Callable[[_Values], _Values]]] = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
