"""What can be done, and what can be read."""

from __future__ import annotations

from typing import Final

from bridge.controls.arguments import Arg
from bridge.controls.control import ROOT, WHEN_ARGUMENT, Control, do, state
from engine.arrange.tempofit import KINDS as TEMPO_KINDS
from engine.music import PARTS
from engine.music.composition import HIT_WEIGHTS

_FROZEN: Final = (
    Arg("part", "choice", words=("all", *PARTS), optional=True),
    Arg("from", "number", 0, 360_000, "picture seconds", optional=True),
    Arg("to", "number", 0, 360_000, "picture seconds", optional=True),
)

ACTIONS: Final = (
    do(
        "film/load",
        "Another film: looked at while this one plays on, then its session begins; this one's is kept in its file.",
        Arg("file", "text"),
    ),
    do(
        "cues/add",
        "A cue more, which the controls then set; the first takes the place of the whole film.",
        Arg("in", "number", 0, 360_000, "picture seconds"),
        Arg("out", "number", 0, 360_000, "picture seconds", ("end",), optional=True),
        Arg("name", "text", optional=True),
        effect="compose",
    ),
    do(
        "cues/remove",
        "Takes a cue away, by name or number; without one, the selected.",
        Arg("cue", "text", optional=True),
        effect="compose",
    ),
    do(
        "cues/select",
        "The controls of a cue (name, in, out, bar_1, tempo, key, progression, ending, tail, takes) set this one.",
        Arg("cue", "text"),
    ),
    do(
        "hits/add",
        "A moment that the music is to meet.",
        Arg("at", "number", 0, 360_000, "picture seconds"),
        Arg("weight", "choice", words=HIT_WEIGHTS, optional=True),
        Arg("name", "text", optional=True),
        effect="compose",
    ),
    do(
        "hits/remove",
        "Takes the nearest hit within half a second away.",
        Arg("at", "number", 0, 360_000, "picture seconds"),
        effect="compose",
    ),
    do(
        "hits/accept_cuts",
        "Makes hits of all cuts at least this strong.",
        Arg("strength", "number", 0, 1),
        Arg("weight", "choice", words=HIT_WEIGHTS, optional=True),
        effect="compose",
    ),
    do(
        "section/add",
        "From here on controls have new values: `activity=40; pattern=up; key=Am; parts=pad,bass`.",
        Arg("from", "number", 0, 360_000, "picture seconds"),
        Arg("changes", "text"),
        Arg("name", "text", optional=True),
        Arg("breath", "switch", optional=True),
        effect="compose",
    ),
    do(
        "section/remove",
        "Takes the section that plays here away.",
        Arg("at", "number", 0, 360_000, "picture seconds"),
        effect="compose",
    ),
    do(
        "tempo/fit",
        "Tempi whose beats meet the hits (without any: the cuts); set one with /cue/tempo. Also ramps, tempi from "
        "hit to hit, odd bars, or ramps whose hits open bars. The answer: bpm, hits met, hits near and worst miss "
        "of up to 8 plans; where kind is not fixed also bend in per cent and odd bars. Then per plan "
        "`/cue/tempo/fit/plan`: number, count of hits, and per hit its picture second, weight, miss in frames (+ "
        "= after the picture) and, for a must hit off by more than half a frame, why it is refused; at most 15 "
        "hits, first refused, then must, should, nice, then the earliest. No plan of that kind: plan 0, the best "
        "fixed tempo. Plans that bend or have odd bars are not taken over OSC: `cuebridge tempo --write` gives "
        "them to the DAW or to `--tempo-map`.",
        Arg("from", "number", 20, 400, "bpm", optional=True),
        Arg("to", "number", 20, 400, "bpm", optional=True),
        Arg("kind", "choice", words=TEMPO_KINDS, optional=True),
        Arg("percent", "number", 0, 50, "that a ramp may bend the tempo", optional=True),
    ),
    do("play", "Starts the internal transport."),
    do("stop", "Stops it; every sounding note gets its note-off."),
    do("locate", "Moves the playhead.", Arg("position", "number", 0, 360_000, "picture seconds")),
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
    Control(
        f"{ROOT}/knock",
        "A woodblock on every cut, to see and hear that sync is right; never exported, printed or kept.",
        (
            Arg("on", "switch"),
            Arg("channel", "whole", 1, 16, optional=True),
            Arg("pitch", "whole", 0, 127, "60 = middle C", optional=True),
        ),
        "value",
        default=False,
        undo=False,
    ),
    do("panic", "Note-offs, then All Notes Off, All Sound Off and Reset on every channel."),
    do("quit", "Ends the program."),
    do("ping", "Answers, and renews this client's subscriptions."),
    do("chords/next", "The chord after the one sounding becomes this one.", Arg("chord", "text"), effect="arrange"),
    do(
        "chords/pin",
        "This chord here: only it and its neighbours' voicing change.",
        Arg("chord", "text"),
        Arg("at", "number", 0, 360_000, "picture seconds", optional=True),
        effect="arrange",
    ),
    do(
        "chords/unpin",
        "Takes a pin away; the composed chord comes back.",
        Arg("at", "number", 0, 360_000, "picture seconds", optional=True),
        effect="arrange",
    ),
    do(
        "chords/rewrite",
        "Composes a range anew, keeping pins: from, to (picture seconds); `chord`; `hit`: to the next one; `cue`: the "
        "rest of it; `bars` and the first and last of them.",
        Arg("from", "number", 0, 360_000, "picture seconds", ("chord", "hit", "cue", "bars")),
        Arg("to", "number", 0, 360_000, "picture seconds, or the first bar", optional=True),
        Arg("last", "number", 1, 99_999, "the last bar", optional=True),
        effect="compose",
    ),
    do("take/new", "Composes another take.", WHEN_ARGUMENT, effect="compose"),
    do(
        "take/select",
        "Plays a take again, note for note; a number not heard before is composed.",
        Arg("take", "whole", 1, 999_999),
        WHEN_ARGUMENT,
        effect="compose",
    ),
    do("take/keep", "Keeps the take that plays, with its notes.", Arg("name", "text", optional=True)),
    do("take/name", "Names a kept take.", Arg("take", "whole", 1, 999_999), Arg("name", "text")),
    do("undo", "Takes back the last edit."),
    do("redo", "Does it again."),
    do(
        "subscribe",
        "Values matching this pattern are sent at once and at every change for 60 s; ping renews.",
        Arg("pattern", "text"),
        Arg("port", "whole", 1, 65535, optional=True),
    ),
    do(
        "unsubscribe",
        "Ends a subscription; without a pattern all of this client's.",
        Arg("pattern", "text", optional=True),
        Arg("port", "whole", 1, 65535, optional=True),
    ),
    do("markers/push", "Sets a marker at every cut, in the DAW whose script is connected."),
    do("markers/clear", "Takes our markers away again."),
    do(
        "print",
        "Writes notes into the DAW's tracks, one item for each part; the stream leaves them out from then on.",
        Arg("scope", "choice", words=("film", "cue", "selection")),
        Arg("from", "number", 0, 360_000, "picture seconds", optional=True),
        Arg("to", "number", 0, 360_000, "picture seconds", optional=True),
    ),
    do(
        "freeze",
        "Mutes the stream of a part over a range, as printing does; for notes that were brought into the DAW by hand.",
        *_FROZEN,
        effect="arrange",
    ),
    do("thaw", "Lets the stream of a printed range be heard again.", *_FROZEN, effect="arrange"),
    do(
        "export",
        "Writes what is composed to a .mid file in an allowed folder; answered once it is there.",
        Arg("file", "text"),
    ),
    do("save", "Saves the session, under another name if one is given.", Arg("file", "text", optional=True)),
)

