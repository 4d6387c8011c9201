// What admins see of payments, and how they resolve what needs them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startProvider } from '../lib/provider.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, move, order, place, signUp, simulate, stockOf, unique }
  from '../lib/shop.mjs';

let server;
let admin;
let food;

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
  food = await addFood(admin, { price: 100 });
});
after(() => server.stop());

const list = async (query, expect) =>
  (await admin.get(`/api/admin/payments?${new URLSearchParams(query)}`, { expect })).body;
const ids = (page) => page.items.map((item) => item.id);
const resolve = async (payment, members, expect = 200) =>
  (await admin.put(`/api/admin/payments/${payment.id}`, members, { expect })).body;
const received = (payment, expect = 200) =>
  admin.post(`/api/admin/payments/${payment.id}/received`, undefined, { expect });
const whats = (payment) => payment.events.map(({ what }) => what);

// Given up by its customer, and the money came all the same.
async function flagged(client) {
  await fillCart(client, [food, 2]);
  const payment = await place(client);
  await client.delete(`/api/payments/${payment.id}`, { expect: 204 });
  await received(payment);
  return payment;
}

test('admin payments: everything that an admin needs to act', async () => {
  const name = unique('Ada');
  const client = await signUp(server, { name, phone: '0803 222 0101' });
  const { in_question: inQuestion, ...payment } = await flagged(client);
  assert.equal(inQuestion, false, 'as long as it is open');
  const page = await list({ q: name });
  assert.deepEqual(ids(page), [payment.id]);
  const { created_at: createdAt, updated_at: updatedAt, events, ...rest } = page.items[0];
  assert.deepEqual(rest, { ...payment, status: 'cancelled', order_id: null, provider_ref: null,
    items: [{ food_id: food.id, name: food.name, unit_price: 100, quantity: 2, line_total: 200 }],
    fulfilment: 'pickup', address: null, note: null,
    customer: { id: client.user.id, name, email: client.user.email, phone: '+2348032220101' },
    needs_attention: 'paid_after_cancel', refund_due: false, resolved: null, version: 2 });
  assert.ok(createdAt <= updatedAt);
  assert.equal(events.length, 1);
  assert.deepEqual([events[0].what, events[0].reason, events[0].paid, events[0].by.email],
    ['flagged', 'paid_after_cancel', { amount: 200, currency: 'NGN' }, admin.user.email]);
});

test('admin payments: resolved, reopened, and nothing of it lost', async () => {
  const payment = await flagged(await signUp(server));
  const done = await resolve(payment, { resolved: true, note: 'Sent back\nby transfer' });
  assert.equal(done.needs_attention, null);
  assert.deepEqual([done.resolved.reason, done.resolved.note, done.resolved.by.id],
    ['paid_after_cancel', 'Sent back\nby transfer', admin.user.id]);
  assert.ok(!ids(await list({ needs_attention: true })).includes(payment.id));
  assert.deepEqual(await resolve(payment, { resolved: true }), done);
  assert.deepEqual(await resolve(payment, { resolved: true, note: done.resolved.note }), done);
  assert.deepEqual(await resolve(payment, {}), done);

  const open = await resolve(payment, { resolved: false, note: 'The transfer bounced' });
  assert.deepEqual([open.needs_attention, open.resolved], ['paid_after_cancel', null]);
  assert.deepEqual(whats(open), ['flagged', 'resolved', 'reopened']);
  assert.equal(open.events[2].note, 'The transfer bounced');
  assert.deepEqual(await resolve(payment, { resolved: false }), open);
  assert.ok(ids(await list({ needs_attention: true })).includes(payment.id));
  for (const note of [' ', '\r\n', '', null])
    assert.deepEqual(await resolve(payment, { note }), open);
  const noted = await resolve(payment, { note: ' Asked for another account\n' });
  assert.equal(noted.events.at(-1).note, 'Asked for another account');
  assert.deepEqual(whats(noted), ['flagged', 'resolved', 'reopened', 'noted']);
  await resolve(payment, { resolved: true });
  const lines = () => server.log.filter((line) => line.event === 'payment_resolution' &&
    line.payment_id === payment.id);
  await server.waitFor(() => lines().filter((line) => line.resolved).length >= 2, HANG_MS,
    'a line for each resolution');
  assert.deepEqual(lines().map((line) => Boolean(line.resolved)), [true, false, false, true],
    'resolved, reopened, noted, resolved');
});

