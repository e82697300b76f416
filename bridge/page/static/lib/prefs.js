// What is kept in this browser: sizes, open lanes, theme. Nothing of the music.

const KEY = "cuebridge";
const listeners = new Set();

function read() {
	try {
		return JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
	} catch {
		return {};
	}
}

let kept = read();

export function pref(name, otherwise) {
	return name in kept ? kept[name] : otherwise;
}

export function setPref(name, value) {
	kept = { ...kept, [name]: value };
	try {
		localStorage.setItem(KEY, JSON.stringify(kept));
	} catch {
		// A browser that keeps nothing still has its choices until the page is closed.
	}
	for (const listener of listeners) listener(name, value);
}

export function onPref(listener) {
	listeners.add(listener);
}
