"""Does the harmony belong to its film?  Each film's chords under its own mood and cuts against those under another's.

    python tests/bench/exchange.py FILM... [--passage 20] [--most 4] [--takes 3] [--show 3] [--across]

Films are read (quick reading) and cut into passages of `--passage` seconds, each a film of its own; every passage is
composed by the network alone, same draws and same key, once with its own mood and cuts and once with each of the other
passages'.  Printed at 0, 50 and 100 % of "Follow the picture", with 95 % bootstrap intervals over passages:
the share of slots with the same chord for two films, the same for two takes of one film, how many of the chords
belong to the Table 1 set of their second's strongest mood (own minus other), and whether the harmony takes the mood's
course within a passage, of the own film and of the other (own, other), means over nine slots:

* mood r: the five moods' weights against the share of chords in each one's Table 1 set, both less their mean over the
  passage, all five in one correlation;
* valence r: rank correlation of the picture's valence with the share of major thirds among chords that have a third.
  Only passages whose valence moves by VALENCE_MOVES: exciting and relaxing have the same valence (.6), so between them
  it says nothing.

--most takes so many passages of a film at most, spread over it.  --across compares with passages of other films only,
and each film counts once, with the mean of its passages; intervals are then over films.

--joined joins the first half of each passage with the second half of the one half the list further on, so that moods
change within it.  --show prints passages bar by bar.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from engine.harmony.conditions import Events
from engine.harmony.plan import plan
from engine.harmony.slots import SlotFeatures, resample
from engine.harmony.stream import Harmony
from engine.music import C_MAJOR, EMOTIONS, Chord, Cut, Key, TempoMap
from engine.music.mood import EMOTION_QUALITIES, valence_arousal
from engine.process.analysis import AnalysisTask, analyse_in_child
from engine.process.messages import ComposeOptions, ComposeRequest
from engine.video import VideoFeatures
from models.runtime import load_pair, single_threaded

STRENGTHS = (0.0, 50.0, 100.0)
MEASURES = ("two films", "two takes", "gap", "own mood", "other mood", "own valence", "other valence")
COLUMNS = ("emotion_raw", "emotion", "motion", "scene_offset", "valid", "colour", "card")
MOODS = [name for name in EMOTIONS if EMOTION_QUALITIES[name]]
VALENCE_MOVES = 0.1  # least standard deviation, of -1..1
SMOOTH = 9  # slots


def passages(path: Path, length: int) -> list[VideoFeatures]:
    """A film's features, cut into passages of `length` seconds; what is left over and shorter than half is dropped."""
    whole = analyse_in_child(AnalysisTask(str(path), "quick", None, None, True), lambda fraction, phase: None)
    found = []
    for start in range(0, whole.seconds, length):
        rows = slice(start, min(start + length, whole.seconds))
        seconds = rows.stop - rows.start
        if seconds < length / 2:
            continue
        film = replace(whole.film, duration_s=float(seconds), path=f"{path.name} {start}–{rows.stop} s")
        cuts = tuple(
            Cut(cut.time_s - start, cut.strength, cut.kind) for cut in whole.cuts if start <= cut.time_s < rows.stop
        )
        columns = {name: None if (column := getattr(whole, name)) is None else column[rows] for name in COLUMNS}
        found.append(replace(whole, film=film, seconds=seconds, cuts=cuts, **columns))
    return found


class Setting:
    """One passage's slots, on a grid of a chord a half bar at 120 bpm."""

    def __init__(self, features: VideoFeatures, strength: float) -> None:
        options = ComposeOptions(form="none", follow_picture=strength, harmonic_rhythm="half")
        self.options = options
        request = ComposeRequest(1, TempoMap.constant(120), options=options)
        self.slots = plan(request, features.film.duration_s)
        starts, ends = [slot.start_s for slot in self.slots], [slot.end_s for slot in self.slots]
        self.rows = resample(features, starts, ends)

    def shown(self, other: SlotFeatures) -> SlotFeatures:
        """Another passage's mood in this one's slots."""
        at = np.arange(self.rows.count) % other.count
        return replace(
            self.rows, emotion=other.emotion[at], motion=other.motion[at], scene_offset=other.scene_offset[at]
        )


def compose(harmony: Harmony, setting: Setting, rows: SlotFeatures, cuts: tuple[Cut, ...], seed: int) -> list[Chord]:
    keys: list[Key] = [C_MAJOR] * len(setting.slots)
    return list(harmony.compose(setting.slots, rows, keys, setting.options, seed, events=Events(cuts)))


