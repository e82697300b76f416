"""Which blocks are asked for, in which order, and what a long film's renderer is given."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from bridge.page import sound as page_sound
from bridge.page.notes import PlanTiles
from bridge.page.protocol import MUSIC_STREAM, unpack_sound
from bridge.page.sound import BlockFeed, Sound
from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from engine.music import Controller, Note, TempoMap
from engine.process.messages import SoundPlan, SoundWanted
from engine.sound.fonts import bundled_font
from engine.sound.soundfont import SoundFont
from engine.sound.stream import BlockSource, StreamServer, packed, plan_events
from engine.sound.voice import Voices

SECONDS = 40.0


class Ear:
    """A listener without a socket."""

    def __init__(self, first: int = 0, count: int = 0) -> None:
        self.missing: dict[int, list[int]] = {MUSIC_STREAM: list(range(first, first + count)), 2: []}
        self.heard: list[Any] = []

    def send(self, message: Any) -> None:
        self.heard.append(message)


def test_what_is_needed_first_is_asked_for_first_and_nothing_twice() -> None:
    asked: list[tuple[int, int]] = []
    feed = BlockFeed(MUSIC_STREAM, lambda first, count: asked.append((first, count)) or count)
    feed.clear(100)
    first, second = Ear(10, 4), Ear(12, 4)
    feed.serve([first, second])  # type: ignore[list-item]
    assert asked == []  # there is nothing to be asked of
    feed.ready = True
    feed.serve([first, second])  # type: ignore[list-item]
    feed.serve([first, second])  # type: ignore[list-item]
    assert asked == [(10, 6)]
    feed.arrived(1, 10, (("pad", b"\0" * 8),))
    feed.arrived(1, 12, (("pad", b"\0" * 8),))
    feed.serve([first, second])  # type: ignore[list-item]
    assert [unpack_sound(each)[2] for each in first.heard] == [10, 12]
    assert [unpack_sound(each)[2] for each in second.heard] == [12]
    feed.replaced(11)  # newer music
    second.missing[MUSIC_STREAM] = [12]
    feed.serve([first, second])  # type: ignore[list-item]
    assert asked[-1][0] in (11, 12)
    feed.serve([Ear(99, 4)])  # type: ignore[list-item]
    assert asked[-1] == (99, 1)  # no block behind the film's end


class Renderer:
    """The renderer in this process: what it was sent, and what it makes of it."""

    def __init__(self, sound: Sound) -> None:
        self._server, self._sound = StreamServer(Voices(SoundFont(bundled_font()))), sound
        self.plans: list[SoundPlan] = []
        self.pid = None

    def send(self, message: Any) -> None:
        if isinstance(message, SoundPlan):
            self.plans.append(message)
        assert isinstance(message, (SoundPlan, SoundWanted))
        self._server.take(message)

    def work(self) -> None:
        while not self._server.idle:
            self._sound._received(self._server.next_block())


def sound_of_one_chord() -> tuple[Sound, Renderer, asyncio.AbstractEventLoop]:
    """The page's sound of a plan that stands at 7.2 s, its renderer in this process."""
    tiles, memory = PlanTiles(), PlayerMemory(m.PlayerOptions())
    for message in memory.plan(1, "seconds", [Note(60, 80, 0.1, 19.0, 1, "pad")], [], 0.0):
        tiles.take(message)
    loop = asyncio.new_event_loop()
    sound = Sound(tiles, None, lambda ready, sentence: None, lambda first, count: count, lambda: (7.2, False), loop)
    sound._child = renderer = Renderer(sound)  # type: ignore[assignment]
    return sound, renderer, loop


def test_the_renderer_starts_once_a_page_is_open_and_what_it_makes_is_kept() -> None:
    sound, renderer, loop = sound_of_one_chord()
    sound.film_is(SECONDS)
    sound.looked_on(0)
    assert renderer.plans == []  # nobody looks on
    sound.looked_on(1)
    renderer.work()
    renderer.pid = 1
    sound.looked_on(2)  # it runs already
    assert len(renderer.plans) == 1
    ear = Ear(14, 2)  # whoever presses play gets the blocks at the playhead without waiting
    sound._listeners.append(ear)  # type: ignore[arg-type]
    sound.pump()
    assert [unpack_sound(each)[2] for each in ear.heard] == [14, 15]
    assert len(renderer.plans) == 1 and renderer._server.idle
    loop.close()


def test_a_plan_that_rests_reaches_a_renderer_that_nobody_asks(monkeypatch) -> None:
    """It computes keys near those that sound, so that the first change after play is soon heard."""
    monkeypatch.setattr("bridge.page.sound.REST_S", 0.01)
    sound, renderer, loop = sound_of_one_chord()
    renderer.pid = 1  # it runs, for a page that was open before
    sound.film_is(SECONDS)
    loop.run_until_complete(asyncio.sleep(0.05))
    assert renderer.plans == []  # nobody looks on
    sound.looked_on(1)
    for _ in range(3):
        sound.plan_changed(0.0)
    assert renderer.plans == []
    loop.run_until_complete(asyncio.sleep(0.05))
    assert len(renderer.plans) == 1
    loop.close()


@pytest.mark.parametrize("window_s", [180.0, 9.0])
def test_a_long_film_s_notes_are_sent_a_stretch_at_a_time_and_sound_the_same(monkeypatch, window_s) -> None:
    monkeypatch.setattr(page_sound, "WINDOW_S", window_s)
    monkeypatch.setattr(page_sound, "BEFORE_S", 12.0)
    tiles, memory = PlanTiles(), PlayerMemory(m.PlayerOptions())
    notes = [Note(48 + number % 24, 80, number / 4, 1.5, 1, "pad") for number in range(int(SECONDS * 4) - 8)]
    controls = [Controller(11, 40 + number * 2, float(number), 1, "pad") for number in range(0, 40, 4)]
    for message in memory.plan(1, "seconds", notes, controls, 0.0):
        tiles.take(message)
    loop = asyncio.new_event_loop()
    sound = Sound(tiles, None, lambda ready, sentence: None, lambda first, count: count, lambda: (0.0, False), loop)
    sound._child = renderer = Renderer(sound)  # type: ignore[assignment]
    sound.film_is(SECONDS)
    ear = Ear(0, int(SECONDS * 2))
    sound._listeners.append(ear)  # type: ignore[arg-type]
    sound.pump()
    for _ in range(200):
        renderer.work()
        sound.pump()
    assert not ear.missing[MUSIC_STREAM]
    heard = {unpack_sound(each)[2]: unpack_sound(each)[3] for each in ear.heard if isinstance(each, bytes)}
    whole = SoundPlan(1, tuple(notes), tuple(controls), TempoMap.constant(60), 0.0, SECONDS)
    source = BlockSource(renderer._server._voices, plan_events(whole))
    for index in range(int(SECONDS * 2)):
        block = source.block(index)["pad"]
        difference = np.frombuffer(heard[index].get("pad", packed(np.zeros_like(block))), "<i2").astype(int)
        # Another stretch adds the same notes in another order: the last bit of the integers at most.
        assert np.abs(difference - np.frombuffer(packed(block), "<i2")).max() <= 1, index
    assert (len(renderer.plans) > 3) == (window_s < SECONDS)
    assert all(len(plan.notes) < len(notes) for plan in renderer.plans) == (window_s < SECONDS)
    loop.close()
