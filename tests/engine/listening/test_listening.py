"""A study's order and names, answers on disk, the server's refusals, and what the analysis finds."""

import csv
import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from listeners import panel
from starlette.testclient import TestClient

from engine.commands.listening import main
from engine.listening.analysis import analyse, holm, to_csv, to_markdown
from engine.listening.answers import Answers, read_answers
from engine.listening.making import LOUDNESS_LUFS, PAPER, mux, read_condition
from engine.listening.server import HEADER, application
from engine.listening.study import CLIPS, QUESTIONS, Clip, ListeningError, Study, blind_name, trials, williams_square
from engine.music.bundled import bundled_clip
from engine.music.errors import UserError

pytest.importorskip("scipy")


def study(conditions: int = 3, films: int = 4, checks: int = 1) -> Study:
    names = tuple(["ours", "paper", "control", "own"][:conditions])
    clips = [Clip(blind_name(5, f"f{n}.mp4", name), f"f{n}.mp4", name) for n in range(films) for name in names]
    return Study("Test", 5, names, tuple(sorted(clips, key=lambda clip: clip.token)), checks)


@pytest.mark.parametrize("size", range(2, 8))
def test_the_square_is_balanced(size) -> None:
    square = williams_square(size)
    for column in square.T:
        assert set(Counter(column.tolist()).values()) == {len(square) // size}
    neighbours = Counter(pair for row in square.tolist() for pair in pairwise(row))
    assert len(neighbours) == size * (size - 1) and len(set(neighbours.values())) == 1


@pytest.mark.parametrize(("conditions", "films"), [(2, 1), (2, 5), (3, 4), (4, 3)])
def test_every_listener_hears_everything_in_a_counterbalanced_order(conditions, films) -> None:
    here = study(conditions, films)
    clip = {each.token: each for each in here.clips}
    places = Counter()
    rows = len(williams_square(conditions))
    for number in range(rows * 3):
        plan = trials(here, number)
        assert plan == trials(here, number)
        ordinary = [trial for trial in plan if not trial.demanded]
        assert len({trial.id for trial in plan}) == len(plan) == conditions * films + 1
        assert {trial.token for trial in ordinary} == set(clip)
        for block in range(conditions):
            assert len({clip[trial.token].film for trial in ordinary if trial.block == block}) == films
        if films > 1:
            assert all(clip[a.token].film != clip[b.token].film for a, b in pairwise(ordinary))
        for trial in ordinary:
            places[clip[trial.token].film, clip[trial.token].condition, trial.block] += 1
    assert len(set(places.values())) == 1  # each condition of each film equally often early and late


def test_names_say_nothing_and_hang_on_the_seed() -> None:
    names = {blind_name(seed, film, condition) for seed in (0, 1) for film in "ab" for condition in ("ours", "paper")}
    assert len(names) == 8 and all(len(name) == 20 for name in names)


def test_clicks_are_on_disk_and_a_cut_line_is_left_out(tmp_path) -> None:
    here = study()
    answers = Answers(here, tmp_path)
    one, two = answers.begin(), answers.begin()
    assert (one.number, two.number) == (0, 1)
    trial = answers.trials(one)[0].id
    answers.take(one, trial, "OMQ", 3, 100)
    answers.take(one, trial, "OMQ", 5, 200)
    answers.take(one, "", "headphones", 6, 50)
    (found, _) = read_answers(tmp_path)
    assert found.ratings == {(trial, "OMQ"): 5} and found.headphones == 6
    path = tmp_path / "answers" / f"{one.name}.jsonl"
    path.write_bytes(path.read_bytes() + b'{"trial": "cu')
    assert read_answers(tmp_path)[0].ratings == found.ratings
    after = Answers(here, tmp_path)
    assert after.begin().number == 2
    after.take(after.of(one.name), trial, "MVC", 2, 300)  # behind what was cut off
    assert read_answers(tmp_path)[0].ratings == {(trial, "OMQ"): 5, (trial, "MVC"): 2}
    for wrong in (
        ("nothing", "OMQ", 3, 1), (trial, "XXX", 3, 1), (trial, "OMQ", 8, 1), (trial, "OMQ", 0, 1),
        (trial, "OMQ", True, 1), (trial, "OMQ", 3.5, 1), (trial, "OMQ", 3, -1), ("", "headphones", 7, 1),
        ("", "finished", 2, 1), (None, None, None, None),
    ):  # fmt: skip
        with pytest.raises(ListeningError):
            answers.take(one, *wrong)
    path.write_bytes(b"rubbish\n")
    with pytest.raises(ListeningError):
        read_answers(tmp_path)


@pytest.mark.parametrize("left", [b"", b'{"num'])
def test_a_listener_whose_first_line_was_cut_off_is_left_out(tmp_path, left) -> None:
    answers = Answers(study(), tmp_path)
    one, two = answers.begin(), answers.begin()
    (tmp_path / "answers" / f"{one.name}.jsonl").write_bytes(left)
    assert [each.name for each in read_answers(tmp_path)] == [two.name]


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"seed": 1 << 80}, {"checks": 11}, {"conditions": ("ours",)}, {"clips": ()}]
)
def test_a_study_that_nobody_could_hear_is_refused(tmp_path, wrong) -> None:
    with pytest.raises(ListeningError):
        replace(study(), **wrong)
    study().save(tmp_path)
    file = tmp_path / "study.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **wrong}))
    with pytest.raises(ListeningError):
        Study.load(tmp_path)


