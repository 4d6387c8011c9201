/* The keys 1 to 9. An order keeps its number while it goes through the kitchen, whichever column it
 * is in; one that is out on the road gives it up when another needs it. A free number goes to the
 * oldest order without one, but only after a while, so that a key pressed twice does not move
 * another order. */
import { effect, signal } from '@preact/signals';
import type { Order } from '../api';
import { columns } from './board_state';

const LAST = 9;
const REST_MS = 3000;

export const numbers = signal<ReadonlyMap<number, number>>(new Map()); // by order
const resting = new Map<number, ReturnType<typeof setTimeout>>();
const again = signal(0);

function free(number: number) {
  resting.set(number, setTimeout(() => {
    resting.delete(number);
    again.value++;
  }, REST_MS));
}

const byAge = (a: Order, b: Order) => a.created_at.localeCompare(b.created_at) || a.id - b.id;

/* So many of the oldest orders on the road as the kitchen lacks numbers. */
function outOfReach(kitchen: Order[], out: Order[]): Set<number> {
  const had = numbers.peek();
  const wanted = kitchen.filter(({ id }) => !had.has(id)).length;
  const holders = out.filter(({ id }) => had.has(id));
  const used = kitchen.length - wanted + holders.length;
  const short = wanted - (LAST - used); // those that rest come back soon
  return new Set(holders.slice(0, Math.max(0, short)).map(({ id }) => id));
}

function assign(kitchen: Order[], out: Order[]) {
  const had = numbers.peek();
  const leaves = outOfReach(kitchen, out);
  const open = [...kitchen, ...out].filter(({ id }) => !leaves.has(id));
  const isOpen = new Set(open.map((order) => order.id));
  const next = new Map([...had].filter(([id]) => isOpen.has(id)));
  for (const [id, number] of had)
    if (!isOpen.has(id))
      free(number);
  const used = new Set(next.values());
  const unused = Array.from({ length: LAST }, (_, i) => i + 1)
    .filter((number) => !used.has(number) && !resting.has(number));
  for (const order of open.filter((each) => !next.has(each.id)).slice(0, unused.length))
    next.set(order.id, unused.shift()!);
  if (next.size !== had.size || [...next].some(([id, number]) => had.get(id) !== number))
    numbers.value = next;
}

effect(() => {
  void again.value;
  const { out_for_delivery: out, ...inside } = columns.value;
  assign(Object.values(inside).flat().sort(byAge), out);
});
