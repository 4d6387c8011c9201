// What is found by what a hungry person types.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

const { fold, search, slug } = await load('src/search.ts');

const food = (name, category = '', description = '') => ({ name, category, description });
const FOODS = [
  food('Ẹ̀fọ́ rírò', 'Soups', 'Spinach with locust beans.'),
  food('Jollof rice', 'Rice', 'Smoky, with fried plantain.'),
  food('Weißwurst', 'Grill'),
  food('كُشَرِي', 'مأكولات', 'أرز وعدس'),
];
const found = (query) => search(FOODS, query).map(({ name }) => name);

test('marks and case make no difference, in either direction', () => {
  assert.deepEqual(found('efo'), ['Ẹ̀fọ́ rírò']);
  assert.deepEqual(found('ẸFỌ́ RIRO'), ['Ẹ̀fọ́ rírò']);
  assert.deepEqual(found('jóllòf'), ['Jollof rice']);
  assert.deepEqual(found('weisswurst'), ['Weißwurst']);
  assert.deepEqual(found('كشري'), ['كُشَرِي']);
});

test('composed and decomposed letters are the same', () => {
  assert.equal(fold('é'.normalize('NFC')), fold('é'.normalize('NFD')));
});

test('each word may be in the name, the category or the description', () => {
  assert.deepEqual(found('soups beans'), ['Ẹ̀fọ́ rírò']);
  assert.deepEqual(found('plantain rice'), ['Jollof rice']);
  assert.deepEqual(found('plantain beans'), []);
});

test('a word does not reach from the name into the category', () => {
  assert.deepEqual(found('rírosoups'), []);
});

test('no word finds all, in the same order', () => {
  assert.equal(search(FOODS, '  ').length, FOODS.length);
});

test('signs are looked for as they are', () => {
  assert.deepEqual(found('.*'), []);
});

test('an address names a category without spaces or marks', () => {
  assert.equal(slug('Soups & Swallow!'), 'soups-swallow');
  assert.equal(slug('Ẹja dídín'), 'eja-didin');
  assert.equal(slug('مأكولات شرقية'), 'ماكولات-شرقية');
  assert.equal(slug('!'), '');
});
