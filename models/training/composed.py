"""Chords that the chord network composes for songs, for a regressor that is to read composed chords.

In MuVi-Sync the chords come from the audio whose density and loudness are to be predicted; in use they are composed
before anything sounds.  So a regressor is trained with both, and with what lies between, and judged on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from engine.music.chord import VOCABULARY_SIZE
from models.amt import AffectiveMultimodalTransformer
from models.conditioning import film_rows
from models.decoding import TONIC, DecodingOptions, affect_pull, choose, condition_scales, enlarge
from models.files import written
from models.film import EMOTION_COLUMNS, FilmInputs
from models.runtime import ChordNetwork, from_torch
from models.training.dataset import Song, chord_steps, make_batch
from models.training.variation import ChordVariation

DEFAULT_STRENGTH: Final = 0.5  # of "Follow the picture"
_TOGETHER: Final = 25  # films in one batch
_LONGEST_RUN: Final = 24  # seconds that are spoiled at once


def film_inputs(film: Song, song: Song, *, smooth: bool) -> FilmInputs:
    """The features of `film`, cut or repeated to the song's length, in the song's mode."""
    rows = np.arange(song.length) % film.length
    packed = film.features(smooth=smooth)[rows]
    return FilmInputs.from_arrays(
        scene_offset=film.scene_offset[rows],
        motion=film.motion[rows],
        emotion=(film.emotion_smooth if smooth else film.emotion)[rows],
        semantic=packed[:, :768] if film.semantic is not None else None,
        minor=song.minor,
    )


def compose_all(
    model: ChordNetwork,
    films: Sequence[FilmInputs],
    options: Sequence[DecodingOptions],
    conditions: Sequence[np.ndarray] | None = None,
) -> list[list[int]]:
    """What `ChordStream` composes for each film from the tonic, that one included, many films in one batch.

    conditions: (T, 12) rows for each film; where they are given, the options of all must be conditioned alike.
    """
    out: list[list[int]] = []
    for start in range(0, len(films), _TOGETHER):
        here = slice(start, start + _TOGETHER)
        part, used = films[here], options[here]
        guided = conditions is not None and used[0].conditioned
        stacked = FilmInputs.stacked(part)
        rows = stacked.features.shape[1]
        shown = None
        if conditions is not None and guided:
            padded = [np.pad(given, ((0, rows - len(given)), (0, 0)), mode="edge") for given in conditions[here]]
            shown = np.stack(padded)
        cache = model.new_cache(stacked, rows, shown, guided=guided)
        mood = [film.emotion() for film in part]
        pulls = [None if emotion is None else affect_pull(emotion) for emotion in mood]
        songs = [[TONIC[bool(mode)]] for mode in stacked.minor]
        for slot in range(1, rows):
            logits = model.decode_step(np.array([song[-1] for song in songs]), cache)
            for k, (song, pull, film, option) in enumerate(zip(songs, pulls, part, used, strict=True)):
                row = logits[k] if not guided else enlarge(logits[k], logits[len(part) + k], option, song[-1])
                at = None if pull is None or slot >= film.length else pull[slot]
                song.append(choose(row, option, song, slot, at))
        out += [song[: film.length] for song, film in zip(songs, part, strict=True)]
    return out


def options_at(base: DecodingOptions, strength: float, conditioned: bool) -> DecodingOptions:
    """What a strength of 0..1 of "Follow the picture" means for a network."""
    if conditioned:
        moves, stays = condition_scales(strength)
        return replace(base, guidance=0.0, condition_scale=moves, stay_scale=stays)
    return replace(base, guidance=strength)


@dataclass(frozen=True, slots=True)
class ComposedChords:
    """rows: kind -> song's id -> (T,) chord ids."""

    rows: dict[str, dict[str, np.ndarray]]

    def of(self, song: Song, kind: str) -> np.ndarray:
        return self.rows[kind][song.id]

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {
            f"{kind}/{name}": ids for kind, songs in self.rows.items() for name, ids in songs.items()
        }
        with written(path) as aside, aside.open("wb") as stream:
            np.savez_compressed(stream, **arrays)

    @classmethod
    def load(cls, path: Path) -> ComposedChords:
        rows: dict[str, dict[str, np.ndarray]] = {}
        with np.load(path, allow_pickle=False) as table:
            for name in table.files:
                kind, _, song = name.partition("/")
                rows.setdefault(kind, {})[song] = table[name].astype(np.int64)
        return cls(rows)


