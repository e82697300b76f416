// The page's socket outside a browser: a server that answers pings until it hangs. Writes what the page knew, second by second.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const job = JSON.parse(readFileSync(0, "utf8"));
let now_s = 0;
const timers = [];
globalThis.performance = { now: () => now_s * 1000 };
globalThis.setInterval = (act, ms) => timers.push({ act, at_s: now_s + ms / 1000, every_s: ms / 1000 });
globalThis.setTimeout = (act, ms) => timers.push({ act, at_s: now_s + ms / 1000 });
const hangs = () => now_s >= job.hangs_from_s && now_s < job.hangs_to_s;
let sockets = 0;
globalThis.WebSocket = class {
  constructor() {
    sockets++;
    this.listeners = {};
    this.#when_up(() => this.listeners.open());
  }
  // A server that hangs takes nothing in and does nothing; what is on its way waits.
  #when_up(act) { setTimeout(() => (hangs() ? this.#when_up(act) : this.closed || act()), 10); }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  send(text) {
    const { clock, hello } = JSON.parse(text);
    this.#when_up(() => this.listeners.message({ data: JSON.stringify(hello ? { state: {} } : { clock, t: now_s }) }));
  }
  close() { this.closed = true; }
};

const { Link } = await import(pathToFileURL(process.argv[2]));
const link = new Link("", () => ({ hello: "x" }), { heard() {}, opened() {}, closed() {} });
const open = [];
for (; now_s < job.seconds; now_s += 0.005) {
  for (const timer of timers.filter((each) => each.at_s <= now_s)) {
    if (timer.every_s) timer.at_s += timer.every_s;
    else timers.splice(timers.indexOf(timer), 1);
    timer.act();
  }
  if (open.length < Math.floor(now_s) + 1) open.push(link.open);
}
console.log(JSON.stringify({ open, sockets }));
