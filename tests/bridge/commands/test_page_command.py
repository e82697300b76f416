"""`cuebridge page`: how its words are read, and what `live` says while the page's server is slow."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livelab import CLIP

from bridge.commands import live, live_options, page
from bridge.commands.live_options import parse
from bridge.page import messages as p
from bridge.page import server
from bridge.page.hub import Request
from bridge.page.server import PageServer
from bridge.player.messages import PlayerStatus
from engine.interchange.temp_track import TempTrack
from engine.music import UserError
from engine.music.arguments import ControlError


@pytest.fixture
def begun(monkeypatch) -> list[tuple[Any, ...]]:
    """What was begun: the plan of a session, or the page alone with a link."""
    found: list[tuple[Any, ...]] = []

    class Begun:
        def __init__(self, plan: Any) -> None:
            found.append(("live", plan))

        def run(self) -> int:
            return 0

    monkeypatch.setattr(page, "Live", Begun)
    monkeypatch.setattr(page, "_run", lambda given, link=None: found.append(("page", link)) or 0)
    return found


@pytest.mark.parametrize(
    "words",
    [
        [str(CLIP), "--play", "--bpm", "90"],
        ["--play", str(CLIP), "--bpm", "90"],
        ["--bpm", "90", "--play", str(CLIP)],
        ["--bpm", "90", str(CLIP), "--play"],
    ],
)
def test_the_film_stands_anywhere_among_the_words(begun, words) -> None:
    assert page.main(words) == 0
    [(kind, plan)] = begun
    assert kind == "live" and plan.session.film == str(CLIP) and plan.session.play
    assert plan.session.tempo.bpm == 90 and plan.player.ports.api == "none"


def test_a_link_stands_anywhere_and_a_wrong_word_is_refused(begun, capsys) -> None:
    pytest.importorskip("yt_dlp")
    assert page.main(["--play", "https://films.example/one"]) == 0
    assert begun == [("page", "https://films.example/one")]
    with pytest.raises((SystemExit, UserError)):
        page.main(["--plya"])


def test_the_page_needs_no_bundled_clip(monkeypatch, tmp_path) -> None:
    for name in ("engine.music.bundled.bundled_clip", "bridge.commands.page_link.bundled_clip"):
        monkeypatch.setattr(name, lambda: tmp_path / "none.mp4")
    links: list[Any] = []

    class Link:
        fault = "no server here."

        def start(self) -> bool:
            return False

        def close(self, patience_s: float = 0.0) -> None:
            pass

    monkeypatch.setattr(page, "page_link", lambda wanted, version, film: links.append(wanted) or Link())
    with pytest.raises(UserError, match="no server here"):
        page.main(["--open", "--page-port", "0"])
    assert links[0].opens and links[0].port == 0
    for words, sentence in ((["--no-page"], "leave --no-page out"), (["--bpm", "5"], "--bpm: tempo is a number")):
        with pytest.raises(UserError, match=sentence):
            page.main(words)


def test_a_temp_track_is_listened_to_once_for_the_page_and_all_its_films(monkeypatch, tmp_path) -> None:
    temp, film, listened = tmp_path / "temp.wav", tmp_path / "film.mp4", []
    temp.write_bytes(b"sound")
    film.write_bytes(b"a film")
    monkeypatch.setattr("engine.interchange.temp_asked.need_extra", lambda *words: None)
    monkeypatch.setattr(live_options, "listen_beside", lambda path: listened.append(path) or TempTrack("", bpm=97.0))
    given = page.page_parser().parse_args(["--temp", str(temp)])
    assert live_options.page_of(given) is not None and given.bpm is None
    for _ in range(2):
        assert page.plan_for(str(film), given).session.tempo.bpm == 97.0
    assert len(listened) == 1
    temp.write_bytes(b"another sound")
    page.plan_for(str(film), given)
    assert len(listened) == 2


class Told:
    """A view that keeps what it is told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.facts: list[dict[str, Any]] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def ready(self, facts: dict[str, Any]) -> None:
        self.facts.append(facts)


