"""Many versions of a cue for one film: `compose --takes 12 --vary key,tempo,pattern,mode`.

Every pair of versions differs in at least 40 % of its bars in chord (counted from the tonic, so that a transposed copy
is no version of its own) or in arpeggio pattern; candidates that are too near to one that is kept are left out.  Files
are named `1m1_v03_Dm_96_pad.mid`: cue, version, key, tempo, part; with lengths `1m1_v03_Dm_96_30s_pad.mid`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.arrange import Arrangement, ArrangeOptions, arrange
from engine.arrange.rhythm import merge_runs
from engine.arrange.tempofit import TempoFitOptions, fit_tempos
from engine.arrange.timeline import Bars
from engine.brief import Brief, request_for
from engine.midifile import write_parts
from engine.music import Composition, Cue, Hit, Key, Take, UserError
from engine.music.mood import valence_arousal

if TYPE_CHECKING:
    from engine.composer import Composer
    from engine.process.messages import ComposeRequest
    from engine.video import VideoFeatures

DIMENSIONS: Final = ("key", "tempo", "pattern", "mode")
LEAST_DIFFERENCE: Final = 0.4
# Tonics in semitones from the first: far enough to be heard, near enough for the players' ranges.
_SHIFTS: Final = (0, 5, -2, 3, -4, 2, -5, 4, -1, 1, -3, 6)
_PATTERNS: Final = ("auto", "up", "alberti", "down", "octaves", "1 * 2 * 3 2 4 *", "1 * * 2 * * 3 *", "4 3 2 3 * 1 * 2")
_TEMPO_STEP: Final = 8.0  # bpm between the tempi of versions
_TRIES: Final = 6  # candidates looked at for each version asked for


@dataclass(frozen=True, slots=True)
class Variation:
    """One version: what was asked for, what came of it."""

    number: int
    composition: Composition
    arrangement: Arrangement
    options: ArrangeOptions

    def name(self, cue: str) -> str:
        """`1m1_v03_Dm_96`."""
        bpm = float(self.composition.tempo_map.tempos[0].bpm)
        return f"{cue}_v{self.number:02d}_{self.composition.key.short_name.replace('#', 's')}_{bpm:.0f}"


def parse_dimensions(text: str) -> tuple[str, ...]:
    """Reads `key,tempo`.  Raises UserError."""
    words = tuple(word for word in text.replace(",", " ").split() if word)
    unknown = [word for word in words if word not in DIMENSIONS]
    if unknown or not words:
        raise UserError(f"--vary takes some of {', '.join(DIMENSIONS)}, not '{text}'.")
    return words


def bar_signs(composition: Composition, arrangement: Arrangement) -> list[tuple[object, ...]]:
    """What makes a bar: its chords from the tonic with their places, and the steps and contour of its arpeggio.

    Up to the last bar that has a chord: the silence after a short version's end is no bar of it.
    """
    if not composition.slots:
        return []
    tonic = composition.key.tonic
    bars = Bars(composition.tempo_map, composition.slots[0].start_beats, composition.slots[-1].end_beats)
    chords: dict[int, list[tuple[int, int]]] = {}
    for run in merge_runs(composition.slots):
        first, last = bars.number(run.start_beats), bars.number(run.end_beats - 1e-6)
        for bar in range(first, last + 1):
            place = bars.step(run.start_beats) if bar == first else 0
            chords.setdefault(bar, []).append((place, run.chord.transpose(-tonic).id))
    pattern: dict[int, list[tuple[int, int]]] = {}
    for note in arrangement.notes:
        if note.part == "arp":
            pattern.setdefault(bars.number(note.start_beats), []).append((bars.step(note.start_beats), note.pitch))
    signs: list[tuple[object, ...]] = []
    for bar in sorted(chords):
        notes = sorted(pattern.get(bar, []))
        ranks = {pitch: rank for rank, pitch in enumerate(sorted({pitch for _, pitch in notes}))}
        signs.append((tuple(chords[bar]), tuple((step, ranks[pitch]) for step, pitch in notes)))
    sounding = [place for place, bar in enumerate(sorted(chords)) if any(chord for _, chord in chords[bar])]
    return signs[: sounding[-1] + 1] if sounding else []


def difference(a: Sequence[object], b: Sequence[object]) -> float:
    """Share of bars, of the longer one, in which two versions differ."""
    longer = max(len(a), len(b))
    same = sum(x == y for x, y in zip(a, b, strict=False))
    return 1 - same / longer if longer else 0.0


# size: the command's choices, once.
def vary(
    composer: Composer,
    features: VideoFeatures,
    brief: Brief,
    options: ArrangeOptions,
    count: int,
    dimensions: Sequence[str],
    place: Callable[[Composition], Composition],
    out_s: float | None = None,
    loopable: bool = False,
) -> tuple[Variation, ...]:
    """As many versions as asked for, in the order of their numbers.

    place: what is done to each composition before it is arranged (chords on cuts).  out_s: the cue's end, None the
    film's; with `loopable` it is moved to the nearest bar line, nothing sounds across it and no ending is played.
    Raises UserError where fewer that differ enough were found.
    """
    found: list[Variation] = []
    signs: list[list[tuple[object, ...]]] = []
    for plan, own_options in candidates(features, brief, options, dimensions, count * _TRIES):
        request, reason = request_for(features.film, features.cuts, plan)
        request = replace(request, cues=(cue_for(request, features.film.duration_s, out_s, loopable),))
        last = composer.compose(features, request)
        composition = place(replace(last.composition, tempo_reason=reason))
        arrangement = arrange(composition, own_options)
        sign = bar_signs(composition, arrangement)
        if all(difference(sign, other) >= LEAST_DIFFERENCE for other in signs):
            signs.append(sign)
            found.append(Variation(len(found) + 1, composition, arrangement, own_options))
            if len(found) == count:
                return tuple(found)
    raise UserError(
        f"only {len(found)} versions that differ in {LEAST_DIFFERENCE:.0%} of their bars were found; vary more than "
        f"{', '.join(dimensions)}, or ask for fewer."
    )


def cue_for(request: ComposeRequest, duration_s: float, out_s: float | None, loopable: bool) -> Cue:
    """The cue of a version.  Raises UserError for an end outside the film."""
    end_s = duration_s if out_s is None else out_s
    if not 0 < end_s <= duration_s + 1e-6:
        raise UserError(f"a version of {end_s:g} s is longer than the film, which lasts {duration_s:.2f} s.")
    if not loopable:
        return Cue("1m1", 0.0, min(end_s, duration_s))
    tempo_map, starts_s = request.tempo_map, request.picture_starts_at_s
    bar = tempo_map.bar_at(tempo_map.beats_at(end_s + starts_s))
    lines = [float(tempo_map.seconds_at_exact(tempo_map.bar_start(b))) - starts_s for b in (bar, bar + 1)]
    inside = [line for line in lines if 0 < line <= duration_s + 1e-6]
    if not inside:
        raise UserError(f"{end_s:g} s hold no whole bar to loop.")
    return Cue("1m1", 0.0, min(inside, key=lambda line: abs(line - end_s)), ending="cut")


def candidates(
    features: VideoFeatures, brief: Brief, options: ArrangeOptions, dimensions: Sequence[str], count: int
) -> Iterator[tuple[Brief, ArrangeOptions]]:
    """Plans to try, the first the one that was asked for; each dimension goes round at its own pace."""
    mean = features.mean_mood()
    first = brief.key or (Key(0, "major") if valence_arousal(mean)[0] >= 0 else Key(9, "minor"))
    tempi = _tempi(features, brief) if "tempo" in dimensions else ()
    for index in range(count):
        plan = replace(brief, take=Take(brief.take.number + index))
        key = first
        if "mode" in dimensions and index % 2:
            key = Key(key.tonic, "major" if key.is_minor else "minor")
        if "key" in dimensions:
            key = key.transpose(_SHIFTS[index % len(_SHIFTS)])
        if {"mode", "key"} & set(dimensions):
            plan = replace(plan, key=key)
        if tempi:
            plan = replace(plan, bpm=tempi[index % len(tempi)], tempo_map=None)
        own = options
        if "pattern" in dimensions:
            own = replace(options, pattern=_PATTERNS[index % len(_PATTERNS)])
        yield plan, own


def _tempi(features: VideoFeatures, brief: Brief) -> tuple[float, ...]:
    """The asked tempo first, then those that meet the hits (or the cuts) best."""
    hits = brief.hits or tuple(Hit(cut.time_s) for cut in features.cuts)
    chosen: list[float] = [] if brief.bpm is None else [brief.bpm]
    if any(hit.time_s > 0 for hit in hits):
        report = fit_tempos(hits, features.film.rate, TempoFitOptions(66, 132, step_bpm=1.0, count=60), ("fixed",))
        for plan in report.fixed:
            if len(chosen) < 5 and all(abs(plan.bpm - other) >= _TEMPO_STEP for other in chosen):
                chosen.append(plan.bpm)
    return tuple(chosen) or (72.0, 84.0, 96.0, 108.0, 120.0)


def write_variation(
    variation: Variation, folder: Path, cue: str, suffix: str = "", *, replace_old: bool = False
) -> tuple[Path, ...]:
    """One file per part; returns their paths.  replace_old: as for `write_parts`."""
    stem = variation.name(cue) + suffix
    return write_parts(folder, stem, variation.composition, variation.arrangement, replace_old=replace_old)
