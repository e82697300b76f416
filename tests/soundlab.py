"""Films made on the spot, and readers of sound and packets that share nothing with the engine."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

SAMPLE_RATE = 48_000
FLASH_S = 1.0


def make_film(
    path: Path,
    seconds: float = 3.0,
    *,
    codec: str = "libx264",
    sound: str | None = "aac",
    pixels: str = "yuv420p",
    sound_rate: int = 44100,
    start_s: float = 0.0,
    rotation: int = 0,
) -> Path:
    """A film of 25 frames a second that flashes, and clicks, at FLASH_S; B-frames where the codec makes them.

    start_s: time stamp of the first frame and sample, for containers that keep it.  rotation: degrees, as a telephone
    held upright writes it.
    """
    with av.open(str(path), "w") as container:
        picture = container.add_stream(codec, rate=25)
        picture.width, picture.height, picture.pix_fmt = 160, 90, pixels
        if rotation:
            picture.set_display_rotation(rotation)
        track = None if sound is None else container.add_stream(sound, rate=sound_rate, layout="stereo")
        rng = np.random.default_rng(1)
        for index in range(round(seconds * 25)):
            level = 235 if index == round(FLASH_S * 25) else 40
            image = np.full((90, 160, 3), level, np.uint8)
            image[::7] = rng.integers(0, 255, 3, np.uint8)  # no two frames are alike
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = index + round(start_s * 25), Fraction(1, 25)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if track is not None:
            samples = np.zeros((2, round(seconds * sound_rate)), np.float32)
            at = round(FLASH_S * sound_rate)
            samples[:, at : at + 40] = 0.5 * np.hanning(40)
            frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
            frame.sample_rate, frame.pts = sound_rate, round(start_s * sound_rate)
            frame.time_base = Fraction(1, sound_rate)
            resampler = av.AudioResampler(track.codec_context.format, "stereo", sound_rate)
            for piece in resampler.resample(frame):
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path


def read_sound(path: Path) -> np.ndarray:
    """(2, n) float64 at 48 kHz, decoded by libav from time 0 on, as a player hears it."""
    pieces = []
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", "stereo", SAMPLE_RATE)
        first = None
        for frame in container.decode(stream):
            first = float(frame.pts * frame.time_base) if first is None else first
            pieces += [piece.to_ndarray() for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray() for piece in resampler.resample(None)]
    sound = np.concatenate(pieces, axis=1).astype(np.float64)
    lead = round((first or 0.0) * SAMPLE_RATE)
    return np.pad(sound, ((0, 0), (lead, 0))) if lead >= 0 else sound[:, -lead:]


def packets_of(path: Path) -> list[tuple[bytes, Fraction]]:
    """Bytes of each packet of the picture and when its frame appears, seconds after the first frame."""
    with av.open(str(path)) as container:
        found = [(bytes(packet), packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.size]
    first = min(time for _, time in found)
    return [(data, time - first) for data, time in found]


def ebur128(path: Path) -> tuple[float, float]:
    """Integrated LUFS and true peak in dBTP by ffmpeg's own reader."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    words = [program, "-nostats", "-i", str(path), "-map", "0:a", "-af", "ebur128=peak=true"]
    text = subprocess.run([*words, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    summary = text[text.rindex("Summary:") :]
    lufs = float(summary.split("I:")[1].split("LUFS")[0])
    peak = float(summary.split("Peak:")[1].split("dBFS")[0])
    return lufs, peak


def small_soundfont(
    wave: np.ndarray, *, rate: int = 48_000, loop: tuple[int, int] | None = None, **values: int
) -> bytes:
    """A SoundFont with one program of one sample at key 60.  wave: (n,) int16; values: generators, `gen38=1200`."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)

    def text(name: str) -> bytes:
        return name.encode().ljust(20, b"\0")

    def words(*numbers: int) -> bytes:
        return b"".join((number & 0xFFFF).to_bytes(2, "little") for number in numbers)

    def longs(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(4, "little") for number in numbers)

    generators = [(int(name[3:]), value) for name, value in values.items()]
    if loop is not None:
        generators.append((54, 1))
    generators.append((53, 0))
    start, end = loop or (0, 0)
    zeros = np.zeros(46, np.int16)
    tables = b"".join(
        [
            chunk(b"phdr", text("One") + words(0, 0, 0) + bytes(12) + text("EOP") + words(0, 0, 1) + bytes(12)),
            chunk(b"pbag", words(0, 0, 1, 0)),
            chunk(b"pmod", bytes(10)),
            chunk(b"pgen", words(41, 0, 0, 0)),
            chunk(b"inst", text("One") + words(0) + text("EOI") + words(1)),
            chunk(b"ibag", words(0, 0, len(generators), 0)),
            chunk(b"imod", bytes(10)),
            chunk(b"igen", b"".join(words(*pair) for pair in generators) + words(0, 0)),
            chunk(
                b"shdr",
                text("Wave") + longs(0, len(wave), start, end, rate) + bytes([60, 0]) + words(0, 1)
                + text("EOS") + longs(0, 0, 0, 0, 0) + bytes(6),
            ),
        ]
    )  # fmt: skip
    body = b"sfbk" + chunk(b"LIST", b"INFO" + chunk(b"ifil", words(2, 1)))
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", np.concatenate([wave, zeros]).astype("<i2").tobytes()))
    body += chunk(b"LIST", b"pdta" + tables)
    return chunk(b"RIFF", body)


def film_with(path, samples, *, rate=16_000, begins_s=0.0, sound_after_s=0.0):
    """A grey film with sound; its time stamps begin at begins_s, the sound's that much later."""
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as out:
        picture = out.add_stream("mpeg4", rate=25, width=64, height=48, pix_fmt="yuv420p")
        sound = out.add_stream("pcm_s16le", rate=rate, layout="mono")
        frames = [np.full((48, 64, 3), 90, np.uint8)] * int(len(samples) / rate * 25)
        for number, grey in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts = number + round(begins_s * 25)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        data = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout="mono")
        frame.sample_rate = rate
        frame.pts = round((begins_s + sound_after_s) * rate)
        for packet in [*sound.encode(frame), *sound.encode(None)]:
            out.mux(packet)
