"""`cuebridge install-plugin`: what it writes is built and loads; what is not ours is left alone."""

from __future__ import annotations

import sys

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
        assert code == 0 and said.count("wrote") == 2
    with Host(tmp_path / ".clap" / "cuebridge.clap", built.host) as host:
        host.block(64, Transport(0.0))
        host.finish()
    files = {path.name for path in (tmp_path / ".lv2" / "cuebridge.lv2").iterdir()}
    assert files == {"cuebridge.so", "cuebridge.ttl", "manifest.ttl"}
    assert "<cuebridge.so>" in (tmp_path / ".lv2" / "cuebridge.lv2" / "manifest.ttl").read_text()
    assert install.installed(tmp_path) == ["CLAP", "LV2"]
    code, said = run(capsys, "--home", str(tmp_path), "--uninstall", "--format", "lv2")
    assert code == 0 and "removed" in said and install.installed(tmp_path) == ["CLAP"]
    run(capsys, "--home", str(tmp_path), "--uninstall")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "not installed" in run(capsys, "--home", str(tmp_path), "--uninstall")[1]


@needs_compiler
def test_what_is_not_ours_is_left(tmp_path, capsys) -> None:
    other = tmp_path / ".clap" / "cuebridge.clap"
    other.parent.mkdir()
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
    code, said = run(capsys, "--home", str(tmp_path / "home"))
    assert code == 2 and said.endswith("cannot be built: plan.c:1: error: no such thing\n")
    assert not (tmp_path / "home").exists()


def test_without_a_compiler_or_on_another_system_it_says_so(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(install, "sys", type("system", (), {"platform": "linux"}))
    code, said = run(capsys, "--home", str(tmp_path))
    assert code == 2 and "cc" in said
    with pytest.raises(install.UserError, match="Linux only"):
        install.check_system("win32")


def test_the_sources_are_those_of_the_makefile() -> None:
    makefile = (PLUGIN / "Makefile").read_text()
    assert "CORE = " + " ".join(f"src/{name}.c" for name in install.CORE) in makefile
    for flag in install.FLAGS[:-1]:
        assert flag in makefile
