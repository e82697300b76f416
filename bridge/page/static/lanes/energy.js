// The film's own sound, filled, and how much its picture moves, as a line.

import { Lane } from "./lane.js";

export class EnergyLane extends Lane {
	constructor(app) {
		super(app, "energy", "Energy");
		this.height = 34;
		app.on(["tiles/peaks", "tiles/motion"], () => this.invalidate());
	}

	get small() {
		return this.app.tiles.peaks !== null ? "sound, motion" : "motion";
	}

	paint({ ctx, x_of, zoom, width, height, theme, from_s, to_s }) {
		const { peaks, motion } = this.app.tiles;
		if (peaks !== null) {
			ctx.fillStyle = theme.edge;
			const middle = height / 2;
			for (let x = Math.floor(x_of(from_s)); x < x_of(from_s) + width; x++) {
				const first = Math.floor((from_s + (x - x_of(from_s)) / zoom) * peaks.hz);
				const last = Math.max(first + 1, Math.floor((from_s + (x + 1 - x_of(from_s)) / zoom) * peaks.hz));
				if (first < 0 || first >= peaks.pairs) continue;
				let peak = 0;
				for (let index = first; index < Math.min(last, first + 64); index++) peak = Math.max(peak, peaks.peak(index));
				const tall = Math.max(0.5, peak * (height - 4)); // linear, as the film's own meters would show
				ctx.globalAlpha = 0.75;
				ctx.fillRect(x, middle - tall / 2, 1, tall);
			}
			ctx.globalAlpha = 1;
		}
		if (motion !== null && motion.length) {
			ctx.strokeStyle = theme.text;
			ctx.lineWidth = 1.5;
			ctx.beginPath();
			const first = Math.max(0, Math.floor(from_s) - 1);
			const step = Math.max(1, Math.floor(0.5 / zoom));
			for (let second = first - (first % step); second < Math.min(motion.length, to_s + step + 1); second += step) {
				let most = 0;
				for (let index = second; index < Math.min(second + step, motion.length); index++) most = Math.max(most, motion[index]);
				const y = height - 2 - most * (height - 5);
				if (second === 0) ctx.lineTo(x_of(0), y);
				ctx.lineTo(x_of(second + 0.5), y);
				if (second + step >= motion.length) ctx.lineTo(x_of(motion.length), y);
			}
			ctx.stroke();
		}
	}
}
