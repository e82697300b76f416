"""`cuebridge install-script`: puts a DAW's script where that DAW looks for it, and says the next click.

What is replaced is kept beside it as `NAME.backup-N`; a list of what was installed lies in the folder, so that
`--uninstall` takes away exactly that and puts the newest backup back.  Folders are those of the makers' manuals (see
docs/daw/).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from bridge.daw.protocol import DEFAULT_PORT
from engine.music.command import SentenceParser
from engine.music.errors import UserError

DAWS: Final = ("reaper", "live", "bitwig", "ardour", "cubase")
SYSTEMS: Final = ("macos", "windows", "linux")
MANIFEST: Final = ".cuebridge-install.json"
ARDOUR_VERSIONS: Final = (7, 8, 9)
DEFAULT_ARDOUR: Final = 8

NEXT: Final = {
    "reaper": (
        "In REAPER: Preferences > Plug-ins > ReaScript, enable Python; then Actions > Show action list > New action > "
        "Load ReaScript, choose Scripts/CueBridge/cuebridge.py, and run it once (it keeps running in the background). "
        "Load cuebridge_progression.py, _pin.py, _print.py, _print_film.py, _thaw.py and _arm.py the same way. "
        "A project with all tracks routed: File > Project templates > CueBridge."
    ),
    "live": (
        "Restart Live, then Settings > Link, Tempo & MIDI: choose CueBridge as Control Surface (no input or output)."
    ),
    "bitwig": (
        "In Bitwig: Settings > Controllers > Add controller > CueBridge > Transport, then Add. "
        "Host and ports are in its settings panel."
    ),
    "ardour": (
        "In Ardour: Edit > Lua Scripts > Script Manager > Action Hooks > Add/Set, choose CueBridge, Add. "
        "For the menu actions, the tab Action Scripts: CueBridge progression, pin, print, print film, thaw, tracks. "
        "A session with all tracks: Session > New, template CueBridge tracks (start `cuebridge live` first)."
    ),
    "cubase": (
        "Restart Cubase or Nuendo; in MIDI Remote (Studio > MIDI Remote Manager) the controller CueBridge Transport "
        "appears once the MIDI ports 'CueBridge Sync' are there: start `cuebridge live` first."
    ),
}


class InstallError(UserError):
    """A script cannot be installed here."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of ours in `source` (below daw_scripts/) goes to `target`."""

    source: str
    target: Path


