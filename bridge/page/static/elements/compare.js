// Takes side by side: their lanes under one playhead, in what they differ, and A/B at equal loudness.

import { h, setAttribute, setText, sized } from "../lib/dom.js";
import { take_letter } from "../lib/takes.js";
import { theme } from "../lib/theme.js";
import { PARTS } from "../lib/tiles.js";
import { rows_of } from "../lib/values.js";

const MOST_TAKES = 3;

let open = null;

/** number: the take that is compared with the one that plays. */
export function openCompare(app, number) {
	open?.close();
	open = new Compare(app, number);
}

class Compare {
	#ends; // of what listens

	constructor(app, number) {
		this.app = app;
		const rows = app.rows.takes;
		const playing = rows.find((row) => row[3])?.[0];
		const others = [number, app.get("take_before"), ...rows.map((row) => row[0])].filter((each) => each !== undefined && each !== playing);
		this.shown = [...new Set([playing, ...others])].slice(0, Math.min(MOST_TAKES, rows.length)).sort((a, b) => a - b);
		this.lanes = h("div", { class: "compared" });
		this.differences = h("div", { class: "differences" });
		this.loudness = h("span", { class: "label", role: "status" });
		this.level = h("button", { "aria-pressed": String(app.sound.equal), title: "The louder take is turned down", onclick: () => this.#equal() }, "Equal loudness");
		this.view = h("section", { class: "compare table-view", "aria-label": "Takes side by side", tabindex: "-1", onkeydown: (event) => this.#key(event) },
			h("div", { class: "compare-head" },
				h("button", { title: "The other take at the next chord (\\)", onclick: () => app.takes.swap() }, "A/B", h("kbd", {}, "\\")),
				this.level, this.loudness, h("span", { class: "space" }),
				h("button", { onclick: () => this.close() }, "Back to the lanes"),
			),
			this.lanes, this.differences,
		);
		app.timeline.body.append(this.view);
		this.#ends = [app.on(["takes", "chords", "tiles/notes"], () => this.#show()), app.onframe(() => this.#needle())];
		this.view.focus();
		this.#ask();
	}

	close() {
		for (const end of this.#ends) end();
		this.view.remove();
		open = null;
		this.app.timeline.querySelector("button")?.focus();
	}

	#key(event) {
		if (event.key !== "Escape") return;
		event.stopPropagation();
		this.close();
	}

	#equal() {
		const { sound } = this.app;
		sound.equal = !sound.equal;
		setAttribute(this.level, "aria-pressed", String(sound.equal));
	}

	/** In what the first two differ, in the table's own words. */
	async #ask() {
		const [one, other] = this.shown;
		if (other === undefined) return;
		const answer = await this.app.act("/cue/take/compare", [one, other], { quiet: true });
		const rows = rows_of(answer?.ok ?? [], 3, 2);
		const head = ["What", `Take ${take_letter(one)}`, `Take ${take_letter(other)}`].map((text) => h("th", { scope: "col" }, text));
		const body = rows.map(([what, first, second]) => h("tr", {}, h("th", { scope: "row" }, String(what)), h("td", {}, String(first)), h("td", {}, String(second))));
		this.differences.replaceChildren(rows.length ? h("table", {}, h("caption", { class: "label" }, "In what they differ"), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body)) : h("p", { class: "label" }, "They differ in nothing but their notes."));
	}

	#show() {
		const { app } = this;
		const playing = app.rows.takes.find((row) => row[3])?.[0];
		const held = document.activeElement?.dataset?.take;
		this.lanes.replaceChildren(
			...this.shown.map((number) => {
				const canvas = h("canvas", { "aria-hidden": "true" });
				const [, name, kept] = app.rows.takes.find((row) => row[0] === number) ?? [];
				const word = number === playing ? "playing" : kept ? `kept “${name}”` : "";
				const button = h("button", { "data-take": String(number), "aria-pressed": String(number === playing), title: "Play from the next chord", onclick: () => app.takes.select(number, "chord") }, h("b", {}, take_letter(number)), h("span", { class: "label" }, word));
				const known = app.heard_takes.get(number);
				return h("div", { class: "compared-take", "data-number": String(number) }, button, h("div", { class: "compared-field" }, canvas, h("i", { class: "needle" }), known === undefined ? h("p", { class: "label" }, "Not heard since this page was opened: play it once to see it.") : null));
			}),
		);
		if (held) this.lanes.querySelector(`[data-take="${held}"]`)?.focus();
		for (const row of this.lanes.children) this.#paint(row.querySelector("canvas"), app.heard_takes.get(Number(row.dataset.number)));
		this.#say_loudness();
		this.#needle();
	}

	#say_loudness() {
		const [one, other] = this.shown;
		const found = this.app.sound.levels.pair(one, other);
		setText(this.loudness, found === null ? "Loudness is known once both were heard." : `${take_letter(one)} ${found[0].toFixed(1)} LUFS, ${take_letter(other)} ${found[1].toFixed(1)} LUFS over ${(found[2] / 2).toFixed(1)} s`);
	}

	/** Chord names above the notes of all parts, over the whole film. */
	#paint(canvas, known) {
		const ctx = sized(canvas);
		if (ctx === null || known === undefined) return;
		const colours = theme();
		const tall = canvas.clientHeight;
		const zoom = canvas.clientWidth / this.app.duration_s;
		ctx.font = `600 11px ${colours.font}`;
		let free = 0;
		for (const chord of known.chords) {
			const x = chord.start_s * zoom;
			ctx.fillStyle = colours.hairline;
			ctx.fillRect(x, 0, 1, tall);
			if (x < free) continue;
			ctx.fillStyle = colours.text;
			ctx.fillText(chord.name, x + 3, 11);
			free = x + ctx.measureText(chord.name).width + 8;
		}
		for (const notes of known.tiles.values()) {
			for (let index = 0; index < notes.n; index++) {
				const part = PARTS[notes.part[index]];
				if (part === "drums") continue;
				ctx.fillStyle = colours[part];
				ctx.fillRect(notes.start[index] * zoom, 16 + (1 - (notes.pitch[index] - 28) / 68) * (tall - 20), Math.max(1, notes.length[index] * zoom - 0.5), 2);
			}
		}
	}

	#needle() {
		const share = this.app.heard_s() / (this.app.duration_s || 1);
		for (const needle of this.lanes.querySelectorAll(".needle")) needle.style.left = `${Math.min(1, share) * 100}%`;
	}
}
