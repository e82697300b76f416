"""Runs REAPER's or Live's script with its stand-in host in whatever Python this is (3.7 and newer).

run_python.py reaper|live SCRIPT PORT STOPFILE ; plays from second 4 on once STOPFILE.play is there, stops at
STOPFILE.stop, ends at STOPFILE.  Prints what was printed into tracks as JSON.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from hosts.live_host import LiveHost, Track
from hosts.reaper_host import Reaper

kind, path, port, stop = sys.argv[1:5]
with open(path, encoding="utf-8") as file:
    code = compile(file.read().replace("9317", port), path, "exec")
names = {"__name__": "script"}
if kind == "reaper":
    host = Reaper()
    names = host.main()
    sys.modules["reaper_python"] = host.module()
    exec(code, names)
else:
    host = LiveHost()
    sys.modules["Live"] = host.module()
    exec(code, names)
    script = names["CueBridge"](host.c_instance())
    host.song.tracks = [Track(host, "Pad")]


def tick():
    if kind == "reaper":
        host.run_deferred(names)
    else:
        host.settle()
        script.update_display()
        assert not [line for line in host.logged if line.startswith("CueBridge:")], host.logged


def move(second, playing):
    if kind == "reaper":
        host.playing, host.position, host.cursor = playing, second, second
    else:
        host.song.current_song_time = second * 2
        if host.song.is_playing != playing:
            host.song.is_playing = playing


second = 0.0
while not os.path.exists(stop):
    playing = os.path.exists(stop + ".play") and not os.path.exists(stop + ".stop")
    if playing:
        second = max(second, 4.0) + 0.05
    if playing or os.path.exists(stop + ".stop"):
        move(second, playing)
    tick()
    time.sleep(0.05)
if kind == "reaper":
    for one in host.at_exit:
        exec(one, names)
    notes = [note for track in host.tracks for item in track["items"] for note in item["notes"]]
else:
    script.disconnect()
    notes = [note for track in host.song.tracks for clip in track.arrangement_clips for note in clip._notes]
sys.stdout.write(json.dumps({"notes": len(notes), "python": sys.version_info[:2]}) + "\n")