test('admin payments: money after the resolution flags again and makes no order', async () => {
  const client = await signUp(server);
  const payment = await flagged(client);
  await resolve(payment, { resolved: true });
  await received(payment);
  const [again] = (await list({ q: client.user.email, needs_attention: true })).items;
  assert.deepEqual([again.id, again.needs_attention, again.resolved],
    [payment.id, 'paid_after_cancel', null]);
  assert.deepEqual(whats(again), ['flagged', 'resolved', 'flagged']);
  assert.deepEqual((await client.get('/api/orders')).body.items, []);
  await resolve(payment, { resolved: true });
});

test('admin payments: a cancelled order is to be refunded until somebody says it is', async () => {
  const client = await signUp(server);
  const placed = await order(client, [food]);
  assert.ok(!ids(await list({ refund_due: true })).includes(placed.payment.id));
  await move(admin, placed, 'cancelled');
  const [due] = (await list({ refund_due: true })).items;
  assert.deepEqual([due.id, due.refund_due, due.order_id, due.status],
    [placed.payment.id, true, placed.id, 'paid']);
  assert.deepEqual(due.events.map(({ what, by }) => [what, by.id]),
    [['refund_due', admin.user.id]]);
  const done = await resolve(due, { resolved: true, note: 'Cash' });
  assert.deepEqual([done.refund_due, done.resolved.refund_due, done.resolved.reason],
    [false, true, null]);
  assert.ok(ids(await list({ refund_due: false })).includes(due.id));
  assert.equal((await resolve(due, { resolved: false })).refund_due, true);
  await resolve(due, { resolved: true });
});

test('admin payments: what was raised after the admin looked is not resolved with the rest', async () => {
  const client = await signUp(server);
  const read = async () => (await list({ q: client.user.email })).items[0];
  const placed = await order(client, [food]);
  assert.equal((await read()).version, 1);
  await move(admin, placed, 'cancelled');
  const seen = await read();
  assert.deepEqual([seen.version, seen.refund_due], [2, true]);
  const noted = await resolve(seen, { note: 'Asked for his account', version: seen.version });
  assert.equal(noted.version, 3);
  await resolve(seen, { resolved: true, note: 'Cash', version: seen.version }, 'version_conflict');
  assert.deepEqual(await read(), noted);
  const done = await resolve(seen, { resolved: true, note: 'Cash', version: noted.version });
  assert.deepEqual([done.version, done.refund_due], [4, false]);
  await resolve(seen, { resolved: false, version: noted.version }, 'version_conflict');
  assert.equal((await resolve(seen, { resolved: true, version: done.version })).version, 4);
  for (const [version, code] of [[0, 'out_of_range'], ['4', 'wrong_type'], [null, 'wrong_type']])
    await resolve(seen, { resolved: false, version }, code);
});

