/* The prices that the customer saw last, of the dishes in the cart: when one differs now, the cart
 * says so. */
import type { CartLine } from '../api';
import { hasShape, inBrowser } from './kept';

type Prices = Record<string, number>;

export function seenPrices(): Prices {
  const kept = Object.entries(inBrowser.get<Prices>('prices', hasShape({})) ?? {});
  return Object.fromEntries(kept.filter(([, price]) => Number.isSafeInteger(price)));
}

export function setSeenPrices(lines: CartLine[]) {
  inBrowser.set('prices', Object.fromEntries(lines.map((line) => [line.food_id, line.unit_price])));
}
