"""A font and a film for the tests of sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from soundlab import make_film, small_soundfont

from engine.sound.fonts import bundled_font
from engine.sound.soundfont import SoundFont
from engine.sound.voice import Voices


@pytest.fixture(scope="session")
def font() -> SoundFont:
    path = bundled_font()
    if path is None:
        pytest.skip("pretty_midi, which brings a SoundFont, is not installed")
    return SoundFont(path)


@pytest.fixture(scope="session")
def voices(font) -> Voices:
    return Voices(font)


@pytest.fixture
def film(tmp_path) -> Path:
    return make_film(tmp_path / "film.mp4")


@pytest.fixture(scope="session")
def small_font() -> bytes:
    wave = (20_000 * np.sin(2 * np.pi * np.arange(4_800) / 48)).astype(np.int16)
    return small_soundfont(wave, loop=(480, 4_752))
