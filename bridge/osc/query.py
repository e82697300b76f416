"""An OSCQuery server (Vidvox proposal): a tree of addresses as JSON over HTTP.

`QueryServer` answers HTTP GET on TCP, on the port that OSC has on UDP: `/cue/key` gives a node, `?VALUE` its value,
`?HOST_INFO` where OSC listens.  A web page must not read it by giving its own name our address (DNS rebinding):
requests have to name this machine by an address, as `localhost`, or by the name it listens on.  Pages of other
origins get no CORS header unless one is allowed.  A request that arrives too slowly is cut off, and the number of
connections is limited.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bridge.osc.codec import Argument, Double

MAX_PATH: Final = 512
TIMEOUT_S: Final = 5.0
REQUEST_S: Final = 8.0  # for a whole request and its answer, however it comes in
MAX_CONNECTIONS: Final = 16
ATTRIBUTES: Final = ("VALUE", "TYPE", "RANGE", "DESCRIPTION", "ACCESS", "UNIT", "FULL_PATH", "CONTENTS")
READABLE: Final = 1  # bit of ACCESS
Values = Callable[[str], Sequence[Argument]]


def _is_ours(host: str, named: set[str]) -> bool:
    """Whether a Host header names an address or one of our names; programs that send none are no web pages."""
    name = host.strip().lower()
    name = name[1 : name.index("]")] if name.startswith("[") and "]" in name else name.rsplit(":", 1)[0]
    if not name or name in named:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class _Server(ThreadingHTTPServer):
    """A thread for each of at most MAX_CONNECTIONS connections, none longer than REQUEST_S."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._open: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            full = len(self._open) >= MAX_CONNECTIONS
            if not full:
                self._open[request] = time.perf_counter()
        if full:
            super().shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Between two connections, a few times a second: who takes too long is cut off."""
        now_s = time.perf_counter()
        with self._lock:
            late = [request for request, since_s in self._open.items() if now_s - since_s > REQUEST_S]
        for request in late:
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no fault of ours."""


class QueryServer:
    """Serves `root`, a tree of nodes with CONTENTS.

    values(address) may be called from any of its threads; it raises TimeoutError when nobody answers.
    origin: web pages of this origin may read it too ("*": all).  Raises OSError where the port is taken.
    """

    def __init__(
        self, host: str, port: int, name: str, root: dict[str, Any], values: Values, origin: str | None = None
    ) -> None:
        info = {
            "NAME": name,
            "OSC_IP": host,
            "OSC_PORT": port,
            "OSC_TRANSPORT": "UDP",
            "EXTENSIONS": {"ACCESS": True, "VALUE": True, "RANGE": True, "DESCRIPTION": True, "UNIT": True},
        }
        named = {host.lower(), "localhost"}

        class Handler(BaseHTTPRequestHandler):
            timeout = TIMEOUT_S
            server_version = "CueBridge"
            sys_version = ""

            def do_GET(self) -> None:
                if not _is_ours(self.headers.get("Host", ""), named):
                    self._reply(403, {"error": "name this machine by its address"})
                    return
                if len(self.path) > MAX_PATH:
                    self._reply(414, {"error": "the path is too long"})
                    return
                try:
                    body = answer(self.path, info, root, values)
                except LookupError:
                    self._reply(404, {"error": "there is no such address"})
                except ValueError:
                    self._reply(400, {"error": "this path cannot be read"})
                except TimeoutError:
                    self._reply(503, {"error": "no answer in time"})
                else:
                    self._reply(204 if body is None else 200, body)

            def _reply(self, status: int, body: dict[str, Any] | None) -> None:
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                if body is not None:
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                if origin is not None:
                    self.send_header("Access-Control-Allow-Origin", origin)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self._server = _Server((host, port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="oscquery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def answer(target: str, info: dict[str, Any], root: dict[str, Any], values: Values) -> dict[str, Any] | None:
    """What a GET of `target` gives; None: nothing (an attribute the node has not).  Raises LookupError."""
    url = urlsplit(target)
    query = url.query.split("&")[0]
    if query == "HOST_INFO":
        return info
    path = "/" + unquote(url.path).strip("/")
    node = root
    for name in path.strip("/").split("/") if path != "/" else ():
        node = node["CONTENTS"][name]
    if query and query not in ATTRIBUTES:
        return None
    if query in ("", "VALUE", "TYPE") and node["ACCESS"] & READABLE:
        node = _with_value(node, values(path))
    if query:
        return {query: node[query]} if query in node else None
    return node


def _with_value(node: dict[str, Any], held: Sequence[Argument]) -> dict[str, Any]:
    """A node with what its address holds: as many values as its TYPE says, or a TYPE for what is only read."""
    if "TYPE" in node:
        return {**node, "VALUE": list(held[: len(node["TYPE"])])}
    return {**node, "VALUE": list(held), "TYPE": "".join(map(_tag, held))}


def _tag(value: Argument) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, Double):
        return "d"
    return {int: "i", float: "f", str: "s", bytes: "b"}.get(type(value), "N")
