// Calls as the pages make them: what goes over the wire, and whose session an answer is about.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

globalThis.localStorage = { getItem: () => null, setItem() {}, removeItem() {} };
globalThis.BroadcastChannel = class { postMessage() {} };

const { call, leave, me, setMe, wasEnded } = await load('src/api.ts', 'src/state/session.ts');

/* The calls, each with what answers it. */
let calls = [];
globalThis.fetch = (url, { body }) => new Promise((resolve) => {
  calls.push({ body: body && JSON.parse(body), answer: (what, status) => resolve(Response.json(what,
    { status, headers: { 'X-Request-Id': 'a' } })) });
});

function ask() {
  calls = [];
  const answered = call('get', '/api/cart').catch(() => {});
  return async (code) => {
    calls[0].answer({ code }, 401);
    await answered;
  };
}

const ADA = { id: 7, role: 'user', name: 'Ada' };
const OBI = { id: 8, role: 'user', name: 'Obi' };

test('signs that turn words round stay behind; a password goes as it was typed', async () => {
  calls = [];
  void call('put', '/api/me', { body: { phone: '\u202a+234 803\u202c', name: '\u2066Ada\u200f\u2069', n: 1,
    new_password: '\u202ax' } });
  assert.deepEqual(calls[0].body,
    { phone: '+234 803', name: 'Ada\u200f', n: 1, new_password: '\u202ax' });
});

test('who is told that his session has ended is out', async () => {
  setMe(ADA);
  const answer = ask();
  setMe({ ...ADA, name: 'Ada O.' }); // an edit of his own is no new session
  await answer('unauthenticated');
  assert.equal(me.value, null);
  assert.equal(wasEnded.value, true);
});

test('a late answer to the session before does not end the next user’s', async () => {
  setMe(ADA);
  const answer = ask();
  leave();
  setMe(OBI);
  await answer('unauthenticated');
  assert.equal(me.value, OBI);
});

test('nor that of the same user, who has logged in again', async () => {
  setMe(ADA);
  const answer = ask();
  leave();
  setMe(ADA);
  await answer('unauthenticated');
  assert.equal(me.value, ADA);
});

test('a wrong password is no end of a session', async () => {
  setMe(ADA);
  await ask()('invalid_credentials');
  assert.equal(me.value, ADA);
});
