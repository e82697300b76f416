"""Builds the plugin for every system with Zig's C compiler, for a release: `python -m plugin.release`.

It needs the extra `prebuilt` and writes plugin/prebuilt/SYSTEM/cuebridge.{clap,vst3,lv2}: a wheel that is built after
it holds them, and `cuebridge install-plugin` takes them.  The first build of a system compiles its C library and takes
minutes, later ones seconds.  What is built is read back: processors, exported names, signatures and sizes are checked.
"""

from __future__ import annotations

import argparse
import plistlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.plugin.install import CORE, FACES, FLAGS, PREBUILT, SOURCES, describe_lv2

MOST_BYTES: Final = 1_500_000  # all of it together
EXPORTS: Final = {
    "clap": {"clap_entry"},
    "lv2": {"lv2_descriptor"},
    ("vst3", "linux"): {"GetPluginFactory", "ModuleEntry", "ModuleExit"},
    ("vst3", "windows"): {"GetPluginFactory", "InitDll", "ExitDll"},
    ("vst3", "macos"): {"GetPluginFactory", "bundleEntry", "bundleExit"},
}


@dataclass(frozen=True, slots=True)
class Build:
    """A folder of PREBUILT.  targets: Zig's names, of which macOS has two in one file; inside: of a VST3 bundle."""

    name: str
    targets: tuple[str, ...]
    libraries: tuple[str, ...]
    formats: tuple[str, ...]
    inside: str

    @property
    def system(self) -> str:
        return self.name.partition("-")[0]

    def library(self, format_: str) -> Path:
        """Where the library of a format is, below the folder."""
        made = Path(f"cuebridge.{format_}")
        if format_ == "lv2":
            return made / "cuebridge.so"
        if self.system == "macos":
            return made / "Contents" / "MacOS" / "cuebridge"
        if format_ == "clap":
            return made
        return made / "Contents" / self.inside / ("cuebridge.vst3" if self.system == "windows" else "cuebridge.so")


_UNIX: Final = ("-lm", "-lpthread")
_MAC: Final = ("-Wl,-install_name,@loader_path/cuebridge",)  # or it would be a path of the machine that built it
# glibc 2.17 is of 2012; macOS 10.13 of 2017, and arm64 begins with 11.
BUILDS: Final = (
    Build("linux-x64", ("x86_64-linux-gnu.2.17",), _UNIX, ("clap", "vst3", "lv2"), "x86_64-linux"),
    Build("linux-arm64", ("aarch64-linux-gnu.2.17",), _UNIX, ("clap", "vst3", "lv2"), "aarch64-linux"),
    Build(
        "windows-x64", ("x86_64-windows-gnu",), ("-lws2_32", "-ladvapi32", "-luser32"), ("clap", "vst3"), "x86_64-win"
    ),
    Build("macos", ("x86_64-macos.10.13", "aarch64-macos.11.0"), _MAC, ("clap", "vst3"), "MacOS"),
)


LINKER_OWN: Final = {"_mh_dylib_header", "__dso_handle"}  # exported by Zig's linker for macOS in every library


class BuildError(Exception):
    """One sentence."""


def compile_with_zig(target: str, format_: str, libraries: tuple[str, ...], to: Path) -> None:
    """Raises BuildError with what the compiler says."""
    sources = [str(SOURCES / "src" / f"{name}.c") for name in (*CORE, *FACES[format_])]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        target,
        *FLAGS,
        "-s",
        "-o",
        str(to),
        *sources,
        *libraries,
    ]
    if "windows" in target:
        command.remove("-fPIC")  # everything is, there
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=to.parent)
    if done.returncode != 0:
        raise BuildError(f"{format_} for {target} cannot be built: {done.stderr.strip()[-2000:]}")


def universal(parts: list[bytes]) -> bytes:
    """One Mach-O file of several processors (the "fat" format of <mach-o/fat.h>); each begins on a page of 16 kB."""
    page = 1 << 14
    head, body = struct.pack(">II", 0xCAFEBABE, len(parts)), b""
    at = page
    for part in parts:
        magic, processor, kind = struct.unpack_from("<Iii", part)
        if magic != 0xFEEDFACF:
            raise BuildError("a part of the universal library is no 64-bit Mach-O file.")
        head += struct.pack(">iiIII", processor, kind, at, len(part), 14)
        body += part + bytes(-len(part) % page)
        at += len(part) + -len(part) % page
    body = body[: len(body) - (-len(parts[-1]) % page)]
    return head + bytes(page - len(head)) + body


