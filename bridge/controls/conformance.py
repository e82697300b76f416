"""`cuebridge doctor --osc`: every address of a running `live` read, subscribed, set, refused, and put back.

While the transport stands, values are really changed, for a moment, and taken back by undo (which empties redo); while
it plays they are set to what they hold, so that nothing is heard.  Of the actions those are done that undo takes back
or that change nothing; the others are sent more arguments than they take, which has to be refused.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Final

from bridge.osc.client import Answer, Client
from bridge.osc.codec import encode
from bridge.osc.server import ERRORS_PER_S
from engine.music import controls
from engine.music.arguments import Arg, Raw
from engine.music.controls import BY_ADDRESS, CONTROLS, ERROR, Control

# A machine that decodes a film beside it answers late, and late is not wrong.
TIMEOUT_S: Final = 3.0
Outcome = tuple[str, bool | None, str]

# Texts that these addresses take; a text is otherwise set to what it holds.
TEXTS: Final = {controls.NAME: "doctor", controls.PROGRESSION: "C F", controls.KEY: "D minor", controls.PATTERN: "up"}
# Setting these moves the playhead or makes a chosen tempo a given one: they are set to what they hold, or only read.
AS_THEY_ARE: Final = frozenset({controls.LOOP, controls.PICTURE_STARTS_AT})
ONLY_READ: Final = frozenset({controls.TEMPO})
# Actions that undo takes back, with arguments.
UNDONE: Final[dict[str, tuple[Raw, ...]]] = {
    controls.HITS_ADD: (1.0, "nice", "doctor"),
    controls.SECTIONS_ADD: (2.0, "activity=40", "doctor"),
    controls.CHORDS_PIN: ("Dm", 0.1),
}
# Actions that change nothing, with arguments.
HARMLESS: Final[dict[str, tuple[Raw, ...]]] = {
    controls.PING: (),
    controls.TEMPO_FIT: (80.0, 120.0),
    controls.LEARN: (controls.SWING,),
    controls.LEARN_CANCEL: (),
    controls.SUBSCRIBE: (controls.STATUS,),
    controls.UNSUBSCRIBE: (),
}


class Probe(Client):
    """A client that waits for the answer to what it asks."""

    def ask(self, address: str, arguments: Sequence[Raw] = (), expected: str | None = None) -> Answer | None:
        """The first answer on the expected address or an error about this one; None when none comes."""
        self.drop_old()  # what was pushed earlier is no answer to what is asked now
        self.send(address, arguments)
        return self.hear(address, expected or address)

    def hear(self, address: str, expected: str, value: Raw = None) -> Answer | None:
        """The next message on `expected` (with that first value, if one is given) or an error about `address`."""
        end = time.perf_counter() + TIMEOUT_S
        while (left_s := end - time.perf_counter()) > 0:
            for message in self.next(left_s) or ():
                about_us = message.address == ERROR and message.arguments[:1] == (address,)
                wanted = message.address == expected and (value is None or _same(message.arguments[:1], (value,)))
                if wanted or about_us:
                    return message
        return None


def check_every_address(host: str, port: int) -> Iterator[Outcome]:
    """Name, whether it is as documented, and what came."""
    with Probe(host, port) as probe:
        if probe.ask(controls.PING) is None:
            yield controls.PING, False, f"nothing answers on UDP {port}; is `cuebridge live` running?"
            return
        playhead = probe.ask(controls.PLAYHEAD)
        stands = playhead is not None and playhead.arguments[-1:] == (False,)
        before = _values(probe)
        for control in CONTROLS:
            yield _check(probe, control, stands)
        yield _unknown(probe)
        yield _bundle(probe)
        yield _put_back(probe, before)


def _check(probe: Probe, control: Control, stands: bool) -> Outcome:
    name = control.address
    if control.access == "do":
        return _check_action(probe, control, stands)
    value = probe.ask(name)
    if value is None or value.address == ERROR:
        return name, False, f"could not be read: {_words(value)}"
    probe.ask(controls.SUBSCRIBE, [name])
    pushed = probe.hear(name, name)
    found = [_words(value)]
    if pushed is None:
        return name, False, f"{found[0]}; subscribed, but nothing was sent"
    if control.access == "value" and name not in ONLY_READ:
        ok, words = _set(probe, control, value.arguments, stands)
        found.append(words)
        if not ok:
            probe.ask(controls.UNSUBSCRIBE)
            return name, False, "; ".join(found)
    probe.ask(controls.UNSUBSCRIBE)
    ok, words = _refused(probe, name, [1] if control.access == "state" else [b"blob"])
    return name, ok, "; ".join([*found, words])


def _set(probe: Probe, control: Control, held: tuple[Raw, ...], stands: bool) -> tuple[bool, str]:
    """Sets another value, hears it pushed, and takes it back."""
    name = control.address
    other = _other(control, held[0]) if stands and name not in AS_THEY_ARE else None
    if other is not None:
        answer = probe.ask(name, [other])
        if answer is None:
            return False, "does not answer when it is set"
        if answer.address != ERROR:
            if not _same(answer.arguments[:1], (other,)):
                return False, f"set to {other}, answered {_words(answer)}"
            if answer.arguments[:1] == held[:1] or probe.hear(name, name, other) is None:
                return False, f"set to {other}, but a subscriber was not told"
            if control.undo:
                probe.ask(controls.UNDO)
            else:
                probe.ask(name, held[:1])
            now = probe.ask(name)
            if now is None or not _same(now.arguments[:1], held[:1]):
                return False, f"set to {other} and back, it holds {_words(now)}"
            return True, f"set to {other} and back"
    count = len(held) if name in AS_THEY_ARE else 1
    answer = probe.ask(name, held[:count])
    if answer is None or answer.address == ERROR:
        return False, f"refuses what it holds: {_words(answer)}"
    if not _same(answer.arguments[:count], held[:count]):
        return False, f"after being set to what it held: {_words(answer)}"
    return True, "set to what it holds"


def _other(control: Control, held: Raw) -> float | int | str | None:
    """Another value that the table accepts; None where none is sure to make sense."""
    arg = control.arguments[0]
    if arg.kind == "switch":
        return not held
    if arg.kind == "choice":
        words = arg.words
        return words[(words.index(str(held)) + 1) % len(words)] if held in words else words[0]
    if arg.kind == "text":
        text = TEXTS.get(control.address)
        return text if text != held else None
    return _other_number(arg, held)


def _other_number(arg: Arg, held: Raw) -> float | int | None:
    if arg.low is None or arg.high is None:
        return None
    if not isinstance(held, (int, float)) or isinstance(held, bool):
        return (arg.low + arg.high) / 2 if arg.high < 1000 else None
    step = 1.0 if arg.kind == "whole" or arg.high > 1000 else (arg.high - arg.low) / 8
    other = held + step if held + step <= arg.high else held - step
    return int(other) if arg.kind == "whole" else float(other)


def _check_action(probe: Probe, control: Control, stands: bool) -> Outcome:
    name = control.address
    done = ""
    arguments = HARMLESS.get(name) or (UNDONE.get(name) if stands else None)
    if arguments is not None or name in HARMLESS:
        answer = probe.ask(name, arguments or ())
        if answer is None:
            return name, False, "does not answer"
        if answer.address == ERROR:
            if answer.arguments[1:2] != ("not_ready",):
                return name, False, f"refuses {arguments}: {_words(answer)}"
            done = f"not ready: {answer.arguments[2]!s} "
        else:
            done = "done; "
            if name in UNDONE:
                probe.ask(controls.UNDO)
                done = "done and undone; "
    probe.ask(controls.UNSUBSCRIBE)
    ok, words = _refused(probe, name, [b"nonsense"] * (len(control.arguments) + 1))
    return name, ok, done + words


def _refused(probe: Probe, address: str, arguments: Sequence[Raw]) -> tuple[bool, str]:
    time.sleep(1.2 / ERRORS_PER_S)  # not to be taken for a flood
    answer = probe.ask(address, arguments, ERROR)
    if answer is None or answer.address != ERROR or len(answer.arguments) != 3:
        return False, f"took nonsense: {_words(answer)}"
    return True, f"refuses nonsense with {answer.arguments[1]!s}"


def _unknown(probe: Probe) -> Outcome:
    answer = probe.ask(f"{controls.ROOT}/no/such/address", (), ERROR)
    ok = answer is not None and answer.arguments[1:2] == ("unknown_address",)
    return "an unknown address", ok, _words(answer)


def _bundle(probe: Probe) -> Outcome:
    """One message is refused, so the other must not be done; the time tag lies far ahead and is not waited for."""
    held = probe.ask(controls.SWING)
    if held is None or held.address == ERROR:
        return "a bundle", False, "swing cannot be read"
    other = 60.0 if held.arguments[:1] != (60.0,) else 61.0
    parts = [encode(controls.SWING, [other]), encode(controls.SWING, ["nonsense"])]
    body = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    probe.send_datagram(b"#bundle\x00" + b"\xff" * 8 + body)
    refused = probe.hear(controls.SWING, ERROR)
    now = probe.ask(controls.SWING)
    for _ in parts:  # each message of the bundle is refused with an error of its own, which may come only now
        if now is None or now.address != ERROR:
            break
        now = probe.hear(controls.SWING, controls.SWING)
    whole = now is not None and now.arguments[:1] == held.arguments[:1]
    return "a bundle", refused is not None and whole, "refused as a whole" if whole else f"half done: {_words(now)}"


def _values(probe: Probe) -> dict[str, tuple[Raw, ...]]:
    found = {}
    for control in CONTROLS:
        if control.access == "value":
            answer = probe.ask(control.address)
            found[control.address] = answer.arguments if answer is not None else ()
    return found


def _put_back(probe: Probe, before: dict[str, tuple[Raw, ...]]) -> Outcome:
    """What the check left other than it was is put back, and said."""
    left = []
    for address, held in before.items():
        now = probe.ask(address)
        if now is None or not _same(now.arguments, held):
            left.append(address)
            if held and address not in ONLY_READ:
                probe.ask(address, held[: len(BY_ADDRESS[address].arguments)])
    return "values afterwards", not left, f"changed, set back: {', '.join(left)}" if left else "as they were before"


def _same(some: Sequence[Raw], others: Sequence[Raw]) -> bool:
    """Equal as far as 32-bit floats tell."""
    if len(some) != len(others):
        return False
    return all(
        math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)
        if isinstance(one, (int, float)) and isinstance(other, (int, float))
        else one == other
        for one, other in zip(some, others, strict=True)
    )


def _words(message: Answer | None) -> str:
    if message is None:
        return "no answer"
    texts = [value.hex() if isinstance(value, bytes) else str(value) for value in message.arguments]
    return " ".join(texts)[:100] or "done"
