"""A new cut of the film while the session runs: shown, taken as one step, taken back."""

import time
from dataclasses import replace

import pytest
import recutlab
from offlinelab import ASKER, OfflineStage, offline_time
from sessionlab import Engine

from bridge.osc.codec import decode, encode
from bridge.osc.server import Datagram
from bridge.session.file.autosave import Autosave
from bridge.session.recut import RecutRunner, RecutWords
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.document.file import read_session
from engine.music import Hit, UserError
from engine.music.arguments import ControlError
from engine.music.bundled import bundled_clip

OLD_S, FIRST_S = 319 / 24, 6.0


@pytest.fixture(scope="module")
def cuts(tmp_path_factory):
    """Two cuts of the clip: two seconds of a title at the sixth second; and their EDLs."""
    folder = tmp_path_factory.mktemp("cuts")
    recutlab.write(folder / "reel_v1.mp4", bundled_clip(), [(0, 319)])
    recutlab.write(folder / "reel_v2.mp4", bundled_clip(), [(0, 144), ("title", 48), (144, 319)])
    (folder / "v1.edl").write_text("001  A V C 00:00:00:00 00:00:13:07 01:00:00:00 01:00:13:07\n")
    (folder / "v2.edl").write_text(
        "001  A V C 00:00:00:00 00:00:06:00 01:00:00:00 01:00:06:00\n"
        "002  BL V C 00:00:00:00 00:00:02:00 01:00:06:00 01:00:08:00\n"
        "003  A V C 00:00:06:00 00:00:13:07 01:00:08:00 01:00:15:07\n"
    )
    return folder


