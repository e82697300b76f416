"""Voicings of the ensembles' players, over all their ranges."""

from __future__ import annotations

import pytest

from engine.arrange.ensembles import Ensemble, ensembles
from engine.arrange.players_voicing import Players, is_low, voice_players
from engine.music import Chord, Key

TYPES = ("", "m", "maj7", "m7", "7", "add9", "sus2", "sus4", "6", "dim", "maj9", "m9")
ROOTS = "C Db D Eb E F Gb G Ab A Bb B".split()  # noqa: SIM905
TUNED = [name for name, each in ensembles().items() if {"pad", "arp", "bass"} <= each.parts.keys()]


def players_of(ensemble: Ensemble) -> Players:
    def span(part: str) -> tuple[int, int]:
        role = ensemble.parts[part]
        return role.low, max(role.high, role.low + 18)

    pad = span("pad")
    return Players(
        pad=pad, arp=span("arp"), bass=span("bass"), voices=ensemble.parts["pad"].voices, strict=ensemble.strict,
        centre=sum(pad) / 2, key=Key.parse("C"),
    )  # fmt: skip


@pytest.mark.parametrize("name", TUNED)
def test_the_second_part_and_the_bass_make_no_low_second_or_third(name):
    players = players_of(ensembles()[name])
    low = []
    for root in ROOTS:
        for kind in TYPES:
            voicing = voice_players(Chord.parse(root + kind), players, None)
            if voicing.arp[0] > voicing.bass and is_low(voicing.bass, voicing.arp[0]):
                low.append((root + kind, voicing.bass, voicing.arp))
    assert low == []
