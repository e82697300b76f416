// Notes of a part, or of all parts in one lane; from far away, how many there are.

import { PARTS, TILE_S } from "../lib/tiles.js";
import { chord_rows, Lane, paint_bars } from "./lane.js";

const NOTES_FROM = 3; // px a second: below it the counts are drawn, never single notes
const SHORTEST_PX = 1.5;

export class NotesLane extends Lane {
	constructor(app, part) {
		super(app, part === null ? "notes" : part, part === null ? "Notes" : part);
		this.part = part;
		this.index = part === null ? -1 : PARTS.indexOf(part);
		this.height = part === null ? 90 : 54;
		this.stretches = true;
		app.on(["tiles/counts", "bars", "audible"], () => this.invalidate());
		app.on(["tiles/notes"], () => {
			const index = app.get("tiles/notes");
			if (index !== undefined) this.invalidate(index * TILE_S - 0.5, (index + 1) * TILE_S + 0.5);
		});
		app.on(["plan_change"], () => {
			for (const index of app.get("plan_change")?.tiles ?? []) this.invalidate(index * TILE_S, (index + 1) * TILE_S);
		});
	}

	get small() {
		if (this.part !== null) return "";
		const total = this.app.tiles.counts?.total;
		return total === undefined ? "" : `${total.toLocaleString("en")} in all`;
	}

	/** Lowest and highest pitch of what the lane shows, at least an octave and a half. */
	#range() {
		const { counts } = this.app.tiles;
		let low = 127;
		let high = 0;
		for (let part = 0; part < PARTS.length; part++) {
			if (this.index >= 0 ? part !== this.index : PARTS[part] === "drums") continue;
			const range = counts?.range(part) ?? null;
			if (range !== null) [low, high] = [Math.min(low, range[0]), Math.max(high, range[1])];
		}
		if (low > high) [low, high] = [48, 72];
		const short = Math.max(0, 18 - (high - low));
		return [low - short / 2 - 1, high + short / 2 + 1];
	}

	paint(g) {
		const { ctx, x_of, width, height, theme, from_s, zoom } = g;
		if (this.part !== null && PARTS.indexOf(this.part) % 2 === 0) {
			ctx.fillStyle = theme.surface;
			ctx.globalAlpha = 0.5;
			ctx.fillRect(x_of(from_s), 0, width, height);
			ctx.globalAlpha = 1;
		}
		paint_bars(g, this.app.bars);
		if (zoom < NOTES_FROM) this.#paint_counts(g);
		else this.#paint_notes(g);
	}

	#paint_counts({ ctx, x_of, zoom, height, theme, from_s, to_s, width }) {
		const { counts } = this.app.tiles;
		if (counts === null) return;
		const parts = this.index >= 0 ? [this.index] : PARTS.map((_, index) => index);
		const band = height / parts.length;
		const most = 14; // notes a second that fill the band
		const x0 = Math.floor(x_of(from_s));
		parts.forEach((part, place) => {
			ctx.fillStyle = theme[PARTS[part]];
			for (let x = x0; x < x0 + width; x += 2) {
				const first = Math.floor(from_s + (x - x0) / zoom);
				const last = Math.max(first + 1, Math.floor(from_s + (x + 2 - x0) / zoom));
				if (first >= counts.seconds || first > to_s) break;
				let sum = 0;
				for (let second = Math.max(0, first); second < last; second++) sum += counts.at(second, part);
				const tall = Math.min(1, Math.sqrt(sum / (last - first) / most)) * (band - 4);
				// Whole pixels: what lies between two is blended, which takes most of the time of a tile of these.
				if (tall > 0) ctx.fillRect(x, Math.round((place + 1) * band - 2 - tall), 2, Math.max(1, Math.round(tall)));
			}
		});
	}

	#paint_notes({ ctx, x_of, height, theme, from_s, to_s, zoom }) {
		const [low, high] = this.#range();
		const tall = Math.max(1.5, Math.min(4, (height - 4) / (high - low)));
		const y_of = (pitch) => 2 + (height - 4 - tall) * (1 - (pitch - low) / (high - low));
		const drum_rows = new Map();
		const louder = (velocity) => (velocity >= 96 ? 1 : velocity >= 64 ? 0.82 : 0.6);
		for (let tile = Math.max(0, Math.floor(from_s / TILE_S)); tile <= Math.floor(to_s / TILE_S); tile++) {
			const notes = this.app.tiles.notes(tile);
			if (notes === null) continue;
			const tile_end_s = (tile + 1) * TILE_S;
			for (let part = 0; part < PARTS.length; part++) {
				if (this.index >= 0 ? part !== this.index : PARTS[part] === "drums") continue;
				ctx.fillStyle = theme[PARTS[part]];
				const silent = this.app.audible(PARTS[part]).mute;
				for (let index = 0; index < notes.n; index++) {
					if (notes.part[index] !== part) continue;
					const start_s = notes.start[index];
					const end_s = start_s + notes.length[index];
					// A note over a tile's border is in both tiles: the first draws it as far as the next tile begins.
					if (end_s < from_s || start_s > to_s || start_s >= tile_end_s) continue;
					const x = x_of(Math.max(start_s, tile * TILE_S));
					const wide = Math.max(SHORTEST_PX, (Math.min(end_s, tile_end_s) - Math.max(start_s, tile * TILE_S)) * zoom - (end_s > tile_end_s ? 0 : 1));
					const pitch = notes.pitch[index];
					ctx.globalAlpha = louder(notes.velocity[index]) * (silent ? 0.35 : 1);
					if (PARTS[part] === "drums") {
						if (!drum_rows.has(pitch)) drum_rows.set(pitch, y_of(pitch));
						ctx.fillRect(x, drum_rows.get(pitch), Math.min(wide, 6), tall);
					} else ctx.fillRect(x, y_of(pitch), wide, tall);
				}
			}
		}
		ctx.globalAlpha = 1;
	}

	item_count() {
		return this.app.chords.length;
	}

	items(from_s, to_s) {
		return chord_rows(this.app, from_s, to_s, (from, to) => `${this.count(from, to)} notes`);
	}

	count(from_s, to_s) {
		let count = 0;
		for (let tile = Math.floor(from_s / TILE_S); tile <= Math.floor(to_s / TILE_S); tile++) {
			const notes = this.app.view.zoom >= NOTES_FROM ? this.app.tiles.notes(tile) : null;
			const [low, high] = [Math.max(from_s, tile * TILE_S), Math.min(to_s, (tile + 1) * TILE_S)];
			for (let index = 0; index < (notes?.n ?? 0); index++) {
				if ((this.index < 0 || notes.part[index] === this.index) && notes.start[index] >= low && notes.start[index] < high) count++;
			}
		}
		return count;
	}
}
