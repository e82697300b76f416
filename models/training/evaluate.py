"""One evaluation with all rows: networks, baselines and what was published, on the paper's split and protocol.

Chord rows: Hits@1/3/5, NLL, the same at chord changes, matching loss (paper 5.3.1), teacher forced.  Dynamics rows:
RMSE in the paper's way (300 rows, those after the end are 0 in both) and over real frames, Pearson per video.  Every
figure is a mean over videos with a 95 % bootstrap interval; differences are paired.  The *another film* arm shows each
song the features of another video of the split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import torch

from models.amt import AffectiveMultimodalTransformer
from models.baselines import Tables
from models.checkpoint import load_default
from models.conditioning import CONDITION_WIDTH, film_rows
from models.errors import ModelError
from models.film import MOTION_COLUMN, SCENE_COLUMN
from models.regressor import DynamicsRegressor
from models.runtime import single_threaded
from models.training import metrics
from models.training.composed import ComposedChords, compose_for
from models.training.dataset import Batch, Labelling, MuViSync, Song, Split, chord_steps, make_batch
from models.training.labels import MoodLabels
from models.training.metrics import Estimate
from models.training.train import Network, run_network, to_device
from models.training.variation import LabelVariation

# Paper Table 4 (chords) and Table 2 (dynamics).
PUBLISHED_CHORDS: Final[dict[str, dict[str, float]]] = {
    "published Transformer": {"hits1": 0.4789, "hits3": 0.7117, "hits5": 0.8204, "matching_loss": 1.8366},
    "published Music Transformer": {"hits1": 0.4965, "hits3": 0.7303, "hits5": 0.8323, "matching_loss": 1.8795},
    "published AMT without emotion loss": {
        "hits1": 0.5142,
        "hits3": 0.7585,
        "hits5": 0.8660,
        "matching_loss": 1.6859,
    },
    "published AMT": {"hits1": 0.5139, "hits3": 0.7722, "hits5": 0.8672, "matching_loss": 0.4662},
}
PUBLISHED_DYNAMICS: Final[dict[str, dict[str, float]]] = {
    "published FC": {"density_rmse_paper": 4.7314, "loudness_rmse_paper": 0.0877},
    "published LSTM": {"density_rmse_paper": 4.6247, "loudness_rmse_paper": 0.0892},
    "published BiLSTM": {"density_rmse_paper": 4.5337, "loudness_rmse_paper": 0.0882},
    "published GRU": {"density_rmse_paper": 4.6030, "loudness_rmse_paper": 0.0888},
    "published BiGRU": {"density_rmse_paper": 4.5030, "loudness_rmse_paper": 0.0876},
}
REFERENCE_ROW: Final = "adaptive bigram"
ORACLE_WINDOW: Final = 31  # seconds
SHOWN_LABELS: Final = LabelVariation(drop_all=0.0, drop_mood=0.0, drop_boundaries=0.0)
LABELS_SHOWN: Final = {
    "labels": SHOWN_LABELS,
    "boundaries": replace(SHOWN_LABELS, drop_mood=1.0),
    "mood": replace(SHOWN_LABELS, drop_boundaries=1.0),
    "sections": replace(SHOWN_LABELS, drop_mood=1.0, drop_boundaries=1.0, drop_sections=0.0),
    "labels and sections": replace(SHOWN_LABELS, drop_sections=0.0),
}
_TARGETS: Final = ("density", "loudness")


@dataclass(frozen=True, slots=True)
class Arm:
    """How a network is shown the film: what is hidden, whether it is another video's.

    conditions: what stands in the slot-aligned conditions: nothing, the film's mood, or the song's own inverse labels
        (mood and boundaries, its boundaries alone, its mood alone, its sections alone, all three).
    chords: what a regressor reads that reads chords: what was composed for the film, the song's own, or nothing.
    """

    name: str
    without: frozenset[str] = frozenset()
    wrong_film: bool = False
    conditions: Literal["absent", "film", "labels", "boundaries", "mood", "sections", "labels and sections"] = "absent"
    chords: Literal["composed", "true", "absent"] = "composed"


ALL: Final = frozenset({"semantic", "emotion", "cuts and motion"})
ARMS: Final = (
    Arm(""),
    Arm("without semantics", frozenset({"semantic"})),
    Arm("without semantics and emotion", frozenset({"semantic", "emotion"})),
    Arm("film absent", ALL),
    Arm("another film", wrong_film=True),
    Arm("obeying its film", conditions="film"),
    Arm("told what its own chords state", conditions="labels"),
    Arm("told its own boundaries alone", conditions="boundaries"),
    Arm("told its own chords' mood alone", conditions="mood"),
)
SECTION_ARMS: Final = (  # of networks that read the section of the form, besides
    Arm("told its own sections alone", conditions="sections"),
    Arm("told mood, boundaries and sections", conditions="labels and sections"),
)
READING_ARMS: Final = (  # of regressors that read chords, besides
    Arm("picture only", chords="absent"),
    Arm("picture and true chords", chords="true"),
    Arm("composed chords only", ALL),
    Arm("true chords only", ALL, chords="true"),
)
# One recording stands in two splits (loudness r .979 at a lag of 7 s): its row is left out in a second figure.
DUPLICATES: Final[dict[str, str]] = {"573": "712"}  # test: training
EDGE_S: Final = 20  # fades: `…_inner` correlations leave out so much at both ends


@dataclass(slots=True)
class Table:
    """Rows of per-video metrics: row -> metric -> (videos,)."""

    rows: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    def add(self, name: str, per_video: Sequence[Mapping[str, float]]) -> None:
        self.rows[name] = metrics.collect(per_video)

    def estimates(self) -> dict[str, dict[str, Estimate]]:
        """Mean and interval of every row's metrics."""
        return {
            row: {name: metrics.summarise(values) for name, values in columns.items()}
            for row, columns in self.rows.items()
        }

    def differences(self, reference: str) -> dict[str, dict[str, Estimate]]:
        """Every row minus the reference row, paired by video, for the metrics that both have."""
        base = self.rows[reference]
        return {
            row: {name: metrics.paired(values, base[name]) for name, values in columns.items() if name in base}
            for row, columns in self.rows.items()
            if row != reference
            and all(len(values) == len(base[name]) for name, values in columns.items() if name in base)
        }


