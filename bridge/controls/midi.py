"""Messages of a MIDI controller become what OSC would have sent."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

from bridge.controls.capture import Capture, Played
from bridge.controls.midi_learn import DEFAULTS, Binding, MidiLearn
from bridge.controls.midi_learn_file import LearnFileError, read, write
from bridge.controls.theme_recorder import ThemeRecorder
from bridge.osc.codec import Argument
from bridge.session.session import Session
from engine.music import UserError, controls
from engine.music.arguments import Value
from engine.music.controls import BY_ADDRESS, Control
from engine.music.note import pitch_name
from engine.music.theme_text import theme_from_notes, theme_text

MAX_LISTED: Final = 60
Answer = tuple[str, Sequence[Argument]]
Perform = Callable[[Control, tuple[Value, ...]], Answer]
Performing = Callable[[Control, tuple[Value, ...], str], Generator[bool | None, None, Answer]]


class MidiControl:
    """perform: handles a request and returns its answer; performing: as somebody, in pieces.  path: where the mapping
    is saved, None: nowhere."""

    def __init__(self, session: Session, path: Path | None, perform: Perform, performing: Performing) -> None:
        self._session = session
        self._path = path
        self._perform, self._performing = perform, performing
        self._said = ""
        self.theme = ThemeRecorder()
        self.capture = Capture()
        self.learn = self._read()

    def _read(self) -> MidiLearn:
        kept = None
        if self._path is not None:
            try:
                kept = read(self._path)
            except LearnFileError as error:
                self._session.say(f"the learned MIDI controls cannot be read from {self._path}: {error}.")
        bindings, pickup, inverted = kept if kept is not None else (DEFAULTS, True, False)
        return MidiLearn(bindings, pickup, self._keep, inverted)

    def _keep(self, learn: MidiLearn) -> None:
        if self._path is None:
            return
        try:
            write(self._path, learn.bindings, learn.pickup, learn.inverted)
        except (UserError, OSError) as error:
            self._session.say(f"what is learned holds for this run only: {error}")

    def tick(self, host_s: float) -> None:
        """From the session's thread, with every tick."""
        for _ in self.steps(host_s):
            pass

    def steps(self, host_s: float) -> Iterator[bool | None]:
        """The same over several turns; True: the next step takes long in a long film."""
        session = self._session
        film_s = session.analysed.film.duration_s if session.analysed is not None else 0.0
        messages = self.capture.take(session, self.theme.take(session, session.player.drain_touches()))
        played = self.capture.heard(session, session.clock.now())
        if played is not None:
            yield from self._take_played(played)
        for action in self.learn.hear(messages, host_s, self._current, film_s, self._learned):
            control = BY_ADDRESS[action.address]
            try:
                arguments = control.check(action.arguments)
                _, answer = yield from self._performing(control, arguments, "controller")
            except UserError as error:
                self._say(f"{action.trigger.words}, {action.address}: {error}")
                continue
            self._said = ""
            if control.access == "do":
                words = " ".join(str(value) for value in answer if isinstance(value, str))
                self._say(f"{action.trigger.words}: {action.address} {words}".rstrip() + ".")

    def _take_played(self, played: Played) -> Iterator[bool | None]:
        """What was played, as OSC would have sent it."""
        session = self._session
        arguments: tuple[Value, ...]
        try:
            if played.kind == "phrase":
                document = session.document
                bar_beats = float(document.result.tempo_map.meter_at(0).bar_beats)
                theme = theme_text(theme_from_notes(played.notes, document.result.key, bar_beats))
                address, arguments = controls.THEME, (theme,)
            elif played.kind == "pedal":
                note = pitch_name(played.pitches[0]).rstrip("-0123456789")
                address, arguments = controls.PEDAL, (note, played.at_s)
            else:
                address = controls.CHORDS_PLAY
                arguments = (" ".join(map(str, played.pitches)), played.at_s)
            control = BY_ADDRESS[address]
            yield from self._performing(control, control.check(arguments), "controller")
        except UserError as error:
            session.say(f"what was played is not taken: {error}")
            return
        session.say(f"played: {session.history.undo_label}.")

    def _say(self, sentence: str) -> None:
        """A refused fader would be reported a hundred times a second; it is reported once."""
        if sentence != self._said:
            self._said = sentence
            self._session.say(sentence)

    def _current(self, address: str) -> Value:
        _, answer = self._perform(BY_ADDRESS[address], ())
        return answer[0] if answer and not isinstance(answer[0], bytes) else None

    def _learned(self, binding: Binding) -> None:
        words = " ".join(str(value) for value in (binding.address, *binding.arguments))
        self._session.say(f"learned: {binding.trigger.words} works {words}.")

    def listed(self) -> tuple[Argument, ...]:
        """Of each binding: what it is, its address, its arguments."""
        found: list[Argument] = []
        for each in self.learn.bindings[:MAX_LISTED]:
            gesture = "" if each.gesture == "press" else f" {each.gesture}"
            found += [each.trigger.words + gesture, each.address, " ".join(str(value) for value in each.arguments)]
        return tuple(found)
