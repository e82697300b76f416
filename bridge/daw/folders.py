"""Where each DAW looks for scripts on this account.

The makers' manuals name the usual folders.  Where the user moved them, this looks: Windows and Linux are asked for the
documents folder (OneDrive redirects it), Live's own preferences for its User Library, REAPER's entry in the registry
for a portable installation.  A folder given with `--to` takes their place.
"""

from __future__ import annotations

import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine import user_folders
from engine.user_folders import expanded

SYSTEMS: Final = ("macos", "windows", "linux")
ARDOUR_VERSIONS: Final = (7, 8, 9)
DEFAULT_ARDOUR: Final = 8
MAX_PREFERENCES: Final = 8_000_000  # bytes of a Library.cfg that are read
_SHELL: Final = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"

# (root "HKCU" or "HKLM", key, value) -> text, or None where there is none
Registry = Callable[[str, str, str], "str | None"]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose folders.  home: the user's folder; documents: as the system says; appdata, localappdata: Windows' folders
    for settings; xdg_config: that of Linux; to: the DAW's folder as the user gave it; registry: Windows' own, None
    elsewhere."""

    system: str
    home: Path
    documents: Path
    appdata: Path
    localappdata: Path
    xdg_config: Path
    to: Path | None = None
    registry: Registry | None = None

    @classmethod
    def of(
        cls, system: str | None, home: str | None, to: str | None = None, registry: Registry | None = None
    ) -> Account:
        """This account, or the layout of another system below a given folder.  registry: for tests."""
        system = system or {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")
        base = expanded(home) if home else user_folders.home("--home")
        roaming, local = base / "AppData" / "Roaming", base / "AppData" / "Local"
        if home is None:
            roaming = Path(os.environ.get("APPDATA", roaming))
            local = Path(os.environ.get("LOCALAPPDATA", local))
        if registry is None and home is None and sys.platform == "win32":
            registry = _read_registry
        found = None if to is None else expanded(to).absolute()
        settings = base / ".config"
        if home is None:
            settings = Path(os.environ.get("XDG_CONFIG_HOME") or settings)
        return cls(system, base, _documents(system, base, registry), roaming, local, settings, found, registry)


def _read_registry(root: str, key: str, value: str) -> str | None:
    if sys.platform != "win32":
        return None
    import winreg

    try:
        with winreg.OpenKey(getattr(winreg, {"HKCU": "HKEY_CURRENT_USER"}.get(root, "HKEY_LOCAL_MACHINE")), key) as at:
            return str(winreg.QueryValueEx(at, value)[0])
    except OSError:
        return None


def _documents(system: str, home: Path, registry: Registry | None) -> Path:
    """The documents folder, wherever it was moved to."""
    if system == "windows" and registry is not None:
        text = registry("HKCU", _SHELL, "Personal")
        if text:
            known = {"userprofile": str(home), "onedrive": os.environ.get("ONEDRIVE", str(home / "OneDrive"))}
            full = re.sub(r"%(\w+)%", lambda name: known.get(name[1].lower(), os.environ.get(name[1], name[0])), text)
            if "%" not in full:
                return Path(full.replace("\\", "/")) if os.name != "nt" else Path(full)
    return home / "Documents"


def reaper(account: Account) -> list[Path]:
    """REAPER's resource folders: the user's, and that of a portable installation, which lies beside the program."""
    if account.to is not None:
        return [account.to]
    usual = {
        "macos": account.home / "Library" / "Application Support" / "REAPER",
        "windows": account.appdata / "REAPER",
        "linux": account.home / ".config" / "REAPER",
    }[account.system]
    portable = []
    if account.registry is not None:
        for root in ("HKCU", "HKLM"):
            place = account.registry(root, r"Software\REAPER", "")
            if place and (Path(place) / "reaper.ini").is_file():
                portable.append(Path(place))
    if portable and not (usual / "reaper.ini").is_file():
        return portable[:1]
    return [usual, *portable[:1]]


def live(account: Account) -> list[Path]:
    """Live's User Library: where its newest preferences say, else in the usual place."""
    if account.to is not None:
        return [account.to]
    preferences = {
        "macos": account.home / "Library" / "Preferences" / "Ableton",
        "windows": account.appdata / "Ableton",
    }.get(account.system)
    found = None if preferences is None else _live_library(preferences)
    if found is not None:
        return [found]
    base = account.home / "Music" if account.system == "macos" else account.documents
    return [base / "Ableton" / "User Library"]


def _live_library(preferences: Path) -> Path | None:
    """The library of the newest Live's Library.cfg (XML: UserLibrary/LibraryProject, ProjectPath and ProjectName), if
    that folder is there."""
    files = [
        *preferences.glob("Live */Library.cfg"),
        *preferences.glob("Live */Preferences/Library.cfg"),
    ]
    for file in sorted(files, key=_live_version, reverse=True):
        try:
            if file.stat().st_size > MAX_PREFERENCES:
                continue
            tree = ElementTree.fromstring(file.read_bytes())
        except (OSError, ElementTree.ParseError):
            continue
        for project in tree.iter("LibraryProject"):
            path, name = project.find("ProjectPath"), project.find("ProjectName")
            where = "" if path is None else path.get("Value", "")
            what = "User Library" if name is None else name.get("Value", "") or "User Library"
            if where and (folder := Path(where) / what).is_dir():
                return folder
    return None


def _live_version(file: Path) -> tuple[int, ...]:
    found = re.search(r"Live (\d[\d.]*)", str(file))
    return tuple(int(part) for part in found[1].split(".") if part) if found else ()


def bitwig(account: Account) -> list[Path]:
    if account.to is not None:
        return [account.to]
    documents = account.home if account.system == "linux" else account.documents
    return [documents / "Bitwig Studio"]


def ardour(account: Account) -> list[Path]:
    """The settings of every Ardour that has some here."""
    if account.to is not None:
        return [account.to]
    base, pattern = {
        "macos": (account.home / "Library" / "Preferences", "Ardour{}"),
        "windows": (account.localappdata, "ardour{}"),
        "linux": (account.xdg_config, "ardour{}"),
    }[account.system]
    there = [base / pattern.format(version) for version in ARDOUR_VERSIONS]
    return [folder for folder in there if folder.is_dir()] or [base / pattern.format(DEFAULT_ARDOUR)]


def cubase(account: Account) -> list[Path]:
    if account.to is not None:
        return [account.to]
    base = account.documents / "Steinberg"
    return [base / name for name in ("Cubase", "Nuendo") if (base / name).is_dir()] or [base / "Cubase"]


# What people give who look for the place of the scripts itself: a folder in the one that is asked for.
INSIDE: Final = {
    "reaper": "Scripts",
    "live": "Remote Scripts",
    "bitwig": "Controller Scripts",
    "ardour": "scripts",
    "cubase": "MIDI Remote",
}

WHAT_TO_IS: Final = {
    "reaper": "REAPER's resource path (Options > Show REAPER resource path)",
    "live": "Live's User Library (Settings > Library > Location of User Library)",
    "bitwig": "the folder that holds Controller Scripts (Settings > Locations > My controller scripts)",
    "ardour": "Ardour's settings folder, that which has scripts in it",
    "cubase": "the folder Cubase or Nuendo in Documents/Steinberg",
}
