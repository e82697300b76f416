// CueBridge for Bitwig Studio 5 and newer: tells the bridge where the transport is, and sets its cue markers.
// ES5, the controller API alone.  Settings (host, ports) are in the controller's panel; they count from the next
// start of the script, since Bitwig opens connections only then.
//
// What Bitwig does not let a script do: read a tempo map or a frame rate, write notes into the arranger, read files.
// A take is brought in by dragging the .mid that the bridge writes.

loadAPI(17);
host.setShouldFailOnDeprecatedUse(true);
host.defineController("CueBridge", "Transport", "1.0", "7c6f5d1e-2b0a-4c3d-9a51-6b1f0e4d8c27", "The CueBridge developers");
host.defineMidiPorts(0, 0);

var PROTOCOL = 1;
var VERSION = "1";
var PORT = 9317;
var ANSWERS = 9318;
var TICK_MS = 30;
var HELLO_EVERY_MS = 2000;
var QUIET_AFTER_MS = 5000;
var REPEAT_AFTER_MS = 1000;
var MARKERS = 64;          // as many as the bank shows
var MARKERS_IN_MESSAGE = 20;
var ABILITIES = "transport tempomap loop markers do_marker do_tempo";

var connection, transport, bank, settings = {};
var now = { playing: false, recording: false, looping: false, seconds: 0, beats: 0, loopStart: 0, loopLength: 0, bpm: 120, numerator: 4, denominator: 4 };
var heardAt = null, helloAt = null, sentAt = null, sequence = 0, lastKey = "";
var lists = {};            // what -> { key, items, revision, got, sentAt }
var loopKey = "", loopAt = 0;
var ours = {};             // marker number -> { name, beats }
var done = {};             // request -> [ok, text]
var waiting = [];          // requests that came meanwhile
var busy = null;           // a marker being set: Bitwig carries changes out between two ticks

function clock() { return new Date().getTime(); }

// Numbers that have to stay doubles on the wire: a whole one would go as an integer, which the bridge takes as well.
function send() {
   try { connection.sendMessage.apply(connection, arguments); } catch (error) { /* the bridge is away */ }
}

function init() {
   transport = host.createTransport();
   var preferences = host.getPreferences();
   var hostSetting = preferences.getStringSetting("Computer of the bridge", "Network", 64, "127.0.0.1");
   var portSetting = preferences.getNumberSetting("Port of the Bridge", "Network", 1, 65535, 1, "", PORT);
   var answerSetting = preferences.getNumberSetting("Port for Answers", "Network", 1, 65535, 1, "", ANSWERS);
   hostSetting.markInterested();
   portSetting.markInterested();
   answerSetting.markInterested();
   var bridgeHost = hostSetting.get() || "127.0.0.1";
   var bridgePort = Math.round(portSetting.getRaw()) || PORT;
   settings.answers = Math.round(answerSetting.getRaw()) || ANSWERS;

   watch(transport.isPlaying(), "playing");
   watch(transport.isArrangerRecordEnabled(), "recording");
   watch(transport.isArrangerLoopEnabled(), "looping");
   watch(transport.playPositionInSeconds(), "seconds");
   watch(transport.playPosition(), "beats");
   watch(transport.arrangerLoopStart(), "loopStart");
   watch(transport.arrangerLoopDuration(), "loopLength");
   watch(transport.timeSignature().numerator(), "numerator");
   watch(transport.timeSignature().denominator(), "denominator");
   transport.tempo().value().addRawValueObserver(function (bpm) { now.bpm = bpm; });

   bank = host.createArranger().createCueMarkerBank(MARKERS);
   for (var i = 0; i < MARKERS; i++) {
      var marker = bank.getItemAt(i);
      marker.exists().markInterested();
      marker.name().markInterested();
      marker.position().markInterested();
   }

   var osc = host.getOscModule();
   var answers = osc.createAddressSpace();
   answers.registerDefaultMethod(function (source, message) { receive(message); });
   osc.createUdpServer(settings.answers, answers);
   connection = osc.connectToUdpServer(bridgeHost, bridgePort, null);

   var panel = host.getDocumentState();
   var chords = panel.getStringSetting("Chords", "Progression", 256, "C Am F G");
   chords.markInterested();
   panel.getSignalSetting("Send", "Progression", "Send to CueBridge").addSignalObserver(function () {
      send("/cue/progression", chords.get());
   });
   var chord = panel.getStringSetting("Chord", "Pin", 64, "");
   chord.markInterested();
   panel.getSignalSetting("Pin", "Pin", "Pin at the playhead").addSignalObserver(function () {
      if (chord.get() !== "") send("/cue/chords/pin", chord.get());
   });
   tick();
}

function watch(value, name) {
   value.addValueObserver(function (v) { now[name] = v; });
}

function exit() {
   if (heardAt !== null) send("/daw/bye");
}

function tick() {
   var at = clock();
   if (heardAt !== null && at - heardAt > QUIET_AFTER_MS) heardAt = null;
   if (helloAt === null || (heardAt === null && at - helloAt >= HELLO_EVERY_MS)) {
      helloAt = at;
      send("/daw/hello", "bitwig", VERSION, PROTOCOL, settings.answers, host.getHostVersion(), "", ABILITIES);
   }
   if (heardAt !== null) {
      if (busy !== null) stepMarker();
      while (busy === null && waiting.length > 0) {
         var next = waiting.shift();
         request(next[0], next[1]);
      }
      if (busy === null) {
         tell(at);
         look();
         sendLists(at);
      }
   }
   host.scheduleTask(tick, TICK_MS);
}

