"""Where people speak, by subtitles: SubRip (.srt), WebVTT and TTML; seconds of the picture."""

from __future__ import annotations

import contextlib
import html
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from engine.interchange.markers import MarkerError, Refusals
from engine.interchange.text import check_size, decode, parse_xml, read_bytes
from engine.music.errors import MusicError, shown
from engine.music.speech import Lines, merged, speech_text
from engine.music.timecode import FrameRate, TimecodeClock

ENDINGS: Final = (".srt", ".vtt", ".ttml", ".dfxp", ".xml")
_TIME: Final = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_ARROW: Final = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
# A line of two times alone is one whose arrow was damaged; passed over, its words would be read as another line's.
_TIMES_ALONE: Final = re.compile(rf"\s*{_TIME}[\s<>=–—-]*{_TIME}\s*")
_OFFSET: Final = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(h|m|s|ms|f|t)")
_CLOCK: Final = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})(?:\.(\d{1,6})|:(\d{1,3}))?")
_UNREAD: Final = "this paragraph has no begin and end that can be read"
_NO_CUES: Final = ("NOTE", "STYLE", "REGION")  # blocks of WebVTT
_TIMED: Final = ("div", "p", "span")
# What stands in brackets or between notes is a sound or a song, not speech: [door slams], (sighs), ♪.
_NOT_SPOKEN: Final = re.compile(r"\[[^\]]*\]|\([^)]*\)|♪[^♪]*♪?|<[^>]*>|\{[^}]*\}")


def load_subtitles(path: str | os.PathLike[str]) -> Lines:
    """The lines of a file.  Raises UserError and names each line that cannot be read."""
    data = read_bytes(path)
    return read_subtitles(data, Path(path).name)


def read_subtitles(data: bytes, name: str) -> Lines:
    """The lines in a file's bytes, those that follow each other at once as one.  Raises UserError."""
    check_size(data, name, "subtitles")
    head = data[:4000].replace(b"\0", b"")
    found = _ttml(data, name) if b"<tt" in head or Path(name).suffix.lower() in (".ttml", ".dfxp") else _srt(data, name)
    if not found:
        raise MarkerError(f"{shown(name)} holds no subtitles.")
    return merged(found, 0.1)


def speech_setting(text: str) -> str:
    """What `--speech` says, as the control takes it: lines as they are, or those of a subtitle file."""
    if text.lower().endswith(ENDINGS):
        return speech_text(load_subtitles(text))
    return text


def _srt(data: bytes, name: str) -> list[tuple[float, float]]:
    """SubRip, and WebVTT, whose hours may be missing."""
    refused = Refusals(name)
    found: list[tuple[float, float]] = []
    lines = decode(data, name).split("\n")
    spoken_of = ""  # the paragraph that a line belongs to begins so
    for number, line in enumerate(lines, start=1):
        first = not spoken_of
        spoken_of = spoken_of or line.strip() if line.strip() else ""
        if spoken_of.split(" ")[0] in _NO_CUES or ("-->" in line and not first and _is_text(lines, number)):
            continue
        if "-->" not in line:
            if _TIMES_ALONE.fullmatch(line):
                refused.add(number, "two times without the arrow --> between them")
            continue
        match = _ARROW.fullmatch(line)
        if match is None:
            refused.add(number, "a time reads 00:00:04,500 --> 00:00:06,000")
            continue
        start, end = _seconds(*match.groups()[:4]), _seconds(*match.groups()[4:])
        if start is None or end is None:
            refused.add(number, "it is no time")
            continue
        if end < start:
            refused.add(number, "it ends before it begins")
            continue
        spoken = []
        for text in lines[number:]:
            if not text.strip() or _ARROW.fullmatch(text):
                break
            spoken.append(text)
        if end > start and _is_spoken(html.unescape(" ".join(spoken))):
            found.append((start, end))
    refused.check()
    return found


def _is_spoken(words: str) -> bool:
    return bool(_NOT_SPOKEN.sub("", words).strip(" -–—♪\n\t\xa0"))


def _is_text(lines: Sequence[str], number: int) -> bool:
    """Whether an arrow stands in the words of a paragraph: no time is beside it, and one with times came before."""
    if any(digit.isdigit() for digit in lines[number - 1]):
        return False
    for line in reversed(lines[: number - 1]):
        if not line.strip():
            return False
        if _ARROW.fullmatch(line):
            return True
    return False


def _seconds(hours: str | None, minutes: str, seconds: str, parts: str) -> float | None:
    if int(minutes) > 59 or int(seconds) > 59:
        return None
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(parts.ljust(3, "0")) / 1000


