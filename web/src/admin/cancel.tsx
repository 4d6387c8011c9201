/* Cancelling an order, in its place on the page: why is picked or typed, and the customer reads
 * it. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Order } from '../api';
import { money } from '../format';
import { Button } from '../parts/button';
import { toast } from '../state/toast';
import { move } from './board_state';

const REASONS = [
  'Sold out', 'We are closing', 'Too far away', 'You asked us to', 'No answer from you',
];
const NOTE_MAX = 500;

/* Of the button that opens the panel, where the focus goes back to. */
export const cancelId = (order: Order) => `cancel-${order.id}`;

function sayDone({ id, payment, currency }: Order) {
  const owed = payment?.status === 'paid'
    ? ` ${money(payment.amount, currency)} is to be paid back.` : '';
  toast(`Order ${id} is cancelled.${owed}`, { kind: 'good' });
}

export function CancelPanel({ order, onClose, onDone }: {
  order: Order; onClose: () => void; onDone?: (order: Order) => void;
}) {
  const [note, setNote] = useState('');
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A button, no field: that would bring a keyboard over half of the tablet.
    panel.current?.querySelector('button')?.focus({ preventScroll: true });
    panel.current?.scrollIntoView({ block: 'nearest' });
  }, []);

  async function cancel() {
    const now = await move(order, 'cancelled', note.trim() || undefined);
    if (!now)
      return;
    sayDone(now);
    onDone?.(now);
  }
  function close() {
    onClose();
    requestAnimationFrame(() => document.getElementById(cancelId(order))?.focus());
  }

  return (
    <div ref={panel} class="cancel-panel stack" role="group" aria-labelledby={`${id}-head`}
      onKeyDown={(event) => event.key === 'Escape' && close()}>
      <h4 id={`${id}-head`}>Cancel order {order.id}?</h4>
      <div class="cancel-reasons">
        {REASONS.map((reason) => (
          <button key={reason} class="chip" type="button" aria-pressed={note === reason}
            onClick={() => setNote(note === reason ? '' : reason)}>{reason}</button>
        ))}
      </div>
      <div class="field">
        <label for={id}>Why? The customer reads this.</label>
        <input id={id} value={note} maxLength={NOTE_MAX} dir="auto" autocomplete="off"
          onInput={(event) => setNote(event.currentTarget.value)} />
      </div>
      <div class="cancel-actions">
        <Button kind="danger" onClick={cancel}>Cancel the order</Button>
        <Button onClick={close}>Keep it</Button>
      </div>
    </div>
  );
}
