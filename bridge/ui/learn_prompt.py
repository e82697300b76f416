"""`l` in the view of `live`: which control a hand is to work.  Keys in, one line to show out."""

from __future__ import annotations

import shlex
from typing import Final

from bridge.controls.midi_learn import learnable
from engine.music import controls
from engine.music.arguments import ControlError
from engine.music.controls import CONTROLS

ESCAPE: Final = "\x1b"
LEARN_KEYS: Final = {"n": controls.TAKE_NEW, "k": controls.TAKE_KEEP, "u": controls.UNDO, "r": controls.REDO,
                     "!": controls.PANIC, "P": controls.PLAY, "S": controls.STOP}  # fmt: skip
ASK: Final = "learn what? a key of the view (n k u r ! p a b m d 1-9, P play, S stop), or / and an address; Esc cancels"


class LearnPrompt:
    """part_keys: key -> part, as in the view.  `key` returns whether the key was meant for it."""

    def __init__(self, part_keys: dict[str, str]) -> None:
        self._keys = dict(LEARN_KEYS)
        self._keys |= {key: controls.of_part(part, "on") for key, part in part_keys.items()}
        self._text: str | None = None

    @property
    def open(self) -> bool:
        return self._text is not None

    @property
    def line(self) -> str:
        """What is to be shown, "" while it is closed."""
        if self._text is None:
            return ""
        return f"learn {self._text}_  (Tab completes, Enter learns, Esc cancels)" if self._text else ASK

    def start(self) -> None:
        self._text = ""

    def key(self, key: str) -> list[str] | None:
        """An address and its arguments once they are chosen; None before.  Raises ControlError."""
        text, self._text = self._text or "", None
        if key == ESCAPE:
            return None
        if not text and key in self._keys:
            return [self._keys[key]]
        if not text and key in "123456789":
            return [controls.TAKE_SELECT, key]
        if key in "\r\n":
            return self._chosen(text)
        if key in ("\x7f", "\b"):
            text = text[:-1]
        elif key == "\t":
            text = completed(text)
        elif key.isprintable() and (text or key == "/"):
            text += key
        self._text = text
        return None

    @staticmethod
    def _chosen(text: str) -> list[str] | None:
        if not text:
            return None
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise ControlError("bad_value", f"'{text}' cannot be read: {error}.") from None
        return words or None


def completed(text: str) -> str:
    """The longest beginning that all addresses share which begin so, or have the word in them."""
    names = [control.address for control in CONTROLS if _can(control.address)]
    found = [name for name in names if name.startswith(text)] or [
        name for name in names if text.strip("/") and text.strip("/") in name
    ]
    if not found:
        return text
    first, last = min(found), max(found)
    same = next((index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(map(len, found)))
    shared = first[:same]
    return shared if shared.startswith(text) else found[0] if len(found) == 1 else text


def _can(address: str) -> bool:
    try:
        learnable(address)
    except ControlError as error:
        return error.code == "bad_value" and "needs its arguments" in str(error)
    return True
