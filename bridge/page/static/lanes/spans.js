// Named stretches of the film: what a theme, a line of speech, a plan's section or a range in the DAW is.

import { rows_of } from "../lib/values.js";
import { fitted, Lane } from "./lane.js";

/** `spans()`: `{start_s, end_s, name, note?, text, tone?, dashed?}` in order; a lane of them that can be walked. */
export class SpanLane extends Lane {
	constructor(app, id, title, keys) {
		super(app, id, title);
		this.height = 22;
		this.moving = null; // second that an edge is dragged to
		this.ghost_s = 0; // how long what is dragged is; 0: an edge alone
		this.refused = ""; // why it may not stand there
		this.in_bars = false; // whether items are moved to bar lines
		app.on([...keys, "bars", "film"], () => this.invalidate());
	}

	spans() {
		return [];
	}

	get small() {
		return String(this.item_count() || "");
	}

	item_count() {
		return this.spans().length;
	}

	items(from_s, to_s) {
		return this.spans()
			.map((span, index) => ({ ...span, key: span.start_s, index }))
			.filter((each) => each.end_s >= from_s && each.start_s <= to_s);
	}

	paint({ ctx, x_of, height, theme, from_s, to_s }) {
		ctx.textBaseline = "middle";
		for (const item of this.items(from_s, to_s)) {
			const x = x_of(item.start_s);
			const wide = Math.max(2, x_of(item.end_s) - x);
			ctx.fillStyle = theme.raised;
			ctx.fillRect(x + 1, 2, wide - 2, height - 5);
			ctx.fillStyle = theme[item.tone] ?? theme.edge;
			ctx.fillRect(x + 1, 2, Math.min(3, wide - 1), height - 5);
			ctx.strokeStyle = theme[item.tone] ?? theme.edge;
			ctx.setLineDash(item.dashed ? [4, 3] : []);
			ctx.strokeRect(x + 0.5, 1.5, wide - 1, height - 4);
			ctx.setLineDash([]);
			ctx.font = `600 12px ${theme.font}`;
			ctx.fillStyle = theme.text;
			const name = fitted(ctx, item.name, wide - 14);
			ctx.fillText(name, x + 8, height / 2 + 0.5);
			const left = x + 18 + ctx.measureText(name).width;
			ctx.font = `11px ${theme.font}`;
			ctx.fillStyle = theme.second;
			if (item.note && x + wide - left > 24) ctx.fillText(fitted(ctx, item.note, x + wide - left - 6), left, height / 2 + 0.5);
		}
	}

	paint_over({ ctx, x_of, height, theme }) {
		const selected = this.app.view.selected;
		if (selected?.lane === this.id) {
			const item = this.spans().find((each) => Math.abs(each.start_s - selected.key) < 1e-3);
			ctx.strokeStyle = theme.text;
			ctx.lineWidth = 2;
			if (item !== undefined) ctx.strokeRect(x_of(item.start_s), 2, x_of(item.end_s) - x_of(item.start_s), height - 4);
		}
		if (this.moving === null) return;
		ctx.fillStyle = this.refused ? theme.danger : theme.accent;
		ctx.fillRect(x_of(this.moving) - 1, 0, 2, height);
		if (!this.ghost_s) return;
		ctx.strokeStyle = ctx.fillStyle;
		ctx.lineWidth = 2;
		ctx.setLineDash([4, 3]);
		ctx.strokeRect(x_of(this.moving), 2, x_of(this.moving + this.ghost_s) - x_of(this.moving), height - 4);
		ctx.setLineDash([]);
	}

	hit(second) {
		return this.items(second, second).find((each) => each.end_s > second) ?? null;
	}

	open(item) {
		this.app.locate(item.start_s);
	}

	menu(item) {
		return [["Go there", () => this.app.locate(item.start_s), "Enter"]];
	}

	/** A bar earlier (-1) or later, where items can be moved to bar lines; what is moved stays selected. */
	by_bars(item, count, gesture) {
		const to_s = this.app.bars.nearest_bar(item.start_s, count);
		return this.move(item, to_s, gesture).then((answer) => answer !== null && this.app.view.select(this.id, to_s));
	}

