"""Whole soundtracks: with the picture, without, in parts, and what goes wrong."""

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from soundlab import FLASH_S, ebur128, make_film, packets_of, read_sound

from engine.sound.errors import SoundError
from engine.sound.events import PartEvents, SoundEvents, SoundNote
from engine.sound.film_sound import FilmSound
from engine.sound.fonts import bundled_font
from engine.sound.limiter import CEILING_DBTP
from engine.sound.render import RenderOptions, check_output, render
from engine.sound.voice import SAMPLE_RATE
from engine.video.errors import VideoError


def music(seconds: float = 3.0) -> SoundEvents:
    """Chords, a bass and drums over so many seconds."""
    length = round(seconds * SAMPLE_RATE)
    beats = range(0, length, 24_000)
    return SoundEvents(
        length,
        {
            "pad": PartEvents(tuple(SoundNote(at, 60 + key, 80, 23_000) for at in beats for key in (0, 4, 7))),
            "bass": PartEvents(tuple(SoundNote(at, 36, 100, 12_000) for at in beats)),
            "drums": PartEvents(tuple(SoundNote(at, 36, 110, 3_000) for at in beats)),
        },
    )


@pytest.fixture
def options(font, tmp_path):
    return lambda name, **changes: RenderOptions(tmp_path / name, font.path, **changes)


def click_at(sound: np.ndarray) -> int:
    """Sample at which the film's click is loudest."""
    return int(np.argmax(np.abs(sound).sum(axis=0)))


@pytest.mark.parametrize(
    ("name", "making"),
    [
        ("film.mp4", {}),
        ("film.mkv", {"sound": "pcm_s16le", "sound_rate": 48_000}),
        ("film.mov", {"sound": "pcm_s16le"}),
        ("short.mkv", {"seconds": 0.08, "sound": None}),
        ("late.mkv", {"start_s": 5.0, "sound": "pcm_s16le"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "sound": "libopus", "sound_rate": 48_000}),
    ],
)
def test_the_picture_is_copied_and_the_films_sound_stays_in_step(tmp_path, options, name, making):
    film = make_film(tmp_path / name, **making)
    rendered = render(film, SoundEvents(3 * SAMPLE_RATE), options("out.mp4", loudness_lufs=None))
    before, after = packets_of(film), packets_of(rendered.output)
    assert [data for data, _ in before] == [data for data, _ in after]
    # Matroska counts in milliseconds.
    assert max(abs(old[1] - new[1]) for old, new in zip(before, after, strict=True)) <= Fraction(1, 1000)
    if making.get("sound", "") is not None:
        assert abs(click_at(read_sound(rendered.output)) - click_at(reference(film))) <= 2
    with av.open(str(rendered.output)) as container:
        assert float(container.streams.video[0].start_time * container.streams.video[0].time_base) == 0.0
        assert float(container.streams.audio[0].duration * container.streams.audio[0].time_base) == 3.0


def reference(film: Path) -> np.ndarray:
    """The film's sound from its first frame on, by libav's own clock."""
    sound = read_sound(film)
    with av.open(str(film)) as container:
        first = min(packet.pts * packet.time_base for packet in container.demux(video=0) if packet.size)
    return sound[:, max(round(float(first) * SAMPLE_RATE), 0) :]


def test_an_annex_b_picture_is_copied_frame_by_frame(tmp_path, options):
    """MPEG-TS keeps H.264 in another wrapping: the same frames, each at its own time."""
    film = make_film(tmp_path / "film.ts")
    rendered = render(film, music(), options("out.mp4"))

    def frames(path: Path) -> list[np.ndarray]:
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]

    old, new = frames(film), frames(rendered.output)
    assert len(old) == len(new) == 75
    assert all(np.array_equal(a, b) for a, b in zip(old, new, strict=True))


def test_keep_and_drop(film, options):
    events = SoundEvents(3 * SAMPLE_RATE)
    kept = read_sound(render(film, events, options("kept.wav", loudness_lufs=None)).output)
    assert kept.shape == (2, 3 * SAMPLE_RATE)
    assert click_at(kept) == pytest.approx(FLASH_S * SAMPLE_RATE, abs=60)
    assert np.abs(kept).max() > 0.3
    dropped = read_sound(render(film, events, options("dropped.wav", film_sound="drop")).output)
    assert not dropped.any()


