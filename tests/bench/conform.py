"""How well the change list of recuts is found: recall and precision in frames; what policies do to hits.

    python tests/bench/conform.py CLIP [NAME]
    python tests/bench/conform.py CLIP [NAME] --policies

CLIP: a film at 24 frames a second of at least 90 s with shots that begin at the frames below (Big Buck Bunny).
--policies: the clip is composed for, with a hit on the beat nearest to a cut every four seconds or more; then each
recut is found in its pictures, and each policy moves the music.  Said is the share of the hits that are left in the
picture and lie within a frame of a beat; how far the tempo is bent at most; how many bars are dropped and repeated; and
how many seconds are composed anew.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import recutlab

from engine.brief import Brief
from engine.composer import compose_takes
from engine.conform.moved import POLICIES, conform
from engine.conform.pictures import compare_prints
from engine.conform.prints import read_prints
from engine.conform.ramp import MOST_BEND
from engine.document import Document, Result, TempoOrigin
from engine.music import Film, Hit, controls
from engine.music.timecode import FRAME_RATES

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


HIT_EVERY_S = 4.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--policies", action="store_true")
    parser.add_argument("--bend", type=float, default=100 * MOST_BEND, help="per cent")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "old.mp4"
        recutlab.write(old, asked.clip, [(0, 2160)])
        burnt = Path(folder) / "burnt.mp4"
        recutlab.write(burnt, asked.clip, [(0, 2160)], burn="OLD REEL")
        prints = {False: read_prints(old), True: read_prints(burnt)}
        document = composed(asked.clip) if asked.policies else None
        if document is None:
            print(
                f"{'recut':28} {'right':>7}  {'lifted: true found both':24} {'new: true found both':22} look  compare"
            )
        for name, (pieces, how) in RECUTS.items():
            if asked.name not in name:
                continue
            new = Path(folder) / "new.mp4"
            order = recutlab.write(new, asked.clip, pieces, **how)
            before = prints["burn" in how]
            begun = time.perf_counter()
            after = read_prints(new, before.rate)
            seen = time.perf_counter()
            changes = compare_prints(before, after)
            done = time.perf_counter()
            if document is not None:
                film = Film("new.mp4", len(order) / 24, FRAME_RATES["24"])
                say_policies(name, document, changes, film, asked.bend / 100)
                continue
            right, lifted, fresh = recutlab.judged(changes, order, len(before))
            same = recutlab.same_picture(changes, order, asked.clip)
            print(
                f"{name:28} {100 * right:6.2f}% {100 * same:6.2f}%  {lifted[0]:9} {lifted[1]:5} {lifted[2]:4}     "
                f"{fresh[0]:9} {fresh[1]:5} {fresh[2]:4}  {seen - begun:5.1f} {done - seen:5.1f} s"
            )


def composed(clip: str) -> Document:
    """A session's document: one cue, hits on beats near the picture's cuts."""
    (score,) = compose_takes(clip, Brief(), 1)
    made, hits = score.composition, []
    for cut in score.features.cuts:
        at_s = made.picture_at_beats(round(made.beats_at_picture(cut.time_s)))
        if at_s > 1.0 and (not hits or at_s - hits[-1].time_s >= HIT_EVERY_S):
            hits.append(Hit(at_s, "should", f"cut {len(hits) + 1}"))
    bpm = float(made.tempo_map.bpm_at(0.0))
    print(f"{len(hits)} hits in {made.film.duration_s:.0f} s at {bpm:g} bpm, all of them on beats")
    result = Result(
        made.slots, made.tempo_map, made.grid, made.picture_starts_at_s, made.key, complete=True, plans=made.plans
    )
    return Document(hits=tuple(hits), result=result).with_value(controls.TEMPO, bpm)


def say_policies(name: str, document: Document, changes, film: Film, most: float) -> None:
    if changes.first_change is None:
        print(f"{name:28} nothing is moved")
        return
    origin = TempoOrigin(proposed=((document.cue, document.number_of(controls.TEMPO)),))
    for policy in POLICIES:
        made = conform(document, changes, film, policy=policy, bend=most, origin=origin)
        hits = [row for row in made.moved if row.kind == "hit"]
        off = [abs(row.beat_after) for row in hits if row.beat_after is not None]
        old = document.result.tempo_map.bpm_at(0.0)
        bend = max((abs(float(change.bpm) / old - 1) for change in made.document.result.tempo_map.tempos), default=0.0)
        print(
            f"{name:28} {policy:8} {sum(each <= 1.0 for each in off):3} of {len(off):2} within a frame "
            f"({len(hits) - len(off)} lifted), bend {100 * bend:4.1f} %, anew "
            f"{sum(high - low for low, high in made.rewrites):5.1f} s; {' | '.join(made.notes)[:400]}", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
