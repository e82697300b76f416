// Thumbnails, cut at shot borders; a cut's strength is the height of its line.

import { lastAt } from "../lib/time.js";
import { TILE_S } from "../lib/tiles.js";
import { Lane, between } from "./lane.js";

const LEAST_PX = 26; // shots narrower than this share a picture

export class FilmLane extends Lane {
	#laid = null;

	constructor(app) {
		super(app, "film", "Film");
		this.height = 50;
		app.on(["cuts", "film"], () => {
			this.#laid = null;
			this.invalidate();
		});
		app.on(["tiles/pictures"], () => {
			const index = app.get("tiles/pictures");
			if (index !== undefined) this.invalidate(index * TILE_S - 10, (index + 1) * TILE_S + 10);
		});
	}

	get small() {
		const cuts = this.app.rows.cuts.length;
		return cuts ? `${cuts} cut${cuts === 1 ? "" : "s"}` : "";
	}

	/** Stretches of the film with one row of pictures each: `[start_s, end_s]`; the same whatever part is painted. */
	#stretches(zoom) {
		const { cuts } = this.app.rows;
		if (this.#laid?.zoom === zoom && this.#laid.cuts === cuts.length && this.#laid.end_s === this.app.duration_s) return this.#laid.list;
		const list = [];
		let start_s = 0;
		for (const [time_s] of cuts) {
			if ((time_s - start_s) * zoom < LEAST_PX) continue;
			list.push([start_s, time_s]);
			start_s = time_s;
		}
		list.push([start_s, this.app.duration_s]);
		this.#laid = { zoom, list, cuts: cuts.length, end_s: this.app.duration_s };
		return list;
	}

	paint({ ctx, x_of, zoom, height, theme, from_s, to_s }) {
		const film = this.app.get("film");
		if (!film?.thumbnail) return;
		const { width: wide, height: high, count } = film.thumbnail;
		const width = (height * wide) / high;
		const stretches = this.#stretches(zoom);
		for (let index = Math.max(lastAt(stretches, from_s, (each) => each[0]), 0); index < stretches.length; index++) {
			const [start_s, end_s] = stretches[index];
			if (start_s > to_s) break;
			const first = Math.max(0, Math.floor(((from_s - start_s) * zoom) / width));
			for (let step = first; ; step++) {
				const x = x_of(start_s) + step * width;
				if (x >= x_of(Math.min(end_s, to_s)) - 0.01) break;
				const shown = Math.min(width, x_of(end_s) - x);
				// The picture in the middle of what is shown, but never one before the cut.
				const second = Math.min(Math.max(Math.ceil(start_s), Math.round(start_s + (step * width + shown / 2) / zoom)), Math.max(0, Math.ceil(end_s) - 1));
				const picture = this.app.tiles.pictures(Math.floor(second / count));
				if (picture === null) {
					ctx.fillStyle = theme.raised;
					ctx.fillRect(x, 0, Math.max(0, shown - 1), height);
					continue;
				}
				ctx.drawImage(picture, (second % count) * wide, 0, (shown / width) * wide, high, x, 0, shown, height);
			}
		}
		const { cuts } = this.app.rows;
		for (const index of between(cuts, from_s - 3 / zoom, to_s + 3 / zoom)) {
			const [time_s, strength] = cuts[index];
			const x = Math.round(x_of(time_s));
			const tall = Math.max(8, height * Math.min(1, strength));
			ctx.fillStyle = theme.page;
			ctx.fillRect(x - 1.5, height - tall, 4, tall);
			ctx.fillStyle = theme.warning;
			ctx.fillRect(x - 0.5, height - tall, 2, tall);
		}
	}

	item_count() {
		return this.app.rows.cuts.length;
	}

	items(from_s, to_s) {
		const { cuts } = this.app.rows;
		return Array.from(between(cuts, from_s, to_s), (index) => {
			const [time_s, strength, kind] = cuts[index];
			return { key: time_s, index, start_s: time_s, end_s: time_s, text: `${kind} at ${this.app.bars.text(time_s)}, strength ${Math.round(strength * 100)} %` };
		});
	}

	open(item) {
		this.app.locate(item.start_s);
	}

	menu(item) {
		return [
			["Go there", () => this.app.locate(item.start_s), "Enter"],
			["Hit here", () => this.app.act("/cue/hits/add", [item.start_s, "should"], { what: "hit on the cut" }), "H"],
			["Must hit here", () => this.app.act("/cue/hits/add", [item.start_s, "must"], { what: "must hit on the cut" }), "Shift+H"],
		];
	}
}
