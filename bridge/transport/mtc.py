"""MIDI timecode, read and written (MMA RP-004/008; traps from Ardour, xjadeo and their bug reports).

A quarter frame `F1 0nnn dddd` carries one of eight pieces of a time; forwards they come 0 to 7, backwards 7
to 0, one complete time every two frames.  The time is that of the first piece sent, so when the eighth
arrives it is 7 quarter frames (1.75 frames) old.  A full frame `F0 7F cc 01 01 hh mm ss ff F7` states a
position at standstill.

MTC knows four rates: 24, 25, 29.97 drop and 30.  23.976 and 29.97 non-drop are sent as 24 and 30, so the true
rate has to be stated (by the person or from the film); all arithmetic is in frames of that rate.
"""

from __future__ import annotations

from typing import Final

from bridge.transport.state import TransportObservation
from engine.music.errors import MusicError
from engine.music.timecode import FRAME_RATES, FrameRate, Timecode, TimecodeClock, carried_rate, timecode_rate

CODED: Final = (FRAME_RATES["24"], FRAME_RATES["25"], FRAME_RATES["29.97 DF"], FRAME_RATES["30"])
_GROUP: Final = 8
_TWICE_S: Final = 0.0075  # less than a quarter frame at 30
_NO_TIME: Final = -10  # no frame number
_RANGES: Final = (24, 25, 30, 30)


def rate_code(rate: FrameRate) -> int:
    """How MTC names a rate: 23.976 as 24, 29.97 non-drop as 30.  Raises MusicError for rates it cannot
    carry."""
    if rate.drop and rate.nominal == 30:
        return 2
    for code, nominal in ((0, 24), (1, 25), (3, 30)):
        if rate.nominal == nominal and not rate.drop:
            return code
    raise MusicError(f"MIDI timecode cannot carry {rate} frames a second.")


def carried(rate: FrameRate) -> FrameRate:
    """The rate of the MIDI timecode that goes with pictures or a project: a standard one, or half of it (50 -> 25)."""
    return carried_rate(timecode_rate(rate.fps, drop=rate.drop))


def quarter_frame(piece: int, code: Timecode) -> bytes:
    """The message of one piece 0..7 of a time."""
    hours, minutes, seconds, frames = code.fields()
    hours %= 24  # a day later the clock begins again
    value = (
        frames & 15,
        frames >> 4,
        seconds & 15,
        seconds >> 4,
        minutes & 15,
        minutes >> 4,
        hours % 24 & 15,
        (hours % 24 >> 4) & 1 | rate_code(code.rate) << 1,
    )[piece]
    return bytes((0xF1, piece << 4 | value))


def full_frame(code: Timecode, device: int = 0x7F) -> bytes:
    hours, minutes, seconds, frames = code.fields()
    return bytes((0xF0, 0x7F, device, 1, 1, rate_code(code.rate) << 5 | hours % 24, minutes, seconds, frames, 0xF7))


