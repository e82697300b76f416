// The message line, always in the same place. What it says is spoken once, not at every tick of its countdown.

import { h, setAttribute, setText } from "../lib/dom.js";

export class MessageLine extends HTMLElement {
	start(app) {
		this.app = app;
		this.head = h("b");
		this.text = h("span", { class: "text" });
		this.bar = h("progress", { max: "1", hidden: true, "aria-label": "Progress" });
		this.undo = h("button", { class: "link", hidden: true, onclick: () => app.act("/cue/undo") }, "Undo");
		this.act = h("button", { class: "link", hidden: true, onclick: () => this.run?.() });
		this.link = h("a", { class: "button link", hidden: true, download: "" }, "Download");
		this.close = h("button", { class: "link", hidden: true, "aria-label": "Cancel", onclick: () => app.act("/page/cancel", [this.job]) }, "Cancel");
		this.line = h("div", { class: "message" }, this.head, this.text, this.bar, this.undo, this.act, this.link, this.close);
		this.polite = h("div", { class: "unseen", "aria-live": "polite" });
		this.assertive = h("div", { class: "unseen", role: "alert" });
		this.append(this.line, this.polite, this.assertive);
		app.messages.addEventListener("changed", () => this.#show());
		app.on(["/cue/progress", "/cue/changing"], () => this.#show());
		setInterval(() => this.#show(), 100);
		this.#show();
	}

	#show() {
		const now = this.app.messages.now();
		setAttribute(this.line, "class", `message ${now.kind}`);
		setText(this.head, now.head ?? "");
		this.head.hidden = !now.head;
		setText(this.text, now.text);
		this.text.title = now.text;
		this.bar.hidden = now.progress === undefined;
		if (now.progress !== undefined) this.bar.value = now.progress;
		this.undo.hidden = !now.undo || !this.app.value("/cue/edits", "");
		this.act.hidden = !now.act;
		if (now.act) {
			setText(this.act, now.act.text);
			this.run = now.act.run;
		}
		this.link.hidden = !now.link;
		if (now.link) setAttribute(this.link, "href", now.link);
		this.close.hidden = !now.job;
		this.job = now.job;
		const speaker = now.kind === "refused" ? this.assertive : this.polite;
		if (now.spoken && speaker.textContent !== now.spoken) setText(speaker, now.spoken);
		if (now.kind !== "refused" && this.assertive.textContent) setText(this.assertive, "");
	}
}

customElements.define("cue-message", MessageLine);
