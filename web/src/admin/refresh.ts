/* Keeps a page of the staff fresh: when the shop's news say that something has changed, when the
 * page is looked at again, and now and then, for there are no news of a customer who begins to pay
 * by hand. */
import { useEffect, useRef } from 'preact/hooks';
import { useFeed } from './feed';

const GATHER_MS = 1000; // a busy shop's news come in swarms
const NOW_AND_THEN_MS = 20_000;

export function useRefresh(action: () => void) {
  const latest = useRef(action);
  latest.current = action;
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const soon = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, GATHER_MS);
  };
  useFeed({ onOrder: soon, onPayment: soon, onStale: soon });
  useEffect(() => {
    const look = () => {
      if (!document.hidden)
        latest.current();
    };
    const interval = setInterval(look, NOW_AND_THEN_MS);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(interval);
      clearTimeout(timer.current);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
}
