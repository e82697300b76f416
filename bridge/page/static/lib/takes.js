// Takes: their letters, and what was said of them.

import { rows_of } from "./values.js";

/** A, B … Z, AA, AB …: the same as `Take.name` of engine/music/composition.py. */
export function take_letter(number) {
	let letters = "";
	for (let rest = number; rest > 0; rest = Math.floor((rest - 1) / 26)) letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
	return letters;
}

/** `{rating, note}` of a take: 0 to 5 (0: not rated), and the comment. */
export function rated(app, number) {
	const [, rating = 0, note = ""] = rows_of(app.get("/cue/takes/rated") ?? [], 3).find((row) => row[0] === number) ?? [];
	return { rating, note };
}
