"""Long pieces of work that a page asks for: saving the film with its music, fetching a film from a link."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bridge.page import messages as p
from bridge.page.children import Program
from bridge.page.uploads import Uploads, largest_file, safe_name, web_address
from engine.music import UserError
from engine.music.arguments import ControlError
from engine.music.extras import has_extra, need_extra

EXPORTED: Final = (  # by `cuebridge export`, under names by its pattern
    "dawproject", "musicxml", "pdf", "svg", "edl", "csv", "otio", "markers-midi", "click", "click-wav", "guide",
    "spotting", "cuesheet",
)  # fmt: skip
FORMATS: Final = ("mp4", "wav", "flac", "stems", "mid", "parts", "leadsheet", *EXPORTED)
_EXTRAS: Final = {"musicxml": "score", "otio": "otio", "pdf": "plot", "svg": "plot"}
_WORDS: Final = ("name", "only", "marker_kinds", "production", "writers", "publishers", "society", "use")
_NUMBERS: Final = {"version": (1, 999), "count_in": (0, 8)}
_OPTIONS: Final = ("film_sound", "loudness", *_WORDS, *_NUMBERS)
_LONGEST_WORD: Final = 200
_FILM_SOUNDS: Final = ("keep", "duck", "drop")
_SESSION_S: Final = 60.0  # the bridge writes the session within this
MOST_RUNNING: Final = 4
KEPT: Final = 20  # finished jobs
Json = dict[str, Any]


class JobError(Exception):
    """A sentence for the person."""


class Jobs:
    """changed(job): it is new or has got on.  chosen(path, name): a film has come by its link."""

    # size: what the server has for all its jobs, three ways to say something among it.
    def __init__(
        self, work: Path, uploads: Uploads, most_bytes: int, soundfont: str | None,
        changed: Callable[[Json], None], to_bridge: Callable[[p.FromServer], None],
        chosen: Callable[[str, str], None], loop: asyncio.AbstractEventLoop,
    ) -> None:  # fmt: skip
        self._work, self._uploads, self._most, self._soundfont = work, uploads, most_bytes, soundfont
        self._changed, self._to_bridge, self._chosen, self._loop = changed, to_bridge, chosen, loop
        self.jobs: dict[str, Json] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._files: dict[str, Path] = {}
        self._sessions: dict[str, asyncio.Future[str]] = {}
        self._newest = 0

    @staticmethod
    def can() -> Json:
        """What is installed."""
        formats = tuple(each for each in FORMATS if each not in _EXTRAS or has_extra(_EXTRAS[each]))
        return {"save": True, "link": has_extra("link-video"), "formats": formats}

    def save(self, kind: Any, options: Any = None) -> str:
        """Begins to save; returns the job's number.  Raises ControlError."""
        if kind not in FORMATS:
            raise ControlError("bad_value", f"formats are {', '.join(FORMATS)}.")
        return self._begin("save", kind, self._save, kind, _checked(options))

    def link(self, address: Any) -> str:
        """Begins to fetch a film.  Raises ControlError."""
        try:
            need_extra("link-video", "A film from a link")
        except UserError as error:
            raise ControlError("not_ready", str(error)) from None
        return self._begin("link", "film", self._link, web_address(str(address)))

    def cancel(self, number: Any) -> None:
        """Raises ControlError."""
        task = self._tasks.get(number) if isinstance(number, str) else None
        if task is None:
            raise ControlError("bad_value", "there is no such piece of work.")
        task.cancel()

    def file_of(self, number: str, name: str) -> Path | None:
        path = self._files.get(number)
        return path if path is not None and path.name == name else None

    def saved(self, message: p.ToSave) -> None:
        """The bridge has written what a job asked for."""
        future = self._sessions.pop(message.job, None)
        if future is not None and not future.done():
            if message.fault:
                future.set_exception(JobError(message.fault))
            else:
                future.set_result(message.path)

    def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    # running ----------------------------------------------------------------------------------------------------------
    def _begin(self, kind: str, what: str, run: Callable[..., Awaitable[None]], *arguments: Any) -> str:
        if len(self._tasks) >= MOST_RUNNING:
            raise ControlError("busy", f"{MOST_RUNNING} pieces of work are running; wait for one of them.")
        self._newest += 1
        number = f"j{self._newest}"
        self.jobs[number] = {
            "job": number, "kind": kind, "what": what, "fraction": 0.0, "words": "starting", "left_s": None,
            "link": "", "error": "",
        }  # fmt: skip
        for old in list(self.jobs)[:-KEPT]:
            if old not in self._tasks:
                del self.jobs[old]
                self._files.pop(old, None)
                shutil.rmtree(self._folder(old), ignore_errors=True)
        self._changed(self.jobs[number])
        self._tasks[number] = self._loop.create_task(self._run(number, run, *arguments))
        return number

    async def _run(self, number: str, run: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        try:
            await run(number, *arguments)
        except asyncio.CancelledError:
            self._tell(number, error="Cancelled.", left_s=None)
        except (JobError, ControlError) as error:
            self._tell(number, error=str(error), left_s=None)
        except OSError as error:
            self._tell(number, error=f"It could not be written: {error.strerror or error}.", left_s=None)
        except Exception as error:  # whoever asked waits for an answer
            self._tell(number, error=f"It could not be made: {type(error).__name__}: {error}.", left_s=None)
        finally:
            self._tasks.pop(number, None)
            if number not in self._files:  # nothing to be fetched: what was written on the way goes
                shutil.rmtree(self._folder(number), ignore_errors=True)

    def _folder(self, number: str) -> Path:
        """Of a job that saves; it goes with the job."""
        return self._work / "saved" / number

    def _tell(self, number: str, **news: Any) -> None:
        self.jobs[number] = {**self.jobs[number], **news}
        self._changed(self.jobs[number])

    async def _save(self, number: str, kind: str, options: Json) -> None:
        folder = self._folder(number)
        folder.mkdir(parents=True)
        future = self._sessions[number] = self._loop.create_future()
        self._to_bridge(p.Save(number, str(folder / "session.cuebridge.json")))
        try:
            session = await asyncio.wait_for(future, _SESSION_S)
        except TimeoutError:
            raise JobError("the session could not be written in time.") from None
        finally:
            self._sessions.pop(number, None)
        name = options.pop("name", "")
        out = folder / safe_name(f"{name or 'Film with music'}.x")
        if kind in EXPORTED and name:
            options["file_names"] = name
        if self._soundfont is not None:
            options["soundfont"] = self._soundfont
        program = Program("engine.commands.page_save", kind, session, str(out), json.dumps(options))
        done = await self._follow(number, program)
        if "file" not in done:
            raise JobError(str(done.get("fault") or program.said or "It could not be written."))
        path = Path(done["file"])
        self._files[number] = path
        self._tell(number, fraction=1.0, words="done", left_s=0.0, link=f"/saved/{number}/{quote(path.name)}")

    async def _follow(self, number: str, program: Program) -> Json:
        """Passes on how far a program is; returns the last of what it said."""
        begun_s, last = time.monotonic(), {}
        try:
            async for said in program.lines():
                last = said
                if "fraction" in said:
                    fraction = float(said["fraction"])
                    spent_s = time.monotonic() - begun_s
                    left_s = round(spent_s * (1 - fraction) / fraction, 1) if fraction > 0.05 else None
                    fraction = min(fraction, 0.99)  # 1 is said with the link
                    self._tell(number, fraction=fraction, words=str(said.get("words", "")), left_s=left_s)
        finally:
            program.stop()
        return last

    async def _link(self, number: str, address: str) -> None:
        folder = self._uploads.new_folder()
        program = Program(
            "yt_dlp", "--ignore-config", "--no-playlist", "--no-part", "--newline", "--quiet", "--progress",
            "--restrict-filenames", "--max-filesize", str(self._most), "--socket-timeout", "20",
            "--format", "best[ext=mp4]/best", "--paths", str(folder), "--output", "%(title).60s.%(ext)s",
            "--progress-template", 'download:{"percent":"%(progress._percent_str)s"}', "--", address,
        )  # fmt: skip
        try:
            async for said in program.lines():
                found = re.search(r"[\d.]+", str(said.get("percent", "")))
                if found:
                    self._tell(number, fraction=min(float(found[0]) / 100, 0.99), words="fetching the film")
            path = largest_file(folder)
            if program.code != 0 or path is None:
                raise JobError(f"The link gave no film: {_reason(program.said)}")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            program.stop()
        self._uploads.add(path, path.name)
        self._tell(number, fraction=1.0, words="done", left_s=0.0)
        self._chosen(str(path), path.name)


def _reason(said: str) -> str:
    """The end of what yt-dlp said, or the number of an HTTP error."""
    status = re.search(r"HTTP Error (\d{3})", said)
    if status:
        return f"{status[1]}."
    words = re.sub(r"^ERROR:\s*(\[[^\]]*\]\s*)?", "", said).split(";")[0].strip().rstrip(".")
    return f"{words[:200] or 'nothing was found there'}."


def _checked(options: Any) -> Json:
    """Options of a save.  Raises ControlError."""
    if options is None:
        return {}
    if not isinstance(options, dict) or any(name not in _OPTIONS for name in options):
        raise ControlError("bad_type", f"options are {', '.join(_OPTIONS)}.")
    if options.get("film_sound", "keep") not in _FILM_SOUNDS:
        raise ControlError("bad_value", f"film_sound is {', '.join(_FILM_SOUNDS)}.")
    loudness = options.get("loudness", -18)
    if isinstance(loudness, bool) or not isinstance(loudness, (int, float)) or not -40 <= loudness <= -8:
        raise ControlError("bad_value", "loudness is -40 to -8 LUFS.")
    for name in _WORDS:
        if not isinstance(options.get(name, ""), str) or len(options.get(name, "")) > _LONGEST_WORD:
            raise ControlError("bad_type", f"{name} is a text of up to {_LONGEST_WORD} characters.")
    for name, (low, high) in _NUMBERS.items():
        value = options.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ControlError("bad_value", f"{name} is a whole number from {low} to {high}.")
    return dict(options)
