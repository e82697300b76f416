"""The command `cuebridge`.  Imports next to nothing: `--help` answers at once, and each spawned child reads this again.

Exit codes: 0 done, 2 something the person can put right (one sentence on stderr), 130 ended by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

# Commands that need torch or OpenCV run in a process of their own: (module, arguments before the user's, one line).
CHILDREN: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "analyze": ("engine", ("analyze",), "analyse a film: cuts, motion, mood"),
    "compose": ("engine", ("compose",), "compose for a film and write a .mid file"),
    "render": ("engine", ("render",), "compose for a film and write the film with its music, or the music as sound"),
    "cache": ("engine", ("cache",), "list or clear kept analyses of films"),
    "tempo": ("engine", ("tempo",), "find the tempo that meets the cuts; export a conductor track"),
    "score": ("engine", ("score",), "measure a composition against its film"),
    "plot": ("engine", ("plot",), "draw a piano roll with cuts, motion and mood"),
    "conform": ("engine", ("conform",), "show what changed between two cuts; move a session to the new one"),
    "export": ("engine", ("export",), "write the music for DAWs, picture editors, orchestrators and societies"),
    "temp": ("engine", ("temp",), "say what a temp track asks for: tempo, key, chords a bar, energy"),
    "speech": ("engine", ("speech",), "say where people speak in a film, by its sound or its subtitles"),
    "markers": ("engine", ("markers",), "show what the markers of a picture's editor become"),
    "dataset": ("engine", ("dataset",), "make training data from films with music"),
    "listening": ("engine", ("listening",), "ask listeners how well music fits films, and analyse what they say"),
    "models": ("models.training.cli", (), "train, evaluate and describe the networks"),
}
BRIDGE: Final[dict[str, tuple[str, str]]] = {
    "demo": ("bridge.commands.demo", "hear the bundled clip with its music, in the page or as a film"),
    "live": ("bridge.commands.live", "play a film's music live, locked to a transport, steered by OSC"),
    "page": ("bridge.commands.page", "choose a film in the browser, hear its music there, change what you like"),
    "ports": ("bridge.commands.ports", "list MIDI interfaces and ports"),
    "doctor": ("bridge.commands.doctor", "check ports, priority, sync, OSC and weights, and say what to change"),
    "calibrate": ("bridge.commands.calibrate", "measure how late the DAW records, and keep the correction"),
    "osc": (
        "bridge.commands.osc",
        "print the table of OSC addresses; osc send and osc watch talk to a running live",
    ),
    "why": ("bridge.commands.why", "say why a chord stands where it does"),
    "install-script": ("bridge.commands.install_script", "install the script of a DAW"),
    "install-plugin": ("bridge.commands.install_plugin", "install the plugin that plays the music inside the DAW"),
    "mcp": ("bridge.commands.mcp", "serve the controls of a running live to an assistant"),
}


def app(arguments: Sequence[str] | None = None) -> int:
    """Entry point; never shows a traceback for what a person can cause."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        from engine.music.console import run_command
    except KeyboardInterrupt:  # so early that nobody is there yet to say it
        sys.stderr.write("\n")
        return 130
    return run_command(lambda: _dispatch(words))


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0 if words else 2
    if words[0] in ("-V", "--version", "version"):
        from bridge.commands.version import version

        sys.stdout.write(f"cuebridge {version()}\n")
        return 0
    command, rest = words[0], words[1:]
    import importlib

    if command == "compose" and "--board" in rest:
        return importlib.import_module("bridge.commands.board").main(rest)
    if command in CHILDREN:
        from bridge.commands.children import run_child

        if command == "models" and rest[:1] == ["fetch"]:  # CLIP's weights belong to the picture, not to our networks
            return run_child("engine.video.clip_weights", rest[1:])
        module, before, _ = CHILDREN[command]
        return run_child(module, [*before, *rest])
    if command in BRIDGE:
        return importlib.import_module(BRIDGE[command][0]).main(rest)
    from engine.music.errors import UserError

    raise UserError(f"'{command}' is not a command; commands are {', '.join(_commands())}.")


def _commands() -> list[str]:
    order = [
        "demo",
        "live",
        "page",
        "compose",
        "render",
        "analyze",
        "plot",
        "tempo",
        "score",
        "conform",
        "export",
        "markers",
        "speech",
        "temp",
        "ports",
        "doctor",
        "calibrate",
        "osc",
        "why",
        "install-script",
        "install-plugin",
        "mcp",
    ]
    return [*order, "cache", "dataset", "listening", "models"]


def usage() -> str:
    """What `--help` prints."""
    lines = [
        "usage: cuebridge COMMAND …",
        "",
        "Watches a film, composes chords for it and performs them as MIDI locked to your DAW.",
        "",
    ]
    for name in _commands():
        text = CHILDREN[name][2] if name in CHILDREN else BRIDGE[name][1]
        lines.append(f"  {name:<16}{text}")
    lines += ["", "cuebridge COMMAND --help says more.  --version prints the version.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(app())
