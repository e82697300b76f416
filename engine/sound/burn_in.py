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
    made.pts = picture.pts
    if picture.time_base is not None:
        made.time_base = picture.time_base
    return made


def _write(luma: np.ndarray, text: str, left: int, base: int, share: float) -> None:
    """text: as tall as a share of the picture, its base line at row `base`."""
    import cv2

    font = cv2.FONT_HERSHEY_SIMPLEX
    tall = cv2.getTextSize("A", font, 1.0, 1)[0][1]
    scale = share * luma.shape[0] / tall
    line = max(round(2.2 * scale), 1)
    drawn = np.zeros_like(luma)
    cv2.putText(drawn, text, (left, base), font, scale, 255, line, cv2.LINE_AA)
    if not drawn.any():
        return
    # The edge grows from the letters drawn: how wide a thicker line makes them differs between versions of OpenCV.
    wide = 2 * line + 1
    around = cv2.dilate(drawn, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))
    for grey, mask in ((_BLACK, around), (_WHITE, drawn)):
        share_of = (mask / mask.max()).astype(np.float32)
        luma[:] = np.rint(luma + (grey - luma.astype(np.float32)) * share_of).astype(np.uint8)
