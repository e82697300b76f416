"""Damages session files and reads them: reports tracebacks, long sentences, long waits, and what was taken as whole.

    python tests/bench/fuzz_sessions.py [--runs 5000] [--seed 0] [--play-every 2]

Half of the runs change bytes, half change values of the JSON (other types, extremes, missing and foreign members).  A
run is good when the file is read or refused in one short sentence.  Of the files that are read, every nth is arranged
as `live` would play it, since what passes the reader has to be playable.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine.arrange.score import check_playable, session_arrangement
from engine.document import SavedSession
from engine.document.file import SessionError, SessionWriter, decode_session
from engine.music import UserError

FIXTURES = ROOT / "tests" / "engine" / "document" / "fixtures"
LONGEST_SENTENCE = 220
LONGEST_S = 2.0
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 127, 128, 2**31, 2**63, 10**30, -1e308, 1e308, 1e-300, 0.1, "", "x", "C", "N", "-1",
    "1/0", "1/3", "9" * 5000, "\x1b[2J", "é" * 300, "\0", "auto", "end", "120", [], {}, [[]], [1], [None], {"": 1},
    [[0.0, 1.0, "C"]], "| C |", "1e999999999", "Am:9999", "/cue/key",
)  # fmt: skip


def sources() -> list[bytes]:
    """Files of every version."""
    old = [path.read_bytes() for path in sorted(FIXTURES.glob("*.cuebridge.json"))]
    return [*old, *(SessionWriter().encode(decode_session(data)) for data in old)]


def with_other_bytes(data: bytes, dice: random.Random) -> bytes:
    broken = bytearray(data)
    kind = dice.randrange(5)
    if kind == 0:
        del broken[dice.randrange(len(broken)) :]
    elif kind == 1:
        for _ in range(2 ** dice.randrange(8)):
            broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
    elif kind == 2:
        for _ in range(dice.randrange(1, 6)):
            broken[dice.randrange(len(broken))] = dice.choice(b'0123456789-+.eE"[]{},:/ \\ntf')
    elif kind == 3:
        low = dice.randrange(len(broken))
        broken[low:low] = broken[low : low + dice.randrange(1, 4000)]
    else:
        low = dice.randrange(len(broken))
        del broken[low : low + dice.randrange(1, 400)]
    return bytes(broken)


def with_other_values(data: bytes, dice: random.Random) -> bytes:
    values = json.loads(data)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        holder, name = _somewhere(values, dice)
        kind = dice.randrange(6)
        if kind <= 2:
            holder[name] = copy.deepcopy(dice.choice(ODD))
        elif kind == 3 and isinstance(holder, dict):
            del holder[name]
        elif kind == 4 and isinstance(holder, dict):
            holder[dice.choice(("extra", "", "settings", "take", "/cue/key", "x" * 3000))] = dice.choice(ODD)
        elif isinstance(holder, list):
            longer = dice.choice(([*holder, dice.choice(ODD)], [*holder, *holder[:50]], holder[::-1]))
            holder[:] = longer
        elif isinstance(holder[name], (int, float)):
            holder[name] = holder[name] * dice.choice((-1, 0, 2, 1000, 1e9)) + dice.choice((0, 1, 0.5))
    return json.dumps(values, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")


def _somewhere(values: Any, dice: random.Random) -> tuple[Any, Any]:
    """A place in the tree: the deeper the likelier."""
    while True:
        name = dice.choice(list(values)) if isinstance(values, dict) else dice.randrange(len(values))
        inner = values[name]
        if not isinstance(inner, (dict, list)) or not inner or dice.random() < 0.15:
            return values, name
        values = inner


def outcome(data: bytes, play: bool) -> tuple[str, str]:
    """What became of a file, and the sentence or traceback."""
    try:
        saved: SavedSession = check_playable(decode_session(data))
    except SessionError as error:
        return "refused", str(error)
    except Exception:
        return "traceback", traceback.format_exc()
    if not play:
        return "read", ""
    try:
        session_arrangement(saved)
        SessionWriter().encode(saved)
    except UserError as error:
        return "not playable", str(error)
    except Exception:
        return "traceback", traceback.format_exc()
    return "played", ""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--play-every", type=int, default=2)
    given = arguments.parse_args()
    dice, counts, longest, slowest, bad = random.Random(given.seed), Counter[str](), 0, 0.0, 0
    files = sources()
    for number in range(given.runs):
        data = (with_other_bytes if number % 2 else with_other_values)(dice.choice(files), dice)
        began = time.perf_counter()
        what, text = outcome(data, (counts["read"] + counts["played"]) % given.play_every == 0)
        took_s = time.perf_counter() - began
        counts[what] += 1
        slowest = max(slowest, took_s)
        if what == "traceback" or took_s > LONGEST_S or "\n" in text or len(text) > LONGEST_SENTENCE:
            bad += 1
            print(f"run {number}: {what} in {took_s:.2f} s\n{text[-2000:]}")
        else:
            longest = max(longest, len(text))
    print(f"{given.runs} files: {', '.join(f'{count} {what}' for what, count in counts.most_common())}")
    print(f"longest sentence {longest} characters, slowest {slowest:.2f} s, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
