// Adds up blocks of parts as the bridge's renderer made them: levels, cross-fades, limiter.
//
// A block that is no longer referred to is given back by the browser, which counts what it holds. Detached here it would
// no longer be counted, yet be held as long as the message that it came in: a megabyte for each second of play.

import { KEPT, keep } from "./here.js";

export const RATE = 48000;
export const BLOCK = 24000; // samples of a block: half a second
export const FADE = 480; // samples of a cross-fade: 10 ms
const JUMP = 0.03 * RATE; // a clock that is further off than this is jumped to
const MOST_RATE = 0.001; // speed follows the clock within 0.1 %
const STEER_FROM = 0.002 * RATE;
const STEER_TO = 0.0003 * RATE;

/**
 * The sum of all parts at any place. Positions are samples from the picture's first frame.
 * `render(left, right, count)` writes what is heard next; silent where a block is not here yet.
 */
export class Mixer {
	constructor({ scale = 4 } = {}) {
		this.unit = scale / 32767;
		this.blocks = new Map(); // "stream index" -> {revision, parts: Map(name -> Int16Array), before, level, rises_from}
		this.gains = new Map(); // name -> {now, goal}
		this.position = 0;
		this.rolling = false;
		this.loop = null; // [from, to] in samples
		this.rate = 1;
		this.fading = null; // {position, rate, left, gone: what it fades from}
		this.jumped = false; // until somebody has read it
		this.level = 0; // 0 silent, 1 rolling: start and stop have a fade too
		this.limiter = new Limiter();
		this.changing = null; // {stream, index, old, left}: a block that was replaced while it sounded
	}

	/** parts: name -> Int16Array, left and right in turn; none: silence. level: a factor for all of them. */
	put(stream, index, revision, parts, level = 1) {
		const key = `${stream} ${index}`;
		const before = this.blocks.get(key);
		if (before) before.before = null; // never more than one: where nothing is played, all changes would add up
		const entry = { revision, parts, before: null, level, rises_from: this.blocks.get(`${stream} ${index - 1}`)?.level ?? level };
		if (before !== undefined && (before.revision !== revision || before.level !== level)) {
			if (this.rolling && index === Math.floor(this.position / BLOCK)) this.#change_from(before, key);
			else entry.before = before;
		}
		this.blocks.delete(key);
		this.blocks.set(key, entry);
		keep(this.blocks, stream, KEPT + 10); // more than the page believes to be here
	}

