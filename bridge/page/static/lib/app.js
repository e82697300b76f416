// What all elements share: state, link, view, tiles, and the ways to change something.

import { GONE, Link, Refused } from "./link.js";
import { Messages } from "./messages.js";
import { Store } from "./store.js";
import { Tiles } from "./tiles.js";
import { Bars, lastAt, wrapped } from "./time.js";
import { View } from "./view.js";

const LISTS = ["chords", "bars", "cuts", "hits", "sections", "cues", "takes", "printed", "dialogue", "heard"];
const STATE = ["phase", "film", "plan", "mood", "sound", "jobs", "limits", "can", "log"];
// What a composer set there is "pinned", with or without words of its own; what a progression gives is "typed".
const STATES = { typed: "pinned", pinned: "pinned", given: "typed", provisional: "provisional" };
const SLIDER_REST_MS = 800; // keys on a slider are one gesture until they rest this long

export class App {
	#gesture = 0;
	#gestures = new Map();
	#audible = null;

	constructor(secret) {
		this.secret = secret;
		this.store = new Store();
		for (const name of ["get", "value", "on", "set", "touch"]) this[name] = this.store[name].bind(this.store);
		this.view = new View();
		this.tiles = new Tiles((kind, index) => this.#arrived(kind, index));
		this.messages = new Messages(this);
		this.rows = Object.fromEntries(LISTS.map((name) => [name, []]));
		this.bars = new Bars();
		this.table = new Map();
		this.you = "";
		this.refused = new Map(); // start of a chord -> sentence, until it is edited again
		this.held = new Set(); // addresses that a pointer holds here: others' changes wait
		const address = `ws://${location.host}/socket`;
		this.link = new Link(address, () => this.#greeting(), {
			heard: (message) => this.#heard(message),
			opened: () => this.#opened(),
			closed: (was, event) => this.#closed(was, event),
		});
	}

	async start() {
		try {
			const response = await fetch("/controls.json");
			if (response.ok) for (const row of await response.json()) this.table.set(row.address, row);
		} catch {
			// The socket's state says that the connection is gone.
		}
		this.set("table", this.table);
	}

	// where we are
	get rolling() {
		return Boolean(this.get("/cue/playhead")?.[5]);
	}

	get duration_s() {
		return this.get("film")?.duration_s ?? 0;
	}

	get fps() {
		const [top, below] = this.get("film")?.fps ?? [25, 1];
		return top / below || 25;
	}

	get frame_s() {
		return 1 / this.fps;
	}

	/** Where the bridge's transport is, in picture seconds. `now`: performance.now(). */
	position_s(now = performance.now()) {
		const [at_s, , , , , rolling] = this.get("/cue/playhead") ?? [0, 0, "", "", "", false];
		if (!rolling || this.link.offset_s === null) return at_s;
		const gone_s = now / 1000 + this.link.offset_s - this.get("playhead_t", 0);
		return wrapped(at_s + Math.max(0, Math.min(gone_s, this.link.open ? 2 : 1e9)), at_s, this.loop);
	}

	/** `[from, to]` in picture seconds where a loop is on, else null. */
	get loop() {
		const [on, from_s, to_s] = this.get("/cue/loop") ?? [false];
		return on && to_s > from_s ? [from_s, to_s] : null;
	}

	// chords
	get chords() {
		return this.get("chords", []);
	}

	chord_at(second) {
		const index = lastAt(this.chords, second + 1e-4, (chord) => chord.start_s);
		const chord = this.chords[index];
		return chord !== undefined && second < chord.end_s + 1e-6 ? chord : null;
	}

	selected_chord() {
		const selected = this.view.selected;
		if (selected?.lane !== "chords") return null;
		return this.chords.find((chord) => Math.abs(chord.start_s - selected.key) < 1e-3) ?? null;
	}

	// changes
	/** A name under which several edits are one step of undo. */
	gesture() {
		return `${this.you || "page"}-${++this.#gesture}`;
	}

	/** The gesture of a slider that is moved by keys: the same one until the keys rest. */
	key_gesture(name) {
		const now = performance.now();
		const running = this.#gestures.get(name);
		const gesture = running !== undefined && now - running.at < SLIDER_REST_MS ? running.gesture : this.gesture();
		this.#gestures.set(name, { gesture, at: now });
		return gesture;
	}

	/**
	 * Does what an address does, says when it will be heard, and says a refusal. Resolves to the answer or null.
	 * what: words for the message, as "G7 → E7"; null says nothing.
	 */
	async act(address, args = [], { gesture, what = null, quiet = false } = {}) {
		try {
			const answer = await this.link.do(address, args, gesture);
			if (what !== null && typeof answer.heard === "number") this.messages.changing(what, answer.heard, answer.id);
			else if (what !== null && !quiet) this.messages.say(what);
			return answer;
		} catch (error) {
			if (!(error instanceof Refused)) throw error;
			if (error.code !== "gone" && !quiet) this.messages.refuse(error.message, address, args);
			return null;
		}
	}

