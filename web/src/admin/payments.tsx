/* The shop's money: what came and has to be confirmed, what needs somebody, what is owed back. */
import { CircleCheck, SearchX } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { type AdminPayment, call } from '../api';
import { today } from '../days';
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

const COUNTED = 100; // a page of the list at most; beyond it "100+" says enough

const SHOWS = {
  confirm: { text: 'To confirm', filter: { status: 'pending' as const },
    none: 'No money to confirm. A customer who is to pay by hand appears here.' },
  attention: { text: 'Need attention', filter: { needs_attention: true }, none: 'Nothing needs you. All money has made its order.' },
  refund: { text: 'Refund due', filter: { refund_due: true }, none: 'Nobody waits for money back.' },
  all: { text: 'All', filter: {}, none: 'No payments yet. The first order brings one.' },
};
type Show = keyof typeof SHOWS;
type Counts = Record<Show, string | null>;

async function readCounts(): Promise<Counts> {
  const day = today();
  const [{ now }, waiting] = await Promise.all([
    call('get', '/api/admin/summary', { query: { from: day, to: day } }),
    call('get', '/api/admin/payments', { query: { ...SHOWS.confirm.filter, limit: COUNTED } }),
  ]);
  return {
    confirm: count(waiting.items.length) + (waiting.next_cursor ? '+' : ''),
    attention: count(now.needs_attention), refund: count(now.refund_due), all: null,
  };
}

function Tabs({ show, counts, q }: { show: Show; counts: Counts | null; q: string }) {
  return (
    <nav class="tabs" aria-label="Which payments">
      {(Object.keys(SHOWS) as Show[]).map((each) => (
        <a key={each} aria-current={each === show ? 'page' : undefined}
          href={`/admin/payments?${new URLSearchParams({ show: each, ...(q && { q }) })}`}>
          {SHOWS[each].text}
          {counts?.[each] && <b class={`number ${counts[each] !== '0' && each !== 'confirm' ? 'due' : ''}`}>{counts[each]}</b>}
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
  const { filter, none } = SHOWS[show];
  const pages = usePages((cursor) => call('get', '/api/admin/payments', {
    query: { ...filter, q: q || undefined, cursor } }), [show, q]);
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
  const counts = useLoad(readCounts, []);
  const [turn, setTurn] = useState(0);
  const refresh = () => {
    setTurn((n) => n + 1);
    void counts.reload();
  };
  useEffect(() => setQuery({ q }), [q]);
  useEffect(() => setTyped(query.q ?? ''), [show]);
  useRefresh(refresh);
  return (
    <Page title="Payments">
      <Tabs show={show} counts={counts.data} q={q} />
      <div class="toolbar">
        <SearchField label="Number or customer" value={typed} onValue={setTyped} />
      </div>
      <List key={show} show={show} q={q} onChange={refresh} turn={turn} />
    </Page>
  );
}
