"""The composer's hands: everything that makes a new document, each a step of the undo history.

Every edit returns the picture second from which it is heard, and raises ControlError where it cannot be.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.session.cue_edits import check_cues, first_slot_s, next_slot_s
from bridge.session.options import arrange_options
from bridge.session.requests import recipe
from bridge.session.score import label_of
from bridge.session.transport import When
from engine.arrange import ArrangeOptions
from engine.arrange.tempofit import TempoFitOptions, TempoReport, fit_tempos
from engine.document import CUE_CONTROLS, Document, KeptTake, Pin, ends, parse_chords, parse_key
from engine.document.takes import chosen
from engine.music import PARTS, Chord, Hit, Key, MusicError, Section, Take, controls, parse_progression
from engine.music.arguments import ControlError, Value
from engine.music.controls import BY_ADDRESS

if TYPE_CHECKING:
    from bridge.session.session import Session

SAME_S: Final = 0.02  # closer than this two marks are one
NEAR_S: Final = 0.5
MAX_MARKS: Final = 1000
SECTION_CONTROLS: Final = (*(BY_ADDRESS[each].name for each in controls.with_scope("section")), "parts")


class Edits:
    """Of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rewrites = 0

    def set_value(self, address: str, value: Value, when: When = "bar") -> float:
        """Sets one of the table's values; returns the picture second from which it is heard.  Raises ControlError."""
        session = self._session
        control = BY_ADDRESS[address]
        if address == controls.PICTURE_STARTS_AT:
            return session.tempo.set_picture_start(str(value))
        if address == controls.BAR_1:
            return session.tempo.set_bar_1(value)  # type: ignore[arg-type]
        if control.effect == "transport":
            return session.tempo.set_tempo(0.0 if isinstance(value, str) else float(value or 0.0))
        session.output.check(address, value)
        before = session.document
        document = before.with_value(address, value)
        try:
            if address.startswith(controls.PROGRESSION):
                parse_chords(document)
            elif address == controls.KEY:
                parse_key(str(value))
            arrange_options(document, None)
            check_cues(document)
        except MusicError as error:
            raise ControlError("bad_value", str(error)) from None
        boundary_s = session.transport.boundary_s(when) if control.effect == "compose" else None
        if address.startswith(controls.PROGRESSION):
            low, high = document.span_of(document.cue)
            inside = boundary_s is not None and low <= boundary_s < high
            document = replace(document, progression_from_s=boundary_s if inside and boundary_s else 0.0)
        if document == before:
            return session.transport.soon_s()
        document = session.tempo.settled(document)
        if address == controls.KEY and parse_key(str(value)) is None:
            session.auto_keys.pop(document.cue, None)
        session.history.edit(document, label_of(address), time.perf_counter(), merge=True)
        if address in CUE_CONTROLS:
            return self.follow_cue(boundary_s, before)
        return session.follow_document(boundary_s)

    def follow_cue(self, boundary_s: float | None, before: Document | None = None, *, as_is: bool = False) -> float:
        """Lets a change of the selected cue be heard; what other cues have stays as it is.  before: the document that
        was changed, where the cue may have lain elsewhere.  as_is: see `Session.follow_document`."""
        session, document = self._session, self._session.document
        if not document.other_cues and (before is None or not before.other_cues):
            return session.follow_document(boundary_s, as_is=as_is)
        spans = [
            each.span_of(document.cue) for each in (document, before) if each is not None and _has(each, document.cue)
        ]
        slots = document.result.slots
        low_s = first_slot_s(slots, min(low for low, _ in spans))
        until_s = next_slot_s(slots, max(high for _, high in spans))
        start_s = max(low_s, boundary_s or 0.0)
        if until_s is not None and start_s >= until_s:  # it is over already, or not heard in this pass
            start_s = low_s
        return session.follow_document(start_s, until_s=until_s, as_is=as_is)

    def set_progression(self, chords: str, mode: str, from_s: float) -> float:
        """A progression that begins at a picture second, as a region of the DAW says it."""
        session = self._session
        parse_progression(chords, mode)
        document = session.document.with_value(controls.PROGRESSION, chords).with_value(controls.PROGRESSION_MODE, mode)
        document = replace(document, progression_from_s=from_s)
        if document == session.document:
            return from_s
        session.history.edit(document, "progression", time.perf_counter())
        if not document.result.slots:
            return session.follow_document(None)
        earliest_s = session.transport.boundary_s("bar") if session.rolling else None
        return session.follow_document(max(session.transport.next_mark(from_s, "slot"), earliest_s or 0.0))

    def pin(self, chord: Chord, at_s: float | None = None, label: str = "pin") -> float:
        """This chord instead of the one that sounds at a picture second (default: the playhead)."""
        session = self._session
        place_s = session.position_s() if at_s is None else at_s
        slots = session.document.result.slots
        if slots and place_s >= slots[-1].end_s:
            raise ControlError(
                "bad_value", f"there is no chord at {place_s:.2f} s: the music ends at {slots[-1].end_s:.2f} s."
            )
        run = session.document.chords_at(place_s)[0]
        if run is None:
            raise ControlError("not_ready", "there is no chord there yet.")
        document = session.document.with_pin(Pin(run.start_s, run.end_s, chord))
        session.history.edit(document, f"{label} {chord}", time.perf_counter())
        session.follow_document(None)
        return max(run.start_s, session.transport.soon_s())

    def pin_next(self, chord: Chord) -> float:
        """The chord after the one sounding becomes this one."""
        session = self._session
        soon_s = session.position_s() + (session.options.commit_s if session.rolling else 0.0)
        following = session.document.chords_at(soon_s)[1]
        if following is None:
            raise ControlError("not_ready", "no chord follows.")
        return self.pin(chord, following.start_s, label="next chord")

    def unpin(self, at_s: float | None = None) -> float:
        session = self._session
        position_s = session.position_s() if at_s is None else at_s
        document = session.document.without_pin(position_s)
        if document.pins == session.document.pins:
            raise ControlError("bad_value", f"no chord is pinned at {position_s:.2f} s.")
        session.history.edit(document, "unpin", time.perf_counter())
        session.follow_document(None)
        return session.transport.soon_s()

    def rewrite(self, what: float | str, until: float | None = None, last: float | None = None) -> float:
        """Composes a range anew with other draws; what lies outside it stays.

        what: a picture second (until: another, None: the end), or a word: `chord` (the one that sounds, or sounds
        next while the playhead moves), `hit` (to the next hit), `bars` (from bar `until` to bar `last`), `cue` (the
        rest of it).
        """
        session = self._session
        from_s, to_s = self._range(what, until, last) if isinstance(what, str) else (float(what), until)
        slots = session.document.result.slots
        if not slots or not session.document.result.complete:
            raise ControlError("not_ready", "nothing is composed yet.")
        earliest_s = session.position_s() + session.options.commit_s + session.desk.lead_s if session.rolling else 0.0
        if to_s is not None and to_s <= from_s:
            raise ControlError("bad_value", f"a range from {from_s:g} s to {to_s:g} s has no length.")
        start_s = session.transport.next_mark(max(from_s, earliest_s if from_s <= earliest_s else 0.0), "slot")
        if to_s is not None and to_s <= start_s + 0.05:
            raise ControlError("bad_value", f"the range ends at {to_s:g} s, before it can be heard ({start_s:.2f} s).")
        self._rewrites += 1
        session.history.edit(session.document, "rewrite", time.perf_counter())
        take = (session.document.take * 1009 + self._rewrites * 7919) % 999_983 + 1
        return session.wish_composition(start_s, "the rewritten range", until_s=to_s, take=take)

    def _range(self, what: str, first: float | None, last: float | None) -> tuple[float, float | None]:
        session, document = self._session, self._session.document
        now_s = session.position_s()
        if what == "bars":
            bar, end = int(first or 0), int(last if last is not None else first or 0)
            if not 1 <= bar <= end:
                raise ControlError("bad_value", "say which bars: `bars 5 8` are bars 5 to 8.")
            beats = session.tempo_map.bar_start(bar), session.tempo_map.bar_start(end + 1)
            return max(session.picture_at(float(beats[0])), 0.0), session.picture_at(float(beats[1]))
        if first is not None:
            raise ControlError("bad_type", f"`{what}` begins at the playhead and takes no numbers.")
        if what == "chord":
            now, after = document.chords_at(now_s)
            chord = after if session.rolling else now
            if chord is None:
                raise ControlError("not_ready", "there is no chord to write anew.")
            return chord.start_s, chord.end_s
        if what == "hit":
            marks = document.hits or (session.analysed.cuts if session.analysed is not None else ())
            upcoming = next((mark.time_s for mark in marks if mark.time_s > now_s + 0.5), None)
            if upcoming is None:
                raise ControlError("bad_value", "no hit follows.")
            return now_s, upcoming
        states = document.cue_states
        out_s = next(
            (out for state, out in zip(states, ends(states), strict=True) if state.number == document.cue), None
        )
        return max(now_s, document.selected.in_s), out_s

    def new_take(self, when: When = "bar") -> tuple[int, float]:
        """Composes another take of the selected cue; returns its number and from when it is heard."""
        session = self._session
        before = session.document
        number = max([before.take, *session.takes.of_cue(before.cue)]) + 1
        draws = before.draws
        if not draws.film_seed and session.analysed is not None and session.analysed.film.content_key:
            # The film decides from here on: a number that no cue has used, so that every earlier take stays.
            used = [state.take for state in before.cue_states] + [each for _, each, _ in session.takes]
            number = max(number, *(each + 1 for each in used))
            draws = draws.begun(session.analysed.film.content_key, number)
        if number > 999_999:
            raise ControlError("bad_value", "there are no more take numbers.")
        boundary_s = session.transport.boundary_s(when)
        changed = replace(before, take=number, draws=draws)
        session.history.edit(changed, f"take {Take(number).name}", time.perf_counter())
        return number, self.follow_cue(boundary_s, as_is=True)  # the take before is played as it was to the boundary

    def select_take(self, number: int, when: When = "bar") -> float:
        """A take of the selected cue that was heard before plays again note for note; another number is composed."""
        session = self._session
        boundary_s = session.transport.boundary_s(when)
        known = session.takes.get(session.document.cue, number)
        label = f"take {Take(number).name}"
        if known is None:
            session.history.edit(replace(session.document, take=number), label, time.perf_counter())
            return self.follow_cue(boundary_s, as_is=True)
        document = replace(chosen(session.document, known), printed=session.document.printed)
        if document.other_cues:
            document = replace(document, result=replace(document.result, recipe=recipe(document)))
        session.history.edit(document, label, time.perf_counter())
        return session.follow_document(boundary_s, whole=True)

    def keep_take(self, name: str | None = None) -> KeptTake:
        """Marks the take in force as kept.  Raises ControlError while it is still being composed."""
        session = self._session
        name = None if name is None else checked_name(name)
        if not session.document.result.complete or recipe(session.document) != session.document.result.recipe:
            raise ControlError("not_ready", "this take is still being composed.")
        return session.takes.keep(session.document, session.playing.arrangement(), name)

    def name_take(self, number: int, name: str) -> None:
        session = self._session
        known = session.takes.get(session.document.cue, number)
        if known is None:
            raise ControlError("bad_value", f"there is no take {number}.")
        session.takes.put(session.document.cue, number, replace(known, name=checked_name(name)))

    def undo(self) -> float:
        session = self._session
        boundary_s = session.transport.boundary_s("bar")
        if session.history.undo() is None:
            raise ControlError("not_ready", "there is nothing to undo.")
        return session.follow_document(boundary_s, whole=True)

    def redo(self) -> float:
        session = self._session
        boundary_s = session.transport.boundary_s("bar")
        if session.history.redo() is None:
            raise ControlError("not_ready", "there is nothing to redo.")
        return session.follow_document(boundary_s, whole=True)

    # hits and sections ----------------------------------------------------------------------------------------------
    def add_hit(self, at_s: float, weight: str = "should", name: str = "") -> float:
        """A hit replaces one at the same place."""
        hits = [hit for hit in self._session.document.hits if abs(hit.time_s - at_s) > SAME_S]
        return self._set_hits([*hits, Hit(at_s, weight, name)], f"hit {name or format(at_s, '.2f')}")

    def remove_hit(self, at_s: float) -> float:
        hits = self._session.document.hits
        nearest = min(hits, key=lambda hit: abs(hit.time_s - at_s), default=None)
        if nearest is None or abs(nearest.time_s - at_s) > NEAR_S:
            raise ControlError("bad_value", f"there is no hit at {at_s:.2f} s.")
        return self._set_hits([hit for hit in hits if hit is not nearest], "no hit")

    def change_hits(self, gone: Collection[tuple[float, str]], hits: Sequence[Hit]) -> float:
        """Takes hits (second, name) away and sets others, which replace those at the same places, in one step."""
        times = sorted([hit.time_s for hit in hits])

        def stays(hit: Hit) -> bool:
            near = times[bisect_left(times, hit.time_s - SAME_S) : bisect_right(times, hit.time_s + SAME_S)]
            return not near and not any(abs(hit.time_s - at_s) < SAME_S and hit.name == name for at_s, name in gone)

        what = hits[0].name if len(hits) == 1 else f"{len(hits)} hits"
        left = [hit for hit in self._session.document.hits if stays(hit)]
        return self._set_hits([*left, *hits], f"hit {what}" if len(hits) == 1 else what if hits else "no hit")

    def accept_cuts(self, strength: float, weight: str = "should") -> tuple[int, float]:
        """Makes hits of the cuts; returns how many, and from when they are heard."""
        session = self._session
        cuts = [cut for cut in (session.analysed.cuts if session.analysed else ()) if cut.strength >= strength]
        taken = [hit.time_s for hit in session.document.hits]
        fresh = [cut for cut in cuts if all(abs(cut.time_s - time_s) > SAME_S for time_s in taken)]
        hits = [*session.document.hits, *(Hit(cut.time_s, weight, f"cut {cut.time_s:.2f}") for cut in fresh)]
        return len(fresh), self._set_hits(hits, "cuts as hits")

    def _set_hits(self, hits: Sequence[Hit], label: str) -> float:
        if len(hits) > MAX_MARKS:
            raise ControlError("bad_value", f"there are more than {MAX_MARKS} hits.")
        ordered = tuple(sorted(hits, key=lambda hit: hit.time_s))
        return self._edit(replace(self._session.document, hits=ordered), label)

    def add_section(self, from_s: float, changes: str, name: str = "", breath: bool = False) -> float:
        """From a position on controls have other values; replaces a section at the same place."""
        section = Section(from_s, parse_changes(changes), name, breath)
        others = [each for each in self._session.document.sections if abs(each.start_s - from_s) > SAME_S]
        if len(others) >= MAX_MARKS:
            raise ControlError("bad_value", f"there are more than {MAX_MARKS} sections.")
        ordered = tuple(sorted((*others, section), key=lambda each: each.start_s))
        return self._edit(replace(self._session.document, sections=ordered), f"section {name}".strip())

    def remove_section(self, at_s: float) -> float:
        sections = self._session.document.sections
        here = [each for each in sections if each.start_s <= at_s + SAME_S]
        if not here:
            raise ControlError("bad_value", f"no section plays at {at_s:.2f} s.")
        left = tuple(each for each in sections if each is not here[-1])
        return self._edit(replace(self._session.document, sections=left), "no section")

    def _edit(self, document: Document, label: str) -> float:
        """An edit that concerns the chords, from the next bar on while the playhead moves."""
        session = self._session
        boundary_s = session.transport.boundary_s("bar")
        session.history.edit(session.tempo.settled(document), label, time.perf_counter())
        return session.follow_document(boundary_s)

    def fit_tempo(
        self, low_bpm: float = 70.0, high_bpm: float = 140.0, kind: str = "fixed", percent: float = 4.0
    ) -> TempoReport:
        """Tempi, ramps or odd bars that meet the hits best, or the cuts where no hit is set; best first.

        Holds fixed tempi and the plans of that kind.  Raises ControlError.
        """
        session = self._session
        if session.analysed is None:
            raise ControlError("not_ready", "the film is not known yet.")
        hits = session.document.hits or tuple(Hit(cut.time_s) for cut in session.analysed.cuts)
        bar_1_s = session.picture_at(0.0)
        try:
            options = TempoFitOptions(
                low_bpm,
                high_bpm,
                step_bpm=0.1 if kind == "fixed" else 0.5,  # the session waits for the answer
                meter=session.tempo_map.meter_at(0),
                bar_1_s=bar_1_s,
                curve_percent=percent,
                count=8,
            )
            return fit_tempos(hits, session.analysed.film.rate, options, (kind,))
        except MusicError as error:
            raise ControlError("bad_value", str(error)) from None


