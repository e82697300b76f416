"""Change lists: from pictures, from alignments, from EDLs."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import recutlab
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.conform.align import align
from engine.conform.changes import ChangeList, Span, from_path
from engine.conform.edl_changes import from_edls
from engine.conform.pictures import compare_films, compare_prints, draw, table
from engine.conform.prints import FIELDS, FilmPrints, read_prints
from engine.interchange.edl import read_edl
from engine.interchange.markers import MarkerError
from engine.music import Film
from engine.music.bundled import bundled_clip
from engine.music.timecode import FRAME_RATES

RATE = Fraction(24)
FILM = Film("old.mp4", 30.0, FRAME_RATES["24"])


def path_of(*pieces):
    return np.array(recutlab.order_of(pieces))


def told(changes):
    return [(c.kind, c.old_start, c.old_end, c.new_start, c.new_end) for c in changes.changes]


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        ([(0, 240)], []),
        ([(0, 100), (114, 240)], [("trim", 100, 114, None, None)]),
        ([(0, 100), (180, 240)], [("lift", 100, 180, None, None)]),
        ([(14, 240)], [("trim", 0, 14, None, None)]),
        ([(0, 100), ("title", 48), (100, 240)], [("insert", None, None, 100, 148)]),
        ([(0, 50), (180, 240), (50, 180)], [("move", 180, 240, 50, 110)]),
        ([(0, 100), (60, 90), (100, 240)], [("repeat", 60, 90, 100, 130)]),
        ([(0, 100), (60, 240)], [("repeat", 60, 100, 100, 140)]),
        ([(0, 100), (60, 100), (60, 240)], [("repeat", 60, 100, 100, 140), ("repeat", 60, 100, 140, 180)]),
        ([(100, 240), (0, 150)], [("repeat", 100, 150, 0, 50), ("move", 150, 240, 50, 140)]),
        ([(0, 100), (100, 180, 0.8), (180, 240)], [("retime", 100, 180, 100, 200)]),
    ],
)
def test_each_kind_of_change_has_its_name(pieces, wanted):
    changes = from_path(path_of(*pieces), 240, RATE)
    assert told(changes) == wanted
    assert changes.new_frames - changes.old_frames == sum(c.frames for c in changes.changes)
    assert all(line.isprintable() for line in table(changes, FILM, FILM))


pieces = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 60), st.integers(4, 40)).map(lambda p: (p[0] * 4, p[0] * 4 + p[1])),
        st.tuples(st.just("title"), st.integers(4, 30)),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@examples(150)
@given(pieces)
def test_what_is_said_of_a_frame_is_true_of_any_recut(cut):
    path = path_of(*cut)
    changes = from_path(path, 300, RATE)
    assert changes.spans[0].new_start == 0
    for first, second in pairwise(changes.spans):
        assert first.new_end == second.new_start
    wrong = 0
    for frame, old in enumerate(path):
        source = changes.source(frame / 24)
        wrong += (source is None) != (old < 0) or (source is not None and abs(source * 24 - old) > 2)
        if source is not None:
            place = changes.place(source)
            assert place is not None and changes.source(place) == pytest.approx(source, abs=1e-6)
    assert wrong <= 4  # pieces of a frame or two are taken for a stumble
    for start, end in changes.lifts:
        assert changes.place((start + end) / 2 / 24) is None
        assert 0 <= changes.place_near((start + end) / 2 / 24) <= len(path) / 24


def test_where_both_cuts_part():
    assert from_path(path_of((0, 240)), 240, RATE).first_change is None
    assert from_path(path_of((0, 100), (114, 240)), 240, RATE).first_change == 100
    assert from_path(path_of((10, 240)), 240, RATE).first_change == 0
    assert from_path(path_of((0, 200)), 240, RATE).first_change == 200


def test_alignment_of_noise_to_noise():
    rng = np.random.default_rng(1)
    old = rng.uniform(0, 255, (200, FIELDS)).astype(np.float32)
    new = old[path_of((0, 80), (120, 160), (90, 110))] + rng.normal(0, 2, (140, FIELDS)).astype(np.float32)
    assert align(old, new).tolist() == path_of((0, 80), (120, 160), (90, 110)).tolist()
    assert align(old, rng.uniform(0, 255, (40, FIELDS)).astype(np.float32)).tolist() == [-1] * 40
    assert align(old[:0], new).tolist() == [-1] * 140 and len(align(old, new[:0])) == 0


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("still", [120, 1440], ids=["five seconds", "a minute"])
@pytest.mark.parametrize("level", [0.0, 90.0], ids=["black", "a card"])
def test_what_stands_still_for_long_is_where_it_was(level, still, noise):
    """At the head, where nothing comes before it by which its frames are known, in the middle and at the end."""
    rng = np.random.default_rng(3)

    def film(*pieces):
        made = np.concatenate(pieces) + rng.normal(0, 1, (sum(map(len, pieces)), FIELDS)) * noise
        return FilmPrints(FILM, RATE, np.clip(made, 0, 255).astype(np.float32))

    def shot(count):
        return rng.uniform(0, 255, FIELDS) + np.cumsum(rng.normal(0, 3, (count, FIELDS)), axis=0)

    first, second = shot(200), shot(300)
    stands = np.tile(rng.uniform(0, 255, FIELDS) if level else np.zeros(FIELDS), (still, 1))
    for pieces in ((stands, first, second), (first, stands, second), (first, second, stands), (stands,)):
        assert compare_prints(film(*pieces), film(*pieces)).first_change is None, len(pieces)
    trimmed = compare_prints(film(stands, first, second), film(stands, first[:-14], second))
    assert told(trimmed) == [("trim", still + 186, still + 200, None, None)]
    shorter = compare_prints(film(stands, first, second), film(stands[48:], first, second))
    assert sum(change.frames for change in shorter.changes) == -48
    assert shorter.place((still + 100) / 24) == pytest.approx((still + 52) / 24)


@pytest.fixture(scope="module")
def old_prints(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "old.mp4"
    recutlab.write(path, bundled_clip(), [(0, 720)], burn="OLD")
    return read_prints(path)


def test_a_recut_is_followed_through_size_rate_code_and_burn_in(old_prints, tmp_path):
    starts = [0, 144, 260, 295, 319, 389, 432, 469, 627, 666]  # shots of the clip
    cut = [(0, 319), (389, 455), ("title", 30), (627, 666), (469, 613), (666, 720)]
    assert {first for first, *_ in cut if first != "title"} <= set(starts)
    order = recutlab.write(tmp_path / "new.mp4", bundled_clip(), cut, burn="NEW", size=(256, 144), rate=25, crf=30)
    after = read_prints(tmp_path / "new.mp4", old_prints.rate)
    changes = compare_prints(old_prints, after)
    right, lifted, fresh = recutlab.judged(changes, order, len(old_prints))
    assert right > 0.97
    assert lifted[2] >= 0.9 * lifted[0] and lifted[2] >= 0.9 * lifted[1]
    assert fresh[2] >= 0.9 * fresh[0] and fresh[2] >= 0.9 * fresh[1]
    kinds = {change.kind for change in changes.changes}
    assert {"insert", "move", "trim"} <= kinds
    draw(changes, tmp_path / "changes.png")
    assert (tmp_path / "changes.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_film_has_no_changes(old_prints):
    half = FilmPrints(old_prints.film, old_prints.rate, old_prints.prints[:300])
    assert compare_prints(half, half).changes == ()


@pytest.mark.parametrize("matte", ["drawn", "box", "pillars"])
def test_a_matte_over_the_picture_or_beside_it_changes_nothing(matte, tmp_path):
    """Of a minute and less, whose key frames are too few to find a matte in."""
    old, new = tmp_path / "old.mp4", tmp_path / "new.mp4"
    recutlab.write(old, bundled_clip(), [(0, 390)], size=(192, 108))
    order = recutlab.write(new, bundled_clip(), [(0, 144), (158, 390)], size=(192, 108), matte=matte)
    changes, before, after = compare_films(old, new)
    right, lifted, fresh = recutlab.judged(changes, order, len(before))
    assert right > 0.98 and lifted[0] == 14 and lifted[2] >= 13 and fresh == (0, 0, 0)
    assert len(after) == 376


# EDLs ---------------------------------------------------------------------------------------------------------------
def edl(*events, drop=False):
    lines = ["TITLE: reel 1", f"FCM: {'DROP' if drop else 'NON-DROP'} FRAME"]
    for number, (reel, source, record, length, *more) in enumerate(events, start=1):

        def label(frame):
            seconds, frames = divmod(frame, 24)
            return f"{1 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames:02}"

        played = more[0] if more else length
        lines.append(f"{number:03}  {reel:8} V     C        {label(source)} {label(source + played)} "
                     f"{label(record)} {label(record + length)}")  # fmt: skip
    return read_edl("\n".join(lines), "a.edl")


def test_change_list_of_two_edls():
    old = edl(("A", 0, 0, 100), ("B", 500, 100, 60), ("C", 40, 160, 80))
    new = edl(("A", 0, 0, 86), ("BL", 0, 86, 24), ("C", 40, 110, 80), ("B", 500, 190, 60), ("D", 0, 250, 30))
    changes = from_edls(old, new, FRAME_RATES["24"])
    assert (changes.old_frames, changes.new_frames) == (240, 280)
    assert [(s.new_start, s.new_end, s.old_start) for s in changes.spans] == [
        (0, 86, 0), (86, 110, None), (110, 190, 160), (190, 250, 100), (250, 280, None)
    ]  # fmt: skip
    assert ("trim", 86, 100, None, None) in told(changes) and ("move", 100, 160, 190, 250) in told(changes)


def test_a_longer_piece_of_the_same_source_shows_new_frames():
    old, new = edl(("A", 100, 0, 100)), edl(("A", 90, 0, 120))
    spans = from_edls(old, new, FRAME_RATES["24"]).spans
    assert [(s.new_start, s.new_end, s.old_start) for s in spans] == [(0, 10, None), (10, 110, 0), (110, 120, None)]


def test_an_event_at_another_speed_is_retimed():
    old, new = edl(("A", 0, 0, 80)), edl(("A", 0, 0, 100, 80))
    (span,) = from_edls(old, new, FRAME_RATES["24"]).spans
    assert span.is_retimed and span.speed == Fraction(4, 5)


def test_labels_that_the_rate_has_not_are_named():
    bad = read_edl("001  A V C 00:00:00:00 00:00:01:00 01:00:00:24 01:00:01:24\n", "a.edl")
    with pytest.raises(MarkerError) as error:
        from_edls(bad, bad, FRAME_RATES["24"])
    assert error.value.lines == (1,)


def test_speed_and_frames_of_spans():
    changes = ChangeList(RATE, 100, 120, (Span(0, 120, 0, 100),))
    assert changes.place(50 / 24) == pytest.approx(60 / 24) and changes.source(60 / 24) == pytest.approx(50 / 24)
