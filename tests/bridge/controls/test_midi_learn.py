"""MIDI learn without ports: what messages ask for, what is kept, and the line of the view."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from bridge.controls.midi_learn import DEFAULTS, HOLD_S, Binding, MidiLearn, Trigger, learnable
from bridge.controls.midi_learn_file import LearnFileError, read, write
from bridge.ui.learn_prompt import ESCAPE, LearnPrompt, completed
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS, CONTROLS, SETTINGS


class Desk:
    """Values as they are set, a clock, and a learner."""

    def __init__(self, **options) -> None:
        self.learn = MidiLearn(**options)
        self.values = dict(SETTINGS)
        self.now_s = 0.0

    def send(self, *messages: tuple[int, ...]) -> list[tuple[str, tuple]]:
        """What was asked for; values are set as the session would."""
        actions = self.learn.hear(
            [(self.now_s, bytes(message).ljust(3, b"\0")) for message in messages], self.now_s, self.values.get, 30.0
        )
        for action in actions:
            BY_ADDRESS[action.address].check(action.arguments)
            if action.address in self.values:
                self.values[action.address] = action.arguments[0]
        return [(action.address, action.arguments) for action in actions]

    def teach(self, address: str, message: tuple[int, ...], *texts: str) -> None:
        self.learn.learn(address, texts, self.now_s)
        assert self.send(message) == []
        assert self.learn.waiting(self.now_s) == ("", 0.0)


@pytest.mark.parametrize(
    "control", [each for each in CONTROLS if each.access != "state"], ids=lambda each: each.address
)
def test_every_control_can_be_learned_or_says_what_it_needs(control) -> None:
    """A fader, a key and a program change: whatever comes of them, the table accepts."""
    try:
        learnable(control.address)
    except ControlError as error:
        texts = {"text": "C", "number": "5", "whole": "5", "switch": "on"}
        given = [arg.words[0] if arg.words else texts[arg.kind] for arg in control.arguments if not arg.optional]
        if "needs its arguments" in str(error):
            assert learnable(control.address, given)
        else:
            assert control.address.startswith("/cue/learn") or "subscribe" in control.address or "ping" in str(error)
        return
    for first, then in (((0xB2, 7, 3), (0xB2, 7, 127)), ((0x92, 60, 100), (0x92, 60, 80)), ((0xC2, 5), (0xC2, 5))):
        desk = Desk(pickup=False)
        desk.teach(control.address, first)
        desk.send((0xB2, 7, 0), (0x82, 60, 0))
        asked = desk.send(then)
        assert [address for address, _ in asked] == [control.address]


def test_a_fader_goes_over_the_whole_range_and_a_position_over_the_film() -> None:
    desk = Desk(pickup=False)
    desk.teach("/cue/mood/dark_light", (0xB0, 1, 64))
    assert desk.send((0xB0, 1, 0)) == [("/cue/mood/dark_light", (-100.0,))]
    assert desk.send((0xB0, 1, 10), (0xB0, 1, 127)) == [("/cue/mood/dark_light", (100.0,))]
    desk.teach("/cue/locate", (0xB0, 2, 64))
    assert desk.send((0xB0, 2, 127)) == [("/cue/locate", (30.0,))]
    desk.teach("/cue/harmonic_rhythm", (0xB0, 3, 0))
    words = BY_ADDRESS["/cue/harmonic_rhythm"].arguments[0].words
    assert desk.send((0xB0, 3, 127)) == [("/cue/harmonic_rhythm", (words[-1],))]
    assert desk.send((0xB1, 1, 5)) == []  # another channel


def test_pick_up_waits_until_the_fader_has_met_the_value() -> None:
    desk = Desk()
    desk.values["/cue/swing"] = 60.0  # 40 % of its travel
    desk.teach("/cue/swing", (0xB0, 1, 120))
    assert desk.send((0xB0, 1, 110), (0xB0, 1, 70)) == []
    assert desk.send((0xB0, 1, 40))[0][0] == "/cue/swing"  # passed it on the way
    assert len(desk.send((0xB0, 1, 90))) == 1  # and has it now
    desk.values["/cue/swing"] = 51.0  # undone, or set by another client
    assert desk.send((0xB0, 1, 91)) == []
    desk.learn.set_pickup(False)
    assert len(desk.send((0xB0, 1, 92))) == 1
    desk.learn.set_pickup(True)
    desk.values["/cue/activity"] = "picture"  # no place on the fader: it jumps
    desk.teach("/cue/activity", (0xB0, 9, 3))
    assert len(desk.send((0xB0, 9, 100))) == 1


def test_a_fader_moved_fast_ends_where_the_hand_does() -> None:
    """Several of its messages come within one tick: the control stands where the fader stopped."""
    desk = Desk()
    desk.values["/cue/activity"] = 50.0
    desk.teach("/cue/activity", (0xB0, 7, 60))
    assert desk.send(*((0xB0, 7, value) for value in (62, 64, 70, 90, 127))) == [("/cue/activity", (100.0,))]
    assert desk.send(*((0xB0, 7, value) for value in (120, 60, 0))) == [("/cue/activity", (0.0,))]
    desk.values["/cue/activity"] = 50.0  # undone
    assert desk.send((0xB0, 7, 3), (0xB0, 7, 5)) == []
    before = desk.values["/cue/part/drums/on"]
    desk.teach("/cue/part/drums/on", (0x99, 36, 100))
    desk.send((0x99, 36, 90), (0x89, 36, 0), (0x99, 36, 90))
    assert desk.values["/cue/part/drums/on"] == before  # twice, however near


def test_switches_toggle_at_each_press_and_not_at_the_release() -> None:
    desk = Desk()
    desk.teach("/cue/part/drums/on", (0x99, 36, 100))
    before = desk.values["/cue/part/drums/on"]
    assert desk.send((0x89, 36, 0)) == []
    assert desk.send((0x99, 36, 90)) == [("/cue/part/drums/on", (not before,))]
    assert desk.send((0x99, 36, 0), (0x99, 36, 1)) == [("/cue/part/drums/on", (before,))]
    desk.teach("/cue/part/pad/on", (0xB0, 80, 127))
    desk.send((0xB0, 80, 0))
    assert len(desk.send((0xB0, 80, 127), (0xB0, 80, 126))) == 1


def test_a_trigger_sends_the_arguments_that_it_was_taught() -> None:
    desk = Desk()
    desk.teach("/cue/chords/next", (0x90, 48, 1), "Am")
    desk.teach("/cue/chords/next", (0x90, 50, 1), "F")
    desk.teach("/cue/progression", (0xC0, 3), "C Am F G", "chord")
    desk.send((0x80, 48, 0), (0x80, 50, 0))
    assert desk.send((0x90, 48, 9), (0x90, 50, 9), (0xC0, 4), (0xC0, 3)) == [
        ("/cue/chords/next", ("Am",)), ("/cue/chords/next", ("F",)), ("/cue/progression", ("C Am F G", "chord"))
    ]  # fmt: skip
    desk.teach("/cue/take/select", (0xC5, 9))  # any program of that channel: its number is the take
    assert desk.send((0xC5, 0), (0xC5, 4)) == [("/cue/take/select", (1.0,)), ("/cue/take/select", (5.0,))]


def test_the_foot_switch_asks_for_a_take_when_tapped_and_keeps_it_when_held() -> None:
    desk = Desk()
    assert desk.send((0xB3, 64, 127)) == []
    desk.now_s = 0.2
    assert desk.send((0xB3, 64, 0)) == [("/cue/take/new", ())]
    desk.now_s = 1.0
    desk.send((0xB3, 64, 127))
    desk.now_s += HOLD_S
    assert desk.send() == [("/cue/take/keep", ())]
    desk.now_s += 1.0
    assert desk.send() == [] and desk.send((0xB3, 64, 0)) == []
    desk.teach("/cue/take/keep", (0xB3, 64, 127))  # learned: the defaults of this pedal are gone
    desk.send((0xB3, 64, 0))
    assert desk.send((0xB3, 64, 127)) == [("/cue/take/keep", ())]
    desk.learn.undo()
    assert desk.learn.bindings == DEFAULTS
    # Let go while something else is being learned: a release is nothing to learn.
    desk.learn.learn("/cue/swing", (), desk.now_s)
    desk.send((0xB3, 64, 0), (0xB3, 20, 7))
    assert [each.trigger.number for each in desk.learn.bindings] == [64, 64, 20]


def test_the_ramp_of_a_half_damper_pedal_is_one_press() -> None:
    desk = Desk()
    down = [3, 20, 45, 63, 66, 62, 65, 61, 64, 70, 66, 90, 127]
    up = [120, 80, 66, 62, 65, 60, 64, 55, 63, 44, 30, 12, 0]
    done = []
    for value in (*down, *up):
        desk.now_s += 0.01
        done += desk.send((0xB3, 64, value))
    assert done == [("/cue/take/new", ())]


@given(st.lists(st.integers(41, 127), max_size=30))
def test_a_pedal_that_is_held_down_trembles_as_it_likes(values: list[int]) -> None:
    desk = Desk()
    desk.send((0xB3, 64, 127))
    assert desk.send(*((0xB3, 64, value) for value in values)) == []


def test_a_pedal_of_the_other_polarity() -> None:
    desk = Desk(inverted=True)
    assert desk.send((0xB3, 64, 127)) == []  # at rest
    assert desk.send((0xB3, 64, 0)) == []
    desk.now_s = 0.2
    assert desk.send((0xB3, 64, 127)) == [("/cue/take/new", ())]
    desk.now_s = 1.0
    desk.send((0xB3, 64, 0))
    desk.now_s += HOLD_S
    assert desk.send() == [("/cue/take/keep", ())]
    desk = Desk(inverted=True, pickup=False)
    desk.teach("/cue/swing", (0xB3, 7, 100))  # a fader is none
    assert desk.send((0xB3, 7, 127)) == [("/cue/swing", (75.0,))]
    desk.learn.set_inverted(False)
    assert desk.learn.state[2] is False


@st.composite
def presses(draw) -> list[int]:
    """A pedal's way down and up, trembling by at most the gap between the two thresholds."""
    tremble = st.integers(-10, 10)
    down = sorted(draw(st.lists(st.integers(1, 126), max_size=12)))
    up = sorted(draw(st.lists(st.integers(1, 126), max_size=12)), reverse=True)
    shaken = [min(max(value + draw(tremble), 1), 127) for value in (*down, 127, *up)]
    return [*shaken, 0]


