/* The payments that wait for somebody, as small counts beside the board. */
import { Banknote, TriangleAlert, Undo2, type LucideIcon } from 'lucide-preact';
import { call } from '../api';
import { today } from '../days';
import { useLoad } from '../parts/load';

const PAGE = 100;

/* What only a person can settle: transfers to confirm, flags, money owed back. */
async function readTodo() {
  const day = today();
  const [{ now }, { items, next_cursor }] = await Promise.all([
    call('get', '/api/admin/summary', { query: { from: day, to: day } }),
    call('get', '/api/admin/payments', { query: { status: 'pending', limit: PAGE } }),
  ]);
  const open = items.filter((payment) => payment.provider === 'manual').length;
  const isMore = open > 0 && next_cursor !== null;
  return { open, isMore, flagged: now.needs_attention, refunds: now.refund_due };
}

export const useTodo = () => useLoad(readTodo, []);

function Count({ n, more, word, query, icon: Icon, kind }: {
  n: number; more?: boolean; word: string; query: string; icon: LucideIcon; kind: 'wait' | 'bad';
}) {
  return n ? (
    <a class={`todo ${kind}`} href={`/admin/payments${query}`}>
      <Icon size={20} aria-hidden="true" /> <strong class="number">{n}{more && '+'}</strong> {word}
    </a>
  ) : null;
}

export function Todo({ from: { data } }: { from: ReturnType<typeof useTodo> }) {
  return data && (
    <>
      <Count n={data.open} more={data.isMore} word="to confirm" query="?show=confirm"
        icon={Banknote} kind="wait" />
      <Count n={data.flagged} word="to look into" query="?show=attention"
        icon={TriangleAlert} kind="bad" />
      <Count n={data.refunds} word={data.refunds === 1 ? 'refund due' : 'refunds due'}
        query="?show=refund" icon={Undo2} kind="wait" />
    </>
  );
}
