"""Takes at equal loudness: what the page measures against the project's own meter."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bridge.page
from engine.process.messages import SOUND_BLOCK, SOUND_SCALE
from engine.sound.loudness import LoudnessMeter
from engine.sound.stream import packed

LEVEL = Path(bridge.page.__file__).parent / "static" / "sound" / "level.js"
HOST = Path(__file__).parent / "level_host.mjs"
NODE = shutil.which("node") or ""

pytestmark = pytest.mark.skipif(not NODE, reason="the page's scripts need node to be run here")


def noise(seed: int, level: float, count: int = 8, low_hz: float = 100.0) -> np.ndarray:
    """(2, n): noise that has little above `low_hz` times eight, so that the weighting matters."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, 1, (2, SOUND_BLOCK * count))
    spectrum = np.fft.rfft(sound)
    spectrum /= np.maximum(np.fft.rfftfreq(sound.shape[1], 1 / 48000) / low_hz, 1.0)
    sound = np.fft.irfft(spectrum, sound.shape[1])
    return (sound / sound.std() * level).astype(np.float32)


def measured(takes: dict[str, np.ndarray], **more: Any) -> dict[str, Any]:
    rows = {
        name: [
            {"pad": base64.b64encode(packed(sound[:, at : at + SOUND_BLOCK])).decode()}
            for at in range(0, sound.shape[1], SOUND_BLOCK)
        ]
        for name, sound in takes.items()
    }
    job = json.dumps({"scale": SOUND_SCALE, "takes": rows, **more})
    done = subprocess.run(
        [NODE, str(HOST), str(LEVEL)], input=job.encode(), capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def integrated(sound: np.ndarray) -> float:
    meter = LoudnessMeter()
    meter.add(sound)
    return meter.integrated()


def test_the_page_measures_as_the_meter_does() -> None:
    takes = {"1": noise(1, 0.05), "2": noise(2, 0.12, low_hz=2000.0)}
    found = measured(takes)["pair"]
    assert found[2] == 8
    assert found[:2] == pytest.approx([integrated(sound) for sound in takes.values()], abs=0.25)


def test_the_louder_take_is_turned_down_and_none_up() -> None:
    takes = {"1": noise(1, 0.05), "2": noise(2, 0.12, low_hz=2000.0)}
    gains = measured(takes)["gains"]
    assert max(gains) == 1.0 and min(gains) < 0.9
    levelled = [integrated(sound * gain) for sound, gain in zip(takes.values(), gains, strict=True)]
    assert levelled[0] == pytest.approx(levelled[1], abs=0.5)


def test_takes_are_compared_where_both_are_known() -> None:
    """A take that is loud later, where the other was not heard, is not turned down for that."""
    first = noise(1, 0.05)
    second = np.concatenate([noise(1, 0.05, 4), noise(3, 0.5, 4)], axis=1)
    whole, changed = measured({"1": first, "2": second}), measured({"1": first, "2": second}, forget={"2": 4})
    assert whole["gains"][1] < 0.5
    assert changed["pair"][2] == 4 and changed["gains"][1] > 0.8


def test_nothing_is_known_of_silence() -> None:
    found = measured({"1": noise(1, 0.05), "2": np.zeros((2, SOUND_BLOCK * 8), np.float32)})
    assert found == {"pair": None, "gains": [1, 1]}
