/* One payment: who, how much, since when, and what can be done about it now. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ChevronDown } from 'lucide-preact';
import { mailTo } from '../address';
import { type AdminPayment, call, type Payment } from '../api';
import { clock, money, when } from '../format';
import { Notice } from '../parts/notice';
import { seconds, serverNow } from '../state/clock';
import { PaymentDetails } from './payment_details';
import { Receive } from './payment_receive';
import { Reopen, Resolve } from './payment_resolve';
import { canMakeOrder, dishes, moneyThatCame, nameOf, reasonOf, stateOf } from './payment_words';

export interface PaymentEntryProps {
  payment: AdminPayment;
  put: (payment: AdminPayment) => void; // it has changed; it stays in sight
  onStale: () => void; // read all again
}

export function StateTag({ payment }: { payment: AdminPayment }) {
  const { icon: Icon, word, kind } = stateOf(payment);
  return <span class={`tag ${kind}`}><Icon size={16} aria-hidden="true" /> {word}</span>;
}

function Contact({ payment: { customer } }: { payment: AdminPayment }) {
  return (
    <p class="paid-contact">
      {customer.name && <strong dir="auto">{customer.name}</strong>}
      <a href={mailTo(customer.email)}>{customer.email}</a>
      {customer.phone && <a href={`tel:${customer.phone}`}>{customer.phone}</a>}
    </p>
  );
}

function Deadline({ payment: { expires_at: end } }: { payment: AdminPayment }) {
  seconds.value; // follows the time
  const minutes = Math.ceil((Date.parse(end) - serverNow()) / 60_000);
  if (minutes <= 0)
    return <>its time is up: the dishes are for sale again</>;
  return <>dishes held until {clock(end)}{minutes <= 60 && ` (${minutes} min)`}</>;
}

interface Result { text: string; link?: { href: string; text: string }; isOpen?: boolean }

/* What has come of an admin's word, in the place of the buttons. */
function Outcome({ text, link, isOpen, children }: Result & { children?: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus({ preventScroll: true }), []);
  return (
    <div ref={box} tabIndex={-1} class="paid-outcome">
      <Notice kind={isOpen ? 'wait' : 'good'} role="status">
        <p>{text}{link && <> <a href={link.href}>{link.text}</a></>}</p>
        {children}
      </Notice>
    </div>
  );
}

function resultOf({ amount, currency, order_id }: Payment): Result {
  return order_id
    ? { text: `${money(amount, currency)} is in, and the kitchen has the order.`,
      link: { href: `/admin/orders/${order_id}`, text: `Open order ${order_id}` } }
    : { isOpen: true, text: `${money(amount, currency)} is noted, but no order could be made of it.` };
}

/* No call reads one payment as an admin sees it; the list finds it by its number. */
async function readAgain(payment: AdminPayment): Promise<AdminPayment> {
  const { items } = await call('get', '/api/admin/payments', { query: { q: String(payment.id), limit: 100 } });
  return items.find(({ id }) => id === payment.id) ?? payment;
}

/* Why somebody has to look, in plain words. */
function Attention({ payment }: { payment: AdminPayment }) {
  const came = moneyThatCame(payment);
  const asked = money(payment.amount, payment.currency);
  const reason = reasonOf(payment);
  return (
    <div class="paid-why">
      {reason && (
        <dl>
          <dt>What happened</dt><dd>{reason.what}</dd>
          {came && <><dt>What came</dt><dd>{came === asked ? `${came}, as asked` : `${came} instead of ${asked}`}</dd></>}
          <dt>What to do</dt><dd>{reason.todo}</dd>
        </dl>
      )}
      {payment.refund_due && (
        <p><a href={`/admin/orders/${payment.order_id}`}>Order {payment.order_id}</a> was cancelled after
          it was paid. Pay {asked} back the way it came, then say so here.</p>
      )}
    </div>
  );
}

function consequenceOf({ status, needs_attention }: AdminPayment): string {
  if (status === 'pending' || status === 'creating')
    return 'The order is made at once and goes to the kitchen. This cannot be taken back.';
  if (status === 'cancelled')
    return 'The customer had given it up, so no order is made: it will need attention, to be paid back.';
  return needs_attention === 'paid_after_resolution'
    ? 'It is opened again, and the order is made if its dishes can still be had. This cannot be taken back.'
    : 'The order is made if its dishes can still be had; if not, it will need attention. This cannot be taken back.';
}

type ActionsProps = PaymentEntryProps & { say: (result: Result) => void };

/* Money can come for whatever is not paid; not for what already needs somebody, but to make its
 * order. */
function Actions({ payment, put, onStale, say }: ActionsProps) {
  const isOpen = payment.status === 'pending' || payment.status === 'creating';
  const isFlagged = payment.needs_attention !== null;
  const canReceive = isFlagged ? canMakeOrder(payment) : !isOpen && payment.status !== 'paid' && !payment.resolved;
  const received = async (result: Payment) => {
    put(await readAgain(payment).catch(() => ({ ...payment, status: result.status, order_id: result.order_id })));
    say(resultOf(result));
    onStale();
  };
  const common = { payment, consequence: consequenceOf(payment), onDone: received };
  return (
    <div class="paid-actions">
      {isOpen && <Receive {...common} kind="main" label={`Received ${money(payment.amount, payment.currency)}`} />}
      {canReceive && <Receive {...common} kind="plain"
        label={isFlagged ? 'Make the order after all' : 'The money has come after all'} />}
      {(isFlagged || payment.refund_due) && (
        <Resolve payment={payment} onChange={put} onStale={onStale} onDone={(done) => {
          put(done);
          say({ text: done.resolved?.refund_due ? 'Marked as refunded.' : 'Marked as done.' });
          onStale();
        }} />
      )}
    </div>
  );
}

/* What stands below the head of a payment, opened or not. */
export function PaymentBody(props: PaymentEntryProps) {
  const [outcome, setOutcome] = useState<Result | null>(null);
  const { payment, put, onStale } = props;
  const undo = payment.resolved && (
    <Reopen payment={payment} onStale={onStale} onChange={(opened) => {
      setOutcome(null);
      put(opened);
    }}>{outcome ? 'Undo' : 'Open it again'}</Reopen>
  );
  if (outcome && !outcome.isOpen)
    return <Outcome {...outcome}>{undo}</Outcome>;
  return (
    <>
      {outcome && <Outcome {...outcome} />}
      <Attention payment={payment} />
      <Actions {...props} say={setOutcome} />
      {undo}
    </>
  );
}

export function PaymentCard(props: PaymentEntryProps) {
  const { payment } = props;
  return (
    <article class="card paid-card" aria-label={`${money(payment.amount, payment.currency)} from ${nameOf(payment)}`}>
      <header>
        <h2 class="paid-amount money">{money(payment.amount, payment.currency)}</h2>
        <StateTag payment={payment} />
      </header>
      <Contact payment={payment} />
      <p class="quiet small">
        asked {when(payment.created_at)}{payment.status === 'pending' && <>, <Deadline payment={payment} /></>}
      </p>
      <p class="paid-dishes" dir="auto">{dishes(payment.items, 3)}</p>
      <PaymentBody {...props} />
      <details class="paid-more">
        <summary>Details and history <ChevronDown size={18} aria-hidden="true" /></summary>
        <PaymentDetails payment={payment} />
      </details>
    </article>
  );
}
