"""Why a chord is there: by the shipped networks, on the stored reading of the bundled clip."""

from __future__ import annotations

import pytest
from golden import stored
from livelab import CLIP

from engine.process.messages import WhyRequest


@pytest.fixture
def live(tmp_path):

    def begin(*words: str):
        return stored.live(str(CLIP), *words, folder=tmp_path, network=True)

    return begin


def why(stage, at_s: float):
    before = len(stage.answers)
    stage.osc("/cue/why", at_s)
    stage.run(0.1)
    found = [values for address, values in stage.answers[before:] if address == "/cue/why"]
    assert len(found) == 1
    return found[0]


def test_the_network_says_what_else_it_thought_of(live) -> None:
    with live("--form", "none") as stage:
        asked = []
        for run in stage.session.runs()[1:6]:
            start_s, _, name, who, weight, *rest = why(stage, run.start_s + 0.1)
            assert (start_s, name) == (pytest.approx(run.start_s), stage.session.document.chord_name(run.chord))
            assert who == "network" and weight == 1.0
            others, lines = rest[:9], rest[9:]
            assert name not in others[0::3] and len(set(others[0::3])) == 3
            assert all(0.0 <= chance <= 1.0 for chance in others[1::3])
            assert lines[0] == f"The network chose {name}." and "decides alone" in lines[1]
            assert "quick reading" in lines[2] and lines[3].startswith("From ")
            asked.append(others)
        assert len(set(map(tuple, asked))) > 1


def test_asking_changes_nothing(live) -> None:
    """The streams of the networks are rewound: what is composed afterwards is what is composed without asking."""
    with live("--form", "none") as stage:
        stage.osc("/cue/take/new")
        stage.ready()
        expected = [slot.chord for slot in stage.session.document.slots]
    with live("--form", "none") as stage:
        for run in stage.session.runs()[1:8:2]:
            why(stage, run.start_s + 0.1)
        stage.osc("/cue/take/new")
        stage.ready()
        assert [slot.chord for slot in stage.session.document.slots] == expected


def test_a_planned_cue_names_cell_and_close(live) -> None:
    with live("--form", "auto") as stage:
        kinds = set()
        blocks = [block for block in stage.session.document.blocks() if not block.chord.is_silence]
        for block in blocks:
            start_s, _, name, who, weight, *rest = why(stage, block.start_s + 0.05)
            kinds.add(who)
            words = next(word for word in rest if isinstance(word, str) and word.startswith(("From the ", "The net")))
            plan = stage.session.document.result.plans[0]
            assert plan.section_at(start_s + 0.05).variant in words
            assert 0.0 <= weight <= 1.0 and name
        assert "cell" in kinds and "cadence" in kinds


def test_what_the_composer_set_needs_no_engine(live) -> None:
    with live("--form", "none", "--progression", "C Am F G") as stage:
        assert why(stage, 1.0)[3] == "given"
        asked = []
        stage.session.send = asked.append
        stage.osc("/cue/chords/pin", "E7", 9.0)
        start_s, end_s, name, who, weight, line, *_ = why(stage, 9.0)
        assert (name, who, weight, line) == ("E7", "typed", 0.0, "You wrote E7 here.")
        stage.osc("/cue/printed/mute", "pad", start_s, end_s)
        assert why(stage, 9.0)[-1] == "In the DAW: pad."
        assert not [message for message in asked if isinstance(message, WhyRequest)]


def test_an_engine_that_does_not_answer_is_waited_for_two_seconds(live) -> None:
    with live("--form", "none") as stage:
        stage.session.send = lambda message: None
        stage.osc("/cue/why", 9.0)
        stage.run(1.5)
        assert not stage.answers
        stage.run(1.0)
        address, values = stage.answers[-1]
        assert address == "/cue/why" and values[3] == "generated" and len(values) > 5


def test_one_semitone_is_one() -> None:
    from engine.document import Document, Result
    from engine.music import Chord, Slot
    from engine.process.why import explained

    slots = tuple(
        Slot(index, 2.0 * index, 2.0 * index + 2.0, 4.0 * index, 4.0 * index + 4.0, Chord.parse(name))
        for index, name in enumerate(("Dm", "Bb", "Fm"))
    )
    document = Document(result=Result(slots=slots))
    said = ["".join(explained(document, block, "").lines) for block in document.blocks()]
    assert "the voices move 1 semitone in all." in said[1] and "From Bb: 1 common tone" in said[2]
