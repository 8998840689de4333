// Builds concierge/static/ from concierge/assets/: styles, scripts, fonts, the icon sprite and manifest.json.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, context } from "esbuild";

const assets = dirname(fileURLToPath(import.meta.url));
const root = join(assets, "../..");
const out = join(assets, "../static");
const modules = join(root, "node_modules");

// Trix writes a <style> element and lets pasted text keep its style attributes; our Content-Security-Policy forbids both.
// Its few rules live in css/composer.css instead. It also drops the words that say what a picture shows.
const trixAdapted = {
  name: "trix-adapted",
  setup(builder) {
    builder.onLoad({ filter: /trix\.esm\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const changes = [
        ["document.head.insertBefore(element, document.head.firstChild);", ""],
        ['"style href src width height language class"', '"href src width height language class alt"'],
      ];
      for (const [theirs] of changes) if (!source.includes(theirs)) throw new Error(`Trix has changed, look again: ${theirs}`);
      return { contents: changes.reduce((text, [theirs, ours]) => text.replace(theirs, ours), source), loader: "js" };
    });
  },
};

// The faces of a page's first lines, which the layouts ask for at once.
const preloaded = {
  "serif.woff2": "ibarra-real-nova-latin-400-normal",
  "serif-medium.woff2": "ibarra-real-nova-latin-500-normal",
  "sans.woff2": "hanken-grotesk-latin-wght-normal",
};

// Remembers what a build made, under the name the templates ask for: {"app.css": "app.css?v=1a2b3c4d"}.
const manifest = {
  name: "manifest",
  setup(builder) {
    builder.onEnd(async (result) => {
      if (result.errors.length) return;
      const names = { ...(await copied()) };
      for (const file of Object.keys(result.metafile.outputs)) {
        if (file.endsWith(".map")) continue;
        const path = relative(out, join(root, file));
        if (/chunks\/composer-/.test(path)) names["composer.js"] = path;
        const font = Object.entries(preloaded).find(([, start]) => path.startsWith(`fonts/${start}-`));
        if (font) names[font[0]] = path;
        if (/^(app\.(css|js)|public\.css)$/.test(path)) names[path] = `${path}?v=${digest(await readFile(join(root, file)))}`;
      }
      await writeFile(join(out, "manifest.json"), JSON.stringify(names, null, 1) + "\n");
    });
  },
};

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 10);

async function sprite() {
  const names = JSON.parse(await readFile(join(assets, "icons.json"), "utf8"));
  const symbols = await Promise.all(names.map(async (name) => {
    const svg = await readFile(join(modules, "lucide-static/icons", `${name}.svg`), "utf8");
    const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ").trim()}</symbol>`;
  }));
  return `<!-- Icons by Lucide (ISC licence) -->\n<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

async function copied() {
  await mkdir(out, { recursive: true });
  const icons = await sprite();
  await writeFile(join(out, "icons.svg"), icons);
  const names = { "icons.svg": `icons.svg?v=${digest(icons)}` };
  for (const picture of ["favicon.svg", "pictures/sandals.svg"]) {
    const name = basename(picture);
    await cp(join(assets, picture), join(out, name));
    names[name] = `${name}?v=${digest(await readFile(join(assets, picture)))}`;
  }
  return names;
}

const options = {
  absWorkingDir: root,
  entryPoints: [join(assets, "js/app.js"), join(assets, "css/app.css"), join(assets, "css/public.css")],
  entryNames: "[name]",
  chunkNames: "chunks/[name]-[hash]",
  assetNames: "fonts/[name]-[hash]",
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  metafile: true,
  legalComments: "linked",
  logLevel: "info",
  target: ["chrome123", "firefox121", "safari17.5"],
  loader: { ".woff2": "file" },
  alias: { trix: join(modules, "trix/dist/trix.esm.js"), "htmx.org": join(modules, "htmx.org/dist/htmx.esm.js") },
  plugins: [trixAdapted, manifest],
};

// The form for the shop's pages: one classic script that needs nothing else and leaves nothing behind.
const wishForm = {
  absWorkingDir: root,
  entryPoints: [join(assets, "js/wish-form.js")],
  outdir: out,
  bundle: true,
  format: "iife",
  minify: true,
  logLevel: "info",
  target: ["chrome109", "firefox115", "safari16.4"],
};

await rm(out, { recursive: true, force: true });
await build(wishForm);
if (process.argv.includes("--watch")) await (await context(options)).watch();
else await build(options);
