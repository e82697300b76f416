"""The one table of everything that can be set, asked and done from outside.

OSC server, command line flags of `live`, docs/osc.md, the OSCQuery answer and the session file are all made from it.
Names and ranges are those people see in the product; units stand in the `unit` of an argument.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.osc.codec import Argument
from engine.arrange.changes import CHORDS_ON
from engine.arrange.options import default_parts
from engine.music import EMOTIONS, PARTS, UserError
from engine.music.composition import ENDINGS, HIT_WEIGHTS

DEFAULT_PORT: Final = 9317  # the one port for /cue and /daw; the DAW scripts send here
ROOT: Final = "/cue"
ERROR: Final = "/cue/error"
MAX_TEXT: Final = 4096

# Where a change of the music begins: the next bar unless said otherwise.
WHEN: Final = ("bar", "chord", "hit", "loop", "start")

Value = float | int | bool | str | None


class ControlError(UserError):
    """A refused control.  code: unknown_address, bad_type, bad_value, not_ready or busy."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument.  kind: "number", "whole", "switch", "text" or "choice".

    low, high: inclusive range of numbers.  words: texts also accepted instead of a number ("picture"); for "choice"
    the choices.  optional: may be left out.
    """

    name: str
    kind: str = "number"
    low: float | None = None
    high: float | None = None
    unit: str = ""
    words: tuple[str, ...] = ()
    optional: bool = False

    @property
    def tag(self) -> str:
        """Type tag shown in documents; i, f, d, T and F are taken for each other where nothing is lost."""
        return {"number": "f", "whole": "i", "switch": "T", "text": "s", "choice": "s"}[self.kind]

    def check(self, value: Argument) -> Value:
        """The value in its own type.  Raises ControlError."""
        if self.kind in ("text", "choice"):
            return self._check_text(value)
        if isinstance(value, str):
            if value in self.words:
                return value
            raise ControlError("bad_type", f"{self.name} is {self.expected}, not the text '{value[:40]}'.")
        if value is None and self.words:
            return self.words[0]
        if isinstance(value, bytes) or value is None:
            raise ControlError("bad_type", f"{self.name} is {self.expected}.")
        if self.kind == "switch":
            if value in (0, 1):
                return bool(value)
            raise ControlError("bad_value", f"{self.name} is on (1, T) or off (0, F), not {value:g}.")
        if isinstance(value, bool):
            raise ControlError("bad_type", f"{self.name} is {self.expected}, not true or false.")
        return self._check_number(value)

    def _check_text(self, value: Argument) -> str:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            value = f"{value:g}"  # a fader program that can only send numbers may still choose `2` bars
        if not isinstance(value, str):
            raise ControlError("bad_type", f"{self.name} is {self.expected}.")
        if len(value) > MAX_TEXT:
            raise ControlError("bad_value", f"{self.name} is longer than {MAX_TEXT} characters.")
        if self.kind == "choice" and value not in self.words:
            raise ControlError("bad_value", f"{self.name} is one of {', '.join(self.words)}, not '{value[:40]}'.")
        return value

    def _check_number(self, value: int | float) -> float | int:
        if not math.isfinite(value):
            raise ControlError("bad_value", f"{self.name} is {self.expected}, not {value}.")
        if self.kind == "whole":
            if value != int(value):
                raise ControlError("bad_value", f"{self.name} is {self.expected}, not {value:g}.")
            value = int(value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ControlError("bad_value", f"{self.name} is {self.expected}, not {value:g}.")
        return value if self.kind == "whole" else float(value)

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.words)
        if self.kind == "text":
            return "a text"
        if self.kind == "switch":
            return "on or off"
        words = "a whole number" if self.kind == "whole" else "a number"
        if self.low is not None and self.high is not None:
            words += f" from {self.low:g} to {self.high:g}"
        elif self.low is not None:
            words += f" of at least {self.low:g}"
        if self.unit:
            words += f" ({self.unit})"
        return words + (f" or {' or '.join(repr(word) for word in self.words)}" if self.words else "")


@dataclass(frozen=True, slots=True)
class Control:
    """One address.

    access: "value" (set with arguments, got without), "state" (got only), "do" (done).
    effect: what a change asks for: "compose" (the networks), "arrange" (new notes, same chords), "tempo" or "none".
    default: of a value's first argument.  flag: command line flag of `live`.  undo: a step of the undo history.
    """

    address: str
    doc: str
    arguments: tuple[Arg, ...] = ()
    access: str = "do"
    effect: str = "none"
    default: Value = None
    flag: str | None = None
    undo: bool = True

    def check(self, arguments: Sequence[Argument]) -> tuple[Value, ...]:
        """The arguments in their own types.  Raises ControlError."""
        needed = sum(not argument.optional for argument in self.arguments)
        if not needed <= len(arguments) <= len(self.arguments):
            raise ControlError("bad_type", f"{self.address} takes {self.signature or 'no arguments'}.")
        return tuple(arg.check(value) for arg, value in zip(self.arguments, arguments, strict=False))

    @property
    def signature(self) -> str:
        return ", ".join(f"[{arg.name}]" if arg.optional else arg.name for arg in self.arguments)


_WHEN: Final = Arg("when", "choice", words=WHEN, optional=True)
_AS_PICTURE: Final = ("picture",)


def _value(address: str, argument: Arg, default: Value, effect: str, doc: str, flag: str | None = None) -> Control:
    arguments = (argument, _WHEN) if effect == "compose" else (argument,)
    return Control(f"{ROOT}/{address}", doc, arguments, "value", effect, default, flag)


def _state(address: str, doc: str) -> Control:
    return Control(f"{ROOT}/{address}", doc, (), "state")


def _do(address: str, doc: str, *arguments: Arg, effect: str = "none") -> Control:
    return Control(f"{ROOT}/{address}", doc, arguments, "do", effect)


def _part_controls(part: str) -> tuple[Control, ...]:
    options, at = default_parts()[part], f"part/{part}"
    low, high, soft, loud = options.low, options.high, options.velocity_low, options.velocity_high
    pitch = Arg("pitch", "whole", 0, 127, "60 = middle C")
    return (
        _value(f"{at}/on", Arg("on", "switch"), options.enabled, "arrange", f"Whether the {part} plays."),
        _value(
            f"{at}/channel", Arg("channel", "whole", 1, 16), options.channel, "arrange", f"MIDI channel of the {part}."
        ),
        _value(
            f"{at}/transpose",
            Arg("semitones", "whole", -36, 36),
            0,
            "arrange",
            f"Moves the {part}; drums stay." if part == "drums" else f"Moves the {part}.",
        ),
        _value(f"{at}/low", pitch, low, "arrange", f"Lowest pitch of the {part}."),
        _value(f"{at}/high", pitch, high, "arrange", f"Highest pitch of the {part}."),
        _value(f"{at}/velocity/low", Arg("velocity", "whole", 1, 127), soft, "arrange", f"Softest note of the {part}."),
        _value(
            f"{at}/velocity/high", Arg("velocity", "whole", 1, 127), loud, "arrange", f"Loudest note of the {part}."
        ),
        _value(
            f"{at}/level", Arg("level", "number", -63, 63), 0.0, "arrange", f"Added to each velocity of the {part}."
        ),
        _value(f"{at}/pattern", Arg("pattern", "text"), "auto", "arrange", f"Pattern of the {part}; see /cue/pattern."),
        _value(
            f"{at}/note_length",
            Arg("note length", "number", 5, 110, "%", ("all",)),
            "all",
            "arrange",
            f"Note length of the {part}; 'all': as /cue/note_length.",
        ),
    )


_MUSIC: Final = (
    _value("name", Arg("name", "text"), "1m1", "arrange", "Name of the cue.", "--name"),
    _value(
        "in",
        Arg("in", "number", 0, 360_000, "picture seconds"),
        0.0,
        "compose",
        "Where the cue begins; before it nothing sounds.",
        "--in",
    ),
    _value(
        "out",
        Arg("out", "number", 0, 360_000, "picture seconds", ("end",)),
        "end",
        "compose",
        "Where its last chord lands; 'end': the film's end.",
        "--out-at",
    ),
    _value(
        "ending",
        Arg("ending", "choice", words=ENDINGS),
        "tonic",
        "arrange",
        "The last chord: tonic, open (as it comes) or cut.",
        "--ending",
    ),
    _value("tail", Arg("tail", "number", 0, 30, "seconds"), 2.0, "arrange", "How long the last chord rings.", "--tail"),
    _value(
        "picture_starts_at",
        Arg("where", "text"),
        "0",
        "tempo",
        "Where the film's first frame lies on the timeline: seconds, hh:mm:ss:ff or bar|beat.",
        "--picture-starts-at",
    ),
    _value(
        "progression",
        Arg("chords", "text"),
        "",
        "compose",
        "The chords to begin with: `C Am F G`, `Cm:2 Ab:1` or `| Cm | Ab | Eb Bb/D |`; empty: none.",
        "--progression",
    ),
    _value(
        "progression/mode",
        Arg("mode", "choice", words=("start", "loop", "exact")),
        "start",
        "compose",
        "start: the network goes on; loop: from the beginning again; exact: nothing else sounds.",
        "--mode",
    ),
    _value(
        "key",
        Arg("key", "text"),
        "auto",
        "compose",
        "`C`, `F# minor`, `Bb:maj`; auto: by the mood of the cue.",
        "--key",
    ),
    _value(
        "harmonic_rhythm",
        Arg("bars", "choice", words=("auto", "half", "1", "2", "4")),
        "auto",
        "compose",
        "Bars that a chord of the network lasts.",
        "--harmonic-rhythm",
    ),
    _value(
        "mood/dark_light",
        Arg("dark-light", "number", -100, 100),
        0.0,
        "compose",
        "Mood: dark (-100) to light (+100); 0 is as the picture.",
        "--dark-light",
    ),
    _value(
        "mood/calm_tense",
        Arg("calm-tense", "number", -100, 100),
        0.0,
        "compose",
        "Mood: calm (-100) to tense (+100); 0 is as the picture.",
        "--calm-tense",
    ),
    *(
        _value(
            f"mood/{name}",
            Arg(name, "number", -100, 100),
            0.0,
            "compose",
            f"More or less {name} than the picture.",
            f"--{name}",
        )
        for name in EMOTIONS
    ),
    _value(
        "follow",
        Arg("follow", "number", 0, 100, "%"),
        50.0,
        "compose",
        "Follow the picture: how strongly its mood pulls the chords.",
        "--follow-picture",
    ),
    _value(
        "adventurous",
        Arg("adventurous", "number", 0, 10),
        4.0,
        "compose",
        "How far from the likeliest chords.",
        "--adventurous",
    ),
    _value(
        "activity",
        Arg("activity", "number", 0, 100, words=_AS_PICTURE),
        "picture",
        "arrange",
        "How many notes; 'picture': as the picture.",
        "--activity",
    ),
    _value(
        "dynamics",
        Arg("dynamics", "number", 0, 100, words=_AS_PICTURE),
        "picture",
        "arrange",
        "How loud; 'picture': as the picture.",
        "--dynamics",
    ),
    _value(
        "pattern",
        Arg("pattern", "text"),
        "auto",
        "arrange",
        "Arpeggio: auto, 1 to 5, up, down, alberti, octaves, or steps such as `1 * 2 * 3 2 4 *`.",
        "--pattern",
    ),
    _value(
        "note_length",
        Arg("note length", "number", 5, 110, "%"),
        90.0,
        "arrange",
        "Over 100 is legato.",
        "--note-length",
    ),
    _value(
        "chords_on",
        Arg("where", "choice", words=CHORDS_ON),
        "hits",
        "arrange",
        "Where chords change besides strong beats: on hits, on strong cuts too, or on all cuts.",
        "--chords-on",
    ),
    _value("swing", Arg("swing", "number", 50, 75, "%"), 50.0, "arrange", "50 is straight, 66 triplets.", "--swing"),
    _value(
        "looseness",
        Arg("looseness", "number", 0, 25, "ms"),
        0.0,
        "arrange",
        "How far notes stray from the beat.",
        "--looseness",
    ),
    _value(
        "voicing",
        Arg("voicing", "choice", words=("close", "open", "root")),
        "close",
        "arrange",
        "How chords are laid out; root: always from the root, as the paper does.",
        "--voicing",
    ),
    _value("transpose", Arg("semitones", "whole", -24, 24), 0, "arrange", "Moves all parts but drums.", "--transpose"),
    _value(
        "tempo",
        Arg("tempo", "number", 20, 400, "quarter notes a minute"),
        0.0,
        "tempo",
        "Tempo of the internal transport; chords keep their picture time.",
    ),
)


_ACTIONS: Final = (
    _do(
        "hits/add",
        "A moment that the music is to meet.",
        Arg("at", "number", 0, 360_000, "picture seconds"),
        Arg("weight", "choice", words=HIT_WEIGHTS, optional=True),
        Arg("name", "text", optional=True),
        effect="compose",
    ),
    _do(
        "hits/remove",
        "Takes the nearest hit within half a second away.",
        Arg("at", "number", 0, 360_000, "picture seconds"),
        effect="compose",
    ),
    _do(
        "hits/accept_cuts",
        "Makes hits of all cuts at least this strong.",
        Arg("strength", "number", 0, 1),
        Arg("weight", "choice", words=HIT_WEIGHTS, optional=True),
        effect="compose",
    ),
    _do(
        "section/add",
        "From here on controls have new values: `activity=40; pattern=up; key=Am; parts=pad,bass`.",
        Arg("from", "number", 0, 360_000, "picture seconds"),
        Arg("changes", "text"),
        Arg("name", "text", optional=True),
        Arg("breath", "switch", optional=True),
        effect="compose",
    ),
    _do(
        "section/remove",
        "Takes the section that plays here away.",
        Arg("at", "number", 0, 360_000, "picture seconds"),
        effect="compose",
    ),
    _do(
        "tempo/fit",
        "Tempi whose beats meet the hits (without any: the cuts); set one with /cue/tempo.",
        Arg("from", "number", 20, 400, "bpm", optional=True),
        Arg("to", "number", 20, 400, "bpm", optional=True),
    ),
    _do("play", "Starts the internal transport."),
    _do("stop", "Stops it; every sounding note gets its note-off."),
    _do("locate", "Moves the playhead.", Arg("position", "number", 0, 360_000, "picture seconds")),
    Control(
        f"{ROOT}/loop",
        "Loops a range of the picture.",
        (
            Arg("on", "switch"),
            Arg("from", "number", 0, 360_000, "picture seconds", optional=True),
            Arg("to", "number", 0, 360_000, "picture seconds", optional=True),
        ),
        "value",
        default=False,
        undo=False,
    ),
    _do("panic", "Note-offs, then All Notes Off, All Sound Off and Reset on every channel."),
    _do("quit", "Ends the program."),
    _do("ping", "Answers, and renews this client's subscriptions."),
    _do("chords/next", "The chord after the one sounding becomes this one.", Arg("chord", "text"), effect="arrange"),
    _do(
        "chords/pin",
        "This chord here: only it and its neighbours' voicing change.",
        Arg("chord", "text"),
        Arg("at", "number", 0, 360_000, "picture seconds", optional=True),
        effect="arrange",
    ),
    _do(
        "chords/unpin",
        "Takes a pin away; the composed chord comes back.",
        Arg("at", "number", 0, 360_000, "picture seconds", optional=True),
        effect="arrange",
    ),
    _do(
        "chords/rewrite",
        "Composes a range anew, keeping pins.",
        Arg("from", "number", 0, 360_000, "picture seconds"),
        Arg("to", "number", 0, 360_000, "picture seconds", optional=True),
        effect="compose",
    ),
    _do("take/new", "Composes another take.", _WHEN, effect="compose"),
    _do(
        "take/select",
        "Plays a take again, note for note; a number not heard before is composed.",
        Arg("take", "whole", 1, 999_999),
        _WHEN,
        effect="compose",
    ),
    _do("take/keep", "Keeps the take that plays, with its notes.", Arg("name", "text", optional=True)),
    _do("take/name", "Names a kept take.", Arg("take", "whole", 1, 999_999), Arg("name", "text")),
    _do("undo", "Takes back the last edit."),
    _do("redo", "Does it again."),
    _do(
        "subscribe",
        "Values matching this pattern are sent at once and at every change for 60 s; ping renews.",
        Arg("pattern", "text"),
        Arg("port", "whole", 1, 65535, optional=True),
    ),
    _do(
        "unsubscribe",
        "Ends a subscription; without a pattern all of this client's.",
        Arg("pattern", "text", optional=True),
        Arg("port", "whole", 1, 65535, optional=True),
    ),
    _do("markers/push", "Sets a marker at every cut, in the DAW whose script is connected."),
    _do("markers/clear", "Takes our markers away again."),
    _do(
        "print",
        "Writes notes into the DAW's tracks: the whole film, or a selection.",
        Arg("scope", "choice", words=("film", "cue", "selection")),
        Arg("from", "number", 0, 360_000, "picture seconds", optional=True),
        Arg("to", "number", 0, 360_000, "picture seconds", optional=True),
    ),
    _do("export", "Writes what is composed to a .mid file in an allowed folder.", Arg("file", "text")),
    _do("save", "Saves the session, under another name if one is given.", Arg("file", "text", optional=True)),
)

_STATES: Final = (
    _state(
        "status", "State, position in seconds, three clocks, chord now and next, port, late notes, what it waits for."
    ),
    _state("playhead", "Picture seconds, beats, bar|beat, film timecode, DAW timecode, rolling."),
    _state("chords/now", "Bar, chord, its picture second, the next chord, its picture second."),
    _state("chords", "Every chord with its picture second, as many as fit a datagram."),
    _state("progress", "What is being done (analyse, compose), fraction 0 to 1, words."),
    _state("take", "Number and name of the take that plays, whether it is kept, and how many there are."),
    _state("takes", "Number, name and kept of each take."),
    _state("pins", "Picture second and chord of each pin."),
    _state("cuts", "Picture second of each cut, as many as fit a datagram."),
    _state("hits", "Picture second, weight and name of each hit."),
    _state("sections", "Picture second, changes and name of each section."),
    _state("film", "File, seconds, frames a second, reading, why that reading."),
    _state("edits", "What undo would take back, what redo would do again, how many of each."),
    _state("changing", "What change is under way and the picture second from which it is heard; empty: none."),
    _state("clients", "How many clients are subscribed."),
    _state("daw", "Each connected DAW script: its name, messages a second, how many were lost."),
    _state("ports", "Port, its interface, whether it is up, sent, late and dropped notes."),
)

CONTROLS: Final[tuple[Control, ...]] = (
    *_STATES,
    *_MUSIC,
    *(control for part in PARTS for control in _part_controls(part)),
    *_ACTIONS,
)
BY_ADDRESS: Final[dict[str, Control]] = {control.address: control for control in CONTROLS}
# What an edit may change and the session file holds: address -> default.
SETTINGS: Final[dict[str, Value]] = {
    control.address: control.default for control in CONTROLS if control.access == "value" and control.undo
}
FLAGS: Final[tuple[Control, ...]] = tuple(control for control in CONTROLS if control.flag)
