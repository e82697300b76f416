"""The bundled clip through the whole analysis, against independent readings of the same file."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from films import make_film

from engine.video import AnalysisOptions, VideoFeatures, analyze, open_stream, probe

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"
QUICK = AnalysisOptions(reading="quick")


@pytest.fixture
def features(seen_clip: VideoFeatures) -> VideoFeatures:
    return seen_clip


def test_the_film_is_described() -> None:
    film = probe(CLIP)
    assert (film.width, film.height, str(film.rate)) == (640, 360, "24")
    assert film.duration_s == pytest.approx(30.0)


def test_cuts_are_those_of_pyscenedetect(features: VideoFeatures) -> None:
    from scenedetect import SceneManager, open_video
    from scenedetect.detectors import AdaptiveDetector

    manager = SceneManager()
    manager.add_detector(AdaptiveDetector())
    manager.detect_scenes(open_video(str(CLIP)))
    expected = [start.frame_num / 24 for start, _end in manager.get_scene_list()][1:]
    assert [cut.time_s for cut in features.cuts if cut.kind == "cut"] == pytest.approx(expected, abs=1e-3)
    assert all(0 < cut.strength <= 1 for cut in features.cuts)


def test_motion_is_the_reference_s_and_offset_follows_the_cuts(features: VideoFeatures) -> None:
    # Video2Music reads the file with OpenCV: |frame - frame before| at the first frame of each second.
    capture = cv2.VideoCapture(str(CLIP))
    expected, before, index = [0.0], None, 0
    while True:
        there, frame = capture.read()
        if not there:
            break
        if index and index % 24 == 0:
            expected.append(float(cv2.absdiff(frame, before).mean()))
        before, index = frame, index + 1
    assert index == 720
    assert features.motion == pytest.approx(np.array(expected), abs=0.02)
    for second in range(features.seconds):
        last = max([0.0, *(cut.time_s for cut in features.cuts if cut.time_s <= second)])
        assert features.scene_offset[second] == int(second - last)


def test_motion_of_a_wide_picture_is_that_of_all_its_pixels(tmp_path: Path) -> None:
    grain = np.random.default_rng(4).uniform(0, 255, (135, 240, 3)).astype(np.uint8)
    grain = cv2.resize(grain, (1920, 1080), interpolation=cv2.INTER_CUBIC)

    def moved(number: int) -> np.ndarray:  # faster and faster
        return np.roll(grain, number**2, axis=1)

    film = make_film(tmp_path / "wide.mp4", 5, rate=2, size=(1920, 1080), picture=moved)
    with av.open(str(film)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    expected = [0.0, *(float(cv2.absdiff(shown[at], shown[at - 1]).mean()) for at in (2, 4))]
    found = analyze(film, AnalysisOptions(reading="quick")).motion
    assert found == pytest.approx(np.array(expected), rel=0.02)
    assert found[2] > 1.5 * found[1] > 1.5


def test_mood_is_a_distribution_and_its_mean_looks_back_five_seconds(features: VideoFeatures) -> None:
    assert features.emotion_raw.shape == features.emotion.shape == (30, 6)
    assert (features.emotion_raw >= 0).all()
    assert features.emotion_raw.sum(axis=1) == pytest.approx(np.ones(30), abs=1e-5)
    for second in range(30):
        window = features.emotion_raw[max(0, second - 4) : second + 1]
        assert features.emotion[second] == pytest.approx(window.mean(axis=0), abs=1e-5)
    # The chase is more exciting than the still meadow, which is more relaxing.
    assert features.emotion[8, 0] > 2 * features.emotion[20, 0]
    assert features.emotion[20, 4] > 2 * features.emotion[8, 4]


def test_rows_come_in_order_before_the_end_and_are_never_revised(features: VideoFeatures) -> None:
    with open_stream(CLIP, QUICK) as opened:
        for second, row in enumerate(opened):
            assert row.second == second
            if second == 0:
                assert opened.position_s < 12  # long before the film has been read
            assert np.array_equal(row.emotion, features.emotion[second])
            assert np.array_equal(row.emotion_raw, features.emotion_raw[second])
            assert row.motion == features.motion[second]
            assert row.scene_offset == features.scene_offset[second]
            assert all(second <= cut.time_s < second + 1 for cut in row.cuts)
            assert opened.features().seconds == second + 1
        whole = opened.features()
    assert whole.cuts == features.cuts
    with open_stream(CLIP, QUICK) as opened:
        assert [row.second for row in opened] == list(range(30))


def test_two_analyses_are_equal_whatever_the_threads(features: VideoFeatures) -> None:
    again = analyze(CLIP, AnalysisOptions(reading="quick", threads=3))
    assert again.cuts == features.cuts
    for name in ("emotion_raw", "emotion", "motion", "scene_offset", "valid"):
        assert np.array_equal(getattr(again, name), getattr(features, name)), name


def test_only_the_wanted_length_is_read(features: VideoFeatures) -> None:
    short = analyze(CLIP, AnalysisOptions(reading="quick", max_s=7.5))
    assert short.seconds == 8
    assert short.film.duration_s == 7.5
    assert short.motion == pytest.approx(features.motion[:8])
    assert short.cuts == tuple(cut for cut in features.cuts if cut.time_s < 7.4)


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    analyze(CLIP, QUICK, lambda fraction, text: seen.append(fraction) or (text or pytest.fail("no text")))
    assert seen[0] == 0.0 and seen[-1] == 1.0
    assert seen == sorted(seen) and len(seen) > 20
