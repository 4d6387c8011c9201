/* A question in the place where it came up: what would happen, yes, or no. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { TriangleAlert } from 'lucide-preact';
import { Button } from './button';

export interface ConfirmProps {
  yes: string; // what will be done
  no?: string;
  harmless?: boolean;
  onYes: () => Promise<unknown>;
  onNo: () => void;
  children: ComponentChildren; // what will happen
}

/* Escape is no; the focus goes back to where it came from, if that is still there: hide it
 * meanwhile rather than take it away. */
export function Confirm({ yes, no = 'Cancel', harmless, onYes, onNo, children }: ConfirmProps) {
  const box = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement as HTMLElement | null);
  useLayoutEffect(() => {
    box.current?.focus();
  }, []);
  const goBack = () => requestAnimationFrame(() => before.current?.focus());
  const leave = () => {
    onNo();
    goBack();
  };
  const agree = async () => {
    await onYes();
    goBack();
  };
  return (
    <div ref={box} class={`confirm ${harmless ? '' : 'danger'}`} role="group" tabIndex={-1}
      aria-label="Please confirm" onKeyDown={(event) => event.key === 'Escape' && leave()}>
      <TriangleAlert size={20} aria-hidden="true" />
      <div class="grow">{children}</div>
      <div class="row">
        <Button onClick={leave}>{no}</Button>
        <Button kind={harmless ? 'main' : 'danger'} onClick={agree}>{yes}</Button>
      </div>
    </div>
  );
}
