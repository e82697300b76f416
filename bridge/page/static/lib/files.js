// Files that a person chooses here: lists of markers, tunes, another cut of the film. They go to this computer's own server.

import { h } from "./dom.js";

/** Lets a person choose a file; resolves to `{upload, name}`, or to null where none was chosen or it was refused. */
export async function chosen_file(app, accept, kind) {
	const file = await new Promise((resolve) => {
		const input = h("input", { type: "file", accept, onchange: () => resolve(input.files[0] ?? null), oncancel: () => resolve(null) });
		input.className = "unseen";
		document.body.append(input);
		input.click();
		addEventListener("focus", () => setTimeout(() => input.remove(), 60_000), { once: true });
	});
	return file === null ? null : send_file(app, file, kind);
}

async function send_file(app, file, kind = "list") {
	const headers = { "X-CueBridge-Secret": app.secret, "X-File-Name": encodeURIComponent(file.name) };
	try {
		const response = await fetch(`/upload?kind=${kind}`, { method: "POST", headers, body: file });
		const answer = await response.json();
		if (response.ok) return answer;
		app.messages.refuse(answer.error[1]);
	} catch {
		app.messages.refuse(`${file.name} did not arrive; try again.`);
	}
	return null;
}
