// Pictures of foods in a real browser, which decodes what the server only looked at.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SHOP_URL, startBrowser } from '../lib/browser.mjs';
import { picture, putPicture } from '../lib/pictures.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, logInAdmin } from '../lib/shop.mjs';

const NAMES = ['7x5.png', '7x5-alpha.png', '7x5-palette.png', '64x48.jpg', '64x48-progressive.jpg',
  '64x48-gray.jpg', '64x48-comment.jpg', '64x48-thumbnail.jpg', '33x20.webp', '33x20-lossless.webp',
  '33x20-alpha.webp', '33x20-animated.webp', '4096x16.jpg', '4096x16.webp', '4096x4096.png'];

let server;
let browser;
let foods;

before(async () => {
  server = await startServer({ settings: { public_url: SHOP_URL } });
  const admin = await logInAdmin(server);
  foods = await Promise.all(NAMES.map(async (name) => {
    const food = await addFood(admin, { name });
    return (await putPicture(admin, food, picture(name))).body;
  }));
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const sizeOf = (name) => name.match(/^(\d+)x(\d+)/).slice(1).map(Number);

test('pictures: on the menu, each as large as the server took it for', async () => {
  const page = await browser.newPage();
  await page.goto(SHOP_URL);
  for (const { name } of foods) {
    const image = page.getByRole('listitem').filter({ has: page.getByRole('heading',
      { name, exact: true }) }).locator('img');
    await image.scrollIntoViewIfNeeded();
    const shown = await image.evaluate(async (img) => {
      await img.decode();
      return [img.naturalWidth, img.naturalHeight];
    });
    assert.deepEqual(shown, sizeOf(name), name);
  }
  await page.close();
});

test('pictures: by themselves, and as nothing but pictures', async () => {
  const page = await browser.newPage();
  const { name, image_url: url } = foods[3];
  await page.goto(SHOP_URL + url);
  const shown = await page.locator('img').evaluate((img) => [img.naturalWidth, img.naturalHeight]);
  assert.deepEqual(shown, sizeOf(name));
  await page.goto(SHOP_URL);
  const ran = await page.evaluate((src) => new Promise((resolve) => {
    const script = Object.assign(document.createElement('script'), { src });
    script.onload = () => resolve('ran');
    script.onerror = () => resolve('refused');
    document.head.append(script);
  }), url);
  assert.equal(ran, 'refused');
  await page.close();
});
