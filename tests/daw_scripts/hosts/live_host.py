"""A stand-in for Ableton Live 11/12 as a Remote Script sees it, written from its documentation.

Sources: L = Live Object Model (docs.cycling74.com/apiref/lom: Song, Track, ClipSlot, Clip, CuePoint); R = the Python
form of it as in AbletonOSC's and others' published Remote Scripts: c_instance.song(), schedule_message(ticks, fn),
show_message, log_message, Live.Clip.MidiNoteSpecification, Live.Application.get_application.  Anything not listed in
an object's NAMES raises AttributeError; notes may be touched only from the main thread, which is checked.

Traps kept: cue points are set only at the playhead, by a toggle; while stopped a new current_song_time is in force a
moment late (`settle`), and beyond the song's end it raises; some versions toggle at the insert marker instead
(`insert_marker`); tracks that have no arrangement clips raise RuntimeError when asked; tempo and meter are those of the
present position, there is no map.  The last four were found by others on a real Live 12.4 (a published list of quirks).
"""

from __future__ import annotations

import threading
import types


class Strict:
    """Only what NAMES lists exists."""

    NAMES = ()

    def __getattribute__(self, name):
        if name.startswith("_") or name in type(self).NAMES or name == "NAMES":
            return object.__getattribute__(self, name)
        raise AttributeError(f"{type(self).__name__}.{name} is not in the documentation")

    def __setattr__(self, name, value):
        if not name.startswith("_") and name not in type(self).NAMES:
            raise AttributeError(f"{type(self).__name__}.{name} is not in the documentation")
        object.__setattr__(self, name, value)


class CuePoint(Strict):
    NAMES = ("name", "time")  # L: CuePoint

    def __init__(self, name, time):
        self.name, self.time = name, time


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
    )

    def __init__(self, host, name, midi=True, slots=2):
        self._host = host
        self.name, self.has_midi_input = name, midi
        self.clip_slots = [ClipSlot(host) for _ in range(slots)]
        self.arrangement_clips = []

    def duplicate_clip_to_arrangement(self, clip, time):
        self._host._touch()
        copy = Clip(self._host, time, clip.loop_end - clip.loop_start)
        copy._notes, copy.name, copy.is_arrangement_clip = list(clip._notes), clip.name, True
        self.arrangement_clips.append(copy)
        return copy

    def delete_clip(self, clip):
        self._host._touch()
        self.arrangement_clips.remove(clip)


OBSERVED = ("is_playing", "tempo", "signature_numerator", "signature_denominator", "loop", "loop_start", "loop_length",
            "cue_points", "record_mode")  # fmt: skip


class Song(Strict):
    # L: Song
    NAMES = (*OBSERVED, "current_song_time", "is_counting_in", "session_record", "tracks", "set_or_delete_cue",
             "set_data",
             "get_data", "get_current_smpte_song_time", "begin_undo_step", "end_undo_step", "create_midi_track",
             "last_event_time",
             *(f"{verb}_{name}_listener" for name in OBSERVED for verb in ("add", "remove")))  # fmt: skip

    def __init__(self, host):
        self._host, self._listeners, self._data, self._undo, self._open = host, {}, {}, 0, 0
        for name, value in zip(OBSERVED, (False, 120.0, 4, 4, False, 0.0, 16.0, (), False)):  # noqa: B905 - Python 3.7
            object.__setattr__(self, name, value)
        object.__setattr__(self, "current_song_time", 0.0)
        self.is_counting_in = self.session_record = False
        self.tracks, self.last_event_time = [], 0.0

    def __getattribute__(self, name):
        for verb in ("add_", "remove_"):
            if name.startswith(verb) and name.endswith("_listener"):
                what = name[len(verb) : -len("_listener")]
                if what in OBSERVED:
                    listeners = object.__getattribute__(self, "_listeners").setdefault(what, [])
                    return listeners.append if verb == "add_" else listeners.remove
        return super().__getattribute__(name)

    def __setattr__(self, name, value):
        if name == "current_song_time":
            self._host._touch()
            if value > self._host.song_length:
                raise RuntimeError("the time is beyond the song's length")
            if not self.is_playing:
                self._host.late = value
                return
        super().__setattr__(name, value)
        for listener in list(object.__getattribute__(self, "__dict__").get("_listeners", {}).get(name, ())):
            listener()

    def set_or_delete_cue(self):
        self._host._touch()
        assert not self.is_playing, "the scenario sets cues only while stopped"
        where = self.current_song_time if self._host.insert_marker is None else self._host.insert_marker
        here = [cue for cue in self.cue_points if abs(cue.time - where) < 1e-6]
        if here:
            self.cue_points = tuple(cue for cue in self.cue_points if cue not in here)
        else:
            cue = CuePoint(str(len(self.cue_points) + 1), where)
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
        self.tracks.append(Track(self._host, "MIDI"))
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
    """Live: `module()` is what `import Live` gives; `tick()` is its 100 ms."""

    def __init__(self):
        self.main = threading.get_ident()
        self.scheduled, self.shown, self.logged = [], [], []
        self.tempo_changes = [(0.0, 120.0)]  # of the set's automation: (beat, bpm)
        self.song_length, self.insert_marker, self.late = 4096.0, None, None
        self.song = Song(self)

    def settle(self):
        """What was asked of a stopped playhead is done."""
        if self.late is not None:
            late, self.late = self.late, None
            object.__setattr__(self.song, "current_song_time", late)

    def module(self):
        live = types.ModuleType("Live")
        live.Clip = types.SimpleNamespace(MidiNoteSpecification=MidiNoteSpecification)

        class Application(Strict):
            NAMES = ("get_major_version", "get_minor_version", "get_bugfix_version")  # L: Application

            def get_major_version(self):
                return 12

            def get_minor_version(self):
                return 1

            def get_bugfix_version(self):
                return 5

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
