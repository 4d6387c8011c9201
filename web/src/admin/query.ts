/* What a page shows, kept in its address: going back, a bookmark and a link to a colleague find
 * it. */
import { useLocation } from 'preact-iso/router';
import { useCallback, useRef } from 'preact/hooks';

export type Query = Record<string, string | undefined>;

/* The query, and how to change some of it; what is empty leaves the address. */
export function useQuery(): [Query, (change: Query) => void] {
  const { path, query, route } = useLocation();
  const latest = useRef({ path, query });
  latest.current = { path, query };
  const change = useCallback((wanted: Query) => {
    const now = latest.current;
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...now.query, ...wanted }))
      if (value)
        words.set(name, value);
    const text = words.size ? `?${words}` : '';
    if (text !== location.search)
      route(now.path + text, true);
  }, []);
  return [query, change];
}
