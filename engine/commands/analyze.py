"""Commands `analyze` and `cache`.

    python -m engine analyze FILM [--json] [--npz OUT.npz] [--plot OUT.png] [--export DIR]
    python -m engine cache list|clear

Results go to stdout, progress and notes to stderr.  Exit codes: 0, 2 (a fault of input, one sentence), 130 (Ctrl-C).
"""

from __future__ import annotations

import argparse
import glob
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from engine.music.command import SentenceParser, check_spares_input
from engine.music.console import run_command
from engine.music.controls import READINGS
from engine.music.extras import need_extra
from engine.music.files import check_output, check_unused, make_way
from engine.process.priorities import lower
from engine.video.cache import FeatureCache
from engine.video.options import AnalysisOptions


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; argv[0] is its name."""

    def command() -> int:
        arguments = _parser().parse_args(argv)
        if arguments.command == "analyze":
            lower(10)  # what plays and what is composed beside it comes first
            return _analyze(arguments)
        return _cache(arguments)

    return run_command(command)


def add_analysis_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of an analysis, for any command that looks at a film."""
    defaults = AnalysisOptions()
    group = parser.add_argument_group("looking at the film")
    group.add_argument(
        "--reading",
        choices=READINGS,
        default=defaults.reading,
        help="how the picture is read; full needs CLIP weights (%(default)s)",
    )
    group.add_argument("--clip-weights", type=Path, metavar="FILE", help="CLIP weights for the full reading")
    group.add_argument(
        "--clip-model", default=defaults.clip_model, metavar="NAME", help="open_clip model (%(default)s)"
    )
    group.add_argument("--clip-precision", choices=("fp32", "bf16"), default=defaults.clip_precision)
    group.add_argument(
        "--clip-batch",
        type=int,
        default=defaults.clip_batch,
        metavar="N",
        help="frames at a time; 0: as suits the device",
    )
    group.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default=defaults.device)
    group.add_argument(
        "--mask",
        default=defaults.mask,
        metavar="auto|none|x,y,w,h",
        help="the part of the frame that is picture (%(default)s)",
    )
    group.add_argument(
        "--cut-threshold",
        type=float,
        default=defaults.adaptive_threshold,
        metavar="N",
        help="sensitivity to cuts; lower finds more (%(default)s)",
    )
    group.add_argument(
        "--min-shot",
        type=float,
        default=defaults.min_shot_s,
        metavar="S",
        help="shortest shot, in seconds (%(default)s)",
    )
    group.add_argument("--max-seconds", type=float, metavar="S", help="analyse at most this much of the film")
    group.add_argument("--threads", type=int, default=defaults.threads, metavar="N", help="decoder threads; 0: all")


def options_from(arguments: argparse.Namespace) -> AnalysisOptions:
    """AnalysisOptions from what `add_analysis_arguments` parsed.  Raises VideoError."""
    return AnalysisOptions(
        reading=arguments.reading,
        mask=arguments.mask,
        clip_model=arguments.clip_model,
        clip_weights=arguments.clip_weights,
        clip_precision=arguments.clip_precision,
        clip_batch=arguments.clip_batch,
        device=arguments.device,
        adaptive_threshold=arguments.cut_threshold,
        min_shot_s=arguments.min_shot,
        threads=arguments.threads,
        max_s=arguments.max_seconds,
    )


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(prog="cuebridge", description="Analyses a film, and manages kept analyses.")
    commands = parser.add_subparsers(dest="command", required=True)
    analyze = commands.add_parser(
        "analyze", help="analyse a film: cuts, motion, mood", description="Analyses a film: cuts, motion, mood."
    )
    analyze.add_argument("film", type=Path)
    analyze.add_argument("--json", action="store_true", help="print everything as JSON")
    analyze.add_argument("--npz", type=Path, metavar="OUT.npz", help="write the features")
    analyze.add_argument("--plot", type=Path, metavar="OUT.png", help="draw filmstrip, cuts, motion and mood")
    analyze.add_argument("--export", type=Path, metavar="DIR", help="write the files that MuVi-Sync uses")
    analyze.add_argument("--replace", action="store_true", help="replace existing files, keeping each as FILE.bak")
    analyze.add_argument("--no-cache", action="store_true", help="analyse the film again and keep nothing")
    analyze.add_argument("--cache-dir", type=Path, metavar="DIR")
    add_analysis_arguments(analyze)
    cache = commands.add_parser(
        "cache", help="list or clear kept analyses", description="Lists or clears kept analyses of films."
    )
    cache.add_argument("action", choices=("list", "clear"), nargs="?", default="list")
    cache.add_argument("--json", action="store_true")
    cache.add_argument("--cache-dir", type=Path, metavar="DIR")
    return parser


