// Why the selected chord is what it is: who set it, the network's share and alternatives, the mood's pull, the place.

import { h } from "../lib/dom.js";

export class WhyTab extends HTMLElement {
	#asked = "";

	start(app) {
		this.app = app;
		this.body = h("div", { "aria-live": "off" });
		this.append(this.body);
		app.view.addEventListener("selected", () => this.#show());
		app.on(["chords", "tab"], () => this.#show());
	}

	async #show() {
		if (this.app.get("tab") !== "why") return;
		const { app } = this;
		const chord = app.selected_chord() ?? app.chord_at(app.position_s());
		if (chord === null) {
			this.#asked = "";
			this.body.replaceChildren(h("p", { class: "label" }, "Select a chord to see why it is there."));
			return;
		}
		const wanted = `${chord.start_s} ${chord.name} ${chord.state} ${app.get("plan")?.revision}`;
		if (wanted === this.#asked) return;
		this.#asked = wanted;
		const title = h("h2", {}, `${chord.place} ${chord.name || "silence"}`);
		if (!app.table.has("/cue/why")) {
			const set = { pinned: "You pinned it.", typed: "It is in the progression that was typed.", generated: "The network chose it.", provisional: "It is being composed." }[chord.state] ?? "";
			this.body.replaceChildren(title, h("p", {}, chord.printed ? "It is in the DAW already." : set));
			return;
		}
		try {
			const answer = await app.link.do("/cue/why", [chord.start_s]);
			if (wanted !== this.#asked) return;
			this.body.replaceChildren(title, ...this.#lines(chord, answer.ok ?? []));
		} catch (error) {
			if (wanted === this.#asked) this.body.replaceChildren(title, h("p", {}, error.message));
		}
	}

	/** First and last second, name, who, share; then chord, chance, network's chance of others; then lines in words. */
	#lines(chord, [, , , , , ...rest]) {
		const others = [];
		while (rest.length > 2 && typeof rest[1] === "number" && typeof rest[2] === "number") others.push(rest.splice(0, 3));
		const lines = rest.filter((line) => typeof line === "string" && line).map((line) => h("p", {}, line));
		if (!others.length) return lines;
		const instead = others.map(([name, chance]) => h("button", { onclick: () => this.app.pin(chord, name), title: `Pin ${name}` }, `${name} ${Math.round(chance * 100)} %`));
		return [...lines, h("p", { class: "instead" }, h("span", { class: "label" }, "Instead"), ...instead)];
	}
}

customElements.define("cue-why", WhyTab);
