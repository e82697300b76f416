# ruff: noqa: F403, F405, F821
"""CueBridge for REAPER: tells the bridge where the transport is, and does what the bridge asks for.

Runs in the background (deferred, about 30 times a second) until REAPER ends or the script is run again and stopped.
Standard library only, Python 3.7 or newer, no threads.  Nothing is sent but a greeting every two seconds while the
bridge is away.

At load it tries what it needs of REAPER and tells the bridge what works (`/daw/capabilities`).  What fails later is
caught call by call, reported in the same list and, the first time of each kind, in REAPER's console: nothing ends the
script but REAPER.  RPR_defer and RPR_atexit are names of this script itself, reaper_python does not have them.
"""

import ctypes
import json
import math
import os
import platform
import socket
import struct
import time

from reaper_python import *

VERSION = "2"
PROTOCOL = 1
BRIDGE = ("127.0.0.1", 9317)
HELLO_EVERY_S = 2.0
QUIET_AFTER_S = 5.0
REPEAT_AFTER_S = 1.0
LOOK_S = 0.25  # at markers, tempo and items: at most so often when REAPER counts a change (dragging counts many)
LOOK_ANYWAY_S = 5.0  # and so often even if it counted none
ITEMS_A_TICK = 50  # in the search for the film: REAPER draws and edits on the same thread
SECTION = "CueBridge"  # of the project's own store and of the messages from the small scripts beside this one
MAX_ITEMS = 4096
BYTES_A_TICK = 50000  # of lists
HERE = 0  # REAPER's name for the present project
REFUSED, WORKS, NOT_TRIED = 0, 1, 2
PLAY_WITHIN_S = 10.0  # from the action to the print file that it asked for
MAX_TEXT = 1000
BY_TIME = 0  # C_BEATATTACHMODE of an item that stays where it is in seconds

# What each ability needs.  "do_…" changes the project, so these calls are looked up at load but not made.
NEEDS = (
    ("transport", "GetPlayStateEx GetPlayPositionEx GetCursorPositionEx TimeMap2_timeToQN TimeMap_GetTimeSigAtTime"),
    ("loop", "GetSetRepeatEx GetSet_LoopTimeRange2"),
    ("timecode", "TimeMap_curFrameRate GetProjectTimeOffset"),
    ("tempomap", "CountTempoTimeSigMarkers GetTempoTimeSigMarker"),
    ("markers", "CountProjectMarkers EnumProjectMarkers3"),
    ("regions", "CountProjectMarkers EnumProjectMarkers3"),
    ("film", "CountMediaItems GetMediaItem GetActiveTake GetMediaItemTake_Source GetMediaSourceType "
             "GetMediaSourceFileName GetMediaItemInfo_Value GetMediaItemTakeInfo_Value"),
    ("changes", "GetProjectStateChangeCount EnumProjects"),
    ("session", "GetProjExtState"),
    ("do_session", "SetProjExtState MarkProjectDirty"),
    ("do_marker", "AddProjectMarker2 DeleteProjectMarker ColorToNative"),
    ("do_tempo", "SetTempoTimeSigMarker DeleteTempoTimeSigMarker TimeMap2_QNToTime"),
    ("film_stays", "SetMediaItemInfo_Value"),
    ("do_print", "CountTracks GetTrack InsertTrackAtIndex GetSetMediaTrackInfo_String CreateNewMIDIItemInProj "
                 "GetSetMediaItemTakeInfo_String MIDI_GetPPQPosFromProjQN MIDI_InsertNote MIDI_Sort "
                 "CountTrackMediaItems GetTrackMediaItem DeleteTrackMediaItem"),
    ("print_controllers", "MIDI_InsertCC"),
    ("do_play", "GetResourcePath AddRemoveReaScript Main_OnCommand"),
    ("undo", "Undo_BeginBlock2 Undo_EndBlock2"),
    ("actions", "SetExtState GetExtState DeleteExtState"),
)  # fmt: skip
OFFERED = "transport tempomap loop timecode markers regions film session do_marker do_tempo do_print do_session"


