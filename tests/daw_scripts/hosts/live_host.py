"""A stand-in for Ableton Live 11/12 as a Remote Script sees it, written from its documentation.

Sources: L = Live Object Model (docs.cycling74.com/apiref/lom: Song, Track, ClipSlot, Clip, CuePoint); R = the Python
form of it as in AbletonOSC's and others' published Remote Scripts: c_instance.song(), schedule_message(ticks, fn),
show_message, log_message, Live.Clip.MidiNoteSpecification, Live.Application.get_application.  Anything not listed in
an object's NAMES raises AttributeError; notes may be touched only from the main thread, which is checked.

Traps kept: cue points are set only at the playhead, by a toggle; while stopped a new current_song_time is in force a
moment late (`settle`), and beyond the song's end it raises; some versions toggle at the insert marker instead
(`insert_marker`); tracks that have no arrangement clips raise RuntimeError when asked; tempo and meter are those of the
present position, there is no map.  The last four were found by others on a real Live 12.4 (a published list of quirks).

More traps, by option of `LiveHost`, because versions differ: the names of locators cannot be set (11.3.43, 12.0.15:
"can't set attribute"), or are in force a moment late; locators snap to the arrangement's grid; what a version lacks
(`missing`) raises AttributeError; removing a listener raises; the song time moves on between two reads while Live
plays; every call takes its time (`slow_s`).  `spent` counts what is read of clips.
"""

from __future__ import annotations

import threading
import time
import types

# What Live 11 lacks of what the script uses.
OLD = frozenset({"Track.create_midi_clip", "CuePoint.name="})


class Strict:
    """Only what NAMES lists exists, and of that what this Live has."""

    NAMES = ()

    def __getattribute__(self, name):
        if name.startswith("_") or name == "NAMES":
            return object.__getattribute__(self, name)
        host = object.__getattribute__(self, "__dict__").get("_host")
        if host is not None:
            host._spend(type(self).__name__, name)
        if name not in type(self).NAMES or (host is not None and f"{type(self).__name__}.{name}" in host.missing):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        if not name.startswith("_") and name not in type(self).NAMES:
            raise AttributeError(f"{type(self).__name__}.{name} is not in the documentation")
        object.__setattr__(self, name, value)


class CuePoint:
    """L: CuePoint.  name can be set, in some versions; boost makes a property without a setter of it in the others."""

    def __init__(self, name, time, host=None):
        self._name, self._time, self._host = name, time, host

    def _set_name(self, value):
        if self._host is not None and self._host.late_names:
            self._host.late.append(lambda: setattr(self, "_name", value))
        else:
            self._name = value

    name = property(lambda self: self._name, _set_name)
    time = property(lambda self: self._time)


class ReadOnlyCuePoint(CuePoint):
    name = property(lambda self: self._name)


class SmpteTime(Strict):
    NAMES = ("hours", "minutes", "seconds", "frames")  # L: Song.get_current_smpte_song_time

    def __init__(self, hours, minutes, seconds, frames):
        self.hours, self.minutes, self.seconds, self.frames = hours, minutes, seconds, frames


class MidiNoteSpecification:
    """R: Live.Clip.MidiNoteSpecification(pitch=, start_time=, duration=, velocity=, mute=)."""

    def __init__(self, *, pitch, start_time, duration, velocity=100.0, mute=False):
        assert 0 <= pitch <= 127 and duration > 0
        self.pitch, self.start_time, self.duration, self.velocity, self.mute = (
            pitch,
            start_time,
            duration,
            velocity,
            mute,
        )


class Clip(Strict):
    # L: Clip
    NAMES = ("name", "start_time", "end_time", "is_midi_clip", "is_arrangement_clip", "add_new_notes", "loop_end",
             "loop_start", "looping")  # fmt: skip

    def __init__(self, host, start, length):
        self._host, self._notes = host, []
        self.name, self.start_time, self.end_time = "", start, start + length
        self.loop_start, self.loop_end, self.looping = 0.0, length, True
        self.is_midi_clip, self.is_arrangement_clip = True, False

    def add_new_notes(self, notes):
        self._host._touch()
        assert isinstance(notes, tuple) and all(isinstance(note, MidiNoteSpecification) for note in notes)
        self._notes += notes


class ClipSlot(Strict):
    NAMES = ("has_clip", "clip", "create_clip", "delete_clip")  # L: ClipSlot

    def __init__(self, host):
        self._host = host
        self.has_clip, self.clip = False, None

    def create_clip(self, length):
        self._host._touch()
        assert not self.has_clip and length > 0
        self.has_clip, self.clip = True, Clip(self._host, 0.0, length)

    def delete_clip(self):
        self._host._touch()
        self.has_clip, self.clip = False, None


