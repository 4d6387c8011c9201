/* Whether a stream of news has been away for so long that somebody has to know. */
import { useEffect, useState } from 'preact/hooks';
import type { LiveState } from '../state/live';

const LOST_AFTER_MS = 2500; // one that is back before that is not worth a word

export function useLost(state: LiveState | 'over'): boolean {
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    if (state !== 'lost') {
      setLost(false);
      return undefined;
    }
    const timer = setTimeout(() => setLost(true), LOST_AFTER_MS);
    return () => clearTimeout(timer);
  }, [state]);
  return isLost;
}
