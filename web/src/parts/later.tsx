/* Pages in files of their own, fetched when they are wanted. A file that cannot be had, or that the
 * browser cannot run, is not waited for: it is said, and the way on is shown. */
import lazy from 'preact-iso/lazy';
import type { ComponentType } from 'preact';
import { Button } from './button';
import { Notice } from './notice';

export function NotShown() {
  return (
    <main class="page narrow" id="main">
      <h1>Something went wrong</h1>
      <Notice kind="bad" role="alert">
        <p>This page could not be shown. Your cart and your orders are safe.</p>
        <Button kind="main" onClick={() => location.reload()}>Load it again</Button>
      </Notice>
    </main>
  );
}

export function later<P>(load: () => Promise<ComponentType<P>>) {
  return lazy<ComponentType<P>>(() => load().catch((failure: unknown) => {
    console.error(failure);
    return NotShown;
  }));
}
