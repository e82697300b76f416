"""A bridge that starts a player, makes it sound, prints its pid and waits to be killed.  argv[1]: MIDI system."""

from __future__ import annotations

import sys
import time

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from engine.music.meter import TempoMap
from engine.music.note import Note


def main() -> None:
    api = sys.argv[1] if len(sys.argv) > 1 else "none"
    with PlayerLink(PlayerOptions(ports=PortOptions(api=api))) as link:
        link.set_tempo_map(TempoMap.constant(120), 1)
        notes = [Note(48, 80, 0.0, 400.0, 1, "pad")]
        notes += [Note(60 + index % 12, 80, index * 0.25, 0.24, 2, "arp") for index in range(400)]
        link.load_plan(1, "beats", notes, [], 0.0)
        link.play()
        link.wait_for(lambda status: len(status.sounding) > 1, 10.0)
        sys.stdout.write(f"{link.pid}\n")
        sys.stdout.flush()
        time.sleep(60)


if __name__ == "__main__":
    main()