def bars(setting: Setting, chords: list[Chord]) -> list[str]:
    """A line a bar: its chords, and the two strongest moods of the picture there."""
    lines = []
    for first in range(0, len(chords), 2):
        names = [chord.lead_sheet() for chord in chords[first : first + 2]]
        shown = names[0] if len(set(names)) == 1 else "  ".join(names)
        mood = setting.rows.emotion[first : first + 2].mean(axis=0)
        strongest = "  ".join(f"{EMOTIONS[k]} {mood[k]:.2f}" for k in np.argsort(-mood)[:2])
        lines.append(f"  bar {first // 2 + 1:3d}  {setting.slots[first].start_s:5.1f} s  {shown:<14} {strongest}\n")
    return lines


def agreement(chords: list[Chord], mood: np.ndarray) -> float:
    rated = [
        chord.quality in EMOTION_QUALITIES[EMOTIONS[int(row.argmax())]]
        for chord, row in zip(chords, mood, strict=False)
        if EMOTIONS[int(row.argmax())] != "neutral" and not chord.is_silence
    ]
    return float(np.mean(rated)) if rated else float("nan")


def means(rows: np.ndarray) -> np.ndarray:
    """(n, k) -> (n - SMOOTH + 1, k) moving means."""
    return np.stack([np.convolve(column, np.ones(SMOOTH) / SMOOTH, "valid") for column in rows.T], axis=1)


def mood_course(chords: list[Chord], mood: np.ndarray) -> float:
    """Correlation of the five moods' course with that of the chords' membership in their Table 1 sets.

    A type in n sets counts 1 / n in each.  NaN where one of them stands still.
    """
    sets = [[chord.quality in EMOTION_QUALITIES[name] for name in MOODS] for chord in chords]
    member = np.array(sets, float)
    member /= np.maximum(member.sum(axis=1, keepdims=True), 1.0)
    asked = mood[: len(chords), [EMOTIONS.index(name) for name in MOODS]]
    if len(chords) < SMOOTH + 3:
        return float("nan")
    a, b = (means(rows) - means(rows).mean(axis=0) for rows in (member, asked))
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 1e-9 else float("nan")


