"""`plot VIDEO`: a picture of what was composed and whether it follows the film, or several takes on one sheet.

Composes as `compose` does (same arguments), draws the piano roll over cuts, motion, loudness and mood, and reports the
rank correlations of motion with notes per second and with velocity, for the film and for the film with its shots in
another order.
"""

from __future__ import annotations

import json
import math
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.brief import Brief, request_for
from engine.commands import compose as compose_cli
from engine.commands.compose_report import progress_bar
from engine.composer import Composer, drawn_request
from engine.document.file.suffix import SUFFIX
from engine.music import Composition, Take, UserError
from engine.music.command import check_spares_input
from engine.music.extras import need_extra
from engine.music.files import check_output, make_way

if TYPE_CHECKING:
    from engine.arrange import ArrangeOptions
    from engine.video import VideoFeatures


def parser() -> ArgumentParser:
    """The arguments of `compose` that decide what is drawn, and those of the drawing."""
    main = compose_cli.parser(
        "cuebridge plot",
        "Draws what is composed for a film, and whether it follows the film.",
        helps={
            "video": "the film, any file with a picture",
            "takes": "draw this many takes on one sheet, numbered from --take",
        },
    )
    main.add_argument("--shuffles", type=int, default=20, metavar="N", help="shuffled films in the control (20)")
    return main


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    arguments = parser().parse_args(argv)
    need_extra("plot", "A plot")
    if arguments.video.endswith(SUFFIX):
        raise UserError("`plot` draws what it composes for a film; give the session's film.")
    compose_cli.refuse_its_own(arguments, "`plot` only draws", frozenset({"takes"}))
    brief, options = compose_cli.plan_from(arguments), compose_cli.arrange_options(arguments)
    from engine.commands.takes_sheet import MOST

    if not 1 <= arguments.takes <= MOST:
        raise UserError(f"a sheet shows 1 to {MOST} takes, not {arguments.takes}.")
    if not 0 <= arguments.shuffles <= 1000:
        raise UserError(f"--shuffles is 0 to 1000, not {arguments.shuffles}.")
    brief = compose_cli.marked_brief(arguments, brief)
    output = Path(arguments.output or Path(arguments.video).stem + ".png")
    check_spares_input(arguments.video, output)
    check_output(output, replace=arguments.replace)
    from engine.commands.plot_drawing import plot_score
    from engine.process.analysis import AnalysisTask, analyse_in_child

    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        features = analyse_in_child(
            AnalysisTask(
                arguments.video, brief.reading, brief.clip_weights, arguments.cache_dir, not arguments.no_cache
            ),
            lambda fraction, phase: report(0.5 * fraction, phase),
        )
        composer = Composer(brief.weights)
        if arguments.takes > 1:
            return _sheet(composer, features, brief, options, arguments, output)
        facts, composition = study(composer, features, brief, options, arguments.shuffles)
    from engine.arrange import arrange

    composition = compose_cli.placed(composition, arguments)
    title = _title(facts, composition)
    make_way(output, replace=arguments.replace)
    plot_score(features, composition, arrange(composition, options), title, output)
    facts["file"] = str(output)
    if arguments.json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        _tell(facts)
    return 0


def _sheet(
    composer: Composer,
    features: VideoFeatures,
    brief: Brief,
    options: ArrangeOptions,
    arguments: Namespace,
    output: Path,
) -> int:
    """Several takes on one sheet, from the wished one on."""
    from engine.arrange import arrange
    from engine.commands.takes_sheet import TakeShown, draw_takes, heading

    shown = []
    for number in range(arguments.takes):
        wish = replace(brief, take=Take(brief.take.number + number))
        composition = compose_cli.placed(_compose(composer, features, wish), arguments)
        shown.append(TakeShown(composition, arrange(composition, options)))
    make_way(output, replace=arguments.replace)
    name = Path(features.film.path).name
    draw_takes(shown, f"{name}, {len(shown)} takes", output)
    headings = [heading(take.composition) for take in shown]
    if arguments.json:
        sys.stdout.write(json.dumps({"film": name, "takes": headings, "file": str(output)}, indent=1) + "\n")
    else:
        sys.stdout.write("\n".join([*headings, f"Written  {output}", ""]))
    return 0


def study(
    composer: Composer, features: VideoFeatures, brief: Brief, options: ArrangeOptions, shuffles: int
) -> tuple[dict[str, Any], Composition]:
    """Composes the film and its shuffled selves; the correlations of each with the film's true motion."""
    from engine.arrange import arrange
    from engine.commands.picture_link import link, shuffled

    composition = _compose(composer, features, brief)
    right = link(features, composition, arrange(composition, options))
    wrong = []
    for seed in range(1, shuffles + 1):
        # The tempo and grid stay the film's own, so that only what is seen differs.
        other = _compose(composer, shuffled(features, seed), brief, of=features)
        wrong.append(link(features, other, arrange(other, options)))
    facts: dict[str, Any] = {
        "film": Path(features.film.path).name,
        "seconds": features.seconds,
        "take": composition.take.number,
        "follow_picture": brief.options.follow_picture,
        "spearman": {
            name: {
                "right_film": _rounded(getattr(right, name)),
                "shuffled_mean": _rounded(_mean([getattr(row, name) for row in wrong])),
                "shuffled_low": _rounded(min((getattr(row, name) for row in wrong), default=math.nan)),
                "shuffled_high": _rounded(max((getattr(row, name) for row in wrong), default=math.nan)),
            }
            for name in ("notes", "velocity")
        },
        "shuffles": shuffles,
    }
    return facts, composition


def _compose(composer: Composer, features: VideoFeatures, brief: Brief, of: VideoFeatures | None = None) -> Composition:
    seen = of or features
    request, _ = request_for(seen.film, seen.cuts, brief)
    request, _reason = drawn_request(seen, replace(request, take=Take(brief.take.number)), brief)
    last = composer.compose(features, request)
    assert hasattr(last, "composition")
    return last.composition


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def _title(facts: dict[str, Any], composition: Composition) -> str:
    parts = []
    for name, words in (("notes", "notes a second"), ("velocity", "velocity")):
        row = facts["spearman"][name]
        parts.append(f"motion ~ {words}: {row['right_film']} (shots shuffled: {row['shuffled_mean']})")
    bpm = composition.tempo_map.bpm_at(0)
    return f"{facts['film']}, {bpm:g} bpm, {composition.key.name}, take {composition.take.name}    {'; '.join(parts)}"


def _tell(facts: dict[str, Any]) -> None:
    out = sys.stdout
    out.write(
        f"Spearman correlation with motion, {facts['seconds']} s, follow the picture {facts['follow_picture']:g} %\n"
    )
    out.write(f"{'':18s}{'right film':>12s}{'shuffled (mean, range of ' + str(facts['shuffles']) + ')':>40s}\n")
    for name, words in (("notes", "notes a second"), ("velocity", "velocity")):
        row = facts["spearman"][name]
        spread = f"{row['shuffled_mean']}  {row['shuffled_low']} .. {row['shuffled_high']}"
        out.write(f"{words:18s}{row['right_film']!s:>12s}{spread:>40s}\n")
    out.write(f"Written  {facts['file']}\n")