	/** Fades from an old block into the one under that key; null: into none. */
	#change_from(old, key = "") {
		this.changing = old === null ? null : { key, old, left: FADE };
	}

	set_gain(name, gain) {
		const known = this.gains.get(name);
		if (known === undefined || this.level === 0) this.gains.set(name, { now: gain, goal: gain, step: 0 });
		else this.gains.set(name, { now: known.now, goal: gain, step: (gain - known.now) / FADE });
	}

	start(position) {
		this.jump(position);
		this.rolling = true;
	}

	stop() {
		this.rolling = false;
	}

	jump(position) {
		if (this.level > 0) this.fading = { position: this.position, rate: this.rate, left: FADE };
		this.position = position;
		this.rate = 1;
		this.#change_from(null);
		this.jumped = true;
	}

	/** Where the bridge's clock says that we are; steers the speed, or jumps. */
	steer(expected) {
		const { loop, position } = this;
		let error = expected - position;
		if (loop !== null && [expected, position].every((place) => place >= loop[0] && place < loop[1])) {
			// The end of a loop is beside its beginning: it is no matter who comes round first.
			const length = loop[1] - loop[0];
			if (Math.abs(error) > length / 2) error -= Math.sign(error) * length;
		}
		if (Math.abs(error) > JUMP) this.jump(Math.round(expected));
		else if (Math.abs(error) > STEER_FROM) this.rate = 1 + Math.sign(error) * MOST_RATE;
		else if (this.rate !== 1 && Math.abs(error) < STEER_TO) {
			// Whole samples again, so that what is heard is what was rendered; half a sample is faded over.
			this.jump(Math.round(this.position));
		}
	}

	#gain(name) {
		let gain = this.gains.get(name);
		if (gain === undefined) this.gains.set(name, (gain = { now: 1, goal: 1, step: 0 }));
		return gain;
	}

	/** Adds `count` samples from `position` on to left and right; whole samples at rate 1, else between them. */
	#add(left, right, at, position, rate, count, from_gain, to_gain) {
		const slope = (to_gain - from_gain) / count;
		let done = 0;
		while (done < count) {
			const here = position + done * rate;
			const index = Math.floor(here / BLOCK);
			const until = rate === 1 ? (index + 1) * BLOCK - here : Math.ceil(((index + 1) * BLOCK - here) / rate);
			const piece = Math.max(1, Math.min(count - done, Math.ceil(until)));
			for (const stream of [1, 2]) {
				const entry = this.blocks.get(`${stream} ${index}`);
				if (entry) this.#add_block(entry, left, right, at + done, here - index * BLOCK, rate, piece, from_gain + slope * done, slope);
			}
			done += piece;
		}
	}

	#add_block(entry, left, right, at, offset, rate, count, gain0, slope) {
		for (const [name, samples] of entry.parts) {
			const gain = this.#gain(name);
			const { step } = gain;
			if (gain.now === 0 && gain.goal === 0) continue;
			for (let index = 0; index < count; index++) {
				const part = step === 0 ? gain.now : between(gain.now + step * (index + at), gain.now, gain.goal);
				const exact = offset + index * rate;
				const level = exact < FADE ? entry.rises_from + ((entry.level - entry.rises_from) * exact) / FADE : entry.level;
				const factor = (gain0 + slope * index) * part * this.unit * level;
				const whole = Math.floor(exact);
				const rest = exact - whole; // 0 at rate 1: the very sample
				const place = Math.max(0, whole) * 2;
				const next = Math.min(place + 2, samples.length - 2);
				if (place + 1 >= samples.length) break;
				left[at + index] += (samples[place] * (1 - rest) + samples[next] * rest) * factor;
				right[at + index] += (samples[place + 1] * (1 - rest) + samples[next + 1] * rest) * factor;
			}
		}
	}

	/** Writes the next `count` samples (at most 480) into two Float32Arrays. */
	render(left, right, count) {
		left.fill(0, 0, count);
		right.fill(0, 0, count);
		let done = 0;
		while (done < count) done += this.#piece(left, right, done, count - done);
		for (const gain of this.gains.values()) {
			if (gain.step === 0) continue;
			gain.now = between(gain.now + gain.step * count, gain.now, gain.goal);
			if (gain.now === gain.goal) gain.step = 0;
		}
		this.limiter.process(left, right, count);
	}

	/** A piece in which nothing begins or ends; returns its length. */
	#piece(left, right, at, most) {
		const goal = this.rolling ? 1 : 0;
		if (this.level === 0 && goal === 0 && this.fading === null) return most;
		let count = most;
		if (this.fading !== null) count = Math.min(count, this.fading.left);
		if (this.level !== goal) count = Math.min(count, Math.max(1, Math.ceil(Math.abs(goal - this.level) * FADE)));
		if (this.changing !== null) count = Math.min(count, this.changing.left);
		const [from, to] = this.loop ?? [0, Infinity];
		const loops = this.rolling && this.loop !== null && this.position < to; // beyond its end one plays on
		if (loops) count = Math.min(count, Math.max(1, Math.ceil((to - this.position) / this.rate)));
		const border = (Math.floor(this.position / BLOCK) + 1) * BLOCK - this.position;
		count = Math.max(1, Math.min(count, Math.ceil(border / this.rate)));
		const level_to = this.level + Math.sign(goal - this.level) * Math.min(Math.abs(goal - this.level), count / FADE);
		const rising = this.fading === null ? [1, 1] : [1 - this.fading.left / FADE, 1 - (this.fading.left - count) / FADE];
		if (this.changing !== null) this.#change(left, right, at, count, level_to);
		else this.#add(left, right, at, this.position, this.rate, count, this.level * rising[0], level_to * rising[1]);
		if (this.fading !== null) {
			this.#add(left, right, at, this.fading.position, this.fading.rate, count, 1 - rising[0], 1 - rising[1]);
			this.fading.position += count * this.fading.rate;
			this.fading.left -= count;
			if (this.fading.left <= 0) this.fading = null;
		}
		this.level = level_to;
		if (this.rolling || this.level > 0) this.position += count * this.rate;
		this.#border();
		if (loops && this.position >= to) this.jump(from + (this.position - to));
		return count;
	}

	/** At the first sample of a block that was replaced, what went before still fades out of the old one. */
	#border() {
		if (this.changing !== null || this.position % BLOCK >= 1) return;
		const index = Math.floor(this.position / BLOCK);
		for (const stream of [1, 2]) {
			const key = `${stream} ${index}`;
			const entry = this.blocks.get(key);
			if (entry?.before == null) continue;
			const last = this.blocks.get(`${stream} ${index - 1}`);
			if (last !== undefined && last.revision !== entry.revision) this.#change_from(entry.before, key);
			entry.before = null;
		}
	}

	#change(left, right, at, count, level_to) {
		const { key, old } = this.changing;
		const fresh = this.blocks.get(key);
		const from = 1 - this.changing.left / FADE;
		const to = 1 - (this.changing.left - count) / FADE;
		const mean = (this.level + level_to) / 2;
		const index = Number(key.split(" ")[1]);
		const add = (entry, gain, slope) => entry && this.#add_block(entry, left, right, at, this.position - index * BLOCK, this.rate, count, gain, slope);
		for (const stream of [1, 2]) {
			const each = `${stream} ${index}`;
			if (each !== key) add(this.blocks.get(each), mean, 0);
		}
		add(fresh, mean * from, (mean * (to - from)) / count);
		add(old, mean * (1 - from), (mean * (from - to)) / count);
		this.changing.left -= count;
		if (this.changing.left <= 0) this.#change_from(null);
	}
}

