/* An order that waits for its payment: its dishes are held until then. */
import { useEffect } from 'preact/hooks';
import type { Payment } from '../api';
import { clock, money } from '../format';
import { serverNow, seconds } from '../state/clock';
import { loadCart } from '../state/cart';
import { giveUp } from '../state/payment';
import { Button } from './button';
import { Notice } from './notice';

export function OpenPayment({ payment }: { payment: Payment }) {
  const isOver = seconds.value >= 0 && Date.parse(payment.expires_at) <= serverNow();
  useEffect(() => {
    if (isOver)
      loadCart().catch(() => {}); // without a connection, it is read when there is one again
  }, [isOver]);
  if (isOver)
    return null;
  return (
    <Notice kind="wait" class="open-payment">
      <p>Your order of <span class="money">{money(payment.amount, payment.currency)}</span> waits for its payment.
        Its dishes are kept for you until {clock(payment.expires_at)}.</p>
      <div class="row">
        {payment.checkout_url && <a class="button main" href={payment.checkout_url}>Go on paying</a>}
        <Button onClick={() => giveUp(payment)}>Give it up</Button>
      </div>
    </Notice>
  );
}
