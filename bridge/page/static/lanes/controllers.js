// Controllers as they go out: expression (CC 11) and dynamics (CC 1) of each part, in its colour.

import { PARTS, TILE_S } from "../lib/tiles.js";
import { chord_rows, Lane, paint_bars } from "./lane.js";

const FROM_ZOOM = 3; // px a second: below it tiles are not fetched
const DASHES = new Map([[1, [4, 3]]]); // CC 1 is dashed; colour alone would not tell it

export class ControllerLane extends Lane {
	constructor(app) {
		super(app, "cc", "CC");
		this.height = 36;
		app.on(["bars", "plan", "audible"], () => this.invalidate());
		app.on(["tiles/notes"], () => {
			const index = app.get("tiles/notes");
			if (index !== undefined) this.invalidate(index * TILE_S - 0.5, (index + 1) * TILE_S + 0.5);
		});
	}

	get small() {
		return this.app.view.zoom < FROM_ZOOM ? "zoom in" : "11 line, 1 dashed";
	}

	/** Points of each part and controller in a tile: `[part, number, [[second, value], …]]`. */
	#curves(tile) {
		const notes = this.app.tiles.notes(tile);
		const found = new Map();
		for (const [second, part, number, value] of notes?.controllers ?? []) {
			const key = part * 128 + number;
			if (!found.has(key)) found.set(key, [part, number, []]);
			found.get(key)[2].push([second, value]);
		}
		return [...found.values()];
	}

	paint(g) {
		const { ctx, x_of, zoom, height, theme, from_s, to_s } = g;
		paint_bars(g, this.app.bars, { beats: false });
		if (zoom < FROM_ZOOM) return;
		const y_of = (value) => height - 3 - (value / 127) * (height - 6);
		ctx.lineWidth = 1.25;
		for (let tile = Math.max(0, Math.floor(from_s / TILE_S)); tile <= Math.floor(to_s / TILE_S); tile++) {
			const end_s = Math.min((tile + 1) * TILE_S, this.app.duration_s);
			for (const [part, number, points] of this.#curves(tile)) {
				if (number !== 1 && number !== 11) continue;
				ctx.strokeStyle = theme[PARTS[part]];
				ctx.globalAlpha = this.app.audible(PARTS[part]).mute ? 0.35 : 0.9;
				ctx.setLineDash(DASHES.get(number) ?? []);
				ctx.beginPath();
				let last = null;
				for (const [second, value] of [...points, [end_s, null]]) {
					const x = x_of(second);
					if (last !== null) ctx.lineTo(x, y_of(last)); // a value holds until the next
					if (value !== null) ctx.lineTo(x, y_of(value));
					last = value ?? last;
				}
				ctx.stroke();
			}
		}
		ctx.setLineDash([]);
		ctx.globalAlpha = 1;
	}

	item_count() {
		return this.app.chords.length;
	}

	items(from_s, to_s) {
		return chord_rows(this.app, from_s, to_s, (from, to) => this.words(from, to));
	}

	words(from_s, to_s) {
		if (this.app.view.zoom < FROM_ZOOM) return "zoom in";
		const spans = new Map();
		for (let tile = Math.floor(from_s / TILE_S); tile <= Math.floor((to_s - 1e-6) / TILE_S); tile++) {
			for (const [part, number, points] of this.#curves(tile)) {
				if (number !== 1 && number !== 11) continue;
				const before = points.filter(([second]) => second <= from_s).slice(-1);
				for (const [, value] of [...before, ...points.filter(([second]) => second > from_s && second < to_s)]) {
					const key = `${PARTS[part]} CC ${number}`;
					const [low, high] = spans.get(key) ?? [127, 0];
					spans.set(key, [Math.min(low, value), Math.max(high, value)]);
				}
			}
		}
		return [...spans].map(([key, [low, high]]) => `${key} ${low === high ? low : `${low} to ${high}`}`).join(", ") || "none";
	}
}
