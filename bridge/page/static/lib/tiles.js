// What comes over HTTP in pieces.

export const TILE_S = 10;
export const PARTS = ["pad", "arp", "bass", "melody", "drums"];
const KEPT_NOTES = 400;
const KEPT_PICTURES = 120; // of 0.2 MB; a window shows at most a hundred
const AT_ONCE = 4;

/** Keeps the pieces last used; `arrived(kind, index)` says that one is here. */
export class Tiles {
	#notes = new Map();
	#revisions = new Map();
	#pictures = new Map();
	#asked = new Set();
	#queue = [];
	#running = 0;
	#lost = [];

	constructor(arrived) {
		this.arrived = arrived;
		this.film = "";
		this.revision = -1;
		this.counts = null;
		this.peaks = null;
		this.motion = null;
		this.mood = null;
	}

	/** Everything is new: the whole plan has one revision. */
	set_plan(revision) {
		if (revision === this.revision) return;
		this.#revisions.clear();
		this.#newer(revision, () => true);
	}

	/** Some tiles have a newer revision; the old notes stay drawn until the new ones are here. */
	change_plan(revision, tiles) {
		for (const index of tiles) this.#revisions.set(index, revision);
		this.#newer(revision, (index) => tiles.includes(index));
	}

	#newer(revision, touched) {
		const first = this.revision < 0;
		this.revision = revision;
		this.#queue = this.#queue.filter(({ kind, index }) => kind !== "notes" || !touched(index));
		for (const key of [...this.#asked]) if (key.startsWith("notes") && touched(Number(key.slice(5)))) this.#asked.delete(key);
		this.base = first || touched(-1) ? revision : this.base;
		this.#load_counts();
	}

	/** The connection is back: what did not come is asked for again where it is still wanted. */
	reconnected() {
		for (const { kind, index, key } of this.#lost.splice(0)) {
			this.#asked.delete(key);
			this.arrived(kind, index);
		}
	}

	set_film(id, end_s) {
		this.end_s = end_s;
		if (id === this.film) return;
		this.film = id;
		for (const picture of this.#pictures.values()) picture?.close();
		this.#notes.clear();
		this.#pictures.clear();
		this.#asked.clear();
		this.#queue = [];
		this.counts = this.peaks = this.motion = this.mood = null;
		// These may have come before the film's id.
		if (this.revision >= 0) this.#load_counts();
		if (this.mood_is > 0) this.load_mood(this.mood_is);
	}

	revision_of(index) {
		return this.#revisions.get(index) ?? this.base;
	}

	/** Notes that sound in a tile, and its controllers: `{revision, start, length, part, pitch, velocity, n, controllers}`; null: on their way. */
	notes(index) {
		const found = this.#notes.get(index);
		if (found !== undefined) {
			this.#notes.delete(index);
			this.#notes.set(index, found);
		}
		if (found === undefined || found.revision !== this.revision_of(index)) this.#ask("notes", index);
		return found ?? null;
	}

	/** Notes of a tile where they are here in their newest revision; nothing is asked for. */
	newest(index) {
		const found = this.#notes.get(index);
		return found !== undefined && found.revision === this.revision_of(index) ? found : null;
	}

	/** An ImageBitmap of ten thumbnails side by side, one a second; null: on its way or none. */
	pictures(index) {
		const found = this.#pictures.get(index);
		if (found === undefined) this.#ask("pictures", index);
		else if (found !== null) {
			this.#pictures.delete(index);
			this.#pictures.set(index, found);
		}
		return found ?? null;
	}

	#ask(kind, index) {
		const key = `${kind}${index}`;
		if (this.#asked.has(key) || (kind === "notes" ? this.revision < 0 : this.film === "")) return;
		this.#asked.add(key);
		this.#queue.push({ kind, index, key });
		this.#next();
	}

	#next() {
		// The newest first: what somebody looks at now, not what they scrolled past.
		while (this.#running < AT_ONCE && this.#queue.length) {
			const { kind, index, key } = this.#queue.pop();
			this.#running++;
			const loading = kind === "notes" ? this.#load_notes(index) : this.#load_pictures(index);
			loading
				.catch((error) => {
					if (error instanceof TypeError) this.#lost.push({ kind, index, key }); // the connection is gone
					else setTimeout(() => (this.#asked.delete(key), this.arrived(kind, index)), kind === "notes" ? 300 : 1000);
				})
				.then(() => {
					this.#running--;
					this.#next();
				});
		}
	}

	async #load_notes(index) {
		const wanted = this.revision_of(index);
		const response = await fetch(`/notes/${wanted}/${index}.bin`);
		if (!response.ok && this.revision_of(index) !== wanted) return;
		if (!response.ok) throw new Error(String(response.status));
		const tile = readNotes(await response.arrayBuffer());
		tile.revision = wanted;
		this.#keep("notes", this.#notes, KEPT_NOTES, index, tile);
	}

	#keep(kind, kept, most, index, piece) {
		kept.set(index, piece);
		while (kept.size > most) {
			const oldest = kept.keys().next().value;
			kept.get(oldest)?.close?.();
			kept.delete(oldest);
			this.#asked.delete(kind + oldest);
		}
		this.arrived(kind, index);
	}

	async #load_pictures(index) {
		const film = this.film;
		const response = await fetch(`/film/${film}/thumbnails/${index}.jpg`);
		// Inside the film a picture that is not there yet is on its way.
		if (!response.ok && (response.status !== 404 || index * TILE_S < this.end_s)) throw new Error(String(response.status));
		const picture = response.ok ? await createImageBitmap(await response.blob()) : null;
		if (film !== this.film) return;
		this.#keep("pictures", this.#pictures, KEPT_PICTURES, index, picture);
	}

