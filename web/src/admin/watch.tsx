/* On whichever of the staff's pages somebody is: the open orders are followed, and new ones ring
 * and are counted. Who takes a dish off the menu hears of the next order, too. */
import { useEffect } from 'preact/hooks';
import { newOrders } from '../state/new_orders';
import { bell, ring, wakeAtTouch } from './bell';
import { columns, keepLoaded, load, put, untouched } from './board_state';
import { useFeed } from './feed';

export function Watch() {
  useFeed({ onOrder: put, onStale: () => void load() });
  useEffect(keepLoaded, []);

  const n = columns.value.pending.length;
  useEffect(() => { newOrders.value = n; }, [n]);
  useEffect(() => () => { newOrders.value = 0; }, []);

  const rings = untouched.value.size > 0 && bell.value === 'on';
  useEffect(wakeAtTouch, []);
  useEffect(() => (rings ? ring() : undefined), [rings]);
  return null;
}