@examples(150)
@given(st.lists(presses(), min_size=1, max_size=5), st.booleans(), st.booleans(), st.sampled_from(range(64, 70)))
def test_each_press_of_any_pedal_counts_once(ways: list[list[int]], inverted: bool, learned: bool, number: int) -> None:
    """Half-damper or switch, of either polarity, learned or as it is; learning by a press does nothing else."""
    desk = Desk(inverted=inverted)
    learned = learned or number != 64

    def play(way: list[int]) -> list[tuple[str, tuple]]:
        done = []
        for value in way:
            desk.now_s += 0.004
            done += desk.send((0xB3, number, 127 - value if inverted else value))
        return done

    play([0])  # as pedals say when they are connected
    if learned:
        desk.learn.learn("/cue/take/new", (), desk.now_s)
        assert play([0]) == [] and desk.learn.waiting(desk.now_s)[0]  # at rest: nothing to learn
        assert play(ways[0]) == [] and desk.learn.waiting(desk.now_s) == ("", 0.0)
    for way in ways:
        assert play(way) == [("/cue/take/new", ())]


def test_a_pedal_that_comes_up_is_not_what_is_learned() -> None:
    desk = Desk()
    desk.send((0xB3, 64, 127))
    desk.learn.learn("/cue/swing", (), desk.now_s)
    desk.send(*((0xB3, 64, value) for value in (120, 96, 70, 50, 30, 0)))
    assert desk.learn.waiting(desk.now_s)[0] == "/cue/swing" and desk.learn.bindings == DEFAULTS


