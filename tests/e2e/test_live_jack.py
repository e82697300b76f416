"""The main job against a real JACK server: what an independent client captures is what was composed.

Figures are the bench's business (tests/bench/live_capture.py); here only what must hold on any machine, however slow.
"""

import os
import signal
import time

import pytest
from jacklab import NEEDS_JACK, Capture, JackServer, still_sounding
from livelab import Live, compose, composed_notes, match, port_name, short_film, struck

pytestmark = NEEDS_JACK

SECONDS = 8.0
GROSS_S = 0.2  # a note further from its place than this is a fault even on a crowded machine


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def film(home):
    return short_film(home / "short.mp4", SECONDS)


@pytest.fixture
def server():
    with JackServer(period=1024) as server:
        yield server


def _assert_whole(found, what):
    assert not found.missing, f"{what}: {len(found.missing)} composed notes were not heard, first {found.missing[:3]}"
    assert not found.extra, f"{what}: {len(found.extra)} notes too many, first {found.extra[:3]}"
    assert max(abs(offset) for offset in found.offsets_s) < GROSS_S


@pytest.mark.parametrize(("api", "grid"), [("jack-client", "beats"), ("jack", "seconds")])
def test_captured_notes_are_the_composed_ones(server, film, home, api, grid):
    arguments = ["--grid", grid, "--take", "3"]
    report = compose(film, home / f"{grid}.mid", home, *arguments)
    assert report["chords"]
    with Live(film, home, "--midi-api", api, *arguments) as live, Capture() as capture:
        ready = live.ready()
        capture.connect(port_name(ready))
        live.send("/cue/play")
        live.wait(lambda line: line.get("picture_s", 0) >= SECONDS - 0.6, "the end of the film")
        time.sleep(1.2)  # a planned cue is over with its film
        live.send("/cue/stop")
        time.sleep(0.3)
        heard = capture.heard()
        assert live.quit() == 0
    _assert_whole(match(struck(heard), composed_notes(home / f"{grid}.mid")), f"{api}, {grid} grid")
    assert not still_sounding([event.data for event in heard])


def test_locate_and_loop_play_what_was_composed_there(server, film, home):
    out = home / "loop.mid"
    plain = ("--grid", "seconds", "--form", "none")  # arpeggios all the way
    compose(film, out, home, *plain)
    composed = composed_notes(out)
    with Live(film, home, "--midi-api", "jack-client", *plain) as live, Capture() as capture:
        ready = live.ready()
        capture.connect(port_name(ready))
        live.send("/cue/locate", 4.0)
        live.send("/cue/play")
        live.wait(lambda line: line.get("picture_s", 0) >= 6.5, "two seconds from the located place")
        live.send("/cue/stop")
        time.sleep(0.3)
        first = struck(capture.heard())
        capture.events.clear()
        live.send("/cue/loop", True, 2.0, 4.0)
        live.send("/cue/locate", 2.0)
        live.send("/cue/play")
        time.sleep(7.0)
        live.send("/cue/stop")
        time.sleep(0.3)
        heard = capture.heard()
        assert live.quit() == 0
    # From the located place: shorts from there on, and of the pad also what should be sounding.
    after = [note for note in composed if 4.0 - 0.002 <= note[0] < 6.0]
    found = match([note for note in first if note.channel != 1], [note for note in after if note[3] != 1])
    assert not found.missing
    assert max(abs(offset) for offset in found.offsets_s) < GROSS_S
    # In the loop: every pass of two seconds strikes the same arp notes.
    inside = [(note[1], note[2]) for note in composed if 2.0 - 0.002 <= note[0] < 4.0 - 0.002 and note[3] == 2]
    assert inside
    passes = [(note.pitch, note.velocity) for note in struck(heard) if note.channel == 2]
    assert len(passes) >= 3 * len(inside)
    for index in range(0, 3 * len(inside), len(inside)):
        assert sorted(passes[index : index + len(inside)]) == sorted(inside)
    assert not still_sounding([event.data for event in heard])


