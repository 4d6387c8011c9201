/* What stands between a cart and its payment, each with the one tap that goes on. */
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso/router';
import { useEffect, useRef } from 'preact/hooks';
import type { CartLine, Payment } from '../api';
import { clock, money } from '../format';
import { leftOf, problemWords } from '../line_words';
import { account, loadCart, setQuantity, settled, total } from '../state/cart';
import type { Waiting } from '../state/checkout';
import { loadMenu } from '../state/menu';
import { giveUp, goToPay } from '../state/payment';
import { Button } from './button';
import { Loading } from './load';
import { Notice } from './notice';

/* What has happened above the button that was tapped is brought into sight. */
function InSight({ children }: { children: ComponentChildren }) {
  const here = useRef<HTMLDivElement>(null);
  useEffect(() => here.current?.focus(), []);
  return <div ref={here} class="in-sight" tabIndex={-1}>{children}</div>;
}

export function Unavailable({ lines }: { lines: CartLine[] }) {
  const isPartly = lines.some(leftOf);
  const goOn = async () => {
    await loadMenu();
    lines.forEach((line) => setQuantity({ id: line.food_id, name: line.name }, leftOf(line)));
    await settled();
    await loadCart();
  };
  return (
    <InSight>
      <Notice kind="bad" role="alert">
        <p>This changed while you were choosing. The rest of your cart is safe.</p>
        <ul class="bullets">
          {lines.map((line) => (
            <li key={line.food_id}>
              <bdi>{line.name}</bdi>: {problemWords(line)}
              {leftOf(line) > 0 && `, and you chose ${line.quantity}`}
            </li>
          ))}
        </ul>
        <div class="row">
          <Button kind="main" onClick={goOn}>
            {isPartly ? 'Take what is left' : 'Go on without'}
          </Button>
          <a class="button" href="/cart">Change the cart</a>
        </div>
      </Notice>
    </InSight>
  );
}

export function PriceChanged({ from, to }: { from: number; to: number }) {
  return (
    <InSight>
      <Notice kind="wait" role="alert">
        <p>
          The price has changed while you were choosing: it
          was <span class="money">{money(from)}</span>, and
          is <strong class="money">{money(to)}</strong> now. Nothing was ordered yet. Look at it
          again below.
        </p>
      </Notice>
    </InSight>
  );
}

/* The account can have one open payment: paying for another cart replaces it. */
export function OtherPayment({ payment }: { payment: Payment }) {
  const { route } = useLocation();
  const isSame = payment.amount === total.value;
  return (
    <Notice kind="plain">
      <p>
        {isSame ? 'You have already begun to pay ' : 'Another payment of yours is still open: '}
        <span class="money">{money(payment.amount, payment.currency)}</span>,
        until {clock(payment.expires_at)}.
        {!isSame && ' Paying for this cart takes its place.'}
      </p>
      <div class="row">
        {payment.checkout_url && (
          <Button onClick={() => goToPay(payment.checkout_url!, route)}>
            {isSame ? 'Go on paying' : 'Pay that one'}
          </Button>
        )}
        <Button kind="quiet" onClick={() => giveUp(payment)}>Give it up</Button>
      </div>
    </Notice>
  );
}

const WAITING: Record<Waiting, string> = {
  unreachable: 'No connection to the shop. Your order is kept and asked for again as soon as the '
    + 'shop answers. It cannot be ordered twice.',
  busy: 'The shop is very busy. Your order is kept, and is tried again in a moment.',
  provider: 'The payment service gives no answer. Your order is kept, and is tried again in a moment. '
    + 'Nothing was paid yet.',
  preparing: 'Your payment is being prepared. One moment …',
};

export function Wait({ why }: { why: Waiting | null }) {
  return (
    <div role="status">{why && <Notice kind="wait"><p>{WAITING[why]}</p></Notice>}</div>
  );
}

export function Asking({ why }: { why: Waiting | null }) {
  return why ? <Wait why={why} />
    : <Loading what="Asking the shop whether your order has arrived …" />;
}

export function pendingPayment(): Payment | null {
  return account.value?.pending_payment ?? null;
}
