"""Training: one loop for every system; resumable after a kill, on a CPU with one thread the same to the bit.

A run lives in a folder: `state.pt` (everything needed to go on), `log.csv` (one line per report), `curves.png` where
matplotlib is there, `best.safetensors` (the averaged weights with the best validation figure).  Each step's songs and
variations are drawn from (seed, step), so a resumed run does what an uninterrupted one does.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.music.chord import CHORD_PAD
from engine.music.errors import shown
from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import build, load, load_default
from models.config import FARTHEST
from models.errors import ModelError
from models.files import sha256, written
from models.film import EMOTION_COLUMNS, SEMANTIC_WIDTH
from models.regressor import POOLED, QUANTILES, DynamicsRegressor, pooled
from models.runtime import single_threaded
from models.training import losses
from models.training.composed import ComposedChords, chords_to_read, compose_for
from models.training.dataset import Batch, Labelling, MuViSync, Song, make_batch
from models.training.labels import MoodLabels
from models.training.parallel import Team, team
from models.training.systems import Recipe, System

Network = AffectiveMultimodalTransformer | DynamicsRegressor
RIDGE = 6000.0  # of a regressor's levels, for 597 films; chosen on the validation split
_KERNELS = ("table", ".distance", ".slope")  # ends of the names of recall's and echo's kernels
COLUMNS = ("step", "seconds", "learning_rate", "train_loss", "val_loss", "val_hits1", "val_loss_conditioned")


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """seed; folder of the run; validation every `report` steps; device "cpu" or "cuda"; `steps` for the recipe's."""

    folder: Path
    seed: int = 0
    report: int = 75
    device: str = "cpu"
    steps: int | None = None
    until: int | None = None  # stop here, to go on later
    learning_rate: float | None = None  # the highest, in place of the recipe's
    warmup: int | None = None  # steps, in place of the recipe's
    mixed: bool = False  # matrix products in bfloat16 even where the recipe has them in 32 bits
    quality_weight: float | None = None  # of the emotion matching loss on probabilities, in place of the recipe's
    excerpt: int | None = None  # slots of a passage, in place of the recipe's; 0 = whole songs
    start_from: Path | None = None  # weights file to start from; tensors it lacks keep their initial values


