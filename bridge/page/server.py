"""The page's server: what comes from the bridge becomes what pages see, what pages ask goes to the bridge.

Everything here happens in the loop's thread.  A server that dies takes nothing with it: the bridge starts another,
which is told all of it again, and the pages come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bridge.page import messages as p
from bridge.page.films import Films
from bridge.page.hub import Hub, Request
from bridge.page.jobs import Jobs
from bridge.page.notes import PlanTiles
from bridge.page.protocol import LISTS_FOLDER
from bridge.page.sound import Sound
from bridge.page.state import PageState
from bridge.page.uploads import Uploads
from engine.music import controls
from engine.music.arguments import ControlError
from engine.music.bundled import clip_in

QUIET_S: Final = 0.06  # without a slice of a plan: it is whole
PUBLISH_S: Final = 0.3  # while slices still come
CHOICE_S: Final = 30.0  # the program answers a choice of a film within this
LIST_BYTES: Final = 20 * 2**20
# What takes a file that came through the page, and the address of the table that it is for.
WITH_FILE: Final = {
    "/page/markers": controls.MARKERS_LOAD, "/page/theme": controls.THEME_LOAD, "/page/conform": controls.CONFORM,
}  # fmt: skip
SOUND_S: Final = 0.01  # a load comes as several messages; the sound waits for its end
Json = dict[str, Any]


class PageServer:
    """to_bridge sends; is_secret tells whether somebody may change things."""

    def __init__(
        self, options: p.PageOptions, to_bridge: Callable[[p.FromServer], None],
        is_secret: Callable[[object], bool], loop: asyncio.AbstractEventLoop,
    ) -> None:  # fmt: skip
        self._options, self._to_bridge, self._loop = options, to_bridge, loop
        self.is_secret = is_secret
        self.state = PageState(options.version, options.upload_bytes)
        self.tiles = PlanTiles()
        self.hub = Hub(self)
        self.films = Films(self._film_changed, self._film_opened, self._film_sound, loop)
        self.sound = Sound(
            self.tiles, options.soundfont, self._sound_is, self.films.ask_sound, self.state.playhead, loop
        )
        self.uploads = Uploads(Path(options.folder), options.upload_bytes)
        self.lists = Uploads(Path(options.work) / LISTS_FOLDER, LIST_BYTES)  # markers and tunes, until the program ends
        self.jobs = Jobs(
            Path(options.work), self.uploads, options.upload_bytes, options.soundfont,
            self._job_changed, to_bridge, self._choose, loop,
        )  # fmt: skip
        self.state.sound = {"ready": True, "sentence": ""}
        self.state.can = {**self.jobs.can(), "bundled": options.bundled is not None}
        self._fresh: dict[int, asyncio.Future[None]] = {}
        self._newest_fresh = 0
        self._publishing: asyncio.TimerHandle | None = None
        self._published_s = 0.0
        self._sounding: asyncio.TimerHandle | None = None
        self._choosing: dict[int, asyncio.Future[Sequence[Any]]] = {}
        self._newest_choice = 0

    def begin(self) -> None:
        """What was asked for before any page was there."""
        if self._options.link is not None:
            try:
                self.jobs.link(self._options.link)
            except ControlError as error:
                self._tell(self.state.take(p.Said(self._loop.time(), str(error))))

    def close(self) -> None:
        for each in (self.jobs, self.films, self.sound):
            each.close()

    # from the bridge --------------------------------------------------------------------------------------------------
    def receive(self, message: Any) -> None:
        match message:
            case p.PlayerBytes():
                if self.tiles.take(message.data):
                    self._plan_changed()
            case p.Answer():
                self._answered(message)
            case p.Fresh():
                future = self._fresh.pop(message.number, None)
                if future is not None and not future.done():
                    future.set_result(None)
            case p.ToSave():
                self.jobs.saved(message)
            case p.FilmOf():
                self._film_is(message)
            case p.MusicOf():
                self._tell(self.state.take(message))
                if self.tiles.place(message.starts_s):
                    self._plan_changed()
                self.sound.play_with(message.ensembles)
            case _:
                self._tell(self.state.take(message))

    def _tell(self, messages: Sequence[Json]) -> None:
        for message in messages:
            self.hub.tell(message)

    def _answered(self, answer: p.Answer) -> None:
        choosing = self._choosing.pop(answer.id, None) if answer.client == 0 else None
        if choosing is not None:
            if choosing.done():
                return
            if answer.values is None:
                choosing.set_exception(ControlError(answer.code, answer.sentence))
            else:
                choosing.set_result(answer.values)
            return
        number = answer.id if answer.id >= 0 else None
        if answer.values is None and not answer.late:
            self.hub.tell_one(answer.client, {"id": number, "error": [answer.code, answer.sentence]})
        elif number is not None:
            values: Json = {} if answer.late else {"ok": answer.values}
            if answer.more:
                values["more"] = answer.more
            self.hub.tell_one(answer.client, {"id": number, **values, "heard": answer.heard_s})

    # the plan ---------------------------------------------------------------------------------------------------------
    def _plan_changed(self) -> None:
        if self._sounding is None:
            self._sounding = self._loop.call_later(SOUND_S, self._sound_changed)
        now_s = self._loop.time()
        if self._publishing is not None:
            self._publishing.cancel()
            if now_s - self._published_s > PUBLISH_S:
                self._publish(quiet=False)
        else:
            self._published_s = now_s
        self._publishing = self._loop.call_later(QUIET_S, self._publish)

    def _publish(self, *, quiet: bool = True) -> None:
        self._published_s = self._loop.time()
        if quiet:
            self._publishing = None
        changed = self.tiles.publish(quiet=quiet)
        if changed is not None:
            self.hub.tell(
                {
                    "plan": changed.revision, "from": changed.from_s, "to": changed.to_s, "tiles": changed.tiles,
                    "by": self.state.edited_by, "end_s": self.state.music.end_s,
                    "complete": self.state.music.complete,
                }
            )  # fmt: skip

    def _sound_changed(self) -> None:
        self._sounding = None
        from_s = self.tiles.take_sound_change()
        if from_s is not None:
            self.sound.plan_changed(from_s)

    def _sound_is(self, ready: bool, sentence: str) -> None:
        self.state.sound = {"ready": ready, "sentence": sentence}
        self.hub.tell({"sound": self.state.sound_json()})

    # the film ---------------------------------------------------------------------------------------------------------
    def _film_is(self, film: p.FilmOf) -> None:
        before, self.state.film = self.state.film, film
        other = before is None or before.path != film.path
        if other:
            self.sound.film.ready = False  # until it is opened
        self.films.use(film.path)
        self.state.film_facts = self.films.facts
        if film.duration_s and (other or before is None or before.duration_s != film.duration_s):
            self.sound.film_is(film.duration_s)
        if other or before is None or before.ready != film.ready:
            self.hub.tell_state()
        else:
            self.hub.tell({"film": self.state.film_json()})

    def _film_changed(self) -> None:
        self.state.film_facts = self.films.facts
        if self.films.facts.get("fault"):
            self.sound.film.ready = False
        self.hub.tell({"film": self.state.film_json()})

    def _film_opened(self, duration_s: float) -> None:
        film = self.state.film
        if film is None or not film.duration_s:
            self.sound.film_is(duration_s)
        self.sound.film.ask_again()
        self.sound.film.ready = bool(self.films.facts.get("sound"))
        self.sound.pump()

    def _film_sound(self, block: Any) -> None:
        self.sound.film_block(block)

    def _choose(self, path: str, name: str) -> None:
        """A film came by a link: the bridge takes it; a refusal is said."""
        future = asyncio.ensure_future(self._chosen(path, name))
        future.add_done_callback(lambda done: self._say_refusal(done.exception()))

    def _say_refusal(self, error: BaseException | None) -> None:
        if error is not None:
            self.hub.tell({"say": str(error), "t": self._loop.time()})

    def _job_changed(self, job: Json) -> None:
        self.state.jobs = self.jobs.jobs
        self.hub.tell({"job": job})

    # from the pages ---------------------------------------------------------------------------------------------------
    def whole(self) -> Json:
        return self.state.whole(self.tiles.revision)

    def freshen(self, pages: int) -> asyncio.Future[None]:
        """Tells the bridge how many pages look on; done when all that is new has come."""
        self._newest_fresh += 1
        future: asyncio.Future[None] = self._loop.create_future()
        self._fresh[self._newest_fresh] = future
        self._to_bridge(p.Watching(pages, self._newest_fresh))
        self.sound.looked_on(pages)
        return future

    def do(self, asked: Request) -> Awaitable[Sequence[Any]] | None:
        if asked.address in WITH_FILE:
            return self._do_with_file(asked)
        if asked.address.startswith("/page/"):
            return self._do_here(asked)
        self._to_bridge(p.Do(*asked))
        return None

    def _do_with_file(self, asked: Request) -> Awaitable[Sequence[Any]] | None:
        """Its first argument names an upload; the bridge gets the file."""
        try:
            uploads = self.uploads if asked.address == "/page/conform" else self.lists
            path, _ = uploads.path_of(str(asked.arguments[0]) if asked.arguments else "")
        except ControlError as error:
            return _refused(error)
        arguments = (str(path), *asked.arguments[1:])
        self._to_bridge(p.Do(*asked._replace(address=WITH_FILE[asked.address], arguments=arguments)))
        return None

    async def _do_here(self, asked: Request) -> Sequence[Any]:
        """What is no matter of the table.  Raises ControlError."""
        address, arguments = asked.address, asked.arguments
        if asked.attempt:
            raise ControlError("bad_value", "this cannot be tried.")
        try:
            match address, *arguments:
                case ("/page/film/bundled",):
                    if self._options.bundled is None:
                        raise ControlError("not_ready", "the bundled clip is not installed here.")
                    own = await asyncio.to_thread(self._own_clip)
                    return await self._chosen(str(own), own.name)
                case "/page/film/upload", str(number):
                    path, name = self.uploads.path_of(number)
                    return await self._chosen(str(path), name)
                case "/page/film/link", str(link):
                    return (self.jobs.link(link),)
                case "/page/film/copy", *_:
                    self.films.make_copy()
                    return ()
                case ("/page/takes",):
                    self._to_bridge(p.WantSketches())
                    return ()
                case "/page/save", str(kind), *options:
                    return (self.jobs.save(kind, *options[:1]),)
                case "/page/cancel", str(job):
                    self.jobs.cancel(job)
                    return ()
        except TypeError as error:
            raise ControlError("bad_type", str(error)) from None
        raise ControlError("unknown_address", f"{address[:80]} is not an address with these arguments.")

    def _own_clip(self) -> Path:
        """Raises ControlError."""
        try:
            return clip_in(Path(self._options.folder))
        except OSError as error:
            raise ControlError("bad_value", f"the clip cannot be copied: {error.strerror or error}.") from None

    async def _chosen(self, path: str, name: str) -> Sequence[Any]:
        """Asks the bridge to take a film.  Raises ControlError."""
        self._newest_choice += 1
        number = self._newest_choice
        future: asyncio.Future[Sequence[Any]] = self._loop.create_future()
        self._choosing[number] = future
        self._to_bridge(p.ChooseFilm(0, number, path, name))
        try:
            return await asyncio.wait_for(future, CHOICE_S)
        except TimeoutError:
            raise ControlError("busy", "the program did not take the film in time; choose it again.") from None
        finally:
            self._choosing.pop(number, None)


async def _refused(error: ControlError) -> Sequence[Any]:
    raise error
