// Keys of the whole page. Single letters work where no text field has the focus, and can be switched off.

import { typing } from "./dom.js";
import { pref } from "./prefs.js";
import { STEP } from "./view.js";
import { lastAt } from "./time.js";

const RATE_MS = 2500;

export class Keys {
	#rating = -1e9;

	constructor(app) {
		this.app = app;
		app.to_in = () => app.locate(this.#cue()[0]);
		app.toggle_loop = () => this.#loop();
		app.save_session = () => app.act("/cue/save", []).then((answer) => answer !== null && app.messages.say(`Saved: ${answer.ok?.[0] ?? "the session"}.`));
		addEventListener("keydown", (event) => this.#down(event));
		addEventListener("keyup", (event) => this.#up(event));
	}

	#cue() {
		const { app } = this;
		const row = app.rows.cues.find((each) => each[4]);
		return row === undefined ? [0, app.duration_s] : [row[2], row[3]];
	}

	#loop() {
		const { app } = this;
		const [on] = app.get("/cue/loop") ?? [false];
		if (on) return app.act("/cue/loop", [false]);
		const chords = app.chords.filter((chord) => app.view.more.has(chord.start_s) || (app.view.selected?.lane === "chords" && Math.abs(app.view.selected.key - chord.start_s) < 1e-3));
		const range = app.view.range ?? (chords.length ? [Math.min(...chords.map((each) => each.start_s)), Math.max(...chords.map((each) => each.end_s))] : this.#cue());
		return app.act("/cue/loop", [true, ...range]).then((answer) => answer !== null && app.messages.say(`Loop ${app.bars.text(range[0])} to ${app.bars.text(range[1])}.`));
	}

	#up(event) {
		if (event.key !== " " || !this.app.space_down) return;
		this.app.space_down = false;
		if (!this.app.panned && !this.blocked) this.app.toggle_play();
		this.app.panned = false;
	}

	#down(event) {
		const { app } = this;
		if (event.defaultPrevented) return;
		const modified = event.ctrlKey || event.metaKey;
		if (event.key === "Escape" && event.shiftKey) {
			event.preventDefault();
			app.act("/cue/panic", [], { what: "all notes off" });
			return;
		}
		if (modified && event.key.toLowerCase() === "s") {
			event.preventDefault();
			app.save_session();
			return;
		}
		if (!app.first.hidden || document.querySelector("dialog[open], [popover]:popover-open")) return;
		if (modified && event.key.toLowerCase() === "z" && !typing(event.target)) {
			event.preventDefault();
			app.act(event.shiftKey ? "/cue/redo" : "/cue/undo");
			return;
		}
		if (modified || typing(event.target)) return;
		// Space presses the button that has the focus, as everywhere; elsewhere it plays.
		if (event.key === " ") {
			if (event.target.closest?.("button, summary, a, [role=tab], input")) return;
			event.preventDefault();
			if (!event.repeat) {
				app.space_down = true;
				app.panned = false;
			}
			return;
		}
		if (event.target.matches?.('input[type="range"]') && /^(Arrow|Home|End|Page)/.test(event.key)) return;
		if (this.#act(event)) event.preventDefault();
	}

	#act(event) {
		const { app } = this;
		const { key, shiftKey: shift, altKey: alt } = event;
		const chord = app.selected_chord() ?? app.chord_at(app.position_s());
		const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
		switch (key) {
			case "Home": return app.locate(this.#cue()[0]);
			case "End": return app.locate(this.#cue()[1]);
			case ",": return app.locate(app.position_s() - app.frame_s);
			case ".": return app.locate(app.position_s() + app.frame_s);
			case "Escape":
				app.messages.clear();
				app.view.select_range(null);
				return true;
			case "ArrowUp": case "ArrowDown": return app.board?.step(key === "ArrowUp" ? -1 : 1, shift ? "chord" : "bar") ?? false;
			case "Backspace": return chord && app.selected_chord() ? app.unpin(chord) : false;
			case "Enter": {
				if (event.target.closest?.("button, a, summary, input") || !app.selected_chord()) return false;
				app.timeline.editor.open(app.selected_chord());
				return true;
			}
		}
		if (!pref("letters", true)) return false;
		if (digit && !alt) {
			if (performance.now() - this.#rating < RATE_MS && Number(digit) <= 5) {
				this.#rating = -1e9;
				app.takes.rate(Number(digit));
				return true;
			}
			const row = app.rows.takes[Number(digit) - 1];
			if (row !== undefined) app.takes.select(row[0], shift ? "chord" : "bar");
			return true;
		}
		if (alt) return false;
		switch (key.toLowerCase()) {
			case "+": case "=": app.view.zoom_by(STEP); return true;
			case "-": app.view.zoom_by(1 / STEP); return true;
			case "0": app.view.fit(); return true;
			case "l": return this.#loop();
			case "f": app.view.set_following(!app.view.following); return true;
			case "p": return chord ? (chord.state === "pinned" ? app.unpin(chord) : app.pin(chord, chord.name)) : true;
			case "s": return chord ? app.timeline.lanes.chords.split(chord) : true;
			case "m": return chord ? app.timeline.lanes.chords.merge(chord) : true;
			case "h": return app.act("/cue/hits/add", [app.position_s(), shift ? "must" : "should"], { what: shift ? "must hit" : "hit" });
			case "c": return this.#cut(shift);
			case "n": return app.takes.make();
			case "\\": return app.takes.swap();
			case "k": return app.takes.keep();
			case "r": this.#rating = performance.now(); app.messages.say("Rate the take: 1 to 5."); return true;
			case "w": app.set("tab", "why"); return true;
			case "t": app.timeline.toggle_table(); return true;
			case "?": app.open_keys(); return true;
		}
		return false;
	}

	#cut(back) {
		const { app } = this;
		const times = app.rows.cuts.map((cut) => cut[0]);
		const at = lastAt(times, app.position_s() + (back ? -app.frame_s : 1e-4));
		const to_s = times[back ? at : at + 1];
		if (to_s !== undefined) app.locate(to_s);
		return true;
	}
}