def _has(document: Document, number: int) -> bool:
    return any(state.number == number for state in document.cue_states)


def checked_name(name: str) -> str:
    """1 to 64 printable characters.  Raises ControlError."""
    name = name.strip()
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise ControlError("bad_value", "a name is 1 to 64 printable characters.")
    return name


def parse_changes(text: str) -> tuple[tuple[str, str], ...]:
    """`activity=40; pattern=up` (or spaces between them).  Raises ControlError."""
    pieces = text.split(";") if ";" in text else re.findall(r"\S+", text)
    changes = []
    for piece in pieces:
        if not piece.strip():
            continue
        name, equals, value = (each.strip() for each in piece.partition("="))
        if not equals or name not in SECTION_CONTROLS:
            known = ", ".join(SECTION_CONTROLS)
            raise ControlError("bad_value", f"'{piece.strip()[:40]}' changes nothing; write name=value of {known}.")
        _check_change(name, value)
        changes.append((name, value))
    if not changes:
        raise ControlError("bad_value", "a section changes at least one control.")
    return tuple(changes)


def _check_change(name: str, value: str) -> None:
    try:
        if name == "key":
            Key.parse(value)
        elif name == "pattern":
            ArrangeOptions(pattern=value)
        elif name == "parts":
            for part in value.replace(",", " ").split():
                if part not in PARTS:
                    raise MusicError(f"'{part}' is not a part; parts are {', '.join(PARTS)}.")
        else:
            argument = BY_ADDRESS[f"{controls.ROOT}/{name}"].arguments[0]
            argument.check(value if value in argument.words else float(value))
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
    except ValueError:
        raise ControlError("bad_value", f"'{value[:40]}' is no {name}.") from None
