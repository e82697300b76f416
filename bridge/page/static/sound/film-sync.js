// The picture follows the sound. Two elements show the same film: the front one is seen; the back one, under it, waits
// where the sound will be next (a loop's beginning, the place that was just located) and comes to the front when it is
// heard there.

import { clamp } from "../lib/dom.js";

// What is off is made good by speed, and judged again when that has worked: before that it widens the error.
const FRAMES = 9; // the median of these says how far the picture is off
const NEAR_FRAMES = 0.35; // less than this is left
const CATCH_UP = [0.5, 0.1]; // made good in these seconds, with this speed more at most: the film is mute
// Right after a start, or where it begins to be seen: fewer frames have to say so, and it is made good at once.
const FIRST_FRAMES = 3;
const FEW_FRAMES = 2;
const SEEN_FRAMES = 0.6;
const HURRIED = [0.2, 0.3];
const REST_S = 0.2; // after a correction, until its end is seen
const HURRY = 2; // speed of a film that comes too late to where it is wanted
const HURRY_MOST_S = 0.5; // more than this is sought instead
const SEEK_FRAMES = 3;
const SEEK_S = 0.1; // less than this speed makes good sooner than a seek
const FIRST_SEEK_S = 0.12; // before one was measured
const SEEKS = 5; // of these all but the slowest say how long the next one may take
const LOOP_LEAST_S = 0.5; // in shorter loops there is no time to get ready

/** An element and what is known of it. */
class Buffer {
	late = []; // of the frames shown since its speed was changed, seconds
	ready = true; // false while it seeks
	at_s = null; // where it was put, until it plays

	constructor(video, shown) {
		this.video = video;
		this.took_s = [];
		video.addEventListener("seeked", () => {
			if (this.ready) return;
			this.ready = true;
			if (this.#loaded && this.took_s.push((performance.now() - this.#asked) / 1000) > SEEKS) this.took_s.shift();
		});
		if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) this.#watch(shown);
	}

	#asked = 0; // when
	#loaded = false; // was a film there then

	#watch(shown) {
		this.video.requestVideoFrameCallback((now, frame) => {
			shown(this, frame.expectedDisplayTime ?? now, frame.mediaTime);
			this.#watch(shown);
		});
	}

	seek(second, end_s) {
		this.late = [];
		this.ready = false;
		this.#asked = performance.now();
		this.#loaded = this.video.readyState > 0;
		this.at_s = clamp(second, 0, Math.max(0, end_s - 0.001));
		this.video.currentTime = this.at_s;
	}

	play() {
		this.late = [];
		this.video.play().catch(() => {});
	}

	pause() {
		if (!this.video.paused) this.video.pause();
		if (this.video.playbackRate !== 1) this.video.playbackRate = 1;
		this.late = [];
	}

	speed(rate) {
		if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
		this.late = []; // frames of the old speed say nothing of the new one
	}
}

export class FilmSync {
	#front;
	#back = null;
	#spare;
	#next = null; // {loop}: what the back element waits for
	#corrected = 0; // when the last correction was over
	#cost_s = 0.02; // of both changes of speed: the film stands still at each
	#tried = false; // no frame has been judged since a correction
	#start_s = 0.03; // from play() until a film moves, by how late its first frames were
	#first = false; // no frame has been judged since a start
	#until = 0; // until this second the film runs at another speed
	#last = null; // {there_s, time} of the tick before

	/** spare(): a second element of the same film, under the first. turned(front, back): they have changed places. */
	constructor(video, app, { spare, turned = () => {} }) {
		this.app = app;
		this.off_frames = []; // how far each presented frame was off, in frames; for measuring
		this.#spare = spare;
		this.turned = turned;
		this.#front = this.#buffer(video);
	}

	/** The element that is seen. */
	get video() {
		return this.#front.video;
	}

