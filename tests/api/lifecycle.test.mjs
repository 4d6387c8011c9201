// The way of an order: every pair of statuses, for both fulfilments.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, move, moveAlong, order, place, signUp, simulate, stockOf }
  from '../lib/shop.mjs';

const STATUSES = ['pending', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed',
  'cancelled'];
// As the contract has it.
const ALLOWED = {
  pickup: {
    pending: ['confirmed', 'cancelled'], confirmed: ['preparing', 'cancelled'],
    preparing: ['ready', 'cancelled'], ready: ['completed', 'cancelled'],
    completed: [], cancelled: [],
  },
  delivery: {
    pending: ['confirmed', 'cancelled'], confirmed: ['preparing', 'cancelled'],
    preparing: ['ready', 'cancelled'], ready: ['out_for_delivery', 'cancelled'],
    out_for_delivery: ['completed', 'cancelled'], completed: [], cancelled: [],
  },
};

let server;
let admin;
let client;
let free;

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
  client = await signUp(server);
  free = await addFood(admin, { price: 0 });
});
after(() => server.stop());

async function newOrder(fulfilment) {
  await fillCart(client, free);
  const address = fulfilment === 'delivery' ? '12 Marina' : undefined;
  return (await client.post('/api/orders', { fulfilment, address }, { expect: 201 })).body;
}

for (const [fulfilment, table] of Object.entries(ALLOWED)) {
  for (const [from, allowed] of Object.entries(table)) {
    test(`lifecycle: ${fulfilment}, from ${from}`, async () => {
      for (const to of STATUSES) {
        const placed = await newOrder(fulfilment);
        const before = await moveAlong(admin, placed, from);
        assert.equal(before.status, from);
        if (allowed.includes(to)) {
          const { customer: _, ...moved } = await move(admin, placed, to);
          assert.deepEqual([moved.status, moved.version], [to, before.version + 1]);
          const { id, at, ...event } = moved.events.at(-1);
          assert.deepEqual(event, { from, to, actor: 'admin', note: null });
          assert.ok(id > (before.events.at(-1)?.id ?? 0) && at <= moved.updated_at);
          assert.deepEqual((await client.get(`/api/orders/${placed.id}`)).body, moved);
        } else {
          const refused = await move(admin, placed, to, { expect: 'illegal_transition' });
          assert.deepEqual(refused.allowed.sort(), [...allowed].sort(), `${from} → ${to}`);
          const { customer: _, ...unchanged } = before;
          if (from !== 'pending')
            assert.deepEqual((await client.get(`/api/orders/${placed.id}`)).body, unchanged);
        }
      }
    });
  }
}

test('lifecycle: customers cannot change a status', async () => {
  const placed = await newOrder('pickup');
  await move(client, placed, 'cancelled', { expect: 'forbidden' });
  await move(new Client(server), placed, 'cancelled', { expect: 'unauthenticated' });
});

test('lifecycle: an unknown order, an unknown status, other members', async () => {
  const placed = await newOrder('pickup');
  await move(admin, { id: 999999 }, 'confirmed', { expect: 'not_found' });
  await move(admin, placed, 'eaten', { expect: 'invalid_value' });
  await move(admin, placed, 'Confirmed', { expect: 'invalid_value' });
  await move(admin, placed, 7, { expect: 'wrong_type' });
  const at = `/api/orders/${placed.id}/status`;
  await admin.put(at, {}, { expect: 'required' });
  await admin.put(at, { status: 'confirmed', total: 1 }, { expect: 'unknown_field' });
  await admin.put(at, { status: 'confirmed', note: 'x'.repeat(501) }, { expect: 'too_long' });
});

test('lifecycle: a note goes with the event', async () => {
  const placed = await newOrder('pickup');
  const note = `Sorry, ${'é'.repeat(490)}\n🍲`;
  const { body } = await admin.put(`/api/orders/${placed.id}/status`,
    { status: 'cancelled', note });
  assert.equal(body.events.at(-1).note, note);
});

test('lifecycle: a stale version is refused', async () => {
  const placed = await newOrder('pickup');
  const at = `/api/orders/${placed.id}/status`;
  await admin.put(at, { status: 'confirmed', version: placed.version });
  await admin.put(at, { status: 'preparing', version: placed.version },
    { expect: 'version_conflict' });
  await admin.put(at, { status: 'preparing', version: placed.version + 1 });
});

test('lifecycle: stock comes back from pending and confirmed, not once it is cooked', async () => {
  for (const [from, back] of [['pending', true], ['confirmed', true], ['preparing', false],
    ['ready', false], ['out_for_delivery', false]]) {
    const food = await addFood(admin, { stock: 5, price: 100 });
    const placed = await order(client, [[food, 3]],
      { fulfilment: 'delivery', address: '12 Marina' });
    assert.equal(await stockOf(client, food), 2);
    await moveAlong(admin, placed, from);
    await move(admin, placed, 'cancelled');
    assert.equal(await stockOf(client, food), back ? 5 : 2, `cancelled from ${from}`);
    await move(admin, placed, 'cancelled', { expect: 'illegal_transition' });
    assert.equal(await stockOf(client, food), back ? 5 : 2, 'once');
  }
});

test('lifecycle: stock of a food that is counted only since then does not grow', async () => {
  const food = await addFood(admin, { stock: null, price: 100 });
  const placed = await order(client, [[food, 3]]);
  await admin.put(`/api/foods/${food.id}/stock`, { stock: 10 });
  await move(admin, placed, 'cancelled');
  assert.equal(await stockOf(client, food), 10);
});

test('lifecycle: a payment of a cancelled order is as it was', async () => {
  const food = await addFood(admin, { price: 100 });
  await fillCart(client, food);
  const payment = await place(client);
  await simulate(server, payment);
  const { body } = await client.post('/api/orders', { payment_id: payment.id });
  const cancelled = await move(admin, body, 'cancelled');
  assert.deepEqual(cancelled.payment, { id: payment.id, status: 'paid', amount: 100 });
});
