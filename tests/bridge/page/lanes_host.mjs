// Lanes outside a browser: what drags, keys and menus of theme, form and cues send; writes it as JSON.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const base = pathToFileURL(process.argv[2]);
const load = (file) => import(new URL(file, base));
const { Bars } = await load("lib/time.js");
const { HitsLane } = await load("lanes/hits.js");
const { ThemeLane } = await load("lanes/spans.js");
const { fitted_name } = await load("lanes/chords.js");
const { lanes } = await load("lanes/more.js");

const sent = [];
const values = {
	"/cue/theme/statements": [0, 8, "statement", 1],
	"/cue/plan": ["trailer", "strings", "button", 0, "A", "strikes", "tense", 2, "T1", "C minor", "pad,melody", 16, "G", "stop", "tense", 2, "T1", "C minor", ""],
	"/cue/form/sections": [0, 16, "A", "strikes", "", "proposed", 16, 30, "G", "stop", "The door", "accepted"],
	"/cue/cues/proposed": [2, "1m2", "much motion"],
};
const app = {
	bars: new Bars(Array.from({ length: 15 }, (_, index) => [index + 1, 2 * index, 4, 120]), 30),
	duration_s: 30,
	frame_s: 0.04,
	rows: { cues: [[1, "1m1", 0, 12, true], [2, "1m2", 15, 28, false]], hits: [], sections: [], printed: [], dialogue: [], heard: [] },
	view: { zoom: 100, select: (...what) => sent.push(["select", ...what]), dispatchEvent: () => {} },
	link: {
		try: async (address, args) => {
			sent.push(["try", address, args]);
			if (args[1] > 20) throw new Error("no room there");
		},
	},
	get: (key) => values[key],
	value: (_key, otherwise) => otherwise,
	on: () => {},
	gesture: () => "g",
	key_gesture: (name) => `keys ${name}`,
	position_s: () => 5,
	locate: (at_s) => sent.push(["locate", at_s]),
	later: (...what) => sent.push(["later", what[1]]),
	act: async (address, args, { gesture } = {}) => (sent.push([address, args, gesture ?? null]), {}),
};
const settle = () => new Promise((resolve) => setTimeout(resolve, 2));
const found = {};
async function during(name, act) {
	sent.length = 0;
	const said = await act();
	await settle();
	found[name] = { sent: [...sent], said: said ?? null };
}
const key = (name, more = {}) => ({ key: name, altKey: false, shiftKey: false, ...more });

const theme = new ThemeLane(app);
const { form, cues } = lanes(app);
const [stated] = theme.items(0, 30);
await during("theme dragged", async () => {
	const drag = theme.drag(stated, 3);
	drag.move(8.2);
	await settle();
	drag.move(8.2);
	const { tip } = drag;
	drag.commit();
	return [tip, theme.moving, theme.ghost_s];
});
await during("theme refused", async () => {
	const drag = theme.drag(stated, 3);
	drag.move(27);
	await settle();
	drag.move(27);
	const said = [drag.tip, drag.bad];
	drag.cancel();
	return [...said, theme.moving, theme.refused];
});
await during("theme by a key", async () => theme.key(key("ArrowRight", { altKey: true }), stated));
await during("theme deleted", async () => theme.key(key("Backspace"), stated));
const [first, second] = form.items(0, 30);
await during("border dragged", async () => {
	const drag = form.drag(form.hit(16.03, 0, app.view));
	drag.move(13.1);
	drag.commit();
	return [form.hit(0.01, 0, app.view).edge ?? null, form.drag(first)];
});
await during("form by keys", async () => [form.key(key("ArrowLeft", { altKey: true }), second), form.key(key("Delete"), second), form.key(key("x"), second)]);
await during("form by menu", async () => {
	const rows = [first, second].map((item) => form.menu(item).filter(Boolean));
	for (const [text, act] of rows.flat()) if (/Accept|Merge|Refuse/.test(text)) await act();
	return rows.map((menu) => menu.map((row) => row[0]));
});
const [own, proposed] = cues.items(0, 30);
await during("cues", async () => {
	await cues.remove(own);
	await cues.remove(proposed);
	await cues.accept(proposed);
	const drag = cues.drag(cues.hit(28.02, 0, app.view));
	drag.move(26);
	drag.commit();
	return [cues.item_count(), own.text, proposed.text, form.spans()[1].name];
});
// Ten thousand hits: pointing and painting look at those that are near.
await during("many hits", () => {
	const many = { ...app, bars: { list: [1], text: String, nearest_beat: (at_s) => (looked++, at_s) }, fps: 24 };
	many.rows = { ...app.rows, hits: Array.from({ length: 10_000 }, (_, index) => [index / 2, "should", "🎬"]) };
	let looked = 0;
	const hits = new HitsLane(many);
	const near = hits.hit(2000.04, 0, many.view);
	const pointed = [near.index, near.text, looked];
	const drawn = [];
	const pen = new Proxy({ measureText: () => ({ width: 9 }), fillText: (text, x) => drawn.push([text, x]) }, { get: (own, name) => own[name] ?? (() => {}) });
	const view = (zoom, from_s, to_s) => ({ ctx: pen, x_of: (at_s) => (at_s - from_s) * zoom, zoom, height: 22, theme: {}, from_s, to_s });
	looked = 0;
	hits.paint(view(100, 3000, 3005));
	const painted = [drawn.splice(0).map((each) => each[1]), looked];
	looked = 0;
	hits.paint(view(0.1, 0, 5000));
	return [pointed, painted, looked];
});
// A canvas whose letters are as wide as .6 of their size.
const ctx = { font: "", measureText: (text) => ({ width: 0.6 * text.length * Number(/(\d+)px/.exec(ctx.font)[1]) }) };
await during("names", () => [60, 50, 40, 30, 20, 8].map((width) => [fitted_name(ctx, "C#maj7", width, { font: "x" }), ctx.font]));
writeSync(1, JSON.stringify(found));
