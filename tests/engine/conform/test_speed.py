"""A new cut that runs at another speed from end to end, found in its pictures and followed by the music."""

from fractions import Fraction

import numpy as np
import pytest
import recutlab

from engine.conform.changes import ChangeList, Span, from_path
from engine.conform.moved import conform
from engine.conform.pictures import compare_films, table
from engine.conform.speed import at_speed, most_of_it, pieces, speeds
from engine.music import Film
from engine.music.bundled import bundled_clip
from engine.music.timecode import FRAME_RATES

WHOLE = [(0, 720)]


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "old.mp4"
    recutlab.write(path, bundled_clip(), WHOLE)
    return path


@pytest.mark.parametrize(
    ("pieces", "how", "speed", "name"),
    [
        (WHOLE, {"rate": 25, "source_rate": 25}, Fraction(25, 24), "a PAL speed-up"),
        (WHOLE, {"rate": 25, "source_rate": 25, "burn": "NEW", "size": (256, 144)}, Fraction(25, 24), "a PAL speed-up"),
        ([(0, 720, 25 / 24)], {}, Fraction(25, 24), "a PAL speed-up"),
        ([(0, 720, 24 / 25)], {}, Fraction(24, 25), "a PAL speed-up undone"),
        ([(0, 720, 1.03)], {}, Fraction(103, 100), "103"),
    ],
    ids=["25 fps", "smaller, burnt", "24 fps", "slower", "another"],
)
def test_a_speed_throughout_is_named_and_nothing_else(old, tmp_path, pieces, how, speed, name):
    order = recutlab.write(tmp_path / "new.mp4", bundled_clip(), pieces, **how)
    changes, before, after = compare_films(old, tmp_path / "new.mp4")
    assert float(changes.speed) == pytest.approx(float(speed), abs=0.001)
    assert {change.kind for change in changes.changes} == {"retime"} and changes.lifts == ()
    lines = table(changes, before.film, after.film)
    assert "runs at" in lines[1] and name in lines[1]
    rate = float(changes.rate)
    for frame in range(0, 720, 60):  # each old frame where it is shown, to a frame
        assert changes.place(frame / rate) * rate == pytest.approx(frame / float(speed), abs=1.5), frame
    assert changes.new_frames == pytest.approx(len(order) if not how else len(order) * 24 / 25, abs=1)


def test_what_else_was_changed_is_found_beside_the_speed(old, tmp_path):
    cut = [(0, 295), (319, 469), ("title", 36), (469, 720)]
    recutlab.write(tmp_path / "new.mp4", bundled_clip(), cut, rate=25, source_rate=25)
    changes, *_ = compare_films(old, tmp_path / "new.mp4")
    assert changes.speed == Fraction(25, 24)
    big = [change.kind for change in changes.changes if abs(change.frames) > 3]  # a title may take in a frame or two
    assert big == ["retime", "trim", "retime", "insert", "retime"]
    ((low, high),) = [(low, high) for low, high in changes.lifts if high - low > 3]
    assert abs(low - 295) <= 2 and abs(high - 319) <= 2
    (title,) = [span for span in changes.spans if span.old_start is None]
    assert title.new_start == pytest.approx(445 * 24 / 25, abs=2) and title.length == pytest.approx(36 * 24 / 25, abs=3)


@pytest.mark.parametrize(
    ("pieces", "how"),
    [
        (WHOLE, {"rate": 25}),
        (WHOLE, {"rate": "30000/1001"}),
        ([(0, 319), (389, 455), ("title", 30), (627, 666), (469, 613), (666, 720)], {}),
        ([(0, 319), (319, 627, 1.25), (627, 720)], {}),
    ],
    ids=["25 fps as long", "29.97 fps as long", "cut anew", "one shot faster"],
)
def test_a_cut_that_is_only_cut_has_no_speed(old, tmp_path, pieces, how):
    recutlab.write(tmp_path / "new.mp4", bundled_clip(), pieces, **how)
    changes, *_ = compare_films(old, tmp_path / "new.mp4")
    assert changes.speed == 1


def test_an_hour_pulled_down_is_one_change():
    """24 frames a second played at 23.976: as rows of frames, one is shown twice every 42 seconds, and nothing is
    said of it."""
    path = np.floor((np.arange(86_486) + 0.5) * 1000 / 1001).astype(int)
    plain = from_path(path, 86_400, Fraction(24))
    assert pieces(plain) > 60 and most_of_it(plain) == pytest.approx(1, abs=0.002)
    assert next(iter(speeds(plain, Fraction(1000, 1001)))) == Fraction(1000, 1001)
    straight = ChangeList(Fraction(24), 86_400, 86_400, (Span(0, 86_400, 0, 86_400),))
    (change,) = at_speed(straight, Fraction(1000, 1001), 86_486).changes
    assert change.kind == "retime" and change.frames == 86
    # Of a minute and a half it makes out two frames: no change of the list, but said, and followed.
    short = at_speed(ChangeList(Fraction(24), 2160, 2160, (Span(0, 2160, 0, 2160),)), Fraction(1000, 1001), 2162)
    film = Film("a.mp4", 90.0, FRAME_RATES["24"])
    assert short.changes == () and any("pulled down" in line for line in table(short, film, film))
    assert short.first_change is not None and short.place(80.0) == pytest.approx(80.08, abs=0.01)


@pytest.mark.parametrize("rows", [[], [Span(0, 50)], [Span(0, 10, 0, 10), Span(10, 400)]])
def test_too_little_to_read_a_speed_from(rows):
    changes = ChangeList(Fraction(24), 400, rows[-1].new_end if rows else 0, tuple(rows))
    assert most_of_it(changes) == 1.0 and list(speeds(changes, Fraction(1))) == []


@pytest.mark.parametrize(("speed", "frames"), [(Fraction(25, 24), 922), (Fraction(24, 25), 1000)])
@pytest.mark.parametrize("policy", ["shift", "ramp", "bars", "beats"])
def test_music_follows_a_speed(document, policy, speed, frames):
    straight = ChangeList(Fraction(24), 960, 960, (Span(0, 960, 0, 960),))
    changes = at_speed(straight, speed, frames)
    film = Film("new.mp4", frames / 24, FRAME_RATES["24"])
    made = conform(document, changes, film, policy=policy)
    for before, after in zip(document.hits, made.document.hits, strict=True):
        assert after.time_s == pytest.approx(before.time_s / speed, abs=0.03)
    hits = [row for row in made.moved if row.kind == "hit"]
    if policy == "ramp":  # within the bend of six per cent: as far from its beat as it was
        tempi = [float(change.bpm) for change in made.document.result.tempo_map.tempos]
        assert max(tempi) == pytest.approx(120 * speed, rel=0.004) if speed > 1 else min(tempi) < 96
        assert all(abs(row.beat_after - row.beat_before) < 0.6 for row in hits), hits
    recutlab.notes_of(made.document, film)