function between(value, from, to) {
	return from < to ? Math.min(value, to) : Math.max(value, to);
}

const AHEAD = 240;
const TAPS = 8;

/** Windowed sincs for the points a quarter, a half and three quarters after a sample (ITU-R BS.1770-4, annex 2). */
function interpolators() {
	const bessel = (x) => {
		let [sum, term] = [1, 1];
		for (let k = 1; k < 25; k++) sum += term *= (x / (2 * k)) ** 2;
		return sum;
	};
	return [0.25, 0.5, 0.75].map((offset) => {
		const taps = new Float32Array(2 * TAPS);
		let sum = 0;
		for (let index = 0; index < taps.length; index++) {
			const x = index - TAPS + 1 - offset;
			const window = bessel(7 * Math.sqrt(Math.max(0, 1 - (index / TAPS - 1) ** 2))) / bessel(7);
			taps[index] = (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)) * window;
			sum += taps[index];
		}
		return taps.map((tap) => tap / sum);
	});
}

/**
 * True-peak limiter at −1 dBTP, 5 ms of look-ahead, recovery at 40 dB a second: the law of engine/sound/limiter.py.
 * Where nothing is near the ceiling the sound passes as it is, `delay` samples late.
 */
export class Limiter {
	constructor(ceiling_dbtp = -1) {
		this.delay = AHEAD + TAPS;
		this.ceiling = 10 ** ((ceiling_dbtp - 0.25) / 20);
		this.size = 1024;
		this.left = new Float32Array(this.size);
		this.right = new Float32Array(this.size);
		this.needed = new Float32Array(this.size).fill(1); // least gain of each sample
		this.held = new Float32Array(this.size).fill(1); // after look-ahead and recovery
		this.at = 0;
		this.loud = -1; // until here something near is within 6 dB of the ceiling
		this.busy = 0; // samples for which a gain below 1 may still be about
		this.sum = AHEAD; // of the held gains of the last 5 ms
		this.recover = 10 ** (40 / RATE / 20);
		this.last = 1;
		this.taps = interpolators();
	}

	process(left, right, count) {
		const mask = this.size - 1;
		for (let index = 0; index < count; index++) {
			const now = this.at++;
			this.left[now & mask] = left[index];
			this.right[now & mask] = right[index];
			if (Math.max(Math.abs(left[index]), Math.abs(right[index])) * 2 >= this.ceiling) this.loud = now + 2 * TAPS;
			// The peak at the sample TAPS ago is known now that its neighbours are.
			const peak_at = now - TAPS;
			const peak = this.#peak(peak_at, mask);
			const gain = peak > this.ceiling ? this.ceiling / peak : 1;
			this.needed[peak_at & mask] = gain;
			if (gain < 1 && this.busy === 0) this.busy = this.size;
			const out = now - this.delay;
			const factor = this.busy > 0 ? this.#smoothed(out, mask) : 1;
			left[index] = this.left[out & mask] * factor;
			right[index] = this.right[out & mask] * factor;
		}
	}

	#peak(at, mask) {
		let peak = Math.max(Math.abs(this.left[at & mask]), Math.abs(this.right[at & mask]));
		if (at + TAPS > this.loud) return peak; // nothing near is loud enough to be above the ceiling between samples
		for (const side of [this.left, this.right]) {
			for (const taps of this.taps) {
				let sum = 0;
				for (let tap = 0; tap < 2 * TAPS; tap++) sum += taps[tap] * side[(at - TAPS + 1 + tap) & mask];
				peak = Math.max(peak, Math.abs(sum));
			}
		}
		return peak;
	}

	/** Mean over 5 ms of the least gain that the 5 ms after need: it is down before the peak comes. */
	#smoothed(out, mask) {
		let least = 1;
		for (let ahead = 0; ahead <= AHEAD; ahead++) least = Math.min(least, this.needed[(out + ahead) & mask]);
		this.last = Math.min(least, Math.min(1, this.last * this.recover));
		this.sum += this.last - this.held[(out - AHEAD) & mask];
		this.held[out & mask] = this.last;
		if (this.last < 1) this.busy = this.size;
		else if (--this.busy === 0) {
			this.sum = AHEAD;
			this.held.fill(1);
		}
		return this.sum / AHEAD;
	}
}
