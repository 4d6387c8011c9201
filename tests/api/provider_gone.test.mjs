// The shop takes another payment provider while payments still wait for the former one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startProvider } from '../lib/provider.mjs';
import { HANG_MS, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, place, signUp, stockOf } from '../lib/shop.mjs';

const HOLD_MS = 15 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

const common = { mode: 'serve', clock: true };
const settings = { mail: 'log', mail_from: 'Shop <shop@example.com>' };

test('a provider that is gone: its payments are told of, may be received, and end', async (t) => {
  const provider = await startProvider();
  t.after(() => provider.close());
  const former = await startServer({ ...common, settings: { ...settings, payment: 'test',
    allow_test_payments: 'yes', test_provider_url: provider.url } });
  await former.makeAdmin();
  const admin = await logInAdmin(former);
  const food = await addFood(admin, { price: 250, stock: 10 });
  const customers = [];
  for (let i = 0; i < 3; i++) {
    const client = await signUp(former);
    await fillCart(client, [food, 2]);
    client.payment = (await client.post('/api/orders', { fulfilment: 'pickup' },
      { expect: 402 })).body.payment;
    customers.push(client);
  }
  const [paid, givenUp, waiting] = customers;
  provider.set('cancel', 'down');
  await givenUp.delete(`/api/payments/${givenUp.payment.id}`, { expect: 204 });
  await former.end();

  const server = await startServer({ ...common, dir: former.dir,
    settings: { ...settings, payment: 'manual' } });
  const on = (client) => Object.assign(new Client(server, { token: client.token }),
    { payment: client.payment });
  const boss = on(admin);
  const find = (event, { payment: { id } }) => server.waitFor(() => server.log.find((line) =>
    line.event === event && line.payment_id === id), HANG_MS, `${event} ${id}`);
  const status = async (client) =>
    (await on(client).get(`/api/payments/${client.payment.id}`)).body.status;
  const gone = await server.waitFor(() => server.log.find(({ event }) =>
    event === 'provider_gone'), HANG_MS, 'provider_gone');
  assert.deepEqual([gone.provider, gone.payments, gone.level], ['test', 3, 'warn']);

  // Nobody simulates what is left of the test payments; an admin who sees the money can say so.
  const page = new Client(server,
    { token: provider.of(paid.payment.id).returnUrl.split('#')[1] });
  const path = `/api/payments/${paid.payment.id}`;
  await page.post(`${path}/simulate`, { outcome: 'paid' }, { expect: 'not_found' });
  const { body: received } = await boss.post(`/api/admin/payments/${paid.payment.id}/received`,
    undefined, { expect: 200 });
  assert.equal(received.status, 'paid');
  assert.notEqual(received.order_id, null);
  assert.equal(await stockOf(boss, food), 4);

  // The same cart again is a new payment, with the provider that there is.
  const next = await place(on(waiting));
  assert.notEqual(next.id, waiting.payment.id);
  assert.equal(next.provider, 'manual');
  assert.equal(await status(waiting), 'cancelling');
  assert.equal(await stockOf(boss, food), 2);

  server.clock.advance(HOLD_MS);
  for (const client of [givenUp, waiting]) {
    assert.equal((await find('payment_needs_attention', client)).reason, 'provider_gone');
    assert.equal(await status(client), 'cancelling');
  }
  server.clock.advance(DAY_MS);
  for (const client of [givenUp, waiting]) {
    assert.equal((await find('payment_closed_unasked', client)).status, 'cancelled');
    assert.equal(await status(client), 'cancelled');
  }
  assert.equal(await status(paid), 'paid');
  assert.equal(await stockOf(boss, food), 8);
  await server.stop();
});
