"""Films that come through the page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.page.uploads import Uploads, safe_name, web_address
from engine.music.arguments import ControlError


@given(st.text(max_size=300))
def test_a_name_is_never_a_path(label) -> None:
    name = safe_name(label)
    assert name and name == Path(name).name and name not in (".", "..")
    assert not name.startswith(".") and len(name) <= 91 and name.isprintable()
    assert not set(name) & set('/\\:*?"<>|\0\n')


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\films\\a b.mov", "a b.mov"), ("..", "film.mp4"),
        ("", "film.mp4"), ("Läufer (1).mp4", "Läufer (1).mp4"), ("con.mp4", "_con.mp4"), ("a\0b.mp4", "a_b.mp4"),
    ],
)  # fmt: skip
def test_names(label, name) -> None:
    found = safe_name(label)
    assert found == name


async def _pieces(*pieces: bytes):
    for piece in pieces:
        yield piece


def test_a_film_is_kept_whole_or_not_at_all(tmp_path) -> None:
    uploads = Uploads(tmp_path / "films", 10)

    def take(label: str, size: int | None, *pieces: bytes):
        return asyncio.run(uploads.take(label, size, _pieces(*pieces)))

    number, name, count = take("../x.mp4", 6, b"abc", b"def")
    path, label = uploads.path_of(number)
    assert (name, count, label) == ("x.mp4", 6, "x.mp4") and path.read_bytes() == b"abcdef"
    assert path.resolve().is_relative_to(tmp_path / "films")
    assert take("x.mp4", None, b"abc")[0] != number and len(list((tmp_path / "films").iterdir())) == 2
    for size, pieces, code in (
        (11, (), "too_big"),
        (None, (b"x" * 8, b"x" * 8), "too_big"),
        (6, (b"abc",), "bad_value"),
    ):
        with pytest.raises(ControlError) as refused:
            take("h.mov", size, *pieces)
        assert refused.value.code == code
    assert len(list((tmp_path / "films").iterdir())) == 2
    with pytest.raises(ControlError, match="Not enough space in"):
        Uploads(tmp_path, 2**62).check("h.mov", 2**61)
    with pytest.raises(ControlError, match=r"h.mov is 9.2 GB; 8.0 GB is the most \(--upload-limit\)"):
        Uploads(tmp_path, 8 * 2**30).check("h.mov", int(9.2 * 2**30))


@pytest.mark.parametrize(
    "text", ["file:///etc/passwd", "ftp://x/y", "--exec=x", "http://", "http://[", "x", "http://a\nb/"]
)
def test_a_link_is_an_address_of_the_web(text) -> None:
    with pytest.raises(ControlError):
        web_address(text)
    assert web_address(" http://127.0.0.1:8000/film.mp4 ") == "http://127.0.0.1:8000/film.mp4"
