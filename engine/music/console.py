"""What every command does at its outer edge: errors in one sentence, exit codes, output that cannot be written.

Exit codes: that of the command; 2 for what the person can act on; 130 after Ctrl-C; 0 where the reader of our output
has gone (`| head`).
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Final, TextIO

from engine.music.ctrl_c import ctrl_c_now
from engine.music.errors import UserError, ended_by_ctrl_c

# Of our own files a command says itself what is wrong; these, without a file's name, are standard output's.
_WRITING_FAILED: Final = frozenset(
    {errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT if hasattr(errno, "EDQUOT") else 0}
)


def run_command(command: Callable[[], int]) -> int:
    """Runs a command and returns the exit code; no traceback reaches a person for what is theirs to act on."""
    prepare_output()
    try:
        ctrl_c_now()
        try:
            code = command()
        except SystemExit:  # after --help
            sys.stdout.flush()
            raise
        sys.stdout.flush()
        return code
    except UserError as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            sys.stderr.write("\n")
        return ended_by_ctrl_c()
    except BrokenPipeError:
        _to_nowhere(sys.stdout)
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in _WRITING_FAILED:
            raise
        _to_nowhere(sys.stdout)
        return _refused(f"standard output cannot be written: {error.strerror or error}.")


def prepare_output() -> None:
    """Lets any text be printed whatever the terminal's or pipe's encoding: what it has not becomes `?`.

    A stream that was closed before the start (`>&-`) swallows what is written to it.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  (lives as long as the process)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _refused(sentence: str) -> int:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"cuebridge: {sentence}\n")
    return 2


def _to_nowhere(stream: TextIO) -> None:
    """Sends what is still buffered to nowhere, so that ending does not fail over it again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
