"""`cuebridge doctor --report FILE`: what the doctor found, as text for a bug report, without personal details.

Names of the user and of the computer, paths, addresses of other computers and of people are replaced: a report is
pasted in public.  What is left is what a maintainer needs: versions, systems, calls and reasons.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from engine.music.errors import UserError
from engine.user_folders import home_or_none

# The rest of a path: to its last separator, then to a file's extension or to the end of the word.
_REST: Final = r"(?:[^\n:;\"'<>|]*[\\/])?(?:[^\n\\/:;\"'<>|]*?\.[A-Za-z]\w{1,4}\b|[^\s:;,\"'<>|)]*\w)?"
_PATHS: Final = (
    re.compile(r"\\\\[^\s\\:;\"'<>|]+\\" + _REST),  # \\server\share\…
    re.compile(r"\b[A-Za-z]:[\\/]" + _REST),  # C:\…
    re.compile(r"(?<![\w./<~])(?!/(?:cue|daw)\b)~?/" + _REST),  # /a/b c/d.txt; OSC addresses are no paths
)
_PERSON: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS: Final = re.compile(
    r"\b(?!127\.)(?!0\.0\.0\.0)(?:\d{1,3}\.){3}\d{1,3}\b(?!\.\d)"  # of version 4
    r"|\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{0,4}\b",  # of version 6, or of a network card
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Personal:
    """What must not appear in a report.  homes: folders; users and hosts: names."""

    homes: tuple[str, ...]
    users: tuple[str, ...]
    hosts: tuple[str, ...]

    @classmethod
    def here(cls) -> Personal:
        """This account and this computer."""
        home = home_or_none()
        users = {os.environ.get(name, "") for name in ("USER", "USERNAME", "LOGNAME")}
        if home is not None:
            users.add(home.name)
        try:
            users.add(getpass.getuser())
            if os.name == "posix":
                import pwd

                users |= set(pwd.getpwuid(os.getuid()).pw_gecos.replace(",", " ").split())
        except (KeyError, OSError, ImportError):
            pass  # an account without an entry
        hosts = {platform.node(), socket.gethostname()}
        hosts |= {name.split(".")[0] for name in hosts}
        return cls(() if home is None else (str(home),), tuple(users), tuple(hosts))


def scrubbed(text: str, personal: Personal) -> str:
    """The text without personal details."""
    for home in personal.homes:
        if len(home) > 1:
            text = re.sub(re.escape(home) + rf"(?:[\\/]{_REST}|(?!\w))", "<path>", text, flags=re.IGNORECASE)
    text = _PERSON.sub("<person>", text)
    for pattern in _PATHS:
        text = pattern.sub("<path>", text)
    text = _ADDRESS.sub("<address>", text)
    for names, word in ((personal.users, "<user>"), (personal.hosts, "<computer>")):
        for name in sorted((name for name in names if len(name) > 1), key=len, reverse=True):
            text = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", word, text, flags=re.IGNORECASE)
    return text


def report_text(findings: Iterable[tuple[str, bool | None, str, str]], personal: Personal) -> str:
    """findings: (name, ok, found, advice)."""
    lines = ["CueBridge report", ""]
    lines += [
        f"cuebridge {_version('cuebridge')}, Python {platform.python_version()} ({platform.python_implementation()})"
    ]
    lines += [f"{platform.system()} {platform.release()}, {platform.machine()}", ""]
    for name, ok, found, advice in findings:
        mark = {True: "ok  ", False: "BAD ", None: "-   "}[ok]
        lines.append(f"{mark} {name}: {found}")
        if advice:
            lines.append(f"     {advice}")
    return "\n".join(scrubbed(line, personal) for line in lines) + "\n"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed as a package)"


def write_report(path: Path, text: str) -> None:
    """Into a new file.  Raises UserError where there is one already, or where it cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"{path} is there already; give the report another name.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
