// The lanes: layout, cached tiles, playhead, pointing, dragging, zoom, and each lane as a grid for keyboard and reader.

import { clamp, h, icon, menuOf, openBeside, setAttribute, setText, typing } from "../lib/dom.js";
import { pref, setPref } from "../lib/prefs.js";
import { onTheme, theme } from "../lib/theme.js";
import { minutes } from "../lib/time.js";
import { STEP } from "../lib/view.js";
import { ChordLane } from "../lanes/chords.js";
import { ControllerLane } from "../lanes/controllers.js";
import { EnergyLane } from "../lanes/energy.js";
import { FilmLane } from "../lanes/film.js";
import { HitsLane } from "../lanes/hits.js";
import { MoodLane } from "../lanes/mood.js";
import { NotesLane } from "../lanes/notes.js";
import { RulerLane } from "../lanes/ruler.js";
import { SectionsLane } from "../lanes/sections.js";
import { ThemeLane } from "../lanes/spans.js";
import { ChordEditor } from "./chord-editor.js";

const TILE_PX = 512;
const KEPT_TILES = 160;
const KEPT_FREE = 40;
const PAINT_MS = 2; // of a frame; what is left is painted in the next one
const DRAG_PX = 4;
const DRAG_PX_COARSE = 8;
const SNAP_PX = 6;
const PART_LEAST = 26; // its buttons are 24 high
const PART_ROWS = ["melody", "arp", "pad", "bass", "drums"];
const SNAPS = ["beat", "half", "quarter", "bar", "off"];
const SNAP_WORDS = { beat: "beat", half: "½ beat", quarter: "¼ beat", bar: "bar", off: "off" };

export class Timeline extends HTMLElement {
	#tiles = new Map();
	#free = []; // canvases of tiles that are no longer kept: a new one costs more than to paint it
	#frame = 0;
	#dirty = true;
	#drag = null;
	#snap_line = null;
	#drawn = [];

