// Parts: who plays, where, how loud, on which channel; ports and latency.

import { h } from "../lib/dom.js";
import { controlField } from "./control.js";

const NAMES = {
	on: "Plays", level: "Level", pattern: "Pattern", low: "Lowest pitch", high: "Highest pitch", "velocity/low": "Softest", "velocity/high": "Loudest",
	transpose: "Transpose", note_length: "Note length", nudge: "Earlier, later", channel: "Channel",
};
const OUTPUT = [
	["/cue/ports/layout", "Ports"], ["/cue/nudge", "MIDI earlier, later"], ["/cue/hold_on_sync_loss", "Hold when sync is lost"], ["/cue/frame_rate", "Timecode"],
	["/cue/middle_c", "Middle C is"], ["/cue/transpose", "Transpose all"], ["/cue/voicing", "Voicing"], ["/cue/note_length", "Note length"], ["/cue/crescendo", "Crescendo"],
	["/cue/cc1", "CC 1"], ["/cue/cc11", "CC 11"], ["/cue/density_map", "Density map"], ["/cue/velocity_map", "Velocity map"], ["/cue/click_on_cuts", "Click on cuts"],
];

export class PartsTab extends HTMLElement {
	start(app) {
		this.app = app;
		this.choice = h("div", { class: "segments", role: "group", "aria-label": "Part" });
		this.body = h("div", { class: "fields" });
		this.append(this.choice, this.body);
		this.choice.style.marginBottom = "8px";
		this.body.style.gridTemplateColumns = "repeat(auto-fill, minmax(170px, 1fr))";
		this.part = "melody";
		this.kept = new Map();
		app.on(["table"], () => app.table.size && this.#build());
	}

	#build() {
		if (this.built) return;
		this.built = true;
		for (const part of ["melody", "arp", "pad", "bass", "drums", "output"]) this.choice.append(h("button", { "data-part": part, onclick: () => this.#show(part) }, part === "output" ? "Output" : part));
		this.#show("melody");
	}

	#show(part) {
		for (const button of this.choice.children) button.setAttribute("aria-pressed", String(button.dataset.part === part));
		if (!this.kept.has(part)) this.kept.set(part, part === "output" ? OUTPUT.map(([address, name]) => controlField(this.app, address, { name })) : this.#fields(part));
		this.body.replaceChildren(...this.kept.get(part).filter((field) => field !== null));
	}

	/** Whatever the table has for this part, the known ones first. */
	#fields(part) {
		const head = `/cue/part/${part}/`;
		const names = [...Object.keys(NAMES), ...[...this.app.table.keys()].filter((address) => address.startsWith(head)).map((address) => address.slice(head.length))];
		return [...new Set(names)].map((name) => controlField(this.app, head + name, { name: NAMES[name] }));
	}
}

customElements.define("cue-parts", PartsTab);
