"""Settings of the controls table as the arranger takes them."""

from __future__ import annotations

from dataclasses import replace

from engine.arrange import ArrangeOptions, FilmLevels, PartOptions
from engine.document import Document
from engine.music import PARTS, MusicError


def arrange_options(document: Document, levels: FilmLevels | None) -> ArrangeOptions:
    """Raises MusicError where the values do not go together."""
    options = ArrangeOptions()
    parts = {part: _part_options(document, part, options.parts[part]) for part in PARTS}
    return replace(
        options,
        parts=parts,
        activity=document.optional_number("/cue/activity"),
        dynamics=document.optional_number("/cue/dynamics"),
        pattern=document.text("/cue/pattern"),
        swing=document.number("/cue/swing"),
        gate=document.number("/cue/note_length"),
        looseness_ms=document.number("/cue/looseness"),
        transpose=int(document.number("/cue/transpose")),
        voicing=document.text("/cue/voicing"),
        density_map=document.text("/cue/density_map"),
        velocity_map=document.text("/cue/velocity_map"),
        crescendo=document.number("/cue/crescendo"),
        cc1=bool(document.value("/cue/cc1")),
        cc11=document.text("/cue/cc11"),
        arp_octaves=int(document.number("/cue/arp_span")),
        levels=levels,
    )


def _part_options(document: Document, part: str, default: PartOptions) -> PartOptions:
    at = f"/cue/part/{part}"
    low, high = int(document.number(f"{at}/low")), int(document.number(f"{at}/high"))
    soft, loud = int(document.number(f"{at}/velocity/low")), int(document.number(f"{at}/velocity/high"))
    if low > high:
        raise MusicError(f"the lowest pitch of the {part} ({low}) is above its highest ({high}).")
    if soft > loud:
        raise MusicError(f"the softest note of the {part} ({soft}) is louder than its loudest ({loud}).")
    pattern = document.text(f"{at}/pattern")
    return replace(
        default,
        enabled=bool(document.value(f"{at}/on")),
        channel=int(document.number(f"{at}/channel")),
        low=low,
        high=high,
        velocity_low=soft,
        velocity_high=loud,
        pattern=None if pattern == "auto" else pattern,
        gate=document.optional_number(f"{at}/note_length"),
        level=document.number(f"{at}/level"),
    )


def part_shifts(document: Document) -> dict[str, int]:
    """Semitones by part; drums stay."""
    return {part: int(document.number(f"/cue/part/{part}/transpose")) for part in PARTS if part != "drums"}


def channels(document: Document) -> dict[str, int]:
    """MIDI channel by part."""
    return {part: int(document.number(f"/cue/part/{part}/channel")) for part in PARTS}
