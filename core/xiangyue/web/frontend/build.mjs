// Builds everything under ../static/dist: bundles with content-hashed names, the icon sprite and manifest.json.
// `node build.mjs` for production. Output names change only when their content does, so pages may cache them for ever.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "static", "dist");
// Built beside the old folder and swapped at the end: a failed build leaves the working one in place.
const fresh = `${dist}.new`;
const manifest = {};

const hashed = (name, content) => {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const ext = extname(name);
  return `${basename(name, ext)}-${hash}${ext}`;
};

async function emit(name, content) {
  const target = hashed(name, content);
  await writeFile(join(fresh, target), content);
  // Compressed once here, so no server spends time on it; a village phone gets 90 KB of styles, not 660.
  await writeFile(join(fresh, `${target}.gz`), gzipSync(content, { level: 9 }));
  manifest[name] = target;
}

async function bundle(name, entry, options = {}) {
  const result = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    outdir: fresh,
    // Village phones run WeChat's browser and old system web views.
    target: ["chrome80", "safari14.1", "firefox78"],
    legalComments: "eof",
    logLevel: "warning",
    ...options,
  });
  await emit(name, result.outputFiles[0].contents);
}

async function sprite() {
  const names = (await readFile(join(here, "icons.txt"), "utf8"))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#"));
  const symbols = await Promise.all(
    [...new Set(names)].sort().map(async (name) => {
      const source = await readFile(join(here, "node_modules/@tabler/icons/icons/outline", `${name}.svg`), "utf8");
      const body = source
        .replace(/<!--[\s\S]*?-->/g, "")
        .match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1]
        .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" ?\/>/, "")
        .replace(/\s*\n\s*/g, "");
      return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
    }),
  );
  await emit("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });
await Promise.all([
  bundle("app.js", "app.js", { format: "iife" }),
  bundle("cockpit.js", "cockpit.js", { format: "iife" }),
  bundle("map.js", "map.js", { format: "iife" }),
  bundle("swagger.js", "swagger.js", { format: "iife" }),
  bundle("app.css", "css/app.css"),
  // The library's marker pictures are not used, so none of them needs to be a file of its own.
  bundle("map.css", "css/map.css", { loader: { ".png": "dataurl" } }),
  bundle("public.css", "css/public.css"),
  bundle("swagger-ui.css", "css/swagger-ui.css"),
  sprite(),
]);
await emit("favicon.svg", await readFile(join(here, "src", "favicon.svg")));
const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(join(fresh, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);
await rm(dist, { recursive: true, force: true });
await rename(fresh, dist);
process.stdout.write(`${Object.values(sorted).join("\n")}\n`);
