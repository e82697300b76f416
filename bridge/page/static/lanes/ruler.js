// Bar numbers, the loop range, and flags where a change is going to be heard.

import { Lane } from "./lane.js";

export class RulerLane extends Lane {
	constructor(app) {
		super(app, "ruler", "Bar");
		this.height = 22;
		app.on(["bars"], () => this.invalidate());
	}

	paint({ ctx, x_of, zoom, height, theme, from_s, to_s }) {
		const { bars } = this.app;
		ctx.fillStyle = theme.surface;
		ctx.fillRect(x_of(from_s), 0, (to_s - from_s) * zoom + 1, height);
		if (!bars.list.length) return;
		const first = Math.max(bars.index_at(from_s) - 8, 0);
		const bar_px = bars.beat_length_s(from_s) * (bars.list[Math.max(bars.index_at(from_s), 0)]?.[2] ?? 4) * zoom;
		const step = 2 ** Math.max(0, Math.ceil(Math.log2(34 / bar_px)));
		ctx.font = `600 12px ${theme.font}`;
		ctx.textBaseline = "middle";
		for (let index = first; index < bars.list.length; index++) {
			const [bar, start_s] = bars.list[index];
			if (start_s > to_s) break;
			if ((bar - 1) % step !== 0) continue;
			const x = Math.round(x_of(start_s));
			ctx.fillStyle = theme.hairline;
			ctx.fillRect(x, 0, 1, height);
			ctx.fillStyle = theme.text;
			ctx.fillText(String(bar), x + 5, height / 2 + 0.5);
		}
	}

	paint_over({ ctx, x_of, height, theme, width }) {
		const { app } = this;
		const [on, from_s, to_s] = app.get("/cue/loop") ?? [false];
		const range = app.view.range;
		for (const [from, to, colour] of [[range?.[0], range?.[1], theme.second], on ? [from_s, to_s, theme.accent] : []]) {
			if (from === undefined || to === undefined) continue;
			ctx.fillStyle = colour;
			ctx.globalAlpha = 0.3;
			ctx.fillRect(x_of(from), 0, Math.max(1, x_of(to) - x_of(from)), height);
			ctx.globalAlpha = 1;
			ctx.fillRect(x_of(from), height - 3, Math.max(2, x_of(to) - x_of(from)), 3);
		}
		for (const { heard_s, done } of app.messages.changes) {
			const x = Math.round(x_of(heard_s));
			if (x < -20 || x > width + 20) continue;
			ctx.globalAlpha = done ? 0.4 : 1;
			ctx.fillStyle = theme.accent;
			ctx.beginPath();
			ctx.moveTo(x, 2);
			ctx.lineTo(x + 12, 6);
			ctx.lineTo(x, 11);
			ctx.fill();
			ctx.fillRect(x, 2, 1.5, height - 2);
			ctx.globalAlpha = 1;
		}
	}

	hit(second) {
		return { key: null, start_s: second, end_s: second, ground: true };
	}
}
