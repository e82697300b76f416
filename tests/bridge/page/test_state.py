"""The state that pages begin with, and the splices that keep it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.page import messages as p
from bridge.page.state import PageState, splice

ROWS = st.lists(st.tuples(st.integers(0, 3)), max_size=8).map(tuple)


@given(ROWS, ROWS)
def test_a_splice_turns_one_list_into_the_other(before, after) -> None:
    rows = list(before)
    for message in splice("chords", before, after):
        at = message["at"]
        rows[at : at + message["delete"]] = message["rows"]
    assert tuple(rows) == after
    assert bool(splice("chords", before, after)) == (before != after)


def test_messages_of_the_bridge_become_messages_of_the_socket() -> None:
    state = PageState("1")
    assert state.whole(0)["phase"] == "empty" and state.whole(0)["film"] is None
    assert state.take(p.Values(9.0, (("/cue/tempo", (96.0,)),))) == [{"set": "/cue/tempo", "args": (96.0,), "t": 9.0}]
    assert state.whole(3)["values"] == {"/cue/tempo": (96.0,)} and state.whole(3)["plan"]["revision"] == 3
    state.film = p.FilmOf("/f/h.mov", "h.mov")
    assert state.whole(0)["phase"] == "film"
    (said,) = state.take(p.Edited(1.0, "pin E7", "keys", 2.5))
    assert said["by"] == "keys" and said["heard"] == 2.5
    assert state.take(p.MoodOf(b"")) == [{"mood": 1}]
    for number in range(300):
        state.take(p.Said(0.0, str(number)))
    assert len(state.whole(0)["log"]) == 200
    assert state.take(p.MusicOf(daw=True))[0]["sound"]["daw"] is True
    assert state.take(p.MusicOf(daw=True, end_s=3.0)) == []
