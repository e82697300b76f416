"""The VST3 plugin on a track of a real Ardour, without JACK: it gets the music there, the project keeps it, and an
export plays it from the project when CueBridge is gone, faster than real time."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pluginlab
import pytest

from tests import ardourlab, pluginardour
from tests.ardourlab import Ardour
from tests.pluginardour import VST3_CLASS, Bridge, Vst3Ardour, score

pytestmark = pytest.mark.ardour
EXACT = 0.5 + pluginardour.RATE / 2**21  # what the project keeps stands on 2^-20 s
SUPERCLOCK = 508_032_000  # Ardour's ticks a second
LENGTH_S = 12
# The session is kept open until the file `.ready` is there.
WAIT = """for i = 1, 60 do
  local file = io.open ("{folder}.ready", "r")
  if file then file:close () break end
  sleep (1)
end
s:save_state ("")"""


def prepare(daw: Vst3Ardour) -> dict[str, str]:
    """The plugin where Ardour looks, scanned as it does it, and the script; the environment."""
    folder, environment = daw.folder, daw._environment()
    daw.scan()
    config = folder / "config" / "ardour7"
    config.mkdir(parents=True)
    (config / ".a7").touch()
    (config / "config").write_text(ardourlab.CONFIG.format(port=0))
    script = daw.SCRIPT.replace('s:save_state ("")', WAIT)
    (folder / "make.lua").write_text(script.format(folder=daw.session, tempo=ardourlab.lua_of(daw.tempo_map)))
    return environment


def make_session(daw: Ardour, bridge: Bridge, environment: dict[str, str]) -> None:
    """In Ardour's own interpreter, with the music that came meanwhile."""
    ours = {key: environment[key] for key in ("LV2_PATH", "CUEBRIDGE_PLUGIN_LINK", "XDG_CONFIG_HOME", "HOME")}
    command = ["ardour7-lua", str(daw.folder / "make.lua")]
    with (daw.folder / "lua.log").open("wb") as log:
        program = subprocess.Popen(
            command, env={**os.environ, **ours}, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            bridge.until(bridge.plays, "the plan", 40.0)
            (summary,) = bridge.link.summaries
            assert (summary.face, summary.host) == ("VST3", "Ardour")
        finally:
            Path(f"{daw.session}.ready").touch()
            program.wait(90)
    state = daw.session / "film.ardour"
    end = LENGTH_S * SUPERCLOCK
    span = (
        f'<Locations><Location id="90001" name="session" start="a0" end="a{end}" flags="IsSessionRange"/></Locations>'
    )
    text, count = re.subn(r"<Locations\s*/>", span, state.read_text())
    assert count == 1 and f'unique-id="{VST3_CLASS}"' in text
    state.write_text(text)


def test_an_export_without_cuebridge_has_every_note_on_its_sample(tmp_path) -> None:
    if (why := pluginardour.why_not()) is not None:
        pytest.skip(why)
    link = tmp_path / "plugin-link"
    daw = Vst3Ardour(tmp_path, pluginlab.make(tmp_path / "bundles", "impulse"), link)
    daw.extra = {**daw.extra, "CUEBRIDGE_PLUGIN_LINK": str(link)}
    environment = prepare(daw)
    with Bridge(link) as bridge:
        make_session(daw, bridge, environment)
    assert not link.exists()
    found = pluginardour.impulses(pluginardour.export(daw.session, tmp_path / "exported.wav", environment))
    wanted = sorted(pluginardour.expected(score()).items())
    assert len(found) == len(wanted) == 150
    for impulse, (frame, level) in zip(found, wanted, strict=True):
        assert abs(impulse.frame - frame) <= EXACT and impulse.level == pytest.approx(level, abs=0.1)
