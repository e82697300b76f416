"""The full reading: CLIP (Radford et al. 2021) through open_clip, as the paper uses it (sections 3.2.1, 3.2.2).

One 768-d image embedding a second, unnormalised, and the zero-shot probabilities of the six bare class words: softmax
of logit scale times cosine.  The text is encoded once, and a frame that differs from the last encoded one by less than
SAME_FRAME_DIFFERENCE takes that one's embedding.  Frames are encoded BATCH at a time, or as soon as one is asked for.
Heavy imports happen only where CLIP is really used.

OpenAI's weights were trained with QuickGELU.  A model built without it loads them in silence and gives other features,
so its presence is checked and open_clip's mismatch warning is an error.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from engine.music.extras import has_extra
from engine.music.mood import EMOTIONS
from engine.user_folders import data_folder
from engine.video.errors import VideoError
from engine.video.features import SEMANTIC_SIZE
from engine.video.options import AnalysisOptions

SAME_FRAME_DIFFERENCE: Final = 1.0  # mean absolute difference, 0..255, of 64-pixel-wide copies
_SAME_FRAME_WIDTH: Final = 64
# Frames encoded together.  cpu: measured (tests/bench/clip.py): 4 takes three quarters of the time of 1 with
# ViT-L-14-336 and a third with ViT-B-32, 8 hardly less.  cuda and mps: a guess, not run.
BATCH: Final = {"cpu": 4, "cuda": 8, "mps": 4}


class Seen:
    """What CLIP says of a frame, computed at the latest when it is read."""

    __slots__ = ("_encoder", "feature", "weights")

    def __init__(self, encoder: ClipEncoder) -> None:
        self._encoder = encoder
        self.feature: np.ndarray | None = None  # (d,) float32
        self.weights: np.ndarray | None = None  # (6,) float64

    def read(self) -> tuple[np.ndarray | None, np.ndarray]:
        """(768,) float32 or None where the model is of another width, (6,) weights with sum 1."""
        if self.weights is None:
            self._encoder.flush()
        assert self.weights is not None
        return (self.feature if self._encoder.gives_semantic else None), self.weights


class Encoder(Protocol):
    """Turns a second's frame into its embedding and its six mood weights."""

    gives_semantic: bool

    def add(self, image: np.ndarray) -> Seen:
        """image: (H, W, 3) uint8 RGB."""

    def report(self) -> str:
        """One sentence about the work done."""


def weights_file(options: AnalysisOptions) -> Path:
    """Where the CLIP weights are, or would be: the file that was named, or the user's data folder."""
    if options.clip_weights is not None:
        return options.clip_weights
    return data_folder() / "clip" / f"{options.clip_model}.safetensors"


def planned_reading(options: AnalysisOptions) -> tuple[str, str]:
    """("full" | "quick", why), without loading anything.  Raises VideoError where full is wanted and cannot be had."""
    if options.reading == "quick":
        return "quick", "quick was asked for"
    weights = weights_file(options)
    named = options.clip_weights is not None  # a wrong name is said first: installing something would not mend it
    if not weights.is_file() and (named or has_extra("clip")):
        missing = f"there are no CLIP weights at {weights} (cuebridge models fetch clip)"
    elif not has_extra("clip"):
        missing = "open_clip is not installed (pip install 'cuebridge[clip]')"
    else:
        return "full", f"CLIP {options.clip_model} with {weights.name}"
    if options.reading == "full" or options.clip_weights is not None:
        raise VideoError(f"The full reading cannot be had: {missing}.")
    return "quick", missing


def choose_reading(options: AnalysisOptions) -> tuple[str, str, Encoder | None]:
    """As `planned_reading`, with the encoder loaded where it is to be full."""
    reading, reason = planned_reading(options)
    if reading == "quick":
        return reading, reason, None
    return reading, reason, load_encoder(options)


def load_encoder(options: AnalysisOptions) -> ClipEncoder:
    """Loads CLIP with its weights.  Raises VideoError."""
    open_clip = _open_clip()
    import torch

    name = options.clip_model
    if "quickgelu" not in name.lower():
        raise VideoError(f"CLIP model '{name}' has no QuickGELU, which OpenAI's weights need; see '{name}-quickgelu'.")
    weights = weights_file(options)
    device = _device(options.device)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*QuickGELU mismatch.*")
        try:
            model, _, preprocess = open_clip.create_model_and_transforms(
                name, pretrained=str(weights), device=device, precision="fp32"
            )
            tokenizer = open_clip.get_tokenizer(name)
        except UserWarning as error:
            raise VideoError(f"CLIP {name} does not fit its weights: {error}.") from error
        except Exception as error:  # whatever three libraries raise for a file that is not these weights
            first_line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise VideoError(f"CLIP {name} cannot be loaded from {weights.name}: {first_line}.") from error
    if options.clip_precision == "bf16":
        model = model.to(torch.bfloat16)
    return ClipEncoder(model, preprocess, tokenizer, name, device, options.clip_batch)


