// How loud takes are against one another, so that A/B compares music and not levels.

// K-weighting at 48 kHz: ITU-R BS.1770-4, annex 1, tables 1 and 2.
const STAGES = [
	{ b: [1.53512485958697, -2.69169618940638, 1.19839281085285], a: [-1.69065929318241, 0.73248077421585] },
	{ b: [1, -2, 1], a: [-1.99004745483398, 0.99007225036621] },
];
const ABSOLUTE_LUFS = -70;
const RELATIVE_LU = -10;

const lufs = (power) => -0.691 + 10 * Math.log10(Math.max(power, 1e-12));

/** K-weighted power of a block of parts (name -> Int16Array, left and right in turn), both channels together. */
export function weighted_power(parts, unit) {
	const most = Math.max(0, ...[...parts.values()].map((samples) => samples.length));
	if (most === 0) return 0;
	let sum = 0;
	for (const side of [0, 1]) {
		const state = STAGES.map(() => [0, 0]);
		for (let index = side; index < most; index += 2) {
			let value = 0;
			for (const samples of parts.values()) value += samples[index] ?? 0;
			value *= unit;
			for (let stage = 0; stage < STAGES.length; stage++) {
				const { b, a } = STAGES[stage];
				const kept = state[stage];
				const out = b[0] * value + kept[0];
				kept[0] = b[1] * value - a[0] * out + kept[1];
				kept[1] = b[2] * value - a[1] * out;
				value = out;
			}
			sum += value * value;
		}
	}
	return sum / (most / 2);
}

/** Loudness of blocks by their power, LUFS, gated as integrated loudness is; null: silence. */
export function loudness(powers) {
	const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
	const loud = powers.filter((power) => lufs(power) > ABSOLUTE_LUFS);
	if (!loud.length) return null;
	const least = lufs(mean(loud)) + RELATIVE_LU;
	return lufs(mean(loud.filter((power) => lufs(power) > least)));
}

/** What is known of the loudness of each take, block by block of the film. */
export class Levels {
	#powers = new Map(); // take -> Map(block -> power)

	put(take, index, power) {
		if (!this.#powers.has(take)) this.#powers.set(take, new Map());
		this.#powers.get(take).set(index, power);
	}

	/** A take was changed from a block on. */
	forget(take, from = 0) {
		for (const index of this.#powers.get(take)?.keys() ?? []) if (index >= from) this.#powers.get(take).delete(index);
	}

	clear() {
		this.#powers.clear();
	}

	/** Loudness of two takes over the blocks that are known of both: `[LUFS, LUFS, blocks]`; null where there is none. */
	pair(one, other) {
		const [ours, theirs] = [this.#powers.get(one), this.#powers.get(other)];
		if (ours === undefined || theirs === undefined) return null;
		const common = [...ours.keys()].filter((index) => theirs.has(index));
		const found = [ours, theirs].map((powers) => loudness(common.map((index) => powers.get(index))));
		return found.includes(null) ? null : [...found, common.length];
	}

	/** The factor for a take that makes it no louder than the other: the louder one is turned down, none up. */
	gain(take, other) {
		const found = this.pair(take, other);
		return found === null ? 1 : Math.min(1, 10 ** ((found[1] - found[0]) / 20));
	}
}
