// CueBridge for Bitwig Studio 5 and newer: tells the bridge where the transport is, sets its cue markers and puts takes
// into its clip launcher.  ES5, the controller API alone.  Settings (host, ports) are in the controller's panel; they
// count from the next start of the script, since Bitwig opens connections only then.
//
// What Bitwig does not let a script do: read a tempo map or a frame rate, read files, put a file at a place of the
// arranger.  A take is printed as clips into one row of the launcher, from where they are dragged to the arranger.
//
// The host's methods are Java's: they can be called, but have no call or apply.  What is set, made or removed is in
// force a moment later.  At load the script tries what it needs of Bitwig and tells the bridge what works
// (/daw/capabilities); the first error of each kind goes to the controller script console.

loadAPI(17);
host.setShouldFailOnDeprecatedUse(true);
host.defineController("CueBridge", "Transport", "2.0", "7c6f5d1e-2b0a-4c3d-9a51-6b1f0e4d8c27", "The CueBridge developers");
host.defineMidiPorts(0, 0);

var PROTOCOL = 1;
var VERSION = "2";
var PORT = 9317;
var ANSWERS = 9318;
var TICK_MS = 30;
var HELLO_EVERY_MS = 2000;
var QUIET_AFTER_MS = 5000;
var REPEAT_AFTER_MS = 1000;
var SETTLE_TICKS = 100;     // so long Bitwig may take to carry something out
var MARKERS = 64;           // as many as the bank shows
var TRACKS = 32;            // in which tracks of our parts are looked for
var ROWS = 16;              // of the launcher, from its top
var MOST_ARGUMENTS = 16;    // of a message, with its address: see send
var OFFERED = ["transport", "tempomap", "loop", "markers", "do_marker", "do_tempo", "do_clips"];
var REFUSED = 0, WORKS = 1, NOT_TRIED = 2;

var connection = null, transport, bank, trackBank, application, settings = {}, hostVersion = "";
var now = { playing: false, recording: false, looping: false, seconds: null, beats: 0, loopStart: 0, loopLength: 0, bpm: 120, numerator: 4, denominator: 4 };
var heardAt = null, helloAt = null, sentAt = null, sequence = 0, lastKey = "";
var lists = {};            // what -> { key, items, revision, got, sentAt }
var loopKey = "", loopAt = 0;
var ours = {};             // marker number -> { name, beats }
var done = {};             // request -> [ok, text]
var waiting = [];          // requests that came meanwhile
var busy = null;           // { number, step }: what is being done; Bitwig carries changes out between two ticks
var rows = {}, logged = {};   // "feature/call" -> [feature, call, works, why]; kinds of errors that were logged

function clock() { return new Date().getTime(); }

function reason(error) { return String(error).slice(0, 200); }

function log(call, error) {
   var kind = call + "/" + (error && error.name ? error.name : "error");
   if (logged[kind]) return;
   logged[kind] = true;
   try { host.errorln("CueBridge: " + call + ": " + reason(error)); } catch (deaf) { logged[kind] = true; }
}

// What act answers; undefined where it raised, which is noted, logged once and told to the bridge.
function attempt(feature, call, act) {
   try {
      var found = act(), one = rows[feature + "/" + call];
      if (!one || one[2] === REFUSED) rows[feature + "/" + call] = [feature, call, WORKS, ""];   // also what failed for a while
      return found;
   } catch (error) {
      rows[feature + "/" + call] = [feature, call, REFUSED, reason(error)];
      log(call, error);
      return undefined;
   }
}

function works(feature) {
   for (var key in rows) if (rows[key][0] === feature && rows[key][2] === REFUSED) return false;
   return true;
}

// By the count of arguments, for sendMessage is a method of Java's with a variable number of them.  A whole number goes
// as an integer, which the bridge takes as well.
function send() {
   var c = connection, a = arguments;
   if (c === null) return;
   try {
      switch (a.length) {
         case 1: c.sendMessage(a[0]); break;
         case 2: c.sendMessage(a[0], a[1]); break;
         case 3: c.sendMessage(a[0], a[1], a[2]); break;
         case 4: c.sendMessage(a[0], a[1], a[2], a[3]); break;
         case 5: c.sendMessage(a[0], a[1], a[2], a[3], a[4]); break;
         case 6: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5]); break;
         case 7: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5], a[6]); break;
         case 8: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]); break;
         case 9: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]); break;
         case 10: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]); break;
         case 12: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]); break;
         case 13: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12]); break;
         case 16: c.sendMessage(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]); break;
         default: throw new Error("no message has " + a.length + " arguments");
      }
   } catch (error) { log("OscConnection.sendMessage", error); }   // a bridge that is away is no error of UDP's
}

