"""`cuebridge install-script`: puts a DAW's script where that DAW looks for it, and says the next click.

What is replaced is kept beside it as `NAME.backup-N`; a list of what was installed lies in the folder, so that
`--uninstall` takes away exactly that and puts back what was there before the first of our versions.  Folders are those
of the makers' manuals (see docs/daw/), moved where the system or the DAW's own preferences say so (`folders`).
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from bridge.daw import folders
from bridge.daw.folders import Account
from bridge.daw.protocol import DEFAULT_PORT
from engine.music.command import SentenceParser
from engine.music.errors import UserError

MANIFEST: Final = ".cuebridge-install.json"

NEXT: Final = {
    "reaper": (
        "In REAPER: Preferences > Plug-ins > ReaScript, enable Python; then Actions > Show action list > New action > "
        "Load ReaScript, choose Scripts/CueBridge/cuebridge.py, and run it once (it keeps running in the background). "
        "Load cuebridge_progression.py, _pin.py, _print.py, _print_film.py, _play.py, _thaw.py and _arm.py likewise. "
        "With --startup REAPER loads them all and starts the first by itself. "
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
        "In Ardour: Edit > Lua Scripts > Script Manager > Action Hooks > New Hook, choose CueBridge, Add. "
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


def _reaper(account: Account) -> list[Place]:
    return [
        Place(source, folder / inside)
        for folder in folders.reaper(account)
        for source, inside in (
            ("reaper/Scripts", Path("Scripts") / "CueBridge"),
            ("reaper/Effects", Path("Effects") / "CueBridge"),
            ("reaper/OSC", Path("OSC")),
            ("reaper/ProjectTemplates", Path("ProjectTemplates")),
        )
    ]


def _live(account: Account) -> list[Place]:
    if account.system == "linux" and account.to is None:
        raise InstallError("Ableton Live does not run on Linux, so there is no folder for its script.")
    return [Place("ableton/CueBridge", library / "Remote Scripts" / "CueBridge") for library in folders.live(account)]


def _bitwig(account: Account) -> list[Place]:
    return [
        Place("bitwig/CueBridge", folder / "Controller Scripts" / "CueBridge") for folder in folders.bitwig(account)
    ]


def _ardour(account: Account) -> list[Place]:
    return [Place("ardour/scripts", folder / "scripts") for folder in folders.ardour(account)]


def _cubase(account: Account) -> list[Place]:
    if account.system == "linux" and account.to is None:
        raise InstallError("Cubase and Nuendo do not run on Linux, so there is no folder for their script.")
    local = Path("MIDI Remote") / "Driver Scripts" / "Local" / "CueBridge"
    return [Place("cubase/CueBridge", folder / local) for folder in folders.cubase(account)]


_LAYOUTS: Final = {"reaper": _reaper, "live": _live, "bitwig": _bitwig, "ardour": _ardour, "cubase": _cubase}
DAWS: Final = tuple(_LAYOUTS)


def places(daw: str, account: Account) -> list[Place]:
    """Which folders of ours go where.  Raises InstallError where the DAW does not exist on that system."""
    if account.to is not None and account.to.name.lower() == folders.INSIDE[daw].lower():
        account = replace(account, to=account.to.parent)
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
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError):
        return {}
    # A backup lies beside what it was made of: a list that says otherwise was not written by us.
    return {name: entry for name, entry in found.items() if _is_entry(entry)} if isinstance(found, dict) else {}


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        return False
    return not set("/\\") & set(entry.get("backup", ""))


def _write(path: Path, data: bytes) -> None:
    """Written aside under a name that nobody could have put there, then renamed: a link at a guessable name would be
    followed, and what it leads to overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise


STARTUP: Final = "__startup.lua"  # in REAPER's Scripts folder: REAPER runs it when it starts
_BEGIN, _END = b"-- CueBridge begins", b"-- CueBridge ends"
_BLOCK: Final = b"""-- CueBridge begins
do  -- makes the CueBridge actions known and starts the first; written by cuebridge install-script
  local folder = reaper.GetResourcePath () .. "/Scripts/CueBridge/"
  for _, name in ipairs {
    "cuebridge_arm", "cuebridge_pin", "cuebridge_play", "cuebridge_print", "cuebridge_print_film",
    "cuebridge_progression", "cuebridge_thaw", "cuebridge",
  } do
    local command = reaper.AddRemoveReaScript (true, 0, folder .. name .. ".py", name == "cuebridge")
    if name == "cuebridge" and command ~= 0 then reaper.Main_OnCommand (command, 0) end
  end
end
-- CueBridge ends
"""


