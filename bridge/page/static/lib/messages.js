// The one line of messages and its log: what changes and when it is heard, refusals, progress, the lost connection.

const KEPT = 200;
const SHOWN_MS = 9000;
const STOPPED_MS = 6000; // a change that waits for play is not counted down
const DONE_MS = 1500; // a change stays on the line this long after it is heard

export class Messages extends EventTarget {
	#app;
	#changes = [];
	#line = null;
	#progress = null;
	#gone = "";

	constructor(app) {
		super();
		this.#app = app;
		this.log = [];
		this.once = new Set();
	}

	say(text, act = null) {
		this.#show({ kind: "said", text, act, until: performance.now() + SHOWN_MS });
	}

	/** What the bridge says by itself: it waits until no change is counted down. */
	mention(text) {
		this.#show({ kind: "said", text, until: performance.now() + SHOWN_MS, aside: true });
	}

	/** A refusal stays until something else is said or done. */
	refuse(sentence, address = "", args = []) {
		const act = /\bis in the DAW\b/.test(sentence) ? this.#thaw(address, args) : null;
		this.#show({ kind: "refused", text: sentence, act, until: Infinity, address });
		this.dispatchEvent(new CustomEvent("refused", { detail: sentence }));
	}

	#thaw(address, args) {
		const at_s = args.find((value) => typeof value === "number");
		const printed = at_s === undefined ? undefined : this.#app.rows.printed.find(([, from_s, to_s]) => at_s >= from_s - 1e-3 && at_s < to_s);
		if (printed === undefined) return null;
		return { text: "Thaw", run: () => this.#app.act("/cue/printed/unmute", ["all", printed[1], printed[2]], { what: "the range plays live again" }) };
	}

	/** A change that is answered and not heard yet. */
	changing(what, heard_s, id) {
		this.#changes = [...this.#changes.filter((each) => each.id !== id), { what, heard_s, id, since: performance.now(), done: 0 }].slice(-4);
		this.#keep("changing", `${what}, heard at ${this.#app.bars.text(heard_s)}`);
		this.#line = null;
		this.#tell();
	}

	corrected(id, heard_s) {
		const change = this.#changes.find((each) => each.id === id);
		if (change === undefined) return;
		if (heard_s === null) this.#changes = this.#changes.filter((each) => each !== change);
		else change.heard_s = heard_s;
		this.#tell();
	}

	edited({ edited, by, heard }) {
		this.#app.set("edited", { edited, by, heard });
		if (by === this.#app.you) return;
		if (typeof heard === "number") this.changing(`${edited} (by ${by})`, heard, `${by}${edited}`);
		else this.say(`${edited} (by ${by})`);
	}

	job(job) {
		if (job.error) {
			this.#progress = null;
			this.refuse(job.error);
		} else if (job.fraction >= 1) {
			this.#progress = null;
			if (job.link) this.#show({ kind: "said", text: `${decodeURIComponent(job.link.split("/").pop())} is ready.`, link: job.link, until: Infinity });
			else this.#tell();
		} else {
			this.#progress = job;
			this.#tell();
		}
	}

	offline(text) {
		if (this.#gone === text) return;
		this.#gone = text;
		this.#keep("gone", text);
		this.#tell();
	}

	online() {
		this.#gone = "";
		this.#tell();
	}

	/** What was said is no longer true: it leaves the line. */
	unsay(text) {
		if (this.#line?.text === text) this.clear();
	}

	clear() {
		this.#line = null;
		this.#tell();
	}

	#show(line) {
		this.#line = line;
		this.#keep(line.kind, line.text);
		this.#tell();
	}

	#keep(kind, text) {
		this.log.push({ kind, text, at: new Date() });
		if (this.log.length > KEPT) this.log.shift();
	}

	#tell() {
		this.dispatchEvent(new Event("changed"));
	}

	/** The changes that the ruler flags: `{heard_s, what, done}`. */
	get changes() {
		return this.#changes;
	}

	/** What the line shows now: `{kind, text, spoken, progress?, act?, link?, undo?}`; spoken is for screen readers. */
	now() {
		const app = this.#app;
		const time = performance.now();
		if (this.#gone) return { kind: "refused", text: this.#gone, spoken: this.#gone };
		const at_s = app.position_s();
		for (const change of this.#changes) {
			if (change.done === 0 && (app.rolling ? at_s >= change.heard_s : time - change.since > STOPPED_MS)) change.done = time;
		}
		this.#changes = this.#changes.filter((each) => each.done === 0 || time - each.done < DONE_MS);
		const pending = this.#changes.length > 0;
		if (this.#line !== null && time < this.#line.until && !(this.#line.aside && pending)) {
			const [what, fraction] = app.get("/cue/progress") ?? ["", 1];
			const busy = this.#line.kind === "said" && what && fraction < 1;
			return { ...this.#line, spoken: this.#line.text, progress: busy ? fraction : undefined };
		}
		const last = this.#changes.at(-1);
		if (last !== undefined) {
			const place = app.bars.text(last.heard_s);
			const left_s = last.heard_s - at_s;
			const when = last.done ? "heard" : app.rolling && left_s >= 0 ? `heard in ${left_s.toFixed(1)} s` : "heard when it plays";
			return { kind: "change", head: "Changing:", text: `${last.what} at ${place} · ${when}`, spoken: `Changing: ${last.what} at ${place}`, undo: true };
		}
		if (this.#progress !== null) {
			const { words, what, fraction, left_s, job } = this.#progress;
			const left = left_s > 0 ? ` · ${Math.ceil(left_s)} s left` : "";
			return { kind: "said", text: `${what}: ${words} ${Math.round(fraction * 100)} %${left}`, spoken: `${what}: ${words}`, progress: fraction, job };
		}
		const [what, fraction, words] = app.get("/cue/progress") ?? ["", 1, ""];
		if (what && fraction < 1 && words) return { kind: "said", text: words, spoken: words, progress: fraction };
		const [label, from_s] = app.get("/cue/changing") ?? ["", 0];
		if (label) return { kind: "change", head: "Changing:", text: `${label} at ${app.bars.text(from_s)}`, spoken: `Changing: ${label}` };
		return { kind: "", text: "", spoken: "" };
	}
}