def _ttml(data: bytes, name: str) -> list[tuple[float, float]]:
    root = parse_xml(data, name)
    reader = _Paragraphs(_TtmlClock.of(root), Refusals(name))
    for body in root.iter():
        if body.tag.rpartition("}")[2] == "body":
            reader.walk(body, 0.0, math.inf, in_turn=False)
    reader.refused.check()
    return reader.found


class _Paragraphs:
    """Reads when the words of a TTML body are shown: times count from where the element around them begins."""

    def __init__(self, clock: _TtmlClock, refused: Refusals) -> None:
        self._clock = clock
        self.refused = refused
        self.found: list[tuple[float, float]] = []
        self._number = 0

    def walk(self, element: Element, base_s: float, limit_s: float, *, in_turn: bool) -> float:
        """Reads an element that begins at a base and ends at the limit at the latest; returns where it ends.

        in_turn: it follows those before it in its container, whose end the base is.
        """
        is_paragraph = element.tag.rpartition("}")[2] == "p"
        self._number += is_paragraph
        begin, until, lasts = (self._clock.seconds(element.get(key)) for key in ("begin", "end", "dur"))
        read = [each is not None or not element.get(key) for each, key in
                ((begin, "begin"), (until, "end"), (lasts, "dur"))]  # fmt: skip
        if not all(read) or (is_paragraph and begin is None and until is not None):
            self.refused.add(self._number, _UNREAD)
            return base_s
        start = base_s + (begin or 0.0)
        end = min(limit_s, math.inf if until is None else base_s + until, math.inf if lasts is None else start + lasts)
        if end < start and until is not None and until < (begin or 0.0):
            self.refused.add(self._number, "it ends before it begins")
            return base_s
        at_s, turns = start, element.get("timeContainer") == "seq"
        for child in element:
            if child.tag.rpartition("}")[2] in _TIMED:
                at_s = self.walk(child, at_s if turns else start, end, in_turn=turns)
        words = "".join([element.text or "", *(child.tail or "" for child in element)])
        if element.tag.rpartition("}")[2] in ("p", "span") and end > start and _is_spoken(words):
            if math.isinf(end):
                self.refused.add(self._number, _UNREAD)
            else:
                self.found.append((start, end))
        return at_s if math.isinf(end) and (turns or in_turn) else end


@dataclass(frozen=True, slots=True)
class _TtmlClock:
    """What the times of a TTML file mean (Timed Text Markup Language 2, sections 7.2 and 12.3).

    fps: effective frames a second.  ticks: a second.  labels: a clock whose labels are timecode, None: times of day.
    """

    fps: Fraction
    ticks: Fraction
    labels: TimecodeClock | None = None

    @classmethod
    def of(cls, root: Element) -> _TtmlClock:
        def parameter(key: str) -> str:
            return root.get("{http://www.w3.org/ns/ttml#parameter}" + key, "")

        stated = parameter("frameRate")
        fps = Fraction(int(stated) if stated.isascii() and stated.isdigit() and 0 < int(stated[:4]) <= 240 else 30)
        numbers = parameter("frameRateMultiplier").replace(":", " ").split()
        if len(numbers) == 2 and all(each.isascii() and each.isdigit() and int(each) > 0 for each in numbers):
            fps *= Fraction(int(numbers[0][:9]), int(numbers[1][:9]))
        rate = parameter("tickRate")
        # Without a rate a tick is a frame where frames are stated, else a second.
        known = rate.isascii() and rate.isdigit() and int(rate[:12]) > 0
        ticks = Fraction(int(rate[:12])) if known else fps if stated else Fraction(1)
        labels = None
        if parameter("timeBase") == "smpte":
            with contextlib.suppress(MusicError):
                exact = FrameRate.nearest(fps)
                labels = TimecodeClock(FrameRate(exact.fps, parameter("dropMode") == "dropNTSC"))
        return cls(fps, ticks, labels)

    def seconds(self, text: str | None) -> float | None:
        """Seconds that a time expression says; None for none and for what is no time."""
        if not text:
            return None
        text = text.strip()
        offset, clock = _OFFSET.fullmatch(text), _CLOCK.fullmatch(text)
        if offset is not None:
            of_unit = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}
            of_unit |= {"f": 1 / self.fps, "t": 1 / self.ticks}
            return float(Fraction(offset[1]) * of_unit[offset[2]])
        if clock is None or int(clock[2]) > 59 or int(clock[3]) > 59:
            return None
        if self.labels is not None and not clock[4]:
            try:
                return float(self.labels.seconds_at(text if clock[5] else f"{text}:00"))
            except MusicError:
                return None
        frames = int(clock[5] or 0)
        if frames >= math.ceil(self.fps):
            return None
        whole = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
        return whole + (float(f"0.{clock[4]}") if clock[4] else float(frames / self.fps))
