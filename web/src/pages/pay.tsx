/* Paying. The token behind the # of the address opens this one payment, so the page works on any
 * phone that has the link, without an account; it is sent as a header and kept nowhere. */
import { useLocation } from 'preact-iso/router';
import { useEffect, useState } from 'preact/hooks';
import { Lock } from 'lucide-preact';
import { CallError, type Payment, call } from '../api';
import { Button } from '../parts/button';
import { useHash } from '../parts/hash';
import { Load, type Loaded, useLoad } from '../parts/load';
import { Notice } from '../parts/notice';
import { Page } from '../parts/page';
import { PayEnd } from '../parts/pay_end';
import { Way } from '../parts/pay_ways';
import { countdown, money, plural } from '../format';
import { seconds, serverNow } from '../state/clock';
import { giveUp } from '../state/payment';
import { me } from '../state/session';

const POLL_MS = 2500;
const POLL_ENDED_MS = 15_000; // late news may still make the order

function isOpen({ status }: Payment): boolean {
  return status === 'creating' || status === 'pending';
}

async function read(id: number, token: string | null): Promise<Payment> {
  try {
    return await call('get', '/api/payments/{id}', { id, token: token ?? undefined });
  } catch (error) {
    if (token && me.peek() && error instanceof CallError && error.status === 401)
      return call('get', '/api/payments/{id}', { id }); // the owner needs no token
    throw error;
  }
}

/* Follows the payment while the page is looked at, and asks at once when it is looked at again. */
function useFollow(from: Loaded<Payment>) {
  const { data, reload } = from;
  const isEnded = data && !isOpen(data) && data.status !== 'cancelling';
  const every = isEnded ? POLL_ENDED_MS : POLL_MS;
  const isRefused = from.error instanceof CallError && [400, 401, 404].includes(from.error.status);
  const isOver = data?.status === 'paid' || isRefused;
  useEffect(() => {
    if (isOver)
      return undefined;
    const ask = () => {
      if (!document.hidden)
        void reload();
    };
    const timer = setInterval(ask, every);
    document.addEventListener('visibilitychange', ask);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }, [reload, every, isOver]);
}

function TimeLeft({ until }: { until: string }) {
  void seconds.value;
  const leftMs = Math.max(0, Date.parse(until) - serverNow());
  return (
    <p class="quiet">
      <span aria-hidden="true">Held for you for another <span class="number">{countdown(leftMs)}</span></span>
      <span class="visually-hidden">
        Held for you for {plural(Math.ceil(leftMs / 60_000), 'more minute')}
      </span>
    </p>
  );
}

function GiveUp({ payment }: { payment: Payment }) {
  const { route } = useLocation();
  const leave = async () => {
    await giveUp(payment);
    route('/cart', true);
  };
  return (
    <Button kind="quiet" onClick={leave}>Give up this payment and go back to the cart</Button>
  );
}

function Paying({ from, payment, token }: {
  from: Loaded<Payment>; payment: Payment; token: string | null;
}) {
  const [owner, setOwner] = useState(false);
  const amount = money(payment.amount, payment.currency);
  const user = me.value?.id;
  useEffect(() => {
    let isGone = false;
    setOwner(false);
    if (user)
      call('get', '/api/payments/{id}', { id: payment.id })
        .then(() => setOwner(!isGone), () => {});
    return () => { isGone = true; };
  }, [user, payment.id]);
  return (
    <div class="stack">
      <div class="pay-due">
        <p class="quiet">To pay</p>
        <p class={`pay-sum number ${amount.length > 11 ? 'long' : ''}`}>{amount}</p>
        <TimeLeft until={payment.expires_at} />
      </div>
      <Way payment={payment} token={token} onPayment={from.set} reload={from.reload} />
      {owner && <div class="pay-give-up"><GiveUp payment={payment} /></div>}
    </div>
  );
}

function Unknown() {
  return (
    <Notice kind="bad" role="alert">
      <p>
        There is no payment here that this link opens. It may have been cut short on its way: open
        the whole link again, or log in and look at your cart. Nothing was paid.
      </p>
      <div class="row">
        <a class="button" href="/cart">To the cart</a>
        <a class="button" href="/orders">Your orders</a>
      </div>
    </Notice>
  );
}

export function PayPage({ id }: { id: number }) {
  const token = /^#([\w-]{16,})$/.exec(useHash())?.[1] ?? null;
  const from = useLoad(() => read(id, token), [id, token]);
  useFollow(from);
  const isUnknown = from.error instanceof CallError && [400, 401, 404].includes(from.error.status);
  const payment = from.data;
  return (
    <Page title={payment?.order_id ? 'Paid' : 'Payment'} class="narrow"
      heading={<><Lock size={24} aria-hidden="true" /> Payment</>}>
      <p class="visually-hidden" role="status">
        {payment?.order_id ? 'Your payment has arrived.' : ''}
      </p>
      {isUnknown ? <Unknown /> : (
        <Load from={from} what="Reading the payment …">
          {(found) => (isOpen(found) ? <Paying from={from} payment={found} token={token} />
            : <PayEnd payment={found} />)}
        </Load>
      )}
    </Page>
  );
}
