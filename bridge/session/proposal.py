"""The tempo and the cues that a film's plan proposes, taken up by a session that begins: what `compose` would write.

Only what nobody has decided is proposed; what is taken up are settings and cues as if they had been asked for, to be
changed, undone and kept like any.
"""

from __future__ import annotations

from dataclasses import replace

from engine.brief import Brief
from engine.document import CueState, Document
from engine.music import TimeSignature, controls
from engine.music.arguments import Value
from engine.process.messages import AnalyseRequest, Proposal
from engine.process.requests import compose_request, is_planned


def is_undecided(document: Document, asked: Brief) -> bool:
    """Whether a plan may decide the tempo: nobody has said one, nor cues, hits or sections that it would have to meet.

    asked: of time, on the command line.
    """
    said = asked.bpm or asked.tempo_map is not None or asked.grid == "seconds" or document.number_of(controls.TEMPO)
    marks = document.other_cues or document.sections or document.hits or document.result.slots
    return is_planned(document) and not said and not marks


def with_first(request: AnalyseRequest, document: Document, asked: Brief) -> AnalyseRequest:
    """A request to analyse a film, with what will be composed first where a plan may decide its tempo and cues.

    Raises MusicError for a progression or key that cannot be read.
    """
    if not is_undecided(document, asked):
        return request
    wall_to_wall = asked.wall_to_wall or not document.selected.is_default or document.text(controls.PROGRESSION)
    # The session's draws begin when the film's content is known, which is what they will hang on.
    first = replace(compose_request(document, 0, (), {}), film_seed=None, film_seed_since_take=1)
    meter = "" if asked.meter is None else str(asked.meter)
    return replace(request, first=first, meter=meter, proposes_cues=not wall_to_wall)


def taken_up(document: Document, proposal: Proposal, asked: Brief) -> tuple[Document, Brief]:
    """The document with the proposal's tempo and cues; what is asked of time, with its meter."""
    asked = replace(asked, meter=TimeSignature.parse(proposal.meter))
    if not proposal.cues:
        return document.with_value(controls.TEMPO, proposal.bpm), asked
    states = []
    for number, (in_s, out_s, bpm, reason) in enumerate(proposal.cues):
        values: dict[str, Value] = {
            controls.NAME: f"1m{number + 1}", controls.IN: in_s, controls.OUT: out_s, controls.BAR_1: "in",
            controls.TEMPO: bpm, controls.PROPOSED: reason or "proposed",
        }  # fmt: skip
        settings = {**document.selected.settings, **values}
        states.append(CueState(number, settings, document.take))
    return document.with_cues(states, 0), asked
