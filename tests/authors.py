"""Chords drawn exactly as the Video2Music authors' program draws them, for parity tests.

From torch's global random generator, one draw a slot: END and PAD cut off, silence impossible, no third equal chord,
no temperature.  Their primer's major chords carry quality 0, the composed ones 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from engine.music.chord import VOCABULARY_SIZE
from models.amt import AffectiveMultimodalTransformer
from models.decoding import REST, TONIC
from models.film import FilmInputs
from models.vocabulary import ATTRIBUTE_OF


@torch.no_grad()
def generate_like_authors(
    model: AffectiveMultimodalTransformer, film: FilmInputs, primer: Sequence[int] = ()
) -> Iterator[int]:
    """Yields the chord of every row of the film, the primer's among them (default: the tonic)."""
    given = (film.features, film.valid, film.semantic_present, film.emotion_present)
    features, valid, semantic, emotion = (torch.from_numpy(array) for array in given)
    minor = torch.from_numpy(film.minor)
    memory = model.encode(features, valid, semantic, emotion)
    cache = model.new_cache(memory, minor, valid, ends=film.ends, max_slots=film.length)
    chords = list(primer) or [TONIC[bool(film.minor[0])]]
    yield from chords
    logits = torch.zeros(0)
    for position in range(film.length - 1):
        if position >= len(chords):
            break
        attributes = None
        if position < len(primer):
            quality = int(ATTRIBUTE_OF[chords[position]])
            attributes = torch.tensor([0 if quality == 1 else quality])
        logits = model.decode_step(torch.tensor([chords[position]]), cache, attributes)
        if position == len(chords) - 1:
            chords.append(_draw(logits[0], chords))
            yield chords[-1]


def _draw(logits: torch.Tensor, history: Sequence[int]) -> int:
    probability = torch.softmax(logits, dim=-1)[None, :VOCABULARY_SIZE].clone()
    probability[:, REST] = 0
    if len(history) >= 2 and history[-1] == history[-2]:
        probability[:, history[-1]] = 0
    return int(torch.distributions.Categorical(probability).sample())
