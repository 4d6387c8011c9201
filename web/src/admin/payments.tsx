/* The shop's money: what came and has to be confirmed, what needs somebody, what is owed back. */
import { CircleCheck, SearchX } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { type AdminPayment, call } from '../api';
import { count } from '../language';
import { Empty } from '../parts/empty';
import { Load, useLoad } from '../parts/load';
import { More, usePages } from '../parts/more';
import { Page } from '../parts/page';
import { SearchField, useSettled } from '../parts/search';
import { PaymentCard } from './payment_card';
import { PaymentRow } from './payment_row';
import { useQuery } from './query';
import { useRefresh } from './refresh';
import { readToConfirm, readWaiting, type Waiting } from './waiting';

interface Asked { q?: string; cursor?: string }

const reader = (filter: { needs_attention?: boolean; refund_due?: boolean }) => (asked: Asked) =>
  call('get', '/api/admin/payments', { query: { ...filter, ...asked } });

const SHOWS = {
  confirm: { text: 'To confirm', read: readToConfirm,
    none: 'No money to confirm. A customer who is to pay by hand appears here.' },
  attention: { text: 'Need attention', read: reader({ needs_attention: true }), none: 'Nothing needs you. All money has made its order.' },
  refund: { text: 'Refund due', read: reader({ refund_due: true }), none: 'Nobody waits for money back.' },
  all: { text: 'All', read: reader({}), none: 'No payments yet. The first order brings one.' },
};
type Show = keyof typeof SHOWS;

/* How many wait; '': that is not counted. */
function countOf(show: Show, waiting: Waiting | null): string {
  if (!waiting || show === 'all')
    return '';
  return show === 'confirm' ? waiting.confirm : count(waiting[show]);
}

function Tabs({ show, waiting, q }: { show: Show; waiting: Waiting | null; q: string }) {
  const counts = (Object.keys(SHOWS) as Show[]).map((each) => [each, countOf(each, waiting)] as const);
  return (
    <nav class="tabs" aria-label="Which payments">
      {counts.map(([each, n]) => (
        <a key={each} aria-current={each === show ? 'page' : undefined}
          href={`/admin/payments?${new URLSearchParams({ show: each, ...(q && { q }) })}`}>
          {SHOWS[each].text}
          {n && <b class={`number ${n !== count(0) && each !== 'confirm' ? 'due' : ''}`}>{n}</b>}
        </a>
      ))}
    </nav>
  );
}

/* What one has just dealt with stays where it was until one goes elsewhere. */
function withKept(items: AdminPayment[], kept: Map<number, AdminPayment>): AdminPayment[] {
  const found = new Set(items.map(({ id }) => id));
  return [...items, ...[...kept.values()].filter(({ id }) => !found.has(id))].sort((a, b) => b.id - a.id);
}

function List({ show, q, onChange, turn }: { show: Show; q: string; onChange: () => void; turn: number }) {
  const [kept, setKept] = useState(new Map<number, AdminPayment>());
  const { read, none } = SHOWS[show];
  const pages = usePages<AdminPayment>((cursor) => read({ q: q || undefined, cursor }), [show, q]);
  useEffect(() => {
    if (turn)
      void pages.reload();
  }, [turn]);
  useEffect(() => setKept(new Map()), [q]);
  const put = (payment: AdminPayment) => {
    setKept((had) => new Map(had).set(payment.id, payment));
    pages.put(payment);
  };
  const Entry = show === 'all' ? PaymentRow : PaymentCard;
  return (
    <Load from={{ data: pages.items, error: pages.error, reload: pages.reload }} what="Reading the payments …">
      {(items) => {
        const all = withKept(items, kept);
        return all.length ? (
          <>
            <ul class={show === 'all' ? 'paid-rows' : 'paid-cards'}>
              {all.map((payment) => <li key={payment.id}><Entry payment={payment} put={put} onStale={onChange} /></li>)}
            </ul>
            <More pages={pages} label="Show older ones" />
          </>
        ) : (
          <Empty icon={q ? SearchX : CircleCheck}><p>{q ? `Nothing here about “${q}”.` : none}</p></Empty>
        );
      }}
    </Load>
  );
}

export function PaymentsPage() {
  const [query, setQuery] = useQuery();
  const show: Show = query.show && query.show in SHOWS ? query.show as Show : 'confirm';
  const [typed, setTyped] = useState(query.q ?? '');
  const q = useSettled(typed.trim());
  const waiting = useLoad(readWaiting, []);
  const [turn, setTurn] = useState(0);
  const refresh = () => {
    setTurn((n) => n + 1);
    void waiting.reload();
  };
  useEffect(() => setQuery({ q }), [q]);
  useEffect(() => setTyped(query.q ?? ''), [show]);
  useRefresh(refresh);
  return (
    <Page title="Payments">
      <Tabs show={show} waiting={waiting.data} q={q} />
      <div class="toolbar">
        <SearchField label="Number or customer" value={typed} onValue={setTyped} />
      </div>
      <List key={show} show={show} q={q} onChange={refresh} turn={turn} />
    </Page>
  );
}
