/* The shop in one page: menu, cart, account, orders, and the admin's board. A plain stand-in for the
 * front end: no framework, no build step, and everything it knows comes from the API. The session is
 * the HttpOnly cookie; no token is ever kept here. */
import {
  PASSWORD, Problem, act, all, call, form, h, hooks, loadShop, money, serverNow, shop, toast, when,
} from './common.js';

const app = document.getElementById('app');
let me = null;
let foods = [];
let cart = { items: [], total: 0, pending_payment: null };
let visit = 0;            // grows with every page shown: a late answer must not overwrite a newer page
let leaving = [];         // what to stop when the page is left
const cartWatchers = new Set();

function foodName(id) {
  return cart.items.find((line) => line.food_id === id)?.name
    ?? foods.find((food) => food.id === id)?.name ?? 'The dish';
}

function every(ms, action) {
  const timer = setInterval(action, ms);
  leaving.push(() => clearInterval(timer));
}

/* Kept for this tab only: somebody who opens his mail on the same phone comes back to the same step.
 * A sign-up's token opens nothing without the code. */
function keep(name, value) {
  if (value)
    sessionStorage.setItem(name, JSON.stringify(value));
  else
    sessionStorage.removeItem(name);
}

function kept(name) {
  return JSON.parse(sessionStorage.getItem(name) ?? 'null');
}

/* ---- Who is here ---- */

function setMe(user) {
  me = user;
  if (!me)
    setCart({ items: [], total: 0, pending_payment: null });
  showNav();
}

function showNav() {
  const links = [['#/', 'Menu']];
  if (me?.role === 'admin')
    links.push(['#/board', 'Board']);
  links.push(...(me ? [['#/orders', 'Orders'], ['#/me', 'Account']] : [['#/login', 'Log in']]));
  const here = location.hash || '#/';
  document.getElementById('nav').replaceChildren(...links.map(([href, text]) => h('a', {
    href, 'aria-current': here === href ? 'page' : null,
  }, text)));
}

/* After log-in or sign-up: on with what was wanted before. */
async function welcome(user) {
  setMe(user);
  const wish = kept('wish');
  keep('wish', null);
  keep('signup', null);
  try {
    setCart(await call('GET', '/api/cart'));
    if (wish?.food_id)
      setCart(await call('POST', '/api/cart/items', { food_id: wish.food_id, quantity: 1 }));
  } catch (error) {
    toast(error.words());
  }
  go(wish?.hash ?? (user.role === 'admin' ? '#/board' : '#/'));
}

function wishNotice() {
  const wish = kept('wish');
  return wish?.food_id
    ? h('p', { class: 'notice wait' }, `${foodName(wish.food_id)} will be in your cart.`) : null;
}

function loginPage() {
  return h('section', { class: 'card narrow' }, h('h1', {}, 'Log in'), wishNotice(),
    form([
      ['identifier', 'Email or phone', { required: true, autocomplete: 'username', autocapitalize: 'none' }],
      ['password', 'Password', { ...PASSWORD, minlength: null, autocomplete: 'current-password' }],
    ], 'Log in', async (values) => welcome((await call('POST', '/api/login', values)).user)),
    h('p', {}, h('a', { href: '#/forgot' }, 'Forgotten your password?')),
    h('p', {}, 'New here? ', h('a', { href: '#/signup' }, 'Create an account'),
      '. An account that was never verified is simply created again.'));
}

function signupPage(referral) {
  return h('section', { class: 'card narrow' }, h('h1', {}, 'Create an account'), wishNotice(),
    form([
      ['email', 'Email', { type: 'email', required: true, autocomplete: 'email' },
        'We send you a code to confirm it.'],
      ['phone', 'Phone (optional)', { type: 'tel', autocomplete: 'tel' },
        'You can log in with it, too.'],
      ['name', 'Name (optional)', { autocomplete: 'name', maxlength: 100 }],
      ['password', 'Password', PASSWORD, 'At least 8 characters.'],
      ['referral_code', 'Referral code (optional)', { autocomplete: 'off', value: referral }],
    ], 'Send me the code', async (values) => {
      keep('signup', await call('POST', '/api/signup', values));
      go('#/verify');
    }),
    h('p', {}, 'Have an account? ', h('a', { href: '#/login' }, 'Log in')));
}

