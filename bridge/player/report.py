"""The player's word about itself, read off its parts."""

from __future__ import annotations

from bridge.player.messages import PlayerStatus
from bridge.player.ports import Output
from bridge.player.scheduler import Scheduler
from bridge.player.sync import Synchronizer


def describe(
    scheduler: Scheduler, synchronizer: Synchronizer, output: Output, now: float, tempo_revision: int
) -> PlayerStatus:
    """Everything but what only the performer knows: port_up, loop, peers, lateness, sentences.

    tempo_revision: of the tempo map in force, -1 before there is one.
    """
    motion, follower = scheduler.motion, synchronizer.follower
    # Between a command and the horizon from which it holds, the playhead is where it will start from.
    host_s = max(now, motion.host_s)
    position = motion.position_at(host_s)
    beats = scheduler.tempo.beats_at(position)
    measured = synchronizer.measured_bpm()
    return PlayerStatus(
        host_s=host_s,
        position_s=position,
        position_beats=beats,
        rate=motion.rate,
        state=("locked" if motion.audible else "stopped") if follower is None else follower.state,
        rolling=motion.audible,
        position_source="internal" if follower is None else follower.source,
        tempo_source=synchronizer.tempo_source() if tempo_revision >= 0 or measured else "none",
        tempo_bpm=scheduler.tempo.bpm_at(beats) if measured is None else measured,
        revision=scheduler.score.revision,
        tempo_revision=tempo_revision,
        sounding=tuple((port, channel + 1, pitch) for port, channel, pitch in scheduler.ledger.sounding),
        late=scheduler.counts.late,
        dropped=scheduler.counts.dropped,
        sent=scheduler.counts.sent,
        port=", ".join(output.names),
        port_api=output.api,
        port_reason=output.reason,
        port_up=True,
        priority="",
        muted=tuple(sorted(scheduler.muted)),
        held=tuple(sorted(scheduler.held)),
        recording=synchronizer.recording,
        sync_port=output.sync_port,
        control_port=output.control_port,
        source_rate=synchronizer.source_rate(),
        beat_phase=synchronizer.beat_phase(host_s) if motion.audible else None,
        clock_beats=synchronizer.clock_beats if motion.audible else None,
        stated_beats=synchronizer.stated_beats(host_s) if motion.audible else None,
        xruns=output.xruns,
    )
