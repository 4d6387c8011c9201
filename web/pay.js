/* The checkout page of the shop's own providers. The token in the URL's fragment allows this one
 * payment and nothing else, so the page works in another browser than the one that ordered. */
const POLL_MS = 2500;

const box = document.getElementById('pay');
const id = location.pathname.split('/').pop();
const token = location.hash.slice(1);
const headers = token ? { Authorization: `Bearer ${token}` } : {};
let shop;
let skewMs = 0;
let shown = '';
let said = '';

function h(tag, props, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((child) => child !== null));
  return node;
}

async function call(method, path, body) {
  const options = { method, headers: { ...headers } };
  if (body) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const date = Date.parse(response.headers.get('Date'));
  if (date)
    skewMs = date - Date.now();
  const answer = await response.json();
  if (response.ok)
    return answer;
  throw Object.assign(new Error(answer.detail ?? answer.title), { status: response.status });
}

function money(amount, currency) {
  const digits = shop.currency_exponent;
  return new Intl.NumberFormat(undefined, {
    style: 'currency', currency, currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(amount / 10 ** digits);
}

function timeLeft(payment) {
  const seconds = Math.round((Date.parse(payment.expires_at) - Date.now() - skewMs) / 1000);
  if (seconds <= 0)
    return '';
  return seconds < 60 ? 'less than a minute' : `${Math.round(seconds / 60)} minutes`;
}

async function simulate(outcome, buttons) {
  for (const button of buttons)
    button.disabled = true;
  try {
    await call('POST', `/api/payments/${id}/simulate`, { outcome });
    said = '';
  } catch (error) {
    said = error.status ? error.message : 'No connection to the shop. Please try again.';
  }
  shown = '';
  await look();
}

function payHere(payment, amount) {
  if (payment.provider !== 'test')
    return [
      h('h2', {}, 'How to pay'),
      h('p', { className: 'instructions' }, shop.payment_instructions),
      h('p', {}, 'Payment number ', h('strong', {}, String(payment.id)),
        '. Please name it when you pay.'),
      h('p', { className: 'quiet' }, 'The shop confirms it here as soon as it has your money. '
        + 'You can close this page: your order is made all the same.'),
    ];
  const pay = h('button', { className: 'main' }, `Pay ${amount}`);
  const decline = h('button', {}, 'Decline');
  pay.addEventListener('click', () => simulate('paid', [pay, decline]));
  decline.addEventListener('click', () => simulate('failed', [pay, decline]));
  return [
    h('p', { className: 'quiet' }, 'A test payment: no money moves.'),
    h('div', { className: 'row' }, pay, decline),
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
  const error = said ? h('p', { className: 'notice bad' }, said) : null;
  if (payment.status === 'paid' && payment.order_id) {
    box.replaceChildren(h('p', { className: 'amount' }, amount),
      h('p', { className: 'notice good' }, '✓ Paid. Thank you!'),
      h('a', { className: 'button main', href: `/#/orders/${payment.order_id}` }, 'See your order'));
    return;
  }
  if (payment.status === 'paid') {
    box.replaceChildren(h('p', { className: 'amount' }, amount),
      h('p', { className: 'notice wait' }, 'We have your money, but could not make the order. '
        + 'The shop was told and will be in touch.'));
    return;
  }
  box.replaceChildren(h('h1', {}, shop.name), h('p', { className: 'amount' }, amount),
    ...(error ? [error] : []),
    ...(open
      ? [...payHere(payment, amount),
        h('p', { className: 'status wait' }, `◷ Waiting for the payment${left ? `, ${left} left` : ''}`)]
      : [h('p', { className: 'notice bad' }, ENDED[payment.status] ?? payment.status),
        h('a', { className: 'button main', href: '/#/cart' }, 'Back to the cart')]));
}

/* Also a payment that has ended is looked at: money may still arrive and make the order. */
async function look() {
  try {
    shop ??= await call('GET', '/api/shop');
    document.getElementById('brand').textContent = shop.name;
    const payment = await call('GET', `/api/payments/${id}`);
    render(payment);
    return payment.status === 'paid' ? 0 : POLL_MS;
  } catch (error) {
    shown = '';
    const gone = error.status === 401 || error.status === 404 || error.status === 403;
    const text = gone ? 'There is no such payment, or this link is incomplete.'
      : 'No connection to the shop. Trying again …';
    box.replaceChildren(h('p', { className: 'notice bad' }, text));
    return gone ? 0 : POLL_MS;
  }
}

async function follow() {
  const wait = await look();
  if (wait)
    setTimeout(follow, wait);
}
follow();