def wrong_films(songs: Sequence[Song]) -> list[Song]:
    """Another video for each song: the list turned by half its length (nobody keeps its own)."""
    turn = max(1, len(songs) // 2)
    return [songs[(k + turn) % len(songs)] for k in range(len(songs))]


# --- chords ---------------------------------------------------------------------------------------------------------


@torch.no_grad()
def chord_rows(
    model: AffectiveMultimodalTransformer,
    songs: Sequence[Song],
    *,
    smooth: bool,
    arm: Arm,
    labelling: Labelling | None = None,
) -> tuple[list[dict[str, float]], list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Per-video metrics, and (predicted, truth, emotion) of each video's targets for confusion matrices."""
    films = wrong_films(songs) if arm.wrong_film else songs
    out, predictions = [], []
    for start in range(0, len(songs), 8):
        part = slice(start, start + 8)
        batch = to_device(_shown(songs[part], films[part], smooth, arm, labelling), _device_of(model))
        logits = run_network(model, batch).cpu()
        log_probs = torch.log_softmax(logits, -1).double().numpy()
        for k, song in enumerate(songs[part]):
            inputs, targets = chord_steps(song.chords)
            steps = len(targets)
            row = metrics.chord_metrics(log_probs[k, :steps], inputs, targets)
            own = song.emotion.argmax(axis=1)  # the loss and the agreement are always about the song's own film
            emotion = np.append(own[1:], own[-1])[:steps]
            row["matching_loss"] = metrics.matching_loss(logits[k, :steps].double().numpy(), targets, emotion)
            out.append(row)
            predictions.append((log_probs[k, :steps].argmax(-1), targets, emotion))
    return out, predictions


def _device_of(model: Network) -> str:
    return str(next(model.parameters()).device)


def _shown(
    songs: Sequence[Song],
    films: Sequence[Song],
    smooth: bool,
    arm: Arm,
    labelling: Labelling | None = None,
    read_chords: Sequence[np.ndarray | None] | None = None,
) -> Batch:
    """The batch as an arm shows it.  Raises ValueError where inverse labels are wanted and there is no labelling."""
    if arm.conditions in LABELS_SHOWN:
        if labelling is None:
            raise ValueError("inverse labels need a labelling")
        labelling = replace(labelling, variation=LABELS_SHOWN[arm.conditions])
        rng = np.random.default_rng(len(songs))
        return make_batch(songs, films=films, smooth=smooth, without=arm.without, labelling=labelling, rng=rng)
    batch = make_batch(songs, films=films, smooth=smooth, without=arm.without, read_chords=read_chords)
    if "cuts and motion" in arm.without:
        batch.features[:, :, SCENE_COLUMN : MOTION_COLUMN + 1] = 0
    if arm.conditions == "film":
        for k, (song, film) in enumerate(zip(songs, films, strict=True)):
            emotion = film.emotion_smooth[np.arange(song.length) % film.length]
            batch.conditions[k, : song.length, :CONDITION_WIDTH] = torch.from_numpy(film_rows(emotion))
    return batch


def baseline_rows(tables: Tables, songs: Sequence[Song]) -> dict[str, list[dict[str, float]]]:
    """Per-video metrics of the predictors without a network."""
    predictors: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "repeat last": tables.repeat_last,
        "unigram": tables.predict_unigram,
        "bigram": tables.predict_bigram,
        REFERENCE_ROW: tables.predict_adaptive,
    }
    out: dict[str, list[dict[str, float]]] = {}
    for name, predict in predictors.items():
        out[name] = []
        for song in songs:
            inputs, targets = chord_steps(song.chords)
            out[name].append(metrics.chord_metrics(predict(inputs), inputs, targets))
    return out


# --- dynamics -------------------------------------------------------------------------------------------------------


def dynamics_metrics(predicted: np.ndarray, song: Song) -> dict[str, float]:
    """One video: predicted (T, 2) -> errors and correlations; density then loudness."""
    truth = _truth(song)
    out: dict[str, float] = {}
    for column, name in enumerate(_TARGETS):
        p, t = predicted[:, column].astype(np.float64), truth[:, column].astype(np.float64)
        out[f"{name}_rmse_paper"] = metrics.rmse_padded(p, t)
        out[f"{name}_rmse"] = metrics.rmse(p, t)
        out[f"{name}_pearson"] = metrics.pearson(p, t)
        out[f"{name}_motion"] = metrics.pearson(p, song.motion)
        inner = slice(EDGE_S, song.length - EDGE_S)
        out[f"{name}_inner"] = metrics.pearson(p[inner], t[inner]) if song.length > 3 * EDGE_S else float("nan")
    return out


@torch.no_grad()
def predict_dynamics(
    model: DynamicsRegressor, songs: Sequence[Song], *, smooth: bool, arm: Arm, composed: ComposedChords | None = None
) -> list[np.ndarray]:
    """(T, 2) for each song; nothing is predicted after its end.  composed: for networks and arms that read such chords.

    Raises ValueError where they are needed and not there.
    """
    films = wrong_films(songs) if arm.wrong_film else songs
    out = []
    for start in range(0, len(songs), 16):
        part = slice(start, start + 16)
        read: list[np.ndarray | None] = [None] * len(songs[part])
        if model.config.chord_width and arm.chords == "true":
            read = [song.chords for song in songs[part]]
        elif model.config.chord_width and arm.chords == "composed":
            if composed is None:
                raise ValueError("composed chords are needed")
            read = [composed.of(song, "film") for song in songs[part]]
        shown = _shown(songs[part], films[part], smooth, arm, read_chords=read)
        batch = to_device(shown, _device_of(model))
        rows = run_network(model, batch).cpu().numpy()
        out += [rows[k, : song.length] for k, song in enumerate(songs[part])]
    return out


def dynamics_baselines(training: Sequence[Song], songs: Sequence[Song]) -> dict[str, list[np.ndarray]]:
    """The training mean everywhere, and each video's own mean (an oracle: it knows the answer's level)."""
    mean = np.concatenate([_truth(song) for song in training]).mean(axis=0)
    return {
        "position only": position_only(training, songs),
        "training mean": [np.tile(mean, (song.length, 1)) for song in songs],
        "oracle: own mean": [np.tile(_truth(song).mean(axis=0), (song.length, 1)) for song in songs],
        f"oracle: own means over {ORACLE_WINDOW} s": [_moving_mean(_truth(song), ORACLE_WINDOW) for song in songs],
    }


def position_only(training: Sequence[Song], songs: Sequence[Song]) -> list[np.ndarray]:
    """(T, 2) per song from nothing but the seconds since its beginning and to its end: ridge on steps of both."""

    def steps(length: int) -> np.ndarray:
        at = np.arange(length)
        edges = np.concatenate([np.arange(1, 31), np.arange(40, 300, 20)])
        rows = [np.ones((length, 1))]
        rows += [(side[:, None] >= edges[None]).astype(float) for side in (at, at[::-1])]
        return np.concatenate(rows, axis=1)

    design = np.concatenate([steps(song.length) for song in training])
    truth = np.concatenate([_truth(song) for song in training]).astype(np.float64)
    square = design.T @ design + 200.0 * np.eye(design.shape[1])
    weights = np.linalg.solve(square, design.T @ truth)
    return [steps(song.length) @ weights for song in songs]


def _truth(song: Song) -> np.ndarray:
    """(T, 2) density and loudness."""
    return np.stack([song.density, song.loudness], -1)


def _moving_mean(rows: np.ndarray, window: int) -> np.ndarray:
    """Centred mean over `window` rows, the edges' values repeated beyond them."""
    padded = np.pad(rows.astype(np.float64), ((window // 2, window // 2), (0, 0)), mode="edge")
    return np.stack([padded[k : k + len(rows)] for k in range(window)]).mean(axis=0)


def with_own_mean(predicted: np.ndarray, song: Song) -> np.ndarray:
    """A prediction (T, 2) moved to the song's true means: an estimate of what better levels could still bring."""
    return predicted - predicted.mean(axis=0) + _truth(song).mean(axis=0)


# --- all together ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Result:
    """What an evaluation found, ready to be printed, written or put into a card."""

    split: str
    videos: int
    chords: Table = field(default_factory=Table)
    dynamics: Table = field(default_factory=Table)
    histograms: dict[str, list[float]] = field(default_factory=dict)
    confusions: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    free: dict[str, dict[str, dict[str, Estimate]]] = field(default_factory=dict)  # of models.training.freerun
    course: dict[str, dict[str, Estimate]] = field(default_factory=dict)  # of models.training.course
    moods: dict[str, np.ndarray] = field(default_factory=dict)  # (5, 5) asked for, named

    def to_json(self) -> dict[str, Any]:
        """Plain data: estimates, paired differences, published rows."""
        out: dict[str, Any] = {"split": self.split, "videos": self.videos}
        if self.chords.rows:
            out["chords"] = _plain(self.chords.estimates())
            out[f"chords minus {REFERENCE_ROW}"] = _plain(self.chords.differences(REFERENCE_ROW))
            out["published chords"] = PUBLISHED_CHORDS
            out["film gap of chords"] = _plain(film_gaps(self.chords))
        if self.dynamics.rows:
            out["dynamics"] = _plain(self.dynamics.estimates())
            out["dynamics minus training mean"] = _plain(self.dynamics.differences("training mean"))
            out["published dynamics"] = PUBLISHED_DYNAMICS
            out["film gap of dynamics"] = _plain(film_gaps(self.dynamics))
            out["density levels"] = self.histograms
        for name, rows in self.free.items():
            out[f"free running, {name}"] = _plain(rows)
        for name, row in self.course.items():
            out[f"mood course, {name}"] = _plain({"": row})[""]
            out[f"moods named, {name}"] = self.moods[name].round(3).tolist()
        return out

    def rows_of(self, name: str) -> dict[str, Any]:
        """What a network's card says: its own rows and arms, and the rows it is compared with."""
        table = self.chords if name in self.chords.rows else self.dynamics
        others = ("repeat last", "unigram", "bigram", REFERENCE_ROW, "position only", "training mean")
        oracles = [
            k for k in table.rows if k.startswith("oracle") and (" shape of " not in k or k.endswith(f" {name}"))
        ]
        shown = {k: v for k, v in table.estimates().items() if k.split(",")[0] == name or k in (*others, *oracles)}
        reference = REFERENCE_ROW if table is self.chords else "training mean"
        differences = {k: v for k, v in table.differences(reference).items() if k == name}
        out: dict[str, Any] = {"videos": self.videos, "rows": _plain(shown)}
        out[f"minus {reference}"] = _plain(differences)
        gaps = {k: v for k, v in film_gaps(table).items() if k == name}
        out["own film minus another film"] = _plain(gaps)
        if name in self.free:
            out["free running"] = _plain(self.free[name])
        if name in self.course:
            out["mood course"] = _plain({"": self.course[name]})[""]
            out["moods named"] = self.moods[name].round(3).tolist()
        return out


def _plain(rows: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Any]:
    return {row: {name: asdict(value) for name, value in columns.items()} for row, columns in rows.items()}


def film_gaps(table: Table) -> dict[str, dict[str, Estimate]]:
    """Own film minus another film for every network row that has both arms."""
    out = {}
    for row, columns in table.rows.items():
        wrong = table.rows.get(f"{row}, another film")
        if wrong is not None:
            out[row] = {name: metrics.paired(values, wrong[name]) for name, values in columns.items()}
    return out


def _arms_of(model: Network) -> tuple[Arm, ...]:
    """The rows that a network has: more where it reads chords or sections."""
    if isinstance(model, DynamicsRegressor):
        return (*ARMS, *READING_ARMS) if model.config.chord_width else ARMS
    return (*ARMS, *SECTION_ARMS) if model.config.section_width else ARMS


def evaluate(
    networks: Mapping[str, tuple[Network, bool]],
    data: MuViSync,
    split: Split = "test",
    *,
    songs: Sequence[Song] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Result:
    """Evaluates networks (name -> network, whether it is fed smoothed emotion) and every baseline on a split.

    songs: in place of the split (a slice for tests).  Networks are used in eval mode, where they are.

    Raises ModelError where there are no songs.
    """
    chosen = data.split(split) if songs is None else list(songs)
    training = data.split("train")
    if not chosen or not training:
        raise ModelError(f"There is too little to evaluate with: {data.sizes} pieces to train/val/test.")
    result = Result(split=split, videos=len(chosen))
    labelling = Labelling(MoodLabels([(song.chords, song.minor) for song in training]), SHOWN_LABELS)
    unique = np.array([song.id not in DUPLICATES for song in chosen])
    say = progress or (lambda _text: None)
    kinds = [model for model, _ in networks.values()]
    if any(isinstance(model, AffectiveMultimodalTransformer) for model in kinds):
        say("baselines")
        tables = Tables([chord_steps(song.chords) for song in training])
        for name, rows in baseline_rows(tables, chosen).items():
            result.chords.add(name, rows)
    if any(isinstance(model, DynamicsRegressor) for model in kinds):
        for name, predicted in dynamics_baselines(training, chosen).items():
            result.dynamics.add(name, [dynamics_metrics(p, s) for p, s in zip(predicted, chosen, strict=True)])
        result.histograms["truth"] = _mean_histogram([song.density for song in chosen])
    composed = None
    if any(isinstance(model, DynamicsRegressor) and model.config.chord_width for model in kinds):
        say("composing chords for the regressor to read")
        with single_threaded():
            composed = compose_for(load_default("amt"), chosen)
    for name, (model, smooth) in networks.items():
        for arm in _arms_of(model):
            row = f"{name}, {arm.name}" if arm.name else name
            say(row)
            if isinstance(model, AffectiveMultimodalTransformer):
                if arm.name and not model.config.see:
                    continue
                if arm.without and not model.config.scaled:
                    continue  # the published kind has no flags for what is missing
                if arm.conditions != "absent" and not model.config.condition_width:
                    continue
                rows, predictions = chord_rows(model.eval(), chosen, smooth=smooth, arm=arm, labelling=labelling)
                result.chords.add(row, rows)
                if not arm.name:
                    _add_unique(result.chords, name, rows, unique)
                    result.confusions[name] = _confusions(predictions)
            else:
                if (arm.without and not model.config.scaled) or arm.conditions != "absent":
                    continue
                found = predict_dynamics(model.eval(), chosen, smooth=smooth, arm=arm, composed=composed)
                rows = [dynamics_metrics(p, s) for p, s in zip(found, chosen, strict=True)]
                result.dynamics.add(row, rows)
                if not arm.name:
                    _add_unique(result.dynamics, name, rows, unique)
                    _add_variants(result, name, model, found, chosen)
    return result


def _add_unique(table: Table, name: str, rows: Sequence[Mapping[str, float]], unique: np.ndarray) -> None:
    """A second row without the recording that is in training, too, where it is among the songs."""
    if not unique.all():
        kept = [each for each, only_here in zip(rows, unique, strict=True) if only_here]
        table.add(f"{name}, without the song that is in training too", kept)


def _add_variants(
    result: Result, name: str, model: DynamicsRegressor, found: Sequence[np.ndarray], songs: Sequence[Song]
) -> None:
    """Rows of what can be made of a regressor's predictions: with the true means, and spread to the data's values."""
    made = {f"oracle: own mean, shape of {name}": [with_own_mean(p, s) for p, s in zip(found, songs, strict=True)]}
    result.histograms[name] = _mean_histogram([p[:, 0] for p in found])
    if model.config.levels:
        spread = [np.stack(model.spread(p[:, 0], p[:, 1]), axis=-1) for p in found]
        made[f"{name}, spread"] = spread
        result.histograms[f"{name}, spread"] = _mean_histogram([p[:, 0] for p in spread])
    for row, predicted in made.items():
        result.dynamics.add(row, [dynamics_metrics(p, s) for p, s in zip(predicted, songs, strict=True)])


def slice_figures(model: Network, songs: Sequence[Song], *, smooth: bool) -> dict[str, Any]:
    """Means over a few songs, with all seen and with parts hidden: for a card and the test that holds it to them."""
    out: dict[str, Any] = {"songs": [song.id for song in songs]}
    for arm in ARMS[:3]:
        if isinstance(model, AffectiveMultimodalTransformer):
            rows, _ = chord_rows(model, songs, smooth=smooth, arm=arm)
            shown = ("hits1", "hits3", "hits5", "nll")
        else:
            found = predict_dynamics(model, songs, smooth=smooth, arm=replace(arm, chords="true"))
            rows = [dynamics_metrics(p, song) for p, song in zip(found, songs, strict=True)]
            shown = ("density_rmse", "loudness_rmse", "density_pearson", "loudness_pearson")
        out[arm.name or "all features"] = {k: round(float(np.mean([row[k] for row in rows])), 4) for k in shown}
    return out


def _mean_histogram(densities: Sequence[np.ndarray]) -> list[float]:
    return np.mean([metrics.density_histogram(density) for density in densities], axis=0).round(4).tolist()


def _confusions(predictions: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    predicted = np.concatenate([p for p, _, _ in predictions])
    truth = np.concatenate([t for _, t, _ in predictions])
    emotion = np.concatenate([e for _, _, e in predictions])
    real = truth != metrics.CHORD_PAD
    predicted, truth, emotion = predicted[real], truth[real], emotion[real]
    out = {kind: metrics.confusion(predicted, truth, kind) for kind in ("chord", "root", "quality")}
    out["affect"] = metrics.affect_confusion(predicted, emotion)
    return out
