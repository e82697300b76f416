"""The flags of everything that runs as a batch."""

from __future__ import annotations

import argparse
from typing import Final

from engine.batch.pool import LOOPBACK, PoolOptions
from engine.batch.units import Limits
from engine.music.errors import UserError
from engine.music.extras import need_extra

_GIB: Final = 1 << 30
_MOST_GIB: Final = 1 << 20
_LONGEST_S: Final = 30 * 24 * 3600


def add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """--workers and its like."""
    group = parser.add_argument_group("how it is run")
    group.add_argument(
        "--workers", type=int, default=1, metavar="N", help="how many films at a time on this machine (1)"
    )
    group.add_argument("--scheduler", metavar="tcp://…", help="scheduler of a Dask cluster that sees the same folders")
    group.add_argument(
        "--cluster-host", default=LOOPBACK, metavar="ADDRESS", help="where our own scheduler listens (%(default)s)"
    )  # fmt: skip
    group.add_argument(
        "--limit-seconds", type=float, default=Limits().seconds, metavar="S", help="time limit for one film, in seconds"
    )
    group.add_argument("--limit-memory", type=float, default=0.0, metavar="GB", help="memory limit for one film (none)")
    group.add_argument("--retry", action="store_true", help="retry films that were set aside")


def pool_options(arguments: argparse.Namespace) -> PoolOptions:
    """PoolOptions from what `add_batch_arguments` parsed.  Raises UserError."""
    if not 0 < arguments.limit_seconds <= _LONGEST_S or not 0 <= arguments.limit_memory <= _MOST_GIB:
        raise UserError(f"--limit-seconds is above 0 and at most {_LONGEST_S}, --limit-memory 0 to {_MOST_GIB}.")
    if arguments.workers > 1 or arguments.scheduler is not None:
        need_extra("cluster", "More than one worker")
    limits = Limits(arguments.limit_seconds, int(arguments.limit_memory * _GIB))
    return PoolOptions(arguments.workers, arguments.scheduler, arguments.cluster_host, limits)
