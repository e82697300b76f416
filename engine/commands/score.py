"""Command `score`: measures a MIDI file against a film, or a session against its own.

    cuebridge score FILE.mid --video FILM [--key Am] [--picture-starts-at S] [--json]
    cuebridge score SESSION.cuebridge.json

Chords are read from the markers that CueBridge writes, else from the notes (the chord whose tones sound longest in each
half bar).  The row "other cuts" scores the same music against the film's shots in other orders: what a score keeps
there it owes to chance.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.brief import parse_seconds
from engine.commands import score_metrics as metrics
from engine.commands.score_metrics import Sounding
from engine.commands.score_music import EXPLANATIONS, control_rows, music_rows
from engine.document import parse_key
from engine.midifile import MidiScore, read_midi
from engine.music import NO_CHORD, QUALITIES, Chord, Key, MusicError, UserError, controls
from engine.music.command import SentenceParser, check_spares_input, is_given
from engine.music.controls import BY_ADDRESS
from engine.music.files import check_output, make_way
from engine.music.flags import add_flags, flags_of

if TYPE_CHECKING:
    from engine.arrange import Arrangement
    from engine.leadsheet import SheetBar
    from engine.music import Composition

TOLERANCES_MS: Final = (40, 80, 120)
_ORDERS: Final = 20


@dataclass(frozen=True, slots=True)
class Picture:
    """What a film offers to be met: cuts and motion per second, its rate, its length."""

    cuts_s: tuple[float, ...]
    motion: tuple[float, ...]
    fps: float
    duration_s: float

    def shuffled(self, seed: int) -> Picture:
        """The same shots in another order, each with its motion."""
        edges = [0.0, *self.cuts_s, self.duration_s]
        shots = list(pairwise(edges))
        random.Random(seed).shuffle(shots)
        cuts: list[float] = []
        motion: list[float] = []
        position = 0.0
        for start, end in shots:
            motion += self.motion[round(start) : round(end)]
            position += end - start
            cuts.append(position)
        padded = (*motion, *self.motion)[: len(self.motion)]
        return Picture(tuple(cuts[:-1]), padded, self.fps, self.duration_s)


# what is scored ----------------------------------------------------------------------------------------------------
def chords_of(score: MidiScore, starts_at_s: float = 0.0) -> list[Sounding]:
    """The chords of a file: from its markers, else estimated from its notes."""
    end_beats = max((note.end_beats for note in score.notes), default=0.0)
    changes: list[tuple[float, Chord]] = []
    for marker in score.markers:
        try:
            changes.append((marker.beats, Chord.parse(marker.text)))
        except MusicError:
            continue
    if not changes:
        changes = _estimated(score, end_beats)
    found = []
    last = max(end_beats, changes[-1][0]) if changes else 0.0
    for (start, chord), (end, _) in pairwise([*changes, (last, NO_CHORD)]):
        if end > start:
            a, b = (score.tempo_map.seconds_at(beats) - starts_at_s for beats in (start, end))
            found.append(Sounding(chord, a, b, start, end))
    return found


def _estimated(score: MidiScore, end_beats: float) -> list[tuple[float, Chord]]:
    """Chord by chord per half bar: the vocabulary's chord whose tones sound longest, fewer tones preferred."""
    candidates = [Chord(root, quality) for root in range(12) for quality in QUALITIES]
    found: list[tuple[float, Chord]] = []
    beats = 0.0
    while beats < end_beats:
        length = float(score.tempo_map.meter_at(beats).bar_beats) / 2
        weights = np.zeros(12)
        lowest: tuple[int, int] | None = None
        for note in score.notes:
            overlap = min(note.end_beats, beats + length) - max(note.start_beats, beats)
            if overlap > 0 and note.channel != 10:
                weights[note.pitch % 12] += overlap
                lowest = min(lowest, (note.pitch, note.pitch % 12)) if lowest else (note.pitch, note.pitch % 12)
        if weights.sum() > 0 and lowest is not None:
            weights /= weights.sum()
            bass = lowest[1]
            best = max(
                candidates,
                key=lambda chord: (
                    sum(weights[tone] for tone in chord.pitch_classes())
                    - 0.06 * len(chord.pitch_classes())
                    + 0.05 * (chord.root == bass)
                ),
            )
            if not found or found[-1][1] != best:
                found.append((beats, best))
        beats += length
    return found


