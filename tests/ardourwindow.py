"""Ardour with its window, on a virtual screen and the private JACK server, moved by mouse and keyboard; for end-to-end
tests.

    with running(tmp_path, ArdourWindow, period=1024) as (ardour, server):
        ardour.open_script_manager(); …; ardour.picture(path)

There is no window manager: windows lie at the screen's corner, and keys go to the window under the pointer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from tests import ardourlab
from tests.ardourlab import LIBRARY, Ardour, ArdourError

# Which audio system was used last; it is then started unasked, where otherwise a dialog asks.
ENGINE = """  <Extra><AudioMIDISetup><EngineStates>
    <State backend="JACK" driver="" device="" input-device="" output-device="" sample-rate="{rate}"
      buffer-size="{period}" n-periods="0" input-latency="0" output-latency="0" lm-input="" lm-output="" active="1"
      use-buffered-io="0" midi-option="" lru="1"><MIDIDevices/></State>
  </EngineStates></AudioMIDISetup></Extra>
</Ardour>
"""
SCREEN = (1360, 800)
ACTIONS_TAB, HOOKS_TAB = (54, 24), (138, 24)  # places in the script manager
TOOLS = ("Xvfb", "xdotool", "import")


def why_not() -> str | None:
    reason = ardourlab.why_not()
    if reason is not None:
        return reason
    if not list(LIBRARY.glob("ardour-7*")):
        return "Ardour 7 is not installed"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"{' and '.join(missing)} not installed" if missing else None


class ArdourWindow(Ardour):
    """Session, config and OSC as of the headless one; `settings` is the folder of Ardour's settings."""

    def __init__(self, folder: Path, period: int = 1024, bpm: float = 120) -> None:
        super().__init__(folder, bpm)
        self.period = period
        self.settings = folder / "config" / "ardour7"
        self._screen: subprocess.Popen[bytes] | None = None
        self._display = ""

    def _prepare(self) -> None:
        super()._prepare()
        config = self.settings
        (config / "instant.xml").write_text("<instant><no-memory-warning/></instant>\n")
        text = (
            (config / "config")
            .read_text()
            .replace("<Config>", '<Config><Option name="try-autostart-engine" value="1"/>')
        )
        text = text.replace("</Ardour>", ENGINE.format(rate=ardourlab.RATE, period=self.period))
        (config / "config").write_text(text)

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "DISPLAY": self._display, "GTK_PATH": f"/etc/ardour7:{LIBRARY}"}

    def _program(self) -> list[str]:
        return [str(next(LIBRARY.glob("ardour-7*"))), "--no-splash"]

    def _start(self) -> None:
        self._open_screen()
        try:
            super()._start()
            self.window("film - Ardour", 30)
        except ArdourError as error:
            self.picture(self.folder / "failed.png")
            raise ArdourError(f"{error}; windows {self.windows()}") from error

    def _open_screen(self) -> None:
        reading, writing = os.pipe()
        command = [
            "Xvfb",
            "-displayfd",
            str(writing),
            "-screen",
            "0",
            f"{SCREEN[0]}x{SCREEN[1]}x24",
            "-nolisten",
            "tcp",
        ]
        self._screen = subprocess.Popen(
            command, pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(writing)
        with os.fdopen(reading) as number:
            self._display = f":{number.readline().strip()}"
        if self._display == ":":
            raise ArdourError("Xvfb did not start")

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        screen, self._screen = self._screen, None
        if screen is not None:
            screen.terminate()
            try:
                screen.wait(5)
            except subprocess.TimeoutExpired:
                screen.kill()
                screen.wait(5)

    # hand and eye -----------------------------------------------------------------------------------------------
    def _xdotool(self, *what: object) -> str:
        environment = {**os.environ, "DISPLAY": self._display}
        done = subprocess.run(
            ["xdotool", *map(str, what)], env=environment, capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout.strip()

    def window(self, name: str, timeout_s: float = 10.0) -> int:
        """The number of the window of that name, once it is there."""
        found: list[str] = []

        def there() -> bool:
            found[:] = self._xdotool("search", "--onlyvisible", "--name", f"^{name}$").split()
            return bool(found)

        if not self._until(there, timeout_s):
            raise ArdourError(f"no window {name!r} within {timeout_s} s; there are {self.windows()}")
        return int(found[0])

    def windows(self) -> list[str]:
        names = self._xdotool("search", "--onlyvisible", "--name", ".", "getwindowname", "%@")
        return [name for name in names.splitlines() if name]

    def gone(self, name: str, timeout_s: float = 10.0) -> bool:
        return self._until(lambda: name not in self.windows(), timeout_s)

    def click(self, window: int, x: int, y: int, times: int = 1) -> None:
        """At a place of a window; it has the keys afterwards."""
        self._xdotool("mousemove", "--window", window, x, y)
        time.sleep(0.15)
        self._xdotool("click", "--repeat", times, "--delay", 80, 1)
        time.sleep(0.35)

    def size(self, window: int) -> tuple[int, int]:
        said = dict(line.split("=") for line in self._xdotool("getwindowgeometry", "--shell", window).splitlines())
        return int(said["WIDTH"]), int(said["HEIGHT"])

    def key(self, *names: str) -> None:
        for name in names:
            self._xdotool("key", name)
            time.sleep(0.2)

    def type(self, text: str) -> None:
        self._xdotool("type", "--delay", 30, text)
        time.sleep(0.2)

    def picture(self, path: Path) -> None:
        environment = {**os.environ, "DISPLAY": self._display}
        subprocess.run(["import", "-window", "root", str(path)], env=environment, timeout=30, check=True)

    def open_script_manager(self) -> int:
        """Edit > Lua Scripts > Script Manager, by keys from the menu's end up."""
        self.click(self.window("film - Ardour"), 134, 12)
        self.key("Up", "Up", "Right", "Return")
        return self.window("Script Manager")

    def add_hook(self, manager: int) -> None:
        """Of the script manager: New Hook, the first in the list (CueBridge sorts before Ardour's own), its parameters
        as they are."""
        self.show_hooks(manager)
        self.click(manager, 98, self.size(manager)[1] - 23)
        for dialog in ("Add Lua Callback Hook", "Set Script Parameters"):
            self.press_last_button(dialog)

    def show_hooks(self, manager: int) -> None:
        self.click(manager, *HOOKS_TAB)

    def remove_hook(self, manager: int) -> None:
        self.show_hooks(manager)
        self.click(manager, 60, 68)
        self.click(manager, 268, self.size(manager)[1] - 23)

    def run_action(self, manager: int, name: str) -> None:
        """Puts the action of that name into the third slot and calls it."""
        self.click(manager, *ACTIONS_TAB)
        self.click(manager, 60, 108)
        buttons = self.size(manager)[1] - 23
        self.click(manager, 57, buttons)
        dialog = "Add Shortcut or Lua Script"
        self.click(self.window(dialog), 100, 24)
        self.key("Home", *["Down"] * (1 + self._actions().index(name)), "Return")
        self.press_last_button(dialog)
        self.click(manager, 60, 108)
        self.click(manager, 314, buttons)

    def _actions(self) -> list[str]:
        """As Ardour lists them, below "Shortcut"."""
        found = []
        for folder in (Path("/usr/share/ardour7/scripts"), self.settings / "scripts"):
            for path in folder.glob("[!_.]*.lua"):
                text = path.read_text(errors="replace")
                name = re.search(r'\bname\s*=\s*"([^"]+)"', text)
                if name and re.search(r'\[?"?type"?\]?\s*=\s*"EditorAction"', text):
                    found.append(name[1])
        return sorted(found, key=str.lower)

    def press_last_button(self, dialog: str) -> None:
        window = self.window(dialog)
        width, height = self.size(window)
        self.click(window, width - 59, height - 30)
        if not self.gone(dialog):
            raise ArdourError(f"the window {dialog!r} did not close")
