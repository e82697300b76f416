// Values as controls have them.

/** Rows of `size` values each, of a flat list. */
export function rows_of(flat, size, from = 0) {
	const found = [];
	for (let at = from; at + size <= flat.length; at += size) found.push(flat.slice(at, at + size));
	return found;
}
