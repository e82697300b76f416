// Hits: diamonds, filled by weight, with how far the music misses them in frames.

import { Lane, between } from "./lane.js";

const NEAR_PX = 9;

export class HitsLane extends Lane {
	constructor(app) {
		super(app, "hits", "Hits");
		this.height = 22;
		this.moving = null;
		app.on(["hits", "bars"], () => this.invalidate());
	}

	get small() {
		return this.app.rows.hits.length ? String(this.app.rows.hits.length) : "";
	}

	/** Frames by which the nearest beat misses a hit: + after the picture. */
	miss(time_s) {
		const { app } = this;
		if (!app.bars.list.length) return null;
		return Math.round((app.bars.nearest_beat(time_s) - time_s) * app.fps);
	}

	words(time_s) {
		const miss = this.miss(time_s);
		if (miss === null) return "";
		return miss === 0 ? "on the frame" : `${miss > 0 ? "+" : "−"}${Math.abs(miss)} fr`;
	}

	paint({ ctx, x_of, height, theme, from_s, to_s, zoom }) {
		const { hits } = this.app.rows;
		ctx.font = `11px ${theme.font}`;
		ctx.textBaseline = "middle";
		let free = -Infinity;
		for (const index of between(hits, from_s - 260 / zoom, to_s + 10 / zoom)) {
			const [time_s, weight, name] = hits[index];
			const x = x_of(time_s);
			if (x < free) continue; // hidden
			free = x + 1;
			const y = height / 2;
			const miss = this.miss(time_s);
			const refused = weight === "must" && miss;
			ctx.beginPath();
			ctx.moveTo(x, y - 6);
			ctx.lineTo(x + 6, y);
			ctx.lineTo(x, y + 6);
			ctx.lineTo(x - 6, y);
			ctx.closePath();
			ctx.lineWidth = 1.5;
			ctx.fillStyle = ctx.strokeStyle = refused ? theme.danger : weight === "must" ? theme.warning : theme.second;
			if (weight !== "nice") ctx.fill();
			ctx.stroke();
			const room = hits[index + 1] ? x_of(hits[index + 1][0]) - x - 24 : Infinity;
			const text = `${name} ${this.words(time_s)}`.trim();
			if (ctx.measureText(text).width <= room) {
				ctx.fillStyle = refused ? theme.danger : theme.text;
				ctx.fillText(text, x + 10, y + 0.5);
			}
		}
	}

	paint_over({ ctx, x_of, height, theme }) {
		if (this.moving === null) return;
		const x = x_of(this.moving);
		ctx.strokeStyle = theme.accent;
		ctx.lineWidth = 2;
		ctx.strokeRect(x - 5, height / 2 - 5, 10, 10);
	}

	item_count() {
		return this.app.rows.hits.length;
	}

	items(from_s, to_s) {
		const { bars, rows } = this.app;
		return Array.from(between(rows.hits, from_s, to_s), (index) => {
			const [time_s, weight, name] = rows.hits[index];
			const words = () => `${weight} hit ${name} at ${bars.text(time_s)}, ${this.words(time_s)}`;
			return { key: time_s, index, start_s: time_s, end_s: time_s, get text() { return words(); } };
		});
	}

	hit(second, _y, view) {
		const near_s = NEAR_PX / view.zoom;
		const off_s = (item) => Math.abs(item.start_s - second);
		return this.items(second - near_s, second + near_s).sort((a, b) => off_s(a) - off_s(b))[0] ?? null;
	}

	drag(hit, _second, _event) {
		const { app } = this;
		if (!app.table.has("/cue/hits/move")) return null;
		const gesture = app.gesture();
		const lane = this;
		return {
			parts: 0,
			tip: "",
			move(second) {
				lane.moving = Math.max(0, second);
				this.tip = `${app.bars.text(hit.start_s, true)} → ${app.bars.text(lane.moving, true)}`;
			},
			commit() {
				const to_s = lane.moving;
				lane.moving = null;
				if (to_s !== null) app.act("/cue/hits/move", [hit.start_s, to_s], { gesture, what: "hit moved" });
			},
			cancel() {
				lane.moving = null;
			},
		};
	}

	open(item) {
		this.app.locate(item.start_s);
	}

	key(event, item) {
		if (event.key === "Backspace" || event.key === "Delete") {
			this.app.act("/cue/hits/remove", [item.start_s], { what: "hit removed" });
			return true;
		}
		if (event.altKey && ["ArrowLeft", "ArrowRight"].includes(event.key) && this.app.table.has("/cue/hits/move")) {
			const to_s = item.start_s + (event.key === "ArrowLeft" ? -1 : 1) * this.app.frame_s;
			this.app.act("/cue/hits/move", [item.start_s, to_s], { gesture: this.app.key_gesture("hit"), what: "hit moved by a frame" });
			this.app.view.select("hits", to_s);
			return true;
		}
		return false;
	}

	menu(item) {
		const weigh = (weight) => this.app.act("/cue/hits/weight", [item.start_s, weight], { what: `${weight} hit` });
		return [
			["Go there", () => this.app.locate(item.start_s), "Enter"],
			["Must", () => weigh("must")],
			["Should", () => weigh("should")],
			["Nice", () => weigh("nice")],
			null,
			["Delete", () => this.app.act("/cue/hits/remove", [item.start_s], { what: "hit removed" }), "Backspace"],
		];
	}
}
