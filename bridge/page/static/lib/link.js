// The one socket to the bridge: edits and their answers, values, the bridge's clock, and coming back.

const HANGS_S = 10; // who does not answer a ping
const PING_S = 2;
const FIRST_PINGS = 12;
const KEPT_PINGS = 64;
const RETRY_MS = [500, 1000, 2000];
export const GONE = "The connection is gone; the music plays on. Trying again.";

/** A refusal: `code` and a sentence for the person. */
export class Refused extends Error {
	constructor(code, sentence) {
		super(sentence);
		this.code = code;
	}
}

/**
 * Keeps a socket open and calls `heard` with every message that answers no request.
 * `offset_s` is the bridge's monotonic second minus `performance.now()/1000`, from the fastest tenth of the pings.
 */
export class Link {
	#socket = null;
	#waiting = new Map();
	#next = 1;
	#pings = [];
	#tries = 0;
	#pinged = 0;

	constructor(url, greeting, { heard, opened, closed }) {
		this.url = url;
		this.greeting = greeting;
		this.heard = heard;
		this.opened = opened;
		this.closed = closed;
		this.open = false;
		this.offset_s = null;
		this.#connect();
		setInterval(() => this.#ping(), PING_S * 1000);
	}

	now_s() {
		return performance.now() / 1000 + (this.offset_s ?? 0);
	}

	/** Does what an address does. Resolves to the answer `{id, ok, heard}`; rejects with Refused. */
	do(address, args = [], gesture = undefined) {
		return this.#ask(gesture === undefined ? { do: address, args } : { do: address, args, g: gesture });
	}

	/** Asks what an address would answer; nothing is changed. */
	try(address, args = []) {
		return this.#ask({ try: address, args });
	}

	send(message) {
		if (this.open) this.#socket.send(JSON.stringify(message));
	}

	#ask(message) {
		if (!this.open) return Promise.reject(new Refused("gone", GONE));
		const id = this.#next++;
		this.#socket.send(JSON.stringify({ id, ...message }));
		return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, message }));
	}

	#connect() {
		const socket = new WebSocket(this.url);
		socket.binaryType = "arraybuffer";
		this.#socket = socket;
		socket.addEventListener("open", () => socket.send(JSON.stringify(this.greeting())));
		socket.addEventListener("message", (event) => this.#message(event.data));
		socket.addEventListener("close", (event) => this.#closed(socket, event));
	}

	#closed(socket, event) {
		if (socket !== this.#socket) return;
		const was = this.open;
		this.open = false;
		this.#pings = [];
		this.#pinged = 0;
		for (const { reject } of this.#waiting.values()) reject(new Refused("gone", GONE));
		this.#waiting.clear();
		this.closed(was, event);
		setTimeout(() => this.#connect(), RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)]);
	}

	#message(data) {
		if (typeof data !== "string") return this.heard(data);
		const message = JSON.parse(data);
		if (message.clock !== undefined && message.t !== undefined) {
			this.#pong(message);
			return;
		}
		if (message.id !== undefined && this.#waiting.has(message.id)) {
			const { resolve, reject } = this.#waiting.get(message.id);
			this.#waiting.delete(message.id);
			if (message.error) reject(new Refused(message.error[0], message.error[1]));
			else resolve(message);
			return;
		}
		if (message.state !== undefined && !this.open) {
			this.open = true;
			this.#tries = 0;
			this.opened();
			for (let count = 0; count < FIRST_PINGS; count++) setTimeout(() => this.#ping(), count * 40);
		}
		this.heard(message);
	}

	#ping() {
		if (!this.open) return;
		const old_s = performance.now() / 1000 - HANGS_S;
		if (this.#pings.findLast((each) => each.sent_s < old_s)?.trip_s === null) {
			this.#socket.close(); // it hangs, and would for minutes
			return this.#closed(this.#socket, {});
		}
		const clock = ++this.#pinged;
		this.#pings.push({ clock, sent_s: performance.now() / 1000, trip_s: null, offset_s: 0 });
		if (this.#pings.length > KEPT_PINGS) this.#pings.shift();
		this.#socket.send(JSON.stringify({ clock }));
	}

	#pong({ clock, t }) {
		const ping = this.#pings.find((each) => each.clock === clock);
		if (ping === undefined) return;
		const now_s = performance.now() / 1000;
		ping.trip_s = now_s - ping.sent_s;
		ping.offset_s = t - (ping.sent_s + now_s) / 2;
		const done = this.#pings.filter((each) => each.trip_s !== null).sort((a, b) => a.trip_s - b.trip_s);
		const best = done.slice(0, Math.max(1, Math.floor(done.length / 10)));
		this.offset_s = best.reduce((sum, each) => sum + each.offset_s, 0) / best.length;
	}
}
