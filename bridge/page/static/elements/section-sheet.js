// What a section changes, a row each; and what the cue's plan says of one of its sections.

import { h, labelled, openDialog, say } from "../lib/dom.js";
import { PARTS } from "../lib/tiles.js";

const WORDS = { activity: "Activity", dynamics: "Dynamics", key: "Key", pattern: "Arpeggio pattern", tempo: "Tempo", parts: "Texture: only these parts" };

/** `[[name, value], …]` of "name=value; name=value". */
const changesOf = (text) => text.split(";").filter((each) => each.includes("=")).map((each) => each.split("=").map((word) => word.trim()));

/** What a section may change: the table's rows of that scope, and its parts. */
function choices(app) {
	const found = [...app.table.values()].filter((row) => row.scopes?.includes("section"));
	return new Map([...found.map((row) => [row.name, row]), ["parts", { doc: "Parts that play, with commas", arguments: [{ kind: "text" }] }]]);
}

function valueField(name, row, value) {
	const argument = row?.arguments[0] ?? { kind: "text" };
	const number = argument.kind === "number" && !argument.words?.length;
	const attributes = { "aria-label": WORDS[name] ?? name, value, title: row?.doc, spellcheck: "false" };
	return number ? h("input", { type: "number", min: argument.low, max: argument.high, step: "any", ...attributes }) : h("input", { type: "text", ...attributes });
}

/** start_s: of the section, or the place of a new one where none begins. */
export function openSection(app, start_s) {
	const known = choices(app);
	const lane = app.timeline.lanes.sections;
	const here = () => lane.spans().find((each) => Math.abs(each.start_s - start_s) < 0.03);
	const fresh = here() === undefined;
	let changes = changesOf(here()?.changes ?? "");
	const gesture = app.gesture();
	const name = h("input", { type: "text", value: here()?.given ?? "", "aria-label": "Name", maxlength: "40", autofocus: true });
	const breath = h("input", { type: "checkbox", checked: Boolean(here()?.breath) });
	const list = h("div", { class: "change-rows" });
	const under = h("p", { class: "under", role: "status" });
	const send = async (next) => {
		try {
			const text = next.map(([each, value]) => `${each}=${value}`).join("; ");
			const answer = await app.link.do("/cue/sections/add", [start_s, `${text};`, name.value.trim(), breath.checked], gesture);
			changes = next;
			say(under, typeof answer.heard === "number" ? `Heard from ${app.bars.text(answer.heard)}.` : "");
			show();
			return true;
		} catch (error) {
			say(under, error.message, true);
			return false;
		}
	};
	const show = () => {
		list.replaceChildren(
			...changes.map(([each, value]) => {
				const field = valueField(each, known.get(each), value);
				field.addEventListener("change", () => void send(changes.map((row) => (row[0] === each ? [each, field.value.trim()] : row))));
				return h("div", { class: "change-row" }, h("span", { class: "label" }, WORDS[each] ?? each), field,
					h("button", { type: "button", class: "icon-only", "aria-label": `No ${WORDS[each] ?? each} here`, onclick: () => void send(changes.filter((row) => row[0] !== each)) }, "×"));
			}),
		);
		const left = [...known.keys()].filter((each) => !changes.some((row) => row[0] === each));
		what.replaceChildren(...left.map((each) => h("option", { value: each }, WORDS[each] ?? each)));
		adder.hidden = !left.length;
		renew();
	};
	const what = h("select", { "aria-label": "What else", onchange: () => renew() });
	const place = h("span", { class: "change-value" });
	const renew = () => place.replaceChildren(valueField(what.value, known.get(what.value), ""));
	const add = () => {
		const value = place.firstChild.value.trim();
		if (value) void send([...changes, [what.value, value]]);
	};
	const adder = h("div", { class: "change-row" }, what, place, h("button", { type: "button", onclick: add }, "Add"));
	adder.addEventListener("keydown", (event) => {
		if (event.key !== "Enter" || event.target === what) return;
		event.preventDefault();
		add();
	});
	const renamed = () => (here() === undefined ? undefined : void app.act("/cue/sections/name", [start_s, name.value.trim()], { gesture }));
	name.addEventListener("change", renamed);
	breath.addEventListener("change", () => changes.length && void send(changes));
	const dialog = openDialog(
		fresh ? `A section from ${app.bars.text(start_s)}` : `Section from ${app.bars.text(start_s)}`,
		labelled("Name", name),
		h("p", { class: "label" }, "From here on:"),
		list,
		adder,
		h("label", { class: "check" }, breath, "A breath before it"),
		under,
		h("div", { class: "buttons" }, h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Close")),
	);
	show();
}

/** A section of the plan: its ensemble, texture and so on as rows; what can be done with it. */
export function openPlanned(app, item) {
	const range = [item.start_s, item.end_s];
	const close = (act) => () => {
		dialog.close();
		act();
	};
	const boxes = PARTS.map((part) => h("input", { type: "checkbox", value: part, checked: item.parts.includes(part) }));
	const only = () => {
		const wanted = boxes.filter((box) => box.checked).map((box) => box.value);
		return app.act("/cue/only", [wanted.join(","), ...range], { what: `only ${wanted.join(", ")}` });
	};
	const name = h("input", { type: "text", value: item.given, "aria-label": "Name", maxlength: "64", placeholder: item.name, autofocus: true });
	const renamed = () => (name.value.trim() === item.given ? undefined : app.act("/cue/form/name", [item.start_s, name.value.trim()], { what: `section ${name.value.trim() || item.name}` }));
	name.addEventListener("keydown", (event) => {
		if (event.key !== "Enter") return;
		event.preventDefault();
		dialog.close();
	});
	const lane = app.timeline.lanes.form;
	const dialog = openDialog(
		`${item.name}, ${app.bars.text(item.start_s)} to ${app.bars.text(item.end_s)}`,
		labelled("Name", name),
		h("dl", {}, ...item.rows.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)])),
		h("div", { class: "buttons", role: "group", "aria-label": "The proposal" },
			item.state === "proposed" ? h("button", { title: "It begins here in every take that follows", onclick: close(() => lane.accept(item)) }, "Accept") : null,
			item.first ? null : h("button", { title: "The section before it goes on, in this take and those that follow", onclick: close(() => lane.remove(item)) }, "Refuse"),
			item.last ? null : h("button", { onclick: close(() => lane.merge(item)) }, "Merge with next"),
		),
		h("div", { class: "checks", role: "group", "aria-label": "Parts that play" }, ...PARTS.map((part, index) => h("label", { class: "check" }, boxes[index], part))),
		h("div", { class: "buttons" },
			h("button", { onclick: close(() => app.act("/cue/simpler", range, { what: "simpler" })) }, "Simpler"),
			h("button", { onclick: close(() => app.act("/cue/busier", range, { what: "busier" })) }, "Busier"),
			h("button", { onclick: close(only) }, "Only these parts"),
			h("button", { onclick: close(() => openSection(app, item.start_s)) }, "Values of its own…"),
			h("button", { class: "primary", onclick: () => dialog.close() }, "Close"),
		),
	);
	dialog.addEventListener("cancel", () => (name.value = item.given)); // Escape
	dialog.addEventListener("close", renamed, { once: true });
}
