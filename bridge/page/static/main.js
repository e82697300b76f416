// Start of the page: the secret, the shared state, the elements, the frame loop.

import { App } from "./lib/app.js";
import { GONE } from "./lib/link.js";
import { h, setAttribute } from "./lib/dom.js";
import { Keys } from "./lib/keys.js";
import { onPref, pref, setPref } from "./lib/prefs.js";
import { setTheme } from "./lib/theme.js";
import { Sound } from "./sound/sound.js";
import "./elements/film.js";
import "./elements/message.js";
import "./elements/parts.js";
import "./elements/status.js";
import "./elements/steer.js";
import "./elements/timeline.js";
import "./elements/top.js";
import "./elements/why.js";

const TABS = [["steer", "Steer"], ["parts", "Parts"], ["why", "Why"], ["takes", "Takes"]];

/** The secret is in the page that the printed address opened; a reload finds it in this tab's storage. */
function secret() {
	const given = document.querySelector('meta[name="cuebridge-secret"]')?.content;
	const key = "cuebridge-secret";
	if (given) sessionStorage.setItem(key, given);
	const address = new URL(location.href);
	if (address.searchParams.has("token")) {
		address.searchParams.delete("token");
		history.replaceState(null, "", address.pathname + address.search);
	}
	return given || sessionStorage.getItem(key) || "";
}

class CueApp extends HTMLElement {
	connectedCallback() {
		if (this.app) return;
		setTheme(pref("theme", "system"));
		const app = new App(secret());
		this.app = app;
		window.cuebridge = app; // for whoever tests or measures the page
		this.#frames(app);
		app.sound = new Sound(app);
		app.heard_s = (now) => app.sound.heard_s(now);
		// What is opened now and then is fetched then: the page is small until somebody needs more of it.
		const more = h("link", { rel: "stylesheet", href: "/static/later.css" });
		app.later = (file, name, ...rest) => {
			if (!more.isConnected) document.head.append(more);
			return import(file).then((found) => found[name](app, ...rest), () => app.messages.say(GONE));
		};
		app.film_sync = () => import("./sound/film-sync.js");
		app.open_keys = () => app.later("./elements/sheets.js", "openKeys");
		app.open_log = () => app.later("./elements/sheets.js", "openLog");
		app.open_save = () => app.later("./elements/save.js", "openSave");
		this.#build(app);
		this.keys = new Keys(app);
		app.start();
		const view = new URL(location.href).searchParams.get("view");
		if (view === "film" || view === "board") this.#only(view, app);
	}

