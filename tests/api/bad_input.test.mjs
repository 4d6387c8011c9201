// Bad input: a clear error and nothing lost. What is below HTTP's own framing is in http.test.mjs;
// every illegal pair of statuses in lifecycle.test.mjs; what comes many times at once in
// race.test.mjs; payment news from every payment state in payments.test.mjs and provider.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, openStream } from '../lib/client.mjs';
import { description } from '../lib/openapi.mjs';
import { startServer } from '../lib/server.mjs';
import { PASSWORD, addFood, fillCart, logIn, logInAdmin, order, place, signUp, stockOf, unique }
  from '../lib/shop.mjs';

let server;
let admin;
let anyone;
let user;
let food;
let placed;
let payment;

before(async () => {
  server = await startServer();
  anyone = new Client(server);
  admin = await logInAdmin(server);
  user = await signUp(server, { name: 'Ada', phone: '0803 333 0001' });
  food = await addFood(admin, { price: 100, stock: 10 });
  placed = await order(user, [food]);
  await fillCart(user, food);
  payment = await place(user);
});
after(() => server.stop());

/* ---- Every call that takes a body, from the description ---- */

// A body that is right, so that what is tried is the only thing wrong.
const SAMPLES = {
  signup_post: () => ({ email: `${unique()}@example.org`, password: PASSWORD, name: 'A',
    phone: '0803 333 9999', referral_code: user.user.referral_code }),
  verify_otp_post: () => ({ signup_token: 'x', otp: '000000' }),
  resend_otp_post: () => ({ signup_token: 'x' }),
  login_post: () => ({ identifier: 'nobody@example.org', password: PASSWORD }),
  me_put: () => ({ name: 'Ada', phone: '0803 333 0001' }),
  me_password_put: () => ({ current_password: 'wrong', new_password: PASSWORD }),
  password_reset_post: () => ({ email: 'nobody@example.org' }),
  password_reset_confirm_post: () => ({ token: 'x', new_password: PASSWORD }),
  foods_post: () => ({ name: 'F', price: 1, description: 'D', category: 'C', available: true,
    stock: 1 }),
  food_put: () => ({ name: 'F', price: 1, description: 'D', category: 'C', available: true,
    stock: 1, version: 1 }),
  food_price_put: () => ({ price: 1, version: 1 }),
  food_availability_put: () => ({ available: true, version: 1 }),
  food_stock_put: () => ({ add: 1, version: 1 }),
  cart_items_post: () => ({ food_id: food.id, quantity: 1 }),
  cart_item_put: () => ({ quantity: 1 }),
  orders_post: () => ({ fulfilment: 'delivery', address: 'A', note: 'N', expected_total: 1 }),
  order_status_put: () => ({ status: 'confirmed', note: 'N', version: 1 }),
  payment_simulate_post: () => ({ outcome: 'paid' }),
  admin_payment_put: () => ({ resolved: true, note: 'N' }),
  admin_user_put: () => ({ role: 'user', disabled: false, phone: null }),
  shop_put: () => ({ name: 'S', currency: 'NGN', country_code: '234', timezone: 'Africa/Lagos',
    payment_instructions: 'P' }),
};

const NULLABLE = new Set(['signup_post.phone', 'signup_post.name', 'signup_post.referral_code',
  'me_put.name', 'me_put.phone', 'foods_post.stock', 'food_put.stock', 'orders_post.address',
  'orders_post.note', 'order_status_put.note', 'admin_payment_put.note', 'admin_user_put.phone']);

const ADMINS = /^(foods?_|order_status|admin_|shop_)/;
const IDS = { food: () => food.id, cart: () => food.id, order: () => placed.id,
  payment: () => payment.id, admin_payment: () => payment.id, admin_user: () => user.user.id };

const takesJson = (operation) => operation?.requestBody?.content['application/json'];

