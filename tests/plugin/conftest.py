"""The plugin is built once for all tests of this folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pluginlab
import pytest


@dataclass(frozen=True)
class Built:
    """A folder with the plugin in a format and a host for it."""

    folder: Path
    format: str = "CLAP"

    @property
    def plugin(self) -> Path:
        if self.format == "CLAP":
            return self.folder / "cuebridge.clap"
        (library,) = (self.folder / "cuebridge.vst3").glob("Contents/*/cuebridge.so")
        return library

    @property
    def host(self) -> Path:
        return self.folder / f"{self.format.lower()}-host"


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Built:
    """CLAP: it states everything."""
    if pluginlab.compiler() is None:
        pytest.skip(pluginlab.NO_COMPILER)
    flags = os.environ.get("CUEBRIDGE_PLUGIN_CFLAGS", "")  # sanitizers, in .ci/run
    folder = tmp_path_factory.mktemp("plugin")
    return Built(pluginlab.make(folder, "clap", "host", "vst3", "vst3-host", flags=flags))


@pytest.fixture(scope="session", params=["CLAP", "VST3"])
def either(built, request) -> Built:
    """Each format with a host of our own in C."""
    return replace(built, format=request.param)
