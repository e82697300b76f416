# ruff: noqa: N802 - the methods carry the names of the functions they stand for
"""A stand-in for REAPER's Python API, written from its documentation and apart from the script that it tests.

Sources: S = "ReaScript API" as REAPER 7.60 prints it (reaper.fm/sdk/reascript/reascripthelp.html), section Python;
W = reaper_python.py, the wrapper that REAPER installs and every Python ReaScript imports: what goes in and comes out
of a call in Python.  Every name of SIGNATURES is the documented one; a call of any other name raises, and so does a
call with another number of arguments.

Traps of the real host that are kept:
* a `char**` result (marker names) does not come back through the wrapper (W: rpr_packp gives 0 for it);
* the wrapper decodes what comes back as strict UTF-8 (W: rpr_unpacks), so a file name in another code raises;
* `RPR_defer` and `RPR_atexit` are put into the script's `__main__`, they are not in reaper_python; defer takes a
  string of code, and code that raises is not called again;
* a function that this REAPER has not is missing from the wrapper's table: its RPR_ name raises KeyError (W: _ft);
* an item follows the beat when the tempo changes, and is stretched by it, unless its timebase is time;
* a script that changes something and never defers leaves an undo point of its own name;
* every call costs time on REAPER's only thread: `spent` counts them, `slow_s` makes each of them last.
"""

from __future__ import annotations

import ctypes
import time
import types

SIGNATURES = {
    # transport
    "GetPlayStateEx": ("proj", "S: &1=playing, &2=paused, &4=is recording"),
    "GetPlayPositionEx": ("proj", "S: latency-compensated actual-what-you-hear position"),
    "GetCursorPositionEx": ("proj", "S: edit cursor position"),
    "GetSet_LoopTimeRange2": ("proj isSet isLoop start end allowautoseek", "S"),
    "GetSetRepeatEx": ("proj val", "S: -1 == query, 0=clear, 1=set, >1=toggle; returns new value"),
    # time
    "TimeMap2_timeToQN": ("proj tpos", "S: project QN position from time"),
    "TimeMap2_QNToTime": ("proj qn", "S: project time from QN"),
    "TimeMap_GetTimeSigAtTime": ("proj time num denom tempo", "S: effective time signature and tempo"),
    "CountTempoTimeSigMarkers": ("proj", "S"),
    "GetTempoTimeSigMarker": ("proj ptidx timepos measurepos beatpos bpm num denom linear", "S"),
    "SetTempoTimeSigMarker": ("proj ptidx timepos measurepos beatpos bpm num denom linear", "S: ptidx=-1 inserts"),
    "DeleteTempoTimeSigMarker": ("proj ptidx", "S"),
    "TimeMap_curFrameRate": ("proj dropFrame", "S: project framerate, optionally drop frame timecode"),
    "GetProjectTimeOffset": ("proj rndframe", "S: project time offset in seconds (project settings - start time)"),
    # markers and regions
    "CountProjectMarkers": ("proj num_markers num_regions", "S"),
    "EnumProjectMarkers3": ("proj idx isrgn pos rgnend name markrgnindexnumber color", "S; W: name does not come back"),
    "AddProjectMarker2": ("proj isrgn pos rgnend name wantidx color", "S: color 0 or ColorToNative|0x1000000"),
    "DeleteProjectMarker": ("proj markrgnindexnumber isrgn", "S"),
    "ColorToNative": ("r g b", "S"),
    # tracks, items, MIDI
    "CountTracks": ("proj", "S"),
    "GetTrack": ("proj trackidx", "S: zero-based"),
    "InsertTrackAtIndex": ("idx wantDefaults", "S"),
    "GetSetMediaTrackInfo_String": ("tr parmname string setNewValue", "S: P_NAME"),
    "SetMediaTrackInfo_Value": ("tr parmname newvalue", "S: I_RECARM, I_RECINPUT, I_RECMON, I_RECMODE"),
    "CountTrackMediaItems": ("track", "S"),
    "GetTrackMediaItem": ("tr itemidx", "S"),
    "DeleteTrackMediaItem": ("tr it", "S"),
    "SetMediaItemInfo_Value": (
        "item parmname newvalue",
        "S: C_BEATATTACHMODE 0=time, 1=beats, -1=default",
    ),
    "CountMediaItems": ("proj", "S"),
    "GetMediaItem": ("proj itemidx", "S"),
    "GetMediaItemInfo_Value": ("item parmname", "S: D_POSITION, D_LENGTH"),
    "GetActiveTake": ("item", "S"),
    "GetMediaItemTakeInfo_Value": ("take parmname", "S: D_STARTOFFS, D_PLAYRATE"),
    "GetMediaItemTake_Source": ("take", "S"),
    "GetMediaSourceType": ("source typebuf typebuf_sz", "S: 'WAV', 'MIDI', 'VIDEO', …"),
    "GetMediaSourceFileName": ("source filenamebuf filenamebuf_sz", "S"),
    "CreateNewMIDIItemInProj": ("track starttime endtime qnInOptional", "S: time in QN where qnIn"),
    "GetSetMediaItemTakeInfo_String": ("take parmname string setNewValue", "S: P_NAME, P_EXT:xyz"),
    "MIDI_GetPPQPosFromProjQN": ("take projqn", "S"),
    "MIDI_InsertNote": ("take selected muted startppqpos endppqpos chan pitch vel noSortInOptional", "S"),
    "MIDI_InsertCC": ("take selected muted ppqpos chanmsg chan msg2 msg3", "S"),
    "MIDI_Sort": ("take", "S"),
    "GetNumMIDIInputs": ("", "S"),
    "GetMIDIInputName": ("dev nameout nameout_sz", "S: returns true if device present"),
    # the rest
    "GetProjectStateChangeCount": ("proj", "S: changes on undoable actions"),
    "EnumProjects": ("idx projfn projfn_sz", "S: idx=-1 for current project"),
    "GetAppVersion": ("", "S: e.g. 6.78/x64"),
    "SetProjExtState": ("proj extname key value", "S"),
    "GetProjExtState": ("proj extname key valOutNeedBig sz", "S"),
    "MarkProjectDirty": ("proj", "S"),
    "SetExtState": ("section key value persist", "S"),
    "GetExtState": ("section key", "S"),
    "DeleteExtState": ("section key persist", "S"),
    "GetResourcePath": ("", "S: where settings and Scripts are"),
    "AddRemoveReaScript": ("add sectionID scriptfn commit", "S: returns the command id, or 0 if failed"),
    "Main_OnCommand": ("command flag", "S"),
    "GetUserInputs": ("title num_inputs captions_csv retvals_csv retvals_csv_sz", "S"),
    "ShowMessageBox": ("msg title type", "S"),
    "ShowConsoleMsg": ("msg", "S"),
    "get_ini_file": ("", "S: reaper.ini full filename"),
    "Undo_BeginBlock2": ("proj", "S"),
    "Undo_EndBlock2": ("proj descchange extraflags", "S"),
    "PreventUIRefresh": ("prevent_count", "S"),
    "UpdateArrange": ("", "S"),
    "UpdateTimeline": ("", "S"),
    "defer": ("code", "S: defer(String code)"),
    "atexit": ("code", "S: atexit(String code)"),
}