def score_file(
    score: MidiScore, picture: Picture, key: Key | None = None, starts_at_s: float = 0.0
) -> dict[str, float]:
    """All rows for a file.  key: None takes the file's own."""
    chords = chords_of(score, starts_at_s)
    return _rows(score, chords, picture, key or score.key, starts_at_s)


def score_composition(composition: Composition, arrangement: Arrangement, picture: Picture) -> dict[str, float]:
    """All rows for music that is at hand; with what the film's loudness does to velocities."""
    from engine.arrange.rhythm import merge_runs

    chords = [
        Sounding(run.chord, run.start_s, run.end_s, run.start_beats, run.end_beats)
        for run in merge_runs(composition.slots)
    ]
    score = MidiScore(arrangement.notes, arrangement.controllers, composition.tempo_map)
    rows = _rows(score, chords, picture, composition.key, composition.picture_starts_at_s)
    velocity, loudness = [], []
    for slot in composition.slots:
        inside = [n.velocity for n in arrangement.notes if slot.start_beats <= n.start_beats < slot.end_beats]
        if inside:
            velocity.append(float(np.mean(inside)))
            loudness.append(slot.loudness)
    rows["loudness to velocity"] = metrics.rank_correlation(loudness, velocity)
    return rows


def _rows(
    score: MidiScore, chords: Sequence[Sounding], picture: Picture, key: Key | None, starts_at_s: float
) -> dict[str, float]:
    seconds = metrics.each_second(chords)
    changing = metrics.without_repeats([chord.chord for chord in chords])
    strong, beat = metrics.strong_share(chords, score.tempo_map)
    voices = metrics.voice_leading(score.notes, chords)
    length_s = max((chord.end_s for chord in chords), default=0.0) - min((c.start_s for c in chords), default=0.0)
    changes = [after.start_s for before, after in pairwise(chords) if before.chord != after.chord]
    rows: dict[str, float] = {
        "chord histogram entropy": metrics.histogram_entropy(seconds),
        "chord coverage": metrics.coverage(seconds),
        "tonal distance": metrics.tonal_distance(changing),
        "progression irregularity": metrics.irregularity(changing),
        "diatonic rate of notes": metrics.diatonic_rate(score.notes, key) if key else math.nan,
        "diatonic rate of chords": metrics.chord_diatonic_rate(seconds, key) if key else math.nan,
        "voice motion": voices.motion,
        "voice-leading faults": voices.faults if voices.steps else math.nan,
        "seconds a chord": length_s / (len(changes) + 1) if chords else math.nan,
        "changes a minute": 60 * len(changes) / length_s if length_s else math.nan,
        "changes on strong beats": strong,
        "changes on beats": beat,
    }
    rows |= _picture_rows(score, changes, picture, starts_at_s)
    return rows


def _picture_rows(score: MidiScore, changes: Sequence[float], picture: Picture, starts_at_s: float) -> dict[str, float]:
    onsets = [(score.tempo_map.seconds_at(note.start_beats) - starts_at_s, note.velocity) for note in score.notes]
    cuts = picture.cuts_s
    rows: dict[str, float] = {}
    for frames in (1, 2):
        rows[f"cut to chord F1, {frames} frame{'s' * (frames > 1)}"] = metrics.f1(cuts, changes, frames / picture.fps)
    for tolerance in TOLERANCES_MS:
        rows[f"cut to chord F1, {tolerance} ms"] = metrics.f1(cuts, changes, tolerance / 1000)
    rows["cuts met, 80 ms"] = metrics.recall(cuts, changes, 0.08)
    rows["cut to chord offset, s"] = metrics.mean_offset(cuts, changes)
    rows["onset strength at cuts"] = metrics.onset_strength(cuts, onsets)
    count, total = np.zeros(len(picture.motion)), np.zeros(len(picture.motion))
    for second, velocity in onsets:
        index = int(second + 1e-6)
        if 0 <= index < len(count):
            count[index] += 1
            total[index] += velocity
    sounding = count > 0
    rows["motion to notes"] = metrics.rank_correlation(picture.motion, count.tolist())
    rows["motion to velocity"] = metrics.rank_correlation(
        np.array(picture.motion)[sounding].tolist(), (total[sounding] / count[sounding]).tolist()
    )
    return rows


