// A shop to run random sequences of calls on, and to read as a whole afterwards. All begin with the
// same data, made once and copied: signing up is slow by design.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Caller, Lost, Shop } from '../faults/shop.mjs';
import { copyShop } from '../lib/database.mjs';
import { addFood, logInAdmin, signUp } from '../lib/shop.mjs';

const CONFIRM_MS = 30000; // generous: the reconciler looks every second
const PAGE = 100;
const MINUTE_MS = 60000;

// A way to get the food: its first word is the fulfilment.
export const WAYS = {
  pickup: {},
  'pickup bagged': { note: 'in a bag' },
  'pickup 1': { note: '1' },
  'pickup 2': { note: '2' },
  'delivery home': { address: '12 Marina' },
};

/* A folder with the data of a shop: an admin, customers and foods; gives {shop, admin, customers
 * (tokens), foods (ids)}. */
export async function makeTemplate({ foods, customers }) {
  const shop = new Shop({ mail: 'log' });
  await shop.start();
  await shop.makeAdmin();
  const admin = await logInAdmin(shop);
  const made = [];
  for (const [i, food] of foods.entries())
    made.push((await addFood(admin, { name: `Food ${i}`, ...food })).id);
  const people = await Promise.all(Array.from({ length: customers }, () => signUp(shop)));
  await shop.end();
  return { shop, admin: admin.token, customers: people.map(({ token }) => token),
    foods: made };
}

export class RandomShop {
  constructor(template, provider) {
    this.template = template;
    this.provider = provider;
    this.dir = mkdtempSync(join(tmpdir(), 'servery-property-'));
    copyShop(template.shop.dir, this.dir);
    this.shop = new Shop({ dir: this.dir, clock: true,
      settings: provider ? { test_provider_url: provider.url } : {} });
    this.callers = new Map();
    this.orderIds = [];
    if (provider) provider.decide = (kind, key) => this.#decide(kind, key);
  }

  async start() {
    this.callsBefore = this.provider?.calls.length;
    await this.shop.start();
    return this;
  }

  async remove() {
    this.#hangUp();
    await this.shop.remove();
  }

