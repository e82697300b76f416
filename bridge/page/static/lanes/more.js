// Lanes that a film need not have, loaded with the first of what they show: cues, form, speech, ranges in the DAW.

import { outside, rows_of } from "../lib/values.js";
import { SpanLane } from "./spans.js";

/** What the cue's plan says: letter, role, mood, who plays; a proposal until it is accepted. */
class FormLane extends SpanLane {
	constructor(app) {
		super(app, "form", "Form", ["/cue/plan", "/cue/form/sections"]);
		this.in_bars = true;
	}

	get small() {
		return this.app.get("/cue/plan")?.[0] ?? "";
	}

	spans() {
		const plan = rows_of(this.app.get("/cue/plan") ?? [], 8, 3);
		const form = rows_of(this.app.get("/cue/form/sections") ?? [], 6);
		if (plan.length !== form.length) return []; // one of the two is on its way
		return plan.map(([start_s, letter, role, mood, intensity, palette, key, parts], index) => {
			const [, end_s, , , given, state] = form[index];
			const name = given || `${letter} ${role}`;
			const first = index === 0;
			return {
				start_s, end_s, name, given, state, first, last: index === plan.length - 1, tone: mood, dashed: state === "proposed", parts: parts.split(","),
				note: `${state === "proposed" ? "" : `${state} · `}${given ? `${letter} ${role} · ` : ""}${mood} · ${key} · ${parts.replaceAll(",", ", ")}`,
				rows: [["State", state], ["Role", role], ["Mood", mood], ["Intensity", `${intensity} of 4`], ["Ensemble", `${this.app.get("/cue/plan")[1]}, palette ${palette}`], ["Key", key], ["Texture", parts.replaceAll(",", ", ")]],
				text: `${name}, ${state}, ${mood}, ${key}, ${parts}`,
			};
		});
	}

	open(item) {
		this.app.later("./elements/section-sheet.js", "openPlanned", item);
	}

	accept(item) {
		return this.app.act("/cue/form/accept", [item.start_s], { what: `${item.name} accepted` });
	}

	/** The section before it goes on. */
	remove(item) {
		return this.app.act("/cue/form/refuse", [item.start_s], { what: `${item.name} refused` });
	}

	merge(item) {
		return this.app.act("/cue/form/merge", [item.start_s], { what: "sections merged" });
	}

	move(item, to_s, gesture = this.app.gesture()) {
		return this.app.act("/cue/form/move", [item.start_s, to_s], { gesture, what: `${item.name} from bar ${this.app.bars.at(to_s)?.bar ?? ""}` });
	}

	hit(second, _y, view) {
		const item = super.hit(second) ?? this.items(second, second).at(-1) ?? null;
		return item !== null && !item.first && (second - item.start_s) * view.zoom <= 6 ? { ...item, edge: item.start_s } : item;
	}

	drag(item) {
		return item.edge === undefined ? null : this.bar_drag(item, "/cue/form/move");
	}

	menu(item) {
		const range = [item.start_s, item.end_s];
		return [
			["What it is, its name…", () => this.open(item), "Enter"],
			["Go there", () => this.app.locate(item.start_s)],
			null,
			...(item.state === "proposed" ? [["Accept", () => this.accept(item)]] : []),
			...(item.first ? [] : [["Refuse: the one before goes on", () => this.remove(item), "Backspace"], ["Begins a bar earlier", () => this.by_bars(item, -1), "Alt+←"], ["Begins a bar later", () => this.by_bars(item, 1), "Alt+→"]]),
			...(item.last ? [] : [["Merge with next", () => this.merge(item)]]),
			null,
			["Simpler", () => this.app.act("/cue/simpler", range, { what: "simpler" })],
			["Busier", () => this.app.act("/cue/busier", range, { what: "busier" })],
		];
	}
}

/** Where people speak, and where the film's own sound has music.  Lines are the composer's; what is only heard is shown, and can be taken as lines. */
class SpeechLane extends SpanLane {
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

/** The cues of the film; those that spotting proposes until they are accepted. */
class CuesLane extends SpanLane {
	constructor(app) {
		super(app, "cues", "Cues", ["cues", "/cue/cues/proposed"]);
	}