function verifyPage() {
  const signup = kept('signup');
  if (!signup)
    return go('#/signup');
  const node = form([
    ['otp', 'Code', {
      inputmode: 'numeric', autocomplete: 'one-time-code', pattern: '[0-9]{6}', maxlength: 6,
      required: true, class: 'otp', title: 'six digits',
    }],
  ], 'Confirm', async ({ otp }) =>
    welcome((await call('POST', '/api/verify-otp', { signup_token: signup.signup_token, otp })).user));
  const again = act(h('button', {}, 'Send a new code'), async () => {
    const answer = await call('POST', '/api/resend-otp', { signup_token: signup.signup_token });
    signup.otp = answer.otp;
    keep('signup', signup);
    toast('A new code is on its way. The old one no longer works.');
  });
  const countdown = () => {
    const seconds = Math.ceil((Date.parse(signup.otp.resend_at) - serverNow()) / 1000);
    again.disabled = seconds > 0;
    again.textContent = seconds > 0 ? `Send a new code in ${seconds} s` : 'Send a new code';
  };
  countdown();
  every(1000, countdown);
  return h('section', { class: 'card narrow' }, h('h1', {}, 'Enter the code'),
    h('p', {}, 'We sent six digits to ', h('strong', {}, signup.email), '. They work for 5 minutes.'),
    node, again,
    h('p', {}, 'Wrong address? ', h('a', { href: '#/signup' }, 'Start again')));
}

function forgotPage() {
  const section = h('section', { class: 'card narrow' }, h('h1', {}, 'Forgotten password'),
    form([['email', 'Email', { type: 'email', required: true, autocomplete: 'email' }]],
      'Send me a link', async (values) => {
        await call('POST', '/api/password-reset', values);
        section.replaceChildren(h('h1', {}, 'Look into your mail'), h('p', {}, 'If there is an '
          + `account for ${values.email}, a link to choose a new password is on its way. It works `
          + 'for 30 minutes.'));
      }));
  return section;
}

async function mePage() {
  const referrals = await call('GET', '/api/me/referrals');
  const link = `${location.origin}/#/signup/${referrals.referral_code}`;
  const out = act(h('button', {}, 'Log out'), async () => {
    await call('POST', '/api/logout');
    setMe(null);
    go('#/');
  });
  const password = form([
    ['current_password', 'Present password', { ...PASSWORD, minlength: null, autocomplete: 'current-password' }],
    ['new_password', 'New password', PASSWORD, 'At least 8 characters. Other devices are logged out.'],
  ], 'Change the password', async (values) => {
    await call('PUT', '/api/me/password', values);
    password.reset();
    toast('Your password is changed.');
  });
  return h('div', { class: 'narrow' },
    h('section', { class: 'card' }, h('h1', {}, me.name ?? 'Your account'),
      h('p', {}, [me.email, me.phone].filter(Boolean).join(' · ')), out),
    h('section', { class: 'card' }, h('h2', {}, 'Bring a friend'),
      h('p', {}, 'Your code is ', h('strong', {}, referrals.referral_code), '. ',
        h('a', { href: link }, 'Link to share')),
      h('p', { class: 'quiet' }, `Friends who joined: ${referrals.count}`)),
    h('section', { class: 'card' }, h('h2', {}, 'Password'), password));
}

/* ---- Menu and cart ---- */

function setCart(next) {
  cart = next;
  cartWatchers.forEach((watcher) => watcher());
}

function watchCart(watcher) {
  cartWatchers.add(watcher);
  leaving.push(() => cartWatchers.delete(watcher));
  watcher();
}

