"""The routes of the page's server; see docs/page-protocol.md."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette.websockets import WebSocket

from bridge.page.protocol import GONE, NAME_HEADER, SECRET_META, TOO_BIG
from bridge.page.server import PageServer
from engine.music.arguments import ControlError
from engine.music.controls import CONTROLS, Control

STATIC: Final = Path(__file__).parent / "static"
_KEEP: Final = {"Cache-Control": "private, max-age=31536000, immutable"}
_BYTES: Final = "application/octet-stream"
_STATUS: Final = {TOO_BIG: 413, GONE: 410, "not_ready": 404}


def refusal(code: str, sentence: str, status: int | None = None) -> JSONResponse:
    return JSONResponse({"error": [code, sentence]}, status or _STATUS.get(code, 400))


class Static(StaticFiles):
    """The page's own files, asked for anew each time but sent only where they differ."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Routes:
    """Each method answers one route."""

    def __init__(self, server: PageServer) -> None:
        self._server = server

    async def index(self, request: Request) -> Response:
        try:
            text = (STATIC / "index.html").read_text(encoding="utf-8")
        except OSError:
            return refusal("not_ready", "the page's files are missing; install CueBridge again.")
        secret = request.scope.get("state", {}).get("secret", "")
        if secret:
            text = text.replace("<head>", f'<head>\n<meta name="{SECRET_META}" content="{secret}">', 1)
        return HTMLResponse(text)

    async def controls(self, request: Request) -> Response:
        return Response(_table(), media_type="application/json")

    async def state(self, request: Request) -> Response:
        return Response(json.dumps(self._server.whole(), default=str), media_type="application/json")

    async def notes(self, request: Request) -> Response:
        tile = self._server.tiles.tile(_number(request, "revision"), _number(request, "tile"))
        if tile is None:
            return refusal(GONE, "newer music has taken the place of this.")
        return Response(tile, media_type=_BYTES, headers=_KEEP)

    async def counts(self, request: Request) -> Response:
        if _number(request, "revision") != self._server.tiles.revision:
            return refusal(GONE, "newer music has taken the place of this.")
        return Response(self._server.tiles.counts(), media_type=_BYTES, headers=_KEEP)

    async def mood(self, request: Request) -> Response:
        state = self._server.state
        if _number(request, "revision") != state.mood:
            return refusal(GONE, "newer chords have taken the place of these.")
        return Response(state.mood_rows, media_type=_BYTES, headers=_KEEP)

    async def video(self, request: Request) -> Response:
        path = self._server.films.video() if self._is_film(request) else None
        if path is None or not path.is_file():
            return refusal("not_ready", "there is no film that a browser can show.")
        return FileResponse(path, headers={"Cache-Control": "private, no-cache"})

    async def thumbnails(self, request: Request) -> Response:
        level = request.query_params.get("level", "0")
        jpeg = b""
        if self._is_film(request) and level.isdigit():
            try:
                jpeg = await self._server.films.thumbnails(int(level), _number(request, "tile"))
            except TimeoutError:
                return refusal("busy", "the film could not be read in time.", 503)
        if not jpeg:
            return refusal("not_ready", "there is no picture there.")
        return Response(jpeg, media_type="image/jpeg", headers=_KEEP)

    async def peaks(self, request: Request) -> Response:
        films = self._server.films
        if not self._is_film(request) or not films.facts.get("peaks"):
            return refusal("not_ready", "the film's sound has not been read yet.")
        return Response(films.overview(), media_type=_BYTES, headers=_KEEP)

    async def motion(self, request: Request) -> Response:
        from array import array

        film = self._server.state.film
        if not self._is_film(request) or film is None or not film.motion:
            return refusal("not_ready", "the film has not been looked at yet.")
        return Response(array("f", film.motion).tobytes(), media_type=_BYTES, headers=_KEEP)

    async def take(self, request: Request) -> Response:
        data = self._server.state.sketches.get(_number(request, "take"))
        if data is None:
            return refusal("not_ready", "this take has not been drawn up yet.")
        return Response(data, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def upload(self, request: Request) -> Response:
        length = request.headers.get("content-length", "")
        size = int(length) if length.isdigit() else None
        label = unquote(request.headers.get(NAME_HEADER, ""))
        server = self._server
        uploads = server.lists if request.query_params.get("kind") == "list" else server.uploads
        try:
            number, name, count = await uploads.take(label, size, request.stream())
        except ControlError as error:
            return refusal(error.code, str(error), 507 if error.code == "not_ready" else None)
        except ClientDisconnect:
            return refusal("bad_value", "the film did not come whole.")
        return JSONResponse({"upload": number, "name": name, "bytes": count})

    async def saved(self, request: Request) -> Response:
        path = self._server.jobs.file_of(request.path_params["job"], request.path_params["name"])
        if path is None or not path.is_file():
            return refusal("not_ready", "there is no such file.")
        return FileResponse(path, filename=path.name)

    async def socket(self, socket: WebSocket) -> None:
        await self._server.hub.serve(socket)

    async def sound(self, socket: WebSocket) -> None:
        await self._server.sound.serve(socket, self._server.is_secret)

    def _is_film(self, request: Request) -> bool:
        return request.path_params["film"] == self._server.films.id


def _number(request: Request, name: str) -> int:
    return int(request.path_params[name])


def app(server: PageServer) -> Starlette:
    """Without the gate, which goes around it."""
    routes = Routes(server)

    async def lost(request: Request, error: Any) -> Response:
        return refusal("unknown_address", "there is nothing here.", 404)

    async def not_so(request: Request, error: Any) -> Response:
        return refusal("bad_value", "this cannot be done here.", 405)

    return Starlette(
        routes=[
            Route("/", routes.index),
            *([Mount("/static", Static(directory=STATIC))] if STATIC.is_dir() else []),
            Route("/controls.json", routes.controls),
            Route("/state", routes.state),
            Route("/notes/{revision:int}/counts.bin", routes.counts),
            Route("/notes/{revision:int}/{tile:int}.bin", routes.notes),
            Route("/mood/{revision:int}.bin", routes.mood),
            Route("/film/{film}/video", routes.video),
            Route("/film/{film}/thumbnails/{tile:int}.jpg", routes.thumbnails),
            Route("/film/{film}/peaks.bin", routes.peaks),
            Route("/film/{film}/motion.bin", routes.motion),
            Route("/takes/{take:int}.json", routes.take),
            Route("/upload", routes.upload, methods=["POST"]),
            Route("/saved/{job}/{name}", routes.saved),
            WebSocketRoute("/socket", routes.socket),
            WebSocketRoute("/sound", routes.sound),
        ],
        exception_handlers={404: lost, 405: not_so},
    )


@cache
def _table() -> bytes:
    return json.dumps([_row(control) for control in CONTROLS]).encode()


def _row(control: Control) -> dict[str, Any]:
    return {
        "address": control.address, "name": control.name, "scopes": control.scopes, "doc": control.doc,
        "access": control.access, "effect": control.effect,
        "default": control.default, "undo": control.undo, "unset": control.unset, "part": control.part,
        "arguments": [
            {
                "name": each.name, "kind": each.kind, "low": each.low, "high": each.high, "unit": each.unit,
                "words": each.words, "optional": each.optional,
            }
            for each in control.arguments
        ],
    }  # fmt: skip