	/** A whole-window page; its files are only loaded here. */
	async #only(view, app) {
		document.body.classList.add(`only-${view}`);
		document.head.append(h("link", { rel: "stylesheet", href: "/static/views/views.css" }));
		(await (view === "film" ? import("./views/film.js") : import("./views/board.js"))).open(app);
	}

	/** Runs what has to follow the clock: each frame while it rolls, else once after every change. */
	#frames(app) {
		const each = new Set();
		app.onframe = (listener) => {
			each.add(listener);
			return () => each.delete(listener);
		};
		let asked = 0;
		const frame = () => {
			asked = 0;
			for (const listener of each) listener();
			if (app.rolling) app.request();
		};
		app.request = () => {
			if (!asked) asked = requestAnimationFrame(frame);
		};
		app.on(["/cue/playhead", "film", "bars", "chords", "tiles/mood", "fresh", "sound_state"], () => app.request());
		// Where no frames are shown, a film that has stopped still has to be put in its place.
		setInterval(() => app.request(), 500);
	}

	#build(app) {
		const part = (name, id) => {
			const element = document.createElement(`cue-${name}`);
			if (id) element.id = id;
			return element;
		};
		const top = part("top");
		top.setAttribute("role", "banner");
		const film = part("film");
		const panes = Object.fromEntries(
			TABS.map(([name]) => [name, h("div", { class: "pane", role: "tabpanel", id: `pane-${name}`, "aria-labelledby": `tab-${name}`, hidden: true, tabindex: "-1" }, part(name))]),
		);
		panes.steer.firstChild.id = "steer";
		panes.steer.firstChild.tabIndex = -1;
		const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Controls" },
			...TABS.map(([name, word]) => h("button", { role: "tab", id: `tab-${name}`, class: name === "takes" ? "narrow" : null, "aria-controls": `pane-${name}`, onclick: () => app.set("tab", name) }, word)),
		);
		tabs.addEventListener("keydown", (event) => {
			const shown = [...tabs.children].filter((tab) => tab.offsetParent !== null);
			const at = shown.indexOf(document.activeElement);
			const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[event.key];
			if (next === undefined || at < 0) return;
			event.preventDefault();
			event.stopPropagation();
			const tab = shown[(next + shown.length) % shown.length];
			tab.focus();
			tab.click();
		});
		const message = part("message");
		const panel = h("section", { class: "panel", "aria-label": "Controls" }, tabs, h("div", { class: "panes", style: "min-height:0;display:grid" }, ...Object.values(panes)), message);
		const upper = h("main", { class: "upper" }, film, panel);
		const splitter = this.#splitter();
		const timeline = part("timeline");
		timeline.setAttribute("role", "region");
		timeline.setAttribute("aria-label", "Timeline");
		const status = part("status");
		status.setAttribute("role", "contentinfo");
		const lower = h("div", { style: "display:grid;grid-template-rows:0 minmax(0,1fr);min-height:0" }, splitter, timeline);
		const first = part("first");
		first.hidden = true;
		this.append(top, upper, lower, status);
		document.body.append(first);
		app.timeline = timeline;
		app.takes = panes.steer; // until the cards are there
		app.first = first;
		let visiting = null;
		app.first_visit = () => (visiting ??= import("./elements/first.js").then(() => first.start(app)));
		app.on(["phase"], () => app.get("phase") === "empty" && app.first_visit());
		for (const element of [top, film, message, timeline, status]) element.start(app);
		for (const pane of Object.values(panes)) pane.firstChild.start(app);
		app.takes = panes.takes.firstChild;
		app.on(["tab"], () => {
			const now = app.get("tab", "steer");
			for (const [name] of TABS) {
				panes[name].hidden = name !== now;
				const tab = tabs.querySelector(`#tab-${name}`);
				setAttribute(tab, "aria-selected", String(name === now));
				tab.tabIndex = name === now ? 0 : -1;
			}
			if (now === "takes") app.touch("takes");
		});
		app.set("tab", "steer");
		// A page that opens on its film: Play has the focus, but whoever has gone elsewhere meanwhile stays there.
		const stop = app.on(["phase"], () => {
			if (app.get("phase") === undefined) return;
			queueMicrotask(() => stop());
			if (app.get("phase") !== "empty" && document.activeElement === document.body) top.play.focus();
		});
		app.on(["link", "phase"], () => {
			const gone = app.get("link") !== "open";
			panel.classList.toggle("gone", gone);
			for (const pane of Object.values(panes)) pane.inert = gone && app.get("fresh") !== undefined;
		});
		onPref((name) => name === "letters" && app.messages.say(pref("letters", true) ? "Single-letter keys are on." : "Single-letter keys are off."));
	}

	/** The border between film and timeline; double-click or Home gives the window's own share back. */
	#splitter() {
		const bar = h("div", { class: "splitter", role: "separator", "aria-orientation": "horizontal", "aria-label": "Height of the film", tabindex: "0", "aria-valuemin": "20", "aria-valuemax": "70" });
		const apply = () => {
			const own = innerHeight < 760 ? 248 / innerHeight : innerHeight >= 1200 ? 0.46 : 0.36;
			const share = Math.min(0.7, Math.max(0.2, pref("upper", null) ?? own));
			this.style.setProperty("--upper", `${Math.round(share * innerHeight)}px`);
			document.documentElement.style.setProperty("--upper", `${Math.round(share * innerHeight)}px`);
			bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
			return share;
		};
		apply();
		addEventListener("resize", apply);
		const set = (share) => {
			setPref("upper", share);
			apply();
		};
		bar.addEventListener("pointerdown", (event) => {
			bar.setPointerCapture(event.pointerId);
			const move = (moved) => set(Math.min(0.7, Math.max(0.2, (moved.clientY - 52) / innerHeight)));
			const up = () => (bar.removeEventListener("pointermove", move), bar.removeEventListener("pointerup", up));
			bar.addEventListener("pointermove", move);
			bar.addEventListener("pointerup", up);
		});
		bar.addEventListener("dblclick", () => set(null));
		bar.addEventListener("keydown", (event) => {
			const step = { ArrowUp: -0.02, ArrowDown: 0.02 }[event.key];
			if (event.key === "Home") set(null);
			else if (step !== undefined) set(Math.min(0.7, Math.max(0.2, apply() + step)));
			else return;
			event.preventDefault();
			event.stopPropagation();
		});
		return bar;
	}
}

customElements.define("cue-app", CueApp);
