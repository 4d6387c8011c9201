/* A list that is read a page at a time, by its cursor. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Button } from './button';

interface PageOf<T> { items: T[]; next_cursor: string | null }

export interface Pages<T> {
  items: T[] | null; // null: the first page is being read
  error: unknown;
  hasMore: boolean;
  more: () => Promise<void>;
  reload: () => Promise<void>;
  put: (item: T) => void; // an item that has changed
}

/* Reads the first page when it appears and whenever a dependency changes. */
export function usePages<T extends { id: number }>(
  read: (cursor: string | undefined) => Promise<PageOf<T>>, dependencies: unknown[],
): Pages<T> {
  const [items, setItems] = useState<T[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const turn = useRef(0);
  const get = useCallback(async (from: string | undefined) => {
    const mine = ++turn.current;
    try {
      const page = await read(from);
      if (mine !== turn.current)
        return;
      setItems((had) => (from ? [...(had ?? []), ...page.items] : page.items));
      setCursor(page.next_cursor);
      setError(null);
    } catch (failure) {
      if (mine === turn.current)
        setError(failure);
    }
  }, dependencies);
  useEffect(() => {
    void get(undefined);
    return () => { turn.current++; };
  }, [get]);
  return {
    items, error, hasMore: cursor !== null,
    more: () => get(cursor ?? undefined),
    reload: () => get(undefined),
    put: (item) => setItems((had) => had && had.map((other) => (other.id === item.id ? item : other))),
  };
}

export function More<T>({ pages, label }: { pages: Pages<T>; label: string }) {
  return pages.hasMore ? <Button class="more" onClick={pages.more}>{label}</Button> : null;
}
