// A new cut of the film as a table: what changed, what each policy does to the hits, and taking it as one step.

import { h, openDialog, say } from "../lib/dom.js";
import { chosen_file } from "../lib/files.js";

const POLICIES = { shift: "Chords stay with their picture", ramp: "The tempo bends", bars: "Bars go at joins, pedals and rests", beats: "Beats go too, in bars of their own length", rewrite: "Composed anew to the next mark" };

export async function openRecut(app) {
	const file = await chosen_file(app, "video/*,.mkv,.mov,.mxf,.avi", "film");
	if (file !== null) new RecutTable(app, file);
}

const table = (heads, rows) => h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))))));

class RecutTable {
	constructor(app, { upload, name }) {
		this.app = app;
		this.upload = upload;
		this.policy = "shift";
		this.rows = h("div", { class: "marker-rows" });
		this.under = h("p", { class: "under", role: "status" }, "Both cuts are compared; the music plays on…");
		this.take = h("button", { class: "primary", disabled: true, onclick: () => this.#take() }, "Take the new cut");
		this.dialog = openDialog(`New cut: ${name}`, this.rows, this.under, h("div", { class: "buttons" }, h("button", { onclick: () => this.dialog.close() }, "Cancel"), this.take));
		this.dialog.classList.add("markers");
		void this.#show();
	}

	async #asked(what, policy = "") {
		try {
			return await this.app.link.do("/page/conform", [this.upload, what, policy], this.app.gesture());
		} catch (error) {
			say(this.under, error.message, true);
			return null;
		}
	}

	async #show() {
		const answer = await this.#asked("show");
		if (answer === null) return;
		const of = (word) => (answer.more ?? []).filter(([address]) => address.endsWith(word)).map(([, values]) => values);
		const changes = of("/change").map(([, kind, before, after, frames]) => [kind, before, after, `${frames > 0 ? "+" : ""}${frames}`]);
		const policies = of("/policy").map(([policy, met, were, hits, lifted, worst, anew, words]) => {
			const box = h("input", { type: "radio", name: "policy", value: policy, checked: policy === this.policy, "aria-label": POLICIES[policy], onchange: () => (this.policy = policy) });
			const lost = lifted ? `, ${lifted} lifted` : "";
			const fresh = anew ? `${anew.toFixed(1)} s anew. ` : "";
			return [box, POLICIES[policy], `${met} of ${hits} (${were} before${lost})`, `${worst} frames`, fresh + words];
		});
		this.rows.replaceChildren(table(["Change", "Old cut", "New cut", "Frames"], changes), table(["", "The music", "Hits on a beat", "Worst", ""], policies));
		say(this.under, answer.ok[1]);
		this.take.disabled = false;
	}

	async #take() {
		this.take.disabled = true;
		say(this.under, "Comparing the new cut…");
		const answer = await this.#asked("take", this.policy);
		this.take.disabled = false;
		if (answer === null) return;
		this.dialog.close();
		this.app.messages.say(`New cut: ${answer.ok[1]}`);
	}
}
