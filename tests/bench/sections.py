"""What section columns are worth: a chord network that reads them beside one trained alike that does not.

    python tests/bench/sections.py DATA PLAIN.safetensors SECTIONS.safetensors [--songs N] [--takes N] [--json]

Teacher forced: figures when told nothing, the song's own mood, boundaries, sections, or several of them, and paired
differences.  Composing freely: films are composed with sections told A B A and, with the same draws, A B C.  In how
many slots has the third section the chord that the first had at the same place?  Means over videos with 95 % bootstrap
intervals.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import load
from models.conditioning import CONDITION_WIDTH, film_rows, section_rows
from models.decoding import DecodingOptions
from models.runtime import ChordNetwork, from_torch, single_threaded
from models.training import metrics
from models.training.composed import compose_all, film_inputs, options_at
from models.training.dataset import Labelling, MuViSync, Song
from models.training.evaluate import ARMS, SECTION_ARMS, SHOWN_LABELS, Arm, chord_rows
from models.training.labels import MoodLabels
from models.training.metrics import Estimate
from models.training.report import markdown_table

COLUMNS = {
    "hits1": "Hits@1",
    "nll": "NLL, nats",
    "hits1_changes": "Hits@1 at changes",
    "hits1_changes_open": "change foreseen and right",
}
FREE = {
    "return": "same chord at the same place of the third section",
    "other": "of the second section",
    "entropy": "chord entropy, nats",
    "changes": "changes per slot",
}
SHORTEST, LONGEST = 16, 32  # slots of a section that is told
_TOLD = {"absent": "nothing", "mood": "mood", "boundaries": "boundaries", "labels": "mood and boundaries",
         "sections": "sections", "labels and sections": "all"}  # fmt: skip
Columns = dict[str, np.ndarray]


def teacher_forced(
    networks: dict[str, AffectiveMultimodalTransformer], songs: Sequence[Song], labelling: Labelling
) -> dict[tuple[str, str], Columns]:
    """(network, what it is told) -> metric -> (videos,)."""
    arms: list[Arm] = [arm for arm in (*ARMS, *SECTION_ARMS) if not (arm.without or arm.wrong_film)]
    out = {}
    for name, model in networks.items():
        for arm in arms:
            if arm.conditions == "film" or (arm in SECTION_ARMS and not model.config.section_width):
                continue
            rows, _ = chord_rows(model, songs, smooth=True, arm=arm, labelling=labelling)
            out[name, _TOLD[arm.conditions]] = metrics.collect(rows)
    return out


def free(model: AffectiveMultimodalTransformer, songs: Sequence[Song], takes: int) -> dict[str, Columns]:
    """What is told and how strongly -> figure of FREE, its mean over takes -> (videos,)."""
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    rng = np.random.default_rng(0)
    lengths = rng.integers(SHORTEST, LONGEST + 1, (len(songs), 2))
    rows = 3 * LONGEST
    wholes = [film_inputs(song, song, smooth=True) for song in songs]
    films = [
        replace(whole, features=whole.features[:, :rows], valid=whole.valid[:, :rows], ends=False) for whole in wholes
    ]
    moods = [film_rows(song.emotion_smooth)[:rows] for song in songs]
    base = DecodingOptions(seed=1, guidance=0.0, condition_scale=1.0, stay_scale=1.0)
    strengths = {"as learned": base, "50 %": options_at(base, 0.5, True)}
    letters = {"A B A": (0, 1, 0), "A B C": (0, 1, 2)} if model.config.section_width else {}

    def composed(at: DecodingOptions, told: tuple[int, ...] | None, with_mood: bool) -> Columns:
        shown = None
        if told is not None or with_mood:
            shown = []
            for (first, second), mood in zip(lengths, moods, strict=True):
                columns = mood if with_mood else np.zeros((rows, CONDITION_WIDTH), dtype=np.float32)
                if told is not None:
                    places = [int(start) for start in np.cumsum([0, first, second])]
                    form = section_rows(rows, list(zip(places, told, strict=True)))
                    columns = np.concatenate([columns, form], axis=1)
                shown.append(columns)
        found = []
        for take in range(takes):
            options = [replace(at, seed=at.seed + 10_000 * take + k) for k in range(len(songs))]
            pieces = zip(compose_all(network, films, options, shown), lengths, strict=True)
            found.append(metrics.collect([judged(np.array(ids), *two) for ids, two in pieces]))
        return {name: np.mean([of[name] for of in found], axis=0) for name in FREE}

    out = {"nothing": composed(base, None, False)}
    for strength, at in strengths.items():
        out |= {f"{told}, {strength}": composed(at, form, False) for told, form in letters.items()}
    at = strengths["50 %"]
    out["the film's mood, 50 %"] = composed(at, None, True)
    out |= {f"{told} and the film's mood, 50 %": composed(at, form, True) for told, form in letters.items()}
    return out


def judged(ids: np.ndarray, first: int, second: int) -> dict[str, float]:
    """Figures of FREE of one piece, its first sections so long and the third as long as the first."""
    ids = ids[: 2 * first + second]
    one, two, three = np.split(ids, [first, first + second])
    shared = min(first, second)
    return {
        "return": float((three == one).mean()),
        "other": float((two[:shared] == one[:shared]).mean()),
        "entropy": metrics.chord_entropy(ids),
        "changes": metrics.change_rate(ids),
    }


def differences(of: Columns, to: Columns) -> dict[str, Estimate]:
    """Paired by video, for what both have."""
    return {name: metrics.paired(of[name], to[name]) for name in of if name in to}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("plain", type=Path)
    parser.add_argument("sections", type=Path)
    parser.add_argument("--split", default="val", choices=("train", "val", "test"))
    parser.add_argument("--songs", type=int, help="only the first of the split")
    parser.add_argument("--takes", type=int, default=1, help="of each film, composed freely")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = MuViSync(options.data)
    songs = data.split(options.split)[: options.songs]
    labels = MoodLabels([(song.chords, song.minor) for song in data.split("train")])
    networks: dict[str, AffectiveMultimodalTransformer] = {}
    for name in ("plain", "sections"):
        model = load(getattr(options, name))
        assert isinstance(model, AffectiveMultimodalTransformer)
        networks[name] = model
    told = teacher_forced(networks, songs, Labelling(labels, SHOWN_LABELS))
    paired = {
        f"sections − plain, told {what}": differences(told["sections", what], told["plain", what])
        for name, what in told
        if name == "plain"
    }
    paired["sections: sections − nothing"] = differences(told["sections", "sections"], told["sections", "nothing"])
    paired["sections: sections − boundaries"] = differences(
        told["sections", "sections"], told["sections", "boundaries"]
    )
    paired["sections: all − mood and boundaries"] = differences(
        told["sections", "all"], told["sections", "mood and boundaries"]
    )
    with single_threaded():
        composed = {
            (name, what): rows for name in networks for what, rows in free(networks[name], songs, options.takes).items()
        }
    asked = [what for name, what in composed if name == "sections" and what.startswith("A B A")]
    rises = {
        f"{what} − the same with A B C": differences(
            composed["sections", what], composed["sections", what.replace("A B A", "A B C")]
        )
        for what in asked
    }
    rises |= {
        f"{what} − plain": differences(
            composed["sections", what], composed["plain", "the film's mood, 50 %" if "mood" in what else "nothing"]
        )
        for what in asked
    }
    tables = {
        "teacher forced": {", told ".join(key): _estimates(row) for key, row in told.items()},
        "teacher forced, paired": paired,
        "free": {", told ".join(key): _estimates(row) for key, row in composed.items()},
        "free, paired": rises,
    }
    if options.json:
        plain = {
            table: {row: {name: asdict(value) for name, value in columns.items()} for row, columns in rows.items()}
            for table, rows in tables.items()
        }
        print(json.dumps(plain))
        return 0
    print(f"{len(songs)} videos of the {options.split} split")
    for title, rows in tables.items():
        print(f"\n## {title}\n\n{markdown_table(rows, FREE if title.startswith('free') else COLUMNS)}")
    return 0


def _estimates(columns: Columns) -> dict[str, Estimate]:
    return {name: metrics.summarise(values) for name, values in columns.items()}


if __name__ == "__main__":
    sys.exit(main())
