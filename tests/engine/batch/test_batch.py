"""Units of work: done once, resumed, set aside with their reason; here and by workers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.batch import units as work
from engine.batch.lists import sources
from engine.batch.pool import PoolOptions, run_units
from engine.batch.report import follow
from engine.batch.units import Limits, Unit, do_unit, result_path, unit_key
from engine.music.errors import UserError


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Lets a unit's child run a script in place of `python -m engine`: argv is the unit's words."""
    program = tmp_path / "child.py"
    monkeypatch.setattr(work, "PROGRAM", (sys.executable, str(program)))
    return lambda script: program.write_text("import os, sys, time, signal\n" + script)


@pytest.fixture
def source(tmp_path) -> str:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    return str(path)


def unit(source: str, *words: str, settings: str = "") -> Unit:
    return Unit(source, words, settings, ".txt")


def test_a_result_is_written_once_and_kept(child, source, tmp_path) -> None:
    child("open(sys.argv[2], 'w').write(sys.argv[1])")
    folder = tmp_path / "results"
    first = do_unit(unit(source, "hello", work.RESULT), str(folder))
    assert first.state == "done" and result_path(folder, first.key, ".txt").read_text() == "hello"
    child("sys.exit(9)")
    assert do_unit(unit(source, "hello", work.RESULT), str(folder)).state == "kept"
    assert do_unit(unit(source, "hello", settings="others"), str(folder)).state == "aside"
    Path(source).write_bytes(b"another film")
    assert unit_key(unit(source)) != first.key
    assert not list(folder.rglob(".*part*"))


def test_what_a_child_prints_is_the_result_where_it_writes_no_file(child, source, tmp_path) -> None:
    child("print('printed')")
    done = do_unit(unit(source, "say"), str(tmp_path / "results"))
    assert result_path(tmp_path / "results", done.key, ".txt").read_text() == "printed\n"


