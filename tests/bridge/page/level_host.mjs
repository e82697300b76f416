// Measures takes outside a browser: reads one JSON job from stdin, writes JSON to stdout.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { Levels, weighted_power } = await import(pathToFileURL(process.argv[2]));
const { scale, takes, forget } = JSON.parse(readFileSync(0, "utf8"));
const levels = new Levels();
for (const [take, blocks] of Object.entries(takes)) {
  blocks.forEach((parts, index) => {
    const unpacked = Object.entries(parts).map(([name, data]) => {
      const bytes = Buffer.from(data, "base64");
      return [name, new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))];
    });
    levels.put(take, index, weighted_power(new Map(unpacked), scale / 32767));
  });
}
for (const [take, from] of Object.entries(forget ?? {})) levels.forget(take, from);
const [one, other] = Object.keys(takes);
console.log(JSON.stringify({ pair: levels.pair(one, other), gains: [levels.gain(one, other), levels.gain(other, one)] }));
