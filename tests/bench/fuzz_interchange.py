"""Damages files of every kind that CueBridge reads from others, and reads them.

Counts what is read and what is refused, and reports tracebacks, hangs and what is no sentence.

    python tests/bench/fuzz_interchange.py [--runs 400] [--seed 0]

Runs are of each kind.  A run is good when the file is read or refused in one sentence, within two seconds.  "names a
line" counts the refusals that say which line, row or rule is wrong; damage to a whole file has none to name.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import markerlab as writers
import mido
import numpy as np

from engine.conform.edl_changes import from_edls
from engine.interchange.edl import read_edl
from engine.interchange.markers import resolve
from engine.interchange.reading import read_markers
from engine.interchange.rules import default_rules_text, map_markers, parse_rules, table
from engine.interchange.subtitles import read_subtitles
from engine.interchange.temp_analysis import temp_of_midi
from engine.interchange.text import decode
from engine.interchange.theme_file import theme_of_file
from engine.midifile import read_tempo_map
from engine.music import Film, UserError
from engine.music.extras import has_extra
from engine.music.timecode import FRAME_RATES

FIXTURES = ROOT / "tests" / "engine" / "interchange" / "fixtures"
FILM = Film("reel.mov", 180.0, FRAME_RATES["29.97"])
LONGEST_SENTENCE = 3000
LONGEST_S = 2.0
HANG_S = 20
NAMES_A_LINE = re.compile(r"\b(line|row|rule|paragraph|event)s? \d")
PIECES = (
    b"99999999999", b"-1", b"\xff\xfe", b"\0", b"1e999", b"/0s", b"\r", b"\n\n", b"0/0", b":", b";", b"\t", b"nan",
    b"<a>", b"</a>", b"&x;", b"&#0;", b"\xed\xa0\x80", b"9" * 500, b"24:60:61:99", b"00:59:59:29", b"null", b"{",
    b"]", b'"',
)  # fmt: skip
CUT = b"""TITLE: CUT
FCM: NON-DROP FRAME
001  A001 V C 01:00:00:00 01:00:06:00 01:00:00:00 01:00:06:00
* FROM CLIP NAME: A001
002  BL   V C 00:00:00:00 00:00:02:00 01:00:06:00 01:00:08:00
003  A001 V D 024 01:00:06:00 01:00:16:00 01:00:08:00 01:00:18:00
M2   A001 048.0 01:00:06:00
"""
SRT = b"""1
00:00:01,000 --> 00:00:03,500
Where were you?

2
00:00:04,000 --> 00:00:06,000
[door slams] Out.
"""
VTT = b"""WEBVTT

NOTE made by hand

00:01.000 --> 00:03.500 align:start
<v Anna>Where were you?

01:00:04.000 --> 01:00:06.000
Out.
"""
TTML = b"""<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
 ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"><body><div><p begin="00:00:01:12" end="00:00:03.500">One</p>
