// A double tap on the board: the second tap lands on the order that has moved up, and must not move it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

const { isHasty } = await load('src/admin/hasty.ts');

const tap = (timeStamp, clientX, clientY) => ({ timeStamp, clientX, clientY, detail: 1 });
const key = (timeStamp) => ({ timeStamp, clientX: timeStamp, clientY: 0, detail: 0 });

test('the first press counts, what follows at once at the same place does not', () => {
  assert.equal(isHasty(tap(10, 100, 400)), false);
  assert.equal(isHasty(tap(200, 104, 390)), true);
  assert.equal(isHasty(tap(600, 100, 400)), true, 'a third tap follows the second');
  assert.equal(isHasty(tap(1100, 100, 400)), false, 'after a pause it is meant');
});

test('another button is meant at once', () => {
  assert.equal(isHasty(tap(2000, 100, 400)), false);
  assert.equal(isHasty(tap(2100, 370, 400)), false, 'of the next column');
  assert.equal(isHasty(tap(2200, 370, 460)), false, 'of the next order');
});

test('a key that is held counts once, wherever the focus goes', () => {
  assert.equal(isHasty(key(5000)), false);
  assert.equal(isHasty(key(5400)), true);
  assert.equal(isHasty(key(5430)), true);
  assert.equal(isHasty(key(5930)), false);
});
