/* The payments that wait for somebody, as small counts beside the board. */
import { Banknote, TriangleAlert, Undo2, type LucideIcon } from 'lucide-preact';
import { count } from '../language';
import { useLoad } from '../parts/load';
import { readWaiting } from './waiting';

export const useTodo = () => useLoad(readWaiting, []);

function Count({ n, word, query, icon: Icon, kind }: {
  n: string; word: string; query: string; icon: LucideIcon; kind: 'wait' | 'bad';
}) {
  return n === count(0) ? null : (
    <a class={`todo ${kind}`} href={`/admin/payments${query}`}>
      <Icon size={20} aria-hidden="true" /> <strong class="number">{n}</strong> {word}
    </a>
  );
}

export function Todo({ from: { data } }: { from: ReturnType<typeof useTodo> }) {
  return data && (
    <>
      <Count n={data.confirm} word="to confirm" query="?show=confirm" icon={Banknote} kind="wait" />
      <Count n={count(data.attention)} word="to look into" query="?show=attention"
        icon={TriangleAlert} kind="bad" />
      <Count n={count(data.refund)} word={data.refund === 1 ? 'refund due' : 'refunds due'}
        query="?show=refund" icon={Undo2} kind="wait" />
    </>
  );
}
