// The audio thread: blocks come in, what the clock says is played.

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
		let expected = position + (currentTime - at) * RATE + mixer.limiter.delay;
		if (loop !== null && expected >= loop[1] && mixer.position < loop[1]) expected = loop[0] + ((expected - loop[0]) % (loop[1] - loop[0]));
		if (!mixer.rolling) mixer.start(Math.round(expected));
		else mixer.steer(expected);
	}

	process(_inputs, [output]) {
		const left = output[0];
		const right = output[1] ?? new Float32Array(left.length);
		this.mixer.render(left, right, left.length);
		for (let index = 0; index < left.length; index++) this.peak = Math.max(this.peak, Math.abs(left[index]), Math.abs(right[index]));
		if (++this.quanta % REPORT === 0) {
			const { mixer } = this;
			this.port.postMessage({ at: currentTime + left.length / RATE, position: mixer.position - mixer.limiter.delay, rolling: mixer.rolling, rate: mixer.rate, peak: this.peak });
			this.peak = 0;
		}
		return true;
	}
}

registerProcessor("cue-player", Player);
