"""Another tempo: set by hand, told by the DAW's script, or heard from a clock.  Chords keep their picture time.

Times in `_s` are picture seconds; host times `time.perf_counter`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.session.score import label_of
from bridge.session.tempo import TempoChoice, TempoWish, choose_tempo, refit
from engine.document import Document
from engine.music import MusicError, TempoMap, controls, marked
from engine.music.arguments import ControlError

if TYPE_CHECKING:
    from bridge.player.messages import PlayerStatus
    from bridge.session.session import Session

OFF_BEATS: Final = 0.1  # beats that lie so far from the clock's are others
TEMPO_STEADY_S: Final = 1.0  # a clock's tempo has to hold this long before bars follow it


class SessionTempo:
    """Of one session.  daw_map: what a DAW's script said last."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.daw_map: TempoMap | None = None
        self._other_tempo: tuple[float, float] | None = None
        self._agreed = False  # since play began the tempo heard has been ours

    def wish(self, document: Document) -> TempoWish:
        """What the composer wants of time, set by hand or given at the start."""
        return self._wish(document, self._first_tempo(document))

    def _wish(self, document: Document, bpm: float) -> TempoWish:
        wish = replace(self._session.options.tempo, picture_starts_at=document.text(controls.PICTURE_STARTS_AT))
        return replace(wish, bpm=bpm, tempo_map=None) if bpm else wish

    def _ours(self, document: Document) -> bool:
        """Whether the tempo map is our own, so that cues and sections may put their tempo and bars into it."""
        given = self._session.options.tempo.tempo_map is not None and not self._first_tempo(document)
        return self.daw_map is None and not given

    def marked(self, choice: TempoChoice, document: Document) -> TempoChoice:
        """A choice with the bars and tempi of cues and sections in its map.  Raises MusicError."""
        if not self._ours(document) or choice.grid == "seconds":
            return choice
        analysed, film_bpm = self._session.analysed, 0.0
        if document.other_cues and analysed is not None:
            plain = choose_tempo(self._wish(document, 0.0), analysed.film, analysed.cuts)
            film_bpm = plain.tempo_map.bpm_at(0.0)
        marks = document.tempo_marks(film_bpm)
        return replace(choice, tempo_map=marked(choice.tempo_map, marks, choice.picture_starts_at_s))

    def settled(self, document: Document) -> Document:
        """The document on the map that its cues and sections ask for; itself where nothing of that has changed.

        Raises ControlError.
        """
        session = self._session
        before = session.document
        same = document.tempo_marks() == before.tempo_marks() and self._first_tempo(document) == self._first_tempo(
            before
        )
        if same or session.analysed is None:
            return document
        try:
            return self._with_tempo(document) if self._ours(document) else document
        except MusicError as error:
            raise ControlError("bad_value", str(error)) from None

    @staticmethod
    def _first_tempo(document: Document) -> float:
        return document.cue_states[0].number_of(controls.TEMPO)

    def set_picture_start(self, text: str) -> float:
        """Where the film's first frame lies on the timeline."""
        session = self._session
        document = session.document.with_value(controls.PICTURE_STARTS_AT, text)
        if document == session.document:
            return session.transport.soon_s()  # set to what it holds: no step of the undo history
        if session.analysed is not None:
            try:
                document = self._with_tempo(document)
            except MusicError as error:
                raise ControlError("bad_value", str(error)) from None
        session.history.edit(document, label_of(controls.PICTURE_STARTS_AT), time.perf_counter())
        return session.follow_document(None) if session.analysed is not None else session.position_s()

    def _refuse_tempo(self) -> None:
        session = self._session
        if session.document.result.grid == "seconds":
            raise ControlError("not_ready", "the seconds grid has no tempo.")
        if session.options.follows and session.status is not None and session.status.tempo_source not in ("map", ""):
            raise ControlError("not_ready", f"the tempo comes from the DAW ({session.status.tempo_source}).")

    def set_bar_1(self, where: float | str) -> float:
        """Where bar 1 of the selected cue lies: a picture second, `in`, or `timeline` (the bars of the timeline)."""
        session = self._session
        if session.document.value(controls.BAR_1) == where:
            return session.transport.soon_s()
        if where != "timeline":
            self._refuse_tempo()
        document = self.settled(session.document.with_value(controls.BAR_1, where))
        session.history.edit(document, label_of(controls.BAR_1), time.perf_counter(), merge=True)
        if session.analysed is None:
            return session.position_s()
        return session.edits.follow_cue(session.transport.boundary_s("bar"))

    def set_tempo(self, bpm: float) -> float:
        """Quarter notes a minute; 0: what suits the cuts."""
        session = self._session
        self._refuse_tempo()
        document = session.document.with_value(controls.TEMPO, bpm)
        if session.analysed is not None:
            document = self._with_tempo(document)
        session.history.edit(document, label_of(controls.TEMPO), time.perf_counter(), merge=True)
        if session.analysed is None:
            return session.position_s()
        return session.follow_document(session.transport.boundary_s("bar"))

    def use_daw_map(self, tempo_map: TempoMap, who: str) -> None:
        """The DAW's own tempo: chords keep their picture time, beats and bars become the DAW's.  No edit of ours."""
        session = self._session
        if session.document.result.grid == "seconds":
            return
        self.daw_map = tempo_map  # also where it equals the map in force, which may be only the one we began with
        if session.analysed is None or session.choice is None:
            return  # taken up when the film is known
        if tempo_map == session.document.result.tempo_map:
            return
        self._refit_to(tempo_map)
        bpm = tempo_map.bpm_at(session.beats_at(session.position_s()))
        session.say(f"tempo {bpm:g} of {who}; chords keep their place in the picture.")

    def _refit_to(self, tempo_map: TempoMap) -> None:
        session = self._session
        analysed, choice, document = session.analysed, session.choice, session.document
        if analysed is None or choice is None:
            return
        wish = replace(self.wish(document), tempo_map=tempo_map, bpm=None, grid="beats")
        session.choice = choice = choose_tempo(wish, analysed.film, analysed.cuts)
        slots = refit(document.result.slots, "beats", tempo_map, analysed.film.duration_s, choice.picture_starts_at_s)
        session.history.amend(
            replace(
                document,
                result=replace(
                    document.result, slots=slots, tempo_map=tempo_map, grid="beats", starts_s=choice.picture_starts_at_s
                ),
            )
        )
        session.use_map(tempo_map)
        if session.desk.pending is not None:  # what is being composed lies on the old grid
            wish_again = session.desk.pending.wish
            session.desk.cancel()
            session.desk.wish = wish_again
        session.rearrange(session.transport.soon_s() if session.rolling else None)

    def watch(self, now_s: float) -> None:
        """A clock or JACK may say another tempo than ours; once it has said it for a while, its bars become ours."""
        session = self._session
        status = session.status
        if status is None or not session.options.follows or status.tempo_source in ("map", "script", "internal", ""):
            return
        if not status.rolling:  # a tempo set while the DAW stands is that of the whole film, as far as anybody says
            self._other_tempo, self._agreed = None, False
            return
        if status.tempo_bpm <= 0 or session.choice is None:
            return
        ours = session.tempo_map.bpm_at(status.position_beats)
        off = _beats_off(status, session.tempo_map.beats_at(status.position_s))
        same = abs(ours - status.tempo_bpm) < 0.02 * max(ours / 100, 1)
        if same and abs(off) < OFF_BEATS:
            self._other_tempo, self._agreed = None, True
            return
        bpm = ours if same else round(status.tempo_bpm, 2)
        if self._other_tempo is None or abs(self._other_tempo[0] - bpm) > 0.05:
            self._other_tempo = (bpm, now_s)
        elif now_s - self._other_tempo[1] > TEMPO_STEADY_S:
            self._other_tempo = None
            meter = session.tempo_map.meter_at(status.position_beats)
            # It has changed here: this place keeps its beat.  Else the DAW's bar 1 is taken to be where ours is.
            changed_here_s = status.position_s - status.position_beats * 60 / bpm
            origin_s = changed_here_s if self._agreed else self._bar_1_s()
            off = _beats_off(status, (status.position_s - origin_s) * bpm / 60)
            counts_beats = status.position_source == status.tempo_source
            if abs(off) >= OFF_BEATS and not counts_beats:
                origin_s -= off * 60 / bpm
            if self._agreed or (abs(off) >= OFF_BEATS and not counts_beats):
                session.say(
                    f"{status.tempo_source} says {bpm:g}, but not what the tempo was before this place: bars are "
                    "counted from here. A tempo map (--tempo-map) says it for the whole film."
                )
            self._agreed = True
            self.use_daw_map(TempoMap.constant(bpm, meter, round(origin_s, 4)), status.tempo_source)

    def _bar_1_s(self) -> float:
        """Where bar 1 lies before any clock has moved it."""
        session = self._session
        if session.analysed is None:
            return float(session.tempo_map.origin_s)
        plain = choose_tempo(self.wish(session.document), session.analysed.film, session.analysed.cuts)
        return float(plain.tempo_map.origin_s)

    def _with_tempo(self, document: Document) -> Document:
        session = self._session
        analysed = session.analysed
        if analysed is None:
            return document
        wish = self.wish(document)
        if self.daw_map is not None and document.result.grid == "beats":
            wish = replace(wish, tempo_map=self.daw_map, bpm=None)  # the DAW's stays the DAW's
        session.choice = choice = self.marked(choose_tempo(wish, analysed.film, analysed.cuts), document)
        slots = refit(
            document.result.slots, choice.grid, choice.tempo_map, analysed.film.duration_s, choice.picture_starts_at_s
        )
        return replace(
            document,
            result=replace(
                document.result,
                slots=slots,
                tempo_map=choice.tempo_map,
                grid=choice.grid,
                starts_s=choice.picture_starts_at_s,
            ),
        )


def _beats_off(status: PlayerStatus, beats: float) -> float:
    """How far, within a beat either way, the clock's beat lies ahead of ours; 0 where it does not say.

    Only the place within the beat is taken from a clock: some DAWs send song positions that are wrong by whole beats.
    """
    if status.beat_phase is None:
        return 0.0
    return (status.beat_phase - beats + 0.5) % 1.0 - 0.5
