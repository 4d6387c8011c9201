// The event stream of the board.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, RawConnection, openStream } from '../lib/client.mjs';
import { fillOrders, onPostgresql, sql, sqliteOnly } from '../lib/database.mjs';
import { Server, startServer } from '../lib/server.mjs';
import { addFood, fillCart, logIn, logInAdmin, move, order, place, signUp, simulate, unique }
  from '../lib/shop.mjs';

const PATH = '/api/admin/orders/events';
const REPLAY_MAX = 100; // BOARD_REPLAY_MAX in src/domain/limits.h

let server;
let admin;
let food;
let free;
let customer;

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
  food = await addFood(admin, { price: 100 });
  free = await addFood(admin, { price: 0 });
  customer = await signUp(server);
});
after(() => server.stop());

const open = (client, id, options) => openStream(client, PATH,
  { headers: id === undefined ? {} : { 'last-event-id': String(id) }, ...options });
const buyFree = async (client) => {
  await fillCart(client, free);
  return (await client.post('/api/orders', { fulfilment: 'pickup' }, { expect: 201 })).body;
};
const makeAdmin = async () => {
  const user = await signUp(server);
  await admin.put(`/api/admin/users/${user.user.id}`, { role: 'admin' });
  return Object.assign(await logIn(server, user.user.email), { user: user.user });
};
const take = async (stream, n) => {
  const events = [];
  while (events.length < n) {
    const event = await stream.next();
    assert.ok(event, `the stream ended after ${events.length} of ${n} events`);
    events.push(event);
  }
  return events;
};

/* On PostgreSQL, where a transaction may end after one with a higher id, what happened in the minute
 * before the last event seen is replayed again: so make what is older than an event old enough. */
async function age(belowId = 2 ** 53) {
  if (!onPostgresql) return;
  await sql(server.settings.database,
    `UPDATE order_events SET at = at - 600000 WHERE id < ${belowId}`);
}

/* Nothing more has come: of what was made before, the next one is this. On PostgreSQL nothing is dropped
 * by its id, so what happened while the stream was opened may come again; and a hint at a payment may
 * come twice. */
async function expectNext(stream) {
  const placed = await buyFree(customer);
  let event;
  do event = await stream.next();
  while (onPostgresql && (event.event === 'payment' || event.data.order_id < placed.id));
  assert.deepEqual([event.event, event.data.order_id, event.data.to],
    ['status', placed.id, 'pending']);
  return event;
}

async function endsOf(stream, act) {
  await act();
  await stream.untilEnded();
}

test('board stream: nobody else gets in', async () => {
  await open(customer, undefined, { expect: 'forbidden' });
  await open(new Client(server), undefined, { expect: 'unauthenticated' });
  await admin.get(`${PATH}?status=ready`, { expect: 'unknown_field' });
});

test('board stream: every step of every order, with the whole order', async () => {
  const stream = await open(admin);
  assert.match(stream.headers['content-type'], /^text\/event-stream/);
  const client = await signUp(server, { name: unique('Ada') });
  const placed = await order(client, [[food, 2]], { note: 'no\nonions', fulfilment: 'delivery',
    address: '12 Marina' });
  const created = await stream.next();
  assert.deepEqual([created.data.from, created.data.to, created.data.actor],
    [null, 'pending', 'system']);
  const { body: read } = await admin.get(`/api/orders/${placed.id}`);
  assert.deepEqual(created.data.order, read);
  assert.equal(created.data.order.customer.name, client.user.name);
  for (const status of ['confirmed', 'preparing']) {
    const moved = await move(admin, placed, status);
    const { order_id: orderId, status: now, order: whole, ...event } = (await stream.next()).data;
    assert.deepEqual(event, moved.events.at(-1));
    assert.deepEqual([orderId, now], [placed.id, status]);
    assert.deepEqual(whole, (await admin.get(`/api/orders/${placed.id}`)).body);
    assert.equal(whole.version, moved.version);
  }
  await expectNext(stream);
  stream.close();
});

test('board stream: two admins and two tabs get each event once', async () => {
  const other = await makeAdmin();
  const streams = [await open(admin), await open(other), await open(other)];
  const placed = [await buyFree(customer), await buyFree(customer), await buyFree(customer)];
  for (const stream of streams) {
    const events = await take(stream, 3);
    assert.deepEqual(events.map((event) => event.data.order_id), placed.map(({ id }) => id));
    stream.close();
  }
});

