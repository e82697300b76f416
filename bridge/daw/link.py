"""The bridge's end of the /daw/* conversation: who is there, what they say, what they were asked to do.

No socket, no thread: messages and times go in, datagrams come out.  Seconds are timeline seconds, host times are
`time.perf_counter`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bridge.daw.capabilities import missing, sentence, spoken
from bridge.daw.events import DawEvents, DawInfo, DawMarker, DawRegion, FilmItem
from bridge.daw.fields import plain
from bridge.daw.from_script import Chunk, RangeRequest
from bridge.daw.mailbox import Mailboxes
from bridge.daw.names import NamedMark, read_name
from bridge.daw.native import NATIVE_DAW, ReaperNative
from bridge.daw.native import PREFIX as NATIVE_PREFIX
from bridge.daw.print import PrintJob, PrintPart, write_clips, write_print
from bridge.daw.protocol import (
    ALL_MARKERS,
    PROTOCOL,
    SCOPES,
    Ack,
    Alive,
    Bye,
    CapabilitiesChunk,
    Capability,
    CapabilityStatus,
    DawError,
    DawMessage,
    DawProtocolError,
    DoClips,
    DoMarker,
    DoPrint,
    DoSession,
    DoTempo,
    DoUnmark,
    FilmInfo,
    Got,
    Hello,
    Loop,
    MarkersChunk,
    PrintRequest,
    RegionsChunk,
    ScriptsQuery,
    ScriptStatus,
    SessionPath,
    TempoMapChunk,
    ThawRequest,
    TimecodeInfo,
    Transport,
    Welcome,
    Who,
    encode,
    osc_arguments,
    parse,
)
from bridge.daw.script import Pending, Request, Script
from bridge.daw.tempo import steps_of, tempo_map_of
from engine.music.errors import MusicError
from engine.music.meter import TempoMap
from engine.music.temporary import TemporaryFolder
from engine.music.timecode import TimecodeClock, timecode_rate

__all__ = [
    "DawEvents",
    "DawInfo",
    "DawLink",
    "DawMarker",
    "DawRegion",
    "FilmItem",
    "MarkerWish",
    "NamedMark",
    "Outgoing",
    "PrintJob",
    "PrintPart",
]

SILENT_AFTER_S: Final = 3.0  # a script says something at least once a second
ALIVE_EVERY_S: Final = 1.0
RESEND_AFTER_S: Final = 0.5
GIVE_UP_AFTER: Final = 20  # tries, ever farther apart: Live needs half a second for each of many locators
MAX_TEMPO_STEPS: Final = 40  # of one DoTempo message
MAX_SCRIPTS: Final = 8
MAX_WORD: Final = 200  # characters of the name of a DAW
MAX_REFUSED: Final = 20  # addresses of one script, of whose refusal the user hears
UNHEARD_GREETINGS: Final = 3  # after the first, each two seconds after the one before: it hears none of our answers
UNFIT_FOR_S: Final = 6.0  # a script of another protocol greets every two seconds


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A datagram to be sent from the server's own socket."""

    host: str
    port: int
    datagram: bytes


@dataclass(frozen=True, slots=True)
class MarkerWish:
    """A marker of ours: a stable number, timeline second, name, colour 0xRRGGBB."""

    number: int
    position_s: float
    name: str
    rgb: int = 0xE0A030


def _unheard(script: Script) -> str:
    """Why a script that is here does not follow: said once, since nothing else would be seen of it."""
    name = spoken(script.info.daw)
    if script.mailbox:
        return f"{name} greets again and again: its script cannot read the file that CueBridge answers into."
    return (
        f"{name} greets again and again: its script does not hear CueBridge. Is its port for answers, "
        f"{script.reply[1]}, taken by another program, or a firewall between?"
    )


