"""The scoreboard: our music against the paper's rendering, a shuffled film and true music.

    python tests/bench/score.py --film FILM.mp4[=NAME] [--film …] [--excerpt 30] [--takes 3]
                                [--muvi-sync DIR] [--json OUT.json] [--markdown OUT.md]

Each film is cut into excerpts of so many seconds (0: taken whole; ffmpeg is needed for excerpts).  Cuts found by eye
(the entry NAME of tests/media/cuts-by-eye.json) are the truth where given, else the detected ones.  Rows about cuts
leave out clips without any.
For every clip and take: rows of `engine.commands.score`, as means over clips and takes with 95 % bootstrap intervals
over clips.

  ours            as `cuebridge compose --form none` writes it
  ours, on cuts   chord changes placed on all detected cuts (engine.arrange.changes, "all")
  ours, ramp      the same, on a tempo ramp that brings the cuts to eighths (engine.arrange.tempofit)
  ours, bars      the same, on a ramp with odd bars, so that cuts open bars
  paper           the same chords on the one-second grid, Table 3 by density, the paper's velocities
  third pattern   as the paper renders Music Transformer: the third pattern, one velocity
  MuVi-Sync       harmony of the test split (only rows that are defined without notes)
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from engine.arrange import ArrangeOptions, arrange, paper_options
from engine.arrange.changes import ChangeOptions, place_changes
from engine.arrange.rhythm import build_grid
from engine.arrange.tempofit import TempoFitOptions, fit_tempos
from engine.brief import Brief
from engine.commands import score_metrics as metrics
from engine.commands.score import Picture, score_composition
from engine.commands.tempo_plan import strongest
from engine.composer import compose_takes
from engine.music import C_MAJOR, Chord, Composition, Cue, TempoMap

MEDIA = Path(__file__).resolve().parents[1] / "media"
SYSTEMS = ("ours", "ours, on cuts", "ours, ramp", "ours, bars", "paper", "third pattern")


def paper_version(composition: Composition) -> Composition:
    """The chords of each second on the paper's grid."""
    tempo_map = TempoMap.constant(120)
    seconds = composition.film.duration_s
    slots = []
    for place in build_grid("seconds", tempo_map, seconds):
        slot = composition.slot_at(min(place.start_s + 0.5, seconds - 1e-6)) or composition.slots[-1]
        slots.append(
            replace(
                slot, index=place.index, start_s=place.start_s, end_s=place.end_s, start_beats=place.start_beats,
                end_beats=place.end_beats,
            )
        )  # fmt: skip
    # The paper's music stops where it stops.
    return replace(
        composition, tempo_map=tempo_map, slots=tuple(slots), grid="seconds", picture_starts_at_s=0.0,
        cues=(Cue(ending="cut"),),
    )  # fmt: skip


