"""What the sound card's process says of blocks that do not come."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from bridge.page.protocol import MUSIC_STREAM, pack_sound
from bridge.page.speaker import Speaker
from engine.music import controls


@pytest.fixture
def speaker() -> Speaker:
    return Speaker(SimpleNamespace(put=lambda *block: None, clear=lambda: None))


def rolls(speaker: Speaker, at_s: float, *, rolling: bool = True) -> None:
    speaker.heard({"set": controls.PLAYHEAD, "args": [at_s, 0.0, "", "", "", rolling], "t": time.perf_counter()})


def test_it_says_once_that_the_sound_is_behind_and_again_after_a_calm(speaker: Speaker) -> None:
    rolls(speaker, 10.0)
    assert [speaker.falls_behind(now_s) for now_s in (0.0, 0.5, 1.0, 1.5, 9.0)] == [False, False, True, False, False]
    for index in range(19, 24):
        speaker.took(pack_sound(MUSIC_STREAM, 1, index, ()))
    assert not any(speaker.falls_behind(now_s) for now_s in (10.0, 11.0))
    rolls(speaker, 50.0)  # shorter than a calm: the same trouble
    assert not any(speaker.falls_behind(now_s) for now_s in (11.5, 13.0))
    rolls(speaker, 10.0)
    assert not any(speaker.falls_behind(now_s) for now_s in (14.0, 17.5))
    rolls(speaker, 50.0)
    assert [speaker.falls_behind(now_s) for now_s in (18.0, 19.0)] == [False, True]


def test_at_rest_and_beside_a_daw_nothing_is_behind(speaker: Speaker) -> None:
    rolls(speaker, 10.0, rolling=False)
    assert not any(speaker.falls_behind(now_s) for now_s in (0.0, 2.0))
    rolls(speaker, 10.0)
    speaker.heard({"sound": {"daw": True}})
    assert not any(speaker.falls_behind(now_s) for now_s in (3.0, 5.0))
