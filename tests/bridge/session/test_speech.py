"""`/cue/speech auto` and `--speech auto`: the lines that are heard in the film, taken by a running session."""

from __future__ import annotations

import pytest
from offlinelab import OfflineStage, offline_time
from sessionlab import Engine

from bridge.commands.live_options import parse
from bridge.session.film import carried
from bridge.session.session import SessionOptions
from engine.document import Document
from engine.music import UserError, controls, extras
from engine.process.messages import FilmHeard

LINES = ((2.0, 4.5), (7.0, 9.25))


@pytest.fixture
def staged(monkeypatch):
    """Stages by what was asked for at the start; `dialogue` is there."""
    monkeypatch.setattr(extras, "has_extra", lambda extra: True)
    with offline_time() as clock:
        made = []

        def stage(**options) -> OfflineStage:
            made.append(OfflineStage(clock, Engine(20.0), SessionOptions("film.mp4", **options)))
            made[-1].ready()
            return made[-1]

        yield stage
        for each in made:
            each.close()


def hear(stage: OfflineStage, speech=LINES, fault: str = "") -> None:
    stage.session.on_engine(FilmHeard(stage.session.film._revision, speech, (), (-20.0,), fault))
    stage.ready()


def refusal(stage: OfflineStage) -> str:
    with pytest.raises(AssertionError):
        stage.osc("/cue/speech", "auto")
    return stage.refused[-1][2]


def tune_inside(stage: OfflineStage) -> int:
    document, plan = stage.session.document, stage.session.plan
    assert document.result.complete
    seconds = [document.result.tempo_map.seconds_at(note.start_beats) for note in plan.notes if note.part == "melody"]
    assert seconds
    return sum(low <= at - stage.session.starts_s < high for at in seconds for low, high in LINES)


def test_of_the_command_line_they_are_taken_once_the_film_was_listened_to(staged) -> None:
    stage = staged(takes_speech=True)
    stage.osc("/cue/speech/leave_room", "gentle")
    stage.run(1.0)
    assert stage.session.document.text(controls.SPEECH) == "" and tune_inside(stage) > 0
    hear(stage)
    assert stage.session.document.text(controls.SPEECH) == "2-4.50 7-9.25"
    assert stage.said[-1] == "lines of speech heard in film.mp4: 2, 4.8 s."
    stage.run(1.0)
    assert tune_inside(stage) == 0, "room is left for them"
    stage.osc("/cue/undo")
    assert stage.session.document.text(controls.SPEECH) == "", "one step of undo"
    hear(stage)
    assert stage.session.document.text(controls.SPEECH) == "", "they are taken once"


def test_by_osc_they_are_taken_at_once_where_they_are_known(staged) -> None:
    stage = staged()
    hear(stage)
    assert stage.session.document.text(controls.SPEECH) == "", "what is only heard changes nothing"
    stage.osc("/cue/speech", "auto")
    address, values = stage.answers[-1]
    assert address == "/cue/speech" and values[0] == "2-4.50 7-9.25" and not stage.refused


def test_by_osc_they_are_waited_for_and_lines_set_meanwhile_stay(staged) -> None:
    stage = staged()
    stage.osc("/cue/speech", "auto")
    assert "listened to" in stage.said[-1] and not stage.refused
    stage.osc("/cue/speech", "1-2")
    hear(stage)
    assert stage.session.document.text(controls.SPEECH) == "1-2" and "stay" in stage.said[-1]
    stage.osc("/cue/speech", "auto")
    assert stage.session.document.text(controls.SPEECH) == "2-4.50 7-9.25"


def test_trying_it_changes_nothing(staged) -> None:
    stage = staged()
    stage.controls.tried("/cue/speech", ["auto"])
    hear(stage)
    stage.controls.tried("/cue/speech", ["auto"])
    assert stage.session.document.text(controls.SPEECH) == ""


@pytest.mark.parametrize(
    ("speech", "fault", "sentence"),
    [
        (None, "the sound of film.mp4 cannot be read (damaged).", "the sound of film.mp4 cannot be read (damaged)."),
        (None, "", "start again"),
    ],
)
def test_a_film_that_nobody_could_listen_to_is_one_sentence(staged, speech, fault, sentence) -> None:
    stage = staged(takes_speech=True)
    hear(stage, speech, fault)
    assert sentence in stage.said[-1] and stage.session.document.text(controls.SPEECH) == ""
    assert sentence in refusal(stage)


def test_without_the_extra_it_is_refused_and_the_lines_stay(staged, monkeypatch, tmp_path) -> None:
    stage = staged()
    stage.osc("/cue/speech", "1-2")
    monkeypatch.setattr(extras, "has_extra", lambda extra: extra != "dialogue")
    assert "cuebridge[dialogue]" in refusal(stage)
    hear(stage, None)
    assert "cuebridge[dialogue]" in refusal(stage) and stage.session.document.text(controls.SPEECH) == "1-2"
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    with pytest.raises(UserError, match=r"cuebridge\[dialogue\]"):
        parse([str(film), "--speech", "auto"])


def test_the_flag_and_another_film(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(extras, "has_extra", lambda extra: True)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    plan = parse([str(film), "--speech", "auto", "--leave-room", "strict"])
    assert plan.session.takes_speech and plan.session.document.text(controls.SPEECH) == ""
    assert not parse([str(film), "--speech", "1-2"]).session.takes_speech
    of_one = Document().with_value(controls.SPEECH, "1-2").with_value(controls.LEAVE_ROOM, "strict")
    of_another = carried(of_one)
    assert of_another.text(controls.SPEECH) == "" and of_another.text(controls.LEAVE_ROOM) == "strict"
