"""Ratings steer new takes: by the shipped networks, on the stored reading of the bundled clip."""

from __future__ import annotations

import pytest
from golden import stored
from livelab import CLIP

from bridge.session.steering import layer_values, rules, steered
from engine.document.compare import plan_of
from engine.music.take_draws import parse_draws


@pytest.fixture
def live(tmp_path):
    with stored.live(str(CLIP), "--form", "auto", folder=tmp_path, network=True) as stage:
        stage.folder = tmp_path
        yield stage


def do(stage, address, *arguments):
    answer = stage.osc(address, *arguments)
    stage.ready()
    return answer


def plans(stage):
    return {number: plan_of(take.document, 0) for number, take in stage.session.takes.of_cue(0).items()}


def with_takes(stage, count):
    """So many takes, composed beside the one that plays."""
    stage.osc("/cue/takes/add", count - len(stage.session.takes))
    stage.until(lambda: stage.osc("/cue/takes/coming") == (0,))
    return plans(stage)


def test_takes_are_composed_beside_the_one_that_plays(live) -> None:
    before, steps, slots = live.osc("/cue/take"), live.osc("/cue/edits"), live.session.document.result.slots
    made = with_takes(live, 4)
    assert sorted(made) == [1, 2, 3, 4] and all(plan is not None for plan in made.values())
    assert live.osc("/cue/take")[:3] == before[:3] and live.osc("/cue/edits") == steps
    assert live.session.document.result.slots is slots
    # What was composed aside is what would have been composed in front.
    aside = live.session.takes.get(0, 3).document
    do(live, "/cue/take/select", 3)
    assert live.session.document.result.slots == aside.result.slots
    assert live.osc("/cue/take/plan", 3)[1:] == live.osc("/cue/plan")


def test_an_edit_goes_before_the_takes_beside(live) -> None:
    live.osc("/cue/takes/add", 3)
    do(live, "/cue/adventurous", 6)
    live.until(lambda: live.osc("/cue/takes/coming") == (0,))
    assert len(live.session.takes) == 4
    live.osc("/cue/takes/add", 5)
    live.osc("/cue/takes/add", 0)
    live.ready()
    assert live.osc("/cue/takes/coming") == (0,) and len(live.session.takes) <= 5


def test_what_was_liked_is_kept_and_what_was_not_is_avoided(live) -> None:
    made = with_takes(live, 6)
    liked = max(made, key=lambda number: sum(made[number].ensemble != plan.ensemble for plan in made.values()))
    other = next(number for number in made if made[number].ensemble != made[liked].ensemble)
    before = live.osc("/cue/edits")[2]
    do(live, "/cue/take/rate", liked, 5)
    do(live, "/cue/take/rate", other, 1)
    assert live.osc("/cue/edits")[2] == before + 2
    document, table = live.session.document, live.session.takes.table
    players = next(rule for rule in rules(document, table) if rule.layer == "players")
    assert dict(players.takes) == {liked: 2} and players.kept_share == pytest.approx(2 / 3)
    assert made[other].ensemble in players.avoided and made[liked].ensemble not in players.avoided
    shown = live.osc("/cue/takes/steering")
    assert shown[4:7] == ("players", str(liked), 67.0) and made[other].ensemble in shown[7]
    drawn = [parse_draws(steered(document, table, number)) for number in range(7, 307)]
    share = sum("players" in draws.takes for draws in drawn) / len(drawn)
    assert 0.57 < share < 0.77
    new = with_takes(live, 12)
    for number in range(7, 13):
        draws = parse_draws(live.session.takes.get(0, number).document.text("/cue/take/draws"))
        for layer, take in draws.takes.items():
            assert take == liked
            if layer == "players":
                assert new[number].ensemble == made[liked].ensemble
            if layer == "form":
                assert new[number].form == made[liked].form
            if layer == "theme" and new[number].sections[0].variant == made[liked].sections[0].variant:
                assert new[number].theme == made[liked].theme
        if "players" not in draws.takes:
            assert new[number].ensemble != made[other].ensemble


def test_steering_is_undone_and_switched_off(live) -> None:
    with_takes(live, 2)
    do(live, "/cue/take/rate", 2, 5)
    assert live.osc("/cue/takes/rated") == (2, 5, "") and live.osc("/cue/takes/steering")
    do(live, "/cue/take/steer", False)
    assert live.osc("/cue/takes/steering") == ()
    do(live, "/cue/take/new")
    assert live.osc("/cue/take/draws")[0] == ""
    do(live, "/cue/undo")
    do(live, "/cue/undo")
    assert live.osc("/cue/takes/steering")[1] == "2"
    do(live, "/cue/undo")
    assert live.osc("/cue/takes/rated") == () and live.osc("/cue/takes/steering") == ()


def test_ratings_stay_with_another_take_and_in_the_file(live) -> None:
    with_takes(live, 2)
    do(live, "/cue/take/rate", 1, 4)
    do(live, "/cue/take/note", 2, "too bright")
    do(live, "/cue/take/select", 2)
    said = live.osc("/cue/takes/rated")
    assert said == (1, 4, "", 2, 0, "too bright")
    from bridge.session.file.autosave import saved_state
    from engine.document.file import SessionWriter, read_session, write_session

    path = live.folder / "rated.cuebridge.json"
    saved = saved_state(live.session, "0" * 64)
    assert saved is not None
    write_session(path, SessionWriter().encode(saved, path))
    back = read_session(path)
    assert back.steps[back.index].document.ratings == live.session.document.ratings


def test_less_of_that_has_nothing_of_the_take_that_plays(live) -> None:
    plan = plans(live)[1]
    assert live.osc("/cue/try", "/cue/take/less")[:2] == ("/cue/take/less", 2) and live.osc("/cue/take")[0] == 1
    number, _ = do(live, "/cue/take/less")
    assert number == 2
    other = plans(live)[2]
    same = [
        layer for layer in ("form", "players", "palettes", "keys")
        if layer_values(plan, layer) & layer_values(other, layer)
    ]  # fmt: skip
    assert len(same) <= 1
    do(live, "/cue/undo")
    assert live.osc("/cue/take")[0] == 1


@pytest.mark.parametrize("text", ["form", "form=x", "tempo=3", "players=0", "-=pop"])
def test_draws_that_nobody_can_read_are_refused(live, text) -> None:
    with pytest.raises(AssertionError):
        live.osc("/cue/take/draws", text)
    assert live.refused[-1][1] == "bad_value"
