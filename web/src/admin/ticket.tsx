/* One order on the board: what to cook, for whom, how long they have waited, and the next step. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Bike, MapPin, Phone, Printer, ShoppingBag, StickyNote, X } from 'lucide-preact';
import type { Order } from '../api';
import { Button } from '../parts/button';
import { clock } from '../format';
import { Age, urgencyOf, useMinutes } from './age';
import { move, touch } from './board_state';
import { CancelPanel, cancelId } from './cancel';
import { hasJustMoved, isHasty } from './hasty';
import { nextStep, type OpenStatus } from './steps';

export function FulfilmentTag({ fulfilment }: { fulfilment: Order['fulfilment'] }) {
  const Icon = fulfilment === 'delivery' ? Bike : ShoppingBag;
  return (
    <span class={`way ${fulfilment}`}>
      <Icon size={20} aria-hidden="true" /> {fulfilment === 'delivery' ? 'Delivery' : 'Pickup'}
    </span>
  );
}

function Lines({ order }: { order: Order }) {
  return (
    <ul class="ticket-lines">
      {order.items.map((line) => (
        <li key={line.food_id} class={line.quantity > 1 ? 'many' : ''}>
          <span class="number">{line.quantity} ×</span> <span dir="auto">{line.name}</span>
        </li>
      ))}
    </ul>
  );
}

function Customer({ order: { customer, fulfilment, address } }: { order: Order }) {
  return (
    <div class="ticket-customer">
      <p>
        <span class="ticket-name" dir="auto">{customer?.name ?? customer?.email}</span>
        {customer?.phone && (
          <a class="ticket-phone" href={`tel:${customer.phone}`}>
            <Phone size={16} aria-hidden="true" /> <bdi>{customer.phone}</bdi>
          </a>
        )}
      </p>
      {fulfilment === 'delivery' && address && (
        <p class="ticket-address">
          <MapPin size={16} aria-hidden="true" /> <span dir="auto">{address}</span>
        </p>
      )}
    </div>
  );
}

export function Note({ text }: { text: string | null }) {
  return text ? (
    <p class="ticket-note" dir="auto">
      <StickyNote size={20} aria-hidden="true" />
      <span class="visually-hidden" dir="ltr">Note: </span><span>{text}</span>
    </p>
  ) : null;
}

/* An order that was moved on from the keyboard is drawn in another column: the focus goes along. */
let followed: number | null = null;

function useFollow(id: number) {
  const button = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (followed !== id)
      return;
    followed = null;
    button.current?.querySelector('button')?.focus();
  }, []);
  return button;
}

export interface TicketProps {
  order: Order;
  status: OpenStatus; // as it is shown: a step may be under way
  isMoving: boolean;
  isNew: boolean;     // nobody has touched it yet
  number: number | undefined;
}

export function TicketCard({ order, status, isMoving, isNew, number }: TicketProps) {
  const [isCancelling, setCancelling] = useState(false);
  const minutes = useMinutes(order.created_at);
  const step = nextStep(status, order.fulfilment);
  const button = useFollow(order.id);
  const seen = () => touch(order.id);
  return (
    <article class={`ticket ${urgencyOf(minutes)} ${isNew ? 'untouched' : ''}`}
      aria-labelledby={`order-${order.id}`} onPointerDown={seen} onKeyDown={seen}>
      <header class="ticket-top">
        <h3 id={`order-${order.id}`}>
          <a href={`/admin/orders/${order.id}`}>
            <span class="visually-hidden">Order </span>{order.id}
          </a>
        </h3>
        <Age minutes={minutes} />
      </header>
      <p class="ticket-way">
        <FulfilmentTag fulfilment={order.fulfilment} />{' '}
        <time dateTime={order.created_at}>{clock(order.created_at)}</time>
        {isNew && <span class="new-mark">Not seen yet</span>}
      </p>
      <Lines order={order} />
      <Note text={order.note} />
      <Customer order={order} />
      {isCancelling ? <CancelPanel order={order} onClose={() => setCancelling(false)} /> : (
        <div class="ticket-actions" ref={button}>
          {step && (
            <Button kind="main" class="big full" busy={isMoving} onClick={(event) => {
              if (isHasty(event) || hasJustMoved(order.id, event))
                return;
              followed = event.detail === 0 ? order.id : null;
              void move(order, step.to);
            }}>
              {number && <kbd aria-hidden="true">{number}</kbd>}
              <span>{step.word}<span class="visually-hidden"> order {order.id}</span></span>
            </Button>
          )}
          <a class="ticket-small" href={`/admin/orders/${order.id}/ticket?print=1`} target="_blank"
            aria-label={`Print the kitchen ticket of order ${order.id}`}>
            <Printer size={16} aria-hidden="true" /> Print
          </a>
          <button class="ticket-small" id={cancelId(order)} type="button"
            aria-label={`Cancel order ${order.id}`} onClick={() => setCancelling(true)}><X size={16} aria-hidden="true" /> Cancel</button>
        </div>
      )}
    </article>
  );
}
