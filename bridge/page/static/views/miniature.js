// A take in little: its sections by mood and intensity, its notes by part, where the theme stands.

import { PARTS } from "../lib/tiles.js";

const STEPS = 16; // of a second: what notes of a sketch are counted in
const FORM = 14; // px of the line of sections

/** Picture seconds of a span over so many pixels, both ways. */
export function axis([from, to], wide) {
	const length_s = Math.max(to - from, 0.001);
	return { x: (second) => ((second - from) / length_s) * wide, second: (x) => from + (x / wide) * length_s };
}

/** Draws a sketch (`bridge/page/sketches.py`); x: of a picture second. */
export function drawTake(ctx, sketch, x, tall, colours) {
	const low = tall - 1;
	for (const [start, end, letter, , mood, intensity] of sketch.sections) {
		const [a, b] = [x(start), x(end)];
		ctx.globalAlpha = 0.1 + 0.09 * intensity;
		ctx.fillStyle = colours[mood] ?? colours.neutral;
		// How much is going on, as height: the shape of the form.
		const height = (low - FORM) * (0.12 + 0.22 * intensity);
		ctx.fillRect(a, low - height, b - a, height);
		ctx.globalAlpha = 1;
		ctx.fillRect(a, 0, b - a - 1, 3);
		ctx.fillStyle = colours.text;
		ctx.font = `600 11px ${colours.font}`;
		if (b - a > 14) ctx.fillText(letter, a + 2, FORM - 1);
		ctx.fillStyle = colours.second;
		ctx.font = `11px ${colours.font}`;
		if (b - a > 60) ctx.fillText(mood, a + 14, FORM - 1);
	}
	ctx.fillStyle = colours.melody;
	for (const [start, end] of sketch.statements) ctx.fillRect(x(start), FORM + 1, x(end) - x(start) - 1, 2);
	const { notes } = sketch;
	if (notes.length) drawNotes(ctx, notes, x, FORM + 4, low, colours);
	else drawChords(ctx, sketch.chords, x, FORM + 4, low, colours);
}

/** Melody in full colour over the parts before it; drums as ticks at the bottom. */
function drawNotes(ctx, notes, x, top, low, colours) {
	for (const [part, name] of PARTS.entries()) {
		ctx.fillStyle = colours[name];
		ctx.globalAlpha = name === "melody" ? 1 : 0.7;
		for (let index = 0; index < notes.length; index += 4) {
			if (notes[index] !== part) continue;
			const start = x(notes[index + 2] / STEPS);
			const length = Math.max(1, x((notes[index + 2] + notes[index + 3]) / STEPS) - start - 0.5);
			if (name === "drums") ctx.fillRect(start, low - 3, 1, 3);
			else ctx.fillRect(start, low - 4 - ((notes[index + 1] - 30) / 68) * (low - 6 - top), length, name === "melody" ? 2 : 1.5);
		}
	}
	ctx.globalAlpha = 1;
}

/** Of a film too long for its notes: one stripe a chord. */
function drawChords(ctx, chords, x, top, low, colours) {
	ctx.fillStyle = colours.pad;
	ctx.globalAlpha = 0.5;
	chords.forEach(([start, end, name], index) => name && ctx.fillRect(x(start), index % 2 ? top + 4 : top, Math.max(0.5, x(end) - x(start) - 0.5), low - top - 8));
	ctx.globalAlpha = 1;
}
