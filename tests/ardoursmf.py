"""How Ardour reads a MIDI file: its own reader (Evoral::SMF in libevoral, which its import dialog uses) and its own
tempo map, without its window.

    read(path) -> Read(ppqn, tracks, tempos, markers)
    samples(tempos, beats) -> where Ardour's TempoMap has those beats, in samples at 48 kHz

The reader is C++ without a C interface, so it is called by its mangled names, in a process of its own that can fall.
Layouts are those of Ardour 7 (libs/evoral/evoral/SMF.h): Tempo is public; the vector of markers is looked for in the
object.  The tempo map is filled as Ardour's import fills it, from Lua.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

LIBRARY = Path("/usr/lib/ardour7")
RATE = 48000
TICKS = 1920  # of Ardour's a quarter note


class Tempo(NamedTuple):
    beats: float
    microseconds: int
    numerator: int
    denominator: int


class Read(NamedTuple):
    ppqn: int
    tracks: int
    tempos: list[Tempo]
    markers: list[tuple[float, str]]


def why_not() -> str | None:
    if not list(LIBRARY.glob("libevoral.so*")) or shutil.which("ardour7-lua") is None:
        return "Ardour 7 is not installed"
    return None


def read(path: Path) -> Read:
    """Raises subprocess.CalledProcessError where Ardour does not read the file."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(LIBRARY)}
    command = [sys.executable, str(Path(__file__).resolve()), str(path)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60)
    found = json.loads(done.stdout)
    ppqn = found["ppqn"]
    tempos = [Tempo(pulses / ppqn, *rest) for pulses, *rest in found["tempos"]]
    return Read(ppqn, found["tracks"], tempos, [(pulses / ppqn, text) for pulses, text in found["markers"]])


def samples(tempos: Sequence[Tempo], beats: Sequence[float]) -> list[int]:
    """Puts the tempi and meters into Ardour's tempo map, on whole quarter notes as its import does."""
    lines = []
    for tempo in tempos:
        at = f"Temporal.timepos_t.from_ticks ({round(tempo.beats) * TICKS})"
        bpm = f"{60_000_000 / tempo.microseconds!r}"
        lines.append(f"tm:set_meter (Temporal.Meter ({tempo.numerator}, {tempo.denominator}), {at})")
        lines.append(f"tm:set_tempo (Temporal.Tempo ({bpm}, {bpm}, 4), {at})")
    asked = ", ".join(str(round(beat * TICKS)) for beat in beats)
    with tempfile.TemporaryDirectory() as folder:
        script, answer = Path(folder) / "map.lua", Path(folder) / "answer"
        script.write_text(
            f'local s = create_session ("{folder}/film", "film", {RATE})\n'
            "local tm = Temporal.TempoMap.fetch_writable ()\n" + "\n".join(lines) + "\n"
            "Temporal.TempoMap.update (tm)\ntm = Temporal.TempoMap.read ()\n"
            f'local out = io.open ("{answer}", "w")\n'
            f"for _, tick in ipairs ({{{asked}}}) do\n"
            "  out:write (tostring (tm:sample_at (Temporal.timepos_t.from_ticks (tick))), '\\n')\nend\n"
            "out:close ()\ntm = nil\nclose_session ()\nquit ()\n"
        )
        home = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": f"{folder}/config"}
        subprocess.run(
            ["ardour7-lua", str(script)],
            env=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return [int(word) for word in answer.read_text().split()]


# in the process that Ardour's library is loaded into --------------------------------------------------------------
class _String(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t), ("inside", ctypes.c_char * 16))


class _Marker(ctypes.Structure):
    _fields_ = (("text", _String), ("pulses", ctypes.c_size_t))


class _Tempo(ctypes.Structure):
    _fields_ = (
        ("pulses", ctypes.c_size_t),
        *((name, ctypes.c_int) for name in ("us", "num", "den", "clocks", "notes")),
    )


def _main(path: str) -> dict[str, Any]:
    library = ctypes.CDLL(str(LIBRARY / "libevoral.so.0"))
    memory = ctypes.create_string_buffer(4096)
    smf = ctypes.cast(memory, ctypes.c_void_p)

    def call(name: str, result: Any, *arguments: Any) -> Any:
        function = getattr(library, name)
        function.restype = result
        return function(smf, *arguments)

    raw = ctypes.create_string_buffer(path.encode())
    text = _String(ctypes.cast(raw, ctypes.c_void_p).value, len(path.encode()))
    call("_ZN6Evoral3SMFC1Ev", None)
    opened = call(
        "_ZN6Evoral3SMF4openERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEib",
        ctypes.c_int, ctypes.byref(text), ctypes.c_int(1), ctypes.c_bool(True),
    )  # fmt: skip
    if opened != 0:
        raise SystemExit(f"Ardour does not open {path}: {opened}")
    tempos = []
    for number in range(call("_ZNK6Evoral3SMF10num_temposEv", ctypes.c_int)):
        place = call("_ZNK6Evoral3SMF9nth_tempoEm", ctypes.c_void_p, ctypes.c_size_t(number))
        tempo = _Tempo.from_address(place)
        tempos.append([tempo.pulses, tempo.us, tempo.num, tempo.den])
    call("_ZN6Evoral3SMF13seek_to_trackEi", ctypes.c_int, ctypes.c_int(1))
    call("_ZN6Evoral3SMF12load_markersEv", None)
    markers = []
    for offset in range(24, 96, 8):
        first, last, end = (ctypes.c_size_t.from_buffer(memory, offset + 8 * k).value for k in range(3))
        if first and first < last <= end and (last - first) % ctypes.sizeof(_Marker) == 0:
            for place in range(first, last, ctypes.sizeof(_Marker)):
                marker = _Marker.from_address(place)
                words = ctypes.string_at(marker.text.start, marker.text.length).decode()
                markers.append([marker.pulses, words])
            break
    return {
        "ppqn": call("_ZNK6Evoral3SMF4ppqnEv", ctypes.c_uint16),
        "tracks": call("_ZNK6Evoral3SMF10num_tracksEv", ctypes.c_uint16),
        "tempos": tempos,
        "markers": markers,
    }


if __name__ == "__main__":
    json.dump(_main(sys.argv[1]), sys.stdout)
