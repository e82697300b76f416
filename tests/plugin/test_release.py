"""What a release brings: `python -m plugin.release` builds it for every system with Zig's C compiler."""

from __future__ import annotations

import importlib.util
import plistlib
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from pluginlab import Host, Transport

from bridge.cli import app
from bridge.plugin import install
from plugin import release

HAS_ZIG = all(importlib.util.find_spec(name) for name in ("ziglang", "lief"))
needs_zig = pytest.mark.skipif(not HAS_ZIG, reason="the extra `prebuilt` is not installed")


def thin(processor: int, size: int) -> bytes:
    return struct.pack("<Iii", 0xFEEDFACF, processor, 3) + bytes(range(256)) * (size // 256)


def test_a_universal_library_holds_both_processors_on_pages_of_their_own() -> None:
    parts = [thin(0x01000007, 40_000), thin(0x0100000C, 100)]
    both = release.universal(parts)
    magic, count = struct.unpack_from(">II", both)
    assert (magic, count) == (0xCAFEBABE, 2)
    end = 0
    for index, part in enumerate(parts):
        processor, kind, at, size, align = struct.unpack_from(">iiIII", both, 8 + 20 * index)
        assert (processor, kind) == struct.unpack_from("<ii", part, 4)
        assert at % (1 << align) == 0 and at >= end and both[at : at + size] == part
        end = at + size
    assert end == len(both)
    with pytest.raises(release.BuildError, match="no 64-bit Mach-O"):
        release.universal([b"\x7fELF" + bytes(60)])


def test_install_plugin_finds_what_a_release_builds(tmp_path, monkeypatch) -> None:
    """The same folders and names on both sides."""
    machines = {"linux-x64": ("linux", "x86_64"), "linux-arm64": ("linux", "aarch64"), "macos": ("darwin", "arm64")}
    machines["windows-x64"] = ("win32", "AMD64")
    assert set(machines) == {build.name for build in release.BUILDS}
    monkeypatch.setattr(install, "PREBUILT", tmp_path)
    for build in release.BUILDS:
        system, machine = machines[build.name]
        monkeypatch.setattr(install, "sys", type("system", (), {"platform": system}))
        monkeypatch.setattr(install.platform, "machine", lambda machine=machine: machine)
        monkeypatch.setattr(install.platform, "libc_ver", lambda: ("glibc", "2.36"))
        assert install.usual_formats() == build.formats
        for format_ in build.formats:
            library = tmp_path / build.name / build.library(format_)
            library.parent.mkdir(parents=True, exist_ok=True)
            library.write_text("library")
            found = install.prebuilt(format_)
            assert found is not None and (found == library or found in library.parents)
        for place in install.places(build.formats, tmp_path):
            assert place.bundle == (tmp_path / build.name / f"cuebridge.{place.format}").is_dir()


def test_the_bundle_of_macos_is_described(tmp_path) -> None:
    library = tmp_path / "cuebridge.vst3" / "Contents" / "MacOS" / "cuebridge"
    library.parent.mkdir(parents=True)
    release.describe_bundle(library, "vst3")
    about = plistlib.loads((library.parent.parent / "Info.plist").read_bytes())
    assert about["CFBundleExecutable"] == "cuebridge" and about["CFBundlePackageType"] == "BNDL"
    assert about["CFBundleIdentifier"] == "org.cuebridge.plugin.vst3"
    assert (library.parent.parent / "PkgInfo").read_text() == "BNDL????"


# With Zig -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("release") / "prebuilt"
    release.release(to, [])
    return to


@needs_zig
@pytest.mark.prebuilt
@pytest.mark.timeout(1500)
def test_every_system_is_built_small_and_exports_what_hosts_look_for(released) -> None:
    """`release` has read the libraries with LIEF; `file` and the plist are other eyes."""
    wanted = {
        "linux-x64": "ELF 64-bit LSB shared object, x86-64",
        "linux-arm64": "ELF 64-bit LSB shared object, ARM aarch64",
        "windows-x64": "PE32+ executable (DLL)",
        "macos": "Mach-O universal binary with 2 architectures",
    }
    for build in release.BUILDS:
        for format_ in build.formats:
            library = released / build.name / build.library(format_)
            said = subprocess.run(["file", "-b", str(library)], capture_output=True, text=True, check=False).stdout
            assert not said or said.startswith(wanted[build.name]), (library, said)
    assert sum(path.stat().st_size for path in released.rglob("*") if path.is_file()) <= 1_500_000


@needs_zig
@pytest.mark.prebuilt
def test_a_library_that_exports_something_else_is_refused(released) -> None:
    for build in release.BUILDS:
        with pytest.raises(release.BuildError, match="exports"):
            release.check(build, "vst3", released / build.name / build.library("clap"))


@needs_zig
@pytest.mark.prebuilt
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is installed and loaded on Linux")
def test_what_was_built_is_installed_without_a_compiler_and_plays(
    released, built, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(install, "PREBUILT", released)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert app(["install-plugin", "--home", str(tmp_path)]) == 0, capsys.readouterr().err
    (vst3,) = (tmp_path / ".vst3" / "cuebridge.vst3").glob("Contents/*/cuebridge.so")
    for library, program in ((tmp_path / ".clap" / "cuebridge.clap", "clap-host"), (vst3, "vst3-host")):
        with Host(library, built.folder / program) as host:
            host.block(64, Transport(0.0))
            host.save()
            host.finish()
        assert host.saved[0][:4] == b"CBPI"
    assert install.installed(tmp_path) == ["CLAP", "VST3", "LV2"]
    assert app(["install-plugin", "--home", str(tmp_path), "--uninstall"]) == 0


def test_without_zig_it_says_what_is_missing(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "ziglang", None)
    monkeypatch.setattr(sys, "argv", ["plugin.release"])
    assert release.main() == 2
    assert "prebuilt" in capsys.readouterr().err
