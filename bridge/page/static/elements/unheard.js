// Takes that this window has not heard: their notes, as the session draws them up.

import { PARTS } from "../lib/tiles.js";

const STEPS = 16; // of a second: what notes of a sketch are counted in
const SHOWN = new Set(["melody", "pad"].map((part) => PARTS.indexOf(part)));

class Unheard {
	#sketches = new Map(); // number -> part, pitch, start, length of each note, one after the other

	constructor(app, changed) {
		this.app = app;
		this.changed = changed;
		app.on(["sketch"], () => this.#fetch(app.get("sketch")?.[0]));
		// A new server knows of no take that was asked for.
		app.on(["fresh"], () => app.link.do("/page/takes").catch(() => {}));
	}

	async #fetch(number) {
		if (number === 0) this.#sketches.clear();
		if (!number) return;
		const response = await fetch(`/takes/${number}.json`).catch(() => null);
		if (!response?.ok) return;
		this.#sketches.set(number, (await response.json()).notes);
		this.changed();
	}

	/** `[part, pitch, start_s, length_s]` of melody and pad, up to a second of the film. */
	*notes(number, end_s) {
		const flat = this.#sketches.get(number) ?? [];
		for (let at = 0; at < flat.length; at += 4) {
			const [part, pitch, start, length] = flat.slice(at, at + 4);
			if (SHOWN.has(part) && start <= end_s * STEPS) yield [part, pitch, start / STEPS, length / STEPS];
		}
	}
}

/** changed: called when a take has come. */
export const unheard = (app, changed) => new Unheard(app, changed);