/* One change at a time, so that quick taps add up. */
let cartWork = Promise.resolve();
function change(foodId, by) {
  if (!me) {
    keep('wish', { hash: '#/', food_id: foodId });
    return go('#/login');
  }
  cartWork = cartWork.then(async () => {
    const line = cart.items.find((item) => item.food_id === foodId);
    try {
      if (by > 0)
        setCart(await call('POST', '/api/cart/items', { food_id: foodId, quantity: by }));
      else if (line)
        setCart(await call('PUT', `/api/cart/items/${foodId}`, { quantity: Math.max(0, line.quantity + by) }));
    } catch (error) {
      toast(`${foodName(foodId)}: ${error.words?.() ?? error}`);
    }
  });
}

/* minus, count, plus; before the first one a button that adds. */
function stepper(foodId, name, canAdd) {
  const add = h('button', { class: 'add', 'aria-label': `Add ${name}`, onclick: () => change(foodId, 1) }, 'Add');
  const count = h('output', { 'aria-label': `${name} in the cart` });
  const more = h('button', { 'aria-label': `One more ${name}`, onclick: () => change(foodId, 1) }, '+');
  const row = h('span', { class: 'stepper' },
    h('button', { 'aria-label': `One ${name} less`, onclick: () => change(foodId, -1) }, '−'), count, more);
  const update = () => {
    const quantity = cart.items.find((item) => item.food_id === foodId)?.quantity ?? 0;
    add.hidden = quantity > 0 || !canAdd;
    row.hidden = quantity === 0;
    more.disabled = !canAdd;
    count.textContent = quantity;
  };
  return { node: h('span', {}, add, row), update };
}

function cartCount() {
  const n = cart.items.reduce((sum, line) => sum + line.quantity, 0);
  return n === 1 ? '1 dish' : `${n} dishes`;
}

const LINE_PROBLEMS = { unavailable: 'not available now', out_of_stock: 'not enough left' };

function cartLines() {
  return h('ul', { class: 'lines steps' }, cart.items.map((line) => {
    const step = stepper(line.food_id, line.name, true);
    step.update();
    return h('li', {},
      h('span', { class: 'grow' }, line.name,
        line.problem && h('span', { class: 'status bad' }, `✕ ${LINE_PROBLEMS[line.problem] ?? line.problem}`)),
      step.node, h('span', { class: 'price' }, money(line.line_total)));
  }), h('li', { class: 'total' }, h('span', { class: 'grow' }, 'Total'),
    h('span', { class: 'price' }, money(cart.total))));
}

function foodCard(food, steppers) {
  const soldOut = food.stock === 0;
  const can = food.available && !soldOut;
  const step = stepper(food.id, food.name, can);
  steppers.push(step.update);
  return h('li', { class: can ? 'food' : 'food off' },
    food.image_url && h('img', { src: food.image_url, alt: '', loading: 'lazy' }),
    h('div', { class: 'grow' }, h('h3', {}, food.name), food.description && h('p', { class: 'quiet' }, food.description),
      can ? null : h('p', { class: 'status wait' }, soldOut ? '✕ Sold out' : '◷ Not available now')),
    h('div', { class: 'buy' }, h('span', { class: 'price' }, money(food.price)), step.node));
}

async function menuPage() {
  foods = await all('/api/foods?limit=500');
  const groups = new Map();
  foods.forEach((food) => groups.set(food.category, [...(groups.get(food.category) ?? []), food]));
  const steppers = [];
  const sections = [...groups].map(([name, list]) => h('section', { class: 'category' },
    h('h2', {}, name || 'Dishes'), h('ul', { class: 'foods' }, list.map((food) => foodCard(food, steppers)))));
  const tabs = h('nav', { class: 'tabs', 'aria-label': 'Categories' }, [...groups.keys()].map((name, i) =>
    h('button', { onclick: () => sections[i].scrollIntoView({ behavior: 'smooth' }) }, name || 'Dishes')));
  const side = h('aside', { class: 'side card', 'aria-label': 'Cart' });
  const bar = h('a', { class: 'bar', href: '#/cart' });

  watchCart(() => {
    steppers.forEach((update) => update());
    bar.hidden = cart.items.length === 0;
    bar.replaceChildren(h('span', { class: 'grow' }, `${cartCount()} · ${money(cart.total)}`), 'View cart');
    side.replaceChildren(h('h2', {}, 'Your cart'), ...(cart.items.length
      ? [cartLines(), h('a', { class: 'button main', href: '#/cart' }, 'Check out')]
      : [h('p', { class: 'quiet' }, 'Nothing in it yet.')]));
  });
  if (!foods.length)
    return h('p', { class: 'quiet' }, 'The menu is empty at the moment. Please come back later.');
  return h('div', {}, tabs, h('div', { class: 'shop' }, h('div', {}, sections), side), bar);
}

