"""Writes features in MuVi-Sync's own file layout, as Video2Music's scripts read them (one value line per second)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.music.files import make_way, write_whole, written_aside
from engine.music.mood import EMOTIONS
from engine.video.errors import VideoError
from engine.video.features import VideoFeatures


def export_muvi_sync(features: VideoFeatures, directory: Path, *, replace: bool = False) -> list[Path]:
    """Writes emotion, motion, scene, scene offset and (full reading) semantic files below a folder; returns them.

    The files are called as the film.  replace: files that are there are kept beside;
    else they are refused.  Emotion is the unsmoothed one, as there.
    """
    name = Path(features.film.path).stem
    scene = np.cumsum((features.scene_offset == 0) & (np.arange(features.seconds) > 0))
    header = "time " + " ".join(f"{emotion}_prob" for emotion in EMOTIONS) + "\n"
    texts = {
        "vevo_emotion/6c_l14p/all": header
        + "".join(
            f"{row} " + " ".join(f"{value:.4f}" for value in features.emotion_raw[row]) + "\n"
            for row in range(features.seconds)
        ),
        "vevo_motion/all": "".join(f"{row} {value:.4f}\n" for row, value in enumerate(features.motion)),
        "vevo_scene/all": "".join(f"{row} {value}\n" for row, value in enumerate(scene)),
        "vevo_scene_offset/all": "".join(f"{row} {value}\n" for row, value in enumerate(features.scene_offset)),
    }
    written = []
    try:
        for folder, text in texts.items():
            file = directory / folder / f"{name}.lab"
            file.parent.mkdir(parents=True, exist_ok=True)
            make_way(file, replace=replace)
            write_whole(file, text.encode("utf-8"))
            written.append(file)
        if features.semantic is not None:
            file = directory / "vevo_semantic/all/2d/clip_l14p" / f"{name}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            make_way(file, replace=replace)
            with written_aside(file) as aside:
                np.save(aside, features.semantic)
            written.append(file)
    except OSError as error:
        raise VideoError(f"{directory} cannot be written: {error.strerror or error}.") from error
    return written
