"""Functions of more than 60 lines or 6 parameters, each with its reason.

    python .ci/sizes.py            lists them, longest first
    python .ci/sizes.py --check    names those without a reason, and reasons without need (a test does, too)

Docstrings, `self` and `cls` do not count.  A reason stands in a comment above the function:

    # size: every branch reads and moves the same six variables.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("bridge", "engine", "models")
MOST_LINES, MOST_PARAMETERS = 60, 6
MARK = "# size: "


@dataclass(frozen=True)
class Size:
    """A function.  place: path:line of its def.  reason: what its comment says, "" where there is none."""

    place: str
    name: str
    lines: int
    parameters: int
    reason: str

    @property
    def is_large(self) -> bool:
        return self.lines > MOST_LINES or self.parameters > MOST_PARAMETERS

    def __str__(self) -> str:
        return f"{self.lines:4} lines, {self.parameters:2} parameters  {self.place} {self.name}: {self.reason or '-'}"


def sizes(source: str, path: str) -> Iterator[Size]:
    """Of all functions, methods and functions inside functions."""
    text = source.splitlines()

    def visit(node: ast.AST, prefix: str, in_class: bool) -> Iterator[Size]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield _size(child, text, path, prefix, in_class)
                yield from visit(child, f"{prefix}{child.name}.", False)
            elif isinstance(child, ast.ClassDef):
                yield from visit(child, f"{prefix}{child.name}.", True)
            else:
                yield from visit(child, prefix, in_class)

    yield from visit(ast.parse(source), "", False)


def _size(node: ast.FunctionDef | ast.AsyncFunctionDef, text: list[str], path: str, prefix: str, method: bool) -> Size:
    given = node.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    if method and names[:1] in (["self"], ["cls"]):
        del names[0]
    first = node.body[0]
    is_doc = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    doc = (first.end_lineno or 0) - first.lineno + 1 if is_doc else 0
    lines = (node.end_lineno or 0) - node.lineno + 1 - doc
    top = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1  # of text, the line of the def
    said: list[str] = []
    while top > 0 and text[top - 1].strip().startswith("#"):
        top -= 1
        said.insert(0, text[top].strip())
    reason = " ".join(each.removeprefix("#").strip() for each in said)
    reason = reason.partition(MARK.removeprefix("# "))[2] if any(each.startswith(MARK) for each in said) else ""
    starred = (given.vararg is not None) + (given.kwarg is not None)
    return Size(f"{path}:{node.lineno}", prefix + node.name, lines, len(names) + starred, reason)


def all_sizes() -> list[Size]:
    """Of the product's code."""
    found: list[Size] = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found += sizes(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    return found


def faults(found: list[Size]) -> list[str]:
    """A sentence for each large function without a reason and each reason without need."""
    said = [f"{each} (say why in a comment above it: '{MARK}…')" for each in found if each.is_large and not each.reason]
    return said + [f"{each} (the reason is no longer needed)" for each in found if each.reason and not each.is_large]


def main() -> int:
    found = all_sizes()
    if "--check" in sys.argv:
        wrong = faults(found)
        sys.stdout.write("".join(f"{each}\n" for each in wrong))
        return 1 if wrong else 0
    large = sorted((each for each in found if each.is_large), key=lambda each: (-each.lines, -each.parameters))
    sys.stdout.write("".join(f"{each}\n" for each in large))
    sys.stdout.write(
        f"{len(large)} of {len(found)} functions are over {MOST_LINES} lines or {MOST_PARAMETERS} parameters\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
