"""What the engine's tests share: made-up film features, small real networks, the bundled clip."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.composer import Composer
from engine.music import Cut, Film, FrameRate
from engine.music.bundled import bundled_clip
from engine.video import AnalysisOptions, VideoFeatures, analyze
from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import save
from models.config import AmtConfig, RegressorConfig
from models.regressor import DynamicsRegressor

FeatureMaker = Callable[..., VideoFeatures]


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def clip() -> Path:
    return bundled_clip()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for --cache-dir: whichever test comes first has the clip looked at, for all."""
    return str(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="session")
def seen_clip(clip: Path) -> VideoFeatures:
    """The bundled clip by the quick reading."""
    return analyze(clip, AnalysisOptions(reading="quick"))


@pytest.fixture(scope="session")
def make_features() -> FeatureMaker:
    """features(seconds, seed=…, emotion=name of one class, valid=…): a made-up film, cut every seven seconds."""

    def make(
        duration_s: float, *, seed: int = 0, emotion: int | None = None, valid: np.ndarray | None = None
    ) -> VideoFeatures:
        seconds = int(np.ceil(duration_s))
        random = np.random.default_rng(seed)
        mood = random.dirichlet(np.full(6, 0.7), seconds).astype(np.float32)
        if emotion is not None:
            mood = np.tile(np.eye(6, dtype=np.float32)[emotion], (seconds, 1))
        return VideoFeatures(
            film=Film("made-up.mp4", duration_s, FrameRate(Fraction(24)), content_key=f"made up {duration_s} {seed}"),
            seconds=seconds,
            semantic=None,
            emotion_raw=mood,
            emotion=mood,
            motion=random.uniform(0, 80, seconds).astype(np.float32),
            scene_offset=(np.arange(seconds) % 7).astype(np.int32),
            valid=np.ones(seconds, bool) if valid is None else valid,
            cuts=tuple(Cut(float(second)) for second in range(7, seconds, 7)),
            reading="quick",
            reason="made up",
            notes=(),
        )

    return make


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with real, small, untrained networks: they agree with nobody, so that any slip shows."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(7)
    shape = AmtConfig(
        width=32,
        heads=2,
        encoder_layers=1,
        decoder_layers=1,
        feedforward=64,
        masked=True,
        scaled=True,
        run_buckets=8,
        recall_heads=2,
        condition_width=8,
    )
    chords = AffectiveMultimodalTransformer(shape)
    assert chords.conditioning is not None
    with torch.no_grad():  # else mood and cuts would change nothing
        for layer in (chords.conditioning.before, chords.conditioning.after):
            layer.weight.copy_(0.5 * torch.randn_like(layer.weight))
    save(chords, folder / "amt.safetensors")
    regressor = DynamicsRegressor(RegressorConfig(width=16, scaled=True))
    regressor.target_mean.copy_(torch.tensor([12.0, 0.2]))
    regressor.target_scale.copy_(torch.tensor([4.0, 0.1]))
    save(regressor, folder / "regressor.safetensors")
    return folder


@pytest.fixture
def composer(small_weights: Path) -> Composer:
    return Composer(small_weights)
