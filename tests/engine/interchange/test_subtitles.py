"""Subtitles as people's programs write them, and as nobody does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.interchange.markers import MarkerError
from engine.interchange.subtitles import load_subtitles, read_subtitles, speech_setting
from engine.music import UserError

SRT = """1
00:00:01,000 --> 00:00:02,500
Where were you?

2
00:00:02,550 --> 00:00:04,000
<i>Out.</i>

3
00:00:05,000 --> 00:00:06,000
[door slams]

4
00:00:07,000 --> 00:00:09,000
♪ la la la ♪

5
01:00:00,250 --> 01:00:01,000
- (sighs) No.
"""
VTT = """WEBVTT

NOTE a comment

intro
00:01.000 --> 00:02.500 align:start position:10%
<v Anna>Where were you?

00:00:05.000 --> 00:00:06.000
- Out.
"""
TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="24"
 ttp:frameRateMultiplier="1000 1001"><body><div>
<p begin="00:00:01.500" end="00:00:02.500">Where <span>were</span> you?</p>
<p begin="00:00:05:12" dur="1.5s">Out.</p><p begin="10s" end="11s">[music]</p></div></body></tt>"""


def test_srt_leaves_sounds_and_songs_out():
    assert read_subtitles(SRT.encode(), "a.srt") == ((1.0, 4.0), (3600.25, 3601.0))
    assert read_subtitles(SRT.replace("\n", "\r\n").encode("utf-16"), "a.srt") == ((1.0, 4.0), (3600.25, 3601.0))
    assert read_subtitles(SRT.replace("Out", "Où").replace("♪ la la la ♪", "[la]").encode("cp1252"), "a.srt")[0] == (
        1.0,
        4.0,
    )


def test_vtt_and_ttml():
    assert read_subtitles(VTT.encode(), "a.vtt") == ((1.0, 2.5), (5.0, 6.0))
    first, second = read_subtitles(TTML.encode(), "a.ttml")
    assert first == (1.5, 2.5) and second == pytest.approx((5 + 12 * 1001 / 24000, 6.5 + 12 * 1001 / 24000))


def test_each_refused_line_is_named():
    with pytest.raises(MarkerError) as error:
        read_subtitles(SRT.replace("00:00:02,550 --> 00:00:04,000", "00:00:02,550 --> soon").encode(), "a.srt")
    assert error.value.lines == (6,)
    with pytest.raises(MarkerError, match="line 1: it ends before"):
        read_subtitles(b"00:00:05,000 --> 00:00:04,000\nx\n", "a.srt")
    with pytest.raises(MarkerError, match="no subtitles"):
        read_subtitles(b"hello", "a.srt")
    with pytest.raises(MarkerError, match="line 1: this paragraph"):
        read_subtitles(TTML.replace('begin="00:00:01.500"', "").encode(), "a.ttml")


def test_as_a_setting(tmp_path):
    (tmp_path / "a.srt").write_text(SRT)
    assert speech_setting(str(tmp_path / "a.srt")) == "1-4 3600.25-3601"
    assert speech_setting("1-2") == "1-2"
    with pytest.raises(MarkerError, match="no file"):
        load_subtitles(tmp_path / "b.srt")


@given(st.binary(max_size=200), st.sampled_from(["a.srt", "a.vtt", "a.ttml"]))
@examples(100)
def test_any_bytes(data, name):
    for whole in (data, SRT.encode()[:120] + data, TTML.encode()[:260] + data):
        try:
            found = read_subtitles(whole, name)
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert all(start < end for start, end in found)


@pytest.mark.parametrize("arrow", ["->", "- ->", "--", ">", "  ", "–>"])
def test_a_line_whose_arrow_is_damaged_is_named_and_not_passed_over(arrow):
    broken = SRT.replace("02,550 --> 00", f"02,550 {arrow} 00")
    with pytest.raises(MarkerError, match="line 6: two times without the arrow") as error:
        read_subtitles(broken.encode(), "a.srt")
    assert error.value.lines == (6,)
    spoken = SRT.replace("Where were you?", "At 00:10.5 or 00:12.5?")
    assert read_subtitles(spoken.encode(), "a.srt")[0] == (1.0, 4.0), "what somebody says is no time"


TT = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" {}>'
    "<body {}><div {}>{}</div></body></tt>"
)
NTSC = 'ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"'


@pytest.mark.parametrize(
    ("head", "body", "div", "paragraphs", "lines"),
    [
        ('ttp:tickRate="10000000"', "", "", '<p begin="10000000t" end="25000000t">x</p>', ((1.0, 2.5),)),
        ('ttp:frameRate="25"', "", "", '<p begin="50f" dur="25f">x</p>', ((2.0, 3.0),)),
        ("", 'begin="10s"', 'begin="5s"', '<p begin="1s" end="2s">x</p>', ((16.0, 17.0),)),
        ("", "", 'begin="1s" end="3s"', "<p>x</p>", ((1.0, 3.0),)),
        ("", "", "", '<p><span begin="1s" end="2s">x</span><br/><span begin="3s" dur="1s">y</span></p>',
         ((1.0, 2.0), (3.0, 4.0))),
        ("", "", "", '<p begin="10s" end="20s"><span begin="1s" end="2s">x</span></p>', ((11.0, 12.0),)),
        ("", "", "", '<p begin="1s" end="2s"><set>x</set></p><p/><p begin="3s" dur="1s">z</p>', ((3.0, 4.0),)),
        ("", "", 'timeContainer="seq"', '<p dur="2s">x</p><p begin="1s" dur="1s">y</p>', ((0.0, 2.0), (3.0, 4.0))),
        (NTSC, "", "", '<p begin="00:01:00:00" end="00:01:01:00">x</p>', ((60.06, 61.061),)),
        (NTSC + ' ttp:dropMode="dropNTSC"', "", "", '<p begin="00:01:00;02" end="00:01:01:02">x</p>', None),
        (NTSC + ' ttp:dropMode="dropNTSC"', "", "", '<p begin="00:01:00:02" end="00:01:01:02">x</p>',
         ((1800 * 1.001 / 30, 1830 * 1.001 / 30),)),
        ('ttp:frameRate="24"', "", "", '<p begin="00:00:01:24" end="00:00:03:00">x</p>', None),
    ],
)  # fmt: skip
def test_times_of_ttml(head, body, div, paragraphs, lines):
    """Ticks, frames, timecode; containers that begin later or play in turn; words in spans with times of their own."""
    data = TT.format(head, body, div, paragraphs).encode()
    if lines is None:
        with pytest.raises(MarkerError, match="line 1: this paragraph has no begin and end that can be read"):
            read_subtitles(data, "a.ttml")
        return
    found = read_subtitles(data, "a.ttml")
    assert [time for line in found for time in line] == pytest.approx([time for line in lines for time in line])


def test_an_arrow_in_what_is_said_or_noted_is_no_time():
    said = SRT.replace("Where were you?", "It goes --> there.")
    assert read_subtitles(said.encode(), "a.srt")[0] == (1.0, 4.0)
    noted = VTT.replace("NOTE a comment", "NOTE 00:20.000 --> 00:30.000 was cut").replace("- Out.", "&nbsp;")
    assert read_subtitles(noted.encode(), "a.vtt") == ((1.0, 2.5),)
