"""Twenty operations at random with faults between, on the whole session and the real Performer: full disk, deaths of
player and engine, a session file that somebody has spoilt, kill.  Session and recording are compared with a model.

The model of the session is the document that is in force; that of the recording: each place of the film holds what was
played there last.
"""

from __future__ import annotations

import errno
import random
import time
from dataclasses import replace

import pytest
from offlinelab import OfflineStage, offline_time
from profiles import count
from sessionlab import Engine

from bridge.engine_link import EngineGone
from bridge.session.edits.values import set_value
from bridge.session.file import autosave as autosave_module
from bridge.session.file.export import RecordingFile
from bridge.session.session import SessionOptions
from engine import midifile
from engine.document.file import SessionError, read_session, write_session
from engine.midifile import read_midi
from engine.music import UserError
from engine.process.messages import EngineReady

OPERATIONS = 20
FILM_S = 20.0
BORDER_S = 0.35  # where one pass begins or ends in another: a note that sounds there may be cut or chased
FAULTS = ("full", "works", "player", "engine", "spoilt", "kill")
WORK = ("edit", "edit", "pin", "undo", "take", "play", "play", "play", "stop", "locate", "panic")


class Played:
    """The model of a recording: passes in the order in which they were played, each with its note-ons."""

    def __init__(self) -> None:
        self.passes: list[list] = [[]]

    def add(self, events) -> None:
        self.passes[-1] += [event for event in events if event.status & 0xF0 == 0x90 and event.data2]

    def cut(self) -> None:
        if self.passes[-1]:
            self.passes.append([])

    def check(self, track) -> None:
        """Every note that nothing was played over is in the track, and none over which something was."""
        held = {
            (round(event.position_s, 4), event.status & 0xF, event.data1)
            for event in track
            if event.status & 0xF0 == 0x90
        }
        for number, notes in enumerate(self.passes):
            later = [(each[0].position_s, each[-1].position_s) for each in self.passes[number + 1 :] if each]
            for event in notes:
                at_s = event.position_s
                name = (round(at_s, 4), event.status & 0xF, event.data1)
                if not any(first - BORDER_S < at_s < last + BORDER_S for first, last in later):
                    assert name in held, f"a note of pass {number} at {at_s:.2f} s is lost"
                elif any(first + BORDER_S < at_s < last - BORDER_S for first, last in later):
                    after = (each for notes in self.passes[number + 1 :] for each in notes)
                    again = {(round(each.position_s, 4), each.status & 0xF, each.data1) for each in after}
                    assert name not in held or name in again, f"a note of pass {number} at {at_s:.2f} s stayed"


class Run:
    """What `live` keeps together, from its start to its end or its death."""

    def __init__(self, clock, folder, session_file) -> None:
        saved = read_session(session_file) if session_file.exists() else None
        engine = Engine(FILM_S)
        engine.film = replace(engine.film, path=str(folder / "film.mp4"))
        self.played, self.seen = Played(), 0
        self.stage = OfflineStage(
            clock, engine, SessionOptions(str(folder / "film.mp4")), session_file=session_file, saved=saved
        )
        self.session, self.autosave = self.stage.session, self.stage.autosave
        self.path = folder / "take.mid"
        self.file = RecordingFile(self.session)
        self.host_s, self.rolled = 0.0, False
        self.stage.ready()
        self.file.begin(self.path)

    def run(self, seconds: float) -> None:
        self.stage.run(seconds)
        self.played.add(self.stage.sent[self.seen :])
        self.seen = len(self.stage.sent)
        if self.rolled and not self.session.rolling:
            self.file.write(self.path)
        self.rolled = self.session.rolling
        if not self.rolled:
            self.file.catch_up()

    def save(self) -> None:
        """Until the disk has taken or refused what is decided."""
        for _ in range(2):
            self.host_s += 10.0
            self.autosave.tick(self.host_s)
            self.autosave._jobs.join()
        self.autosave.tick(self.host_s + 0.1)

    def kill(self) -> None:
        """Nothing is said, written or waited for any more; what the journal holds stays on the disk."""
        self.file._join()
        self.session.recorder.journal = None
        self.file._journal.close(keep=True)
        self.session.plan.close()
        self.autosave._closed = True
        self.autosave._jobs.put(None)


