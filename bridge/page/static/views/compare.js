// Two or three takes under each other with one playhead: sections, chords, notes, and in what they differ.

import { h, icon, setAttribute, sized } from "../lib/dom.js";
import { take_letter } from "../lib/takes.js";
import { theme } from "../lib/theme.js";
import { rows_of } from "../lib/values.js";
import { axis, drawTake } from "./miniature.js";

export class Compare {
	constructor(app, board) {
		this.app = app;
		this.board = board;
		this.numbers = [];
		this.lanes = h("div", { class: "versus-lanes" });
		this.table = h("table", { class: "versus-table" });
		this.head = h("i", { class: "board-head", "aria-hidden": "true" });
		this.element = h("section", { class: "versus", hidden: true, "aria-label": "Compare takes" },
			h("div", { class: "versus-top" }, h("b", {}, "Compare"), h("span", { class: "note" }, "A click plays a take at the same place."), h("button", { class: "close", onclick: () => this.close() }, "Close")),
			this.lanes, this.table, this.head,
		);
		this.element.addEventListener("keydown", (event) => {
			if (event.key !== "Escape") return;
			event.stopPropagation();
			this.close();
		});
		app.on(["takes"], () => this.#playing());
	}

	async open(numbers) {
		this.numbers = numbers;
		this.element.hidden = false;
		this.lanes.replaceChildren(
			...numbers.map((number) => {
				const button = h("button", { "aria-label": `Play take ${take_letter(number)} at once`, onclick: () => this.app.takes.select(number, "chord") }, icon("play"), h("b", {}, take_letter(number)));
				return h("div", { class: "versus-lane", "data-number": String(number) }, button, h("canvas", { "aria-hidden": "true", onclick: (event) => this.app.locate(this.#second(event)) }));
			}),
		);
		this.#playing();
		this.show();
		this.lanes.querySelector("button")?.focus();
		await this.#differences();
	}

	close() {
		this.element.hidden = true;
		this.board.both.focus();
	}

	#second(event) {
		return axis(this.board.span, event.target.clientWidth).second(event.offsetX);
	}

	#playing() {
		const plays = this.app.rows.takes.find((row) => row[3])?.[0];
		for (const lane of this.lanes.children) setAttribute(lane, "aria-current", Number(lane.dataset.number) === plays ? "true" : null);
	}

	/** Draws the lanes anew. */
	show() {
		if (this.element.hidden) return;
		const colours = theme();
		for (const lane of this.lanes.children) {
			const canvas = lane.querySelector("canvas");
			const sketch = this.board.sketches.get(Number(lane.dataset.number));
			const ctx = sized(canvas);
			if (sketch === undefined || ctx === null) continue;
			const tall = canvas.clientHeight;
			const { x } = axis(this.board.span, canvas.clientWidth);
			drawTake(ctx, sketch, x, tall - 20, colours);
			ctx.font = `12px ${colours.font}`;
			for (const [start, end, name] of sketch.chords) {
				const room = x(end) - x(start);
				ctx.fillStyle = colours.hairline;
				ctx.fillRect(x(start), tall - 18, 1, 18);
				ctx.fillStyle = colours.text;
				if (name && ctx.measureText(name).width < room - 4) ctx.fillText(name, x(start) + 3, tall - 5);
			}
		}
	}

	playhead(at_s) {
		if (this.element.hidden) return;
		const canvas = this.lanes.querySelector("canvas");
		if (canvas === null) return;
		const [from, to] = this.board.span;
		this.head.hidden = at_s < from || at_s > to;
		const left = canvas.getBoundingClientRect().left - this.element.getBoundingClientRect().left;
		this.head.style.transform = `translateX(${left + axis([from, to], canvas.clientWidth).x(at_s)}px)`;
	}

	/** A row for each thing in which any two differ. */
	async #differences() {
		const { app, numbers } = this;
		const first = numbers[0];
		const found = new Map(); // what -> by take
		for (const other of numbers.slice(1)) {
			const answer = await app.act("/cue/take/compare", [first, other]);
			for (const [what, mine, theirs] of rows_of(answer?.ok ?? [], 3, 2)) {
				if (!found.has(what)) found.set(what, new Map());
				const row = found.get(what);
				if (what === "chords alike") row.set(other, mine);
				else row.set(first, mine).set(other, theirs);
			}
		}
		if (numbers !== this.numbers) return;
		for (const row of found.values()) for (const number of numbers) if (!row.has(number) && row.has(first)) row.set(number, row.get(first));
		this.table.replaceChildren(
			h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Differs"), ...numbers.map((number) => h("th", { scope: "col" }, take_letter(number))))),
			h("tbody", {}, ...[...found].map(([what, row]) => h("tr", {}, h("th", { scope: "row" }, what), ...numbers.map((number) => h("td", {}, row.get(number) ?? "–"))))),
		);
	}
}
