"""Session files: what is restored, what plays without an engine, what damage says, what a kill leaves."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from offlinelab import OfflinePlayer
from profiles import count

from bridge.player.messages import PlayerOptions
from bridge.session.edits import chords, marks
from bridge.session.edits.values import set_value
from bridge.session.file.autosave import Autosave, saved_state
from bridge.session.file.find import find_film, session_file_of, session_path
from bridge.session.session import Session, SessionOptions
from engine.arrange.score import arrange_whole
from engine.document.file import SessionError, SessionWriter, read_session, write_session
from engine.document.file.film_file import fingerprint
from engine.music import Chord
from engine.process.messages import EngineReady

ROOT = Path(__file__).resolve().parents[4]


def notes_of(session):
    return sorted(arrange_whole(session.score()).notes, key=lambda note: (note.start_beats, note.channel, note.pitch))


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 1000)
    return path


@pytest.fixture
def busy(stage):
    """A session with edits of every kind."""
    made = stage(30.0)
    session = made.session
    session.edit(set_value, "/cue/transpose", 3)
    session.edit(chords.pin, Chord.parse("F#m7b5/C"), 9.0)
    session.edit(marks.add_hit, 7.0, "must", "door")
    session.edit(marks.add_section, 14.0, "activity=20; pattern=1 * 2 *", "calm", True)
    session.edit(set_value, "/cue/progression", "| Cm | Ab Eb |")
    made.ready()
    made.until(lambda: session.composing.queued is None and session.composing.in_flight is None)
    session.keep_take("dawn")
    session.new_take()
    made.ready()
    made.until(lambda: session.composing.queued is None and session.composing.in_flight is None)
    session.edit(set_value, "/cue/activity", 80.0)
    session.undo()
    return made


def test_what_is_read_is_what_was_written(busy, tmp_path, film) -> None:
    saved = saved_state(busy.session, fingerprint(film))
    path = tmp_path / "a.cuebridge.json"
    write_session(path, SessionWriter().encode(saved))
    back = read_session(path)
    assert back.index == saved.index and back.takes == saved.takes and back.tempo == saved.tempo
    assert [step.document for step in back.steps] == [step.document for step in saved.steps]
    assert [step.label for step in back.steps] == [step.label for step in saved.steps]
    assert back.reading == saved.reading
    assert json.loads(path.read_text())["format"] == "cuebridge-session"


@pytest.mark.parametrize("engine", ["absent", "other weights"])
def test_a_restored_session_plays_note_for_note(busy, clock, tmp_path, film, engine) -> None:
    expected, kept = notes_of(busy.session), busy.session.takes.get(0, 1).notes
    path = tmp_path / "a.cuebridge.json"
    write_session(path, SessionWriter().encode(saved_state(busy.session, fingerprint(film))))
    requests: list = []
    player = OfflinePlayer(PlayerOptions(), clock)
    session = Session(SessionOptions(str(film)), player, requests.append)
    session.restore(read_session(path))
    session.begin()
    if engine == "other weights":
        session.on_engine(EngineReady(1, "x", ("amt 0000",)))
    end = time.perf_counter() + 5
    while time.perf_counter() < end and not (session.plan.complete and not session.plan.busy):
        session.tick()
    assert notes_of(session) == expected
    assert sorted(session.plan.notes, key=str) == sorted(expected, key=str)
    session.select_take(1)
    while time.perf_counter() < end and not (session.plan.complete and not session.plan.busy):
        session.tick()
    assert sorted(session.plan.notes, key=str) == sorted(kept, key=str)
    session.play()
    while time.perf_counter() < end and session.position_s() < 1.0:
        session.tick()
        player.advance(0.01)
    heard = {(event.data1, event.data2) for event in session.recorder.events if event.status & 0xF0 == 0x90}
    assert heard and heard <= {(note.pitch, note.velocity) for note in kept}
    session.undo()
    assert notes_of(session) == expected
    assert not [message for message in requests if hasattr(message, "tempo_map")]  # nothing was composed


def test_the_notes_of_a_kept_take_are_played_even_if_the_arranger_has_learnt_better(busy) -> None:
    session = busy.session
    session.select_take(1)
    kept = session.takes.get(0, 1)
    other = tuple(replace(note, velocity=max(note.velocity - 1, 1)) for note in kept.notes)
    session.takes.put(0, 1, replace(kept, notes=other))
    session.rearrange()
    busy.ready()
    assert sorted(session.plan.notes, key=str) == sorted(other, key=str)
    session.edit(set_value, "/cue/transpose", 0)  # an edit leaves the kept take
    busy.ready()
    assert sorted(session.plan.notes, key=str) != sorted(other, key=str)


def test_damage_is_one_sentence(busy, tmp_path, film) -> None:
    text = SessionWriter().encode(saved_state(busy.session, fingerprint(film)))
    path = tmp_path / "a.cuebridge.json"
    rng = random.Random(2)
    for number in range(400):
        damaged = bytearray(text)
        if number % 2:
            del damaged[rng.randrange(len(damaged)) :]
        else:
            for _ in range(rng.randrange(1, 4)):
                damaged[rng.randrange(len(damaged))] = rng.choice(b'0-"[]{},xe9')
        path.write_bytes(bytes(damaged))
        try:
            read_session(path)
        except SessionError as error:
            assert "\n" not in str(error) and str(error).endswith(".")
    for bad in ("", "[]", "{}", '{"format":"cuebridge-session","version":99}', "[" * 100_000):
        path.write_text(bad)
        with pytest.raises(SessionError):
            read_session(path)


def test_a_moved_film_is_found_by_its_content(busy, tmp_path, film) -> None:
    saved = saved_state(busy.session, fingerprint(film))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    session = folder / "a.cuebridge.json"
    assert find_film(saved, session) is None
    (folder / "other.mp4").write_bytes(b"x" * 256_000)
    (folder / "renamed.mov").write_bytes(film.read_bytes())
    assert find_film(saved, session) == folder / "renamed.mov"


def test_no_session_is_written_over_another(film) -> None:
    first = session_path(film)
    first.write_text("{}")
    assert session_path(film) != first


def test_nothing_is_written_before_something_is_decided(stage, film) -> None:
    made = stage(12.0)
    made.session.film.path = film
    said: list[str] = []
    autosave = Autosave(made.session, None, said.append)
    autosave.save_if_changed()
    assert autosave.path is None
    made.session.edit(set_value, "/cue/swing", 60.0)
    autosave.tick(time.perf_counter())
    autosave.close()
    assert autosave.path is not None and read_session(autosave.path).steps[-1].document.number_of("/cue/swing") == 60.0
    assert said and str(autosave.path) in said[0]


# Each line that it reads starts another writer, in a process of its own without another start of Python.
SAVER = """
import os, sys, itertools
from pathlib import Path
from engine.document.file import SessionWriter, read_session, write_session
from dataclasses import replace
path = Path(sys.argv[1])
for _ in sys.stdin:
    child = os.fork()
    if child:
        print("writer", child, flush=True)
        os.waitpid(child, 0)
        print("end", flush=True)
        continue
    saved, writer = read_session(path), SessionWriter()
    for number in itertools.count(1):
        steps = (replace(saved.steps[0], label=f"edit {number}"), *saved.steps[1:])
        write_session(path, writer.encode(replace(saved, steps=steps)))
        os.write(1, f"saved {number}\\n".encode())
