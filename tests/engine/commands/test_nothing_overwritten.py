"""No command writes over a file that is there: it is refused before any work, or kept beside with --replace."""

from __future__ import annotations

import pytest
from soundlab import make_film

from engine.__main__ import main
from engine.midifile import read_midi

FILM = "film.mp4"

# Every option that names a file to write, and what a run of it costs at least.
WRITERS = {
    "compose": ["compose", FILM, "-o", "OUT.mid"],
    "compose takes": ["compose", FILM, "--takes", "2", "-o", "OUT.mid"],
    "plot": ["plot", FILM, "-o", "OUT.png"],
    "tempo": ["tempo", FILM, "--write", "OUT.mid"],
    "tempo export": ["tempo", "export", FILM, "--out", "OUT.mid"],
    "conductor": ["tempo", "export", "--from-midi", "IN.mid", "--out", "OUT.mid"],
    "sheet": ["score", "IN.mid", "--video", FILM, "--lead-sheet", "OUT.txt"],
    "sheet picture": ["score", "IN.mid", "--video", FILM, "--lead-sheet", "OUT.png"],
    "features": ["analyze", FILM, "--npz", "OUT.npz"],
    "features picture": ["analyze", FILM, "--plot", "OUT.png"],
    "render": ["render", FILM, "-o", "OUT.mp4"],
    "sound": ["render", FILM, "-o", "OUT.wav"],
    "stems": ["render", FILM, "-o", "other.wav", "--stems", "."],
    "layout": ["analyze", FILM, "--export", "."],
    "versions": ["compose", FILM, "--takes", "2", "--vary", "key", "-o", "."],
}
THERE = {
    "compose takes": "OUT_B.mid",
    "stems": "other_pad.wav",
    "layout": "vevo_scene/all/film.lab",
    "versions": "mine.mid",
}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("film") / FILM, 4.0)


@pytest.fixture
def folder(tmp_path, monkeypatch, film):
    from engine.midifile import write_events
    from engine.music import TempoMap

    events = [(0.0, 0.0, 0x90, 60, 90, 0), (2.0, 2.0, 0x80, 60, 0, 0)]
    write_events(tmp_path / "IN.mid", events, TempoMap())
    (tmp_path / FILM).write_bytes(film.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_there_is_refused_before_any_work(name, folder, capsys, monkeypatch) -> None:
    from engine.process import analysis

    monkeypatch.setattr(analysis, "analyse_in_child", lambda *_: pytest.fail("the film was looked at first"))
    words = [str(word) for word in WRITERS[name]]
    there = folder / THERE.get(name, next((word for word in words if word.startswith("OUT")), ""))
    if name == "versions":
        (folder / "IN.mid").unlink()
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(b"somebody's work")
    before = sorted(folder.rglob("*"))
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "already" in said and "--replace" in said and said.count("\n") == 1, said
    assert there.read_bytes() == b"somebody's work" and sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("name", ["tempo", "conductor", "sheet", "sheet picture", "features", "layout"])
def test_with_replace_the_old_file_is_kept_beside(name, folder, capsys, tmp_path_factory) -> None:
    words = [str(word) for word in WRITERS[name]]
    there = folder / THERE.get(name, next((word for word in words if word.startswith("OUT")), ""))
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(b"somebody's work")
    if FILM in WRITERS[name]:
        words += ["--cache-dir", str(tmp_path_factory.getbasetemp() / "clip cache")]
    words += ["--hits", "1 2"] if name == "tempo" else []
    assert main([*words, "--replace"]) == 0, capsys.readouterr().err
    assert there.with_name(there.name + ".bak").read_bytes() == b"somebody's work"
    assert there.read_bytes() != b"somebody's work"
    if there.suffix == ".mid":
        read_midi(there)
    assert not list(folder.rglob(".cuebridge-*"))
