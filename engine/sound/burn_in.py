"""Words in a film's picture: which take it is, and the timecode of each frame."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

_WHITE: Final = 235  # luma, 8-bit video range
_BLACK: Final = 16
_LETTER: Final = 0.11  # of the picture's height
_TIMECODE: Final = 0.05


def burn_in(picture: Any, word: str, timecode: str) -> Any:
    """The frame (yuv420p) with the word at its upper left and the timecode at its lower left, white edged in black."""
    from av.video.frame import VideoFrame

    data = picture.to_ndarray()  # (1.5 height, width) uint8
    luma = np.ascontiguousarray(data[: picture.height])
    edge = max(round(0.02 * picture.height), 2)
    _write(luma, word, edge, edge + round(_LETTER * picture.height), _LETTER)
    _write(luma, timecode, edge, picture.height - edge - 2, _TIMECODE)
    data[: picture.height] = luma
    made = VideoFrame.from_ndarray(data, format="yuv420p")
    made.pts, made.time_base = picture.pts, picture.time_base
    return made


def _write(luma: np.ndarray, text: str, left: int, base: int, share: float) -> None:
    """text: as tall as a share of the picture, its base line at row `base`."""
    import cv2

    font = cv2.FONT_HERSHEY_SIMPLEX
    tall = cv2.getTextSize("A", font, 1.0, 1)[0][1]
    scale = share * luma.shape[0] / tall
    line = max(round(2.2 * scale), 1)
    for grey, width in ((_BLACK, 3 * line), (_WHITE, line)):
        cv2.putText(luma, text, (left, base), font, scale, grey, width, cv2.LINE_AA)