"""


@pytest.mark.slow
def test_killed_again_and_again_while_saving_the_file_is_always_whole(busy, tmp_path, film) -> None:
    path = tmp_path / "a.cuebridge.json"
    write_session(path, SessionWriter().encode(saved_state(busy.session, fingerprint(film))))
    rng = random.Random(7)
    with subprocess.Popen(
        [sys.executable, "-c", SAVER, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as program:  # fmt: skip
        for _ in range(count(50)):
            program.stdin.write("\n")
            program.stdin.flush()
            lines = [program.stdout.readline(), program.stdout.readline()]  # the writer's number, its first save
            time.sleep(rng.uniform(0, 0.02))
            os.kill(next(int(line.split()[1]) for line in lines if line.startswith("writer")), signal.SIGKILL)
            lines += iter(program.stdout.readline, "end\n")
            said = [int(line.split()[1]) for line in lines if line.startswith("saved")]
            # At most the save that was under way is missing.
            assert said and int(read_session(path).steps[0].label.split()[1]) >= said[-1]
        program.stdin.close()


def autosave_of(busy, film, path=None):
    said: list[str] = []
    busy.session.film.path = film
    busy.session.film.fingerprint = fingerprint(film)
    busy.session.film.analysed = replace(
        busy.session.analysed, film=replace(busy.session.analysed.film, path=str(film))
    )
    return Autosave(busy.session, path, said.append), said


def settled(autosave, met, host_s=1000.0):
    end = time.monotonic() + 10  # of the thread that writes
    while not met():
        assert time.monotonic() < end
        host_s += 1.0
        autosave.tick(host_s)
        time.sleep(0.02)


def test_two_programs_at_one_session_keep_both(busy, film) -> None:
    path = film.with_name("film.cuebridge.json")
    autosave, said = autosave_of(busy, film)
    settled(autosave, path.exists)
    settled(autosave, lambda: autosave._jobs.empty() and autosave._seen.get(path) is not None)
    theirs = path.read_text() + " "
    path.write_text(theirs)  # the other program
    busy.session.edit(set_value, "/cue/transpose", 5)
    other = film.with_name("film-2.cuebridge.json")
    settled(autosave, lambda: other.exists() and autosave.path == other)
    autosave.close()
    assert path.read_text() == theirs and read_session(other).steps and "another program" in said[-1]


def test_an_answer_about_a_film_that_was_left_saves_no_other_film_there(busy, film) -> None:
    """The disk is slow: asked to save, another film is loaded before the answer is read."""
    made, _ = autosave_of(busy, film)
    try:
        other = film.with_name("other.mp4")
        other.write_bytes(b"another film" * 500)
        target, answered = film.with_name("mine.cuebridge.json"), []
        made.save_later(target, answered.append)
        made._jobs.join()
        made.leave(other)
        made.tick(1e9)
        assert answered == [target] and made.path != target
    finally:
        made.close()


def test_what_could_not_be_written_is_tried_again(busy, film, monkeypatch) -> None:
    def full(path, text):
        raise SessionError(f"the session cannot be written to {path}: No space left on device.")

    monkeypatch.setattr("bridge.session.file.autosave.write_session", full)
    autosave, said = autosave_of(busy, film)
    settled(autosave, lambda: any("No space" in line for line in said))
    monkeypatch.setattr("bridge.session.file.autosave.write_session", write_session)
    settled(autosave, film.with_name("film.cuebridge.json").exists)  # without another edit
    autosave.close()
    assert sum("No space" in line for line in said) == 1


def test_a_version_is_not_saved_over_another_file(busy, film) -> None:
    autosave, _ = autosave_of(busy, film)
    foreign = film.with_name("notes.cuebridge.json")
    foreign.write_text("mine")
    with pytest.raises(SessionError, match="another name"):
        autosave.save(foreign)
    assert foreign.read_text() == "mine"
    version = film.with_name("v2.cuebridge.json")
    assert autosave.save(version) == version and autosave.save(version) == version
    autosave.close()


def test_the_session_of_a_film_is_not_that_of_one_whose_name_goes_on(film) -> None:
    names = [f"reel1{end}.cuebridge.json" for end in ("", "-2", "0", "_old")]
    for second, name in enumerate(names):
        film.with_name(name).write_text("{}")
        os.utime(film.with_name(name), (second, second))
    assert session_file_of(film.with_name("reel1.mp4")) == film.with_name("reel1-2.cuebridge.json")


def test_where_no_folder_takes_the_session_one_sentence_says_so(busy, film, monkeypatch) -> None:
    blocked = film.with_name("a file, no folder")
    blocked.write_text("")
    monkeypatch.setattr("bridge.session.file.find.user_folder", lambda: blocked / "sessions")
    monkeypatch.setattr("os.access", lambda *_: False)
    autosave, said = autosave_of(busy, film)
    settled(autosave, lambda: bool(said))
    autosave.close()
    assert "neither beside the film" in said[0]


def test_a_save_that_fails_leaves_saving_on(busy, film) -> None:
    autosave, _ = autosave_of(busy, film)
    settled(autosave, film.with_name("film.cuebridge.json").exists)
    with pytest.raises(SessionError):
        autosave.save(film.with_name("no folder") / "v2.cuebridge.json")
    busy.session.edit(set_value, "/cue/transpose", -7)
    autosave.close()
    saved = read_session(film.with_name("film.cuebridge.json"))
    assert saved.steps[saved.index].document.number_of("/cue/transpose") == -7


def test_what_is_not_saved_at_the_end_is_said(busy, film, monkeypatch) -> None:
    autosave, said = autosave_of(busy, film)
    settled(autosave, film.with_name("film.cuebridge.json").exists)

    def full(path, data):
        raise SessionError(f"the session cannot be written to {path}: No space left on device.")

    monkeypatch.setattr("bridge.session.file.autosave.write_session", full)
    busy.session.edit(set_value, "/cue/transpose", -7)
    autosave.close()
    assert "not saved" in said[-1]


def test_the_takes_of_another_run_are_overwritten_only_when_that_is_said_and_then_kept_beside(busy, film) -> None:
    version = film.with_name("v1.cuebridge.json")
    other, _ = autosave_of(busy, film, film.with_name("other.cuebridge.json"))
    other.save(version)
    other.close()
    theirs = version.read_bytes()
    autosave, said = autosave_of(busy, film)
    busy.session.edit(set_value, "/cue/transpose", 1)
    with pytest.raises(SessionError, match="replace"):
        autosave.save(version)
    assert version.read_bytes() == theirs
    assert autosave.save(version, replace=True) == version and version.read_bytes() != theirs
    assert film.with_name("v1.cuebridge.json.bak").read_bytes() == theirs and ".bak" in said[-1]
    assert autosave.save(version) == version  # its own by now
    autosave.close()


def test_a_session_that_is_refused_is_not_touched_and_ends_nothing(busy, film) -> None:
    beside = film.with_name("other.cuebridge.json")
    text = json.loads(SessionWriter().encode(saved_state(busy.session, "0")))
    text["steps"][0]["document"]["settings"] = [1]
    beside.write_text(json.dumps(text))
    before = beside.read_bytes()
    autosave, said = autosave_of(busy, film)
    assert autosave.leave(film.with_name("other.mp4"))[1] is None and "stays as it is" in said[-1]
    busy.session.film.path = film.with_name("other.mp4")
    busy.session.edit(set_value, "/cue/transpose", 2)
    autosave.save_if_changed()
    autosave.close()
    assert beside.read_bytes() == before and autosave.path == film.with_name("other-2.cuebridge.json")


@pytest.mark.parametrize("name", [b"f\xfcr.mp4", b"x" * 240 + b".mp4", "ü".encode() * 110 + b"\xff.mp4"])
def test_a_film_with_any_name_has_its_session_in_the_users_folder(busy, tmp_path, monkeypatch, name) -> None:
    monkeypatch.setattr("bridge.session.file.find.user_folder", lambda: tmp_path / "data")
    film = tmp_path / os.fsdecode(name)
    film.write_bytes(b"film" * 1000)
    autosave, _ = autosave_of(busy, film)
    settled(autosave, lambda: autosave.path is not None and autosave.path.exists())
    autosave.close()
    assert autosave.path.parent == tmp_path / "data" and session_file_of(film) == autosave.path
    assert os.fsencode(find_film(read_session(autosave.path), autosave.path)) == os.fsencode(film)


def test_where_the_films_folder_refuses_the_file_the_users_folder_takes_it(busy, film, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("bridge.session.file.find.user_folder", lambda: tmp_path / "data")

    def refusing(path, data):
        if path.parent == film.parent:
            raise SessionError(f"the session cannot be written to {path}: Permission denied.", never=True)
        write_session(path, data)

    monkeypatch.setattr("bridge.session.file.autosave.write_session", refusing)
    autosave, said = autosave_of(busy, film)
    settled(autosave, lambda: autosave.path is not None and autosave.path.exists())
    autosave.close()
    assert autosave.path.parent == tmp_path / "data" and str(autosave.path) in said[-1]


@pytest.mark.parametrize(
    "settings",
    [
        {"/cue/pattern": "1 z 2"},
        {"/cue/part/pad/low": 70, "/cue/part/pad/high": 40},
        {"/cue/swing": 500},
        {"/cue/picture_starts_at": "99:99"},
        {"/cue/picture_starts_at": "01:00:00:28", "/cue/frame_rate": "25"},
    ],
)
def test_settings_that_no_arranger_can_use_are_refused_before_they_are_played(busy, film, settings) -> None:
    beside = film.with_name("other.cuebridge.json")
    values = json.loads(SessionWriter().encode(saved_state(busy.session, fingerprint(film))))
    values["steps"][1]["document"]["settings"] = settings
    beside.write_text(json.dumps(values))
    film.with_name("other.mp4").write_bytes(film.read_bytes())
    autosave, said = autosave_of(busy, film)
    assert autosave.leave(film.with_name("other.mp4"))[1] is None and "damaged" in said[-1]
    autosave.close()
