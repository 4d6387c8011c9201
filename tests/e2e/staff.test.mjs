// The staff's pages as an owner and a cook use them: prices and switches where they stand, a new dish
// with its picture, money that is received, customers, settings, sales, paper, and the keys of the board.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DESK, PHONE, SHOP_URL, assertFits, assertQuiet, button, heading, link, sessionOf, startBrowser, visitor,
} from '../lib/browser.mjs';
import { Client, openStream } from '../lib/client.mjs';
import { isAt } from '../lib/ordering.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logIn, logInAdmin, place, signUp, unique } from '../lib/shop.mjs';

const STREAMS_MAX = 10;

let server;
let browser;
let admin;

before(async () => {
  // With `manual`, so that an admin has money to confirm.
  server = await startServer({ settings: { public_url: SHOP_URL, payment: 'manual' } });
  admin = await logInAdmin(server);
  browser = await startBrowser(server.port);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/* The page of an admin. */
async function begin(t, path, { viewport = DESK, who = admin } = {}) {
  const page = await visitor(t, browser, { viewport, ...sessionOf(who) });
  await page.goto(path);
  return page;
}

const foodNow = async (food) => (await new Client(server).get(`/api/foods/${food.id}`)).body;
const row = (page, name) => page.getByRole('row').filter({ hasText: name });

/* A paid order of this dish. */
async function paidOrder(customer, dish, members) {
  await fillCart(customer, [dish, 1]);
  const payment = await place(customer, members);
  const { body } = await admin.post(`/api/admin/payments/${payment.id}/received`);
  return (await customer.get(`/api/orders/${body.order_id}`)).body;
}

test('the currency, changed while the first customer pays: nothing is saved, and it is said why', async (t) => {
  const customer = await signUp(server);
  const page = await begin(t, '/admin/settings');

  await page.getByLabel('Currency').fill('EUR');
  await page.getByLabel('Name of the shop').fill('Suya & Söhne');
  await fillCart(customer, await addFood(admin, { name: unique('First') }));
  await place(customer);
  await button(page, 'Save').click();
  await page.getByText('Nothing was saved: NGN stays, because somebody has paid or ordered meanwhile.').waitFor();
  assert.equal(await page.getByLabel('Name of the shop').inputValue(), 'Suya & Söhne');
  await assertFits(page);
  await button(page, 'Save').click();
  await page.getByText('The settings are saved.').waitFor();
  assert.equal((await new Client(server).get('/api/shop')).body.currency, 'NGN');
  assertQuiet(page);
});

for (const [device, viewport] of Object.entries({ desk: DESK, phone: PHONE }))
  test(`menu, ${device}: a price in two taps, a switch with an undo, stock`, async (t) => {
    const dish = await addFood(admin, { name: unique('Dish'), price: 100000, stock: 5 });
    const page = await begin(t, '/admin/menu', { viewport });

    await page.getByRole('searchbox').fill(dish.name);
    await button(page, `Price of ${dish.name}: ₦1,000. Change it`).click();
    await page.keyboard.type('1,234.50');
    await page.keyboard.press('Enter');
    await button(page, `Price of ${dish.name}: ₦1,234.50. Change it`).waitFor();
    assert.equal((await foodNow(dish)).price, 123450);
    await button(page, `Price of ${dish.name}: ₦1,234.50. Change it`).click();
    await page.keyboard.type('a lot');
    await page.keyboard.press('Enter');
    await row(page, dish.name).getByRole('alert').waitFor();
    await page.keyboard.press('Escape');

    const onSale = page.getByRole('switch', { name: `${dish.name} is on sale` });
    await onSale.click();
    await button(page, 'Undo').last().waitFor();
    await page.waitForFunction(async (id) => !(await (await fetch(`/api/foods/${id}`)).json()).available, dish.id);
    await button(page, 'Undo').last().click();
    await page.waitForFunction(async (id) => (await (await fetch(`/api/foods/${id}`)).json()).available, dish.id);
    assert.equal(await onSale.getAttribute('aria-checked'), 'true');

    await button(page, `One ${dish.name} more`).click();
    await page.waitForFunction(async (id) => (await (await fetch(`/api/foods/${id}`)).json()).stock === 6, dish.id);
    await assertFits(page);
    // On a phone there is room for it on the dish's own page.
    if (viewport === PHONE) await link(page, dish.name).click();
    await button(page, viewport === PHONE ? 'Remove this dish …' : `Remove ${dish.name}`).click();
    await button(page, 'Remove it').click();
    await page.getByText('is off the menu for good').waitFor();
    await new Client(server).get(`/api/foods/${dish.id}`, { expect: 'food_not_found' });
    assertQuiet(page);
  });

test('menu: a new dish with a picture larger than the shop takes, which the page makes fit', async (t) => {
  const page = await begin(t, '/admin/menu');
  const name = unique('Jollof');
  const large = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 5200, height: 3000 });
    const pen = canvas.getContext('2d');
    for (let i = 0; i < 3000; i++) {
      pen.fillStyle = `hsl(${i * 37 % 360} 80% 50%)`;
      pen.fillRect(i * 173 % 5200, i * 89 % 3000, 60, 60);
    }
    return canvas.toDataURL('image/png').split(',')[1];
  });

  await link(page, 'Add a dish').click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Category').fill('Rice');
  await page.getByLabel('Price').fill('2500');
  await page.getByLabel('Description').fill('Smoky at the bottom.');
  await page.getByLabel('Choose a picture').last().setInputFiles(
    { name: 'dish.png', mimeType: 'image/png', buffer: Buffer.from('no picture at all') });
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Choose a picture').last().setInputFiles(
    { name: 'dish.png', mimeType: 'image/png', buffer: Buffer.from(large, 'base64') });
  await page.getByRole('img', { name }).waitFor();
  await page.reload();
  await page.getByText('What you had typed is back').waitFor();
  await button(page, 'Put it on the menu').click();
  await page.getByText(`${name} is saved.`).waitFor();
  const { body: { items: [saved] } } = await new Client(server).get(`/api/foods?q=${name}`);
  assert.deepEqual([saved.category, saved.price, saved.description], ['Rice', 250000, 'Smoky at the bottom.']);
  const size = await page.evaluate(async (src) => {
    const image = Object.assign(new Image(), { src });
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }, saved.image_url);
  assert.equal((size[0] / size[1]).toFixed(2), (5200 / 3000).toFixed(2));
  assert.ok(size[0] <= 1200 && size[0] >= 800, String(size));
  assertQuiet(page);
});

