"""What `cuebridge doctor` asks about ports, priority and timing: facts and what to change, nothing printed
here."""

from __future__ import annotations

import select
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from bridge.finding import Finding
from bridge.player.messages import PlayerOptions, PlayerStatus
from bridge.player.ports import WINDOWS_ADVICE, ApiProbe, probe_apis
from bridge.player.priority import ask_for_realtime, may_lock_memory
from bridge.transport.rate_watch import SPAN_S

TIMER_STEP_S: Final = 0.005
TIMER_STEPS: Final = 200
TIMER_GOOD_MS: Final = 2.0
T = TypeVar("T")


def check_ports(probes: list[ApiProbe] | None = None) -> list[Finding]:
    """One row per MIDI system, each failure with its reason, and one on whether notes can go out at all."""
    probes = probe_apis() if probes is None else probes
    usable = [probe.api for probe in probes if probe.available]
    rows = [_port_row(probe) for probe in probes]
    if usable:
        rows.append(Finding("MIDI out", True, f"possible on {', '.join(usable)}; auto takes {usable[0]}"))
    else:
        rows.append(Finding("MIDI out", False, "no MIDI system: music is only written to a file", _advice()))
    return rows


def _port_row(probe: ApiProbe) -> Finding:
    name = f"MIDI system {probe.api}"
    if not probe.available:
        return Finding(name, None, f"not usable: {probe.reason}")
    outputs, inputs = ", ".join(probe.outputs) or "none", ", ".join(probe.inputs) or "none"
    return Finding(name, True, f"usable; ports that take MIDI: {outputs}; ports that give it: {inputs}")


def _advice() -> str:
    if sys.platform == "win32":
        return WINDOWS_ADVICE.format(name="CueBridge")
    if sys.platform == "darwin":
        return "install python-rtmidi: pip install 'cuebridge[midi]'."
    return "load the ALSA sequencer (modprobe snd-seq), or start a JACK or PipeWire server, then run this again."


def check_priority() -> list[Finding]:
    """What the system answers when real-time priority is asked for; asked in a thread that ends at once."""
    answer = _in_thread(ask_for_realtime)
    if not answer.startswith("normal"):
        return [Finding("priority", True, answer + (", memory can be locked" if may_lock_memory() else ""))]
    advice = ""
    if sys.platform.startswith("linux"):
        advice = (
            "allow it with 'rtprio 70' and 'memlock unlimited' for your user in /etc/security/limits.d and log in "
            "again; notes jitter under load without it."
        )
    return [Finding("priority", False, answer, advice)]


def check_timer(steps: int = TIMER_STEPS) -> list[Finding]:
    """Lateness of absolute 5 ms deadlines, waited for the way the player waits, with the priority the player
    gets."""
    late = _in_thread(lambda: _measure(steps))
    late.sort()
    p50, p99 = late[len(late) // 2], late[min(len(late) - 1, int(len(late) * 0.99))]
    found = f"lateness of {steps} deadlines: p50 {p50:.3f} ms, p99 {p99:.3f} ms, max {late[-1]:.3f} ms"
    good = p99 <= TIMER_GOOD_MS
    return [Finding("timer", good, found, "" if good else "close programs that load the machine, or see 'priority'.")]


def _measure(steps: int) -> list[float]:
    ask_for_realtime()
    late = []
    deadline = time.perf_counter()
    for _ in range(steps):
        deadline += TIMER_STEP_S
        while (left := deadline - time.perf_counter()) > 0:
            if sys.platform == "win32":
                time.sleep(left)
            else:
                select.select((), (), (), left)
        late.append((time.perf_counter() - deadline) * 1000)
    return late


def _in_thread(work: Callable[[], T]) -> T:
    """In a thread of its own: priority belongs to threads, and this process keeps its own."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def check_sync(options: PlayerOptions | None = None, listen_s: float = 2.0) -> list[Finding]:
    """Opens the ports, listens for a while to whatever arrives, and says what it was.  The frame rate stated in the
    options is compared with the one that arrives.  Raises PortError where the ports cannot be opened."""
    from bridge.player.link import PlayerLink

    options = options or PlayerOptions()
    sync = replace(options.sync, position="auto", tempo="auto")
    end = time.perf_counter() + listen_s
    with PlayerLink(replace(options, sync=sync, realtime=False)) as link:
        status = link.wait_for(lambda status: status.state in ("locked", "lost"), listen_s) or link.poll()
        if status is not None and status.source_rate:  # the thousandth between 24 and 23.976 takes ten seconds to show
            link.wait_for(lambda status: any(_OFF_RATE in note for note in status.notes), end - time.perf_counter())
        status = link.poll()
    assert status is not None
    rows = [sync_row(status, listen_s)]
    if status.source_rate:
        rows.append(_rate_row(status, options.sync.frame_rate, listen_s))
    rows += [_note_row(note) for note in status.notes if "Following" not in note]
    return rows


def _note_row(note: str) -> Finding:
    """A sentence of the synchronizer: the script of Cubase or Nuendo presents itself and names what is missing."""
    if ": the script " in note:
        return Finding("DAW script cubase", True, note)
    if note.startswith("In this "):
        return Finding("DAW script cubase", None, note)
    return Finding("sync", False, note)


_OFF_RATE: Final = "but runs at"  # of the sentence of `Synchronizer` about a rate that is a thousandth off


def _rate_row(status: PlayerStatus, stated: str | None, listen_s: float) -> Finding:
    """The timecode's rate as it names itself, as it was stated and, where that was listened to for long enough, as it
    runs."""
    rate = status.source_rate.split(" (")[0]
    same = stated is None or rate == stated
    off = any(_OFF_RATE in note for note in status.notes)
    found = status.source_rate
    if rate in ("24", "23.976", "30", "29.97") and not off:
        found += ", as measured" if listen_s >= SPAN_S + 1 else f"; to measure it takes --listen {SPAN_S + 2:g}"
    advice = "" if same else f"set the DAW and --frame-rate to the same rate ({stated} was stated)."
    return Finding("timecode rate", same and not off, found, advice)


def sync_row(status: PlayerStatus, listen_s: float) -> Finding:
    port = status.sync_port or "none"
    if status.position_source == "internal":
        advice = f"start the DAW with its timecode or clock sent to '{port}', then run this again."
        if port == "none":
            advice = "without a MIDI system only the DAW scripts can say where the playhead is."
        return Finding("sync", None, f"nothing arrived within {listen_s:g} s (sync port {port})", advice)
    tempo = f"tempo {status.tempo_bpm:.2f} by {status.tempo_source}" if status.tempo_source != "none" else "no tempo"
    found = f"{status.position_source}, {status.state}, at {status.position_s:.2f} s, {tempo} (sync port {port})"
    return Finding("sync", status.state in ("locked", "locking", "stopped"), found)
