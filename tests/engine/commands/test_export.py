"""Everything that is written for others, from a film and from a session."""

import zipfile
from pathlib import Path

import pytest
from films import make_film

from engine.commands import page_save
from engine.commands.compose import main as compose
from engine.commands.export import FORMATS, main
from engine.midifile import read_midi, read_tempo_map
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


def test_stems_are_named_by_the_pattern(cache, tmp_path):
    film, out = make_film(tmp_path / "short.mp4", 72), tmp_path / "out"
    words = [str(film), "--format", "stems", "-o", str(out), "--version", "3", "--cache-dir", str(cache)]
    assert main(words) == 0
    name = "1m1_v03 short 00-00-00-00"
    assert {path.name for path in out.iterdir()} == {f"{name} mix.wav", f"{name} stems"}
    stems = {path.name for path in (out / f"{name} stems").iterdir()}
    assert f"{name} pad.wav" in stems and not [each for each in stems if "mix" in each]
    (out / f"{name} mix.wav").unlink()
    with pytest.raises(UserError, match="is there already"):
        main(words)


def test_the_notes_are_those_of_compose(clip, cache, tmp_path):
    compose([str(clip), "-o", str(tmp_path / "a.mid"), "--cache-dir", str(cache)])
    new = tmp_path / "new"  # made, since the folder that it lies in is there
    main([str(clip), "--format", "midi", "-o", str(new), "--file-names", "b", "--cache-dir", str(cache)])
    first, second = read_midi(tmp_path / "a.mid"), read_midi(new / "b.mid")
    assert first.notes == second.notes and first.controllers == second.controllers


@pytest.mark.parametrize("bpm", [(), ("--bpm", "90")])
def test_sections_of_a_marker_list_change_tempo_and_bars(bpm, clip, cache, tmp_path):
    """Whether a take draws the tempo or somebody said it."""
    table = tmp_path / "m.csv"
    table.write_text("Name,In\nsection: tempo=70,00:00:10:00\nsection: meter=3/4,00:00:20:00\n", encoding="utf-8")
    out = tmp_path / "a.mid"
    compose([str(clip), "-o", str(out), "--cache-dir", str(cache), "--markers", str(table), *bpm])
    read = read_tempo_map(out)
    assert read.bpm_at(read.beats_at(15.0)) == pytest.approx(70, abs=0.01) != read.bpm_at(0.0)
    assert [str(change.meter) for change in read.meters] == ["4/4", "3/4"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--format song", "not a format"), ("--format ,", "name some"), ("--format midi --only 9m9", "9m9"),
        ("--format edl --marker-kinds song", "not a kind"), ("--format midi --version 0", "--version"),
        ("--format click --count-in 99", "--count-in"), ("--format midi -o nowhere/deeper", "no folder"),
        ("--format midi --file-names {x}", "pattern"), ("--format midi --takes 3", "--takes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(words, why, clip, cache, tmp_path):
    with pytest.raises(UserError, match=why):
        folder = [] if "-o" in words else ["-o", str(tmp_path)]
        main([str(clip), *words.split(), "--cache-dir", str(cache), *folder])
    assert not list(tmp_path.iterdir())


TWO_CUES = Path(__file__).parents[1] / "document" / "fixtures" / "two-cues-v2.cuebridge.json"


def test_where_nothing_can_be_written_no_folder_is_left(clip, cache, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.commands.export.write_whole", full)
    words = [str(clip), "--format", "edl,csv", "--cache-dir", str(cache)]
    with pytest.raises(UserError, match="No space left"):
        main([*words, "-o", str(tmp_path / "new")])
    assert not (tmp_path / "new").exists()
    (tmp_path / "kept").mkdir()
    with pytest.raises(UserError, match="No space left"):
        main([*words, "-o", str(tmp_path / "kept")])
    assert (tmp_path / "kept").is_dir()


@pytest.mark.parametrize("kind", page_save.EXPORTED)
def test_the_page_saves_what_the_command_writes(kind, tmp_path):
    """Of one cue, under the names of the pattern, with the options that the format has."""
    need = {"musicxml": "music21", "otio": "opentimelineio", "pdf": "matplotlib", "svg": "matplotlib"}
    if kind in need:
        pytest.importorskip(need[kind])
    options = {"file_names": "{cue}_v{version}", "version": 7, "only": "1m2", "soundfont": "nowhere.sf2"}
    options |= {"marker_kinds": "chords"} if kind in ("edl", "csv", "otio", "markers-midi", "dawproject") else {}
    options |= {"count_in": 2} if kind.startswith("click") else {}
    options |= {"writers": "A. Composer"} if kind == "cuesheet" else {}
    out = page_save.save(kind, TWO_CUES, tmp_path / "page" / "x", options, lambda share, words: None)
    assert out.name == f"1m2_v07{FORMATS[kind]}" and out.parent == tmp_path / "page"
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if name != "soundfont"]
    assert main([str(TWO_CUES), "--format", kind, "-o", str(tmp_path / "command"), *words]) == 0
    written = tmp_path / "command" / out.name
    if kind in ("edl", "csv", "spotting", "cuesheet", "click", "click-wav", "guide", "markers-midi"):
        assert out.read_bytes() == written.read_bytes()
    assert out.stat().st_size > 100
    if kind == "cuesheet":
        assert "A. Composer" in out.read_text(encoding="utf-8-sig")


def test_the_page_refuses_in_a_sentence(tmp_path):
    for options, words in (
        ({"only": "9m9"}, "no cue"),
        ({"marker_kinds": "x"}, "not a kind"),
        ({"file_names": "{x}"}, "pattern"),
    ):
        with pytest.raises(UserError, match=words):
            page_save.save("csv", TWO_CUES, tmp_path / "x", options, lambda share, words: None)
    assert list(tmp_path.iterdir()) == []