class DawLink:
    """Not thread-safe: one thread calls it."""

    def __init__(
        self,
        events: DawEvents,
        *,
        version: str,
        print_dir: Path | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._events = events
        self._version = version
        self._print_dir = print_dir
        self._prints: TemporaryFolder | None = None  # where no other folder was given
        self._clock = clock
        self._scripts: dict[tuple[str, int], Script] = {}
        self._native: dict[tuple[str, int], ReaperNative] = {}
        self._request = 0
        self._leader: tuple[str, int] | None = None
        self._unfit: dict[tuple[str, int], DawInfo] = {}  # scripts of another protocol: known, not listened to
        self._mailboxes = Mailboxes()
        self._unchecked: dict[tuple[str, int], tuple[Hello, float]] = {}  # whose mailbox is being looked at, since when

    # In ----------------------------------------------------------------------------------------------------------
    def handle_osc(
        self, address: str, args: Sequence[object], sender: tuple[str, int], arrived_host_s: float
    ) -> list[Outgoing]:
        """Any message below /daw/; a refusal is answered with /daw/error.  Never raises for what came in."""
        sender = (sender[0], sender[1])
        try:
            if address.startswith(NATIVE_PREFIX):
                if sender not in self._native and len(self._native) >= MAX_SCRIPTS:
                    return []
                native = self._native.setdefault(sender, ReaperNative())
                out: list[Outgoing] = []
                for message in native.take(address, args):
                    # REAPER would read our answers as control messages: it gets none.
                    self.handle(message, sender, arrived_host_s)
                for sentence in native.notes:
                    self._events.note(sentence)
                native.notes.clear()
                return out
            return self.handle(parse(address, args), sender, arrived_host_s)
        except DawProtocolError as error:
            script = self._scripts.get(sender)
            if script is not None and address not in script.refused and len(script.refused) < MAX_REFUSED:
                script.refused.add(address)  # said once: it would be lost without a word
                self._events.note(f"{spoken(script.info.daw)} sent what CueBridge cannot use: {plain(str(error))}")
            return [Outgoing(*sender, encode(DawError(address[:200], error.code, str(error)[:400])))]

    def handle(self, message: DawMessage, sender: tuple[str, int], arrived_host_s: float) -> list[Outgoing]:
        """Raises DawProtocolError where the content cannot be used (a tempo map that goes backwards)."""
        sender = (sender[0], sender[1])
        if isinstance(message, Hello):
            return self._hello(message, sender, arrived_host_s)
        if isinstance(message, ScriptsQuery):
            return [Outgoing(*sender, encode(one)) for one in self._status_messages()]
        script = self._scripts.get(sender)
        if isinstance(message, Bye):
            if script is not None:
                self._leave(sender, "bye")
            return []
        if sender in self._unfit or sender in self._unchecked:
            return []
        if script is None and isinstance(message, RangeRequest) and self._leader is not None:
            # Ardour's menu actions are scripts of their own, with a socket of their own.
            script = self._scripts[self._leader]
        if script is None:
            return [Outgoing(*sender, encode(Who()))]
        script.info = replace(script.info, last_heard_s=arrived_host_s)
        script.greetings = 0
        out: list[Outgoing] = []
        if isinstance(message, Transport):
            self._transport(script, message, arrived_host_s)
        elif isinstance(message, Loop):
            script.loop = (message.start_s, message.end_s) if message.end_s > message.start_s else None
            if script.is_news(message):
                self._events.loop(script.info, bool(message.on), message.start_s, message.end_s)
        elif isinstance(message, TimecodeInfo):
            if script.is_news(message):
                self._timecode(script, message)
        elif isinstance(message, Chunk):
            out = self._chunk(script, message)
        elif isinstance(message, FilmInfo):
            if script.is_news(message):
                self._events.film(script.info, message)
        elif isinstance(message, SessionPath):
            if script.is_news(message):
                self._events.session_path(script.info, message.path)
        elif isinstance(message, PrintRequest):
            self._events.print_request(script.info, message.scope, message.start_s, message.end_s)
        elif isinstance(message, ThawRequest):
            self._events.thaw_request(script.info, message.scope, message.start_s, message.end_s)
        elif isinstance(message, Ack):
            if script.pending.pop(message.request, None) is not None:
                self._events.acknowledged(script.info, message.request, bool(message.ok), plain(message.text))
        else:
            raise DawProtocolError("bad_value", f"{message.ADDRESS} is for scripts, not for the bridge.")
        return out

    def _hello(self, message: Hello, sender: tuple[str, int], now_s: float, checked: str = "") -> list[Outgoing]:
        """checked: the mailbox that was found to be one."""
        known = self._scripts.get(sender)
        if known is None and len(self._scripts) + len(self._unchecked) >= MAX_SCRIPTS:
            raise DawProtocolError("busy", f"{MAX_SCRIPTS} scripts are connected, that is enough.")
        info = DawInfo(
            daw=plain(message.daw[:MAX_WORD]),
            host_version=plain(message.host_version),
            script_version=plain(message.version),
            protocol=message.protocol,
            sender=sender,
            abilities=frozenset(message.abilities.split()),
            offered=frozenset(message.abilities.split()),
            interpreter=plain(message.interpreter),
            last_heard_s=now_s,
            version_ok=message.protocol == PROTOCOL,
        )
        if not info.version_ok:
            return self._refuse(info, sender)
        self._unfit.pop(sender, None)
        if message.mailbox and checked != message.mailbox:
            self._unchecked[sender] = (message, now_s)
            self._mailboxes.check(message.mailbox)
            return []
        reply = (sender[0], message.reply_port or sender[1])
        script = Script(info, reply, message.mailbox, alive_s=now_s)
        if known is not None:
            script.pending = known.pending
            script.greetings = known.greetings + 1
            if script.greetings == UNHEARD_GREETINGS:
                self._events.note(_unheard(script))
        self._scripts[sender] = script
        if known is None or known.info.daw != info.daw:
            if self._leader is not None and self._leader != sender and self._leader in self._scripts:
                first = self._scripts[self._leader].info.daw
                self._events.note(f"{info.daw} joined too; the transport of {first} stays in force until it leaves.")
            self._events.hello(info)
        if self._leader not in self._scripts:
            self._leader = sender
        return self._to(script, Welcome(self._version, PROTOCOL))

    def _refuse(self, info: DawInfo, sender: tuple[str, int]) -> list[Outgoing]:
        """A script of another protocol is not welcomed: what it says would mean something else.  Said once."""
        again = f"run `cuebridge install-script {info.daw.split('-')[0]}` again and restart the DAW"
        sentence = f"The {info.daw} script speaks protocol {info.protocol}, this is {PROTOCOL}: {again}."
        if sender in self._scripts:
            self._leave(sender, "bye")
        if sender not in self._unfit:
            if len(self._unfit) >= MAX_SCRIPTS:
                return []
            self._events.note(sentence)
        self._unfit[sender] = info
        return [Outgoing(*sender, encode(DawError(Hello.ADDRESS, "bad_protocol", sentence)))]

    def _mailbox_results(self, now_s: float) -> list[Outgoing]:
        """Scripts whose mailbox is one are welcomed; a mailbox that cannot be written any more is said."""
        out: list[Outgoing] = []
        for result in self._mailboxes.results():
            waiting = [sender for sender, (hello, _) in self._unchecked.items() if hello.mailbox == result.path]
            for sender in waiting:
                hello, _ = self._unchecked.pop(sender)
                if result.problem:
                    out.append(Outgoing(*sender, encode(DawError(Hello.ADDRESS, "bad_value", result.problem))))
                else:
                    out += self._hello(hello, sender, now_s, checked=result.path)
            for script in self._scripts.values():
                if result.problem and script.mailbox == result.path and not script.mailbox_failed:
                    script.mailbox_failed = True
                    self._events.note(f"The {script.info.daw} script cannot be answered: {result.problem}")
        return out

    def _transport(self, script: Script, message: Transport, arrived_s: float) -> None:
        observation = script.observe(message, arrived_s)
        if observation is not None and self._leader == script.info.sender:
            self._events.transport(script.info, observation)

    def _timecode(self, script: Script, message: TimecodeInfo) -> None:
        try:
            rate = timecode_rate(message.fps, drop=bool(message.drop))
            start = TimecodeClock(rate, stated=True).parse(message.start) if message.start else None
        except MusicError as error:
            raise DawProtocolError("bad_value", str(error)) from error
        self._events.timecode(script.info, rate, start)

    def _chunk(
        self, script: Script, message: TempoMapChunk | MarkersChunk | RegionsChunk | CapabilitiesChunk
    ) -> list[Outgoing]:
        what = message.ADDRESS.rpartition("/")[2]
        items = script.collect(what, message)
        if items is None:
            return []
        if script.done.get(what) != message.revision:  # else a repetition: our Got was lost
            script.done[what] = message.revision
            if what == "tempomap":
                if items:
                    self._events.tempo_map(script.info, tempo_map_of(items))
            elif what == "capabilities":
                self._capabilities(script, items)
            elif what == "markers":
                self._events.markers(script.info, items)
                self._named(script, what, [read_name(item.name, item.position_s) for item in items])
            else:
                self._events.regions(script.info, items)
                self._named(script, what, [read_name(item.name, item.start_s, item.end_s) for item in items])
        return self._to(script, Got(what, message.revision))

    def _capabilities(self, script: Script, rows: tuple[Capability, ...]) -> None:
        """What the self-test found, or what failed since: only what works is asked for, the rest is said once."""
        rows = tuple(replace(row, feature=plain(row.feature), call=plain(row.call), why=plain(row.why)) for row in rows)
        said = missing(script.info.capabilities)
        refused = missing(rows)
        script.info = replace(script.info, capabilities=rows, abilities=frozenset(script.info.offered - refused.keys()))
        fresh = [row for feature, row in refused.items() if feature not in said]
        if fresh:
            self._events.note(sentence(script.info.daw, script.info.host_version, fresh))
        self._events.capabilities(script.info)

    def _named(self, script: Script, what: str, found: Sequence[NamedMark | None]) -> None:
        before = script.names
        prints, gone = script.rename(what, [mark for mark in found if mark is not None])
        if gone:
            self._events.names_gone(script.info, tuple(gone))
        if script.names != before:
            self._events.names(script.info, script.names)
        for mark in prints:
            scope = mark.value.lower()
            if scope not in SCOPES or (scope == "selection" and mark.end_s is None):
                self._events.note(f"'{mark.name}' prints nothing; write print: cue or print: film, or give a clip or "
                                  "region the name print: selection.")  # fmt: skip
                continue
            self._events.print_request(script.info, scope, mark.start_s, mark.end_s or mark.start_s)

    # Time passes -------------------------------------------------------------------------------------------------
    def tick(self, host_s: float) -> list[Outgoing]:
        """Call 4 to 20 times a second: repeats what was not answered, says we are alive, notices who fell silent."""
        out = self._mailbox_results(host_s)
        for sender, info in list(self._unfit.items()):
            if host_s - info.last_heard_s > UNFIT_FOR_S:
                del self._unfit[sender]
        for sender, (_, since_s) in list(self._unchecked.items()):
            if host_s - since_s > UNFIT_FOR_S:  # its file system does not answer
                del self._unchecked[sender]
        for sender, script in list(self._scripts.items()):
            # REAPER's own OSC says nothing while nothing changes; every script speaks at least once a second.
            may_be_silent = script.info.daw == NATIVE_DAW and not script.rolling
            # While it writes a long print into the DAW no script can speak; it is given up with the request.
            may_be_silent |= any(isinstance(pending.message, (DoPrint, DoClips)) for pending in script.pending.values())
            if host_s - script.info.last_heard_s > SILENT_AFTER_S and not may_be_silent:
                self._leave(sender, "silent")
                continue
            if host_s - script.alive_s >= ALIVE_EVERY_S:
                script.alive_s = host_s
                out += self._to(script, Alive())
            for request, pending in list(script.pending.items()):
                if host_s < pending.next_s:
                    continue
                if pending.tries >= GIVE_UP_AFTER:
                    del script.pending[request]
                    self._events.acknowledged(script.info, request, False, "the DAW's script did not answer.")
                    continue
                pending.tries += 1
                pending.next_s = host_s + RESEND_AFTER_S * pending.tries
                out += self._to(script, pending.message)
        return out

    def _leave(self, sender: tuple[str, int], reason: str) -> None:
        script = self._scripts.pop(sender)
        self._native.pop(sender, None)
        if self._leader == sender:
            self._leader = next(iter(self._scripts), None)
        self._events.bye(script.info, reason)
        for request in script.pending:
            self._events.acknowledged(script.info, request, False, "the DAW's script went away.")

    # Out ---------------------------------------------------------------------------------------------------------
    def _to(self, script: Script, message: DawMessage) -> list[Outgoing]:
        if script.info.daw == NATIVE_DAW:
            return []  # REAPER itself would take it for a control message
        if not script.mailbox:
            return [Outgoing(*script.reply, encode(message))]
        address, _, values = osc_arguments(message)
        cells = [repr(value) if isinstance(value, float) else str(value) for value in values]
        line = "\t".join([address, *(" ".join(cell.split("\t")).replace("\n", " ") for cell in cells)]) + "\n"
        self._mailboxes.append(script.mailbox, line)
        return []

    def _able(self, *abilities: str) -> list[Script]:
        """The scripts that can do one of these, the one whose transport is in force first."""
        scripts = sorted(self._scripts.items(), key=lambda item: item[0] != self._leader)
        return [script for _, script in scripts if script.info.abilities.intersection(abilities)]

    def _ask(
        self, ability: str, make: Callable[[int], Request], *, to: Sequence[Script] | None = None
    ) -> tuple[int, list[Outgoing]]:
        """Sends a request to these scripts, or to every one that can; 0 where none can."""
        able = self._able(ability) if to is None else to
        if not able:
            return 0, []
        self._request += 1
        message = make(self._request)
        out: list[Outgoing] = []
        for script in able:
            script.pending[self._request] = Pending(message, self._clock() + RESEND_AFTER_S)
            out += self._to(script, message)
        return self._request, out

    def push_markers(self, markers: Sequence[MarkerWish]) -> list[Outgoing]:
        """Sets or moves our markers in every DAW that can."""
        out: list[Outgoing] = []
        for marker in markers:
            name = " ".join(marker.name.split())[:200]
            out += self._ask(
                "do_marker",
                lambda request, marker=marker, name=name: DoMarker(  # type: ignore[misc]
                    request, marker.number, float(marker.position_s), name, marker.rgb
                ),
            )[1]
        return out

    def clear_markers(self) -> list[Outgoing]:
        """Removes every marker that we set."""
        return self._ask("do_marker", lambda request: DoUnmark(request, ALL_MARKERS))[1]

    def set_tempo(self, tempo_map: TempoMap) -> list[Outgoing]:
        """Gives the DAW this tempo map; longer ones than 40 steps go by a .mid file, which is said."""
        steps = steps_of(tempo_map)
        if len(steps) > MAX_TEMPO_STEPS:
            self._events.note(
                f"The tempo map has {len(steps)} steps, more than a script takes ({MAX_TEMPO_STEPS}): "
                "import the tempo from the exported .mid."
            )
            return []
        return self._ask("do_tempo", lambda request: DoTempo(request, steps))[1]

    def print_job(self, job: PrintJob) -> tuple[int, list[Outgoing]]:
        """Writes a print file and asks a script to put it into tracks.  Request 0: nobody can (note says so)."""
        able = self._able("do_print", "do_clips")
        if not able:
            self._events.note("No DAW script that can print is connected; export a .mid and drag it in.")
            return 0, []
        if self._print_dir is None:
            self._prints = TemporaryFolder("print")
            self._print_dir = self._prints.path
        self._print_dir.mkdir(parents=True, exist_ok=True)
        stem = f"print-{os.getpid()}-{self._request + 1}"
        if "do_print" not in able[0].info.abilities:
            clips = write_clips(self._print_dir, stem, job)
            return self._ask("do_clips", lambda request: DoClips(request, job.name[:200], clips), to=able[:1])
        path = self._print_dir / f"{stem}.txt"
        write_print(path, job)
        return self._ask("do_print", lambda request: DoPrint(request, str(path)), to=able[:1])

    def close(self) -> None:
        """Removes what was printed; scripts have read it."""
        if self._prints is not None:
            self._prints.remove()

    def store_session_path(self, path: str) -> list[Outgoing]:
        """The DAW's project remembers this session file."""
        return self._ask("do_session", lambda request: DoSession(request, path))[1]

    def _status_messages(self) -> list[ScriptStatus | CapabilityStatus]:
        """The answer to a doctor's query."""
        found = self.status()
        if not found:
            return [ScriptStatus(0, "", "", "", 0, 0, 0.0, 0, 0.0, 0)]
        messages: list[ScriptStatus | CapabilityStatus] = [
            ScriptStatus(
                count=len(found),
                daw=info.daw,
                host_version=info.host_version,
                version=info.script_version,
                protocol=info.protocol,
                fits=int(info.version_ok),
                rate_hz=info.rate_hz,
                lost=info.lost,
                jitter_ms=info.jitter_ms,
                leads=int(info.sender == self._leader),
                interpreter=info.interpreter,
                rows=len(info.capabilities),
            )
            for info in found
        ]
        messages += [
            CapabilityStatus(info.daw, row.feature, row.call, row.works, row.why)
            for info in found
            for row in info.capabilities
        ]
        return messages

    def status(self) -> tuple[DawInfo, ...]:
        """Connected scripts, the one whose transport is in force first; last those of another protocol."""
        connected = [
            script.info for _, script in sorted(self._scripts.items(), key=lambda item: item[0] != self._leader)
        ]
        return (*connected, *self._unfit.values())
