/* Paper: the ticket that hangs in the kitchen and the customer's receipt, for a roll of 80 mm. */
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { ArrowLeft, Printer } from 'lucide-preact';
import { type Order, call } from '../api';
import { clock, date, money, plural } from '../format';
import { Button } from '../parts/button';
import { Load, useLoad } from '../parts/load';
import { Page } from '../parts/page';
import { shop } from '../state/shop';

const WAY = { pickup: 'PICKUP', delivery: 'DELIVERY' };

const moment = (time: string) => `${date(time)}, ${clock(time)}`;

function KitchenTicket({ order }: { order: Order }) {
  const pieces = order.items.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <>
      {order.status === 'cancelled' && <p class="paper-way">CANCELLED</p>}
      <p class="paper-way">{WAY[order.fulfilment]}</p>
      <p class="paper-number">{order.id}</p>
      <p>{moment(order.created_at)}</p>
      <ul class="paper-dishes">
        {order.items.map((line) => (
          <li key={line.food_id}>
            <span class="number">{line.quantity} ×</span> <span dir="auto">{line.name}</span>
          </li>
        ))}
      </ul>
      {order.note && <p class="paper-note" dir="auto">{order.note}</p>}
      <p class="paper-customer">
        <span dir="auto">{order.customer?.name ?? order.customer?.email}</span>
        {order.customer?.phone && <> · <bdi>{order.customer.phone}</bdi></>}
      </p>
      {order.address && <p class="paper-address" dir="auto">{order.address}</p>}
      <p class="paper-small">{plural(pieces, 'piece')} in all</p>
    </>
  );
}

function paymentWords(order: Order): string {
  if (!order.payment)
    return 'Nothing to pay';
  const amount = money(order.payment.amount, order.currency);
  return order.payment.status === 'paid' ? `Paid: ${amount}` : `To pay: ${amount}`;
}

function CustomerReceipt({ order }: { order: Order }) {
  return (
    <>
      <p class="paper-shop" dir="auto">{shop.value?.name}</p>
      <p class="paper-time">Order {order.id}</p>
      <p>{moment(order.created_at)}</p>
      <table class="paper-lines">
        <thead class="visually-hidden">
          <tr><th scope="col">Quantity and price</th><th scope="col">Sum</th></tr>
        </thead>
        <tbody>
          {order.items.map((line) => (
            <Fragment key={line.food_id}>
              <tr><th scope="row" colSpan={2} dir="auto">{line.name}</th></tr>
              <tr>
                <td>{line.quantity} ×{line.quantity > 1 && ` ${money(line.unit_price, order.currency)}`}</td>
                <td class="money">{money(line.line_total, order.currency)}</td>
              </tr>
            </Fragment>
          ))}
        </tbody>
      </table>
      <p class="paper-total">
        <span>Total</span> <span class="money">{money(order.total, order.currency)}</span>
      </p>
      <p class="paper-paid">{paymentWords(order)}</p>
      {order.status === 'cancelled' && <p class="paper-paid">This order was cancelled.</p>}
      <p class="paper-customer">
        {order.fulfilment === 'delivery' ? 'Delivery to' : 'Pickup by'}{' '}
        <span dir="auto">{order.customer?.name ?? order.customer?.email}</span>
      </p>
      {order.address && <p class="paper-address" dir="auto">{order.address}</p>}
      <p class="paper-small">Thank you, and enjoy your meal.</p>
    </>
  );
}

const MM_PER_PX = 25.4 / 96;

/* A roll is cut where the text ends: the sheet is as long as what is on it. */
function useRoll(isThere: boolean) {
  const paper = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isThere || !paper.current)
      return undefined;
    const sheet = new CSSStyleSheet();
    const length = Math.ceil(paper.current.offsetHeight * MM_PER_PX) + 2;
    sheet.replaceSync(`@page { size: 80mm ${Math.max(length, 81)}mm; margin: 0; }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    return () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    };
  }, [isThere]);
  return paper;
}

function Paper({ order, what }: { order: Order; what: 'ticket' | 'receipt' }) {
  const { query } = useLocation();
  const paper = useRoll(shop.value !== null);
  const isReady = shop.value !== null; // the receipt needs its name and currency
  useEffect(() => {
    if (!isReady || query.print !== '1')
      return undefined;
    const frame = requestAnimationFrame(() => window.print());
    const leave = () => {
      if (history.length === 1)
        window.close(); // a tab that was opened to print
    };
    addEventListener('afterprint', leave);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('afterprint', leave);
    };
  }, [isReady]);
  return (
    <>
      <div class="row no-print paper-bar">
        <a class="button" href={`/admin/orders/${order.id}`}>
          <ArrowLeft size={20} aria-hidden="true" /> Order {order.id}
        </a>
        <Button kind="main" onClick={() => window.print()}>
          <Printer size={20} aria-hidden="true" /> Print
        </Button>
      </div>
      <div class="paper" ref={paper}>
        {what === 'ticket' ? <KitchenTicket order={order} /> : <CustomerReceipt order={order} />}
      </div>
    </>
  );
}

export function PrintPage({ id, what }: { id: number; what: 'ticket' | 'receipt' }) {
  const read = useLoad(() => call('get', '/api/orders/{id}', { id }), [id]);
  const name = what === 'ticket' ? `Kitchen ticket ${id}` : `Receipt ${id}`;
  return (
    <Page title={name} heading={<span class="visually-hidden">{name}</span>} class="print-page">
      <Load from={read}>{(order) => <Paper order={order} what={what} />}</Load>
    </Page>
  );
}
