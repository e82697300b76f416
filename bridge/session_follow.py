"""Another tempo: set by hand, told by the DAW's script, or heard from a clock.  Chords keep their picture time.

Times in `_s` are picture seconds; host times `time.perf_counter`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.edits import Draft
from bridge.osc.controls import ControlError
from bridge.session_score import label_of
from bridge.session_tempo import TempoWish, choose_tempo, refit
from engine.music import MusicError, TempoMap

if TYPE_CHECKING:
    from bridge.session import Session

TEMPO_STEADY_S: Final = 1.0  # a clock's tempo has to hold this long before bars follow it


class SessionTempo:
    """Of one session.  daw_map: what a DAW's script said last."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.daw_map: TempoMap | None = None
        self._other_tempo: tuple[float, float] | None = None

    def wish(self, draft: Draft) -> TempoWish:
        """What the composer wants of time, set by hand or given at the start."""
        wish = replace(self._session.options.tempo, picture_starts_at=draft.text("/cue/picture_starts_at"))
        tempo = draft.number("/cue/tempo")
        return replace(wish, bpm=tempo, tempo_map=None) if tempo else wish

    def set_picture_start(self, text: str) -> float:
        """Where the film's first frame lies on the timeline."""
        session = self._session
        draft = session.draft.with_value("/cue/picture_starts_at", text)
        if session.analysed is not None:
            try:
                draft = self._with_tempo(draft)
            except MusicError as error:
                raise ControlError("bad_value", str(error)) from None
        session.history.edit(draft, label_of("/cue/picture_starts_at"), time.perf_counter())
        return session.follow_draft(None) if session.analysed is not None else session.position_s()

    def set_tempo(self, bpm: float) -> float:
        """Quarter notes a minute; 0: what suits the cuts."""
        session = self._session
        if session.draft.result.grid == "seconds":
            raise ControlError("not_ready", "the seconds grid has no tempo.")
        if session.options.follows and session.status is not None and session.status.tempo_source not in ("map", ""):
            raise ControlError("not_ready", f"the tempo comes from the DAW ({session.status.tempo_source}).")
        draft = session.draft.with_value("/cue/tempo", bpm)
        if session.analysed is not None:
            draft = self._with_tempo(draft)
        session.history.edit(draft, label_of("/cue/tempo"), time.perf_counter(), merge=True)
        if session.analysed is None:
            return session.position_s()
        return session.follow_draft(session.transport.boundary_s("bar"))

    def use_daw_map(self, tempo_map: TempoMap, who: str) -> None:
        """The DAW's own tempo: chords keep their picture time, beats and bars become the DAW's.  No edit of ours."""
        session = self._session
        if session.draft.result.grid == "seconds":
            return
        self.daw_map = tempo_map  # also where it equals the map in force, which may be only the one we began with
        if session.analysed is None or session.choice is None:
            return  # taken up when the film is known
        if tempo_map == session.draft.result.tempo_map:
            return
        self._refit_to(tempo_map)
        bpm = tempo_map.bpm_at(session.beats_at(session.position_s()))
        session.say(f"tempo {bpm:g} of {who}; chords keep their place in the picture.")

    def _refit_to(self, tempo_map: TempoMap) -> None:
        session = self._session
        analysed, choice, draft = session.analysed, session.choice, session.draft
        if analysed is None or choice is None:
            return
        wish = replace(self.wish(draft), tempo_map=tempo_map, bpm=None, grid="beats")
        session.choice = choice = choose_tempo(wish, analysed.film, analysed.cuts)
        slots = refit(draft.result.slots, "beats", tempo_map, analysed.film.duration_s, choice.picture_starts_at_s)
        session.history.amend(
            replace(
                draft,
                result=replace(
                    draft.result, slots=slots, tempo_map=tempo_map, grid="beats", starts_s=choice.picture_starts_at_s
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
        if not status.rolling or status.tempo_bpm <= 0 or session.choice is None:
            return
        ours = session.tempo_map.bpm_at(status.position_beats)
        if abs(ours - status.tempo_bpm) < 0.02 * max(ours / 100, 1):
            self._other_tempo = None
            return
        bpm = round(status.tempo_bpm, 2)
        if self._other_tempo is None or abs(self._other_tempo[0] - bpm) > 0.05:
            self._other_tempo = (bpm, now_s)
        elif now_s - self._other_tempo[1] > TEMPO_STEADY_S:
            self._other_tempo = None
            origin_s = status.position_s - status.position_beats * 60 / bpm
            meter = session.tempo_map.meter_at(status.position_beats)
            self.use_daw_map(TempoMap.constant(bpm, meter, round(origin_s, 4)), status.tempo_source)

    def _with_tempo(self, draft: Draft) -> Draft:
        session = self._session
        analysed = session.analysed
        if analysed is None:
            return draft
        session.choice = choice = choose_tempo(self.wish(draft), analysed.film, analysed.cuts)
        slots = refit(
            draft.result.slots, choice.grid, choice.tempo_map, analysed.film.duration_s, choice.picture_starts_at_s
        )
        return replace(
            draft,
            result=replace(
                draft.result,
                slots=slots,
                tempo_map=choice.tempo_map,
                grid=choice.grid,
                starts_s=choice.picture_starts_at_s,
            ),
        )
