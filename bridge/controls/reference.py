"""docs/osc.md, made from the controls table; a test holds the file equal to this text."""

from __future__ import annotations

from bridge.controls.requests import MAX_PATTERNS, MAX_REQUESTS
from bridge.osc.clients import LEASE_S
from bridge.osc.server import DATAGRAMS_PER_S, ERRORS_PER_S
from engine.music.arguments import Arg
from engine.music.controls import CONTROLS, DEFAULT_PORT, Control

_HEAD = f"""<!-- Made by `cuebridge osc` from engine/music/controls.py; do not edit by hand. -->
# Steering CueBridge by OSC

`cuebridge live` listens on UDP port {DEFAULT_PORT} of this machine (`--osc-port`, `--osc-host`): `/cue/…` for
everybody, `/daw/…` for the scripts of DAWs. Try it without another program:

    cuebridge osc send /cue/chords/pin E7 19.6
    cuebridge osc watch /cue/status "/cue/chords/*"

* **Answers** go to the sender, on the address that it used. A message without arguments reads a value. One with
  arguments sets it; the answer holds the value and, last, the picture second (`d`) from which the change plays.
* **Refusals** are sent as `/cue/error address code message`, to the sender and to the port that it has
  subscribed. Codes: `unknown_address`, `bad_type`, `bad_value`, `not_ready`, `busy`.
* **Limits**: senders are limited to {DATAGRAMS_PER_S:,} messages and {ERRORS_PER_S} error replies a second, and
  to a quarter of the time of the thread that does what they ask. A bundle has at most {MAX_PATTERNS} patterns and
  asks for at most {MAX_REQUESTS} things.
* **Types**: `i`, `f`, `d`, `h`, `T` and `F` are converted into each other where nothing is lost (1 and 0 for on
  and off; 2.9999998 is 3). `N` stands for a setting's word ("picture"). Arrays are read as the values in them.
  Times are sent as `d`, because a 32-bit float is too coarse for them; `/cue/subscribe PATTERN 0 f` asks for `f`.
* **Buttons**: a command is done by 1 (or true, or a velocity) and ignores 0, so it can be put on a button as it
  is.
* **Bundles** are done as a whole; if one message is refused, none is done. Only play, stop, locate, another film,
  files that were written and what was sent to the DAW cannot be taken back. Time tags are ignored.
* **Patterns** (`*`, `?`, `[…]`, `{{a,b}}`) read or set several values: `/cue/part/*/on 0`.
* **Subscriptions**: `/cue/subscribe /cue/playhead` sends the value at once and then at every change, the playhead
  up to 20 times a second, other values up to 10 times, for {LEASE_S:.0f} s; any message renews it. A second
  argument names the port to send to.
* **When**: while the playhead moves, chord changes take effect at the next bar. A last argument says otherwise:
  `chord` (the next chord), `hit` (the next cut), `loop` (the next pass), `start` (the film's beginning) or a
  picture second.
* **How soon**: with `chord`, the next chord that is at least 150 ms away is the new one (200 of 200 by the
  internal transport, 200 of 200 by Ardour's timecode, on two cores: `tests/bench/steering.py`). Where composing
  takes longer, the old music goes on to a later chord or bar, and the answer is sent once more with the real
  second. What needs no network plays within 0.1 s.
* **Cues**: `/cue/cues/add` makes one, `/cue/cues/select` selects the one that its own controls belong to.
  Changing a cue moves no note of another.
* **Old names** of an address go on working and are answered as they were sent; `live` says the new name once.
* **OSCQuery**: `http://127.0.0.1:{DEFAULT_PORT}/` answers with all of this as JSON, and `/cue/key?VALUE` with a
  value. `--osc-announce` announces it by mDNS, `--osc-cors ORIGIN` lets web pages of that origin read it.
* **Files** from OSC (`/cue/film/load`, `/cue/markers/load`, `/cue/theme/load`, `/cue/export`, `/cue/save`) have
  to be in folders given with `--osc-folder`; a film that this run has played may come back from anywhere. They
  are read and written beside the session and answered when that is done.
* **Warning**: OSC has no passwords. With `--osc-host 0.0.0.0` everybody in your network can stop the music,
  change every setting, end the program, load films from and write .mid and session files into the allowed
  folders. Use it in a network that you trust.
* `cuebridge doctor --osc` tries every address of a running `live`.
"""


def reference() -> str:
    """The whole document."""
    groups = (
        ("States", [control for control in CONTROLS if control.access == "state"]),
        ("Values", [control for control in CONTROLS if control.access == "value" and control.part is None]),
        ("Parts", [control for control in CONTROLS if control.access == "value" and control.part == "pad"]),
        ("Commands", [control for control in CONTROLS if control.access == "do"]),
    )
    lines = [_HEAD]
    for title, controls in groups:
        lines.append(f"## {title}\n")
        if title == "Parts":
            lines.append("The same for `arp`, `bass`, `melody` and `drums`, with their own defaults.\n")
        lines.append("| Address | Types | Arguments | Default | Meaning |")
        lines.append("|---|---|---|---|---|")
        lines.extend(_row(control) for control in controls)
        lines.append("")
    return "\n".join(lines)


def _row(control: Control) -> str:
    tags = "".join(argument.tag for argument in control.arguments)
    arguments = "; ".join(_argument(argument) for argument in control.arguments)
    default = "" if control.access != "value" else _default(control)
    flag = f" (`{control.flag}`)" if control.flag else ""
    cells = (f"`{control.address}`", tags and f"`{tags}`", arguments, default, f"{control.doc}{flag}")
    return "|" + "|".join(f" {_escaped(cell)} " if cell else " " for cell in cells) + "|"


def _argument(argument: Arg) -> str:
    name = f"[{argument.name}]" if argument.optional else argument.name
    return f"{name}: {argument.expected}"


def _escaped(cell: str) -> str:
    """A bar would end the cell, inside backticks too."""
    return cell.replace("|", "\\|")


def _default(control: Control) -> str:
    value = control.default
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return f"`{value}`" if value != "" else ""
