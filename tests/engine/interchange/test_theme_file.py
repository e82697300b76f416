"""Themes from files: MusicXML as notation programs write it, and what is no such file."""

from __future__ import annotations

import pytest

from engine.interchange.theme_file import theme_of_file
from engine.music import Key, UserError

SCORE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "partwise.dtd">
<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Tune</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>4</divisions><key><fifths>-1</fifths><mode>minor</mode></key>
<time><beats>4</beats><beat-type>4</beat-type></time></attributes>
<note><pitch><step>D</step><octave>4</octave></pitch><duration>6</duration><voice>1</voice></note>
<note><pitch><step>A</step><octave>4</octave></pitch><duration>2</duration><voice>1</voice></note>
<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>
<note><pitch><step>G</step><octave>4</octave></pitch><duration>8</duration><tie type="start"/><voice>1</voice></note>
<backup><duration>16</duration></backup>
<note><pitch><step>D</step><octave>3</octave></pitch><duration>16</duration><voice>2</voice></note></measure>
<measure number="2"><note><pitch><step>G</step><octave>4</octave></pitch><duration>4</duration><tie type="stop"/>
<voice>1</voice></note><note><rest/><duration>4</duration><voice>1</voice></note>
<note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>8</duration><voice>1</voice></note>
</measure></part></score-partwise>
"""


def test_a_tune_of_a_score_in_its_own_key(tmp_path) -> None:
    path = tmp_path / "tune.musicxml"
    path.write_text(SCORE, encoding="utf-8")
    theme = theme_of_file(path, None, 4.0)
    assert [(note.start_beats, note.length_beats, note.step, note.alter) for note in theme.notes] == [
        (0.0, 1.5, 0, 0), (1.5, 0.5, 4, 0), (2.0, 3.0, 3, 0), (6.0, 2.0, -1, 1),
    ]  # fmt: skip
    assert theme.bars == 2
    assert theme_of_file(path, Key(2, "major"), 4.0).notes[0].step == 0


@pytest.mark.parametrize(
    "fifths, mode, key",
    [
        (0, "dorian", Key(2, "minor")),
        (0, "phrygian", Key(4, "minor")),
        (0, "lydian", Key(5)),
        (-1, "mixolydian", Key(0)),
        (2, "aeolian", Key(11, "minor")),
        (0, "locrian", Key(11, "minor")),
        (3, "ionian", Key(9)),
        (3, "major", Key(9)),
        (0, "", Key(0)),
    ],
)
def test_a_mode_has_its_own_tonic(tmp_path, fifths, mode, key) -> None:
    path = tmp_path / "tune.musicxml"
    signature = f"<fifths>{fifths}</fifths>" + (f"<mode>{mode}</mode>" if mode else "")
    path.write_text(SCORE.replace("<fifths>-1</fifths><mode>minor</mode>", signature), encoding="utf-8")
    assert theme_of_file(path, None, 4.0) == theme_of_file(path, key, 4.0)


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("a.musicxml", "<score-partwise>", "broken XML"),
        ("a.musicxml", "<score-timewise/>", "uncompressed MusicXML"),
        ("a.musicxml", "<score-partwise/>", "no part"),
        ("a.xml", SCORE.replace("<octave>4", "<octave>x", 1), "cannot be read"),
        ("a.xml", SCORE.replace("<divisions>4", "<divisions>0", 1), "cannot be read"),
        ("a.txt", "1 2 3", "neither"),
        ("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><score-partwise/>', "entities"),
    ],
)
def test_what_is_no_tune_is_one_sentence(tmp_path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        theme_of_file(path, None, 4.0)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        theme_of_file(tmp_path / "none.musicxml", None, 4.0)
