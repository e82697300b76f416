"""The full reading through open_clip with small randomly initialised models: everything but OpenAI's numbers.

Real CLIP weights are nowhere in the test suite; what is held here is the path from frame to embedding to probabilities.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.video import EMOTIONS, AnalysisOptions, VideoError, VideoFeatures, analyze
from engine.video.semantics import has_quick_gelu, load_encoder, planned_reading

torch = pytest.importorskip("torch")
CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"


@pytest.fixture(scope="module")
def open_clip() -> Any:
    if importlib.util.find_spec("open_clip") is None:
        pytest.skip("open_clip is not installed (extra `clip`)")
    try:
        import open_clip as module
    except RuntimeError as error:  # operator torchvision::nms does not exist
        pytest.skip(f"torchvision does not belong to this torch: {error}")
    return module


def config(width: int, quick_gelu: bool) -> dict[str, Any]:
    return {
        "embed_dim": width,
        "quick_gelu": quick_gelu,
        "vision_cfg": {"image_size": 56, "layers": 2, "width": 64, "patch_size": 14, "head_width": 32},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
    }


MODELS = {"tiny-336-quickgelu": (768, True), "tiny-32-quickgelu": (512, True), "lying-quickgelu": (768, False)}


@pytest.fixture(scope="module")
def weights(open_clip: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Weight files of the small models, as safetensors, by model name."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("clip")
    for name, (width, quick_gelu) in MODELS.items():
        (folder / f"{name}.json").write_text(json.dumps(config(width, quick_gelu)))
    open_clip.add_model_config(folder)
    files = {}
    for name in MODELS:
        torch.manual_seed(7)
        model = open_clip.create_model(name, pretrained=None)
        files[name] = folder / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, files[name])
    yield files


def options(weights: dict[str, Path], name: str = "tiny-336-quickgelu", **more: Any) -> AnalysisOptions:
    return AnalysisOptions(clip_model=name, clip_weights=weights[name], device="cpu", **more)


def picture(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return np.kron(small, np.ones((20, 20, 1), np.uint8))


def test_the_embedding_and_the_probabilities_are_open_clip_s(open_clip: Any, weights: dict[str, Path]) -> None:
    from PIL import Image

    name = "tiny-336-quickgelu"
    model, _, preprocess = open_clip.create_model_and_transforms(name, pretrained=str(weights[name]))
    model.eval()
    with torch.inference_mode():
        image = preprocess(Image.fromarray(picture(1)))[None]
        text = open_clip.get_tokenizer(name)(["exciting", "fearful", "tense", "sad", "relaxing", "neutral"])
        feature = model.encode_image(image)
        logits = model.logit_scale.exp() * torch.nn.functional.cosine_similarity(feature, model.encode_text(text))
        expected = logits.softmax(dim=0).numpy()
    encoder = load_encoder(options(weights))
    got, probabilities = encoder.encode(picture(1))
    assert got is not None and got.shape == (768,) and got.dtype == np.float32
    assert got == pytest.approx(feature[0].numpy(), abs=1e-5)  # unnormalised, as in MuVi-Sync
    assert probabilities == pytest.approx(expected, abs=1e-5)
    assert probabilities.std() > 1e-4  # says something


def test_a_frame_that_stands_still_is_encoded_once(weights: dict[str, Path]) -> None:
    encoder = load_encoder(options(weights))
    first, _ = encoder.encode(picture(1))
    noisy = np.clip(picture(1).astype(int) + np.random.default_rng(0).integers(-1, 2, picture(1).shape), 0, 255)
    again, _ = encoder.encode(noisy.astype(np.uint8))
    other, _ = encoder.encode(picture(2))
    assert (encoder.frames, encoder.encoded) == (3, 2)
    assert first is not None and again is not None and other is not None
    assert np.array_equal(first, again) and not np.allclose(first, other)
    # A slow drift is compared with the frame that was encoded, not with the one before.
    encoder = load_encoder(options(weights))
    for step in range(12):
        encoder.encode(np.full((40, 60, 3), 100 + step // 2, np.uint8))
    assert encoder.encoded == 6


def test_frames_are_encoded_in_batches_with_the_same_numbers(weights: dict[str, Path]) -> None:
    pictures = [picture(seed) for seed in (1, 1, 2, 3, 4, 4, 5)]
    one, four = load_encoder(options(weights, clip_batch=1)), load_encoder(options(weights, clip_batch=4))
    single = [one.encode(image) for image in pictures]
    waiting = [four.add(image) for image in pictures]
    assert waiting[0] is waiting[1] and waiting[3].weights is not None  # four distinct ones were done together
    assert waiting[6].weights is None  # the fifth waits until it is asked for
    for (feature, weight), seen in zip(single, waiting, strict=True):
        found, found_weight = seen.read()
        assert feature is not None and found is not None
        assert found == pytest.approx(feature, abs=1e-5) and found_weight == pytest.approx(weight, abs=1e-5)
    assert (four.frames, four.encoded) == (one.frames, one.encoded) == (7, 5)


def test_the_command_reads_a_film_fully(
    weights: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.commands.analyze import main

    name = "tiny-336-quickgelu"
    arguments = ["analyze", str(CLIP), "--json", "--clip-model", name, "--clip-weights", str(weights[name])]
    arguments += ["--device", "cpu", "--max-seconds", "6", "--cache-dir", str(tmp_path / "cache")]
    assert main([*arguments, "--export", str(tmp_path / "x"), "--npz", str(tmp_path / "f.npz")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["reading"] == "full" and name in printed["reason"] and printed["seconds"] == 6
    assert any(note.startswith("CLIP encoded 6 of 6") for note in printed["notes"])
    semantic = VideoFeatures.load(tmp_path / "f.npz").semantic
    assert semantic is not None and semantic.shape == (6, 768)
    exported = np.load(tmp_path / "x" / "vevo_semantic/all/2d/clip_l14p" / f"{CLIP.stem}.npy")
    assert np.array_equal(exported, semantic)
    assert main(arguments) == 0  # from the cache
    again = json.loads(capsys.readouterr().out)
    assert again["rows"] == printed["rows"]
    assert main([*arguments, "--clip-precision", "bf16"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] != printed["rows"]


def test_a_still_that_is_held_keeps_its_own_embedding(weights: dict[str, Path], tmp_path: Path) -> None:
    path = slides(tmp_path / "slides.mkv")
    features = analyze(path, options(weights, mask="none"))
    assert features.semantic is not None and features.seconds == 12
    first, second = features.semantic[0], features.semantic[8]
    assert not np.allclose(first, second, atol=1e-3)
    # The slide changes at 4.5 s: row 4 still shows the first, all after it the second, though no frame begins there.
    expected = [first] * 5 + [second] * 7
    assert [bool(np.array_equal(row, first)) for row in features.semantic] == [row is first for row in expected]
    assert np.array_equal(features.semantic, np.array(expected))


def test_a_picture_that_begins_late_stands_for_the_time_before(weights: dict[str, Path], tmp_path: Path) -> None:
    features = analyze(slides(tmp_path / "late.mkv", begin_ms=3300, sound=True), options(weights, mask="none"))
    assert features.semantic is not None
    assert (np.abs(features.semantic[:4] - features.semantic[0]).max(axis=1) < 1e-6).all()
    assert np.linalg.norm(features.semantic[0]) > 0


def slides(path: Path, begin_ms: int = 0, sound: bool = False) -> Path:
    """Two slides with their own time stamps, changed 4.5 s after the beginning; the second is held to second 12."""
    from fractions import Fraction

    import av

    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        track = None
        if sound:
            track = sink.add_stream("aac", rate=8000)
            for number in range(20):
                silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
                silence.sample_rate, silence.pts = 8000, number * 1024
                for plane in silence.planes:
                    plane.update(bytes(plane.buffer_size))
                sink.mux(track.encode(silence))
        for image, tick in ((1, 0), (2, 4500), (2, 11_900)):
            frame = av.VideoFrame.from_ndarray(picture(image), format="rgb24")
            frame.pts, frame.time_base = begin_ms + tick, Fraction(1, 1000)
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode())
        if track is not None:
            sink.mux(track.encode())
    return path


def test_a_film_in_the_full_reading(weights: dict[str, Path], tmp_path: Path) -> None:
    features = analyze(CLIP, options(weights, max_s=12.0))
    assert features.reading == "full" and "tiny-336-quickgelu" in features.reason
    assert features.semantic is not None and features.semantic.shape == (12, 768)
    assert (np.linalg.norm(features.semantic, axis=1) > 0).all()
    assert features.emotion_raw.sum(axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    for second in range(12):
        window = features.emotion_raw[max(0, second - 4) : second + 1]
        assert features.emotion[second] == pytest.approx(window.mean(axis=0), abs=1e-5)
    quick = analyze(CLIP, AnalysisOptions(reading="quick", max_s=12.0))
    assert features.cuts == quick.cuts and np.array_equal(features.motion, quick.motion)
    assert any(note.startswith("CLIP encoded ") for note in features.notes)
    features.save(tmp_path / "f.npz")
    loaded = VideoFeatures.load(tmp_path / "f.npz")
    assert loaded.semantic is not None and np.array_equal(loaded.semantic, features.semantic)


def test_a_model_of_another_width_gives_mood_but_no_semantics(weights: dict[str, Path]) -> None:
    features = analyze(CLIP, options(weights, "tiny-32-quickgelu", max_s=3.0))
    assert features.reading == "full" and features.semantic is None
    assert features.emotion_raw.shape == (3, len(EMOTIONS))


def test_bf16_is_close(weights: dict[str, Path]) -> None:
    exact, p = load_encoder(options(weights)).encode(picture(3))
    close, q = load_encoder(options(weights, clip_precision="bf16")).encode(picture(3))
    assert exact is not None and close is not None
    cosine = float(exact @ close / np.linalg.norm(exact) / np.linalg.norm(close))
    assert cosine > 0.999 and p == pytest.approx(q, abs=0.02)


def test_without_quickgelu_nothing_is_computed(open_clip: Any, weights: dict[str, Path]) -> None:
    assert has_quick_gelu(open_clip.create_model("tiny-336-quickgelu", pretrained=None))
    assert not has_quick_gelu(open_clip.create_model("lying-quickgelu", pretrained=None))
    with pytest.raises(VideoError, match="without QuickGELU"):
        load_encoder(options(weights, "lying-quickgelu"))
    with pytest.raises(VideoError, match="has no QuickGELU"):
        load_encoder(AnalysisOptions(clip_model="ViT-B-32", clip_weights=weights["tiny-32-quickgelu"], device="cpu"))


def test_the_real_model_s_configuration_has_quickgelu_and_768_dimensions(open_clip: Any) -> None:
    real = open_clip.get_model_config(AnalysisOptions().clip_model)
    assert real["quick_gelu"] and real["embed_dim"] == 768 and real["vision_cfg"]["image_size"] == 336


def test_weights_that_do_not_fit_are_one_sentence(weights: dict[str, Path], tmp_path: Path) -> None:
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"junk" * 100)
    for file in (junk, weights["tiny-32-quickgelu"]):
        with pytest.raises(VideoError, match="cannot be loaded") as caught:
            load_encoder(AnalysisOptions(clip_model="tiny-336-quickgelu", clip_weights=file, device="cpu"))
        assert "\n" not in str(caught.value)


def test_auto_takes_full_where_weights_lie_and_says_why_not_otherwise(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_a, **_k: str(tmp_path))
    wanted = AnalysisOptions(clip_model="tiny-336-quickgelu")
    reading, reason = planned_reading(wanted)
    assert reading == "quick" and "no CLIP weights" in reason
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "tiny-336-quickgelu.safetensors").symlink_to(weights["tiny-336-quickgelu"])
    reading, reason = planned_reading(wanted)
    assert reading == "full"
    with pytest.raises(VideoError, match="cannot be had"):
        planned_reading(AnalysisOptions(reading="full", clip_model="other-quickgelu"))
