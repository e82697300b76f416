"""A unit of work: one film, done by a child process, kept under the key of its content and settings.

A unit's result depends on the film and on the settings alone, never on what was done before it or beside it.  The
child writes beside the result, which is then renamed: what is there is whole.  A child that a person has to act on
(exit code 2) is set aside with its sentence at once; one that dies is started once more, then set aside.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.batch.child import MEMORY, PARENT
from engine.music.errors import UserError, shown
from engine.music.files import write_whole

RESULT: Final = "{result}"  # in the words of a unit: the file that the child is to write
PROGRAM: Final = (sys.executable, "-m", "engine")
TRIES: Final = 2
_LONGEST_REASON: Final = 400
_PARTS_S: Final = 24 * 3600.0  # as old as that, nobody is still writing them
# One thread a unit: there are as many units as there are cores.
_ONE_THREAD: Final = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
}


@dataclass(frozen=True, slots=True)
class Unit:
    """source: the file that is worked on.  words: of `python -m engine`, RESULT stands for the file to write; without
    it the result is what the child prints.  settings: all that changes the result beside the source's content.
    """

    source: str
    words: tuple[str, ...]
    settings: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one unit: seconds until it is ended, and bytes of address space (0: as much as there is)."""

    seconds: float = 4 * 3600.0
    memory_bytes: int = 0


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Outcome:
    """state: "done" now, "kept" from before, or "aside", with the reason.  took_s: seconds of the child."""

    source: str
    key: str
    state: str
    reason: str = ""
    took_s: float = 0.0


def unit_key(unit: Unit) -> str:
    """Names the result: 32 hex digits of the content, 16 of the settings.  Raises VideoError for what is no file."""
    from engine.video.cache import content_key

    return f"{content_key(unit.source)}-{hashlib.blake2b(unit.settings.encode(), digest_size=8).hexdigest()}"


def result_path(folder: Path, key: str, suffix: str) -> Path:
    """Where a result is kept: 256 folders, so that none of them grows without bound."""
    return folder / key[:2] / f"{key}{suffix}"


def aside_path(folder: Path, key: str) -> Path:
    """Where it is said why a unit was set aside."""
    return folder / "aside" / f"{key}.json"


def set_aside(folder: Path, key: str, source: str, reason: str) -> None:
    """Writes down why a unit is not tried again."""
    path = aside_path(folder, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"source": os.path.basename(source), "reason": reason}).encode())


def do_unit(unit: Unit, folder: str, limits: Limits = DEFAULT_LIMITS) -> Outcome:
    """Does a unit where it is not done yet; raises nothing that the film is to blame for."""
    kept = Path(folder)
    try:
        key = unit_key(unit)
    except UserError as error:
        return Outcome(unit.source, "", "aside", str(error))
    result = result_path(kept, key, unit.suffix)
    if result.exists():
        return Outcome(unit.source, key, "kept")
    why = aside_path(kept, key)
    with contextlib.suppress(OSError, ValueError):
        return Outcome(unit.source, key, "aside", str(json.loads(why.read_bytes())["reason"]))
    result.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    reason, deaths = "", 0
    while deaths < TRIES:
        code, said = _run(unit, result, limits)
        if code == 0:
            return Outcome(unit.source, key, "done", took_s=time.monotonic() - began)
        if code == 2:
            reason = said or "it was refused without a reason."
            break
        deaths += 1
        ending = f"ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        reason = f"{ending}, {deaths} time{'s' * (deaths > 1)}{': ' + said if said else ''}"
    set_aside(kept, key, unit.source, reason)
    return Outcome(unit.source, key, "aside", reason, time.monotonic() - began)


def _run(unit: Unit, result: Path, limits: Limits) -> tuple[int, str]:
    """Exit code, negative for a signal, and the last line that the child wrote to stderr."""
    with _part_of(result) as part:
        words = [word.replace(RESULT, str(part)) for word in unit.words]
        prints = words == list(unit.words)
        environment = {**os.environ, **_ONE_THREAD, PARENT: str(os.getpid())}
        if limits.memory_bytes:
            environment[MEMORY] = str(limits.memory_bytes)
        output = part.open("wb") if prints else contextlib.nullcontext(subprocess.DEVNULL)
        with output as out:
            child = subprocess.Popen(
                [*PROGRAM, *words],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, env=environment, start_new_session=True,
            )  # fmt: skip
            try:
                _, errors = child.communicate(timeout=limits.seconds)
            except subprocess.TimeoutExpired:
                _end(child)
                return 2, f"it took more than {limits.seconds:g} s."
            except BaseException:
                _end(child)
                raise
        if child.returncode == 0:
            os.replace(part, result)
        return child.returncode, _last_line(errors)


@contextlib.contextmanager
def _part_of(result: Path) -> Iterator[Path]:
    part = result.with_name(f".{secrets.token_hex(6)}.part{result.suffix}")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends a child and what it started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.communicate()


def _last_line(errors: bytes) -> str:
    lines = [line.strip() for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    return shown(lines[-1].removeprefix("cuebridge: "), _LONGEST_REASON) if lines else ""


def clear_parts(folder: Path) -> None:
    """Removes what killed units left half written, a day old at least."""
    for part in folder.glob("??/.*.part*"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _PARTS_S:
                part.unlink()
