/* One order, followed live until it is over. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Order, type OrderStreamEvent, call } from '../api';
import { type Loaded, useLoad } from '../parts/load';
import { isFinal } from '../parts/status';
import { Live, type LiveState } from './live';

const CHECK_MS = 60_000; // a stream may have died without a word

/* The order with an event that the stream told; null: it was known. */
function withEvent(order: Order, { order_id, status, ...event }: OrderStreamEvent): Order | null {
  if (order_id !== order.id || order.events.some((known) => known.id === event.id))
    return null;
  const events = [...order.events, event].sort((a, b) => a.id - b.id);
  return { ...order, status: events.at(-1)?.to ?? status, updated_at: event.at, events };
}

/* Whether more has happened than the stream has told. */
async function isBehind(shown: Order | null): Promise<boolean> {
  if (document.hidden || !shown)
    return false;
  const { events } = await call('get', '/api/orders/{id}', { id: shown.id });
  return events.length > shown.events.length;
}

export interface Followed {
  from: Loaded<Order>;
  state: LiveState | 'over';
}

export function useFollowedOrder(id: number): Followed {
  const from = useLoad(() => call('get', '/api/orders/{id}', { id }), [id]);
  const [state, setState] = useState<LiveState>('connecting');
  const latest = useRef(from);
  latest.current = from;
  const isOver = from.data !== null && isFinal(from.data.status);
  const isThere = from.data !== null;
  useEffect(() => {
    if (!isThere || isOver)
      return undefined;
    const live = new Live({
      url: `/api/orders/${id}/events`,
      events: ['status'],
      onOpen: () => void latest.current.reload(),
      onEvent: (_, data) => {
        const { data: order, set, reload } = latest.current;
        const next = order && withEvent(order, data as OrderStreamEvent);
        if (!next)
          return;
        set(next);
        latest.current = { ...latest.current, data: next };
        void reload(); // its version and its payment may have changed too
      },
    });
    const end = live.state.subscribe(setState);
    const check = setInterval(() => void isBehind(latest.current.data).then((isDead) => {
      if (isDead)
        live.renew();
    }, () => {}), CHECK_MS);
    return () => {
      clearInterval(check);
      end();
      live.close();
    };
  }, [id, isThere, isOver]);
  return { from, state: isOver ? 'over' : state };
}
