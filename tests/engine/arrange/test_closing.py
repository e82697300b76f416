"""Endings sound complete, in every palette, for all players, by every ending; and no phrase closes without its bass."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from engine.arrange import arrange
from engine.arrange.chance import noise
from engine.arrange.closing import Sung, rest_of_tune
from engine.arrange.ensembles import ensembles
from engine.arrange.rhythm import build_grid
from engine.harmony.palettes import palettes
from engine.music import Chord, Composition, Cue, Film, FrameRate, Key, Slot, TempoMap
from engine.music.closing import LEAST_RING_S
from engine.music.cueplan import CUE_ENDINGS, ENSEMBLES, CuePlan, SectionPlan, Statement
from engine.theme import build_theme

BPM = 96.0
BAR_S = 4 * 60 / BPM


def closing_cue(
    ensemble, variant, ending, bars=4, more_bars=0.0, intensity=2, density=8.0, statement=True, role="theme"
):
    """A cue of one section that closes as its palette does, a chord a bar, on the last bar or what is left of it."""
    palette, tempo_map = palettes()[variant], TempoMap.constant(BPM)
    out_s = (bars + more_bars) * BAR_S
    film_s = out_s + (3.0 if ending == "pre-lap" else 0.0)
    key = Key(2, palette.mode)
    close = palette.closes_of(ending)[0]
    line = [entry for cell in palette.cells for entry in cell]
    last_bar = (
        bars - 1 if more_bars < 0.5 or (more_bars * BAR_S < LEAST_RING_S and ending not in ("button", "bump")) else bars
    )
    chords = [line[index % len(line)] for index in range(last_bar + 1 - len(close))] + list(close)
    slots = []
    for place in build_grid("beats", tempo_map, film_s):
        bar = min(int(tempo_map.bar_position(round(place.start_beats, 6))), last_bar)
        slots.append(
            Slot(place.index, place.start_s, place.end_s, place.start_beats, place.end_beats,
                 chords[bar][-1].transpose(key.tonic), density, 0.2)
        )  # fmt: skip
    players = ensembles()[ensemble]
    theme = build_theme(
        palette.mood, palette.mode, palette.shapes, palette.rhythms, 4.0, lambda *words: noise(variant, *words)
    )
    rows = players.theme if statement else players.layers
    layers = (*rows[intensity], "melody") if statement and "melody" not in rows[intensity] else rows[intensity]
    section = SectionPlan(0.0, out_s, "A", role, palette.mood, intensity, variant, key, 1.0, layers, palette.pedal,
                          palette.note_length, palette.velocity, palette.centre)  # fmt: skip
    melody = players.parts["melody"]
    plan = CuePlan(
        0, "montage", ensemble, (section,), theme, (Statement(1, "statement", 4),) if statement else (), ending,
        seed=3, melody_range=(melody.low, melody.high),
    )  # fmt: skip
    film = Film("film.mp4", film_s, FrameRate(Fraction(24)))
    return Composition(1, film, tempo_map, tuple(slots), key, cues=(Cue(out_s=out_s, ending=ending),), plans=(plan,))


def sounding(notes, beats):
    return [note for note in notes if note.start_beats <= beats < note.end_beats]


def cases(ensemble):
    for number, variant in enumerate(palettes()):
        for index, ending in enumerate(CUE_ENDINGS):
            place = 5 * number + index
            more = (0.0, 0.3, 0.7, 0.05)[place % 4]
            composition = closing_cue(
                ensemble, variant, ending, more_bars=more, intensity=place % 5, density=(2.0, 16.0)[place % 3 == 0],
                statement=place % 2 == 0,
            )  # fmt: skip
            yield variant, ending, composition


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_the_last_chord_of_a_cue_is_whole(ensemble):
    """Bass and chords to the end, the third where there is one, the tune on a tone of the chord; nothing alone."""
    for variant, ending, composition in cases(ensemble):
        out = composition.tempo_map.beats_at(composition.cues[0].out_s)
        notes = [note for note in arrange(composition).notes if note.part != "drums"]
        said = (ensemble, variant, ending, out)
        if ending == "button":
            last = max(note.start_beats for note in notes)
            held = [note for note in notes if note.start_beats == last]
            assert all(note.length_beats <= 1.0 for note in held), said
            before = [note for note in notes if note.start_beats < last]
            assert before and max(note.end_beats for note in before) <= last - 1 + 1e-6, said
        elif ending == "bump":
            assert max(note.start_beats for note in notes) <= out - 0.74, said
            held = [note for note in notes if note.end_beats > out - 2.5]
        else:
            held = sounding(notes, out - 0.3)
            struck = min(note.start_beats for note in held)
            assert out - struck >= LEAST_RING_S * BPM / 60 - 0.3, said
            assert not [n for n in notes if n.start_beats > struck and n.part != "melody"], said
            assert all(note.end_beats >= out - 0.26 for note in held), said
            assert not [n for n in notes if n.start_beats < struck < n.end_beats - 1e-6], said
        chord = composition.slot_at(composition.cues[0].out_s - 0.3).chord
        parts = {note.part for note in held}
        assert "bass" in parts and parts & {"pad", "arp"}, (*said, parts)
        if ending == "bump":
            continue
        classes = {note.pitch % 12 for note in held}
        third = {(chord.root + step) % 12 for step in chord.intervals() if step in (3, 4)}
        assert third <= classes, (*said, chord, held)
        assert classes <= {*chord.pitch_classes(), chord.bass_pitch_class}, (*said, chord, held)
        assert min(held, key=lambda note: note.pitch).pitch % 12 == chord.bass_pitch_class, (*said, chord, held)
        tune = [note for note in notes if note.part == "melody"]
        if tune and max(note.end_beats for note in tune) > out - 6:
            assert "melody" in parts, said


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_the_bass_stays_while_a_theme_closes(ensemble):
    """However still the picture becomes there."""
    for variant in palettes():
        plain = closing_cue(ensemble, variant, "ring-off", bars=8, density=16.0)
        stills = tuple(replace(slot, density=1.0) if slot.start_beats >= 8 else slot for slot in plain.slots)
        notes = arrange(replace(plain, slots=stills)).notes
        bass = [note for note in notes if note.part == "bass"]
        if any(note.start_beats < 8 for note in bass):
            for beat in (8.0, 12.0):
                assert any(n.start_beats < beat + 4 and n.end_beats > beat for n in bass), (ensemble, variant, beat)


def test_what_the_composer_has_said_of_parts_holds_in_the_last_chord_too():
    plain = closing_cue("strings", "R1", "ring-off")
    plan = plain.plans[0]
    alone = replace(plan, sections=(replace(plan.sections[0], layers=("pad",)),), statements=())
    assert {note.part for note in arrange(replace(plain, plans=(alone,))).notes} == {"pad"}


C, G7SUS = Chord.parse("C"), Chord.parse("G7sus4")


@pytest.mark.parametrize(
    ("before", "after", "rest"),
    [
        (Sung(6, 8, 74), [Sung(8, 11, 72)], [(8, 72)]),  # it arrives with the chord, and is held
        (Sung(6, 8, 76), [Sung(8, 9, 74), Sung(9, 10, 72)], [(8, 74), (9, 72)]),  # an appoggiatura resolves
        (Sung(6, 8, 76), [Sung(8, 9, 74), Sung(9, 10, 69)], [(8, 76)]),  # it would not: the nearest that ends well
        (Sung(6, 10, 76), [], [(8, 76)]),  # what lasts into the chord belongs to it
        (Sung(6, 10, 74), [], [(8, 72)]),  # or gives way to what does
        (Sung(6, 7, 71), [], [(8, 72)]),
        (None, [Sung(12, 13, 77), Sung(13, 14, 79)], []),  # too late to begin anything
        (None, [], []),
    ],
)
def test_a_tune_comes_to_rest_on_the_last_chord(before, after, rest):
    found = rest_of_tune(before, after, 8.0, 13.0, C, 60)
    assert [(tone.start, tone.pitch) for tone in found] == rest
    if found:
        assert found[-1].end == 13.0


def test_a_tune_rests_over_the_pad_and_on_open_chords_too():
    (tone,) = rest_of_tune(Sung(6, 8, 65), [], 8.0, 13.0, G7SUS, 66)
    assert tone.pitch > 66 and tone.pitch % 12 in G7SUS.pitch_classes()
