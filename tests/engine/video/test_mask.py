"""The same film with and without matte and burnt-in timecode gives the same cuts and mood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livelab import short_film
from profiles import examples

from engine.video import AnalysisOptions, VideoError, VideoFeatures, analyze
from engine.video.film import open_film
from engine.video.mask import (
    Mask,
    MaskedPictures,
    Rectangle,
    _key_frames,
    _matte,
    _overlays,
    _Possible,
    find_mask,
    parse_mask,
)

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"
QUICK = AnalysisOptions(reading="quick")


def remade(
    film: Path, target: Path, change: Callable[[np.ndarray, int], np.ndarray], size: tuple[int, int] = (640, 360)
) -> Path:
    """The film with every picture changed."""
    with av.open(str(film)) as source, av.open(str(target), "w") as sink:
        stream = sink.add_stream("libx264", rate=24, options={"crf": "18", "preset": "ultrafast", "g": "48"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            image = change(frame.to_ndarray(format="bgr24"), number)
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        sink.mux(stream.encode())
    return target


def timecode(image: np.ndarray, number: int) -> np.ndarray:
    image = image.copy()
    text = f"01:00:{number // 24:02d}:{number % 24:02d}"
    cv2.rectangle(image, (200, 285), (440, 325), (0, 0, 0), -1)
    cv2.putText(image, text, (210, 315), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2, cv2.LINE_AA)
    return image


def letterbox(image: np.ndarray, _number: int) -> np.ndarray:
    image = image.copy()
    image[:44] = image[-44:] = 0
    return image


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first shots of the clip: enough to tell moods, cuts and a matte, and much less to write."""
    return short_film(tmp_path_factory.mktemp("film") / "film.mp4", 14.0)


@pytest.fixture(scope="module")
def plain(film: Path) -> VideoFeatures:
    features = analyze(film, QUICK)
    assert len(features.cuts) >= 4
    return features


def alike(a: VideoFeatures, b: VideoFeatures) -> None:
    assert [(cut.time_s, cut.kind) for cut in a.cuts] == [(cut.time_s, cut.kind) for cut in b.cuts]
    assert np.abs(a.emotion - b.emotion).max() < 0.05
    assert np.abs(a.motion - b.motion).max() < 2.0


def test_burnt_in_timecode_changes_nothing(seen_clip: VideoFeatures, tmp_path: Path) -> None:
    burnt = remade(CLIP, tmp_path / "burnt.mp4", timecode)
    mask = find_mask(str(burnt))
    assert mask.picture is None and len(mask.overlays) == 1
    box = mask.overlays[0]
    assert box.x <= 210 and box.x + box.w >= 430 and box.y <= 292 and box.y + box.h >= 315
    assert box.w * box.h < 0.12 * 640 * 360
    seen = analyze(burnt, QUICK)
    alike(seen, seen_clip)
    assert any("burnt-in" in note for note in seen.notes)


def test_matte_and_timecode_change_nothing_but_what_they_hide(film: Path, plain: VideoFeatures, tmp_path: Path) -> None:
    both = remade(film, tmp_path / "both.mp4", lambda image, number: letterbox(timecode(image, number), number))
    seen = analyze(both, QUICK)
    assert find_mask(str(both)).picture is not None
    # The picture under the matte is gone: it is compared with the same part of the plain film.
    part = analyze(film, AnalysisOptions(reading="quick", mask="0,46,640,268"))
    alike(seen, part)
    alike(part, plain)
    blind = analyze(both, AnalysisOptions(reading="quick", mask="none"))
    assert np.abs(blind.emotion - plain.emotion).max() > 2 * np.abs(seen.emotion - plain.emotion).max()


