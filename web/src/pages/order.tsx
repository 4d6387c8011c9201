/* The page one looks at while waiting: where the order is, as it happens. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Bike, CloudOff, Printer, Radio, Store } from 'lucide-preact';
import type { Order } from '../api';
import { Again } from '../parts/again';
import { Button } from '../parts/button';
import { Load } from '../parts/load';
import { useLost } from '../parts/lost';
import { Notice } from '../parts/notice';
import { OrderLines } from '../parts/order_lines';
import { Page } from '../parts/page';
import { STATUS, isFinal } from '../parts/status';
import { Track, nextText } from '../parts/track';
import { date, clock, money } from '../format';
import { reachable } from '../state/connection';
import { type Followed, useFollowedOrder } from '../state/follow_order';
import { shop } from '../state/shop';

const LOST = 'The live connection is lost. Trying to get it back; this is the last that was heard.';
const PLAIN = 'Updates by itself';
const AGAIN = 'Live again: this is up to date.';

/* Says politely what has changed, but not what was there when the page opened. */
function Announcer({ order }: { order: Order }) {
  const first = useRef(order.status);
  const [text, setText] = useState('');
  useEffect(() => {
    if (order.status !== first.current)
      setText(`Order ${order.id}: ${STATUS[order.status].word}. ${nextText(order)}`);
    first.current = order.status;
  }, [order.status]);
  return <p class="visually-hidden" role="status">{text}</p>;
}

/* Whether what is shown is live; a loss is told when it lasts. */
function Connection({ state }: { state: Followed['state'] }) {
  const isLost = useLost(state);
  const wasLost = useRef(false);
  wasLost.current ||= isLost;
  if (state === 'over')
    return null;
  const isBack = wasLost.current && state === 'live';
  return (
    <p class={`order-live small ${isLost || !reachable.value ? 'lost' : ''} no-print`} role="status">
      {isLost || !reachable.value
        ? <><CloudOff size={16} aria-hidden="true" /> {LOST}</>
        : <><Radio size={16} aria-hidden="true" /> {isBack ? AGAIN : PLAIN}</>}
    </p>
  );
}

function Cancelled({ order }: { order: Order }) {
  const note = order.events.findLast((event) => event.to === 'cancelled')?.note;
  return (
    <Notice kind="bad">
      <p>{note ? 'The shop says:' : 'The shop gave no reason.'}</p>
      {note && <blockquote class="said" dir="auto">{note}</blockquote>}
      <p>
        {order.payment
          ? `You paid ${money(order.payment.amount, order.currency)}. It is noted at the shop to `
            + `be paid back; ask there, and name order ${order.id}, if it does not come.`
          : 'It cost nothing, so there is nothing to pay back.'}
      </p>
    </Notice>
  );
}

function Now({ order, state }: { order: Order; state: Followed['state'] }) {
  return (
    <section class="card order-where" aria-label="Where it is">
      <h2 class="order-next">{nextText(order)}</h2>
      {order.status === 'cancelled' && <Cancelled order={order} />}
      <Track order={order} />
      <Connection state={state} />
    </section>
  );
}

function Facts({ order }: { order: Order }) {
  const isDelivery = order.fulfilment === 'delivery';
  const Icon = isDelivery ? Bike : Store;
  return (
    <dl class="order-facts">
      <div>
        <dt>
          <Icon size={18} aria-hidden="true" /> {isDelivery ? 'Delivery to' : 'Pickup at'}
        </dt>
        <dd dir="auto">{isDelivery ? order.address : shop.value?.name}</dd>
      </div>
      {order.note && (
        <div><dt>Note for the kitchen</dt><dd dir="auto">{order.note}</dd></div>
      )}
      <div>
        <dt>Ordered</dt>
        <dd>
          <time dateTime={order.created_at}>
            {date(order.created_at)}, {clock(order.created_at)}
          </time>
        </dd>
      </div>
      <div>
        <dt>Payment</dt>
        <dd>
          {order.payment
            ? `${money(order.payment.amount, order.currency)} paid, number ${order.payment.id}`
            : 'Nothing to pay'}
        </dd>
      </div>
    </dl>
  );
}

function Shown({ order, state }: { order: Order; state: Followed['state'] }) {
  return (
    <div class="order-page">
      <Announcer order={order} />
      <Now order={order} state={state} />
      <section class="card stack" aria-labelledby="what">
        <h2 id="what">What you ordered</h2>
        <OrderLines items={order.items} total={order.total} currency={order.currency} />
        <Facts order={order} />
      </section>
      <div class="row no-print">
        {isFinal(order.status) && <Again order={order} kind="main" />}
        <Button onClick={() => print()}>
          <Printer size={18} aria-hidden="true" /> Print
        </Button>
        <a class="button" href="/orders">All your orders</a>
      </div>
    </div>
  );
}

export function OrderPage({ id }: { id: number }) {
  const { from, state } = useFollowedOrder(id);
  const status = from.data?.status;
  return (
    <Page title={status ? `${STATUS[status].word}: order ${id}` : `Order ${id}`}
      heading={`Order ${id}`} class="order-one">
      <Load from={from} what="Reading your order …"
        gone={<a class="button" href="/orders">Your orders</a>}>
        {(order) => <Shown order={order} state={state} />}
      </Load>
    </Page>
  );
}
