// "Save to…": what, of which range of sound, under which name; the last choice is kept in this browser.

import { h, labelled, openDialog, setText } from "../lib/dom.js";
import { pref, setPref } from "../lib/prefs.js";

const FORMATS = [
	["mp4", "Film with music", ".mp4"], ["mid", "MIDI", ".mid"], ["parts", "One .mid a part", ".zip"], ["wav", "Sound", ".wav"], ["flac", "Sound, smaller", ".flac"],
	["stems", "Stems", ".zip"], ["leadsheet", "Lead sheet", ".txt"], ["pdf", "Lead sheet, drawn", ".pdf"], ["svg", "Lead sheet, drawn", ".svg"],
	["musicxml", "Score", ".musicxml"], ["dawproject", "DAW project", ".dawproject"], ["guide", "Guide chords", ".mid"], ["click", "Click", ".mid"], ["click-wav", "Click, sound", ".wav"],
	["edl", "Markers for Resolve", ".edl"], ["csv", "Markers, table", ".csv"], ["otio", "Markers", ".otio"], ["markers-midi", "Markers for DAWs", ".mid"],
	["spotting", "Spotting sheet", ".csv"], ["cuesheet", "Cue sheet", ".csv"],
];
// Which of the fields a format has besides its name.
const FIELDS = {
	version: new Set(["pdf", "svg", "musicxml", "dawproject", "guide", "click", "click-wav", "edl", "csv", "otio", "markers-midi", "spotting", "cuesheet"]),
	marker_kinds: new Set(["dawproject", "edl", "csv", "otio", "markers-midi"]),
	count_in: new Set(["click", "click-wav"]),
	rights: new Set(["cuesheet"]),
};
const PATTERN = "{cue}_v{version} {name} {start}";
const SOUNDING = new Set(["mp4", "wav", "flac"]);
// Bytes a second of film, roughly: what 48 kHz stereo takes in each format.
const BYTES_S = { wav: 288_000, flac: 150_000, stems: 1_440_000, mp4: 24_000 };

export function openSave(app) {
	const kept = pref("save", { format: "mp4", film_sound: "duck", loudness: -16 });
	const option = (value, text, now) => h("option", { value, selected: value === now }, text);
	const film = app.get("film");
	const stem = (film?.name ?? "music").replace(/\.[^.]*$/, "");
	const can = new Set(app.get("can")?.formats ?? FORMATS.map(([value]) => value));
	const format = h("select", { "aria-label": "Format", autofocus: true }, ...FORMATS.filter(([value]) => can.has(value)).map(([value, text, end]) => option(value, `${text} ${end}`, kept.format)));
	const sound = h("select", { "aria-label": "Film's own sound" }, option("keep", "Keep", kept.film_sound), option("duck", "Duck under the music", kept.film_sound), option("drop", "Drop", kept.film_sound));
	const loudness = h("input", { type: "number", min: "-36", max: "-8", step: "0.5", value: String(kept.loudness), "aria-label": "Loudness, LUFS" });
	const name = h("input", { type: "text", value: stem, "aria-label": "File name", maxlength: "80" });
	const version = h("input", { type: "number", min: "1", max: "999", value: "1", "aria-label": "Version" });
	const count_in = h("input", { type: "number", min: "0", max: "8", value: "1", "aria-label": "Bars of count-in" });
	const only = h("select", { "aria-label": "Cue" }, option("", "All cues"), ...(app.get("cues") ?? []).map(([, name]) => option(name, name)));
	const kinds = h("input", { type: "text", placeholder: "cues, sections, hits, cuts, chords", "aria-label": "Kinds of markers" });
	const rights = Object.fromEntries(["production", "writers", "publishers", "society"].map((name) => [name, h("input", { type: "text", maxlength: "200", "aria-label": name[0].toUpperCase() + name.slice(1) })]));
	const rows = {
		version: [labelled("Cue", only), labelled("Version", version)],
		marker_kinds: [labelled("Kinds of markers", kinds)],
		count_in: [labelled("Bars of count-in", count_in)],
		rights: Object.values(rights).map((field) => labelled(field.getAttribute("aria-label"), field)),
	};
	const exported_options = () => ({
		version: Number(version.value) || 1,
		...(only.value && { only: only.value }),
		...(FIELDS.marker_kinds.has(format.value) && kinds.value.trim() && { marker_kinds: kinds.value.trim() }),
		...(FIELDS.count_in.has(format.value) && { count_in: Number(count_in.value) }),
		...(FIELDS.rights.has(format.value) && Object.fromEntries(Object.entries(rights).filter(([, field]) => field.value.trim()).map(([name, field]) => [name, field.value.trim()]))),
	});
	const estimate = h("p", { class: "under" });
	const sound_row = labelled("Film's own sound", sound);
	const loudness_row = labelled("Loudness, LUFS", loudness);
	const show = () => {
		const sounding = SOUNDING.has(format.value);
		sound_row.hidden = !sounding;
		loudness_row.hidden = !sounding;
		for (const [field, formats] of Object.entries(FIELDS)) for (const row of rows[field]) row.hidden = !formats.has(format.value);
		const exported = FIELDS.version.has(format.value);
		if (name.value.trim() === (exported ? stem : PATTERN)) name.value = exported ? PATTERN : stem;
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
					const exported = FIELDS.version.has(format.value);
					const options = { name: name.value.trim() || (exported ? PATTERN : stem), ...(exported && exported_options()) };
					if (SOUNDING.has(format.value)) Object.assign(options, { film_sound: sound.value, loudness: Number(loudness.value) });
					setPref("save", { format: format.value, film_sound: sound.value, loudness: Number(loudness.value) });
					app.act("/page/save", [format.value, options]);
				},
			},
			h("div", { class: "fields" },
				labelled("Format", format),
				labelled("File name", name),
				...Object.values(rows).flat(),
				sound_row,
				loudness_row,
			),
			estimate,
			h("p", { class: "note" }, "The whole film, or what you choose. The .mid carries tempo and markers; more on each format under “From the cutting room” in the docs."),
			h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), h("button", { class: "primary" }, "Save")),
		),
	);
	show();
}
