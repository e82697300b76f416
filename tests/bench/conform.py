"""How well the change list of recuts is found: recall and precision in frames, seconds.

    python tests/bench/conform.py CLIP [NAME]

CLIP: a film at 24 frames a second of at least 90 s with shots that begin at the frames below (Big Buck Bunny).
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import recutlab

from engine.conform.pictures import compare_prints
from engine.conform.prints import read_prints

RECUTS = {
    "another size, 25 fps": ([(0, 2160)], {"size": (256, 144), "crf": 30, "rate": 25}),
    "another size, 29.97 fps": ([(0, 2160)], {"size": (480, 270), "rate": "30000/1001"}),
    "trims of 14 frames": ([(0, 613), (627, 944), (958, 2160)], {}),
    "trims of 3 frames": ([(0, 624), (627, 944), (947, 1692), (1695, 2160)], {}),
    "a shot lifted": ([(0, 432), (469, 2160)], {}),
    "a scene moved": ([(0, 627), (1012, 1196), (627, 1012), (1196, 2160)], {}),
    "a title inserted": ([(0, 863), ("title", 48), (863, 2160)], {}),
    "order reversed": ([(1692, 2160), (1300, 1692), (863, 1300), (432, 863), (0, 432)], {}),
    "a shot at 80 %": ([(0, 1196), (1196, 1300, 0.8), (1300, 2160)], {}),
    "a shot at 125 %": ([(0, 1196), (1196, 1300, 1.25), (1300, 2160)], {}),
    "all of it, burn-in changed": (
        [(0, 295), (319, 613), ("title", 36), (627, 732), (1012, 1196), (732, 944), (958, 1012), (1196, 1300, 0.8),
         (1300, 2100)],
        {"burn": "NEW", "size": (426, 240), "crf": 28},
    ),
}  # fmt: skip


def main() -> None:
    clip = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "old.mp4"
        recutlab.write(old, clip, [(0, 2160)])
        burnt = Path(folder) / "burnt.mp4"
        recutlab.write(burnt, clip, [(0, 2160)], burn="OLD REEL")
        prints = {False: read_prints(old), True: read_prints(burnt)}
        print(f"{'recut':28} {'right':>7}  {'lifted: true found both':24} {'new: true found both':22} look  compare")
        for name, (pieces, how) in RECUTS.items():
            if len(sys.argv) > 2 and sys.argv[2] not in name:
                continue
            new = Path(folder) / "new.mp4"
            order = recutlab.write(new, clip, pieces, **how)
            before = prints["burn" in how]
            begun = time.perf_counter()
            after = read_prints(new, before.rate)
            seen = time.perf_counter()
            changes = compare_prints(before, after)
            done = time.perf_counter()
            right, lifted, fresh = recutlab.judged(changes, order, len(before))
            print(
                f"{name:28} {100 * right:6.2f}%  {lifted[0]:9} {lifted[1]:5} {lifted[2]:4}     "
                f"{fresh[0]:9} {fresh[1]:5} {fresh[2]:4}  {seen - begun:5.1f} {done - seen:5.1f} s"
            )


if __name__ == "__main__":
    main()
