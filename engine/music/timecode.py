"""Frame rates and SMPTE timecode, exact (SMPTE ST 12-1; NTSC rates are multiples of 1000/1001).

Drop-frame labels skip frame numbers 00 and 01 at the start of each minute that is not a multiple of ten; no picture
is dropped.  An hour of 29.97 drop-frame timecode holds 107,892 frames.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from engine.music.errors import MusicError

_TIMECODE: Final = re.compile(r"\s*(-)?(\d{1,3})[:.](\d{1,2})[:.](\d{1,2})([:;.,])(\d{1,3})\s*")


DROPPING: Final = (Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120000, 1001))  # rates with drop-frame labels


@dataclass(frozen=True, slots=True)
class FrameRate:
    """fps: exact frames per second, > 0.  drop: drop-frame labels (29.97, 59.94 and 119.88 only).  Raises MusicError.

    A measured rate may be any; a clock has a standard one (`timecode_rate`).
    """

    fps: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 1000:
            raise MusicError(f"frame rate {float(self.fps):g} is outside 0 to 1000 frames a second.")
        if self.drop and self.fps not in DROPPING:
            raise MusicError(
                f"drop frame goes with 29.97, 59.94 or 119.88, not with {float(self.fps):g} frames a second."
            )

    @classmethod
    def parse(cls, text: str) -> FrameRate:
        """Reads `23.976`, `24`, `25`, `29.97`, `29.97 DF`, `30`, `30000/1001`.  Raises MusicError."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?(?:/\d+)?)\s*(?:fps)?\s*(df|drop|nd|ndf|non-drop)?\s*", text.lower())
        if match is None:
            raise MusicError(f"'{text}' is not a frame rate; known are {', '.join(FRAME_RATES)}.")
        try:
            fps = Fraction(match[1])
        except (ValueError, ZeroDivisionError):
            raise MusicError(f"'{text}' is not a frame rate; known are {', '.join(FRAME_RATES)}.") from None
        rate = cls.nearest(fps)
        return cls(rate.fps, match[2] in ("df", "drop"))

    @classmethod
    def nearest(cls, fps: Fraction | float) -> FrameRate:
        """The standard rate within 0.05 % of a measured one (23.976 -> 24000/1001), else the measured one."""
        if not math.isfinite(fps) or fps <= 0:
            raise MusicError(f"{fps} is not a frame rate.")
        for known in FRAME_RATES.values():
            if abs(known.fps - Fraction(fps)) / known.fps < Fraction(5, 10000):
                return cls(known.fps)
        return cls(Fraction(fps).limit_denominator(100_000))

    @property
    def nominal(self) -> int:
        """Frames counted in one second of timecode: 24 for 23.976, 30 for 29.97; at least 1."""
        return max(1, math.ceil(self.fps - Fraction(1, 1000)))

    @property
    def frame_s(self) -> Fraction:
        """Length of a frame in seconds."""
        return 1 / self.fps

    @property
    def name(self) -> str:
        for name, known in FRAME_RATES.items():
            if known == self:
                return name
        return f"{float(self.fps):.3f}".rstrip("0").rstrip(".") + (" DF" if self.drop else "")

    def __str__(self) -> str:
        return self.name


FRAME_RATES: Final[dict[str, FrameRate]] = {
    "23.976": FrameRate(Fraction(24000, 1001)),
    "24": FrameRate(Fraction(24)),
    "25": FrameRate(Fraction(25)),
    "29.97": FrameRate(Fraction(30000, 1001)),
    "29.97 DF": FrameRate(Fraction(30000, 1001), drop=True),
    "30": FrameRate(Fraction(30)),
    "47.952": FrameRate(Fraction(48000, 1001)),
    "48": FrameRate(Fraction(48)),
    "50": FrameRate(Fraction(50)),
    "59.94": FrameRate(Fraction(60000, 1001)),
    "59.94 DF": FrameRate(Fraction(60000, 1001), drop=True),
    "60": FrameRate(Fraction(60)),
    "100": FrameRate(Fraction(100)),
    "119.88": FrameRate(Fraction(120000, 1001)),
    "119.88 DF": FrameRate(Fraction(120000, 1001), drop=True),
    "120": FrameRate(Fraction(120)),
}