	start(app) {
		this.app = app;
		this.editor = new ChordEditor(app, this);
		this.lanes = {
			ruler: new RulerLane(app),
			sections: new SectionsLane(app),
			themes: new ThemeLane(app),
			film: new FilmLane(app),
			mood: new MoodLane(app),
			energy: new EnergyLane(app),
			chords: new ChordLane(app, (chord) => this.editor.open(chord)),
			hits: new HitsLane(app),
			notes: new NotesLane(app, null),
			...Object.fromEntries(PART_ROWS.map((part) => [part, new NotesLane(app, part)])),
			cc: new ControllerLane(app),
		};
		this.shown = [];
		this.#build();
		for (const lane of Object.values(this.lanes)) this.#watch(lane);
		app.on(["cues", "dialogue", "heard", "printed", "/cue/plan"], () => this.#more_lanes());
		app.view.addEventListener("moved", () => this.#redraw());
		app.view.addEventListener("selected", () => (this.#fill_grids(), this.#redraw()));
		app.view.addEventListener("over", () => this.#redraw());
		app.view.addEventListener("following", () => setAttribute(this.follow, "aria-pressed", String(app.view.following)));
		app.messages.addEventListener("changed", () => this.#redraw());
		app.on(["film", "bars", "chords", "cuts", "hits", "sections", "printed", "dialogue", "heard", "takes", "tiles/mood", "tiles/counts", "lanes", "audible", "/cue/plan", "/cue/theme", "/cue/theme/statements", "/cue/form/sections", "cues", "/cue/cues/proposed", "/cue/speech/leave_room"], () => this.#lay_out());
		app.on(["/cue/loop", "link"], () => this.#redraw());
		app.on(["/cue/playhead"], () => this.#request());
		onTheme(() => {
			this.#tiles.clear();
			this.#redraw();
		});
		new ResizeObserver(() => this.#lay_out()).observe(this.scroller);
		this.scroller.addEventListener("scroll", () => {
			this.lanes.ruler.top = this.scroller.scrollTop; // the ruler stays at the top
			this.#redraw();
		});
		this.#lay_out();
	}

	#watch(lane) {
		lane.changed = (_, from_s, to_s) => this.#invalid(lane, from_s, to_s);
	}

	/** Lanes of what not every film has are loaded once it has it. */
	#more_lanes() {
		const { app } = this;
		const { cues, dialogue, heard, printed } = app.rows;
		if (cues.length > 1 || dialogue.length || heard?.length || printed.length || app.get("/cue/plan")?.length) void this.more_lanes();
	}

	/** The lanes, with those that are loaded when they are needed. */
	more_lanes() {
		this.loading ??= this.app.later("./lanes/more.js", "lanes").then((more) => {
			for (const lane of Object.values(more ?? {})) this.#watch(lane);
			Object.assign(this.lanes, more);
			this.#lay_out();
			return this.lanes;
		});
		return this.loading;
	}

	// building
	#build() {
		const { app } = this;
		this.modes = h("div", { class: "segments", role: "group", "aria-label": "Lanes" },
			...[["chords", "Chords"], ["notes", "Notes"], ["all", "All lanes"]].map(([mode, name]) => h("button", { "data-mode": mode, onclick: () => this.set_mode(mode) }, name)),
		);
		this.snap = h("button", { class: "plain snap", "aria-haspopup": "menu", onclick: (event) => this.#snap_menu(event.currentTarget) });
		this.snap_to = pref("snap", "beat");
		this.range = h("span", { class: "range label number" });
		this.follow = h("button", { "aria-pressed": "true", title: "Follow the playhead (F)", onclick: () => app.view.set_following(!app.view.following) }, "Follow");
		const tools = h("div", { class: "tools", role: "toolbar", "aria-label": "Timeline" },
			this.modes,
			this.snap,
			h("span", { class: "space" }),
			this.range,
			this.follow,
			h("button", { class: "icon-only", "aria-label": "Zoom out", title: "Zoom out (−)", onclick: () => app.view.zoom_by(1 / STEP ** 2) }, icon("minus")),
			h("button", { class: "icon-only", "aria-label": "Zoom in", title: "Zoom in (+)", onclick: () => app.view.zoom_by(STEP ** 2) }, icon("plus")),
			h("button", { title: "The whole film (0)", onclick: () => app.view.fit() }, "Fit"),
		);
		this.heads = h("div", { class: "heads" });
		this.under = h("canvas", { "aria-hidden": "true" });
		this.needle = h("div", { class: "playhead", "aria-hidden": "true" });
		this.sounding = h("div", { class: "sounding", "aria-hidden": "true" });
		this.tip = h("div", { class: "tip", hidden: true });
		this.field = h("div", { class: "field-of-lanes" }, this.under, this.sounding, this.needle, this.tip);
		this.list = h("div", { class: "chord-list" });
		this.scroller = h("div", { class: "lanes", id: "timeline", tabindex: "-1" }, this.heads, this.field, this.list);
		this.table = h("div", { class: "table-view", hidden: true, tabindex: "-1", role: "region", "aria-label": "Lanes as tables" });
		this.body = h("div", { style: "position:relative;display:grid;min-height:0" }, this.scroller, this.table);
		this.append(tools, this.body);
		this.more = h("button", { class: "more", "aria-label": "Chord menu", title: "Chord menu (Shift+F10)", tabindex: "-1", hidden: true, onclick: (event) => this.#open_menu(event.currentTarget) }, icon("more"));
		this.#snap_name();
		this.#listen();
		this.set_mode(pref("lanes", "chords"));
	}

	set_mode(mode) {
		this.mode = mode;
		setPref("lanes", mode);
		for (const button of this.modes.children) setAttribute(button, "aria-pressed", String(button.dataset.mode === mode));
		this.#lay_out();
	}

	#snap_name() {
		this.snap.replaceChildren(`Snap: ${SNAP_WORDS[this.snap_to]}`, icon("down"));
	}

	#snap_menu(anchor) {
		openBeside(
			menuOf(SNAPS.map((name) => [SNAP_WORDS[name], () => {
				this.snap_to = name;
				setPref("snap", name);
				this.#snap_name();
			}]), "Snap"),
			anchor,
		);
	}

	/** Which lanes, and how high: the parts share what is left. */
	#lay_out() {
		if (this.lanes === undefined) return;
		const { app, lanes } = this;
		const room = this.scroller.clientHeight;
		const low = innerHeight < 760;
		const wide = innerWidth >= 2000;
		lanes.film.height = low ? 44 : wide ? 64 : 50;
		if (!lanes.mood.open_state) lanes.mood.height = low ? 34 : 40;
		lanes.chords.height = this.mode === "chords" && !low ? 56 : 48;
		const narrow = innerWidth < 900;
		const all = this.mode === "all" && !narrow;
		// Lanes of what a film need not have are there once it has it.
		const has = (name) => all && lanes[name]?.item_count() > 0;
		const names = ["ruler", ...["cues", "sections", "form", "themes"].filter(has), "film"];
		if (!narrow && this.mode !== "notes") names.push("mood");
		if (all && !low) names.push("energy");
		names.push(...["speech"].filter(has), "chords");
		if (!narrow && this.mode !== "notes") names.push("hits");
		names.push(...["printed"].filter(has));
		if (!narrow) names.push(...(this.mode === "chords" ? ["notes"] : PART_ROWS));
		if (all) names.push("cc");
		const rows = names.map((name) => lanes[name]);
		// Where room is scarce, what has one line of text gives way first.
		const tight = all && room < 560;
		for (const name of ["cues", "sections", "form", "themes", "speech", "printed"]) if (lanes[name]) lanes[name].height = tight ? 18 : 22;
		const fixed = rows.filter((lane) => !lane.stretches).reduce((sum, lane) => sum + lane.height, 0);
		const elastic = rows.filter((lane) => lane.stretches);
		// In a low window all parts are whole before the controllers, for which one scrolls.
		const least = low ? clamp(Math.floor((room - fixed + (all ? lanes.cc.height : 0)) / elastic.length), PART_LEAST, 32) : tight ? 24 : 32;
		for (const lane of elastic) {
			const share = Math.floor((room - fixed) / elastic.length);
			const height = lane.part === null ? clamp(share, 80, 420) : clamp(share, least, 110);
			if (height !== lane.height) {
				lane.height = height;
				lane.version++;
			}
		}
		const same = rows.length === this.shown.length && rows.every((lane, index) => lane === this.shown[index]);
		this.shown = rows;
		let top = 0;
		for (const lane of rows) {
			lane.top = top;
			top += lane.height;
		}
		this.total = Math.max(top, room);
		lanes.ruler.top = this.scroller.scrollTop;
		if (!same) this.#build_heads();
		this.#size_heads();
		const width = this.field.clientWidth;
		app.view.resized(width, app.duration_s);
		this.#size(this.under, width, this.total);
		this.field.style.height = `${this.total}px`;
		this.#fill_list();
		this.#redraw();
	}

	#size(canvas, width, height) {
		const ratio = devicePixelRatio || 1;
		const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
		if (canvas.width !== wide || canvas.height !== tall) {
			canvas.width = wide;
			canvas.height = tall;
			canvas.style.width = `${width}px`;
			canvas.style.height = `${height}px`;
		}
	}

	#build_heads() {
		this.heads.replaceChildren(
			...this.shown.map((lane) => {
				if (lane.part) return this.#part_head(lane);
				const title = h("div", { class: "name" }, h("b", {}, lane.title), lane.id === "hits" ? null : h("small", {}));
				const head = h("div", { class: `row-${lane.id}`, "data-lane": lane.id }, title);
				if (lane.id === "hits") head.append(h("small", { class: "note" }));
				if (lane.id === "ruler") title.firstChild.replaceWith(h("span", { class: "label" }, "Bar"));
				if (lane.id === "mood") head.append(h("button", { class: "plain icon-only", "aria-label": "Mood as seen and with your faders", "aria-expanded": String(lane.open_state), onclick: () => lane.open() }, icon("down")));
				return head;
			}),
		);
		for (const grid of this.field.querySelectorAll(".grid")) grid.remove();
		for (const lane of this.shown) {
			if (lane.id === "ruler" || lane.id === "energy") continue;
			lane.grid = h("div", { class: "grid", role: "grid", "aria-label": `${lane.title}: lane`, "data-lane": lane.id });
			this.field.append(lane.grid);
		}
		this.field.append(this.more);
		this.#fill_grids();
	}

	#part_head(lane) {
		const { app } = this;
		const toggle = (name) => () => app.set_audible(lane.part, { [name]: !app.audible(lane.part)[name] });
		const head = h("div", { class: "part", "data-lane": lane.id },
			h("b", { class: "name cut-off" }, lane.title),
			h("span", { class: "ms" },
				h("button", { "data-ms": "mute", title: `Mute ${lane.part} here`, "aria-label": `Mute ${lane.part}`, "aria-pressed": "false", onclick: toggle("mute") }, "M"),
				h("button", { "data-ms": "solo", title: `Only ${lane.part} here`, "aria-label": `Solo ${lane.part}`, "aria-pressed": "false", onclick: toggle("solo") }, "S"),
			),
		);
		head.style.setProperty("--tone", `var(--${lane.part})`);
		return head;
	}

	#size_heads() {
		for (const head of this.heads.children) {
			const lane = this.lanes[head.dataset.lane];
			head.style.height = `${lane.height}px`;
			const small = head.querySelector("small");
			if (small) setText(small, lane.height < 30 && lane.id !== "hits" ? "" : lane.small);
			for (const button of head.querySelectorAll("[data-ms]")) setAttribute(button, "aria-pressed", String(this.app.audible(lane.part)[button.dataset.ms]));
			const opener = head.querySelector("[aria-expanded]");
			if (opener) setAttribute(opener, "aria-expanded", String(lane.open_state));
			if (lane.grid) {
				lane.grid.style.top = `${lane.top}px`;
				lane.grid.style.height = `${lane.height}px`;
			}
		}
	}

	/** Under 560 px: the chords as a list. */
	#fill_list() {
		if (innerWidth >= 560) {
			this.list.replaceChildren();
			return;
		}
		this.list.replaceChildren(
			...this.app.chords.slice(0, 400).map((chord) => h("button", { onclick: () => this.editor.open(chord) }, h("span", { class: "label" }, chord.place), h("b", {}, chord.name || "–"), h("span", { class: "note" }, chord.printed ? "in the DAW" : chord.state))),
		);
	}

	// drawing
	#invalid(lane, from_s, to_s) {
		if (from_s !== -Infinity) {
			for (const tile of this.#tiles.values()) if (tile.lane === lane && tile.to_s >= from_s && tile.from_s <= to_s) tile.stale = true;
		}
		this.#redraw();
	}

	#redraw() {
		this.#dirty = true;
		this.#request();
	}

	#request() {
		if (this.#frame) return;
		this.#frame = requestAnimationFrame((time) => {
			this.#frame = 0;
			this.#draw(time);
		});
	}

