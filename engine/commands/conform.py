"""`conform SESSION|OLD_FILM NEW_FILM`: what the picture's editor changed, and the session on the new cut.

Without `-o` it only shows; with it a new session file is written, whose last step of undo is this one.  The old session
is left as it is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict

from engine.commands.compose_report import progress_bar
from engine.conform.changes import ChangeList
from engine.conform.moved import POLICIES, Conformed, check_policies, conform
from engine.conform.ramp import MOST_BEND
from engine.conform.rewrite import composed_into
from engine.conform.takes import MovedTakes, conform_takes
from engine.document import FilmReading, SavedSession, Step, TempoOrigin
from engine.document.file.suffix import SUFFIX
from engine.music import Film, UserError, shown
from engine.music.command import SentenceParser, check_film_exists, check_spares_input
from engine.music.files import check_output, make_way

if TYPE_CHECKING:
    from engine.video import VideoFeatures

HALF_A_FRAME: Final = 0.5


class _How(TypedDict):
    """What is to become of the music: as `conform` takes it."""

    policies: dict[str, str]
    policy: str
    bend: float
    origin: TempoOrigin


def parser() -> SentenceParser:
    top = SentenceParser(
        prog="cuebridge conform",
        description="Shows what changed between two cuts, and moves a session to the new one.",
        allow_abbrev=False,
    )  # fmt: skip
    top.add_argument("old", metavar="SESSION|OLD_FILM", help=f"a session of `live` ({SUFFIX}), or the old film")
    top.add_argument("new", metavar="NEW_FILM", help="the new cut")
    top.add_argument(
        "--edl", nargs=2, metavar=("OLD", "NEW"), help="compare the EDLs of both cuts instead of their pictures"
    )
    top.add_argument(
        "-o", "--output", metavar="FILE", help="write the session for the new cut; without it, only show the changes"
    )
    top.add_argument("--replace", action="store_true", help="replace existing files, keeping each as FILE.bak")
    top.add_argument(
        "--policy", choices=POLICIES, default="shift",
        help="shift: chords stay with their picture; ramp: the tempo bends so that hits keep their beats; bars: whole "
        "bars are dropped or added; beats: single beats too, in bars of their own length; rewrite: recompose from the "
        "change to the next hit, section or cue (shift)",
    )  # fmt: skip
    top.add_argument(
        "--cue", action="append", default=[], metavar="CUE=POLICY", help="another policy for one cue; repeatable"
    )
    top.add_argument(
        "--bend", type=float, default=100 * MOST_BEND, metavar="PERCENT",
        help=f"how far a ramp may bend the tempo ({100 * MOST_BEND:g})",
    )  # fmt: skip
    top.add_argument("--picture", metavar="FILE.png", help="also draw the changes")
    top.add_argument("--cache-dir", metavar="DIR", help="where analyses are kept")
    top.add_argument("--json", action="store_true", help="report as JSON")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    given = parser().parse_args(argv)
    is_session = given.old.endswith(SUFFIX)
    policies = _policies(given.cue)
    if not 0 <= given.bend <= 50:
        raise UserError(f"--bend is 0 to 50 per cent, not {given.bend:g}.")
    for path in (given.old, given.new):
        check_film_exists(path)
    for path in (given.output, given.picture):
        if path is not None:
            check_spares_input(given.old, path)
            check_spares_input(given.new, path)
            check_output(path, replace=given.replace)
    if given.output is not None and not is_session:
        raise UserError("-o writes a session; name the old session instead of the old film.")
    if given.output is not None and not given.output.endswith(SUFFIX):
        raise UserError(f"the name of a session ends in {SUFFIX}.")
    saved = _read(given.old) if is_session else None
    if saved is not None:  # before minutes of looking
        names = [state.name for state in saved.steps[saved.index].document.cue_states]
        check_policies(names, policies, given.policy)
    from engine.video import probe

    changes, old, new = _changes(given, saved, probe)
    if given.picture is not None:
        from engine.conform.pictures import draw

        make_way(given.picture, replace=given.replace)
        draw(changes, given.picture, (Path(old.path).name, Path(new.path).name))
    made = None
    if saved is not None:
        features = None if given.output is None else _look(given, saved)
        film = new if features is None else features.film
        document = saved.steps[saved.index].document
        cuts = (saved.reading.cuts, () if features is None else features.cuts)
        how: _How = {"policies": policies, "policy": given.policy, "bend": given.bend / 100,
                      "origin": saved.tempo.origin}  # fmt: skip
        made = conform(document, changes, film, cuts=cuts, **how)
        if features is not None:
            made = _finished(features, made)
        takes = conform_takes(saved.takes, document, made, changes, film, **how)
        made = replace(made, notes=(*made.notes, *takes.notes))
        if features is not None:
            _write(given, saved, made, takes, features)
    facts = _facts(changes, old, new, made)
    if saved is not None and given.json:
        facts["policies"] = _policies_compared(saved, changes, new, given.bend / 100)
    _tell(given, facts, changes, (old, new), made)
    return 0


def _policies(words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        cue, equals, policy = word.rpartition("=")
        if not equals or policy not in POLICIES:
            raise UserError(f"--cue {word[:60]}: write a cue's name and one of {', '.join(POLICIES)}: 1m1=ramp.")
        found[cue.strip()] = policy
    return found


def _read(path: str) -> SavedSession:
    from engine.arrange.score import check_playable
    from engine.document.file import read_session

    saved = check_playable(read_session(Path(path)))
    if not saved.steps[saved.index].document.result.complete:
        raise UserError(f"{Path(path).name} was saved before it was composed to its end; open it in `live` first.")
    return saved


def _changes(given: argparse.Namespace, saved: SavedSession | None, probe: Any) -> tuple[ChangeList, Film, Film]:
    """The change list and both films.  Raises UserError."""
    new = probe(given.new)
    if given.edl is not None:
        from engine.conform.edl_changes import from_edls
        from engine.interchange.edl import read_edl
        from engine.interchange.text import check_size, decode, read_bytes

        old = probe(given.old) if saved is None else saved.reading.film
        lists = []
        for path in given.edl:
            data, name = read_bytes(path), Path(path).name
            check_size(data, name, "an EDL")
            lists.append(read_edl(decode(data, name), name))
        names = (Path(given.edl[0]).name, Path(given.edl[1]).name)
        return from_edls(lists[0], lists[1], old.clock.rate, names), old, new
    from engine.conform.pictures import compare_films

    path = given.old
    if saved is not None:
        from engine.commands.render import film_of

        path = film_of(saved, Path(given.old))
    with progress_bar(sys.stderr, quiet=given.json) as report:
        changes, before, after = compare_films(path, given.new, report)
    return changes, before.film, after.film


def _look(given: argparse.Namespace, saved: SavedSession) -> VideoFeatures:
    """What the new cut is and what is seen in it."""
    from engine.process.analysis import AnalysisTask, analyse_in_child

    task = AnalysisTask(given.new, saved.reading.reading, None, given.cache_dir, True)
    with progress_bar(sys.stderr, quiet=given.json) as report:
        return analyse_in_child(task, report)


def _finished(features: VideoFeatures, made: Conformed) -> Conformed:
    """With the stretches composed that are to be."""
    document = _rewritten(features, made) if made.rewrites else made.document
    return replace(made, document=replace(document, result=replace(document.result, complete=True)))


def _write(
    given: argparse.Namespace, saved: SavedSession, made: Conformed, takes: MovedTakes, features: VideoFeatures
) -> None:
    """Writes the session of the new cut.  Raises UserError."""
    from engine.document.file.film_file import fingerprint
    from engine.document.file.writing import SessionWriter, write_session

    document, result = made.document, made.document.result
    reading = FilmReading(
        features.film, made.cuts, features.reading, features.reason,
        features.mean_mood(), fingerprint(Path(given.new)),
    )  # fmt: skip
    tempo = replace(saved.tempo, tempo_map=result.tempo_map, picture_starts_at_s=result.starts_s)
    before = list(saved.steps[: saved.index + 1])
    if all(step.film is None for step in before):
        before[0] = replace(before[0], film=saved.reading)
    steps = (*before, Step(document, f"conform {Path(given.new).name}", film=reading))
    aside = [replace(each, cut=saved.fingerprint) for each in saved.takes]
    aside += [each for each in saved.takes_aside if each.cut not in (saved.fingerprint, reading.fingerprint)]
    moved = SavedSession(
        reading, tempo, steps, len(steps) - 1, takes.takes, frozenset(), takes_aside=tuple(aside)
    )  # fmt: skip
    make_way(given.output, replace=given.replace)
    output = Path(given.output).absolute()
    write_session(output, SessionWriter().encode(moved, output))


def _rewritten(features: VideoFeatures, made: Conformed) -> Any:
    """The document with newly composed slots in the stretches that are to be rewritten."""
    from engine.composer import Composer
    from engine.process.requests import compose_request

    document, result = made.document, made.document.result
    keys = {number: (key, reason) for number, key, reason in result.cue_keys}
    if not keys and result.key is not None:
        keys = {document.cue: (result.key, "")}
    request = compose_request(document, 0, (), keys)
    fresh = Composer().compose(features, request).composition.slots
    return replace(document, result=replace(result, slots=composed_into(result.slots, fresh, made.rewrites)))


def _policies_compared(saved: SavedSession, changes: ChangeList, film: Film, bend: float) -> list[dict[str, Any]]:
    """What each policy would do if all cues had it."""
    rows = []
    for policy in POLICIES:
        document = saved.steps[saved.index].document
        how: _How = {"policies": {}, "policy": policy, "bend": bend, "origin": saved.tempo.origin}
        made = conform(document, changes, film, **how)
        takes = conform_takes(saved.takes, document, made, changes, film, **how)
        hits = [row for row in made.moved if row.kind == "hit"]
        off = [abs(row.beat_after) for row in hits if row.beat_after is not None]
        was = [abs(row.beat_before) for row in hits if row.beat_before is not None]
        rows.append({
            "policy": policy,
            "hits_on_beat": sum(each <= HALF_A_FRAME for each in off),
            "hits_were_on_beat": sum(each <= HALF_A_FRAME for each in was),
            "hits": len(off),
            "hits_lifted": sum(row.new_s is None for row in hits),
            "worst_frames": round(max(off, default=0.0), 2),
            "rewritten_s": round(sum(high - low for low, high in made.rewrites), 3),
            "notes": [*made.notes, *takes.notes],
        })  # fmt: skip
    return rows


def _tell(
    given: argparse.Namespace, facts: dict[str, Any], changes: ChangeList, films: tuple[Film, Film],
    made: Conformed | None,
) -> None:  # fmt: skip
    from engine.conform.pictures import table

    out = sys.stdout
    if given.json:
        out.write(json.dumps(facts, indent=1) + "\n")
        return
    old, new = films
    out.write("\n".join(table(changes, old, new)) + "\n")
    if made is None:
        return
    for row in made.moved:
        where = "lifted" if row.new_s is None else f"{row.new_s:9.3f} s"
        beats = ""
        if row.beat_before is not None and row.beat_after is not None:
            beats = f"  off the beat {row.beat_before:+.1f} -> {row.beat_after:+.1f} frames"
        out.write(f"{row.kind:8} {shown(row.name):24} {row.old_s:9.3f} s -> {where}{beats}\n")
    for low, high in made.rewrites:
        out.write(f"rewrite  {low:9.3f} to {high:.3f} s\n")
    for note in made.notes:
        out.write(f"Note     {note}\n")
    out.write(
        f"Written  {given.output}\n" if given.output is not None else "Nothing was written; -o writes the session.\n"
    )


def _facts(changes: ChangeList, old: Film, new: Film, made: Conformed | None) -> dict[str, Any]:
    from engine.conform.pictures import labels

    facts: dict[str, Any] = {
        "rate": str(changes.rate),
        "old_frames": changes.old_frames,
        "new_frames": changes.new_frames,
        "speed": round(float(changes.speed), 6),
        "changes": [
            {
                "kind": change.kind,
                "old": [change.old_start, change.old_end],
                "new": [change.new_start, change.new_end],
                "frames": change.frames,
                "old_timecode": labels(change.old_start, change.old_end, changes.rate, old),
                "new_timecode": labels(change.new_start, change.new_end, changes.rate, new),
                "speed": round(float(change.speed), 4),
            }
            for change in changes.changes
        ],
    }  # fmt: skip
    if made is not None:
        facts["first_change_s"] = made.first_change_s
        facts["moved"] = [
            {"kind": row.kind, "name": row.name, "old_s": row.old_s, "new_s": row.new_s,
             "beat_before_frames": row.beat_before, "beat_after_frames": row.beat_after}
            for row in made.moved
        ]  # fmt: skip
        facts["rewrites"], facts["notes"] = made.rewrites, made.notes
    return facts
