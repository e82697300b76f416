"""Where people speak, by subtitles: SubRip (.srt), WebVTT and TTML; seconds of the picture."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from engine.interchange.markers import MarkerError, Refusals
from engine.interchange.text import check_size, decode, parse_xml, read_bytes
from engine.music.errors import shown
from engine.music.speech import Lines, merged, speech_text

ENDINGS: Final = (".srt", ".vtt", ".ttml", ".dfxp", ".xml")
_TIME: Final = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_ARROW: Final = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
# A line of two times alone is one whose arrow was damaged; passed over, its words would be read as another line's.
_TIMES_ALONE: Final = re.compile(rf"\s*{_TIME}[\s<>=–—-]*{_TIME}\s*")
_OFFSET: Final = re.compile(r"(\d{1,7}(?:\.\d{1,6})?)(h|m|s|ms)")
_CLOCK: Final = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})(?:\.(\d{1,6})|:(\d{1,3}))?")
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
    for number, line in enumerate(lines, start=1):
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
            if not text.strip() or "-->" in text:
                break
            spoken.append(text)
        if end > start and _NOT_SPOKEN.sub("", " ".join(spoken)).strip(" -–—♪"):
            found.append((start, end))
    refused.check()
    return found


def _seconds(hours: str | None, minutes: str, seconds: str, parts: str) -> float | None:
    if int(minutes) > 59 or int(seconds) > 59:
        return None
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(parts.ljust(3, "0")) / 1000


def _ttml(data: bytes, name: str) -> list[tuple[float, float]]:
    root = parse_xml(data, name)
    rate = root.get("{http://www.w3.org/ns/ttml#parameter}frameRate", "30")
    fps = float(rate) if rate.isascii() and rate.isdigit() and 0 < int(rate[:4]) <= 240 else 30.0
    factor = root.get("{http://www.w3.org/ns/ttml#parameter}frameRateMultiplier", "")
    numbers = factor.replace(":", " ").split()
    if len(numbers) == 2 and all(each.isascii() and each.isdigit() and int(each) > 0 for each in numbers):
        fps = fps * int(numbers[0]) / int(numbers[1])
    refused = Refusals(name)
    found: list[tuple[float, float]] = []
    for number, element in enumerate((e for e in root.iter() if e.tag.rpartition("}")[2] == "p"), start=1):
        begin, until, lasts = (_ttml_time(element.get(key), fps) for key in ("begin", "end", "dur"))
        end = until if until is not None else None if begin is None or lasts is None else begin + lasts
        if begin is None or end is None or end < begin:
            refused.add(number, "this paragraph has no begin and end that can be read")
            continue
        if end > begin and _NOT_SPOKEN.sub("", "".join(element.itertext())).strip(" -–—♪\n\t"):
            found.append((begin, end))
    refused.check()
    return found


def _ttml_time(text: str | None, fps: float) -> float | None:
    if text is None:
        return None
    offset, clock = _OFFSET.fullmatch(text.strip()), _CLOCK.fullmatch(text.strip())
    if offset is not None:
        return float(offset[1]) * {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}[offset[2]]
    if clock is None or int(clock[2]) > 59 or int(clock[3]) > 59:
        return None
    whole = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    return whole + (float(f"0.{clock[4]}") if clock[4] else int(clock[5] or 0) / fps)
