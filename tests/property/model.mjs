// What a shop is, said a second time and without a database: stock, carts, payments, orders and
// the lifecycle, as the API promises them. A method is a call; it changes the model and gives the
// answer that is due: {status, code, payment, order}. Nothing here does I/O or is left to chance.
const MINUTE = 1;
const HOUR = 60 * MINUTE;
const HOLD = 15 * MINUTE;
const UNPAID_MAX = 20; // payments of an hour that ended unpaid, and not by the provider's refusal
const OPEN = ['creating', 'pending'];
const LINE_MAX = 99;

const STEPS = {
  pending: ['confirmed', 'cancelled'],
  confirmed: ['preparing', 'cancelled'],
  preparing: ['ready', 'cancelled'],
  ready: { pickup: ['completed', 'cancelled'], delivery: ['out_for_delivery', 'cancelled'] },
  out_for_delivery: ['completed', 'cancelled'],
  completed: [],
  cancelled: [],
};
const RETURNS_STOCK = ['pending', 'confirmed'];

export const isOpen = (payment) => OPEN.includes(payment.status);
const no = (status, code) => ({ status, code });
const ok = (more) => ({ status: 200, ...more });

export class Model {
  now = 0;
  edits = 0; // counts the edits of carts: a line that was edited since is not the one that was paid
  payments = [];
  orders = [];

  /* foods: [{price, stock}]; remote: payments are made by a provider that has to be asked. */
  constructor({ foods, customers, remote = false }) {
    this.remote = remote;
    this.foods = foods.map((food) => ({ available: true, archived: false, ...food }));
    this.carts = Array.from({ length: customers }, () => []);
  }

  clone() {
    return Object.assign(Object.create(Model.prototype), structuredClone({ ...this }));
  }

  /* ---- What is true at a moment ---- */

  open(by) {
    return this.payments.find((payment) => payment.by === by && isOpen(payment));
  }

  total(by) {
    return this.carts[by].reduce(
      (sum, { food, quantity }) => sum + quantity * this.foods[food].price, 0);
  }

  // What a customer says it costs: nothing, the right sum, a wrong one, or what he was told before.
  expectedTotal({ by, expected }) {
    const total = this.total(by);
    return { right: total, wrong: total + 1, frozen: this.open(by)?.amount }[expected];
  }

  // The payment that its provider would be asked for.
  asks({ do: what, by, payment }) {
    return what === 'collect' ? this.payments[payment] : this.open(by);
  }

  // A customer's own hold does not count against him.
  problem(line, held = []) {
    const food = this.foods[line.food];
    if (food.archived || !food.available) return 'unavailable';
    const own = held.find((other) => other.food === line.food && other.taken)?.quantity ?? 0;
    return food.stock !== null && line.quantity > food.stock + own ? 'out_of_stock' : null;
  }

  /* ---- Stock ---- */

  take(lines) {
    for (const line of lines) {
      const food = this.foods[line.food];
      line.taken = food.stock !== null;
      if (line.taken) food.stock -= line.quantity;
    }
  }

  giveBack(lines) {
    for (const { food, quantity, taken } of lines)
      if (taken && this.foods[food].stock !== null) this.foods[food].stock += quantity;
  }

  /* ---- The kitchen and the menu ---- */

  food({ food, ...members }) {
    if (this.foods[food].archived) return no(404, 'food_not_found');
    Object.assign(this.foods[food], members);
    return ok();
  }

  restock({ food: i, add }) {
    const food = this.foods[i];
    if (food.archived) return no(404, 'food_not_found');
    if (food.stock === null) return no(409, 'stock_not_counted');
    if (food.stock + add < 0) return no(422, 'out_of_range');
    food.stock += add;
    return ok();
  }

  archive({ food }) {
    if (this.foods[food].archived) return no(404, 'food_not_found');
    this.foods[food].archived = true;
    return { status: 204 };
  }

  steps(order) {
    return STEPS[order.status][order.fulfilment] ?? STEPS[order.status];
  }

  move({ order: i, to, byCustomer }) {
    const order = this.orders[i];
    if (byCustomer) return no(403, 'forbidden');
    if (!this.steps(order).includes(to)) return no(409, 'illegal_transition');
    if (to === 'cancelled' && RETURNS_STOCK.includes(order.status)) this.giveBack(order.lines);
    order.events.push([order.status, to, 'admin']);
    order.status = to;
    return ok({ order });
  }

  /* ---- The cart ---- */

  add({ by, food, quantity }) {
    if (this.foods[food].archived) return no(404, 'food_not_found');
    const line = this.carts[by].find((other) => other.food === food);
    return this.put(by, food, (line?.quantity ?? 0) + quantity);
  }

  set({ by, food, quantity }) {
    const line = this.carts[by].find((other) => other.food === food);
    if (this.foods[food].archived && !line) return no(404, 'food_not_found');
    if (quantity === 0) return this.remove({ by, food });
    return line?.quantity === quantity ? ok() : this.put(by, food, quantity);
  }

  put(by, food, quantity) {
    if (quantity > LINE_MAX) return no(422, 'out_of_range');
    const problem = this.problem({ food, quantity }, this.open(by)?.lines);
    if (problem) return no(409, problem === 'unavailable' ? 'food_unavailable' : problem);
    this.remove({ by, food });
    this.carts[by].push({ food, quantity, edit: ++this.edits });
    this.carts[by].sort((a, b) => a.food - b.food);
    return ok();
  }

  remove({ by, food }) {
    this.carts[by] = this.carts[by].filter((line) => line.food !== food);
    return ok();
  }

  clear({ by }) {
    this.carts[by] = [];
    return ok();
  }

