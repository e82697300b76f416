"""What each part plays in a segment.  Strikes stand on the sixteenth grid; swing, gate and looseness come later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.arrange import drums, melody
from engine.arrange.arpeggio import onsets, pattern_for, tone_pitch
from engine.arrange.expression import paper_velocity, part_velocity
from engine.arrange.options import ArrangeOptions, FixedVoicing, PartOptions, moved_range
from engine.arrange.timeline import STEP, Bars, Segment
from engine.music import Chord

ACCENT: Final = 12  # velocity added on a hit


@dataclass(frozen=True, slots=True)
class Strike:
    """A note before swing, gate and looseness: start and end in beats on the grid."""

    start: float
    end: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A segment with all that a part needs to play it.

    chord: as it sounds (transposed).  next_bass: pitch class of the bass that follows the run, None at a rest or end.
    level: activity 1..5.  place: loudness 0..1 within the film.  loudness: RMS 0..1.  hold_from, hold_to: whether a
    held bass note begins here, and until when.  octaves: by how many octaves transposition moves the parts' ranges.
    energy: of the motion, 1..5.  seed: of the take and cue.  swell: how much `place` has grown at the segment's end.
    tune_level: activity of the melody, 1..5.  later: the segments that a held note of it may go on into.
    """

    segment: Segment
    chord: Chord
    voicing: FixedVoicing
    bars: Bars
    options: ArrangeOptions
    level: int
    place: float
    loudness: float
    next_bass: int | None
    hold_from: bool
    hold_to: float
    octaves: int = 0
    energy: int = 1
    seed: int = 0
    swell: float = 0.0
    tune_level: int = 1
    later: tuple[Segment, ...] = ()

    @property
    def steps(self) -> int:
        return round((self.segment.end - self.segment.start) / STEP)

    def space_low(self, part: PartOptions) -> int:
        return moved_range(part, self.octaves)[0]

    def space_high(self, part: PartOptions) -> int:
        return moved_range(part, self.octaves)[1]

    def velocity(self, part: PartOptions, beats: float, change: int = 0) -> int:
        if self.options.velocity_map == "paper":
            return min(max(round(paper_velocity(self.loudness) + part.level), 1), 127)
        segment = self.segment
        grown = self.swell * (beats - segment.start) / (segment.end - segment.start)
        if segment.accent and beats == segment.start:
            change += ACCENT
        return min(max(part_velocity(self.place + grown, part, self.bars.weight(beats)) + change, 1), 127)


def play_pad(scene: Scene, part: PartOptions) -> Iterator[Strike]:
    """The whole chord, held as long as it lasts (at most four bars)."""
    segment = scene.segment
    if segment.pad_until is not None:
        velocity = scene.velocity(part, segment.start)
        for pitch in scene.voicing.pad:
            yield Strike(segment.start, segment.pad_until, pitch, velocity)


def play_arp(scene: Scene, part: PartOptions) -> Iterator[Strike]:
    """The pattern over the chord's four arpeggio tones."""
    segment, tones = scene.segment, scene.voicing.arp
    if segment.ending:
        yield Strike(segment.start, segment.end, tones[0], scene.velocity(part, segment.start))
        return
    pattern = pattern_for(part.pattern or scene.options.pattern, scene.level, scene.options.arp_octaves)
    for step, length, tone in onsets(pattern, phase(scene), scene.steps):
        start = segment.start + step * STEP
        pitch = tone_pitch(tones, tone, scene.space_high(part))
        yield Strike(start, start + length * STEP, pitch, scene.velocity(part, start))


def phase(scene: Scene) -> int:
    """Pattern step at the segment's start: counted from the chord's own start, as the paper's second half on a repeated
    chord; in bars that eight sixteenths do not divide, from the bar line where that is nearer."""
    segment, bars = scene.segment, scene.bars
    line = bars.start(segment.start)
    origin = segment.run_start
    if round((bars.next(segment.start) - line) / STEP) % 8:
        origin = max(origin, line)
    return round((segment.start - origin) / STEP)


def play_bass(scene: Scene, part: PartOptions) -> Iterator[Strike]:
    """The bass note: held, once a segment, on the beats, or in eighths with octave and fifth; an approach tone before a
    chord change from level 3 on."""
    segment, bars, root = scene.segment, scene.bars, scene.voicing.bass
    if segment.ending or scene.level == 1:
        if segment.ending or scene.hold_from:
            yield Strike(segment.start, scene.hold_to, root, scene.velocity(part, segment.start))
        return
    count = scene.steps
    wanted = {2: 4, 3: 2, 4: 2, 5: 1}[scene.level]  # smallest weight that is struck; 4: the segment's start alone
    steps = [0] + [
        step
        for step in range(1, count)
        if _is_struck(bars.weight(segment.start + step * STEP), wanted, scene.level, step)
    ]
    approach = None
    if scene.level >= 3 and segment.end >= segment.run_end - 1e-9 and scene.next_bass is not None and count >= 4:
        approach = approach_pitch(root, scene.next_bass, scene, part)
        if approach is not None and count - 2 not in steps:
            steps.append(count - 2)
    steps = [step for step in sorted(steps) if approach is None or step <= count - 2]
    upper = _companion(scene, part)
    for position, step in enumerate(steps):
        start = segment.start + step * STEP
        end = segment.start + (steps[position + 1] if position + 1 < len(steps) else count) * STEP
        pitch = root
        if approach is not None and step == count - 2:
            pitch = approach
        elif bars.weight(start) == 1 and step:
            pitch = upper
        yield Strike(start, end, pitch, scene.velocity(part, start))


