"""One note of a SoundFont as samples.

Every note is computed by itself, so that a sum of notes is the same wherever play began and whatever was changed
elsewhere.  What does not depend on velocity and length (pitch, modulation, filter) is kept per key; a note is that
sound under its volume envelope.  Rules from the SoundFont specification 2.04: envelopes 8.1.2 (generators 25 to 40) and
9.1.7, LFOs 9.1.6, filter 9.1.3, velocity to attenuation 8.4.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np

from engine.sound import soundfont as sf
from engine.sound.soundfont import Layer, SoundFont

SAMPLE_RATE: Final = 48_000
LONGEST_NOTE_S: Final = 300.0  # a drone beyond it fades: a note is held in memory as a whole
RELEASE_LEAST_S: Final = 0.0156  # for 100 dB; fonts leave 1 ms, which clicks (FluidSynth has the same floor)
_SILENT_DB: Final = 84.0  # below full scale, what is left is left out
_ENVELOPE_DB: Final = 100.0  # what decay and release times count down
_ATTENUATION_SHARE: Final = 0.4  # of initialAttenuation: fonts are made for hardware that takes it so (as FluidSynth)
_GROW: Final = SAMPLE_RATE // 4
_FRAME, _HOP, _FFT = 1024, 512, 2048  # of a moving filter, samples
_LONG_FFT: Final = 8192  # of one that stands still
_OPEN_HZ: Final = 17_000.0  # a filter that is open so far is left out


def seconds(timecents: float) -> float:
    """Timecents as seconds; -12000 and less (1 ms) is the specification's "instantly"."""
    return 0.0 if timecents <= -12000 else 2.0 ** (min(timecents, 8000) / 1200.0)


def velocity_gain(velocity: int) -> float:
    """Linear gain of a velocity 1..127: 40 log10(velocity / 127) dB, the default modulator of the specification."""
    return (velocity / 127.0) ** 2


@dataclass(slots=True)
class _Held:
    """Something of a key held for ever: its wave or its envelope, (n,) float32, grown as longer notes ask for it.

    ends: there is no more of it.
    """

    samples: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    ends: bool = False


@dataclass(slots=True)
class _Sound:
    """What one layer gives on one key.  Layers that differ in level alone share their wave."""

    layer: Layer
    left: float
    right: float
    wave: _Held
    envelope: _Held


