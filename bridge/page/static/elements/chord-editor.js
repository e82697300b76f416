// The in-place editor of a chord: text with the parser's own sentence, and a palette of likely chords.

import { h, say, setAttribute } from "../lib/dom.js";

const TRY_MS = 120;

export class ChordEditor {
	constructor(app, timeline) {
		this.app = app;
		this.timeline = timeline;
		this.chord = null;
		this.input = h("input", { type: "text", "aria-label": "Chord", autocomplete: "off", spellcheck: "false", autocapitalize: "off", "aria-describedby": "chord-sentence" });
		this.sentence = h("div", { class: "under", id: "chord-sentence", role: "status" });
		this.palette = h("div", { class: "palette" });
		this.box = h("div", { class: "chord-edit", role: "dialog", "aria-label": "Change chord", hidden: true }, this.input, this.sentence, this.palette);
		this.input.addEventListener("input", () => this.#try_soon());
		this.box.addEventListener("keydown", (event) => this.#key(event));
		this.box.addEventListener("focusout", (event) => {
			if (this.shown && event.relatedTarget !== null && !this.box.contains(event.relatedTarget)) this.close();
		});
		timeline.ownerDocument.addEventListener("pointerdown", (event) => this.shown && !this.box.contains(event.target) && this.close(), true);
	}

	get shown() {
		return !this.box.hidden;
	}

	open(chord) {
		if (this.app.get("link") !== "open") return;
		this.chord = chord;
		if (!this.box.isConnected) this.timeline.body.append(this.box);
		this.box.hidden = false;
		this.input.value = chord.name;
		this.#say("", false);
		this.#fill_palette();
		this.#place();
		this.input.focus();
		this.input.select();
	}

	#place() {
		const { timeline, app } = this;
		const lane = timeline.lanes.chords;
		const head = timeline.heads.offsetWidth;
		const room = timeline.body.clientWidth;
		const x = head + app.view.x_of(this.chord.start_s);
		this.box.style.left = `${Math.max(4, Math.min(x, room - this.box.offsetWidth - 4))}px`;
		const under = (lane.top ?? 0) + lane.height + 2 - timeline.scroller.scrollTop;
		const above = (lane.top ?? 0) - this.box.offsetHeight - 2 - timeline.scroller.scrollTop;
		this.box.style.top = `${Math.max(0, under + this.box.offsetHeight > timeline.body.clientHeight ? Math.max(0, above) : under)}px`;
	}

	close({ focus = true } = {}) {
		if (!this.shown) return;
		clearTimeout(this.trying);
		this.box.hidden = true;
		if (focus && this.chord !== null) this.timeline.focus_row(this.timeline.lanes.chords, this.chord.start_s);
	}

	#key(event) {
		if (event.key === "Escape") {
			this.close();
		} else if (event.key === "Enter" && event.target === this.input) {
			this.#commit(this.input.value);
		} else if (event.key === "Tab" && event.target === this.input && !event.shiftKey) {
			const { chords } = this.app;
			const next = chords[chords.findIndex((each) => each.start_s === this.chord.start_s) + 1];
			if (next === undefined) return;
			this.#commit(this.input.value, { stay: true }).then((done) => {
				if (!done) return;
				this.app.view.reveal(next.start_s, next.end_s);
				this.app.view.select("chords", next.start_s);
				this.open(next);
			});
		} else return event.stopPropagation();
		event.preventDefault();
		event.stopPropagation();
	}

	#try_soon() {
		clearTimeout(this.trying);
		this.trying = setTimeout(() => this.#try(), TRY_MS);
	}

	async #try() {
		const text = this.input.value.trim();
		if (!text || text === this.chord.name) {
			this.#say("", false);
			return;
		}
		try {
			const answer = await this.app.link.try("/cue/chords/pin", [text, this.chord.start_s]);
			if (this.input.value.trim() !== text) return;
			const heard = typeof answer.heard === "number" ? ` Heard from ${this.app.bars.text(answer.heard)}.` : "";
			this.#say(`${text} at ${this.chord.place}.${heard}`, false);
		} catch (error) {
			if (this.input.value.trim() === text) this.#say(error.message, true);
		}
	}

	#say(text, bad) {
		say(this.sentence, text || "Enter sets it, Esc leaves, Tab goes to the next chord.", bad);
		setAttribute(this.input, "aria-invalid", bad ? "true" : null);
	}

	/** Sets the chord; a text that is no chord keeps the editor open with the parser's sentence. */
	async #commit(text, { stay = false } = {}) {
		const name = text.trim();
		const { chord } = this;
		if (!name || name === chord.name) {
			this.close();
			return true;
		}
		try {
			await this.app.link.try("/cue/chords/pin", [name, chord.start_s]);
		} catch (error) {
			this.#say(error.message, true);
			return false;
		}
		this.close({ focus: !stay });
		await this.app.pin(chord, name);
		return true;
	}

	/** Chords of the film so far, the neighbours' most: what somebody changes to most of the time. */
	#fill_palette() {
		const counts = new Map();
		for (const chord of this.app.chords) if (chord.name && chord.name !== this.chord.name) counts.set(chord.name, (counts.get(chord.name) ?? 0) + 1);
		const names = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name]) => name);
		this.palette.replaceChildren(...names.map((name) => h("button", { onclick: () => this.#commit(name) }, name)));
	}
}
