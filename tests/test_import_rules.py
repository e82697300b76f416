"""Imports go one way, and the performing side stays light.

bridge -> engine.music, engine.document, engine.arrange, engine.brief, engine.midifile, engine.interchange,
engine.user_folders, engine.process.messages, .requests and .why only; engine -> models; models -> engine.music only;
daw_scripts import nothing of ours;
engine.music, engine.document, engine.arrange and engine.process.messages are pure, and engine.document imports nothing
of ours but engine.music.
"""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from livelab import Live, short_film

ROOT = Path(__file__).resolve().parent.parent
OURS = ("engine", "bridge", "models", "daw_scripts")
HEAVY = ("torch", "cv2", "open_clip", "torchvision", "scenedetect", "av", "matplotlib", "music21", "pretty_midi")
# The places where the bridge names processes of the engine: spawn targets, imported in the child.
SPAWN_TARGETS = {
    "bridge/engine_link.py": {"engine.process.worker"},
    "bridge/page/children.py": {"engine.process.media", "engine.sound.stream"},
    "bridge/page/speaker.py": {"engine.sound.playback"},
}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(path: Path) -> frozenset[str]:
    """Every absolute module name a file imports, inside functions too, but not under TYPE_CHECKING."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = list(path.relative_to(ROOT).parent.parts)
                module = ".".join(base[: len(base) - node.level + 1] + ([module] if module else []))
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names if module in OURS)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(_tree(path))
    return frozenset(names)


def _files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _under(name: str, *prefixes: str) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", _files("bridge"), ids=_relative)
def test_bridge_imports_only_the_pure_side_of_the_engine(path):
    allowed = (
        "bridge", "engine.music", "engine.document", "engine.arrange", "engine.brief", "engine.midifile",
        "engine.process.messages", "engine.process.requests", "engine.process.why", "engine.interchange",
        "engine.user_folders",
    )  # fmt: skip
    named = SPAWN_TARGETS.get(_relative(path), set())
    for name in _imports(path):
        if _under(name, *OURS) and name != "engine" and not any(_under(name, target) for target in named):
            assert _under(name, *allowed), f"{_relative(path)} imports {name}"
        assert not _under(name, *HEAVY), f"{_relative(path)} imports {name}"


@pytest.mark.parametrize("path", _files("engine"), ids=_relative)
def test_engine_never_imports_the_bridge(path):
    for name in _imports(path):
        assert not _under(name, "bridge", "daw_scripts"), f"{_relative(path)} imports {name}"


@pytest.mark.parametrize("path", _files("models"), ids=_relative)
def test_models_import_only_the_vocabulary(path):
    for name in _imports(path):
        if _under(name, *OURS) and name != "engine":
            assert _under(name, "models", "engine.music"), f"{_relative(path)} imports {name}"


@pytest.mark.parametrize("path", _files("daw_scripts"), ids=_relative)
def test_daw_scripts_import_nothing_of_ours(path):
    for name in _imports(path):
        assert not _under(name, "engine", "bridge", "models"), f"{_relative(path)} imports {name}"


PURE = [
    *_files("engine/music"), *_files("engine/document"), *_files("engine/arrange"),
    ROOT / "engine" / "process" / "messages.py", ROOT / "engine" / "process" / "requests.py",
]  # fmt: skip


@pytest.mark.parametrize("path", PURE, ids=_relative)
def test_the_vocabulary_is_pure(path):
    place = _relative(path)
    allowed = ("engine.music", "engine.document", "engine.arrange", "engine.process.messages")
    if place.startswith("engine/music/"):
        allowed = ("engine.music",)
    elif place.startswith("engine/document/file/"):
        allowed = ("engine.music", "engine.document", "msgspec")
    elif place.startswith("engine/document/"):
        allowed = ("engine.music", "engine.document")
    for name in _imports(path):
        top = name.partition(".")[0]
        assert top in sys.stdlib_module_names or name == "engine" or _under(name, *allowed), (
            f"{_relative(path)} imports {name}"
        )


def _loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    ["import bridge.cli", "import bridge.session.session", "import bridge.player.process", "import bridge.osc.server"],
)
def test_the_performing_side_loads_nothing_heavy(statement):
    loaded = _loaded_after(statement)
    assert not loaded & set(HEAVY)
    assert "engine.process.worker" not in loaded


def test_the_command_line_loads_next_to_nothing():
    # `spawn` re-imports this module in every child, and --help must answer at once.
    assert not _loaded_after("import bridge.cli") & {"numpy", "rich", "mido", "rtmidi", "pythonosc", "asyncio"}


@pytest.mark.parametrize(
    "statement",
    [
        "from engine.composer import Composer; Composer()",
        "import engine.commands.compose, engine.commands.plot, engine.commands.tempo, engine.commands.score",
        "import models.decoding, models.selection, models.runtime, models.training.systems",
        "from models.training.cli import main; main(['info'])",
    ],
)
def test_composing_needs_no_torch(statement):
    assert "torch" not in _loaded_after(statement)


def test_looking_and_composing_work_where_torch_is_not_installed(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    # For children, too; who asks for it and goes on without is seen by the file.
    (blocked / "torch.py").write_text(
        f"open({str(tmp_path / 'asked')!r}, 'w').close()\nraise ModuleNotFoundError('blocked', name='torch')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(blocked), str(ROOT)))}
    clip, cache = short_film(tmp_path / "film.mp4", 6.0), str(tmp_path / "cache")

    def engine(module, *words):
        command = [sys.executable, "-m", module, *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    done = engine("engine", "compose", str(clip), "--cache-dir", cache, "-o", "a.mid")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.mid").stat().st_size > 100
    for words in (
        ["tempo", str(clip), "--cache-dir", cache],
        ["score", "a.mid", "--video", str(clip)],
        ["plot", str(clip), "--cache-dir", cache, "-o", "a.png"],
    ):
        done = engine("engine", *words)
        assert done.returncode == 0, done.stderr
    program = Path(environment["PYTHONPATH"])
    with Live(clip, tmp_path, "--midi-api", "none", "--no-session", program=program) as live:
        live.ready()
        assert live.quit() == 0
    assert not (tmp_path / "asked").exists()
    done = engine("models.training.cli", "train", "amt", "--data", "nowhere")
    assert done.returncode == 2 and "cuebridge[train]" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("path", [*_files("engine"), *_files("bridge")], ids=_relative)
def test_no_label_of_timecode_is_read_without_its_clock(path):
    """`TimecodeClock` says at which rate a label counts: nothing else turns labels into seconds or back."""
    if _relative(path) == "engine/music/timecode.py":
        return
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Timecode":
            raise AssertionError(f"{_relative(path)}:{node.lineno} uses Timecode.{node.attr}; use a TimecodeClock")


def _modules():
    """Module name -> file, of everything of ours but the scripts for DAWs."""
    files = [path for folder in ("bridge", "engine", "models") for path in _files(folder)]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files}
    return {name: path for path, name in names.items()}


def test_no_module_imports_itself_in_a_circle():
    """Imports inside functions and under TYPE_CHECKING counted: a circle is two files that are one idea."""
    modules = _modules()
    imports = {}
    for name, path in modules.items():
        found = set()
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                found.update({each if each in modules else node.module for each in whole})
        imports[name] = {each for each in found if each in modules and each != name}
    left = dict(imports)
    while leaves := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in leaves:
            del left[name]
    while ends := [name for name in left if not any(name in needs for needs in left.values())]:
        for name in ends:  # these only need a circle
            del left[name]
    assert not left, sorted(left)
    # The command line names its commands by words, which are no imports: so no command may import it.
    assert not [name for name, needs in imports.items() if "bridge.cli" in needs]


@pytest.mark.parametrize("path", _files("bridge/session/edits"), ids=_relative)
def test_edits_are_pure(path):
    """They decide from the document and the moment alone."""
    for name in _imports(path):
        refused = ("bridge.session.session", "bridge.osc", "bridge.player", "bridge.daw", "bridge.engine_link")
        assert not _under(name, *refused, "time", "socket", "threading", "os"), f"{_relative(path)} imports {name}"


@pytest.mark.parametrize("path", _files("bridge/session"), ids=_relative)
def test_the_session_has_one_clock(path):
    if path.name != "now.py":
        assert "perf_counter()" not in path.read_text(encoding="utf-8"), f"{_relative(path)} reads a clock of its own"
