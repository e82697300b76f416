"""The running session: keeps the plan ahead of the playhead, whatever is edited and whatever the engine does.

One thread owns a session: engine messages, controls and ticks reach it through that thread, so nothing here is locked.
An edit is a pure function of the document (`bridge.session.edits`); `apply` is the one place that puts it in force, and
finds what has to follow by comparing the document with the one before.  What it is made of is in `state`.

Positions in `_s` are picture seconds unless they say timeline or host (the session's clock); beats are quarter notes on
the document's tempo map.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Concatenate, Final, ParamSpec

from bridge.engine_link import EngineGone
from bridge.player.link import PlayerLink
from bridge.session.click import Click
from bridge.session.composing import Answer, Late
from bridge.session.edits import Edit, cues, markers, printed, takes
from bridge.session.effects import effects
from bridge.session.file.find import film_analysed
from bridge.session.film import FilmOutcome, carried
from bridge.session.history import History
from bridge.session.now import Clock, Now, SystemClock, When, boundary_s
from bridge.session.progress import Phase, Progress
from bridge.session.proposal import is_undecided, taken_up, with_first
from bridge.session.state import SessionOptions, SessionState
from bridge.session.takes import Takes
from bridge.session.why import Questions, Why
from engine.document import CueState, Document, KeptTake, SavedSession, Step, parse_key
from engine.interchange.rules import Mapping, table
from engine.music import Film, TempoMap, UserError, controls
from engine.music.arguments import ControlError
from engine.process.messages import (
    AnalysisProgress,
    Cancel,
    Composed,
    EngineFailure,
    EngineReady,
    FilmAnalysed,
    FromEngine,
    SlotsComposed,
    ToEngine,
    WhyAnswer,
)
from engine.process.requests import recipe

MAX_DEATHS: Final = 4  # of the engine, before the film was analysed
P = ParamSpec("P")


class Session(SessionState):
    """See the module's text.  say: gets each sentence for the person once.  engine_pid: process id of the engine."""

    def __init__(
        self,
        options: SessionOptions,
        player: PlayerLink,
        send: Callable[[ToEngine], None],
        *,
        say: Callable[[str], None] = lambda sentence: None,
        engine_pid: Callable[[], int | None] = lambda: None,
        clock: Clock = SystemClock(),  # noqa: B008 (it has no state)
    ) -> None:
        super().__init__(options, player, clock, engine_pid)
        self.send, self._say = send, say
        self.edited = self.document  # what the last edit made of it, in force or only tried
        self.questions = Questions()
        # Puts the session away before another film comes: where it is kept, and the other film's session if it has one.
        self.leave_film: Callable[[Path], tuple[Path | None, SavedSession | None]] = lambda film: (None, None)

    def say(self, sentence: str) -> None:
        if sentence:
            self.news.append(sentence)
            self._say(sentence)

    # edits ------------------------------------------------------------------------------------------------------------
    def edit(self, make: Callable[Concatenate[Document, Now, P], Edit], *args: P.args, **more: P.kwargs) -> float:
        """Makes an edit of the document in force and applies it: `session.edit(chords.pin, chord, 3.0)`.

        Returns the picture second from which it is heard.  Raises ControlError or MusicError, and nothing has changed.
        """
        return self.apply(make(self.document, self.now(), *args, **more))

    def apply(self, edit: Edit) -> float:
        """Puts an edit in force; returns the picture second from which it is heard."""
        before, host_s, log = self.document, self.clock.now(), self.log
        self.edited = edit.document
        if log.trying:
            return self._foreseen(edit)
        if edit.take is not None:
            self.rewrites += 1
            self.history.push(before, edit.label, host_s, who=log.who, gesture=log.gesture)
            return log.note(edit.label, self._promised(self._ask(edit, "the rewritten range"), composing=True))
        if edit.document is before:
            return self.now().soon_s if edit.heard_s is None else edit.heard_s
        self.history.push(edit.document, edit.label, host_s, merge=edit.merge, who=log.who, gesture=log.gesture)
        # A cue whose key is set to `auto` gets it from its mood as it is then.
        changed = before.cue == edit.document.cue and before.value(controls.KEY) != edit.document.value(controls.KEY)
        if changed and parse_key(edit.document.text(controls.KEY)) is None:
            self.composing.auto_keys.pop(edit.document.cue, None)
        return log.note(edit.label, self._follow(before, edit))

    def _foreseen(self, edit: Edit) -> float:
        """From when an edit would be heard."""
        before, now = self.document, self.now()
        if edit.take is None and edit.document is before:
            return now.soon_s if edit.heard_s is None else edit.heard_s
        if self.analysed is None:
            return self.position_s()
        if edit.take is not None or effects(before, edit.document).compose:
            asked = self.composing.would_ask(now.host_s, edit.from_s, edit.label, edit.until_s, edit.take)
            heard_s = self.position_s() if asked.from_s is None else asked.from_s
        else:
            heard_s = now.soon_s if edit.at_once or edit.from_s is None else edit.from_s
        return self._reachable(max(heard_s, edit.heard_s or heard_s))

    def undo(self) -> float:
        """Raises ControlError where there is nothing to undo."""
        if not self.history.undo_count:
            raise ControlError("not_ready", "there is nothing to undo.")
        label = self.history.undo_label
        return self.log.note(f"undo {label}", self._step(self.history.undo))

    def redo(self) -> float:
        """Raises ControlError where there is nothing to redo."""
        if not self.history.redo_count:
            raise ControlError("not_ready", "there is nothing to redo.")
        label = self.history.redo_label
        return self.log.note(f"redo {label}", self._step(self.history.redo))

    def restore_history(self, steps: tuple[Step, ...], index: int) -> None:
        """The history as it was before some edits that are taken back together."""
        self._step(lambda: self.history.restore(steps, index))

    def _step(self, step: Callable[[], object]) -> float:
        """Another document of the history is in force from the next bar on."""
        before, from_s = self.document, boundary_s(self.document, self.now(), "bar")
        step()
        return self._follow(before, Edit(self.document, "", from_s, at_once=False))

    def amend(self, document: Document, step_id: int | None = None) -> None:
        """Replaces the document of a step by one that sounds the same: no edit."""
        self.history.amend(document, step_id)

    def _follow(self, before: Document, edit: Edit) -> float:
        """Lets the document in force be heard: composes where its result is not its own, else arranges."""
        document, status = self.document, self.status
        self.transport.keep_place(self.starts_s, self.film.duration_s)
        work = effects(before, document)
        if work.output or self.output.ports_due:
            self.output.follow(document, status)
            self.output.mute(document, status)
        self.tempo.use(document.result.tempo_map)
        if self.analysed is None:
            return self.position_s()
        now = self.now()
        if work.compose:
            if document.result.slots and edit.at_once and work.arrange:
                self._arrange(now, now.soon_s if now.rolling else None)
            heard_s = self._ask(edit, self.history.undo_label or "the change")
            return self._promised(max(heard_s, edit.heard_s or heard_s), composing=True)
        if self.composing.cancel():
            self.send(Cancel(self.composing.revision))
            if document.result.complete:  # taken back while it was being composed
                self.progress = Progress(Phase.READY, 1.0, "composed")
        heard_s = now.soon_s if edit.at_once or edit.from_s is None else edit.from_s
        self._arrange(now, heard_s if now.rolling else None)
        return self._promised(max(heard_s, edit.heard_s or heard_s), composing=False)

    def _ask(self, edit: Edit, label: str) -> float:
        asked = self.composing.ask(
            self.clock.now(), edit.from_s, label, edit.until_s, edit.take, chords_stay=edit.chords_stay
        )
        return self.position_s() if asked.from_s is None else asked.from_s

    def _promised(self, heard_s: float, *, composing: bool) -> float:
        """Where a change is heard: never before the player can take it over, now that the work of the call is done."""
        return self.promises.make(self._reachable(heard_s), composing=composing)

    def _reachable(self, heard_s: float) -> float:
        if self.rolling and self.transport.looped is None:
            return max(heard_s, self.position_s() + self.options.commit_s)
        return heard_s

    def _arrange(self, now: Now, from_s: float | None) -> None:
        if self.analysed is not None and self.document.result.slots:
            self.arranging.arrange(self.document, self.analysed, self.takes.table, self.levels, now, from_s)

    def rearrange(self) -> None:
        """New notes as soon as may be, from the beginning where nothing plays."""
        now = self.now()
        self._arrange(now, now.soon_s if now.rolling else None)

    # cues and takes ---------------------------------------------------------------------------------------------------
    def select_cue(self, which: str) -> CueState:
        """The controls set this cue from now on; no step of the history, since nothing sounds different."""
        state = cues.find(self.document, which)
        self.amend(self.document.select(state.number))
        return state

    def add_cue(self, in_s: float, out_s: float | str = "end", name: str | None = None) -> tuple[int, str, float]:
        """Adds a cue and selects it; returns its place from 1, its name and from when it is heard."""
        heard_s = self.edit(cues.add, self.free_cue_number, in_s, out_s, name)
        row = [state.number for state in self.edited.cue_states]
        return row.index(self.edited.cue) + 1, self.edited.selected.name, heard_s

    def load_markers(self, mapping: Mapping) -> float:
        """Takes what the markers of an editor become, as one edit; returns from when it is heard."""
        return self.edit(markers.load, self.free_cue_number, mapping)

    def _markers_asked(self, film: Film) -> Mapping | None:
        """What the markers of the command line become, once; None where there are none.  Raises UserError."""
        asked, self.markers = self.markers, None
        return None if asked is None else asked.mapping(film, self.document.text(controls.PICTURE_STARTS_AT))

    def _take_markers(self, mapping: Mapping, film: Film) -> None:
        """Takes them and says what each becomes.  Raises UserError."""
        self.load_markers(mapping)
        for line in table(mapping, film):
            self.say(line)

    def remove_cue(self, which: str | None = None) -> tuple[str, float]:
        """Deletes a cue (default: the selected one); returns its name and from when that is heard."""
        name = cues.find(self.document, which).name
        return name, self.edit(cues.remove, self.free_cue_number, which)

    def new_take(self, when: When = "bar") -> tuple[int, float]:
        """Composes another take of the selected cue; returns its number and from when it is heard."""
        heard_s = self.edit(takes.new, self.takes.table, when)
        return self.edited.take, heard_s

    def take_alike(self, when: When = "bar") -> tuple[int, float]:
        """Composes a take with the plan of the one that plays; returns its number and from when it is heard."""
        heard_s = self.edit(takes.alike, self.takes.table, when)
        return self.edited.take, heard_s

    def select_take(self, number: int, when: When = "bar") -> float:
        """A take of the selected cue that was heard before plays again note for note; another number is composed."""
        return self.edit(takes.select, self.takes.table, number, when)

    def keep_take(self, name: str | None = None) -> KeptTake:
        """Marks the take in force as kept, with its notes.  Raises ControlError while it is still being composed."""
        document, film, name = self.document, self.analysed, None if name is None else takes.checked_name(name)
        if not document.result.complete or recipe(document) != document.result.recipe or film is None:
            raise ControlError("not_ready", "this take is still being composed.")
        made = None if self.arranging.is_long(document) else self.arranging.whole()
        if made is None:  # kept at once; its notes follow from a thread of their own
            self.takes.add_later(self.arranging.kept_later(document, film, self.takes.table, self.levels, name))
        return self.takes.keep(document, None if made is None else made[1], name)

    def why(self, at_s: float, reply: Callable[[Why], None]) -> None:
        """Why the chord at a picture second is there; `reply` gets the answer, now or soon.  Raises ControlError."""
        self.questions.ask(self, at_s, self.send, reply)

    # the film and its tempo -------------------------------------------------------------------------------------------
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
        for sentence in (*message.notes, f"picture reading: {message.reading} ({message.reason.rstrip('.')})."):
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
                self.tempo.reason = f"tempo {proposal.reason}."
            self.say(self.tempo.reason)
            if proposal is not None and proposal.cues:
                self.say(f"{len(proposal.cues)} cues are proposed; delete or move them, or begin with --wall-to-wall.")
            self.amend(replace(document, draws=document.draws.begun(message.film.content_key, document.take)))
            self.tempo.use(document.result.tempo_map)
            self._place(self.options.loop)
            if mapping is not None:
                self._take_markers(mapping, message.film)
            if self.composing.idle and recipe(self.document) != self.document.result.recipe:
                self._ask(Edit(self.document, ""), "first composition")
        except UserError as error:
            self.failure = str(error)

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
        self.history, self.takes = History(carried(self.document)), Takes()
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
            self.loop(True, *loop)

    def use_daw_map(self, tempo_map: TempoMap, who: str) -> None:
        """The DAW's own tempo: chords keep their picture time, beats and bars become the DAW's.  No edit of ours."""
        changed = self.tempo.follow_daw(self.document, tempo_map, self.now)
        if changed is None:
            return
        self.amend(changed)
        self.tempo.use(tempo_map)
        self.composing.ask_again()
        self.rearrange()
        bpm = tempo_map.bpm_at(self.beats_at(self.position_s()))
        self.say(f"tempo {bpm:g} of {who}; chords keep their place in the picture.")

    # the transport ----------------------------------------------------------------------------------------------------
    def play(self) -> float:
        """Starts the internal transport as soon as enough is arranged.  Raises ControlError under a DAW."""
        return self.transport.play(self.starts_s, self.ready())

    def stop(self) -> float:
        return self.transport.stop(self.starts_s)

    def toggle(self) -> float:
        return self.stop() if self.rolling or self.transport.play_wanted else self.play()

    def locate(self, picture_s: float) -> float:
        return self.transport.locate(picture_s, self.starts_s)

    def loop(self, on: bool, from_s: float | None = None, to_s: float | None = None) -> float:
        """Loops a range; without one, the last range or the whole film.  Raises ControlError."""
        self.say(self.transport.loop(on, self.starts_s, self.film.duration_s, from_s, to_s))
        return self.position_s()

    def panic(self) -> float:
        self.player.panic()
        return self.position_s()

    def set_click(self, click: Click) -> float:
        """A click on every cut; returns the picture second from which it is heard."""
        now = self.now()
        if click != self.arranging.click:
            self.arranging.click = click
            self.arranging.hand_over_again(self.beats_at(now.soon_s) if now.rolling else None)
        return now.soon_s

    # the engine -------------------------------------------------------------------------------------------------------
    def on_engine(self, message: FromEngine | EngineGone) -> None:
        """One message of the engine's pipe."""
        now, commit_s = self.now(), self.options.commit_s
        match message:
            case EngineReady():
                self.engine_state = "ready"
                self.composing.weights = message.weights
                self.begin()
            case WhyAnswer():
                self.questions.answered(self, message)
            case EngineGone():
                self._engine_gone(message)
            case AnalysisProgress():
                self.progress = Progress(Phase.ANALYSE, message.fraction, message.phase)
                if message.restarted:
                    self.say(f"{message.phase}.")
            case FilmAnalysed():
                self._film_analysed(message)
            case SlotsComposed() if self.analysed is not None:
                self._composed(self.composing.slots_composed(message, self.history, now, commit_s), message.fraction)
            case Composed() if self.analysed is not None:
                self._composed(self.composing.composed(message, self.history, now), 1.0)
            case EngineFailure(film=True):
                self._film_failed(message)
            case EngineFailure():
                self.composing.failed(message)
                self.say(message.sentence)
                self._given_up(message.sentence)

    def _composed(self, answer: Answer | Late | None, fraction: float) -> None:
        """An answer belongs to the step that it was asked for, which need not be the one in force."""
        if answer is None:
            return
        if self.first_slots_host_s is None:
            self.first_slots_host_s = self.clock.now()
        self.amend(answer.document, answer.step_id)
        if isinstance(answer, Late):
            self.say(answer.sentence)
            if self.promises.composing:
                self.promises.correct(answer.from_s)
            return
        for sentence in answer.sentences:
            self.say(sentence)
        self.progress = Progress(Phase.COMPOSE, fraction, "composing")
        if answer.complete:
            self.progress = Progress(Phase.READY, 1.0, "composed")
            self.takes.remember(answer.document)
        if answer.step_id == self.history.id and answer.arrange:
            self._arrange(self.now(), answer.from_s)
            self.promises.composed()

    def _engine_gone(self, gone: EngineGone) -> None:
        self.engine_state = "away"
        self.film.forget()
        self.say(gone.sentence)
        self.progress = Progress(Phase.ENGINE, 0.0, gone.sentence)  # so that clients hear of it, too
        if given_up := self.composing.engine_gone():
            self.say(given_up)
            self._given_up(given_up)
        if gone.restarts >= MAX_DEATHS and self.analysed is None:
            self.failure = "the engine died again and again while it analysed the film."

    def _given_up(self, sentence: str) -> None:
        """Nothing will come of a request: what is composed plays on; without any the run ends."""
        self.progress = Progress(Phase.FAILED, 0.0, sentence)
        if not self.document.result.slots:
            self.failure = sentence

    # every turn -------------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """To be called fifty times a second or so."""
        host_s = self.clock.now()
        for sentence in self.transport.poll():
            self.say(sentence)
        self.recorder.add(self.player.drain_events())
        if not self.rolling:
            self.recorder.stop()
        self.questions.tick(self)
        if self.analysed is not None:
            clock = self.tempo.measured(self.document, self.status, self.now, host_s)
            if clock is not None:
                self.say(clock.warning)
                self.use_daw_map(clock.tempo_map, self.status.tempo_source)
        if self.engine_state == "ready":  # so that it could analyse a film that was away
            found = self.film.found(host_s)
            if found is not None:
                self.say(found)
                self.begin()
        self._send_request()
        self._load_player()
        for fault in self.takes.collect():
            self.say(fault)
        self.transport.tick(self.starts_s, self.ready())
        document = self.document
        repeats = document.text(controls.TAKE_REPEAT) == "new" and document.result.complete
        if repeats and self.transport.pass_ends(self.starts_s, self.composing.lead_s):
            with contextlib.suppress(ControlError):  # there are no more numbers: the last take goes on
                self.new_take("loop")

    def hurry(self, *, answered: bool) -> None:
        """Does what must not wait for the next tick: a change near its boundary is sent to the engine, and what the
        engine has answered to the player."""
        self._send_request()
        if answered:
            self._load_player()

    def _send_request(self) -> None:
        if self.composing.queued is None or not self.film.known or self.engine_state != "ready":
            return
        if self.composing.due(self.now(), self.options.commit_s):
            self.send(self.composing.request(self.history, self.clock.now()))
            self.progress = Progress(Phase.COMPOSE, 0.0, "composing")

    def _load_player(self) -> None:
        now, commit_s = self.now(), self.options.commit_s
        begun = self.arranging.tick(self.document, self.analysed, now, self.status, commit_s, self.say)
        if not self.promises.open:
            return
        if begun and now.rolling and now.loop is None:
            self.promises.correct(max(begun[0], self.position_s() + commit_s))
        if begun or not self.plan.busy:
            self.promises.close()

    # from file to file ------------------------------------------------------------------------------------------------
    def restore(self, saved: SavedSession) -> None:
        """A session that was kept; plays before and without the engine."""
        self.film.analysed, self.tempo.reason = film_analysed(saved), saved.tempo.reason
        self.history.restore(saved.steps, saved.index)
        for each in saved.takes:
            self.takes.put(each.cue, each.number, each.take)
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

    def close(self) -> None:
        """Ends what runs beside the session; the notes of kept takes are waited for."""
        for fault in self.takes.collect(wait=True):
            self.say(fault)
        self.arranging.close()


__all__ = ["Session", "SessionOptions"]
