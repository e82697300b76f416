// Bars, beats, timecode: positions as musicians and editors write them.

/** Index of the last entry whose `key` is at or before `value`; -1: none is. */
export function lastAt(list, value, key = (entry) => entry) {
	let low = 0;
	let high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (key(list[middle]) <= value) low = middle + 1;
		else high = middle;
	}
	return low - 1;
}

/**
 * The film's bar lines: `bars` is a list of `[number, start_s, beats]`, the beats evenly spaced inside each bar, which
 * is how the bridge cuts tempo changes up.
 */
export class Bars {
	constructor(bars = [], end_s = 0) {
		this.list = bars;
		this.end_s = end_s;
	}

	#length_s(index) {
		const next = this.list[index + 1];
		if (next !== undefined) return next[1] - this.list[index][1];
		const before = this.list[index - 1];
		return before !== undefined ? this.list[index][1] - before[1] : Math.max(this.end_s - this.list[index][1], 1);
	}

	index_at(second) {
		return lastAt(this.list, second + 1e-6, (bar) => bar[1]);
	}

	/** `{bar, beat, fraction}` with beat from 1; null where there are no bars. */
	at(second) {
		if (!this.list.length) return null;
		const index = Math.max(this.index_at(second), 0);
		const [bar, start_s, beats] = this.list[index];
		const beat = Math.max(((second - start_s) / this.#length_s(index)) * beats, 0) + 1e-6;
		return { bar, beat: Math.floor(beat) + 1, fraction: beat - Math.floor(beat) };
	}

	/** "4|4" or, with `fine`, "4|4.02" (hundredths of a beat). */
	text(second, fine = false) {
		const at = this.at(second);
		if (at === null) return "–";
		const tail = fine ? `.${String(Math.floor(at.fraction * 100)).padStart(2, "0")}` : "";
		return `${at.bar}|${at.beat}${tail}`;
	}

	/** Where the bar line nearest to a second is, and that `count` bars on from there. */
	nearest_bar(second, count = 0) {
		if (!this.list.length) return second;
		const index = Math.max(this.index_at(second), 0);
		const next_s = this.list[index][1] + this.#length_s(index);
		const nearest = second - this.list[index][1] <= next_s - second ? index : index + 1;
		const wanted = this.list[Math.max(0, Math.min(nearest + count, this.list.length - 1))];
		return wanted[1];
	}

	beat_length_s(second) {
		if (!this.list.length) return 0.5;
		const index = Math.max(this.index_at(second), 0);
		return this.#length_s(index) / this.list[index][2];
	}

	/** Seconds of the beats (or `parts` of a beat) between two places. */
	beats_between(from_s, to_s, parts = 1) {
		const found = [];
		for (let index = Math.max(this.index_at(from_s), 0); index < this.list.length; index++) {
			const [, start_s, beats] = this.list[index];
			if (start_s > to_s) break;
			const step_s = this.#length_s(index) / beats / parts;
			for (let count = 0; count < beats * parts; count++) {
				const at_s = start_s + count * step_s;
				if (at_s >= from_s - 1e-6 && at_s <= to_s + 1e-6) found.push(at_s);
			}
		}
		return found;
	}

	nearest_beat(second, parts = 1) {
		const reach_s = this.beat_length_s(second) * 1.5;
		let best = second;
		let miss = Infinity;
		for (const beat_s of this.beats_between(second - reach_s, second + reach_s, parts)) {
			if (Math.abs(beat_s - second) < miss) [best, miss] = [beat_s, Math.abs(beat_s - second)];
		}
		return best;
	}

	moved(second, beats) {
		return second + beats * this.beat_length_s(second);
	}
}

/** Film timecode of a picture second, counted from the label of the first frame; drop-frame where the rate has it. */
export function timecode(second, { fps = 25, drop = false, first_frame = 0 } = {}) {
	const nominal = Math.round(fps);
	let frame = Math.max(0, Math.floor(second * fps + 1e-4)) + first_frame;
	if (drop) {
		const dropped = nominal / 15;
		const per_ten = nominal * 600 - dropped * 9;
		const per_minute = nominal * 60 - dropped;
		const tens = Math.floor(frame / per_ten);
		const rest = frame % per_ten;
		frame += dropped * 9 * tens + (rest > dropped ? dropped * Math.floor((rest - dropped) / per_minute) : 0);
	}
	const two = (value) => String(value).padStart(2, "0");
	const seconds = Math.floor(frame / nominal);
	return `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${drop ? ";" : ":"}${two(frame % nominal)}`;
}

export function minutes(second) {
	return `${Math.floor(second / 60)}:${String(Math.floor(second % 60)).padStart(2, "0")}`;
}

/** A place that was reached from `since` on: back at the beginning of a loop (`[from, to]` or null) that it has passed the end of. */
export function wrapped(place, since, loop) {
	if (loop === null || since >= loop[1] || place < loop[1]) return place;
	return loop[0] + ((place - loop[0]) % (loop[1] - loop[0]));
}
