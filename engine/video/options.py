"""How a film is looked at: every setting of an analysis in one place.  `cache_text` is part of the cache key."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.music.controls import READINGS
from engine.video.errors import VideoError

ANALYSIS_VERSION: Final = 7  # raise when the same film and settings give other numbers than before


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """Settings of one analysis.

    reading: "full" (CLIP), "quick" (published formulas, no network) or "auto" (full where CLIP weights are there).
    mask: what of the frame is picture: "auto" (matte and burnt-in text are found), "none", or "x,y,w,h" in pixels.
    clip_model, clip_weights, device: the CLIP model's open_clip name, its weight file and "auto", "cpu", "cuda" or
        "mps"; used by the full reading alone.  clip_precision: "fp32" (the paper's numbers) or "bf16" (faster, close).
    clip_batch: frames encoded at a time, 0 = what was measured to be good for the device.
    adaptive_threshold: PySceneDetect AdaptiveDetector, > 0; lower finds more cuts.  min_shot_s: shortest shot, seconds.
    threads: decoder threads, 0 = one for small pictures, else as many as there are cores.
    max_s: look at this many seconds of the film at most; None = all.
    """

    reading: str = "auto"
    mask: str = "auto"
    clip_model: str = "ViT-L-14-336-quickgelu"
    clip_weights: Path | None = None
    device: str = "auto"
    clip_precision: str = "fp32"
    clip_batch: int = 0
    adaptive_threshold: float = 3.0
    min_shot_s: float = 0.6
    threads: int = 0
    max_s: float | None = None

    def __post_init__(self) -> None:
        if self.reading not in READINGS:
            raise VideoError(f"'{self.reading}' is not a way to read a film; there are {', '.join(READINGS)}.")
        if not (math.isfinite(self.adaptive_threshold) and self.adaptive_threshold > 0):
            raise VideoError(f"the cut threshold must be above 0, not {self.adaptive_threshold}.")
        if not (math.isfinite(self.min_shot_s) and self.min_shot_s >= 0):
            raise VideoError(f"the shortest shot must be 0 s or more, not {self.min_shot_s}.")
        if self.max_s is not None and not self.max_s > 0:
            raise VideoError(f"the length to analyse must be above 0 s, not {self.max_s}.")
        if self.clip_precision not in ("fp32", "bf16"):
            raise VideoError(f"'{self.clip_precision}' is not a CLIP precision; there are fp32 and bf16.")
        if self.device not in ("auto", "cpu", "cuda", "mps"):
            raise VideoError(f"'{self.device}' is not a device; there are auto, cpu, cuda and mps.")
        if self.clip_batch < 0:
            raise VideoError(f"the CLIP batch must be 0 or more, not {self.clip_batch}.")
        if self.threads < 0:
            raise VideoError(f"the number of threads must be 0 or more, not {self.threads}.")

    def cache_text(self, reading: str) -> str:
        """The settings that change the result (not threads, device, batch), as text; reading: the one really taken."""
        values: dict[str, object] = {
            "version": ANALYSIS_VERSION,
            "reading": reading,
            "adaptive_threshold": self.adaptive_threshold,
            "min_shot_s": self.min_shot_s,
            "max_s": self.max_s,
            "mask": self.mask,
        }
        if reading == "full":
            values["clip_model"] = self.clip_model
            values["clip_precision"] = self.clip_precision
            values["clip_weights"] = str(self.clip_weights) if self.clip_weights else ""
        return json.dumps(values, sort_keys=True)
