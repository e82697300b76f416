"""The process of the page's server: one socket on loopback, one pipe to the bridge, one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import socket
import threading
from multiprocessing.connection import Connection
from typing import Any, Final

from bridge.page import messages as p
from bridge.page.pipe import Pipe

HOST: Final = "127.0.0.1"
_END_S: Final = 2.0  # for what is on its way when the program ends
_MOST_TEXT: Final = 2**16  # bytes of a socket message


def listening(port: int, any_port: bool) -> socket.socket:
    """A socket on loopback.  Raises OSError."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have one port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, port))
            bound.listen(128)
        except OSError:
            if not any_port:
                raise
            bound.bind((HOST, 0))
            bound.listen(128)
    except BaseException:
        bound.close()
        raise
    return bound


def port_refused(port: int, error: Exception) -> str:
    """Why there is no page on a port, in a sentence."""
    taken = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES, 10048, 10013)
    why = "is taken; choose another with --page-port (0: any)" if taken else f"cannot be had: {error}"
    return f"the page's port {port} {why}."


def run_page(connection: Connection, options: p.PageOptions) -> None:
    """Spawn target: serves until the pipe is closed or `Close` comes."""
    try:
        bound = listening(options.port, options.any_port)
    except (OSError, OverflowError) as error:
        with contextlib.suppress(OSError):
            connection.send(p.ServerFailed(port_refused(options.port, error)))
        connection.close()
        return
    with bound:
        asyncio.run(_serve(connection, options, bound))


async def _serve(connection: Connection, options: p.PageOptions, bound: socket.socket) -> None:
    import uvicorn

    from bridge.page.app import app
    from bridge.page.gate import Gate
    from bridge.page.server import PageServer

    loop = asyncio.get_running_loop()
    port = int(bound.getsockname()[1])
    ended = asyncio.Event()
    waiting: list[Any] = []
    receive = waiting.append

    def received(message: Any) -> None:
        if isinstance(message, p.Close):
            ended.set()
        else:
            receive(message)

    def call(what: Any, *values: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(what, *values)

    pipe = Pipe(connection, lambda message: call(received, message), lambda: call(ended.set), "bridge")
    gate = Gate(_nothing, port, options.token, options.secret)
    server = PageServer(options, pipe.send, gate.is_secret, loop)
    receive = server.receive
    for message in waiting:
        receive(message)
    gate.serve(app(server))
    config = uvicorn.Config(
        gate, log_level="critical", access_log=False, ws="websockets-sansio", ws_max_size=_MOST_TEXT,
        ws_per_message_deflate=False, timeout_graceful_shutdown=1, server_header=False, lifespan="off",
    )  # fmt: skip
    web = uvicorn.Server(config)
    serving = asyncio.ensure_future(web.serve(sockets=[bound]))
    server.begin()
    pipe.send(p.ServerReady(port))
    await asyncio.wait([serving, asyncio.ensure_future(ended.wait())], return_when=asyncio.FIRST_COMPLETED)
    # Whatever hangs in a connection: the program that this belongs to has ended.
    threading.Timer(2 * _END_S, lambda: os._exit(0)).start()
    web.should_exit = True
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(serving, _END_S)
    shutil.rmtree(options.work, ignore_errors=True)  # a bridge that was killed cannot
    os._exit(0)


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("the routes are not there yet")
