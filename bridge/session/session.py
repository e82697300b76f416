"""The running session: keeps the plan ahead of the playhead, whatever is edited and whatever the engine does.

One thread owns a session: engine messages, controls and ticks reach it through that thread, so nothing here is locked.
What it holds is in `state`, what a person does to the music in `editing`, how a film arrives in `film_session`; here
are the transport, the engine's messages and what is done every turn.

Positions in `_s` are picture seconds unless they say timeline or host (the session's clock); beats are quarter notes on
the document's tempo map.
"""

from __future__ import annotations

import contextlib
from typing import Final

from bridge.engine_link import EngineGone
from bridge.session.click import Click
from bridge.session.composing import Answer, Late
from bridge.session.edits import takes
from bridge.session.film_session import FilmSession
from bridge.session.progress import Phase, Progress
from bridge.session.state import SessionOptions
from engine.document import KeptTake
from engine.music import Take, controls
from engine.music.arguments import ControlError
from engine.process.messages import (
    AnalysisProgress,
    Composed,
    EngineFailure,
    EngineReady,
    FilmAnalysed,
    FilmHeard,
    FromEngine,
    SlotsComposed,
    WhyAnswer,
)

MAX_DEATHS: Final = 4  # of the engine, before the film was analysed


class Session(FilmSession):
    """See the module's text."""

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
            case FilmHeard():
                self._film_heard(message)
            case SlotsComposed() if self.analysed is not None:
                self._composed(self.composing.slots_composed(message, self.history, now, commit_s), message.fraction)
            case Composed() if (document := self.aside.answered(message.revision)) is not None:
                made = KeptTake(self.composing.aside(document, message), Take(document.take).name)
                self.takes.put(document.cue, document.take, made)
            case EngineFailure(film=False) if self.aside.answered(message.revision) is not None:
                self.aside.add(0)
                self.say(message.sentence)
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
        self.aside.set_back()
        self.film.forget()
        self.say(gone.sentence)
        self.progress = Progress(Phase.ENGINE, 0.0, gone.sentence)  # so that clients hear of it, too
        if given_up := self.composing.engine_gone():
            self.say(given_up)
            self._given_up(given_up)
        if gone.restarts >= MAX_DEATHS and self.analysed is None:
            self.failure = "the engine died repeatedly while it analysed the film."

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
        self._film_arrived()
        self._follow_map()
        if self.analysed is not None and self._map_coming is None:
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
        if not self.film.known or self.engine_state != "ready":
            return
        if self.composing.queued is None:
            self._compose_aside()
        elif self.composing.due(self.now(), self.options.commit_s):
            self.aside.set_back()
            self.send(self.composing.request(self.history, self.clock.now()))
            self.progress = Progress(Phase.COMPOSE, 0.0, "composing")

    def _compose_aside(self) -> None:
        """Asks for the next of the takes that are composed beside the one that plays."""
        document = self.document
        if not self.aside.due or not self.composing.idle or not document.result.complete or self.analysed is None:
            return
        try:
            made = takes.new(document, self.now(), self.takes.table).document
        except ControlError as error:
            self.aside.add(0)
            self.say(str(error))
            return
        request = self.composing.request_aside(made)
        self.aside.sent(request.revision, made)
        self.send(request)

    def _load_player(self) -> None:
        if self.plan.puts_off("load", 2):
            return
        now, commit_s = self.now(), self.options.commit_s
        begun = self.arranging.tick(self.document, self.analysed, now, self.status, commit_s, self.say)
        if not self.promises.open:
            return
        if begun and now.rolling and now.loop is None:
            self.promises.correct(max(begun[0], self.position_s() + commit_s))
        if begun or not self.plan.busy:
            self.promises.close()

    def close(self) -> None:
        """Ends what runs beside the session; the notes of kept takes are waited for."""
        for fault in self.takes.collect(wait=True):
            self.say(fault)
        self.arranging.close()


__all__ = ["Session", "SessionOptions"]