function openPayment() {
  const payment = cart.pending_payment;
  if (!payment)
    return null;
  const drop = act(h('button', {}, 'Give it up'), async () => {
    await call('DELETE', `/api/payments/${payment.id}`);
    setCart(await call('GET', '/api/cart'));
  });
  return h('div', { class: 'notice wait' },
    h('p', {}, `◷ A payment of ${money(payment.amount)} is waiting until ${when(payment.expires_at)}.`),
    h('div', { class: 'row' }, payment.checkout_url
      && h('a', { class: 'button', href: payment.checkout_url }, 'Go on paying'), drop));
}

async function placeOrder({ fulfilment, address, note }) {
  try {
    const order = await call('POST', '/api/orders', {
      fulfilment, expected_total: cart.total, note,
      ...(fulfilment === 'delivery' ? { address } : {}),
    });
    setCart(await call('GET', '/api/cart'));
    go(`#/orders/${order.id}`);
  } catch (error) {
    if (error.status === 402 && error.body.payment.checkout_url) {
      location.href = error.body.payment.checkout_url;
      return new Promise(() => {}); // the button stays quiet until the page is gone
    }
    if (error.status === 402)
      throw new Problem(402, { detail: 'The payment is being prepared. Please try again in a moment.' });
    if (error.status === 409)
      setCart(await call('GET', '/api/cart'));
    throw error;
  }
}

async function cartPage() {
  setCart(await call('GET', '/api/cart'));
  const draft = kept('draft') ?? { fulfilment: 'pickup' };
  const lines = h('div');
  const way = (value, text) => h('label', { class: 'choice' }, h('input', {
    type: 'radio', name: 'fulfilment', value, checked: draft.fulfilment === value,
  }), text);
  const node = form([
    ['address', 'Address', { autocomplete: 'street-address', maxlength: 500, value: draft.address }],
    ['note', 'Note for the kitchen (optional)', { maxlength: 500, value: draft.note, autocomplete: 'off' }],
  ], 'Place the order', placeOrder);
  const address = [...node.querySelectorAll('[for=f-address], #f-address, #e-address')];
  const remember = () => {
    const values = Object.fromEntries(new FormData(node));
    address.forEach((part) => { part.hidden = values.fulfilment !== 'delivery'; });
    node.elements.address.required = values.fulfilment === 'delivery';
    keep('draft', values);
  };
  node.firstChild.after(h('fieldset', {}, h('legend', {}, 'How do you want it?'),
    way('pickup', 'I pick it up'), way('delivery', 'Deliver it')));
  node.addEventListener('input', remember);
  remember();
  watchCart(() => {
    const full = cart.items.length > 0;
    node.hidden = !full;
    node.lastChild.textContent = `Place the order · ${money(cart.total)}`;
    lines.replaceChildren(...[openPayment(), full ? cartLines()
      : h('p', {}, 'Your cart is empty. ', h('a', { href: '#/' }, 'To the menu'))].filter(Boolean));
  });
  return h('section', { class: 'card narrow' }, h('h1', {}, 'Your cart'), lines, node);
}

/* ---- Orders ---- */