def excerpts(film: Path, length_s: float, folder: Path) -> list[tuple[Path, float, float]]:
    """(file, start, end in the film); the film itself where length_s is 0."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(film)]
    duration = float(subprocess.run(probe, check=True, capture_output=True, text=True).stdout)
    if length_s == 0 or duration < 1.5 * length_s:
        return [(film, 0.0, duration)]
    found = []
    for index in range(int(duration // length_s)):
        path = folder / f"{film.stem}-{index}.mp4"
        start = index * length_s
        command = ["ffmpeg", "-v", "error", "-y", "-ss", f"{start}", "-i", str(film), "-t", f"{length_s}", "-an"]
        subprocess.run([*command, "-c:v", "libx264", "-crf", "18", "-preset", "veryfast", str(path)], check=True)
        found.append((path, start, start + length_s))
    return found


def score_clip(path: Path, truth: tuple[float, ...] | None, takes: int) -> dict[str, list[dict[str, float]]]:
    """Rows of every system for each take of a clip."""
    rows: dict[str, list[dict[str, float]]] = {system: [] for system in SYSTEMS}
    rows["ours, shuffled film"] = []
    rows["ours, on cuts, shuffled film"] = []
    scores = compose_takes(path, Brief(reading="quick"), takes)
    features = scores[0].features
    times = tuple(cut.time_s for cut in features.cuts) if truth is None else truth
    picture = Picture(
        times, tuple(map(float, features.motion)), float(features.film.rate.fps), features.film.duration_s
    )
    bent = {kind: scores for kind in ("ramp", "bars")}
    if features.cuts:
        hits = strongest(features.cuts, 64)
        for kind in bent:
            asked = TempoFitOptions(80, 110, step_bpm=0.5, unit_beats=0.5, curve_percent=15)
            plans = fit_tempos(hits, features.film.rate, asked, (kind,)).of(kind)
            if plans:
                bent[kind] = compose_takes(path, Brief(reading="quick", tempo_map=plans[0].tempo_map), takes)
    on_cuts = ChangeOptions(chords_on="all")
    third = replace(paper_options(), pattern="3", dynamics=25.0)
    for number, score in enumerate(scores):
        plain, paper = score.composition, paper_version(score.composition)
        placed = place_changes(plain, on_cuts)
        made = {
            "ours": (plain, arrange(plain, ArrangeOptions())),
            "ours, on cuts": (placed, arrange(placed, ArrangeOptions())),
            "paper": (paper, arrange(paper, paper_options())),
            "third pattern": (paper, arrange(paper, third)),
        }
        for kind, others in bent.items():
            along = place_changes(others[number].composition, on_cuts)
            made[f"ours, {kind}"] = (along, arrange(along, ArrangeOptions()))
        for system, (composition, arrangement) in made.items():
            rows[system].append(score_composition(composition, arrangement, picture))
        for system in ("ours", "ours, on cuts"):
            if not picture.cuts_s:
                rows[f"{system}, shuffled film"].append(dict.fromkeys(rows[system][-1], math.nan))
                continue
            shuffled = [score_composition(*made[system], picture.shuffled(seed)) for seed in range(10)]
            rows[f"{system}, shuffled film"].append(_mean(shuffled))
    return rows


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    found = {}
    for name in rows[0]:
        known = [row[name] for row in rows if not math.isnan(row[name])]
        found[name] = float(np.mean(known)) if known else math.nan
    return found


def muvi_sync(folder: Path) -> list[dict[str, float]]:
    """Harmony rows of the test split's songs (C major or A minor, one chord a second)."""
    data = np.load(folder / "muvi-sync.npz")
    rows = []
    for index in np.flatnonzero(data["split"] == "test"):
        ids = data["chord"][data["offsets"][index] : data["offsets"][index + 1]]
        chords = [Chord.from_id(int(chord)) for chord in ids]
        sounding = [chord for chord in chords if not chord.is_silence]
        changing = metrics.without_repeats(chords)
        changes = int(np.count_nonzero(np.diff(ids)))
        rows.append(
            {
                "chord histogram entropy": metrics.histogram_entropy(sounding),
                "chord coverage": metrics.coverage(sounding),
                "tonal distance": metrics.tonal_distance(changing),
                "progression irregularity": metrics.irregularity(changing),
                "diatonic rate of chords": metrics.chord_diatonic_rate(sounding, C_MAJOR),
                "seconds a chord": len(ids) / (changes + 1),
                "changes a minute": 60 * changes / len(ids),
            }
        )
    return rows


def _truth(name: str | None, start: float, end: float) -> tuple[float, ...] | None:
    if name is None:
        return None
    entry = json.loads((MEDIA / "cuts-by-eye.json").read_text())[name]
    rate = Fraction(entry["rate"])
    return tuple(float(f / rate) - start for f in entry["cuts"] if start < float(f / rate) < end)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--film", action="append", metavar="FILE[=NAME]", help="default: the bundled clip")
    parser.add_argument("--excerpt", type=float, default=15.0)
    parser.add_argument("--takes", type=int, default=3)
    parser.add_argument("--muvi-sync", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()
    bundled = Path(__file__).resolve().parents[2] / "engine" / "media" / "big-buck-bunny-30s.mp4"
    clips: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        for film in arguments.film or [f"{bundled}={bundled.name}"]:
            file, _, name = film.partition("=")
            for path, start, end in excerpts(Path(file), arguments.excerpt, Path(folder)):
                found = score_clip(path, _truth(name or None, start, end), arguments.takes)
                clips.append({system: _mean(rows) for system, rows in found.items()})
                sys.stderr.write(f"{Path(file).name} {start:g}-{end:g} s done\n")
    table = {
        system: {row: metrics.bootstrap([clip[system][row] for clip in clips]) for row in clips[0][system]}
        for system in clips[0]
    }
    if arguments.muvi_sync:
        songs = muvi_sync(arguments.muvi_sync)
        table["MuVi-Sync"] = {row: metrics.bootstrap([song[row] for song in songs]) for row in songs[0]}
    text = _markdown(table, len(clips), arguments.takes)
    sys.stdout.write(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1))


def _markdown(table: dict[str, dict[str, tuple[float, float, float]]], clips: int, takes: int) -> str:
    lines = [f"{clips} clips, {takes} takes each; mean and 95 % interval over clips.", ""]
    lines += ["| | " + " | ".join(table) + " |", "|---" * (len(table) + 1) + "|"]
    for row in table["ours"]:
        cells = []
        for system in table:
            mean, low, high = table[system].get(row, (math.nan,) * 3)
            cells.append("–" if math.isnan(mean) else f"{mean:.2f} ({low:.2f}–{high:.2f})")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
