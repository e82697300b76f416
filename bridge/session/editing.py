"""What a person does to the music of a running session: edits, undo, cues, takes.

An edit is a pure function of the document (`bridge.session.edits`); `apply` is the one place that puts it in force, and
finds what has to follow by comparing the document with the one before.

Positions in `_s` are picture seconds unless they say timeline or host (the session's clock); beats are quarter notes on
the document's tempo map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec

from bridge.player.link import PlayerLink
from bridge.session.edits import Edit, cues, markers, takes
from bridge.session.now import Clock, Now, SystemClock, When, boundary_s
from bridge.session.progress import Phase, Progress
from bridge.session.state import SessionOptions, SessionState
from bridge.session.why import Questions
from engine.document import OUTPUT_SETTINGS, CueState, Document, KeptTake, Step, parse_key
from engine.interchange.rules import Mapping
from engine.music import PARTS, controls
from engine.music.arguments import ControlError
from engine.process.messages import Cancel, ToEngine
from engine.process.requests import NETWORK_ONLY, recipe
from engine.process.why import Why

P = ParamSpec("P")
PARTS_ON: Final = frozenset(controls.of_part(part, "on") for part in PARTS)
UNHEARD: Final = NETWORK_ONLY | OUTPUT_SETTINGS  # no note differs by these until the engine has answered


@dataclass(frozen=True, slots=True)
class Effects:
    """compose: the document's result is not its own.  arrange: notes differ before the engine has answered.
    output: mutes, ports, clocks or nudges differ."""

    compose: bool
    arrange: bool
    output: bool


def effects(before: Document, after: Document) -> Effects:
    """What has to follow where one document takes another's place."""
    names = {name for name, _ in before.settings.items() ^ after.settings.items()}
    return Effects(
        compose=not after.result.complete or recipe(after) != after.result.recipe,
        arrange=_sounds_different(before, after, names),
        output=bool(names & (OUTPUT_SETTINGS | PARTS_ON)),
    )


def _sounds_different(before: Document, after: Document, names: set[str]) -> bool:
    if before.pins != after.pins or before.hits != after.hits or before.sections != after.sections:
        return True
    if before.other_cues != after.other_cues or before.printed != after.printed or before.result != after.result:
        return True
    if before.locks != after.locks:
        return True
    # Of several cues each key is known to the arranger at once.
    return bool(names - (UNHEARD if after.other_cues else UNHEARD | {controls.KEY}))


class EditedSession(SessionState):
    """A session whose music can be changed.

    send: to the engine.  say: gets each sentence for the person once.  engine_pid: process id of the engine.
    """

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
        self.questions = Questions()

    def say(self, sentence: str) -> None:
        if sentence:
            self.news.append(sentence)
            self._say(sentence)

    # edits ------------------------------------------------------------------------------------------------------------
    def edit(self, make: Callable[Concatenate[Document, Now, P], Edit], *args: P.args, **more: P.kwargs) -> float:
        """Makes an edit of the document in force and applies it: `session.edit(chords.pin, chord, 3.0)`.

        Returns the picture second from which it is heard.  Raises ControlError or MusicError, and nothing has changed.
        """
        return self.edit_document(make, *args, **more)[1]

    def edit_document(
        self, make: Callable[Concatenate[Document, Now, P], Edit], *args: P.args, **more: P.kwargs
    ) -> tuple[Document, float]:
        """As `edit`; returns the document that the edit makes as well, which is not in force where it is only tried."""
        edit = make(self.document, self.now(), *args, **more)
        return edit.document, self.apply(edit)

    def apply(self, edit: Edit) -> float:
        """Puts an edit in force; returns the picture second from which it is heard."""
        before, host_s, log = self.document, self.clock.now(), self.log
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
        if edit.unheard and self.composing.idle:
            return log.note(edit.label, self.position_s())
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
            asked = self.composing.ask(now.host_s, edit.from_s, edit.label, edit.until_s, edit.take, trying=True)
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
            self.aside.set_back()
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
        document, heard_s = self.edit_document(cues.add, self.free_cue_number, in_s, out_s, name)
        row = [state.number for state in document.cue_states]
        return row.index(document.cue) + 1, document.selected.name, heard_s

    def load_markers(self, mapping: Mapping) -> float:
        """Takes what the markers of an editor become, as one edit; returns from when it is heard."""
        return self.edit(markers.load, self.free_cue_number, mapping)

    def remove_cue(self, which: str | None = None) -> tuple[str, float]:
        """Deletes a cue (default: the selected one); returns its name and from when that is heard."""
        name = cues.find(self.document, which).name
        return name, self.edit(cues.remove, self.free_cue_number, which)

    def accept_cue(self, which: str | None = None) -> tuple[str, float]:
        """Accepts a proposed cue (default: the selected one); returns its name and from when that counts."""
        name = cues.find(self.document, which).name
        return name, self.edit(cues.accept, which)

    def refuse_cue(self, which: str | None = None) -> tuple[str, float]:
        """Deletes a proposed cue (default: the selected one); returns its name and from when that is heard."""
        name = cues.find(self.document, which).name
        return name, self.edit(cues.refuse, self.free_cue_number, which)

    def new_take(self, when: When = "bar") -> tuple[int, float]:
        """Composes another take of the selected cue; returns its number and from when it is heard."""
        document, heard_s = self.edit_document(takes.new, self.takes.table, when)
        return document.take, heard_s

    def take_alike(self, when: When = "bar") -> tuple[int, float]:
        """Composes a take with the plan of the one that plays; returns its number and from when it is heard."""
        document, heard_s = self.edit_document(takes.alike, self.takes.table, when)
        return document.take, heard_s

    def take_unlike(self, when: When = "bar") -> tuple[int, float]:
        """Composes a take whose plan is not that of the one that plays; its number and from when it is heard."""
        document, heard_s = self.edit_document(takes.less, self.takes.table, when)
        return document.take, heard_s

    def add_takes(self, count: int) -> int:
        """Composes so many takes beside the one that plays, 0: no more; returns how many are to come."""
        self.aside.add(count)
        return self.aside.wanted

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
