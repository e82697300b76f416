"""Which blocks of sound a page asks for: each once, and again only what is no longer true or no longer there."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import bridge.page
from bridge.page.protocol import FILM_STREAM, MUSIC_STREAM, unpack_sound
from bridge.page.sound import BLOCK_S, BlockFeed, Listener, Sound
from engine.music import TempoMap
from engine.process.messages import SoundBlock, SoundPlan, SoundWanted
from engine.sound.fonts import bundled_font
from engine.sound.soundfont import SoundFont
from engine.sound.stream import StreamServer
from engine.sound.voice import Voices

HOST = Path(__file__).with_name("sound_host.mjs")
SOUND = Path(bridge.page.__file__).parent / "static" / "sound"
NODE = shutil.which("node")
AHEAD = 9
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def done(acts: list[dict[str, Any]]) -> list[list[Any]]:
    """First lacking block, how many, and blocks said to be here that the mixer does not have."""
    found = subprocess.run(
        [str(NODE), str(HOST), str(SOUND)], input=json.dumps(acts).encode(), capture_output=True, check=True, timeout=60
    )
    return json.loads(found.stdout)


def lacking(first: int, stream: int = 1) -> dict[str, Any]:
    return {"lacking": [stream, first, first + AHEAD]}


@needs_node
def test_in_straight_play_each_block_is_asked_for_once() -> None:
    acts: list[dict[str, Any]] = [lacking(0), *({"put": [1, index, 1]} for index in range(AHEAD))]
    for first in range(1, 300):
        acts += [lacking(first), {"put": [1, first + AHEAD - 1, 1]}]
    asked = done(acts)
    assert asked[0][:2] == [0, AHEAD]
    assert [each[:2] for each in asked[1:]] == [[first + AHEAD - 1, 1] for first in range(1, 300)]


@needs_node
def test_newer_music_is_asked_for_from_where_it_is_newer() -> None:
    blocks = [{"put": [stream, index, 1 if stream == 1 else 0]} for index in range(AHEAD) for stream in (1, 2)]
    acts = [
        *blocks, {"renewed": [2, 5]}, lacking(0), lacking(0, 2), {"put": [1, 5, 2]}, {"renewed": [2, 5]}, lacking(0),
        {"renewed": [3, 0]}, lacking(0), lacking(0, 2), *blocks, {"clear": True}, lacking(0), lacking(0, 2),
    ]  # fmt: skip
    found = [each[:2] for each in done(acts)]
    assert found == [[5, 4], [9, 0], [6, 3], [0, 9], [0, 9], [0, 9], [0, 9]]


@needs_node
def test_what_is_said_to_be_here_the_mixer_has_wherever_one_jumps() -> None:
    chance = random.Random(5)
    acts: list[dict[str, Any]] = []
    for jump in range(200):
        first = chance.randrange(0, 2000) if jump % 3 else chance.randrange(0, 30)
        for stream in (1, 2):
            acts.append(lacking(first, stream))
            acts += [{"put": [stream, first + index, jump]} for index in range(AHEAD)]
    assert all(gone == [] for _, _, gone in done(acts))


def test_a_page_wants_of_each_stream_what_it_lacks() -> None:
    """The socket's message as the page writes it, and each block it names is sent once."""
    sent: dict[int, list[int]] = {MUSIC_STREAM: [], FILM_STREAM: []}
    listener = Listener(SimpleNamespace())  # type: ignore[arg-type]
    listener.send = lambda data: sent[unpack_sound(data)[0]].append(unpack_sound(data)[2])  # type: ignore[method-assign]
    feeds = {}
    for stream in sent:
        feeds[stream] = feed = BlockFeed(stream, lambda first, count: count)
        feed.ready, feed.count = True, 40
        for index in range(40):
            feed.arrived(1, index, ())
    sound = SimpleNamespace(pump=lambda: [feed.serve([listener]) for feed in feeds.values()])
    for text, music, film in (
        ('{"want": [8, 1], "film": [4, 5]}', [8], [4, 5, 6, 7, 8]),
        ('{"want": [9, 0], "film": false}', [], []),
        ('{"want": [2, 2], "film": true}', [2, 3], [2, 3]),
        ('{"want": null}', [], []),
        ('{"want": [-3, 2], "film": [38, 900]}', [0, 1], [38, 39]),
        ('{"want": ["x", 2]}', [], []),
        ('{"want": [3, 4], "have": [4, 6, "x"]}', [3, 5], []),
        ('{"want": [3, 2], "have": 4}', [3, 4], []),
    ):
        Sound._wanted(sound, listener, text)  # type: ignore[arg-type]
        assert (sent[MUSIC_STREAM], sent[FILM_STREAM]) == (music, film), text
        sent[MUSIC_STREAM], sent[FILM_STREAM] = [], []


