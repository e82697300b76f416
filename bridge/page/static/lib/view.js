// What of the film the lanes show: zoom, place, selection, and whether the playhead is followed.

import { clamp } from "./dom.js";

export const MIN_ZOOM = 0.1; // px a second
export const MAX_ZOOM = 4000;
export const STEP = 1.25;

/** Shared by all lanes. Times are picture seconds, places CSS pixels from the lanes' left edge. */
export class View extends EventTarget {
	constructor() {
		super();
		this.zoom = 0;
		this.left_s = 0;
		this.width = 0;
		this.duration_s = 0;
		this.following = true;
		this.fitted = true;
		this.selected = null; // {lane, key}: one item
		this.range = null; // [from_s, to_s]: of the ruler or an empty lane
		this.more = new Set(); // further chords, with Ctrl or Shift
	}

	get span_s() {
		return this.zoom > 0 ? this.width / this.zoom : 0;
	}

	x_of(second) {
		return (second - this.left_s) * this.zoom;
	}

	second_at(x) {
		return this.left_s + x / this.zoom;
	}

	#say(name) {
		this.dispatchEvent(new Event(name));
	}

	resized(width, duration_s) {
		if (width === this.width && duration_s === this.duration_s) return;
		this.width = width;
		this.duration_s = duration_s;
		if (this.fitted || this.zoom === 0) this.fit();
		else this.#bound();
		this.#say("moved");
	}

	fit() {
		if (!this.width || !this.duration_s) return;
		this.fitted = true;
		this.zoom = clamp(this.width / (this.duration_s * 1.005), MIN_ZOOM, MAX_ZOOM);
		this.left_s = 0;
		this.#say("moved");
	}

	zoom_by(factor, x = this.width / 2) {
		const at_s = this.second_at(x);
		this.zoom = clamp(this.zoom * factor, MIN_ZOOM, MAX_ZOOM);
		this.left_s = at_s - x / this.zoom;
		this.fitted = false;
		this.#bound();
		this.#say("moved");
	}

	scroll_to(left_s, { byHand = false } = {}) {
		if (byHand) this.set_following(false);
		this.left_s = left_s;
		this.#bound();
		this.#say("moved");
	}

	scroll_by(pixels) {
		this.scroll_to(this.left_s + pixels / this.zoom, { byHand: true });
	}

	reveal(from_s, to_s = from_s) {
		if (this.x_of(from_s) < 8) this.scroll_to(from_s - 24 / this.zoom);
		else if (this.x_of(to_s) > this.width - 8) this.scroll_to(Math.min(from_s - 8 / this.zoom, to_s - (this.width - 24) / this.zoom));
	}

	/** Pages on where the playhead has reached 85 % of the width. */
	follow(position_s) {
		if (!this.following || !this.zoom) return;
		const x = this.x_of(position_s);
		const all = this.left_s <= 0 && this.x_of(this.duration_s) <= this.width + 1;
		if (!all && (x > this.width * 0.85 || x < 0) && this.second_at(this.width) < this.duration_s + 0.01 + (x < 0 ? 1e9 : 0)) {
			this.scroll_to(position_s - (this.width * 0.1) / this.zoom);
		}
	}

	set_following(on) {
		if (this.following === on) return;
		this.following = on;
		this.#say("following");
	}

	select(lane, key) {
		this.selected = key === null ? null : { lane, key };
		this.more.clear();
		this.#say("selected");
	}

	select_range(range) {
		this.range = range;
		this.#say("selected");
	}

	#bound() {
		const last_s = Math.max(0, this.duration_s * 1.005 - this.span_s);
		this.left_s = clamp(this.left_s, 0, last_s);
	}
}
