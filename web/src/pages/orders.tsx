/* What one has ordered: what is under way on top, then the rest, newest first. */
import { useEffect, useRef } from 'preact/hooks';
import { Utensils } from 'lucide-preact';
import { type Order, call } from '../api';
import { Again } from '../parts/again';
import { Empty } from '../parts/empty';
import { Failed, Loading } from '../parts/load';
import { More, type Pages, usePages } from '../parts/more';
import { Page } from '../parts/page';
import { StatusTag, isFinal } from '../parts/status';
import { nextText } from '../parts/track';
import { money, when } from '../format';
import { whenReachedAgain } from '../state/connection';

function dishes({ items }: Order): string {
  const names = items.map(({ quantity, name }) => (quantity > 1 ? `${quantity} × ${name}` : name));
  return names.join(', ');
}

function OrderCard({ order }: { order: Order }) {
  const isOpen = !isFinal(order.status);
  return (
    <li class={`card order-card ${isOpen ? 'open' : ''}`}>
      <div class="row">
        <a class="order-link grow" href={`/orders/${order.id}`}>
          Order {order.id}{' '}
          <time class="quiet small" dateTime={order.created_at}>{when(order.created_at)}</time>
        </a>
        <StatusTag status={order.status} />
      </div>
      <p class="order-card-dishes" dir="auto">{dishes(order)}</p>
      {isOpen && <p class="quiet small">{nextText(order)}</p>}
      <div class="row">
        <span class="grow money order-total">{money(order.total, order.currency)}</span>
        {!isOpen && <div class="order-card-do"><Again order={order} kind="quiet" /></div>}
      </div>
    </li>
  );
}

function List({ title, orders }: { title: string; orders: Order[] }) {
  return orders.length ? (
    <section class="stack">
      <h2>{title}</h2>
      <ul class="stack">{orders.map((order) => <OrderCard key={order.id} order={order} />)}</ul>
    </section>
  ) : null;
}

/* The newest are read again when somebody comes back to the page; what was unfolded stays. */
function useFresh(pages: Pages<Order>) {
  const latest = useRef(pages);
  latest.current = pages;
  useEffect(() => {
    const read = async () => {
      const { items: fresh } = await call('get', '/api/orders', { query: { limit: 20 } });
      const { items: had, put, reload } = latest.current;
      const known = new Set(had?.map((order) => order.id));
      if (fresh.every((order) => known.has(order.id)))
        fresh.forEach(put);
      else
        await reload();
    };
    const ask = () => {
      if (!document.hidden)
        void read().catch(() => {}); // what is shown stays
    };
    document.addEventListener('visibilitychange', ask);
    const end = whenReachedAgain(ask);
    return () => {
      document.removeEventListener('visibilitychange', ask);
      end();
    };
  }, []);
}

export function OrdersPage() {
  const pages = usePages((cursor) => call('get', '/api/orders', {
    query: { cursor, limit: 20 } }), []);
  const { items, error } = pages;
  useFresh(pages);
  return (
    <Page title="Your orders" class="narrow">
      {!items && !error && <Loading what="Reading your orders …" />}
      {!!error && <Failed error={error} retry={pages.reload} />}
      {items?.length === 0 && (
        <Empty icon={Utensils}>
          <p>You have not ordered anything yet.</p>
          <a class="button main" href="/">To the menu</a>
        </Empty>
      )}
      <div class="order-lists">
        <List title="Under way" orders={(items ?? []).filter((order) => !isFinal(order.status))} />
        <List title="Before" orders={(items ?? []).filter((order) => isFinal(order.status))} />
      </div>
      <More pages={pages} label="Older orders" />
    </Page>
  );
}
