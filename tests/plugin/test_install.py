"""`cuebridge install-plugin`: what it writes is built and loads; what is not ours is left alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pluginlab
import pytest
from pluginlab import PLUGIN, Host, Transport

from bridge.cli import app
from bridge.plugin import install

needs_compiler = pytest.mark.skipif(
    pluginlab.compiler() is None or not sys.platform.startswith("linux"), reason=pluginlab.NO_COMPILER
)


def run(capsys, *arguments: str) -> tuple[int, str]:
    code = app(["install-plugin", *arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


@needs_compiler
def test_it_is_built_loads_and_goes_again(tmp_path, built, capsys) -> None:
    code, said = run(capsys, "--home", str(tmp_path), "--dry-run")
    assert code == 0 and "would write" in said and not list(tmp_path.iterdir())
    for _ in range(2):  # the second time over the first
        code, said = run(capsys, "--home", str(tmp_path))
        assert code == 0 and said.count("wrote") == 3
    (vst3,) = (tmp_path / ".vst3" / "cuebridge.vst3" / "Contents").glob("*-linux/cuebridge.so")
    for format_, library in (("CLAP", tmp_path / ".clap" / "cuebridge.clap"), ("VST3", vst3)):
        with Host(library, replace(built, format=format_).host) as host:
            host.block(64, Transport(0.0))
            host.finish()
    files = {path.name for path in (tmp_path / ".lv2" / "cuebridge.lv2").iterdir()}
    assert files == {"cuebridge.so", "cuebridge.ttl", "manifest.ttl"}
    assert "<cuebridge.so>" in (tmp_path / ".lv2" / "cuebridge.lv2" / "manifest.ttl").read_text()
    assert install.installed(tmp_path) == ["CLAP", "VST3", "LV2"]
    code, said = run(capsys, "--home", str(tmp_path), "--uninstall", "--format", "lv2")
    assert code == 0 and "removed" in said and install.installed(tmp_path) == ["CLAP", "VST3"]
    run(capsys, "--home", str(tmp_path), "--uninstall")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "not installed" in run(capsys, "--home", str(tmp_path), "--uninstall")[1]


@needs_compiler
@pytest.mark.parametrize("there", [".clap/cuebridge.clap", ".vst3/cuebridge.vst3/Contents/x86_64-linux/cuebridge.so"])
def test_what_is_not_ours_is_left(tmp_path, capsys, there) -> None:
    other = tmp_path / there
    other.parent.mkdir(parents=True)
    other.write_text("somebody's")
    for more in ((), ("--uninstall",)):
        code, said = run(capsys, "--home", str(tmp_path), *more)
        assert code == 2 and "not CueBridge's" in said and other.read_text() == "somebody's"
    assert not (tmp_path / ".lv2").exists()


@needs_compiler
def test_where_one_format_cannot_be_written_nothing_has_changed(tmp_path, capsys) -> None:
    (tmp_path / ".lv2").write_text("mine")
    code, said = run(capsys, "--home", str(tmp_path))
    assert code == 2 and "cuebridge.lv2 cannot be written" in said
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".lv2"]


@pytest.mark.parametrize("home", ["typed wrong", ""])
def test_a_home_that_is_not_there_is_not_made(tmp_path, capsys, monkeypatch, home) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    code, said = run(capsys, "--home", home, "--format", "clap", "--dry-run")
    assert code == 2 and f"there is no folder {home!r}." in said
    assert list(tmp_path.iterdir()) == [tmp_path / "here"]


def test_an_account_without_a_home_is_told(capsys, monkeypatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    code, said = run(capsys, "--dry-run")
    assert code == 2 and "set HOME, or name it with --home" in said


@needs_compiler
def test_where_one_format_is_not_ours_neither_goes(tmp_path, capsys) -> None:
    run(capsys, "--home", str(tmp_path), "--format", "clap")
    (tmp_path / ".lv2" / "cuebridge.lv2").mkdir(parents=True)
    code, said = run(capsys, "--home", str(tmp_path), "--uninstall")
    assert code == 2 and "not CueBridge's" in said
    assert install.installed(tmp_path) == ["CLAP", "LV2"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason=pluginlab.NO_COMPILER)
def test_what_a_compiler_refuses_is_said_in_its_words(tmp_path, capsys, monkeypatch) -> None:
    compiler = tmp_path / "bin" / "cc"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\necho 'plan.c:1: error: no such thing' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(compiler.parent))
    (tmp_path / "home").mkdir()
    code, said = run(capsys, "--home", str(tmp_path / "home"))
    assert code == 2 and said.endswith("cannot be built: plan.c:1: error: no such thing\n")
    assert not list((tmp_path / "home").iterdir())


def test_without_a_compiler_it_says_so(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    on(monkeypatch, "linux", "x86_64", tmp_path / "none")
    code, said = run(capsys, "--home", str(tmp_path))
    assert code == 2 and "cc" in said


# As on other systems, with what a release brings ----------------------------------------------------------------------


def on(monkeypatch, system: str, machine: str, prebuilt: Path, libc: str = "glibc") -> None:
    names = {"machine": lambda: machine, "libc_ver": lambda: (libc, "2.36")}
    monkeypatch.setattr(install, "sys", type("system", (), {"platform": system}))
    monkeypatch.setattr(install, "platform", type("machine", (), {k: staticmethod(v) for k, v in names.items()}))
    monkeypatch.setattr(install, "PREBUILT", prebuilt)


def released(folder: Path) -> Path:
    """Folders as a release has them, with a word instead of each library."""
    for build in ("linux-x64", "linux-arm64", "windows-x64", "macos"):
        for format_, kind in (("clap", b"org.cuebridge.plugin"), ("vst3", install.URI), ("lv2", install.URI)):
            made = folder / build / f"cuebridge.{format_}"
            if format_ == "clap" and build != "macos":
                library = made
            elif format_ == "lv2":
                if not build.startswith("linux"):
                    continue
                library = made / "cuebridge.ttl"
            else:
                library = made / "Contents" / "MacOS" / "cuebridge"
            library.parent.mkdir(parents=True, exist_ok=True)
            library.write_bytes(kind + b" of " + build.encode())
    return folder


@pytest.mark.parametrize(
    ("system", "machine", "build", "folders"),
    [
        ("linux", "aarch64", "linux-arm64", (".clap", ".vst3", ".lv2")),
        ("darwin", "arm64", "macos", ("Library/Audio/Plug-Ins/CLAP", "Library/Audio/Plug-Ins/VST3")),
        ("win32", "AMD64", "windows-x64", tuple(f"AppData/Local/Programs/Common/{each}" for each in ("CLAP", "VST3"))),
    ],
)
def test_what_was_released_for_a_system_goes_where_its_daws_look(
    tmp_path, capsys, monkeypatch, system, machine, build, folders
) -> None:
    on(monkeypatch, system, machine, released(tmp_path / "prebuilt"))
    monkeypatch.setenv("PATH", str(tmp_path))  # no compiler is needed
    home = tmp_path / "home"
    home.mkdir()
    for _ in range(2):
        code, said = run(capsys, "--home", str(home))
        assert code == 0 and said.count("wrote") == len(folders)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {path.read_bytes().split(b" of ")[1].decode() for path in files} == {build}
    assert sorted(str(path.relative_to(home)) for folder in folders for path in (home / folder).iterdir()) == sorted(
        f"{folder}/cuebridge.{folder.rpartition('/')[2].lower().lstrip('.')}" for folder in folders
    )
    assert run(capsys, "--home", str(home), "--uninstall")[0] == 0
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_format_or_a_system_that_has_none_is_refused(tmp_path, capsys, monkeypatch) -> None:
    given = ("--home", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    on(monkeypatch, "win32", "AMD64", released(tmp_path / "prebuilt"))
    code, said = run(capsys, *given, "--format", "lv2")
    assert code == 2 and "LV2 is installed on Linux only" in said
    on(monkeypatch, "win32", "ARM64", tmp_path / "prebuilt")
    code, said = run(capsys, *given)
    assert code == 2 and "brings no plugin for windows-arm64" in said
    on(monkeypatch, "freebsd14", "amd64", tmp_path / "prebuilt")
    code, said = run(capsys, *given)
    assert code == 2 and "is for Linux, macOS and Windows" in said and install.installed(tmp_path) == []
    on(monkeypatch, "linux", "x86_64", tmp_path / "prebuilt", libc="")  # musl
    monkeypatch.setenv("PATH", str(tmp_path))
    code, said = run(capsys, *given)
    assert code == 2 and "there is no C compiler" in said
    assert not list((tmp_path / "home").iterdir())


def test_the_sources_are_those_of_the_makefile() -> None:
    makefile = (PLUGIN / "Makefile").read_text()
    assert "CORE = " + " ".join(f"src/{name}.c" for name in install.CORE) in makefile
    for flag in install.FLAGS[:-1]:
        assert flag in makefile
    for format_, sources in install.FACES.items():
        assert f"$(CORE) {' '.join(f'src/{name}.c' for name in sources)} $(LIBS)" in makefile, format_
