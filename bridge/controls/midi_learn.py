"""MIDI learn: what a fader, key, pedal or pad on the control port does.

No ports and no session: messages in, actions out.

A trigger works one address.  A fader's travel is the range of the address; a key, pad or pedal switches, steps through
choices, or does what the address does.  With pick-up a fader does nothing until it passes the value that is set, so
that no control leaps when it is touched.  Until something else is learned, a foot-switch (sustain, CC 64, any
channel) asks for a new take when it is tapped and keeps the one that plays when it is held.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.music import controls
from engine.music.arguments import Arg, ControlError, Value
from engine.music.controls import BY_ADDRESS, LEARN, Control, current_address

WAIT_S: Final = 30.0
HOLD_S: Final = 0.6
UNDO_STEPS: Final = 100
DOWN: Final = 64  # from this value on a controller is pressed (MIDI 1.0)
UP: Final = 40  # and released only here: the ramp of a half-damper pedal trembles around the middle
PEDALS: Final = range(64, 70)
MAX_BINDINGS: Final = 256
CATCH: Final = 1.5 / 127  # of its travel: this near a fader has met the value
ANY: Final = -1
NOT_LEARNABLE: Final = frozenset({controls.SUBSCRIBE, controls.UNSUBSCRIBE, controls.PING})
WHOLE_FILM: Final = 360_000  # the table's bound of positions; a fader's travel is the film instead
NOTE_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True, slots=True)
class Trigger:
    """kind: control, note or program.  channel: 1 to 16, ANY.  number: 0 to 127, ANY program."""

    kind: str
    channel: int
    number: int

    @property
    def words(self) -> str:
        """As a person would say it: `CC 64`, `note C4`, `program 3 on channel 10`."""
        where = "" if self.channel == ANY else f" on channel {self.channel}"
        if self.kind == "control":
            return f"CC {self.number}{where}"
        if self.kind == "note":
            return f"note {NOTE_NAMES[self.number % 12]}{self.number // 12 - 1}{where}"
        return ("any program" if self.number == ANY else f"program {self.number}") + where

    def fits(self, other: Trigger) -> bool:
        """Whether a message's own trigger is meant by this one."""
        return (
            self.kind == other.kind
            and self.channel in (ANY, other.channel)
            and self.number in (ANY, other.number)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Binding:
    """gesture: press, or of one pedal tap (shorter than HOLD_S) and hold.  arguments: sent as they are; empty: the
    value that the controller sends."""

    trigger: Trigger
    address: str
    arguments: tuple[Value, ...] = ()
    gesture: str = "press"


@dataclass(frozen=True, slots=True)
class MidiAction:
    """What a touch asks for.  moves: it comes from a fader, of which only the last value counts."""

    address: str
    arguments: tuple[Value, ...]
    trigger: Trigger
    moves: bool = False


PEDAL: Final = Trigger("control", ANY, 64)
DEFAULTS: Final = (
    Binding(PEDAL, controls.TAKE_NEW, gesture="tap"),
    Binding(PEDAL, controls.TAKE_KEEP, gesture="hold"),
)


def read_message(data: bytes) -> tuple[Trigger, int] | None:
    """A channel message as trigger and value 0 to 127; None for kinds that cannot be learned."""
    kind, channel = data[0] & 0xF0, (data[0] & 0x0F) + 1
    if kind == 0x90 and data[2]:
        return Trigger("note", channel, data[1]), data[2]
    if kind in (0x80, 0x90):
        return Trigger("note", channel, data[1]), 0
    if kind == 0xB0 and data[1] < 120:  # from 120 on they are channel modes, All Notes Off and the like
        return Trigger("control", channel, data[1]), data[2]
    if kind == 0xC0:
        return Trigger("program", channel, data[1]), 127
    return None


def given_arguments(control: Control, texts: Sequence[str]) -> tuple[Value, ...]:
    """Arguments typed or sent as texts, in their own types.  Raises ControlError."""
    if len(texts) > len(control.arguments):
        raise ControlError("bad_type", f"{control.address} takes {control.signature or 'no arguments'}.")
    return tuple(control.check([_typed(text, arg) for text, arg in zip(texts, control.arguments, strict=False)]))


def _typed(text: str, arg: Arg) -> str | float:
    if arg.kind in ("text", "choice") or text in arg.words:
        return text
    if arg.kind == "switch" and text in ("on", "off"):
        return float(text == "on")
    try:
        return float(text)
    except ValueError:
        raise ControlError("bad_type", f"{arg.name} is {arg.expected}, not '{text[:40]}'.") from None


def learnable(address: str, texts: Sequence[str] = ()) -> tuple[Value, ...]:
    """The arguments to be sent, checked.  Raises ControlError where the address cannot be mapped to a controller."""
    control = BY_ADDRESS.get(current_address(address))
    if control is None:
        raise ControlError("unknown_address", f"{address[:80]} is not an address of CueBridge.")
    if control.access == "state" or address in NOT_LEARNABLE or address == LEARN or address.startswith(f"{LEARN}/"):
        raise ControlError("bad_value", f"{address} cannot be mapped to a MIDI controller.")
    if texts:
        return given_arguments(control, texts)
    needed = [arg for arg in control.arguments if not arg.optional]
    if len(needed) > 1 or (needed and needed[0].kind == "text"):
        raise ControlError("bad_value", f"{address} needs its arguments: {control.signature}; send them with it.")
    return ()


class MidiLearn:
    """bindings: in force.  changed: called after each change of them or of `pickup`, to save them."""

    def __init__(
        self,
        bindings: Iterable[Binding] = DEFAULTS,
        pickup: bool = True,
        changed: Callable[[MidiLearn], None] = lambda learn: None,
        inverted: bool = False,
    ) -> None:
        self.bindings: tuple[Binding, ...] = tuple(bindings)
        self.pickup = pickup
        self.inverted = inverted
        self._changed = changed
        self._history: list[tuple[Binding, ...]] = []
        self._wanted: tuple[str, tuple[Value, ...], float] | None = None  # address, arguments, until (host seconds)
        self._down: dict[Trigger, float] = {}  # what is held down, since when
        self._held: set[Trigger] = set()  # of these, whose hold was done already
        self._teaching: Trigger | None = None  # a pedal that was learned and is still on its way down
        self._travel: dict[Trigger, float] = {}  # where a fader stood last, 0 to 1
        self._ours: dict[str, float] = {}  # what a fader set an address to

    # learning -----------------------------------------------------------------------------------------------------
    def learn(self, address: str, texts: Sequence[str], host_s: float) -> None:
        """The next touch is mapped to the address.  Raises ControlError."""
        arguments = learnable(address, texts)
        if len(self.bindings) >= MAX_BINDINGS:
            raise ControlError("busy", f"{MAX_BINDINGS} controls are learned already; forget some.")
        self._wanted = (current_address(address), arguments, host_s + WAIT_S)

    def cancel(self) -> str:
        """The address that was waited for, "" for none."""
        wanted, self._wanted = self._wanted, None
        return wanted[0] if wanted is not None else ""

    def waiting(self, host_s: float) -> tuple[str, float]:
        """Address and seconds left; ("", 0) when nothing is waited for."""
        if self._wanted is None or host_s > self._wanted[2]:
            return "", 0.0
        return self._wanted[0], self._wanted[2] - host_s

    def forget(self, address: str | None = None) -> int:
        """How many bindings were deleted."""
        left = tuple(each for each in self.bindings if address is not None and each.address != address)
        count = len(self.bindings) - len(left)
        if not count:
            raise ControlError("bad_value", f"nothing is learned for {address}." if address else "nothing is learned.")
        self._replace(left)
        return count

    def undo(self) -> None:
        """Raises ControlError where nothing was learned or forgotten in this run."""
        if not self._history:
            raise ControlError("not_ready", "nothing was learned or forgotten yet.")
        self.bindings = self._history.pop()
        self._changed(self)

    @property
    def state(self) -> tuple[object, ...]:
        """What is learned, what was, and what is waited for; for `restore`."""
        return self.bindings, self.pickup, self.inverted, tuple(self._history), self._wanted

    def restore(self, state: tuple[Any, ...]) -> None:
        if state != self.state:
            self.bindings, self.pickup, self.inverted, history, self._wanted = state
            self._history = list(history)
            self._changed(self)

    def set_pickup(self, pickup: bool) -> None:
        if pickup != self.pickup:
            self.pickup = pickup
            self._changed(self)

    def set_inverted(self, inverted: bool) -> None:
        """Pedals that send 0 when pressed."""
        if inverted != self.inverted:
            self.inverted = inverted
            self._down.clear()
            self._held.clear()
            self._teaching = None
            self._changed(self)

    def _replace(self, bindings: tuple[Binding, ...]) -> None:
        self._history = [*self._history[-UNDO_STEPS:], self.bindings]
        self.bindings = bindings
        self._changed(self)

    def _bind(self, trigger: Trigger, address: str, arguments: tuple[Value, ...]) -> Binding:
        """A trigger has one address; an address may have several triggers as long as their arguments differ."""
        needed = [arg for arg in BY_ADDRESS[address].arguments if not arg.optional]
        if trigger.kind == "program" and not arguments and needed and needed[0].kind == "whole":
            trigger = Trigger("program", trigger.channel, ANY)  # the program's number is the value
        new = Binding(trigger, address, arguments)
        others = tuple(
            each
            for each in self.bindings
            if not (each.trigger.fits(trigger) or trigger.fits(each.trigger))
            and (each.address, each.arguments) != (address, arguments)
        )
        self._replace((*others, new))
        return new

    # what was played ------------------------------------------------------------------------------------------------
    def hear(
        self,
        touches: Iterable[tuple[float, bytes]],
        now_s: float,
        current: Callable[[str], Value],
        film_s: float,
        learned: Callable[[Binding], None] = lambda binding: None,
    ) -> list[MidiAction]:
        """What these messages (host second, bytes) and the time passed ask for; of each fader's moves only the last.

        current: what an address holds.  film_s: the film's length in seconds, a fader's travel where positions are set.
        """
        actions: list[MidiAction] = []

        def holds(address: str) -> Value:
            """Of several messages for one address each starts from the value that the one before it sets."""
            said = next((action.arguments for action in reversed(actions) if action.address == address), ())
            return said[0] if said else current(address)

        for host_s, data in touches:
            found = read_message(data)
            if found is None:
                continue
            trigger, value = found
            pedal = trigger.kind == "control" and trigger.number in PEDALS
            if self.inverted and pedal:
                value = 127 - value
            let_go = not value if trigger.kind != "control" else value <= UP and trigger in self._down
            if pedal:  # one that is down already can only come up, by whatever ramp
                let_go = not value or trigger in self._down
            if self._wanted is not None and host_s <= self._wanted[2] and not let_go:
                address, arguments, _ = self._wanted
                self._wanted = None
                if value >= DOWN or trigger.kind == "note":
                    self._down[trigger] = host_s
                    self._held.add(trigger)  # the same press does nothing more
                elif pedal:
                    self._teaching = trigger
                learned(self._bind(trigger, address, arguments))
                continue
            if trigger == self._teaching:
                self._taught(trigger, value, host_s)
                continue
            self._act(trigger, value, host_s, holds, film_s, actions)
        for trigger, since_s in self._down.items():
            if now_s - since_s >= HOLD_S and trigger not in self._held:
                self._held.add(trigger)
                actions += [MidiAction(each.address, each.arguments, trigger) for each in self._of(trigger, "hold")]
        return _last_moves(actions)

    def _taught(self, trigger: Trigger, value: int, host_s: float) -> None:
        """The press by which a half-damper pedal was learned does nothing more."""
        if value >= DOWN:
            self._down[trigger] = host_s
            self._held.add(trigger)
        if value >= DOWN or not value:
            self._teaching = None

    def _of(self, trigger: Trigger, *gestures: str) -> list[Binding]:
        return [each for each in self.bindings if each.gesture in gestures and each.trigger.fits(trigger)]

    def _act(
        self, trigger: Trigger, value: int, host_s: float, current: Callable[[str], Value], film_s: float,
        actions: list[MidiAction],
    ) -> None:  # fmt: skip
        on = value > 0 if trigger.kind == "note" else value >= (UP + 1 if trigger in self._down else DOWN)
        pressed = on and (trigger not in self._down or trigger.kind != "control")
        for binding in self._of(trigger, "press"):
            action = self._action(binding, trigger, value, pressed, current, film_s)
            if action is not None:
                actions.append(action)
        if on:
            if pressed and trigger.kind != "program":
                self._down[trigger] = host_s
                self._held.discard(trigger)
        elif trigger in self._down:
            since_s = self._down.pop(trigger)
            if trigger not in self._held:
                gesture = "tap" if host_s - since_s < HOLD_S else "hold"
                actions += [MidiAction(each.address, each.arguments, trigger) for each in self._of(trigger, gesture)]
            self._held.discard(trigger)
        if trigger.kind == "control":
            self._travel[trigger] = value / 127

    def _action(
        self, binding: Binding, trigger: Trigger, value: int, pressed: bool, current: Callable[[str], Value],
        film_s: float,
    ) -> MidiAction | None:  # fmt: skip
        control = BY_ADDRESS[binding.address]
        needed = [arg for arg in control.arguments if not arg.optional]
        if binding.arguments or not needed:
            return MidiAction(binding.address, binding.arguments, trigger) if pressed else None
        arg = needed[0]
        holds = current(binding.address) if control.access == "value" else None
        if arg.kind == "switch":
            return MidiAction(binding.address, (not holds,), trigger) if pressed else None
        if arg.kind == "choice":
            if trigger.kind == "control":
                word = arg.words[min(value * len(arg.words) // 128, len(arg.words) - 1)]
                return MidiAction(binding.address, (word,), trigger, moves=True) if word != holds else None
            following = (arg.words.index(holds) + 1) % len(arg.words) if holds in arg.words else 0
            return MidiAction(binding.address, (arg.words[following],), trigger) if pressed else None
        if not pressed and trigger.kind != "control":
            return None
        if trigger.kind == "program":
            low, high = _span(arg, film_s)
            return MidiAction(binding.address, (min(low + trigger.number, high),), trigger)
        return self._move(binding, arg, trigger, value / 127, holds, film_s)

    def _move(
        self, binding: Binding, arg: Arg, trigger: Trigger, travel: float, holds: Value, film_s: float
    ) -> MidiAction | None:
        low, high = _span(arg, film_s)
        wanted = low + travel * (high - low)
        wanted = float(round(wanted)) if arg.kind == "whole" else wanted
        if self.pickup and trigger.kind == "control" and isinstance(holds, (int, float)) and high > low:
            ours = self._ours.get(binding.address)
            met = min(max((float(holds) - low) / (high - low), 0.0), 1.0)
            before = self._travel.get(trigger)
            crossed = before is not None and (before - met) * (travel - met) <= 0
            still_ours = ours is not None and math.isclose(ours, float(holds), rel_tol=1e-3, abs_tol=1e-6)
            if not (still_ours or crossed or abs(travel - met) <= CATCH):
                return None
        self._ours[binding.address] = wanted
        return MidiAction(binding.address, (wanted,), trigger, moves=True)


def _span(arg: Arg, film_s: float) -> tuple[float, float]:
    low, high = arg.low or 0.0, 127.0 if arg.high is None else arg.high
    return low, film_s if high == WHOLE_FILM and film_s > 0 else high


def _last_moves(actions: list[MidiAction]) -> list[MidiAction]:
    last = {action.address: index for index, action in enumerate(actions) if action.moves}
    return [action for index, action in enumerate(actions) if not action.moves or last[action.address] == index]
