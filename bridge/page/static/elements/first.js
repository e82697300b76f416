// The first visit: choose a film, say key and chords if you like, one button; analysis goes on meanwhile.

import { h, icon, keyList, labelled, say, setText } from "../lib/dom.js";

export class First extends HTMLElement {
	start(app) {
		this.app = app;
		this.setAttribute("role", "region");
		this.setAttribute("aria-label", "First visit");
		this.screen = "";
		app.on(["phase", "film", "cuts", "link", "jobs", "/cue/progress", "fresh"], () => this.#follow());
	}

	/** From the menu: another film. */
	open() {
		this.asked = true;
		this.#follow();
	}

	#follow() {
		const { app } = this;
		const phase = app.get("phase");
		if (app.get("link") === "refused") return;
		if (phase === undefined || app.get("fresh") === undefined) return;
		const film = app.get("film");
		if (this.asked && film && film.id !== this.film && this.film !== undefined && this.screen === "choose") this.asked = false;
		const begins = phase === "empty" || this.asked;
		if (begins) {
			this.chosen = true; // a film that comes now was chosen here
			this.#show("choose");
		} else if (this.chosen && !this.written) this.#show("write");
		else this.#show("");
		this.film = film?.id;
		if (this.screen === "write") this.#tell();
		if (this.screen === "choose") this.#job();
	}

