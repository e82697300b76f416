"""`compose SESSION.cuebridge.json`: what `live` plays of a session, note for note, as a .mid; no network is asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.arrange.options import Arrangement
from engine.arrange.score import check_playable, session_arrangement
from engine.commands.compose_report import bar_lines, chord_runs, hit_rows
from engine.document import SavedSession
from engine.document.cues import ends
from engine.document.file import SUFFIX, read_session
from engine.music import PARTS, Composition, UserError, shown
from engine.music.command import check_spares_input
from engine.music.files import check_output, make_way

# What concerns the file that is written; everything else is in the session already.
_ALLOWED: Final = frozenset({"-o", "--output", "--replace", "--json", "--printed", "--gm"})


def write_session_music(arguments: argparse.Namespace, given: Sequence[str]) -> int:
    """Writes the music of a session; returns the exit code.  given: the flags that were written.  Raises UserError."""
    from engine.midifile import write_midi
    from engine.sound.programs import programs_of

    path = Path(arguments.video)
    wrong = next((flag for flag in given if flag not in _ALLOWED), None)
    if wrong is not None:
        raise UserError(f"{wrong} is in the session already; leave it out, or change it in `cuebridge live`.")
    saved = check_playable(read_session(path))
    output = Path(arguments.output or path.name.removesuffix(SUFFIX) + ".mid")
    check_spares_input(path, output)
    check_output(output, replace=arguments.replace)
    composition, arrangement = session_arrangement(saved, printed=arguments.printed)
    if not saved.steps[saved.index].document.result.complete:
        sys.stderr.write(f"{path.name} was saved before it was composed to its end: only its beginning is written.\n")
    make_way(output, replace=arguments.replace)
    write_midi(output, composition, arrangement, programs=programs_of(composition) if arguments.gm else ())
    facts = _facts(saved, composition, arrangement, output)
    if arguments.json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        _tell(facts, composition)
    return 0


def _facts(saved: SavedSession, composition: Composition, arrangement: Arrangement, output: Path) -> dict[str, Any]:
    document, film = saved.steps[saved.index].document, composition.film
    states = document.cue_states
    kept = {(each.cue, each.number) for each in saved.takes if each.take.kept}
    cue_keys = {number: key.name for number, key, _ in document.result.cue_keys}
    return {
        "file": str(output),
        "film": {"path": film.path, "seconds": round(film.duration_s, 3), "frame_rate": str(film.rate)},
        "cues": [
            {
                "name": state.name,
                "in_s": round(state.in_s, 3),
                "out_s": round(film.duration_s if out_s is None else out_s, 3),
                "key": cue_keys.get(state.number, composition.key.name),
                "take": state.take,
                "kept": (state.number, state.take) in kept,
            }
            for state, out_s in zip(states, ends(states), strict=True)
        ],
        "key": composition.key.name,
        "key_reason": composition.key_reason,
        "grid": composition.grid,
        "bpm": float(composition.tempo_map.bpm_at(0.0)),
        "tempo_reason": saved.tempo.reason,
        "meter": str(composition.tempo_map.meter_at(0.0)),
        "picture_starts_at_s": composition.picture_starts_at_s,
        "slots": len(composition.slots),
        "hits": hit_rows(composition),
        "chords": chord_runs(composition),
        "notes_per_part": {part: sum(note.part == part for note in arrangement.notes) for part in PARTS},
        "weights": list(document.result.weights),
    }


def _tell(facts: dict[str, Any], composition: Composition) -> None:
    out = sys.stdout
    out.write(f"Film     {shown(Path(facts['film']['path']).name)}: {facts['film']['seconds']:g} s\n")
    out.write(f"Tempo    {facts['tempo_reason'].rstrip('.')} ({facts['meter']})\n")
    for cue in facts["cues"]:
        kept = ", kept" if cue["kept"] else ""
        out.write(f"Cue      {shown(cue['name'])}: {cue['in_s']:g} to {cue['out_s']:g} s, {cue['key']}, ")
        out.write(f"take {cue['take']}{kept}\n")
    out.write("Chords\n")
    for line in bar_lines(composition):
        out.write(f"  {line}\n")
    notes = ", ".join(f"{part} {count}" for part, count in facts["notes_per_part"].items() if count)
    out.write(f"Notes    {notes or 'none'}\nWritten  {facts['file']}\n")
