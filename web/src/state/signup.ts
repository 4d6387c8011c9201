/* A sign-up under way. It lives in its tab, so that a reload, or a look into the mails on the same
 * phone, loses nothing of it. The password is never kept. */
import { signal } from '@preact/signals';
import type { Signup } from '../api';
import { hasShape, inBrowser, inTab } from './kept';

/* What was filled in, for whoever comes back to mend it. */
export interface Draft { email?: string; phone?: string; name?: string }

export interface Pending extends Signup {
  isDead: boolean; // the code was tried wrongly too often
}

function isPending(kept: unknown): boolean {
  return hasShape({ email: 'string', signup_token: 'string' })(kept)
    && hasShape({ expires_at: 'string', resend_at: 'string' })((kept as Pending).otp);
}

export const draft = signal<Draft>(inTab.get<Draft>('draft', hasShape({})) ?? {});
export const pending = signal<Pending | null>(inTab.get<Pending>('signup', isPending));

/* The address that was typed last on one of the pages on the way in: nobody types it twice. */
export const typedEmail = signal(draft.value.email ?? '');

export function keepDraft(next: Draft) {
  draft.value = next;
  inTab.set('draft', next);
}

export function keepPending(next: Pending | null) {
  pending.value = next;
  inTab.set('signup', next);
}

/* A friend's link is followed today, and the account perhaps made tomorrow. */
export function friendCode(): string {
  return inBrowser.get<string>('friend', (code) => typeof code === 'string') ?? '';
}

export function keepFriendCode(code: string) {
  inBrowser.set('friend', code || null);
}

/* Somebody is in: nothing of how he came is needed any more, nor anybody else's to see. */
export function forgetSignup() {
  keepPending(null);
  keepDraft({});
  keepFriendCode('');
  typedEmail.value = '';
}
