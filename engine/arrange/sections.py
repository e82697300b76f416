"""What the sections of a cue change: options by (cue, section)."""

from __future__ import annotations

from dataclasses import replace

from engine.arrange.options import ArrangeOptions
from engine.arrange.timeline import control_name, effective_cues
from engine.music import PARTS, Composition, Key, MusicError, TimeSignature
from engine.music.controls import BY_ADDRESS, ROOT, TEMPO


def section_options(composition: Composition, options: ArrangeOptions) -> dict[tuple[int, int], ArrangeOptions]:
    """Options by (cue, section): each section keeps what the sections before it in the cue have set.

    Controls that are not the arranger's (tempo, mood …) are left to those whose they are.  Raises MusicError.
    """
    found = {}
    for number, cue in enumerate(effective_cues(composition)):
        current = options
        for index, section in enumerate(sorted(cue.sections, key=lambda section: section.start_s)):
            for name, value in section.changes:
                current = _changed(current, control_name(name), value)
            found[number, index] = current
    return found


def check_change(name: str, value: str) -> None:
    """Raises UserError where a section cannot change that control, or not to that value."""
    name = control_name(name)
    if name == "key":
        Key.parse(value)
    elif name == "meter":
        TimeSignature.parse(value)
    elif name == "bpm":
        BY_ADDRESS[TEMPO].arguments[0].parse(value)
    elif name in ("parts", "pattern"):
        _changed(ArrangeOptions(), name, value)
    elif (row := BY_ADDRESS.get(f"{ROOT}/{name}")) is None or row.access != "value":
        raise MusicError(f"'{name[:40]}' is not something that a section can change.")
    else:
        row.arguments[0].parse(value)


def _changed(options: ArrangeOptions, name: str, value: str) -> ArrangeOptions:
    if name == "parts":
        wanted = value.replace(",", " ").split()
        unknown = [part for part in wanted if part not in PARTS]
        if unknown:
            raise MusicError(f"'{unknown[0]}' is not a part; parts are {', '.join(PARTS)}.")
        for part in PARTS:
            options = options.with_part(part, enabled=part in wanted)
        return options
    if name == "pattern":
        return replace(options, pattern=value)
    if name in ("activity", "dynamics"):
        number = None if value in ("", "picture", "auto") else _number(name, value)
        return replace(options, activity=number) if name == "activity" else replace(options, dynamics=number)
    return options


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise MusicError(f"'{text}' is no {name}; it is a number from 0 to 100.") from None
