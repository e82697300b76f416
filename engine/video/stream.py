"""From a film file to feature rows, in order, while the film is still being decoded.

Every row is final when it comes out: it is held back until the frames that its mood looks ahead to (about nine seconds
of film) have been decoded.  `analyze` in engine.video is this stream read to its end.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final

import numpy as np

from engine.music import EMOTIONS, Cut, Film
from engine.video import affect
from engine.video.errors import VideoError
from engine.video.features import FeatureRow, VideoFeatures
from engine.video.film import open_film
from engine.video.frames import FrameReader, Picture
from engine.video.head import BLACK_SHARE, LEADER_S, Head, is_bars, is_black, is_card, may_be_black, may_be_card, median
from engine.video.mask import Mask, find_mask, parse_mask
from engine.video.motion import mean_abs_difference
from engine.video.options import AnalysisOptions
from engine.video.semantics import Seen, choose_reading
from engine.video.shots import ShotFinder

_ASK_EVERY: Final = 8  # frames between two looks for a row that is certain by now
_CARDS_EVERY: Final = 4  # frames between two looks whether this is a card
FADE_REACH_S: Final = 2  # a picture so near to black or a blank may be on its way there
FADE_LIGHT: Final = 0.75  # it is, when its distance from that tone is at most this share of its shot's
LEAST_CHANGE: Final = 0.5  # of luma, 0..255, that colours are compared with
MOST_COLOURFUL: Final = 2.0  # times as much as luma do colours change at most
LEAST_HARD: Final = 0.15  # strength of a cut; that to or from a picture faded nearly to black is weaker
_NEUTRAL: Final = np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index("neutral")]


@dataclass(slots=True)
class _Second:
    """What is known of a second while later ones are still decoded."""

    colour: tuple[float, float, float]
    motion: float
    activity: float = 0.0
    black: bool = False  # nearly all of its frames are
    card: bool = False  # so
    blank_tone: float | None = None  # mean value, 0..1, of its black or even frames; None where it has none
    bars: bool = False
    seen: Seen | None = None  # of the full reading


class _Still:
    """What is seen of a frame (h, w, 3) that stands for seconds: the same in each of them, so looked at once."""

    def __init__(self, small: np.ndarray) -> None:
        self.colour = affect.colour_of(small)
        self.black, self.bars = is_black(small), is_bars(small)
        self.card = not self.black and is_card(small)
        self.tone = _tone(small)


def _tone(small: np.ndarray) -> float:
    """Value, 0..1, of a picture of one tone."""
    return float(median(small[1].ravel())) / 255.0


class FeatureStream:
    """Iterate to get rows; a context manager.  See `open_stream`."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        options: AnalysisOptions,
        content_key: str = "",
        between_frames: Callable[[], object] | None = None,
    ) -> None:
        opened = open_film(path, content_key)
        try:
            self.reading, self.reason, self._encoder = choose_reading(options)
        except BaseException:
            opened.close()
            raise
        try:
            mask = self._mask_of(opened.film, options)
        except BaseException:
            opened.close()
            raise
        self.film: Film = opened.film  # duration_s is what the container says until the end
        self.position_s = 0.0  # decoded so far
        self._opened = opened
        self._options = options
        self._between_frames = between_frames
        self._half_frame_s = 0.5 * float(1 / opened.film.rate.fps)
        self._reader = FrameReader(
            opened, threads=options.threads, max_s=options.max_s, want_full=self._encoder is not None, mask=mask
        )
        self._shots = ShotFinder(
            opened.film.rate.fps, adaptive_threshold=options.adaptive_threshold, min_shot_s=options.min_shot_s
        )
        self._seconds: list[_Second] = []
        self._rows: list[FeatureRow] = []
        masked = mask.note()
        self._notes: tuple[str, ...] = opened.notes + ((masked,) if masked else ())
        self._change_total: list[float] = []  # differences between frames within the second now being decoded
        self._frames_total = self._frames_black = 0  # within the second now being decoded
        self._looked = self._cards = 0  # so: frames that were looked at for cards, and that are some
        self._blanks: list[float] = []  # so: mean values of even frames
        self._mood = _NEUTRAL, _NEUTRAL  # raw and smoothed, of the last row that has a mood
        self._black_ends: list[float] = []  # when a picture followed black, or the film began
        self._was_black = True
        self._head = Head()
        self._before: Picture | None = None
        self._colourful = 1.0  # how much more the colours change than the luma
        self._iterator = self._run()

    def __enter__(self) -> FeatureStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[FeatureRow]:
        return self._iterator

    def close(self) -> None:
        """Closes the file.  Rows not yet given out are lost."""
        self._opened.close()

    @staticmethod
    def _mask_of(film: Film, options: AnalysisOptions) -> Mask:
        if options.mask == "none":
            return Mask()
        if options.mask == "auto":
            return find_mask(film.path)
        return parse_mask(options.mask, film.width, film.height)

    @property
    def expected_seconds(self) -> int:
        """Rows to expect; 0 where the container does not say."""
        length = self.film.duration_s
        if self._options.max_s is not None:
            length = min(length, self._options.max_s) if length else self._options.max_s
        return math.ceil(length - 1e-6)

    def features(self) -> VideoFeatures:
        """All rows given out so far; complete once the iteration has ended."""
        rows = self._rows
        count = len(rows)
        semantic = None
        if self._encoder is not None and self._encoder.gives_semantic:
            semantic = np.zeros((count, 768), np.float32)
            for row in rows:
                if row.semantic is not None:
                    semantic[row.second] = row.semantic
        return VideoFeatures(
            film=self.film,
            seconds=count,
            semantic=semantic,
            emotion_raw=np.array([row.emotion_raw for row in rows], np.float32).reshape(count, 6),
            emotion=np.array([row.emotion for row in rows], np.float32).reshape(count, 6),
            motion=np.array([row.motion for row in rows], np.float32),
            scene_offset=np.array([row.scene_offset for row in rows], np.int32),
            valid=np.array([row.valid for row in rows], bool),
            cuts=tuple(cut for row in rows for cut in row.cuts),
            reading=self.reading,
            reason=self.reason,
            notes=self._notes,
            colour=np.array([row.colour for row in rows], np.float32).reshape(count, 3),
            card=np.array([row.card for row in rows], bool),
        )

    def _run(self) -> Iterator[FeatureRow]:
        for picture in self._reader:
            if self._between_frames is not None:
                self._between_frames()
            self.position_s = picture.time_s
            self._take(picture)
            if picture.index % _ASK_EVERY:
                continue
            # A row also waits until no cut can still be found in the seconds that it looks at.
            certain = min(self._shots.certain_s, picture.time_s)
            while len(self._rows) + self._lookahead_s + 1 < certain and len(self._rows) < len(self._seconds):
                yield self._finish(len(self._rows))
        if not self._seconds:
            raise VideoError(f"{os.path.basename(self.film.path)} holds no picture that can be decoded.")
        self._end_second()
        length = self._reader.duration_s
        if self._options.max_s is not None:
            length = min(length, self._options.max_s)
        self.film = replace(self.film, duration_s=length)
        self._notes = (*self._notes, *self._reader.notes())
        if self._encoder is not None:
            self._notes = (*self._notes, self._encoder.report())
        rows = max(1, math.ceil(length - 1e-6))
        if len(self._seconds) < rows and self._before is not None:
            full = None if self._encoder is None else self._reader.last_full()
            still = _Still(self._before.small)
            while len(self._seconds) < rows:
                self._seconds.append(self._held(still, full))
        del self._seconds[rows:]
        while len(self._rows) < rows:
            yield self._finish(len(self._rows))
        self._notes = (*self._notes, *self._head_notes(), *_card_notes([row.card for row in self._rows]))

    def _take(self, picture: Picture) -> None:
        """Adds a frame to the second it lies in, and to the shot finder."""
        before, self._before = self._before, picture
        change = 0.0
        if before is not None and before.luma.shape == picture.luma.shape:
            change = mean_abs_difference(picture.luma, before.luma)
        stood = picture if before is None else before
        black = may_be_black(picture.luma) and is_black(picture.small)
        if self._was_black and not black:
            self._black_ends.append(picture.time_s)
        self._was_black = black
        self._shots.push(picture, change)
        held = _Still(stood.small) if picture.held_rows else None
        for _row in picture.held_rows:
            assert held is not None
            self._end_second()
            self._seconds.append(self._held(held, picture.held_full))
            self._count_cards(held.black, held.card, held.tone)
        if picture.row is not None:
            self._end_second()
            second = _Second(affect.colour_of(picture.small), picture.motion, black=black, bars=is_bars(picture.small))
            second.seen = self._seen(picture.full)
            self._seconds.append(second)
            if before is not None and change >= LEAST_CHANGE and before.small.shape == picture.small.shape:
                share = mean_abs_difference(picture.small, before.small) / change
                self._colourful = min(MOST_COLOURFUL, max(1.0 / MOST_COLOURFUL, share))
        if picture.index:
            self._change_total.append(change)
        self._frames_total += 1
        self._frames_black += black
        if picture.row is not None or picture.index % _CARDS_EVERY == 0:
            self._look_for_cards(picture, black)

    def _look_for_cards(self, picture: Picture, black: bool) -> None:
        card = not black and may_be_card(picture.luma) and is_card(picture.small)
        self._count_cards(black, card, _tone(picture.small) if black or card else 0.0)

    def _count_cards(self, black: bool, card: bool, tone: float) -> None:
        self._looked += 1
        self._cards += black or card
        if black or card:
            self._blanks.append(tone)

    def _held(self, still: _Still, full: np.ndarray | None) -> _Second:
        """A second in which no frame began: a frame stands still."""
        return _Second(still.colour, 0.0, black=still.black, bars=still.bars, seen=self._seen(full))

    def _seen(self, full: np.ndarray | None) -> Seen | None:
        return None if self._encoder is None or full is None else self._encoder.add(full)

    def _end_second(self) -> None:
        """Closes the second being decoded: its activity is the mean change without the largest one (a cut).

        It is measured on luma, and multiplied by how much more the colours changed between the second's first frame
        and the one before it.
        """
        changes, self._change_total = self._change_total, []
        frames, black = self._frames_total, self._frames_black
        self._frames_total = self._frames_black = 0
        looked, cards, blanks = self._looked, self._cards, self._blanks
        self._looked = self._cards = 0
        self._blanks = []
        if self._seconds and frames:
            self._seconds[-1].black = black / frames >= BLACK_SHARE
        if self._seconds and looked:
            self._seconds[-1].card = cards / looked >= BLACK_SHARE and not self._seconds[-1].black
            self._seconds[-1].blank_tone = sum(blanks) / len(blanks) if blanks else None
        if not self._seconds or not changes:
            return
        if len(changes) >= 4:
            changes.remove(max(changes))
        scale = min(2.4, max(0.4, float(self.film.rate.fps) / affect.REFERENCE_FPS))
        self._seconds[-1].activity = scale * self._colourful * sum(changes) / len(changes)

    def _offset(self, second: int) -> int:
        """Whole seconds since the last cut at or before a second (half a frame of slack), or since the start."""
        slack = self._half_frame_s
        for cut in reversed(self._shots.cuts):
            if cut.time_s <= second + slack:
                return max(0, math.floor(second + slack - cut.time_s))
        return second

    def _finish(self, row: int) -> FeatureRow:
        """The final row, from everything known about the seconds around it."""
        second = self._seconds[row]
        ahead = [entry.black for entry in self._seconds[row : row + LEADER_S + 1]]
        head = self._head.is_head(row, second.bars, ahead)
        valid = not (head or second.black)
        semantic = None if second.seen is None else second.seen.read()[0]
        if valid and not second.card:
            raw = self._raw_mood(row)
            # What is no picture does not colour the five seconds after it either.
            recent = [
                entry.emotion_raw for entry in self._rows[max(0, row - 4) : row] if entry.valid and not entry.card
            ]
            self._mood = raw.astype(np.float32), np.mean([*recent, raw], axis=0).astype(np.float32)
        finished = FeatureRow(
            second=row,
            semantic=semantic,
            emotion_raw=self._mood[0],
            emotion=self._mood[1],
            motion=second.motion,
            scene_offset=self._offset(row),
            valid=valid,
            cuts=() if head else self._cuts_in(row),
            colour=second.colour,
            card=valid and second.card,
        )
        self._rows.append(finished)
        return finished

    def _raw_mood(self, row: int) -> np.ndarray:
        """(6,) the mood of a second's picture; one that fades has the colour, or the meaning, of its shot."""
        shown = self._seconds[self._unfaded(row)]
        if shown.seen is not None:
            return shown.seen.read()[1]
        # As far back as smoothing reaches, and one look-ahead beyond it: the same numbers whatever else is known.
        first = max(0, row - affect.SMOOTHING_S)
        last = min(len(self._seconds), row + affect.LOOKAHEAD_S)
        near = self._seconds[first:last]
        moved = affect.movement(
            affect.felt_activity(
                np.array([entry.activity for entry in near]), np.array([entry.colour[0] for entry in near])
            ),
            np.array([self._offset(index) for index in range(first, last)]),
        )
        return affect.mood(np.array([shown.colour]), moved[row - first : row - first + 1])[0]

    def _unfaded(self, row: int) -> int:
        """The second whose picture stands for this one's: its own, or one of its shot where it fades out or in."""
        own = self._seconds[row]
        for way in (1, -1):  # towards black or a blank; the shot lies the other way
            toward = [row + way * step for step in range(FADE_REACH_S + 1)]
            blanks = [at for at in toward if 0 <= at < len(self._seconds) and self._seconds[at].blank_tone is not None]
            if not blanks:
                continue
            low, high = sorted((row, blanks[0]))
            if any(_is_hard(cut) and low < cut.time_s < high + 1 for cut in self._shots.cuts):
                continue  # cut to or from black
            tone = self._seconds[blanks[0]].blank_tone
            assert tone is not None
            shot = []
            for step in range(1, FADE_REACH_S + 2):
                at = row - way * step
                low, high = sorted((at, row))
                if not 0 <= at < len(self._seconds) or self._seconds[at].black or self._seconds[at].card:
                    break
                if any(
                    low < cut.time_s <= high and (_is_hard(cut) or cut.kind == "dissolve") for cut in self._shots.cuts
                ):
                    break
                shot.append(at)
            distance = {at: abs(self._seconds[at].colour[0] - tone) for at in shot}
            best = max(shot, key=lambda at: distance[at], default=row)
            if best != row and abs(own.colour[0] - tone) <= FADE_LIGHT * distance[best]:
                return best
        return row

    def _head_notes(self) -> tuple[str, ...]:
        """Where the picture begins, where that is not the first frame."""
        film = self.film
        if self._head.bars_seen:
            row = self._head.action_row
            if row is None:
                return ("The film begins with colour bars, and no action was found after them.",)
            begin_s = max((end_s for end_s in self._black_ends if end_s < row + 1), default=float(row))
            return (
                f"The film begins with bars, slate or leader, which are left out; the first frame of action is "
                f"{film.timecode_at(begin_s)} ({begin_s:.2f} s).",
            )
        if not self._black_ends:
            return ("The film is black from beginning to end.",)
        if self._black_ends[0] > 0.5:
            begin_s = self._black_ends[0]
            return (f"The picture begins after black at {film.timecode_at(begin_s)} ({begin_s:.2f} s).",)
        return ()

    @property
    def _lookahead_s(self) -> int:
        """Seconds of film that must be known after the next row."""
        bars = self._seconds[len(self._rows)].bars if len(self._rows) < len(self._seconds) else False
        return max(affect.LOOKAHEAD_S, LEADER_S if bars else self._head.lookahead_s)

    def _cuts_in(self, row: int) -> tuple[Cut, ...]:
        cuts = self._shots.cuts
        first = bisect_left(cuts, float(row), key=lambda cut: cut.time_s)
        last = bisect_left(cuts, float(row + 1), key=lambda cut: cut.time_s)
        return tuple(cuts[first:last])


def _is_hard(cut: Cut) -> bool:
    """Not what the last step of a fade looks like."""
    return cut.kind == "cut" and cut.strength >= LEAST_HARD


def _card_notes(cards: list[bool]) -> tuple[str, ...]:
    """One sentence about the stretches of cards."""
    edges = [row for row in range(len(cards) + 1) if (row > 0 and cards[row - 1]) != (row < len(cards) and cards[row])]
    found = [f"{first}–{last} s" for first, last in zip(edges[::2], edges[1::2], strict=True)]
    if not found:
        return ()
    shown = ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
    return (f"Cards or titles at {shown} have no mood of their own; the one before them is held.",)


def open_stream(
    path: str | os.PathLike[str],
    options: AnalysisOptions | None = None,
    content_key: str = "",
    between_frames: Callable[[], object] | None = None,
) -> FeatureStream:
    """Opens a film for reading row by row.  between_frames: called before each frame; reading waits for its return.
    Raises VideoError."""
    return FeatureStream(path, options or AnalysisOptions(), content_key, between_frames)
