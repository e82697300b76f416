// A row of the timeline: what it draws, what can be pointed at in it, and its rows for keyboard and screen reader.

import { lastAt } from "../lib/time.js";

/** Painted into tiles that are kept until `version` or the zoom changes. */
export class Lane {
	constructor(app, id, title) {
		this.app = app;
		this.id = id;
		this.title = title;
		this.version = 0;
		this.height = 36;
		this.changed = null; // the timeline's: (lane, from_s, to_s)
	}

	get small() {
		return "";
	}

	/** What was painted is no longer true, at all or between two seconds. */
	invalidate(from_s = -Infinity, to_s = Infinity) {
		if (from_s === -Infinity) this.version++;
		this.changed?.(this, from_s, to_s);
	}

	/** Paints `from_s` to `to_s`; g: `{ctx, x_of(second), zoom, width, height, theme, from_s, to_s}`. */
	paint(_g) {}

	/** Drawn above the tiles, at every change of selection or drag. */
	paint_over(_g) {}

	/** Items between two seconds: `{key, index, start_s, end_s, text}`. */
	items(_from_s, _to_s) {
		return [];
	}

	item_count() {
		return 0;
	}

	/** The item at a place, with `edge` where its border can be dragged; or null. */
	hit(_second, _y, _view) {
		return null;
	}

	/** A drag of an item: `{move(second), commit(), cancel(), tip}`; or null. */
	drag(_hit, _second, _event) {
		return null;
	}

	open(_item) {}

	menu(_item) {
		return [];
	}

	key(_event, _item) {
		return false;
	}
}

/** Indices of rows between two seconds. */
export function* between(rows, from_s, to_s) {
	for (let index = lastAt(rows, from_s - 1e-9, (row) => row[0]) + 1; index < rows.length && rows[index][0] <= to_s; index++) yield index;
}

/** Vertical lines of bars (and beats where there is room). */
export function paint_bars({ ctx, x_of, zoom, height, theme, from_s, to_s }, bars, { beats = true } = {}) {
	const beat_px = bars.beat_length_s(from_s) * zoom;
	const bar_px = beat_px * (bars.list[Math.max(bars.index_at(from_s), 0)]?.[2] ?? 4);
	if (bar_px < 4) return;
	const step = bar_px < 14 ? 8 : bar_px < 28 ? 4 : 1;
	if (beats && beat_px >= 14) {
		ctx.fillStyle = theme.hairline;
		ctx.globalAlpha = 0.4;
		for (const beat_s of bars.beats_between(from_s, to_s)) ctx.fillRect(Math.round(x_of(beat_s)), 0, 1, height);
		ctx.globalAlpha = 1;
	}
	ctx.fillStyle = theme.hairline;
	for (let index = Math.max(bars.index_at(from_s), 0); index < bars.list.length; index++) {
		const [bar, start_s] = bars.list[index];
		if (start_s > to_s) break;
		if ((bar - 1) % step === 0) ctx.fillRect(Math.round(x_of(start_s)), 0, 1, height);
	}
}

/** Text cut with "…" to a width. */
export function fitted(ctx, text, width) {
	if (ctx.measureText(text).width <= width) return text;
	let low = 0;
	let high = text.length;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (ctx.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
		else high = middle - 1;
	}
	return low > 0 ? `${text.slice(0, low)}…` : "";
}

/** A row for each chord between two seconds; what `words(from_s, to_s)` says is worked out only for rows that are read. */
export function chord_rows(app, from_s, to_s, words) {
	const { chords } = app;
	const rows = [];
	for (let index = Math.max(lastAt(chords, from_s, (chord) => chord.start_s), 0); index < chords.length && chords[index].start_s <= to_s; index++) {
		const { start_s, end_s, place, name } = chords[index];
		if (end_s < from_s) continue;
		rows.push({
			key: start_s, index, start_s, end_s,
			get text() {
				return `${place} ${name}: ${words(start_s, end_s)}`;
			},
		});
	}
	return rows;
}
