"""A disk that is really full: uploads, copies for the screen, saves and renders say so and leave all as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from livelab import CLIP, environment
from soundlab import make_film

SESSION = Path(__file__).parents[1] / "engine/document/fixtures/seconds-v1.cuebridge.json"
FULL = "dd if=/dev/zero of={disk}/filling bs=4k 2>/dev/null; "
UPLOAD = """
import asyncio, sys
from pathlib import Path
from bridge.page.uploads import Uploads
from engine.music.arguments import ControlError
async def pieces():
    for _ in range(40):
        yield bytes(100_000)
try:
    asyncio.run(Uploads(Path(sys.argv[1]), 2**33).take("../h.mov", None, pieces()))
except ControlError as error:
    print(error)
"""


def _on_a_small_disk(home: Path, line: str, *words: object) -> tuple[str, Path]:
    """What a shell line says with $DISK on two megabytes of its own, and a copy of what is left there; `"$@"` are the
    words, $PYTHON is this interpreter."""
    disk, left = home / "disk", home / "left"
    disk.mkdir()
    left.mkdir()
    begin = f"mount -t tmpfs -o size=2m tmpfs {disk} || exit 99; DISK={disk}; fill() {{ {FULL.format(disk=disk)} }}"
    script = f"{begin}; {line}; cp -r {disk}/. {left}"
    result = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *map(str, words)],
        capture_output=True, text=True, env={**environment(home), "PYTHON": sys.executable}, timeout=120, cwd=home,
    )  # fmt: skip
    assert result.returncode != 99, result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    return result.stdout + result.stderr, left


def _why_not() -> str:
    if shutil.which("unshare") is None:
        return "needs unshare, for a small disk of its own"
    tried = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
        capture_output=True,
    )
    return "" if tried.returncode == 0 else "needs a user's own mounts, for a small disk"


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "a small disk can be had")


def _names(left: Path) -> list[str]:
    return sorted(str(path.relative_to(left)) for path in left.rglob("*") if path.is_file() and path.name != "filling")


def test_an_upload_says_where_there_is_no_room_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "upload.py").write_text(UPLOAD)
    said, left = _on_a_small_disk(tmp_path, '"$PYTHON" upload.py $DISK/films')
    assert said.startswith(f"Not enough space in {tmp_path}/disk/films: ") and said.rstrip().endswith(" free.")
    assert "h.mov" not in "".join(_names(left)) and _names(left) == []


@pytest.mark.parametrize("kind", ["mid", "parts", "leadsheet", "wav", "stems"])
def test_a_save_that_has_no_room_says_so(tmp_path: Path, kind: str) -> None:
    line = 'fill; "$PYTHON" -m engine.commands.page_save "$1" "$2" $DISK/music.x {}'
    said, left = _on_a_small_disk(tmp_path, line, kind, SESSION)
    last = json.loads(said.splitlines()[-1])
    assert "file" not in last and ("No space left" in last["fault"] or "Not enough space in" in last["fault"])
    assert all((left / name).stat().st_size == 0 for name in _names(left))


def test_a_copy_for_the_screen_that_has_no_room_says_so(tmp_path: Path) -> None:
    said, _ = _on_a_small_disk(tmp_path, 'fill; "$PYTHON" -m engine.video.browsers "$1" $DISK/copy.part.mp4', CLIP)
    assert "No space left" in json.loads(said.splitlines()[-1])["fault"]


def test_a_render_that_has_no_room_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    shutil.copy(SESSION, tmp_path / "my.cuebridge.json")
    make_film(tmp_path / "film.mp4", 8.0)
    line = (
        "echo before > $DISK/out.wav; fill; "
        '"$PYTHON" -m bridge.cli render my.cuebridge.json -o $DISK/out.wav --replace --film-sound drop; echo "ended $?"'
    )
    said, left = _on_a_small_disk(tmp_path, line)
    assert "Not enough space in" in said and "ended 2" in said
    assert (left / "out.wav").read_text() == "before\n" and _names(left) == ["out.wav"]
