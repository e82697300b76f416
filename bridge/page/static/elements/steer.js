// What the music is led by: chords, key, tempo, how far the picture is followed; more on request.

import { h, keyList, setText } from "../lib/dom.js";
import { pref, setPref } from "../lib/prefs.js";
import { controlField } from "./control.js";
import "./mood-pad.js";
import "./takes.js";

const FIRST = [
	["/cue/key", { name: "Key", placeholder: "by the picture" }],
	["/cue/tempo", { name: "Tempo" }],
	["/cue/follow_picture", { name: "Follow the picture" }],
	["/cue/adventurous", { name: "Adventurous" }],
	["/cue/activity", { name: "Activity" }],
	["/cue/dynamics", { name: "Dynamics" }],
];
const MORE = [
	["/cue/progression/mode", { name: "Chords then" }],
	["/cue/harmonic_rhythm", { name: "Bars a chord" }],
	["/cue/mood/exciting", { name: "Exciting" }],
	["/cue/mood/fearful", { name: "Fearful" }],
	["/cue/mood/tense", { name: "Tense" }],
	["/cue/mood/sad", { name: "Sad" }],
	["/cue/mood/relaxing", { name: "Relaxing" }],
	["/cue/mood/neutral", { name: "Neutral" }],
	["/cue/swing", { name: "Swing" }],
	["/cue/looseness", { name: "Looseness" }],
	["/cue/form", { name: "Form" }],
	["/cue/ensemble", { name: "Ensemble" }],
	["/cue/ending", { name: "Ending" }],
	["/cue/chords_on", { name: "Chords on cuts" }],
	["/cue/speech", { name: "Speech, seconds", placeholder: "12.3-15.2 20-24.5, or auto" }],
	["/cue/speech/leave_room", { name: "Room for speech" }],
	["/cue/theme", { name: "Theme", placeholder: "1:1.5 5:.5 4:2 | 3:4" }],
];

export class Steer extends HTMLElement {
	start(app) {
		this.app = app;
		this.grid = h("div", { class: "steering" });
		this.append(this.grid);
		app.on(["table"], () => app.table.size && this.#build());
	}

	#build() {
		if (this.built) return;
		this.built = true;
		const { app } = this;
		const fields = h("div", { class: "fields" });
		const chords = controlField(app, "/cue/progression", { name: "Chords", wide: true, placeholder: "e.g. C Am F G" });
		if (chords !== null) {
			fields.append(chords);
			app.on(["chords", "/cue/progression"], () => {
				if (chords.under.classList.contains("bad") || chords.under.textContent.startsWith("Heard")) return;
				const typed = app.chords.filter((chord) => chord.state === "typed").length;
				setText(chords.under, typed ? `${typed} chord${typed === 1 ? "" : "s"} typed, then it goes on.` : "Empty: by the picture.");
			});
		}
		for (const [address, options] of FIRST) {
			const field = address === "/cue/tempo" ? this.#tempo() : address === "/cue/key" ? this.#key() : controlField(app, address, options);
			if (field !== null) fields.append(field);
		}
		const more = h("div", { class: "fields" }, ...MORE.map(([address, options]) => controlField(app, address, options)).filter((field) => field !== null));
		const details = h("details", { class: "more", open: pref("more", false), ontoggle: (event) => this.#more(event.target) }, h("summary", {}, "More"), more);
		fields.append(details);
		const mood = document.createElement("cue-mood-pad");
		const takes = document.createElement("cue-takes");
		this.grid.append(fields, mood, takes);
		mood.start(app);
		takes.start(app);
	}

	/** In a low window what opens lies below: it is brought into sight, but not where it was open from the start. */
	#more(details) {
		if (details.open && !pref("more", false)) details.scrollIntoView({ block: "nearest" });
		setPref("more", details.open);
	}

	/** The keys as a list, "by the picture" first; what was typed elsewhere is added to it. */
	#key() {
		const { app } = this;
		const select = keyList();
		select.addEventListener("change", () => app.act("/cue/key", [select.value], { what: `key ${select.selectedOptions[0].textContent}` }));
		app.on(["/cue/key"], () => {
			const value = String(app.value("/cue/key", "auto"));
			if (![...select.options].some((option) => option.value === value)) select.append(h("option", { value }, value));
			select.value = value;
		});
		return h("label", { class: "field", title: app.table.get("/cue/key")?.doc }, h("span", { class: "label" }, "Key"), select);
	}

	#tempo() {
		const { app } = this;
		const row = app.table.get("/cue/tempo");
		if (row === undefined) return null;
		const [{ low, high }] = row.arguments;
		const input = h("input", { type: "number", min: String(low), max: String(high), step: "0.1", "aria-label": "Tempo, quarter notes a minute" });
		const show = () => {
			const value = app.value("/cue/tempo", 0);
			if (document.activeElement !== input) input.value = value ? String(Math.round(value * 10) / 10) : "";
		};
		const send = () => {
			const value = Number(input.value);
			if (!value || Math.abs(value - app.value("/cue/tempo", 0)) < 0.05) return show();
			return app.act("/cue/tempo", [value], { gesture: app.key_gesture("/cue/tempo"), what: `tempo ${value}` }).then((answer) => answer === null && show());
		};
		input.addEventListener("change", () => void send());
		app.on(["/cue/tempo"], show);
		return h("label", { class: "field", title: row.doc }, h("span", { class: "label" }, "Tempo"), input);
	}
}

customElements.define("cue-steer", Steer);
