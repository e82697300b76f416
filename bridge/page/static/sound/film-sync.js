// The picture follows the sound: changes of speed while it is near, a seek beyond.

import { clamp } from "../lib/dom.js";

const FRAMES = 9; // the median of these says how far the picture is off
const CORRECT_S = 0.5; // corrections at most this often: more of them widen the error
const CATCH_UP_S = 0.7; // what is off is made good in this time
const MOST = 0.1; // of speed: the film is mute, nobody hears it
const NEAR_FRAMES = 0.35;
// How long a start or a seek takes is known only afterwards: what it is off is made good at once.
const FIRST_FRAMES = 3;
const FIRST_CATCH_UP_S = 0.2;
const FIRST_MOST = 0.3;
const SEEK_FRAMES = 3;
const SEEK_S = 0.1; // less than this speed makes good sooner than a seek

export class FilmSync {
	#late = [];
	#corrected = 0;
	#seeking = 0;
	#seek_s = 0.06; // what a seek takes until its first frame is shown, by how late that was
	#starting = false;
	#first = null; // "start" or "seek": no frame has been judged since
	#catching_up = 0; // until this second the film runs at another speed
	#last = null; // {there_s, time} of the tick before

	constructor(video, app) {
		this.video = video;
		this.app = app;
		this.off_frames = []; // how far each presented frame was off, in frames; for measuring
		video.addEventListener("seeked", () => {
			if (!this.#seeking) return;
			this.#seeking = 0;
			this.#first = "seek";
			this.#late = [];
		});
		if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) this.#watch();
	}

	#watch() {
		this.video.requestVideoFrameCallback((now, frame) => {
			const heard_s = this.app.heard_s(frame.expectedDisplayTime ?? now);
			if (this.app.rolling && !this.video.paused && !this.#seeking) {
				// A frame is right while what is heard lies inside it: half a frame is taken off for its middle.
				const late_s = heard_s + this.#offset_s - (frame.mediaTime + this.app.frame_s / 2);
				this.#late.push(late_s);
				if (this.#late.length > FRAMES) this.#late.shift();
				this.off_frames.push(late_s * this.app.fps);
				if (this.off_frames.length > 20000) this.off_frames.splice(0, 10000);
			}
			this.#watch();
		});
	}

	/** Where the picture's first frame lies on the film's own time line. */
	get #offset_s() {
		return this.app.get("film")?.offset_s ?? 0;
	}

	#seek(second) {
		this.#seeking = performance.now();
		this.#late = [];
		const last = Math.max(0, (this.video.duration || this.app.duration_s) - 0.001);
		this.video.currentTime = Math.min(Math.max(0, second), last);
	}

	tick(heard_s) {
		const { video, app } = this;
		if (video.readyState < 1) return;
		const there_s = heard_s + this.#offset_s;
		const end_s = video.duration || app.duration_s;
		if (!app.rolling || there_s >= end_s) {
			if (!video.paused) video.pause();
			this.#starting = false;
			this.#first = null;
			this.#catching_up = 0;
			this.#last = null;
			const wanted = Math.min(there_s, Math.max(0, end_s - app.frame_s / 2)) + app.frame_s * 0.1;
			if (!this.#seeking && Math.abs(video.currentTime - wanted) > app.frame_s * 0.6) this.#seek(wanted);
			return;
		}
		if (video.paused && !this.#starting) {
			this.#starting = true;
			this.#first = "start";
			this.#late = [];
			if (Math.abs(video.currentTime - there_s) > app.frame_s * SEEK_FRAMES) this.#seek(there_s + this.#seek_s);
			video.playbackRate = 1;
			video.play().catch(() => (this.#starting = false));
			return;
		}
		const time = performance.now() / 1000;
		const jumped = this.#last !== null && Math.abs(there_s - this.#last.there_s - (time - this.#last.time)) > SEEK_S;
		this.#last = { there_s, time };
		if (jumped) {
			// A locate or a loop: no frame has to say so first.
			this.#corrected = time;
			this.#run_at(1);
			this.#seek(there_s + this.#seek_s);
			return;
		}
		if (this.#catching_up) {
			if (time >= this.#catching_up) this.#run_at(1);
			return;
		}
		if (this.#first !== null && !this.#seeking && this.#late.length >= FIRST_FRAMES) {
			this.#catch_up(median(this.#late), time, there_s);
			return;
		}
		if (this.#seeking || this.#late.length < FRAMES || time - this.#corrected < CORRECT_S) return;
		this.#corrected = time;
		this.#correct(median(this.#late), there_s);
	}

	#run_at(rate, until = 0) {
		this.video.playbackRate = rate;
		this.#catching_up = until;
		this.#late = []; // frames of the old speed say nothing of the new one
	}

	/** The first correction after a start or a seek: as long as it takes, and no longer. */
	#catch_up(late_s, time, there_s) {
		if (this.#first === "seek") this.#seek_s = clamp(this.#seek_s + late_s / 2, 0, 1);
		this.#first = null;
		this.#corrected = time;
		if (Math.abs(late_s) > this.#most_s) this.#correct(late_s, there_s);
		else if (Math.abs(late_s) > this.app.frame_s * NEAR_FRAMES) {
			const faster = clamp(late_s / FIRST_CATCH_UP_S, -FIRST_MOST, FIRST_MOST);
			this.#run_at(1 + faster, time + late_s / faster);
		}
	}

	/** What is off by more is sought. */
	get #most_s() {
		return Math.max(SEEK_FRAMES * this.app.frame_s, SEEK_S);
	}

	#correct(late_s, there_s) {
		const { video, app } = this;
		if (Math.abs(late_s) > this.#most_s) {
			this.#seek(there_s + this.#seek_s);
			this.#run_at(1);
			return;
		}
		const near = Math.abs(late_s) <= app.frame_s * NEAR_FRAMES;
		const rate = near ? 1 : 1 + clamp(late_s / CATCH_UP_S, -MOST, MOST);
		if (Math.abs(rate - video.playbackRate) < 0.002) return;
		this.#run_at(rate);
	}
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
