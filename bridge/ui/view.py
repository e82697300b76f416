"""What `live` shows: a view that redraws itself on a terminal, plain or JSON lines elsewhere, and the keys.

Playhead in three clocks, to compare with a burn-in: the film's frame timecode, the DAW's timecode, bar|beat.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol

from bridge.session.snapshot import Snapshot
from bridge.session.state import SessionState
from engine.music import EMOTIONS, controls

if TYPE_CHECKING:
    from rich.live import Live
    from rich.panel import Panel
    from rich.text import Text

LINE_EVERY_S: Final = 1.0
JSON_EVERY_S: Final = 0.095
SENTENCES: Final = 5
UNHEARD_S: Final = 0.5
# In 76 columns: what a panel leaves of a terminal of 80.
HELP: Final = "n 1-9 take  k keep  u/r undo  pabmd part  l learn  ! panic  q quit"
HELP_PLACES: Final = "space play  ← → 5 s  0 start  [ ] loop start, end here  \\ loop on/off"
_LEAST_NEEDED: Final = ("activity", "mood", "parts", "film", "cue", "take", "sync", "port", "chords")


class View(Protocol):
    """say: a sentence for the person.  ready: ports and OSC are open.  draw: ten times a second.  close: last words."""

    def say(self, sentence: str) -> None: ...

    def ready(self, facts: dict[str, object]) -> None: ...

    def draw(self, shot: Snapshot, session: SessionState) -> None: ...

    def close(self, shot: Snapshot, session: SessionState, written: Path | None) -> None: ...


class LinesView:
    """One line a second, sentences between them.

    With as_json a JSON object a line, ten times a second, on standard output; sentences then go to standard error.
    """

    def __init__(self, as_json: bool, out: IO[str] | None = None, err: IO[str] | None = None) -> None:
        self._json = as_json
        self._out, self._err = out or sys.stdout, err or sys.stderr
        self._every_s = JSON_EVERY_S if as_json else LINE_EVERY_S
        self._last_s = -LINE_EVERY_S
        self._last: tuple[object, ...] = ()

    def say(self, sentence: str) -> None:
        if self._json:
            self._err.write(f"{sentence}\n")
            self._err.flush()
        else:
            self._write(sentence)

    def ready(self, facts: dict[str, object]) -> None:
        """Ports are open and OSC listens."""
        if self._json:
            self._write(json.dumps({"type": "ready", **facts}))

    def draw(self, shot: Snapshot, session: SessionState) -> None:
        now_s = time.perf_counter()
        marks: tuple[object, ...] = (shot.state, shot.music.chord, shot.take.number)
        if not self._json:
            marks = (shot.state, line(shot) if shot.state == "waiting" else "")
        early = now_s - self._last_s < self._every_s
        if marks == self._last and (early or (not self._json and shot.state in ("stopped", "waiting"))):
            return  # what stands still is said once
        if early and shot.state == "waiting" and self._last[:1] == ("waiting",):
            return  # progress, once a second
        self._last_s, self._last = now_s, marks
        if self._json:
            revision = session.status.revision
            facts = {"host_s": now_s, "position_s": round(shot.clock.picture_s, 6), "revision": revision}
            self._write(json.dumps({"type": "status", **shot.as_json(), **facts}))
        else:
            self._write(line(shot))

    def close(self, shot: Snapshot, session: SessionState, written: Path | None) -> None:
        if self._json:
            end = {"type": "end", "sent": shot.port.sent, "late": shot.port.late, "dropped": shot.port.dropped}
            self._write(json.dumps({**end, "file": str(written) if written is not None else None}))

    def _write(self, text: str) -> None:
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except BrokenPipeError:
            # The reader has gone (`| head`): the performance goes on, and what is left to say goes to stderr.
            if self._out is sys.stdout:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._out = open(os.devnull, "w")  # noqa: SIM115
            self._err.write("the output was closed; playing on.\n")


def line(shot: Snapshot) -> str:
    """The state in one line."""
    if shot.state == "waiting":
        return f"waiting: {shot.waits_for} ({shot.progress[1]:.0%})"
    clocks = f"{shot.clock.film_timecode}  DAW {shot.clock.daw_timecode}  {shot.clock.bar_beat:>9}"
    chords = f"{shot.music.chord or '-':<6} -> {shot.music.next_chord or '-':<6}"
    mood = f"{shot.music.mood:<9} {shot.music.notes_per_bar:3d} notes/bar"
    tail = f"late {shot.port.late}" + (f"  waits for {shot.waits_for}" if shot.waits_for else "")
    return f"{shot.state:<8} {clocks}  {chords}  {mood}  take {shot.take.name}  {tail}"


class RichView:
    """The view of a terminal."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out
        self._sentences: deque[str] = deque(maxlen=SENTENCES)
        self._live: Live | None = None
        self._size: tuple[int, int] = (0, 0)

    def __enter__(self) -> RichView:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._out)
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._size = console.size
        self._live.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)
            self._live = None

    def say(self, sentence: str) -> None:
        self._sentences.append(sentence)

    def ready(self, facts: dict[str, object]) -> None:
        """A person sees it by itself."""

    def draw(self, shot: Snapshot, session: SessionState) -> None:
        if self._live is not None:
            self._fit()
            height = self._live.console.size.height
            self._live.update(panel(shot, session, tuple(self._sentences), height), refresh=True)

    def _fit(self) -> None:
        """In a window of another size the lines of before are broken elsewhere; they are wiped, and drawn anew."""
        from rich.live import Live

        assert self._live is not None
        console = self._live.console
        if console.size != self._size:
            self._size = console.size
            self._live.stop()
            console.clear()
            self._live = Live(console=console, auto_refresh=False, transient=False)
            self._live.start()

    def close(self, shot: Snapshot, session: SessionState, written: Path | None) -> None:
        if written is not None:
            self.say(f"written: {written}")
        self.draw(shot, session)


