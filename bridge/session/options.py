"""Settings of the controls table as the arranger takes them."""

from __future__ import annotations

from dataclasses import replace

from bridge.session.history import Draft
from engine.arrange import ArrangeOptions, FilmLevels, PartOptions
from engine.music import PARTS, MusicError


def arrange_options(draft: Draft, levels: FilmLevels | None) -> ArrangeOptions:
    """Raises MusicError where the values do not go together."""
    options = ArrangeOptions()
    parts = {part: _part_options(draft, part, options.parts[part]) for part in PARTS}
    return replace(
        options,
        parts=parts,
        activity=draft.optional_number("/cue/activity"),
        dynamics=draft.optional_number("/cue/dynamics"),
        pattern=draft.text("/cue/pattern"),
        swing=draft.number("/cue/swing"),
        gate=draft.number("/cue/note_length"),
        looseness_ms=draft.number("/cue/looseness"),
        transpose=int(draft.number("/cue/transpose")),
        voicing=draft.text("/cue/voicing"),
        density_map=draft.text("/cue/density_map"),
        velocity_map=draft.text("/cue/velocity_map"),
        crescendo=draft.number("/cue/crescendo"),
        cc1=bool(draft.value("/cue/cc1")),
        cc11=draft.text("/cue/cc11"),
        arp_octaves=int(draft.number("/cue/arp_span")),
        levels=levels,
    )


def _part_options(draft: Draft, part: str, default: PartOptions) -> PartOptions:
    at = f"/cue/part/{part}"
    low, high = int(draft.number(f"{at}/low")), int(draft.number(f"{at}/high"))
    soft, loud = int(draft.number(f"{at}/velocity/low")), int(draft.number(f"{at}/velocity/high"))
    if low > high:
        raise MusicError(f"the lowest pitch of the {part} ({low}) is above its highest ({high}).")
    if soft > loud:
        raise MusicError(f"the softest note of the {part} ({soft}) is louder than its loudest ({loud}).")
    pattern = draft.text(f"{at}/pattern")
    return replace(
        default,
        enabled=bool(draft.value(f"{at}/on")),
        channel=int(draft.number(f"{at}/channel")),
        low=low,
        high=high,
        velocity_low=soft,
        velocity_high=loud,
        pattern=None if pattern == "auto" else pattern,
        gate=draft.optional_number(f"{at}/note_length"),
        level=draft.number(f"{at}/level"),
    )


def part_shifts(draft: Draft) -> dict[str, int]:
    """Semitones by part; drums stay."""
    return {part: int(draft.number(f"/cue/part/{part}/transpose")) for part in PARTS if part != "drums"}


def channels(draft: Draft) -> dict[str, int]:
    """MIDI channel by part."""
    return {part: int(draft.number(f"/cue/part/{part}/channel")) for part in PARTS}