class Track(Strict):
    # L: Track; duplicate_clip_to_arrangement since Live 11
    NAMES = (
        "name",
        "has_midi_input",
        "clip_slots",
        "arrangement_clips",
        "duplicate_clip_to_arrangement",
        "delete_clip",
        "create_midi_clip",  # L: since 12.1.10; R: Track.create_midi_clip(float start, float length) -> Clip
        "add_arrangement_clips_listener",
        "remove_arrangement_clips_listener",
    )

    def __init__(self, host, name, midi=True, slots=2):
        self._host = host
        self.name, self.has_midi_input = name, midi
        self.clip_slots = [ClipSlot(host) for _ in range(slots)]
        self.arrangement_clips = []
        self._clip_listeners = []

    def add_arrangement_clips_listener(self, call):
        self._clip_listeners.append(call)

    def remove_arrangement_clips_listener(self, call):
        if self._host.listeners_raise:
            raise RuntimeError("Observer not connected")
        self._clip_listeners.remove(call)

    def _clips_changed(self):
        for call in list(self._clip_listeners):
            call()

    def create_midi_clip(self, start, length):
        self._host._touch()
        assert isinstance(start, float) and isinstance(length, float) and length > 0
        clip = Clip(self._host, start, length)
        clip.is_arrangement_clip = True
        self.arrangement_clips.append(clip)
        self._clips_changed()
        return clip

    def duplicate_clip_to_arrangement(self, clip, time):
        self._host._touch()
        copy = Clip(self._host, time, clip.loop_end - clip.loop_start)
        copy._notes, copy.name, copy.is_arrangement_clip = list(clip._notes), clip.name, True
        self.arrangement_clips.append(copy)
        self._clips_changed()
        return copy

    def delete_clip(self, clip):
        self._host._touch()
        self.arrangement_clips.remove(clip)
        self._clips_changed()


OBSERVED = ("is_playing", "tempo", "signature_numerator", "signature_denominator", "loop", "loop_start", "loop_length",
            "cue_points", "record_mode", "tracks")  # fmt: skip


