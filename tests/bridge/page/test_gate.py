"""Who is let in, by starlette's own test client."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bridge.page.gate import Gate, cookie_value

PORT = 9318
OWN = f"http://127.0.0.1:{PORT}"
SOCKET = f"ws://127.0.0.1:{PORT}/socket"
SAME = {"Sec-Fetch-Site": "same-origin"}


async def _answer(request):
    return PlainTextResponse(f"secret={request.scope['state'].get('secret', '')}")


async def _socket(socket):
    await socket.accept()
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    routes = [Route(path, _answer, methods=["GET", "POST"]) for path in ("/", "/state", "/upload")]
    app = Starlette(routes=[*routes, WebSocketRoute("/socket", _socket)])
    return TestClient(Gate(app, PORT, "TOKEN", "SECRET"), base_url=OWN)


def cookie(port: int = PORT, value: str | None = None) -> dict[str, str]:
    return {"Cookie": f"cuebridge-{port}={value or cookie_value('SECRET')}"}


def test_the_token_opens_the_page_and_the_cookie_what_the_page_asks_for(client) -> None:
    assert client.get("/").status_code == 403
    assert client.get("/?token=WRONG").status_code == 403
    opened = client.get("/?token=TOKEN", headers={"Sec-Fetch-Site": "none"})
    assert opened.status_code == 200 and opened.text == "secret=SECRET" and not opened.history
    said = opened.headers["set-cookie"]
    assert said.startswith(f"{cookie()['Cookie']};") and "HttpOnly" in said and "SameSite=Strict" in said
    again = client.get("/", headers={**cookie(), "Sec-Fetch-Site": "none"})
    assert again.status_code == 200 and again.text == "secret="  # another server of this host may have the cookie
    assert client.get("/state", headers={**cookie(), **SAME}).status_code == 200


def test_who_gets_the_cookie_has_neither_the_token_nor_the_secret(client) -> None:
    """Any server of this host gets it from the browser; it asks as programs can, with every header it likes."""
    opened = client.get("/?token=TOKEN", headers={"Sec-Fetch-Site": "none"})
    taken = opened.headers["set-cookie"].split(";")[0].partition("=")[2]
    client.cookies.clear()
    assert "TOKEN" not in opened.headers["set-cookie"] and "SECRET" not in opened.headers["set-cookie"]
    asked = client.get(f"/?token={taken}", headers={"Sec-Fetch-Site": "none"})
    assert asked.status_code == 403 and "SECRET" not in asked.text
    read = client.get("/", headers={**cookie(PORT, taken), "Sec-Fetch-Site": "none"})
    assert read.status_code == 200 and "SECRET" not in read.text
    written = client.post("/upload", headers={**cookie(PORT, taken), "X-CueBridge-Secret": taken, "Origin": OWN})
    assert written.status_code == 403
    # The token is no cookie.
    assert client.get("/state", headers={**cookie(PORT, "TOKEN"), **SAME}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_the_cookie_alone_opens_nothing_to_others(client, site) -> None:
    client.cookies.clear()
    assert client.get("/state", headers={**cookie(), "Sec-Fetch-Site": site}).status_code == 403


def test_the_token_opens_the_page_alone(client) -> None:
    assert client.get("/state?token=TOKEN", headers=SAME).status_code == 403


def test_the_cookie_of_another_port_is_not_ours(client) -> None:
    assert client.get("/state", headers={**cookie(9319), **SAME}).status_code == 403
    assert client.get("/state", headers={**cookie(PORT, "OTHER"), **SAME}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9318", "127.0.0.1:9319", "127.0.0.1", ""])
def test_a_foreign_host_is_misdirected(client, host) -> None:
    """A page that points its own name at 127.0.0.1."""
    for headers in ({**cookie(), **SAME}, {}):
        assert client.get("/?token=TOKEN", headers={**headers, "Host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:9319", f"{OWN}.evil.example"])
def test_a_foreign_origin_writes_nothing_and_gets_no_socket(client, origin) -> None:
    headers = {**cookie(), "X-CueBridge-Secret": "SECRET", "Origin": origin}
    assert client.post("/upload", headers=headers).status_code == 403
    assert client.get("/state", headers={**cookie(), **SAME, "Origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect(SOCKET, headers=headers):
        pass
    assert refused.value.code == 4403


def test_writing_needs_the_secret_and_the_origin(client) -> None:
    good = {**cookie(), "X-CueBridge-Secret": "SECRET", "Origin": OWN}
    assert client.post("/upload", headers=good).status_code == 200
    for name in ("X-CueBridge-Secret", "Origin"):
        assert client.post("/upload", headers={key: good[key] for key in good if key != name}).status_code == 403
    assert client.post("/upload", headers={**good, "X-CueBridge-Secret": "TOKEN"}).status_code == 403
    with client.websocket_connect(SOCKET, headers={"Origin": OWN}):
        pass


def test_every_answer_forbids_what_the_page_does_not_need(client) -> None:
    for answer in (client.get("/?token=TOKEN"), client.get("/state")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "script" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not any(name.startswith("access-control-") for name in answer.headers)