function init() {
   hostVersion = attempt("version", "ControllerHost.getHostVersion", function () { return String(host.getHostVersion()); }) || "";
   initSettings();
   initTransport();
   attempt("markers", "Arranger.createCueMarkerBank", initMarkers);
   attempt("do_clips", "ControllerHost.createMainTrackBank", initTracks);
   initConversation();
   attempt("panel", "DocumentState", initPanel);
   tick();
}

function initSettings() {
   settings = { host: "127.0.0.1", port: PORT, answers: ANSWERS };
   attempt("settings", "Preferences", function () {
      var preferences = host.getPreferences();
      var hostSetting = preferences.getStringSetting("Computer of the bridge", "Network", 64, "127.0.0.1");
      var portSetting = preferences.getNumberSetting("Port of the Bridge", "Network", 1, 65535, 1, "", PORT);
      var answerSetting = preferences.getNumberSetting("Port for Answers", "Network", 1, 65535, 1, "", ANSWERS);
      hostSetting.markInterested();
      portSetting.markInterested();
      answerSetting.markInterested();
      settings.host = String(hostSetting.get() || "127.0.0.1");
      settings.port = Math.round(portSetting.getRaw()) || PORT;
      settings.answers = Math.round(answerSetting.getRaw()) || ANSWERS;
   });
}

function initTransport() {
   transport = attempt("transport", "ControllerHost.createTransport", function () { return host.createTransport(); });
   watch("transport", "Transport.isPlaying", "playing", function () { return transport.isPlaying(); });
   watch("transport", "Transport.playPosition", "beats", function () { return transport.playPosition(); });
   watch("milliseconds", "Transport.playPositionInSeconds", "seconds", function () { return transport.playPositionInSeconds(); });
   watch("recording", "Transport.isArrangerRecordEnabled", "recording", function () { return transport.isArrangerRecordEnabled(); });
   watch("loop", "Transport.isArrangerLoopEnabled", "looping", function () { return transport.isArrangerLoopEnabled(); });
   watch("loop", "Transport.arrangerLoopStart", "loopStart", function () { return transport.arrangerLoopStart(); });
   watch("loop", "Transport.arrangerLoopDuration", "loopLength", function () { return transport.arrangerLoopDuration(); });
   watch("meter", "TimeSignatureValue.numerator", "numerator", function () { return transport.timeSignature().numerator(); });
   watch("meter", "TimeSignatureValue.denominator", "denominator", function () { return transport.timeSignature().denominator(); });
   attempt("transport", "Transport.tempo", function () {
      transport.tempo().value().addRawValueObserver(function (bpm) { now.bpm = bpm; });
   });
   attempt("do_tempo", "SettableRangedValue.setRaw", function () { have(transport.tempo().value().setRaw); });
   attempt("do_marker", "Transport.addCueMarkerAtPlaybackPosition", function () { have(transport.addCueMarkerAtPlaybackPosition); });
}

// What would change the project is asked for, not called.
function have(method) { if (!method) throw new Error("this Bitwig does not have it"); }

function watch(feature, call, name, find) {
   attempt(feature, call, function () { find().addValueObserver(function (v) { now[name] = v; }); });
}

function initMarkers() {
   bank = host.createArranger().createCueMarkerBank(MARKERS);
   for (var i = 0; i < MARKERS; i++) {
      var marker = bank.getItemAt(i);
      marker.exists().markInterested();
      marker.name().markInterested();
      marker.position().markInterested();
   }
   attempt("do_marker", "CueMarker.position().set", function () { have(bank.getItemAt(0).position().set); });
   attempt("do_marker", "CueMarker.deleteObject", function () { have(bank.getItemAt(0).deleteObject); });
   attempt("marker_names", "CueMarker.name().set", function () { have(bank.getItemAt(0).name().set); });
}

