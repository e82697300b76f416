"""`cuebridge live FILM`: the three processes, the OSC port, the view, and the loop that ties them together.

The session lives in this thread alone.  Engine messages and OSC datagrams come in through one queue; the loop also
ticks fifty times a second, reads keys and draws.  Notes do not depend on it: the player has its own process.
"""

from __future__ import annotations

import contextlib
import gc
import queue
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO, cast

from bridge.commands.ending import Ending
from bridge.commands.live_options import LivePlan, parse
from bridge.commands.page_link import check_port, open_in_browser, page_link
from bridge.commands.signals import ENDING, handled
from bridge.commands.version import version
from bridge.controls.dispatch import PIECE_S, Controls
from bridge.controls.midi_learn_file import learn_path
from bridge.daw.link import Outgoing
from bridge.daw.session import DawBridge
from bridge.engine_link import EngineLink
from bridge.osc.budget import WorkBudget
from bridge.osc.clients import Target
from bridge.osc.codec import Argument
from bridge.osc.fair_queue import FairQueue
from bridge.osc.server import Datagram, OscServer
from bridge.page.link import PageLink, uploads_of
from bridge.page.session import SessionPage
from bridge.page.speaker import SpeakerLink
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.plugin.link import PluginLink
from bridge.session.edits.values import set_value
from bridge.session.file.autosave import Autosave
from bridge.session.file.export import RecordingFile, default_recording, export_midi, free_path
from bridge.session.session import Session
from bridge.session.snapshot import snapshot
from bridge.ui.beside import Beside
from bridge.ui.learn_prompt import LearnPrompt
from bridge.ui.view import Keys, LinesView, RichView, View
from engine.arrange.ensembles import ensembles
from engine.document import SavedSession
from engine.music import UserError, controls
from engine.music.files import make_way

TICK_S: Final = 0.02
DRAW_S: Final = 0.1
DATAGRAMS_PER_TURN: Final = 64
NOTE_OFFS_S: Final = 0.4
STEP_S: Final = 5.0  # of the arrow keys
PAGE_WAIT_S: Final = 5.0  # that `ready` waits for the page's address
TURN_S: Final = 0.01  # of a turn, for datagrams
YOUNG: Final = 2_000  # new values after which cycles are looked for among them


