"""The controls table as an OSCQuery namespace (Vidvox proposal): JSON from which controller programs build pages.

`QueryServer` answers HTTP GET on TCP, on the port that OSC has on UDP: `/cue/key` gives a node, `?VALUE` its value,
`?HOST_INFO` where OSC listens.  A web page must not read it by giving its own name our address (DNS rebinding):
requests have to name this machine by an address, as `localhost`, or by the name it listens on.  Whoever sends its
request drop by drop is cut off, and no more than some are heard at once.
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

from bridge.osc.codec import Argument
from engine.music.arguments import Arg
from engine.music.controls import BY_ADDRESS, CONTROLS, Control

MAX_PATH: Final = 512
TIMEOUT_S: Final = 5.0
REQUEST_S: Final = 8.0  # for a whole request and its answer, however it comes in
MAX_CONNECTIONS: Final = 16
ATTRIBUTES: Final = ("VALUE", "TYPE", "RANGE", "DESCRIPTION", "ACCESS", "UNIT", "FULL_PATH", "CONTENTS")
Values = Callable[[str], Sequence[Argument]]

_ACCESS = {"state": 1, "do": 2, "value": 3}


def namespace() -> dict[str, Any]:
    """The root node with all addresses under it."""
    root: dict[str, Any] = {"FULL_PATH": "/", "DESCRIPTION": "CueBridge", "ACCESS": 0, "CONTENTS": {}}
    for control in CONTROLS:
        node = root
        path = ""
        for name in control.address.strip("/").split("/"):
            path += f"/{name}"
            contents = node.setdefault("CONTENTS", {})
            node = contents.setdefault(name, {"FULL_PATH": path, "ACCESS": 0})
        node.update(_attributes(control))
    return root


def _attributes(control: Control) -> dict[str, Any]:
    attributes: dict[str, Any] = {"ACCESS": _ACCESS[control.access], "DESCRIPTION": control.doc}
    if control.arguments:
        attributes["TYPE"] = "".join(argument.tag for argument in control.arguments)
        attributes["RANGE"] = [_range(argument) for argument in control.arguments]
        if any(argument.unit for argument in control.arguments):
            attributes["UNIT"] = [argument.unit for argument in control.arguments]
    if control.access == "value":
        attributes["VALUE"] = [control.default]
    return attributes


def _range(argument: Arg) -> dict[str, Any]:
    if argument.kind == "choice":
        return {"VALS": list(argument.words)}
    found: dict[str, Any] = {}
    if argument.low is not None:
        found["MIN"] = argument.low
    if argument.high is not None:
        found["MAX"] = argument.high
    return found


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
    """values(address) may be called from any of its threads; it raises TimeoutError when nobody answers."""

    def __init__(self, host: str, port: int, name: str, values: Values) -> None:
        """Raises OSError where the port is taken."""
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
                    self.send_error(403, "name this machine by its address")
                    return
                if len(self.path) > MAX_PATH:
                    self.send_error(414)
                    return
                try:
                    body = answer(self.path, info, values)
                except LookupError:
                    self.send_error(404)
                    return
                except ValueError:
                    self.send_error(400)
                    return
                except TimeoutError:
                    self.send_error(503)
                    return
                if body is None:
                    self.send_response(204)
                    self.end_headers()
                    return
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
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


def answer(target: str, info: dict[str, Any], values: Values) -> dict[str, Any] | None:
    """What a GET of `target` gives; None: nothing (an attribute the node has not).  Raises LookupError."""
    url = urlsplit(target)
    query = url.query.split("&")[0]
    if query == "HOST_INFO":
        return info
    path = "/" + unquote(url.path).strip("/")
    node = namespace()
    for name in path.strip("/").split("/") if path != "/" else ():
        node = node["CONTENTS"][name]
    if query and query not in ATTRIBUTES:
        return None
    if query == "VALUE":
        control = BY_ADDRESS.get(path)
        return {"VALUE": list(values(path))} if control is not None and control.access != "do" else None
    if query:
        return {query: node[query]} if query in node else None
    if path in BY_ADDRESS and BY_ADDRESS[path].access != "do":
        node = {**node, "VALUE": list(values(path))}
    return node