@dataclass(frozen=True, slots=True)
class Account:
    """Whose folders.  home: the user's folder; appdata, localappdata: Windows' folders for settings."""

    system: str
    home: Path
    appdata: Path
    localappdata: Path

    @classmethod
    def of(cls, system: str | None, home: str | None) -> Account:
        """This account, or the layout of another system below a given folder."""
        system = system or {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")
        base = Path(home) if home else Path.home()
        roaming, local = base / "AppData" / "Roaming", base / "AppData" / "Local"
        if home is None:
            roaming = Path(os.environ.get("APPDATA", roaming))
            local = Path(os.environ.get("LOCALAPPDATA", local))
        return cls(system, base, roaming, local)


def _reaper(account: Account) -> list[Place]:
    folder = {
        "macos": account.home / "Library" / "Application Support" / "REAPER",
        "windows": account.appdata / "REAPER",
        "linux": account.home / ".config" / "REAPER",
    }[account.system]
    return [
        Place("reaper/Scripts", folder / "Scripts" / "CueBridge"),
        Place("reaper/OSC", folder / "OSC"),
        Place("reaper/ProjectTemplates", folder / "ProjectTemplates"),
    ]


def _live(account: Account) -> list[Place]:
    if account.system == "linux":
        raise InstallError("Ableton Live does not run on Linux, so there is no folder for its script.")
    library = account.home / ("Music" if account.system == "macos" else "Documents") / "Ableton" / "User Library"
    return [Place("ableton/CueBridge", library / "Remote Scripts" / "CueBridge")]


def _bitwig(account: Account) -> list[Place]:
    documents = account.home if account.system == "linux" else account.home / "Documents"
    return [Place("bitwig/CueBridge", documents / "Bitwig Studio" / "Controller Scripts" / "CueBridge")]


def _ardour(account: Account) -> list[Place]:
    base, pattern = {
        "macos": (account.home / "Library" / "Preferences", "Ardour{}"),
        "windows": (account.localappdata, "ardour{}"),
        "linux": (account.home / ".config", "ardour{}"),
    }[account.system]
    folders = [base / pattern.format(version) for version in ARDOUR_VERSIONS]
    found = [folder for folder in folders if folder.is_dir()] or [base / pattern.format(DEFAULT_ARDOUR)]
    return [Place("ardour/scripts", folder / "scripts") for folder in found]


def _cubase(account: Account) -> list[Place]:
    if account.system == "linux":
        raise InstallError("Cubase and Nuendo do not run on Linux, so there is no folder for their script.")
    base = account.home / "Documents" / "Steinberg"
    found = [name for name in ("Cubase", "Nuendo") if (base / name).is_dir()] or ["Cubase"]
    local = Path("MIDI Remote") / "Driver Scripts" / "Local"
    return [Place("cubase/CueBridge", base / name / local / "CueBridge") for name in found]


_LAYOUTS: Final = {"reaper": _reaper, "live": _live, "bitwig": _bitwig, "ardour": _ardour, "cubase": _cubase}


def places(daw: str, account: Account) -> list[Place]:
    """Which folders of ours go where.  Raises InstallError where the DAW does not exist on that system."""
    return _LAYOUTS[daw](account)


def _files(folder: Traversable, inside: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = f"{inside}{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, name + "/")
        elif not entry.name.endswith(".pyc"):
            yield name, entry.read_bytes()


def _contents(place: Place, port: int) -> list[tuple[Path, bytes]]:
    """Target files and their bytes; the port is written into them where it is not the usual one."""
    folder = resources.files("daw_scripts").joinpath(*place.source.split("/"))
    if not folder.is_dir():
        raise InstallError(f"this installation lacks its folder daw_scripts/{place.source}; install cuebridge again.")
    usual, wanted = str(DEFAULT_PORT).encode(), str(port).encode()
    return [(place.target / name, data.replace(usual, wanted)) for name, data in _files(folder)]


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _backup_of(path: Path) -> Path:
    number = 1
    while (backup := path.with_name(f"{path.name}.backup-{number}")).exists():
        number += 1
    return backup


def _read_manifest(folder: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    # A backup lies beside what it was made of: a list that says otherwise was not written by us.
    return {name: entry for name, entry in found.items() if _is_entry(entry)} if isinstance(found, dict) else {}


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        return False
    return not set("/\\") & set(entry.get("backup", ""))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(data)
    os.replace(aside, path)


def install(daw: str, account: Account, port: int = DEFAULT_PORT, dry_run: bool = False) -> list[str]:
    """Installs; answers with what was done, a sentence each.  Installing again changes nothing.

    Raises InstallError where a folder cannot be written.
    """
    said: list[str] = []
    try:
        for place in places(daw, account):
            manifest = _read_manifest(place.target)
            for path, data in _contents(place, port):
                name = path.relative_to(place.target).as_posix()
                old = path.read_bytes() if path.is_file() else None
                if old == data:
                    said.append(f"already there: {path}")
                    manifest.setdefault(name, {"sha256": _sha(data)})
                    continue
                entry = {"sha256": _sha(data)}
                earlier = manifest.get(name, {})
                if "backup" in earlier:
                    entry["backup"] = earlier["backup"]
                # Our own older version is no one's work: only what somebody else wrote is kept.
                if old is not None and _sha(old) != earlier.get("sha256"):
                    backup = _backup_of(path)
                    said.append(f"{'would keep' if dry_run else 'kept'} the file that was there as {backup.name}")
                    entry["backup"] = backup.name
                    if not dry_run:
                        os.replace(path, backup)
                said.append(f"{'would write' if dry_run else 'wrote'} {path}")
                if not dry_run:
                    _write(path, data)
                manifest[name] = entry
            if not dry_run:
                _write(place.target / MANIFEST, json.dumps(manifest, indent=1).encode("utf-8"))
    except OSError as error:
        raise InstallError(f"the script cannot be installed: {error.strerror}: {error.filename}.") from error
    return said


def uninstall(daw: str, account: Account, dry_run: bool = False) -> list[str]:
    """Takes away what was installed and puts the newest backup back; files changed since are left and named."""
    said: list[str] = []
    verb = "would remove" if dry_run else "removed"
    try:
        for place in places(daw, account):
            for name, entry in sorted(_read_manifest(place.target).items()):
                path = place.target / name
                if place.target.resolve() not in path.resolve().parents:
                    continue  # a list that names files elsewhere was not written by us
                if path.is_file() and _sha(path.read_bytes()) != entry.get("sha256"):
                    said.append(f"left in place, changed since it was installed: {path}")
                    continue
                if path.is_file():
                    said.append(f"{verb} {path}")
                    if not dry_run:
                        path.unlink()
                backup = path.with_name(entry["backup"]) if "backup" in entry else None
                if backup is not None and backup.is_file():
                    said.append(f"{'would put back' if dry_run else 'put back'} {path}")
                    if not dry_run:
                        os.replace(backup, path)
            if not dry_run:
                (place.target / MANIFEST).unlink(missing_ok=True)
                _remove_empty(place.target)
    except OSError as error:
        raise InstallError(f"the script cannot be removed: {error.strerror}: {error.filename}.") from error
    return said or ["nothing of ours is installed there"]


def _remove_empty(folder: Path) -> None:
    """Folders of ours that are empty now; never the DAW's own folders, which have other names."""
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(path.iterdir()) and path.name in ("CueBridge", "Transport", "__pycache__"):
            path.rmdir()
    if folder.is_dir() and folder.name == "CueBridge" and not any(folder.iterdir()):
        folder.rmdir()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command, without its name."""
    parser.add_argument("daw", choices=DAWS, help="which DAW")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--uninstall", action="store_true", help="take it away again")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the bridge (default %(default)s)")
    parser.add_argument("--home", metavar="DIR", help="another account's folder")
    parser.add_argument("--system", choices=SYSTEMS, help="layout of another system (with --home)")


def run(arguments: argparse.Namespace) -> int:
    """Does it and says it on standard output.  Raises InstallError."""
    if not 1 <= arguments.port <= 65535:
        raise InstallError(f"{arguments.port} is not a port; ports are 1 to 65535.")
    account = Account.of(arguments.system, arguments.home)
    if arguments.uninstall:
        said = uninstall(arguments.daw, account, arguments.dry_run)
    else:
        said = install(arguments.daw, account, arguments.port, arguments.dry_run)
        if not arguments.dry_run:
            said += ["", NEXT[arguments.daw]]
    sys.stdout.write("\n".join(said) + "\n")
    return 0


def main(argv: list[str]) -> int:
    """`install-script` with its arguments.  Raises InstallError."""
    parser = SentenceParser(prog="cuebridge install-script", description="Install a DAW's script.")
    add_arguments(parser)
    return run(parser.parse_args(argv))
