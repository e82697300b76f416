"""docs/osc.md, made from the controls table; a test holds the file equal to this text."""

from __future__ import annotations

from bridge.osc.clients import LEASE_S
from bridge.osc.server import DATAGRAMS_PER_S, ERRORS_PER_S
from engine.music.arguments import Arg
from engine.music.controls import CONTROLS, DEFAULT_PORT, Control

_HEAD = f"""<!-- Made by `cuebridge osc` from engine/music/controls.py; do not edit by hand. -->
# Steering CueBridge by OSC

`cuebridge live` listens on UDP port {DEFAULT_PORT} of this machine (`--osc-port`, `--osc-host`), for `/cue/…` from
anybody and `/daw/…` from the scripts of DAWs.

* **Answers** go to the sender, on the address asked. Without arguments a value is read; with arguments it is
  set, and the answer holds the value and, last, the picture second (`d`) from which the change is heard.
* **Refusals**: `/cue/error address code message`; codes `unknown_address`, `bad_type`, `bad_value`,
  `not_ready`, `busy`. At most {ERRORS_PER_S} a second go to one sender, of whom at most {DATAGRAMS_PER_S} messages a
  second are taken.
* **Types**: `i`, `f`, `d`, `h`, `T` and `F` are taken for each other where nothing is lost (1 and 0 for on and
  off). `N` stands for a setting's word ("picture"). Times are sent as `d`: a 32-bit float is too coarse for
  them.
* **Bundles** are done whole or, if one message is refused, not at all. Only what cannot be taken back
  stays done when it came before the refused one: play, stop, locate, another film, a file that was written, and what
  the DAW was told. Their time tags are not waited for.
* **Patterns** (`*`, `?`, `[…]`, `{{a,b}}`) read or set several values: `/cue/part/*/on 0`.
* **Subscriptions**: `/cue/subscribe /cue/playhead` sends the value at once and then at every change, the
  playhead up to 20, other values up to 10 times a second, for {LEASE_S:.0f} s; any message renews it. A port as
  second argument sends them there.
* **When**: changes of the chords bite at the next bar while the playhead moves. A last argument says otherwise:
  `chord` (the next chord), `hit` (the next cut), `loop` (the next pass), `start` (the film's beginning) or a
  picture second.
* **Cues**: `/cue/cues/add` makes one, `/cue/cues/select` puts it under the controls that each cue has of its own;
  what one is changed to moves no note of another.
* **How soon**: with `chord`, the next chord that is at least 150 ms away has the new music (200 of 200 by the
  internal transport, 200 of 200 by Ardour's timecode, on two cores: `tests/bench/steering.py`); where composing
  takes longer, the old music goes on to a later chord or bar, and this is said. What needs no network is heard
  within 0.1 s.
* **OSCQuery**: `http://127.0.0.1:{DEFAULT_PORT}/` answers with all of this as JSON, and `/cue/key?VALUE` with a value.
* **Files** from OSC (`/cue/film/load`, `/cue/export`, `/cue/save`) have to lie in folders given with `--osc-folder`;
  a film that this run has had may come back from anywhere.
* `cuebridge doctor --osc` tries every address of a running `live`.
"""


def reference() -> str:
    """The whole document."""
    groups = (
        ("What is", [control for control in CONTROLS if control.access == "state"]),
        ("Values", [control for control in CONTROLS if control.access == "value" and control.part is None]),
        ("Parts", [control for control in CONTROLS if control.access == "value" and control.part == "pad"]),
        ("Doing", [control for control in CONTROLS if control.access == "do"]),
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
    return f"| `{control.address}` | {tags and f'`{tags}`'} | {arguments} | {default} | {control.doc}{flag} |".replace(
        "|  |", "| |"
    )


def _argument(argument: Arg) -> str:
    name = f"[{argument.name}]" if argument.optional else argument.name
    expected = argument.expected.replace("|", "\\|")
    return f"{name}: {expected}"


def _default(control: Control) -> str:
    value = control.default
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return f"`{value}`" if value != "" else ""
