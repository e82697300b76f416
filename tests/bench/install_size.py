"""How much an installation takes on disk: the program, and every package that it needs, by the installed files.

    python tests/bench/install_size.py [--extra train]...

Sizes are those of the packages in this environment, without compiled caches (`__pycache__`); the program's own are its
files in this checkout.  Packages that an extra asks for and that are not installed here are named.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
OWN = ("bridge", "engine", "models")


def needed(requirements: list[str], extras: set[str]) -> tuple[dict[str, int], set[str]]:
    """name -> bytes of every package that the requirements lead to, and those that are not installed."""
    sizes: dict[str, int] = {}
    missing: set[str] = set()
    waiting = [(Requirement(text), extras) for text in requirements]
    while waiting:
        wanted, asked = waiting.pop()
        if wanted.marker is not None and not any(wanted.marker.evaluate({"extra": extra}) for extra in (*asked, "")):
            continue
        name = wanted.name.lower().replace("_", "-")
        if name in sizes or name in missing:
            continue
        try:
            found = distribution(wanted.name)
        except PackageNotFoundError:
            missing.add(name)
            continue
        files = [Path(str(found.locate_file(file))) for file in found.files or () if "__pycache__" not in file.parts]
        sizes[name] = sum(file.stat().st_size for file in files if file.is_file())
        waiting += [(Requirement(text), set(wanted.extras)) for text in found.requires or ()]
    return sizes, missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extra", action="append", default=[])
    arguments = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = list(project["dependencies"])
    for extra in arguments.extra:
        requirements += project["optional-dependencies"][extra]
    sizes, missing = needed(requirements, set(arguments.extra))
    sizes["cuebridge"] = sum(
        file.stat().st_size
        for folder in OWN
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        sys.stdout.write(f"{size / 1e6:9.1f} MB  {name}\n")
    sys.stdout.write(f"{sum(sizes.values()) / 1e6:9.1f} MB  in all\n")
    if missing:
        sys.stdout.write(f"not installed here: {', '.join(sorted(missing))}\n")


if __name__ == "__main__":
    main()