test('two admins edit the same dish: the second is told, and loses nothing', async (t) => {
  const dish = await addFood(admin, { name: unique('Dish'), price: 100000 });
  const page = await begin(t, `/admin/menu/${dish.id}`);

  await page.getByLabel('Description').fill('Mine');
  await admin.put(`/api/foods/${dish.id}`, { description: 'Theirs' });
  await button(page, 'Save').click();
  await page.getByText('Somebody else has just changed this').waitFor();
  assert.equal(await page.getByLabel('Description').inputValue(), 'Mine');
  await button(page, 'Save').click();
  await page.getByText(`${dish.name} is saved.`).waitFor();
  assert.equal((await foodNow(dish)).description, 'Mine');
  assertQuiet(page);
});

test('the menu’s table: what somebody else has changed, and a shop that cannot store, are told at the dish', async (t) => {
  const dish = await addFood(admin, { name: unique('Dish'), price: 100000, stock: 5 });
  const page = await begin(t, '/admin/menu');
  const price = (shown) => button(page, `Price of ${dish.name}: ${shown}. Change it`);

  await page.getByRole('searchbox').fill(dish.name);
  await price('₦1,000').click();
  await page.keyboard.type('1200');
  await admin.put(`/api/foods/${dish.id}/price`, { price: 110000 });
  await page.keyboard.press('Enter');
  await page.getByText('Somebody else has just set ₦1,100. Enter sets yours all the same.').waitFor();
  assert.equal((await foodNow(dish)).price, 110000);
  await page.keyboard.press('Enter');
  await price('₦1,200').waitFor();
  assert.equal((await foodNow(dish)).price, 120000);

  server.setFull(true);
  t.after(() => server.setFull(false));
  await page.getByRole('switch', { name: `${dish.name} is on sale` }).click();
  const refused = row(page, dish.name).getByRole('alert');
  await refused.getByText('The shop is very busy. Nothing was changed').waitFor();
  await page.locator(`[role=switch][aria-label="${dish.name} is on sale"][aria-checked=true]`).waitFor();
  server.setFull(false);
  await admin.put(`/api/foods/${dish.id}/stock`, { stock: null });
  await button(page, `One ${dish.name} less`).click();
  await refused.getByText('Somebody has stopped counting this dish, so nothing was changed.').waitFor();
  assertQuiet(page);
});

test('a dish that somebody else removes while it is changed: that is said, and nothing comes back', async (t) => {
  const dish = await addFood(admin, { name: unique('Dish') });
  const page = await begin(t, `/admin/menu/${dish.id}`);

  await page.getByLabel('Description').fill('Mine');
  await admin.delete(`/api/foods/${dish.id}`);
  await button(page, 'Save').click();
  await page.getByText('This dish is no longer on the menu.').waitFor();
  assert.equal(await page.getByLabel('Description').inputValue(), 'Mine');
  await new Client(server).get(`/api/foods/${dish.id}`, { expect: 'food_not_found' });
  assertQuiet(page);
});