STATES: Final = (
    state(
        "status", "State, position in seconds, three clocks, chord now and next, port, late notes, what it waits for."
    ),
    state("playhead", "Picture seconds, beats, bar|beat, film timecode, DAW timecode, rolling."),
    state("chords/now", "Bar, chord, its picture second, the next chord, its picture second."),
    state("chords", "Every chord with its picture second, as many as fit a datagram."),
    state("progress", "What is being done (analyse, compose; engine: it died and comes back), fraction 0 to 1, words."),
    state("take", "Number and name of the take that plays, whether it is kept, and how many there are."),
    state("takes", "Number, name and kept of each take."),
    state("pins", "Picture second and chord of each pin."),
    state("frozen", "Part, from and to (picture seconds) of each printed range, which the stream leaves out."),
    state("cuts", "Picture second of each cut, as many as fit a datagram."),
    state("hits", "Picture second, weight and name of each hit."),
    state("ranges", "Part, lowest pitch and its name, highest pitch and its name, of each part."),
    state("cues", "Number, name, In, Out (picture seconds) and whether it is selected, of each cue."),
    state("sections", "Picture second, changes and name of each section."),
    state("film", "File, seconds, frames a second, reading, why that reading."),
    state("edits", "What undo would take back, what redo would do again, how many of each."),
    state("changing", "What change is under way and the picture second from which it is heard; empty: none."),
    state("clients", "How many clients are subscribed."),
    state("daw", "Each connected DAW script: its name, messages a second, how many were lost."),
    state(
        "sync",
        "Who says the position and its state, who says the tempo and which, the timecode's rate, the sync port.",
    ),
    state("ports", "Port, its interface, whether it is up, sent, late and dropped notes."),
)
