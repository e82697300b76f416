"""`cuebridge models …`: train, evaluate, describe and import networks.

Runs as a child process of the bridge (`python -m models.training.cli`), because most of it needs PyTorch, which is not
installed unless asked for (`cuebridge[train]`).  Exit codes: 0, 2 for
what the person can act on (one sentence on stderr), 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from engine.music.command import SentenceParser, check_spares_input
from engine.music.console import run_command
from engine.music.errors import UserError
from models.config import KINDS
from models.errors import ModelError

MOST_THREADS: Final = 256  # torch ends the process where the system refuses a thread
DATA_HELP: Final = "folder with MuVi-Sync (muvi-sync.npz and semantic-*.npz), or a set of `cuebridge dataset build`"


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _out(value: Any, as_json: bool, text: str) -> None:
    from models.files import to_json

    sys.stdout.write((to_json(value) if as_json else text).rstrip("\n") + "\n")


def _whole(least: int, most: int = 2**32 - 1) -> Callable[[str], int]:
    """A whole number within bounds, as the type of a flag."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {least} to {most}")
        return value

    return read


def _rate(text: str) -> float:
    """A learning rate, as the type of a flag."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return value


def _add_train(train: argparse.ArgumentParser) -> None:
    train.add_argument("name", help="amt, regressor, or one of the paper's systems; `cuebridge models info` lists them")
    train.add_argument("--data", type=Path, required=True, help=DATA_HELP)
    train.add_argument("--run", type=Path, help="folder of the run, resumed if it exists (default runs/NAME-SEED)")
    train.add_argument("--out", type=Path, help="weights file to write (default RUN/best.safetensors)")
    train.add_argument("--seed", type=_whole(0), default=0)
    train.add_argument(
        "--steps", type=_whole(0), help="steps instead of the recipe's; 0 only fits the closed-form parts"
    )
    train.add_argument(
        "--until", type=_whole(0), metavar="STEP", help="stop at this step; the same command resumes later"
    )
    train.add_argument("--learning-rate", type=_rate, help="peak learning rate, instead of the recipe's")
    train.add_argument("--warmup", type=_whole(0), help="steps of rising learning rate, instead of the recipe's")
    train.add_argument(
        "--quality-weight", type=float, metavar="W", help="weight of the paper's emotion matching loss on probabilities"
    )
    train.add_argument(
        "--excerpt", type=_whole(0), metavar="SLOTS", help="passages so long, instead of the recipe's; 0 = whole"
    )
    train.add_argument("--start-from", type=Path, metavar="FILE", help="weights to start from")
    train.add_argument("--report", type=_whole(1), default=75, help="steps between validations (default 75)")
    train.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    train.add_argument("--threads", type=_whole(1, MOST_THREADS), default=1, help="torch threads (default 1)")
    train.add_argument(
        "--reduced", type=_whole(1), default=1, metavar="N", help="divide the width by N, halve the layers"
    )
    train.add_argument("--mixed", action="store_true", help="train with matrix products in bfloat16")
    train.add_argument("--half", action="store_true", help="store 16-bit floats")
    train.add_argument("--json", action="store_true")


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        prog="cuebridge models",
        description="Trains, evaluates and describes the networks; `fetch clip` downloads CLIP.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_train(commands.add_parser("train", help="train a network by name, or resume a run"))
    evaluate = commands.add_parser("evaluate", help="every figure for networks and baselines, with intervals")
    evaluate.add_argument("networks", nargs="*", metavar="NAME=FILE", help="weights to add to the shipped ones")
    evaluate.add_argument("--data", type=Path, required=True, help=DATA_HELP)
    evaluate.add_argument("--split", default="test", choices=("train", "val", "test"))
    evaluate.add_argument("--out", type=Path, help="folder for evaluation.json, .md and pictures")
    evaluate.add_argument("--only", action="store_true", help="only the named files, not the shipped networks")
    evaluate.add_argument("--free", action="store_true", help="also compose freely: does the output follow the film?")
    evaluate.add_argument("--free-unguided", nargs="*", default=[], metavar="NAME", help="the same without guidance")
    evaluate.add_argument("--card", action="store_true", help="write the figures into the networks' model cards")
    evaluate.add_argument("--slice", type=Path, metavar="FOLDER", help="also write a slice's figures into the cards")
    evaluate.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="where the rows are computed (cpu)")
    evaluate.add_argument("--threads", type=_whole(1, MOST_THREADS), default=1, help="torch threads (default 1)")
    evaluate.add_argument("--json", action="store_true")

    info = commands.add_parser("info", help="what is shipped and can be trained, or what a weights file is")
    info.add_argument("file", nargs="?", type=Path)
    info.add_argument("--json", action="store_true")

    convert = commands.add_parser("import", help="convert the Video2Music authors' checkpoint to safetensors")
    convert.add_argument("file", type=Path, help="best_loss_weights.pickle or best_rmse_weights.pickle")
    convert.add_argument("out", type=Path)
    convert.add_argument(
        "--kind", default="bigru", choices=KINDS[1:], help="which network of a regressor file (default bigru)"
    )
    convert.add_argument("--json", action="store_true")

    return parser


def _train(options: argparse.Namespace, command: str) -> int:
    import torch

    from models.checkpoint import save
    from models.files import card_path, check_weights_path, make_folder, to_json
    from models.training.dataset import MuViSync
    from models.training.systems import find, reduced
    from models.training.train import TrainOptions, train

    torch.set_num_threads(options.threads)
    system = find(options.name)
    if options.reduced > 1:
        system = reduced(system, options.reduced)
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ModelError("No CUDA device is available here; use --device cpu.")
    run = options.run or Path("runs") / f"{options.name}-{options.seed}"
    out = options.out or run / "best.safetensors"
    check_weights_path(out)  # before hours of training, not after
    make_folder(run)
    make_folder(out.parent)
    data = MuViSync(options.data)
    began = time.monotonic()

    def progress(row: dict[str, float]) -> None:
        if options.json:
            _say(to_json(row))
            return
        hits = "" if row["val_hits1"] != row["val_hits1"] else f"  Hits@1 {row['val_hits1']:.4f}"
        _say(
            f"step {row['step']:.0f}  {row['seconds']:.0f} s  training {row['train_loss']:.4f}  "
            f"validation {row['val_loss']:.4f}{hits}"
        )

    names = (each.name for each in fields(TrainOptions) if each.name != "folder")
    trained = TrainOptions(folder=run, **{name: getattr(options, name) for name in names})
    model, record = train(system, data, trained, progress)
    if not record:  # one of torchrun's helpers: the first process writes
        return 0
    card = {
        "name": system.name,
        "about": system.about,
        "data": f"{data.about}; {data.sizes} pieces to train/val/test",
        "command": command,
        **record,
    }
    save(model.cpu(), out, card, half=options.half)
    text = f"{out} written after {time.monotonic() - began:.0f} s"
    for key in ("best_val_loss", "calibrated_val_loss"):
        if record.get(key) is not None:
            text += f"; {key.replace('_', ' ').replace('val', 'validation')} {record[key]:.4f}"
    _out({"weights": str(out), "card": str(card_path(out)), **record}, options.json, text)
    return 0


def _networks(options: argparse.Namespace) -> dict[str, tuple[Any, bool, Path]]:
    """name -> (network, fed smoothed emotion, file)."""
    from models.checkpoint import load
    from models.files import WEIGHTS, read_card

    files = {} if options.only else {name: WEIGHTS / f"{name}.safetensors" for name in ("amt", "regressor")}
    for word in options.networks:
        name, separator, file = word.partition("=")
        if not separator or not name or not file:
            raise ModelError(f"'{word}' is not NAME=FILE.")
        files[name] = Path(file)
    if not files:
        raise ModelError("Nothing to evaluate: name at least one NAME=FILE, or leave out --only.")
    out = {}
    unknown = next((name for name in options.free_unguided if name not in files), None)
    if unknown is not None:
        raise ModelError(f"--free-unguided {unknown} is none of {', '.join(files)}.")
    for name, path in files.items():
        recipe = read_card(path).get("recipe", {})
        out[name] = (load(path), bool(recipe.get("smooth_emotion", False)), path)
    return out


def _evaluate(options: argparse.Namespace, command: str) -> int:
    import torch

    from models.amt import AffectiveMultimodalTransformer
    from models.files import make_folder, read_card, write_card
    from models.training import course, freerun, report
    from models.training.dataset import MuViSync
    from models.training.evaluate import evaluate, slice_figures

    torch.set_num_threads(options.threads)
    networks = _networks(options)
    data = MuViSync(options.data)
    if options.out is not None:
        make_folder(options.out)
    few = None if options.slice is None else MuViSync(options.slice).split("test")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ModelError("No CUDA device is available here; use --device cpu.")
    fed = {name: (network.to(options.device), smooth) for name, (network, smooth, _) in networks.items()}
    result = evaluate(fed, data, options.split, progress=_say)
    fed = {name: (network.cpu(), smooth) for name, (network, smooth) in fed.items()}  # composing runs in numpy
    if options.free:
        for name, (network, smooth) in fed.items():
            unguided = name in options.free_unguided
            if isinstance(network, AffectiveMultimodalTransformer) and (unguided or name == "amt" or options.only):
                _say(f"{name}: composing freely")
                strengths = () if unguided else freerun.GUIDANCE
                songs = data.split(options.split)
                result.free[name] = freerun.compare(network, songs, smooth=smooth, strengths=strengths, say=_say)
                if network.config.condition_width:
                    _say(f"{name}: mood courses and cuts")
                    result.course[name], result.moods[name] = course.judged(network, data, options.split, smooth)
    if options.out is not None:
        for path in report.write(result, options.out, command):
            _say(f"{path} written")
    if options.card:
        for name, (_, _, path) in networks.items():
            card = read_card(path)
            card.setdefault("evaluation", {})[options.split] = {"command": command, **result.rows_of(name)}
            if few is not None:
                network, smooth = fed[name]
                card["slice"] = slice_figures(network, few, smooth=smooth)
            write_card(path, card)
            _say(f"card of {path} written")
    _out({"command": command, **result.to_json()}, options.json, report.to_markdown(result, command))
    return 0


def _info(options: argparse.Namespace, _command: str) -> int:
    from models.files import WEIGHTS, read, read_card, sha256

    if options.file is not None:
        weights = read(options.file)
        card = read_card(options.file)
        found: dict[str, Any] = {
            "file": str(options.file),
            "network": weights.network,
            "parameters": sum(array.size for array in weights.tensors.values()),
            "config": str(weights.config),
            "card": card,
        }
        lines = [f"{options.file}: {found['network']}, {found['parameters']:,} parameters", found["config"]]
        lines += [f"{key}: {card[key]}" for key in ("about", "data", "command", "seed", "steps") if key in card]
        _out(found, options.json, "\n".join(lines))
        return 0
    from models.training.systems import SYSTEMS

    shipped = {}
    lines = ["shipped:"]
    for path in sorted(WEIGHTS.glob("*.safetensors")):
        card = read_card(path)
        whole = card.get("sha256") == sha256(path)
        shipped[path.stem] = {**card, "whole": whole}
        state = "as its card says" if whole else "NOT the file its card describes"
        lines.append(
            f"  {path.stem:<20} {path.stat().st_size / 1e6:.1f} MB, {card.get('parameters', 0):,} weights, {state}"
        )
    lines += ["systems that `models train` knows:"]
    lines += [f"  {system.name:<20} {system.about}" for system in SYSTEMS.values()]
    systems = {system.name: system.about for system in SYSTEMS.values()}
    _out({"shipped": shipped, "systems": systems}, options.json, "\n".join(lines))
    return 0


def _import(options: argparse.Namespace, _command: str) -> int:
    from models.checkpoint import import_authors, save

    check_spares_input(options.file, options.out)
    model = import_authors(options.file, options.kind)
    card = {
        "name": type(model).__name__,
        "about": f"converted from the Video2Music authors' {options.file.name}",
        "data": "MuVi-Sync; trained by the authors of Video2Music (Kang, Poria, Herremans 2024)",
        "recipe": {"smooth_emotion": False},
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    save(model, options.out, card)
    _out({"weights": str(options.out), **card}, options.json, f"{options.out} written")
    return 0


COMMANDS: Final[dict[str, Callable[[argparse.Namespace, str], int]]] = {
    "train": _train,
    "evaluate": _evaluate,
    "info": _info,
    "import": _import,
}


def told(words: Sequence[str]) -> str:
    """The command as it is written into cards and reports: without the folders of this machine."""
    shown = []
    for before, word in zip(["", *words], words, strict=False):
        name, separator, path = word.rpartition("=")
        short = "DATA" if before == "--data" else Path(path).name if Path(path).is_absolute() else path
        shown.append(f"{name}{separator}{short}")
    return "cuebridge models " + shlex.join(shown)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)

    def command() -> int:
        options = _parser().parse_args(words)
        try:
            return COMMANDS[options.command](options, told(words))
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise UserError("this needs PyTorch, which is not installed: pip install 'cuebridge[train]'.") from None

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
