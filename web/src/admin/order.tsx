/* All of one order, for the staff: what, for whom, paid how, and everything that happened to it. */
import { useState } from 'preact/hooks';
import { CloudOff, FileText, Printer, X } from 'lucide-preact';
import { mailTo } from '../address';
import { type Order, type OrderEvent, call } from '../api';
import { money, plural, when } from '../format';
import { Button } from '../parts/button';
import { Load, useLoad } from '../parts/load';
import { useLost } from '../parts/lost';
import { Page } from '../parts/page';
import { isFinal, STATUS, StatusTag } from '../parts/status';
import { Age, useMinutes } from './age';
import { move } from './board_state';
import { CancelPanel, cancelId } from './cancel';
import { useFeed } from './feed';
import { STATES } from './payment_words';
import { nextStep } from './steps';
import { FulfilmentTag, Note } from './ticket';

const ACTORS: Record<OrderEvent['actor'], string> = {
  customer: 'Customer', admin: 'Staff', system: 'Shop',
};

function Lines({ order }: { order: Order }) {
  return (
    <table class="lines">
      <thead>
        <tr><th scope="col">Dish</th><th scope="col" class="end">Sum</th></tr>
      </thead>
      <tbody>
        {order.items.map((line) => (
          <tr key={line.food_id}>
            <td>
              <span class="lines-dish">
                <strong class="number">{line.quantity} ×</strong>
                <span>
                  <bdi>{line.name}</bdi>
                  {line.quantity > 1 && (
                    <span class="quiet small lines-each">
                      {money(line.unit_price, order.currency)} each
                    </span>
                  )}
                </span>
              </span>
            </td>
            <td class="end money">{money(line.line_total, order.currency)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Actions({ order, set }: { order: Order; set: (order: Order) => void }) {
  const [isCancelling, setCancelling] = useState(false);
  const minutes = useMinutes(order.created_at);
  const step = nextStep(order.status, order.fulfilment);
  if (isCancelling && step)
    return <CancelPanel order={order} onClose={() => setCancelling(false)} onDone={set} />;
  return (
    <section class="card stack" aria-label="Next step">
      <div class="row order-now" role="status">
        <StatusTag status={order.status} /> <FulfilmentTag fulfilment={order.fulfilment} />
        {step && <Age minutes={minutes} />}
      </div>
      {step && (
        <Button kind="main" class="big full" onClick={async () => {
          const now = await move(order, step.to);
          set(now ?? await call('get', '/api/orders/{id}', { id: order.id }));
        }}><step.icon size={20} aria-hidden="true" /> {step.word}</Button>
      )}
      <div class="row">
        <a class="button" href={`/admin/orders/${order.id}/ticket?print=1`} target="_blank">
          <Printer size={20} aria-hidden="true" /> Kitchen ticket</a>
        <a class="button" href={`/admin/orders/${order.id}/receipt?print=1`} target="_blank">
          <FileText size={20} aria-hidden="true" /> Receipt</a>
        {step && (
          <Button kind="danger" id={cancelId(order)} onClick={() => setCancelling(true)}>
            <X size={20} aria-hidden="true" /> Cancel …
          </Button>
        )}
      </div>
    </section>
  );
}

function PaymentFact({ payment, currency }: {
  payment: NonNullable<Order['payment']>; currency: string;
}) {
  const { icon: Icon, word, kind } = STATES[payment.status];
  return (
    <>
      <a href={`/admin/payments?show=all&q=${payment.id}`}>Payment {payment.id}</a>,{' '}
      {money(payment.amount, currency)}
      <br /><span class={`tag ${kind}`}><Icon size={16} aria-hidden="true" /> {word}</span>
    </>
  );
}

function Facts({ order: { customer, fulfilment, address, payment, currency } }: { order: Order }) {
  return (
    <section class="card" aria-labelledby="order-facts">
      <h2 id="order-facts" class="visually-hidden">Customer and payment</h2>
      <dl class="facts">
        <dt>Customer</dt>
        <dd>
          {customer && (
            <>
              <a href={`/admin/customers?q=${encodeURIComponent(customer.email)}`} dir="auto">
                {customer.name ?? customer.email}
              </a>
              {customer.phone && (
                <><br /><a href={`tel:${customer.phone}`}><bdi>{customer.phone}</bdi></a></>
              )}
              {customer.name && (
                <><br /><a href={mailTo(customer.email)}>{customer.email}</a></>
              )}
            </>
          )}
        </dd>
        {fulfilment === 'delivery' && (
          <><dt>Bring it to</dt><dd class="lines-kept" dir="auto">{address}</dd></>
        )}
        <dt>Payment</dt>
        <dd>
          {payment ? <PaymentFact payment={payment} currency={currency} /> : 'Nothing to pay'}
        </dd>
      </dl>
    </section>
  );
}

function Trail({ events }: { events: OrderEvent[] }) {
  return (
    <section class="card" aria-labelledby="order-trail">
      <h2 id="order-trail">What happened</h2>
      <ol class="trail">
        {events.map(({ id, from, to, actor, note, at }) => {
          const { icon: Icon, word, kind } = STATUS[to];
          return (
            <li key={id} class={kind}>
              <Icon size={20} aria-hidden="true" />
              <div class="grow">
                <strong>
                  {from && <span class="quiet">{STATUS[from].word} → </span>}{word}
                </strong>
                <p class="quiet small"><time dateTime={at}>{when(at)}</time> · {ACTORS[actor]}</p>
                {note && <p class="lines-kept" dir="auto">{note}</p>}
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Detail({ order, set }: { order: Order; set: (order: Order) => void }) {
  return (
    <div class="order-detail">
      <Note text={order.note} />
      <div class="stack order-side">
        <Actions order={order} set={set} />
        <Facts order={order} />
      </div>
      <div class="stack">
        <section class="card" aria-labelledby="order-lines">
          <h2 id="order-lines">{plural(order.items.length, 'dish', 'dishes')}</h2>
          <Lines order={order} />
          <p class="lines-total">
            <span>Total</span> <span class="money">{money(order.total, order.currency)}</span>
          </p>
        </section>
        <Trail events={order.events} />
      </div>
    </div>
  );
}

export function AdminOrderPage({ id }: { id: number }) {
  const read = useLoad(() => call('get', '/api/orders/{id}', { id }), [id]);
  const set = (next: Order) => {
    if (next.id === id && next.version >= (read.data?.version ?? 0))
      read.set(next);
  };
  const isLost = useLost(useFeed({ onOrder: set, onStale: () => void read.reload() }));
  const order = read.data;
  return (
    <Page title={`Order ${id}`} heading={<>Order <span class="number">{id}</span>
      {order && <span class="order-when">{when(order.created_at)}</span>}</>}>
      <div role="status">
        {isLost && order && !isFinal(order.status) && (
          <p class="banner order-lost">
            <CloudOff size={18} aria-hidden="true" /> Not live just now: this may be old. Trying again …
          </p>
        )}
      </div>
      <Load from={read}>{(data) => <Detail order={data} set={set} />}</Load>
    </Page>
  );
}
