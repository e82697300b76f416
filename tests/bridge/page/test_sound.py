"""Blocks of sound as a page gets them, against the same notes rendered offline."""

from __future__ import annotations

import numpy as np
import pytest
from livelab import CLIP
from offlinelab import OfflineStage
from pagelab import PageProcess, Socket
from sessionlab import Engine

from bridge.page import messages as p
from bridge.page.protocol import FILM_STREAM, MUSIC_STREAM, unpack_sound
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.process.messages import SOUND_BLOCK, SoundPlan
from engine.sound.film_sound import FilmSound
from engine.sound.fonts import bundled_font
from engine.sound.soundfont import SoundFont
from engine.sound.stream import BlockSource, packed, plan_events, unpacked
from engine.sound.voice import Voices

SECONDS = 6.0
BLOCKS = int(SECONDS * 2)


@pytest.fixture
def played(clock, tmp_path):
    """A composed film of 6 s whose notes a real server has, and a socket for its sound."""
    stage = OfflineStage(clock, Engine(SECONDS), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
    with PageProcess(tmp_path, soundfont=str(bundled_font())) as page:
        stage.player.listeners.append(page.link.take_player_message)
        page.tell(p.FilmOf(str(CLIP), CLIP.name, True, SECONDS))
        stage.ready()
        with page.socket("sound") as socket:
            yield stage, page, socket
    stage.close()


def settled(page: PageProcess, socket: Socket) -> int:
    """The revision once the notes that are on their way have come."""
    import time

    page.browser.get("/state")
    time.sleep(0.3)
    page.tell(p.Said(0.0, ""))
    revision, patience_s = -1, 5.0
    while True:
        try:
            message = socket.next(patience_s)
        except TimeoutError:
            return revision
        if isinstance(message, dict):
            revision, patience_s = message["revision"], 0.3


def blocks(socket: Socket, first: int, count: int, stream: int = MUSIC_STREAM, *, film: bool = False):
    """Block -> (revision, part -> samples), all of a range."""
    socket.send({"want": [first, count], "film": film})
    found: dict[int, tuple[int, dict[str, bytes]]] = {}
    while len(found) < count:
        message = socket.next(30.0)
        if isinstance(message, bytes):
            kind, revision, index, parts = unpack_sound(message)
            if kind == stream:
                found[index] = (revision, parts)
    return found


def offline(stage: OfflineStage, count: int = BLOCKS) -> list[dict[str, np.ndarray]]:
    """The plan's notes rendered at once, in beats on the session's tempo map."""
    session = stage.session
    made = session.whole()
    assert made is not None
    arrangement = made[1]
    plan = SoundPlan(1, arrangement.notes, arrangement.controllers, session.tempo_map, session.starts_s, SECONDS)
    source = BlockSource(Voices(SoundFont(bundled_font())), plan_events(plan))
    return [source.block(index) for index in range(count)]


def same(heard: dict[str, bytes], wanted: dict[str, np.ndarray]) -> None:
    """To the last bit of what is sent; what is left out is silent."""
    for part, block in wanted.items():
        assert heard.get(part, bytes(4 * block.shape[1])) == packed(block), part


def test_blocks_are_the_offline_sum_and_a_change_replaces_those_after_it(played) -> None:
    stage, page, socket = played
    settled(page, socket)
    before = blocks(socket, 0, BLOCKS)
    wanted = offline(stage)
    for index in range(BLOCKS):
        same(before[index][1], wanted[index])
    assert max(np.abs(unpacked(data)).max() for _, parts in before.values() for data in parts.values()) > 0.05

    at_s = next(block.start_s for block in stage.session.document.blocks() if block.start_s > 2.5)
    stage.osc("/cue/chords/pin", "Ebm", at_s)
    stage.ready()
    revision = settled(page, socket)
    after, changed = blocks(socket, 0, BLOCKS), offline(stage)
    for index in range(BLOCKS):
        assert after[index][0] <= revision
        same(after[index][1], changed[index])
    assert after[0][1] == before[0][1]  # what lies before it is as it was
    assert any(after[index][1] != before[index][1] for index in range(int(at_s * 2), BLOCKS))
    # A jump gives the same blocks as straight play.
    assert {index: parts for index, (_, parts) in blocks(socket, 7, 3).items()} == {
        index: after[index][1] for index in (7, 8, 9)
    }


def test_the_film_s_own_sound_is_a_stream_of_its_own(played) -> None:
    _, page, socket = played
    settled(page, socket)
    heard = blocks(socket, 0, 6, FILM_STREAM, film=True)
    sound = FilmSound(CLIP)
    for index in range(6):
        revision, parts = heard[index]
        assert revision == 0 and parts["film"] == packed(sound.read(SOUND_BLOCK))
    jumped = blocks(socket, 9, 2, FILM_STREAM, film=True)
    sound.close()
    sound = FilmSound(CLIP)
    wanted = sound.read(SOUND_BLOCK * 11)[:, SOUND_BLOCK * 9 :]
    found = np.concatenate([unpacked(jumped[index][1]["film"]) for index in (9, 10)], axis=1)
    # Resampling begins anew at a frame's edge, up to half a sample beside where straight play has it.
    lags = [float((found[0, 100 + lag : -100 + lag] * wanted[0, 100:-100]).sum()) for lag in range(-50, 51)]
    assert int(np.argmax(lags)) == 50
    assert np.corrcoef(found[0], wanted[0])[0, 1] > 0.995
    sound.close()


def test_a_renderer_that_dies_comes_back(played) -> None:
    import os
    import signal

    import psutil

    _, page, socket = played
    settled(page, socket)
    before = blocks(socket, 2, 2)
    for child in psutil.Process(page.link.pid).children():
        if "multiprocessing.spawn" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
    page.browser.get("/state")
    assert {index: parts for index, (_, parts) in blocks(socket, 2, 4).items() if index < 4} == {
        index: parts for index, (_, parts) in before.items()
    }


def test_without_a_soundfont_a_page_says_so_and_goes_on(clock, tmp_path) -> None:
    stage = OfflineStage(clock, Engine(SECONDS), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
    with PageProcess(tmp_path, soundfont=str(tmp_path / "none.sf2")) as page, page.socket() as socket:
        stage.player.listeners.append(page.link.take_player_message)
        page.tell(p.FilmOf(str(CLIP), CLIP.name, True, SECONDS))
        stage.ready()
        said = socket.until(lambda each: each.get("sound", {}).get("sentence"), 30.0)["sound"]
        assert not said["ready"] and said["sentence"] == f"There is no SoundFont {tmp_path / 'none.sf2'}."
        assert page.browser.get("/state").json()["sound"]["sentence"] == said["sentence"]
        assert socket.ask("/cue/play")["ok"] == []
    stage.close()