class Voices:
    """Plays notes of one font at 48 kHz.  Keeps what keys sound like, `budget_bytes` at most (roughly)."""

    def __init__(self, font: SoundFont, budget_bytes: int = 192 * 2**20) -> None:
        self.font = font
        self._budget = budget_bytes
        self._sounds: dict[Layer, _Sound] = {}
        self._held: dict[tuple[object, ...], _Held] = {}
        self._prepared: dict[Layer, int] = {}  # longest note that `prepare` has computed

    def note(self, bank: int, program: int, key: int, velocity: int, length: int) -> np.ndarray:
        """(2, n) float32: a note held for `length` samples and its release.  Empty where the font is silent."""
        held = min(max(length, 1), int(LONGEST_NOTE_S * SAMPLE_RATE))
        parts = []
        for layer in self.font.layers(bank, program, key, velocity):
            sound = self._sound(layer)
            wave = self._play(sound, held)
            if len(wave):
                parts.append((sound, wave))
        out = np.zeros((2, max((len(wave) for _, wave in parts), default=0)), np.float32)
        gain = np.float32(velocity_gain(velocity))
        for sound, wave in parts:
            for side, pan in enumerate((sound.left, sound.right)):
                if pan > 1e-4:
                    out[side, : len(wave)] += wave * (gain * np.float32(pan))
        return out

    def prepare(self, bank: int, program: int, key: int, velocity: int, length: int) -> bool:
        """Computes what `note` will need of a key; False where that is there, or half the budget is taken."""
        if sum(held.samples.nbytes for held in self._held.values()) > self._budget // 2:
            return False
        count = min(max(length, 1), int(LONGEST_NOTE_S * SAMPLE_RATE))
        layers = self.font.layers(bank, program, key, velocity)
        lacking = [layer for layer in layers if self._prepared.get(layer, 0) < count]
        for layer in lacking:
            self._play(self._sound(layer), count)
            self._prepared[layer] = count
        return bool(lacking)

    def tail(self, bank: int, program: int, key: int, velocity: int) -> int:
        """Samples that a note can sound on after its key was released, at most."""
        layers = self.font.layers(bank, program, key, velocity)
        return max((_release(layer)[1] for layer in layers), default=0)

    def exclusive_class(self, bank: int, program: int, key: int, velocity: int) -> int:
        """The class whose notes end each other; 0: none."""
        return max((layer.exclusive_class for layer in self.font.layers(bank, program, key, velocity)), default=0)

    # one layer ------------------------------------------------------------------------------------------------------
    def _sound(self, layer: Layer) -> _Sound:
        sound = self._sounds.get(layer)
        if sound is None:
            if sum(held.samples.nbytes for held in self._held.values()) > self._budget:
                self._sounds.clear()
                self._held.clear()
                self._prepared.clear()
            values = layer.generators
            # Pan -500..500 with equal power; attenuation in centibels.
            angle = (min(max(values[sf.PAN], -500), 500) + 500) / 1000 * math.pi / 2
            gain = 10.0 ** (-max(values[sf.ATTENUATION], 0) * _ATTENUATION_SHARE / 200)
            sound = self._sounds[layer] = _Sound(
                layer,
                gain * math.cos(angle),
                gain * math.sin(angle),
                self._held.setdefault(("wave", *wave_name(layer)), _Held()),
                self._held.setdefault(
                    ("envelope", layer.key, *layer.generators[sf.VOL_DELAY : sf.VOL_KEY_DECAY + 1]), _Held()
                ),
            )
        return sound

    def _play(self, sound: _Sound, held: int) -> np.ndarray:
        """(n,) float32: the layer under its volume envelope."""
        release_s, tail = _release(sound.layer)
        envelope = self._grown(sound.envelope, held, lambda count: volume_envelope(sound.layer, count))
        level = float(envelope[held - 1]) if held <= len(envelope) else 0.0
        # The release falls at 100 dB in its time, from wherever the envelope stands.
        left_db = _SILENT_DB + 20 * math.log10(level) if level > 0 else 0.0
        count = max(int(left_db / _SILENT_DB * tail), 0)
        wanted = min(held, len(envelope)) + count
        found = self._grown(sound.wave, wanted, lambda count: layer_wave(self.font, sound.layer, count))
        wave = found[:wanted].copy()
        struck = min(held, len(wave), len(envelope))
        wave[:struck] *= envelope[:struck]
        if len(wave) > struck:
            wave[struck:] *= release_curve(release_s)[: len(wave) - struck] * np.float32(level)
        return _ended(wave) if len(found) < wanted else wave

    def _grown(self, held: _Held, count: int, compute: Callable[[int], np.ndarray]) -> np.ndarray:
        """At least `count` samples, fewer where there are no more."""
        if not held.ends and len(held.samples) < count:
            # Somewhat more, so that a slightly longer note does not compute all anew.
            wanted = -(-max(count, len(held.samples) * 5 // 4) // _GROW) * _GROW
            held.samples = compute(wanted)
            held.ends = len(held.samples) < wanted
        return held.samples


def _release(layer: Layer) -> tuple[float, int]:
    """Seconds in which the release falls by 100 dB, and samples until it is inaudible from full level."""
    release_s = max(seconds(layer.generators[sf.VOL_RELEASE]), RELEASE_LEAST_S)
    return release_s, int(release_s * _SILENT_DB / _ENVELOPE_DB * SAMPLE_RATE)


@lru_cache(maxsize=64)
def release_curve(release_s: float) -> np.ndarray:
    """(n,) float32: the fall of a released note from full level until it is inaudible."""
    count = int(release_s * _SILENT_DB / _ENVELOPE_DB * SAMPLE_RATE)
    slope = math.log(10) * -_ENVELOPE_DB / 20 / (release_s * SAMPLE_RATE)
    return np.exp(np.arange(1, count + 1, dtype=np.float32) * np.float32(slope))


def wave_name(layer: Layer) -> tuple[object, ...]:
    """What `layer_wave` depends on."""
    values = layer.generators
    return (
        layer.start, layer.end, layer.loop_start, layer.loop_end, layer.rate, layer.cents, layer.key,
        values[sf.SAMPLE_MODES], *values[sf.MOD_LFO_PITCH : sf.MOD_ENV_FILTER + 1], values[sf.MOD_LFO_VOLUME],
        *values[sf.MOD_LFO_DELAY : sf.MOD_KEY_DECAY + 1],
    )  # fmt: skip


def _ended(wave: np.ndarray) -> np.ndarray:
    """A wave that stops because the sample does: its last 2 ms fade, whatever the sample ends on."""
    count = min(96, len(wave))
    wave[len(wave) - count :] *= np.linspace(1, 0, count, dtype=np.float32)
    return wave


def volume_envelope(layer: Layer, count: int) -> np.ndarray:
    """(n,) float32, n <= count: delay, attack, hold, decay, sustain of a held key; shorter where it dies away."""
    values = layer.generators
    higher = 60 - layer.key
    delay = round(seconds(values[sf.VOL_DELAY]) * SAMPLE_RATE)
    attack = round(seconds(values[sf.VOL_ATTACK]) * SAMPLE_RATE)
    hold = round(seconds(values[sf.VOL_HOLD] + values[sf.VOL_KEY_HOLD] * higher) * SAMPLE_RATE)
    decay = max(seconds(values[sf.VOL_DECAY] + values[sf.VOL_KEY_DECAY] * higher) * SAMPLE_RATE, 1.0)
    sustain_db = min(max(values[sf.VOL_SUSTAIN], 0) / 10, _ENVELOPE_DB)
    out = np.ones(count, np.float32)
    out[:delay] = 0
    out[delay : delay + attack] = np.linspace(0, 1, attack, endpoint=False, dtype=np.float32)[: max(count - delay, 0)]
    at = delay + attack + hold
    if at >= count:
        return out
    if sustain_db >= _SILENT_DB:
        out = out[: at + int(decay * _SILENT_DB / _ENVELOPE_DB) + 1]
    falls = min(int(decay * sustain_db / _ENVELOPE_DB), len(out) - at)
    slope = math.log(10) * -_ENVELOPE_DB / 20 / decay
    out[at : at + falls] = np.exp(np.arange(falls, dtype=np.float32) * np.float32(slope))
    out[at + falls :] = 10 ** (-sustain_db / 20)
    return out


def modulation_envelope(layer: Layer, at_s: np.ndarray) -> np.ndarray:
    """The modulation envelope 0..1 of a held key at some seconds; linear, but for its convex attack taken as linear."""
    values = layer.generators
    higher = 60 - layer.key
    delay = seconds(values[sf.MOD_DELAY])
    attack = max(seconds(values[sf.MOD_ATTACK]), 1e-4)
    hold = seconds(values[sf.MOD_HOLD] + values[sf.MOD_KEY_HOLD] * higher)
    decay = max(seconds(values[sf.MOD_DECAY] + values[sf.MOD_KEY_DECAY] * higher), 1e-4)
    sustain = 1 - min(max(values[sf.MOD_SUSTAIN], 0), 1000) / 1000
    full = delay + attack
    return np.interp(at_s, [delay, full, full + hold, full + hold + decay * (1 - sustain)], [0.0, 1.0, 1.0, sustain])


def _triangle(at_s: np.ndarray, delay_tc: int, cents: int) -> np.ndarray:
    """An LFO -1..1 that starts at 0 and rises, after its delay.  cents: of its frequency above 8.176 Hz."""
    phase = np.maximum(at_s - seconds(delay_tc), 0) * (8.176 * 2 ** (cents / 1200))
    return 4 * np.abs((phase + 0.75) % 1 - 0.5) - 1


def layer_wave(font: SoundFont, layer: Layer, count: int) -> np.ndarray:
    """(n,) float32, n <= count: the sample at the key's pitch, looped, modulated and filtered; at full level."""
    values = layer.generators
    ratio = 2 ** (layer.cents / 1200) * layer.rate / SAMPLE_RATE
    at_s = np.arange(0, count + _HOP, _HOP) / SAMPLE_RATE  # modulation is computed once a hop
    lfo = vibrato = envelope = np.zeros_like(at_s)
    if values[sf.MOD_LFO_PITCH] or values[sf.MOD_LFO_VOLUME] or values[sf.MOD_LFO_FILTER]:
        lfo = _triangle(at_s, values[sf.MOD_LFO_DELAY], values[sf.MOD_LFO_FREQUENCY])
    if values[sf.VIB_LFO_PITCH]:
        vibrato = _triangle(at_s, values[sf.VIB_LFO_DELAY], values[sf.VIB_LFO_FREQUENCY])
    if values[sf.MOD_ENV_PITCH] or values[sf.MOD_ENV_FILTER]:
        envelope = modulation_envelope(layer, at_s)
    cents = values[sf.VIB_LFO_PITCH] * vibrato + values[sf.MOD_LFO_PITCH] * lfo + values[sf.MOD_ENV_PITCH] * envelope
    place = np.arange(count, dtype=np.float64)
    if np.any(cents):
        steps = 2 ** (cents / 1200)
        # The integral of the speed, exact at the hops and straight between them.
        passed = np.concatenate([[0.0], np.cumsum((steps[1:] + steps[:-1]) / 2 * _HOP)])
        place = np.interp(place, at_s * SAMPLE_RATE, passed)
    place *= ratio
    wave = _resampled(font.samples, layer, place)
    cutoff = values[sf.FILTER_CUTOFF] + values[sf.MOD_LFO_FILTER] * lfo + values[sf.MOD_ENV_FILTER] * envelope
    hertz = 8.176 * 2 ** (np.clip(cutoff, 1500, 13500) / 1200)
    if values[sf.FILTER_Q] > 0 or hertz.min() < _OPEN_HZ:
        wave = filtered(wave, hertz, min(max(values[sf.FILTER_Q], 0), 960) / 10)
    if values[sf.MOD_LFO_VOLUME]:
        volume = 10 ** (values[sf.MOD_LFO_VOLUME] * lfo / 200)
        wave = wave * np.interp(np.arange(len(wave)), at_s * SAMPLE_RATE, volume).astype(np.float32)
    return wave


def _resampled(samples: np.ndarray, layer: Layer, place: np.ndarray) -> np.ndarray:
    """(n,) float32 at fractional places after the sample's start, by cubic (Catmull-Rom) interpolation, -1..1.

    Ends where an unlooped sample does.
    """
    length = layer.end - layer.start
    if layer.loops:
        loop_start, loop_length = layer.loop_start - layer.start, layer.loop_end - layer.loop_start
        beyond = int(np.searchsorted(place, loop_start + loop_length))
        # Not np.mod, which takes five times as long.
        inside = place[beyond:] - loop_start
        inside -= np.floor(inside * (1 / loop_length)) * loop_length
        place[beyond:] = np.maximum(inside, 0.0) + loop_start
    else:
        place = place[: int(np.searchsorted(place, length - 1))]
    # One sample before and two after are needed; the specification promises 8 beyond a loop and 46 beyond the end.
    first = max(layer.start - 1, 0)
    data = samples[first : layer.end + 3].astype(np.float32) * np.float32(1 / 32768)
    if first == layer.start:
        data = np.concatenate([data[:1], data])
    data = np.concatenate([data, np.zeros(4, np.float32)])
    whole = place.astype(np.int32)
    t = (place - whole).astype(np.float32)
    a, b, c, d = data[whole], data[whole + 1], data[whole + 2], data[whole + 3]
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def filtered(wave: np.ndarray, hertz: np.ndarray, resonance_db: float) -> np.ndarray:
    """A two-pole low-pass whose cutoff moves.  wave: (n,); hertz: cutoff at each hop of 512 samples.

    While the cutoff moves, overlapping frames are multiplied by the response of the cutoff in their middle; once it
    stands still the rest is convolved as a whole.  No recursion, so that it is fast.  The biquad is Bristow-Johnson's;
    its peak at the cutoff is lowered by half the resonance, as 9.1.3 asks.
    """
    moves = np.flatnonzero(np.abs(np.diff(hertz)) > 0.5)
    settled = (int(moves[-1]) + 4) * _HOP if len(moves) else 0
    if settled >= len(wave):
        return _moving(wave, hertz, resonance_db)
    still = _standing(wave[max(settled - _FRAME, 0) :], float(hertz[-1]), resonance_db)
    if not settled:
        return still
    # Frames that begin before `settled` still need what they overlap with.
    head = _moving(wave[: settled + _FRAME], hertz, resonance_db)[:settled]
    return np.concatenate([head, still[settled - max(settled - _FRAME, 0) :]])


def _standing(wave: np.ndarray, hertz: float, resonance_db: float) -> np.ndarray:
    """Overlap-save: (n,) -> (n,)."""
    count = len(wave)
    step = _LONG_FFT - _FRAME
    pieces = -(-count // step)
    padded = np.zeros(_FRAME + pieces * step, np.float32)
    padded[_FRAME : _FRAME + count] = wave
    windows = np.lib.stride_tricks.sliding_window_view(padded, _LONG_FFT)[::step]
    spectra = np.fft.rfft(windows, axis=1) * _response(np.array([hertz]), resonance_db, _LONG_FFT)
    return np.fft.irfft(spectra, axis=1)[:, _FRAME:].astype(np.float32).reshape(-1)[:count]


def _moving(wave: np.ndarray, hertz: np.ndarray, resonance_db: float) -> np.ndarray:
    """Overlap-add of frames, each with its own response: (n,) -> (n,)."""
    count = len(wave)
    frames = -(-count // _HOP) + 1
    padded = np.zeros((frames + 1) * _HOP, np.float32)
    padded[_HOP : _HOP + count] = wave
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP][:frames]
    spectra = np.fft.rfft(windows * _WINDOW, _FFT, axis=1)
    responses = _response(hertz[:frames], resonance_db, _FFT)
    spectra *= responses[np.minimum(np.arange(frames), len(responses) - 1)]
    pieces = np.fft.irfft(spectra, _FFT, axis=1).astype(np.float32)
    rows = np.zeros((frames + _FFT // _HOP, _HOP), np.float32)
    for quarter in range(_FFT // _HOP):
        rows[quarter : quarter + frames] += pieces[:, quarter * _HOP : (quarter + 1) * _HOP]
    return rows.reshape(-1)[_HOP : _HOP + count]


def _response(hertz: np.ndarray, resonance_db: float, size: int) -> np.ndarray:
    """(hops, size / 2 + 1) complex64; cutoffs rounded to a tenth of a semitone, equal ones computed once."""
    coarse = np.round(1200 * np.log2(hertz / 8.176) / 10).astype(np.int32)
    different, which = np.unique(coarse, return_inverse=True)
    omega = 2 * np.pi * np.minimum(8.176 * 2 ** (different * 10 / 1200), 0.45 * SAMPLE_RATE) / SAMPLE_RATE
    quality = 10 ** ((resonance_db - 3.01) / 20)
    gain = 1 / math.sqrt(max(10 ** (resonance_db / 20), 1.0))
    alpha = (np.sin(omega) / (2 * quality))[:, None]
    cosine = np.cos(omega)[:, None]
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)[None, :]
    above = gain * (1 - cosine) / 2 * (1 + z) ** 2
    below = 1 + alpha - 2 * cosine * z + (1 - alpha) * z * z
    return (above / below).astype(np.complex64)[which]


_WINDOW: Final = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)).astype(np.float32)
