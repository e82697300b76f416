"""A whole soundtrack into files: two passes over blocks of half a second, so that memory does not grow with the film.

The first pass adds up the mix, keeps it in a temporary file beside the output and measures its loudness; the second one
applies the gain that the wanted loudness asks for and the limiter.  Stems are the same streams under the same gain, so
they add up to the mix.
"""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from engine.sound.errors import SoundError
from engine.sound.events import SoundEvents
from engine.sound.files import cannot_write, check_space, check_writable, written_aside
from engine.sound.film_sound import FilmSound
from engine.sound.levelling import Mix, mix_beside
from engine.sound.limiter import CEILING_DBTP, Limiter
from engine.sound.mixer import FILM_SOUNDS, Mixer, add_up
from engine.sound.mux import AAC_BITS_PER_S, FilmWriter, SoundWriter, check_picture
from engine.sound.renderer import BLOCK
from engine.sound.soundfont import SoundFont
from engine.sound.voice import SAMPLE_RATE, Voices

DEFAULT_LUFS: Final = -18.0
KINDS: Final = (".mp4", ".wav", ".flac")
LOUDNESS_RANGE: Final = (-40.0, -8.0)  # LUFS that can be asked for
Report = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """output: .mp4, .wav or .flac.  loudness_lufs: None leaves the level alone.  stems: folder for a .wav a stream,
    named by stems_begin and the stream (pad, film); stems_begin None: the output's name and `_`.

    film_sound: "keep", "duck" (lower it under music) or "drop" the film's own sound.  burnt_in: a word that stands in
    the picture with its timecode, "" for neither; then the picture is encoded anew.  Raises SoundError.
    """

    output: Path
    soundfont: Path
    loudness_lufs: float | None = DEFAULT_LUFS
    film_sound: str = "keep"
    stems: Path | None = None
    stems_begin: str | None = None
    reencode: bool = False
    replace: bool = False
    burnt_in: str = ""

    def __post_init__(self) -> None:
        if self.output.suffix.lower() not in KINDS:
            raise SoundError(f"{self.output.name} is none of {', '.join(KINDS)}; the ending says what is written.")
        if self.film_sound not in FILM_SOUNDS:
            raise SoundError(f"The film's sound can be kept, ducked or dropped, not '{self.film_sound}'.")
        low, high = LOUDNESS_RANGE
        if self.loudness_lufs is not None and not low <= self.loudness_lufs <= high:
            raise SoundError(f"--loudness is {low:g} to {high:g} LUFS, not {self.loudness_lufs:g}.")

    @property
    def stem_prefix(self) -> str:
        """What stands before the stream in the name of a stem's file."""
        return f"{self.output.stem}_" if self.stems_begin is None else self.stems_begin


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was written.  lufs: of the result, -inf for silence; limited_db: most that the limiter took off."""

    output: Path
    stems: tuple[Path, ...]
    length_s: float
    lufs: float
    gain_db: float
    limited_db: float
    notes: tuple[str, ...]


def check_output(film: str | os.PathLike[str], options: RenderOptions) -> None:
    """Everything that can be refused before composing.  Raises SoundError or VideoError."""
    if options.output.exists() and os.path.samefile(film, options.output):
        raise SoundError(f"{film} would be overwritten; name another file to write.")
    check_writable(options.output, replace=options.replace)
    SoundFont(options.soundfont)
    if options.output.suffix.lower() == ".mp4" and not options.reencode and not options.burnt_in:
        check_picture(film)
    if options.stems is not None and options.stems.exists() and not options.stems.is_dir():
        raise SoundError(f"{options.stems} is a file; --stems names a folder.")
    if options.stems is not None:
        for path in sorted(options.stems.glob(f"{glob.escape(options.stem_prefix)}*.wav")):
            check_writable(path, replace=options.replace)


def render(
    film: str | os.PathLike[str], events: SoundEvents, options: RenderOptions, report: Report | None = None
) -> Rendered:
    """Writes the soundtrack of a film, and the film with it where the output is an .mp4.

    report(fraction 0..1, phase).  Raises SoundError or VideoError; then nothing is left behind.
    """
    tell = report or (lambda fraction, phase: None)
    voices = Voices(SoundFont(options.soundfont))
    notes = _substitutes(voices.font, events)
    check_space(options.output.parent, _bytes_needed(film, events.length, options))
    with ExitStack() as stack:
        film_sound = None
        if options.film_sound != "drop":
            film_sound = stack.enter_context(closing(FilmSound(film)))
            if not film_sound.present:
                notes.append(f"{Path(film).name} has no sound of its own.")
                film_sound = None
        mix = stack.enter_context(mix_beside(options.output))
        mixer = Mixer(events, voices, film_sound, duck=options.film_sound == "duck")
        for start, streams in _blocks(mixer):
            mix.add(add_up(streams, min(BLOCK, events.length - start)))
            tell(0.6 * start / max(events.length, 1), "rendering sound")
        wanted = options.loudness_lufs
        gain_db, lufs = mix.gain_for(wanted, lambda at: tell(0.6 + 0.1 * at, "levelling"))
        if wanted is not None and math.isfinite(lufs) and abs(lufs - wanted) > 0.5:
            notes.append(f"{wanted:g} LUFS cannot be reached under {CEILING_DBTP:g} dBTP; it is {lufs:.1f}.")
        stems, limited_db = _write(
            film, events, options, voices, mix, gain_db, lambda at: tell(0.7 + 0.3 * at, "writing")
        )
    return Rendered(options.output, stems, events.length / SAMPLE_RATE, lufs, gain_db, limited_db, tuple(notes))


def _blocks(mixer: Mixer) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    while mixer.position < mixer.length:
        start = mixer.position
        yield start, mixer.read(BLOCK)


def _substitutes(font: SoundFont, events: SoundEvents) -> list[str]:
    """Sentences about programs that the font lacks."""
    notes = []
    for part in events.parts:
        for wanted in dict.fromkeys(program for _, program in events.programs(part)):
            found = font.preset(wanted.bank, wanted.program)
            if found != (wanted.bank, wanted.program):
                notes.append(
                    f"{font.path.name} has no program {wanted.program} for {part}; its program {found[1]} plays."
                )
    return notes


def _bytes_needed(film: str | os.PathLike[str], length: int, options: RenderOptions) -> int:
    spool = length * 8
    kind = options.output.suffix.lower()
    sound = length // SAMPLE_RATE * AAC_BITS_PER_S // 8
    written = os.path.getsize(film) + sound if kind == ".mp4" else length * 6
    return spool + written + (length * 8 * 6 if options.stems is not None else 0)


# writing --------------------------------------------------------------------------------------------------------------
# size: the second half of `render`, which has them all open.
def _write(
    film: str | os.PathLike[str],
    events: SoundEvents,
    options: RenderOptions,
    voices: Voices,
    mix: Mix,
    gain_db: float,
    progress: Callable[[float], None],
) -> tuple[tuple[Path, ...], float]:
    """The second pass; returns the stems' paths and what the limiter took off at most, dB."""
    gain = 10 ** (gain_db / 20)
    limiter = Limiter()
    with ExitStack() as stack:
        aside = stack.enter_context(written_aside(options.output, replace=options.replace))
        writer = _open_writer(aside, film, options.reencode, options.burnt_in)
        stack.callback(writer.abandon)
        stems = stack.enter_context(_Stems(film, events, options, voices, gain)) if options.stems else None
        written = 0
        for sound, count, curve in mix.limited(gain_db, limiter):
            if stems is not None:
                stems.write(count, curve)
            if sound.shape[1]:
                writer.write(sound)
                written += sound.shape[1]
            progress(written / max(events.length, 1))
        paths = stems.close() if stems is not None else ()
        writer.close()
    return paths, limiter.greatest_db


