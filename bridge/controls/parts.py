"""The controls of each part."""

from __future__ import annotations

from bridge.controls.arguments import Arg
from bridge.controls.control import Control, value
from engine.arrange.options import default_parts


def part_controls(part: str) -> tuple[Control, ...]:
    """Of one part, under /cue/part/PART."""
    options, at = default_parts()[part], f"part/{part}"
    low, high, soft, loud = options.low, options.high, options.velocity_low, options.velocity_high
    pitch = Arg("pitch", "whole", 0, 127, "60 = middle C")
    return (
        value(f"{at}/on", Arg("on", "switch"), options.enabled, "arrange", f"Whether the {part} plays."),
        value(
            f"{at}/channel", Arg("channel", "whole", 1, 16), options.channel, "arrange", f"MIDI channel of the {part}."
        ),
        value(
            f"{at}/transpose",
            Arg("semitones", "whole", -36, 36),
            0,
            "arrange",
            f"Moves the {part}; drums stay." if part == "drums" else f"Moves the {part}.",
        ),
        value(f"{at}/low", pitch, low, "arrange", f"Lowest pitch of the {part}."),
        value(f"{at}/high", pitch, high, "arrange", f"Highest pitch of the {part}."),
        value(f"{at}/velocity/low", Arg("velocity", "whole", 1, 127), soft, "arrange", f"Softest note of the {part}."),
        value(f"{at}/velocity/high", Arg("velocity", "whole", 1, 127), loud, "arrange", f"Loudest note of the {part}."),
        value(f"{at}/level", Arg("level", "number", -63, 63), 0.0, "arrange", f"Added to each velocity of the {part}."),
        value(f"{at}/pattern", Arg("pattern", "text"), "auto", "arrange", f"Pattern of the {part}; see /cue/pattern."),
        value(
            f"{at}/note_length",
            Arg("note length", "number", 5, 110, "%", ("all",)),
            "all",
            "arrange",
            f"Note length of the {part}; 'all': as /cue/note_length.",
        ),
    )
