// Money as it is typed and shown, in currencies with two, none and three digits after the point.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from '../lib/bundle.mjs';

const {
  countdown, money, parseMoney, plainMoney, plural, shop, waitText,
} = await load('src/format.ts', 'src/state/shop.ts');

function use(currency, currency_exponent) {
  shop.value = { currency, currency_exponent, timezone: 'Africa/Lagos' };
}

test('a price is understood with either separator', () => {
  use('NGN', 2);
  for (const text of ['1999.5', '1999,5', '1,999.50', '1.999,50', ' 1 999,50 ', "1'999.50", '١٬٩٩٩٫٥', '۱۹۹۹٫۵۰'])
    assert.equal(parseMoney(text), 199950, text);
});

test('a lone separator before three digits divides thousands', () => {
  use('NGN', 2);
  assert.equal(parseMoney('1,999'), 199900);
  assert.equal(parseMoney('1.999'), 199900);
  for (const text of ['1,234,567', '1 234 567', '1’234’567', '₦ 1 234 567', '1 234 567 €'])
    assert.equal(parseMoney(text), 123456700, text);
  assert.equal(parseMoney('1,00,000.50'), 10000050);
});

test('what could be meant otherwise is no amount', () => {
  use('NGN', 2);
  for (const text of ['0.999', '1234.567', '1.5.5', '12 50', '1 5', "12'50", '1 . 5', '1,999,50', '-5', '', '.', 'five', '1e3', '12345678901234'])
    assert.equal(parseMoney(text), null, text);
});

test('a currency without a smaller unit', () => {
  use('JPY', 0);
  assert.equal(parseMoney('1,200'), 1200);
  assert.equal(parseMoney('1200'), 1200);
  assert.equal(parseMoney('12.5'), null);
  assert.equal(plainMoney(1200), '1200');
});

test('a currency with three digits', () => {
  use('KWD', 3);
  assert.equal(parseMoney('1.500'), 1500);
  assert.equal(parseMoney('1,234.500'), 1234500);
  assert.equal(parseMoney('1.2345'), null);
});

test('what a field shows is understood again', () => {
  for (const [currency, exponent] of [['NGN', 2], ['JPY', 0], ['KWD', 3]]) {
    use(currency, exponent);
    for (const amount of [0, 1, 5, 99, 100, 1000, 1001, 99950, 123456789, 10 ** 12 - 1, 10 ** 12])
      assert.equal(parseMoney(plainMoney(amount)), amount, `${amount} ${currency}`);
  }
});

test('whole amounts are shown without empty digits', () => {
  use('USD', 2);
  assert.match(money(399900), /3.?999$/);
  assert.match(money(399950), /3.?999[.,]50$/);
  assert.match(money(0), /0$/);
});

test('one and many, and how long to wait', () => {
  assert.equal(plural(1, 'dish', 'dishes'), '1 dish');
  assert.equal(plural(2, 'dish', 'dishes'), '2 dishes');
  assert.equal(plural(0, 'order'), '0 orders');
  assert.equal(waitText(59.2), '60 seconds');
  assert.equal(waitText(301), '6 minutes');
  assert.equal(countdown(59_999), '0:59');
  assert.equal(countdown(605_000), '10:05');
});
