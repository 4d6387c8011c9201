/* A new password for who knows the old one. Every other device is logged out. */
import { ChevronDown } from 'lucide-preact';
import { useRef } from 'preact/hooks';
import { call } from '../api';
import { me } from '../state/session';
import { toast } from '../state/toast';
import { Form, type Values } from './form';
import { NewPassword, Password } from './password';

export function ChangePassword() {
  const details = useRef<HTMLDetailsElement>(null);

  async function change({ current_password = '', new_password = '' }: Values) {
    await call('put', '/api/me/password', { body: { current_password, new_password } });
    details.current?.querySelector('form')?.reset();
    details.current?.removeAttribute('open');
    details.current?.querySelector('summary')?.focus();
    toast('Your password is changed. Other devices are logged out.', { kind: 'good' });
  }

  return (
    <details ref={details} class="card fold">
      <summary>
        <h2 class="grow">Change the password</h2><ChevronDown size={20} aria-hidden="true" />
      </summary>
      <Form submit="Change the password" onSubmit={change}>
        <input class="visually-hidden" type="email" autocomplete="username" aria-hidden="true"
          tabIndex={-1} readOnly value={me.value?.email} />
        <Password name="current_password" label="Current password"
          autocomplete="current-password" />
        <NewPassword name="new_password" label="New password" />
      </Form>
    </details>
  );
}
