"""Who may speak to the page's server: checked for every request, before any route.

A browser sends cookies to every port of a host, and any page of the web can make a browser ask 127.0.0.1: so the name
of the host, the origin and where the request comes from are checked, and what changes something needs a secret that
only the page has.
"""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.page.protocol import COOKIE, FORBIDDEN, SECRET_HEADER

EXPIRED: Final = "This address has expired; use the one the program printed."
_READS: Final = ("GET", "HEAD")
_WRONG_HOST: Final = "This server answers to 127.0.0.1 only."
_FOREIGN: Final = "This request comes from another page."


def cookie_value(secret: str) -> str:
    """What the browser keeps.  A cookie goes to every server of the host, whatever its port: from this one nobody can
    make the token, which opens the secret, nor the secret (HMAC-SHA256 of RFC 2104)."""
    return hmac.new(secret.encode(), b"cookie", hashlib.sha256).hexdigest()


class Gate:
    """ASGI middleware.  port: the server's own; token opens the page, secret opens writing."""

    def __init__(self, app: ASGIApp, port: int, token: str, secret: str) -> None:
        self._app = app
        self._token, self._secret = token, secret
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._cookie, self._cookie_value = COOKIE.format(port=port), cookie_value(secret)
        self._policy = "; ".join(
            (
                "default-src 'self'",
                "img-src 'self' data: blob:",
                "media-src 'self' blob:",
                "connect-src 'self' " + " ".join(f"ws://{host}" for host in self._hosts),
                "worker-src 'self'",
                "style-src 'self' 'unsafe-inline'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'none'",
            )
        )

    def serve(self, app: ASGIApp) -> None:
        """What lies behind the gate."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refused:
                await receive()
                await send({"type": "websocket.close", "code": 4403, "reason": refused[1]})
                return
            await self._app(scope, receive, send)
            return
        opened = self._has_token(scope)
        scope.setdefault("state", {})["secret"] = self._secret if opened else ""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(raw=message["headers"])
                out["Content-Security-Policy"] = self._policy
                out["X-Content-Type-Options"] = "nosniff"
                out["Referrer-Policy"] = "no-referrer"
                out["Cross-Origin-Resource-Policy"] = "same-origin"
                out["Cross-Origin-Opener-Policy"] = "same-origin"
                out.setdefault("Cache-Control", "no-store")
                if opened and not refused:
                    out["Set-Cookie"] = f"{self._cookie}={self._cookie_value}; Path=/; HttpOnly; SameSite=Strict"
            await send(message)

        if refused:
            status, sentence = refused
            await JSONResponse({"error": [FORBIDDEN, sentence]}, status)(scope, receive, answer)
            return
        await self._app(scope, receive, answer)

    def is_secret(self, word: object) -> bool:
        """Whether this is the secret that opens writing."""
        return isinstance(word, str) and hmac.compare_digest(word.encode(), self._secret.encode())

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Status and sentence, None where the request is let through."""
        host = headers.get("host", "")
        if host not in self._hosts:
            return 421, _WRONG_HOST
        origin = headers.get("origin")
        if scope["type"] == "websocket":
            return None if origin == f"http://{host}" else (403, _FOREIGN)
        if scope["method"] in _READS:
            return self._refused_read(scope, headers, host, origin)
        if origin != f"http://{host}":
            return 403, _FOREIGN
        return None if self.is_secret(headers.get(SECRET_HEADER, "")) else (403, EXPIRED)

    def _refused_read(self, scope: Scope, headers: Headers, host: str, origin: str | None) -> tuple[int, str] | None:
        if origin is not None and origin != f"http://{host}":
            return 403, _FOREIGN
        if scope["path"] == "/" and self._has_token(scope):
            return None
        if not self._has_cookie(headers):
            return 403, EXPIRED
        # A person who reloads or types the address comes from nowhere; only the page itself asks for the rest.
        allowed = ("same-origin", "none") if scope["path"] == "/" else ("same-origin",)
        return None if headers.get("sec-fetch-site", "") in allowed else (403, _FOREIGN)

    def _has_token(self, scope: Scope) -> bool:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        return scope["path"] == "/" and hmac.compare_digest(given.encode(), self._token.encode())

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self._cookie_value.encode())
