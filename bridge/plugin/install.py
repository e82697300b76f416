"""`cuebridge install-plugin`: puts the plugin where DAWs look for plugins, as it was released or built here."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.music import UserError
from engine.music.temporary import TemporaryFolder

SOURCES: Final = Path(__file__).resolve().parents[2] / "plugin"
PREBUILT: Final = SOURCES / "prebuilt"  # a folder for each system; there in what is released, not in a checkout
FORMATS: Final = ("clap", "vst3", "lv2")
CORE: Final = ("plan", "score", "core", "wire", "platform", "instance")
# Sources besides the core.
FACES: Final = {"clap": ("clap",), "vst3": ("main_thread", "quarters", "vst3"), "lv2": ("lv2",)}
FLAGS: Final = ("-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-shared")
BUILD_S: Final = 300.0
URI: Final = b"urn:cuebridge:plugin"  # in every LV2 and VST3 of ours, and in nobody else's
CLAP_ID: Final = b"org.cuebridge.plugin"
SYSTEMS: Final = {"linux": "linux", "darwin": "macos", "win32": "windows"}
FOLDERS: Final = {
    "linux": {"clap": ".clap", "vst3": ".vst3", "lv2": ".lv2"},
    "macos": {"clap": "Library/Audio/Plug-Ins/CLAP", "vst3": "Library/Audio/Plug-Ins/VST3"},
    "windows": {"clap": "AppData/Local/Programs/Common/CLAP", "vst3": "AppData/Local/Programs/Common/VST3"},
}  # below a user's home, by the specifications of the formats


def this_system() -> str:
    """linux, macos or windows: where the plugin can go at all.  Raises UserError elsewhere."""
    if sys.platform not in SYSTEMS:
        raise UserError(
            "the plugin is for Linux, macOS and Windows; here the DAW gets its notes through the MIDI port."
        )
    return SYSTEMS[sys.platform]


def this_build() -> str:
    """The folder of PREBUILT that fits this machine."""
    machine = platform.machine().lower()
    kind = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, machine)
    return "macos" if this_system() == "macos" else f"{this_system()}-{kind}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a format goes.  bundle: a folder with the library and its description."""

    format: str
    path: Path
    bundle: bool

    @property
    def aside(self) -> Path:
        return self.path.with_name(f".{self.path.name}.new")


def places(formats: tuple[str, ...], home: Path) -> list[Place]:
    """The user's own folders.  Raises UserError for a format that the system does not have."""
    system = this_system()
    folders = FOLDERS[system]
    for each in formats:
        if each not in folders:
            raise UserError(f"{each.upper()} is installed on Linux only; here take {' or '.join(folders)}.")
    return [
        Place(each, home / folders[each] / f"cuebridge.{each}", each != "clap" or system == "macos") for each in formats
    ]


def usual_formats() -> tuple[str, ...]:
    """Those that this system has."""
    return tuple(each for each in FORMATS if each in FOLDERS[this_system()])


def prebuilt(format_: str) -> Path | None:
    """What was released for this machine, if it is there and runs here."""
    made = PREBUILT / this_build() / f"cuebridge.{format_}"
    if this_system() == "linux" and platform.libc_ver()[0] != "glibc":
        return None  # musl and others: what is built here fits
    return made if made.exists() else None


def find_compiler() -> str:
    """The C compiler.  Raises UserError where the plugin cannot be built."""
    if this_system() != "linux":
        raise UserError(
            f"this installation brings no plugin for {this_build()}, as a released one does, and it is built from"
            " source on Linux only; meanwhile the DAW gets its notes through the MIDI port."
        )
    found = shutil.which("cc")
    if found is None:
        raise UserError("there is no C compiler (cc): install one, for instance the package gcc, and run this again.")
    return found


def install(formats: tuple[str, ...], home: Path, dry_run: bool = False) -> list[str]:
    """Returns what was done, a sentence a line.  Raises UserError, and nothing has changed then."""
    wanted = places(formats, home)
    for place in wanted:
        check_is_ours(place)
    ready = {place.format: prebuilt(place.format) for place in wanted}
    compiler = "" if all(ready.values()) else find_compiler()
    said = [f"{'would write' if dry_run else 'wrote'} {place.path}" for place in wanted]
    if dry_run:
        return said
    with TemporaryFolder() as folder:
        built = [ready[place.format] or build(place.format, folder, compiler) for place in wanted]
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
    made = library = folder / f"cuebridge.{format_}"
    if format_ == "lv2":
        made.mkdir()
        describe_lv2(made)
        library = made / "cuebridge.so"
    elif format_ == "vst3":
        library = made / "Contents" / f"{platform.machine()}-linux" / "cuebridge.so"
        library.parent.mkdir(parents=True)
    sources = [str(SOURCES / "src" / f"{name}.c") for name in (*CORE, *FACES[format_])]
    command = [compiler, *FLAGS, "-o", str(library), *sources, "-lm", "-lpthread"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the plugin cannot be built: {error}.") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[-1:]
        raise UserError(f"the plugin cannot be built: {lines[0] if lines else 'the compiler gave no reason'}")
    return made


def describe_lv2(bundle: Path) -> None:
    """What LV2 wants beside the library cuebridge.so."""
    shutil.copy(SOURCES / "lv2" / "cuebridge.ttl", bundle)
    manifest = (SOURCES / "lv2" / "manifest.ttl.in").read_text(encoding="utf-8").replace("@LIBRARY@", ".so")
    (bundle / "manifest.ttl").write_text(manifest, encoding="utf-8")


def check_is_ours(place: Place) -> None:
    """Raises UserError where something of that name is there that we did not write."""
    path = place.path
    if not os.path.lexists(path):
        return
    try:
        ours = not path.is_symlink() and any(_names_us(each, place.format) for each in _proofs(place))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None
    if not ours:
        raise UserError(f"{path} is there and is not CueBridge's plugin; move it away and run this again.")


def _proofs(place: Place) -> list[Path]:
    """The files that say whose plugin it is."""
    if not place.bundle:
        return [place.path]
    if place.format == "lv2":
        return [place.path / "cuebridge.ttl"]
    return sorted((place.path / "Contents").glob("*/cuebridge*"))


def _names_us(path: Path, format_: str) -> bool:
    return path.is_file() and (CLAP_ID if format_ == "clap" else URI) in path.read_bytes()


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
    if sys.platform not in SYSTEMS:
        return []
    return [place.format.upper() for place in places(usual_formats(), home) if place.path.exists()]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
