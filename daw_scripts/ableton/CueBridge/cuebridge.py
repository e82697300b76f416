"""The Remote Script: tells the bridge where Live's transport is, and does what the bridge asks for.

Live calls `update_display` about every 100 ms; in between, listeners tell of changes at once.  Standard library only,
Python 3.7 (Live 11, 12.0) and newer (3.11 from 12.1 on), no threads: Live's objects may be touched from its main
thread alone.

What Live does not let a script do: read a tempo map ahead (tempo and signature are those of the moment), read a frame
rate, set a locator anywhere but at the playhead of a stopped Live (in some versions: at its insert marker, which no
script can move), write controller curves into a clip.  Some versions let no script name a locator.

At load the script tries what it needs of Live and tells the bridge what works (`/daw/capabilities`).  What fails later
is caught call by call, reported in the same list and, the first time of each kind, in Live's Log.txt.
"""

import errno
import json
import os
import platform
import socket
import struct
import time

import Live

VERSION = "2"
PROTOCOL = 1
BRIDGE = ("127.0.0.1", 9317)
HELLO_EVERY_S = 2.0
QUIET_AFTER_S = 5.0
REPEAT_AFTER_S = 1.0
OFFERED = "transport tempomap loop markers regions session do_marker do_tempo do_print do_session"
SESSION_KEY = "cuebridge_session"
MARKERS_KEY = "cuebridge_markers"
SMPTE_MILLISECONDS = 0  # get_current_smpte_song_time: the field `frames` then holds milliseconds
OURS = ("chords", "pin", "section", "cue", "hit", "print")  # what a clip's name begins with if it is for us
LISTS = {"tempomap": ("dddiii", 10), "markers": ("ids", 20), "regions": ("idds", 15), "capabilities": ("ssis", 15)}
REFUSED, WORKS, NOT_TRIED = 0, 1, 2
MAX_TEXT = 1000
MAX_ITEMS = 4096
BYTES_A_TICK = 50000  # of lists
WATCHED = (
    "is_playing", "tempo", "signature_numerator", "signature_denominator", "loop", "loop_start", "loop_length",
    "record_mode",
)  # fmt: skip
CLIPS_A_TICK = 100  # read in the search for names: a set may have thousands, and Live draws on the same thread
CLIPS_EVERY_S = 2.0  # looked at again without being told of a change: names of clips have no single listener
GRID_BEATS = 1 / 8.0  # the finest grid that a locator snaps to: a thirty-second note
# What the script calls, by what it is for; what is only asked whether it is there would change the set.
SONG_READS = (
    ("transport", "is_playing current_song_time tempo signature_numerator signature_denominator"),
    ("recording", "record_mode session_record"),
    ("count_in", "is_counting_in"),
    ("loop", "loop loop_start loop_length"),
    ("markers", "cue_points"),
    ("regions", "tracks"),
)
SONG_CALLS = (
    ("milliseconds", "get_current_smpte_song_time"),
    ("do_marker", "set_or_delete_cue"),
    ("do_print", "create_midi_track"),
    ("undo", "begin_undo_step end_undo_step"),
    ("session", "get_data"),
    ("do_session", "set_data"),
)
TRACK_CALLS = (
    ("regions", "arrangement_clips"),
    ("do_print", "clip_slots"),
    ("print_direct", "create_midi_clip"),
    ("clip_listener", "add_arrangement_clips_listener"),
)


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
    """(address, values) of one OSC message; raises ValueError, KeyError or struct.error for anything else."""

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
            parts.append({"part": row[1], "name": row[2], "notes": [], "controls": 0})
        elif row[0] == "note":
            parts[-1]["notes"].append((float(row[1]), float(row[2]), int(row[3]), int(row[4])))
        elif row[0] == "control":
            parts[-1]["controls"] += 1
    return head[1], float(head[4]), float(head[5]), parts


