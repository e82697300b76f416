"""A DAWproject of ours as openDAW reads it, with its own classes; for whoever has them:

    npm install --prefix FOLDER @opendaw/lib-dawproject jsdom        (AGPL; read with here, never shipped)
    CUEBRIDGE_OPENDAW=FOLDER python -m pytest tests/engine/interchange/test_opendaw.py

Its 0.0.77 looks for markers in an element that Bitwig's schema does not have, so it finds nobody's.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from pieces import compose

from engine.arrange import arrange
from engine.interchange.dawproject import dawproject
from engine.interchange.piece import Piece
from engine.music import Cue, Hit, TempoMap, TimeSignature

FOLDER = Path(os.environ.get("CUEBRIDGE_OPENDAW", ""))

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (FOLDER / "node_modules/@opendaw/lib-dawproject").is_dir()),
    reason="CUEBRIDGE_OPENDAW names no folder with openDAW's reader",
)


def test_notes_clips_tempo_and_meters_are_what_another_programs_reader_finds(tmp_path):
    meters = [(0, TimeSignature.parse("4/4")), (8, TimeSignature.parse("7/8"))]
    composition = compose(
        tempo_map=TempoMap.of([(0, 97), (16, 120.5)], meters), seconds=24.0, cues=(Cue("1m1", 0.0, 22.0),),
        hits=(Hit(5.5, "must", "door"),),
    )  # fmt: skip
    piece = Piece(composition, arrange(composition))
    file = tmp_path / "project.xml"
    with zipfile.ZipFile(io.BytesIO(dawproject(piece))) as archive:
        file.write_bytes(archive.read("project.xml"))
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("opendaw.mjs")), str(FOLDER), str(file)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    project = json.loads(done.stdout)
    arrangement = project["arrangement"]
    assert [(float(p["time"]), p["value"]) for p in arrangement["tempoAutomation"]["points"]] == [(0, 97), (16, 120.5)]
    found = arrangement["timeSignatureAutomation"]["points"]
    assert [(float(p["time"]), p["numerator"], p["denominator"]) for p in found] == [(0, 4, 4), (8, 7, 8)]
    assert project["transport"]["tempo"]["value"] == 97
    names = {track["id"]: track["name"].lower() for track in project["structure"]}
    assert {"pad", "bass", "arp", "melody", "drums"} <= set(names.values())
    notes = []
    for lanes in arrangement["lanes"]["lanes"]:
        clips = [clip for row in lanes["lanes"] for clip in row.get("clips", ())]
        for clip in clips:
            for each in (n for content in clip["content"] for n in content.get("notes", ())):
                at = round(clip["time"] + each["time"], 6)
                notes.append((names[lanes["track"]], at, round(each["duration"], 6), each["key"], each["channel"] + 1))
    wanted = [(n.part, round(n.start_beats, 6), round(n.length_beats, 6), n.pitch, n.channel) for n in piece.notes]
    assert len(wanted) > 50
    assert sorted(notes) == sorted(wanted)
