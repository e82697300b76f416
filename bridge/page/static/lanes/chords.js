// The chord lane: blocks in all their states, and what a hand does with them.

import { Lane, paint_bars } from "./lane.js";
import { lastAt } from "../lib/time.js";

const EDGE_PX = 5;
const NAME_FROM_PX = 22;
const NAME_SIZES = [15, 13, 11];
const WORDS = { typed: "typed", pinned: "pinned", provisional: "composing" };

/** Draws one chord block; `state`: generated, typed, pinned, provisional, printed, refused. */
export function paint_block(ctx, { x, wide, height, name, state, theme, label }) {
	const top = 3;
	const tall = height - 6;
	const set = state === "typed" || state === "pinned";
	ctx.beginPath();
	ctx.roundRect(x + 1, top + 0.5, Math.max(1, wide - 2), tall - 1, Math.min(5, wide / 3));
	ctx.fillStyle = theme.raised;
	ctx.fill();
	if (set) {
		ctx.globalAlpha = 0.24;
		ctx.fillStyle = theme.accent;
		ctx.fill();
		ctx.globalAlpha = 1;
	}
	if (state === "printed") hatch(ctx, x + 1, top, wide - 2, tall, theme);
	ctx.setLineDash(state === "provisional" ? [4, 3] : []);
	ctx.lineWidth = state === "pinned" || state === "refused" ? 2 : 1;
	ctx.strokeStyle = state === "refused" ? theme.danger : set ? theme.accent : theme.edge;
	ctx.stroke();
	ctx.setLineDash([]);
	if (wide < NAME_FROM_PX) return;
	ctx.textBaseline = "alphabetic";
	ctx.fillStyle = state === "provisional" || state === "printed" ? theme.second : theme.text;
	ctx.fillText(fitted_name(ctx, name || "–", wide - 10, theme), x + 7, top + 18);
	if (!label || tall < 34) return;
	ctx.font = `11px ${theme.font}`;
	if (ctx.measureText(label).width > wide - 10) return;
	ctx.fillStyle = state === "refused" ? theme.danger : state === "printed" ? theme.text : theme.second;
	ctx.fillText(label, x + 7, top + 32);
}

/** A chord's name in the largest size that fits. Never its beginning: "C#m…" for C#maj7 would be another chord. */
export function fitted_name(ctx, name, width, theme) {
	for (const size of NAME_SIZES) {
		ctx.font = `600 ${size}px ${theme.font}`;
		if (ctx.measureText(name).width <= width) return name;
	}
	const root = `${/^[A-G][#b]?/.exec(name)?.[0] ?? ""}…`;
	return ctx.measureText(root).width <= width ? root : "";
}

function hatch(ctx, x, y, wide, tall, theme) {
	ctx.save();
	ctx.clip();
	ctx.strokeStyle = theme.edge;
	ctx.globalAlpha = 0.55;
	ctx.lineWidth = 1.5;
	const lines = new Path2D(); // the block's own path is still needed for its edge
	// Lines hang on the film, not on the block, so that neighbours and tiles meet without a seam.
	for (let at = Math.floor((x - tall) / 8) * 8; at < x + wide; at += 8) {
		lines.moveTo(at, y + tall);
		lines.lineTo(at + tall, y);
	}
	ctx.stroke(lines);
	ctx.restore();
}

export class ChordLane extends Lane {
	constructor(app, edit) {
		super(app, "chords", "Chords");
		this.height = 46;
		this.edit = edit; // opens the in-place editor
		this.moving = null; // {from_s, to_s, refused}
		app.on(["chords", "printed"], () => this.invalidate());
		app.on(["bars", "/cue/key"], () => this.invalidate());
	}

	get small() {
		const key = String(this.app.value("/cue/key", "auto"));
		return key === "auto" ? "by the picture" : key;
	}

	state_of(chord) {
		if (this.app.refused.has(chord.start_s)) return "refused";
		if (chord.printed) return "printed";
		return chord.state;
	}

	label_of(chord, state, first) {
		if (state === "refused") return "refused";
		if (state === "printed") return first ? "in the DAW" : "";
		return WORDS[state] ?? "";
	}