def test_what_cannot_be_learned_is_refused_in_a_sentence() -> None:
    desk = Desk()
    for address, texts, code in (
        ("/cue/no", (), "unknown_address"), ("/cue/status", (), "bad_value"), ("/cue/learn", (), "bad_value"),
        ("/cue/progression", (), "bad_value"), ("/cue/swing", ("loud",), "bad_type"),
        ("/cue/swing", ("99",), "bad_value"), ("/cue/play", ("1",), "bad_type"),
    ):  # fmt: skip
        with pytest.raises(ControlError) as refused:
            desk.learn.learn(address, texts, 0.0)
        assert refused.value.code == code
    with pytest.raises(ControlError):
        desk.learn.undo()
    with pytest.raises(ControlError):
        desk.learn.forget("/cue/swing")
    assert desk.learn.forget() == len(DEFAULTS)
    # Waiting ends by itself; channel modes and releases are nothing to learn from.
    desk.learn.learn("/cue/play", (), 0.0)
    desk.send((0xB0, 123, 0), (0x80, 60, 0), (0xE0, 1, 1), (0xD0, 1), (0xF8,))
    assert desk.learn.waiting(0.0)[0] == "/cue/play"
    desk.now_s = 31.0
    desk.send((0x90, 60, 1))
    assert desk.learn.bindings == ()


