"""The rendered examples of docs/examples.md: sound by `cuebridge render`, lead sheets beside it.

    python tests/bench/examples.py CLIPS OUT [--soundfont FILE.sf2]      (needs ffmpeg)

CLIPS: what tests/bench/clips.py made of Big Buck Bunny, and beside it work.mp4 (`ffmpeg -ss 20 -t 60 -i
wannaworktogether.mp4 -vf scale=640:360,fps=24,format=yuv420p -an -c:v libx264 -crf 23 -preset veryfast work.mp4`) and
street.mp4 (`ffmpeg -t 45 -i vtest.avi -an -c:v libx264 -crf 23 -preset veryfast street.mp4`).  A film's draws hang on
its bytes: other cuts of these have other music.

Writes OUT/NAME.ogg (Opus, 28 kbit/s, mono) and OUT/NAME.txt, and prints the page's sections.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from music import compose

from engine import leadsheet
from engine.composer import Composer
from engine.process.messages import ComposeOptions
from engine.video import AnalysisOptions, analyze

EXAMPLES = {  # name: clip, take, options
    "titles": ("titles", 6, {}),
    "dark": ("dark", 8, {"ensemble": "strings"}),
    "fast": ("fast", 3, {"ensemble": "hybrid"}),
    "comedy": ("comedy", 1, {"form": "comedy", "ensemble": "comedy"}),
    "work": ("work", 3, {}),
    "street": ("street", 5, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--soundfont", metavar="FILE.sf2", help="default: as render finds it")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    composer = Composer()
    for name, (clip, take, options) in EXAMPLES.items():
        film = arguments.clips / f"{clip}.mp4"
        flags = [word for key, value in options.items() for word in (f"--{key}", value)]
        words = ["render", str(film), "--take", str(take), "--reading", "quick", *flags]
        if arguments.soundfont:
            words += ["--soundfont", arguments.soundfont]
        with tempfile.TemporaryDirectory() as folder:
            wav = f"{folder}/{name}.wav"
            subprocess.run([sys.executable, "-m", "bridge.cli", *words, "-o", wav], check=True, stdout=sys.stderr)
            sound = ["-ac", "1", "-c:a", "libopus", "-b:a", "28k", str(arguments.out / f"{name}.ogg")]
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", wav, *sound], check=True)
        features = analyze(film, AnalysisOptions(reading="quick"))
        sheet = leadsheet.text(compose(composer, features, take, ComposeOptions(**{"form": "auto", **options})))
        (arguments.out / f"{name}.txt").write_text(sheet)
        asked = " ".join(f'"{word}"' if " " in word else word for word in ["--take", str(take), *flags])
        print(f"## {name}\n\n`cuebridge render {clip}.mp4 {asked} -o {name}.wav`\n\n```text\n{sheet}```\n")


if __name__ == "__main__":
    main()
