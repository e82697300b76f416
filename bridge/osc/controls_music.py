"""The values that decide the music: what is saved, undone, and what the flags of `live` set."""

from __future__ import annotations

from typing import Final

from bridge.osc.arguments import Arg
from bridge.osc.control import value
from engine.arrange.changes import CHORDS_ON
from engine.arrange.options import CC11_MODES, DENSITY_MAPS, VELOCITY_MAPS
from engine.music import EMOTIONS
from engine.music.composition import ENDINGS

AS_PICTURE: Final = ("picture",)

MUSIC: Final = (
    value("name", Arg("name", "text"), "1m1", "arrange", "Name of the cue.", "--name"),
    value(
        "in",
        Arg("in", "number", 0, 360_000, "picture seconds"),
        0.0,
        "compose",
        "Where the cue begins; before it nothing sounds.",
        "--in",
    ),
    value(
        "out",
        Arg("out", "number", 0, 360_000, "picture seconds", ("end",)),
        "end",
        "compose",
        "Where its last chord lands; 'end': the film's end.",
        "--out-at",
    ),
    value(
        "bar_1",
        Arg("where", "number", 0, 360_000, "picture seconds", ("timeline", "in")),
        "timeline",
        "tempo",
        "Where bar 1 of the cue lies; 'in': where it begins; 'timeline': its bars are those of the timeline.",
        "--bar-1",
    ),
    value(
        "ending",
        Arg("ending", "choice", words=ENDINGS),
        "tonic",
        "arrange",
        "The last chord: tonic, open (as it comes) or cut.",
        "--ending",
    ),
    value("tail", Arg("tail", "number", 0, 30, "seconds"), 2.0, "arrange", "How long the last chord rings.", "--tail"),
    value(
        "picture_starts_at",
        Arg("where", "text"),
        "0",
        "tempo",
        "Where the film's first frame lies on the timeline: seconds, hh:mm:ss:ff or bar|beat.",
        "--picture-starts-at",
    ),
    value(
        "progression",
        Arg("chords", "text"),
        "",
        "compose",
        "The chords to begin with: `C Am F G`, `Cm:2 Ab:1` or `| Cm | Ab | Eb Bb/D |`; empty: none.",
        "--progression",
    ),
    value(
        "progression/mode",
        Arg("mode", "choice", words=("start", "loop", "exact")),
        "start",
        "compose",
        "start: the network goes on; loop: from the beginning again; exact: nothing else sounds.",
        "--mode",
    ),
    value(
        "key",
        Arg("key", "text"),
        "auto",
        "compose",
        "`C`, `F# minor`, `Bb:maj`; auto: by the mood of the cue.",
        "--key",
    ),
    value(
        "harmonic_rhythm",
        Arg("bars", "choice", words=("auto", "half", "1", "2", "4")),
        "auto",
        "compose",
        "Bars that a chord of the network lasts.",
        "--harmonic-rhythm",
    ),
    value(
        "mood/dark_light",
        Arg("dark-light", "number", -100, 100),
        0.0,
        "compose",
        "Mood: dark (-100) to light (+100); 0 is as the picture.",
        "--dark-light",
    ),
    value(
        "mood/calm_tense",
        Arg("calm-tense", "number", -100, 100),
        0.0,
        "compose",
        "Mood: calm (-100) to tense (+100); 0 is as the picture.",
        "--calm-tense",
    ),
    *(
        value(
            f"mood/{name}",
            Arg(name, "number", -100, 100),
            0.0,
            "compose",
            f"More or less {name} than the picture.",
            f"--{name}",
        )
        for name in EMOTIONS
    ),
    value(
        "follow",
        Arg("follow", "number", 0, 100, "%"),
        50.0,
        "compose",
        "Follow the picture: how strongly its mood pulls the chords.",
        "--follow-picture",
    ),
    value(
        "adventurous",
        Arg("adventurous", "number", 0, 10),
        4.0,
        "compose",
        "How far from the likeliest chords.",
        "--adventurous",
    ),
    value(
        "activity",
        Arg("activity", "number", 0, 100, words=AS_PICTURE),
        "picture",
        "arrange",
        "How many notes; 'picture': as the picture.",
        "--activity",
    ),
    value(
        "dynamics",
        Arg("dynamics", "number", 0, 100, words=AS_PICTURE),
        "picture",
        "arrange",
        "How loud; 'picture': as the picture.",
        "--dynamics",
    ),
    value(
        "pattern",
        Arg("pattern", "text"),
        "auto",
        "arrange",
        "Arpeggio: auto, 1 to 5, up, down, alberti, octaves, or steps such as `1 * 2 * 3 2 4 *`.",
        "--pattern",
    ),
    value(
        "note_length",
        Arg("note length", "number", 5, 110, "%"),
        90.0,
        "arrange",
        "Over 100 is legato.",
        "--note-length",
    ),
    value(
        "chords_on",
        Arg("where", "choice", words=CHORDS_ON),
        "hits",
        "arrange",
        "Where chords change besides strong beats: on hits, on strong cuts too, or on all cuts.",
        "--chords-on",
    ),
    value("swing", Arg("swing", "number", 50, 75, "%"), 50.0, "arrange", "50 is straight, 66 triplets.", "--swing"),
    value(
        "looseness",
        Arg("looseness", "number", 0, 25, "ms"),
        0.0,
        "arrange",
        "How far notes stray from the beat.",
        "--looseness",
    ),
    value(
        "voicing",
        Arg("voicing", "choice", words=("close", "open", "root")),
        "close",
        "arrange",
        "How chords are laid out; root: always from the root, as the paper does.",
        "--voicing",
    ),
    value(
        "density_map",
        Arg("map", "choice", words=DENSITY_MAPS),
        "stretched",
        "arrange",
        "Activity's five levels: the film's own quantiles, those of the last half minute, or the paper's thresholds.",
        "--density-map",
    ),
    value(
        "velocity_map",
        Arg("map", "choice", words=VELOCITY_MAPS),
        "stretched",
        "arrange",
        "Loudness to velocity: stretched over each part's range, or the paper's 49 to 112.",
        "--velocity-map",
    ),
    value(
        "crescendo",
        Arg("crescendo", "number", 0, 100, "%"),
        30.0,
        "arrange",
        "How much music grows over eight beats towards a hit or section.",
        "--crescendo",
    ),
    value("cc1", Arg("on", "switch"), True, "arrange", "CC 1 (layers, vibrato) follows loudness.", "--cc1"),
    value(
        "cc11",
        Arg("mode", "choice", words=CC11_MODES),
        "fixed",
        "arrange",
        "CC 11 (expression): 100 throughout, a curve by loudness, or nothing.",
        "--cc11",
    ),
    value("transpose", Arg("semitones", "whole", -24, 24), 0, "arrange", "Moves all parts but drums.", "--transpose"),
    value(
        "tempo",
        Arg("tempo", "number", 20, 400, "quarter notes a minute", ("film",)),
        0.0,
        "tempo",
        "Tempo of the cue on the internal transport; chords keep their picture time; 'film': as suits the film.",
    ),
)
