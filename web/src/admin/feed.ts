/* The shop's live news for the staff's pages: one stream for all that follow it, here and in the
 * other tabs. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { BoardStreamEvent, Order } from '../api';
import { Live, type LiveState } from '../state/live';

export interface Feed {
  onOrder: (order: Order) => void;
  onPayment?: () => void; // a payment needs somebody, or does not any more
  onStale: () => void;    // something may have been missed: read again
}

const feeds = new Set<{ current: Feed }>();
let live: Live | null = null;

function tellAll(tell: (feed: Feed) => void) {
  for (const { current } of [...feeds])
    tell(current);
}

function open(): Live {
  return new Live({
    url: '/api/admin/orders/events',
    events: ['status', 'payment', 'resync'],
    onEvent: (name, data) => tellAll((feed) => {
      if (name === 'status')
        feed.onOrder((data as BoardStreamEvent).order);
      else if (name === 'payment')
        feed.onPayment?.();
      else
        feed.onStale();
    }),
    onOpen: () => tellAll((feed) => feed.onStale()),
  });
}

/* The stream is closed when nobody follows it any more. */
function leave(feed: { current: Feed }) {
  feeds.delete(feed);
  if (feeds.size)
    return;
  live?.close();
  live = null;
}

/* Follows while the page is open; says how the stream is. */
export function useFeed(feed: Feed): LiveState {
  const [state, setState] = useState<LiveState>('connecting');
  const latest = useRef(feed);
  latest.current = feed;
  useEffect(() => {
    feeds.add(latest);
    live ??= open();
    if (live.state.peek() === 'live')
      latest.current.onStale(); // news may have come between the page's first reading and now
    const end = live.state.subscribe(setState);
    return () => {
      end();
      leave(latest);
    };
  }, []);
  return state;
}