@needs_node
def test_changes_while_nothing_is_played_do_not_add_up() -> None:
    """A block and the one that it takes the place of; those before that one are let go."""
    acts: list[dict[str, Any]] = [{"put": [1, index, revision]} for revision in range(50) for index in range(AHEAD)]
    assert done([*acts, {"held": True}]) == [2 * AHEAD]
    many = [{"put": [1, index, 1]} for index in range(1000)]
    assert done([*many, {"held": True}])[0] <= 130


@needs_node
def test_a_page_says_sound_behind_after_a_second_without_and_until_three_with_it() -> None:
    here = [True, *[False] * 2, True, *[False] * 4, True, False, *[True] * 8]  # twice a second
    acts = [{"watch": [0.5 * index, each]} for index, each in enumerate(here)]
    said = done(acts)
    assert said == [False] * 6 + [True] * 10 + [False] * 2
    assert done([*acts[:8], {"watch": [9.0, None]}, {"watch": [9.1, False]}])[-2:] == [False, False]


class Page:
    """A page in play and the renderer it gets its music from, on a clock that is moved by hand.

    makes_s(now_s): seconds that the renderer takes for a block.  in_time: blocks that were there before their end.
    """

    def __init__(self, makes_s: Callable[[float], float], server: Any, plan: Any) -> None:
        self.now_s, self.end_s = 0.0, plan.duration_s
        self._makes_s, self._server = makes_s, server
        self._making: tuple[float, SoundBlock] | None = None  # when it will be there
        server.take(plan)
        self.listener = Listener(SimpleNamespace())  # type: ignore[arg-type]
        self.listener.send = self._take  # type: ignore[method-assign]
        self.feed = BlockFeed(
            MUSIC_STREAM, self._ask, lambda later_s: int((self.now_s + later_s) // BLOCK_S), lambda: self.now_s
        )
        self.feed.ready, self.feed.count = True, int(self.end_s / BLOCK_S)
        self.have: set[int] = set()
        self.in_time: list[int] = []

    def _ask(self, first: int, count: int) -> int:
        self._server.take(SoundWanted(1, first, count))
        self._make()
        return count

    def _make(self) -> None:
        """What is begun is brought to its end; then the newest request counts."""
        if self._making is None and not self._server.idle:
            self._making = (self.now_s + self._makes_s(self.now_s), self._server.next_block())

    def _take(self, data: Any) -> None:
        index = unpack_sound(data)[2]
        self.have.add(index)
        if index >= self.now_s // BLOCK_S:
            self.in_time.append(index)

    def play(self) -> list[int]:
        first = -1
        while self.now_s < self.end_s:
            if int(self.now_s // BLOCK_S) != first:
                first = int(self.now_s // BLOCK_S)
                lacking = [index for index in range(first, first + AHEAD) if index not in self.have]
                wanted = (lacking[0], lacking[-1] + 1 - lacking[0]) if lacking else (0, 0)
                self.listener.want(wanted, (0, 0), self.have)
                self.feed.serve([self.listener])
            if self._making is not None and self._making[0] <= self.now_s:
                block, self._making = self._making[1], None
                self._make()
                self.feed.arrived(1, block.index, block.parts)
                self.feed.serve([self.listener])
            self.now_s = round(self.now_s + 0.01, 2)
        return self.in_time


@pytest.fixture(scope="module")
def voices() -> Voices:
    return Voices(SoundFont(bundled_font()))


def heard(voices: Voices, makes_s: Callable[[float], float], seconds: float = 60.0) -> list[int]:
    return Page(makes_s, StreamServer(voices), SoundPlan(1, (), (), TempoMap.constant(60), 0.0, seconds)).play()


@pytest.mark.parametrize(("makes_s", "least"), [(0.05, 119), (0.3, 119), (0.6, 90), (0.8, 70), (1.5, 32), (3.5, 10)])
def test_a_renderer_that_is_too_slow_makes_what_is_still_in_time(voices: Voices, makes_s: float, least: int) -> None:
    """Of 120 blocks it can make 60 s / makes_s; nearly all of these are heard, instead of none."""
    found = heard(voices, lambda now_s: makes_s)
    assert least <= len(found) <= min(120, 60 / makes_s)
    assert len(set(found)) == len(found)


def test_after_a_stall_the_sound_is_whole_again_within_two_seconds(voices: Voices) -> None:
    found = set(heard(voices, lambda now_s: 20.0 if now_s == 0 else 0.05))
    assert found >= set(range(44, 120))


def test_at_rest_what_is_under_the_playhead_is_made_first() -> None:
    asked: list[tuple[int, int]] = []
    feed = BlockFeed(MUSIC_STREAM, lambda first, count: asked.append((first, count)) or count, clock=lambda: clock_s)
    feed.ready, feed.count = True, 40
    listener = Listener(SimpleNamespace())  # type: ignore[arg-type]
    for clock_s in (0.0, 30.0, 60.0):  # noqa: B007 (the feed reads it)
        listener.want((7, 9), (0, 0))
        feed.serve([listener])
    assert asked == [(7, 9)]
