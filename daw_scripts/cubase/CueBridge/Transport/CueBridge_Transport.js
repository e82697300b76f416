// CueBridge for Cubase and Nuendo 12 and newer: MIDI Remote script, ES5.
// The API has no network: tempo, cycle, record and play state go to the bridge as short SysEx messages over the port
// "CueBridge Sync".  The position comes by MIDI timecode over the same port (Transport > Project Synchronization).
//
//   F0 7D 43 42 01 pp F7              hello, protocol pp
//   F0 7D 43 42 02 ff F7              state: 1 play, 2 record, 8 cycle
//   F0 7D 43 42 03 aa bb cc dd F7     tempo in 1/10000 bpm, four times seven bits, highest first
//   F0 7D 43 42 04 F7                 goodbye
//   F0 7D 43 42 05 ww text F7         self-test: ww 1 works, 0 refused, 2 not tried; what for, call, why (lines)
//   F0 7D 43 42 06 text F7            host with its version, script, interpreter (lines)
//   F0 7D 43 42 07 F7                 from the bridge: say everything again
// 7D is the maker's number that the MIDI association leaves for private use; 43 42 is "CB".
//
// What the script needs of the host is tried at load, each on its own; what fails is told to the bridge and, once, to
// the script console.

var api = require("midiremote_api_v1");
var driver = api.makeDeviceDriver("CueBridge", "Transport", "CueBridge");
var input = driver.mPorts.makeMidiInput();
var output = driver.mPorts.makeMidiOutput();
// Both ports of one pair, and of this one: "CueBridge" alone is in the name of every part's port, too.
driver.makeDetectionUnit().detectPortPair(input, output)
   .expectInputNameContains("CueBridge Sync")
   .expectOutputNameContains("CueBridge Sync");

var HELLO = 1, STATE = 2, TEMPO = 3, BYE = 4, ROW = 5, NAMES = 6, AGAIN = 7;
var PROTOCOL = 1, VERSION = "2";
var PLAY = 1, RECORD = 2, CYCLE = 8;
var REFUSED = 0, WORKS = 1, NOT_TRIED = 2;
var IDLES_BETWEEN = 25;   // said again now and then, so that a bridge started later knows too

var state = { flags: 0, tempo: 0, idles: 0, active: false };
var rows = {}, logged = {};

function log(call, error) {
   if (logged[call]) return;
   logged[call] = true;
   try { console.log("CueBridge: " + call + ": " + error); } catch (deaf) { logged[call] = true; }
}

function note(feature, call, works, why) { rows[feature + "/" + call] = [works, feature, call, why]; }

// What act answers; undefined where it raised, which is noted and logged once.
function attempt(feature, call, act) {
   try {
      var found = act();
      note(feature, call, WORKS, "");
      return found;
   } catch (error) {
      note(feature, call, REFUSED, String(error));
      log(call, error);
      return undefined;
   }
}

function send(device, kind, bytes) {
   try {
      output.sendMidi(device, [0xF0, 0x7D, 0x43, 0x42, kind].concat(bytes, [0xF7]));
   } catch (error) { log("sendMidi", error); }
}

function ascii(text) {
   var bytes = [];
   text = String(text).slice(0, 250);
   for (var i = 0; i < text.length; i++) {
      var code = text.charCodeAt(i);
      bytes.push(code === 10 || (code > 31 && code < 127) ? code : 63);
   }
   return bytes;
}

function oneLine(text) { return String(text).replace(/\s+/g, " ").slice(0, 120); }

function sendState(device) { send(device, STATE, [state.flags]); }

function sendTempo(device) {
   if (!(state.tempo > 0)) return;
   var number = Math.round(state.tempo * 10000);
   send(device, TEMPO, [(number >> 21) & 127, (number >> 14) & 127, (number >> 7) & 127, number & 127]);
}

function sendRows(device) {
   for (var key in rows) {
      var row = rows[key];
      send(device, ROW, [row[0]].concat(ascii(oneLine(row[1]) + "\n" + oneLine(row[2]) + "\n" + oneLine(row[3]))));
   }
}

function hostName() {
   var name = "Cubase";
   try { name = api.mDefaults.getAppName() + " " + api.mDefaults.getAppVersion(); } catch (error) { name = "Cubase"; }
   return oneLine(name);
}

function sendAll(device) {
   send(device, HELLO, [PROTOCOL]);
   sendState(device);
   sendTempo(device);
}

// With what it is and what works; said once, and when the bridge asks.
function present(device) {
   send(device, HELLO, [PROTOCOL]);
   send(device, NAMES, ascii(hostName() + "\n" + VERSION + "\nJavaScript"));
   sendRows(device);
   sendState(device);
   sendTempo(device);
}

var page = driver.mMapping.makePage("CueBridge");
var transport = attempt("play", "mHostAccess.mTransport", function () { return page.mHostAccess.mTransport; });

// A variable of ours is bound to a value of the host: the first callbacks come before the page is active.
function follow(feature, name, call, find, flag) {
   attempt(feature, call, function () {
      var variable = driver.mSurface.makeCustomValueVariable(name);
      page.makeValueBinding(variable, find());
      variable.mOnProcessValueChange = function (device, value) {
         var flags = value >= 0.5 ? state.flags | flag : state.flags & ~flag;
         if (flags === state.flags) return;
         state.flags = flags;
         if (state.active) sendState(device);
      };
   });
}
follow("play", "cuebridgePlay", "mValue.mStart", function () { return there(transport.mValue.mStart); }, PLAY);
follow("record", "cuebridgeRecord", "mValue.mRecord", function () { return there(transport.mValue.mRecord); }, RECORD);
follow("cycle", "cuebridgeCycle", "mValue.mCycleActive", function () { return there(transport.mValue.mCycleActive); }, CYCLE);

function there(value) {
   if (!value) throw new Error("this host does not have it");
   return value;
}

attempt("tempo", "mTimeDisplay.mOnChangeTempoBPM", function () {
   there(transport.mTimeDisplay).mOnChangeTempoBPM = function (device, mapping, bpm) {
      if (bpm === state.tempo || !isFinite(bpm)) return;   // hosts have been seen to send no number here
      state.tempo = bpm;
      if (state.active) sendTempo(device);
   };
});

page.mOnActivate = function (device) {
   state.active = true;
   present(device);
};

page.mOnDeactivate = function (device) {
   state.active = false;
   send(device, BYE, []);
};

input.mOnSysex = function (device, message) {
   if (message.length === 6 && message[1] === 0x7D && message[2] === 0x43 && message[3] === 0x42 && message[4] === AGAIN && state.active) present(device);
};

// mOnIdle came with API 1.1 (Cubase 13).  Where it is missing, assigning it does nothing and it is never called: whether
// it works shows when it comes.
note("idle", "mOnIdle", NOT_TRIED, "not called yet");
try {
   page.mOnIdle = function (device) {
      if (!state.active) return;
      state.idles += 1;
      if (state.idles === 1) {
         note("idle", "mOnIdle", WORKS, "");
         sendRows(device);
      }
      if (state.idles % IDLES_BETWEEN === 0) sendAll(device);
   };
} catch (error) {
   note("idle", "mOnIdle", REFUSED, String(error));
   log("mOnIdle", error);
}
