// One control of the table as a field: slider, list, switch or text. Its range, unit and words come from the table.

import { h, say, setAttribute, setText } from "../lib/dom.js";

const UNITS = { "%": " %", ms: " ms", seconds: " s", "quarter notes a minute": "" };

/** Words that stand for "not set": then the slider lies in the middle of what the picture does. */
const SPOKEN = { picture: "as picture", auto: "by itself", all: "as all", film: "as film" };

/**
 * A field for an address. name: its label; what: words for the message line (default: the label).
 * A slider previews its number only; one movement of it is one gesture.
 */
export function controlField(app, address, { name, wide = false, step, placeholder = "" } = {}) {
	const row = app.table.get(address);
	if (row === undefined || !row.arguments?.length) return null;
	const argument = row.arguments[0];
	const label = name ?? argument.name;
	const build = argument.kind === "number" || argument.kind === "whole" ? slider : argument.kind === "choice" ? choice : argument.kind === "switch" ? toggle : text;
	const field = build(app, row, argument, label, { step, placeholder });
	field.classList.add("field");
	if (wide) field.classList.add("wide");
	field.title = row.doc;
	return field;
}

const shown = (value, argument) =>
	typeof value === "string" ? (SPOKEN[value] ?? value) : `${Number(value.toFixed(2))}${UNITS[argument.unit] ?? ""}`;

function slider(app, row, argument, label, { step }) {
	const { address } = row;
	const output = h("output");
	const words = typeof row.default === "string" ? row.default : null;
	const input = h("input", {
		type: "range", min: String(argument.low ?? 0), max: String(argument.high ?? 100), "aria-label": label,
		step: String(step ?? (argument.kind === "whole" || (argument.high ?? 100) - (argument.low ?? 0) > 20 ? 1 : 0.1)),
	});
	const reset = words !== null ? h("button", { class: "link note", hidden: true, title: `Back to: ${SPOKEN[words] ?? words}` }, SPOKEN[words] ?? words) : null;
	const field = h("div", {}, h("span", { class: "label" }, h("span", { class: "cut-off" }, label), h("span", {}, reset, " ", output)), input);
	let gesture = null;
	const paint = (value) => {
		const number = typeof value === "number" ? value : (Number(input.min) + Number(input.max)) / 2;
		if (document.activeElement !== input || gesture === null) input.value = String(number);
		input.style.setProperty("--part", `${((number - Number(input.min)) / (Number(input.max) - Number(input.min))) * 100}%`);
		input.classList.toggle("as-picture", typeof value === "string");
		setText(output, shown(value, argument));
		setAttribute(input, "aria-valuetext", shown(value, argument));
		if (reset) reset.hidden = typeof value === "string";
	};
	const send = (value, name) => {
		const what = `${label.toLowerCase()} ${shown(value, argument)}`;
		const before = app.get(address);
		app.set(address, [value]);
		app.act(address, [value], { gesture: name, what }).then((answer) => {
			if (answer === null && before !== undefined) app.set(address, before);
		});
	};
	input.addEventListener("pointerdown", () => {
		gesture = app.gesture();
		app.held.add(address);
	});
	input.addEventListener("input", () => {
		const value = Number(input.value);
		input.style.setProperty("--part", `${((value - Number(input.min)) / (Number(input.max) - Number(input.min))) * 100}%`);
		setText(output, shown(value, argument));
		if (gesture === null) send(value, app.key_gesture(address));
	});
	const release = () => {
		if (gesture === null) return;
		const name = gesture;
		gesture = null;
		app.held.delete(address);
		if (Number(input.value) !== app.value(address)) send(Number(input.value), name);
	};
	input.addEventListener("pointerup", release);
	input.addEventListener("pointercancel", release);
	input.addEventListener("keydown", (event) => {
		if (event.key !== "Escape" || gesture === null) return;
		gesture = null;
		app.held.delete(address);
		paint(app.value(address, row.default));
	});
	input.addEventListener("dblclick", () => send(row.default, app.gesture()));
	reset?.addEventListener("click", () => send(words, app.gesture()));
	app.on([address], () => paint(app.value(address, row.default)));
	return field;
}

function choice(app, row, argument, label) {
	const select = h("select", { "aria-label": label }, ...argument.words.map((word) => h("option", { value: word }, SPOKEN[word] ?? word)));
	select.addEventListener("change", () => app.act(row.address, [select.value], { what: `${label.toLowerCase()} ${select.value}` }));
	app.on([row.address], () => (select.value = String(app.value(row.address, row.default))));
	return h("label", {}, h("span", { class: "label" }, label), select);
}

function toggle(app, row, argument, label) {
	const button = h("button", { "aria-pressed": "false" }, label);
	button.addEventListener("click", () => app.act(row.address, [!app.value(row.address, row.default)], { what: `${label.toLowerCase()} ${app.value(row.address, row.default) ? "off" : "on"}` }));
	app.on([row.address], () => setAttribute(button, "aria-pressed", String(Boolean(app.value(row.address, row.default)))));
	return h("div", {}, button);
}

/** A line of text: Enter or leaving it sends; a refusal stands under it in the parser's words. */
function text(app, row, argument, label, { placeholder }) {
	const input = h("input", { type: "text", "aria-label": label, placeholder, spellcheck: "false", autocomplete: "off" });
	const under = h("p", { class: "under" });
	const show = () => {
		const value = app.value(row.address, row.default);
		if (document.activeElement !== input) input.value = value === null ? "" : String(value);
	};
	const send = async () => {
		const value = input.value.trim();
		if (value === String(app.value(row.address, row.default))) return;
		try {
			const answer = await app.link.do(row.address, [value], app.gesture());
			say(under, typeof answer.heard === "number" ? `Heard from ${app.bars.text(answer.heard)}.` : "");
			setAttribute(input, "aria-invalid", null);
			if (typeof answer.heard === "number") app.messages.changing(`${label.toLowerCase()} ${value || "off"}`, answer.heard, answer.id);
		} catch (error) {
			say(under, error.message, true);
			setAttribute(input, "aria-invalid", "true");
		}
	};
	input.addEventListener("keydown", (event) => {
		if (event.key === "Enter") void send();
		if (event.key === "Escape") {
			show();
			input.value = String(app.value(row.address, row.default) ?? "");
			input.blur();
		}
	});
	input.addEventListener("blur", () => void send());
	app.on([row.address], show);
	const field = h("div", {}, h("label", {}, h("span", { class: "label" }, label), input), under);
	field.under = under;
	field.input = input;
	return field;
}