<p begin="4s" dur="2500ms">Two <span>three</span></p></div></body></tt>"""
XML_SCORE = b"""<?xml version="1.0"?><score-partwise version="4.0"><part-list><score-part id="P1"/></part-list>
<part id="P1">
<measure number="1"><attributes><divisions>2</divisions><key><fifths>1</fifths><mode>major</mode></key></attributes>
<note><pitch><step>G</step><octave>4</octave></pitch><duration>4</duration><voice>1</voice></note>
<note><pitch><step>A</step><alter>1</alter><octave>4</octave></pitch><duration>4</duration><voice>1</voice></note>
</measure></part></score-partwise>"""
AVID = b"Anna\t01:00:02:10\tV1\tred\tdoor slams\t1\nAnna\t01:00:09:00\tV1\tgreen\t1m1\t1\n"


def tune() -> bytes:
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(96)))
    track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4))
    track.append(mido.MetaMessage("key_signature", key="D"))
    for pitch in (62, 64, 66, 69, 66, 64, 62, 57) * 4:
        track.append(mido.Message("note_on", note=pitch, velocity=80))
        track.append(mido.Message("note_off", note=pitch, time=240))
    file.tracks.append(track)
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def sound() -> bytes:
    t = np.arange(3 * 22_050) / 22_050
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes((8000 * np.sin(2 * np.pi * 220 * t) * (t % 0.5 < 0.1)).astype("<i2").tobytes())
    return data.getvalue()


def damaged(data: bytes, dice: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 8))):
        if not broken:
            break
        place, kind = dice.randrange(len(broken)), dice.randrange(8)
        if kind == 0:
            del broken[place:]
        elif kind == 1:
            del broken[place : place + dice.randrange(1, 60)]
        elif kind == 2:
            broken[place] ^= 1 << dice.randrange(8)
        elif kind == 3:
            broken[place] = dice.choice(b"0123456789-+.:;,/<>\"' \t\n\0\xff")
        elif kind == 4:
            broken[place:place] = broken[place : place + dice.randrange(1, 400)]
        elif kind == 5:
            digits = [index for index, value in enumerate(broken) if 48 <= value < 58]
            if digits:
                broken[dice.choice(digits)] = dice.choice(b"0123456789")
        elif kind == 6:
            lines = bytes(broken).split(b"\n")
            dice.shuffle(lines)
            broken = bytearray(b"\n".join(lines))
        else:
            broken[place:place] = dice.choice(PIECES)
    return bytes(broken)


def markers(name: str) -> Callable[[bytes, Path], object]:
    def read(data: bytes, _: Path) -> object:
        found = read_markers(data, name)
        for start in (None, "01:00:00:00"):
            with contextlib.suppress(UserError):
                mapping = map_markers(resolve(found, FILM, start=start), FILM)
                table(mapping, FILM)
                if len(mapping.rows) > len(found.markers):
                    raise AssertionError("more rows than markers")
        return found

    return read


def beside(suffix: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """A reader that wants a file."""

    def by_file(data: bytes, folder: Path) -> object:
        path = folder / f"it{suffix}"
        path.write_bytes(data)
        return read(path)

    return by_file


def cuts(data: bytes, _: Path) -> object:
    rate = FRAME_RATES["24"]
    lists = read_edl(decode(CUT, "old.edl"), "old.edl"), read_edl(decode(data, "new.edl"), "new.edl")
    return from_edls(*lists, rate, ("old.edl", "new.edl")).changes


def heard(path: Path) -> object:
    from engine.sound.temp_track import temp_of_sound

    return temp_of_sound(path)


def otio() -> Iterator[tuple[str, list[bytes], Callable[[bytes, Path], object]]]:
    files = [path.read_bytes() for path in sorted(FIXTURES.glob("*.otio"))]
    plain = [json.dumps(json.loads(each)).encode() for each in files]
    yield "OTIO", [*files, *plain], markers("a.otio")


def kinds() -> list[tuple[str, list[bytes], Callable[[bytes, Path], object]]]:
    """Name, whole files, reader."""
    own = [path.read_bytes() for path in sorted(FIXTURES.glob("*.xml"))]
    # The adapter that wrote these leaves the frame duration out, as no editor does.
    fcpx = [
        path.read_bytes().replace(b'frameDuration=""', b'frameDuration="1001/24000s"')
        for path in sorted(FIXTURES.glob("*.fcpxml"))
    ]
    found: list[tuple[str, list[bytes], Callable[[bytes, Path], object]]] = [
        ("Resolve EDL", [writers.resolve_edl("29.97 DF", "01:00:00;00")], markers("a.edl")),
        ("Premiere CSV", [writers.premiere_csv("29.97 DF", "01:00:00;00")], markers("p.csv")),
        ("sheet", [writers.sheet("25", "01:00:00:00")], markers("a.csv")),
        ("Avid list", [AVID], markers("a.txt")),
        ("FCP7 XML", [writers.fcp7_xml("25", "01:00:00:00"), *own], markers("a.xml")),
        ("FCPXML", [writers.fcpxml("25", "01:00:00:00"), *fcpx], markers("a.fcpxml")),
        ("MIDI markers", [writers.midi("25")], markers("a.mid")),
        ("cut EDL", [CUT], cuts),
        ("SRT", [SRT], lambda data, _: read_subtitles(data, "a.srt")),
        ("VTT", [VTT], lambda data, _: read_subtitles(data, "a.vtt")),
        ("TTML", [TTML], lambda data, _: read_subtitles(data, "a.ttml")),
        ("rules", [default_rules_text().encode()], lambda data, _: parse_rules(decode(data, "a.toml"), "a.toml")),
        ("temp MIDI", [tune()], beside(".mid", temp_of_midi)),
        ("tempo map", [tune(), writers.midi("25")], beside(".mid", read_tempo_map)),
        ("theme MIDI", [tune()], beside(".mid", lambda path: theme_of_file(path, None, 4.0))),
        ("theme XML", [XML_SCORE], beside(".musicxml", lambda path: theme_of_file(path, None, 4.0))),
    ]  # fmt: skip
    if has_extra("otio"):
        found += otio()
    if has_extra("temp"):
        found.append(("temp sound", [sound()], beside(".wav", heard)))
    return found


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raises TimeoutError where it takes longer."""

    def ring(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def outcome(read: Callable[[bytes, Path], object], data: bytes, folder: Path) -> tuple[str, str]:
    try:
        with at_most(HANG_S):
            read(data, folder)
    except UserError as error:
        return "refused", str(error)
    except TimeoutError:
        return "hang", traceback.format_exc()
    except Exception:
        return "traceback", traceback.format_exc()
    return "read", ""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=400)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    total, bad = Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        for name, files, read in kinds():
            dice, counts, slowest = random.Random(f"{given.seed} {name}"), Counter[str](), 0.0
            for data in files:
                what, text = outcome(read, data, Path(folder))
                if what != "read" and name != "temp sound":
                    print(f"{name}: the whole file is {what}: {text[-600:]}")
                    bad += 1
            for number in range(max(given.runs // 20, 5) if name == "temp sound" else given.runs):
                data = damaged(dice.choice(files), dice)
                began = time.perf_counter()
                what, text = outcome(read, data, Path(folder))
                took_s = time.perf_counter() - began
                slow = took_s > LONGEST_S and name != "temp sound"  # listening takes its time
                slowest = max(slowest, took_s)
                counts[what] += 1
                counts["names a line"] += what == "refused" and bool(NAMES_A_LINE.search(text))
                if what in ("traceback", "hang") or slow or (what == "refused" and not _is_sentence(text)):
                    bad += 1
                    print(f"{name}, run {number}: {what} in {took_s:.2f} s\n{text[-1500:]}")
            total.update(counts)
            print(
                f"{name:13} read {counts['read']:5}  refused {counts['refused']:5}  (names a line "
                f"{counts['names a line']:5})  tracebacks {counts['traceback']}  hangs {counts['hang']}  slowest "
                f"{1000 * slowest:.0f} ms", flush=True,
            )  # fmt: skip
    print(
        f"{total['read'] + total['refused'] + total['traceback'] + total['hang']} files: {total['read']} read, "
        f"{total['refused']} refused, {total['names a line']} of them name a line, {total['traceback']} tracebacks, "
        f"{total['hang']} hangs; {bad} bad"
    )
    return 1 if bad else 0


def _is_sentence(text: str) -> bool:
    return "\n" not in text and len(text) < LONGEST_SENTENCE and text.endswith((".", "?"))


if __name__ == "__main__":
    sys.exit(main())
