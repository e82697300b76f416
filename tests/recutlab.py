"""Recuts by script: pieces of a clip put together anew, drawn on and encoded again."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
from hypothesis import strategies as st

from engine.arrange.score import arrange_whole, build_score
from engine.conform.changes import from_path
from engine.music import Film
from engine.music.timecode import FRAME_RATES

# New cuts of forty seconds of film at 24 frames a second: pieces of it, (first, end), and titles, ("title", frames).
cuts = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 700), st.integers(30, 400)).map(lambda p: (p[0], min(sum(p), 960))),
        st.tuples(st.just("title"), st.integers(12, 120)),
    ),
    min_size=1,
    max_size=5,
).filter(lambda row: any(each[0] != "title" for each in row))
STILL = 1.0  # luma levels of 255 between two frames that nobody can tell apart


@cache
def frames(clip: str) -> tuple[np.ndarray, ...]:
    """Every frame, BGR, 320 pixels wide."""
    with av.open(clip) as container:
        return tuple(
            cv2.resize(frame.to_ndarray(format="bgr24"), (320, 180), interpolation=cv2.INTER_AREA)
            for frame in container.decode(video=0)
        )


def order_of(pieces) -> list[int]:
    """The old frame of each new one, -1 in a title.  pieces: (first, end), (first, end, speed) or ("title", frames)."""
    order: list[int] = []
    for piece in pieces:
        if piece[0] == "title":
            order += [-1] * piece[1]
        else:
            first, end, *speed = piece
            fast = speed[0] if speed else 1.0
            order += [min(first + int((i + 0.5) * fast), end - 1) for i in range(round((end - first) / fast))]
    return order


def write(path, clip, pieces, *, rate=24, size=(320, 180), crf=24, burn="", source_rate=24, matte="") -> list[int]:
    """Writes a recut and returns `order_of` its pieces.  rate: of the new file, the same pictures at the same seconds;
    burn: text over the picture, with a running number; matte: "drawn" over the picture, or "box" or "pillars" beside a
    smaller one."""
    source, order = frames(str(clip)), order_of(pieces)
    width, height = size
    title = np.full((180, 320, 3), (80, 56, 48), np.uint8)
    cv2.putText(title, "ACT TWO", (90, 95), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    rate = Fraction(rate)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(round(len(order) * rate / source_rate)):
            place = min(int(number * source_rate / rate + Fraction(1, 2)), len(order) - 1)
            picture = title if order[place] < 0 else source[order[place]]
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            if matte:
                picture = _matted(picture, matte)
            if burn:
                low, high = (int(width * 0.3), int(height * 0.85)), (int(width * 0.7), int(height * 0.96))
                cv2.rectangle(picture, low, high, (0, 0, 0), -1)
                where = (int(width * 0.31), int(height * 0.94))
                text = f"{burn} {number:06}"
                cv2.putText(picture, text, where, cv2.FONT_HERSHEY_SIMPLEX, height / 400, (255, 255, 255), 1)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    return order


def _matted(picture: np.ndarray, matte: str) -> np.ndarray:
    height, width = picture.shape[:2]
    made, low, left = np.zeros_like(picture), height // 8, width // 8
    if matte == "drawn":
        made[low:-low] = picture[low:-low]
    elif matte == "box":
        made[low:-low] = cv2.resize(picture, (width, height - 2 * low), interpolation=cv2.INTER_AREA)
    else:
        made[:, left:-left] = cv2.resize(picture, (width - 2 * left, height), interpolation=cv2.INTER_AREA)
    return made


def judged(changes, order, old_frames):
    """(share of new frames that are said to be the right old one, to a frame; lifted frames: truly, found, both;
    new material: truly, found, both)."""
    rate = float(changes.rate)
    truth = np.array(order)
    places = [changes.source((i + 0.01) / rate) for i in range(len(truth))]
    found = np.array([-1 if place is None else int(place * rate + 0.01) for place in places])
    right = np.where(truth < 0, found < 0, (found >= 0) & (abs(found - truth) <= 1))
    lifted, said = np.ones(old_frames, bool), np.zeros(old_frames, bool)
    lifted[truth[truth >= 0]] = False
    for start, end in changes.lifts:
        said[start:end] = True
    fresh, named = truth < 0, found < 0
    return (
        float(right.mean()),
        (int(lifted.sum()), int(said.sum()), int((lifted & said).sum())),
        (int(fresh.sum()), int(named.sum()), int((fresh & named).sum())),
    )


def same_picture(changes, order, clip) -> float:
    """Share of new frames that are said to be an old one which looks as the right one does: in a picture that stands
    still nobody can see which of its frames were cut."""
    source, rate, right = frames(str(clip)), float(changes.rate), 0
    for index, truth in enumerate(order):
        place = changes.source((index + 0.01) / rate)
        found = -1 if place is None else int(place * rate + 0.01)
        near = (truth < 0) == (found < 0) and (truth < 0 or abs(found - truth) <= 1)
        if not near and truth >= 0 and 0 <= found < len(source):
            near = float(cv2.absdiff(source[found], source[truth]).mean()) < STILL
        right += near
    return right / len(order)


def changes_of(*pieces, frames=960):
    return from_path(np.array(order_of(pieces)), frames, Fraction(24))


def film_of(changes):
    return Film("new.mp4", changes.new_frames / 24, FRAME_RATES["24"])


def notes_of(document, film):
    score = build_score(document, film, (), document.result.levels)
    return arrange_whole(score).notes
