"""The pages that are connected: what each is told, and what each asks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.osc.budget import Budget
from engine.music.arguments import ControlError

HELLO_S: Final = 10.0
FRESH_S: Final = 2.0
MAX_PAGES: Final = 16
MAX_WAITING: Final = 4000  # messages for a page that does not read; then it is cut off, and comes back for the state
MAX_ARGUMENTS: Final = 64
PER_S: Final = 2000  # messages of a page
LONGEST: Final = 8192  # characters of a text argument
REFUSED: Final = 4403
Json = dict[str, Any]


class Request(NamedTuple):
    """A message that asks for something.  client: the page; number: its id of the message, -1 where it has none."""

    client: int
    number: int
    address: str
    arguments: tuple[Any, ...]
    gesture: str
    attempt: bool


class Server(Protocol):
    """What the hub needs of the server."""

    def is_secret(self, word: object) -> bool: ...

    def whole(self) -> Json: ...

    def freshen(self, pages: int) -> asyncio.Future[None]: ...

    def do(self, asked: Request) -> Awaitable[Sequence[Any]] | None:
        """The answer's arguments for what the server does itself, None for what the bridge answers."""


class Page:
    """One connected page."""

    def __init__(self, number: int, socket: WebSocket) -> None:
        self.number, self.socket = number, socket
        self._out: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self.budget = Budget(PER_S, PER_S)
        self._ending: asyncio.Future[None] | None = None

    @property
    def name(self) -> str:
        return f"page {self.number}"

    def send(self, message: Json | str) -> None:
        text = message if isinstance(message, str) else encoded(message)
        try:
            self._out.put_nowait(text)
        except asyncio.QueueFull:
            self._ending = asyncio.ensure_future(self._cut_off())

    async def _cut_off(self) -> None:
        with contextlib.suppress(RuntimeError):
            await self.socket.close(1013)

    async def write(self) -> None:
        while True:
            await self.socket.send_text(await self._out.get())


def encoded(message: Json) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, default=str)


class Hub:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._pages: dict[int, Page] = {}
        self._newest = 0
        self._tasks: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._pages)

    def tell(self, message: Json) -> None:
        """All pages."""
        if self._pages:
            text = encoded(message)
            for page in self._pages.values():
                page.send(text)

    def tell_one(self, client: int, message: Json) -> None:
        page = self._pages.get(client)
        if page is not None:
            page.send(message)

    def tell_state(self) -> None:
        """Everything, to everybody."""
        if self._pages:
            state = self._server.whole()
            for page in self._pages.values():
                page.send({"state": state, "you": page.name})

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its hello to its end."""
        await socket.accept()
        try:
            hello = await said_hello(socket, self._server.is_secret)
            if not hello or len(self._pages) >= MAX_PAGES:
                await socket.close(REFUSED if not hello else 1013)
                return
            self._newest += 1
            page = Page(self._newest, socket)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.freshen(len(self._pages) + 1), FRESH_S)
            page.send({"state": self._server.whole(), "you": page.name})
            self._pages[page.number] = page
            writer = asyncio.ensure_future(page.write())
            try:
                await self._read(page)
            finally:
                writer.cancel()
                del self._pages[page.number]
                self._server.freshen(len(self._pages))
        except (WebSocketDisconnect, RuntimeError, TimeoutError):  # RuntimeError: closed while something was sent
            pass

    async def _read(self, page: Page) -> None:
        while True:
            try:
                message = json.loads(await page.socket.receive_text())
            except (ValueError, KeyError, RecursionError):
                page.send({"id": None, "error": ["bad_type", "this is no JSON object."]})
                continue
            if not page.budget.take(("", page.number), time.perf_counter()):
                page.send({"id": None, "error": ["busy", f"more than {PER_S} messages a second; some are dropped."]})
                continue
            self._take(page, message)

    def _take(self, page: Page, message: Any) -> None:
        if isinstance(message, dict) and "clock" in message:
            page.send({"clock": message["clock"], "t": time.perf_counter()})
            return
        try:
            asked = request(page.number, message)
        except ControlError as error:
            number = message.get("id") if isinstance(message, dict) else None
            page.send({"id": number if isinstance(number, int) else None, "error": [error.code, str(error)]})
            return
        answer = self._server.do(asked)
        if answer is not None:
            task = asyncio.ensure_future(self._answer(page, asked.number, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _answer(page: Page, number: int, answer: Awaitable[Sequence[Any]]) -> None:
        try:
            values = await answer
        except ControlError as error:
            page.send({"id": number if number >= 0 else None, "error": [error.code, str(error)]})
            return
        if number >= 0:
            page.send({"id": number, "ok": values, "heard": None})


async def said_hello(socket: WebSocket, is_secret: Callable[[object], bool]) -> bool:
    """Whether the first message has the secret."""
    text = await asyncio.wait_for(socket.receive_text(), HELLO_S)
    with contextlib.suppress(ValueError, RecursionError):
        hello = json.loads(text)
        return isinstance(hello, dict) and is_secret(hello.get("hello"))
    return False


def request(client: int, message: Any) -> Request:
    """What a message asks for.  Raises ControlError."""
    if not isinstance(message, dict) or ("do" in message) == ("try" in message):
        raise ControlError("bad_type", "a message has either do or try.")
    attempt = "try" in message
    address, arguments = message["try" if attempt else "do"], message.get("args", [])
    number, gesture = message.get("id"), message.get("g", "")
    if not isinstance(address, str) or len(address) > LONGEST:
        raise ControlError("bad_type", "do and try name an address.")
    if not isinstance(arguments, list) or len(arguments) > MAX_ARGUMENTS:
        raise ControlError("bad_type", f"args is a list of at most {MAX_ARGUMENTS}.")
    if not (number is None or (isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31)):
        raise ControlError("bad_type", "an id is a whole number from 0.")
    if not isinstance(gesture, str) or len(gesture) > 64:
        raise ControlError("bad_type", "g is a word.")
    for value in arguments:
        if isinstance(value, dict) and address.startswith("/page/"):
            continue
        if not isinstance(value, (str, int, float, bool)):
            raise ControlError("bad_type", "an argument is a number, a word, true or false.")
        if isinstance(value, str) and len(value) > LONGEST:
            raise ControlError("bad_value", f"that has {len(value)} characters; {LONGEST} are the most.")
        if isinstance(value, (int, float)) and not (math.isfinite(value) and abs(value) < 1e15):
            raise ControlError("bad_value", "this number is none.")
    return Request(client, -1 if number is None else number, address, tuple(arguments), gesture, attempt)