def to_device(batch: Batch, device: str) -> Batch:
    """The batch with every tensor on the device."""
    return Batch(*(getattr(batch, name).to(device) for name in Batch.__slots__))


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Linear rise over recipe.warmup steps, then a half cosine to 0 at `steps`."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, steps - recipe.warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def song_order(count: int, batch: int, seed: int, step: int) -> np.ndarray:
    """Indices of the songs of one step: every epoch is a fresh permutation drawn from (seed, epoch)."""
    per_epoch = max(1, count // batch)
    epoch, place = divmod(step, per_epoch)
    order = np.random.default_rng([seed, 1, epoch]).permutation(count)
    return order[place * batch : (place + 1) * batch]


def run_network(model: Network, batch: Batch) -> torch.Tensor:
    """Logits (B, T, 159) of a chord model, (B, S, 2) of a regressor."""
    if isinstance(model, AffectiveMultimodalTransformer):
        return model(
            batch.features,
            batch.inputs,
            batch.minor,
            valid=batch.valid,
            semantic_present=batch.semantic_present,
            emotion_present=batch.emotion_present,
            ends=batch.ends,
            conditions=batch.conditions if model.conditioning is not None else None,
        )
    known = model.config.chord_width > 0 and bool((batch.read_chords != CHORD_PAD).any())
    chords = batch.read_chords if known else None
    return model(batch.features, batch.valid, batch.semantic_present, batch.emotion_present, chords, batch.minor)


def loss_of(model: Network, batch: Batch, recipe: Recipe) -> torch.Tensor:
    """The training loss of one batch, see Recipe."""
    out = run_network(model, batch)
    if isinstance(model, AffectiveMultimodalTransformer):
        total = losses.chord_loss(out, batch.targets, recipe.label_smoothing) * (1 - recipe.emotion_weight)
        real = batch.targets != CHORD_PAD
        if recipe.emotion_weight:
            total = total + recipe.emotion_weight * losses.emotion_loss(out[real], batch.emotion_next[real])
        if recipe.quality_weight:
            total = total + recipe.quality_weight * losses.quality_loss(out[real], batch.emotion_next[real])
        return total
    truth = batch.dynamics
    if model.config.scaled:
        out = (out - model.target_mean) / model.target_scale
        truth = (truth - model.target_mean) / model.target_scale
    total = losses.masked_mse(out, truth, batch.valid)
    if recipe.correlation_weight:
        total = total + recipe.correlation_weight * losses.correlation_loss(out, truth, batch.valid)
    return total


@torch.no_grad()
def validate(
    model: Network,
    songs: list[Song],
    recipe: Recipe,
    device: str,
    labelling: Labelling | None = None,
    composed: ComposedChords | None = None,
) -> tuple[float, float]:
    """Validation loss and Hits@1 (chords; NaN for regressors).  Chords: mean over videos of their mean NLL in nats.

    labelling: the songs' own inverse labels are shown, the same ones every time; None leaves the conditions absent.
    composed: regressors read what was composed for the songs' films instead of the songs' own chords.
    """
    model.eval()
    total, hits, count = 0.0, 0.0, 0
    for start in range(0, len(songs), 8):
        part, rng = songs[start : start + 8], np.random.default_rng([0, 3, start])
        read = None if composed is None else [composed.of(song, "film") for song in part]
        made = make_batch(part, smooth=recipe.smooth_emotion, labelling=labelling, rng=rng, read_chords=read)
        batch = to_device(made, device)
        out = run_network(model, batch)
        if isinstance(model, AffectiveMultimodalTransformer):
            real = batch.targets != CHORD_PAD
            picked = torch.log_softmax(out, -1).gather(-1, batch.targets[..., None])[..., 0]
            total += float((-(picked * real).sum(1) / real.sum(1)).sum())
            right = (out.argmax(-1) == batch.targets) & real
            hits += float((right.sum(1) / real.sum(1)).sum())
        else:
            spread = torch.tensor([5.0, 0.1], device=device)  # brings both errors to like size
            error = ((out - batch.dynamics) / spread) ** 2 * batch.valid[..., None]
            per_song = torch.sqrt(error.sum(1) / batch.valid.sum(1)[:, None]).sum(-1)
            total, hits = total + float(per_song.sum()), math.nan
        count += len(batch.minor)
    model.train()
    return total / count, hits / count


def labelling_of(songs: list[Song], recipe: Recipe) -> Labelling | None:
    """The inverse labels of a recipe, fitted on the training songs."""
    if recipe.labels is None:
        return None
    return Labelling(MoodLabels([(song.chords, song.minor) for song in songs]), recipe.labels)


def composed_of(data: MuViSync, recipe: Recipe, options: TrainOptions, processes: Team) -> ComposedChords | None:
    """What the shipped chord network composes for the songs of training and validation, kept in the run's folder.

    None for recipes that read no chords.
    """
    if recipe.chords is None:
        return None
    kept = options.folder / "composed.npz"
    if processes.leads and not kept.exists():
        network, training, seed = load_default("amt"), data.split("train"), options.seed + 1
        resampled = compose_for(network, training, kind="resampled", seed=seed)
        with single_threaded():
            films = compose_for(network, training[:: recipe.chords.film_every] + data.split("val"), seed=seed)
        ComposedChords({**resampled.rows, **films.rows}).save(kept)
    processes.wait()
    return ComposedChords.load(kept)


def prepared_beside(prepare: Callable[[int], Batch], steps: range) -> Iterator[Batch]:
    """The batches of the steps, each prepared in a thread while the one before is computed."""
    with ThreadPoolExecutor(1, "batches") as pool:
        following: Future[Batch] | None = None
        for step in steps:
            batch = prepare(step) if following is None else following.result()
            following = pool.submit(prepare, step + 1) if step + 1 in steps else None
            yield batch


def weight_of(batch: Batch, model: Network, processes: Team) -> float:
    """This process's share of the step's targets, 1 where it is alone: losses are means over targets."""
    if processes.size == 1:
        return 1.0
    chords = isinstance(model, AffectiveMultimodalTransformer)
    own = float((batch.targets != CHORD_PAD).sum()) if chords else float(batch.valid.sum())
    return own / processes.total(own)


def fit_targets(model: DynamicsRegressor, songs: list[Song]) -> None:
    """Fills the z-score of density and loudness from the training songs."""
    rows = _dynamics(songs)
    model.target_mean.copy_(torch.from_numpy(rows.mean(0)))
    model.target_scale.copy_(torch.from_numpy(rows.std(0)))


@torch.no_grad()
def fit_levels(model: DynamicsRegressor, songs: list[Song], smooth: bool) -> None:
    """Ridge regression of a film's mean density and loudness on its mean features, in closed form."""
    batches = [make_batch([song], smooth=smooth) for song in songs]
    rows = torch.cat([pooled(batch.features, batch.valid) for batch in batches]).double()
    truth = torch.cat([batch.dynamics.mean(dim=1) for batch in batches]).double()
    center, scale = rows.mean(0), rows.std(0, correction=0).clamp(min=1e-3)
    model.pooled_mean.copy_(center)
    model.pooled_scale.copy_(scale)
    x = ((rows - center) / scale).clamp(-FARTHEST, FARTHEST)
    mean = truth.mean(0)
    model.level_weight.zero_()
    for which in range(4):
        kept = torch.ones(POOLED, dtype=torch.bool)
        kept[:SEMANTIC_WIDTH] = not which & 1
        kept[EMOTION_COLUMNS] = not which & 2
        seen = x[:, kept]
        square = seen.T @ seen + RIDGE * torch.eye(seen.shape[1], dtype=seen.dtype)
        weight = torch.linalg.solve(square, seen.T @ (truth - mean))
        model.level_weight[which, kept] = weight.float()
        model.level_bias[which] = (mean - seen.mean(0) @ weight).float()


@torch.no_grad()
def calibrate(
    model: DynamicsRegressor,
    songs: list[Song],
    held_out: list[Song],
    smooth: bool,
    composed: ComposedChords | None = None,
) -> None:
    """What is fitted to held-out songs, since predictions for training songs are too good: the gain of the deviations
    from a song's mean (least squares; eight numbers), and the map of `spread` from predictions to the truth of the
    training songs, quantile by quantile.  Gains of a network that reads chords are fitted to composed ones.
    """
    model.eval()
    truth = [torch.from_numpy(_dynamics([song])) for song in held_out]
    deviations = torch.cat([t - t.mean(0) for t in truth])
    tables = [(model.shape_gain, _no_chords(held_out))]
    if model.config.chord_width:
        tables.append(
            (model.chord_gain, [song.chords if composed is None else composed.of(song, "film") for song in held_out])
        )
    for gains, read in tables:
        gains.fill_(1.0)
        for which, hidden in enumerate(((), ("semantic",), ("emotion",), ("semantic", "emotion"))):
            predicted = _predictions(model, held_out, smooth, frozenset(hidden), read)
            found = torch.cat([p - p.mean(0) for p in predicted])
            gains[which] = (found * deviations).sum(0) / (found**2).sum(0).clamp(min=1e-6)
    shares = np.linspace(0, 1, QUANTILES)
    predicted = _predictions(model, held_out, smooth, frozenset(), tables[-1][1])
    both = ((model.quantiles_predicted, torch.cat(predicted).numpy()), (model.quantiles_true, _dynamics(songs)))
    for table, values in both:
        table.copy_(torch.from_numpy(np.quantile(values, shares, axis=0)))


def _no_chords(songs: list[Song]) -> list[np.ndarray | None]:
    return [None] * len(songs)


def _predictions(
    model: DynamicsRegressor,
    songs: list[Song],
    smooth: bool,
    without: frozenset[str],
    read_chords: Sequence[np.ndarray | None],
) -> list[torch.Tensor]:
    return [
        run_network(model, make_batch([song], smooth=smooth, without=without, read_chords=[read]))[0]
        for song, read in zip(songs, read_chords, strict=True)
    ]


def _dynamics(songs: list[Song]) -> np.ndarray:
    """All rows of the songs, (N, 2)."""
    return np.concatenate([np.stack([song.density, song.loudness], -1) for song in songs])


def start_from(model: Network, path: Path) -> None:
    """Copies the tensors of a weights file into the network; those that the file lacks stay as they are.

    Raises ModelError where the file holds something that the network has not, or in another shape.
    """
    own, found = model.state_dict(), load(path).state_dict()
    for name, value in found.items():
        if name not in own or own[name].shape != value.shape:
            raise ModelError(f"{path} does not fit the system to be trained: {name}.")
    model.load_state_dict({**own, **found})


def train(
    system: System,
    data: MuViSync,
    options: TrainOptions,
    progress: Callable[[dict[str, float]], None] | None = None,
) -> tuple[Network, dict[str, object]]:
    """Trains (or goes on training) a system; returns the best averaged network in eval mode and a record for its card.

    Under torchrun every process has `recipe.batch` songs of each step; the first one validates, reports and saves.

    Raises ModelError where the run folder holds another system's or seed's state or cannot be written, and where the
    loss becomes no number.
    """
    with team(options.device) as processes:
        return _train(system, data, options, progress, processes)


# size: set up, a loop of steps and an end, which read best in one piece.
def _train(
    system: System,
    data: MuViSync,
    options: TrainOptions,
    progress: Callable[[dict[str, float]], None] | None,
    processes: Team,
) -> tuple[Network, dict[str, object]]:
    system = _as_asked(system, options)
    recipe = system.recipe
    steps = recipe.steps if options.steps is None else options.steps
    songs, held_out = data.split("train"), data.split("val")
    if not songs or not held_out:
        raise ModelError(f"There is too little to train on: {data.sizes} pieces to train/val/test.")
    model = _begun(system, songs, options)
    average = copy.deepcopy(model).eval()
    optimizer = torch.optim.AdamW(_groups(model, recipe), lr=recipe.learning_rate, betas=(0.9, 0.98), eps=1e-9)
    run = _Run(system, options, steps, _mark_of(data.songs))
    step = run.resume(model, average, optimizer)
    began, recent = time.monotonic(), []
    batches = _Batches(
        songs,
        recipe,
        options.seed,
        processes,
        labelling_of(songs, recipe),
        composed_of(data, recipe, options, processes),
    )
    model.train()
    last = steps if options.until is None else min(steps, options.until)
    for batch in prepared_beside(batches.of_step, range(step, last)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step, steps) * group["rate"]
        weight = weight_of(batch, model, processes)
        torch.manual_seed(options.seed * 1_000_003 + step)  # dropout is repeatable after a resume, too
        with torch.autocast(options.device, torch.bfloat16, enabled=recipe.mixed):
            loss = loss_of(model, to_device(batch, options.device), recipe)
        optimizer.zero_grad(set_to_none=True)
        (loss * weight).backward()
        processes.add_gradients(model)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        keep = min(recipe.average, (1 + step) / (10 + step))
        _average(average, model, keep)
        recent.append(processes.total(float(loss.detach()) * weight))
        if not math.isfinite(recent[-1]):
            raise _diverged(step)
        if (step % options.report == 0 or step == last) and processes.leads:
            figures = batches.validated(average, held_out, options.device)
            if not math.isfinite(figures["val_loss"]):
                raise _diverged(step)
            run.seconds += time.monotonic() - began
            began = time.monotonic()
            rate, loss_now = optimizer.param_groups[0]["lr"], float(np.mean(recent))
            row = {"step": float(step), "seconds": round(run.seconds, 1), "learning_rate": rate, "train_loss": loss_now}
            row |= figures
            recent = []
            run.report(row, model, average, optimizer)
            if progress is not None:
                progress(row)
    if not processes.leads:
        return average.eval().cpu(), {}
    network, record = run.finish(average)
    network.cpu()
    if isinstance(network, DynamicsRegressor) and network.config.levels:
        record["calibrated_val_loss"] = batches.calibrated(network, held_out)
    return network, record


def _diverged(step: int) -> ModelError:
    return ModelError(f"The loss of step {step} is no number: a lower --learning-rate may help, in a new run folder.")


def _as_asked(system: System, options: TrainOptions) -> System:
    recipe = system.recipe
    if options.learning_rate is not None:
        recipe = replace(recipe, learning_rate=options.learning_rate)
    if options.warmup is not None:
        recipe = replace(recipe, warmup=options.warmup)
    if options.quality_weight is not None:
        if system.predicts != "chords" or not 0 <= options.quality_weight < math.inf:
            raise ModelError("The weight of the emotion matching loss is a number from 0 up, and for chords only.")
        recipe = replace(recipe, quality_weight=options.quality_weight)
    if options.excerpt is not None:
        if options.excerpt < 0:
            raise ModelError("An excerpt has 1 slot or more; 0 takes whole songs.")
        recipe = replace(recipe, excerpt=options.excerpt)
    return replace(system, recipe=replace(recipe, mixed=recipe.mixed or options.mixed))


def _begun(system: System, songs: list[Song], options: TrainOptions) -> Network:
    """The network before its first step, on its device, with what is fitted at once."""
    torch.manual_seed(options.seed)
    model = build(system.network)
    if options.start_from is not None:
        start_from(model, options.start_from)
    if isinstance(model, DynamicsRegressor) and model.config.scaled:
        fit_targets(model, songs)
        if model.config.levels:
            fit_levels(model, songs, system.recipe.smooth_emotion)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(system.recipe.only))
    return model.to(options.device)