def _open_writer(aside: Path, film: str | os.PathLike[str], reencode: bool, burnt_in: str) -> FilmWriter | SoundWriter:
    kind = aside.suffix.lower()
    return (
        FilmWriter(aside, film, reencode=reencode, burnt_in=burnt_in)
        if kind == ".mp4"
        else SoundWriter(aside, kind[1:])
    )


class _Stems:
    """The streams of a second rendering, each into its own .wav of 32-bit floats, under the mix's gain."""

    def __init__(
        self,
        film: str | os.PathLike[str],
        events: SoundEvents,
        options: RenderOptions,
        voices: Voices,
        gain: float,
    ) -> None:
        self._film, self._events, self._options, self._gain = film, events, options, np.float32(gain)
        self._voices = voices
        self._files = ExitStack()
        self._writers: dict[str, SoundWriter] = {}
        self._paths: dict[str, Path] = {}
        self._late: dict[str, np.ndarray] = {}
        self._skip = Limiter.delay

    def __enter__(self) -> _Stems:
        options = self._options
        assert options.stems is not None
        sound = None
        if options.film_sound != "drop":
            sound = FilmSound(self._film)
            self._files.callback(sound.close)
            sound = sound if sound.present else None
        self._mixer = Mixer(self._events, self._voices, sound, duck=options.film_sound == "duck")
        try:
            options.stems.mkdir(parents=True, exist_ok=True)
            for name in self._mixer.names:
                path = options.stems / f"{options.stem_prefix}{name}.wav"
                check_writable(path, replace=options.replace)
                self._paths[name] = path
                self._late[name] = np.zeros((2, Limiter.delay), np.float32)
            for name, path in self._paths.items():
                writer = SoundWriter(
                    self._files.enter_context(written_aside(path, replace=options.replace)), "wav", floats=True
                )
                self._files.callback(writer.abandon)
                self._writers[name] = writer
        except OSError as error:
            self._files.close()
            raise cannot_write(options.stems, error) from error
        except BaseException as error:
            self._files.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def write(self, count: int, curve: np.ndarray | None) -> None:
        """The next `count` samples of each stem, late as the limiter's are.  curve: (count,) its gain, None: 1."""
        streams = self._mixer.read(count)
        for name, writer in self._writers.items():
            block = streams.get(name)
            padded = np.zeros((2, count), np.float32)
            if block is not None:
                padded[:, : block.shape[1]] = block
            joined = np.concatenate([self._late[name], padded * self._gain], axis=1)
            self._late[name] = joined[:, count:]
            out = joined[:, :count]
            if curve is not None:
                out = out * curve
            out = out[:, self._skip :]
            if out.shape[1]:
                writer.write(out)
        self._skip = max(self._skip - count, 0)

    def close(self) -> tuple[Path, ...]:
        """Completes and renames the files."""
        for writer in self._writers.values():
            writer.close()
        self._files.close()
        return tuple(self._paths.values())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is not None:
            self._files.__exit__(kind, error, None)