def test_pillarbox_is_cut_away(film: Path, plain: VideoFeatures, tmp_path: Path) -> None:
    def narrow(image: np.ndarray, _number: int) -> np.ndarray:
        wide = np.zeros((360, 800, 3), np.uint8)
        wide[:, 80:720] = image
        return wide

    pillar = remade(film, tmp_path / "pillar.mp4", narrow, (800, 360))
    picture = find_mask(str(pillar)).picture
    assert picture is not None
    assert abs(picture.x - 80) <= 6 and abs(picture.w - 640) <= 12 and picture.h == 360
    alike(analyze(pillar, QUICK), plain)


def test_a_plain_film_is_left_whole() -> None:
    assert find_mask(str(CLIP)) == Mask()


def test_a_mask_in_numbers() -> None:
    assert parse_mask("0, 46,640,268", 640, 360).picture == Rectangle(0, 46, 640, 268)
    for wrong in ("", "a,b,c,d", "1,2,3", "0,0,641,360", "0,0,0,10", "-1,0,10,10", "600,0,100,100"):
        with pytest.raises(VideoError, match="mask"):
            parse_mask(wrong, 640, 360)


def test_any_mask_on_any_picture_leaves_something() -> None:
    dice = np.random.default_rng(4)
    for _ in range(300):
        width, height = (int(value) for value in dice.integers(1, 4000, 2))
        x, y = int(dice.integers(0, width)), int(dice.integers(0, height))
        box = Rectangle(x, y, int(dice.integers(1, width - x + 1)), int(dice.integers(1, height - y + 1)))
        h, w = (int(value) for value in dice.integers(1, 200, 2))
        image = dice.integers(0, 255, (h, w, 3), dtype=np.uint8)
        before = image.copy()
        out = MaskedPictures(Mask(box, (box,)), width, height).apply(image)
        assert out.size > 0 and out.shape[2] == 3
        assert np.array_equal(image, before)


@examples(40)
@given(seed=st.integers(0, 10_000), grain=st.integers(3, 60), burnt=st.integers(0, 20), dark=st.integers(0, 30))
def test_no_more_pictures_are_looked_at_only_when_no_mask_can_come_of_more(
    seed: int, grain: int, burnt: int, dark: int
) -> None:
    """Twelve pictures, some with a word at a place of its own size, some with dark lines at the edges."""
    dice = np.random.default_rng(seed)
    pictures = []
    for _ in range(12):
        coarse = dice.integers(40, 255, (grain, grain * 2), dtype=np.uint8)
        picture = cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC)
        if dice.random() < 0.95:  # an overlay may be missing once
            picture[100 : 100 + burnt, 80 : 80 + 4 * burnt] = 255 * (np.arange(4 * burnt) // 3 % 2)
        picture[: dark + int(dice.integers(0, 3)) * (seed % 2)] = 0
        pictures.append(picture)
    possible = _Possible()
    for picture in pictures:
        possible.add(picture)
        if possible.nothing:
            stack = np.stack(pictures)
            assert _matte(stack) == (0, 0, 320, 180) and _overlays(stack) == []
            return


def test_a_plain_film_needs_fewer_pictures_than_a_burnt_in_one() -> None:
    dice = np.random.default_rng(1)
    plain, burnt = _Possible(), _Possible()
    needed = 0
    for number in range(12):
        picture = cv2.resize(dice.integers(40, 255, (6, 12), dtype=np.uint8), (320, 180), interpolation=cv2.INTER_CUBIC)
        needed += not plain.nothing
        plain.add(picture)
        burnt.add(timecode(cv2.resize(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), (640, 360)), number)[::2, ::2, 0])
    assert needed == 2 and not burnt.nothing


def test_a_film_that_claims_an_absurd_shape_is_looked_at_in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """192 x 51,564, as one wrong byte says: pictures of 27 million points took minutes."""
    monkeypatch.setattr(_Possible, "nothing", False)  # none are given where no mask can come of them
    opened = open_film(CLIP)
    try:
        opened.film = replace(opened.film, height=opened.film.width * 268)
        pictures = _key_frames(opened)
    finally:
        opened.close()
    assert pictures and all(picture.shape == (1280, 320) for picture in pictures)
