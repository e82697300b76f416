// The second screen (`?view=film`): the film with what a spotting session wants to see from across the room.

import { h, setAttribute, setText } from "../lib/dom.js";
import { lastAt, timecode } from "../lib/time.js";

const SOON_S = 10; // a hit that comes within this is counted down
const FLASH_S = 0.4;

export class SecondScreen extends HTMLElement {
	start(app) {
		this.app = app;
		this.chord = h("b", { class: "chord" });
		this.coming = h("span", { class: "coming" });
		this.bar = h("span", { class: "bar" });
		this.time = h("span", { class: "time" });
		this.name = h("span", { class: "name" });
		this.left = h("b", { class: "left" });
		this.fill = h("i");
		this.hit = h("div", { class: "hit", role: "status", "aria-live": "off" }, this.name, this.left, h("div", { class: "runway" }, this.fill));
		this.append(h("div", { class: "words" }, this.chord, this.coming), this.hit, h("div", { class: "places" }, this.bar, this.time));
		app.on(["/cue/playhead", "hits", "chords", "bars", "film"], () => app.request());
		app.onframe(() => this.#show());
	}

	/** The hit that comes next, or the one just met. */
	#hit(at_s) {
		const hits = this.app.rows.hits;
		const index = lastAt(hits, at_s - FLASH_S, (row) => row[0]);
		return hits[index + 1];
	}

	#show() {
		const { app } = this;
		const at_s = app.heard_s();
		const chord = app.chord_at(at_s);
		setText(this.chord, chord?.name ?? "");
		const next = chord === null ? undefined : app.chords.find((each) => each.start_s >= chord.end_s - 1e-3 && each.name && each.name !== chord.name);
		setText(this.coming, next === undefined ? "" : `${next.name} at ${next.place}`);
		setText(this.bar, app.bars.list.length ? app.bars.text(at_s) : "");
		setText(this.time, app.get("/cue/playhead")?.[3] && !app.rolling ? app.get("/cue/playhead")[3] : timecode(at_s, { fps: app.fps }));
		const hit = this.#hit(at_s);
		const left_s = hit === undefined ? Infinity : hit[0] - at_s;
		this.hit.hidden = left_s > SOON_S;
		if (this.hit.hidden) return;
		const now = left_s <= 0;
		setAttribute(this.hit, "class", `hit ${hit[1]}${now ? " now" : ""}`);
		setText(this.name, hit[2] || `${hit[1]} hit`);
		setText(this.left, now ? "now" : left_s >= 1 ? left_s.toFixed(1) : `${Math.ceil(left_s * app.fps)} fr`);
		this.fill.style.transform = `scaleX(${Math.max(0, Math.min(1, left_s / SOON_S))})`;
	}
}

customElements.define("cue-second-screen", SecondScreen);

export function open(app) {
	const screen = h("cue-second-screen");
	document.body.append(screen);
	screen.start(app);
	app.second_screen = screen;
}
