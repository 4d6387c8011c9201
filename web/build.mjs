/* Builds the pages: node web/build.mjs OUTPUT_FOLDER
 *
 * src/main.tsx and what it imports become modules with a hash of their content in their names, the
 * styles one such file, and index.html names them all. Each text is also left compressed beside
 * itself (.gz, .br). files.json lists what the program has to hold: {name, type, immutable}. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};
const COMPRESSED = ['.html', '.css', '.js', '.svg'];

const out = process.argv[2];
const files = [];

function put(name, bytes, immutable) {
  const kind = extname(name);
  writeFileSync(join(out, name), bytes);
  if (COMPRESSED.includes(kind)) {
    writeFileSync(join(out, `${name}.gz`), gzipSync(bytes, { level: 9 }));
    writeFileSync(join(out, `${name}.br`), brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
  }
  files.push({ name, type: TYPES[kind], immutable });
}

function putHashed(path) {
  const bytes = readFileSync(path);
  const kind = extname(path);
  const mark = createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
  const name = `${basename(path, kind)}-${mark}${kind}`;
  put(name, bytes, true);
  return name;
}

/* What the first page needs: the entry and all that it imports at once, so that the browser asks for
 * them together. */
function staticImports(outputs, entry) {
  const found = new Set();
  const visit = (path) => {
    for (const { path: next, kind } of outputs[path].imports)
      if (kind === 'import-statement' && !found.has(next)) {
        found.add(next);
        visit(next);
      }
  };
  visit(entry);
  return [...found];
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { metafile, outputFiles } = await build({
  absWorkingDir: HERE,
  entryPoints: { main: 'src/main.tsx', style: 'styles/main.css' },
  outdir: 'built',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2022', 'chrome105', 'firefox110', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  minify: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
});
for (const file of outputFiles)
  put(basename(file.path), Buffer.from(file.contents), true);

const { outputs } = metafile;
const entryOf = (source) => Object.keys(outputs).find((path) => outputs[path].entryPoint === source);
const main = entryOf('src/main.tsx');
const icons = Object.fromEntries(readdirSync(join(HERE, 'icons')).filter((name) => TYPES[extname(name)])
  .map((name) => [name, putHashed(join(HERE, 'icons', name))]));
const words = {
  MAIN: basename(main),
  STYLE: basename(entryOf('styles/main.css')),
  PRELOADS: staticImports(outputs, main)
    .map((path) => `<link rel="modulepreload" href="/assets/${basename(path)}">`).join('\n'),
};
const html = readFileSync(join(HERE, 'index.html'), 'utf8')
  .replace(/\{\{(\w+)\}\}/g, (_, word) => words[word])
  .replace(/\{\{icon:([^}]+)\}\}/g, (_, name) => icons[name]);
put('index.html', Buffer.from(html), false);
writeFileSync(join(out, 'files.json'), JSON.stringify(files));
