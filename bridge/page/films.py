"""The film of the session for the pages: what the file is, thumbnails, overview, and a copy that browsers can show."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bridge.page.children import Child, Program, media_process
from bridge.page.protocol import PEAKS_HEADER
from engine.document.file.film_file import fingerprint
from engine.process.messages import (
    PEAKS_HZ,
    THUMBNAIL_HEIGHT,
    THUMBNAIL_STEPS_S,
    THUMBNAILS,
    MediaOpened,
    OpenMedia,
    PeaksMade,
    SoundBlock,
    SoundWanted,
    ThumbnailsMade,
    ThumbnailsWanted,
)
from engine.user_folders import cache_folder

KEPT_TILES: Final = 400
PATIENCE_S: Final = 30.0
DEADLY: Final = "This film has ended its reader three times: no pictures of it here and no sound; the music plays on."
_COPIES: Final = "page-copies"
COPIES_BYTES: Final = 10 * 2**30  # of copies that are kept, the last one apart
Json = dict[str, Any]


class Films:
    """changed(): `facts` are new.  opened(duration_s): the file was read; sound(block): a block of its sound."""

    def __init__(
        self, changed: Callable[[], None], opened: Callable[[float], None], sound: Callable[[SoundBlock], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:  # fmt: skip
        self._changed, self._opened, self._sound, self._loop = changed, opened, sound, loop
        self._child = Child(media_process, (), self._received, self._died, loop)
        self._path = ""
        self.number = 0
        self.id = ""
        self.facts: Json = {}
        self.peaks = b""
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._waiting: dict[tuple[int, int], asyncio.Future[bytes]] = {}
        self._copy: Path | None = None
        self._copying: asyncio.Task[None] | None = None

    def use(self, path: str) -> None:
        """Another film, or the same at another place."""
        if path == self._path:
            return
        if self._copying is not None:
            self._copying.cancel()
        self._path, self._copy, self._copying = path, None, None
        self.number += 1
        self.id, self.facts, self.peaks = secrets.token_hex(4), {}, b""
        self._tiles.clear()
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
        self._child.forgive()
        if path:
            self._child.send(OpenMedia(self.number, path))

    def video(self) -> Path | None:
        """The file that browsers are to show; None while there is none."""
        if self._copy is not None:
            return self._copy
        return Path(self._path) if self.facts.get("video") else None

    def ask_sound(self, first: int, count: int) -> int:
        """How many blocks were asked for: all."""
        self._child.send(SoundWanted(self.number, first, count))
        return count

    async def thumbnails(self, level: int, tile: int) -> bytes:
        """A JPEG; empty where there is none.  Raises TimeoutError where it takes too long."""
        key = (level, tile)
        if key in self._tiles:
            return self._tiles[key]
        if not self.facts or self.facts.get("fault") or not 0 <= level < len(THUMBNAIL_STEPS_S):
            return b""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = self._loop.create_future()
            self._child.send(ThumbnailsWanted(self.number, level, tile))
        try:
            return await asyncio.wait_for(asyncio.shield(future), PATIENCE_S)
        except TimeoutError:
            if self._waiting.get(key) is future:  # asked again, it is read again
                del self._waiting[key]
            raise
        except asyncio.CancelledError:
            if future.cancelled():  # another film has come
                return b""
            raise

    def overview(self) -> bytes:
        return PEAKS_HEADER.pack(PEAKS_HZ, len(self.peaks) // 2) + self.peaks

    def make_copy(self) -> None:
        """Begins the copy that browsers can show, where that is not done or being done."""
        if self._copying is None and self._copy is None and self._path:
            self._copying = self._loop.create_task(self._make_copy(self._path))

    def close(self) -> None:
        if self._copying is not None:
            self._copying.cancel()
        self._child.close()

    # the reader -------------------------------------------------------------------------------------------------------
    def _received(self, message: Any) -> None:
        if isinstance(message, SoundBlock):
            if message.revision == self.number:
                self._sound(message)
            return
        if message.number != self.number:
            return
        match message:
            case MediaOpened():
                self._film_read(message)
            case ThumbnailsMade():
                self._keep(message)
            case PeaksMade():
                self.peaks = message.data
                self._tell(peaks=True)

    def _film_read(self, read: MediaOpened) -> None:
        if read.fault:
            self._tell(id=self.id, video="", copy="", copy_fraction=0.0, sentence=read.fault, fault=True, sound=False)
            return
        if self.facts.get("id") == self.id:  # by a reader that took the place of a dead one
            self._opened(read.duration_s)
            return
        thumbnail = {
            "width": read.thumbnail_width, "height": THUMBNAIL_HEIGHT, "count": THUMBNAILS,
            "steps_s": THUMBNAIL_STEPS_S,
        }  # fmt: skip
        self._tell(
            id=self.id, duration_s=read.duration_s, fps=read.fps, width=read.width, height=read.height,
            sound=read.sound, peaks=False, thumbnail=thumbnail, offset_s=read.offset_s, copy="", copy_fraction=0.0,
            video=f"/film/{self.id}/video" if not read.why_not else "", sentence="",
        )  # fmt: skip
        self._opened(read.duration_s)
        if read.why_not:
            self.make_copy()

    def _keep(self, made: ThumbnailsMade) -> None:
        key = (made.level, made.tile)
        self._tiles[key] = made.jpeg
        while len(self._tiles) > KEPT_TILES:
            del self._tiles[next(iter(self._tiles))]
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(made.jpeg)

    def _died(self, given_up: bool) -> None:
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
        if given_up:
            known: Json = {"video": "", "copy": "", "copy_fraction": 0.0, **self.facts}
            self._tell(**known | {"id": self.id, "fault": True, "sound": False, "sentence": DEADLY})
        elif self._path:
            self._child.send(OpenMedia(self.number, self._path))

    def _tell(self, **facts: Any) -> None:
        self.facts = {**self.facts, **facts}
        self._changed()

    # the copy ---------------------------------------------------------------------------------------------------------
    async def _make_copy(self, path: str) -> None:
        try:
            target = _copy_of(path)
            if not target.exists():
                await self._written_copy(path, target)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            self._tell(copy="failed", sentence=f"No copy of the film could be made: {why or error}.")
            return
        finally:
            if self._path == path:
                self._copying = None  # a copy that failed can be tried again
        if self._path == path and target.exists():
            forget_old_copies(target)
            self._copy = target
            video = f"/film/{self.id}/video?copy"
            self._tell(copy="made", copy_fraction=1.0, sentence="", video=video, offset_s=0.0)

    async def _written_copy(self, path: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{target.stem}-{secrets.token_hex(4)}.part.mp4")
        sentence = "This browser cannot show this film; a copy it can show is being made"
        self._tell(copy="making", copy_fraction=0.0, sentence=f"{sentence}.")
        program = Program("engine.video.browsers", path, str(aside))
        fault = ""
        try:
            async for said in program.lines():
                fault = str(said.get("fault", fault))
                if "fraction" in said:
                    fraction = float(said["fraction"])
                    self._tell(copy_fraction=fraction, sentence=f"{sentence}: {fraction * 100:.0f} %.")
            if program.code == 0:
                os.replace(aside, target)
            else:
                self._tell(copy="failed", sentence=fault or f"No copy of the film could be made: {program.said}")
        finally:
            program.stop()
            with contextlib.suppress(OSError):
                aside.unlink()


def _copy_of(path: str) -> Path:
    """Where the copy of a film is kept, by its content.  Raises OSError where the film cannot be read."""
    return cache_folder() / _COPIES / f"{fingerprint(Path(path))}.mp4"


def forget_old_copies(latest: Path, most_bytes: int = COPIES_BYTES) -> None:
    """Removes the copies that were shown longest ago, beyond so many bytes; never the one that is shown now."""
    with contextlib.suppress(OSError):
        os.utime(latest)
        shown = sorted(latest.parent.glob("*.mp4"), key=lambda path: path.stat().st_mtime, reverse=True)
        kept = latest.stat().st_size
        for path in shown:
            if path == latest or path.name.endswith(".part.mp4"):
                continue
            kept += path.stat().st_size
            if kept > most_bytes:
                path.unlink()
