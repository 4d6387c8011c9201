// The pages as they are served: which address answers what, compressed how, and kept how long. What
// they do in a browser is tested in tests/e2e.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Client } from '../lib/client.mjs';
import { description } from '../lib/openapi.mjs';
import { startServer } from '../lib/server.mjs';
import { logInAdmin } from '../lib/shop.mjs';

const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const UNPACK = { br: brotliDecompressSync, gzip: gunzipSync, undefined: (raw) => raw };

let server;
let anyone;

before(async () => {
  server = await startServer();
  anyone = new Client(server);
});

after(() => server?.stop());

const assetsIn = (text) => [...text.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path);

const get = (path, headers, options) => anyone.get(path, { headers, ...options });

/* The addresses of the shop's pages, as the description has them: all but those made otherwise. */
const addresses = Object.entries(description.paths)
  .filter(([path, { get: operation }]) => operation?.tags.includes('Pages') &&
    operation.operationId.endsWith('page_get') && !['/docs', '/errors'].includes(path))
  .map(([path]) => path.replace('{id}', '7'));

test('pages: all addresses answer the same file, which is asked for anew each time', async () => {
  assert.ok(addresses.length >= 24);
  const first = await get('/');
  for (const path of addresses) {
    const { text, headers } = await get(path, BROWSER, { expect: 200 });
    assert.equal(text, first.text, path);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.equal(headers.etag, first.headers.etag);
    await get(path, { 'if-none-match': headers.etag }, { expect: 304 });
    await get(path, { 'if-none-match': '"other"' }, { expect: 200 });
  }
});

test('pages: each file that they name is there, and is kept for ever', async () => {
  for (const page of ['/', '/docs', '/errors', '/dev/mail']) {
    const paths = assetsIn((await get(page)).text);
    assert.ok(paths.length >= 2, page);
    for (const path of paths) {
      const { headers } = await get(path, {}, { expect: 200 });
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      await get(path, { 'if-none-match': headers.etag }, { expect: 304 });
    }
  }
});

test('pages: what may change is not among what is kept for ever', async () => {
  for (const name of ['index.html', 'docs.html', 'errors.html', 'openapi.json', 'files.json',
    'main.tsx', 'main.css', 'icon.svg', 'rapidoc.js', 'nothing.js'])
    await get(`/assets/${name}`, BROWSER, { expect: 'not_found' });
});

/* Accept-Encoding, and what is chosen: brotli, gzip, or nothing. */
const CHOICES = [
  ['br', 'br'], ['gzip, deflate, br, zstd', 'br'], ['br;q=0.5', 'br'], ['gzip, BR;q=0.001', 'br'],
  ['*', 'br'], ['br;q=0, *', 'gzip'], ['gzip', 'gzip'], ['br;q=0, gzip', 'gzip'],
  ['br;q=0.0, gzip;q=0.1', 'gzip'], ['*;q=0, gzip', 'gzip'], ['xbr, gzip', 'gzip'],
  ['', undefined], ['identity', undefined], ['*;q=0', undefined], ['br;q=0', undefined],
  ['br;q=0, gzip;q=0', undefined], ['gzip;q=0, br;q=0, *', undefined], ['deflate', undefined],
];