def test_reencoded_picture_keeps_its_times(tmp_path, options):
    film = make_film(tmp_path / "film.mkv", codec="ffv1", sound="pcm_s16le")
    with pytest.raises(SoundError, match="--reencode"):
        check_output(film, options("out.mp4"))
    rendered = render(film, music(), options("out.mp4", reencode=True))
    with av.open(str(rendered.output)) as container:
        frames = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="gray").mean())
            for frame in container.decode(video=0)
        ]
    assert len(frames) == 75
    assert [time for time, _ in frames] == pytest.approx([index / 25 for index in range(75)], abs=0.001)
    assert max(frames, key=lambda frame: frame[1])[0] == pytest.approx(FLASH_S, abs=0.001)


@pytest.mark.parametrize("reencode", [False, True])
def test_a_turned_picture_stays_turned(tmp_path, options, reencode):
    film = make_film(tmp_path / "film.mp4", 0.5, sound=None, rotation=90)
    rendered = render(film, SoundEvents(24_000), options("out.mp4", reencode=reencode))
    for path in (film, rendered.output):
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).rotation == 90


def test_ten_bit_pictures_are_refused_unless_reencoded(tmp_path, options):
    film = make_film(tmp_path / "film.mp4", pixels="yuv422p")
    with pytest.raises(SoundError, match="8-bit 4:2:0"):
        check_output(film, options("out.mp4"))
    check_output(film, options("out.wav"))


@pytest.mark.parametrize("lufs", [-30.0, -23.0, -18.0, -14.0])
def test_loudness_is_met(film, options, lufs):
    rendered = render(film, music(), options("out.wav", loudness_lufs=lufs))
    heard, peak = ebur128(rendered.output)
    assert heard == pytest.approx(lufs, abs=0.5)
    assert rendered.lufs == pytest.approx(heard, abs=0.2)
    assert peak <= CEILING_DBTP


def test_loudness_that_cannot_be_reached_is_said(film, options):
    clicks = SoundEvents(
        3 * SAMPLE_RATE, {"drums": PartEvents(tuple(SoundNote(at, 37, 127, 500) for at in range(0, 140_000, 40_000)))}
    )
    rendered = render(film, clicks, options("out.wav", loudness_lufs=-8.0, film_sound="drop"))
    heard, peak = ebur128(rendered.output)
    assert peak <= CEILING_DBTP
    assert abs(heard + 8) <= 0.5 or any("cannot be reached" in note for note in rendered.notes)


def test_stems_add_up_to_the_mix(film, options, tmp_path):
    rendered = render(film, music(), options("out.wav", loudness_lufs=-12.0, stems=tmp_path / "stems"))
    assert rendered.limited_db < -0.5  # the limiter is part of what must add up
    assert [path.name for path in rendered.stems] == [f"out_{name}.wav" for name in ("pad", "bass", "drums", "film")]
    total = sum(read_sound(path) for path in rendered.stems)
    mix = read_sound(rendered.output)
    assert total.shape == mix.shape == (2, 3 * SAMPLE_RATE)
    assert np.abs(total - mix).max() <= 1e-6


@pytest.mark.parametrize("seconds", [0.04, 1 / 3, 2.0, 2.9999])
@pytest.mark.parametrize("name", ["out.wav", "out.flac"])
def test_length_is_exact(film, options, seconds, name):
    rendered = render(film, music(seconds), options(name))
    assert read_sound(rendered.output).shape[1] == round(seconds * SAMPLE_RATE)


def test_a_film_without_sound(tmp_path, options):
    film = make_film(tmp_path / "silent.mp4", sound=None)
    rendered = render(film, music(), options("out.mp4", film_sound="keep"))
    assert rendered.notes == ("silent.mp4 has no sound of its own.",)
    assert np.abs(read_sound(rendered.output)).max() > 0.01


def test_music_for_a_film_without_notes_is_silence(tmp_path, options):
    film = make_film(tmp_path / "silent.mp4", sound=None)
    rendered = render(film, SoundEvents(SAMPLE_RATE), options("out.wav"))
    assert rendered.lufs == -np.inf
    assert not read_sound(rendered.output).any()


