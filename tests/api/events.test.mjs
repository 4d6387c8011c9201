// The event stream of an order.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, openStream } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { addFood, logIn, logInAdmin, move, order, signUp } from '../lib/shop.mjs';

let server;
let admin;
let food;

before(async () => {
  server = await startServer();
  admin = await logInAdmin(server);
  food = await addFood(admin, { price: 100 });
});
after(() => server.stop());

const path = (placed) => `/api/orders/${placed.id}/events`;
const buy = async () => {
  const client = await signUp(server);
  return { client, placed: await order(client, [food]) };
};

// How often the sessions are looked at, and so how soon it ends, is asserted in tests/domain.
async function endsOf(stream, act) {
  await act();
  await stream.untilEnded();
}

test('events: the past, then every step live', async () => {
  const { client, placed } = await buy();
  await move(admin, placed, 'confirmed');
  const stream = await openStream(client, path(placed));
  assert.match(stream.headers['content-type'], /^text\/event-stream/);
  assert.equal(stream.headers['content-length'], undefined);
  assert.deepEqual([(await stream.next()).data.to, (await stream.next()).data.to],
    ['pending', 'confirmed']);
  for (const status of ['preparing', 'ready', 'completed']) {
    const moved = await move(admin, placed, status);
    const event = await stream.next();
    const { order_id: orderId, status: now, ...rest } = event.data;
    assert.deepEqual(rest, moved.events.at(-1));
    assert.deepEqual([orderId, now, event.id], [placed.id, status, rest.id]);
  }
  stream.close();
});

test('events: Last-Event-ID replays what was missed, once', async () => {
  const { client, placed } = await buy();
  const first = await openStream(client, path(placed));
  const seen = await first.next();
  first.close();
  await move(admin, placed, 'confirmed');
  await move(admin, placed, 'preparing');
  const second = await openStream(client, path(placed),
    { headers: { 'last-event-id': String(seen.id) } });
  await move(admin, placed, 'ready');
  const events = [await second.next(), await second.next(), await second.next()];
  assert.deepEqual(events.map((event) => event.data.to), ['confirmed', 'preparing', 'ready']);
  second.close();
  const third = await openStream(client, path(placed),
    { headers: { 'last-event-id': String(events[2].id) } });
  await move(admin, placed, 'completed');
  assert.equal((await third.next()).data.to, 'completed');
  third.close();
});

test('events: a Last-Event-ID that is none replays everything', async () => {
  const { client, placed } = await buy();
  for (const id of ['nonsense', '-1', '99999999999999999999', '0', '9999999']) {
    const stream = await openStream(client, path(placed), { headers: { 'last-event-id': id } });
    assert.equal((await stream.next()).data.to, 'pending');
    stream.close();
  }
});

test('events: nothing is lost or doubled while orders move', async () => {
  const { client, placed } = await buy();
  const streams = await Promise.all([
    move(admin, placed, 'confirmed').then(() => openStream(client, path(placed))),
    openStream(client, path(placed)),
    openStream(client, path(placed)),
    openStream(client, path(placed)),
  ]);
  await move(admin, placed, 'preparing');
  await move(admin, placed, 'ready');
  for (const stream of streams) {
    const seen = [];
    while (seen.at(-1) !== 'ready') seen.push((await stream.next()).data.to);
    assert.deepEqual(seen, ['pending', 'confirmed', 'preparing', 'ready']);
    stream.close();
  }
});

test("events: another's stream is 404, an admin sees any, nobody none", async () => {
  const { placed } = await buy();
  await openStream(await signUp(server), path(placed), { expect: 'not_found' });
  await openStream(new Client(server), path(placed), { expect: 'unauthenticated' });
  await openStream(admin, path({ id: 999999 }), { expect: 'not_found' });
  const stream = await openStream(admin, path(placed));
  assert.equal((await stream.next()).data.to, 'pending');
  stream.close();
});