const STATUS = {
  pending: ['◷', 'Ordered', 'The shop will confirm your order.'],
  confirmed: ['✓', 'Confirmed', 'The kitchen starts soon.'],
  preparing: ['♨', 'Preparing', 'Your food is being made.'],
  ready: ['✓', 'Ready', 'Your food is ready.'],
  out_for_delivery: ['➜', 'On its way', 'Your food is on its way to you.'],
  completed: ['✓', 'Completed', 'Enjoy your meal!'],
  cancelled: ['✕', 'Cancelled', 'This order was cancelled.'],
};
const FINAL = ['completed', 'cancelled'];
const KIND = { completed: 'good', ready: 'good', cancelled: 'bad' };

function statusTag(status) {
  return h('span', { class: `status ${KIND[status] ?? 'wait'}` }, `${STATUS[status][0]} ${STATUS[status][1]}`);
}

function track(order) {
  const steps = ['pending', 'confirmed', 'preparing', 'ready',
    ...(order.fulfilment === 'delivery' ? ['out_for_delivery'] : []), 'completed'];
  const at = new Map(order.events.map((event) => [event.to, event]));
  const shown = order.status === 'cancelled'
    ? [...steps.filter((step) => at.has(step)), 'cancelled'] : steps;
  return h('ol', { class: 'track' }, shown.map((step) => {
    const event = at.get(step);
    const now = step === order.status;
    return h('li', { class: now ? `now ${KIND[step] ?? ''}` : event ? 'done' : 'next', 'aria-current': now ? 'step' : null },
      h('strong', {}, `${event ? STATUS[step][0] : '○'} ${STATUS[step][1]}`),
      event && h('span', { class: 'quiet' }, when(event.at)),
      event?.note && h('p', {}, event.note),
      now && h('p', { class: 'quiet' }, STATUS[step][2],
        step === 'ready' && (order.fulfilment === 'pickup' ? ' You can pick it up.' : ' It leaves soon.'),
        step === 'cancelled' && order.payment && ' The shop pays your money back.'));
  }));
}

function orderLines(order) {
  return h('ul', { class: 'lines' }, order.items.map((line) => h('li', {},
    h('span', { class: 'grow' }, `${line.quantity} × ${line.name}`),
    h('span', { class: 'price' }, money(line.line_total)))),
  h('li', { class: 'total' }, h('span', { class: 'grow' }, 'Total'),
    h('span', { class: 'price' }, money(order.total))));
}

async function orderPage(id) {
  const live = h('p', { class: 'quiet', role: 'status' });
  const box = h('div', { 'aria-live': 'polite' });
  let events;
  const update = async () => {
    const order = await call('GET', `/api/orders/${id}`);
    if (FINAL.includes(order.status)) {
      events?.close();
      live.textContent = '';
    }
    box.replaceChildren(track(order), orderLines(order),
      h('p', { class: 'quiet' }, [order.fulfilment === 'delivery' ? `Delivery to ${order.address}` : 'You pick it up',
        order.note].filter(Boolean).join(' · ')));
    return order;
  };
  const order = await update();
  if (!FINAL.includes(order.status)) {
    events = new EventSource(`/api/orders/${id}/events`);
    /* A burst of news, such as the replay when the stream opens, is one more reading. */
    let reading = false, again = false;
    const refresh = async () => {
      again = true;
      if (reading)
        return;
      for (reading = true; again;) {
        again = false;
        await update().catch((error) => toast(error.words?.() ?? String(error)));
      }
      reading = false;
    };
    leaving.push(() => events.close());
    /* What happened before the stream stood, or while it was away, is in the order itself. */
    events.onopen = () => { live.textContent = '● Live: this page follows your order.'; refresh(); };
    events.onerror = () => { live.textContent = '○ Connection lost. Trying again …'; };
    events.addEventListener('status', refresh);
  }
  return h('section', { class: 'card narrow' }, h('h1', {}, `Order ${id}`),
    h('p', { class: 'quiet' }, when(order.created_at)), live, box,
    h('p', {}, h('a', { href: '#/orders' }, 'All your orders')));
}

