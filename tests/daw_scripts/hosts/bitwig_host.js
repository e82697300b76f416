// A stand-in for Bitwig Studio's controller API, written from its documentation and apart from the script.
// Source: the Control Surface API documentation that Bitwig Studio installs (Help > Documentation > Developer
// Resources; JavaScript stubs of API 2 and up).  B = class and method named there.  A property that is not listed
// raises.  The OSC connection sends real UDP: Integer for whole numbers, Double else, as a Java host gets them.
// Traps kept: the host's methods are Java's, so they are no JavaScript functions with call and apply; what is set, made
// or removed is in force a moment later; flush() is called after every change and has to be there; what a version lacks
// (`missing`) is undefined.
// Usage: node bitwig_host.js SCRIPT BRIDGE_PORT ANSWER_PORT [{"missing": [], "slowMs": 0, "lateMs": 40, "version": "5.2",
// "refusesFiles": false}]; commands arrive as JSON lines on standard input.
"use strict";
var dgram = require("dgram"), fs = require("fs"), vm = require("vm"), readline = require("readline");
var options = JSON.parse(process.argv[5] || "{}");
var missing = options.missing || [], lateMs = options.lateMs === undefined ? 40 : options.lateMs;

var wrapped = new Map();
function javaMethod(f) {   // a host object: it can be called, and that is all
   if (typeof f !== "function") return f;
   if (!wrapped.has(f)) {
      wrapped.set(f, Object.setPrototypeOf(function () {
         var end = performance.now() + (options.slowMs || 0);
         while (options.slowMs && performance.now() < end) { /* a busy host */ }
         return Reflect.apply(f, this, arguments);
      }, null));
   }
   return wrapped.get(f);
}
var flushes = 0, sentCount = 0;
function later(f) {   // carried out between two ticks of the script
   setTimeout(function () {
      f();
      flushes += 1;
      vm.runInContext("typeof flush", sandbox) === "function" ? vm.runInContext("flush()", sandbox) : errors.push("flush is not defined");
   }, lateMs);
}

var called = {};
function strict(name, object) {
   return new Proxy(object, {
      get: function (target, key) {
         if (typeof key === "symbol") return target[key];
         if (missing.indexOf(name + "." + key) >= 0) return undefined;
         if (!(key in target)) throw new Error(name + "." + key + " is not in the documentation");
         called[name + "." + key] = true;
         return javaMethod(target[key]);
      },
      set: function (target, key) { throw new Error(name + "." + key + " cannot be set"); }
   });
}

// B: Value.markInterested, get, addValueObserver; SettableX.set.  get without markInterested raises, as in Bitwig.
var inInit = true;
function value(name, start, settable) {
   var now = start, observers = [], marked = false;
   var made = {
      markInterested: function () { if (!inInit) throw new Error(name + ": markInterested only in init"); marked = true; },
      get: function () { if (!marked) throw new Error(name + ": get without markInterested"); return now; },
      addValueObserver: function (f) { if (!inInit) throw new Error(name + ": observers only in init"); marked = true; observers.push(f); f(now); }
   };
   if (settable) made.set = function (v) { later(function () { change(v); }); };
   function change(v) { if (v !== now) { now = v; observers.forEach(function (f) { f(v); }); } }
   var handle = strict(name, made);
   return { handle: handle, change: change, read: function () { return now; } };
}

