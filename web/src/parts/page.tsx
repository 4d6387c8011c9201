/* What every page has: a title for the tab, a heading that takes the focus when one comes here from
 * another page (unless a field of the page has taken it), and a width. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { newOrders } from '../state/new_orders';
import { shop } from '../state/shop';

let isFirst = true;

export interface PageProps {
  title: string;
  heading?: ComponentChildren; // default: the title; null: the page brings its own h1
  class?: string; // narrow: a column to read and to fill in; wide: all of the screen
  children: ComponentChildren;
}

export function Page({ title, heading, class: name = '', children }: PageProps) {
  const top = useRef<HTMLHeadingElement>(null);
  const name_ = shop.value?.name;
  const n = newOrders.value;
  useEffect(() => {
    const whole = name_ && title !== name_ ? `${title} · ${name_}` : title;
    document.title = n ? `(${n}) ${whole}` : whole;
  }, [title, name_, n]);
  useEffect(() => {
    if (!isFirst && !top.current?.parentElement?.contains(document.activeElement))
      top.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  return (
    <main id="main" class={`page ${name}`}>
      {heading !== null && <h1 ref={top} tabIndex={-1}>{heading ?? title}</h1>}
      {children}
    </main>
  );
}
