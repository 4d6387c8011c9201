// A dish that is changed by two: only what one has touched is sent, and nothing of the other's is lost
// unseen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

globalThis.sessionStorage = { getItem: () => null, setItem() {}, removeItem() {} };
const { changesOf, conflictText, draftOf, follow, shop } = await load('src/admin/food_draft.ts', 'src/state/shop.ts');
shop.value = { currency: 'NGN', currency_exponent: 2, timezone: 'Africa/Lagos' };

const DISH = {
  id: 1, name: 'Suya', description: 'Hot', category: 'Grill', price: 200000, available: true, stock: 12, version: 1,
};
const edit = (change) => ({ ...draftOf(DISH), ...change });
const refused = (field) => (error) => error.status === 422 && error.rows[0].field === field;

test('only what was changed is sent', () => {
  assert.deepEqual(changesOf(draftOf(DISH), DISH), {});
  assert.deepEqual(changesOf(edit({ price: '2,500.50', name: ' Beef suya ' }), DISH), { price: 250050, name: 'Beef suya' });
  assert.deepEqual(changesOf(edit({ counted: false }), DISH), { stock: null });
});

test('a new dish is sent whole, in a category of its own if it has none', () => {
  const draft = { ...draftOf(null), name: 'Moi moi', price: '5' };
  assert.deepEqual(changesOf(draft, null), {
    name: 'Moi moi', description: '', price: 500, available: true, stock: null, category: 'Other' });
});

test('what is no amount or no number is refused at its field', () => {
  for (const price of ['', 'x', '-1', '1.2345', '10000000000.01'])
    assert.throws(() => changesOf(edit({ price }), DISH), refused('price'), price);
  assert.equal(changesOf(edit({ price: '10000000000' }), DISH).price, 10 ** 12);
  for (const stock of ['', 'x', '-1', '1.5', '2,50', '1e3', '٣', '12,3456'])
    assert.throws(() => changesOf(edit({ stock }), DISH), refused('stock'), stock);
});

test('only a change of the same member by somebody else is told', () => {
  const theirs = { ...DISH, price: 100000, description: 'Mild', stock: 3, version: 2 };
  assert.equal(conflictText({ name: 'Beef suya' }, DISH, theirs), '');
  assert.equal(conflictText({ stock: 20 }, DISH, theirs), '');
  assert.equal(conflictText({ price: 100000 }, DISH, theirs), '');
  assert.match(conflictText({ price: 300000 }, DISH, theirs), /^price, now .*1,000$/);
});

test('what was not touched follows the other edit', () => {
  const draft = follow(edit({ price: '3000' }), DISH, { ...DISH, price: 100000, description: 'Mild', version: 2 });
  assert.equal(draft.price, '3000');
  assert.equal(draft.description, 'Mild');
});
