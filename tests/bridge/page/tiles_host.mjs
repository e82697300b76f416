// The page's tiles outside a browser: `fetch` counts what is asked for; writes what was asked for as JSON.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const asked = [];
globalThis.fetch = async (address) => {
  asked.push(address);
  const data = address.includes("mood") ? new Float32Array(14).buffer : new Uint8Array(16 + 12).buffer;
  return { ok: true, arrayBuffer: async () => data };
};
const { Tiles } = await import(pathToFileURL(process.argv[2]));
const tiles = new Tiles(() => {});
const wait = () => new Promise((resolve) => setTimeout(resolve, 5));
tiles.set_film("first", 10);
await wait();
const early = [...asked];
tiles.set_plan(3);
tiles.load_mood(2);
await wait();
tiles.set_film("second", 10);
await wait();
writeSync(1, JSON.stringify({ early, asked, counts: tiles.counts !== null, mood: tiles.mood?.length }));
