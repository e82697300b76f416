"""Sound -> note density: how many notes sound in each second (paper 3.1.1, Figure 2).

The notes are those of basic-pitch's ONNX net (Apache-2.0), as pretty_midi holds them.  Its metadata asks for a
TensorFlow that no longer installs, so it is no extra: INSTALL puts the wheel beside the extra `dataset`.  Without it
the onsets that librosa finds are counted, another measure, which the set says of itself.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.dataset.errors import DatasetError
from engine.dataset.sound import Passage

INSTALL: Final = "pip install --no-deps basic-pitch==0.4.0 resampy mir_eval"
KINDS: Final = ("notes", "onsets")


def density_kind(asked: str) -> str:
    """ "notes" or "onsets"; asked may be "auto".  Raises DatasetError where notes are asked for and cannot be had."""
    there = importlib.util.find_spec("basic_pitch") is not None
    if asked == "notes" and not there:
        raise DatasetError(f"Counting notes needs basic-pitch: {INSTALL}.")
    if asked == "auto":
        return "notes" if there else "onsets"
    return asked


def sounding_by_second(notes: Iterable[tuple[float, float]], begin_s: int, end_s: int) -> np.ndarray:
    """(end_s - begin_s,) float32: how many notes sound somewhere in each second.  notes: (from, to) in seconds."""
    found = np.zeros(end_s - begin_s, np.float32)
    for start, stop in notes:
        first, last = max(int(np.floor(start)), begin_s), min(int(np.ceil(stop)), end_s)
        found[max(0, first - begin_s) : max(0, last - begin_s)] += 1
    return found


def density_of(passage: Passage, kind: str) -> np.ndarray:
    """(T,) float32 of a passage's seconds."""
    return _notes(passage) if kind == "notes" else _onsets(passage)


def _notes(passage: Passage) -> np.ndarray:
    logging.disable(logging.WARNING)  # it names the other runtimes that are not there
    try:
        package: Any = importlib.import_module("basic_pitch")
        inference: Any = importlib.import_module("basic_pitch.inference")
        net = Path(package.__file__).parent / "saved_models" / "icassp_2022" / "nmp.onnx"
        with contextlib.redirect_stdout(io.StringIO()):
            _, midi, _ = inference.predict(passage.wave, inference.Model(net))
    finally:
        logging.disable(logging.NOTSET)
    found = [
        (note.start + passage.first_s, note.end + passage.first_s)
        for instrument in midi.instruments
        for note in instrument.notes
    ]
    return sounding_by_second(found, passage.begin_s, passage.end_s)


def _onsets(passage: Passage) -> np.ndarray:
    import librosa

    samples, rate = librosa.load(passage.wave, sr=22050, mono=True)
    at = librosa.onset.onset_detect(y=samples, sr=rate, units="time") + passage.first_s
    edges = np.arange(passage.begin_s, passage.end_s + 1)
    return np.histogram(at, edges)[0].astype(np.float32)
