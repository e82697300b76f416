"""What was learned, kept in the user's settings: a person's faders and pedals are the same for every film."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, Final

from bridge.controls.midi_learn import ANY, MAX_BINDINGS, Binding, Trigger, learnable
from engine.music.arguments import ControlError
from engine.music.controls import current_address
from engine.music.files import write_whole
from engine.user_folders import config_folder

VERSION: Final = 1
KINDS: Final = ("control", "note", "program")
GESTURES: Final = ("press", "tap", "hold")


class LearnFileError(Exception):
    """The file cannot be read; the text says why."""


def learn_path() -> Path:
    return config_folder() / "midi-learn.json"


def read(path: Path) -> tuple[tuple[Binding, ...], bool, bool] | None:
    """Bindings, pick-up and whether pedals are inverted; None where there is no file.  Raises LearnFileError.

    Addresses that this version does not know are left out, not taken for a fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LearnFileError(str(error)) from None
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise LearnFileError(f"it is of version {content['version']}, known is {VERSION}")
        found = [_binding(each) for each in content["bindings"][:MAX_BINDINGS]]
        return tuple(each for each in found if each is not None), bool(content["pickup"]), bool(content.get("inverted"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LearnFileError(f"it is damaged ({type(error).__name__})") from None


def _binding(content: dict[str, Any]) -> Binding | None:
    kind, channel, number = content["kind"], content["channel"], content["number"]
    gesture = content.get("gesture", "press")
    if kind not in KINDS or gesture not in GESTURES or not (channel == ANY or 1 <= channel <= 16):
        raise ValueError(kind)
    if not (number == ANY or 0 <= number <= 127):
        raise ValueError(number)
    with contextlib.suppress(ControlError):
        arguments = learnable(content["address"], [str(value) for value in content["arguments"]])
        return Binding(Trigger(kind, channel, number), current_address(content["address"]), arguments, gesture)
    return None


def write(path: Path, bindings: tuple[Binding, ...], pickup: bool, inverted: bool = False) -> None:
    """Written aside and renamed; an unreadable one is kept as `.unreadable`.  Raises UserError, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        read(path)
    except LearnFileError:
        path.replace(path.with_suffix(".unreadable"))
    content = {
        "version": VERSION,
        "pickup": pickup,
        "inverted": inverted,
        "bindings": [_plain(each) for each in bindings],
    }
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())


def _plain(binding: Binding) -> dict[str, Any]:
    return {
        "kind": binding.trigger.kind,
        "channel": binding.trigger.channel,
        "number": binding.trigger.number,
        "address": binding.address,
        "arguments": [_text(value) for value in binding.arguments],
        "gesture": binding.gesture,
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.17g}" if isinstance(value, float) else str(value)
