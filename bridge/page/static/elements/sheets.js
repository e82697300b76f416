// The list of keys and the log of messages.

import { h, openDialog } from "../lib/dom.js";
import { KEYS } from "../lib/keys.js";

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
