"""Downloads the CLIP weights of the full picture reading, on request only.

open_clip fetches OpenAI's published weights (its own progress is shown) and they are stored as safetensors where the
analysis looks for them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from models.errors import ModelError


def clip_target(model: str) -> Path:
    """Where the analysis looks for CLIP weights by default."""
    import platformdirs

    return Path(platformdirs.user_data_dir("cuebridge", appauthor=False)) / "clip" / f"{model}.safetensors"


def fetch_clip(model: str, out: Path, say: Callable[[str], None]) -> int:
    """Downloads `model` with the tag "openai" and writes it to `out`; returns its size in bytes.

    Raises ModelError where open_clip is missing, the model does not exist, or the download fails.
    """
    try:
        import open_clip
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"Fetching CLIP needs open_clip (pip install 'cuebridge[clip]'): {reason}.") from error
    from safetensors.torch import save_file

    if (model, "openai") not in open_clip.list_pretrained():
        raise ModelError(f"open_clip has no model {model!r} with OpenAI's weights.")
    say(f"downloading OpenAI's weights of {model}, about 1.7 GB for ViT-L-14-336")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*QuickGELU mismatch.*")
        try:
            network = open_clip.create_model(model, pretrained="openai", precision="fp32")
        except UserWarning as error:
            raise ModelError(f"{model} is not what OpenAI trained: {error}.") from error
        except Exception as error:  # the download layers below raise types of their own
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"The weights of {model} could not be fetched: {reason}.") from error
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(out.name + ".tmp")
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, aside)
    aside.chmod(0o644)
    os.replace(aside, out)
    return out.stat().st_size