test('board stream: Last-Event-ID replays what was missed, then goes on live', async () => {
  await age();
  const first = await open(admin);
  await buyFree(customer);
  const seen = await first.next();
  first.close();
  const missed = await buyFree(customer);
  await move(admin, missed, 'confirmed');
  const second = await open(admin, seen.id);
  const events = await take(second, 2);
  assert.deepEqual(events.map(({ data }) => [data.order_id, data.to]),
    [[missed.id, 'pending'], [missed.id, 'confirmed']]);
  // Both tell the order as it is now.
  assert.deepEqual(events.map(({ data }) => data.order.version), [2, 2]);
  await expectNext(second);
  second.close();
});

test('board stream: who comes for the first time learns where it stands', async () => {
  const first = await open(admin);
  const before = await buyFree(customer);
  const seen = await first.next();
  assert.equal(seen.data.order_id, before.id);
  first.close();
  await age();
  const fresh = await open(admin);
  await expectNext(fresh);
  fresh.close();
  const quiet = await open(admin);
  assert.equal(await quiet.firstId(), seen.id + 1);
  assert.deepEqual(quiet.events, []);
  quiet.close();
  const missed = await buyFree(customer);
  const back = await open(admin, quiet.lastId);
  assert.equal((await back.next()).data.order_id, missed.id);
  back.close();
});

test('board stream: resync for an id that it does not know', async () => {
  for (const id of ['nonsense', '-1', '1.5', '99999999999999999999', '9007199254740991']) {
    const stream = await open(admin, id);
    const resync = await stream.next();
    assert.deepEqual([resync.event, resync.data], ['resync', {}], id);
    const live = await expectNext(stream);
    // From here it could come back.
    assert.equal(live.id, resync.id + 1);
    stream.close();
  }
});

test('board stream: resync for more than it replays, and none for just so much', async () => {
  const other = await startServer();
  try {
    const boss = await logInAdmin(other);
    const client = await signUp(other);
    const gift = await addFood(boss, { price: 0 });
    const ids = [];
    for (let i = 0; i < REPLAY_MAX + 1; i++) {
      await fillCart(client, gift);
      ids.push((await client.post('/api/orders', { fulfilment: 'pickup' })).body.id);
    }
    const all = await open(boss, 1);
    const events = await take(all, REPLAY_MAX);
    assert.deepEqual(events.map(({ data }) => data.order_id), ids.slice(1));
    all.close();
    const tooMany = await open(boss, 0);
    const resync = await tooMany.next();
    assert.deepEqual([resync.event, resync.id], ['resync', REPLAY_MAX + 1]);
    await move(boss, { id: ids[0] }, 'confirmed');
    const live = await tooMany.next();
    assert.deepEqual([live.data.to, live.id], ['confirmed', REPLAY_MAX + 2]);
    tooMany.close();
  } finally {
    await other.stop();
  }
});

test('board stream: resync when what was missed is too long', async () => {
  const note = '字'.repeat(500);
  const stream = await open(admin);
  const start = await expectNext(stream);
  stream.close();
  for (let i = 0; i < 50; i++) {
    await fillCart(customer, free);
    await customer.post('/api/orders', { fulfilment: 'delivery', address: note, note });
  }
  const long = await open(admin, start.id);
  assert.equal((await long.next()).event, 'resync');
  await expectNext(long);
  long.close();
  await age(start.id + 40);
  const rest = await open(admin, start.id + 40);
  assert.equal((await take(rest, 11)).every(({ event }) => event === 'status'), true);
  rest.close();
});

/* Streams come and go, each where the one before has ended. The ids of events follow one another. On
 * PostgreSQL they need not, and so many of one minute are a resync: see tests/scale/several.test.mjs. */
test('board stream: nothing is lost or doubled while orders are placed', sqliteOnly, async () => {
  const boss = await makeAdmin();
  const clients = await Promise.all(Array.from({ length: 12 }, () => signUp(server)));
  const steady = await open(admin);
  const start = await expectNext(steady);
  let placing = true;
  const follow = async () => {
    let last = start.id;
    while (placing) {
      const stream = await open(boss, last);
      await take(stream, 3);
      stream.close();
      assert.deepEqual(stream.events.map(({ event, id }) => [event, id]),
        stream.events.map((_, i) => ['status', last + 1 + i]));
      last = stream.events.at(-1).id;
    }
  };
  const buyMany = async (client) => {
    const ids = [];
    for (let i = 0; i < 25; i++) ids.push((await buyFree(client)).id);
    return ids;
  };
  const placeAll = async () => {
    const ids = (await Promise.all(clients.map(buyMany))).flat();
    placing = false;
    for (let i = 0; i < 3; i++) ids.push((await buyFree(customer)).id);
    return ids;
  };
  // Whoever fails first fails the test; the others end with the server.
  const [placed] = await Promise.all([placeAll(), follow(), follow(), follow()]);
  const events = await take(steady, placed.length);
  assert.deepEqual(events.map(({ id }) => id), placed.map((_, i) => start.id + 1 + i));
  assert.deepEqual(events.map(({ data }) => data.order_id).sort((x, y) => x - y),
    placed.sort((x, y) => x - y));
  steady.close();
});

