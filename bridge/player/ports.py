"""MIDI output ports: which MIDI systems are there, and opening fixed-name ports on one of them.

Order for "auto": JACK through the process callback where its extra is installed and a server runs
(frame-accurate), then the systems python-rtmidi was compiled with, then "none": events are only recorded, and
the reason is said.  No way is taken silently: `Output.reason` tells which one and why.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bridge.player.errors import PortError
from bridge.player.messages import APIS, PortOptions
from bridge.player.port_types import ControlIn, PortLostError, SyncIn, no_source, one_line, quiet_stderr
from bridge.player.scheduler import Due
from bridge.transport.cubase_sysex import SAY_AGAIN
from engine.music.extras import has_extra

_COMPILED: Final = {"coremidi": 1, "alsa": 2, "jack": 3, "winmm": 4}  # rtmidi's own numbers
WINDOWS_ADVICE: Final = (
    "Windows programs cannot create MIDI ports by themselves: install loopMIDI and add a port named '{name}', or on "
    "Windows 11 with MIDI Services use the built-in 'Default App Loopback (A)', then run this again."
)


class _NotBuiltError(PortError):
    """python-rtmidi does not know that MIDI system at all, as on a system that has none of the kind."""


class Output(Protocol):
    """Where the player's messages go.  `lookahead_s`: how far ahead of their time messages are wanted.  fault: what
    could not be had besides the ports, for the person."""

    api: str
    reason: str
    names: tuple[str, ...]
    lookahead_s: float
    xruns: int
    sync_port: str
    control_port: str
    fault: str

    @property
    def alive(self) -> bool: ...

    def send(self, batch: Sequence[Due]) -> None:
        """Sends or queues messages in order.  Raises PortLostError."""

    def send_sync(self, batch: Sequence[tuple[float, bytes]]) -> None:
        """Timecode and clock, (host_s, message), on the clock port where one was asked for.  Raises
        PortLostError."""

    def drain(self, timeout_s: float) -> None:
        """Waits until what was queued has been written."""

    def peers(self) -> tuple[tuple[str, str], ...]:
        """(our port, their port) for every connection known; empty where the system does not tell."""

    def connect(self, peers: Sequence[tuple[str, str]]) -> None:
        """Makes connections again; those that cannot be made are left."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ApiProbe:
    """One MIDI system: whether ports can be opened on it, the ports seen, and why not."""

    api: str
    available: bool
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    reason: str


def load_rtmidi() -> Any:
    """The python-rtmidi module.  Raises PortError with what to do when it is not installed."""
    try:
        import rtmidi
    except ImportError as error:
        raise PortError(
            f"python-rtmidi is not installed ({error}); without it there is no MIDI port and the music is written to a "
            "file only: pip install 'cuebridge[midi]'."
        ) from None
    os.environ.setdefault("JACK_NO_START_SERVER", "1")  # else any JACK client without a server starts one
    return rtmidi


def jack_missing(error: ImportError) -> str:
    """What is not there: JACK-Client, or the library that it loads."""
    if has_extra("jack"):
        return str(error)
    return "the extra is not installed: pip install 'cuebridge[jack]'"


def port_names(options: PortOptions, parts: Sequence[str]) -> tuple[str, ...]:
    """`CueBridge`, or `CueBridge Pad`, `CueBridge Arp`, …"""
    if options.layout != "per-part":
        return (options.name,)
    return tuple(f"{options.name} {part.capitalize()}" for part in parts)


class RecordOnly:
    """No MIDI system: takes everything, sends nothing; what it takes is reported like sent messages."""

    api = "none"
    lookahead_s = 0.0
    xruns = 0
    sync_port = control_port = fault = ""
    alive = True

    def __init__(self, names: tuple[str, ...], reason: str) -> None:
        self.names, self.reason = names, reason

    def send(self, batch: Sequence[Due]) -> None:
        pass

    def send_sync(self, batch: Sequence[tuple[float, bytes]]) -> None:
        pass

    def drain(self, timeout_s: float) -> None:
        pass

    def peers(self) -> tuple[tuple[str, str], ...]:
        return ()

    def connect(self, peers: Sequence[tuple[str, str]]) -> None:
        pass

    def close(self) -> None:
        pass