# What MIDI timecode carries as it is; projects at 47.952 to 60 send every second frame, faster ones every fourth.
TIMECODE_RATES: Final[tuple[FrameRate, ...]] = tuple(
    FRAME_RATES[name] for name in ("23.976", "24", "25", "29.97", "29.97 DF", "30")
)
_WHOLE: Final = 0.002  # so near to a multiple is meant as one
_FASTEST: Final = 60  # of a clock that nobody stated: pictures above that go with every second or fourth label


@lru_cache(256)
def timecode_rate(fps: Fraction | float, *, drop: bool = False) -> FrameRate:
    """The standard rate whose timecode goes with pictures at a measured rate: 24.83 -> 25, 15 -> 30, 120 -> 60.

    A clock counts at one of the standard rates up to 60, whatever the pictures average; a faster one is only
    stated.  drop: with drop-frame labels where the rate has them.  Raises MusicError for what is no rate.
    """
    if not math.isfinite(fps) or fps <= 0:
        raise MusicError(f"{fps} is not a frame rate.")
    wanted = Fraction(fps)
    non_drop = [rate for rate in FRAME_RATES.values() if not rate.drop and rate.fps <= _FASTEST]

    def distance(rate: FrameRate, multiple: Fraction) -> float:
        return abs(math.log(rate.fps / (wanted * multiple)))

    found = min(non_drop, key=lambda rate: distance(rate, Fraction(1)))
    if distance(found, Fraction(1)) > 0.1:
        # None is near: one that shows each picture a whole number of times, or each nth.
        for whole in range(2, 61):
            for multiple in (Fraction(whole), Fraction(1, whole)):
                near = min(non_drop, key=lambda rate: distance(rate, multiple))
                if distance(near, multiple) < _WHOLE:
                    return FrameRate(near.fps, drop and near.fps in DROPPING)
    return FrameRate(found.fps, drop and found.fps in DROPPING)


def stated_rate(text: str) -> FrameRate:
    """The rate that `--frame-rate` states.  Raises MusicError for one that no timecode runs at."""
    rate = FrameRate.parse(text)
    if rate not in FRAME_RATES.values():
        raise MusicError(f"--frame-rate {text}: timecode runs at {', '.join(FRAME_RATES)}.")
    return rate


def carried_rate(rate: FrameRate) -> FrameRate:
    """The rate of the MIDI timecode that goes with a clock: its own, or its half or quarter (50 -> 25, 120 -> 30)."""
    while rate not in TIMECODE_RATES:
        half = rate.fps / 2
        rate = FrameRate(half, rate.drop and half in DROPPING)
    return rate


