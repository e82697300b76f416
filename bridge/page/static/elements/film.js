// The film, always mute: its sound comes with the music's. It follows what is heard.

import { h, setText } from "../lib/dom.js";

const SEEN_MS = 33; // from a frame's scripts until what they did is seen: two refreshes

export class FilmView extends HTMLElement {
	start(app) {
		this.app = app;
		this.video = this.#element();
		this.video.classList.add("front");
		this.name = h("b");
		this.place = h("small");
		this.now = h("div", { class: "now", "aria-hidden": "true" }, this.name, this.place);
		this.words = h("p");
		this.bar = h("progress", { max: "1", "aria-label": "Copy of the film" });
		this.without = h("button", { onclick: () => this.#go_on() }, "Go on without picture");
		this.again = h("button", { onclick: () => app.act("/page/film/copy", [app.get("film").id]) }, "Try again");
		this.wait = h("div", { class: "wait", hidden: true }, this.words, this.bar, h("div", {}, this.again, " ", this.without));
		this.append(this.video, this.now, this.wait);
		this.sync = null; // fetched with the first film
		this.video.addEventListener("error", () => this.#failed());
		this.addEventListener("click", (event) => !event.target.closest("button") && app.toggle_play());
		app.on(["film"], () => this.#film());
		app.onframe(() => this.#show());
	}

	async #follow() {
		const { FilmSync } = await this.app.film_sync();
		this.sync ??= new FilmSync(this.video, this.app, { spare: () => this.#spare(), turned: (front, back) => this.#turn(front, back) });
	}

	#element() {
		const video = h("video", { muted: true, playsinline: true, preload: "auto", disablepictureinpicture: true, "aria-label": "Film" });
		video.muted = true;
		return video;
	}

	/** The element under the one that is seen; only once the film is played, for it costs memory. */
	#spare() {
		this.back = this.#element();
		this.back.setAttribute("aria-hidden", "true");
		if (this.source) this.back.src = this.source;
		this.video.before(this.back);
		return this.back;
	}

	#turn(front, back) {
		front.classList.add("front");
		back.classList.remove("front");
		front.removeAttribute("aria-hidden");
		back.setAttribute("aria-hidden", "true");
		[this.video, this.back] = [front, back];
	}

	#film() {
		const film = this.app.get("film");
		const source = film?.video || "";
		if (this.source !== source) {
			this.source = source;
			this.tried = false;
			for (const video of [this.video, this.back]) {
				if (source && video) video.src = source;
				else video?.removeAttribute("src");
			}
			if (source) void this.#follow();
			this.sync?.renewed();
		}
		const making = film?.copy === "making" && !film.video && !this.skipped;
		const failed = film?.copy === "failed" && !this.skipped;
		this.wait.hidden = !(making || failed);
		if (making) {
			setText(this.words, `This browser cannot show this film; a copy it can show is being made: ${Math.round((film.copy_fraction ?? 0) * 100)} %.`);
			this.bar.value = film.copy_fraction ?? 0;
		} else if (failed) setText(this.words, film.sentence || "No copy of this film could be made.");
		this.bar.hidden = !making;
		this.again.hidden = !failed;
	}

	#failed() {
		const film = this.app.get("film");
		if (!film?.video || this.tried || film.copy === "made") return;
		this.tried = true;
		this.app.act("/page/film/copy", [film.id]);
	}

	#go_on() {
		this.skipped = true;
		this.wait.hidden = true;
	}

	#show() {
		const { app } = this;
		const at_s = app.heard_s();
		const chord = app.chord_at(at_s);
		setText(this.name, chord?.name ?? "");
		setText(this.place, app.bars.list.length ? app.bars.text(at_s) : "");
		this.now.hidden = !chord?.name;
		const seen_ms = performance.now() + SEEN_MS;
		this.sync?.tick(app.heard_s(seen_ms), app.position_s(seen_ms));
	}
}

customElements.define("cue-film", FilmView);