def test_the_server_gives_blind_names_and_refuses_others(tmp_path) -> None:
    here = study()
    (tmp_path / CLIPS).mkdir()
    token = trials(here, 0)[0].token
    (tmp_path / CLIPS / f"{token}.mp4").write_bytes(b"0123456789")
    with TestClient(application(here, tmp_path), base_url="http://127.0.0.1") as client:
        assert client.post("/api/begin", json={}).status_code == 400  # another page cannot send the header
        client.headers[HEADER] = "1"
        state = client.post("/api/begin", json={}).json()
        text = json.dumps(state)
        assert not any(word in text for word in ("ours", "paper", "control"))
        part = client.get(state["trials"][0]["clip"], headers={"range": "bytes=2-4"})
        assert part.status_code == 206 and part.content == b"234"
        click = {"name": state["name"], "trial": state["trials"][0]["id"], "question": "HM", "value": 6, "at_ms": 10}
        assert client.post("/api/answer", json=click).json() == {"saved": True}
        back = client.post("/api/begin", json={"name": state["name"]}).json()
        assert back["ratings"] == {click["trial"]: {"HM": 6}} and back["trials"] == state["trials"]
        assert client.post("/api/answer", json={**click, "name": "0" * 16}).status_code == 400
        assert client.post("/api/answer", json={**click, "value": 9}).status_code == 400
        assert client.post("/api/answer", content=b"[]").status_code == 400
        assert client.post("/api/answer", content=b"x" * 5000).status_code == 400
        assert client.get("/clip/nothing.mp4").status_code == client.get("/../study.json").status_code == 404
        page = client.get("/")
        assert page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
        assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_known_difference_is_found_where_it_is() -> None:
    here = study()
    found = analyse(here, panel(here, 24, {"ours": 1.0}, seed=1))
    by_pair = {(each.question, each.first, each.second): each for each in found.differences}
    assert len(by_pair) == 15
    for question in QUESTIONS:
        assert by_pair[question, "ours", "paper"].significant and by_pair[question, "ours", "paper"].effect < -0.5
        assert by_pair[question, "ours", "paper"].low < -1.0 < by_pair[question, "ours", "paper"].high + 0.4
        assert not by_pair[question, "paper", "control"].significant
    assert "| ours |" in to_markdown(found, here)


def test_no_difference_is_found_where_there_is_none() -> None:
    here = study(conditions=2, films=3)
    false = sum(
        any(each.significant for each in analyse(here, panel(here, 20, {}, seed)).differences) for seed in range(60)
    )
    assert false <= 7  # 5 % of 60 is 3; more than 7 comes once in a hundred