var state = {
   playing: value("Transport.isPlaying", false, true), recording: value("Transport.isArrangerRecordEnabled", false, true),
   loop: value("Transport.isArrangerLoopEnabled", false, true), beats: value("Transport.playPosition", 0, true),
   seconds: value("Transport.playPositionInSeconds", 0, true), loopStart: value("Transport.arrangerLoopStart", 0, true),
   loopLength: value("Transport.arrangerLoopDuration", 16, true), numerator: value("TimeSignatureValue.numerator", 4, true),
   denominator: value("TimeSignatureValue.denominator", 4, true), tempo: value("Parameter.value", 120, true)
};
var MARKERS = [];
function makeMarker() {
   var one = { exists: value("CueMarker.exists", false), name: value("CueMarker.name", "", true), position: value("CueMarker.position", 0, true), removed: false };
   one.handle = strict("CueMarker", {
      exists: function () { return one.exists.handle; }, name: function () { return one.name.handle; },
      position: function () { return one.position.handle; }, deleteObject: function () { later(function () { removeMarker(one); }); }
   });
   return one;
}
function show(list) {   // the bank shows the markers in order of time
   list.sort(function (a, b) { return a[1] - b[1]; });
   MARKERS.forEach(function (one, i) {
      one.exists.change(i < list.length);
      one.name.change(i < list.length ? list[i][0] : "");
      one.position.change(i < list.length ? list[i][1] : 0);
   });
}
function shown() {
   return MARKERS.filter(function (m) { return m.exists.read(); }).map(function (m) { return [m.name.read(), m.position.read()]; });
}
function removeMarker(one) {
   var index = MARKERS.indexOf(one), list = shown();
   list.splice(index, 1);
   show(list);
}

var transport = strict("Transport", {
   isPlaying: function () { return state.playing.handle; }, isArrangerRecordEnabled: function () { return state.recording.handle; },
   isArrangerLoopEnabled: function () { return state.loop.handle; }, playPosition: function () { return state.beats.handle; },
   playPositionInSeconds: function () { return state.seconds.handle; },
   arrangerLoopStart: function () { return state.loopStart.handle; }, arrangerLoopDuration: function () { return state.loopLength.handle; },
   timeSignature: function () {
      return strict("TimeSignatureValue", { numerator: function () { return state.numerator.handle; }, denominator: function () { return state.denominator.handle; } });
   },
   tempo: function () {
      return strict("Parameter", { value: function () {
         return strict("SettableRangedValue", {
            getRaw: function () { return state.tempo.handle.get(); }, markInterested: function () { state.tempo.handle.markInterested(); },
            addRawValueObserver: function (f) { state.tempo.handle.addValueObserver(f); }, setRaw: function (v) { later(function () { state.tempo.change(v); }); }
         });
      } });
   },
   setPosition: function (beats) { state.beats.change(beats); },
   addCueMarkerAtPlaybackPosition: function () {
      var beats = state.beats.read();
      later(function () { show(shown().concat([["Cue", beats]])); });
   }
});

// B: ControllerHost.createMainTrackBank, TrackBank.getItemAt, Track.name, exists, clipLauncherSlotBank,
// ClipLauncherSlot.hasContent, replaceInsertionPoint, InsertionPoint.insertFile, Application.createInstrumentTrack.
var TRACKS = [], tracksShown = 0;
function makeTrack(scenes) {
   var one = { exists: value("Track.exists", false), name: value("Track.name", "", true), slots: [] };
   for (var i = 0; i < scenes; i++) one.slots.push(makeSlot());
   one.handle = strict("Track", {
      exists: function () { return one.exists.handle; }, name: function () { return one.name.handle; },
      clipLauncherSlotBank: function () { return strict("ClipLauncherSlotBank", { getItemAt: function (i) { return one.slots[i].handle; } }); }
   });
   return one;
}
function makeSlot() {
   var slot = { hasContent: value("ClipLauncherSlot.hasContent", false), file: null };
   slot.handle = strict("ClipLauncherSlot", {
      hasContent: function () { return slot.hasContent.handle; },
      replaceInsertionPoint: function () {
         return strict("InsertionPoint", { insertFile: function (path) {
            if (options.refusesFiles) return;
            var bytes = fs.readFileSync(path);
            if (bytes.toString("latin1", 0, 4) !== "MThd") throw new Error("not a file that can be inserted");
            later(function () { slot.file = path; slot.hasContent.change(true); });
         } });
      }
   });
   return slot;
}
function addTrack(name) {
   if (tracksShown >= TRACKS.length) return;
   TRACKS[tracksShown].exists.change(true);
   TRACKS[tracksShown].name.change(name);
   tracksShown += 1;
}
function trackTexts() {
   return TRACKS.slice(0, tracksShown).map(function (t) { return [t.name.read(), t.slots.map(function (s) { return s.file; })]; });
}
var application = strict("Application", {
   createInstrumentTrack: function (position) { later(function () { addTrack("Inst " + (tracksShown + 1)); }); }
});
var arranger = strict("Arranger", {
   createCueMarkerBank: function (n) {
      for (var i = 0; i < n; i++) MARKERS.push(makeMarker());
      return strict("CueMarkerBank", { getItemAt: function (i) { return MARKERS[i].handle; } });
   }
});

