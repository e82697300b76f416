"""What the hosts can read: Python 3.7 for REAPER and Live 11, ECMAScript 5 for Bitwig and Cubase, Lua for Ardour.

And what the scripts may use: the standard library of their host and its documented calls, nothing of ours.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sorted((ROOT / "daw_scripts/reaper").rglob("*.py")) + sorted((ROOT / "daw_scripts/ableton").rglob("*.py"))
JAVASCRIPT = sorted((ROOT / "daw_scripts").rglob("*.js"))
LUA = sorted((ROOT / "daw_scripts").rglob("*.lua"))

# What came after ECMAScript 5.1 (2011); comments and strings are taken out before looking.
AFTER_ES5 = {
    "let, const or class": r"\b(?:let|const|class|import|export|async|await|yield)\s+[\w*{]",
    "an arrow function": r"=>",
    "a template string": r"`",
    "for … of": r"\bfor\s*\([^;)]*\bof\b",
    "a spread or rest": r"\.\.\.",
    "a power": r"\*\*",
    "a default argument": r"\bfunction\b[^(]*\([^)]*=[^)]*\)",
    "a shorthand method": r"[{,]\s*(?!(?:if|for|while|switch|function|catch|with)\b)\w+\s*\([^()]*\)\s*\{",
    "destructuring": r"\bvar\s*[\[{]",
    "a computed key": r"[{,]\s*\[[^\]]+\]\s*:",
    "a newer number": r"\b0[bBoO][0-7]",
    "optional chaining": r"\?\.\w|\?\?",
    "a newer method": r"\.(?:includes|startsWith|endsWith|padStart|padEnd|repeat|find|findIndex|fill|entries|flat)\(",
    "a newer object": r"\b(?:Map|Set|WeakMap|Symbol|Promise|Proxy|Reflect)\b|Object\.(?:assign|entries|values)",
    "a newer function": r"Number\.is|Math\.(?:trunc|sign|log2|hypot)",
}


def bare(source: str) -> str:
    """Without comments and strings."""
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", '""', source, flags=re.DOTALL)


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_python_3_7_and_the_standard_library_alone(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 7))
    own = {"cuebridge"} if "ableton" in path.parts else set()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names or top in {"reaper_python", "Live"} | own, name
            assert top not in ("threading", "multiprocessing", "asyncio", "subprocess"), name
    # Newer than 3.7 though the grammar lets them through:
    source = path.read_text()
    assert not re.search(r"\.removeprefix\(|\.removesuffix\(|strict=|\bmath\.prod\b|\bmatch \w+:$", source)


@pytest.mark.parametrize("path", JAVASCRIPT, ids=lambda path: path.name)
def test_es5(path):
    source = bare(path.read_text())
    for what, pattern in AFTER_ES5.items():
        found = re.search(pattern, source)
        assert found is None, f"{what}: {source[max(0, found.start() - 40) : found.end() + 20]!r}"
    if shutil.which("node") is None:
        pytest.skip("node is not installed: the grammar was looked at, not parsed")
    subprocess.run(["node", "--check", str(path)], check=True)


@pytest.mark.parametrize(
    "source",
    ["let x = 1;", "var f = (a) => a;", "var s = `x`;", "for (var a of b) {}", "f(...a);", "function f(a = 1) {}",
     "var o = { f(a) { } };", "var [a, b] = c;", "x.includes(1)", "new Map()", "a?.b", "2 ** 3"],
)  # fmt: skip
def test_the_es5_check_finds_what_is_newer(source):
    assert any(re.search(pattern, bare(source)) for pattern in AFTER_ES5.values())


@pytest.mark.parametrize("path", LUA, ids=lambda path: path.name)
def test_lua_compiles_in_ardours_own_interpreter(path, tmp_path):
    if shutil.which("ardour7-lua") is None:
        pytest.skip("ardour7-lua is not installed")
    check = tmp_path / "check.lua"
    check.write_text(f'local f, e = loadfile ("{path}"); print (f and "compiles" or e); quit ()')
    done = subprocess.run(
        ["ardour7-lua", str(check)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert "compiles" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("path", [p for p in LUA if "scripts" in p.parts[-2]], ids=lambda path: path.name)
def test_ardours_scripts_survive_being_kept_as_bytecode(path, tmp_path):
    """Ardour keeps the factory as bytecode: a name from outside it would be lost."""
    if shutil.which("ardour7-lua") is None:
        pytest.skip("ardour7-lua is not installed")
    check = tmp_path / "check.lua"
    check.write_text(
        "function ardour () end\n"
        f'local env = setmetatable ({{}}, {{ __index = _G }}); assert (loadfile ("{path}", "t", env)) ()\n'
        "local kept = string.dump (env.factory)\n"
        "local i, names = 1, {}\n"
        "while true do local n = debug.getupvalue (env.factory, i); if not n then break end\n"
        "names[#names + 1] = n; i = i + 1 end\n"
        'print ("outside: " .. table.concat (names, ","))\n'
        'print (load (kept, "kept", "b") and "loads" or "lost"); quit ()\n'
    )
    done = subprocess.run(
        ["ardour7-lua", str(check)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert "loads" in done.stdout, done.stdout + done.stderr
    outside = re.search(r"outside: (.*)", done.stdout)[1]
    assert outside in ("", "_ENV"), outside


# How the objects of a host are called in our scripts: what follows them is a call into the host.
LIVE_OBJECTS = r"\b(?:song|self\._song|self\._live|clip|track|slots?(?:\[0\])?|cue|told|live|Live)\.(\w+(?:\.\w+)*)"
LUA_OBJECTS = r"\b(?:Session|Editor|tm|track|midi|model|region|l|control|osc|point|meter|route|note)\s*:\s*(\w+)"
JS_OBJECTS = (
    r"\.((?:create|is[A-Z]|play[A-Z]|arranger[A-Z]|mOn|make|detect|expect|define|sendM|register|connectTo|"
    r"get[A-Z]|add|set(?:Raw|Should)|schedule|markInterested|deleteObject)\w*)"
)
NOT_OF_THE_HOST = {"getTime", "append", "strip", "lower"}


def test_every_host_call_is_in_the_table_of_its_documentation():
    """docs/daw/host-calls.md lists each call with its source; what a script calls and the page does not have fails."""
    page = (ROOT / "docs/daw/host-calls.md").read_text()
    listed = set(re.findall(r"`([\w.]+)`", page))
    called = set()
    for path in PYTHON:
        called |= set(re.findall(r"\b(RPR_\w+|rpr_getfp)\b", path.read_text()))
    called |= {
        name for name in re.findall(LIVE_OBJECTS, (ROOT / "daw_scripts/ableton/CueBridge/cuebridge.py").read_text())
    }
    for path in JAVASCRIPT:
        called |= set(re.findall(JS_OBJECTS, bare(path.read_text())))
    for path in LUA:
        if path.name != "headless.lua":
            called |= set(re.findall(LUA_OBJECTS, path.read_text()))
    called = {
        re.sub(r"\.(?:strip|lower|append|split|name)$", "", re.sub(r"\.strip\.lower$", "", name)) for name in called
    }
    assert (
        sorted(name for name in called - NOT_OF_THE_HOST if name.split(".")[0] not in listed and name not in listed)
        == []
    )
