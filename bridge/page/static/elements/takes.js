// Take cards: a key, a letter, a miniature, and what state it is in.

import { h, icon, menuOf, openBeside, openDialog, sized } from "../lib/dom.js";
import { rated, take_letter } from "../lib/takes.js";
import { onTheme, theme } from "../lib/theme.js";
import { PARTS, TILE_S } from "../lib/tiles.js";

const MINIATURE_S = 60;
const [MELODY, PAD] = ["melody", "pad"].map((part) => PARTS.indexOf(part));

export class Takes extends HTMLElement {
	start(app) {
		this.app = app;
		this.list = h("div", { class: "takes-list", role: "group", "aria-label": "Takes" });
		this.fresh = h("button", { onclick: () => this.make() }, "New take", h("kbd", {}, "N"));
		this.append(h("div", { class: "label" }, "Takes"), this.list);
		app.heard_takes ??= new Map(); // number -> {chords, tiles}
		app.on(["film"], () => this.film !== app.get("film")?.id && ((this.film = app.get("film")?.id), app.heard_takes.clear()));
		app.on(["takes", "/cue/takes/rated", "/cue/progress", "chords"], () => this.#show());
		app.on(["tiles/notes", "tiles/counts", "plan"], () => this.#draw_soon());
		onTheme(() => this.#draw_soon());
	}

	get rows() {
		return this.app.rows.takes.map(([number, name, kept, plays]) => ({ number, name, kept, plays }));
	}

	make() {
		return this.app.act("/cue/take/new", ["bar"], { what: "a new take" });
	}

	select(number, when = "bar") {
		const playing = this.rows.find((take) => take.plays);
		if (playing !== undefined && playing.number !== number) this.app.set("take_before", playing.number);
		const take = this.rows.find((each) => each.number === number);
		return this.app.act("/cue/take/select", [number, when], { what: `take ${take?.name ?? number}` });
	}

	/** A/B: back to the take before, at the same place. */
	swap() {
		const before = this.app.get("take_before");
		if (before === undefined) return this.app.messages.say("There is no take before this one to compare with.");
		return this.select(before, "chord");
	}

	keep() {
		return this.app.act("/cue/take/keep", [], {}).then((answer) => answer !== null && this.app.messages.say("Kept."));
	}

	rate(stars) {
		const playing = this.rows.find((take) => take.plays);
		if (playing !== undefined) this.app.act("/cue/take/rate", [playing.number, stars], {}).then((answer) => answer !== null && this.app.messages.say(`Take ${playing.name}: ${stars} of 5.`));
	}

	#word(take) {
		const progress = this.app.get("/cue/progress") ?? [];
		const words = [];
		if (take.plays) words.push(progress[0] === "compose" && progress[1] < 1 ? `composing ${Math.round(progress[1] * 100)} %` : "playing");
		if (take.kept) words.push(take.name && take.name !== take_letter(take.number) ? `kept · “${take.name}”` : "kept");
		const { rating } = rated(this.app, take.number);
		if (rating) words.push(`${rating}/5`);
		return words.join(" · ") || "new";
	}

	#show() {
		const rows = this.rows;
		const wanted = JSON.stringify(rows.map((take) => [take, this.#word(take)]));
		if (wanted === this.shown) return;
		this.shown = wanted;
		const focus = document.activeElement?.closest?.(".take")?.dataset.number;
		this.list.replaceChildren(
			...rows.map((take, index) => {
				const letter = take_letter(take.number);
				const canvas = h("canvas", { "aria-hidden": "true" });
				const button = h("button", { class: "take", "data-number": String(take.number), "aria-current": take.plays ? "true" : null, title: `Play take ${letter} from the next bar (${index + 1})`, onclick: () => this.select(take.number) },
					h("kbd", { "aria-hidden": "true" }, String(index + 1)), h("span", { class: "unseen" }, "Take "), h("b", {}, letter), canvas, h("span", { class: "word cut-off" }, this.#word(take)),
				);
				return h("div", { class: "take-row" }, button, h("button", { class: "plain icon-only", "aria-label": `Menu of take ${letter}`, onclick: (event) => this.#menu(take, event.currentTarget) }, icon("more")));
			}),
			this.fresh,
		);
		if (focus) this.list.querySelector(`[data-number="${focus}"]`)?.focus();
		this.#draw_soon();
	}

	#menu(take, anchor) {
		const { app } = this;
		const has = (address) => app.table.has(address);
		openBeside(
			menuOf(
				[
					["Play from the next bar", () => this.select(take.number, "bar")],
					["Play from the next chord", () => this.select(take.number, "chord")],
					["Compare with the take before", () => this.swap(), "\\"],
					["Takes side by side…", () => app.later("./elements/compare.js", "openCompare", take.number), "", this.rows.length < 2],
					null,
					["Keep", () => this.keep(), "K", !take.plays],
					["Name…", () => this.#name(take), "", !take.kept],
					...(has("/cue/take/rate") ? [null, ...[1, 2, 3, 4, 5].map((stars) => [`Rate ${stars}`, () => app.act("/cue/take/rate", [take.number, stars]), `R ${stars}`])] : []),
				],
				`Take ${take.name}`,
			),
			anchor,
		);
	}

	#name(take) {
		const input = h("input", { type: "text", value: take.name, "aria-label": "Name of the take", maxlength: "40" });
		const named = () => this.app.act("/cue/take/name", [take.number, input.value.trim()], { what: "named" });
		const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
		const dialog = openDialog("Name of the take", h("form", { method: "dialog", onsubmit: named }, input, h("div", { class: "buttons" }, cancel, h("button", { class: "primary" }, "Name"))));
	}

	#draw_soon() {
		clearTimeout(this.drawing);
		this.drawing = setTimeout(() => this.#draw(), 150);
	}

	/** What a take was when it played: its chords, and its notes as far as they were fetched. */
	#remember() {
		const { app } = this;
		const playing = this.rows.find((take) => take.plays)?.number;
		if (playing === undefined || !app.duration_s) return;
		const known = app.heard_takes.get(playing) ?? { tiles: new Map() };
		known.chords = app.chords;
		for (let tile = 0; tile * TILE_S < app.duration_s; tile++) {
			const notes = tile * TILE_S < MINIATURE_S ? app.tiles.notes(tile) : app.tiles.newest(tile);
			if (notes !== null) known.tiles.set(tile, notes);
		}
		app.heard_takes.set(playing, known);
	}

	/** Takes that this window has not heard are drawn up by the session. */
	#ask() {
		if (this.unheard !== undefined || this.rows.every(({ number }) => this.app.heard_takes.has(number))) return;
		this.unheard = null;
		this.app.later("./elements/unheard.js", "unheard", () => this.#draw_soon()).then((found) => (this.unheard = found));
	}

	/** Pad and melody of a take: `[part, pitch, start_s, length_s]`. */
	*#notes(number, end_s) {
		const known = this.app.heard_takes.get(number);
		if (known === undefined) return yield* this.unheard?.notes(number, end_s) ?? [];
		for (const [tile, { n, start, length, pitch, part }] of known.tiles) {
			for (let index = 0; index < n; index++) {
				if ((part[index] === MELODY || part[index] === PAD) && start[index] >= tile * TILE_S && start[index] <= end_s) yield [part[index], pitch[index], start[index], length[index]];
			}
		}
	}

	/** Pad and melody of the first minute: enough to tell takes apart. */
	#draw() {
		const { app } = this;
		this.#remember();
		this.#ask();
		const end_s = Math.min(app.duration_s, MINIATURE_S);
		for (const canvas of this.list.querySelectorAll("canvas")) {
			const ctx = sized(canvas);
			if (ctx === null) continue;
			const [wide, tall] = [canvas.clientWidth, canvas.clientHeight];
			const colours = theme();
			for (const [part, pitch, start_s, length_s] of this.#notes(Number(canvas.closest(".take").dataset.number), end_s)) {
				ctx.fillStyle = part === MELODY ? colours.melody : colours.pad;
				ctx.globalAlpha = part === MELODY ? 1 : 0.75;
				ctx.fillRect((start_s / end_s) * wide, (1 - (pitch - 44) / 44) * (tall - 2), Math.max(0.8, (length_s / end_s) * wide), 1.5);
			}
		}
	}
}

customElements.define("cue-takes", Takes);
