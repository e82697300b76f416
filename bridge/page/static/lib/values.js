// Values as controls have them.

/** Rows of `size` values each, of a flat list. */
export function rows_of(flat, size, from = 0) {
	const found = [];
	for (let at = from; at + size <= flat.length; at += size) found.push(flat.slice(at, at + size));
	return found;
}

/** What of a stretch lies outside others, which are in order. */
export function outside({ start_s, end_s }, others) {
	const left = [];
	let from_s = start_s;
	for (const other of others) {
		if (other.end_s <= from_s || other.start_s >= end_s) continue;
		if (other.start_s > from_s) left.push({ start_s: from_s, end_s: other.start_s });
		from_s = other.end_s;
	}
	if (from_s < end_s) left.push({ start_s: from_s, end_s });
	return left;
}
