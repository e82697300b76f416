"""The key that is asked for is heard, and chords wear out, whatever the network is."""

from __future__ import annotations

import numpy as np
import pytest

from engine.harmony.form import form_pull, key_pull, margins, weariness
from engine.music import A_MINOR, C_MAJOR, Chord
from engine.music.chord import VOCABULARY_SIZE
from models.decoding import DecodingOptions, choose

IDS = {name: Chord.parse(name).id for name in ("C", "F", "G", "G7", "Am", "Dm", "E7", "Bb", "Cmaj7", "F7", "D")}


def sounded(*names: str) -> np.ndarray:
    found = np.zeros(12)
    for name in names:
        chord = Chord.parse(name)
        for tone in chord.pitch_classes():
            found[tone] += 1
        found[chord.root] += 1.5
    return found


def test_margins_say_which_key_is_heard():
    assert margins(sounded("C", "F", "G7", "C"), minor=False) > 0.1
    assert margins(sounded("Am", "Dm", "E7", "Am"), minor=True) > 0.1
    assert margins(sounded("Am", "Dm", "E7", "Am"), minor=False) < 0
    assert margins(sounded("D", "G", "A7", "D"), minor=False) < 0
    assert margins(np.zeros(12), minor=False) == 0


@pytest.mark.parametrize("program_profile", ["AardenEssen", "KrumhanslSchmuckler"])
def test_the_profiles_are_those_of_a_key_finding_program(program_profile):
    music21 = pytest.importorskip("music21")
    found = getattr(music21.analysis.discrete, program_profile)()
    from engine.harmony import form as harmony_form

    rows = harmony_form._PROFILES[program_profile == "AardenEssen"]
    for row, mode in zip(rows, ("major", "minor"), strict=True):
        assert row == pytest.approx(found.getWeights(mode), rel=1e-3)


def test_where_the_key_is_lost_its_own_chords_are_pulled():
    lost = [IDS[name] for name in ("F", "Bb", "F", "Bb", "F7")]
    pull = key_pull(lost, [4.0] * 5, minor=False)
    assert pull[IDS["C"]] > pull[IDS["F"]] > pull[IDS["Bb"]]
    assert (pull <= 0).all()


def test_where_the_key_is_clear_nothing_is_pulled():
    clear = [IDS[name] for name in ("C", "F", "G7", "C", "Am", "G", "C")]
    pull = key_pull(clear, [4.0] * 7, minor=False)
    assert pull[IDS["C"]] == 0
    assert abs(pull[IDS["Dm"]]) < 1


def test_what_was_heard_much_is_pushed_with_its_relatives():
    push = weariness([IDS["C"], IDS["F"], IDS["C"], IDS["F"], IDS["C"]])
    assert push[IDS["C"]] < push[IDS["Cmaj7"]] < 0 == push[IDS["Am"]]
    assert not weariness([]).any()


def drawn(minor: bool, seed: int, with_form: bool) -> list[int]:
    """Forty changes of a network that knows nothing but that roots of the key are likelier."""
    scale = set((A_MINOR if minor else C_MAJOR).scale())
    logits = np.zeros(VOCABULARY_SIZE)
    for chord_id in range(1, VOCABULARY_SIZE):
        logits[chord_id] = 3.0 * all(tone in scale for tone in Chord.from_id(chord_id).pitch_classes())
    chords = [Chord(9, "min").id if minor else Chord(0, "maj").id]
    options = DecodingOptions(seed=seed, allow_rests=False, max_repeats=1)
    for slot in range(1, 40):
        bias = form_pull(chords, [2.0] * len(chords), minor, 4.0) if with_form else None
        chords.append(choose(logits, options, chords[-1:], slot, bias=bias))
    return chords


@pytest.mark.parametrize("minor", [False, True])
def test_any_network_is_held_in_the_key(minor):
    def clear(with_form: bool) -> int:
        count = 0
        for seed in range(40):
            heard = np.zeros(12)
            for chord_id in drawn(minor, seed, with_form):
                heard += sounded(Chord.from_id(chord_id).lead_sheet())
            count += bool(margins(heard, minor) > 0)
        return count

    assert clear(True) == 40
    assert clear(False) < 30
