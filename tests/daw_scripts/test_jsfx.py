"""REAPER's effect (JSFX) in an interpreter of EEL2: what it is given it plays at the sample and kept in the project.

It has never run in REAPER itself.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.daw.print import PrintJob, PrintPart, render_print
from engine.music.note import Controller, Note
from tests.jsfx import Effect, JsfxError

ROOT = Path(__file__).resolve().parents[2]
SOURCE = (ROOT / "daw_scripts" / "reaper" / "Effects" / "CueBridge.jsfx").read_text()
FEEDER = ROOT / "daw_scripts" / "reaper" / "Scripts" / "cuebridge_play.lua"
RATE, BPM = 48000.0, 97.0
FRAMES_A_BEAT = RATE * 60 / BPM
HEAD, WIDTH = 16, 7


def handed_over(gmem: dict[int, float], notes: list[Note], controls: list[Controller] = ()) -> dict[int, float]:
    """What cuebridge_play.lua writes; test_the_feeder_… holds it to that."""
    rows = [(n.start_beats, 1, 0x90 + n.channel - 1, n.pitch, n.velocity + 256 * (n.part == "pad"), n.length_beats)
            for n in notes]  # fmt: skip
    rows += [(c.time_beats, 0, 0xB0 + c.channel - 1, c.number, c.value, 0.0) for c in controls]
    for index, (beat, _, status, data1, data2, length) in enumerate(sorted(rows, key=lambda row: row[:2])):
        values = (beat // 1, beat % 1, length // 1, length % 1, status, data1, data2)
        gmem.update((HEAD + WIDTH * index + place, float(value)) for place, value in enumerate(values))
    gmem[1], gmem[0] = float(len(rows)), gmem.get(0, 0.0) + 1
    return gmem


@dataclass
class Reaper:
    """Rolls the effect; (frame since the first block, status, data 1, data 2) of all that it sent."""

    effect: Effect
    frame: int = 0

    def roll(self, beat: float, frames: int, sizes: tuple[int, int] = (512, 512), bpm: float = BPM):
        heard, end, draw = [], self.frame + frames, random.Random(5)
        begin = self.frame
        while self.frame < end:
            size = min(draw.randint(*sizes), end - self.frame)
            at = beat + (self.frame - begin) * bpm / 60 / RATE
            sent = self.effect.block(size, play_state=1, beat_position=at, tempo=bpm, srate=RATE)
            assert [each[0] for each in sent] == sorted(each[0] for each in sent)
            heard += [(self.frame + offset, *message) for offset, *message in sent]
            self.frame += size
        return heard

    def stop(self):
        return self.effect.block(512, play_state=0)


def effect_with(notes: list[Note], controls: list[Controller] = ()) -> Effect:
    effect = Effect(SOURCE, {})
    handed_over(effect.gmem, notes, controls)
    effect.block(64, play_state=0)
    assert effect.gmem[2] == effect.gmem[0]  # it says that it took them
    return effect


def tune(count: int = 100) -> list[Note]:
    draw = random.Random(3)
    notes = [Note(30 + i % 60, 80, 0.1 + i * 0.0777, draw.uniform(0.02, 0.3), 2, "arp") for i in range(count)]
    return sorted([*notes, *(Note(40 + i, 70, 2.0 * i, 2.0, 1, "pad") for i in range(5))], key=lambda n: n.start_beats)


def no_key_is_left_or_doubled(heard) -> None:
    sounding = set()
    for _, status, key, _ in heard:
        if status & 0xF0 == 0x90:
            assert (status & 15, key) not in sounding
            sounding.add((status & 15, key))
        elif status & 0xF0 == 0x80:
            sounding.remove((status & 15, key))
    assert not sounding


@pytest.mark.parametrize("sizes", [(1, 8), (512, 512), (1, 4096)])
def test_every_note_at_its_sample(sizes) -> None:
    notes = tune(40 if sizes[1] == 8 else 100)
    reaper = Reaper(effect_with(notes))
    length = round((0.8 if sizes[1] == 8 else 9) * FRAMES_A_BEAT)
    heard = reaper.roll(0.0, length, sizes)
    heard += [(length, *message) for _, *message in reaper.stop()]
    no_key_is_left_or_doubled(heard)
    ons = sorted((each[0], each[2]) for each in heard if each[1] & 0xF0 == 0x90)
    wanted = sorted(
        (n.start_beats * FRAMES_A_BEAT, n.pitch) for n in notes if n.start_beats * FRAMES_A_BEAT < length - 0.5
    )
    assert sorted(pitch for _, pitch in ons) == sorted(pitch for _, pitch in wanted) and len(ons) >= 9
    for pitch in {pitch for _, pitch in wanted}:
        for (frame, _), (exact, _) in zip(
            [on for on in ons if on[1] == pitch], [on for on in wanted if on[1] == pitch], strict=True
        ):
            assert abs(frame - exact) <= 0.5 + 1e-6


def test_a_project_keeps_it_without_cuebridge() -> None:
    notes = [Note(60 + i % 20, 80, 400 + i * 0.3337, 0.2, 2, "arp") for i in range(60)]
    effect = effect_with(notes)
    state = effect.save()
    assert len(state) == 4 * (1 + WIDTH * len(notes))
    # Opened in a REAPER in which another project's notes were handed over: they are not this one's.
    gmem = handed_over({}, tune())
    reopened = Effect(SOURCE, gmem, state)
    heard, again = (Reaper(each).roll(399.9, round(21 * FRAMES_A_BEAT)) for each in (effect, reopened))
    assert [each[1:] for each in again] == [each[1:] for each in heard]
    ons = [each for each in again if each[1] == 0x91]
    assert len(ons) == 60
    for note, (frame, *_) in zip(notes, ons, strict=True):
        assert abs(frame - (note.start_beats - 399.9) * FRAMES_A_BEAT) <= 0.51  # its fractions have 32 bits


def test_a_start_in_a_held_pad_sounds_it_and_not_the_rest() -> None:
    notes = [Note(48, 70, 0.0, 8.0, 1, "pad"), Note(60, 80, 0.0, 8.0, 2, "arp"), Note(50, 70, 0.0, 2.0, 1, "pad")]
    reaper = Reaper(
        effect_with(
            notes, [Controller(1, 30, 0.0, 1, "pad"), Controller(1, 90, 1.0, 1, "pad"), Controller(1, 5, 7.0, 1, "pad")]
        )
    )
    heard = reaper.roll(4.0, 2048)
    assert [each[1:] for each in heard] == [(0xB0, 1, 90), (0x90, 48, 70)]
    assert [each[1:] for each in reaper.stop()] == [(0x80, 48, 64)]


def test_a_loop_and_a_locate_end_what_sounds_and_lose_nothing() -> None:
    notes = tune()
    reaper = Reaper(effect_with(notes))
    heard, turns = [], []
    turn = round(2 * FRAMES_A_BEAT)
    for _ in range(3):
        begin = reaper.frame
        turns.append([(each[0] - begin, *each[1:]) for each in reaper.roll(4.0, turn, (256, 256))])
        heard += [(begin + each[0], *each[1:]) for each in turns[-1]]
    ons = [[(at, key) for at, status, key, _ in one if status == 0x91] for one in turns]
    assert ons[0] == ons[1] == ons[2] and len(ons[0]) > 20
    heard += reaper.roll(9.0, turn)  # a locate while it rolls
    heard += [(reaper.frame, *message) for _, *message in reaper.stop()]
    no_key_is_left_or_doubled(heard)


def test_a_tempo_that_changes_is_no_jump() -> None:
    reaper, beat, heard = Reaper(effect_with([Note(48, 70, 0.0, 8.0, 1, "pad")])), 0.0, []
    for number in range(200):
        bpm = 60 + number * 0.7
        heard += reaper.effect.block(512, play_state=1, beat_position=beat, tempo=bpm)
        beat += 512 / RATE * (bpm + 0.35) / 60
    assert [each[1] for each in heard] == [0x90]


def test_one_channel_alone_where_the_slider_says_so() -> None:
    effect = effect_with(tune(20))
    effect.values["slider1"] = 1.0
    assert {each[1] & 15 for each in Reaper(effect).roll(0.0, 40000)} == {0}


def test_new_notes_take_the_place_of_the_old() -> None:
    reaper = Reaper(effect_with([Note(48, 70, 0.0, 8.0, 1, "pad")]))
    heard = reaper.roll(0.0, 4096)
    handed_over(reaper.effect.gmem, [Note(50, 70, 0.0, 8.0, 1, "pad")])
    heard += reaper.roll(4096 * BPM / 60 / RATE, 4096)
    assert [each[1:] for each in heard] == [(0x90, 48, 70), (0x80, 48, 64), (0x90, 50, 70)]


@pytest.mark.parametrize(
    "wrong", ["begin_off(at)", "sounding -= ;", "nothing[0] = 1", "midisend(0, 0x90, 4096 * 4096)"]
)
def test_the_interpreter_refuses_what_is_wrong(wrong) -> None:
    with pytest.raises(JsfxError):
        Effect(SOURCE.replace("@block\n", f"@block\n{wrong};\n"), {}).block(64, play_state=0)


STUB = """
local gmem, state, clock, attached = {{}}, {{ ["CueBridge/play"] = {path:?} }}, 0, false
reaper = {{
  GetExtState = function (a, b) return state[a .. "/" .. b] or "" end,
  SetExtState = function (a, b, value) state[a .. "/" .. b] = value end,
  DeleteExtState = function (a, b) state[a .. "/" .. b] = nil end,
  gmem_attach = function (name) attached = name == "CueBridge" end,
  gmem_read = function (at) assert (attached)
    if at == 2 and {takes} then return gmem[0] or 0 end
    return gmem[at] or 0
  end,
  gmem_write = function (at, value) assert (attached and type (value) == "number") gmem[at] = value end,
  time_precise = function () clock = clock + 0.01 return clock end,
  MarkProjectDirty = function () state.dirty = true end,
}}
dofile ({script:?})
print ("said\\t" .. (state["CueBridge/played"] or "") .. "\\t" .. tostring (state.dirty))
for at, value in pairs (gmem) do print (string.format ("gmem\\t%d\\t%.17g", at, value)) end
"""


@pytest.mark.skipif(shutil.which("ardour7-lua") is None, reason="ardour7-lua is not installed")
@pytest.mark.parametrize("case", ["whole", "cut off", "nobody there"])
def test_the_feeder_hands_over_what_a_print_file_says(tmp_path, case) -> None:
    notes, controls = tune(30), [Controller(11, 90, 1.0, 2, "pad"), Controller(11, 60, 0.1, 2, "pad")]
    parts = tuple(
        PrintPart(
            part,
            f"{part} 1",
            channel,
            tuple(n for n in notes if n.part == part),
            tuple(c for c in controls if c.channel == channel),
        )
        for part, channel in (("pad", 1), ("arp", 2))
    )
    text = render_print(PrintJob("film", 0.0, 60.0, 0.0, 97.0, parts))
    path = tmp_path / "job.txt"
    path.write_text(text if case != "cut off" else text[: len(text) // 2])
    run = tmp_path / "run.lua"
    stub = STUB.format(path=Quoted(path), script=Quoted(FEEDER), takes="false" if case == "nobody there" else "true")
    run.write_text(stub)
    done = subprocess.run(
        ["ardour7-lua", str(run)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    (said,) = [line[1:] for line in lines if line[0] == "said"]
    gmem = {int(at): float(value) for word, at, value in (line for line in lines if line[0] == "gmem")}
    if case == "cut off":
        assert said == ["0", "this is no whole print file of this version", "nil"] and not gmem
        return
    if case == "nobody there":
        assert said[0] == "0" and said[1].startswith("no effect CueBridge took the notes") and said[2] == "nil"
    else:
        assert said == ["1", str(len(notes) + len(controls)), "true"]
    wanted = handed_over({}, notes, controls)
    assert gmem.keys() == wanted.keys()
    assert all(gmem[at] == pytest.approx(value, abs=1e-6) for at, value in wanted.items())


class Quoted(str):
    """A text of Lua's, in a format."""

    def __new__(cls, path: Path) -> Quoted:
        return super().__new__(cls, path)

    def __format__(self, how: str) -> str:
        return '"' + str(self).replace("\\", "\\\\").replace('"', '\\"') + '"'
