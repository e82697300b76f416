"""Names become cues, sections and hits by rules that anybody can change."""

from fractions import Fraction

import pytest

from engine.brief import Brief
from engine.interchange.asked import AskedMarkers, with_markers
from engine.interchange.markers import Marker, MarkerList
from engine.interchange.rules import default_rules_text, load_rules, map_markers, parse_rules, table
from engine.music import Film, MusicError, UserError
from engine.music.cue_text import parse_cues
from engine.music.timecode import FRAME_RATES

FILM = Film("reel.mov", 180.0, FRAME_RATES["24"])


def mapped(*markers, rules=None):
    made = []
    for line, marker in enumerate(markers, start=1):
        name, at, *more = marker
        end, colour, kind = (*more, *(None, "", "")[len(more) :])
        inside = 0 <= at < 180
        made.append(Marker(line, name, Fraction(at), None if end is None else Fraction(end), colour, "", kind, inside))
    found = MarkerList("a.edl", tuple(sorted(made, key=lambda each: each.start_s)), FRAME_RATES["24"], "read.")
    return map_markers(found, FILM, rules)


def test_each_kind_of_name():
    found = mapped(
        ("1m1 Opening", 0), ("door!", 5), ("glance?", 6), ("bang", 7, None, "red"), ("step", 8), ("Chase", 10, 20),
        ("SC 12 kitchen", 12), ("1m1 Out", 30), ("cue: 1m2", 40), ("1m2 End", 50), ("hit must: slam", 51),
        ("section: activity=40 pattern=up", 52), ("VFX: remove wire", 53), ("2m1", 60, 70),
        ("chapter", 75, None, "", "chapter"), ("late", 500),
    )  # fmt: skip
    told = [(row.kind, row.weight, row.name, row.out_s) for row in found.rows]
    assert told == [
        ("cue", "", "1m1 Opening", 30.0), ("hit", "must", "door", None), ("hit", "nice", "glance", None),
        ("hit", "must", "bang", None), ("hit", "should", "step", None), ("section", "", "Chase", None),
        ("section", "", "SC 12 kitchen", None), ("cue", "", "1m2", 50.0), ("hit", "must", "slam", None),
        ("section", "", "", None), ("ignore", "", "VFX: remove wire", None), ("cue", "", "2m1", 70.0),
        ("section", "", "chapter", None), ("ignore", "", "late", None),
    ]  # fmt: skip
    assert found.sections[2].changes == (("activity", "40"), ("pattern", "up"))
    assert found.counts == "3 cues, 4 sections, 5 hits, 2 left out"


def test_the_words_of_the_daw_mean_the_same_here():
    from bridge.daw.names import read_name

    for name, kind in (
        ("cue: 1m1", "cue"),
        ("hit: door", "hit"),
        ("hit must: door", "hit"),
        ("section: key=Am", "section"),
    ):
        known, row = read_name(name, 1.0), mapped((name, 1)).rows[0]
        assert known is not None and known.kind == kind == row.kind
        assert known.value in (row.name, "; ".join(f"{a}={b}" for a, b in row.changes))


def test_what_becomes_nothing_says_why():
    found = mapped(
        ("1m1", 0), ("1m1", 10), ("3m3 out", 20), ("section: activity=loud", 30), ("section: nothing=1", 31), ("x", -5)
    )
    why = {row.marker.name: row.why for row in found.rows if row.kind == "ignore"}
    assert why["1m1"] == "there is a cue 1m1 already" and why["3m3 out"].startswith("there is no cue")
    assert "loud" in why["section: activity=loud"] and "nothing" in why["section: nothing=1"]
    assert why["x"] == "before the film"
    lines = table(found, FILM)
    assert sum("left out" in line for line in lines[1:]) == 5


def test_cues_never_overlap():
    found = mapped(("1m1", 0, 30), ("1m2", 20, 40), ("1m3", 20, 50))
    assert [(row.kind, row.out_s) for row in found.rows] == [("cue", 20.0), ("cue", 40.0), ("ignore", None)]
    with_markers(Brief(), found)


def test_single_rows_can_be_changed():
    found = mapped(("1m1", 0), ("door", 5), ("Chase", 10, 20), ("late", 999))
    other = found.changed("2=ignore, 3=must 1=section")
    assert [row.kind for row in other.rows] == ["section", "ignore", "hit", "ignore"]
    assert other.hits[0].weight == "must" and other.hits[0].name == "Chase"
    for text in ("9=hit", "1=song", "x=hit", "4=hit", "²=hit"):
        with pytest.raises(MusicError):
            found.changed(text)


def test_a_list_of_ones_own(tmp_path):
    rules = tmp_path / "mine.toml"
    rules.write_text('[[rule]]\nname = "boom.*"\nkind = "hit"\nweight = "must"\n[[rule]]\nkind = "ignore"\n')
    found = mapped(("boom 1", 1), ("1m1", 2), rules=load_rules(rules))
    assert [row.kind for row in found.rows] == ["hit", "ignore"]
    assert parse_rules(default_rules_text(), "x")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no"), ("rule = 3", "no"), ("[[rule]]\nkind = 'song'", "rule 1: kind"),
        ("[[rule]]\nkind = 'hit'\nname = '('", "rule 1: '\\(' is not a regular"),
        ("[[rule]]\nkind='hit'\nwait=1", "wait"),
        ("[[rule]]\nkind='hit'\nlasts='yes'", "lasts"), ("[[rule]]\nkind='hit'\nweight='huge'", "weight"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_read(text, why):
    with pytest.raises(UserError, match=why):
        parse_rules(text, "mine.toml")


def test_a_brief_takes_them():
    found = mapped(("1m1", 0, 20), ("door", 5), ("Chase", 10, 15), ("1m2", 30), ("Walk", 40, 50))
    brief = with_markers(Brief(), found)
    assert [cue.name for cue in brief.cues] == ["1m1", "1m2"] and [hit.time_s for hit in brief.hits] == [5.0]
    from engine.brief import request_for

    request, _ = request_for(FILM, (), brief)
    assert [[section.name for section in cue.sections] for cue in request.cues] == [["Chase"], ["Walk"]]
    assert request.cues[0].out_s == 20.0
    with pytest.raises(UserError, match="--cue and the markers"):
        with_markers(Brief(cues=parse_cues(["1m1 0 end"])), found)


def test_what_was_asked_is_read_at_once(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("In,Name\n00:00:01:00,door\n")
    assert len(AskedMarkers.read(str(file)).mapping(FILM).hits) == 1
    for words in ({"rate": "fast"}, {"rules": str(tmp_path / "no.toml")}):
        with pytest.raises(UserError):
            AskedMarkers.read(str(file), **words)
