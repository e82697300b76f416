"""The page of a listening test: starlette on loopback.  The browser learns blind names only.

Every request is checked for the host that it names, and what writes for a header that other pages cannot send.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from engine.batch.pool import LOOPBACK
from engine.listening.answers import HEADPHONE_PASS, HEADPHONE_TRIALS, Answers, Listener
from engine.listening.study import CLIPS, HIGHEST, LOWEST, QUESTIONS, ListeningError, Study

OWN_NAMES: Final = (LOOPBACK, "localhost")
HEADER: Final = "x-cuebridge-listening"
_LONGEST: Final = 4096  # bytes of a request
_PAGE: Final = Path(__file__).parent / "static"
_POLICY: Final = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Pages:
    """What the browser asks for."""

    def __init__(self, study: Study, folder: Path) -> None:
        self.study, self.folder = study, folder
        self.answers = Answers(study, folder)
        self._tokens = {clip.token for clip in study.clips}

    async def begin(self, request: Request) -> Response:
        """A listener's state: a new one, or one who comes back with a name."""
        body = await _body(request)
        name = body.get("name")
        listener = self.answers.begin() if name is None else self.answers.of(name)
        return JSONResponse(self._state(listener))

    async def answer(self, request: Request) -> Response:
        """One click."""
        body = await _body(request)
        listener = self.answers.of(body.get("name"))
        self.answers.take(listener, body.get("trial"), body.get("question"), body.get("value"), body.get("at_ms"))
        return JSONResponse({"saved": True})

    async def clip(self, request: Request) -> Response:
        """A clip by its blind name; browsers ask for ranges of it."""
        token = request.path_params["token"]
        if token not in self._tokens:
            return JSONResponse({"error": "There is no such clip."}, 404)
        path = self.folder / CLIPS / f"{token}.mp4"
        return FileResponse(path, media_type="video/mp4", headers={"cache-control": "no-store"})

    def _state(self, listener: Listener) -> dict[str, Any]:
        ratings: dict[str, dict[str, int]] = {}
        for (trial, question), value in listener.ratings.items():
            ratings.setdefault(trial, {})[question] = value
        return {
            "name": listener.name,
            "title": self.study.title,
            "questions": QUESTIONS,
            "lowest": LOWEST,
            "highest": HIGHEST,
            "headphones": listener.headphones,
            "headphone_trials": HEADPHONE_TRIALS,
            "headphone_pass": HEADPHONE_PASS,
            "finished": listener.finished,
            "trials": [
                {"id": each.id, "clip": f"clip/{each.token}.mp4", "demanded": each.demanded}
                for each in self.answers.trials(listener)
            ],
            "ratings": ratings,
        }


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get(HEADER) != "1":
        raise ListeningError("This request comes from another page.")
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _LONGEST:
            raise ListeningError("That is too long.")
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ListeningError("That is not a JSON object.")
    return found


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def application(study: Study, folder: Path, hosts: tuple[str, ...] = OWN_NAMES) -> Starlette:
    """The ASGI application.  hosts: names by which it may be asked for."""
    pages = Pages(study, folder)
    app = Starlette(
        routes=[
            Route("/api/begin", pages.begin, methods=["POST"]),
            Route("/api/answer", pages.answer, methods=["POST"]),
            Route("/clip/{token}.mp4", pages.clip),
            Mount("/", StaticFiles(directory=_PAGE, html=True)),
        ],
        exception_handlers={ListeningError: _refused},
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_middleware(_Policy)
    return app


class _Policy:
    """Adds the content policy to each answer."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                extra = [(b"content-security-policy", _POLICY.encode()), (b"x-content-type-options", b"nosniff")]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self._app(scope, receive, with_policy)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any.  Raises ListeningError."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise ListeningError(f"The page cannot listen on {host} port {port}: {error.strerror or error}.") from error
    return found


def serve(app: Starlette, bound: socket.socket) -> None:
    """Serves until it is ended by a signal."""
    import uvicorn

    config = uvicorn.Config(
        app, log_level="critical", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[bound])