class Live:
    """One run of the command."""

    def __init__(
        self, plan: LivePlan, page: PageLink | None = None, from_page: queue.SimpleQueue[Any] | None = None
    ) -> None:
        """page: one that is there already and known to the person; the plan has none then.  from_page: where the
        page's messages wait, some perhaps since before this run."""
        self.plan = plan
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.page_link = page
        self.from_page: queue.SimpleQueue[Any] = queue.SimpleQueue() if from_page is None else from_page
        self.page: SessionPage | None = None
        self.plugin: PluginLink | None = None
        self.speaker: SpeakerLink | None = None
        self._sounds = False
        self.datagrams = FairQueue()
        self.work = WorkBudget()
        self._busy_with: Target | None = None  # the sender of the datagram that is half done
        self._keys_first = False  # keys and controllers found something half done: they come before anything new
        self.autosave: Autosave | None = None
        self.osc_port: int | None = None
        self.stopped_by: int | None = None
        self.leave = False
        self.written: Path | None = None
        self.recording = plan.record
        self.prompt = LearnPrompt(PART_KEYS)
        self.ending = Ending()
        self._starts = self.ending.saved = True  # there is no session yet, so nothing can be lost
        self._loop_from_s: float | None = None
        self._ports_known_s: float | None = None
        self._ready_is_said = self._page_is_said = False
        self._edits_known: tuple[int, int] | None = None  # steps of the history before anybody did anything

    def run(self) -> int:
        """The whole run; returns the exit code.  Raises UserError."""
        try:
            return self._run()
        except UserError:
            if self.stopped_by is None or not self._starts:
                raise
            return self._code  # a child that was ended while it started is no fault

    @property
    def _code(self) -> int:
        return 130 if self.stopped_by == signal.SIGINT else 0

    def _run(self) -> int:
        plan = self.plan
        keep_collections_short()
        read_tables()
        # The threads that arrange a long film hand the interpreter over after so long, each time the session wants it.
        sys.setswitchinterval(0.001)
        self.osc = osc = None
        if plan.osc_port is not None:
            self.osc = osc = OscServer(plan.osc_host, plan.osc_port, self._datagram)
        with contextlib.ExitStack() as stack:
            if osc is not None:
                stack.callback(osc.close)
            if plan.page is not None and self.page_link is None:
                check_port(plan.page)
            stack.enter_context(handled(self._signal, *ENDING))
            stack.enter_context(self.ending)
            player = PlayerLink(plan.player)
            self.ending.add(player.end_at_once)
            stack.enter_context(player)  # ports first: a DAW looks for them at its start
            self._start_page(stack, player)
            self._start_plugin(stack, player)
            engine = EngineLink(self.inbox.put)
            self.ending.add(engine.end_at_once)
            stack.enter_context(engine)
            self.session = session = Session(
                plan.session, player, engine.send, say=self._say, engine_pid=lambda: engine.pid
            )
            self.recorded = RecordingFile(session, replace=plan.replace)
            self.view: View = self._view(stack, osc)
            if plan.keeps_session:
                self.autosave = Autosave(session, plan.session_file, self._say)
                stack.callback(self.autosave.close)
            session.leave_film = self._leave_film
            if self.autosave is not None:
                session.look_for_session = self.autosave.look
                session.leave_cut = self.autosave.leave_cut
            self._starts = self.ending.saved = False
            self._start_controls(stack, osc)
            self._begin_session()
            self.keys = stack.enter_context(Keys(enabled=plan.keys, unheard=self.ending.asked))
            try:
                self._loop(osc)
            finally:
                self.ending.doing = "the player"
                if osc is not None:
                    osc.deafen()
                engine.hang_up()
                with contextlib.suppress(Exception):
                    player.stop()
                self._last_words(player)
                self.ending.doing, self.ending.saved = "what was started", True
        if session.failure is not None:
            raise UserError(session.failure)
        return self._code

    def _start_controls(self, stack: contextlib.ExitStack, osc: OscServer | None) -> None:
        """All that steers the session: OSC, the DAW's scripts and the page."""
        plan = self.plan
        self.daw = DawBridge(self.session, (lambda out: _send_all(osc, out)) if osc else _no_answer, version())
        stack.callback(self.daw.close)
        self.controls = Controls(
            self.session,
            self._answer,
            self._refuse,
            folders=plan.folders,
            save=self._save_session if plan.keeps_session else None,
            quit_=self._quit,
            daw=self.daw,
            learned=learn_path(),
            uploads=uploads_of(self.page_link) if self.page_link is not None else (),
            take_over=None if self.plugin is None else self.plugin.take_over,
        )
        if self.page_link is not None:
            self.page = SessionPage(self.page_link, self.controls, self._say, self._choose_film)
            stack.callback(self.page.close)
        if osc is not None:
            osc.start()
            self._start_query(stack, osc)
            self.osc_port = osc.port
            self._say(f"OSC on {osc.host} port {osc.port}.")

    def _begin_session(self) -> None:
        plan, session = self.plan, self.session
        for sentence in plan.read_as:
            self._say(sentence)
        if plan.saved is not None:
            session.restore(plan.saved)
        if plan.calibrated_ms:
            self._say(f"MIDI earlier–later: {plan.calibrated_ms:g} ms, as kept by `cuebridge calibrate`.")
        if plan.takes > 1:
            session.add_takes(max(plan.takes - max(len(session.takes), 1), 0))
        session.begin()

    def _start_page(self, stack: contextlib.ExitStack, player: PlayerLink) -> None:
        """The server comes up beside the engine; nothing waits for it."""
        wanted = self.plan.page
        if self.page_link is None and wanted is not None:
            self.page_link = page_link(wanted, version())
            self.ending.add(self.page_link.end_at_once)
            stack.callback(self.page_link.close)
            self.page_link.receive = self._from_page
            self.page_link.begin()
        elif self.page_link is not None:
            self.page_link.receive = self._from_page
        stack.callback(lambda: self.speaker.close() if self.speaker is not None else None)
        if self.page_link is not None:
            player.listeners.append(self.page_link.take_player_message)

    def _start_plugin(self, stack: contextlib.ExitStack, player: PlayerLink) -> None:
        """Instances of the plugin get the plan from here on."""
        if not self.plan.plugin:
            return
        self.plugin = plugin = PluginLink(player, self._say_soon)
        player.listeners.append(plugin.take_player_message)
        plugin.begin()
        stack.callback(plugin.close)

    def _say_soon(self, sentence: str) -> None:
        """From a thread."""
        self.inbox.put(lambda: self._say(sentence))

    def _tell_plugin(self) -> None:
        """Composing at start, what an analysis brings and a restored session are nobody's work: only edits are."""
        if self.plugin is None:
            return
        session, history = self.session, self.session.history
        place = (history.undo_count, history.redo_count)
        if self._edits_known is None:
            self._edits_known = place
        complete = session.document.result.complete and session.idle
        self.plugin.follow(session.film.name, complete, place != self._edits_known, session.status)
        session.plugins = self.plugin.in_words()

    def _from_page(self, message: Any) -> None:
        """In a thread of the link.  What comes before there is a session waits for it."""
        self.from_page.put(message)
        self.inbox.put(None)

    def _take_page_message(self) -> None:
        if self.page is not None and not self.from_page.empty():
            self.page.receive(self.from_page.get_nowait())

    def _choose_film(self, path: Path) -> None:
        self.session.load_film(path)

    def _answer(self, target: Target, address: str, values: Sequence[Argument]) -> None:
        if self.page is not None and self.page.answers(target, address, values):
            return
        if self.osc is not None:
            self.osc.send(target, address, values)

    def _refuse(self, target: Target, address: str, code: str, sentence: str) -> None:
        if self.page is not None and self.page.refuses(target, address, code, sentence):
            return
        if self.osc is not None:
            self.osc.send_error(target, address, code, sentence)

    def _start_query(self, stack: contextlib.ExitStack, osc: OscServer) -> None:
        from bridge.controls.namespace import namespace
        from bridge.osc.query import QueryServer

        try:
            query = QueryServer(osc.host, osc.port, "CueBridge", namespace(), self._values, self.plan.osc_cors)
        except OSError as error:
            self._say(f"OSCQuery is off: TCP port {osc.port} cannot be had ({error.strerror or error}).")
            return
        query.start()
        stack.callback(query.close)
        if self.plan.osc_announce:
            from bridge.osc.announce import announced

            stack.enter_context(announced("CueBridge", osc.host, osc.port))
            self._say(f"OSC and OSCQuery are announced on the network as CueBridge, port {osc.port}.")

    # the loop ---------------------------------------------------------------------------------------------------------
    def _loop(self, osc: OscServer | None) -> None:
        session = self.session
        next_tick_s = next_draw_s = time.perf_counter()
        while not (self.leave or session.finished or session.failure):
            asked = (len(self.datagrams) or not self.from_page.empty()) and not self._keys_first
            waits = asked or self.controls.busy
            waiting_s = 0.0 if waits else next_tick_s - time.perf_counter()
            # What the engine answers meanwhile would be another document than the one that is being put on a grid.
            message = None if self.controls.busy else self._message(max(waiting_s, 0.0))
            with session.plan.turn():
                self._received(message)
                self._take_what_is_asked()
                session.hurry(answered=False)
                now_s = time.perf_counter()
                if now_s < next_tick_s:
                    continue
                next_tick_s = max(next_tick_s + TICK_S, now_s - TICK_S)
                self._tick(osc, now_s)
                if now_s >= next_draw_s:
                    next_draw_s = now_s + DRAW_S
                    session.learning = self._learning(now_s)
                    self.view.draw(snapshot(session), session)

    def _tick(self, osc: OscServer | None, now_s: float) -> None:
        self.daw.tick(now_s)
        if self.autosave is not None:
            self.autosave.tick(now_s)
        self.session.tick()
        self._tell_plugin()
        self._watch_recording()
        self._keys_first = self.controls.busy
        if not self._keys_first:
            for key in self.keys.pressed():
                self._key(key)
            self.controls.touched(now_s, PIECE_S)
        self.controls.push(osc.send_datagram if osc is not None else _no_answer, PIECE_S)
        if self.page is not None:
            self.page.tick()
        self._watch_speaker()

    def _take_what_is_asked(self) -> None:
        """A piece of what is half done, else what a page asks and what was sent."""
        begun_s = time.thread_time()
        if self.controls.busy:
            used_s = time.thread_time()
            self.controls.go_on(PIECE_S)
            if self._busy_with is not None:
                self.work.spend(self._busy_with, time.perf_counter(), time.thread_time() - used_s)
        elif not self._keys_first:
            self._take_page_message()
        if not self.controls.busy and not self._keys_first:  # nobody comes between
            self._busy_with = None
            self._take_datagrams(begun_s)

    def _take_datagrams(self, begun_s: float) -> None:
        """Does what was sent, for so long at most that ticks, keys and other senders get their turn.

        begun_s: processor time at which the turn began to do what is asked.
        """
        end_s = time.perf_counter() + TURN_S
        for _ in range(DATAGRAMS_PER_TURN):
            if self.controls.busy:
                return
            datagram = self.datagrams.get()
            if datagram is None:
                return
            started_s = time.perf_counter()
            if not self.work.may(datagram.sender, started_s):
                if self.work.to_be_said(datagram.sender, started_s):
                    self.controls.too_much(datagram.sender)
                continue
            used_s = time.thread_time()
            self._busy_with = datagram.sender
            self.controls.datagram(datagram, PIECE_S, used_s - begun_s)
            if not self.controls.busy:
                self._busy_with = None
            now_s = time.perf_counter()
            self.work.spend(datagram.sender, now_s, time.thread_time() - used_s)
            if now_s > end_s:
                return

    def _message(self, timeout_s: float) -> Any:
        """An engine message or a wake-up; None where none comes until the next tick."""
        with contextlib.suppress(queue.Empty):
            return self.inbox.get(timeout=timeout_s) if timeout_s > 0 else self.inbox.get_nowait()
        return None

    def _received(self, message: Any) -> None:
        if callable(message):  # something that another thread wants done here
            message()
        elif message is not None:  # None only wakes the loop: a datagram is there
            self.session.on_engine(message)
            self.session.hurry(answered=True)

    def _values(self, address: str) -> list[Argument]:
        """What an address holds, for the threads of OSCQuery.  Raises TimeoutError."""
        answers: queue.SimpleQueue[list[Argument]] = queue.SimpleQueue()
        self.inbox.put(lambda: answers.put(list(self.controls.values(address))))
        try:
            return answers.get(timeout=2.0)
        except queue.Empty:
            raise TimeoutError from None

    def _datagram(self, datagram: Datagram) -> bool:
        """In the OSC thread."""
        if not self.datagrams.put(datagram):
            return False
        if len(self.datagrams) == 1:
            self.inbox.put(None)
        return True

    def _key(self, key: str) -> None:
        with self.session.log.acting("keys"):
            self._press(key)

    def _press(self, key: str) -> None:
        session = self.session
        learn = self.controls.midi.learn
        try:
            if self.prompt.open:
                if chosen := self.prompt.key(key):
                    learn.learn(chosen[0], chosen[1:], time.perf_counter())
                return
            match key:
                case "l":
                    if not learn.cancel():
                        self.prompt.start()
                case " ":
                    session.toggle()
                case "q" | "\x03" | "\x04":
                    self._quit()
                case "n":
                    session.new_take()
                case "k":
                    self._say(f"take {session.keep_take().name} is kept.")
                case "u":
                    session.undo()
                case "r":
                    session.redo()
                case "!":
                    session.panic()
                case "left" | "right":
                    step_s = STEP_S if key == "right" else -STEP_S
                    end_s = session.film.duration_s or 0.0
                    session.locate(min(max(session.position_s() + step_s, 0.0), end_s))
                case "0" | "home":
                    session.locate(0.0)
                case "[":
                    self._loop_from_s = session.position_s()
                    self._say(f"the loop begins at {self._loop_from_s:.2f} s; ] ends it.")
                case "]":
                    session.loop(True, self._loop_from_s or 0.0, session.position_s())
                case "\\":
                    session.loop(session.transport.looped is None)
                case _ if key in "123456789":
                    self._select(int(key))
                case _ if key in PART_KEYS:
                    address = controls.of_part(PART_KEYS[key], "on")
                    session.edit(set_value, address, not session.document.value(address))
        except UserError as error:
            self._say(str(error))

    def _learning(self, now_s: float) -> str:
        """What the view says while something is being learned."""
        address, left_s = self.controls.midi.learn.waiting(now_s)
        if self.prompt.open or not address:
            return self.prompt.line
        return f"move, press or play what is to work {address} ({left_s:.0f} s; l: not)"

    def _select(self, number: int) -> None:
        document, takes = self.session.document, self.session.takes
        numbers = [document.take, *(each for cue, each, _ in takes if cue == document.cue)]
        # One that was passed over, by pressing n before it was composed, is composed now.
        if takes.get(document.cue, number) is None and number > max(numbers):
            raise UserError(f"there is no take {number} yet; n composes a new one.")
        self.session.select_take(number)

    def _save_session(self, name: str | None, replace: bool, done: Callable[[Path | UserError], None]) -> None:
        if self.autosave is None:
            raise UserError("this run keeps no session file.")
        self.autosave.save_later(None if name is None else Path(name), done, replace=replace)

    def _leave_film(self, film: Path) -> tuple[Path | None, SavedSession | None]:
        """Another film comes: what was played of this one and its session are put away first."""
        self.recorded.leave(self.recording)
        self.session.recorder.clear()
        if self.recording is not None:
            self.recording = self.recording.with_name(f"{film.stem}-live.mid")
        self.written = None
        return self.autosave.leave(film) if self.autosave is not None else (None, None)

    def _quit(self) -> None:
        self.leave = True
        self.ending.asked()

    def _signal(self, number: int, frame: FrameType | None) -> None:
        self.stopped_by = number
        self.leave = True
        self.inbox.put(None)

    # what is said and written -------------------------------------------------------------------------------------
    def _view(self, stack: contextlib.ExitStack, osc: OscServer | None) -> View:
        out, err = Beside(sys.stdout), Beside(sys.stderr)
        for each in (out, err):
            stack.callback(each.close, 0.3)
        if not self.plan.json and not self.plan.plain and sys.stdout.isatty():
            return stack.enter_context(RichView(cast(TextIO, out)))
        return LinesView(self.plan.json, cast(TextIO, out), cast(TextIO, err))

    def _say(self, sentence: str) -> None:
        view = getattr(self, "view", None)
        if view is not None:
            view.say(sentence)
        if self.page is not None:
            self.page.feed.said(sentence)

    def _why_no_port(self) -> str:
        if self.plan.player.ports.api == "none":
            return "no MIDI port, as asked"
        return "no MIDI system here (cuebridge ports says why)"

    def _watch_recording(self) -> None:
        if self.session.status is not PlayerStatus.NONE:
            if self._ports_known_s is None:
                self._ports_known_s = time.perf_counter()
                self._tell_ports(self.session.status)
            self._tell_ready(self.session.status, time.perf_counter() - self._ports_known_s)
        rolling = self.session.rolling
        if rolling and self.recording is not None:
            self.recorded.begin(self.recording)
        if self._was_rolling and not rolling:
            self._write_recording()
        if not rolling:
            self.recorded.catch_up()
        for sentence in self.recorded.news():
            self._say(sentence)
        self._was_rolling = rolling

    _was_rolling = False

    def _tell_ports(self, status: PlayerStatus) -> None:
        """Where no MIDI system is, a .mid is the way out: said aloud, with the reason."""
        if status.port_api == "none" and self.recording is None:
            self.recording = self.plan.out or default_recording(self.plan.session.film)
            self._say(f"{self._why_no_port()}; what is played is written to {self.recording}.")
        elif status.port_api == "none":
            self._say(f"{self._why_no_port()}.")
        else:
            self._say(f"MIDI goes out on {status.port} ({status.port_api}).")

    def _tell_ready(self, status: PlayerStatus, waited_s: float) -> None:
        """With the page's address where it is known within PAGE_WAIT_S; a later one is said when it is."""
        address = self._tell_page()
        if self._ready_is_said or not (self.page is None or self.page.settled or waited_s >= PAGE_WAIT_S):
            return
        self._ready_is_said = True
        ports = {"port_api": status.port_api, "port_names": status.port.split(", "), "port": status.port}
        pids = self.session.pids() | ({"page": self.page.link.pid} if self.page is not None and address else {})
        self.view.ready({"osc_port": self.osc_port, "page": address, **ports, "pids": pids})

    def _tell_page(self) -> str | None:
        """Says once where the page is; None where there is none, or none yet."""
        if self.page is None or not self.page.settled or self.page.link.fault:
            return None
        address = self.page.link.address
        wanted = self.plan.page
        if wanted is not None and wanted.sounds:
            self._start_speaker(self.page.link)
        if wanted is not None and wanted.hidden:
            return None
        if wanted is not None and not self._page_is_said:
            self._page_is_said = True
            address = wanted.address(address)
            self.view.say(f"Page: {address}")  # to the terminal alone: whoever has the page knows where it is
            if wanted.opens:
                open_in_browser(address, self._say)
        return address

    def _start_speaker(self, page: PageLink) -> None:
        """The sound card plays what a page would, once there is a server to hear it from."""
        if self.speaker is None and page.port is not None:
            self.speaker = SpeakerLink(page.port, page.options.secret)
            self.ending.add(self.speaker.end_at_once)

    def _watch_speaker(self) -> None:
        """Raises UserError where there is no device to begin with."""
        fault = self.speaker.fault() if self.speaker is not None else None
        if fault is None:
            return
        if fault and not self._sounds:
            raise UserError(fault)
        self._say(fault or "Sound comes from this machine's audio device.")
        self._sounds = True

    def _write_recording(self, *, wait: bool = False) -> None:
        """At each stop and at the end, so that little is lost whatever happens."""
        if self.recording is not None and self.recorded.write(self.recording, wait=wait):
            self.written = self.recording
        for sentence in self.recorded.news():
            self._say(sentence)

    def _last_words(self, player: PlayerLink) -> None:
        session = self.session
        deadline_s = time.perf_counter() + NOTE_OFFS_S
        while time.perf_counter() < deadline_s:  # the note-offs of stopping belong to the recording
            session.transport.poll()
            status = session.status
            if status is PlayerStatus.NONE or (not status.rolling and not status.sounding):
                break
            time.sleep(0.01)
        time.sleep(0.03)
        session.recorder.add(player.drain_events())
        if self.autosave is not None:  # first what was decided, in its own thread
            with contextlib.suppress(UserError):
                self.autosave.save_if_changed()
        try:
            self.ending.doing = "writing what was played"
            self._write_recording(wait=True)
            self.recorded.end()
            self.ending.doing = "writing an export"
            self.controls.close()
            if self.plan.out is not None and self.plan.out != self.written and session.failure is None:
                out = self.plan.out
                if not self.plan.replace:
                    out = free_path(out)
                make_way(out, replace=self.plan.replace)
                notes = export_midi(session, out)
                self._say(f"the composition ({notes} notes) is in {out}.")
        except UserError as error:
            self._say(str(error))
        self.ending.doing = "saving the session"
        session.close()  # the notes of kept takes belong to the session file
        if self.autosave is not None:
            self.autosave.close()
        self.view.close(snapshot(session), session, self.written)


PART_KEYS: Final = {"p": "pad", "a": "arp", "b": "bass", "m": "melody", "d": "drums"}


def _send_all(osc: OscServer, outgoing: Sequence[Outgoing]) -> None:
    for each in outgoing:
        osc.send_datagram((each.host, each.port), each.datagram)


def _no_answer(*values: object) -> None:
    """Without an OSC port nobody asks."""


def keep_collections_short() -> None:
    """Lets no search for cycles take longer than two or three milliseconds.

    A long film is a million small values that hold no cycle and never go away: looking through all of them takes a
    tenth of a second, through the newest hundred thousand thirty milliseconds.  So each value is looked at once, soon
    after it was made, and then never again; where nothing refers to it any more it goes as ever.
    """
    gc.set_threshold(YOUNG, 1_000_000, 1_000_000)
    if _never_again not in gc.callbacks:
        gc.callbacks.append(_never_again)


def read_tables() -> None:
    """Reads the tables that the first music needs: in the turn that arranges it they would take ten milliseconds."""
    ensembles()


def _never_again(phase: str, about: dict[str, int]) -> None:
    if phase == "stop":
        gc.freeze()


def main(arguments: Sequence[str]) -> int:
    return Live(parse(arguments)).run()
