// The top bar: what is open, transport, clocks, sync, sound, undo, save, menu.

import { h, icon, menuOf, openBeside, setAttribute, setText } from "../lib/dom.js";
import { pref, setPref } from "../lib/prefs.js";
import { setTheme } from "../lib/theme.js";
import "./clocks.js";

const OWN = new Set(["", "internal", "own", "own transport"]);

export class Top extends HTMLElement {
	start(app) {
		this.app = app;
		this.cue = h("strong", { class: "cut-off" });
		this.film = h("span", { class: "note cut-off" });
		this.film.style.display = "block";
		this.play = h("button", { class: "play primary", "aria-label": "Play", title: "Play (Space)", onclick: () => app.toggle_play() }, icon("play"));
		this.loop = h("button", { class: "icon-only", "aria-label": "Loop", title: "Loop the selection (L)", "aria-pressed": "false", onclick: () => app.toggle_loop() }, icon("loop"));
		this.sync_word = h("span");
		this.sync_icon = h("span", { style: "display:contents" });
		this.sync = h("button", { class: "chip", title: "Sync: source, offset, ports", onclick: (event) => app.later("./elements/chip-sheets.js", "openSync", event.currentTarget) }, this.sync_icon, this.sync_word);
		this.sound_word = h("span", { class: "sound-word" });
		this.sound_icon = h("span", { style: "display:contents" });
		this.sound = h("button", { class: "chip", onclick: (event) => app.later("./elements/chip-sheets.js", "openSound", event.currentTarget) }, this.sound_icon, this.sound_word);
		this.undo = h("button", { "aria-label": "Undo", onclick: () => app.act("/cue/undo") }, icon("undo"), h("span", { class: "undo-word" }, "Undo"));
		this.redo = h("button", { class: "icon-only", "aria-label": "Redo", onclick: () => app.act("/cue/redo") }, icon("redo"));
		this.clocks = document.createElement("cue-clocks");
		this.append(
			h("div", { class: "what" }, this.cue, this.film),
			h("div", { class: "transport", role: "group", "aria-label": "Transport" },
				h("button", { class: "icon-only", "aria-label": "To In", title: "To In (Home)", onclick: () => app.to_in() }, icon("toIn")),
				this.play,
				this.loop,
			),
			this.clocks,
			this.sync,
			this.sound,
			h("span", { class: "space" }),
			h("div", { class: "acts" },
				this.undo,
				this.redo,
				h("button", { class: "accent", id: "save", "aria-haspopup": "dialog", onclick: () => app.open_save() }, "Save to…"),
				h("button", { class: "icon-only", "aria-label": "Menu", "aria-haspopup": "menu", onclick: (event) => this.#menu(event.currentTarget) }, icon("more")),
			),
		);
		this.clocks.start(app);
		app.on(["/cue/name", "film", "cues"], () => this.#name());
		app.on(["/cue/playhead"], () => this.#transport());
		app.on(["/cue/loop"], () => setAttribute(this.loop, "aria-pressed", String(Boolean(app.value("/cue/loop")))));
		app.on(["/cue/sync", "/cue/status", "/cue/daw", "link"], () => this.#sync());
		app.on(["sound", "sound_state"], () => this.#sound());
		app.on(["/cue/edits", "link"], () => this.#edits());
	}

	#name() {
		const { app } = this;
		setText(this.cue, app.rows.cues.find((row) => row[4])?.[1] || app.value("/cue/name", "CueBridge"));
		const name = app.get("film")?.name ?? "";
		setText(this.film, name);
		this.film.title = name;
		document.title = name ? `${name} – CueBridge` : "CueBridge";
	}

	#transport() {
		const rolling = this.app.rolling;
		if (this.was === rolling) return;
		this.was = rolling;
		this.play.replaceChildren(icon(rolling ? "pause" : "play"));
		this.play.setAttribute("aria-label", rolling ? "Stop" : "Play");
		this.play.title = rolling ? "Stop (Space)" : "Play (Space)";
	}

	/** `{word, icon, tone}` of the chip. */
	#sync_state() {
		const { app } = this;
		const [source = "", state = ""] = app.get("/cue/sync") ?? [];
		const status = app.value("/cue/status", "");
		if (app.get("link") !== "open") return { word: "No connection", icon: "lost", tone: "danger" };
		if (status === "lost" || state === "lost") return { word: "Lost", icon: "lost", tone: "danger" };
		if (state === "holding") return { word: `Holding ${app.value("/cue/hold_on_sync_loss", 0.5)} s`, icon: "holding", tone: "warning" };
		if (OWN.has(source)) return { word: "Own transport", icon: "own", tone: "good" };
		return { word: "DAW locked", icon: "locked", tone: "good" };
	}

	#sync() {
		const { word, icon: name, tone } = this.#sync_state();
		setText(this.sync_word, word);
		if (this.sync_icon.dataset.name !== name) {
			this.sync_icon.dataset.name = name;
			this.sync_icon.replaceChildren(icon(name));
		}
		setAttribute(this.sync, "class", `chip ${tone}`);
	}

	#sound() {
		const { app } = this;
		const state = app.get("sound_state") ?? { word: "Sound off", on: false, why: "" };
		setText(this.sound_word, state.word);
		this.sound_icon.replaceChildren(icon(state.on ? "sound" : "silent"));
		setAttribute(this.sound, "class", `chip ${state.on ? "good" : ""}`);
		this.sound.title = state.why || "Sound of this page";
		setAttribute(this.sound, "aria-label", `Sound: ${state.word}`);
	}

	#edits() {
		const [undo = "", redo = ""] = this.app.get("/cue/edits") ?? [];
		const gone = this.app.get("link") !== "open";
		this.undo.disabled = !undo || gone;
		this.redo.disabled = !redo || gone;
		this.undo.title = undo ? `Undo: ${undo}` : "Nothing to undo";
		this.redo.title = redo ? `Redo: ${redo}` : "Nothing to redo";
	}

	#menu(anchor) {
		const { app } = this;
		const no_film = !app.get("film")?.ready;
		const now = pref("theme", "system");
		const choose = (name) => () => {
			setPref("theme", name);
			setTheme(name);
		};
		const menu = menuOf(
			[
				["Another film…", () => app.first_visit().then(() => app.first.open())],
				["Markers from the editor…", () => app.later("./elements/markers.js", "openMarkers"), "", no_film],
				["New cut of the film…", () => app.later("./elements/recut.js", "openRecut"), "", no_film],
				["The theme…", () => app.later("./elements/theme-editor.js", "openTheme"), "", no_film],
				["Section from the playhead…", () => app.later("./elements/section-sheet.js", "openSection", app.position_s()), "", no_film],
				["The selected range is speech", () => app.timeline.more_lanes().then((lanes) => lanes.speech.add(app.view.range)), "", app.view.range === null],
				["Save the session", () => app.save_session(), "Ctrl+S"],
				null,
				[`Theme: as the system${now === "system" ? " (now)" : ""}`, choose("system")],
				[`Theme: dark${now === "dark" ? " (now)" : ""}`, choose("dark")],
				[`Theme: light${now === "light" ? " (now)" : ""}`, choose("light")],
				null,
				["Film in a window of its own", () => window.open("/?view=film", "cue-film", "popup,width=960,height=560")],
				["Board in a window of its own", () => window.open("/?view=board", "cue-board", "popup,width=1280,height=800")],
				null,
				["Keys", () => app.open_keys(), "?"],
				[pref("letters", true) ? "Switch single-letter keys off" : "Switch single-letter keys on", () => setPref("letters", !pref("letters", true))],
				["Messages so far", () => app.open_log()],
				["Lanes as tables", () => app.timeline.toggle_table(), "T"],
				null,
				["Panic: all notes off", () => app.act("/cue/panic", [], { what: "all notes off" }), "Shift+Esc"],
			],
			"Menu",
		);
		menu.append(h("p", { class: "note" }, "Windows open on this computer only: other devices cannot reach this page."));
		openBeside(menu, anchor);
	}
}

customElements.define("cue-top", Top);