  /* ---- Payment, then order ---- */

  /* `said` is what the customer says it costs, or nothing. `create` is what a remote provider does
   * when it is asked. */
  place({ by, way, said, create }) {
    const cart = this.carts[by];
    const open = this.open(by);
    const total = this.total(by);
    const words = (lines) => lines.map(({ food, quantity }) => `${quantity} of ${food}`).join();

    if (open?.way === way && words(open.lines) === words(cart) &&
        [undefined, open.amount].includes(said)) {
      open.lines.forEach((line, i) => { line.edit = cart[i].edit; });
      return this.ask(open, create);
    }
    if (cart.length === 0) return no(409, 'cart_empty');
    // What a remote provider may still be paid for is not there for the next payment.
    const problems = cart.map((line) => this.problem(line, this.remote ? [] : open?.lines));
    const first = problems.find(Boolean);
    if (first) return no(409, first === 'unavailable' ? 'food_unavailable' : first);
    if (said !== undefined && said !== total) return no(409, 'price_changed');
    if (total > 0 && this.unpaid(by) >= UNPAID_MAX) return no(429, 'too_many_payments');

    if (open) this.end(open, 'cancelled');
    const lines = cart.map((line) => ({ ...line, price: this.foods[line.food].price }));
    this.take(lines);
    if (total === 0) {
      this.carts[by] = [];
      return { status: 201, order: this.makeOrder({ by, way, lines, amount: 0 }, 'customer') };
    }
    const payment = { by, way, lines, amount: total, status: this.remote ? 'creating' : 'pending',
      createdAt: this.now };
    this.payments.push(payment);
    return this.ask(payment, create);
  }

  unpaid(by) {
    return this.payments.filter((payment) => payment.by === by && !payment.refused &&
      !isOpen(payment) && payment.status !== 'paid' && payment.createdAt > this.now - HOUR).length;
  }

  collect({ by, payment: i, create }) {
    const payment = this.payments[i];
    return payment.by === by ? this.ask(payment, create) : no(404, 'not_found');
  }

  // The answer for a payment; one that its provider has not made yet is asked for once more.
  ask(payment, create = 'answer') {
    if (payment.status === 'creating') {
      if (create === 'down' || create === 'lost') return no(503, 'provider_unavailable');
      if (create === 'answer') payment.status = 'pending';
      if (create === 'paid') this.pay(payment, 'system');
      if (create === 'refuse') this.release(Object.assign(payment, { refused: true }), 'failed');
    }
    const status = payment.endsAs ?? payment.status;
    if (isOpen(payment)) return { status: 402, code: 'payment_required', payment };
    if (status === 'paid') return ok({ order: this.orderOf(payment) });
    return { status: status === 'expired' ? 410 : 409, code: `payment_${status}`, payment };
  }

  giveUp({ by, payment: i }) {
    const payment = this.payments[i];
    if (payment.by !== by) return no(404, 'not_found');
    if (!isOpen(payment)) return no(409, 'payment_not_open');
    this.end(payment, 'cancelled');
    return { status: 204 };
  }

  // A remote provider has to confirm first that nobody can pay it any more.
  end(payment, status) {
    if (this.remote) Object.assign(payment, { status: 'cancelling', endsAs: status });
    else this.release(payment, status);
  }

  release(payment, status) {
    Object.assign(payment, { status, endsAs: undefined });
    this.giveBack(payment.lines);
  }

  /* ---- News of a payment ---- */

  simulate({ payment: i, outcome }) {
    const payment = this.payments[i];
    const again = payment.outcome === outcome;
    if (['paid', 'failed'].includes(payment.status)) {
      if (!again && payment.status !== outcome) return no(409, 'payment_conflict');
    } else if (!again) {
      payment.outcome = outcome;
      if (outcome === 'paid') this.pay(payment, 'system');
      else this.fail(payment);
    }
    return ok({ payment });
  }

  received({ payment: i }) {
    if (this.remote) return no(409, 'payment_conflict');
    this.pay(this.payments[i], 'admin');
    return ok({ payment: this.payments[i] });
  }

  fail(payment) {
    if (isOpen(payment)) this.release(payment, 'failed');
    else if (payment.status === 'cancelling') this.release(payment, payment.endsAs);
  }

  // Money that cannot become an order is flagged, and its payment stays what it is.
  pay(payment, actor) {
    if (['expired', 'failed'].includes(payment.status)) {
      if (this.open(payment.by) || payment.lines.some((line) => this.problem(line))) return;
      this.take(payment.lines);
    } else if (['paid', 'cancelled'].includes(payment.status)) {
      return;
    }
    Object.assign(payment, { status: 'paid', endsAs: undefined });
    const bought = (line) => payment.lines.some(
      (other) => other.food === line.food && other.edit === line.edit);
    this.carts[payment.by] = this.carts[payment.by].filter((line) => !bought(line));
    this.makeOrder(payment, actor);
  }

  makeOrder({ by, way, lines, amount }, actor) {
    const order = { by, way, fulfilment: way.split(' ')[0], lines: structuredClone(lines), amount,
      status: 'pending', paidBy: this.payments.findIndex((other) => other.lines === lines),
      events: [[null, 'pending', actor]] };
    this.orders.push(order);
    return order;
  }

  orderOf(payment) {
    return this.orders.find((order) => this.payments[order.paidBy] === payment);
  }

  /* ---- Time ---- */

  wait({ minutes }) {
    this.now += minutes;
    for (const payment of this.payments)
      if (isOpen(payment) && this.now - payment.createdAt >= HOLD) this.end(payment, 'expired');
    return {};
  }
}