def by_chance(score: MidiScore, picture: Picture, starts_at_s: float = 0.0) -> dict[str, float]:
    """The picture's rows against its shots in other orders: means over twenty."""
    chords = chords_of(score, starts_at_s)
    changes = [after.start_s for before, after in pairwise(chords) if before.chord != after.chord]
    found = [_picture_rows(score, changes, picture.shuffled(seed), starts_at_s) for seed in range(_ORDERS)]
    return {name: _mean_of_numbers([rows[name] for rows in found]) for name in found[0]}


def _mean_of_numbers(values: list[float]) -> float:
    """The mean without those that are not a number; nan where none is, of which numpy would warn the user."""
    numbers = [value for value in values if not math.isnan(value)]
    return fmean(numbers) if numbers else math.nan


# command -----------------------------------------------------------------------------------------------------------
def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    main = SentenceParser(prog="cuebridge score", description="Measures a MIDI file or a session against its film.")
    main.add_argument("file", metavar="FILE.mid|SESSION.json")
    main.add_argument("--video", metavar="FILM", help="the film; a session knows its own")
    key_row = replace(BY_ADDRESS[controls.KEY], doc="key of the music; default: the one that the file states")
    starts_row = replace(BY_ADDRESS[controls.PICTURE_STARTS_AT], doc="timeline second of the film's first frame")
    main.add_argument("--cuts", metavar="SECONDS", help="cuts that you found by eye, instead of the detected ones")
    main.add_argument(
        "--lead-sheet", metavar="FILE", help="write a lead sheet: a .png, a text file, or - for standard output"
    )
    main.add_argument("--replace", action="store_true", help="replace an existing file, keeping it as FILE.bak")
    main.add_argument("--json", action="store_true")
    add_flags(main, (key_row, starts_row, *flags_of("score")))
    return main


def _check(argv: list[str]) -> None:
    """Raises UserError where a command line is wrong."""
    parser().parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    if is_given("--batch", argv):
        from engine.commands.batch import score_batch

        return score_batch(argv, _check)
    arguments = parser().parse_args(argv)
    key = parse_key(arguments.key or "auto")
    starts_at_s = parse_seconds(arguments.picture_starts_at or "0")
    cache_dir = Path(arguments.cache_dir) if arguments.cache_dir else None
    sheet = arguments.lead_sheet
    if sheet not in (None, "-"):
        check_spares_input(arguments.file, sheet)
        check_output(sheet, replace=arguments.replace)
    composition: Composition | None = None
    video = arguments.video
    if arguments.file.endswith(".json"):
        score, composition, film = _session(Path(arguments.file))
        starts_at_s, video = composition.picture_starts_at_s, video or film
    else:
        score = read_midi(arguments.file)
    if video is None:
        raise UserError("name the film with --video.")
    if sheet not in (None, "-"):
        check_spares_input(video, sheet)
    if not score.notes:
        raise UserError(f"{arguments.file} holds no notes.")
    picture = picture_of(video, arguments.cuts, cache_dir, not arguments.no_cache)
    rows = score_file(score, picture, key, starts_at_s)
    chance = by_chance(score, picture, starts_at_s)
    chords = chords_of(score, starts_at_s)
    whole = (score, chords, picture.motion, picture.duration_s, starts_at_s)
    music, shuffled = music_rows(*whole), control_rows(*whole)
    if sheet is not None:
        if sheet != "-":
            make_way(sheet, replace=arguments.replace)
        if composition is None:
            _write_sheet(score, chords, sheet)
        else:
            _write_sheet_of(composition, sheet)
    if arguments.json:
        found = {"score": _plain(rows), "other cuts": _plain(chance)}
        found |= {"music": _plain(music), "bars shuffled": _plain(shuffled)}
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return 0
    sys.stdout.write(_table(rows, chance, music, shuffled))
    return 0