class RtMidiOutput:
    """Virtual ports through python-rtmidi (on Windows: existing ports of that name).  Sends at once."""

    lookahead_s = 0.0
    xruns = 0

    def __init__(
        self,
        api: str,
        names: tuple[str, ...],
        reason: str = "",
        sync_in: SyncIn | None = None,
        clock_port: str = "",
        control: ControlIn | None = None,
    ) -> None:
        self.api, self.names = api, names
        self._clock_out: Any = None
        self._pair_out: Any = None
        self.sync_port = self.control_port = self.fault = ""
        self._control: list[Any] = []
        self._outs: list[Any] = []
        self._in: Any = None  # kept: an input that is collected goes silent
        self._watch: Any = None
        rtmidi = load_rtmidi()
        if _COMPILED[api] not in rtmidi.get_compiled_api():
            raise _NotBuiltError(f"python-rtmidi here was built without {api}.")
        try:
            with quiet_stderr():
                for name in names:
                    self._outs.append(self._open(rtmidi, name))
                if clock_port:
                    self._clock_out = self._open(rtmidi, clock_port)
                if sync_in is not None:
                    self._in = self._open_in(rtmidi, sync_in)
                    self.sync_port = sync_in.name if self._in is not None else ""
                    if api == "coremidi":
                        # Cubase finds its script by a pair of ports of one name.  (On Windows a loopMIDI port is one.)
                        self._pair_out = self._open(rtmidi, sync_in.name)
                        self._pair_out.send_message(SAY_AGAIN)
                if control is not None:
                    self._open_control(rtmidi, control)
                if api == "jack":
                    self._watch = _jack_watch(names[0])
        except PortError:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise PortError(f"no port on {api}: {one_line(error)}") from None
        self.reason = reason or f"python-rtmidi, {api}"

    def _open(self, rtmidi: Any, name: str) -> Any:
        out = rtmidi.MidiOut(_COMPILED[self.api], name=name)
        if self.api != "winmm":
            out.open_virtual_port(name)
            return out
        index = match_windows_port(out.get_ports(), name)
        if index is None:
            raise PortError(WINDOWS_ADVICE.format(name=name))
        out.open_port(index)
        return out

    def _open_in(self, rtmidi: Any, wanted: SyncIn | ControlIn, existing: int | None = None) -> Any:
        """A virtual input, or the existing one of that index; None where there is none to be had."""
        into = rtmidi.MidiIn(_COMPILED[self.api], name=wanted.name)
        index = existing
        if self.api == "winmm" and index is None:
            built_in = "Default App Loopback (B)" if isinstance(wanted, SyncIn) else wanted.name
            index = match_windows_port(into.get_ports(), wanted.name, built_in)
            if index is None:
                into.delete()
                return None
        into.ignore_types(sysex=False, timing=isinstance(wanted, ControlIn), active_sense=True)

        def heard(event: tuple[list[int], float], _: object) -> None:
            # Stamped first of all; rtmidi's own difference times would add up their rounding.
            now = time.perf_counter()
            wanted.hear(now, bytes(event[0]))

        into.set_callback(heard)
        if index is not None:
            into.open_port(index)
        else:
            into.open_virtual_port(wanted.name)
        return into

    def _open_control(self, rtmidi: Any, control: ControlIn) -> None:
        own = self._open_in(rtmidi, control)
        if own is not None:
            self._control.append(own)
            self.control_port = control.name
        if not control.source:
            return
        look = rtmidi.MidiIn(_COMPILED[self.api], name=control.name)
        names = look.get_ports()
        look.delete()
        index = next((at for at, name in enumerate(names) if control.source.lower() in name.lower()), None)
        if index is None:
            self.fault = no_source(control.source, names)
            return
        self._control.append(self._open_in(rtmidi, control, index))
        self.control_port = names[index]

    @property
    def alive(self) -> bool:
        return self._watch is None or bool(self._watch.alive)

    def send(self, batch: Sequence[Due]) -> None:
        try:
            for due in batch:
                self._outs[due.port].send_message((due.status, due.data1, due.data2))
        except Exception as error:  # rtmidi raises several kinds; all mean that the port does not take it
            raise PortLostError(one_line(error)) from None
        if not self.alive:
            raise PortLostError("the JACK server went away")

    def send_sync(self, batch: Sequence[tuple[float, bytes]]) -> None:
        if self._clock_out is None:
            return
        try:
            for _, message in batch:
                self._clock_out.send_message(message)
        except Exception as error:
            raise PortLostError(one_line(error)) from None

    def drain(self, timeout_s: float) -> None:
        pass

    def peers(self) -> tuple[tuple[str, str], ...]:
        if self._watch is None:
            return ()
        return tuple((name, peer) for name in self.names for peer in self._watch.connections(f"{name}:{name}"))

    def connect(self, peers: Sequence[tuple[str, str]]) -> None:
        if self._watch is not None and peers:
            self._watch.connect([(f"{name}:{name}", peer) for name, peer in peers])

    def close(self) -> None:
        # A dead JACK server makes closing block or complain; the process is about to forget the port anyway.
        with contextlib.suppress(Exception), quiet_stderr():
            for into in (*self._control, *([] if self._in is None else [self._in])):
                into.cancel_callback()
                into.close_port()
                into.delete()
            others = [out for out in (self._clock_out, self._pair_out) if out is not None]
            for out in (*self._outs, *others):
                out.close_port()
                out.delete()
        self._outs.clear()
        self._control.clear()
        self._in = self._clock_out = self._pair_out = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None


