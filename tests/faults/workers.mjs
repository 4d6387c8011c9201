// Those who use the shop while it fails, each on a connection of his own and one call at a time.
// Each keeps what was acknowledged to him, and knows of the one call that may be under way when the
// server dies what the shop must look like if it happened. So afterwards there are exactly two
// states that are right, and nothing between them.
import assert from 'node:assert/strict';
import { ADMIN } from '../lib/server.mjs';
import { Caller, Lost } from './shop.mjs';

/* A call under way: {method, path, body, key, after, accept}. `accept(answer)` takes the answer
 * into the books, or throws if it is a wrong one; `after` is what `verify` of the worker expects if
 * the call was done without an answer. */
class Worker {
  constructor(load) {
    this.load = load;
    this.random = load.random;
    this.pending = null;
    this.client = null;
  }

  connect(port) {
    this.client?.close();
    this.client = new Caller(port);
  }

  get(path) {
    return this.client.call('GET', path, { token: this.token });
  }

  async read(path) {
    const answer = await this.get(path);
    assert.equal(answer.status, 200, `GET ${path}: ${answer.text}`);
    return answer.body;
  }

  // All items of a list.
  async readAll(path) {
    const items = [];
    for (let cursor = null; ;) {
      const page = await this.read(`${path}?limit=100${cursor ? `&cursor=${cursor}` : ''}`);
      items.push(...page.items);
      cursor = page.next_cursor;
      if (!cursor) return items;
    }
  }

