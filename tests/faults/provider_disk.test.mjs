// The disk fills up while a provider is being asked: the payment is committed, what the provider said
// is not. The client must not hear that nothing was changed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startProvider } from '../lib/provider.mjs';
import { addFood, fillCart, logInAdmin, signUp } from '../lib/shop.mjs';
import { Shop } from './shop.mjs';
import { SmallDisk } from './small_disk.mjs';

const reason = SmallDisk.whyNot();
const skip = reason !== '';
const name = (text) => (skip ? `${text} (skipped: ${reason})` : text);

test(name('a disk that is full when the provider answers'), { skip }, async (t) => {
  const disk = new SmallDisk();
  const provider = await startProvider();
  const shop = new Shop({ settings: { test_provider_url: provider.url,
    database: `sqlite:${disk.dir}/servery.db`, secret_file: `${disk.dir}/servery.key` } });
  t.after(async () => {
    await shop.remove();
    await provider.close();
    disk.remove();
  });
  await shop.start();
  await shop.makeAdmin();
  const food = await addFood(await logInAdmin(shop), { price: 250 });
  const client = await signUp(shop);
  const writer = await signUp(shop);
  await fillCart(client, [food, 2]);
  await fillCart(writer, [food, 1]);

  const placing = (expect) => client.post('/api/orders', { fulfilment: 'pickup' },
    { expect, headers: { 'idempotency-key': 'once' } });
  provider.set('create', 'hold');
  const asked = placing('unavailable');
  await provider.waitFor(() => provider.count('create') === 1, 'the creation');
  disk.fill();
  for (let quantity = 2, full = false; !full; quantity = (quantity % 99) + 1) {
    const { status } = await writer.put(`/api/cart/items/${food.id}`, { quantity },
      { expect: 'any' });
    full = status === 503;
  }
  provider.release();
  const { body: refused, headers } = await asked;
  assert.match(refused.detail, /payment is made and kept/);
  assert.ok(Number(headers['retry-after']) >= 1);
  const { body: { pending_payment: kept } } = await client.get('/api/cart');
  assert.equal(kept.status, 'creating');

  disk.free();
  const { body: { payment } } = await placing(402);
  assert.equal(payment.id, kept.id);
  await shop.end();
  await shop.checkData();
});
