"""One address of the table: its arguments, what it does and what a change of it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.controls.arguments import Arg, ControlError, Value
from bridge.osc.codec import Argument

ROOT: Final = "/cue"

# Where a change of the music begins: the next bar unless said otherwise.
WHEN: Final = ("bar", "chord", "hit", "loop", "start")


@dataclass(frozen=True, slots=True)
class Control:
    """One address.

    access: "value" (set with arguments, got without), "state" (got only), "do" (done).
    effect: what a change asks for: "compose" (the networks), "arrange" (new notes, same chords), "tempo" or "none".
    default: of a value's first argument.  flag: command line flag of `live`.  undo: a step of the undo history.
    """

    address: str
    doc: str
    arguments: tuple[Arg, ...] = ()
    access: str = "do"
    effect: str = "none"
    default: Value = None
    flag: str | None = None
    undo: bool = True

    def check(self, arguments: Sequence[Argument]) -> tuple[Value, ...]:
        """The arguments in their own types.  Raises ControlError."""
        needed = sum(not argument.optional for argument in self.arguments)
        if not needed <= len(arguments) <= len(self.arguments):
            raise ControlError("bad_type", f"{self.address} takes {self.signature or 'no arguments'}.")
        return tuple(arg.check(value) for arg, value in zip(self.arguments, arguments, strict=False))

    @property
    def signature(self) -> str:
        return ", ".join(f"[{arg.name}]" if arg.optional else arg.name for arg in self.arguments)


WHEN_ARGUMENT: Final = Arg("when", "number", 0, 360_000, "picture seconds", WHEN, optional=True)


def value(address: str, argument: Arg, default: Value, effect: str, doc: str, flag: str | None = None) -> Control:
    """A value; where it concerns the chords, a last argument says from when."""
    arguments = (argument, WHEN_ARGUMENT) if effect == "compose" else (argument,)
    return Control(f"{ROOT}/{address}", doc, arguments, "value", effect, default, flag)


def state(address: str, doc: str) -> Control:
    """Something that can only be read."""
    return Control(f"{ROOT}/{address}", doc, (), "state")


def do(address: str, doc: str, *arguments: Arg, effect: str = "none") -> Control:
    """Something that is done."""
    return Control(f"{ROOT}/{address}", doc, arguments, "do", effect)