	paint(g) {
		const { ctx, x_of, zoom, height, theme, from_s, to_s } = g;
		paint_bars(g, this.app.bars, { beats: false });
		const { chords } = this.app;
		const first = Math.max(lastAt(chords, from_s, (chord) => chord.start_s), 0);
		const narrow = chords.length > 1 && ((chords.at(-1).end_s - chords[0].start_s) / chords.length) * zoom < 3;
		if (narrow) {
			this.#paint_far(g, first);
			return;
		}
		for (let index = first; index < chords.length; index++) {
			const chord = chords[index];
			if (chord.start_s > to_s) break;
			if (!chord.name && !chord.printed) continue;
			const state = this.state_of(chord);
			const label = this.label_of(chord, state, !chords[index - 1]?.printed);
			paint_block(ctx, { x: x_of(chord.start_s), wide: (chord.end_s - chord.start_s) * zoom, height, name: chord.name, state, theme, label });
		}
		// One bar along the whole of a range that is in the DAW.
		ctx.fillStyle = theme.second;
		for (let index = first; index < chords.length && chords[index].start_s <= to_s; index++) {
			if (!chords[index].printed) continue;
			let last = index;
			while (chords[last + 1]?.printed) last++;
			ctx.fillRect(x_of(chords[index].start_s) + 1, height - 3, (chords[last].end_s - chords[index].start_s) * zoom - 2, 3);
			index = last;
		}
	}