@examples(60)
@given(st.lists(st.binary(min_size=3, max_size=3), max_size=60), st.booleans())
def test_any_bytes_ask_only_for_what_the_table_accepts(messages: list[bytes], pickup: bool) -> None:
    desk = Desk(pickup=pickup)
    desk.teach("/cue/swing", (0xB0, 1, 64))
    desk.teach("/cue/voicing", (0x90, 60, 64))
    desk.teach("/cue/take/select", (0xC0, 1))
    desk.teach("/cue/loop", (0xB0, 64, 127))
    desk.values["/cue/loop"] = False
    for message in messages:
        desk.now_s += 0.1
        desk.send(tuple(message))


def test_it_is_kept_and_read_again(tmp_path) -> None:
    path = tmp_path / "deep" / "midi-learn.json"
    assert read(path) is None
    bindings = (*DEFAULTS, Binding(Trigger("note", 10, 36), "/cue/chords/next", ("Am",)),
                Binding(Trigger("control", 1, 7), "/cue/swing", (61.3,)),
                Binding(Trigger("program", 2, -1), "/cue/part/pad/on", (True,)))  # fmt: skip
    write(path, bindings, False, True)
    assert read(path) == (bindings, False, True)
    assert MidiLearn(*read(path)[:2], inverted=read(path)[2]).inverted
    content = json.loads(path.read_text())
    content["bindings"][0]["address"] = "/cue/of/another/version"
    path.write_text(json.dumps(content))
    assert read(path) == (bindings[1:], False, True)
    del content["inverted"]  # as files were written before
    content["bindings"][0]["address"] = "/cue/knock"
    path.write_text(json.dumps(content))
    kept, pickup, inverted = read(path)
    assert kept[0].address == "/cue/click_on_cuts" and (pickup, inverted) == (False, False)
    for damage in ("{", "[]", '{"version": 2}', '{"version": 1, "pickup": true, "bindings": [{"kind": "x"}]}', "\xff"):
        path.write_text(damage, encoding="latin-1")
        with pytest.raises(LearnFileError):
            read(path)
    write(path, bindings, True)
    assert read(path) == (bindings, True, False) and path.with_suffix(".unreadable").exists()


def typed(text: str) -> list[str] | None:
    prompt = LearnPrompt({"p": "pad"})
    prompt.start()
    chosen = None
    for key in text:
        assert prompt.open
        chosen = prompt.key(key)
    assert not prompt.open
    return chosen


def test_the_view_asks_which_control_is_to_be_learned() -> None:
    assert typed("n") == ["/cue/take/new"]
    assert typed("p") == ["/cue/part/pad/on"]
    assert typed("3") == ["/cue/take/select", "3"]
    assert typed(ESCAPE) is None and typed("\n") is None and typed("/cue/pl\x1b") is None
    assert typed("/cue/chords/next  'Am' \n") == ["/cue/chords/next", "Am"]
    assert typed("/swin\t\n") == ["/cue/swing"]
    assert typed("/cue/mood/dar\tx\x7f\n") == ["/cue/mood/dark_light"]
    with pytest.raises(ControlError):
        typed("/cue/name 'it\n")
    assert completed("/cue/mood/") == "/cue/mood/" and completed("/nothing") == "/nothing"
