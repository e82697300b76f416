"""What was asked for, settled for a film: the same for `compose` and `live`, and labels on the right clock."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.commands.live_options import parse
from engine.brief import Brief, project_rate, request_for, settle
from engine.commands.compose import parser as compose_parser
from engine.commands.compose import plan_from
from engine.music import FRAME_RATES, Cut, Film, FrameRate, Hit, Key, MusicError, Timecode, TimecodeClock, UserError
from engine.music.picture_start import PictureStart
from engine.process.requests import compose_request

ALL = list(FRAME_RATES.values())
FILM = Film("a.mp4", 60.0, FrameRate(Fraction(25)))


@given(st.sampled_from(ALL), st.sampled_from(ALL), st.integers(0, 23), st.integers(0, 59), st.integers(0, 23))
def test_the_pictures_start_is_read_on_the_projects_clock_whatever_the_film_runs_at(film, project, hour, minute, frame):
    """All pairs of film rate and project rate: the DAW shows the label that was typed at picture 0."""
    label = str(Timecode.from_fields(hour, minute, 1, frame, project))
    film = Film("a.mp4", 60.0, film)
    settled = settle(Brief(frame_rate=project, picture_starts_at=label), film, ())
    clock = TimecodeClock(project)
    assert settled.picture_starts_at_s == float(clock.seconds_at(label))
    assert str(clock.label_at(settled.picture_starts_at_s)) == label
    assert settled.tempo_map.origin_s == clock.seconds_at(label)
    assert str(film.timecode_at(0.0))[:8] == "00:00:00"


@pytest.mark.parametrize("project", ALL, ids=str)
@pytest.mark.parametrize("film", ALL, ids=str)
def test_one_hour_is_one_hour_of_the_project(film, project):
    text = "01:00:00;00" if project.drop else "01:00:00:00"
    settled = settle(Brief(frame_rate=project, picture_starts_at=text), Film("a", 60.0, film), ())
    ntsc = project.fps.denominator == 1001
    assert settled.picture_starts_at_s == pytest.approx(3599.9964 if project.drop else 3603.6 if ntsc else 3600.0)


def test_a_film_whose_pictures_average_no_standard_rate_has_a_standard_clock():
    film = Film("a.mp4", 60.0, FrameRate(Fraction(2483, 100)))
    assert str(film.clock.rate) == "25" and str(film.timecode_at(40.0)) == "00:00:40:00"
    assert settle(Brief(picture_starts_at="01:00:00:24"), film, ()).picture_starts_at_s == pytest.approx(3600.96)


def test_a_semicolon_makes_an_unstated_project_drop():
    film = Film("a.mp4", 60.0, FRAME_RATES["29.97"])
    assert settle(Brief(picture_starts_at="01:00:00;00"), film, ()).picture_starts_at_s == pytest.approx(3599.9964)
    assert project_rate(film, "01:00:00;00") == FRAME_RATES["29.97 DF"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--grid", "seconds", "--bpm", "97"),
        ("--grid", "seconds", "--tempo-map", "MAP"),
        ("--bpm", "97", "--tempo-map", "MAP"),
        ("--bpm", "4000"),
        ("--meter", "7"),
        ("--picture-starts-at", "x"),
        ("--picture-starts-at", "0|1"),
        ("--picture-starts-at", "5|1.5.2"),
        ("--picture-starts-at", "99:99:99:99", "--frame-rate", "25"),
        ("--picture-starts-at", "01:00:00:28", "--frame-rate", "25"),
        ("--picture-starts-at", "01:00:00;00", "--frame-rate", "25"),
        ("--picture-starts-at", "00:01:00;00", "--frame-rate", "29.97 DF"),
        ("--frame-rate", "17"),
        ("--tempo-map", "NONE"),
        ("--key", "H#"),
        ("--progression", "C Xm"),
        ("--cue", "1m1 5"),
    ],
    ids=" ".join,
)
def test_a_refusal_is_one_sentence_and_the_same_in_both_commands(flags, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    import mido

    mido.MidiFile().save(tmp_path / "map.mid")
    words = [{"MAP": str(tmp_path / "map.mid"), "NONE": str(tmp_path / "none.mid")}.get(flag, flag) for flag in flags]
    said = []
    for read in (
        lambda: plan_from(compose_parser().parse_args([str(film), *words])),
        lambda: parse([str(film), *words]),
    ):
        with pytest.raises(UserError) as caught:
            read()
        said.append(str(caught.value))
    assert said[0] == said[1] and "\n" not in said[0]


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--grid", "seconds", "--bpm", "120"),
        ("--grid", "seconds"),
        ("--picture-starts-at", "5|1.5", "--bpm", "90"),
        ("--picture-starts-at", "01:00:00:12", "--frame-rate", "24"),
        ("--picture-starts-at", "3.25", "--meter", "7/8"),
        ("--bpm", "97.5", "--meter", "6/8"),
        ("--picture-starts-at", "10:00:00:00"),
    ],
    ids=" ".join,
)
def test_both_commands_settle_alike(flags, tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    cuts = tuple(Cut(second) for second in (3.1, 9.7, 20.2))
    ours = settle(plan_from(compose_parser().parse_args([str(path), *flags])), FILM, cuts)
    theirs = settle(parse([str(path), *flags]).session.tempo, FILM, cuts)
    assert ours == theirs


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--key", "F"),
        ("--progression", "Am F C G"),
        ("--key", "Ab", "--progression", "Ab Db", "--mode", "exact"),
    ],
    ids=" ".join,
)
def test_a_cue_without_its_own_has_the_key_and_progression_of_the_flags_in_both_commands(flags, tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    cues = ("--cue", "1m1 0 20", "--cue", "1m2 20 40 key=G progression=D A", "--cue", "1m3 40 end bpm=96")
    words = [str(path), *cues, *flags]
    ours, _ = request_for(FILM, (), plan_from(compose_parser().parse_args(words)))
    theirs = compose_request(parse(words).session.document, 1, (), {})

    def asked(request):
        return [
            (cue.name, cue.key or request.key, cue.progression or request.progression, cue.in_s, cue.out_s)
            for cue in request.cues
        ]

    assert asked(ours) == asked(theirs) and len(ours.cues) == 3


def test_reasons_are_given():
    assert settle(Brief(bpm=97.5), FILM, ()).tempo_reason == "97.5 bpm: as asked"
    assert "seconds grid" in settle(Brief(grid="seconds"), FILM, ()).tempo_reason
    assert settle(Brief(key=Key(3)), FILM, ()).key_reason == "as asked"
    assert "hit" in settle(Brief(hits=(Hit(7.3),)), FILM, ()).tempo_reason


@pytest.mark.parametrize(
    "text",
    ["", "x", "-3", "nan", "1e5", "4|", "|4", "5|0", "01:00:00", "1:2:3:4:5", "360001", "99:99:99:99", "01:60:00:00"],
)
def test_what_is_no_start_is_refused_when_it_is_read(text):
    with pytest.raises(MusicError):
        PictureStart.parse(text)
    with pytest.raises(MusicError):
        Brief(picture_starts_at=text)


@pytest.mark.parametrize(
    "flags",
    [
        ("--key", "G", "--progression", "I V vi IV"),
        ("--key", "D dorian", "--progression", "i IV"),
        ("--progression", "I V"),
        ("--key", "G", "--cue", "1m1 0 20 progression=I V", "--cue", "1m2 20 end key=F progression=ii V I"),
    ],
    ids=" ".join,
)
def test_degrees_are_read_in_the_key_and_both_commands_say_how(flags, tmp_path, capsys):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    ours, _ = request_for(FILM, (), plan_from(compose_parser().parse_args([str(path), *flags])))
    said = capsys.readouterr().err.splitlines()
    live = parse([str(path), *flags])
    theirs = compose_request(live.session.document, 1, (), {})
    assert ours.progression == theirs.progression
    assert [cue.progression for cue in ours.cues] == [cue.progression for cue in theirs.cues]
    assert tuple(said) == live.read_as
