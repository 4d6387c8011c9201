/* The shop: its name, currency and time zone. Kept in the browser, so that a page shows the right
 * money at once; the answer that follows replaces it. */
import { signal } from '@preact/signals';
import { type Shop, call } from '../api';
import { hasShape, inBrowser } from './kept';

const isText = hasShape({ name: 'string', currency: 'string', timezone: 'string', payment_instructions: 'string' });

function isShop(kept: unknown): boolean {
  const { currency, currency_exponent: exponent } = (kept ?? {}) as Partial<Shop>;
  return isText(kept) && /^[A-Z]{3}$/.test(currency!) && [0, 1, 2, 3, 4].includes(exponent!);
}

export const shop = signal<Shop | null>(inBrowser.get<Shop>('shop', isShop));

export function setShop(next: Shop) {
  shop.value = next;
  inBrowser.set('shop', next);
}

export async function loadShop() {
  setShop(await call('get', '/api/shop'));
}
