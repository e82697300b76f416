// Which blocks the mixer has, kept as it does.

export const KEPT = 55; // of a stream: 27 s

/** Of those under "stream index" the last so many stay. */
export function keep(have, stream, most) {
	const keys = [...have.keys()].filter((key) => key[0] === `${stream}`);
	if (keys.length > most) have.delete(keys[0]);
}

export class Here {
	#have = new Map(); // "stream index" -> revision

	put(stream, index, revision) {
		const key = `${stream} ${index}`;
		this.#have.delete(key);
		this.#have.set(key, revision);
		keep(this.#have, stream, KEPT);
	}

	clear() {
		this.#have.clear();
	}

	has(stream, index) {
		return this.#have.has(`${stream} ${index}`);
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
		const has = (index) => this.has(stream, index);
		while (first < end && has(first)) first++;
		while (end > first && has(end - 1)) end--;
		return [first, end - first];
	}

	/** Blocks of a stretch that are here. */
	within(stream, first, end) {
		return Array.from({ length: end - first }, (_, index) => first + index).filter((index) => this.has(stream, index));
	}
}

const PATIENCE_S = 1; // a change of the plan takes less
const CALM_S = 3;

/** Whether the music that is due is not here: for longer than a change takes, and until it has been here for a while. */
export class Lag {
	#lacking_s = null; // since when it is lacking
	#here_s = null; // since when it is here
	behind = false;

	/** now_s: any clock; here: whether the block under the playhead is; null while nothing plays. */
	watch(now_s, here) {
		if (here === null) [this.#lacking_s, this.#here_s, this.behind] = [null, null, false];
		else if (here) {
			this.#here_s ??= now_s;
			if (!this.behind || now_s - this.#here_s >= CALM_S) [this.#lacking_s, this.behind] = [null, false];
		} else {
			this.#here_s = null;
			this.#lacking_s ??= now_s;
			if (now_s - this.#lacking_s >= PATIENCE_S) this.behind = true;
		}
		return this.behind;
	}
}