def _jack_watch(name: str) -> Any:
    """A passive JACK client that sees connections and the server's end; None without the extra or libjack."""
    try:
        from bridge.player.jack_output import JackWatch
    except ImportError:
        return None
    return JackWatch(f"{name} watch")


def match_windows_port(ports: Sequence[str], name: str, built_in: str = "Default App Loopback (A)") -> int | None:
    """A port of that name (WinMM adds an index behind it), else the built-in app loopback's A side (B to
    read)."""
    for wanted in (name, built_in):
        for index, port in enumerate(ports):
            if port == wanted or port.rsplit(" ", 1)[0] == wanted:
                return index
    return None


def open_output(
    options: PortOptions,
    parts: Sequence[str],
    hear: Callable[[float, bytes], None] | None = None,
    control: Callable[[float, bytes], None] | None = None,
    again: str = "",
) -> Output:
    """Opens the ports.  "auto" never fails: it ends with "none" and the reasons; an api asked for by name
    raises PortError.  again: the api that "auto" took before; ports that were lost come back there or not yet."""
    names = port_names(options, parts)
    sync_in = SyncIn(f"{options.name} Sync", hear) if options.sync_in and hear is not None else None
    clock = f"{options.name} Clock" if options.sync_out else ""
    control_in = (
        ControlIn(f"{options.name} {options.control_name}", control, options.control_from)
        if options.control_in and control is not None
        else None
    )
    if options.api not in ("auto", *APIS):
        raise PortError(f"'{options.api}' is not a MIDI system; known are auto, {', '.join(APIS)}.")
    if options.api != "auto":
        return open_api(options.api, names, f"{options.api}, as asked", sync_in, clock, control_in)
    if again not in ("", "none"):
        return open_api(again, names, "", sync_in, clock, control_in)
    reasons, worth = [], []
    for api in APIS[:-1]:
        try:
            output = open_api(api, names, "", sync_in, clock, control_in)
        except PortError as error:
            reasons.append(f"{api}: {error}")
            if not isinstance(error, _NotBuiltError):
                worth.append(reasons[-1])
        else:
            if worth:
                output.reason = f"{output.reason} (not {'; not '.join(worth)})"
            return output
    return open_api("none", names, "no MIDI system: " + "; ".join(reasons))


def open_api(
    api: str,
    names: tuple[str, ...],
    reason: str,
    sync_in: SyncIn | None = None,
    clock_port: str = "",
    control: ControlIn | None = None,
) -> Output:
    if api == "none":
        return RecordOnly(names, reason or "no port asked for")
    if api == "jack-client":
        try:
            from bridge.player.jack_output import JackOutput
        except ImportError as error:
            raise PortError(jack_missing(error)) from None
        return JackOutput(names, reason, sync_in, clock_port, control)
    return RtMidiOutput(api, names, reason, sync_in, clock_port, control)


def probe_apis() -> list[ApiProbe]:
    """Tries each MIDI system by opening a client on it (no port stays); for `cuebridge ports` and
    `doctor`."""
    found = []
    for api in APIS[:-1]:
        try:
            outputs, inputs = _probe_jack_client() if api == "jack-client" else _probe_rtmidi(api)
        except PortError as error:
            found.append(ApiProbe(api, False, (), (), str(error)))
        else:
            found.append(ApiProbe(api, True, outputs, inputs, ""))
    return found


def _probe_rtmidi(api: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rtmidi = load_rtmidi()
    if _COMPILED[api] not in rtmidi.get_compiled_api():
        raise _NotBuiltError(f"python-rtmidi here was built without {api}.")
    try:
        with quiet_stderr():
            out = rtmidi.MidiOut(_COMPILED[api], name="CueBridge probe")
            outputs = tuple(out.get_ports())
            out.delete()
            into = rtmidi.MidiIn(_COMPILED[api], name="CueBridge probe")
            inputs = tuple(into.get_ports())
            into.delete()
    except Exception as error:
        raise PortError(one_line(error)) from None
    return outputs, inputs


def _probe_jack_client() -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        from bridge.player.jack_output import probe
    except ImportError as error:
        raise PortError(jack_missing(error)) from None
    return probe()
