"""A composer's hand on planned cues: by the shipped networks, on the stored reading of the bundled clip.

What an edit names changes; what lies outside stays note for note.
"""

from __future__ import annotations

import shutil

import pytest
from golden import stored
from livelab import CLIP

from engine.arrange.score import arrange_whole
from engine.music.theme_text import parse_theme, theme_text


@pytest.fixture
def live(tmp_path):
    with stored.live(str(CLIP), "--form", "auto", "--ensemble", "piano", folder=tmp_path, network=True) as stage:
        stage.folder = tmp_path
        yield stage


def notes_of(stage):
    made = arrange_whole(stage.session.score()).notes
    return sorted(made, key=lambda note: (note.start_beats, note.part, note.pitch))


def plan_of(stage):
    return stage.session.document.result.plans[0]


def do(stage, address, *arguments):
    answer = stage.osc(address, *arguments)
    stage.ready()
    return answer


def chords_of(stage):
    return [slot.chord for slot in stage.session.document.slots]


def inside(stage, notes, low_s, high_s):
    low, high = stage.session.beats_at(low_s), stage.session.beats_at(high_s)
    return [note for note in notes if low <= note.start_beats < high]


def outside(stage, notes, low_s, high_s):
    """Without the last bar before, which may lead into the range, and the first after, whose voicing it may lead."""
    bar = float(stage.session.tempo_map.meter_at(0).bar_beats)
    low, high = stage.session.beats_at(low_s) - bar, stage.session.beats_at(high_s) + bar
    return [note for note in notes if not low <= note.start_beats < high]


def refusal(stage, address, *arguments) -> str:
    with pytest.raises(AssertionError):
        stage.osc(address, *arguments)
    return stage.refused[-1][2]


def test_bass_only_in_one_section_leaves_every_other_note(live) -> None:
    before, chords = notes_of(live), chords_of(live)
    section = plan_of(live).sections[1]
    do(live, "/cue/only", "bass", section.start_s + 0.5, section.end_s - 0.5)
    after = notes_of(live)
    assert {note.part for note in inside(live, after, section.start_s, section.end_s)} <= {"bass"}
    assert plan_of(live).sections[1].layers == ("bass",) and chords_of(live) == chords
    assert repr(outside(live, after, section.start_s, section.end_s)) == repr(
        outside(live, before, section.start_s, section.end_s)
    )
    do(live, "/cue/undo")
    assert notes_of(live) == before


def test_busier_and_simpler_change_the_sections_that_they_name(live) -> None:
    before, chords = notes_of(live), chords_of(live)
    plan = plan_of(live)
    index = min(range(len(plan.sections)), key=lambda number: plan.sections[number].intensity)
    section = plan.sections[index]
    do(live, "/cue/busier", section.start_s + 0.1)
    assert plan_of(live).sections[index].intensity == section.intensity + 1 and chords_of(live) == chords
    others = lambda sections: [each for number, each in enumerate(sections) if number != index]  # noqa: E731
    assert others(plan_of(live).sections) == others(plan.sections)
    assert repr(outside(live, notes_of(live), section.start_s, section.end_s)) == repr(
        outside(live, before, section.start_s, section.end_s)
    )
    do(live, "/cue/undo")
    do(live, "/cue/simpler", section.start_s + 0.1)
    assert plan_of(live).sections[index].unit_bars == min(2 * section.unit_bars, 8)
    changed = [slot.start_s for slot, old in zip(live.session.document.slots, chords, strict=True) if slot.chord != old]
    assert all(section.start_s - 2.5 <= at_s <= section.end_s for at_s in changed)


def test_another_melody_keeps_every_chord_and_the_form(live) -> None:
    """The accompaniment gives way to the new tune, as to the old one: its chords stay, not each of its notes."""
    before, chords, theme = notes_of(live), chords_of(live), plan_of(live).theme
    layers = [each.layers for each in plan_of(live).sections]
    do(live, "/cue/melody/another")
    assert plan_of(live).theme != theme and chords_of(live) == chords
    assert [each.layers for each in plan_of(live).sections] == layers
    tune = lambda notes: [(note.start_beats, note.pitch) for note in notes if note.part == "melody"]  # noqa: E731
    assert tune(notes_of(live)) != tune(before)
    second = plan_of(live).theme
    do(live, "/cue/melody/another")
    assert plan_of(live).theme not in (theme, second)


def test_a_bar_is_reharmonised_in_the_same_plan(live) -> None:
    plan, before = plan_of(live), live.session.document.slots
    tempo_map, starts_s = live.session.tempo_map, live.session.starts_s
    changed_once = False
    for bar in (3, 4, 5, 6):
        low, high = (tempo_map.seconds_at(float(tempo_map.bar_start(each))) - starts_s for each in (bar, bar + 1))
        do(live, "/cue/reharmonise", low + 0.1)
        assert plan_of(live) == plan
        after = live.session.document.slots
        changed = [new.start_s for new, old in zip(after, before, strict=True) if new.chord != old.chord]
        assert all(low - 1e-6 <= at_s < high for at_s in changed)
        changed_once |= bool(changed)
        do(live, "/cue/undo")
        assert live.session.document.slots == before
    assert changed_once


def test_more_like_this_keeps_the_plan_and_draws_other_chords(live) -> None:
    plan, chords = plan_of(live), chords_of(live)
    number, _ = do(live, "/cue/take/more")
    assert number == 2 and live.osc("/cue/take/like")[0] == 1
    alike = plan_of(live)
    assert (alike.form, alike.ensemble, alike.theme, alike.statements) == (
        plan.form, plan.ensemble, plan.theme, plan.statements,
    )  # fmt: skip
    assert [(each.letter, each.key, each.variant) for each in alike.sections] == [
        (each.letter, each.key, each.variant) for each in plan.sections
    ]
    assert chords_of(live) != chords
    what = live.osc("/cue/take/compare", 1, 2)[2::3]
    assert what == ("chords alike",)
    do(live, "/cue/take/new")
    assert live.osc("/cue/take/like")[0] == 0
    do(live, "/cue/take/select", 1)
    assert plan_of(live) == plan and chords_of(live) == chords