  #hangUp() {
    for (const caller of this.callers.values()) caller.close();
    this.callers.clear();
  }

  /* ---- Calls ---- */

  // Each person has a connection for each lane.
  #call(by, lane, method, path, body) {
    const name = `${by}/${lane}`;
    if (!this.callers.has(name)) this.callers.set(name, new Caller(this.shop.port));
    const token = by === 'admin' ? this.template.admin : this.template.customers[by];
    return this.callers.get(name).call(method, path, { token, body });
  }

  #request(op, model) {
    const { by, quantity } = op;
    const food = this.template.foods[op.food];
    const payment = model.payments[op.payment];
    const order = model.orders[op.order];
    switch (op.do) {
      case 'food': {
        const [[name, value]] = Object.entries(op).filter(([key]) =>
          ['price', 'available', 'stock'].includes(key));
        const path = { price: 'price', available: 'availability', stock: 'stock' }[name];
        return ['admin', 'PUT', `/api/foods/${food}/${path}`, { [name]: value }];
      }
      case 'restock': return ['admin', 'PUT', `/api/foods/${food}/stock`, { add: op.add }];
      case 'archive': return ['admin', 'DELETE', `/api/foods/${food}`];
      case 'move': return [op.byCustomer ? order.by : 'admin', 'PUT',
        `/api/orders/${order.id}/status`, { status: op.to }];
      case 'add': return [by, 'POST', '/api/cart/items', { food_id: food, quantity }];
      case 'set': return [by, 'PUT', `/api/cart/items/${food}`, { quantity }];
      case 'remove': return [by, 'DELETE', `/api/cart/items/${food}`];
      case 'clear': return [by, 'DELETE', '/api/cart'];
      case 'place': return [by, 'POST', '/api/orders', { fulfilment: op.way.split(' ')[0],
        ...WAYS[op.way], expected_total: op.said }];
      case 'collect': return [by, 'POST', '/api/orders', { payment_id: payment.id }];
      case 'giveUp': return [by, 'DELETE', `/api/payments/${payment.id}`];
      case 'simulate': return [payment.by, 'POST', `/api/payments/${payment.id}/simulate`,
        { outcome: op.outcome }];
      case 'received': return ['admin', 'POST', `/api/admin/payments/${payment.id}/received`];
      default: throw new Error(op.do);
    }
  }

  // Sends what the op says, `times` times at once; gives the answers, null for one that was lost.
  async send(op, model, lane = 0) {
    const request = this.#request(op, model);
    this.asking = op.create ?? 'answer';
    this.asked = model.payments.filter((payment) => payment.status === 'creating')
      .map(({ id }) => id).filter((id) => id !== model.asks(op)?.id);
    const answers = await Promise.all(Array.from({ length: op.times ?? 1 }, async (_, i) => {
      try {
        return await this.#call(request[0], `${lane}.${i}`, ...request.slice(1));
      } catch (error) {
        if (error instanceof Lost) return null;
        throw error;
      }
    }));
    this.asking = undefined;
    return answers;
  }

  /* What has expired is released by the next that meets it, here the customer who asks; nobody
   * waits for the sweeper. */
  async settle(model) {
    for (const payment of model.payments) {
      if (payment.status !== 'expired' || payment.settled) continue;
      const { status, body } = await this.#call(payment.by, 0, 'POST', '/api/orders',
        { payment_id: payment.id });
      assert.deepEqual([status, body.code], [410, 'payment_expired']);
      payment.settled = true;
    }
  }

  /* ---- The provider ---- */

  /* It answers what the op says to the call that the op makes, and to nobody else. */
  #decide(kind, key) {
    const id = Number(key.split('-')[1]);
    if (kind === 'cancel' && id === this.confirming) return 'answer';
    if (kind !== 'create' || this.asked.includes(id)) return 'down';
    return this.asking ?? 'down';
  }

  #calls(id) {
    return this.provider.calls.slice(this.callsBefore).filter(({ kind, key }) =>
      kind === 'create' && key.startsWith(`servery-${id}-`));
  }

  // After a step of the clock: the reconciler has asked for what is being made, in vain.
  async #reconciled(model, change) {
    const creating = model.payments.filter(({ status }) => status === 'creating');
    const before = creating.map(({ id }) => this.#calls(id).length);
    change();
    for (const [i, { id, status }] of creating.entries()) {
      if (status !== 'creating') continue;
      await this.provider.waitFor(() => this.#calls(id).length > before[i], `${id} asked for`);
      const lines = () => this.shop.log.filter(({ event, payment_id: of }) =>
        event === 'provider_unavailable' && of === id).length;
      const failed = () => this.#calls(id).filter(({ mode }) => mode !== 'answer').length;
      await this.shop.waitFor(() => lines() >= failed(), CONFIRM_MS, `${id} asked for`);
    }
  }

  async wait(model, minutes) {
    await this.#reconciled(model, () => {
      model.wait({ minutes });
      this.shop.clock.advance(minutes * MINUTE_MS);
    });
  }

  // The provider confirms that a payment can no longer be paid.
  async confirm(model, payment) {
    const { id, endsAs } = payment;
    this.confirming = id;
    await this.wait(model, 1);
    await this.shop.waitFor(() => this.shop.log.find(({ event, status, payment_id: of }) =>
      event === 'payment_reconciled' && of === id && status === endsAs), CONFIRM_MS, endsAs);
    this.confirming = undefined;
    model.fail(payment);
  }

  /* ---- The end of the server ---- */

  /* Kills it `ms` after the op was sent, and starts it again; gives the op's answers. */
  async crash(op, model, ms) {
    const answers = op ? this.send(op, model) : [];
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.shop.kill();
    const came = await answers;
    this.#hangUp();
    await this.start();
    return came;
  }

  /* ---- Reading ---- */

  // All that can be seen: {foods, carts, orders} and, by their ids, payments.
  async read() {
    const customers = this.template.customers.map((_, by) => by);
    const get = async (by, path) => (await this.#call(by, 0, 'GET', path)).body;
    const [foods, carts, orders] = await Promise.all([
      Promise.all(this.template.foods.map((id) => get('admin', `/api/foods/${id}`))),
      Promise.all(customers.map((by) => get(by, '/api/cart'))),
      Promise.all(customers.map((by) => get(by, `/api/orders?limit=${PAGE}`))),
    ]);
    return { foods, carts, orders: orders.map(({ items }) => items.reverse()) };
  }

  payment(by, id) {
    return this.#call(by, 0, 'GET', `/api/payments/${id}`);
  }

  #idsIn({ carts, orders }) {
    return new Set([
      ...carts.map(({ pending_payment: pending }) => pending?.id),
      ...orders.flat().map(({ payment }) => payment?.id),
      ...(this.provider ? [...this.provider.payments.keys()].map((key) =>
        Number(key.split('-')[1])) : []),
    ].filter(Boolean));
  }

  /* Throws unless what was read is what the model says. Ids that no answer told are learned. */
  async compare(model, read) {
    const known = model.payments.map(({ id }) => id);
    const strange = [...this.#idsIn(read)].filter((id) => !known.includes(id));
    const nameless = model.payments.filter(({ id }) => id === undefined);
    assert.equal(strange.length, nameless.length, `payments ${strange} of nobody`);
    if (nameless.length > 0) [nameless[0].id] = strange;

    read.orders.forEach((orders, by) => model.orders.filter((order) => order.by === by)
      .forEach((order, i) => { order.id ??= orders[i]?.id; }));
    const payments = await Promise.all(model.payments.map(({ by, id }) => this.payment(by, id)));
    assert.deepEqual(this.#seen(read, payments, model), modelled(model));
  }

  #seen({ foods, carts, orders }, payments, model) {
    const number = (id) => this.template.foods.indexOf(id);
    const loose = looseUnits(model);
    return {
      foods: foods.map(({ code, price, available, stock }, i) => {
        if (code === 'food_not_found') return null;
        const due = model.foods[i].stock;
        const near = stock !== null && due !== null && stock <= due && stock >= due - loose[i];
        return { price, available, stock: near ? due : stock };
      }),
      carts: carts.map((cart, by) => ({
        lines: cart.items.map(({ food_id: id, quantity, unit_price: price, problem }) => ({
          food: number(id), quantity, price,
          problem: problem === 'out_of_stock' && loose[number(id)] > 0
            ? dueProblem(model, by, number(id)) : problem,
        })),
        total: cart.total,
        open: cart.pending_payment?.id ?? null,
      })),
      payments: payments.map(({ status, body }) => ({ id: body.id ?? status, status: body.status,
        amount: body.amount, order: body.order_id })),
      orders: orders.map((list) => list.map((order) => ({
        id: order.id, status: order.status, total: order.total, fulfilment: order.fulfilment,
        note: order.note, address: order.address,
        lines: order.items.map(({ food_id: id, quantity, unit_price: price }) =>
          [number(id), quantity, price]),
        payment: order.payment,
        events: order.events.map(({ from, to, actor }) => [from, to, actor]),
      }))),
    };
  }
}

