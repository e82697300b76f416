"""From the names of markers to cues, sections and hits, by a short list of rules that anybody can change.

The rules stand in data/markers.toml and are explained there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from engine.arrange.sections import check_change
from engine.document import MAX_CUES
from engine.interchange.markers import Marker, MarkerList
from engine.music.composition import HIT_WEIGHTS, Film, Hit, Section
from engine.music.errors import MusicError, UserError, shown

KINDS: Final = ("cue", "cue end", "section", "hit", "ignore")
ROW_KINDS: Final = ("cue", "section", "hit", "ignore")
MAX_RULES: Final = 200
MAX_CUE_NAME: Final = 64
_KEYS: Final = frozenset({"name", "colour", "kind_of", "lasts", "kind", "weight"})


@dataclass(frozen=True, slots=True)
class Rule:
    """See data/markers.toml."""

    kind: str
    name: re.Pattern[str] | None = None
    colours: frozenset[str] = frozenset()
    kinds_of: frozenset[str] = frozenset()
    lasts: bool | None = None
    weight: str = "should"

    def match(self, marker: Marker) -> re.Match[str] | bool:
        """False where the rule does not fit, else the match of the name where it has an expression."""
        if self.colours and marker.colour.lower() not in self.colours:
            return False
        if self.kinds_of and marker.kind.lower() not in self.kinds_of:
            return False
        if self.lasts is not None and self.lasts != (marker.end_s is not None):
            return False
        return True if self.name is None else self.name.fullmatch(marker.name) or False


@dataclass(frozen=True, slots=True)
class Mapped:
    """A marker and what it becomes.  kind: cue, section, hit or ignore.  name: the cue's, section's or hit's.

    out_s: of a cue, None: where the next begins or the film ends.  changes: of a section.  why: of one that is ignored.
    """

    marker: Marker
    kind: str
    name: str
    weight: str = ""
    out_s: float | None = None
    changes: tuple[tuple[str, str], ...] = ()
    why: str = ""

    @property
    def start_s(self) -> float:
        return float(self.marker.start_s)


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a marker file becomes, to be shown before it is taken.  reading, notes: sentences."""

    source: str
    rows: tuple[Mapped, ...]
    reading: str
    notes: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[Mapped, ...]:
        return tuple(row for row in self.rows if row.kind == kind)

    @property
    def hits(self) -> tuple[Hit, ...]:
        return tuple(Hit(row.start_s, row.weight, row.name) for row in self.of("hit"))

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(Section(row.start_s, row.changes, row.name) for row in self.of("section"))

    def changed(self, text: str) -> Mapping:
        """Single rows mapped otherwise, by their number from 1: `3=ignore 5=section 7=must`.  Raises MusicError."""
        rows = list(self.rows)
        for word in text.replace(",", " ").split():
            number, _, kind = word.partition("=")
            if not (number.isascii() and number.isdigit() and len(number) < 7 and 1 <= int(number) <= len(rows)):
                raise MusicError(f"'{word[:40]}' names no row; write its number and what it is to be: 3=ignore.")
            rows[int(number) - 1] = _as(rows[int(number) - 1], kind)
        return replace(self, rows=tuple(_apart(rows)))

    @property
    def counts(self) -> str:
        """`2 cues, 1 section, 14 hits, 3 left out`."""
        words = []
        for kind, plural in (("cue", "cues"), ("section", "sections"), ("hit", "hits"), ("ignore", "left out")):
            count = len(self.of(kind))
            if count:
                words.append(f"{count} {kind if count == 1 and kind != 'ignore' else plural}")
        return ", ".join(words) or "nothing"


@cache
def default_rules() -> tuple[Rule, ...]:
    """The list that comes with the program."""
    text = resources.files("engine.interchange").joinpath("data/markers.toml").read_text(encoding="utf-8")
    return parse_rules(text, "markers.toml")


def default_rules_text() -> str:
    """The list as a file to change."""
    return resources.files("engine.interchange").joinpath("data/markers.toml").read_text(encoding="utf-8")