def test_a_theme_is_typed_kept_operated_and_stays_with_other_takes(live) -> None:
    built = plan_of(live).theme
    do(live, "/cue/theme/keep")
    assert parse_theme(live.osc("/cue/theme")[0], built.bar_beats).notes == parse_theme(theme_text(built)).notes
    typed = "1:1.5 5:.5 4:2 | 3:3 2:1"
    do(live, "/cue/theme", typed)
    assert plan_of(live).theme == parse_theme(typed)
    do(live, "/cue/take/new")
    assert plan_of(live).theme == parse_theme(typed)
    do(live, "/cue/theme/operate", "invert")
    assert [note.step for note in plan_of(live).theme.notes] == [0, -4, -3, -2, -1]
    do(live, "/cue/undo")
    assert live.osc("/cue/theme") == (typed,)
    assert "not a note of a theme" in refusal(live, "/cue/theme", "1:1.5 H")
    do(live, "/cue/theme", "")
    assert plan_of(live).theme != parse_theme(typed)


def test_a_theme_is_loaded_from_a_midi_file(live, tmp_path) -> None:
    do(live, "/cue/export", "played.mid")
    live.controls.finish_files()
    live.osc_file("/cue/theme/load", "played.mid")
    live.ready()
    assert plan_of(live).theme.notes and live.osc("/cue/theme")[0]
    shutil.copy(CLIP, tmp_path / "film.wav")
    with pytest.raises(AssertionError, match="neither"):
        live.osc_file("/cue/theme/load", "film.wav")
    assert "not allowed" in refusal(live, "/cue/theme/load", "/etc/hosts.mid")


@pytest.mark.parametrize("ending", ["button", "ring-off", "unresolved"])
def test_an_ending_is_asked_for_and_heard(live, ending) -> None:
    before, plan = notes_of(live), plan_of(live)
    if plan.ending == ending:
        do(live, "/cue/ending", "bump")
    do(live, "/cue/ending", ending)
    assert plan_of(live).ending == ending
    assert plan_of(live).sections == plan.sections
    if ending == "button":  # a short last chord: no other ending has it
        assert notes_of(live) != before
    do(live, "/cue/ending", "tonic")
    assert plan_of(live) == plan and notes_of(live) == before


def test_the_theme_is_stated_where_the_composer_wants_it(live) -> None:
    chords = chords_of(live)
    at_s = plan_of(live).sections[-1].start_s
    do(live, "/cue/theme/state", at_s, "hint")
    rows = live.osc("/cue/theme/statements")
    here = [rows[at : at + 4] for at in range(0, len(rows), 4) if abs(rows[at] - at_s) < 1.5]
    assert here and here[0][2] == "hint" and chords_of(live) == chords
    do(live, "/cue/theme/silent", here[0][0])
    rows = live.osc("/cue/theme/statements")
    assert not [at for at in range(0, len(rows), 4) if abs(rows[at] - at_s) < 1.0]


def test_changes_of_a_plan_outlive_a_fader_and_the_session_file(live) -> None:
    section = plan_of(live).sections[0]
    do(live, "/cue/only", "bass", section.start_s)
    do(live, "/cue/mood/dark_light", -40.0)
    first = plan_of(live).sections[0]
    assert first.layers == ("bass",)
    from bridge.session.file.autosave import saved_state
    from engine.document.file.reading import decode_session
    from engine.document.file.writing import SessionWriter

    again = decode_session(SessionWriter().encode(saved_state(live.session, "0" * 64)))
    document = again.steps[again.index].document
    assert document.plan_edits == live.session.document.plan_edits and document == live.session.document
    do(live, "/cue/take/new")
    assert live.session.document.plan_edits == ()


def test_an_unplanned_cue_says_what_it_needs(tmp_path) -> None:
    with stored.live(str(CLIP), "--form", "none", folder=tmp_path, network=True) as stage:
        for command in (("/cue/simpler", "cue"), ("/cue/only", "bass"), ("/cue/theme/keep",), ("/cue/take/more",)):
            assert "/cue/form" in refusal(stage, *command)
        before = stage.session.document.slots
        do(stage, "/cue/reharmonise", 9.0)
        changed = [new.start_s for new, old in zip(stage.session.document.slots, before, strict=True) if new != old]
        assert changed and all(6.0 < at_s < 12.0 for at_s in changed)


def test_a_theme_is_played_on_the_control_port(live) -> None:
    bpm = live.session.tempo_map.bpm_at(0)
    beat, key = 60 / bpm, live.session.document.result.key
    tonic = 60 + key.tonic
    assert "no theme is being recorded" in refusal(live, "/cue/theme/record", False)
    live.osc("/cue/theme/record", True)
    assert "no note" in refusal(live, "/cue/theme/record", False)
    live.osc("/cue/theme/record", True)
    live.play_on_control_port(
        [(0.0, tonic, 1.4 * beat), (1.5 * beat, tonic + 7, 0.4 * beat), (2 * beat, tonic + 5, 2 * beat)]
    )
    answer = do(live, "/cue/theme/record", False)
    notes = plan_of(live).theme.notes
    assert [(note.start_beats, note.step) for note in notes] == [(0.0, 0), (1.5, 4), (2.0, 3)]
    assert live.osc("/cue/theme") == (answer[1],)
