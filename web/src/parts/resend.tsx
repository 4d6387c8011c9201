/* Another code. Codes go out once a minute at most; the server says when the next one can. */
import { CallError, call } from '../api';
import { countdown } from '../format';
import { seconds, serverNow } from '../state/clock';
import { type Pending, keepPending } from '../state/signup';
import { toast } from '../state/toast';
import { explain } from '../words';
import { Button, type ButtonKind } from './button';

export interface ResendProps {
  signup: Pending;
  kind: ButtonKind;
  /* What cannot be mended by waiting; it throws what it does not know either. */
  onRefused: (error: CallError) => void;
}

export function Resend({ signup, kind, onRefused }: ResendProps) {
  void seconds.value;
  const waitMs = Date.parse(signup.otp.resend_at) - serverNow();

  async function resend() {
    try {
      const body = { signup_token: signup.signup_token };
      const { otp } = await call('post', '/api/resend-otp', { body });
      keepPending({ ...signup, otp, isDead: false });
      toast('A new code is on its way. The one before no longer works.', { kind: 'good' });
    } catch (error) {
      if (!(error instanceof CallError))
        throw error;
      const { otp } = error.problem as { otp?: { resend_at: string } };
      if (!otp) {
        onRefused(error);
        return;
      }
      keepPending({ ...signup, otp: { ...signup.otp, resend_at: otp.resend_at } });
      toast(explain(error), { kind: 'bad' });
    }
  }

  return (
    <Button kind={kind} class="full" onClick={resend} disabled={waitMs > 0}>
      {waitMs <= 0 ? 'Mail me a new code'
        : <>New code in <span class="number">{countdown(waitMs)}</span></>}
    </Button>
  );
}