def _analyze(arguments: argparse.Namespace) -> int:
    from engine.video import analyze

    check_spares_input(arguments.film, arguments.npz, arguments.plot)
    for file in filter(None, (arguments.npz, arguments.plot)):
        check_output(file, replace=arguments.replace)
    if arguments.export:
        for file in sorted(arguments.export.glob(f"vevo_*/**/{glob.escape(arguments.film.stem)}.*")):
            check_unused(file, replace=arguments.replace)
    if arguments.plot:
        need_extra("plot", "A plot")
    cache = None if arguments.no_cache else FeatureCache(arguments.cache_dir)
    started_s = time.perf_counter()
    features = analyze(arguments.film, options_from(arguments), _progress(), cache)
    took_s = time.perf_counter() - started_s
    if arguments.npz:
        make_way(arguments.npz, replace=arguments.replace)
        features.save(arguments.npz)
    if arguments.export:
        from engine.video.export import export_muvi_sync

        export_muvi_sync(features, arguments.export, replace=arguments.replace)
    if arguments.plot:
        from engine.video.plot import plot_features

        make_way(arguments.plot, replace=arguments.replace)
        plot_features(features, arguments.plot)
    if arguments.json:
        json.dump({**features.to_json(), "took_s": round(took_s, 3)}, sys.stdout)
        sys.stdout.write("\n")
        return 0
    from engine.video.table import write_table

    write_table(features, sys.stdout, took_s)
    for file in (arguments.npz, arguments.export, arguments.plot):
        if file:
            sys.stdout.write(f"written: {file}\n")
    return 0


def _cache(arguments: argparse.Namespace) -> int:
    cache = FeatureCache(arguments.cache_dir)
    if arguments.action == "clear":
        freed = cache.clear()
        if arguments.json:
            json.dump({"freed_bytes": freed}, sys.stdout)
            sys.stdout.write("\n")
        else:
            sys.stdout.write(f"{freed / 1e6:.1f} MB freed in {cache.directory}\n")
        return 0
    entries = cache.list()
    if arguments.json:
        rows = [
            {
                "key": entry.key,
                "film": entry.film_name,
                "reading": entry.reading,
                "seconds": entry.seconds,
                "bytes": entry.bytes,
                "used_at": entry.used_at,
            }
            for entry in entries
        ]
        json.dump({"directory": str(cache.directory), "entries": rows}, sys.stdout)
        sys.stdout.write("\n")
        return 0
    for entry in entries:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used_at))
        size = f"{entry.bytes / 1e3:8.1f} kB"
        sys.stdout.write(f"{used}  {size}  {entry.reading:5s}  {entry.seconds:6d} s  {entry.film_name}\n")
    total = sum(entry.bytes for entry in entries)
    films = f"{len(entries)} film{'' if len(entries) == 1 else 's'}"
    sys.stdout.write(f"{films}, {total / 1e6:.2f} MB in {cache.directory}\n")
    return 0


class _progress:  # noqa: N801  (used as a function)
    """A line on stderr that is rewritten, at most ten times a second, where stderr is a terminal."""

    def __init__(self) -> None:
        self._shown_s = 0.0

    def __call__(self, fraction: float, text: str) -> None:
        if not sys.stderr.isatty():
            return
        now_s = time.perf_counter()
        if fraction < 1.0 and now_s - self._shown_s < 0.1:
            return
        self._shown_s = now_s
        sys.stderr.write(f"\r\x1b[K{fraction:4.0%} {text}" + ("\r\x1b[K" if fraction >= 1.0 else ""))
        sys.stderr.flush()
