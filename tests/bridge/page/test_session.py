"""A session and its page: what pages do is what OSC does, and each sees what the other has done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from offlinelab import OfflineStage
from sessionlab import Engine

from bridge.osc.codec import decode
from bridge.page import messages as p
from bridge.page.notes import PlanTiles
from bridge.page.protocol import MOOD_ROW, TILE_S, unpack_tile
from bridge.page.session import SessionPage
from bridge.page.state import PageState
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.music import PARTS, UserError
from engine.process.messages import FilmHeard


class Link:
    """What the server would get; its state and tiles are the server's own."""

    port, fault, pages = 1, "", 0

    def __init__(self) -> None:
        self.sent: list[p.ToServer] = []
        self.state, self.tiles = PageState(), PlanTiles()

    def send(self, message: p.ToServer) -> None:
        self.sent.append(message)
        self.state.take(message)
        if isinstance(message, p.MusicOf):
            self.tiles.place(message.starts_s)

    def take_player_message(self, message: bytes) -> None:
        self.tiles.take(message)

    def last(self, kind: type) -> p.ToServer | None:
        return next((each for each in reversed(self.sent) if isinstance(each, kind)), None)


class Paged:
    """A stage with a page that looks on."""

    def __init__(self, clock) -> None:
        self.stage = OfflineStage(clock, Engine(24.0), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
        self.link, self.films = Link(), []
        self.stage.player.listeners.append(self.link.take_player_message)
        self.page = SessionPage(self.link, self.stage.controls, self.stage.said.append, self.films.append)  # type: ignore[arg-type]
        self._ids = 0
        controls = self.stage.controls
        to_others = controls._send
        controls._send = lambda target, *answer: self.page.answers(target, *answer) or to_others(target, *answer)
        self.page.receive(p.Watching(1, 1))

    def run(self, seconds: float) -> None:
        for _ in range(max(round(seconds / 0.02), 1)):
            self.stage.run(0.02)
            self.page.tick()

    def ready(self) -> None:
        self.stage.ready()
        self.run(0.2)

    def do(self, address: str, *arguments, gesture: str = "", attempt: bool = False, client: int = 2) -> p.Answer:
        self._ids += 1
        self.page.receive(p.Do(client, self._ids, address, arguments, gesture, attempt))
        answer = self.link.last(p.Answer)
        assert isinstance(answer, p.Answer) and (answer.client, answer.id) == (client, self._ids)
        return answer


@pytest.fixture
def paged(clock):
    made = Paged(clock)
    made.ready()
    yield made
    made.stage.close()


def rows(paged: Paged) -> list[p.Row]:
    return list(paged.link.state.lists["chords"])


def test_a_page_begins_with_all_that_can_be_read_and_the_lists(paged) -> None:
    state = paged.link.state
    assert any(isinstance(each, p.Fresh) and each.number == 1 for each in paged.link.sent)
    for address in ("/cue/playhead", "/cue/tempo", "/cue/edits", "/cue/swing"):
        assert address in state.values
    assert [(row[0], row[4]) for row in rows(paged)] == [
        (block.start_s, paged.stage.session.document.chord_name(block.chord))
        for block in paged.stage.session.document.blocks()
    ]
    assert state.lists["bars"][:2] == ((1, 0.0, 4.0, 120.0), (2, 2.0, 4.0, 120.0))
    assert state.film is None or state.film.ready
    film = paged.link.last(p.FilmOf)
    assert isinstance(film, p.FilmOf) and film.ready and film.duration_s == 24.0 and max(film.motion, default=1) <= 1
    mood = list(MOOD_ROW.iter_unpack(state.mood_rows))
    assert len(mood) == len(paged.stage.session.document.result.slots) and abs(sum(mood[0][2:8]) - 1) < 1e-5


def test_the_mood_is_sent_as_seen_and_with_the_faders(paged) -> None:
    """A slot on a fader's side of the picture: what was seen stays."""
    session = paged.stage.session
    assert session.analysed is not None
    seen = tuple((1.0, 0.0, 0.0, 0.0, 0.0, 0.0) for _ in range(24))
    session.film.analysed = replace(session.analysed, affect=seen)
    paged.run(0.1)
    rows = list(MOOD_ROW.iter_unpack(paged.link.state.mood_rows))
    for row, slot in zip(rows, session.document.result.slots, strict=True):
        assert row[2:8] == (1.0, 0.0, 0.0, 0.0, 0.0, 0.0) and row[8:] == pytest.approx(slot.affect)


def test_an_edit_of_a_page_is_one_of_osc(paged, clock) -> None:
    stage = paged.stage
    before = stage.session.document
    at_s = rows(paged)[3][0]
    answer = paged.do("/cue/chords/pin", "E7", at_s)
    assert answer.values is not None and answer.values[0] == "E7" and answer.heard_s == answer.values[-1]
    by_page = stage.session.document
    assert stage.session.log.last.who == "page 2"
    stage.osc("/cue/undo")
    assert stage.session.document == before
    stage.osc("/cue/chords/pin", "E7", at_s)
    assert stage.session.document == by_page
    stage.ready()
    paged.run(0.1)
    edited = paged.link.last(p.Edited)
    assert isinstance(edited, p.Edited) and edited.by.startswith("osc 127.0.0.1")
    assert next(row for row in rows(paged) if row[0] == at_s)[4:6] == ("E7", "typed")


def test_a_gesture_is_one_step_of_undo(paged) -> None:
    history = paged.stage.session.history
    before = history.undo_count
    for value in (51.0, 55.0, 60.0):
        paged.do("/cue/swing", value, gesture="d1")
        paged.run(1.2)  # longer than what a fader's moves are merged within
    paged.do("/cue/swing", 61.0, gesture="d2")
    assert history.undo_count == before + 2
    paged.stage.osc("/cue/undo")
    assert paged.stage.session.document.number_of("/cue/swing") == 60.0
    paged.stage.osc("/cue/undo")
    assert paged.stage.session.document.number_of("/cue/swing") == 50.0


def test_what_is_only_tried_changes_nothing(paged) -> None:
    at_s = rows(paged)[3][0]
    before = paged.stage.session.document
    answer = paged.do("/cue/chords/move", at_s, at_s + 0.5, attempt=True)
    assert answer.values is not None and answer.heard_s is not None
    assert paged.stage.session.document is before
    refused = paged.do("/cue/chords/pin", "E7x", at_s, attempt=True)
    assert refused.values is None and refused.code == "bad_value" and "E7x" in refused.sentence


def test_refusals_are_those_of_osc(paged) -> None:
    for address, arguments in (("/cue/chords/pin", ("E7x", 1.0)), ("/cue/none", ()), ("/cue/swing", ("x",))):
        refused = paged.do(address, *arguments)
        with pytest.raises(AssertionError):
            paged.stage.osc(address, *arguments)
        assert (refused.code, refused.sentence) == paged.stage.refused[-1][1:]


def test_why_a_chord_is_there_is_answered_whether_that_is_known_at_once_or_not(paged) -> None:
    first, second = paged.stage.session.document.blocks()[1:3]
    paged.do("/cue/chords/pin", "E7", second.start_s)
    paged.ready()
    for number, (block, words) in enumerate([(first, "was composed."), (second, "You wrote E7 here.")], start=100):
        paged.page.receive(p.Do(2, number, "/cue/why", (block.start_s,), "", False))
        paged.run(3.0)
        (answer,) = [each for each in paged.link.sent if isinstance(each, p.Answer) and each.id == number]
        assert not answer.late and words in " ".join(map(str, answer.values or ()))


def test_an_osc_client_sees_a_page_s_edit_within_a_tenth_of_a_second_and_the_page_sees_osc_s(paged, clock) -> None:
    stage = paged.stage
    stage.osc("/cue/subscribe", "/cue/swing")
    paged.run(0.3)
    stage.pushed.clear()
    paged.do("/cue/swing", 57.0)
    begun_s = clock.now()
    while not any(message.arguments == (57.0,) for data in stage.pushed for message in decode(data)):
        paged.run(0.02)
        assert clock.now() - begun_s <= 0.1
    stage.osc("/cue/swing", 58.0)
    begun_s = clock.now()
    while paged.link.state.values["/cue/swing"] != (58.0,):
        paged.run(0.02)
        assert clock.now() - begun_s <= 0.12  # read at most every tenth of a second, in turns of 20 ms


def test_the_tiles_are_the_notes_of_the_plan(paged) -> None:
    stage = paged.stage
    stage.osc("/cue/play")
    paged.run(3.0)
    paged.do("/cue/transpose", 2)
    paged.run(1.0)
    stage.osc("/cue/stop")
    paged.do("/cue/chords/pin", "Ebm", rows(paged)[8][0])
    paged.ready()
    paged.link.tiles.publish(quiet=True)
    found = set()
    for number in range(4):
        data = paged.link.tiles.tile(paged.link.tiles.revision, number)
        assert data is not None
        for start_s, length_s, part, pitch, velocity, channel in unpack_tile(data)[2]:
            if start_s >= number * TILE_S - 1e-6:
                found.add((round(start_s, 4), PARTS[part], pitch, velocity, channel, length_s))
    session = stage.session
    wanted = {
        (
            round(session.picture_at(note.start_beats), 4), note.part, note.pitch, note.velocity, note.channel,
            session.picture_at(note.end_beats) - session.picture_at(note.start_beats),
        )
        for note in session.plan.notes
    }  # fmt: skip
    assert len(found) == len(wanted) > 50
    for tiled, planned in zip(sorted(found), sorted(wanted), strict=True):
        assert tiled[:5] == planned[:5] and abs(tiled[5] - planned[5]) < 1e-5


def test_nothing_is_read_while_no_page_looks_on(paged) -> None:
    paged.page.receive(p.Watching(0, 2))
    paged.run(0.1)
    paged.link.sent.clear()
    paged.stage.osc("/cue/swing", 66.0)
    paged.run(0.5)
    assert not paged.link.sent
    paged.page.receive(p.Watching(1, 3))
    paged.run(0.02)
    assert paged.link.state.values["/cue/swing"] == (66.0,)
    assert isinstance(paged.link.sent[-1], p.Fresh)


def test_a_film_chosen_in_a_page_is_taken_or_refused(paged) -> None:
    paged.page.receive(p.ChooseFilm(0, 5, "/films/h.mov", "h.mov"))
    assert paged.films == [Path("/films/h.mov")] and paged.link.last(p.Answer) == p.Answer(0, 5, ("h.mov",))

    def refuse(path: Path) -> None:
        raise UserError("h.mov has no picture.")

    paged.page.commands._choose_film = refuse
    paged.page.receive(p.ChooseFilm(0, 6, "/films/h.mov", "h.mov"))
    answer = paged.link.last(p.Answer)
    assert isinstance(answer, p.Answer) and answer.values is None and answer.sentence == "h.mov has no picture."


def test_what_is_heard_in_the_film_is_a_list_beside_the_lines(paged) -> None:
    paged.run(0.2)
    assert paged.link.state.lists["heard"] == ()
    revision = paged.stage.session.film._revision
    paged.stage.session.on_engine(FilmHeard(revision, ((1.0, 2.0),), ((0.5, 9.0),), (-20.0,)))
    paged.run(0.2)
    assert paged.link.state.lists["heard"] == ((0.5, 9.0, "music"), (1.0, 2.0, "speech"))
    assert paged.link.state.lists["dialogue"] == (), "what is only heard changes no setting"
    paged.stage.session.on_engine(FilmHeard(revision - 7, None, ((3.0, 9.0),)))
    paged.run(0.2)
    assert len(paged.link.state.lists["heard"]) == 2, "of another film"


def test_lines_of_speech_are_a_list_of_their_own(paged) -> None:
    paged.do("/cue/speech", "12.5-14 3-4.25")
    paged.run(0.2)
    assert paged.link.state.lists["dialogue"] == ((3.0, 4.25, "speech"), (12.5, 14.0, "speech"))
    paged.do("/cue/undo")
    paged.run(0.2)
    assert paged.link.state.lists["dialogue"] == ()
