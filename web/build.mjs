/* Builds the pages: node web/build.mjs FOLDER [STAMP DEPFILE]
 *
 * src/main.tsx and what it imports become modules with a hash of their content in their names, the
 * styles one such file, and index.html names them all. Each text is also left compressed beside
 * itself (.gz, .br). files.json lists what the program has to hold: {name, source, type, immutable}.
 * For ninja: DEPFILE says what was read, STAMP is touched. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join, relative, resolve } from 'node:path';
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

/* What home screens and old browsers want as pixels: from which drawing, how many a side. */
const PIXELS = {
  'icon-192.png': ['icon.svg', 192],
  'icon-512.png': ['icon.svg', 512],
  'icon-maskable-512.png': ['icon-maskable.svg', 512],
  'apple-touch-icon.png': ['icon-maskable.svg', 180],
  'favicon.png': ['icon.svg', 32],
};

const [out, stamp, depfile] = process.argv.slice(2);
const before = lastBuild();
const files = [];
const inputs = new Set([fileURLToPath(import.meta.url)]);

/* What the last build has left, if it came to its end: what has its hash in its name is not compressed
 * again. */
function lastBuild() {
  const list = join(out, 'files.json');
  if (!existsSync(list)) return [];
  const names = JSON.parse(readFileSync(list)).map(({ name }) => name);
  rmSync(list);
  return names;
}

function removeOld() {
  for (const name of before.filter((old) => !files.some((file) => file.name === old)))
    for (const suffix of ['', '.gz', '.br'])
      rmSync(join(out, name + suffix), { force: true });
}

function read(path) {
  const whole = join(HERE, path);
  inputs.add(whole);
  return readFileSync(whole);
}

/* What does not get smaller is left plain, and so is a picture. */
function compress(name, bytes) {
  if (!COMPRESSED.includes(extname(name))) return;
  const gzip = gzipSync(bytes, { level: 9 });
  if (gzip.length >= bytes.length) return;
  writeFileSync(join(out, `${name}.gz`), gzip);
  writeFileSync(join(out, `${name}.br`), brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
}

function put(name, source, bytes, immutable) {
  if (!immutable || !before.includes(name)) {
    writeFileSync(join(out, name), bytes);
    compress(name, bytes);
  }
  files.push({ name, source, type: TYPES[extname(name)], immutable });
}

function putHashed(source, bytes) {
  const kind = extname(source);
  const mark = createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
  put(`${basename(source, kind)}-${mark}${kind}`, source, bytes, true);
}

async function bundle() {
  const { metafile, outputFiles } = await build({
    absWorkingDir: HERE,
    entryPoints: { main: 'src/main.tsx', style: 'styles/main.css', staff: 'styles/staff.css' },
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
  for (const path of Object.keys(metafile.inputs)) inputs.add(join(HERE, path));
  for (const { path, contents } of outputFiles) {
    const { entryPoint } = metafile.outputs[relative(HERE, path)];
    put(basename(path), entryPoint && basename(entryPoint), Buffer.from(contents), true);
  }
  return metafile.outputs;
}

/* What the first page needs: the entry and all that it imports at once, so that the browser asks for
 * them together. */
function staticImports(outputs, source) {
  const found = new Set();
  const visit = (path) => {
    for (const { path: next, kind } of outputs[path].imports)
      if (kind === 'import-statement' && !found.has(next)) {
        found.add(next);
        visit(next);
      }
  };
  visit(Object.keys(outputs).find((path) => outputs[path].entryPoint === source));
  return [...found].map((path) => basename(path));
}

/* {{file:main.css}} is the name that the file got, {{preloads}} the links to what main.tsx imports. */
function putPage(name, preloads) {
  const links = preloads.map((file) => `<link rel="modulepreload" href="/assets/${file}">`);
  const fill = (_, word) => {
    if (word === 'preloads') return links.join('\n');
    const file = files.find(({ source }) => word === `file:${source}`);
    if (!file) throw new Error(`web/${name}: there is no {{${word}}}`);
    return file.name;
  };
  const html = read(name).toString().replace(/\{\{([^}]*)\}\}/g, fill);
  put(name, name, Buffer.from(html), false);
}

function putIcons() {
  inputs.add(join(HERE, 'icons')); // a new one changes its folder
  for (const name of readdirSync(join(HERE, 'icons')).sort())
    if (TYPES[extname(name)]) putHashed(name, read(join('icons', name)));
  for (const [name, [drawing, side]] of Object.entries(PIXELS))
    putHashed(name, execFileSync('rsvg-convert',
      ['--width', side, '--height', side, join(HERE, 'icons', drawing)]));
}

mkdirSync(out, { recursive: true });
const outputs = await bundle();
putIcons();
putHashed('rapidoc.js', read('node_modules/rapidoc/dist/rapidoc-min.js'));
putPage('index.html', staticImports(outputs, 'src/main.tsx'));
putPage('docs.html', []);
removeOld();
writeFileSync(join(out, 'files.json'), JSON.stringify(files));

if (stamp) {
  const escaped = [...inputs].map((path) => resolve(path).replaceAll(' ', '\\ '));
  writeFileSync(depfile, `${stamp}: ${escaped.join(' ')}\n`);
  writeFileSync(stamp, '');
}
