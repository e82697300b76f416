// The audio thread: blocks come in, what the clock says is played.

import { wrapped } from "../lib/time.js";
import { Mixer, RATE } from "./mixer.js";

const REPORT = 24; // quanta of 128 samples between reports: 64 ms

class Player extends AudioWorkletProcessor {
	constructor(options) {
		super();
		this.mixer = new Mixer(options.processorOptions);
		this.quanta = 0;
		this.peak = 0;
		this.port.onmessage = ({ data }) => this.heard(data);
	}

	heard(data) {
		const { mixer } = this;
		if (data.parts) mixer.put(data.stream, data.index, data.revision, data.parts, data.level);
		else if (data.gain) for (const [name, gain] of Object.entries(data.gain)) mixer.set_gain(name, gain);
		else if (data.forget) mixer.blocks.clear();
		else if (data.clock) this.follow(data.clock);
	}

	/** `{at, position, rolling, loop}`: where the bridge's clock puts us at a second of this context. */
	follow({ at, position, rolling, loop }) {
		const { mixer } = this;
		mixer.loop = loop;
		if (!rolling) {
			if (mixer.rolling) mixer.stop();
			else if (mixer.level === 0) mixer.position = Math.round(position);
			return;
		}
		const expected = wrapped(position + (currentTime - at) * RATE + mixer.limiter.delay, position, loop);
		if (!mixer.rolling) mixer.start(Math.round(expected));
		else mixer.steer(expected);
	}

	process(_inputs, [output]) {
		const [left, right] = output;
		const { mixer } = this;
		// What comes out now is the sample at `position` once the limiter's delay is over.
		if (this.quanta++ % REPORT === 0 || mixer.jumped) {
			mixer.jumped = false;
			const at = currentTime + mixer.limiter.delay / RATE;
			const { position, rolling, rate } = mixer;
			this.port.postMessage({ at, position, rolling, rate, peak: this.peak });
			this.peak = 0;
		}
		mixer.render(left, right, left.length);
		for (let index = 0; index < left.length; index++) this.peak = Math.max(this.peak, Math.abs(left[index]), Math.abs(right[index]));
		return true;
	}
}

registerProcessor("cue-player", Player);
