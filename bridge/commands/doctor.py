"""`cuebridge doctor`: what works here, what does not, and what to change.

Exit code 0 also where something is missing that CueBridge can do without; 2 where it cannot run, or where what the DAW
sends does not go with what was stated.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bridge.commands.doctor_report import Personal, report_text, write_report
from bridge.finding import Finding
from bridge.osc.server import OscServer
from bridge.player.messages import APIS, PlayerOptions, PortOptions, SyncOptions
from engine.music import UserError, controls
from engine.music.arguments import ControlError
from engine.music.command import SentenceParser, port_number
from engine.music.controls import DEFAULT_PORT
from engine.music.timecode import stated_rate
from engine.user_folders import home_or_none

LISTEN_S = 2.0


NEEDED = {"numpy": "numpy", "mido": "mido", "safetensors": "safetensors", "threadpoolctl": "threadpoolctl",
          "cv2": "opencv-python-headless", "av": "av"}  # fmt: skip
USEFUL = {"rtmidi": ("python-rtmidi", "virtual MIDI ports"),
          "jack": ("JACK-Client", "notes exact to the sample on JACK"),
          "rich": ("rich", "the view of `live`"), "open_clip": ("open_clip_torch", "the full picture reading"),
          "torch": ("torch", "the full picture reading and training"),
          "matplotlib": ("matplotlib", "cuebridge plot")}  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    parser = SentenceParser(
        prog="cuebridge doctor", description="Checks what CueBridge needs, and says what to change."
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.add_argument(
        "--report", metavar="FILE", help="also write the findings to a new file, without personal details"
    )
    parser.add_argument("--osc", action="store_true", help="also try every OSC address of a running `live`")
    parser.add_argument(
        "--osc-port",
        type=port_number,
        default=DEFAULT_PORT,
        metavar="PORT",
        help=f"OSC port of `live` ({DEFAULT_PORT})",
    )
    parser.add_argument(
        "--listen",
        type=float,
        default=LISTEN_S,
        metavar="S",
        help=f"how long to listen for the DAW's sync, in seconds ({LISTEN_S:g})",
    )
    parser.add_argument("--frame-rate", metavar="FPS", help="frame rate that the timecode should have, to compare")
    parser.add_argument("--midi-api", choices=("auto", *APIS), default="auto", help="MIDI system to listen on (auto)")
    parser.add_argument("--port", default="CueBridge", metavar="NAME", help="name of our MIDI port (CueBridge)")
    options = parser.parse_args(arguments)
    if not 0 <= options.listen <= 60:
        raise UserError(f"--listen {options.listen:g} is outside 0 to 60 seconds.")
    rate = None if options.frame_rate is None else str(stated_rate(options.frame_rate))
    if options.report is not None and os.path.lexists(options.report):  # said before the checks take their time
        raise UserError(f"{options.report} is there already; give the report another name.")
    player = PlayerOptions(PortOptions(options.midi_api, options.port), sync=SyncOptions(frame_rate=rate))
    findings = conformance(options.osc_port) if options.osc else check_all(options.osc_port, player, options.listen)
    if options.json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2) + "\n")
    else:
        for finding in findings:
            mark = {True: "ok  ", False: "BAD ", None: "-   "}[finding.ok]
            sys.stdout.write(f"{mark} {finding.name}: {finding.found}\n")
            if finding.advice:
                sys.stdout.write(f"     {finding.advice}\n")
    if options.report is not None:
        rows = [(each.name, each.ok, each.found, each.advice) for each in findings]
        write_report(Path(options.report), report_text(rows, Personal.here()))
    return 2 if any(finding.ok is False for finding in findings) else 0


def check_all(osc_port: int, player: PlayerOptions | None = None, listen_s: float = LISTEN_S) -> list[Finding]:
    """Every check, in the order in which a person would go about it."""
    osc = check_osc(osc_port)
    head = [*check_packages(), *check_weights(), *check_player(), osc]
    sync = check_sync(osc_port, player, listen_s, running=osc.ok is None)
    plugins = check_plugins(osc_port, running=osc.ok is None)
    return [*head, *sync, *check_scripts(osc_port), *plugins, check_writing()]


def check_packages() -> list[Finding]:
    """Found without being imported: PyTorch alone would take seconds."""
    findings = []
    for module, package in NEEDED.items():
        there = importlib.util.find_spec(module) is not None
        findings.append(Finding(package, there, "installed" if there else "missing",
                                "" if there else f"pip install {package}"))  # fmt: skip
    for module, (package, purpose) in USEFUL.items():
        there = importlib.util.find_spec(module) is not None
        findings.append(Finding(package, there or None, "installed" if there else f"missing; it gives {purpose}",
                                "" if there else f"pip install {package}"))  # fmt: skip
    return findings


def check_weights() -> list[Finding]:
    """The networks' weights, by their cards; the files themselves are read by the engine."""
    import hashlib

    folder = Path(__file__).resolve().parents[2] / "models" / "weights"
    findings = []
    for name in ("amt", "regressor"):
        cards = sorted(folder.glob(f"{name}*.json"))
        if not cards:
            findings.append(Finding(f"weights of {name}", False, f"no card in {folder}", "install CueBridge again"))
            continue
        for path in cards:
            card = json.loads(path.read_text(encoding="utf-8"))
            file = path.with_suffix(".safetensors")
            if not file.exists():
                findings.append(
                    Finding(f"weights of {name}", False, f"{file.name} is missing", "install CueBridge again")
                )
                continue
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            same = card.get("sha256") in (None, digest)
            found = f"{file.name}, sha256 {digest[:12]}" + ("" if same else ", not what its card says")
            findings.append(Finding(f"weights of {name}", same, found, "" if same else "install CueBridge again"))
    return findings


