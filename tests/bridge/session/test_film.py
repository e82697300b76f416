"""The film of a running session: another one is loaded, it vanishes, it is moved; the music goes on."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace

import pytest

from bridge.controls.dispatch import Controls
from bridge.osc.codec import decode, encode
from bridge.osc.server import Datagram
from bridge.session.edits.values import set_value
from bridge.session.file import autosave
from bridge.session.file.autosave import Autosave
from engine.document.file import read_session
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
    session.leave_film = made.autosave.leave
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