def test_refusals_come_before_any_work(tmp_path, film, options):
    sound_only = tmp_path / "voice.wav"
    render(film, music(), options(sound_only.name))
    for wrong, words in (
        (lambda: options("out.avi"), "out.avi is none of"),
        (lambda: options("out.mp4", film_sound="mute"), "kept, ducked or dropped"),
        (lambda: options("out.mp4", loudness_lufs=3.0), "LUFS"),
        (lambda: check_output(film, options(sound_only.name)), "--replace"),
        (lambda: check_output(film, options("film.mp4", replace=True)), "would be overwritten"),
        (lambda: check_output(film, options("absent/out.mp4")), "no folder"),
        (lambda: check_output(film, options("out.mp4", stems=sound_only)), "is a file"),
    ):
        with pytest.raises(SoundError, match=words):
            wrong()
    with pytest.raises(VideoError, match="no picture"):
        check_output(sound_only, options("out.mp4"))


def test_a_damaged_end_of_the_films_sound_is_silent(tmp_path, options):
    film = make_film(tmp_path / "film.mkv", sound="pcm_s16le")
    film.write_bytes(film.read_bytes()[: -len(film.read_bytes()) // 3])
    stream = FilmSound(film)
    assert stream.read(5 * SAMPLE_RATE).shape == (2, 5 * SAMPLE_RATE)
    stream.close()


NO_SPACE = """
import resource, signal, sys
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}]
from test_render import RenderOptions, SoundError, music, render
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    render({film!r}, music(), RenderOptions(Path({out!r}), Path({font!r}), stems={stems}))
except SoundError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no limit on the size of files")
@pytest.mark.parametrize("limit", [0, 300_000, 1_200_000])
@pytest.mark.parametrize("name", ["out.mp4", "out.wav"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, film, font, limit, name):
    """The system refuses to write more than `limit` bytes into any file."""
    out = tmp_path / "there" / name
    out.parent.mkdir()
    out.write_bytes(b"old")
    script = NO_SPACE.format(
        root=str(Path(__file__).parents[3]),
        tests=f"{Path(__file__).parent}:{Path(__file__).parents[2]}".split(":")[0],
        film=str(film), out=str(out), font=str(font.path), limit=limit, stems=None,
    )  # fmt: skip
    environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{Path(__file__).parents[3]}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    needed = 3 * SAMPLE_RATE * 8
    if (limit < needed and name == "out.wav") or limit < 300_001:
        assert "cannot be written" in done.stdout, done.stderr
        assert out.read_bytes() == b"old"
    assert not done.stderr
    assert [path.name for path in out.parent.iterdir()] == [name]


def test_not_enough_space_is_said_beforehand(film, options, monkeypatch):
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("engine.sound.files.shutil.disk_usage", lambda folder: usage)
    with pytest.raises(SoundError, match=r"Not enough space in .*: 2\.\d MB needed, 1\.0 MB free"):
        render(film, music(), options("out.wav"))


def test_interrupting_leaves_nothing_behind(film, options, tmp_path):
    def interrupt(fraction: float, phase: str) -> None:
        if phase == "writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(film, music(), options("out.mp4", stems=tmp_path / "stems"), interrupt)
    assert not (tmp_path / "out.mp4").exists()
    assert not list((tmp_path / "stems").iterdir())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_small_font_is_found():
    assert bundled_font() is not None


PLAYED = """<body>waiting<script>
const film = document.createElement("video");
film.src = "out.mp4";
film.muted = true;
const show = (text) => { document.body.textContent = text; document.body.dataset.done = "yes"; };
film.onerror = () => show(`"${film.error.message}"`);
film.onloadeddata = () => (film.currentTime = 1.0);
film.onseeked = async () => {
  await film.play();
  setTimeout(() => show(JSON.stringify(
    [film.duration, film.currentTime, film.webkitAudioDecodedByteCount, film.webkitDecodedFrameCount])), 700);
};
</script>"""


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed")
def test_a_browser_plays_the_result(film, options, tmp_path):
    """Chromium loads it, seeks, plays on, and decodes picture and sound; the length is the film's."""
    playwright = pytest.importorskip("playwright.sync_api")
    render(film, music(), options("out.mp4"))
    (tmp_path / "page.html").write_text(PLAYED)
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--allow-file-access-from-files", "--autoplay-policy=no-user-gesture-required"],
        )
        page = browser.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_function("document.body.dataset.done", timeout=30_000)
        heard = page.inner_text("body")
        browser.close()
    duration_s, at_s, sound_bytes, frames = json.loads(heard)
    assert duration_s == pytest.approx(3.0, abs=0.001)
    assert at_s > 1.2 and sound_bytes > 1_000 and frames > 5
