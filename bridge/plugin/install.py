"""`cuebridge install-plugin`: builds the plugin with the C compiler here, and puts it where DAWs look for plugins."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.music import UserError

SOURCES: Final = Path(__file__).resolve().parents[2] / "plugin"
FORMATS: Final = ("clap", "lv2")
CORE: Final = ("plan", "score", "core", "wire", "platform", "instance")
FLAGS: Final = ("-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-shared")
BUILD_S: Final = 300.0
LV2_URI: Final = b"urn:cuebridge:plugin"  # in every file of ours, and in nobody else's
CLAP_ID: Final = b"org.cuebridge.plugin"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a format goes.  bundle: a folder with the library and its description."""

    format: str
    path: Path

    @property
    def bundle(self) -> bool:
        return self.format == "lv2"

    @property
    def aside(self) -> Path:
        return self.path.with_name(f".{self.path.name}.new")


def places(formats: tuple[str, ...], home: Path) -> list[Place]:
    """The user's own folders, by the specifications of CLAP and LV2."""
    usual = {"clap": home / ".clap" / "cuebridge.clap", "lv2": home / ".lv2" / "cuebridge.lv2"}
    return [Place(each, usual[each]) for each in formats]


def check_system(system: str = sys.platform) -> str:
    """The C compiler.  Raises UserError where the plugin cannot be built."""
    if not system.startswith("linux"):
        raise UserError(
            "the plugin is built from source on Linux only so far; here the DAW gets its notes through the MIDI port."
        )
    found = shutil.which("cc")
    if found is None:
        raise UserError("there is no C compiler (cc): install one, for instance the package gcc, and run this again.")
    return found


def install(formats: tuple[str, ...], home: Path, dry_run: bool = False) -> list[str]:
    """Returns what was done, a sentence a line.  Raises UserError, and nothing has changed then."""
    compiler = check_system()
    wanted = places(formats, home)
    for place in wanted:
        check_is_ours(place)
    said = [f"{'would write' if dry_run else 'wrote'} {place.path}" for place in wanted]
    if dry_run:
        return said
    with tempfile.TemporaryDirectory() as folder:
        built = [build(place.format, Path(folder), compiler) for place in wanted]
        try:
            for place, made in zip(wanted, built, strict=True):
                with _writing(place.path):
                    put_aside(made, place)
            for place in wanted:
                with _writing(place.path):
                    take_place(place)
        finally:
            for place in wanted:
                with contextlib.suppress(OSError):
                    _remove(place.aside)
    return said


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from None


def build(format_: str, folder: Path, compiler: str) -> Path:
    """The plugin of one format in a folder.  Raises UserError with what the compiler says."""
    if format_ == "lv2":
        bundle = folder / "cuebridge.lv2"
        bundle.mkdir()
        shutil.copy(SOURCES / "lv2" / "cuebridge.ttl", bundle)
        manifest = (SOURCES / "lv2" / "manifest.ttl.in").read_text(encoding="utf-8").replace("@LIBRARY@", ".so")
        (bundle / "manifest.ttl").write_text(manifest, encoding="utf-8")
        made, library = bundle, bundle / "cuebridge.so"
    else:
        made = library = folder / "cuebridge.clap"
    sources = [str(SOURCES / "src" / f"{name}.c") for name in (*CORE, format_)]
    command = [compiler, *FLAGS, "-o", str(library), *sources, "-lm", "-lpthread"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the plugin cannot be built: {error}.") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[-1:]
        raise UserError(f"the plugin cannot be built: {lines[0] if lines else 'the compiler gave no reason'}")
    return made


def check_is_ours(place: Place) -> None:
    """Raises UserError where something of that name is there that we did not write."""
    path = place.path
    if not os.path.lexists(path):
        return
    proof, name = (path / "cuebridge.ttl", LV2_URI) if place.bundle else (path, CLAP_ID)
    try:
        ours = not path.is_symlink() and proof.is_file() and name in proof.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None
    if not ours:
        raise UserError(f"{path} is there and is not CueBridge's plugin; move it away and run this again.")


def put_aside(made: Path, place: Place) -> None:
    """Beside its place: a DAW that has the old one open keeps it."""
    place.path.parent.mkdir(parents=True, exist_ok=True)
    _remove(place.aside)
    if place.bundle:
        shutil.copytree(made, place.aside)
    else:
        shutil.copyfile(made, place.aside)
        place.aside.chmod(0o755)


def take_place(place: Place) -> None:
    """What is aside takes its place; a folder cannot be replaced in one step."""
    if not place.bundle:
        os.replace(place.aside, place.path)
        return
    old = place.path.with_name(f".{place.path.name}.old")
    _remove(old)
    if place.path.exists():
        os.replace(place.path, old)
    os.replace(place.aside, place.path)
    _remove(old)


def uninstall(formats: tuple[str, ...], home: Path, dry_run: bool = False) -> list[str]:
    """Takes away what `install` wrote.  Raises UserError."""
    said = []
    there = [place for place in places(formats, home) if os.path.lexists(place.path)]
    for place in there:
        check_is_ours(place)
    for place in there:
        said.append(f"{'would remove' if dry_run else 'removed'} {place.path}")
        if not dry_run:
            try:
                _remove(place.path)
            except OSError as error:
                raise UserError(f"{place.path} cannot be removed: {error.strerror or error}.") from None
    return said or ["the plugin is not installed there"]


def installed(home: Path) -> list[str]:
    """Formats that are there, for `doctor`."""
    return [place.format.upper() for place in places(FORMATS, home) if place.path.exists()]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
