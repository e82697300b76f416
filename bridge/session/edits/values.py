"""Setting one of the values of the controls table."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bridge.session.edits import Edit
from bridge.session.edits.spans import cue_span
from bridge.session.edits.tempo import on_its_clock, on_its_tempo, set_bar_1, set_picture_start, set_tempo
from bridge.session.now import Now, When, boundary_s
from bridge.session.options import arrange_options
from engine.document import CUE_CONTROLS, Document, Value, check_cues, parse_chords, parse_key
from engine.music import MusicError, controls
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS
from engine.music.take_draws import parse_draws
from engine.process.requests import parse_own_theme

DECIDES: Final = (controls.NAME, controls.IN, controls.OUT)
PROGRESSION: Final = (controls.PROGRESSION, controls.PROGRESSION_MODE)


def set_value(document: Document, now: Now, address: str, value: Value, when: When = "bar") -> Edit:
    """Sets a value; the selected cue's where cues have it each."""
    control = BY_ADDRESS[address]
    if address == controls.PICTURE_STARTS_AT:
        return set_picture_start(document, now, str(value))
    if address == controls.BAR_1:
        return set_bar_1(document, now, value)  # type: ignore[arg-type]
    if control.effect == "transport":
        return set_tempo(document, now, 0.0 if isinstance(value, str) else float(value or 0.0))
    if address == controls.PORTS_LAYOUT and now.rolling and value != document.value(address):
        raise ControlError("not_ready", "ports have to be reopened: stop first.")
    changed = document.with_value(address, value)
    if address in DECIDES and changed != document:
        changed = changed.with_value(controls.PROPOSED, "")  # what is moved or named is accepted
    _check(changed, address, value)
    if address == controls.FRAME_RATE:
        changed = on_its_clock(changed, now)
    from_s = boundary_s(document, now, when) if control.effect == "compose" else None
    if address in PROGRESSION:
        low_s, high_s = changed.span_of(changed.cue)
        inside = from_s is not None and low_s <= from_s < high_s
        changed = replace(changed, progression_from_s=from_s if inside and from_s else 0.0)
    label = BY_ADDRESS[address].label
    if changed == document:
        return Edit(document, label)
    if address not in CUE_CONTROLS:
        return Edit(changed, label, from_s, merge=True)
    if address not in PROGRESSION:
        changed = on_its_tempo(document, changed, now)
    return Edit(changed, label, *cue_span(changed, from_s, document), merge=True)


def _check(changed: Document, address: str, value: Value) -> None:
    try:
        if address in PROGRESSION:
            parse_chords(changed)
        elif address == controls.KEY:
            parse_key(str(value))
        elif address == controls.DRAWS:
            parse_draws(str(value))
        elif address == controls.THEME:
            parse_own_theme(changed, float(changed.result.tempo_map.meter_at(0).bar_beats))
        elif address in CUE_CONTROLS:
            check_cues(changed)
        else:
            arrange_options(changed, None)
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
