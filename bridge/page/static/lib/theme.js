// The tokens as colours a canvas takes. Under forced colours the system's own take their place.

const NAMES = [
	"page", "surface", "raised", "hairline", "edge", "text", "second", "accent", "warning", "danger", "good",
	"pad", "arp", "bass", "melody", "drums", "exciting", "fearful", "tense", "sad", "relaxing", "neutral",
];
const FORCED = { page: "Canvas", surface: "Canvas", raised: "Canvas", hairline: "GrayText", edge: "ButtonText", text: "CanvasText", second: "CanvasText", accent: "Highlight", warning: "CanvasText", danger: "Mark", good: "CanvasText" };

let current = null;
const listeners = new Set();
const forced = matchMedia("(forced-colors: active)");
const light = matchMedia("(prefers-color-scheme: light)");

export function theme() {
	if (current !== null) return current;
	const style = getComputedStyle(document.documentElement);
	// A custom property keeps light-dark() as it was written; only a real colour property is worked out.
	const probe = document.createElement("span");
	probe.hidden = true;
	document.documentElement.append(probe);
	current = { font: style.getPropertyValue("--font").trim() || "sans-serif", forced: forced.matches };
	for (const name of NAMES) {
		// A canvas would take the system's colours of a light page: they are worked out here.
		probe.style.color = forced.matches ? (FORCED[name] ?? "CanvasText") : `var(--${name})`;
		current[name] = getComputedStyle(probe).color;
	}
	probe.remove();
	return current;
}

export function setTheme(name) {
	if (name === "system") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = name;
	changed();
}

export function onTheme(listener) {
	listeners.add(listener);
}

function changed() {
	current = null;
	for (const listener of listeners) listener();
}

forced.addEventListener("change", changed);
light.addEventListener("change", changed);