@pytest.mark.parametrize("seed", range(count(10)))
def test_session_and_recording_are_as_the_model_has_them(tmp_path, monkeypatch, seed) -> None:
    dice, disk = random.Random(seed), {"fault": 0}
    write_events = midifile.write_events

    def save(path, data) -> None:
        if disk["fault"]:
            raise SessionError("the session cannot be written: the disk is full.")
        write_session(path, data)

    def record(path, *given, **more) -> int:
        if disk["fault"]:
            raise OSError(disk["fault"], "the disk is full")
        return write_events(path, *given, **more)

    monkeypatch.setattr(autosave_module, "write_session", save)
    monkeypatch.setattr(midifile, "write_events", record)
    monkeypatch.setattr("bridge.session.file.find.user_folder", lambda: tmp_path / "data")
    (tmp_path / "film.mp4").write_bytes(b"film" * 5000)
    spoilt: dict = {}
    session_file = tmp_path / "mine.cuebridge.json"
    with offline_time() as clock:
        run = Run(clock, tmp_path, session_file)
        on_disk, recovered, deaths = None, 0, 0
        for number in range(OPERATIONS):
            operation = dice.choice(FAULTS if dice.random() < 0.35 else WORK)
            session = run.session
            try:
                if operation == "edit":
                    session.edit(set_value, "/cue/transpose", dice.randrange(-12, 13))
                elif operation == "pin":
                    run.stage.osc("/cue/chords/pin", "E7", dice.uniform(0.0, FILM_S - 1.0))
                elif operation == "undo":
                    session.undo()
                elif operation == "take":
                    session.new_take()
                elif operation == "play":
                    session.play()
                elif operation == "stop":
                    session.stop()
                elif operation == "locate":
                    run.run(0.02)
                    run.played.cut()
                    session.locate(dice.uniform(0.0, FILM_S - 3.0))
                elif operation == "panic":
                    session.panic()
            except UserError:
                pass  # nothing to undo: refused in a sentence
            if operation == "full":
                disk["fault"] = errno.ENOSPC
            elif operation == "works":
                disk["fault"] = 0
            elif operation == "player":
                run.stage.player.die()
            elif operation == "engine":
                deaths += 1
                run.stage.engine.inbox.clear()
                session.on_engine(EngineGone("the engine died.", -9, deaths % 3))
                session.on_engine(EngineReady(1, "test"))
            elif operation == "spoilt" and run.autosave.path.exists() and not disk["fault"]:
                run.save()
                spoilt[run.autosave.path] = f"spoilt {number}".encode()
                run.autosave.path.write_bytes(spoilt[run.autosave.path])
                session.edit(set_value, "/cue/swing", 50.0 + number)  # so that there is something to save
            elif operation == "kill":
                run.run(0.1)
                run.save()
                run.played.check(session.recorder.events)
                heard = sum(event.status & 0xF0 == 0x90 for event in session.recorder.events)
                session_file = run.autosave.path
                run.kill()
                disk["fault"] = 0
                run = Run(clock, tmp_path, session_file)
                if heard:
                    recovered += 1
                    end_s = time.monotonic() + 10
                    while len(run.file.news()) < 1 and time.monotonic() < end_s:  # it is written beside the session
                        time.sleep(0.002)
                    file = max(tmp_path.glob("take-recovered*.mid"), key=lambda path: path.stat().st_mtime_ns)
                    assert len(read_midi(file).notes) == heard
                if on_disk is not None:  # as the disk had it last
                    assert run.session.document.settings == on_disk.settings
                    assert run.session.document.pins == on_disk.pins
            run.run(dice.uniform(0.05, 1.2))
            if not run.session.rolling:
                run.played.cut()
            run.save()
            assert run.session.failure is None
            if not disk["fault"] and run.autosave.path.exists():
                on_disk = run.session.document
                saved = read_session(run.autosave.path)
                assert saved.steps[saved.index].document.settings == on_disk.settings
        disk["fault"] = 0
        run.session.stop()
        run.stage.ready()
        run.run(0.5)
        run.save()
        run.played.check(run.session.recorder.events)
        run.file.write(run.path, wait=True)
        run.file.end()
        notes = sum(event.status & 0xF0 == 0x90 for event in run.session.recorder.events)
        written = [path for path in tmp_path.glob("take*.mid") if "recovered" not in path.name]
        assert not notes or any(len(read_midi(path).notes) == notes for path in written)
        assert len(list(tmp_path.glob("take-recovered*.mid"))) == recovered
        assert not list(tmp_path.glob("*.playing")), "a journal is left though everything is written"
        if run.session.history.undo_count:
            saved = read_session(run.autosave.path)
            assert saved.steps[saved.index].document == run.session.document
            assert len(saved.steps) == len(run.session.history.steps)
        for path, content in spoilt.items():
            assert path.read_bytes() == content, "what another program has written is lost"
        run.stage.close()
