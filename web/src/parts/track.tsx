/* The way of an order as a vertical track: what was when, the present step alive, what comes. */
import type { JSX } from 'preact';
import { Check } from 'lucide-preact';
import type { Order, OrderEvent, OrderStatus } from '../api';
import { when } from '../format';
import { STATUS, isFinal, stepsOf } from './status';

type State = 'done' | 'now' | 'next';

interface Stop { status: OrderStatus; state: State; event: OrderEvent | undefined }

/* A cancelled order went as far as it went, and ends there. */
function stopsOf(order: Order): Stop[] {
  const eventOf = (status: OrderStatus) => order.events.findLast((event) => event.to === status);
  const way = stepsOf(order.fulfilment);
  const steps: OrderStatus[] = order.status === 'cancelled'
    ? [...way.filter(eventOf), 'cancelled'] : way;
  const at = steps.indexOf(order.status);
  const state = (index: number): State => {
    if (index !== at)
      return index < at ? 'done' : 'next';
    return order.status === 'completed' ? 'done' : 'now';
  };
  return steps.map((status, index) => ({ status, state: state(index), event: eventOf(status) }));
}

const SPOKEN: Record<State, string> = { done: 'done', now: 'now', next: 'to come' };

function Step({ status, state, event }: Stop): JSX.Element {
  const { icon: Icon, word } = STATUS[status];
  const isNow = state === 'now';
  const kind = isFinal(status) ? ` ${STATUS[status].kind}` : '';
  return (
    <li class={`track-step ${state}${kind}`} aria-current={isNow ? 'step' : undefined}>
      <span class="track-mark" aria-hidden="true">
        {state === 'done' ? <Check size={18} strokeWidth={3} /> : <Icon size={isNow ? 22 : 16} />}
      </span>
      <span class="track-words">
        <span class="track-word">{word}</span>
        <span class="visually-hidden">, {SPOKEN[state]}</span>
        {event && state !== 'next' && (
          <time class="quiet small" dateTime={event.at}>{when(event.at)}</time>
        )}
        {event?.note && status !== 'cancelled' && (
          <span class="track-note" dir="auto">{event.note}</span>
        )}
      </span>
    </li>
  );
}

export function Track({ order }: { order: Order }) {
  return (
    <ol class={`track ${isFinal(order.status) ? 'over' : ''}`} aria-label="How far it is">
      {stopsOf(order).map((stop) => <Step key={stop.status} {...stop} />)}
    </ol>
  );
}

/* What is happening, and what comes next. */
export function nextText({ status, fulfilment }: Pick<Order, 'status' | 'fulfilment'>): string {
  const isPickup = fulfilment === 'pickup';
  switch (status) {
    case 'pending':
      return 'The shop has your order. Next it confirms it.';
    case 'confirmed':
      return 'The shop has taken it on. Next the kitchen begins to cook.';
    case 'preparing':
      return isPickup ? 'The kitchen is at it. Next you can pick it up.'
        : 'The kitchen is at it. Next it goes out to you.';
    case 'ready':
      return isPickup ? 'It is ready: come and pick it up.'
        : 'It is packed. Next it goes out to you.';
    case 'out_for_delivery':
      return 'It is on its way to you.';
    case 'completed':
      return isPickup ? 'Picked up. Enjoy your meal!' : 'Delivered. Enjoy your meal!';
    case 'cancelled':
      return 'This order was cancelled.';
  }
}