def valence_course(chords: list[Chord], mood: np.ndarray) -> float:
    """Rank correlation of the share of major thirds with the picture's valence; NaN where either stands still."""
    thirds = [{(tone - (chord.root or 0)) % 12 for tone in chord.pitch_classes()} & {3, 4} for chord in chords]
    known = np.array([[len(found) == 1, found == {4}] for found in thirds], float)  # (n, 2)
    if len(chords) < SMOOTH + 3:
        return float("nan")
    counted = means(known)
    valence = means(np.array([[valence_arousal(row.tolist())[0]] for row in mood[: len(chords)]]))[:, 0]
    heard = counted[:, 0] > 1e-9
    major = counted[heard, 1] / counted[heard, 0]
    if heard.sum() < 3 or valence.std() < VALENCE_MOVES or np.ptp(major) < 1e-9:
        return float("nan")
    return float(np.corrcoef(ranks(major), ranks(valence[heard]))[0, 1])


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks in which equal values share their mean rank."""
    _, place, counts = np.unique(values.round(9), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[place])


def joined(films: list[VideoFeatures]) -> list[VideoFeatures]:
    """The first half of each, and the second half of the one half the list further on, as one film."""
    return [_join(film, films[(k + len(films) // 2) % len(films)]) for k, film in enumerate(films)]


def _join(first: VideoFeatures, second: VideoFeatures) -> VideoFeatures:
    head, tail = first.seconds // 2, second.seconds // 2
    shift = head - (second.seconds - tail)
    cuts = [cut for cut in first.cuts if cut.time_s < head] + [Cut(float(head), 1.0, "cut")]
    cuts += [replace(cut, time_s=cut.time_s + shift) for cut in second.cuts if cut.time_s + shift > head]
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        ours, theirs = getattr(first, name), getattr(second, name)
        columns[name] = None if ours is None or theirs is None else np.concatenate([ours[:head], theirs[-tail:]])
    names = f"{first.film.path} to its half, then {second.film.path}"
    film = replace(first.film, duration_s=float(head + tail), path=names)
    return replace(first, film=film, seconds=head + tail, cuts=tuple(cuts), **columns)


def spread(found: list[VideoFeatures], most: int) -> list[VideoFeatures]:
    """So many of them at most, as far apart as they may be."""
    if len(found) <= most:
        return found
    return [found[k * len(found) // most + len(found) // most // 2] for k in range(most)]


def by_film(values: list[float], owners: list[int]) -> list[float]:
    """Means over the passages of each film; NaN counts as none."""
    found: dict[int, list[float]] = {}
    for value, owner in zip(values, owners, strict=True):
        if not np.isnan(value):
            found.setdefault(owner, []).append(value)
    return [float(np.mean(each)) for each in found.values()]


def interval(values: list[float]) -> str:
    kept = np.array([value for value in values if not np.isnan(value)])
    if len(kept) == 0:
        return "–"
    means = kept[np.random.default_rng(0).integers(0, len(kept), (4000, len(kept)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{kept.mean():.2f} ({low:.2f} … {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="+", type=Path)
    parser.add_argument("--passage", type=int, default=20)
    parser.add_argument("--takes", type=int, default=3)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--joined", action="store_true")
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--across", action="store_true")
    arguments = parser.parse_args()
    if arguments.joined and arguments.across:
        parser.error("--joined mixes films, so --across does not go with it")
    single_threaded()
    cut = [spread(passages(path, arguments.passage), arguments.most) for path in arguments.films]
    films = [each for found in cut for each in found]
    owners = [number for number, found in enumerate(cut) for _ in found]
    films = joined(films) if arguments.joined else films
    of_each = owners if arguments.across else list(range(len(films)))  # what counts once
    harmony = Harmony(load_pair()[0])
    out = sys.stdout.write
    out(f"{len(films)} passages of {len(arguments.films)} films, {arguments.takes} takes\n")
    for path, found in zip(arguments.films, cut, strict=True):
        out(f"  {path.name}: {', '.join(each.film.path.removeprefix(path.name).strip() for each in found)}\n")
    for strength in STRENGTHS:
        settings = [Setting(film, strength) for film in films]
        # Means of each passage: the others are compared with it again and again, and count once together.
        found: dict[str, list[float]] = {name: [] for name in MEASURES}
        for k, (film, setting) in enumerate(zip(films, settings, strict=True)):
            here: dict[str, list[float]] = {name: [] for name in MEASURES}
            own = [compose(harmony, setting, setting.rows, film.cuts, take) for take in range(1, arguments.takes + 1)]
            strangers = [n for n in range(len(films)) if of_each[n] != of_each[k]]
            for other, theirs in ((films[n], settings[n]) for n in strangers):
                for take, mine in enumerate(own, start=1):
                    foreign = compose(harmony, setting, setting.shown(theirs.rows), other.cuts, take)
                    same = [a == b for a, b in zip(mine, foreign, strict=True)]
                    here["two films"].append(float(np.mean(same)))
                    mood = setting.rows.emotion
                    here["gap"].append(agreement(mine, mood) - agreement(foreign, mood))
                    for name, measured in (("mood", mood_course), ("valence", valence_course)):
                        here[f"own {name}"].append(measured(mine, mood))
                        here[f"other {name}"].append(measured(foreign, mood))
            pairs = [(a, b) for n, a in enumerate(own) for b in own[:n]]
            here["two takes"] += [float(np.mean([x == y for x, y in zip(a, b, strict=True)])) for a, b in pairs]
            for name, values in here.items():
                kept = [value for value in values if not np.isnan(value)]
                found[name].append(float(np.mean(kept)) if kept else float("nan"))
            if k < arguments.show and strength == 50.0:
                out(f"\n{film.film.path}\n" + "".join(bars(setting, own[0])) + "\n")
        moved = {name: int(np.isfinite(found[f"own {name}"]).sum()) for name in ("mood", "valence")}
        found = {name: by_film(values, of_each) for name, values in found.items()}
        out(f"follow {strength:3.0f} %: same chord for two films {interval(found['two films'])}, ")
        out(f"for two takes {interval(found['two takes'])}; agreement own - other {interval(found['gap'])}; ")
        for name in ("mood", "valence"):
            own_r, other_r = interval(found[f"own {name}"]), interval(found[f"other {name}"])
            out(f"{name} r own {own_r}, other {other_r} ({moved[name]} passages); ")
        out("\n")


if __name__ == "__main__":
    main()