def _table(
    rows: dict[str, float], chance: dict[str, float], music: dict[str, float], shuffled: dict[str, float]
) -> str:
    lines = [f"{'':32}{'this film':>12}{'other cuts':>12}"]
    for name, value in rows.items():
        other = f"{chance[name]:12.3f}" if name in chance else ""
        lines.append(f"{name:32}{value:12.3f}{other}")
    lines += [
        f"this film: with its own picture; other cuts: the same with its shots in other orders, the mean of {_ORDERS}.",
        "What follows the picture is far from chance; what is as high by chance says nothing.",
        "",
        f"{'':32}{'this file':>12}{'bars mixed':>12}",
    ]
    for name, value in music.items():
        if not math.isnan(value):
            lines.append(f"{name:32}{value:12.3f}{shuffled[name]:12.3f}  {EXPLANATIONS[name]}")
    lines.append("bars mixed: the same music with its bars in other orders, which an order that matters differs from.")
    return "".join(f"{line}\n" for line in lines)


def _session(path: Path) -> tuple[MidiScore, Composition, str]:
    """What a session plays, as a file would hold it; what it was arranged from; where its film lies."""
    from engine.arrange.score import session_arrangement
    from engine.document.file.reading import read_session
    from engine.midifile import composition_markers

    saved = read_session(path)
    composition, made = session_arrangement(saved, printed=True)
    markers = composition_markers(composition)
    score = MidiScore(made.notes, made.controllers, composition.tempo_map, markers, composition.key)
    beside = path.parent / saved.film_beside if saved.film_beside else None
    film = Path(saved.reading.film.path)
    return score, composition, str(beside if beside is not None and not film.exists() else film)


def _write_sheet_of(composition: Composition, path: str) -> None:
    """The same of a session, with its sections and the statements of its theme."""
    from engine.leadsheet import draw, text
    from engine.music.files import write_whole

    if path == "-":
        sys.stdout.write(text(composition) + "\n")
    elif path.lower().endswith(".png"):
        draw(composition, path)
    else:
        write_whole(Path(path), text(composition).encode("utf-8"))


def _write_sheet(score: MidiScore, chords: Sequence[Sounding], path: str) -> None:
    """The lead sheet as a picture (.png), or as text on standard output (-) or into any other file."""
    from engine.leadsheet import draw_bars, text_of_bars
    from engine.music.files import write_whole

    bars, title = bars_of_file(score, chords), Path(path).stem
    if path == "-":
        sys.stdout.write(text_of_bars(bars) + "\n")
    elif path.lower().endswith(".png"):
        draw_bars(bars, title, score.tempo_map, path)
    else:
        write_whole(Path(path), text_of_bars(bars).encode("utf-8"))


def bars_of_file(score: MidiScore, chords: Sequence[Sounding]) -> tuple[SheetBar, ...]:
    """Bars of a lead sheet from a file: chords by its markers or notes, the tune from its melody."""
    from engine.leadsheet import bars_from

    tune = [(note.start_beats, note.pitch, note.length_beats) for note in score.notes if note.part.startswith("melody")]
    return bars_from([(each.chord, each.start_beats) for each in chords], tune, score.tempo_map, score.key)


def picture_of(film: str | Path, cuts: str | None, cache_dir: Path | None, use_cache: bool) -> Picture:
    """Looks at a film.  cuts: seconds to take instead of the detected ones.  Raises UserError."""
    from engine.video import AnalysisOptions, FeatureCache, analyze

    cache = FeatureCache(cache_dir) if use_cache else None
    features = analyze(Path(film), AnalysisOptions(reading="quick"), None, cache)
    times = tuple(cut.time_s for cut in features.cuts)
    if cuts is not None:
        try:
            times = tuple(sorted(float(word) for word in cuts.replace(",", " ").split()))
        except ValueError:
            raise UserError(f"'{cuts}' is not a list of seconds.") from None
    return Picture(times, tuple(map(float, features.motion)), float(features.film.rate.fps), features.film.duration_s)


def _plain(rows: dict[str, float]) -> dict[str, Any]:
    return {name: None if math.isnan(value) else round(value, 4) for name, value in rows.items()}
