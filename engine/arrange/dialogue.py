"""Room for speech: what the arranger plays while somebody talks.

Inside a line of speech the tune does not begin, fills and short attacks stay away, no chord changes under the first
word, held tones keep out of the middle of the voice, and the modulation wheel goes down.  Hits and sections are
accented in gaps between lines, once in each, and not in lines nor in gaps that are too short to be one.  Every note is
judged by itself, so that an arrangement in pieces is the same as in one go.  Lines are picture seconds, notes are
beats.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.arrange.drums import CRASH, TOMS
from engine.arrange.finishing import Played
from engine.arrange.options import ArrangeOptions
from engine.arrange.parts import ACCENT
from engine.music import Composition, Controller, Note
from engine.music.speech import Lines, parse_speech

FIRST_WORD_S: Final = 0.4
VOICE: Final = (52, 79)  # MIDI pitches between which held tones mask a voice
SHORT_BEATS: Final = 1.0  # an attack shorter than this is heard as one
SOFTER: Final = {"gentle": 0.8, "strict": 0.65}
WHEEL: Final = {"gentle": 0.75, "strict": 0.5}
GAP_S: Final = 1.5  # a shorter one has no accent
LONGEST_GAP_S: Final = 8.0  # a longer one is no gap but music without speech, whose accents stay


@dataclass(frozen=True, slots=True)
class Room:
    """The lines of speech in an arrangement's beats.  first_words: the beat up to which each line's first word lasts.

    maps_pads: a tone of the pad may be moved down an octave without meeting another of its tones.  unaccented: beats of
    hits and sections whose accents are left out, ascending.  channels: of the parts.
    """

    mode: str
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    first_words: tuple[float, ...]
    maps_pads: bool
    unaccented: tuple[float, ...] = ()
    channels: tuple[tuple[str, int], ...] = ()

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
            note = self._note(self._softened(item))
            if note is not None:
                made.append(item if note is item.note else Played(item.grid_beats, note))
        return made

    def _softened(self, item: Played) -> Note | None:
        """A note without the accent that it has for a hit or a section, where that is left out."""
        note = item.note
        index = bisect_left(self.unaccented, item.grid_beats - 1e-6)
        if index == len(self.unaccented) or abs(self.unaccented[index] - item.grid_beats) > 1e-6:
            return note
        if note.part == "drums" and note.pitch == CRASH:
            return None
        return replace(note, velocity=max(1, note.velocity - ACCENT))

    def _note(self, note: Note | None) -> Note | None:
        if note is None:
            return None
        line = self.line_at(note.start_beats)
        if line is not None:
            found = self._in_line(note, self.first_words[line])
            if found is None:
                return None
            note = replace(found, velocity=max(1, round(found.velocity * SOFTER[self.mode])))
        if self.mode == "strict" and VOICE[0] <= note.pitch <= VOICE[1]:
            return self._out_of_the_voice(note)
        return note

    def _in_line(self, note: Note, first_word: float) -> Note | None:
        """A note that begins inside a line."""
        if note.part == "melody" or (note.part == "drums" and note.pitch in TOMS):
            return None
        if note.part in ("pad", "bass") and note.start_beats < first_word - 1e-6:
            length = note.end_beats - first_word
            if length < 0.25:
                return None
            note = replace(note, start_beats=first_word, length_beats=length)
        if note.part == "arp" and note.start_beats < first_word - 1e-6:
            return None  # it would say the chord
        is_short = note.length_beats < SHORT_BEATS
        if is_short and (self.mode == "strict" or (note.part in ("arp", "drums") and not _on_beat(note.start_beats))):
            return None
        return note

    def _out_of_the_voice(self, note: Note) -> Note | None:
        """A tone that lies where voices do: what of it does not sound under them for long."""
        spoken = self.spoken(note.start_beats, note.end_beats)
        if spoken < min(SHORT_BEATS, note.length_beats / 2) or spoken <= 0 or note.part == "drums":
            return note
        if note.part == "pad":
            # The lower half goes under the voice; what lies above doubles it or the tune, and is left out.
            low = note.pitch < VOICE[0] + 8 and self.maps_pads
            return replace(note, pitch=note.pitch - 12) if low else None
        if self.line_at(note.start_beats) is not None:
            return None
        begins = self.starts[bisect_right(self.starts, note.start_beats + 1e-6)]
        length = begins - note.start_beats
        return replace(note, length_beats=length) if length >= 0.25 else None

    def wheel(
        self,
        changes: Iterable[Controller],
        before: Iterable[tuple[str, int, int]],
        cues: Iterable[float],
        span: tuple[float, float],
    ) -> list[Controller]:
        """Controllers that begin in a span of beats, CC 1 lowered inside lines.

        changes: all from a place at or before the span on, in order of time.  before: part, number and value of what
        was sent before these.  cues: beats from there on at which another cue begins, ascending; it sends its own.
        What of a cue is in force when a line begins or ends is sent again there.
        """
        changes = list(changes)
        made = [each if each.number != 1 else self._lowered(each) for each in changes]
        values = {part: value for part, number, value in before if number == 1}
        channels = dict(self.channels)
        own = {(each.part, each.time_beats) for each in changes if each.number == 1}
        # A cue's beginning stands before what the cue itself sends there.
        events: list[tuple[float, Controller | None]] = [(beats, None) for beats in cues]
        events += [(each.time_beats, each) for each in changes if each.number == 1]
        events.sort(key=lambda event: (event[0], event[1] is not None))
        index = 0
        for edge in sorted({*self.starts, *self.ends}):
            while index < len(events) and events[index][0] <= edge:
                sent = events[index][1]
                if sent is None:
                    values.clear()
                else:
                    values[sent.part] = sent.value
                index += 1
            made += [
                self._lowered(Controller(1, value, edge, channels[part], part))
                for part, value in values.items()
                if (part, edge) not in own and part in channels
            ]
        return [each for each in made if span[0] <= each.time_beats < span[1]]

    def _lowered(self, each: Controller) -> Controller:
        if self.line_at(each.time_beats) is None:
            return each
        return replace(each, value=round(each.value * WHEEL[self.mode]))


def _on_beat(beats: float) -> bool:
    return abs(beats - round(beats)) < 0.06


def room_of(composition: Composition, options: ArrangeOptions, accents: Sequence[float] = ()) -> Room | None:
    """None where no room is to be left.  accents: beats at which hits and sections begin, ascending."""
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
        lowest >= VOICE[0] - 4, _unaccented(composition, lines, accents),
        tuple((name, part.channel) for name, part in options.parts.items()),
    )  # fmt: skip


def _unaccented(composition: Composition, lines: Lines, accents: Sequence[float]) -> tuple[float, ...]:
    """The accents that speech leaves no place for: those in lines, in short gaps, and in each other gap all but one,
    which is the first that a hit must have, else the first."""
    musts = [composition.beats_at_picture(hit.time_s) for hit in composition.hits if hit.weight == "must"]
    found: list[float] = []
    gaps: dict[int, list[float]] = {}
    for beats in accents:
        at_s = composition.picture_at_beats(beats) + 1e-6
        index = bisect_right(lines, (at_s, math.inf))  # the first line that begins later
        if index and at_s < lines[index - 1][1]:
            found.append(beats)
        elif 0 < index < len(lines):
            length_s = lines[index][0] - lines[index - 1][1]
            if length_s <= GAP_S:
                found.append(beats)
            elif length_s <= LONGEST_GAP_S:
                gaps.setdefault(index, []).append(beats)
    for row in gaps.values():
        wanted = next((beats for beats in row if any(abs(beats - must) <= 0.5 for must in musts)), row[0])
        found += [beats for beats in row if beats != wanted]
    return tuple(sorted(found))