function initTracks() {
   application = host.createApplication();
   have(application.createInstrumentTrack);
   trackBank = host.createMainTrackBank(TRACKS, 0, ROWS);
   for (var i = 0; i < TRACKS; i++) {
      var track = trackBank.getItemAt(i);
      track.exists().markInterested();
      track.name().markInterested();
      var slots = track.clipLauncherSlotBank();
      for (var row = 0; row < ROWS; row++) slots.getItemAt(row).hasContent().markInterested();
   }
   rows["do_clips/InsertionPoint.insertFile"] = ["do_clips", "InsertionPoint.insertFile", NOT_TRIED, "tried with the first print"];
   attempt("do_clips", "ClipLauncherSlot.replaceInsertionPoint", function () { have(slot(0, 0).replaceInsertionPoint); });
}

function slot(track, row) { return trackBank.getItemAt(track).clipLauncherSlotBank().getItemAt(row); }

function initConversation() {
   var osc = attempt("conversation", "ControllerHost.getOscModule", function () { return host.getOscModule(); });
   attempt("conversation", "OscModule.createUdpServer", function () {
      var answers = osc.createAddressSpace();
      answers.registerDefaultMethod(function (source, message) {
         attempt("conversation", "OscMessage", function () { receive(message); });
      });
      osc.createUdpServer(settings.answers, answers);
   });
   var made = attempt("conversation", "OscModule.connectToUdpServer", function () {
      return osc.connectToUdpServer(settings.host, settings.port, null);
   });
   connection = made === undefined ? null : made;
}

function initPanel() {
   var panel = host.getDocumentState();
   var chords = panel.getStringSetting("Chords", "Progression", 256, "C Am F G");
   chords.markInterested();
   panel.getSignalSetting("Send", "Progression", "Send to CueBridge").addSignalObserver(function () {
      send("/cue/progression", String(chords.get()));
   });
   var chord = panel.getStringSetting("Chord", "Pin", 64, "");
   chord.markInterested();
   panel.getSignalSetting("Pin", "Pin", "Pin at the playhead").addSignalObserver(function () {
      if (String(chord.get()) !== "") send("/cue/chords/pin", String(chord.get()));
   });
}

function flush() {}   // Bitwig calls it after every change; there is nothing to write

function exit() {
   if (heardAt !== null) send("/daw/bye");
}

function tick() {
   attempt("conversation", "tick", turn);
   try { host.scheduleTask(tick, TICK_MS); } catch (error) { log("ControllerHost.scheduleTask", error); }
}

function turn() {
   var at = clock();
   if (heardAt !== null && at - heardAt > QUIET_AFTER_MS) heardAt = null;
   if (helloAt === null || (heardAt === null && at - helloAt >= HELLO_EVERY_MS)) {
      helloAt = at;
      send("/daw/hello", "bitwig", VERSION, PROTOCOL, settings.answers, hostVersion, "", OFFERED.filter(works).join(" "), interpreter());
   }
   if (heardAt === null) return;
   if (busy !== null) step();
   while (busy === null && waiting.length > 0) {
      var next = waiting.shift();
      request(next[0], next[1]);
   }
   if (works("transport")) tell(at);
   if (busy === null) look();   // else a marker of ours may stand there that does not have its name yet
   offer("capabilities", capabilities());
   sendLists(at);
}

// GraalJS says who it is; the engine of older versions, Nashorn, does not.
function interpreter() {
   try { return typeof Graal === "undefined" ? "JavaScript" : "GraalJS " + String(Graal.versionGraalVM); } catch (error) { return "JavaScript"; }
}

function capabilities() {
   var keys = [], found = [];
   for (var key in rows) keys.push(key);
   keys.sort();
   for (var i = 0; i < keys.length; i++) found.push(rows[keys[i]].slice());
   return found;
}

// Where Bitwig does not tell seconds they follow from the beats, at the present tempo.
function seconds() { return now.seconds === null ? now.beats * 60 / now.bpm : now.seconds; }