@dataclass(frozen=True, slots=True)
class _Batches:
    """This process's share of the songs of a step; the same step gives the same songs, varied in the same way."""

    songs: list[Song]
    recipe: Recipe
    seed: int
    processes: Team
    labelling: Labelling | None
    composed: ComposedChords | None

    def of_step(self, at: int) -> Batch:
        """The batch of step `at`, counted from 0."""
        songs, recipe = self.songs, self.recipe
        order = song_order(len(songs), recipe.batch * self.processes.size, self.seed, at)
        share = slice(self.processes.rank * recipe.batch, (self.processes.rank + 1) * recipe.batch)
        chosen = [songs[i] for i in order[share]]
        places = range(len(order))[share]
        read = None
        if self.composed is not None and recipe.chords is not None:
            read = [
                chords_to_read(song, recipe.chords, self.composed, np.random.default_rng([self.seed, 4, at, place]))
                for song, place in zip(chosen, places, strict=True)
            ]
        return make_batch(
            chosen,
            smooth=recipe.smooth_emotion,
            variation=recipe.variation,
            rng=[np.random.default_rng([self.seed, 2, at, place]) for place in places],
            labelling=self.labelling,
            excerpt=recipe.excerpt,
            pool=songs,
            read_chords=read,
        )

    def calibrated(self, network: DynamicsRegressor, held_out: list[Song]) -> float:
        """Calibrates a trained regressor; its loss on songs held out afterwards."""
        calibrate(network, self.songs, held_out, self.recipe.smooth_emotion, self.composed)
        loss = validate(network, held_out, self.recipe, "cpu", composed=self.composed)[0]
        network.eval()
        return loss

    def validated(self, average: Network, held_out: list[Song], device: str) -> dict[str, float]:
        """The columns of a report that are measured on songs held out; leaves the network in eval mode."""
        loss, hits = validate(average, held_out, self.recipe, device, composed=self.composed)
        conditioned = math.nan
        if self.labelling is not None or self.composed is not None:
            conditioned = validate(average, held_out, self.recipe, device, self.labelling)[0]
        average.eval()
        return {"val_loss": loss, "val_hits1": hits, "val_loss_conditioned": conditioned}


