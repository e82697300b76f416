// Three clocks: film timecode, bar|beat, DAW timecode. A click copies one.

import { h, setAttribute, setText } from "../lib/dom.js";
import { timecode } from "../lib/time.js";

export class Clocks extends HTMLElement {
	start(app) {
		this.app = app;
		const clock = (name, label, title) => {
			const number = h("span", { class: "number" }, "–");
			const button = h("button", { class: name, title, onclick: () => this.#copy(number.textContent) }, h("span", { class: "label" }, label), number);
			this.append(button);
			return { button, number };
		};
		this.film = clock("film-clock", "Film", "Film timecode; click to copy");
		this.bar = clock("bar", "Bar", "Bar and beat; click to copy");
		this.bar.button.firstChild.className = "label";
		this.daw = clock("daw-clock", "DAW", "DAW timecode; click to copy");
		app.onframe(() => this.#show());
	}

	#show() {
		const { app } = this;
		const playhead = app.get("/cue/playhead");
		const at_s = app.heard_s();
		const [, , , film_label, daw_label] = playhead ?? [];
		const origin = this.#origin(film_label, playhead?.[0] ?? 0);
		setText(this.film.number, origin === null ? "–" : timecode(at_s, origin));
		setText(this.bar.number, app.bars.text(at_s, true));
		const daw = this.#origin(daw_label, playhead?.[0] ?? 0);
		const with_daw = (app.get("/cue/daw") ?? []).length > 0 || !["", "internal", "own"].includes(app.get("/cue/sync")?.[0] ?? "");
		setText(this.daw.number, with_daw && daw !== null ? timecode(at_s, daw) : "– no DAW");
		setAttribute(this.daw.button, "class", with_daw ? "daw-clock" : "daw-clock none");
	}

	/** The label of the film's frame 0 under the bridge's own label of a position: so that the page counts as it does. */
	#origin(label, at_s) {
		const found = /^(\d+):(\d+):(\d+)([:;])(\d+)$/.exec(label ?? "");
		if (found === null || !this.app.duration_s) return null;
		if (this.kept?.label === label && this.kept.at_s === at_s) return this.kept.origin;
		const { fps } = this.app;
		const drop = found[4] === ";";
		const nominal = Math.round(fps);
		const [hours, minutes, seconds, frames] = [found[1], found[2], found[3], found[5]].map(Number);
		const total = hours * 60 + minutes;
		let frame = (total * 60 + seconds) * nominal + frames;
		if (drop) frame -= (nominal / 15) * (total - Math.floor(total / 10));
		const origin = { fps, drop, first_frame: frame - Math.max(0, Math.floor(at_s * fps + 1e-4)) };
		this.kept = { label, at_s, origin };
		return origin;
	}

	async #copy(text) {
		try {
			await navigator.clipboard.writeText(text);
			this.app.messages.say(`${text} copied.`);
		} catch {
			this.app.messages.say("This browser lets nothing be copied here.");
		}
	}
}

customElements.define("cue-clocks", Clocks);
