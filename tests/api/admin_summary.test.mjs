// What the shop sold, by days of its own time zone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logIn, logInAdmin, moveAlong, order, place, signUp, simulate, unique }
  from '../lib/shop.mjs';

const DAY_MS = 24 * 60 * 60 * 1000;
let server;
let admin;
let client;

before(async () => {
  server = await startServer({ clock: true });
  admin = await logInAdmin(server);
  client = await signUp(server);
});
after(() => server.stop());

const summary = async (query = {}, expect) =>
  (await admin.get(`/api/admin/summary?${new URLSearchParams(query)}`, { expect })).body;

// Moves the server's clock; sessions may be over then.
async function travel(to) {
  const ms = new Date(to).getTime() - server.clock.now();
  server.clock.advance(ms);
  admin = await logInAdmin(server);
  client = await logIn(server, client.user.email);
}

const zone = (timezone) => admin.put('/api/shop', { timezone }, { expect: 200 });
const dateIn = (timezone, at) => new Intl.DateTimeFormat('sv-SE', { timeZone: timezone })
  .format(at);

test('summary: the last 30 days by default, today among them, empty ones too', async () => {
  const { timezone, from, to, days, currency } = await summary();
  assert.deepEqual([timezone, currency], ['Africa/Lagos', 'NGN']);
  assert.equal(to, dateIn('Africa/Lagos', server.clock.now()));
  assert.equal(days.length, 30);
  assert.deepEqual([days[0].date, days.at(-1).date], [from, to]);
  for (let i = 1; i < days.length; i++)
    assert.equal(new Date(days[i].date) - new Date(days[i - 1].date), DAY_MS);
});

test('summary: totals, statuses and foods; what is cancelled is no revenue', async () => {
  await travel('2031-05-10T12:00:00Z');
  const [jollof, tea] = [await addFood(admin, { price: 500, name: unique('Jollof') }),
    await addFood(admin, { price: 100 })];
  const before = await summary({ from: '2031-05-10', to: '2031-05-10' });
  const done = await order(client, [[jollof, 2], [tea, 5]]);
  await moveAlong(admin, done, 'completed');
  await moveAlong(admin, await order(client, [[jollof, 40]]), 'cancelled');
  const open = await order(client, [tea]);
  await fillCart(client, tea);
  const unpaid = await place(client);

  const got = await summary({ from: '2031-05-09', to: '2031-05-11' });
  assert.deepEqual(got.days, [
    { date: '2031-05-09', orders: 0, cancelled: 0, revenue: 0 },
    { date: '2031-05-10', orders: 3, cancelled: 1, revenue: 1600 },
    { date: '2031-05-11', orders: 0, cancelled: 0, revenue: 0 },
  ]);
  assert.deepEqual(got.totals, { orders: 3, cancelled: 1, revenue: 1600 });
  assert.deepEqual(got.by_status, { pending: 1, confirmed: 0, preparing: 0, ready: 0,
    out_for_delivery: 0, completed: 1, cancelled: 1 });
  assert.deepEqual(got.top_foods, [
    { food_id: tea.id, name: tea.name, quantity: 6, revenue: 600 },
    { food_id: jollof.id, name: jollof.name, quantity: 2, revenue: 1000 }]);
  assert.equal(got.now.open_orders, before.now.open_orders + 1);
  assert.equal(got.now.by_status.pending, before.now.by_status.pending + 1);
  assert.equal(got.now.refund_due, before.now.refund_due + 1);

  // Given up and paid all the same: it waits for somebody, and is no order.
  await client.delete(`/api/payments/${unpaid.id}`);
  await simulate(server, unpaid);
  const later = await summary({ from: '2031-05-10', to: '2031-05-10' });
  assert.equal(later.now.needs_attention, before.now.needs_attention + 1);
  assert.deepEqual(later.totals, got.totals);
  await moveAlong(admin, open, 'completed');
});

test('summary: days begin at midnight of the shop, wherever it is', async () => {
  const food = await addFood(admin, { price: 1 });
  const at = ['2031-06-01T10:30:00Z', '2031-06-01T13:30:00Z', '2031-06-02T09:30:00Z'];
  for (const time of at) {
    await travel(time);
    await order(client, [food]);
  }
  for (const timezone of ['Africa/Lagos', 'Pacific/Kiritimati', 'Pacific/Pago_Pago',
    'Asia/Kathmandu', 'America/New_York', 'UTC']) {
    await zone(timezone);
    const got = await summary({ from: '2031-05-31', to: '2031-06-03' });
    assert.equal(got.timezone, timezone);
    const expected = { '2031-05-31': 0, '2031-06-01': 0, '2031-06-02': 0, '2031-06-03': 0 };
    for (const time of at) expected[dateIn(timezone, new Date(time))]++;
    assert.deepEqual(Object.fromEntries(got.days.map(({ date, orders }) => [date, orders])),
      expected, timezone);
    assert.equal((await summary()).to, dateIn(timezone, server.clock.now()), timezone);
  }
});

test('summary: days of 23 and of 25 hours', async () => {
  await zone('Europe/Berlin');
  const food = await addFood(admin, { price: 1 });
  // Forward on 2032-03-28, back on 2032-10-31: an order in the first and the last minute of each.
  const at = ['2032-03-27T22:59:30Z', '2032-03-27T23:00:30Z', '2032-03-28T21:59:30Z',
    '2032-03-28T22:00:30Z', '2032-10-30T21:59:30Z', '2032-10-30T22:00:30Z',
    '2032-10-31T22:59:30Z', '2032-10-31T23:00:30Z'];
  for (const time of at) {
    await travel(time);
    await order(client, [food]);
  }
  const orders = async (from, to) => (await summary({ from, to })).days.map((day) => day.orders);
  assert.deepEqual(await orders('2032-03-27', '2032-03-29'), [1, 2, 1]);
  assert.deepEqual(await orders('2032-10-30', '2032-11-01'), [1, 2, 1]);
  await zone('Africa/Lagos');
});

test('summary: a period is 1 to 366 days', async () => {
  assert.equal((await summary({ from: '2031-05-10', to: '2031-05-10' })).days.length, 1);
  const leap = await summary({ from: '2028-01-01', to: '2028-12-31' });
  assert.deepEqual([leap.days.length, leap.days[59].date], [366, '2028-02-29']);
  const year = await summary({ to: '2031-12-31' });
  assert.equal(year.from, '2031-12-02');
  for (const [query, code] of [[{ from: '2028-01-01', to: '2029-01-01' }, 'out_of_range'],
    [{ from: '2031-05-11', to: '2031-05-10' }, 'invalid_value'],
    [{ from: '2900-01-01' }, 'invalid_value'], [{ from: '1970-01-01' }, 'out_of_range'],
    [{ from: 'yesterday' }, 'invalid_value'], [{ to: '2031-02-29' }, 'invalid_value'],
    [{ to: '2031-05-10T00:00:00Z' }, 'invalid_value'], [{ to: '' }, 'invalid_value'],
    [{ to: '2031-5-1' }, 'invalid_value'], [{ days: '7' }, 'unknown_field'],
    [{ to: '0001-01-29' }, 'out_of_range'], [{ to: '0000-01-01' }, 'out_of_range'],
    [{ from: '0000-12-31', to: '0001-01-01' }, 'out_of_range']])
    await summary(query, code);
  assert.equal((await summary({ to: '0001-01-30' })).from, '0001-01-01');
  for (const date of ['0001-01-01', '9999-12-31'])
    assert.equal((await summary({ from: date, to: date })).days[0].orders, 0);
});
