/* The keys 1 to 9. An order keeps its number for as long as it is on the board, whichever column it
 * is in; a free number goes to the oldest order without one, but only after a while, so that a key
 * pressed twice does not move another order. */
import { effect, signal } from '@preact/signals';
import type { Order } from '../api';
import { columns } from './board_state';
import { COLUMNS } from './steps';

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

function assign(open: Order[]) {
  const had = numbers.peek();
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
  const open = COLUMNS.flatMap(({ status }) => columns.value[status]);
  assign(open.sort((a, b) => a.created_at.localeCompare(b.created_at) || a.id - b.id));
});