test('admin payments: what is refused', async () => {
  const placed = await order(await signUp(server), [food]);
  await resolve(placed.payment, { resolved: true }, 'nothing_to_resolve');
  await resolve(placed.payment, { resolved: false }, 'nothing_to_resolve');
  await resolve({ id: 999999 }, { resolved: true }, 'not_found');
  const client = await signUp(server);
  const payment = await flagged(client);
  for (const [members, code] of [[{ resolved: 'yes' }, 'wrong_type'],
    [{ resolved: null }, 'wrong_type'], [{ resolved: true, note: 'x'.repeat(501) }, 'too_long'],
    [{ resolved: true, note: 'a\u0000b' }, 'malformed_json'],
    [{ resolved: true, note: 'a\u0007b' }, 'control_character'],
    [{ resolved: true, refund_due: false }, 'unknown_field']])
    await resolve(payment, members, code);
  assert.deepEqual(ids(await list({ q: client.user.email, needs_attention: true })), [payment.id]);
  const done = await resolve(payment, { resolved: true, note: '🍲'.repeat(500) });
  assert.equal(done.resolved.note, '🍲'.repeat(500));
  for (const [query, code] of [[{ needs_attention: 'yes' }, 'invalid_value'],
    [{ refund_due: '' }, 'invalid_value'], [{ status: 'eaten' }, 'invalid_value'],
    [{ q: 'x'.repeat(255) }, 'too_long'], [{ limit: '101' }, 'out_of_range'],
    [{ order: 'newest' }, 'unknown_field']])
    await list(query, code);
  await list({ q: 'x'.repeat(254), limit: '100' }, 200);
});

test('admin payments: pages and filters', async () => {
  const name = unique('Pages');
  const client = await signUp(server, { name });
  const first = await order(client, [food]);
  await fillCart(client, food);
  const second = await place(client);
  const found = await list({ q: name, limit: 1 });
  assert.deepEqual(ids(found), [second.id]);
  const rest = await list({ q: name, limit: 1, cursor: found.next_cursor });
  assert.deepEqual([ids(rest), rest.next_cursor], [[first.payment.id], null]);
  assert.deepEqual(ids(await list({ q: name, status: 'paid' })), [first.payment.id]);
  assert.deepEqual(ids(await list({ q: name, status: 'pending' })), [second.id]);
  assert.deepEqual(ids(await list({ q: name, status: 'failed' })), []);
  assert.deepEqual(ids(await list({ q: `${name}%` })), []);
  assert.ok(ids(await list({ q: String(first.id) })).includes(first.payment.id));
  const newest = await list({ limit: 2 });
  assert.deepEqual(ids(newest), [second.id, first.payment.id]);
  await simulate(server, second, 'failed');
});

test('admin payments: resolving ends one that its provider calls paid, if wrongly', async (t) => {
  const provider = await startProvider();
  const shop = await startServer({ settings: { test_provider_url: provider.url }, clock: true });
  t.after(() => provider.close());
  const boss = await logInAdmin(shop);
  const plate = await addFood(boss, { price: 500, stock: 5 });
  const client = await signUp(shop);
  await fillCart(client, [plate, 2]);
  const { payment } = (await client.post('/api/orders', { fulfilment: 'pickup' },
    { expect: 402 })).body;
  provider.pay(payment.id, { amount: 400 });
  shop.clock.advance(6000);
  await shop.waitFor(() => shop.log.find(({ event }) => event === 'payment_needs_attention'),
    HANG_MS, 'flagged');
  // The provider says the same whenever it is asked: that is told once.
  for (const looks of [2, 3]) {
    shop.clock.advance(6000);
    await provider.waitFor(() => provider.count('look') >= looks, `look ${looks}`);
  }
  assert.equal(await stockOf(boss, plate), 3);
  // What is asked again and again has moved no version: the one first seen would still do.
  const { body: { items: [short] } } = await boss.get('/api/admin/payments?needs_attention=true');
  assert.deepEqual([short.needs_attention, short.status, short.amount, short.provider_ref],
    ['paid_amount_mismatch', 'pending', 1000, provider.of(payment.id).id]);
  assert.deepEqual(short.events.map(({ paid, by }) => [paid, by]),
    [[{ amount: 400, currency: 'NGN' }, null]]);
  const { body: done } = await boss.put(`/api/admin/payments/${payment.id}`,
    { resolved: true, note: 'Sent back there', version: 2 }, { expect: 200 });
  assert.deepEqual([done.status, done.needs_attention], ['failed', null]);
  assert.equal(await stockOf(boss, plate), 5);
  await shop.stop();
});
