"""Arranging a long film beside the session: the change is there at once where it is heard, and the rest comes right."""

from __future__ import annotations

import time

import pytest

from bridge.session.background import ROOM_S, BackgroundPlan, PlanJob, sliced
from bridge.session.plan import SMALL_SLOTS, Load, Plan
from engine.arrange import film_levels
from engine.arrange.rhythm import build_grid
from engine.arrange.score import arrange_whole
from engine.document import Document, Pin, Result
from engine.music import Chord, Controller, Film, FrameRate, Hit, Note, Slot, TempoMap
from engine.process.messages import FilmAnalysed

TEMPO = TempoMap.constant(90)
NAMES = ("C", "Am", "F", "G", "Dm7", "E7")
SECONDS = 480.0
FILM = FilmAnalysed(1, Film("f.mp4", SECONDS, FrameRate.parse("24")), (), "quick", "", (0.0,) * 5 + (1.0,), ())


def made_slots():
    return tuple(
        Slot(
            place.index, place.start_s, place.end_s, place.start_beats, place.end_beats,
            Chord.parse(NAMES[place.index // 2 % len(NAMES)]), density=4 + place.index % 17,
            loudness=0.05 + place.index % 7 / 30,
        )
        for place in build_grid("beats", TEMPO, SECONDS)
    )  # fmt: skip


SLOTS = made_slots()
LEVELS = film_levels(SLOTS)


def job(takeover=None, **changes):
    document = Document(result=Result(slots=SLOTS, tempo_map=TEMPO, complete=True, levels=LEVELS))
    for address, value in changes.pop("settings", {}).items():
        document = document.with_value(address, value)
    from dataclasses import replace

    return PlanJob(replace(document, **changes), FILM, LEVELS, takeover, {})


def settle(desk, position=None):
    loads, end = [], time.perf_counter() + 60
    while desk.busy:
        assert time.perf_counter() < end
        loads += [load for load, _ in desk.work(0.02, position, None)]
        time.sleep(0.001)
    return loads


@pytest.fixture
def desk():
    desk = BackgroundPlan()
    assert len(SLOTS) > SMALL_SLOTS
    desk.update(job())
    settle(desk)
    yield desk
    desk.close()


def key(notes):
    return sorted(notes, key=lambda note: (note.start_beats, note.channel, note.pitch))


def held(loads):
    kept: list = []
    for load in loads:
        kept = [note for note in kept if note.start_beats < load.from_beats - 1e-6]
        kept += [note for note in load.notes if note.start_beats >= load.from_beats - 1e-6]
    return kept


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"/cue/activity": 90.0}},
        {"settings": {"/cue/transpose": 3}},
        {"pins": (Pin(400.0, 401.5, Chord.parse("Ebm")),)},
        {"hits": (Hit(200.3), Hit(402.1))},
    ],
    ids=["activity", "transpose", "pin", "hits"],
)
def test_the_window_comes_first_and_the_whole_is_what_arranging_in_one_go_gives(desk, change) -> None:
    takeover = TEMPO.beats_at(396.0)
    changed = job(takeover, **change)
    desk.update(changed)
    loads = settle(desk, takeover - 1.0)
    whole = arrange_whole(changed.score()).notes
    assert key(desk.plan.notes) == key(whole)
    assert loads[0].from_beats == pytest.approx(takeover)
    shape = lambda notes: sorted((n.start_beats, n.channel) for n in notes if n.part in ("arp", "bass", "pad"))  # noqa: E731
    until = takeover + 60
    window = loads[:1]  # in pieces, each from a later beat on
    for load in loads[1:]:
        if load.from_beats <= window[-1].from_beats or load.from_beats >= until:
            break
        window.append(load)
    edges = [load.from_beats for load in window[1:]] + [until]
    due = [
        note
        for load, high in zip(window, edges, strict=True)
        for note in load.notes
        if load.from_beats - 1e-9 <= note.start_beats < high
    ]
    assert due and shape(due) == shape([note for note in whole if takeover <= note.start_beats < until])
    after = [note for note in held(loads) if note.start_beats >= takeover]
    assert shape(after) == shape([note for note in whole if note.start_beats >= takeover])  # and all that follows