def load_rules(path: str | Path) -> tuple[Rule, ...]:
    """Raises UserError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{shown(path)} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    return parse_rules(text, Path(path).name)


def parse_rules(text: str, name: str) -> tuple[Rule, ...]:
    """Raises UserError and says which rule is wrong."""
    try:
        rows = tomllib.loads(text).get("rule", [])
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{shown(name)} is not a list of rules: {error}.") from None
    if not isinstance(rows, list) or not rows:
        raise UserError(f"{shown(name)} has no [[rule]].")
    if len(rows) > MAX_RULES:
        raise UserError(f"{shown(name)} has more than {MAX_RULES} rules.")
    return tuple(_rule(row, f"{shown(name)}, rule {number}") for number, row in enumerate(rows, start=1))


def _rule(row: Any, where: str) -> Rule:
    if not isinstance(row, dict) or row.keys() - _KEYS:
        unknown = ", ".join(sorted(map(str, row.keys() - _KEYS))) if isinstance(row, dict) else "this"
        raise UserError(f"{where}: {unknown} is not known; known are {', '.join(sorted(_KEYS))}.")
    kind, weight, lasts = row.get("kind"), row.get("weight", "should"), row.get("lasts")
    if kind not in KINDS:
        raise UserError(f"{where}: kind is one of {', '.join(KINDS)}.")
    if weight not in HIT_WEIGHTS:
        raise UserError(f"{where}: weight is one of {', '.join(HIT_WEIGHTS)}.")
    if lasts is not None and not isinstance(lasts, bool):
        raise UserError(f"{where}: lasts is true or false.")
    try:
        pattern = None if "name" not in row else re.compile(str(row["name"]), re.IGNORECASE)
    except re.error as error:
        raise UserError(f"{where}: '{row['name']}' is not a regular expression: {error}.") from None
    return Rule(kind, pattern, _words(row.get("colour")), _words(row.get("kind_of")), lasts, weight)


def _words(value: Any) -> frozenset[str]:
    words = [value] if isinstance(value, str) else value or []
    return frozenset(str(word).lower() for word in words)


def map_markers(markers: MarkerList, film: Film, rules: Sequence[Rule] | None = None) -> Mapping:
    """What the markers become.  Every marker has a row; one that becomes nothing says why."""
    rules = default_rules() if rules is None else tuple(rules)
    first = [_first(marker, rules, film) for marker in markers.markers]
    ends = [row for row in first if row.kind == "cue end"]
    rows, names, used = [], set[str](), set[int]()
    for row in first:
        if row.kind == "cue end":
            continue
        if row.kind == "cue":
            if row.name in names:
                row = _ignored(row.marker, f"there is a cue {row.name} already")
            elif len(names) >= MAX_CUES:
                row = _ignored(row.marker, f"there are more than {MAX_CUES} cues")
            else:
                names.add(row.name)
                row = _with_end(row, ends, used)
        rows.append(row)
    rows += [_ignored(each.marker, f"there is no cue {each.name} before it") for each in ends if id(each) not in used]
    rows = _apart(rows)
    rows.sort(key=lambda row: (row.marker.start_s, row.marker.line))
    return Mapping(markers.source, tuple(rows), markers.reading, markers.notes)


def _first(marker: Marker, rules: Sequence[Rule], film: Film) -> Mapped:
    if not marker.inside:
        return _ignored(marker, "before the film" if marker.start_s < 0 else "after the film's end")
    for rule in rules:
        match = rule.match(marker)
        if match is False:
            continue
        groups = match.groupdict() if isinstance(match, re.Match) else {}
        title = (groups.get("title") or ("" if groups.get("changes") else marker.name)).strip()
        if rule.kind == "ignore":
            return _ignored(marker, "not the music's, by the rules")
        if rule.kind == "section":
            return _section(marker, title, groups.get("changes") or "")
        if rule.kind == "hit":
            return Mapped(marker, "hit", title, rule.weight)
        if not 1 <= len(title) <= MAX_CUE_NAME:
            return _ignored(marker, f"the name of a cue has 1 to {MAX_CUE_NAME} characters")
        out_s = None if marker.end_s is None else float(marker.end_s)
        return Mapped(marker, rule.kind, title, out_s=out_s)
    return _ignored(marker, "no rule fits")


def _as(row: Mapped, kind: str) -> Mapped:
    """A row that a person wants to be something else.  Raises MusicError."""
    marker = row.marker
    if kind != "ignore" and not marker.inside:
        raise MusicError(f"'{marker.name[:40]}' lies outside the film.")
    if kind == "ignore":
        return _ignored(marker, "as asked")
    name = row.name or marker.name
    if kind in ("hit", *HIT_WEIGHTS):
        return Mapped(marker, "hit", name, "should" if kind == "hit" else kind)
    if kind == "section":
        return Mapped(marker, "section", name, changes=row.changes)
    if kind == "cue":
        if not 1 <= len(name) <= MAX_CUE_NAME:
            raise MusicError(f"the name of a cue has 1 to {MAX_CUE_NAME} characters.")
        return Mapped(marker, "cue", name, out_s=None if marker.end_s is None else float(marker.end_s))
    raise MusicError(
        f"'{kind[:40]}' is not something that a marker can become: {', '.join((*ROW_KINDS, *HIT_WEIGHTS))}."
    )


def _section(marker: Marker, title: str, changes: str) -> Mapped:
    found = []
    pieces = changes.split(";") if ";" in changes else changes.split()
    for piece in pieces:
        name, equals, value = (each.strip() for each in piece.partition("="))
        try:
            if not equals:
                raise MusicError(f"'{piece.strip()[:40]}' changes nothing; write name=value.")
            check_change(name, value)
        except (UserError, ValueError) as error:
            return _ignored(marker, str(error).rstrip("."))
        found.append((name, value))
    return Mapped(marker, "section", title, changes=tuple(found))


def _ignored(marker: Marker, why: str) -> Mapped:
    return Mapped(marker, "ignore", marker.name, why=why)


def _with_end(row: Mapped, ends: Sequence[Mapped], used: set[int]) -> Mapped:
    """A cue with the Out that another marker gives: of the same name, or of the same number."""
    if row.out_s is not None:
        return row
    number = row.name.split()[0].lower()
    for end in ends:
        same = end.name.lower() == row.name.lower() or end.name.split()[0].lower() == number
        if same and id(end) not in used and end.start_s > row.start_s:
            used.add(id(end))
            return Mapped(row.marker, "cue", row.name, out_s=end.start_s)
    return row


def _apart(rows: Sequence[Mapped]) -> list[Mapped]:
    """The rows with cues that do not overlap: one ends where the next begins, at the latest."""
    result: list[Mapped] = []
    last: int | None = None
    for row in sorted(rows, key=lambda each: (each.marker.start_s, each.marker.line)):
        if row.kind == "cue":
            if last is not None and result[last].start_s >= row.start_s:
                row = _ignored(row.marker, f"cue {result[last].name} begins at the same frame")
            else:
                if last is not None and (out_s := result[last].out_s) is not None and out_s > row.start_s:
                    before = result[last]
                    result[last] = Mapped(before.marker, "cue", before.name, out_s=row.start_s)
                last = len(result)
        result.append(row)
    return result


def table(mapping: Mapping, film: Film) -> list[str]:
    """Lines that show what a file becomes: place, frame, what, name; then what was left out and why."""
    lines = [f"{shown(mapping.source)}: {mapping.counts}; {mapping.reading}", *mapping.notes]
    for number, row in enumerate(mapping.rows, start=1):
        at = film.timecode_at(max(row.start_s, 0.0) + 1e-6) if row.marker.inside else "outside"
        what = f"hit {row.weight}" if row.kind == "hit" else "left out" if row.kind == "ignore" else row.kind
        words = row.name
        if row.out_s is not None:
            words += f"  to {film.timecode_at(row.out_s + 1e-6)}"
        if row.changes:
            words += "  " + "; ".join(f"{name}={value}" for name, value in row.changes)
        if row.why:
            words += f"  ({row.why})"
        lines.append(f"{number:4}  {at!s:12}  {row.start_s:10.3f} s  {what:11}  {words}".rstrip())
    return lines
