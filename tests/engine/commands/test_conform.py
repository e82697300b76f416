"""The command: what changed is shown; with -o a session of the new cut is written, and nothing else is touched."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import recutlab

from engine.commands.conform import main
from engine.document import SavedTake
from engine.document.file import read_session
from engine.document.file.film_file import fingerprint
from engine.document.file.writing import SessionWriter, write_session
from engine.document.takes import kept_take
from engine.music import Hit, UserError
from engine.music.bundled import bundled_clip

FIXTURES = Path(__file__).parents[1] / "document" / "fixtures"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two cuts of the clip, and a session of the old one."""
    place = tmp_path_factory.mktemp("cuts")
    recutlab.write(place / "old.mp4", bundled_clip(), [(0, 469)])
    recutlab.write(place / "new.mp4", bundled_clip(), [(0, 144), ("title", 48), (144, 469)])
    saved = read_session(FIXTURES / "one-cue-v1.cuebridge.json")
    from engine.video import probe

    film = replace(probe(place / "old.mp4"), path=str(place / "old.mp4"))
    step = saved.steps[saved.index]
    document = replace(step.document, hits=(Hit(3.0, "must", "before"), Hit(10.0, "must", "after")), printed=())
    reading = replace(saved.reading, film=film, fingerprint=fingerprint(place / "old.mp4"))
    saved = replace(saved, steps=(replace(step, document=document),), index=0, reading=reading, takes=())
    write_session(place / "old.cuebridge.json", SessionWriter().encode(saved, place / "old.cuebridge.json"))
    return place


def test_it_shows_and_writes_nothing_unasked(folder, capsys):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main([str(folder / "old.mp4"), str(folder / "new.mp4")]) == 0
    out = capsys.readouterr().out
    assert "insert" in out and "48 frames longer" in out and out.count("frames") == 2
    assert main([str(folder / "old.cuebridge.json"), str(folder / "new.mp4"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [change["kind"] for change in facts["changes"]] == ["insert"] and facts["first_change_s"] == 6.0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("policy", ["shift", "rewrite"])
def test_the_session_of_the_new_cut(policy, folder, tmp_path, capsys):
    output = tmp_path / "new.cuebridge.json"
    old = (folder / "old.cuebridge.json").read_bytes()
    words = ["--policy", policy, "-o", str(output), "--cache-dir", str(tmp_path / "cache")]
    assert main([str(folder / "old.cuebridge.json"), str(folder / "new.mp4"), *words]) == 0
    assert "Written" in capsys.readouterr().out and (folder / "old.cuebridge.json").read_bytes() == old
    saved = read_session(output)
    document = saved.steps[saved.index].document
    assert saved.steps[saved.index].label == "conform new.mp4" and len(saved.steps) == 2
    assert [hit.time_s for hit in document.hits] == [3.0, 12.0]
    assert saved.fingerprint == fingerprint(folder / "new.mp4")
    assert document.result.slots[-1].end_s == pytest.approx(saved.reading.film.duration_s, abs=0.05)
    before = read_session(folder / "old.cuebridge.json").steps[0].document.result.slots
    same = [slot for slot in document.result.slots if slot.end_s <= 6.0]
    assert same == list(before[: len(same)]) and same
    with pytest.raises(UserError, match="is there already"):
        main([str(folder / "old.cuebridge.json"), str(folder / "new.mp4"), *words])


def test_kept_takes_are_in_the_new_session_and_the_old_ones_too(folder, tmp_path, capsys):
    from engine.arrange.score import session_arrangement

    saved = read_session(folder / "old.cuebridge.json")
    made = session_arrangement(saved, printed=True)[1]
    document = saved.steps[0].document
    table = kept_take({}, document, made.notes, made.controllers, "mine")
    session = tmp_path / "kept.cuebridge.json"
    saved = replace(saved, takes=(SavedTake(document.cue, document.take, table),))
    write_session(session, SessionWriter().encode(saved, session))
    output = tmp_path / "new.cuebridge.json"
    words = [str(session), str(folder / "new.mp4"), "--cache-dir", str(tmp_path / "cache")]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert main([*words, "-o", str(output)]) == 0
    written = capsys.readouterr().out
    for out in (shown, written):
        assert "kept take mine" in out and "up to" in out and "undo" in out
    new = read_session(output)
    take = new.takes[0].take
    assert take.kept and take.document.slots[-1].end_s == pytest.approx(new.reading.film.duration_s, abs=0.05)
    assert take.notes == tuple(note for note in made.notes if note.start_beats < take.to_beats) and len(take.notes) > 9
    assert [(each.cut, each.take.notes) for each in new.takes_aside] == [(saved.fingerprint, tuple(made.notes))]


def test_edls_instead_of_pictures(folder, tmp_path, capsys):
    old = "001  A V C 00:00:00:00 00:00:19:13 01:00:00:00 01:00:19:13\n"
    new = (
        "001  A V C 00:00:00:00 00:00:06:00 01:00:00:00 01:00:06:00\n"
        "002  BL V C 00:00:00:00 00:00:02:00 01:00:06:00 01:00:08:00\n"
        "003  A V C 00:00:06:00 00:00:19:13 01:00:08:00 01:00:21:13\n"
    )
    (tmp_path / "old.edl").write_text(old)
    (tmp_path / "new.edl").write_text(new)
    edls = ["--edl", str(tmp_path / "old.edl"), str(tmp_path / "new.edl"), "--json"]
    assert main([str(folder / "old.cuebridge.json"), str(folder / "new.mp4"), *edls]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [(change["kind"], change["new"]) for change in facts["changes"]] == [("insert", [144, 192])]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["old.mp4", "no.mp4"], "There is no file"), (["old.mp4", "new.mp4", "-o", "x.cuebridge.json"], "old session"),
        (["old.cuebridge.json", "new.mp4", "--cue", "1m1"], "1m1=ramp"),
        (["old.cuebridge.json", "new.mp4", "--bend", "99"], "--bend"),
        (["old.cuebridge.json", "new.mp4", "-o", "new.json"], "ends in"),
        (["old.cuebridge.json", "new.mp4", "-o", "old.cuebridge.json", "--replace"], "would be overwritten"),
        (["old.mp4", "new.mp4", "--edl", "no.edl", "no.edl"], "There is no file no.edl"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(words, why, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(UserError, match=why):
        main(words)
    assert {path.name for path in folder.iterdir()} == before
