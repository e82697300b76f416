// Which blocks the mixer has, kept as it does.

const KEPT = 150; // fewer than the mixer keeps

export class Here {
	#have = new Map(); // "stream index" -> revision

	put(stream, index, revision) {
		const key = `${stream} ${index}`;
		this.#have.delete(key);
		this.#have.set(key, revision);
		if (this.#have.size > KEPT) this.#have.delete(this.#have.keys().next().value);
	}

	clear() {
		this.#have.clear();
	}

	/** Music from a block on is newer; from 0 on the film may be another too. */
	renewed(revision, from) {
		for (const [key, had] of this.#have) {
			const [stream, index] = key.split(" ").map(Number);
			if (stream === 2 ? from === 0 : index >= from && had < revision) this.#have.delete(key);
		}
	}

	/** `[first, count]`: what is not here of a stretch. */
	lacking(stream, first, end) {
		const has = (index) => this.#have.has(`${stream} ${index}`);
		while (first < end && has(first)) first++;
		while (end > first && has(end - 1)) end--;
		return [first, end - first];
	}
}
