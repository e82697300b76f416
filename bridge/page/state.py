"""What the pages show, as the bridge told it last; and what each message of the bridge changes of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from bridge.page import messages as p
from bridge.page.protocol import PROTOCOL
from engine.music import controls
from engine.process.messages import SOUND_BLOCK, SOUND_RATE, SOUND_SCALE

LISTS: Final = ("chords", "bars", "cuts", "hits", "sections", "cues", "takes", "printed", "dialogue", "heard")
LOG: Final = 200
Json = dict[str, Any]


class PageState:
    """`take` gives the socket messages that say what is new; `whole` is the state that a page begins with."""

    def __init__(self, version: str = "", upload_bytes: int = 0) -> None:
        self._version, self._upload_bytes = version, upload_bytes
        self._host_s = self._playhead_s = 0.0
        self.values: dict[str, tuple[Any, ...]] = {}
        self.lists: dict[str, tuple[p.Row, ...]] = {name: () for name in LISTS}
        self.film: p.FilmOf | None = None
        self.film_facts: Json = {}  # what the server itself found out about the file
        self.music = p.MusicOf()
        self.mood = 0
        self.mood_rows = b""
        self.sound: Json = {"ready": False, "sentence": "", "font": ""}
        self.jobs: dict[str, Json] = {}
        self.can: Json = {}
        self.edited_by = ""
        self.sketches: dict[int, bytes] = {}
        self._log: deque[list[Any]] = deque(maxlen=LOG)

    @property
    def phase(self) -> str:
        if self.film is None or not self.film.path:
            return "empty"
        return "ready" if self.film.ready else "film"

    def playhead(self) -> tuple[float, bool]:
        """The picture second now, and whether it moves.  The bridge's clock is that of all processes here."""
        values = self.values.get(controls.PLAYHEAD)
        if values is None:
            return 0.0, False
        at_s, rolling = float(values[0]), bool(values[5])
        return at_s + (time.perf_counter() - self._playhead_s if rolling else 0.0), rolling

    def take(self, message: p.ToServer) -> list[Json]:
        """What pages are to be told."""
        match message:
            case p.Values():
                self._host_s = message.host_s
                if any(name == controls.PLAYHEAD for name, _ in message.values):
                    self._playhead_s = message.host_s
                self.values.update(message.values)
                return [{"set": name, "args": args, "t": message.host_s} for name, args in message.values]
            case p.Rows():
                before, self.lists[message.name] = self.lists.get(message.name, ()), message.rows
                return splice(message.name, before, message.rows)
            case p.MusicOf():
                daw, self.music = self.music.daw, message
                return [{"sound": self.sound_json()}] if daw != message.daw else []
            case p.MoodOf():
                self.mood, self.mood_rows = self.mood + 1, message.rows
                return [{"mood": self.mood}]
            case p.Said():
                self._log.append([message.host_s, message.sentence])
                return [{"say": message.sentence, "t": message.host_s}]
            case p.Sketch(number, data):
                if number:
                    self.sketches[number] = data
                else:
                    self.sketches.clear()
                return [{"sketch": [number]}]
            case p.Edited():
                self.edited_by = message.by
                said = {"edited": message.label, "by": message.by}
                return [{**said, "heard": message.heard_s, "t": message.host_s}]
        return []

    def sound_json(self) -> Json:
        return {
            **self.sound, "daw": self.music.daw, "rate": SOUND_RATE, "block": SOUND_BLOCK, "scale": SOUND_SCALE,
        }  # fmt: skip

    def film_json(self) -> Json | None:
        film = self.film
        if film is None or not film.path:
            return None
        facts = self.film_facts
        return {
            "name": film.name,
            "ready": film.ready,
            "duration_s": film.duration_s or facts.get("duration_s", 0.0),
            "fps": film.fps if film.ready else facts.get("fps", film.fps),
            "width": film.width or facts.get("width", 0),
            "height": film.height or facts.get("height", 0),
            "motion": bool(film.motion),
            **{name: value for name, value in facts.items() if name not in ("duration_s", "fps", "width", "height")},
        }

    def whole(self, plan_revision: int) -> Json:
        return {
            "protocol": PROTOCOL,
            "version": self._version,
            "phase": self.phase,
            "values": self.values,
            "t": self._host_s,
            "film": self.film_json(),
            "plan": {"revision": plan_revision, "end_s": self.music.end_s, "complete": self.music.complete},
            "mood": self.mood,
            "lists": self.lists,
            "sound": self.sound_json(),
            "jobs": list(self.jobs.values()),
            "limits": {"upload_bytes": self._upload_bytes},
            "can": self.can,
            "log": list(self._log),
        }


def splice(name: str, before: Sequence[p.Row], after: Sequence[p.Row]) -> list[Json]:
    """One message that turns a list into another; none where they are equal."""
    same = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        same += 1
    end = 0
    for old, new in zip(reversed(before[same:]), reversed(after[same:]), strict=False):
        if old != new:
            break
        end += 1
    deleted, rows = len(before) - same - end, after[same : len(after) - end]
    return [{"list": name, "at": same, "delete": deleted, "rows": rows}] if deleted or rows else []