def test_the_test_is_the_librarys_own_on_listeners_means() -> None:
    from scipy.stats import wilcoxon

    here = study(conditions=2, films=2, checks=0)
    people = panel(here, 12, {"ours": 0.4}, seed=3)
    clips = {clip.token: clip for clip in here.clips}
    means = []
    for person in people:
        given = {"ours": [], "paper": []}
        for trial in trials(here, person.number):
            given[clips[trial.token].condition].append(person.ratings[trial.id, "OMQ"])
        means.append([np.mean(given["ours"]), np.mean(given["paper"])])
    ours, paper = np.array(means).T
    (found,) = (each for each in analyse(here, people).differences if each.question == "OMQ")
    assert found.p == pytest.approx(wilcoxon(paper, ours, zero_method="pratt").pvalue)
    assert found.difference == pytest.approx((paper - ours).mean())


def test_careless_listeners_are_left_out_and_said() -> None:
    here = study()
    people = panel(here, 20, {"ours": 1.0}, seed=2, careless=5)
    people[9].headphones = 2
    found = analyse(here, people)
    assert set(found.excluded.values()) == {"attention check", "headphone check: 2 right"}
    assert len(found.excluded) >= 5 and found.listeners == 20 - len(found.excluded)
    assert analyse(here, people, keep_all=True).listeners == 20
    with pytest.raises(ListeningError, match="too few"):
        analyse(here, people[:8])


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_every_rating_is_exported() -> None:
    here = study()
    rows = list(csv.DictReader(to_csv(here, panel(here, 3, {}, 0)).splitlines()))
    assert len(rows) == 3 * 13 * 5 and {row["condition"] for row in rows} == set(here.conditions)


def test_the_papers_rendering_plays_in_every_second(tmp_path) -> None:
    """Its music has no form and no rests, whatever our own plan for the film would be."""
    import pretty_midi

    from engine.commands.compose import main as compose

    assert compose([str(bundled_clip()), "-o", str(tmp_path / "paper.mid"), *PAPER]) == 0
    (part,) = pretty_midi.PrettyMIDI(str(tmp_path / "paper.mid")).instruments
    length_s = int(max(note.start for note in part.notes))
    assert length_s >= 9
    assert {int(note.start + 1e-3) for note in part.notes} >= set(range(length_s))


def test_another_sound_is_as_long_as_the_picture_and_as_loud(tmp_path) -> None:
    from engine.sound.film_sound import FilmSound
    from engine.sound.loudness import LoudnessMeter
    from engine.video.film import probe

    mux(str(bundled_clip()), str(bundled_clip()), tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").duration_s == pytest.approx(probe(bundled_clip()).duration_s, abs=0.1)
    sound = FilmSound(tmp_path / "out.mp4")
    meter = LoudnessMeter()
    meter.add(sound.read(int(48000 * probe(bundled_clip()).duration_s)))
    sound.close()
    assert sound.present and abs(meter.integrated() - LOUDNESS_LUFS) < 0.5


def test_what_cannot_be_is_one_sentence(tmp_path) -> None:
    for words in (
        ["make", str(bundled_clip()), "--out", str(tmp_path / "s"), "--condition", "a="],
        ["make", str(bundled_clip()), "--out", str(tmp_path / "s"), "--condition", "a=", "--condition", "a=paper"],
        ["make", str(bundled_clip()), "--out", str(tmp_path / "s"), "--condition", "a=", "--condition", "b=other-film"],
        ["make", str(bundled_clip()), "--out", str(tmp_path / "s"), "--condition", "a=--loudness=3"],
        ["serve", str(tmp_path)], ["analyse", str(tmp_path)], ["export", str(tmp_path), "-o", str(tmp_path / "x.csv")],
    ):  # fmt: skip
        with pytest.raises(UserError):
            main(words)
    assert not list(tmp_path.iterdir())
    assert read_condition("paper=paper").words and read_condition("a=--key Am").words == ("--key", "Am")
