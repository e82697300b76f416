"""Blocks of sound for the pages: asked of the renderer and of the film's reader, kept a while, handed out.

A page asks for a range of blocks from the playhead on; the first missing one of any page is made first, unless the
playhead will have passed it by the time it is there: then the first that is still in time is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.page.children import Child, sound_process
from bridge.page.hub import REFUSED, said_hello
from bridge.page.notes import PlanTiles
from bridge.page.protocol import FILM_STREAM, MUSIC_STREAM, pack_sound
from engine.music import TempoMap
from engine.process.messages import SOUND_BLOCK, SOUND_RATE, SoundBlock, SoundFailure, SoundPlan, SoundWanted

KEPT: Final = 64  # blocks of a stream
PREPARED: Final = 2  # blocks that are made before any page asks
REST_S: Final = 1.0  # after the last change of the plan, until a renderer that nobody asks gets it
MOST_WANTED: Final = 64  # blocks that a page may ask for
MAX_LISTENERS: Final = 16
WINDOW_S: Final = 180.0  # of notes that the renderer gets at once; longer films would take too long at each change
BEFORE_S: Final = 60.0  # of that, before the block that is wanted: what began there may still ring
BLOCK_S: Final = SOUND_BLOCK / SOUND_RATE
MOST_LEAD_S: Final = 4.0  # of what a page asks for ahead: something is always made
_FORGET: Final = 0.7  # of how slow the last blocks were made, at each that is made faster
_BEATS_ARE_SECONDS: Final = TempoMap.constant(60)


class Listener:
    """A page's sound socket.  What it asked for and did not get yet, by stream."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.missing: dict[int, list[int]] = {MUSIC_STREAM: [], FILM_STREAM: []}
        self._out: asyncio.Queue[bytes | str] = asyncio.Queue()

    def want(self, music: tuple[int, int], film: tuple[int, int], have: Collection[int] = ()) -> None:
        """First block and how many, of each stream; have: blocks of music among them that are there already."""
        wanted = [index for index in _blocks(*music) if index not in have]
        self.missing = {MUSIC_STREAM: wanted, FILM_STREAM: _blocks(*film)}
        waiting = [self._out.get_nowait() for _ in range(self._out.qsize())]
        for message in waiting:
            if isinstance(message, str):  # blocks are of what was wanted before
                self._out.put_nowait(message)

    def send(self, message: bytes | str) -> None:
        self._out.put_nowait(message)

    async def write(self) -> None:
        while True:
            message = await self._out.get()
            if isinstance(message, str):
                await self.socket.send_text(message)
            else:
                await self.socket.send_bytes(message)


