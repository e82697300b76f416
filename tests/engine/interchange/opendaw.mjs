// What openDAW's own classes read in a project.xml, as JSON:  node opendaw.mjs FOLDER project.xml
// FOLDER: where `npm install @opendaw/lib-dawproject jsdom` was run.
import { readFileSync } from "node:fs";
import { createRequire, register } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// Its packages are written for a bundler: they import files without their endings.
const hook = `export async function resolve(name, context, next) {
	for (const end of ["", ".js", "/index.js"]) {
		try { return await next(name + end, context); } catch (error) { if (end === "/index.js") throw error; }
	}
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const [folder, file] = process.argv.slice(2);
const its = createRequire(join(folder, "package.json"));
const load = async (name) => import(pathToFileURL(its.resolve(name)).href);
const { window } = new (its("jsdom").JSDOM)();
const { DOMParser, document, Element, Node } = window;
Object.assign(globalThis, { DOMParser, document, Element, Node });
console.debug = console.info = console.log = () => {}; // each of its packages greets
const { Xml } = await load("@opendaw/lib-xml");
const { ProjectSchema } = await load("@opendaw/lib-dawproject");
process.stdout.write(JSON.stringify(Xml.parse(readFileSync(file, "utf8"), ProjectSchema)));