	/** One cue over the whole film is none to be shown. */
	item_count() {
		const { cues } = this.app.rows;
		return cues.length > 1 || this.proposed().size ? cues.length : 0;
	}

	/** Why a cue is proposed, by its place from 1. */
	proposed() {
		return new Map(rows_of(this.app.get("/cue/cues/proposed") ?? [], 3).map(([number, , reason]) => [number, reason]));
	}

	spans() {
		const why = this.proposed();
		return this.app.rows.cues.map(([number, name, start_s, end_s, selected]) => ({
			start_s, end_s, name, number, selected, proposed: why.has(number), tone: selected ? "accent" : "edge", dashed: why.has(number),
			note: why.has(number) ? `proposed: ${why.get(number)}` : "", text: `cue ${name}${why.has(number) ? `, proposed: ${why.get(number)}` : ""}${selected ? ", selected" : ""}`,
		}));
	}

	open(item) {
		return this.app.act("/cue/cues/select", [item.name], { what: `cue ${item.name}` });
	}

	accept(item) {
		return this.app.act("/cue/cues/accept", [item.name], { what: `cue ${item.name} accepted` });
	}

	remove(item) {
		const address = item.proposed ? "/cue/cues/refuse" : "/cue/cues/remove";
		return this.app.act(address, [item.name], { what: `cue ${item.name} ${item.proposed ? "refused" : "deleted"}` });
	}

	/** In or Out elsewhere: of the selected cue, so it is selected. */
	async move(item, edge, to_s, gesture = this.app.gesture()) {
		const { app } = this;
		if (!item.selected && (await app.act("/cue/cues/select", [item.name])) === null) return null;
		return app.act(edge === "start_s" ? "/cue/in" : "/cue/out", [to_s], { gesture, what: `cue ${item.name} ${edge === "start_s" ? "in" : "out"} ${app.bars.text(to_s)}` });
	}

	hit(second, _y, view) {
		const near = this.items(second - 6 / view.zoom, second + 6 / view.zoom);
		for (const item of near) {
			const edge = ["start_s", "end_s"].find((name) => Math.abs(item[name] - second) * view.zoom <= 6);
			if (edge !== undefined) return { ...item, edge };
		}
		return super.hit(second);
	}

	drag(hit) {
		if (hit.edge === undefined) return null;
		const { app } = this;
		return this.edge_drag({
			bounded: (second) => Math.max(0, Math.min(second, app.duration_s)),
			tip: (second) => `${hit.edge === "start_s" ? "In" : "Out"} ${second.toFixed(2)} s`,
			moved: (second) => this.move(hit, hit.edge, second),
		});
	}

	key(event, item) {
		if (!event.altKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return super.key(event, item);
		const edge = event.shiftKey ? "end_s" : "start_s";
		const to_s = Math.max(0, item[edge] + (event.key === "ArrowLeft" ? -1 : 1) * this.app.frame_s);
		this.move(item, edge, to_s, this.app.key_gesture("cue")).then((answer) => answer !== null && edge === "start_s" && this.app.view.select(this.id, to_s));
		return true;
	}

	menu(item) {
		const { app } = this;
		return [
			["Its controls and takes", () => this.open(item), "Enter"],
			["Go there", () => app.locate(item.start_s)],
			null,
			...(item.proposed ? [["Accept", () => this.accept(item)], ["Refuse", () => this.remove(item), "Backspace"]] : [["Delete", () => this.remove(item), "Backspace"]]),
			["In at the playhead", () => this.move(item, "start_s", app.position_s())],
			["Out at the playhead", () => this.move(item, "end_s", app.position_s())],
		];
	}
}

/** Ranges that are in the DAW: ours are silent there. */
class PrintedLane extends SpanLane {
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

/** The lanes by their names. */
export const lanes = (app) => ({ cues: new CuesLane(app), form: new FormLane(app), speech: new SpeechLane(app), printed: new PrintedLane(app) });
