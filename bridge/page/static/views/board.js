// The board (`?view=board`): all takes of the cue under one time axis with the film, to choose between them.

import { clamp, h, setAttribute, setText, sized } from "../lib/dom.js";
import { onPref } from "../lib/prefs.js";
import { rated, take_letter } from "../lib/takes.js";
import { onTheme, theme } from "../lib/theme.js";
import { minutes } from "../lib/time.js";
import { rows_of } from "../lib/values.js";
import { Compare } from "./compare.js";
import { axis, drawTake } from "./miniature.js";

const MANY = 12;
const WAIT_MS = 120;

export class Board extends HTMLElement {
	start(app) {
		this.app = app;
		this.sketches = new Map(); // number -> what the bridge has drawn up of a take
		this.chosen = new Set(); // takes to be compared
		this.film = h("cue-film");
		this.strip = h("canvas", { class: "strip", "aria-hidden": "true" });
		this.rows = h("div", { class: "board-rows", role: "list", "aria-label": "Takes" });
		this.head = h("i", { class: "board-head", "aria-hidden": "true" });
		this.more = h("button", { class: "primary", onclick: () => this.add(MANY) }, `${MANY} more takes`);
		this.one = h("button", { onclick: () => this.add(1) }, "One more");
		this.stop = h("button", { hidden: true, onclick: () => app.act("/cue/takes/add", [0]) });
		this.both = h("button", { onclick: () => this.compare() }, "Compare");
		this.level = h("input", { type: "checkbox", checked: app.sound.equal, onchange: () => (app.sound.equal = this.level.checked) });
		this.steer = h("input", { type: "checkbox", onchange: () => app.act("/cue/take/steer", [this.steer.checked], { what: this.steer.checked ? "ratings steer new takes" : "ratings do not steer" }) });
		this.hide = h("input", { type: "checkbox", onchange: () => this.#show() });
		this.rules = h("ul", { class: "board-rules", "aria-label": "What the next takes keep" });
		this.side = h("div", { class: "board-side" },
			this.film,
			h("div", { class: "board-acts" }, this.more, this.one, this.stop, this.both),
			h("label", { class: "check" }, this.level, "A and B equally loud here (the MIDI stays as it is)"),
			h("label", { class: "check" }, this.steer, "Ratings steer new takes"),
			this.rules,
			h("label", { class: "check" }, this.hide, (this.hidden_word = h("span", {}, "Hide takes rated 1 or 2"))),
			h("p", { class: "note" }, "4 and 5: new takes keep layers of these. 1 and 2: what only these have is avoided. 3 says nothing. Keys: 1–9 take, ↑ ↓ the take before and after (Shift: at once), \\ back, K keep, R and 1–5 rate."),
			(this.message = h("cue-message")),
		);
		this.main = h("section", { class: "board-main", "aria-label": "Takes against the film" }, h("div", { class: "board-top" }, this.strip, h("div", { class: "board-axis", "aria-hidden": "true" })), this.rows, this.head);
		this.pairs = new Compare(app, this);
		this.append(this.side, this.main, this.pairs.element);
		this.film.start(app);
		this.message.start(app);
		this.strip.addEventListener("click", (event) => app.locate(this.second(event.offsetX)));
		app.on(["takes", "/cue/takes/rated", "/cue/progress", "cues"], () => this.#show());
		app.on(["/cue/takes/steering", "/cue/take/steer"], () => this.#steering());
		app.on(["/cue/takes/coming"], () => this.#coming());
		app.on(["sketch"], () => this.#fetch());
		app.on(["tiles/pictures", "film", "cuts"], () => this.#soon());
		app.on(["fresh"], () => app.get("fresh") !== undefined && app.link.do("/page/takes").catch(() => {}));
		app.onframe(() => this.#playhead());
		onTheme(() => this.#soon());
		onPref(() => (this.level.checked = app.sound.equal));
		new ResizeObserver(() => this.#soon()).observe(this.main);
	}

	get takes() {
		return this.app.rows.takes.map(([number, name, kept, plays]) => ({ number, name, kept, plays, ...rated(this.app, number) }));
	}

	/** In and Out of the cue that is shown. */
	get span() {
		const row = this.app.rows.cues.find((each) => each[4]);
		return row === undefined ? [0, this.app.duration_s || 1] : [row[2], row[3]];
	}

	get wide() {
		return this.strip.clientWidth || 1;
	}

	second(x) {
		return axis(this.span, this.wide).second(x);
	}

	x(second) {
		return axis(this.span, this.wide).x(second);
	}

	add(count) {
		return this.app.act("/cue/takes/add", [count]);
	}

	rate(number, stars) {
		const { app } = this;
		const rating = rated(app, number).rating === stars ? 0 : stars;
		return app.act("/cue/take/rate", [number, rating]).then((answer) => answer !== null && app.messages.say(rating ? `Take ${take_letter(number)}: ${rating} of 5.` : `Take ${take_letter(number)}: not rated.`));
	}

	/** More like a take, or less: first it plays, since both begin from the take that plays. */
	async like(number, address) {
		const gesture = this.app.gesture();
		if (!this.takes.find((take) => take.number === number)?.plays) {
			if ((await this.app.act("/cue/take/select", [number, "bar"], { gesture })) === null) return;
		}
		this.app.act(address, ["bar"], { gesture, what: address === "/cue/take/more" ? `more like ${take_letter(number)}` : `less of ${take_letter(number)}` });
	}

	/** The next take in a direction plays, of those that are shown; takes after the ninth have no digit. */
	step(by, when) {
		const shown = this.takes.filter((take) => !this.#is_hidden(take));
		const at = shown.findIndex((take) => take.plays);
		const next = at < 0 ? shown[0] : shown[at + by];
		if (next === undefined) return true;
		this.rows.querySelector(`[data-number="${next.number}"]`)?.scrollIntoView({ block: "nearest" });
		this.app.takes.select(next.number, when);
		return true;
	}

	/** Rated 1 or 2, where those are hidden; never the one that plays. */
	#is_hidden(take) {
		return this.hide.checked && !take.plays && (take.rating === 1 || take.rating === 2);
	}

	compare() {
		if (this.chosen.size < 2) return this.app.messages.say("Mark two or three takes to compare.");
		return this.pairs.open([...this.chosen].sort((a, b) => a - b));
	}

	// rows
	#show() {
		const { takes } = this;
		const shape = JSON.stringify(takes.map((take) => take.number));
		if (shape !== this.shape) {
			this.shape = shape;
			const focus = document.activeElement?.closest?.(".board-row")?.dataset.number;
			const known = new Map([...this.rows.children].map((row) => [row.dataset.number, row]));
			this.rows.replaceChildren(...takes.map((take) => known.get(String(take.number)) ?? this.#row(take.number)));
			if (focus) this.rows.querySelector(`[data-number="${focus}"] button`)?.focus({ preventScroll: true });
			this.#soon();
		}
		for (const take of takes) this.#update(take);
		const hidden = takes.filter((take) => this.#is_hidden(take)).length;
		setText(this.hidden_word, hidden ? `Hide takes rated 1 or 2 (${hidden} hidden)` : "Hide takes rated 1 or 2");
	}

	#row(number) {
		const { app } = this;
		const name = take_letter(number);
		const at = (text, when, title) => h("button", { title, onclick: () => app.takes.select(number, when) }, text);
		const stars = [1, 2, 3, 4, 5].map((count) => h("button", { class: "star", "aria-label": `${count} of 5`, onclick: () => this.rate(number, count) }, String(count)));
		const note = h("input", { type: "text", class: "comment", placeholder: "Comment", maxlength: "400", "aria-label": `Comment on take ${name}`, onchange: () => app.act("/cue/take/note", [number, note.value.trim()], { what: `comment on take ${name}` }) });
		const mark = h("input", { type: "checkbox", onchange: () => this.#mark(number, mark) });
		const row = h("div", { class: "board-row", role: "listitem", "data-number": String(number) },
			h("div", { class: "who" }, h("b", {}, name), h("span", { class: "word cut-off" }), h("span", { class: "plan note cut-off" })),
			h("canvas", { role: "img", "aria-label": "" }),
			h("div", { class: "acts" }, at("Next bar", "bar", `Play take ${name} from the next bar`), at("At once", "chord", `Play take ${name} from the next chord`),
				h("span", { class: "segments", role: "group", "aria-label": `Rate take ${name}` }, ...stars),
				h("button", { onclick: () => this.like(number, "/cue/take/more") }, "More like this"), h("button", { onclick: () => this.like(number, "/cue/take/less") }, "Less of that"),
				h("label", { class: "check" }, mark, "Compare"), note),
		);
		Object.assign(row, { stars, note, mark, canvas: row.querySelector("canvas"), word: row.querySelector(".word"), plan: row.querySelector(".plan") });
		row.canvas.addEventListener("click", (event) => app.locate(this.second(event.offsetX)));
		return row;
	}

	#update(take) {
		const row = this.rows.querySelector(`[data-number="${take.number}"]`);
		setAttribute(row, "aria-current", take.plays ? "true" : null);
		row.hidden = this.#is_hidden(take);
		const progress = this.app.get("/cue/progress") ?? [];
		const composing = take.plays && progress[0] === "compose" && progress[1] < 1;
		const own = take.name && take.name !== take_letter(take.number) ? `“${take.name}”` : "";
		setText(row.word, [composing ? `composing ${Math.round(progress[1] * 100)} %` : take.plays ? "playing" : "", take.kept ? "kept" : "", own].filter(Boolean).join(" · "));
		row.stars.forEach((star, index) => {
			setAttribute(star, "aria-pressed", String(take.rating === index + 1));
		});
		if (document.activeElement !== row.note && row.note.value !== take.note) row.note.value = take.note;
		const sketch = this.sketches.get(take.number);
		const words = sketch === undefined ? "" : [sketch.players, sketch.form, sketch.key].filter(Boolean).join(", ");
		setText(row.plan, words);
		setAttribute(row.canvas, "aria-label", sketch === undefined ? "being drawn" : `${words}; ${sketch.sections.map((section) => `${section[2]} ${section[4]} ${section[5]}`).join(", ")}`);
	}

	#mark(number, mark) {
		if (mark.checked && this.chosen.size >= 3) {
			mark.checked = false;
			this.app.messages.say("Three takes are compared at most.");
		} else if (mark.checked) this.chosen.add(number);
		else this.chosen.delete(number);
	}

	// what steers
	#coming() {
		const [coming] = this.app.get("/cue/takes/coming") ?? [0];
		this.stop.hidden = !coming;
		setText(this.stop, `Stop (${coming} to come)`);
	}

	#steering() {
		const { app } = this;
		const [on] = app.get("/cue/take/steer") ?? [true];
		this.steer.checked = on;
		const rows = rows_of(app.get("/cue/takes/steering") ?? [], 4).map(([layer, takes, share, avoided]) => {
			const from = String(takes).split(" ").filter(Boolean).map((each) => take_letter(Number(each))).join(", ");
			return h("li", {}, h("b", {}, layer), ` ${from ? `${share} % of ${from}` : "own"}${avoided ? `; not ${avoided}` : ""}`);
		});
		this.rules.replaceChildren(...(rows.length ? rows : [h("li", {}, on ? "No ratings yet: every take is drawn by itself." : "Every take is drawn by itself.")]));
	}

	// pictures
	async #fetch() {
		const told = this.app.get("sketch");
		if (told === undefined) return;
		const [number] = told;
		if (number === 0) return this.sketches.clear();
		const response = await fetch(`/takes/${number}.json`).catch(() => null);
		if (!response?.ok) return;
		this.sketches.set(number, await response.json());
		const take = this.takes.find((each) => each.number === number);
		if (take !== undefined) this.#update(take);
		this.#soon();
		this.pairs.show();
	}

	#soon() {
		clearTimeout(this.drawing);
		this.drawing = setTimeout(() => this.#draw(), WAIT_MS);
	}

	#draw() {
		const ctx = sized(this.strip);
		if (ctx !== null) this.#draw_strip(ctx);
		for (const row of this.rows.children) {
			const sketch = this.sketches.get(Number(row.dataset.number));
			const on = sized(row.canvas);
			if (sketch !== undefined && on !== null) drawTake(on, sketch, axis(this.span, row.canvas.clientWidth).x, row.canvas.clientHeight, theme());
		}
		this.#playhead();
	}

	/** The film in little pictures, its cuts, and the seconds. */
	#draw_strip(ctx) {
		const { app } = this;
		const [from, to] = this.span;
		const tall = this.strip.clientHeight - 14;
		const colours = theme();
		const size = app.get("film")?.thumbnail;
		const each = size ? (tall * size.width) / size.height : tall * 1.78;
		for (let x = 0; size && x < this.wide; x += each) {
			const second = clamp(Math.floor(this.second(x + each / 2)), 0, Math.max(0, Math.ceil(app.duration_s) - 1));
			const bitmap = app.tiles.pictures(Math.floor(second / 10));
			if (bitmap !== null) ctx.drawImage(bitmap, (second % 10) * size.width, 0, size.width, size.height, x, 0, each - 1, tall);
		}
		ctx.fillStyle = colours.warning;
		for (const [cut_s, strength] of app.rows.cuts) if (cut_s >= from && cut_s < to) ctx.fillRect(this.x(cut_s), tall * (1 - Math.max(strength, 0.3)), 1, tall * Math.max(strength, 0.3));
		ctx.fillStyle = colours.second;
		ctx.font = `11px ${colours.font}`;
		const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((seconds) => (seconds / (to - from)) * this.wide > 56) ?? 1200;
		for (let second = Math.ceil(from / step) * step; second < to; second += step) ctx.fillText(minutes(second), this.x(second) + 2, tall + 11);
	}

	#playhead() {
		const at_s = this.app.heard_s();
		const [from, to] = this.span;
		const left = this.strip.getBoundingClientRect().left - this.main.getBoundingClientRect().left;
		this.head.hidden = at_s < from || at_s > to;
		this.head.style.transform = `translateX(${left + this.x(at_s)}px)`;
		this.pairs.playhead(at_s);
	}
}

customElements.define("cue-board", Board);

export function open(app) {
	const board = h("cue-board", { role: "main" });
	document.body.append(board);
	board.start(app);
	app.board = board;
}