@dataclass(frozen=True, slots=True)
class Timecode:
    """A frame number (may be negative) at a rate; all arithmetic is in frames."""

    frames: int
    rate: FrameRate

    @classmethod
    def parse(cls, text: str, rate: FrameRate) -> Timecode:
        """Reads `01:00:00:00` (`;` before the frames where drop frame is used).  Raises MusicError."""
        match = _TIMECODE.fullmatch(text)
        if match is None:
            raise MusicError(f"'{text}' is not a timecode; write hours:minutes:seconds:frames.")
        hours, minutes, seconds, frames = (int(match[i]) for i in (2, 3, 4, 6))
        code = cls.from_fields(hours, minutes, seconds, frames, rate)
        return cls(-code.frames, rate) if match[1] else code

    @classmethod
    def from_fields(cls, hours: int, minutes: int, seconds: int, frames: int, rate: FrameRate) -> Timecode:
        """From the four fields of a label.  Raises MusicError for a field out of range or a dropped label."""
        nominal = rate.nominal
        shown = f"{hours:02d}:{minutes:02d}:{seconds:02d}:{frames:02d}"
        if min(hours, minutes, seconds, frames) < 0 or minutes > 59 or seconds > 59 or frames >= nominal:
            raise MusicError(f"timecode {shown} has a field out of range at {rate} frames a second.")
        count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
        if rate.drop:
            skipped = nominal // 15  # 2 labels at 29.97, 4 at 59.94
            if frames < skipped and seconds == 0 and minutes % 10:
                raise MusicError(f"timecode {shown} does not exist in drop frame.")
            total_minutes = hours * 60 + minutes
            count -= skipped * (total_minutes - total_minutes // 10)
        return cls(count, rate)

    @classmethod
    def from_seconds(cls, seconds: Fraction | float, rate: FrameRate) -> Timecode:
        """The frame on screen at a second (floor; a millionth of a frame below a boundary counts as on it)."""
        position = Fraction(seconds) * rate.fps
        return cls(math.floor(position + Fraction(1, 1_000_000)), rate)

    @property
    def seconds(self) -> Fraction:
        """True seconds of the frame's beginning."""
        return self.frames / self.rate.fps

    @property
    def of_day(self) -> Timecode:
        """As clocks that count a day show it: two seconds before 00:00:00:00 is 23:59:58:00."""
        return Timecode(self.frames % Timecode.from_fields(24, 0, 0, 0, self.rate).frames, self.rate)

    def fields(self) -> tuple[int, int, int, int]:
        """hours, minutes, seconds, frames of the label of |frames|."""
        count, nominal = abs(self.frames), self.rate.nominal
        if self.rate.drop:
            skipped = nominal // 15
            per_ten, per_minute = nominal * 600 - 9 * skipped, nominal * 60 - skipped
            tens, rest = divmod(count, per_ten)
            count += skipped * 9 * tens
            if rest >= nominal * 60:
                count += skipped * (1 + (rest - nominal * 60) // per_minute)
        total_s, frames = divmod(count, nominal)
        minutes, seconds = divmod(total_s, 60)
        hours, minutes = divmod(minutes, 60)
        return hours, minutes, seconds, frames

    def __add__(self, frames: int) -> Timecode:
        return Timecode(self.frames + frames, self.rate)

    def __sub__(self, frames: int) -> Timecode:
        return Timecode(self.frames - frames, self.rate)

    def __str__(self) -> str:
        hours, minutes, seconds, frames = self.fields()
        sign = "-" if self.frames < 0 else ""
        return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}{';' if self.rate.drop else ':'}{frames:02d}"


@dataclass(frozen=True, slots=True)
class TimecodeClock:
    """What the labels of one clock mean: the clock of a DAW project, of a film, or of arriving timecode.

    rate: frames counted a second, one of FRAME_RATES.  first_frame: number of the frame at second 0 (a film's own start
    timecode; 0 for a timeline).  stated: a person chose the rate, so a label that contradicts it is refused instead of
    followed.  Raises MusicError for a rate that no timecode runs at.
    """

    rate: FrameRate
    first_frame: int = 0
    stated: bool = False

    def __post_init__(self) -> None:
        if self.rate not in FRAME_RATES.values():
            raise MusicError(f"timecode does not run at {self.rate} frames a second.")

    def parse(self, text: str) -> Timecode:
        """A label as somebody wrote it.  `;` before the frames says drop frame.  Raises MusicError."""
        rate = self.rate
        if ";" in text and not rate.drop:
            if self.stated or rate.fps not in DROPPING:
                raise MusicError(
                    f"'{text.strip()}' is drop-frame timecode, but this clock runs at {rate} without drop."
                )
            rate = FrameRate(rate.fps, drop=True)
        return Timecode.parse(text, rate)

    def of_fields(self, hours: int, minutes: int, seconds: int, frames: int) -> Timecode:
        """From the four fields of a label.  Raises MusicError for one that does not exist."""
        return Timecode.from_fields(hours, minutes, seconds, frames, self.rate)

    def seconds_at(self, label: str | Timecode) -> Fraction:
        """Second of this clock at which a label is shown.  Raises MusicError; for one of another rate too."""
        code = self.parse(label) if isinstance(label, str) else label
        if code.rate.fps != self.rate.fps:
            raise MusicError(f"timecode at {code.rate} frames a second is no label of a clock at {self.rate}.")
        return (code.frames - self.first_frame) / self.rate.fps

    def label_at(self, seconds: Fraction | float) -> Timecode:
        """The label that is shown at a second."""
        return Timecode.from_seconds(seconds, self.rate) + self.first_frame
