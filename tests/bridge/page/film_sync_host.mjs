// The page's film-sync outside a browser: a film with a clock of its own, frames shown 60 times a second, seeks that take time.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
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
  set playbackRate(rate) {
    this.rates.push([now_ms, rate]);
    this.rate = rate;
    if (!this.paused) this.stall(job.change_ms);
  }
  get currentTime() { return this.media_s; }
  set currentTime(second) { this.#seeking = { second, at_ms: now_ms + job.seek_ms[this.seeks++ % job.seek_ms.length] }; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  requestVideoFrameCallback(callback) { this.waiting.push(callback); }
  pause() { this.paused = true; }
  async play() { this.paused = false; this.starts_ms = now_ms + job.start_ms; }
  /** No frame is decoded in time for so long: it goes on where it was. */
  stall(ms) { this.starts_ms = Math.max(this.starts_ms, now_ms) + ms; }
  step(ms) {
    if (this.#seeking !== null && now_ms >= this.#seeking.at_ms) {
      this.media_s = this.#seeking.second;
      this.#seeking = null;
      this.listeners.seeked?.();
    }
    if (this.paused || this.#seeking !== null) return;
    // What of this step it stands still for.
    ms -= Math.min(ms, Math.max(0, this.starts_ms - (now_ms - ms)));
    if (ms === 0) return;
    const rate = this.rates.findLast(([at_ms]) => at_ms + job.rate_ms <= now_ms)?.[1] ?? 1; // it works a while after
    this.media_s += (ms / 1000) * rate * job.speed;
    const frame = Math.floor(this.media_s * job.fps);
    if (frame === this.frame) return;
    this.frame = frame;
    for (const callback of this.waiting.splice(0)) callback(now_ms, { expectedDisplayTime: now_ms, mediaTime: frame / job.fps });
  }
}

globalThis.HTMLVideoElement = Video;
const { FilmSync } = await import(pathToFileURL(process.argv[2]));
const { wrapped } = await import(pathToFileURL(`${dirname(process.argv[2])}/../lib/time.js`));
const app = {
  rolling: true, loop: job.loop ?? null, fps: job.fps, frame_s: 1 / job.fps, duration_s: job.duration_s,
  jumps: [{ from_s: 0, since_ms: 0 }],
  position_s: (at_ms = now_ms) => place(app.jumps.at(-1), at_ms),
  // A jump of the transport is heard when the sound that is under way has left the speaker.
  heard_s: (at_ms = now_ms) => place(app.jumps.findLast((jump) => jump.since_ms + job.heard_after_ms <= at_ms) ?? app.jumps[0], at_ms),
  get: (name) => (name === "film" ? { offset_s: job.offset_s } : undefined),
};
const place = ({ from_s, since_ms }, at_ms) => wrapped(from_s + (at_ms - since_ms) / 1000, from_s, app.loop);
const videos = [new Video()];
const spare = () => {
  videos.push(new Video());
  return videos[1];
};
const sync = new FilmSync(videos[0], app, { spare });
const locates = [...(job.locates ?? [])];
const stalls = [...(job.stalls ?? [])];
const off = [];
let stray = 0; // frames of elsewhere that were shown as if they were right
let last_ms = 0;
const step_ms = 1000 / 60;
for (; now_ms < job.seconds * 1000; now_ms += step_ms) {
  if (locates.length && now_ms >= locates[0][0] * 1000) {
    const [, from_s] = locates.shift();
    app.jumps.push({ from_s, since_ms: now_ms });
    last_ms = now_ms;
  }
  if (stalls.length && now_ms >= stalls[0] * 1000) {
    stalls.shift();
    for (const video of videos) video.stall(job.stall_ms);
  }
  for (const video of videos) video.step(step_ms);
  sync.tick(app.heard_s(now_ms + 33), app.position_s(now_ms + 33)); // what is done now is seen a refresh later
  for (const frames of sync.off_frames.splice(0)) {
    if (Math.abs(frames) > 12) stray++;
    if (now_ms - last_ms > job.settle_s * 1000) off.push(frames);
  }
}
console.log(JSON.stringify({ stray, within: off.filter((each) => Math.abs(each) <= 1).length / off.length, shown: off.length, at_s: sync.video.media_s, heard_s: app.heard_s(), changes: videos.flatMap((video) => video.rates).length }));
