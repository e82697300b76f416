// Markers of the picture's editor as a table: the frame of each, what it becomes, and which are taken.

import { h, labelled, openDialog, say, setText } from "../lib/dom.js";
import { chosen_file } from "../lib/files.js";

const ACCEPT = ".csv,.tsv,.txt,.edl,.xml,.fcpxml,.fcpxmld,.otio,.mid,.midi,.srt,.vtt,.aaf";
// What a row can become: as `rows` of /cue/markers/load takes it.
const KINDS = [["cue", "Cue"], ["section", "Section"], ["must", "Hit, must"], ["should", "Hit, should"], ["nice", "Hit, nice"]];
const FRAME_PX = [96, 54];

export async function openMarkers(app) {
	const file = await chosen_file(app, ACCEPT);
	if (file !== null) new MarkerTable(app, file);
}

class MarkerTable {
	constructor(app, { upload, name }) {
		this.app = app;
		this.upload = upload;
		this.rows = [];
		this.reading = h("p", { class: "label" }, "Reading…");
		this.start = h("input", { type: "text", placeholder: "01:00:00:00", "aria-label": "Timecode of the film's first frame" });
		this.rate = h("input", { type: "text", placeholder: "as the film", "aria-label": "Frames a second of the list" });
		this.body = h("tbody");
		this.all = h("input", { type: "checkbox", checked: true, "aria-label": "All markers", onchange: () => this.#all() });
		this.take = h("button", { class: "primary", disabled: true, onclick: () => this.#take() }, "Take");
		this.under = h("p", { class: "under", role: "status" });
		this.dialog = openDialog(
			`Markers: ${name}`,
			this.reading,
			h("div", { class: "fields" }, labelled("Film's first frame", this.start), labelled("Frames a second", this.rate)),
			h("div", { class: "marker-rows" },
				h("table", {},
					h("thead", {}, h("tr", {}, h("th", {}, this.all), ...["Frame", "Timecode", "Name", "Becomes", ""].map((text) => h("th", { scope: "col" }, text)))),
					this.body,
				),
			),
			this.under,
			h("div", { class: "buttons" }, h("button", { onclick: () => this.dialog.close() }, "Cancel"), this.take),
		);
		this.dialog.classList.add("markers");
		for (const field of [this.start, this.rate]) field.addEventListener("change", () => void this.#read());
		void this.#read();
	}

	#asked(what, changes = "") {
		return this.app.link.do("/page/markers", [this.upload, what, changes, this.start.value.trim(), this.rate.value.trim()], this.app.gesture());
	}

	async #read() {
		try {
			const answer = await this.#asked("show");
			this.rows = (answer.more ?? []).map(([, [number, start_s, label, kind, weight, name, why]]) => ({ number, start_s, label, kind: kind === "hit" ? weight : kind, name, why }));
			setText(this.reading, answer.ok[1]);
			this.others = answer.ok[1].includes("; listed are") ? " and the others" : ""; // they are taken as they are
			say(this.under, "");
		} catch (error) {
			this.rows = [];
			setText(this.reading, "");
			say(this.under, error.message, true);
		}
		this.#show();
	}

	#show() {
		this.body.replaceChildren(
			...this.rows.map((row) => {
				const outside = !row.label;
				const kind = KINDS.some(([value]) => value === row.kind) ? row.kind : "should";
				row.box = h("input", { type: "checkbox", checked: row.kind !== "ignore" && !outside, disabled: outside, "aria-label": `Take ${row.name || row.label}`, onchange: () => this.#count() });
				row.select = h("select", { "aria-label": `What ${row.name || row.label} becomes`, disabled: outside }, ...KINDS.map(([value, text]) => h("option", { value, selected: value === kind }, text)));
				row.canvas = h("canvas", { width: String(FRAME_PX[0]), height: String(FRAME_PX[1]), "aria-hidden": "true" });
				return h("tr", {}, h("td", {}, row.box), h("td", {}, row.canvas), h("td", { class: "number" }, row.label || `${row.start_s.toFixed(2)} s`), h("td", {}, row.name), h("td", {}, row.select), h("td", { class: "label" }, row.why));
			}),
		);
		this.#count();
		void this.#frames();
	}

	#count() {
		const wanted = this.rows.filter((row) => row.box.checked).length;
		this.take.disabled = wanted === 0;
		setText(this.take, wanted === 1 ? "Take one marker" : `Take ${wanted} markers${this.others}`);
		this.all.checked = wanted > 0;
		this.all.indeterminate = wanted > 0 && wanted < this.rows.filter((row) => !row.box.disabled).length;
	}

	#all() {
		for (const { box } of this.rows) if (!box.disabled) box.checked = this.all.checked;
		this.#count();
	}

	/** The very frame of each marker, one after the other, from a film of its own: the one that plays stays where it is. */
	async #frames() {
		const { app, rows } = this;
		const film = app.get("film");
		if (!film?.video || !rows.length) return;
		const video = h("video", { preload: "auto", src: film.video });
		video.muted = true;
		const seeked = () => new Promise((resolve) => {
			video.addEventListener("seeked", resolve, { once: true });
			setTimeout(resolve, 2000);
		});
		for (const row of rows) {
			if (this.rows !== rows || !this.dialog.isConnected) break;
			if (!row.label) continue;
			video.currentTime = row.start_s + app.frame_s / 2 + (film.offset_s ?? 0);
			await seeked();
			row.canvas.getContext("2d").drawImage(video, 0, 0, ...FRAME_PX);
			row.canvas.dataset.drawn = "true";
		}
		video.removeAttribute("src");
		video.load();
	}

	async #take() {
		const changes = this.rows.map((row) => {
			const wanted = row.box.checked ? row.select.value : "ignore";
			return wanted === row.kind ? "" : `${row.number}=${wanted}`;
		});
		try {
			const answer = await this.#asked("take", changes.filter(Boolean).join(" "));
			this.dialog.close();
			if (typeof answer.heard === "number") this.app.messages.changing("markers", answer.heard, answer.id);
			else this.app.messages.say(`Markers: ${answer.ok[1]}.`);
		} catch (error) {
			say(this.under, error.message, true);
		}
	}
}
