"""The plugin in a host, and a whole `cuebridge live` that follows it: what the plugin plays is what is written."""

import re
import time

import pluginlab
import pytest
from livelab import Live, composed_notes, short_film
from pluginlab import PLUGIN, RATE, Host, Transport

from bridge.commands.doctor import check_plugins

FRAMES = 1024


@pytest.fixture
def built(tmp_path):
    if pluginlab.compiler() is None:
        pytest.skip(pluginlab.NO_COMPILER)
    return pluginlab.make(tmp_path / "plugin", "clap", "host")


def roll(host: Host, seconds: float) -> list[tuple[float, int, int]]:
    """(second, channel from 1, pitch) of all that is struck from 0 on, as fast as it goes."""
    before, first = len(host.heard), host.blocks
    for number in range(round(seconds * RATE / FRAMES)):
        host.block(FRAMES, Transport(number * FRAMES / RATE))
    host.block(FRAMES, Transport(0.0, rolling=False))
    host.answered()
    played = [h for h in host.heard[before:] if h.is_on]
    return [((h.block - first) * FRAMES / RATE + h.frame / RATE, (h.status & 15) + 1, h.data1) for h in played]


@pytest.mark.slow
def test_a_film_is_composed_sent_played_and_followed(tmp_path, built, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    film = short_film(home / "one.mp4", 8.0)
    link = home / "plugin-link"
    monkeypatch.setenv("CUEBRIDGE_PLUGIN_LINK", str(link))
    monkeypatch.chdir(home)
    host_environment = {"CUEBRIDGE_PLUGIN_LINK": str(link)}
    with (
        Live(film, home, "--midi-api", "none", "--sync", "auto", "--out", str(home / "written.mid")) as live,
        Host(built / "cuebridge.clap", built / "clap-host", environment=host_environment) as host,
    ):
        live.ready()
        host.answered()
        line = live.wait(lambda line: any("revision" in each for each in line.get("plugins", ())), "the plugin's plan")
        live.wait(lambda line: line.get("whole") and "not complete" not in line["plugins"][0], "the whole plan")
        assert "CLAP" in line["plugins"][0] and "clap-host" in line["plugins"][0]
        answer = live.send("/cue/plugins")
        assert answer.params[0] == 1 and "CLAP" in answer.params[1]
        live.wait(lambda line: any("ms away" in each for each in line.get("plugins", ())), "its round trip")
        _, instance = check_plugins(live.osc_port, running=True)
        (version,) = re.findall(r'CB_VERSION_TEXT "(.+)"', (PLUGIN / "src" / "instance.h").read_text())
        assert instance.name == "plugin in the DAW" and instance.found.startswith(
            f"CLAP {version} in clap-host: pad, arp"
        )
        (trip_ms,) = re.findall(r"revision \d+, ([\d.]+) ms away$", instance.found)
        assert 0 < float(trip_ms) < 1000
        time.sleep(0.5)
        played = roll(host, 9.0)
        # It rolls in real time: its place is the session's.
        began = time.perf_counter()
        for number in range(int(8 * RATE / FRAMES)):
            host.block(FRAMES, Transport(number * FRAMES / RATE))
            host.answered()
            time.sleep(max(0.0, began + (number + 1) * FRAMES / RATE - time.perf_counter()))
            status = live.last("status")
            if status["position_source"] == "plugin" and status["picture_s"] > 1.0:
                break
        assert status["position_source"] == "plugin" and status["picture_s"] > 1.0
        host.block(FRAMES, Transport(0.0, rolling=False))
        host.answered()
        assert live.send("/cue/plugin/take_over").params == [1]
        host.save()
        host.answered()
        assert live.quit() == 0
    written = sorted((channel, pitch, second) for second, pitch, _, channel in composed_notes(home / "written.mid"))
    mine = sorted((channel, pitch, second) for second, channel, pitch in played)
    assert len(written) >= 15 and [note[:2] for note in mine] == [note[:2] for note in written]
    for ours, theirs in zip(mine, written, strict=True):
        assert ours[2] == pytest.approx(theirs[2], abs=0.003)  # the file counts in ticks
    assert not link.exists()
    with Host(built / "cuebridge.clap", built / "clap-host") as alone:
        alone.load(host.saved[0])
        assert roll(alone, 9.0) == played


@pytest.mark.slow
def test_a_run_without_the_plugin_is_found_by_no_instance(tmp_path, built, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    link = home / "plugin-link"
    monkeypatch.setenv("CUEBRIDGE_PLUGIN_LINK", str(link))
    film = short_film(home / "one.mp4", 4.0)
    with (
        Live(film, home, "--midi-api", "none", "--no-plugin", "--out", str(home / "written.mid")) as live,
        Host(built / "cuebridge.clap", built / "clap-host", environment={"CUEBRIDGE_PLUGIN_LINK": str(link)}) as host,
    ):
        live.ready()
        host.wait(1.2)  # an instance looks for the file twice a second
        host.answered()
        assert not link.exists() and live.last("status")["plugins"] == []
        assert live.send("/cue/plugins").params == [0]
        refused = live.send("/cue/plugin/take_over")
        assert refused.address == "/cue/error" and "this run is not connected to the plugin" in str(refused.params)
        assert roll(host, 4.0) == []
        assert live.quit() == 0
