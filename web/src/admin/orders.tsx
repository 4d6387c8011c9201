/* All orders, newest first: found by number, customer, status and day. */
import { Download, ReceiptText, SearchX } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { call, type Order, type OrderStatus } from '../api';
import { addDays, dayBegins, isDay, today } from '../days';
import { money, plural, when } from '../format';
import { Button } from '../parts/button';
import { Empty } from '../parts/empty';
import { Load } from '../parts/load';
import { More, usePages } from '../parts/more';
import { Page } from '../parts/page';
import { SearchField, useSettled } from '../parts/search';
import { STATUS, StatusTag } from '../parts/status';
import { useFeed } from './feed';
import { dishes } from './payment_words';
import { type Query, useQuery } from './query';

const DISHES_SHOWN = 2;

function filterOf({ q, status, from, to }: Query) {
  return {
    q: q || undefined,
    status: status && status in STATUS ? status as OrderStatus : undefined,
    from: isDay(from) ? dayBegins(from) : undefined,
    to: isDay(to) ? dayBegins(addDays(to, 1)) : undefined,
  };
}

/* Newer than what is there, whichever way it came. */
function isNewer(order: Order, had: Order): boolean {
  return order.version >= had.version;
}

function paymentWords({ payment, status }: Order): string {
  if (!payment)
    return 'free';
  if (payment.status !== 'paid')
    return 'not paid';
  return status === 'cancelled' ? 'was paid' : 'paid';
}

function Filters({ query, typed, onTyped, onQuery }: {
  query: Query; typed: string; onTyped: (text: string) => void; onQuery: (change: Query) => void;
}) {
  return (
    <div class="toolbar">
      <SearchField label="Number or customer" value={typed} onValue={onTyped} />
      <select class="filter" aria-label="Status" value={query.status ?? ''}
        onChange={(event) => onQuery({ status: event.currentTarget.value })}>
        <option value="">Every status</option>
        {Object.entries(STATUS).map(([status, { word }]) => <option key={status} value={status}>{word}</option>)}
      </select>
      <div class="row dates">
        {(['from', 'to'] as const).map((name) => (
          <label key={name} class="date-field">
            <span>{name === 'from' ? 'From' : 'To'}</span>
            <input type="date" max={today()} value={query[name] ?? ''}
              onChange={(event) => onQuery({ [name]: event.currentTarget.value })} />
          </label>
        ))}
      </div>
    </div>
  );
}

function Row({ order }: { order: Order }) {
  const { customer } = order;
  return (
    <tr class="leads">
      <th scope="row" class="listed-number"><a class="strong" href={`/admin/orders/${order.id}`}>{order.id}</a></th>
      <td class="listed-when"><time dateTime={order.created_at}>{when(order.created_at)}</time></td>
      <td class="listed-who">
        <p class="strong"><bdi>{customer?.name ?? customer?.email}</bdi></p>
        <p class="small quiet"><bdi>{dishes(order.items, DISHES_SHOWN)}</bdi></p>
      </td>
      <td class="listed-status">
        <StatusTag status={order.status} />
        <p class="small quiet">{order.fulfilment === 'delivery' ? 'Delivery' : 'Pickup'}, {paymentWords(order)}</p>
      </td>
      <td class="listed-total end money strong">{money(order.total, order.currency)}</td>
    </tr>
  );
}

function Table({ orders }: { orders: Order[] }) {
  return (
    <div class="table-box">
      <table class="table cards orders-table">
        <thead>
          <tr>
            <th scope="col">Order</th><th scope="col">Placed</th><th scope="col">Customer and dishes</th>
            <th scope="col">Status</th><th scope="col" class="end">Total</th>
          </tr>
        </thead>
        <tbody>{orders.map((order) => <Row key={order.id} order={order} />)}</tbody>
      </table>
    </div>
  );
}

/* A list that one reads does not move by itself: what is known changes in place, what is new
 * waits. */
function useOrders(filter: ReturnType<typeof filterOf>) {
  const [news, setNews] = useState(new Set<number>());
  const pages = usePages((cursor) => call('get', '/api/admin/orders', { query: { ...filter, cursor } }),
    [filter.q, filter.status, filter.from, filter.to]);
  const newest = pages.items?.[0]?.id ?? 0;
  useEffect(() => setNews(new Set<number>()), [pages.items?.[0]?.id]);
  useFeed({
    onOrder: (order) => {
      const had = pages.items?.find(({ id }) => id === order.id);
      if (had && isNewer(order, had))
        pages.put(order as typeof had);
      else if (!had && order.id > newest && pages.items)
        setNews((ids) => new Set(ids).add(order.id));
    },
    onStale: () => void pages.reload(),
  });
  const show = async () => {
    setNews(new Set<number>());
    await pages.reload();
  };
  return { pages, news: news.size, show };
}

export function AdminOrdersPage() {
  const [query, setQuery] = useQuery();
  const [typed, setTyped] = useState(query.q ?? '');
  const q = useSettled(typed.trim());
  const filter = filterOf({ ...query, q });
  const { pages, news, show } = useOrders(filter);
  const isFiltered = Object.values(filter).some(Boolean);
  useEffect(() => setQuery({ q }), [q]);
  const range = new URLSearchParams(Object.entries(filter).filter((pair): pair is [string, string] => !!pair[1]));
  return (
    <Page title="Orders">
      <Filters query={query} typed={typed} onTyped={setTyped} onQuery={setQuery} />
      <div role="status">
        {news > 0 && !isFiltered && <Button class="news" onClick={show}>Show {plural(news, 'new order')}</Button>}
      </div>
      <Load from={{ data: pages.items, error: pages.error, reload: pages.reload }} what="Reading the orders …">
        {(orders) => (orders.length ? (
          <>
            <Table orders={orders} />
            <More pages={pages} label="Show older orders" />
            <p class="export small quiet">
              <a class="button" href={`/api/admin/orders.csv?${range}`} download="orders.csv">
                <Download size={20} aria-hidden="true" /> {isFiltered ? 'These orders' : 'All orders'} as a file
              </a>
              <span class="grow">A CSV for any spreadsheet, one line an order, times in UTC.</span>
            </p>
          </>
        ) : (
          <Empty icon={isFiltered ? SearchX : ReceiptText}>
            <p>{isFiltered ? 'No order is like that.' : 'No orders yet. The first one appears here by itself.'}</p>
            {isFiltered && <Button onClick={() => {
              setTyped('');
              setQuery({ q: '', status: '', from: '', to: '' });
            }}>Show all orders</Button>}
          </Empty>
        ))}
      </Load>
    </Page>
  );
}
