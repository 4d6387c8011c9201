// The way in: where one may be sent after it, the code in what is pasted, and what tabs tell each other.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

const kept = new Map();
globalThis.localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
globalThis.location = new URL('https://shop.example/login');
const channels = new Map();
globalThis.BroadcastChannel = class {
  said = [];

  constructor(name) {
    channels.set(name, this);
  }

  postMessage(message) {
    this.said.push(message);
  }
};

const { call, findCode, leave, loginAddress, me, nextPage, setMe, wasEnded } = await load(
  'src/api.ts', 'src/parts/otp_input.tsx', 'src/state/session.ts');

const USER = { id: 7, role: 'user' };
const session = () => channels.get('servery.session');

test('after logging in one goes to a page of the shop', () => {
  assert.equal(nextPage({ next: '/checkout' }), '/checkout');
  assert.equal(nextPage({ next: '/orders/3?a=b#c' }), '/orders/3?a=b#c');
  assert.equal(nextPage({ next: '/loginner' }), '/loginner');
  assert.equal(nextPage({}), null);
});

const ELSEWHERE = ['//evil.example', '/\\evil.example', '/\t/evil.example', '/.//evil.example',
  '/a/..//evil.example', 'https://evil.example/', 'javascript:alert(1)', 'evil.example', '\\\\evil.example',
  ' /checkout', ''];
const DOORS = ['/login', '/login/', '/signup?ref=ABCDEFGH', '/verify', '/forgot', '/reset#token=a'];

for (const next of ELSEWHERE)
  test(`nobody is sent to ${JSON.stringify(next)}`, () => assert.equal(nextPage({ next }), null));

for (const next of DOORS)
  test(`nobody is sent round in circles to ${next}`, () => assert.equal(nextPage({ next }), null));

test('the address of the log-in remembers where one was', () => {
  assert.equal(loginAddress('/'), '/login');
  const { searchParams } = new URL(loginAddress('/orders?a=b&next=/x'), location);
  assert.equal(nextPage(Object.fromEntries(searchParams)), '/orders?a=b&next=/x');
});

test('a code is found in what is typed or pasted', () => {
  assert.equal(findCode('123456'), '123456');
  assert.equal(findCode(' 123 456\n'), '123456');
  assert.equal(findCode('123-456'), '123456');
  assert.equal(findCode('Your code is 482 913, good until 18:40.'), '482913');
  assert.equal(findCode('On 23.11.2026: 482913'), '482913');
  assert.equal(findCode('20261123: your code 482913'), '482913');
  assert.equal(findCode('٤٨٢ ٩١٣'), '482913');
  assert.equal(findCode('12'), '12');
  assert.equal(findCode('1a2b'), '12');
  assert.equal(findCode('1234567'), '123456');
  assert.equal(findCode('no code'), '');
});

test('what one tab knows of the session, all tabs are told', () => {
  setMe(USER);
  assert.deepEqual(session().said.at(-1), { user: USER, wasEnded: false });
  leave();
  assert.deepEqual(session().said.at(-1), { user: null, wasEnded: false });
  assert.equal(kept.has('servery.known'), false);
});

test('a tab believes what it is told', () => {
  session().onmessage({ data: { user: USER, wasEnded: false } });
  assert.deepEqual(me.value, USER);
  session().onmessage({ data: { user: null, wasEnded: true } });
  assert.deepEqual([me.value, wasEnded.value], [null, true]);
  session().onmessage({ data: { user: USER, wasEnded: false } });
  assert.equal(wasEnded.value, false);
});

test('a session that ends by itself is told as that, and only to whoever was logged in', async () => {
  globalThis.fetch = async () => Response.json({ code: 'unauthenticated' }, { status: 401 });
  setMe(USER);
  await assert.rejects(call('get', '/api/me'));
  assert.deepEqual([me.value, wasEnded.value], [null, true]);
  leave();
  await assert.rejects(call('get', '/api/me'));
  assert.deepEqual([me.value, wasEnded.value], [null, false]);
});