@pytest.fixture
def stage(cuts, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with offline_time() as clock:
        engine = Engine(OLD_S)
        film = cuts / "reel_v1.mp4"
        engine.film = replace(engine.film, path=str(film), content_key="first cut")
        made = OfflineStage(clock, engine, SessionOptions(str(film), tempo=Brief(bpm=120)), folders=[cuts])
        made.ready()
        made.osc("/cue/hits/add", 3.0, "must", "before")
        made.osc("/cue/hits/add", 10.0, "must", "after")
        made.ready()
        yield made
        made.close()
        for path in cuts.glob("*.json"):
            path.unlink()


def ask(stage, *words):
    """Asks for a recut and waits until it is answered or refused."""
    before = len(stage.answers) + len(stage.refused)
    messages = decode(encode("/cue/conform", words))
    stage.controls.datagram(Datagram(messages, ASKER, stage.session.clock.now()))
    end_s = time.monotonic() + 90.0
    while len(stage.answers) + len(stage.refused) == before:
        assert time.monotonic() < end_s, "neither answered nor refused"
        time.sleep(0.01)
        stage.step()


def rows(stage, address):
    return [values for where, values in stage.answers if where == address]


def struck(session):
    """The notes that are over before the cuts part."""
    last = session.beats_at(FIRST_S) - 4
    return [note for note in session.whole()[1].notes if note.end_beats <= last]


def test_shown_taken_as_one_step_and_taken_back(stage, cuts):
    session = stage.session
    autosave = Autosave(session, cuts / "reel_v1.cuebridge.json", stage.said.append)
    session.leave_cut = autosave.leave_cut
    before, notes = session.document, struck(session)
    ask(stage, "reel_v2.mp4", "show")
    assert not stage.refused and session.document is before
    assert [row[1:5] for row in rows(stage, "/cue/conform/change")] == [
        ("insert", "-", "00:00:06:00 - 00:00:08:00", 48)
    ]  # fmt: skip
    assert [row[:4] for row in rows(stage, "/cue/conform/moved") if row[0] == "hit"] == [
        ("hit", "before", 3.0, 3.0), ("hit", "after", 10.0, 12.0)
    ]  # fmt: skip
    assert [row[0] for row in rows(stage, "/cue/conform/policy")] == ["shift", "ramp", "bars", "beats", "rewrite"]

    stage.answers.clear()
    ask(stage, "reel_v2.mp4", "take", "shift")
    assert not stage.refused and "1 change, 48 frames longer" in rows(stage, "/cue/conform")[0][1]
    stage.engine.film = replace(stage.engine.film, path=str(cuts / "reel_v2.mp4"), content_key="second cut")
    stage.ready()
    assert session.history.undo_label == "conform reel_v2.mp4" and session.film.name == "reel_v2.mp4"
    assert session.document.hits == (Hit(3.0, "must", "before"), Hit(12.0, "must", "after"))
    assert session.analysed.film.duration_s == pytest.approx(OLD_S + 2, abs=0.01)
    assert len(notes) > 15 and struck(session) == notes
    taken = session.document
    assert before.draws.film_seed and taken.draws == before.draws, "a film that is cut again keeps its draws"
    autosave.save_if_changed()
    autosave._jobs.join()
    kept, other = read_session(cuts / "reel_v1.cuebridge.json"), read_session(cuts / "reel_v2.cuebridge.json")
    assert kept.steps[kept.index].document.hits == before.hits and len(other.steps) == len(kept.steps) + 1
    assert other.steps[other.index].document.draws == before.draws
    assert other.reading.film.path.endswith("reel_v2.mp4") and other.steps[0].film.film.path.endswith("reel_v1.mp4")

    stage.osc("/cue/undo")
    stage.ready()
    assert session.document == before and session.film.name == "reel_v1.mp4"
    assert session.analysed.film.duration_s == pytest.approx(OLD_S) and struck(session) == notes
    stage.osc("/cue/redo")
    assert session.document == taken and session.film.name == "reel_v2.mp4"
    moved = cuts / "reel_v1.mp4"
    moved.rename(cuts / "elsewhere.mp4")
    try:
        with pytest.raises(ControlError, match="the cut of that step"):
            session.undo()
        assert session.document == taken, "a cut that is gone cannot come back"
    finally:
        (cuts / "elsewhere.mp4").rename(moved)
    autosave.close()


def test_kept_takes_go_with_the_picture_and_come_back_with_the_old_cut(stage, cuts):
    session = stage.session
    autosave = Autosave(session, cuts / "reel_v1.cuebridge.json", stage.said.append)
    session.leave_cut = autosave.leave_cut
    session.keep_take("mine")
    session.takes.collect(wait=True)
    stage.osc("/cue/take/new")
    stage.ready()
    old = dict(session.takes.table)
    mine = old[0, 1]
    assert mine.kept and len(mine.notes) > 30 and session.document.take == 2
    ask(stage, "reel_v2.mp4", "take", "shift", "v1.edl", "v2.edl")
    assert not stage.refused
    stage.engine.film = replace(stage.engine.film, path=str(cuts / "reel_v2.mp4"))
    stage.ready()
    moved = session.takes.get(0, 1)
    assert set(session.takes.table) == set(old) and moved.kept and moved.name == "mine"
    assert moved.document.result.slots[-1].end_s == pytest.approx(OLD_S + 2, abs=0.05)
    assert 8 <= moved.to_beats <= 12, "its notes up to the title at six seconds"
    autosave.save_if_changed()
    autosave._jobs.join()
    saved = read_session(cuts / "reel_v2.cuebridge.json")
    assert len(saved.takes_aside) == len(old) and {each.cut for each in saved.takes_aside} == {
        saved.steps[0].film.fingerprint
    }
    again = type(session.takes)()
    for each in saved.takes_aside:
        again.put_aside(each.cut, each.cue, each.number, each.take)
    again.change_cut("new", saved.steps[0].film.fingerprint)
    assert again.get(0, 1).notes == mine.notes, "a session that is opened again has the old cut's takes too"

    stage.osc("/cue/take/select", 1)
    stage.ready()
    assert session.document.take == 1 and session.film.name == "reel_v2.mp4"
    kept = [note for note in mine.notes if note.start_beats < moved.to_beats]
    heard = [note for note in session.whole()[1].notes if note.start_beats < moved.to_beats]
    assert len(kept) > 15 and heard == kept
    for _ in range(2):
        stage.osc("/cue/undo")
        stage.ready()
    assert session.film.name == "reel_v1.mp4" and session.takes.table == old
    assert session.takes.get(0, 1) is mine, "as it was, to the note"
    stage.osc("/cue/redo")
    assert session.takes.get(0, 1) == moved
    autosave.close()


def test_by_edls_and_what_is_refused(stage, cuts):
    session = stage.session
    ask(stage, "reel_v2.mp4", "show", "bars bend=4", "v1.edl", "v2.edl")
    assert not stage.refused
    assert [row[3] for row in rows(stage, "/cue/conform/change")] == ["00:00:06:00 - 00:00:08:00"]
    before = session.document
    for words in (("no.mp4",), ("reel_v2.mp4", "take", "9m9=ramp"), ("v1.edl",)):
        stage.refused.clear()
        ask(stage, *words)
        assert len(stage.refused) == 1 and session.document is before, words
    for words in (("reel_v2.mp4", "take", "stretch"), ("reel_v2.mp4", "show", "", "v1.edl"), ("/etc/passwd",)):
        stage.refused.clear()
        ask(stage, *words)
        assert len(stage.refused) == 1, words


def test_an_edit_meanwhile_is_not_lost(stage):
    session = stage.session
    stage.osc("/cue/conform", "reel_v2.mp4", "take")
    stage.osc("/cue/transpose", 3)
    end_s = time.monotonic() + 90.0
    while not stage.refused and time.monotonic() < end_s:
        time.sleep(0.01)
        stage.step()
    assert session.document.value("/cue/transpose") == 3 and session.film.name == "reel_v1.mp4"
    assert any("changed while" in str(each) for each in stage.refused)


def test_words_for_policies_and_the_end(tmp_path):
    words = RecutWords(tmp_path, "bars 1m2=ramp bend=4")
    assert words.flags() == ["--policy", "bars", "--cue", "1m2=ramp", "--bend", "4"]
    for text in ("stretch", "1m2=stretch", "=ramp", "bend=", "bend=much", "bend=nan"):
        with pytest.raises(ControlError):
            RecutWords(tmp_path, text).flags()
    runner = RecutRunner()
    runner.close()
    with pytest.raises(UserError, match="ending"):
        runner._conform(["a", "b"])