async function ordersPage() {
  const list = h('ul', { class: 'orders' });
  const more = h('button', {}, 'Older orders');
  let cursor = '';
  const load = async () => {
    const page = await call('GET', `/api/orders?limit=20${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    cursor = page.next_cursor ?? '';
    more.hidden = !page.next_cursor;
    list.append(...page.items.map((order) => h('li', {}, h('a', { href: `#/orders/${order.id}` },
      h('span', { class: 'grow' }, h('strong', {}, `Order ${order.id}`),
        h('span', { class: 'quiet' }, `${when(order.created_at)} · ${order.items.map((line) => line.name).join(', ')}`)),
      statusTag(order.status), h('span', { class: 'price' }, money(order.total))))));
  };
  await load();
  return h('section', { class: 'narrow' }, h('h1', {}, 'Your orders'),
    list.childElementCount ? list : h('p', {}, 'None yet. ', h('a', { href: '#/' }, 'Have a look at the menu')),
    act(more, load));
}

/* ---- The admin's board ---- */

const NEXT = {
  pending: ['confirmed', 'Confirm'],
  confirmed: ['preparing', 'Start preparing'],
  preparing: ['ready', 'Mark ready'],
  out_for_delivery: ['completed', 'Delivered'],
};

function nextStep(order) {
  if (order.status !== 'ready')
    return NEXT[order.status];
  return order.fulfilment === 'delivery' ? ['out_for_delivery', 'Send out'] : ['completed', 'Hand over'];
}

function ticket(order, moved, failed) {
  const [to, text] = nextStep(order);
  const set = (status) => async () => {
    try {
      moved(await call('PUT', `/api/orders/${order.id}/status`, { status, version: order.version }));
    } catch (error) {
      await failed();
      throw error;
    }
  };
  const minutes = Math.max(0, Math.floor((serverNow() - Date.parse(order.created_at)) / 60000));
  const sure = h('div', { class: 'row', hidden: true },
    act(h('button', { class: 'danger' }, 'Yes, cancel it'), set('cancelled')),
    h('button', { onclick: () => { sure.hidden = true; cancel.hidden = false; } }, 'Keep it'));
  const cancel = h('button', { onclick: () => { sure.hidden = false; cancel.hidden = true; } }, 'Cancel');
  return h('li', { class: 'card ticket', 'data-order': order.id },
    h('p', { class: 'row' }, h('strong', { class: 'grow' }, `Order ${order.id}`),
      h('span', { class: 'quiet' }, `${minutes} min`)),
    h('ul', {}, order.items.map((line) => h('li', {}, h('strong', {}, `${line.quantity} × `), line.name))),
    order.note && h('p', { class: 'notice wait' }, order.note),
    h('p', { class: 'quiet' }, order.fulfilment === 'delivery' ? `➜ ${order.address}` : 'Pickup', ' · ',
      order.customer.name ?? order.customer.email, order.customer.phone && ` · ${order.customer.phone}`,
      ` · ${money(order.total)}`),
    act(h('button', { class: 'main' }, text), set(to)), cancel, sure);
}