	#draw() {
		const started = performance.now();
		const { app } = this;
		const { view } = app;
		if (!view.zoom) this.#draw_lines();
		if (!view.zoom || !this.shown.length) return;
		if (app.rolling) view.follow(app.heard_s?.() ?? app.position_s());
		let complete = true;
		if (this.#dirty) {
			this.#dirty = false;
			complete = this.#draw_under(started);
			this.#draw_over();
			this.#say_range();
			this.#fill_grids_soon();
		}
		this.#place_needle();
		if (!complete) this.#dirty = true;
		this.#drawn.push(performance.now() - started);
		if (this.#drawn.length > 2000) this.#drawn.splice(0, 1000);
		if (!complete || app.rolling) this.#request();
	}

	/** Milliseconds of script that the last frames took; emptied by reading. */
	take_draw_times() {
		return this.#drawn.splice(0);
	}

	#draw_under(started) {
		const { view } = this.app;
		const ratio = devicePixelRatio || 1;
		const ctx = this.under.getContext("2d");
		ctx.setTransform(1, 0, 0, 1, 0, 0);
		ctx.clearRect(0, 0, this.under.width, this.under.height);
		const left_px = view.left_s * view.zoom;
		const first = Math.floor(left_px / TILE_PX);
		const last = Math.floor((left_px + view.width) / TILE_PX);
		let complete = true;
		for (const lane of [...this.shown.slice(1), this.shown[0]]) {
			for (let index = first; index <= last; index++) {
				const late = performance.now() - started > PAINT_MS;
				const tile = this.#tile(lane, index, late);
				if (tile.stale) complete = false;
				if (tile.canvas === null) continue;
				// Whole device pixels: a tile that is moved by parts of a pixel would blur at every scroll.
				ctx.drawImage(tile.canvas, Math.round((index * TILE_PX - left_px) * ratio), Math.round(lane.top * ratio));
			}
		}
		this.#draw_lines();
		return complete;
	}

	/** Between the lanes; all that there is before a film. */
	#draw_lines() {
		const ctx = this.under.getContext("2d");
		const ratio = devicePixelRatio || 1;
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		ctx.fillStyle = theme().hairline;
		for (const lane of this.shown) ctx.fillRect(0, lane.top + lane.height - 1, this.under.width, 1);
	}

	#tile(lane, index, late) {
		const { view } = this.app;
		const ratio = devicePixelRatio || 1;
		const key = `${lane.id} ${index}`;
		let tile = this.#tiles.get(key);
		const wanted = `${view.zoom} ${lane.version} ${lane.height} ${ratio} ${this.app.duration_s}`;
		if (tile !== undefined && tile.made === wanted && !tile.stale) {
			this.#tiles.delete(key);
			this.#tiles.set(key, tile);
			return tile;
		}
		const same_scale = tile !== undefined && tile.made.split(" ")[0] === String(view.zoom) && tile.height === lane.height;
		if (late) return { canvas: same_scale ? tile.canvas : null, stale: true };
		const canvas = this.#canvas(Math.ceil(TILE_PX * ratio), Math.ceil(lane.height * ratio), tile?.canvas);
		const ctx = canvas.getContext("2d");
		ctx.setTransform(1, 0, 0, 1, 0, 0);
		ctx.clearRect(0, 0, canvas.width, canvas.height);
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		const from_s = (index * TILE_PX) / view.zoom;
		const to_s = ((index + 1) * TILE_PX) / view.zoom;
		ctx.save();
		lane.paint({ ctx, x_of: (second) => (second - from_s) * view.zoom, zoom: view.zoom, width: TILE_PX, height: lane.height, theme: theme(), from_s, to_s });
		ctx.restore();
		tile = { canvas, lane, from_s, to_s, made: wanted, height: lane.height, stale: false };
		this.#tiles.delete(key);
		this.#tiles.set(key, tile);
		while (this.#tiles.size > KEPT_TILES) {
			const [oldest, { canvas: freed }] = this.#tiles.entries().next().value;
			this.#tiles.delete(oldest);
			this.#free.push(freed);
		}
		return tile;
	}

	/** One of that size: the tile's own, or one that nobody shows any more, else a new one. */
	#canvas(width, height, own) {
		const fits = (canvas) => canvas.width === width && canvas.height === height;
		if (own !== undefined && fits(own)) return own;
		if (own !== undefined) this.#free.push(own);
		const place = this.#free.findIndex(fits);
		const found = place < 0 ? new OffscreenCanvas(width, height) : this.#free.splice(place, 1)[0];
		this.#free.splice(0, this.#free.length - KEPT_FREE);
		return found;
	}

	/** Selection, loop, flags and what a drag does, above the tiles. */
	#draw_over() {
		const { app } = this;
		const { view } = app;
		const ratio = devicePixelRatio || 1;
		const ctx = this.under.getContext("2d");
		const colours = theme();
		const x_of = (second) => view.x_of(second);
		if (view.range !== null) {
			ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
			ctx.globalAlpha = 0.1;
			ctx.fillStyle = colours.accent;
			ctx.fillRect(x_of(view.range[0]), 0, x_of(view.range[1]) - x_of(view.range[0]), this.total);
			ctx.globalAlpha = 1;
		}
		for (const lane of this.shown) {
			ctx.setTransform(ratio, 0, 0, ratio, 0, lane.top * ratio);
			lane.paint_over({ ctx, x_of, zoom: view.zoom, width: view.width, height: lane.height, theme: colours });
		}
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		if (this.#snap_line !== null) {
			ctx.fillStyle = colours.accent;
			ctx.globalAlpha = 0.7;
			ctx.fillRect(Math.round(x_of(this.#snap_line)), 0, 1, this.total);
			ctx.globalAlpha = 1;
		}
		this.#place_more();
	}

	/** The playhead and the tint of the chord that sounds: moved, not drawn, so that a frame of play draws no lane anew. */
	#place_needle() {
		const { app } = this;
		const at_s = app.heard_s?.() ?? app.position_s();
		const x = Math.round(app.view.x_of(at_s));
		const { chords } = this.lanes;
		const chord = this.shown.includes(chords) ? app.chord_at(at_s) : null;
		const left = chord === null ? 0 : Math.max(0, app.view.x_of(chord.start_s));
		const right = chord === null ? 0 : Math.min(app.view.width, app.view.x_of(chord.end_s));
		place(this.sounding, right > left, left, chords.top + 3, right - left, chords.height - 6);
		place(this.needle, x >= -8 && x <= app.view.width + 8, x - 6, 0, 12, this.total);
	}

	#say_range() {
		const { app } = this;
		const bars = app.bars.list;
		if (!bars.length) {
			setText(this.range, app.duration_s ? minutes(app.duration_s) : "");
			return;
		}
		const from = Math.max(app.bars.index_at(app.view.left_s), 0);
		const to = Math.max(app.bars.index_at(Math.min(app.view.left_s + app.view.span_s, app.duration_s) - 0.01), from);
		setText(this.range, `${to - from + 1} of ${bars.length} bars`);
	}

	// rows for keyboard and screen reader
	#fill_grids_soon() {
		clearTimeout(this.filling);
		this.filling = setTimeout(() => this.#fill_grids(), this.app.rolling ? 600 : 120);
	}

	#fill_grids() {
		const { view } = this.app;
		const page_s = view.span_s;
		for (const lane of this.shown) {
			if (!lane.grid) continue;
			const held = lane.grid.contains(document.activeElement) ? Number(document.activeElement.dataset.key) : null;
			const selected = view.selected?.lane === lane.id ? view.selected.key : null;
			const items = lane.items(view.left_s - page_s, view.left_s + 2 * page_s).slice(0, 300);
			const wanted = items.map((item) => `${item.key} ${item.text}`).join("\n");
			if (lane.grid.wanted !== wanted) {
				lane.grid.wanted = wanted;
				lane.rows = items;
				setAttribute(lane.grid, "aria-rowcount", String(lane.item_count()));
				fill_rows(lane.grid, items);
			}
			const rows = [...lane.grid.children];
			if (!items.length) continue;
			const current = rows.find((row) => selected !== null && Math.abs(Number(row.dataset.key) - selected) < 1e-3);
			const stop = current ?? rows.find((row) => Number(row.dataset.key) >= view.left_s - 1e-3) ?? rows[0];
			for (const [index, row] of rows.entries()) {
				const item = lane.rows[index];
				if (!item) break;
				const tab = row === stop ? "0" : "-1";
				if (row.getAttribute("tabindex") !== tab) row.setAttribute("tabindex", tab);
				setAttribute(row, "aria-selected", row === current ? "true" : null);
				if (row === stop || row === current) {
					row.style.setProperty("--x", `${view.x_of(item.start_s)}px`);
					row.style.setProperty("--w", `${Math.max(8, (item.end_s - item.start_s) * view.zoom)}px`);
				}
			}
			const there = lane.grid.contains(document.activeElement) && !(Math.abs(Number(document.activeElement.dataset.key) - held) >= 1e-3);
			if (held !== null && !there) (rows.find((row) => Math.abs(Number(row.dataset.key) - held) < 1e-3) ?? stop).focus({ preventScroll: true });
		}
	}

	focus_item(lane, key) {
		this.app.view.select(lane.id, key);
		this.focus_row(lane, key);
	}

	#walk(event) {
		const row = event.target.closest?.(".grid [role=row]");
		if (!row || event.ctrlKey || event.metaKey) return false;
		const lane = this.lanes[row.parentElement.dataset.lane];
		const key = Number(row.dataset.key);
		const item = lane.items(key - 1e-3, key + 1e-3).find((each) => Math.abs(each.key - key) < 1e-3);
		if (item === undefined) return false;
		if (lane.key(event, item)) return true;
		if (event.key === "Enter") {
			this.app.view.select(lane.id, item.key);
			lane.open(item);
			return true;
		}
		if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
			this.app.view.select(lane.id, item.key);
			this.#menu_of(lane, item, row);
			return true;
		}
		if (event.altKey) return false;
		if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
			const step = event.key === "ArrowLeft" ? -1 : 1;
			const all = lane.items(-Infinity, Infinity);
			const next = all[all.findIndex((each) => Math.abs(each.key - key) < 1e-3) + step];
			if (next === undefined) return true;
			if (event.shiftKey && lane.id === "chords") {
				const more = new Set([...this.app.view.more, key]);
				this.app.view.select(lane.id, next.key);
				for (const each of more) this.app.view.more.add(each);
			}
			this.app.view.reveal(next.start_s, next.end_s);
			if (!(event.shiftKey && lane.id === "chords")) this.app.view.select(lane.id, next.key);
			this.#fill_grids();
			this.focus_row(lane, next.key);
			return true;
		}
		if (event.key === "ArrowUp" || event.key === "ArrowDown") {
			const rows = this.shown.filter((each) => each.grid && each.item_count() > 0);
			const next = rows[rows.indexOf(lane) + (event.key === "ArrowUp" ? -1 : 1)];
			if (next !== undefined) {
				const near = next.items(item.start_s - 1e-3, Infinity)[0] ?? next.items(-Infinity, Infinity).at(-1);
				this.app.view.reveal(near.start_s, near.end_s);
				this.app.view.select(next.id, near.key);
				this.#fill_grids();
				this.focus_row(next, near.key);
			}
			return true;
		}
		return false;
	}

	focus_row(lane, key) {
		[...(lane.grid?.children ?? [])].find((each) => Math.abs(Number(each.dataset.key) - key) < 1e-3)?.focus({ preventScroll: true });
	}

	/** All lanes as tables of the visible stretch. */
	toggle_table() {
		this.table.hidden = !this.table.hidden;
		if (this.table.hidden) return;
		const { view } = this.app;
		this.table.replaceChildren(
			h("button", { onclick: () => this.toggle_table() }, "Back to the lanes"),
			...this.shown.filter((lane) => lane.grid).map((lane) =>
				h("table", {},
					h("caption", { class: "label" }, `${lane.title}, ${lane.item_count()} in all`),
					h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "From"), h("th", { scope: "col" }, "What"))),
					h("tbody", {}, ...lane.items(view.left_s, view.left_s + view.span_s).slice(0, 300).map((item) => h("tr", {}, h("td", {}, this.app.bars.text(item.start_s)), h("td", {}, item.text)))),
				),
			),
		);
		this.table.focus();
	}

	// menus
	#place_more() {
		const { view } = this.app;
		const chord = this.app.selected_chord();
		const lane = this.lanes.chords;
		const wide = chord === null ? 0 : (chord.end_s - chord.start_s) * view.zoom;
		const right = chord === null ? 0 : view.x_of(chord.end_s);
		const shown = chord !== null && this.shown.includes(lane) && wide >= 54 && right > 20 && right < view.width + 4 && this.#drag === null;
		if (this.more.hidden === shown) this.more.hidden = !shown;
		if (!shown) return;
		this.more.style.left = `${right - 28}px`;
		this.more.style.top = `${lane.top + 5}px`;
	}

	#open_menu(anchor) {
		const chord = this.app.selected_chord();
		if (chord !== null) this.#menu_of(this.lanes.chords, { key: chord.start_s, chord, start_s: chord.start_s, end_s: chord.end_s }, anchor);
	}

	#menu_of(lane, item, anchor) {
		const rows = lane.menu(item);
		if (rows.length) openBeside(menuOf(rows, lane.title), anchor);
	}

	// pointing
	#listen() {
		const { field } = this;
		field.addEventListener("pointerdown", (event) => this.#down(event));
		field.addEventListener("pointermove", (event) => this.#hover(event));
		field.addEventListener("dblclick", (event) => this.#double(event));
		field.addEventListener("contextmenu", (event) => this.#context(event));
		field.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
		this.addEventListener("keydown", (event) => {
			if (typing(event.target)) return;
			if (this.#walk(event)) {
				event.preventDefault();
				event.stopPropagation();
			}
		});
		field.addEventListener("focusin", (event) => {
			const row = event.target.closest(".grid [role=row]");
			if (!row || row.dataset.key === undefined) return;
			const lane = this.lanes[row.parentElement.dataset.lane];
			if (row.matches(":focus-visible") && (this.app.view.selected?.lane !== lane.id || this.app.view.selected.key !== Number(row.dataset.key))) this.app.view.select(lane.id, Number(row.dataset.key));
		});
	}

	#at(event) {
		const box = this.field.getBoundingClientRect();
		const x = event.clientX - box.left;
		const y = event.clientY - box.top;
		const lane = this.shown.find((each) => y >= each.top && y < each.top + each.height) ?? null;
		return { x, y, lane, second: this.app.view.second_at(x) };
	}

	#hover(event) {
		if (this.#drag !== null) return;
		const { lane, second, y } = this.#at(event);
		const hit = lane?.hit(second, y - lane.top, this.app.view) ?? null;
		this.field.style.cursor = hit?.edge !== undefined ? "ew-resize" : hit?.ground ? "text" : hit !== null ? "pointer" : "default";
		const text = hit?.chord ? `${hit.chord.place} ${hit.chord.name}: ${hit.chord.printed ? "in the DAW" : hit.chord.state}` : (hit?.text ?? "");
		if (this.field.title !== text) this.field.title = text;
	}

	#down(event) {
		if (event.target.closest("button, .chord-edit") || event.button === 2) return;
		const { lane, second, y } = this.#at(event);
		if (lane === null) return;
		if (event.button === 1 || this.app.space_down) {
			this.#pan(event);
			return;
		}
		if (event.button !== 0) return;
		const hit = lane.hit(second, y - lane.top, this.app.view);
		const start = { x: event.clientX, y: event.clientY, second, lane, hit };
		const was = this.app.view.selected;
		let drag = null;
		const move = (moved) => {
			if (drag === null) {
				if (Math.hypot(moved.clientX - start.x, moved.clientY - start.y) < (moved.pointerType === "touch" ? DRAG_PX_COARSE : DRAG_PX)) return;
				drag = (hit !== null && !hit.ground && lane.drag(hit, second, event)) || this.#range_drag(lane, second, event.shiftKey);
				this.#drag = drag;
				this.field.setPointerCapture(event.pointerId);
			}
			this.#drag_to(drag, moved);
		};
		const end = (ended) => {
			stop();
			if (drag !== null) drag.commit();
			else if (ended.type === "pointerup") this.#click(start, was, event);
			this.#dropped();
		};
		const cancel = () => {
			stop();
			drag?.cancel();
			this.#dropped();
		};
		const keys = (pressed) => {
			if (pressed.key !== "Escape" || drag === null) return;
			pressed.preventDefault();
			pressed.stopPropagation();
			cancel();
		};
		const stop = () => {
			removeEventListener("pointermove", move);
			removeEventListener("pointerup", end);
			removeEventListener("pointercancel", cancel);
			removeEventListener("keydown", keys, true);
		};
		addEventListener("pointermove", move);
		addEventListener("pointerup", end);
		addEventListener("pointercancel", cancel);
		addEventListener("keydown", keys, true);
	}

	#drag_to(drag, event) {
		const { second, x, y } = this.#at(event);
		this.#snap_line = null;
		const at_s = this.#snapped(second, drag, event.altKey);
		drag.move(at_s, event);
		setText(this.tip, drag.tip ?? "");
		this.tip.hidden = !drag.tip;
		this.tip.classList.toggle("bad", Boolean(drag.bad));
		this.tip.style.left = `${clamp(x + 12, 0, Math.max(0, this.field.clientWidth - this.tip.offsetWidth - 4))}px`;
		this.tip.style.top = `${Math.max(0, y - 34)}px`;
		this.#redraw();
	}

	/** A hit, then a cut, then a beat within six pixels; Alt is free: frames, or sixteenths for chords. */
	#snapped(second, drag, free) {
		const { app } = this;
		const { view } = app;
		if (free) return drag.free_parts ? app.bars.nearest_beat(second, drag.free_parts) : Math.round(second * app.fps) / app.fps;
		const near = (times) => times.find((each) => Math.abs(view.x_of(each) - view.x_of(second)) <= SNAP_PX);
		const on_film = near(app.rows.hits.map((hit) => hit[0])) ?? near(app.rows.cuts.map((cut) => cut[0]));
		if (on_film !== undefined && drag.lane !== "chords") {
			this.#snap_line = on_film;
			return on_film;
		}
		if (this.snap_to === "off" && drag.lane !== "chords") return second;
		if (this.snap_to === "bar") {
			const at = app.bars.at(second);
			const starts = at === null ? [] : app.bars.list.filter(([bar]) => Math.abs(bar - at.bar) <= 1).map((bar) => bar[1]);
			const nearest = starts.sort((a, b) => Math.abs(a - second) - Math.abs(b - second))[0];
			if (nearest !== undefined) return (this.#snap_line = nearest);
		}
		const parts = this.snap_to === "half" ? 2 : this.snap_to === "quarter" || this.snap_to === "off" ? 4 : 1;
		const beat = app.bars.nearest_beat(second, parts);
		this.#snap_line = beat;
		return drag.lane === "chords" || Math.abs(view.x_of(beat) - view.x_of(second)) <= SNAP_PX ? beat : ((this.#snap_line = null), second);
	}

	#dropped() {
		this.#drag = null;
		this.#snap_line = null;
		this.tip.hidden = true;
		this.#redraw();
	}

	#range_drag(lane, from_s, extend) {
		const { app } = this;
		const before = app.view.range;
		const anchor = extend && before !== null ? (Math.abs(before[0] - from_s) > Math.abs(before[1] - from_s) ? before[0] : before[1]) : from_s;
		let range = null;
		return {
			parts: 1,
			tip: "",
			move: (second) => {
				const start = this.#snapped(anchor, {}, false);
				range = [Math.min(start, second), Math.max(start, second)].map((each) => clamp(each, 0, app.duration_s));
				app.view.select_range(range[1] - range[0] > 0.01 ? range : null);
			},
			commit: () => {
				if (lane.id === "ruler" && range !== null && range[1] - range[0] > 0.05) {
					app.view.select_range(null);
					app.act("/cue/loop", [true, ...range]).then((answer) => answer !== null && app.messages.say(`Loop ${app.bars.text(range[0])} to ${app.bars.text(range[1])}.`));
				}
			},
			cancel: () => app.view.select_range(before),
		};
	}

	#click({ lane, hit, second }, was, event) {
		const { app } = this;
		if (hit?.ground) {
			app.locate(second);
			return;
		}
		if (hit === null) {
			app.view.select(lane.id, null);
			app.view.select_range(null);
			return;
		}
		if ((event.ctrlKey || event.metaKey || event.shiftKey) && lane.id === "chords") {
			const more = new Set([...app.view.more, hit.key]);
			if (event.shiftKey && was?.lane === "chords") for (const item of lane.items(Math.min(was.key, hit.key), Math.max(was.key, hit.key))) more.add(item.key);
			for (const each of more) app.view.more.add(each);
			app.view.dispatchEvent(new Event("selected"));
			return;
		}
		const again = was?.lane === lane.id && Math.abs(was.key - hit.key) < 1e-3;
		this.focus_item(lane, hit.key);
		if (again && lane.id === "chords") this.editor.open(hit.chord);
	}

	#double(event) {
		const { lane, second, y } = this.#at(event);
		const hit = lane?.hit(second, y - lane.top, this.app.view) ?? null;
		if (hit !== null && !hit.ground && !this.editor.shown) lane.open(hit);
		else if (hit === null && lane?.id === "hits") this.app.act("/cue/hits/add", [second, "should"], { what: "hit" });
	}

	#context(event) {
		if (event.target.closest(".chord-edit")) return;
		const { lane, second, y } = this.#at(event);
		const hit = lane?.hit(second, y - lane.top, this.app.view) ?? null;
		if (hit === null || hit.ground) return;
		event.preventDefault();
		this.app.view.select(lane.id, hit.key);
		this.#menu_of(lane, hit, { getBoundingClientRect: () => ({ left: event.clientX, bottom: event.clientY, top: event.clientY }) });
	}

	#pan(event) {
		event.preventDefault();
		const from = this.app.view.left_s;
		const at = event.clientX;
		this.app.panned = true;
		const move = (moved) => this.app.view.scroll_to(from - (moved.clientX - at) / this.app.view.zoom, { byHand: true });
		const end = () => (removeEventListener("pointermove", move), removeEventListener("pointerup", end));
		addEventListener("pointermove", move);
		addEventListener("pointerup", end);
	}

	#wheel(event) {
		const { view } = this.app;
		const { x } = this.#at(event);
		if (event.ctrlKey || event.metaKey) {
			event.preventDefault();
			view.zoom_by(STEP ** clamp(-event.deltaY / (event.deltaMode ? 1 : 50), -4, 4), x);
			return;
		}
		const overflows = this.scroller.scrollHeight > this.scroller.clientHeight + 1;
		const along = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY) || !overflows;
		if (!along) return;
		event.preventDefault();
		const by = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
		view.scroll_by(by * (event.deltaMode ? 30 : 1));
	}
}