def test_the_recording_waits_for_no_page_and_ready_only_so_long(monkeypatch, tmp_path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    now_s = [100.0]
    monkeypatch.setattr(live, "time", SimpleNamespace(perf_counter=lambda: now_s[0]))
    run = live.Live(parse([str(film), "--midi-api", "none", "--page-port", "0"]))
    told = run.view = Told()  # type: ignore[assignment]
    link = SimpleNamespace(fault="", address="http://127.0.0.1:1/?token=t", pid=7)
    run.page = SimpleNamespace(settled=False, link=link, feed=SimpleNamespace(said=lambda s: None))  # type: ignore[assignment]
    recorded = SimpleNamespace(news=list, catch_up=lambda: None)
    run.recorded = recorded  # type: ignore[assignment]
    status = SimpleNamespace(port_api="none", port="")
    run.session = SimpleNamespace(status=PlayerStatus.NONE, rolling=False, pids=dict)  # type: ignore[assignment]
    run._watch_recording()
    assert run.recording is None and not told.sentences
    run.session.status = status  # type: ignore[misc]
    run._watch_recording()
    assert run.recording is not None and "written to" in told.sentences[0] and not told.facts
    now_s[0] += live.PAGE_WAIT_S
    run._watch_recording()
    assert [facts["page"] for facts in told.facts] == [None]
    run.page.settled = True  # type: ignore[union-attr,misc]
    for _ in range(2):
        run._watch_recording()
    assert told.sentences[1:] == [f"Page: {link.address}"] and len(told.facts) == 1


def test_what_a_page_asks_while_a_session_starts_waits_for_it(tmp_path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    run = live.Live(parse([str(film)]))
    heard: list[Any] = []
    run.controls = SimpleNamespace(busy=False)  # type: ignore[assignment]
    run._from_page("one")
    run._take_page_message()
    run.page = SimpleNamespace(receive=heard.append)  # type: ignore[assignment]
    run._from_page("two")
    for _ in range(3):
        run._take_page_message()
    assert heard == ["one", "two"]


def test_keys_and_controllers_come_before_anything_new_is_begun(tmp_path) -> None:
    """Whoever asks again and again, as a fader of the page does, leaves the others their turn."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    run = live.Live(parse([str(film)]))
    done: list[str] = []
    busy = [True]

    def finish(budget_s: float) -> None:
        done.append("piece")
        busy[0] = False

    class Busy:
        busy = property(lambda self: busy[0])
        go_on = staticmethod(finish)

    run.controls = Busy()  # type: ignore[assignment]
    run.page = SimpleNamespace(receive=done.append)  # type: ignore[assignment]
    run._from_page("one")
    run._keys_first = True  # a tick found something half done
    for _ in range(3):
        run._take_what_is_asked()
    assert done == ["piece"]
    run._keys_first = False  # they had their turn
    run._take_what_is_asked()
    assert done == ["piece", "one"]


def test_a_choice_that_nobody_answers_is_refused_with_a_sentence(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(server, "CHOICE_S", 0.05)

    async def scene() -> None:
        sent: list[Any] = []
        options = p.PageOptions(0, "t", "s", str(tmp_path), str(tmp_path))
        made = PageServer(options, sent.append, lambda word: True, asyncio.get_running_loop())
        number = made.uploads.add(Path("film.mp4"), "film.mp4")
        answer = made.do(Request(1, 1, "/page/film/upload", (number,), "", False))
        assert answer is not None
        with pytest.raises(ControlError) as refused:
            await answer
        assert refused.value.code == "busy" and str(refused.value).endswith("choose it again.")
        assert isinstance(sent[-1], p.ChooseFilm)
        made.receive(p.Answer(0, sent[-1].id, ("film.mp4",)))  # too late, and no matter
        made.close()

    asyncio.run(scene())
