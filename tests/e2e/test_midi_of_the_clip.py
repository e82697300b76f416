"""The bundled clip composed in several keys and meters, read by music21: key, meter, no overlaps, key signature."""

from __future__ import annotations

from pathlib import Path

import pytest
from profiles import thorough

from engine.arrange import arrange
from engine.brief import Brief
from engine.composer import compose_takes
from engine.midifile import read_midi, write_midi
from engine.music import Composition, Key, TimeSignature

CLIP = Path(__file__).resolve().parents[2] / "engine" / "media" / "big-buck-bunny-30s.mp4"
CASES = [("C", "4/4"), ("A", "7/8"), ("Eb", "3/4"), ("Am", "4/4"), ("Dm", "6/8"),
         ("F#m", "7/8"), ("Cm", "4/4"), ("Bbm", "4/4")]  # fmt: skip
TAKES = 2 if thorough() else 1


@pytest.fixture(scope="module")
def pieces(tmp_path_factory) -> dict[tuple[str, str], list[Composition]]:
    cache = tmp_path_factory.mktemp("cache")
    found = {}
    for key, meter in CASES:
        bpm = 140.0 if meter == "7/8" else 97.0
        wish = Brief(key=Key.parse(key), bpm=bpm, meter=TimeSignature.parse(meter), reading="quick")
        found[key, meter] = [s.composition for s in compose_takes(CLIP, wish, TAKES, cache_dir=str(cache))]
    return found


def test_music21_finds_the_key_that_was_asked_for_and_the_meter(tmp_path, pieces):
    music21 = pytest.importorskip("music21")
    wrong = []
    for (key, meter), compositions in pieces.items():
        for composition in compositions:
            path = tmp_path / "piece.mid"
            write_midi(path, composition, arrange(composition))
            score = music21.converter.parse(str(path), quantizePost=False, forceSource=True)
            found = score.analyze("key")
            if (found.tonic.pitchClass, found.mode == "minor") != (composition.key.tonic, composition.key.is_minor):
                wrong.append(f"{key} take {composition.take.name}: {found.name}")
            signatures = {s.ratioString for s in score.recurse().getElementsByClass("TimeSignature")}
            assert signatures == {meter}
            stated = score.recurse().getElementsByClass("KeySignature").first()
            assert stated is not None and stated.sharps == music21.key.Key(found_name(composition.key)).sharps
    # The music decides, not the key signature.  Weights may change: one of them may be ambiguous.
    assert len(wrong) <= 1, wrong


def found_name(key: Key) -> str:
    name = key.short_name.removesuffix("m").replace("b", "-")
    return name.lower() if key.is_minor else name


def test_no_note_overlaps_the_next_of_its_pitch(tmp_path, pieces):
    for compositions in pieces.values():
        for composition in compositions:
            path = tmp_path / "piece.mid"
            write_midi(path, composition, arrange(composition))
            ends: dict[tuple[int, int], float] = {}
            for note in read_midi(path).notes:
                place = (note.channel, note.pitch)
                assert note.start_beats >= ends.get(place, -100.0) - 1e-9
                ends[place] = note.end_beats
