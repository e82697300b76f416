// The cue's tune: notes on a grid of degrees, by arrow keys or typed; from MIDI; what can be done with it.

import { h, labelled, openDialog, say, setAttribute, setText } from "../lib/dom.js";
import { chosen_file } from "../lib/files.js";
import { KINDS } from "../lanes/spans.js";
import { rows_of } from "../lib/values.js";

const TOKEN = /^([b#]?)([1-7]|R)([',]*)(?::(\d*\.?\d+))?$/;
const ROWS = 15; // degrees that are seen: two octaves
const STEP_BEATS = 0.5;

/** Notes of a theme as it is typed: `{step, alter, beats}`, step null for a rest; null where it cannot be read. */
function readTheme(text) {
	const notes = [];
	for (const word of text.replaceAll("|", " ").split(/\s+/).filter(Boolean)) {
		const found = TOKEN.exec(word);
		if (found === null) return null;
		const [, alter, degree, octave, beats] = found;
		const shift = [...octave].reduce((sum, mark) => sum + (mark === "'" ? 7 : -7), 0);
		notes.push({ step: degree === "R" ? null : Number(degree) - 1 + shift, alter, beats: Number(beats ?? 1) });
	}
	return notes;
}

/** The same as text, with a bar line wherever a bar is full. */
function writeTheme(notes, bar_beats) {
	const words = [];
	let place = 0;
	for (const { step, alter, beats } of notes) {
		const octave = step === null ? 0 : Math.floor(step / 7);
		const marks = octave > 0 ? "'".repeat(octave) : ",".repeat(-octave);
		const name = step === null ? "R" : `${alter}${step - octave * 7 + 1}${marks}`;
		words.push(beats === 1 ? name : `${name}:${Number(beats.toFixed(4))}`);
		place += beats;
		if (Math.abs(place / bar_beats - Math.round(place / bar_beats)) < 1e-9) words.push("|");
	}
	return words.join(" ").replace(/ \|$/, "");
}

/** Where a statement may be wanted: the sections of the form and the hits, `{at_s, name}`. */
function theme_places(app) {
	const place = (at_s, name) => ({ at_s, name: `${name}, ${app.bars.text(at_s)}` });
	const sections = rows_of(app.get("/cue/form/sections") ?? [], 6).map(([at_s, , letter, role, name]) => place(at_s, name || `${letter} ${role}`));
	const own = app.rows.sections.filter(([, , name]) => name).map(([at_s, , name]) => place(at_s, name));
	const hits = app.rows.hits.map(([at_s, , name]) => ({ at_s, name: `hit ${name || app.bars.text(at_s)}` }));
	return [...sections, ...own, ...hits];
}

export const openTheme = (app) => new ThemeEditor(app);

class ThemeEditor {
	constructor(app) {
		this.app = app;
		this.gesture = app.gesture();
		this.at = 0;
		this.bar_beats = app.bars.list[0]?.[2] ?? 4;
		this.text = h("input", { type: "text", "aria-label": "Theme, degrees with their beats", placeholder: "1:1.5 5:.5 4:2 | 3:4", spellcheck: "false", autocomplete: "off", oninput: () => this.#typed() });
		this.grid = h("div", { class: "theme-grid", tabindex: "0", role: "application", "aria-label": "Notes of the theme", "aria-describedby": "theme-keys", onkeydown: (event) => this.#key(event), onpointerdown: (event) => this.#press(event) });
		this.now = h("p", { class: "under", role: "status" });
		this.under = h("p", { class: "under" });
		const operations = (app.table.get("/cue/theme/operate")?.arguments[0]?.words ?? []).map((word) => h("button", { onclick: () => this.#operate(word) }, word));
		this.record = h("button", { "aria-pressed": "false", title: "What is played on the control port from now on", onclick: () => this.#record() }, "Record from MIDI");
		this.places = h("div", { class: "change-rows", role: "group", "aria-label": "Where it is stated" });
		this.dialog = openDialog(
			"Theme",
			this.grid, this.now,
			h("p", { class: "note", id: "theme-keys" }, "Arrow keys: note before, after; a degree up, down (Shift: an octave). Alt+← → shorter, longer. Enter adds, Backspace deletes. Mouse: drag a note up or down, its end to make it longer; click after the last to add one."),
			labelled("Typed", this.text), this.under,
			h("div", { class: "checks", role: "group", "aria-label": "Do something with it" }, ...operations),
			this.places,
			h("div", { class: "buttons" },
				h("button", { onclick: () => this.#play() }, "Play"),
				this.record,
				h("button", { onclick: () => this.#file() }, "From a file…"),
				h("button", { title: "The theme of the take that plays, whatever takes come", onclick: () => this.#do("/cue/theme/keep", [], "theme locked") }, "Lock this take's"),
				h("button", { onclick: () => this.#do("/cue/theme", [""], "each take its own theme") }, "Each take its own"),
				h("button", { class: "primary", onclick: () => this.#use() }, "Use it"),
			),
		);
		this.dialog.style.maxWidth = "min(760px, 94vw)";
		const off = [app.on(["/cue/theme"], () => this.#take()), app.on(["/cue/theme/statements", "/cue/form/sections", "sections", "hits", "bars"], () => this.#stated())];
		this.dialog.addEventListener("close", () => off.forEach((each) => each()));
		this.grid.focus();
	}

	#take() {
		this.text.value = String(this.app.value("/cue/theme", "") ?? "");
		this.notes = readTheme(this.text.value) ?? [];
		this.at = Math.min(this.at, Math.max(0, this.notes.length - 1));
		setText(this.under, this.notes.length ? "" : "Each take builds its own theme; lock this one, or write yours: Enter begins it.");
		this.#paint();
	}

	/** A row for each statement: as what, and where to; the last row makes another one. */
	#stated() {
		const { app } = this;
		if (this.places.contains(document.activeElement) && document.activeElement.matches("select:open")) return;
		const places = theme_places(app);
		const lane = app.timeline.lanes.themes;
		const held = this.places.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
		const chooser = (label, first, chosen) => {
			const field = h("select", { "aria-label": label, onchange: () => field.value !== "" && chosen(Number(field.value)) }, h("option", { value: "" }, first), h("option", { value: String(app.position_s()) }, `the playhead, ${app.bars.text(app.position_s())}`), ...places.map(({ at_s, name }) => h("option", { value: String(at_s) }, name)));
			return field;
		};
		const rows = lane.spans().map((item, index) => {
			const place = app.bars.text(item.start_s);
			const kind = h("select", { "aria-label": `Statement ${index + 1} as`, onchange: () => this.#do("/cue/theme/state", [item.start_s, kind.value], `theme as ${kind.value}`) }, ...KINDS.map((each) => h("option", { value: each, selected: each === item.kind }, each)));
			const bar = (text, step) => h("button", { type: "button", "aria-label": `${step < 0 ? "−1 bar" : "+1 bar"}: statement ${index + 1}`, onclick: () => this.#do("/cue/theme/move", [item.start_s, app.bars.nearest_bar(item.start_s, step)], text) }, step < 0 ? "−1 bar" : "+1 bar");
			return h("div", { class: "change-row" }, h("span", { class: "label" }, `Bar ${place.split("|")[0]}`), kind, bar("a bar earlier", -1), bar("a bar later", 1),
				chooser(`Statement ${index + 1} to`, "Move to…", (at_s) => this.#do("/cue/theme/move", [item.start_s, at_s], "theme moved")),
				h("button", { type: "button", class: "icon-only", "aria-label": `No statement ${index + 1}`, onclick: () => this.#do("/cue/theme/silent", [item.start_s], "no theme there") }, "×"));
		});
		const names = [...new Set([...app.rows.hits, ...app.rows.sections, ...rows_of(app.get("/cue/form/sections") ?? [], 6).map((row) => [0, 0, row[4]])].map((row) => row[2]).filter(Boolean))];
		const who = h("select", { "aria-label": "Stated wherever a hit or section is called", onchange: () => who.value && this.#do("/cue/theme/assign", [who.value, kind.value], `theme for ${who.value}`) }, h("option", { value: "" }, "Wherever it is called…"), ...names.map((name) => h("option", { value: name }, name)));
		const kind = h("select", { "aria-label": "Another statement as" }, ...KINDS.map((each) => h("option", { value: each, selected: each === "statement" }, each)));
		const fresh = h("div", { class: "change-row" }, h("span", { class: "label" }, rows.length ? "And" : "Stated"), kind, chooser("Another statement at", "State it at…", (at_s) => this.#do("/cue/theme/state", [at_s, kind.value], `theme as ${kind.value}`)), names.length ? who : null);
		this.places.replaceChildren(...rows, ...(app.get("/cue/plan")?.length ? [fresh] : []));
		if (held !== null) this.places.querySelector(`[aria-label="${held}"]`)?.focus();
	}

	#typed() {
		const notes = readTheme(this.text.value);
		setAttribute(this.text, "aria-invalid", notes === null ? "true" : null);
		if (notes !== null) this.notes = notes;
		this.#paint();
	}

	#edited() {
		this.text.value = writeTheme(this.notes, this.bar_beats);
		setAttribute(this.text, "aria-invalid", null);
		this.#paint();
	}

	#key(event) {
		const note = this.notes[this.at];
		const step = event.shiftKey ? 7 : 1;
		if (event.key === "Enter") this.notes.splice(note === undefined ? 0 : ++this.at, 0, note === undefined ? { step: 0, alter: "", beats: 1 } : { ...note });
		else if (note === undefined) return;
		else if (event.altKey && event.key === "ArrowRight") note.beats += STEP_BEATS;
		else if (event.altKey && event.key === "ArrowLeft") note.beats = Math.max(STEP_BEATS, note.beats - STEP_BEATS);
		else if (event.key === "ArrowRight") this.at = Math.min(this.notes.length - 1, this.at + 1);
		else if (event.key === "ArrowLeft") this.at = Math.max(0, this.at - 1);
		else if (event.key === "ArrowUp") note.step = Math.min(20, (note.step ?? -1) + step);
		else if (event.key === "ArrowDown") note.step = Math.max(-14, (note.step ?? 1) - step);
		else if (event.key === "Backspace" || event.key === "Delete") this.at = Math.max(0, this.at - this.notes.splice(this.at, 1).length);
		else return;
		event.preventDefault();
		event.stopPropagation();
		this.#edited();
	}

	/** A note is taken hold of, at its end to change its length; after the last one a click adds another. */
	#press(event) {
		if (event.button !== 0) return;
		const box = this.grid.getBoundingClientRect();
		const { wide, low, rows } = this.shape; // as it was painted: it stays while the mouse is down
		const beat_of = ({ clientX }) => ((clientX - box.left) / box.width) * wide;
		const step_of = ({ clientY }) => low + Math.floor(((box.bottom - clientY) / box.height) * rows);
		const at = beat_of(event);
		let start = 0;
		let index = 0;
		while (index < this.notes.length && start + this.notes[index].beats <= at + 1e-9) start += this.notes[index++].beats;
		if (index === this.notes.length) {
			const rest = Math.floor((at - start) / STEP_BEATS) * STEP_BEATS;
			if (rest > 0 && index > 0) this.notes.push({ step: null, alter: "", beats: rest });
			if (index > 0) start += rest;
			index = this.notes.push({ step: step_of(event), alter: "", beats: 1 }) - 1;
		}
		this.at = index;
		const note = this.notes[index];
		const by_end = (start + note.beats - at) * (box.width / wide) <= 6 && note.beats - (at - start) < note.beats / 2;
		const move = (moved) => {
			if (by_end) note.beats = Math.max(STEP_BEATS, Math.round((beat_of(moved) - start) / STEP_BEATS) * STEP_BEATS);
			else note.step = Math.min(20, Math.max(-14, step_of(moved)));
			this.#edited();
		};
		this.grid.setPointerCapture(event.pointerId);
		this.grid.onpointermove = move;
		this.grid.onpointerup = this.grid.onpointercancel = () => (this.grid.onpointermove = null);
		this.#edited();
	}

	/** Two bars at least; notes as blocks, degree by degree. */
	#paint() {
		const beats = this.notes.reduce((sum, note) => sum + note.beats, 0);
		const wide = Math.max(2 * this.bar_beats, Math.ceil(beats / this.bar_beats) * this.bar_beats);
		const steps = this.notes.filter((note) => note.step !== null).map((note) => note.step);
		const low = Math.min(0, ...steps);
		const rows = Math.max(ROWS, Math.max(7, ...steps) - low + 1);
		this.shape = { wide, low, rows };
		const lines = [];
		for (let beat = 0; beat < wide; beat++) {
			const line = h("i", { class: beat % this.bar_beats === 0 ? "bar-line" : "beat-line" });
			line.style.left = `${(beat / wide) * 100}%`;
			lines.push(line);
		}
		let place = 0;
		const blocks = this.notes.map((note, index) => {
			const block = h("b", { class: index === this.at ? "note-block now" : "note-block" }, note.step === null ? "" : `${note.alter}${(((note.step % 7) + 7) % 7) + 1}`);
			block.hidden = note.step === null && index !== this.at;
			block.style.left = `${(place / wide) * 100}%`;
			block.style.width = `${(note.beats / wide) * 100}%`;
			block.style.bottom = `${(((note.step ?? low) - low) / rows) * 100}%`;
			block.style.height = `${100 / rows}%`;
			place += note.beats;
			return block;
		});
		this.grid.replaceChildren(...lines, ...blocks);
		const note = this.notes[this.at];
		setText(this.now, note === undefined ? "" : `Note ${this.at + 1} of ${this.notes.length}: ${note.step === null ? "a rest" : `degree ${writeTheme([{ ...note, beats: 1 }], this.bar_beats).replace(" |", "")}`}, ${note.beats} beat${note.beats === 1 ? "" : "s"}`);
	}

	async #do(address, args, what) {
		try {
			const answer = await this.app.link.do(address, args, this.gesture);
			say(this.under, typeof answer.heard === "number" ? `${what}, heard from ${this.app.bars.text(answer.heard)}.` : `${what}.`);
			return answer;
		} catch (error) {
			say(this.under, error.message, true);
			return null;
		}
	}

	async #use() {
		if ((await this.#do("/cue/theme", [this.text.value.trim()], "your theme")) !== null) this.dialog.close();
	}

	async #operate(word) {
		const own = this.text.value.trim();
		if (own !== String(this.app.value("/cue/theme", "")) && (await this.#do("/cue/theme", [own], "your theme")) === null) return;
		await this.#do("/cue/theme/operate", [word], word);
	}

	async #record() {
		const on = this.record.getAttribute("aria-pressed") === "false";
		if ((await this.#do("/cue/theme/record", [on], on ? "recording: play it on the control port" : "recorded")) !== null) setAttribute(this.record, "aria-pressed", String(on));
	}

	async #file() {
		const file = await chosen_file(this.app, ".mid,.midi,.musicxml,.mxl,.xml");
		if (file !== null) await this.#do("/page/theme", [file.upload], `theme of ${file.name}`);
	}

	async #play() {
		const first_s = this.app.get("/cue/theme/statements")?.[0] ?? 0;
		await this.app.locate(first_s);
		if (!this.app.rolling) await this.app.toggle_play();
	}
}