def test_two_hundred_changes_are_one(desk) -> None:
    takeover = TEMPO.beats_at(240.0)
    for value in range(200):
        last = job(takeover, settings={"/cue/activity": value / 2})
        desk.update(last)
    settle(desk, takeover - 1.0)
    assert key(desk.plan.notes) == key(arrange_whole(last.score()).notes)


def test_while_nothing_plays_the_player_gets_the_new_music_from_the_beginning(desk) -> None:
    changed = job(None, settings={"/cue/part/drums/on": False})
    desk.update(changed)
    assert key(held(settle(desk))) == key(arrange_whole(changed.score()).notes)


def sound(notes, low, high):
    return sorted(
        (n.start_beats, n.channel) for n in notes if low <= n.start_beats < high and n.part in ("arp", "bass")
    )


def test_a_second_change_further_on_leaves_no_hole_where_the_first_was_not_handed_out(desk) -> None:
    near, far = TEMPO.beats_at(60.0), TEMPO.beats_at(430.0)
    desk.update(job(near, settings={"/cue/activity": 90.0}))
    loads, end = [], time.perf_counter() + 30
    while not loads or desk.arranging or len(desk._out) < 3:  # its window is out, slices of the rest wait
        assert time.perf_counter() < end
        if not loads:
            loads += [load for load, _ in desk.work(0.02, near - 1.0, None)]
        time.sleep(0.001)
    last = job(far, settings={"/cue/activity": 90.0}, pins=(Pin(440.0, 441.5, Chord.parse("Ebm")),))
    desk.update(last)
    loads += settle(desk, near + 1.0)
    whole = arrange_whole(last.score()).notes
    assert sound(held(loads), near, 1e9) == sound(whole, near, 1e9)


def test_what_the_player_lacks_is_handed_out_again_where_all_is_being_arranged_anew() -> None:
    """A second change comes while only what the first has just ahead of the playhead is arranged, nothing before."""
    plan, position = Plan(), TEMPO.beats_at(60.0)

    def handed(until: float = 1e9) -> list[Load]:
        loads: list[Load] = []
        while plan.busy and plan.planned_to_beats < until:
            loads += plan.work(0.002, position)
        return loads

    plan.update(job().score(), None)
    handed()
    changed = job(settings={"/cue/activity": 90.0})
    plan.update(changed.score(), 184.0)
    plan.planned_to_beats = position
    handed(200.0)
    assert plan.busy and plan.planned_to_beats < 300.0
    last = job(settings={"/cue/activity": 90.0}, pins=(Pin(440.0, 441.5, Chord.parse("Ebm")),))
    plan.update(last.score(), TEMPO.beats_at(430.0))
    plan.hand_over_again(112.0)
    again = held(handed())  # a window's pieces from 112 on were lost on their way
    whole = arrange_whole(last.score()).notes
    assert sound(again, 112.0, 1e9) == sound(whole, 112.0, 1e9)


def test_changes_of_tempo_one_after_another_are_heard_where_the_playhead_is(desk) -> None:
    from dataclasses import replace

    def at(bpm):
        tempo_map = TempoMap.constant(bpm)
        slots = tuple(
            replace(slot, start_beats=tempo_map.beats_at(slot.start_s), end_beats=tempo_map.beats_at(slot.end_s))
            for slot in SLOTS
        )
        document = Document(result=Result(slots=slots, tempo_map=tempo_map, complete=True, levels=LEVELS))
        return PlanJob(document, FILM, LEVELS, tempo_map.beats_at(400.0), {})

    desk.update(at(45))
    desk.update(at(120))
    last = at(180)
    desk.update(last)
    loads = settle(desk, last.takeover_beats - 1.0)
    assert loads[0].from_beats == pytest.approx(last.takeover_beats)


def test_what_goes_wrong_beside_the_session_is_said_and_the_next_change_is_heard(desk) -> None:
    from dataclasses import replace

    class Broken(dict):
        def get(self, *key):
            raise RuntimeError("a fault")

    takeover = TEMPO.beats_at(396.0)
    desk.update(replace(job(takeover, settings={"/cue/activity": 90.0}), takes=Broken()))
    assert settle(desk, takeover - 1.0) == []
    assert all("a fault" in sentence and "plays on" in sentence for sentence in desk.faults())
    assert desk.whole() is None
    changed = job(takeover, settings={"/cue/activity": 80.0})
    desk.update(changed)
    assert sound(held(settle(desk, takeover - 1.0)), takeover, 1e9) == sound(
        arrange_whole(changed.score()).notes, takeover, 1e9
    )