test('events: the cookie serves too, as for EventSource', async () => {
  const { client, placed } = await buy();
  const browser = new Client(server, { cookie: `servery_session=${client.token}` });
  const stream = await openStream(browser, path(placed));
  assert.equal((await stream.next()).data.to, 'pending');
  stream.close();
});

test('events: a log-out ends the streams of its session', async () => {
  const { client, placed } = await buy();
  const other = await logIn(server, client.user.email);
  const [mine, others] = [await openStream(client, path(placed)), await openStream(other, path(placed))];
  await endsOf(mine, () => client.post('/api/logout'));
  await move(admin, placed, 'confirmed');
  await others.next();
  assert.equal((await others.next()).data.to, 'confirmed');
  others.close();
});

test('events: a disable ends them, and so does a change of role', async () => {
  for (const members of [{ disabled: true }, { role: 'admin' }]) {
    const { client, placed } = await buy();
    const stream = await openStream(client, path(placed));
    await endsOf(stream, () => admin.put(`/api/admin/users/${client.user.id}`, members));
    await openStream(client, path(placed), { expect: 401 });
  }
});

test('events: a new password ends the other streams and not this one', async () => {
  const { client, placed } = await buy();
  const other = await logIn(server, client.user.email);
  const [mine, others] = [await openStream(client, path(placed)), await openStream(other, path(placed))];
  await endsOf(others, () => client.put('/api/me/password',
    { current_password: client.password, new_password: `${client.password} new` }));
  await mine.next();
  await move(admin, placed, 'confirmed');
  assert.equal((await mine.next()).data.to, 'confirmed');
  mine.close();
});

// Another process ends them, whose events this one does not hear.
test('events: a password set on the command line ends them', async () => {
  const { client, placed } = await buy();
  const { client: bystander, placed: theirs } = await buy();
  const stream = await openStream(client, path(placed));
  const other = await openStream(bystander, path(theirs));
  await stream.next();
  await other.next();
  await endsOf(stream, () => server.makeAdmin(client.user.email, 'another password'));
  await client.get('/api/me', { expect: 401 });
  await move(admin, theirs, 'confirmed');
  assert.equal((await other.next()).data.to, 'confirmed');
  other.close();
});

test('events: a stream ends with its session', async () => {
  const other = await startServer({ clock: true });
  try {
    const client = await signUp(other);
    const placed = await order(client, [await addFood(await logInAdmin(other))]);
    const stream = await openStream(client, path(placed));
    await stream.next();
    await endsOf(stream, () => other.clock.advance(30 * 24 * 3600_000 + 1000));
  } finally {
    await other.stop();
  }
});

test('events: HEAD answers and opens nothing', async () => {
  const { client, placed } = await buy();
  for (let i = 0; i < 12; i++) {
    const { headers } = await client.call('HEAD', path(placed), undefined, { expect: 200 });
    assert.match(headers['content-type'], /^text\/event-stream/);
  }
  await client.call('HEAD', path({ id: 999999 }), undefined, { expect: 404 });
});

test('events: 10 streams a user, and a closed one makes room', async () => {
  const { client, placed } = await buy();
  const streams = [];
  for (let i = 0; i < 10; i++) streams.push(await openStream(client, path(placed)));
  const { headers } = await openStream(client, path(placed), { expect: 'too_many_streams' });
  assert.ok(+headers['retry-after'] >= 1);
  const session = await logIn(server, client.user.email);
  await openStream(session, path(placed), { expect: 'too_many_streams' });
  // An end that the server makes frees its place before the client can see it.
  await endsOf(streams[0], () => client.post('/api/logout'));
  for (const stream of streams) await stream.untilEnded();
  const again = await openStream(session, path(placed));
  await again.next();
  again.close();
});

test('events: streams end when the server stops', async () => {
  const other = await startServer();
  const client = await signUp(other);
  const placed = await order(client, [await addFood(await logInAdmin(other))]);
  const stream = await openStream(client, path(placed));
  await stream.next();
  await Promise.all([other.stop(), stream.untilEnded()]);
});
