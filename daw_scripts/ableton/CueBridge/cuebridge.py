"""The Remote Script: tells the bridge where Live's transport is, and does what the bridge asks for.

Live calls `update_display` about every 100 ms; in between, listeners tell of changes at once.  Standard library only,
Python 3.7 (Live 11) and newer, no threads: Live's objects may be touched from its main thread alone.

What Live does not let a script do: read a tempo map ahead (tempo and signature are those of the moment), read a frame
rate, set a locator anywhere but at the playhead of a stopped Live (in some versions: at its insert marker, which no
script can move), write controller curves into a clip.
"""

import errno
import socket
import struct
import time

import Live

VERSION = "1"
PROTOCOL = 1
BRIDGE = ("127.0.0.1", 9317)
HELLO_EVERY_S = 2.0
QUIET_AFTER_S = 5.0
REPEAT_AFTER_S = 1.0
ABILITIES = "transport tempomap loop markers regions session do_marker do_tempo do_print do_session"
SESSION_KEY = "cuebridge_session"
SMPTE_MILLISECONDS = 0  # get_current_smpte_song_time: the field `frames` then holds milliseconds
OURS = ("chords", "pin", "section", "cue", "hit", "print")  # what a clip's name begins with if it is for us
LISTS = {"tempomap": ("dddiii", 10), "markers": ("ids", 20), "regions": ("idds", 15)}
WATCHED = (
    "is_playing", "tempo", "signature_numerator", "signature_denominator", "loop", "loop_start", "loop_length",
    "record_mode",
)  # fmt: skip