// 300 orders of 22 kB, each moved three times: more than the system holds for a reader that does not read.
test('board stream: a reader that is too slow is told so, and kept', async () => {
  const filled = await startServer();
  const { user } = await signUp(filled);
  const seller = await logInAdmin(filled);
  const foods = [];
  for (let i = 0; i < 50; i++) foods.push(await addFood(seller, { price: 0 }));
  await filled.end();
  await fillOrders(filled.settings.database, user.id, foods[0].id, 300, '🍛'.repeat(500), 50,
    '🍛'.repeat(100));
  const shop = await new Server({ dir: filled.dir }).start();
  try {
    const boss = await logInAdmin(shop);
    const reader = await RawConnection.open(shop);
    reader.write(`GET ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${boss.token}\r\n\r\n`);
    await reader.until('\r\n\r\n');
    reader.socket.pause();
    for (const status of ['confirmed', 'preparing', 'ready'])
      for (let id = 1; id <= 300; id++) await move(boss, { id }, status);
    reader.socket.resume();
    await reader.until('event: resync\ndata: {}\n\n');
    await move(boss, { id: 1 }, 'completed');
    await reader.until('"to":"completed"');
    assert.match(reader.text, /event: resync[^]*"to":"completed"/);
    reader.destroy();
  } finally {
    await shop.stop();
  }
});

test('board stream: money that needs an admin is told', async () => {
  const stream = await open(admin);
  const client = await signUp(server);
  const placed = await order(client, [food]);
  await stream.next();
  await move(admin, placed, 'cancelled');
  const told = await take(stream, 2);
  const refund = told.find(({ event }) => event === 'payment');
  assert.deepEqual(refund.data, { payment_id: placed.payment.id, order_id: placed.id,
    status: 'paid', needs_attention: null, refund_due: true });
  assert.equal(refund.id, undefined);
  await admin.put(`/api/admin/payments/${placed.payment.id}`, { resolved: true, note: 'sent back' });
  assert.deepEqual((await stream.next()).data, { ...refund.data, refund_due: false });
  await fillCart(client, food);
  const late = await place(client);
  await client.delete(`/api/payments/${late.id}`);
  await simulate(server, late);
  const { event, data } = await stream.next();
  assert.deepEqual([event, data.payment_id, data.order_id, data.refund_due],
    ['payment', late.id, null, false]);
  assert.ok(data.needs_attention);
  await expectNext(stream);
  stream.close();
});

test('board stream: it ends with its session, its role or its user', async () => {
  const ends = {
    logout: (boss) => boss.post('/api/logout'),
    demotion: (boss) => admin.put(`/api/admin/users/${boss.user.id}`, { role: 'user' }),
    disable: (boss) => admin.put(`/api/admin/users/${boss.user.id}`, { disabled: true }),
    // By another process, whose events this one does not hear.
    password: (boss) => server.makeAdmin(boss.user.email, 'another password'),
  };
  for (const [name, end] of Object.entries(ends)) {
    const boss = await makeAdmin();
    const [stream, bystander] = [await open(boss), await open(admin)];
    await endsOf(stream, () => end(boss));
    await open(boss, undefined, { expect: 401 });
    await expectNext(bystander);
    assert.deepEqual(stream.events, [], name);
    bystander.close();
  }
});

test('board stream: it ends when its session expires', async () => {
  const other = await startServer({ clock: true });
  try {
    const stream = await open(await logInAdmin(other));
    await endsOf(stream, () => other.clock.advance(30 * 24 * 3600_000 + 1000));
  } finally {
    await other.stop();
  }
});

test('board stream: 10 streams a user, those of single orders among them', async () => {
  const boss = await makeAdmin();
  const placed = await buyFree(customer);
  const streams = [];
  for (let i = 0; i < 5; i++)
    streams.push(await open(boss), await openStream(boss, `/api/orders/${placed.id}/events`));
  const { headers } = await open(boss, undefined, { expect: 'too_many_streams' });
  assert.ok(+headers['retry-after'] >= 1);
  await openStream(boss, `/api/orders/${placed.id}/events`, { expect: 'too_many_streams' });
  for (const stream of streams) stream.close();
});

test('board stream: HEAD answers and opens nothing', async () => {
  for (let i = 0; i < 12; i++) await admin.call('HEAD', PATH, undefined, { expect: 200 });
  await customer.call('HEAD', PATH, undefined, { expect: 403 });
});

test('board stream: it ends when the server stops', async () => {
  const other = await startServer();
  const stream = await open(await logInAdmin(other));
  await Promise.all([other.stop(), stream.untilEnded()]);
});