test('pages: brotli before gzip before nothing, as the client takes it', async () => {
  const [script] = assetsIn((await get('/')).text).filter((path) => path.endsWith('.js'));
  const [rapidoc] = assetsIn((await get('/docs')).text).filter((path) => path.includes('rapidoc'));
  for (const path of ['/', '/docs', script, rapidoc]) {
    const plain = await get(path);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.match(plain.headers.etag, /^"/);
    for (const [accepted, chosen] of CHOICES) {
      const what = `${path}: ${accepted}`;
      const { headers, raw } = await get(path, { 'accept-encoding': accepted });
      assert.equal(headers['content-encoding'], chosen, what);
      assert.equal(headers.vary, 'Accept-Encoding', what);
      assert.equal(headers.etag, chosen ? `W/${plain.headers.etag}` : plain.headers.etag, what);
      assert.ok(UNPACK[chosen](raw).equals(plain.raw), what);
      assert.ok(!chosen || raw.length < plain.raw.length, what);
      const head = await anyone.call('HEAD', path, undefined,
        { headers: { 'accept-encoding': accepted } });
      for (const name of ['content-length', 'content-encoding', 'content-type', 'etag', 'vary',
        'cache-control'])
        assert.equal(head.headers[name], headers[name], `${what}: ${name} of HEAD`);
      assert.equal(Number(headers['content-length']), raw.length);
      const known = await get(path,
        { 'accept-encoding': accepted, 'if-none-match': headers.etag }, { expect: 304 });
      assert.equal(known.headers['content-encoding'], undefined);
      assert.equal(known.headers.vary, 'Accept-Encoding');
      assert.equal(known.raw.length, 0);
    }
  }
});

test('pages: the page of the API gets the script that npm has', async () => {
  const [path] = assetsIn((await get('/docs')).text).filter((name) => /\/rapidoc-\w+\.js$/.test(name));
  const file = readFileSync(
    new URL('../../web/node_modules/rapidoc/dist/rapidoc-min.js', import.meta.url));
  const { raw, headers } = await get(path);
  assert.ok(raw.equals(file));
  assert.match(headers['content-type'], /^text\/javascript/);
});

test('pages: a browser gets a page where there is none, a program the problem', async () => {
  const { text } = await get('/');
  const unknown = ['/nothing', '/nothing/here?q=1', '/admin/nothing', '/pay/x', '/orders/0',
    '/cart/', '/apis', '/assetsx', '/devil', '/%2e%2e'];
  for (const path of unknown) {
    const page = await get(path, BROWSER, { expect: 404 });
    assert.equal(page.text, text, path);
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(page.headers['cache-control'], 'no-store');
    const packed = await get(path, { accept: 'text/html', 'accept-encoding': 'br' }, { expect: 404 });
    assert.equal(packed.headers['content-encoding'], 'br');
    assert.equal(packed.text, text);
    const head = await anyone.call('HEAD', path, undefined, { headers: BROWSER, expect: 404 });
    assert.equal(head.headers['content-type'], 'text/html; charset=utf-8');
    for (const accept of [undefined, '*/*', 'text/*', 'application/json', 'text/html;q=0', ''])
      await get(path, { accept }, { expect: 'not_found' });
    await anyone.post(path, {}, { headers: BROWSER, expect: 'not_found' });
  }
  for (const path of ['/api', '/api/', '/api/nothing', '/assets', '/assets/', '/assets/x.js',
    '/assets/a/b', '/images', '/images/x', '/images/x/y', '/dev', '/dev/nothing'])
    await get(path, BROWSER, { expect: 404 }).then(({ headers }) =>
      assert.equal(headers['content-type'], 'application/problem+json', path));
});

test('pages: they obey their own content security policy', async () => {
  for (const path of ['/', '/reset', '/pay/1', '/admin', '/errors', '/docs', '/dev/mail']) {
    const { text, headers } = await get(path, BROWSER, { expect: 200 });
    assert.match(headers['content-security-policy'], /default-src 'self';/);
    assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i, path);
    for (const [, url] of text.matchAll(/(?:src|href)="([^"#]+)"/g))
      assert.ok(url.startsWith('/') && !url.startsWith('//'), `${path}: ${url}`);
  }
});

/* ---- On a home screen ---- */

test('manifest: it is named as the shop is', async () => {
  const admin = await logInAdmin(server);
  const before = await get('/manifest.webmanifest');
  const { body: shop } = await get('/api/shop');
  assert.equal(before.headers['content-type'], 'application/manifest+json');
  assert.equal(before.headers['cache-control'], 'no-cache');
  assert.equal(before.body.name, shop.name);
  const known = { 'if-none-match': before.headers.etag };
  await get('/manifest.webmanifest', known, { expect: 304 });

  const name = 'Chez "Zoë" </script> & Söhne';
  await admin.put('/api/shop', { name });
  const renamed = await get('/manifest.webmanifest', known, { expect: 200 });
  assert.equal(renamed.body.name, name);
  assert.equal(renamed.body.short_name, name);
  assert.notEqual(renamed.headers.etag, before.headers.etag);
  await admin.put('/api/shop', { name: shop.name });
  const again = await get('/manifest.webmanifest', {}, { expect: 200 });
  assert.equal(again.headers.etag, before.headers.etag);
});

const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/* Its sides, after the signature, the length and the type of its first chunk. */
function sidesOf(png) {
  assert.ok(png.subarray(0, 8).equals(PNG));
  return `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;
}

test('manifest: its pictures are there, as large as it says', async () => {
  const { body: { icons } } = await get('/manifest.webmanifest');
  const seen = icons.map(({ sizes, purpose }) => `${sizes} ${purpose}`);
  assert.deepEqual(seen.sort(), ['192x192 any', '512x512 any', '512x512 maskable', 'any any']);
  for (const { src, type, sizes } of icons) {
    const { headers, raw } = await get(src, {}, { expect: 200 });
    assert.equal(headers['content-type'], type);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    if (type === 'image/png') assert.equal(sidesOf(raw), sizes);
    else assert.match(raw.toString(), /^<svg /);
  }
});

test('pages: pictures are not compressed again', async () => {
  const { text } = await get('/');
  const [, path] = text.match(/rel="apple-touch-icon" href="([^"]+)"/);
  const picture = await get(path, { 'accept-encoding': 'br, gzip' });
  assert.equal(sidesOf(picture.raw), '180x180');
  const icon = await get('/favicon.ico', { 'accept-encoding': 'br, gzip' });
  assert.equal(sidesOf(icon.raw), '32x32');
  assert.equal(icon.headers['cache-control'], 'no-cache');
  await get('/favicon.ico', { 'if-none-match': icon.headers.etag }, { expect: 304 });
  for (const { headers } of [picture, icon]) {
    assert.equal(headers['content-type'], 'image/png');
    assert.equal(headers['content-encoding'], undefined);
    assert.equal(headers.vary, undefined);
    assert.match(headers.etag, /^"/);
  }
});
