"""Processes that the page's server starts: the renderer of sound, the reader of films, and programs that make files.

Each ends with the server: the first two when their pipe closes, programs when they are stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from multiprocessing.process import BaseProcess
from typing import Any, Final

from bridge.page.pipe import STEADY_S, Pipe
from engine.music.processes import start_on_pipe
from engine.process.messages import Quit

_DEATHS: Final = 3  # of a child, none after a run of STEADY_S, before it is given up
_END_S: Final = 1.0


def sound_process(connection: Any, soundfont: str | None) -> None:
    """Spawn target: imported here, in the child only."""
    from engine.sound.stream import run_sound

    run_sound(connection, soundfont)


def media_process(connection: Any) -> None:
    """Spawn target: imported here, in the child only."""
    from engine.process.media import run_media

    run_media(connection)


class Child:
    """A process at the other end of a pipe, started when something is sent first and again when it has died.

    receive and died are called in the loop's thread; after died, the child is new and knows nothing.
    """

    def __init__(
        self, target: Callable[..., None], arguments: tuple[Any, ...], receive: Callable[[Any], None],
        died: Callable[[bool], None], loop: asyncio.AbstractEventLoop,
    ) -> None:  # fmt: skip
        self._target, self._arguments = target, arguments
        self._receive, self._died, self._loop = receive, died, loop
        self._pipe: Pipe | None = None
        self._process: BaseProcess | None = None
        self._deaths = 0
        self._started_s = 0.0
        self._closing = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def send(self, message: Any) -> None:
        if self._pipe is None and not self._closing and self._deaths < _DEATHS:
            self._start()
        if self._pipe is not None:
            self._pipe.send(message)

    def forgive(self) -> None:
        """What is sent from now on is other work than what it died of."""
        self._deaths = 0

    def close(self) -> None:
        self._closing = True
        process, pipe = self._process, self._pipe
        if pipe is not None:
            pipe.send(Quit())
            pipe.close()
        if process is not None:
            process.join(_END_S)
            if process.is_alive():
                process.terminate()
                process.join(_END_S)

    def _start(self) -> None:
        ours, process = start_on_pipe(self._target, *self._arguments)
        self._process, self._started_s = process, time.perf_counter()
        self._pipe = Pipe(ours, self._in_loop, lambda: self._call(self._ended, process), self._target.__name__)

    def _in_loop(self, message: Any) -> None:
        self._call(self._receive, message)

    def _call(self, what: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what, value)

    def _ended(self, process: BaseProcess) -> None:
        if self._closing or process is not self._process:
            return
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = self._process = None
        # Not by an answer: a film may open every time and kill its reader a moment later.
        self._deaths = 1 if time.perf_counter() - self._started_s > STEADY_S else self._deaths + 1
        self._died(self._deaths >= _DEATHS)


class Program:
    """`python -m …` with a JSON object a line on its standard output."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._process: asyncio.subprocess.Process | None = None
        self.said = ""  # its last line on standard error
        self.code: int | None = None

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """Its objects, until it ends; then `code` is known."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self._words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env={**os.environ, "CUEBRIDGE_COMMAND": "cuebridge"},
        )  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        errors = asyncio.ensure_future(process.stderr.read())
        try:
            async for line in process.stdout:
                with contextlib.suppress(ValueError):
                    value = json.loads(line)
                    if isinstance(value, dict):
                        yield value
            self.said = last_line(await errors)
            self.code = await process.wait()
        finally:
            errors.cancel()
            self.stop()

    def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()


def last_line(data: bytes) -> str:
    """What a program said last, without its name before it."""
    lines: Sequence[str] = [line.strip() for line in data.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("cuebridge: ") if lines else ""
