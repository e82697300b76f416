// What stands behind the two chips of the top bar: sync and sound.

import { h, openBeside, setText } from "../lib/dom.js";

const [LOW_DB, HIGH_DB] = [-40, 6]; // the lowest is off

function openSheet(title, content, anchor) {
	const sheet = h("div", { class: "sheet", popover: "auto", role: "dialog", "aria-label": title, tabindex: "-1" }, h("h2", {}, title), content);
	sheet.addEventListener("toggle", (event) => event.newState === "closed" && setTimeout(() => sheet.remove()));
	openBeside(sheet, anchor);
	if (!sheet.contains(document.activeElement)) sheet.focus();
}

export function openSync(app, anchor) {
	const [source = "–", state = "–", tempo = "–", bpm = 0, rate = "", port = ""] = app.get("/cue/sync") ?? [];
	const [name = "–", api = "", up = false, sent = 0, late = 0, dropped = 0] = app.get("/cue/ports") ?? [];
	const rows = [
		["Position from", `${source || "own transport"} (${state || "–"})`],
		["Tempo from", `${tempo || "own"}, ${Number(bpm).toFixed(2)} bpm`],
		["Timecode", [rate, port].filter(Boolean).join(", ") || "–"],
		["Picture starts at", String(app.value("/cue/picture_starts_at", "0"))],
		["MIDI port", `${name}${api ? `, ${api}` : ""}${up ? "" : " (down)"}`],
		["Notes", `${sent} sent, ${late} late, ${dropped} dropped`],
	];
	openSheet("Sync", h("dl", {}, ...rows.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)])), anchor);
}

export function openSound(app, anchor) {
	const level = (name, text) => {
		const now = app.audible(name);
		const output = h("output", {}, now.mute ? "off" : `${now.level_db} dB`);
		const filled = () => input.style.setProperty("--part", `${((Number(input.value) - LOW_DB) / (HIGH_DB - LOW_DB)) * 100}%`);
		const input = h("input", {
			type: "range", min: String(LOW_DB), max: String(HIGH_DB), step: "1", value: String(now.mute ? LOW_DB : now.level_db), "aria-label": `Level of ${text}`,
			oninput: () => {
				const value = Number(input.value);
				app.set_audible(name, { level_db: value, mute: value <= LOW_DB });
				setText(output, value <= LOW_DB ? "off" : `${value} dB`);
				filled();
			},
		});
		filled();
		return h("label", { class: "field" }, h("span", { class: "label" }, text, output), input);
	};
	const font = app.get("sound")?.font;
	const sentence = app.get("sound_state")?.why;
	openSheet(
		"Sound of this page",
		h("div", { class: "fields", style: "width:min(420px,80vw)" },
			h("button", { class: "wide", onclick: () => app.sound.toggle() }, app.sound.wanted ? "Switch sound off" : "Switch sound on"),
			app.get("sound")?.daw ? h("button", { class: "wide", onclick: () => app.sound.despite_daw() }, "Play here too") : null,
			level("all", "Everything"),
			level("film", "Film's own sound"),
			...["melody", "arp", "pad", "bass", "drums"].map((part) => level(part, part)),
			h("p", { class: "wide note" }, [sentence, font ? `SoundFont: ${font}.` : ""].filter(Boolean).join(" ")),
		),
		anchor,
	);
}
