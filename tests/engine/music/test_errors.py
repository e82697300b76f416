"""The exit code after Ctrl-C."""

import subprocess
import sys

from engine.music.errors import ENDED_BY_CTRL_C

# Ctrl-C cuts through text that is being executed, as it does where `dataclass` builds a class.
INTERRUPTED = """
import sys
from engine.music.errors import ended_by_ctrl_c
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    sys.exit(ended_by_ctrl_c())
"""


def test_an_interrupt_within_executed_text_still_ends_with_130(tmp_path):
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    ended = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, timeout=60)
    assert ended.returncode == ENDED_BY_CTRL_C
