"""What crosses the pipe between the bridge and the page's server.

What the player is told of tempo and notes goes to the server as the very same bytes (`PlayerBytes`), so that the page
draws and sounds what is played, and the bridge packs nothing twice.  Times are picture seconds unless they say host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.page.protocol import UPLOAD_BYTES

Row = tuple[Any, ...]  # of a list: plain values


@dataclass(frozen=True, slots=True)
class PageOptions:
    """port: 0 takes any.  any_port: take another where the port is taken.  upload_bytes: the most that is taken.

    token opens the page, secret opens edits; both stay the same when a server takes the place of a dead one.
    bundled: the clip that comes with CueBridge.  link: address of a film to fetch at once.
    folder: where uploads are kept; work: a folder for what is made on the way, which the bridge removes.
    """

    port: int
    token: str
    secret: str
    folder: str
    work: str
    version: str = ""
    any_port: bool = False
    upload_bytes: int = UPLOAD_BYTES
    soundfont: str | None = None
    bundled: str | None = None
    link: str | None = None


# bridge -> server ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PlayerBytes:
    """A message to the player about its plan: tempo, parts, begin, events, commit."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Values:
    """Readable addresses whose arguments have changed.  host_s: when they were read."""

    host_s: float
    values: tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """One of the state's lists, whole."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class FilmOf:
    """The film of the session; path "": none.  ready: analysed.  duration_s, width, height: 0 until then.

    motion: one value a second, 0..1.
    """

    path: str
    name: str = ""
    ready: bool = False
    duration_s: float = 0.0
    fps: tuple[int, int] = (25, 1)
    width: int = 0
    height: int = 0
    motion: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class MusicOf:
    """What the sound needs beside the notes.

    starts_s: timeline second of the picture's first frame.  end_s: where the music has rung out.  complete: arranged to
    the end.  ensembles: (picture second, who plays from there on).  daw: a DAW plays what is heard.
    """

    starts_s: float = 0.0
    end_s: float = 0.0
    complete: bool = False
    ensembles: tuple[tuple[float, str], ...] = ()
    daw: bool = False


@dataclass(frozen=True, slots=True)
class MoodOf:
    """Packed rows of `protocol.MOOD_ROW`."""

    rows: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for the person."""

    host_s: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Edited:
    """Something was changed.  by: who did it, in words."""

    host_s: float
    label: str
    by: str
    heard_s: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """To a `Do`.  values None: refused with `code` and `sentence`.  late: a correction of where it is heard.

    more: address and values of further answers, where there are several.
    """

    client: int
    id: int
    values: tuple[Any, ...] | None
    heard_s: float | None = None
    code: str = ""
    sentence: str = ""
    late: bool = False
    more: tuple[tuple[str, tuple[Any, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """A take as the board draws it: JSON.  number 0: the sketches before count no more."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Fresh:
    """Everything has been sent that had changed when the server asked with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class ToSave:
    """What a `Save` asked for is in this file; fault: why not."""

    job: str
    path: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Close:
    """The program ends."""


# server -> bridge ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ServerReady:
    """It listens."""

    port: int


@dataclass(frozen=True, slots=True)
class ServerFailed:
    """It cannot; the sentence says why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Watching:
    """How many pages are connected.  fresh: a number to be echoed once they have all that is new."""

    pages: int
    fresh: int


@dataclass(frozen=True, slots=True)
class Do:
    """A message of a page for the table of controls.  attempt: only whether it would be done.  gesture: of which all
    edits are one step of undo, "" for none."""

    client: int
    id: int
    address: str
    arguments: tuple[Any, ...]
    gesture: str = ""
    attempt: bool = False


@dataclass(frozen=True, slots=True)
class ChooseFilm:
    """A film that a person chose in the page."""

    client: int
    id: int
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Save:
    """The session is to be written to a file, for a job that makes something of it."""

    job: str
    path: str


@dataclass(frozen=True, slots=True)
class WantSketches:
    """A board is open."""


ToServer = (
    PlayerBytes | Values | Rows | FilmOf | MusicOf | MoodOf | Said | Edited | Answer | Sketch | Fresh | ToSave | Close
)
FromServer = ServerReady | ServerFailed | Watching | Do | ChooseFilm | Save | WantSketches
