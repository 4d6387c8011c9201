/* What has the focus may go away by being used, as the last line of a cart does. The head of its part
 * of the page takes it then, so that nobody who uses the keyboard or a screen reader begins anew. */
export function keepFocus(at: Element | null) {
  const part = at?.closest('aside, main') ?? document.getElementById('main');
  requestAnimationFrame(() => {
    if (document.activeElement === document.body)
      part?.querySelector<HTMLElement>('h1, h2')?.focus({ preventScroll: true });
  });
}
