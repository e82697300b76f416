"""Is it worth keeping?  Rows of `engine.commands.score_music` over films and takes, beside the way before plans.

    python tests/bench/music.py --film FILM.mp4 [--film …] [--takes 3] [--ensemble auto --ensemble piano …]
                                [--rules 3 …] [--midi NAME=FOLDER …] [--json OUT.json] [--markdown OUT.md]

  planned         form, palettes, theme and ensemble as each take draws them; --ensemble adds columns of one ensemble
  bars mixed      the same notes, bars in another order: what this reaches too says nothing of form
  random palettes each palette's cells drawn anew from the chords of all palettes: what these reach too says nothing of
                  palettes
  first rules     as sessions that were begun before the present rules go on (engine.music.draws.RULES); --rules: others
  NAME            files of another version or another program: FOLDER/FILM-TAKE.mid
  before          `--form none`: the network alone and one texture, as sessions were composed before there were plans

Means over films and takes, with 95 % bootstrap intervals over films.  Below them what only pairs can say: the same
chord in the same bar of two films (as it sounds, and by scale degree), with a control of the same takes' chords in
another order, and onsets that two takes of a film share.  By scale degree there is also how often any two bars of
the films are alike: tonal music has the tonic in many bars, and only what lies above that is shared by place.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from engine.arrange import Arrangement, arrange
from engine.arrange.rhythm import merge_runs
from engine.brief import Brief, request_for
from engine.commands.score import chords_of
from engine.commands.score_metrics import Sounding, bootstrap
from engine.commands.score_music import control_rows, music_rows, partial
from engine.composer import Composer, first_action_s
from engine.harmony.cells import CellChooser
from engine.harmony.palettes import palettes
from engine.harmony.tension import tensile_strain
from engine.midifile import MidiScore, read_midi
from engine.music import Chord, Composition, Note, Take
from engine.music.cueplan import CuePlan
from engine.music.draws import RULES
from engine.planning import settle_take
from engine.process.messages import ComposeOptions
from engine.video import AnalysisOptions, FeatureCache, VideoFeatures, analyze

FIRST = "first rules"


def compose(
    composer: Composer, features: VideoFeatures, take: int, options: ComposeOptions, rules: int = RULES
) -> Composition:
    brief = Brief(options=options)
    request, _ = request_for(features.film, features.cuts, brief)
    request = replace(request, take=Take(take), rules=rules)
    if options.form != "none":
        request, _ = settle_take(features, request, first_action_s(features), None)
    return composer.compose(features, request).composition


@contextmanager
def random_palettes(seed: int) -> Iterator[None]:
    """Inside it every palette's cells are other chords, drawn from those of all palettes."""
    chance = random.Random(seed)
    pool = [chord for palette in palettes().values() for chord in palette.chords]
    drawn = {
        variant: replace(
            palette,
            cells=tuple(tuple((chance.choice(pool),) for _ in range(4)) for _ in range(3)),
            closes=tuple((((chance.choice(pool),),)) for _ in range(2)),
            open=(), rest=(), lift=(), pedal="",
        )
        for variant, palette in palettes().items()
    }  # fmt: skip
    with mock.patch.object(CellChooser, "_palette", lambda self, section: drawn[self.plan.sections[section].variant]):
        yield


def plan_rows(composition: Composition, arrangement: Arrangement) -> dict[str, float]:
    """What is measured against the plan: tension, and how sections and cues close."""
    if not composition.plans:
        return {}
    plan = composition.plans[0]
    key_end, ends = plan.sections[-1], []
    for here, there in pairwise(plan.sections):
        chords = [slot.chord for slot in composition.slots if here.start_s <= slot.start_s < there.start_s]
        after = composition.slot_at(there.start_s + 0.05)
        if not chords or after is None or chords[-1].root is None or after.chord.root is None:
            continue
        ends.append(float(_is_dominant(chords[-1]) and (after.chord.root - chords[-1].root) % 12 == 5))
    sounding = [slot.chord for slot in composition.slots if not slot.chord.is_silence]
    palette = palettes()[key_end.variant]
    lasts = {close[-1][-1].transpose(key_end.key.tonic).plain for close in palette.closes_of(plan.ending)}
    notes = [note for note in arrangement.notes if note.part in ("pad", "arp", "bass")]
    strains, tones, wanted = [], [], []
    second = 0.0
    while second + 8 <= composition.film.duration_s:
        # As Herremans & Chew do: of what sounds in short pieces, second by second, then the mean.  The centre of all
        # that sounds in eight seconds lies the nearer to the key the more chords there are, however far each is.
        found = [_strain(composition, plan, notes, second + step) for step in range(8)]
        known = [(value, count) for value, count in found if not math.isnan(value)]
        if known:
            strains.append(float(np.mean([value for value, _ in known])))
            tones.append(float(np.mean([count for _, count in known])))
            wanted.append(float(np.mean([plan.section_at(second + step).intensity for step in (1, 3, 5, 7)])))
        second += 4.0
    varied = len(set(wanted)) > 1
    return {
        "tension to planned intensity": partial(strains, wanted, tones) if varied else math.nan,
        "sections that end V-I": float(np.mean(ends)) if ends else math.nan,
        "cues that close as their palette": float(sounding[-1].plain in lasts),
    }


