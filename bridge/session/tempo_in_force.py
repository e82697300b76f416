"""The tempo map in force: who gave it, and what the player has of it.

Each call returns the document on the new map; the session puts it in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.session.clock_tempo import NO_CLOCK, ClockMap, ClockTempo
from bridge.session.edits import tempo
from bridge.session.now import Now, Timing
from engine.brief import Brief
from engine.document import Document, TempoChoice, TempoOrigin
from engine.music import Hit, TempoMap
from engine.music.controls import TEMPO


class TempoInForce:
    """asked: the command line, with what the film's markers and the proposal for it add.  follows: position and tempo
    come from a DAW.

    map: that the player has, None before the film is known.  reason: why it is this one, in a sentence.  origin: who
    chose it.
    """

    def __init__(self, player: PlayerLink, asked: Brief, *, follows: bool) -> None:
        self._player = player
        self.asked = self._command_line = asked
        self._follows = follows
        self._daw_map: TempoMap | None = None  # what a DAW's script or clock said last
        self._clock = ClockTempo()
        self._revision = 0
        self.map: TempoMap | None = None
        self.reason = ""
        self.origin = TempoOrigin()

    def use(self, tempo_map: TempoMap) -> None:
        """The player counts on this map from now on."""
        if tempo_map != self.map:
            self.map = tempo_map
            self._revision += 1
            self._player.set_tempo_map(tempo_map, self._revision)

    @property
    def is_ours(self) -> bool:
        """Whether no clock of a DAW and no map of its script decides."""
        return self._daw_map is None and (not self._follows or self._player.sync.tempo in ("map", "script"))

    def timing(self, status: PlayerStatus) -> Timing:
        """Who decides the tempo, for an edit."""
        return Timing(self.asked, self._daw_map, status.tempo_source if self._follows else "")

    def choice(self, document: Document) -> TempoChoice:
        """The tempo map and grid in force, and why."""
        result = document.result
        return TempoChoice(result.tempo_map, result.grid, result.starts_s, self.reason, self.origin)

    def meet(self, hits: tuple[Hit, ...]) -> None:
        """The tempo is to suit these, where none is asked for.  Hits that come later move nothing: a tempo that was
        heard changes only when that is asked for."""
        self.asked = replace(self.asked, hits=hits)

    def leave_film(self) -> None:
        """One film's hits and proposals are not the next one's."""
        self.asked = self._command_line

    def choose(self, document: Document, now: Now) -> Document:
        """A document of a film that has just been analysed, on the map that suits it.  Raises MusicError."""
        choice = tempo.choice_of(document, now)
        self.reason = choice.reason
        self.origin = TempoOrigin(bool(self.asked.bpm) or self.asked.tempo_map is not None)
        return tempo.on_map(document, choice, now)

    def propose(self, document: Document, reason: str) -> None:
        """The tempi of a document's cues are those that the film's plan proposes, and why."""
        tempi = ((state.number, state.number_of(TEMPO)) for state in document.cue_states)
        self.reason, self.origin = reason, TempoOrigin(proposed=tuple(each for each in tempi if each[1]))

    def restore(self, choice: TempoChoice) -> None:
        """The choice of a session that was kept."""
        self.reason, self.origin = choice.reason, choice.origin

    def follow_daw(self, document: Document, tempo_map: TempoMap, now: Callable[[], Now]) -> Document | None:
        """The document on the DAW's own map; None where nothing changes.  Before the film is known the map is kept."""
        if document.result.grid == "seconds":
            return None
        self._daw_map = tempo_map  # also where it equals the map in force, which may be only the one we began with
        moment = now()
        if moment.film is None or tempo_map == document.result.tempo_map:
            return None
        choice = tempo.choice_of_daw(document, moment, tempo_map)
        self.reason, self.origin = choice.reason, TempoOrigin(asked=True)
        return tempo.on_map(document, choice, moment)

    def measured(
        self, document: Document, status: PlayerStatus, now: Callable[[], Now], host_s: float
    ) -> ClockMap | None:
        """The tempo of a MIDI clock or of JACK, once it has been another one for a while."""
        if not self._follows or status.tempo_source in NO_CLOCK:
            return None

        def first_bar_1_s() -> float:
            """Timeline second of bar 1 before any clock has moved it."""
            return float(tempo.choice_as_asked(document, now()).tempo_map.origin_s)

        return self._clock.watch(status, self.map or document.result.tempo_map, first_bar_1_s, host_s)
