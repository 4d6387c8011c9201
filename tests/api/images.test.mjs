// Pictures of foods: taken from admins, judged by their bytes, shown to everybody.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, exchange } from '../lib/client.mjs';
import { picture, pictureOf, putPicture } from '../lib/pictures.mjs';
import { HANG_MS, Server, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, signUp } from '../lib/shop.mjs';

const DAY_MS = 24 * 3600 * 1000;
const KIB = 1024;
const MAX_BYTES = 1024 * KIB;

let server;
let anyone;
let admin;
let user;

before(async () => {
  server = await startServer();
  anyone = new Client(server);
  admin = await logInAdmin(server);
  user = await signUp(server);
});
after(() => server.stop());

const put = (food, sent, options) => putPicture(admin, food, sent, options);

test('images: each kind is shown as it was sent', async () => {
  for (const name of ['7x5.png', '7x5-alpha.png', '7x5-palette.png', '64x48.jpg',
    '64x48-progressive.jpg', '64x48-thumbnail.jpg', '33x20.webp', '33x20-lossless.webp',
    '33x20-alpha.webp', '33x20-animated.webp']) {
    const food = await addFood(admin);
    const sent = picture(name);
    const { body } = await put(food, sent, { expect: 200 });
    const { image_url: url, ...rest } = body;
    assert.deepEqual(rest, (({ image_url: none, ...members }) => ({ ...members, version: 2,
      updated_at: body.updated_at }))(food));
    assert.match(url, /^\/images\/[0-9a-f]{64}$/, name);
    const shown = await anyone.get(url, { expect: 200 });
    assert.deepEqual(shown.raw, sent.bytes, name);
    assert.equal(shown.headers['content-type'], sent.type);
    assert.equal(shown.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(shown.headers['content-disposition'], 'inline');
    assert.match(shown.headers['content-security-policy'], /default-src 'none';.*sandbox/);
    assert.equal(shown.headers['content-encoding'], undefined);
    assert.equal(shown.headers.vary, undefined);
  }
});

test('images: HEAD, ETag, and no compression', async () => {
  const { body: food } = await put(await addFood(admin), pictureOf(8 * KIB, 'plain'));
  const headers = { 'accept-encoding': 'gzip' };
  const shown = await anyone.get(food.image_url, { headers, expect: 200 });
  assert.equal(shown.headers['content-encoding'], undefined);
  assert.equal(shown.raw.length, 8 * KIB);
  // Of a proxy before the shop, say.
  for (const authorization of ['Basic dTpw', 'Bearer nonsense'])
    await anyone.get(food.image_url, { headers: { authorization }, expect: 200 });
  const head = await anyone.call('HEAD', food.image_url, undefined, { headers, expect: 200 });
  assert.equal(head.headers['content-length'], String(8 * KIB));
  assert.equal(head.headers.etag, shown.headers.etag);
  const known = await anyone.get(food.image_url,
    { headers: { 'if-none-match': shown.headers.etag }, expect: 304 });
  assert.equal(known.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(known.raw.length, 0);
  await anyone.get(food.image_url, { headers: { 'if-none-match': '"other"' }, expect: 200 });
});

test('images: the menu, the food and the cart name it', async () => {
  const food = await addFood(admin);
  assert.equal((await fillCart(user, food)).items[0].image_url, null);
  const etag = (await anyone.get('/api/foods?limit=500')).headers.etag;
  const { body } = await put(food, picture('33x20.webp'));
  const url = body.image_url;
  assert.equal((await anyone.get(`/api/foods/${food.id}`)).body.image_url, url);
  const menu = await anyone.get('/api/foods?limit=500', { headers: { 'if-none-match': etag } });
  assert.equal(menu.body.items.find((item) => item.id === food.id).image_url, url);
  assert.equal((await user.get('/api/cart')).body.items[0].image_url, url);
  await admin.put(`/api/foods/${food.id}`, { name: 'Other', version: 2 }, { expect: 200 });
  assert.equal((await anyone.get(`/api/foods/${food.id}`)).body.image_url, url);

  const gone = (await admin.delete(`/api/foods/${food.id}/image`, { expect: 200 })).body;
  assert.deepEqual([gone.image_url, gone.version], [null, 4]);
  const again = (await admin.delete(`/api/foods/${food.id}/image`, { expect: 200 })).body;
  assert.deepEqual(again, gone);
  assert.equal((await user.get('/api/cart')).body.items[0].image_url, null);
  await anyone.get(url, { expect: 200 });

  await put(food, picture('33x20.webp'));
  await admin.delete(`/api/foods/${food.id}`, { expect: 204 });
  const [line] = (await user.get('/api/cart')).body.items;
  assert.deepEqual([line.problem, line.image_url], ['unavailable', null]);
  await put(food, picture('7x5.png'), { expect: 'food_not_found' });
  await admin.delete(`/api/foods/${food.id}/image`, { expect: 'food_not_found' });
});

test('images: the same picture for two foods is one', async () => {
  const [one, two] = [await addFood(admin), await addFood(admin)];
  const sent = pictureOf(2 * KIB, 'shared');
  const { body: first } = await put(one, sent);
  assert.equal((await put(two, sent)).body.image_url, first.image_url);
  await admin.delete(`/api/foods/${one.id}/image`);
  assert.equal((await anyone.get(`/api/foods/${two.id}`)).body.image_url, first.image_url);
  await anyone.get(first.image_url, { expect: 200 });
});

test('images: 1 MiB and no more', async () => {
  const food = await addFood(admin);
  const { body } = await put(food, pictureOf(MAX_BYTES, 'large'), { expect: 200 });
  assert.equal((await anyone.get(body.image_url)).raw.length, MAX_BYTES);
  for (const size of [MAX_BYTES + 1, 3 * MAX_BYTES]) {
    const { type, bytes } = pictureOf(size);
    const { status } = await exchange(server, { method: 'PUT', path: `/api/foods/${food.id}/image`,
      headers: { authorization: `Bearer ${admin.token}`, 'content-type': type }, body: bytes });
    assert.equal(status, 413);
  }
  assert.deepEqual((await anyone.get(`/api/foods/${food.id}`)).body, body);
});

test('images: 4,096 pixels a side and no more', async () => {
  const food = await addFood(admin);
  for (const name of ['4096x4096.png', '4096x16.jpg', '4096x16.webp'])
    await put(food, picture(name), { expect: 200 });
  for (const name of ['4097x1.png', '1x4097.png', '4097x16.jpg', '4097x16.webp'])
    await put(food, picture(name), { expect: 'image_too_large' });
});

test('images: what is none is refused, and so is another type than announced', async () => {
  const food = await addFood(admin);
  const { bytes } = picture('64x48.jpg');
  const attempt = (type, raw, expect) => put(food, { type, bytes: raw }, { expect });
  await attempt('image/jpeg', bytes, 200);
  await attempt('IMAGE/JPEG; name="a.jpg"', bytes, 200);
  const before = (await anyone.get(`/api/foods/${food.id}`)).body;

  for (const type of ['image/gif', 'image/svg+xml', 'image/*', 'application/json', 'text/html',
    'application/octet-stream', 'image/jpg', '', undefined])
    await attempt(type, bytes, 'unsupported_media_type');
  await attempt('image/png', bytes, 'unsupported_media_type');
  await attempt('image/webp', bytes, 'unsupported_media_type');
  await put(food, picture('7x5.png'),
    { headers: { 'content-encoding': 'gzip' }, expect: 'unsupported_media_type' });

  await attempt('image/jpeg', Buffer.alloc(0), 'image_invalid');
  await attempt('image/jpeg', bytes.subarray(0, bytes.length - 1), 'image_invalid');
  await attempt('image/jpeg', bytes.subarray(0, bytes.length / 2), 'image_invalid');
  await attempt('image/jpeg', bytes.subarray(1), 'image_invalid');
  await attempt('image/png', '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    'image_invalid');
  await attempt('image/webp', '{"image_url":"https://example.org/x.webp"}', 'image_invalid');
  assert.deepEqual((await anyone.get(`/api/foods/${food.id}`)).body, before);
});

test('images: only admins change them', async () => {
  const food = await addFood(admin);
  await putPicture(anyone, food, undefined, { expect: 'unauthenticated' });
  await putPicture(user, food, undefined, { expect: 'forbidden' });
  await user.delete(`/api/foods/${food.id}/image`, { expect: 'forbidden' });
  const browser = new Client(server, { cookie: `servery_session=${admin.token}` });
  await putPicture(browser, food, undefined,
    { headers: { 'sec-fetch-site': 'cross-site' }, expect: 'cross_site' });
  await putPicture(browser, food, undefined,
    { headers: { 'sec-fetch-site': 'same-origin' }, expect: 200 });
  await put({ id: 999999 }, undefined, { expect: 'food_not_found' });
  await admin.post(`/api/foods/${food.id}/image`, {}, { expect: 405 });
});

test('images: an address that names none', async () => {
  const { body: food } = await put(await addFood(admin));
  const hash = food.image_url.split('/').pop();
  for (const name of [hash.slice(1), `${hash}0`, hash.toUpperCase(), '0'.repeat(64), `${hash}.png`,
    '..%2f..%2fservery.db', '%00'])
    await anyone.get(`/images/${name}`, { expect: 'not_found' });
  await admin.delete(food.image_url, { expect: 405 });
});

test('images: more of them than are kept in memory', async () => {
  const urls = [];
  for (let i = 0; i < 20; i++)
    urls.push((await put(await addFood(admin), pictureOf(MAX_BYTES, `many ${i}`))).body.image_url);
  for (const round of [1, 2])
    await Promise.all(urls.map(async (url, i) => {
      const { raw } = await anyone.get(url, { expect: 200 });
      assert.ok(raw.equals(pictureOf(MAX_BYTES, `many ${i}`).bytes), `${round}: ${url}`);
    }));
});

test('images: many sent at once, some of them the same', async () => {
  const foods = await Promise.all(Array.from({ length: 40 }, () => addFood(admin)));
  const answers = await Promise.all(foods.map((food, i) =>
    put(food, pictureOf(256 * KIB, `at once ${i % 7}`), { expect: 200 })));
  const urls = answers.map(({ body }) => body.image_url);
  assert.equal(new Set(urls).size, 7);
  const again = await Promise.all(foods.map((food, i) =>
    put(foods[0], pictureOf(1 * KIB, `last ${i}`), { expect: 200 })));
  const last = again.reduce((a, b) => (a.body.version > b.body.version ? a : b)).body;
  assert.equal(last.version, 2 + foods.length);
  assert.equal((await anyone.get(`/api/foods/${foods[0].id}`)).body.image_url, last.image_url);
});

/* ---- With servers of their own ---- */

test('images: survive a restart', async () => {
  const first = await startServer();
  const before = await logInAdmin(first);
  const { body: food } = await putPicture(before, await addFood(before), picture('64x48.jpg'));
  await first.end();
  const second = await new Server({ dir: first.dir }).start();
  try {
    const client = new Client(second);
    assert.equal((await client.get(`/api/foods/${food.id}`)).body.image_url, food.image_url);
    assert.deepEqual((await client.get(food.image_url)).raw, picture('64x48.jpg').bytes);
  } finally {
    await second.stop();
  }
});

// Started again with its clock ahead, so that the sweeper is due and no picture is in memory.
async function restartLater(former, ms) {
  await former.end();
  const next = new Server({ dir: former.dir, clock: true });
  next.clock.advance((former.clock?.offset_ms ?? 0) + ms);
  return next.start();
}

test('images: what no food shows is forgotten a day later, and nothing else', async () => {
  let shop = await startServer({ clock: true });
  try {
    const own = await logInAdmin(shop);
    const send = async (food, text) =>
      (await putPicture(own, food, pictureOf(KIB, text))).body.image_url;
    const [one, two] = [await addFood(own), await addFood(own)];
    const replaced = await send(one, 'replaced');
    const shared = await send(one, 'shared');
    assert.equal(await send(two, 'shared'), shared);
    const kept = await send(one, 'kept');
    const archived = await addFood(own);
    const gone = await send(archived, 'archived');
    await own.delete(`/api/foods/${archived.id}`);

    shop = await restartLater(shop, DAY_MS - 3600_000);
    for (const url of [replaced, gone, shared, kept])
      await new Client(shop).get(url, { expect: 200 });
    shop = await restartLater(shop, 2 * 3600_000);
    const { images } = await shop.waitFor(
      () => shop.log.find((line) => line.event === 'images_forgotten'), HANG_MS, 'the sweeper');
    assert.equal(images, 2);
    for (const url of [replaced, gone]) await new Client(shop).get(url, { expect: 404 });
    for (const url of [shared, kept]) await new Client(shop).get(url, { expect: 200 });
    const later = await logInAdmin(shop);
    const { body: back } = await putPicture(later, one, pictureOf(KIB, 'replaced'));
    assert.equal(back.image_url, replaced);
    await new Client(shop).get(replaced, { expect: 200 });
  } finally {
    await shop.stop();
  }
});
