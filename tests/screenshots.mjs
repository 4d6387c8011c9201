// The pictures of README.md: a demo with two weeks of orders behind it, seen in a real browser.
//   node tests/screenshots.mjs FOLDER      (script/screenshots calls it)
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SHOP_URL, logInAt, startBrowser } from './lib/browser.mjs';
import { Client } from './lib/client.mjs';
import { startServer } from './lib/server.mjs';
import { PASSWORD, logInAdmin, moveAlong, order, signUp } from './lib/shop.mjs';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const DAYS = 14;
const TONIGHT = [
  // minutes before the picture, status, dishes, delivery, note
  [34, 'out_for_delivery', ['Jollof rice', 'Beef suya', 'Zobo'], true, null],
  [27, 'ready', ['Banga soup', 'Pounded yam'], false, null],
  [22, 'preparing', ['Whole grilled croaker', 'Dodo', 'Chapman'], true, 'Croaker well done, pepper on the side'],
  [13, 'preparing', ['Asun', 'Yam fries'], false, null],
  [11, 'confirmed', ['Ofada rice and ayamase', 'Puff-puff'], false, 'No crayfish: allergy'],
  [6, 'confirmed', ['Egusi soup', 'Pounded yam', 'Kunu'], true, null],
  [3, 'pending', ['Jollof rice', 'Chicken suya', 'Dodo'], false, 'Two forks, please'],
  [1, 'pending', ['Meat pie', 'Akara', 'Zobo'], true, null],
];

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const server = await startServer({ clock: true, settings: { public_url: SHOP_URL } });
const browser = await startBrowser(server.port);

async function fill() {
  const customers = await Promise.all(['Ada Obi', 'Bola Ade', 'Chidi Eze', 'Dayo Bello'].map(
    (name, i) => signUp(server, { name, phone: `+23480312345${10 + i}` })));
  const { body: { items } } = await new Client(server).get('/api/foods?limit=500');
  const dish = (name) => items.find((food) => food.name === name);
  const uncounted = items.filter((food) => food.available && food.stock === null && food.price);
  for (let day = 0, n = 0; day < DAYS; day++) {
    const admin = await logInAdmin(server);
    for (let i = 0; i < 3 + (day * 5) % 6; i++, n++) {
      const dishes = [0, 7, 3].map((step) => uncounted[(n * 5 + step) % uncounted.length]);
      await moveAlong(admin, await order(customers[n % 4], dishes.map((food) => [food, 1 + n % 2])), 'completed');
      server.clock.advance(25 * MINUTE_MS);
    }
    server.clock.advance(DAY_MS - (3 + (day * 5) % 6) * 25 * MINUTE_MS);
  }
  const admin = await logInAdmin(server);
  let first;
  for (const [i, [minutes, status, dishes, isDelivery, note]] of TONIGHT.entries()) {
    const placed = await order(customers[i % 4], dishes.map((name) => [dish(name), 1 + i % 2]), {
      fulfilment: isDelivery ? 'delivery' : 'pickup', note, ...(isDelivery && { address: `${12 + i} Palm Street` }) });
    const moved = await moveAlong(admin, placed, status);
    if (status === 'preparing') first ??= { order: moved, customer: customers[i % 4] };
    server.clock.advance((minutes - (TONIGHT[i + 1]?.[0] ?? 0)) * MINUTE_MS);
  }
  return first;
}

async function shoot(name, viewport, path, who, prepare = async () => {}) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', baseURL: SHOP_URL, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  if (who) {
    await page.goto('/login');
    await logInAt(page, ...who);
    await page.waitForURL((url) => url.pathname !== '/login');
  }
  await page.goto(path, { waitUntil: 'load' });
  await page.locator('h1').first().waitFor({ state: 'attached' });
  await prepare(page);
  await page.waitForFunction(() => !document.querySelector('.loading, .toast'));
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await context.close();
}

try {
  const { order: placed, customer } = await fill();
  const admin = ['admin@example.com', 'servery-demo'];
  await shoot('menu', { width: 390, height: 780 }, '/', null, async (page) => {
    for (const name of ['Jollof rice', 'Coconut rice', 'Jollof rice'])
      await page.getByRole('button', { name: new RegExp(`^(Add|One more) ${name}$`) }).click();
    const top = page.getByRole('heading', { name: 'Rice', exact: true });
    await top.evaluate((heading) => heading.scrollIntoView({ behavior: 'instant' }));
    await page.waitForFunction(() => [...document.images].every((image) =>
      image.complete || image.getBoundingClientRect().top > innerHeight || image.getBoundingClientRect().bottom < 0));
  });
  await shoot('order', { width: 390, height: 780 }, `/orders/${placed.id}`, [customer.user.email, PASSWORD]);
  await shoot('board', { width: 1280, height: 800 }, '/admin', admin);
  await shoot('sales', { width: 1280, height: 800 }, '/admin/sales?days=7', admin, async (page) => {
    await page.locator('canvas').first().waitFor();
    await page.locator('#period').evaluate((heading) => heading.scrollIntoView({ behavior: 'instant' }));
  });
} finally {
  await browser.close();
  await server.stop();
}
