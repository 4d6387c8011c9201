/* A value of a table that is changed where it stands: tap, type, Enter. Escape leaves it as it was;
 * going elsewhere keeps what was typed. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useId, useRef, useState } from 'preact/hooks';
import { Pencil } from 'lucide-preact';

export interface InPlaceProps {
  label: string;  // what it is: "Price of Suya"
  shown: string;
  value: string;  // as it is typed
  inputMode: 'decimal' | 'numeric';
  placeholder?: string;
  /* Saves, or says why not. */
  onSave: (text: string) => Promise<string | null>;
  children?: ComponentChildren; // another look of what is shown
}

function Editor({ label, value, inputMode, placeholder, onSave, onClose }: InPlaceProps & { onClose: (back: boolean) => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const isOver = useRef(false);

  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);

  const close = (back: boolean) => {
    isOver.current = true;
    onClose(back);
  };
  const save = async (back: boolean) => {
    if (isOver.current || busy)
      return;
    if (text.trim() === value && !error) {
      close(back);
      return;
    }
    setBusy(true);
    const problem = await onSave(text);
    setBusy(false);
    setError(problem);
    if (problem === null)
      close(back);
    else if (back)
      input.current?.focus();
  };

  return (
    <span class="in-place-editor">
      <input ref={input} class="number" type="text" inputMode={inputMode} aria-label={label} value={text}
        placeholder={placeholder} autoComplete="off" enterKeyHint="done" readOnly={busy} aria-busy={busy || undefined}
        aria-invalid={error ? true : undefined} aria-describedby={error ? id : undefined}
        onInput={(event) => setText(event.currentTarget.value)} onBlur={() => void save(false)}
        onKeyDown={(event) => {
          if (event.key === 'Enter')
            void save(true);
          else if (event.key === 'Escape')
            close(true);
        }} />
      {error && <span class="field-error" id={id} role="alert">{error}</span>}
    </span>
  );
}

export function InPlace(props: InPlaceProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const goBack = useRef(false);

  useLayoutEffect(() => {
    if (!isOpen && goBack.current)
      button.current?.focus();
    goBack.current = false;
  }, [isOpen]);

  if (isOpen)
    return <Editor {...props} onClose={(back) => {
      goBack.current = back;
      setOpen(false);
    }} />;
  return (
    <button ref={button} class="in-place number" type="button" aria-label={`${props.label}: ${props.shown}. Change it`}
      onClick={() => setOpen(true)}>
      {props.children ?? <span>{props.shown}</span>}<Pencil size={16} aria-hidden="true" />
    </button>
  );
}