def encode(address, tags, values):
    """One OSC message."""

    def text(value):
        # The bridge takes 1,024 characters; a zero would end the text, and half a character is none.
        raw = value[:MAX_TEXT].replace("\0", " ").encode("utf-8", "replace") + b"\0"
        return raw + b"\0" * (-len(raw) % 4)

    parts = [text(address), text("," + tags)]
    for tag, value in zip(tags, values):
        if tag == "s":
            parts.append(text(value))
        else:
            parts.append(struct.pack({"i": ">i", "d": ">d"}[tag], value))
    return b"".join(parts)


def decode(data):
    """(address, values) of one OSC message; raises ValueError or struct.error for anything else."""

    def text(at):
        end = data.index(b"\0", at)
        return data[at:end].decode("utf-8"), at + (end - at) // 4 * 4 + 4

    address, at = text(0)
    tags, at = text(at) if at < len(data) else (",", at)
    values = []
    for tag in tags[1:]:
        if tag == "s":
            value, at = text(at)
        else:
            form = {"i": ">i", "f": ">f", "d": ">d", "h": ">q"}[tag]
            value = struct.unpack_from(form, data, at)[0]
            at += struct.calcsize(form)
        values.append(value)
    return address, values


def read_job(path):
    """(job name, start, end in beats, parts) of a print file; raises ValueError for what is not one."""
    if not os.path.isfile(path):  # opening what is no file may wait for ever
        raise ValueError("there is no print file of that name")
    with open(path, encoding="utf-8") as file:
        rows = [line.split("\t") for line in file.read().splitlines()]
    if not rows or rows[0] != ["cuebridge-print", "1"] or rows[-1] != ["end", str(len(rows) - 1)]:
        raise ValueError("this is no whole print file of this version")
    head, parts = rows[1], []
    for row in rows[2:-1]:
        if row[0] == "part":
            parts.append({"part": row[1], "name": row[2], "notes": [], "controls": []})
        elif row[0] == "note":
            parts[-1]["notes"].append((float(row[1]), float(row[2]), int(row[3]), int(row[4]), int(row[5])))
        elif row[0] == "control":
            parts[-1]["controls"].append((float(row[1]), int(row[2]), int(row[3]), int(row[4])))
    return head[1], float(head[4]), float(head[5]), parts


def blamed(error):
    """The call of REAPER's that an exception came from; "" where it was none."""
    if isinstance(error, NameError):  # the wrapper of this REAPER does not know it
        words = [word.strip("'\"") for word in str(error).split()]
        return next((word[4:] for word in words if word.startswith("RPR_")), "")
    found, frame = "", error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_name
        found = name[4:] if name.startswith("RPR_") else found
        frame = frame.tb_next
    return found


def reason(error):
    """Why, in a few words; KeyError is what the wrapper raises for a function that this REAPER has not."""
    if isinstance(error, (KeyError, NameError)):
        return "this REAPER does not have it"
    return ("%s: %s" % (type(error).__name__, error))[:200]


class Capabilities:
    """What of REAPER works: {(feature, call): (works, why)}, and one line in the console for each kind of error."""

    def __init__(self):
        self.rows = {}
        self.logged = set()
        self.broken = {}  # feature -> calls of it that failed since the last time it worked

    def set(self, feature, call, works, why=""):
        self.rows[feature, call] = (works, why)

    def failed(self, feature, error):
        """Notes an exception; the console hears of each kind once."""
        call = blamed(error) or feature
        # A request may fail for what is in this project: only what this REAPER has not is not asked for again.
        absent = isinstance(error, (KeyError, NameError))
        lasting = absent or not feature.startswith("do_")
        self.set(feature, call, REFUSED if lasting else NOT_TRIED, ("" if lasting else "failed: ") + reason(error))
        if not absent:
            self.broken.setdefault(feature, set()).add(call)
        kind = (call, type(error).__name__)
        if kind in self.logged:
            return
        self.logged.add(kind)
        try:
            RPR_ShowConsoleMsg("CueBridge: %s: %s\n" % (call, reason(error)))
        except Exception:
            pass  # without a console there is still the list

    def guard(self, feature, do, *args):
        """What it answers; None where it raised, which is noted, until it works again."""
        try:
            answer = do(*args)
        except Exception as error:
            self.failed(feature, error)
            return None
        if feature in self.broken and feature != "film":  # between two searches for the film nothing is tried
            self.mend(feature)
        return answer

    def mend(self, feature):
        for call in self.broken.pop(feature, ()):
            self.set(feature, call, WORKS)

    def look_up(self):
        """Whether REAPER has each function; none is called."""
        for feature, calls in NEEDS:
            for call in calls.split():
                try:
                    there = bool(rpr_getfp(call)) and ("RPR_" + call) in globals()
                except Exception:
                    there = False
                self.set(feature, call, WORKS if there else REFUSED, "" if there else "this REAPER does not have it")

    def works(self, feature):
        return all(row[0] != REFUSED for (one, _), row in self.rows.items() if one == feature)

    def items(self):
        return [(feature, call, works, why) for (feature, call), (works, why) in sorted(self.rows.items())]


