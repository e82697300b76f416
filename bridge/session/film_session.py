"""The film of a running session: how it arrives, is exchanged or fails, and what of it decides tempo and cues.

A session that was kept begins with its film as it was analysed then; both ways end in a document that can be composed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from bridge.session.aside import TakesAside
from bridge.session.editing import EditedSession
from bridge.session.edits import Edit, printed
from bridge.session.edits.values import set_value
from bridge.session.film import FilmOutcome, analysed_of, carried
from bridge.session.history import History
from bridge.session.pieces import in_pieces
from bridge.session.progress import Phase, Progress
from bridge.session.proposal import is_undecided, taken_up, with_first
from bridge.session.takes import Takes
from engine.document import FilmReading, SavedSession
from engine.document.takes import in_order
from engine.interchange.rules import Mapping, table
from engine.music import Film, TempoMap, UserError, controls
from engine.music.arguments import ControlError
from engine.music.extras import need_extra
from engine.music.speech import speech_text
from engine.process.messages import Cancel, EngineFailure, FilmAnalysed, FilmHeard
from engine.process.requests import recipe

FOLLOW_S: Final = 0.005  # processor time of one turn for the map of a DAW


class FilmSession(EditedSession):
    """A session whose film comes from the engine or from a file, and may be exchanged."""

    # Puts the session away before another film comes: where it is kept, and the other film's session if it has one.
    leave_film: Callable[[Path], tuple[Path | None, SavedSession | None]] = staticmethod(lambda film: (None, None))
    # Puts the session of the old cut away before it goes on with another cut, in another file.
    leave_cut: Callable[[], None] = staticmethod(lambda: None)

    # Looks for the other film's session, beside the loop; whether that is done, asked again until it is.
    look_for_session: Callable[[Path], bool] = staticmethod(lambda film: True)
    _arrived: FilmAnalysed | None = None  # another film, whose session is still being looked for
    _map_next: tuple[TempoMap, str] | None = None  # the DAW's, and who says it, to be followed
    _map_coming: Iterator[bool] | None = None  # what is being put on it

    def begin(self) -> None:
        """Asks for the film at once: it is analysed while the networks load."""
        request = self.film.request()
        if request is not None:
            first = self.film.coming is None and self.analysed is None and self.tempo.is_ours and self.markers is None
            self.send(with_first(request, self.document, self.tempo.asked) if first else request)
        if self.analysed is not None:  # a session that was kept
            try:
                mapping = self._markers_asked(self.analysed.film)
                if mapping is not None:
                    self._take_markers(mapping, self.analysed.film)
            except UserError as error:
                self.failure = str(error)

    def load_film(self, path: Path) -> None:
        """Another film in place of this one, which plays on until the other is analysed; `film.outcomes` then says what
        became of it.  Raises ControlError."""
        self.say(self.film.load(path))
        self.progress = Progress(Phase.ANALYSE, 0.0, f"analysing {path.name}")
        self.begin()

    def _film_analysed(self, message: FilmAnalysed) -> None:
        if not self.film.is_expected(message):
            return
        if self.film.coming is not None:
            if not self.look_for_session(self.film.coming):
                self._arrived = message
                return
            self._change_film(self.film.coming)
        self.film.arrived()
        if self.analysed is not None:  # a new engine had to analyse it again, or the session was restored
            self._ready_again()
            return
        if self.transport.from_s >= message.film.duration_s:
            self.failure = (
                f"--from {self.transport.from_s:g} lies after the film's end ({message.film.duration_s:g} s)."
            )
            return
        self.progress = Progress(Phase.COMPOSE, 0.0, "composing")
        self.film.analysed = message
        for sentence in (*message.notes, f"picture reading {message.reading}: {message.reason.rstrip('.')}."):
            self.say(sentence)
        try:
            mapping = self._markers_asked(message.film)
            if mapping is not None:
                self.tempo.meet(mapping.hits)
            undecided = mapping is None and is_undecided(self.document, self.tempo.asked)
            proposal = message.proposal if undecided else None
            if proposal is not None:
                document, self.tempo.asked = taken_up(self.document, proposal, self.tempo.asked)
                self.amend(document)
            document = self.tempo.choose(self.document, self.now())
            if proposal is not None:
                self.tempo.propose(document, f"tempo {proposal.reason}.")
            self.say(self.tempo.reason)
            if proposal is not None and proposal.cues:
                count = len(proposal.cues)
                self.say(f"{count} cues are proposed; accept, move or refuse them, or begin with --wall-to-wall.")
            self.amend(replace(document, draws=document.draws.begun(message.film.content_key, document.take)))
            self.tempo.use(document.result.tempo_map)
            self._place(self.options.loop)
            if mapping is not None:
                self._take_markers(mapping, message.film)
            if self.composing.idle and recipe(self.document) != self.document.result.recipe:
                self._ask(Edit(self.document, ""), "first composition")
        except UserError as error:
            self.failure = str(error)

    def _film_arrived(self) -> None:
        """Asks again whether a film that has come can take this one's place."""
        if self._arrived is not None:
            message, self._arrived = self._arrived, None
            self._film_analysed(message)

    def _change_film(self, path: Path) -> None:
        """This film's session is put away, the other's begins or is taken up again."""
        before, internal = self.film.name, not self.options.follows
        kept, saved = self.leave_film(path)
        if internal:
            self.player.stop()
        self.transport.leave_film()
        self.composing.cancel()
        self.send(Cancel(self.composing.revision))
        self.film.change()
        self.history, self.takes, self.aside = History(carried(self.document)), Takes(), TakesAside()
        self.composing.leave_film()
        self.tempo.leave_film()
        self.arranging.clear()
        where = f"the session of {before} is kept in {kept}" if kept else f"{before} had nothing to keep"
        self.say(f"the film is {path.name} now; {where}.")
        if saved is not None:
            self.restore(saved)
            self.say(f"the session of {path.name} was taken up again.")
        if internal:
            self.transport.locate(0.0, self.starts_s)  # counts at once: the player's last status is of the film before
        self.film.outcomes.append(FilmOutcome(path, self.position_s()))

    # speech in its own sound ------------------------------------------------------------------------------------------
    def take_speech(self) -> float:
        """The lines that are heard in the film become those to leave room for, now or once it was listened to.

        Returns from when that is heard.  Raises UserError without the extra, or where the film cannot be listened to.
        """
        heard = self.film.heard
        if heard is None or (heard.speech is None and not heard.fault):
            need_extra("dialogue", "Listening for speech")
        if heard is None:
            if not self.log.trying:
                self.speech_before = self.document.text(controls.SPEECH)
                self.say("the film is being listened to; the lines that are heard are taken once that is done.")
            return self.now().soon_s
        if heard.speech is None:
            sentence = heard.fault or "the film was listened to before the extra was there: start again."
            raise ControlError("not_ready", sentence)
        heard_s = self.edit(set_value, controls.SPEECH, speech_text(heard.speech))
        if not self.log.trying:
            self.speech_before = None
            spoken_s = sum(end - start for start, end in heard.speech)
            self.say(f"lines of speech heard in {self.film.name}: {len(heard.speech)}, {spoken_s:.1f} s.")
        return heard_s

    def _film_heard(self, message: FilmHeard) -> None:
        if not self.film.listened(message) or self.speech_before is None:
            return
        before, self.speech_before = self.speech_before, None
        if before != self.document.text(controls.SPEECH):
            self.say("the film was listened to; the lines of speech that were set meanwhile stay.")
            return
        try:
            self.take_speech()
        except UserError as error:
            self.say(str(error))

    # another cut of the film ------------------------------------------------------------------------------------------
    def take_recut(self, moved: SavedSession) -> float:
        """Goes over to a new cut of the film, with the session that `cuebridge conform` has made for it, as one step;
        returns from when it is heard.  Raises ControlError."""
        step, before = moved.steps[moved.index], self.document
        if self.analysed is None or self.film.coming is not None:
            raise ControlError("busy", "a film is being analysed.")
        if self.log.trying:
            return self.now().soon_s
        old = self.film.reading()
        self.leave_cut()
        self.history.push_film(step.document, step.label, self.clock.now(), old, moved.reading, who=self.log.who)
        here = self.takes.table
        self._show_film(moved.reading)
        known = {(each.cue, each.number) for each in (*moved.takes, *moved.takes_aside)}
        since = sum(take.kept for key, take in here.items() if key not in known)
        if since:
            those = "1 take that was" if since == 1 else f"{since} takes that were"
            self.say(f"{those} kept while the cuts were compared: undo leads to the old cut, where they are.")
        self.takes.restore({(each.cue, each.number): in_order(each.take) for each in moved.takes})
        heard_s = self._follow(before, Edit(self.document, step.label))
        return self.log.note(step.label, heard_s)

    def undo(self) -> float:
        """Raises ControlError where there is nothing to undo, or where that had another cut whose file is gone."""
        self._check_film(self.history.film_at(self.history.undo_count - 1))
        return super().undo()

    def redo(self) -> float:
        """Raises ControlError where there is nothing to redo, or where that has another cut whose file is gone."""
        self._check_film(self.history.film_at(self.history.undo_count + 1))
        return super().redo()

    def _step(self, step: Callable[[], object]) -> float:
        def with_film() -> None:
            step()
            if self.history.film is not None:
                self._show_film(self.history.film)

        return super()._step(with_film)

    def _show_film(self, reading: FilmReading) -> None:
        """Another cut of the film, which is known, in place of this one; the engine looks at it before it composes."""
        before = self.film.name
        cut = self.film.fingerprint
        if not self.film.show(reading):
            return
        self.takes.change_cut(cut, reading.fingerprint)
        if self.composing.cancel():
            self.send(Cancel(self.composing.revision))
        self._place(None)
        self.begin()
        self.say(f"the film is {self.film.name} now, and was {before}.")

    def _check_film(self, reading: FilmReading | None) -> None:
        here = reading is None or reading.fingerprint == self.film.fingerprint
        if reading is not None and not here and not Path(reading.film.path).is_file():
            raise ControlError("not_ready", f"{Path(reading.film.path).name}, the cut of that step, is not there.")

    def _film_failed(self, message: EngineFailure) -> None:
        outcome = self.film.failed(message, self.clock.now())
        self.say(outcome.sentence)
        if outcome.ends:
            self.failure = message.sentence
        elif not outcome.stays:
            self.progress = Progress(Phase.FAILED, 0.0, message.sentence)
        elif outcome.sentence:
            self._ready_again()
        if outcome.ask:
            self.film.forget()
            self.begin()

    def _ready_again(self) -> None:
        if self.progress.phase in (Phase.FAILED, Phase.ANALYSE, Phase.ENGINE) and self.document.result.complete:
            self.progress = Progress(Phase.READY, 1.0, "composed")

    def _place(self, loop: tuple[float, float] | None) -> None:
        if self.analysed is not None:  # timecode has no word for 23.976 and 29.97: the film's rate tells
            bar, rate = float(self.tempo_map.meter_at(0).bar_beats), str(self.analysed.film.clock.rate.fps)
            self.player.set_sync(replace(self.player.sync, film_rate=rate, quantum=bar))
        self.transport.place(self.starts_s)
        if loop is not None:
            self.say(self.transport.loop(True, self.starts_s, self.film.duration_s, *loop))

    def use_daw_map(self, tempo_map: TempoMap, who: str) -> None:
        """The DAW's own tempo: chords keep their picture time, beats and bars become the DAW's.  No edit of ours."""
        self._map_next = tempo_map, who
        self._follow_map()

    def _follow_map(self) -> None:
        """Goes on with the DAW's map for as long as a turn may take; a newer one waits until that is done, both until
        edits that are half done are whole."""
        begun_s = time.thread_time()
        while not self.held:
            if self._map_coming is None and self._map_next is not None:
                self._map_coming, self._map_next = self._following(*self._map_next), None
            if self._map_coming is None:
                return
            try:
                next(self._map_coming)
            except StopIteration:
                self._map_coming = None
            except UserError as error:
                self._map_coming = None
                self.say(str(error))
            if time.thread_time() - begun_s >= FOLLOW_S:
                return

    def _following(self, tempo_map: TempoMap, who: str) -> Iterator[bool]:
        changed = yield from in_pieces(self, lambda: self.tempo.follow_daw(self.document, tempo_map, self.now))
        if changed is None:
            return
        self.amend(changed)
        self.tempo.use(tempo_map)
        self.composing.ask_again()
        self.rearrange()
        bpm = tempo_map.bpm_at(self.beats_at(self.position_s()))
        self.say(f"tempo {bpm:g} of {who}; chords keep their place in the picture.")

    def _markers_asked(self, film: Film) -> Mapping | None:
        """What the markers of the command line become, once; None where there are none.  Raises UserError."""
        asked, self.markers = self.markers, None
        return None if asked is None else asked.mapping(film, self.document.text(controls.PICTURE_STARTS_AT))

    def _take_markers(self, mapping: Mapping, film: Film) -> None:
        """Takes them and says what each becomes.  Raises UserError."""
        self.load_markers(mapping)
        for line in table(mapping, film):
            self.say(line)

    def restore(self, saved: SavedSession) -> None:
        """A session that was kept; plays before and without the engine."""
        self.film.analysed = analysed_of(saved.reading)
        self.tempo.restore(saved.tempo)
        self.history.restore(saved.steps, saved.index)
        for each in saved.takes:
            self.takes.put(each.cue, each.number, each.take)
        for each in saved.takes_aside:
            self.takes.put_aside(each.cut, each.cue, each.number, each.take)
        self.names_done = saved.names
        document = self.document
        result = document.result
        self.composing.restore(document)
        self.tempo.use(result.tempo_map)
        self.output.follow(document, self.status)
        self._arrange(self.now(), None)
        if result.complete:
            self.progress = Progress(Phase.READY, 1.0, "restored")
        if document.printed:
            self.say(f"printed into the DAW, so muted here: {printed.as_words(document)}.")
        if recipe(document) != result.recipe or not result.complete:
            self._ask(Edit(document, ""), "the session's composition")
        self._place(self.options.loop)
