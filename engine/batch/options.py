"""The flags of everything that runs as a batch."""

from __future__ import annotations

import argparse

from engine.batch.pool import LOOPBACK, PoolOptions
from engine.batch.units import Limits
from engine.music.errors import UserError
from engine.music.extras import need_extra

_GIB = 1 << 30


def add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """--workers and its like."""
    group = parser.add_argument_group("how it is run")
    group.add_argument("--workers", type=int, default=1, metavar="N", help="films at a time on this machine (1)")
    group.add_argument("--scheduler", metavar="tcp://…", help="of a Dask cluster that sees the same folders")
    group.add_argument(
        "--cluster-host", default=LOOPBACK, metavar="ADDRESS", help="where our own scheduler listens (%(default)s)"
    )  # fmt: skip
    group.add_argument(
        "--limit-seconds", type=float, default=Limits().seconds, metavar="S", help="longest for one film"
    )
    group.add_argument("--limit-memory", type=float, default=0.0, metavar="GB", help="most memory for one film (any)")
    group.add_argument("--retry", action="store_true", help="try again what was set aside")


def pool_options(arguments: argparse.Namespace) -> PoolOptions:
    """PoolOptions from what `add_batch_arguments` parsed.  Raises UserError."""
    if not arguments.limit_seconds > 0 or not arguments.limit_memory >= 0:
        raise UserError("--limit-seconds is above 0, --limit-memory 0 or more.")
    if arguments.workers > 1 or arguments.scheduler is not None:
        need_extra("cluster", "More than one worker")
    limits = Limits(arguments.limit_seconds, int(arguments.limit_memory * _GIB))
    return PoolOptions(arguments.workers, arguments.scheduler, arguments.cluster_host, limits)
