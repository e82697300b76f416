"""What a person can get wrong: one clear sentence on stderr, exit code 2, nothing written, never a traceback."""

import socket
import subprocess
from itertools import product

import av
import numpy as np
import pytest
from livelab import CLIP, COMMAND, environment

from bridge.cli import CHILDREN
from bridge.cli import app as bridge_main
from engine.__main__ import main as engine_main
from models.training.cli import main as training_main


def program(home, *arguments, timeout=120):
    """The command as a program."""
    words = [*map(str, arguments)]
    result = subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, env=environment(home), timeout=timeout,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in result.stderr + result.stdout
    return result


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """The command in this process, by the function that the program calls: most of what can be wrong is said before
    anything is started."""
    for name, value in environment(tmp_path).items():
        if name.startswith("XDG_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("CUEBRIDGE_COMMAND", "cuebridge")  # which children are called by

    def called(*arguments):
        words = [*map(str, arguments)]
        module, before, _ = CHILDREN.get(words[0], ("", (), ""))
        main = {"engine": engine_main, "models.training.cli": training_main}.get(module, bridge_main)
        try:
            code = main([*before, *words[1:]] if module else words)
        except SystemExit as left:  # argparse
            code = left.code
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return called


def refused(result):
    """The one sentence."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert result.returncode == 2, (result.returncode, result.stderr)
    assert len(lines) == 1 and lines[0].startswith("cuebridge: "), result.stderr
    assert lines[0].rstrip().endswith((".", "?"))
    return lines[0]


@pytest.fixture(scope="module")
def bad_films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    (folder / "text.mp4").write_text("this is not a film")
    (folder / "empty.mp4").write_bytes(b"")
    with av.open(str(folder / "audio.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return folder


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *product(("analyze", "compose"), ("missing.mp4", "text.mp4", "empty.mp4", "audio.mp4")),
        *product(("live",), ("missing.mp4", "audio.mp4")),  # its engine and player start before a film is looked at
    ],
)
def test_files_that_are_no_film(tmp_path, run, bad_films, command, name):
    extra = ["-o", tmp_path / "out.mid"] if command == "compose" else []
    extra = ["--midi-api", "none", "--once", "--play", "--osc-port", "0"] if command == "live" else extra
    words = (command, bad_films / name, *extra)
    sentence = refused(program(tmp_path, *words) if command == "live" or name == "missing.mp4" else run(*words))
    assert name in sentence
    assert not list(tmp_path.glob("*.mid"))


@pytest.mark.parametrize(
    ("arguments", "token"),
    [
        (["--progression", "C J7"], "J7"),
        (["--key", "X major"], "X major"),
        (["--meter", "4/3"], "4/3"),
        (["--bpm", "9999"], "9999"),
        (["--tempo-map", "nowhere.mid"], "nowhere.mid"),
    ],
)
@pytest.mark.parametrize("command", ["compose", "live"])
def test_words_that_cannot_be_read(tmp_path, run, command, arguments, token):
    extra = ["-o", tmp_path / "out.mid"] if command == "compose" else ["--midi-api", "none", "--osc-port", "0"]
    assert token in refused(run(command, CLIP, *extra, *arguments))
    assert not list(tmp_path.glob("*.mid"))


@pytest.mark.parametrize(
    "arguments", [["fly"], ["compose"], ["live"], ["live", CLIP, "--wings"], ["compose", CLIP, "--grid", "x"]]
)
def test_commands_and_options_that_do_not_exist(run, arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stderr.strip()


def test_an_interface_that_is_not_there(tmp_path):
    refused(program(tmp_path, "live", CLIP, "--midi-api", "coremidi", "--osc-port", "0"))


def test_two_on_one_osc_port(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        sentence = refused(program(tmp_path, "live", CLIP, "--midi-api", "none", "--osc-port", port))
    assert str(port) in sentence


def test_a_film_cut_off_in_the_middle_is_used_as_far_as_it_goes(tmp_path):
    # The index is moved to the front first, as a download that broke off has it.
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    with av.open(str(CLIP)) as source, av.open(str(whole), "w", options={"movflags": "faststart"}) as target:
        video = source.streams.video[0]
        out = target.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = out
                target.mux(packet)
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) * 6 // 10])
    result = program(tmp_path, "compose", cut, "-o", tmp_path / "out.mid")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.mid").exists()
    assert "cut.mp4" in result.stdout + result.stderr
    assert any(
        word in (result.stdout + result.stderr).lower()
        for word in ("broken", "ends early", "cut off", "truncated", "could be read")
    )


def test_a_folder_that_cannot_be_written(tmp_path, run):
    refused(run("compose", CLIP, "-o", tmp_path / "no" / "such" / "folder" / "out.mid"))


@pytest.mark.parametrize(
    ("arguments", "token"),
    [
        (["analyze"], "film"),
        (["cache", "clear", "--foo"], "--foo"),
        (["models"], "COMMAND"),
        (["ports", "--x"], "--x"),
        (["live", CLIP, "--frame-rate", "77"], "77"),
        (["compose", CLIP, "-o", "."], "folder"),
        (["compose", CLIP, "--cache-dir", CLIP], "cache"),
    ],
)
def test_every_command_says_it_in_one_sentence(run, arguments, token):
    assert token in refused(run(*arguments))


def test_a_single_picture_is_too_short_for_music(tmp_path, run):
    film = tmp_path / "one.mp4"
    with av.open(str(film), "w") as out:
        stream = out.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    assert "too short" in refused(run("compose", film, "-o", tmp_path / "out.mid"))
    assert not (tmp_path / "out.mid").exists()


def test_help_answers_for_every_command(run):
    for command in ("analyze", "compose", "live", "ports", "doctor", "cache", "models"):
        result = run(command, "--help")
        assert result.returncode == 0
        assert "usage" in result.stdout.lower()
