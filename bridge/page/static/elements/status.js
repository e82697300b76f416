// The line at the bottom: what is selected and what its keys are, and a few counts.

import { h, setText } from "../lib/dom.js";

const WHO = { pinned: "pinned", typed: "typed", generated: "by the network", provisional: "being composed", refused: "refused" };

export class Status extends HTMLElement {
	start(app) {
		this.app = app;
		this.selected = h("span", { class: "cut-off" });
		this.counts = h("span", { class: "counts cut-off" });
		this.append(this.selected, this.counts, h("button", { class: "link", onclick: () => app.open_keys() }, "? Keys"));
		app.view.addEventListener("selected", () => this.#selection());
		app.on(["chords"], () => this.#selection());
		app.on(["chords", "cuts", "/cue/ports", "link", "film", "phase"], () => this.#count());
	}

	#selection() {
		const { app } = this;
		const chord = app.selected_chord();
		if (chord === null) {
			const hit = app.view.selected?.lane === "hits" ? app.rows.hits.find(([time_s]) => Math.abs(time_s - app.view.selected.key) < 1e-3) : undefined;
			setText(this.selected, hit === undefined ? "Enter edits a chord, Space plays." : `${hit[1]} hit ${hit[2]}. Backspace deletes.`);
			return;
		}
		const state = app.refused.has(chord.start_s) ? "refused" : chord.printed ? "in the DAW" : (WHO[chord.state] ?? chord.state);
		const keys = chord.state === "pinned" ? "P unpins" : "P pins";
		this.selected.replaceChildren(h("b", {}, `${chord.place} ${chord.name || "silence"}`), ` ${state}. Arrow keys move, Enter edits, ${keys}.`);
	}

	#count() {
		const { app } = this;
		const many = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;
		const late = app.get("/cue/ports")?.[4] ?? 0;
		const phase = app.get("phase");
		const engine = { empty: "no film", film: "the film is being analysed", ready: "engine ready" }[phase] ?? "";
		setText(this.counts, app.get("link") !== "open" ? "" : [many(app.chords.filter((chord) => chord.name).length, "chord"), many(app.rows.cuts.length, "cut"), many(late, "late note"), engine].filter(Boolean).join(" · "));
	}
}

customElements.define("cue-status", Status);
