import { useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { call } from '../api';
import { Button } from '../parts/button';
import { Field, Form, type Values } from '../parts/form';
import { Notice } from '../parts/notice';
import { Page } from '../parts/page';
import { nextPage, withNext } from '../state/session';
import { typedEmail } from '../state/signup';

/* The same words whether there is such an account or not. */
function Sent({ email, again }: { email: string; again: () => void }) {
  return (
    <div class="stack">
      <Notice kind="good" role="status">
        If <strong dir="auto">{email}</strong> has an account, a link to choose a new password is on
        its way. It works for 30 minutes.
      </Notice>
      <p class="quiet">Nothing there after a minute or two? Look in the spam, too.</p>
      <Button class="full" onClick={again}>Send it again</Button>
    </div>
  );
}

export function ForgotPage() {
  const { query } = useLocation();
  const [sent, setSent] = useState('');

  async function ask({ email = '' }: Values) {
    await call('post', '/api/password-reset', { body: { email } });
    typedEmail.value = email.trim();
    setSent(email.trim());
  }

  return (
    <Page title="Forgot your password?" class="door">
      {sent ? <Sent email={sent} again={() => setSent('')} /> : (
        <>
          <p class="lead">We mail you a link to choose a new one.</p>
          <Form submit="Mail me a link" onSubmit={ask}>
            <Field name="email" type="email" label="Email" autocomplete="username"
              autocapitalize="none" spellcheck={false} required defaultValue={typedEmail.peek()} />
          </Form>
        </>
      )}
      <p class="aside"><a href={withNext('/login', nextPage(query))}>Back to logging in</a></p>
    </Page>
  );
}
