"""The pages: every link and picture leads somewhere, every page is in the site's contents."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def links(page: Path) -> list[str]:
    text = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [found for found in LINK.findall(re.sub(r"`[^`\n]*`", "", text)) if not re.match(r"[a-z]+:", found)]


def anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", head).lower()) for head in heads]
    return {head.strip().replace(" ", "-") for head in plain} | set(re.findall(r'id="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    dead = []
    for link in links(page):
        place, _, anchor = link.partition("#")
        target = page if not place else page.parent / place
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


def test_a_dead_link_would_be_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One head\n[a](none.md) [b](#one-head) [c](#nowhere) `[d](x.md)`\n")
    assert links(page) == ["none.md", "#one-head", "#nowhere"]
    assert anchors(page) == {"one-head"}


def test_every_page_is_in_the_contents():
    named = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert named == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}


def test_every_picture_is_shown_somewhere():
    shown = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [each.name for each in (DOCS / "pictures").iterdir() if each.name not in shown] == []


def test_the_page_of_palettes_is_as_the_data_has_it(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    import palettes

    assert palettes.page() == palettes.PAGE.read_text(encoding="utf-8"), "run: python .ci/palettes.py"
    assert palettes.page().count("| **") == 18


def test_every_sentence_for_a_person_is_in_troubleshooting(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    import messages

    page = messages.PAGE.read_text(encoding="utf-8")
    assert messages.written_anew(page) == page, "run: python .ci/messages.py"
    assert sum(map(len, messages.sentences().values())) > 900


def test_sentences_are_found_in_every_way_of_writing_them(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    import messages

    code = """
raise UserError("a plain one.")
raise ControlError("not_ready", f"there is no {thing} here.")
raise MusicError("it is long: " + ("so " if so else "not ") + "long.")
raise ValueError("a fault of the program.")
parser.error(f"--takes is 1 to 100, not {n}.")
"""

    assert sorted(messages.refused(ast.parse(code))) == [
        "--takes is 1 to 100, not ….",
        "a plain one.",
        "it is long: not long.",
        "it is long: so long.",
        "there is no … here.",
    ]


def test_sentences_that_only_tell_are_found_and_descriptions_are_not(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    import messages

    code = """
'''A module of some kind.'''
def f(parser, notes, port):
    '''It does what it does.'''
    parser.add_argument("--port", help="The port that is opened.")
    notes.append(f"the port {port} is back.")
    return Answer(note="nothing was " + "lost here.", pattern="a b.*")
raise ValueError("a fault of the program.")
"""
    assert sorted(messages.told(ast.parse(code))) == ["nothing was lost here.", "the port … is back."]
    script = 'say("The page is gone."); tell(`take ${number + 1} is ready.`); go("a.b.c.")'
    assert sorted(messages.told_by_script(script)) == ["The page is gone.", "take … is ready."]


ARCHITECTURE = DOCS / "architecture.md"


def rows_of_the_tree() -> set[str]:
    """Files and folders that the table under "Where things live" explains, as paths from the root."""
    text = ARCHITECTURE.read_text(encoding="utf-8").partition("## Where things live")[2].partition("\n## ")[0]
    found = set()
    for row in re.findall(r"^\| (`[^|]*`) \|", text, flags=re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", row)
        folder = first.rpartition("/")[0] if not first.endswith("/") else first.rstrip("/").rpartition("/")[0]
        found.add(first.rstrip("/"))
        for name in others:  # whole, or as seen from where the first lies
            found.add((name if (ROOT / name).exists() else f"{folder}/{name}").rstrip("/"))
    return found


def test_the_tree_in_architecture_is_there_and_explains_every_folder():
    rows = rows_of_the_tree()
    assert [name for name in sorted(rows) if not (ROOT / name).exists()] == []
    tops = ("bridge", "engine", "models")
    folders = {path.parent.relative_to(ROOT).as_posix() for top in tops for path in (ROOT / top).rglob("*.py")}
    assert sorted(folders - set(tops) - rows) == []


def test_every_file_that_architecture_names_is_there():
    names = {
        name
        for name in re.findall(r"`([^`\s]+)`", ARCHITECTURE.read_text(encoding="utf-8"))
        if re.search(r"\w\.(py|js|c|md|toml)$", name)
    }
    places = [ROOT / top for top in ("bridge", "engine", "models", "plugin", "daw_scripts", "tests", "docs")]
    there = {path.relative_to(ROOT).as_posix() for place in places for path in place.rglob("*.*")}
    there |= {path.name for path in ROOT.glob("*.*")}
    assert len(names) > 50
    assert [
        name for name in sorted(names) if not any(each == name or each.endswith(f"/{name}") for each in there)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_and_module_that_a_page_names_is_there(page):
    words = [
        found.split()[0] for found in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")) if found.strip()
    ]
    gone = [word for word in words if not is_there(word)]
    assert not gone


def is_there(word: str) -> bool:
    """Whether a file, module or name in a module of ours that a page names exists; True for any other word."""
    if re.fullmatch(r"(engine|bridge|models|tests|plugin|daw_scripts)(/[\w.*-]+)+/?", word):
        return any(ROOT.glob(word.rstrip("/")))
    if not re.fullmatch(r"(engine|bridge|models)(\.\w+)+", word):
        return True
    parts = word.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        source = next((each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file()), None)
        if source is not None:
            return (
                count == len(parts) or re.search(rf"\b{parts[count]}\b", source.read_text(encoding="utf-8")) is not None
            )
    return False


@pytest.mark.parametrize(
    "word", ["engine/harmony_plan.py", "engine.harmony_plan", "engine.harmony.plan.plam", "tests/no/"]
)
def test_a_file_that_is_gone_would_be_seen(word):
    assert not is_there(word)