class Song(Strict):
    # L: Song
    NAMES = (*OBSERVED, "current_song_time", "is_counting_in", "session_record", "set_or_delete_cue",
             "set_data",
             "get_data", "get_current_smpte_song_time", "begin_undo_step", "end_undo_step", "create_midi_track",
             "last_event_time",
             *(f"{verb}_{name}_listener" for name in OBSERVED for verb in ("add", "remove")))  # fmt: skip

    def __init__(self, host):
        self._host, self._listeners, self._data, self._undo, self._open = host, {}, {}, 0, 0
        for name, value in zip(OBSERVED, (False, 120.0, 4, 4, False, 0.0, 16.0, (), False, [])):  # noqa: B905 - Python 3.7
            object.__setattr__(self, name, value)
        object.__setattr__(self, "current_song_time", 0.0)
        self.is_counting_in = self.session_record = False
        self.last_event_time = 0.0

    def __getattribute__(self, name):
        for verb in ("add_", "remove_"):
            if name.startswith(verb) and name.endswith("_listener"):
                what = name[len(verb) : -len("_listener")]
                host = object.__getattribute__(self, "_host")
                if what in OBSERVED and f"Song.{name}" not in host.missing:
                    listeners = object.__getattribute__(self, "_listeners").setdefault(what, [])
                    if verb == "remove_" and host.listeners_raise:
                        return self._refuse_to_disconnect
                    return listeners.append if verb == "add_" else listeners.remove
        found = super().__getattribute__(name)
        if name == "current_song_time" and object.__getattribute__(self, "is_playing"):
            host = object.__getattribute__(self, "_host")
            object.__setattr__(self, name, found + host.beats_a_read)
        return found

    @staticmethod
    def _refuse_to_disconnect(call):
        raise RuntimeError("Observer not connected")

    def __setattr__(self, name, value):
        if name == "current_song_time":
            self._host._touch()
            if value > self._host.song_length:
                raise RuntimeError("the time is beyond the song's length")
            if not self.is_playing:
                self._host.late.append(lambda: object.__setattr__(self, "current_song_time", value))
                return
        super().__setattr__(name, value)
        for listener in list(object.__getattribute__(self, "__dict__").get("_listeners", {}).get(name, ())):
            listener()

    def set_or_delete_cue(self):
        self._host._touch()
        assert not self.is_playing, "the scenario sets cues only while stopped"
        where = self.current_song_time if self._host.insert_marker is None else self._host.insert_marker
        if self._host.snap_beats:  # Options > Snap to Grid
            where = round(where / self._host.snap_beats) * self._host.snap_beats
        here = [cue for cue in self.cue_points if abs(cue.time - where) < 1e-6]
        if here:
            self.cue_points = tuple(cue for cue in self.cue_points if cue not in here)
        else:
            cue = self._host.cue_point(str(len(self.cue_points) + 1), where)
            self.cue_points = tuple(sorted((*self.cue_points, cue), key=lambda one: one.time))

    def set_data(self, key, value):
        self._data[key] = value

    def get_data(self, key, default):
        return self._data.get(key, default)

    def get_current_smpte_song_time(self, form):
        assert form == 0, "0 = smpte milliseconds: the field frames holds them"
        milliseconds = round(self._host._seconds(self.current_song_time) * 1000)
        seconds, rest = divmod(milliseconds, 1000)
        return SmpteTime(seconds // 3600, seconds // 60 % 60, seconds % 60, rest)

    def begin_undo_step(self):
        self._open += 1

    def end_undo_step(self):
        self._open -= 1
        self._undo += 1

    def create_midi_track(self, index):
        self._host._touch()
        assert index == -1
        self.tracks = [*self.tracks, Track(self._host, "MIDI")]
        return self.tracks[-1]


class CInstance(Strict):
    """R: what Live hands to create_instance."""

    NAMES = ("song", "schedule_message", "show_message", "log_message")

    def __init__(self, host):
        self._host = host

    def song(self):
        return self._host.song

    def schedule_message(self, ticks, callback, *args):
        assert ticks >= 1
        self._host.scheduled.append(callback)
        return True

    def show_message(self, text):
        self._host.shown.append(text)

    def log_message(self, text):
        self._host.logged.append(text)


class LiveHost:
    """Live: `module()` is what `import Live` gives; `tick()` is its 100 ms.

    missing: "Song.is_counting_in", "CuePoint.name=" (the setter), "Live.Clip.MidiNoteSpecification" and the like.
    """

    def __init__(self, version=(12, 1, 5), missing=(), slow_s=0.0):
        self.main = threading.get_ident()
        self.version, self.missing, self.slow_s = version, frozenset(missing), slow_s
        self.listeners_raise = self.late_names = False
        self.snap_beats, self.beats_a_read, self.spent = None, 0.0, 0
        self.scheduled, self.shown, self.logged = [], [], []
        self.tempo_changes = [(0.0, 120.0)]  # of the set's automation: (beat, bpm)
        self.song_length, self.insert_marker, self.late = 4096.0, None, []
        self.song = Song(self)

    def settle(self):
        """What was asked of a stopped playhead is done."""
        late, self.late = self.late, []
        for one in late:
            one()

    def cue_point(self, name, time):
        kind = ReadOnlyCuePoint if "CuePoint.name=" in self.missing else CuePoint
        return kind(name, time, self)

    def _spend(self, kind, name):
        self.spent += kind == "Clip"
        if self.slow_s:
            time.sleep(self.slow_s)

    def module(self):
        live = types.ModuleType("Live")
        live.Clip = types.SimpleNamespace(Clip=Clip)
        if "Live.Clip.MidiNoteSpecification" not in self.missing:
            live.Clip.MidiNoteSpecification = MidiNoteSpecification
        cue_points = ReadOnlyCuePoint if "CuePoint.name=" in self.missing else CuePoint
        live.Song = types.SimpleNamespace(CuePoint=cue_points)
        host = self

        class Application(Strict):
            NAMES = ("get_major_version", "get_minor_version", "get_bugfix_version")  # L: Application

            def get_major_version(self):
                return host.version[0]

            def get_minor_version(self):
                return host.version[1]

            def get_bugfix_version(self):
                return host.version[2]

        if "Live.Application" not in self.missing:
            live.Application = types.SimpleNamespace(get_application=Application)
        return live

    def _touch(self):
        assert threading.get_ident() == self.main, "Live's objects may be touched from the main thread only"

    def _seconds(self, beat):
        seconds = 0.0
        for index, (start, bpm) in enumerate(self.tempo_changes):
            end = self.tempo_changes[index + 1][0] if index + 1 < len(self.tempo_changes) else float("inf")
            seconds += max(0.0, min(beat, end) - start) * 60 / bpm
        return seconds

    def c_instance(self):
        return CInstance(self)

    def tick(self):
        callbacks, self.scheduled = self.scheduled, []
        for callback in callbacks:
            callback()