// OSC over real UDP.
function pad(b) { return Buffer.concat([b, Buffer.alloc(4 - b.length % 4)]); }
function encode(address, args) {
   var tags = ",", parts = [];
   args.forEach(function (a) {
      var b;
      if (typeof a === "string") { tags += "s"; parts.push(pad(Buffer.from(a, "utf8"))); }
      else if (typeof a === "boolean") tags += a ? "T" : "F";
      else if (typeof a === "number" && Number.isInteger(a) && Math.abs(a) < 2147483648) { tags += "i"; b = Buffer.alloc(4); b.writeInt32BE(a); parts.push(b); }
      else if (typeof a === "number") { tags += "d"; b = Buffer.alloc(8); b.writeDoubleBE(a); parts.push(b); }
      else throw new Error("OscInvalidArgumentTypeException " + a);
   });
   return Buffer.concat([pad(Buffer.from(address)), pad(Buffer.from(tags))].concat(parts));
}
function text(b, at) { var end = b.indexOf(0, at); return [b.toString("utf8", at, end), at + (Math.floor((end - at) / 4) + 1) * 4]; }
function decode(b) {
   var r = text(b, 0), address = r[0], t = text(b, r[1]), at = t[1], args = [];
   t[0].slice(1).split("").forEach(function (tag) {
      if (tag === "i") { args.push([tag, b.readInt32BE(at)]); at += 4; }
      else if (tag === "d") { args.push([tag, b.readDoubleBE(at)]); at += 8; }
      else if (tag === "f") { args.push([tag, b.readFloatBE(at)]); at += 4; }
      else if (tag === "s") { var s = text(b, at); args.push([tag, s[0]]); at = s[1]; }
   });
   return { address: address, args: args };
}
// B: OscMessage.getAddressPattern, getTypeTag, getInt, getFloat, getDouble, getString
function message(m) {
   function of(kind) { return function (i) { if (m.args[i][0] !== kind) throw new Error("argument " + i + " is no " + kind); return m.args[i][1]; }; }
   return strict("OscMessage", {
      getAddressPattern: function () { return m.address; }, getTypeTag: function () { return m.args.map(function (a) { return a[0]; }).join(""); },
      getInt: of("i"), getFloat: of("f"), getDouble: of("d"), getString: of("s")
   });
}
var sockets = [];
var osc = strict("OscModule", {
   createAddressSpace: function () {
      var methods = {}, fallback = null;
      return strict("OscAddressSpace", {
         registerMethod: function (address, tags, description, callback) { methods[address] = callback; },
         registerDefaultMethod: function (callback) { fallback = callback; },
         setShouldLogMessages: function () {}, setName: function () {},
         _receive: function (m) { var f = methods[m.address] || fallback; if (f) f(null, message(m)); }
      });
   },
   createUdpServer: function (port, space) {
      if (!inInit) throw new Error("servers only in init");
      var s = dgram.createSocket("udp4");
      s.on("message", function (b) { space._receive(decode(b)); });
      s.bind(port, "127.0.0.1");
      sockets.push(s);
   },
   connectToUdpServer: function (host, port, space) {
      if (!inInit) throw new Error("connections only in init");
      var s = dgram.createSocket("udp4"), open = true;
      sockets.push(s);
      return strict("OscConnection", {
         sendMessage: function (address) {
            var b = encode(address, Array.prototype.slice.call(arguments, 1));
            sentCount += 1;
            if (open) s.send(b, port, host);
         },
         startBundle: function () {}, endBundle: function () {}
      });
   }
});

