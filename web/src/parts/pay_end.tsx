/* How a payment ended: what happened, what was kept, and the way on. */
import { useLocation } from 'preact-iso/router';
import { useEffect, useState } from 'preact/hooks';
import { CircleCheck } from 'lucide-preact';
import { CallError, type Payment, call } from '../api';
import { loadCart } from '../state/cart';
import { endDraft } from '../state/checkout';
import { me } from '../state/session';
import { Notice } from './notice';

const ON_TO_ORDER_MS = 1800; // to read that it is paid

/* The order belongs to whoever is logged in; others have paid for somebody, and stay. */
async function isMine(orderId: number): Promise<boolean> {
  try {
    await call('get', '/api/orders/{id}', { id: orderId });
    return true;
  } catch (error) {
    if (error instanceof CallError && error.status === 0)
      return true;
    return false;
  }
}

function useOnToOrder(orderId: number): boolean {
  const { route } = useLocation();
  const [isOwner, setOwner] = useState(false);
  const user = me.value?.id;
  useEffect(() => {
    if (!user)
      return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isGone = false;
    void isMine(orderId).then((mine) => {
      if (!mine || isGone)
        return;
      setOwner(true);
      endDraft();
      void loadCart().catch(() => {});
      timer = setTimeout(() => route(`/orders/${orderId}`, true), ON_TO_ORDER_MS);
    });
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [user, orderId]);
  return isOwner;
}

function Ordered({ orderId }: { orderId: number }) {
  const isOwner = useOnToOrder(orderId);
  return (
    <div class="pay-done">
      <CircleCheck size={64} strokeWidth={1.5} aria-hidden="true" />
      <p class="pay-done-words">Paid. Thank you!</p>
      <p class="quiet">Order {orderId} is with the kitchen.</p>
      {isOwner
        ? <a class="button main" href={`/orders/${orderId}`}>Follow the order</a>
        : <p>Whoever ordered can follow it among the orders of the account.</p>}
    </div>
  );
}

/* Another amount, too late, or after it was given up. */
function PaidWithoutOrder({ payment }: { payment: Payment }) {
  return (
    <Notice kind="wait" role="alert">
      <p>
        <strong>Your money has arrived, but the order could not be made.</strong> The shop has been told
        why and will settle it with you; please do not pay again. Name payment number {payment.id} when
        you ask.
      </p>
    </Notice>
  );
}

const ENDS: Record<'failed' | 'expired' | 'cancelling' | 'cancelled', string> = {
  failed: 'The payment was declined. No money was taken, and nothing was ordered.',
  expired: 'The time to pay is over. Nothing was ordered, and the dishes that were held for you '
    + 'are free again.',
  cancelling: 'This payment is being ended: it was given up, or its time is over. Nothing was ordered.',
  cancelled: 'This payment was given up, or another one took its place. Nothing was ordered.',
};

function Unpaid({ payment, status }: { payment: Payment; status: keyof typeof ENDS }) {
  return (
    <div class="stack">
      <Notice kind={status === 'failed' ? 'bad' : 'plain'} role="alert">
        <p>{ENDS[status]} {me.value && 'Your cart is as it was.'}</p>
        {payment.provider === 'manual' && status !== 'failed' && (
          <p>
            Have you sent the money already? Do not send it again: tell the shop payment
            number {payment.id}.
          </p>
        )}
      </Notice>
      {me.value && (
        <div class="row">
          <a class="button main" href="/checkout">Try again</a>
          <a class="button" href="/cart">To the cart</a>
        </div>
      )}
    </div>
  );
}

export function PayEnd({ payment }: { payment: Payment }) {
  const { status } = payment;
  if (payment.order_id)
    return <Ordered orderId={payment.order_id} />;
  if (status === 'paid' || payment.in_question)
    return <PaidWithoutOrder payment={payment} />;
  if (status === 'creating' || status === 'pending')
    return null;
  return <Unpaid payment={payment} status={status} />;
}
