"""`compose SESSION.cuebridge.json` writes note for note what `live` sends for the same session.

`live` runs on the real Performer by an offline clock, from the film's beginning to its end; the notes of the written
file are laid beside those that went out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from livelab import CLIP
from offlinelab import OfflineStage, offline_time
from sessionlab import Engine

from bridge.session.file.autosave import saved_state
from bridge.session.session import SessionOptions
from engine.__main__ import main as engine_main
from engine.brief import Brief
from engine.document.file import SessionWriter, read_session, write_session
from engine.midifile import read_midi
from engine.music import TimeSignature

FIXTURES = sorted((Path(__file__).parents[2] / "engine" / "document" / "fixtures").glob("*.cuebridge.json"))
SECONDS = 24.0


def pins(stage) -> None:
    stage.osc("/cue/progression", "| Cm | Ab Eb |")
    stage.osc("/cue/chords/pin", "F#m7b5/C", 9.0)
    stage.osc("/cue/chords/pin", "Db^7#11", 2.0)
    stage.osc("/cue/part/pad/transpose", 12)


def sections(stage) -> None:
    stage.osc("/cue/sections/add", 6.0, "activity=20; pattern=1 * 2 *", "calm")
    stage.osc("/cue/sections/add", 14.0, "parts=pad bass; dynamics=90")
    stage.osc("/cue/hits/add", 7.1, "must", "door")
    stage.osc("/cue/chords_on", "all")
    stage.osc("/cue/swing", 62.0)


def takes(stage) -> None:
    stage.osc("/cue/take/keep", "first")
    stage.osc("/cue/take/new")
    stage.ready()
    stage.osc("/cue/take/keep")
    stage.osc("/cue/take/select", 1)


def cues(stage) -> None:
    stage.osc("/cue/cues/add", 1.0, 9.0, "1m1")
    stage.ready()
    stage.osc("/cue/cues/add", 11.0, 22.0, "1m2")
    stage.ready()
    stage.osc("/cue/tempo", 96.0)
    stage.osc("/cue/progression", "Db Gb Ab Db", 0)
    stage.ready()
    stage.osc("/cue/take/keep")
    stage.osc("/cue/take/new")
    stage.osc("/cue/ending", "open")


def printed(stage) -> None:
    cues(stage)
    stage.ready()
    stage.osc("/cue/printed/mute", "pad", 2.0, 5.0)
    stage.osc("/cue/printed/mute", "all", 14.0, 16.0)


def undone(stage) -> None:
    stage.osc("/cue/transpose", 5)
    stage.osc("/cue/activity", 90.0)
    stage.osc("/cue/undo")


WORK = [pins, sections, takes, cues, printed, undone]


def live_notes(path: Path, seconds: float) -> list[tuple[float, int, int, int]]:
    """(timeline second, pitch, velocity, channel) of what `live` sends of a session, played once."""
    saved = read_session(path)
    with offline_time() as clock:
        stage = OfflineStage(clock, Engine(seconds), SessionOptions(saved.reading.film.path), saved=saved)
        try:
            sent = [e for e in stage.played(seconds) if e.status & 0xF0 == 0x90 and e.data2]
            return sorted((round(e.position_s, 3), e.data1, e.data2, e.status % 16 + 1) for e in sent)
        finally:
            stage.close()


def written_notes(path: Path, folder: Path, *flags: str) -> list[tuple[float, int, int, int]]:
    assert engine_main(["compose", str(path), "-o", str(folder / "a.mid"), "--replace", *flags]) == 0
    score = read_midi(folder / "a.mid")
    start = score.tempo_map
    return sorted((start.seconds_at(n.start_beats), n.pitch, n.velocity, n.channel) for n in score.notes)


def assert_same(written, played, nudge_s: float = 0.0) -> None:
    """The same notes, at the same seconds to a tick of the file.  nudge_s: by which `live` sends them later."""
    by_note = [sorted(notes, key=lambda note: (note[1:], note[0])) for notes in (written, played)]
    assert [note[1:] for note in by_note[0]] == [note[1:] for note in by_note[1]]
    for ours, theirs in zip(*by_note, strict=True):
        assert max(ours[0] + nudge_s, 0.0) == pytest.approx(theirs[0], abs=0.003)


GRIDS = {"4/4": Brief(bpm=120), "7/8": Brief(bpm=97.5, meter=TimeSignature(7, 8)), "seconds": Brief(grid="seconds")}
# The seconds grid has one tempo, so cues cannot have their own there.
CASES = [(work, name) for work in WORK for name in GRIDS if not (name == "seconds" and work in (cues, printed))]


@pytest.mark.parametrize("work, grid", CASES, ids=[f"{work.__name__}-{name}" for work, name in CASES])
def test_a_session_is_written_note_for_note_as_live_plays_it(work, grid, tmp_path, capsys) -> None:
    asked = GRIDS[grid]
    path = tmp_path / "a.cuebridge.json"
    with offline_time() as clock:
        stage = OfflineStage(clock, Engine(SECONDS), SessionOptions(str(CLIP), tempo=asked))
        try:
            stage.ready()
            work(stage)
            stage.ready()
            write_session(path, SessionWriter().encode(saved_state(stage.session, "0")))
        finally:
            stage.close()
    played = live_notes(path, SECONDS)
    assert len(played) > 60
    assert_same(written_notes(path, tmp_path), played)
    if work is printed:
        assert len(written_notes(path, tmp_path, "--printed")) > len(played) + 10


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_sessions_of_earlier_versions_too(path, tmp_path, capsys) -> None:
    saved = read_session(path)
    copy = tmp_path / path.name
    film = replace(saved.reading.film, path=str(CLIP))
    write_session(copy, SessionWriter().encode(replace(saved, reading=replace(saved.reading, film=film))))
    nudge_s = saved.steps[saved.index].document.number_of("/cue/nudge") / 1000
    assert_same(written_notes(copy, tmp_path), live_notes(copy, film.duration_s), nudge_s)


def test_what_is_in_the_session_already_is_refused(capsys) -> None:
    assert engine_main(["compose", str(FIXTURES[0]), "--key", "C"]) == 2
    assert "--key is in the session already" in capsys.readouterr().err
