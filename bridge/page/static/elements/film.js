// The film, always mute: its sound comes with the music's. It follows what is heard.

import { h, setText } from "../lib/dom.js";
import { FilmSync } from "../sound/film-sync.js";

export class FilmView extends HTMLElement {
	start(app) {
		this.app = app;
		this.video = h("video", { muted: true, playsinline: true, preload: "auto", disablepictureinpicture: true, "aria-label": "Film" });
		this.video.muted = true;
		this.name = h("b");
		this.place = h("small");
		this.now = h("div", { class: "now", "aria-hidden": "true" }, this.name, this.place);
		this.words = h("p");
		this.bar = h("progress", { max: "1", "aria-label": "Copy of the film" });
		this.without = h("button", { onclick: () => this.#go_on() }, "Go on without picture");
		this.again = h("button", { onclick: () => app.act("/page/film/copy", [app.get("film").id]) }, "Try again");
		this.wait = h("div", { class: "wait", hidden: true }, this.words, this.bar, h("div", {}, this.again, " ", this.without));
		this.append(this.video, this.now, this.wait);
		this.sync = new FilmSync(this.video, app);
		this.video.addEventListener("error", () => this.#failed());
		this.addEventListener("click", (event) => !event.target.closest("button") && app.toggle_play());
		app.on(["film"], () => this.#film());
		app.onframe(() => this.#show());
	}

	#film() {
		const film = this.app.get("film");
		const source = film?.video || "";
		if (this.source !== source) {
			this.source = source;
			this.tried = false;
			if (source) this.video.src = source;
			else this.video.removeAttribute("src");
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
		this.sync.tick(at_s);
	}
}

customElements.define("cue-film", FilmView);
