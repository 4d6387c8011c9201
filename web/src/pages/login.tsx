import { useRef } from 'preact/hooks';
import { type CallError, call } from '../api';
import { Field, Form, type Values } from '../parts/form';
import { Loading } from '../parts/load';
import { Notice } from '../parts/notice';
import { useOnward } from '../parts/onward';
import { Page } from '../parts/page';
import { Password } from '../parts/password';
import { me, wasEnded, withNext } from '../state/session';
import { keepDraft, draft, pending, typedEmail } from '../state/signup';

const REASONS: [RegExp, string][] = [
  [/^\/checkout/, 'Log in to check out. Your cart is kept.'],
  [/^\/orders/, 'Log in to see your orders.'],
  [/^\/account/, 'Log in to see your account.'],
  [/^\/admin/, 'Log in with a staff account to run the shop.'],
];

/* Why one was asked to log in. */
function Reason({ next }: { next: string | null }) {
  const words = REASONS.find(([path]) => path.test(next ?? ''))?.[1];
  if (wasEnded.value)
    return (
      <Notice kind="wait">Your session has ended. Nothing is lost: log in and go on.</Notice>
    );
  return words ? <p class="reason">{words}</p> : null;
}

/* The password was right, and the address is still to be confirmed. */
function NotVerified({ identifier, next }: { identifier: string; next: string | null }) {
  const isHere = pending.value?.email.toLowerCase() === identifier.toLowerCase();
  return (
    <>
      <p>
        This account waits for the code that we mailed.{' '}
        {!isHere && 'Sign up again to get a new one.'}
      </p>
      {isHere
        ? <a class="button" href={withNext('/verify', next)}>Enter the code</a>
        : <a class="button" href={withNext('/signup', next)}>Sign up again</a>}
    </>
  );
}

function useWords(next: string | null) {
  const tried = useRef('');
  const say = (error: CallError) => {
    switch (error.code) {
      case 'invalid_credentials':
        return (
          <>
            Wrong email, phone or password. Look at them again, or{' '}
            <a href={withNext('/forgot', next)}>choose a new password</a>.
          </>
        );
      case 'account_not_verified':
        return <NotVerified identifier={tried.current} next={next} />;
      case 'account_disabled':
        return 'This account is closed. Please ask the shop.';
      default:
        return undefined;
    }
  };
  return { tried, say };
}

export function LoginPage() {
  const { next, arrive } = useOnward();
  const { tried, say } = useWords(next);
  const isKnown = me.value === null;

  async function logIn({ identifier = '', password = '' }: Values) {
    tried.current = identifier.trim();
    const { user } = await call('post', '/api/login', { body: { identifier, password } });
    await arrive(user);
  }

  function remember(text: string) {
    const isEmail = text.includes('@');
    typedEmail.value = isEmail ? text.trim() : '';
    if (isEmail)
      keepDraft({ ...draft.peek(), email: text.trim() });
  }

  return (
    <Page title="Log in" class="door">
      {!isKnown ? <Loading /> : (
        <>
          <Reason next={next} />
          <Form submit="Log in" onSubmit={logIn} say={say}>
            <Field name="identifier" label="Email or phone" autocomplete="username"
              autocapitalize="none" spellcheck={false} required defaultValue={typedEmail.peek()}
              onInput={(event) => remember(event.currentTarget.value)} />
            <Password name="password" label="Password" autocomplete="current-password" />
          </Form>
          <p class="aside"><a href={withNext('/forgot', next)}>Forgot your password?</a></p>
          <div class="other-door">
            <p>New here?</p>
            <a class="button full" href={withNext('/signup', next)}>Create an account</a>
          </div>
        </>
      )}
    </Page>
  );
}
