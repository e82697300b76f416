// CueBridge for Cubase and Nuendo 12 and newer: MIDI Remote script, ES5.
// The API has no network: tempo, cycle, record and play state go to the bridge as short SysEx messages over the port
// "CueBridge Sync".  The position comes by MIDI timecode over the same port (Transport > Project Synchronization).
//
//   F0 7D 43 42 01 pp F7              hello, protocol pp
//   F0 7D 43 42 02 ff F7              state: 1 play, 2 record, 8 cycle
//   F0 7D 43 42 03 aa bb cc dd F7     tempo in 1/10000 bpm, four times seven bits, highest first
//   F0 7D 43 42 04 F7                 goodbye
// 7D is the maker's number that the MIDI association leaves for private use; 43 42 is "CB".

var api = require("midiremote_api_v1");
var driver = api.makeDeviceDriver("CueBridge", "Transport", "CueBridge");
var input = driver.mPorts.makeMidiInput();
var output = driver.mPorts.makeMidiOutput();
driver.makeDetectionUnit().detectPortPair(input, output)
   .expectInputNameContains("CueBridge")
   .expectOutputNameContains("CueBridge Sync");

var HELLO = 1, STATE = 2, TEMPO = 3, BYE = 4;
var PROTOCOL = 1;
var PLAY = 1, RECORD = 2, CYCLE = 8;
var IDLES_BETWEEN = 25;   // said again now and then, so that a bridge started later knows too

var page = driver.mMapping.makePage("CueBridge");
var transport = page.mHostAccess.mTransport;
var state = { flags: 0, tempo: 0, idles: 0, active: false };

function send(device, kind, bytes) {
   output.sendMidi(device, [0xF0, 0x7D, 0x43, 0x42, kind].concat(bytes, [0xF7]));
}

function sendState(device) { send(device, STATE, [state.flags]); }

function sendTempo(device) {
   if (!(state.tempo > 0)) return;
   var number = Math.round(state.tempo * 10000);
   send(device, TEMPO, [(number >> 21) & 127, (number >> 14) & 127, (number >> 7) & 127, number & 127]);
}

function sendAll(device) {
   send(device, HELLO, [PROTOCOL]);
   sendState(device);
   sendTempo(device);
}

// A variable of ours is bound to a value of the host: the first callbacks come before the page is active.
function follow(name, hostValue, flag) {
   var variable = driver.mSurface.makeCustomValueVariable(name);
   page.makeValueBinding(variable, hostValue);
   variable.mOnProcessValueChange = function (device, value) {
      var flags = value >= 0.5 ? state.flags | flag : state.flags & ~flag;
      if (flags === state.flags) return;
      state.flags = flags;
      if (state.active) sendState(device);
   };
}
follow("cuebridgePlay", transport.mValue.mStart, PLAY);
follow("cuebridgeRecord", transport.mValue.mRecord, RECORD);
follow("cuebridgeCycle", transport.mValue.mCycleActive, CYCLE);

transport.mTimeDisplay.mOnChangeTempoBPM = function (device, mapping, bpm) {
   if (bpm === state.tempo || !isFinite(bpm)) return;   // hosts have been seen to send no number here
   state.tempo = bpm;
   if (state.active) sendTempo(device);
};

page.mOnActivate = function (device) {
   state.active = true;
   sendAll(device);
};

page.mOnDeactivate = function (device) {
   state.active = false;
   send(device, BYE, []);
};

// mOnIdle came with API 1.1; where it is missing, assigning it fails, and changes alone are told.
try {
   page.mOnIdle = function (device) {
      if (!state.active) return;
      state.idles += 1;
      if (state.idles >= IDLES_BETWEEN) {
         state.idles = 0;
         sendAll(device);
      }
   };
} catch (error) {
   state.idles = 0;
}
