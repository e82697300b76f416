"""Everything that is written for others, from a film and from a session."""

import zipfile

import pytest

from engine.commands.compose import main as compose
from engine.commands.export import FORMATS, main
from engine.midifile import read_midi
from engine.music import UserError


def test_every_format_of_a_film(clip, cache, tmp_path, capsys):
    formats = [each for each in FORMATS if each != "stems"]
    words = ["--format", ",".join(formats), "-o", str(tmp_path), "--version", "3", "--cache-dir", str(cache)]
    assert main([str(clip), *words, "--hits", "4.71! door=9.62"]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    start = "1m1_v03 big-buck-bunny-30s 00-00-00-00"
    assert {f"{start}{FORMATS[each]}" for each in formats if each != "click-wav"} <= names
    assert len(names) == len(formats)
    assert any(name.endswith(" click.wav") and "00-00-00-00" not in name for name in names)  # it counts in before that
    heads = {".pdf": b"%PDF", ".png": b"\x89PNG", ".svg": b"<?xml", ".musicxml": b"<?xml", ".dawproject": b"PK"}
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(heads.get(path.suffix, b"")) and path.stat().st_size > 100
    with zipfile.ZipFile(tmp_path / f"{start}.dawproject") as archive:
        assert b"big-buck-bunny-30s.mp4" in archive.read("project.xml")
    # Nothing is overwritten unasked, and nothing half: the second run writes no file at all.
    (tmp_path / f"{start} markers.edl").unlink()
    with pytest.raises(UserError, match="is there already"):
        main([str(clip), *words])
    assert not (tmp_path / f"{start} markers.edl").exists()
    capsys.readouterr()


def test_the_notes_are_those_of_compose(clip, cache, tmp_path):
    compose([str(clip), "-o", str(tmp_path / "a.mid"), "--cache-dir", str(cache)])
    new = tmp_path / "new"  # made, since the folder that it lies in is there
    main([str(clip), "--format", "midi", "-o", str(new), "--file-names", "b", "--cache-dir", str(cache)])
    first, second = read_midi(tmp_path / "a.mid"), read_midi(new / "b.mid")
    assert first.notes == second.notes and first.controllers == second.controllers


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--format song", "not a format"), ("--format ,", "name some"), ("--format midi --only 9m9", "9m9"),
        ("--format edl --marker-kinds song", "no kind"), ("--format midi --version 0", "--version"),
        ("--format click --count-in 99", "--count-in"), ("--format midi -o nowhere/deeper", "no folder"),
        ("--format midi --file-names {x}", "pattern"), ("--format midi --takes 3", "--takes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(words, why, clip, cache, tmp_path):
    with pytest.raises(UserError, match=why):
        folder = [] if "-o" in words else ["-o", str(tmp_path)]
        main([str(clip), *words.split(), "--cache-dir", str(cache), *folder])
    assert not list(tmp_path.iterdir())