	#show(screen) {
		if (screen === this.screen) return;
		this.screen = screen;
		this.hidden = screen === "";
		document.querySelector("cue-app").inert = screen !== "";
		if (screen === "choose") this.#choose();
		else if (screen === "write") this.#write();
		else this.replaceChildren();
	}

	// one: which film
	#choose() {
		const { app } = this;
		const file = h("input", { type: "file", accept: "video/*,.mkv,.mov,.mxf,.avi", class: "unseen", tabindex: "-1", "aria-hidden": "true", onchange: () => file.files[0] && this.#upload(file.files[0]) });
		this.pick = h("button", { class: "primary", onclick: () => file.click() }, "Choose a film");
		const link = h("input", { type: "url", placeholder: "or paste a link", "aria-label": "Link to a film" });
		this.say = h("p", { class: "under", role: "status" });
		this.bar = h("progress", { max: "1", hidden: true, "aria-label": "Progress" });
		const drop = h("div", { class: "drop" },
			this.pick,
			file,
			h("span", { class: "label" }, "or drop it here"),
			app.get("can")?.link === false
				? null
				: h("form", { onsubmit: (event) => (event.preventDefault(), link.value.trim() && this.#link(link.value.trim())) }, link, h("button", {}, "Fetch")),
			h("button", { class: "link", onclick: () => this.#act("/page/film/bundled", []) }, "Try the bundled clip"),
			this.bar,
			this.say,
		);
		drop.addEventListener("dragover", (event) => (event.preventDefault(), drop.classList.add("over")));
		drop.addEventListener("dragleave", () => drop.classList.remove("over"));
		drop.addEventListener("drop", (event) => {
			event.preventDefault();
			drop.classList.remove("over");
			if (event.dataTransfer.files[0]) this.#upload(event.dataTransfer.files[0]);
		});
		this.replaceChildren(
			h("h1", {}, "Music for your film"),
			h("p", { class: "lead" }, "CueBridge watches your film and writes chords for it. You change what you like; it keeps the rest. Nothing leaves this computer."),
			drop,
			this.app.get("phase") !== "empty" ? h("button", { class: "link", onclick: () => ((this.asked = false), (this.chosen = false), this.#follow()) }, "Back") : "",
		);
		this.pick.focus();
	}

	async #act(address, args) {
		this.#said(this.asked ? "The music plays on until it is there." : "");
		try {
			return await this.app.link.do(address, args);
		} catch (error) {
			this.#said(error.message, true);
		}
	}

	#said(text, bad) {
		if (this.say?.isConnected) say(this.say, text, bad);
	}

	/** The film's bytes go to this computer's own server; a limit is said before the first byte. */
	#upload(file) {
		const { app } = this;
		const limit = app.get("limits")?.upload_bytes ?? Infinity;
		const gigabytes = (bytes) => (bytes / 1024 ** 3).toFixed(1);
		if (file.size > limit) {
			this.#said(`${file.name} is ${gigabytes(file.size)} GB; ${gigabytes(limit).replace(/\.0$/, "")} GB is the most (--upload-limit).`, true);
			return;
		}
		this.pick.disabled = true;
		this.bar.hidden = false;
		const request = new XMLHttpRequest(); // fetch cannot say how much is sent
		request.open("POST", "/upload");
		request.responseType = "json";
		request.setRequestHeader("X-CueBridge-Secret", app.secret);
		request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
		request.upload.onprogress = (event) => {
			this.bar.value = event.loaded / Math.max(1, event.total);
			this.#said(`${file.name}: ${Math.round(this.bar.value * 100)} %`);
		};
		request.onloadend = () => {
			this.pick.disabled = false;
			this.bar.hidden = true;
			const { response } = request;
			if (request.status === 200 && response?.upload) this.#act("/page/film/upload", [response.upload]);
			else this.#said(response?.error?.[1] ?? "The film did not arrive; try again.", true);
		};
		request.send(file);
	}

	async #link(address) {
		const answer = await this.#act("/page/film/link", [address]);
		this.job = answer?.ok?.[0];
	}

	#job() {
		const job = (this.app.get("jobs") ?? []).find((each) => each.job === this.job);
		if (job === undefined || !this.bar) return;
		this.bar.hidden = Boolean(job.error) || job.fraction >= 1;
		this.bar.value = job.fraction;
		this.#said(job.error || `${job.words} ${Math.round(job.fraction * 100)} %`, Boolean(job.error));
	}

	// two: write the music
	#write() {
		const { app } = this;
		const film = app.get("film");
		this.video = h("video", { muted: true, playsinline: true, preload: "auto", "aria-label": "Film" });
		this.video.muted = true;
		this.seen = h("p", { class: "seen label", role: "status" });
		this.key = keyList();
		this.chords = h("input", { type: "text", placeholder: "e.g. C Am F G", spellcheck: "false", autocomplete: "off", "aria-describedby": "first-chords" });
		this.under = h("p", { class: "under", id: "first-chords" });
		const go = h("button", { class: "primary" }, icon("play"), "Write the music");
		this.replaceChildren(
			h("h1", {}, film?.name ?? "Your film"),
			this.video,
			this.seen,
			h("form", { onsubmit: (event) => (event.preventDefault(), this.#go()) },
				h("div", { class: "two", style: "width:100%" },
					labelled("Key", this.key),
					labelled("Chords", this.chords, this.under),
				),
				go,
			),
		);
		this.key.addEventListener("change", () => this.#set("/cue/key", this.key.value));
		go.focus();
		this.#tell();
	}

	#tell() {
		const { app } = this;
		const film = app.get("film");
		if (film?.video && !this.video.src) this.video.src = film.video;
		const cuts = app.rows.cuts.length;
		const [, fraction = 1, words = ""] = app.get("/cue/progress") ?? [];
		const found = `${cuts} cut${cuts === 1 ? "" : "s"}`;
		setText(this.seen, app.get("phase") === "ready" ? `The film has ${found}.` : `Looking at the film: ${found} so far${words ? ` (${words}${fraction > 0 && fraction < 1 ? `, ${Math.round(fraction * 100)} %` : ""})` : ""}`);
	}

	async #set(address, value) {
		try {
			await this.app.link.do(address, [value]);
			return true;
		} catch (error) {
			say(this.under, error.message, true);
			return false;
		}
	}

	async #go() {
		const { app } = this;
		say(this.under, "");
		const text = this.chords.value.trim();
		if (text && !(await this.#set("/cue/progression", text))) {
			return this.chords.focus();
		}
		this.written = true;
		this.asked = false;
		this.#follow();
		this.chosen = false;
		this.written = false;
		document.querySelector("cue-top .play").focus();
		app.messages.say("Press Space. Change any chord by clicking it.");
	}
}

customElements.define("cue-first", First);