test('two cooks at once: who comes second is told how it is', async (t) => {
  const customer = await signUp(server);
  const { id } = await paidOrder(customer, await addFood(admin, { name: unique('Dish') }));
  const page = await begin(t, `/admin/orders/${id}`);

  await button(page, 'Confirm').waitFor();
  // In one breath, so that the page cannot hear of the other cook before its button is pressed.
  await page.evaluate((order) => {
    const other = new XMLHttpRequest();
    other.open('PUT', `/api/orders/${order}/status`, false);
    other.setRequestHeader('Content-Type', 'application/json');
    other.send('{"status":"cancelled","note":"Sold out"}');
    [...document.querySelectorAll('button')].find(({ textContent }) => /Confirm/.test(textContent)).click();
  }, id);
  await page.getByText(`Somebody else was faster: order ${id} is now “Cancelled”.`).waitFor();
  await page.getByText('Sold out').waitFor();
  assert.equal(await button(page, 'Confirm').count(), 0);
  await page.goto('/admin/orders/999999');
  await page.getByText('This is not here: it was taken away').waitFor();
  assertQuiet(page);
});

test('a board without news says that it does not ring, until there are some again', async (t) => {
  const customer = await signUp(server);
  const dish = await addFood(admin, { name: unique('Dish') });
  const streams = await Promise.all(Array.from({ length: STREAMS_MAX },
    () => openStream(admin, '/api/admin/orders/events')));
  const page = await begin(t, '/admin');
  const lost = page.getByText('New orders are not shown and do not ring.');

  await lost.waitFor();
  for (const stream of streams) stream.close();
  await lost.waitFor({ state: 'detached' });
  await paidOrder(customer, dish);
  await page.getByRole('article').filter({ hasText: dish.name }).getByText('Not seen yet').waitFor();
  assertQuiet(page);
});

test('the last admin cannot leave, and one who is none any more is shown out', async (t) => {
  const page = await begin(t, '/admin/customers');

  await page.getByRole('searchbox').fill('admin@example.com');
  await row(page, '(you)').getByRole('button').first().click();
  await button(page, 'Remove admin rights').first().click();
  await button(page, 'Remove admin rights').last().click();
  await page.getByText('Nothing was changed: this is the last admin').waitFor();

  const other = await signUp(server);
  await admin.put(`/api/admin/users/${other.user.id}`, { role: 'admin' });
  const board = await begin(t, '/admin', { who: await logIn(server, other.user.email) });
  await heading(board, 'Board').waitFor();
  await admin.put(`/api/admin/users/${other.user.id}`, { role: 'user' });
  await board.getByText('Your session has ended.').waitFor();
  await board.getByLabel('Email or phone').fill(other.user.email);
  await board.getByLabel('Password', { exact: true }).fill(other.password);
  await button(board, 'Log in').click();
  await board.waitForURL(isAt('/admin'));
  await board.getByText('Only the people who run the shop can see this page.').waitFor();
  assertQuiet(page, board);
});

test('money by hand: the customer sees how to pay, the admin confirms, the order is there', async (t) => {
  const customer = await signUp(server);
  const dish = await addFood(admin, { name: unique('Dish'), price: 345600 });
  await admin.put('/api/shop', { payment_instructions: 'Bank of Plates 0123456789' });
  await fillCart(customer, [dish, 1]);
  const payment = await place(customer);
  const payer = await visitor(t, browser); // on somebody else's phone: the link is enough
  await payer.goto(payment.checkout_url.replace(/^\w+:\/\/[^/]+/, ''));
  await payer.getByText('Bank of Plates 0123456789').waitFor();
  const page = await begin(t, '/admin');

  await page.goto('/admin/payments');
  const card = page.getByRole('article').filter({ hasText: customer.user.email });
  await button(card, 'Received ₦3,456').click();
  await button(card, 'Yes, ₦3,456 is here').click();
  await payer.getByText('Paid. Thank you!').waitFor();
  assert.equal((await customer.get('/api/orders')).body.items.length, 1);

  // Given up: whoever has sent the money all the same is told what to do.
  await fillCart(customer, [dish, 1]);
  const other = await place(customer);
  await customer.delete(`/api/payments/${other.id}`, { expect: 204 });
  await payer.goto(other.checkout_url);
  await payer.getByText(`Do not send it again: tell the shop payment number ${other.id}.`).waitFor();
  assertQuiet(page, payer);
});

