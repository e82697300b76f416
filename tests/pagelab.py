"""The page's server as a browser meets it: its process on loopback, real HTTP, real sockets.

with PageProcess(tmp_path) as page:
    page.tell(messages.FilmOf(...))          # as the bridge
    with page.socket() as socket:            # as a page
        socket.do("/cue/chords/pin", "E7", 19.6)
"""

from __future__ import annotations

import json
import queue
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from bridge.page import messages as p
from bridge.page.link import PageLink, new_secret
from bridge.page.protocol import SECRET_HEADER

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """What a browser does: keeps the cookie, says where requests come from.  secret: as the page has it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.base, _, query = address.partition("/?")
        self.token = query.removeprefix("token=")
        self.port = int(self.base.rpartition(":")[2])
        self.cookie: dict[str, str] = {}
        self.secret = ""
        self.http = httpx.Client(base_url=self.base, timeout=20.0)

    def open(self) -> httpx.Response:
        """The printed address, as a person opens it."""
        answer = self.http.get(f"/?token={self.token}", headers={"Sec-Fetch-Site": "none"})
        found = re.search(r'<meta name="cuebridge-secret" content="([^"]+)">', answer.text)
        self.secret = found[1] if found else ""
        self.cookie = {"Cookie": answer.headers.get("set-cookie", "").split(";")[0]}
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(path, headers={**self.cookie, **SAME_ORIGIN, **headers})

    def post(self, path: str, content: Any, **headers: str) -> httpx.Response:
        ours = {**self.cookie, **SAME_ORIGIN, "Origin": self.base, SECRET_HEADER: self.secret}
        return self.http.post(path, content=content, headers={**ours, **headers})

    def socket(self, name: str = "socket") -> Socket:
        return Socket(self, name)

    def close(self) -> None:
        self.http.close()


class Socket:
    """One socket of a page; `state` is what its hello brought."""

    def __init__(self, browser: Browser, name: str = "socket", *, hello: Any = None, origin: str | None = None) -> None:
        address = f"{browser.base.replace('http', 'ws')}/{name}"
        opened = connect(address, origin=origin or browser.base, max_size=None)  # type: ignore[arg-type]
        self.connection: ClientConnection = opened.__enter__()
        self._ids = 0
        self.seen: list[Any] = []
        self.connection.send(json.dumps({"hello": browser.secret if hello is None else hello}))
        if name == "socket" and hello is None:
            first = self.next()
            self.state, self.name = first["state"], first["you"]

    def next(self, timeout_s: float = 10.0) -> Any:
        """The next message: an object, or bytes."""
        data = self.connection.recv(timeout_s)
        message = data if isinstance(data, bytes) else json.loads(data)
        self.seen.append(message)
        return message

    def until(self, met: Callable[[Any], bool], timeout_s: float = 10.0) -> Any:
        end_s = time.monotonic() + timeout_s
        while True:
            message = self.next(max(end_s - time.monotonic(), 0.01))
            if met(message):
                return message

    def send(self, message: Any) -> None:
        self.connection.send(json.dumps(message) if not isinstance(message, (str, bytes)) else message)

    def ask(self, address: str, *arguments: Any, **more: Any) -> Any:
        """Does it; the answer."""
        self._ids += 1
        self.send({"id": self._ids, "do": address, "args": list(arguments), **more})
        return self.until(lambda message: isinstance(message, dict) and message.get("id") == self._ids)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PageProcess:
    """The server's process with a bridge that answers as it is told.  asked: what came from the server.

    on(message): answers of the bridge; without one, what was asked for is answered by its own arguments.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        self.films = folder / "films"
        self.asked: queue.Queue[Any] = queue.Queue()
        self.on: Callable[[Any], p.ToServer | None] = _answer
        wanted = p.PageOptions(0, new_secret(), new_secret(), str(self.films), "", "test", **options)
        self.link = PageLink(wanted, self._received)

    def __enter__(self) -> PageProcess:
        assert self.link.start(), self.link.fault
        self.browser = Browser(self.link.address)
        assert self.browser.open().status_code == 200
        assert self.browser.secret == self.link.options.secret
        return self

    def __exit__(self, *_: object) -> None:
        self.browser.close()
        self.link.close()

    def tell(self, *messages: p.ToServer) -> None:
        for message in messages:
            self.link.send(message)

    def socket(self, name: str = "socket") -> Socket:
        return self.browser.socket(name)

    def _received(self, message: Any) -> None:
        self.asked.put(message)
        answer = self.on(message)
        if answer is not None:
            self.link.send(answer)


def _answer(message: Any) -> p.ToServer | None:
    match message:
        case p.Watching():
            return p.Fresh(message.fresh)
        case p.Do():
            return p.Answer(message.client, message.id, message.arguments, 1.5)
        case p.ChooseFilm():
            return p.Answer(message.client, message.id, (message.name,))
    return None
