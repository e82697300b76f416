"""The film of a running session: another one is loaded, it vanishes, it is moved; the music goes on."""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import replace

import pytest
from offlinelab import hurried

from bridge.controls.dispatch import Controls
from bridge.osc.codec import decode, encode
from bridge.osc.server import Datagram
from bridge.session import film as film_module
from bridge.session.edits.values import set_value
from bridge.session.file import autosave
from bridge.session.file.autosave import Autosave
from engine.document.file import film_file, read_session
from engine.music.arguments import ControlError
from engine.process.messages import AnalyseRequest, ComposeRequest, EngineFailure


@pytest.fixture
def films(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.mp4").write_bytes(name.encode() * 5000)
    return tmp_path


@pytest.fixture
def made(stage, films):
    made = stage(30.0, film=str(films / "one.mp4"))
    session = made.session
    made.autosave = Autosave(session, None, made.said.append)
    session.leave_film, session.look_for_session = made.autosave.leave, made.autosave.look
    yield made
    made.autosave.close()


@pytest.mark.parametrize("disk", ["as it is", "does not answer"])
def test_another_film_is_looked_at_while_this_one_plays_and_nothing_is_lost(made, films, disk, monkeypatch) -> None:
    """A session whose file is still to be written is taken up as it is, not as the file was."""
    session = made.session
    if disk == "does not answer":
        answers, write = threading.Event(), autosave.write_session
        monkeypatch.setattr(autosave, "write_session", lambda *given: answers.wait(20) and write(*given))
    session.edit(set_value, "/cue/progression", "F#m B7")
    session.edit(set_value, "/cue/transpose", 2)
    made.ready()
    session.keep_take("dusk")
    old = session.document
    session.play()
    made.until(lambda: session.position_s() > 0.3)
    made.engine.hold = True
    session.load_film(films / "two.mp4")
    made.engine.film = replace(made.engine.film, path=str(films / "two.mp4"), duration_s=20.0)
    made.run(0.3)
    assert session.rolling and session.document is old and "plays on" in made.said[-1]
    made.engine.inbox.clear()
    made.engine.hold = False
    session.load_film(films / "two.mp4")
    made.until(lambda: session.film.name == "two.mp4" and session.analysed is not None)
    made.ready()
    made.run(0.2)
    assert not session.rolling and not session.takes.any_kept and session.history.undo_count == 0
    assert session.document.text("/cue/progression") == "" and session.document.value("/cue/transpose") == 2
    assert session.analysed.film.duration_s == 20.0 and session.document.result.slots[-1].end_s <= 20.01
    assert [line for line in made.said if "one.cuebridge.json" in line and "two.mp4" in line]
    # and back: the first session is taken up as it was left
    made.engine.film = replace(made.engine.film, path=str(films / "one.mp4"), duration_s=30.0)
    session.load_film(films / "one.mp4")
    made.until(lambda: session.film.name == "one.mp4" and session.analysed is not None)
    made.ready()
    assert (
        session.takes.any_kept and session.history.undo_count and session.document.text("/cue/progression") == "F#m B7"
    )
    assert [slot.chord for slot in session.document.slots] == [slot.chord for slot in old.slots]


def test_another_film_stands_at_its_beginning_before_the_player_says_so(made, films, monkeypatch) -> None:
    """Or a status would name its film beside the second, and so the chord, where the film before stood."""
    session = made.session
    made.ready()
    session.play()
    made.until(lambda: session.position_s() > 0.5)
    places, change = [], session._change_film

    def changes(path) -> None:
        places.append(session.position_s())
        change(path)
        places.append(session.position_s())

    monkeypatch.setattr(session, "_change_film", changes)
    made.engine.film = replace(made.engine.film, path=str(films / "two.mp4"))
    session.load_film(films / "two.mp4")
    made.until(lambda: session.film.name == "two.mp4")
    assert places[0] > 0.5 and places[1] == pytest.approx(0.0, abs=0.01)
    made.run(0.2)
    assert session.position_s() == pytest.approx(0.0, abs=0.01)


def test_while_another_film_is_looked_at_this_one_is_composed_for(made, films, monkeypatch) -> None:
    session = made.session
    sent, send = [], session.send
    monkeypatch.setattr(session, "send", lambda message: (sent.append(message), send(message)))
    made.engine.hold = True
    session.load_film(films / "two.mp4")
    session.edit(set_value, "/cue/mood/dark_light", -60.0)
    made.run(0.5)
    looked, composed = (next(m for m in sent if isinstance(m, kind)) for kind in (AnalyseRequest, ComposeRequest))
    assert looked.beside and looked.path.endswith("two.mp4") and composed.options.dark_light == -60.0
    session.on_engine(EngineFailure(session.film._revision, "two.mp4 is damaged.", film=True))
    assert session.film.known and session.film.name == "one.mp4"
    assert [type(message) for message in sent].count(AnalyseRequest) == 1  # nothing is looked at anew


def test_a_film_that_cannot_be_read_changes_nothing(made, films) -> None:
    session = made.session
    before = session.document
    made.engine.hold = True
    session.load_film(films / "two.mp4")
    session.on_engine(EngineFailure(session.film._revision, "two.mp4 is damaged.", film=True))
    assert session.failure is None and session.film.name == "one.mp4" and session.document is before
    assert "the film stays one.mp4" in made.said[-1]
    with pytest.raises(ControlError, match="no file"):
        session.load_film(films / "three.mp4")
    with pytest.raises(ControlError, match="no file"):  # a name that the system refuses to ask for
        session.load_film(films / ("x" * 300))


@pytest.fixture
def controls(made, films):
    """The session's controls, with what is answered and refused."""
    made.answers, made.refused = [], []
    return Controls(
        made.session,
        lambda target, address, values: made.answers.append((target, address, tuple(values))),
        lambda target, address, code, sentence: made.refused.append((target, address, code, sentence)),
        folders=[films],
    )


def load(controls, film, port: int = 5555) -> None:
    message = decode(encode("/cue/film/load", [str(film)]))
    controls.datagram(Datagram(message, ("127.0.0.1", port), 0.0))


def test_a_film_is_promised_when_it_is_there_and_refused_when_it_cannot_be_had(made, films, controls) -> None:
    """Analysing takes ten seconds: a time said before would be past."""
    session, two, asker = made.session, films / "two.mp4", ("127.0.0.1", 5555)
    session.play()
    made.until(lambda: session.position_s() > 0.3)
    made.engine.hold = True
    load(controls, two)
    made.run(0.2)
    controls.push(lambda target, datagram: None)
    assert made.answers == [(asker, "/cue/film/load", (str(two),))]  # taken, and no time
    session.on_engine(EngineFailure(session.film._revision, "two.mp4 is damaged.", film=True))
    controls.push(lambda target, datagram: None)
    assert made.refused == [(asker, "/cue/film/load", "not_ready", "two.mp4 is damaged; the film stays one.mp4.")]
    made.answers.clear()
    made.refused.clear()
    made.engine.inbox.clear()
    load(controls, two, 5556)
    made.engine.hold = False
    made.engine.film = replace(made.engine.film, path=str(films / "one.mp4"), duration_s=30.0)
    load(controls, films / "one.mp4")  # somebody else wants another one
    made.until(lambda: not session.film.coming)
    controls.push(lambda target, datagram: None)
    assert made.refused == [(("127.0.0.1", 5556), "/cue/film/load", "not_ready", "one.mp4 was asked for later.")]
    assert [values for target, _, values in made.answers if target == asker] == [
        (str(films / "one.mp4"),), (str(films / "one.mp4"), pytest.approx(session.position_s(), abs=0.05))
    ]  # fmt: skip
    assert session.position_s() < 0.1


def test_back_at_a_film_its_session_goes_on_in_the_file_that_was_chosen_for_it(made, films) -> None:
    """By --session or /cue/save, wherever that lies and whatever other sessions lie beside the film."""
    session, chosen = made.session, films / "elsewhere" / "mine.cuebridge.json"
    chosen.parent.mkdir()
    session.edit(set_value, "/cue/transpose", 2)
    made.ready()
    session.film.read_fingerprint()
    made.autosave.save(films / "one.cuebridge.json")
    made.autosave.save(chosen)
    session.edit(set_value, "/cue/transpose", 5)
    made.ready()
    for name, seconds in (("two", 20.0), ("one", 30.0)):
        made.engine.film = replace(made.engine.film, path=str(films / f"{name}.mp4"), duration_s=seconds)
        session.load_film(films / f"{name}.mp4")
        made.until(lambda name=name: session.film.name == f"{name}.mp4" and session.analysed is not None)
        made.autosave._jobs.join()  # so that the file is read, not what waits to be written
        made.ready()
    assert made.autosave.path == chosen and session.document.value("/cue/transpose") == 5
    session.edit(set_value, "/cue/transpose", 7)
    made.autosave.save(None)
    assert read_session(chosen).steps[-1].document.value("/cue/transpose") == 7


def test_music_goes_on_without_its_film_which_is_found_again_by_its_content(made, films, monkeypatch) -> None:
    monkeypatch.setattr("bridge.session.film.RETRY_S", 0.1)
    session = made.session
    session.play()
    made.until(lambda: session.position_s() > 0.3)
    made.engine.hold = True
    shutil.move(films / "one.mp4", films / "renamed.mp4")
    session.film.forget()  # as a new engine would
    session.begin()
    made.engine.inbox.clear()
    sentence = f"There is no file {films / 'one.mp4'}."
    session.on_engine(EngineFailure(session.film._revision, sentence, film=True))
    assert session.failure is None and "plays on" in made.said[-1]
    made.engine.hold = False
    made.until(lambda: session.film.known)
    assert session.film.name == "renamed.mp4" and session.rolling
    session.edit(set_value, "/cue/progression", "F#m B7")
    made.ready()
    assert "B7" in [slot.chord.lead_sheet() for slot in session.document.slots]


class SlowDisk:
    """What reads files waits until it is let go, as on a share whose server is away."""

    def __init__(self, monkeypatch) -> None:
        self.answers, self.asked = threading.Event(), 0
        for module, name in ((autosave, "read_session"), (autosave, "session_file_of"), (film_module, "fingerprint"),
                             (film_module, "find_by_content")):  # fmt: skip
            monkeypatch.setattr(module, name, self._slow(getattr(module, name)))

    def _slow(self, real):
        def waits(*given):
            self.asked += 1
            assert self.answers.wait(20)
            return real(*given)

        return waits


@pytest.fixture
def disk(monkeypatch):
    hurried()
    slow = SlowDisk(monkeypatch)
    yield slow
    slow.answers.set()


def longest_tick_s(made, seconds: float) -> float:
    """Of the turns of so long a play, by the clock on the wall."""
    longest_s, real = 0.0, made.session.tick

    def timed() -> None:
        nonlocal longest_s
        begun_s = time.perf_counter()
        real()
        longest_s = max(longest_s, time.perf_counter() - begun_s)

    made.session.tick = timed
    made.run(seconds)
    del made.session.tick
    return longest_s


def test_a_disk_that_does_not_answer_holds_no_turn_up_while_another_film_comes(made, films, disk) -> None:
    session = made.session
    disk.answers.set()
    session.edit(set_value, "/cue/transpose", 2)
    made.ready()
    made.autosave.save(None)
    session.play()
    made.until(lambda: session.position_s() > 0.3)
    disk.answers.clear()
    asked = disk.asked
    made.engine.film = replace(made.engine.film, path=str(films / "two.mp4"), duration_s=20.0)
    session.load_film(films / "two.mp4")
    assert longest_tick_s(made, 1.0) < 0.2
    assert session.rolling and session.film.name == "one.mp4" and disk.asked > asked  # this film plays on until then
    session.edit(set_value, "/cue/transpose", 3)
    disk.answers.set()
    made.until(lambda: session.film.name == "two.mp4" and session.analysed is not None)
    made.ready()
    assert session.document.value("/cue/transpose") == 3  # carried over
    made.autosave._jobs.join()
    assert read_session(films / "one.cuebridge.json").steps[-1].document.value("/cue/transpose") == 3


def test_a_disk_that_never_answers_is_given_up_and_the_other_film_begins_anew(made, films, disk, monkeypatch) -> None:
    monkeypatch.setattr(autosave, "LOOK_S", 0.3)
    session = made.session
    made.ready()
    made.engine.film = replace(made.engine.film, path=str(films / "two.mp4"), duration_s=20.0)
    session.load_film(films / "two.mp4")
    made.until(lambda: session.film.name == "two.mp4" and session.analysed is not None)
    assert any("does not say whether two.mp4 has a session" in sentence for sentence in made.said)


def test_a_film_that_has_become_a_pipe_is_not_waited_for(made, films) -> None:
    session = made.session
    made.ready()
    (films / "one.mp4").unlink()
    os.mkfifo(films / "one.mp4")
    begun_s = time.perf_counter()
    session.film.arrived()
    assert session.film.read_fingerprint() == "" and time.perf_counter() - begun_s < 2.0
    assert fingerprint_of_a_pipe(films / "one.mp4") is None


def fingerprint_of_a_pipe(path) -> str | None:
    try:
        return film_file.fingerprint(path)
    except OSError:
        return None


def test_looking_for_a_film_that_vanished_waits_for_no_disk(made, films, disk, monkeypatch) -> None:
    monkeypatch.setattr("bridge.session.film.RETRY_S", 0.05)
    disk.answers.set()
    session = made.session
    made.ready()
    session.play()
    disk.answers.clear()
    (films / "one.mp4").rename(films / "moved.mp4")
    session.film.failed(EngineFailure(0, "There is no film.", film=True), session.clock.now())
    assert longest_tick_s(made, 0.5) < 0.2 and session.rolling
    disk.answers.set()
    made.until(lambda: session.film.name == "moved.mp4")
