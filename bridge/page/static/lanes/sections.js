// Sections as named bands: from here on some controls have values of their own.

import { fitted, Lane } from "./lane.js";

export class SectionsLane extends Lane {
	constructor(app) {
		super(app, "sections", "Sections");
		this.height = 24;
		this.moving = null;
		app.on(["sections", "film"], () => this.invalidate());
	}

	get small() {
		return this.app.rows.sections.length ? String(this.app.rows.sections.length) : "";
	}

	items(from_s, to_s) {
		const { sections } = this.app.rows;
		return sections
			.map(([start_s, changes, name], index) => ({
				key: start_s, index, start_s, end_s: sections[index + 1]?.[0] ?? this.app.duration_s, name: name || `Section ${index + 1}`, changes,
				text: `${name || `Section ${index + 1}`} from ${this.app.bars.text(start_s)}: ${changes}`,
			}))
			.filter((each) => each.end_s >= from_s && each.start_s <= to_s);
	}

	item_count() {
		return this.app.rows.sections.length;
	}

	paint({ ctx, x_of, height, theme, from_s, to_s }) {
		ctx.font = `600 12px ${theme.font}`;
		ctx.textBaseline = "middle";
		for (const item of this.items(from_s, to_s)) {
			const x = x_of(item.start_s);
			const wide = x_of(item.end_s) - x;
			ctx.fillStyle = theme.raised;
			ctx.strokeStyle = theme.edge;
			ctx.fillRect(x + 1, 3, wide - 2, height - 6);
			ctx.strokeRect(x + 0.5, 2.5, wide - 1, height - 5);
			ctx.fillStyle = theme.text;
			const name = fitted(ctx, item.name, wide - 14);
			ctx.fillText(name, x + 7, height / 2 + 0.5);
			const left = wide - 26 - ctx.measureText(name).width;
			ctx.fillStyle = theme.second;
			ctx.font = `11px ${theme.font}`;
			const more = fitted(ctx, item.changes, left);
			ctx.fillText(more, x + 15 + ctx.measureText(name).width + 8, height / 2 + 0.5);
			ctx.font = `600 12px ${theme.font}`;
		}
	}

	paint_over({ ctx, x_of, height, theme }) {
		if (this.moving === null) return;
		ctx.fillStyle = theme.accent;
		ctx.fillRect(x_of(this.moving) - 1, 0, 2, height);
	}

	hit(second, _y, view) {
		const item = this.items(second, second)[0] ?? null;
		if (item === null) return null;
		return Math.abs(view.x_of(item.start_s) - view.x_of(second)) <= 6 ? { ...item, edge: item.start_s } : item;
	}

	drag(hit) {
		if (hit.edge === undefined || !this.app.table.has("/cue/sections/move")) return null;
		const { app } = this;
		const lane = this;
		return {
			parts: 1,
			tip: "",
			move(second) {
				lane.moving = Math.max(0, second);
				this.tip = `${app.bars.text(hit.edge)} → ${app.bars.text(lane.moving)}`;
			},
			commit() {
				const to_s = lane.moving;
				lane.moving = null;
				if (to_s !== null) app.act("/cue/sections/move", [hit.edge, to_s], { gesture: app.gesture(), what: `${hit.name} moved` });
			},
			cancel() {
				lane.moving = null;
			},
		};
	}

	menu(item) {
		return [
			["Go there", () => this.app.locate(item.start_s)],
			["Delete", () => this.app.act("/cue/sections/remove", [item.start_s], { what: "section removed" }), "Backspace"],
		];
	}

	key(event, item) {
		if (event.key !== "Backspace" && event.key !== "Delete") return false;
		this.app.act("/cue/sections/remove", [item.start_s], { what: "section removed" });
		return true;
	}
}
