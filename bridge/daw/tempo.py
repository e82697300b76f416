"""A DAW's tempo points as a TempoMap: gliding tempi are cut into steps that end where the host says they end."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from bridge.daw.protocol import DawProtocolError, TempoPoint, TempoStep
from engine.music.errors import MusicError
from engine.music.meter import MIN_BPM, MeterChange, TempoChange, TempoMap, TimeSignature

RAMP_STEP_BEATS = 0.25  # a glide is cut into sixteenths: at 60 -> 120 bpm over 4 beats the error stays below 1 ms
_LONGEST_RAMP_STEPS = 512


def _ramp(point: TempoPoint, following: TempoPoint) -> list[tuple[Fraction, Fraction]]:
    """Steps (beat, bpm) of a glide that is linear in time.

    v(t) linear from v0 to v1 over the span: position(t) = v0 t + (v1 - v0) t² / 2T, so v at a beat is
    sqrt(v0² + (v1² - v0²) share).  Each step gets its mean tempo, so that it ends at the right second.
    """
    beats = following.beats - point.beats
    count = min(_LONGEST_RAMP_STEPS, max(1, round(beats / RAMP_STEP_BEATS)))
    speeds = [(point.bpm**2 + (following.bpm**2 - point.bpm**2) * index / count) ** 0.5 for index in range(count + 1)]
    durations = [2 / (before + after) for before, after in pairwise(speeds)]  # in units of beats/count minutes
    scale = (following.seconds - point.seconds) / sum(durations)
    steps, step = [], Fraction(repr(beats)) / count
    for index, duration in enumerate(durations):
        seconds = duration * scale
        steps.append((Fraction(repr(point.beats)) + index * step, Fraction(repr(float(step * 60) / seconds))))
    return steps


def tempo_map_of(points: Sequence[TempoPoint]) -> TempoMap:
    """A TempoMap that gives every point its second.

    Where seconds and bpm of a host disagree by rounding, the seconds win: the picture is counted in them.  Raises
    DawProtocolError for a map that cannot be (points out of order, a tempo outside 5 to 999 bpm).
    """
    if not points:
        raise DawProtocolError("bad_value", "a tempo map without a tempo.")
    tempos: list[tuple[Fraction, Fraction]] = []
    meters: list[tuple[Fraction, TimeSignature]] = []
    for index, point in enumerate(points):
        beat = Fraction(repr(point.beats))
        meter = TimeSignature(point.numerator, point.denominator)
        if not meters or meters[-1][1] != meter:
            meters.append((beat, meter))
        following = points[index + 1] if index + 1 < len(points) else None
        if following is None:
            tempos.append((beat, Fraction(repr(point.bpm))))
            continue
        beats, seconds = following.beats - point.beats, following.seconds - point.seconds
        if beats <= 0 or seconds <= 0:
            raise DawProtocolError("bad_value", f"the tempo map goes backwards at beat {following.beats:g}.")
        if point.ramp and point.bpm != following.bpm:
            tempos += _ramp(point, following)
        else:
            mean = beats * 60 / seconds
            # A host's own bpm is exact where it agrees with its seconds; 97.3 then stays 97.3.
            exact = abs(mean - point.bpm) * seconds / 60 < 1e-6
            tempos.append((beat, Fraction(repr(point.bpm if exact else mean))))
    # What stands before the first point has its values (a project may begin before bar 1).
    if tempos[0][0] > 0:
        tempos[0] = (Fraction(0), tempos[0][1])
    if meters[0][0] > 0:
        meters[0] = (Fraction(0), meters[0][1])
    try:
        changes = tuple(TempoChange(beat, bpm) for beat, bpm in tempos)
        document = TempoMap(changes, tuple(MeterChange(beat, meter) for beat, meter in meters))
        origin = Fraction(repr(points[0].seconds)) - document.seconds_at_exact(Fraction(repr(points[0].beats)))
        return TempoMap(document.tempos, document.meters, origin)
    except MusicError as error:
        raise DawProtocolError("bad_value", f"the tempo map of the DAW cannot be used: {error}") from error


def steps_of(tempo_map: TempoMap) -> tuple[TempoStep, ...]:
    """The steps a script needs to make this map in its DAW."""
    beats = sorted({change.beat for change in tempo_map.tempos} | {change.beat for change in tempo_map.meters})
    steps = []
    for beat in beats:
        meter = tempo_map.meter_at(beat)
        bpm = max(float(MIN_BPM), tempo_map.bpm_at(float(beat)))
        steps.append(TempoStep(max(0.0, float(beat)), bpm, meter.numerator, meter.denominator))
    kept = {step.beats: step for step in steps}  # several changes before beat 0 become the last of them
    return tuple(kept.values())
