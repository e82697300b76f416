"""Clips for a study: each film in each condition, at one loudness, under blind names.

A condition is words of `cuebridge render`, or one of these: `paper` (the paper's rendering: one chord a second in root
position, its arpeggios and velocities), `other-film` (the music of the next film, first condition's: a control for
whether music fits at all) and `own-sound` (the film's own, where its licence allows that).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.batch.units import RESULT, Unit, result_path
from engine.listening.study import CLIPS, Clip, ListeningError, Study, blind_name

PAPER: Final = (
    "--form", "none", "--wall-to-wall", "--grid", "seconds",
    "--parts", "arp", "--voicing", "root", "--density-map", "paper", "--velocity-map", "paper",
    "--note-length", "100", "--cc1", "off",
)  # fmt: skip
OTHER_FILM: Final = "other-film"
OWN_SOUND: Final = "own-sound"
CONDITIONS: Final = ("ours=", "paper=paper", f"control={OTHER_FILM}")  # where none are named
LOUDNESS_LUFS: Final = -18.0
WORK: Final = "work"


@dataclass(frozen=True, slots=True)
class Condition:
    """words: of `cuebridge render`; kind: "render", OTHER_FILM or OWN_SOUND."""

    name: str
    kind: str
    words: tuple[str, ...] = ()


def read_condition(text: str) -> Condition:
    """NAME=WORDS.  Raises ListeningError."""
    name, separator, words = text.partition("=")
    if not separator or not name.replace("-", "").replace("_", "").isalnum():
        raise ListeningError(f"'{text}' is not a condition: NAME=OPTIONS of `cuebridge render`, such as slow=--bpm=60.")
    if words in (OTHER_FILM, OWN_SOUND):
        return Condition(name, words)
    try:
        split = tuple(PAPER) if words == "paper" else tuple(shlex.split(words))
    except ValueError as error:
        raise ListeningError(f"The options of condition {name} cannot be read: {error}.") from error
    refused = {"-o", "--output", "--json", "--film-sound", "--loudness", "--stems", "--replace"}
    for word in split:
        if word.partition("=")[0] in refused:
            raise ListeningError(f"{word} is the study's to say: every clip has one loudness and the music alone.")
    return Condition(name, "render", split)


def first_units(films: Sequence[str], conditions: Sequence[Condition]) -> dict[tuple[str, str], Unit]:
    """(film, condition) -> what can be made at once."""
    out: dict[tuple[str, str], Unit] = {}
    for film in films:
        for condition in conditions:
            if condition.kind == "render":
                fixed = ("render", film, "-o", RESULT, "--film-sound", "drop", "--loudness", f"{LOUDNESS_LUFS:g}")
                settings = json.dumps(["render", LOUDNESS_LUFS, *condition.words])
                out[film, condition.name] = Unit(film, (*fixed, *condition.words), settings, ".mp4")
            elif condition.kind == OWN_SOUND:
                words = ("listening", "mux", film, film, RESULT)
                out[film, condition.name] = Unit(film, words, json.dumps([OWN_SOUND, LOUDNESS_LUFS]), ".mp4")
    return out


def control_units(
    films: Sequence[str], conditions: Sequence[Condition], keys: dict[tuple[str, str], str], work: Path
) -> dict[tuple[str, str], Unit]:
    """(film, condition) -> the music of the next film, as the first rendered condition has it.

    keys: (film, condition) -> key of what was made.  Raises ListeningError.
    """
    wanted = [condition.name for condition in conditions if condition.kind == OTHER_FILM]
    base = next((condition.name for condition in conditions if condition.kind == "render"), None)
    if wanted and (base is None or len(films) < 2):
        raise ListeningError(f"{OTHER_FILM} needs a rendered condition and two films at least.")
    out = {}
    for index, film in enumerate(films):
        for name in wanted:
            other = films[(index + 1) % len(films)]
            key = keys[other, str(base)]
            words = ("listening", "mux", film, str(result_path(work, key, ".mp4")), RESULT)
            out[film, name] = Unit(film, words, json.dumps([OTHER_FILM, key, LOUDNESS_LUFS]), ".mp4")
    return out


def gather(
    folder: Path, made: dict[tuple[str, str], Path], conditions: Sequence[str], title: str, seed: int, checks: int
) -> Study:
    """Puts clips under their blind names and writes the study.  made: (film, condition) -> file."""
    films = sorted({film for film, _ in made})
    names = [Path(film).name for film in films]
    shown = dict(zip(films, names if len(set(names)) == len(names) else films, strict=True))
    (folder / CLIPS).mkdir(exist_ok=True)
    clips = []
    for film in films:
        for condition in conditions:
            token = blind_name(seed, shown[film], condition)
            target = folder / CLIPS / f"{token}.mp4"
            target.unlink(missing_ok=True)
            try:
                os.link(made[film, condition], target)
            except OSError:  # another file system, or one without links
                shutil.copyfile(made[film, condition], target)
            clips.append(Clip(token, shown[film], condition))
    study = Study(title, seed, tuple(conditions), tuple(sorted(clips, key=lambda clip: clip.token)), checks)
    study.save(folder)
    return study


def mux(film: str, source: str, output: Path) -> None:
    """Writes a film's picture with the sound of another file, begun again where it is shorter, at LOUDNESS_LUFS.

    Raises VideoError, SoundError, ListeningError where the other file has no sound.
    """
    from engine.sound.film_sound import FilmSound
    from engine.sound.levelling import mix_beside
    from engine.sound.limiter import Limiter
    from engine.sound.mux import FilmWriter
    from engine.sound.renderer import BLOCK
    from engine.sound.voice import SAMPLE_RATE
    from engine.video.film import probe

    total = round(probe(film).duration_s * SAMPLE_RATE)
    period = round(probe(source).duration_s * SAMPLE_RATE)
    with mix_beside(output) as mix:
        with closing(FilmSound(source)) as sound:
            if not sound.present:
                raise ListeningError(f"{Path(source).name} has no sound of its own.")
            at = place = 0
            while at < total:
                if place >= period:
                    sound.seek(0)
                    place = 0
                count = min(BLOCK, total - at, period - place)
                mix.add(sound.read(count))
                at, place = at + count, place + count
        gain_db, _ = mix.gain_for(LOUDNESS_LUFS, lambda fraction: None)
        writer = FilmWriter(output, film)
        try:
            for block, _, _ in mix.limited(gain_db, Limiter()):
                if block.shape[1]:  # the limiter looks ahead
                    writer.write(block)
            writer.close()
        except BaseException:
            writer.abandon()
            raise