def test_a_loop_with_a_new_take_each_pass_plays_each_pass_as_that_take_alone_would(server, film, home):
    passes, loop = 4, (0.0, 4.0)
    plain = ("--grid", "seconds", "--form", "none")  # where every take has an arp from the beginning on
    with Live(film, home, "--midi-api", "jack-client", *plain) as live, Capture() as capture:
        ready = live.ready()
        capture.connect(port_name(ready))
        live.send("/cue/take/repeat", "new")
        live.send("/cue/loop", True, *loop)
        live.send("/cue/play")
        takes = [1]
        for number in range(2, passes + 1):
            live.wait(lambda line, number=number: line.get("take", 0) == number, f"take {number}", 60)
            takes.append(number)
        time.sleep(2 * (loop[1] - loop[0]))  # the last of them is heard whole
        live.send("/cue/stop")
        time.sleep(0.3)
        heard = capture.heard()
        assert live.quit() == 0
    assert not still_sounding([event.data for event in heard])
    onsets = [note for note in struck(heard) if note.channel == 2]  # the arp: every slot has it
    begun = onsets[0].host_s
    played: dict[int, list[tuple[int, int]]] = {}
    for note in onsets:
        played.setdefault(int((note.host_s - begun + GROSS_S) // (loop[1] - loop[0])), []).append(
            (note.pitch, note.velocity)
        )
    composed = []
    for number in takes:
        out = home / f"take-{number}.mid"
        compose(film, out, home, *plain, "--take", str(number))
        inside = [note for note in composed_notes(out) if note[3] == 2 and loop[0] - 0.002 <= note[0] < loop[1] - 0.002]
        composed.append(sorted((note[1], note[2]) for note in inside))
    assert len({tuple(each) for each in composed}) > 1, "the takes are alike: this film shows nothing"
    assert [sorted(played[index]) for index in range(passes)] == composed


def test_a_new_progression_is_heard_from_the_next_bar_and_nothing_hangs(server, film, home):
    with Live(film, home, "--midi-api", "jack-client", "--bpm", "120", "--key", "C") as live, Capture() as capture:
        ready = live.ready()
        capture.connect(port_name(ready))
        live.send("/cue/play")
        live.wait(lambda line: line.get("picture_s", 0) >= 1.2, "playing")
        live.send("/cue/progression/mode", "loop")
        answer = live.send("/cue/progression", "F#")
        assert answer is not None and answer.address == "/cue/progression"
        live.wait(lambda line: line.get("picture_s", 0) >= 7.5, "the end", 30)
        live.send("/cue/stop")
        time.sleep(0.3)
        heard = capture.heard()
        assert live.quit() == 0
    notes = struck(heard)
    start = notes[0].host_s
    # From 4 s (bar 3) on at the latest everything but passing tones of the bass is F# major.
    late = [note for note in notes if note.host_s - start > 4.2 and note.channel in (1, 2)]
    assert late
    assert {note.pitch % 12 for note in late} <= {6, 10, 1}
    assert not still_sounding([event.data for event in heard])


def test_a_new_tempo_keeps_chords_at_their_picture_time(server, film, home):
    with Live(film, home, "--midi-api", "jack-client", "--bpm", "90") as live, Capture() as capture:
        ready = live.ready()
        capture.connect(port_name(ready))
        live.send("/cue/play")
        live.wait(lambda line: line.get("picture_s", 0) >= 2.0, "playing")
        live.send("/cue/tempo", 110.0)
        changed = live.wait(lambda line: abs(line.get("tempo_bpm", 0) - 110) < 0.01, "the new tempo", 10)
        assert abs(changed["picture_s"] - 2.0) < 3.0
        live.wait(lambda line: line.get("picture_s", 0) >= 7.0, "playing on", 30)
        live.send("/cue/stop")
        time.sleep(0.3)
        heard = capture.heard()
        assert live.quit() == 0
    assert not still_sounding([event.data for event in heard])
    assert struck(heard)


@pytest.mark.parametrize("victim", ["engine", "player", "bridge"])
def test_whoever_is_killed_no_note_is_left_sounding(server, film, home, victim):
    with Live(film, home, "--midi-api", "jack-client") as live:
        ready = live.ready()
        port = port_name(ready)
        with Capture(autoconnect=port) as capture:
            time.sleep(0.2)
            live.send("/cue/play")
            live.wait(lambda line: line.get("picture_s", 0) >= 1.0, "playing")
            pid = live.process.pid if victim == "bridge" else ready["pids"][victim]
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.5 if victim == "bridge" else 2.5)
            heard = capture.heard()
            if victim == "engine":  # the plan lasts: music went on
                assert [note for note in struck(heard) if note.host_s > heard[0].host_s + 1.5]
            if victim != "bridge":
                live.send("/cue/stop")
                time.sleep(0.5)
                heard = capture.heard()
                assert live.quit() == 0
            else:
                time.sleep(1.0)
                heard = capture.heard()
    assert struck(heard)
    assert not still_sounding([event.data for event in heard])


def test_ctrl_c_and_sigterm_end_cleanly(server, film, home):
    for number, code in ((signal.SIGTERM, {0, 143, -15}), (signal.SIGINT, {130, 0})):
        with Live(film, home, "--midi-api", "jack-client") as live:
            ready = live.ready()
            with Capture() as capture:
                capture.connect(port_name(ready))
                live.send("/cue/play")
                live.wait(lambda line: line.get("picture_s", 0) >= 0.8, "playing")
                live.process.send_signal(number)
                assert live.process.wait(15) in code
                time.sleep(0.2)
                heard = capture.heard()
            assert struck(heard)
            assert not still_sounding([event.data for event in heard])
            assert "Traceback" not in "".join(live.errors)