	/** A drag to a bar line, which is tried meanwhile. */
	bar_drag(item, address, held_s = 0, length_s = 0) {
		const { bars } = this.app;
		return this.edge_drag({
			parts: 1,
			length_s,
			bounded: (at_s) => bars.nearest_bar(at_s - held_s),
			attempt: (to_s) => [address, [item.start_s, to_s]],
			tip: (to_s) => `${bars.text(item.start_s)} → ${bars.text(to_s)}`,
			moved: (to_s) => Math.abs(to_s - item.start_s) > 1e-3 && this.move(item, to_s),
		});
	}

	/** Alt and an arrow move by a bar what can be moved so; where items can be removed, Backspace and Delete do it. */
	key(event, item) {
		if (this.in_bars && event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
			this.by_bars(item, event.key === "ArrowLeft" ? -1 : 1, this.app.key_gesture(this.id));
			return true;
		}
		if (this.remove === undefined || (event.key !== "Backspace" && event.key !== "Delete")) return false;
		this.remove(item);
		return true;
	}

	/**
	 * A drag of an edge; `bounded(second)`: where it may stand, `tip(second)`: what is said, `moved(second)`: what it does.
	 * `attempt(second)`: `[address, args]` that are tried while it is dragged; a refusal is said at once.
	 */
	edge_drag({ bounded, tip, moved, attempt = null, length_s = 0, ...more }) {
		const lane = this;
		let asked = null; // the place that is being tried
		const ask = async () => {
			if (asked !== null || attempt === null) return;
			while (lane.moving !== null && asked !== lane.moving) {
				asked = lane.moving;
				const error = await lane.app.link.try(...attempt(asked)).then(() => null, (refusal) => refusal);
				if (lane.moving === asked) lane.refused = error?.message ?? "";
				lane.app.view.dispatchEvent(new Event("over"));
			}
			asked = null;
		};
		const over = () => {
			const to_s = lane.moving;
			[lane.moving, lane.ghost_s, lane.refused] = [null, 0, ""];
			return to_s;
		};
		return {
			...more,
			tip: "",
			get bad() {
				return Boolean(lane.refused);
			},
			move(second) {
				lane.moving = bounded(second);
				lane.ghost_s = length_s;
				void ask();
				this.tip = lane.refused || tip(lane.moving);
			},
			commit() {
				const to_s = over();
				if (to_s !== null) moved(to_s);
			},
			cancel: over,
		};
	}
}

export const KINDS = ["hint", "statement", "variant", "full", "memory"];

/** Where the theme is stated, as what. */
export class ThemeLane extends SpanLane {
	constructor(app) {
		super(app, "themes", "Theme", ["/cue/theme/statements"]);
		this.in_bars = true;
	}

	get small() {
		return this.app.value("/cue/theme", "") ? "yours" : "the take's";
	}

	spans() {
		return rows_of(this.app.get("/cue/theme/statements") ?? [], 4).map(([start_s, end_s, kind, bar]) => ({
			start_s, end_s, kind, name: kind === "variant" ? "A′" : "A", note: kind, tone: "melody", dashed: kind === "hint" || kind === "memory", text: `theme, ${kind}, bar ${bar}`,
		}));
	}

	open() {
		this.app.later("./elements/theme-editor.js", "openTheme");
	}

	/** The statement begins at another bar line; resolves to the answer or null. */
	move(item, to_s, gesture = this.app.gesture()) {
		return this.app.act("/cue/theme/move", [item.start_s, to_s], { gesture, what: `theme to bar ${this.app.bars.at(to_s)?.bar ?? ""}` });
	}

	drag(item, second) {
		return this.bar_drag(item, "/cue/theme/move", second - item.start_s, item.end_s - item.start_s);
	}

	menu(item) {
		const { app } = this;
		const state = (kind) => app.act("/cue/theme/state", [item.start_s, kind], { what: `theme as ${kind}` });
		return [
			["The theme, and where it is stated…", () => this.open(), "Enter"],
			["Go there", () => app.locate(item.start_s)],
			null,
			["A bar earlier", () => this.by_bars(item, -1), "Alt+←"],
			["A bar later", () => this.by_bars(item, 1), "Alt+→"],
			["To the playhead", () => this.move(item, app.position_s())],
			null,
			...KINDS.map((kind) => [`As ${kind}`, () => state(kind), "", kind === item.kind]),
			null,
			["No theme here", () => this.remove(item), "Backspace"],
		];
	}

	remove(item) {
		return this.app.act("/cue/theme/silent", [item.start_s], { what: "no theme" });
	}
}
