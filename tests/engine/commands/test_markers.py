import json

import markerlab
import pytest

from engine.commands.compose import main as compose
from engine.commands.markers import main as markers
from engine.midifile import read_midi
from engine.music import UserError


@pytest.fixture
def edl(tmp_path):
    path = tmp_path / "reel.edl"
    rows = [("1m1", 0, 1, "Blue"), ("door!", 131, 1, "Blue"), ("Chase", 240, 120, "Blue"), ("1m1 Out", 600, 1, "Blue")]
    path.write_bytes(markerlab.resolve_edl("24", "01:00:00:00", rows))
    return path


def test_the_command_shows_and_takes_nothing(edl, capsys):
    assert markers([str(edl), "--rate", "24", "--start", "01:00:00:00"]) == 0
    out = capsys.readouterr().out
    assert "1 cue, 1 section, 1 hit" in out and "01:00:05:11" in out
    assert markers([str(edl), "--rate", "24", "--start", "01:00:00:00", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["markers"]
    assert [row["kind"] for row in rows] == ["cue", "hit", "section"] and rows[1]["picture_s"] == pytest.approx(
        131 / 24
    )
    with pytest.raises(UserError, match="--film, or say it with --rate"):
        markers([str(edl)])
    assert markers(["--show-rules"]) == 0 and "[[rule]]" in capsys.readouterr().out


def test_compose_takes_them(edl, clip, tmp_path, capsys, cache):
    output = tmp_path / "a.mid"
    words = [str(clip), "--markers", str(edl), "--markers-start", "01:00:00:00", "-o", str(output)]
    assert compose([*words, "--cache-dir", cache]) == 0
    assert "hit must" in capsys.readouterr().err
    texts = {marker.text for marker in read_midi(output).markers}
    assert {"1m1 In", "1m1 Out", "hit door"} <= texts


def test_what_goes_with_a_list_needs_one(clip, tmp_path):
    with pytest.raises(UserError, match="--markers FILE"):
        compose([str(clip), "--markers-rate", "25"])
    with pytest.raises(UserError, match="There is no file"):
        compose([str(clip), "--markers", str(tmp_path / "no.edl")])
