"""Long pieces of work: what goes wrong is said, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.page import jobs
from bridge.page import messages as p
from bridge.page.films import Films, forget_old_copies
from bridge.page.jobs import KEPT, Jobs
from bridge.page.uploads import Uploads
from engine.commands import page_save
from engine.music.arguments import ControlError


class Work:
    """Jobs whose bridge writes what `session` gives."""

    def __init__(self, folder: Path, session: Callable[[Path], str] = lambda path: "") -> None:
        self.told: list[dict[str, Any]] = []
        self.folder, self._session = folder, session
        self.jobs = Jobs(
            folder, Uploads(folder / "films", 1000), 1000, None, self.told.append, self._to_bridge,
            lambda path, name: None, asyncio.get_running_loop(),
        )  # fmt: skip

    def _to_bridge(self, message: p.FromServer) -> None:
        assert isinstance(message, p.Save)
        fault = self._session(Path(message.path))
        asyncio.get_running_loop().call_soon(self.jobs.saved, p.ToSave(message.job, message.path, fault))

    async def ended(self, job: str) -> dict[str, Any]:
        while job in self.jobs._tasks:
            await asyncio.sleep(0.01)
        return self.jobs.jobs[job]

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "saved").glob("*"))


def test_a_save_that_fails_says_why_and_leaves_nothing(tmp_path) -> None:
    def written(path: Path) -> str:
        path.write_text("no session")
        return ""

    async def run() -> None:
        work = Work(tmp_path, written)
        done = await work.ended(work.jobs.save("mid"))
        assert done["error"] and not done["link"]
        assert work.left() == []
        refused = Work(tmp_path, lambda path: "The music is still being composed; wait for its end.")
        done = await refused.ended(refused.jobs.save("mid"))
        assert done["error"] == "The music is still being composed; wait for its end."
        assert refused.left() == []

    asyncio.run(run())


@pytest.mark.parametrize("fault", [ValueError("no number"), KeyError("file"), OSError(28, "No space left on device")])
def test_whatever_goes_wrong_the_job_ends_with_a_sentence(tmp_path, fault: Exception) -> None:
    async def run() -> None:
        work = Work(tmp_path)

        async def broken(number: str, *arguments: Any) -> None:
            (work.folder / "saved" / number).mkdir(parents=True)
            raise fault

        number = work.jobs._begin("save", "mid", broken)
        done = await work.ended(number)
        assert done["error"].endswith(".") and str(fault.args[-1]) in done["error"]
        assert work.left() == []

    asyncio.run(run())


def test_the_files_of_old_jobs_go_with_them(tmp_path) -> None:
    async def run() -> None:
        work = Work(tmp_path)

        async def quick(number: str, *arguments: Any) -> None:
            folder = work.folder / "saved" / number
            folder.mkdir(parents=True)
            (folder / "a.mid").write_bytes(b"MThd")
            work.jobs._files[number] = folder / "a.mid"

        for _ in range(KEPT + 5):
            await work.ended(work.jobs._begin("save", "mid", quick))
        assert len(work.left()) == KEPT == len(work.jobs.jobs)
        assert work.jobs.file_of("j1", "a.mid") is None
        newest = f"j{KEPT + 5}"
        assert work.jobs.file_of(newest, "a.mid") is not None

    asyncio.run(run())


def test_a_link_needs_its_extra(tmp_path, monkeypatch) -> None:
    async def run() -> None:
        work = Work(tmp_path)
        monkeypatch.setattr("engine.music.extras.has_extra", lambda extra: False)
        with pytest.raises(ControlError, match=r"pip install 'cuebridge\[link-video\]'"):
            work.jobs.link("https://example.org/film.mp4")

    asyncio.run(run())


def test_a_copy_that_failed_is_tried_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    film = tmp_path / "h.mov"
    film.write_bytes(b"no film" * 100)

    async def run() -> None:
        said: list[str] = []
        films = Films(lambda: said.append(films.facts.get("copy", "")), lambda _: None, lambda _: None,
                      asyncio.get_running_loop())  # fmt: skip
        films._path, films.id = str(film), "f1"
        for _ in range(2):
            films.make_copy()
            task = films._copying
            assert task is not None
            await task
            assert films.facts["copy"] == "failed" and films.facts["sentence"]
        assert said.count("failed") == 2
        films.close()

    asyncio.run(run())


def test_copies_are_kept_up_to_a_size(tmp_path) -> None:
    for age, name in enumerate(("newest", "older", "oldest", "now")):
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 - age, 1000 - age))
    aside = tmp_path / "x.part.mp4"
    aside.write_bytes(bytes(100))
    forget_old_copies(tmp_path / "now.mp4", 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newest.mp4", "now.mp4", "x.part.mp4"]


def test_the_server_and_its_child_know_the_same_formats() -> None:
    assert jobs.FORMATS == page_save.FORMATS and jobs.EXPORTED == page_save.EXPORTED


@pytest.mark.parametrize("options", [
    {"version": 0}, {"version": True}, {"version": "2"}, {"count_in": 9}, {"only": 3}, {"writers": "x" * 201},
    {"output": "/x"},
])  # fmt: skip
def test_options_that_cannot_be_are_refused(tmp_path, options) -> None:
    async def run() -> None:
        with pytest.raises(ControlError):
            Work(tmp_path).jobs.save("cuesheet", options)

    asyncio.run(run())