def _groups(model: nn.Module, recipe: Recipe) -> list[dict[str, object]]:
    """No weight decay on vectors (biases, norms) nor on kernels, tables of logits that have a rate of their own."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    kernels = [p for name, p in named if name.endswith(_KERNELS)]
    plain = [p for name, p in named if p.dim() < 2 and not name.endswith(_KERNELS)]
    decayed = [p for name, p in named if p.dim() >= 2 and not name.endswith(_KERNELS)]
    groups: list[dict[str, object]] = [
        {"params": decayed, "weight_decay": recipe.weight_decay, "rate": 1.0},
        {"params": plain, "weight_decay": 0.0, "rate": 1.0},
        {"params": kernels, "weight_decay": 0.0, "rate": recipe.kernel_rate},
    ]
    return [group for group in groups if group["params"]]


@torch.no_grad()
def _average(average: nn.Module, model: nn.Module, keep: float) -> None:
    for mean, value in zip(average.parameters(), model.parameters(), strict=True):
        if value.requires_grad:
            mean.lerp_(value, 1 - keep)


def _mark_of(songs: Sequence[Song]) -> str:
    """By which a run knows its songs again."""
    found = hashlib.sha256()
    for song in songs:
        found.update(f"{song.id} {song.split} {song.length} ".encode())
        found.update(song.chords.tobytes() + song.motion.tobytes())
    return found.hexdigest()


class _Run:
    """The files of one run."""

    def __init__(self, system: System, options: TrainOptions, steps: int, data: str) -> None:
        self.system, self.options, self.steps, self.data = system, options, steps, data
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.best_loss = math.inf
        self.best_step = 0
        self.seconds = 0.0

    @property
    def state_path(self) -> Path:
        return self.options.folder / "state.pt"

    def _identity(self) -> str:
        parts = (self.system.name, asdict(self.system.network), asdict(self.system.recipe), self.options.seed)
        source = self.options.start_from
        return repr((*parts, None if source is None else sha256(source)))

    def resume(self, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        """Loads the state if there is one; returns the step to go on from."""
        if not self.state_path.exists():
            return 0
        folder = shown(self.options.folder)
        try:
            state = torch.load(self.state_path, map_location=self.options.device, weights_only=True)
            asked = (self._identity(), self.steps, self.data)
            if (state["identity"], state["steps"], state.get("data", self.data)) != asked:
                raise ModelError(
                    f"{folder} holds the run of another system, seed, length or data: choose another folder."
                )
            model.load_state_dict(state["model"])
            average.load_state_dict(state["average"])
            optimizer.load_state_dict(state["optimizer"])
            self.rows, self.best, self.best_loss = state["rows"], state["best"], float(state["best_loss"])
            self.best_step, self.seconds = int(state["best_step"]), float(state["seconds"])
            return int(state["step"])
        except ModelError:
            raise
        except Exception as error:  # what a damaged pickle or archive runs into has no common type
            raise ModelError(f"{folder} holds a damaged {self.state_path.name}: choose another folder.") from error

    def report(
        self, row: dict[str, float], model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        """Keeps the best weights and writes state and log, aside first."""
        self.rows.append(row)
        conditioned = row["val_loss_conditioned"]  # both count alike: with a film and without one
        score = row["val_loss"] if math.isnan(conditioned) else 0.5 * (row["val_loss"] + conditioned)
        if score < self.best_loss:
            self.best_loss, self.best_step = score, int(row["step"])
            self.best = {name: value.detach().cpu().clone() for name, value in average.state_dict().items()}
        state = {
            "identity": self._identity(),
            "steps": self.steps,
            "data": self.data,
            "step": int(row["step"]),
            "seconds": self.seconds,
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimizer": optimizer.state_dict(),
            "rows": self.rows,
            "best": self.best,
            "best_loss": self.best_loss,
            "best_step": self.best_step,
        }
        with written(self.state_path) as aside:
            torch.save(state, aside)
        with written(self.options.folder / "log.csv") as aside, aside.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    def finish(self, average: Network) -> tuple[Network, dict[str, object]]:
        """The best weights and what the card says of the training."""
        if self.best:
            average.load_state_dict(self.best)
        if self.rows and find_spec("matplotlib") is not None:
            with written(self.options.folder / "curves.png") as aside:
                plot_curves(self.rows, aside, self.system.name)
        record: dict[str, object] = {
            "system": self.system.name,
            "recipe": asdict(self.system.recipe),
            "seed": self.options.seed,
            "start_from": None if self.options.start_from is None else self.options.start_from.name,
            "steps": self.steps,
            "best_step": self.best_step,
            "best_val_loss": self.best_loss if self.best else None,
            "train_seconds": round(self.seconds, 1),
            "parameters": sum(p.numel() for p in average.parameters()),
        }
        return average.eval(), record


def plot_curves(rows: list[dict[str, float]], path: Path, title: str) -> None:
    """Draws training and validation loss."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    steps = [row["step"] for row in rows]
    axes.plot(steps, [row["train_loss"] for row in rows], label="training loss")
    axes.plot(steps, [row["val_loss"] for row in rows], label="validation loss")
    axes.set(xlabel="step", ylabel="loss", title=title)
    axes.legend()
    figure.savefig(path, dpi=110)
