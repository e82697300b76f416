"""install-script on clean accounts of all three systems: right folders, backups, nothing lost, taken away again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.daw import folders
from bridge.daw import install as daw_install
from bridge.daw.folders import Account
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


def test_what_was_there_first_comes_back_and_what_was_changed_since_is_kept(tmp_path, capsys):
    """Another's file, our version, our version as somebody changed it: the first comes back, the last is not lost."""
    script = tmp_path / FOLDERS["bitwig", "linux"]
    script.parent.mkdir(parents=True)
    script.write_text("somebody else's")
    arguments = ["bitwig", "--home", str(tmp_path), "--system", "linux"]
    main(arguments)
    script.write_text(script.read_text() + "// mine")
    main(arguments)
    main([*arguments, "--uninstall"])
    assert script.read_text() == "somebody else's"
    kept = script.with_name(script.name + ".backup-2")
    assert kept.read_text().endswith("// mine") and str(kept) in capsys.readouterr().out
    assert not script.with_name(script.name + ".backup-1").exists()


def test_a_link_beside_the_target_is_not_followed(tmp_path):
    """Somebody who may write into the folder must not make us overwrite a file elsewhere."""
    script = tmp_path / FOLDERS["bitwig", "linux"]
    script.parent.mkdir(parents=True)
    diary = tmp_path / "diary.txt"
    diary.write_text("dear diary")
    for name in (script.name + ".part", daw_install.MANIFEST + ".part", daw_install.MANIFEST):
        (script.parent / name).symlink_to(diary)
    main(["bitwig", "--home", str(tmp_path), "--system", "linux"])
    assert diary.read_text() == "dear diary"
    assert script.read_bytes() and not script.is_symlink() and not (script.parent / daw_install.MANIFEST).is_symlink()
    assert script.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_in_the_folder_holds_nothing_up(tmp_path):
    script = tmp_path / FOLDERS["bitwig", "linux"]
    script.parent.mkdir(parents=True)
    os.mkfifo(script.parent / daw_install.MANIFEST)
    os.mkfifo(script)
    main(["bitwig", "--home", str(tmp_path), "--system", "linux"])
    assert script.is_file()