def _strain(composition: Composition, plan: CuePlan, notes: Sequence[Note], second: float) -> tuple[float, int]:
    """Of a second, against the key that its section is in (a mean of all notes is the key of the longest section),
    and how many tones it has."""
    start, end = (composition.beats_at_picture(second + more) for more in (0, 1))
    weights: dict[int, float] = {}
    for note in notes:
        overlap = min(note.end_beats, end) - max(note.start_beats, start)
        if overlap > 0:
            weights[note.pitch % 12] = weights.get(note.pitch % 12, 0.0) + overlap
    slot = composition.slot_at(second + 0.5)
    chord = composition.slots[-1].chord if slot is None else slot.chord
    return tensile_strain(weights.items(), chord, plan.section_at(second + 0.5).key), len(weights)


def _is_dominant(chord: Chord) -> bool:
    return chord.quality in ("maj", "7") and not chord.extension.startswith("add")


def midi_rows(path: Path, features: VideoFeatures) -> dict[str, float]:
    score = read_midi(path)
    return music_rows(score, chords_of(score), tuple(map(float, features.motion)), features.film.duration_s)


def rows_of(
    composition: Composition, arrangement: Arrangement, features: VideoFeatures
) -> tuple[dict[str, float], dict[str, float]]:
    chords = [
        Sounding(run.chord, run.start_s, run.end_s, run.start_beats, run.end_beats)
        for run in merge_runs(composition.slots)
    ]
    score = MidiScore(arrangement.notes, arrangement.controllers, composition.tempo_map)
    whole = (score, chords, tuple(map(float, features.motion)), features.film.duration_s)
    return music_rows(*whole) | plan_rows(composition, arrangement), control_rows(*whole)


def bar_chords(composition: Composition, relative: bool) -> list[object]:
    """The chord at the beginning of each bar, as it sounds or from its section's tonic."""
    found: dict[int, object] = {}
    for slot in composition.slots:
        bar = composition.tempo_map.bar_at(round(slot.start_beats, 6))
        plan = composition.plans[0] if composition.plans else None
        key = composition.key if plan is None else plan.section_at(slot.start_s).key
        found.setdefault(bar, slot.chord.plain.transpose(-key.tonic).id if relative else slot.chord.plain.id)
    return [found[bar] for bar in sorted(found)]


def shared(a: Sequence[object], b: Sequence[object]) -> float:
    count = min(len(a), len(b))
    return sum(x == y for x, y in zip(a, b, strict=False)) / count if count else math.nan


def shuffled(a: Sequence[object], seed: int) -> list[object]:
    mixed = list(a)
    random.Random(seed).shuffle(mixed)
    return mixed


def onsets(arrangement: Arrangement, part: str) -> set[float]:
    return {round(note.start_beats, 2) for note in arrangement.notes if note.part == part}


