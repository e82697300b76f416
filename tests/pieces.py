"""Compositions for the tests of this folder."""

from __future__ import annotations

import random
from collections.abc import Iterable
from fractions import Fraction

from hypothesis import strategies as st

from engine.arrange import Arranger, ArrangeState
from engine.arrange.rhythm import build_grid
from engine.music import (
    QUALITIES,
    Chord,
    Composition,
    Cue,
    Film,
    FrameRate,
    Hit,
    Key,
    Note,
    Slot,
    TempoMap,
    TimeSignature,
)
from engine.music.speech import Lines

RATE = FrameRate(Fraction(24))


def compose(text="C C Am Am F F G7 G7", *, tempo_map=None, seconds=16.0, grid="beats", seed=1, key="C", **extra):
    """Chords laid on the grid one per slot, again and again; density and loudness at random from the seed."""
    tempo_map = tempo_map or TempoMap.constant(120)
    random_ = random.Random(seed)
    chords = [Chord.parse(word) for word in text.split()]
    starts_s = extra.pop("picture_starts_at_s", 0.0)
    slots = tuple(
        Slot(
            slot.index,
            slot.start_s,
            slot.end_s,
            slot.start_beats,
            slot.end_beats,
            chords[slot.index % len(chords)],
            extra.get("density", random_.uniform(0, 25)),
            extra.get("loudness", random_.uniform(0.02, 0.36)),
            motion=random_.uniform(0, 40),
        )
        for slot in build_grid(grid, tempo_map, seconds, starts_s)
    )
    extra.pop("density", None), extra.pop("loudness", None)
    film = Film("film.mp4", seconds, RATE)
    return Composition(1, film, tempo_map, slots, Key.parse(key), grid, starts_s, **extra)


METERS = [TimeSignature.parse(text) for text in ("4/4", "3/4", "6/8", "7/8", "5/4", "12/8")]
words = st.one_of(
    st.just("N"),
    st.builds(lambda root, quality: Chord(root, quality).harte(), st.integers(0, 11), st.sampled_from(QUALITIES)),
    st.sampled_from(["C/E", "Am/G", "F/G", "G7/B", "Dm7/C", "C/Bb"]),
)


@st.composite
def compositions(draw):
    """Any tempo, meter and change of both; cues with gaps; hits; rests; where the picture starts is free."""
    tempos, beat = [], 0
    for _ in range(draw(st.integers(1, 3))):
        tempos.append((beat, draw(st.integers(400, 2000)) / 10))
        beat += draw(st.integers(1, 24))
    meters, beat = [], Fraction(0)
    for _ in range(draw(st.integers(1, 2))):
        meters.append((beat, draw(st.sampled_from(METERS))))
        beat += draw(st.integers(2, 40)) * Fraction(1, 2)
    seconds = draw(st.integers(20, 160)) / 10
    seconds_grid = draw(st.booleans()) and draw(st.booleans())
    tempo_map = TempoMap.constant(120) if seconds_grid else TempoMap.of(tempos, meters, draw(st.integers(-3, 3)))
    cues, position = [], 0.0
    for number in range(draw(st.integers(0, 3))):
        in_s = position + draw(st.integers(0, 30)) / 10
        out_s = in_s + draw(st.integers(3, 60)) / 10
        if out_s >= seconds:
            break
        ending = draw(st.sampled_from(["tonic", "open", "cut"]))
        cues.append(Cue(f"1m{number + 1}", in_s, out_s, ending=ending, tail_s=draw(st.integers(0, 30)) / 10))
        position = out_s
    hits = tuple(Hit(draw(st.integers(0, int(seconds * 10))) / 10) for _ in range(draw(st.integers(0, 3))))
    return compose(
        " ".join(draw(st.lists(words, min_size=1, max_size=8))),
        tempo_map=tempo_map,
        seconds=seconds,
        grid="seconds" if seconds_grid else "beats",
        seed=draw(st.integers(0, 99)),
        key=draw(st.sampled_from(["C", "Am", "Eb", "F#m"])),
        cues=tuple(cues),
        hits=hits,
        picture_starts_at_s=float(draw(st.integers(0, 2))),
    )


def melody_share(notes: Iterable[Note], composition: Composition, lines: Lines) -> float:
    """Share of the tune's onsets that lie inside lines; 0 without a tune."""
    onsets = [composition.picture_at_beats(note.start_beats) for note in notes if note.part == "melody"]
    inside = sum(any(start <= at < end for start, end in lines) for at in onsets)
    return inside / len(onsets) if onsets else 0.0


def stored_states(arranger: Arranger, every_beats: float) -> tuple[ArrangeState, ...]:
    """States along a whole arrangement, about every so many beats, for `arrange` to start from."""
    states: list[ArrangeState] = []
    position = arranger.start_beats
    state: ArrangeState | None = None
    while position < arranger.end_beats:
        position += every_beats
        state = arranger.arrange(position - every_beats, position, state).state
        if not states or states[-1] != state:
            states.append(state)
    return tuple(states)
