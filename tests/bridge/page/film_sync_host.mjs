// The page's film-sync outside a browser: a film with a clock of its own, frames shown 60 times a second, seeks that take time.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const job = JSON.parse(readFileSync(0, "utf8"));
let now_ms = 0;
globalThis.performance = { now: () => now_ms };

class Video {
  #seeking = null;
  constructor() {
    Object.assign(this, { paused: true, readyState: 4, duration: job.duration_s, media_s: job.offset_s, seeks: 0, listeners: {}, rate: 1, waiting: [], rates: [] });
  }
  get playbackRate() { return this.rate; }
  set playbackRate(rate) { this.rates.push([now_ms, rate]); this.rate = rate; }
  get currentTime() { return this.media_s; }
  set currentTime(second) { this.#seeking = { second, at_ms: now_ms + job.seek_ms[this.seeks++ % job.seek_ms.length] }; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  requestVideoFrameCallback(callback) { this.waiting.push(callback); }
  pause() { this.paused = true; }
  async play() { this.paused = false; this.starts_ms = now_ms + job.start_ms; }
  step(ms) {
    if (this.#seeking !== null && now_ms >= this.#seeking.at_ms) {
      this.media_s = this.#seeking.second;
      this.#seeking = null;
      this.listeners.seeked?.();
    }
    if (this.paused || this.#seeking !== null || now_ms < this.starts_ms) return;
    this.media_s += (ms / 1000) * this.rate * job.speed;
    const frame = Math.floor(this.media_s * job.fps);
    if (frame === this.frame) return;
    this.frame = frame;
    for (const callback of this.waiting.splice(0)) callback(now_ms, { expectedDisplayTime: now_ms, mediaTime: frame / job.fps });
  }
}

globalThis.HTMLVideoElement = Video;
const { FilmSync } = await import(pathToFileURL(process.argv[2]));
const app = {
  rolling: true, fps: job.fps, frame_s: 1 / job.fps, duration_s: job.duration_s, from_s: 0, since_ms: 0,
  heard_s: (at_ms = now_ms) => app.from_s + (at_ms - app.since_ms) / 1000,
  get: (name) => (name === "film" ? { offset_s: job.offset_s } : undefined),
};
const video = new Video();
const sync = new FilmSync(video, app);
const locates = [...(job.locates ?? [])];
const off = [];
let stray = 0; // frames of elsewhere that were shown as if they were right
let last_ms = 0;
const step_ms = 1000 / 60;
for (; now_ms < job.seconds * 1000; now_ms += step_ms) {
  if (locates.length && now_ms >= locates[0][0] * 1000) {
    [, app.from_s] = locates.shift();
    app.since_ms = last_ms = now_ms;
  }
  video.step(step_ms);
  sync.tick(app.heard_s());
  for (const frames of sync.off_frames.splice(0)) {
    if (Math.abs(frames) > 12) stray++;
    if (now_ms - last_ms > job.settle_s * 1000) off.push(frames);
  }
}
console.log(JSON.stringify({ stray, within: off.filter((each) => Math.abs(each) <= 1).length / off.length, shown: off.length, at_s: video.media_s, heard_s: app.heard_s(), changes: video.rates.length }));