IN_MAIN = ("defer", "atexit")  # put into the script's own names
# What an old REAPER may lack (S: its help lists only what that version has): newer forms of calls and conveniences.
OLD = frozenset({"GetSetRepeatEx", "GetProjectTimeOffset", "TimeMap_curFrameRate", "get_ini_file"})


class Reaper:
    """A project and REAPER's function table.  Fields are what a person would change.

    missing: names of functions that this REAPER has not.  slow_s: what each call lasts.
    """

    def __init__(self, version="7.60/linux-x86_64", missing=(), slow_s=0.0):
        self.version, self.missing, self.slow_s = version, frozenset(missing), slow_s
        self.spent = 0  # calls, ever
        self.console = []
        self.ini_file = "/nowhere/reaper.ini"
        self.playing = self.paused = self.recording = False
        self.position = self.cursor = 0.0
        self.loop = (0.0, 0.0)
        self.repeat = 0
        self.tempo = [(0.0, 120.0, 4, 4, False)]  # time, bpm, num, den, linear
        self.default_tempo = (0.0, 120.0, 4, 4, False)  # of the project's settings, where it has no markers
        self.frame_rate = (24.0, False)
        self.offset = 0.0
        self.markers = []  # [isrgn, pos, end, name, number, color]
        self.tracks = []  # {"name", "items", "info"}
        self.ext = {}
        self.project_ext = {}
        self.changes = 0
        self.project = ("(ReaProject*)0x0000000000000001", "/films/film.rpp")
        self.midi_inputs = ["Keystation", "CueBridge"]
        self.user_input = None
        self.boxes = []
        self.lua = None  # what a Lua script does when it is run: a function of the host
        self.scripts = []  # files that were made actions
        self.undo = []
        self.open_undo = 0
        self.deferred = []
        self.at_exit = []
        self.called = set()
        self._next = 0x1000
        self._keep = []  # ctypes callbacks must outlive their addresses

    # what Python sees --------------------------------------------------------------------------------------------
    def module(self):
        """`reaper_python`: RPR_ functions with the documented number of arguments, and rpr_getfp."""
        made = types.ModuleType("reaper_python")
        for name, (arguments, _) in SIGNATURES.items():
            if name not in IN_MAIN:
                setattr(made, "RPR_" + name, self._checked(name, len(arguments.split())))
        made.rpr_getfp = self._function_pointer
        return made

    def main(self):
        """The names a script finds in its own `__main__`."""
        return {
            "__name__": "__main__",
            **{"RPR_" + name: self._checked(name, len(SIGNATURES[name][0].split())) for name in IN_MAIN},
        }

    def run_action(self, source, name):
        """A script as the action list runs it, to its end.  Without a defer and without an undo block of its own
        REAPER adds an undo point with the script's name."""
        deferred, undos = len(self.deferred), len(self.undo)
        exec(compile(source, name, "exec"), self.main())
        if len(self.deferred) == deferred and len(self.undo) == undos:
            self.undo.append("ReaScript: " + name)
        code, self.deferred = self.deferred[deferred:], self.deferred[:deferred]
        for one in code:
            exec(one, self.main())

    def _checked(self, name, count):
        # A function of that very name, as in W: what failed can be read from a traceback.
        names = {"self": self, "name": name, "count": count, "method": "_" + name}
        exec(
            f"def RPR_{name}(*args):\n"
            "    self._spend()\n"
            "    if name in self.missing:\n"
            "        raise KeyError(name)\n"
            "    if len(args) != count:\n"
            "        raise TypeError(f'RPR_{name} takes {count} arguments, {len(args)} were given')\n"
            "    self.called.add(name)\n"
            "    return getattr(self, method)(*args)\n",
            names,
        )
        return names["RPR_" + name]

    def _spend(self):
        self.spent += 1
        if self.slow_s:
            time.sleep(self.slow_s)

    @staticmethod
    def _text(value):
        """What the wrapper makes of bytes that come back: strict UTF-8."""
        return value.decode("utf-8") if isinstance(value, bytes) else value

    def _function_pointer(self, name):
        """W: rpr_getfp gives the address of the C function from the table; only EnumProjectMarkers3 can be called."""
        self._spend()
        if name in self.missing:
            raise KeyError(name)
        self.called.add("rpr_getfp")
        if name != "EnumProjectMarkers3":
            if name not in SIGNATURES or name in IN_MAIN:
                raise KeyError(name)
            return 0x7F0000000000 + sorted(SIGNATURES).index(name)
        double, integer, text = (
            ctypes.POINTER(ctypes.c_double),
            ctypes.POINTER(ctypes.c_int),
            ctypes.POINTER(ctypes.c_char_p),
        )
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.POINTER(ctypes.c_bool),
            double,
            double,
            text,
            integer,
            integer,
        )  # S, section C++: int (ReaProject*, int, bool*, double*, double*, const char**, int*, int*)

        def enumerate_markers(proj, index, isrgn, pos, end, name, number, color):
            if not 0 <= index < len(self.markers):
                return 0
            marker = self.markers[index]
            isrgn[0], pos[0], end[0], number[0], color[0] = marker[0], marker[1], marker[2], marker[4], marker[5]
            held = ctypes.c_char_p(self._name_bytes(marker[3]))
            self._keep.append(held)
            name[0] = held
            return index + 1

        callback = kind(enumerate_markers)
        self._keep.append(callback)
        return ctypes.cast(callback, ctypes.c_void_p).value

    @staticmethod
    def _name_bytes(name):
        return name.encode()

    def run_deferred(self, names):
        """One turn of REAPER's main loop."""
        code, self.deferred = self.deferred, []
        for one in code:  # one that raises is not called again: the error goes to a window, and that was it
            exec(one, names)

    # transport
    def _GetPlayStateEx(self, proj):
        return self.playing * 1 + self.paused * 2 + self.recording * 4

    def _GetPlayPositionEx(self, proj):
        return self.position

    def _GetCursorPositionEx(self, proj):
        return self.cursor

    def _GetSet_LoopTimeRange2(self, proj, is_set, is_loop, start, end, autoseek):
        return (proj, is_set, is_loop, *self.loop, autoseek)

    def _GetSetRepeatEx(self, proj, val):
        assert val == -1
        return self.repeat

    # time
    def _segment(self, at, index):
        """The tempo marker in force at a time (index 0) or beat (index 1), with its beat."""
        beat, found = 0.0, None
        for number, marker in enumerate(self.tempo or [self.default_tempo]):
            if number:
                beat += self._beats_between(number - 1)
            if found is None or (marker[0], beat)[index] <= at + 1e-12:
                found = (number, beat)
        return found

    def _beats_between(self, number):
        if number + 1 >= len(self.tempo):
            return 0.0
        before, after = self.tempo[number], self.tempo[number + 1]
        mean = (before[1] + after[1]) / 2 if before[4] else before[1]
        return (after[0] - before[0]) * mean / 60

    def _TimeMap2_timeToQN(self, proj, t):
        number, beat = self._segment(t, 0)
        time, bpm, _, _, linear = (self.tempo or [self.default_tempo])[number]
        if linear and number + 1 < len(self.tempo):
            after = self.tempo[number + 1]
            slope = (after[1] - bpm) / (after[0] - time)
            return beat + ((t - time) * bpm + slope * (t - time) ** 2 / 2) / 60
        return beat + (t - time) * bpm / 60

    def _TimeMap2_QNToTime(self, proj, qn):
        number, beat = self._segment(qn, 1)
        time, bpm, _, _, linear = (self.tempo or [self.default_tempo])[number]
        assert not linear, "not needed by the scenario"
        return time + (qn - beat) * 60 / bpm

    def _TimeMap_GetTimeSigAtTime(self, proj, time, num, denom, tempo):
        number, _ = self._segment(time, 0)
        num, denom = self.default_tempo[2:4]
        tempo = self.tempo or [self.default_tempo]
        for marker in tempo[: number + 1]:
            if marker[2]:
                num, denom = marker[2], marker[3]
        return (proj, time, num, denom, tempo[number][1])

    def _CountTempoTimeSigMarkers(self, proj):
        return len(self.tempo)

    def _GetTempoTimeSigMarker(self, proj, index, timepos, measurepos, beatpos, bpm, num, denom, linear):
        if not 0 <= index < len(self.tempo):
            return (0, proj, index, timepos, measurepos, beatpos, bpm, num, denom, linear)
        marker = self.tempo[index]
        return (1, proj, index, marker[0], 0, 0.0, marker[1], marker[2], marker[3], int(marker[4]))

    def _retime(self, tempo):
        """Another tempo map: what is attached to beats keeps its beats."""
        items = [one for track in self.tracks for one in track["items"] if one.get("attach", -1) != 0]
        beats = [
            [self._TimeMap2_timeToQN(0, at) for at in (one["position"], one["position"] + one["length"])]
            for one in items
        ]
        self.tempo = tempo
        self.changes += 1
        for one, (start, end) in zip(items, beats):  # noqa: B905 - Python 3.7
            one["position"] = self._TimeMap2_QNToTime(0, start)
            one["length"] = self._TimeMap2_QNToTime(0, end) - one["position"]

    def _SetTempoTimeSigMarker(self, proj, index, timepos, measurepos, beatpos, bpm, num, denom, linear):
        assert index == -1 and measurepos == -1 and beatpos == -1
        kept = [marker for marker in self.tempo if abs(marker[0] - timepos) > 1e-9]
        self._retime(sorted([*kept, (timepos, bpm, num, denom, bool(linear))]))
        return 1

    def _DeleteTempoTimeSigMarker(self, proj, index):
        self._retime(self.tempo[:index] + self.tempo[index + 1 :])
        return 1

    def _TimeMap_curFrameRate(self, proj, drop):
        return (self.frame_rate[0], proj, int(self.frame_rate[1]))

    def _GetProjectTimeOffset(self, proj, rndframe):
        return self.offset

    # markers
    def _CountProjectMarkers(self, proj, markers, regions):
        count = sum(marker[0] for marker in self.markers)
        return (len(self.markers), proj, len(self.markers) - count, count)

    def _EnumProjectMarkers3(self, proj, index, isrgn, pos, end, name, number, color):
        if not 0 <= index < len(self.markers):
            return (0, proj, index, isrgn, pos, end, name, number, color)
        marker = self.markers[index]
        return (index + 1, proj, index, int(marker[0]), marker[1], marker[2], name, marker[4], marker[5])

    def _AddProjectMarker2(self, proj, isrgn, pos, end, name, want, color):
        used = {marker[4] for marker in self.markers if marker[0] == bool(isrgn)}
        number = want if want >= 0 and want not in used else max(used, default=0) + 1
        self.markers.append([bool(isrgn), pos, end, name, number, color])
        self.markers.sort(key=lambda marker: marker[1])
        self.changes += 1
        return number

    def _DeleteProjectMarker(self, proj, number, isrgn):
        before = len(self.markers)
        self.markers = [m for m in self.markers if (m[4], m[0]) != (number, bool(isrgn))]
        self.changes += 1
        return int(len(self.markers) < before)

    def _ColorToNative(self, r, g, b):
        return r | g << 8 | b << 16

    # tracks and items: a pointer is "(Kind*)0x…", as the wrapper makes them
    def _pointer(self, kind):
        self._next += 1
        return f"({kind}*)0x{self._next:016X}"

    def add_track(self, name):
        self.tracks.append({"id": self._pointer("MediaTrack"), "name": name, "items": [], "info": {}})
        return self.tracks[-1]

    def add_item(self, track, position, length, kind="MIDI", file="", offset=0.0, rate=1.0):
        item = {
            "id": self._pointer("MediaItem"), "take": self._pointer("MediaItem_Take"),
            "source": self._pointer("PCM_source"),
            "position": position, "length": length, "kind": kind, "file": file, "offset": offset, "rate": rate,
            "notes": [], "cc": [], "strings": {}, "sorted": True, "attach": -1,
        }  # fmt: skip
        track["items"].append(item)
        return item

    def _track(self, pointer):
        return next(track for track in self.tracks if track["id"] == pointer)

    def _item(self, pointer, key="id"):
        return next(item for track in self.tracks for item in track["items"] if item[key] == pointer)

    def _CountTracks(self, proj):
        return len(self.tracks)

    def _GetTrack(self, proj, index):
        return self.tracks[index]["id"] if 0 <= index < len(self.tracks) else "(MediaTrack*)0x0000000000000000"

    def _InsertTrackAtIndex(self, index, defaults):
        self.add_track("")
        self.tracks.insert(index, self.tracks.pop())

    def _GetSetMediaTrackInfo_String(self, pointer, parameter, text, put):
        assert parameter == "P_NAME"
        track = self._track(pointer)
        if put:
            track["name"] = text
        return (1, pointer, parameter, track["name"], put)

    def _SetMediaTrackInfo_Value(self, pointer, parameter, value):
        assert parameter in ("I_RECARM", "I_RECINPUT", "I_RECMON", "I_RECMODE")
        self._track(pointer)["info"][parameter] = value
        return 1

    def _CountTrackMediaItems(self, pointer):
        return len(self._track(pointer)["items"])

    def _GetTrackMediaItem(self, pointer, index):
        return self._track(pointer)["items"][index]["id"]

    def _DeleteTrackMediaItem(self, pointer, item):
        self._track(pointer)["items"].remove(self._item(item))
        return 1

    def _CountMediaItems(self, proj):
        return sum(len(track["items"]) for track in self.tracks)

    def _GetMediaItem(self, proj, index):
        return [item for track in self.tracks for item in track["items"]][index]["id"]

    def _SetMediaItemInfo_Value(self, pointer, parameter, value):
        assert parameter == "C_BEATATTACHMODE" and value in (-1, 0, 1)
        self._item(pointer)["attach"] = int(value)
        return 1

    def _GetMediaItemInfo_Value(self, pointer, parameter):
        return self._item(pointer)[{"D_POSITION": "position", "D_LENGTH": "length"}[parameter]]

    def _GetActiveTake(self, pointer):
        return self._item(pointer)["take"]

    def _GetMediaItemTakeInfo_Value(self, take, parameter):
        return self._item(take, "take")[{"D_STARTOFFS": "offset", "D_PLAYRATE": "rate"}[parameter]]

    def _GetMediaItemTake_Source(self, take):
        return self._item(take, "take")["source"]

    def _GetMediaSourceType(self, source, buffer, size):
        return (source, self._item(source, "source")["kind"], size)

    def _GetMediaSourceFileName(self, source, buffer, size):
        return (source, self._text(self._item(source, "source")["file"]), size)

    def _CreateNewMIDIItemInProj(self, pointer, start, end, qn):
        if qn:
            start, end = self._TimeMap2_QNToTime(0, start), self._TimeMap2_QNToTime(0, end)
        item = self.add_item(self._track(pointer), start, end - start)
        return (item["id"], pointer, start, end, qn)

    def _GetSetMediaItemTakeInfo_String(self, take, parameter, text, put):
        assert parameter == "P_NAME" or parameter.startswith("P_EXT:")
        strings = self._item(take, "take")["strings"]
        if put:
            strings[parameter] = text
        return (int(parameter in strings), take, parameter, strings.get(parameter, ""), put)

    def _MIDI_GetPPQPosFromProjQN(self, take, qn):
        item = self._item(take, "take")
        return (qn - self._TimeMap2_timeToQN(0, item["position"])) * 960

    def _MIDI_InsertNote(self, take, selected, muted, start, end, channel, pitch, velocity, no_sort):
        assert 0 <= channel <= 15 and 0 <= pitch <= 127 and 1 <= velocity <= 127 and end > start
        assert isinstance(channel, int) and isinstance(pitch, int) and isinstance(velocity, int)
        item = self._item(take, "take")
        item["notes"].append((start, end, channel, pitch, velocity, bool(selected)))
        item["sorted"] = not no_sort
        return 1

    def _MIDI_InsertCC(self, take, selected, muted, position, message, channel, number, value):
        assert message == 0xB0 and 0 <= channel <= 15
        self._item(take, "take")["cc"].append((position, channel, number, value))
        return 1

    def _MIDI_Sort(self, take):
        self._item(take, "take")["sorted"] = True

    def _GetNumMIDIInputs(self):
        return len(self.midi_inputs)

    def _GetMIDIInputName(self, device, name, size):
        return (1, device, self.midi_inputs[device], size)

    # the rest
    def _GetProjectStateChangeCount(self, proj):
        return self.changes

    def _EnumProjects(self, index, name, size):
        assert index == -1
        return (self.project[0], index, self._text(self.project[1]), size)

    def _GetAppVersion(self):
        return self.version

    def _ShowConsoleMsg(self, text):
        self.console.append(text)

    def _get_ini_file(self):
        return self.ini_file

    def _SetProjExtState(self, proj, section, key, value):
        self.project_ext[section, key] = value
        return len(value)

    def _GetProjExtState(self, proj, section, key, value, size):
        found = self.project_ext.get((section, key), "")
        return (len(found), proj, section, key, found, size)

    def _MarkProjectDirty(self, proj):
        self.changes += 1

    def _GetResourcePath(self):
        return "/reaper"

    def _AddRemoveReaScript(self, add, section, path, commit):
        if not add or section != 0 or self.lua is None:
            return 0
        self.scripts.append(path)
        return 40000 + len(self.scripts)

    def _Main_OnCommand(self, command, flag):
        if command != 40000 + len(self.scripts):
            raise ValueError(f"there is no action {command}")
        self.lua(self)

    def _SetExtState(self, section, key, value, persist):
        self.ext[section, key] = value

    def _GetExtState(self, section, key):
        return self.ext.get((section, key), "")

    def _DeleteExtState(self, section, key, persist):
        self.ext.pop((section, key), None)

    def _GetUserInputs(self, title, count, captions, values, size):
        if self.user_input is None:
            return (0, title, count, captions, values, size)
        return (1, title, count, captions, self.user_input, size)

    def _ShowMessageBox(self, text, title, kind):
        self.boxes.append(text)
        return 1

    def _Undo_BeginBlock2(self, proj):
        self.open_undo += 1

    def _Undo_EndBlock2(self, proj, description, flags):
        self.open_undo -= 1
        self.undo.append(description)
        self.changes += 1

    def _PreventUIRefresh(self, count):
        pass

    def _UpdateArrange(self):
        pass

    def _UpdateTimeline(self):
        pass

    def _defer(self, code):
        assert isinstance(code, str)
        self.deferred.append(code)

    def _atexit(self, code):
        assert isinstance(code, str)
        self.at_exit.append(code)
