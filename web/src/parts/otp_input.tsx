/* The code of six digits. It looks like six boxes and is one field, so that typing, pasting, screen
 * readers, and what browsers offer from a mail work as in any other. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { plainDigits } from '../language';
import { useField } from './form';

const DIGITS = 6;

/* The code in a text that was typed or pasted: "482 913", or a whole sentence of the mail. */
export function findCode(typed: string): string {
  const text = plainDigits(typed);
  const [, first, second] = /(?:^|\D)(\d{3})[\s-]?(\d{3})(?!\d)/.exec(text) ?? [];
  return first && second ? first + second : text.replace(/\D/g, '').slice(0, DIGITS);
}

/* The boxes behind the field. */
function Boxes({ filled }: { filled: number }) {
  const next = Math.min(filled, DIGITS - 1);
  return (
    <div class="otp-boxes" aria-hidden="true">
      {Array.from({ length: DIGITS }, (_, i) => (
        <span key={i} class={`${i < filled ? 'filled' : ''} ${i === next ? 'next' : ''}`} />
      ))}
    </div>
  );
}

export function OtpInput({ name, label, hint }: {
  name: string; label: string; hint: ComponentChildren;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [value, setValue] = useState('');
  const { control, below } = useField(name, hint);
  const isWrong = control['aria-invalid'];

  useEffect(() => input.current?.focus(), []);

  /* A wrong code makes room for the next try. */
  useEffect(() => {
    if (isWrong)
      setValue('');
  }, [isWrong]);

  function change(element: HTMLInputElement) {
    const code = findCode(element.value);
    element.value = code;
    setValue(code);
    if (code.length === DIGITS && code !== value)
      element.form?.requestSubmit();
  }

  return (
    <div class="field">
      <label for={control.id}>{label}</label>
      <div class={`otp ${isWrong ? 'wrong' : ''}`}>
        <Boxes filled={value.length} />
        <input ref={input} {...control} type="text" inputMode="numeric"
          autocomplete="one-time-code" required value={value}
          onInput={(event) => change(event.currentTarget)} />
      </div>
      {below}
    </div>
  );
}
