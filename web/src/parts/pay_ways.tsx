/* How an open payment is paid, by its provider. */
import { ExternalLink } from 'lucide-preact';
import { CallError, type Payment, call } from '../api';
import { money, plainMoney } from '../format';
import { shop } from '../state/shop';
import { Button } from './button';
import { Copy } from './copy';
import { Loading } from './load';
import { Notice } from './notice';

export interface WayProps {
  payment: Payment;
  token: string | null;
  onPayment: (payment: Payment) => void;
  reload: () => Promise<void>;
}

function TestWay({ payment, token, onPayment, reload }: WayProps) {
  const simulate = (outcome: 'paid' | 'failed') => async () => {
    try {
      onPayment(await call('post', '/api/payments/{id}/simulate', {
        id: payment.id, body: { outcome }, token: token ?? undefined }));
    } catch (error) {
      if (error instanceof CallError && error.status === 409)
        return reload(); // decided meanwhile, in another tab perhaps
      throw error;
    }
  };
  return (
    <div class="stack">
      <Button kind="main" class="big full" onClick={simulate('paid')}>
        Pay {money(payment.amount, payment.currency)}
      </Button>
      <Button class="full" onClick={simulate('failed')}>Decline</Button>
      <p class="quiet small">This is a test payment: no money moves.</p>
    </div>
  );
}

function ManualWay({ payment }: WayProps) {
  const instructions = shop.value?.payment_instructions.trim();
  const number = String(payment.id);
  const amount = money(payment.amount, payment.currency);
  return (
    <div class="stack">
      <section class="card stack" aria-labelledby="how">
        <h2 id="how">How to pay</h2>
        <p class="pay-instructions" dir="auto">
          {instructions || 'Pay at the counter, or ask the shop how it wants to be paid.'}
        </p>
        {instructions && <Copy text={instructions} what="how to pay" />}
        <dl class="pay-facts">
          <div>
            <dt>Amount</dt>
            <dd>
              <strong class="number">{amount}</strong>
              <Copy text={plainMoney(payment.amount)} what="the amount" />
            </dd>
          </div>
          <div>
            <dt>Payment number (name it when you pay)</dt>
            <dd>
              <strong class="number">{number}</strong>
              <Copy text={number} what="the payment number" />
            </dd>
          </div>
        </dl>
      </section>
      <Notice kind="wait">
        <p>
          The shop confirms here as soon as it has your money. You can close this page: the order is
          made without it, and waits among your orders.
        </p>
      </Notice>
    </div>
  );
}

/* Whoever comes back from there may be here before the word that he has paid. */
function OtherWay({ payment }: WayProps) {
  return (
    <div class="stack">
      <a class="button main big full" href={payment.checkout_url!}>
        Go on to pay {money(payment.amount, payment.currency)}
        <ExternalLink size={20} aria-hidden="true" />
      </a>
      <Notice kind="wait">
        <p>
          Paid already? Then do not pay again: the word of it can take a minute, and this page shows it by
          itself. You can close it: the order is made without it, and waits among your orders.
        </p>
      </Notice>
    </div>
  );
}

/* It is paid on a page of the provider's own. */
function isElsewhere({ checkout_url: url }: Payment): boolean {
  return url !== null && new URL(url).origin !== location.origin;
}

export function Way(props: WayProps) {
  if (props.payment.status === 'creating')
    return <Loading what="Your payment is being prepared …" />;
  if (isElsewhere(props.payment))
    return <OtherWay {...props} />;
  return props.payment.provider === 'manual' ? <ManualWay {...props} /> : <TestWay {...props} />;
}
