"""The one table of everything that can be set, read and done from outside: plain data.

Made from it: the flags of `live`, `compose`, `plot`, `tempo` and `score`; OSC with OSCQuery, docs/osc.md and the page
of Open Stage Control; what MIDI learn offers; the settings of a session file; `arrange.options.from_settings()` and
`brief.from_settings()`.  A new control is a row here and, if it is read or done rather than set, a handler in
`bridge.controls`.

One thing has one name.  A name that was in use before stands in `formerly` of its row: the old address, flag or
session key goes on working, and is shown nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engine.music.arguments import Arg, ControlError, Raw, Value
from engine.music.composition import ENDINGS, HIT_WEIGHTS
from engine.music.cueplan import ENSEMBLES, FORMS, STATEMENT_KINDS
from engine.music.mood import EMOTIONS
from engine.music.note import DEFAULT_CHANNELS, PARTS
from engine.music.progression import MODES
from engine.music.theme_operations import OPERATIONS

ROOT: Final = "/cue"
DEFAULT_PORT: Final = 9317  # the one port for /cue and /daw; the DAW scripts send here
CLICK_CHANNEL: Final = 10
CLICK_PITCH: Final = 76  # General MIDI percussion: high woodblock
LONGEST_S: Final = 360_000

# Words of choices.
CHORDS_ON: Final = ("off", "hits", "strong", "all")
VELOCITY_MAPS: Final = ("stretched", "paper")
DENSITY_MAPS: Final = ("stretched", "rolling", "paper")
VOICING_STYLES: Final = ("close", "open", "root")
CC11_MODES: Final = ("fixed", "curve", "off")
HARMONIC_RHYTHMS: Final = ("auto", "half", "1", "2", "4")  # bars per chord of the network
TEMPO_KINDS: Final = ("fixed", "ramp", "steps", "odd", "bars")
RATES: Final = (
    "film", "23.976", "24", "25", "29.97", "29.97df", "30", "47.952", "48", "50",
    "59.94", "59.94df", "60", "100", "119.88", "119.88df", "120",
)  # fmt: skip
PORT_LAYOUTS: Final = ("one", "per-part")
MIDDLE_C_NAMES: Final = ("C3", "C4")
CONFORM_POLICIES: Final = ("shift", "ramp", "bars", "beats", "rewrite")
LEAVE_ROOM_MODES: Final = ("off", "gentle", "strict")
GRID_CHOICES: Final = ("auto", "seconds", "beats")
READINGS: Final = ("auto", "full", "quick")
# Where a change of the music begins: the next bar unless said otherwise.
WHEN: Final = ("bar", "chord", "hit", "loop", "start")

# Of each part: lowest and highest pitch, softest and loudest velocity.
PART_RANGES: Final = {"pad": (48, 76), "arp": (52, 84), "bass": (36, 55), "melody": (60, 86), "drums": (35, 81)}
PART_VELOCITIES: Final = {"pad": (60, 90), "arp": (49, 112), "bass": (60, 100), "melody": (60, 105), "drums": (45, 115)}

# Addresses ----------------------------------------------------------------------------------------------------------
ERROR: Final = "/cue/error"
# read
STATUS: Final = "/cue/status"
PLAYHEAD: Final = "/cue/playhead"
CHORDS_NOW: Final = "/cue/chords/now"
CHORDS: Final = "/cue/chords"
PROGRESS: Final = "/cue/progress"
TAKE: Final = "/cue/take"
TAKES: Final = "/cue/takes"
TAKES_RATED: Final = "/cue/takes/rated"
PLAN: Final = "/cue/plan"
THEME: Final = "/cue/theme"
LIKE: Final = "/cue/take/like"
DRAWS: Final = "/cue/take/draws"
STEER: Final = "/cue/take/steer"
STEERING: Final = "/cue/takes/steering"
TAKES_COMING: Final = "/cue/takes/coming"
STATEMENTS: Final = "/cue/theme/statements"
FORM_SECTIONS: Final = "/cue/form/sections"
PINS: Final = "/cue/pins"
PRINTED: Final = "/cue/printed"
LOCKS: Final = "/cue/locks"
CUTS: Final = "/cue/cuts"
HITS: Final = "/cue/hits"
RANGES: Final = "/cue/ranges"
CUES: Final = "/cue/cues"
SECTIONS: Final = "/cue/sections"
CUES_PROPOSED: Final = "/cue/cues/proposed"
FILM: Final = "/cue/film"
EDITS: Final = "/cue/edits"
EDITS_LAST: Final = "/cue/edits/last"
CHANGING: Final = "/cue/changing"
CLIENTS: Final = "/cue/clients"
PLUGINS: Final = "/cue/plugins"
DAW: Final = "/cue/daw"
SYNC: Final = "/cue/sync"
PORTS: Final = "/cue/ports"
LEARN_WAITING: Final = "/cue/learn/waiting"
LEARN_LIST: Final = "/cue/learn/list"
# values of a cue
NAME: Final = "/cue/name"
IN: Final = "/cue/in"
OUT: Final = "/cue/out"
BAR_1: Final = "/cue/bar_1"
PROPOSED: Final = "/cue/proposed"
ENDING: Final = "/cue/ending"
FORM: Final = "/cue/form"
ENSEMBLE: Final = "/cue/ensemble"
TAIL: Final = "/cue/tail"
TEMPO: Final = "/cue/tempo"
KEY: Final = "/cue/key"
PROGRESSION: Final = "/cue/progression"
PROGRESSION_MODE: Final = "/cue/progression/mode"
# values of the film
PICTURE_STARTS_AT: Final = "/cue/picture_starts_at"
HARMONIC_RHYTHM: Final = "/cue/harmonic_rhythm"
DARK_LIGHT: Final = "/cue/mood/dark_light"
CALM_TENSE: Final = "/cue/mood/calm_tense"
FOLLOW_PICTURE: Final = "/cue/follow_picture"
ADVENTUROUS: Final = "/cue/adventurous"
ACTIVITY: Final = "/cue/activity"
DYNAMICS: Final = "/cue/dynamics"
PATTERN: Final = "/cue/pattern"
NOTE_LENGTH: Final = "/cue/note_length"
CHORDS_ON_CUTS: Final = "/cue/chords_on"
SWING: Final = "/cue/swing"
LOOSENESS: Final = "/cue/looseness"
VOICING: Final = "/cue/voicing"
DENSITY_MAP: Final = "/cue/density_map"
VELOCITY_MAP: Final = "/cue/velocity_map"
CRESCENDO: Final = "/cue/crescendo"
CC1: Final = "/cue/cc1"
CC11: Final = "/cue/cc11"
TRANSPOSE: Final = "/cue/transpose"
ARP_OCTAVES: Final = "/cue/arp_octaves"
LEAVE_ROOM: Final = "/cue/speech/leave_room"
SPEECH: Final = "/cue/speech"
# output
NUDGE: Final = "/cue/nudge"
HOLD_ON_SYNC_LOSS: Final = "/cue/hold_on_sync_loss"
FRAME_RATE: Final = "/cue/frame_rate"
PORTS_LAYOUT: Final = "/cue/ports/layout"
MIDDLE_C: Final = "/cue/middle_c"
TAKE_REPEAT: Final = "/cue/take/repeat"
# values outside the undo history
LOOP: Final = "/cue/loop"
CLICK_ON_CUTS: Final = "/cue/click_on_cuts"
LEARN_PICKUP: Final = "/cue/learn/pickup"
LEARN_INVERTED: Final = "/cue/learn/inverted"
# done
FILM_LOAD: Final = "/cue/film/load"
CUES_ADD: Final = "/cue/cues/add"
CUES_REMOVE: Final = "/cue/cues/remove"
CUES_SELECT: Final = "/cue/cues/select"
CUES_ACCEPT: Final = "/cue/cues/accept"
CUES_REFUSE: Final = "/cue/cues/refuse"
HITS_ADD: Final = "/cue/hits/add"
HITS_REMOVE: Final = "/cue/hits/remove"
HITS_MOVE: Final = "/cue/hits/move"
HITS_WEIGHT: Final = "/cue/hits/weight"
HITS_NAME: Final = "/cue/hits/name"
HITS_ACCEPT_CUTS: Final = "/cue/hits/accept_cuts"
SECTIONS_ADD: Final = "/cue/sections/add"
SECTIONS_REMOVE: Final = "/cue/sections/remove"
SECTIONS_MOVE: Final = "/cue/sections/move"
SECTIONS_NAME: Final = "/cue/sections/name"
SECTIONS_MERGE: Final = "/cue/sections/merge"
TEMPO_FIT: Final = "/cue/tempo/fit"
TEMPO_PUSH: Final = "/cue/tempo/push"
TEMPO_FIT_PLAN: Final = "/cue/tempo/fit/plan"  # only ever sent: an answer to TEMPO_FIT
PLAY: Final = "/cue/play"
STOP: Final = "/cue/stop"
LOCATE: Final = "/cue/locate"
PANIC: Final = "/cue/panic"
PLUGIN_TAKE_OVER: Final = "/cue/plugin/take_over"
QUIT: Final = "/cue/quit"
PING: Final = "/cue/ping"
CHORDS_NEXT: Final = "/cue/chords/next"
CHORDS_PIN: Final = "/cue/chords/pin"
CHORDS_UNPIN: Final = "/cue/chords/unpin"
CHORDS_MOVE: Final = "/cue/chords/move"
CHORDS_SPLIT: Final = "/cue/chords/split"
CHORDS_MERGE: Final = "/cue/chords/merge"
CHORDS_COPY: Final = "/cue/chords/copy"
CHORDS_LIST: Final = "/cue/chords/list"
CHORDS_PLAY: Final = "/cue/chords/play"
PEDAL: Final = "/cue/pedal"
CAPTURE: Final = "/cue/capture"
CHORDS_REWRITE: Final = "/cue/chords/rewrite"
TAKE_NEW: Final = "/cue/take/new"
TAKE_SELECT: Final = "/cue/take/select"
TAKE_KEEP: Final = "/cue/take/keep"
TAKE_NAME: Final = "/cue/take/name"
TAKE_RATE: Final = "/cue/take/rate"
TAKE_NOTE: Final = "/cue/take/note"
TAKE_COMPARE: Final = "/cue/take/compare"
TAKE_MORE: Final = "/cue/take/more"
TAKE_LESS: Final = "/cue/take/less"
TAKE_PLAN: Final = "/cue/take/plan"
TAKES_ADD: Final = "/cue/takes/add"
SIMPLER: Final = "/cue/simpler"
BUSIER: Final = "/cue/busier"
ONLY: Final = "/cue/only"
ANOTHER_MELODY: Final = "/cue/melody/another"
LOCK: Final = "/cue/lock"
UNLOCK: Final = "/cue/unlock"
REHARMONISE: Final = "/cue/reharmonise"
THEME_KEEP: Final = "/cue/theme/keep"
THEME_OPERATE: Final = "/cue/theme/operate"
THEME_LOAD: Final = "/cue/theme/load"
THEME_RECORD: Final = "/cue/theme/record"
THEME_STATE: Final = "/cue/theme/state"
THEME_SILENT: Final = "/cue/theme/silent"
THEME_MOVE: Final = "/cue/theme/move"
THEME_ASSIGN: Final = "/cue/theme/assign"
FORM_ACCEPT: Final = "/cue/form/accept"
FORM_REFUSE: Final = "/cue/form/refuse"
FORM_MOVE: Final = "/cue/form/move"
FORM_NAME: Final = "/cue/form/name"
FORM_MERGE: Final = "/cue/form/merge"
NOTES: Final = "/cue/notes"
WHY: Final = "/cue/why"
TRY: Final = "/cue/try"
GESTURE: Final = "/cue/gesture"
EDITS_LIST: Final = "/cue/edits/list"
UNDO: Final = "/cue/undo"
REDO: Final = "/cue/redo"
SUBSCRIBE: Final = "/cue/subscribe"
UNSUBSCRIBE: Final = "/cue/unsubscribe"
MARKERS_LOAD: Final = "/cue/markers/load"
MARKERS_ROW: Final = "/cue/markers/row"  # only ever sent: an answer to MARKERS_LOAD
CONFORM: Final = "/cue/conform"
CONFORM_CHANGE: Final = "/cue/conform/change"  # these three are only ever sent: answers to CONFORM
CONFORM_MOVED: Final = "/cue/conform/moved"
CONFORM_POLICY: Final = "/cue/conform/policy"
MARKERS_PUSH: Final = "/cue/markers/push"
MARKERS_CLEAR: Final = "/cue/markers/clear"
PRINT: Final = "/cue/print"
PRINTED_MUTE: Final = "/cue/printed/mute"
PRINTED_UNMUTE: Final = "/cue/printed/unmute"
EXPORT: Final = "/cue/export"
SAVE: Final = "/cue/save"
LEARN: Final = "/cue/learn"
LEARN_CANCEL: Final = "/cue/learn/cancel"
LEARN_FORGET: Final = "/cue/learn/forget"
LEARN_UNDO: Final = "/cue/learn/undo"

FILM_SCOPE: Final = ("film",)


def of_part(part: str, name: str) -> str:
    """Address of one part's control: `of_part("pad", "velocity/low")`."""
    return f"{ROOT}/part/{part}/{name}"