	async #load_counts() {
		const { revision } = this;
		const data = await this.#load(`/notes/${revision}/counts.bin`);
		if (data === null || revision !== this.revision) return;
		this.counts = readCounts(data);
		this.arrived("counts", -1);
	}

	/** "peaks" or "motion" of the film. */
	async load_film(kind) {
		const film = this.film;
		const data = await this.#load(`/film/${film}/${kind}.bin`);
		if (film !== this.film) return;
		if (data === null) {
			setTimeout(() => film === this.film && this[kind] === null && this.load_film(kind), 2000);
			return;
		}
		this[kind] = kind === "peaks" ? readPeaks(data) : new Float32Array(data);
		this.arrived(kind, -1);
	}

	async load_mood(revision) {
		this.mood_is = revision;
		const data = await this.#load(`/mood/${revision}.bin`);
		if (data === null || revision !== this.mood_is) return;
		this.mood = readMood(data);
		this.arrived("mood", -1);
	}

	async #load(address) {
		try {
			const response = await fetch(address);
			return response.ok ? await response.arrayBuffer() : null;
		} catch {
			return null; // the connection is gone; the state that follows asks again
		}
	}
}

/** A tile of notes: header of four 32-bit integers, then 12 bytes a note. Starts become picture seconds. */
export function readNotes(data) {
	const view = new DataView(data);
	const revision = view.getUint32(0, true);
	const first_s = view.getUint32(4, true) * TILE_S;
	const count = view.getUint32(8, true);
	const start = new Float64Array(count);
	const length = new Float32Array(count);
	const part = new Uint8Array(count);
	const pitch = new Uint8Array(count);
	const velocity = new Uint8Array(count);
	for (let index = 0, at = 16; index < count; index++, at += 12) {
		start[index] = first_s + view.getFloat32(at, true);
		length[index] = view.getFloat32(at + 4, true);
		part[index] = view.getUint8(at + 8);
		pitch[index] = view.getUint8(at + 9);
		velocity[index] = view.getUint8(at + 10);
	}
	const controllers = []; // [picture second, part, number, value]
	for (let left = view.getUint32(12, true), at = 16 + count * 12; left > 0; left--, at += 8) {
		controllers.push([first_s + view.getFloat32(at, true), view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6)]);
	}
	return { revision, n: count, start, length, part, pitch, velocity, controllers };
}

/** Notes that begin in each second, of each part: `{seconds, parts, total, range(part), at(second, part)}`. */
function readCounts(data) {
	const view = new DataView(data);
	const seconds = view.getUint32(4, true);
	const parts = view.getUint32(8, true);
	const ranges = new Uint8Array(data, 16, parts * 2);
	const cells = new Uint8Array(data, 16 + parts * 2 + 2, seconds * parts);
	return {
		seconds,
		parts,
		total: view.getUint32(12, true),
		range: (part) => (ranges[part * 2] === 255 ? null : [ranges[part * 2], ranges[part * 2 + 1]]),
		at: (second, part) => cells[second * parts + part] ?? 0,
	};
}

/** Peak and RMS of the film's sound, 0 to 1. */
function readPeaks(data) {
	const view = new DataView(data);
	const hz = view.getUint32(0, true);
	const pairs = view.getUint32(4, true);
	const bytes = new Uint8Array(data, 8, pairs * 2);
	return { hz, pairs, peak: (index) => (bytes[index * 2] ?? 0) / 255, rms: (index) => (bytes[index * 2 + 1] ?? 0) / 255 };
}

/** Rows of `{start_s, end_s, seen[6], steered[6]}`. */
function readMood(data) {
	const floats = new Float32Array(data);
	const rows = [];
	for (let at = 0; at + 14 <= floats.length; at += 14) {
		rows.push({ start_s: floats[at], end_s: floats[at + 1], seen: floats.slice(at + 2, at + 8), steered: floats.slice(at + 8, at + 14) });
	}
	return rows;
}
