"""From a wish to the music that plays: bursts, answers that are too old or too late, and how soon is promised."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace

from bridge.controls.dispatch import Controls
from bridge.osc.codec import decode, encode
from bridge.osc.server import Datagram
from bridge.session.composing import FIRST_GUESS_S, TO_PLAYER_S, Composing
from bridge.session.edits.values import set_value
from bridge.session.history import History
from bridge.session.now import Now
from engine.music import Chord, Key, Slot
from engine.process.messages import Composed, SlotsComposed


def test_an_answer_to_an_older_request_is_nobodys(stage) -> None:
    made = stage(24.0)
    session = made.session
    made.engine.hold = True
    session.edit(set_value, "/cue/progression", "F#")
    made.run(0.1)
    session.edit(set_value, "/cue/progression", "Dm")
    made.run(0.1)
    old, new = made.engine.requests[-2:]
    assert new.revision > old.revision
    before = session.document.result
    for message in made.engine.inbox:
        if message.revision == old.revision:
            assert isinstance(message, (SlotsComposed, Composed))
            session.on_engine(message)
    assert session.document.result is before
    made.engine.hold = False
    made.ready()
    assert {slot.chord for slot in session.document.slots[:2]} == {Chord.parse("Dm")}


def test_two_hundred_changes_in_a_second_while_it_plays(stage) -> None:
    """One composition; one more where a bar line passes meanwhile, which is not to be missed."""
    made = stage(40.0)
    session = made.session
    session.play()
    made.until(lambda: session.position_s() > 0.3)
    asked = len(made.engine.requests)
    began = time.perf_counter()
    for number in range(200):
        session.edit(set_value, "/cue/mood/dark_light", float(number % 100))
        made.step()
        made.pause(max(began + (number + 1) / 200 - time.perf_counter(), 0))
    made.run(0.3)
    made.ready()
    assert 1 <= len(made.engine.requests) - asked <= 2
    assert made.engine.requests[-1].options.dark_light == 99.0


def test_a_late_answer_to_a_chord_waits_for_the_next_chord_not_for_the_bar(stage) -> None:
    made = stage(30.0)
    session = made.session
    session.edit(set_value, "/cue/progression", "C:1/2 G:1/2")
    session.edit(set_value, "/cue/progression/mode", "loop")
    made.run(0.2)
    made.ready()
    session.play()
    made.until(lambda: session.position_s() > 0.3)
    made.engine.hold = True
    heard_s = session.edit(set_value, "/cue/mood/dark_light", 50.0, "chord")
    assert heard_s == 1.0  # in the middle of a bar of two seconds
    made.until(lambda: session.position_s() > heard_s - session.options.commit_s + 0.005)
    made.engine.hold = False
    made.until(
        lambda: (
            session.document.result.complete
            and session.composing.queued is None
            and session.composing.in_flight is None
        )
    )
    assert any("longer than the chord" in sentence and "from 2.00 s" in sentence for sentence in made.said), made.said


def test_how_soon_is_promised_follows_from_what_was_measured() -> None:
    desk, history = Composing(), History()
    assert desk.lead_s == FIRST_GUESS_S + TO_PLAYER_S
    slots = tuple(_slot(index) for index in range(4))
    history.amend(replace(history.document, result=replace(history.document.result, slots=slots)))

    def answered(took_s: float, from_s: float | None) -> None:
        desk.ask(0.0, from_s, "a change")
        request = desk.request(history, 10.0)
        part = SlotsComposed(request.revision, (_slot(len(request.keep)),), Key.parse("C"), "", 0.5, ())
        desk.slots_composed(part, history, Now(host_s=10.0 + took_s), 0.06)

    answered(5.0, None)  # the first composition of all says nothing of changes
    assert desk.first_chord_s == FIRST_GUESS_S
    for _ in range(20):
        answered(0.02, 2.0)
    assert desk.first_chord_s < 0.021
    answered(0.9, 2.0)  # one hiccup is not what has to be expected …
    assert desk.first_chord_s < 0.021
    answered(0.9, 2.0)  # … but several are
    answered(0.9, 2.0)
    assert desk.first_chord_s > 0.8


def _slot(index: int) -> Slot:
    chord = Chord.parse("C")
    return Slot(index, index * 1.0, index + 1.0, index * 2.0, index * 2.0 + 2.0, chord, density=8.0, loudness=0.2)


def test_an_answer_belongs_to_the_document_it_was_asked_for(stage) -> None:
    """Between an edit and its own request the answer to the one before comes: it is not this edit's."""
    made = stage(24.0)
    session = made.session
    before = session.document.result
    made.engine.hold = True
    session.edit(set_value, "/cue/progression", "F#")
    made.run(0.1)
    asked_for = session.history.id
    session.edit(set_value, "/cue/transpose", 2)
    for message in made.engine.inbox:
        session.on_engine(message)
    assert session.document.result is before and session.document.value("/cue/transpose") == 2
    answered = session.history.document_of(asked_for)
    assert answered.result.complete and {slot.chord for slot in answered.slots[:2]} == {Chord.parse("F#")}
    made.engine.inbox.clear()
    made.engine.hold = False
    made.ready()
    assert {slot.chord for slot in session.document.slots[:2]} == {Chord.parse("F#")}
    session.undo()
    assert session.document.slots == answered.slots


