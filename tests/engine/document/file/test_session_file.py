"""Session files: every version is read, what is read was written, and damage is one short sentence."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from engine.arrange.score import session_arrangement
from engine.document import (
    Document,
    FilmReading,
    KeptTake,
    Lock,
    Pin,
    Result,
    SavedSession,
    SavedTake,
    Step,
    TempoChoice,
    TempoOrigin,
)
from engine.document.file import SessionError, SessionWriter, decode_session, read_session
from engine.document.file.schema import VERSION
from engine.music import Chord, Draws, Film, FrameRate, Note, Slot, TempoMap, TimeSignature

FIXTURES = Path(__file__).parents[1] / "fixtures"
OLD = sorted(FIXTURES.glob("*-v[1-4]*.cuebridge.json"))


def small(**changes) -> SavedSession:
    slots = tuple(Slot(i, float(i), i + 1.0, 2.0 * i, 2.0 * i + 2, Chord.parse("Am9/E")) for i in range(3))
    document = Document(result=Result(slots=slots))
    document = document.with_pin(Pin(1.0, 2.0, Chord.parse("Dbmaj7#11"), "Db^7#11"))
    film = Film("/films/a.mp4", 3.0, FrameRate(Fraction(25)))
    saved = SavedSession(
        FilmReading(film), TempoChoice(TempoMap(), "beats", 0.0, "as asked"), (Step(document, "pin"),), 0
    )
    return replace(saved, **changes)


def values_of(saved: SavedSession) -> dict:
    return json.loads(SessionWriter().encode(saved))


def refused(values) -> str:
    with pytest.raises(SessionError) as caught:
        decode_session(values if isinstance(values, bytes) else json.dumps(values).encode())
    sentence = str(caught.value)
    assert len(sentence) < 220 and "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_a_file_of_version_1_is_read_whole() -> None:
    saved = read_session(FIXTURES / "one-cue-v1.cuebridge.json")
    document = saved.steps[saved.index].document
    assert saved.index == 12 and len(saved.steps) == 14 and [step.label for step in saved.steps][-1] == "frame rate"
    assert document.number_of("/cue/transpose") == 3 and document.text("/cue/progression") == "| Cm | Ab Eb |"
    assert document.pins[0].chord == Chord.parse("F#m7b5/C") and document.hits[0].weight == "must"
    assert document.sections[0].changes == (("activity", "20"), ("pattern", "1 * 2 *")) and document.sections[0].breath
    assert saved.tempo.tempo_map.bpm_at(0) == 97.5 and saved.tempo.tempo_map.meter_at(0) == TimeSignature(7, 8)
    assert [(each.cue, each.number, each.take.name, each.take.kept) for each in saved.takes] == [
        (0, 1, "dawn", True), (0, 2, "B", False)
    ]  # fmt: skip
    assert len(saved.takes[0].take.notes) == 355 and {mark.kind for mark in saved.names} == {"hit", "progression"}
    assert len(document.result.slots) == 42 and document.result.levels is not None
    old = json.loads((FIXTURES / "one-cue-v1.cuebridge.json").read_text())
    row = old["results"][old["steps"][12]["result"]]["slots"][5]
    slot = document.result.slots[5]
    assert (slot.start_s, slot.end_beats, slot.chord.label, slot.density) == (row[0], row[3], row[4], row[6])


def test_cues_takes_and_printed_ranges_of_version_1() -> None:
    saved = read_session(FIXTURES / "two-cues-v1.cuebridge.json")
    document = saved.steps[saved.index].document
    assert [(cue.name, cue.in_s, cue.out_s) for cue in document.cue_states] == [("1m1", 2.0, 12.0), ("1m2", 16.0, 30.0)]
    assert [(each.part, each.start_beats) for each in document.printed][:2] == [("pad", 8.0), ("pad", 38.0)]
    assert [len(each.take.notes) for each in saved.takes] == [187, 177, 179] and document.adopted == ((1, {}),)


@pytest.mark.parametrize("name", ["one-cue", "two-cues", "seconds"])
def test_version_2_holds_what_version_1_held(name) -> None:
    first, second = (read_session(FIXTURES / f"{name}-v{version}.cuebridge.json") for version in (1, 2))
    assert first == second


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.name)
def test_what_was_read_from_an_old_file_is_written_in_the_new_format_and_read_again(path) -> None:
    saved = read_session(path)
    data = SessionWriter().encode(saved)
    assert json.loads(data)["version"] == VERSION and decode_session(data) == saved


@pytest.mark.parametrize(("reason", "settings", "origin"), [
    ("tempo 73.4 bpm, because 4 of the 11 cuts then fall within 40 ms of a beat.", {}, TempoOrigin()),
    ("tempo 90 bpm: as asked.", {}, TempoOrigin(asked=True)),
    ("tempo 90 bpm, in the range of Hope (80 to 112).", {"/cue/tempo": 90.0}, TempoOrigin(proposed=((0, 90.0),))),
    ("tempo 90 bpm, in the range of Hope (80 to 112).", {"/cue/tempo": 96.0}, TempoOrigin()),
    ("tempo 90 bpm.", {"/cue/tempo": 72.0, "/cue/proposed": "a new scene"}, TempoOrigin(proposed=((0, 72.0),))),
])  # fmt: skip
def test_version_4_said_in_words_who_chose_the_tempo(reason, settings, origin) -> None:
    values = json.loads((FIXTURES / "planned-piano-v4.cuebridge.json").read_bytes())
    values["time"]["reason"] = reason
    values["steps"][values["index"]]["document"]["settings"].update(settings)
    assert decode_session(json.dumps(values).encode()).tempo.origin == origin


def test_who_chose_the_tempo_comes_back() -> None:
    tempo = replace(small().tempo, origin=TempoOrigin(True, ((0, 90.0), (3, 72.5))))
    assert decode_session(SessionWriter().encode(small(tempo=tempo))).tempo == tempo


def test_what_a_composer_typed_comes_back() -> None:
    (step,) = decode_session(SessionWriter().encode(small())).steps
    assert step.document.pins[0].typed == "Db^7#11" and step.document.result.slots[0].chord == Chord.parse("Am9/E")


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf", b"  \n"])
def test_a_byte_order_mark_is_read(head) -> None:
    assert decode_session(head + SessionWriter().encode(small())) == small()


def test_a_film_whose_name_is_no_unicode_is_found_again() -> None:
    saved = small(reading=FilmReading(Film("/films/f\udcfcr.mp4", 3.0, FrameRate(Fraction(25)))))
    data = SessionWriter().encode(saved)
    assert data.decode() and decode_session(data).reading.film.path == "/films/f\udcfcr.mp4"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_never_written(number) -> None:
    slots = (Slot(0, 0.0, 1.0, 0.0, 2.0, density=number),)
    note = Note(60, 80, number, 1.0, 1, "pad")
    document = Document(result=Result(slots=slots))
    for saved in (
        small(steps=(Step(document),)),
        small(steps=(Step(Document(progression_from_s=number)),)),
        small(takes=(SavedTake(0, 1, KeptTake(Document(), "A", True, (note,), ())),)),
        small(tempo=TempoChoice(TempoMap(), "beats", number, "")),
        small(steps=(Step(Document(locks=(Lock("pad", 0.0, number, 0.0, 1.0, (), ()),))),)),
        small(steps=(Step(Document(locks=(Lock("pad", 0.0, 1.0, 0.0, number, (), ()),))),)),
        small(steps=(Step(Document(locks=(Lock("pad", 0.0, 1.0, 0.0, 1.0, (note,), ()),))),)),
    ):
        with pytest.raises(SessionError, match="number"):
            SessionWriter().encode(saved)


def test_nothing_unknown_and_no_wrong_type_is_read() -> None:
    def changed(change) -> dict:
        values = values_of(small())
        change(values)
        return values

    for change, words in (
        (lambda v: v.update(extra=1), "extra"),
        (lambda v: v["steps"][0]["document"].update(colour="red"), "colour"),
        (lambda v: v["steps"][0]["document"].update(settings=[1]), "settings"),
        (lambda v: v["steps"][0]["document"].update(settings={"/cue/volume": 1}), "/cue/volume"),
        (lambda v: v["steps"][0]["document"].update(take=0), "take"),
        (lambda v: v["steps"][0]["document"].update(result=7), "result"),
        (lambda v: v.update(index=3), "step in force"),
        (lambda v: v["time"]["tempo_map"].update(origin_s="1e999999999"), "origin_s"),
        (lambda v: v["time"]["tempo_map"].update(origin_s="1/0"), "origin_s"),
        (lambda v: v["results"][0]["slots"][0].append(1), "at most"),
        (lambda v: v["results"][0]["slots"].reverse(), "order"),
        (lambda v: v.pop("results"), "results"),
        (lambda v: v["film"].update(path="a\0b"), "zero"),
        (lambda v: v["film"].update(path_bytes="00"), "zero"),
        (lambda v: v.update(version=VERSION + 1), "newer"),
        (lambda v: v.update(format="other"), "CueBridge"),
    ):
        assert words in refused(changed(change)), words
    assert "no JSON" in refused(SessionWriter().encode(small()).replace(b"[0.0,1.0,", b"[NaN,1.0,"))


def test_a_chord_that_nobody_can_read_is_said_with_where_it_stands() -> None:
    values = values_of(small())
    values["steps"][0]["document"]["settings"] = {"/cue/progression": "C Xm7 F"}
    assert "Xm7" in refused(values) and "step pin" in refused(values)
    values = json.loads((FIXTURES / "one-cue-v1.cuebridge.json").read_text())
    values["steps"][3]["pins"][0][2] = "H9z"
    assert "H9z" in refused(values)


@pytest.mark.parametrize("name", ["one-cue-v1", "two-cues-v1"])
@pytest.mark.parametrize("new", [False, True])
def test_damage_is_one_short_sentence(name, new) -> None:
    text = (FIXTURES / f"{name}.cuebridge.json").read_bytes()
    if new:
        text = SessionWriter().encode(decode_session(text))
    rng = random.Random(5)
    for number in range(150):
        damaged = bytearray(text)
        if number % 5 == 0:
            del damaged[rng.randrange(len(damaged)) :]
        else:
            for _ in range(rng.randrange(1, 4)):
                damaged[rng.randrange(len(damaged))] = rng.choice(b'0-"[]{},xe9/#:\xff')
        try:
            decode_session(bytes(damaged))
        except SessionError as error:
            assert len(str(error)) < 220 and "\n" not in str(error)
    for bad in (b"", b"[]", b"{}", b'{"format":3}', b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe{", b"\0" * 10):
        refused(bad)


def test_only_regular_files_are_opened(tmp_path) -> None:
    import os

    fifo = tmp_path / "pipe.cuebridge.json"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(SessionError):
            read_session(path)


def test_a_session_keeps_its_film_seed_and_one_from_before_has_none() -> None:
    old = FIXTURES / "one-cue-v1.cuebridge.json"
    saved = read_session(old)
    assert all(step.document.draws == Draws(rules=1) for step in saved.steps)
    seeded = replace(
        saved, steps=tuple(replace(step, document=replace(step.document, draws=Draws(77, 4))) for step in saved.steps)
    )
    again = decode_session(SessionWriter().encode(seeded))
    assert all(step.document.draws == Draws(77, 4) for step in again.steps)


@pytest.mark.parametrize(
    ("ensemble", "version", "rules"),
    [
        *((ensemble, "v3", 1) for ensemble in ("strings", "piano", "orchestra", "pop")),
        *((ensemble, "v4", 2) for ensemble in ("strings", "piano", "orchestra", "pop")),
        *((ensemble, "v4-rules3", 3) for ensemble in ("strings", "piano", "orchestra", "pop", "chamber")),
        *((ensemble, "v4-rules4", 4) for ensemble in ("strings", "piano", "orchestra", "pop", "chamber")),
        *((ensemble, "v4-rules5", 5) for ensemble in ("strings", "piano", "orchestra", "pop", "chamber")),
    ],
)
def test_a_planned_session_by_earlier_rules_sounds_as_it_did(ensemble, version, rules) -> None:
    """Notes as the version that wrote the file played them."""
    saved = read_session(FIXTURES / f"planned-{ensemble}-{version}.cuebridge.json")
    document = saved.steps[saved.index].document
    assert document.draws.rules == rules and [plan.rules for plan in document.result.plans] == [rules]
    again = decode_session(SessionWriter().encode(saved))
    for each in (saved, again):
        _, arrangement = session_arrangement(each)
        lines = [
            f"{note.part} {note.pitch} {note.start_beats:.4f} {note.length_beats:.4f} {note.velocity}"
            for note in arrangement.notes
        ]
        assert lines == (FIXTURES / f"planned-{ensemble}-{version}.notes.txt").read_text().splitlines()
