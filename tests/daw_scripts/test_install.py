"""install-script on clean accounts of all three systems: right folders, backups, nothing lost, taken away again."""

from __future__ import annotations

import pytest

from bridge.daw import install as daw_install
from bridge.daw.install import InstallError, main

STEINBERG = "Documents/Steinberg/Cubase/MIDI Remote/Driver Scripts/Local/CueBridge/Transport/CueBridge_Transport.js"
FOLDERS = {
    ("reaper", "macos"): "Library/Application Support/REAPER/Scripts/CueBridge/cuebridge.py",
    ("reaper", "windows"): "AppData/Roaming/REAPER/Scripts/CueBridge/cuebridge.py",
    ("reaper", "linux"): ".config/REAPER/Scripts/CueBridge/cuebridge.py",
    ("live", "macos"): "Music/Ableton/User Library/Remote Scripts/CueBridge/__init__.py",
    ("live", "windows"): "Documents/Ableton/User Library/Remote Scripts/CueBridge/__init__.py",
    ("bitwig", "macos"): "Documents/Bitwig Studio/Controller Scripts/CueBridge/CueBridge.control.js",
    ("bitwig", "windows"): "Documents/Bitwig Studio/Controller Scripts/CueBridge/CueBridge.control.js",
    ("bitwig", "linux"): "Bitwig Studio/Controller Scripts/CueBridge/CueBridge.control.js",
    ("ardour", "macos"): "Library/Preferences/Ardour8/scripts/cuebridge.lua",
    ("ardour", "windows"): "AppData/Local/ardour8/scripts/cuebridge.lua",
    ("ardour", "linux"): ".config/ardour8/scripts/cuebridge.lua",
    ("cubase", "macos"): STEINBERG,
    ("cubase", "windows"): STEINBERG,
}  # fmt: skip


def files(home):
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize(("daw", "system"), sorted(FOLDERS))
def test_install_again_and_uninstall(daw, system, tmp_path, capsys):
    arguments = [daw, "--home", str(tmp_path), "--system", system]
    assert main([*arguments, "--dry-run"]) == 0
    assert files(tmp_path) == [] and "would write" in capsys.readouterr().out

    assert main(arguments) == 0
    script = tmp_path / FOLDERS[daw, system]
    assert script.is_file()
    out = capsys.readouterr().out
    assert daw_install.NEXT[daw] in out  # the next click
    first = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    assert not [name for name in first if "__pycache__" in name or name.endswith(".pyc") or "headless" in name]

    assert main(arguments) == 0
    assert "wrote" not in capsys.readouterr().out
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == first

    assert main([*arguments, "--uninstall", "--dry-run"]) == 0
    assert files(tmp_path) == sorted(first)
    assert main([*arguments, "--uninstall"]) == 0
    assert files(tmp_path) == []


def test_what_is_replaced_is_kept_and_comes_back(tmp_path, capsys):
    script = tmp_path / FOLDERS["ardour", "linux"]
    script.parent.mkdir(parents=True)
    script.write_text("somebody else's")
    arguments = ["ardour", "--home", str(tmp_path), "--system", "linux"]
    main(arguments)
    kept = script.with_name("cuebridge.lua.backup-1")
    assert kept.read_text() == "somebody else's" and b"CueBridge" in script.read_bytes()
    main([*arguments, "--port", "9000"])  # our own older version is no one's work: no second backup
    assert [path.name for path in script.parent.glob("*.backup-*")] == ["cuebridge.lua.backup-1"]
    main([*arguments, "--uninstall"])
    assert script.read_text() == "somebody else's"


def test_a_file_changed_since_is_left_and_named(tmp_path, capsys):
    arguments = ["bitwig", "--home", str(tmp_path), "--system", "linux"]
    main(arguments)
    script = tmp_path / FOLDERS["bitwig", "linux"]
    script.write_text(script.read_text() + "// mine")
    main([*arguments, "--uninstall"])
    assert script.exists() and "left in place" in capsys.readouterr().out
    main(arguments)  # installing again keeps it aside
    assert script.with_name(script.name + ".backup-1").read_text().endswith("// mine")


def test_every_installed_version_of_ardour_and_steinberg_gets_it(tmp_path):
    for version in (7, 9):
        (tmp_path / f".config/ardour{version}").mkdir(parents=True)
    main(["ardour", "--home", str(tmp_path), "--system", "linux"])
    assert [path.parent.parent.name for path in sorted(tmp_path.rglob("cuebridge.lua"))] == ["ardour7", "ardour9"]
    for name in ("Cubase", "Nuendo"):
        (tmp_path / "Documents/Steinberg" / name).mkdir(parents=True)
    main(["cubase", "--home", str(tmp_path), "--system", "macos"])
    assert len(list(tmp_path.rglob("CueBridge_Transport.js"))) == 2


def test_another_port_is_written_into_every_script(tmp_path):
    for daw, system in FOLDERS:
        main([daw, "--home", str(tmp_path / daw / system), "--system", system, "--port", "9400"])
        texts = [
            path.read_text()
            for path in (tmp_path / daw / system).rglob("*")
            if path.suffix in (".py", ".js", ".lua", ".ReaperOSC")
        ]
        assert texts and not any("9317" in text for text in texts)
        assert daw == "cubase" or any("9400" in text for text in texts)


def test_where_a_daw_does_not_exist_it_is_said(tmp_path):
    for daw in ("live", "cubase"):
        with pytest.raises(InstallError, match="Linux"):
            main([daw, "--home", str(tmp_path), "--system", "linux"])
    with pytest.raises(InstallError, match="port"):
        main(["reaper", "--home", str(tmp_path), "--port", "99999"])


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / ".config").write_text("a file where a folder belongs")
    with pytest.raises(InstallError, match="cannot be installed"):
        main(["reaper", "--home", str(tmp_path), "--system", "linux"])


def test_a_foreign_list_of_files_removes_nothing(tmp_path):
    arguments = ["bitwig", "--home", str(tmp_path), "--system", "linux"]
    main(arguments)
    folder = (tmp_path / FOLDERS["bitwig", "linux"]).parent
    diary = tmp_path / "diary.txt"
    diary.write_text("")
    (folder / daw_install.MANIFEST).write_text(
        '{"../../../diary.txt": {"sha256": "'
        + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        + '"}}'
    )
    main([*arguments, "--uninstall"])
    assert diary.exists()
    script = (tmp_path / FOLDERS["bitwig", "linux"]).name
    for spoilt in ('{"%s": 5}' % script, '{"%s": {"sha256": 1, "backup": "../../../diary.txt"}}' % script, "[1]", "{"):  # noqa: UP031
        (folder / daw_install.MANIFEST).write_text(spoilt)
        main([*arguments, "--uninstall"])
        main(arguments)
    assert diary.exists() and (folder / script).exists()