capabilities = Capabilities()


class Project:
    """What the present project says."""

    def __init__(self):
        self._enumerate = None
        self._search = None  # the search for the film: an index, while it is under way
        self._film = None

    def identity(self):
        """Its pointer and its file: two projects that were never saved have the same empty name."""
        found = RPR_EnumProjects(-1, "", 4096)
        return found[0], found[2]

    def repeats(self):
        return capabilities.guard("loop", RPR_GetSetRepeatEx, HERE, -1) == 1

    def transport(self):
        """(looked at, second, beat, bpm, numerator, denominator, flags).

        While playing: what is heard (latency-compensated), as a picture is watched.
        """
        state = int(RPR_GetPlayStateEx(HERE))
        moving = state & 1 and not state & 2
        looked = time.perf_counter()
        second = RPR_GetPlayPositionEx(HERE) if state & 7 else RPR_GetCursorPositionEx(HERE)
        beat = RPR_TimeMap2_timeToQN(HERE, second)
        _, _, numerator, denominator, bpm = RPR_TimeMap_GetTimeSigAtTime(HERE, second, 0, 0, 0.0)
        flags = (1 if moving or state & 4 else 0) | (2 if state & 4 else 0) | (4 if state & 2 else 0)
        if self.repeats():
            flags |= 8
        return looked, second, beat, bpm, int(numerator) or 4, int(denominator) or 4, flags

    def loop(self):
        """(on, start, end): the time selection, which is what the composer prints and loops."""
        found = RPR_GetSet_LoopTimeRange2(HERE, False, False, 0.0, 0.0, False)
        return int(self.repeats()), found[3], max(found[3], found[4])

    def timecode(self):
        """(fps, drop, timecode of second 0)."""
        found = RPR_TimeMap_curFrameRate(HERE, False)
        fps, drop = found[0], int(found[2])
        nominal = max(1, math.ceil(fps - 0.001))
        frames = int(round(RPR_GetProjectTimeOffset(HERE, False) * fps))
        if drop:
            skipped = nominal // 15
            tens, rest = divmod(frames, nominal * 600 - 9 * skipped)
            frames += skipped * 9 * tens
            if rest >= nominal * 60:
                frames += skipped * (1 + (rest - nominal * 60) // (nominal * 60 - skipped))
        seconds, frame = divmod(max(0, frames), nominal)
        mark = ";" if drop else ":"
        label = "%02d:%02d:%02d%s%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60, mark, frame)
        return fps, drop, label

    def tempo_map(self):
        """[(beat, second, bpm, numerator, denominator, ramp)]."""
        points = []
        _, _, numerator, denominator, bpm = RPR_TimeMap_GetTimeSigAtTime(HERE, 0.0, 0, 0, 0.0)
        for index in range(min(RPR_CountTempoTimeSigMarkers(HERE), MAX_ITEMS)):
            found = RPR_GetTempoTimeSigMarker(HERE, index, 0.0, 0, 0.0, 0.0, 0, 0, False)
            second, marker_bpm, upper, lower, ramp = found[3], found[6], found[7], found[8], found[9]
            if upper > 0 and lower > 0:
                numerator, denominator = upper, lower
            if not points and second > 0:
                points.append((0.0, 0.0, bpm, int(numerator), int(denominator), 0))
            beat = RPR_TimeMap2_timeToQN(HERE, second)
            points.append((beat, second, marker_bpm, int(numerator), int(denominator), int(bool(ramp))))
        return points or [(0.0, 0.0, bpm, int(numerator) or 4, int(denominator) or 4, 0)]

    def _name(self, index):
        """A marker's name.  The wrapper cannot give it back (`const char**`), so the C function is called directly."""
        if self._enumerate is None:
            double, integer = ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_int)
            kind = ctypes.CFUNCTYPE(
                ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_bool), double, double,
                ctypes.POINTER(ctypes.c_char_p), integer, integer,
            )  # fmt: skip
            self._enumerate = kind(rpr_getfp("EnumProjectMarkers3"))
        region, position, end = ctypes.c_bool(), ctypes.c_double(), ctypes.c_double()
        name, number, color = ctypes.c_char_p(), ctypes.c_int(), ctypes.c_int()
        out = [ctypes.byref(one) for one in (region, position, end, name, number, color)]
        if not self._enumerate(None, index, *out) or not name.value:
            return ""
        return name.value.decode("utf-8", "replace")

    def marks(self):
        """([(number, second, name)], [(number, start, end, name)]): the composer's, not ours."""
        ours = set(our_markers().values())
        markers, regions = [], []
        for index in range(min(RPR_CountProjectMarkers(HERE, 0, 0)[0], MAX_ITEMS)):
            found = RPR_EnumProjectMarkers3(HERE, index, False, 0.0, 0.0, "", 0, 0)
            region, start, end, number = found[3], found[4], found[5], int(found[7])
            if region:
                regions.append((number, start, max(start, end), capabilities.guard("names", self._name, index) or ""))
            elif number not in ours:
                markers.append((number, start, capabilities.guard("names", self._name, index) or ""))
        return markers, regions

    @staticmethod
    def _video(item):
        """The take of a video item; None for any other."""
        take = RPR_GetActiveTake(item)
        if not take or take.endswith("0x0000000000000000"):
            return None
        kind = RPR_GetMediaSourceType(RPR_GetMediaItemTake_Source(take), "", 64)[1]
        return take if kind == "VIDEO" else None

    def videos(self):
        """Every video item."""
        items = [RPR_GetMediaItem(HERE, index) for index in range(min(RPR_CountMediaItems(HERE), MAX_ITEMS))]
        return [item for item in items if self._video(item) is not None]

    def look_for_film(self):
        """Begins to look for the film again; one search at a time."""
        self._search = 0

    def film(self):
        """(path, second, trimmed off its head, length, speed) of the first video item, or None.  A search goes on by
        some items at each call: a project with thousands of them must not be held up."""
        if self._search is not None:
            first, count = self._search, min(RPR_CountMediaItems(HERE), MAX_ITEMS)
            self._search = None  # for whatever raises on the way
            for index in range(first, min(first + ITEMS_A_TICK, count)):
                item = RPR_GetMediaItem(HERE, index)
                take = self._video(item)
                if take is not None:
                    path = RPR_GetMediaSourceFileName(RPR_GetMediaItemTake_Source(take), "", 4096)[1]
                    position, length = (RPR_GetMediaItemInfo_Value(item, name) for name in ("D_POSITION", "D_LENGTH"))
                    trim, rate = (RPR_GetMediaItemTakeInfo_Value(take, name) for name in ("D_STARTOFFS", "D_PLAYRATE"))
                    self._film = (path, position, trim, length, rate)
                    capabilities.mend("film")  # a name that could not be read is gone
                    return self._film
            if first + ITEMS_A_TICK < count:
                self._search = first + ITEMS_A_TICK
            else:
                self._film = None
        return self._film


