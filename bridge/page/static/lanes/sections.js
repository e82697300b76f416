// Sections as named bands: from here on some controls have values of their own.

import { SpanLane } from "./spans.js";

export class SectionsLane extends SpanLane {
	constructor(app) {
		super(app, "sections", "Sections", ["sections"]);
	}

	spans() {
		const { sections } = this.app.rows;
		return sections.map(([start_s, changes, name, breath], index) => ({
			start_s, end_s: sections[index + 1]?.[0] ?? this.app.duration_s, name: name || `Section ${index + 1}`, note: changes, changes, given: name, breath, tone: "accent",
			text: `${name || `Section ${index + 1}`} from ${this.app.bars.text(start_s)}: ${changes}`,
		}));
	}

	hit(second, _y, view) {
		const item = this.items(second, second).at(-1) ?? null;
		return item !== null && (second - item.start_s) * view.zoom <= 6 ? { ...item, edge: item.start_s } : item;
	}

	drag(hit) {
		if (hit.edge === undefined) return null;
		const { app } = this;
		return this.edge_drag({
			parts: 1,
			bounded: (second) => Math.max(0, second),
			tip: (second) => `${app.bars.text(hit.edge)} → ${app.bars.text(second)}`,
			moved: (second) => app.act("/cue/sections/move", [hit.edge, second], { gesture: app.gesture(), what: `${hit.name} moved` }),
		});
	}

	open(item) {
		this.app.later("./elements/section-sheet.js", "openSection", item.start_s);
	}

	remove(item) {
		return this.app.act("/cue/sections/remove", [item.start_s], { what: "section removed" });
	}

	menu(item) {
		return [
			["What it changes…", () => this.open(item), "Enter"],
			["Go there", () => this.app.locate(item.start_s)],
			["Merge with next", () => this.app.act("/cue/sections/merge", [item.start_s], { what: "sections merged" })],
			["Delete", () => this.remove(item), "Backspace"],
		];
	}

	key(event, item) {
		const { app } = this;
		if (!event.altKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return super.key(event, item);
		const to_s = Math.max(0, app.bars.moved(item.start_s, event.key === "ArrowLeft" ? -1 : 1));
		app.act("/cue/sections/move", [item.start_s, to_s], { gesture: app.key_gesture("section"), what: `${item.name} moved` }).then((answer) => answer !== null && app.view.select("sections", to_s));
		return true;
	}
}
