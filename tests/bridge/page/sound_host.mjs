// What the page knows of the mixer's blocks, outside a browser: reads acts from stdin, writes what each gave as JSON.
import { readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { Here, Lag } = await import(pathToFileURL(`${process.argv[2]}/here.js`));
const { Mixer } = await import(pathToFileURL(`${process.argv[2]}/mixer.js`));
const here = new Here();
const lag = new Lag();
const mixer = new Mixer();
const answers = [];
for (const { put, renewed, lacking, clear, watch, held } of JSON.parse(readFileSync(0, "utf8"))) {
  if (put) {
    here.put(...put);
    mixer.put(...put, new Map());
  }
  if (renewed) here.renewed(...renewed);
  if (clear) here.clear();
  if (held) {
    let count = 0;
    for (const block of mixer.blocks.values()) for (let each = block; each; each = each.before) count++;
    answers.push(count);
  }
  if (watch) answers.push(lag.watch(...watch));
  if (lacking) {
    const [stream, first, end] = lacking;
    const [from, count] = here.lacking(stream, first, end);
    const gone = [];
    for (let index = first; index < end; index++) {
      if ((index < from || index >= from + count) && !mixer.blocks.has(`${stream} ${index}`)) gone.push(index);
    }
    answers.push([from, count, gone]);
  }
}
writeSync(1, JSON.stringify(answers));