@pytest.mark.parametrize(
    ("script", "reason", "started"),
    [
        ("sys.stderr.write('cuebridge: It has no sound.\\n'); sys.exit(2)", "It has no sound.", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended by signal SIGKILL, 2 times", 2),
        ("sys.stderr.write('ValueError: no\\n'); sys.exit(1)", "ended with code 1, 2 times: ValueError: no", 2),
        ("time.sleep(60)", "it took more than 0.4 s.", 1),
    ],
)
def test_a_film_that_cannot_be_done_is_set_aside_with_its_reason(child, source, tmp_path, script, reason, started):
    log = tmp_path / "log"
    child(f"open({str(log)!r}, 'a').write('x')\n{script}")
    limits = Limits(0.4 if "sleep" in script else 60)
    folder = tmp_path / "results"
    found = do_unit(unit(source, work.RESULT), str(folder), limits)
    assert (found.state, found.reason) == ("aside", reason)
    assert (started == 1 and "sleep" in script) or len(log.read_text()) == started
    again = do_unit(unit(source, work.RESULT), str(folder))
    assert (again.state, again.reason) == ("aside", reason)
    assert not list(folder.rglob(".*part*")) and not list(folder.rglob("*.txt"))


def test_a_film_that_dies_once_is_done(child, source, tmp_path) -> None:
    mark = tmp_path / "mark"
    child(
        f"m = {str(mark)!r}\nif not os.path.exists(m):\n open(m, 'w').close(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "open(sys.argv[1], 'w').write('ok')"
    )
    assert do_unit(unit(source, work.RESULT), str(tmp_path / "results")).state == "done"


def test_what_is_no_file_is_set_aside_and_not_written_down(tmp_path) -> None:
    found = do_unit(unit(str(tmp_path / "no.mp4"), "x"), str(tmp_path / "results"))
    assert found.state == "aside" and "no file" in found.reason


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="whether the child still runs is read from /proc")
def test_a_child_ends_with_the_one_who_started_it(tmp_path) -> None:
    """Its parent is killed; the child sees it and ends."""
    script = (
        "import os, subprocess, sys, time\n"
        "os.environ['CUEBRIDGE_PARENT'] = str(os.getpid())\n"
        "code = 'from engine.batch import child as u; u._LOOK_EVERY_S = 0.05; u.obey_unit_limits();'\n"
        "code += 'import time, os; assert not os.environ.get(u.PARENT); print(1, flush=True); time.sleep(60)'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until = time.monotonic() + 10
    while time.monotonic() < until and _runs(pid):
        time.sleep(0.05)
    assert not _runs(pid)
    parent.stdout.close()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_films_are_found_in_folders_and_lists(tmp_path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.mp4", "a.MOV", "sub/c.mkv", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).write_bytes(b"")
    names = [os.path.relpath(each, tmp_path) for each in sources(tmp_path)]
    assert names == ["a.MOV", "b.mp4", "sub/c.mkv"]
    (tmp_path / "list.txt").write_text("# films\nsub/c.mkv\n\nb.mp4\nsub/../b.mp4\n")
    assert [os.path.relpath(each, tmp_path) for each in sources(tmp_path / "list.txt")] == ["b.mp4", "sub/c.mkv"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "none.txt").write_text("# nothing\n")
    for bad in ("empty", "nowhere", "binary", "none.txt"):
        with pytest.raises(UserError):
            sources(tmp_path / bad)


def test_a_run_says_what_became_of_each(child, tmp_path) -> None:
    child("open(sys.argv[2], 'w').write('x') if 'good' in sys.argv[1] else sys.exit(2)")
    units = []
    for name in ("good1", "bad", "good2"):
        (tmp_path / name).write_text(name)
        units.append(unit(str(tmp_path / name), name, work.RESULT))
    with open(os.devnull, "w") as nowhere:
        report = follow(run_units(units, tmp_path / "results", PoolOptions()), 3, nowhere)
    report.write(tmp_path / "report.json")
    found = json.loads((tmp_path / "report.json").read_text())
    assert (found["files"], found["done"], [each["file"] for each in found["aside"]]) == (3, 2, ["bad"])


def test_pools_are_asked_for_in_sensible_words() -> None:
    for wrong in ({"workers": 0}, {"workers": 99999}, {"scheduler": "localhost"}):
        with pytest.raises(UserError):
            PoolOptions(**wrong)
    assert PoolOptions().host == "127.0.0.1"


@pytest.mark.slow
def test_workers_do_what_one_does_and_a_killed_one_costs_nothing(child, tmp_path) -> None:
    """One film kills the worker that does it, every time; another kills its first worker; eight are well."""
    pytest.importorskip("distributed")
    child(
        "name, out = sys.argv[1:3]\n"
        f"mark = os.path.join({str(tmp_path)!r}, 'mark-' + name)\n"
        "if name == 'killer' or name == 'once' and not os.path.exists(mark):\n"
        " open(mark, 'w').close(); os.kill(os.getppid(), signal.SIGKILL); time.sleep(5)\n"
        "time.sleep(0.2); open(out, 'w').write(name)"
    )
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        "from engine.batch import units as work\n"
        f"work.PROGRAM = {work.PROGRAM!r}\n"  # workers are spawned, so they read this too
        "from engine.batch.pool import PoolOptions, run_units\n"
        "if __name__ == '__main__':\n"
        f" base = Path({str(tmp_path)!r})\n"
        " names = [f'good{n}' for n in range(8)] + ['killer', 'once']\n"
        " for name in names: (base / name).write_text(name)\n"
        " units = [work.Unit(str(base / name), (name, work.RESULT), '', '.txt') for name in names]\n"
        " for each in run_units(units, base / 'results', PoolOptions(workers=2)):\n"
        "  print(Path(each.source).name, each.state, each.reason, flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    command = [sys.executable, str(script)]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    found = {line.split()[0]: line.split(maxsplit=2)[1:] for line in ran.stdout.splitlines()}
    assert found.pop("killer") == ["aside", "the worker that did it died, 2 times"]
    assert len(found) == 9 and {state[0] for state in found.values()} == {"done"}, ran.stdout