def registry(**values):
    return lambda root, key, value: values.get(f"{root}_{value or 'default'}")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (r"%USERPROFILE%\OneDrive - Studio\Dokumente", "{home}/OneDrive - Studio/Dokumente"),
        (r"D:\Films\Documents", "D:/Films/Documents"),
        (r"%NOWHERE%\Documents", "{home}/Documents"),
        (None, "{home}/Documents"),
    ],
)
def test_redirected_documents_are_found(text, wanted, tmp_path, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    account = Account.of("windows", str(tmp_path), None, registry(HKCU_Personal=text))
    documents = Path(wanted.format(home=tmp_path))
    for daw, inside in (("live", "Ableton/User Library"), ("bitwig", "Bitwig Studio"), ("cubase", "Steinberg/Cubase")):
        (place,) = daw_install.places(daw, account)
        assert documents / inside in place.target.parents, daw


LIBRARY = """<?xml version="1.0" encoding="UTF-8"?>
<Ableton MajorVersion="5"><ContentLibrary><UserLibrary><LibraryProject Id="0"><ProjectLocation />
<ProjectName Value="{name}" /><ProjectPath Value="{path}" /></LibraryProject></UserLibrary></ContentLibrary></Ableton>
"""


@pytest.mark.parametrize("system", ["macos", "windows"])
def test_lives_own_preferences_say_where_its_library_is(system, tmp_path):
    base = tmp_path / ("Library/Preferences/Ableton" if system == "macos" else "AppData/Roaming/Ableton")
    inside = "" if system == "macos" else "Preferences"
    for version, name in (("9.7.7", "Old"), ("11.3.43", "Older"), ("12.1.5", "Meine Bibliothek & mehr")):
        folder = base / f"Live {version}" / inside
        folder.mkdir(parents=True)
        (tmp_path / "Big Drive" / name).mkdir(parents=True)
        text = LIBRARY.format(name=name.replace("&", "&amp;"), path=tmp_path / "Big Drive")
        (folder / "Library.cfg").write_text(text)
    account = Account.of(system, str(tmp_path))
    assert folders.live(account) == [tmp_path / "Big Drive" / "Meine Bibliothek & mehr"]
    (base / "Live 12.1.5" / inside / "Library.cfg").write_text("<broken")  # the next older one is read
    assert folders.live(account) == [tmp_path / "Big Drive" / "Older"]
    shutil.rmtree(tmp_path / "Big Drive")  # a drive that is not there: the usual place
    assert folders.live(account)[0].name == "User Library"


def test_a_portable_reaper_gets_it_too(tmp_path):
    portable = tmp_path / "REAPER (portable)"
    portable.mkdir()
    (portable / "reaper.ini").write_text("")
    account = Account.of("windows", str(tmp_path), None, registry(HKLM_default=str(portable)))
    assert folders.reaper(account) == [portable]
    (tmp_path / "AppData/Roaming/REAPER").mkdir(parents=True)
    (tmp_path / "AppData/Roaming/REAPER/reaper.ini").write_text("")
    assert folders.reaper(account) == [tmp_path / "AppData/Roaming/REAPER", portable]


@pytest.mark.parametrize("daw", daw_install.DAWS)
def test_a_given_folder_takes_the_place_of_all_that_is_found(daw, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    arguments = [daw, "--home", str(tmp_path / "home"), "--system", "linux", "--to", str(tmp_path / "elsewhere")]
    main(arguments)
    assert any(path.is_file() for path in (tmp_path / "elsewhere").rglob("*")) and not (tmp_path / "home").exists()
    main([*arguments, "--uninstall"])
    assert not [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]
    with pytest.raises(InstallError, match="no folder; --to takes"):
        main([daw, "--to", str(tmp_path / "nowhere")])


@pytest.mark.parametrize("daw", daw_install.DAWS)
def test_the_folder_of_the_scripts_itself_may_be_given(daw, tmp_path, capsys):
    inside = tmp_path / folders.INSIDE[daw]
    inside.mkdir()
    main([daw, "--home", str(tmp_path / "home"), "--system", "linux", "--to", str(inside)])
    assert [path for path in inside.rglob("*") if path.is_file()]
    assert not (inside / inside.name).exists()


def test_ardours_settings_are_looked_for_where_linux_was_told_to_keep_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    (tmp_path / "settings" / "ardour8").mkdir(parents=True)
    assert folders.ardour(Account.of("linux", None)) == [tmp_path / "settings" / "ardour8"]
    assert folders.ardour(Account.of("linux", str(tmp_path)))[0].parent == tmp_path / ".config"


def test_reapers_start_up_script_keeps_what_is_in_it(tmp_path, capsys):
    scripts = tmp_path / ".config/REAPER/Scripts"
    scripts.mkdir(parents=True)
    own = b"-- mine, in Latin-1: caf\xe9\r\nreaper.ShowConsoleMsg ('hi')\r\n"
    (scripts / "__startup.lua").write_bytes(own)
    arguments = ["reaper", "--home", str(tmp_path), "--system", "linux"]
    main(arguments)
    assert (scripts / "__startup.lua").read_bytes() == own  # only where it is asked for
    for _ in range(2):
        main([*arguments, "--startup"])
        text = (scripts / "__startup.lua").read_bytes()
        assert text.endswith(own) and text.count(b"CueBridge begins") == 1
    named = set(re.findall(rb'"(cuebridge\w*)"', text))
    assert {name.decode() + ".py" for name in named} == {path.name for path in (scripts / "CueBridge").glob("*.py")}
    main([*arguments, "--uninstall"])
    assert (scripts / "__startup.lua").read_bytes() == own
    (scripts / "__startup.lua").unlink()
    main([*arguments, "--startup"])
    main([*arguments, "--uninstall"])
    assert files(tmp_path) == []
    with pytest.raises(InstallError, match="REAPER's"):
        main(["bitwig", "--home", str(tmp_path), "--startup"])


@pytest.mark.skipif(shutil.which("luac") is None and shutil.which("ardour7-lua") is None, reason="no Lua here")
def test_reapers_start_up_script_is_lua(tmp_path):
    main(["reaper", "--home", str(tmp_path), "--system", "linux", "--startup"])
    assert (tmp_path / ".config/REAPER/Effects/CueBridge/CueBridge.jsfx").is_file()
    script = tmp_path / ".config/REAPER/Scripts/__startup.lua"
    run = tmp_path / "run.lua"
    run.write_text(
        "local made, ran = {}, {}\n"
        "reaper = { GetResourcePath = function () return '/x' end,\n"
        "AddRemoveReaScript = function (add, section, path, commit) made[#made + 1] = path; return #made end,\n"
        "Main_OnCommand = function (command) ran[#ran + 1] = made[command] end }\n"
        f'dofile ("{script}")\nprint (#made .. " " .. table.concat (ran, ",")); if quit then quit () end\n'
    )
    lua = shutil.which("ardour7-lua") or "lua"
    done = subprocess.run([lua, str(run)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert "8 /x/Scripts/CueBridge/cuebridge.py" in done.stdout, done.stdout + done.stderr


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
