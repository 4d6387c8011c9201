import { useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { CallError, call } from '../api';
import { Form, type Values } from '../parts/form';
import { useHash } from '../parts/hash';
import { Notice } from '../parts/notice';
import { Page } from '../parts/page';
import { NewPassword } from '../parts/password';
import { leave } from '../state/session';
import { toast } from '../state/toast';

function NewLink({ children }: { children: string }) {
  return (
    <Notice kind="bad" role="alert">
      <p>{children}</p>
      <a class="button" href="/forgot">Ask for a new link</a>
    </Notice>
  );
}

export function ResetPage() {
  const { route } = useLocation();
  const token = new URLSearchParams(useHash().slice(1)).get('token') ?? '';
  const [expired, setExpired] = useState('');

  async function choose({ new_password = '' }: Values) {
    try {
      await call('post', '/api/password-reset/confirm', { body: { token, new_password } });
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== 'token_expired')
        throw error;
      setExpired(token);
      return;
    }
    leave(); // all sessions have ended, that of this browser too
    toast('Your password is changed. Log in with the new one.', { kind: 'good' });
    route('/login', true); // the token goes with the address
  }

  return (
    <Page title="Choose a new password" class="door">
      {!token && (
        <NewLink>This link is not whole. Open it from the mail again, or ask for another.</NewLink>
      )}
      {token && token === expired && (
        <NewLink>This link was used already, or is older than 30 minutes.</NewLink>
      )}
      {token && token !== expired && (
        <Form submit="Save the new password" onSubmit={choose}>
          <NewPassword name="new_password" label="New password" />
        </Form>
      )}
    </Page>
  );
}
