"""The engine without memory or with broken weights, in a real run: the music goes on, and everybody is told."""

import os
import resource
import shutil
import signal
import subprocess

import pytest
from livelab import COMMAND, ROOT, Live, environment, short_film


@pytest.fixture
def film(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return short_film(tmp_path / "short.mp4", 29.0)


OUT_OF_MEMORY = "ran out of memory"
NO_STACK = "crashed (signal 11)"


def playing(live, until_s):
    return live.wait(lambda line: line.get("picture_s", 0) >= until_s and line["state"] == "playing", "playing on")


def told(live, what, *either):
    """Clients are, in /cue/progress, one of these."""

    def met(line):
        said = line.get("progress", {})
        return said.get("what") == what and any(words in said["words"] for words in either)

    return live.wait(met, " or ".join(either), 20)


def no_traceback(live):
    assert not [line for line in live.errors if "Traceback" in line], "".join(live.errors)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit")
def test_an_engine_out_of_memory_comes_back_and_composes_what_was_asked(tmp_path, film, monkeypatch):
    # Freed blocks go back to the system at once, so that the next composition has to ask for its own.
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "16384")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "0")
    with Live(film, tmp_path, "--midi-api", "none") as live:
        ready = live.ready()
        live.send("/cue/play")
        before = playing(live, 0.5)
        engine = live.lines[0]["pids"]["engine"]
        resource.prlimit(engine, resource.RLIMIT_AS, (1 << 20, 1 << 20))  # less than it has: not a page more
        live.send("/cue/tempo", 200.0)
        live.send("/cue/progression", "F#m B7")
        # Where it is the stack that cannot grow, the system ends the process before Python can say anything.
        told(live, "engine", OUT_OF_MEMORY, NO_STACK)
        live.wait(lambda line: line.get("chord") == "F#m" and line["state"] == "playing", "the chords", 30)
        assert before["sent"] < live.last("status")["sent"] and ready["whole"]
        assert live.quit() == 0
    no_traceback(live)
    said = [f"the engine {what}; it is started again" for what in (OUT_OF_MEMORY, NO_STACK)]
    assert any(words in line for words in said for line in live.errors), live.errors


@pytest.mark.slow
def test_weights_that_broke_are_told_while_the_music_goes_on_and_are_read_again_when_whole(tmp_path, film):
    program = tmp_path / "program"
    for name in ("bridge", "engine", "models"):
        shutil.copytree(ROOT / name, program / name, ignore=shutil.ignore_patterns("__pycache__", "training"))
    weights = program / "models" / "weights" / "amt.safetensors"
    whole = weights.read_bytes()
    with Live(film, tmp_path, "--midi-api", "none", program=program) as live:
        live.ready()
        live.send("/cue/play")
        playing(live, 0.5)
        weights.write_bytes(whole[: len(whole) // 2])
        os.kill(live.lines[0]["pids"]["engine"], signal.SIGKILL)
        at = told(live, "failed", "amt.safetensors")
        live.send("/cue/progression", "F#m B7")
        playing(live, at["picture_s"] + 1.0)
        weights.write_bytes(whole)
        live.wait(lambda line: "F#m" in (line.get("chord"), line.get("next_chord")), "the chords", 30)
        assert live.quit() == 0
    no_traceback(live)
    assert len([line for line in live.errors if "amt.safetensors" in line]) == 1, live.errors

    weights.write_bytes(whole[: len(whole) // 2])
    refused = subprocess.run(
        [*COMMAND, "live", str(film), "--midi-api", "none", "--osc-port", "0", "--play", "--once", "--no-session"],
        capture_output=True, text=True, env={**environment(tmp_path), "PYTHONPATH": str(program)}, cwd=program,
        timeout=60,
    )  # fmt: skip
    assert refused.returncode == 2 and "Traceback" not in refused.stderr + refused.stdout
    assert refused.stderr.count("\n") == 1 and "amt.safetensors" in refused.stderr, refused.stderr


@pytest.mark.slow
def test_broken_clip_weights_are_one_sentence_and_exit_code_2(tmp_path, film):
    broken = tmp_path / "clip.safetensors"
    broken.write_bytes(b"not weights at all" * 1000)
    refused = subprocess.run(
        [*COMMAND, "live", str(film), "--midi-api", "none", "--osc-port", "0", "--play", "--once", "--no-session",
         "--clip-weights", str(broken)],
        capture_output=True, text=True, env=environment(tmp_path), timeout=60,
    )  # fmt: skip
    assert refused.returncode == 2 and "Traceback" not in refused.stderr + refused.stdout
    assert refused.stderr.count("\n") == 1 and refused.stderr.startswith("cuebridge: "), refused.stderr
    assert "clip" in refused.stderr.lower()
