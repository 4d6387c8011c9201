/* The shop: its name, currency and time zone. Kept in the browser, so that a page shows the right
 * money at once; the answer that follows replaces it. */
import { signal } from '@preact/signals';
import { type Shop, call } from '../api';
import { inBrowser } from './kept';

export const shop = signal<Shop | null>(inBrowser.get<Shop>('shop'));

export function setShop(next: Shop) {
  shop.value = next;
  inBrowser.set('shop', next);
}

export async function loadShop() {
  setShop(await call('get', '/api/shop'));
}
