/* The open orders on the board. They are read when the stream opens and changed by what it says; of
 * two states of an order the newer one stays, whichever way and in whichever order they came. */
import { computed, signal } from '@preact/signals';
import { CallError, type Order, type OrderStatus, call } from '../api';
import { isFinal, STATUS } from '../parts/status';
import { inBrowser } from '../state/kept';
import { me } from '../state/session';
import { listen, tell } from '../state/tabs';
import { toast } from '../state/toast';
import { explain } from '../words';
import { COLUMNS, type OpenStatus } from './steps';

const PAGE = 100;
const RETRY_MS = 5000;
const SEEN_MAX = 500;

export const orders = signal<ReadonlyMap<number, Order>>(new Map());
export const isLoaded = signal(false);
export const problem = signal<unknown>(null); // why the last reading failed

/* Steps that were asked for and not answered yet: shown as if they were done. */
export const moves = signal<ReadonlyMap<number, OrderStatus>>(new Map());

const gone = new Map<number, number>();    // the versions in which orders left the board
const touched = new Map<number, number>(); // when an order was last heard of, by the count below
let turn = 0;

export function put(...news: Order[]) {
  const next = new Map(orders.peek());
  for (const order of news) {
    touched.set(order.id, ++turn);
    if (order.version < (next.get(order.id)?.version ?? gone.get(order.id) ?? 0))
      continue;
    if (isFinal(order.status)) {
      gone.set(order.id, order.version);
      next.delete(order.id);
    } else {
      next.set(order.id, order);
    }
  }
  orders.value = next;
}

/* Column by column in the way of the orders: one that moves on meanwhile is met again, never
 * missed. */
async function readAll() {
  const began = ++turn;
  const found: Order[] = [];
  for (const { status } of COLUMNS) {
    let cursor: string | undefined;
    do {
      const query = { status, cursor, limit: PAGE };
      const page = await call('get', '/api/admin/orders', { query });
      found.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
  }
  put(...found);
  // What was neither read nor heard of since then was finished while nobody listened.
  orders.value = new Map([...orders.peek()].filter(([id]) => touched.get(id)! > began));
}

let isWatched = false;
let isReading = false;
let again = false;
let retry: ReturnType<typeof setTimeout> | undefined;

export async function load() {
  clearTimeout(retry);
  again = true;
  if (isReading)
    return;
  isReading = true;
  try {
    while (again) {
      again = false;
      await readAll();
    }
    isLoaded.value = true;
    problem.value = null;
  } catch (error) {
    problem.value = error;
    if (isWatched && (!(error instanceof CallError) || error.status !== 401))
      retry = setTimeout(load, RETRY_MS);
  }
  isReading = false;
}

/* Reads for as long as the board is looked at, also after a failure; returns how to end that. */
export function keepLoaded(): () => void {
  isWatched = true;
  void load();
  return () => {
    isWatched = false;
    clearTimeout(retry);
  };
}

/* ---- What the columns show ---- */

const byAge = (a: Order, b: Order) =>
  Date.parse(a.created_at) - Date.parse(b.created_at) || a.id - b.id;

export const columns = computed(() => {
  const found = Object.fromEntries(COLUMNS.map(({ status }) => [status, [] as Order[]])) as
    Record<OpenStatus, Order[]>;
  for (const order of orders.value.values()) {
    const status = moves.value.get(order.id) ?? order.status;
    if (!isFinal(status))
      found[status as OpenStatus].push(order);
  }
  for (const { status } of COLUMNS)
    found[status].sort(byAge);
  return found;
});

/* ---- Orders that nobody has touched yet ---- */

const seen = signal<ReadonlySet<number>>(new Set(inBrowser.get<number[]>('board.seen', Array.isArray) ?? []));

/* New ones that ring. */
export const untouched = computed<ReadonlySet<number>>(() => new Set(
  columns.value.pending.filter((order) => !seen.value.has(order.id)).map((order) => order.id)));

export function touch(...ids: number[]) {
  const news = ids.filter((id) => !seen.peek().has(id));
  if (!news.length)
    return;
  const all = [...seen.peek(), ...news].slice(-SEEN_MAX);
  seen.value = new Set(all);
  inBrowser.set('board.seen', all);
  tell('board.seen', news);
}

listen('board.seen', (ids) => { seen.value = new Set([...seen.peek(), ...(ids as number[])]); });

/* ---- Moving on ---- */

function setMove(id: number, to: OrderStatus | null) {
  const next = new Map(moves.peek());
  if (to)
    next.set(id, to);
  else
    next.delete(id);
  moves.value = next;
}

/* Somebody was faster: show how it is, and say so without alarm. */
async function showPresent(id: number) {
  const now = await call('get', '/api/orders/{id}', { id });
  put(now);
  toast(`Somebody else was faster: order ${id} is now “${STATUS[now.status].word}”.`);
}

function isConflict(error: unknown): boolean {
  return error instanceof CallError && error.status === 409
    && (error.code === 'illegal_transition' || error.code === 'version_conflict');
}

/* Asks for a step and shows the order as it then is; null: it was not done, which has been told. */
export async function move(order: Order, to: OrderStatus, note?: string): Promise<Order | null> {
  if (moves.peek().has(order.id))
    return null;
  touch(order.id);
  setMove(order.id, to);
  try {
    const now = await call('put', '/api/orders/{id}/status', {
      id: order.id, body: { status: to, version: order.version, ...(note ? { note } : {}) },
    });
    put(now);
    return now;
  } catch (error) {
    const failure = isConflict(error) ? await showPresent(order.id).catch((other) => other) : error;
    if (failure)
      toast(`Order ${order.id}: ${explain(failure)}`, { kind: 'bad' });
    return null;
  } finally {
    setMove(order.id, null);
  }
}

/* The next one who logs in at this browser begins anew. */
me.subscribe((user) => {
  if (user !== null)
    return;
  orders.value = new Map();
  isLoaded.value = false;
});