const OPERATIONS = Object.entries(description.paths).flatMap(([template, item]) =>
  ['post', 'put'].filter((method) => takesJson(item[method])).map((method) => {
    const { operationId: name, requestBody } = item[method];
    return {
      name,
      required: requestBody.content['application/json'].schema.required ?? [],
      method: method.toUpperCase(),
      path: () => template.replace('{id}', () => IDS[name.match(/^(admin_)?[a-z]+/)[0]]()),
      sample: () => {
        assert.ok(SAMPLES[name], `no sample body for ${name}`);
        return SAMPLES[name]();
      },
      by: () => (ADMINS.test(name) ? admin : user),
    };
  }));

const send = (operation, options) => operation.by().call(operation.method, operation.path(),
  options.body, options);

/* What a call could have changed. */
async function everything() {
  const { body: foods } = await anyone.get('/api/foods?limit=500');
  const { body: users } = await admin.get('/api/admin/users?limit=100');
  const { body: orders } = await admin.get('/api/admin/orders?limit=100');
  const { body: cart } = await user.get('/api/cart');
  const { body: shop } = await anyone.get('/api/shop');
  return { foods, users, orders, cart, shop };
}

async function changesNothing(act) {
  const before = await everything();
  await act();
  assert.deepEqual(await everything(), before);
}