def _is_struck(weight: int, wanted: int, level: int, step: int) -> bool:
    if level == 4:  # beats, and the eighth before every second one
        return weight >= 2 or (weight == 1 and step % 8 == 6)
    return weight >= wanted


def _companion(scene: Scene, part: PartOptions) -> int:
    """Octave above the bass note, the fifth where the octave passes the range, itself where neither fits."""
    root = scene.voicing.bass
    high = scene.space_high(part)
    if root + 12 <= high:
        return root + 12
    if scene.chord.bass is None:
        fifth = next((step for step in scene.chord.intervals() if step in (6, 7, 8)), 7)
        for pitch in (root + fifth, root + fifth - 12):
            if scene.space_low(part) <= pitch <= high:
                return pitch
    return root


def approach_pitch(root: int, next_bass: int, scene: Scene, part: PartOptions) -> int | None:
    """A step of the key below or above the nearest next bass note, from the side the line comes from; None where the
    bass stays."""
    step = (next_bass - root) % 12
    if step == 0:
        return None
    target = root + step if step <= 6 else root + step - 12
    low, high = scene.space_low(part), scene.space_high(part)
    if not low <= target <= high:
        target += 12 if target < low else -12
    scale = scene.segment.key.transpose(scene.options.transpose).scale()
    side = -1 if target > root else 1
    for distance in (1, 2):
        pitch = target + side * distance
        if pitch % 12 in scale and pitch != root and low <= pitch <= high:
            return pitch
    return None


def play_melody(scene: Scene, part: PartOptions, before: int | None) -> tuple[list[Strike], int | None]:
    """The tune in this segment and its last pitch; `before` is the pitch it comes from."""
    segment, bars = scene.segment, scene.bars
    key = segment.key.transpose(scene.options.transpose)
    span = (scene.space_low(part), scene.space_high(part))
    middle = span[0] + 0.45 * (span[1] - span[0])
    # The tune is the top: below the pad or the arpeggio it is not heard as one.
    floor = max(scene.voicing.pad[-1], scene.voicing.arp[-1]) + 1
    if segment.ending:
        target = middle if before is None else before
        pitch = melody.choose_pitch(scene.chord, key, span, before, target, True, floor, key.tonic)
        return [Strike(segment.start, segment.end, pitch, scene.velocity(part, segment.start))], pitch
    strikes = []
    for start, end in _melody_spans(scene, segment):
        end = _held_melody(scene, end)
        length = round((end - start) / STEP)
        strong = melody.is_strong(bars.weight(start), length)
        target = melody.bar_target(scene.seed, bars.number(start) - 1, bars.step(start), middle)
        rest = key.tonic if melody.is_last(bars.number(start) - 1, bars.step(start), bars.groups(start)) else None
        before = melody.choose_pitch(scene.chord, key, span, before, target, strong, floor, rest)
        strikes.append(Strike(start, end, before, scene.velocity(part, start)))
    return strikes, before


def _melody_spans(scene: Scene, segment: Segment) -> list[tuple[float, float]]:
    """Start and end in beats of the notes that begin in a segment; ends may lie beyond it, in the same bar.

    Where the chord or a hit begins under a note, the note is struck anew.
    """
    bars = scene.bars
    anew = segment.accent or segment.start == segment.run_start
    found = []
    line = bars.start(segment.start)
    while line < segment.end - 1e-9:
        for step, length in melody.bar_rhythm(scene.seed, bars.number(line) - 1, bars.groups(line), scene.tune_level):
            start, end = line + step * STEP, min(line + (step + length) * STEP, bars.next(line))
            if start < segment.start < end and anew:
                start = segment.start
            if segment.start <= start < segment.end and end - start > 1e-9:
                found.append((start, end))
        line = bars.next(line)
    return found


def _held_melody(scene: Scene, end: float) -> float:
    """Where a note meant to last to `end` must stop: at what the following segments begin, at the chord's end."""
    segment = scene.segment
    if end <= segment.end:
        return end
    reached = segment.end
    for later in scene.later:
        spans = _melody_spans(scene, later)
        if spans:
            return min(end, max(spans[0][0], reached))
        if end <= later.end:
            return end
        reached = later.end
    return min(end, reached)


def play_drums(scene: Scene, part: PartOptions) -> Iterator[Strike]:
    """Percussion of one sixteenth each."""
    segment, bars = scene.segment, scene.bars
    first = bars.step(segment.start)
    count = 1 if segment.ending else scene.steps
    bar_end = round((bars.next(segment.start) - bars.start(segment.start)) / STEP)
    fill_from = None
    into_mark = segment.next_accent == segment.end and count > drums.FILL_STEPS // 2
    period_ends = first + count == bar_end and bars.number(segment.start) % drums.PERIOD_BARS == 0
    if into_mark or (period_ends and scene.energy >= 4):
        fill_from = max(0, count - drums.FILL_STEPS)
    found = drums.play(
        scene.energy,
        range(first, first + count),
        bars.number(segment.start),
        bars.groups(segment.start),
        segment.accent,
        fill_from,
        segment.ending,
    )
    seen = set()
    for hit in found:
        start = segment.start + hit.step * STEP
        if (hit.step, hit.pitch) not in seen:
            seen.add((hit.step, hit.pitch))
            yield Strike(start, min(start + STEP, segment.end), hit.pitch, scene.velocity(part, start, hit.change))
