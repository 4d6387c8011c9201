/* "The money is here": asked once more in place, because it makes the order and cannot be taken
 * back. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Banknote } from 'lucide-preact';
import { type AdminPayment, call, newKey, type Payment } from '../api';
import { money } from '../format';
import { Button, type ButtonKind } from '../parts/button';
import { nameOf } from './payment_words';

export interface ReceiveProps {
  payment: AdminPayment;
  label: string;
  kind: ButtonKind;
  consequence: string; // what saying yes does
  onDone: (payment: Payment) => Promise<void>;
}

/* As long as its last settlement stands, no order is made of it: only what is settled can be opened
 * again, so the new news are settled, too, and then all of it is opened. */
async function openAgain({ id, version }: AdminPayment): Promise<AdminPayment> {
  const settled = await call('put', '/api/admin/payments/{id}', {
    id, body: { resolved: true, note: 'To make the order after all', version } });
  return call('put', '/api/admin/payments/{id}', { id, body: { resolved: false, version: settled.version } });
}

async function say(payment: AdminPayment, key: string): Promise<Payment> {
  const { id, needs_attention: reason } = payment;
  const opened = reason === 'paid_after_resolution' ? await openAgain(payment) : null;
  const result = await call('post', '/api/admin/payments/{id}/received', { id, key });
  if (opened && result.order_id)
    await call('put', '/api/admin/payments/{id}', {
      id, body: { resolved: true, note: `Order ${result.order_id} was made of it`, version: opened.version },
    }).catch(() => {}); // other news came: they stay for somebody to see
  return result;
}

function Question({ payment, consequence, onDone, onLeave }: Omit<ReceiveProps, 'label' | 'kind'> & {
  onLeave: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const key = useRef(newKey());
  const amount = money(payment.amount, payment.currency);
  useEffect(() => box.current?.focus(), []);
  return (
    <div class="paid-question" role="group" tabIndex={-1} ref={box}
      aria-label={`Has ${amount} come from ${nameOf(payment)}?`}
      onKeyDown={(event) => event.key === 'Escape' && onLeave()}>
      <p><strong>Has {amount} come from <bdi>{nameOf(payment)}</bdi>?</strong></p>
      <p class="small">{consequence}</p>
      <div class="row">
        <Button onClick={onLeave}>Not yet</Button>
        <Button kind="main" onClick={async () => onDone(await say(payment, key.current))}>
          Yes, {amount} is here
        </Button>
      </div>
    </div>
  );
}

export function Receive({ label, kind, ...rest }: ReceiveProps) {
  const [isAsked, setAsked] = useState(false);
  const button = useRef<HTMLDivElement>(null);
  if (isAsked)
    return (
      <Question {...rest} onDone={async (payment) => {
        await rest.onDone(payment);
        setAsked(false);
      }} onLeave={() => {
        setAsked(false);
        requestAnimationFrame(() => button.current?.querySelector('button')?.focus());
      }} />
    );
  return (
    <div ref={button}>
      <Button kind={kind} class={kind === 'main' ? 'big paid-receive' : ''} onClick={() => setAsked(true)}>
        <Banknote size={20} aria-hidden="true" /> {label}
      </Button>
    </div>
  );
}
