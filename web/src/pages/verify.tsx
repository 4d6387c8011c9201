import { MailQuestion } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CallError, call } from '../api';
import { plural, waitText } from '../format';
import { Empty } from '../parts/empty';
import { Form, type Values } from '../parts/form';
import { Loading } from '../parts/load';
import { Notice } from '../parts/notice';
import { type Onward, useOnward } from '../parts/onward';
import { OtpInput } from '../parts/otp_input';
import { Page } from '../parts/page';
import { Resend, type ResendProps } from '../parts/resend';
import { seconds, serverNow } from '../state/clock';
import { me, withNext } from '../state/session';
import { type Pending, keepPending, pending } from '../state/signup';

function NoSignup({ next }: { next: string | null }) {
  return (
    <Empty icon={MailQuestion}>
      <p>
        No sign-up is waiting for a code here. Perhaps it was entered already, or a day has gone by.
      </p>
      <a class="button main" href={withNext('/signup', next)}>Create an account</a>
      <a class="button" href={withNext('/login', next)}>Log in</a>
    </Empty>
  );
}

const LONG_AGO = new Date(0).toISOString();

/* Whole minutes, so that nothing hurries anybody; the last one in seconds. */
function lifeText(ms: number): string {
  return ms < 60_000 ? waitText(ms / 1000) : plural(Math.floor(ms / 60_000), 'minute');
}

/* Somebody was faster: the sign-up cannot be finished as it is. */
function Taken({ code, next }: { code: string; next: string | null }) {
  return (
    <Notice kind="bad" role="alert">
      {code === 'email_taken' ? (
        <>
          <p>This address has an account by now.</p>
          <a class="button" href={withNext('/login', next)}>Log in</a>
        </>
      ) : (
        <>
          <p>
            Your phone number belongs to another account by now. The rest of what you filled in is
            kept.
          </p>
          <a class="button" href={withNext('/signup', next)}>Change the number</a>
        </>
      )}
    </Notice>
  );
}

/* It takes the focus, which was in the field that is gone. */
function Dead({ signup, onRefused }: Omit<ResendProps, 'kind'>) {
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => top.current?.focus(), []);
  return (
    <div ref={top} class="stack" tabIndex={-1}>
      <Notice kind="wait" role="alert">
        {signup.isDead ? 'Five wrong tries: this code no longer works.'
          : 'This code is too old now.'}{' '}
        What you filled in is kept.
      </Notice>
      <Resend signup={signup} kind="main" onRefused={onRefused} />
    </div>
  );
}

function wrongCode(code: string, { problem }: CallError) {
  const left = plural(Number(problem.attempts_left), 'try', 'tries');
  return code === 'otp_invalid' ? `That is not the code. ${left} left.` : undefined;
}

function Asking({ signup, onSubmit, onRefused }: Omit<ResendProps, 'kind'> & {
  onSubmit: (values: Values) => Promise<void>;
}) {
  void seconds.value;
  const lifeMs = Date.parse(signup.otp.expires_at) - serverNow();
  if (signup.isDead || lifeMs <= 0)
    return <Dead signup={signup} onRefused={onRefused} />;
  return (
    <>
      <Form key={signup.otp.expires_at} submit="Confirm" onSubmit={onSubmit} sayAt={wrongCode}>
        <OtpInput name="otp" label="Code" hint={`It works for another ${lifeText(lifeMs)}.`} />
      </Form>
      <p class="aside quiet">Nothing there? Look in the spam, too.</p>
      <Resend signup={signup} kind="quiet" onRefused={onRefused} />
    </>
  );
}

function Verify({ signup, next, arrive }: Onward & { signup: Pending }) {
  const [taken, setTaken] = useState('');

  function refuse(error: CallError) {
    if (error.status === 404)
      keepPending(null);
    else if (error.status === 409)
      setTaken(error.code ?? '');
    else
      throw error;
  }

  async function verify({ otp = '' }: Values) {
    try {
      const body = { signup_token: signup.signup_token, otp };
      const { user } = await call('post', '/api/verify-otp', { body });
      const welcome = user.name ? `Welcome, ${user.name}.` : 'Welcome.';
      await arrive(user, `${welcome} Your account is ready.`);
    } catch (error) {
      if (!(error instanceof CallError))
        throw error;
      if (error.code === 'otp_locked' || error.problem.attempts_left === 0)
        keepPending({ ...signup, isDead: true });
      else if (error.code === 'otp_expired')
        keepPending({ ...signup, otp: { ...signup.otp, expires_at: LONG_AGO } });
      else
        refuse(error);
    }
  }

  return (
    <>
      <p class="lead">
        We mailed six digits to <strong dir="auto">{signup.email}</strong>.{' '}
        <a href={withNext('/signup', next)}>Wrong address?</a>
      </p>
      {taken ? <Taken code={taken} next={next} />
        : <Asking signup={signup} onSubmit={verify} onRefused={refuse} />}
    </>
  );
}

export function VerifyPage() {
  const onward = useOnward();
  const signup = pending.value;
  const content = signup ? <Verify signup={signup} {...onward} /> : <NoSignup next={onward.next} />;
  return (
    <Page title="Enter the code" class="door">
      {me.value !== null ? <Loading /> : content}
    </Page>
  );
}