class Capabilities(object):
    """What of Live works: {(feature, call): (works, why)}; one line in the log for each kind of error."""

    def __init__(self, log):
        self.rows = {}
        self._log, self._logged = log, set()

    def set(self, feature, call, works, why=""):
        self.rows[feature, call] = (works, why)

    def failed(self, feature, call, error):
        why = ("%s: %s" % (type(error).__name__, error))[:200]
        self.set(feature, call, REFUSED, why)
        kind = (call, type(error).__name__)
        if kind not in self._logged:
            self._logged.add(kind)
            self.say("%s: %s" % (call, why))

    def say(self, text):
        try:
            self._log("CueBridge: " + text)
        except Exception:
            pass  # without a log there is still the list

    def guard(self, feature, call, do, *args):
        """What it answers; None where it raised, which is noted, until it works again."""
        try:
            answer = do(*args)
        except Exception as error:
            self.failed(feature, call, error)
            return None
        if self.rows.get((feature, call), (WORKS,))[0] == REFUSED:
            self.set(feature, call, WORKS)
        return answer

    def attempt(self, feature, call, do, *args):
        """As guard, and notes that it works."""
        self.set(feature, call, WORKS)
        return self.guard(feature, call, do, *args)

    def works(self, feature):
        return all(row[0] != REFUSED for (one, _), row in self.rows.items() if one == feature)

    def items(self):
        return [(feature, call, works, why) for (feature, call), (works, why) in sorted(self.rows.items())]


class Now(object):
    """The set at one moment.  Everything of a tick is worked out from one reading: while Live plays, its song time
    moves on between two."""

    def __init__(self, song, capabilities):
        guard = capabilities.guard
        self.looked = time.perf_counter()
        self.beat = song.current_song_time
        self.playing, self.bpm = song.is_playing, song.tempo
        self.numerator, self.denominator = song.signature_numerator, song.signature_denominator
        exact = self.beat * 60.0 / self.bpm
        self.second, self.steady = exact, True
        told = guard("milliseconds", "Song.get_current_smpte_song_time", self._told, song)
        # Where one tempo was in force from the beginning, the beats say exactly what Live tells in milliseconds.
        if told is not None and abs(exact - told) >= 0.003:
            later = song.current_song_time * 60.0 / self.bpm if self.playing else exact
            if not exact - 0.003 < told < later + 0.003:  # nor did it move on between the two readings
                self.second, self.steady = told, False

    @staticmethod
    def _told(song):
        told = song.get_current_smpte_song_time(SMPTE_MILLISECONDS)
        return told.hours * 3600 + told.minutes * 60 + told.seconds + told.frames / 1000.0

    def second_of(self, beat):
        """Second of a beat, at the present tempo: the only one that Live tells."""
        if self.steady:  # the same wherever the playhead is, to the last digit: nothing seems to have moved
            return max(0.0, beat * 60.0 / self.bpm)
        return max(0.0, self.second + (beat - self.beat) * 60.0 / self.bpm)


