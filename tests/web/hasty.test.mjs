// A double tap on the board: the second tap lands on the order that has moved up, and must not move it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

const { hasJustMoved, isHasty, noteColumn } = await load('src/admin/hasty.ts');

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

test('an order that has just moved up under the finger is not meant, one that stayed or came is', () => {
  noteColumn([], [1, 2, 3], 7000);
  assert.equal(hasJustMoved(2, tap(7010, 0, 0)), false, 'the board was empty');
  noteColumn([1, 2, 3], [1, 3, 4], 8000); // another cook has moved the second on
  assert.equal(hasJustMoved(1, tap(8100, 0, 0)), false, 'above it nothing moves');
  assert.equal(hasJustMoved(3, tap(8100, 0, 0)), true);
  assert.equal(hasJustMoved(3, key(8100)), false, 'the focus stays with its order');
  assert.equal(hasJustMoved(4, tap(8100, 0, 0)), false, 'a new one was nowhere before');
  assert.equal(hasJustMoved(3, tap(8400, 0, 0)), false, 'after a look it is meant');
});
