// A shop in full swing: customers, a kitchen, somebody who edits the menu and newcomers, all at
// once, and the books of all that the server has acknowledged to them.
import assert from 'node:assert/strict';
import { Random } from './random.mjs';
import { codeIn, Customer, Editor, Kitchen, Newcomers } from './workers.mjs';

// Foods to fight for, foods that last, and one that is not counted.
const MENU = [
  { name: 'Water', price: 100, stock: null },
  { name: 'Rice', price: 350, stock: 1000 },
  { name: 'Beans', price: 250, stock: 500 },
  { name: 'Plantain', price: 200, stock: 40 },
  { name: 'Goat', price: 900, stock: 12 },
];

export class Load {
  /* smtp is startSmtp()'s, where the shop sends its mail. With `strict`, each 503 is followed by a
   * look whether really nothing was changed. With `haltOnRefusal` it is the last call of all: it may
   * have been done. */
  constructor(smtp, { customers = 6, random = new Random(), strict = false,
    haltOnRefusal = false } = {}) {
    this.smtp = smtp;
    this.random = random;
    this.strict = strict;
    this.haltOnRefusal = haltOnRefusal;
    this.payments = new Map(); // id → {status, amount, customer}
    this.orders = new Map();   // id → the order as it was last told to anybody
    this.foods = new Map();    // id → {food as it was last told, initial, added}
    this.mailsDue = [];        // addresses to which a mail must come
    this.customers = Array.from({ length: customers }, (_, i) => new Customer(this, i));
    this.kitchen = new Kitchen(this);
    this.editor = new Editor(this);
    this.newcomers = new Newcomers(this);
    this.workers = [...this.customers, this.kitchen, this.editor, this.newcomers];
    this.count = 0;     // acknowledged calls
    this.refusals = 0;  // answers 503
    this.halting = false;
    this.mayLose = false;   // the server is about to be ended
    this.mayRefuse = false; // it is kept from writing
    this.watchers = new Set();
  }

  get foodIds() {
    return [...this.foods.keys()];
  }

  mailTo(email) {
    return this.smtp.messages.find((message) => message.envelope.to.includes(email));
  }

  connect(port) {
    for (const worker of this.workers) worker.connect(port);
  }

  close() {
    for (const worker of this.workers) worker.client?.close();
  }

  // The menu, the admin and the customers' accounts, in a shop that has none.
  async prepare(shop) {
    await shop.makeAdmin();
    this.connect(shop.port);
    await this.kitchen.login();
    this.editor.token = this.kitchen.token;
    for (const { name, price, stock } of MENU) {
      const answer = await this.kitchen.client.call('POST', '/api/foods',
        { token: this.kitchen.token, body: { name, price, stock } });
      assert.equal(answer.status, 201, answer.text);
      this.foods.set(answer.body.id, { food: answer.body, initial: stock, added: 0 });
    }
    await Promise.all(this.customers.map((customer) => this.signUp(customer)));
  }

  async signUp(customer) {
    const signup = await customer.client.call('POST', '/api/signup',
      { body: { email: customer.email, password: 'a long password' } });
    assert.equal(signup.status, 201, signup.text);
    const mail = await this.smtp.waitFor(({ envelope }) => envelope.to.includes(customer.email));
    const verified = await customer.client.call('POST', '/api/verify-otp',
      { body: { signup_token: signup.body.signup_token, otp: codeIn(mail) } });
    assert.equal(verified.status, 200, verified.text);
    customer.token = verified.body.token;
  }

  /* ---- Running ---- */

  // Begins, on the present connections.
  start() {
    this.halting = false;
    this.failed = null;
    this.loops = this.workers.map((worker) => worker.loop().catch((error) => {
      this.failed ??= error;
      this.wake();
    }));
  }

  wake() {
    for (const watcher of [...this.watchers]) watcher();
  }

  acknowledged() {
    this.count++;
    this.wake();
  }

  async refused(worker, answer) {
    assert.ok(this.mayRefuse, `503 without need: ${answer.text}`);
    assert.equal(answer.body.code, 'unavailable');
    assert.ok(Number(answer.headers['retry-after']) >= 1, 'Retry-After');
    this.refusals++;
    if (this.strict) await worker.checkUndone();
    if (this.haltOnRefusal) this.halting = true;
    this.wake();
  }

  // Resolves when `condition` holds, which is looked at after each answer.
  until(condition) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!this.failed && !condition()) return;
        this.watchers.delete(look);
        if (this.failed) reject(this.failed);
        else resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  // When n more calls are acknowledged.
  after(n) {
    const goal = this.count + n;
    return this.until(() => this.count >= goal);
  }

  // For a worker that has nothing to do until others have done something.
  more() {
    const before = this.count + this.refusals;
    return this.until(() => this.halting || this.count + this.refusals > before);
  }

  // Ends after the calls that run. What has no answer then stays pending with its worker.
  async halt() {
    this.halting = true;
    this.wake();
    await Promise.all(this.loops);
    if (this.failed) throw this.failed;
  }

  /* ---- Afterwards ---- */

  // An order as its customer sees it: as it was last told, or one step of the kitchen's further.
  verifyOrder(order) {
    const told = this.orders.get(order.id);
    if (!told) return;
    const { pending } = this.kitchen;
    if (pending?.order.id === order.id && order.events.length > told.events.length) {
      assert.equal(order.status, pending.to);
      assert.deepEqual(order.events.slice(0, -1), told.events);
      assert.equal(order.events.at(-1).to, pending.to);
      assert.deepEqual(order.items, told.items);
    } else {
      assert.deepEqual(order, told);
    }
  }

  /* Everything acknowledged is there, exactly; each pending call is done or not, never half; sent
   * again, it is done once. Gives the number of those that had been done. */
  async verifyAndSettle() {
    const done = await Promise.all(this.workers.map((worker) => worker.verify()));
    await Promise.all(this.workers.map((worker, i) => worker.settle(done[i])));
    return done.filter(Boolean).length;
  }

  // With nothing pending: the books are the whole truth.
  async verifyAll() {
    await Promise.all(this.workers.map((worker) => worker.verify()));
    const orders = await this.kitchen.readAll('/api/admin/orders');
    assert.deepEqual(orders.map((order) => order.id).sort((a, b) => a - b),
      this.customers.flatMap((customer) => [...customer.orders.keys()]).sort((a, b) => a - b),
      'no order but those of the books');
    for (const [id, { status, amount, customer }] of this.payments) {
      const payment = await customer.read(`/api/payments/${id}`);
      assert.deepEqual([payment.status, payment.amount], [status, amount], `payment ${id}`);
    }
    await this.verifyStock(orders);
  }

  // Every unit is on the shelf, held by a payment or sold.
  async verifyStock(orders) {
    const gone = new Map(this.foodIds.map((id) => [id, 0]));
    const take = (id, quantity) => gone.set(id, gone.get(id) + quantity);
    for (const order of orders) {
      const last = order.events.at(-1);
      if (last.to === 'cancelled' && ['pending', 'confirmed'].includes(last.from)) continue;
      for (const item of order.items) take(item.food_id, item.quantity);
    }
    for (const { open } of this.customers)
      for (const [id, quantity] of Object.entries(open?.lines ?? {})) take(Number(id), quantity);
    for (const [id, { food, initial, added }] of this.foods) {
      const { stock } = await this.kitchen.read(`/api/foods/${id}`);
      const expected = initial === null ? null : initial + added - gone.get(id);
      assert.equal(stock, expected, `stock of ${food.name}`);
    }
  }
}
