"""The exception tree.

    Exception
    └── UserError           one clear sentence for a person; commands print it and exit with code 2
        ├── MusicError      a chord, key, progression, meter or timecode that cannot be read
        ├── VideoError      a film that cannot be read           (engine.video)
        ├── ModelError      weights or training data             (models)
        ├── PortError       MIDI ports                           (bridge.player)
        └── ControlError    a refused control                    (bridge.osc)

Anything else that reaches a user is a bug.
"""

from __future__ import annotations


class UserError(Exception):
    """A fault that the person can act on.  `str(error)` is one sentence without a traceback."""


class MusicError(UserError, ValueError):
    """A chord, key, progression, meter, tempo or timecode that cannot be read; names the offending token."""
