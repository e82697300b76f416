"""What the bridge hears of DAW scripts: who they are and what they say, without the wire."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.daw.names import NamedMark
from bridge.daw.protocol import Capability, FilmInfo, MarkerItem, RegionItem
from bridge.transport.state import TransportObservation
from engine.music.meter import TempoMap
from engine.music.timecode import FrameRate, Timecode

DawMarker = MarkerItem
DawRegion = RegionItem
FilmItem = FilmInfo


@dataclass(frozen=True, slots=True)
class DawInfo:
    """What is known of a connected script.

    rate_hz: transport messages a second over the last ones.  lost: numbers missing in their count.
    jitter_ms: how much later than the quickest the slowest of the last messages came.
    offered: the abilities of its hello; abilities: those of them that work.
    capabilities: what its self-test found, empty until it is told.
    """

    daw: str
    host_version: str
    script_version: str
    protocol: int
    sender: tuple[str, int]
    abilities: frozenset[str]
    last_heard_s: float = 0.0
    rate_hz: float = 0.0
    lost: int = 0
    version_ok: bool = True
    jitter_ms: float = 0.0
    interpreter: str = ""
    offered: frozenset[str] = frozenset()
    capabilities: tuple[Capability, ...] = ()


class DawEvents:
    """What a script says.  Override what is wanted; every method does nothing."""

    def hello(self, daw: DawInfo) -> None: ...

    def capabilities(self, daw: DawInfo) -> None:
        """What works of the host is known, or changed: see `daw.capabilities`."""

    def bye(self, daw: DawInfo, reason: str) -> None:
        """reason: "bye" or "silent"."""

    def transport(self, daw: DawInfo, observation: TransportObservation) -> None: ...

    def loop(self, daw: DawInfo, on: bool, start_s: float, end_s: float) -> None: ...

    def tempo_map(self, daw: DawInfo, tempo_map: TempoMap) -> None: ...

    def timecode(self, daw: DawInfo, rate: FrameRate, start: Timecode | None) -> None:
        """start: timecode of timeline second 0."""

    def markers(self, daw: DawInfo, markers: tuple[DawMarker, ...]) -> None: ...

    def regions(self, daw: DawInfo, regions: tuple[DawRegion, ...]) -> None: ...

    def names(self, daw: DawInfo, marks: tuple[NamedMark, ...]) -> None:
        """Every name that is for us, by time, whenever one is new or gone."""

    def names_gone(self, daw: DawInfo, marks: tuple[NamedMark, ...]) -> None:
        """What was renamed, moved or deleted in the DAW; comes before `names`."""

    def film(self, daw: DawInfo, film: FilmItem) -> None: ...

    def session_path(self, daw: DawInfo, path: str) -> None: ...

    def print_request(self, daw: DawInfo, scope: str, start_s: float, end_s: float) -> None: ...

    def thaw_request(self, daw: DawInfo, scope: str, start_s: float, end_s: float) -> None: ...

    def acknowledged(self, daw: DawInfo, request: int, ok: bool, text: str) -> None: ...

    def note(self, sentence: str) -> None: ...
