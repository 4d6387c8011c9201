/* A button that is busy while its action runs, so that an impatient second tap does nothing. A
 * problem is told in a toast, unless the action tells it itself. */
import type { ComponentChildren, JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { CallError } from '../api';
import { explain } from '../words';
import { dismiss, toast } from '../state/toast';

export type ButtonKind = 'main' | 'plain' | 'danger' | 'quiet';

export interface ButtonProps extends Omit<JSX.HTMLAttributes<HTMLButtonElement>, 'onClick' | 'class'> {
  kind?: ButtonKind;
  class?: string;
  type?: 'button' | 'submit';
  disabled?: boolean;
  busy?: boolean; // busy with something that it did not begin itself
  onClick?: (event: MouseEvent) => unknown;
  children?: ComponentChildren;
}

/* Runs an action once at a time. */
export function useBusy(): [boolean, (action: () => unknown) => Promise<void>] {
  const [busy, setBusy] = useState(false);
  const running = useRef(false);
  const failure = useRef(0); // what is said about the last time
  const run = async (action: () => unknown) => {
    if (running.current)
      return;
    running.current = true;
    dismiss(failure.current);
    try {
      const result = action();
      if (result instanceof Promise) {
        setBusy(true);
        await result;
      }
    } catch (error) {
      /* That the shop is away, a banner says for as long as it lasts. */
      const isAway = error instanceof CallError && error.status === 0;
      failure.current = toast(explain(error), { kind: isAway ? 'plain' : 'bad' });
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return [busy, run];
}

export function Button({ kind = 'plain', class: name = '', type = 'button', busy = false, onClick,
  children, ...rest }: ButtonProps) {
  const [isBusy, run] = useBusy();
  const shown = busy || isBusy;
  return (
    <button {...rest} type={type} class={`button ${kind} ${name}`} aria-busy={shown || undefined}
      onClick={(event) => {
        if (shown)
          event.preventDefault();
        else if (onClick)
          void run(() => onClick(event));
      }}>
      {children}
      {shown && <span class="spinner" aria-hidden="true" />}
    </button>
  );
}