def panel(shot: Snapshot, session: SessionState, sentences: tuple[str, ...], height: int | None = None) -> Panel:
    """The whole view as a rich object.

    height: lines of the terminal; where they are too few, what is needed least is left out, never the keys.
    """
    from rich.console import Group, RenderableType
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    clocks = Table.grid(padding=(0, 3))
    clocks.add_row("film", "DAW", "bar|beat", style="dim")
    clocks.add_row(shot.clock.film_timecode, shot.clock.daw_timecode, shot.clock.bar_beat, style="bold")
    rows = _rows(shot, session)
    spare = 10_000 if height is None else height - 1 - 2 - 2 - 2  # a line under it, its frame, clocks and keys
    airy = spare >= len(rows) + len(sentences) + 3
    if not airy:
        sentences = sentences[-max(spare - len(rows), 1) :]
        for name in _LEAST_NEEDED:
            if len(rows) + len(sentences) > spare:
                rows.pop(name, None)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", justify="right")
    facts.add_column(no_wrap=not airy, overflow="ellipsis" if not airy else "fold")
    for name, row in rows.items():
        facts.add_row(name, row)
    gap = [Text()] if airy else []
    words = Text("\n".join(sentences), style="dim", no_wrap=not airy, overflow="ellipsis" if not airy else "fold")
    keys = Text(f"{HELP}\n{HELP_PLACES}", style="dim", no_wrap=True, overflow="ellipsis")
    parts: list[RenderableType] = [clocks, *gap, facts, *gap, *([words] if sentences else []), *gap, keys]
    return Panel(Group(*parts), title="CueBridge")


def _rows(shot: Snapshot, session: SessionState) -> dict[str, str | Text]:
    """What is said under the clocks, by its name."""
    from rich.text import Text

    music, sync, port, take = shot.music, shot.sync, shot.port, shot.take
    film = ", ".join([shot.film, *([f"{shot.frame_rate} fps", f"{shot.reading} reading"] if shot.reading else [])])
    rows: dict[str, str | Text] = {
        "film": Text(film),
        "state": shot.state + (f", waits for {shot.waits_for}" if shot.waits_for else ""),
        "cue": Text(_cues(shot)),
        "chords": _chords(session, shot),
        "mood": f"{music.mood}  {_affect(shot)}",
        "activity": f"{music.notes_per_bar} notes a bar, loudness {music.loudness:.2f}, key {music.key or '-'}",
        "parts": "  ".join(part if on else f"({part})" for part, on in shot.parts),
        "sync": f"{sync.position_source or '-'} {sync.state}, tempo {sync.tempo_source or '-'} {sync.tempo_bpm:.1f}",
        "port": f"{port.name or port.api} {'up' if port.up else 'down'}, sent {port.sent}, "
        f"late {port.late}, dropped {port.dropped}, OSC clients {shot.clients}"
        + "".join(f"; plugin {line}" for line in shot.plugins),
        "take": f"{take.name} ({take.number}){' kept' if take.kept else ''}, engine {shot.engine}",
    }
    if shot.printed:
        rows["printed"] = f"{shot.printed} (muted here; {controls.PRINTED_UNMUTE})"
    if shot.changing:
        rows["change"] = _countdown(session, shot)
    if shot.learning:
        rows["learn"] = Text(shot.learning, style="bold")
    if shot.progress[1] < 1.0:
        rows["progress"] = f"{_bar(shot.progress[1])} {shot.progress[2]}"
    return rows


