// Elements without markup strings: nothing that a person typed is read as HTML.

/** An element: `h("button", {class: "primary", onclick: go}, "Go")`. Properties beginning with `on` are listeners. */
export function h(name, attributes = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value === undefined || value === null || value === false) continue;
		if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
		else if (key in element && typeof value !== "string") element[key] = value;
		else element.setAttribute(key, value === true ? "" : value);
	}
	element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
	return element;
}

/** Text that is only written where it has changed: live regions speak, and layout moves, for nothing otherwise. */
export function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/** A sentence about what was done, or, `bad`, why it was not. */
export function say(element, text, bad = false) {
	element.classList.toggle("bad", bad);
	setText(element, text);
}

export function setAttribute(element, name, value) {
	if (value === null || value === undefined || value === false) element.removeAttribute(name);
	else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
	play: [["path", { d: "M5 3l8 5-8 5z", class: "solid" }]],
	pause: [["path", { d: "M5 3v10M11 3v10" }]],
	toIn: [["path", { d: "M4 3v10" }], ["path", { d: "M12 3L6.5 8l5.5 5z" }]],
	loop: [["path", { d: "M3 6h9l-2.5-2.5M13 10H4l2.5 2.5" }]],
	undo: [["path", { d: "M6 3L3 6l3 3" }], ["path", { d: "M3 6h6a4 4 0 0 1 0 8H6" }]],
	redo: [["path", { d: "M10 3l3 3-3 3" }], ["path", { d: "M13 6H7a4 4 0 0 0 0 8h3" }]],
	more: [["circle", { cx: 3.5, cy: 8, r: 1.2, class: "solid" }], ["circle", { cx: 8, cy: 8, r: 1.2, class: "solid" }], ["circle", { cx: 12.5, cy: 8, r: 1.2, class: "solid" }]],
	minus: [["path", { d: "M3 8h10" }]],
	plus: [["path", { d: "M3 8h10M8 3v10" }]],
	locked: [["circle", { cx: 8, cy: 8, r: 4.5, class: "solid" }]],
	own: [["circle", { cx: 8, cy: 8, r: 4.5 }], ["circle", { cx: 8, cy: 8, r: 2.2, class: "solid" }]],
	holding: [["path", { d: "M8 2.5l6 11H2z" }], ["path", { d: "M8 7v3" }]],
	lost: [["circle", { cx: 8, cy: 8, r: 5.5 }], ["path", { d: "M5.5 5.5l5 5M10.5 5.5l-5 5" }]],
	sound: [["path", { d: "M2.5 6v4H5l4 3V3L5 6z", class: "solid" }], ["path", { d: "M11.5 5.5a3.5 3.5 0 0 1 0 5" }]],
	silent: [["path", { d: "M2.5 6v4H5l4 3V3L5 6z", class: "solid" }], ["path", { d: "M11.5 6l3 4M14.5 6l-3 4" }]],
	down: [["path", { d: "M4 6l4 4 4-4" }]],
};

/** One of the page's own drawings, 16 px, in the colour of the text around it. */
export function icon(name) {
	const svg = document.createElementNS(SVG, "svg");
	svg.setAttribute("viewBox", "0 0 16 16");
	svg.setAttribute("class", "icon");
	svg.setAttribute("aria-hidden", "true");
	for (const [shape, attributes] of PATHS[name]) {
		const part = document.createElementNS(SVG, shape);
		for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
		svg.append(part);
	}
	return svg;
}

/** Opens a popover beside the element that asked for it, inside the window; focus goes into it. */
export function openBeside(popover, anchor) {
	if (!popover.isConnected) document.body.append(popover);
	popover.showPopover();
	const at = anchor.getBoundingClientRect();
	const size = popover.getBoundingClientRect();
	const left = Math.max(8, Math.min(at.left, innerWidth - size.width - 8));
	const below = at.bottom + 4 + size.height <= innerHeight - 8;
	const top = below ? at.bottom + 4 : Math.max(8, at.top - size.height - 4);
	popover.style.left = `${left}px`;
	popover.style.top = `${top}px`;
	(popover.querySelector("[autofocus]") ?? popover.querySelector("button, input, select, a"))?.focus();
}

/** Arrow keys, Home and End inside a menu. */
export function walksMenu(menu) {
	menu.addEventListener("keydown", (event) => {
		const items = [...menu.querySelectorAll("button:not(:disabled)")];
		const at = items.indexOf(document.activeElement);
		const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
		if (next === undefined || !items.length) return;
		event.preventDefault();
		event.stopPropagation();
		items[(next + items.length) % items.length].focus();
	});
	return menu;
}

/** A control under its label. */
export const labelled = (text, control, ...more) => h("label", { class: "field" }, h("span", { class: "label" }, text), control, ...more);

/** A modal dialog that is gone when it closes. */
export function openDialog(title, ...content) {
	const dialog = h("dialog", { class: "sheet", "aria-label": title }, h("h2", {}, title), ...content);
	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
	return dialog;
}

/** A menu popover of `[text, act, key?, disabled?]` rows; null is a line between them. */
export function menuOf(rows, label) {
	const menu = h("div", { class: "menu", popover: "auto", role: "menu", "aria-label": label });
	for (const row of rows) {
		if (row === null) {
			menu.append(h("hr"));
			continue;
		}
		const [text, act, key, disabled] = row;
		menu.append(
			h("button", { role: "menuitem", disabled: Boolean(disabled), onclick: () => (menu.hidePopover(), act()) },
				h("span", {}, text),
				key ? h("kbd", {}, key) : null,
			),
		);
	}
	menu.addEventListener("toggle", (event) => event.newState === "closed" && setTimeout(() => menu.remove()));
	return walksMenu(menu);
}

const TONICS = ["C", "G", "D", "A", "E", "B", "F#", "Db", "Ab", "Eb", "Bb", "F"];

/** A list of the keys, "By the picture" first. */
export function keyList() {
	const keys = TONICS.flatMap((tonic) => [h("option", { value: tonic }, `${tonic} major`), h("option", { value: `${tonic}m` }, `${tonic} minor`)]);
	return h("select", { "aria-label": "Key" }, h("option", { value: "auto" }, "By the picture"), ...keys);
}

/** The context of a canvas in CSS pixels, cleared; null where it is not shown. */
export function sized(canvas) {
	const ratio = devicePixelRatio || 1;
	const [wide, tall] = [canvas.clientWidth, canvas.clientHeight];
	if (!wide || !tall) return null;
	canvas.width = wide * ratio;
	canvas.height = tall * ratio;
	const ctx = canvas.getContext("2d");
	ctx.scale(ratio, ratio);
	return ctx;
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const typing = (element) => element instanceof HTMLElement && (element.matches("input:not([type=range]):not([type=checkbox]), textarea, select") || element.isContentEditable);
