"""Room for speech: what the arranger plays while somebody talks.

Inside a line of speech the tune does not begin, short attacks stay away, no chord changes under the first word, held
tones keep out of the middle of the voice, and the modulation wheel goes down.  Every note is judged by itself, so that
an arrangement in pieces is the same as in one go.  Lines are picture seconds, notes are beats.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from engine.arrange.finishing import Played
from engine.arrange.options import ArrangeOptions
from engine.music import Composition, Controller, Note
from engine.music.speech import Lines, parse_speech

FIRST_WORD_S: Final = 0.4
VOICE: Final = (52, 79)  # MIDI pitches between which held tones mask a voice
SHORT_BEATS: Final = 1.0  # an attack shorter than this is heard as one
SOFTER: Final = {"gentle": 0.8, "strict": 0.65}
WHEEL: Final = {"gentle": 0.75, "strict": 0.5}


@dataclass(frozen=True, slots=True)
class Room:
    """The lines of speech in an arrangement's beats.  first_words: the beat up to which each line's first word lasts.

    maps_pads: a tone of the pad may be moved down an octave without meeting another of its tones.
    """

    mode: str
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    first_words: tuple[float, ...]
    maps_pads: bool

    def line_at(self, beats: float) -> int | None:
        """Number of the line that a beat lies in."""
        index = bisect_right(self.starts, beats + 1e-6) - 1
        return index if index >= 0 and beats < self.ends[index] - 1e-6 else None

    def spoken(self, start: float, end: float) -> float:
        """How many beats of a stretch are spoken over."""
        index = max(bisect_right(self.ends, start), 0)
        beats = 0.0
        while index < len(self.starts) and self.starts[index] < end:
            beats += max(0.0, min(end, self.ends[index]) - max(start, self.starts[index]))
            index += 1
        return beats

    def played(self, items: Iterable[Played]) -> list[Played]:
        """The notes that leave room."""
        made = []
        for item in items:
            note = self._note(item.note)
            if note is not None:
                made.append(item if note is item.note else Played(item.grid_beats, note))
        return made

    def _note(self, note: Note) -> Note | None:
        line = self.line_at(note.start_beats)
        if line is not None:
            if note.part == "melody":
                return None
            is_short = note.length_beats < SHORT_BEATS
            if note.part in ("arp", "drums") and is_short and (self.mode == "strict" or not _on_beat(note.start_beats)):
                return None
            first_word = self.first_words[line]
            if note.part in ("pad", "bass") and note.start_beats < first_word - 1e-6:
                length = note.end_beats - first_word
                if length < 0.25:
                    return None
                note = replace(note, start_beats=first_word, length_beats=length)
            note = replace(note, velocity=max(1, round(note.velocity * SOFTER[self.mode])))
        if self.mode == "strict" and note.part == "pad" and VOICE[0] <= note.pitch <= VOICE[1]:
            spoken = self.spoken(note.start_beats, note.end_beats)
            if spoken >= min(SHORT_BEATS, note.length_beats / 2) and spoken > 0:
                # The lower half goes under the voice; what lies above doubles it or the tune, and is left out.
                if note.pitch >= VOICE[0] + 8 or not self.maps_pads:
                    return None
                note = replace(note, pitch=note.pitch - 12)
        return note

    def wheel(self, changes: Iterable[Controller]) -> list[Controller]:
        """Controllers with CC 1 lowered inside lines."""
        share = WHEEL[self.mode]
        return [
            replace(each, value=round(each.value * share))
            if each.number == 1 and self.line_at(each.time_beats) is not None
            else each
            for each in changes
        ]


def _on_beat(beats: float) -> bool:
    return abs(beats - round(beats)) < 0.06


def room_of(composition: Composition, options: ArrangeOptions) -> Room | None:
    """None where no room is to be left."""
    if options.leave_room == "off":
        return None
    lines = parse_speech(options.speech)
    if not lines:
        return None
    at = composition.beats_at_picture
    # The note that follows a first word stands on a sixteenth, as every other does.
    words = tuple(math.ceil(at(min(start + FIRST_WORD_S, end)) * 4 - 1e-6) / 4 for start, end in lines)
    pad = options.part("pad")
    lowest = (0 if pad is None else pad.low) + min(options.transpose, 0)
    return Room(
        options.leave_room, tuple(at(start) for start, _ in lines), tuple(at(end) for _, end in lines), words,
        lowest >= VOICE[0] - 4,
    )  # fmt: skip


def melody_share(notes: Iterable[Note], composition: Composition, lines: Lines) -> float:
    """Share of the tune's onsets that lie inside lines; 0 without a tune."""
    onsets = [composition.picture_at_beats(note.start_beats) for note in notes if note.part == "melody"]
    inside = sum(any(start <= at < end for start, end in lines) for at in onsets)
    return inside / len(onsets) if onsets else 0.0