async function boardPage() {
  const columns = ['pending', 'confirmed', 'preparing', 'ready', 'out_for_delivery'];
  const lists = columns.map(() => h('ul', { class: 'tickets' }));
  const heads = columns.map(() => h('h2'));
  const live = h('p', { class: 'quiet', role: 'status' });
  const seen = columns.map(() => '');
  let more = columns.map(() => false);
  let orders = new Map();
  let read; // those that are just being read

  const keepNewer = (map, order) => {
    if (!(map.get(order.id)?.version > order.version))
      map.set(order.id, order);
  };
  const render = () => columns.forEach((status, i) => {
    const column = [...orders.values()].filter((order) => order.status === status).sort((a, b) => a.id - b.id);
    heads[i].textContent = `${STATUS[status][1]} (${column.length}${more[i] ? '+' : ''})`;
    /* A column that did not change is left alone: somebody may be about to press a button in it. */
    const key = column.map((order) => `${order.id}.${order.version}`).join() + Math.floor(Date.now() / 60000);
    if (key === seen[i])
      return;
    seen[i] = key;
    lists[i].replaceChildren(...column.map((order) => ticket(order, show, load)));
  });
  const dropFinished = (map) => map.forEach((order, id) => {
    if (FINAL.includes(order.status))
      map.delete(id);
  });
  const show = (order) => {
    [orders, read].forEach((map) => map && keepNewer(map, order));
    dropFinished(orders);
    render();
  };
  /* What the stream tells while the lists come stays: it is at least as new; also that an order is
   * finished, until they are there. Of two readings the one that began last counts. */
  const load = async () => {
    const mine = new Map();
    read = mine;
    const pages = await Promise.all(columns.map((status) => call('GET', `/api/admin/orders?status=${status}&limit=100`)));
    if (read !== mine)
      return;
    read = undefined;
    more = pages.map((page) => Boolean(page.next_cursor));
    pages.forEach((page) => page.items.forEach((order) => keepNewer(mine, order)));
    dropFinished(mine);
    orders = mine;
    render();
  };
  await load();

  const events = new EventSource('/api/admin/orders/events');
  const reload = () => load().catch((error) => toast(error.words?.() ?? String(error)));
  let opened = false;
  leaving.push(() => events.close());
  events.onopen = () => {
    live.textContent = '● Live: this board follows the orders.';
    if (!opened) /* from now on the stream itself knows what was missed */
      reload();
    opened = true;
  };
  events.onerror = () => { live.textContent = '○ Connection lost. Trying again …'; };
  events.addEventListener('status', (event) => show(JSON.parse(event.data).order));
  events.addEventListener('resync', reload);
  every(60000, render);
  return h('div', { class: 'wide' }, h('h1', {}, 'Orders'), live,
    h('div', { class: 'board' }, columns.map((_, i) => h('section', {}, heads[i], lists[i]))));
}

/* ---- Pages ---- */

const PAGES = {
  '': [menuPage, 'Menu'], login: [loginPage, 'Log in'], signup: [signupPage, 'Create an account'],
  verify: [verifyPage, 'Enter the code'], forgot: [forgotPage, 'Forgotten password'],
  me: [mePage, 'Account', 'user'], cart: [cartPage, 'Cart', 'user'],
  orders: [(id) => (id ? orderPage(Number(id)) : ordersPage()), 'Orders', 'user'],
  board: [boardPage, 'Board', 'user'],
};

function go(hash) {
  if (location.hash === hash || (hash === '#/' && !location.hash))
    show();
  else
    location.hash = hash;
}

async function show() {
  const [name, argument] = location.hash.replace(/^#\/?/, '').split('/');
  const [page, title, access] = PAGES[name] ?? PAGES[''];
  const mine = ++visit;

  leaving.forEach((stop) => stop());
  leaving = [];
  showNav();
  if (access === 'user' && !me) {
    keep('wish', { hash: location.hash });
    return go('#/login');
  }
  let node;
  try {
    node = await page(argument && decodeURIComponent(argument));
  } catch (error) {
    node = h('p', { class: 'notice bad' }, error instanceof Problem ? error.words() : String(error));
  }
  if (mine !== visit || !node)
    return;
  document.title = `${title} · ${shop.name}`;
  toast();
  app.replaceChildren(node);
  window.scrollTo(0, 0);
  app.focus({ preventScroll: true });
}

hooks.foodName = foodName;
hooks.unauthenticated = () => {
  if (!me)
    return;
  setMe(null);
  keep('wish', { hash: location.hash });
  go('#/login');
};

async function start() {
  try {
    await loadShop();
    me = await call('GET', '/api/me').catch(() => null);
    if (me)
      setCart(await call('GET', '/api/cart'));
  } catch (error) {
    app.replaceChildren(h('p', { class: 'notice bad' }, error.words?.() ?? String(error)),
      h('button', { onclick: () => location.reload() }, 'Try again'));
    return;
  }
  window.addEventListener('hashchange', show);
  await show();
}
start();