class MtcReader:
    """`feed(message, host_s)` -> observations.  stated: the true rate, where it is known; film: the film's, which
    tells 23.976 from 24 where nobody states one.

    Positions come with the first complete time (eight pieces in order), then with every piece.  After a full
    frame the first piece is believed at once where its digit fits: play that begins from a stated position is
    followed from its first quarter frame on.
    """

    def __init__(self, stated: FrameRate | None = None, film: FrameRate | None = None) -> None:
        # A project at 50 sends timecode at 25: each of its frames is two of the project's.
        self.stated = None if stated is None else carried(stated)
        self.film = film
        self.coded: FrameRate | None = None  # as the sender names it
        self.notes: list[str] = []
        self._nibbles = [0] * _GROUP
        self._hosts = [0.0] * _GROUP
        self._count = 0  # pieces collected in order, in `_direction`
        self._direction = 0
        self._last = -1
        self._base: int | None = None  # frame number of the group that is coming in, where it is known
        self._doubted: int | None = None  # a time that came in and may be a carry read in the middle
        self._standing: Timecode | None = None  # the last full frame, until anything else comes
        self._warned = False

    @property
    def rate(self) -> FrameRate | None:
        """The rate positions are counted in."""
        return None if self.coded is None else self._true(self.coded)

    def feed(self, message: bytes, host_s: float) -> list[TransportObservation]:
        if len(message) == 2 and message[0] == 0xF1 and message[1] < 0x80:
            return self._quarter(message[1] >> 4, message[1] & 15, host_s)
        if len(message) == 10 and message[:2] == b"\xf0\x7f" and message[3:5] == b"\x01\x01":
            return self._full(message[5:9], host_s)
        return []

    def reset(self) -> None:
        """Forgets what has been collected (the source went silent)."""
        self._count = self._direction = 0
        self._last = -1
        self._base = self._doubted = None

    # full frames ------------------------------------------------------------------------------------------------
    def _full(self, fields: bytes, host_s: float) -> list[TransportObservation]:
        self.reset()
        self._standing = None
        code = self.timecode(fields[0] >> 5 & 3, fields[0] & 31, fields[1], fields[2], fields[3])
        if code is None:
            return []
        self._standing = code
        return [
            TransportObservation("mtc", host_s, position_s=float(code.seconds), rolling=False, rate=0.0, locate=True)
        ]

    # quarter frames ---------------------------------------------------------------------------------------------
    def _quarter(self, piece: int, nibble: int, host_s: float) -> list[TransportObservation]:
        if piece == self._last and nibble == self._nibbles[piece] and host_s - self._hosts[piece] < _TWICE_S:
            return []  # the same timecode by a second way: without this no eight pieces would ever be in order
        direction = self._follow(piece)
        standing, self._standing = self._standing, None
        found: list[TransportObservation] = []
        if direction == 0:  # the first piece, or one out of order
            self._count, self._direction, self._base, self._doubted = 1, 0, None, None
            if standing is not None and piece == 0:
                self._base = self._guess(standing, nibble)
        else:
            if direction != self._direction:
                self._direction = direction
                self._count = min(self._count, 1)
                self._base = self._base if direction > 0 and self._count == 1 else None
            self._count += 1
        self._last = piece
        self._nibbles[piece] = nibble
        self._hosts[piece] = host_s
        first, last = (0, _GROUP - 1) if self._direction >= 0 else (_GROUP - 1, 0)
        if piece == first and self._count > 1 and self._base is not None:
            self._base += 2 if self._direction > 0 else -2
        if piece == last and self._count >= _GROUP:
            return self._complete(host_s)
        if self._base is not None and self.rate is not None:
            found.append(self._observe(piece, host_s))
        return found

    def _follow(self, piece: int) -> int:
        """+1 or -1 when the piece continues the last one, 0 when it does not."""
        if self._last < 0:
            return 0
        step = (piece - self._last) % _GROUP
        if step == 1 and self._direction >= 0:
            return 1
        if step == _GROUP - 1 and self._direction <= 0:
            return -1
        return 0

    def _complete(self, host_s: float) -> list[TransportObservation]:
        """A whole time has come in: its own eight observations when it is news, else the last one."""
        nibbles = self._nibbles
        code = self.timecode(
            nibbles[7] >> 1 & 3,
            nibbles[6] | (nibbles[7] & 1) << 4,
            nibbles[4] | (nibbles[5] & 3) << 4,
            nibbles[2] | (nibbles[3] & 3) << 4,
            nibbles[0] | (nibbles[1] & 1) << 4,
        )
        piece = 7 if self._direction > 0 else 0
        doubted, self._doubted = self._doubted, None
        if code is None and self._base is not None and doubted is None:
            self._doubted = _NO_TIME  # mixed fields can be a label that drop frame leaves out
            return [self._observe(piece, host_s)]
        if code is None:
            self._base = None
            return []
        if code.frames == self._base:
            return [self._observe(piece, host_s)]
        if self._is_carry(code.frames) and code.frames - 2 * self._direction != doubted:
            self._doubted = code.frames  # believed when the next time goes on from it
            return [self._observe(piece, host_s)]
        known = self._base is not None
        self._base = code.frames
        order = range(_GROUP) if self._direction > 0 else range(_GROUP - 1, -1, -1)
        found = [self._observe(index, self._hosts[index]) for index in order]
        # A time that contradicts the one that was counted on is a jump, said outright.
        return [_as_locate(found[-1])] if known else found

    def _is_carry(self, frames: int) -> bool:
        """Whether a time differs from the one counted on by a second, a minute or an hour.

        Senders that fill the eight pieces from a running counter, instead of a time held for all eight, mix the fields
        of two times where a field carries: a minute too many for one group, at each full minute.
        """
        if self._base is None or self.rate is None:
            return False
        off = abs(frames - self._base)
        return any(abs(off - round(unit_s * self.rate.fps)) <= 4 for unit_s in (1, 60, 3600))

    def _observe(self, piece: int, host_s: float) -> TransportObservation:
        rate = self.rate
        assert rate is not None and self._base is not None
        passed = piece if self._direction >= 0 else piece - (_GROUP - 1)
        position = float((self._base + 0.25 * passed) / rate.fps)
        direction = -1.0 if self._direction < 0 else 1.0
        return TransportObservation("mtc", host_s, position_s=position, rolling=True, rate=direction)

    def _guess(self, standing: Timecode, nibble: int) -> int | None:
        """Play begins at the stated frame, or at the next one whose pair it belongs to."""
        for ahead in range(3):
            if (standing + ahead).fields()[3] & 15 == nibble:
                return standing.frames + ahead
        return None

    # times ------------------------------------------------------------------------------------------------------
    def timecode(self, code: int, hours: int, minutes: int, seconds: int, frames: int) -> Timecode | None:
        found = self._counted(code, hours, minutes, seconds, frames)
        if found is not None:
            self.coded = CODED[code]
            self._say_other_rate(self.coded)
        return found

    def located(self, code: int, hours: int, minutes: int, seconds: int, frames: int) -> Timecode | None:
        """A time that machine control states.  Its own rate is often left at 24 (Ardour's is): the rate of the timecode
        that has been heard counts, else the stated one; neither is changed or doubted by it."""
        known = code
        if self.coded is not None:
            known = CODED.index(self.coded)
        elif self.stated is not None:
            known = rate_code(carried(self.stated))
        return self._counted(known, hours, minutes, seconds, frames)

    def _counted(self, code: int, hours: int, minutes: int, seconds: int, frames: int) -> Timecode | None:
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= _RANGES[code]:
            return None
        rate = self._true(CODED[code])
        try:
            return TimecodeClock(rate).of_fields(hours, minutes, seconds, frames)
        except MusicError:  # a label that drop frame leaves out
            return None

    def _true(self, coded: FrameRate) -> FrameRate:
        """What a rate on the wire is counted at."""
        if self.stated is not None:
            return self.stated if _names(self.stated) == coded else coded
        # Nobody stated a rate: a film at 23.976 is what timecode that has to call itself 24 belongs to.
        film = None if self.film is None else carried(self.film)
        return coded if film is None or film.drop or film.nominal != coded.fps else film

    def _say_other_rate(self, coded: FrameRate) -> None:
        """Once: timecode is not what was stated, or is counted otherwise than it says."""
        counted = self._true(coded)
        if self._warned or (self.stated is None and counted == coded) or self.stated == counted:
            return
        self._warned = True
        if self.stated is not None:
            self.notes.append(
                f"MIDI timecode arrives at {coded} frames a second, but {self.stated} was stated: {coded} is followed. "
                "Set both to the same rate."
            )
        else:
            self.notes.append(
                f"MIDI timecode says {coded} and the film runs at {self.film}: it is counted at {counted}. "
                f"Where the DAW really runs at {coded}, state it (--frame-rate {coded})."
            )


def _names(rate: FrameRate) -> FrameRate | None:
    """The rate that MIDI timecode calls it; None for one that it cannot carry."""
    try:
        return CODED[rate_code(rate)]
    except MusicError:
        return None


def _as_locate(observation: TransportObservation) -> TransportObservation:
    return TransportObservation(
        observation.source,
        observation.host_s,
        position_s=observation.position_s,
        rolling=True,
        rate=observation.rate,
        locate=True,
    )
