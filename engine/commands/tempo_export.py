"""Command `tempo export`: the conductor track of a cue as a .mid file: tempo, meter and markers, no notes.

    cuebridge tempo export FILM [--plan curve:1] [--bpm 97] [--hits …] [--out FILE.mid]
    cuebridge tempo export --from-midi MUSIC.mid [FILM] [--out FILE.mid]

Every DAW imports such a file as its tempo track; `live --tempo-map FILE.mid` reads the same one, so both sides count
the same bars.  Exit codes as for every command.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from engine.arrange.tempofit import fit_tempos
from engine.commands.tempo_plan import add_arguments, bar_1_of, chosen_plan, fit_options, look
from engine.midifile import Marker, read_midi, write_events
from engine.music import Film, Hit, TempoMap, UserError
from engine.music.command import SentenceParser, check_spares_input
from engine.music.files import check_output, make_way


def main(argv: Sequence[str]) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    given = _parser().parse_args(list(argv))
    if given.film is None and given.from_midi is None:
        raise UserError("name a film, or a MIDI file with --from-midi.")
    out = Path(given.out) if given.out else _beside(given.film or given.from_midi)
    check_spares_input(given.from_midi or given.film, out)
    check_output(out, replace=given.replace)
    film: Film | None = None
    hits: tuple[Hit, ...] = ()
    if given.film is not None:
        film, hits, _ = look(given)
    markers: tuple[Marker, ...] = ()
    if given.from_midi is not None:
        score = read_midi(given.from_midi)
        tempo_map = replace(score.tempo_map, origin_s=Fraction(repr(bar_1_of(given))))
        markers, said = score.markers, f"tempo of {given.from_midi}"
    else:
        assert film is not None
        plan = chosen_plan(fit_tempos(hits, film.rate, fit_options(given)), given.plan)
        tempo_map, said = plan.tempo_map, f"{given.plan}, {plan.met} of {len(hits)} hits met"
    if film is not None and not markers:
        markers = tuple(
            _marker(hit, tempo_map) for hit in hits if hit.time_s >= bar_1_of(given)
        )  # the file begins there
    make_way(out, replace=given.replace)
    write_events(out, (), tempo_map, markers=markers, title=out.stem)
    sys.stdout.write(f"{out}: {said}; {_words(tempo_map)}, {len(markers)} markers, no notes.\n")
    sys.stdout.write(_place(bar_1_of(given)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        prog="cuebridge tempo export", description="Writes tempo, meter and hit markers as a .mid file without notes."
    )
    add_arguments(parser, film_optional=True)
    parser.add_argument("--from-midi", metavar="FILE.mid", help="use the tempo of this file instead of finding one")
    parser.add_argument("--out", metavar="FILE.mid", help="file to write (FILM-conductor.mid)")
    parser.add_argument("--replace", action="store_true", help="replace an existing file, keeping it as FILE.mid.bak")
    return parser


def _marker(hit: Hit, tempo_map: TempoMap) -> Marker:
    return Marker(tempo_map.beats_at(hit.time_s), f"hit {hit.name or f'{hit.time_s:.2f}'}")


def _beside(path: str) -> Path:
    return Path(f"{Path(path).stem}-conductor.mid").absolute()


def _words(tempo_map: TempoMap) -> str:
    first, count = float(tempo_map.tempos[0].bpm), len(tempo_map.tempos)
    return f"{first:g} bpm" if count == 1 else f"{count} tempi from {first:g} bpm"


def _place(bar_1_s: float) -> str:
    if not bar_1_s:
        return "Bar 1 is at the film's first frame.\n"
    return f"Bar 1 is {bar_1_s:g} s into the film: in the DAW the film's first frame comes that much before bar 1.\n"
