/* A list that is read a page at a time, by its cursor. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { whenReachedAgain } from '../state/connection';
import { Button } from './button';

const idOf = (item: object) => ('id' in item ? item.id : item);

interface PageOf<T> { items: T[]; next_cursor: string | null }

export interface Pages<T> {
  items: T[] | null; // null: the first page is being read
  error: unknown;
  hasMore: boolean;
  more: () => Promise<void>;
  reload: () => Promise<void>; // as many as are shown now
  put: (item: T) => void; // an item that has changed
}

/* Reads the first page when it appears and whenever a dependency changes, and all that is shown
 * when the shop can be reached again. */
export function usePages<T extends object>(
  read: (cursor: string | undefined) => Promise<PageOf<T>>, dependencies: unknown[],
): Pages<T> {
  const [items, setItems] = useState<T[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const turn = useRef(0);
  const shown = useRef(0);
  shown.current = items?.length ?? 0;

  /* Reads from a cursor until there are so many. */
  const get = useCallback(async (from: string | undefined, least: number) => {
    const mine = ++turn.current;
    const found: T[] = [];
    let next: string | null = from ?? null;
    do {
      const page = await read(next ?? undefined);
      if (mine !== turn.current)
        return; // a newer question has been asked
      found.push(...page.items);
      next = page.next_cursor;
    } while (next && found.length < least);
    setItems((had) => (from ? [...(had ?? []), ...found] : found));
    setCursor(next);
    setError(null);
  }, dependencies);
  const start = useCallback(async (least: number) => {
    const mine = turn.current + 1;
    try {
      await get(undefined, least);
    } catch (failure) {
      if (mine === turn.current)
        setError(failure);
    }
  }, [get]);
  const reload = useCallback(() => start(shown.current), [start]);

  useEffect(() => {
    void start(0);
    const end = whenReachedAgain(() => void reload());
    return () => {
      end();
      turn.current++;
    };
  }, [start]);
  return {
    items, error, hasMore: cursor !== null, reload,
    more: () => get(cursor ?? undefined, 1),
    put: (item) => setItems((had) => had && had.map((other) => (idOf(other) === idOf(item) ? item : other))),
  };
}

export function More<T>({ pages, label }: { pages: Pages<T>; label: string }) {
  return pages.hasMore ? <Button class="more" onClick={pages.more}>{label}</Button> : null;
}