var settings = {};
var preferences = strict("Preferences", {
   getStringSetting: function (label, category, chars, initial) { return (settings[label] = value(label, initial, true)).handle; },
   getNumberSetting: function (label, category, low, high, step, unit, initial) {
      // B: SettableRangedValue: get is 0..1, getRaw the number
      var v = (settings[label] = value(label, initial, true));
      if (label.indexOf("Bridge") >= 0) v.change(+process.argv[3]);
      if (label.indexOf("Answers") >= 0) v.change(+process.argv[4]);
      return strict("SettableRangedValue", { markInterested: function () { v.handle.markInterested(); }, getRaw: function () { return v.handle.get(); }, addRawValueObserver: function (f) { v.handle.addValueObserver(f); } });
   }
});
var documentState = strict("DocumentState", {
   getStringSetting: function (label, category, chars, initial) { return (settings[label] = value(label, initial, true)).handle; },
   getSignalSetting: function (label, category, action) {
      var observers = [];
      settings[label] = { press: function () { observers.forEach(function (f) { f(); }); } };
      return strict("Signal", { addSignalObserver: function (f) { observers.push(f); } });
   }
});
var shownTexts = [], printed = [], errors = [], tasks = [];
var defined = {};
var host = strict("ControllerHost", {
   defineController: function (vendor, name, version, id, author) { defined.controller = [vendor, name, version, id, author]; },
   defineMidiPorts: function (i, o) { defined.ports = [i, o]; },
   setShouldFailOnDeprecatedUse: function () {},
   getHostVersion: function () { return options.version || "5.2"; }, getPreferences: function () { return preferences; },
   getDocumentState: function () { return documentState; }, getOscModule: function () { return osc; },
   createTransport: function () { return transport; }, createArranger: function () { return arranger; },
   createApplication: function () { return application; },
   createMainTrackBank: function (tracks, sends, scenes) {
      if (!inInit) throw new Error("banks only in init");
      for (var i = 0; i < tracks; i++) TRACKS.push(makeTrack(scenes));
      return strict("TrackBank", { getItemAt: function (i) { return TRACKS[i].handle; } });
   },
   scheduleTask: function (f, ms) { tasks.push(setTimeout(f, ms)); }, showPopupNotification: function (t) { shownTexts.push(t); },
   println: function (t) { printed.push(t); }, errorln: function (t) { errors.push(t); }
});

var sandbox = vm.createContext({
   host: host, println: host.println,
   loadAPI: function (n) { if (n > 18) throw new Error("API " + n + " is newer than Bitwig 5"); defined.api = n; }
});
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), sandbox);
vm.runInContext("init()", sandbox);
inInit = false;

function say(o) { process.stdout.write(JSON.stringify(o) + "\n"); }
readline.createInterface({ input: process.stdin }).on("line", function (line) {
   var c = JSON.parse(line);
   try {
      if (c.set) Object.keys(c.set).forEach(function (k) { state[k].change(c.set[k]); });
      if (c.markers) show(c.markers);
      if (c.tracks) c.tracks.forEach(addTrack);
      if (c.fill) TRACKS[c.fill[0]].slots[c.fill[1]].hasContent.change(true);
      if (c.setting) settings[c.setting[0]].change(c.setting[1]);
      if (c.press) settings[c.press].press();
      if (c.exit) { vm.runInContext("exit()", sandbox); setTimeout(function () { process.exit(0); }, 100); }
      say({ markers: shown(), tempo: state.tempo.read(), beats: state.beats.read(), shown: shownTexts, printed: printed, errors: errors, flushes: flushes, sent: sentCount, tracks: trackTexts(), called: Object.keys(called), defined: defined, settings: Object.keys(settings).reduce(function (o, k) { o[k] = settings[k].read ? settings[k].read() : null; return o; }, {}) });
   } catch (e) { say({ error: String(e) }); }
});
process.on("uncaughtException", function (e) { say({ error: String(e && e.stack || e) }); });
say({ ready: true });
