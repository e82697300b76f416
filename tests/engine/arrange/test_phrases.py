"""Figures keep their speed for a phrase, and nobody falls silent for a bar inside one, whatever the picture does."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from profiles import thorough

from engine.arrange import ArrangeOptions, arrange
from engine.arrange.chance import noise
from engine.arrange.ensembles import ensembles
from engine.arrange.options import PlayedVoicing
from engine.harmony.palettes import palettes
from engine.music import Cue, Section
from engine.music.cueplan import ENSEMBLES

sys.path.insert(0, str(Path(__file__).parent))
from test_planned import planned

BARS = 13  # of a section: three phrases, the last of five bars
MOVING = ("pattern", "broken", "eighths", "sixteenths", "ostinato", "octaves", "pulsed")


def some_palettes():
    """All of them, or by the quick profile every third."""
    return sorted(palettes())[:: 1 if thorough() else 3]


def restless(ensemble, variant, bpm=66, rules=6, **more):
    """A cue over a picture that wants something else in every bar, the theme in its first bars and again later on."""
    made = planned(ensemble, (variant, variant), bars=BARS, bpm=bpm, **more)
    bar_s = 240 / bpm
    slots = tuple(
        replace(slot, density=28 * noise("phrases", variant, int(slot.start_s / bar_s + 1e-6))) for slot in made.slots
    )
    rows = ensembles(rules)[ensemble].theme
    plan = made.plans[0]
    sections = tuple(
        replace(each, layers=tuple(dict.fromkeys((*rows[each.intensity], "melody")))) for each in plan.sections
    )
    return replace(made, slots=slots, plans=(replace(plan, rules=rules, sections=sections),))


def bars_of(notes, part, last=2 * BARS - 3):
    """The notes of a part by bar, but for the close of the cue."""
    found = {}
    for note in notes:
        if note.part == part and note.start_beats < 4 * last - 0.01:
            found.setdefault(int(note.start_beats // 4 + 1e-6), []).append(note)
    return found


def rates(notes, part):
    """The shortest time between two strikes of a part in each bar that has some."""
    found = {}
    for bar, row in bars_of(notes, part).items():
        places = sorted({round(note.start_beats, 2) for note in row} | {4.0 * bar + 4})
        found[bar] = min(round(b - a, 2) for a, b in pairwise(places))
    return found


def phrase(bar):
    """Section and phrase of a bar: four bars, what is left over goes with the last."""
    return bar // BARS, min(bar % BARS // 4, (BARS - 2) // 4)


def changes(composition):
    """Neighbouring bars of one phrase in which a figure has another speed."""
    roles = ensembles()[composition.plans[0].ensemble].parts
    notes, count = arrange(composition).notes, 0
    for part in ("arp", "bass"):
        if part in roles and roles[part].style in MOVING:
            found = rates(notes, part)
            count += sum(
                bar + 1 in found and phrase(bar) == phrase(bar + 1) and found[bar] != found[bar + 1] for bar in found
            )
    return count


@pytest.mark.parametrize("ensemble", [n for n in ENSEMBLES if ensembles()[n].parts["arp"].style in MOVING])
def test_a_figure_keeps_its_speed_for_a_phrase(ensemble):
    """In every palette; beside the rules by which it changed with the picture."""
    count = Counter()
    for variant in some_palettes():
        for rules in (5, 6):
            count[rules] += changes(restless(ensemble, variant, rules=rules))
    assert count[6] == 0 and (count[5] or ensemble == "strings"), count  # who have one only where much goes on


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_no_inner_voice_is_silent_for_one_bar_of_a_section(ensemble):
    """In every palette; beside the rules by which they left for one."""
    count = Counter()
    roles = ensembles()[ensemble].parts
    inner = [part for part in ("pad", "arp", "bass") if part in roles and roles[part].style not in ("sparse", "struck")]
    for variant in some_palettes():
        for rules in (5, 6):
            notes = arrange(restless(ensemble, variant, rules=rules)).notes
            for part in inner:
                sounding = {
                    bar
                    for note in notes
                    if note.part == part
                    for bar in range(int(note.start_beats // 4 + 1e-6), int((note.end_beats - 0.05) // 4) + 1)
                }
                count[rules] += sum(
                    bar not in sounding and {bar - 1, bar + 1} <= sounding and (bar - 1) // BARS == (bar + 1) // BARS
                    for bar in range(2 * BARS)
                )
    assert count[6] == 0 and (count[5] or ensemble == "ambient"), count


@pytest.mark.parametrize("ensemble", ["piano", "strings", "hybrid", "pulse", "pop"])
def test_a_figure_changes_where_the_composer_says_so_and_nothing_else_does(ensemble):
    """An activity that is set from the middle of a phrase on, until the middle of another one."""
    plain = restless(ensemble, "R1")
    bar_s = 240 / 66
    said = Cue(sections=(Section(6 * bar_s, (("activity", "90"),)), Section(9 * bar_s, (("activity", "auto"),))))
    before, after = arrange(plain).notes, arrange(replace(plain, cues=(said,))).notes
    quiet = arrange(replace(plain, cues=(replace(said, sections=(
        Section(6 * bar_s, (("activity", "5"),)), Section(9 * bar_s, (("activity", "auto"),))
    )),))).notes  # fmt: skip

    def part(notes, since, until):
        return [note for note in notes if 4 * since - 0.01 <= note.start_beats < 4 * until - 0.01]

    assert len(part(quiet, 6, 9)) < len(part(after, 6, 9))
    assert {bar: rate for bar, rate in rates(after, "arp").items() if 6 <= bar < 9}.keys() == {6, 7, 8}
    for bar in (*range(5), *range(10, 24)):  # but for the chords that lead there and back
        kept = [(n.part, n.start_beats) for n in part(before, bar, bar + 1)]
        assert [(n.part, n.start_beats) for n in part(after, bar, bar + 1)] == kept, bar


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_a_livelier_or_calmer_section_leaves_the_others_as_they_are(ensemble):
    from engine.form import edits

    plain = restless(ensemble, "S1")
    plan = plain.plans[0]
    middle_s = plan.sections[1].start_s
    middle = plain.beats_at_picture(middle_s)
    for edited in (edits.busier(plan, (middle_s, 1e9)), edits.simpler(plan, (middle_s, 1e9))):
        before, after = (
            [note for note in arrange(replace(plain, plans=(each,))).notes if note.start_beats < middle - 0.01]
            for each in (plan, edited)
        )
        assert before == after


@pytest.mark.parametrize("ensemble", ["piano", "strings", "pop", "hybrid"])
def test_each_level_of_activity_has_more_notes_than_the_one_below(ensemble):
    """By the control that sets it, where the figure plays."""
    plain = restless(ensemble, "N1", bpm=96)
    counts = [len(arrange(plain, ArrangeOptions(activity=level)).notes) for level in (10, 30, 50, 70, 90)]
    assert counts == sorted(counts) and len(set(counts)) >= 4, counts


@pytest.mark.parametrize("ensemble", ["piano", "strings", "hybrid", "pop"])
def test_beside_what_was_before_too_a_figure_keeps_its_speed(ensemble):
    """Density that is compared with the seconds before."""
    composition = restless(ensemble, "R2")
    options = ArrangeOptions(density_map="rolling")
    found = rates(arrange(composition, options).notes, "arp")
    assert found
    assert not [b for b in found if b + 1 in found and phrase(b) == phrase(b + 1) and found[b] != found[b + 1]]


def figures_of(composition):
    """What a figure strikes in each bar, place by place, where it strikes four times or more."""
    bars = bars_of(arrange(composition).notes, "arp")
    found = {}
    for bar, row in bars.items():
        struck = {}
        for note in row:
            struck.setdefault(round(note.start_beats - 4 * bar, 2), set()).add(note.pitch)
        if len(struck) >= 4:
            found[bar] = [frozenset(struck[place]) for place in sorted(struck)]
    return found


@pytest.mark.parametrize("ensemble", ["piano", "strings", "orchestra"])
def test_a_figure_goes_somewhere_in_a_bar_and_another_way_in_the_next_of_a_chord(ensemble):
    """In every palette; beside the rules by which it went to and fro between two tones, and went on so."""
    fro, again, count = Counter(), Counter(), Counter()
    for variant in some_palettes():
        for rules in (5, 6):
            composition = restless(ensemble, variant, rules=rules)
            lasting = tuple(  # chords of two bars
                replace(slot, chord=composition.slots[index - index % 16].chord)
                for index, slot in enumerate(composition.slots)
            )
            found = figures_of(replace(composition, slots=lasting))
            count[rules] += len(found)
            fro[rules] += sum(len(set(row)) < 3 for row in found.values())
            again[rules] += sum(found[bar] == found.get(bar + 1) for bar in found)
    assert fro[6] <= 0.03 * count[6] and fro[5] > 0.1 * count[5], (fro, count)
    assert again[6] <= 0.03 * count[6] and again[5] > 0.03 * count[5], (again, count)


@pytest.mark.parametrize("ensemble", [n for n in ENSEMBLES if ensembles()[n].parts["pad"].style == "held"])
def test_what_is_held_is_struck_as_often_in_both_bars_of_half_a_phrase(ensemble):
    """In every palette; beside the rules by which it was struck again with the picture."""
    count = Counter()
    for variant in some_palettes():
        for rules in (5, 6):
            bars = bars_of(arrange(restless(ensemble, variant, rules=rules)).notes, "pad")
            struck = {bar: len({round(note.start_beats, 2) for note in row}) for bar, row in bars.items()}
            count[rules] += sum(
                struck[bar] != struck.get(bar + 1, struck[bar])
                for bar in struck
                if bar % BARS % 2 == 0 and bar % BARS < BARS - 1
            )
    assert count[6] == 0 < count[5], count


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_a_chord_that_somebody_played_sounds_also_where_the_chords_rest(ensemble):
    """Pitch for pitch, wherever it is played; what the composer said of the parts still holds."""
    composition = restless(ensemble, "R1")
    for start, end in ((4.0, 8.0), (20.0, 24.0), (36.0, 40.0)):
        slot = next(each for each in composition.slots if each.start_beats <= start < each.end_beats)
        played = PlayedVoicing(start, end, slot.chord, (50, 62, 69, 77))
        notes = arrange(composition, ArrangeOptions(played_voicings=(played,))).notes
        found = {note.pitch for note in notes if note.part == "pad" and start - 0.01 <= note.start_beats < end - 0.01}
        assert found >= set(played.pad), (ensemble, start, found)