test('the board: keys move orders on, a new one is marked until somebody touches it', async (t) => {
  const customer = await signUp(server, { name: 'Key Board' });
  const dish = await addFood(admin, { name: unique('Dish') });
  const page = await begin(t, '/admin');
  await heading(page, 'Board').waitFor();
  const placed = await paidOrder(customer, dish, { note: 'No pepper' });
  const ticket = page.getByRole('article').filter({ hasText: dish.name });
  await ticket.getByText('Not seen yet').waitFor();
  await ticket.getByText('No pepper').click();
  await ticket.getByText('Not seen yet').waitFor({ state: 'detached' });

  const number = await ticket.locator('kbd').first().textContent();
  await page.keyboard.press(number);
  await page.waitForFunction(async (id) =>
    (await (await fetch(`/api/orders/${id}`)).json()).status === 'confirmed', placed.id);
  await page.getByRole('region', { name: /Confirmed/ }).or(page.locator('section', { hasText: 'Confirmed' }))
    .getByText(dish.name).first().waitFor();

  // Another cook is faster.
  await admin.put(`/api/orders/${placed.id}/status`, { status: 'preparing' });
  await button(ticket, /Mark ready/).waitFor();
  await link(ticket, /Order/).click();
  await heading(page, new RegExp(`Order ${placed.id}`)).waitFor();
  await page.getByText('No pepper').first().waitFor();
  await page.goto(`/admin/orders/${placed.id}/ticket`);
  await page.getByText('No pepper').first().waitFor();
  assert.ok((await page.pdf()).length > 1000);
  assertQuiet(page);
});

/* Counts the tones that a page starts, where it may make a sound. */
function listen() {
  globalThis.tones = 0;
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function counted(...when) {
    if (this.context.state === 'running') globalThis.tones++;
    return start.apply(this, when);
  };
}

test('a new order rings and is counted on every page of the staff; it is cancelled with a reason', async (t) => {
  const customer = await signUp(server);
  const dish = await addFood(admin, { name: unique('Dish'), price: 100000 });
  const { body: { items: open } } = await admin.get('/api/admin/orders?status=pending&limit=100');
  const page = await visitor(t, browser, { viewport: DESK, ...sessionOf(admin) });
  await page.addInitScript(listen);
  await page.goto('/admin');
  await button(page, 'Turn the bell on').click();
  await button(page, 'Bell is on').waitFor();
  await page.keyboard.press('s'); // what other tests have left
  await page.getByRole('navigation', { name: 'Staff' }).getByRole('link', { name: 'Menu' }).click();
  await heading(page, 'Menu').waitFor();

  const before = await page.evaluate('tones');
  const placed = await paidOrder(customer, dish);
  await page.waitForFunction((heard) => globalThis.tones > heard, before);
  await page.waitForFunction((n) => document.title.startsWith(`(${n}) Menu`), open.length + 1);
  await link(page, `Kitchen, ${open.length + 1} new`).click();

  const ticket = page.getByRole('article').filter({ hasText: dish.name });
  await button(ticket, `Cancel order ${placed.id}`).click();
  await ticket.locator('.cancel-panel button:focus').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction((id) => document.activeElement.id === `cancel-${id}`, placed.id);
  await page.keyboard.press('Enter');
  await button(ticket, 'Sold out').click();
  await button(ticket, 'Cancel the order').click();
  await page.getByText(`Order ${placed.id} is cancelled. ₦1,000 is to be paid back.`).waitFor();
  const { body: cancelled } = await customer.get(`/api/orders/${placed.id}`);
  assert.equal(cancelled.events.at(-1).note, 'Sold out');
  assertQuiet(page);
});

test('orders, customers, settings, sales: found, changed, counted, exported', async (t) => {
  const customer = await signUp(server, { name: unique('Customer'), phone: '+2348012345678' });
  const dish = await addFood(admin, { name: unique('Dish'), price: 4200 });
  const placed = await paidOrder(customer, dish);
  const page = await begin(t, '/admin/orders');

  await page.getByRole('searchbox').fill(customer.user.email);
  await page.waitForURL(/q=/);
  await page.getByText(customer.user.name).first().waitFor();
  await page.getByText(String(placed.id)).first().waitFor();

  await link(page, 'Customers').click();
  await page.getByRole('searchbox').fill(customer.user.email);
  const person = row(page, customer.user.email);
  await person.getByRole('button').first().click();
  await button(page, 'Disable').first().click();
  await button(page, 'Disable').last().click();
  await page.getByText('is disabled.').waitFor();
  await customer.get('/api/me', { expect: 401 });

  await link(page, 'Settings').click();
  await page.getByLabel('Name of the shop').fill('Mama Ngozi’s Küche');
  await button(page, 'Save').click();
  await page.getByText('The settings are saved.').waitFor();
  await link(page, 'Mama Ngozi’s Küche').first().waitFor();

  await link(page, 'Sales').click();
  await page.getByText('Today').first().waitFor();
  await page.getByText(dish.name).first().waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /as a file/ }).click()]);
  let text = '';
  for await (const chunk of await download.createReadStream()) text += chunk;
  assert.ok(text.includes(customer.user.email), text.slice(0, 300));
  assertQuiet(page);
});
