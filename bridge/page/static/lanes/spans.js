// Named stretches of the film: what a theme, a line of speech, a plan's section or a range in the DAW is.

import { outside, rows_of } from "../lib/values.js";
import { fitted, Lane } from "./lane.js";

/** `spans()`: `{start_s, end_s, name, note?, text, tone?, dashed?}` in order; a lane of them that can be walked. */
export class SpanLane extends Lane {
	constructor(app, id, title, keys) {
		super(app, id, title);
		this.height = 22;
		this.moving = null; // second that an edge is dragged to
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
		ctx.fillStyle = theme.accent;
		ctx.fillRect(x_of(this.moving) - 1, 0, 2, height);
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

	/** Where items can be removed, Backspace and Delete do it. */
	key(event, item) {
		if (this.remove === undefined || (event.key !== "Backspace" && event.key !== "Delete")) return false;
		this.remove(item);
		return true;
	}

	/** A drag of an edge; `bounded(second)`: where it may stand, `tip(second)`: what is said, `moved(second)`: what it does. */
	edge_drag({ bounded, tip, moved, ...more }) {
		const lane = this;
		return {
			...more,
			tip: "",
			move(second) {
				lane.moving = bounded(second);
				this.tip = tip(lane.moving);
			},
			commit() {
				const to_s = lane.moving;
				lane.moving = null;
				if (to_s !== null) moved(to_s);
			},
			cancel() {
				lane.moving = null;
			},
		};
	}
}

const KINDS = ["hint", "statement", "variant", "full", "memory"];

/** Where the theme is stated, as what. */
export class ThemeLane extends SpanLane {
	constructor(app) {
		super(app, "themes", "Theme", ["/cue/theme/statements"]);
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

	menu(item) {
		const { app } = this;
		const state = (kind) => app.act("/cue/theme/state", [item.start_s, kind], { what: `theme as ${kind}` });
		return [
			["The theme…", () => this.open(), "Enter"],
			["Go there", () => app.locate(item.start_s)],
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

/** What the cue's plan says: letter, role, mood, who plays. */
export class FormLane extends SpanLane {
	constructor(app) {
		super(app, "form", "Form", ["/cue/plan"]);
	}

	get small() {
		return this.app.get("/cue/plan")?.[0] ?? "";
	}

	spans() {
		const plan = rows_of(this.app.get("/cue/plan") ?? [], 8, 3);
		const cue = this.app.rows.cues.find((row) => row[4]);
		const last_s = cue?.[3] ?? this.app.duration_s;
		return plan.map(([start_s, letter, role, mood, intensity, palette, key, parts], index) => ({
			start_s, end_s: plan[index + 1]?.[0] ?? last_s, name: `${letter} ${role}`, note: `${mood} · ${key} · ${parts.replaceAll(",", ", ")}`, tone: mood,
			rows: [["Role", role], ["Mood", mood], ["Intensity", `${intensity} of 4`], ["Ensemble", `${this.app.get("/cue/plan")[1]}, palette ${palette}`], ["Key", key], ["Texture", parts.replaceAll(",", ", ")]],
			parts: parts.split(","), text: `${letter} ${role}, ${mood}, ${key}, ${parts}`,
		}));
	}

	open(item) {
		this.app.later("./elements/section-sheet.js", "openPlanned", item);
	}

	menu(item) {
		const range = [item.start_s, item.end_s];
		return [
			["What it is…", () => this.open(item), "Enter"],
			["Go there", () => this.app.locate(item.start_s)],
			null,
			["Simpler", () => this.app.act("/cue/simpler", range, { what: "simpler" })],
			["Busier", () => this.app.act("/cue/busier", range, { what: "busier" })],
		];
	}
}

/** Where people speak, and where the film's own sound has music.  Lines are the composer's; what is only heard is shown, and can be taken as lines. */
export class SpeechLane extends SpanLane {
	constructor(app) {
		super(app, "speech", "Dialogue", ["dialogue", "heard", "/cue/speech/leave_room"]);
	}

	get small() {
		const mode = this.app.value("/cue/speech/leave_room", "off");
		return mode === "off" ? "no room left" : `room: ${mode}`;
	}

	/** What room is left for. */
	lines() {
		return this.app.rows.dialogue.map(([start_s, end_s, name]) => ({ start_s, end_s, name, text: `${name}, ${(end_s - start_s).toFixed(1)} s`, tone: "second" }));
	}

	/** What is only heard: music where no line stands, speech while there are no lines. */
	heard() {
		const lines = this.lines();
		const found = (wanted) => this.app.rows.heard.filter(([, , kind]) => kind === wanted).map(([start_s, end_s]) => ({ start_s, end_s }));
		const spoken = lines.length > 0 ? lines : found("speech");
		const made = (kind, { start_s, end_s }) => ({ start_s, end_s, kind, heard: true, name: kind === "music" ? "music" : "speech, heard", text: `${kind} in the film's own sound, ${(end_s - start_s).toFixed(1)} s`, tone: kind === "music" ? "melody" : "second", dashed: true });
		const music = found("music").flatMap((each) => outside(each, spoken));
		return [...(lines.length > 0 ? [] : spoken.map((each) => made("speech", each))), ...music.map((each) => made("music", each))];
	}

	spans() {
		return [...this.lines(), ...this.heard()].sort((a, b) => a.start_s - b.start_s);
	}

	#set(lines, what) {
		const text = lines.map(({ start_s, end_s }) => `${Number(start_s.toFixed(2))}-${Number(end_s.toFixed(2))}`).join(" ");
		return this.app.act("/cue/speech", [text], { gesture: this.app.gesture(), what });
	}

	/** The range that is selected becomes a line. */
	add([start_s, end_s], what = "a line of speech") {
		return this.#set([...this.lines(), { start_s, end_s }].sort((a, b) => a.start_s - b.start_s), what);
	}

	/** All that is heard as speech become lines. */
	take_heard() {
		return this.#set(this.heard().filter((each) => each.kind === "speech"), "the lines that are heard");
	}

	remove(item) {
		return item.heard ? null : this.#set(this.lines().filter((each) => each.start_s !== item.start_s), "no speech there");
	}

	hit(second, _y, view) {
		const item = super.hit(second);
		if (item === null || item.heard) return item;
		const edge = ["start_s", "end_s"].find((name) => Math.abs(item[name] - second) * view.zoom <= Math.min(6, ((item.end_s - item.start_s) * view.zoom) / 4));
		return edge === undefined ? item : { ...item, edge };
	}

	drag(hit) {
		if (hit.edge === undefined) return null;
		return this.edge_drag({
			bounded: (second) => (hit.edge === "start_s" ? Math.min(Math.max(0, second), hit.end_s - 0.1) : Math.max(second, hit.start_s + 0.1)),
			tip: (second) => `${second.toFixed(2)} s`,
			moved: (second) => this.#set(this.lines().map((each) => (each.start_s === hit.start_s ? { ...each, [hit.edge]: second } : each)), "speech moved"),
		});
	}

	menu(item) {
		const room = (mode) => this.app.act("/cue/speech/leave_room", [mode], { what: `room for speech: ${mode}` });
		const range = [item.start_s, item.end_s];
		const own = {
			music: [["Leave room for this music too", () => this.add(range, "room for the film's music")]],
			speech: [["This is a line of speech", () => this.add(range)], ["All that is heard are lines", () => this.take_heard()]],
		}[item.kind] ?? [["Delete", () => this.remove(item), "Backspace"]];
		return [
			...super.menu(item),
			...own,
			null,
			...["off", "gentle", "strict"].map((mode) => [`Leave room: ${mode}`, () => room(mode), "", mode === this.app.value("/cue/speech/leave_room", "off")]),
		];
	}

	key(event, item) {
		if (item.heard) return false;
		if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
			const by_s = (event.key === "ArrowLeft" ? -1 : 1) * this.app.frame_s;
			this.#set(this.lines().map((each) => (each.start_s === item.start_s ? { start_s: Math.max(0, each.start_s + by_s), end_s: each.end_s + by_s } : each)), "speech moved by a frame");
			this.app.view.select(this.id, Number(Math.max(0, item.start_s + by_s).toFixed(2)));
			return true;
		}
		return super.key(event, item);
	}
}

/** Ranges that are in the DAW: ours are silent there. */
export class PrintedLane extends SpanLane {
	constructor(app) {
		super(app, "printed", "In the DAW", ["printed"]);
	}

	/** Parts with the same range are one stretch. */
	spans() {
		const found = new Map();
		for (const [part, start_s, end_s] of this.app.rows.printed) {
			const key = `${start_s} ${end_s}`;
			found.set(key, [...(found.get(key) ?? []), part]);
		}
		return [...found].map(([key, parts]) => {
			const [start_s, end_s] = key.split(" ").map(Number);
			const name = parts.length >= 5 || parts[0] === "all" ? "all parts" : parts.join(", ");
			return { start_s, end_s, parts, name, text: `${name}, in the DAW`, tone: parts.length === 1 && parts[0] !== "all" ? parts[0] : "second", dashed: true };
		}).sort((a, b) => a.start_s - b.start_s);
	}

	/** Ours sound there again. */
	remove(item) {
		const { app } = this;
		const gesture = app.gesture();
		const parts = item.parts.length >= 5 ? ["all"] : item.parts;
		return Promise.all(parts.map((part) => app.act("/cue/printed/unmute", [part, item.start_s, item.end_s], { gesture, what: `${item.name} plays live again` })));
	}

	menu(item) {
		return [...super.menu(item), ["Thaw", () => this.remove(item), "Backspace"]];
	}
}