/** A row for each item. Those that are there are used again: scrolling through a film would leave thousands behind. */
function fill_rows(grid, items) {
	const texts = items.length ? items : [null];
	for (const [index, item] of texts.entries()) {
		const row = grid.children[index] ?? grid.appendChild(h("div", { role: "row" }, h("span", { role: "gridcell" })));
		setAttribute(row, "tabindex", item === null ? null : "-1");
		setAttribute(row, "aria-rowindex", item === null ? null : String(item.index + 1));
		setAttribute(row, "data-key", item === null ? null : String(item.key));
		if (item === null) setAttribute(row, "aria-selected", null);
		setText(row.firstChild, item === null ? "empty" : item.text);
	}
	while (grid.children.length > texts.length) grid.lastChild.remove();
}

/** Puts a mark of the lanes where it belongs; it is only touched where something is new. */
function place(mark, shown, left, top, wide, tall) {
	if (mark.hidden === shown) mark.hidden = !shown;
	if (!shown) return;
	const at = `translate(${left}px, ${top}px)`;
	if (mark.style.transform !== at) mark.style.transform = at;
	const size = `${wide} ${tall}`;
	if (mark.sized === size) return;
	mark.sized = size;
	mark.style.width = `${wide}px`;
	mark.style.height = `${tall}px`;
}

customElements.define("cue-timeline", Timeline);