def compose_for(
    model: AffectiveMultimodalTransformer, songs: Sequence[Song], *, kind: str = "film", seed: int = 1
) -> ComposedChords:
    """Composes for every song, see ChordVariation for the kinds "film" and "resampled"."""
    if kind == "resampled":
        found = _resampled(model, songs, seed)
        return ComposedChords({kind: {song.id: ids for song, ids in zip(songs, found, strict=True)}})
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    conditioned = network.config.condition_width > 0
    at = options_at(DecodingOptions(), DEFAULT_STRENGTH, conditioned)
    # From the longest to the shortest: batches are padded to their longest.
    order = sorted(range(len(songs)), key=lambda k: -songs[k].length)
    films = [film_inputs(songs[k], songs[k], smooth=True) for k in order]
    shown = [film_rows(film.features[0, :, EMOTION_COLUMNS]) for film in films] if conditioned else None
    composed = compose_all(network, films, [replace(at, seed=seed * 100_000 + k) for k in order], shown)
    rows = {songs[k].id: np.array(ids, dtype=np.int64) for k, ids in zip(order, composed, strict=True)}
    return ComposedChords({kind: rows})


@torch.no_grad()
def _resampled(model: AffectiveMultimodalTransformer, songs: Sequence[Song], seed: int) -> list[np.ndarray]:
    """Every slot drawn from the network's distribution after the song's own chords up to it."""
    model.eval()
    out = []
    for k, song in enumerate(songs):
        batch = make_batch([song])
        logits = model(
            batch.features, batch.inputs, batch.minor, valid=batch.valid, semantic_present=batch.semantic_present,
            emotion_present=batch.emotion_present, ends=batch.ends,
        )[0, :, :VOCABULARY_SIZE]  # fmt: skip
        generator = torch.Generator().manual_seed(seed * 100_000 + k)
        drawn = torch.multinomial(torch.softmax(logits.float(), -1), 1, generator=generator)[:, 0].numpy()
        steps = len(chord_steps(song.chords)[0])
        out.append(np.append(song.chords[:1], drawn[: min(steps, song.length - 1)]).astype(np.int64))
    return out


def chords_to_read(
    song: Song, variation: ChordVariation, composed: ComposedChords, rng: np.random.Generator
) -> np.ndarray | None:
    """(T,) chords of one song for one step of training, None where none are read."""
    shares = (variation.true, variation.resampled, variation.film)
    which = int(np.searchsorted(np.cumsum(shares), rng.random(), side="right"))
    if which == len(shares):
        return None
    ids = song.chords
    if which:
        kind = "film" if which == 2 and song.id in composed.rows["film"] else "resampled"
        ids = composed.of(song, kind)
    return spoiled(ids, rng) if rng.random() < variation.noise else ids


def spoiled(ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few runs of seconds replaced: moved to another root, held from before, or passages from elsewhere in the song.

    ids: (T,), not changed.
    """
    out = ids.copy()
    for _ in range(1 + int(rng.integers(0, max(1, len(ids) // 30)))):
        start = int(rng.integers(0, len(ids)))
        stop = min(len(ids), start + 1 + int(rng.integers(0, _LONGEST_RUN)))
        how = rng.random()
        if how < 0.3:
            out[start:stop] = ids[int(rng.integers(0, len(ids)))]
        elif how < 0.6:
            out[start:stop] = out[max(0, start - 1)]
        else:
            other = int(rng.integers(0, len(ids)))
            passage = ids[other : other + stop - start]
            out[start : start + len(passage)] = passage
    return out
