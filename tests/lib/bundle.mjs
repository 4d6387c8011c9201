// A module of the pages, for tests of its plain logic: bundled by the pages' own esbuild and loaded here.
// What needs a real page is tested in a browser; of one there is here only what modules touch when they
// are loaded.
import { webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));

function standIn() {
  const { setInterval } = globalThis;
  globalThis.setInterval = (...args) => setInterval(...args).unref(); // else the pages' clock goes on for ever
  globalThis.document ??= { hidden: true, addEventListener() {} };
  globalThis.addEventListener ??= () => {};
  globalThis.crypto ??= webcrypto; // Node.js 18 has none there
}

function esbuild(options) {
  const { build } = createRequire(join(WEB, 'package.json'))('esbuild');
  return build({ absWorkingDir: WEB, bundle: true, format: 'esm', logLevel: 'warning', ...options });
}

/* The npm packages whose modules or styles are built into the pages. */
export async function packagesOfPages() {
  const { metafile } = await esbuild({
    entryPoints: ['src/main.tsx', 'styles/main.css', 'styles/staff.css'],
    splitting: true, outdir: 'built', metafile: true, write: false,
  });
  const found = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))
    .map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(found.filter(Boolean))];
}

/* The exports of several modules together, which share their state: load('src/a.ts', 'src/b.ts'). */
export async function load(...modules) {
  const folder = mkdtempSync(join(tmpdir(), 'servery-web-'));
  const outfile = join(folder, 'bundle.mjs');
  try {
    await esbuild({
      target: 'node18', outfile,
      stdin: { contents: modules.map((path) => `export * from './${path}';`).join('\n'), resolveDir: WEB },
    });
    standIn();
    return await import(pathToFileURL(outfile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
