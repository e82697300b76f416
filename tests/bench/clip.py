"""Measures CLIP's image tower per device, precision and batch, and runs the whole full reading, with random weights.

    python tests/bench/clip.py [--models NAME ...] [--batches 1 2 4 8] [--device cpu] [--repeat 2] [--film FILM]

The towers are of the published size and randomly initialised: time and memory do not depend on the numbers in them.
With --film the weights are written to a file and `cuebridge analyze FILM --clip-weights FILE` is run on it.
Needs the extra `clip`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["ViT-B-32-quickgelu", "ViT-L-14-336-quickgelu"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--film", type=Path, help="also the whole reading of this film's first seconds")
    parser.add_argument("--seconds", type=float, default=12.0)
    arguments = parser.parse_args()
    import open_clip
    import torch

    print(f"torch {torch.__version__}, open_clip {open_clip.__version__}, {torch.get_num_threads()} threads")
    print("model | precision | batch | ms per frame (CPU time) | ms per frame (wall)")
    for name in arguments.models:
        torch.manual_seed(0)
        model = open_clip.create_model(name, pretrained=None).eval().to(arguments.device)
        size = model.visual.image_size[0] if isinstance(model.visual.image_size, tuple) else model.visual.image_size
        for precision in arguments.precisions:
            dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
            model = model.to(dtype)
            for batch in arguments.batches:
                pixels = torch.randn(batch, 3, size, size, device=arguments.device, dtype=dtype)
                runs = []
                with torch.inference_mode():
                    for _ in range(arguments.repeat + 1):  # the first one warms up
                        cpu_s, wall_s = time.process_time(), time.perf_counter()
                        model.encode_image(pixels).float().cpu()
                        runs.append((time.process_time() - cpu_s, time.perf_counter() - wall_s))
                cpu_ms, wall_ms = (1000 / batch * min(run[part] for run in runs[1:]) for part in (0, 1))
                print(f"{name} | {precision} | {batch} | {cpu_ms:.0f} | {wall_ms:.0f}", flush=True)
        if arguments.film:
            whole_reading(name, model.float(), arguments)
    return 0


def whole_reading(name: str, model: object, arguments: argparse.Namespace) -> None:
    """Writes the tower to a file and runs the command on it."""
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.safetensors"
        state = model.state_dict()  # type: ignore[attr-defined]
        save_file({key: value.contiguous().cpu() for key, value in state.items()}, weights)
        command = [sys.executable, "-m", "bridge.cli", "analyze", str(arguments.film), "--json", "--no-cache"]
        command += ["--clip-model", name, "--clip-weights", str(weights), "--device", arguments.device]
        command += ["--max-seconds", str(arguments.seconds)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            print(f"{name}: exit code {done.returncode}: {done.stderr.strip()}")
            return
        found = json.loads(done.stdout)
        sums = [sum(row["emotion_raw"]) for row in found["rows"]]
        print(
            f"{name}: {weights.stat().st_size / 1e6:.0f} MB of weights; {found['reading']} reading, "
            f"{found['seconds']} rows in {found['took_s']} s, their weights sum to {min(sums):.3f}..{max(sums):.3f}; "
            f"{found['notes'][-1]}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