	toggle_play() {
		this.set("sound_wanted", true);
		return this.act(this.rolling ? "/cue/stop" : "/cue/play", []);
	}

	locate(second) {
		const at_s = Math.max(0, Math.min(second, this.duration_s || second));
		return this.act("/cue/locate", [at_s]);
	}

	pin(chord, name) {
		return this.act("/cue/chords/pin", [name, chord.start_s], { what: `${chord.name || "silence"} → ${name}` }).then((answer) => {
			if (answer !== null) this.refused.delete(chord.start_s);
			else this.refused.set(chord.start_s, name);
			this.touch("chords");
			return answer;
		});
	}

	unpin(chord) {
		return this.act("/cue/chords/unpin", [chord.start_s], { what: `${chord.name} goes back to the network` });
	}

	// what is heard
	/** Level and mute of a part here, in the page's own sound: the MIDI stays as it is. */
	audible(part) {
		this.#audible ??= new Map();
		if (!this.#audible.has(part)) this.#audible.set(part, { mute: false, solo: false, level_db: 0 });
		return this.#audible.get(part);
	}

	set_audible(part, changes) {
		Object.assign(this.audible(part), changes);
		this.set("audible", Object.fromEntries(this.#audible));
	}

	// messages
	#greeting() {
		const gone = this.get("gone_since");
		return gone === undefined ? { hello: this.secret } : { hello: this.secret, gone: Math.round((performance.now() - gone) / 1000) };
	}

	#opened() {
		this.set("gone_since", undefined);
		this.set("link", "open");
		this.tiles.reconnected();
		this.messages.online();
	}

	#closed(was, event) {
		if (event.code === 4403) {
			this.set("link", "refused");
			this.messages.offline("This address has expired; use the one the program printed.");
			return;
		}
		if (was) this.set("gone_since", performance.now());
		this.set("link", "gone");
		this.messages.offline(GONE);
	}

	#heard(message) {
		if (message.set !== undefined) {
			if (this.held.has(message.set)) return;
			if (message.set === "/cue/playhead") this.set("playhead_t", message.t ?? this.link.now_s());
			this.set(message.set, message.args);
		} else if (message.list !== undefined) {
			const rows = this.rows[message.list];
			rows?.splice(message.at, message.delete, ...message.rows);
			this.#list(message.list);
		} else if (message.plan !== undefined) {
			this.set("plan", { revision: message.plan, end_s: message.end_s, complete: message.complete });
			this.tiles.change_plan(message.plan, message.tiles ?? []);
			this.set("plan_change", message);
		} else if (message.edited !== undefined) {
			this.messages.edited(message);
		} else if (message.state !== undefined) {
			this.#state(message.state, message.you);
		} else if (message.job !== undefined) {
			const jobs = (this.get("jobs") ?? []).filter((job) => job.job !== message.job.job);
			this.set("jobs", [...jobs, message.job]);
			this.messages.job(message.job);
		} else if (message.sketch !== undefined) {
			this.set("sketch", message.sketch);
		} else if (message.say !== undefined) {
			this.messages.mention(message.say);
		} else if (message.id !== undefined && message.heard !== undefined) {
			this.messages.corrected(message.id, message.heard);
		} else if (message.error !== undefined) {
			this.messages.refuse(message.error[1]);
		}
		for (const name of STATE) if (message[name] !== undefined && message.state === undefined && name !== "plan") this.#part(name, message[name]);
	}

	#state(state, you) {
		this.you = you ?? this.you;
		this.set("playhead_t", state.t);
		for (const [address, args] of Object.entries(state.values)) if (!this.held.has(address)) this.set(address, args);
		for (const name of STATE) if (state[name] !== undefined) this.#part(name, state[name]);
		if (state.film === null) this.#part("film", null);
		for (const name of LISTS) {
			this.rows[name] = state.lists?.[name] ?? [];
			this.#list(name);
		}
		this.set("version", state.version);
		this.set("fresh", state);
	}

	#part(name, value) {
		if (name === "film" && value?.id) {
			this.tiles.set_film(value.id, value.duration_s);
			if (value.peaks && this.tiles.peaks === null) this.tiles.load_film("peaks");
			if (value.motion && this.tiles.motion === null) this.tiles.load_film("motion");
		}
		if (name === "plan" && value !== null) this.tiles.set_plan(value.revision);
		if (name === "mood" && value > 0) this.tiles.load_mood(value);
		this.set(name, value);
	}

	#list(name) {
		const rows = this.rows[name];
		if (name === "bars") {
			this.bars = new Bars(rows, this.duration_s);
			this.set("bars", this.bars);
		} else if (name === "chords") {
			this.set("chords", rows.map(([start_s, end_s, beats, place, name, kind, printed]) => ({ start_s, end_s, beats, place, name, state: STATES[kind] ?? "generated", printed })));
		} else this.set(name, rows);
	}

	#arrived(kind, index) {
		this.set(`tiles/${kind}`, index);
	}
}