function tell(at) {
   var flags = (now.playing ? 1 : 0) + (now.playing && now.recording ? 2 : 0) + (now.looping ? 8 : 0);
   var key = [now.seconds, now.beats, now.bpm, now.numerator, now.denominator, flags].join("/");
   if (!now.playing && key === lastKey && sentAt !== null && at - sentAt < 1000) return;
   lastKey = key;
   sentAt = at;
   sequence += 1;
   send("/daw/transport", sequence, at / 1000, now.seconds, now.beats, now.bpm, now.numerator, now.denominator, flags);
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
   return Math.max(0, now.seconds + (beats - now.beats) * 60 / now.bpm);
}

function look() {
   // One tempo explains the playhead's second: then it is the map.  An automated tempo is told as it goes by.
   if (Math.abs(now.seconds - now.beats * 60 / now.bpm) < 0.003) {
      offer("tempomap", [[0, 0, now.bpm, now.numerator, now.denominator, 0]]);
   } else if (now.playing) {
      return;   // beats of markers cannot be told in seconds while the tempo glides
   }
   var found = [], mine = {}, number;
   for (number in ours) mine[ours[number].name + "/" + ours[number].beats.toFixed(4)] = true;
   for (var i = 0; i < MARKERS; i++) {
      var marker = bank.getItemAt(i);
      if (!marker.exists().get()) continue;
      var name = marker.name().get(), beats = marker.position().get();
      if (!mine[name + "/" + beats.toFixed(4)]) found.push([i + 1, Math.round(secondsOf(beats) * 1e6) / 1e6, name]);
   }
   offer("markers", found);
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
      var first = 0;
      do {
         var last = Math.min(first + MARKERS_IN_MESSAGE, one.items.length);
         var args = ["/daw/" + what, one.revision, one.items.length, first];
         for (var i = first; i < last; i++) args = args.concat(one.items[i]);
         send.apply(null, args);
         first = last;
      } while (first < one.items.length);
   }
}

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
   } else if (address.indexOf("/daw/do/") === 0) {
      request(address, args);
   }
}

function answer(number, ok, text) {
   done[number] = [ok, text];
   send("/daw/ack", number, ok, text);
}

function request(address, args) {
   var number = args[0];
   if (done[number]) { answer(number, done[number][0], done[number][1]); return; }   // only the answer was lost
   if (busy !== null) {   // one after the other
      for (var i = 0; i < waiting.length; i++) if (waiting[i][1][0] === number) return;
      waiting.push([address, args]);
      return;
   }
   try {
      if (address === "/daw/do/marker") setMarker(number, args[1], args[2], args[3]);
      else if (address === "/daw/do/unmark") unmark(number, args[1]);
      else if (address === "/daw/do/tempo") setTempo(number, args.slice(1));
      else answer(number, 0, "Bitwig lets no script do this");
   } catch (error) {
      busy = null;
      answer(number, 0, String(error));
   }
}

// The marker that is ours under a number, wherever the bank shows it now.
function findOurs(number) {
   var own = ours[number];
   for (var i = 0; own && i < MARKERS; i++) {
      var marker = bank.getItemAt(i);
      if (marker.exists().get() && marker.name().get() === own.name && Math.abs(marker.position().get() - own.beats) < 1e-3) return marker;
   }
   return null;
}

function setMarker(number, which, seconds, name) {
   var beats = Math.max(0, now.beats + (seconds - now.seconds) * now.bpm / 60);
   var marker = findOurs(which);
   if (marker !== null) {
      marker.position().set(beats);
      marker.name().set(name);
      ours[which] = { name: name, beats: beats };
      answer(number, 1, "");
      return;
   }
   if (now.playing) { answer(number, 0, "stop Bitwig first: it makes cue markers only at the playhead"); return; }
   // Made at the playhead, then moved: the playhead itself stays where it is.
   var before = {};
   for (var i = 0; i < MARKERS; i++) {
      var one = bank.getItemAt(i);
      if (one.exists().get()) before[one.name().get() + "/" + one.position().get()] = (before[one.name().get() + "/" + one.position().get()] || 0) + 1;
   }
   busy = { number: number, which: which, beats: beats, name: name, before: before, tries: 0 };
   transport.addCueMarkerAtPlaybackPosition();
}

function stepMarker() {
   var left = {}, key;
   for (key in busy.before) left[key] = busy.before[key];
   for (var i = 0; i < MARKERS; i++) {
      var one = bank.getItemAt(i);
      if (!one.exists().get()) continue;
      key = one.name().get() + "/" + one.position().get();
      if (left[key]) { left[key] -= 1; continue; }
      one.name().set(busy.name);
      one.position().set(busy.beats);
      ours[busy.which] = { name: busy.name, beats: busy.beats };
      var number = busy.number;
      busy = null;
      answer(number, 1, "");
      return;
   }
   busy.tries += 1;
   if (busy.tries > 40) {
      var failed = busy.number;
      busy = null;
      answer(failed, 0, "Bitwig made no cue marker (the bank shows " + MARKERS + ")");
   }
}

function unmark(number, which) {
   for (var key in ours) {
      if (which >= 0 && Number(key) !== which) continue;
      var marker = findOurs(key);
      if (marker !== null) marker.deleteObject();
      delete ours[key];
   }
   answer(number, 1, "");
}

function setTempo(number, args) {
   if (args.length < 4) { answer(number, 0, "a tempo map without a tempo"); return; }
   transport.tempo().value().setRaw(args[1]);
   if (args.length > 4) answer(number, 0, "Bitwig lets a script set one tempo only: the first was set, import the rest from the .mid");
   else answer(number, 1, "");
}