def encode(address, tags, values):
    """One OSC message."""

    def text(value):
        raw = value.encode("utf-8") + b"\0"
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
        self._ours = {}  # marker number -> (name, beat)
        self._jobs = []  # locators still to be set or removed: (request, its steps)
        self._before = None  # where the playhead stood before we moved it for them
        for name in WATCHED:
            getattr(self._song, "add_%s_listener" % name)(self._changed)
        self._live.log_message("CueBridge script %s, bridge at %s:%d" % ((VERSION,) + BRIDGE))

    # what the set says -------------------------------------------------------------------------------------------
    def _second(self):
        """Second of the playhead.  Live tells milliseconds; where the tempo was the same from the beginning, the
        beats say it exactly."""
        song = self._song
        told = song.get_current_smpte_song_time(SMPTE_MILLISECONDS)
        second = told.hours * 3600 + told.minutes * 60 + told.seconds + told.frames / 1000.0
        exact = song.current_song_time * 60.0 / song.tempo
        return exact if abs(exact - second) < 0.003 else second

    def _steady(self):
        """Whether one tempo explains the playhead's second: else the tempo is automated."""
        return abs(self._second() - self._song.current_song_time * 60.0 / self._song.tempo) < 1e-9

    def _transport(self):
        song = self._song
        looked = time.perf_counter()
        flags = 1 if song.is_playing else 0
        if song.is_playing and (song.record_mode or song.session_record):
            flags |= 2
        if song.loop:
            flags |= 8
        if song.is_counting_in:
            flags |= 16
        beat, bpm = song.current_song_time, song.tempo
        return looked, self._second(), beat, bpm, song.signature_numerator, song.signature_denominator, flags

    def _seconds_of(self, beat):
        """Second of a beat, at the present tempo: the only one that Live tells."""
        if self._steady():  # the same wherever the playhead is, to the last digit: nothing seems to have moved
            return max(0.0, beat * 60.0 / self._song.tempo)
        here = self._song.current_song_time
        return max(0.0, self._second() + (beat - here) * 60.0 / self._song.tempo)

    def _look(self):
        song = self._song
        # Only a steady tempo makes a map; an automated one is told as it goes by, in the transport message.
        steady = self._steady()
        if steady:
            point = (0.0, 0.0, song.tempo, song.signature_numerator, song.signature_denominator, 0)
            self._offer("tempomap", [point])
        elif song.is_playing:
            return  # beats of markers cannot be told in seconds while the tempo glides
        mine = set(self._ours.values())
        markers = []
        for number, cue in enumerate(song.cue_points):
            if (cue.name, round(cue.time, 6)) not in mine:
                markers.append((number + 1, round(self._seconds_of(cue.time), 6), cue.name))
        self._offer("markers", markers)
        regions = []
        for track in song.tracks:
            for clip in self._clips_of(track):
                if clip.name.split(":")[0].split(" ")[0].lower() in OURS:
                    start, end = self._seconds_of(clip.start_time), self._seconds_of(clip.end_time)
                    regions.append((len(regions) + 1, round(start, 6), round(end, 6), clip.name))
        self._offer("regions", regions)

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
                song.current_song_time, self._before = self._before, None
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
        except StopIteration:
            self._jobs.pop(0)
            self._answer(request, 1, "")
        except (
            Exception
        ) as error:  # a place beyond the song's end, a locator that Live does not set: the bridge hears it
            self._jobs.pop(0)
            self._answer(request, 0, "%s" % error)

    def _place(self, number, second, name):
        """Steps that set a locator, or move it."""
        beat = max(0.0, self._song.current_song_time + (second - self._second()) * self._song.tempo / 60.0)
        old = self._ours.get(number)
        if old is not None and abs(old[1] - beat) > 1e-6:
            for _ in self._clear([number]):
                yield
        if self._cue_at(beat) is None:
            for _ in self._toggle(beat, True):
                yield
        cue = self._cue_at(beat)
        cue.name = name
        self._ours[number] = (name, round(cue.time, 6))

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
        """Steps that set or remove the locator at a beat.  Live moves a stopped playhead a moment late, and some
        versions set locators at the insert marker instead, which no script can move: what that did is undone."""
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
            if [(cue.time, cue.name) for cue in song.cue_points] != before:
                break
        if (self._cue_at(beat) is not None) == wanted:
            return
        if [(cue.time, cue.name) for cue in song.cue_points] != before:
            song.set_or_delete_cue()
            yield
            for time_beats, name in before:
                cue = self._cue_at(time_beats)
                if cue is not None and cue.name != name:
                    cue.name = name
        raise RuntimeError("this Live sets locators at its insert marker only, which no script can move")

    def _cue_at(self, beat):
        for cue in self._song.cue_points:
            if abs(cue.time - beat) < 1e-3:
                return cue
        return None

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
        track = self._song.create_midi_track(-1)
        track.name = part
        return track

    def _do_print(self, request, path):
        name, start, end, parts = read_job(path)
        count = left = 0
        self._song.begin_undo_step()
        try:
            for part in parts:
                track = self._track_of(part["part"])
                slots = [slot for slot in track.clip_slots if not slot.has_clip]
                if not slots:
                    return 0, "no empty clip slot on the track %s" % track.name
                for clip in self._clips_of(track):  # printed over the same range before: replaced
                    same = abs(clip.start_time - start) < 1e-3 and abs(clip.end_time - end) < 1e-3
                    if same and clip.name == part["name"]:
                        track.delete_clip(clip)
                slots[0].create_clip(end - start)
                clip = slots[0].clip
                clip.name = part["name"]
                notes = [
                    Live.Clip.MidiNoteSpecification(
                        pitch=pitch, start_time=beat - start, duration=length, velocity=float(velocity), mute=False
                    )
                    for beat, length, pitch, velocity in part["notes"]
                ]
                clip.add_new_notes(tuple(notes))
                track.duplicate_clip_to_arrangement(clip, start)
                slots[0].delete_clip()
                count += len(notes)
                left += part["controls"]
        finally:
            self._song.end_undo_step()
        text = "%d notes in %d clips" % (count, len(parts))
        if left:
            text += "; %d controller values are left out, Live lets no script write them" % left
        return 1, text

    def _do_session(self, request, path):
        self._song.set_data(SESSION_KEY, path)
        return 1, ""

    DOES = {
        "/daw/do/marker": _do_marker,
        "/daw/do/unmark": _do_unmark,
        "/daw/do/tempo": _do_tempo,
        "/daw/do/print": _do_print,
        "/daw/do/session": _do_session,
    }

    # the conversation --------------------------------------------------------------------------------------------
    def _send(self, address, tags="", *values):
        try:
            self._socket.sendto(encode(address, tags, values), BRIDGE)
        except OSError:
            pass  # Windows reports a bridge that went away (10054) here; uncaught it would freeze Live's scripts

    def _answer(self, request, ok, text):
        self._done[request] = (ok, text)
        self._send("/daw/ack", "iis", request, ok, text)

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
            self._take(address, values)

    def _take(self, address, values):
        if address == "/daw/welcome":
            self._done, self._facts, self._last = {}, {}, None
            for one in self._lists.values():
                one["got"] = False
                one["sent"] = -100.0
        elif address == "/daw/who":
            self._hello_at = -100.0
        elif address == "/daw/got" and len(values) == 2:
            one = self._lists.get(values[0])
            if one is not None and one["revision"] == values[1]:
                one["got"] = True
        elif address in self.DOES and values:
            request = values[0]
            if any(waiting == request for waiting, _ in self._jobs):
                return  # on its way
            if request in self._done:  # done before; only the answer was lost
                self._answer(request, *self._done[request])
                return
            try:
                answer = self.DOES[address](self, *values)
            except Exception as error:  # whatever it is, the bridge has to hear of it
                answer = (0, "%s" % error)
            if answer is not None:
                self._answer(request, *answer)

    def _offer(self, what, items):
        one = self._lists.setdefault(what, {"items": None, "revision": 0, "got": False, "sent": -100.0})
        if one["items"] != items:
            one.update(items=items, revision=one["revision"] + 1, got=False, sent=-100.0)

    def _send_lists(self, now):
        for what, one in self._lists.items():
            if one["got"] or now - one["sent"] < REPEAT_AFTER_S:
                continue
            one["sent"] = now
            tags, most = LISTS[what]
            for first in range(0, max(1, len(one["items"])), most):
                items = one["items"][first : first + most]
                flat = [value for item in items for value in item]
                head = (one["revision"], len(one["items"]), first)
                self._send("/daw/" + what, "iii" + tags * len(items), *(head + tuple(flat)))

    def _fact(self, address, tags, values, now):
        before = self._facts.get(address)
        if before is None or before[0] != values or now - before[1] > HELLO_EVERY_S:
            self._facts[address] = (values, now)
            self._send(address, tags, *values)

    def _tell(self, now):
        state = self._transport()
        if not state[6] & 1 and state[1:] == self._last and now - self._sent_at < 1.0:
            return
        self._last, self._sent_at = state[1:], now
        self._sequence += 1
        self._send("/daw/transport", "iddddiii", self._sequence, *state)

    def _changed(self):
        """A listener: something about the transport is new."""
        if self._heard is not None and not self._jobs and self._before is None:
            self._tell(time.perf_counter())

    def _tick(self):
        now = time.perf_counter()
        self._receive(now)
        if self._heard is not None and now - self._heard > QUIET_AFTER_S:
            self._heard = None
        if self._hello_at < 0 or (self._heard is None and now - self._hello_at >= HELLO_EVERY_S):
            self._hello_at = now
            live = Live.Application.get_application()
            version = "%d.%d.%d" % (
                live.get_major_version(), live.get_minor_version(), live.get_bugfix_version()
            )  # fmt: skip
            self._send("/daw/hello", "ssiisss", "live", VERSION, PROTOCOL, 0, version, "", ABILITIES)
        if self._heard is None:
            return
        self._step_jobs()
        if self._jobs or self._before is not None:
            return  # the playhead is where we put it: not a position to tell
        self._tell(now)
        self._look()
        song = self._song
        start, end = self._seconds_of(song.loop_start), self._seconds_of(song.loop_start + song.loop_length)
        self._fact("/daw/loop", "idd", (int(song.loop), round(start, 6), round(end, 6)), now)
        path = song.get_data(SESSION_KEY, "")
        if path:
            self._fact("/daw/session", "s", (path,), now)
        self._send_lists(now)

    # called by Live ----------------------------------------------------------------------------------------------
    def update_display(self):
        try:
            self._tick()
        except Exception as error:  # an error that escapes would end the script until Live is restarted
            self._live.log_message("CueBridge: %r" % error)

    def disconnect(self):
        for name in WATCHED:
            getattr(self._song, "remove_%s_listener" % name)(self._changed)
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
