/* What is wrong with a line of the cart, in the same words wherever a cart is shown. */
import type { CartLine } from './api';
import { foodById } from './state/menu';

/* How many of a line that asks for too many can still be had. */
export function leftOf({ food_id: id, problem, quantity }: CartLine): number {
  const stock = problem === 'out_of_stock' ? foodById.value.get(id)?.stock ?? 0 : 0;
  return Math.min(stock, quantity - 1);
}

export function stockWords(left: number): string {
  return left > 0 ? `Only ${left} left` : 'Sold out';
}

export function problemWords(line: CartLine): string {
  return line.problem === 'unavailable' ? 'Not available now' : stockWords(leftOf(line));
}