def _startup(scripts: Path, wanted: bool, dry_run: bool) -> list[str]:
    """Puts our block at the head of REAPER's start-up script, or takes it out; the rest stays as it is."""
    path = scripts / STARTUP
    old = path.read_bytes() if path.is_file() else b""
    rest = old
    if _BEGIN in old and _END in old[old.index(_BEGIN) :]:
        begin = old.index(_BEGIN)
        end = old.index(_END, begin) + len(_END)
        rest = old[:begin] + old[end:].removeprefix(b"\r").removeprefix(b"\n")
    new = _BLOCK + rest if wanted else rest
    if new == old:
        return [f"already there: {path}"] if wanted else []
    said = f"{'would change' if dry_run else 'changed'} {path}"
    if not dry_run and new:
        _write(path, new)
    elif not dry_run:
        path.unlink()
    return [said]


def install(
    daw: str, account: Account, port: int = DEFAULT_PORT, dry_run: bool = False, startup: bool = False
) -> list[str]:
    """Installs; answers with what was done, a sentence each.  Installing again changes nothing.

    startup: REAPER also starts the script by itself.  Raises InstallError where a folder cannot be written.
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
                    entry["backup"] = earlier["backup"]  # the first: what was there before any version of ours
                # Our own older version is no one's work: only what somebody else wrote is kept.
                if old is not None and _sha(old) != earlier.get("sha256"):
                    backup = _backup_of(path)
                    said.append(f"{'would keep' if dry_run else 'kept'} the file that was there as {backup.name}")
                    entry.setdefault("backup", backup.name)
                    if not dry_run:
                        os.replace(path, backup)
                said.append(f"{'would write' if dry_run else 'wrote'} {path}")
                if not dry_run:
                    _write(path, data)
                manifest[name] = entry
            if not dry_run:
                _write(place.target / MANIFEST, json.dumps(manifest, indent=1).encode("utf-8"))
            if startup and place.source == "reaper/Scripts":
                said += _startup(place.target.parent, True, dry_run)
    except OSError as error:
        raise InstallError(f"the script cannot be installed: {error.strerror}: {error.filename}.") from error
    return said


def uninstall(daw: str, account: Account, dry_run: bool = False) -> list[str]:
    """Takes away what was installed and puts back what was there before; files changed since are left and named, and
    so are backups of versions of ours that somebody had changed."""
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
                others = sorted(other for other in path.parent.glob(f"{glob.escape(path.name)}.backup-*"))
                said += [f"kept beside it, a changed version of ours: {other}" for other in others if other != backup]
            if not dry_run:
                (place.target / MANIFEST).unlink(missing_ok=True)
                _remove_empty(place.target)
            if place.source == "reaper/Scripts":
                said += _startup(place.target.parent, False, dry_run)
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
    parser.add_argument("daw", choices=DAWS, help="the DAW")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
    parser.add_argument("--uninstall", action="store_true", help="remove the script again")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the bridge (default %(default)s)")
    parser.add_argument("--to", metavar="DIR", help="the DAW's folder where it is not the usual one (see docs/daw)")
    parser.add_argument("--startup", action="store_true", help="REAPER: start the script whenever REAPER starts")
    parser.add_argument("--home", metavar="DIR", help="another account's folder")
    parser.add_argument("--system", choices=folders.SYSTEMS, help="layout of another system (with --home)")


def run(arguments: argparse.Namespace) -> int:
    """Does it and says it on standard output.  Raises InstallError."""
    if not 1 <= arguments.port <= 65535:
        raise InstallError(f"{arguments.port} is not a port; ports are 1 to 65535.")
    if arguments.startup and arguments.daw != "reaper":
        raise InstallError(f"--startup is REAPER's; {arguments.daw} starts its script by itself.")
    account = Account.of(arguments.system, arguments.home, arguments.to)
    if account.to is not None and not account.to.is_dir():
        raise InstallError(f"{account.to} is no folder; --to takes {folders.WHAT_TO_IS[arguments.daw]}.")
    if arguments.uninstall:
        said = uninstall(arguments.daw, account, arguments.dry_run)
    else:
        said = install(arguments.daw, account, arguments.port, arguments.dry_run, arguments.startup)
        if not arguments.dry_run:
            said += ["", NEXT[arguments.daw]]
    sys.stdout.write("\n".join(said) + "\n")
    return 0


def main(argv: list[str]) -> int:
    """`install-script` with its arguments.  Raises InstallError."""
    parser = SentenceParser(prog="cuebridge install-script", description="Installs the script of a DAW.")
    add_arguments(parser)
    return run(parser.parse_args(argv))