	/** Another film: whatever was waited for is of the old one. */
	renewed() {
		this.#next = this.#last = null;
		for (const buffer of [this.#front, this.#back]) if (buffer) [buffer.ready, buffer.at_s, buffer.late] = [true, null, []];
	}

	#buffer(video) {
		return new Buffer(video, (buffer, at_ms, media_s) => {
			const { app } = this;
			if (buffer !== this.#front || !app.rolling || this.#last === null) return;
			// A frame is right while what is heard lies inside it: half a frame is taken off for its middle.
			const late_s = app.heard_s(at_ms) + this.#offset_s - (media_s + app.frame_s / 2);
			if (!buffer.video.paused && this.#next?.loop !== false && buffer.late.push(late_s) > FRAMES) buffer.late.shift();
			if (this.off_frames.push(late_s * app.fps) > 20000) this.off_frames.splice(0, 10000);
		});
	}

	/** Where the picture's first frame lies on the film's own time line. */
	get #offset_s() {
		return this.app.get("film")?.offset_s ?? 0;
	}

	get #end_s() {
		return this.#front.video.duration || this.app.duration_s;
	}

	/** How long a seek may take until there is a frame. */
	get #lead_s() {
		const { took_s } = this.#back;
		const slow_s = sorted(took_s).at(took_s.length > 2 ? -2 : -1);
		return slow_s === undefined ? FIRST_SEEK_S : clamp(slow_s * 1.1 + this.#start_s, 0.03, 3);
	}

	/** What is heard, and where the transport is, when that which is done now will be seen. At a jump it is there first. */
	tick(heard_s, position_s = heard_s) {
		const { app } = this;
		if (this.#front.video.readyState < 1) return;
		const there_s = (Math.abs(position_s - heard_s) > SEEK_S ? position_s : heard_s) + this.#offset_s;
		if (!app.rolling || there_s >= this.#end_s) return this.#hold(there_s);
		this.#back ??= this.#buffer(this.#spare());
		const time = performance.now() / 1000;
		const began = this.#last === null;
		const gone_s = began ? 0 : time - this.#last.time;
		const jumped = !began && Math.abs(there_s - this.#last.there_s - gone_s) > SEEK_S;
		this.#last = { there_s, time };
		if (began) this.#begin(there_s, time);
		else if (jumped) this.#jump(there_s, time, gone_s);
		else if (this.#next !== null) this.#wait(there_s, time);
		else this.#follow(there_s, time);
		if (this.#next === null || this.#next.loop) this.#get_ready(there_s);
	}

	// standing still
	#hold(there_s) {
		const front = this.#front;
		front.pause();
		this.#back?.pause();
		this.#next = this.#last = null;
		this.#until = 0;
		this.#first = this.#tried = false;
		const { frame_s } = this.app;
		const end_s = this.#end_s;
		const wanted_s = Math.min(there_s, Math.max(0, end_s - frame_s / 2)) + frame_s * 0.1;
		if (front.ready && Math.abs(front.video.currentTime - wanted_s) > frame_s * 0.6) front.seek(wanted_s, end_s);
	}

	#begin(there_s, time) {
		const front = this.#front;
		const behind_s = there_s - front.video.currentTime + this.#start_s;
		if (!front.ready || Math.abs(behind_s) > this.#most_s) return this.#jump(there_s);
		front.play();
		this.#first = true;
		if (behind_s <= this.app.frame_s * NEAR_FRAMES) return;
		front.speed(HURRY);
		this.#until = time + behind_s / (HURRY - 1);
	}

	// going on
	#follow(there_s, time) {
		const { late } = this.#front;
		if (this.#until) {
			if (time < this.#until) return;
			this.#until = 0;
			this.#corrected = time;
			this.#front.speed(1);
			return;
		}
		if (time - this.#corrected < REST_S) late.length = 0;
		const count = this.#first || this.#tried ? FIRST_FRAMES : FEW_FRAMES;
		if (late.length < count) return;
		const late_s = median(late.slice(-count));
		if (this.#tried) this.#cost_s = learnt(this.#cost_s, late_s, 0.01, 0.08);
		this.#tried = false;
		const soon = this.#first || Math.abs(late_s) > this.app.frame_s * SEEN_FRAMES;
		if (this.#first) this.#start_s = learnt(this.#start_s, late_s, 0.02, 0.3);
		this.#first = false;
		if (soon) this.#correct(late_s, time, there_s, HURRIED);
		else if (late.length >= FRAMES) this.#correct(median(late), time, there_s, CATCH_UP);
	}

	/** What is off by more is sought. */
	get #most_s() {
		return Math.max(SEEK_FRAMES * this.app.frame_s, SEEK_S);
	}

	/** Another speed, for as long as it takes to make good what the film is late and what the change itself costs. */
	#correct(late_s, time, there_s, [catch_up_s, most]) {
		if (Math.abs(late_s) > this.#most_s) this.#jump(there_s);
		else if (Math.abs(late_s) > this.app.frame_s * NEAR_FRAMES) {
			const gain_s = late_s + this.#cost_s;
			const faster = clamp(gain_s / catch_up_s, -most, most);
			this.#front.speed(1 + faster);
			this.#until = time + (gain_s / faster || 0);
			this.#tried = true;
		}
	}

	// jumps
	/** No frame has to say so first. */
	#jump(there_s, time = 0, gone_s = 0) {
		const back = this.#back;
		this.#until = 0;
		if (this.#next?.loop && back.ready && Math.abs(there_s - back.at_s) < gone_s + this.app.frame_s) return this.#turn();
		this.#front.pause(); // what it shows is of elsewhere
		back.pause();
		back.seek(there_s + this.#lead_s, this.#end_s);
		this.#next = { loop: false };
	}

	/** Until the back element has its frame and that is heard. */
	#wait(there_s, time) {
		const buffer = this.#back;
		const { loop } = this.#next;
		const due_s = loop ? this.#loop?.[1] : buffer.at_s;
		if (due_s === undefined || (loop && there_s > due_s + 0.05)) {
			// The loop was switched off.
			this.#next = buffer.at_s = null;
			return buffer.pause();
		}
		if (loop) this.#follow(there_s, time);
		if (!buffer.ready) return;
		const left_s = due_s - there_s;
		if (buffer.video.paused) {
			if (left_s > this.#start_s) return;
			buffer.play();
			// Too late to where it is wanted: it catches up before it is seen.
			const behind_s = loop ? 0 : this.#start_s - left_s;
			if (behind_s > HURRY_MOST_S) this.#jump(there_s);
			else if (behind_s > this.#start_s + this.app.frame_s * NEAR_FRAMES) {
				buffer.speed(HURRY);
				this.#until = time + this.#start_s + behind_s / (HURRY - 1);
			}
		} else if (loop) return;
		else if (this.#until) {
			if (time >= this.#until) this.#turn();
		} else if (left_s <= 0) this.#turn();
	}

	/** Back and front change places. */
	#turn() {
		this.#next = null;
		this.#until = 0;
		[this.#front, this.#back] = [this.#back, this.#front];
		this.#back.pause();
		this.#back.at_s = null;
		this.turned(this.#front.video, this.#back.video);
		if (this.#front.video.paused) this.#front.play();
		this.#front.speed(1);
		this.#first = true;
		this.#tried = false;
		this.#corrected = 0;
	}

	/** `[from, to]` where a loop is on, on the film's own time line. */
	get #loop() {
		const { loop } = this.app;
		return loop !== null && loop[1] - loop[0] >= LOOP_LEAST_S ? loop.map((second) => second + this.#offset_s) : null;
	}

	/** Puts the back element where the loop begins. */
	#get_ready(there_s) {
		const loop = this.#loop;
		if (loop === null || there_s >= loop[1]) {
			if (this.#next?.loop) this.#next = null;
			return;
		}
		if (this.#next !== null && Math.abs(this.#back.at_s - loop[0]) < 1e-6) return;
		this.#back.pause();
		this.#back.seek(loop[0], this.#end_s);
		this.#next = { loop: true };
	}
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];
/** What something takes, after it came out so late once more: half of that, a step at most. */
const learnt = (known_s, late_s, step_s, most_s) => clamp(known_s + clamp(late_s / 2, -step_s, step_s), 0, most_s);