class CueBridge(object):
    """What Live sees of a Remote Script: the methods at the end are called by Live."""

    def __init__(self, c_instance):
        self._live = c_instance
        self._song = c_instance.song()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self._heard = None
        self._hello_at = self._sent_at = -100.0
        self._sequence = 0
        self._last = None
        self._lists = {}
        self._facts = {}
        self._done = {}
        self._jobs = []  # locators still to be set or removed: (request, its steps)
        self._before = None  # where the playhead stood before we moved it for them
        self._search = None  # the search for clips that are for us, while it is under way
        self._search_at = -100.0
        self._watched = []  # (object, listener's name, listener) of all that was added
        self._capabilities = Capabilities(c_instance.log_message)
        self._version = self._capabilities.guard("version", "Application.get_major_version", self._read_version) or ""
        self._try_live()
        self._ours = self._remembered()  # marker number -> (name in Live, beat)
        for name in WATCHED:
            self._watch("listeners", self._song, "Song", name, self._changed)
        self._watch("listeners", self._song, "Song", "tracks", self._tracks_changed)
        self._capabilities.guard("log", "log_message", self._greet)

    def _greet(self):
        self._live.log_message("CueBridge script %s, bridge at %s:%d" % ((VERSION,) + BRIDGE))

    # what of Live works ------------------------------------------------------------------------------------------
    @staticmethod
    def _read_version():
        live = Live.Application.get_application()
        return "%d.%d.%d" % (live.get_major_version(), live.get_minor_version(), live.get_bugfix_version())

    def _try_live(self):
        """Reads what can be read and makes what leaves no trace; what would change the set is looked up only."""
        song, known = self._song, self._capabilities
        for feature, names in SONG_READS:
            for name in names.split():
                known.attempt(feature, "Song." + name, getattr, song, name)
        for feature, names in SONG_CALLS:
            for name in names.split():
                known.attempt(feature, "Song." + name, getattr, song, name)
        known.attempt("milliseconds", "Song.get_current_smpte_song_time", Now._told, song)
        known.attempt("do_print", "Live.Clip.MidiNoteSpecification", self._note, 60, 0.0, 1.0, 64)
        self._try_a_track()
        self._try_names()

    def _try_a_track(self):
        known, track = self._capabilities, self._any_midi_track()
        for feature, names in TRACK_CALLS:
            for name in names.split():
                if track is None:
                    known.set(feature, "Track." + name, NOT_TRIED, "there is no MIDI track yet")
                else:
                    known.attempt(feature, "Track." + name, getattr, track, name)

    def _try_names(self):
        """Whether locators can be named: some versions have the name without a setter."""
        cues = self._capabilities.guard("markers", "Song.cue_points", lambda: list(self._song.cue_points)) or []
        kind = type(cues[0]) if cues else getattr(getattr(Live, "Song", None), "CuePoint", None)
        name = getattr(kind, "name", None)
        if not isinstance(name, property):
            self._capabilities.set("marker_names", "CuePoint.name", NOT_TRIED, "tried with the first locator")
        elif name.fset is None:
            self._capabilities.set("marker_names", "CuePoint.name", REFUSED, "it can be read only")
        else:
            self._capabilities.set("marker_names", "CuePoint.name", WORKS)

    def _any_midi_track(self):
        for track in self._capabilities.guard("regions", "Song.tracks", lambda: list(self._song.tracks)) or ():
            if self._capabilities.guard("do_print", "Track.has_midi_input", getattr, track, "has_midi_input"):
                return track
        return None

    @staticmethod
    def _note(pitch, start, length, velocity):
        return Live.Clip.MidiNoteSpecification(
            pitch=pitch, start_time=start, duration=length, velocity=float(velocity), mute=False
        )

    def _watch(self, feature, thing, kind, name, listener):
        """Listens; True if Live lets us."""

        def add():
            getattr(thing, "add_%s_listener" % name)(listener)
            self._watched.append((thing, name, listener))
            return True

        return bool(self._capabilities.guard(feature, "%s.add_%s_listener" % (kind, name), add))

    # what the set says -------------------------------------------------------------------------------------------
    def _transport(self, now):
        song, guard = self._song, self._capabilities.guard
        flags = 1 if now.playing else 0
        if now.playing:
            arranging = guard("recording", "Song.record_mode", getattr, song, "record_mode")
            if arranging or guard("recording", "Song.session_record", getattr, song, "session_record"):
                flags |= 2
        if guard("loop", "Song.loop", getattr, song, "loop"):
            flags |= 8
        if guard("count_in", "Song.is_counting_in", getattr, song, "is_counting_in"):
            flags |= 16
        return now.looked, now.second, now.beat, now.bpm, now.numerator, now.denominator, flags

    def _look(self, now):
        # Only a steady tempo makes a map; an automated one is told as it goes by, in the transport message.
        if now.steady:
            self._offer("tempomap", [(0.0, 0.0, now.bpm, now.numerator, now.denominator, 0)])
        elif now.playing:
            return  # beats of markers cannot be told in seconds while the tempo glides
        self._capabilities.guard("markers", "Song.cue_points", self._look_at_markers, now)
        self._capabilities.guard("regions", "clips", self._look_at_clips, now)

    def _look_at_markers(self, now):
        mine = set(self._ours.values())
        markers = []
        for number, cue in enumerate(self._song.cue_points):
            name, beat = cue.name, cue.time
            if (name, round(beat, 6)) not in mine:
                markers.append((number + 1, round(now.second_of(beat), 6), name))
        self._offer("markers", markers)

    def _look_at_clips(self, now):
        """Clips whose names are for us: all are looked at after a change, and every other second."""
        if self._search is None and now.looked - self._search_at >= CLIPS_EVERY_S:
            self._search, self._search_at = self._clips_for_us(), now.looked
        if self._search is None:
            return
        search, self._search = self._search, None  # for whatever raises on the way
        for found in search:
            if found is None:  # enough for one tick
                self._search = search
                return
            self._offer(
                "regions",
                [
                    (index + 1, round(now.second_of(start), 6), round(now.second_of(end), 6), name)
                    for index, (start, end, name) in enumerate(found)
                ],
            )

    def _clips_for_us(self):
        """None after each stretch of clips, and at the end [(first beat, last beat, name)]."""
        found, seen = [], 0
        for track in list(self._song.tracks):
            self._listen_to_clips(track)
            for clip in self._clips_of(track):
                name = clip.name
                if name.split(":")[0].split(" ")[0].lower() in OURS:
                    found.append((clip.start_time, clip.end_time, name))
                seen += 1
                if seen % CLIPS_A_TICK == 0:
                    yield None
        yield found

    def _listen_to_clips(self, track):
        if self._capabilities.works("clip_listener") and not any(one[0] == track for one in self._watched):
            try:
                track.add_arrangement_clips_listener(self._clips_changed)
                self._watched.append((track, "arrangement_clips", self._clips_changed))
            except AttributeError as error:
                self._capabilities.failed("clip_listener", "Track.add_arrangement_clips_listener", error)
            except RuntimeError:
                pass  # a kind of track that has no arrangement

    def _clips_changed(self):
        self._search_at = -100.0

    def _tracks_changed(self):
        there = list(self._song.tracks)
        self._watched = [one for one in self._watched if one[1] != "arrangement_clips" or one[0] in there]
        self._search, self._search_at = None, -100.0
        if any(works == NOT_TRIED for works, _ in self._capabilities.rows.values()):
            self._try_a_track()
            self._try_names()

    @staticmethod
    def _clips_of(track):
        """Its clips in the arrangement; none where the kind of track has none (Live raises RuntimeError for those)."""
        try:
            return list(track.arrangement_clips)
        except (AttributeError, RuntimeError):
            return []

    # what the bridge asks ----------------------------------------------------------------------------------------
    def _do_marker(self, request, number, second, name, rgb):
        if self._song.is_playing:
            return 0, "stop Live first: it sets locators only at the playhead"
        self._jobs.append((request, self._place(number, second, name)))
        return None  # answered when it is set

    def _do_unmark(self, request, number):
        if self._song.is_playing:
            return 0, "stop Live first: it removes locators only at the playhead"
        self._jobs.append((request, self._clear(list(self._ours) if number < 0 else [number])))
        return None

    def _step_jobs(self):
        """One step of the first job a tick; then the playhead goes back to where it was."""
        song = self._song
        if not self._jobs:
            if self._before is not None:
                before, self._before = self._before, None
                song.current_song_time = before
            return
        if song.is_playing:
            jobs, self._jobs, self._before = self._jobs, [], None
            for request, _ in jobs:
                self._answer(request, 0, "Live was started before the locator was set")
            return
        if self._before is None:
            self._before = song.current_song_time
        request, job = self._jobs[0]
        try:
            next(job)
        except StopIteration as end:
            self._jobs.pop(0)
            self._remember()
            self._answer(request, 1, end.value or "")
        except (
            Exception
        ) as error:  # a place beyond the song's end, a locator that Live does not set: the bridge hears it
            self._jobs.pop(0)
            self._answer(request, 0, "%s" % error)

    def _place(self, number, second, name):
        """Steps that set a locator, or move it; at the end what there is to say."""
        now = Now(self._song, self._capabilities)
        beat = max(0.0, now.beat + (second - now.second) * now.bpm / 60.0)
        old = self._ours.get(number)
        if old is not None and (abs(old[1] - beat) > 1e-6 or self._cue_at(old[1]) is None):
            for _ in self._clear([number]):
                yield
        cue = self._cue_at(beat)
        if cue is not None and number not in self._ours and cue.name != name:
            return "a locator of yours is there already; it stays as it is"
        if cue is None:
            for _ in self._toggle(beat, True):
                yield
            cue = self._cue_at(beat)
        self._ours[number] = (cue.name, round(cue.time, 6))
        if cue.name == name:
            return ""
        if not self._capabilities.works("marker_names"):
            return "set, but locators cannot be named in this Live"
        try:
            cue.name = name
        except Exception as error:
            self._capabilities.failed("marker_names", "CuePoint.name", error)
            return "set, but locators cannot be named in this Live"
        for _ in range(3):  # a name may be in force a moment late
            yield
            cue = self._cue_at(beat)
            if cue is None or cue.name == name:
                break
        if cue is None:
            return "the locator was taken away again meanwhile"
        self._ours[number] = (cue.name, round(cue.time, 6))
        if cue.name != name:
            self._capabilities.set("marker_names", "CuePoint.name", REFUSED, "a new name is not kept")
            return "set, but locators cannot be named in this Live"
        self._capabilities.set("marker_names", "CuePoint.name", WORKS)
        return ""

    def _clear(self, numbers):
        """Steps that take locators away."""
        for number in numbers:
            name, beat = self._ours.get(number, ("", None))
            cue = self._cue_at(beat) if beat is not None else None
            if cue is not None and cue.name == name:  # one that was renamed is the composer's
                for _ in self._toggle(beat, False):
                    yield
            self._ours.pop(number, None)

    def _toggle(self, beat, wanted):
        """Steps that set or remove the locator at a beat.  Live moves a stopped playhead a moment late; it may snap a
        locator to its grid, and some versions set it at the insert marker instead, which no script can move: what that
        did is undone."""
        song = self._song
        song.current_song_time = beat
        for _ in range(20):
            yield
            if abs(song.current_song_time - beat) < 1e-3:
                break
        else:
            raise RuntimeError("Live does not move the playhead there")
        before = [(cue.time, cue.name) for cue in song.cue_points]
        song.set_or_delete_cue()
        for _ in range(5):
            yield
            after = [(cue.time, cue.name) for cue in song.cue_points]
            if after != before:
                break
        if (self._cue_at(beat) is not None) == wanted:
            return
        changed = [at for at, _ in set(after) ^ set(before)]
        if changed:
            for _ in self._take_back(before):
                yield
        near = [at for at in changed if abs(at - beat) <= 4.0 * song.signature_numerator / song.signature_denominator]
        if near and all(abs(at / GRID_BEATS - round(at / GRID_BEATS)) < 1e-3 for at in near):
            raise RuntimeError(
                "Live set the locator on its grid, not where it belongs: switch Options > Snap to Grid off"
            )
        raise RuntimeError("this Live sets locators at its insert marker only, which no script can move")

    def _take_back(self, before):
        """Steps that undo a locator set, or removed, in the wrong place."""
        self._song.set_or_delete_cue()
        yield
        for time_beats, name in before:
            cue = self._cue_at(time_beats)
            if cue is not None and cue.name != name:
                try:
                    cue.name = name
                except Exception:
                    raise RuntimeError(
                        "Live took the locator %r away instead of setting one; it is back, but this Live lets no "
                        "script name it: undo in Live gives the name back" % name
                    )

    def _cue_at(self, beat):
        for cue in self._song.cue_points:
            if abs(cue.time - beat) < 1e-3:
                return cue
        return None

    def _remembered(self):
        """Our locators, kept with the set: a script that is loaded again still knows them."""
        text = self._capabilities.guard("session", "Song.get_data", self._song_data, MARKERS_KEY)
        try:
            return {int(key): (name, float(beat)) for key, (name, beat) in json.loads(text or "{}").items()}
        except (AttributeError, TypeError, ValueError):
            return {}

    def _remember(self):
        text = json.dumps(self._ours)
        if text != (self._capabilities.guard("session", "Song.get_data", self._song_data, MARKERS_KEY) or "{}"):
            self._capabilities.guard("do_session", "Song.set_data", lambda: self._song.set_data(MARKERS_KEY, text))

    def _song_data(self, key):
        return self._song.get_data(key, "")

    def _do_tempo(self, request, *values):
        steps = [values[at : at + 4] for at in range(0, len(values) - 3, 4)]
        if not steps:
            return 0, "a tempo map without a tempo"
        self._song.tempo = steps[0][1]
        self._song.signature_numerator, self._song.signature_denominator = int(steps[0][2]), int(steps[0][3])
        if len(steps) > 1:
            return 0, "Live lets a script set one tempo only: the first was set, import the rest from the .mid"
        return 1, ""

    def _track_of(self, part):
        for track in self._song.tracks:
            if track.has_midi_input and track.name.strip().lower() in (part, "cuebridge " + part):
                return track
        self._song.create_midi_track(-1)
        track = list(self._song.tracks)[-1]
        track.name = part
        return track

    def _do_print(self, request, path):
        name, start, end, parts = read_job(path)
        count = left = 0
        guard = self._capabilities.guard
        guard("undo", "Song.begin_undo_step", lambda: self._song.begin_undo_step())
        try:
            for part in parts:
                track = self._track_of(part["part"])
                self._print_part(track, part, start, end)
                count += len(part["notes"])
                left += part["controls"]
        finally:
            guard("undo", "Song.end_undo_step", lambda: self._song.end_undo_step())
        text = "%d notes in %d clips" % (count, len(parts))
        if left:
            text += "; %d controller values are left out, Live lets no script write them" % left
        return 1, text

    def _print_part(self, track, part, start, end, direct=True):
        notes = tuple(self._note(pitch, at - start, length, force) for at, length, pitch, force in part["notes"])
        direct = direct and hasattr(track, "create_midi_clip")
        slots = [slot for slot in track.clip_slots if not slot.has_clip] if not direct else []
        if not direct and not slots:
            raise RuntimeError("no empty clip slot on the track %s" % track.name)
        for clip in self._clips_of(track):  # printed over the same range before: replaced
            same = abs(clip.start_time - start) < 1e-3 and abs(clip.end_time - end) < 1e-3
            if same and clip.name == part["name"]:
                track.delete_clip(clip)
        if direct:  # Live 12.1.10
            try:
                clip = track.create_midi_clip(float(start), float(end - start))
                clip = clip or next(one for one in self._clips_of(track) if abs(one.start_time - start) < 1e-3)
            except Exception as error:  # a frozen track, say: this once through a slot
                self._capabilities.failed("print_direct", "Track.create_midi_clip", error)
                return self._print_part(track, part, start, end, False)
            clip.name = part["name"]
            clip.add_new_notes(notes)
            self._capabilities.set("print_direct", "Track.create_midi_clip", WORKS)
            return None
        slots[0].create_clip(float(end - start))
        try:
            clip = slots[0].clip
            clip.name = part["name"]
            clip.add_new_notes(notes)
            track.duplicate_clip_to_arrangement(clip, float(start))
        finally:
            slots[0].delete_clip()
        return None

    def _do_session(self, request, path):
        self._song.set_data(SESSION_KEY, path)
        return 1, ""

    # address -> (what it is for, the method)
    DOES = {
        "/daw/do/marker": ("do_marker", _do_marker),
        "/daw/do/unmark": ("do_marker", _do_unmark),
        "/daw/do/tempo": ("do_tempo", _do_tempo),
        "/daw/do/print": ("do_print", _do_print),
        "/daw/do/session": ("do_session", _do_session),
    }

    # the conversation --------------------------------------------------------------------------------------------
    def _send(self, address, tags="", *values):
        """How many bytes it was."""
        data = encode(address, tags, values)
        try:
            self._socket.sendto(data, BRIDGE)
        except OSError:
            pass  # Windows reports a bridge that went away (10054) here; uncaught it would freeze Live's scripts
        return len(data)

    def _answer(self, request, ok, text):
        self._done[request] = (ok, text)
        self._send("/daw/ack", "iis", request, ok, text[:1000])

    def _receive(self, now):
        for _ in range(64):
            try:
                data, sender = self._socket.recvfrom(65536)
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
                    return
                continue  # 10054 again
            if sender[0] != BRIDGE[0]:
                continue
            try:
                address, values = decode(data)
            except (ValueError, KeyError, struct.error):
                continue
            self._heard = now
            self._capabilities.guard("conversation", "receive", self._take, address, values)

    def _take(self, address, values):
        if address == "/daw/welcome":
            self._done, self._facts, self._last = {}, {}, None
            for one in self._lists.values():
                one.update(got=False, sent=-100.0, next=0)
        elif address == "/daw/who":
            self._hello_at = -100.0
        elif address == "/daw/got" and len(values) == 2:
            one = self._lists.get(values[0])
            if one is not None and one["revision"] == values[1]:
                one["got"] = True
        elif address == "/daw/error" and values and values[0] == "/daw/capabilities":
            self._lists["capabilities"]["got"] = True  # an older bridge: it does without
        elif address in self.DOES and values:
            request = values[0]
            if any(waiting == request for waiting, _ in self._jobs):
                return  # on its way
            if request in self._done:  # done before; only the answer was lost
                self._answer(request, *self._done[request])
                return
            try:
                answer = self.DOES[address][1](self, *values)
            except Exception as error:  # whatever it is, the bridge has to hear of it
                if isinstance(error, AttributeError):  # this Live does not have it
                    self._capabilities.failed(self.DOES[address][0], address, error)
                answer = (0, "%s" % error)
            if answer is not None:
                self._answer(request, *answer)

    def _offer(self, what, items):
        items = items[:MAX_ITEMS]
        one = self._lists.setdefault(what, {"items": None, "revision": 0, "got": False, "sent": -100.0, "next": 0})
        if one["items"] != items:
            one.update(items=items, revision=one["revision"] + 1, got=False, sent=-100.0, next=0)

    def _send_lists(self, now):
        """Some of them at each tick: what comes in one go may be more than the bridge's socket holds."""
        left = BYTES_A_TICK
        for what, one in self._lists.items():
            if one["got"] or (one["next"] == 0 and now - one["sent"] < REPEAT_AFTER_S):
                continue
            tags, most = LISTS[what]
            while left > 0:
                first = one["next"]
                items = one["items"][first : first + most]
                flat = [value for item in items for value in item]
                head = (one["revision"], len(one["items"]), first)
                left -= self._send("/daw/" + what, "iii" + tags * len(items), *(head + tuple(flat)))
                one["sent"], one["next"] = now, first + most
                if one["next"] >= len(one["items"]):
                    one["next"] = 0
                    break

    def _fact(self, address, tags, values, now):
        before = self._facts.get(address)
        if before is None or before[0] != values or now - before[1] > HELLO_EVERY_S:
            self._facts[address] = (values, now)
            self._send(address, tags, *values)

    def _tell(self, now):
        state = self._transport(now)
        if not state[6] & 1 and state[1:] == self._last and now.looked - self._sent_at < 1.0:
            return
        self._last, self._sent_at = state[1:], now.looked
        self._sequence += 1
        self._send("/daw/transport", "iddddiii", self._sequence, *state)

    def _changed(self):
        """A listener: something about the transport is new."""
        if self._heard is not None and not self._jobs and self._before is None:
            self._capabilities.guard("transport", "Song", lambda: self._tell(Now(self._song, self._capabilities)))

    def _loop(self, now):
        song = self._song
        first, length = song.loop_start, song.loop_length
        start, end = now.second_of(first), now.second_of(first + length)
        self._fact("/daw/loop", "idd", (int(song.loop), round(start, 6), round(end, 6)), now.looked)

    def _tick(self):
        at = time.perf_counter()
        self._receive(at)
        if self._heard is not None and at - self._heard > QUIET_AFTER_S:
            self._heard = None
        if self._hello_at < 0 or (self._heard is None and at - self._hello_at >= HELLO_EVERY_S):
            self._hello_at = at
            abilities = " ".join(one for one in OFFERED.split() if self._capabilities.works(one))
            interpreter = "%s %s" % (platform.python_implementation(), platform.python_version())
            self._send(
                "/daw/hello", "ssiissss", "live", VERSION, PROTOCOL, 0, self._version, "", abilities, interpreter
            )
        if self._heard is None:
            return
        guard = self._capabilities.guard
        guard("do_marker", "locators", self._step_jobs)
        self._offer("capabilities", self._capabilities.items())
        if not self._jobs and self._before is None:  # else the playhead is where we put it: not a position to tell
            now = guard("transport", "Song", Now, self._song, self._capabilities)
            if now is not None:
                guard("transport", "Song", self._tell, now)
                self._look(now)
                guard("loop", "Song.loop", self._loop, now)
        path = guard("session", "Song.get_data", self._song_data, SESSION_KEY)
        if path:
            self._fact("/daw/session", "s", (path,), at)
        self._send_lists(at)

    # called by Live ----------------------------------------------------------------------------------------------
    def update_display(self):
        # An error that escapes would end the script until Live is restarted.
        self._capabilities.guard("conversation", "update_display", self._tick)

    def disconnect(self):
        for thing, name, listener in self._watched:
            try:
                getattr(thing, "remove_%s_listener" % name)(listener)
            except Exception:
                pass  # the object is gone, or Live forgot the listener
        self._watched = []
        if self._heard is not None:
            self._send("/daw/bye")
        self._socket.close()

    def connect_script_instances(self, instanciated_scripts):
        pass

    def can_lock_to_devices(self):
        return False

    def refresh_state(self):
        self._last = None

    def request_rebuild_midi_map(self):
        pass

    def build_midi_map(self, midi_map_handle):
        pass

    def receive_midi(self, midi_bytes):
        pass

    def port_settings_changed(self):
        pass

    def suggest_input_port(self):
        return ""

    def suggest_output_port(self):
        return ""

    def suggest_map_mode(self, cc_no, channel):
        return -1
