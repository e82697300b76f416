// Runs the page's mixer outside a browser: reads one JSON job from stdin, writes 32-bit floats to stdout.
import { readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { Mixer, Limiter } = await import(pathToFileURL(process.argv[2]));
const job = JSON.parse(readFileSync(0, "utf8"));
const mixer = new Mixer({ scale: job.scale });
if (!job.limiter) mixer.limiter = { delay: 0, process() {} };

function put({ stream, index, revision, parts, level }) {
  const unpacked = Object.entries(parts).map(([name, data]) => {
    const bytes = Buffer.from(data, "base64");
    return [name, new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))];
  });
  mixer.put(stream, index, revision, new Map(unpacked), level);
}

for (const block of job.blocks) put(block);
for (const [name, gain] of Object.entries(job.gains ?? {})) mixer.set_gain(name, gain);
const left = new Float32Array(128);
const right = new Float32Array(128);
const out = new Float32Array(job.quanta * 256);
const acts = [...job.acts];
for (let quantum = 0; quantum < job.quanta; quantum++) {
  while (acts.length && acts[0].quantum <= quantum) {
    const { start, jump, stop, loop, blocks, gains, steer, clock } = acts.shift();
    if (start !== undefined) mixer.start(start);
    if (jump !== undefined) mixer.jump(jump);
    if (stop) mixer.stop();
    if (loop !== undefined) mixer.loop = loop;
    if (steer !== undefined) mixer.steer(mixer.position + steer);
    if (clock !== undefined) mixer.steer(clock);
    for (const block of blocks ?? []) put(block);
    for (const [name, gain] of Object.entries(gains ?? {})) mixer.set_gain(name, gain);
  }
  mixer.render(left, right, 128);
  for (let index = 0; index < 128; index++) {
    out[quantum * 256 + index * 2] = left[index];
    out[quantum * 256 + index * 2 + 1] = right[index];
  }
}
const bytes = Buffer.from(out.buffer);
for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
void Limiter;