class Asked:
    """What a client hears of a session, its promises included."""

    def __init__(self, made) -> None:
        self._made = made
        self.answers: list[tuple[str, tuple]] = []
        self._controls = Controls(
            made.session, lambda to, address, values: self.answers.append((address, values)), print
        )

    def say(self, address: str, *arguments) -> tuple:
        datagram = Datagram(decode(encode(address, arguments)), ("127.0.0.1", 5555), self._made.session.clock.now())
        self._controls.datagram(datagram)
        return self.answers[-1][1]

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self._made.run(0.02)
            self._controls.push(lambda target, data: None)


def test_a_promise_that_could_not_be_kept_is_corrected_once(stage, clock) -> None:
    """The session is held up after its answer: the notes are with the player later than was said."""
    made = stage(24.0)
    session, client = made.session, Asked(made)
    session.play()
    made.until(lambda: session.position_s() > 2.0)
    _, promised_s = client.say("/cue/transpose", 2)
    assert promised_s > session.position_s()
    session.player.run_until(clock.now() + 0.4)
    client.run(0.5)
    first, correction = [values for address, values in client.answers if address == "/cue/transpose"]
    assert first == (2, promised_s) and correction[0] == 2 and correction[1] >= promised_s + 0.3
    assert session.promises.corrections == deque()


def test_a_promise_that_is_kept_is_not_said_again(stage) -> None:
    made = stage(24.0)
    session, client = made.session, Asked(made)
    session.play()
    made.until(lambda: session.position_s() > 1.0)
    for address, value in (("/cue/transpose", 3), ("/cue/progression", "F#m B7"), ("/cue/activity", 20.0)):
        client.answers.clear()
        _, promised_s = client.say(address, value)
        assert promised_s >= session.position_s() + session.options.commit_s
        client.run(1.5)
        assert len(client.answers) == 1, client.answers


def test_a_change_that_is_undone_while_it_is_composed_is_no_longer_being_composed(stage) -> None:
    made = stage(24.0)
    session = made.session
    made.engine.hold = True
    session.edit(set_value, "/cue/adventurous", 8.0)
    made.run(0.5)
    assert session.progress.phase == "compose"
    session.undo()
    made.run(0.1)
    assert session.progress.phase == "ready"
    assert session.progress.fraction == 1.0


def test_chords_stay_only_where_no_change_of_chords_is_under_way(stage) -> None:
    """A key that was sent for, then another melody before its answer: the new key's chords still come."""
    session = stage(24.0).session
    composing, history = Composing(), session.history
    composing.ask(0.0, 4.0, "key")
    composing.request(history, 0.0)
    assert composing.in_flight is not None
    assert not composing.ask(0.1, 4.0, "another melody", chords_stay=True).chords_stay
    composing.request(history, 0.2)
    assert not composing.ask(0.3, 4.0, "another melody", chords_stay=True).chords_stay
    composing.cancel()
    assert composing.ask(0.4, 4.0, "another melody", chords_stay=True).chords_stay
    composing.request(history, 0.5)
    assert composing.ask(0.6, 4.0, "another melody", chords_stay=True).chords_stay
    assert not composing.ask(0.7, 4.0, "key").chords_stay
