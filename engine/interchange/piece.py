"""What is written out: a composition with its notes, and how its files are named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from engine.arrange.options import Arrangement
from engine.arrange.timeline import effective_cues
from engine.interchange.markers import clean
from engine.music import Composition, Controller, Cue, Hit, Note, Section, TempoMap, Timecode, UserError

DEFAULT_PATTERN: Final = "{cue}_v{version} {name} {start}"
_FIELDS: Final = ("cue", "version", "name", "start", "take", "key", "bpm")
_UNFIT: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # of some file system that people share files on

_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # Windows opens no file of this name


@dataclass(frozen=True, slots=True)
class MusicalMark:
    """Something at a place of the picture that a file can carry.  kind: one of MARK_KINDS.  end_s None: a moment."""

    kind: str
    name: str
    start_s: float
    end_s: float | None = None
    weight: str = ""


MARK_KINDS: Final = ("cues", "sections", "hits", "cuts", "chords")


@dataclass(frozen=True)
class Piece:
    """A composition and its notes, whole or of one cue.  version: counts what was handed out before."""

    composition: Composition
    arrangement: Arrangement
    version: int = 1
    cue: str = ""

    @property
    def tempo_map(self) -> TempoMap:
        return self.composition.tempo_map

    @cached_property
    def cues(self) -> tuple[Cue, ...]:
        """The cues that are written; one over the film where there are none."""
        return tuple(cue for cue in self._all_cues if not self.cue or cue.name == self.cue)

    @cached_property
    def _all_cues(self) -> tuple[Cue, ...]:
        return effective_cues(self.composition)

    def out_s(self, cue: Cue) -> float:
        """Picture second where a cue ends: its Out, the next cue's In, or the film's end."""
        film = self.composition.film
        later = [each.in_s for each in self._all_cues if each.in_s > cue.in_s]
        ends = [film.duration_s, *later, *([] if cue.out_s is None else [cue.out_s])]
        return min(ends)

    @cached_property
    def start_s(self) -> float:
        """Picture second of the first cue's In."""
        return self.cues[0].in_s

    @cached_property
    def end_s(self) -> float:
        return max(self.out_s(cue) for cue in self.cues)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        low, high = self.span_beats
        return tuple(note for note in self.arrangement.notes if low <= note.start_beats < high)

    @cached_property
    def controllers(self) -> tuple[Controller, ...]:
        low, high = self.span_beats
        return tuple(each for each in self.arrangement.controllers if low <= each.time_beats < high)

    @cached_property
    def span_beats(self) -> tuple[float, float]:
        """In which its notes begin; without end where all cues are written."""
        if not self.cue:
            return float("-inf"), float("inf")
        cue, rest = self.cues[0], [each.in_s for each in self._all_cues]
        later = [at_s for at_s in rest if at_s > cue.in_s]
        low = self.composition.beats_at_picture(cue.in_s) - 0.125 if cue.in_s > min(rest) else float("-inf")
        return low, self.composition.beats_at_picture(min(later)) - 0.125 if later else float("inf")

    def of_cue(self, name: str) -> Piece:
        """The piece of one cue.  Raises UserError."""
        names = [cue.name for cue in self._all_cues]
        if name not in names:
            raise UserError(f"there is no cue '{name[:40]}'; there are {', '.join(names[:20])}.")
        return replace(self, cue=name)

    @cached_property
    def hits(self) -> tuple[Hit, ...]:
        found = {*self.composition.hits, *(hit for cue in self.cues for hit in cue.hits)}
        return tuple(sorted((hit for hit in found if self._holds(hit.time_s)), key=lambda hit: hit.time_s))

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return tuple(each for cue in self.cues for each in cue.sections if not each.is_time)

    def _holds(self, picture_s: float) -> bool:
        return not self.cue or self.start_s <= picture_s < self.end_s

    def marks(self, kinds: Sequence[str] = MARK_KINDS) -> tuple[MusicalMark, ...]:
        """Marks of the kinds that are wanted, in order of time."""
        from engine.arrange.rhythm import merge_runs

        found: list[MusicalMark] = []
        if "cues" in kinds:
            found += [MusicalMark("cues", cue.name, cue.in_s, self.out_s(cue)) for cue in self.cues]
        if "sections" in kinds:
            found += [MusicalMark("sections", each.name or "section", each.start_s) for each in self.sections]
            for plan in self.composition.plans:
                inside = (each for each in plan.sections if self._holds(each.start_s))
                found += [MusicalMark("sections", f"{e.letter} {e.role}", e.start_s, e.end_s) for e in inside]
        if "hits" in kinds:
            hits = enumerate(self.hits, start=1)
            found += [MusicalMark("hits", hit.name or f"hit {n}", hit.time_s, weight=hit.weight) for n, hit in hits]
        if "cuts" in kinds:
            cuts = enumerate(self.composition.cuts, start=1)
            found += [MusicalMark("cuts", f"{c.kind} {n}", c.time_s) for n, c in cuts if self._holds(c.time_s)]
        if "chords" in kinds:
            for run in merge_runs(self.composition.slots):
                if self._holds(run.start_s) and not run.chord.is_silence:
                    found.append(MusicalMark("chords", self.composition.spell(run.chord), run.start_s, run.end_s))
        return tuple(sorted(found, key=lambda each: (each.start_s, MARK_KINDS.index(each.kind))))

    def label_at(self, picture_s: float) -> Timecode:
        """The film's timecode of the frame nearest to a picture second."""
        clock = self.composition.film.clock
        return clock.label_at(0) + round(picture_s * clock.rate.fps)


def check_pattern(pattern: str) -> str:
    """Raises UserError for a pattern that names no file."""
    unknown = [each for each in re.findall(r"\{([^{}]*)\}", pattern) if each.partition(":")[0] not in _FIELDS]
    if unknown or pattern.count("{") != pattern.count("}"):
        raise UserError(f"'{pattern[:60]}' is not a pattern for file names; known are {{{'}, {'.join(_FIELDS)}}}.")
    if not pattern.strip() or _UNFIT.search(pattern):
        raise UserError(f"'{clean(pattern)[:60]}' is not a pattern for file names.")
    return pattern


def stem(piece: Piece, pattern: str = DEFAULT_PATTERN, start_s: float | None = None) -> str:
    """The name of a piece's files without their endings: `1m1_v03 The Film 01-20-13-05`.

    start_s: picture second of the first sample or frame in the file, None: the In of its first cue.  What begins before
    00:00:00:00 has the label of the day before, 23:59:…, as in Pro Tools.
    """
    composition = piece.composition
    title = Path(composition.film.path).stem or "film"
    start = piece.label_at(piece.start_s if start_s is None else start_s).of_day
    values = {
        "cue": piece.cue or (piece.cues[0].name if len(piece.cues) == 1 else "all cues"),
        "version": f"{piece.version:02}",
        "name": title,
        "start": str(start).replace(":", "-").replace(";", "-"),
        "take": composition.take.name,
        "key": composition.key.short_name,
        "bpm": f"{float(composition.tempo_map.bpm_at(composition.beats_at_picture(piece.start_s))):g}",
    }
    text = re.sub(r"\{(\w+)(?::[^{}]*)?\}", lambda found: values[found[1]], pattern)
    fit = clean(_UNFIT.sub("-", text)).strip(". ") or "music"
    if _DEVICE.match(fit):
        fit = f"_{fit}"
    while len(fit.encode("utf-8")) > 200:  # room for endings
        fit = fit[:-1]
    return fit