class ClipEncoder:
    """CLIP with the six class words.

    model: open_clip.CLIP; preprocess: PIL image -> (3, size, size) tensor; batch: frames at a time, 0 = BATCH's.
    """

    def __init__(
        self, model: Any, preprocess: Any, tokenizer: Any, name: str, device: str = "cpu", batch: int = 0
    ) -> None:
        import torch

        if not has_quick_gelu(model):
            raise VideoError(f"CLIP {name} was built without QuickGELU; its features would not be OpenAI's.")
        self.frames = 0
        self.encoded = 0
        self._model = model.eval()
        self._preprocess = preprocess
        self._device = device
        self._dtype = next(model.parameters()).dtype
        self.batch = batch or BATCH.get(device, 1)
        self._last: tuple[np.ndarray, Seen] | None = None  # small copy of the frame that was encoded last
        self._waiting: list[tuple[Seen, Any]] = []  # with the preprocessed frame, (3, size, size)
        with torch.inference_mode():
            text = self._model.encode_text(tokenizer(list(EMOTIONS)).to(device)).float()  # (6, d)
            self._text = text / text.norm(dim=-1, keepdim=True)
            self._scale = float(self._model.logit_scale.float().exp())
        self.gives_semantic = self._text.shape[1] == SEMANTIC_SIZE

    def add(self, image: np.ndarray) -> Seen:
        """image: (H, W, 3) uint8 RGB.  A frame like the last encoded one gets the same answer."""
        from PIL import Image

        self.frames += 1
        small = _small(image)
        if self._last is None or _difference(small, self._last[0]) >= SAME_FRAME_DIFFERENCE:
            self.encoded += 1
            seen = Seen(self)
            self._last = small, seen
            self._waiting.append((seen, self._preprocess(Image.fromarray(image))))
            if len(self._waiting) >= self.batch:
                self.flush()
        return self._last[1]

    def encode(self, image: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """image: (H, W, 3) uint8 RGB -> (768,) float32 (None for other model sizes), (6,) probabilities; at once."""
        return self.add(image).read()

    def flush(self) -> None:
        """Encodes what waits."""
        import torch

        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        with torch.inference_mode():
            pixels = torch.stack([pixels for _seen, pixels in waiting])  # (n, 3, size, size)
            feature = self._model.encode_image(pixels.to(self._device, self._dtype)).float()  # (n, d)
            logits = self._scale * (feature / feature.norm(dim=-1, keepdim=True)) @ self._text.T  # (n, 6)
            features = feature.cpu().numpy()
            weights = torch.softmax(logits, dim=-1).cpu().numpy().astype(np.float64)
        for row, (seen, _pixels) in enumerate(waiting):
            seen.feature, seen.weights = features[row], weights[row]

    def report(self) -> str:
        return f"CLIP encoded {self.encoded} of {self.frames} seconds' frames; the others stood still."


def has_quick_gelu(model: Any) -> bool:
    """Whether the image tower computes QuickGELU, x * sigmoid(1.702 x)."""
    return any(type(module).__name__ == "QuickGELU" for module in model.visual.modules())


def _open_clip() -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise VideoError(
            f"The full reading needs open_clip (pip install 'cuebridge[clip]'): {str(error).splitlines()[0]}."
        ) from error
    except RuntimeError as error:  # torchvision of another build: "operator torchvision::nms does not exist"
        raise VideoError(
            f"open_clip cannot be loaded because torchvision does not belong to this torch ({error}); "
            "install both from the same index."
        ) from error
    return open_clip


def _device(wanted: str) -> str:
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted != "auto":
        if not there[wanted]:
            raise VideoError(f"This machine has no {wanted} device.")
        return wanted
    return "cuda" if there["cuda"] else "mps" if there["mps"] else "cpu"


def _small(image: np.ndarray) -> np.ndarray:
    import cv2

    height = max(1, round(image.shape[0] * _SAME_FRAME_WIDTH / image.shape[1]))
    return np.asarray(cv2.resize(image, (_SAME_FRAME_WIDTH, height), interpolation=cv2.INTER_AREA))


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return 255.0
    return float(np.abs(a.astype(np.int16) - b).mean())