def _chords(session: SessionState, shot: Snapshot) -> str:
    before, after = session.document.chords_around(shot.clock.picture_s, 1, 4)
    marked = [session.document.chord_name(chord) or "-" for chord in before + after]
    if after:
        marked[len(before)] = f"[{marked[len(before)]}]"
    # rich would take the brackets for markup
    return "  ".join(marked).replace("[", "\\[") or "-"


def _cues(shot: Snapshot) -> str:
    """The cue under the controls in brackets, with those beside it."""
    if not shot.reading:  # the film is not known yet
        return "-"
    at = next((index for index, cue in enumerate(shot.cues) if cue[3]), 0)
    first = min(max(at - 1, 0), max(len(shot.cues) - 4, 0))
    words = [
        f"[{name} {low:.1f}–{high:.1f} s]" if selected else f"{name} {low:.1f}–{high:.1f} s"
        for name, low, high, selected in shot.cues[first : first + 4]
    ]
    more = len(shot.cues) - first - len(words)
    return ("… " if first else "") + "  ".join(words) + (f"  + {more}" if more > 0 else "")


def _countdown(session: SessionState, shot: Snapshot) -> str:
    """What is going to change and when: in seconds, and in beats while they are few."""
    left_s = max(shot.changing_s - shot.clock.picture_s, 0.0)
    if not session.rolling:
        return f"{shot.changing}, from {shot.changing_s:.1f} s"
    beats = max(session.beats_at(shot.changing_s) - shot.clock.beats, 0.0)
    return f"{shot.changing} in {left_s:.1f} s ({beats:.0f} beats)"


def _affect(shot: Snapshot) -> str:
    order = sorted(zip(EMOTIONS, shot.music.affect, strict=True), key=lambda pair: -pair[1])[:3]
    return "  ".join(f"{name} {weight:.0%}" for name, weight in order)


def _bar(fraction: float, width: int = 24) -> str:
    full = round(min(max(fraction, 0.0), 1.0) * width)
    return "█" * full + "░" * (width - full)


class Keys:
    """Single keys of the terminal, where there is one; a context manager that puts the terminal back.

    They are read in a thread.  unheard: called where a `q` was not taken within UNHEARD_S: then the session hangs.
    """

    def __init__(self, *, enabled: bool = True, unheard: Callable[[], None] | None = None) -> None:
        self._enabled = enabled and sys.stdin is not None and sys.stdin.isatty()
        self._before: list | None = None
        self._unheard = unheard
        self._keys: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._end: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Keys:
        if self._enabled:
            with contextlib.suppress(ImportError):
                import termios
                import tty

                self._before = termios.tcgetattr(sys.stdin)
                tty.setcbreak(sys.stdin)
                self._end = os.pipe()
                self._thread = threading.Thread(target=self._read, args=(sys.stdin.fileno(),), name="keys", daemon=True)
                self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._before is not None and self._end is not None:
            import termios

            os.write(self._end[1], b"x")
            if self._thread is not None:
                self._thread.join(UNHEARD_S)
            for each in self._end:
                os.close(each)
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._before)  # not after output that may be held up
            self._before = self._end = None

    def pressed(self) -> Iterator[str]:
        """Keys since the last call; never waits."""
        if not self._enabled:
            return
        if self._before is None:
            yield from _windows_keys()
            return
        while not self._keys.empty():
            yield self._keys.get()

    def _read(self, terminal: int) -> None:
        assert self._end is not None
        end = self._end[0]
        while end not in select.select([terminal, end], [], [])[0]:
            try:
                data = os.read(terminal, 64)
            except OSError:  # the terminal has gone
                return
            if not data:
                return
            keys = keys_of(data.decode("utf-8", "ignore"))
            for key in keys:
                self._keys.put(key)
            if self._unheard is not None and "q" in keys:
                select.select([end], [], [], UNHEARD_S)
                if not self._keys.empty():
                    self._unheard()


def keys_of(text: str) -> list[str]:
    """What a terminal sends, key by key; arrows and the like are one key: "left", "right", "home"."""
    names = {"\x1b[C": "right", "\x1b[D": "left", "\x1b[H": "home", "\x1b[1~": "home",
             "\x1bOC": "right", "\x1bOD": "left", "\x1bOH": "home"}  # fmt: skip
    found = re.findall(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO.|.", text, re.DOTALL)
    return [names.get(each, each) for each in found if len(each) == 1 or each in names]


def _windows_keys() -> Iterator[str]:
    try:
        import msvcrt
    except ImportError:
        return
    while msvcrt.kbhit():  # type: ignore[attr-defined]
        yield msvcrt.getwch()  # type: ignore[attr-defined]
