"""The plugin is built once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pluginlab
import pytest


@dataclass(frozen=True)
class Built:
    folder: Path

    @property
    def clap(self) -> Path:
        return self.folder / "cuebridge.clap"

    @property
    def host(self) -> Path:
        return self.folder / "clap-host"


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Built:
    if pluginlab.compiler() is None:
        pytest.skip(pluginlab.NO_COMPILER)
    return Built(pluginlab.make(tmp_path_factory.mktemp("plugin"), "clap", "host"))