def alike(a: Arrangement, b: Arrangement) -> float:
    """Share of the onsets of pad, arp and drums that two arrangements have in common, of all that either has."""
    one, two = ({(part, beat) for part in ("pad", "arp", "drums") for beat in onsets(each, part)} for each in (a, b))
    return len(one & two) / len(one | two) if one | two else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    bundled = Path(__file__).resolve().parents[2] / "engine" / "media" / "big-buck-bunny-30s.mp4"
    parser.add_argument("--film", action="append", metavar="FILE", help="default: the bundled clip")
    parser.add_argument("--takes", type=int, default=3)
    parser.add_argument("--ensemble", action="append", default=[])
    parser.add_argument("--rules", action="append", default=[], type=int, help="a column of earlier ones", metavar="N")
    parser.add_argument("--midi", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--cache-dir", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()
    cache = FeatureCache(arguments.cache_dir) if arguments.cache_dir else None
    composer = Composer()
    others = [text.split("=", 1) for text in arguments.midi]
    systems = {"planned": ComposeOptions(form="auto"), "random palettes": ComposeOptions(form="auto")}
    systems |= {FIRST: ComposeOptions(form="auto"), "before": ComposeOptions(form="none")}
    systems |= {name: ComposeOptions(form="auto", ensemble=name) for name in arguments.ensemble}
    earlier = {FIRST: 1} | {f"rules {number}": number for number in arguments.rules}
    systems |= {name: ComposeOptions(form="auto") for name in earlier}
    films: dict[str, dict[str, list[dict[str, float]]]] = {}
    made: dict[str, dict[tuple[int, int], tuple[Composition, Arrangement]]] = {name: {} for name in systems}
    for number, path in enumerate(arguments.film or [str(bundled)]):
        features = analyze(Path(path), AnalysisOptions(reading="quick"), None, cache)
        rows: dict[str, list[dict[str, float]]] = {}
        for name, options in systems.items():
            for take in range(1, arguments.takes + 1):
                drawn = random_palettes(100 * number + take) if name == "random palettes" else nullcontext()
                with drawn:
                    composition = compose(composer, features, take, options, earlier.get(name, RULES))
                arrangement = arrange(composition)
                made[name][number, take] = composition, arrangement
                own, control = rows_of(composition, arrangement, features)
                rows.setdefault(name, []).append(own)
                if name == "planned":
                    rows.setdefault("bars mixed", []).append(control)
        for name, folder in others:
            rows[name] = [midi_rows(Path(folder) / f"{Path(path).stem}-{take}.mid", features)
                          for take in range(1, arguments.takes + 1)]  # fmt: skip
        films[path] = rows
        sys.stderr.write(f"{Path(path).name} done\n")
    columns = ["planned", "bars mixed", *[name for name in systems if name != "planned"], *(name for name, _ in others)]
    table = {
        column: {
            row: bootstrap([_mean([each.get(row, math.nan) for each in found[column]]) for found in films.values()])
            for row in next(iter(films.values()))["planned"][0]
        }
        for column in columns
    }
    text = _markdown(table, len(films), arguments.takes) + "\n" + _pairs(made, len(films), arguments.takes)
    sys.stdout.write(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def _markdown(table: dict[str, dict[str, tuple[float, float, float]]], films: int, takes: int) -> str:
    lines = [f"{films} films, {takes} takes each; mean and 95 % interval over films.", ""]
    lines += ["| | " + " | ".join(table) + " |", "|---" * (len(table) + 1) + "|"]
    for row in table["planned"]:
        cells = []
        for column in table:
            mean, low, high = table[column][row]
            cells.append("–" if math.isnan(mean) else f"{mean:.2f} ({low:.2f}–{high:.2f})")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _pairs(made: dict[str, dict[tuple[int, int], tuple[Composition, Arrangement]]], films: int, takes: int) -> str:
    lines = ["| pairs | " + " | ".join(made) + " |", "|---" * (len(made) + 1) + "|"]
    rows: dict[str, list[str]] = {}
    for found in made.values():
        for relative, label in ((False, "same chord, same bar, two films"), (True, "by scale degree")):
            values, control = [], []
            for take in range(1, takes + 1):
                for a, b in combinations(range(films), 2):
                    one, two = (bar_chords(found[film, take][0], relative) for film in (a, b))
                    values.append(shared(one, two))
                    control.append(shared(one, shuffled(two, a * 100 + b)))
            bars = Counter(chord for composition, _ in found.values() for chord in bar_chords(composition, relative))
            chance = sum((count / sum(bars.values())) ** 2 for count in bars.values())
            rows.setdefault(label, []).append(
                f"{_mean(values):.2f} (bars mixed {_mean(control):.2f}, any two bars {chance:.2f})"
            )
        pairs = [
            alike(found[film, a][1], found[film, b][1])
            for film in range(films)
            for a, b in combinations(range(1, takes + 1), 2)
        ]
        rows.setdefault("pad, arp and drum onsets of two takes", []).append(f"{_mean(pairs):.2f}")
    lines += [f"| {label} | " + " | ".join(cells) + " |" for label, cells in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
