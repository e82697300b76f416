// A stand-in for Cubase's and Nuendo's MIDI Remote API, written from its documentation and apart from the script.
// Source: C = steinbergmedia.github.io/midiremote_api_doc and the .d.ts it ships (API 1.0/1.1).  A property that is
// not listed raises.  Callbacks are assigned; values are bound to host values.  Prints each MIDI message as JSON.
// Traps kept: in API 1.0 (Cubase 12) assigning mOnIdle raises nothing, it is only never called; what a version lacks
// (`missing`) is undefined; a device is made only for a pair of ports that the detection unit's rules fit, and all that
// fit are candidates.
// Usage: node cubase_host.js SCRIPT [API minor] [{"missing": [], "slowMs": 0}]; commands arrive as JSON lines on standard
// input.
"use strict";
var fs = require("fs"), vm = require("vm"), readline = require("readline"), minor = +(process.argv[3] || 1);
var options = JSON.parse(process.argv[4] || "{}"), missing = options.missing || [], logged = [];
var called = {};
function strict(name, object, callbacks) {
   return new Proxy(object, {
      get: function (t, k) {
         if (typeof k === "symbol") return t[k];
         if (missing.indexOf(name + "." + k) >= 0) return undefined;
         if (!(k in t) && (callbacks || []).indexOf(k) < 0) throw new Error(name + "." + k + " is not in the documentation");
         called[name + "." + k] = true;
         return t[k];
      },
      set: function (t, k, v) {
         if ((callbacks || []).indexOf(k) < 0) throw new Error(name + "." + k + " cannot be set");
         called[name + "." + k] = true; t[k] = v; return true;
      }
   });
}
function say(o) { process.stdout.write(JSON.stringify(o) + "\n"); }
var device = { name: "active device", state: {} };
// C: ActiveDevice.setState/getState hold strings
var activeDevice = strict("ActiveDevice", { setState: function (k, v) { device.state[k] = String(v); }, getState: function (k) { return device.state[k] || ""; } });
var mapping = strict("ActiveMapping", {});
var bound = [], hostValues = {};
function hostValue(name) { return (hostValues[name] = strict("HostValue", { _name: name }, ["mOnProcessValueChange", "mOnDisplayValueChange"])); }
function surfaceValue(name) { return strict("SurfaceValue", { _name: name }, ["mOnProcessValueChange", "mOnDisplayValueChange", "mOnTitleChange"]); }
var locator = strict("TransportLocator", {}, ["mOnChange"]);
var timeDisplay = strict("HostTimeDisplay", { mPrimary: strict("PrimaryTimeDisplay", { mTransportLocator: locator }) }, ["mOnChangeTempoBPM"]);
var transport = strict("HostTransport", {
   mValue: strict("HostTransportValues", { mStart: hostValue("start"), mStop: hostValue("stop"), mRecord: hostValue("record"), mCycleActive: hostValue("cycle") }),
   mTimeDisplay: timeDisplay
});
var page = strict("FactoryMappingPage", {
   mHostAccess: strict("HostAccess", { mTransport: transport }),
   makeValueBinding: function (s, h) { bound.push([s, h]); return strict("ValueBinding", {}, ["mOnValueChange"]); }
}, ["mOnActivate", "mOnDeactivate", "mOnIdle"]);
var output = strict("DeviceMidiOutput", { sendMidi: function (d, bytes) {
   if (d !== activeDevice) throw new Error("sendMidi wants the active device first");
   for (var end = Date.now() + (options.slowMs || 0); Date.now() < end;) { /* a busy host */ }
   bytes = Array.prototype.slice.call(bytes);
   if (bytes.some(function (b, i) { return !(b === Math.floor(b) && b >= 0 && b < 256) || (i && i < bytes.length - 1 && b > 127); })) throw new Error("bad MIDI " + bytes);
   say({ midi: bytes });
} });
var input = strict("DeviceMidiInput", {}, ["mOnSysex"]);
var unit = {};
var driver = strict("DeviceDriver", {
   mPorts: strict("DevicePorts", { makeMidiInput: function () { return input; }, makeMidiOutput: function () { return output; } }),
   makeDetectionUnit: function () {
      return strict("DetectionUnit", { detectPortPair: function (i, o) {
         if (i !== input || o !== output) throw new Error("ports of another driver");
         var pair = strict("DetectionPortPair", {
            expectInputNameContains: function (n) { unit.input = n; return pair; }, expectOutputNameContains: function (n) { unit.output = n; return pair; }
         });
         return pair;
      } });
   },
   mSurface: strict("DeviceSurface", { makeCustomValueVariable: surfaceValue, makeButton: function () { return strict("Button", { mSurfaceValue: surfaceValue("button") }); } }),
   mMapping: strict("DeviceMapping", { makePage: function () { return page; } })
}, ["mOnActivate", "mOnDeactivate"]);
var defaults = strict("HostDefaults", { getAppName: function () { return "Cubase"; }, getAppVersion: function () { return minor >= 1 ? "13.0.40" : "12.0.70"; } });
var api = strict("MidiRemoteApi", { mDefaults: defaults, makeDeviceDriver: function (v, d, a) { unit.names = [v, d, a]; return driver; } });
var context = vm.createContext({ require: function (n) { if (n !== "midiremote_api_v1") throw new Error("no module " + n); return api; }, console: strict("console", { log: function (text) { logged.push(String(text)); } }) });
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context);
var ACTIONS = {
   activate: function () { if (driver.mOnActivate) driver.mOnActivate(activeDevice); if (page.mOnActivate) page.mOnActivate(activeDevice, mapping); },
   deactivate: function () { if (page.mOnDeactivate) page.mOnDeactivate(activeDevice, mapping); if (driver.mOnDeactivate) driver.mOnDeactivate(activeDevice); },
   tempo: function (v) { if (timeDisplay.mOnChangeTempoBPM) timeDisplay.mOnChangeTempoBPM(activeDevice, mapping, v); },
   idle: function () { if (minor >= 1 && page.mOnIdle) page.mOnIdle(activeDevice, mapping); },
   // The device manager: every (input, output) that the rules fit.
   ports: function (v) {
      unit.pairs = [];
      v[0].forEach(function (i) { v[1].forEach(function (o) { if (i.indexOf(unit.input) >= 0 && o.indexOf(unit.output) >= 0) unit.pairs.push([i, o]); }); });
   },
   sysex: function (v) { if (input.mOnSysex) input.mOnSysex(activeDevice, v); },
   value: function (v) {   // a host value changes: its own callback and those of surface values bound to it
      var h = hostValues[v[0]];
      if (h.mOnProcessValueChange) h.mOnProcessValueChange(activeDevice, mapping, v[1], 0);
      bound.forEach(function (b) { if (b[1] === h && b[0].mOnProcessValueChange) b[0].mOnProcessValueChange(activeDevice, v[1], 0); });
   }
};
readline.createInterface({ input: process.stdin }).on("line", function (line) {
   var c = JSON.parse(line);
   try { Object.keys(c).forEach(function (k) { ACTIONS[k](c[k]); }); say({ done: true, unit: unit, called: Object.keys(called), logged: logged }); } catch (e) { say({ error: String(e.stack || e) }); }
});
say({ ready: true });
