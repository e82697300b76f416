"""What a unit's child does as it starts.  Every command of the engine imports this, so it loads next to nothing."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Final

PARENT: Final = "CUEBRIDGE_PARENT"  # environment: the process without which a unit's child ends
MEMORY: Final = "CUEBRIDGE_MEMORY_BYTES"  # environment: the most address space, in bytes, that a unit's child may have
_LOOK_EVERY_S: Final = 1.0


def obey_unit_limits() -> None:
    """In a unit's child: ends with the process that started it, and keeps to the memory that it may have."""
    memory, parent = os.environ.pop(MEMORY, ""), os.environ.pop(PARENT, "")  # what it starts has another parent
    if memory:
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    if parent:
        threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)