def stored(key):
    """What this project remembers under a key; "" for nothing."""
    return RPR_GetProjExtState(HERE, SECTION, key, "", 65536)[4]


def store(key, value):
    RPR_SetProjExtState(HERE, SECTION, key, value)
    capabilities.guard("do_session", RPR_MarkProjectDirty, HERE)


remembered = {}  # our markers, where this REAPER keeps nothing in a project


def our_markers():
    """{our number: REAPER's number} of the markers we set, kept in the project."""
    text = capabilities.guard("session", stored, "markers")
    if text is None:
        return dict(remembered)
    try:
        return {int(key): int(value) for key, value in json.loads(text or "{}").items()}
    except (ValueError, AttributeError):
        return {}


def remember_markers(ours):
    remembered.clear()
    remembered.update(ours)
    capabilities.guard("do_session", store, "markers", json.dumps(ours))


class Undo:
    """One undo step around what is done inside; without it where this REAPER has none."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        capabilities.guard("undo", RPR_Undo_BeginBlock2, HERE)

    def __exit__(self, *what):
        capabilities.guard("undo", RPR_Undo_EndBlock2, HERE, self.name, -1)


def do_marker(number, second, name, rgb):
    ours = our_markers()
    color = RPR_ColorToNative(rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255) | 0x1000000
    wanted = ours.get(number, -1)
    if wanted >= 0:
        RPR_DeleteProjectMarker(HERE, wanted, False)
    ours[number] = int(RPR_AddProjectMarker2(HERE, False, second, 0.0, name, wanted, color))
    remember_markers(ours)
    return ""


def do_unmark(number):
    ours = our_markers()
    for key in list(ours) if number < 0 else [number]:
        if key in ours:
            RPR_DeleteProjectMarker(HERE, ours.pop(key), False)
    remember_markers(ours)
    return ""


def do_tempo(*values):
    """The map from the first step on.

    The film stays where it is in seconds: with the project's usual timebase it would be stretched.  An unchanged time
    signature is passed as 0/0: repeated inside a bar it would begin a new bar.
    """
    steps = [values[at : at + 4] for at in range(0, len(values) - 3, 4)]
    if not steps:
        raise ValueError("a tempo map without a tempo")
    second = RPR_TimeMap2_QNToTime(HERE, steps[0][0])
    with Undo("CueBridge: tempo map"):
        for item in capabilities.guard("film_stays", cuebridge_script.project.videos) or ():
            capabilities.guard("film_stays", RPR_SetMediaItemInfo_Value, item, "C_BEATATTACHMODE", BY_TIME)
        for index in reversed(range(RPR_CountTempoTimeSigMarkers(HERE))):
            found = RPR_GetTempoTimeSigMarker(HERE, index, 0.0, 0, 0.0, 0.0, 0, 0, False)
            if found[3] >= second - 1e-9:
                RPR_DeleteTempoTimeSigMarker(HERE, index)
        _, _, upper, lower, _ = RPR_TimeMap_GetTimeSigAtTime(HERE, second, 0, 0, 0.0)
        meter = (int(upper), int(lower))
        for index, (beat, bpm, numerator, denominator) in enumerate(steps):
            if index:
                second += (beat - steps[index - 1][0]) * 60.0 / steps[index - 1][1]
            same = (int(numerator), int(denominator)) == meter
            meter = (int(numerator), int(denominator))
            RPR_SetTempoTimeSigMarker(HERE, -1, second, -1, -1, bpm, *((0, 0) if same else meter), False)
    RPR_UpdateTimeline()
    return ""


def track_of(part):
    """The track named after a part, made at the end where there is none."""
    for index in range(RPR_CountTracks(HERE)):
        track = RPR_GetTrack(HERE, index)
        name = RPR_GetSetMediaTrackInfo_String(track, "P_NAME", "", False)[3].strip().lower()
        if name in (part, "cuebridge " + part):
            return track
    last = RPR_CountTracks(HERE)
    RPR_InsertTrackAtIndex(last, True)
    track = RPR_GetTrack(HERE, last)
    RPR_GetSetMediaTrackInfo_String(track, "P_NAME", part, True)
    return track


def take_out_earlier(track, start, end):
    """An item that we printed over the same range before is replaced, not doubled."""
    for index in reversed(range(RPR_CountTrackMediaItems(track))):
        item = RPR_GetTrackMediaItem(track, index)
        take = RPR_GetActiveTake(item)
        if not take or take.endswith("0x0000000000000000"):
            continue
        if RPR_GetSetMediaItemTakeInfo_String(take, "P_EXT:cuebridge", "", False)[3] != "print":
            continue
        position, length = (RPR_GetMediaItemInfo_Value(item, name) for name in ("D_POSITION", "D_LENGTH"))
        if abs(position - start) < 0.001 and abs(position + length - end) < 0.001:
            RPR_DeleteTrackMediaItem(track, item)


def print_part(part, start, end):
    """One item with the notes of a part; (notes, controller values that could not be written)."""
    track = track_of(part["part"])
    take_out_earlier(track, *(RPR_TimeMap2_QNToTime(HERE, beat) for beat in (start, end)))
    item = RPR_CreateNewMIDIItemInProj(track, start, end, True)[0]
    take = RPR_GetActiveTake(item)
    RPR_GetSetMediaItemTakeInfo_String(take, "P_NAME", part["name"], True)
    RPR_GetSetMediaItemTakeInfo_String(take, "P_EXT:cuebridge", "print", True)
    for beat, length, pitch, velocity, channel in part["notes"]:
        at, to = (RPR_MIDI_GetPPQPosFromProjQN(take, one) for one in (beat, beat + length))
        RPR_MIDI_InsertNote(take, False, False, at, to, channel - 1, pitch, velocity, True)
    left = 0
    for beat, number, value, channel in part["controls"]:
        at = RPR_MIDI_GetPPQPosFromProjQN(take, beat)
        made = capabilities.guard(
            "print_controllers", RPR_MIDI_InsertCC, take, False, False, at, 0xB0, channel - 1, number, value
        )
        left += made is None
    RPR_MIDI_Sort(take)
    return len(part["notes"]), left


class Effect:
    """The effect "CueBridge" (JSFX) gets the next print file where `cuebridge_play.py` asked for it."""

    def __init__(self):
        self.asked_at = None

    def is_next(self):
        asked_at, self.asked_at = self.asked_at, None
        return asked_at is not None and time.perf_counter() - asked_at < PLAY_WITHIN_S

    @staticmethod
    def hand_over(path):
        """Through Lua: Python in REAPER cannot write what effects share.  Raises ValueError."""
        read_job(path)
        RPR_DeleteExtState(SECTION, "played", False)
        RPR_SetExtState(SECTION, "play", path, False)
        script = RPR_GetResourcePath() + "/Scripts/CueBridge/cuebridge_play.lua"
        command = RPR_AddRemoveReaScript(True, 0, script, True)
        if not command:
            raise ValueError("REAPER does not take " + script)
        RPR_Main_OnCommand(command, 0)
        done, _, text = RPR_GetExtState(SECTION, "played").partition("\t")
        if done != "1":
            raise ValueError(text or "cuebridge_play.lua did not run")
        return text + " notes and controller values are in the effect"


effect = Effect()


def do_print(path):
    if effect.is_next():
        return effect.hand_over(path)
    name, start, end, parts = read_job(path)
    count = left = 0
    with Undo("CueBridge: print " + name):
        capabilities.guard("refresh", RPR_PreventUIRefresh, 1)
        try:
            for part in parts:
                notes, lost = print_part(part, start, end)
                count, left = count + notes, left + lost
        finally:
            capabilities.guard("refresh", RPR_PreventUIRefresh, -1)
    capabilities.guard("refresh", RPR_UpdateArrange)
    text = "%d notes in %d items" % (count, len(parts))
    return text + ("; %d controller values could not be written" % left if left else "")


def do_session(path):
    store("session", path)
    return ""


DOES = {
    "/daw/do/marker": ("do_marker", do_marker),
    "/daw/do/unmark": ("do_marker", do_unmark),
    "/daw/do/tempo": ("do_tempo", do_tempo),
    "/daw/do/print": ("do_print", do_print),
    "/daw/do/session": ("do_session", do_session),
}
# address, tags of an item, items in a message (64 arguments are the most a message may have)
LISTS = {"tempomap": ("dddiii", 10), "markers": ("ids", 20), "regions": ("idds", 15), "capabilities": ("ssis", 15)}


class Script:
    """The conversation with the bridge."""

    def __init__(self):
        self.project = Project()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.heard = None  # when the bridge was heard last; None: it is away
        self.hello_at = self.sent_at = self.looked_at = -100.0
        self.sequence = 0
        self.last = None
        self.changes = None
        self.name = None
        self.lists = {}
        self.facts = {}
        self.done = {}
        self.version = ""
        self.try_host()

    def try_host(self):
        """Tries what is needed of REAPER: looks every function up, reads what can be read, and writes and takes away
        again where that leaves no trace.  What changes a project is not tried in the composer's."""
        capabilities.look_up()
        self.version = capabilities.guard("version", RPR_GetAppVersion) or ""
        for feature, read in (
            ("transport", self.project.transport),
            ("loop", self.project.loop),
            ("timecode", self.project.timecode),
            ("tempomap", self.project.tempo_map),
            ("markers", self.project.marks),
            ("changes", self.project.identity),
            ("session", lambda: stored("session")),
            ("actions", self.try_store),
        ):
            capabilities.guard(feature, read)

    @staticmethod
    def try_store():
        RPR_SetExtState(SECTION, "trial", "1", False)
        kept = RPR_GetExtState(SECTION, "trial")
        RPR_DeleteExtState(SECTION, "trial", False)
        if kept != "1":
            raise RuntimeError("what is stored does not come back")

    def abilities(self):
        return " ".join(one for one in OFFERED.split() if capabilities.works(one))

    def send(self, address, tags="", *values):
        """How many bytes it was."""
        data = encode(address, tags, values)
        try:
            self.socket.sendto(data, BRIDGE)
        except OSError:
            pass  # Windows reports a bridge that went away (10054) on the next call; it is simply away
        return len(data)

    def receive(self, now):
        for _ in range(64):
            try:
                data, sender = self.socket.recvfrom(65536)
            except BlockingIOError:
                return
            except OSError:  # 10054 again
                continue
            if sender[0] != BRIDGE[0]:
                continue
            try:
                address, values = decode(data)
            except (ValueError, KeyError, struct.error):
                continue
            self.heard = now
            capabilities.guard("conversation", self.take, address, values)

    def take(self, address, values):
        if address == "/daw/welcome":
            self.done, self.facts, self.last, self.changes = {}, {}, None, None
            for one in self.lists.values():
                one.update(got=False, sent=-100.0, next=0)
        elif address == "/daw/who":
            self.hello_at = -100.0
        elif address == "/daw/got" and len(values) == 2:
            one = self.lists.get(values[0])
            if one is not None and one["revision"] == values[1]:
                one["got"] = True
        elif address == "/daw/error" and values and values[0] == "/daw/capabilities":
            self.lists["capabilities"]["got"] = True  # an older bridge: it does without
        elif address in DOES and values:
            self.answer(address, values)

    def answer(self, address, values):
        request = values[0]
        if request not in self.done:  # a request that comes again was done; only its answer was lost
            feature, do = DOES[address]
            try:
                self.done[request] = (1, str(do(*values[1:])))
            except Exception as error:  # whatever it is, the bridge has to hear of it
                if blamed(error):
                    capabilities.failed(feature, error)
                    self.done[request] = (0, "%s: %s" % (blamed(error), reason(error)))
                else:
                    self.done[request] = (0, "%s" % error)
        ok, text = self.done[request]
        self.send("/daw/ack", "iis", request, ok, text[:1000])

    def offer(self, what, items):
        one = self.lists.setdefault(what, {"items": None, "revision": 0, "got": False, "sent": -100.0, "next": 0})
        if one["items"] != items:
            one.update(items=items, revision=one["revision"] + 1, got=False, sent=-100.0, next=0)

    def send_lists(self, now):
        """Some of them at each tick: what comes in one go may be more than the bridge's socket holds."""
        left = BYTES_A_TICK
        for what, one in self.lists.items():
            if one["got"] or (one["next"] == 0 and now - one["sent"] < REPEAT_AFTER_S):
                continue
            tags, most = LISTS[what]
            while left > 0:
                first = one["next"]
                items = one["items"][first : first + most]
                flat = [value for item in items for value in item]
                head = (one["revision"], len(one["items"]), first)
                left -= self.send("/daw/" + what, "iii" + tags * len(items), *(head + tuple(flat)))
                one["sent"], one["next"] = now, first + most
                if one["next"] >= len(one["items"]):
                    one["next"] = 0
                    break

    def fact(self, address, tags, values, now):
        """Small things: said when new, and again every two seconds, for they are not acknowledged."""
        before = self.facts.get(address)
        if before is None or before[0] != values or now - before[1] > HELLO_EVERY_S:
            self.facts[address] = (values, now)
            self.send(address, tags, *values)

    def look(self, now):
        changes = capabilities.guard("changes", RPR_GetProjectStateChangeCount, HERE)
        passed = now - self.looked_at
        known = self.changes is not None
        if not known or (changes != self.changes and passed >= LOOK_S) or passed >= LOOK_ANYWAY_S:
            self.changes, self.looked_at = changes if changes is not None else 0, now
            self.project.look_for_film()
            tempo_map = capabilities.guard("tempomap", self.project.tempo_map)
            if tempo_map:
                self.offer("tempomap", tempo_map)
            marks = capabilities.guard("markers", self.project.marks)
            if marks is not None:
                self.offer("markers", marks[0])
                self.offer("regions", marks[1])
            timecode = capabilities.guard("timecode", self.project.timecode)
            if timecode is not None:
                self.fact("/daw/timecode", "dis", timecode, now)
            path = capabilities.guard("session", stored, "session")
            if path:
                self.fact("/daw/session", "s", (path[:1000],), now)
        film = capabilities.guard("film", self.project.film)
        if film is not None:
            self.fact("/daw/film", "sdddd", film, now)
        loop = capabilities.guard("loop", self.project.loop)
        if loop is not None:
            self.fact("/daw/loop", "idd", loop, now)
        self.offer("capabilities", capabilities.items())

    def tell(self, now):
        state = self.project.transport()
        rolling = state[6] & 1
        if not rolling and state[1:] == self.last and now - self.sent_at < 1.0:
            return
        self.last, self.sent_at = state[1:], now
        self.sequence += 1
        self.send("/daw/transport", "iddddiii", self.sequence, *state)

    def asked_here(self):
        """What the small scripts beside this one leave for us: a word, a tab, a text."""
        text = RPR_GetExtState(SECTION, "ask")
        if not text:
            return
        RPR_DeleteExtState(SECTION, "ask", False)
        word, _, rest = text.partition("\t")
        if word == "progression":
            self.send("/cue/progression", "s", rest)
        elif word == "pin":
            self.send("/cue/chords/pin", "s", rest)
        elif word == "play":
            effect.asked_at = time.perf_counter()
            self.send("/daw/print", "sdd", "film", *self.project.loop()[1:])
        elif word in ("print", "thaw"):
            _, start, end = self.project.loop()
            scope = "selection" if end > start and rest != "film" else rest or "cue"
            self.send("/daw/" + word, "sdd", scope, start, end)

    def tick(self):
        now = time.perf_counter()
        capabilities.guard("conversation", self.receive, now)
        project = capabilities.guard("changes", self.project.identity)
        if self.heard is not None and now - self.heard > QUIET_AFTER_S:
            self.heard = None
        if project != self.name:  # another project tab: the bridge hears everything about it
            # Said hello again, so that names of the other project are not taken for deleted ones.
            self.hello_at = -100.0 if self.name is not None else self.hello_at
            self.name = project
            self.facts, self.changes, self.last = {}, None, None
        if self.hello_at < 0 or (self.heard is None and now - self.hello_at >= HELLO_EVERY_S):
            self.hello_at = now
            interpreter = "%s %s" % (platform.python_implementation(), platform.python_version())
            values = ("reaper", VERSION, PROTOCOL, 0, self.version, "", self.abilities(), interpreter)
            self.send("/daw/hello", "ssiissss", *values)
        if self.heard is not None:
            capabilities.guard("transport", self.tell, now)
            capabilities.guard("conversation", self.look, now)
            capabilities.guard("conversation", self.send_lists, now)
            capabilities.guard("actions", self.asked_here)

    def bye(self):
        if self.heard is not None:
            self.send("/daw/bye")
        self.socket.close()


def cuebridge_tick():
    try:
        cuebridge_script.tick()
    except Exception as error:
        capabilities.failed("conversation", error)
    finally:
        RPR_defer("cuebridge_tick()")  # whatever happened: what is not deferred again never runs again


cuebridge_script = Script()
RPR_atexit("cuebridge_script.bye()")
cuebridge_tick()
