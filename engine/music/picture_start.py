"""Where the picture starts on the timeline, as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.music.errors import MusicError
from engine.music.meter import BarBeat
from engine.music.timecode import FRAME_RATES, TimecodeClock

LONGEST_S: Final = 360_000


@dataclass(frozen=True, slots=True)
class PictureStart:
    """Where the film's first frame lies on the timeline; exactly one of the three is set.

    seconds: of the timeline.  bar_beat: of its tempo map.  label: the timecode that the DAW shows there.
    """

    seconds: float | None = None
    bar_beat: BarBeat | None = None
    label: str | None = None

    @classmethod
    def parse(cls, text: str) -> PictureStart:
        """Reads `3.5`, `5|1`, `5|1.5` or `01:00:00:00`; of a label only the form, since its clock is not known here.

        Raises MusicError.
        """
        text = text.strip()
        if "|" in text:
            return cls(bar_beat=_bar_beat(text))
        if re.fullmatch(r"\d{1,3}[:.]\d{1,2}[:.]\d{1,2}[:;.,]\d{1,3}", text) and (":" in text or ";" in text):
            _check_shown_somewhere(text)
            return cls(label=text)
        if re.fullmatch(r"\d{1,6}(\.\d{1,9})?", text) and float(text) <= LONGEST_S:
            return cls(seconds=float(text))
        raise MusicError(
            f"'{text[:40]}' is not where a picture starts; write seconds, bar|beat or hours:minutes:seconds:frames."
        )

    def check(self, clock: TimecodeClock) -> None:
        """Raises MusicError where the label is none of this clock."""
        if self.label is not None:
            clock.seconds_at(self.label)


def _check_shown_somewhere(label: str) -> None:
    """Raises MusicError for a label that no clock shows; clocks at other rates leave out other drop-frame labels."""
    fault: MusicError | None = None
    for rate in FRAME_RATES.values():
        if rate.drop == (";" in label):
            try:
                TimecodeClock(rate).parse(label)
                return
            except MusicError as error:
                fault = error
    assert fault is not None
    raise fault


def _bar_beat(text: str) -> BarBeat:
    match = re.fullmatch(r"\s*(\d{1,5})\s*\|\s*(\d{1,2})(\.\d+)?\s*", text)
    if match is None or int(match[1]) < 1 or int(match[2]) < 1:
        raise MusicError(f"'{text}' is not a bar and beat; write for example 5|1.")
    return BarBeat(int(match[1]), int(match[2]), float(match[3] or 0))