def plugin_version() -> str:
    """As the sources have it."""
    found = re.search(r'CB_VERSION_TEXT "([\d.]+)"', (SOURCES / "src" / "instance.h").read_text(encoding="utf-8"))
    if found is None:
        raise BuildError("instance.h names no version.")
    return found[1]


def describe_bundle(library: Path, format_: str) -> None:
    """What macOS wants beside the library."""
    contents, version = library.parent.parent, plugin_version()
    about = {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleExecutable": library.name,
        "CFBundleIdentifier": f"org.cuebridge.plugin.{format_}",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": "CueBridge",
        "CFBundlePackageType": "BNDL",
        "CFBundleShortVersionString": version,
        "CFBundleSignature": "????",
        "CFBundleVersion": version,
    }
    (contents / "Info.plist").write_bytes(plistlib.dumps(about))
    (contents / "PkgInfo").write_text("BNDL????", encoding="ascii")


def make(build: Build, folder: Path) -> list[Path]:
    """All formats of a build in a folder; the libraries.  Raises BuildError."""
    made = []
    for format_ in build.formats:
        library = folder / build.library(format_)
        library.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as place:
            parts = []
            for target in build.targets:
                part = Path(place) / f"{target}.library"
                compile_with_zig(target, format_, build.libraries, part)
                parts.append(part.read_bytes())
        library.write_bytes(parts[0] if len(parts) == 1 else universal(parts))
        library.chmod(0o755)
        if build.system == "macos":
            describe_bundle(library, format_)
        if format_ == "lv2":
            describe_lv2(library.parent)
        made.append(library)
        check(build, format_, library)
    return made


def check(build: Build, format_: str, library: Path) -> None:
    """Raises BuildError where the library is of another kind or exports other names than its format needs."""
    import lief

    lief.logging.disable()
    wanted = EXPORTS.get(format_) or EXPORTS[format_, build.system]
    if build.system == "macos":
        both = lief.MachO.parse(str(library))
        if both is None or {str(one.header.cpu_type).rpartition(".")[2] for one in both} != {"X86_64", "ARM64"}:
            raise BuildError(f"{library} is not for both processors.")
        for one in both:
            names = {symbol.name.removeprefix("_") for symbol in one.exported_symbols} - LINKER_OWN
            _check_names(library, names, wanted)
            if str(one.header.cpu_type).endswith("ARM64") and not one.has_code_signature:
                raise BuildError(f"{library} is not signed for arm64, where macOS loads nothing unsigned.")
    elif build.system == "windows":
        one = lief.PE.parse(str(library))
        if one is None or not str(one.header.machine).endswith("AMD64"):
            raise BuildError(f"{library} is no library of Windows x64.")
        _check_names(library, {entry.name for entry in one.get_export().entries}, wanted)
    else:
        one = lief.ELF.parse(str(library))
        machine = "X86_64" if build.name == "linux-x64" else "AARCH64"
        if one is None or not str(one.header.machine_type).endswith(machine):
            raise BuildError(f"{library} is no library of Linux {machine}.")
        _check_names(library, {symbol.name for symbol in one.exported_symbols}, wanted)


def _check_names(library: Path, names: set[str], wanted: set[str]) -> None:
    if names != wanted:
        raise BuildError(f"{library} exports {sorted(names)} instead of {sorted(wanted)}.")


def release(to: Path, names: list[str]) -> None:
    """Builds into a folder, which is replaced when all is well.  Raises BuildError."""
    aside = to.with_name(f".{to.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    for build in BUILDS:
        if names and build.name not in names:
            continue
        for library in make(build, aside / build.name):
            sys.stdout.write(f"{library.stat().st_size:8,} {library.relative_to(aside)}\n")
            sys.stdout.flush()
    size = sum(path.stat().st_size for path in aside.rglob("*") if path.is_file())
    sys.stdout.write(f"{size:8,} together\n")
    if size > MOST_BYTES:
        raise BuildError(f"together {size:,} bytes; at most {MOST_BYTES:,} go into a release.")
    shutil.rmtree(to, ignore_errors=True)
    aside.rename(to)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m plugin.release", description=__doc__)
    parser.add_argument("--to", type=Path, default=PREBUILT, help="the folder, which is replaced (%(default)s)")
    parser.add_argument("--only", nargs="+", default=[], choices=[build.name for build in BUILDS], help="these systems")
    options = parser.parse_args()
    try:
        import lief  # noqa: F401
        import ziglang  # noqa: F401
    except ImportError:
        sys.stderr.write(
            "the plugin is built for a release with the extra `prebuilt`: pip install 'cuebridge[prebuilt]'\n"
        )
        return 2
    try:
        release(options.to.absolute(), options.only)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