def of_mood(emotion: str) -> str:
    """Address of one of the six emotion sliders."""
    return f"{ROOT}/mood/{emotion}"


@dataclass(frozen=True, slots=True)
class Control:
    """One row.

    access: "value" (set with arguments, read without), "state" (read only) or "do" (a command).
    effect: what has to follow a change: "compose" (the networks), "arrange" (other notes, same chords), "transport"
    (tempo and bar lines), "output" (ports and clocks), "none".
    default: of a value's first argument.
    scopes: what may have a value of its own: "film" (everything), "cue", "section", "take" (kept with a take).
    flag: command line flag; rows that decide the music have it in `live`, `compose` and `plot` alike.
    to: the option that it sets, as `arrange.swing`, `arrange.part.pad.low` or `compose.dark_light`.
    unset: the word for which that option is None.
    formerly: old addresses and flags, which go on working.
    undo: whether a change is a step of the undo history and kept in the session file.
    """

    address: str
    doc: str
    arguments: tuple[Arg, ...] = ()
    access: str = "do"
    effect: str = "none"
    default: Value = None
    scopes: tuple[str, ...] = FILM_SCOPE
    flag: str | None = None
    to: str = ""
    unset: str | None = None
    formerly: tuple[str, ...] = ()
    undo: bool = True

    def check(self, arguments: Sequence[Raw]) -> tuple[Value, ...]:
        """The arguments in their own types.  Raises ControlError."""
        if not self.needed_arguments <= len(arguments) <= len(self.arguments):
            raise ControlError("bad_type", f"{self.address} takes {self.signature or 'no arguments'}.")
        return tuple(arg.check(value) for arg, value in zip(self.arguments, arguments, strict=False))

    def button(self, arguments: Sequence[Raw]) -> bool | None:
        """True: a button was pressed, False: released, None: these are arguments.

        Controller programs send 1 and 0 (or a velocity, true and false) when a button goes down and up.  A command
        that needs no argument is done by the first and not by the second.  Where it takes a number if one is given,
        only exactly 1, 0, true and false are a button's.
        """
        if self.access != "do" or self.needed_arguments or len(arguments) != 1:
            return None
        value = arguments[0]
        if isinstance(value, bool):
            return value
        if not isinstance(value, (int, float)) or value != value:
            return None
        if self.arguments and self.arguments[0].is_numeric and value not in (0, 1):
            return None
        return value != 0

    @property
    def name(self) -> str:
        """The address without its root: `part/pad/level`."""
        return self.address.removeprefix(f"{ROOT}/")

    @property
    def label(self) -> str:
        """The name in words, for the undo history: `part pad transpose`."""
        return self.name.replace("/", " ").replace("_", " ")

    @property
    def part(self) -> str | None:
        """The part that it belongs to, None for all."""
        head, _, rest = self.name.partition("/")
        return rest.partition("/")[0] if head == "part" else None

    @property
    def needed_arguments(self) -> int:
        return sum(not argument.optional for argument in self.arguments)

    @property
    def signature(self) -> str:
        return ", ".join(f"[{arg.name}]" if arg.optional else arg.name for arg in self.arguments)

    @property
    def old_addresses(self) -> tuple[str, ...]:
        return tuple(name for name in self.formerly if name.startswith("/"))

    @property
    def old_flags(self) -> tuple[str, ...]:
        return tuple(name for name in self.formerly if name.startswith("--"))


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag without an address: what has to be known before a film is looked at.

    commands: where it belongs.  repeated: may be given more than once.  default: what holds without it.
    """

    flag: str
    argument: Arg
    doc: str
    commands: tuple[str, ...] = ("live", "compose", "plot")
    default: Value = None
    metavar: str = ""
    repeated: bool = False
    formerly: tuple[str, ...] = ()
    to: str = ""

    @property
    def old_flags(self) -> tuple[str, ...]:
        return self.formerly


def _seconds(name: str, *words: str, optional: bool = False, unit: str = "picture seconds") -> Arg:
    return Arg(name, "number", 0, LONGEST_S, unit, words, optional)


def _number(name: str, low: float, high: float, unit: str = "", *words: str) -> Arg:
    return Arg(name, "number", low, high, unit, words)


def _whole(name: str, low: int, high: int, unit: str = "", *, optional: bool = False) -> Arg:
    return Arg(name, "whole", low, high, unit, optional=optional)


def _choice(name: str, words: Iterable[str], *, optional: bool = False) -> Arg:
    return Arg(name, "choice", words=tuple(words), optional=optional)


def _text(name: str, *, optional: bool = False) -> Arg:
    return Arg(name, "text", optional=optional)


_SPAN: Final = (_seconds("from", "cue"), _seconds("to", optional=True))
_OPTIONAL_SPAN: Final = (_seconds("from", optional=True), _seconds("to", optional=True))
_WHEN: Final = _seconds("when", *WHEN, optional=True)


# size: the columns of a row of the table.
def _value(
    address: str, argument: Arg, default: Value, effect: str, doc: str, flag: str | None = None, *, to: str = "",
    unset: str | None = None, scopes: tuple[str, ...] = FILM_SCOPE, formerly: tuple[str, ...] = (),
) -> Control:  # fmt: skip
    """A value; where it concerns the chords, a last argument says from when."""
    arguments = (argument, _WHEN) if effect == "compose" else (argument,)
    return Control(address, doc, arguments, "value", effect, default, scopes, flag, to, unset, formerly)


def _state(address: str, doc: str, *formerly: str) -> Control:
    return Control(address, doc, (), "state", formerly=formerly)


def _do(address: str, doc: str, *arguments: Arg, effect: str = "none", formerly: tuple[str, ...] = ()) -> Control:
    return Control(address, doc, arguments, "do", effect, formerly=formerly)


_CUE: Final = ("film", "cue")
_TAKE: Final = ("film", "cue", "take")
_SECTION: Final = ("film", "section")

STATES: Final = (
    _state(
        STATUS,
        "State, position in seconds, three clocks, chord now and next, port, late notes, what is being waited for.",
    ),
    _state(PLAYHEAD, "Picture seconds, beats, bar|beat, film timecode, DAW timecode, rolling."),
    _state(CHORDS_NOW, "Bar, chord, its picture second, the next chord, its picture second."),
    _state(CHORDS, "Every chord with its picture second, as many as fit a datagram."),
    _state(
        PROGRESS, "What is under way (analyse, compose; engine: it is being restarted), how far (0 to 1), in words."
    ),
    _state(TAKE, "Number and name of the take that plays, whether it is kept, and how many there are."),
    _state(TAKES, "Number, name and kept of each take."),
    _state(TAKES_RATED, "Number, rating (0: none) and note of each take that has a rating or a note."),
    _state(TAKES_COMING, "How many takes are still to be composed while this one plays."),
    _state(
        STEERING,
        "How ratings steer the next take: for each layer (form, players, palettes, keys, theme) its name, the takes "
        "it may be kept from, how likely that is in per cent, and what it avoids.",
    ),
    _state(
        PLAN,
        "With a form, of the selected cue: form, players, ending; then of each section its first second, letter, role, "
        "mood, intensity (0 to 4), palette, key and parts.",
    ),
    _state(
        STATEMENTS,
        "With a form, of the selected cue: first and last second of each statement of the theme, what it is (hint, "
        "statement, variant, full, memory) and its bar.",
    ),
    _state(
        FORM_SECTIONS,
        "With a form, of the selected cue: first and last second of each section, letter, role, name, and whether it "
        "is proposed, accepted or moved.",
    ),
    _state(PINS, "Picture second and chord of each pin."),
    _state(
        PRINTED, "Part, from and to (picture seconds) of each printed range; its stream is muted.", f"{ROOT}/frozen"
    ),
    _state(
        LOCKS,
        "Part, from and to (picture seconds) of each lock, and whether it holds: it does not where another tempo has "
        "moved its place.",
    ),
    _state(CUTS, "Picture second of each cut, as many as fit a datagram."),
    _state(HITS, "Picture second, weight and name of each hit."),
    _state(RANGES, "Part, lowest pitch and its name, highest pitch and its name, of each part."),
    _state(CUES, "Number, name, In, Out (picture seconds) and whether it is selected, of each cue."),
    _state(CUES_PROPOSED, "Number, name and reason of each cue that is proposed and not yet accepted."),
    _state(SECTIONS, "Picture second, changes and name of each section."),
    _state(FILM, "File, seconds, frames a second, reading, why that reading."),
    _state(EDITS, "What undo would undo, what redo would redo, and how many steps there are of each."),
    _state(
        EDITS_LAST,
        "The last edit, undo or redo: its number (it grows by one), what it was, who made it, the picture second from "
        "which it plays. Who: `osc 127.0.0.1:50422`, a page's name, `controller`, `keys` or a DAW.",
    ),
    _state(CHANGING, "The change in progress and the picture second from which it plays; empty: none."),
    _state(CLIENTS, "How many clients are subscribed."),
    _state(
        PLUGINS, "How many plugin instances there are, then for each, in words: format, host, parts, what it plays."
    ),
    _state(DAW, "Each connected DAW script: its name, messages a second, how many were lost."),
    _state(SYNC, "Position source and its state, tempo source and tempo, timecode rate, sync port."),
    _state(PORTS, "Port, its interface, whether it is up, notes sent, late and dropped."),
    _state(LEARN_WAITING, "The address that is being learned, and the seconds left; empty: none."),
    _state(LEARN_LIST, "Each mapping: the MIDI control, its address, its arguments."),
)

MUSIC: Final = (
    _value(NAME, _text("name"), "1m1", "arrange", "Name of the cue.", "--name", scopes=_CUE),
    _value(
        IN, _seconds("in"), 0.0, "compose", "Where the cue begins; nothing plays before it.", "--in", scopes=_CUE
    ),
    _value(
        OUT, _seconds("out", "end"), "end", "compose",
        "Where its last chord ends; 'end' is the film's end.", "--out-at",
        unset="end", scopes=_CUE,
    ),
    _value(
        BAR_1, _seconds("where", "timeline", "in"), "timeline", "transport",
        "Where bar 1 of the cue is; 'in': at its In; 'timeline': wherever the timeline has it.", "--bar-1",
        scopes=_CUE,
    ),
    _value(
        PROPOSED, _text("why"), "", "none",
        "Why the cue is proposed where it is; empty once it is accepted, moved or named, and for your own cues.",
        scopes=_CUE,
    ),
    _value(
        ENDING, _choice("ending", ENDINGS), "tonic", "compose",
        "How a cue ends: ring-off, button, unresolved, pre-lap or bump. Without a form, its last chord: tonic, open "
        "(as composed) or cut. With a form, tonic lets the mood decide.", "--ending", scopes=_TAKE,
    ),
    _value(
        FORM, _choice("form", ("none", "auto", *FORMS)), "none", "compose",
        "Form of each cue; auto: each take draws one that suits the picture; none: one stretch without sections.",
    ),
    _value(
        ENSEMBLE, _choice("ensemble", ("auto", *ENSEMBLES)), "auto", "compose",
        "With a form: who plays; auto: chosen by the moods and motion of the cue.",
    ),
    _value(
        THEME, _text("theme"), "", "compose",
        "With a form: your tune, as scale degrees with their beats: `1:1.5 5:.5 4:2 | 3:4`; ' and , an octave up and "
        "down, # and b, R a rest. Empty: each take builds its own.", scopes=_TAKE,
    ),
    _value(
        LIKE, _whole("take", 0, 999_999), 0, "compose",
        "With a form: the take whose form, keys, players and theme this one shares; 0: its own.", scopes=_TAKE,
    ),
    _value(
        DRAWS, _text("draws"), "", "compose",
        "With a form: the takes that this one has layers of its plan from, and what its own draws must avoid: `form=3 "
        "players=5 -palettes=E1,T2` (form, players, palettes, keys, theme). Empty: all its own.", scopes=_TAKE,
    ),
    _value(
        STEER, Arg("on", "switch"), True, "none",
        "With a form: ratings decide what new takes keep from takes rated 4 or 5, and what they avoid.",
    ),
    _value(
        TAIL, _number("tail", 0, 30, "seconds"), 2.0, "arrange", "How long the last chord rings.", "--tail",
        scopes=_TAKE,
    ),
    _value(
        PICTURE_STARTS_AT, _text("where"), "0", "transport",
        "Where the film's first frame is on the timeline: seconds, hh:mm:ss:ff or bar|beat.", "--picture-starts-at",
        to="brief.picture_starts_at", formerly=("--starts-at",),
    ),
    _value(
        PROGRESSION, _text("chords"), "", "compose",
        "The chords to start with: `C Am F G`, `Cm:2 Ab:1` or `| Cm | Ab | Eb Bb/D |`; empty: none.", "--progression",
        scopes=_TAKE,
    ),
    _value(
        PROGRESSION_MODE, _choice("mode", MODES), "start", "compose",
        "start: the network continues from your chords; loop: they repeat; exact: no other chord plays.",
        "--mode", scopes=_TAKE,
    ),
    _value(
        KEY, _text("key"), "auto", "compose",
        "`C`, `F# minor`, `Bb:maj`; auto: chosen by the mood of the cue.", "--key",
        scopes=(*_TAKE, "section"),
    ),
    _value(
        HARMONIC_RHYTHM, _choice("bars", HARMONIC_RHYTHMS), "auto", "compose",
        "How many bars the network holds each chord.",
        "--harmonic-rhythm", to="compose.harmonic_rhythm",
    ),
    _value(
        DARK_LIGHT, _number("dark-light", -100, 100), 0.0, "compose",
        "Mood: dark (-100) to light (+100); 0 follows the picture.", "--dark-light", to="compose.dark_light",
    ),
    _value(
        CALM_TENSE, _number("calm-tense", -100, 100), 0.0, "compose",
        "Mood: calm (-100) to tense (+100); 0 follows the picture.", "--calm-tense", to="compose.calm_tense",
    ),
    *(
        _value(
            of_mood(name), _number(name, -100, 100), 0.0, "compose", f"More or less {name} than the picture.",
            f"--{name}", to=f"compose.affect_bias.{name}",
        )
        for name in EMOTIONS
    ),
    _value(
        FOLLOW_PICTURE, _number("follow", 0, 100, "%"), 50.0, "compose",
        "How strongly the mood of the picture pulls the chords.", "--follow-picture", to="compose.follow_picture",
        formerly=(f"{ROOT}/follow",),
    ),
    _value(
        ADVENTUROUS, _number("adventurous", 0, 10), 4.0, "compose",
        "How far the chords stray from the most likely ones.",
        "--adventurous", to="compose.adventurous",
    ),
    _value(
        ACTIVITY, _number("activity", 0, 100, "", "picture"), "picture", "arrange",
        "How many notes; 'picture': as the picture suggests.", "--activity", to="arrange.activity", unset="picture",
        scopes=_SECTION,
    ),
    _value(
        DYNAMICS, _number("dynamics", 0, 100, "", "picture"), "picture", "arrange",
        "How loud; 'picture': as the picture suggests.", "--dynamics", to="arrange.dynamics", unset="picture",
        scopes=_SECTION,
    ),
    _value(
        PATTERN, _text("pattern"), "auto", "arrange",
        "Arpeggio: auto, 1 to 5, up, down, alberti, octaves, or steps such as `1 * 2 * 3 2 4 *`.", "--pattern",
        to="arrange.pattern", scopes=_SECTION,
    ),
    _value(
        NOTE_LENGTH, _number("note length", 5, 110, "%"), 90.0, "arrange",
        "How much of its time a note sounds; over 100 overlaps the next (legato).", "--note-length",
        to="arrange.note_length",
    ),
    _value(
        CHORDS_ON_CUTS, _choice("where", CHORDS_ON), "hits", "arrange",
        "Where chords may change besides strong beats: on hits, on strong cuts too, or on all cuts.", "--chords-on",
    ),
    _value(
        SWING, _number("swing", 50, 75, "%"), 50.0, "arrange", "50 is straight, 66 is triplets.", "--swing",
        to="arrange.swing",
    ),
    _value(
        LOOSENESS, _number("looseness", 0, 25, "ms"), 0.0, "arrange", "How far notes stray from the beat.",
        "--looseness", to="arrange.looseness_ms",
    ),
    _value(
        VOICING, _choice("voicing", VOICING_STYLES), "close", "arrange",
        "How chords are voiced; root: always in root position, as in the paper.", "--voicing", to="arrange.voicing",
    ),
    _value(
        DENSITY_MAP, _choice("map", DENSITY_MAPS), "stretched", "arrange",
        "What sets the five levels of activity: the film's own quantiles, those of the last half minute, or the "
        "paper's thresholds.", "--density-map", to="arrange.density_map",
    ),
    _value(
        VELOCITY_MAP, _choice("map", VELOCITY_MAPS), "stretched", "arrange",
        "Loudness to velocity: stretched over each part's range, or the paper's 49 to 112.", "--velocity-map",
        to="arrange.velocity_map",
    ),
    _value(
        CRESCENDO, _number("crescendo", 0, 100, "%"), 30.0, "arrange",
        "How much the music grows over the eight beats before a hit or section.", "--crescendo",
        to="arrange.crescendo",
    ),
    _value(
        CC1, Arg("on", "switch"), True, "arrange", "CC 1 (layers, vibrato) follows loudness.", "--cc1",
        to="arrange.cc1",
    ),
    _value(
        CC11, _choice("mode", CC11_MODES), "fixed", "arrange",
        "CC 11 (expression): fixed at 100, a curve that follows loudness, or off.", "--cc11", to="arrange.cc11",
    ),
    _value(
        LEAVE_ROOM, _choice("mode", LEAVE_ROOM_MODES), "off", "arrange",
        "Leaves room for speech: inside a line no tune begins and nothing short plays off the beat, and no chord "
        "changes under its first word; strict: nothing short at all, and no held tones in the range of voices.",
        "--leave-room",
        to="arrange.leave_room",
    ),
    _value(
        SPEECH, _text("lines"), "", "arrange",
        "Where people speak: `12.3-15.2 20-24.5`, in picture seconds; `auto` listens to the film; the flag also takes "
        "subtitles (.srt, .vtt, .ttml).", "--speech", to="arrange.speech",
    ),
    _value(
        TRANSPOSE, _whole("semitones", -24, 24), 0, "arrange", "Transposes all parts but the drums.", "--transpose",
        to="arrange.transpose",
    ),
    _value(
        ARP_OCTAVES, _whole("octaves", 1, 2), 1, "arrange",
        "How many octaves the patterns `up` and `down` run through.", "--arp-octaves", to="arrange.arp_octaves",
        formerly=(f"{ROOT}/arp_span", "--arp-span"),
    ),
    _value(
        TEMPO, _number("tempo", 20, 400, "quarter notes a minute", "film"), 0.0, "transport",
        "Tempo of the cue on the internal transport; chords keep their picture time; 'film': the tempo that suits "
        "the film.",
        scopes=("film", "cue", "section"),
    ),
)  # fmt: skip

_SHIFT: Final = _number("shift", -250, 250, "ms")
# How notes are sent and positions shown: kept and undone like the music, but they change no note.
OUTPUT: Final = (
    _value(NUDGE, _SHIFT, 0.0, "output", "All MIDI earlier (-) or later (+).", "--nudge"),
    *(
        _value(of_part(part, "nudge"), _SHIFT, 0.0, "output", f"The {part} earlier (-) or later (+), in addition.")
        for part in PARTS
    ),
    _value(
        HOLD_ON_SYNC_LOSS, _number("hold", 0, 5, "seconds"), 0.5, "output",
        "How long the music goes on when the DAW's sync stops coming.", "--hold-on-sync-loss",
        formerly=("--freewheel",),
    ),
    _value(
        FRAME_RATE, _choice("rate", RATES), "film", "output",
        "Frame rate of the DAW project's timecode, as you type it, as it is shown and as MTC; 'film': the film's own.",
        "--frame-rate",
    ),
    _value(
        PORTS_LAYOUT, _choice("layout", PORT_LAYOUTS), "one", "output",
        "One MIDI port, or one for each part; ports are reopened, so this works only while nothing plays.", "--ports",
    ),
    _value(
        MIDDLE_C, _choice("name", MIDDLE_C_NAMES), "C4", "output",
        "The name shown for pitch 60: C4, or C3 as in some programs.",
    ),
    _value(
        TAKE_REPEAT, _choice("which", ("same", "new")), "same", "output",
        "In a loop: the same take on each pass, or a new one.",
    ),
)  # fmt: skip


def _part(part: str) -> tuple[Control, ...]:
    """The controls of one part."""
    pitch, velocity = _whole("pitch", 0, 127, "60 = middle C"), _whole("velocity", 1, 127)
    (low, high), (soft, loud) = PART_RANGES[part], PART_VELOCITIES[part]
    moves = f"Transposes the {part}; drums stay as they are." if part == "drums" else f"Transposes the {part}."
    rows: tuple[tuple[str, Arg, Value, str, str, str | None], ...] = (
        ("on", Arg("on", "switch"), True, "enabled", f"Whether the {part} plays.", None),
        ("channel", _whole("channel", 1, 16), DEFAULT_CHANNELS[part], "channel", f"MIDI channel of the {part}.", None),
        ("transpose", _whole("semitones", -36, 36), 0, "", moves, None),
        ("low", pitch, low, "low", f"Lowest pitch of the {part}.", None),
        ("high", pitch, high, "high", f"Highest pitch of the {part}.", None),
        ("velocity/low", velocity, soft, "velocity_low", f"Softest note of the {part}.", None),
        ("velocity/high", velocity, loud, "velocity_high", f"Loudest note of the {part}.", None),
        ("level", _number("level", -63, 63), 0.0, "level", f"Added to each velocity of the {part}.", None),
        ("pattern", _text("pattern"), "auto", "pattern", f"Pattern of the {part}; see {PATTERN}.", "auto"),
        (
            "note_length", _number("note length", 5, 110, "%", "all"), "all", "note_length",
            f"Note length of the {part}; 'all': as {NOTE_LENGTH}.", "all",
        ),
    )  # fmt: skip
    return tuple(
        _value(
            of_part(part, name), argument, default, "arrange", doc, unset=unset,
            to=f"arrange.part.{part}.{to}" if to else "",
        )
        for name, argument, default, to, doc, unset in rows
    )  # fmt: skip


LEARN_VALUES: Final = (
    Control(
        LEARN_PICKUP,
        "on: a fader does nothing until it reaches the current value (pick-up); off: it takes over at once (jump).",
        (Arg("pick-up", "switch"),), "value", default=True, undo=False,
    ),
    Control(
        LEARN_INVERTED,
        "on: for pedals (CC 64 to 69) that send 0 when pressed, as some made for other keyboards do.",
        (Arg("inverted", "switch"),), "value", default=False, undo=False,
    ),
)  # fmt: skip

_REPLACE: Final = _choice("replace", ("replace",), optional=True)
_PRINTED_RANGE: Final = (
    _choice("part", ("all", *PARTS), optional=True),
    _seconds("from", optional=True),
    _seconds("to", optional=True),
)

ACTIONS: Final = (
    _do(
        FILM_LOAD,
        "Opens another film. It is analysed while this one plays on, then its session opens; this film's session stays "
        "in its file. Answered at once with the file, and again when the film is ready, with the picture second from "
        "which it plays; if it cannot be opened, `/cue/error` says why and this film stays.", _text("file"),
    ),
    _do(
        CUES_ADD, "Adds a cue and selects it; the first one replaces the cue over the whole film.",
        _seconds("in"), _seconds("out", "end", optional=True), _text("name", optional=True), effect="compose",
    ),
    _do(
        CUES_REMOVE, "Deletes a cue, by name or number; without one, the selected cue.", _text("cue", optional=True),
        effect="compose",
    ),
    _do(
        CUES_SELECT,
        "Selects the cue that name, in, out, bar_1, tempo, key, progression, ending, tail and takes apply to.",
        _text("cue"),
    ),
    _do(
        CUES_ACCEPT, "Accepts a proposed cue, by name or number; without one, the selected cue.",
        _text("cue", optional=True),
    ),
    _do(
        CUES_REFUSE, "Refuses a proposed cue, by name or number; without one, the selected cue. Nothing plays there "
        "then.", _text("cue", optional=True), effect="compose",
    ),
    _do(
        HITS_ADD, "Adds a hit: a moment for the music to meet.", _seconds("at"),
        _choice("weight", HIT_WEIGHTS, optional=True), _text("name", optional=True), effect="compose",
    ),
    _do(HITS_MOVE, "Moves the nearest hit within half a second.", _seconds("from"), _seconds("to"), effect="compose"),
    _do(
        HITS_WEIGHT, "Changes the weight of the nearest hit within half a second.", _seconds("at"),
        _choice("weight", HIT_WEIGHTS), effect="compose",
    ),
    _do(
        HITS_NAME, "Renames the nearest hit within half a second.", _seconds("at"), _text("name"),
        effect="compose",
    ),
    _do(HITS_REMOVE, "Deletes the nearest hit within half a second.", _seconds("at"), effect="compose"),
    _do(
        HITS_ACCEPT_CUTS, "Turns all cuts of at least this strength into hits.", _number("strength", 0, 1),
        _choice("weight", HIT_WEIGHTS, optional=True), effect="compose",
    ),
    _do(
        SECTIONS_ADD, "Changes controls from here on: `activity=40; pattern=up; key=Am; parts=pad,bass`; `meter=3/4` "
        "begins a bar here and sets the time signature from here on; `bpm=96` changes the tempo without a "
        "new section.",
        _seconds("from"), _text("changes"), _text("name", optional=True), Arg("breath", "switch", optional=True),
        effect="compose", formerly=(f"{ROOT}/section/add",),
    ),
    _do(
        SECTIONS_REMOVE, "Deletes the section at this position.", _seconds("at"), effect="compose",
        formerly=(f"{ROOT}/section/remove",),
    ),
    _do(
        SECTIONS_MOVE, "Moves the beginning of the section that plays at a position, between its neighbours.",
        _seconds("from"), _seconds("to"), effect="compose",
    ),
    _do(
        SECTIONS_NAME, "Names the section that plays at a position.", _seconds("at"), _text("name"), effect="arrange",
    ),
    _do(
        SECTIONS_MERGE, "Merges the section that plays at a position with the next one.", _seconds("at"),
        effect="compose",
    ),
    _do(
        TEMPO_FIT,
        "Finds tempi whose beats meet the hits (without hits, the cuts); set one with /cue/tempo. Also ramps, tempi "
        "from hit to hit, odd bars, or ramps whose hits open bars. The answer comes when the search is done, after "
        "up to a minute for curves through many hits: bpm, hits met, hits near and worst miss of up to 8 plans; "
        "where kind is not fixed also bend in per cent and odd bars. Then for each plan `/cue/tempo/fit/plan`: "
        "number, count of hits, and for each hit its picture second, weight, miss in frames (+ = after the picture) "
        "and, for a must hit off by more than half a frame, why it is refused; at most 15 hits, refused ones first, "
        "then must, should, nice, then the earliest. No plan of that kind: plan 0, the best fixed tempo. Plans that "
        "bend or have odd bars cannot be set over OSC: `cuebridge tempo --write` gives them to the DAW or to "
        "`--tempo-map`.",
        Arg("from", "number", 20, 400, "bpm", optional=True), Arg("to", "number", 20, 400, "bpm", optional=True),
        _choice("kind", TEMPO_KINDS, optional=True),
        Arg("percent", "number", 0, 50, "that a ramp may bend the tempo", optional=True),
    ),
    _do(TEMPO_PUSH, "Writes the tempo map of the film into the DAW whose script is connected."),
    _do(PLAY, "Starts the internal transport."),
    _do(STOP, "Stops the internal transport; every sounding note gets its note-off."),
    _do(LOCATE, "Moves the playhead.", _seconds("position")),
    Control(
        LOOP, "Loops a range of the picture.",
        (Arg("on", "switch"), _seconds("from", optional=True), _seconds("to", optional=True)),
        "value", default=False, undo=False,
    ),
    Control(
        CLICK_ON_CUTS,
        "A woodblock on every cut, to check sync by eye and ear; never exported, printed or kept.",
        (
            Arg("on", "switch"), _whole("channel", 1, 16, optional=True),
            _whole("pitch", 0, 127, "60 = middle C", optional=True),
        ),
        "value", default=False, undo=False, formerly=(f"{ROOT}/knock",),
    ),
    _do(PANIC, "Note-offs, then All Notes Off, All Sound Off and Reset on every channel."),
    _do(
        PLUGIN_TAKE_OVER,
        "The plugin in the DAW plays this session's music from now on, even where the DAW project holds other music. "
        "Editing or composing anything does the same. The answer: how many plugin instances there are.",
    ),
    _do(QUIT, "Ends the program."),
    _do(PING, "Answers, and renews this client's subscriptions."),
    _do(CHORDS_NEXT, "Changes the chord after the one that sounds.", _text("chord"), effect="arrange"),
    _do(
        CHORDS_PIN, "Pins a chord here: only this chord and the voicing of its neighbours change.", _text("chord"),
        _seconds("at", optional=True), effect="arrange",
    ),
    _do(
        CHORDS_UNPIN,
        "Gives a chord back to the network: its pin goes and the composed chord returns. With `to`, all in a range.",
        _seconds("at", optional=True), _seconds("to", optional=True), effect="arrange",
    ),
    _do(
        CHORDS_MOVE,
        "Moves the border between two chords, to the nearest sixteenth; both chords are pinned then. The answer: "
        "where it was and where it is.", _seconds("from"), _seconds("to"), effect="arrange",
    ),
    _do(
        CHORDS_SPLIT, "Splits a chord in two at the nearest sixteenth, so that one of them can be changed.",
        _seconds("at", "playhead"), effect="arrange",
    ),
    _do(
        CHORDS_MERGE, "Extends the chord at a position over the next one.", _seconds("at", "playhead"),
        effect="arrange",
    ),
    _do(
        CHORDS_COPY, "Copies the chord that sounds at one position over the one at another.",
        _seconds("from"), _seconds("to"), effect="arrange",
    ),
    _do(
        CHORDS_LIST,
        "For each chord in a range, at most 60: from, to (picture seconds), name, and what it is (typed, pinned, "
        "given, generated, provisional or silence).", _seconds("from"), _seconds("to", optional=True),
    ),
    _do(
        CHORDS_PLAY,
        "Sets the chord of the bar at a position to these pitches (`48 64 67 72`, 60 = middle C), which the pad "
        "plays as they are.", _text("pitches"), _seconds("at", optional=True), effect="arrange",
    ),
    _do(
        PEDAL,
        "A pedal point: this note (`C`, `F#`) is the bass of all chords in the loop; without a loop, in the section "
        "at a position; without a section, in its bar.", _text("note"), _seconds("at", optional=True), effect="arrange",
    ),
    _do(
        CAPTURE,
        "on: what you play on the control port becomes music: a chord that you hold becomes the bar's, with its "
        "voicing, a low note held alone a pedal, a phrase followed by a rest the theme; each is one edit. off: stops "
        "that.",
        Arg("on", "switch"),
    ),
    _do(
        CHORDS_REWRITE,
        "Recomposes a range but keeps its pins: from and to (picture seconds); `chord`; `hit`: to the next hit; "
        "`cue`: the rest of the cue; `bars`, with the first and the last.",
        _seconds("from", "chord", "hit", "cue", "bars"),
        _seconds("to", optional=True, unit="picture seconds, or the first bar"),
        Arg("last", "number", 1, 99_999, "the last bar", optional=True), effect="compose",
    ),
    _do(TAKE_NEW, "Composes another take.", _WHEN, effect="compose"),
    _do(
        TAKE_SELECT, "Plays a take again, note for note; composes it if it is new.", _whole("take", 1, 999_999), _WHEN,
        effect="compose",
    ),
    _do(TAKE_KEEP, "Keeps the take that plays, with its notes.", _text("name", optional=True)),
    _do(TAKE_NAME, "Names a kept take.", _whole("take", 1, 999_999), _text("name")),
    _do(
        TAKE_RATE,
        "Rates a take, 1 to 5; 0 takes the rating back. With a form, ratings steer new takes; see "
        "/cue/takes/steering.",
        _whole("take", 1, 999_999), _whole("rating", 0, 5),
    ),
    _do(TAKE_NOTE, "Writes a note on a take; empty removes it.", _whole("take", 1, 999_999), _text("note")),
    _do(
        TAKE_MORE, "More like this: composes a take with the form, keys, players and theme of the one that plays but "
        "other chords.", _WHEN, effect="compose",
    ),
    _do(
        TAKE_LESS, "Less like this: composes a take whose form, players, palettes and key differ from those of the one "
        "that plays.", _WHEN, effect="compose",
    ),
    _do(
        TAKES_ADD, "Composes this many more takes, one after the other, while this one plays on; 0 stops that.",
        _whole("takes", 0, 64),
    ),
    _do(
        TAKE_PLAN,
        "With a form: the plan of a take of the selected cue, as /cue/plan gives that of the one that plays.",
        _whole("take", 1, 999_999),
    ),
    _do(
        SIMPLER, "With a form: fewer parts and longer chords in the sections that a range touches.", *_SPAN,
        effect="compose",
    ),
    _do(BUSIER, "With a form: more parts in the sections that a range touches.", *_SPAN, effect="compose"),
    _do(
        ONLY, "With a form: only these parts (`bass`, `pad,melody`) in the sections that a range touches.",
        _text("parts"), *_OPTIONAL_SPAN, effect="compose",
    ),
    _do(ANOTHER_MELODY,
        "With a form: builds another theme for the cue; chords, players and form stay.", effect="compose"),
    _do(
        LOCK, "Locks a part over a range: its notes stay, whatever is composed or set.",
        _choice("part", ("all", *PARTS)), *_OPTIONAL_SPAN, effect="arrange",
    ),
    _do(UNLOCK, "Unlocks a part over a range.", *_PRINTED_RANGE, effect="arrange"),
    _do(
        REHARMONISE, "Recomposes the chords of one bar; all else stays.", _seconds("at", "playhead"),
        effect="compose",
    ),
    _do(
        THEME_KEEP, "With a form: makes the theme of the take that plays the cue's own, for all takes; it stands in "
        "/cue/theme then.", effect="compose",
    ),
    _do(
        THEME_OPERATE, "With a form: transforms the cue's theme: a step up or down, twice as slow or as fast, its head "
        "alone, upside down, backwards.", _choice("operation", OPERATIONS), effect="compose",
    ),
    _do(
        THEME_LOAD, "Makes the upper line of a .mid or .musicxml file in an allowed folder the cue's theme.",
        _text("file"), effect="compose",
    ),
    _do(
        THEME_RECORD,
        "on: records what you play on the control port, against the beat while the transport rolls; off: makes it the "
        "cue's theme, quantised to sixteenths.", Arg("on", "switch"),
    ),
    _do(
        THEME_STATE, "With a form: states the theme from the bar nearest to a position; a hint is its head.",
        _seconds("at"), _choice("kind", STATEMENT_KINDS, optional=True), effect="compose",
    ),
    _do(THEME_SILENT, "With a form: takes the theme out there; chords stay.", _seconds("at"), effect="compose"),
    _do(
        THEME_MOVE,
        "With a form: moves the statement of the theme that sounds at a position to the bar nearest to another one; "
        "chords stay, and so do the sections that it neither leaves nor enters. The answer: where it was and where "
        "it is.",
        _seconds("from"), _seconds("to"),
        effect="compose",
    ),
    _do(
        THEME_ASSIGN,
        "With a form: states the theme at every hit and section of the cue that has this name, a character's for "
        "instance. The answer: the name, and at how many.", _text("name"),
        _choice("kind", STATEMENT_KINDS, optional=True), effect="compose",
    ),
    _do(
        FORM_ACCEPT, "With a form: accepts the section that plays at a position; it begins there in all later takes.",
        _seconds("at"), effect="compose",
    ),
    _do(
        FORM_REFUSE,
        "With a form: merges the section that plays at a position into the one before it, in this take and all later "
        "ones.", _seconds("at"), effect="compose",
    ),
    _do(
        FORM_MOVE,
        "With a form: moves the beginning of the section that plays at a position to the bar nearest to another one, "
        "in this take and all later ones. The answer: where it was and where it is.",
        _seconds("from"), _seconds("to"), effect="compose",
    ),
    _do(
        FORM_NAME, "With a form: accepts the section that plays at a position and names it; empty: without a name.",
        _seconds("at"), _text("name"), effect="compose",
    ),
    _do(
        FORM_MERGE, "With a form: extends the section that plays at a position over the next one, in this take and all "
        "later ones.", _seconds("at"), effect="compose",
    ),
    _do(
        TAKE_COMPARE,
        "How two takes of the selected cue differ: what, the first's, the second's, for each of key, tempo, form, "
        "players, palettes, intensity, bars per chord, theme, ending and chords in common.",
        _whole("first", 1, 999_999), _whole("second", 1, 999_999),
    ),
    _do(
        WHY,
        "Why the chord at a position is there: its first and last second, name, who set it (typed, pinned, given, "
        "network, cell, cadence, generated, provisional or silence), the network's part (0 to 1), up to three other "
        "chords with how likely each was and how likely the network alone finds it, then up to five lines in words. "
        "Answered when the engine has replied, or without it after two seconds.",
        Arg("at", "number", 0, LONGEST_S, "picture seconds", bars=True),
    ),
    _do(
        NOTES,
        "The notes that begin in a range: how many, then for at most 120 of them part, pitch, velocity, start and "
        "length in seconds; ask again from the last one for more.", _seconds("from"), _seconds("to"),
        _choice("part", ("all", *PARTS), optional=True),
    ),
    _do(
        TRY,
        "Says whether an edit would be accepted and from when it would be heard, without making it: `/cue/try "
        "/cue/chords/move 4.0 4.5`. The answer, or refusal: the address, then what the edit itself would answer.",
        _text("address"),
        *(Arg(f"argument {number}", "any", optional=True) for number in range(1, 7)),
    ),
    _do(
        GESTURE,
        "Makes one undo step of all edits that this sender makes from now on, as for a drag; another name begins "
        "another step, no name makes each edit a step again. Ends by itself after 10 s without an edit.",
        _text("name", optional=True),
    ),
    _do(
        EDITS_LIST,
        "The undo history: number of the current step, then for each step its number, what it was and who made it; "
        "at most 60, from a number on or the latest.", Arg("from", "whole", 0, 1_000_000, words=("latest",)),
    ),
    _do(UNDO, "Undoes the last edit."),
    _do(REDO, "Redoes the last undone edit."),
    _do(
        SUBSCRIBE,
        "Sends the values that match this pattern, at once and at every change, for 60 s; ping renews it. With a port, "
        "sends them there (0: to the port that asks); type `f` sends times as 32-bit floats, for programs that "
        "cannot read `d`.",
        _text("pattern"), _whole("port", 0, 65535, optional=True), _choice("type", ("d", "f"), optional=True),
    ),
    _do(
        UNSUBSCRIBE, "Ends a subscription; without a pattern, all of this client's.", _text("pattern", optional=True),
        _whole("port", 1, 65535, optional=True),
    ),
    _do(
        MARKERS_LOAD,
        "Markers of the picture's editor from a file in an allowed folder become cues, sections and hits: one step of "
        "the undo history. `show` only says what they would become. The answer: file, what it becomes in words, from "
        "when it is heard; then for each marker `/cue/markers/row`: number, picture second, film timecode, kind, "
        "weight, name and why it is left out. rows changes single ones before they are taken: `3=ignore 5=section "
        "7=must`. start and rate where the file does not say them: timecode of the film's first frame, frames a "
        "second.",
        _text("file"), _choice("what", ("take", "show"), optional=True), _text("rows", optional=True),
        _text("start", optional=True), _text("rate", optional=True), effect="compose",
    ),
    _do(
        CONFORM,
        "A new cut of the film, from an allowed folder: what changed, and (`take`) the session on it, as one step "
        "of undo, which brings the old cut back. The music must be composed to its end. The answer comes when "
        "both cuts have been looked at: file, the changes in words, with `take` from when it is heard; then for "
        "each change `/cue/conform/change`: number, kind (lift, trim, insert, move, repeat, retime), from and to "
        "in the old cut and in the new one (timecodes, - where it is not in that cut), frames, per cent of speed; "
        "for each mark `/cue/conform/moved`: kind, name, old second, new second or `lifted`, and of a hit the "
        "frames to the nearest beat before and after; for each policy `/cue/conform/policy`: its name, hits on a "
        "beat, hits that were on one, hits, hits lifted, the worst in frames, seconds to be composed, what it "
        "does in words. policies: `bars 1m2=ramp bend=4`, one of shift, ramp, bars, beats and rewrite for all "
        "cues, then for single ones. With two EDLs their events are compared instead of the pictures.",
        _text("file"), _choice("what", ("show", "take"), optional=True), _text("policies", optional=True),
        _text("old_edl", optional=True), _text("new_edl", optional=True), effect="compose",
    ),
    _do(MARKERS_PUSH, "Sets a marker at every cut, in the DAW whose script is connected."),
    _do(MARKERS_CLEAR, "Removes the markers that /cue/markers/push set."),
    _do(
        PRINT, "Writes notes into the DAW's tracks, one item for each part, and mutes the stream of that range.",
        _choice("scope", ("film", "cue", "selection")), _seconds("from", optional=True), _seconds("to", optional=True),
    ),
    _do(
        PRINTED_MUTE,
        "Mutes the stream of a part over a range, as printing does; for notes that you brought into the DAW by hand.",
        *_PRINTED_RANGE, effect="arrange", formerly=(f"{ROOT}/freeze",),
    ),
    _do(
        PRINTED_UNMUTE, "Unmutes the stream of a printed range.", *_PRINTED_RANGE, effect="arrange",
        formerly=(f"{ROOT}/thaw",),
    ),
    _do(
        EXPORT,
        "Writes the composition to a .mid file in an allowed folder; answered when it is done. A file that is there "
        "already is only replaced with `replace`, and kept beside it as .bak.", _text("file"), _REPLACE,
    ),
    _do(
        SAVE, "Saves the session, under another name if one is given. Another file that is there already is only "
        "replaced with `replace`, and kept beside it as .bak.", _text("file", optional=True), _REPLACE,
    ),
    _do(
        LEARN,
        "Maps the next fader, key, pedal or program change on the control port to this address; with arguments it "
        "always sends these (`/cue/learn /cue/chords/next Am`).",
        _text("address"), *(_text(f"argument {number}", optional=True) for number in range(1, 5)),
    ),
    _do(LEARN_CANCEL, "Stops waiting for a MIDI control to map."),
    _do(
        LEARN_FORGET, "Removes the mappings of an address; without one, all of them, the foot switch's included.",
        _text("address", optional=True),
    ),
    _do(LEARN_UNDO, "Undoes the last change of the mappings."),
)  # fmt: skip

CONTROLS: Final[tuple[Control, ...]] = (
    *STATES,
    *MUSIC,
    *OUTPUT,
    *(control for part in PARTS for control in _part(part)),
    *LEARN_VALUES,
    *ACTIONS,
)
BY_ADDRESS: Final[Mapping[str, Control]] = MappingProxyType({control.address: control for control in CONTROLS})
# Old address -> the address in use.
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {old: control.address for control in CONTROLS for old in control.old_addresses}
)
# What an edit may change and the session file holds: address -> default.
SETTINGS: Final[Mapping[str, Value]] = MappingProxyType(
    {control.address: control.default for control in CONTROLS if control.access == "value" and control.undo}
)
# Flags that decide the music, in `live`, `compose` and `plot`; and those of `live` that concern its ports and clocks.
MUSIC_FLAGS: Final = tuple(control for control in MUSIC if control.flag)
OUTPUT_FLAGS: Final = tuple(control for control in OUTPUT if control.flag)

_ALL_FILMS: Final = ("live", "compose", "plot", "analyze", "tempo", "score")
FLAGS: Final = (
    Flag(
        "--bpm", _number("tempo", 20, 400, "quarter notes a minute"),
        "quarter notes a minute; default: what suits the cuts", metavar="BPM", to="brief.bpm",
    ),
    Flag(
        "--meter", _text("meter"), "time signature (4/4)", ("live", "compose", "plot", "tempo"), metavar="N/D",
        to="brief.meter",
    ),
    Flag(
        "--grid", _choice("grid", GRID_CHOICES), "chords on beats, or on seconds as in the paper", default="auto",
        to="brief.grid",
    ),
    Flag(
        "--tempo-map", _text("file"), "tempo and meter changes from a MIDI file", metavar="FILE.mid",
        to="brief.tempo_map",
    ),
    Flag("--take", _whole("take", 1, 999_999),
        "number of the take; the same number gives the same music", default=1, metavar="N",
         to="brief.take"),
    Flag("--parts", _text("parts"), f"parts that play, of {','.join(PARTS)} (default: all)", metavar="LIST"),
    Flag(
        "--cue", _text("cue"), "a cue with its own bar 1: '1m1 10 42.5 key=Am bpm=96 progression=Am F'; repeatable",
        metavar="CUE", repeated=True, to="brief.cues",
    ),
    Flag(
        "--hits", _text("hits"), "moments to meet: '4.71! door=9.62 01:00:16:08?'; ! = must, ? = nice",
        ("compose", "plot", "tempo"), metavar="LIST", to="brief.hits",
    ),
    Flag(
        "--markers", _text("file"), "markers of the picture's editor: EDL, CSV, XML, FCPXML, OTIO or .mid; see "
        "`cuebridge markers`", ("live", "compose"), metavar="FILE",
    ),
    Flag(
        "--markers-start", _text("timecode"),
        "timecode of the film's first frame in that list, if the list does not say",
        ("live", "compose"), metavar="HH:MM:SS:FF",
    ),
    Flag(
        "--markers-rate", _text("rate"), "frame rate of that list, if the list does not say",
        ("live", "compose"), metavar="FPS",
    ),
    Flag(
        "--markers-rules", _text("file"),
        "rules for what marker names become, instead of the built-in ones", ("live", "compose"),
        metavar="FILE.toml",
    ),
    Flag(
        "--temp", _text("file"), "a temp track, recorded or MIDI: its tempo, key, chords a bar and energy are used "
        "unless a flag says otherwise, its melody and chords never", ("live", "compose"), metavar="FILE",
    ),
    Flag(
        "--temp-without", _text("list"), "what not to use of the temp track, of tempo,key,rhythm,energy",
        ("live", "compose"), metavar="LIST",
    ),
    Flag(
        "--reading", _choice("reading", READINGS), "how the picture is read; full needs CLIP weights, quick does not",
        ("live", "compose", "plot", "tempo"), default="auto", to="brief.reading",
    ),
    Flag(
        "--clip-weights", _text("file"), "CLIP weights for the full reading", metavar="FILE", to="brief.clip_weights"
    ),
    Flag(
        "--form", _choice("form", ("none", "auto", *FORMS)),
        "form of each cue; auto: each take draws one that suits the picture; none: one stretch without sections",
        ("compose", "plot"), default="auto", to="compose.form",
    ),
    Flag(
        "--ensemble", _choice("ensemble", ("auto", *ENSEMBLES)), "with --form: who plays; auto: chosen by the moods",
        ("compose", "plot"), default="auto", to="compose.ensemble",
    ),
    Flag(
        "--theme", _text("theme"),
        "with --form: your tune, as scale degrees with beats (1:1.5 5:.5 4:2 | 3:4) or a .mid or .musicxml file; "
        "without it each take builds one",
        ("compose", "plot"), metavar="TUNE",
    ),
    Flag(
        "--wall-to-wall", Arg("on", "switch"),
        "with --form: one cue over the whole film; without it, cues are proposed for films over two minutes",
        ("live", "compose", "plot"), default=False,
    ),
    Flag(
        "--candidates", _whole("candidates", 1, 64), "compose N candidates and keep the best", ("compose", "plot"),
        default=1, metavar="N", to="compose.candidates",
    ),
    Flag(
        "--click-on-cuts", Arg("on", "switch"), "a woodblock on every cut, to check sync by eye and ear",
        ("live",), default=False, formerly=("--knock",),
    ),
    Flag(
        "--click-channel", _whole("channel", 1, 16), "MIDI channel of the click", ("live",), default=CLICK_CHANNEL,
        metavar="CHANNEL", formerly=("--knock-channel",),
    ),
    Flag("--no-cache", Arg("on", "switch"), "analyse the film again and keep nothing", _ALL_FILMS, default=False),
    Flag("--cache-dir", _text("folder"), "where analyses are kept", ("compose", "plot", "tempo", "score"),
         metavar="DIR"),
)  # fmt: skip


def current_address(address: str) -> str:
    """The address in use for one that may be an old name."""
    return ALIASES.get(address, address)


def with_scope(scope: str) -> tuple[str, ...]:
    """Addresses of the values that a cue, section or take may have of its own, in order of the table."""
    return tuple(control.address for control in CONTROLS if control.access == "value" and scope in control.scopes)


def settings_of(kept: Mapping[str, Value]) -> dict[str, Value]:
    """Kept settings under the names in use, each checked by its row.  Raises ControlError."""
    found: dict[str, Value] = {}
    for old, value in kept.items():
        address = current_address(old)
        if address not in SETTINGS:
            raise ControlError("unknown_address", f"{old[:80]} is not a setting.")
        found[address] = BY_ADDRESS[address].arguments[0].check(value)
    return found


def options_from(settings: Mapping[str, Value], target: str) -> dict[str, Value]:
    """The options of `target` ("arrange", "compose", "brief") that settings decide, by the rest of their rows' `to`.

    What is not set has its default; a row's `unset` word becomes None.
    """
    found: dict[str, Value] = {}
    for control in _SETTING_OPTIONS:
        head, _, name = control.to.partition(".")
        if head == target:
            value = settings.get(control.address, control.default)
            found[name] = None if value == control.unset and control.unset is not None else value
    return found


_SETTING_OPTIONS: Final = tuple(control for control in CONTROLS if control.to)
