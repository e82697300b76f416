"""Which blocks of sound a page asks for: each once, and again only what is no longer true or no longer there."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import bridge.page
from bridge.page.protocol import FILM_STREAM, MUSIC_STREAM, unpack_sound
from bridge.page.sound import BlockFeed, Listener, Sound

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
    ):
        Sound._wanted(sound, listener, text)  # type: ignore[arg-type]
        assert (sent[MUSIC_STREAM], sent[FILM_STREAM]) == (music, film), text
        sent[MUSIC_STREAM], sent[FILM_STREAM] = [], []
