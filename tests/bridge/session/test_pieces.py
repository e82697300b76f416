"""Edits that take long in a long film: over several turns, whoever makes them, and with the same result as in one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offlinelab import ASKER, OfflineStage
from profiles import examples
from sessionlab import Engine

from bridge.daw.link import DawInfo
from bridge.daw.names import read_name
from bridge.osc.codec import Message, decode, encode
from bridge.osc.server import Datagram
from bridge.player.messages import Touch
from bridge.session.edits.markers import _merged, _moved
from bridge.session.edits.marks import SAME_S, cuts_without_hit
from bridge.session.edits.values import set_value
from bridge.session.pieces import TRIES
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.music import Hit, TempoMap
from engine.music.arguments import ControlError

PAGE = ("page 1", 7)
DAW = DawInfo("a DAW", "1", "1", 1, ("127.0.0.1", 9), frozenset())


@pytest.fixture
def stage(clock, monkeypatch):
    """A film of 24 s that counts as a long one."""
    monkeypatch.setattr("bridge.session.tempo.PIECE_SLOTS", 3)
    made: list[OfflineStage] = []

    def make(**options) -> OfflineStage:
        made.append(OfflineStage(clock, Engine(24.0), SessionOptions("film.mp4", tempo=Brief(bpm=120), **options)))
        made[-1].ready()
        return made[-1]

    yield make
    for each in made:
        each.close()


def asked_by_page(made: OfflineStage, address: str, *values, budget_s: float) -> list:
    found: list = []
    made.controls.ask(
        Message(address, values),
        PAGE,
        lambda replies, heard_s: found.append((replies, heard_s)),
        lambda error: found.append(str(error)),
        budget_s=budget_s,
    )
    return found


def turns(made: OfflineStage) -> int:
    """Goes on with what is half done, a step each turn."""
    count = 1
    while made.controls.busy:
        made.session.tick()
        made.controls.go_on(0.0)
        count += 1
    return count


REGRIDS = [
    ("/cue/tempo", 93.0), ("/cue/tempo", "film"), ("/cue/bar_1", 1.25), ("/cue/picture_starts_at", "01:00:00:00"),
    ("/cue/sections/add", 12.0, "tempo=140; meter=3/4"), ("/cue/cues/add", 12.0), ("/cue/lock", "all"),
]  # fmt: skip


@pytest.mark.parametrize("asked", REGRIDS)
@pytest.mark.parametrize("way", ["page", "osc"])
def test_what_grows_with_the_film_takes_several_turns_and_gives_the_same(stage, way, asked) -> None:
    whole, pieces = stage(), stage()
    (address, *values), before = asked, pieces.session.document
    at_once = asked_by_page(whole, address, *values, budget_s=math.inf)
    assert not whole.controls.busy and not isinstance(at_once[0], str)
    if way == "page":
        found = asked_by_page(pieces, address, *values, budget_s=0.0)
        assert not found and pieces.controls.busy, "it was done in one turn"
    else:
        pieces.controls.datagram(Datagram(decode(encode(address, values)), ASKER, 0.0), budget_s=0.0)
    assert pieces.session.held and pieces.session.document is before
    assert turns(pieces) > 3 and pieces.session.refits is None and not pieces.session.held
    one, other = whole.session.document, pieces.session.document
    assert (other.result.slots, other.locks, other.settings) == (one.result.slots, one.locks, one.settings)
    assert other.sections == one.sections and other.cue_states == one.cue_states
    if way == "page":
        assert found == at_once


def test_a_page_hears_from_when_its_own_edit_counts_and_not_another_that_came_between(stage) -> None:
    made = stage()
    found = asked_by_page(made, "/cue/try", "/cue/tempo", 93.0, budget_s=0.0)
    made.session.edit(set_value, "/cue/transpose", 2)  # by a key, while it is half done
    turns(made)
    assert found[0][1] is None  # nothing was changed by what was only tried
    found = asked_by_page(made, "/cue/tempo", 1e9, budget_s=0.0)
    turns(made)
    assert "20 to 400" in found[0]


def test_music_that_changes_under_the_pieces_is_what_they_are_made_of_in_the_end(stage) -> None:
    made, plain = stage(), stage()
    asked_by_page(made, "/cue/tempo", 93.0, budget_s=0.0)
    others = [101.0 + number for number in range(TRIES + 2)]
    for bpm in others:  # more often than it is tried
        made.controls.go_on(0.0)
        made.session.edit(set_value, "/cue/tempo", bpm)
    turns(made)
    for bpm in (*others, 93.0):
        plain.session.edit(set_value, "/cue/tempo", bpm)
    assert made.session.document.result.slots == plain.session.document.result.slots
    assert made.session.document.value("/cue/tempo") == 93.0


def test_a_fader_that_works_the_tempo_goes_through_the_same_pieces(stage) -> None:
    made, plain = stage(), stage()
    made.controls.midi.learn.set_pickup(False)
    made.osc("/cue/learn", "/cue/tempo")
    now_s = made.clock.now()
    made.player._touched.extend(Touch(now_s, bytes((0xB0, 20, value))) for value in (3, 40))
    made.controls.touched(now_s, 0.0)
    before = made.session.document
    assert made.controls.busy
    turns(made)
    bpm = made.session.document.value("/cue/tempo")
    assert made.session.document is not before and made.session.log.last.who == "controller"
    plain.session.edit(set_value, "/cue/tempo", bpm)
    assert made.session.document.result.slots == plain.session.document.result.slots


def test_a_daws_map_is_followed_in_pieces_and_only_between_edits(stage, monkeypatch) -> None:
    made, plain = stage(), stage()
    first, second = TempoMap.constant(97), TempoMap.constant(88)
    plain.session.use_daw_map(second, "the DAW")
    monkeypatch.setattr("bridge.session.film_session.FOLLOW_S", 1e-9)
    asked_by_page(made, "/cue/tempo", 101.0, budget_s=0.0)
    made.session.use_daw_map(first, "the DAW")
    made.session.tick()
    assert made.session.document.result.tempo_map != first
    turns(made)  # the edit is whole
    made.session.use_daw_map(second, "the DAW")
    count = 0
    while made.session.document.result.tempo_map != second:
        made.session.tick()
        count += 1
        assert count < 200
    assert count > 3
    monkeypatch.undo()
    made.ready()
    assert made.session.tempo_map == second
    at = [(slot.start_s, slot.end_s) for slot in made.session.document.result.slots]
    assert at == [(slot.start_s, slot.end_s) for slot in plain.session.document.result.slots]


def test_a_region_of_a_daw_waits_for_an_edit_that_is_half_done(stage) -> None:
    made = stage()
    asked_by_page(made, "/cue/tempo", 101.0, budget_s=0.0)
    made.daw.names(DAW, (read_name("section: tempo=140", 12.0 + made.session.starts_s, None),))
    for _ in range(5):
        made.daw.tick(made.clock.now())
    assert not made.session.document.sections
    turns(made)
    made.run(1.0)
    assert [section.start_s for section in made.session.document.sections] == [pytest.approx(12.0, abs=0.1)]
    assert made.session.tempo_map.bpm_at(made.session.beats_at(15.0)) == pytest.approx(140.0)


def test_an_edit_outside_pieces_is_made_in_one(stage) -> None:
    made = stage()
    made.session.edit(set_value, "/cue/tempo", 93.0)
    assert made.session.document.result.slots and made.session.document.result.tempo_map.bpm_at(0) == 93.0
    with pytest.raises(ControlError):
        made.session.edit(set_value, "/cue/tempo", 1e9)


TIMES = st.lists(st.integers(0, 60).map(lambda n: n / 100), max_size=12)
NAMES = st.sampled_from(["", "a", "b", "c", "d"])
HITS = st.lists(st.builds(Hit, st.integers(0, 60).map(lambda n: n / 100), st.just("must"), NAMES), max_size=10)


@given(HITS, HITS)
@examples(200)
def test_a_newer_list_of_markers_is_merged_as_each_with_each_would_be(old, new) -> None:
    names = [hit.name for hit in old], [hit.name for hit in new]
    moved = {name for name in names[1] if name and names[0].count(name) == 1 == names[1].count(name)}
    assert _moved(*names) == moved
    left = [hit for hit in old if hit.name not in moved and all(abs(hit.time_s - each.time_s) > SAME_S for each in new)]
    assert _merged(tuple(old), tuple(new)) == tuple(sorted((*left, *new), key=lambda hit: hit.time_s))


def test_a_cut_at_which_there_is_a_hit_is_found_however_many_there_are(stage) -> None:
    session = stage().session
    cuts = session.analysed.cuts
    for off_s, left in ((0.0, 0), (SAME_S * 0.9, 0), (-SAME_S * 0.9, 0), (SAME_S * 1.1, 3), (-SAME_S * 1.1, 3)):
        hits = tuple(Hit(cut.time_s + off_s, "must") for cut in cuts)
        document = replace(session.document, hits=(Hit(0.0, "must"), *hits, Hit(23.0, "must")))
        assert len(cuts_without_hit(document, session.now(), 0.0)) == left, off_s
