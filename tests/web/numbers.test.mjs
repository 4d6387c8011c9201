// The keys of the board in a busy evening: what the kitchen can still do something about has a number.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../lib/bundle.mjs';

globalThis.localStorage = { getItem: () => null, setItem() {}, removeItem() {} };
globalThis.BroadcastChannel = class { postMessage() {} };
Object.defineProperty(globalThis, 'navigator', { value: {} });

/* Timers go off when the test says so. */
let timers = [];
globalThis.setTimeout = (action) => timers.push(action);
const restIsOver = () => timers.splice(0).forEach((action) => action());

const { numbers, put } = await load('src/admin/numbers.ts', 'src/admin/board_state.ts');

const order = (id, status, version = 1) => ({
  id, status, version, created_at: new Date(1e12 + id * 1000).toISOString(), items: [] });
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const numbered = () => [...numbers.value].sort((a, b) => a[1] - b[1]).map(([id]) => id);

test('the oldest orders of the kitchen have the numbers, and one that goes out gives its own away', () => {
  put(...range(1, 3).map((id) => order(id, 'out_for_delivery')), ...range(4, 20).map((id) => order(id, 'pending')));
  assert.deepEqual(numbered(), range(4, 12), 'nobody on the road has one');

  put(order(5, 'out_for_delivery', 2));
  assert.deepEqual(numbered(), [4, ...range(6, 12)], 'the key rests: it may be pressed twice');
  restIsOver();
  assert.equal(numbers.value.get(13), 2);

  put(...range(9, 20).map((id) => order(id, 'completed', 3)));
  restIsOver();
  assert.deepEqual(new Set(numbered()), new Set(range(1, 8)), 'there are enough for all');
  put(...range(21, 24).map((id) => order(id, 'pending')));
  assert.deepEqual([1, 2, 3, 5].filter((id) => numbers.value.has(id)).length, 1, 'no more than needed are freed');
  restIsOver();
  assert.deepEqual(range(21, 24).filter((id) => !numbers.value.has(id)), []);
});
