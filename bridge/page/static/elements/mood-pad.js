// Mood: the ring is the picture now, the dot is you. One gesture is one step of undo.

import { clamp, h, setText } from "../lib/dom.js";
import { lastAt } from "../lib/time.js";
import { MOODS } from "../lanes/mood.js";

const ACROSS = "/cue/mood/dark_light";
const UP = "/cue/mood/calm_tense";
// Where the classes lie in the circumplex (Russell 1980), as in engine.music.mood: dark to light, calm to tense.
const PLACES = { exciting: [0.6, 0.7], fearful: [-0.7, 0.6], tense: [-0.4, 0.4], sad: [-0.6, -0.5], relaxing: [0.6, -0.6], neutral: [0, 0] };

export class MoodPad extends HTMLElement {
	start(app) {
		this.app = app;
		this.ring = h("i", { class: "picture" });
		this.dot = h("i", { class: "you" });
		this.pad = h("div", { class: "pad", role: "slider", tabindex: "0", "aria-label": "Mood, left dark, right light, up tense, down calm", "aria-valuemin": "-100", "aria-valuemax": "100", "aria-describedby": "mood-sentence" },
			h("span", { class: "north" }, "tense"), h("span", { class: "south" }, "calm"), h("span", { class: "west" }, "dark"), h("span", { class: "east" }, "light"),
			this.ring, this.dot,
		);
		this.sentence = h("p", { class: "under", id: "mood-sentence" });
		this.append(h("div", { class: "label" }, "Mood"), this.pad, this.sentence);
		this.pad.addEventListener("pointerdown", (event) => this.#down(event));
		this.pad.addEventListener("dblclick", () => this.#set(0, 0, app.gesture()));
		this.pad.addEventListener("keydown", (event) => this.#key(event));
		app.on([ACROSS, UP, "tiles/mood", "cuts"], () => this.#show());
		app.onframe(() => this.#ring());
	}

	get you() {
		return this.preview ?? [this.app.value(ACROSS, 0), this.app.value(UP, 0)];
	}

	#down(event) {
		if (event.button !== 0 || this.app.get("link") !== "open") return;
		event.preventDefault();
		this.pad.focus({ preventScroll: true });
		this.pad.setPointerCapture(event.pointerId);
		const { app } = this;
		const gesture = app.gesture();
		const before = this.you;
		app.held.add(ACROSS).add(UP);
		let moved = false;
		const at = (moved_to) => {
			const box = this.pad.getBoundingClientRect();
			return [((moved_to.clientX - box.left) / box.width) * 2 - 1, 1 - ((moved_to.clientY - box.top) / box.height) * 2].map((each) => Math.round(clamp(each, -1, 1) * 100));
		};
		const move = (moved_to) => {
			moved = moved || Math.hypot(moved_to.clientX - event.clientX, moved_to.clientY - event.clientY) > 3;
			if (!moved) return;
			this.preview = at(moved_to);
			this.#show();
		};
		const finish = (wanted) => {
			this.pad.removeEventListener("pointermove", move);
			this.pad.removeEventListener("pointerup", up);
			this.pad.removeEventListener("pointercancel", cancel);
			removeEventListener("keydown", escape, true);
			app.held.delete(ACROSS);
			app.held.delete(UP);
			this.preview = null;
			if (wanted !== null && (wanted[0] !== before[0] || wanted[1] !== before[1])) this.#set(...wanted, gesture);
			this.#show();
		};
		const up = (moved_to) => finish(at(moved_to));
		const cancel = () => finish(null);
		const escape = (pressed) => pressed.key === "Escape" && (pressed.stopPropagation(), cancel());
		this.pad.addEventListener("pointermove", move);
		this.pad.addEventListener("pointerup", up);
		this.pad.addEventListener("pointercancel", cancel);
		addEventListener("keydown", escape, true);
	}

	#key(event) {
		const step = event.shiftKey ? 10 : 1;
		const [across, up] = this.you;
		const next = { ArrowLeft: [across - step, up], ArrowRight: [across + step, up], ArrowUp: [across, up + step], ArrowDown: [across, up - step], Home: [0, 0] }[event.key];
		if (next === undefined) return;
		event.preventDefault();
		event.stopPropagation();
		this.#set(clamp(next[0], -100, 100), clamp(next[1], -100, 100), this.app.key_gesture("mood"));
	}

	#set(across, up, gesture) {
		const { app } = this;
		const [was_across, was_up] = [app.value(ACROSS, 0), app.value(UP, 0)];
		const words = this.#words(across, up) || "as the picture";
		if (across !== was_across) app.act(ACROSS, [across], { gesture, what: `mood ${words}` });
		if (up !== was_up) app.act(UP, [up], { gesture, what: `mood ${words}` });
		app.set(ACROSS, [across]);
		app.set(UP, [up]);
	}

	#words(across, up) {
		return [across ? `${Math.abs(across)} ${across < 0 ? "darker" : "lighter"}` : "", up ? `${Math.abs(up)} ${up < 0 ? "calmer" : "tenser"}` : ""].filter(Boolean).join(", ");
	}

	#show() {
		const [across, up] = this.you;
		this.#put(this.dot, across / 100, up / 100);
		const words = this.#words(across, up);
		const mood = this.mood ?? "";
		setText(this.sentence, `${mood ? `Picture: ${mood}. ` : ""}${words ? `You: ${words}.` : "You: as the picture."}`);
		this.pad.setAttribute("aria-valuenow", String(across));
		this.pad.setAttribute("aria-valuetext", words || "as the picture");
	}

	#put(dot, across, up) {
		dot.style.left = `${50 + across * 46}%`;
		dot.style.top = `${50 - up * 46}%`;
	}

	#ring() {
		const rows = this.app.tiles.mood;
		const row = rows?.[Math.max(0, lastAt(rows, this.app.heard_s(), (each) => each.start_s))];
		this.ring.hidden = row === undefined;
		if (row === undefined || row === this.row) return;
		this.row = row;
		let [across, up, best] = [0, 0, 0];
		row.seen.forEach((weight, index) => {
			const place = PLACES[MOODS[index]];
			across += weight * place[0];
			up += weight * place[1];
			if (weight > row.seen[best]) best = index;
		});
		this.#put(this.ring, across, up);
		if (MOODS[best] !== this.mood) {
			this.mood = MOODS[best];
			this.#show();
		}
	}
}

customElements.define("cue-mood-pad", MoodPad);
