// Fetches blocks ahead of the playhead, ties the audio clock to the bridge's, says what is heard.

import { clamp } from "../lib/dom.js";
import { pref, setPref } from "../lib/prefs.js";
import { PARTS } from "../lib/tiles.js";
import { wrapped } from "../lib/time.js";
import { Here, Lag } from "./here.js";
import { Levels, weighted_power } from "./level.js";

const AHEAD = 9; // blocks: 4 s
const TICK_MS = 100;
const OFFSETS = 24; // readings of the output's clock that are smoothed
const STALE_S = 0.6; // a report older than this says nothing about what is heard
const REPORTS = 16; // kept: half a second and more, longer than any output takes to be heard

export class Sound {
	#context = null;
	#node = null;
	#socket = null;
	#offsets = [];
	#reports = []; // what the audio thread said, the newest last
	#loop = null; // the loop that it keeps, in samples
	#here = new Here();
	#lag = new Lag();
	#wanted = "";
	#despite = false;
	#tries = 0;
	#take = null; // whose blocks come
	#take_from = 0; // from this block on
	#unclaimed = null; // a change from this block on, of a take that is not in the list yet

	constructor(app) {
		this.app = app;
		this.levels = new Levels();
		this.wanted = pref("sound", true);
		app.on(["sound", "/cue/daw", "/cue/sync", "link", "/cue/playhead"], () => this.#say());
		app.on(["audible"], () => this.#levels());
		app.on(["takes"], () => this.#claim(null));
		app.on(["plan_change", "fresh", "film"], (changed) => this.#renew(changed));
		app.on(["/cue/playhead", "/cue/loop"], () => this.#tick());
		// A browser lets nothing sound before a click or a key.
		for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.#wake(), { capture: true });
		setInterval(() => this.#tick(), TICK_MS);
		this.#say();
	}

	get on() {
		return this.#context?.state === "running" && this.wanted;
	}

	get silent_for_daw() {
		return Boolean(this.app.get("sound")?.daw) && !this.#despite;
	}

	toggle() {
		this.wanted = !this.wanted;
		if (this.wanted) this.#wake();
		this.#levels();
		this.#say();
	}

	despite_daw() {
		this.#despite = true;
		this.#levels();
		this.#say();
	}

	/** What is heard, in picture seconds: the sound where there is one, else the bridge's clock. `now`: performance.now(). */
	heard_s(now = performance.now()) {
		const { app } = this;
		const offset = this.#offset();
		if (!this.#reports.length || !app.rolling || offset === null || !this.on) return app.position_s(now);
		const at = now / 1000 - offset; // second of the context that leaves the speaker now
		// What was made last is not heard yet: a jump is reported before it leaves the speaker.
		const report = this.#reports.findLast((each) => each.at <= at) ?? this.#reports[0];
		if (!report.rolling || Math.abs(at - report.at) > STALE_S) return app.position_s(now);
		const position = report.position + (at - report.at) * report.rate * 48000;
		return Math.max(0, wrapped(position, report.position, this.#loop)) / 48000;
	}

	async #wake() {
		if (!this.wanted || this.starting) return;
		if (this.#context === null) await this.#start();
		else if (this.#context.state === "suspended") await this.#context.resume().catch(() => {});
		this.#say();
	}

	async #start() {
		this.starting = true;
		try {
			const context = new AudioContext({ sampleRate: 48000, latencyHint: "interactive" });
			await context.audioWorklet.addModule("/static/sound/worklet.js");
			const node = new AudioWorkletNode(context, "cue-player", { numberOfInputs: 0, outputChannelCount: [2], processorOptions: { scale: this.app.get("sound")?.scale ?? 4 } });
			node.port.onmessage = ({ data }) => this.#reported(data);
			node.connect(context.destination);
			this.#context = context;
			this.#node = node;
			context.addEventListener("statechange", () => this.#say());
			await context.resume();
			this.#levels();
			this.#connect();
		} catch (error) {
			this.failed = String(error.message ?? error);
		} finally {
			this.starting = false;
			this.#say();
		}
	}

	// blocks
	#connect() {
		const socket = new WebSocket(`ws://${location.host}/sound`);
		socket.binaryType = "arraybuffer";
		this.#socket = socket;
		socket.addEventListener("open", () => {
			socket.send(JSON.stringify({ hello: this.app.secret }));
			this.#here.clear(); // a new server counts its revisions anew
			this.#wanted = "";
			this.#tries = 0;
			this.#tick();
		});
		socket.addEventListener("message", ({ data }) => (typeof data === "string" ? this.#told(JSON.parse(data)) : this.#block(data)));
		socket.addEventListener("close", (event) => {
			this.#socket = null;
			if (event.code !== 4403) setTimeout(() => this.#connect(), [500, 1000, 2000][Math.min(this.#tries++, 2)]);
		});
	}

	#block(data) {
		const { stream, index, revision, parts } = readBlock(data);
		this.#here.put(stream, index, revision);
		const level = stream === 1 ? this.#level(index, parts) : 1;
		this.#node?.port.postMessage({ stream, index, revision, parts, level }, [data]);
	}

	/** Whether the take that plays and the one before it are equally loud. */
	get equal() {
		return pref("equal_loudness", true);
	}

	set equal(on) {
		setPref("equal_loudness", on);
		// All that is here is fetched again, with the levels of now.
		this.#here.clear();
		this.#wanted = "";
		this.#tick();
	}

	/** The factor of a block of music, so that the two takes that are compared are equally loud. */
	#level(index, parts) {
		const { app, levels } = this;
		const other = app.get("take_before");
		if (this.#take === null || this.#unclaimed !== null) return 1;
		// The block in which a take begins is of both: it keeps the level of the one before.
		const older = this.#take_from > 0 && index <= this.#take_from;
		if (!older) levels.put(this.#take, index, weighted_power(parts, (app.get("sound")?.scale ?? 4) / 32767));
		if (other === undefined || other === this.#take || !this.equal) return 1;
		return older ? levels.gain(other, this.#take) : levels.gain(this.#take, other);
	}

	#told({ revision, from }) {
		this.#claim(from);
		this.#here.renewed(revision, from);
		this.#wanted = "";
		this.#tick();
	}

	/** Whose blocks come from now on. from: the first block of a change; null: only the list of takes has changed. */
	#claim(from) {
		const take = this.app.rows.takes.find((row) => row[3])?.[0] ?? null;
		const first = from === null ? this.#unclaimed : Math.min(from, this.#unclaimed ?? Infinity);
		if (take === null) this.#unclaimed = first;
		else if (this.#take === null) [this.#take, this.#take_from, this.#unclaimed] = [take, first ?? 0, null];
		else if (first !== null) {
			// The list may be ahead of the music: a take begins with the first change after it is listed.
			if (take === this.#take) this.levels.forget(take, first);
			this.#take_from = take === this.#take ? Math.min(this.#take_from, first) : first;
			[this.#take, this.#unclaimed] = [take, null];
		}
	}

	#renew(changed) {
		if (changed.has("film") && this.film !== this.app.get("film")?.id) {
			this.film = this.app.get("film")?.id;
			this.#here.clear();
			this.levels.clear();
			[this.#take, this.#take_from, this.#unclaimed] = [null, 0, null];
			this.#node?.port.postMessage({ forget: true });
		}
		this.#wanted = "";
	}

	#want() {
		const { app } = this;
		if (this.#socket?.readyState !== WebSocket.OPEN || !this.wanted || this.silent_for_daw) return;
		const first = Math.max(0, Math.floor(app.position_s() * 2));
		const film = Boolean(app.get("film")?.sound) && !app.audible("film").mute;
		const wanted = `${first} ${film}`;
		if (wanted === this.#wanted) return;
		this.#wanted = wanted;
		const lacks = (stream) => this.#here.lacking(stream, first, first + AHEAD);
		const message = { want: lacks(1), film: film && lacks(2) };
		// Where a busy machine leaves some out, those after them are here.
		const have = this.#here.within(1, message.want[0], message.want[0] + message.want[1]);
		if (have.length) message.have = have;
		if (message.want[1] || message.film[1]) this.#socket.send(JSON.stringify(message));
	}

	/** Says so where a busy machine makes the music later than it is due. */
	#watch() {
		const { app } = this;
		const at_s = app.position_s();
		const playing = app.rolling && this.on && !this.silent_for_daw && app.get("sound")?.ready && at_s < (app.get("plan")?.end_s ?? 0);
		const was = this.#lag.behind;
		if (this.#lag.watch(performance.now() / 1000, playing ? this.#here.has(1, Math.floor(at_s * 2)) : null) !== was) this.#say();
	}

	// clock
	#offset() {
		if (!this.#offsets.length) return null;
		return [...this.#offsets].sort((a, b) => a - b)[this.#offsets.length >> 1];
	}

	#tick() {
		this.#want();
		this.#watch();
		const context = this.#context;
		if (context === null || context.state !== "running") return;
		// The browser's own reading jumps by 10 to 50 ms: the median of many is used.
		const stamp = context.getOutputTimestamp();
		if (stamp.contextTime > 0) this.#offsets.push(stamp.performanceTime / 1000 - stamp.contextTime);
		if (this.#offsets.length > OFFSETS) this.#offsets.shift();
		const offset = this.#offset();
		if (offset === null || this.app.link.offset_s === null) return;
		const { app } = this;
		const at = context.currentTime;
		const here_s = performance.now() / 1000;
		// A sample of context second `at` is heard at page second at + offset: there the bridge will be further on.
		const now_s = app.position_s();
		const position = wrapped(now_s + (app.rolling ? at + offset - here_s : 0), now_s, app.loop) * 48000;
		const loop = app.loop?.map((second) => Math.round(second * 48000)) ?? null;
		this.#loop = loop;
		this.#node.port.postMessage({ clock: { at, position, rolling: app.rolling, loop } });
	}

	/** What the audio thread said last: `{at, position, rolling, rate, peak}`; null before it runs. */
	get report() {
		return this.#reports.at(-1) ?? null;
	}

	#reported(report) {
		this.#reports.push(report);
		if (this.#reports.length > REPORTS) this.#reports.shift();
	}

	// levels
	#levels() {
		if (this.#node === null) return;
		const { app } = this;
		const all = this.wanted && !this.silent_for_daw ? this.#linear(app.audible("all")) : 0;
		const solo = PARTS.some((part) => app.audible(part).solo);
		const gain = { film: all * this.#linear(app.audible("film")) };
		for (const part of PARTS) gain[part] = solo && !app.audible(part).solo ? 0 : all * this.#linear(app.audible(part));
		this.#node.port.postMessage({ gain });
	}

	#linear({ mute, level_db }) {
		return mute ? 0 : 10 ** (clamp(level_db, -60, 12) / 20);
	}

	#say() {
		const { app } = this;
		const sound = app.get("sound");
		let [word, why] = ["Sound on", ""];
		if (sound && !sound.ready && sound.sentence) [word, why] = ["No sound", sound.sentence];
		else if (this.failed) [word, why] = ["No sound", this.failed];
		else if (!this.wanted) word = "Sound off";
		else if (this.silent_for_daw) [word, why] = ["DAW sounds", "The DAW is playing, so this page is silent."];
		else if (this.#context?.state !== "running") [word, why] = app.rolling ? ["No sound yet", "No sound yet: click anywhere."] : ["Sound ready", ""];
		else if (this.#lag.behind) [word, why] = ["Sound behind", "The sound cannot keep up: this computer is busy. MIDI is not affected."];
		const known = app.get("sound_state");
		if (known?.word === word && known.why === why) return;
		app.set("sound_state", { word, why, on: word === "Sound on" });
		this.#levels();
		if (known?.why && known.why !== why) app.messages.unsay(known.why);
		if (why && word !== known?.word && app.get("fresh")) app.messages.say(why, this.silent_for_daw ? { text: "Play here too", run: () => this.despite_daw() } : null);
	}
}

/** A binary message of the sound socket: header of five 32-bit integers, then per part a name and its samples. */
function readBlock(data) {
	const view = new DataView(data);
	const [stream, revision, index, samples, count] = [0, 4, 8, 12, 16].map((at) => view.getUint32(at, true));
	const parts = new Map();
	let at = 20;
	for (let part = 0; part < count; part++) {
		const name = String.fromCharCode(...new Uint8Array(data, at, 8)).replace(/\0+$/, "");
		at += 8;
		parts.set(name, new Int16Array(data, at, samples * 2)); // not copied: the whole message goes on to the audio thread
		at += samples * 4;
	}
	return { stream, revision, index, parts };
}
