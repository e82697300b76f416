"""A marker file as a person asked for it: read at once, mapped when the film is known."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace

from engine.brief import Brief
from engine.interchange.markers import MarkerError, MarkerFile, resolve
from engine.interchange.reading import load_markers
from engine.interchange.rules import Mapping, Rule, default_rules, load_rules, map_markers
from engine.music.composition import Film
from engine.music.cue_text import WrittenCue
from engine.music.flags import destination
from engine.music.picture_start import PictureStart
from engine.music.timecode import FrameRate, stated_rate


@dataclass(frozen=True, slots=True)
class AskedMarkers:
    """rate, start: of the labels and of the film's first frame, None: as file or film say."""

    file: MarkerFile
    rate: FrameRate | None = None
    start: str | None = None
    rules: tuple[Rule, ...] = field(default_factory=default_rules)

    @classmethod
    def read(
        cls, path: str, *, rate: str | None = None, start: str | None = None, rules: str | None = None
    ) -> AskedMarkers:
        """Raises UserError for a file, a rate or rules that cannot be read."""
        try:
            known = None if rate is None else stated_rate(rate)
        except MarkerError:
            raise
        except ValueError as error:
            raise MarkerError(str(error).replace("--frame-rate", "--markers-rate")) from None
        return cls(load_markers(path), known, start, default_rules() if rules is None else load_rules(rules))

    def mapping(self, film: Film, picture_starts_at: str = "0") -> Mapping:
        """What the markers become.  picture_starts_at: as in a Brief; places of a .mid count on its timeline.

        Raises MarkerError, with a question where file and film do not say enough.
        """
        place = PictureStart.parse(picture_starts_at)
        starts_s = 0.0 if place.label is not None else place.seconds  # with a label bar 1 is at the first frame
        found = resolve(self.file, film, rate=self.rate, start=self.start, timeline_starts_s=starts_s)
        return map_markers(found, film, self.rules)


def check_markers_flags(given: argparse.Namespace) -> None:
    """Raises UserError where something is said of markers and no file is given."""
    for flag in ("--markers-rate", "--markers-start", "--markers-rules"):
        if getattr(given, destination(flag)) is not None:
            raise MarkerError(f"{flag} goes with a list of markers: give one with --markers FILE.")


def with_markers(brief: Brief, mapping: Mapping) -> Brief:
    """A brief with what markers became.  Raises MarkerError where both give cues."""
    cues = mapping.of("cue")
    if cues and brief.cues:
        raise MarkerError(f"both --cue and the markers of {mapping.source} give cues; give one of them.")
    written = tuple(WrittenCue(row.name, row.start_s, row.out_s, bar_1_s=row.start_s) for row in cues)
    return replace(
        brief,
        cues=written or brief.cues,
        hits=tuple(sorted((*brief.hits, *mapping.hits), key=lambda hit: hit.time_s)),
        sections=(*brief.sections, *mapping.sections),
    )
