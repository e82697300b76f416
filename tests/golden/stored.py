"""An engine whose networks and eyes are tables: what was seen of the clip (picture.json), what was drawn (draws.json).

Everything else is the product's own: the plan of a composition, keys, cues, the session, arranging, files.  So the
goldens say nothing of the networks' weights or of how films are looked at, and hold when those change.  This module and
`offlinelab` are the only ones here that know the product's modules.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livelab import CLIP
from offlinelab import OfflineStage, offline_time

import engine.composer
import engine.process.analysis
import engine.video
from bridge.commands.live_options import parse
from engine.__main__ import main as engine_main
from engine.music import Chord, Cut, Film, FrameRate
from engine.process.messages import AnalyseRequest, ComposeRequest, EngineReady, FilmAnalysed, WhyRequest
from engine.video import VideoFeatures

HERE = Path(__file__).parent


@functools.cache
def picture() -> dict[str, Any]:
    return json.loads((HERE / "picture.json").read_text())


@functools.cache
def draws() -> list[list[Chord]]:
    """By take, then by change of the chord; in C major."""
    return [[Chord.parse(name) for name in row] for row in json.loads((HERE / "draws.json").read_text())["takes"]]


@functools.cache
def features() -> VideoFeatures:
    seen = picture()
    film = seen["film"]
    return VideoFeatures(
        film=Film(
            str(CLIP), film["duration_s"], FrameRate(Fraction(film["fps"])), film["width"], film["height"],
            "",  # nothing to draw a seed from: takes are drawn as in sessions from before there were film seeds
        ),
        seconds=len(seen["motion"]),
        semantic=None,
        emotion_raw=np.array(seen["emotion_raw"], np.float32),
        emotion=np.array(seen["emotion"], np.float32),
        motion=np.array(seen["motion"], np.float32),
        scene_offset=np.array(seen["scene_offset"], np.int32),
        valid=np.array(seen["valid"], bool),
        cuts=tuple(Cut(*cut) for cut in seen["cuts"]),
        reading="quick",
        reason="stored",
    )  # fmt: skip


class StoredHarmony:
    """In place of the chord network: where a chord may change, the next one of the take's row."""

    decoded = 0

    def forget(self) -> None:
        pass

    def compose(
        self,
        slots: Sequence[Any],
        rows: Any,
        keys: Sequence[Any],
        options: Any,
        seed: int,
        begin: int = 0,
        cue_seeds: Mapping[int, int] | None = None,
        *_more: Any,
    ) -> Iterator[Chord]:
        chords: list[Chord] = []
        for index, slot in enumerate(slots):
            chord = slot.fixed
            opens = index == 0 or slots[index - 1].cue != slot.cue
            if chord is None and not opens and not slot.change:
                chord = chords[-1]
            if chord is None:
                row = draws()[((cue_seeds or {}).get(slot.cue, seed) - 1) % len(draws())]
                moved = [each.transpose(keys[index].semitones_from_reference) for each in row]
                chord = moved[index % len(moved)]
                if not opens and chord == chords[-1] and not slot.free:
                    chord = next(each for each in (moved * 2)[index % len(moved) :] if each != chords[-1])
            chords.append(chord)
            if index >= begin:
                yield chord


class StoredRegressor:
    """In place of the regressor: density and loudness of the clip's seconds."""

    def predict(self, film: Any) -> tuple[np.ndarray, np.ndarray]:
        return np.array(picture()["density"]), np.array(picture()["loudness"])


@functools.cache
def stored_composer() -> Any:
    composer = engine.composer.Composer()
    composer._harmony, composer._regressor = StoredHarmony(), StoredRegressor()
    return composer


@functools.cache
def shipped_composer() -> engine.composer.Composer:
    """The shipped networks, which take a moment to load."""
    return engine.composer.Composer()


class StoredAnalysis:
    """In place of the process that looks at a film."""

    notes = ()

    def __init__(self, task: Any) -> None:
        pass

    def __enter__(self) -> StoredAnalysis:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, progress: Any) -> VideoFeatures:
        return features()


def command(patch: pytest.MonkeyPatch, *words: str, network: bool = False) -> str:
    """Runs a command of the engine in this process; returns what it prints.  network: by the shipped weights."""
    patch.setattr(engine.process.analysis, "AnalysisProcess", StoredAnalysis)
    patch.setattr(engine.process.analysis, "analyse_in_child", lambda task, progress=None: features())
    patch.setattr(engine.video, "analyze", lambda *task, **more: features())
    if not network:
        composer = stored_composer()
        patch.setattr(engine.composer, "Composer", lambda weights=None: composer)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = engine_main(list(words))
    assert code == 0, words
    return printed.getvalue()


class StoredEngine:
    """The engine of a session: answers in the same turn, over the messages of the real one."""

    def __init__(self, composer: Any = None) -> None:
        self.composer = composer or stored_composer()
        self.inbox: list[Any] = []

    def send(self, message: Any) -> None:
        if isinstance(message, AnalyseRequest):
            seen = features()
            self.inbox.append(EngineReady(1, "stored"))
            self.inbox.append(
                FilmAnalysed(
                    message.revision, seen.film, seen.cuts, "quick", "stored",
                    tuple(float(weight) for weight in seen.emotion.mean(axis=0)), tuple(float(x) for x in seen.motion),
                )
            )  # fmt: skip
        elif isinstance(message, ComposeRequest):
            self.inbox.extend(self.composer.stream(features(), message, first_chunk=4, chunk=16))
        elif isinstance(message, WhyRequest):
            self.inbox.append(self.composer.explain(features(), message))


@contextlib.contextmanager
def live(*words: str, folder: Path, network: bool = False) -> Iterator[OfflineStage]:
    """`cuebridge live` with these words, by an offline clock; folder: where OSC may write files.  network: composed by
    the shipped weights."""
    plan = parse([*words, *([] if "--session" in words else ["--no-session"])])
    with offline_time() as clock:
        stage = OfflineStage(
            clock, StoredEngine(shipped_composer() if network else None), plan.session, plan.player,
            folders=[folder], session_file=plan.session_file, saved=plan.saved,
        )  # fmt: skip
        try:
            stage.ready()
            yield stage
        finally:
            stage.close()


def chord_number(text: str) -> int | None:
    """A chord as a number, however it is spelled; None for any other text, names of pitches (`E5`) included."""
    if re.fullmatch(r"[A-G][#b]?[-\d]*[0-589]", text) or " " in text:
        return None
    try:
        return Chord.parse(text).id
    except ValueError:
        return None
