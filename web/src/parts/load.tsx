/* Something that is read before it can be shown: while it is read the page says so, and a failure
 * says what to do. What is there stays there while it is read again. */
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { whenReachedAgain } from '../state/connection';
import { CallError } from '../api';
import { explain } from '../words';
import { Button } from './button';
import { Notice } from './notice';

export interface Loaded<T> {
  data: T | null;
  error: unknown;
  reload: () => Promise<void>;
  set: (data: T) => void;
}

/* Reads when the page opens, whenever a dependency changes, and when the shop can be reached
 * again. */
export function useLoad<T>(read: () => Promise<T>, dependencies: unknown[]): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const turn = useRef(0);
  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const found = await read();
      if (mine !== turn.current)
        return; // a newer question has been asked
      setData(found);
      setError(null);
    } catch (failure) {
      if (mine === turn.current)
        setError(failure);
    }
  }, dependencies);
  const set = useCallback((next: T) => {
    turn.current++;
    setData(next);
    setError(null);
  }, []);
  useEffect(() => {
    void reload();
    const end = whenReachedAgain(() => void reload());
    return () => {
      end();
      turn.current++;
    };
  }, [reload]);
  return { data, error, reload, set };
}

export function Loading({ what = 'One moment …' }: { what?: string }) {
  return <p class="loading quiet" role="status"><span class="spinner" aria-hidden="true" /> {what}</p>;
}

/* What went wrong, and the way to try it again: none where trying helps nothing. */
export function Failed({ error, retry, gone }: {
  error: unknown; retry: () => Promise<void>; gone?: ComponentChildren; // the way on from what is not there
}) {
  const isGone = error instanceof CallError && error.status === 404;
  return (
    <Notice kind="bad" role="alert">
      <p>
        {isGone ? 'This is not here: it was taken away, or it belongs to somebody else.'
          : explain(error)}
      </p>
      {isGone ? gone : <Button onClick={retry}>Try again</Button>}
    </Notice>
  );
}

/* The data once it is there; before that, what is to be said instead. */
export function Load<T>({ from, what, gone, children }: {
  from: Pick<Loaded<T>, 'data' | 'error' | 'reload'>; what?: string; gone?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}) {
  const { data, error, reload } = from;
  if (data !== null)
    return <>{children(data)}</>;
  return error ? <Failed error={error} retry={reload} gone={gone} /> : <Loading what={what} />;
}