def test_the_whole_gives_way_to_a_turn_of_the_session(desk, monkeypatch) -> None:
    monkeypatch.setattr("bridge.session.background.GIVE_WAY_S", 60.0)
    desk.update(job(settings={"/cue/activity": 90.0}))
    end = time.perf_counter() + 60
    while not 1 < len(desk.plan._todo) < 80:  # of 90
        assert time.perf_counter() < end
        desk.work(0.02, None, None)
    with desk.turn():
        left = len(desk.plan._todo)
        time.sleep(0.4)
        assert left - 1 <= len(desk.plan._todo) <= left  # the block that was under way
    settle(desk)
    assert key(desk.plan.notes) == key(arrange_whole(job(settings={"/cue/activity": 90.0}).score()).notes)


def test_a_turn_that_never_ends_holds_nothing_up_for_ever(desk, monkeypatch) -> None:
    monkeypatch.setattr("bridge.session.background.GIVE_WAY_S", 0.002)
    with desk.turn():
        desk.update(job(settings={"/cue/activity": 90.0}))
        settle(desk)
    assert desk.complete


def test_a_window_is_handed_over_in_pieces_and_no_note_that_rings_is_cut() -> None:
    notes = tuple(Note(60 + n % 12, 80, n / 4, 0.2 if n % 5 else 9.0, 1, "pad") for n in range(400))
    curves = tuple(Controller(11, n % 128, n / 3, 1, "pad") for n in range(300))
    load = Load(2.0, tuple(note for note in notes if note.end_beats > 2.0), curves[6:])
    pieces = list(sliced(load, 100))
    assert len(pieces) > 5 and pieces[0].from_beats == 2.0
    heard: list[Note] = []
    for piece in pieces:  # each takes the place of all that begins or still sounds from its beat on
        low = piece.from_beats
        heard = [note for note in heard if note.end_beats <= low] + list(piece.notes)
        assert sum(note.start_beats >= low for note in piece.notes) + len(piece.controllers) <= 101
    assert sorted(heard, key=lambda note: (note.start_beats, note.pitch)) == sorted(
        load.notes, key=lambda note: (note.start_beats, note.pitch)
    )
    assert [each for piece in pieces for each in piece.controllers] == list(load.controllers)
    assert list(sliced(load, 10_000)) == [load]


def work_for(seconds: float) -> None:
    """Of this thread's processor time."""
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


def test_a_turn_that_has_done_much_leaves_to_the_next_what_can_wait_but_not_for_ever(desk) -> None:
    with desk.turn():
        assert not desk.puts_off("load")
        work_for(2 * ROOM_S)
        assert desk.puts_off("load") and desk.puts_off("push", 2)
    with desk.turn():
        assert not desk.puts_off("load")  # this one has room
        work_for(2 * ROOM_S)
        assert desk.puts_off("push", 2)
    with desk.turn():
        work_for(2 * ROOM_S)
        assert not desk.puts_off("push", 2) and desk.puts_off("load") and not desk.puts_off("load")
    assert not desk.puts_off("load")  # outside a turn nobody waits


def test_a_short_film_is_loaded_in_its_turn() -> None:
    desk = BackgroundPlan()
    with desk.turn():
        work_for(2 * ROOM_S)
        assert not desk.puts_off("load")


def test_a_slice_holds_of_what_lies_before_it_only_the_values_that_are_in_force(desk) -> None:
    """Controllers of the blocks from which notes still ring are a multiple of its own."""
    desk.update(job(settings={"/cue/activity": 90.0}))
    loads = settle(desk)
    stated = {}
    for load in loads:
        before = [each for each in load.controllers if each.time_beats < load.from_beats]
        names = [(each.part, each.channel, each.number) for each in before]
        assert len(set(names)) == len(names)
        for name, each in zip(names, before, strict=True):
            assert stated[name] == each.value
        stated |= {(each.part, each.channel, each.number): each.value for each in load.controllers}
    assert len(loads) > 5 and len(stated) > 2
