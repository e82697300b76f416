// What the picture's mood is: a word for each run of shots alike, and the six weights as a stack.

import { lastAt } from "../lib/time.js";
import { Lane } from "./lane.js";

export const MOODS = ["exciting", "fearful", "tense", "sad", "relaxing", "neutral"];
const STACK = [5, 4, 3, 2, 1, 0]; // neutral lowest

function strongest(weights) {
	let best = 0;
	for (let index = 1; index < weights.length; index++) if (weights[index] > weights[best]) best = index;
	return best;
}

export class MoodLane extends Lane {
	#runs = null;

	constructor(app) {
		super(app, "mood", "Mood");
		this.height = 38;
		this.open_state = false;
		app.on(["tiles/mood", "cuts"], () => {
			this.#runs = null;
			this.invalidate();
		});
	}

	get small() {
		return this.open_state ? "as seen; with faders" : "as seen";
	}

	/** Runs of shots whose strongest mood is the same: `{start_s, end_s, mood, share}`. */
	get runs() {
		if (this.#runs !== null) return this.#runs;
		const rows = this.app.tiles.mood ?? [];
		const cuts = this.app.rows.cuts.map((cut) => cut[0]);
		const runs = [];
		let sums = new Float64Array(6);
		let start_s = rows[0]?.start_s ?? 0;
		let border = lastAt(cuts, start_s + 1e-3) + 1;
		const close = (end_s) => {
			if (end_s <= start_s) return;
			const mood = strongest(sums);
			const share = sums[mood] / Math.max(1e-9, sums.reduce((sum, each) => sum + each));
			const last = runs.at(-1);
			if (last !== undefined && last.mood === mood) last.end_s = end_s;
			else runs.push({ start_s, end_s, mood, share });
			start_s = end_s;
			sums = new Float64Array(6);
		};
		for (const row of rows) {
			if (border < cuts.length && cuts[border] <= row.start_s + 1e-3) {
				close(row.start_s);
				while (border < cuts.length && cuts[border] <= row.start_s + 1e-3) border++;
			}
			for (let index = 0; index < 6; index++) sums[index] += row.seen[index] * (row.end_s - row.start_s);
		}
		if (rows.length) close(rows.at(-1).end_s);
		this.#runs = runs;
		return runs;
	}

	#stack({ ctx, x_of, zoom, theme, from_s, to_s }, top, height, name) {
		const rows = this.app.tiles.mood;
		const first = Math.max(lastAt(rows, from_s, (row) => row.start_s) - 1, 0);
		// Never more than two rows a pixel: the rows between add nothing that is seen.
		const step = Math.max(1, Math.floor(0.5 / Math.max(1e-6, zoom * (rows[first].end_s - rows[first].start_s))));
		const base = first - (first % step);
		const shown = [];
		for (let index = base; index < rows.length; index += step) {
			shown.push(rows[index]);
			if (rows[index].start_s > to_s) break;
		}
		if (shown.at(-1).start_s <= to_s && shown.at(-1) !== rows.at(-1)) shown.push(rows.at(-1));
		const below = new Float64Array(shown.length);
		// The first and the last row reach to the film's edges.
		const middle = (row) => (row === rows[0] ? row.start_s : row === rows.at(-1) ? row.end_s : (row.start_s + row.end_s) / 2);
		for (const mood of STACK) {
			ctx.beginPath();
			for (let index = 0; index < shown.length; index++) ctx.lineTo(x_of(middle(shown[index])), top + height * (1 - below[index]));
			for (let index = shown.length - 1; index >= 0; index--) {
				const row = shown[index];
				const sum = row[name].reduce((total, weight) => total + weight, 0) || 1;
				below[index] = Math.min(1, below[index] + row[name][mood] / sum);
				ctx.lineTo(x_of(middle(row)), top + height * (1 - below[index]));
			}
			ctx.closePath();
			ctx.fillStyle = theme[MOODS[mood]];
			ctx.globalAlpha = 0.38;
			ctx.fill();
			ctx.globalAlpha = 1;
		}
	}

	paint(g) {
		const { ctx, x_of, height, theme, from_s, to_s } = g;
		if (!this.app.tiles.mood?.length) {
			ctx.fillStyle = theme.hairline;
			ctx.fillRect(x_of(from_s), height / 2, g.width, 1);
			return;
		}
		if (this.open_state) {
			this.#stack(g, 4, height / 2 - 6, "seen");
			this.#stack(g, height / 2 + 1, height / 2 - 2, "steered");
		} else this.#stack(g, 4, height - 4, "seen");
		ctx.font = `600 11px ${theme.font}`;
		ctx.textBaseline = "middle";
		for (const run of this.runs) {
			if (run.end_s < from_s - 2000 / g.zoom || run.start_s > to_s) continue;
			const x = x_of(run.start_s);
			const wide = x_of(run.end_s) - x;
			ctx.fillStyle = theme[MOODS[run.mood]];
			ctx.fillRect(x, 0, wide, 3);
			const text = MOODS[run.mood];
			if (ctx.measureText(text).width > wide - 6) continue;
			ctx.fillStyle = theme.page;
			ctx.globalAlpha = 0.86;
			ctx.fillRect(x + 2, 5, ctx.measureText(text).width + 8, 15);
			ctx.globalAlpha = 1;
			ctx.fillStyle = theme.text;
			ctx.fillText(text, x + 6, 13);
		}
	}

	item_count() {
		return this.runs.length;
	}

	items(from_s, to_s) {
		return this.runs
			.map((run, index) => ({ key: run.start_s, index, start_s: run.start_s, end_s: run.end_s, text: `${MOODS[run.mood]}, ${this.app.bars.text(run.start_s)} to ${this.app.bars.text(run.end_s)}` }))
			.filter((each) => each.end_s >= from_s && each.start_s <= to_s);
	}

	open() {
		this.open_state = !this.open_state;
		this.height = this.open_state ? 76 : 38;
		this.invalidate();
		this.app.touch("lanes");
	}
}
