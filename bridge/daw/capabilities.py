"""What the self-test of a script found, and what each missing piece costs the composer.

A script sends one row for each call of its host that it needs; several rows share a feature.  A feature is missing
where one of its calls is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.daw.protocol import REFUSED, Capability

# feature -> what cannot be done without it; the rest of "In this Live 11.3, …".
COSTS: Final[dict[str, str]] = {
    "transport": "CueBridge cannot follow the transport: use MIDI timecode (--sync mtc)",
    "tempomap": "tempo changes are not known ahead of the playhead",
    "loop": "the loop is not known, so notes may sound on over its end",
    "timecode": "the frame rate is not known: say it with --frame-rate",
    "markers": "markers are not read",
    "regions": "regions and clips are not read",
    "names": "names of markers and regions are not read, so chords:, pin: and hit: do nothing there",
    "film": "the place of the film is not known: say it with --picture-starts-at",
    "changes": "changes of the project are noticed some seconds late",
    "session": "the session file that the project remembers is not found again",
    "do_marker": "hits cannot be set as markers",
    "marker_names": "markers cannot be named",
    "do_tempo": "the tempo cannot be set from here: import it with the exported .mid",
    "film_stays": "a new tempo may move the film: set its timebase to time",
    "do_print": "takes cannot be printed: drag the exported .mid in",
    "do_clips": "takes cannot be printed: drag the exported .mid in",
    "print_direct": "printing needs an empty clip slot on each track",
    "print_controllers": "controller curves are left out of printed takes",
    "do_play": "the effect CueBridge gets no notes: print them",
    "do_session": "the project does not remember its session file",
    "undo": "what CueBridge does takes more than one undo step",
    "actions": "the menu actions of CueBridge do nothing",
    "panel": "the CueBridge panel cannot send chords",
    "recording": "recording is taken for play",
    "latency": "positions are ahead of what is heard by the latency of the outputs",
    "milliseconds": "an automated tempo is not followed exactly",
    "meter": "the time signature is taken for 4/4",
    "settings": "computer and ports of the bridge are the usual ones, whatever its settings say",
    "conversation": "a part of the script failed: please report it (cuebridge doctor --report FILE)",
    "listeners": "changes are noticed a moment later",
    "clip_listener": "new clips are noticed two seconds late",
    "count_in": "a count-in is taken for play",
    "idle": "a bridge that starts later hears tempo and state only when they change",
}


def missing(capabilities: Sequence[Capability]) -> dict[str, Capability]:
    """{feature: its first refused call}, in the order of COSTS; features that are not in it last."""
    found: dict[str, Capability] = {}
    for row in capabilities:
        if row.works == REFUSED:
            found.setdefault(row.feature, row)
    order = list(COSTS)
    return dict(sorted(found.items(), key=lambda item: order.index(item[0]) if item[0] in COSTS else len(order)))


def cost_of(row: Capability) -> str:
    """What a refused call costs."""
    return COSTS.get(row.feature, f"{row.call} does not work")


def spoken(daw: str) -> str:
    """A DAW's name as its users write it."""
    names = {"reaper": "REAPER", "reaper-osc": "REAPER", "live": "Live", "bitwig": "Bitwig", "ardour": "Ardour"}
    return names.get(daw, daw)


def sentence(daw: str, host_version: str, rows: Sequence[Capability]) -> str:
    """One sentence for refused calls: "In this Live 11.3.43, markers cannot be named (CuePoint.name: …).\""""
    costs: dict[str, list[str]] = {}
    for row in rows:
        costs.setdefault(cost_of(row), []).append(f"{row.call}: {row.why}" if row.why else row.call)
    parts = [f"{cost} ({'; '.join(why)})" for cost, why in costs.items()]
    return f"In this {spoken(daw)} {host_version}".rstrip() + ", " + "; ".join(parts) + "."
