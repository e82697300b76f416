// The picture follows the sound: small changes of speed inside three frames, a seek beyond them.

const FRAMES = 9; // the median of these says how far the picture is off
const CORRECT_S = 0.5; // corrections at most this often: more of them widen the error
const MOST = 0.02; // of speed
const SEEK_FRAMES = 3;

export class FilmSync {
	#late = [];
	#corrected = 0;
	#seeking = 0;
	#seek_s = 0.06; // what a seek takes, as measured
	#starting = false;
	#stopped_at = null;
	#lost_s = 0;

	constructor(video, app) {
		this.video = video;
		this.app = app;
		this.off_frames = []; // how far each presented frame was off, in frames; for measuring
		video.addEventListener("seeked", () => {
			if (!this.#seeking) return;
			const took_s = (performance.now() - this.#seeking) / 1000;
			this.#seek_s = 0.7 * this.#seek_s + 0.3 * Math.min(took_s, 1);
			this.#seeking = 0;
			this.#late = [];
		});
		if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) this.#watch();
	}

	#watch() {
		this.video.requestVideoFrameCallback((now, frame) => {
			const heard_s = this.app.heard_s(frame.expectedDisplayTime ?? now);
			if (this.app.rolling && !this.video.paused && !this.#seeking) {
				// A frame is right while what is heard lies inside it: half a frame is taken off for its middle.
				const late_s = heard_s - (frame.mediaTime + this.app.frame_s / 2);
				this.#late.push(late_s);
				if (this.#late.length > FRAMES) this.#late.shift();
				this.off_frames.push(late_s * this.app.fps);
				if (this.off_frames.length > 20000) this.off_frames.splice(0, 10000);
			}
			this.#watch();
		});
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
		const end_s = video.duration || app.duration_s;
		if (!app.rolling || heard_s >= end_s) {
			if (!video.paused) video.pause();
			this.#starting = false;
			const wanted = Math.min(heard_s, Math.max(0, end_s - app.frame_s / 2)) + app.frame_s * 0.1;
			if (!this.#seeking && Math.abs(video.currentTime - wanted) > app.frame_s * 0.6) this.#seek(wanted);
			return;
		}
		if (video.paused && !this.#starting) {
			this.#starting = true;
			this.#late = [];
			if (Math.abs(video.currentTime - heard_s) > app.frame_s * SEEK_FRAMES) this.#seek(heard_s + this.#seek_s);
			video.playbackRate = 1;
			video.play().catch(() => (this.#starting = false));
			return;
		}
		const time = performance.now() / 1000;
		if (this.#seeking || this.#late.length < FRAMES || time - this.#corrected < CORRECT_S) return;
		this.#corrected = time;
		this.#correct([...this.#late].sort((a, b) => a - b)[FRAMES >> 1], heard_s);
	}

	#correct(late_s, heard_s) {
		const { video, app } = this;
		if (this.#stopped_at !== null) {
			// Browsers lose some milliseconds each time the speed goes back to 1; that much is made good beforehand.
			const lost_s = Math.min(Math.max(late_s - this.#stopped_at, 0), 2 * app.frame_s);
			this.#lost_s = 0.6 * this.#lost_s + 0.4 * lost_s;
			this.#stopped_at = null;
		}
		if (Math.abs(late_s) > SEEK_FRAMES * app.frame_s) {
			this.#seek(heard_s + this.#seek_s);
			video.playbackRate = 1;
		} else if (video.playbackRate === 1) {
			if (Math.abs(late_s) > app.frame_s / 2) video.playbackRate = 1 + Math.sign(late_s) * MOST;
		} else if ((late_s + this.#lost_s / 2) * Math.sign(video.playbackRate - 1) <= MOST * CORRECT_S * 0.5) {
			video.playbackRate = 1;
			this.#stopped_at = late_s;
		}
	}
}
