"""The controls table as an OSCQuery namespace (Vidvox proposal): JSON from which controller programs build pages.

`QueryServer` answers HTTP GET on TCP, on the port that OSC has on UDP: `/cue/key` gives a node, `?VALUE` its value,
`?HOST_INFO` where OSC listens.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bridge.osc.codec import Argument
from bridge.osc.controls import BY_ADDRESS, CONTROLS, Arg, Control

MAX_PATH: Final = 512
TIMEOUT_S: Final = 5.0
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
        free = threading.BoundedSemaphore(MAX_CONNECTIONS)

        class Handler(BaseHTTPRequestHandler):
            timeout = TIMEOUT_S
            server_version = "CueBridge"
            sys_version = ""

            def do_GET(self) -> None:
                if not free.acquire(blocking=False):
                    self.send_error(503)
                    return
                try:
                    self._answer()
                finally:
                    free.release()

            def _answer(self) -> None:
                if len(self.path) > MAX_PATH:
                    self.send_error(414)
                    return
                try:
                    body = answer(self.path, info, values)
                except LookupError:
                    self.send_error(404)
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

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
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