def check_player() -> list[Finding]:
    """Ports, priority and timer, as the player finds them; without a port music goes to a file, so none is needed."""
    from bridge.player.checks import check_ports, check_priority, check_timer

    checks = [*check_ports(), *check_priority(), *check_timer()]
    return [replace(check, ok=check.ok or None) for check in checks]


def check_sync(osc_port: int, player: PlayerOptions | None, listen_s: float, running: bool) -> list[Finding]:
    """What arrives on the sync port, and its rate against the stated one.  A running `live` has that port open
    already and is asked instead."""
    from bridge.player.checks import check_sync
    from bridge.player.errors import PortError

    if running:
        return [_running_sync(osc_port)]
    try:
        return check_sync(player, listen_s)
    except PortError as error:
        return [Finding("sync", None, str(error))]


def _running_sync(port: int) -> Finding:
    from bridge.controls.conformance import Probe

    with Probe("127.0.0.1", port) as probe:
        answer = probe.ask(controls.SYNC)
    if answer is None or answer.address != controls.SYNC:
        return Finding("sync", None, f"UDP {port} is taken by something that is no `live`: sync was not listened to")
    source, state, tempo_source, bpm, rate, sync_port = (str(value) for value in answer.arguments)
    tempo = "no tempo" if tempo_source == "none" else f"tempo {float(bpm):.2f} by {tempo_source}"
    timecode = f"; timecode {rate}" if rate else ""
    found = f"`live` follows {source}: {state}; {tempo}{timecode} (sync port {sync_port or 'none'})"
    return Finding("sync", None if state == "lost" else True, found)


def check_osc(port: int) -> Finding:
    try:
        server = OscServer("127.0.0.1", port, lambda datagram: True)
    except ControlError as error:
        return Finding("OSC port", None, str(error), "if a `live` is running, this is its port: all is well")
    server.close()
    return Finding("OSC port", True, f"UDP {port} is free on this machine")


def check_scripts(port: int) -> list[Finding]:
    """DAW scripts: who is connected or greets, whether they fit, how often they speak; one can do without."""
    from bridge.daw import doctor as daw_doctor

    return [replace(one, ok=one.ok or None) for one in daw_doctor.check_scripts(port)]


def check_plugins(port: int, running: bool) -> list[Finding]:
    """The plugin's formats that are installed, and the instances that a running `live` knows; one can do without."""
    from bridge.controls.conformance import Probe
    from bridge.plugin.install import FORMATS, installed

    home = home_or_none()
    if home is None:
        return [Finding("plugin", None, "your home folder is not known", "set HOME")]
    there = installed(home)
    advice = "" if there else "cuebridge install-plugin, see docs/daw/plugin.md"
    found = ", ".join(there) if there else f"not installed ({', '.join(each.upper() for each in FORMATS)})"
    findings = [Finding("plugin", True if there else None, found, advice)]
    if running:
        with Probe("127.0.0.1", port) as probe:
            answer = probe.ask(controls.PLUGINS)
        if answer is not None and answer.address == controls.PLUGINS:
            lines = [str(line) for line in answer.arguments[1:]]
            findings += [Finding("plugin in the DAW", True, line) for line in lines]
            if not lines:
                findings.append(Finding("plugin in the DAW", None, "no instance speaks with this `live`"))
    return findings


def check_writing() -> Finding:
    folder = Path(os.getcwd())
    if os.access(folder, os.W_OK):
        return Finding("working folder", True, f"{folder} can be written")
    return Finding("working folder", None, f"{folder} cannot be written", "give --out a file in another folder")


def conformance(port: int) -> list[Finding]:
    """Every address of a running `live`, asked and refused."""
    from bridge.controls.conformance import check_every_address

    return [Finding(name, ok, found) for name, ok, found in check_every_address("127.0.0.1", port)]