  // Sends the pending call. False if the shop could not do it now.
  async send() {
    const { method, path, body, key, accept } = this.pending;
    const answer = await this.client.call(method, path, { token: this.token, body, key });
    if (answer.status === 503) {
      await this.load.refused(this, answer);
      return false;
    }
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.text}`);
    accept(answer);
    this.pending = null;
    this.load.acknowledged();
    return true;
  }

  // Right after a refusal: nothing was changed.
  async checkUndone() {
    assert.equal(await this.verify(), false, 'refused, and yet done');
  }

  async loop() {
    try {
      while (!this.load.halting) {
        if (!this.pending) this.pending = this.next();
        if (this.pending) await this.send();
        else await this.load.more();
      }
    } catch (error) {
      if (!(error instanceof Lost && this.load.mayLose)) throw error;
    }
  }
}

/* ---- Customers ---- */

const withoutZeros = (cart) =>
  Object.fromEntries(Object.entries(cart).filter(([, quantity]) => quantity > 0));

export const cartOf = (answer) =>
  Object.fromEntries(answer.items.map((item) => [item.food_id, item.quantity]));

const linesOf = (order) =>
  Object.fromEntries(order.items.map((item) => [item.food_id, item.quantity]));

const DECLINES_MAX = 12; // an hour's 20 unpaid payments would be too many

export class Customer extends Worker {
  constructor(load, number) {
    super(load);
    this.number = number;
    this.email = `customer-${number}@example.com`;
    this.made = 0;        // counts keys and notes
    this.cart = {};       // food → quantity
    this.open = null;     // {id, amount, note, body, lines, edited}: the payment that waits
    this.orders = new Map(); // id → {note, amount, lines, payment}; null until it was read
    this.unpaid = 0;
    this.bad = [];        // foods the shop would not sell just now
  }

  key() {
    return `key-${this.number}-${++this.made}`;
  }

  state() {
    return {
      cart: this.cart,
      open: this.open?.id ?? null,
      notes: [...this.orders.values()].map((order) => order.note).sort(),
    };
  }

  next() {
    const unread = [...this.orders].find(([, order]) => !order.read);
    if (unread) return this.readOrder(...unread);
    if (this.bad.length > 0) return this.set(this.bad.pop(), 0);
    if (this.open) return this.whileOpen();
    const lines = Object.keys(this.cart);
    if (lines.length > 0 && this.random.chance(0.5)) return this.place();
    if (lines.length > 0 && this.random.chance(0.1))
      return this.set(this.random.pick(lines), this.random.int(0, 3));
    return this.add();
  }

  whileOpen() {
    const mayDecline = this.unpaid < DECLINES_MAX;
    if (this.random.chance(0.1)) return this.place(this.open.body);
    if (this.random.chance(0.1) && mayDecline) return this.add();
    if (this.random.chance(0.05) && mayDecline) return this.decline();
    if (this.random.chance(0.05) && mayDecline) return this.giveUp();
    if (this.open.edited.size > 0 && this.random.chance(0.5) && mayDecline) return this.place();
    return this.pay();
  }

  setCart(cart) {
    for (const food of new Set([...Object.keys(cart), ...Object.keys(this.cart)]))
      if (cart[food] !== this.cart[food]) this.open?.edited.add(food);
    this.cart = cart;
  }

  add() {
    const food = this.random.pick(this.load.foodIds);
    const quantity = this.random.int(1, 3);
    const cart = { ...this.cart, [food]: (this.cart[food] ?? 0) + quantity };
    return {
      method: 'POST', path: '/api/cart/items', body: { food_id: food, quantity }, key: this.key(),
      after: { ...this.state(), cart },
      accept: (answer) => {
        if (answer.status === 409) return;
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(cartOf(answer.body), cart);
        this.setCart(cart);
      },
    };
  }

  set(food, quantity) {
    const cart = withoutZeros({ ...this.cart, [food]: quantity });
    return {
      method: 'PUT', path: `/api/cart/items/${food}`, body: { quantity },
      after: { ...this.state(), cart },
      accept: (answer) => {
        if (answer.status === 409 && quantity > 0) return;
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(cartOf(answer.body), cart);
        // Also a line set to what it was is one that was edited.
        this.open?.edited.add(String(food));
        this.setCart(cart);
      },
    };
  }

  place(again) {
    const delivery = this.random.chance(0.5);
    const note = again?.note ?? `note ${this.number}-${this.made}`;
    const body = again ?? (delivery ? { fulfilment: 'delivery', address: '1 Some Street', note }
      : { fulfilment: 'pickup', note });
    const before = this.open;
    const same = again && before && JSON.stringify(before.lines) === JSON.stringify(this.cart);
    const lines = { ...this.cart };
    return {
      method: 'POST', path: '/api/orders', body, key: this.key(),
      after: { ...this.state(), open: same ? before.id : 'new' },
      accept: (answer) => {
        if (answer.status === 409) {
          this.bad = (answer.body.errors ?? []).map((row) => row.food_id);
          assert.ok(this.bad.length > 0 || answer.body.code === 'cart_empty', answer.text);
          return;
        }
        assert.equal(answer.status, 402, answer.text);
        const { id, amount } = answer.body.payment;
        if (same) assert.equal(id, before.id);
        else assert.ok(!this.load.payments.has(id), `payment ${id} again`);
        if (before && !same) this.ended('cancelled');
        this.load.payments.set(id, { status: 'pending', amount, customer: this });
        this.open = { id, amount, note, body, lines, edited: new Set() };
      },
    };
  }

  // The open payment ended without an order.
  ended(status) {
    this.load.payments.get(this.open.id).status = status;
    this.open = null;
    this.unpaid++;
  }

  pay() {
    const { id, amount, note, lines, edited } = this.open;
    // A line that was edited since is wanted again.
    const cart = Object.fromEntries(Object.entries(this.cart)
      .filter(([food]) => !(food in lines) || edited.has(food)));
    const state = this.state();
    return {
      method: 'POST', path: `/api/payments/${id}/simulate`, body: { outcome: 'paid' },
      key: this.key(),
      after: { cart, open: null, notes: [...state.notes, note].sort() },
      accept: (answer) => {
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.status, 'paid');
        assert.ok(answer.body.order_id > 0, answer.text);
        this.load.payments.get(id).status = 'paid';
        this.orders.set(answer.body.order_id, { note, amount, lines, payment: id, read: false });
        this.open = null;
        this.cart = cart;
      },
    };
  }

  decline() {
    const { id } = this.open;
    return {
      method: 'POST', path: `/api/payments/${id}/simulate`, body: { outcome: 'failed' },
      key: this.key(),
      after: { ...this.state(), open: null },
      accept: (answer) => {
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.status, 'failed');
        this.ended('failed');
      },
    };
  }

  giveUp() {
    const { id } = this.open;
    return {
      method: 'DELETE', path: `/api/payments/${id}`, after: { ...this.state(), open: null },
      accept: (answer) => {
        // Sent twice it is no longer open the second time.
        assert.ok(answer.status === 204 || answer.body.code === 'payment_not_open', answer.text);
        this.ended('cancelled');
      },
    };
  }

  readOrder(id, order) {
    return {
      method: 'POST', path: '/api/orders', body: { payment_id: order.payment }, key: this.key(),
      after: this.state(),
      accept: (answer) => {
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.id, id);
        this.checkOrder(answer.body);
        order.read = true;
        this.load.orders.set(id, answer.body);
      },
    };
  }

  // Against what was placed and paid.
  checkOrder(order) {
    const expected = this.orders.get(order.id);
    assert.equal(order.note, expected.note);
    assert.equal(order.total, expected.amount);
    assert.deepEqual(linesOf(order), expected.lines);
    assert.deepEqual(order.payment,
      { id: expected.payment, status: 'paid', amount: expected.amount });
  }

  // What the server says now, in the form of `state`.
  async observe() {
    const cart = await this.read('/api/cart');
    const orders = await this.readAll('/api/orders');
    const open = cart.pending_payment?.id ?? null;
    return {
      cart: cartOf(cart),
      open: open === null || this.load.payments.has(open) ? open : 'new',
      notes: orders.map((order) => order.note).sort(),
      orders,
    };
  }

  /* After a crash, before anything is sent again: all that was acknowledged, and of the pending
   * call all or nothing. True if it had been done. */
  async verify() {
    const { orders, ...observed } = await this.observe();
    const done = this.pending !== null &&
      JSON.stringify(observed) === JSON.stringify(sorted(this.pending.after)) &&
      JSON.stringify(observed) !== JSON.stringify(sorted(this.state()));
    if (!done) assert.deepEqual(observed, this.state(), `${this.email}: ${this.describe()}`);
    for (const order of orders) {
      if (!this.orders.has(order.id)) continue; // of the pending call; read once it was sent again
      this.checkOrder(order);
      this.load.verifyOrder(order);
    }
    return done;
  }

  // Others move his orders meanwhile: only what he alone changes is looked at.
  async checkUndone() {
    const { orders, ...observed } = await this.observe();
    assert.deepEqual(observed, this.state(), this.describe());
  }

  describe() {
    const { method, path, body, after } = this.pending ?? {};
    return this.pending
      ? `pending ${method} ${path} ${JSON.stringify(body)}, after it ${JSON.stringify(after)}`
      : 'nothing was pending';
  }

  // Sends what was pending once more: the same key must not do it twice.
  async settle(done) {
    if (!this.pending) return;
    const { key, method, path } = this.pending;
    const answer = await this.client.call(method, path,
      { token: this.token, body: this.pending.body, key });
    this.pending.accept(answer);
    // An order's key stands for its payment and has no stored answer.
    if (done && key && path !== '/api/orders')
      assert.equal(answer.headers['idempotency-replayed'], 'true', `${method} ${path}`);
    this.pending = null;
  }
}

// Keys of an object in the order in which JSON.stringify(observed) has them.
function sorted({ cart, open, notes }) {
  return { cart: { ...cart }, open, notes };
}

/* ---- The admin, once in the kitchen and once at the menu ---- */

class Admin extends Worker {
  async login() {
    const { email: identifier, password } = ADMIN;
    const answer = await this.client.call('POST', '/api/login', { body: { identifier, password } });
    assert.equal(answer.status, 200, answer.text);
    this.token = answer.body.token;
  }
}

const nextStatuses = (order) => ({
  pending: ['confirmed'], confirmed: ['preparing'], preparing: ['ready'],
  ready: [order.fulfilment === 'delivery' ? 'out_for_delivery' : 'completed'],
  out_for_delivery: ['completed'], completed: [], cancelled: [],
})[order.status];

// Moves orders that were acknowledged to their customers through their lifecycle.
export class Kitchen extends Admin {
  next() {
    const orders = [...this.load.orders.values()].filter((order) => nextStatuses(order).length > 0);
    if (orders.length === 0) return null;
    const order = this.random.pick(orders.slice(-10));
    const to = this.random.chance(0.1) ? 'cancelled' : nextStatuses(order)[0];
    return {
      method: 'PUT', path: `/api/orders/${order.id}/status`,
      body: { status: to, note: `to ${to}`, version: order.version }, order, to,
      accept: (answer) => {
        assert.equal(answer.status, 200, answer.text);
        const { customer, ...rest } = answer.body;
        assert.ok(customer.email, 'an admin sees whose order it is');
        assert.equal(rest.status, to);
        assert.equal(rest.events.at(-1).to, to);
        this.load.orders.set(order.id, rest);
      },
    };
  }

  async verify() {
    if (!this.pending) return false;
    const { customer, ...order } = await this.read(`/api/orders/${this.pending.order.id}`);
    const done = order.events.length > this.pending.order.events.length;
    if (done) assert.equal(order.events.at(-1).to, this.pending.to);
    else assert.deepEqual(order, this.pending.order);
    return done;
  }

  async settle(done) {
    if (!this.pending) return;
    if (done) {
      const { customer, ...order } = await this.read(`/api/orders/${this.pending.order.id}`);
      this.load.orders.set(order.id, order);
      this.pending = null;
    } else {
      await this.send();
    }
  }
}

// Edits prices and adds stock while it is sold.
export class Editor extends Admin {
  next() {
    const id = this.random.pick(this.load.foodIds);
    const { food } = this.load.foods.get(id);
    const add = food.stock !== null && this.random.chance(0.5) ? this.random.int(1, 3) : 0;
    const price = this.random.int(100, 900);
    return {
      method: 'PUT', path: `/api/foods/${id}/${add ? 'stock' : 'price'}`,
      body: add ? { add } : { price }, id, add, price,
      accept: (answer) => {
        assert.equal(answer.status, 200, answer.text);
        this.took(answer.body, id, add, price);
      },
    };
  }

  took(answer, id, add, price) {
    const entry = this.load.foods.get(id);
    assert.equal(answer.version, entry.food.version + 1);
    assert.equal(answer.price, add ? entry.food.price : price);
    entry.food = answer;
    entry.added += add;
  }

  async verify() {
    let done = false;
    for (const [id, { food }] of this.load.foods) {
      const now = await this.read(`/api/foods/${id}`);
      if (this.pending?.id === id && now.version === food.version + 1) {
        done = true;
        assert.equal(now.price, this.pending.add ? food.price : this.pending.price);
      } else {
        assert.equal(now.version, food.version);
        assert.equal(now.price, food.price);
      }
    }
    return done;
  }

  async settle(done) {
    if (!this.pending) return;
    const { id, add, price } = this.pending;
    if (done) {
      this.took(await this.read(`/api/foods/${id}`), id, add, price);
      this.pending = null;
    } else {
      await this.send();
    }
  }
}

/* ---- Newcomers ---- */

const SIGNUP_EVERY = 30; // acknowledged calls: a password's hash costs as much

export const codeIn = (message) => message.text.match(/\b\d{6}\b/)[0];

// Signs up under one name after the other, and verifies those whose code has come.
export class Newcomers extends Worker {
  constructor(load) {
    super(load);
    this.made = 0;
    this.due = 0;
    this.waiting = []; // {email, signup_token, at}: signed up, not verified
    this.users = [];   // {email, token}
  }

  next() {
    if (this.load.count < this.due) return null;
    this.due = this.load.count + SIGNUP_EVERY;
    for (const signup of this.waiting) {
      const mail = this.load.mailTo(signup.email);
      if (mail) return this.verifyOtp(signup, codeIn(mail));
    }
    return this.signUp();
  }

  signUp() {
    const email = `newcomer-${++this.made}@example.com`;
    return {
      method: 'POST', path: '/api/signup', body: { email, password: 'a long password' },
      accept: (answer) => {
        // Done already, if it was under way when the server ended: its token was never told.
        if (answer.status === 429) return;
        assert.equal(answer.status, 201, answer.text);
        this.waiting.push({ email, signup_token: answer.body.signup_token, at: Date.now() });
        this.load.mailsDue.push(email);
      },
    };
  }

  verifyOtp(signup, otp) {
    return {
      method: 'POST', path: '/api/verify-otp', body: { signup_token: signup.signup_token, otp },
      accept: (answer) => {
        this.waiting = this.waiting.filter((other) => other !== signup);
        if (answer.status === 404) return; // the same
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.body.user.email, signup.email);
        this.users.push({ email: signup.email, token: answer.body.token });
      },
    };
  }

  async verify() {
    for (const { email, token } of this.users) {
      const me = await this.client.call('GET', '/api/me', { token });
      assert.equal(me.status, 200, `${email}: ${me.text}`);
      assert.equal(me.body.email, email);
    }
    return false;
  }

  async settle() {
    if (this.pending) await this.send();
  }
}
