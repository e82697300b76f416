// "Save to…": what, of which range of sound, under which name; the last choice is kept in this browser.

import { h, labelled, openDialog, setText } from "../lib/dom.js";
import { pref, setPref } from "../lib/prefs.js";

const FORMATS = [
	["mp4", "Film with music", ".mp4"], ["mid", "MIDI", ".mid"], ["parts", "One .mid a part", ".zip"], ["wav", "Sound", ".wav"], ["flac", "Sound, smaller", ".flac"],
	["stems", "Stems", ".zip"], ["leadsheet", "Lead sheet", ".txt"],
];
const SOUNDING = new Set(["mp4", "wav", "flac"]);
// Bytes a second of film, roughly: what 48 kHz stereo takes in each format.
const BYTES_S = { wav: 288_000, flac: 150_000, stems: 1_440_000, mp4: 24_000 };

export function openSave(app) {
	const kept = pref("save", { format: "mp4", film_sound: "duck", loudness: -16 });
	const option = (value, text, now) => h("option", { value, selected: value === now }, text);
	const film = app.get("film");
	const stem = (film?.name ?? "music").replace(/\.[^.]*$/, "");
	const format = h("select", { "aria-label": "Format", autofocus: true }, ...FORMATS.map(([value, text, end]) => option(value, `${text} ${end}`, kept.format)));
	const sound = h("select", { "aria-label": "Film's own sound" }, option("keep", "Keep", kept.film_sound), option("duck", "Duck under the music", kept.film_sound), option("drop", "Drop", kept.film_sound));
	const loudness = h("input", { type: "number", min: "-36", max: "-8", step: "0.5", value: String(kept.loudness), "aria-label": "Loudness, LUFS" });
	const name = h("input", { type: "text", value: stem, "aria-label": "File name", maxlength: "80" });
	const estimate = h("p", { class: "under" });
	const sound_row = labelled("Film's own sound", sound);
	const loudness_row = labelled("Loudness, LUFS", loudness);
	const show = () => {
		const sounding = SOUNDING.has(format.value);
		sound_row.hidden = !sounding;
		loudness_row.hidden = !sounding;
		const bytes = BYTES_S[format.value] * app.duration_s;
		setText(estimate, bytes ? `About ${bytes > 1e8 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`}${format.value === "mp4" ? " more than the film's picture" : ""}.` : "A few kilobytes.");
	};
	format.addEventListener("change", show);
	const dialog = openDialog(
		"Save to…",
		h(
			"form",
			{
				method: "dialog",
				onsubmit: () => {
					const options = { name: name.value.trim() || stem };
					if (SOUNDING.has(format.value)) Object.assign(options, { film_sound: sound.value, loudness: Number(loudness.value) });
					setPref("save", { format: format.value, film_sound: sound.value, loudness: Number(loudness.value) });
					app.act("/page/save", [format.value, options]);
				},
			},
			h("div", { class: "fields" },
				labelled("Format", format),
				labelled("File name", name),
				sound_row,
				loudness_row,
			),
			estimate,
			h("p", { class: "note" }, "The whole film. A DAW project: see “Your DAW” in the docs; the .mid carries tempo and markers."),
			h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), h("button", { class: "primary" }, "Save")),
		),
	);
	show();
}