// Units of each food that expired payments may still hold, until somebody meets them.
function looseUnits(model) {
  const loose = model.foods.map(() => 0);
  for (const { status, settled, lines } of model.payments)
    if (status === 'expired' && !settled)
      for (const { food, quantity, taken } of lines) if (taken) loose[food] += quantity;
  return loose;
}

function dueProblem(model, by, food) {
  const line = model.carts[by].find((other) => other.food === food);
  return line ? model.problem(line, model.open(by)?.lines) : null;
}

// What the model says, in the words of #seen.
function modelled(model) {
  return {
    foods: model.foods.map(({ price, available, stock, archived }) =>
      (archived ? null : { price, available, stock })),
    carts: model.carts.map((lines, by) => ({
      lines: lines.map(({ food, quantity }) => ({ food, quantity, price: model.foods[food].price,
        problem: dueProblem(model, by, food) })),
      total: model.total(by),
      open: model.open(by)?.id ?? null,
    })),
    payments: model.payments.map((payment) => ({ id: payment.id, status: payment.status,
      amount: payment.amount, order: model.orderOf(payment)?.id ?? null })),
    orders: model.carts.map((_, by) => model.orders.filter((order) => order.by === by)
      .map((order) => ({
        id: order.id, status: order.status, total: order.amount, fulfilment: order.fulfilment,
        note: WAYS[order.way].note ?? null, address: WAYS[order.way].address ?? null,
        lines: order.lines.map(({ food, quantity, price }) => [food, quantity, price]),
        payment: order.paidBy < 0 ? null : { id: model.payments[order.paidBy].id,
          status: model.payments[order.paidBy].status, amount: order.amount },
        events: order.events,
      }))),
  };
}