class BlockFeed:
    """One stream.  ask(first, count) asks whoever makes its blocks and returns how many were asked for; `ready`, where
    that can be done at all.  soonest(seconds): the first block of which something is still to be heard in so many
    seconds; clock: seconds.
    """

    def __init__(
        self, stream: int, ask: Callable[[int, int], int], soonest: Callable[[float], int] = lambda later_s: 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:  # fmt: skip
        self._stream, self._ask, self._soonest, self._clock = stream, ask, soonest, clock
        self._kept: dict[int, bytes] = {}
        self._asked: range = range(0)
        self._since_s: float | None = None  # when the block that is made now was begun
        self._made_s = 0.0  # how long one takes
        self.ready = False
        self.count = 0  # blocks that there are

    def arrived(self, revision: int, index: int, parts: tuple[tuple[str, bytes], ...]) -> None:
        if self._since_s is not None:
            took_s = min(self._clock() - self._since_s, MOST_LEAD_S)
            self._made_s = max(took_s, _FORGET * self._made_s + (1 - _FORGET) * took_s)
        self._kept.pop(index, None)
        self._kept[index] = pack_sound(self._stream, revision, index, parts)
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        if index in self._asked:
            self._asked = range(index + 1, self._asked.stop)
        self._since_s = self._clock() if self._asked else None

    def replaced(self, first: int) -> None:
        """Blocks from there on are no longer true."""
        for index in [each for each in self._kept if each >= first]:
            del self._kept[index]
        self.ask_again()

    def ask_again(self) -> None:
        """Whoever makes the blocks knows of nothing that was asked."""
        self._asked, self._since_s = range(0), None

    def clear(self, count: int) -> None:
        self._kept.clear()
        self.ask_again()
        self.count = count

    def _lead_s(self) -> float:
        """How long a block that is asked for now will take to come, as far as is known: one is brought to its end."""
        if self._since_s is None:
            return self._made_s
        running_s = self._clock() - self._since_s
        return min(max(self._made_s - running_s, 0.0) + max(self._made_s, running_s), MOST_LEAD_S)

    def serve(self, listeners: list[Listener]) -> None:
        """Sends what is there and asks for what is needed first."""
        if not self.ready:
            return
        soonest = self._soonest(self._lead_s())
        needed: list[tuple[int, int]] = []  # place in its list, block
        for listener in listeners:
            missing = listener.missing[self._stream]
            left = []
            for index in missing:
                if index in self._kept:
                    listener.send(self._kept[index])
                elif index < self.count:
                    left.append(index)
            listener.missing[self._stream] = left
            needed += [(place, index) for place, index in enumerate(left) if index >= soonest]
        if not needed:
            return
        _, first = min(needed)
        blocks, last = {index for _, index in needed}, first
        if first in self._asked and first <= self._asked.start + 1:
            return  # it is made now, or next
        while last + 1 in blocks:
            last += 1
        if self._since_s is None:
            self._since_s = self._clock()
        self._asked = range(first, first + self._ask(first, last + 1 - first))


class Sound:
    """All listeners and both streams.

    changed: whether there is sound, and why not; ask_film as in BlockFeed; playhead: the picture second now, and
    whether it moves.  Blocks of the film come through `film_block`.
    """

    def __init__(
        self, tiles: PlanTiles, soundfont: str | None, changed: Callable[[bool, str], None],
        ask_film: Callable[[int, int], int], playhead: Callable[[], tuple[float, bool]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:  # fmt: skip
        self._tiles, self._changed = tiles, changed
        self._child = Child(sound_process, (soundfont,), self._received, self._died, loop)
        self._playhead, self._loop = playhead, loop
        self._rests: asyncio.TimerHandle | None = None  # until the plan has not changed for a while
        self._music = BlockFeed(MUSIC_STREAM, self._ask, self._soonest)
        self.film = BlockFeed(FILM_STREAM, ask_film, self._soonest)
        self._listeners: list[Listener] = []
        self._revision = 0
        self._window: tuple[float, float] = (0.0, 0.0)  # picture seconds whose notes the renderer has; empty: none
        self._ensembles: tuple[tuple[float, str], ...] = ()
        self._duration_s = 0.0
        self._pages = 0
        self._fault = ""

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def looked_on(self, pages: int) -> None:
        """So many pages are open, whether they sound yet or not."""
        self._pages = pages
        self._prepare()

    def _prepare(self) -> None:
        """Once a page is open the renderer starts, reads its font and makes the first blocks: it takes a second, which
        whoever then presses play does not wait for."""
        if self._pages and self._music.ready and self._child.pid is None:
            self._ask_here()

    def _ask_here(self) -> None:
        at_s, _ = self._playhead()
        self._ask(int(max(at_s, 0.0) // BLOCK_S), PREPARED)

    def _plan_rests(self) -> None:
        """A page is open that does not sound yet: the renderer gets the plan all the same, and computes its keys."""
        if self._pages and self._music.ready and self._window == (0.0, 0.0):
            self._ask_here()

    def film_is(self, duration_s: float) -> None:
        """Another film, or one whose length is known now."""
        self._duration_s = duration_s
        count = -int(-duration_s // BLOCK_S)
        self._music.clear(count)
        self.film.clear(count)
        self.plan_changed(0.0)

    def play_with(self, ensembles: tuple[tuple[float, str], ...]) -> None:
        if ensembles != self._ensembles:
            self._ensembles = ensembles
            self.plan_changed(0.0)

    def plan_changed(self, from_s: float) -> None:
        """The notes differ from a picture second on."""
        if self._fault or not self._duration_s:
            return
        self._revision += 1
        first = int(from_s // BLOCK_S)
        self._window = (0.0, 0.0)
        self._music.ready = True
        self._music.replaced(first)
        for listener in self._listeners:
            listener.send(json.dumps({"revision": self._revision, "from": first}))
        self._prepare()
        self.pump()
        if self._rests is not None:
            self._rests.cancel()
        self._rests = self._loop.call_later(REST_S, self._plan_rests)

    def film_block(self, block: SoundBlock) -> None:
        self.film.arrived(0, block.index, block.parts)
        self.pump()

    def pump(self) -> None:
        self._music.serve(self._listeners)
        self.film.serve(self._listeners)

    def close(self) -> None:
        if self._rests is not None:
            self._rests.cancel()
        self._child.close()

    def _soonest(self, later_s: float) -> int:
        at_s, rolling = self._playhead()
        return int((at_s + later_s) // BLOCK_S) if rolling else 0

    def _ask(self, first: int, count: int) -> int:
        low, high = self._window
        if not low <= first * BLOCK_S < high:
            self._send_plan(first * BLOCK_S)
            low, high = self._window
        count = max(min(first + count, int(high // BLOCK_S)) - first, 1)
        self._child.send(SoundWanted(self._revision, first, count))
        return count

    def _send_plan(self, at_s: float) -> None:
        """The notes around a place; the renderer answers for the blocks from there to the window's end."""
        from_s, to_s = max(at_s - BEFORE_S, 0.0), at_s + WINDOW_S
        notes, controllers = self._tiles.between(from_s, to_s)
        self._child.send(
            SoundPlan(
                self._revision, tuple(notes), tuple(controllers), _BEATS_ARE_SECONDS, self._tiles.starts_s,
                self._duration_s, self._ensembles,
            )
        )  # fmt: skip
        self._window = (at_s, to_s)

    def _received(self, message: Any) -> None:
        if isinstance(message, SoundFailure):
            self._give_up(message.sentence)
        elif isinstance(message, SoundBlock) and message.revision == self._revision:
            self._music.arrived(message.revision, message.index, message.parts)
            self.pump()

    def _give_up(self, sentence: str) -> None:
        self._fault, self._music.ready = sentence, False
        self._changed(False, sentence)

    def _died(self, given_up: bool) -> None:
        if self._fault:
            return
        self._window = (0.0, 0.0)
        self._music.replaced(0)
        if given_up:
            self._give_up("the sound has died three times and stays off; MIDI is not affected.")
        else:
            self.pump()

    async def serve(self, socket: WebSocket, is_secret: Callable[[object], bool]) -> None:
        """One sound socket, from its hello to its end."""
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            if not await said_hello(socket, is_secret) or len(self._listeners) >= MAX_LISTENERS:
                await socket.close(REFUSED)
                return
            listener = Listener(socket)
            self._listeners.append(listener)
            listener.send(json.dumps({"revision": self._revision, "from": 0}))
            writer = asyncio.ensure_future(listener.write())
            try:
                while True:
                    self._wanted(listener, await socket.receive_text())
            finally:
                writer.cancel()
                self._listeners.remove(listener)

    def _wanted(self, listener: Listener, text: str) -> None:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            message = json.loads(text)
            if not isinstance(message, dict):
                return
            wanted, film = message.get("want"), message.get("film")
            have = message.get("have")
            listener.want(
                _range(wanted), _range(wanted if film is True else film), have if isinstance(have, list) else ()
            )
            self.pump()


def _range(value: Any) -> tuple[int, int]:
    """First and count as a page wrote them; nothing where it wrote something else.  Raises ValueError, TypeError."""
    return (int(value[0]), int(value[1])) if isinstance(value, list) and len(value) == 2 else (0, 0)


def _blocks(first: int, count: int) -> list[int]:
    first = max(first, 0)
    return list(range(first, first + min(count, MOST_WANTED)))
