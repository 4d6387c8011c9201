import { useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { type CallError, call } from '../api';
import { Button } from '../parts/button';
import { Field, Form, type Values } from '../parts/form';
import { Loading } from '../parts/load';
import { useOnward } from '../parts/onward';
import { Page } from '../parts/page';
import { NewPassword } from '../parts/password';
import { me, withNext } from '../state/session';
import {
  draft, friendCode, keepDraft, keepFriendCode, keepPending, pending, typedEmail,
} from '../state/signup';
import { explain } from '../words';

/* Asked for only when there is one. */
function FriendCode({ code }: { code: string }) {
  const [isShown, setShown] = useState(code !== '');
  if (!isShown)
    return (
      <Button kind="quiet" class="reveal" onClick={() => setShown(true)}>
        I have a friend’s code
      </Button>
    );
  return (
    <Field name="referral_code" label="A friend’s code (optional)" defaultValue={code}
      autocomplete="off" autocapitalize="characters" spellcheck={false} />
  );
}

function Fields({ code }: { code: string }) {
  const had = draft.peek();
  return (
    <>
      <Field name="email" type="email" label="Email" autocomplete="email" autocapitalize="none"
        spellcheck={false} required defaultValue={had.email ?? typedEmail.peek()}
        hint="We mail you a code to make sure that it is yours."
        onInput={(event) => { typedEmail.value = event.currentTarget.value.trim(); }} />
      <NewPassword name="password" />
      <Field name="name" label="Name (optional)" autocomplete="name" dir="auto"
        defaultValue={had.name} maxLength={100} />
      <Field name="phone" type="tel" label="Phone (optional)" autocomplete="tel"
        defaultValue={had.phone}
        hint="For questions about your order. You can log in with it, too." />
      <FriendCode code={code} />
    </>
  );
}

function sayAt(code: string, next: string | null) {
  switch (code) {
    case 'email_taken':
      return (
        <>
          This address already has an account. <a href={withNext('/login', next)}>Log in instead</a>
        </>
      );
    case 'phone_taken':
      return (
        <>
          This phone number already has an account. Leave it out, or{' '}
          <a href={withNext('/login', next)}>log in</a>
        </>
      );
    case 'referral_code_invalid':
      return 'There is no such code. Look at it again, or leave it out.';
    default:
      return undefined;
  }
}

/* A code went out to this address a moment ago: perhaps it is there already. */
function say(error: CallError, next: string | null) {
  const isHere = pending.peek()?.email.toLowerCase() === typedEmail.peek().toLowerCase();
  if (error.code !== 'otp_cooldown')
    return undefined;
  return (
    <>
      <p>{explain(error)}</p>
      {isHere && <a class="button" href={withNext('/verify', next)}>Enter that code</a>}
    </>
  );
}

export function SignupPage() {
  const { query, route } = useLocation();
  const { next } = useOnward();
  const [code] = useState(() => {
    if (query.ref)
      keepFriendCode(query.ref);
    return friendCode();
  });

  async function signUp({ email = '', password = '', phone, name, referral_code }: Values) {
    typedEmail.value = email.trim();
    keepDraft({ email: typedEmail.value, phone, name });
    keepFriendCode(referral_code ?? '');
    const body = { email, password, phone, name, referral_code };
    keepPending({ ...await call('post', '/api/signup', { body }), isDead: false });
    route(withNext('/verify', next));
  }

  return (
    <Page title="Create an account" class="door">
      {me.value !== null ? <Loading /> : (
        <>
          <Form submit="Mail me the code" onSubmit={signUp} say={(error) => say(error, next)}
            sayAt={(what) => sayAt(what, next)}>
            <Fields code={code} />
          </Form>
          <div class="other-door">
            <p>You have an account?</p>
            <a class="button full" href={withNext('/login', next)}>Log in</a>
          </div>
        </>
      )}
    </Page>
  );
}
