// The shop's settings.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, fillCart, logInAdmin, place, signUp } from '../lib/shop.mjs';

let server;
let anyone;
let admin;

before(async () => {
  server = await startServer();
  anyone = new Client(server);
  admin = await logInAdmin(server);
});
after(() => server.stop());

const put = (members, expect = 200) => admin.put('/api/shop', members, { expect });

test('shop: everybody reads it, admins change it', async () => {
  const { body } = await anyone.get('/api/shop');
  assert.deepEqual([body.currency, body.currency_exponent, body.country_code, body.timezone],
    ['NGN', 2, '234', 'Africa/Lagos']);
  await anyone.put('/api/shop', { name: 'Mine' }, { expect: 401 });
  await (await signUp(server)).put('/api/shop', { name: 'Mine' }, { expect: 'forbidden' });
  const { body: changed } = await put({ name: "Mama's Kitchen 🍲" });
  assert.deepEqual(changed, { ...body, name: "Mama's Kitchen 🍲" });
  assert.deepEqual((await anyone.get('/api/shop')).body, changed);
});

test('shop: an ETag that moves with each change', async () => {
  const { etag } = (await anyone.get('/api/shop')).headers;
  await anyone.get('/api/shop', { headers: { 'if-none-match': etag }, expect: 304 });
  await put({ payment_instructions: 'Transfer to 0123456789,\nthen show the receipt.' });
  const { body } = await anyone.get('/api/shop',
    { headers: { 'if-none-match': etag }, expect: 200 });
  assert.equal(body.payment_instructions, 'Transfer to 0123456789,\nthen show the receipt.');
});

test('shop: settings are checked, and a refused call changes nothing', async () => {
  const { body: before } = await anyone.get('/api/shop');
  for (const [members, code] of [[{ name: '' }, 'too_short'], [{ name: ' ' }, 'too_short'],
    [{ name: 'x'.repeat(101) }, 'too_long'], [{ currency: 'XYZ' }, 'invalid_value'],
    [{ currency: 'ngn' }, 'invalid_value'], [{ country_code: '+234' }, 'invalid_value'],
    [{ country_code: '0' }, 'invalid_value'], [{ country_code: '1234' }, 'invalid_value'],
    [{ timezone: 'Africa/Nowhere' }, 'invalid_value'], [{ timezone: '../etc/passwd' }, 'invalid_value'],
    [{ timezone: '' }, 'invalid_value'], [{ payment_instructions: 'x'.repeat(2001) }, 'too_long'],
    [{ currency_exponent: 3 }, 'unknown_field'], [{ name: null }, 'wrong_type'],
    [{ name: 'New', timezone: 'Nowhere' }, 'invalid_value']])
    await put(members, code);
  assert.deepEqual((await anyone.get('/api/shop')).body, before);
});

test('shop: the country code says what a leading 0 means', async () => {
  await put({ country_code: '44' });
  const { user } = await signUp(server, { phone: '07700 900123' });
  assert.equal(user.phone, '+447700900123');
  await put({ country_code: '234' });
});

test('shop: the currency changes only while there is no payment', async () => {
  for (const [currency, exponent] of [['JPY', 0], ['KWD', 3], ['EUR', 2]])
    assert.equal((await put({ currency })).body.currency_exponent, exponent);
  const client = await signUp(server);
  const food = await addFood(admin, { price: 500 });
  assert.equal((await fillCart(client, food)).currency, 'EUR');
  assert.equal((await place(client)).currency, 'EUR');
  await put({ currency: 'USD' }, 'currency_in_use');
  await put({ currency: 'EUR', name: 'Still' });
  assert.equal((await anyone.get('/api/shop')).body.currency, 'EUR');
});

test('shop: the currency stays also with a free order', async () => {
  const other = await startServer();
  try {
    const owner = await logInAdmin(other);
    const client = await signUp(other);
    await fillCart(client, await addFood(owner, { price: 0 }));
    await client.post('/api/orders', { fulfilment: 'pickup' }, { expect: 201 });
    await owner.put('/api/shop', { currency: 'USD' }, { expect: 'currency_in_use' });
  } finally {
    await other.stop();
  }
});