function tell(at) {
   var flags = (now.playing ? 1 : 0) + (now.playing && now.recording ? 2 : 0) + (now.looping ? 8 : 0);
   var key = [seconds(), now.beats, now.bpm, now.numerator, now.denominator, flags].join("/");
   if (!now.playing && key === lastKey && sentAt !== null && at - sentAt < 1000) return;
   lastKey = key;
   sentAt = at;
   sequence += 1;
   send("/daw/transport", sequence, at / 1000, seconds(), now.beats, now.bpm, now.numerator, now.denominator, flags);
   if (!works("loop")) return;
   var from = secondsOf(now.loopStart), to = secondsOf(now.loopStart + now.loopLength);
   var loop = [now.looping ? 1 : 0, from, to].join("/");
   if (loop !== loopKey || at - loopAt > 2000) {
      loopKey = loop;
      loopAt = at;
      send("/daw/loop", now.looping ? 1 : 0, from, to);
   }
}

// Second of a beat, at the present tempo: the only one that Bitwig tells.
function secondsOf(beats) {
   return Math.max(0, seconds() + (beats - now.beats) * 60 / now.bpm);
}

function look() {
   // One tempo explains the playhead's second: then it is the map.  An automated tempo is told as it goes by.
   if (Math.abs(seconds() - now.beats * 60 / now.bpm) < 0.003) {
      offer("tempomap", [[0, 0, now.bpm, now.numerator, now.denominator, 0]]);
   } else if (now.playing) {
      return;   // beats of markers cannot be told in seconds while the tempo glides
   }
   if (!bank) return;
   var found = attempt("markers", "CueMarker", function () {
      var all = shownMarkers(), mine = {}, others = [], number;
      for (number in ours) mine[ours[number].name + "/" + ours[number].beats.toFixed(4)] = true;
      for (var i = 0; i < all.length; i++) {
         if (!mine[all[i].name + "/" + all[i].beats.toFixed(4)]) others.push([all[i].index + 1, Math.round(secondsOf(all[i].beats) * 1e6) / 1e6, all[i].name]);
      }
      return others;
   });
   if (found) offer("markers", found);
}

// [{ index in the bank, name, beats }] of the cue markers.
function shownMarkers() {
   var found = [];
   for (var i = 0; i < MARKERS; i++) {
      var marker = bank.getItemAt(i);
      if (marker.exists().get()) found.push({ index: i, name: String(marker.name().get()), beats: marker.position().get() });
   }
   return found;
}

function offer(what, items) {
   var key = JSON.stringify(items), one = lists[what];
   if (!one) one = lists[what] = { revision: 0, key: null };
   if (one.key !== key) {
      one.key = key;
      one.items = items;
      one.revision += 1;
      one.got = false;
      one.sentAt = null;
   }
}

function sendLists(at) {
   for (var what in lists) {
      var one = lists[what];
      if (one.got || (one.sentAt !== null && at - one.sentAt < REPEAT_AFTER_MS)) continue;
      one.sentAt = at;
      var first = 0, width = one.items.length ? one.items[0].length : 1;
      var most = Math.floor((MOST_ARGUMENTS - 4) / width);
      do {
         var last = Math.min(first + most, one.items.length);
         var args = ["/daw/" + what, one.revision, one.items.length, first];
         for (var i = first; i < last; i++) args = args.concat(one.items[i].map(short));
         send.apply(null, args);   // send is ours: a JavaScript function
         first = last;
      } while (first < one.items.length);
   }
}

// The bridge takes texts of 1,024 characters.
function short(value) { return typeof value === "string" ? value.slice(0, 1000).replace(/\u0000/g, " ") : value; }

// Any numeric type, as a number.
function values(message) {
   var tags = String(message.getTypeTag()).replace(",", ""), out = [];
   for (var i = 0; i < tags.length; i++) {
      var tag = tags.charAt(i);
      if (tag === "s") out.push(String(message.getString(i)));
      else if (tag === "i") out.push(message.getInt(i));
      else if (tag === "f") out.push(message.getFloat(i));
      else out.push(message.getDouble(i));
   }
   return out;
}

function receive(message) {
   var address = String(message.getAddressPattern()), args = values(message);
   heardAt = clock();
   if (address === "/daw/welcome") {
      done = {};
      waiting = [];
      lastKey = "";
      loopKey = "";
      for (var what in lists) { lists[what].got = false; lists[what].sentAt = null; }
   } else if (address === "/daw/who") {
      helloAt = null;
   } else if (address === "/daw/got") {
      if (lists[args[0]] && lists[args[0]].revision === args[1]) lists[args[0]].got = true;
   } else if (address === "/daw/error") {
      if (args[0] === "/daw/capabilities" && lists.capabilities) lists.capabilities.got = true;   // an older bridge: it does without
   } else if (address.indexOf("/daw/do/") === 0) {
      request(address, args);
   }
}

