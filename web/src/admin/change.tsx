/* How much more or less than before: an icon and words. */
import { Equal, TrendingDown, TrendingUp } from 'lucide-preact';
import { count } from '../language';

const MANY = 10; // times as much is said in other words than percent

function words(now: number, before: number, than: string): string {
  const what = than && ` than ${than}`;
  if (now === before)
    return than ? `The same as ${than}` : 'the same';
  if (before === 0)
    return than ? `More${what}` : 'nothing then';
  const more = now > before ? 'more' : 'less';
  if (now >= before * MANY)
    return `${count(Math.round(now / before))} times as much${than && ` as ${than}`}`;
  const percent = Math.round(Math.abs(now - before) / before * 100);
  return percent ? `${percent}% ${more}${what}` : `a little ${more}${what}`;
}

/* `than` names what it is compared with, unless it is said elsewhere. */
export function Change({ now, before, than = '' }: { now: number; before: number; than?: string }) {
  if (now === 0 && before === 0)
    return <span class="change quiet">nothing to compare yet</span>;
  const Icon = now === before ? Equal : now > before ? TrendingUp : TrendingDown;
  const kind = now === before ? '' : now > before ? 'good' : 'bad';
  return (
    <span class={`change ${kind}`}><Icon size={18} aria-hidden="true" /> <span>{words(now, before, than)}</span></span>
  );
}