	#paint_far({ ctx, x_of, zoom, height, theme, to_s }, first) {
		const { chords } = this.app;
		let x_last = -Infinity;
		for (let index = first; index < chords.length && chords[index].start_s <= to_s; index++) {
			const x = Math.round(x_of(chords[index].start_s));
			const set = chords[index].state === "typed" || chords[index].state === "pinned";
			if (x === x_last && !set) continue;
			x_last = x;
			ctx.fillStyle = set ? theme.accent : theme.edge;
			ctx.fillRect(x, 6, Math.max(1, Math.min(3, zoom)), height - 12);
		}
	}

	paint_over({ ctx, x_of, height, theme, zoom }) {
		const { app } = this;
		const shown = [...app.view.more];
		if (app.view.selected?.lane === "chords") shown.push(app.view.selected.key);
		ctx.strokeStyle = theme.text;
		ctx.lineWidth = 2;
		for (const key of shown) {
			const chord = app.chords.find((each) => Math.abs(each.start_s - key) < 1e-3);
			if (chord === undefined) continue;
			ctx.beginPath();
			ctx.roundRect(x_of(chord.start_s) - 0.5, 1, (chord.end_s - chord.start_s) * zoom + 1, height - 2, 6);
			ctx.stroke();
		}
		if (this.moving !== null) this.#paint_moving(ctx, x_of, height, theme, zoom);
	}

	#paint_moving(ctx, x_of, height, theme, zoom) {
		const { left, right, to_s, refused } = this.moving;
		const state = refused ? "refused" : "provisional";
		for (const [chord, start_s, end_s] of [[left, left.start_s, to_s], [right, to_s, right.end_s]]) {
			if (end_s <= start_s) continue;
			paint_block(ctx, { x: x_of(start_s), wide: (end_s - start_s) * zoom, height, name: chord.name, state, theme, label: "" });
		}
		ctx.fillStyle = refused ? theme.danger : theme.accent;
		ctx.fillRect(Math.round(x_of(to_s)) - 1, 0, 2, height);
	}

	item_count() {
		return this.app.chords.length;
	}

	items(from_s, to_s) {
		const { chords } = this.app;
		const found = [];
		for (let index = Math.max(lastAt(chords, from_s, (chord) => chord.start_s), 0); index < chords.length && chords[index].start_s <= to_s; index++) {
			const chord = chords[index];
			const state = this.state_of(chord);
			found.push({ key: chord.start_s, index, start_s: chord.start_s, end_s: chord.end_s, chord, text: `${chord.place} ${chord.name || "silence"}, ${state === "printed" ? "in the DAW" : state}` });
		}
		return found;
	}

	hit(second, _y, view) {
		const chord = this.app.chord_at(second);
		if (chord === null) return null;
		const item = { key: chord.start_s, start_s: chord.start_s, end_s: chord.end_s, chord };
		const { chords } = this.app;
		const index = chords.indexOf(chord);
		const wide = (chord.end_s - chord.start_s) * view.zoom;
		const near = Math.min(EDGE_PX, wide / 4);
		if ((second - chord.start_s) * view.zoom <= near && index > 0 && chords[index - 1].name) return { ...item, edge: chord.start_s };
		if ((chord.end_s - second) * view.zoom <= near && chords[index + 1]?.name) return { ...item, edge: chord.end_s };
		return item;
	}

	drag(hit, _second, event) {
		if (hit.edge !== undefined) return this.#drag_border(hit.edge);
		if (event.altKey && this.app.table.has("/cue/chords/copy")) return this.#drag_copy(hit.chord);
		return null;
	}

	#drag_border(border_s) {
		const { app } = this;
		const index = app.chords.findIndex((chord) => Math.abs(chord.start_s - border_s) < 1e-3);
		if (index < 1) return null;
		const lane = this;
		const [left, right] = [app.chords[index - 1], app.chords[index]];
		const gesture = app.gesture();
		let asked = null;
		let running = false;
		const ask = async (to_s) => {
			asked = to_s;
			if (running) return;
			running = true;
			while (asked !== null && lane.moving !== null) {
				const wanted = asked;
				asked = null;
				try {
					await app.link.try("/cue/chords/move", [border_s, wanted]);
					if (lane.moving?.to_s === wanted) lane.moving.refused = "";
				} catch (error) {
					if (lane.moving?.to_s === wanted) lane.moving.refused = error.message;
				}
				app.view.dispatchEvent(new Event("over"));
			}
			running = false;
		};
		return {
			parts: 1,
			free_parts: 4,
			lane: "chords",
			tip: "",
			get bad() {
				return Boolean(lane.moving?.refused);
			},
			move(second) {
				const to_s = second;
				if (lane.moving?.to_s !== to_s) {
					lane.moving = { left, right, to_s, refused: lane.moving?.refused ?? "" };
					ask(to_s);
				}
				const beats = (to_s - border_s) / app.bars.beat_length_s(border_s);
				const rounded = Math.round(beats * 100) / 100;
				this.tip = lane.moving.refused || `${app.bars.text(border_s)} → ${app.bars.text(to_s)} · ${rounded >= 0 ? "+" : "−"}${Math.abs(rounded)} beat${Math.abs(rounded) === 1 ? "" : "s"}`;
			},
			commit() {
				const to_s = lane.moving?.to_s;
				lane.moving = null;
				if (to_s === undefined || Math.abs(to_s - border_s) < 1e-6) return;
				app.act("/cue/chords/move", [border_s, to_s], { gesture, what: `${right.name} moves to ${app.bars.text(to_s)}` });
			},
			cancel() {
				lane.moving = null;
			},
		};
	}

	#drag_copy(source) {
		const { app } = this;
		let target = null;
		return {
			parts: 1,
			tip: "",
			move(second) {
				target = app.chord_at(second);
				this.tip = target === null || target === source ? `copy ${source.name}` : `${source.name} over ${target.name} at ${target.place}`;
			},
			commit() {
				if (target !== null && target !== source) app.act("/cue/chords/copy", [source.start_s, target.start_s], { gesture: app.gesture(), what: `${target.name} → ${source.name}` });
			},
			cancel() {},
		};
	}

	open(item) {
		this.edit(item.chord ?? item);
	}

	/** What "⋯", the ctx menu and Shift+F10 offer. */
	menu(item) {
		const { app } = this;
		const chord = item.chord;
		const set = chord.state === "pinned";
		const has = (address) => app.table.has(address);
		const bar = app.bars.at(chord.start_s)?.bar ?? 1;
		return [
			["Change", () => this.edit(chord), "Enter"],
			set ? ["Unpin", () => app.unpin(chord), "P"] : ["Pin", () => app.pin(chord, chord.name), "P"],
			has("/cue/chords/split") ? ["Split", () => this.split(chord), "S"] : undefined,
			has("/cue/chords/merge") ? ["Merge with next", () => this.merge(chord), "M"] : undefined,
			["Give back to the network", () => this.give_back(chord), "Backspace", !set],
			null,
			["Reharmonise this bar", () => app.act("/cue/chords/rewrite", ["bars", bar, bar], { what: `bar ${bar} anew` })],
			["Print", () => app.act("/cue/print", ["selection", chord.start_s, chord.end_s], { what: "printed" })],
			chord.printed
				? ["Thaw", () => app.act("/cue/printed/unmute", ["all", chord.start_s, chord.end_s], { what: "plays live again" })]
				: ["Freeze", () => app.act("/cue/printed/mute", ["all", chord.start_s, chord.end_s], { what: "frozen" })],
			null,
			["Why", () => app.set("tab", "why"), "W"],
		].filter((row) => row !== undefined);
	}

	split(chord) {
		const at_s = this.app.position_s();
		const inside = at_s > chord.start_s + 1e-3 && at_s < chord.end_s - 1e-3;
		return this.app.act("/cue/chords/split", [inside ? at_s : (chord.start_s + chord.end_s) / 2], { what: `${chord.name} split` });
	}

	merge(chord) {
		return this.app.act("/cue/chords/merge", [chord.start_s], { what: `${chord.name} goes on over the next chord` });
	}

	give_back(chord) {
		return this.app.unpin(chord);
	}

	key(event, item) {
		const { app } = this;
		const chord = item.chord;
		if (event.key === "Backspace" || event.key === "Delete") this.give_back(chord);
		else if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
			const to_s = app.bars.moved(chord.start_s, event.key === "ArrowLeft" ? -1 : 1);
			app.act("/cue/chords/move", [chord.start_s, to_s], { gesture: app.key_gesture("border"), what: `${chord.name} moves to ${app.bars.text(to_s)}` }).then((answer) => {
				if (answer !== null) app.view.select("chords", to_s);
			});
		} else return false;
		return true;
	}
}
