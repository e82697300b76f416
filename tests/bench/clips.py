"""Eight clips of one film for the other benches: as it is, fast, dark, still, slow, comic, talking, with titles.

    python tests/bench/clips.py FILM.mp4 FOLDER

FILM: a minute and a half or more.  Needs ffmpeg.  Clips are as free as the film is: name its makers where one is shown
(`tests/media/cuts-by-eye.json` and the docs speak of Big Buck Bunny, (c) Blender Foundation, CC BY 3.0).
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

SIZE = "scale=640:360,fps=24,format=yuv420p"
# name: (arguments before the input, a filter graph from [0:v] to [v])
CLIPS: dict[str, tuple[tuple[str, ...], str]] = {
    "whole": (("-t", "90"), f"[0:v]{SIZE}[v]"),
    "fast": (("-t", "60"), f"[0:v]setpts=PTS/2,{SIZE}[v]"),
    "dark": (("-ss", "20", "-t", "40"), f"[0:v]eq=brightness=-0.3:saturation=0.4,{SIZE}[v]"),
    "still": (("-ss", "40", "-t", "1"), f"[0:v]{SIZE},trim=end_frame=1,loop=loop=960:size=1,setpts=N/24/TB[v]"),
    "slow": (("-t", "20"), f"[0:v]setpts=3*PTS,{SIZE}[v]"),
    "comedy": (("-ss", "45", "-t", "36"), f"[0:v]{SIZE}[v]"),
    # Two shots to and fro, four seconds each, nearly standing: how talk is filmed.
    "talk": (
        ("-t", "60"),
        "[0:v]split=2[one][two];"
        f"[one]trim=8:9,setpts=4*(PTS-STARTPTS),{SIZE},split=5[a0][a1][a2][a3][a4];"
        f"[two]trim=33:34,setpts=4*(PTS-STARTPTS),{SIZE},split=5[b0][b1][b2][b3][b4];"
        "[a0][b0][a1][b1][a2][b2][a3][b3][a4][b4]concat=n=10:v=1[v]",
    ),
    # Cards of white on black between shots, as at the beginning and the end of a film.
    "titles": (
        ("-t", "70"),
        "color=black:s=640x360:r=24:d=5,drawbox=x=180:y=165:w=280:h=30:color=white:t=fill,format=yuv420p,"
        "split=4[c0][c1][c2][c3];"
        f"[0:v]{SIZE},split=3[f0][f1][f2];"
        "[f0]trim=0:9,setpts=PTS-STARTPTS[s0];[f1]trim=25:34,setpts=PTS-STARTPTS[s1];"
        "[f2]trim=58:67,setpts=PTS-STARTPTS[s2];"
        "[c0][s0][c1][s1][c2][s2][c3]concat=n=7:v=1,fade=t=out:st=44:d=3[v]",
    ),
}  # fmt: skip


def make_clips(film: Path, folder: Path) -> list[Path]:
    """The clips, made where they are not there already."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, (before, graph) in CLIPS.items():
        path = folder / f"{name}.mp4"
        made.append(path)
        if path.exists():
            continue
        aside = folder / f"{name}.part.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", *before, "-i", str(film), "-filter_complex", graph, "-map", "[v]", "-an",
             "-c:v", "libx264", "-crf", "23", "-preset", "veryfast", str(aside)],
            check=True,
        )  # fmt: skip
        aside.rename(path)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    for path in make_clips(arguments.film, arguments.folder):
        print(path)


if __name__ == "__main__":
    main()
