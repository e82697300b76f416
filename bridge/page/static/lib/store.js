// The page's picture of the session: named values, and who wants to know when one of them changes.

/**
 * Values under keys. Keys that begin with a slash are addresses of the controls table and hold argument lists; the
 * others hold what the bridge sends in one piece. Listeners get the set of keys that changed.
 */
export class Store {
	#values = new Map();
	#listeners = new Set();
	#changed = new Set();
	#waiting = false;

	get(key, otherwise = undefined) {
		return this.#values.has(key) ? this.#values.get(key) : otherwise;
	}

	/** First argument that an address holds. */
	value(address, otherwise = undefined) {
		const args = this.#values.get(address);
		return args === undefined || args.length === 0 ? otherwise : args[0];
	}

	set(key, value) {
		this.#values.set(key, value);
		this.touch(key);
	}

	/** Says that what a key holds has changed in place. */
	touch(key) {
		this.#changed.add(key);
		if (this.#waiting) return;
		this.#waiting = true;
		queueMicrotask(() => this.#tell());
	}

	/** Calls `listener(changed)` after any of the keys has changed; a key that ends in `*` stands for its beginning. Returns what ends that. */
	on(keys, listener) {
		const entry = { exact: new Set(keys.filter((key) => !key.endsWith("*"))), heads: keys.filter((key) => key.endsWith("*")).map((key) => key.slice(0, -1)), listener };
		this.#listeners.add(entry);
		listener(new Set(keys));
		return () => this.#listeners.delete(entry);
	}

	#tell() {
		this.#waiting = false;
		const changed = this.#changed;
		this.#changed = new Set();
		for (const { exact, heads, listener } of [...this.#listeners]) {
			let wanted = false;
			for (const key of changed) {
				if (exact.has(key) || heads.some((head) => key.startsWith(head))) {
					wanted = true;
					break;
				}
			}
			if (!wanted) continue;
			try {
				listener(changed);
			} catch (error) {
				reportError(error);
			}
		}
	}
}