function answer(number, ok, text) {
   done[number] = [ok, text];
   send("/daw/ack", number, ok, short(text));
}

function request(address, args) {
   var number = args[0];
   if (done[number]) { answer(number, done[number][0], done[number][1]); return; }   // only the answer was lost
   if (busy !== null) {   // one after the other
      if (busy.number === number) return;
      for (var i = 0; i < waiting.length; i++) if (waiting[i][1][0] === number) return;
      waiting.push([address, args]);
      return;
   }
   try {
      if (address === "/daw/do/marker") setMarker(number, args[1], args[2], args[3]);
      else if (address === "/daw/do/unmark") unmark(number, args[1]);
      else if (address === "/daw/do/tempo") setTempo(number, args.slice(1));
      else if (address === "/daw/do/clips") setClips(number, args);
      else answer(number, 0, "Bitwig lets no script do this");
   } catch (error) { fail(number, address, error); }
}

function fail(number, what, error) {
   busy = null;
   log(what, error);
   answer(number, 0, reason(error));
}

// Waits, a tick at a time, until ready answers something; then goes on with it, or gives up with a sentence.
function wait(number, ready, then, giveUp) {
   var ticks = 0;
   busy = { number: number, step: function () {
      var found = ready();
      if (found !== null) { busy = null; then(found); return; }
      ticks += 1;
      if (ticks > SETTLE_TICKS) { busy = null; giveUp(); }
   } };
}

function step() {
   var number = busy.number;
   try { busy.step(); } catch (error) { fail(number, "step", error); }
}

// The marker that is ours under a number, wherever the bank shows it now.
function findMarker(name, beats) {
   var all = shownMarkers();
   for (var i = 0; i < all.length; i++) {
      if (all[i].name === name && Math.abs(all[i].beats - beats) < 1e-3) return bank.getItemAt(all[i].index);
   }
   return null;
}

function setMarker(number, which, second, name) {
   var beats = Math.max(0, now.beats + (second - seconds()) * now.bpm / 60);
   var own = ours[which], marker = own ? findMarker(own.name, own.beats) : null;
   if (marker !== null) { place(number, which, marker, beats, name); return; }
   if (now.playing) { answer(number, 0, "stop Bitwig first: it makes cue markers only at the playhead"); return; }
   // Made at the playhead, then moved: the playhead itself stays where it is.
   var before = {}, all = shownMarkers();
   for (var i = 0; i < all.length; i++) {
      var key = all[i].name + "/" + all[i].beats;
      before[key] = (before[key] || 0) + 1;
   }
   transport.addCueMarkerAtPlaybackPosition();
   wait(number, function () {
      var left = {}, key;
      for (key in before) left[key] = before[key];
      var found = shownMarkers();
      for (var i = 0; i < found.length; i++) {
         key = found[i].name + "/" + found[i].beats;
         if (left[key]) left[key] -= 1;
         else return bank.getItemAt(found[i].index);
      }
      return null;
   }, function (made) {
      place(number, which, made, beats, name);
   }, function () {
      answer(number, 0, "Bitwig made no cue marker (the bank shows " + MARKERS + ")");
   });
}

// Gives a marker its name and place, and waits until Bitwig shows it so: before that it would be taken for the composer's.
function place(number, which, marker, beats, name) {
   if (works("marker_names")) marker.name().set(name);
   else name = String(marker.name().get());
   marker.position().set(beats);
   wait(number, function () {
      return findMarker(name, beats);
   }, function () {
      ours[which] = { name: name, beats: beats };
      answer(number, 1, "");
   }, function () {
      // The place is what counts: a marker that is there under another name is known by that one.
      var all = shownMarkers();
      for (var i = 0; i < all.length; i++) {
         if (Math.abs(all[i].beats - beats) < 1e-3) {
            ours[which] = { name: all[i].name, beats: all[i].beats };
            answer(number, 1, "set, but Bitwig did not take its name");
            return;
         }
      }
      answer(number, 0, "Bitwig did not move the cue marker");
   });
}

