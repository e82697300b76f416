"""Arguments of controls: what values each takes, and how a value from a wire or a command line becomes one of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from engine.music.errors import UserError

MAX_TEXT: Final = 4096
# Senders compute in 32-bit floats: 3 arrives as 2.9999998 and is meant as 3.
WHOLE_TOLERANCE: Final = 1e-6

_BAR_BEAT: Final = re.compile(r"[1-9]\d{0,4}\|[1-9]\d?(\.\d{1,9})?")

Value = float | int | bool | str | None
Raw = int | float | str | bytes | bool | None  # as an OSC argument arrives


class ControlError(UserError):
    """A refused control.  code: unknown_address, bad_type, bad_value, not_ready or busy."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument.  kind: "number", "whole", "switch", "text", "choice" or "any" (what another address takes).

    low, high: inclusive range of numbers.  words: texts also accepted instead of a number ("picture"); for "choice"
    the choices.  optional: may be left out.  bars: a number that may also be said as bar|beat, a text like "12|1".
    """

    name: str
    kind: str = "number"
    low: float | None = None
    high: float | None = None
    unit: str = ""
    words: tuple[str, ...] = ()
    optional: bool = False
    bars: bool = False

    @property
    def tag(self) -> str:
        """OSC type tag to show; i, f, d, T and F are converted into each other where nothing is lost."""
        return {"number": "f", "whole": "i", "switch": "T", "text": "s", "choice": "s", "any": "s"}[self.kind]

    @property
    def is_numeric(self) -> bool:
        return self.kind in ("number", "whole")

    def check(self, value: Raw) -> Value:
        """The value in its own type.  Raises ControlError."""
        if self.kind in ("text", "choice"):
            return self._check_text(value)
        if self.kind == "any":
            return self._check_any(value)
        if isinstance(value, str):
            if value in self.words or (self.bars and _BAR_BEAT.fullmatch(value)):
                return value
            raise ControlError("bad_type", f"{self.name} is {self.expected}, not the text '{value[:40]}'.")
        if value is None and self.words:
            return self.words[0]
        if isinstance(value, bytes) or value is None:
            raise ControlError("bad_type", f"{self.name} is {self.expected}.")
        if self.kind == "switch":
            if value in (0, 1):
                return bool(value)
            raise ControlError("bad_value", f"{self.name} is on (1, T) or off (0, F), not {value:g}.")
        if isinstance(value, bool):
            raise ControlError("bad_type", f"{self.name} is {self.expected}, not true or false.")
        return self._check_number(value)

    def parse(self, text: str) -> Value:
        """What somebody typed, in its own type: numbers as numbers, on and off as a switch.  Raises ControlError."""
        if self.kind in ("text", "choice") or text in self.words or (self.bars and "|" in text):
            return self.check(text)
        if self.kind == "any":
            try:
                return float(text)
            except ValueError:
                return self.check(text)
        if self.kind == "switch" and text.lower() in ("on", "off"):
            return text.lower() == "on"
        try:
            number = float(text)
        except ValueError:
            raise ControlError("bad_type", f"{self.name} is {self.expected}, not '{text[:40]}'.") from None
        return self.check(number)

    def _check_any(self, value: Raw) -> Value:
        if isinstance(value, bytes):
            raise ControlError("bad_type", f"{self.name} is {self.expected}.")
        return self._check_text(value) if isinstance(value, str) else value

    def _check_text(self, value: Raw) -> str:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            value = f"{value:g}"  # a fader program that can only send numbers may still choose `2` bars
        if not isinstance(value, str):
            raise ControlError("bad_type", f"{self.name} is {self.expected}.")
        if len(value) > MAX_TEXT:
            raise ControlError("bad_value", f"{self.name} is longer than {MAX_TEXT} characters.")
        if self.kind == "choice" and value not in self.words:
            raise ControlError("bad_value", f"{self.name} is one of {', '.join(self.words)}, not '{value[:40]}'.")
        return value

    def _check_number(self, value: int | float) -> float | int:
        if not math.isfinite(value):
            raise ControlError("bad_value", f"{self.name} is {self.expected}, not {value}.")
        if self.kind == "whole":
            nearest = round(value)
            if abs(value - nearest) > WHOLE_TOLERANCE * max(abs(value), 1.0):
                raise ControlError("bad_value", f"{self.name} is {self.expected}, not {value:g}.")
            value = nearest
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ControlError("bad_value", f"{self.name} is {self.expected}, not {value:g}.")
        return value if self.kind == "whole" else float(value)

    @property
    def expected(self) -> str:
        """The accepted values in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.words)
        if self.kind == "text":
            return "a text"
        if self.kind == "any":
            return "what the address takes"
        if self.kind == "switch":
            return "on or off"
        words = "a whole number" if self.kind == "whole" else "a number"
        if self.low is not None and self.high is not None:
            words += f" from {self.low:g} to {self.high:g}"
        elif self.low is not None:
            words += f" of at least {self.low:g}"
        if self.unit:
            words += f" ({self.unit})"
        if self.bars:
            words += " or bar|beat ('12|1')"
        return words + (f" or {' or '.join(repr(word) for word in self.words)}" if self.words else "")
