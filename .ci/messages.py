"""Every sentence that refuses something or tells a person something, in docs/troubleshooting.md under its advice.

    python .ci/messages.py    writes the page's lists anew; a test says whether they are as the code has them

A list stands between `<!-- sentences: FOLDER OR FILE … -->` and `<!-- end -->`; the longest name that fits a file gets
its sentences.  What is filled in while the program runs is shown as an ellipsis.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
DESCRIPTIONS = ("help", "description", "epilog", "usage", "doc", "summary")  # keywords
DESCRIBED = ("Control", "_do", "_value", "_state", "_list")  # rows of the table of controls
LONGEST = 500  # a page is no sentence
BLOCK = re.compile(r"<!-- sentences: ([^>]*?) -->\n.*?<!-- end -->\n", re.DOTALL)


def words(node: ast.expr | None) -> Iterator[str]:
    """The texts that an expression can be, with … for what is not known here."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        case ast.IfExp():
            yield from words(node.body)
            yield from words(node.orelse)
        case ast.BinOp(op=ast.Add()):
            for left in [*words(node.left)] or ["…"]:
                for right in [*words(node.right)] or ["…"]:
                    yield left + right


def refused(tree: ast.Module) -> Iterator[str]:
    """The sentences of all exceptions that are raised for a person, and of `parser.error`.  Python's own exceptions say
    faults of the program."""
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else node
        if not isinstance(call, ast.Call) or not call.args:
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        ours = name.endswith("Error") and not hasattr(builtins, name)
        if not (ours if isinstance(node, ast.Raise) else name == "error"):
            continue
        for text in words(call.args[-1]):
            sentence = re.sub(r"\s+", " ", text).strip()
            if len(re.sub(r"[^A-Za-z]", "", sentence)) > 3 and " " in sentence:
                yield sentence


def told(tree: ast.Module) -> Iterator[str]:
    """Texts that read as a sentence and are neither docstrings nor what --help and the table of controls describe."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.keyword) and node.arg in DESCRIPTIONS:
            continue
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in DESCRIBED:
            continue
        if isinstance(node, ast.Raise):
            continue  # ours are in `refused`; Python's own say faults of the program
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            for text in words(node):
                sentence = re.sub(r"\s+", " ", text).strip()
                if sentence.endswith(".") and len(sentence.split()) >= 3 and len(sentence) < LONGEST:
                    yield sentence
            continue
        waiting.extend(ast.iter_child_nodes(node))


SCRIPT_TEXT = re.compile(r'"([^"\n]+\.)"|`([^`\n]+\.)`')


def told_by_script(script: str) -> Iterator[str]:
    """The same of a script of the page."""
    for found in SCRIPT_TEXT.finditer(script):
        sentence = re.sub(r"\$\{[^}]*\}", "…", found[1] or found[2]).strip()
        if len(sentence.split()) >= 3:
            yield sentence


@cache
def sentences() -> dict[str, list[str]]:
    """Path of each file of the product → its sentences, sorted."""
    found = {}
    for top in ("bridge", "engine", "models"):
        for path in sorted((ROOT / top).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            here = sorted({*refused(tree), *told(tree)}, key=str.casefold)
            if here:
                found[path.relative_to(ROOT).as_posix()] = here
        for path in sorted((ROOT / top).rglob("static/**/*.js")):
            here = sorted(set(told_by_script(path.read_text(encoding="utf-8"))), key=str.casefold)
            if here:
                found[path.relative_to(ROOT).as_posix()] = here
    return found


def written_anew(page: str) -> str:
    """The page with each list as the code has it.  Raises SystemExit where a file's sentences have no place on it."""
    places = {place: index for index, names in enumerate(BLOCK.findall(page)) for place in names.split()}
    lists: dict[int, set[str]] = {index: set() for index in places.values()}
    for path, here in sentences().items():
        fitting = [place for place in places if path == place or path.startswith(place + "/")]
        if not fitting:
            raise SystemExit(f"{path} has sentences for a person, and docs/troubleshooting.md has no list for it.")
        lists[places[max(fitting, key=len)]].update(here)
    index = -1

    def block(found: re.Match[str]) -> str:
        nonlocal index
        index += 1
        lines = "".join(f"- `{each.replace('`', chr(39))}`\n" for each in sorted(lists[index], key=str.casefold))
        return f"<!-- sentences: {found[1]} -->\n\n{lines}\n<!-- end -->\n"

    return BLOCK.sub(block, page)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(written_anew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
