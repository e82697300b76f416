// The list of keys and the log of messages.

import { h, openDialog } from "../lib/dom.js";

const KEYS = [
	["Space", "play, stop"], ["Enter", "edit"], ["← →", "previous, next item of the lane"], ["Shift+← →", "extend the selection"], ["Alt+← →", "move by a beat (a hit: a frame; theme, form: a bar)"],
	[", .", "a frame back, on"], ["Home End", "to In, to Out"], ["↑ ↓", "lane above, below"], ["+ −", "zoom"], ["0", "the whole film"], ["L", "loop the selection"], ["F", "follow the playhead"],
	["P", "pin, unpin"], ["S", "split at the playhead"], ["M", "merge with the next chord"], ["Backspace", "give a chord back to the network"], ["H", "hit here"], ["Shift+H", "must hit here"],
	["C", "next cut"], ["Shift+C", "cut before"], ["N", "new take"], ["1–9, on the board ↑ ↓", "take at the next bar"], ["Shift+1–9", "take at the next chord"], ["\\", "back to the take before (A/B)"],
	["K", "keep the take"], ["R, then 1–5", "rate the take"], ["W", "why this chord"], ["T", "lanes as tables"], ["Ctrl+Z", "undo"], ["Ctrl+Shift+Z", "redo"], ["Ctrl+S", "save the session"],
	["?", "this list"], ["Esc", "close, cancel"], ["Shift+Esc", "panic: all notes off"],
];

function sheet(title, content) {
	const close = h("button", { class: "primary", autofocus: true, onclick: () => dialog.close() }, "Close");
	const dialog = openDialog(title, content, h("div", { class: "buttons" }, close));
	dialog.style.maxWidth = "min(760px, 94vw)";
}

export function openKeys() {
	sheet("Keys", h("div", { class: "keys-list" }, ...KEYS.map(([key, what]) => h("div", {}, h("span", {}, what), h("kbd", {}, key)))));
}

export function openLog(app) {
	const time = (at) => at.toLocaleTimeString();
	const earlier = (app.get("log") ?? []).map(([, text]) => h("li", {}, text));
	const here = app.messages.log.map(({ at, text }) => h("li", {}, h("span", { class: "label" }, `${time(at)}  `), text));
	sheet("Messages so far", h("ol", {}, ...(here.length || earlier.length ? [...earlier, ...here] : [h("li", {}, "None yet.")])));
}
