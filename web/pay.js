/* The checkout page of the shop's own providers. The token in the URL's fragment allows this one
 * payment and nothing else, so the page works in another browser than the one that ordered. */
import { Problem, call, h, loadShop, money, serverNow, shop } from './common.js';

const POLL_MS = 2500;

const box = document.getElementById('pay');
const id = location.pathname.split('/').pop();
const token = location.hash.slice(1);
const headers = token ? { Authorization: `Bearer ${token}` } : {};
let shown = '';
let said = '';

const ask = (method, path, body) => call(method, path, body, headers);

function timeLeft(payment) {
  const seconds = Math.round((Date.parse(payment.expires_at) - serverNow()) / 1000);
  if (seconds <= 0)
    return '';
  return seconds < 60 ? 'less than a minute' : `${Math.round(seconds / 60)} minutes`;
}

async function simulate(outcome, buttons) {
  for (const button of buttons)
    button.disabled = true;
  try {
    await ask('POST', `/api/payments/${id}/simulate`, { outcome });
    said = '';
  } catch (error) {
    said = error instanceof Problem ? error.words() : String(error);
  }
  shown = '';
  await look();
}

function payHere(payment, amount) {
  if (payment.provider !== 'test')
    return [
      h('h2', {}, 'How to pay'),
      h('p', { class: 'instructions' }, shop.payment_instructions),
      h('p', {}, 'Payment number ', h('strong', {}, String(payment.id)),
        '. Please name it when you pay.'),
      h('p', { class: 'quiet' }, 'The shop confirms it here as soon as it has your money. '
        + 'You can close this page: your order is made all the same.'),
    ];
  const pay = h('button', { class: 'main' }, `Pay ${amount}`);
  const decline = h('button', {}, 'Decline');
  pay.addEventListener('click', () => simulate('paid', [pay, decline]));
  decline.addEventListener('click', () => simulate('failed', [pay, decline]));
  return [
    h('p', { class: 'quiet' }, 'A test payment: no money moves.'),
    h('div', { class: 'row' }, pay, decline),
  ];
}

const ENDED = {
  failed: 'The payment was declined. Nothing was paid, and your cart is as it was.',
  expired: 'The time for this payment is over. Your cart is as it was: order again from there.',
  cancelling: 'This payment was given up. Your cart has the present state.',
  cancelled: 'This payment was given up. Your cart has the present state.',
};

function render(payment) {
  const amount = money(payment.amount, payment.currency);
  const open = payment.status === 'pending' || payment.status === 'creating';
  const left = open ? timeLeft(payment) : '';
  const state = [payment.status, payment.order_id, left, said].join();

  if (state === shown)
    return;
  shown = state;
  document.title = `Pay ${amount}`;
  document.getElementById('back').hidden = !open;
  if (payment.status === 'paid' && payment.order_id) {
    box.replaceChildren(h('p', { class: 'amount' }, amount),
      h('p', { class: 'notice good' }, '✓ Paid. Thank you!'),
      h('a', { class: 'button main', href: `/#/orders/${payment.order_id}` }, 'See your order'));
    return;
  }
  if (payment.status === 'paid') {
    box.replaceChildren(h('p', { class: 'amount' }, amount),
      h('p', { class: 'notice wait' }, 'We have your money, but could not make the order. '
        + 'The shop was told and will be in touch.'));
    return;
  }
  box.replaceChildren(h('h1', {}, shop.name), h('p', { class: 'amount' }, amount),
    ...(said ? [h('p', { class: 'notice bad' }, said)] : []),
    ...(open
      ? [...payHere(payment, amount),
        h('p', { class: 'status wait' }, `◷ Waiting for the payment${left ? `, ${left} left` : ''}`)]
      : [h('p', { class: 'notice bad' }, ENDED[payment.status] ?? payment.status),
        h('a', { class: 'button main', href: '/#/cart' }, 'Back to the cart')]));
}

/* Also a payment that has ended is looked at: money may still arrive and make the order. */
async function look() {
  try {
    await loadShop();
    const payment = await ask('GET', `/api/payments/${id}`);
    render(payment);
    return payment.status === 'paid' ? 0 : POLL_MS;
  } catch (error) {
    shown = '';
    const gone = [401, 403, 404].includes(error.status);
    const text = gone ? 'There is no such payment, or this link is incomplete.'
      : 'No connection to the shop. Trying again …';
    box.replaceChildren(h('p', { class: 'notice bad' }, text));
    return gone ? 0 : POLL_MS;
  }
}

async function follow() {
  const wait = await look();
  if (wait)
    setTimeout(follow, wait);
}
follow();