// One after the other: each removal moves what the bank shows behind it.
function unmark(number, which) {
   for (var key in ours) {
      if (which >= 0 && Number(key) !== which) continue;
      var own = ours[key], marker = findMarker(own.name, own.beats);
      delete ours[key];
      if (marker === null) continue;   // the composer's since it was renamed or moved
      marker.deleteObject();
      leave(number, which, own);
      return;
   }
   answer(number, 1, "");
}

function leave(number, which, own) {
   wait(number, function () {
      return findMarker(own.name, own.beats) === null ? true : null;
   }, function () { unmark(number, which); }, function () {
      answer(number, 0, "Bitwig did not remove the cue marker " + own.name);
   });
}

function setTempo(number, args) {
   if (args.length < 4) { answer(number, 0, "a tempo map without a tempo"); return; }
   transport.tempo().value().setRaw(args[1]);
   wait(number, function () {
      return Math.abs(now.bpm - args[1]) < 1e-3 ? true : null;
   }, function () {
      if (args.length > 4) answer(number, 0, "Bitwig lets a script set one tempo only: the first was set, import the rest from the .mid");
      else answer(number, 1, "");
   }, function () {
      answer(number, 0, "Bitwig did not take the tempo");
   });
}

// args: request, name of the take, then part, name of the clip and file of each.
function setClips(number, args) {
   var clips = [];
   for (var i = 2; i + 2 < args.length; i += 3) clips.push({ part: args[i], name: args[i + 1], file: args[i + 2], track: null });
   findTracks(number, clips, 0);
}

// Tracks one after the other, made where they are missing; then the clips.
function findTracks(number, clips, first) {
   for (var i = first; i < clips.length; i++) {
      clips[i].track = trackOf(clips[i].part);
      if (clips[i].track === null) { makeTrack(number, clips, i); return; }
   }
   insertClips(number, clips);
}

function trackOf(part) {
   for (var i = 0; i < TRACKS; i++) {
      if (!trackBank.getItemAt(i).exists().get()) continue;
      var name = String(trackBank.getItemAt(i).name().get()).toLowerCase().replace(/^\s+|\s+$/g, "");
      if (name === part || name === "cuebridge " + part) return i;
   }
   return null;
}

function tracksThere() {
   var count = 0;
   for (var i = 0; i < TRACKS; i++) if (trackBank.getItemAt(i).exists().get()) count += 1;
   return count;
}

function makeTrack(number, clips, index) {
   var before = tracksThere();
   application.createInstrumentTrack(-1);
   wait(number, function () {
      return tracksThere() > before ? true : null;
   }, function () {
      trackBank.getItemAt(before).name().set(clips[index].part);
      wait(number, function () { return trackOf(clips[index].part); }, function () { findTracks(number, clips, index); },
         function () { answer(number, 0, "Bitwig did not name the new track " + clips[index].part); });
   }, function () {
      answer(number, 0, "Bitwig made no track for " + clips[index].part + ": make an instrument track of that name");
   });
}

function insertClips(number, clips) {
   for (var row = 0; row < ROWS; row++) {
      var free = true;
      for (var i = 0; i < clips.length; i++) if (slot(clips[i].track, row).hasContent().get()) free = false;
      if (free) break;
   }
   if (row === ROWS) { answer(number, 0, "the first " + ROWS + " scenes of the launcher are in use on these tracks: clear one"); return; }
   for (var j = 0; j < clips.length; j++) slot(clips[j].track, row).replaceInsertionPoint().insertFile(clips[j].file);
   wait(number, function () {
      for (var i = 0; i < clips.length; i++) if (!slot(clips[i].track, row).hasContent().get()) return null;
      return true;
   }, function () {
      rows["do_clips/InsertionPoint.insertFile"] = ["do_clips", "InsertionPoint.insertFile", WORKS, ""];
      answer(number, 1, clips.length + " clips in scene " + (row + 1) + " of the launcher");
   }, function () {
      rows["do_clips/InsertionPoint.insertFile"] = ["do_clips", "InsertionPoint.insertFile", NOT_TRIED, "failed: it inserted no MIDI file"];
      answer(number, 0, "Bitwig took no MIDI file into the launcher: drag the exported .mid in");
   });
}
