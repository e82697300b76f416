from __future__ import annotations

import json
import re
import sys
from itertools import combinations
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "arrange"))
from pieces import compose

from engine.arrange import arrange
from engine.commands.compose import main, placed
from engine.commands.variations import LEAST_DIFFERENCE, bar_signs, difference, parse_dimensions
from engine.midifile import read_midi
from engine.music import UserError

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"


def test_words():
    assert parse_dimensions("key, tempo") == ("key", "tempo")
    for text in ("", "colour", "key,colour"):
        with pytest.raises(UserError):
            parse_dimensions(text)


def test_difference_is_the_share_of_bars():
    assert difference([1, 2, 3, 4], [1, 2, 9, 9]) == 0.5
    assert difference([1, 2, 3, 4], [1, 2]) == 0.5
    assert difference([1, 2], [1, 2]) == 0


def test_silence_after_a_short_version_is_no_bar_of_it():
    # Two slots a bar.  Otherwise versions of 15 s of a film of 90 s could not differ in 40 % of "their" bars.
    short, other = (compose(text + " N" * 12, seconds=16.0) for text in ("C C F F", "Am Am Dm Dm"))
    signs = [bar_signs(work, arrange(work)) for work in (short, other)]
    assert [len(sign) for sign in signs] == [2, 2] and difference(*signs) == 1
    rest = compose("C C N N F F" + " N" * 10, seconds=16.0)
    assert len(bar_signs(rest, arrange(rest))) == 3


def test_twelve_versions_differ_and_loop(tmp_path, capsys, cache):
    folder = tmp_path / "out"
    words = [str(CLIP), "--cache-dir", cache, "--json", "--takes", "12", "-o", str(folder)]
    assert main([*words, "--vary", "key,tempo,pattern,mode", "--length", "15", "--loopable"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 12
    assert len({row["key"] for row in rows}) >= 8 and len({row["pattern"] for row in rows}) >= 6
    assert {key.split()[1] for key in (row["key"] for row in rows)} == {"major", "minor"}
    for number, row in enumerate(rows, start=1):
        assert re.fullmatch(rf"1m1_v{number:02d}_[A-G][bs]?m?_\d+_15s", row["name"])
        assert len(row["files"]) >= 2  # of the parts that its ensemble has
        for file in row["files"]:
            score = read_midi(file)
            # Whole bars, nothing across the seam.
            end = score.tempo_map.beats_at(row["seconds"])
            assert abs(end / 4 - round(end / 4)) < 0.01
            assert max(note.end_beats for note in score.notes) <= end + 0.002
            assert [note.part for note in score.notes].count(score.notes[0].part) == len(score.notes)
    assert len({b"".join(Path(file).read_bytes() for file in row["files"]) for row in rows}) == 12


def test_each_pair_differs_enough(seen_clip):
    import argparse

    from engine.arrange import ArrangeOptions
    from engine.brief import Brief
    from engine.commands.variations import vary
    from engine.composer import Composer

    nothing = argparse.Namespace(chords_on="off", harmonic_rhythm="auto")
    versions = vary(
        Composer(), seen_clip, Brief(reading="quick"), ArrangeOptions(), 6, ("mode", "pattern"),
        lambda composition: placed(composition, nothing), 20.0,
    )  # fmt: skip
    signs = [bar_signs(version.composition, version.arrangement) for version in versions]
    for a, b in combinations(signs, 2):
        assert difference(a, b) >= LEAST_DIFFERENCE
    assert versions[0].name("1m1").startswith("1m1_v01_")
    with pytest.raises(UserError, match="longer than the film"):
        vary(Composer(), seen_clip, Brief(), ArrangeOptions(), 1, ("key",), lambda work: work, 99.0)


def test_flags_that_need_each_other(tmp_path):
    with pytest.raises(UserError, match="go with --vary"):
        main([str(CLIP), "--loopable", "-o", str(tmp_path / "x.mid")])