const BROKEN = {
  'no JSON': '{nonsense}', 'an array': '[]', 'a string': '"text"', 'a number': '1', null: 'null',
  'a half object': '{"a":', 'something after it': '{} {}', 'a comma at the end': '{"a":1,}',
  'single quotes': "{'a':1}", 'only space': '   ', 'a byte order mark': '\ufeff{}',
  'a duplicate key': '{"a":1,"a":2}', 'a duplicate key, escaped': '{"a":1,"\\u0061":2}',
  'NUL in a text': '{"a":"x\\u0000y"}', 'NUL in a key': '{"a\\u0000":1}',
  'a NUL byte': '{"a":"x\0y"}', 'a number past int64': '{"a":9223372036854775808}',
  'a number below int64': '{"a":-9223372036854775809}', '1e400': '{"a":1e400}', '-1e400': '{"a":-1e400}',
  'a huge number': `{"a":${'9'.repeat(1000)}}`, NaN: '{"a":NaN}', Infinity: '{"a":Infinity}',
  'nesting 10,000 deep': `{"a":${'['.repeat(10000)}${']'.repeat(10000)}}`,
  'nested objects 10,000 deep': `${'{"a":'.repeat(10000)}1${'}'.repeat(10000)}`,
  'a lone surrogate': '{"a":"\\ud800"}',
  'invalid UTF-8': Buffer.from([...Buffer.from('{"a":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
  'overlong UTF-8': Buffer.from([...Buffer.from('{"a":"'), 0xc0, 0xaf, ...Buffer.from('"}')]),
  'UTF-16': Buffer.from('{"a":1}', 'utf16le'),
};

for (const [name, raw] of Object.entries(BROKEN)) {
  test(`bad input: ${name}`, () => changesNothing(async () => {
    for (const operation of OPERATIONS)
      await send(operation, { raw, expect: 'malformed_json' });
  }));
}

test('bad input: unknown members are named, also beside others', () => changesNothing(async () => {
  for (const operation of OPERATIONS) {
    for (const member of ['colour', 'price_minor', '__proto__', 'constructor', '', 'Name', 'é🍲']) {
      const raw = `{"${member}":1,${JSON.stringify(operation.sample()).slice(1)}`;
      const { body } = await send(operation, { raw, expect: 'unknown_field' });
      assert.deepEqual(body.errors.map((row) => [row.field, row.code]),
        [[member, 'unknown_field']], operation.name);
    }
    const { body } = await send(operation, { body: { ['x'.repeat(10000)]: 1 }, expect: 422 });
    assert.ok(JSON.stringify(body).length < 5000, 'a long name is cut');
  }
}));

test('bad input: wrong types of every member', () => changesNothing(async () => {
  const values = [1, 1.5, true, 'text', [], {}, null, [1], { a: 1 }];
  for (const operation of OPERATIONS) {
    for (const [member, right] of Object.entries(operation.sample())) {
      for (const value of values) {
        if (typeof value === typeof right && !Array.isArray(value) && value !== 1.5) continue;
        if (value === null && NULLABLE.has(`${operation.name}.${member}`)) continue;
        if (right === null && typeof value === 'string') continue;
        const { body } = await send(operation,
          { body: { ...operation.sample(), [member]: value }, expect: 422 });
        assert.ok(body.errors.some((row) => row.field === member && row.code === 'wrong_type'),
          `${operation.name}: ${member} = ${JSON.stringify(value)}: ${JSON.stringify(body.errors)}`);
      }
    }
  }
}));

test('bad input: missing members are named', () => changesNothing(async () => {
  for (const operation of OPERATIONS) {
    for (const member of operation.required) {
      const { [member]: _, ...rest } = operation.sample();
      const { body } = await send(operation, { body: rest, expect: 'required' });
      assert.deepEqual(body.errors.map((row) => [row.field, row.code]), [[member, 'required']]);
    }
  }
}));

test('bad input: the media type must be JSON', () => changesNothing(async () => {
  for (const operation of OPERATIONS) {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp',
      'multipart/form-data', '', undefined])
      await send(operation, { raw: JSON.stringify(operation.sample()),
        headers: { 'content-type': type }, expect: 'unsupported_media_type' });
  }
  await user.put('/api/me', { name: 'Ada' },
    { headers: { 'content-type': 'Application/JSON; charset=utf-8' }, expect: 200 });
}));

test('bad input: bodies of 64 KiB pass, one byte more does not', () => changesNothing(async () => {
  const padded = (length) => `{"name":"Ada"${' '.repeat(length - 14)}}`;
  assert.equal(padded(65536).length, 65536);
  await user.call('PUT', '/api/me', undefined, { raw: padded(65536), expect: 200 });
  for (const operation of OPERATIONS)
    await send(operation, { raw: padded(65537), expect: 'body_too_large' });
  await user.call('PUT', '/api/me', undefined, { raw: padded(900_000), expect: 'body_too_large' });
}));

/* ---- Texts ---- */

const SQL = ["'; DROP TABLE users; --", "' OR '1'='1", '" OR ""="', '1; DELETE FROM foods',
  "x' UNION SELECT password_hash FROM users --", '%', '_%', '$1', "\\'; --", '{"$ne":null}'];

test('bad input: SQL in every string is text', async () => {
  const before = await everything();
  for (const operation of OPERATIONS) {
    for (const [member, right] of Object.entries(operation.sample())) {
      if (typeof right !== 'string') continue;
      for (const text of SQL) {
        const body = { ...operation.sample(), [member]: text };
        const { status } = await send(operation, { body, expect: 'any' });
        assert.ok(status < 500, `${operation.name}: ${member} = ${text}`);
      }
    }
  }
  // Texts that may be anything come back as they were sent.
  for (const text of SQL) {
    assert.equal((await user.put('/api/me', { name: text })).body.name, text);
    const made = await addFood(admin, { name: text, description: text, category: text });
    assert.deepEqual([made.name, made.description, made.category], [text, text, text]);
    await admin.delete(`/api/foods/${made.id}`);
    assert.equal((await admin.put('/api/shop', { name: text })).body.name, text);
  }
  await user.put('/api/me', { name: 'Ada', phone: '08033330001' });
  await admin.put('/api/shop', { ...before.shop, currency_exponent: undefined });
  const { foods, users, orders } = await everything();
  const known = new Set(before.foods.items.map((item) => item.id));
  assert.equal(foods.items.filter((item) => known.has(item.id)).length, before.foods.items.length);
  assert.equal(users.items.length, before.users.items.length);
  assert.equal(orders.items.length, before.orders.items.length);
});

test('bad input: SQL in queries, paths, tokens and keys', () => changesNothing(async () => {
  for (const text of SQL) {
    const q = encodeURIComponent(text);
    const { body: found } = await anyone.get(`/api/foods?q=${q}`);
    for (const { name, description: about } of found.items)
      assert.ok(`${name}\n${about}`.toLowerCase().includes(text.toLowerCase()), name);
    const { body: there } = await anyone.get(`/api/foods?category=${q}`);
    for (const { category } of there.items) assert.equal(category, text);
    for (const path of [`/api/foods?available=${q}`, `/api/foods?limit=${q}`,
      `/api/foods?cursor=${q}`, `/api/foods?${q}=1`])
      await anyone.get(path, { expect: 422 });
    await anyone.get(`/api/foods/${q}`, { expect: 404 });
    await admin.get(`/api/admin/orders?q=${q}`, { expect: 200 });
    await admin.get(`/api/admin/users?q=${q}`, { expect: 200 });
    await admin.get(`/api/admin/orders?cursor=${q}`, { expect: 422 });
    await anyone.get('/api/me', { headers: { authorization: `Bearer ${text}` }, expect: 401 });
    await anyone.get('/api/me', { headers: { cookie: `servery_session=${text}` }, expect: 401 });
    await user.post('/api/orders', {}, { headers: { 'idempotency-key': text.replaceAll(' ', '') },
      expect: 422 });
    const stream = await openStream(user, `/api/orders/${placed.id}/events`,
      { headers: { 'last-event-id': text } });
    stream.close();
  }
}));

test('bad input: a search for % or _ finds these characters', async () => {
  const marked = await addFood(admin, { name: `100% ${unique()}` });
  const found = (await anyone.get(`/api/foods?q=${encodeURIComponent('100%')}`)).body.items;
  assert.deepEqual(found.map((item) => item.id), [marked.id]);
  await admin.delete(`/api/foods/${marked.id}`);
  assert.deepEqual((await admin.get('/api/admin/users?q=_')).body.items, []);
});

test('bad input: names of 10,000 characters', () => changesNothing(async () => {
  const long = 'x'.repeat(10000);
  for (const operation of OPERATIONS) {
    for (const [member, right] of Object.entries(operation.sample())) {
      if (typeof right !== 'string') continue;
      const { status, text } = await send(operation,
        { body: { ...operation.sample(), [member]: long }, expect: 'any' });
      assert.ok(status >= 400 && status < 500, `${operation.name}: ${member} → ${status} ${text}`);
    }
  }
}));

const TEXTS = {
  emoji: '👩🏽‍🍳 Chef’s 🍲🇳🇬', 'right-to-left text': 'مرحبا بكم שלום', 'directional marks': 'a\u200eb\u200f\u061c',
  'combining marks': 'e\u0301'.repeat(10), 'zero-width characters': 'a\u200bb\u200dc',
  HTML: '<script>alert("x")</script>&amp;', backslashes: '\\"\\n\\', 'the last code point': '\u{10ffff}',
  'every printable ASCII character': ' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~'.trim(),
};

for (const [name, text] of Object.entries(TEXTS)) {
  test(`bad input: ${name} come back as they were sent`, async () => {
    assert.equal((await user.put('/api/me', { name: text })).body.name, text);
    assert.equal((await user.get('/api/me')).body.name, text);
    const made = await addFood(admin, { name: text, description: text, category: text, price: 0 });
    const { body: shown } = await anyone.get(`/api/foods/${made.id}`);
    assert.deepEqual([shown.name, shown.description, shown.category], [text, text, text]);
    const { body: list } = await anyone.get(`/api/foods?category=${encodeURIComponent(text)}`);
    assert.deepEqual(list.items.map((item) => item.id), [made.id]);
    const client = await signUp(server, { name: text });
    await fillCart(client, made);
    const { body } = await client.post('/api/orders',
      { fulfilment: 'delivery', address: text, note: text }, { expect: 201 });
    assert.deepEqual([body.address, body.note, body.items[0].name], [text, text, text]);
    const { body: moved } = await admin.put(`/api/orders/${body.id}/status`,
      { status: 'cancelled', note: text });
    assert.equal(moved.events.at(-1).note, text);
    const stream = await openStream(client, `/api/orders/${body.id}/events`);
    await stream.next();
    assert.equal((await stream.next()).data.note, text);
    stream.close();
    await admin.delete(`/api/foods/${made.id}`);
  });
}

test('bad input: control characters', () => changesNothing(async () => {
  for (const text of ['a\u0001b', 'a\u001bb', 'a\u007fb', 'a\u0085b', 'a\rb', 'tab\there',
    '\u202eevil\u202c', 'a\u2069b'])
    for (const [method, path, body] of [['PUT', '/api/me', { name: text }],
      ['POST', '/api/orders', { fulfilment: 'pickup', note: text }]])
      await user.call(method, path, body, { expect: 'control_character' });
  await user.put('/api/me', { name: 'two\nlines' }, { expect: 'control_character' });
}));

/* ---- Numbers and ids ---- */

test('bad input: quantities -1, 0, 1.5, 100', () => changesNothing(async () => {
  const add = (quantity, expect) => user.call('POST', '/api/cart/items', undefined,
    { raw: `{"food_id":${food.id},"quantity":${quantity}}`, expect });
  for (const quantity of ['-1', '0', '100', '9223372036854775807', '-9223372036854775808'])
    await add(quantity, 'out_of_range');
  for (const quantity of ['1.5', '1.0', '1e0', '"1"', 'true', 'null'])
    await add(quantity, 'wrong_type');
}));

const BAD_IDS = ['0', '-1', '9007199254740992', '9223372036854775808', '9223372036854775807', '1.5',
  '01', '+1', '1e3', 'x', '%31', '1%00', ' ', '%20', '0x1', 'null', '１'];

test('bad input: ids 0, -1, 2^63 and others that are none, in paths', () => changesNothing(async () => {
  for (const id of BAD_IDS) {
    const part = /[ １]/.test(id) ? encodeURIComponent(id) : id;
    for (const [method, path, body] of [['GET', `/api/foods/${part}`],
      ['PUT', `/api/foods/${part}`, {}], ['DELETE', `/api/foods/${part}`],
      ['PUT', `/api/cart/items/${part}`, { quantity: 1 }], ['GET', `/api/orders/${part}`],
      ['GET', `/api/orders/${part}/events`], ['PUT', `/api/orders/${part}/status`, { status: 'ready' }],
      ['GET', `/api/payments/${part}`], ['POST', `/api/payments/${part}/simulate`, { outcome: 'paid' }],
      ['PUT', `/api/admin/users/${part}`, {}], ['GET', `/pay/${part}`]])
      await admin.call(method, path, body, { expect: 'not_found' });
  }
  await anyone.get('/api/foods/9007199254740991', { expect: 'food_not_found' });
}));

test('bad input: ids that are none, in bodies', () => changesNothing(async () => {
  for (const [id, code] of [['0', 'out_of_range'], ['-1', 'out_of_range'],
    ['9007199254740992', 'out_of_range'], ['9223372036854775808', 'malformed_json'],
    ['1.0', 'wrong_type'], ['9007199254740991', 404]]) {
    await user.call('POST', '/api/cart/items', undefined,
      { raw: `{"food_id":${id},"quantity":1}`, expect: code });
    await user.call('POST', '/api/orders', undefined, { raw: `{"payment_id":${id}}`, expect: code });
  }
}));

/* ---- Whose is it ---- */

test("bad input: another user's order, payment and stream", async () => {
  const other = await signUp(server);
  await changesNothing(async () => {
    await other.get(`/api/orders/${placed.id}`, { expect: 'not_found' });
    await openStream(other, `/api/orders/${placed.id}/events`, { expect: 'not_found' });
    await other.get(`/api/payments/${payment.id}`, { expect: 'not_found' });
    await other.delete(`/api/payments/${payment.id}`, { expect: 'not_found' });
    await other.post(`/api/payments/${payment.id}/simulate`, { outcome: 'paid' },
      { expect: 'not_found' });
    await other.post('/api/orders', { payment_id: payment.id }, { expect: 'not_found' });
    await other.put(`/api/orders/${placed.id}/status`, { status: 'cancelled' },
      { expect: 'forbidden' });
  });
});

test("bad input: a demoted admin's open session", async () => {
  const client = await signUp(server);
  await admin.put(`/api/admin/users/${client.user.id}`, { role: 'admin' });
  const session = await logIn(server, client.user.email);
  const stream = await openStream(session, `/api/orders/${placed.id}/events`);
  await admin.put(`/api/admin/users/${client.user.id}`, { role: 'user' });
  await session.get('/api/admin/orders', { expect: 401 });
  await session.put(`/api/foods/${food.id}/price`, { price: 1 }, { expect: 401 });
  await stream.untilEnded();
});

test('bad input: an unverified log-in', async () => {
  const email = `${unique()}@example.org`;
  const { body } = await anyone.post('/api/signup', { email, password: PASSWORD });
  server.secrets.add(body.signup_token);
  await anyone.post('/api/login', { identifier: email, password: PASSWORD },
    { expect: 'account_not_verified' });
  await anyone.get('/api/me', { headers: { authorization: `Bearer ${body.signup_token}` },
    expect: 'unauthenticated' });
});

test('bad input: a deleted food in a cart', async () => {
  const client = await signUp(server);
  const [gone, kept] = [await addFood(admin, { stock: 3 }), await addFood(admin, { stock: 3 })];
  await fillCart(client, gone, kept);
  await admin.delete(`/api/foods/${gone.id}`);
  const { body } = await client.get('/api/cart');
  assert.deepEqual(body.items.map((line) => line.problem), ['unavailable', null]);
  await client.post('/api/orders', { fulfilment: 'pickup' }, { expect: 'food_unavailable' });
  assert.equal(await stockOf(client, kept), 3);
});

/* ---- What is sent where nothing is taken ---- */

test('a body on a DELETE is refused', async () => {
  for (const raw of ['{', '{}', '{"x":1}', 'zzz']) {
    await user.call('DELETE', '/api/cart', undefined, { raw, expect: 413 });
    await user.call('DELETE', `/api/payments/${payment.id}`, undefined, { raw, expect: 413 });
  }
  await user.get(`/api/payments/${payment.id}`, { expect: 200 });
});

test('a query parameter is refused where none is known', async () => {
  for (const path of ['/api/shop', `/api/foods/${food.id}`, '/api/categories']) {
    const { body } = await anyone.get(`${path}?colour=red`, { expect: 422 });
    assert.deepEqual(body.errors.map(({ field, code }) => [field, code]),
      [['colour', 'unknown_field']]);
  }
  await user.get('/api/me?colour=red', { expect: 422 });
});

test('a body with a Content-Encoding is refused, plain or not', async () => {
  for (const coding of ['gzip', 'br', 'deflate, gzip']) {
    await user.post('/api/cart/items', { food_id: food.id, quantity: 1 },
      { headers: { 'content-encoding': coding }, expect: 415 });
  }
  await user.put('/api/me', {}, { headers: { 'content-encoding': 'identity' }, expect: 200 });
});

test('a cookie that is worth nothing any more is taken back', async () => {
  const stale = new Client(server, { cookie: 'servery_session=gone' });
  const { headers } = await stale.get('/api/me', { expect: 401 });
  assert.match(headers['set-cookie'][0], /^servery_session=; .*Max-Age=0/);
  const bearer = new Client(server, { token: 'gone' });
  const answer = await bearer.get('/api/me', { expect: 401 });
  assert.equal(answer.headers['set-cookie'], undefined);
});
