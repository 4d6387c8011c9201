/* A password, which can be looked at while it is typed: fewer mistakes, and nobody has to type it
 * twice. */
import { Eye, EyeOff } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { Field, type FieldProps } from './form';

export const PASSWORD_MIN = 8;

export function Password(props: Omit<FieldProps, 'type' | 'action' | 'long'>) {
  const [isShown, setShown] = useState(false);
  const Icon = isShown ? EyeOff : Eye;
  return (
    <Field {...props} type={isShown ? 'text' : 'password'} required autocapitalize="none"
      spellcheck={false} action={(
        <button class="icon-button field-action" type="button" aria-label="Show the password"
          aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          <Icon size={20} aria-hidden="true" />
        </button>
      )} />
  );
}

/* One that is being chosen. */
export function NewPassword({ name, label = 'Password' }: { name: string; label?: string }) {
  return (
    <Password name={name} label={label} autocomplete="new-password" minLength={PASSWORD_MIN}
      hint={`At least ${PASSWORD_MIN} characters. A few words make a good one.`} />
  );
}
