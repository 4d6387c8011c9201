/* The shop's live news for the staff's pages, by the one stream that all tabs share. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { BoardStreamEvent, Order } from '../api';
import { Live, type LiveState } from '../state/live';

export interface Feed {
  onOrder: (order: Order) => void;
  onPayment?: () => void; // a payment needs somebody, or does not any more
  onStale: () => void;    // something may have been missed: read again
}

/* Follows while the page is open; says how the stream is. */
export function useFeed(feed: Feed): LiveState {
  const [state, setState] = useState<LiveState>('connecting');
  const latest = useRef(feed);
  latest.current = feed;
  useEffect(() => {
    const live = new Live({
      url: '/api/admin/orders/events',
      events: ['status', 'payment', 'resync'],
      onEvent: (name, data) => {
        if (name === 'status')
          latest.current.onOrder((data as BoardStreamEvent).order);
        else if (name === 'payment')
          latest.current.onPayment?.();
        else
          latest.current.onStale();
      },
      onOpen: () => latest.current.onStale(),
    });
    const end = live.state.subscribe(setState);
    return () => {
      end();
      live.close();
    };
  }, []);
  return state;
}
